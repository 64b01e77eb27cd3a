//! The task families, one file per family.

use std::sync::LazyLock;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::item::{Item, Scored};
use crate::metrics;
use crate::task::{Family, Parameter, ParameterKind, Params, Task, choice};

mod ada_leval_bestanswer;
mod ada_leval_files;
mod ada_leval_tsort;
mod arled;
mod book;
mod book_question;
mod classification;
mod cnnsum;
mod coliee_legal;
mod concept_graph;
pub mod concept_map;
mod concepts;
mod detectiveqa;
mod followir;
mod golden_thread;
mod grid;
mod helmet_files;
mod helmet_recall;
mod helmet_rerank;
mod holobench;
mod infinitebench;
mod kg_extraction;
mod kin_question;
mod kinship;
mod l_citeeval;
mod lcfo;
mod leval;
mod lines;
mod locov1;
mod long_clip;
mod long_span_qa;
mod long_tail;
mod longbench;
mod longbench_v2;
mod longembed;
mod longfact;
mod longgenbench;
mod longicl;
mod longins;
mod longmemeval;
mod longproc;
mod loogle;
mod m4le;
mod m_longdoc;
mod mrcr;
mod needle_threading;
mod needlebench;
mod needlebench_atc;
mod needlebench_choice;
pub(crate) mod needlebench_official;
mod newswire;
mod newswire_records;
mod nolima;
mod official;
mod official_search;
mod planted_writing;
mod prose;
mod requirement;
mod ruler_cwe;
mod ruler_fwe;
mod ruler_niah;
mod ruler_qa;
mod ruler_vt;
mod saga;
mod scholar;
mod sea_codesearch;
mod searched;
mod sener;
mod span_question;
mod topicseg;
mod volume;
mod weave;
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
        protocol: Protocol::GENERATED,
        importable: None,
    }
}

/// What the cards of Ada-LEval's tasks share.
fn ada_leval_card() -> Card {
    Card {
        benchmark: "Ada-LEval",
        what: String::new(),
        citation: "Wang et al. 2024, Ada-LEval, arXiv 2404.06480; code open-compass/Ada-LEval @ 2154258d (no licence stated)",
        licence: "official data without licence; texts and questions here are Longboard's own",
        language: Language::English,
        length_unit: LengthUnit::Cl100kTokens,
        tokenizer: "cl100k_base",
        abilities: &["reasoning"],
        diffusion: Diffusion::Medium,
        scope: Scope::Wide,
        random_guess: 0.0,
        output_tokens: 32,
        metric: "ada_leval.tsort_accuracy",
        strict_metric: None,
        min_tokens: 1024,
        open_ended: false,
        protocol: Protocol::GENERATED,
        importable: Some("no licence stated: for private use only"),
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
        &holobench::HoloBench,
        &longins::LongIns,
        &longicl::LongIcl,
        &ada_leval_tsort::AdaLevalTsort,
        &ada_leval_bestanswer::AdaLevalBestAnswer,
        &longmemeval::LongMemEval,
        &needlebench_choice::NeedleBenchChoice,
        &leval::LEval,
        &loogle::LooGle,
        &l_citeeval::LCiteEval,
        &long_tail::LongTail,
        &detectiveqa::DetectiveQa,
        &helmet_recall::HelmetRecall,
        &helmet_rerank::HelmetRerank,
        &ruler_qa::RulerQa,
        &longgenbench::LongGenBench,
        &golden_thread::GoldenThread,
        &infinitebench::InfiniteBench,
        &longfact::LongFact,
        &longproc::LongProc,
        &cnnsum::CnnSum,
        &arled::Arled,
        &lcfo::Lcfo,
        &m4le::M4le,
        &nolima::NoLiMa,
        &grid::Grid,
        &classification::Classification,
        &longbench::LongBench,
        &longbench_v2::LongBenchV2,
        &mrcr::Mrcr,
        &longembed::LongEmbed,
        &locov1::LocoV1,
        &followir::FollowIr,
        &long_clip::LongClip,
        &long_clip::LongClipPictures,
        &sea_codesearch::SeaCodeSearch,
        &coliee_legal::ColieeLegal,
        &newswire::Newswire,
        &newswire::Headlines,
        &topicseg::TopicSegmentation,
        &sener::SeNer,
        &newswire_records::NewswireRecords,
        &concept_graph::ConceptGraph,
        &kg_extraction::KgExtraction,
        &m_longdoc::MLongDoc,
        &m_longdoc::MLongDocRetrieved,
        &m_longdoc::MLongDocPages,
    ]
}

/// The family called `slug`.
#[must_use]
pub fn find(slug: &str) -> Option<&'static dyn Family> {
    all().iter().copied().find(|family| family.slug() == slug)
}

/// The built-in tasks, family by family.
pub(crate) fn builtin_tasks() -> &'static [Task] {
    static TASKS: LazyLock<Vec<Task>> = LazyLock::new(|| {
        all().iter().flat_map(|family| family.tasks()).filter_map(|definition| Task::new(definition).ok()).collect()
    });
    &TASKS
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

/// The first reference in a box.
fn in_box(item: &Item) -> String {
    format!("\\boxed{{{}}}", item.references.first().map_or("", String::as_str))
}
