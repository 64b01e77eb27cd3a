//! Prediction files: answers that were produced elsewhere, scored here.

use chrono::{DateTime, Utc};
use longboard_store::account::{Team, User};
use longboard_store::answer::Answer;
use longboard_store::audit::Entry;
use longboard_store::endpoint::Endpoint;
use longboard_store::run::NewRun;
use longboard_store::{Causes, EndpointCall, EndpointKind, ProbeState, Store, TaskVersion, TaskVersions};
use longboard_suites::item::Scored;
use longboard_suites::outcome::{Evidence, classify};
use longboard_suites::predictions::{Import, RefusedLine, ScoredPrediction, import_infinitebench, task_of_file};
use serde_json::json;
use uuid::Uuid;

use crate::AppError;
use crate::slug::slug;

/// Suite that InfiniteBench files belong to.
const SUITE: &str = "infinitebench";

/// Slug of the team that owns what an operator imports.
const OPERATOR: &str = "longboard";

/// A file as it came.
#[derive(Debug, Clone)]
pub struct PredictionFile {
    /// Its name, which says the task: `preds_<task>.jsonl`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// Its name.
    pub name: String,
    /// Task slug and score in percent, or why the file was not used.
    pub outcome: Result<(String, f64), String>,
    /// Lines used.
    pub rows: usize,
    /// Lines refused, with line number and reason.
    pub refused: Vec<RefusedLine>,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// Slug of the model.
    pub model: String,
    /// The run that holds the answers.
    pub run: Uuid,
    /// Per file, in order.
    pub files: Vec<FileReport>,
}

/// The team of the operator, made when it is missing. Its account has no password and cannot sign in.
///
/// # Errors
/// [`AppError::Store`].
pub async fn operator_team(store: &Store, now: DateTime<Utc>) -> Result<Team, AppError> {
    if let Some(team) = store.team_by_slug(OPERATOR).await? {
        return Ok(team);
    }
    let user = User {
        id: Uuid::now_v7(),
        email: "longboard@localhost".to_owned(),
        name: "Longboard".to_owned(),
        password_hash: "!".to_owned(),
        maintainer: false,
        created_at: now,
    };
    let user = store.add_user(user).await?;
    Ok(store.add_team(OPERATOR, "Longboard", user.id, now).await?)
}

/// Scores InfiniteBench files of one model and stores them as a closed run. A bad line or file is named and left out,
/// the rest goes on.
///
/// # Errors
/// [`AppError::Invalid`] when no file can be used, or the model's name belongs to another team.
pub async fn import_predictions(
    store: &Store,
    team: &Team,
    model: &str,
    files: Vec<PredictionFile>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<ImportReport, AppError> {
    let name = model.to_owned();
    let scored =
        tokio::task::spawn_blocking(move || files.into_iter().map(|file| score(&name, file)).collect::<Vec<_>>());
    let scored = scored.await.map_err(|_| AppError::Invalid("scoring stopped; import the files again".to_owned()))?;
    let imports: Vec<&Import> = scored.iter().filter_map(|(_, import)| import.as_ref()).collect();
    if imports.is_empty() {
        let reasons: Vec<String> = scored
            .iter()
            .filter_map(|(report, _)| Some(format!("{}: {}", report.name, report.outcome.as_ref().err()?)))
            .collect();
        return Err(AppError::Invalid(format!("no file can be used. {}", reasons.join("; "))));
    }
    let endpoint = contestant(store, team, model, now).await?;
    let suite = store.suite(SUITE).await?.ok_or_else(|| AppError::NotFound(format!("suite `{SUITE}`")))?;
    let length_tokens = suite.lengths.0.first().map_or(0, |length| length.tokens().cast_signed());
    let tasks = imports.iter().map(|import| TaskVersion { slug: import.task.slug.to_owned(), version: 1 });
    let new = NewRun {
        endpoint_id: endpoint.id,
        team_id: team.id,
        suite_slug: suite.slug.clone(),
        seed: 0,
        samples: suite.samples,
        tasks: TaskVersions(tasks.collect()),
        lengths: suite.lengths.clone(),
        counts: true,
        submitted_by: by.to_owned(),
        requires: String::new(),
    };
    let rows =
        imports.iter().flat_map(|import| (0..).zip(&import.rows).map(|(index, row)| (import.task.slug, index, row)));
    let answers = (1..).zip(rows).map(|(number, (task, index, row))| Answer {
        number,
        task_slug: task.to_owned(),
        length_tokens,
        item_index: index,
        created_at: now,
        ..answer(row)
    });
    let run = store.add_imported_run(new, answers.collect(), now).await?;
    store.raise_data_version(&suite.slug).await?;
    let detail = json!({"model": endpoint.slug, "answers": run.total});
    let entry =
        Entry { actor: by.to_owned(), action: "import_predictions".into(), subject: run.id.to_string(), detail };
    store.add_audit(entry, now).await?;
    Ok(ImportReport {
        model: endpoint.slug,
        run: run.id,
        files: scored.into_iter().map(|(report, _)| report).collect(),
    })
}

fn score(model: &str, file: PredictionFile) -> (FileReport, Option<Import>) {
    let imported = task_of_file(&file.name).and_then(|task| import_infinitebench(task, model, &file.text));
    let (outcome, rows, refused, import) = match imported {
        Ok(import) => {
            let outcome = Ok((import.task.slug.to_owned(), import.percent().unwrap_or_default()));
            (outcome, import.rows.len(), import.refused.clone(), Some(import))
        }
        Err(error) => (Err(error.to_string()), 0, Vec::new(), None),
    };
    (FileReport { name: file.name, outcome, rows, refused }, import)
}

async fn contestant(store: &Store, team: &Team, model: &str, now: DateTime<Utc>) -> Result<Endpoint, AppError> {
    let slug = slug(model)?;
    match store.endpoint_by_slug(&slug).await? {
        Some(found) if found.team_id == team.id && found.kind == EndpointKind::Predictions => Ok(found),
        Some(_) => Err(AppError::Invalid(format!("the model name `{slug}` is taken; choose another"))),
        None => Ok(store.add_endpoint(new_contestant(team, model, slug, now)).await?),
    }
}

fn new_contestant(team: &Team, model: &str, slug: String, now: DateTime<Utc>) -> Endpoint {
    Endpoint {
        id: Uuid::now_v7(),
        team_id: team.id,
        slug,
        name: model.trim().to_owned(),
        description: String::new(),
        kind: EndpointKind::Predictions,
        base_url: String::new(),
        model: model.trim().to_owned(),
        api: EndpointCall::Chat,
        secret_ciphertext: None,
        max_concurrency: 1,
        max_leases: 1,
        context_limit_tokens: None,
        first_byte_timeout_ms: 0,
        probe_state: ProbeState::None,
        probe_report: None,
        probed_at: None,
        token_ratio: None,
        truncates: false,
        created_at: now,
        retired_at: None,
    }
}

fn answer(row: &ScoredPrediction) -> Answer {
    let scored =
        Scored { score: row.score, strict: None, extracted: row.extracted.clone(), well_formed: row.well_formed };
    Answer {
        id: 0,
        run_id: Uuid::nil(),
        shard_id: None,
        number: 0,
        task_slug: String::new(),
        task_version: 1,
        length_tokens: 0,
        item_index: 0,
        repetition: 0,
        item_key: Some(row.id.clone()),
        prompt_digest: String::new(),
        prompt_tokens: 0,
        body: row.prediction.clone(),
        reference: Some(row.reference.clone()),
        outcome: classify(&row.prediction, &scored, Evidence::default()).slug().to_owned(),
        score: Some(row.score),
        strict: None,
        extracted: row.extracted.clone(),
        depth_percent: None,
        finish_reason: None,
        reported_prompt_tokens: None,
        reported_completion_tokens: None,
        first_token_ms: None,
        latency_ms: None,
        attempts: 0,
        retry_causes: Causes::default(),
        cause: None,
        detail: None,
        worker_id: None,
        created_at: DateTime::UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_become_slugs() {
        assert_eq!(slug("YaRN Mistral (7B)").unwrap(), "yarn-mistral-7b");
        assert!(slug("模型").is_err());
        assert!(slug(&"x".repeat(65)).is_err());
    }
}
