//! Reranking as Cohere's and Jina's servers offer it: `POST {base}/rerank`.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::client::{OpenAiClient, Persisted, failed, milliseconds};
use crate::embedding::{Usage, VECTORS_LIMIT, parsed, placed};
use crate::model::{CallError, Reranked, Reranker, Spent};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    query: &'a str,
    documents: &'a [String],
    top_n: usize,
    return_documents: bool,
}

#[derive(Deserialize)]
struct Rows {
    results: Vec<Row>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    relevance_score: Option<f64>,
}

impl Reranker for OpenAiClient {
    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Reranked, CallError> {
        let started = Instant::now();
        let body = Body { model: self.model(), query, documents, top_n: documents.len(), return_documents: false };
        let Persisted { answer, attempts, retry_causes } = self.called("rerank", &body, VECTORS_LIMIT).await?;
        let (scores, prompt_tokens) = scores(&answer, documents.len())?;
        Ok(Reranked {
            scores,
            spent: Spent { prompt_tokens, latency_ms: milliseconds(started), attempts, retry_causes },
        })
    }
}

/// Scores in the order of the documents, whatever the order of the rows.
#[expect(clippy::cast_possible_truncation, reason = "scores are compared in single precision")]
fn scores(body: &[u8], wanted: usize) -> Result<(Vec<f32>, Option<u32>), CallError> {
    let read: Rows = parsed(body, "list of results")?;
    if read.results.len() != wanted {
        return Err(failed("short_batch", &format!("{} scores for {wanted} documents", read.results.len())));
    }
    let rows = read.results.into_iter().map(|row| (row.index, row.relevance_score));
    let scores = placed(rows, wanted, |score, index| {
        let none = || failed("not_finite", &format!("document {index} has no finite score"));
        score.map(|score| score as f32).filter(|score| score.is_finite()).ok_or_else(none)
    })?;
    Ok((scores, read.usage.and_then(|usage| usage.tokens())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_go_where_their_index_says_and_what_are_none_is_named() {
        let body = r#"{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]}"#;
        assert_eq!(scores(body.as_bytes(), 2).unwrap(), (vec![0.1, 0.9], None));
        let cause = |body: &str| scores(body.as_bytes(), 2).unwrap_err().cause().to_owned();
        assert_eq!(cause("oops"), "not_json");
        assert_eq!(cause(r#"{"results":[{"index":0,"relevance_score":1}]}"#), "short_batch");
        let twice = r#"{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}]}"#;
        assert_eq!(cause(twice), "wrong_order");
        let null = r#"{"results":[{"index":0,"relevance_score":null},{"index":1,"relevance_score":1}]}"#;
        assert_eq!(cause(null), "not_finite");
    }
}
