use super::*;
use crate::model::{self, Embedder, Input};
use crate::strategy::{Embedded, Means, answer_with};

/// Puts texts with "seal" in one direction and others in another.
struct FakeEmbedder;

impl Embedder for FakeEmbedder {
    async fn embed(&self, inputs: &[Input]) -> Result<model::Embedded, CallError> {
        let seal = |input: &Input| matches!(input, Input::Text(text) if text.contains("seal"));
        let vector = |input| if seal(input) { vec![3.0, 0.0] } else { vec![0.0, 1.0] };
        Ok(model::Embedded { vectors: inputs.iter().map(vector).collect(), ..model::Embedded::default() })
    }
}

const ORO: &str = "The seal passed to Oro. ";
const EDDA: &str = "Edda took the seal from Oro. ";

fn context(prompt: &str) -> &str {
    prompt.strip_prefix(HEAD).unwrap().strip_suffix(TAIL).unwrap()
}

#[tokio::test]
async fn the_best_chunks_come_in_the_order_of_the_document_within_the_budget() {
    // The second sentence fits the question better but stands later.
    let document = prose(0..100) + ORO + &prose(100..200) + EDDA + &prose(200..300);
    let (model, prompts) = model(|_| "Oro".to_owned());
    let answered = run("rag", &[("chunk", 64.0), ("budget", 256.0)], &model, &document).await;
    let sent = sent(&prompts);
    let context = context(&sent[0]);
    assert!(tokens::count(context) <= 256 && tokens::count(context) > 150, "{}", tokens::count(context));
    assert!(context.find(ORO.trim()).unwrap() < context.find(EDDA.trim()).unwrap());
    let chunks: Vec<&str> = context.split("\n\n").collect();
    assert_eq!(answered.metered.reports["kept"], chunks.len() as f64);
    let places: Vec<usize> = chunks.iter().map(|chunk| document.find(chunk).unwrap()).collect();
    assert!(places.is_sorted());
    assert_eq!(answered.metered.calls, 1);
}

#[tokio::test]
async fn ties_go_to_the_chunk_that_comes_first() {
    let (model, prompts) = model(|_| String::new());
    let document = prose(0..300);
    run("rag", &[("chunk", 64.0), ("budget", 200.0)], &model, &document).await;
    let sent = sent(&prompts);
    let start = context(&sent[0]).replace("\n\n", " ");
    assert!(start.len() > 100 && document.starts_with(&start), "{start}");
}

#[tokio::test]
async fn a_document_within_the_budget_is_sent_whole() {
    let (model, prompts) = model(|_| String::new());
    let document = prose(0..100);
    run("rag", &[], &model, &document).await;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(context(&sent(&prompts)[0])), words(&document));
}

#[tokio::test]
async fn an_embedder_ranks_by_cosine_and_is_metered() {
    let (model, prompts) = model(|_| "Oro".to_owned());
    let document = prose(0..150) + "It bore a seal. " + &prose(150..300);
    let retriever = Embedded(&FakeEmbedder);
    let means = Means { retriever: &retriever, knowledge: &[] };
    let strategy = strategy("rag", &[("chunk", 64.0), ("budget", 64.0)]);
    let answered = answer_with(&strategy, &model, &means, &asked(&document)).await.unwrap();
    assert!(context(&sent(&prompts)[0]).contains("It bore a seal."));
    let batches = answered.metered.reports["chunks"] / 32.0;
    assert_eq!(f64::from(answered.metered.calls), 2.0 + batches.ceil());
    assert!(answered.metered.prompt_tokens > u64::from(tokens::count(&document)));
}
