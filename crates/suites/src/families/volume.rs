//! A volume: documents or chapters written one after another into a budget, with their evidence marked.

use crate::card::Language;
use crate::haystack::{PassageBuilder, Planted, PlantedSentence, planting_cost};
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world;

/// A sentence, and whether an answer stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The sentence, final punctuation included.
    pub text: String,
    /// Whether it is evidence.
    pub evidence: bool,
}

impl Line {
    /// A sentence that is no evidence.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), evidence: false }
    }

    /// Evidence.
    pub fn evidence(text: impl Into<String>) -> Self {
        Self { text: text.into(), evidence: true }
    }
}

/// A text that grows until its budget is full.
pub struct Volume {
    builder: PassageBuilder,
    language: Language,
    budget: u32,
    marks: Vec<PlantedSentence>,
}

impl Volume {
    /// An empty text of at most `budget` canonical tokens.
    pub fn new(language: Language, budget: u32) -> Self {
        Self { builder: PassageBuilder::new(language, budget as usize * 5), language, budget, marks: Vec::new() }
    }

    /// Canonical tokens so far.
    pub fn tokens(&self) -> u32 {
        self.builder.tokens()
    }

    /// Canonical tokens left.
    pub fn left(&self) -> u32 {
        self.budget.saturating_sub(self.builder.tokens())
    }

    /// Appends a sentence if it fits.
    pub fn offer(&mut self, line: &Line) -> bool {
        let cost = planting_cost(self.language, &line.text);
        // A paragraph's first sentence stands after an empty line, which costs at most one token more.
        let fits = self.builder.tokens() + cost < self.budget;
        if fits {
            self.write(line, cost);
        }
        fits
    }

    /// Appends a paragraph whole or not at all.
    pub fn paragraph(&mut self, lines: &[Line]) -> bool {
        let costs: Vec<u32> = lines.iter().map(|line| planting_cost(self.language, &line.text)).collect();
        if self.builder.tokens() + costs.iter().sum::<u32>() + 1 > self.budget {
            return false;
        }
        self.builder.end_paragraph();
        for (line, cost) in lines.iter().zip(costs) {
            self.write(line, cost);
        }
        true
    }

    /// Ends the paragraph.
    pub fn end_paragraph(&mut self) {
        self.builder.end_paragraph();
    }

    fn write(&mut self, line: &Line, cost: u32) {
        let token_start = self.builder.tokens();
        self.builder.counted_sentence(&line.text, cost);
        if line.evidence {
            let end = self.builder.bytes();
            self.marks.push(PlantedSentence { bytes: end - line.text.len()..end, token_start });
        }
    }

    /// The text, its last tokens filled with closing sentences.
    pub fn finish(mut self) -> Planted {
        world::fill(self.language, &mut self.builder, self.budget);
        let passage = self.builder.finish();
        Planted { text: passage.text, tokens: passage.tokens, needles: self.marks }
    }
}

/// A prompt in its parts.
pub struct Written {
    /// Before the text, ending with an empty line.
    pub head: String,
    /// The text.
    pub body: Planted,
    /// After the text, beginning with an empty line; may be empty.
    pub tail: String,
    /// The answer.
    pub answer: Answer,
}

/// How many tokens short of the length a prompt may stay before it is written anew.
const SLACK: u32 = 12;
const ROUNDS: usize = 8;

/// Writes prompts with growing or shrinking budgets for their text until one meets the length. `write` gets the budget
/// and gives `None` when nothing sensible fits it.
pub fn fit(
    task: &Task,
    request: &ItemRequest<'_>,
    write: &mut dyn FnMut(u32) -> Option<Written>,
) -> Result<Item, GenerateError> {
    let refuse =
        || super::prose::unsatisfiable(task, request, "frame, text and answer do not fit: choose a longer one");
    let length = request.length.tokens();
    let mut budget = length.saturating_sub(task.card().output_tokens.min(length / 2) + 128);
    let mut best: Option<(u32, Item)> = None;
    for _ in 0..ROUNDS {
        let written = write(budget).ok_or_else(refuse)?;
        let output = written.answer.output_tokens.unwrap_or(task.card().output_tokens);
        let limit = length.saturating_sub(output);
        let mut prompt = Prompt::default();
        prompt.push(&written.head);
        prompt.begin_document();
        prompt.push_planted(&written.body);
        prompt.end_document();
        prompt.push(&written.tail);
        let tokens = prompt.tokens();
        if tokens > limit {
            budget = budget.checked_sub(tokens - limit).ok_or_else(refuse)?;
            continue;
        }
        let short = limit - tokens;
        if best.as_ref().is_none_or(|(least, _)| short < *least) {
            best = Some((short, prompt.finish(task, request, written.answer)));
        }
        if short <= SLACK {
            break;
        }
        budget += short;
    }
    best.map(|(_, item)| item).ok_or_else(refuse)
}
