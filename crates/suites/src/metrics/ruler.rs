//! RULER (arXiv 2404.06654; NVIDIA/RULER @ c3f5e3b4, hsiehjackson/RULER @ e40fae14): substring matching.

use super::catalogue::{Form, Metric, Source, metric};
use super::python_text::strip;

const SOURCE: Source = Source { benchmark: "RULER", citation: "arXiv 2404.06654; NVIDIA/RULER @ c3f5e3b4" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 7] = [
    metric(SOURCE, "ruler.string_match_all", "All references found", Form::Official, 100.0),
    metric(SOURCE, "ruler.string_match_all.strict", "All references found in a short answer", Form::Strict, 1.0),
    metric(SOURCE, "ruler.string_match_part", "Any reference found", Form::Official, 100.0),
    metric(SOURCE, "ruler.string_match_part.strict", "Any reference found in a short answer", Form::Strict, 1.0),
    metric(SOURCE, "ruler.corpus_score", "Mean over a task", Form::Official, 100.0),
    metric(
        SOURCE,
        "ruler.effective_length_published_row",
        "Averages and effective length of a row",
        Form::Official,
        100.0,
    ),
    metric(SOURCE, "ruler.uuid_v4_stream", "Identifiers of a seed", Form::Official, 1.0),
];

/// Cleans an answer as the official evaluation does: strip, control characters to newlines, strip.
#[must_use]
pub fn postprocess(prediction: &str) -> String {
    let cleaned: String =
        strip(prediction).chars().map(|scalar| if scalar <= '\u{1f}' { '\n' } else { scalar }).collect();
    strip(&cleaned).to_owned()
}

/// Share of `references` that occur in the cleaned answer, case folded by lower-casing; 0..1.
///
/// No references score 0.
#[must_use]
pub fn string_match_all(prediction: &str, references: &[String]) -> f64 {
    let answer = postprocess(prediction).to_lowercase();
    let found = references.iter().filter(|reference| answer.contains(&reference.to_lowercase())).count();
    ratio(found, references.len())
}

/// Words of an answer besides its references that the strict form still takes for an answer.
const STRICT_SPARE_WORDS: usize = 24;

/// [`string_match_all`], 0 where the answer is longer than twice the number of references and a sentence: official
/// containment rewards an answer that recites the haystack; 0..1.
#[must_use]
pub fn string_match_all_strict(prediction: &str, references: &[String]) -> f64 {
    let words = prediction.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    let count = words.filter(|word| !word.is_empty()).count();
    if count <= 2 * references.len() + STRICT_SPARE_WORDS { string_match_all(prediction, references) } else { 0.0 }
}

/// 1 when any of `references` occurs in the cleaned answer, else 0.
#[must_use]
pub fn string_match_part(prediction: &str, references: &[String]) -> f64 {
    let answer = postprocess(prediction).to_lowercase();
    f64::from(references.iter().any(|reference| answer.contains(&reference.to_lowercase())))
}

/// [`string_match_part`], 0 where the answer is longer than a sentence.
#[must_use]
pub fn string_match_part_strict(prediction: &str, references: &[String]) -> f64 {
    let words = prediction.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    let count = words.filter(|word| !word.is_empty()).count();
    if count <= STRICT_SPARE_WORDS { string_match_part(prediction, references) } else { 0.0 }
}

/// Mean over answers in percent, rounded to two decimals as the official table prints it.
#[must_use]
pub fn corpus(scores: &[f64]) -> f64 {
    round(mean(scores) * 100.0, 2)
}

/// Plain average and the two weighted averages of a row of lengths, in the unit of `scores`.
///
/// `increasing` weighs the i-th length by i, `decreasing` by the reverse (appendix of the paper).
#[must_use]
pub fn averages(scores: &[f64]) -> Averages {
    let weighted = |weights: &mut dyn Iterator<Item = usize>| {
        let (sum, total) = scores.iter().zip(weights).fold((0.0, 0.0), |(sum, total), (score, weight)| {
            let weight = as_f64(weight);
            (sum + score * weight, total + weight)
        });
        if total > 0.0 { sum / total } else { 0.0 }
    };
    Averages {
        plain: mean(scores),
        increasing: weighted(&mut (1..=scores.len())),
        decreasing: weighted(&mut (1..=scores.len()).rev()),
    }
}

/// The three averages over lengths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averages {
    /// Unweighted.
    pub plain: f64,
    /// Long lengths weigh more.
    pub increasing: f64,
    /// Short lengths weigh more.
    pub decreasing: f64,
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { as_f64(part) / as_f64(whole) }
}

fn mean(scores: &[f64]) -> f64 {
    if scores.is_empty() { 0.0 } else { scores.iter().sum::<f64>() / as_f64(scores.len()) }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Python's `round(value, digits)`: exact decimal value, half to even.
#[must_use]
pub fn round(value: f64, digits: usize) -> f64 {
    format!("{value:.digits$}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_counted_per_reference() {
        let references = ["Alpha".to_owned(), "beta".to_owned()];
        assert_eq!(string_match_all("ALPHA only", &references), 0.5);
        assert_eq!(string_match_part("ALPHA only", &references), 1.0);
        assert_eq!(string_match_all("", &references), 0.0);
    }

    #[test]
    fn control_characters_become_newlines() {
        assert_eq!(postprocess(" a\u{0}b\t\u{1} "), "a\nb");
    }
}
