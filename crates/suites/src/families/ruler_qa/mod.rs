//! RULER's question answering (arXiv 2404.06654, section 3): the paragraph with the answer among many others.
//!
//! The official tasks stand on SQuAD and HotpotQA; here documents and questions come from the chronicle. The official
//! data can be imported: see [`dataset`].

mod dataset;

use serde_json::json;

use crate::card::{Card, Diffusion, Scope};
use crate::dataset::Dataset;
use crate::families::book::{self, Book, Volume};
use crate::families::book_question::{self, Asker, Question};
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::ruler;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

/// One question about many numbered documents.
pub struct RulerQa;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "hops",
    help: "Documents that the answer takes",
    kind: ParameterKind::Choice { options: &["one", "two"], default: "one" },
}];

const HEAD: &str = "Below you find numbered documents and, at the end, a question about them. Give the answer alone, without any other words.\n\n";
/// Tokens that the longest question takes with what stands around it.
const TAIL_TOKENS: u32 = 110;
/// Walks that are tried until one can be asked about.
const WALKS: usize = 16;

fn heading(number: usize) -> String {
    format!("Document {number}:\n")
}

fn tail(question: &str) -> String {
    format!("\n\nAnswer the question from the documents above with the answer alone.\n\nQuestion: {question}\nAnswer:")
}

impl Family for RulerQa {
    fn slug(&self) -> &'static str {
        "ruler_qa"
    }

    fn title(&self) -> &'static str {
        "RULER question answering"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let two = choice(params, "hops") == "two";
        Card {
            what: "Answer a question from one or two of many numbered documents. The lead-in of the answer stands at \
                   the end of the user message, because chat endpoints cannot continue an answer."
                .into(),
            abilities: if two { &["semantic retrieval", "reasoning"] } else { &["semantic retrieval"] },
            diffusion: Diffusion::Medium,
            scope: if two { Scope::Several } else { Scope::Narrow },
            output_tokens: 32,
            metric: "ruler.string_match_part",
            strict_metric: Some("ruler.string_match_part.strict"),
            min_tokens: if two { 4096 } else { 1024 },
            importable: Some(
                "SQuAD 2.0 and HotpotQA (CC BY-SA 4.0), one article or question of the official JSON per line",
            ),
            ..super::ruler_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let two = choice(&task.definition().params, "hops") == "two";
        let mut rng = prose::stream(task, request);
        let room = book::room(task, request, HEAD, TAIL_TOKENS);
        let (book, question) =
            asked(request, room, &mut rng, |asker, rng| if two { asker.two_hop(rng) } else { asker.lookup(rng) })
                .ok_or_else(|| prose::unsatisfiable(task, request, "the documents tell too little for a question"))?;
        let answer = Answer { references: vec![question.answer], ..Answer::default() };
        let volume = Volume {
            head: HEAD.to_owned(),
            heading,
            sections: book.sections,
            marks: question.evidence,
            tail: tail(&question.text),
            answer,
        };
        book::bind(task, request, volume)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![
            TaskDefinition::generated(self.slug(), "qa_1", "A question about one document", json!({})),
            TaskDefinition::generated(self.slug(), "qa_2", "A question about two documents", json!({ "hops": "two" })),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        Scored {
            score: ruler::string_match_part(answer, &item.references),
            strict: Some(ruler::string_match_part_strict(answer, &item.references)),
            extracted: ruler::postprocess(answer).chars().take(200).collect(),
            well_formed: !answer.trim().is_empty(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.first().cloned().unwrap_or_default()
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        book_question::blind(item.references.first().map_or("", String::as_str), rng)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        book_question::blind_chance(item.references.first().map_or("", String::as_str))
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Paragraphs)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

/// A shuffled book of numbered documents with a question about it; other walks are opened until one can be asked.
fn asked(
    request: &ItemRequest<'_>,
    room: u32,
    rng: &mut Rng,
    ask: impl Fn(&Asker<'_>, &mut Rng) -> Option<Question>,
) -> Option<(Book, Question)> {
    (0..WALKS).find_map(|_| {
        let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, heading);
        book.shuffle(rng);
        let question = ask(&Asker::new(&book), rng)?;
        Some((book, question))
    })
}
