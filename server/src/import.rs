//! `import`: answers and votes that were produced elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use chrono::Utc;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use longboard_app::data_file::{DatasetError, subset_of};
use longboard_app::dataset::{DatasetReport, reader};
use longboard_app::predictions::{FileReport, PredictionFile, import_predictions, operator_team};
use longboard_app::{Longboard, Store};

/// Files larger than this are refused before they are read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Files of votes larger than this are refused before they are read.
const MAX_VOTE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Lines named per file before the rest is only counted.
const NAMED_LINES: usize = 5;

/// Imports the files of one model.
#[derive(Debug, Args)]
pub(crate) struct Predictions {
    /// Name of the model, as the board shows it.
    #[arg(long)]
    model: String,
    /// Files called preds_<task>.jsonl, or folders that hold them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Predictions {
    /// Reads, scores and stores.
    pub(crate) async fn run(self, store: &Store) -> anyhow::Result<()> {
        let paths = files(&self.paths, &lines_of_json)?;
        let style = ProgressStyle::with_template("{msg:>8} [{bar:40}] {pos}/{len} files")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(paths.len() as u64).with_style(style).with_message("reading");
        let mut read = Vec::with_capacity(paths.len());
        for path in paths {
            read.push(load(&path)?);
            bar.inc(1);
        }
        bar.set_message("scoring");
        let now = Utc::now();
        let team = operator_team(store, now).await?;
        let report = import_predictions(store, &team, &self.model, read, "longboard", now).await?;
        bar.finish_with_message("done");
        report.files.iter().for_each(print);
        println!("stored as model {} in run {}", report.model, report.run);
        Ok(())
    }
}

/// Imports what several models answered to the same open-ended questions, in L-Eval's format with one file per model.
#[derive(Debug, Args)]
pub(crate) struct Answers {
    /// Files called <model>.pred.jsonl, or a folder that holds them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Answers {
    /// Reads and stores.
    pub(crate) async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        let read = files(&self.paths, &lines_of_json)?.iter().map(load).collect::<anyhow::Result<Vec<_>>>()?;
        let report = longboard.import_judged_answers("operator", read, Utc::now()).await?;
        println!("{} questions, answered by {}", report.questions, report.models.join(", "));
        for reason in report.left_out.iter().take(NAMED_LINES) {
            println!("  left out: {reason}");
        }
        if let Some(more) = report.left_out.len().checked_sub(NAMED_LINES).filter(|more| *more > 0) {
            println!("  and {more} more");
        }
        println!("the suite is /suites/{0}; have it judged: longboard admin judge --suite {0}", report.suite);
        Ok(())
    }
}

/// Makes a board of ratings from a file of votes: model_a, model_b, winner; question, judge, order, weight, len_a and
/// len_b are read where they are there.
#[derive(Debug, Args)]
pub(crate) struct Votes {
    /// Title of the board; its slug follows from it. Without one: the name of the file.
    #[arg(long)]
    title: Option<String>,
    /// The file, CSV in UTF-8.
    file: PathBuf,
}

impl Votes {
    /// Reads and stores.
    pub(crate) async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        let size = std::fs::metadata(&self.file).with_context(|| format!("cannot open {}", self.file.display()))?.len();
        anyhow::ensure!(size <= MAX_VOTE_BYTES, "{size} bytes; at most {MAX_VOTE_BYTES} are read");
        let stem = self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let title = self.title.unwrap_or(stem);
        let bar = ProgressBar::new(size).with_message("reading");
        let file = std::fs::File::open(&self.file).with_context(|| format!("cannot open {}", self.file.display()))?;
        let read = bar.wrap_read(std::io::BufReader::new(file));
        let report = longboard.import_votes("operator", &title, read, Utc::now()).await?;
        bar.finish_and_clear();
        println!("{} votes between {} models", report.votes, report.models);
        for remark in &report.remarks {
            println!("  {remark}");
        }
        println!("the board is /boards/{}", report.board);
        Ok(())
    }
}

/// Imports official data files, unchanged: a file is stored whole or, when a line is no record, not at all.
#[derive(Debug, Args)]
pub(crate) struct Dataset {
    /// Family that reads them, e.g. longbench, leval or loogle.
    family: String,
    /// Data set that the files hold, instead of the one that their names say.
    #[arg(long)]
    subset: Option<String>,
    /// Files named after their data set, or folders that hold them; a folder of captions and pictures is a data set itself.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Dataset {
    /// Checks, stores, and reports file by file. One refused file does not keep the others out.
    pub(crate) async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        let (_, dataset) = reader(&self.family)?;
        let mut refused = 0;
        let subset = self.subset.as_deref();
        let listed = subset.is_some() && dataset.listing().is_some();
        let paths = match listed {
            true => self.paths,
            false => files(&self.paths, &|path| subset.is_some() || subset_of(dataset, path).is_some())?,
        };
        for path in paths {
            let size = std::fs::metadata(&path).with_context(|| format!("cannot open {}", path.display()))?.len();
            // Each byte is read twice: to check it, and to store it.
            let bar = ProgressBar::new(2 * size).with_message("reading");
            let progress = bar.clone();
            let progress = Arc::new(move |bytes| progress.inc(bytes));
            let imported =
                longboard.import_dataset("operator", (&self.family, subset), &path, progress, Utc::now()).await;
            bar.finish_and_clear();
            match imported {
                Ok(report) => {
                    let known = if report.stored { "" } else { ", stored before" };
                    let DatasetReport { task, records, skipped, sha256, beside, .. } = report;
                    println!("{}: {records} records as task {task}{known}; sha256 {sha256}", path.display());
                    if beside > 0 {
                        println!("  with {beside} files that stand beside it");
                    }
                    if skipped > 0 {
                        println!("  {skipped} lines or elements hold no record of this data set and are left out");
                    }
                }
                Err(error) => {
                    refused += 1;
                    complain(&path, &error);
                }
            }
        }
        anyhow::ensure!(refused == 0, "{refused} files were refused; the others are stored");
        println!("the suite is /suites/{}-data", self.family.replace('_', "-"));
        Ok(())
    }
}

fn complain(path: &Path, error: &DatasetError) {
    println!("{}: refused: {error}", path.display());
    if let DatasetError::BadLines { named, count, .. } = error {
        for line in named {
            println!("  line {}: {}", line.line, line.reason);
        }
        if *count > named.len() {
            println!("  and {} more lines", count - named.len());
        }
    }
}

/// The files themselves, and of folders those that are `wanted`.
fn files(paths: &[PathBuf], wanted: &dyn Fn(&Path) -> bool) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        for entry in std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
            let file = entry?.path();
            if file.is_file() && wanted(&file) {
                found.push(file);
            }
        }
    }
    found.sort();
    anyhow::ensure!(!found.is_empty(), "no file there has a name that says what it holds");
    Ok(found)
}

fn lines_of_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
}

fn load(path: &PathBuf) -> anyhow::Result<PredictionFile> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?.len();
    anyhow::ensure!(size <= MAX_BYTES, "{} has {size} bytes; at most {MAX_BYTES} are read", path.display());
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(PredictionFile { name, text: String::from_utf8_lossy(&bytes).into_owned() })
}

fn print(file: &FileReport) {
    match &file.outcome {
        Ok((task, percent)) => println!("{}: {task} {percent:.2} % over {} answers", file.name, file.rows),
        Err(reason) => println!("{}: not used: {reason}", file.name),
    }
    for line in file.refused.iter().take(NAMED_LINES) {
        println!("  line {}: {}", line.line, line.reason);
    }
    let more = file.refused.len().saturating_sub(NAMED_LINES);
    if more > 0 {
        println!("  and {more} more lines");
    }
}
