//! The task families, one file per family.

use std::sync::LazyLock;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Scope};
use crate::item::{Item, Scored};
use crate::metrics;
use crate::task::{Family, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

mod kinship;
mod long_span_qa;
mod needle_threading;
mod needlebench;
mod needlebench_atc;
mod planted_writing;
mod prose;
mod requirement;
mod ruler_cwe;
mod ruler_fwe;
mod ruler_niah;
mod ruler_vt;
mod span_question;
mod words;

const RULER: &str = "Hsieh et al. 2024, RULER, arXiv 2404.06654; code NVIDIA/RULER @ c3f5e3b4 (Apache-2.0)";
const NEEDLEBENCH: &str =
    "Li et al. 2024, NeedleBench, arXiv 2407.11963; code open-compass/opencompass @ a5acc4bb (Apache-2.0)";

/// What the cards of RULER's tasks share.
fn ruler_card() -> Card {
    Card {
        benchmark: "RULER",
        what: String::new(),
        citation: RULER,
        licence: "official code Apache-2.0; prompts, words and haystacks here are Longboard's own",
        language: Language::English,
        length_unit: LengthUnit::ModelTokens,
        tokenizer: "the model's own",
        abilities: &["retrieval"],
        diffusion: Diffusion::Low,
        scope: Scope::Narrow,
        random_guess: 0.0,
        output_tokens: 128,
        metric: "ruler.string_match_all",
        strict_metric: Some("ruler.string_match_all.strict"),
        min_tokens: 1024,
        open_ended: false,
    }
}

/// The language parameter of families that exist in both.
const LANGUAGE: Parameter = Parameter {
    name: "language",
    help: "Language of prompt and haystack",
    kind: ParameterKind::Choice { options: &["en", "zh"], default: "en" },
};

/// All families, in the order of lists and forms.
#[must_use]
pub fn all() -> &'static [&'static dyn Family] {
    &[
        &ruler_niah::RulerNiah,
        &ruler_vt::RulerVt,
        &ruler_cwe::RulerCwe,
        &ruler_fwe::RulerFwe,
        &needle_threading::NeedleThreading,
        &needlebench::NeedleBench,
        &needlebench_atc::NeedleBenchAtc,
        &long_span_qa::LongSpanQa,
        &planted_writing::PlantedWriting,
    ]
}

/// The family called `slug`.
#[must_use]
pub fn find(slug: &str) -> Option<&'static dyn Family> {
    all().iter().copied().find(|family| family.slug() == slug)
}

/// The built-in tasks.
pub(crate) fn builtin_tasks() -> &'static [Task] {
    static TASKS: LazyLock<Vec<Task>> =
        LazyLock::new(|| definitions().into_iter().filter_map(|definition| Task::new(definition).ok()).collect());
    &TASKS
}

/// The definitions behind the built-in tasks. Never change one whose version is published: add a version.
fn definitions() -> Vec<TaskDefinition> {
    let niah = |slug, title, params| (slug, title, "ruler_niah", params);
    let threading = |slug, title, kind: &str| (slug, title, "needle_threading", json!({ "kind": kind }));
    let bench = |slug, title, kind: &str, language: &str| {
        (slug, title, "needlebench", json!({ "kind": kind, "language": language }))
    };
    [
        niah("niah_single_1", "One needle in noise", json!({ "haystack": "noise" })),
        niah("niah_single_2", "One needle in prose", json!({})),
        niah("niah_single_3", "One identifier in prose", json!({ "value": "uuid" })),
        niah("niah_multikey_1", "One needle among four", json!({ "keys": 4 })),
        niah("niah_multikey_2", "One needle in a haystack of needles", json!({ "haystack": "needles" })),
        niah(
            "niah_multikey_3",
            "One identifier in a haystack of identifiers",
            json!({ "haystack": "needles", "key": "uuid", "value": "uuid" }),
        ),
        niah("niah_multivalue", "Four values of one key", json!({ "values": 4 })),
        niah("niah_multiquery", "Four keys at once", json!({ "queries": 4 })),
        ("vt", "Variable tracking", "ruler_vt", json!({})),
        ("cwe", "Common words", "ruler_cwe", json!({})),
        ("fwe", "Frequent words", "ruler_fwe", json!({})),
        threading("needle_threading_single", "One pair", "single"),
        threading("needle_threading_multiple", "Several pairs", "multiple"),
        threading("needle_threading_conditional", "Pairs with a marked key", "conditional"),
        threading("needle_threading_threading", "A thread of pairs", "threading"),
        threading("needle_threading_multi_threading", "Several threads", "multi_threading"),
        threading("needle_threading_branched", "A branching thread", "branched"),
        (
            "needle_threading_three",
            "A thread of three pairs, with room to write the way down",
            "needle_threading",
            json!({ "kind": "threading", "steps": 3, "answer": 192 }),
        ),
        bench("needlebench_srt_en", "Single retrieval, English", "srt", "en"),
        bench("needlebench_srt_zh", "Single retrieval, Chinese", "srt", "zh"),
        bench("needlebench_mrt_en", "Multiple retrieval, English", "mrt", "en"),
        bench("needlebench_mrt_zh", "Multiple retrieval, Chinese", "mrt", "zh"),
        bench("needlebench_mrs_en", "Multi-step reasoning, English", "mrs", "en"),
        bench("needlebench_mrs_zh", "Multi-step reasoning, Chinese", "mrs", "zh"),
        ("needlebench_atc_en", "Ancestral trace, English", "needlebench_atc", json!({ "language": "en" })),
        ("needlebench_atc_zh", "Ancestral trace, Chinese", "needlebench_atc", json!({ "language": "zh" })),
        ("long_span_qa", "Questions over the whole annals", "long_span_qa", json!({})),
        ("planted_writing", "A report to scattered notes", "planted_writing", json!({})),
    ]
    .into_iter()
    .map(|(slug, title, family, params)| TaskDefinition {
        slug: slug.to_owned(),
        version: 1,
        title: title.to_owned(),
        family: family.to_owned(),
        params: params.as_object().cloned().unwrap_or_default(),
    })
    .collect()
}

fn language(params: &Params) -> Language {
    if choice(params, "language") == "zh" { Language::Chinese } else { Language::English }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// RULER's score: the share of references contained in the answer.
fn all_contained(item: &Item, answer: &str) -> Scored {
    Scored {
        score: metrics::ruler::string_match_all(answer, &item.references),
        strict: Some(metrics::ruler::string_match_all_strict(answer, &item.references)),
        extracted: metrics::ruler::postprocess(answer).chars().take(200).collect(),
        well_formed: !answer.trim().is_empty(),
    }
}

/// NeedleBench's boxed answer.
fn boxed(answer: &str, reference: &str) -> Scored {
    let found = metrics::needlebench::extract_boxed(answer);
    Scored {
        score: metrics::needlebench::boxed(answer, reference),
        strict: None,
        well_formed: found.is_some(),
        extracted: found.unwrap_or_default(),
    }
}
