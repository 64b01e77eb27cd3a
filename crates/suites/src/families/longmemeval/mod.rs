//! LongMemEval (arXiv 2410.10813): questions about what was said in a long history of dated sessions.

mod calendar;
mod dataset;
mod history;
mod recollection;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longmemeval as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition};
use calendar::Moment;
use history::{Form, History};
use recollection::{Ability, Recollection};

/// Remember what a user and an assistant said.
pub struct LongMemEval;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "ability",
        help: "What the question needs",
        kind: ParameterKind::Choice {
            options: &["extraction", "multi_session", "temporal", "update", "abstention"],
            default: "extraction",
        },
    },
    Parameter {
        name: "history",
        help: "json: sessions as lists of messages, which the paper recommends; text: one line per turn",
        kind: ParameterKind::Choice { options: &["json", "text"], default: "json" },
    },
];

/// What the prompt tells to answer where the history does not say.
const NOT_MENTIONED: &str = "not mentioned";

impl Family for LongMemEval {
    fn slug(&self) -> &'static str {
        "longmemeval"
    }

    fn title(&self) -> &'static str {
        "LongMemEval histories"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let ability = Ability::of(params);
        let (diffusion, scope) = match ability {
            Ability::Extraction | Ability::Abstention => (Diffusion::Low, Scope::Narrow),
            Ability::Temporal | Ability::Update => (Diffusion::Medium, Scope::Several),
            Ability::MultiSession => (Diffusion::High, Scope::Several),
        };
        Card {
            benchmark: "LongMemEval",
            what: format!("{} The history is a row of dated sessions between a user and an assistant.", ability.what()),
            citation: "Wu et al. 2024, LongMemEval, arXiv 2410.10813; code xiaowu0162/LongMemEval @ 9e0b455f (MIT)",
            licence: "official code, data and judge prompts MIT; sessions, questions and the rule scorer here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::LlamaTokens,
            tokenizer: "Llama-3.1-8B over the JSON of the sessions",
            abilities: ability.abilities(),
            diffusion,
            scope,
            random_guess: if ability == Ability::Abstention { 0.5 } else { 0.0 },
            output_tokens: 200,
            metric: "longmemeval.contains_answer",
            strict_metric: Some("longmemeval.contains_answer.strict"),
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                truncation: Side::Left,
                truncation_unit: "tokens of the history, oldest sessions first",
                post_processing: "none; upstream asks a judge, whose prompts are there for imported records",
                ..Protocol::GENERATED
            },
            importable: Some("MIT (longmemeval-cleaned on the hub)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let params = &task.definition().params;
        let mut rng = prose::stream(task, request);
        let recollection = Recollection::new(Ability::of(params), request.index, &mut rng);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let form = Form::of(params);
        let frame = [HEAD, &tail(&Moment::new(0, 0), recollection.question())].map(crate::tokens::count);
        let mut budget = limit.saturating_sub(frame.iter().sum());
        loop {
            let history = History::fill(request.seed, form, &recollection, budget, rng.clone());
            let Some(history) = history else {
                return Err(prose::unsatisfiable(task, request, "the sessions that are asked about do not fit"));
            };
            let mut prompt = Prompt::default();
            prompt.push(HEAD);
            prompt.begin_document();
            history.write(form, &mut prompt);
            prompt.end_document();
            prompt.push(&tail(&history.today, recollection.question()));
            let excess = prompt.tokens().saturating_sub(limit);
            if excess == 0 {
                let answers = recollection.answers(&history.moments);
                let gold = json!({
                    "type": recollection.kind(),
                    "days": recollection.asks_for_days(),
                    "abstention": answers.iter().any(|form| form == NOT_MENTIONED),
                    "sessions": history.evidence_sessions(),
                });
                return Ok(prompt.finish(task, request, Answer { references: answers, gold, ..Answer::default() }));
            }
            budget = budget.saturating_sub(excess);
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task =
            |slug, title, ability| TaskDefinition::generated("longmemeval", slug, title, json!({ "ability": ability }));
        vec![
            task("longmemeval_extraction", "What one session said", "extraction"),
            task("longmemeval_multi_session", "What several sessions add up to", "multi_session"),
            task("longmemeval_temporal", "How long between two sessions", "temporal"),
            task("longmemeval_update", "What holds now", "update"),
            task("longmemeval_abstention", "What was never said", "abstention"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let flag = |name: &str| item.gold.get(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
        Scored {
            score: metric::contains_answer(answer, &item.references, flag("days")),
            strict: Some(metric::contains_answer_strict(answer, &item.references)),
            well_formed: !answer.trim().is_empty(),
            extracted: answer.trim().chars().take(200).collect(),
        }
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.first().cloned().unwrap_or_default()
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        match Ability::of(&task.definition().params) {
            Ability::Abstention => NOT_MENTIONED.to_owned(),
            _ if item.gold.get("days") == Some(&true.into()) => rng.between(1_000, 9_000).to_string(),
            _ => super::kinship::names(Language::English, rng, 1).concat(),
        }
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let never = item.gold.get("abstention") == Some(&true.into());
        f64::from(never && Ability::of(&task.definition().params) == Ability::Abstention)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }
}

const HEAD: &str = "Below are the sessions that you have had with one user, oldest first. Answer the question at the end \
                    from what was said in them.\n\n";

fn tail(today: &dyn std::fmt::Display, question: &str) -> String {
    format!(
        "Current date: {today}\nQuestion: {question}\nAnswer in one short sentence. If the sessions do not say it, \
         answer: {NOT_MENTIONED}.\nAnswer:"
    )
}
