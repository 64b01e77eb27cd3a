//! Tasks: what they measure, where they come from, and a sample at any length.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::report::moment;
use longboard_app::run::SEASON_SEED;
use longboard_app::store::task::Task as TaskRow;
use longboard_app::suites::length::Length;
use longboard_app::suites::task::Task;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::TaskReport;
use serde::Deserialize;
use serde_json::Value;

use crate::pages::page;
use crate::pages::sample::{PromptPage, prompt_page};
use crate::refusal::{ApiError, PageError};

/// Longest preview: it is built while somebody waits.
const LONGEST_PREVIEW: u32 = 1024 * 1024;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/tasks", get().to(tasks))
        .route("/tasks/{slug}.json", get().to(json))
        .route("/tasks/{slug}", get().to(task));
}

#[derive(Template)]
#[template(path = "tasks/list.html")]
struct TasksPage {
    tasks: Vec<TaskLine>,
}

struct TaskLine {
    slug: String,
    title: String,
    benchmark: String,
    language: String,
    metric: String,
    what: String,
}

async fn tasks(longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let mut tasks = Vec::new();
    for row in longboard.store().tasks().await? {
        let report = longboard.task_report(&row).await?;
        let fact = |name: &str| report.card.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (benchmark, what) = if row.imported() {
            ("InfiniteBench".to_owned(), "from prediction files".to_owned())
        } else {
            (fact("benchmark"), fact("what"))
        };
        let (language, metric) = (fact("language"), fact("metric"));
        tasks.push(TaskLine { slug: row.slug, title: row.title, benchmark, language, metric, what });
    }
    page(&TasksPage { tasks })
}

#[derive(Deserialize)]
struct Preview {
    version: Option<i32>,
    length: Option<String>,
    #[serde(default)]
    index: u32,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "tasks/task.html")]
struct TaskPage {
    task: TaskReport,
    published: String,
    facts: Vec<(&'static str, String)>,
    params: Vec<(String, String)>,
    complaint: Option<String>,
    prompt: Option<PromptPage>,
    references: Vec<String>,
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
    let (prompt, references) = shown.map_or((None, Vec::new()), |(prompt, references)| (Some(prompt), references));
    page(&TaskPage {
        published: moment(row.published_at),
        facts: facts(&row, &task.card),
        params: task.params.as_object().map(shown_params).unwrap_or_default(),
        complaint,
        prompt,
        references,
        keep: format!("&length={length}&index={}&version={}", query.index, task.version),
        length,
        index: query.index,
        task,
    })
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
) -> Result<Option<(PromptPage, Vec<String>)>, AppError> {
    let length: Length = length.parse().map_err(|error| AppError::Invalid(format!("{error}")))?;
    if length.tokens() > LONGEST_PREVIEW {
        return Err(AppError::Invalid("the longest preview is 1m".to_owned()));
    }
    let item = longboard.item(row, length, SEASON_SEED, query.index).await?;
    let shown = prompt_page(&item, query.page);
    Ok(Some((shown, item.references)))
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
    vec![
        ("What", card.what.clone()),
        ("Benchmark", format!("{}, {}", card.benchmark, card.citation)),
        ("Licence", card.licence.to_owned()),
        ("Metric", format!("{}{strict}", card.metric)),
        ("Language", card.language.code().to_owned()),
        ("Abilities", card.abilities.join(", ")),
        ("Difficulty", format!("diffusion {:?}, scope {:?}", card.diffusion, card.scope).to_lowercase()),
        ("Guessing scores", format!("{:.1}", 100.0 * card.random_guess)),
        ("Output budget", format!("{} tokens", card.output_tokens)),
        ("Length in the paper", format!("{} ({})", card.length_unit.name(), card.tokenizer)),
        ("Shortest length", format!("{} tokens", card.min_tokens)),
    ]
}
