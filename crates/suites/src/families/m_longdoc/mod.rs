//! M-LongDoc (arXiv 2411.06176): questions about one page of a long report with tables and charts, over the whole report
//! or over the pages that a retriever would hand on.
//!
//! The official data are not obtainable; reports, questions and pictures here are functions of seed, index and page.

mod binding;
mod dataset;
mod pages;
mod report;

use serde_json::{Value, json};

use self::binding::Binding;
pub use self::pages::MLongDocPages;
use self::report::{Kind, Report};
use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::metrics::m_longdoc;
use crate::rng::Rng;
use crate::task::{
    Dial, Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice, integer,
};
use crate::world::{PersonId, World};

/// Questions over a whole report.
pub struct MLongDoc;

/// The same over its retrieved pages: the one with the answer among others.
pub struct MLongDocRetrieved;

/// Pages of the mean official document.
const OFFICIAL_PAGES: u32 = 211;
/// Canonical tokens of a page, until a report has as many pages as the mean official one.
const PAGE_TOKENS: u32 = 512;
/// Pages of the shortest report, in which every kind stands twice.
const LEAST_PAGES: u32 = 8;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "kind",
        help: "Where answers stand; questions about figures need an endpoint that takes pictures",
        kind: ParameterKind::Choice { options: &["text", "table", "figure"], default: "text" },
    },
    Parameter {
        name: "pictures",
        help: "Whether tables and figures are sent as pictures; without, tables are text and figures are captions",
        kind: ParameterKind::Choice { options: &["none", "shown"], default: "none" },
    },
];

const DISTRACTORS: [Parameter; 1] = [Parameter {
    name: "distractors",
    help: "Pages without the answer beside the one that has it",
    kind: ParameterKind::Integer { min: 0, max: 19, default: 4 },
}];

fn card() -> Card {
    Card {
        benchmark: "M-LongDoc",
        what: String::new(),
        citation: "Chia et al. 2024, M-LongDoc, arXiv 2411.06176; repository not obtainable: reports, questions and the match are Longboard's own",
        licence: "official data not obtainable; reports, questions and pictures here are Longboard's own",
        language: Language::English,
        length_unit: LengthUnit::ModelTokens,
        tokenizer: "not stated; the mean official document has 120,988 tokens on 210.8 pages",
        abilities: &["retrieval", "documents"],
        diffusion: Diffusion::Medium,
        scope: Scope::Narrow,
        random_guess: 0.0,
        output_tokens: 64,
        metric: "m_longdoc.match",
        strict_metric: Some("m_longdoc.match.strict"),
        min_tokens: LEAST_PAGES * PAGE_TOKENS,
        open_ended: true,
        protocol: Protocol {
            post_processing: "numbers without separators of thousands; judges score from 1 to 5, as the paper does",
            ..Protocol::GENERATED
        },
        importable: None,
    }
}

fn kind_of(params: &Params) -> Kind {
    Kind::find(choice(params, "kind")).unwrap_or(Kind::Text)
}

/// Whether pictures are sent. A question about a figure has its answer nowhere else.
fn shows(params: &Params) -> bool {
    kind_of(params) == Kind::Figure || choice(params, "pictures") == "shown"
}

fn question(item: &Item) -> &str {
    item.gold.get("question").and_then(Value::as_str).unwrap_or_default()
}

/// The number or name in an answer.
fn score(item: &Item, answer: &str) -> Scored {
    let right = item.references.first().map_or("", String::as_str);
    let others = item.gold.get("others").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Scored {
        score: m_longdoc::matched(answer, right),
        strict: Some(m_longdoc::matched_strict(answer, right, question(item), others)),
        extracted: answer.trim().chars().take(200).collect(),
        well_formed: !answer.trim().is_empty(),
    }
}

fn oracle(item: &Item) -> String {
    item.references.first().cloned().unwrap_or_default()
}

/// Numbers among which an answer is.
fn range(item: &Item) -> Option<(u64, u64)> {
    let range = item.gold.get("range")?;
    Some((range.get(0)?.as_u64()?, range.get(1)?.as_u64()?))
}

fn guess(item: &Item, rng: &mut Rng) -> String {
    match range(item) {
        Some((low, high)) => rng.between(low, high).to_string(),
        None => World::new(rng.next_u64()).person(PersonId(0)).name.of(Language::English),
    }
}

/// Names are too many to be guessed.
fn chance(item: &Item) -> f64 {
    range(item).map_or(0.0, |(low, high)| 1.0 / (high - low + 1) as f64)
}

fn open_ended(item: &Item) -> OpenEnded {
    let page = item.gold.get("evidence_page").and_then(Value::as_u64).unwrap_or_default();
    OpenEnded {
        question: question(item).to_owned(),
        reference: item.references.first().map(|answer| format!("{answer} (on page {page} of the document)")),
        facts: Vec::new(),
    }
}

/// The picture on a page of a report that was generated before.
fn picture(item: &Item, number: u32) -> Option<Vec<u8>> {
    let page = item.pages.iter().find(|page| page.number == number)?;
    page.picture.as_ref()?;
    Report::new(&mut prose::stream_of(item), number).leaf(number).picture()
}

impl Family for MLongDoc {
    fn slug(&self) -> &'static str {
        "m_longdoc"
    }

    fn title(&self) -> &'static str {
        "Questions over documents of many pages"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let place = match (kind_of(params), shows(params)) {
            (Kind::Text, _) => "in the running text of one page",
            (Kind::Table, false) => "in a table, given as text",
            (Kind::Table, true) => "in a table, given as a picture",
            (Kind::Figure, _) => "in a chart, given as a picture",
        };
        let pictures = if shows(params) {
            " A picture counts as no canonical token; its place and SHA-256 belong to the prompt's digest."
        } else {
            ""
        };
        Card {
            what: format!(
                "Answer a question about one page of a report, whose answer stands {place}; the report has a page for every {PAGE_TOKENS} tokens, at most {OFFICIAL_PAGES}.{pictures}"
            ),
            abilities: if shows(params) {
                &["retrieval", "documents", "pictures"]
            } else {
                &["retrieval", "documents"]
            },
            importable: Some("official data not obtainable: records in Longboard's own form, text and tables only"),
            ..card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let mut rng = prose::stream(task, request);
        let pages = (request.length.tokens() / PAGE_TOKENS).clamp(LEAST_PAGES, OFFICIAL_PAGES);
        let report = Report::new(&mut rng, pages);
        let depth_percent = prose::swept_depth(request.index);
        let wanted = f64::from(depth_percent) / 100.0 * f64::from(pages - 1) + 1.0;
        let distance = |number: u32| (f64::from(number) - wanted).abs();
        let of_kind = (1..=pages).filter(|number| Kind::of_page(*number) == kind_of(params));
        let asked = of_kind.min_by(|one, other| distance(*one).total_cmp(&distance(*other))).unwrap_or(1);
        let numbers = (1..=pages).collect();
        let mut item = Binding { report, numbers, asked, shown: shows(params) }.item(task, request, &mut rng)?;
        item.depth_percent = Some(depth_percent);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, kind, pictures| {
            TaskDefinition::generated(self.slug(), slug, title, json!({ "kind": kind, "pictures": pictures }))
        };
        vec![
            task("m_longdoc_text", "Text of one page", "text", "none"),
            task("m_longdoc_table", "A table as text", "table", "none"),
            task("m_longdoc_table_picture", "A table as a picture", "table", "shown"),
            task("m_longdoc_figure", "A chart", "figure", "shown"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        score(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        guess(item, rng)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        chance(item)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Documents)
    }

    fn picture(&self, _: &Task, item: &Item, number: u32) -> Option<Vec<u8>> {
        picture(item, number)
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        Some(open_ended(item))
    }
}

impl Family for MLongDocRetrieved {
    fn slug(&self) -> &'static str {
        "m_longdoc_retrieved"
    }

    fn title(&self) -> &'static str {
        "Questions over retrieved pages"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &DISTRACTORS
    }

    fn card(&self, params: &Params) -> Card {
        let distractors = integer(params, "distractors") as u32;
        Card {
            what: format!(
                "Answer a question about one page of a report, given with {distractors} other pages of it in no order; answers stand in text, tables and charts in turn, the latter two as pictures. A picture counts as no canonical token; its place and SHA-256 belong to the prompt's digest."
            ),
            abilities: &["retrieval", "documents", "pictures"],
            min_tokens: ((distractors + 1) * PAGE_TOKENS / 2).next_power_of_two().max(1024),
            ..card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let distractors = integer(&task.definition().params, "distractors");
        let mut rng = prose::stream(task, request);
        let report = Report::new(&mut rng, OFFICIAL_PAGES);
        let kind = Kind::ALL.get(request.index as usize % Kind::ALL.len()).copied().unwrap_or(Kind::Text);
        let of_kind: Vec<u32> = (1..=OFFICIAL_PAGES).filter(|number| Kind::of_page(*number) == kind).collect();
        let asked = rng.choose(&of_kind).copied().unwrap_or(1);
        let others: Vec<u32> = (1..=OFFICIAL_PAGES).filter(|number| *number != asked).collect();
        let drawn = rng.distinct(others.len(), distractors);
        let mut numbers: Vec<u32> = drawn.into_iter().filter_map(|place| others.get(place).copied()).collect();
        numbers.push(asked);
        rng.shuffle(&mut numbers);
        Binding { report, numbers, asked, shown: true }.item(task, request, &mut rng)
    }

    fn dial(&self) -> Option<Dial> {
        Some(Dial { parameter: "distractors", title: "pages without the answer" })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, distractors: u32| {
            TaskDefinition::generated(self.slug(), slug, title, json!({ "distractors": distractors }))
        };
        vec![
            task("m_longdoc_top5", "The page among five", 4),
            task("m_longdoc_gold", "The page alone", 0),
            task("m_longdoc_top10", "The page among ten", 9),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        score(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        guess(item, rng)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        chance(item)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn picture(&self, _: &Task, item: &Item, number: u32) -> Option<Vec<u8>> {
        picture(item, number)
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        Some(open_ended(item))
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
