//! A sample: its prompt, rebuilt and paged around the needles, the answer, what was read in it and how it ended.

use std::ops::Range;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::factuality::{Factuality, factuality};
use longboard_app::report::sample_report;
use longboard_app::store::task::Task as TaskRow;
use longboard_app::suites::item::{Item, Needle};
use longboard_app::suites::length::Length;
use longboard_app::suites::retrieval::Judged;
use longboard_app::suites::safe::Support;
use longboard_app::{AppError, Longboard};
use longboard_protocol::api::SampleReport;
use serde::Deserialize;
use uuid::Uuid;

use crate::pages::leaf::{LeavesView, leaves};
use crate::pages::page;
use crate::pages::ranking::{RankingView, rankings};
use crate::pages::score::{ScoresView, view};
use crate::refusal::{ApiError, PageError};

/// Bytes of prompt on one page.
const WINDOW: usize = 8000;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/runs/{id}/samples/{number}.json", get().to(json))
        .route("/runs/{id}/samples/{number}", get().to(sample));
}

#[derive(Deserialize)]
struct Place {
    page: Option<usize>,
    /// Page of the document.
    leaf: Option<u32>,
    /// Corpus that the answer is checked against, instead of the item's own facts.
    corpus: Option<String>,
}

#[derive(Template)]
#[template(path = "runs/sample.html")]
struct SamplePage {
    sample: SampleReport,
    model: String,
    score: String,
    strict: Option<String>,
    evidence_left: Option<String>,
    timing: String,
    prompt: Option<PromptPage>,
    /// Pages of the document, where it has some.
    leaves: Option<LeavesView>,
    /// What each query found, where the answer is a ranking.
    rankings: Vec<RankingView>,
    /// Scores from 1 to 5, where judges gave some.
    scores: Option<ScoresView>,
    facts: Option<Facts>,
    sources: Vec<SourceLine>,
    /// How to build the prompt without a server; absent where it stands on a data file.
    reproduce: Option<String>,
}

/// A corpus to check against.
struct SourceLine {
    slug: String,
    title: String,
    current: bool,
}

/// A long answer held against the facts of its item, or against a corpus.
struct Facts {
    against: String,
    asked: Vec<(String, &'static str)>,
    said: Vec<SaidLine>,
    summary: String,
}

struct SaidLine {
    text: String,
    verdict: &'static str,
    evidence: String,
}

/// A part of a prompt.
pub(super) struct PromptPage {
    /// From 1.
    pub number: usize,
    /// Pages in all.
    pub pages: usize,
    /// Text in order; true for evidence.
    pub pieces: Vec<(String, bool)>,
    /// Depth of each needle in percent with the page it begins on.
    pub needles: Vec<(String, usize)>,
    /// Canonical tokens of the whole prompt.
    pub tokens: u32,
    /// Pictures in the whole prompt, and bytes of their files.
    pub pictures: (usize, usize),
    /// It is no prompt, but queries and the documents that are relevant.
    pub searched: bool,
}

/// A sample with what it was rebuilt from.
struct Rebuilt {
    report: SampleReport,
    model: String,
    task: TaskRow,
    item: Option<Item>,
}

async fn rebuilt(longboard: &Longboard, id: Uuid, number: u32) -> Result<Rebuilt, AppError> {
    let run = longboard.run(id).await?;
    let answer = longboard.answer(&run, number).await?;
    let task = longboard.task(&answer.task_slug, Some(answer.task_version)).await?;
    let item = if task.imported() {
        None
    } else {
        let length =
            Length::new(answer.length_tokens.cast_unsigned()).map_err(|error| AppError::Invalid(error.to_string()))?;
        Some(longboard.item(&task, length, run.seed, answer.item_index.cast_unsigned()).await?)
    };
    let model = longboard.store().endpoint(run.endpoint_id).await?.map(|row| row.slug).unwrap_or_default();
    let references = item.as_ref().map(|item| item.references.clone()).unwrap_or_default();
    Ok(Rebuilt { report: sample_report(&run, &answer, references), model, task, item })
}

async fn json(path: Path<(Uuid, u32)>, longboard: Data<Longboard>) -> Result<HttpResponse, ApiError> {
    let (id, number) = path.into_inner();
    Ok(HttpResponse::Ok().json(rebuilt(&longboard, id, number).await?.report))
}

async fn sample(
    path: Path<(Uuid, u32)>,
    place: Query<Place>,
    longboard: Data<Longboard>,
) -> Result<HttpResponse, PageError> {
    let (id, number) = path.into_inner();
    let Rebuilt { report: sample, model, task, item } = rebuilt(&longboard, id, number).await?;
    let percent = |score: Option<f64>| score.map(|score| format!("{score:.1}"));
    let prompt = item.as_ref().map(|item| prompt_page(item, place.page));
    let leaves = item.as_ref().and_then(|item| leaves(item, place.leaf));
    let rankings = item.as_ref().map(|item| rankings(item, &sample.answer)).unwrap_or_default();
    let asked = place.into_inner().corpus;
    let (against, found) = match (asked.as_deref(), item) {
        (Some(corpus), _) => {
            (format!("the corpus {corpus}"), Some(longboard.factuality_in(corpus, sample.answer.clone()).await?))
        }
        (None, Some(item)) => ("the facts above".to_owned(), factuality(&task, item, sample.answer.clone()).await?),
        (None, None) => (String::new(), None),
    };
    let sources = longboard.sources(&task).await?.into_iter().map(|corpus| SourceLine {
        current: asked.as_deref() == Some(corpus.slug.as_str()),
        slug: corpus.slug,
        title: corpus.title,
    });
    page(&SamplePage {
        score: percent(sample.score).unwrap_or_else(|| "–".to_owned()),
        strict: percent(sample.strict),
        evidence_left: sample.evidence_left.map(|share| format!("{:.0} %", 100.0 * share)),
        timing: timing(&sample),
        prompt,
        leaves,
        rankings,
        scores: longboard.answer_scores(id, number).await?.map(view),
        facts: found.map(|found| facts(found, against)),
        sources: sources.collect(),
        reproduce: task.data_sha256.is_none().then(|| {
            format!(
                "longboard-worker generate --task {} --length {} --seed {} --index {}",
                sample.task, sample.length, sample.seed, sample.index
            )
        }),
        sample,
        model,
    })
}

fn facts(found: Factuality, against: String) -> Facts {
    let scores: Vec<String> = found.f1_at.iter().map(|(k, score)| format!("F1@{k} {score:.1}")).collect();
    let said = found.said.into_iter().map(|fact| SaidLine {
        verdict: match fact.label {
            Support::Supported => "supported",
            Support::NotSupported => "not supported",
            Support::Irrelevant => "beside the question",
        },
        evidence: fact.evidence.first().map(|piece| piece.text.clone()).unwrap_or_default(),
        text: fact.text,
    });
    Facts {
        summary: format!("{} supported, {} not; {}", found.supported, found.unsupported, scores.join(", ")),
        against,
        asked: found.asked,
        said: said.collect(),
    }
}

fn timing(sample: &SampleReport) -> String {
    let mut parts = Vec::new();
    parts.extend(sample.first_token_ms.map(|ms| format!("first token after {ms} ms")));
    parts.extend(sample.latency_ms.map(|ms| format!("complete after {ms} ms")));
    parts.push(format!("{} {}", sample.attempts, if sample.attempts == 1 { "request" } else { "requests" }));
    parts.join(", ")
}

/// The asked-for page, or the one where the first needle begins.
pub(super) fn prompt_page(item: &Item, asked: Option<usize>) -> PromptPage {
    let text = item.joined();
    let page_of = |needle: &Needle| needle.start / WINDOW + 1;
    let number = asked.unwrap_or_else(|| item.needles.first().map_or(1, page_of));
    let (number, pages, shown) = stretch(&text, number);
    PromptPage {
        number,
        pages,
        pieces: pieces(&text, shown.start, shown.end, &item.needles),
        needles: item
            .needles
            .iter()
            .map(|needle| (format!("{:.1} %", 100.0 * needle.depth), page_of(needle)))
            .collect(),
        tokens: item.prompt_tokens,
        pictures: (item.pictures().count(), item.pictures().map(|picture| picture.size).sum()),
        searched: Judged::of(item).documents > 0,
    }
}

/// The asked-for page of a text or the nearest that there is, how many there are, and its bytes.
pub(super) fn stretch(text: &str, asked: usize) -> (usize, usize, Range<usize>) {
    let pages = text.len().div_ceil(WINDOW).max(1);
    let number = asked.clamp(1, pages);
    let begin = text.floor_char_boundary((number - 1) * WINDOW);
    (number, pages, begin..text.floor_char_boundary((number * WINDOW).min(text.len())))
}

/// A stretch of a text, cut where evidence begins and ends.
pub(super) fn pieces(text: &str, begin: usize, end: usize, needles: &[Needle]) -> Vec<(String, bool)> {
    let (mut pieces, mut at) = (Vec::new(), begin);
    let mut push = |from: usize, to: usize, evidence: bool| {
        if let Some(piece) = text.get(from..to).filter(|piece| !piece.is_empty()) {
            pieces.push((piece.to_owned(), evidence));
        }
    };
    for needle in needles {
        let (from, to) = (needle.start.clamp(at, end), needle.end.clamp(at, end));
        push(at, from, false);
        push(from, to, true);
        at = to.max(at);
    }
    push(at, end, false);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_marks_the_evidence_and_loses_nothing() {
        let needle = |start, end| Needle { start, end, depth: 0.5, token_start: 0 };
        let text = "abcdefghij";
        let found = pieces(text, 2, 9, &[needle(0, 1), needle(1, 4), needle(5, 6), needle(8, 10)]);
        let marked: Vec<&str> = found.iter().filter(|piece| piece.1).map(|piece| piece.0.as_str()).collect();
        assert_eq!(marked, ["cd", "f", "i"]);
        assert_eq!(found.iter().map(|piece| piece.0.as_str()).collect::<String>(), "cdefghi");
    }
}
