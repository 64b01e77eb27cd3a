//! OpenAI's MRCR records, one per line: the messages as JSON in a text, the answer with its prefix, and counts.

use serde_json::{Map, Value, json};

use super::conversation::Conversation;
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text};
use crate::families::prose;
use crate::item::{Cut, Item, Message};
use crate::prompt::Answer;
use crate::task::{GenerateError, ItemRequest, Task};

/// The reader.
pub struct Conversations;

static SUBSETS: [Subset; 3] = [
    Subset { name: "2needle", title: "MRCR, 2 needles" },
    Subset { name: "4needle", title: "MRCR, 4 needles" },
    Subset { name: "8needle", title: "MRCR, 8 needles" },
];

impl Dataset for Conversations {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let file = file_name.rsplit(['/', '\\']).next()?;
        SUBSETS.iter().find(|subset| file.starts_with(subset.name))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        let needles = whole(&fields, "n_needles")?;
        if !subset.name.starts_with(&format!("{needles}needle")) {
            return Err(RecordError::new("n_needles", format!("{needles} in a file of {}", subset.name)));
        }
        let (answer, prefix) = (text(&fields, "answer")?, text(&fields, "random_string_to_prepend")?);
        let Some(wanted) = answer.strip_prefix(&prefix).filter(|_| !prefix.is_empty()) else {
            return Err(RecordError::new("answer", "expected a text that begins with random_string_to_prepend"));
        };
        let document = text(&fields, "prompt")?;
        let messages = messages(&document).map_err(|reason| RecordError::new("prompt", reason))?;
        let total = whole(&fields, "total_messages")?;
        let desired = whole(&fields, "desired_msg_index")?;
        if desired >= total {
            return Err(RecordError::new("desired_msg_index", format!("{desired} of {total} messages")));
        }
        let told = messages.iter().any(|message| message.content == wanted);
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            question: messages.last().map(|message| message.content.clone()).unwrap_or_default(),
            references: vec![answer.clone()],
            gold: json!({ "prefix": prefix, "needles": needles, "index": desired, "messages": total }),
            official_length: Some(whole(&fields, "n_chars")?),
            evidence: told.then(|| wanted.to_owned()).into_iter().collect(),
            document,
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "needles": subset.name.trim_end_matches("needle") })
    }

    /// The messages as they are: a conversation is never cut.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let messages = messages(&record.document).map_err(|reason| prose::unsatisfiable(task, request, reason))?;
        let mut conversation = Conversation::default();
        for Message { role, content } in messages {
            if record.evidence.contains(&content) {
                conversation.push_needle(role, &content);
            } else {
                conversation.push(role, &content);
            }
        }
        let tokens = conversation.tokens();
        // The answer repeats a whole message, so its own length is what has to be left for it.
        let output = crate::tokens::count(&record.references.concat()).max(task.card().output_tokens);
        if tokens + output > request.length.tokens() {
            let reason = format!("record {} needs {} tokens uncut", record.id, tokens + output);
            return Err(prose::unsatisfiable(task, request, reason));
        }
        let answer = Answer {
            references: record.references.clone(),
            gold: record.gold.clone(),
            output_tokens: Some(output),
            ..Answer::default()
        };
        let evidence_left = (!record.evidence.is_empty()).then_some(1.0);
        let cut = Cut { tokens_before: tokens, tokens_removed: 0, evidence_left };
        Ok(Item { cut: Some(cut), ..conversation.finish(task, request, answer) })
    }
}

/// The messages of a prompt, which ends with the user's question.
fn messages(prompt: &str) -> Result<Vec<Message>, String> {
    let messages: Vec<Message> = serde_json::from_str(prompt)
        .map_err(|error| format!("expected a list of {{role, content}} as JSON ({error})"))?;
    match messages.last() {
        Some(last) if last.role == crate::item::Role::User => Ok(messages),
        _ => Err("expected at least one message, the last one of the user".to_owned()),
    }
}

fn whole(fields: &Map<String, Value>, name: &str) -> Result<u64, RecordError> {
    match fields.get(name) {
        Some(value) => value.as_u64().ok_or_else(|| RecordError::new(name, "expected a whole number from 0")),
        None => Err(RecordError::new(name, "missing")),
    }
}
