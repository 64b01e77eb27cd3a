//! What facts are checked against: passages of a frozen text, or the world's fact store.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Support, split};
use crate::judging::fact::normalised;
use crate::judging::{CheckableFact, FactReport, Standing};

/// A piece of a source that speaks of a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its text.
    pub text: String,
    /// Number of the passage or stored fact, from 0.
    pub place: usize,
    /// How well it fits, larger is better: comparable within one source only.
    pub score: f64,
}

/// Something that facts are checked against.
pub trait Source {
    /// At most `k` pieces of evidence, best first; the same question always finds the same.
    fn evidence(&self, fact: &str, k: usize) -> Vec<Evidence>;

    /// The verdict of rules on a fact: supported when every number and name of it, and half of its other words, stand
    /// together in one sentence of the evidence (the passage's first sentence read along). A stand-in for a rater.
    fn verdict(&self, fact: &str, evidence: &[Evidence]) -> Support {
        let claim = Claim::new(fact);
        if claim.hard.is_empty() {
            return Support::Irrelevant;
        }
        let supported = evidence.iter().any(|piece| claim.stands_in(&piece.text));
        if supported { Support::Supported } else { Support::NotSupported }
    }
}

/// Passages of a text under BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.75).
#[derive(Debug, Clone)]
pub struct Passages {
    passages: Vec<String>,
    lengths: Vec<usize>,
    postings: HashMap<String, Vec<(usize, usize)>>,
}

/// Words after which a passage ends with its sentence.
const PASSAGE_WORDS: usize = 120;

impl Passages {
    /// Indexes a text by paragraphs; long ones are cut between sentences.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let passages: Vec<String> = text.lines().flat_map(cut).collect();
        let mut postings: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        let mut lengths = Vec::with_capacity(passages.len());
        for (place, passage) in passages.iter().enumerate() {
            let mut counts: HashMap<String, usize> = HashMap::new();
            words(passage).for_each(|word| *counts.entry(word).or_default() += 1);
            lengths.push(counts.values().sum());
            for (word, count) in counts {
                postings.entry(word).or_default().push((place, count));
            }
        }
        Self { passages, lengths, postings }
    }

    /// Number of passages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    fn add(&self, word: &str, mean: f64, scores: &mut HashMap<usize, f64>) {
        let Some(list) = self.postings.get(word) else { return };
        let (all, holding) = (self.passages.len() as f64, list.len() as f64);
        let rarity = ((all - holding + 0.5) / (holding + 0.5)).ln_1p();
        for &(place, count) in list {
            let length = self.lengths.get(place).copied().unwrap_or_default() as f64;
            let count = count as f64;
            let weight = count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean));
            *scores.entry(place).or_default() += rarity * weight;
        }
    }
}

impl Source for Passages {
    fn evidence(&self, fact: &str, k: usize) -> Vec<Evidence> {
        let mean = (self.lengths.iter().sum::<usize>() as f64 / self.passages.len().max(1) as f64).max(1.0);
        let mut asked: Vec<String> = words(fact).collect();
        asked.sort_unstable();
        asked.dedup();
        let mut scores = HashMap::new();
        asked.iter().for_each(|word| self.add(word, mean, &mut scores));
        let mut ranked: Vec<(usize, f64)> = scores.into_iter().collect();
        ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let piece =
            |(place, score): (usize, f64)| Some(Evidence { text: self.passages.get(place)?.clone(), place, score });
        ranked.into_iter().take(k).filter_map(piece).collect()
    }
}

/// The facts of a question as a source: what contradicts them is not supported, what is not about them is irrelevant.
#[derive(Debug, Clone)]
pub struct FactStore {
    facts: Vec<CheckableFact>,
}

impl FactStore {
    /// A store of these facts.
    #[must_use]
    pub fn new(facts: Vec<CheckableFact>) -> Self {
        Self { facts }
    }

    fn standing(&self, place: usize, text: &str) -> Standing {
        let fact = self.facts.get(place).map(std::slice::from_ref).unwrap_or_default();
        FactReport::new(fact, text).standings.first().copied().unwrap_or(Standing::Missing)
    }
}

impl Source for FactStore {
    fn evidence(&self, fact: &str, k: usize) -> Vec<Evidence> {
        let about = self.facts.iter().enumerate().filter_map(|(place, stored)| {
            let standing = self.standing(place, fact);
            let score = if standing == Standing::Right { 1.0 } else { 0.5 };
            (standing != Standing::Missing).then(|| Evidence { text: stored.statement.clone(), place, score })
        });
        let mut found: Vec<Evidence> = about.collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
        found.truncate(k);
        found
    }

    fn verdict(&self, fact: &str, evidence: &[Evidence]) -> Support {
        match evidence.first().map(|piece| self.standing(piece.place, fact)) {
            Some(Standing::Right) => Support::Supported,
            Some(Standing::Wrong) => Support::NotSupported,
            _ => Support::Irrelevant,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let text = normalised(text);
    let words: Vec<String> = text
        .split(|scalar: char| !scalar.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    words.into_iter()
}

fn cut(paragraph: &str) -> Vec<String> {
    let (mut passages, mut open, mut count) = (Vec::new(), String::new(), 0);
    for sentence in split::sentences(paragraph) {
        count += sentence.split_whitespace().count();
        if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(&sentence);
        if count >= PASSAGE_WORDS {
            passages.push(std::mem::take(&mut open));
            count = 0;
        }
    }
    if !open.is_empty() {
        passages.push(open);
    }
    passages
}

/// A fact as rules read it.
struct Claim {
    /// Numbers and words that begin with a capital.
    hard: Vec<String>,
    /// The other words of four letters and more, by their first five letters.
    soft: Vec<String>,
}

impl Claim {
    fn new(fact: &str) -> Self {
        let (mut hard, mut soft) = (Vec::new(), Vec::new());
        for (place, word) in
            fact.split(|scalar: char| !scalar.is_alphanumeric()).filter(|word| !word.is_empty()).enumerate()
        {
            let name = word.starts_with(char::is_uppercase) && !(place == 0 && OPENINGS.contains(&word));
            let lower = word.to_lowercase();
            if name || word.starts_with(|first: char| first.is_ascii_digit()) {
                hard.push(lower);
            } else if lower.chars().count() >= 4 {
                soft.push(stem(&lower));
            }
        }
        Self { hard, soft }
    }

    fn stands_in(&self, passage: &str) -> bool {
        let sentences = split::sentences(passage);
        let first: Vec<String> = sentences.first().map(|first| words(first).collect()).unwrap_or_default();
        sentences.iter().any(|sentence| {
            let own: Vec<String> = words(sentence).collect();
            let stems: Vec<String> = own.iter().map(|word| stem(word)).collect();
            let held = self.soft.iter().filter(|word| stems.contains(word)).count();
            // A year may be given once, at the head of the paragraph; a name must stand in the sentence itself.
            let known = |word: &String| {
                own.contains(word) || (word.starts_with(|digit: char| digit.is_ascii_digit()) && first.contains(word))
            };
            self.hard.iter().all(known) && held * 2 >= self.soft.len()
        })
    }
}

const OPENINGS: [&str; 12] = ["The", "A", "An", "In", "On", "At", "From", "Then", "After", "Before", "During", "There"];

fn stem(word: &str) -> String {
    word.chars().take(5).collect()
}
