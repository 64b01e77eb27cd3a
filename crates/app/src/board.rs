//! Computes a board from sufficient statistics. Pure: the time of publication comes in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use longboard_protocol::board::{
    Aggregates, Board, BoardRow, BoardTask, Cell, Columns, EffectiveLength, Interval, NextLength, Whole,
};
use longboard_stats::Estimate;
use longboard_stats::aggregate::aggregates;
use longboard_stats::covariance::{DMatrix, Means};
use longboard_stats::interval::{mean_interval_of_sums, wilson};
use longboard_stats::length::{Threshold, effective_length};
use longboard_stats::normal_quantile;
use longboard_stats::rank::{DRAWS, more_to_separate, simultaneous};
use longboard_store::board::CellSums;
use longboard_suites::length::Length;
use sha2::{Digest, Sha256};

use crate::dial;

/// Seed of the draws behind ranks: the same data give the same board.
const SEED: u64 = 0x10b0_a4d5;

/// Everything a board shows.
#[derive(Debug, Clone)]
pub struct BoardInput {
    /// Slug of the board.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Suite slug.
    pub suite: String,
    /// What the columns are.
    pub columns: Columns,
    /// Length buckets, short to long.
    pub lengths: Vec<Length>,
    /// Tasks in order.
    pub tasks: Vec<BoardTask>,
    /// Entries in any order.
    pub entries: Vec<BoardEntry>,
    /// Correlation of the entries' means per cell, from the items they share, in the order of `entries`; cells without
    /// one are independent.
    pub correlations: BTreeMap<(String, Length), DMatrix<f64>>,
    /// Remarks about the data.
    pub notes: Vec<String>,
    /// When the board is computed.
    pub published_at: DateTime<Utc>,
}

/// One contestant.
#[derive(Debug, Clone, Default)]
pub struct BoardEntry {
    /// Slug of the model.
    pub entry: String,
    /// Display name.
    pub name: String,
    /// `endpoint`, `baseline` or `predictions`.
    pub kind: String,
    /// Team slug.
    pub team: String,
    /// Warnings.
    pub flags: Vec<String>,
    /// Run the numbers come from.
    pub run: Option<String>,
    /// Statistics by task slug and length. Missing cells have no samples.
    pub cells: BTreeMap<(String, Length), CellStatistics>,
}

/// Sufficient statistics of one (task, length) cell; scores are 0..1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellStatistics {
    /// Samples the suite asks for.
    pub expected: u32,
    /// Sum of scores.
    pub sum: f64,
    /// Sum of squared scores.
    pub sum_of_squares: f64,
    /// Whether every score is 0 or 1.
    pub binary: bool,
    /// Samples per outcome slug; their total is the number of samples.
    pub outcomes: BTreeMap<String, u32>,
    /// Samples from whose prompt something was cut, and the sum of their scores.
    pub cut: (u32, f64),
}

impl CellStatistics {
    /// Statistics of single samples: score 0..1 and outcome slug.
    #[must_use]
    pub fn of_samples<'a>(expected: u32, samples: impl IntoIterator<Item = (f64, &'a str)>) -> Self {
        let mut cell = Self { expected, binary: true, ..Self::default() };
        for (score, outcome) in samples {
            cell.sum += score;
            cell.sum_of_squares += score * score;
            cell.binary &= score == 0.0 || score == 1.0;
            *cell.outcomes.entry(outcome.to_owned()).or_default() += 1;
        }
        cell
    }

    /// Statistics of stored sums.
    #[must_use]
    pub fn of_sums(expected: u32, sums: CellSums) -> Self {
        Self {
            expected,
            sum: sums.sum,
            sum_of_squares: sums.sum_of_squares,
            binary: sums.binary,
            outcomes: sums.outcomes,
            cut: (sums.cut, sums.cut_sum),
        }
    }

    /// Samples that ended.
    #[must_use]
    pub fn n(&self) -> u32 {
        self.outcomes.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn complete(&self) -> bool {
        self.n() > 0 && self.n() >= self.expected
    }

    fn score(&self) -> Option<Measured> {
        Measured::of_sums(self.n(), self.sum, self.sum_of_squares, self.binary)
    }

    fn interval(&self) -> Option<[f64; 2]> {
        interval_of_sums(self.n(), self.sum, self.sum_of_squares, self.binary)
    }

    pub(crate) fn cell(&self) -> Cell {
        Cell {
            score: self.score().map(|measured| measured.score),
            n: self.n(),
            expected: self.expected,
            ci95: self.interval(),
            outcomes: self.outcomes.clone(),
            whole: self.whole(),
        }
    }

    fn whole(&self) -> Option<Whole> {
        let (cut, sum) = self.cut;
        let n = self.n().saturating_sub(cut);
        (cut > 0).then(|| Whole { score: (n > 0).then(|| 100.0 * (self.sum - sum) / f64::from(n)), n })
    }
}

/// A score in percent with its variance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub score: f64,
    variance: f64,
}

impl Measured {
    /// Mean of scores in 0..1 with its standard error. Binary ones take the half width of the Wilson interval, which is
    /// not 0 at 0 or 100 %.
    pub(crate) fn of_sums(n: u32, sum: f64, sum_of_squares: f64, binary: bool) -> Option<Self> {
        let [low, high] = interval_of_sums(n, sum, sum_of_squares, binary).unwrap_or([0.0, 100.0]);
        let standard_error = if binary {
            (high - low) / 2.0 / normal_quantile(0.975)
        } else {
            mean_interval_of_sums(n as usize, sum, sum_of_squares)
                .map_or(50.0, |estimate| 100.0 * estimate.standard_error)
        };
        (n > 0).then(|| Self { score: 100.0 * sum / f64::from(n), variance: standard_error.powi(2) })
    }

    pub(crate) fn mean(parts: &[Self]) -> Option<Self> {
        let count = f64::from(u32::try_from(parts.len()).ok().filter(|count| *count > 0)?);
        Some(Self {
            score: parts.iter().map(|part| part.score).sum::<f64>() / count,
            variance: parts.iter().map(|part| part.variance).sum::<f64>() / (count * count),
        })
    }

    pub(crate) fn ci95(self) -> [f64; 2] {
        let half = normal_quantile(0.975) * self.variance.sqrt();
        [(self.score - half).clamp(0.0, 100.0), (self.score + half).clamp(0.0, 100.0)]
    }
}

/// Wilson when all scores are 0 or 1, else t; in percent within 0..100.
pub(crate) fn interval_of_sums(n: u32, sum: f64, sum_of_squares: f64, binary: bool) -> Option<[f64; 2]> {
    let ci = if binary {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of ones, at most n")]
        let successes = sum.round().max(0.0) as u64;
        wilson(successes.min(u64::from(n)), u64::from(n)).ok()?
    } else {
        mean_interval_of_sums(n as usize, sum, sum_of_squares).ok()?.ci95
    };
    Some(ci.map(|bound| (100.0 * bound).clamp(0.0, 100.0)))
}

/// Computes the board. Complete rows come first, best first; incomplete ones follow by name, without score and rank.
#[must_use]
pub fn compute(input: BoardInput) -> Board {
    let mut scored: Vec<(BoardRow, Option<Measured>, usize)> = input
        .entries
        .iter()
        .enumerate()
        .map(|(place, entry)| {
            let (row, measured) = row(entry, &input.tasks, &input.lengths, input.columns);
            (row, measured, place)
        })
        .collect();
    scored.sort_by(|(left, ..), (right, ..)| {
        let score = |row: &BoardRow| row.score.unwrap_or(f64::NEG_INFINITY);
        score(right).total_cmp(&score(left)).then_with(|| left.entry.cmp(&right.entry))
    });
    let complete: Vec<usize> =
        scored.iter().filter(|(_, measured, _)| measured.is_some()).map(|(.., place)| *place).collect();
    let covariance = covariance(&input, &complete);
    let mut rows: Vec<BoardRow> = scored.into_iter().map(|(row, ..)| row).collect();
    let rank_critical = rank(&mut rows, &covariance);
    let mut board = Board {
        slug: input.slug,
        title: input.title,
        snapshot: String::new(),
        published_at: input.published_at,
        suite: input.suite,
        columns: input.columns,
        lengths: input.lengths.iter().map(ToString::to_string).collect(),
        dials: dial::curves(&input.tasks, &input.entries, &rows),
        tasks: input.tasks,
        rows,
        notes: input.notes,
        rank_critical,
    };
    board.snapshot = digest(&board);
    board
}

/// Covariance of the scores of the entries at `places`: `Σ_cells w²·ρ_ab·SE_a·SE_b` with the weight w of a cell in the score.
/// Items are drawn anew for every cell, so cells are independent.
fn covariance(input: &BoardInput, places: &[usize]) -> DMatrix<f64> {
    let mut sum = DMatrix::zeros(places.len(), places.len());
    let cells = u32::try_from(input.tasks.len() * input.lengths.len()).unwrap_or(u32::MAX);
    let weight = 1.0 / f64::from(cells.max(1));
    for task in &input.tasks {
        for &length in &input.lengths {
            let key = (task.slug.clone(), length);
            let correlation = input.correlations.get(&key);
            let errors: Vec<f64> = places
                .iter()
                .map(|place| input.entries.get(*place).and_then(|entry| entry.cells.get(&key)?.score()))
                .map(|measured| measured.map_or(0.0, |measured| measured.variance.sqrt()))
                .collect();
            for (a, (left, place)) in errors.iter().zip(places).enumerate() {
                for (b, (right, other)) in errors.iter().zip(places).enumerate() {
                    let own = if a == b { 1.0 } else { 0.0 };
                    let shared = correlation.and_then(|matrix| matrix.get((*place, *other)).copied()).unwrap_or(own);
                    if let Some(entry) = sum.get_mut((a, b)) {
                        *entry += weight * weight * shared * left * right;
                    }
                }
            }
        }
    }
    sum
}

/// Ranks the leading rows, which have a score; the critical value of their differences.
fn rank(rows: &mut [BoardRow], covariance: &DMatrix<f64>) -> Option<f64> {
    let scores: Vec<f64> = rows.iter().filter_map(|row| row.score).collect();
    let ranks = simultaneous(&scores, covariance, DRAWS, SEED).ok().filter(|ranks| !ranks.sets.is_empty())?;
    let at = |a: usize, b: usize| covariance.get((a, b)).copied().unwrap_or(0.0);
    let lower = scores.iter().skip(1).map(Some).chain(std::iter::once(None));
    for ((place, row), (((set, p_best), score), lower)) in
        rows.iter_mut().enumerate().zip(ranks.sets.iter().zip(&ranks.p_best).zip(&scores).zip(lower))
    {
        row.rank = Some(*set);
        row.p_best = Some(*p_best);
        row.more_to_separate = lower.and_then(|lower| {
            let variance = at(place, place) + at(place + 1, place + 1) - 2.0 * at(place, place + 1);
            let items = row.cells.values().flat_map(BTreeMap::values).map(|cell| cell.n).min().unwrap_or(0);
            more_to_separate(score - lower, variance.max(0.0).sqrt(), ranks.critical, u64::from(items))
        });
    }
    Some(ranks.critical)
}

/// SHA-256 of the content without the time of publication, in hex.
fn digest(board: &Board) -> String {
    let content = serde_json::json!([
        board.slug,
        board.title,
        board.suite,
        board.columns,
        board.lengths,
        board.tasks,
        board.rows,
        board.notes,
        board.dials,
        board.rank_critical
    ]);
    hex::encode(Sha256::digest(content.to_string()))
}

fn row(entry: &BoardEntry, tasks: &[BoardTask], lengths: &[Length], shown: Columns) -> (BoardRow, Option<Measured>) {
    let none = CellStatistics::default();
    let cell = |task: &BoardTask, length: Length| entry.cells.get(&(task.slug.clone(), length)).unwrap_or(&none);
    let column = |length: Length| tasks.iter().map(|task| cell(task, length)).collect::<Vec<_>>();
    let columns: Vec<(Length, Vec<&CellStatistics>)> = lengths.iter().map(|&length| (length, column(length))).collect();
    let complete = !columns.is_empty()
        && columns.iter().all(|(_, cells)| !cells.is_empty() && cells.iter().all(|cell| cell.complete()));
    let measured: Vec<Measured> = columns.iter().filter_map(|(_, cells)| mean_of(cells)).collect();
    let overall = Measured::mean(&measured).filter(|_| complete);
    let by_task = tasks.iter().map(|task| {
        let cells: Vec<&CellStatistics> = lengths.iter().map(|&length| cell(task, length)).collect();
        (task.slug.clone(), merged(&cells))
    });
    let cells = tasks.iter().map(|task| {
        let per_length = lengths.iter().map(|&length| (length.to_string(), cell(task, length).cell()));
        (task.slug.clone(), per_length.collect())
    });
    let row = BoardRow {
        entry: entry.entry.clone(),
        name: entry.name.clone(),
        kind: entry.kind.clone(),
        team: entry.team.clone(),
        score: overall.map(|measured| measured.score),
        ci95: overall.map(Measured::ci95),
        complete,
        rank: None,
        p_best: None,
        more_to_separate: None,
        aggregates: overall.filter(|_| shown == Columns::Lengths).and_then(|_| over_lengths(lengths, &measured)),
        effective_length: reach(&columns),
        by_length: columns.iter().map(|(length, cells)| (length.to_string(), merged(cells))).collect(),
        by_task: by_task.collect(),
        cells: cells.collect(),
        flags: entry.flags.clone(),
        run: entry.run.clone(),
    };
    (row, overall)
}

/// Plain mean of cells; `None` unless every one has samples.
fn mean_of(cells: &[&CellStatistics]) -> Option<Measured> {
    let parts: Option<Vec<Measured>> = cells.iter().map(|cell| cell.score()).collect();
    Measured::mean(&parts?)
}

fn merged(cells: &[&CellStatistics]) -> Cell {
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for (outcome, count) in cells.iter().flat_map(|cell| &cell.outcomes) {
        *outcomes.entry(outcome.clone()).or_default() += count;
    }
    let measured = mean_of(cells);
    Cell {
        score: measured.map(|measured| measured.score),
        n: cells.iter().map(|cell| cell.n()).sum(),
        expected: cells.iter().map(|cell| cell.expected).sum(),
        ci95: measured.map(Measured::ci95),
        outcomes,
        whole: None,
    }
}

/// Means of lengths, each from its own draws of items.
fn means(measured: &[Measured]) -> Option<Means> {
    let scores: Vec<f64> = measured.iter().map(|measured| measured.score).collect();
    let errors: Vec<f64> = measured.iter().map(|measured| measured.variance.sqrt()).collect();
    Means::independent(&scores, &errors).ok()
}

fn over_lengths(lengths: &[Length], measured: &[Measured]) -> Option<Aggregates> {
    let tokens: Vec<u32> = lengths.iter().map(|length| length.tokens()).collect();
    let found = aggregates(&tokens, &means(measured)?).ok()?;
    let interval = |estimate: Estimate| Interval {
        score: estimate.value,
        ci95: estimate.ci95.map(|bound| bound.clamp(0.0, 100.0)),
    };
    Some(Aggregates {
        increasing: interval(found.increasing),
        decreasing: interval(found.decreasing),
        area: interval(found.area),
    })
}

/// Effective length over the leading lengths whose cells are complete.
fn reach(columns: &[(Length, Vec<&CellStatistics>)]) -> EffectiveLength {
    let leading: Vec<_> = columns.iter().take_while(|(_, cells)| cells.iter().all(|cell| cell.complete())).collect();
    let (lengths, measured): (Vec<u32>, Vec<Measured>) =
        leading.iter().filter_map(|(length, cells)| Some((length.tokens(), mean_of(cells)?))).unzip();
    let found = means(&measured)
        .and_then(|means| effective_length(&lengths, &means, Threshold::NOLIMA).ok())
        .unwrap_or_default();
    let items = leading.iter().flat_map(|(_, cells)| cells).map(|cell| cell.n()).min().unwrap_or(0);
    let name =
        |tokens: Option<u32>| tokens.and_then(|tokens| Length::new(tokens).ok()).map(|length| length.to_string());
    EffectiveLength {
        point: name(found.point),
        certified: name(found.certified),
        largest: name(found.largest),
        next: found.next.and_then(|next| {
            Some(NextLength { length: name(Some(next.length))?, more_items: next.more(u64::from(items)) })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(kilo: u32) -> Length {
        Length::new(kilo * 1024).unwrap()
    }

    fn task(slug: &str) -> BoardTask {
        BoardTask {
            slug: slug.to_owned(),
            title: slug.to_owned(),
            family: "ruler_niah".to_owned(),
            languages: vec!["en".to_owned()],
            metric: "ruler.string_match_all".to_owned(),
            dial: None,
        }
    }

    fn statistics(correct: u32, wrong: u32, expected: u32) -> CellStatistics {
        let samples = std::iter::repeat_n((1.0, "correct"), correct as usize);
        CellStatistics::of_samples(expected, samples.chain(std::iter::repeat_n((0.0, "wrong"), wrong as usize)))
    }

    fn entry(slug: &str, short: CellStatistics, long: CellStatistics) -> BoardEntry {
        let cells = [(("vt".to_owned(), length(4)), short), (("vt".to_owned(), length(8)), long)].into();
        BoardEntry { entry: slug.to_owned(), cells, ..BoardEntry::default() }
    }

    fn input(entries: Vec<BoardEntry>, seconds: i64) -> BoardInput {
        BoardInput {
            slug: "ruler".to_owned(),
            title: "RULER".to_owned(),
            suite: "ruler".to_owned(),
            columns: Columns::Lengths,
            lengths: vec![length(4), length(8)],
            tasks: vec![task("vt")],
            entries,
            correlations: BTreeMap::new(),
            notes: Vec::new(),
            published_at: DateTime::from_timestamp(seconds, 0).unwrap(),
        }
    }

    fn board(entries: Vec<BoardEntry>, seconds: i64) -> Board {
        compute(input(entries, seconds))
    }

    #[test]
    fn shared_items_separate_what_separate_items_cannot() {
        let entries = vec![
            entry("low", statistics(60, 40, 100), statistics(60, 40, 100)),
            entry("high", statistics(66, 34, 100), statistics(66, 34, 100)),
        ];
        let apart = board(entries.clone(), 0);
        assert_eq!((apart.rows[0].rank, apart.rows[1].rank), (Some([1, 2]), Some([1, 2])));
        assert!(apart.rows[0].more_to_separate > Some(0) && apart.rows[1].more_to_separate.is_none());
        assert!((apart.rows.iter().filter_map(|row| row.p_best).sum::<f64>() - 1.0).abs() < 1e-9);
        let shared = DMatrix::from_row_slice(2, 2, &[1.0, 0.9, 0.9, 1.0]);
        let correlations = [4, 8].map(|kilo| (("vt".to_owned(), length(kilo)), shared.clone())).into();
        let together = compute(BoardInput { correlations, ..input(entries, 0) });
        assert_eq!(together.rows[0].entry, "high");
        assert_eq!((together.rows[0].rank, together.rows[1].rank), (Some([1, 1]), Some([2, 2])));
        assert_eq!(together.rows[0].more_to_separate, Some(0));
        assert!(together.rank_critical > Some(1.9));
    }

    #[test]
    fn the_next_length_and_the_aggregates_are_said() {
        let row = board(vec![entry("a", statistics(20, 0, 20), statistics(18, 2, 20))], 0).rows.remove(0);
        assert_eq!(
            (row.effective_length.point.as_deref(), row.effective_length.certified.as_deref()),
            (Some("8k"), Some("4k"))
        );
        let next = row.effective_length.next.unwrap();
        assert!(next.length == "8k" && next.more_items > Some(20), "{next:?}");
        let aggregates = row.aggregates.unwrap();
        assert!((aggregates.increasing.score - (100.0 + 2.0 * 90.0) / 3.0).abs() < 1e-9);
        assert!((aggregates.decreasing.score - (2.0 * 100.0 + 90.0) / 3.0).abs() < 1e-9);
        assert!((aggregates.area.score - 95.0).abs() < 1e-9);
    }

    #[test]
    fn incomplete_rows_are_last_and_unranked() {
        let partial = entry("a", statistics(5, 0, 5), statistics(4, 0, 5));
        let done = entry("b", statistics(90, 10, 100), statistics(10, 90, 100));
        let board = board(vec![partial, done], 0);
        assert_eq!(board.rows.iter().map(|row| row.entry.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!((board.rows[0].score, board.rows[0].rank), (Some(50.0), Some([1, 1])));
        assert_eq!((board.rows[1].score, board.rows[1].rank, board.rows[1].complete), (None, None, false));
        assert_eq!(board.rows[0].effective_length.point.as_deref(), Some("4k"));
    }

    #[test]
    fn a_missing_cell_is_null_and_not_zero() {
        let mut one = entry("a", statistics(5, 0, 5), statistics(5, 0, 5));
        one.cells.remove(&("vt".to_owned(), length(8)));
        let board = board(vec![one], 0);
        assert_eq!(board.rows[0].by_length["8k"].score, None);
        assert_eq!(board.rows[0].by_length["4k"].score, Some(100.0));
        assert_eq!(board.rows[0].score, None);
    }

    #[test]
    fn outcomes_add_up_in_every_cell() {
        let board = board(vec![entry("a", statistics(3, 2, 5), statistics(1, 3, 5))], 0);
        for row in &board.rows {
            let cells =
                row.by_length.values().chain(row.by_task.values()).chain(row.cells.values().flat_map(|c| c.values()));
            for cell in cells {
                assert_eq!(cell.outcomes.values().sum::<u32>(), cell.n);
            }
        }
    }

    #[test]
    fn the_snapshot_names_the_content_and_not_the_time_or_order() {
        let (a, b) = (
            entry("a", statistics(3, 2, 5), statistics(1, 4, 5)),
            entry("b", statistics(3, 2, 5), statistics(1, 4, 5)),
        );
        let first = board(vec![a.clone(), b.clone()], 0);
        assert_eq!(first.snapshot, board(vec![b, a.clone()], 99).snapshot);
        assert_ne!(first.snapshot, board(vec![a], 0).snapshot);
        assert_eq!(first.rows[0].rank, Some([1, 2]));
    }
}
