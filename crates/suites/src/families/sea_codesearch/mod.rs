//! SEA (arXiv 2208.11271, section 4): a function found by its doc comment, over the whole code base.

mod dataset;
mod function;

use std::collections::BTreeMap;

use serde_json::json;

use self::function::{Function, PROGRAMS};
use crate::card::{Card, Diffusion, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::{official_search, searched};
use crate::item::{Item, Scored};
use crate::metrics::ranking;
use crate::metrics::sea_codesearch::RANK_CUTOFF;
use crate::retrieval::{self, Content, Document, Judged, Measured, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// Functions of one length, four of them twice; a query is the doc comment that was taken out of one.
pub struct SeaCodeSearch;

/// Functions that stand twice, under another name of a document.
const TWICE: u32 = 4;
const FUNCTIONS: u32 = PROGRAMS + TWICE;

impl Family for SeaCodeSearch {
    fn slug(&self) -> &'static str {
        "sea_codesearch"
    }

    fn title(&self) -> &'static str {
        "SEA-like search for long functions"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[official_search::SOURCE]
    }

    fn card(&self, params: &Params) -> Card {
        let official = official_search::is_official(params);
        let made = format!(
            "Find, among {FUNCTIONS} long functions of which many are alike but for one step, the one that a doc comment describes."
        );
        let protocol = Protocol {
            post_processing: "ranked by cosine, ties by document name descending; reciprocal rank of the best copy, 0 beyond 3,000",
            ..searched::card().protocol
        };
        Card {
            benchmark: "SEA code search",
            what: if official {
                "Find, in a language's whole code base, the function that a doc comment describes.".to_owned()
            } else {
                made
            },
            citation: "Hu et al. 2022, SEA, arXiv 2208.11271; code fly-dragon211/SEA @ 8bb61b1b (no licence stated)",
            licence: "official data without licence; functions and doc comments here are Longboard's own",
            tokenizer: "that of RoBERTa, 256 tokens of code",
            abilities: &["embedding", "code"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: if official { 0.0 } else { reciprocal_by_chance(FUNCTIONS, 1) },
            metric: "sea_codesearch.mrr",
            min_tokens: 256,
            protocol: official_search::protocol(params, protocol),
            importable: Some("CodeSearchNet's functions, each under the licence of its repository"),
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let pool = self.pool(task, request);
        let number = searched::asked(task, request, pool);
        let mut item = Function::draw(task, request, pool.block, original(number)).item(task, request)?;
        let copies = (0..FUNCTIONS).filter(|other| original(*other) == original(number));
        let relevant: BTreeMap<String, u32> = copies.map(|copy| (document_id(copy), 1)).collect();
        item.references = relevant.keys().cloned().collect();
        item.gold = Judged { documents: pool.documents, relevant: vec![relevant] }.to_gold();
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "sea_codesearch", "Functions by doc comment", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        retrieval::scored(item, answer, |rankings, judged| {
            let nothing = BTreeMap::new();
            let relevant = judged.relevant.first().unwrap_or(&nothing);
            let reciprocal = ranking::reciprocal_rank(&rankings.names(0), relevant);
            let within = |cut: u32| f64::from(u8::from(reciprocal * f64::from(cut) >= 1.0 - 1e-9));
            let remark = format!("R@1 {}; R@5 {}; R@10 {}", within(1), within(5), within(10));
            Measured { remark, ..reciprocal.into() }
        })
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let (relevant, documents) = official_search::pool_of(item);
        reciprocal_by_chance(documents, relevant.len())
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for SeaCodeSearch {
    fn depth(&self) -> usize {
        RANK_CUTOFF
    }

    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        searched::shared_pool(FUNCTIONS, request)
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let item = Function::draw(task, request, block, original(number)).item(task, request)?;
        Ok(Document { id: document_id(number), content: Content::Text(searched::document(item)) })
    }
}

/// The function that a document holds: the last ones are copies.
fn original(number: u32) -> u32 {
    number.checked_sub(PROGRAMS).map_or(number, |copy| copy * (PROGRAMS / TWICE))
}

/// Expected reciprocal rank of the first of `relevant` documents in a random order.
fn reciprocal_by_chance(documents: u32, relevant: usize) -> f64 {
    let (mut chance, mut none_before) = (0.0, 1.0);
    for rank in 1..=documents.min(RANK_CUTOFF as u32) {
        let left = f64::from(documents - rank + 1);
        let first = (relevant as f64 / left).min(1.0);
        chance += none_before * first / f64::from(rank);
        none_before *= 1.0 - first;
    }
    chance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::searched::tests::{mean_by_words, searched};

    #[test]
    fn the_doc_comment_is_not_in_the_code() {
        let (_, item, documents) = searched("sea_codesearch", 2048, 5);
        let query = &item.messages[0].content;
        let code = &item.messages[1].content;
        assert!(query.starts_with("Reads the ") && code.starts_with("def "), "{query}\n{code}");
        assert!(documents.iter().all(|(_, text)| !text.contains(query) && !text.contains('#')));
    }

    #[test]
    fn copies_are_the_same_and_the_best_of_them_counts() {
        let task = Task::find("sea_codesearch").unwrap();
        let twice = |index: &u32| {
            let request = ItemRequest::new(17, *index, crate::length::Length::new(256).unwrap());
            task.item(&request).unwrap().references.len() == 2
        };
        let (_, item, documents) = searched("sea_codesearch", 256, (0..FUNCTIONS).find(twice).unwrap());
        let text = |id: &String| &documents.iter().find(|(name, _)| name == id).unwrap().1;
        assert_eq!(text(&item.references[0]), text(&item.references[1]));
        let mut rankings = retrieval::Rankings::default();
        let others = documents.iter().map(|(id, _)| id).filter(|id| !item.references.contains(id)).take(2);
        let order = [&item.references[1]].into_iter().chain(others).chain([&item.references[0]]);
        rankings.push(order.zip(0_u8..).map(|(id, place)| (id.clone(), -f32::from(place))).collect());
        assert_eq!(task.score(&item, &rankings.write()).score, 1.0);
    }

    #[test]
    fn chance_of_copies_by_hand() {
        assert!((reciprocal_by_chance(3, 1) - (1.0 + 0.5 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
        // Of three places two are relevant: first 2/3, second 1/3.
        assert!((reciprocal_by_chance(3, 2) - (2.0 / 3.0 + 1.0 / 6.0)).abs() < 1e-12);
    }

    #[test]
    fn words_in_common_find_kin_and_rarely_more() {
        let mean = mean_by_words("sea_codesearch", 512, 10);
        assert!(mean > 2.0 * reciprocal_by_chance(FUNCTIONS, 1), "{mean}");
    }
}
