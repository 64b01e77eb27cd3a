//! MRCR (OpenAI, data set `openai/mrcr`): the i-th of several equal requests in a long conversation.

use super::catalogue::{Form, Metric, Source, metric};
use super::sequence_matcher::text_ratio;

const SOURCE: Source = Source {
    benchmark: "MRCR",
    citation: "OpenAI MRCR (2025), data set openai/mrcr; after Michelangelo, arXiv 2409.12640",
};

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 1] =
    [metric(SOURCE, "mrcr.sequence_match_ratio", "difflib's ratio after the prefix", Form::Official, 1.0)];

/// 0 without the prefix at the very beginning, else `SequenceMatcher`'s ratio of what follows in answer and reference.
#[must_use]
pub fn sequence_match_ratio(answer: &str, reference: &str, prefix: &str) -> f64 {
    let without = |text| str::strip_prefix(text, prefix);
    without(answer).map_or(0.0, |rest| text_ratio(rest, without(reference).unwrap_or(reference)))
}

/// Upper ends of the bins in tokens of prompt and answer (o200k_base); the first begins above 4,096.
pub const BINS: [u32; 8] = [8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576];

/// The bin of a sample, counted from 0; `None` outside of all.
#[must_use]
pub fn bin(tokens: u32) -> Option<usize> {
    if tokens <= 4096 { None } else { BINS.iter().position(|&end| tokens <= end) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_prefix_comes_first() {
        assert_eq!(sequence_match_ratio("xyabc", "xyabc", "xy"), 1.0);
        assert_eq!(sequence_match_ratio(" xyabc", "xyabc", "xy"), 0.0);
        assert_eq!(sequence_match_ratio("xy", "xyabc", "xy"), 0.0);
    }

    #[test]
    fn bins_are_open_below() {
        assert_eq!([4096, 4097, 8192, 8193, 1_048_577].map(bin), [None, Some(0), Some(0), Some(1), None]);
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in ".{0,80}", reference in ".{0,80}", prefix in ".{0,3}") {
            prop_assert!((0.0..=1.0).contains(&sequence_match_ratio(&answer, &reference, &prefix)));
            let whole = sequence_match_ratio(&format!("{prefix}{answer}"), &format!("{prefix}{reference}"), &prefix);
            prop_assert!((0.0..=1.0).contains(&whole));
        }
    }
}
