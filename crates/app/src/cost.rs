//! What a suite costs before anything runs.

use longboard_stats::power::Plan;
use longboard_store::task::Suite;
use longboard_suites::length::Length;
use longboard_suites::suite::{Sweep, official_sweep};
use longboard_suites::task::Task;

use crate::{AppError, Longboard};

/// Samples per cell that are compared with the suite's own.
const CHOICES: [u32; 6] = [5, 10, 25, 50, 100, 500];

/// Largest variance of a paired difference of right-or-wrong answers: two unrelated models that are right half the time.
const WORST_VARIANCE: f64 = 0.5;

/// What somebody pays, and how fast their endpoint is. What is absent is not worked out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// Price of a million prompt tokens, in any currency.
    pub input_price: Option<f64>,
    /// Price of a million answer tokens.
    pub output_price: Option<f64>,
    /// Prompt tokens per second, all requests together.
    pub input_speed: Option<f64>,
    /// Answer tokens per second, all requests together.
    pub output_speed: Option<f64>,
}

/// An amount of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Items sent.
    pub items: u64,
    /// Most canonical tokens of all prompts.
    pub input_tokens: u64,
    /// Most canonical tokens of all answers.
    pub output_tokens: u64,
    /// Price, where both prices are known.
    pub price: Option<f64>,
    /// Hours, where both speeds are known.
    pub hours: Option<f64>,
}

impl Cost {
    fn new(items: u64, input_tokens: u64, output_tokens: u64, rates: &Rates) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "tokens far below 2^53")]
        let (input, output) = (input_tokens as f64, output_tokens as f64);
        let price = rates.input_price.zip(rates.output_price).map(|(one, other)| (input * one + output * other) / 1e6);
        let speeds = rates.input_speed.zip(rates.output_speed).filter(|(one, other)| *one > 0.0 && *other > 0.0);
        let hours = speeds.map(|(one, other)| (input / one + output / other) / 3600.0);
        Self { items, input_tokens, output_tokens, price, hours }
    }

    fn total(parts: &[Self], rates: &Rates) -> Self {
        let sum = |part: fn(&Self) -> u64| parts.iter().map(part).sum();
        Self::new(sum(|part| part.items), sum(|part| part.input_tokens), sum(|part| part.output_tokens), rates)
    }
}

/// A number of samples per cell and what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Samples per (task, length).
    pub samples: u32,
    /// What the whole suite costs with them.
    pub cost: Cost,
    /// Smallest difference between two models at one length, in points of 100, that is seen four times in five.
    pub detectable: f64,
    /// Whether it is the suite's own number.
    pub own: bool,
}

/// What a suite costs.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteCost {
    /// By length.
    pub lengths: Vec<(Length, Cost)>,
    /// All lengths together.
    pub total: Cost,
    /// Fewer or more samples.
    pub choices: Vec<Choice>,
    /// What the benchmark's own paper runs.
    pub official: Option<Sweep>,
}

/// A task's share in a cell.
struct Share {
    items: Option<u32>,
    output_tokens: u32,
    min_tokens: u32,
}

impl Longboard {
    /// Works out what `suite` costs at `rates`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when one of its tasks is gone.
    pub async fn suite_cost(&self, suite: &Suite, rates: &Rates) -> Result<SuiteCost, AppError> {
        let mut shares = Vec::with_capacity(suite.tasks.0.len());
        for slug in &suite.tasks.0 {
            let row = self.store.task(slug, None).await?.ok_or_else(|| AppError::no("task", slug))?;
            let items = self.available_items(&row).await?;
            let task = Task::new(row.definition()).ok();
            shares.push(Share {
                items,
                output_tokens: task.as_ref().map_or(0, |task| task.card().output_tokens),
                min_tokens: task.as_ref().map_or(0, Task::min_tokens),
            });
        }
        let own = suite.samples.cast_unsigned();
        let at = |samples| -> Vec<(Length, Cost)> {
            suite.lengths.0.iter().map(|&length| (length, cell(&shares, length, samples, rates))).collect()
        };
        let total =
            |cells: &[(Length, Cost)]| Cost::total(&cells.iter().map(|(_, cost)| *cost).collect::<Vec<_>>(), rates);
        let lengths = at(own);
        let mut counts: Vec<u32> = CHOICES.into_iter().chain([own]).collect();
        counts.sort_unstable();
        counts.dedup();
        let choices = counts.into_iter().filter_map(|samples| {
            let cells = at(samples);
            let fewest = cells.iter().map(|(_, cost)| cost.items).min()?;
            let detectable = 100.0 * Plan::of_differences(WORST_VARIANCE).detectable(fewest).ok()?;
            Some(Choice { samples, cost: total(&cells), detectable, own: samples == own })
        });
        let choices = choices.collect();
        Ok(SuiteCost { total: total(&lengths), lengths, choices, official: official_sweep(&suite.slug) })
    }
}

fn cell(shares: &[Share], length: Length, samples: u32, rates: &Rates) -> Cost {
    let (mut items, mut input, mut output) = (0, 0, 0);
    for share in shares.iter().filter(|share| share.min_tokens <= length.tokens()) {
        let count = u64::from(share.items.map_or(samples, |items| items.min(samples)));
        items += count;
        input += count * u64::from(length.tokens().saturating_sub(share.output_tokens));
        output += count * u64::from(share.output_tokens);
    }
    Cost::new(items, input, output, rates)
}
