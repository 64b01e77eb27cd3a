//! Haystacks: running text with exact token counts, made to have sentences planted in it.
//!
//! English and Persian sentences join with one space. A space after a non-space always starts a new pre-token, so counts add up
//! at every join. Chinese sentences join without anything, and the split pattern glues a full stop to the clause
//! after it: there the pre-token boundary lies before the full stop. Both cases are counted over a window that
//! reaches to the next sure boundary on either side ([`tokens::splits_between`]).

use std::ops::Range;

use crate::card::Language;
use crate::tokens;

/// A place between two sentences of one paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Byte offset: the next sentence starts here, with its leading space where the language has one.
    pub byte: usize,
    /// Canonical tokens of the text before, counted on its own.
    pub token: u32,
}

/// Running text whose tokens are counted.
#[derive(Debug, Clone)]
pub struct Passage {
    /// Language, which decides how sentences join.
    pub language: Language,
    /// The text.
    pub text: String,
    /// Canonical tokens of `text`, exact.
    pub tokens: u32,
    /// Places where a sentence can be planted, ascending; the first is the start, the last the end.
    pub breaks: Vec<Break>,
}

/// A source of running text.
pub trait Haystack: Sync {
    /// Language of the text.
    fn language(&self) -> Language;

    /// A passage of at most `budget` canonical tokens and at least `budget - 8` where `budget` is 64 or more.
    /// The same (source, variant, budget) gives the same bytes; another `variant` gives other text.
    ///
    /// # Errors
    /// [`HaystackError::TooShort`] when the source has less text than that.
    fn passage(&self, variant: u64, budget: u32) -> Result<Passage, HaystackError>;
}

/// Why a haystack gives no passage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HaystackError {
    /// The source holds less text than asked for.
    #[error("the corpus has {available} tokens, {needed} are needed: upload a longer text or choose shorter lengths")]
    TooShort {
        /// Canonical tokens that the source can give.
        available: u32,
        /// Canonical tokens asked for.
        needed: u32,
    },
    /// The source has no sentence at all.
    #[error("the corpus has no text: upload UTF-8 prose with full sentences")]
    Empty,
}

/// A passage with sentences planted in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The text.
    pub text: String,
    /// Canonical tokens of `text`, exact.
    pub tokens: u32,
    /// The planted sentences, in the order in which they were given.
    pub needles: Vec<PlantedSentence>,
}

/// Where a planted sentence lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlantedSentence {
    /// Bytes of the sentence, without any joining space.
    pub bytes: Range<usize>,
    /// Canonical tokens of the text before the sentence, without the joining space, counted on their own.
    pub token_start: u32,
}

/// What stands between two sentences of a paragraph.
const fn joint(language: Language) -> &'static str {
    match language {
        Language::English | Language::Persian => " ",
        Language::Chinese => "",
    }
}

/// Canonical tokens that planting `sentence` adds at any break but the first, where the sentence and the one before
/// it end with the language's full stop. At the first break the words at the joint lose or gain a leading space, which
/// may change the count by a few: [`Planted::tokens`] is exact everywhere.
#[must_use]
pub fn planting_cost(language: Language, sentence: &str) -> u32 {
    let before = match language {
        Language::English | Language::Persian => ".",
        Language::Chinese => "。",
    };
    tokens::count(&[before, joint(language), sentence].concat()).saturating_sub(tokens::count(before))
}

impl Passage {
    /// The break nearest to `fraction` of the tokens: 0 is the start, 1 the end.
    #[must_use]
    pub fn break_at(&self, fraction: f64) -> usize {
        let target = (fraction.clamp(0.0, 1.0) * f64::from(self.tokens)).round() as u32;
        let after = self.breaks.partition_point(|place| place.token < target);
        let distance = |index: usize| self.breaks.get(index).map_or(u32::MAX, |place| place.token.abs_diff(target));
        let before = after.saturating_sub(1);
        if distance(before) <= distance(after) { before } else { after }
    }

    /// Plants sentences at breaks. A sentence brings its final punctuation and no surrounding space; several at one
    /// break stand in the given order; a break index beyond the last means the end.
    #[must_use]
    pub fn plant(&self, plants: &[(usize, &str)]) -> Planted {
        let mut order: Vec<usize> = (0..plants.len()).collect();
        order.sort_by_key(|&plant| plants.get(plant).map(|&(place, _)| place));
        let room = plants.iter().map(|(_, sentence)| sentence.len() + 1).sum::<usize>();
        let mut planting = Planting {
            passage: self,
            text: String::with_capacity(self.text.len() + room),
            copied: 0,
            counted: 0,
            tokens: 0,
            needles: vec![PlantedSentence { bytes: 0..0, token_start: 0 }; plants.len()],
        };
        for plant in order {
            if let Some(&(place, sentence)) = plants.get(plant) {
                planting.insert(plant, place, sentence);
            }
        }
        planting.finish()
    }
}

/// A text being copied with insertions. `tokens` are those of `text` up to `counted`, a sure boundary.
struct Planting<'a> {
    passage: &'a Passage,
    text: String,
    copied: usize,
    counted: usize,
    tokens: u32,
    needles: Vec<PlantedSentence>,
}

impl Planting<'_> {
    fn insert(&mut self, plant: usize, place: usize, sentence: &str) {
        let end = Break { byte: self.passage.text.len(), token: self.passage.tokens };
        let place = self.passage.breaks.get(place).copied().unwrap_or(end);
        self.copy_to(place);
        let joint = joint(self.passage.language);
        let token_start = self.tokens + tokens::count(self.text.get(self.counted..).unwrap_or_default());
        if !self.text.is_empty() {
            self.text.push_str(joint);
        }
        let start = self.text.len();
        self.text.push_str(sentence);
        if let Some(needle) = self.needles.get_mut(plant) {
            *needle = PlantedSentence { bytes: start..self.text.len(), token_start };
        }
        self.settle();
    }

    /// Copies the passage up to `place`. Its own count serves for all but the ends of the copied stretch.
    fn copy_to(&mut self, place: Break) {
        if place.byte <= self.copied {
            return;
        }
        let source = self.passage.text.as_str();
        let stretch = source.get(self.copied..place.byte).unwrap_or_default();
        if self.copied == 0 && !self.text.is_empty() {
            self.text.push_str(joint(self.passage.language));
        }
        let head = tokens::first_split(stretch);
        let tail = tokens::last_split(stretch);
        let offset = self.text.len();
        self.text.push_str(stretch);
        if tail > head {
            let pending = self.text.get(self.counted..offset + head).unwrap_or_default();
            let last = tokens::count(stretch.get(tail..).unwrap_or_default());
            self.tokens += tokens::count(pending) + place.token - last - self.tokens_before(self.copied + head);
            self.counted = offset + tail;
        }
        self.copied = place.byte;
    }

    /// Canonical tokens of the passage before `byte`, a sure boundary at most a few words after a break.
    fn tokens_before(&self, byte: usize) -> u32 {
        let place = self.passage.breaks.partition_point(|place| place.byte < byte);
        let from = self.passage.breaks.get(place.saturating_sub(1)).copied().unwrap_or(Break { byte: 0, token: 0 });
        let before = self.passage.text.get(..from.byte).unwrap_or_default();
        let start = tokens::last_split(before);
        let open = before.get(start..).unwrap_or_default();
        let stretch = self.passage.text.get(start..byte).unwrap_or_default();
        from.token - tokens::count(open) + tokens::count(stretch)
    }

    /// Counts the text up to its last sure boundary.
    fn settle(&mut self) {
        let open = self.text.get(self.counted..).unwrap_or_default();
        let split = tokens::last_split(open);
        self.tokens += tokens::count(open.get(..split).unwrap_or_default());
        self.counted += split;
    }

    fn finish(mut self) -> Planted {
        self.copy_to(Break { byte: self.passage.text.len(), token: self.passage.tokens });
        let tokens = self.tokens + tokens::count(self.text.get(self.counted..).unwrap_or_default());
        Planted { text: self.text, tokens, needles: self.needles }
    }
}

/// Builds a [`Passage`] sentence by sentence, always knowing its exact tokens.
#[derive(Debug, Clone)]
pub struct PassageBuilder {
    passage: Passage,
    /// Bytes up to a sure boundary and their tokens; `passage.tokens` covers everything.
    settled: (usize, u32),
    paragraph_open: bool,
}

/// A state of a [`PassageBuilder`].
#[derive(Debug, Clone, Copy)]
struct Mark {
    text: usize,
    breaks: usize,
    tokens: u32,
    settled: (usize, u32),
    paragraph_open: bool,
}

impl PassageBuilder {
    /// An empty passage with room for `bytes` of text.
    #[must_use]
    pub fn new(language: Language, bytes: usize) -> Self {
        let breaks = vec![Break { byte: 0, token: 0 }];
        let passage = Passage { language, text: String::with_capacity(bytes), tokens: 0, breaks };
        Self { passage, settled: (0, 0), paragraph_open: false }
    }

    /// Canonical tokens so far, exact.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.passage.tokens
    }

    /// Bytes of text so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.passage.text.len()
    }

    /// Appends a sentence (final punctuation included, no surrounding space) and counts it.
    pub fn sentence(&mut self, sentence: &str) {
        self.join();
        self.passage.text.push_str(sentence);
        self.count_open();
    }

    /// Appends a sentence whose [`planting_cost`] is known. The cost serves where the sentence follows another that
    /// ends with a full stop; elsewhere it is counted.
    pub fn counted_sentence(&mut self, sentence: &str, cost: u32) {
        let stop = if self.passage.language == Language::Chinese { '。' } else { '.' };
        let inside = self.paragraph_open && self.passage.text.ends_with(stop) && sentence.ends_with(stop);
        if !inside {
            return self.sentence(sentence);
        }
        self.join();
        let before = self.passage.tokens;
        let start = self.passage.text.len();
        self.passage.text.push_str(sentence);
        self.passage.tokens = before + cost;
        self.settled = match self.passage.language {
            Language::English | Language::Persian => (start - joint(Language::English).len(), before),
            Language::Chinese => {
                let split = tokens::last_split(sentence);
                let open = sentence.get(split..).unwrap_or_default();
                if split == 0 { self.settled } else { (start + split, self.passage.tokens - tokens::count(open)) }
            }
        };
    }

    /// The present state, to come back to with [`PassageBuilder::reset`].
    fn mark(&self) -> Mark {
        let text = self.passage.text.len();
        let breaks = self.passage.breaks.len();
        Mark { text, breaks, tokens: self.passage.tokens, settled: self.settled, paragraph_open: self.paragraph_open }
    }

    fn reset(&mut self, mark: Mark) {
        self.passage.text.truncate(mark.text);
        self.passage.breaks.truncate(mark.breaks);
        self.passage.tokens = mark.tokens;
        self.settled = mark.settled;
        self.paragraph_open = mark.paragraph_open;
    }

    /// Ends the paragraph; the next sentence starts a new one after an empty line.
    pub fn end_paragraph(&mut self) {
        self.paragraph_open = false;
    }

    /// The finished passage.
    #[must_use]
    pub fn finish(mut self) -> Passage {
        let end = Break { byte: self.passage.text.len(), token: self.passage.tokens };
        if end.byte > 0 {
            self.passage.breaks.push(end);
        }
        self.passage
    }

    fn join(&mut self) {
        if self.paragraph_open {
            let place = Break { byte: self.passage.text.len(), token: self.passage.tokens };
            self.passage.breaks.push(place);
            self.passage.text.push_str(joint(self.passage.language));
        } else if !self.passage.text.is_empty() {
            self.passage.text.push_str("\n\n");
        }
        self.paragraph_open = true;
    }

    fn count_open(&mut self) {
        let (settled, before) = self.settled;
        let open = self.passage.text.get(settled..).unwrap_or_default();
        let split = tokens::last_split(open);
        let (done, rest) = open.split_at_checked(split).unwrap_or(("", open));
        let tokens = before + tokens::count(done);
        self.passage.tokens = tokens + tokens::count(rest);
        self.settled = (settled + split, tokens);
    }
}

#[path = "haystack_corpus.rs"]
mod corpus;
pub use corpus::Corpus;

#[cfg(test)]
#[path = "haystack_tests.rs"]
mod tests;
