//! Reading answers: server-sent events or one JSON document, tolerant of dialects, strict about bounds.

use serde::Deserialize;
use serde_json::Value;

use crate::model::cleaned;

/// Largest accepted body in bytes.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// An answer being read.
#[derive(Default)]
pub(crate) struct Reading {
    buffer: Vec<u8>,
    seen: usize,
    /// Text so far.
    pub(crate) text: String,
    pub(crate) finish_reason: Option<String>,
    pub(crate) prompt_tokens: Option<u32>,
    pub(crate) completion_tokens: Option<u32>,
    /// A first piece of answer or reasoning has come.
    pub(crate) started: bool,
    /// `[DONE]` has come.
    pub(crate) done: bool,
    choices: bool,
}

/// Why a body is no answer: cause and detail.
pub(crate) type Unreadable = (&'static str, String);

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Piece>,
    #[serde(default)]
    message: Option<Piece>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    content: Option<Content>,
    #[serde(default, alias = "reasoning")]
    reasoning_content: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u32>,
    #[serde(default)]
    completion_tokens: Option<u32>,
}

impl Reading {
    /// Takes bytes of an event stream.
    pub(crate) fn events(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.take(bytes)?;
        while let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            self.event_line(&line)?;
        }
        Ok(())
    }

    /// Takes bytes of a JSON document; read at the end.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.seen += bytes.len();
        if self.seen > BODY_LIMIT {
            return Err(("body_too_large", format!("more than {} MiB", BODY_LIMIT / 1024 / 1024)));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The end of an event stream.
    pub(crate) fn end_of_events(&mut self) -> Result<(), Unreadable> {
        let rest = std::mem::take(&mut self.buffer);
        self.event_line(&rest)?;
        if self.choices { Ok(()) } else { Err(("not_an_answer", "the stream ended without a choice".to_owned())) }
    }

    /// The end of a JSON document.
    pub(crate) fn end_of_document(&mut self) -> Result<(), Unreadable> {
        let body = std::mem::take(&mut self.buffer);
        let text = utf8(&body)?;
        self.chunk(text)?;
        if self.choices { Ok(()) } else { Err(("not_an_answer", cleaned(text))) }
    }

    fn event_line(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        let Some(data) = utf8(line)?.trim_end().strip_prefix("data:") else {
            return Ok(());
        };
        match data.trim() {
            "" => Ok(()),
            "[DONE]" => {
                self.done = true;
                Ok(())
            }
            data => self.chunk(data),
        }
    }

    fn chunk(&mut self, data: &str) -> Result<(), Unreadable> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| ("not_json", cleaned(data)))?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(("endpoint_reported", cleaned(&error.to_string())));
        }
        if let Some(usage) = chunk.usage {
            self.prompt_tokens = usage.prompt_tokens.or(self.prompt_tokens);
            self.completion_tokens = usage.completion_tokens.or(self.completion_tokens);
        }
        if let Some(choice) = chunk.choices.into_iter().next() {
            self.choices = true;
            self.choice(choice);
        }
        Ok(())
    }

    fn choice(&mut self, choice: Choice) {
        let piece = choice.delta.or(choice.message);
        let reasoned =
            piece.as_ref().is_some_and(|piece| piece.reasoning_content.as_ref().is_some_and(|value| !value.is_null()));
        let before = self.text.len();
        match piece.and_then(|piece| piece.content) {
            Some(Content::Text(text)) => self.text.push_str(&text),
            Some(Content::Parts(parts)) => parts.iter().for_each(|part| self.text.push_str(&part.text)),
            None => self.text.push_str(choice.text.as_deref().unwrap_or_default()),
        }
        self.started |= reasoned || self.text.len() > before;
        self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|error| ("invalid_utf8", format!("at byte {}", error.valid_up_to())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\r\n\r\n: ping\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"grün \"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"是\"},\"finish_reason\":\"stop\"}],\"x\":1}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

    proptest! {
        #[test]
        fn a_stream_reads_the_same_however_it_is_cut(cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let mut reading = Reading::default();
            for pair in cuts.windows(2) {
                reading.events(&STREAM.as_bytes()[pair[0]..pair[1]]).unwrap();
            }
            reading.end_of_events().unwrap();
            prop_assert_eq!(&reading.text, "grün 是");
            prop_assert_eq!(reading.finish_reason.as_deref(), Some("stop"));
            prop_assert_eq!((reading.prompt_tokens, reading.completion_tokens), (Some(7), Some(2)));
            prop_assert!(reading.done && reading.started);
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut reading = Reading::default();
            let _ = reading.events(&bytes).and_then(|()| reading.end_of_events());
            let mut reading = Reading::default();
            let _ = reading.take(&bytes).and_then(|()| reading.end_of_document());
        }
    }

    fn document(body: &str) -> Result<Reading, Unreadable> {
        let mut reading = Reading::default();
        reading.take(body.as_bytes())?;
        reading.end_of_document().map(|()| reading)
    }

    #[test]
    fn documents_of_all_dialects_are_read() {
        assert_eq!(document(r#"{"choices":[{"message":{"content":"a"}}]}"#).unwrap().text, "a");
        assert_eq!(document(r#"{"choices":[{"text":"b"}]}"#).unwrap().text, "b");
        assert_eq!(
            document(r#"{"choices":[{"message":{"content":[{"type":"text","text":"c"}]}}]}"#).unwrap().text,
            "c"
        );
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let cause = |body: &str| document(body).map(|_| ()).unwrap_err().0;
        assert_eq!(cause("<html>busy</html>"), "not_json");
        assert_eq!(cause(r#"{"error":{"message":"full"}}"#), "endpoint_reported");
        assert_eq!(cause(r#"{"choices":[]}"#), "not_an_answer");
        assert_eq!(cause(&"[".repeat(100_000)), "not_json");
        let mut reading = Reading::default();
        assert_eq!(reading.take(&vec![b' '; BODY_LIMIT + 1]).unwrap_err().0, "body_too_large");
    }
}
