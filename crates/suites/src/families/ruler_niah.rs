//! RULER's needles in a haystack (arXiv 2404.06654, section 3): eight tasks from one generator.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, Scope};
use crate::families::prose::{self, Plan};
use crate::families::words;
use crate::haystack::{Passage, PassageBuilder, planting_cost};
use crate::item::{Item, Scored};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice, integer,
};

/// Needles in a haystack, with keys and values of two kinds.
pub struct RulerNiah;

const fn count(name: &'static str, help: &'static str, max: i64) -> Parameter {
    Parameter { name, help, kind: ParameterKind::Integer { min: 1, max, default: 1 } }
}

const fn pick(
    name: &'static str,
    help: &'static str,
    options: &'static [&'static str],
    default: &'static str,
) -> Parameter {
    Parameter { name, help, kind: ParameterKind::Choice { options, default } }
}

const PARAMETERS: [Parameter; 6] = [
    pick("haystack", "What surrounds the needles", &["noise", "essay", "needles"], "essay"),
    pick("key", "What a needle is named by", &["word", "uuid"], "word"),
    pick("value", "What a needle holds", &["number", "uuid"], "number"),
    count("keys", "Needles with different keys, all but the asked ones being decoys", 16),
    count("values", "Values under each asked key", 16),
    count("queries", "Keys that are asked for", 16),
];

impl Family for RulerNiah {
    fn slug(&self) -> &'static str {
        "ruler_niah"
    }

    fn title(&self) -> &'static str {
        "RULER needles in a haystack"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let needles = choice(params, "haystack") == "needles";
        let several = integer(params, "values").max(integer(params, "queries")) > 1;
        Card {
            what: "Find what a text says about one or several keys. The lead-in of the answer stands at the end of \
                   the user message, because chat endpoints cannot continue an answer."
                .into(),
            abilities: &["retrieval"],
            diffusion: if needles || integer(params, "keys") > 1 { Diffusion::Medium } else { Diffusion::Low },
            scope: if several { Scope::Several } else { Scope::Narrow },
            output_tokens: 128,
            ..super::ruler_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let mut rng = prose::stream(task, request);
        let drawn = Drawn::new(params, request, &mut rng);
        let plan = drawn.plan(params);
        match choice(params, "haystack") {
            "noise" => prose::assemble(task, request, plan, &mut |budget| Ok(prose::noise(budget))),
            "needles" => {
                prose::assemble(task, request, plan, &mut |budget| Ok(decoys(params, &drawn, rng.clone(), budget)))
            }
            _ => {
                let mut source = prose::running(request, Language::English, rng.next_u64());
                prose::assemble(task, request, plan, &mut source)
            }
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![
            TaskDefinition::generated(
                self.slug(),
                "niah_single_1",
                "One needle in noise",
                json!({ "haystack": "noise" }),
            ),
            TaskDefinition::generated(self.slug(), "niah_single_2", "One needle in prose", json!({})),
            TaskDefinition::generated(
                self.slug(),
                "niah_single_3",
                "One identifier in prose",
                json!({ "value": "uuid" }),
            ),
            TaskDefinition::generated(self.slug(), "niah_multikey_1", "One needle among four", json!({ "keys": 4 })),
            TaskDefinition::generated(
                self.slug(),
                "niah_multikey_2",
                "One needle in a haystack of needles",
                json!({ "haystack": "needles" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "niah_multikey_3",
                "One identifier in a haystack of identifiers",
                json!({ "haystack": "needles", "key": "uuid", "value": "uuid" }),
            ),
            TaskDefinition::generated(self.slug(), "niah_multivalue", "Four values of one key", json!({ "values": 4 })),
            TaskDefinition::generated(self.slug(), "niah_multiquery", "Four keys at once", json!({ "queries": 4 })),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        super::all_contained(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let identifiers = choice(&task.definition().params, "value") == "uuid";
        let one = |rng: &mut Rng| if identifiers { words::uuid(rng) } else { words::number(rng) };
        item.references.iter().map(|_| one(rng)).collect::<Vec<_>>().join(", ")
    }
}

/// Keys, values and places of one item.
struct Drawn {
    asked: Vec<(String, Vec<String>)>,
    decoys: Vec<(String, String)>,
    places: Vec<f64>,
    depth_percent: Option<u8>,
}

impl Drawn {
    fn new(params: &Params, request: &ItemRequest<'_>, rng: &mut Rng) -> Self {
        let queries = integer(params, "queries");
        let keys = draw_keys(params, rng, integer(params, "keys").max(queries));
        let value = |rng: &mut Rng| draw_value(params, rng);
        let (asked, decoys) = keys.split_at_checked(queries).unwrap_or((&keys, &[]));
        let asked: Vec<(String, Vec<String>)> = asked
            .iter()
            .map(|key| (key.clone(), (0..integer(params, "values")).map(|_| value(rng)).collect()))
            .collect();
        let decoys: Vec<(String, String)> = decoys.iter().map(|key| (key.clone(), value(rng))).collect();
        let first = prose::swept_depth(request.index);
        let asked_count: usize = asked.iter().map(|(_, values)| values.len()).sum();
        let places = std::iter::once(f64::from(first) / 100.0)
            .chain((1..asked_count + decoys.len()).map(|_| f64::from(prose::swept_depth(rng.below(40) as u32)) / 100.0))
            .collect();
        Self { asked, decoys, places, depth_percent: (asked_count == 1).then_some(first) }
    }

    fn plan(&self, params: &Params) -> Plan {
        let kind = kind(params);
        let asked = self.asked.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        let needles = asked.chain(self.decoys.iter().map(|(key, value)| (key, value)));
        let keys: Vec<&str> = self.asked.iter().map(|(key, _)| key.as_str()).collect();
        let references: Vec<String> = self.asked.iter().flat_map(|(_, values)| values.clone()).collect();
        let (is, number) = if references.len() == 1 { ("is", kind) } else { ("are", plural(kind)) };
        let keys = super::listed(&keys);
        Plan {
            language: Language::English,
            head: format!(
                "The text below hides a few {}. Keep them in mind as you read: you will be asked about them \
                 afterwards.\n\n",
                plural(kind)
            ),
            tail: format!(
                "\n\nWhat {is} the hidden {number} for {keys} in the text above?\nThe hidden {number} for {keys} {is}:"
            ),
            needles: self.places.iter().copied().zip(needles.map(|(key, value)| needle(kind, key, value))).collect(),
            answer: Answer { references, depth_percent: self.depth_percent, ..Answer::default() },
        }
    }
}

fn kind(params: &Params) -> &'static str {
    if choice(params, "value") == "uuid" { "code" } else { "number" }
}

fn plural(kind: &str) -> &'static str {
    if kind == "code" { "codes" } else { "numbers" }
}

fn needle(kind: &str, key: &str, value: &str) -> String {
    format!("One of the hidden {} for {key} is {value}.", plural(kind))
}

fn draw_keys(params: &Params, rng: &mut Rng, count: usize) -> Vec<String> {
    if choice(params, "key") == "uuid" {
        (0..count).map(|_| words::uuid(rng)).collect()
    } else {
        words::keys(rng, count)
    }
}

fn draw_value(params: &Params, rng: &mut Rng) -> String {
    if choice(params, "value") == "uuid" { words::uuid(rng) } else { words::number(rng) }
}

/// A haystack made of needles nobody asks for, and noise for the last few tokens.
fn decoys(params: &Params, drawn: &Drawn, mut rng: Rng, budget: u32) -> Passage {
    let kind = kind(params);
    let sample = needle(kind, "amber-lantern", "1234567");
    let most = budget / planting_cost(Language::English, &sample).max(1) + 1;
    let taken: Vec<&String> = drawn.asked.iter().map(|(key, _)| key).collect();
    let mut counter = crate::counter::Counter::default();
    let mut builder = PassageBuilder::new(Language::English, budget as usize * 4);
    for key in draw_keys(params, &mut rng, most as usize) {
        let sentence = needle(kind, &key, &draw_value(params, &mut rng));
        // One token less for the full stop that stands for the sentence before.
        let cost = counter.count(&[". ", &sentence].concat()) - 1;
        if builder.tokens() + cost > budget {
            break;
        }
        if !taken.contains(&&key) {
            builder.counted_sentence(&sentence, cost);
        }
    }
    prose::fill_with_noise(&mut builder, budget);
    builder.finish()
}
