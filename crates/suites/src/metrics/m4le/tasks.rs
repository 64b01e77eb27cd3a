//! The scoring table: how each of the benchmark's tasks reads and scores an answer.

use super::{bleu, contained, cut, equals, equals_strict, list_f1, list_f1_strict, quoted, rouge_en, rouge_zh};

/// How a list of identifiers is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lists {
    /// What stands between identifiers.
    pub separator: char,
    /// Where the answer's list ends.
    pub end: char,
    /// Whether the reference's list ends there too. Where not, its full stop belongs to the last identifier.
    pub cuts_gold: bool,
}

/// How answers are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A reference occurs in the answer.
    Acc,
    /// The answer is a reference.
    ExactMatch,
    /// The answer is the reference up to this scalar.
    Count(char),
    /// F1 of lists.
    List(Lists),
    /// Recall of ROUGE-L.
    Rouge,
    /// Recall of ROUGE-L of what the answer puts in quotes.
    QuotedRouge,
    /// BLEU. The official value is one for all answers of a length; for one answer it is its BLEU alone.
    Bleu,
}

/// One task of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct M4leTask {
    /// Official name.
    pub name: &'static str,
    /// Texts at which an answer ends, applied in turn.
    pub ends: &'static [&'static str],
    /// Whether its texts are scored as Chinese.
    pub chinese: bool,
    /// The rule.
    pub rule: Rule,
}

/// The tasks in the official order.
pub static TASKS: [M4leTask; 39] = [
    task("arxiv", &["\n"], false, Rule::Rouge),
    task("pubmed", &["\n"], false, Rule::Rouge),
    task("booksum", &["\n"], false, Rule::Rouge),
    task("cnnnews", &["\n"], false, Rule::Rouge),
    task("wikihow", &["\n"], false, Rule::Rouge),
    task("cnewsum", &["\n", "新闻"], true, Rule::Rouge),
    task("clts+", &["\n", "新闻"], true, Rule::Rouge),
    task("cepsum", &["\n"], true, Rule::Rouge),
    task("lcsts", &["\n"], true, Rule::Rouge),
    task("ncls", &["\n"], true, Rule::Rouge),
    task("triviaqa", &["\n", "."], false, Rule::Acc),
    task("newsqa", &["\n", "."], false, Rule::Acc),
    task("duorc", &["\n", "."], false, Rule::Acc),
    task("nq-open", &["\n", "."], false, Rule::Acc),
    task("c3", &["\n", "。"], true, Rule::Acc),
    task("dureader", &["\n", "。"], true, Rule::Acc),
    task("open-subtitles-en2zh", &[], true, Rule::Bleu),
    task("open-subtitles-zh2en", &[], false, Rule::Bleu),
    task("news-commentary-en2zh", &[], true, Rule::Bleu),
    task("news-commentary-zh2en", &[], false, Rule::Bleu),
    task("tedtalks-en2zh", &[], true, Rule::Bleu),
    task("tedtalks-zh2en", &[], false, Rule::Bleu),
    task("wow", &[",", "\n"], false, Rule::Acc),
    task("marc", &[], false, Rule::List(Lists { separator: ',', end: '.', cuts_gold: true })),
    task("online-shopping", &[], false, Rule::List(Lists { separator: '，', end: '。', cuts_gold: false })),
    task("wikitext-103", &["."], false, Rule::ExactMatch),
    task("wiki2019zh", &["。"], true, Rule::ExactMatch),
    task("news2016", &["\n"], true, Rule::QuotedRouge),
    task("bigpatent_global_cls", &[":"], false, Rule::Acc),
    task("bigpatent_global_sum", &["\n"], false, Rule::Rouge),
    task("mnds-news_explicit-single_cls+ret", &[], false, Rule::ExactMatch),
    task("thucnews_explicit-single_cls+ret", &[], true, Rule::ExactMatch),
    task("drcd_explicit-single_ret", &["，", "\n"], false, Rule::Acc),
    task(
        "mnds-news_explicit-multiple_cls+ret",
        &[],
        false,
        Rule::List(Lists { separator: ',', end: '.', cuts_gold: false }),
    ),
    task(
        "thucnews_explicit-multiple_cls+ret",
        &[],
        true,
        Rule::List(Lists { separator: '，', end: '。', cuts_gold: false }),
    ),
    task("drcd_semantic-single_qa", &["\n", "。"], true, Rule::Acc),
    task("mnds-news_semantic-multiple_cls+cnt", &["."], false, Rule::Count('.')),
    task("thucnews_semantic-multiple_cls+cnt", &["。"], true, Rule::Count('。')),
    task("hotpotqa", &["\n", "."], false, Rule::Acc),
];

const fn task(name: &'static str, ends: &'static [&'static str], chinese: bool, rule: Rule) -> M4leTask {
    M4leTask { name, ends, chinese, rule }
}

impl M4leTask {
    /// The task of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        TASKS.iter().find(|task| task.name == name)
    }

    /// What the rule reads of an answer.
    #[must_use]
    pub fn read<'a>(&self, answer: &'a str) -> &'a str {
        match self.rule {
            Rule::QuotedRouge => cut(quoted(answer), self.ends),
            _ => cut(answer, self.ends),
        }
    }

    /// Official score and, where the official rule has a known fault, the strict one; 0..1.
    #[must_use]
    pub fn score(&self, answer: &str, references: &[String]) -> (f64, Option<f64>) {
        let read = self.read(answer);
        let first = references.first().map_or("", String::as_str);
        match self.rule {
            Rule::Acc => (f64::from(contained(read, references)), Some(f64::from(equals_strict(read, references)))),
            Rule::ExactMatch => (f64::from(equals(read, references)), Some(f64::from(equals_strict(read, references)))),
            Rule::Count(end) => {
                let gold = [first.split(end).next().unwrap_or_default().to_owned()];
                (f64::from(equals(read, &gold)), Some(f64::from(equals_strict(read, &gold))))
            }
            Rule::List(lists) => (list_f1(answer, first, lists), Some(list_f1_strict(answer, first))),
            Rule::Rouge | Rule::QuotedRouge => {
                let rouge = if self.chinese { rouge_zh(read, references) } else { rouge_en(read, references) };
                (rouge.recall, Some(rouge.f))
            }
            Rule::Bleu => (bleu::corpus(&[(read, references)], self.chinese).unwrap_or_default(), None),
        }
    }

    /// Slug of the official metric.
    #[must_use]
    pub const fn metric(&self) -> &'static str {
        match (self.rule, self.chinese) {
            (Rule::Acc, _) => "m4le.acc",
            (Rule::ExactMatch, _) => "m4le.exact_match",
            (Rule::Count(_), _) => "m4le.exact_match_semantic_count",
            (Rule::List(_), _) => "m4le.cls_f1",
            (Rule::Rouge | Rule::QuotedRouge, false) => "m4le.rougeL_recall_en",
            (Rule::Rouge | Rule::QuotedRouge, true) => "m4le.rougeL_recall_zh",
            (Rule::Bleu, false) => "m4le.bleu_en",
            (Rule::Bleu, true) => "m4le.bleu_zh",
        }
    }

    /// Slug of the strict metric.
    #[must_use]
    pub const fn strict_metric(&self) -> Option<&'static str> {
        match (self.rule, self.chinese) {
            (Rule::Acc, _) => Some("m4le.acc.strict"),
            (Rule::ExactMatch | Rule::Count(_), _) => Some("m4le.exact_match.strict"),
            (Rule::List(_), _) => Some("m4le.cls_f1.strict"),
            (Rule::Rouge | Rule::QuotedRouge, false) => Some("m4le.rougeL_recall_en.strict"),
            (Rule::Rouge | Rule::QuotedRouge, true) => Some("m4le.rougeL_recall_zh.strict"),
            (Rule::Bleu, _) => None,
        }
    }
}
