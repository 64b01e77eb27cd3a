//! What ranks without a language model.

use std::str::FromStr;

use super::ngrams;

/// A baseline whose answers are vectors or scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranker {
    /// Okapi BM25 over the documents of a request; a reranker.
    Bm25,
    /// Hashed words and pairs of words; an embedder.
    HashedNgrams,
}

impl Ranker {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Bm25, Self::HashedNgrams];

    /// Its name, also as model name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Bm25 => "bm25",
            Self::HashedNgrams => "hashed-ngrams",
        }
    }

    /// Whether it scores documents for a query, and has no vectors.
    #[must_use]
    pub const fn reranks(self) -> bool {
        matches!(self, Self::Bm25)
    }

    /// A vector per text. CPU-bound.
    ///
    /// # Errors
    /// What to call instead.
    pub fn embed(self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        match self {
            Self::Bm25 => Err("bm25 has no vectors; call /v1/rerank".to_owned()),
            Self::HashedNgrams => Ok(texts.iter().map(|text| ngrams::embed(text)).collect()),
        }
    }

    /// A score per document. CPU-bound.
    ///
    /// # Errors
    /// What to call instead.
    pub fn rerank(self, query: &str, documents: &[String]) -> Result<Vec<f64>, String> {
        match self {
            Self::Bm25 => Ok(longboard_suites::bm25::Index::new(documents).scores(query)),
            Self::HashedNgrams => Err("hashed-ngrams is an embedder; call /v1/embeddings".to_owned()),
        }
    }
}

impl FromStr for Ranker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|ranker| ranker.slug() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::slug).join(", ");
            format!("no ranker `{text}`; there are: {names}")
        })
    }
}
