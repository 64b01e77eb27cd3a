//! LongFact's prompt files: one JSON object per line with a prompt and the canary that must stay with it.

use serde_json::{Value, json};

use super::DETAIL;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::prose;
use crate::item::{Cut, Item};
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `longfact-{part}_{topic}.jsonl`.
pub(super) struct Prompts;

macro_rules! topics {
    ($($topic:literal),* $(,)?) => {
        [$(
            Subset { name: concat!("concepts_", $topic), title: concat!("LongFact concepts, ", $topic) },
            Subset { name: concat!("objects_", $topic), title: concat!("LongFact objects, ", $topic) },
        )*]
    };
}

static SUBSETS: [Subset; 76] = topics![
    "20th-century-events",
    "US-foreign-policy",
    "accounting",
    "architecture",
    "astronomy",
    "biology",
    "business-ethics",
    "celebrities",
    "chemistry",
    "clinical-knowledge",
    "computer-science",
    "computer-security",
    "economics",
    "electrical-engineering",
    "gaming",
    "geography",
    "global-facts",
    "history",
    "immigration-law",
    "international-law",
    "jurisprudence",
    "machine-learning",
    "management",
    "marketing",
    "mathematics",
    "medicine",
    "moral-disputes",
    "movies",
    "music",
    "philosophy",
    "physics",
    "prehistory",
    "psychology",
    "public-relations",
    "sociology",
    "sports",
    "virology",
    "world-religions",
];

impl Dataset for Prompts {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let stem = file_name.strip_prefix("longfact-")?.strip_suffix(".jsonl")?;
        SUBSETS.iter().find(|subset| subset.name == stem)
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let question = dataset::text(&fields, "prompt")?;
        if question.trim().is_empty() {
            return Err(RecordError::new("prompt", "is empty"));
        }
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: String::new(),
            question,
            references: Vec::new(),
            gold: json!({ "canary": dataset::text(&fields, "canary")? }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "facts": "rater" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push(&format!("{} {DETAIL}", record.question));
        let tokens = prompt.tokens();
        let room = request.length.tokens().saturating_sub(tokens).min(task.card().output_tokens);
        if room < 256 {
            let reason = format!("the prompt has {tokens} tokens and a long answer needs more than {room}");
            return Err(prose::unsatisfiable(task, request, reason));
        }
        let answer = Answer { gold: record.gold.clone(), output_tokens: Some(room), ..Answer::default() };
        let mut item = prompt.finish(task, request, answer);
        item.cut = Some(Cut { tokens_before: tokens, tokens_removed: 0, evidence_left: None });
        Ok(item)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::length::Length;
    use crate::task::TaskDefinition;

    #[test]
    fn a_prompt_becomes_an_open_ended_item() {
        let subset = Prompts.subset_of("longfact-objects_astronomy.jsonl").unwrap();
        let line = json!({ "prompt": "What is the moon of Tarn?", "canary": "do not train on this" }).to_string();
        let records = Prompts.read(subset, 1, &line).unwrap();
        let definition = TaskDefinition::generated("longfact", "x", "x", Prompts.params(subset));
        let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap();
        let request = ItemRequest { record: records.first(), ..ItemRequest::new(1, 0, Length::new(4096).unwrap()) };
        let item = task.item(&request).unwrap();
        assert!(item.joined().starts_with("What is the moon of Tarn? ") && !item.joined().contains("canary"));
        assert!(task.open_ended(&item).is_some() && item.gold["canary"] == "do not train on this");
    }

    #[test]
    fn broken_records_name_the_field() {
        for (line, field) in
            [("3", "line"), ("{}", "prompt"), ("{\"prompt\": \" \"}", "prompt"), ("{\"prompt\": \"x\"}", "canary")]
        {
            assert_eq!(Prompts.read(&SUBSETS[0], 1, line).unwrap_err().field, field, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line in "\\PC*|\\{(\"(prompt|canary)\": (1|\"x\"|null),?){0,3}\\}") {
            let _ = Prompts.read(&SUBSETS[0], 1, &line);
        }
    }
}
