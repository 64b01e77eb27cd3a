//! Held-out retrieval: which queries find their document first among others of one length.

use std::collections::BTreeMap;

use longboard_suites::rng::Rng;

use super::pairs::{Kind, Pair, Writer};
use crate::encoder::{Encoder, Positions};
use crate::error::ModelError;

/// Documents that no course draws, half of them with passkeys and half with needles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Documents in all.
    pub documents: usize,
    /// Queries of each kind, at most half the documents.
    pub queries: usize,
    /// Canonical tokens of a document.
    pub length: u32,
    /// From which they are drawn.
    pub seed: u64,
}

/// The kinds that LongEmbed has.
const KINDS: [Kind; 2] = [Kind::Passkey, Kind::Needle];

impl Trial {
    /// Queries that find their document first, and queries asked, by kind: Acc@1.
    ///
    /// # Errors
    /// [`ModelError`] from texts or arithmetic.
    pub fn sit(&self, encoder: &Encoder, positions: Positions) -> Result<BTreeMap<Kind, (usize, usize)>, ModelError> {
        let pairs = self.pairs()?;
        let texts: Vec<&str> = pairs.iter().map(|(_, pair)| pair.document.as_str()).collect();
        let documents = encoder.embed(&texts, positions)?;
        let mut marks = BTreeMap::new();
        for kind in KINDS {
            let own = pairs.iter().enumerate().filter(|(_, (other, _))| *other == kind).take(self.queries);
            for (index, (_, pair)) in own {
                let query = encoder.embed(&[pair.query.as_str()], positions)?;
                let found = query.first().and_then(|query| nearest(query, &documents));
                let (right, asked) = marks.entry(kind).or_insert((0, 0));
                *right += usize::from(found == Some(index));
                *asked += 1;
            }
        }
        Ok(marks)
    }

    fn pairs(&self) -> Result<Vec<(Kind, Pair)>, ModelError> {
        let writer = Writer::new();
        let mut all = Vec::with_capacity(self.documents);
        for kind in KINDS {
            let path = [Rng::name("trial"), self.seed, Rng::name(kind.slug()), u64::from(self.length)];
            let mut rng = Rng::from_path(&path);
            let pairs = writer.pairs(kind, &mut rng, self.documents / KINDS.len(), self.length, false)?;
            all.extend(pairs.into_iter().map(|pair| (kind, pair)));
        }
        Ok(all)
    }
}

/// The document with the largest cosine; of equal ones the first.
fn nearest(query: &[f32], documents: &[Vec<f32>]) -> Option<usize> {
    let cosine = |document: &[f32]| query.iter().zip(document).map(|(a, b)| a * b).sum::<f32>();
    let scored = documents.iter().map(|document| cosine(document)).enumerate();
    scored
        .fold(None, |best: Option<(usize, f32)>, (index, score)| match best {
            Some((_, most)) if most >= score => best,
            _ => Some((index, score)),
        })
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::train::encoder::recipe;

    #[test]
    fn a_trial_is_the_same_each_time_and_counts_what_it_asked() {
        let tokenizer = Checkpoint::builtin().unwrap().tokenizer;
        let encoder = recipe::untrained(recipe::config(), tokenizer, 1).unwrap();
        let trial = Trial { documents: 8, queries: 3, length: 128, seed: 2 };
        let marks = trial.sit(&encoder, Positions::Plain).unwrap();
        assert_eq!(marks, trial.sit(&encoder, Positions::Plain).unwrap());
        assert!(marks.len() == 2 && marks.values().all(|(right, asked)| right <= asked && *asked == 3));
    }

    #[test]
    fn the_nearest_document_has_the_largest_cosine() {
        let documents = [vec![0.0, 1.0], vec![0.6, 0.8], vec![0.6, 0.8]];
        assert_eq!(nearest(&[1.0, 0.0], &documents), Some(1));
        assert_eq!(nearest(&[0.0, 1.0], &documents), Some(0));
        assert_eq!(nearest(&[1.0, 0.0], &[]), None);
    }
}
