//! The next line of code.

use crate::metrics::sequence_matcher::fuzz_ratio;

/// Edit similarity, 0..1, of the reference and the first line without a backtick, `#` or `//`.
///
/// So a line of code with a comment, or with an integer division in Python, is passed over, and an empty line is not.
#[must_use]
pub fn code_sim(answer: &str, reference: &str) -> f64 {
    let is_code = |line: &&str| !line.contains('`') && !line.contains('#') && !line.contains("//");
    let line = answer.trim_start_matches('\n').split('\n').find(is_code).unwrap_or_default();
    fuzz_ratio(line, reference) / 100.0
}

/// [`code_sim`] of the first line that is neither empty nor a fence nor only a comment, comments after code cut off.
#[must_use]
pub fn code_sim_strict(answer: &str, reference: &str) -> f64 {
    let is_code = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !["```", "#", "//"].iter().any(|mark| line.starts_with(mark))
    };
    let line = answer.split('\n').find(is_code).map(before_comment).unwrap_or_default();
    if line.is_empty() { 0.0 } else { fuzz_ratio(line, before_comment(reference)) / 100.0 }
}

/// A line up to a comment set off by a blank; `//` between operands stays.
fn before_comment(line: &str) -> &str {
    let marks = [" #", "\t#", "; //", "{ //", "} //"];
    let end =
        marks.iter().filter_map(|mark| line.find(mark).map(|at| at + mark.trim_end_matches(['#', '/']).len())).min();
    line.get(..end.unwrap_or(line.len())).unwrap_or(line).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_hide_code_officially_only() {
        let (answer, reference) = ("```python\nreturn total  # the sum\nprint(1)", "return total");
        assert!(code_sim(answer, reference) < 0.5);
        assert_eq!(code_sim_strict(answer, reference), 1.0);
        assert_eq!(code_sim_strict("half = n // 2", "half = n // 2"), 1.0);
        assert_eq!(code_sim("half = n // 2", "half = n // 2"), 0.0);
    }

    #[test]
    fn nothing_scores_nothing() {
        assert_eq!((code_sim("", "x"), code_sim_strict("\n#", "x")), (0.0, 0.0));
    }
}
