//! Comparing two models on the items that both answered.

use std::collections::{BTreeMap, BTreeSet};

use longboard_stats::equivalence::{MARGIN, Verdict, equivalence, verdict};
use longboard_stats::multiplicity::holm;
use longboard_stats::paired::{Difference, Table, mcnemar, mcnemar_mid_p, paired_difference_clustered};
use longboard_stats::power::minimum_detectable;
use longboard_store::RunState;
use longboard_store::answer::ItemKey;
use longboard_store::run::Run;
use longboard_suites::length::Length;
use serde::Serialize;
use uuid::Uuid;

use crate::{AppError, Longboard};

/// Two models on one suite.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Suite slug.
    pub suite: String,
    /// First model.
    pub a: String,
    /// Second model.
    pub b: String,
    /// Runs the answers come from.
    pub runs: [Uuid; 2],
    /// What all common items say at 5 %; `first_better` is `a`.
    pub verdict: Verdict,
    /// Points within which two models count as equivalent.
    pub margin: f64,
    /// p of "the difference is at least the margin" (two one-sided tests); absent below two items.
    pub equivalence_p: Option<f64>,
    /// On all common items.
    pub overall: Paired,
    /// Per length, short to long; Holm over the lengths.
    pub by_length: Vec<Paired>,
    /// Per task, in the suite's order; Holm over the tasks.
    pub by_task: Vec<Paired>,
    /// Per task and length; Holm over all of them.
    pub by_cell: Vec<Paired>,
    /// Answers with different scores, the largest difference first.
    pub differing: Vec<Differing>,
}

/// Means on common items, 0..100, with the paired interval of their difference.
#[derive(Debug, Clone, Serialize)]
pub struct Paired {
    /// Length, task slug, both or `all`.
    pub name: String,
    /// Set for lengths and cells.
    pub length_tokens: Option<u32>,
    /// Set for tasks and cells.
    pub task: Option<String>,
    /// Common answers.
    pub n: usize,
    /// Mean of the first.
    pub a: f64,
    /// Mean of the second.
    pub b: f64,
    /// 95 % interval of first minus second; absent below two items, and where partial scores differ by the same amount
    /// everywhere, which says nothing about their error.
    pub ci95: Option<[f64; 2]>,
    /// Whether every score is 0 or 1 and no item is repeated.
    pub binary: bool,
    /// Two-sided p of "no difference": McNemar's exact p of binary scores, else a paired t clustered by item.
    pub p: Option<f64>,
    /// `p` adjusted by Holm over the family this line belongs to.
    pub p_holm: Option<f64>,
    /// Smallest difference in points that this many items show with a chance of 80 % at 5 %.
    pub detectable: Option<f64>,
    /// Full score or less, of both; absent where items are repeated.
    pub table: Option<Table>,
    /// McNemar's exact p of the table.
    pub mcnemar_p: Option<f64>,
    /// McNemar's mid-p of the table.
    pub mid_p: Option<f64>,
}

/// An answer that the two models scored differently on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differing {
    /// Task slug.
    pub task: String,
    /// Bucket, e.g. `4k`.
    pub length: String,
    /// Item.
    pub index: i32,
    /// Repetition, from 0.
    pub repetition: i32,
    /// Score of the first, 0..100.
    pub a: f64,
    /// Score of the second, 0..100.
    pub b: f64,
    /// Sample number in the first's run.
    pub a_sample: Option<i32>,
    /// Sample number in the second's run.
    pub b_sample: Option<i32>,
}

/// An answer's item, repetition and score, 0..1.
pub(crate) type Scored = (ItemKey, i32, f64);

/// A common answer: its item and repetition, and both scores, 0..1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Common {
    item: ItemKey,
    repetition: i32,
    a: f64,
    b: f64,
}

impl Common {
    /// Task of the item.
    pub(crate) fn task(&self) -> &str {
        &self.item.0
    }

    /// Bucket of the item.
    pub(crate) fn length_tokens(&self) -> i32 {
        self.item.1
    }
}

impl Longboard {
    /// Compares the newest complete runs of two models on a suite.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when there is nothing to compare.
    pub async fn compare(&self, suite: &str, a: &str, b: &str) -> Result<Comparison, AppError> {
        if a == b {
            return Err(AppError::Invalid("choose two different models".to_owned()));
        }
        let (first, second) = (self.complete_run(suite, a).await?, self.complete_run(suite, b).await?);
        if !same_items(&first, &second) {
            return Err(AppError::Invalid("the two runs are of different seasons or task versions".to_owned()));
        }
        let common = common(self.store.scores(first.id).await?, self.store.scores(second.id).await?);
        if common.is_empty() {
            return Err(AppError::Invalid("the two models have no common items".to_owned()));
        }
        let numbers = [self.store.answer_numbers(first.id).await?, self.store.answer_numbers(second.id).await?];
        let overall = difference(&common.iter().collect::<Vec<_>>());
        let lines = Lines { common: &common };
        let tasks: Vec<&str> = first.tasks.0.iter().map(|task| task.slug.as_str()).collect();
        Ok(Comparison {
            suite: suite.to_owned(),
            a: a.to_owned(),
            b: b.to_owned(),
            runs: [first.id, second.id],
            verdict: overall.as_ref().map_or(Verdict::NotEnoughData, judged),
            margin: MARGIN,
            equivalence_p: overall
                .filter(|difference| difference.estimate.standard_error > 0.0)
                .and_then(|difference| equivalence(&difference, MARGIN).ok()),
            overall: paired("all".to_owned(), None, &common.iter().collect::<Vec<_>>()),
            by_length: family(first.lengths.0.iter().filter_map(|&length| lines.of(None, Some(length))).collect()),
            by_task: family(tasks.iter().filter_map(|task| lines.of(Some(task), None)).collect()),
            by_cell: family(
                tasks
                    .iter()
                    .flat_map(|task| first.lengths.0.iter().map(move |&length| (*task, length)))
                    .filter_map(|(task, length)| lines.of(Some(task), Some(length)))
                    .collect(),
            ),
            differing: differing(&common, &numbers),
        })
    }

    async fn complete_run(&self, suite: &str, model: &str) -> Result<Run, AppError> {
        let endpoint = self.model(model).await?;
        let runs = self.store.runs_of_endpoint(endpoint.id, 200).await?;
        let found = runs.into_iter().find(|run| run.suite_slug == suite && run.state == RunState::Done);
        found.ok_or_else(|| AppError::Invalid(format!("`{model}` has no finished run of `{suite}`")))
    }
}

/// The parts of a comparison.
struct Lines<'a> {
    common: &'a [Common],
}

impl Lines<'_> {
    /// The line of a task, a length or both; none without common items.
    fn of(&self, task: Option<&str>, length: Option<Length>) -> Option<Paired> {
        let tokens = length.map(|length| length.tokens());
        let wanted = |common: &&Common| {
            task.is_none_or(|task| common.item.0 == task)
                && tokens.is_none_or(|tokens| common.item.1 == tokens.cast_signed())
        };
        let part: Vec<&Common> = self.common.iter().filter(wanted).collect();
        let name = [task.map(str::to_owned), length.map(|length| length.to_string())];
        let line = paired(name.into_iter().flatten().collect::<Vec<_>>().join(" "), tokens, &part);
        (!part.is_empty()).then(|| Paired { task: task.map(str::to_owned), ..line })
    }
}

/// Adjusts the p values of lines that are looked at together.
fn family(mut lines: Vec<Paired>) -> Vec<Paired> {
    let tested: Vec<f64> = lines.iter().filter_map(|line| line.p).collect();
    let adjusted = holm(&tested).unwrap_or_default();
    for (line, p) in lines.iter_mut().filter(|line| line.p.is_some()).zip(adjusted) {
        line.p_holm = Some(p);
    }
    lines
}

/// Whether an item's key means the same prompt in both runs.
pub(crate) fn same_items(first: &Run, second: &Run) -> bool {
    first.seed == second.seed && first.tasks == second.tasks
}

/// Answers to the same item and repetition.
pub(crate) fn common(left: Vec<Scored>, right: Vec<Scored>) -> Vec<Common> {
    let mut right: BTreeMap<(ItemKey, i32), f64> =
        right.into_iter().map(|(key, repetition, score)| ((key, repetition), score)).collect();
    left.into_iter()
        .filter_map(|(item, repetition, a)| {
            let b = right.remove(&(item.clone(), repetition))?;
            Some(Common { item, repetition, a, b })
        })
        .collect()
}

/// Full score or less, where no item is repeated.
fn table(part: &[&Common]) -> Option<Table> {
    let items: BTreeSet<&ItemKey> = part.iter().map(|common| &common.item).collect();
    (items.len() == part.len()).then(|| Table::of(part.iter().map(|common| (common.a == 1.0, common.b == 1.0))))
}

/// The table, where scores say no more than it does.
fn binary(part: &[&Common]) -> Option<Table> {
    let whole = |score: f64| score == 0.0 || score == 1.0;
    table(part).filter(|_| part.iter().all(|common| whole(common.a) && whole(common.b)))
}

/// The difference in points, from the table of binary scores, else by t over items.
fn difference(part: &[&Common]) -> Option<Difference> {
    if let Some(table) = binary(part) {
        return table.difference().ok().map(|difference| difference.scaled(100.0));
    }
    let (first, second): (Vec<f64>, Vec<f64>) = part.iter().map(|common| (100.0 * common.a, 100.0 * common.b)).unzip();
    let clusters: Vec<&ItemKey> = part.iter().map(|common| &common.item).collect();
    paired_difference_clustered(&first, &second, &clusters).ok()
}

/// The verdict; differences without any spread support none.
fn judged(difference: &Difference) -> Verdict {
    if difference.estimate.standard_error == 0.0 {
        return Verdict::NotEnoughData;
    }
    verdict(difference, MARGIN).unwrap_or(Verdict::NotEnoughData)
}

pub(crate) fn paired(name: String, length_tokens: Option<u32>, part: &[&Common]) -> Paired {
    #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
    let mean = |score: fn(&Common) -> f64| {
        100.0 * part.iter().map(|common| score(common)).sum::<f64>() / part.len().max(1) as f64
    };
    let (difference, table) = (difference(part), table(part));
    let certain = difference.as_ref().filter(|difference| difference.estimate.standard_error > 0.0);
    let counts = table.map(|table| (table.only_first, table.only_second));
    Paired {
        name,
        length_tokens,
        task: None,
        n: part.len(),
        a: mean(|common| common.a),
        b: mean(|common| common.b),
        ci95: certain.map(|difference| difference.estimate.ci95),
        binary: binary(part).is_some(),
        p: difference.as_ref().filter(|one| certain.is_some() || one.estimate.value == 0.0).map(|one| one.p.min(1.0)),
        p_holm: None,
        detectable: certain.map(|difference| minimum_detectable(difference.estimate.standard_error)),
        mcnemar_p: counts.and_then(|(a, b)| mcnemar(a, b).ok()),
        mid_p: counts.and_then(|(a, b)| mcnemar_mid_p(a, b).ok()),
        table,
    }
}

fn differing(common: &[Common], numbers: &[BTreeMap<(ItemKey, i32), i32>; 2]) -> Vec<Differing> {
    let [first, second] = numbers;
    let mut found: Vec<&Common> = common.iter().filter(|common| common.a != common.b).collect();
    found.sort_by(|left, right| {
        let size = |common: &Common| (common.a - common.b).abs();
        size(right).total_cmp(&size(left)).then_with(|| {
            (left.item.1, &left.item, left.repetition).cmp(&(right.item.1, &right.item, right.repetition))
        })
    });
    let shown = |common: &Common| {
        let key = (common.item.clone(), common.repetition);
        let (task, tokens, index) = common.item.clone();
        Differing {
            task,
            length: Length::new(tokens.cast_unsigned()).map(|length| length.to_string()).unwrap_or_default(),
            index,
            repetition: common.repetition,
            a: 100.0 * common.a,
            b: 100.0 * common.b,
            a_sample: first.get(&key).copied(),
            b_sample: second.get(&key).copied(),
        }
    };
    found.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(task: &str, index: i32, a: f64, b: f64) -> Common {
        Common { item: (task.to_owned(), 4096, index), repetition: 0, a, b }
    }

    #[test]
    fn right_and_wrong_take_the_exact_test() {
        let list: Vec<Common> = (0..5).map(|index| answer("vt", index, 1.0, 0.0)).collect();
        let line = paired("all".to_owned(), None, &list.iter().collect::<Vec<_>>());
        assert_eq!(line.table, Some(Table { only_first: 5, ..Table::default() }));
        assert!((line.p.unwrap() - 0.0625).abs() < 1e-9 && (line.mid_p.unwrap() - 0.031_25).abs() < 1e-9);
        assert!(line.ci95.unwrap()[0] < 100.0);
    }

    #[test]
    fn partial_scores_and_repeats_take_the_t_test() {
        let partial = [answer("vt", 0, 0.5, 0.25), answer("vt", 1, 1.0, 0.5), answer("vt", 2, 1.0, 0.75)];
        let line = paired("all".to_owned(), None, &partial.iter().collect::<Vec<_>>());
        assert_eq!((line.binary, line.n), (false, 3));
        assert_eq!(line.table, Some(Table { only_first: 2, neither: 1, ..Table::default() }));
        assert!((line.mcnemar_p.unwrap() - 0.5).abs() < 1e-9);
        assert!((line.a - 250.0 / 3.0).abs() < 1e-9 && line.p.unwrap() < 0.1);
        let repeated = [answer("vt", 0, 1.0, 0.0), answer("vt", 0, 1.0, 0.0)];
        let line = paired("all".to_owned(), None, &repeated.iter().collect::<Vec<_>>());
        assert_eq!((line.p, line.table), (None, None));
    }

    #[test]
    fn few_equal_answers_are_not_equivalence() {
        let same = |n| (0..n).map(|index| answer("vt", index, 1.0, 1.0)).collect::<Vec<_>>();
        let of = |list: Vec<Common>| judged(&difference(&list.iter().collect::<Vec<_>>()).unwrap());
        assert_eq!(of(same(10)), Verdict::NotEnoughData);
        assert_eq!(of(same(400)), Verdict::Equivalent);
        let flat = [answer("vt", 0, 0.5, 0.25), answer("vt", 1, 0.5, 0.25)];
        assert_eq!(of(flat.to_vec()), Verdict::NotEnoughData);
        let line = paired("all".to_owned(), None, &flat.iter().collect::<Vec<_>>());
        assert_eq!((line.p, line.ci95, line.detectable), (None, None, None));
    }

    #[test]
    fn lines_of_a_family_are_adjusted_together() {
        let list: Vec<Common> = (0..6)
            .flat_map(|index| {
                [answer("vt", index, 1.0, 0.0), answer("cwe", index, f64::from(u8::from(index % 2 == 0)), 0.0)]
            })
            .collect();
        let lines = Lines { common: &list };
        let family = family(["vt", "cwe", "none"].iter().filter_map(|task| lines.of(Some(task), None)).collect());
        assert_eq!(family.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["vt", "cwe"]);
        assert!((family[0].p_holm.unwrap() - 2.0 * family[0].p.unwrap()).abs() < 1e-9);
        assert_eq!(family[1].p_holm, family[1].p);
        let cell = lines.of(Some("vt"), Length::new(4096).ok()).unwrap();
        assert_eq!((cell.name.as_str(), cell.length_tokens, cell.n), ("vt 4k", Some(4096), 6));
    }

    #[test]
    fn differing_answers_name_their_samples() {
        let list = [answer("vt", 0, 1.0, 1.0), answer("vt", 1, 1.0, 0.5), answer("vt", 2, 0.0, 1.0)];
        let numbers = |start: i32| list.iter().zip(start..).map(|(one, n)| ((one.item.clone(), 0), n)).collect();
        let found = differing(&list, &[numbers(1), numbers(11)]);
        assert_eq!(found.iter().map(|one| one.index).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((found[0].a_sample, found[0].b_sample, found[0].length.as_str()), (Some(3), Some(13), "4k"));
    }
}
