//! The data files of SpokenNLP's topic segmentation: one document a line, `sentences` and `labels`.
//!
//! A label is 1 at the last sentence of a topic, 0 at the end of a paragraph within one, and -100 elsewhere. Upstream scores
//! the ends of paragraphs only; a chat endpoint sees no paragraphs, so every sentence is scored. The official encoders cut
//! documents into windows; here nothing is cut, because a document that loses sentences has other boundaries.

use serde_json::{Value, json};

use super::{NUMBERED, TAIL};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of the documents.
pub(super) struct Documents;

static SUBSETS: [Subset; 5] = [
    Subset { name: "wiki_727k", title: "WIKI-727K" },
    Subset { name: "wiki_50", title: "WIKI-50" },
    Subset { name: "en_city", title: "WikiSection, cities" },
    Subset { name: "en_disease", title: "WikiSection, diseases" },
    Subset { name: "elements", title: "Elements" },
];

/// Tokens that are kept for numbers at most.
const MOST_OUTPUT: usize = 4096;

impl Dataset for Documents {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    /// The data set's name stands anywhere in the path, with `-` or `_`.
    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let name = file_name.to_ascii_lowercase().replace('-', "_");
        SUBSETS.iter().find(|subset| name.contains(subset.name))
    }

    /// Documents of a single topic have no boundary to find and become no records.
    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let sentences = dataset::texts(&fields, "sentences")?;
        let labels = fields.get("labels").and_then(Value::as_array);
        let label = |value: &Value| value.as_i64().filter(|label| matches!(label, 1 | 0 | -100));
        let labels: Option<Vec<i64>> = labels.and_then(|list| list.iter().map(label).collect());
        let Some(labels) = labels.filter(|labels| labels.len() == sentences.len() && labels.len() > 1) else {
            return Err(RecordError::new(
                "labels",
                "expected 1, 0 or -100 for each sentence, and two sentences at least",
            ));
        };
        let last = labels.len() - 1;
        let boundary = |(place, label): (usize, &i64)| (*label == 1 && place < last).then_some(place + 1);
        let boundaries: Vec<usize> = labels.iter().enumerate().filter_map(boundary).collect();
        if boundaries.is_empty() {
            return Ok(Vec::new());
        }
        let numbered = (1..).zip(&sentences).map(|(number, sentence)| format!("[{number}] {sentence}\n"));
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: numbered.collect(),
            question: String::new(),
            references: vec![json!(boundaries).to_string()],
            gold: json!({ "boundaries": boundaries, "sentences": sentences.len() }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push("The numbered sentences below come from one document of several topics.");
        prompt.push(NUMBERED);
        prompt.push(&record.document);
        prompt.push(&TAIL.replace("article", "topic"));
        let sentences = record.gold.get("sentences").and_then(Value::as_u64).unwrap_or_default() as usize;
        let output = task.card().output_tokens as usize + sentences.min(MOST_OUTPUT);
        let answer = Answer { output_tokens: u32::try_from(output).ok(), ..official::answer(record) };
        official::whole(task, request, record, prompt, answer)
    }
}
