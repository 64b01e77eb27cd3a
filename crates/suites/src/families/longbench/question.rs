//! English questions about one document or many passages.

use super::data_set::DataSet;
use crate::families::book::{self, Book, Heading, Place, Volume};
use crate::families::book_question::Asker;
use crate::families::kin_question::Kin;
use crate::families::prose;
use crate::item::Item;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::{PersonId, World};

/// Tokens that the longest question takes with the instruction that is told again.
const TAIL_TOKENS: u32 = 190;
/// Walks that are tried until one can be asked about.
const WALKS: usize = 16;

/// A question before it is written.
struct Asked {
    text: String,
    answer: String,
    evidence: Vec<Place>,
}

fn passage(number: usize) -> String {
    format!("Passage {number}:\n")
}

/// The item of a question data set.
pub fn item(task: &Task, request: &ItemRequest<'_>, data_set: &DataSet, mut rng: Rng) -> Result<Item, GenerateError> {
    let many = matches!(data_set.name, "hotpotqa" | "2wikimqa" | "musique");
    let heading: Heading = if many { passage } else { book::unnumbered };
    let instruction = instruction(data_set.name);
    let head = format!("{instruction}\n\n");
    let room = book::room(task, request, &head, TAIL_TOKENS);
    let drafted = (0..WALKS).find_map(|_| {
        let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, heading);
        if many {
            book.shuffle(&mut rng);
        }
        let asked = ask(data_set.name, &book, &mut rng)?;
        Some((book, asked))
    });
    let (book, asked) =
        drafted.ok_or_else(|| prose::unsatisfiable(task, request, "the text tells too little for a question"))?;
    let volume = Volume {
        head,
        heading,
        sections: book.sections,
        marks: asked.evidence,
        tail: format!("\n\n{instruction}\n\nQuestion: {}\nAnswer:", asked.text),
        answer: Answer { references: vec![asked.answer], ..Answer::default() },
    };
    book::bind(task, request, volume)
}

fn instruction(name: &str) -> &'static str {
    match name {
        "narrativeqa" => {
            "Here is a long story. Answer the question about it with one short phrase and without any reasons."
        }
        "qasper" => {
            "Here is a long record. Answer the question about it with a word, a name or a number. Where the record does not tell the answer, write \"unanswerable\". Where the question can be answered by yes or no, write \"yes\" or \"no\". Give no reasons."
        }
        "multifieldqa_en" => "Here is a text. Answer the question about it with the answer alone.",
        _ => "Here are numbered passages. Answer the question from them with the answer alone.",
    }
}

fn ask(name: &str, book: &Book, rng: &mut Rng) -> Option<Asked> {
    if name == "qasper" {
        return match rng.index(3) {
            0 => lookup(book, rng),
            1 => yes_or_no(book, rng),
            _ => stranger(book, rng),
        };
    }
    let question = match name {
        "musique" => Kin::new(book).of_parent_of(rng),
        "2wikimqa" => Kin::new(book).of_parent(rng),
        "multifieldqa_en" => return lookup(book, rng),
        _ => Asker::new(book).two_hop(rng),
    }?;
    Some(Asked { text: question.text, answer: question.answer, evidence: question.evidence })
}

fn lookup(book: &Book, rng: &mut Rng) -> Option<Asked> {
    let question = Asker::new(book).lookup(rng)?;
    Some(Asked { text: question.text, answer: question.answer, evidence: question.evidence })
}

/// Whether somebody did what the book tells of that person, or of another one.
fn yes_or_no(book: &Book, rng: &mut Rng) -> Option<Asked> {
    let deeds = Asker::new(book).deeds(2, rng)?;
    let ((doer, done, place), (other, ..)) = (deeds.first()?, deeds.get(1)?);
    let (name, answer) = if rng.below(2) == 0 { (doer, "yes") } else { (other, "no") };
    Some(Asked { text: format!("Was it {name} who {done}?"), answer: answer.to_owned(), evidence: vec![*place] })
}

/// A question about somebody of whom the book says nothing.
fn stranger(book: &Book, rng: &mut Rng) -> Option<Asked> {
    let id = PersonId(rng.below(1 << 31) as u32);
    let name = book.world.person(id).name.of(crate::card::Language::English);
    let told = book.sentences().any(|(_, statement)| statement.text.contains(&name));
    let (text, ..) = Asker::new(book).of_life(id, &name, rng)?;
    (!told).then(|| Asked { text, answer: "unanswerable".to_owned(), evidence: Vec::new() })
}
