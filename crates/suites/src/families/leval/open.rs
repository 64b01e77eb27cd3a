//! Open-ended shapes: short answers, clauses and decisions.

use super::Draft;
use crate::card::Language;
use crate::families::book::{self, Book, Heading, Place, Section, plain};
use crate::families::book_question::Asker;
use crate::families::kinship;
use crate::prompt::Prompt;
use crate::rng::Rng;
use crate::task::ItemRequest;
use crate::world::World;

/// The heading of one of many documents.
pub fn document(number: usize) -> String {
    format!("Document {number}\n")
}

/// A short answer from one place.
pub fn lookup(request: &ItemRequest<'_>, room: u32, rng: &mut Rng, heading: Heading) -> Option<Draft> {
    let head = "Read what follows and answer the question at its end with a few words.\n\n".to_owned();
    let room = room.saturating_sub(crate::tokens::count(&head));
    let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, heading);
    if !heading(1).is_empty() {
        book.shuffle(rng);
    }
    let question = Asker::new(&book).lookup(rng)?;
    Some(Draft {
        head,
        heading,
        marks: question.evidence,
        tail: format!("\n\nQuestion: {}\nAnswer:", question.text),
        reference: question.answer,
        sections: book.sections,
    })
}

/// What a contract settles, and how.
const MATTERS: [(&str, &str); 6] = [
    ("rent", "the tenant pays a rent of {n} pence at every new moon"),
    ("term", "the agreement ends after {n} months unless both sides renew it"),
    ("deposit", "a deposit of {n} pence is left with the town clerk"),
    ("notice", "either side may leave with {n} days of notice"),
    ("penalty for delay", "whoever delivers late owes {n} pence for each week"),
    ("right of inspection", "the owner may look at the house {n} times in a year"),
];

/// Contracts with many people, of which one clause is asked for.
pub fn contract(_: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    let head = "The town clerk keeps the contracts below.\n\n".to_owned();
    let mut counter = Prompt::default();
    let mut used = counter.count(&head);
    let names = kinship::names(Language::English, rng, (room / 100) as usize + 2);
    let mut sections: Vec<Section> = Vec::new();
    for name in &names {
        let mut section = vec![plain(format!("Contract with {name}."))];
        for (_, clause) in MATTERS {
            section
                .push(plain(format!("It is agreed that {}.", clause.replace("{n}", &rng.between(11, 99).to_string()))));
        }
        let text: String = section.iter().map(|statement| format!(" {}", statement.text)).collect();
        used += counter.count(&text);
        if used > room {
            break;
        }
        sections.push(section);
    }
    let section = rng.index(sections.len());
    let matter = rng.index(MATTERS.len());
    let (name, (title, _)) = (names.get(section)?, MATTERS.get(matter)?);
    let clause = Place { section, sentence: matter + 1 };
    let reference = sections.get(section)?.get(clause.sentence)?.text.clone();
    Some(Draft {
        head,
        heading: book::unnumbered,
        sections,
        marks: vec![Place { section, sentence: 0 }, clause],
        tail: format!(
            "\n\nQuote the sentence of the contract with {name} that settles the {title}, and nothing else.\nAnswer:"
        ),
        reference,
    })
}

const TASKS: [&str; 8] = [
    "mend the north gate",
    "count the stores",
    "write to the bishop",
    "clear the mill race",
    "hire two watchmen",
    "weigh the tithe",
    "repaint the ferry",
    "survey the common",
];

/// A meeting in which a few things are decided.
pub fn meeting(request: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    const DECISIONS: usize = 5;
    const SENTENCE_TOKENS: u32 = 36;
    let head = "The minutes of a meeting follow, in which the speakers quote the chronicle at length.\n\n".to_owned();
    let speakers = kinship::names(Language::English, rng, 6);
    let room = room.saturating_sub(crate::tokens::count(&head) + DECISIONS as u32 * SENTENCE_TOKENS);
    let speech =
        |number: usize| if number.is_multiple_of(2) { "The clerk reads: " } else { "The reeve reads: " }.to_owned();
    let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, speech);
    if book.sections.len() < DECISIONS {
        return None;
    }
    let mut sections = rng.distinct(book.sections.len(), DECISIONS);
    sections.sort_unstable();
    let (mut decisions, mut marks) = (Vec::new(), Vec::new());
    for (section, task) in sections.into_iter().zip(rng.distinct(TASKS.len(), DECISIONS)) {
        let (who, task) = (rng.choose(&speakers)?, TASKS.get(task)?);
        let text = format!("The meeting decided that {who} will {task} within {} days.", rng.between(3, 60));
        let sentences = book.sections.get_mut(section)?;
        marks.push(Place { section, sentence: sentences.len() });
        sentences.push(plain(text.clone()));
        decisions.push(text);
    }
    Some(Draft {
        head,
        heading: speech,
        sections: book.sections,
        marks,
        tail: "\n\nSummarise the decisions of the meeting in their order, one sentence for each, in the form: The meeting decided that N will do a thing within some days.\nAnswer:".to_owned(),
        reference: decisions.join(" "),
    })
}
