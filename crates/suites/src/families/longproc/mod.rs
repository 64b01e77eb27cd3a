//! LongProc (arXiv 2501.05414): procedures whose every step is written out, over our own pages, maps, stories, numbers,
//! trips and programs. Steps that the official scorer compares keep its marks; the wording is ours.

mod countdown;
mod dataset;
mod interpreter;
mod page;
mod parser;
mod program;
mod route;
mod story;
mod trip;

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longproc::{self as metric, ProcedureScore, Test};
use crate::program::{Program, Ran};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// Field of an official item's gold: its programs are C++ in full, which a compiler reads.
const COMPILED: &str = "compiled";

/// Six procedures at three lengths of the answer.
pub struct LongProc;

const PROCEDURES: [&str; 6] =
    ["html_to_tsv", "path_traversal", "tom_tracking", "countdown", "travel_planning", "pseudo_to_code"];

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "procedure",
        help: "Which of the six",
        kind: ParameterKind::Choice { options: &PROCEDURES, default: "path_traversal" },
    },
    Parameter {
        name: "level",
        help: "Length of the answer",
        kind: ParameterKind::Choice { options: &["0.5k", "2k", "8k"], default: "0.5k" },
    },
];

/// Length of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Short,
    Middle,
    Long,
}

impl Level {
    fn of(params: &Params) -> Self {
        match choice(params, "level") {
            "8k" => Self::Long,
            "2k" => Self::Middle,
            _ => Self::Short,
        }
    }

    /// The benchmark's budget for new tokens.
    const fn output_tokens(self) -> u32 {
        match self {
            Self::Short => 1024,
            Self::Middle => 3072,
            Self::Long => 9216,
        }
    }

    /// Tokens of the reference answer, as measured on the official data.
    const fn answer_tokens(self) -> RangeInclusive<u32> {
        match self {
            Self::Short => 333..=511,
            Self::Middle => 1080..=2047,
            Self::Long => 4106..=8117,
        }
    }
}

impl Family for LongProc {
    fn slug(&self) -> &'static str {
        "longproc"
    }

    fn title(&self) -> &'static str {
        "LongProc"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let (procedure, level) = (choice(params, "procedure"), Level::of(params));
        let (what, abilities, metric, strict_metric) = facts(procedure);
        Card {
            benchmark: "LongProc",
            what: what.to_owned(),
            citation: "Ye et al. 2025, LongProc, arXiv 2501.05414; code princeton-pli/LongProc @ 78e873ae (Apache-2.0)",
            licence: "official code and data Apache-2.0; pages, maps, stories and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::AnswerTokens,
            tokenizer: "Llama-3; answers of about 500, 2,000 and 8,000 tokens",
            abilities,
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: level.output_tokens(),
            metric,
            strict_metric,
            min_tokens: match (procedure, level) {
                ("html_to_tsv" | "path_traversal", Level::Long) => 32_768,
                ("html_to_tsv", Level::Middle) | (_, Level::Long) => 16_384,
                (_, Level::Middle) => 8192,
                (_, Level::Short) => 4096,
            },
            open_ended: false,
            protocol: Protocol {
                truncation: Side::Right,
                truncation_unit: "tokens (official inputs are never cut)",
                post_processing: "the text between the required marks",
                ..Protocol::GENERATED
            },
            importable: Some("LongProc data files (princeton-pli/LongProc), Apache-2.0"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let (level, rng) = (Level::of(params), prose::stream(task, request));
        match choice(params, "procedure") {
            "html_to_tsv" => page::generate(task, request, level, rng),
            "tom_tracking" => story::generate(task, request, level, rng),
            "countdown" => countdown::generate(task, request, level, rng),
            "travel_planning" => trip::generate(task, request, level, rng),
            "pseudo_to_code" => program::generate(task, request, level, rng),
            _ => route::generate(task, request, level, rng),
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let levels = [("0.5k", "05k"), ("2k", "2k"), ("8k", "8k")];
        let exists = |procedure: &str, level: &str| {
            !matches!((procedure, level), ("travel_planning", "0.5k") | ("pseudo_to_code", "8k"))
        };
        let mut tasks = Vec::new();
        for procedure in PROCEDURES {
            for (level, short) in levels.into_iter().filter(|(level, _)| exists(procedure, level)) {
                tasks.push(TaskDefinition::generated(
                    self.slug(),
                    &format!("longproc_{procedure}_{short}"),
                    &format!("{}, {level}", title(procedure)),
                    json!({ "procedure": procedure, "level": level }),
                ));
            }
        }
        tasks
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let reference = item.references.first().map_or("", String::as_str);
        let text = |name: &str| item.gold.get(name).and_then(Value::as_str).unwrap_or_default();
        match choice(params, "procedure") {
            "html_to_tsv" => {
                let score = metric::html_to_tsv(answer, reference);
                Scored {
                    score: score.f1,
                    strict: Some(metric::html_to_tsv_strict(answer, reference)),
                    extracted: format!("precision {:.3}, recall {:.3}", score.precision, score.recall),
                    well_formed: score.extracted,
                }
            }
            "tom_tracking" => {
                let well_formed = answer.lines().any(|line| line.trim_start().starts_with('-'));
                Scored { well_formed, ..scored(metric::tom_tracking(answer, reference), None) }
            }
            "countdown" => {
                let numbers: Vec<i64> = item
                    .gold
                    .get("numbers")
                    .and_then(Value::as_array)
                    .map(|list| list.iter().filter_map(Value::as_i64).collect())
                    .unwrap_or_default();
                let target = item.gold.get("target").and_then(Value::as_i64).unwrap_or_default();
                scored(metric::countdown(answer, &numbers, target, text("trace")).0, None)
            }
            "travel_planning" => {
                let strict = metric::travel_planning_strict(answer, text("cities"), text("days"));
                scored(metric::travel_planning(answer, text("cities"), text("days"), text("trace")), Some(strict))
            }
            "pseudo_to_code" => {
                let tests: Vec<Test> = item
                    .gold
                    .get("tests")
                    .and_then(|tests| serde_json::from_value(tests.clone()).ok())
                    .unwrap_or_default();
                let outputs = metric::program(answer).and_then(|code| program::outputs(&code, &tests));
                let score = metric::pseudo_to_code(answer, outputs.as_deref(), &tests);
                Scored { well_formed: outputs.is_some(), ..scored(score, None) }
            }
            _ => scored(metric::path_traversal(answer, reference), None),
        }
    }

    fn writes_programs(&self, params: &Params) -> bool {
        choice(params, "procedure") == "pseudo_to_code"
    }

    fn program(&self, params: &Params, item: &Item, answer: &str) -> Option<Program> {
        let official = item.gold.get(COMPILED).is_some() && self.writes_programs(params);
        let tests = serde_json::from_value(item.gold.get("tests")?.clone()).ok()?;
        Some(Program { code: metric::program(answer).filter(|_| official)?, tests })
    }

    fn score_program(&self, _: &Params, item: &Item, answer: &str, ran: &Ran) -> Scored {
        let tests: Vec<Test> =
            item.gold.get("tests").and_then(|tests| serde_json::from_value(tests.clone()).ok()).unwrap_or_default();
        let score = metric::pseudo_to_code(answer, ran.outputs(), &tests);
        let extracted = match ran {
            Ran::NotCompiled => "does not compile".to_owned(),
            Ran::Printed(outputs) => {
                let tests = tests.get(..metric::TESTS).unwrap_or(&tests);
                let right = metric::right_count(outputs, tests);
                format!("compiles, {right} of {} outputs right", tests.len())
            }
        };
        Scored { score: score.accuracy, strict: None, extracted, well_formed: *ran != Ran::NotCompiled }
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        let reference = item.references.first().map_or("", String::as_str);
        let text = |name: &str| item.gold.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match choice(&task.definition().params, "procedure") {
            "html_to_tsv" => format!("```tsv\n{reference}\n```"),
            "countdown" | "travel_planning" => text("trace"),
            "pseudo_to_code" => {
                let official = item.gold.get(COMPILED).is_some();
                format!("```cpp\n{}\n```", if official { reference.to_owned() } else { text("code") })
            }
            "tom_tracking" => reference.to_owned(),
            _ => format!("<Route>\n{reference}\n</Route>"),
        }
    }

    fn guess(&self, task: &Task, _: &Item, rng: &mut Rng) -> String {
        let names = super::words::made_up(rng, 3);
        let [one, other, third] = names.as_slice() else { return String::new() };
        match choice(&task.definition().params, "procedure") {
            "html_to_tsv" => format!("```tsv\nname\ttown\tyear\n{one}\t{other}\t{}\n```", rng.between(600, 700)),
            "tom_tracking" => format!("- Step 0: {one} in {other}; {third}"),
            "countdown" => {
                let numbers: Vec<u64> = (0..3).map(|_| rng.between(1, 49)).collect();
                let lines: Vec<String> = numbers.iter().map(|one| format!("{one} + {one} = {}", 2 * one)).collect();
                format!("<Solution>\n{}\n</Solution>", lines.join("\n"))
            }
            "travel_planning" => format!(
                "<Plan>\n**Day 1-3:** {one}\n**Day 3:** Fly from {one} to {other}.\n**Day 3-6:** {other}\n</Plan>"
            ),
            "pseudo_to_code" => {
                format!("```cpp\nint main() {{\n    cout << {} << endl;\n}}\n```", rng.between(100_000, 900_000))
            }
            _ => format!("<Route>\nFrom {one}, take a bus to {other}.\n</Route>"),
        }
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }
}

/// Sentence, abilities, metric and strict metric of a procedure.
type Facts = (&'static str, &'static [&'static str], &'static str, Option<&'static str>);

fn facts(procedure: &str) -> Facts {
    match procedure {
        "html_to_tsv" => (
            "Write the wanted items of a long page as a table. Items that do not fit the condition fill the page.",
            &["generation", "retrieval", "structure"],
            "longproc.html_to_tsv",
            Some("longproc.html_to_tsv.strict"),
        ),
        "tom_tracking" => (
            "Follow step by step where a thing is and where somebody believes it to be; the steps stand scattered in a chronicle.",
            &["generation", "tracking"],
            "longproc.tom_tracking",
            None,
        ),
        "countdown" => (
            "Search for a way from four numbers to a target and write out the search; the numbers stand hidden in a chronicle.",
            &["generation", "reasoning"],
            "longproc.countdown",
            None,
        ),
        "travel_planning" => (
            "Search for a trip that keeps to all conditions and write out the search; the conditions stand scattered in a chronicle.",
            &["generation", "reasoning"],
            "longproc.travel_planning",
            Some("longproc.travel_planning.strict"),
        ),
        "pseudo_to_code" => (
            "Write a program line by line after its description, whose lines stand scattered in a chronicle. Programs keep to a \
             small part of C++ and run in an interpreter of Longboard's own with a bound on steps; programs for official records are \
             compiled and run by workers with a sandbox.",
            &["generation", "code"],
            "longproc.pseudo_to_code",
            None,
        ),
        _ => (
            "Write the only route between two cities step by step. Cities that lie elsewhere fill the length.",
            &["generation", "tracking"],
            "longproc.path_traversal",
            None,
        ),
    }
}

fn title(procedure: &str) -> &'static str {
    match procedure {
        "html_to_tsv" => "Page to table",
        "tom_tracking" => "Tracking a belief",
        "countdown" => "Countdown",
        "travel_planning" => "Planning a trip",
        "pseudo_to_code" => "Description to program",
        _ => "Following a route",
    }
}

fn scored(score: ProcedureScore, strict: Option<f64>) -> Scored {
    Scored {
        score: score.accuracy,
        strict,
        extracted: format!("right up to {:.3} of the steps", score.partial),
        well_formed: score.extracted,
    }
}

/// A made-up name of a place, one word.
fn capitalised(word: &str) -> String {
    let mut scalars = word.chars();
    scalars.next().map_or_else(String::new, |first| first.to_uppercase().chain(scalars).collect())
}

/// `needles` in order over the whole haystack, and a prompt around it.
fn scattered(
    task: &Task,
    request: &ItemRequest<'_>,
    rng: &mut Rng,
    parts: [String; 2],
    needles: Vec<String>,
    answer: crate::prompt::Answer,
) -> Result<Item, GenerateError> {
    let share = 1.0 / needles.len().max(1) as f64;
    let needles = needles.into_iter().enumerate();
    let needles = needles.map(|(place, text)| ((place as f64 + rng.unit()) * share, text)).collect();
    let [head, tail] = parts;
    let plan = prose::Plan { language: Language::English, head, tail, needles, answer };
    let mut source = prose::running(request, Language::English, rng.next_u64());
    prose::assemble(task, request, plan, &mut source)
}
