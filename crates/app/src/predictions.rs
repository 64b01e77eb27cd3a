//! Prediction files: answers that were produced elsewhere, scored here.

use chrono::{DateTime, Utc};
use longboard_store::account::{Team, User};
use longboard_store::answer::Answer;
use longboard_store::audit::Entry;
use longboard_store::endpoint::Endpoint;
use longboard_store::run::NewRun;
use longboard_store::{EndpointKind, Store, TaskVersion, TaskVersions};
use longboard_suites::item::Scored;
use longboard_suites::outcome::{Evidence, classify};
use longboard_suites::predictions::{Import, RefusedLine, ScoredPrediction, import_file, task_of_file};
use serde_json::json;
use uuid::Uuid;

use crate::AppError;
use crate::slug::slug;

/// Slug of the team that owns what an operator imports.
const OPERATOR: &str = "longboard";

/// A file as it came.
#[derive(Debug, Clone)]
pub struct PredictionFile {
    /// Its name, which says the task: `preds_<task>.jsonl`, `<task>.pred.jsonl` or `<data set>.jsonl`.
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

/// Scores prediction files of one model and stores them as a closed run. A bad line or file is named and left out, the
/// rest goes on; so is a file of another benchmark than the first.
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
    let mut scored =
        scored.await.map_err(|_| AppError::Invalid("scoring stopped; import the files again".to_owned()))?;
    let suite = one_suite(&mut scored);
    let imports: Vec<&Import> = scored.iter().filter_map(|(_, import)| import.as_ref()).collect();
    if imports.is_empty() {
        let reasons: Vec<String> = scored
            .iter()
            .filter_map(|(report, _)| Some(format!("{}: {}", report.name, report.outcome.as_ref().err()?)))
            .collect();
        return Err(AppError::Invalid(format!("no file can be used. {}", reasons.join("; "))));
    }
    let endpoint = contestant(store, team, model, now).await?;
    let suite = store.suite(suite).await?.ok_or_else(|| AppError::no("suite", suite))?;
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
        task_requires: Default::default(),
    };
    let rows =
        imports.iter().flat_map(|import| (0..).zip(&import.rows).map(|(index, row)| (import.task.slug, index, row)));
    let answers = (1..).zip(rows).map(|(number, (task, index, row))| {
        answer(row, Answer { number, ..Answer::blank(task, 1, length_tokens, index, now) })
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

/// The suite of the first usable file; files of other suites are refused.
fn one_suite(scored: &mut [(FileReport, Option<Import>)]) -> &'static str {
    let suite = scored.iter().find_map(|(_, import)| Some(import.as_ref()?.task.suite)).unwrap_or_default();
    for (report, import) in scored {
        if import.as_ref().is_some_and(|import| import.task.suite != suite) {
            report.outcome = Err("belongs to another benchmark than the first file: import it on its own".to_owned());
            *import = None;
        }
    }
    suite
}

fn score(model: &str, file: PredictionFile) -> (FileReport, Option<Import>) {
    let imported = task_of_file(&file.name).and_then(|task| import_file(task, model, &file.text));
    let (outcome, rows, refused, import) = match imported {
        Ok(import) => {
            let outcome = Ok((import.task.slug.to_owned(), import.official.unwrap_or_default()));
            (outcome, import.rows.len(), import.refused.clone(), Some(import))
        }
        Err(error) => (Err(error.to_string()), 0, Vec::new(), None),
    };
    (FileReport { name: file.name, outcome, rows, refused }, import)
}

pub(crate) async fn contestant(
    store: &Store,
    team: &Team,
    model: &str,
    now: DateTime<Utc>,
) -> Result<Endpoint, AppError> {
    let slug = slug(model)?;
    match store.endpoint_by_slug(&slug).await? {
        Some(found) if found.team_id == team.id && found.kind == EndpointKind::Predictions => Ok(found),
        Some(_) => Err(AppError::Invalid(format!("the model name `{slug}` is taken; choose another"))),
        None => {
            let row = Endpoint::new(team.id, EndpointKind::Predictions, &slug, model.trim(), now);
            Ok(store.add_endpoint(row).await?)
        }
    }
}

fn answer(row: &ScoredPrediction, blank: Answer) -> Answer {
    let scored =
        Scored { score: row.score, strict: None, extracted: row.extracted.clone(), well_formed: row.well_formed };
    Answer {
        item_key: Some(row.id.clone()),
        body: row.prediction.clone(),
        reference: Some(row.reference.clone()),
        outcome: classify(&row.prediction, &scored, Evidence::default()).slug().to_owned(),
        score: Some(row.score),
        extracted: row.extracted.clone(),
        ..blank
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
