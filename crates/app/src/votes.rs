//! Votes from elsewhere: a file becomes a board of ratings.

use std::io::Read;

use chrono::{DateTime, Utc};
use longboard_stats::vote::{VoteLog, Winner};
use longboard_stats::vote_file;
use longboard_store::rating_board::{Ballot, RatingBoard as BoardRow};
use longboard_store::{Names, RatingSource, Store};

use crate::slug::{line, slug};
use crate::{AppError, Longboard};

/// Votes of one file.
const VOTES: usize = 20_000_000;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoteReport {
    /// Slug of the board.
    pub board: String,
    /// Votes stored.
    pub votes: usize,
    /// Models named.
    pub models: usize,
    /// What the reader noticed.
    pub remarks: Vec<String>,
}

/// Reads a file of votes and stores it as a board called `title`. A file with a line that is no vote stores nothing.
///
/// # Errors
/// [`AppError::Invalid`] names line and column, or what is missing; [`AppError::Store`] when the name is taken.
pub async fn import_votes(
    store: &Store,
    title: &str,
    file: impl Read + Send + 'static,
    by: &str,
    now: DateTime<Utc>,
) -> Result<VoteReport, AppError> {
    let title = line("the board's title", title, 80)?;
    let board = slug(&title)?;
    if store.suite(&board).await?.is_some() {
        return Err(AppError::Invalid(format!("`{board}` is the board of a suite; choose another title")));
    }
    let read = tokio::task::spawn_blocking(move || vote_file::read(file)).await.map_err(AppError::stopped)?;
    let log = read.map_err(|error| AppError::Invalid(error.to_string()))?;
    if log.votes().len() > VOTES {
        return Err(AppError::Invalid(format!("a file holds at most {VOTES} votes; split it")));
    }
    let remarks = remarks(&log);
    let row = BoardRow {
        slug: board.clone(),
        title,
        suite_slug: None,
        source: RatingSource::Votes,
        remarks: Names(remarks.clone()),
        data_version: 1,
        created_by: by.to_owned(),
        created_at: now,
    };
    store.add_vote_board(row, ballots(&board, &log)).await?;
    Ok(VoteReport { board, votes: log.votes().len(), models: log.models().len(), remarks })
}

impl Longboard {
    /// [`import_votes`] with an entry in the audit chain.
    ///
    /// # Errors
    /// As [`import_votes`].
    pub async fn import_votes(
        &self,
        by: &str,
        title: &str,
        file: impl Read + Send + 'static,
        now: DateTime<Utc>,
    ) -> Result<VoteReport, AppError> {
        let report = import_votes(&self.store, title, file, by, now).await?;
        let detail = serde_json::json!({"votes": report.votes, "models": report.models});
        self.note(by, "import_votes", &report.board, detail, now).await?;
        Ok(report)
    }
}

fn ballots(board: &str, log: &VoteLog) -> Vec<Ballot> {
    let name = |list: &[String], place: u32| list.get(place as usize).cloned().unwrap_or_default();
    log.votes()
        .iter()
        .enumerate()
        .map(|(place, vote)| {
            let lengths = log.lengths(place);
            Ballot {
                id: 0,
                board_slug: board.to_owned(),
                first_entry: name(log.models(), vote.first),
                second_entry: name(log.models(), vote.second),
                winner: match vote.winner {
                    Winner::First => "first",
                    Winner::Second => "second",
                    Winner::Tie => "tie",
                }
                .to_owned(),
                question: name(log.questions(), vote.question),
                judge: name(log.judges(), vote.judge),
                weight: vote.weight,
                first_length: lengths.map(|[first, _]| first),
                second_length: lengths.map(|[_, second]| second),
            }
        })
        .collect()
}

/// What the reader noticed, in words.
fn remarks(log: &VoteLog) -> Vec<String> {
    let noticed = log.remarks();
    [
        (noticed.self_votes, "votes of a model against itself were left out"),
        (noticed.weightless, "votes of weight 0 were left out"),
        (noticed.duplicates, "votes repeat the question, judge and order of an earlier one; both count"),
        (noticed.without_question, "votes name no question and stand each for itself"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{count} {words}"))
    .collect()
}
