//! LongICLBench, first named LIConBench (arXiv 2404.02060): many-label classification from demonstrations alone.

mod dataset;
mod set;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::lines::Lines;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longiclbench as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition};
use set::{Kind, LabelSet};

/// Label one text after the pattern of labelled ones.
pub struct LongIcl;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "set",
    help: "emotion: 28 labels; intent: 77; connective: 174; relation: 41; entity: 66 types; dialogue: 34 relations, official data only",
    kind: ParameterKind::Choice {
        options: &["emotion", "intent", "connective", "relation", "entity", "dialogue"],
        default: "intent",
    },
}];

impl Family for LongIcl {
    fn slug(&self) -> &'static str {
        "longicl"
    }

    fn title(&self) -> &'static str {
        "LongICLBench many-label demonstrations"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = Kind::of(params);
        let (metric, strict) = match kind {
            Kind::Emotion => ("longiclbench.goemotion_accuracy", None),
            Kind::Intent => ("longiclbench.banking77_accuracy", None),
            Kind::Connective => ("longiclbench.discovery_accuracy", None),
            Kind::Relation => ("longiclbench.tacred_f1", None),
            Kind::Entity => ("longiclbench.fewnerd_f1", Some("longiclbench.fewnerd_f1.strict")),
            Kind::Dialogue => ("longiclbench.dialogre_f1", Some("longiclbench.dialogre_f1.strict")),
        };
        Card {
            benchmark: "LongICLBench",
            what: if kind == Kind::Dialogue {
                "Name the relation of every pair of a dialogue after the pattern of other dialogues. Each dialogue is \
                 scored by itself."
                    .to_owned()
            } else {
                format!(
                    "Label a text with one of {} made-up labels whose meaning only the demonstrations show. \
                     Demonstrations go round the labels until the prompt is full.",
                    kind.labels()
                )
            },
            citation: "Li et al. 2024, Long-context LLMs struggle with long in-context learning, arXiv 2404.02060; code TIGER-AI-Lab/LongICLBench @ 9c5da3df (MIT)",
            licence: "official code MIT; labels, texts and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own; upstream counts rounds of demonstrations",
            abilities: &["in-context learning", "retrieval"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: if kind == Kind::Entity { 0.0 } else { 1.0 / kind.labels() as f64 },
            output_tokens: 100,
            metric,
            strict_metric: strict,
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                post_processing: "what follows the repeated query and the label field, up to the next demonstration; its first line",
                ..Protocol::GENERATED
            },
            importable: Some(
                "Few-NERD samples CC BY-SA 4.0; BANKING77 CC BY 4.0; GoEmotions Apache-2.0; DialogRE for research; other sets by their own terms",
            ),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let kind = Kind::of(&task.definition().params);
        if kind == Kind::Dialogue {
            return Err(prose::unsatisfiable(task, request, "dialogues are official data only: import DialogRE"));
        }
        let mut rng = prose::stream(task, request);
        let set = LabelSet::new(kind, request.seed, &mut rng);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let mut prompt = Prompt::default();
        prompt.push(kind.head());
        prompt.begin_document();
        // The query shares its cue with a demonstration of the first round that is sure to be shown.
        let sure = kind.labels().min(limit as usize / 90).max(1);
        let query = set.query(rng.index(sure), &mut rng);
        let tail = kind.open(&query.text);
        let budget = limit.saturating_sub(prompt.tokens() + prompt.count(&tail));
        let mut lines = Lines::new(budget);
        let (mut evidence, mut turn, mut misses) = (Vec::new(), 0, 0);
        while misses < 12 {
            let shown = set.demonstration(turn, &query, &mut rng);
            if lines.offer(kind.closed(&shown.text, &shown.labelled)) {
                evidence.push(shown.evidence);
                turn += 1;
            } else {
                misses += 1;
            }
        }
        for (line, evidence) in lines.finish().iter().zip(evidence) {
            if evidence {
                prompt.push_needle(line)
            } else {
                prompt.push(line)
            }
            prompt.push("\n");
        }
        prompt.end_document();
        prompt.push(&tail);
        let gold = json!({ "query": query.text, "labels": set.labels(), "entities": query.entities });
        let answer = Answer { references: vec![query.labelled], gold, ..Answer::default() };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, set| TaskDefinition::generated("longicl", slug, title, json!({ "set": set }));
        vec![
            task("longicl_emotion", "28 emotions from demonstrations", "emotion"),
            task("longicl_intent", "77 intents from demonstrations", "intent"),
            task("longicl_connective", "174 connectives from demonstrations", "connective"),
            task("longicl_relation", "41 relations from demonstrations", "relation"),
            task("longicl_entity", "66 entity types from demonstrations", "entity"),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let kind = Kind::of(params);
        let query = item.gold.get("query").and_then(serde_json::Value::as_str).unwrap_or_default();
        let label = item.references.first().map_or("", String::as_str);
        if kind == Kind::Dialogue {
            return relations(answer, label);
        }
        if kind == Kind::Entity {
            return entities(item, query, answer);
        }
        let (found, right) = match kind {
            Kind::Emotion => (metric::goemotion_label(answer, query), label.to_lowercase()),
            Kind::Intent => (metric::banking77_label(answer, query), label.to_lowercase()),
            Kind::Connective => {
                (metric::discovery_label(answer, last_sentence(query)), metric::plain_connective(label))
            }
            _ => (metric::tacred_label(answer, query.lines().next().unwrap_or_default()), label.to_owned()),
        };
        let score = if kind == Kind::Relation {
            metric::relation_counts(std::slice::from_ref(&found), std::slice::from_ref(&right), |one| {
                has(item, "labels", one)
            })
            .f1()
        } else {
            f64::from(found == right)
        };
        Scored { score, strict: None, well_formed: !found.is_empty(), extracted: found.chars().take(200).collect() }
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let labels: Vec<&str> = listed(item, "labels").collect();
        let label = rng.choose(&labels).copied().unwrap_or_default();
        match Kind::of(&task.definition().params) {
            Kind::Entity => format!("Nobody: {label}"),
            _ => label.to_owned(),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }
}

fn listed<'a>(item: &'a Item, name: &str) -> impl Iterator<Item = &'a str> {
    item.gold
        .get(name)
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
}

fn has(item: &Item, name: &str, wanted: &str) -> bool {
    listed(item, name).any(|one| one == wanted)
}

fn last_sentence(pair: &str) -> &str {
    pair.rsplit_once(" ( ) ").map_or(pair, |(_, last)| last)
}

/// DialogRE's score of one dialogue, officially by position and strictly as a set. Upstream's is over the first 500 labels
/// of a file, so that it depends on the order of the file; here dialogues are scored one by one.
fn relations(answer: &str, label: &str) -> Scored {
    let (answers, labels) = ([answer.to_owned()], [label.to_owned()]);
    Scored {
        // A label beyond the official list can be right without being counted as predicted.
        score: metric::dialogre_counts(&answers, &labels).f1().min(1.0),
        strict: Some(metric::relation_set_counts(answer, label).exact_f1()),
        well_formed: !answer.trim().is_empty(),
        extracted: answer.trim().chars().take(200).collect(),
    }
}

/// Few-NERD's score of one sentence: micro F1 of entities with types.
fn entities(item: &Item, sentence: &str, answer: &str) -> Scored {
    let found = metric::fewnerd_entities(answer, sentence);
    let wanted = item.gold.get("entities").and_then(|entities| serde::Deserialize::deserialize(entities).ok());
    let counts = metric::fewnerd_counts(std::slice::from_ref(&found), &[wanted.unwrap_or_default()]);
    Scored {
        score: counts.f1_unsmoothed().unwrap_or(0.0),
        strict: Some(counts.exact_f1()),
        well_formed: !found.is_empty(),
        extracted: found
            .iter()
            .map(|(entity, kind)| format!("{entity}: {kind}; "))
            .collect::<String>()
            .chars()
            .take(200)
            .collect(),
    }
}
