//! LongBench's official files: one question per line, one file per data set, and those of LongBench-E with `_e`.

use serde_json::{Map, Value, json};

use super::template;
use crate::dataset::{Dataset, Folder, Record, RecordError, Subset, object, text, texts};
use crate::families::official;
use crate::item::Item;
use crate::metrics::longbench::Rule;
use crate::task::{GenerateError, ItemRequest, Task};

/// The reader.
pub struct Files;

const fn subset(name: &'static str, title: &'static str) -> Subset {
    Subset { name, title }
}

static SUBSETS: [Subset; 34] = [
    subset("narrativeqa", "NarrativeQA"),
    subset("qasper", "Qasper"),
    subset("multifieldqa_en", "MultiFieldQA-en"),
    subset("multifieldqa_zh", "MultiFieldQA-zh"),
    subset("hotpotqa", "HotpotQA"),
    subset("2wikimqa", "2WikiMultihopQA"),
    subset("musique", "MuSiQue"),
    subset("dureader", "DuReader"),
    subset("gov_report", "GovReport"),
    subset("qmsum", "QMSum"),
    subset("multi_news", "MultiNews"),
    subset("vcsum", "VCSUM"),
    subset("trec", "TREC"),
    subset("triviaqa", "TriviaQA"),
    subset("samsum", "SAMSum"),
    subset("lsht", "LSHT"),
    subset("passage_count", "PassageCount"),
    subset("passage_retrieval_en", "PassageRetrieval-en"),
    subset("passage_retrieval_zh", "PassageRetrieval-zh"),
    subset("lcc", "LCC"),
    subset("repobench-p", "RepoBench-P"),
    subset("qasper_e", "Qasper, LongBench-E"),
    subset("multifieldqa_en_e", "MultiFieldQA-en, LongBench-E"),
    subset("hotpotqa_e", "HotpotQA, LongBench-E"),
    subset("2wikimqa_e", "2WikiMultihopQA, LongBench-E"),
    subset("gov_report_e", "GovReport, LongBench-E"),
    subset("multi_news_e", "MultiNews, LongBench-E"),
    subset("trec_e", "TREC, LongBench-E"),
    subset("triviaqa_e", "TriviaQA, LongBench-E"),
    subset("samsum_e", "SAMSum, LongBench-E"),
    subset("passage_count_e", "PassageCount, LongBench-E"),
    subset("passage_retrieval_en_e", "PassageRetrieval-en, LongBench-E"),
    subset("lcc_e", "LCC, LongBench-E"),
    subset("repobench-p_e", "RepoBench-P, LongBench-E"),
];

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn read_beside(&self, subset: &Subset, _: usize, line: &str, _: &dyn Folder) -> Result<Vec<Record>, RecordError> {
        let fields = object(line)?;
        let base = base(subset.name);
        let data_set = text(&fields, "dataset")?;
        if data_set != base && data_set != subset.name {
            return Err(RecordError::new("dataset", format!("`{data_set}` in a file of {}", subset.name)));
        }
        text(&fields, "language")?;
        let references = texts(&fields, "answers")?;
        if references.is_empty() {
            return Err(RecordError::new("answers", "expected at least one answer"));
        }
        let length = whole(&fields, "length")?;
        Ok(vec![Record {
            id: text(&fields, "_id")?,
            subset: subset.name.to_owned(),
            document: text(&fields, "context")?,
            question: text(&fields, "input")?,
            references,
            gold: json!({ "classes": classes(&fields, base)? }),
            official_length: Some(length),
            evidence: Vec::new(),
        }])
    }

    /// LongBench-E's, in words (characters in Chinese).
    fn buckets(&self, subset: &Subset) -> &'static [u64] {
        if base(subset.name) == subset.name { &[] } else { &[4000, 8000] }
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "dataset": base(subset.name) })
    }

    /// The official prompt, its middle cut as `pred.py` does: half of the window from either end of the filled prompt.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let (head, tail) = template::frame(base(&record.subset), &record.question);
        official::cut_whole(task, request, record, &[&head, &record.document, &tail], official::answer(record))
    }
}

/// The data set without the mark of LongBench-E.
fn base(name: &str) -> &str {
    name.strip_suffix("_e").unwrap_or(name)
}

fn whole(fields: &Map<String, Value>, name: &str) -> Result<u64, RecordError> {
    match fields.get(name) {
        Some(value) => value.as_u64().ok_or_else(|| RecordError::new(name, "expected a whole number from 0")),
        None => Err(RecordError::new(name, "missing")),
    }
}

/// The classes of data sets that are scored by them; null or absent elsewhere.
fn classes(fields: &Map<String, Value>, base: &str) -> Result<Vec<String>, RecordError> {
    let needed = Rule::of(base) == Some(Rule::Classification);
    match fields.get("all_classes") {
        None | Some(Value::Null) if !needed => Ok(Vec::new()),
        None | Some(Value::Null) => Err(RecordError::new("all_classes", "expected the list of classes")),
        Some(_) => texts(fields, "all_classes"),
    }
}
