//! Long-CLIP (arXiv 2403.15378; beichenzbc/Long-CLIP @ 3966af9a, Apache-2.0): long captions and images found by each other.

use super::catalogue::{Form, Metric, Source, metric};

const SOURCE: Source =
    Source { benchmark: "Long-CLIP", citation: "arXiv 2403.15378; beichenzbc/Long-CLIP @ 3966af9a, eval/retrieval" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 1] = [metric(
    SOURCE,
    "long_clip.recall_at_k",
    "Share of images and of texts found among the first k",
    Form::Official,
    1.0,
)];

/// Cut-offs that the benchmark reports.
pub const CUTS: [usize; 3] = [1, 5, 10];

/// Recall at one cut-off, 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recall {
    /// Images with one of their own texts among the first k.
    pub image_to_text: f64,
    /// Texts with their own image among the first k.
    pub text_to_image: f64,
}

/// Recall both ways. Rows of `similarities` are images, columns texts; text t belongs to image t div `captions`. Of equal
/// ones the first counts as nearer, as argmax has it.
#[must_use]
pub fn recall_at_k(similarities: &[Vec<f64>], captions: usize, k: usize) -> Recall {
    let captions = captions.max(1);
    let texts = similarities.iter().map(Vec::len).max().unwrap_or_default();
    let found = |(image, row): &(usize, &Vec<f64>)| {
        let own = image * captions..(image + 1) * captions;
        own.filter_map(|text| place(row, text)).any(|place| place < k)
    };
    let images = similarities.iter().enumerate().filter(found).count();
    let column = |text: usize| -> Vec<f64> {
        similarities.iter().map(|row| row.get(text).copied().unwrap_or(f64::NEG_INFINITY)).collect()
    };
    let hit = |text: &usize| place(&column(*text), text / captions).is_some_and(|place| place < k);
    let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    Recall {
        image_to_text: share(images, similarities.len()),
        text_to_image: share((0..texts).filter(hit).count(), texts),
    }
}

/// How many stand before `index` in descending order.
fn place(scores: &[f64], index: usize) -> Option<usize> {
    let own = *scores.get(index)?;
    let before = |(at, score): (usize, &f64)| *score > own || (*score == own && at < index);
    Some(scores.iter().enumerate().filter(|entry| before(*entry)).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_own_caption_is_a_hit_for_an_image() {
        let table = vec![vec![0.1, 0.9, 0.8, 0.2], vec![0.2, 0.3, 0.7, 0.1]];
        let found = recall_at_k(&table, 2, 1);
        assert_eq!(found, Recall { image_to_text: 1.0, text_to_image: 0.25 });
        assert_eq!(recall_at_k(&[], 1, 1), Recall::default());
    }

    proptest! {
        #[test]
        fn recall_rises_with_k(images in 1_usize..6, captions in 1_usize..4, seed in 1_u32..1000) {
            let cell = |at: usize| f64::from((u32::try_from(at).unwrap() + 1).wrapping_mul(seed) % 97);
            let texts = images * captions;
            let table: Vec<Vec<f64>> =
                (0..images).map(|row| (0..texts).map(|column| cell(row * texts + column)).collect()).collect();
            let mut before = Recall::default();
            for k in 1..=texts {
                let now = recall_at_k(&table, captions, k);
                prop_assert!(now.image_to_text >= before.image_to_text && now.text_to_image >= before.text_to_image);
                before = now;
            }
            prop_assert_eq!(before, Recall { image_to_text: 1.0, text_to_image: 1.0 });
        }
    }
}
