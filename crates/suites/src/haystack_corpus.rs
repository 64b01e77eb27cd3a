//! Uploaded text as a haystack.

use super::{Haystack, HaystackError, Passage, PassageBuilder, joint, planting_cost};
use crate::card::Language;
use crate::rng::Rng;
use crate::tokens;

/// Sentences looked at to fill the last tokens of a passage.
const CANDIDATES: usize = 256;

/// Canonical tokens that a passage may lack ([`Haystack::passage`]).
const SLACK: u32 = 8;

/// No head of a sentence with more bytes than this for each token of room is tried.
const TOKEN_BYTES: usize = 32;

/// Uploaded prose, split in paragraphs (at empty lines) and sentences.
#[derive(Debug, Clone)]
pub struct Corpus {
    language: Language,
    sentences: Vec<Sentence>,
    tokens: u32,
}

#[derive(Debug, Clone)]
struct Sentence {
    text: String,
    cost: u32,
    ends_paragraph: bool,
}

impl Corpus {
    /// Reads a corpus. Line breaks inside a paragraph become spaces, and vanish in Chinese.
    ///
    /// # Errors
    /// [`HaystackError::Empty`] when there is no sentence.
    pub fn new(language: Language, text: &str) -> Result<Self, HaystackError> {
        let text = text.replace("\r\n", "\n");
        let mut sentences = Vec::new();
        for paragraph in text.split("\n\n") {
            let joint = joint(language);
            let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(joint);
            for sentence in split_sentences(language, &paragraph) {
                let cost = planting_cost(language, sentence);
                sentences.push(Sentence { text: sentence.to_owned(), cost, ends_paragraph: false });
            }
            if let Some(last) = sentences.last_mut() {
                last.ends_paragraph = true;
            }
        }
        if sentences.is_empty() {
            return Err(HaystackError::Empty);
        }
        let tokens = sentences.iter().map(|sentence| sentence.cost).fold(0, u32::saturating_add);
        Ok(Self { language, sentences, tokens })
    }

    /// About how many canonical tokens the corpus holds.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.tokens
    }

    /// Appends what still fits: whole sentences from anywhere near, then heads of sentences. Heads end between words;
    /// where every word is longer than the room, within one.
    fn fill(&self, builder: PassageBuilder, next: usize, budget: u32) -> PassageBuilder {
        let near = || self.sentences.iter().cycle().skip(next).take(CANDIDATES.min(self.sentences.len()));
        let mut builder = builder;
        for sentence in near() {
            if room(&builder, budget) <= SLACK {
                return builder;
            }
            if sentence.cost <= room(&builder, budget) {
                builder = fitting(builder, &sentence.text, budget);
            }
        }
        for &cuts_at in cuts(self.language) {
            for sentence in near() {
                if room(&builder, budget) <= SLACK {
                    return builder;
                }
                builder = self.with_head(builder, &sentence.text, budget, cuts_at);
            }
        }
        builder
    }

    /// `builder` with the longest head of `sentence` that fits, if any does.
    fn with_head(
        &self,
        builder: PassageBuilder,
        sentence: &str,
        budget: u32,
        cuts_at: fn(char) -> bool,
    ) -> PassageBuilder {
        let stop = if self.language == Language::Chinese { '。' } else { '.' };
        let (before, longest) = (builder.tokens(), room(&builder, budget) as usize * TOKEN_BYTES);
        let mut builder = builder;
        let letters = sentence.char_indices().take_while(|&(at, _)| at <= longest);
        let ends: Vec<usize> = letters.filter(|&(at, letter)| at > 0 && cuts_at(letter)).map(|(at, _)| at).collect();
        for &end in ends.iter().rev() {
            let head = format!("{}{stop}", sentence.get(..end).unwrap_or_default());
            if planting_cost(self.language, &head) + before <= budget {
                builder = fitting(builder, &head, budget);
                if builder.tokens() > before {
                    break;
                }
            }
        }
        builder
    }
}

/// Canonical tokens that `builder` lacks.
fn room(builder: &PassageBuilder, budget: u32) -> u32 {
    budget.saturating_sub(builder.tokens())
}

/// Letters before which a sentence may be cut, the better places first.
fn cuts(language: Language) -> &'static [fn(char) -> bool] {
    match language {
        Language::English | Language::Persian => &[|letter| letter == ' ', char::is_alphanumeric],
        Language::Chinese => &[char::is_alphanumeric],
    }
}

impl Haystack for Corpus {
    fn language(&self) -> Language {
        self.language
    }

    fn passage(&self, variant: u64, budget: u32) -> Result<Passage, HaystackError> {
        if self.tokens < budget {
            return Err(HaystackError::TooShort { available: self.tokens, needed: budget });
        }
        let start = if variant == 0 { 0 } else { Rng::from_path(&[variant]).index(self.sentences.len()) };
        let mut builder = PassageBuilder::new(self.language, budget as usize * 5);
        for step in 0..self.sentences.len() {
            let at = (start + step) % self.sentences.len();
            let Some(sentence) = self.sentences.get(at) else { break };
            let mark = builder.mark();
            builder.counted_sentence(&sentence.text, sentence.cost);
            if builder.tokens() > budget {
                builder.reset(mark);
                return Ok(self.fill(builder, at, budget).finish());
            }
            if sentence.ends_paragraph {
                builder.end_paragraph();
            }
        }
        Ok(self.fill(builder, start, budget).finish())
    }
}

/// `builder` with `sentence` if that stays within `budget`, else unchanged.
fn fitting(builder: PassageBuilder, sentence: &str, budget: u32) -> PassageBuilder {
    let mark = builder.mark();
    let mut builder = builder;
    builder.sentence(sentence);
    if builder.tokens() > budget {
        builder.reset(mark);
    }
    builder
}

/// The sentences of a paragraph: they end after a full stop, question or exclamation mark and any closing quotes.
fn split_sentences(language: Language, paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut letters = paragraph.char_indices().peekable();
    let mut ended = false;
    while let Some((at, letter)) = letters.next() {
        ended = match letter {
            '.' | '!' | '?' => language != Language::Chinese,
            '。' | '！' | '？' => true,
            '؟' => language == Language::Persian,
            '"' | '”' | '’' | '」' | ')' | '）' | '»' => ended,
            _ => false,
        };
        let closes = letters.peek().is_none_or(|&(_, next)| match language {
            Language::English | Language::Persian => next == ' ',
            Language::Chinese => !matches!(next, '”' | '’' | '」' | '）' | '。' | '！' | '？'),
        });
        if ended && closes {
            let end = at + letter.len_utf8();
            sentences.push(paragraph.get(start..end).unwrap_or_default().trim());
            start = end;
        }
    }
    sentences.push(paragraph.get(start..).unwrap_or_default().trim());
    sentences.retain(|sentence| !sentence.is_empty() && tokens::count(sentence) > 1);
    sentences
}
