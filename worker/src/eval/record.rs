//! The result file: a header, then one JSON line per sample, in the shape that prediction import reads.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, bail};
use longboard_suites::length::Length;
use longboard_suites::outcome::Outcome;
use serde::{Deserialize, Serialize};

use super::Configuration;

/// What became of one sample.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub task: String,
    pub version: u32,
    pub length: Length,
    pub index: u32,
    pub prompt_digest: String,
    pub prompt_tokens: u32,
    pub prediction: String,
    pub references: Vec<String>,
    pub outcome: Outcome,
    /// 0..1; null where nothing was answered.
    pub score: Option<f64>,
    pub strict: Option<f64>,
    pub depth_percent: Option<u8>,
    pub finish_reason: Option<String>,
    pub reported_prompt_tokens: Option<u32>,
    pub first_token_ms: Option<u32>,
    pub latency_ms: Option<u32>,
    pub attempts: u32,
    /// Why there is no answer.
    pub cause: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    longboard_eval: u32,
    configuration: Configuration,
}

/// Answers between two writes that reach the disk for certain.
const SYNC_EVERY: usize = 16;

/// A result file being filled.
pub(super) struct ResultFile {
    file: File,
    records: Vec<Record>,
    held: HashSet<(String, Length, u32)>,
}

impl ResultFile {
    /// Opens or starts the file. A torn last line, left by a crash, is dropped: its sample is done again.
    pub fn open(path: &Path, configuration: &Configuration) -> anyhow::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        let mut this = Self { file: file.try_clone()?, records: Vec::new(), held: HashSet::new() };
        let mut kept = 0;
        let mut reader = BufReader::new(&mut file);
        let mut line = String::new();
        let mut number = 0;
        while reader.read_line(&mut line).with_context(|| format!("{} is no result file", path.display()))? > 0 {
            if !line.ends_with('\n') {
                break;
            }
            number += 1;
            if number == 1 {
                check_header(path, &line, configuration)?;
            } else {
                let record: Record =
                    serde_json::from_str(&line).with_context(|| format!("{}:{number} is no answer", path.display()))?;
                this.hold(record);
            }
            kept += line.len() as u64;
            line.clear();
        }
        this.file.set_len(kept)?;
        this.file.seek(SeekFrom::End(0))?;
        if kept == 0 {
            this.line(&Header { longboard_eval: 1, configuration: configuration.clone() })?;
        }
        Ok(this)
    }

    /// Whether the sample is answered.
    pub fn holds(&self, task: &str, length: Length, index: u32) -> bool {
        self.held.contains(&(task.to_owned(), length, index))
    }

    /// All answers.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Writes one answer.
    pub fn append(&mut self, record: Record) -> anyhow::Result<()> {
        self.line(&record)?;
        self.hold(record);
        if self.records.len().is_multiple_of(SYNC_EVERY) {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes everything so far last.
    pub fn sync(&self) -> anyhow::Result<()> {
        self.file.sync_data().context("the result file cannot be written; is the disk full?")
    }

    fn hold(&mut self, record: Record) {
        if self.held.insert((record.task.clone(), record.length, record.index)) {
            self.records.push(record);
        }
    }

    fn line(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.file.write_all(&line).context("the result file cannot be written; is the disk full?")
    }
}

fn check_header(path: &Path, line: &str, configuration: &Configuration) -> anyhow::Result<()> {
    let header: Header = serde_json::from_str(line).with_context(|| format!("{} is no result file", path.display()))?;
    if header.configuration != *configuration {
        bail!("{} holds a run with other settings; choose another --out or repeat its settings", path.display());
    }
    Ok(())
}
