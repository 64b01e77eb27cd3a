//! LongEmbed (arXiv 2404.12096, section 3.1): passkeys and needles in documents of one length, found by their vectors.

use std::collections::BTreeMap;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::{prose, searched, words};
use crate::item::{Item, Message, Role, Scored};
use crate::prompt::Answer;
use crate::retrieval::{self, Content, Document, Judged, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice, integer,
};

/// Documents that each hide one line about one person; a query asks for that line.
pub struct LongEmbed;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "kind",
        help: "Passkeys in repeated filler, or facts in running prose",
        kind: ParameterKind::Choice { options: &["passkey", "needle"], default: "passkey" },
    },
    Parameter {
        name: "documents",
        help: "Documents that are searched",
        kind: ParameterKind::Integer { min: 2, max: 1000, default: 100 },
    },
];

/// What people of needles do, with the place of their name and of what they do it with, and the question for it.
const DEEDS: [(&str, &str); 6] = [
    ("{name} keeps a {thing} behind the mill.", "What does {name} keep behind the mill?"),
    ("{name} won a {thing} at the spring fair.", "What did {name} win at the spring fair?"),
    ("{name} paid for a new roof with a {thing}.", "With what did {name} pay for a new roof?"),
    ("{name} carved a {thing} for the harvest feast.", "What did {name} carve for the harvest feast?"),
    ("{name} traded two goats for a {thing}.", "What did {name} get for two goats?"),
    ("{name} found a {thing} under the old bridge.", "What did {name} find under the old bridge?"),
];

impl Family for LongEmbed {
    fn slug(&self) -> &'static str {
        "longembed"
    }

    fn title(&self) -> &'static str {
        "LongEmbed passkeys and needles"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let documents = integer(params, "documents").max(1);
        Card {
            benchmark: "LongEmbed",
            what: format!("Find, among {documents} documents, the one that hides the line about one person."),
            citation: "Zhu et al. 2024, LongEmbed, arXiv 2404.12096; code dwzhu-pku/LongEmbed @ 033dc4a1 (no licence stated)",
            licence: "official data without licence; names, facts and texts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Words,
            tokenizer: "none: the paper counts words, 0.75 of a length in tokens",
            abilities: &["embedding"],
            diffusion: Diffusion::Low,
            scope: Scope::Narrow,
            random_guess: 1.0 / documents as f64,
            output_tokens: 0,
            metric: "longembed.ndcg",
            strict_metric: None,
            min_tokens: 256,
            open_ended: false,
            protocol: Protocol {
                post_processing: "ranked by cosine, ties by document name descending",
                ..Protocol::GENERATED
            },
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let pool = self.pool(task, request);
        let number = searched::asked(task, request, pool);
        let line = Line::draw(task, request, pool, number);
        let (mut item, text) = line.document(task, request)?;
        let id = document_id(number);
        let relevant = vec![BTreeMap::from([(id.clone(), 1)])];
        item.gold = Judged { documents: pool.documents, relevant }.to_gold();
        item.references = vec![id];
        item.messages =
            vec![Message { role: Role::User, content: line.query }, Message { role: Role::System, content: text }];
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![
            TaskDefinition::generated(self.slug(), "longembed_passkey", "Passkeys in documents", json!({})),
            TaskDefinition::generated(
                self.slug(),
                "longembed_needle",
                "Facts in documents",
                json!({ "kind": "needle" }),
            ),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        retrieval::scored(item, answer, |rankings, judged| {
            let best = rankings.names(0).first().copied().unwrap_or_default();
            (f64::from(judged.relevant.first().is_some_and(|relevant| relevant.contains_key(best))), None)
        })
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for LongEmbed {
    fn pool(&self, task: &Task, request: &ItemRequest<'_>) -> Pool {
        let documents = u32::try_from(integer(&task.definition().params, "documents")).unwrap_or(1).max(1);
        Pool { block: request.index / documents, documents }
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let documents = self.pool(task, request).documents;
        let line = Line::draw(task, request, Pool { block, documents }, number);
        let (_, text) = line.document(task, request)?;
        Ok(Document { id: document_id(number), content: Content::Text(text) })
    }
}

/// What a document hides and how it is asked for.
struct Line {
    hidden: String,
    query: String,
    prose: bool,
    depth_percent: u8,
    variant: u64,
}

impl Line {
    fn draw(task: &Task, request: &ItemRequest<'_>, pool: Pool, number: u32) -> Self {
        let mut rng = searched::stream(task, request, pool.block, &document_id(number));
        let (world, person) = searched::stranger(request.seed, "longembed", pool.block, number);
        let name = world.person(person).name.of(Language::English);
        let prose = choice(&task.definition().params, "kind") == "needle";
        let (hidden, query) = if prose {
            let thing = words::keys(&mut rng, 1).concat().replace('-', " ");
            let (deed, question) = rng.choose(&DEEDS).copied().unwrap_or_default();
            (deed.replace("{name}", &name).replace("{thing}", &thing), question.replace("{name}", &name))
        } else {
            let key = 10_000 + rng.below(90_000);
            let hidden = format!("{name}'s passkey is {key}. Remember it: {key} is the passkey for {name}.");
            (hidden, format!("What is the passkey for {name}?"))
        };
        let depth_percent = prose::swept_depth(number);
        Self { hidden, query, prose, depth_percent, variant: rng.next_u64() }
    }

    /// The document, as an item whose text begins with the query, and its text alone.
    fn document(&self, task: &Task, request: &ItemRequest<'_>) -> Result<(Item, String), GenerateError> {
        let plan = prose::Plan {
            language: Language::English,
            head: self.query.clone(),
            tail: String::new(),
            needles: vec![(f64::from(self.depth_percent) / 100.0, self.hidden.clone())],
            answer: Answer { depth_percent: Some(self.depth_percent), ..Answer::default() },
        };
        let item = if self.prose {
            prose::assemble(task, request, plan, &mut prose::running(request, Language::English, self.variant))
        } else {
            prose::assemble(task, request, plan, &mut |budget| Ok(prose::noise(budget)))
        }?;
        let text = item.joined().split_off(self.query.len());
        Ok((item, text))
    }
}
