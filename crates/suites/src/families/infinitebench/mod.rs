//! InfiniteBench (arXiv 2402.13718): the twelve tasks in their shapes, on our own books, scripts, code and numbers.

pub(super) mod book;
pub(super) mod code;
mod dataset;
mod dialogue;
mod math;
mod retrieve;

use serde_json::{Value, json};

use crate::card::{Card, Dialogue, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::infinitebench as metric;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// Twelve tasks over very long inputs.
pub struct InfiniteBench;

const NAMES: [&str; 12] = [
    "passkey",
    "number_string",
    "kv_retrieval",
    "longbook_sum_eng",
    "longbook_qa_eng",
    "longbook_choice_eng",
    "longdialogue_qa_eng",
    "longbook_qa_chn",
    "code_debug",
    "code_run",
    "math_calc",
    "math_find",
];

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "task",
    help: "Which of the twelve",
    kind: ParameterKind::Choice { options: &NAMES, default: "passkey" },
}];

/// What the tasks declare differently: sentence, abilities, diffusion, scope, tokens of an answer, shortest length.
type Facts = (&'static str, &'static [&'static str], Diffusion, Scope, u32, u32);

fn facts(name: &str) -> Facts {
    use Diffusion::{High, Low, Medium};
    use Scope::{Narrow, Several, Wide};
    match name {
        "number_string" => ("Find a ten-digit number in noise.", &["retrieval"], Low, Narrow, 64, 1024),
        "kv_retrieval" => ("Find the value of a key in a large JSON object.", &["retrieval"], Medium, Narrow, 96, 4096),
        "longbook_sum_eng" => {
            ("Sum up a chronicle, one line for each town.", &["summarization", "aggregation"], High, Wide, 256, 2048)
        }
        "longbook_qa_eng" | "longbook_qa_chn" => {
            ("Answer a question about a chronicle.", &["semantic retrieval"], Medium, Narrow, 64, 1024)
        }
        "longbook_choice_eng" => {
            ("Choose the answer to a question about a chronicle.", &["semantic retrieval"], Medium, Narrow, 64, 1024)
        }
        "longdialogue_qa_eng" => (
            "Find out whose name is masked in a long conversation.",
            &["dialogue", "reasoning"],
            Medium,
            Several,
            64,
            2048,
        ),
        "code_debug" => ("Find the one function of many that cannot work.", &["code"], Medium, Narrow, 64, 4096),
        "code_run" => ("Follow calls through many small functions.", &["code", "reasoning"], Medium, Several, 64, 2048),
        "math_calc" => ("Add and subtract a long row, writing every result.", &["reasoning"], High, Wide, 256, 1024),
        "math_find" => ("Find a number of a certain rank in a long list.", &["aggregation"], High, Wide, 64, 1024),
        _ => ("Find a pass key in noise.", &["retrieval"], Low, Narrow, 64, 1024),
    }
}

impl Family for InfiniteBench {
    fn slug(&self) -> &'static str {
        "infinitebench"
    }

    fn title(&self) -> &'static str {
        "InfiniteBench"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let name = choice(params, "task");
        let (what, abilities, diffusion, scope, output_tokens, min_tokens) = facts(name);
        let official = metric::task(name);
        Card {
            benchmark: "InfiniteBench",
            what: what.to_owned(),
            citation: "Zhang et al. 2024, arXiv 2402.13718; code OpenBMB/InfiniteBench @ 88b3daa6 (MIT)",
            licence: "official code and data MIT; books, scripts, code, numbers and prompts here are Longboard's own",
            language: official.map_or(Language::English, |official| official.language),
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own; official inputs have 100k tokens and more",
            abilities,
            diffusion,
            scope,
            random_guess: if has_options(name) { 0.25 } else { 0.0 },
            output_tokens,
            metric: official.map_or("infinitebench.passkey", |official| official.metric),
            strict_metric: match name {
                "kv_retrieval" => Some("infinitebench.kv_retrieval.strict"),
                "longdialogue_qa_eng" => Some("infinitebench.longdialogue_qa_eng.strict"),
                _ => None,
            },
            min_tokens,
            open_ended: false,
            protocol: Protocol {
                dialogue: Dialogue::Chat,
                truncation: Side::Middle,
                truncation_unit: "tokens of the model",
                stop: &[],
                post_processing: "first number, first letter or last word, by task",
            },
            importable: Some("InfiniteBench data files (xinrongzhang2022/InfiniteBench), MIT"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let name = choice(&task.definition().params, "task");
        let rng = prose::stream(task, request);
        match name {
            "kv_retrieval" => Ok(retrieve::pairs(task, request, rng)),
            "longbook_sum_eng" => book::summary(task, request, rng),
            "longbook_qa_eng" | "longbook_qa_chn" | "longbook_choice_eng" => book::question(task, request, rng),
            "longdialogue_qa_eng" => Ok(dialogue::masked(task, request, rng)),
            "code_debug" => Ok(code::debug(task, request, rng)),
            "code_run" => Ok(code::run(task, request, rng)),
            "math_calc" => Ok(math::calc(task, request, rng)),
            "math_find" => Ok(math::find(task, request, rng)),
            _ => retrieve::number(task, request, rng),
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        metric::TASKS
            .iter()
            .map(|official| {
                // The plain slugs name the imported prediction files.
                let slug = format!("{}_made", official.slug);
                let title = format!("{}, made", official.title);
                TaskDefinition::generated(self.slug(), &slug, &title, json!({ "task": official.name }))
            })
            .collect()
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let name = choice(params, "task");
        let label = item.gold.get("label").unwrap_or(&Value::Null);
        let score = metric::score(name, answer, label, "").flatten().unwrap_or_default();
        Scored {
            score,
            strict: metric::strict(name, answer, label),
            extracted: metric::extracted(name, answer),
            well_formed: !answer.trim().is_empty(),
        }
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        let answer = item.references.first().cloned().unwrap_or_default();
        match choice(&task.definition().params, "task") {
            "code_debug" => format!("{}. {answer}", letter(item)),
            "longbook_choice_eng" => letter(item).to_owned(),
            _ => answer,
        }
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let names = |rng: &mut Rng, language| super::kinship::names(language, rng, 1).concat();
        match choice(&task.definition().params, "task") {
            "passkey" => rng.between(10_000, 99_999).to_string(),
            "number_string" => rng.between(1_000_000_000, 9_999_999_999).to_string(),
            "kv_retrieval" => super::words::uuid(rng),
            "longbook_qa_chn" => names(rng, Language::Chinese),
            "longbook_qa_eng" => names(rng, Language::English),
            "longbook_sum_eng" => super::words::made_up(rng, 12).join(" "),
            "longbook_choice_eng" => rng.choose(&["A", "B", "C", "D"]).copied().unwrap_or_default().to_owned(),
            "code_debug" => format!("{}. ", rng.choose(&["A", "B", "C", "D"]).copied().unwrap_or_default()),
            "longdialogue_qa_eng" => super::words::made_up(rng, 1).concat().to_uppercase(),
            "math_calc" => (0..item.references.len().max(9))
                .map(|_| rng.between(1, 999).to_string())
                .collect::<Vec<_>>()
                .join(", "),
            _ => rng.between(1, 999_999).to_string(),
        }
    }

    fn quotes_answers(&self, params: &Params) -> bool {
        matches!(choice(params, "task"), "passkey" | "number_string" | "kv_retrieval")
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }
}

fn has_options(name: &str) -> bool {
    matches!(name, "longbook_choice_eng" | "code_debug")
}

/// The right letter: the second part of the label.
fn letter(item: &Item) -> &str {
    item.gold.get("label").and_then(|label| label.get(1)?.as_str()).unwrap_or_default()
}

/// Four options in random order, listed with letters, and the letter of the first one given.
fn lettered(mut options: Vec<String>, rng: &mut Rng) -> (String, &'static str) {
    let right = options.first().cloned();
    rng.shuffle(&mut options);
    let letters = ["A", "B", "C", "D"];
    let letter =
        options.iter().zip(letters).find_map(|(option, letter)| (Some(option) == right.as_ref()).then_some(letter));
    let lines: Vec<String> =
        options.iter().zip(letters).map(|(option, letter)| format!("{letter}. {option}")).collect();
    (lines.join("\n"), letter.unwrap_or("A"))
}
