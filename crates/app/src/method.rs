//! Methods of the reference model: what each reached and cost, beside dense attention.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use longboard_protocol::api::{MethodDifference, MethodLength, MethodReport, MethodResult, MethodRow, MethodsReport};
use longboard_protocol::method::{Method, MethodCost};
use longboard_store::endpoint::Endpoint;
use longboard_store::method::MethodCell;
use longboard_store::run::{Run, one_per_endpoint};
use longboard_store::task::Suite;
use longboard_suites::length::Length;
use uuid::Uuid;

use crate::board::Measured;
use crate::compare::{Scored, common, paired, same_items};
use crate::run::REFERENCE_SUITE;
use crate::{AppError, Longboard};

/// The policy beside which the others stand.
pub const DENSE: &str = "dense";

/// Suites to show when none is chosen: the first one with results, else the last.
const SUITES: [&str; 2] = [REFERENCE_SUITE, "quickstart"];

/// Costs that score can be set against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CostAxis {
    /// Floating-point operations of attention.
    #[default]
    AttentionFlops,
    /// Milliseconds of attention.
    AttentionMs,
    /// Bytes of keys and values that attention read.
    AttentionBytes,
    /// Tokens stored per head.
    KeptTokens,
    /// Bytes of the cache.
    CacheBytes,
}

impl CostAxis {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AttentionFlops, Self::AttentionMs, Self::AttentionBytes, Self::KeptTokens, Self::CacheBytes];

    /// Name of the field of [`MethodCost`].
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::AttentionFlops => "attention_flops",
            Self::AttentionMs => "attention_ms",
            Self::AttentionBytes => "attention_bytes",
            Self::KeptTokens => "kept_tokens",
            Self::CacheBytes => "cache_bytes",
        }
    }

    /// The figure, in the unit of its field.
    #[must_use]
    pub fn of(self, cost: &MethodCost) -> f64 {
        match self {
            Self::AttentionFlops => cost.attention_flops,
            Self::AttentionMs => cost.attention_ms,
            Self::AttentionBytes => cost.attention_bytes,
            Self::KeptTokens => cost.kept_tokens,
            #[expect(clippy::cast_precision_loss, reason = "bytes of memory, far below 2^53")]
            Self::CacheBytes => cost.cache_bytes as f64,
        }
    }
}

impl FromStr for CostAxis {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        Self::ALL.into_iter().find(|axis| axis.slug() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::slug).join(", ");
            AppError::Invalid(format!("`{text}` is no cost of a method; choose one of {names}"))
        })
    }
}

/// A method with its endpoint and its run on the suite.
struct Contestant {
    endpoint: Uuid,
    model: String,
    method: Method,
    run: Option<Run>,
}

/// What is stored about all methods on one suite.
struct Ground {
    suite: Suite,
    contestants: Vec<Contestant>,
    cells: Vec<MethodCell>,
}

impl Longboard {
    /// Every method at one length. Absent choices: the suite made for methods if it has results, else quickstart; the
    /// longest length at which two methods have a score.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without the suite.
    pub async fn methods_report(
        &self,
        suite: Option<&str>,
        length: Option<Length>,
        axis: CostAxis,
    ) -> Result<MethodsReport, AppError> {
        let ground = self.ground(suite).await?;
        let lengths = ground.lengths();
        let length = length.or_else(|| ground.widest(&lengths));
        let mut scores = Scores::new();
        if let Some(length) = length {
            let runs: Vec<Uuid> = ground.contestants.iter().filter_map(|one| Some(one.run.as_ref()?.id)).collect();
            for (run, scored) in self.store.scores_at(&runs, length.tokens().cast_signed()).await? {
                scores.entry(run).or_default().push(scored);
            }
        }
        let row = |one: &Contestant| MethodRow {
            policy: one.method.spec.policy.clone(),
            title: one.method.card.title.clone(),
            model: one.model.clone(),
            settings: one.method.spec.settings.clone(),
            run: one.run.as_ref().map(|run| run.id),
            state: one.run.as_ref().map(|run| run.state.slug().to_owned()),
            result: length.and_then(|length| ground.result(one, length, &scores)),
            front: false,
        };
        let mut methods: Vec<MethodRow> = ground.contestants.iter().map(row).collect();
        arrange(&mut methods, axis);
        Ok(MethodsReport {
            suite: ground.suite.slug.clone(),
            lengths: lengths.iter().map(ToString::to_string).collect(),
            length: length.map(|length| length.to_string()),
            cost: axis.slug().to_owned(),
            methods,
        })
    }

    /// What a method is and what it did at every length.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without the policy or the suite.
    pub async fn method_report(&self, policy: &str, suite: Option<&str>) -> Result<MethodReport, AppError> {
        let ground = self.ground(suite).await?;
        let own = ground.contestant(policy).ok_or_else(|| AppError::no("method", policy))?;
        let dense = ground.contestant(DENSE);
        let mut scores = Scores::new();
        let runs: BTreeSet<Uuid> =
            [Some(own), dense].into_iter().flatten().filter_map(|one| Some(one.run.as_ref()?.id)).collect();
        for run in runs {
            scores.insert(run, self.store.scores(run).await?);
        }
        let at = |length: &Length| MethodLength {
            length: length.to_string(),
            result: ground.result(own, *length, &scores),
            dense: dense.and_then(|dense| ground.result(dense, *length, &scores)),
        };
        let lengths = ground.lengths();
        Ok(MethodReport {
            card: own.method.card.clone(),
            settings: own.method.spec.settings.clone(),
            model: own.model.clone(),
            suite: ground.suite.slug.clone(),
            run: own.run.as_ref().map(|run| run.id),
            lengths: lengths.iter().map(at).filter(|at| at.result.is_some() || at.dense.is_some()).collect(),
        })
    }

    /// What is stored on the suite, or on the first of [`SUITES`] where some method has a score.
    async fn ground(&self, suite: Option<&str>) -> Result<Ground, AppError> {
        let wanted = suite.map_or_else(|| SUITES.to_vec(), |suite| vec![suite]);
        let mut found = None;
        for slug in &wanted {
            let Some(suite) = self.store.suite(slug).await? else { continue };
            let ground = self.ground_of(suite).await?;
            let filled = !ground.lengths().is_empty();
            found = Some(ground);
            if filled {
                break;
            }
        }
        found.ok_or_else(|| AppError::no("suite", wanted.join("` or `")))
    }

    async fn ground_of(&self, suite: Suite) -> Result<Ground, AppError> {
        let cells = self.store.method_cells(&suite.slug).await?;
        let runs = one_per_endpoint(self.store.runs_of_suite(&suite.slug).await?);
        let contestant = |row: Endpoint| {
            let run = runs.iter().find(|run| run.endpoint_id == row.id).cloned();
            Some(Contestant { endpoint: row.id, model: row.slug, method: row.method?.0, run })
        };
        let contestants = self.store.methods().await?.into_iter().filter_map(contestant).collect();
        Ok(Ground { suite, contestants, cells })
    }
}

type Scores = BTreeMap<Uuid, Vec<Scored>>;

impl Ground {
    fn contestant(&self, policy: &str) -> Option<&Contestant> {
        self.contestants.iter().find(|one| one.method.spec.policy == policy)
    }

    /// Lengths at which some method has a score, short to long.
    fn lengths(&self) -> Vec<Length> {
        let mut lengths: Vec<Length> =
            self.cells.iter().filter_map(|cell| Length::new(cell.length_tokens.cast_unsigned()).ok()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths.retain(|length| self.scored(*length) > 0);
        lengths
    }

    /// Methods with a score at a length.
    fn scored(&self, length: Length) -> usize {
        self.contestants.iter().filter(|one| self.tasks(one, length).is_some()).count()
    }

    /// The longest length at which two methods can be compared, else the longest.
    fn widest(&self, lengths: &[Length]) -> Option<Length> {
        lengths.iter().rfind(|length| self.scored(**length) > 1).or(lengths.last()).copied()
    }

    /// One cell per task of the suite, if all have answers.
    fn tasks(&self, one: &Contestant, length: Length) -> Option<Vec<&MethodCell>> {
        let cell = |task: &String| {
            self.cells.iter().find(|cell| {
                cell.endpoint_id == one.endpoint
                    && cell.task_slug == *task
                    && cell.length_tokens.cast_unsigned() == length.tokens()
                    && cell.n > 0
            })
        };
        self.suite.tasks.0.iter().map(cell).collect()
    }

    fn result(&self, one: &Contestant, length: Length, scores: &Scores) -> Option<MethodResult> {
        let (result, dense) = (self.alone(one, length)?, self.contestant(DENSE));
        let beside = dense.filter(|dense| dense.endpoint != one.endpoint).and_then(|dense| {
            let score = self.alone(dense, length)?.score;
            let plain = MethodDifference { value: result.score - score, ci95: None, n: 0, paired: false };
            Some(pairing(one, dense, length, scores).unwrap_or(plain))
        });
        Some(MethodResult { difference: beside, ..result })
    }

    fn alone(&self, one: &Contestant, length: Length) -> Option<MethodResult> {
        let cells = self.tasks(one, length)?;
        let parts: Option<Vec<Measured>> = cells.iter().map(|cell| measured(cell)).collect();
        let score = Measured::mean(&parts?)?;
        let samples = one.run.as_ref().map_or(0, |run| run.samples.cast_unsigned());
        Some(MethodResult {
            n: cells.iter().map(|cell| u32::try_from(cell.n).unwrap_or(u32::MAX)).fold(0, u32::saturating_add),
            expected: samples.saturating_mul(u32::try_from(cells.len()).unwrap_or(u32::MAX)),
            score: score.score,
            ci95: score.ci95(),
            difference: None,
            cost: cost(&cells),
        })
    }
}

/// The difference over the items that both answered at a length, if their runs have common ones.
fn pairing(own: &Contestant, dense: &Contestant, length: Length, scores: &Scores) -> Option<MethodDifference> {
    let (own, dense) = (own.run.as_ref()?, dense.run.as_ref()?);
    if !same_items(own, dense) {
        return None;
    }
    let at = |run: &Run| {
        let scored = scores.get(&run.id).into_iter().flatten();
        scored.filter(|(key, ..)| key.1.cast_unsigned() == length.tokens()).cloned().collect::<Vec<Scored>>()
    };
    let shared = common(at(own), at(dense));
    let part = paired(length.to_string(), None, &shared.iter().collect::<Vec<_>>());
    let n = u32::try_from(part.n).unwrap_or(u32::MAX);
    (n > 0).then_some(MethodDifference { value: part.a - part.b, ci95: part.ci95, n, paired: true })
}

fn measured(cell: &MethodCell) -> Option<Measured> {
    let n = u32::try_from(cell.n).unwrap_or(u32::MAX);
    // A score s in 0..1 gives s² ≤ s, with equality for 0 and 1 only.
    let binary = (cell.sum - cell.sum_of_squares).abs() < 1e-9 * cell.sum.max(1.0);
    Measured::of_sums(n, cell.sum, cell.sum_of_squares, binary)
}

/// Plain means over the tasks; `None` unless every task has every figure.
fn cost(cells: &[&MethodCell]) -> Option<MethodCost> {
    let count = f64::from(u32::try_from(cells.len()).ok().filter(|count| *count > 0)?);
    let mean = |figure: fn(&MethodCell) -> Option<f64>| -> Option<f64> {
        let figures: Option<Vec<f64>> = cells.iter().map(|cell| figure(cell)).collect();
        Some(figures?.iter().sum::<f64>() / count)
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of counts of bytes")]
    let cache_bytes = mean(|cell| cell.cache_bytes)?.round().max(0.0) as u64;
    Some(MethodCost {
        kept_tokens: mean(|cell| cell.kept_tokens)?,
        max_kept_tokens: mean(|cell| cell.max_kept_tokens)?,
        cache_bytes,
        selection_ms: mean(|cell| cell.selection_ms)?,
        attention_ms: mean(|cell| cell.attention_ms)?,
        attention_flops: mean(|cell| cell.attention_flops)?,
        attention_bytes: mean(|cell| cell.attention_bytes)?,
    })
}

/// Best first, those without a result by title; marks the front.
fn arrange(methods: &mut [MethodRow], axis: CostAxis) {
    methods.sort_by(|left, right| {
        let score = |row: &MethodRow| row.result.as_ref().map_or(f64::NEG_INFINITY, |result| result.score);
        score(right).total_cmp(&score(left)).then_with(|| left.title.cmp(&right.title))
    });
    let place = |row: &MethodRow| {
        let result = row.result.as_ref()?;
        Some((axis.of(result.cost.as_ref()?), result.score))
    };
    let places: Vec<Option<(f64, f64)>> = methods.iter().map(place).collect();
    for (row, front) in methods.iter_mut().zip(front(&places)) {
        row.front = front;
    }
}

/// Which of (cost, score) no other beats: none is at least as good in both and better in one. Absent places are not on
/// the front.
#[must_use]
pub fn front(places: &[Option<(f64, f64)>]) -> Vec<bool> {
    let beats = |other: (f64, f64), one: (f64, f64)| other.0 <= one.0 && other.1 >= one.1 && other != one;
    let on =
        |place: &Option<(f64, f64)>| place.is_some_and(|one| !places.iter().flatten().any(|other| beats(*other, one)));
    places.iter().map(on).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use longboard_protocol::method::{MethodCard, MethodSpec};
    use longboard_store::{LengthList, RunState, TaskSlugs, TaskVersions};

    use super::*;

    fn length(kilo: u32) -> Length {
        Length::new(kilo * 1024).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(0, 0).unwrap()
    }

    fn contestant(number: u128, policy: &str) -> Contestant {
        let card = MethodCard {
            slug: policy.to_owned(),
            title: policy.to_uppercase(),
            citation: String::new(),
            what: String::new(),
            differs: String::new(),
            parameters: Vec::new(),
            properties: Vec::new(),
        };
        let run = Run {
            id: Uuid::from_u128(100 + number),
            endpoint_id: Uuid::from_u128(number),
            team_id: Uuid::nil(),
            suite_slug: "reference".to_owned(),
            seed: 1,
            samples: 4,
            tasks: TaskVersions(Vec::new()),
            lengths: LengthList(vec![length(4), length(8)]),
            state: RunState::Done,
            counts: true,
            total: 16,
            submitted_by: String::new(),
            created_at: now(),
            started_at: None,
            closed_at: None,
        };
        let spec = MethodSpec { policy: policy.to_owned(), settings: BTreeMap::new() };
        Contestant {
            endpoint: Uuid::from_u128(number),
            model: format!("reference-{policy}"),
            method: Method { spec, card },
            run: Some(run),
        }
    }

    fn cell(number: u128, task: &str, kilo: u32, right: u32, flops: Option<f64>) -> MethodCell {
        MethodCell {
            endpoint_id: Uuid::from_u128(number),
            run_id: Uuid::from_u128(100 + number),
            task_slug: task.to_owned(),
            length_tokens: length(kilo).tokens().cast_signed(),
            n: 4,
            sum: f64::from(right),
            sum_of_squares: f64::from(right),
            prompt_tokens: 4000.0,
            kept_tokens: Some(10.0),
            max_kept_tokens: Some(20.0),
            cache_bytes: Some(1000.4),
            selection_ms: Some(1.0),
            attention_ms: Some(2.0),
            attention_flops: flops,
            attention_bytes: Some(4.0),
        }
    }

    /// Dense has both lengths, quest the short one and half of the long one, h2o nothing.
    fn ground() -> Ground {
        let suite = Suite {
            slug: "reference".to_owned(),
            title: String::new(),
            description: String::new(),
            tasks: TaskSlugs(vec!["a".to_owned(), "b".to_owned()]),
            lengths: LengthList(vec![length(4), length(8)]),
            samples: 4,
            imported: false,
            position: 0,
            data_version: 1,
            created_at: now(),
        };
        let mut cells: Vec<MethodCell> = [(4, 4), (8, 3)]
            .into_iter()
            .flat_map(|(kilo, right)| ["a", "b"].map(|task| cell(1, task, kilo, right, Some(100.0))))
            .collect();
        cells.push(cell(2, "a", 4, 4, Some(10.0)));
        cells.push(cell(2, "b", 4, 2, None));
        cells.push(cell(2, "a", 8, 4, Some(10.0)));
        let contestants =
            vec![contestant(1, DENSE), contestant(2, "quest"), Contestant { run: None, ..contestant(3, "h2o") }];
        Ground { suite, contestants, cells }
    }

    #[test]
    fn a_length_has_a_score_when_every_task_has_answers() {
        let ground = ground();
        let [dense, quest, h2o] = &ground.contestants[..] else { panic!("three") };
        assert_eq!(ground.lengths(), [length(4), length(8)]);
        assert_eq!(ground.widest(&ground.lengths()), Some(length(4)), "only dense has all of 8k");
        let none = Scores::new();
        assert!(ground.result(quest, length(8), &none).is_none() && ground.result(h2o, length(4), &none).is_none());
        let short = ground.result(quest, length(4), &none).unwrap();
        assert_eq!((short.score, short.n, short.expected, short.cost), (75.0, 8, 8, None), "one task lacks a figure");
        assert!(short.ci95[0] < 75.0 && short.ci95[1] > 75.0);
        let cost = ground.result(dense, length(8), &none).unwrap().cost.unwrap();
        assert_eq!((cost.attention_flops, cost.cache_bytes, cost.max_kept_tokens), (100.0, 1000, 20.0));
    }

    #[test]
    fn the_difference_to_dense_is_paired_where_items_are_common() {
        let mut ground = ground();
        let (dense, quest) = (Uuid::from_u128(101), Uuid::from_u128(102));
        let scored = |right: [f64; 3]| -> Vec<Scored> {
            (0..).zip(right).map(|(index, score)| (("a".to_owned(), 4096, index), 0, score)).collect()
        };
        let mut longer = scored([1.0, 0.0, 1.0]);
        longer.push((("a".to_owned(), 8192, 0), 0, 0.0));
        let scores: Scores = [(dense, scored([1.0, 1.0, 1.0])), (quest, longer)].into();
        let beside = |ground: &Ground, scores: &Scores| {
            ground.result(&ground.contestants[1], length(4), scores).unwrap().difference.unwrap()
        };
        let paired = beside(&ground, &scores);
        assert!(paired.paired && paired.n == 3 && paired.ci95.is_some(), "{paired:?}");
        assert!((paired.value + 100.0 / 3.0).abs() < 1e-9, "{paired:?}");
        assert!(ground.result(&ground.contestants[0], length(4), &scores).unwrap().difference.is_none());
        ground.contestants[1].run.as_mut().unwrap().seed = 2;
        let plain = beside(&ground, &scores);
        assert_eq!((plain.value, plain.paired, plain.ci95, plain.n), (-25.0, false, None, 0));
    }

    #[test]
    fn the_front_holds_what_nothing_beats() {
        let places = [
            Some((1.0, 50.0)),
            Some((2.0, 50.0)),
            Some((2.0, 80.0)),
            Some((9.0, 80.0)),
            None,
            Some((2.0, 80.0)),
            Some((10.0, 90.0)),
        ];
        assert_eq!(front(&places), [true, false, true, false, false, true, true]);
        assert_eq!(front(&[]), [false; 0]);
    }

    #[test]
    fn methods_without_a_result_are_last_and_off_the_front() {
        let row = |title: &str, result| MethodRow {
            policy: title.to_owned(),
            title: title.to_owned(),
            model: String::new(),
            settings: BTreeMap::new(),
            run: None,
            state: None,
            result,
            front: true,
        };
        let ground = ground();
        let at = |place: usize| ground.result(&ground.contestants[place], length(4), &Scores::new());
        let mut rows = vec![row("b", None), row("a", None), row("quest", at(1)), row("dense", at(0))];
        arrange(&mut rows, CostAxis::AttentionFlops);
        let titles: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
        assert_eq!(titles, ["dense", "quest", "a", "b"]);
        assert_eq!(rows.iter().map(|row| row.front).collect::<Vec<_>>(), [true, false, false, false]);
    }

    #[test]
    fn costs_are_named_like_their_fields() {
        let cost = serde_json::to_value(MethodCost { attention_ms: 3.0, ..MethodCost::default() }).unwrap();
        for axis in CostAxis::ALL {
            assert!(cost.get(axis.slug()).is_some(), "{}", axis.slug());
            assert_eq!(axis.slug().parse::<CostAxis>().unwrap(), axis);
        }
        assert!("speed".parse::<CostAxis>().unwrap_err().to_string().contains("kept_tokens"));
    }
}
