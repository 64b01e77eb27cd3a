//! LongIns (arXiv 2406.17588, section 3): an exam of many short questions, some of them answered wrongly.

mod dataset;
mod question;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::lines::{self, Lines};
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longins as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use question::{Kind, Maker};

/// Find the wrongly answered questions.
pub struct LongIns;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "mode",
    help: "gist: the instruction stands once; list: it is repeated in every entry; limt: it changes from entry to entry",
    kind: ParameterKind::Choice { options: &["gist", "list", "limt"], default: "gist" },
}];

/// What stands below the list.
const NOTE: &str = "\nBelow the last question the pupil wrote: Done at last.";

/// One question in so many is answered wrongly.
const ONE_WRONG_IN: usize = 10;

impl Family for LongIns {
    fn slug(&self) -> &'static str {
        "longins"
    }

    fn title(&self) -> &'static str {
        "LongIns exams with wrong answers"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let how = match choice(params, "mode") {
            "list" => "under the same instruction repeated in every entry",
            "limt" => "under instructions that change from entry to entry",
            _ => "under one instruction at the top",
        };
        Card {
            benchmark: "LongIns",
            what: format!(
                "Check a numbered list of answered questions {how} and name the numbers of the wrong ones, about one \
                 in ten. The longer the exam, the more there is to check. No exam is clean, because the official \
                 score gives nothing for one."
            ),
            citation: "Gavin et al. 2024, LongIns, arXiv 2406.17588; code Ins-Bench/LongIns-Bench (no licence stated)",
            licence: "official data without licence; questions, instructions and all prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "cl100k_base",
            abilities: &["reasoning", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 2.0 / (ONE_WRONG_IN as f64 + 1.0),
            output_tokens: 128,
            metric: "longins.error_index_f1",
            strict_metric: Some("longins.error_index_f1.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol {
                post_processing: "all numbers between square brackets; strictly those of the last pair of brackets",
                ..Protocol::GENERATED
            },
            importable: Some("no licence stated; tasks of Super-NaturalInstructions, each by its own terms"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let mode = choice(&task.definition().params, "mode");
        let kind = Kind::ALL.get(request.index as usize % Kind::ALL.len()).copied().unwrap_or(Kind::Sum);
        // A wrong number takes about three tokens, and one entry in ten has one.
        let output = task.card().output_tokens + request.length.tokens() / 40;
        let mut prompt = Prompt::default();
        prompt.push(&head(mode, kind));
        prompt.begin_document();
        let tail = "\n\nNow list the numbers of all wrongly answered questions inside one pair of square brackets, \
                    separated by commas, and nothing else.\nAnswer:";
        let frame = prompt.tokens() + prompt.count(NOTE) + prompt.count(tail) + 1;
        let budget = request.length.tokens().saturating_sub(output + frame);
        let mut lines = Lines::new(budget);
        let mut maker = Maker::new(request.seed, rng.clone());
        let (mut errors, mut misses) = (Vec::new(), 0);
        let mut due = rng.index(ONE_WRONG_IN.min(6));
        while misses < 24 {
            let number = lines.len() + 1;
            let kind = if mode == "limt" { *rng.choose(&Kind::ALL).unwrap_or(&kind) } else { kind };
            let wrong = number > due;
            let asked = maker.question(kind, wrong);
            let instruction = if mode == "gist" { String::new() } else { format!("{} ", kind.instruction()) };
            if !lines.offer(format!("[{number}] {instruction}{asked}")) {
                misses += 1;
            } else if wrong {
                errors.push(number);
                due = (number - 1) / ONE_WRONG_IN * ONE_WRONG_IN + ONE_WRONG_IN + rng.index(ONE_WRONG_IN);
            }
        }
        let count = lines.len();
        let closing = lines::remarks(lines.left(), &mut rng);
        for (line, number) in lines.finish().iter().zip(1..) {
            if errors.binary_search(&number).is_ok() {
                prompt.push_needle(line)
            } else {
                prompt.push(line)
            }
            prompt.push("\n");
        }
        prompt.push(NOTE);
        prompt.push(&closing);
        prompt.end_document();
        prompt.push(tail);
        let answer = Answer {
            references: vec![bracketed(&errors)],
            gold: json!({ "errors": errors, "questions": count }),
            output_tokens: Some(output),
            ..Answer::default()
        };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, mode| TaskDefinition::generated("longins", slug, title, json!({ "mode": mode }));
        vec![
            task("longins_gist", "Wrong answers under one instruction", "gist"),
            task("longins_list", "Wrong answers under a repeated instruction", "list"),
            task("longins_limt", "Wrong answers under changing instructions", "limt"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let errors = numbers(item);
        let lists = metric::bracketed(answer);
        Scored {
            score: metric::error_index_f1(answer, &errors),
            strict: Some(metric::error_index_f1_strict(answer, &errors)),
            well_formed: !lists.is_empty(),
            extracted: lists.join("; ").chars().take(200).collect(),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Exams)
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    /// Every number: the best that can be done blindly.
    fn guess(&self, _: &Task, item: &Item, _: &mut Rng) -> String {
        bracketed(&(1..=questions(item)).collect::<Vec<_>>())
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let wrong = numbers(item).len() as f64;
        2.0 * wrong / (questions(item) as f64 + wrong).max(1.0)
    }
}

fn numbers(item: &Item) -> Vec<u64> {
    let list = item.gold.get("errors").and_then(serde_json::Value::as_array);
    list.into_iter().flatten().filter_map(serde_json::Value::as_u64).collect()
}

fn questions(item: &Item) -> usize {
    item.gold.get("questions").and_then(serde_json::Value::as_u64).unwrap_or_default() as usize
}

fn bracketed(numbers: &[usize]) -> String {
    format!("[{}]", numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

fn head(mode: &str, kind: Kind) -> String {
    let role = "You are correcting an exam. A pupil answered every question of the numbered list below; most answers \
                are right, some are wrong. Facts that a question needs stand in the question itself.";
    match mode {
        "gist" => format!("{role}\nThe instruction for every question was: {}\n\nExam\n", kind.instruction()),
        _ => format!("{role}\n\nExam\n"),
    }
}
