//! Ranking texts for a question.

use std::future::Future;

use longboard_suites::{bm25, tokens};

use crate::embedding::cosine;
use crate::model::{CallError, Embedder, Input};

/// Texts that one call of an embedder takes.
const BATCH: usize = 32;

/// Scores of texts and what they took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// One for each text, in order; larger is better.
    pub values: Vec<f64>,
    /// Calls of an endpoint.
    pub calls: u32,
    /// Canonical tokens sent to it.
    pub prompt_tokens: u64,
}

/// What ranks texts.
pub trait Retriever: Send + Sync {
    /// Scores each of `texts` for `question`.
    ///
    /// # Errors
    /// [`CallError`] where an endpoint is asked and fails.
    fn scores(&self, question: &str, texts: &[&str]) -> impl Future<Output = Result<Scores, CallError>> + Send;
}

/// BM25 over words: asks no endpoint, so every strategy can run with it.
#[derive(Debug, Clone, Copy)]
pub struct Bm25;

impl Retriever for Bm25 {
    async fn scores(&self, question: &str, texts: &[&str]) -> Result<Scores, CallError> {
        Ok(Scores { values: bm25::Index::new(texts).scores(question), ..Scores::default() })
    }
}

/// Cosine of embeddings.
pub struct Embedded<'a, E>(
    /// The embedder of question and texts.
    pub &'a E,
);

impl<E: Embedder> Retriever for Embedded<'_, E> {
    async fn scores(&self, question: &str, texts: &[&str]) -> Result<Scores, CallError> {
        let mut scores = Scores::default();
        let asked = self.embed(&[question], &mut scores).await?;
        let asked = asked.first().map(Vec::as_slice).unwrap_or_default();
        for batch in texts.chunks(BATCH) {
            let vectors = self.embed(batch, &mut scores).await?;
            scores.values.extend(vectors.iter().map(|vector| likeness(asked, vector)));
        }
        Ok(scores)
    }
}

impl<E: Embedder> Embedded<'_, E> {
    async fn embed(&self, texts: &[&str], scores: &mut Scores) -> Result<Vec<Vec<f32>>, CallError> {
        let inputs: Vec<Input> = texts.iter().map(|&text| Input::Text(text.to_owned())).collect();
        scores.calls += 1;
        scores.prompt_tokens += texts.iter().map(|text| u64::from(tokens::count(text))).sum::<u64>();
        Ok(self.0.embed(&inputs).await?.vectors)
    }
}

/// Cosine of two vectors; 0 where their lengths differ, one has no direction, or a number is none.
fn likeness(left: &[f32], right: &[f32]) -> f64 {
    let cosine = cosine(left, right);
    if left.len() == right.len() && cosine.is_finite() { cosine } else { 0.0 }
}
