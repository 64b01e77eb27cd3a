//! A generated sample.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::length::Length;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions.
    System,
    /// The prompt.
    User,
    /// A worked example's answer.
    Assistant,
}

/// One chat message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Text.
    pub content: String,
}

/// A planted piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Needle {
    /// First byte in the joined message contents.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Canonical tokens before the needle over canonical tokens of the whole prompt, 0..1, exact.
    pub depth: f64,
    /// Canonical tokens of the prompt before the needle.
    pub token_start: u32,
}

/// Everything about one sample. Kept small enough to be rebuilt on demand: a prompt is never stored.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// `{task}@{version}/{length}/{seed}/{index}`
    pub id: String,
    /// Task slug.
    pub task: String,
    /// Length bucket.
    pub length: Length,
    /// Season seed.
    pub seed: u64,
    /// Index within the cell.
    pub index: u32,
    /// The prompt. Joined contents are what `needles` count in: contents in order with nothing between.
    pub messages: Vec<Message>,
    /// Accepted or required answers, as the metric reads them.
    pub references: Vec<String>,
    /// What the metric needs beyond the references, e.g. options, labels or tables; null where they suffice.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub gold: Value,
    /// Planted evidence in order of position.
    pub needles: Vec<Needle>,
    /// Bytes of the joined contents that hold the text that is read, between the instructions before it and the question
    /// after it; `None` where the prompt has no such parts. No part of the prompt's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Range<usize>>,
    /// Pages of the document in the order of the prompt; empty where it has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Page>,
    /// Canonical tokens of the joined contents, exact. Pictures are not counted.
    pub prompt_tokens: u32,
    /// Tokens reserved for the answer. `prompt_tokens + output_tokens` lies within [0.98, 1.00] of `length`.
    pub output_tokens: u32,
    /// Requested depth of the (first) needle in percent, where the family sweeps depth: the heatmap's axis.
    pub depth_percent: Option<u8>,
    /// What was cut from an official record that is longer than the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// A page of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Its number in the document, which need not be its place in the prompt.
    pub number: u32,
    /// Bytes of the joined contents that it takes.
    pub bytes: Range<usize>,
    /// Whether the answer stands on it.
    pub evidence: bool,
    /// The picture on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

/// Where a picture stands. Its file is a function of the item and the page, and nobody stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Bytes of the joined contents before it.
    pub byte: usize,
    /// Bytes of its PNG file.
    pub size: usize,
    /// SHA-256 of its PNG file in hex.
    pub sha256: String,
    /// What it shows, in words that do not give its data away.
    pub alt: String,
}

/// What was cut from a prompt to fit the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cut {
    /// Canonical tokens of the whole prompt.
    pub tokens_before: u32,
    /// Canonical tokens that were taken out; 0 where everything fits.
    pub tokens_removed: u32,
    /// Share of the evidence that is still there, 0..1; `None` where the record does not say where it stands.
    pub evidence_left: Option<f64>,
}

impl Item {
    /// The identity of the prompt stored with an answer: [`prompt_digest`] of the messages, and where there are pictures
    /// SHA-256 over that and the place and digest of each.
    #[must_use]
    pub fn prompt_digest(&self) -> String {
        let text = prompt_digest(&self.messages);
        if self.pictures().next().is_none() {
            return text;
        }
        let mut hasher = Sha256::new();
        hasher.update(text.as_bytes());
        for picture in self.pictures() {
            hasher.update((picture.byte as u64).to_le_bytes());
            hasher.update(picture.sha256.as_bytes());
        }
        hex::encode(hasher.finalize())
    }

    /// Pictures in the order of the prompt.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.pages.iter().filter_map(|page| page.picture.as_ref())
    }

    /// The contents joined, the text that needle offsets point into.
    #[must_use]
    pub fn joined(&self) -> String {
        self.messages.iter().map(|message| message.content.as_str()).collect()
    }
}

/// SHA-256 over roles and contents, in hex.
#[must_use]
pub fn prompt_digest(messages: &[Message]) -> String {
    let mut hasher = Sha256::new();
    for message in messages {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        hasher.update(role.as_bytes());
        hasher.update([0]);
        hasher.update(message.content.as_bytes());
        hasher.update([0xff]);
    }
    hex::encode(hasher.finalize())
}

/// The judgement of a metric on one answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scored {
    /// Score of the task's metric, 0..1.
    pub score: f64,
    /// Score of the strict form, where there is one.
    pub strict: Option<f64>,
    /// What the metric read out of the answer, for the sample page.
    pub extracted: String,
    /// False when the answer does not have the required form, whatever it says.
    pub well_formed: bool,
}
