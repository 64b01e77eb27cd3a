//! Worked examples before the question, as raw text to continue: TREC, TriviaQA, SAMSum and LSHT.

use serde_json::json;

use super::{class_en, class_zh, dialogue};
use crate::families::book::{self, Book, Section};
use crate::families::book_question::{Asker, Question};
use crate::families::{lines, prose};
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::World;

/// A prompt that holds its head and takes examples while they fit beside what comes last.
struct Shots {
    prompt: Prompt,
    limit: u32,
}

impl Shots {
    fn new(task: &Task, request: &ItemRequest<'_>, head: &str, last: u32) -> Self {
        let mut prompt = Prompt::default();
        prompt.push(head);
        prompt.begin_document();
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens + last);
        Self { prompt, limit }
    }

    /// Canonical tokens left, with a few kept for joints.
    fn left(&mut self) -> u32 {
        self.limit.saturating_sub(self.prompt.tokens() + 2)
    }

    /// Takes an example if it fits.
    fn offer(&mut self, text: &str, evidence: bool) -> bool {
        let fits = self.prompt.count(text) <= self.left();
        if fits && evidence {
            self.prompt.push_needle(text.trim_end());
            self.prompt.push(text.get(text.trim_end().len()..).unwrap_or_default());
        } else if fits {
            self.prompt.push(text);
        }
        fits
    }
}

/// Examples that are refused one after another before a prompt counts as full.
const REFUSALS: usize = 24;

/// A classification set: an example of a class, with what it shows and what it asks.
pub trait Classes {
    /// The labels; none is part of another.
    fn labels(&self) -> Vec<&'static str>;
    /// Text of class `index`, ending where its label follows.
    fn text(&self, index: usize, rng: &mut Rng) -> String;
    /// What stands before the examples.
    fn head(&self) -> &'static str;
}

/// Classes by example (TREC, LSHT): those of the right class are evidence.
fn classified(task: &Task, request: &ItemRequest<'_>, classes: &dyn Classes, mut rng: Rng) -> Item {
    let labels = classes.labels();
    let right = rng.index(labels.len());
    let label = |index: usize| labels.get(index).copied().unwrap_or_default();
    let tail = classes.text(right, &mut rng).trim_end().to_owned();
    let mut shots = Shots::new(task, request, classes.head(), crate::tokens::count(&tail));
    let example = |index: usize, rng: &mut Rng| format!("{}{}\n\n", classes.text(index, rng), label(index));
    // Every class is shown once in each round, so the right one never depends on luck.
    let (mut refused, mut round) = (0, rng.distinct(labels.len(), labels.len()));
    // The first round begins with the right class, at a random place among the first few.
    round.retain(|index| *index != right);
    round.insert(rng.index(4), right);
    while refused < REFUSALS {
        if round.is_empty() {
            round = rng.distinct(labels.len(), labels.len());
        }
        let index = round.remove(0);
        if !shots.offer(&example(index, &mut rng), index == right) {
            refused += 1;
        }
    }
    let mut prompt = shots.prompt;
    prompt.end_document();
    prompt.push(&tail);
    let answer =
        Answer { references: vec![label(right).to_owned()], gold: json!({ "classes": labels }), ..Answer::default() };
    prompt.finish(task, request, answer)
}

/// Types of questions.
pub fn trec(task: &Task, request: &ItemRequest<'_>, rng: Rng) -> Item {
    classified(task, request, &class_en::Questions::new(World::new(request.seed)), rng)
}

/// Classes of Chinese news.
pub fn lsht(task: &Task, request: &ItemRequest<'_>, rng: Rng) -> Item {
    classified(task, request, &class_zh::News::new(World::new(request.seed)), rng)
}

/// Passages with a question and its answer; the last question is open.
pub fn triviaqa(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Result<Item, GenerateError> {
    const HEAD: &str =
        "Answer the last question from its passage with the answer alone, in the way of the examples.\n\n";
    let room = book::room(task, request, HEAD, 0);
    let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, book::unnumbered);
    book.shuffle(&mut rng);
    let mut asked = book.sections.into_iter().filter_map(|section| {
        let book = Book { world: book.world, sections: vec![section] };
        let question = Asker::new(&book).lookup(&mut rng)?;
        Some((book.sections.into_iter().next()?, question))
    });
    let refuse = || prose::unsatisfiable(task, request, "the passages tell too little for a question");
    let (section, question) = asked.next().ok_or_else(refuse)?;
    let last = passage(&section, &question);
    let mut shots = Shots::new(task, request, HEAD, crate::tokens::count(&last) + 4);
    for (section, question) in asked {
        shots.offer(&format!("{}{}\n\n", passage(&section, &question), question.answer), false);
    }
    let mut fillers = book::CLOSINGS.iter().peekable();
    let mut notes = String::new();
    let mut left = shots.left();
    while let Some(note) = fillers.peek() {
        match left.checked_sub(crate::tokens::count(note) + 1) {
            Some(rest) => {
                notes.extend([" ", note]);
                left = rest;
            }
            None => drop(fillers.next()),
        }
    }
    let mut prompt = shots.prompt;
    write_last(&mut prompt, &section, &question, &notes);
    let answer = Answer { references: vec![question.answer], ..Answer::default() };
    Ok(prompt.finish(task, request, answer))
}

fn passage(section: &Section, question: &Question) -> String {
    let told: Vec<&str> = section.iter().map(|said| said.text.as_str()).collect();
    format!("Passage:\n{}\nQuestion:\n{}\nAnswer:\n", told.join(" "), question.text)
}

/// The last passage with its evidence marked, and the open question.
fn write_last(prompt: &mut Prompt, section: &Section, question: &Question, notes: &str) {
    prompt.push("Passage:\n");
    for (sentence, said) in section.iter().enumerate() {
        if sentence > 0 {
            prompt.push(" ");
        }
        if question.evidence.iter().any(|place| place.sentence == sentence) {
            prompt.push_needle(&said.text);
        } else {
            prompt.push(&said.text);
        }
    }
    prompt.push(notes);
    prompt.end_document();
    prompt.push(&format!("\nQuestion:\n{}\nAnswer:\n", question.text));
}

/// Dialogues with their summaries; the last summary is open.
pub fn samsum(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    const HEAD: &str = "Sum up the last dialogue in one sentence, in the way of the examples.\n\n";
    let last = dialogue::Dialogue::draw(&mut rng);
    let frame = last.joined("") + "Summary: ";
    let mut shots = Shots::new(task, request, HEAD, crate::tokens::count(&frame) + 4);
    let mut refused = 0;
    while refused < REFUSALS {
        let shown = dialogue::Dialogue::draw(&mut rng);
        if shown.summary != last.summary
            && !shots.offer(&format!("{}Summary: {}\n\n", shown.joined(""), shown.summary), false)
        {
            refused += 1;
        }
    }
    let closing = lines::remarks(shots.left(), &mut rng);
    let mut prompt = shots.prompt;
    last.write(&mut prompt, &closing);
    prompt.end_document();
    prompt.push("Summary:");
    let answer = Answer { references: vec![last.summary], ..Answer::default() };
    prompt.finish(task, request, answer)
}
