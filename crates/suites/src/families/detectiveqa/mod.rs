//! DetectiveQA (arXiv 2409.02465): who did it, and by which steps one knows.
//!
//! The official novels are in copyright; here a theft is told in sentences strewn over the chronicle. Of four suspects
//! each one fits two of the three traces at least, and one fits all of them.

mod case;
mod dataset;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::prose::{self, Plan};
use crate::item::{Item, Scored};
use crate::metrics::detectiveqa;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

use case::Case;

/// A theft among four suspects.
pub struct DetectiveQa;

const PARAMETERS: [Parameter; 1] = [super::LANGUAGE];

impl Family for DetectiveQa {
    fn slug(&self) -> &'static str {
        "detectiveqa"
    }

    fn title(&self) -> &'static str {
        "DetectiveQA"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        Card {
            benchmark: "DetectiveQA",
            what:
                "Find the thief from clues strewn over a long text, and tell the steps. The strict score is the choice \
                   times the share of the steps told."
                    .to_owned(),
            citation: "Xu et al. 2024, DetectiveQA, arXiv 2409.02465; no official code at hand. Steps are found by rule, not by a judge",
            licence: "stories and questions here are Longboard's own",
            language: super::language(params),
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["retrieval", "reasoning"],
            diffusion: Diffusion::High,
            scope: Scope::Several,
            random_guess: 0.25,
            output_tokens: 512,
            metric: "detectiveqa.choice_accuracy",
            strict_metric: Some("detectiveqa.choice_accuracy.strict"),
            min_tokens: 2048,
            open_ended: false,
            protocol: Protocol {
                truncation: Side::Middle,
                truncation_unit: "canonical tokens (the paper cuts before the solution and not to a window)",
                post_processing: "the letter after the last `The answer is` or `答案是`",
                ..Protocol::GENERATED
            },
            importable: Some("DetectiveQA (licence not stated; novels in copyright)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let language = task.card().language;
        let case = Case::new(language, &mut rng);
        let mut places: Vec<f64> = case.clues.iter().map(|_| 0.02 + 0.96 * rng.unit()).collect();
        places.sort_by(f64::total_cmp);
        let plan = Plan {
            language,
            head: case.head(),
            tail: case.tail(),
            needles: places.into_iter().zip(case.clues.iter().cloned()).collect(),
            answer: Answer {
                references: vec![case.letter.to_string()],
                gold: json!({ "steps": case.steps, "reasoning": case.reasoning() }),
                ..Answer::default()
            },
        };
        let mut source = prose::running(request, language, rng.next_u64());
        prose::assemble(task, request, plan, &mut source)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        ["en", "zh"]
            .map(|language| {
                let slug = format!("detectiveqa_{language}");
                TaskDefinition::generated(
                    self.slug(),
                    &slug,
                    "A theft among four suspects",
                    json!({ "language": language }),
                )
            })
            .into()
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let right = item.references.first().and_then(|letter| letter.chars().next()).unwrap_or(' ');
        let choice = detectiveqa::choice(answer);
        let score = detectiveqa::choice_accuracy(answer, right);
        let steps: Option<Vec<Vec<String>>> =
            item.gold.get("steps").and_then(|steps| serde_json::from_value(steps.clone()).ok());
        let told = steps.map(|steps| detectiveqa::step_coverage(answer, &steps));
        let told_of = told.map_or_else(String::new, |told| format!(", {told:.2} of the steps told"));
        Scored {
            score,
            strict: told.map(|told| score * told),
            extracted: format!("{}{told_of}", choice.map_or("no option".to_owned(), String::from)),
            well_formed: choice.is_some(),
        }
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        let reasoning = item.gold.get("reasoning").and_then(serde_json::Value::as_str).unwrap_or_default();
        format!("{reasoning}{}", choice_phrase(task.card().language, &item.references.concat()))
    }

    fn guess(&self, task: &Task, _: &Item, rng: &mut Rng) -> String {
        let letter = char::from(b'A' + rng.below(4) as u8).to_string();
        choice_phrase(task.card().language, &letter)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Novels)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

fn choice_phrase(language: Language, letter: &str) -> String {
    if language == Language::Chinese { format!("答案是{letter}。") } else { format!("The answer is {letter}.") }
}
