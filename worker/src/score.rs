//! `score`: our metrics against rows of the official scorers, or prediction files against their labels.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use longboard_suites::metrics::golden::{
    GoldenError, GoldenResult, golden_program, score_line_with, summarise, with_outputs,
};

use crate::predictions;
use crate::sandbox::Sandbox;

#[derive(Debug, Args)]
pub struct Score {
    /// Golden files: JSON lines of benchmark, metric, prediction, reference, extra, expected.
    #[arg(long, num_args = 1.., required_unless_present = "predictions", value_name = "FILE")]
    golden: Vec<PathBuf>,
    /// InfiniteBench prediction files (preds_<task>.jsonl) or folders of them, one folder per model.
    #[arg(long, num_args = 1.., conflicts_with = "golden", value_name = "PATH")]
    predictions: Vec<PathBuf>,
    /// Compiles and runs programs in answers, confined to a folder, without network, for bounded time; needs g++.
    #[arg(long, requires = "golden")]
    sandbox: bool,
}

/// Text of a file that a golden row names, from the golden file's folder or from the L-Eval data beside it.
fn beside(golden: &Path, name: &str) -> Option<String> {
    let folder = golden.parent()?;
    let bare = Path::new(name).strip_prefix("Predictions").unwrap_or(Path::new(name));
    let places =
        [folder.join(name), folder.join("leval-predictions").join(bare), folder.join("../data/leval").join(name)];
    places.iter().find_map(|place| std::fs::read_to_string(place).ok())
}

/// What came of the rows.
#[derive(Default)]
struct Tally {
    results: Vec<GoldenResult>,
    skipped: BTreeMap<String, u64>,
}

impl Score {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        if !self.predictions.is_empty() {
            predictions::score(&self.predictions, &mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut tally = Tally::default();
        let sandbox = match self.sandbox {
            true => Some(Sandbox::open(&std::env::current_exe()?).await?),
            false => None,
        };
        for path in &self.golden {
            tally.file(path, sandbox.as_ref()).await?;
        }
        tally.print(&mut std::io::stdout().lock())?;
        let passed = tally.results.iter().all(|result| result.passed);
        Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The row with what its program did, where it holds one and it may be run.
async fn ran(sandbox: Option<&Sandbox>, line: String) -> anyhow::Result<String> {
    let (Some(sandbox), Some(program)) = (sandbox, golden_program(&line)) else { return Ok(line) };
    Ok(with_outputs(&line, &sandbox.run(&program).await?)?)
}

impl Tally {
    async fn file(&mut self, path: &Path, sandbox: Option<&Sandbox>) -> anyhow::Result<()> {
        let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let place = || format!("{}:{}", path.display(), number + 1);
            let line = line.with_context(|| format!("{}: not UTF-8", place()))?;
            if line.trim().is_empty() {
                continue;
            }
            let line = ran(sandbox, line).await.with_context(place)?;
            match score_line_with(&line, &|name| beside(path, name)) {
                Ok(result) => {
                    if !result.passed {
                        eprintln!(
                            "{}: {}: expected {}, ours is {}",
                            place(),
                            result.metric,
                            result.expected,
                            result.ours
                        );
                    }
                    self.results.push(result);
                }
                Err(error @ (GoldenError::Unknown(_) | GoldenError::NotRun(_) | GoldenError::NoFile(_))) => {
                    *self.skipped.entry(error.to_string()).or_default() += 1
                }
                Err(error) => return Err(error).with_context(place),
            }
        }
        Ok(())
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for (metric, summary) in summarise(&self.results) {
            write!(
                out,
                "{metric:<48} {:>5}/{:<5} worst difference {:.3e}",
                summary.passed, summary.total, summary.worst
            )?;
            match summary.raises {
                0 => writeln!(out)?,
                rows => writeln!(out, "  ({rows} rows on which the official scorer raises)")?,
            }
        }
        for (reason, rows) in &self.skipped {
            writeln!(out, "SKIPPED {rows} rows: {reason}")?;
        }
        Ok(())
    }
}
