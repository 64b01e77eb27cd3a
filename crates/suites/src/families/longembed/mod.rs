//! LongEmbed (arXiv 2404.12096, section 3.1): passkeys and needles in documents of one length, found by their vectors.

mod dataset;

use serde_json::json;

use crate::card::{Card, Language, LengthUnit};
use crate::dataset::Dataset;
use crate::families::{official_search, prose, searched, words};
use crate::item::{Item, Scored};
use crate::retrieval::{self, Content, Document, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// Documents that each hide one line about one person; a query asks for that line.
pub struct LongEmbed;

const PARAMETERS: [Parameter; 3] = [
    official_search::SOURCE,
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

/// Places that count for the real sets; of made items the first alone does, which is called accuracy.
const CUT: u32 = 10;

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
        let documents = searched::documents(params);
        let official = official_search::is_official(params);
        let what = format!("Find, among {documents} documents, the one that hides the line about one person.");
        Card {
            benchmark: "LongEmbed",
            what: if official {
                "Find the long document that a question or summary is about.".to_owned()
            } else {
                what
            },
            citation: "Zhu et al. 2024, LongEmbed, arXiv 2404.12096; code dwzhu-pku/LongEmbed @ 033dc4a1 (no licence stated)",
            licence: "official data without licence; names, facts and texts here are Longboard's own",
            length_unit: LengthUnit::Words,
            tokenizer: "none: the paper counts words, 0.75 of a length in tokens",
            random_guess: if official { 0.0 } else { 1.0 / f64::from(documents) },
            metric: if official { "longembed.ndcg_at_10" } else { "longembed.ndcg" },
            min_tokens: 256,
            protocol: official_search::protocol(params, searched::card().protocol),
            importable: Some("no licence stated (dwzhu-pku/LongEmbed): for private use only"),
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let pool = self.pool(task, request);
        let number = searched::asked(task, request, pool);
        let mut item = Line::draw(task, request, pool.block, number).item(task, request)?;
        searched::seek(&mut item, pool.documents, number);
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

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let cut = if official_search::is_official(params) { CUT as usize } else { 1 };
        retrieval::scored(item, answer, |rankings, judged| searched::measures(rankings, judged, 0, cut).ndcg)
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let official = official_search::is_official(&task.definition().params);
        if official { official_search::ndcg_by_chance(item, CUT) } else { task.card().random_guess }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for LongEmbed {
    fn pool(&self, task: &Task, request: &ItemRequest<'_>) -> Pool {
        searched::shared_pool(searched::documents(&task.definition().params), request)
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let item = Line::draw(task, request, block, number).item(task, request)?;
        Ok(Document { id: document_id(number), content: Content::Text(searched::document(item)) })
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
    fn draw(task: &Task, request: &ItemRequest<'_>, block: u32, number: u32) -> Self {
        let mut rng = searched::stream(task, request, block, &document_id(number));
        let (world, person) = searched::stranger(request.seed, "longembed", block, number);
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

    /// The item of the query and its document.
    fn item(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let needles = vec![(f64::from(self.depth_percent) / 100.0, self.hidden.clone())];
        let queries = vec![self.query.clone()];
        let mut item = if self.prose {
            let mut source = prose::running(request, Language::English, self.variant);
            searched::item(task, request, queries, needles, &mut source)
        } else {
            searched::item(task, request, queries, needles, &mut |budget| Ok(prose::noise(budget)))
        }?;
        item.depth_percent = Some(self.depth_percent);
        Ok(item)
    }
}
