//! LooGLE (arXiv 2311.04939): questions of short and of long dependency about one long document.
//!
//! The official documents are papers, articles and scripts of after 2022; here the document is the chronicle. The
//! official data can be imported: see [`dataset`].

mod dataset;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::card::{Card, Dialogue, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::book::{self, Book, Place, Volume};
use crate::families::book_question::{self, Asker, Question};
use crate::families::{kinship, prose};
use crate::item::{Item, Scored};
use crate::metrics::loogle;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

/// One long document and a question.
pub struct LooGle;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "task",
    help: "What is asked for",
    kind: ParameterKind::Choice {
        options: &["short_qa", "cloze", "comprehension", "retrieval", "reorder", "computation", "summary"],
        default: "short_qa",
    },
}];

const HEAD: &str = "Read the chronicle below; a question about it follows.\n\n";
const TAIL_TOKENS: u32 = 300;
const WALKS: usize = 16;
/// Events of a timeline.
const EVENTS: usize = 4;
/// Masks of a cloze.
const MASKS: usize = 3;

/// The seven shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    ShortQa,
    Cloze,
    Comprehension,
    Retrieval,
    Reorder,
    Computation,
    Summary,
}

impl Shape {
    fn of(params: &Params) -> Self {
        match choice(params, "task") {
            "cloze" => Self::Cloze,
            "comprehension" => Self::Comprehension,
            "retrieval" => Self::Retrieval,
            "reorder" => Self::Reorder,
            "computation" => Self::Computation,
            "summary" => Self::Summary,
            _ => Self::ShortQa,
        }
    }

    /// The official maximum of new tokens.
    const fn output_tokens(self) -> u32 {
        match self {
            Self::ShortQa => 300,
            Self::Cloze => 50,
            _ => 500,
        }
    }

    const fn metrics(self) -> (&'static str, &'static str) {
        match self {
            Self::Cloze => ("loogle.cloze_exact", "loogle.cloze_exact.strict"),
            Self::Reorder => ("loogle.reorder_lsd.normalised", "loogle.reorder_lsd.strict"),
            _ => ("loogle.rougeL_recall", "loogle.rougeL_recall.strict"),
        }
    }

    const fn abilities(self) -> &'static [&'static str] {
        match self {
            Self::ShortQa | Self::Cloze => &["retrieval"],
            Self::Comprehension => &["retrieval", "reasoning"],
            Self::Retrieval => &["retrieval", "aggregation"],
            Self::Reorder | Self::Computation => &["reasoning", "aggregation"],
            Self::Summary => &["aggregation", "summarization"],
        }
    }
}

impl Family for LooGle {
    fn slug(&self) -> &'static str {
        "loogle"
    }

    fn title(&self) -> &'static str {
        "LooGLE"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let shape = Shape::of(params);
        let short = matches!(shape, Shape::ShortQa | Shape::Cloze);
        let (metric, strict) = shape.metrics();
        Card {
            benchmark: "LooGLE",
            what: "Answer a question about one long document. Timelines are scored by 1 - LSD over its largest value, \
                   because the official script overwrites its own deviations."
                .to_owned(),
            citation: "Li et al. 2023, LooGLE, arXiv 2311.04939; code bigai-nlco/LooGLE @ 67343822 (MIT)",
            licence: "documents and questions here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Words,
            tokenizer: "cl100k_base for OpenAI's models, the model's own otherwise",
            abilities: shape.abilities(),
            diffusion: if short { Diffusion::Low } else { Diffusion::High },
            scope: if shape == Shape::ShortQa { Scope::Narrow } else { Scope::Several },
            random_guess: if shape == Shape::Reorder { 0.5 } else { 0.0 },
            output_tokens: shape.output_tokens(),
            metric,
            strict_metric: Some(strict),
            min_tokens: if shape == Shape::ShortQa { 1024 } else { 4096 },
            open_ended: false,
            protocol: Protocol {
                dialogue: Dialogue::Chat,
                truncation: Side::Middle,
                truncation_unit: "tokens of the model",
                stop: &[],
                post_processing: "an empty answer is scored as the word None",
            },
            importable: Some("LooGLE (MIT; documents of third parties)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let room = book::room(task, request, HEAD, TAIL_TOKENS);
        let shape = Shape::of(&task.definition().params);
        let drafted = (0..WALKS).find_map(|_| {
            let book = Book::gather(World::new(request.seed), rng.next_u64(), room, book::unnumbered);
            let draft = draft(shape, &book, &mut rng)?;
            Some((book, draft))
        });
        let reason = "the chronicle tells too little for a question";
        let (book, draft) = drafted.ok_or_else(|| prose::unsatisfiable(task, request, reason))?;
        let volume = Volume {
            head: HEAD.to_owned(),
            heading: book::unnumbered,
            sections: book.sections,
            marks: draft.marks,
            tail: draft.tail,
            answer: Answer { references: draft.references, gold: draft.gold, ..Answer::default() },
        };
        book::bind(task, request, volume)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug: &str, kind: &str, title: &str| {
            TaskDefinition::generated(self.slug(), slug, title, json!({ "task": kind }))
        };
        vec![
            task("loogle_shortdep_qa", "short_qa", "One sentence answers"),
            task("loogle_shortdep_cloze", "cloze", "Names for masks"),
            task("loogle_longdep_comprehension", "comprehension", "Two sentences answer"),
            task("loogle_longdep_retrieval", "retrieval", "Several places answer"),
            task("loogle_longdep_reorder", "reorder", "Events in order"),
            task("loogle_longdep_computation", "computation", "A sum over years"),
            task("loogle_longdep_summarization", "summary", "A summary"),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        score(Shape::of(params), item, answer)
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        match Shape::of(&task.definition().params) {
            Shape::Reorder => item.references.join(", "),
            _ => item.references.first().cloned().unwrap_or_default(),
        }
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        match Shape::of(&task.definition().params) {
            Shape::Reorder => {
                let mut order = item.references.clone();
                rng.shuffle(&mut order);
                order.join(", ")
            }
            Shape::Cloze => filled(&kinship::names(Language::English, rng, MASKS)),
            Shape::Retrieval | Shape::Summary => kinship::names(Language::English, rng, 2).join(", "),
            _ => book_question::blind(item.references.first().map_or("", String::as_str), rng),
        }
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        match Shape::of(&task.definition().params) {
            Shape::Reorder => 0.5,
            Shape::Cloze | Shape::Retrieval | Shape::Summary => 0.0,
            _ => book_question::blind_chance(item.references.first().map_or("", String::as_str)),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Documents)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

/// What an answer scores; shared by generated items and official records.
fn score(shape: Shape, item: &Item, answer: &str) -> Scored {
    let spoken = !answer.trim().is_empty();
    match shape {
        Shape::Cloze => {
            let right: BTreeMap<String, String> = serde_json::from_value(item.gold.clone()).unwrap_or_default();
            let filled = loogle::cloze(answer, &right);
            let exact = loogle::share(filled.exact, filled.total);
            Scored {
                score: exact,
                strict: Some(f64::from(filled.total > 0 && filled.exact == filled.total)),
                extracted: format!("{} of {} exact, {} in part", filled.exact, filled.total, filled.partial),
                well_formed: answer.contains("<mask-"),
            }
        }
        Shape::Reorder => {
            let order = loogle::numerals(answer);
            let readable = loogle::deviation(&order, &item.references).is_some();
            Scored {
                score: loogle::order_score(&order, &item.references),
                strict: Some(f64::from(order == item.references)),
                extracted: order.join(", ").chars().take(200).collect(),
                well_formed: readable,
            }
        }
        _ => {
            let right = item.references.first().map_or("", String::as_str);
            Scored {
                score: loogle::rouge_l_recall(answer, right),
                strict: Some(loogle::rouge_l_recall_strict(answer, right)),
                extracted: answer.trim().chars().take(200).collect(),
                well_formed: spoken,
            }
        }
    }
}

/// A question before it is written.
struct Draft {
    references: Vec<String>,
    gold: Value,
    marks: Vec<Place>,
    tail: String,
}

impl Draft {
    fn asked(question: Question) -> Self {
        Self {
            references: vec![question.answer],
            gold: Value::Null,
            marks: question.evidence,
            tail: format!("\n\nQuestion: {}\nAnswer with a few words.\nAnswer:", question.text),
        }
    }
}

fn draft(shape: Shape, book: &Book, rng: &mut Rng) -> Option<Draft> {
    let asker = Asker::new(book);
    match shape {
        Shape::ShortQa => asker.lookup(rng).map(Draft::asked),
        Shape::Comprehension => asker.two_hop(rng).map(Draft::asked),
        Shape::Computation => asker.sum(rng).map(Draft::asked),
        Shape::Cloze => cloze(&asker, rng),
        Shape::Reorder => reorder(&asker, rng),
        Shape::Retrieval => {
            let (town, terms) = asker.terms_of_a_town(2, rng)?;
            let names: Vec<String> = terms.iter().map(|(name, ..)| name.clone()).collect();
            Some(Draft {
                references: vec![names.join(", ")],
                gold: Value::Null,
                marks: terms.iter().map(|(_, _, place)| *place).collect(),
                tail: format!(
                    "\n\nQuestion: who held the office of reeve at {town}? Give all names that the chronicle tells, in the order of their terms, separated by commas.\nAnswer:"
                ),
            })
        }
        Shape::Summary => {
            let (town, terms) = asker.terms_of_a_town(2, rng)?;
            let lines =
                terms.iter().map(|(name, term, _)| format!("{name} was reeve from {} to {}.", term.from, term.to));
            Some(Draft {
                references: vec![lines.collect::<Vec<_>>().join(" ")],
                gold: Value::Null,
                marks: terms.iter().map(|(_, _, place)| *place).collect(),
                tail: format!(
                    "\n\nSummarise what the chronicle tells of the office of reeve at {town}, in the order of time, with one sentence for each term, in the form: N was reeve from A to B.\nSummary:"
                ),
            })
        }
    }
}

fn cloze(asker: &Asker<'_>, rng: &mut Rng) -> Option<Draft> {
    let deeds = asker.deeds(MASKS, rng)?;
    let mask = |index: usize| format!("<mask-{index}>");
    let text: Vec<String> =
        deeds.iter().enumerate().map(|(index, (_, done, _))| format!("{} {done}.", mask(index))).collect();
    let names: Vec<String> = deeds.iter().map(|(name, ..)| name.clone()).collect();
    let gold: BTreeMap<String, &String> = names.iter().enumerate().map(|(index, name)| (mask(index), name)).collect();
    Some(Draft {
        references: vec![filled(&names)],
        gold: json!(gold),
        marks: deeds.iter().map(|(_, _, place)| *place).collect(),
        tail: format!(
            "\n\nIn the sentences that follow each mask stands for the name of a person. Answer with nothing but an object in the form {{'<mask-0>': 'name', '<mask-1>': 'name'}}.\n{}\nAnswer:",
            text.join(" ")
        ),
    })
}

/// Names as the cloze wants them.
fn filled(names: &[String]) -> String {
    let pairs = names.iter().enumerate().map(|(index, name)| format!("'<mask-{index}>': '{name}'"));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

fn reorder(asker: &Asker<'_>, rng: &mut Rng) -> Option<Draft> {
    let (_, events) = asker.timeline(EVENTS, rng)?;
    let shown = rng.distinct(events.len(), events.len());
    let lines: Vec<String> = shown
        .iter()
        .enumerate()
        .filter_map(|(line, index)| Some(format!("{}. {}", loogle::numeral(line + 1), events.get(*index)?.0)))
        .collect();
    let place_of = |index: usize| shown.iter().position(|shown| *shown == index).map(|line| loogle::numeral(line + 1));
    Some(Draft {
        references: (0..events.len()).filter_map(place_of).collect(),
        gold: Value::Null,
        marks: events.iter().map(|(_, place)| *place).collect(),
        tail: format!(
            "\n\nPut these events into the order in which they happened:\n{}\nAnswer with the numerals alone, earliest first, separated by commas.\nAnswer:",
            lines.join("\n")
        ),
    })
}
