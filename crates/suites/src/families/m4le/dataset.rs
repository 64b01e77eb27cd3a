//! The official files: `instruction`, `input`, `answers`, `length_bucket` and more, one file per task.

use serde_json::{Value, json};

use crate::card::Side;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::metrics::m4le::M4leTask;
use crate::task::{GenerateError, ItemRequest, Task};

/// Values of the parameter `data`: generated reports, or an official task.
pub const OPTIONS: [&str; 40] = [
    "own",
    "arxiv",
    "pubmed",
    "booksum",
    "cnnnews",
    "wikihow",
    "cnewsum",
    "clts+",
    "cepsum",
    "lcsts",
    "ncls",
    "triviaqa",
    "newsqa",
    "duorc",
    "nq-open",
    "c3",
    "dureader",
    "open-subtitles-en2zh",
    "open-subtitles-zh2en",
    "news-commentary-en2zh",
    "news-commentary-zh2en",
    "tedtalks-en2zh",
    "tedtalks-zh2en",
    "wow",
    "marc",
    "online-shopping",
    "wikitext-103",
    "wiki2019zh",
    "news2016",
    "bigpatent_global_cls",
    "bigpatent_global_sum",
    "mnds-news_explicit-single_cls+ret",
    "thucnews_explicit-single_cls+ret",
    "drcd_explicit-single_ret",
    "mnds-news_explicit-multiple_cls+ret",
    "thucnews_explicit-multiple_cls+ret",
    "drcd_semantic-single_qa",
    "mnds-news_semantic-multiple_cls+cnt",
    "thucnews_semantic-multiple_cls+cnt",
    "hotpotqa",
];

static SUBSETS: [Subset; 39] = [
    subset("arxiv"),
    subset("pubmed"),
    subset("booksum"),
    subset("cnnnews"),
    subset("wikihow"),
    subset("cnewsum"),
    subset("clts+"),
    subset("cepsum"),
    subset("lcsts"),
    subset("ncls"),
    subset("triviaqa"),
    subset("newsqa"),
    subset("duorc"),
    subset("nq-open"),
    subset("c3"),
    subset("dureader"),
    subset("open-subtitles-en2zh"),
    subset("open-subtitles-zh2en"),
    subset("news-commentary-en2zh"),
    subset("news-commentary-zh2en"),
    subset("tedtalks-en2zh"),
    subset("tedtalks-zh2en"),
    subset("wow"),
    subset("marc"),
    subset("online-shopping"),
    subset("wikitext-103"),
    subset("wiki2019zh"),
    subset("news2016"),
    subset("bigpatent_global_cls"),
    subset("bigpatent_global_sum"),
    subset("mnds-news_explicit-single_cls+ret"),
    subset("thucnews_explicit-single_cls+ret"),
    subset("drcd_explicit-single_ret"),
    subset("mnds-news_explicit-multiple_cls+ret"),
    subset("thucnews_explicit-multiple_cls+ret"),
    subset("drcd_semantic-single_qa"),
    subset("mnds-news_semantic-multiple_cls+cnt"),
    subset("thucnews_semantic-multiple_cls+cnt"),
    subset("hotpotqa"),
];

const fn subset(name: &'static str) -> Subset {
    Subset { name, title: name }
}

/// The reader.
pub struct M4leFiles;

impl Dataset for M4leFiles {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    /// Data files lack the ending `_cls+ret`, `_ret`, `_qa` or `_cls+cnt` that the scoring table has.
    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let name = file_name.rsplit('/').next()?;
        let stem = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".json")).unwrap_or(name);
        let named = |subset: &&Subset| subset.name == stem;
        let begun = |subset: &&Subset| subset.name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('_'));
        SUBSETS.iter().find(named).or_else(|| SUBSETS.iter().find(begun).filter(|_| stem.contains('_')))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let references = dataset::texts(&fields, "answers")?;
        if references.is_empty() {
            return Err(RecordError::new("answers", "expected at least one answer"));
        }
        let official_length = match fields.get("length_bucket") {
            None | Some(Value::Null) => None,
            Some(value) => {
                Some(value.as_u64().ok_or_else(|| RecordError::new("length_bucket", "expected a whole number"))?)
            }
        };
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: dataset::text(&fields, "input")?,
            question: dataset::text(&fields, "instruction")?,
            references,
            gold: Value::Null,
            official_length,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, subset: &Subset) -> Value {
        let chinese = M4leTask::find(subset.name).is_some_and(|task| task.chinese);
        json!({ "data": subset.name, "language": if chinese { "zh" } else { "en" } })
    }

    /// Instruction and input as they stand: the record holds its whole prompt. Where it is longer than the window its
    /// middle is cut, because the question stands at the end.
    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let head = format!("{}\n", record.question);
        let frame = Frame { head, tail: String::new(), side: Side::Middle };
        official::item(task, request, record, &frame, official::answer(record))
    }
}
