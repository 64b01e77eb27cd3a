//! `rate`: a board from a file of pairwise votes.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use longboard_stats::rating::{self, Interval, ModelRating, Rating, RatingOptions};
use longboard_stats::tie::Ties;
use longboard_stats::vote_file;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TieRule {
    /// Half a win for each side.
    HalfWin,
    /// Davidson 1970.
    Davidson,
    /// Rao and Kupper 1967.
    RaoKupper,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Errors {
    /// Sandwich by question (without questions: by vote).
    Clustered,
    /// Sandwich by vote.
    Battles,
    /// Inverse information.
    Fisher,
    /// Percentiles of a bootstrap over questions.
    Bootstrap,
}

/// Rates models from votes. The file is CSV with a header: `model_a`, `model_b`, `winner` (`model_a`, `model_b`, `tie`,
/// `both_bad`), and optionally `question` or `item`, `judge`, `weight`, `order` (`ab`, `ba`), `len_a`, `len_b`.
#[derive(Debug, Args)]
pub struct Rate {
    /// The votes.
    #[arg(long, value_name = "FILE.csv")]
    votes: PathBuf,
    /// Where the rating goes, as JSON.
    #[arg(long, value_name = "FILE.json")]
    out: PathBuf,
    /// What a tie means. With more than a tenth of ties, davidson with --order-effect is the better headline.
    #[arg(long, value_enum, default_value = "half-win")]
    ties: TieRule,
    /// Where standard errors and intervals come from.
    #[arg(long, value_enum, default_value = "clustered")]
    intervals: Errors,
    /// Correct for the advantage of being shown first.
    #[arg(long)]
    order_effect: bool,
    /// Correct for answer length (needs `len_a` and `len_b`).
    #[arg(long)]
    control_length: bool,
    /// Add a second view with a discrimination for each judge.
    #[arg(long)]
    judge_aware: bool,
    /// Leave out the factor C/(C − 1) of the intervals by question.
    #[arg(long)]
    no_small_sample: bool,
    /// Seed of all draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Rate {
    fn options(&self) -> RatingOptions {
        RatingOptions {
            ties: match self.ties {
                TieRule::HalfWin => Ties::HalfWin,
                TieRule::Davidson => Ties::Davidson,
                TieRule::RaoKupper => Ties::RaoKupper,
            },
            interval: match self.intervals {
                Errors::Clustered => Interval::Clustered,
                Errors::Battles => Interval::Battles,
                Errors::Fisher => Interval::Fisher,
                Errors::Bootstrap => Interval::Bootstrap,
            },
            order_effect: self.order_effect,
            control_length: self.control_length,
            judge_aware: self.judge_aware,
            small_sample: !self.no_small_sample,
            seed: self.seed,
            ..RatingOptions::default()
        }
    }

    pub fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.votes.display();
        let file = std::fs::File::open(&self.votes).with_context(|| format!("cannot open {path}"))?;
        let log = vote_file::read(std::io::BufReader::new(file)).with_context(|| format!("{path} is no vote log"))?;
        let rated = rating::rate(&log, &self.options()).with_context(|| format!("{path} cannot be rated"))?;
        let mut text = serde_json::to_string_pretty(&rated)?;
        text.push('\n');
        std::fs::write(&self.out, text).with_context(|| format!("cannot write {}", self.out.display()))?;
        table(&rated, &mut std::io::stdout().lock())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn table(rated: &Rating, out: &mut impl Write) -> std::io::Result<()> {
    let counts = &rated.counts;
    writeln!(
        out,
        "{} votes ({} ties), {} questions, {} judges; ties {}, intervals {}",
        counts.votes,
        counts.ties,
        counts.questions,
        counts.judges,
        label(&rated.ties),
        label(&rated.interval)
    )?;
    writeln!(out, "{:>9}  {:<32} {:>8} {:>7}  flags", "rank", "model", "elo", "± 95 %")?;
    for model in &rated.models {
        writeln!(out, "{}", line(model))?;
    }
    for cycle in &rated.cycles {
        writeln!(out, "cycle beyond doubt: {}", cycle.join(" > "))?;
    }
    let flags: Vec<String> = rated.flags.iter().map(label).collect();
    if !flags.is_empty() {
        writeln!(out, "note: {}", flags.join(", "))?;
    }
    remarks(rated, out)
}

fn line(model: &ModelRating) -> String {
    let [best, worst] = model.rank;
    let rank = if best == worst { best.to_string() } else { format!("{best}-{worst}") };
    let flags: Vec<String> = model.flags.iter().map(label).collect();
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let half = model.ci95_elo.map(|[low, high]| (high - low) / 2.0);
    let elo = number(model.elo);
    format!("{rank:>9}  {:<32} {elo:>8} {:>7}  {}", model.model, number(half), flags.join(", "))
}

fn remarks(rated: &Rating, out: &mut impl Write) -> std::io::Result<()> {
    let remarks = &rated.remarks;
    for (count, what) in [
        (remarks.self_votes, "votes of a model against itself were ignored"),
        (remarks.weightless, "votes of weight 0 were ignored"),
        (remarks.duplicates, "votes repeat a question, judge, order and pair; they count"),
        (remarks.without_lengths, "votes have no lengths and count as of mean length"),
    ] {
        if count > 0 {
            writeln!(out, "note: {count} {what}")?;
        }
    }
    Ok(())
}

/// The name a value has in the JSON.
fn label(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
