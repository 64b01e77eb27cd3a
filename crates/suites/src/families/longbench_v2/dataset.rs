//! LongBench v2's official records, one question per line; upstream's file is a list.
//!
//! Two of upstream's prompts take one request: the question with its text, and the question alone. Reasoning first is not
//! offered: there the model's reasoning is put into a second request. Retrieved chunks need a retriever.

use serde_json::{Value, json};

use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text};
use crate::families::official;
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task, choice};

/// The reader.
pub struct Questions;

static SUBSETS: [Subset; 2] = [
    Subset { name: "longbench_v2", title: "LongBench v2" },
    Subset { name: NO_CONTEXT, title: "LongBench v2 without the text" },
];

/// The same file, asked without its texts.
const NO_CONTEXT: &str = "longbench_v2_no_context";

/// `prompts/0shot_no_context.txt` of the same source.
const ALONE: &str = "What is the correct answer to this question: $Q$\nChoices:\n(A) $C_A$\n(B) $C_B$\n(C) $C_C$\n(D) $C_D$\n\nWhat is the single, most likely answer choice? Format your response as follows: \"The correct answer is (insert answer here)\".";

/// `prompts/0shot.txt` of THUDM/LongBench @ 2e00731f (MIT), before and after the document.
const HEAD: &str = "Please read the following text and answer the question below.\n\n<text>\n";
const TAIL: &str = "\n</text>\n\nWhat is the correct answer to this question: $Q$\nChoices:\n(A) $C_A$\n(B) $C_B$\n(C) $C_C$\n(D) $C_D$\n\nFormat your response as follows: \"The correct answer is (insert answer here)\".";

const OPTIONS: [(&str, &str); 4] =
    [("choice_A", "$C_A$"), ("choice_B", "$C_B$"), ("choice_C", "$C_C$"), ("choice_D", "$C_D$")];

impl Dataset for Questions {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let file = file_name.rsplit(['/', '\\']).next()?.to_ascii_lowercase().replace('-', "_");
        // Upstream calls its one file `data.json`.
        SUBSETS.iter().find(|subset| file.starts_with(subset.name) || file.starts_with("data.json"))
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        let answer = text(&fields, "answer")?;
        if !["A", "B", "C", "D"].contains(&answer.as_str()) {
            return Err(RecordError::new("answer", "expected A, B, C or D"));
        }
        let one_of = |name: &str, known: &[&str]| {
            let value = text(&fields, name)?;
            let fits = known.contains(&value.as_str());
            if fits { Ok(value) } else { Err(RecordError::new(name, format!("expected one of {}", known.join(", ")))) }
        };
        let options: Vec<String> =
            OPTIONS.iter().map(|(name, _)| text(&fields, name)).collect::<Result<_, RecordError>>()?;
        Ok(vec![Record {
            id: text(&fields, "_id")?,
            subset: subset.name.to_owned(),
            document: text(&fields, "context")?,
            question: text(&fields, "question")?,
            references: vec![answer],
            gold: json!({
                "options": options,
                "domain": text(&fields, "domain")?,
                "sub_domain": text(&fields, "sub_domain")?,
                "difficulty": one_of("difficulty", &["easy", "hard"])?,
                "length": one_of("length", &["short", "medium", "long"])?,
            }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        if subset.name == NO_CONTEXT { json!({ "context": "none" }) } else { json!({}) }
    }

    /// The official prompt, its middle cut as `pred.py` does. The document is put in without white space around it.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let options: Vec<&str> = record
            .gold
            .get("options")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        if choice(&task.definition().params, "context") == "none" {
            let prompt = filled(ALONE, &record.question, &options);
            return official::cut_whole(task, request, record, &[&prompt], official::answer(record));
        }
        let tail = filled(TAIL, &record.question, &options);
        official::cut_whole(task, request, record, &[HEAD, record.document.trim(), &tail], official::answer(record))
    }
}

/// A template whose every slot is filled once, so that text put in is never searched for slots.
fn filled(template: &str, question: &str, options: &[&str]) -> String {
    let slots = OPTIONS.iter().map(|(_, slot)| *slot).zip(options.iter().copied());
    let (mut filled, mut rest) = (String::new(), template);
    for (slot, text) in std::iter::once(("$Q$", question)).chain(slots) {
        let (before, after) = rest.split_once(slot).unwrap_or((rest, ""));
        filled.extend([before, text.trim()]);
        rest = after;
    }
    filled + rest
}
