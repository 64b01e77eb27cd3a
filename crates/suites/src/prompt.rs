//! A prompt under construction whose canonical tokens are always known.

use std::ops::Range;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::counter::Counter;
use crate::haystack::Planted;
use crate::item::{Item, Message, Needle, Page, Picture, Role};
use crate::task::{ItemRequest, Task};
use crate::tokens;

/// Text with exact tokens. Counts are kept up to the last place where the tokenizer is sure to split.
#[derive(Default)]
pub struct Prompt {
    text: String,
    settled: usize,
    settled_tokens: u32,
    counter: Counter,
    needles: Vec<Needle>,
    document_start: Option<usize>,
    document: Option<Range<usize>>,
    pages: Vec<Page>,
}

impl Prompt {
    /// Appends text and counts it.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        let open = self.text.get(self.settled..).unwrap_or_default();
        let (done, _) = open.split_at_checked(tokens::last_split(open)).unwrap_or(("", open));
        self.settled_tokens += self.counter.count(done);
        self.settled += done.len();
    }

    /// Appends text that is a needle.
    pub fn push_needle(&mut self, text: &str) {
        let start = self.text.len();
        let token_start = self.tokens();
        self.push(text);
        self.needles.push(Needle { start, end: self.text.len(), depth: 0.0, token_start });
    }

    /// Appends a passage with planted sentences; its own count is used but for the two ends.
    pub fn push_planted(&mut self, planted: &Planted) {
        let body = planted.text.as_str();
        let (head, tail) = (tokens::first_split(body), tokens::last_split(body));
        if tail <= head {
            return self.push(body);
        }
        let offset = self.text.len();
        let first = tokens::count(body.get(..head).unwrap_or_default());
        let last = tokens::count(body.get(tail..).unwrap_or_default());
        self.text.push_str(body);
        let window = self.text.get(self.settled..offset + head).unwrap_or_default();
        let before = self.settled_tokens + tokens::count(window);
        for planted in &planted.needles {
            let start = offset + planted.bytes.start;
            let token_start = if planted.bytes.start >= head {
                before + planted.token_start - first
            } else {
                self.settled_tokens + tokens::count(self.text.get(self.settled..start).unwrap_or_default())
            };
            self.needles.push(Needle { start, end: offset + planted.bytes.end, depth: 0.0, token_start });
        }
        self.settled_tokens = before + planted.tokens - first - last;
        self.settled = offset + tail;
    }

    /// From here on stands the text that is read.
    pub fn begin_document(&mut self) {
        self.document_start = Some(self.text.len());
    }

    /// The text that is read ends here; the question follows.
    pub fn end_document(&mut self) {
        self.document = self.document_start.map(|start| start..self.text.len());
    }

    /// A page begins here.
    pub fn begin_page(&mut self, number: u32, evidence: bool) {
        let start = self.text.len();
        self.pages.push(Page { number, bytes: start..start, evidence, picture: None });
    }

    /// A picture of the page that began last stands here.
    pub fn push_picture(&mut self, png: &[u8], alt: String) {
        let sha256 = hex::encode(Sha256::digest(png));
        let picture = Picture { byte: self.text.len(), size: png.len(), sha256, alt };
        if let Some(page) = self.pages.last_mut() {
            page.picture = Some(picture);
        }
    }

    /// The page that began last ends here.
    pub fn end_page(&mut self) {
        let end = self.text.len();
        if let Some(page) = self.pages.last_mut() {
            page.bytes.end = end;
        }
    }

    /// Canonical tokens so far, exact.
    pub fn tokens(&mut self) -> u32 {
        let open = self.text.get(self.settled..).unwrap_or_default();
        self.settled_tokens + self.counter.count(open)
    }

    /// Canonical tokens of `text` on its own, by the same cache.
    pub fn count(&mut self, text: &str) -> u32 {
        self.counter.count(text)
    }

    /// The finished item: one user message.
    pub fn finish(mut self, task: &Task, request: &ItemRequest<'_>, answer: Answer) -> Item {
        let prompt_tokens = self.tokens();
        self.needles.sort_by_key(|needle| needle.start);
        for needle in &mut self.needles {
            needle.depth = f64::from(needle.token_start) / f64::from(prompt_tokens.max(1));
        }
        Item {
            id: task.item_id(request),
            task: task.slug().to_owned(),
            length: request.length,
            seed: request.seed,
            index: request.index,
            messages: vec![Message { role: Role::User, content: self.text }],
            references: answer.references,
            gold: answer.gold,
            needles: self.needles,
            document: self.document,
            pages: self.pages,
            prompt_tokens,
            output_tokens: answer.output_tokens.unwrap_or(task.card().output_tokens),
            depth_percent: answer.depth_percent,
            cut: None,
        }
    }
}

/// What a family knows about the right answer.
#[derive(Default)]
pub struct Answer {
    /// References as the metric reads them.
    pub references: Vec<String>,
    /// Requested depth of the asked needle in percent, where depth is swept.
    pub depth_percent: Option<u8>,
    /// What the metric needs beyond the references.
    pub gold: Value,
    /// Tokens reserved for the answer, where they grow with the length and so differ from the card's.
    pub output_tokens: Option<u32>,
}
