//! The documents of a pool as they are searched: vectors, texts, or both.

use longboard_suites::bm25;

use super::retrieval::{Unranked, refused};

/// Bytes of text that are kept of a pool: a reranker is sent them with every query, BM25 counts their words.
const TEXT_BYTES: usize = 48 * 1024 * 1024;

/// Bytes of vectors that are kept of a pool.
const VECTOR_BYTES: usize = 2 * 1024 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Library {
    pub ids: Vec<String>,
    /// Unit vectors in the order of `ids`, of a document `parts` of them one after the other.
    pub vectors: Vec<Vec<f32>>,
    /// Vectors of each document; empty where each has one.
    pub parts: Vec<usize>,
    /// Texts in the order of `ids`; empty where only vectors are searched.
    pub texts: Vec<String>,
    /// Words of the texts; absent where none are counted.
    pub index: Option<bm25::Index>,
    /// Canonical tokens of all documents as they were sent.
    pub tokens: u64,
    vector_bytes: usize,
    text_bytes: usize,
}

impl Library {
    /// Appends a batch.
    pub fn add(&mut self, batch: Self) -> Result<(), Unranked> {
        if let (Some(known), Some(new)) = (self.vectors.first(), batch.vectors.first())
            && known.len() != new.len()
        {
            let detail = format!("documents of {} and of {} numbers", known.len(), new.len());
            return Err(refused("wrong_dimension", detail));
        }
        self.vector_bytes += batch.vectors.iter().map(|vector| size_of_val(vector.as_slice())).sum::<usize>();
        self.text_bytes += batch.texts.iter().map(String::len).sum::<usize>();
        self.ids.extend(batch.ids);
        self.vectors.extend(batch.vectors);
        self.parts.extend(batch.parts);
        self.texts.extend(batch.texts);
        self.tokens += batch.tokens;
        for (bytes, most, what) in
            [(self.text_bytes, TEXT_BYTES, "texts"), (self.vector_bytes, VECTOR_BYTES, "vectors")]
        {
            if bytes > most {
                let detail = format!("the {what} of a pool are kept up to {most} bytes; choose a shorter length");
                return Err(refused("pool_too_large", detail));
            }
        }
        Ok(())
    }

    /// Says what it holds.
    pub fn report(&self) {
        let Self { vector_bytes, text_bytes, .. } = self;
        tracing::info!(documents = self.ids.len(), vector_bytes, text_bytes, "a pool is ready to be searched");
    }

    /// Numbers of a vector; 0 where there is none.
    pub fn dimension(&self) -> usize {
        self.vectors.first().map_or(0, Vec::len)
    }

    /// The vectors of each document.
    pub fn matrices(&self) -> impl Iterator<Item = &[Vec<f32>]> {
        let mut rest = self.vectors.as_slice();
        self.parts.iter().map(move |parts| {
            let (own, others) = rest.split_at_checked(*parts).unwrap_or((rest, &[]));
            rest = others;
            own
        })
    }
}
