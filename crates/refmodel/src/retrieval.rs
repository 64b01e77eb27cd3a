//! A short context for a drafter: the chunks of a prompt that fit its question best.
//!
//! RAPID (Chen et al. 2025, PMLR 267:8093-8107) ranks chunks by the cosine of an embedder (BGE-M3); here BM25 (Robertson
//! and Zaragoza 2009, section 3) over the model's own tokens ranks them, since there is no embedder beside the weights.

use std::collections::BTreeSet;

use longboard_suites::bm25::best;
pub use longboard_suites::bm25::scores as bm25;

/// First tokens that always stay: they open the frame and say what to do.
const OPENING: usize = 64;

/// What a drafter reads of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retrieval {
    /// Tokens of a chunk.
    pub chunk: usize,
    /// Last tokens of the prompt, which are the question and always stay.
    pub question: usize,
    /// Tokens kept at least.
    pub least: usize,
    /// Of this many tokens one is kept, where that is more than `least`.
    pub share: usize,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self { chunk: 512, question: 128, least: 4096, share: 24 }
    }
}

impl Retrieval {
    /// Most tokens that are kept of `tokens`. The paper wants 4096 <= kept <= N / 24, which no prompt below 98,304 tokens
    /// allows; read as: N / 24, but at least 4096.
    #[must_use]
    pub fn budget(&self, tokens: usize) -> usize {
        self.least.max(tokens / self.share.max(1)).min(tokens)
    }

    /// The opening, the best chunks in the order of the text, and the question; the whole prompt where it is short.
    #[must_use]
    pub fn short(&self, prompt: &[u32]) -> Vec<u32> {
        let budget = self.budget(prompt.len());
        let edges = OPENING + self.question;
        if prompt.len() <= budget || prompt.len() <= edges {
            return prompt.to_vec();
        }
        let (opening, rest) = prompt.split_at(OPENING);
        let (text, question) = rest.split_at(rest.len() - self.question);
        let chunks: Vec<&[u32]> = text.chunks(self.chunk.max(1)).collect();
        let asked: BTreeSet<u32> = question.iter().copied().collect();
        let places = best(&bm25(&chunks, &asked), budget.saturating_sub(edges) / self.chunk.max(1));
        let chosen = places.into_iter().filter_map(|place| chunks.get(place)).flat_map(|chunk| chunk.iter());
        opening.iter().chain(chosen).chain(question).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks of 8 tokens, 4 of question, 96 kept at least: 3 chunks beside the edges.
    const SMALL: Retrieval = Retrieval { chunk: 8, question: 4, least: OPENING + 4 + 24, share: 24 };

    #[test]
    fn the_best_chunks_come_in_the_order_of_the_text() {
        let mut prompt: Vec<u32> = (0..200).map(|place| 1000 + place).collect();
        // Places of the text from 64 on: chunks 2, 5 and 9 hold words of the question, the last one two of them.
        for (place, term) in [(64 + 9 * 8, 7), (64 + 9 * 8 + 3, 8), (64 + 2 * 8, 7), (64 + 5 * 8 + 7, 8)] {
            prompt[place] = term;
        }
        prompt.extend([7, 8, 9, 10]);
        let short = SMALL.short(&prompt);
        assert_eq!(short.len(), SMALL.budget(prompt.len()));
        assert_eq!(short[..OPENING], prompt[..OPENING]);
        assert_eq!(short[short.len() - 4..], [7, 8, 9, 10]);
        let starts: Vec<u32> = [2, 5, 9].map(|chunk| prompt[64 + chunk * 8 + 1]).to_vec();
        let found: Vec<u32> = short[OPENING..short.len() - 4].chunks(8).map(|chunk| chunk[1]).collect();
        assert_eq!(found, starts);
    }

    #[test]
    fn budgets_and_ties() {
        let usual = Retrieval::default();
        assert_eq!([100, 5000, 98_304, 240_000].map(|tokens| usual.budget(tokens)), [100, 4096, 4096, 10_000]);
        let same: Vec<u32> = vec![3; 300];
        assert_eq!(SMALL.short(&same).len(), SMALL.budget(300));
        assert_eq!(best(&[1.0, 2.0, 2.0, 1.0], 3), [0, 1, 2]);
        assert_eq!(usual.short(&same), same);
        assert!(Retrieval { least: 0, share: 1000, ..SMALL }.short(&same).len() <= OPENING + 4);
    }
}
