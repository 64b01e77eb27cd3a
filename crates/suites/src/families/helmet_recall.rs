//! HELMET's recall (princeton-nlp/HELMET): the value of one key in a JSON object that fills the context.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::{helmet_files, prose, words};
use crate::item::{Item, Scored};
use crate::metrics::helmet;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// A key among many.
pub struct HelmetRecall;

const HEAD: &str = "Look up one value in the JSON object below. Each key stands in it once.\n\n{\n";

pub(super) const CITATION: &str = "Yen et al. 2024, HELMET, arXiv 2410.02694; code princeton-nlp/HELMET (MIT)";

impl Family for HelmetRecall {
    fn slug(&self) -> &'static str {
        "helmet_recall"
    }

    fn title(&self) -> &'static str {
        "HELMET recall"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "HELMET",
            what: "Find the value of one key in a JSON object of random identifiers.".to_owned(),
            citation: CITATION,
            licence: "official code and prompts MIT; objects and prompts of generated items are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::LlamaTokens,
            tokenizer: "Llama-2",
            abilities: &["retrieval"],
            diffusion: Diffusion::Medium,
            scope: Scope::Narrow,
            random_guess: 0.0,
            output_tokens: 100,
            metric: "helmet.substring_exact_match",
            strict_metric: Some("helmet.substring_exact_match.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the whole answer and the line after `value:` are scored, the better one counts",
                ..Protocol::GENERATED
            },
            importable: Some("HELMET's json_kv files (MIT)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let (key, value) = (words::uuid(&mut rng), words::uuid(&mut rng));
        let tail = format!("}}\n\nWhat is the value of the key \"{key}\"?\nCorresponding value:");
        let depth = prose::swept_depth(request.index);
        let mut prompt = Prompt::default();
        prompt.push(HEAD);
        prompt.begin_document();
        let asked = pair(&key, &value);
        let end = limit.saturating_sub(prompt.count(&tail) + 2);
        let around = prompt.tokens() + prompt.count(&asked);
        let Some(free) = end.checked_sub(around) else {
            return Err(prose::unsatisfiable(task, request, "frame and answer leave no room for a key"));
        };
        let place = prompt.tokens() + (f64::from(free) * f64::from(depth) / 100.0) as u32;
        let (mut planted, mut owed) = (false, prompt.count(&asked));
        let mut other = |long: bool| {
            let value = if long { words::uuid(&mut rng) } else { words::number(&mut rng) };
            let key = if long { words::uuid(&mut rng) } else { words::number(&mut rng) };
            pair(&key, &value)
        };
        let mut long = true;
        loop {
            if !planted && prompt.tokens() >= place {
                prompt.push_needle(asked.trim_end());
                prompt.push("\n");
                (planted, owed) = (true, 0);
            }
            let next = other(long);
            if prompt.tokens() + prompt.count(&next) + owed <= end {
                prompt.push(&next);
            } else if long {
                // Short pairs fill what is left at the end.
                long = false;
            } else if planted {
                break;
            } else {
                prompt.push_needle(asked.trim_end());
                prompt.push("\n");
                break;
            }
        }
        prompt.end_document();
        prompt.push(&tail);
        let answer = Answer { references: vec![value], depth_percent: Some(depth), ..Answer::default() };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "helmet_json_kv", "One key of a JSON object", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let parsed = helmet::parse_output(answer, "value:");
        let found = |text: &str| helmet::substring_exact_match(text, &item.references);
        let score = found(answer).max(found(&parsed));
        let short = answer.split_whitespace().count() <= 24;
        Scored {
            score,
            strict: Some(if short { score } else { 0.0 }),
            extracted: parsed.chars().take(200).collect(),
            well_formed: !answer.trim().is_empty(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        words::uuid(rng)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&helmet_files::Pairs)
    }
}

fn pair(key: &str, value: &str) -> String {
    format!("  \"{key}\": \"{value}\",\n")
}
