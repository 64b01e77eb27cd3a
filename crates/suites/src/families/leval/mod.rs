//! L-Eval (arXiv 2307.11088): closed- and open-ended questions about one long document.
//!
//! The official documents belong to third parties; here they are the chronicle, dialogues, worked sums and programs
//! made from a seed. The official data can be imported: see [`dataset`].

mod closed;
mod dataset;
mod open;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::book::{self, Heading, Place, Section, Volume};
use crate::families::{book_question, kinship, prose};
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::metrics::leval::{self, Closed};
use crate::metrics::rouge::scored::{self, Stemmer};
use crate::metrics::token_f1;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// A document with a question.
pub struct LEval;

const TASKS: [&str; 12] = [
    "tpo",
    "quality",
    "coursera",
    "gsm100",
    "codeU",
    "topic_retrieval",
    "sci_fi",
    "natural_question",
    "multidoc_qa",
    "legal_contract_qa",
    "meeting_summ",
    JUDGED,
];

/// Questions that have no number of their own and are compared by judges; they come with prediction files only.
const JUDGED: &str = "judged";

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "task",
        help: "Shape of document and question",
        kind: ParameterKind::Choice { options: &TASKS, default: "tpo" },
    },
    Parameter {
        name: "length_hint",
        help: "Whether open-ended questions say how many words the reference has",
        kind: ParameterKind::Choice { options: &["no", "yes"], default: "no" },
    },
];

/// Tokens that question and options take at most.
const TAIL_TOKENS: u32 = 260;
const WALKS: usize = 16;

/// How a task is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scoring {
    Closed(Closed),
    F1,
    Rouge,
}

impl Scoring {
    fn of(params: &Params) -> Self {
        match choice(params, "task") {
            "tpo" | "quality" => Self::Closed(Closed::Single),
            "coursera" => Self::Closed(Closed::Several),
            "gsm100" => Self::Closed(Closed::Number),
            "codeU" => Self::Closed(Closed::Code),
            "topic_retrieval" => Self::Closed(Closed::Topic),
            "sci_fi" => Self::Closed(Closed::Judge),
            "meeting_summ" | JUDGED => Self::Rouge,
            _ => Self::F1,
        }
    }

    const fn metrics(self) -> (&'static str, &'static str) {
        match self {
            Self::Closed(Closed::Judge) => ("leval.judge", "leval.judge.strict"),
            Self::Closed(_) => ("leval.em_score", "leval.em_score.strict"),
            Self::F1 => ("leval.f1", "leval.f1.strict"),
            Self::Rouge => ("leval.rouge", "leval.rouge.strict"),
        }
    }
}

/// An item before it is written.
struct Draft {
    head: String,
    heading: Heading,
    sections: Vec<Section>,
    marks: Vec<Place>,
    tail: String,
    reference: String,
}

impl Family for LEval {
    fn slug(&self) -> &'static str {
        "leval"
    }

    fn title(&self) -> &'static str {
        "L-Eval"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = choice(params, "task");
        let scoring = Scoring::of(params);
        let (metric, strict) = scoring.metrics();
        Card {
            benchmark: "L-Eval",
            what: "Answer a question about a long document. A length hint, where it is on, tells the number of words of the reference and so leaks it."
                .to_owned(),
            citation: "An et al. 2023, L-Eval, arXiv 2307.11088; code OpenLMLab/LEval @ cd34b050 (GPL-3.0)",
            licence: "documents, questions and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: match kind {
                "quality" => &["retrieval", "reasoning"],
                "gsm100" => &["in-context learning", "reasoning"],
                "codeU" => &["code", "tracing"],
                "topic_retrieval" => &["retrieval", "dialogue"],
                "meeting_summ" => &["aggregation", "summarization"],
                _ => &["retrieval"],
            },
            diffusion: if kind == "quality" { Diffusion::High } else { Diffusion::Low },
            scope: match kind {
                "meeting_summ" => Scope::Wide,
                "tpo" | "natural_question" | "legal_contract_qa" => Scope::Narrow,
                _ => Scope::Several,
            },
            random_guess: match kind {
                "tpo" | "quality" => 0.25,
                "sci_fi" => 0.5,
                _ => 0.0,
            },
            output_tokens: 512,
            metric,
            strict_metric: Some(strict),
            min_tokens: if matches!(kind, "tpo" | "natural_question" | "legal_contract_qa") { 2048 } else { 4096 },
            open_ended: kind == JUDGED,
            protocol: Protocol {
                truncation: if kind == "codeU" { Side::Left } else { Side::Right },
                truncation_unit: "words, in steps of 250, until the prompt fits",
                post_processing: "closed answers are read by the official rules before exact match",
                ..Protocol::GENERATED
            },
            importable: Some("L-Eval (GPL-3.0; passages of third parties)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let params = &task.definition().params;
        if choice(params, "task") == JUDGED {
            return Err(prose::unsatisfiable(task, request, "questions for judges come from prediction files"));
        }
        let room = book::room(task, request, "", TAIL_TOKENS);
        let drafted = (0..WALKS).find_map(|_| match choice(params, "task") {
            "quality" => closed::two_hop(request, room, &mut rng),
            "coursera" => closed::several(request, room, &mut rng),
            "gsm100" => closed::sums(room, &mut rng),
            "codeU" => closed::program(room, &mut rng),
            "topic_retrieval" => closed::topics(request, room, &mut rng),
            "sci_fi" => closed::other_world(request, room, &mut rng),
            "natural_question" => open::lookup(request, room, &mut rng, book::unnumbered),
            "multidoc_qa" => open::lookup(request, room, &mut rng, open::document),
            "legal_contract_qa" => open::contract(request, room, &mut rng),
            "meeting_summ" => open::meeting(request, room, &mut rng),
            _ => closed::single(request, room, &mut rng),
        });
        let mut draft = drafted
            .ok_or_else(|| prose::unsatisfiable(task, request, "the document tells too little for a question"))?;
        if choice(params, "length_hint") == "yes" {
            let words = draft.reference.split_whitespace().count();
            draft.tail = draft.tail.replace("\nAnswer:", &format!("\nUse about {words} words.\nAnswer:"));
        }
        let answer = Answer { references: vec![draft.reference], ..Answer::default() };
        let Draft { head, heading, sections, marks, tail, .. } = draft;
        book::bind(task, request, Volume { head, heading, sections, marks, tail, answer })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let titles = [
            ("tpo", "One right option of four"),
            ("quality", "One right option, two sentences apart"),
            ("coursera", "One or several right options"),
            ("gsm100", "A sum after many worked ones"),
            ("codeU", "The output of a program"),
            ("topic_retrieval", "A topic of a long dialogue"),
            ("sci_fi", "True in the document, true in the world"),
            ("natural_question", "A short answer"),
            ("multidoc_qa", "A short answer from many documents"),
            ("legal_contract_qa", "A clause of a contract"),
            ("meeting_summ", "The decisions of a meeting"),
        ];
        let task = |name: &str, title: &str, suffix: &str, hint: &str| {
            let slug = format!("leval_{}{suffix}", name.to_ascii_lowercase());
            TaskDefinition::generated(self.slug(), &slug, title, json!({ "task": name, "length_hint": hint }))
        };
        let mut tasks: Vec<TaskDefinition> = titles.iter().map(|(name, title)| task(name, title, "", "no")).collect();
        tasks.push(task("meeting_summ", "The decisions of a meeting, length told", "_lie", "yes"));
        tasks
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        score(Scoring::of(params), item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.first().cloned().unwrap_or_default()
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let right = item.references.first().map_or("", String::as_str);
        let letter = |rng: &mut Rng| char::from(b'A' + rng.below(4) as u8).to_string();
        match Scoring::of(&task.definition().params) {
            Scoring::Closed(Closed::Single | Closed::Several) => letter(rng),
            Scoring::Closed(Closed::Judge) => {
                let word = |rng: &mut Rng| if rng.below(2) == 0 { "True" } else { "False" };
                format!("{} [fact: {}]", word(rng), word(rng))
            }
            Scoring::Closed(Closed::Topic) | Scoring::Rouge => kinship::names(Language::English, rng, 1).concat(),
            Scoring::F1 if right.contains(' ') => kinship::names(Language::English, rng, 1).concat(),
            _ => book_question::blind(right, rng),
        }
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let right = item.references.first().map_or("", String::as_str);
        match Scoring::of(&task.definition().params) {
            Scoring::Closed(Closed::Single) => 0.25,
            // One letter of four: all of a single right one, a quarter of the points as a part of several.
            Scoring::Closed(Closed::Several) if right.len() == 1 => 0.25,
            Scoring::Closed(Closed::Several) => 0.25 * right.len() as f64 / 4.0,
            Scoring::Closed(Closed::Judge) => 0.5,
            Scoring::Closed(Closed::Topic) | Scoring::Rouge => 0.0,
            Scoring::F1 if right.contains(' ') => 0.0,
            _ => book_question::blind_chance(right),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Documents)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn open_ended(&self, task: &Task, item: &Item) -> Option<OpenEnded> {
        let question = item.gold.get("question").and_then(Value::as_str)?.to_owned();
        let judged = choice(&task.definition().params, "task") == JUDGED;
        judged.then(|| OpenEnded { question, reference: item.references.first().cloned(), facts: Vec::new() })
    }
}

/// Words of an answer besides its reference that the strict form still takes for an answer.
const SPARE_WORDS: usize = 24;

/// What an answer scores; shared by generated items and official records.
fn score(scoring: Scoring, item: &Item, answer: &str) -> Scored {
    let right = item.references.first().map_or("", String::as_str);
    let count = |text: &str| text.split_whitespace().count();
    let short = count(answer) <= 2 * count(right) + SPARE_WORDS;
    let spoken = !answer.trim().is_empty();
    match scoring {
        Scoring::Closed(Closed::Judge) => {
            let found = leval::judged(answer, right);
            let [loyalty, fact] = found.unwrap_or_default();
            Scored {
                score: f64::midpoint(loyalty, fact),
                strict: Some(loyalty * fact),
                extracted: format!("loyalty {loyalty}, fact {fact}"),
                well_formed: found.is_some(),
            }
        }
        Scoring::Closed(kind) => {
            let (said, gold) = leval::processed(kind, answer, right);
            let strict = match kind {
                // Containment rewards an answer that lists everything.
                Closed::Topic | Closed::Code if !short => 0.0,
                _ if !spoken => 0.0,
                _ => f64::from(leval::em_score_strict(&said, &gold) >= 1.0),
            };
            Scored {
                score: leval::em_score(&said, &gold),
                strict: Some(strict),
                extracted: said.chars().take(200).collect(),
                well_formed: spoken,
            }
        }
        Scoring::F1 | Scoring::Rouge => {
            let score = if scoring == Scoring::F1 { token_f1::english(answer, right).f } else { rouge(answer, right) };
            Scored {
                score,
                strict: Some(if short { score } else { 0.0 }),
                extracted: answer.trim().chars().take(200).collect(),
                well_formed: spoken,
            }
        }
    }
}

/// Geometric mean of ROUGE-1, ROUGE-2 and ROUGE-L; 0 without a common pair of words.
fn rouge(answer: &str, right: &str) -> f64 {
    let found = scored::score(right, answer, Stemmer::None);
    (found.rouge1.f * found.rouge2.f * found.rouge_l.f).cbrt()
}
