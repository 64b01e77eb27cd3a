//! LoCoV1 (arXiv 2402.07440, section 3): long documents found by a question or a summary sentence.
//!
//! LongEmbed's authors show that models which read 512 tokens do well on LoCoV1, because its evidence stands at the start.
//! Here the evidence of every other document of a pool ends within its first 512 tokens, and that of the others begins
//! behind them, so that the two halves of a score show how far a model reads.

mod council;
mod dataset;
mod story;

use serde_json::{Value, json};

use self::story::{Genre, Story};
use crate::card::{Card, Diffusion, LengthUnit};
use crate::dataset::Dataset;
use crate::families::{official_search, searched};
use crate::item::{Item, Scored};
use crate::metrics::ranking;
use crate::retrieval::{self, Content, Document, Measured, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// Long documents that each tell of one stranger, whom a query asks for.
pub struct LocoV1;

/// Places of a ranking that count.
const CUT: usize = 10;
/// Canonical tokens that a short-window encoder reads: near evidence ends before, far evidence begins after.
pub(super) const WINDOW: u32 = 512;

const PARAMETERS: [Parameter; 3] = [
    official_search::SOURCE,
    Parameter {
        name: "kind",
        help: "Chronicles found by summary sentences, annals by questions, minutes of councils by what was asked there",
        kind: ParameterKind::Choice { options: &["chronicle", "annals", "dialogue"], default: "chronicle" },
    },
    Parameter {
        name: "documents",
        help: "Documents that are searched",
        kind: ParameterKind::Integer { min: 2, max: 1000, default: 50 },
    },
];

impl Family for LocoV1 {
    fn slug(&self) -> &'static str {
        "locov1"
    }

    fn title(&self) -> &'static str {
        "LoCoV1-like retrieval of long documents"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let documents = searched::documents(params);
        let asked = match choice(params, "kind") {
            "annals" => "annals that answer a question about somebody",
            "dialogue" => "minutes of a council in which somebody's wish was read out",
            _ => "chronicle that a summary sentence is about",
        };
        let official = official_search::is_official(params);
        let what = format!(
            "Find, among {documents} long documents, the {asked}. For half of the items that stands behind the first {WINDOW} tokens."
        );
        Card {
            benchmark: "LoCoV1",
            what: if official {
                "Find the long document that a query of one of twelve tasks is about.".to_owned()
            } else {
                what
            },
            citation: "Saad-Falcon et al. 2024, LoCoV1, arXiv 2402.07440; code HazyResearch/m2 @ 7d359e8c (Apache-2.0)",
            licence: "official code Apache-2.0; texts and queries here are Longboard's own",
            length_unit: LengthUnit::ModelTokens,
            diffusion: Diffusion::Medium,
            random_guess: if official { 0.0 } else { searched::ndcg_by_chance(documents, CUT as u32) },
            metric: "locov1.ndcg",
            protocol: official_search::protocol(params, searched::card().protocol),
            importable: Some("LoCoV1 of HazyResearch; its code is Apache-2.0, each source has its own terms"),
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let pool = self.pool(task, request);
        let number = searched::asked(task, request, pool);
        let story = Story::draw(task, request, pool.block, number);
        let mut item = story.item(task, request)?;
        searched::seek(&mut item, pool.documents, number);
        let start = item.needles.first().map_or(0, |needle| needle.token_start);
        let start = start.saturating_sub(crate::tokens::count(&story.query));
        let place = [("evidence_token", json!(start)), ("within_first_512", json!(start < WINDOW))];
        searched::add(&mut item.gold, &place);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, kind| TaskDefinition::generated(self.slug(), slug, title, json!({ "kind": kind }));
        vec![
            task("loco_chronicle", "Chronicles by summary", "chronicle"),
            task("loco_annals", "Annals by question", "annals"),
            task("loco_dialogue", "Minutes by request", "dialogue"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let place = item.gold.get("evidence_token").map(|token| format!("evidence from token {token} on"));
        retrieval::scored(item, answer, |rankings, judged| Measured {
            remark: place.clone().unwrap_or_default(),
            ..ndcg(item, rankings, judged).into()
        })
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let official = official_search::is_official(&task.definition().params);
        if official { official_search::ndcg_by_chance(item, CUT as u32) } else { task.card().random_guess }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

/// NDCG of the ranking without the document that is called like the query.
fn ndcg(item: &Item, rankings: &retrieval::Rankings, judged: &retrieval::Judged) -> f64 {
    let itself = item.gold.get(dataset::ITSELF).and_then(Value::as_str);
    let mut names = rankings.names(0);
    names.retain(|name| Some(*name) != itself);
    judged.relevant.first().map_or(0.0, |relevant| ranking::measures(&names, relevant, CUT).ndcg)
}

impl Retrieval for LocoV1 {
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
        let item = Story::draw(task, request, block, number).item(task, request)?;
        Ok(Document { id: document_id(number), content: Content::Text(searched::document(item)) })
    }
}

fn genre(task: &Task) -> Genre {
    match choice(&task.definition().params, "kind") {
        "annals" => Genre::Annals,
        "dialogue" => Genre::Council,
        _ => Genre::Chronicle,
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::families::searched::tests::{by_words, head, mean_by_words, searched};

    const TASKS: [&str; 3] = ["loco_chronicle", "loco_annals", "loco_dialogue"];

    #[test]
    fn who_reads_512_tokens_fails_on_the_half_that_stands_behind_them() {
        for slug in TASKS {
            let (mut near, mut far) = (Vec::new(), Vec::new());
            let documents: Vec<(String, String)> =
                searched(slug, 2048, 0).2.into_iter().map(|(id, text)| (id, head(&text, WINDOW).to_owned())).collect();
            for index in 0..50 {
                let task = Task::find(slug).unwrap();
                let request = ItemRequest::new(17, index, crate::length::Length::new(2048).unwrap());
                let item = task.item(&request).unwrap();
                let score = task.score(&item, &by_words(&item, &documents).write()).score;
                if item.gold["within_first_512"] == true { near.push(score) } else { far.push(score) }
            }
            assert_eq!((near.len(), far.len()), (25, 25), "{slug}");
            let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
            assert!(mean(&near) > 0.95 && mean(&far) < 0.25, "{slug}: {} and {}", mean(&near), mean(&far));
        }
    }

    #[test]
    fn words_in_common_find_the_document() {
        for slug in TASKS {
            let mean = mean_by_words(slug, 1024, 4);
            assert!(mean > 0.9, "{slug}: {mean}");
        }
    }

    #[test]
    fn gold_says_where_the_evidence_stands() {
        for (slug, index) in TASKS.into_iter().flat_map(|slug| (0..8).map(move |index| (slug, index))) {
            for tokens in [1024, 8192] {
                let request = ItemRequest::new(17, index, crate::length::Length::new(tokens).unwrap());
                let item = Task::find(slug).unwrap().item(&request).unwrap();
                let text = &item.messages[1].content;
                let needle = &item.joined()[item.needles[0].start..item.needles[0].end];
                let (start, end) = (text.find(needle).unwrap(), text.find(needle).unwrap() + needle.len());
                if item.gold["within_first_512"] == true {
                    assert!(crate::tokens::count(&text[..end]) <= WINDOW, "{}", item.id);
                } else {
                    assert!(crate::tokens::count(&text[..start]) >= WINDOW, "{}", item.id);
                }
            }
        }
    }
}
