//! Scores from 1 to 5 by a panel of judges: over an entry's answers, and of one answer.

use std::collections::BTreeMap;

use longboard_stats::panel::{Panel, PanelScore, panel};
use longboard_store::judging::Verdict;
use serde::Serialize;
use uuid::Uuid;

use crate::{AppError, Longboard};

/// The scores of a suite's entries.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreReport {
    /// Suite slug.
    pub suite: String,
    /// Its title.
    pub title: String,
    /// Entries, the highest mean first.
    pub rows: Vec<ScoreRow>,
}

/// The scores of an entry's answers, 1 to 5.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreRow {
    /// Entry.
    pub entry: String,
    /// Questions to judges so far without an answer.
    pub pending: usize,
    /// Replies of judges in which no score could be read.
    pub unread: usize,
    /// What the panel says; `None` before the first score.
    pub panel: Option<Panel>,
}

/// The scores of one answer by one judge, sample by sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgeScores {
    /// Judge.
    pub judge: String,
    /// 1 to 5 in the order of samples; `None` where none is known.
    pub scores: Vec<Option<u8>>,
}

/// The scores of one answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerScores {
    /// By judge.
    pub judges: Vec<JudgeScores>,
    /// What the panel says; `None` before the first score.
    pub panel: Option<Panel>,
}

/// A share as a score from 1 to 5.
fn value(verdict: &Verdict) -> Option<f64> {
    verdict.rating.map(|share| 1.0 + 4.0 * share)
}

fn pooled(verdicts: &[&Verdict]) -> Option<Panel> {
    let scores: Vec<PanelScore<'_>> = verdicts
        .iter()
        .filter_map(|verdict| {
            let value = value(verdict)?;
            Some(PanelScore { answer: verdict.first_answer, judge: &verdict.judge_slug, value })
        })
        .collect();
    panel(&scores)
}

/// Rows of entries. Of an entry that several judgings scored the newest counts.
fn rows(verdicts: &[Verdict]) -> Vec<ScoreRow> {
    let mut by_entry: BTreeMap<&str, BTreeMap<Uuid, Vec<&Verdict>>> = BTreeMap::new();
    for verdict in verdicts {
        let judgings = by_entry.entry(&verdict.first_entry).or_default();
        judgings.entry(verdict.judging_id).or_default().push(verdict);
    }
    let newest =
        by_entry.into_iter().filter_map(|(entry, judgings)| Some((entry, judgings.into_values().next_back()?)));
    let mut rows: Vec<ScoreRow> = newest
        .map(|(entry, scored)| ScoreRow {
            entry: entry.to_owned(),
            pending: scored.iter().filter(|verdict| verdict.decided_at.is_none()).count(),
            unread: scored.iter().filter(|verdict| verdict.decided_at.is_some() && verdict.rating.is_none()).count(),
            panel: pooled(&scored),
        })
        .collect();
    let mean = |row: &ScoreRow| row.panel.as_ref().map_or(f64::NEG_INFINITY, |panel| panel.mean);
    rows.sort_by(|one, other| mean(other).total_cmp(&mean(one)));
    rows
}

impl Longboard {
    /// What judges scored in a suite.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a suite.
    pub async fn score_report(&self, suite: &str) -> Result<ScoreReport, AppError> {
        let found = self.store.suite(suite).await?.ok_or_else(|| AppError::no("suite", suite))?;
        let verdicts = self.store.scores_of_suite(suite).await?;
        Ok(ScoreReport { suite: found.slug, title: found.title, rows: rows(&verdicts) })
    }

    /// What judges scored of one sample's answer in the newest judging; `None` where none did.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a sample.
    pub async fn answer_scores(&self, run: Uuid, number: u32) -> Result<Option<AnswerScores>, AppError> {
        let run = self.run(run).await?;
        let answer = self.answer(&run, number).await?;
        let verdicts = self.store.scores_of_answer(answer.id).await?;
        let Some(newest) = verdicts.iter().map(|verdict| verdict.judging_id).max() else { return Ok(None) };
        let scored: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.judging_id == newest).collect();
        Ok(Some(AnswerScores { judges: by_judge(&scored), panel: pooled(&scored) }))
    }
}

fn by_judge(scored: &[&Verdict]) -> Vec<JudgeScores> {
    let mut by_judge: BTreeMap<&str, BTreeMap<i32, Option<u8>>> = BTreeMap::new();
    for verdict in scored {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 5")]
        let score = value(verdict).map(|value| value.round().clamp(1.0, 5.0) as u8);
        by_judge.entry(&verdict.judge_slug).or_default().insert(verdict.turn, score);
    }
    let judges = by_judge.into_iter();
    judges
        .map(|(judge, scores)| JudgeScores { judge: judge.to_owned(), scores: scores.into_values().collect() })
        .collect()
}
