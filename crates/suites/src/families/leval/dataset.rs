//! L-Eval's official files: one document per line with its instructions and outputs.

use serde_json::{Map, Value, json};

use super::JUDGED;
use crate::card::Side;
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text, texts};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task, choice};

/// The reader.
pub struct Documents;

const fn subset(name: &'static str, title: &'static str) -> Subset {
    Subset { name, title }
}

static SUBSETS: [Subset; 21] = [
    subset("tpo", "TOEFL"),
    subset("gsm100", "GSM(16-shot)"),
    subset("quality", "QuALITY"),
    subset("coursera", "Coursera"),
    subset("topic_retrieval_longchat", "TopicRet"),
    subset("sci_fi", "SFiction"),
    subset("codeU", "CodeU"),
    subset("multidoc_qa", "MultiDoc2Dial"),
    subset("scientific_qa", "Qasper"),
    subset("financial_qa", "LongFQA"),
    subset("natural_question", "NQ"),
    subset("legal_contract_qa", "CUAD"),
    subset("narrative_qa", "NarrativeQA"),
    subset("news_summ", "Multi-News"),
    subset("gov_report_summ", "GovReport"),
    subset("patent_summ", "BigPatent"),
    subset("tv_show_summ", "SummScreen"),
    subset("paper_assistant", "OpenReview"),
    subset("meeting_summ", "QMSum"),
    subset("review_summ", "SPACE"),
    subset(JUDGED, "Questions for judges"),
];

/// The shape whose scoring a data set has.
fn shape(name: &str) -> &str {
    match name {
        JUDGED => JUDGED,
        "tpo" | "quality" | "coursera" | "gsm100" | "codeU" | "sci_fi" => name,
        "topic_retrieval_longchat" => "topic_retrieval",
        "legal_contract_qa" | "multidoc_qa" => name,
        "scientific_qa" | "financial_qa" | "natural_question" | "narrative_qa" => "natural_question",
        _ => "meeting_summ",
    }
}

impl Dataset for Documents {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        if subset.name == JUDGED {
            return Ok(vec![judged(&fields, line_number)?]);
        }
        let (document, evaluation) = (text(&fields, "input")?, text(&fields, "evaluation")?);
        let (instructions, outputs) = (texts(&fields, "instructions")?, texts(&fields, "outputs")?);
        if instructions.len() != outputs.len() {
            let reason = format!("{} texts for {} instructions", outputs.len(), instructions.len());
            return Err(RecordError::new("outputs", reason));
        }
        match evaluation.as_str() {
            "exam" | "f1" | "rouge" => {}
            // Lines for judges and people have no number of their own.
            "LLM" | "human" => return Ok(Vec::new()),
            other => {
                let reason = format!("`{other}` is none of exam, f1, rouge, LLM and human");
                return Err(RecordError::new("evaluation", reason));
            }
        }
        let record = |((question, output), number): ((String, String), usize)| Record {
            id: format!("{line_number}.{number}"),
            subset: subset.name.to_owned(),
            document: document.clone(),
            question,
            references: vec![output],
            gold: json!({ "evaluation": evaluation }),
            official_length: None,
            evidence: Vec::new(),
        };
        Ok(instructions.into_iter().zip(outputs).zip(1..).map(record).collect())
    }

    fn params(&self, subset: &Subset) -> Value {
        let shape = shape(subset.name);
        let open = matches!(shape, "natural_question" | "legal_contract_qa" | "multidoc_qa" | "meeting_summ");
        json!({ "task": shape, "length_hint": if open { "yes" } else { "no" } })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        if choice(params, "task") == JUDGED {
            let head = "The document that the models read is not part of their prediction files.\n\n".to_owned();
            let frame = Frame { head, tail: format!("Instruction: {}", record.question), side: Side::Right };
            return official::item(task, request, record, &frame, official::answer(record));
        }
        let reference = record.references.first().map_or("", String::as_str);
        let hint = if choice(params, "length_hint") == "yes" {
            format!("\nUse about {} words.", reference.split_whitespace().count())
        } else {
            String::new()
        };
        let rule = match choice(params, "task") {
            "tpo" | "quality" => "Reply with the letter of the one right option.",
            "coursera" => "One option or several may be right. Reply with their letters and nothing else.",
            "gsm100" => "End with the words: The answer is, and the number.",
            "sci_fi" => {
                "Say whether it is true in the document and whether it is a fact in our world, in the form of this example: False [fact: False]"
            }
            "topic_retrieval" => "Reply with the topic and nothing else.",
            "codeU" => "End with the final output.",
            _ => "Answer from the document.",
        };
        let side = if choice(params, "task") == "codeU" { Side::Left } else { Side::Right };
        let frame = Frame {
            head: "Read the document below and follow the instruction after it.\n\n".to_owned(),
            tail: format!("\n\nInstruction: {}\n{rule}{hint}\nAnswer:", record.question),
            side,
        };
        official::item(task, request, record, &frame, official::answer(record))
    }
}

/// A question as [`lines`](crate::predictions::leval::JudgeSubset::lines) writes it.
fn judged(fields: &Map<String, Value>, line_number: usize) -> Result<Record, RecordError> {
    let (question, evaluation) = (text(fields, "query")?, text(fields, "evaluation")?);
    Ok(Record {
        id: line_number.to_string(),
        subset: JUDGED.to_owned(),
        document: String::new(),
        references: vec![text(fields, "gt")?],
        gold: json!({ "evaluation": evaluation, "question": question }),
        question,
        official_length: None,
        evidence: Vec::new(),
    })
}
