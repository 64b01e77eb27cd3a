//! Newswire (dell-research-harvard/newswire @ b63746cf) and HEADLINES: one dispatch printed by many papers.

mod clusters;
mod front_page;
mod headlines;
mod wire;

use std::collections::BTreeMap;

use serde_json::json;

pub use self::headlines::Headlines;

use self::clusters::Similarities;
use self::wire::{ARTICLES, DEV, EVENTS, Wire};
use crate::card::{Card, Diffusion, Protocol, Scope};
use crate::families::{prose, searched};
use crate::item::{Item, Message, Role, Scored};
use crate::metrics::newswire_headlines::clustering_agreement;
use crate::prompt::{Answer, Prompt};
use crate::retrieval::{self, Content, Document, Judged, Measured, Pool, Rankings, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

const SOURCE: &str = "Silcock et al., Newswire, code dell-research-harvard/newswire @ b63746cf (no licence in git, data CC-BY), and HEADLINES";
const LICENCE: &str = "official texts in the public domain; events, articles and headlines here are Longboard's own";

/// Noisy articles of a dozen events, to be grouped by event.
pub struct Newswire;

/// The fixed threshold of the strict form.
const FIXED: f32 = 0.9;

impl Family for Newswire {
    fn slug(&self) -> &'static str {
        "newswire"
    }

    fn title(&self) -> &'static str {
        "Newswire noisy duplicates"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "Newswire",
            what: format!(
                "Group {ARTICLES} articles of {EVENTS} events, misread by OCR, cut at the end and headed anew. Every article is searched with every other; articles whose cosine reaches a threshold are linked, and what hangs together is one event. The threshold is the best one for the first {DEV} articles, the score the adjusted Rand index of the others, 0 where it is negative; strict: the threshold {FIXED}. A length is that of all articles together."
            ),
            citation: SOURCE,
            licence: LICENCE,
            abilities: &["embedding", "clustering"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            metric: "newswire_headlines.clustering_agreement",
            strict_metric: Some("newswire_headlines.clustering_agreement.strict"),
            min_tokens: 2048,
            protocol: Protocol {
                post_processing: "cosines of both directions averaged; single linkage at the threshold that is best on the first third",
                ..searched::card().protocol
            },
            ..searched::card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let articles = Wire::draw(task, request, request.index).articles(request.length.tokens());
        let mut prompt = Prompt::default();
        for article in &articles {
            // The headline is new in every paper; what follows is the dispatch.
            prompt.push(&article.headline);
            prompt.push_needle(&article.body);
        }
        if prompt.tokens() > request.length.tokens() {
            return Err(prose::unsatisfiable(task, request, "the articles do not fit"));
        }
        let relevant = (0..).zip(&articles).map(|(own, article)| {
            let same = (0..).zip(&articles).filter(|(number, other)| *number != own && other.event == article.event);
            same.map(|(number, _)| (document_id(number), 1)).collect()
        });
        let judged = Judged { documents: ARTICLES, relevant: relevant.collect::<Vec<BTreeMap<String, u32>>>() };
        let events: Vec<u32> = articles.iter().map(|article| article.event).collect();
        let gold = searched::gold(&judged, &[("events", json!(events))]);
        let mut item = prompt.finish(task, request, Answer { gold, ..Answer::default() });
        item.references = (0..ARTICLES).skip(DEV as usize).map(document_id).collect();
        item.messages = articles.iter().map(|article| Message { role: Role::User, content: article.text() }).collect();
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "newswire_dedup", "Noisy duplicates", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        retrieval::scored(item, answer, |rankings, judged| {
            let similarities = Similarities::of(rankings, judged.documents as usize);
            let events = events(item);
            let (dev, test) = (0..DEV as usize, DEV as usize..events.len());
            let threshold = similarities.best_threshold(&events, dev);
            let agreement = |threshold| similarities.agreement(&events, test.clone(), threshold).max(0.0);
            Measured {
                score: agreement(threshold),
                strict: Some(agreement(FIXED)),
                remark: format!("linked from a cosine of {threshold:.4}"),
            }
        })
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    /// Who cannot tell articles apart links all of them or none: the adjusted Rand index is 0 exactly.
    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        let judged = Judged::of(item);
        let same = rng.unit() as f32;
        let mut rankings = Rankings::default();
        for _ in &judged.relevant {
            rankings.push((0..judged.documents).map(|number| (document_id(number), same)).collect());
        }
        rankings.write()
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for Newswire {
    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        Pool { block: request.index, documents: ARTICLES }
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let articles = Wire::draw(task, request, block).articles(request.length.tokens());
        let text = articles.get(number as usize).map(wire::Article::text).unwrap_or_default();
        Ok(Document { id: document_id(number), content: Content::Text(text) })
    }
}

/// The event of every article.
fn events(item: &Item) -> Vec<i64> {
    item.gold.get("events").and_then(|events| serde_json::from_value(events.clone()).ok()).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
