//! The 21 data sets as the paper and its configuration describe them.

use crate::card::{Diffusion, Language, Scope};
use crate::metrics::longbench::Rule;
use crate::task::{Params, choice};

/// Groups of the paper's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Questions about one document.
    SingleDocument,
    /// Questions about many documents.
    MultiDocument,
    /// Summaries.
    Summary,
    /// Worked examples before the question.
    FewShot,
    /// Made for the benchmark.
    Synthetic,
    /// The next line.
    Code,
}

/// A data set.
#[derive(Debug, Clone, Copy)]
pub struct DataSet {
    /// Official name, e.g. `2wikimqa`.
    pub name: &'static str,
    /// Title of the generated task.
    pub title: &'static str,
    /// Group.
    pub group: Group,
    /// Language; English for code.
    pub language: Language,
    /// `config/dataset2maxlen.json` of THUDM/LongBench @ 2e00731f (MIT): most new tokens.
    pub output_tokens: u32,
    /// Shortest length of the generated task in canonical tokens.
    pub min_tokens: u32,
}

const fn english(
    name: &'static str,
    group: Group,
    output_tokens: u32,
    min_tokens: u32,
    title: &'static str,
) -> DataSet {
    DataSet { name, title, group, language: Language::English, output_tokens, min_tokens }
}

const fn chinese(
    name: &'static str,
    group: Group,
    output_tokens: u32,
    min_tokens: u32,
    title: &'static str,
) -> DataSet {
    DataSet { name, title, group, language: Language::Chinese, output_tokens, min_tokens }
}

/// All of them, in the order of the paper's table.
pub static DATA_SETS: [DataSet; 21] = [
    english("narrativeqa", Group::SingleDocument, 128, 4096, "A story, two sentences apart"),
    english("qasper", Group::SingleDocument, 128, 2048, "A document that may not say"),
    english("multifieldqa_en", Group::SingleDocument, 64, 1024, "One document"),
    chinese("multifieldqa_zh", Group::SingleDocument, 64, 1024, "One document, Chinese"),
    english("hotpotqa", Group::MultiDocument, 32, 4096, "Two of many passages"),
    english("2wikimqa", Group::MultiDocument, 32, 4096, "A parent in another passage"),
    english("musique", Group::MultiDocument, 32, 4096, "Three of many passages"),
    chinese("dureader", Group::MultiDocument, 128, 4096, "Two of many passages, Chinese"),
    english("gov_report", Group::Summary, 512, 4096, "A report by chapters"),
    english("qmsum", Group::Summary, 512, 4096, "A query about a meeting"),
    english("multi_news", Group::Summary, 512, 4096, "Several news passages"),
    chinese("vcsum", Group::Summary, 512, 4096, "A meeting, Chinese"),
    english("trec", Group::FewShot, 64, 2048, "Types of questions by example"),
    english("triviaqa", Group::FewShot, 32, 2048, "Passages with questions by example"),
    english("samsum", Group::FewShot, 128, 2048, "Summaries of dialogues by example"),
    chinese("lsht", Group::FewShot, 64, 4096, "Classes of news by example, Chinese"),
    english("passage_count", Group::Synthetic, 32, 4096, "How many different paragraphs"),
    english("passage_retrieval_en", Group::Synthetic, 32, 4096, "The paragraph of an abstract"),
    chinese("passage_retrieval_zh", Group::Synthetic, 32, 4096, "The paragraph of an abstract, Chinese"),
    english("lcc", Group::Code, 64, 2048, "The next line of a file"),
    english("repobench-p", Group::Code, 64, 2048, "The next line of a repository"),
];

/// The names, for the form.
pub const NAMES: [&str; 21] = [
    "narrativeqa",
    "qasper",
    "multifieldqa_en",
    "multifieldqa_zh",
    "hotpotqa",
    "2wikimqa",
    "musique",
    "dureader",
    "gov_report",
    "qmsum",
    "multi_news",
    "vcsum",
    "trec",
    "triviaqa",
    "samsum",
    "lsht",
    "passage_count",
    "passage_retrieval_en",
    "passage_retrieval_zh",
    "lcc",
    "repobench-p",
];

impl DataSet {
    /// The data set of checked parameters.
    pub fn of(params: &Params) -> &'static Self {
        let name = choice(params, "dataset");
        let [first, ..] = &DATA_SETS;
        DATA_SETS.iter().find(|known| known.name == name).unwrap_or(first)
    }

    /// How it is scored.
    pub fn rule(&self) -> Rule {
        Rule::of(self.name).unwrap_or(Rule::QaF1)
    }

    /// Slug of the generated task.
    pub fn slug(&self) -> String {
        format!("longbench_{}", self.name.replace('-', "_"))
    }

    /// Whether the official prompt is wrapped in the model's chat template.
    pub const fn is_chat(&self) -> bool {
        !matches!(self.group, Group::FewShot | Group::Code)
    }

    /// What it takes.
    pub fn abilities(&self) -> &'static [&'static str] {
        match (self.group, self.name) {
            (_, "passage_count") => &["aggregation", "counting"],
            (_, "qmsum") => &["aggregation", "summarization", "dialogue"],
            (Group::SingleDocument, _) => &["semantic retrieval"],
            (Group::MultiDocument, _) => &["semantic retrieval", "reasoning"],
            (Group::Summary, _) => &["aggregation", "summarization"],
            (Group::FewShot, _) => &["in-context learning"],
            (Group::Synthetic, _) => &["semantic retrieval"],
            (Group::Code, _) => &["code"],
        }
    }

    /// The two axes of difficulty.
    pub fn axes(&self) -> (Diffusion, Scope) {
        match (self.group, self.name) {
            (_, "passage_count") => (Diffusion::High, Scope::Wide),
            (_, "narrativeqa" | "triviaqa") => (Diffusion::Medium, Scope::Several),
            (Group::SingleDocument, _) => (Diffusion::Low, Scope::Narrow),
            (Group::MultiDocument, _) => (Diffusion::High, Scope::Several),
            (Group::Summary, _) => (Diffusion::High, Scope::Wide),
            (Group::FewShot, _) => (Diffusion::Low, Scope::Several),
            (Group::Synthetic, _) => (Diffusion::Medium, Scope::Narrow),
            (Group::Code, _) => (Diffusion::Low, Scope::Narrow),
        }
    }
}
