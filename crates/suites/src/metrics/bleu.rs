//! Corpus BLEU-4 (Papineni et al. 2002) without smoothing, over `13a` or `zh` tokens of sacrebleu.
//!
//! Brevity is measured against the shortest reference, as in the NMT script that `evaluate` ships.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::needlebench::pattern;
use super::python_text::{strip, words};
use super::rouge::share;

const ORDER: usize = 4;

/// How texts are cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokenizer {
    /// mteval-v13a, for languages with blanks.
    International13a,
    /// Each Chinese scalar is a token, the rest as in 13a.
    Chinese,
}

/// BLEU-4, 0..1, of answers with one or more references each. `None` where the official code divides by zero: no
/// answer has a token, or no reference has one.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "four orders")]
pub fn corpus(pairs: &[(&str, Vec<&str>)], tokenizer: Tokenizer) -> Option<f64> {
    let (mut matches, mut possible) = ([0_usize; ORDER], [0_usize; ORDER]);
    let (mut answers, mut shortest) = (0, 0);
    for (answer, references) in pairs {
        let answer = tokens(answer, tokenizer);
        let references: Vec<Vec<String>> = references.iter().map(|text| tokens(text, tokenizer)).collect();
        answers += answer.len();
        shortest += references.iter().map(Vec::len).min().unwrap_or_default();
        for ((order, matches), possible) in (1..).zip(&mut matches).zip(&mut possible) {
            *matches += clipped(&answer, &references, order);
            *possible += (answer.len() + 1).saturating_sub(order);
        }
    }
    if answers == 0 || shortest == 0 {
        return None;
    }
    let precisions = matches.iter().zip(&possible).map(|(&matches, &possible)| share(matches, possible));
    if matches.contains(&0) {
        return Some(0.0);
    }
    let mean = precisions.map(f64::ln).sum::<f64>() / ORDER as f64;
    let brevity = if answers > shortest { 0.0 } else { 1.0 - 1.0 / share(answers, shortest) };
    Some((mean + brevity).exp())
}

/// n-grams of `answer`, each as often as the reference that has it most often.
fn clipped(answer: &[String], references: &[Vec<String>], order: usize) -> usize {
    let mut most: HashMap<&[String], usize> = HashMap::new();
    for reference in references {
        for (gram, count) in counts(reference, order) {
            let most = most.entry(gram).or_default();
            *most = count.max(*most);
        }
    }
    counts(answer, order).into_iter().map(|(gram, count)| count.min(most.get(gram).copied().unwrap_or(0))).sum()
}

fn counts(tokens: &[String], order: usize) -> HashMap<&[String], usize> {
    let mut counts = HashMap::new();
    for gram in tokens.windows(order) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// The tokens of sacrebleu 2's `tokenizer_13a` or `tokenizer_zh`.
#[must_use]
pub fn tokens(text: &str, tokenizer: Tokenizer) -> Vec<String> {
    let line = match tokenizer {
        Tokenizer::International13a => plain_13a(text),
        Tokenizer::Chinese => spaced_zh(text),
    };
    let line = MARKS.iter().fold(line, |line, (regex, spaced)| regex.replace_all(&line, *spaced).into_owned());
    words(&line).map(str::to_owned).collect()
}

static MARKS: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    [
        (r"([{-~\[-` -&(-+:-@/])", " ${1} "),
        (r"([^0-9])([.,])", "${1} ${2} "),
        (r"([.,])([^0-9])", " ${1} ${2}"),
        (r"([0-9])(-)", "${1} ${2} "),
    ]
    .map(|(text, spaced)| (pattern(text), spaced))
});

fn plain_13a(text: &str) -> String {
    let mut line = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    for (entity, mark) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        line = line.replace(entity, mark);
    }
    format!(" {line} ")
}

fn spaced_zh(text: &str) -> String {
    let mut line = String::with_capacity(text.len() * 2);
    for scalar in strip(text).chars() {
        if is_chinese(scalar) {
            line.extend([' ', scalar, ' ']);
        } else {
            line.push(scalar);
        }
    }
    line
}

/// sacrebleu's ranges. Two of them were meant for the planes above U+FFFF, but their four-digit escapes make them
/// U+2001..U+2A6D and U+2F81..U+2FA1.
fn is_chinese(scalar: char) -> bool {
    matches!(scalar,
        '\u{3400}'..='\u{4db5}' | '\u{4e00}'..='\u{9fbb}' | '\u{f900}'..='\u{fa2d}' | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}' | '\u{2001}'..='\u{2a6d}' | '\u{2f00}'..='\u{2fdf}' | '\u{ff00}'..='\u{ffef}'
        | '\u{2e80}'..='\u{2eff}' | '\u{3000}'..='\u{303f}' | '\u{31c0}'..='\u{31ef}' | '\u{2ff0}'..='\u{2fff}'
        | '\u{3100}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{3200}'..='\u{33ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-9)
    }

    #[test]
    fn golden_rows_of_m4le_agree() {
        let pair = |answer, references: &[&'static str], tokenizer| corpus(&[(answer, references.to_vec())], tokenizer);
        let books = ["He bought three books yesterday.", "Yesterday he bought three books."];
        let en = Tokenizer::International13a;
        assert!(close(pair("he bought three books yesterday", &books, en), 0.818_730_753_078));
        assert!(close(pair("“He bought three books yesterday.”", &books, en), 0.614_788_152_951));
        assert!(close(
            pair("The price is 3 . 50 dollars , not 4 .", &["The price is 3.50 dollars, not 4."], en),
            0.469_247_006_411
        ));
        assert_eq!(pair("", &books, en), None);
        let zh = Tokenizer::Chinese;
        assert!(close(pair("昨天他买了三本书。", &["他昨天买了三本书。"], zh), 0.680_374_933_317));
        assert!(close(pair("他昨天买了三本书。他昨天买了三本书。", &["他昨天买了三本书。"], zh), 0.450_466_272_298));
    }

    #[test]
    fn marks_stand_alone_but_not_within_numbers() {
        assert_eq!(
            tokens("It's 3.50, \"no\" &amp; 5-6.", Tokenizer::International13a),
            ["It's", "3.50", ",", "\"", "no", "\"", "&", "5", "-", "6", "."]
        );
        assert_eq!(tokens("价格是3.50美元", Tokenizer::Chinese), ["价", "格", "是", "3.50", "美", "元"]);
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_in_range(answer in ".{0,60}", reference in ".{0,60}") {
            for tokenizer in [Tokenizer::International13a, Tokenizer::Chinese] {
                let score = corpus(&[(&answer, vec![&reference])], tokenizer);
                prop_assert!(score.is_none_or(|score| (0.0..=1.0 + 1e-12).contains(&score)));
            }
        }
    }
}
