//! Retrieval: the best chunks of the document in place of it.

use longboard_suites::{bm25, chunk, tokens};

use super::card::{Card, Kind, Parameter, Settings};
use super::retriever::Retriever;
use super::{Asked, Meter};
use crate::model::{CallError, ChatModel, Reply};

pub(super) const CARD: Card = Card {
    slug: "rag",
    title: "Retrieval",
    citation: "Lewis et al. 2020, Retrieval-augmented generation for knowledge-intensive NLP tasks, arXiv 2005.11401",
    what: "Ranks chunks of the document against the question and sends the best ones in the order of the document.",
    differs: "A fixed recipe, so that numbers compare: chunks do not overlap and end with sentences, and BM25 ranks them \
              where no embedder is given.",
    cost: "1 call of at most the budget beside instructions and question; with an embedder N tokens of embeddings",
    parameters: &[
        Parameter { name: "chunk", help: "canonical tokens of a chunk", default: 512.0, least: 16.0, most: 65_536.0 },
        Parameter {
            name: "budget",
            help: "canonical tokens of all chunks that are sent",
            default: 4096.0,
            least: 16.0,
            most: 1_048_576.0,
        },
    ],
    reports: &[("chunks", "chunks of the document"), ("kept", "chunks that were sent")],
    kind: Kind::Rag,
};

/// Canonical tokens of the empty line between two chunks.
const SEAM: u32 = 1;

pub(super) async fn answer<M: ChatModel, R: Retriever>(
    meter: &Meter<'_, M>,
    retriever: &R,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Reply, CallError> {
    let budget = settings.count("budget");
    let chunks = chunk::texts(asked.document, settings.count("chunk").min(budget));
    let scores = meter.scores(retriever, asked.question(), &chunks).await?;
    let costs: Vec<u32> = chunks.iter().map(|chunk| tokens::count(chunk.trim())).collect();
    let kept = within(&bm25::ranked(&scores), &costs, budget);
    meter.report("chunks", chunks.len() as f64);
    meter.report("kept", kept.len() as f64);
    let texts: Vec<&str> = kept.iter().filter_map(|place| chunks.get(*place)).map(|chunk| chunk.trim()).collect();
    meter.ask(asked.with(&texts.join("\n\n")), asked.max_tokens).await
}

/// Indices from the first of `ranking` on, until the next would exceed the budget, ascending.
fn within(ranking: &[usize], costs: &[u32], budget: u32) -> Vec<usize> {
    let mut left = budget;
    let fitting = ranking.iter().copied().enumerate().take_while(|(rank, place)| {
        let seam = if *rank == 0 { 0 } else { SEAM };
        let cost = costs.get(*place).map_or(u32::MAX, |cost| cost.saturating_add(seam));
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    });
    let mut kept: Vec<usize> = fitting.map(|(_, place)| place).collect();
    kept.sort_unstable();
    kept
}
