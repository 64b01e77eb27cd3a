//! FollowIR (arXiv 2403.15246, section 3): an instruction is narrowed, and documents that it now excludes have to fall.

mod dataset;
mod pool;

use serde_json::{Value, json};

use self::pool::{Class, POOL, Quire};
use crate::card::{Card, Diffusion, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::{official_search, searched};
use crate::item::{Item, Scored};
use crate::metrics::followir;
use crate::retrieval::{self, Content, Document, Judged, Measured, Pool, Rankings, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// The same query with two instructions, searched in one pool.
pub struct FollowIr;

/// Places of the original ranking that the companion measure counts: of NDCG, and of average precision.
const CUT: usize = 5;
const DEEP: usize = 1000;

/// Key of a gold under which the documents stand that the changed instruction excludes.
const STOPPED: &str = "stopped";

impl Family for FollowIr {
    fn slug(&self) -> &'static str {
        "followir"
    }

    fn title(&self) -> &'static str {
        "FollowIR-like changed instructions"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[official_search::SOURCE]
    }

    fn card(&self, params: &Params) -> Card {
        let stopped = pool::STOPPED;
        let official = "Rank a query's pool twice, once under an instruction and once under a narrower one. p-MRR is \
                 positive where documents that it excludes move down. Score 0..1: p-MRR taken from -1..1 to 0..1, so 0.5 \
                 is an ignored instruction; strict: p-MRR over the largest that the pool allows, 0 where it is negative."
            .to_owned();
        let made = format!(
            "Rank a pool of {POOL} documents twice, once under an instruction and once under a narrower one that \
                 excludes {stopped} of them. p-MRR is positive where these move down. Score 0..1: p-MRR over the \
                 largest that the pool allows, taken from -1..1 to 0..1, so 0.5 is an ignored instruction; strict: \
                 the same without what is below 0.5, 0 for an ignored one and 1 for the best."
        );
        let protocol = Protocol {
            post_processing: "query, space, instruction; ranked by cosine, ties by document name descending; documents that are not ranked stand behind the last",
            ..searched::card().protocol
        };
        Card {
            benchmark: "FollowIR",
            what: if official_search::is_official(params) { official } else { made },
            citation: "Weller et al. 2024, FollowIR, arXiv 2403.15246; code orionw/FollowIR @ 61ad33e0 (no licence stated); p-MRR as in mteb",
            licence: "official data without licence; texts, queries and instructions here are Longboard's own",
            abilities: &["embedding", "instructions"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: 0.5,
            metric: "followir.p_mrr",
            strict_metric: Some("followir.p_mrr.strict"),
            min_tokens: 512,
            protocol: official_search::protocol(params, protocol),
            importable: Some("no licence in the repository; mteb states MIT for the data"),
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let quire = Quire::draw(task, request, request.index);
        let shown = quire.numbers(Class::Stopped).next().unwrap_or(0);
        let mut item = quire.item(task, request, shown)?;
        let names = |classes: &[Class]| -> Vec<String> {
            classes.iter().flat_map(|class| quire.numbers(*class)).map(document_id).collect()
        };
        let graded = |classes: &[Class]| names(classes).into_iter().map(|id| (id, 1)).collect();
        let judged =
            Judged { documents: POOL, relevant: vec![graded(&[Class::Kept, Class::Stopped]), graded(&[Class::Kept])] };
        item.references = names(&[Class::Stopped]);
        item.gold = searched::gold(&judged, &[(STOPPED, json!(item.references))]);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "instruction_flip", "Changed instructions", json!({}))]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let official = official_search::is_official(params);
        let by_precision = item.gold.get("by_precision").and_then(Value::as_bool).unwrap_or(false);
        retrieval::scored(item, answer, |rankings, judged| {
            let moved = p_mrr(rankings, &item.references);
            let companion = if by_precision {
                format!(
                    "MAP@{DEEP} of the original instruction {:.4}",
                    searched::measures(rankings, judged, 0, DEEP).map
                )
            } else {
                format!(
                    "nDCG@{CUT} of the original instruction {:.4}",
                    searched::measures(rankings, judged, 0, CUT).ndcg
                )
            };
            let most = largest(item.references.len(), judged.documents as usize);
            let share = if most > 0.0 { moved / most } else { 0.0 };
            Measured {
                score: ((1.0 + if official { moved } else { share }) / 2.0).clamp(0.0, 1.0),
                strict: Some(share.clamp(0.0, 1.0)),
                remark: format!("p-MRR {:.2}; {companion}", 100.0 * moved),
            }
        })
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        let judged = Judged::of(item);
        let names = retrieval::names(&judged);
        let mut rankings = Rankings::default();
        for (query, relevant) in judged.relevant.iter().enumerate() {
            let score = |id: &String| {
                let id = id.clone();
                let grade = if relevant.contains_key(&id) { 1.0 } else { 0.0 };
                // What the change excludes stands first before it and last after it, in the same order.
                let push = match item.references.iter().position(|stopped| *stopped == id) {
                    Some(place) if query == 0 => 2.0 - place as f32 / 100.0,
                    Some(place) => -1.0 - place as f32 / 100.0,
                    None => 0.0,
                };
                (id, grade + push)
            };
            rankings.push(names.iter().map(score).collect());
        }
        rankings.write()
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

impl Retrieval for FollowIr {
    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        Pool { block: request.index, documents: POOL }
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let item = Quire::draw(task, request, block).item(task, request, number)?;
        Ok(Document { id: document_id(number), content: Content::Text(searched::document(item)) })
    }
}

/// p-MRR of one query: the mean move of the documents that the changed instruction excludes, -1..1.
fn p_mrr(rankings: &Rankings, stopped: &[String]) -> f64 {
    let place = |query: usize, id: &str| {
        let names = rankings.names(query);
        names.iter().position(|name| *name == id).unwrap_or(names.len()) + 1
    };
    let moves = stopped.iter().map(|id| followir::rank_change(place(0, id), place(1, id)));
    moves.sum::<f64>() / stopped.len().max(1) as f64
}

/// The largest p-MRR that `stopped` documents can have in a pool: the first places before, the last ones after, in order.
fn largest(stopped: usize, documents: usize) -> f64 {
    let behind = documents.saturating_sub(stopped);
    let moves = (1..=stopped).map(|place| followir::rank_change(place, behind + place));
    moves.sum::<f64>() / stopped.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::searched::tests::{by_words, searched};

    #[test]
    fn who_ignores_the_instruction_stays_at_half() {
        let (task, item, documents) = searched("instruction_flip", 1024, 3);
        let mut rankings = by_words(&item, &documents);
        rankings.rankings[1] = rankings.rankings[0].clone();
        let scored = task.score(&item, &rankings.write());
        assert_eq!((scored.score, scored.strict), (0.5, Some(0.0)));
        assert!(scored.extracted.starts_with("p-MRR 0.00; nDCG@5"), "{}", scored.extracted);
    }

    #[test]
    fn the_opposite_of_the_oracle_scores_nothing() {
        let (task, item, _) = searched("instruction_flip", 512, 1);
        let mut rankings = Rankings::read(&FollowIr.oracle(task, &item), 2).unwrap();
        rankings.rankings.reverse();
        let scored = task.score(&item, &rankings.write());
        assert!(scored.score.abs() < 1e-12 && scored.strict == Some(0.0), "{scored:?}");
    }

    #[test]
    fn no_order_of_few_documents_moves_further_than_the_largest() {
        // Every pair of places that two stopped documents can have in a pool of six.
        let places: Vec<(usize, usize)> =
            (1..=6).flat_map(|one| (1..=6).filter(move |other| *other != one).map(move |other| (one, other))).collect();
        let mut best = f64::MIN;
        for (old, other_old) in &places {
            for (new, other_new) in &places {
                best =
                    best.max((followir::rank_change(*old, *new) + followir::rank_change(*other_old, *other_new)) / 2.0);
            }
        }
        let greedy = (followir::rank_change(1, 5) + followir::rank_change(2, 6)) / 2.0;
        assert!((best - greedy).abs() < 1e-12, "{best} {greedy}");
    }

    #[test]
    fn classes_differ_in_what_documents_say() {
        let (_, item, documents) = searched("instruction_flip", 1024, 2);
        let quire = Quire::draw(Task::find("instruction_flip").unwrap(), &request(2), 2);
        let excluded = quire.excluded();
        for (id, text) in &documents {
            if item.references.contains(id) {
                assert!(text.contains(&excluded), "{id}");
            }
        }
        let kept = item.gold["relevant"][1].as_object().unwrap();
        assert_eq!(kept.len() + item.references.len(), item.gold["relevant"][0].as_object().unwrap().len());
        for id in kept.keys() {
            let text = &documents.iter().find(|(name, _)| name == id).unwrap().1;
            assert!(!text.contains(&excluded), "{id}");
        }
    }

    fn request(index: u32) -> ItemRequest<'static> {
        ItemRequest::new(17, index, crate::length::Length::new(1024).unwrap())
    }
}
