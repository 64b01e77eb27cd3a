//! The timed checklist that stands before every run: is the endpoint there, does it stream and count, does it repeat
//! itself, and does it really read what it is sent?

use std::time::Instant;

use crate::client::milliseconds;
use crate::model::{CallError, ChatModel, ChatRequest, Reply};

/// A prompt with three planted codes.
#[derive(Debug, Clone)]
pub struct CanaryPrompt {
    /// The prompt, which ends by asking for all codes.
    pub text: String,
    /// Canonical tokens.
    pub prompt_tokens: u32,
    /// Code near the start.
    pub head: String,
    /// Code in the middle.
    pub middle: String,
    /// Code near the end.
    pub tail: String,
}

/// Verdict of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Fine.
    Passed,
    /// Works, with a remark.
    Warned,
    /// Runs would fail.
    Failed,
    /// Not run, because an earlier check failed.
    Skipped,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `reachable`, `authorised`, `streams`, `usage`, `vectors`, `deterministic`, `order` or `context`.
    pub name: &'static str,
    /// Verdict.
    pub verdict: Verdict,
    /// What was seen, and what to do when it failed.
    pub detail: String,
    /// Duration in milliseconds.
    pub elapsed_ms: u32,
}

/// Which codes came back at one length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Canonical tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens the endpoint reported.
    pub reported_tokens: Option<u32>,
    /// Head, middle and tail code seen.
    pub seen: [bool; 3],
}

/// Everything the probe found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The checklist in order.
    pub checks: Vec<Check>,
    /// Canaries by length.
    pub canaries: Vec<Canary>,
    /// Reported over canonical tokens at the shortest length.
    pub token_ratio: Option<f64>,
    /// Longest prompt of which all three codes came back, in canonical tokens.
    pub context_seen_tokens: Option<u32>,
    /// The tail came back while head or middle did not, or the reported count fell behind: input is cut.
    pub truncates: bool,
}

/// Tokens granted for listing three codes.
const CANARY_ANSWER_TOKENS: u32 = 96;

/// Share of the expected count below which reported tokens mean that input was cut.
const TRUNCATION_SHARE: f64 = 0.8;

/// Runs the checklist. `prompts` go from short to long; the first one also serves for repeating.
pub async fn probe(model: &impl ChatModel, prompts: Vec<CanaryPrompt>) -> Findings {
    let mut findings = Findings::default();
    let started = Instant::now();
    let hello = model.complete(ChatRequest::user("Reply with the single word ready.", 16)).await;
    let elapsed_ms = milliseconds(started);
    findings.greet(&hello, elapsed_ms);
    if hello.is_err() {
        for name in ["streams", "usage", "deterministic", "context"] {
            findings.push(name, Verdict::Skipped, "an earlier check failed", 0);
        }
        return findings;
    }
    if let Some(first) = prompts.first() {
        findings.repeat(model, first).await;
    }
    findings.context(model, &prompts).await;
    findings
}

impl Findings {
    pub(crate) fn push(&mut self, name: &'static str, verdict: Verdict, detail: impl Into<String>, elapsed_ms: u32) {
        self.checks.push(Check { name, verdict, detail: detail.into(), elapsed_ms });
    }

    /// Whether an endpoint is there and takes the secret: the latency of its first answer, or why there is none.
    pub(crate) fn reached(&mut self, answer: Result<u32, &CallError>, elapsed_ms: u32) {
        match answer {
            Err(error @ CallError::Unauthorised { .. }) => {
                self.push("reachable", Verdict::Passed, "it answers", elapsed_ms);
                self.push("authorised", Verdict::Failed, error.to_string(), 0);
            }
            Err(error) => {
                self.push("reachable", Verdict::Failed, error.to_string(), elapsed_ms);
                self.push("authorised", Verdict::Skipped, "it does not answer", 0);
            }
            Ok(latency_ms) => {
                self.push("reachable", Verdict::Passed, format!("answers after {latency_ms} ms"), elapsed_ms);
                self.push("authorised", Verdict::Passed, "the secret is accepted", 0);
            }
        }
    }

    fn greet(&mut self, hello: &Result<Reply, CallError>, elapsed_ms: u32) {
        self.reached(hello.as_ref().map(|reply| reply.latency_ms), elapsed_ms);
        let Ok(reply) = hello else { return };
        match reply.first_token_ms {
            Some(first) => self.push("streams", Verdict::Passed, format!("first token after {first} ms"), 0),
            None => self.push("streams", Verdict::Warned, "no stream: time to first token stays unknown", 0),
        }
        match reply.prompt_tokens {
            Some(tokens) => self.push("usage", Verdict::Passed, format!("counts {tokens} prompt tokens"), 0),
            None => self.push(
                "usage",
                Verdict::Warned,
                "no usage reported: silent truncation can only be seen by canaries",
                0,
            ),
        }
    }

    async fn repeat(&mut self, model: &impl ChatModel, prompt: &CanaryPrompt) {
        let started = Instant::now();
        let first = model.complete(ChatRequest::user(prompt.text.clone(), CANARY_ANSWER_TOKENS)).await;
        let second = model.complete(ChatRequest::user(prompt.text.clone(), CANARY_ANSWER_TOKENS)).await;
        let (verdict, detail) = match (first, second) {
            (Ok(first), Ok(second)) if first.text == second.text => {
                (Verdict::Passed, "the same answer twice at temperature 0".to_owned())
            }
            (Ok(_), Ok(_)) => (Verdict::Warned, "two answers differ at temperature 0; use repetitions".to_owned()),
            (Err(error), _) | (_, Err(error)) => (Verdict::Failed, error.to_string()),
        };
        self.push("deterministic", verdict, detail, milliseconds(started));
    }

    async fn context(&mut self, model: &impl ChatModel, prompts: &[CanaryPrompt]) {
        let started = Instant::now();
        let mut trouble = None;
        for prompt in prompts {
            match model.complete(ChatRequest::user(prompt.text.clone(), CANARY_ANSWER_TOKENS)).await {
                Ok(reply) => self.canary(prompt, &reply),
                Err(error) => {
                    trouble = Some(format!("at {} tokens: {error}", prompt.prompt_tokens));
                    break;
                }
            }
        }
        let seen = self.context_seen_tokens.map_or_else(|| "no length".to_owned(), |tokens| format!("{tokens} tokens"));
        let (verdict, detail) = match trouble {
            _ if self.truncates => {
                (Verdict::Warned, format!("input is silently cut: all three codes come back up to {seen}"))
            }
            Some(trouble) if self.context_seen_tokens.is_none() => (Verdict::Failed, trouble),
            Some(trouble) => (Verdict::Warned, format!("reads {seen}; {trouble}")),
            None if self.context_seen_tokens.is_none() => (
                Verdict::Warned,
                "none of the planted codes came back: it does not read, or does not answer as asked".to_owned(),
            ),
            None => (Verdict::Passed, format!("all three codes come back up to {seen}")),
        };
        self.push("context", verdict, detail, milliseconds(started));
    }

    fn canary(&mut self, prompt: &CanaryPrompt, reply: &Reply) {
        let seen = [&prompt.head, &prompt.middle, &prompt.tail].map(|code| reply.text.contains(code.as_str()));
        let ratio = reply.prompt_tokens.map(|tokens| f64::from(tokens) / f64::from(prompt.prompt_tokens.max(1)));
        if self.token_ratio.is_none() {
            self.token_ratio = ratio;
        }
        let behind = matches!((ratio, self.token_ratio), (Some(now), Some(short)) if now < TRUNCATION_SHARE * short);
        let [head, middle, tail] = seen;
        self.truncates |= behind || (tail && !(head && middle) && self.context_seen_tokens.is_some());
        if head && middle && tail && !behind {
            self.context_seen_tokens = Some(prompt.prompt_tokens);
        }
        self.canaries.push(Canary { prompt_tokens: prompt.prompt_tokens, reported_tokens: reply.prompt_tokens, seen });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeModel;

    fn prompts() -> Vec<CanaryPrompt> {
        [1000_u32, 4000, 16_000]
            .iter()
            .map(|&tokens| CanaryPrompt {
                text: format!(
                    "head-{tokens} {} middle-{tokens} {} tail-{tokens}",
                    "x ".repeat(tokens as usize / 2),
                    "x ".repeat(tokens as usize / 2)
                ),
                prompt_tokens: tokens,
                head: format!("head-{tokens}"),
                middle: format!("middle-{tokens}"),
                tail: format!("tail-{tokens}"),
            })
            .collect()
    }

    /// Repeats every word with a dash in the last `window` words.
    fn reader(window: usize) -> FakeModel {
        FakeModel::new(move |request| {
            let words: Vec<&str> = request.messages[0].content.split(' ').collect();
            let kept = &words[words.len().saturating_sub(window)..];
            let text = kept.iter().filter(|word| word.contains('-')).copied().collect::<Vec<_>>().join(" ");
            Ok(Reply { text, prompt_tokens: Some(kept.len() as u32), first_token_ms: Some(1), ..Reply::default() })
        })
    }

    #[tokio::test]
    async fn an_honest_endpoint_passes() {
        let findings = probe(&reader(usize::MAX), prompts()).await;
        assert!(findings.checks.iter().all(|check| check.verdict == Verdict::Passed), "{:?}", findings.checks);
        assert_eq!(findings.checks.len(), 6);
        assert_eq!(findings.context_seen_tokens, Some(16_000));
        assert!(!findings.truncates);
    }

    #[tokio::test]
    async fn an_endpoint_that_reads_nothing_does_not_pass() {
        let model = FakeModel::new(|_| Ok(Reply { text: "ready".to_owned(), ..Reply::default() }));
        let findings = probe(&model, prompts()).await;
        let context = findings.checks.last().unwrap();
        assert_eq!((context.name, context.verdict), ("context", Verdict::Warned));
        assert!(!findings.truncates && findings.context_seen_tokens.is_none());
    }

    #[tokio::test]
    async fn a_truncating_endpoint_is_flagged() {
        let findings = probe(&reader(5000), prompts()).await;
        assert!(findings.truncates);
        assert_eq!(findings.context_seen_tokens, Some(4000));
        assert_eq!(findings.canaries.last().unwrap().seen, [false, false, true]);
    }

    #[tokio::test]
    async fn later_checks_are_skipped_when_it_does_not_answer() {
        let model = FakeModel::new(|_| Err(CallError::Unauthorised { status: 401, detail: "no".to_owned() }));
        let findings = probe(&model, prompts()).await;
        let verdicts: Vec<Verdict> = findings.checks.iter().map(|check| check.verdict).collect();
        use Verdict::{Failed, Passed, Skipped};
        assert_eq!(verdicts, [Passed, Failed, Skipped, Skipped, Skipped, Skipped]);
    }
}
