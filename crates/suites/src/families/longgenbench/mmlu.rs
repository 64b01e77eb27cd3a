//! MMLU's test files (hendrycks/test, MIT): one question each, the single-question setting that the paper compares with.

use serde_json::{Value, json};

use super::answer_tokens;
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset};
use crate::families::prose;
use crate::item::{Cut, Item};
use crate::metrics::longgenbench::Kind;
use crate::prompt::{Answer, Prompt};
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `{subject}_test.csv`: question, four options, letter; no header.
pub(super) struct Mmlu;

macro_rules! subjects {
    ($($name:literal),* $(,)?) => {
        [$(Subset { name: concat!("mmlu_", $name), title: concat!("MMLU, ", $name) }),*]
    };
}

static SUBJECTS: [Subset; 57] = subjects![
    "abstract_algebra",
    "anatomy",
    "astronomy",
    "business_ethics",
    "clinical_knowledge",
    "college_biology",
    "college_chemistry",
    "college_computer_science",
    "college_mathematics",
    "college_medicine",
    "college_physics",
    "computer_security",
    "conceptual_physics",
    "econometrics",
    "electrical_engineering",
    "elementary_mathematics",
    "formal_logic",
    "global_facts",
    "high_school_biology",
    "high_school_chemistry",
    "high_school_computer_science",
    "high_school_european_history",
    "high_school_geography",
    "high_school_government_and_politics",
    "high_school_macroeconomics",
    "high_school_mathematics",
    "high_school_microeconomics",
    "high_school_physics",
    "high_school_psychology",
    "high_school_statistics",
    "high_school_us_history",
    "high_school_world_history",
    "human_aging",
    "human_sexuality",
    "international_law",
    "jurisprudence",
    "logical_fallacies",
    "machine_learning",
    "management",
    "marketing",
    "medical_genetics",
    "miscellaneous",
    "moral_disputes",
    "moral_scenarios",
    "nutrition",
    "philosophy",
    "prehistory",
    "professional_accounting",
    "professional_law",
    "professional_medicine",
    "professional_psychology",
    "public_relations",
    "security_studies",
    "sociology",
    "us_foreign_policy",
    "virology",
    "world_religions",
];

impl Dataset for Mmlu {
    fn subsets(&self) -> &'static [Subset] {
        &SUBJECTS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let stem = file_name.strip_suffix(".csv")?;
        let stem = ["_test", "_dev", "_val"].iter().find_map(|part| stem.strip_suffix(part)).unwrap_or(stem);
        SUBJECTS.iter().find(|subset| subset.name.strip_prefix("mmlu_") == Some(stem))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let cells = cells(line)
            .ok_or_else(|| RecordError::new("line", "a quotation mark is not closed: write each record on one line"))?;
        let count = cells.len();
        let [question, options @ .., letter] = cells.as_slice() else {
            return Err(RecordError::new("line", "expected question, four options and a letter"));
        };
        if options.len() != 4 {
            return Err(RecordError::new(
                "line",
                format!("expected 6 cells (question, four options, letter), got {count}"),
            ));
        }
        if !["A", "B", "C", "D"].contains(&letter.as_str()) {
            return Err(RecordError::new("answer", "expected one of A, B, C, D"));
        }
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: String::new(),
            question: question.clone(),
            references: vec![letter.clone()],
            gold: json!({ "options": options }),
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "subject": "choice" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let mut prompt = Prompt::default();
        prompt.push(super::head(Kind::Letter));
        let options = record.gold.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
        let options: Vec<String> = options
            .iter()
            .filter_map(Value::as_str)
            .zip(["A", "B", "C", "D"])
            .map(|(option, letter)| format!("{letter}. {option}"))
            .collect();
        prompt.push(&format!("Question_1: {}\n{}\n\nBegin with Answer_1:", record.question, options.join("\n")));
        let tokens = prompt.tokens();
        let room = answer_tokens(Kind::Letter) * 4;
        if tokens + room > request.length.tokens() {
            return Err(prose::unsatisfiable(task, request, format!("the question needs {} tokens", tokens + room)));
        }
        let answer = Answer {
            references: record.references.clone(),
            gold: json!({ "single": true }),
            output_tokens: Some(room),
            ..Answer::default()
        };
        let mut item = prompt.finish(task, request, answer);
        item.cut = Some(Cut { tokens_before: tokens, tokens_removed: 0, evidence_left: None });
        Ok(item)
    }
}

/// Cells of one CSV line; `None` where a quoted cell goes on beyond it.
fn cells(line: &str) -> Option<Vec<String>> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut scalars = line.chars().peekable();
    while let Some(scalar) = scalars.next() {
        match scalar {
            '"' if quoted && scalars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(scalar),
        }
    }
    cells.push(cell);
    (!quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::LongGenBench;
    use super::*;
    use crate::length::Length;
    use crate::task::{Family, TaskDefinition};

    fn task() -> Task {
        let definition = TaskDefinition::generated(LongGenBench.slug(), "mmlu", "MMLU", Mmlu.params(&SUBJECTS[0]));
        Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap()
    }

    #[test]
    fn a_record_becomes_a_single_question() {
        let subset = Mmlu.subset_of("anatomy_test.csv").unwrap();
        let records =
            Mmlu.read(subset, 3, "\"Which of these, if any, is \"\"round\"\"?\",a cube,a ball,a rod,a cone,B").unwrap();
        let task = task();
        let request = ItemRequest { record: records.first(), ..ItemRequest::new(1, 0, Length::new(4096).unwrap()) };
        let item = task.item(&request).unwrap();
        assert!(item.joined().contains("if any, is \"round\"?\nA. a cube\nB. a ball"));
        let scored = task.score(&item, "Answer_1:\nB\n\n");
        assert_eq!((scored.score, scored.strict), (1.0, Some(1.0)));
        assert_eq!(task.score(&item, "Answer_1:\nC").strict, Some(0.0));
    }

    #[test]
    fn broken_lines_name_what_is_wrong() {
        let subset = &SUBJECTS[1];
        for (line, field) in [("a,b", "line"), ("\"open,a,b,c,d,A", "line"), ("q,a,b,c,d,E", "answer"), ("", "line")] {
            assert_eq!(Mmlu.read(subset, 1, line).unwrap_err().field, field, "{line}");
        }
        assert!(Mmlu.subset_of("unknown_test.csv").is_none());
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line in "\\PC*|([a-d\",]|\"\"){0,40}") {
            let _ = Mmlu.read(&SUBJECTS[0], 1, &line);
        }
    }
}
