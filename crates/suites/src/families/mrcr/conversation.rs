//! Conversations: messages in turn, counted as they are appended.

use crate::item::{Item, Message, Role};
use crate::prompt::{Answer, Prompt};
use crate::task::{ItemRequest, Task};

/// Messages whose contents are one prompt.
#[derive(Default)]
pub struct Conversation {
    prompt: Prompt,
    /// Role and bytes of every message.
    messages: Vec<(Role, usize)>,
}

impl Conversation {
    /// Appends a message.
    pub fn push(&mut self, role: Role, content: &str) {
        self.prompt.push(content);
        self.messages.push((role, content.len()));
    }

    /// Appends a message that is evidence.
    pub fn push_needle(&mut self, role: Role, content: &str) {
        self.prompt.push_needle(content);
        self.messages.push((role, content.len()));
    }

    /// Canonical tokens of the contents so far, exact.
    pub fn tokens(&mut self) -> u32 {
        self.prompt.tokens()
    }

    /// Canonical tokens of a text on its own.
    pub fn count(&mut self, text: &str) -> u32 {
        self.prompt.count(text)
    }

    /// The item.
    pub fn finish(self, task: &Task, request: &ItemRequest<'_>, answer: Answer) -> Item {
        let item = self.prompt.finish(task, request, answer);
        let text = item.joined();
        let (mut messages, mut at) = (Vec::with_capacity(self.messages.len()), 0);
        for (role, bytes) in self.messages {
            let content = text.get(at..at + bytes).unwrap_or_default().to_owned();
            messages.push(Message { role, content });
            at += bytes;
        }
        Item { messages, ..item }
    }
}
