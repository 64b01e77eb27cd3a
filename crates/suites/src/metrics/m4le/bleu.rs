//! Corpus BLEU-4 without smoothing (Papineni et al. 2002) over `13a` tokens or, for Chinese, single scalars; against
//! several references the shortest length and the largest count of each n-gram hold.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::metrics::needlebench::pattern;
use crate::metrics::python_text::{strip, words};

const ORDERS: usize = 4;

/// Scalars that the Chinese tokens set apart. Two pairs are upstream's four-digit escapes read as five: they reach from
/// U+2001 to U+2A6D, so curly quotes and dashes are set apart too.
const APART: [(u32, u32); 22] = [
    (0x3400, 0x4db5),
    (0x4e00, 0x9fa5),
    (0x9fa6, 0x9fbb),
    (0xf900, 0xfa2d),
    (0xfa30, 0xfa6a),
    (0xfa70, 0xfad9),
    (0x2001, 0x2a6d),
    (0x2f81, 0x2fa1),
    (0xff00, 0xffef),
    (0x2e80, 0x2eff),
    (0x3000, 0x303f),
    (0x31c0, 0x31ef),
    (0x2f00, 0x2fdf),
    (0x2ff0, 0x2fff),
    (0x3100, 0x312f),
    (0x31a0, 0x31bf),
    (0xfe10, 0xfe1f),
    (0xfe30, 0xfe4f),
    (0x2600, 0x26ff),
    (0x2700, 0x27bf),
    (0x3200, 0x32ff),
    (0x3300, 0x33ff),
];

/// BLEU-4 of answers with their references, 0..1. `None` where upstream divides by zero: no answer has a token, or no
/// reference has one.
#[must_use]
pub fn corpus(pairs: &[(&str, &[String])], chinese: bool) -> Option<f64> {
    let tokens = |text: &str| if chinese { tokens_zh(text) } else { tokens_13a(text) };
    let (mut hits, mut all) = ([0_usize; ORDERS], [0_usize; ORDERS]);
    let (mut answered, mut expected) = (0, 0);
    for (answer, references) in pairs {
        let answer = tokens(answer);
        let references: Vec<Vec<String>> = references.iter().map(|reference| tokens(reference)).collect();
        answered += answer.len();
        expected += references.iter().map(Vec::len).min().unwrap_or_default();
        for ((hits, all), order) in hits.iter_mut().zip(&mut all).zip(1..) {
            *all += (answer.len() + 1).saturating_sub(order);
            *hits += clipped(&answer, &references, order);
        }
    }
    if answered == 0 || expected == 0 {
        return None;
    }
    if hits.contains(&0) {
        return Some(0.0);
    }
    let logs = hits.iter().zip(&all).map(|(&hits, &all)| (hits as f64 / all as f64).ln());
    let ratio = answered as f64 / expected as f64;
    let brevity = if ratio > 1.0 { 1.0 } else { (1.0 - 1.0 / ratio).exp() };
    Some((logs.sum::<f64>() / ORDERS as f64).exp() * brevity)
}

/// N-grams of the answer that some reference has as often.
fn clipped(answer: &[String], references: &[Vec<String>], order: usize) -> usize {
    let mut most: HashMap<&[String], usize> = HashMap::new();
    for reference in references {
        for (gram, count) in counts(reference, order) {
            let slot = most.entry(gram).or_default();
            *slot = count.max(*slot);
        }
    }
    let found = counts(answer, order);
    found.into_iter().map(|(gram, count)| count.min(most.get(gram).copied().unwrap_or_default())).sum()
}

fn counts(tokens: &[String], order: usize) -> HashMap<&[String], usize> {
    let mut counts = HashMap::new();
    for gram in tokens.windows(order) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// Tokens of mteval-v13a.
fn tokens_13a(text: &str) -> Vec<String> {
    let mut line = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    for (entity, sign) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        line = line.replace(entity, sign);
    }
    signs_apart(&format!(" {line} "))
}

/// Chinese scalars one by one, the rest as in 13a.
fn tokens_zh(text: &str) -> Vec<String> {
    let mut line = String::with_capacity(text.len() * 2);
    for scalar in strip(text).chars() {
        let code = u32::from(scalar);
        if APART.iter().any(|&(low, high)| (low..=high).contains(&code)) {
            line.extend([' ', scalar, ' ']);
        } else {
            line.push(scalar);
        }
    }
    signs_apart(&line)
}

/// Signs as tokens of their own; full stops and commas stay inside numbers.
fn signs_apart(line: &str) -> Vec<String> {
    static RULES: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
        [
            (pattern(r"([\{-\~\[-\` -\&\(-\+\:-\@/])"), " $1 "),
            (pattern(r"([^0-9])([\.,])"), "$1 $2 "),
            (pattern(r"([\.,])([^0-9])"), " $1 $2"),
            (pattern(r"([0-9])(-)"), "$1 $2 "),
        ]
    });
    let apart = RULES.iter().fold(line.to_owned(), |line, (rule, with)| rule.replace_all(&line, *with).into_owned());
    words(&apart).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_points() {
        assert_eq!(tokens_13a("It is 3.50, not 4."), ["It", "is", "3.50", ",", "not", "4", "."]);
        assert_eq!(tokens_zh("价格3.5元。"), ["价", "格", "3.5", "元", "。"]);
    }

    #[test]
    fn nothing_at_all_has_no_score() {
        assert_eq!(corpus(&[("", &["one two".to_owned()])], false), None);
    }
}
