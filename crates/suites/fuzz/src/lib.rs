//! What the fuzz targets do with their input: three lines of headers choose who reads the rest.
//!
//! `record`: family, file name, a line of the file. `answer`: task, an answer. `metric`: number of a golden row, a
//! prediction. A header that names nothing chooses by its bytes, so that most mutations still reach a reader.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use longboard_suites::dataset::Dataset;
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::metrics::golden::score_line;
use longboard_suites::task::{Family, ItemRequest, Task, TaskDefinition};
use serde_json::Value;

/// Tokens of the window into which records are put.
const WINDOW_TOKENS: u32 = 4096;

/// Records of one line that are asked.
const ASKED: usize = 3;

/// A number for a text that names nothing.
fn number(text: &str) -> usize {
    text.bytes().fold(7, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

fn chosen<'a, T>(list: &'a [T], header: &str, is: impl Fn(&T) -> bool) -> Option<&'a T> {
    list.iter().find(|one| is(one)).or_else(|| list.get(number(header) % list.len().max(1)))
}

/// Reads a line of an official file, asks its records and scores the line as an answer to them.
pub fn record(input: &str) {
    let (Some((family, rest)), readers) = (input.split_once('\n'), readers()) else { return };
    let Some((file, line)) = rest.split_once('\n') else { return };
    let Some((family, dataset)) = chosen(&readers, family, |(one, _)| one.slug() == family) else { return };
    let subsets = dataset.subsets();
    let named = dataset.subset_of(file);
    let Some(subset) = named.or_else(|| subsets.get(number(file) % subsets.len().max(1))) else { return };
    let Ok(records) = dataset.read(subset, 1, line) else { return };
    let definition = TaskDefinition::generated(family.slug(), "data", "data", dataset.params(subset));
    let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition });
    let (Ok(task), Ok(length)) = (task, Length::new(WINDOW_TOKENS)) else { panic!("a subset has no task") };
    for record in records.iter().take(ASKED) {
        let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, length) };
        if let Ok(item) = task.item(&request) {
            assert!(item.prompt_tokens <= WINDOW_TOKENS, "{} tokens", item.prompt_tokens);
            scored(&task, &item, line);
            scored(&task, &item, &task.family().oracle(&task, &item));
        }
    }
}

fn readers() -> Vec<(&'static dyn Family, &'static dyn Dataset)> {
    families::all().iter().filter_map(|family| Some((*family, family.dataset()?))).collect()
}

/// Scores an answer to a generated item.
pub fn answer(input: &str) {
    static ITEMS: LazyLock<Mutex<BTreeMap<&'static str, Item>>> = LazyLock::new(Mutex::default);
    let Some((name, answer)) = input.split_once('\n') else { return };
    let tasks: Vec<&'static Task> = Task::builtin().iter().collect();
    let Some(task) = chosen(&tasks, name, |task| task.slug() == name) else { return };
    let mut items = ITEMS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let item = items.entry(task.slug()).or_insert_with(|| {
        let length = Length::new(task.min_tokens().max(WINDOW_TOKENS)).unwrap_or_else(|error| panic!("{error}"));
        task.item(&ItemRequest::new(31, 0, length)).unwrap_or_else(|error| panic!("{error}"))
    });
    scored(task, item, answer);
}

fn scored(task: &Task, item: &Item, answer: &str) {
    let scored = task.score(item, answer);
    for score in std::iter::once(scored.score).chain(scored.strict) {
        assert!((0.0..=1.0).contains(&score), "{}: {score}", item.id);
    }
}

/// Golden rows whose prediction is a text.
fn rows() -> &'static [Value] {
    static ROWS: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden"));
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .collect();
        files.sort();
        let texts = files.iter().filter_map(|path| std::fs::read_to_string(path).ok());
        let lines: Vec<String> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let rows = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        rows.filter(|row| row.get("prediction").is_some_and(Value::is_string)).collect()
    });
    &ROWS
}

/// Puts a prediction in the place of a golden row's own.
pub fn metric(input: &str) {
    let Some((name, prediction)) = input.split_once('\n') else { return };
    let rows = rows();
    let place = name.parse().ok().filter(|place| *place < rows.len());
    let Some(row) = rows.get(place.unwrap_or_else(|| number(name) % rows.len().max(1))) else { return };
    let mut row = row.clone();
    row["prediction"] = prediction.into();
    let _ = score_line(&row.to_string());
}

/// Inputs to start from, by target: the lines, answers and predictions of the tests.
pub fn seeds() -> Vec<(&'static str, String)> {
    let mut seeds = Vec::new();
    let samples = include_str!("../../tests/fixtures/records.jsonl").lines();
    for sample in samples.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let text = |name: &str| sample[name].as_str().map_or_else(|| sample[name].to_string(), str::to_owned);
        seeds.push(("record", format!("{}\n{}\n{}", text("family"), text("file"), text("line"))));
    }
    for task in Task::builtin() {
        let Ok(length) = Length::new(task.min_tokens().max(WINDOW_TOKENS)) else { continue };
        if let Ok(item) = task.item(&ItemRequest::new(31, 0, length)) {
            seeds.push(("answer", format!("{}\n{}", task.slug(), task.family().oracle(task, &item))));
        }
    }
    for (place, row) in rows().iter().enumerate() {
        if let Some(prediction) = row["prediction"].as_str() {
            seeds.push(("metric", format!("{place}\n{prediction}")));
        }
    }
    seeds
}
