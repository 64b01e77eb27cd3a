//! Publishing: from stored answers to an immutable snapshot.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_protocol::board::{Board, BoardTask, Columns, DialPoint};
use longboard_stats::covariance::{DMatrix, item_correlation};
use longboard_store::board::{CellKey, CellSums};
use longboard_store::endpoint::Endpoint;
use longboard_store::run::{Run, one_per_endpoint};
use longboard_store::task::{Suite, Task as TaskRow};
use longboard_store::{RunState, Store};
use longboard_suites::length::Length;
use longboard_suites::predictions::{imported_task, notes};
use longboard_suites::task::Task;
use uuid::Uuid;

use crate::AppError;
use crate::board::{BoardEntry, BoardInput, CellStatistics, compute};
use crate::compare::same_items;
use crate::dataset::expected_samples;

/// Computes a suite's board from what is stored now, and stores it as a snapshot.
///
/// # Errors
/// [`AppError::NotFound`] without the suite.
pub async fn publish_board(store: &Store, slug: &str, now: DateTime<Utc>) -> Result<Board, AppError> {
    let suite = store.suite(slug).await?.ok_or_else(|| AppError::NotFound(format!("board `{slug}`")))?;
    let mut tasks = Vec::with_capacity(suite.tasks.0.len());
    for task in &suite.tasks.0 {
        let row = store.task(task, None).await?.ok_or_else(|| AppError::NotFound(format!("task `{task}`")))?;
        tasks.push(board_task(&row)?);
    }
    let runs = one_per_endpoint(store.runs_of_suite(slug).await?);
    let cells = store.cells(&runs.iter().map(|run| run.id).collect::<Vec<_>>()).await?;
    let mut entries = Vec::with_capacity(runs.len());
    let mut shown = Vec::with_capacity(runs.len());
    for run in &runs {
        let Some(endpoint) = store.endpoint(run.endpoint_id).await? else { continue };
        let team = store.team(run.team_id).await?.map(|team| team.slug).unwrap_or_default();
        entries.push(entry(run, &endpoint, team, &expected_samples(store, run).await?, &cells));
        shown.push(run);
    }
    let correlations = correlations(store, &shown, &suite).await?;
    let data_version = suite.data_version;
    let input = BoardInput {
        slug: suite.slug,
        title: suite.title,
        suite: slug.to_owned(),
        columns: if suite.imported { Columns::Tasks } else { Columns::Lengths },
        lengths: suite.lengths.0,
        tasks,
        entries,
        correlations,
        notes: notes(slug).iter().map(ToString::to_string).collect(),
        published_at: now,
    };
    let board = compute(input);
    if !runs.iter().any(|run| run.state == RunState::Open) {
        store.add_snapshot(&board, data_version).await?;
    }
    Ok(board)
}

/// The newest snapshot of a board; a fresh one when the data has changed since.
///
/// # Errors
/// [`AppError::NotFound`] without the board.
pub async fn current_board(store: &Store, slug: &str, now: DateTime<Utc>) -> Result<(Board, i64), AppError> {
    let suite = store.suite(slug).await?.ok_or_else(|| AppError::NotFound(format!("board `{slug}`")))?;
    match store.latest_snapshot(slug).await? {
        Some((board, version)) if version == suite.data_version => Ok((board, version)),
        _ => Ok((publish_board(store, slug, now).await?, suite.data_version)),
    }
}

/// Correlation of the means of finished runs in each cell, over the items they share; a repeated item counts with its
/// mean. One length is in memory at a time.
async fn correlations(
    store: &Store,
    runs: &[&Run],
    suite: &Suite,
) -> Result<BTreeMap<(String, Length), DMatrix<f64>>, AppError> {
    let places: BTreeMap<Uuid, usize> =
        (0..).zip(runs).filter(|(_, run)| run.state == RunState::Done).map(|(place, run)| (run.id, place)).collect();
    let ids: Vec<Uuid> = places.keys().copied().collect();
    // Runs of one number saw the same prompts.
    let drawn: Vec<usize> =
        runs.iter().map(|run| runs.iter().position(|other| same_items(run, other)).unwrap_or_default()).collect();
    let mut found = BTreeMap::new();
    if ids.len() < 2 {
        return Ok(found);
    }
    for &length in &suite.lengths.0 {
        let mut tasks: BTreeMap<String, Vec<ItemScores>> = BTreeMap::new();
        for (run, ((task, _, index), _, score)) in store.scores_at(&ids, length.tokens().cast_signed()).await? {
            let Some((place, draw)) = places.get(&run).and_then(|place| Some((*place, *drawn.get(*place)?))) else {
                continue;
            };
            let columns = tasks.entry(task).or_insert_with(|| vec![BTreeMap::new(); runs.len()]);
            if let Some(column) = columns.get_mut(place) {
                column.entry((draw, index)).or_default().add(score);
            }
        }
        for (task, columns) in tasks {
            let means: Vec<BTreeMap<(usize, i32), f64>> = columns
                .into_iter()
                .map(|column| column.into_iter().map(|(item, repeats)| (item, repeats.mean())).collect())
                .collect();
            found.insert((task, length), item_correlation(&means));
        }
    }
    Ok(found)
}

/// Scores of one run in a cell by draw (runs of one draw saw the same prompts) and item.
type ItemScores = BTreeMap<(usize, i32), Repeats>;

/// Scores of one item in one run.
#[derive(Clone, Copy, Default)]
struct Repeats {
    sum: f64,
    count: u32,
}

impl Repeats {
    fn add(&mut self, score: f64) {
        self.sum += score;
        self.count += 1;
    }

    fn mean(self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

fn board_task(row: &TaskRow) -> Result<BoardTask, AppError> {
    if let Some(task) = imported_task(&row.slug).filter(|_| row.imported()) {
        return Ok(BoardTask {
            slug: row.slug.clone(),
            title: row.title.clone(),
            family: row.family.clone(),
            languages: vec![task.language.code().to_owned()],
            metric: task.metric.to_owned(),
            dial: None,
        });
    }
    let task = Task::new(row.definition()).map_err(|error| AppError::Invalid(error.to_string()))?;
    Ok(BoardTask {
        slug: row.slug.clone(),
        title: row.title.clone(),
        family: row.family.clone(),
        languages: vec![task.card().language.code().to_owned()],
        metric: task.card().metric.to_owned(),
        dial: task.dial().map(|(title, value)| DialPoint { title: title.to_owned(), value }),
    })
}

fn entry(
    run: &Run,
    endpoint: &Endpoint,
    team: String,
    expected: &BTreeMap<String, u32>,
    cells: &BTreeMap<CellKey, CellSums>,
) -> BoardEntry {
    let expected = |task: &str| expected.get(task).copied().unwrap_or(run.samples.cast_unsigned());
    let own = cells.iter().filter(|((id, _, _), _)| *id == run.id).filter_map(|((_, task, tokens), sums)| {
        let statistics = CellStatistics::of_sums(expected(task), sums.clone());
        Some(((task.clone(), Length::new(tokens.cast_unsigned()).ok()?), statistics))
    });
    let mut flags = Vec::new();
    if endpoint.truncates {
        flags.push("truncates".to_owned());
    }
    if run.state != RunState::Done {
        flags.push(run.state.slug().to_owned());
    }
    BoardEntry {
        entry: endpoint.slug.clone(),
        name: endpoint.name.clone(),
        kind: endpoint.kind.slug().to_owned(),
        team,
        flags,
        run: Some(run.id.to_string()),
        cells: own.collect(),
    }
}
