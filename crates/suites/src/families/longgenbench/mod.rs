//! LongGenBench (arXiv 2410.04199): many questions at once, all answered in one long answer. Questions are our own.

mod mmlu;
mod questions;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longgenbench::{self, Kind};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// Arithmetic or four-option questions, as many as the length holds.
pub struct LongGenBench;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "subject",
    help: "What is asked",
    kind: ParameterKind::Choice { options: &["arithmetic", "choice"], default: "arithmetic" },
}];

/// Worked examples before the questions; the questions are numbered on from them, as in the benchmark.
const SHOTS: usize = 2;
/// Fewest tokens of an answer's share of the length.
const OUTPUT_TOKENS: u32 = 256;
/// Tokens that an answer may take: a line of working for arithmetic, a letter for a choice.
const fn answer_tokens(kind: Kind) -> u32 {
    match kind {
        Kind::Number => 72,
        Kind::Letter => 16,
    }
}

impl Family for LongGenBench {
    fn slug(&self) -> &'static str {
        "longgenbench"
    }

    fn title(&self) -> &'static str {
        "LongGenBench: many questions in one answer"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = kind(params);
        Card {
            benchmark: "LongGenBench",
            what: "Answer many unrelated questions one after the other in one answer. Their number grows with the length; \
                   accuracy is also read by tenths of the position."
                .to_owned(),
            citation: "Liu et al. 2024, LongGenBench, arXiv 2410.04199; code Dominic789654/LongGenBench @ 98458646",
            licence: "official code without a licence; questions and prompt here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::AnswerTokens,
            tokenizer: "none: the paper counts questions",
            abilities: &["generation", "reasoning"],
            diffusion: Diffusion::Low,
            scope: Scope::Wide,
            random_guess: if kind == Kind::Letter { 0.25 } else { 0.0 },
            output_tokens: OUTPUT_TOKENS,
            metric: match kind {
                Kind::Number => "longgenbench.gsm8k_response_split",
                Kind::Letter => "longgenbench.mmlu_by_position",
            },
            strict_metric: Some("longgenbench.by_index.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol {
                post_processing: "official: cut at empty lines and matched by position; strict: by the answer's number",
                ..Protocol::GENERATED
            },
            importable: (kind == Kind::Letter).then_some("MMLU test files (hendrycks/test), MIT"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let kind = kind(&task.definition().params);
        let mut rng = prose::stream(task, request);
        let mut prompt = Prompt::default();
        prompt.push(head(kind));
        write_shots(&mut prompt, kind, &mut rng);
        prompt.push("\nNow the questions.\n\n");
        let limit = request.length.tokens();
        let mut references = Vec::new();
        let mut seen = std::collections::HashSet::new();
        loop {
            let question = questions::ask(kind, &mut rng);
            let text = format!("Question_{}: {}\n", SHOTS + 1 + references.len(), question.text);
            let asked = u32::try_from(references.len()).unwrap_or(u32::MAX).saturating_add(1);
            let room = asked.saturating_mul(answer_tokens(kind)).max(OUTPUT_TOKENS);
            // The tail and the joints cost less than 64 tokens.
            if prompt.tokens() + prompt.count(&text) + 64 + room > limit {
                break;
            }
            if seen.insert(question.text) {
                prompt.push_needle(text.trim_end());
                prompt.push("\n");
                references.push(question.answer);
            }
        }
        if references.is_empty() {
            return Err(prose::unsatisfiable(task, request, "not even one question fits"));
        }
        prompt.push(&tail(references.len()));
        let output_tokens = Some(limit.saturating_sub(prompt.tokens()));
        Ok(prompt.finish(task, request, Answer { references, output_tokens, ..Answer::default() }))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug: &str, title: &str, subject: &str| {
            TaskDefinition::generated(self.slug(), slug, title, json!({ "subject": subject }))
        };
        vec![
            task("longgenbench_arithmetic", "Many sums in one answer", "arithmetic"),
            task("longgenbench_choice", "Many four-option questions in one answer", "choice"),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let kind = kind(params);
        let read = longgenbench::by_index(answer, &item.references, first(item), kind);
        let score = match kind {
            Kind::Letter => longgenbench::mmlu_by_position(answer, &item.references),
            Kind::Number => {
                let split = longgenbench::gsm8k_response_split(answer, &item.references);
                split.right as f64 / split.scored.max(1) as f64
            }
        };
        let deciles: Vec<String> = read.deciles().iter().map(|share| format!("{share:.2}")).collect();
        Scored {
            score,
            strict: Some(read.accuracy()),
            extracted: format!("answered {:.0} %; by tenths {}", 100.0 * read.answered(), deciles.join(" ")),
            well_formed: read.answered() > 0.0,
        }
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        let kind = kind(&task.definition().params);
        written(first(item), item.references.iter().map(|answer| sentence(kind, answer)))
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let kind = kind(&task.definition().params);
        let guesses: Vec<String> = item
            .references
            .iter()
            .map(|_| match kind {
                Kind::Number => sentence(kind, &rng.between(100, 9_999).to_string()),
                Kind::Letter => sentence(kind, rng.choose(&["A", "B", "C", "D"]).copied().unwrap_or_default()),
            })
            .collect();
        written(first(item), guesses.into_iter())
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&mmlu::Mmlu)
    }
}

fn kind(params: &Params) -> Kind {
    if choice(params, "subject") == "choice" { Kind::Letter } else { Kind::Number }
}

/// Number of the first question: 1 where the items are single records.
fn first(item: &Item) -> usize {
    if item.gold.get("single").is_some() { 1 } else { SHOTS + 1 }
}

fn head(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => {
            "You will get a list of numbered word problems. Solve all of them in order, in one reply. For each problem \
             write a line `Answer_` with its number and a colon, on the next line a short working that ends with the \
             result as a number, and then an empty line.\n\n"
        }
        Kind::Letter => {
            "You will get a list of numbered questions with four options each. Answer all of them in order, in one \
             reply. For each question write a line `Answer_` with its number and a colon, on the next line the letter \
             of the right option, and then an empty line.\n\n"
        }
    }
}

fn tail(count: usize) -> String {
    let (first, last) = (SHOTS + 1, SHOTS + count);
    format!(
        "\nAnswer every question from Question_{first} to Question_{last}, none left out. Begin with Answer_{first}:"
    )
}

fn write_shots(prompt: &mut Prompt, kind: Kind, rng: &mut Rng) {
    let shots: Vec<questions::Question> = (0..SHOTS).map(|_| questions::ask(kind, rng)).collect();
    prompt.push("Two examples.\n\n");
    for (shot, number) in shots.iter().zip(1..) {
        prompt.push(&format!("Question_{number}: {}\n", shot.text));
    }
    prompt.push("\n");
    prompt.push(&written(1, shots.iter().map(|shot| sentence(kind, &shot.answer))));
}

fn sentence(kind: Kind, answer: &str) -> String {
    match kind {
        Kind::Number => format!("The result is {answer}"),
        Kind::Letter => answer.to_owned(),
    }
}

fn written(first: usize, answers: impl Iterator<Item = String>) -> String {
    answers.zip(first..).map(|(answer, number)| format!("Answer_{number}:\n{answer}\n\n")).collect()
}
