//! What the twelve imported tasks declare.

use crate::card::Language;
use crate::predictions::ImportedTask;

macro_rules! task {
    ($name:literal, $title:literal, $language:ident, $samples:literal) => {
        ImportedTask {
            slug: concat!("infinitebench_", $name),
            name: $name,
            title: $title,
            metric: concat!("infinitebench.", $name),
            language: Language::$language,
            samples: $samples,
            suite: "infinitebench",
            citation: "Zhang et al. 2024, arXiv 2402.13718; OpenBMB/InfiniteBench @ 88b3daa6",
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
