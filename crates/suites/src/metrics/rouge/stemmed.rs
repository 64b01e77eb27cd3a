//! Package `rouge_score` 0.1.2 with its stemmer: words of more than three letters by Porter's rules (HELMET).

use super::{Numbers, Prf, lsum, porter, scored};

/// ROUGE-L of stems.
#[must_use]
pub fn rouge_l(reference: &str, candidate: &str) -> Prf {
    let (reference, candidate) = (stems(reference), stems(candidate));
    let mut numbers = Numbers::new();
    let [one, other] =
        [&reference, &candidate].map(|words| words.iter().map(|word| numbers.of(word.as_str())).collect::<Vec<u32>>());
    scored::of_tokens(&one, &other).rouge_l
}

/// ROUGE-Lsum of stems, sentences being lines.
#[must_use]
pub fn lsum(reference: &str, candidate: &str) -> Prf {
    let lines =
        |text: &str| -> Vec<Vec<String>> { text.split('\n').filter(|line| !line.is_empty()).map(stems).collect() };
    lsum::of_lines(&lines(reference), &lines(candidate))
}

fn stems(text: &str) -> Vec<String> {
    let stem = |word: &str| if word.len() > 3 { porter::stem(word) } else { word.to_owned() };
    scored::tokens(&text.to_lowercase()).map(stem).collect()
}
