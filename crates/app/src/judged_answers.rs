//! Answers of several models to the same questions, as L-Eval ships them for judges and people: the questions become a
//! data set, each model's answers a run, and the suite can be judged like any other.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use longboard_store::answer::Answer;
use longboard_store::dataset::{Beside, Dataset as DatasetRow};
use longboard_store::run::NewRun;
use longboard_store::{LengthList, StoreError, TaskVersion, TaskVersions};
use longboard_suites::dataset::{Dataset, Record, Subset};
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::outcome::{Evidence, classify};
use longboard_suites::predictions::leval::{JudgeSubset, judge_subset};
use longboard_suites::suite::Suite;
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::dataset::reader;
use crate::predictions::{PredictionFile, contestant, operator_team};
use crate::sample::record_order;
use crate::{AppError, Longboard};

/// Family that reads the questions, and its data set.
const FAMILY: &str = "leval";
const SUBSET: &str = "judged";

/// The window that stands for all of them: the files do not say how long the prompts were.
const WINDOW_TOKENS: u32 = 16 * 1024;

/// Reasons that an error repeats.
const SHOWN: usize = 5;

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswersReport {
    /// Suite that the answers fill.
    pub suite: String,
    /// Questions that all models answered.
    pub questions: usize,
    /// Slugs of the models.
    pub models: Vec<String>,
    /// Files, lines and questions that were left out, and why.
    pub left_out: Vec<String>,
}

impl Longboard {
    /// Imports one file per model, called `<model>.pred.jsonl`. Questions that not all of them answer are left out and
    /// named.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when there are fewer than two models, no common question, or questions of two subsets.
    pub async fn import_judged_answers(
        &self,
        by: &str,
        files: Vec<PredictionFile>,
        now: DateTime<Utc>,
    ) -> Result<AnswersReport, AppError> {
        let (files, mut left_out) = named(files);
        if files.len() < 2 {
            return Err(AppError::Invalid(format!(
                "two models are needed to compare, one file <model>.pred.jsonl each; there is {}",
                files.len()
            )));
        }
        let joined = tokio::task::spawn_blocking(move || {
            let pairs: Vec<(&str, &str)> = files.iter().map(|(model, text)| (model.as_str(), text.as_str())).collect();
            judge_subset(&pairs)
        });
        let subset = joined.await.map_err(AppError::stopped)?;
        left_out.extend(remarks(&subset));
        let kind = one_kind(&subset).map_err(|reason| AppError::Invalid(told(reason, &left_out)))?;
        let records = records(&subset)?;
        let questions = records.len();
        let task = self.publish_questions(by, &subset, &records, &kind, now).await?;
        let suite = self.judged_suite(&task, &kind, questions, now).await?;
        let scored = task.clone();
        let scoring = tokio::task::spawn_blocking(move || score(&scored, &subset, &records, now));
        let answers = scoring.await.map_err(AppError::stopped)??;
        let models = self.store_answers(by, &task, &suite, answers, now).await?;
        let detail = json!({"suite": suite.slug, "questions": questions, "models": models});
        self.note(by, "import_judged_answers", &suite.slug, detail, now).await?;
        Ok(AnswersReport { suite: suite.slug, questions, models, left_out })
    }

    /// Stores the questions, unless the same are stored, and publishes the task that stands on them.
    async fn publish_questions(
        &self,
        by: &str,
        subset: &JudgeSubset,
        records: &[Record],
        kind: &str,
        now: DateTime<Utc>,
    ) -> Result<Task, AppError> {
        let (family, dataset) = reader(FAMILY)?;
        let text = subset.lines().join("\n");
        let sha256 = hex::encode(Sha256::digest(&text));
        let row = DatasetRow {
            sha256: sha256.clone(),
            family: FAMILY.to_owned(),
            subset: SUBSET.to_owned(),
            file_name: format!("{SUBSET}-{kind}.jsonl"),
            licence: family.card(&serde_json::Map::new()).importable.unwrap_or("not stated").to_owned(),
            records: i32::try_from(records.len()).unwrap_or(i32::MAX),
            bytes: i64::try_from(text.len()).unwrap_or(i64::MAX),
            imported_by: by.to_owned(),
            imported_at: now,
            file_sha256: Some(sha256),
            beside: Some(Beside(Vec::new())),
        };
        let sha256 = row.sha256.clone();
        match self.store.begin_dataset(row).await {
            Ok(mut writer) => {
                for record in records {
                    writer.push(record).await?;
                }
                writer.commit().await?;
            }
            Err(StoreError::Taken(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let title = format!("Questions for judges, {kind}");
        let definition = TaskDefinition {
            data: Some(sha256),
            ..TaskDefinition::generated(
                FAMILY,
                &format!("leval_judged_{kind}"),
                &title,
                dataset.params(questions(dataset)?),
            )
        };
        self.publish_over_data(by, definition, now).await
    }

    async fn judged_suite(
        &self,
        task: &Task,
        kind: &str,
        questions: usize,
        now: DateTime<Utc>,
    ) -> Result<Suite, AppError> {
        let suite = Suite {
            slug: format!("leval-judged-{kind}"),
            title: format!("L-Eval, questions for judges ({kind})"),
            description: "Open-ended questions of L-Eval with the answers of real models, for judges to compare. The score is ROUGE against the reference, by which such answers should not be ranked.".to_owned(),
            tasks: vec![task.slug().to_owned()],
            lengths: Length::new(WINDOW_TOKENS).into_iter().collect(),
            samples: u32::try_from(questions).unwrap_or(u32::MAX),
            imported: true,
        };
        if self.store.suite(&suite.slug).await?.is_none() {
            self.store.add_suite(suite.clone(), now).await?;
        }
        Ok(suite)
    }

    async fn store_answers(
        &self,
        by: &str,
        task: &Task,
        suite: &Suite,
        answers: Vec<(String, Vec<Answer>)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, AppError> {
        let team = operator_team(&self.store, now).await?;
        let version = TaskVersion { slug: task.slug().to_owned(), version: task.definition().version.cast_signed() };
        let mut models = Vec::new();
        for (model, answers) in answers {
            let endpoint = contestant(&self.store, &team, &model, now).await?;
            let run = NewRun {
                endpoint_id: endpoint.id,
                team_id: team.id,
                suite_slug: suite.slug.clone(),
                seed: 0,
                samples: i32::try_from(answers.len()).unwrap_or(i32::MAX),
                tasks: TaskVersions(vec![version.clone()]),
                lengths: LengthList(suite.lengths.clone()),
                counts: true,
                submitted_by: by.to_owned(),
                requires: String::new(),
                task_requires: Default::default(),
            };
            self.store.add_imported_run(run, answers, now).await?;
            models.push(endpoint.slug);
        }
        self.store.raise_data_version(&suite.slug).await?;
        Ok(models)
    }
}

fn questions(dataset: &'static dyn Dataset) -> Result<&'static Subset, AppError> {
    dataset.subset_of(&format!("{SUBSET}.jsonl")).ok_or_else(|| AppError::no("data set", SUBSET))
}

/// The questions as the family reads them, in the order of [`JudgeSubset::lines`].
fn records(subset: &JudgeSubset) -> Result<Vec<Record>, AppError> {
    let (_, dataset) = reader(FAMILY)?;
    let read_as = questions(dataset)?;
    let mut records = Vec::with_capacity(subset.questions.len());
    for (number, line) in (1..).zip(subset.lines()) {
        let read = dataset.read(read_as, number, &line);
        records.extend(read.map_err(|error| AppError::Invalid(format!("question {number}: {error}")))?);
    }
    Ok(records)
}

/// Models with the texts of their files, and why other files are left out.
fn named(files: Vec<PredictionFile>) -> (Vec<(String, String)>, Vec<String>) {
    let (mut models, mut left_out) = (Vec::new(), Vec::new());
    for file in files {
        match file.name.strip_suffix(".pred.jsonl").map(str::to_owned) {
            Some(model) => models.push((model, file.text)),
            None => left_out.push(format!("{}: is not called <model>.pred.jsonl", file.name)),
        }
    }
    (models, left_out)
}

fn remarks(subset: &JudgeSubset) -> Vec<String> {
    let lines = subset.refused.iter().map(|(model, line)| format!("{model}, line {}: {}", line.line, line.reason));
    let questions = subset.missing.iter().map(|(question, model)| {
        let start: String = question.chars().take(80).collect();
        format!("{model} does not answer: {start}")
    });
    lines.chain(questions).collect()
}

/// The subset that all questions belong to, `llm` or `human`.
fn one_kind(subset: &JudgeSubset) -> Result<String, &'static str> {
    let kinds: BTreeSet<&str> = subset.questions.iter().map(|asked| asked.evaluation.as_str()).collect();
    match kinds.iter().copied().collect::<Vec<_>>().as_slice() {
        [] => Err("the models have no question in common"),
        [kind @ ("llm" | "human")] => Ok((*kind).to_owned()),
        [_] => Err("the questions are not for judges: `evaluation` is neither LLM nor human"),
        _ => Err("the files mix subsets: import files of one `evaluation` at a time"),
    }
}

fn told(reason: &str, left_out: &[String]) -> String {
    let shown: Vec<&str> = left_out.iter().take(SHOWN).map(String::as_str).collect();
    if shown.is_empty() { reason.to_owned() } else { format!("{reason}. {}", shown.join("; ")) }
}

/// The answers of each model, scored against the references.
fn score(
    task: &Task,
    subset: &JudgeSubset,
    records: &[Record],
    now: DateTime<Utc>,
) -> Result<Vec<(String, Vec<Answer>)>, AppError> {
    let invalid = |error: &dyn std::fmt::Display| AppError::Invalid(error.to_string());
    let length = Length::new(WINDOW_TOKENS).map_err(|error| invalid(&error))?;
    let sha256 = task.definition().data.as_deref().unwrap_or_default();
    let order = record_order(sha256, i32::try_from(records.len()).unwrap_or(i32::MAX));
    let mut items = Vec::with_capacity(records.len());
    for (index, place) in (0_u32..).zip(order) {
        let at = |place: usize| Some((subset.questions.get(place)?, records.get(place)?));
        let Some((asked, record)) = usize::try_from(place).ok().and_then(at) else { continue };
        let request = ItemRequest { record: Some(record), ..ItemRequest::new(0, index, length) };
        items.push((index, asked, task.item(&request).map_err(|error| invalid(&error))?));
    }
    let models = subset.questions.first().map(|asked| asked.answers.as_slice()).unwrap_or_default();
    let own = |place: usize| {
        let answered = items.iter().filter_map(move |(index, asked, item)| {
            let (_, text) = asked.answers.get(place)?;
            Some(answer(task, item, (*index, text, &asked.reference), now))
        });
        answered.collect()
    };
    Ok(models.iter().enumerate().map(|(place, (model, _))| (model.clone(), own(place))).collect())
}

fn answer(task: &Task, item: &Item, (index, text, reference): (u32, &str, &str), now: DateTime<Utc>) -> Answer {
    let scored = task.score(item, text);
    let (version, index) = (task.definition().version.cast_signed(), index.cast_signed());
    Answer {
        number: index + 1,
        body: text.to_owned(),
        reference: Some(reference.to_owned()),
        outcome: classify(text, &scored, Evidence::default()).slug().to_owned(),
        score: Some(scored.score),
        strict: scored.strict,
        extracted: scored.extracted,
        ..Answer::blank(task.slug(), version, WINDOW_TOKENS.cast_signed(), index, now)
    }
}
