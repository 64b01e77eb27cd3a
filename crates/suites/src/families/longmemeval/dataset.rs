//! LongMemEval's data (`longmemeval_oracle`, `_s`, `_m`): one question with its history per line.

use serde_json::{Map, Value, json};

use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::{official, prose};
use crate::item::{Cut, Item};
use crate::metrics::longmemeval::TYPES;
use crate::prompt::Prompt;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the official records; upstream's files are lists, so write one element per line.
pub struct Files;

static SUBSETS: [Subset; 3] = [
    Subset { name: "longmemeval_oracle", title: "Oracle sessions" },
    Subset { name: "longmemeval_s", title: "S, about 115k tokens" },
    Subset { name: "longmemeval_m", title: "M, about 500 sessions" },
];

/// Between sessions in a record's document.
const BETWEEN: &str = "\n\u{1e}\n";

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        SUBSETS.iter().find(|subset| file_name.starts_with(subset.name))
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let id = dataset::text(&fields, "question_id")?;
        let kind = dataset::text(&fields, "question_type")?;
        if !TYPES.contains(&kind.as_str()) {
            return Err(RecordError::new("question_type", format!("expected one of {}", TYPES.join(", "))));
        }
        let sessions = sessions(&fields)?;
        let evidence = dataset::texts(&fields, "answer_session_ids")?;
        let told = sessions.iter().filter(|session| evidence.contains(&session.id));
        let abstention = id.contains("_abs");
        let answer = answer(&fields)?;
        Ok(vec![Record {
            subset: subset.name.to_owned(),
            document: sessions.iter().map(|session| session.text.as_str()).collect::<Vec<_>>().join(BETWEEN),
            question: dataset::text(&fields, "question")?,
            references: if abstention { vec![super::NOT_MENTIONED.to_owned()] } else { vec![answer.clone()] },
            gold: json!({
                "type": kind,
                "days": kind == "temporal-reasoning",
                "abstention": abstention,
                "answer": answer,
                "today": dataset::text(&fields, "question_date")?,
            }),
            official_length: None,
            evidence: told.map(|session| session.text.clone()).collect(),
            id,
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    /// Sessions by date, the oldest left out until the rest fits.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let today = record.gold.get("today").and_then(Value::as_str).unwrap_or_default();
        let tail = super::tail(&today, &record.question);
        let mut prompt = Prompt::default();
        prompt.push(super::HEAD);
        prompt.begin_document();
        let frame = prompt.tokens() + prompt.count(&tail) + 2;
        let mut left = limit.checked_sub(frame).ok_or_else(|| {
            prose::unsatisfiable(task, request, format!("head, question and answer need {frame} tokens"))
        })?;
        let sessions: Vec<&str> = record.document.split(BETWEEN).collect();
        let costs: Vec<u32> = sessions.iter().map(|session| prompt.count(&numbered(sessions.len(), session))).collect();
        let kept = costs.iter().rev().take_while(|&&cost| {
            let fits = cost <= left;
            left = left.saturating_sub(if fits { cost } else { left });
            fits
        });
        let dropped = sessions.len() - kept.count();
        let tokens_removed = costs.iter().take(dropped).sum();
        let shown = sessions.get(dropped..).unwrap_or_default();
        for (number, session) in (1..).zip(shown) {
            let text = numbered(number, session);
            if record.evidence.iter().any(|told| told == session) {
                prompt.push_needle(&text)
            } else {
                prompt.push(&text)
            }
        }
        prompt.end_document();
        prompt.push(&tail);
        let found = record.evidence.iter().filter(|told| shown.contains(&told.as_str())).count();
        let evidence_left = (!record.evidence.is_empty()).then(|| found as f64 / record.evidence.len() as f64);
        let answer = official::answer(record);
        let mut item = prompt.finish(task, request, answer);
        item.cut = Some(Cut { tokens_before: item.prompt_tokens + tokens_removed, tokens_removed, evidence_left });
        Ok(item)
    }
}

fn numbered(number: usize, session: &str) -> String {
    format!("Session {number}\n{session}\n\n")
}

/// The answer, which may be a number.
fn answer(fields: &Map<String, Value>) -> Result<String, RecordError> {
    match fields.get("answer") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(RecordError::new("answer", "expected a text or a number")),
        None => Err(RecordError::new("answer", "missing")),
    }
}

/// A session as it is shown.
struct Session {
    id: String,
    date: String,
    text: String,
}

/// All sessions, sorted by their date as text, as upstream sorts them.
fn sessions(fields: &Map<String, Value>) -> Result<Vec<Session>, RecordError> {
    let dates = dataset::texts(fields, "haystack_dates")?;
    let ids = dataset::texts(fields, "haystack_session_ids")?;
    let Some(Value::Array(contents)) = fields.get("haystack_sessions") else {
        return Err(RecordError::new("haystack_sessions", "expected a list of sessions"));
    };
    if dates.len() != contents.len() || ids.len() != contents.len() {
        return Err(RecordError::new("haystack_sessions", "expected as many sessions as dates and ids"));
    }
    let mut sessions = Vec::with_capacity(contents.len());
    for (place, ((content, date), id)) in contents.iter().zip(dates).zip(ids).enumerate() {
        let turns = turns(content).ok_or_else(|| {
            RecordError::new(&format!("haystack_sessions[{place}]"), "expected a list of {role, content}")
        })?;
        sessions.push(Session { text: format!("Session date: {date}\nSession content:\n{turns}"), id, date });
    }
    sessions.sort_by(|one, other| one.date.cmp(&other.date));
    Ok(sessions)
}

/// The turns as JSON, without the marks that would give the answer away.
fn turns(content: &Value) -> Option<String> {
    let turn = |turn: &Value| {
        let text = |name: &str| turn.get(name).and_then(Value::as_str);
        Some(format!("{{\"role\": {}, \"content\": {}}}", json!(text("role")?), json!(text("content")?)))
    };
    let turns = content.as_array()?.iter().map(turn).collect::<Option<Vec<String>>>()?;
    Some(format!("[{}]", turns.join(", ")))
}
