//! `generate`: samples as JSON lines.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use longboard_suites::haystack::{Corpus, Haystack};
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

#[derive(Debug, Args)]
pub struct Generate {
    /// Task slug; `longboard-worker tasks` lists them.
    #[arg(long)]
    task: String,
    /// Length in canonical tokens, e.g. 4k.
    #[arg(long)]
    length: Length,
    /// Season seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Index of the first sample.
    #[arg(long, default_value_t = 0)]
    index: u32,
    /// How many samples.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// A UTF-8 text to use as haystack instead of the built-in world.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// A family parameter that differs from the task's, as name=value. Can stand several times.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
}

impl Generate {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let task = self.task()?;
        let corpus = self.corpus(&task)?;
        let mut out = std::io::stdout().lock();
        for index in self.index..self.index.saturating_add(self.count) {
            let corpus = corpus.as_ref().map(|corpus| corpus as &dyn Haystack);
            let item = task.item(&ItemRequest { corpus, ..ItemRequest::new(self.seed, index, self.length) })?;
            serde_json::to_writer(&mut out, &item).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }

    fn task(&self) -> anyhow::Result<Task> {
        let mut definition = Task::find(&self.task)?.definition().clone();
        for param in &self.params {
            let (name, value) = param.split_once('=').with_context(|| format!("--param {param}: write NAME=VALUE"))?;
            let value = value.parse::<i64>().map_or_else(|_| value.into(), serde_json::Value::from);
            definition.params.insert(name.to_owned(), value);
        }
        Ok(Task::new(definition)?)
    }

    fn corpus(&self, task: &Task) -> anyhow::Result<Option<Corpus>> {
        let Some(path) = &self.corpus else { return Ok(None) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} is not readable UTF-8", path.display()))?;
        Ok(Some(Corpus::new(task.card().language, &text)?))
    }
}
