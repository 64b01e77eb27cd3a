//! What ranks without a language model, and Longboard's own encoder.

use std::str::FromStr;
use std::sync::LazyLock;

use longboard_refmodel::encoder::{Encoder, Positions};
use longboard_suites::bm25;

use super::ngrams;

/// A built-in contestant whose answers are vectors or scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranker {
    /// Okapi BM25 over the documents of a request; a reranker.
    Bm25,
    /// Hashed words and pairs of words; an embedder.
    HashedNgrams,
    /// The built-in encoder under a position strategy; an embedder.
    Encoder(Positions),
}

/// The built-in encoder, read once; what is wrong with it otherwise.
static ENCODER: LazyLock<Result<Encoder, String>> =
    LazyLock::new(|| Encoder::builtin().map_err(|error| error.to_string()));

impl Ranker {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let encoders = Positions::ALL.into_iter().map(Self::Encoder);
        [Self::Bm25, Self::HashedNgrams].into_iter().chain(encoders).collect()
    }

    /// Its name, also as model name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Bm25 => "bm25",
            Self::HashedNgrams => "hashed-ngrams",
            Self::Encoder(Positions::Plain) => "encoder-plain",
            Self::Encoder(Positions::Pcw) => "encoder-pcw",
            Self::Encoder(Positions::Group) => "encoder-group",
            Self::Encoder(Positions::Recurrent) => "encoder-recurrent",
            Self::Encoder(Positions::Pi) => "encoder-pi",
            Self::Encoder(Positions::Ntk) => "encoder-ntk",
            Self::Encoder(Positions::SelfExtend) => "encoder-self-extend",
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
    /// What to call instead, or what the encoder says.
    pub fn embed(self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        match self {
            Self::Bm25 => Err("bm25 has no vectors; call /v1/rerank".to_owned()),
            Self::HashedNgrams => Ok(texts.iter().map(|text| ngrams::embed(text)).collect()),
            Self::Encoder(positions) => {
                let encoder = ENCODER.as_ref().map_err(Clone::clone)?;
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                encoder.embed(&texts, positions).map_err(|error| error.to_string())
            }
        }
    }

    /// A score per document. CPU-bound.
    ///
    /// # Errors
    /// What to call instead.
    pub fn rerank(self, query: &str, documents: &[String]) -> Result<Vec<f64>, String> {
        match self {
            Self::Bm25 => Ok(bm25::Index::new(documents).scores(query)),
            Self::HashedNgrams | Self::Encoder(_) => {
                Err(format!("{} is an embedder; call /v1/embeddings", self.slug()))
            }
        }
    }
}

impl FromStr for Ranker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().into_iter().find(|ranker| ranker.slug() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::all().into_iter().map(Self::slug).collect();
            format!("no ranker `{text}`; there are: {}", names.join(", "))
        })
    }
}
