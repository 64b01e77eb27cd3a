//! InfiniteBench (arXiv 2402.13718; OpenBMB/InfiniteBench @ 88b3daa6, `src/compute_scores.py`): twelve tasks.
//!
//! Each function takes the raw answer and the label as JSON, because upstream files write labels in several shapes.
//! The result is 0..1; `None` where the official scorer stops with an error, which Longboard scores 0.

mod answers;
mod cards;

use super::rouge::lsum::lsum;
use super::rouge::scored::Stemmer;
pub use super::token_f1::{f1, normalise, normalise_zh};
pub use cards::{TASKS, task};

use serde_json::Value;

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::{blank, digit_runs, int, skip, squeeze, strip, take, words};

const SOURCE: Source =
    Source { benchmark: "InfiniteBench", citation: "arXiv 2402.13718; OpenBMB/InfiniteBench @ 88b3daa6" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 14] = [
    metric(SOURCE, "infinitebench.passkey", "First digits are the key", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.number_string", "First digits are the number", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.kv_retrieval", "Value is one of the words", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.longbook_sum_eng", "rougeLsum without stemming", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.longbook_qa_eng", "Token F1", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.longbook_choice_eng", "Option letter or text", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.longdialogue_qa_eng", "Name is one of the words", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.longbook_qa_chn", "Character F1", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.code_debug", "Option letter or function name", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.code_run", "Last word is the value", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.math_calc", "Matched prefix of results", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.math_find", "First number is the value", Form::Official, 1.0),
    metric(SOURCE, "infinitebench.kv_retrieval.strict", "Value in a short answer", Form::Strict, 1.0),
    metric(SOURCE, "infinitebench.longdialogue_qa_eng.strict", "Name in a short answer", Form::Strict, 1.0),
];

const MARKS: [char; 10] = ['\n', ':', '"', '\'', '.', ',', '?', '!', '{', '}'];

/// Score of `task` (a name like `passkey`) for a model of this name. Outer `None`: no such task.
#[must_use]
pub fn score(task: &str, prediction: &str, label: &Value, model: &str) -> Option<Option<f64>> {
    Some(match task {
        "passkey" => passkey(prediction, label),
        "number_string" => number_string(prediction, label),
        "kv_retrieval" => kv_retrieval(prediction, label),
        "longdialogue_qa_eng" => longdialogue_qa_eng(prediction, label),
        "longbook_sum_eng" => longbook_sum_eng(prediction, label),
        "longbook_choice_eng" => longbook_choice_eng(prediction, label),
        "longbook_qa_eng" => longbook_qa_eng(prediction, label),
        "longbook_qa_chn" => longbook_qa_chn(prediction, label),
        "math_find" => math_find(prediction, label),
        "math_calc" => math_calc(prediction, label, model),
        "code_run" => code_run(prediction, label),
        "code_debug" => code_debug(prediction, label),
        _ => return None,
    })
}

/// Words that the strict form still takes for an answer.
const STRICT_WORDS: usize = 24;

/// The strict form of `task`: the official score where the answer is short. Both tasks that have one look for a word
/// anywhere, so that reciting the input would earn it. `None` for the other tasks.
#[must_use]
pub fn strict(task: &str, prediction: &str, label: &Value) -> Option<f64> {
    if !matches!(task, "kv_retrieval" | "longdialogue_qa_eng") {
        return None;
    }
    if words(prediction).nth(STRICT_WORDS).is_some() {
        return Some(0.0);
    }
    score(task, prediction, label, "").map(Option::unwrap_or_default)
}

/// What the metric of `task` reads out of an answer, at most 200 scalars, for the sample page.
#[must_use]
pub fn extracted(task: &str, prediction: &str) -> String {
    let text = match task {
        "passkey" | "number_string" => digit_runs(prediction).next().unwrap_or_default().to_owned(),
        "code_run" => last_word(prediction),
        "math_find" => answers::first_number(prediction).unwrap_or_default(),
        "math_calc" => digit_runs(prediction).collect::<Vec<_>>().join(" "),
        _ => strip(prediction).to_owned(),
    };
    take(&text, 200).to_owned()
}

fn first(label: &Value) -> Option<&Value> {
    label.as_array().map_or(Some(label), |list| list.first())
}

fn bit(value: bool) -> f64 {
    f64::from(value)
}

/// The first run of digits equals the key.
#[must_use]
pub fn passkey(prediction: &str, label: &Value) -> Option<f64> {
    let expected = first(label)?;
    Some(bit(expected.as_str() == Some(digit_runs(prediction).next().unwrap_or_default())))
}

/// The same rule as [`passkey`].
#[must_use]
pub fn number_string(prediction: &str, label: &Value) -> Option<f64> {
    passkey(prediction, label)
}

/// The value is one of the words, after punctuation became blanks.
#[must_use]
pub fn kv_retrieval(prediction: &str, label: &Value) -> Option<f64> {
    let text = blank(prediction, &MARKS);
    Some(bit(label.as_str().is_some_and(|label| words(&text).any(|word| word == label))))
}

/// The first accepted name is one of the upper-cased words.
#[must_use]
pub fn longdialogue_qa_eng(prediction: &str, label: &Value) -> Option<f64> {
    let name = match label {
        Value::String(text) => text.chars().next()?.to_string(),
        _ => label.as_array()?.first()?.as_str().unwrap_or_default().to_owned(),
    };
    let text = blank(strip(prediction), &MARKS);
    Some(bit(words(&text).any(|word| word.to_uppercase() == name)))
}

/// rougeLsum without stemming, the best of several references.
#[must_use]
pub fn longbook_sum_eng(prediction: &str, label: &Value) -> Option<f64> {
    match label {
        Value::String(reference) => Some(lsum(reference, prediction, Stemmer::None).f),
        Value::Array(references) => references
            .iter()
            .map(|reference| reference.as_str().map(|reference| lsum(reference, prediction, Stemmer::None).f))
            .collect::<Option<Vec<f64>>>()?
            .into_iter()
            .reduce(f64::max),
        _ => None,
    }
}

fn among(label: &Value, text: &str) -> bool {
    match label {
        Value::String(all) => all.contains(text),
        Value::Array(list) => list.iter().any(|item| item.as_str() == Some(text)),
        _ => false,
    }
}

fn options(label: &Value) -> Vec<String> {
    match label {
        Value::String(text) => text.chars().map(String::from).collect(),
        Value::Array(list) => list.iter().filter_map(|item| item.as_str().map(ToOwned::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// First letter, then the option's text, then an answer phrase, then the first word that is a letter.
#[must_use]
pub fn longbook_choice_eng(prediction: &str, label: &Value) -> Option<f64> {
    let text = strip(prediction);
    if text.is_empty() {
        return Some(0.0);
    }
    let letter = take(text, 1);
    if "ABCD".contains(letter) {
        return Some(bit(among(label, letter)));
    }
    if among(label, text) {
        return Some(1.0);
    }
    let without_colon: Vec<char> = MARKS.iter().copied().filter(|mark| *mark != ':').collect();
    let text = squeeze(&blank(text, &without_colon));
    for prefix in ["answer is:", "answer:", "answer is", "option is"] {
        if let Some(after) = answers::after(&text, prefix) {
            return Some(bit(after.is_some_and(|after| options(label).iter().any(|option| after.starts_with(option)))));
        }
    }
    let choice = words(&text).find(|word| "ABCD".contains(word));
    Some(bit(choice.is_some_and(|choice| among(label, choice))))
}

/// Token F1 after English normalisation, the best of the references.
#[must_use]
pub fn longbook_qa_eng(prediction: &str, label: &Value) -> Option<f64> {
    let answer = normalise(prediction);
    let tokens: Vec<&str> = words(&answer).collect();
    Some(best(label, |reference| {
        let reference = normalise(reference);
        f1(&tokens, &words(&reference).collect::<Vec<_>>())
    }))
}

/// Scalar F1 after Chinese normalisation, the best of the references.
#[must_use]
pub fn longbook_qa_chn(prediction: &str, label: &Value) -> Option<f64> {
    let tokens: Vec<char> = normalise_zh(prediction).chars().collect();
    Some(best(label, |reference| f1(&tokens, &normalise_zh(reference).chars().collect::<Vec<_>>())))
}

fn best(label: &Value, score: impl Fn(&str) -> f64) -> f64 {
    options(label).iter().map(|reference| score(reference)).fold(0.0, f64::max)
}

/// The first number equals the label, read as the label's type.
#[must_use]
pub fn math_find(prediction: &str, label: &Value) -> Option<f64> {
    let expected = first(label)?.as_number()?;
    let Some(number) = answers::first_number(prediction) else { return Some(0.0) };
    if expected.is_f64() {
        return Some(bit(number.parse::<f64>().ok()? == expected.as_f64()?));
    }
    Some(bit(int(&number)? == expected.to_string()))
}

/// Share of the label's intermediate results that the numbers of the answer match from the start.
///
/// For a model called `gpt4` the first number of the answer is dropped, as upstream does.
#[must_use]
pub fn math_calc(prediction: &str, label: &Value, model: &str) -> Option<f64> {
    let outer = label.as_array()?;
    let expected = outer.first()?.as_array().unwrap_or(outer);
    if expected.is_empty() {
        return None;
    }
    let given = digit_runs(prediction).skip(usize::from(model == "gpt4"));
    let matched = expected.iter().zip(given).take_while(|(label, run)| answers::equals(run, label)).count();
    Some(answers::share(matched, expected.len()))
}

fn last_word(prediction: &str) -> String {
    let text = blank(strip(prediction), &['\n', '.', '`', '\'', '"', ':']);
    words(&text).last().unwrap_or_default().to_owned()
}

/// The last word, punctuation blanked, is the return value.
#[must_use]
pub fn code_run(prediction: &str, label: &Value) -> Option<f64> {
    let expected = first(label)?;
    Some(bit(answers::equals(&last_word(prediction), expected)))
}

/// The letter with a mark in front, or the letter or function name after an answer phrase.
#[must_use]
pub fn code_debug(prediction: &str, label: &Value) -> Option<f64> {
    let choices = options(label);
    let (name, letter) = (choices.first()?, choices.get(1)?);
    let text = strip(prediction);
    let start = take(text, 2);
    if start == format!("{letter}.") || start == format!("{letter}:") {
        return Some(1.0);
    }
    let text = blank(text, &['\n', '`', '\'', '"', '-', '*']).replace("Option", " ").replace("option", " ");
    let text = squeeze(&text);
    for prefix in ["answer is:", "is:", "answer:", "correct option is:"] {
        if let Some(after) = answers::after(&text, prefix) {
            let right = |after: &str| after.starts_with(letter.as_str()) || after.starts_with(name.as_str());
            return Some(bit(after.is_some_and(right)));
        }
    }
    Some(0.0)
}

/// What follows the first `prefix` and one more scalar; inner `None` when the text ends with the prefix.
fn after_prefix<'a>(text: &'a str, prefix: &str) -> Option<Option<&'a str>> {
    let (_, rest) = text.split_once(prefix)?;
    Some((!rest.is_empty()).then(|| skip(rest, 1)))
}
