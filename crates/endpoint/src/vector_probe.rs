//! The checklist of embedders and rerankers: is the endpoint there, are its vectors vectors, does it repeat itself, does
//! it keep the order of its inputs, and how long a text does it really read?

use std::time::Instant;

use crate::client::milliseconds;
use crate::embedding::cosine;
use crate::model::{CallError, Embedded, Embedder, Input, Reranker, Spent};
use crate::probe::{Canary, Findings, Verdict};

/// Two texts that differ in their last words alone.
#[derive(Debug, Clone)]
pub struct TailPair {
    /// Canonical tokens of each.
    pub prompt_tokens: u32,
    /// One ending.
    pub one: String,
    /// The other ending.
    pub other: String,
}

/// Three short texts about different things.
const TEXTS: [&str; 3] =
    ["The miller grinds barley.", "Ships leave the harbour at dawn.", "A comet was seen over the hills."];

/// Least cosine of what should be the same vector: batches are computed in another order than single texts.
const SAME: f64 = 0.999;

/// Runs the checklist of an embedder. `pairs` go from short to long.
pub async fn probe_embedder(model: &impl Embedder, pairs: Vec<TailPair>) -> Findings {
    let mut findings = Findings::default();
    let started = Instant::now();
    let batch = model.embed(&TEXTS.map(|text| Input::Text(text.to_owned()))).await;
    findings.greet_plain(batch.as_ref().map(|embedded| &embedded.spent), started);
    let Ok(batch) = batch else {
        findings.skip(&["vectors", "deterministic", "order", "context"]);
        return findings;
    };
    let dimension = batch.vectors.first().map_or(0, Vec::len);
    findings.push("vectors", Verdict::Passed, format!("{dimension} numbers each, finite"), 0);
    findings.repeat_vectors(model, &batch).await;
    findings.tails(model, &pairs).await;
    findings
}

/// Runs the checklist of a reranker.
pub async fn probe_reranker(model: &impl Reranker) -> Findings {
    let mut findings = Findings::default();
    let texts = TEXTS.map(str::to_owned);
    let query = "Who grinds barley?";
    let started = Instant::now();
    let first = model.rerank(query, &texts).await;
    findings.greet_plain(first.as_ref().map(|reranked| &reranked.spent), started);
    let Ok(first) = first else {
        findings.skip(&["deterministic", "order"]);
        return findings;
    };
    let started = Instant::now();
    let turned: Vec<String> = texts.iter().rev().cloned().collect();
    let (again, turned) = (model.rerank(query, &texts).await, model.rerank(query, &turned).await);
    let (again, turned) = match (again, turned) {
        (Ok(again), Ok(turned)) => (again.scores, turned.scores),
        (Err(error), _) | (_, Err(error)) => {
            findings.push("deterministic", Verdict::Failed, error.to_string(), milliseconds(started));
            return findings;
        }
    };
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-3 * a.abs().max(1e-3));
    findings.verdict("deterministic", close(&first.scores, &again), "the same scores twice", "two answers differ");
    let turned: Vec<f32> = turned.into_iter().rev().collect();
    let lost = "scores change when the documents come in another order";
    findings.verdict("order", close(&first.scores, &turned), "scores go with their documents", lost);
    findings
}

impl Findings {
    fn greet_plain(&mut self, answer: Result<&Spent, &CallError>, started: Instant) {
        self.reached(answer.map(|spent| spent.latency_ms), milliseconds(started));
        match answer.map(|spent| spent.prompt_tokens) {
            Err(_) => {}
            Ok(Some(tokens)) => self.push("usage", Verdict::Passed, format!("counts {tokens} tokens"), 0),
            Ok(None) => self.push("usage", Verdict::Warned, "no usage reported", 0),
        }
    }

    fn skip(&mut self, names: &[&'static str]) {
        for name in names {
            self.push(name, Verdict::Skipped, "an earlier check failed", 0);
        }
    }

    /// A property whose loss is a remark.
    fn verdict(&mut self, name: &'static str, holds: bool, fine: &str, remark: &str) {
        let (verdict, detail) = if holds { (Verdict::Passed, fine) } else { (Verdict::Warned, remark) };
        self.push(name, verdict, detail, 0);
    }

    /// The same batch again, and each text alone: a vector that belongs to another text would make every ranking wrong.
    async fn repeat_vectors(&mut self, model: &impl Embedder, first: &Embedded) {
        let started = Instant::now();
        let again = model.embed(&TEXTS.map(|text| Input::Text(text.to_owned()))).await;
        let mut alone = Vec::new();
        for text in TEXTS {
            match model.embed(&[Input::Text(text.to_owned())]).await {
                Ok(embedded) => alone.extend(embedded.vectors),
                Err(error) => {
                    self.push("order", Verdict::Failed, error.to_string(), milliseconds(started));
                    return;
                }
            }
        }
        let same = |others: &[Vec<f32>]| {
            first.vectors.len() == others.len()
                && first.vectors.iter().zip(others).all(|(a, b)| a.len() == b.len() && cosine(a, b) >= SAME)
        };
        match again {
            Ok(again) => self.verdict(
                "deterministic",
                same(&again.vectors),
                "the same vectors twice",
                "two answers differ; rankings will too",
            ),
            Err(error) => self.push("deterministic", Verdict::Failed, error.to_string(), 0),
        }
        let (verdict, detail) = if same(&alone) {
            (Verdict::Passed, "each text has the vector that it has alone")
        } else {
            (Verdict::Failed, "in a batch texts have other vectors than alone: the order of a batch is not kept")
        };
        self.push("order", verdict, detail, milliseconds(started));
    }

    async fn tails(&mut self, model: &impl Embedder, pairs: &[TailPair]) {
        let started = Instant::now();
        let mut trouble = None;
        for TailPair { prompt_tokens, one, other } in pairs {
            match model.embed(&[Input::Text(one.clone()), Input::Text(other.clone())]).await {
                Ok(Embedded { vectors, spent }) => {
                    let read = vectors.first() != vectors.last();
                    let reported_tokens = spent.prompt_tokens.map(|tokens| tokens / 2);
                    self.canaries.push(Canary {
                        prompt_tokens: *prompt_tokens,
                        reported_tokens,
                        seen: [true, true, read],
                    });
                    if !read {
                        self.truncates = true;
                        break;
                    }
                    self.context_seen_tokens = Some(*prompt_tokens);
                }
                Err(error) => {
                    trouble = Some(format!("at {prompt_tokens} tokens: {error}"));
                    break;
                }
            }
        }
        let seen = self.context_seen_tokens.map_or_else(|| "no length".to_owned(), |tokens| format!("{tokens} tokens"));
        let (verdict, detail) = match trouble {
            Some(trouble) if self.context_seen_tokens.is_none() => (Verdict::Failed, trouble),
            Some(trouble) => (Verdict::Warned, format!("reads {seen}; {trouble}")),
            None if self.truncates => {
                (Verdict::Warned, format!("the end of longer texts changes nothing: it reads {seen} and cuts the rest"))
            }
            None => (Verdict::Passed, format!("the last words change the vector up to {seen}")),
        };
        self.push("context", verdict, detail, milliseconds(started));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reranked;

    /// Counts letters of the first `window` bytes; a shuffler gives each batch's vectors in reverse.
    struct Letters {
        window: usize,
        shuffles: bool,
    }

    impl Embedder for Letters {
        async fn embed(&self, inputs: &[Input]) -> Result<Embedded, CallError> {
            let mut vectors: Vec<Vec<f32>> = inputs
                .iter()
                .map(|input| {
                    let Input::Text(text) = input else { panic!("no pictures are sent") };
                    let mut counts = vec![0.0; 26];
                    for byte in text.bytes().take(self.window).filter(u8::is_ascii_lowercase) {
                        counts[usize::from(byte - b'a')] += 1.0;
                    }
                    counts
                })
                .collect();
            if self.shuffles {
                vectors.reverse();
            }
            Ok(Embedded { vectors, spent: Spent::default() })
        }
    }

    fn pairs() -> Vec<TailPair> {
        let pair = |tokens: u32| {
            let body = "word ".repeat(tokens as usize);
            TailPair { prompt_tokens: tokens, one: format!("{body}zebra"), other: format!("{body}quay") }
        };
        [10, 100, 1000].map(pair).to_vec()
    }

    fn verdict(findings: &Findings, name: &str) -> Verdict {
        findings.checks.iter().find(|check| check.name == name).unwrap().verdict
    }

    #[tokio::test]
    async fn an_honest_embedder_passes_and_a_short_window_is_found() {
        let findings = probe_embedder(&Letters { window: usize::MAX, shuffles: false }, pairs()).await;
        assert!(findings.checks.iter().all(|check| check.verdict != Verdict::Failed), "{:?}", findings.checks);
        assert_eq!((findings.context_seen_tokens, findings.truncates), (Some(1000), false));
        let findings = probe_embedder(&Letters { window: 600, shuffles: false }, pairs()).await;
        assert_eq!((findings.context_seen_tokens, findings.truncates), (Some(100), true));
        assert_eq!(verdict(&findings, "context"), Verdict::Warned);
    }

    #[tokio::test]
    async fn vectors_in_another_order_fail() {
        let findings = probe_embedder(&Letters { window: usize::MAX, shuffles: true }, pairs()).await;
        assert_eq!(verdict(&findings, "order"), Verdict::Failed);
    }

    /// Scores by place, whatever the documents are.
    struct Places;

    impl Reranker for Places {
        async fn rerank(&self, _: &str, documents: &[String]) -> Result<Reranked, CallError> {
            let scores = (0..documents.len()).map(|place| place as f32).collect();
            Ok(Reranked { scores, spent: Spent::default() })
        }
    }

    #[tokio::test]
    async fn a_reranker_that_scores_places_is_remarked() {
        let findings = probe_reranker(&Places).await;
        assert_eq!(verdict(&findings, "order"), Verdict::Warned);
        assert_eq!(verdict(&findings, "deterministic"), Verdict::Passed);
    }
}
