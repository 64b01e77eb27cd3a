//! Embeddings and reranking over HTTP: the baselines that rank, and the encoder of the reference model.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use longboard_suites::tokens;
use serde::Deserialize;
use serde_json::json;

use super::{refusal, refuse};
use crate::baseline::Ranker;

/// Inputs of one request.
const MOST_INPUTS: usize = 2048;

/// What ranks, and how long it waits first, as a real model would take.
#[derive(Clone)]
pub(super) struct Ranking {
    pub ranker: Ranker,
    pub delay: Duration,
}

#[derive(Deserialize)]
pub(super) struct EmbeddingCall {
    input: Inputs,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    One(String),
    Several(Vec<String>),
}

pub(super) async fn embeddings(ranking: web::Data<Ranking>, call: web::Json<EmbeddingCall>) -> HttpResponse {
    let texts = match call.into_inner().input {
        Inputs::One(text) => vec![text],
        Inputs::Several(texts) => texts,
    };
    if texts.is_empty() || texts.len() > MOST_INPUTS {
        return refuse(&refusal("invalid_request", &format!("input holds 1 to {MOST_INPUTS} texts")));
    }
    tokio::time::sleep(ranking.delay).await;
    let ranker = ranking.ranker;
    let slug = ranker.slug();
    let made = web::block(move || {
        let total: u64 = texts.iter().map(|text| u64::from(tokens::count(text))).sum();
        ranker.embed(&texts).map(|vectors| (vectors, total))
    });
    match made.await {
        Ok(Ok((vectors, total))) => {
            let data: Vec<_> = vectors
                .into_iter()
                .enumerate()
                .map(|(index, embedding)| json!({ "object": "embedding", "index": index, "embedding": embedding }))
                .collect();
            let usage = json!({ "prompt_tokens": total, "total_tokens": total });
            HttpResponse::Ok().json(json!({ "object": "list", "model": slug, "data": data, "usage": usage }))
        }
        Ok(Err(reason)) => refuse(&refusal("invalid_request", &reason)),
        Err(_) => refuse(&super::stopped()),
    }
}

#[derive(Deserialize)]
pub(super) struct RerankCall {
    query: String,
    documents: Vec<String>,
    #[serde(default)]
    top_n: Option<usize>,
}

pub(super) async fn rerank(ranking: web::Data<Ranking>, call: web::Json<RerankCall>) -> HttpResponse {
    let RerankCall { query, documents, top_n } = call.into_inner();
    tokio::time::sleep(ranking.delay).await;
    let ranker = ranking.ranker;
    let slug = ranker.slug();
    let made = web::block(move || {
        let read: u64 = documents.iter().map(|text| u64::from(tokens::count(text))).sum();
        ranker.rerank(&query, &documents).map(|scores| (scores, read + u64::from(tokens::count(&query))))
    });
    match made.await {
        Ok(Ok((scores, total))) => {
            let mut results: Vec<(usize, f64)> = scores.into_iter().enumerate().collect();
            results.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            results.truncate(top_n.unwrap_or(usize::MAX));
            let results: Vec<_> =
                results.into_iter().map(|(index, score)| json!({ "index": index, "relevance_score": score })).collect();
            let usage = json!({ "prompt_tokens": total, "total_tokens": total });
            HttpResponse::Ok().json(json!({ "model": slug, "results": results, "usage": usage }))
        }
        Ok(Err(reason)) => refuse(&refusal("invalid_request", &reason)),
        Err(_) => refuse(&super::stopped()),
    }
}
