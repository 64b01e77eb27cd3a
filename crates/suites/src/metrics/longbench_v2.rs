//! LongBench v2 (arXiv 2412.15204; THUDM/LongBench @ 2e00731f, `pred.py` and `result.py`): four-option questions.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::catalogue::{Form, Metric, Source, metric};
use super::needlebench::pattern;

const SOURCE: Source = Source { benchmark: "LongBench v2", citation: "arXiv 2412.15204; THUDM/LongBench @ 2e00731f" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 4] = [
    metric(SOURCE, "longbench_v2.extract_and_judge", "Option after the set phrase", Form::Official, 1.0),
    metric(SOURCE, "longbench_v2.extract_and_judge.strict", "Option at the end of any phrasing", Form::Strict, 1.0),
    metric(SOURCE, "longbench_v2.compensated", "A quarter where no option is found", Form::Official, 1.0),
    metric(SOURCE, "longbench_v2.aggregate", "Accuracy by difficulty and length", Form::Official, 100.0),
];

static PHRASES: LazyLock<[Regex; 2]> =
    LazyLock::new(|| [r"The correct answer is \(([A-D])\)", r"The correct answer is ([A-D])"].map(pattern));

/// The option after "The correct answer is", in brackets first; asterisks do not count. `None` without one.
#[must_use]
pub fn extract(answer: &str) -> Option<char> {
    let plain = answer.replace('*', "");
    let found = PHRASES.iter().find_map(|phrase| phrase.captures(&plain))?;
    found.get(1)?.as_str().chars().next()
}

/// Whether the extracted option is the right one.
#[must_use]
pub fn judge(answer: &str, right: char) -> bool {
    extract(answer) == Some(right)
}

/// 1 for the right option, 0 for a wrong one, a quarter where none is found.
#[must_use]
pub fn compensated(answer: &str, right: char) -> f64 {
    extract(answer).map_or(0.25, |option| f64::from(option == right))
}

/// An option that stands alone: no letter or digit on either side.
static ALONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^\p{L}\p{N}])([A-D])(?:[^\p{L}\p{N}'’]|$)"));

/// The only option that the answer's last line with an option names, whatever the phrasing. `None` without one, or
/// with several in that line.
#[must_use]
pub fn extract_strict(answer: &str) -> Option<char> {
    let options = |line: &str| -> Vec<char> {
        // Neighbouring options share the character between them, so the search goes on from there.
        let (mut at, mut found) = (0, Vec::new());
        while let Some(option) = ALONE.captures_at(line, at).and_then(|captures| captures.get(1)) {
            found.extend(option.as_str().chars());
            at = option.end();
        }
        found.dedup();
        found
    };
    let last = answer.lines().rev().map(options).find(|options| !options.is_empty())?;
    if let [option] = last[..] { Some(option) } else { None }
}

/// One judged sample.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Judged {
    /// Whether the option was right.
    pub judge: bool,
    /// The option that was found.
    pub pred: Option<String>,
    /// `easy` or `hard`.
    pub difficulty: String,
    /// `short`, `medium` or `long`.
    pub length: String,
}

/// Accuracies in percent with one decimal. `None` where the official code divides by no samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// All samples.
    pub overall: f64,
    /// Questions that experts answered quickly or a model answered.
    pub easy: f64,
    /// The others.
    pub hard: f64,
    /// Up to 32k words.
    pub short: f64,
    /// Up to 128k words.
    pub medium: f64,
    /// Above.
    pub long: f64,
}

/// Accuracies over samples; `None` without samples of some difficulty or length, on which the official code stops.
#[must_use]
pub fn accuracy(samples: &[Judged], compensated: bool) -> Option<Accuracy> {
    let score = |sample: &Judged| match sample.pred {
        None if compensated => 0.25,
        _ => f64::from(sample.judge),
    };
    let part = |is_in: &dyn Fn(&Judged) -> bool| {
        let scores: Vec<f64> = samples.iter().filter(|sample| is_in(sample)).map(score).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let mean = 100.0 * scores.iter().sum::<f64>() / scores.len() as f64;
        if scores.is_empty() { None } else { format!("{mean:.1}").parse().ok() }
    };
    let length = |name: &'static str| move |sample: &Judged| sample.length == name;
    Some(Accuracy {
        overall: part(&|_| true)?,
        easy: part(&|sample| sample.difficulty == "easy")?,
        // The official code counts everything else as hard, and every other length as long.
        hard: part(&|sample| sample.difficulty != "easy")?,
        short: part(&length("short"))?,
        medium: part(&length("medium"))?,
        long: part(&|sample| sample.length != "short" && sample.length != "medium")?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_set_phrase_counts_officially() {
        assert_eq!(extract("**The correct answer is (D)**"), Some('D'));
        assert_eq!(extract("Answer: B"), None);
        assert_eq!(extract("The correct answer is Apple"), Some('A'));
        assert_eq!(compensated("no idea", 'A'), 0.25);
    }

    #[test]
    fn a_lone_letter_counts_strictly() {
        assert_eq!(extract_strict("Answer: B"), Some('B'));
        assert_eq!(extract_strict("(C)\n"), Some('C'));
        assert_eq!(extract_strict("A and B fit, but I choose\nD."), Some('D'));
        assert_eq!(extract_strict("A, B"), None);
        assert_eq!(extract_strict("The correct answer is Apple"), None);
    }

    proptest! {
        #[test]
        fn any_text_has_at_most_one_option(answer in "\\PC{0,80}|[ABCD ().\n*]{0,40}") {
            for option in [extract(&answer), extract_strict(&answer)].into_iter().flatten() {
                prop_assert!(('A'..='D').contains(&option));
            }
            prop_assert!((0.0..=1.0).contains(&compensated(&answer, 'A')));
        }
    }
}
