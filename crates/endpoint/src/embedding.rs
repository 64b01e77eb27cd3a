//! Embeddings of OpenAI-compatible servers: texts as they are, pictures as Jina's and Cohere's servers take them.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longboard_suites::retrieval::picture_type;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{OpenAiClient, Persisted, failed, milliseconds};
use crate::model::{CallError, Embedded, Embedder, Input, Spent};

/// Largest accepted answer in bytes: thousands of vectors written as text.
pub(crate) const VECTORS_LIMIT: usize = 64 * 1024 * 1024;

/// Most numbers of a vector.
const MOST_DIMENSIONS: usize = 65_536;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: Vec<Value>,
}

#[derive(Deserialize)]
struct Rows {
    data: Vec<Row>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<Option<f64>>,
}

/// Tokens as OpenAI's servers count them; some say the total alone.
#[derive(Deserialize)]
pub(crate) struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u32>,
    #[serde(default)]
    total_tokens: Option<u32>,
}

impl Usage {
    pub(crate) fn tokens(&self) -> Option<u32> {
        self.prompt_tokens.or(self.total_tokens)
    }
}

impl Embedder for OpenAiClient {
    async fn embed(&self, inputs: &[Input]) -> Result<Embedded, CallError> {
        let started = Instant::now();
        let body = Body { model: self.model(), input: inputs.iter().map(sent).collect() };
        let Persisted { answer, attempts, retry_causes } = self.called("embeddings", &body, VECTORS_LIMIT).await?;
        let (vectors, prompt_tokens) = vectors(&answer, inputs.len())?;
        Ok(Embedded {
            vectors,
            spent: Spent { prompt_tokens, latency_ms: milliseconds(started), attempts, retry_causes },
        })
    }
}

fn sent(input: &Input) -> Value {
    match input {
        Input::Text(text) => json!(text),
        Input::Picture(bytes) => {
            let media = picture_type(bytes).unwrap_or("application/octet-stream");
            json!({ "image": format!("data:{media};base64,{}", STANDARD.encode(bytes)) })
        }
    }
}

/// Vectors in the order of the inputs. Rows carry their index; where none does, they stand in order.
fn vectors(body: &[u8], wanted: usize) -> Result<(Vec<Vec<f32>>, Option<u32>), CallError> {
    let read: Rows = parsed(body, "list of embeddings")?;
    if read.data.len() != wanted {
        return Err(failed("short_batch", &format!("{} vectors for {wanted} inputs", read.data.len())));
    }
    let rows = read.data.into_iter().enumerate().map(|(place, row)| (row.index.unwrap_or(place), row.embedding));
    let vectors = placed(rows, wanted, |numbers, index| vector(&numbers, index))?;
    let dimension = vectors.first().map_or(0, Vec::len);
    if let Some(other) = vectors.iter().find(|vector| vector.len() != dimension) {
        let detail = format!("vectors of {dimension} and {} numbers in one answer", other.len());
        return Err(failed("wrong_dimension", &detail));
    }
    Ok((vectors, read.usage.and_then(|usage| usage.tokens())))
}

/// Reads the JSON of an answer.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| {
        let cause = if error.is_data() { "not_an_answer" } else { "not_json" };
        failed(cause, &format!("no {what}: {error}"))
    })
}

/// What `read` makes of `wanted` rows, each where its index says.
pub(crate) fn placed<R, T>(
    rows: impl IntoIterator<Item = (usize, R)>,
    wanted: usize,
    read: impl Fn(R, usize) -> Result<T, CallError>,
) -> Result<Vec<T>, CallError> {
    let mut places: Vec<Option<T>> = (0..wanted).map(|_| None).collect();
    for (index, row) in rows {
        let twice =
            || failed("wrong_order", &format!("the rows do not carry each index from 0 to {} once", wanted - 1));
        let place = places.get_mut(index).filter(|place| place.is_none()).ok_or_else(twice)?;
        *place = Some(read(row, index)?);
    }
    Ok(places.into_iter().flatten().collect())
}

/// Cosine in double precision; no number where one has no direction.
pub(crate) fn cosine(left: &[f32], right: &[f32]) -> f64 {
    let dot = |left: &[f32], right: &[f32]| {
        left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum::<f64>()
    };
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}

#[expect(clippy::cast_possible_truncation, reason = "vectors are compared in single precision")]
fn vector(numbers: &[Option<f64>], index: usize) -> Result<Vec<f32>, CallError> {
    if numbers.is_empty() || numbers.len() > MOST_DIMENSIONS {
        let detail = format!("vector {index} has {} numbers; 1 to {MOST_DIMENSIONS} are read", numbers.len());
        return Err(failed("wrong_dimension", &detail));
    }
    let vector: Option<Vec<f32>> =
        numbers.iter().map(|number| number.map(|number| number as f32).filter(|number| number.is_finite())).collect();
    let vector =
        vector.ok_or_else(|| failed("not_finite", &format!("vector {index} holds what is no finite number")))?;
    if vector.iter().all(|number| *number == 0.0) {
        return Err(failed("zero_vector", &format!("vector {index} is zero, so it has no direction")));
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(body: &str) -> String {
        vectors(body.as_bytes(), 2).unwrap_err().cause().to_owned()
    }

    #[test]
    fn rows_go_where_their_index_says() {
        let body = r#"{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        assert_eq!(vectors(body.as_bytes(), 2).unwrap(), (vec![vec![1.0, 0.0], vec![0.0, 1.0]], Some(7)));
    }

    #[test]
    fn what_are_no_vectors_is_named() {
        assert_eq!(cause("<html>"), "not_json");
        assert_eq!(cause(r#"{"vectors":[]}"#), "not_an_answer");
        assert_eq!(cause(r#"{"data":[{"embedding":[1]}]}"#), "short_batch");
        assert_eq!(cause(r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#), "wrong_dimension");
        assert_eq!(cause(r#"{"data":[{"embedding":[]},{"embedding":[]}]}"#), "wrong_dimension");
        assert_eq!(cause(r#"{"data":[{"embedding":[null]},{"embedding":[1]}]}"#), "not_finite");
        assert_eq!(cause(r#"{"data":[{"embedding":[1e300]},{"embedding":[1]}]}"#), "not_finite");
        assert_eq!(cause(r#"{"data":[{"embedding":[0]},{"embedding":[1]}]}"#), "zero_vector");
        assert_eq!(cause(r#"{"data":[{"index":1,"embedding":[1]},{"index":1,"embedding":[1]}]}"#), "wrong_order");
        assert_eq!(cause(r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#), "wrong_order");
    }
}
