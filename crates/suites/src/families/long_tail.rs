//! Long-tail knowledge (arXiv 2211.08411) inside one context: is an answer found more often when more documents hold it?
//!
//! The paper counts documents of a training corpus; here the count is that of documents in the prompt, and each of them
//! words the fact in its own way.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::book::{self, Book, Place, Volume, plain};
use crate::families::{book_question, kinship, prose};
use crate::item::{Item, Scored};
use crate::metrics::long_tail;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{
    Dial, Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, integer,
};
use crate::world::{Trade, World};

/// A fact that a given number of documents hold.
pub struct LongTail;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "support",
    help: "Documents that hold the fact",
    kind: ParameterKind::Integer { min: 1, max: 64, default: 1 },
}];

const HEAD: &str = "A pile of numbered documents follows. Read them; the question at the end is about one person.\n\n";
const TAIL_TOKENS: u32 = 64;
/// Others told about in the same way, so that the wording of a document does not give it away.
const STRANGERS: usize = 6;
/// Tokens of a planted sentence, at most.
const SENTENCE_TOKENS: u32 = 32;

fn heading(number: usize) -> String {
    format!("Document {number}:\n")
}

/// A sentence that holds the trade of a person.
fn told(name: &str, trade: &str, wording: usize) -> String {
    match wording % 8 {
        0 => format!("Among those who came through the gate that week was {name}, known as a {trade}."),
        1 => format!("The toll book has an entry for {name}, {trade}."),
        2 => format!("{name} earned a living as a {trade}, and said so to whoever asked."),
        3 => format!("For the repairs the council sent for {name}, a {trade} by trade."),
        4 => format!("A {trade} called {name} stood witness to the sale."),
        5 => format!("{name} the {trade} kept a stall near the well."),
        6 => format!("When {name} was asked for a profession, the clerk wrote down {trade}."),
        _ => format!("The guild counted {name} among its members, as a {trade}."),
    }
}

impl Family for LongTail {
    fn slug(&self) -> &'static str {
        "long_tail"
    }

    fn title(&self) -> &'static str {
        "Long-tail knowledge in context"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let support = integer(params, "support");
        Card {
            benchmark: "Long-tail knowledge",
            what: format!("Say what somebody lives by; {support} of the documents in the prompt hold it."),
            citation: "Kandpal et al. 2023, arXiv 2211.08411; code nkandpa2/long_tail_knowledge @ 021b1899 (no licence). Counting documents of the prompt is Longboard's own",
            licence: "documents and questions here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Words,
            tokenizer: "none",
            abilities: &["retrieval"],
            diffusion: Diffusion::Low,
            scope: Scope::Narrow,
            random_guess: 1.0 / Trade::ALL.len() as f64,
            output_tokens: 32,
            metric: "long_tail.accuracy",
            strict_metric: Some("long_tail.accuracy.strict"),
            min_tokens: if support > 4 { 4096 } else { 1024 },
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let support = integer(&task.definition().params, "support");
        let mut rng = prose::stream(task, request);
        let names = kinship::names(Language::English, &mut rng, STRANGERS + 1);
        let trades: Vec<&str> = Trade::ALL.iter().map(|trade| trade.noun()).collect();
        let mut facts: Vec<(usize, String)> = Vec::new();
        let mut answer = String::new();
        for (person, name) in names.iter().enumerate() {
            let trade = rng.choose(&trades).copied().unwrap_or_default();
            let (times, first) = (if person == 0 { support } else { 1 }, rng.index(8));
            facts.extend((0..times).map(|turn| (person, told(name, trade, first + turn))));
            if person == 0 {
                trade.clone_into(&mut answer);
            }
        }
        let planted = facts.len() as u32 * SENTENCE_TOKENS;
        let room = book::room(task, request, HEAD, TAIL_TOKENS + planted);
        let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, heading);
        let marks = plant(&mut book, facts, &mut rng);
        let asked = names.first().map_or("", String::as_str);
        let volume = Volume {
            head: HEAD.to_owned(),
            heading,
            sections: book.sections,
            marks,
            tail: format!("\n\nQuestion: what was the trade of {asked}? Answer with one word.\nAnswer:"),
            answer: Answer { references: vec![answer], gold: json!({ "support": support }), ..Answer::default() },
        };
        book::bind(task, request, volume)
    }

    fn dial(&self) -> Option<Dial> {
        Some(Dial { parameter: "support", title: "documents that hold the fact" })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |support: u32, title: &str| {
            let slug = format!("long_tail_{support}");
            TaskDefinition::generated(self.slug(), &slug, title, json!({ "support": support }))
        };
        vec![
            task(1, "A fact in one document"),
            task(2, "A fact in two documents"),
            task(4, "A fact in four documents"),
            task(8, "A fact in eight documents"),
            task(16, "A fact in sixteen documents"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let right = item.references.first().map_or("", String::as_str);
        Scored {
            score: long_tail::accuracy(answer, right),
            strict: Some(long_tail::accuracy_strict(answer, right)),
            extracted: answer.trim().chars().take(200).collect(),
            well_formed: !answer.trim().is_empty(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.first().cloned().unwrap_or_default()
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        book_question::blind(item.references.first().map_or("", String::as_str), rng)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

/// Plants each fact in a document of its own while there are enough; returns where those of the asked person stand.
fn plant(book: &mut Book, mut facts: Vec<(usize, String)>, rng: &mut Rng) -> Vec<Place> {
    rng.shuffle(&mut facts);
    let mut order: Vec<usize> = (0..book.sections.len()).collect();
    rng.shuffle(&mut order);
    let mut wanted: Vec<String> = Vec::new();
    for ((person, text), section) in facts.into_iter().zip(order.into_iter().cycle()) {
        if let Some(sentences) = book.sections.get_mut(section) {
            let place = rng.index(sentences.len() + 1);
            if person == 0 {
                wanted.push(text.clone());
            }
            sentences.insert(place, plain(text));
        }
    }
    let marked =
        |(place, statement): (Place, &crate::world::Statement)| wanted.contains(&statement.text).then_some(place);
    book.sentences().filter_map(marked).collect()
}
