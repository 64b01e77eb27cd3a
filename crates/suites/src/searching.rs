//! Strategies around embedders: one vector of a long text, or a matrix of its sentences.

use std::str::FromStr;

use crate::encoding::Encoding;
use crate::paraformer::Paraformer;

/// How documents are embedded and scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Searching {
    /// One vector for each text, compared by cosine.
    Encoding(Encoding),
    /// A vector for each sentence, weighed by the query and mixed with BM25.
    Paraformer(Paraformer),
}

impl Searching {
    /// All strategies with their published settings.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let encodings = Encoding::ALL.into_iter().map(Self::Encoding);
        encodings.chain([Self::Paraformer(Paraformer::default())]).collect()
    }

    /// Name and the settings that are not the published ones.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Encoding(encoding) => encoding.slug().to_owned(),
            Self::Paraformer(paraformer) => paraformer.label(),
        }
    }

    /// Title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Encoding(encoding) => encoding.title(),
            Self::Paraformer(_) => "Sentences by sparse attention, with BM25",
        }
    }

    /// Paper, code where it was read, and where this differs.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::Encoding(encoding) => encoding.citation(),
            Self::Paraformer(_) => {
                "Nguyen et al. 2022, Paraformer, arXiv 2212.13899; code nguyenthanhasia/paraformer. Untrained here: identity matrix, cosine for the classifier; all documents are mixed, not ten. alpha=0.1 is the share of the vectors"
            }
        }
    }

    /// What a text of N canonical tokens costs.
    #[must_use]
    pub const fn cost(self) -> &'static str {
        match self {
            Self::Encoding(encoding) => encoding.cost(),
            Self::Paraformer(_) => "a vector for each sentence, N tokens; all are kept, 2 GiB at most",
        }
    }
}

impl FromStr for Searching {
    type Err = String;

    /// Reads what [`Searching::label`] writes.
    fn from_str(label: &str) -> Result<Self, String> {
        if label.split_whitespace().next() == Some("paraformer") {
            return label.parse().map(Self::Paraformer);
        }
        let found = Encoding::ALL.into_iter().find(|encoding| encoding.slug() == label);
        found.map(Self::Encoding).ok_or_else(|| {
            let names = Self::all().into_iter().map(Self::label).collect::<Vec<_>>().join(", ");
            format!("there is no strategy `{label}` for embedders; there are {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_read_back() {
        for strategy in Searching::all() {
            assert_eq!(strategy.label().parse(), Ok(strategy));
        }
        let unknown = "rag".parse::<Searching>().unwrap_err();
        assert!(unknown.contains("for embedders") && unknown.contains("sea, paraformer"), "{unknown}");
    }
}
