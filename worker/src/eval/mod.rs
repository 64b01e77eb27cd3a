//! `eval`: a suite against an endpoint without a server. Every answer is on disk before it counts, so a run can be
//! stopped at any point and started again.

mod record;
mod sample;
mod summary;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use futures_util::{StreamExt, stream};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use longboard_endpoint::client::{Api, EndpointConfig, OpenAiClient};
use longboard_endpoint::policy::{AddressPolicy, AllowRule};
use longboard_endpoint::probe::probe;
use longboard_suites::length::Length;
use longboard_suites::suite::Suite;
use longboard_suites::task::Task;
use secrecy::SecretString;
use serde::Serialize;

use crate::canary;
use crate::request::Eyes;
use record::{Record, ResultFile};
use sample::{Bench, Sample};

/// Evaluates an endpoint.
#[derive(Debug, Args)]
pub struct Eval {
    /// Base URL including the version prefix, e.g. http://127.0.0.1:8000/v1
    #[arg(long)]
    base_url: String,
    /// Model name sent in the request.
    #[arg(long)]
    model: String,
    /// A built-in suite: quickstart, ruler, needle-threading or needlebench.
    #[arg(long, default_value = "quickstart")]
    suite: String,
    /// Tasks instead of the suite's, separated by commas.
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<String>,
    /// Lengths instead of the suite's, e.g. 4k,8k
    #[arg(long, value_delimiter = ',')]
    lengths: Vec<Length>,
    /// Samples per task and length instead of the suite's.
    #[arg(long)]
    samples: Option<u32>,
    /// Season seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Result file: JSON lines, appended to.
    #[arg(long)]
    out: PathBuf,
    /// Which call to use.
    #[arg(long, value_enum, default_value_t = CallKind::Chat)]
    api: CallKind,
    /// Environment variable that holds the endpoint's secret.
    #[arg(long, value_name = "NAME")]
    api_key_env: Option<String>,
    /// Most requests in flight.
    #[arg(long, default_value_t = 8)]
    concurrency: u32,
    /// The endpoint's context limit in tokens; longer samples are counted as over length and not sent.
    #[arg(long)]
    context_limit: Option<u32>,
    /// Longest wait for the first byte in seconds.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=1800))]
    first_byte_timeout: u64,
}

/// The two generation calls.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum CallKind {
    Chat,
    Completions,
}

/// What fixes a result: a file with another configuration is not continued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
struct Configuration {
    model: String,
    base_url: String,
    tasks: Vec<String>,
    lengths: Vec<Length>,
    samples: u32,
    seed: u64,
    context_limit: Option<u32>,
}

impl Eval {
    /// Runs the evaluation.
    ///
    /// # Errors
    /// On a wrong argument, an unreachable endpoint, or a result file of another configuration.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let configuration = self.configuration()?;
        let client = Arc::new(self.client()?);
        let mut file = ResultFile::open(&self.out, &configuration)?;
        let token_ratio = self.token_ratio(&client).await?;
        let (seed, context_limit, eyes) = (self.seed, self.context_limit, Eyes::default());
        let bench = Arc::new(Bench { client, seed, context_limit, token_ratio, eyes });
        let waiting = waiting(&configuration, &file)?;
        let bars = Bars::new(&configuration, &file);
        let mut answers = stream::iter(waiting)
            .map(|sample| Arc::clone(&bench).run(sample))
            .buffer_unordered(self.concurrency.max(1) as usize);
        let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
        loop {
            tokio::select! {
                _ = &mut interrupted => {
                    file.sync()?;
                    eprintln!("stopped; run the same command again to continue");
                    return Ok(ExitCode::from(130));
                }
                next = answers.next() => match next {
                    Some(record) => { let record = record?; bars.advance(&record); file.append(record)?; }
                    None => break,
                }
            }
        }
        file.sync()?;
        bars.finish();
        print!("{}", summary::table(&configuration, file.records()));
        let path = self.out.with_extension("summary.json");
        let text = serde_json::to_string_pretty(&summary::document(&configuration, file.records()))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("answers: {}\nsummary: {}", self.out.display(), path.display());
        Ok(ExitCode::SUCCESS)
    }

    fn configuration(&self) -> anyhow::Result<Configuration> {
        let suites = Suite::builtin();
        let Some(suite) = suites.iter().find(|suite| suite.slug == self.suite) else {
            let known = suites.iter().map(|suite| suite.slug.as_str()).collect::<Vec<_>>().join(", ");
            bail!("no suite `{}`; the suites are: {known}", self.suite);
        };
        let tasks = if self.tasks.is_empty() { suite.tasks.clone() } else { self.tasks.clone() };
        let lengths = if self.lengths.is_empty() { suite.lengths.clone() } else { self.lengths.clone() };
        for task in &tasks {
            let task = Task::find(task)?;
            if let Some(short) = lengths.iter().find(|length| length.tokens() < task.card().min_tokens) {
                let least = task.card().min_tokens;
                bail!(
                    "task `{}` cannot be built at {short}; leave it out or take {least} tokens and more",
                    task.slug()
                );
            }
        }
        Ok(Configuration {
            model: self.model.clone(),
            base_url: self.base_url.clone(),
            tasks,
            lengths,
            samples: self.samples.unwrap_or(suite.samples).max(1),
            seed: self.seed,
            context_limit: self.context_limit,
        })
    }

    /// A client that may reach local addresses: whoever starts this command chose the address.
    fn client(&self) -> anyhow::Result<OpenAiClient> {
        let mut config = EndpointConfig::new(self.base_url.clone(), self.model.clone());
        config.max_concurrency = self.concurrency;
        config.deadlines.first_byte = Duration::from_secs(self.first_byte_timeout);
        config.api = match self.api {
            CallKind::Chat => Api::Chat,
            CallKind::Completions => Api::Completions,
        };
        if let Some(name) = &self.api_key_env {
            let secret = std::env::var(name).with_context(|| format!("the variable {name} is not set"))?;
            config.secret = Some(SecretString::from(secret));
        }
        let everywhere: Vec<AllowRule> = ["0.0.0.0/0", "::/0"].iter().filter_map(|rule| rule.parse().ok()).collect();
        Ok(OpenAiClient::new(config, &AddressPolicy::new(everywhere), self.seed)?)
    }

    /// Probes the endpoint and returns its tokenizer's ratio; fails where every sample would.
    async fn token_ratio(&self, client: &OpenAiClient) -> anyhow::Result<Option<f64>> {
        let prompt = canary::prompt(self.seed, 1024)?;
        let findings = probe(client, vec![prompt]).await;
        use longboard_endpoint::probe::Verdict;
        for check in findings.checks.iter().filter(|check| check.name == "reachable" || check.name == "authorised") {
            if check.verdict == Verdict::Failed {
                bail!("{}", check.detail);
            }
        }
        Ok(findings.token_ratio)
    }
}

/// Samples without an answer, short lengths first.
fn waiting(configuration: &Configuration, file: &ResultFile) -> anyhow::Result<Vec<Sample>> {
    let mut waiting = Vec::new();
    for &length in &configuration.lengths {
        for task in &configuration.tasks {
            let task = Task::find(task)?;
            waiting.extend(
                (0..configuration.samples)
                    .filter(|&index| !file.holds(task.slug(), length, index))
                    .map(|index| Sample { task, length, index }),
            );
        }
    }
    Ok(waiting)
}

/// One bar per length.
struct Bars(BTreeMap<Length, ProgressBar>);

impl Bars {
    fn new(configuration: &Configuration, file: &ResultFile) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{prefix:>5} [{bar:40}] {pos}/{len} {msg} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let total = u64::from(configuration.samples) * configuration.tasks.len() as u64;
        let bars = configuration.lengths.iter().map(|&length| {
            let bar = all.add(ProgressBar::new(total)).with_style(style.clone()).with_prefix(length.to_string());
            bar.set_position(file.records().iter().filter(|record| record.length == length).count() as u64);
            (length, bar)
        });
        Self(bars.collect())
    }

    fn advance(&self, record: &Record) {
        if let Some(bar) = self.0.get(&record.length) {
            bar.set_message(record.task.clone());
            bar.inc(1);
        }
    }

    fn finish(&self) {
        self.0.values().for_each(|bar| bar.finish_with_message("done"));
    }
}
