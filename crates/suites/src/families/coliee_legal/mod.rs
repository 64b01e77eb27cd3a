//! Statute retrieval as in COLIEE (Paraformer, arXiv 2212.13899, section 4): a situation, and the articles that decide it.

mod dataset;
mod statute;

use std::collections::BTreeMap;

use serde_json::json;

use self::statute::{ARTICLES, Statute};
use crate::card::{Card, Diffusion, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::{official_search, searched};
use crate::item::{Item, Scored};
use crate::metrics::coliee_legal;
use crate::retrieval::{self, Content, Document, Judged, Measured, Pool, Rankings, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// A statute of long articles; each decides one situation, some together with another to which they refer.
pub struct ColieeLegal;

impl Family for ColieeLegal {
    fn slug(&self) -> &'static str {
        "coliee_legal"
    }

    fn title(&self) -> &'static str {
        "COLIEE-like statute retrieval"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[official_search::SOURCE]
    }

    fn card(&self, params: &Params) -> Card {
        let official = official_search::is_official(params);
        let made = format!(
            "Find, among the {ARTICLES} long articles of a statute, the one or two that decide a situation. The best article is named, as in the official pipeline, and the next one only where it ties with it."
        );
        let protocol = Protocol {
            post_processing: "ranked by cosine, ties by document name descending; the best article is named, in made statutes with the next where it ties; F2 per situation, so that a mean is macro F2",
            ..searched::card().protocol
        };
        Card {
            benchmark: "COLIEE statutes",
            what: if official {
                "Find the articles of a civil code that decide a statement. The best article is named.".to_owned()
            } else {
                made
            },
            citation: "Nguyen et al. 2022, Attentive CNN and Paraformer, arXiv 2212.13899; code nguyenthanhasia/paraformer (no licence stated)",
            licence: "official data under an agreement; statutes and situations here are Longboard's own",
            tokenizer: "that of XLM-RoBERTa, sentence by sentence",
            abilities: &["embedding", "law"],
            diffusion: Diffusion::Medium,
            scope: Scope::Narrow,
            random_guess: if official { 0.0 } else { f2_by_chance(1, ARTICLES) },
            metric: "coliee_legal.macro_p_r_f2",
            min_tokens: 512,
            protocol: official_search::protocol(params, protocol),
            importable: Some("COLIEE's data agreement: not to be passed on"),
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let pool = self.pool(task, request);
        let number = searched::asked(task, request, pool);
        let statute = Statute::draw(task, request, pool.block);
        let mut item = statute.item(task, request, number)?;
        let relevant: BTreeMap<String, u32> =
            Statute::deciding(number).into_iter().map(|article| (document_id(article), 1)).collect();
        item.references = relevant.keys().cloned().collect();
        item.gold = Judged { documents: pool.documents, relevant: vec![relevant] }.to_gold();
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "statute_retrieval", "Statutes by situation", json!({}))]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let most = if official_search::is_official(params) { 1 } else { TIED };
        retrieval::scored(item, answer, |rankings, judged| {
            let found = coliee_legal::one(&named(rankings, most), &item.references);
            let recall = |cut| searched::measures(rankings, judged, 0, cut).recall;
            let remark = format!(
                "P {:.4}; R {:.4}; recall@5 {:.4}; recall@10 {:.4}; recall@20 {:.4}",
                found.precision,
                found.recall,
                recall(5),
                recall(10),
                recall(20)
            );
            Measured { remark, ..found.f2.into() }
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
        f2_by_chance(relevant.len(), documents)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for ColieeLegal {
    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        searched::shared_pool(ARTICLES, request)
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let item = Statute::draw(task, request, block).item(task, request, number)?;
        Ok(Document { id: document_id(number), content: Content::Text(searched::document(item)) })
    }
}

/// Articles that a ranking of a made statute names at most: the best, and the next where it ties with it. No more, so that a
/// ranking without any order does not name all.
const TIED: usize = 2;

/// The best article that a ranking names, with those that tie with it, `most` together.
fn named(rankings: &Rankings, most: usize) -> Vec<String> {
    let ranking = rankings.rankings.first().map(Vec::as_slice).unwrap_or_default();
    let best = ranking.first().map(|(_, score)| *score);
    ranking.iter().take(most).filter(|(_, score)| Some(*score) == best).map(|(id, _)| id.clone()).collect()
}

/// Expected F2 of one of `articles`, named at random, of which `relevant` decide.
fn f2_by_chance(relevant: usize, articles: u32) -> f64 {
    let relevant = relevant as f64;
    relevant / f64::from(articles) * 5.0 / (4.0 * relevant + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::searched::tests::{mean_by_words, searched};

    #[test]
    fn the_best_article_is_named_and_a_second_only_where_it_ties() {
        let ranking = |scores: &[f32]| {
            let mut rankings = Rankings::default();
            rankings.push(scores.iter().zip(0..).map(|(score, number)| (document_id(number), *score)).collect());
            named(&rankings, TIED)
        };
        assert_eq!(ranking(&[0.5, 0.9, 0.8]), ["d0001"]);
        assert_eq!(ranking(&[0.9, 0.9, 0.8]), ["d0001", "d0000"]);
        assert_eq!(ranking(&[0.9, 0.9, 0.9]).len(), 2);
        assert!(ranking(&[]).is_empty());
    }

    #[test]
    fn a_second_article_decides_where_the_first_refers_to_it() {
        let mut counts = [0; 3];
        for index in 0..ARTICLES {
            let task = Task::find("statute_retrieval").unwrap();
            let request = ItemRequest::new(3, index, crate::length::Length::new(512).unwrap());
            let item = task.item(&request).unwrap();
            counts[item.references.len()] += 1;
            assert_eq!(item.needles.len(), item.references.len(), "{}", item.id);
        }
        assert_eq!(counts, [0, 27, 13]);
    }

    #[test]
    fn one_of_two_articles_is_five_ninths() {
        let task = Task::find("statute_retrieval").unwrap();
        let two = |index: &u32| {
            let request = ItemRequest::new(17, *index, crate::length::Length::new(512).unwrap());
            task.item(&request).unwrap().references.len() == 2
        };
        let (_, item, documents) = searched("statute_retrieval", 512, (0..ARTICLES).find(two).unwrap());
        let mut rankings = Rankings::default();
        let score = |id: &String| if *id == item.references[1] { 1.0 } else { 0.0 };
        rankings.push(documents.iter().map(|(id, _)| (id.clone(), score(id))).collect());
        assert!((task.score(&item, &rankings.write()).score - 5.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn words_in_common_beat_chance() {
        let mean = mean_by_words("statute_retrieval", 1024, 8);
        assert!(mean > 5.0 * f2_by_chance(1, ARTICLES), "{mean}");
    }
}
