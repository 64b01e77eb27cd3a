//! A chat model as a reranker (FollowIR, arXiv 2403.15246, section 4; the form of monoT5, arXiv 2003.06713): it is asked
//! for one word about each document, and the score is the probability of `true` against `false`.

use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;

use crate::client::{OpenAiClient, Persisted, failed, milliseconds};
use crate::embedding::{Usage, parsed};
use crate::model::{CallError, Reranked, Reranker, Spent};

/// Largest accepted answer in bytes: one word with twenty alternatives.
const WORD_LIMIT: usize = 256 * 1024;

/// Documents asked about at the same time; the client's own limit may hold them back further.
const AT_ONCE: usize = 8;

/// A chat endpoint whose next word ranks.
pub struct TrueFalse<'a>(
    /// The endpoint.
    pub &'a OpenAiClient,
);

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    #[serde(default)]
    content: Option<Vec<Word>>,
}

#[derive(Deserialize)]
struct Word {
    #[serde(default)]
    top_logprobs: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    token: String,
    logprob: f64,
}

impl Reranker for TrueFalse<'_> {
    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Reranked, CallError> {
        let started = Instant::now();
        let mut asked = Vec::with_capacity(documents.len());
        for document in documents {
            asked.push(self.ask(query, document));
        }
        let answers: Vec<(f32, Spent)> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let mut all = Reranked { spent: Spent { prompt_tokens: Some(0), ..Spent::default() }, ..Reranked::default() };
        for (score, spent) in answers {
            all.scores.push(score);
            let tokens = all.spent.prompt_tokens.zip(spent.prompt_tokens);
            all.spent.prompt_tokens = tokens.map(|(all, one)| all.saturating_add(one));
            all.spent.attempts = all.spent.attempts.saturating_add(spent.attempts);
            all.spent.retry_causes.extend(spent.retry_causes);
        }
        all.spent.latency_ms = milliseconds(started);
        Ok(all)
    }
}

impl TrueFalse<'_> {
    async fn ask(&self, query: &str, document: &str) -> Result<(f32, Spent), CallError> {
        let body = json!({
            "model": self.0.model(),
            "messages": [{ "role": "user", "content": prompt(query, document) }],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": true,
            "top_logprobs": 20,
        });
        let Persisted { answer, attempts, retry_causes } = self.0.called("chat/completions", &body, WORD_LIMIT).await?;
        let (score, prompt_tokens) = score(&answer)?;
        Ok((score, Spent { prompt_tokens, latency_ms: 0, attempts, retry_causes }))
    }
}

/// What is sent about one document.
fn prompt(query: &str, document: &str) -> String {
    format!(
        "You are an expert searcher. Decide whether the document answers the query as it is put, with every condition \
         that it states. Say one word, true or false.\n\nQuery: {query}\n\nDocument: {document}\n\nRelevant (true or false):"
    )
}

/// Probability of `true` in the softmax of both words. A word that is not among the alternatives counts like the least
/// likely of them; without alternatives the word itself decides.
#[expect(clippy::cast_possible_truncation, reason = "a probability")]
fn score(body: &[u8]) -> Result<(f32, Option<u32>), CallError> {
    let read: Answer = parsed(body, "chat answer")?;
    let tokens = read.usage.as_ref().and_then(Usage::tokens);
    let choice = read.choices.first().ok_or_else(|| failed("not_an_answer", "no choice in the answer"))?;
    let words = choice.logprobs.as_ref().and_then(|logprobs| logprobs.content.as_ref());
    let alternatives = words.and_then(|words| words.first()).map_or(&[][..], |word| &word.top_logprobs);
    let is = |token: &str, word: &str| token.trim().eq_ignore_ascii_case(word);
    let of = |word: &str| {
        let found = alternatives.iter().filter(|one| is(&one.token, word) && one.logprob.is_finite());
        found.map(|one| one.logprob).reduce(f64::max)
    };
    let score = match (of("true"), of("false")) {
        (None, None) => {
            let said = choice.message.as_ref().and_then(|message| message.content.as_deref()).unwrap_or_default();
            f64::from(u8::from(said.trim().to_lowercase().starts_with("true")))
        }
        (yes, no) => {
            let floor = alternatives.iter().map(|one| one.logprob).filter(|p| p.is_finite()).fold(0.0, f64::min);
            let margin = yes.unwrap_or(floor) - no.unwrap_or(floor);
            1.0 / (1.0 + (-margin).exp())
        }
    };
    Ok((score as f32, tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(alternatives: &[(&str, f64)], said: &str) -> f32 {
        let alternatives: Vec<_> =
            alternatives.iter().map(|(token, logprob)| json!({ "token": token, "logprob": logprob })).collect();
        let logprobs = json!({ "content": [{ "token": said, "top_logprobs": alternatives }] });
        let body = json!({ "choices": [{ "message": { "content": said }, "logprobs": logprobs }] });
        score(body.to_string().as_bytes()).unwrap().0
    }

    #[test]
    fn the_score_is_the_softmax_of_two_words() {
        let score = read(&[(" true", (0.6_f64).ln()), ("False", (0.2_f64).ln()), ("x", -9.0)], "true");
        assert!((score - 0.75).abs() < 1e-6, "{score}");
        let alone = read(&[("true", -0.1), ("maybe", -4.1)], "true");
        assert!((f64::from(alone) - 1.0 / (1.0 + (-4.0_f64).exp())).abs() < 1e-6, "false counts like the least likely");
    }

    #[test]
    fn without_alternatives_the_word_decides_and_what_is_no_answer_is_named() {
        assert_eq!((read(&[], "True."), read(&[], "no")), (1.0, 0.0));
        let cause = |body: &str| score(body.as_bytes()).unwrap_err().cause().to_owned();
        assert_eq!((cause("<p>").as_str(), cause(r#"{"choices":[]}"#).as_str()), ("not_json", "not_an_answer"));
    }
}
