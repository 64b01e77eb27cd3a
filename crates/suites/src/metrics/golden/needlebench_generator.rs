//! NeedleBench's own samples, on small inputs with one token per scalar.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Computed, GoldenError, GoldenRow};
use crate::families::needlebench_official::{self as official, OfficialNeedle, OfficialSample, Scalars, Setting};

/// The files behind the rows.
#[derive(Deserialize)]
struct Inputs {
    files: BTreeMap<String, String>,
}

static INPUTS: LazyLock<Option<Inputs>> =
    LazyLock::new(|| serde_json::from_str(include_str!("needlebench_generator_inputs.json")).ok());

pub(super) fn compute(row: &GoldenRow) -> Result<Computed, GoldenError> {
    let value = match row.metric.as_str() {
        "v2_single" => {
            in_haystack(row, |setting| setting.single(number(row, "depth")?, &needles(text(row, "needle_file_name")?)?))
        }
        "v2_multi_retrieval" => in_haystack(row, |setting| {
            let depths = Vec::<f64>::deserialize(row.reference.get("depths")?).ok()?;
            let seed = whole(row, "global_random_seed_before_call")?;
            setting.multi_retrieval(&depths, &needles(text(row, "needle_file_name")?)?, seed)
        }),
        "v2_multi_reasoning" => in_haystack(row, |setting| {
            let names = names(text(row, "needle_file_name")?, setting.language)?;
            setting.multi_reasoning(number(row, "depth")?, number(row, "diff")?, size(row, "num_needles")?, &names)
        }),
        "v2_atc" => trace(row),
        "v1_atc_choice" => choice(row),
        _ => return Err(row.unknown()),
    };
    row.computed(value)
}

fn in_haystack(row: &GoldenRow, build: impl Fn(&Setting<'_>) -> Option<Vec<OfficialSample>>) -> Option<Value> {
    let file = row.reference.get("file_list")?.get(0)?.as_str()?;
    let lines = json_lines(file)?.into_iter().map(|line| Some(line.get("text")?.as_str()?.to_owned()));
    let lines = lines.collect::<Option<Vec<String>>>()?;
    let setting = Setting {
        tokenizer: &Scalars,
        lines: &lines,
        language: text(row, "language")?,
        length: size(row, "length")?,
        buffer: size(row, "length_buffer")?,
        repeats: 0..whole(row, "num_repeats_per_file")?,
        question_at: text(row, "quesiton_position").unwrap_or("End"),
    };
    let (prompts, answers): (Vec<String>, Vec<String>) =
        build(&setting)?.into_iter().map(|sample| (sample.prompt, sample.answer)).unzip();
    Some(json!({"prompt": prompts, "answer": answers}))
}

fn trace(row: &GoldenRow) -> Option<Value> {
    let (language, repeats, index) = (text(row, "language")?, whole(row, "repeats")?, whole(row, "index")?);
    let kind = usize::try_from(index.checked_div(repeats)?).ok()?;
    let names = names("names.json", language)?;
    let sample = official::trace(language, size(row, "num_needles")?, &names, kind, index % repeats)?;
    Some(json!({"prompt": sample.prompt, "answer": sample.answer, "question_type": official::TRACES.get(kind)?}))
}

fn choice(row: &GoldenRow) -> Option<Value> {
    let (language, index) = (text(row, "language")?, whole(row, "index")?);
    let names = names("names.json", language)?;
    let rotation = usize::try_from(index % 4).ok()?;
    let choice = official::choice(language, size(row, "num_needles")?, &names, index / 4, rotation)?;
    Some(json!({"question": choice.question, "options": choice.options, "answer": choice.answer}))
}

fn json_lines(file: &str) -> Option<Vec<Value>> {
    let lines = INPUTS.as_ref()?.files.get(file)?.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).ok()).collect()
}

fn needles(file: &str) -> Option<Vec<OfficialNeedle>> {
    json_lines(file)?.into_iter().map(|line| serde_json::from_value(line).ok()).collect()
}

fn names(file: &str, language: &str) -> Option<Vec<String>> {
    let names: BTreeMap<String, String> = serde_json::from_str(INPUTS.as_ref()?.files.get(file)?).ok()?;
    Some(names.get(language)?.split(',').map(str::to_owned).collect())
}

fn text<'a>(row: &'a GoldenRow, name: &str) -> Option<&'a str> {
    row.reference.get(name)?.as_str()
}

fn whole(row: &GoldenRow, name: &str) -> Option<u64> {
    row.reference.get(name)?.as_u64()
}

fn size(row: &GoldenRow, name: &str) -> Option<usize> {
    usize::try_from(whole(row, name)?).ok()
}

fn number(row: &GoldenRow, name: &str) -> Option<f64> {
    row.reference.get(name)?.as_f64()
}
