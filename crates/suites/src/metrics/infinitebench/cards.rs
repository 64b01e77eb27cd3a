//! What the twelve imported tasks declare.

use serde::Serialize;

use crate::card::Language;

/// A task whose answers are imported from prediction files instead of being generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImportedTask {
    /// Task slug on boards, e.g. `infinitebench_passkey`.
    pub slug: &'static str,
    /// Name in upstream file names, e.g. `passkey`.
    pub name: &'static str,
    /// Title, as in the paper's table.
    pub title: &'static str,
    /// Metric slug.
    pub metric: &'static str,
    /// Language.
    pub language: Language,
    /// Samples of the full task, as `usize` counted in the published data.
    pub samples: u32,
}

impl ImportedTask {
    /// Paper and code version.
    #[must_use]
    pub const fn citation(&self) -> &'static str {
        "Zhang et al. 2024, arXiv 2402.13718; OpenBMB/InfiniteBench @ 88b3daa6"
    }

    /// Licence of code and predictions.
    #[must_use]
    pub const fn licence(&self) -> &'static str {
        "MIT (code and published predictions); the scorer here is our own"
    }
}

macro_rules! task {
    ($name:literal, $title:literal, $language:ident, $samples:literal) => {
        ImportedTask {
            slug: concat!("infinitebench_", $name),
            name: $name,
            title: $title,
            metric: concat!("infinitebench.", $name),
            language: Language::$language,
            samples: $samples,
        }
    };
}

/// The twelve tasks in the order of the paper's table.
pub const TASKS: [ImportedTask; 12] = [
    task!("passkey", "Retrieve.PassKey", English, 590),
    task!("number_string", "Retrieve.Number", English, 590),
    task!("kv_retrieval", "Retrieve.KV", English, 500),
    task!("longbook_sum_eng", "En.Sum", English, 103),
    task!("longbook_qa_eng", "En.QA", English, 351),
    task!("longbook_choice_eng", "En.MC", English, 229),
    task!("longdialogue_qa_eng", "En.Dia", English, 200),
    task!("longbook_qa_chn", "Zh.QA", Chinese, 189),
    task!("code_debug", "Code.Debug", English, 394),
    task!("code_run", "Code.Run", English, 400),
    task!("math_calc", "Math.Calc", English, 50),
    task!("math_find", "Math.Find", English, 350),
];

/// The task with this slug or upstream name.
#[must_use]
pub fn task(name: &str) -> Option<&'static ImportedTask> {
    TASKS.iter().find(|task| task.slug == name || task.name == name)
}
