//! Tasks: what they measure, where they come from, and a sample at any length.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::report::moment;
use longboard_app::run::SEASON_SEED;
use longboard_app::store::dataset::Dataset;
use longboard_app::store::task::Task as TaskRow;
use longboard_app::suites::card::{Card, Dialogue, Protocol, Side};
use longboard_app::suites::families::concept_map::ConceptMap;
use longboard_app::suites::length::Length;
use longboard_app::suites::metrics::catalogue;
use longboard_app::suites::task::Task;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::TaskReport;
use serde::Deserialize;
use serde_json::Value;

use crate::charts::concepts;
use crate::pages::page;
use crate::pages::sample::{PromptPage, prompt_page};
use crate::refusal::{ApiError, PageError};

/// Longest preview: it is built while somebody waits.
const LONGEST_PREVIEW: u32 = 1024 * 1024;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/tasks/{slug}.json", get().to(json)).route("/tasks/{slug}", get().to(task));
}

#[derive(Deserialize)]
struct Preview {
    version: Option<i32>,
    length: Option<String>,
    #[serde(default)]
    index: u32,
    page: Option<usize>,
}

/// A sample's graph of concepts.
struct Concepts {
    chart: String,
    abstracts: usize,
    pairs: Vec<Pair>,
    more: usize,
}

/// Two concepts that occur together.
struct Pair {
    first: String,
    second: String,
    abstracts: usize,
}

/// Pairs of the table; the rest is counted.
const PAIRS: usize = 60;

impl Concepts {
    fn of(map: &ConceptMap) -> Self {
        let named = |place: usize| map.nodes.get(place).map(|node| node.phrase.clone()).unwrap_or_default();
        let pairs = map.edges.iter().take(PAIRS).map(|edge| Pair {
            first: named(edge.from),
            second: named(edge.to),
            abstracts: edge.abstracts,
        });
        Self {
            chart: concepts(map),
            abstracts: map.abstracts,
            pairs: pairs.collect(),
            more: map.edges.len().saturating_sub(PAIRS),
        }
    }
}

/// A sample as the page shows it.
struct Shown {
    prompt: PromptPage,
    references: Vec<String>,
    concepts: Option<Concepts>,
}

#[derive(Template)]
#[template(path = "tasks/task.html")]
struct TaskPage {
    task: TaskReport,
    published: String,
    facts: Vec<(&'static str, String)>,
    data: Vec<(&'static str, String)>,
    params: Vec<(String, String)>,
    complaint: Option<String>,
    prompt: Option<PromptPage>,
    references: Vec<String>,
    concepts: Option<Concepts>,
    length: String,
    index: u32,
    keep: String,
}

async fn json(slug: Path<String>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    let row = longboard.task(&slug, None).await?;
    Ok(HttpResponse::Ok().json(longboard.task_report(&row).await?))
}

async fn task(
    slug: Path<String>,
    query: Query<Preview>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, PageError> {
    let row = longboard.task(&slug, query.version).await?;
    let task = longboard.task_report(&row).await?;
    let length = query.length.clone().unwrap_or_else(|| "4k".to_owned());
    let shown = if row.imported() { Ok(None) } else { preview(&longboard, &row, &length, &query).await };
    let (complaint, shown) = match shown {
        Ok(shown) => (None, shown),
        Err(error) => (Some(crate::refusal::complaint(error)?), None),
    };
    let (prompt, references, concepts) = shown.map_or((None, Vec::new(), None), |shown| {
        let Shown { prompt, references, concepts } = shown;
        (Some(prompt), references, concepts)
    });
    page(&TaskPage {
        published: moment(row.published_at),
        facts: facts(&row, &task.card),
        data: data(&longboard, &row).await?,
        params: task.params.as_object().map(shown_params).unwrap_or_default(),
        complaint,
        prompt,
        references,
        concepts,
        keep: format!("&length={length}&index={}&version={}", query.index, task.version),
        length,
        index: query.index,
        task,
    })
}

/// Where the items come from.
async fn data(longboard: &Longboard, row: &TaskRow) -> Result<Vec<(&'static str, String)>, AppError> {
    let Some(sha256) = &row.data_sha256 else {
        let origin = "generated from the season's seed: the benchmark's shape, Longboard's own data";
        return Ok(if row.imported() { Vec::new() } else { vec![("Data", origin.to_owned())] });
    };
    let found =
        longboard.store().dataset(sha256).await?.ok_or_else(|| AppError::NotFound(format!("data file {sha256}")))?;
    let mut facts = vec![(
        "Data",
        format!("{} ({} records, {} bytes), official, unchanged", found.file_name, found.records, found.bytes),
    )];
    facts.extend(beside(&found));
    facts.extend([
        ("Licence of the data", found.licence),
        ("Imported", format!("{} by {}", moment(found.imported_at), found.imported_by)),
    ]);
    Ok(facts)
}

/// Files beside a data file that are named; more are only counted.
const NAMED_FILES: usize = 6;

/// Digests of a data set, and what stood beside its file.
fn beside(data: &Dataset) -> Vec<(&'static str, String)> {
    let Some(beside) = &data.beside else {
        return vec![
            ("SHA-256", data.sha256.clone()),
            ("Beside the file", "not recorded: imported before digests covered it".to_owned()),
        ];
    };
    let files = &beside.0;
    if files.is_empty() {
        return vec![("SHA-256", data.sha256.clone())];
    }
    let named =
        files.iter().take(NAMED_FILES).map(|file| format!("{} ({} bytes, {})", file.path, file.bytes, file.sha256));
    let more = files.len().saturating_sub(NAMED_FILES);
    let mut named: Vec<String> = named.collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    vec![
        ("SHA-256 of the set", data.sha256.clone()),
        ("SHA-256 of the file", data.file_sha256.clone().unwrap_or_default()),
        ("Beside the file", named.join(", ")),
    ]
}

fn shown_params(params: &serde_json::Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    params.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

async fn preview(
    longboard: &Longboard,
    row: &TaskRow,
    length: &str,
    query: &Preview,
) -> Result<Option<Shown>, AppError> {
    let length: Length = length.parse().map_err(|error| AppError::Invalid(format!("{error}")))?;
    if length.tokens() > LONGEST_PREVIEW {
        return Err(AppError::Invalid("the longest preview is 1m".to_owned()));
    }
    let (item, map) = longboard.mapped_item(row, length, SEASON_SEED, query.index).await?;
    let concepts = map.map(|map| Concepts::of(&map));
    Ok(Some(Shown { prompt: prompt_page(&item, query.page), references: item.references, concepts }))
}

fn facts(row: &TaskRow, card: &Value) -> Vec<(&'static str, String)> {
    let Ok(task) = Task::new(row.definition()) else {
        let fact = |name: &str| {
            card.get(name)
                .map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
                .unwrap_or_default()
        };
        return vec![
            ("Comes from", "prediction files of InfiniteBench (arXiv 2402.13718)".to_owned()),
            ("Language", fact("language")),
            ("Metric", fact("metric")),
            ("Samples", fact("samples")),
        ];
    };
    let card = task.card();
    let strict = card.strict_metric.map(|strict| format!("; strict form {strict}")).unwrap_or_default();
    if task.retrieval().is_some() {
        return searched(&task);
    }
    let stops = card.protocol.stop.iter().map(|stop| format!("{stop:?}")).collect::<Vec<_>>().join(", ");
    vec![
        ("What", card.what.clone()),
        ("Benchmark", source(card)),
        ("Licence", card.licence.to_owned()),
        ("Metric", format!("{}{strict}", card.metric)),
        ("Language", card.language.code().to_owned()),
        ("Abilities", card.abilities.join(", ")),
        ("Difficulty", format!("diffusion {:?}, scope {:?}", card.diffusion, card.scope).to_lowercase()),
        ("Guessing scores", format!("{:.1}", 100.0 * card.random_guess)),
        ("Output budget", format!("{} tokens", card.output_tokens)),
        ("Length in the paper", format!("{} ({})", card.length_unit.name(), card.tokenizer)),
        ("Shortest length", format!("{} tokens", task.min_tokens())),
        ("Sent as", dialogue(&card.protocol)),
        ("Cut when too long", truncation(&card.protocol)),
        ("Answer ends at", if stops.is_empty() { "the output budget only".to_owned() } else { stops }),
        ("Before scoring", card.protocol.post_processing.to_owned()),
        ("Scorer", scorer(card.metric)),
    ]
}

/// Benchmark and citation; some papers are cited by the benchmark's name alone.
fn source(card: &Card) -> String {
    if card.citation.starts_with(card.benchmark) {
        return card.citation.to_owned();
    }
    format!("{}, {}", card.benchmark, card.citation)
}

/// Where answers are rankings there is no prompt, and nothing is written.
fn searched(task: &Task) -> Vec<(&'static str, String)> {
    let card = task.card();
    let strict = card.strict_metric.map(|strict| format!("; strict form {strict}")).unwrap_or_default();
    let takers = if task.shows_pictures() { "embedders that take pictures" } else { "embedders and rerankers" };
    vec![
        ("What", card.what.clone()),
        ("Benchmark", source(card)),
        ("Licence", card.licence.to_owned()),
        ("For", takers.to_owned()),
        ("Metric", format!("{}{strict}", card.metric)),
        ("Language", card.language.code().to_owned()),
        ("Difficulty", format!("diffusion {:?}, scope {:?}", card.diffusion, card.scope).to_lowercase()),
        ("Guessing scores", format!("{:.1}", 100.0 * card.random_guess)),
        ("Length in the paper", format!("{} ({})", card.length_unit.name(), card.tokenizer)),
        ("Shortest length", format!("{} tokens", task.min_tokens())),
        ("Sent as", "queries and documents, each on its own".to_owned()),
        ("Before scoring", card.protocol.post_processing.to_owned()),
        ("Scorer", scorer(card.metric)),
    ]
}

fn dialogue(protocol: &Protocol) -> String {
    match protocol.dialogue {
        Dialogue::Chat => "chat messages".to_owned(),
        Dialogue::Completion => "raw text to continue (as one message where an endpoint only chats)".to_owned(),
    }
}

fn truncation(protocol: &Protocol) -> String {
    let side = match protocol.truncation {
        Side::Nothing => return "never: items are made to measure".to_owned(),
        Side::Middle => "the middle, half of the window is kept at either end",
        Side::Right => "the end",
        Side::Left => "the beginning",
    };
    format!("{side}; officially counted in {}, here in o200k_base tokens", protocol.truncation_unit)
}

fn scorer(slug: &str) -> String {
    let found = catalogue().iter().find(|metric| metric.slug == slug);
    found.map_or_else(|| slug.to_owned(), |metric| format!("{}: {}", metric.title, metric.citation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_source_begins_with_its_benchmark_twice() {
        for task in Task::builtin() {
            let (source, benchmark) = (source(task.card()), task.card().benchmark);
            assert!(
                source.starts_with(benchmark) && !source.starts_with(&format!("{benchmark}, {benchmark}")),
                "{source}"
            );
        }
    }
}
