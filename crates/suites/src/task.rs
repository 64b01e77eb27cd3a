//! Tasks: a family with parameters, frozen as an immutable version.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::card::Card;
use crate::dataset::{Dataset, Record};
use crate::families;
use crate::families::concept_map::ConceptMap;
use crate::haystack::Haystack;
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::length::Length;
use crate::metrics::python_text::take;
use crate::program::{Program, Ran};
use crate::retrieval::Retrieval;
use crate::rng::Rng;

/// Family parameters by name.
pub type Params = Map<String, Value>;

/// A task version as data, the form in which it is stored and sent to workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// Slug: lower-case letters, digits, `_`, `-`.
    pub slug: String,
    /// Version, from 1. A published version never changes.
    pub version: u32,
    /// Human title.
    pub title: String,
    /// Family slug.
    pub family: String,
    /// Parameters; missing ones take the family's defaults.
    #[serde(default)]
    pub params: Params,
    /// SHA-256 in hex of the official data file whose records are the items; absent where items are generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl TaskDefinition {
    /// Version 1 of a generated task.
    #[must_use]
    pub fn generated(family: &str, slug: &str, title: &str, params: Value) -> Self {
        let params = match params {
            Value::Object(params) => params,
            _ => Params::new(),
        };
        Self { slug: slug.into(), version: 1, title: title.into(), family: family.into(), params, data: None }
    }
}

/// A parameter of a family, rich enough to build a form from.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Parameter {
    /// Name in [`Params`].
    pub name: &'static str,
    /// Label and help for the form.
    pub help: &'static str,
    /// Kind, range and default.
    pub kind: ParameterKind,
}

/// Kind of a parameter.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ParameterKind {
    /// A whole number.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Default.
        default: i64,
    },
    /// One of a list.
    Choice {
        /// Allowed values.
        options: &'static [&'static str],
        /// Default.
        default: &'static str,
    },
}

/// A generator with its metric.
pub trait Family: Sync {
    /// Slug, e.g. `ruler_niah`.
    fn slug(&self) -> &'static str;
    /// Title, e.g. `RULER needle in a haystack`.
    fn title(&self) -> &'static str;
    /// Parameters for the form, in order.
    fn parameters(&self) -> &'static [Parameter];
    /// Declared facts for checked parameters.
    fn card(&self, params: &Params) -> Card;
    /// Builds the sample of `request`.
    ///
    /// # Errors
    /// [`GenerateError::Unsatisfiable`] when the length cannot be met.
    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError>;
    /// The built-in tasks. Never change one whose version is published: add a version.
    fn tasks(&self) -> Vec<TaskDefinition>;
    /// Scores an answer with the official metric and, where there is one, the strict form.
    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored;
    /// Whether answers to items of official records hold programs that have to be run.
    fn writes_programs(&self, _params: &Params) -> bool {
        false
    }
    /// The program in an answer without whose run the answer cannot be scored.
    fn program(&self, _params: &Params, _item: &Item, _answer: &str) -> Option<Program> {
        None
    }
    /// Scores an answer by what its program did.
    fn score_program(&self, params: &Params, item: &Item, answer: &str, _ran: &Ran) -> Scored {
        self.score(params, item, answer)
    }
    /// The answer of one who knows the facts behind a generated item: scores in full.
    fn oracle(&self, task: &Task, item: &Item) -> String;
    /// An answer in the required form by one who has not read the prompt's text.
    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String;
    /// Expected score of [`Family::guess`], 0..1, where it depends on the item.
    fn chance(&self, task: &Task, _item: &Item) -> f64 {
        task.card().random_guess
    }
    /// The number in which the family's tasks differ and nothing else, if there is one: scores are shown along it.
    fn dial(&self) -> Option<Dial> {
        None
    }
    /// Whether the references of generated items stand word for word in the prompt, inside its needles and nowhere else.
    fn quotes_answers(&self, _params: &Params) -> bool {
        true
    }
    /// The reader of the benchmark's official data files; `None` where there are none to import.
    fn dataset(&self) -> Option<&'static dyn Dataset> {
        None
    }
    /// Whether the references of a generated item stand word for word in its needles and nowhere else in the prompt.
    fn quotes_references(&self) -> bool {
        self.retrieval().is_none()
    }
    /// The documents that items search, for families whose answers are rankings.
    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        None
    }
    /// The concepts of an item's text and which occur together, for families that ask about them.
    fn concept_map(&self, _item: &Item) -> Option<ConceptMap> {
        None
    }
    /// The PNG file of the picture on page `number` of an item; `None` where there is none.
    fn picture(&self, _task: &Task, _item: &Item, _number: u32) -> Option<Vec<u8>> {
        None
    }
    /// What judges see of an item; `None` for families with closed answers.
    fn open_ended(&self, _task: &Task, _item: &Item) -> Option<OpenEnded> {
        None
    }
}

/// Which sample to build.
#[derive(Clone, Copy)]
pub struct ItemRequest<'a> {
    /// Season seed.
    pub seed: u64,
    /// Index within the (task, length) cell.
    pub index: u32,
    /// Length bucket.
    pub length: Length,
    /// An uploaded corpus instead of the built-in world.
    pub corpus: Option<&'a dyn Haystack>,
    /// The record of an official data file that becomes the item, for tasks on such data.
    pub record: Option<&'a Record>,
}

impl ItemRequest<'_> {
    /// A sample generated from the built-in world.
    #[must_use]
    pub const fn new(seed: u64, index: u32, length: Length) -> Self {
        Self { seed, index, length, corpus: None, record: None }
    }
}

/// Scalars of what a metric read that are kept: a page shows no more, and an answer may be huge.
const EXTRACTED: usize = 2000;

/// A checked task version.
#[derive(Clone)]
pub struct Task {
    definition: TaskDefinition,
    family: &'static dyn Family,
    card: Card,
}

/// A number in which tasks of a family differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dial {
    /// Integer parameter that holds it.
    pub parameter: &'static str,
    /// What it counts, for an axis, e.g. `documents that hold the fact`.
    pub title: &'static str,
}

impl Task {
    /// Checks a definition: slug, family, parameter names, kinds and ranges; fills defaults.
    ///
    /// # Errors
    /// [`TaskError`] names the first thing that is wrong and what is allowed.
    pub fn new(mut definition: TaskDefinition) -> Result<Self, TaskError> {
        check_slug(&definition.slug)?;
        let family = families::find(&definition.family).ok_or_else(|| TaskError::UnknownFamily {
            family: definition.family.clone(),
            known: families::all().iter().map(|family| family.slug()).collect::<Vec<_>>().join(", "),
        })?;
        definition.params = check_params(family.parameters(), definition.params)?;
        let card = family.card(&definition.params);
        Ok(Self { definition, family, card })
    }

    /// The built-in tasks, in the order of lists and pages.
    #[must_use]
    pub fn builtin() -> &'static [Task] {
        families::builtin_tasks()
    }

    /// A built-in task.
    ///
    /// # Errors
    /// [`TaskError::UnknownTask`] with the nearest names.
    pub fn find(slug: &str) -> Result<&'static Task, TaskError> {
        Self::builtin().iter().find(|task| task.slug() == slug).ok_or_else(|| TaskError::UnknownTask {
            slug: slug.to_owned(),
            known: Self::builtin().iter().map(Task::slug).collect::<Vec<_>>().join(", "),
        })
    }

    /// Slug.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.definition.slug
    }

    /// The definition with all defaults filled in.
    #[must_use]
    pub fn definition(&self) -> &TaskDefinition {
        &self.definition
    }

    /// The family.
    #[must_use]
    pub fn family(&self) -> &'static dyn Family {
        self.family
    }

    /// Shortest length in canonical tokens. Records of a data file are cut to any window.
    #[must_use]
    pub fn min_tokens(&self) -> u32 {
        if self.definition.data.is_some() { *Length::RANGE.start() } else { self.card.min_tokens }
    }

    /// Declared facts.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Where the task stands on its family's dial: what is counted, and how many.
    #[must_use]
    pub fn dial(&self) -> Option<(&'static str, u32)> {
        let dial = self.family.dial()?;
        let value = u32::try_from(integer(&self.definition.params, dial.parameter)).ok()?;
        Some((dial.title, value))
    }

    /// Builds one sample. CPU-bound: a 1M-token item takes from 0.1 s to 0.7 s, so call it off the async threads.
    ///
    /// # Errors
    /// [`GenerateError`] when the length cannot be met.
    pub fn item(&self, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        if let Some(data) = &self.definition.data {
            return match (self.family.dataset(), request.record) {
                (Some(dataset), Some(record)) => dataset.item(self, request, record),
                _ => Err(GenerateError::NoRecord { task: self.slug().to_owned(), data: data.clone() }),
            };
        }
        if request.length.tokens() < self.card.min_tokens {
            return Err(GenerateError::Unsatisfiable {
                task: self.slug().to_owned(),
                length: request.length.to_string(),
                reason: format!("the shortest length of this task is {} tokens", self.card.min_tokens),
            });
        }
        self.family.generate(self, request)
    }

    /// Scores an answer to `item`.
    #[must_use]
    pub fn score(&self, item: &Item, answer: &str) -> Scored {
        let scored = self.family.score(&self.definition.params, item, answer);
        Scored { extracted: take(&scored.extracted, EXTRACTED).to_owned(), ..scored }
    }

    /// Whether shards of this task need a worker that runs programs.
    #[must_use]
    pub fn needs_sandbox(&self) -> bool {
        self.definition.data.is_some() && self.family.writes_programs(&self.definition.params)
    }

    /// The program in an answer without whose run the answer cannot be scored.
    #[must_use]
    pub fn program(&self, item: &Item, answer: &str) -> Option<Program> {
        self.family.program(&self.definition.params, item, answer)
    }

    /// Scores an answer to `item` by what its program did.
    #[must_use]
    pub fn score_program(&self, item: &Item, answer: &str, ran: &Ran) -> Scored {
        let scored = self.family.score_program(&self.definition.params, item, answer, ran);
        Scored { extracted: take(&scored.extracted, EXTRACTED).to_owned(), ..scored }
    }

    /// Whether items show pictures, which only some endpoints take.
    #[must_use]
    pub fn shows_pictures(&self) -> bool {
        self.card().abilities.contains(&"pictures")
    }

    /// The documents that items search, where answers are rankings.
    #[must_use]
    pub fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        self.family.retrieval()
    }

    /// The PNG file of the picture on page `number` of `item`, drawn again; `None` where there is none. CPU-bound.
    #[must_use]
    pub fn picture(&self, item: &Item, number: u32) -> Option<Vec<u8>> {
        self.family.picture(self, item, number)
    }

    /// What judges see of `item`, rebuilt from its identity; `None` where answers are closed.
    #[must_use]
    pub fn open_ended(&self, item: &Item) -> Option<OpenEnded> {
        self.family.open_ended(self, item)
    }

    /// Identity of a sample of this task.
    #[must_use]
    pub fn item_id(&self, request: &ItemRequest<'_>) -> String {
        let TaskDefinition { slug, version, .. } = &self.definition;
        format!("{slug}@{version}/{}/{}/{}", request.length, request.seed, request.index)
    }
}

fn check_slug(slug: &str) -> Result<(), TaskError> {
    let fine = (1..=64).contains(&slug.len())
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-');
    if fine { Ok(()) } else { Err(TaskError::BadSlug(slug.to_owned())) }
}

fn check_params(known: &[Parameter], given: Params) -> Result<Params, TaskError> {
    if let Some(name) = given.keys().find(|name| known.iter().all(|parameter| parameter.name != name.as_str())) {
        return Err(TaskError::UnknownParameter {
            name: name.clone(),
            known: known.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", "),
        });
    }
    known
        .iter()
        .map(|parameter| Ok((parameter.name.to_owned(), check_param(parameter, given.get(parameter.name))?)))
        .collect()
}

fn check_param(parameter: &Parameter, given: Option<&Value>) -> Result<Value, TaskError> {
    let refuse = |allowed: String| TaskError::BadParameter { name: parameter.name.to_owned(), allowed };
    match (parameter.kind, given) {
        (ParameterKind::Integer { default, .. }, None) => Ok(default.into()),
        (ParameterKind::Integer { min, max, .. }, Some(value)) => match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(number.into()),
            _ => Err(refuse(format!("a whole number from {min} to {max}"))),
        },
        (ParameterKind::Choice { default, .. }, None) => Ok(default.into()),
        (ParameterKind::Choice { options, .. }, Some(value)) => match value.as_str() {
            Some(text) if options.contains(&text) => Ok(text.into()),
            _ => Err(refuse(format!("one of {}", options.join(", ")))),
        },
    }
}

/// Reads a checked integer parameter; 0 when it is absent.
#[must_use]
pub fn integer(params: &Params, name: &str) -> usize {
    params.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Reads a checked choice parameter; empty when it is absent.
#[must_use]
pub fn choice<'a>(params: &'a Params, name: &str) -> &'a str {
    params.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A task definition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// No such built-in task.
    #[error("no task `{slug}`; the tasks are: {known}")]
    UnknownTask {
        /// What was asked for.
        slug: String,
        /// What there is.
        known: String,
    },
    /// No such family.
    #[error("no family `{family}`; the families are: {known}")]
    UnknownFamily {
        /// What was asked for.
        family: String,
        /// What there is.
        known: String,
    },
    /// A slug with other characters.
    #[error("`{0}` is not a slug: use 1 to 64 lower-case letters, digits, `_` and `-`")]
    BadSlug(String),
    /// A parameter the family does not have.
    #[error("no parameter `{name}`; the family has: {known}")]
    UnknownParameter {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A value out of range.
    #[error("parameter `{name}` must be {allowed}")]
    BadParameter {
        /// Which one.
        name: String,
        /// What is allowed.
        allowed: String,
    },
}

/// A sample that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// Length and parameters do not go together.
    #[error("task `{task}` cannot be built at {length}: {reason}")]
    Unsatisfiable {
        /// Task slug.
        task: String,
        /// Length asked for.
        length: String,
        /// What stands in the way and what would work.
        reason: String,
    },
    /// The task's items are records of a data file, and none was given.
    #[error("task `{task}` stands on the data file {data}: import it with `longboard import dataset`")]
    NoRecord {
        /// Task slug.
        task: String,
        /// Its SHA-256.
        data: String,
    },
}
