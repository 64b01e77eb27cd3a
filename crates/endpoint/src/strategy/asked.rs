//! A question about a long text.

use std::ops::Range;

/// A prompt in three parts: together they are what `plain` sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Instructions before the text.
    pub head: &'a str,
    /// The text that is read.
    pub document: &'a str,
    /// The question after it.
    pub tail: &'a str,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Drives every draw.
    pub seed: u64,
}

impl<'a> Asked<'a> {
    /// The parts of a prompt whose document has these bytes; `None` where they are none of `prompt`.
    #[must_use]
    pub fn within(prompt: &'a str, document: &Range<usize>, max_tokens: u32, seed: u64) -> Option<Self> {
        Some(Self {
            head: prompt.get(..document.start)?,
            document: prompt.get(document.clone())?,
            tail: prompt.get(document.end..)?,
            max_tokens,
            seed,
        })
    }

    /// The prompt as it is.
    pub(super) fn whole(&self) -> String {
        [self.head, self.document, self.tail].concat()
    }

    /// The prompt with `context` in place of the document, on lines of its own.
    pub(super) fn with(&self, context: &str) -> String {
        let open = |text: &str| !text.is_empty() && !text.ends_with(char::is_whitespace);
        let before = if open(self.head) && !context.starts_with(char::is_whitespace) { "\n" } else { "" };
        let after = if open(context) && !self.tail.starts_with(char::is_whitespace) { "\n" } else { "" };
        [self.head, before, context, after, self.tail].concat()
    }

    /// What chunks are ranked against: the question, or the instructions where nothing stands after the document.
    pub(super) fn question(&self) -> &'a str {
        if self.tail.chars().any(char::is_alphanumeric) { self.tail } else { self.head }
    }

    /// The instructions and the question without the text.
    pub(super) fn task(&self) -> String {
        let parts = [self.head.trim(), self.tail.trim()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n[the text]\n")
    }

    /// A prompt that shows a piece of the text and the task, and asks for something else than the answer.
    pub(super) fn about(&self, text: &str, instruction: &str) -> String {
        let task = self.task();
        format!(
            "Below stand a text and a task about it.\n\n<text>\n{}\n</text>\n\n<task>\n{task}\n</task>\n\n{instruction}",
            text.trim()
        )
    }
}
