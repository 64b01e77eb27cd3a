//! Retrieval: queries, the documents they search, and which of these are relevant.
//!
//! An item of a retrieval family holds its queries as user messages, and the documents that are relevant after them, so
//! that its digest covers both and its needles say where the evidence lies. Endpoints do not see it whole: an embedder is
//! sent queries and documents one by one, a reranker a query with documents. What comes of it is a ranking per query, the
//! answer to the item.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::item::{Item, Role, Scored};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

/// Places of a ranking that are kept, the depth of official runs (`trec_eval`, FollowIR, LoCoV1).
pub const DEPTH: usize = 1000;

/// Places of the deepest ranking that any family reads (SEA).
pub const DEEPEST: usize = 3000;

/// What is embedded: a query or a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 text.
    Text(String),
    /// A PNG or JPEG file, as it is; see [`picture_type`].
    Picture(Vec<u8>),
}

/// Media type of a picture by its first bytes; `None` where it is neither PNG nor JPEG.
#[must_use]
pub fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    bytes.starts_with(b"\xff\xd8\xff").then_some("image/jpeg")
}

/// A document of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Name in rankings, unique in its pool.
    pub id: String,
    /// What it holds.
    pub content: Content,
}

/// The documents that an item's queries search. Items with the same block search the same documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pool {
    /// Which pool of the (task, length, seed) cell.
    pub block: u32,
    /// How many documents it has, numbered from 0.
    pub documents: u32,
}

/// The retrieval side of a family.
pub trait Retrieval: Sync {
    /// The pool of an item.
    fn pool(&self, task: &Task, request: &ItemRequest<'_>) -> Pool;
    /// Document `number` of a block. The index of `request` has no influence.
    ///
    /// # Errors
    /// [`GenerateError`] as for items.
    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError>;
    /// Query `number` of an item. Texts are the item's user messages.
    fn query(&self, _task: &Task, item: &Item, number: usize) -> Option<Content> {
        queries(item).nth(number).map(|query| Content::Text(query.to_owned()))
    }
    /// Places of a ranking that are kept.
    fn depth(&self) -> usize {
        DEPTH
    }
}

/// Name of document `number`: zero-filled, so that names order as numbers do.
#[must_use]
pub fn document_id(number: u32) -> String {
    format!("d{number:04}")
}

/// Queries of an item in order.
pub fn queries(item: &Item) -> impl Iterator<Item = &str> {
    item.messages.iter().filter(|message| message.role == Role::User).map(|message| message.content.as_str())
}

/// Relevance grades of documents by query, as `Item::gold` holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Documents of the pool.
    pub documents: u32,
    /// For each query: grade by document name; documents that are missing are not relevant.
    pub relevant: Vec<BTreeMap<String, u32>>,
}

impl Judged {
    /// The form that an item carries.
    #[must_use]
    pub fn to_gold(&self) -> Value {
        json!(self)
    }

    /// Reads the gold of an item; nothing is relevant where there is none.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        Self::deserialize(&item.gold).unwrap_or_default()
    }
}

/// A document and how well it fits, in the order of a ranking.
pub type Ranked = (String, f32);

/// The answer to an item: a ranking per query, best first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rankings {
    /// Rankings in the order of the queries.
    pub rankings: Vec<Vec<Ranked>>,
}

/// An answer that is no ranking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RankingError {
    /// Not the JSON of rankings.
    #[error("not the JSON of rankings: {0}")]
    Unreadable(String),
    /// More or fewer rankings than queries.
    #[error("{found} rankings for {wanted} queries")]
    Count {
        /// Rankings in the answer.
        found: usize,
        /// Queries of the item.
        wanted: usize,
    },
    /// A document stands twice in one ranking.
    #[error("document {0} is ranked twice")]
    Twice(String),
    /// A score is no number.
    #[error("document {0} has a score that is not finite")]
    NotFinite(String),
}

impl Rankings {
    /// Adds the ranking of the next query: by score, ties by name, both descending (`trec_eval`), cut at [`DEPTH`].
    pub fn push(&mut self, scores: Vec<Ranked>) {
        self.push_deep(scores, DEPTH);
    }

    /// The same with so many places kept, at most [`DEEPEST`].
    pub fn push_deep(&mut self, mut scores: Vec<Ranked>, depth: usize) {
        scores.sort_by(order);
        scores.truncate(depth.min(DEEPEST));
        self.rankings.push(scores);
    }

    /// The text of the answer.
    #[must_use]
    pub fn write(&self) -> String {
        json!(self).to_string()
    }

    /// Reads an answer to an item with `queries` queries. The order is that of the scores, whatever the answer's.
    ///
    /// # Errors
    /// [`RankingError`] names what is wrong.
    pub fn read(text: &str, queries: usize) -> Result<Self, RankingError> {
        let mut read: Self = serde_json::from_str(text).map_err(|error| RankingError::Unreadable(error.to_string()))?;
        if read.rankings.len() != queries {
            return Err(RankingError::Count { found: read.rankings.len(), wanted: queries });
        }
        for ranking in &mut read.rankings {
            let mut seen = BTreeSet::new();
            for (id, score) in ranking.iter() {
                if !seen.insert(id.as_str()) {
                    return Err(RankingError::Twice(id.clone()));
                }
                if !score.is_finite() {
                    return Err(RankingError::NotFinite(id.clone()));
                }
            }
            ranking.sort_by(order);
            ranking.truncate(DEEPEST);
        }
        Ok(read)
    }

    /// Names in order, of one query.
    #[must_use]
    pub fn names(&self, query: usize) -> Vec<&str> {
        self.rankings.get(query).into_iter().flatten().map(|(id, _)| id.as_str()).collect()
    }
}

/// Score descending, then name descending.
fn order(a: &Ranked, b: &Ranked) -> Ordering {
    b.1.total_cmp(&a.1).then_with(|| b.0.cmp(&a.0))
}

/// What a metric makes of rankings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Score, 0..1.
    pub score: f64,
    /// Score of the strict form, where there is one.
    pub strict: Option<f64>,
    /// What else was measured, for the sample page; may be empty.
    pub remark: String,
}

impl From<f64> for Measured {
    fn from(score: f64) -> Self {
        Self { score, ..Self::default() }
    }
}

/// Scores an answer with `metric` over its rankings. Text that is no ranking scores nothing.
pub fn scored<M: Into<Measured>>(item: &Item, answer: &str, metric: impl Fn(&Rankings, &Judged) -> M) -> Scored {
    let rankings = match Rankings::read(answer, queries(item).count()) {
        Ok(rankings) => rankings,
        Err(error) => {
            return Scored { score: 0.0, strict: None, extracted: error.to_string(), well_formed: false };
        }
    };
    let judged = Judged::of(item);
    let Measured { score, strict, remark } = metric(&rankings, &judged).into();
    let shown = shown(&rankings, &judged);
    let extracted = if remark.is_empty() { shown } else { format!("{remark}\n{shown}") };
    Scored { score, strict, extracted, well_formed: true }
}

/// The head of each ranking and where its relevant documents stand.
fn shown(rankings: &Rankings, judged: &Judged) -> String {
    const HEAD: usize = 5;
    const LINES: usize = 8;
    let lines = rankings.rankings.iter().enumerate().take(LINES).map(|(query, ranking)| {
        let head: Vec<String> = ranking.iter().take(HEAD).map(|(id, score)| format!("{id} {score:.4}")).collect();
        let relevant = judged.relevant.get(query);
        let places: Vec<String> = ranking
            .iter()
            .enumerate()
            .filter(|(_, (id, _))| relevant.is_some_and(|relevant| relevant.contains_key(id)))
            .map(|(place, (id, _))| format!("{id} at {}", place + 1))
            .take(HEAD)
            .collect();
        let places = if places.is_empty() { "not ranked".to_owned() } else { places.join(", ") };
        format!("{}; relevant: {places}", head.join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Names of the documents that queries search: those of a made pool, or stand-ins for what is not known of an official one
/// beside its relevant documents.
pub(crate) fn names(judged: &Judged) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = judged.relevant.iter().flat_map(BTreeMap::keys).cloned().collect();
    let whole = (judged.documents as usize).max(names.len());
    for name in (0..judged.documents).map(document_id) {
        if names.len() >= whole {
            break;
        }
        names.insert(name);
    }
    names
}

/// A ranking per query with the relevant documents first, the best grade before the others.
#[must_use]
pub fn oracle(item: &Item) -> String {
    let judged = Judged::of(item);
    let names = names(&judged);
    let mut rankings = Rankings::default();
    for relevant in &judged.relevant {
        let graded = |id: &String| (id.clone(), relevant.get(id).copied().unwrap_or(0) as f32);
        rankings.push(names.iter().map(graded).collect());
    }
    rankings.write()
}

/// Rankings in random order.
#[must_use]
pub fn guess(item: &Item, rng: &mut Rng) -> String {
    let judged = Judged::of(item);
    let names = names(&judged);
    let mut rankings = Rankings::default();
    for _ in &judged.relevant {
        rankings.push(names.iter().map(|id| (id.clone(), rng.unit() as f32)).collect());
    }
    rankings.write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_later_name() {
        let mut rankings = Rankings::default();
        rankings.push(vec![("a".into(), 1.0), ("c".into(), 0.5), ("b".into(), 1.0)]);
        assert_eq!(rankings.names(0), ["b", "a", "c"]);
        assert_eq!(Rankings::read(&rankings.write(), 1), Ok(rankings));
    }

    #[test]
    fn what_is_no_ranking_is_named() {
        let read = |text: &str| Rankings::read(text, 1).unwrap_err();
        assert!(matches!(read("the third"), RankingError::Unreadable(_)));
        assert_eq!(read(r#"{"rankings":[]}"#), RankingError::Count { found: 0, wanted: 1 });
        assert_eq!(read(r#"{"rankings":[[["a",1],["a",2]]]}"#), RankingError::Twice("a".into()));
        assert!(matches!(read(r#"{"rankings":[[["a",1e60]]]}"#), RankingError::NotFinite(_)));
    }
}
