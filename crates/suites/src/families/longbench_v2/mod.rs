//! LongBench v2 (arXiv 2412.15204): questions with four options about very long texts.
//!
//! The official texts belong to third parties; here they are the chronicle. The official data can be imported: see
//! [`dataset`].

mod dataset;

use serde_json::json;

use crate::card::{Card, Dialogue, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::book::{self, Book, Heading, Volume};
use crate::families::book_question::{self, Asker, Question};
use crate::families::kin_question::Kin;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longbench_v2 as metric;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

/// One right option of four.
pub struct LongBenchV2;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "domain",
        help: "One text, many documents, or figures over years",
        kind: ParameterKind::Choice {
            options: &["single_document", "multi_document", "structured_data"],
            default: "single_document",
        },
    },
    Parameter {
        name: "context",
        help: "Whether the text stands in the prompt; without it only official questions can be asked",
        kind: ParameterKind::Choice { options: &["whole", "none"], default: "whole" },
    },
];

const HEAD: &str = "Read the text below; a question with four options about it follows.\n\n";
/// Tokens that the longest question takes with its options.
const TAIL_TOKENS: u32 = 240;
/// Walks that are tried until one can be asked about.
const WALKS: usize = 16;

fn document(number: usize) -> String {
    format!("Document {number}\n")
}

impl Family for LongBenchV2 {
    fn slug(&self) -> &'static str {
        "longbench_v2"
    }

    fn title(&self) -> &'static str {
        "LongBench v2"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let domain = choice(params, "domain");
        Card {
            benchmark: "LongBench v2",
            what: match choice(params, "context") {
                "none" => "Choose the one right option of four about a text that is not shown: what can be known or guessed without it.",
                _ => "Choose the one right option of four about a very long text.",
            }
            .to_owned(),
            citation: "Bai et al. 2024, LongBench v2, arXiv 2412.15204; code THUDM/LongBench @ 2e00731f (MIT)",
            licence: "official code and prompts MIT; texts, questions and prompts of generated items are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Words,
            tokenizer: "the model's own for the cut; none for lengths",
            abilities: match domain {
                "structured_data" => &["retrieval", "aggregation"],
                _ => &["semantic retrieval", "reasoning"],
            },
            diffusion: if domain == "single_document" { Diffusion::Medium } else { Diffusion::High },
            scope: Scope::Several,
            random_guess: 0.25,
            output_tokens: 128,
            metric: "longbench_v2.extract_and_judge",
            strict_metric: Some("longbench_v2.extract_and_judge.strict"),
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                dialogue: Dialogue::Chat,
                truncation: Side::Middle,
                truncation_unit: "tokens of the model",
                stop: &[],
                post_processing: "asterisks are taken out, then the option after `The correct answer is` is read",
            },
            importable: Some("LongBench v2 (MIT; texts of third parties)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        if choice(&task.definition().params, "context") == "none" {
            return Err(prose::unsatisfiable(task, request, "a generated question is about its text alone"));
        }
        let domain = choice(&task.definition().params, "domain");
        let mut rng = prose::stream(task, request);
        let many = domain == "multi_document";
        let heading: Heading = if many { document } else { book::unnumbered };
        let room = book::room(task, request, HEAD, TAIL_TOKENS);
        let drafted = (0..WALKS).find_map(|_| {
            let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, heading);
            if many {
                book.shuffle(&mut rng);
            }
            let question = ask(domain, &book, &mut rng)?;
            Some((book, question))
        });
        let (book, question) =
            drafted.ok_or_else(|| prose::unsatisfiable(task, request, "the text tells too little for a question"))?;
        let (options, letter) = book_question::options(&question, &mut rng);
        let lines: Vec<String> =
            options.iter().zip('A'..).map(|(option, letter)| format!("({letter}) {option}")).collect();
        let volume = Volume {
            head: HEAD.to_owned(),
            heading,
            sections: book.sections,
            marks: question.evidence,
            tail: format!(
                "\n\nQuestion: {}\n{}\n\nEnd with a sentence of this form, with the letter of the right option: The correct answer is (X).\n",
                question.text,
                lines.join("\n")
            ),
            answer: Answer { references: vec![letter.to_string()], ..Answer::default() },
        };
        book::bind(task, request, volume)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        [
            ("single_document", "One text, two sentences apart"),
            ("multi_document", "Three of many documents"),
            ("structured_data", "A sum over years"),
        ]
        .map(|(domain, title)| {
            let slug = format!("longbench_v2_{domain}");
            TaskDefinition::generated(self.slug(), &slug, title, json!({ "domain": domain }))
        })
        .into()
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let right = item.references.first().and_then(|letter| letter.chars().next()).unwrap_or(' ');
        let (found, strict) = (metric::extract(answer), metric::extract_strict(answer));
        Scored {
            score: f64::from(found == Some(right)),
            strict: Some(f64::from(strict == Some(right))),
            extracted: found.or(strict).map_or_else(|| "no option".to_owned(), String::from),
            well_formed: found.is_some(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        phrase(&item.references.concat())
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        phrase(rng.choose(&["A", "B", "C", "D"]).copied().unwrap_or_default())
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Questions)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

fn phrase(letter: &str) -> String {
    format!("The correct answer is ({letter}).")
}

fn ask(domain: &str, book: &Book, rng: &mut Rng) -> Option<Question> {
    match domain {
        "multi_document" => Kin::new(book).of_parent_of(rng),
        "structured_data" => Asker::new(book).sum(rng),
        _ => Asker::new(book).two_hop(rng),
    }
}
