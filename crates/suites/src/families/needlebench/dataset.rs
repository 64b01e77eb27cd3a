//! NeedleBench's data, version 2: `needles.jsonl` for single and multiple retrieval, `names.json` for reasoning, with the
//! default haystack of the language beside them (`PaulGrahamEssays.jsonl`, `zh_finance.jsonl`). What a file is used for is
//! said with the data set's name, since the names of files do not say it.
//!
//! Samples are the official ones, byte for byte, where the window leaves the official budget: length in cl100k_base,
//! haystack shuffled repeat by repeat, needles spliced in by tokens. Upstream leaves the choice of several needles to
//! chance; here repeat n chooses by seed n. Depth is that of the item's index, one of eleven.

use serde_json::{Map, Value, json};

use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::needlebench_official::{Cl100k, OfficialNeedle, OfficialSample, Setting};
use crate::families::prose;
use crate::item::{Cut, Item};
use crate::metrics::python_random::PythonRandom;
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of needles and names.
pub(super) struct Files;

static SUBSETS: [Subset; 6] = [
    Subset { name: "srt_en", title: "NeedleBench single retrieval, English" },
    Subset { name: "srt_zh", title: "NeedleBench single retrieval, Chinese" },
    Subset { name: "mrt_en", title: "NeedleBench multiple retrieval, English" },
    Subset { name: "mrt_zh", title: "NeedleBench multiple retrieval, Chinese" },
    Subset { name: "mrs_en", title: "NeedleBench multi-step reasoning, English" },
    Subset { name: "mrs_zh", title: "NeedleBench multi-step reasoning, Chinese" },
];

/// Depths in percent.
const DEPTHS: [f64; 11] = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0];

/// Percent between the sentences of a chain.
const STEP: f64 = 10.0;

/// Between texts of the haystack in a record's document.
const BETWEEN: &str = "\n\u{1e}\n";

/// Kind, language of the files, haystack.
fn parts(subset: &str) -> (&str, &'static str, &'static str) {
    let (kind, language) = subset.split_once('_').unwrap_or((subset, ""));
    match language {
        "zh" => (kind, "Chinese", "zh_finance.jsonl"),
        _ => (kind, "English", "PaulGrahamEssays.jsonl"),
    }
}

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn keyed(&self, subset: &Subset) -> bool {
        parts(subset.name).0 == "mrs"
    }

    /// Needles belong together: the first line stands for all of them, the others are checked.
    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let (kind, language, _) = parts(subset.name);
        let samples = match kind {
            "mrs" => match fields.get(language) {
                Some(_) => chains(&fields, language)?,
                // The names of the other language are a member of their own.
                None if fields.keys().any(|name| matches!(name.as_str(), "English" | "Chinese")) => {
                    return Ok(Vec::new());
                }
                None => return Err(RecordError::new(language, "missing")),
            },
            _ => {
                let list = match fields.get("needles") {
                    Some(inline) => needles(inline)?,
                    None => {
                        needles(&json!([fields]))?;
                        if line_number > 1 {
                            return Ok(Vec::new());
                        }
                        needles(&*folder.json(folder.file_name())?)?
                    }
                };
                chosen(kind, language, list)?
            }
        };
        let document = haystack(&fields, subset, folder)?;
        let record = |(number, (references, gold)): (usize, (Vec<String>, Value))| Record {
            id: number.to_string(),
            subset: subset.name.to_owned(),
            document: document.clone(),
            question: String::new(),
            references,
            gold,
            official_length: None,
            evidence: Vec::new(),
        };
        Ok(samples.into_iter().enumerate().map(record).collect())
    }

    fn params(&self, subset: &Subset) -> Value {
        let (kind, language) = subset.name.split_once('_').unwrap_or((subset.name, "en"));
        json!({ "kind": kind, "language": language })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let refuse = |reason: &str| prose::unsatisfiable(task, request, reason);
        let place = request.index as usize * 7 % DEPTHS.len();
        let depth = DEPTHS.get(place).copied().unwrap_or_default();
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let lines: Vec<String> = record.document.split(BETWEEN).map(str::to_owned).collect();
        let mut length = limit as usize;
        loop {
            let sample = sample(record, &lines, length, depth).ok_or_else(|| refuse("the record makes no sample"))?;
            let mut prompt = marked(&sample.prompt, record);
            let tokens = prompt.tokens();
            if tokens <= limit {
                return Ok(finished(task, request, record, prompt, depth));
            }
            length = length
                .checked_sub((tokens - limit) as usize)
                .ok_or_else(|| refuse("question and needles are longer"))?;
        }
    }
}

/// The prompt with the record's needles as evidence. The sentences of a chain are drawn anew and not marked.
fn marked(text: &str, record: &Record) -> Prompt {
    let needles = record.gold.get("needles").and_then(|list| needles(list).ok()).unwrap_or_default();
    let place = |needle: &OfficialNeedle| Some((text.find(&needle.needle)?, needle.needle.len()));
    let mut places: Vec<(usize, usize)> = needles.iter().filter_map(place).collect();
    places.sort_unstable();
    let (mut prompt, mut end) = (Prompt::default(), 0);
    for (start, length) in places {
        // None where one needle stands within another, which is marked already.
        let Some(before) = text.get(end..start) else { continue };
        prompt.push(before);
        end = start + length;
        prompt.push_needle(text.get(start..end).unwrap_or_default());
    }
    prompt.push(text.get(end..).unwrap_or_default());
    prompt
}

fn finished(task: &Task, request: &ItemRequest<'_>, record: &Record, prompt: Prompt, depth: f64) -> Item {
    let several = parts(&record.subset).0 == "mrt";
    let answer = Answer {
        references: record.references.clone(),
        gold: json!({ "record": record.id }),
        depth_percent: (!several).then_some(depth as u8),
        ..Answer::default()
    };
    let mut item = prompt.finish(task, request, answer);
    item.cut = Some(Cut { tokens_before: item.prompt_tokens, tokens_removed: 0, evidence_left: Some(1.0) });
    item
}

/// The official sample of at most `length` tokens with the official buffer for prompt and answer; `None` for a record
/// that makes none.
fn sample(record: &Record, lines: &[String], length: usize, depth: f64) -> Option<OfficialSample> {
    let (kind, language, _) = parts(&record.subset);
    let buffer = match (language, length) {
        ("Chinese", _) => 200,
        (_, ..=8192) => 500,
        _ => 3000,
    };
    let seed = record.gold.get("repeat").and_then(Value::as_u64).filter(|seed| *seed < MOST_REPEATS)?;
    let setting =
        Setting { tokenizer: &Cl100k, lines, language, length, buffer, repeats: seed..seed + 1, question_at: "End" };
    let samples = match kind {
        "mrs" => {
            let names: Vec<String> = serde_json::from_value(record.gold.get("names")?.clone()).ok()?;
            let links = usize::try_from(record.gold.get("links")?.as_u64()?).ok()?;
            (links < names.len()).then(|| setting.multi_reasoning(depth, STEP, links, &names))?
        }
        _ => {
            let needles = needles(record.gold.get("needles")?).ok()?;
            match kind {
                "mrt" => setting.retrieval_of(&DEPTHS, &needles.iter().collect::<Vec<_>>()),
                _ => setting.single(depth, &needles),
            }
        }
    };
    samples?.into_iter().next()
}

/// Repeats of a sample at most.
const MOST_REPEATS: u64 = 25;

/// Reads lines of a needle file.
fn needles(list: &Value) -> Result<Vec<OfficialNeedle>, RecordError> {
    let refuse = || RecordError::new("needles", "expected a list of needles");
    let read = |needle: &Value| {
        let fields = needle.as_object().ok_or_else(refuse)?;
        let text = |name: &str| {
            dataset::text(fields, name).and_then(|text| {
                if text.trim().is_empty() { Err(RecordError::new(name, "is empty")) } else { Ok(text) }
            })
        };
        Ok(OfficialNeedle {
            needle: text("needle")?,
            arg1: text("arg1")?,
            arg2: text("arg2")?,
            retrieval_question: text("retrieval_question")?,
            language: text("language")?,
        })
    };
    list.as_array().ok_or_else(refuse)?.iter().map(read).collect()
}

fn written(needle: &OfficialNeedle) -> Value {
    json!({
        "needle": needle.needle,
        "arg1": needle.arg1,
        "arg2": needle.arg2,
        "retrieval_question": needle.retrieval_question,
        "language": needle.language,
    })
}

/// References and gold of each repeat: ten of single retrieval, 25 of multiple retrieval, as upstream.
fn chosen(kind: &str, language: &str, file: Vec<OfficialNeedle>) -> Result<Vec<(Vec<String>, Value)>, RecordError> {
    let own: Vec<&OfficialNeedle> = file.iter().filter(|needle| needle.language == language).collect();
    let few = |count: usize| {
        RecordError::new("language", format!("{count} needles with different arguments in {language} are needed"))
    };
    if kind == "srt" {
        let repeat = |seed| {
            let needle = *PythonRandom::new(seed).choice(&own).ok_or_else(|| few(1))?;
            Ok((vec![needle.arg2.clone()], json!({ "repeat": seed, "needles": [written(needle)] })))
        };
        return (0..10).map(repeat).collect();
    }
    let setting =
        Setting { tokenizer: &Cl100k, lines: &[], language, length: 0, buffer: 0, repeats: 0..1, question_at: "End" };
    let repeat = |seed| {
        let needles = setting.chosen(&file, DEPTHS.len(), seed);
        if needles.len() < DEPTHS.len() {
            return Err(few(DEPTHS.len()));
        }
        if let Some(needle) = needles.iter().find(|needle| needle.retrieval_question.split('\'').nth(1).is_none()) {
            let reason = format!("`{}` has no quoted form of its answer", needle.retrieval_question);
            return Err(RecordError::new("retrieval_question", reason));
        }
        let references = needles.iter().map(|needle| needle.arg2.clone()).collect();
        let told: Vec<Value> = needles.iter().map(|needle| written(needle)).collect();
        Ok((references, json!({ "repeat": seed, "needles": told })))
    };
    (0..MOST_REPEATS).map(repeat).collect()
}

/// References and gold of each chain: two to five links, ten repeats each, as upstream.
fn chains(fields: &Map<String, Value>, language: &str) -> Result<Vec<(Vec<String>, Value)>, RecordError> {
    let text = dataset::text(fields, language)?;
    let names: Vec<&str> = text.split(',').filter(|name| !name.trim().is_empty()).collect();
    if names.len() < 6 {
        return Err(RecordError::new(language, "expected six names or more, with commas between them"));
    }
    let chain = |links: usize, seed: u64| {
        let people = PythonRandom::new(seed).sample(names.len(), links + 1);
        let eldest = people.first().and_then(|place| names.get(*place)).copied().unwrap_or_default();
        (vec![eldest.to_owned()], json!({ "repeat": seed, "links": links, "names": names }))
    };
    Ok((2..=5)
        .flat_map(|links| (0..10).map(move |seed| (links, seed)))
        .map(|(links, seed)| chain(links, seed))
        .collect())
}

/// The texts of the haystack: those in the record, or the language's file.
fn haystack(fields: &Map<String, Value>, subset: &Subset, folder: &dyn Folder) -> Result<String, RecordError> {
    if fields.contains_key("haystack") {
        return Ok(dataset::texts(fields, "haystack")?.join(BETWEEN));
    }
    let (.., file) = parts(subset.name);
    let lines = folder.json(file)?;
    let refuse = || RecordError::new(file, "expected lines with a text each");
    let texts = lines.as_array().ok_or_else(refuse)?.iter().map(|line| line.get("text")?.as_str());
    let texts: Vec<&str> = texts.collect::<Option<_>>().ok_or_else(refuse)?;
    Ok(texts.join(BETWEEN))
}
