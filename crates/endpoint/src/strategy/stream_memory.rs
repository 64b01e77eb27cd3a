//! Rolling memory: the text form of VideoStreaming. A document is read once, segment by segment; questions are answered
//! from the notes alone, with a prompt whose length does not depend on the document's.

use longboard_suites::{bm25, chunk};

use super::bound::bounded;
use super::card::{Card, Kind, Parameter, Settings};
use super::retriever::Retriever;
use super::{Answered, Asked, Meter, Metered, Strategy};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "stream-memory",
    title: "Stream memory",
    citation: "Qian et al. 2024, Streaming long video understanding with large language models, arXiv 2405.16009 (read in \
               summaries only)",
    what: "Reads the document segment by segment and rewrites its notes after each; answers from the last notes and the \
           earlier ones that fit the question best.",
    differs: "The paper's memories are learned states and its choice draws with Gumbel noise; here notes and indicators are \
              text, and the best indicators are taken.",
    cost: "ceil(N/segment) calls one after another, of a segment and the notes, once for each document; 1 call of constant \
           length for each question",
    parameters: &[
        Parameter {
            name: "segment",
            help: "canonical tokens of a segment",
            default: 2048.0,
            least: 64.0,
            most: 1_048_576.0,
        },
        Parameter {
            name: "memory",
            help: "canonical tokens of the notes at most",
            default: 256.0,
            least: 32.0,
            most: 8192.0,
        },
        Parameter {
            name: "selected",
            help: "earlier notes that a question reads, V",
            default: 4.0,
            least: 0.0,
            most: 1024.0,
        },
    ],
    reports: &[
        ("segments", "segments of the document"),
        ("missing_indicators", "segments whose reply had no line that says what they are about"),
    ],
    kind: Kind::StreamMemory,
};

/// Canonical tokens of an indicator.
const INDICATOR_TOKENS: u32 = 48;

/// What begins the line of the indicator.
const INDICATOR: &str = "INDICATOR:";

/// The notes after one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is known of the text so far.
    pub memory: String,
    /// What the segment is about, in a line.
    pub indicator: String,
}

/// A document as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// One for each segment, in order.
    pub segments: Vec<Note>,
    /// Segments whose reply had no indicator.
    pub missing_indicators: u32,
}

/// Reads a document once, for any number of questions with [`recall`]. `strategy` is `stream-memory`.
///
/// # Errors
/// [`CallError`] of the first call that fails.
pub async fn encode<M: ChatModel>(
    strategy: &Strategy,
    model: &M,
    document: &str,
) -> Result<(Notes, Metered), CallError> {
    let meter = Meter::new(model);
    let notes = read(&meter, strategy.settings(), document).await?;
    Ok((notes, meter.finish()))
}

/// Answers a question from the notes on its document, with one call beside the retriever's.
///
/// # Errors
/// [`CallError`] of the first call that fails.
pub async fn recall<M: ChatModel, R: Retriever>(
    strategy: &Strategy,
    model: &M,
    retriever: &R,
    notes: &Notes,
    asked: &Asked<'_>,
) -> Result<Answered, CallError> {
    let meter = Meter::new(model);
    let reply = tell(&meter, retriever, strategy.settings(), notes, asked).await?;
    Ok(Answered { reply, metered: meter.finish() })
}

pub(super) async fn answer<M: ChatModel, R: Retriever>(
    meter: &Meter<'_, M>,
    retriever: &R,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let notes = read(meter, settings, asked.document).await?;
    tell(meter, retriever, settings, &notes, asked).await
}

async fn read<M: ChatModel>(meter: &Meter<'_, M>, settings: &Settings, document: &str) -> Result<Notes, CallError> {
    let most = settings.count("memory");
    let (mut notes, mut memory, mut at) = (Notes::default(), String::new(), 0);
    let total = document.chars().count();
    for segment in chunk::texts(document, settings.count("segment")) {
        let end = at + segment.chars().count();
        let prompt = reading(&memory, segment, [at, end, total], most);
        let reply = meter.note(prompt, most + INDICATOR_TOKENS).await?;
        let (text, indicator) = parted(&reply);
        if !text.is_empty() {
            bounded(text, most).clone_into(&mut memory);
        }
        notes.missing_indicators += u32::from(indicator.is_none());
        let indicator = bounded(indicator.unwrap_or(&memory), INDICATOR_TOKENS).to_owned();
        notes.segments.push(Note { memory: memory.clone(), indicator });
        at = end;
    }
    meter.report("segments", notes.segments.len() as f64);
    meter.report("missing_indicators", f64::from(notes.missing_indicators));
    Ok(notes)
}

/// The prompt for a segment that has the characters `start..end` of `total`.
fn reading(memory: &str, segment: &str, [start, end, total]: [usize; 3], most: u32) -> String {
    let memory = if memory.is_empty() { "(none yet)" } else { memory };
    // An English word is about four thirds of a token.
    let words = most * 3 / 4;
    format!(
        "You read a long text piece by piece and keep notes on it.\n\n<notes>\n{memory}\n</notes>\n\nCharacters {start}-{end} of \
         {total}:\n<text>\n{}\n</text>\n\nRewrite the notes so that they hold what questions about the text so far may ask for: \
         names, numbers, places and what happened, exactly as written. Use at most {words} words. Then write one more line that \
         begins with {INDICATOR} and says in at most 20 words what this piece is about. Write nothing else.",
        segment.trim()
    )
}

/// The notes and the indicator of a reply.
fn parted(reply: &str) -> (&str, Option<&str>) {
    let mut end = reply.len();
    for line in reply.split_inclusive('\n').rev() {
        let start = end - line.len();
        let bare = line.trim().trim_start_matches(['*', '#', ' ']);
        let head = bare.get(..INDICATOR.len()).filter(|head| head.eq_ignore_ascii_case(INDICATOR));
        if head.is_some() {
            let indicator = bare.get(INDICATOR.len()..).unwrap_or_default().trim_matches(['*', ' ']);
            let text = reply.get(..start).unwrap_or_default();
            return (text.trim(), Some(indicator).filter(|indicator| !indicator.is_empty()));
        }
        end = start;
    }
    (reply.trim(), None)
}

async fn tell<M: ChatModel, R: Retriever>(
    meter: &Meter<'_, M>,
    retriever: &R,
    settings: &Settings,
    notes: &Notes,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let Some((last, earlier)) = notes.segments.split_last() else {
        return meter.ask(asked.with("(the text is empty)"), asked.max_tokens).await;
    };
    let indicators: Vec<&str> = earlier.iter().map(|note| note.indicator.as_str()).collect();
    let query = format!("{}\n{}", asked.question(), last.memory);
    let scores = meter.scores(retriever, &query, &indicators).await?;
    let chosen = bm25::best(&scores, settings.count("selected") as usize);
    let mut context = "The text was read piece by piece; only notes on it are left.\n".to_owned();
    for note in chosen.into_iter().filter_map(|place| earlier.get(place)) {
        context.push_str(&format!("\n<earlier-notes>\n{}\n</earlier-notes>\n", note.memory));
    }
    context.push_str(&format!("\n<last-notes>\n{}\n</last-notes>\n", last.memory));
    meter.ask(asked.with(&context), asked.max_tokens).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_indicator_line_ends_the_notes() {
        assert_eq!(parted("Oro came.\nINDICATOR: the seal\n"), ("Oro came.", Some("the seal")));
        assert_eq!(parted("Oro.\n**Indicator:** the seal**"), ("Oro.", Some("the seal")));
        assert_eq!(parted("Oro came.\nNobody else."), ("Oro came.\nNobody else.", None));
        assert_eq!(parted("Oro.\nINDICATOR:"), ("Oro.", None));
        assert_eq!(parted(""), ("", None));
        assert_eq!(parted("I é\nĩndicator: x"), ("I é\nĩndicator: x", None));
    }
}
