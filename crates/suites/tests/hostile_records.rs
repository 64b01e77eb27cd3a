//! Whatever a line of an official file holds, it is refused by field or read, and what is read can be asked and scored.
//!
//! Every family with a reader and every data set of it meets valid lines of its own shapes with one value replaced,
//! taken away or put elsewhere, lines of other benchmarks, and text that is no record at all.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use longboard_suites::dataset::{Dataset, Record, Subset};
use longboard_suites::families;
use longboard_suites::length::Length;
use longboard_suites::rng::Rng;
use longboard_suites::task::{Family, ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// A valid line and the file in which it would stand. A text is a line that is no JSON.
struct Sample {
    family: String,
    file: String,
    line: Value,
}

fn samples() -> Vec<Sample> {
    let lines = include_str!("fixtures/records.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines
        .map(|row| Sample { family: text(&row["family"]), file: text(&row["file"]), line: row["line"].clone() })
        .collect()
}

fn written(line: &Value) -> String {
    line.as_str().map_or_else(|| line.to_string(), str::to_owned)
}

/// One data set with the task that stands on it.
struct Reader {
    dataset: &'static dyn Dataset,
    subset: &'static Subset,
    task: Task,
}

impl Reader {
    fn new(family: &'static dyn Family, subset: &'static Subset) -> Self {
        let dataset = family.dataset().unwrap();
        let definition = TaskDefinition::generated(family.slug(), "data", "data", dataset.params(subset));
        let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap();
        Self { dataset, subset, task }
    }

    /// The records of a line, each asked and answered; nothing where the line is refused by a field that has a name.
    fn meet(&self, line: &str) -> usize {
        let _told = Told { reader: self, line };
        match self.dataset.read(self.subset, 3, line) {
            Ok(records) => {
                for record in records.iter().take(4) {
                    self.ask(record);
                }
                records.len()
            }
            Err(error) => {
                assert!(!error.field.is_empty() && !error.reason.is_empty(), "{error:?}");
                0
            }
        }
    }

    fn ask(&self, record: &Record) {
        let length = Length::new(4096).unwrap();
        // A record is stored as JSON between reading and asking.
        let record: Record = serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap();
        let request = ItemRequest { record: Some(&record), ..ItemRequest::new(1, 0, length) };
        let item = match self.task.item(&request) {
            Ok(item) => item,
            Err(error) => return assert!(error.to_string().contains("data"), "{error}"),
        };
        assert_eq!(item.prompt_tokens, tokens::count(&item.joined()));
        assert!(item.prompt_tokens + item.output_tokens <= 4096, "{} + {}", item.prompt_tokens, item.output_tokens);
        let oracle = self.task.family().oracle(&self.task, &item);
        let backwards: String = oracle.chars().rev().collect();
        let _ = self.task.open_ended(&item);
        for answer in ["", " \n", "答案是第七个。", "A", "[1, {\"\u{0}\": 9e999", &oracle, &backwards, &item.joined()]
        {
            let scored = self.task.score(&item, answer);
            for value in std::iter::once(scored.score).chain(scored.strict) {
                assert!((0.0..=1.0).contains(&value), "{value} for {answer:?}");
            }
            assert!(scored.extracted.chars().count() <= 2000);
        }
    }
}

/// Says what was read when a check fails.
struct Told<'a> {
    reader: &'a Reader,
    line: &'a str,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Reader { subset, task, .. } = self.reader;
            let line: String = self.line.chars().take(2000).collect();
            eprintln!("{} `{}`: {line:?}", task.definition().family, subset.name);
        }
    }
}

fn readers() -> Vec<Reader> {
    let with_files = families::all().iter().filter_map(|family| Some((*family, family.dataset()?)));
    with_files
        .flat_map(|(family, dataset)| dataset.subsets().iter().map(move |subset| Reader::new(family, subset)))
        .collect()
}

/// What is put in the place of a value.
fn values() -> Vec<Value> {
    let deep = (0..60).fold(json!("x"), |inside, _| json!([inside]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!(" \n\t"),
        json!("\u{0}\u{1}\u{7}\u{1b}[31m\u{202e}\u{fffd}"),
        json!("答案在第七回。"),
        json!("پاسخ در متن نیست."),
        json!("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} e\u{301}\u{301}\u{301}"),
        json!("<|endoftext|>\n\nhuman: A\\boxed{"),
        json!("[{'Q': '''x''', \"A\": {(1, 2): None}, 'S': [1e400]}"),
        json!("9".repeat(400)),
        json!("word ".repeat(6000)),
        json!([]),
        json!([[]]),
        json!(["x", 7, null]),
        json!(["x", "y", "z", "u", "v", "w"]),
        json!([i64::MAX, i64::MIN, 0, 1]),
        json!({}),
        json!({ "": "", "A": [], "x": { "x": {} } }),
        deep,
    ]
}

/// Every place of a value and of what it holds.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    walk(inner, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(list) => {
                for (place, inner) in list.iter().enumerate() {
                    walk(inner, format!("{at}/{place}"), found);
                }
            }
            _ => {}
        }
        found.push(at);
    }
    let mut found = Vec::new();
    walk(value, String::new(), &mut found);
    found
}

/// The line with one value replaced, taken away, doubled, or put in the place of another.
fn mutants(line: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let all = places(line);
    for place in &all {
        let replaced = |by: Value| {
            let mut line = line.clone();
            *line.pointer_mut(place).unwrap() = by;
            line
        };
        found.extend(values().into_iter().map(replaced));
        let here = line.pointer(place).unwrap();
        found.extend([replaced(json!([here])), replaced(json!(here.to_string())), replaced(json!({ "x": here }))]);
        if let Value::Array(list) = here {
            let twice = list.iter().chain(list).cloned().collect();
            found.push(replaced(Value::Array(twice)));
            found.push(replaced(list.iter().rev().cloned().collect()));
        }
        let (parent, name) = place.rsplit_once('/').unwrap_or_default();
        let mut without = line.clone();
        match without.pointer_mut(parent) {
            Some(Value::Object(fields)) => drop(fields.remove(name)),
            Some(Value::Array(list)) => drop(list.remove(name.parse().unwrap())),
            _ => {}
        }
        found.push(without);
        let other = line.pointer(&all[(place.len() * 7) % all.len()]).unwrap();
        found.push(replaced(other.clone()));
    }
    found
}

/// Every own line of a family with one thing wrong; of each `step`-th one also an item and its scores.
fn meet_mutants(step: usize) {
    let samples = samples();
    for family in families::all() {
        let Some(dataset) = family.dataset() else { continue };
        let own: Vec<&Sample> = samples.iter().filter(|sample| sample.family == family.slug()).collect();
        assert!(!own.is_empty(), "{} has a reader and no line in fixtures/records.jsonl", family.slug());
        for sample in own {
            let reader = Reader::new(*family, dataset.subset_of(&sample.file).unwrap());
            assert!(reader.meet(&written(&sample.line)) > 0, "{} of {} is not read", sample.file, sample.family);
            let mutants = mutants(&sample.line);
            let first = Rng::name(&sample.file) as usize % step;
            for line in mutants.iter().skip(first).step_by(step) {
                reader.meet(&written(line));
            }
        }
    }
}

/// Lines of every benchmark, whole and with one thing wrong, before the readers of every data set.
fn meet_others(lines: usize) {
    let samples = samples();
    for reader in readers() {
        let mut rng = Rng::from_path(&[Rng::name(reader.subset.name), 3]);
        for _ in 0..lines {
            let sample = &samples[rng.index(samples.len())];
            reader.meet(&written(&sample.line));
            let own =
                samples.iter().filter(|sample| sample.family == reader.task.definition().family).collect::<Vec<_>>();
            if let Some(sample) = rng.choose(&own) {
                reader.meet(&written(&sample.line));
                let all = mutants(&sample.line);
                reader.meet(&written(&all[rng.index(all.len())]));
            }
        }
    }
}

/// Text that is no record, and own lines with some of their characters lost, doubled or replaced.
fn meet_text(cases: u32) {
    let samples = samples();
    for family in families::all() {
        let Some(dataset) = family.dataset() else { continue };
        let own: Vec<&Sample> = samples.iter().filter(|sample| sample.family == family.slug()).collect();
        let readers: Vec<Reader> = dataset.subsets().iter().map(|subset| Reader::new(*family, subset)).collect();
        let text = "\\PC{0,80}|[\\x00-\\x7f]{0,80}|[\\[\\]{}\":,0-9eE+\\-.tfn \\\\u]{0,60}";
        let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..4_u8), 1..6);
        let case = (text, edits, any::<prop::sample::Index>(), any::<prop::sample::Index>());
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, seeded());
        let outcome = runner.run(&case, |(text, edits, which, subset)| {
            let reader = &readers[subset.index(readers.len())];
            reader.meet(&text);
            let sample = own[which.index(own.len())];
            let reader = Reader::new(*family, dataset.subset_of(&sample.file).unwrap());
            reader.meet(&edited(&written(&sample.line), &edits));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{}: {error}", family.slug()));
    }
}

fn seeded() -> proptest::test_runner::TestRng {
    proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha)
}

fn edited(line: &str, edits: &[(prop::sample::Index, char, u8)]) -> String {
    let mut scalars: Vec<char> = line.chars().collect();
    for (at, scalar, kind) in edits {
        let at = at.index(scalars.len().max(1));
        match kind {
            0 if at < scalars.len() => drop(scalars.remove(at)),
            1 => scalars.insert(at.min(scalars.len()), *scalar),
            2 if at < scalars.len() => scalars[at] = *scalar,
            _ => scalars.truncate(at),
        }
    }
    scalars.into_iter().collect()
}

#[test]
fn a_wrong_value_is_refused_or_scored() {
    meet_mutants(5);
}

#[test]
fn lines_of_other_benchmarks_are_refused_or_scored() {
    meet_others(4);
}

#[test]
fn text_that_is_no_record_is_refused() {
    meet_text(64);
}

#[test]
fn broken_lines_are_refused_by_every_reader() {
    let deep = ["[".repeat(5000), "{\"a\":".repeat(5000)];
    let broken =
        ["", " ", "\u{feff}{}", "null", "[]", "{}", "[{}]", "7", "\"", "{\"a\": \u{0}}", "NaN", ",,,,,", "\"\",,"];
    for reader in readers() {
        for line in broken.into_iter().chain(deep.iter().map(String::as_str)) {
            assert_eq!(
                reader.meet(line),
                0,
                "{} `{}`: {}",
                reader.task.slug(),
                reader.subset.name,
                &line[..line.len().min(20)]
            );
        }
    }
}

#[test]
#[ignore = "slow: every mutant of every line"]
fn every_wrong_value_is_refused_or_scored() {
    meet_mutants(1);
    meet_others(16);
}

#[test]
#[ignore = "slow: 2,000 texts a family"]
fn much_text_that_is_no_record_is_refused() {
    meet_text(2_000);
}
