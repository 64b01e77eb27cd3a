//! A keyword reader: ranks sentences by BM25 against the question and answers with what is new in the best ones.
//!
//! BM25 after Robertson and Zaragoza 2009, section 3, with k1 = 1.2 and b = 0.75.

use std::collections::{HashMap, HashSet};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Sentences that score at least this share of the best one count as evidence too.
const EVIDENCE_SHARE: f64 = 0.7;

/// Most sentences to answer with.
const MOST_SENTENCES: usize = 16;

/// Answers the question at the end of `prompt` from the text before it.
pub fn read(prompt: &str) -> String {
    let (text, question) = prompt.rsplit_once("\n\n").unwrap_or(("", prompt));
    let asked: HashSet<String> = terms(question).into_iter().collect();
    let sentences = sentences(text);
    let best = best_sentences(&sentences, &asked);
    if question.contains("\\boxed") {
        return format!("\\boxed{{{}}}", best.first().map(|sentence| name(sentence, question)).unwrap_or_default());
    }
    let answers: Vec<String> = best.iter().map(|sentence| novel(sentence, question, &asked)).collect();
    answers.join("; ")
}

/// Cuts text at full stops, line breaks and commas between JSON pairs.
fn sentences(text: &str) -> Vec<&str> {
    text.split(['\n', '。', '{', '}'])
        .flat_map(|line| line.split(". "))
        .flat_map(|part| part.split("\", \""))
        .filter(|part| !part.trim().is_empty())
        .collect()
}

/// Lower-case words; Chinese text as pairs of characters.
fn terms(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for run in text.split(|letter: char| !(letter.is_alphanumeric() || letter == '-')) {
        if run.is_empty() {
            continue;
        }
        if run.is_ascii() {
            found.push(run.to_ascii_lowercase());
        } else {
            let letters: Vec<char> = run.chars().collect();
            found.extend(letters.windows(2).map(|pair| pair.iter().collect()));
        }
    }
    found
}

/// The best sentences in the order of the text.
fn best_sentences<'a>(sentences: &[&'a str], asked: &HashSet<String>) -> Vec<&'a str> {
    let mut frequency: HashMap<String, u32> = HashMap::new();
    let mut matched: Vec<(usize, usize, HashMap<String, u32>)> = Vec::new();
    let mut words = 0;
    for (place, sentence) in sentences.iter().enumerate() {
        let terms = terms(sentence);
        words += terms.len();
        let mut counts: HashMap<String, u32> = HashMap::new();
        let length = terms.len();
        for term in terms.into_iter().filter(|term| asked.contains(term)) {
            *counts.entry(term).or_default() += 1;
        }
        for term in counts.keys() {
            *frequency.entry(term.clone()).or_default() += 1;
        }
        if !counts.is_empty() {
            matched.push((place, length, counts));
        }
    }
    let (count, mean) = (sentences.len() as f64, words as f64 / sentences.len().max(1) as f64);
    let weight = |term: &String| {
        let seen = f64::from(frequency.get(term).copied().unwrap_or(0));
        ((count - seen + 0.5) / (seen + 0.5) + 1.0).ln()
    };
    let score = |length: usize, counts: &HashMap<String, u32>| -> f64 {
        let norm = K1 * (1.0 - B + B * length as f64 / mean.max(1.0));
        counts
            .iter()
            .map(|(term, &times)| weight(term) * f64::from(times) * (K1 + 1.0) / (f64::from(times) + norm))
            .sum()
    };
    let mut ranked: Vec<(usize, f64)> =
        matched.iter().map(|(place, length, counts)| (*place, score(*length, counts))).collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    let floor = ranked.first().map_or(0.0, |(_, best)| best * EVIDENCE_SHARE);
    let mut places: Vec<usize> = ranked
        .into_iter()
        .take(MOST_SENTENCES)
        .take_while(|(_, score)| *score >= floor)
        .map(|(place, _)| place)
        .collect();
    places.sort_unstable();
    places.into_iter().filter_map(|place| sentences.get(place).copied()).collect()
}

/// What a sentence says that the question does not; a Chinese sentence is given whole.
fn novel(sentence: &str, question: &str, asked: &HashSet<String>) -> String {
    if !sentence.is_ascii() {
        return sentence.trim().to_owned();
    }
    let fresh = |word: &&str| {
        let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        !plain.is_empty() && !asked.contains(&plain.to_ascii_lowercase()) && !question.contains(plain)
    };
    let words: Vec<&str> = sentence.split([' ', '"']).filter(fresh).collect();
    words.join(" ").trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned()
}

/// A person's name in a sentence that the question does not hold: capitalised words in a row, or the start of a
/// Chinese sentence.
fn name(sentence: &str, question: &str) -> String {
    if !sentence.is_ascii() {
        let stops = ['是', '的', '称', '名', '，'];
        let parts = sentence.split(stops).filter(|part| (2..=4).contains(&part.chars().count()));
        return parts.into_iter().find(|part| !question.contains(*part)).unwrap_or_default().to_owned();
    }
    let mut run: Vec<&str> = Vec::new();
    for word in sentence.split([' ', ',']).chain([""]) {
        let plain = word.trim_end_matches('.');
        if plain.starts_with(|letter: char| letter.is_ascii_uppercase()) && !question.contains(plain) {
            run.push(plain);
        } else if run.len() >= 2 {
            break;
        } else {
            run.clear();
        }
    }
    run.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_is_asked_for() {
        let prompt = "Head\n\nThe day was long. One of the hidden numbers for amber-kite is 1234567. They went home. \
                      One of the hidden numbers for coral-oak is 7654321.\n\nWhat is the hidden number for coral-oak?";
        assert!(read(prompt).contains("7654321"));
        assert!(!read(prompt).contains("1234567"));
    }

    #[test]
    fn it_reads_pairs() {
        let prompt = "Pairs\n\n{\"aa11\": \"bb22\", \"cc33\": \"dd44\"}\n\nWhat is the value of the key \"cc33\"?";
        assert_eq!(read(prompt), "dd44");
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert_eq!(read(""), "");
        assert_eq!(read("\n\n"), "");
    }
}
