//! The reference model over the OpenAI-compatible protocol.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::Arc;

use longboard_refmodel::speculative::Decode;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};
use longboard_worker::device::Device;
use longboard_worker::serve::{Drafting, ModelServer, Reference, Served, serve};
use reqwest::{Client, Response};
use serde_json::{Value, json};

struct Stage {
    _server: ModelServer,
    http: Client,
    url: String,
}

impl Stage {
    fn new(policy: &str, settings: &[(&str, f64)]) -> Self {
        Self::drafted(policy, settings, None)
    }

    fn drafted(policy: &str, settings: &[(&str, f64)], drafting: Option<&Drafting>) -> Self {
        // A second installation in one process is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let given: Vec<(String, f64)> = settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let reference = Reference::drafted(policy, &given, None, drafting, Device::Cpu).unwrap();
        let server = serve(Served::Reference(Arc::new(reference)), "127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}/v1", server.address);
        Self { _server: server, http: Client::builder().no_proxy().build().unwrap(), url }
    }

    async fn post(&self, body: &Value) -> Response {
        let request = self.http.post(format!("{}/chat/completions", self.url));
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    }

    async fn ask(&self, body: &Value) -> Value {
        serde_json::from_slice(&self.post(body).await.bytes().await.unwrap()).unwrap()
    }
}

fn user(content: &str) -> Value {
    json!([{ "role": "user", "content": content }])
}

/// Prompts of a task at 1k tokens with their answers.
fn items(task: &str, count: u32) -> Vec<(String, String)> {
    let task = Task::find(task).unwrap();
    let request = |index| ItemRequest::new(41, index, Length::new(1024).unwrap());
    let items = (0..count).map(|index| task.item(&request(index)).unwrap());
    items.map(|item| (item.joined(), item.references[0].clone())).collect()
}

#[actix_web::test]
async fn needles_are_found_in_the_platforms_own_prompts() {
    let stage = Stage::new("dense", &[]);
    for task in ["niah_single_1", "niah_single_2"] {
        let asked = items(task, 8);
        let mut right = 0;
        for (prompt, wanted) in &asked {
            let answer = stage.ask(&json!({ "messages": user(prompt), "max_tokens": 128 })).await;
            right +=
                usize::from(answer["choices"][0]["message"]["content"].as_str().unwrap().contains(wanted.as_str()));
        }
        assert!(right >= 7, "{task}: {right} of {}", asked.len());
    }
}

#[actix_web::test]
async fn a_tight_budget_keeps_less_and_says_so() {
    let stage = Stage::new("streaming-llm", &[("sinks", 4.0), ("window", 124.0)]);
    let (prompt, _) = items("niah_single_2", 1).remove(0);
    let answer = stage.ask(&json!({ "messages": user(&prompt), "max_tokens": 16 })).await;
    let report = &answer["longboard"];
    assert_eq!(report["policy"], "streaming-llm");
    assert!(report["kept_tokens"].as_f64().unwrap() <= 256.0, "{answer}");
    assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 800, "{answer}");
    assert!(report["max_kept_tokens"].as_f64().unwrap() <= 256.0, "{answer}");
    assert!(report["attention_flops"].as_f64().unwrap() > report["attention_bytes"].as_f64().unwrap(), "{answer}");
    assert!(report["attention_ms"].as_f64().unwrap() > 0.0 && report["cache_bytes"].as_u64().unwrap() > 0, "{answer}");
}

#[actix_web::test]
async fn drafted_answers_say_what_drafting_did() {
    let (prompt, _) = items("niah_single_2", 1).remove(0);
    let body = json!({ "messages": user(&prompt), "max_tokens": 32 });
    let expected = Stage::new("dense", &[]).ask(&body).await;
    assert!(expected["longboard"]["decode"].is_null());
    for (decode, eta, transfer) in [(Decode::Plain, 0.0, false), (Decode::Rapid, 10.0, true)] {
        let drafting = Drafting {
            decode,
            settings: vec![("eta".to_owned(), eta), ("gamma".to_owned(), 7.0)],
            policy: "dense".to_owned(),
            policy_settings: Vec::new(),
            checkpoint: None,
        };
        let answer = Stage::drafted("dense", &[], Some(&drafting)).ask(&body).await;
        let report = &answer["longboard"];
        assert_eq!((&report["decode"], &report["transfer"]), (&decode.slug().into(), &transfer.into()));
        assert_eq!(report["acceptance"], 1.0, "the drafter reads what the target reads: {report}");
        assert!(report["target_passes"].as_u64().unwrap() < 8, "{report}");
        assert_eq!(report["draft_prompt_tokens"], answer["usage"]["prompt_tokens"]);
        assert_eq!((&answer["choices"], &answer["usage"]), (&expected["choices"], &expected["usage"]));
    }
}

#[actix_web::test]
async fn streams_hold_what_whole_answers_hold() {
    let stage = Stage::new("dense", &[]);
    let (prompt, _) = items("niah_single_1", 1).remove(0);
    let whole = stage.ask(&json!({ "messages": user(&prompt), "max_tokens": 40 })).await;
    let body = json!({
        "messages": user(&prompt), "max_tokens": 40, "stream": true, "stream_options": { "include_usage": true }
    });
    let streamed = stage.post(&body).await.text().await.unwrap();
    let mut text = String::new();
    let mut usage = Value::Null;
    let mut finish = Value::Null;
    for data in streamed.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
        let event: Value = serde_json::from_str(data).unwrap();
        text.push_str(event["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        usage = if event["usage"].is_null() { usage } else { event["usage"].clone() };
        finish = if event["choices"][0]["finish_reason"].is_null() {
            finish
        } else {
            event["choices"][0]["finish_reason"].clone()
        };
    }
    assert!(streamed.ends_with("data: [DONE]\n\n"), "{streamed}");
    assert_eq!(whole["choices"][0]["message"]["content"], text.as_str());
    assert_eq!((&whole["usage"], &whole["choices"][0]["finish_reason"]), (&usage, &finish));
}

#[actix_web::test]
async fn requests_at_the_same_time_get_their_own_answers() {
    let stage = Stage::new("dense", &[]);
    let asked = items("niah_single_1", 4);
    let bodies: Vec<Value> =
        asked.iter().map(|(prompt, _)| json!({ "messages": user(prompt), "max_tokens": 40 })).collect();
    let together = futures_util::future::join_all(bodies.iter().map(|body| stage.ask(body))).await;
    for (body, answer) in bodies.iter().zip(&together) {
        assert_eq!(stage.ask(body).await["choices"], answer["choices"]);
    }
}

#[actix_web::test]
async fn probabilities_stops_and_limits_are_kept() {
    let stage = Stage::new("dense", &[]);
    let (prompt, _) = items("niah_single_1", 1).remove(0);
    let answer =
        stage.ask(&json!({ "messages": user(&prompt), "max_tokens": 3, "logprobs": true, "top_logprobs": 4 })).await;
    let choice = &answer["choices"][0];
    assert_eq!((&choice["finish_reason"], &answer["usage"]["completion_tokens"]), (&"length".into(), &3.into()));
    let tokens = choice["logprobs"]["content"].as_array().unwrap();
    assert_eq!(tokens.len(), 3);
    for token in tokens {
        let best = token["top_logprobs"].as_array().unwrap();
        assert_eq!((best.len(), &best[0]["token"]), (4, &token["token"]));
        assert!(token["logprob"].as_f64().unwrap() <= 0.0);
        let mass: f64 = best.iter().map(|one| one["logprob"].as_f64().unwrap().exp()).sum();
        assert!(mass <= 1.0 + 1e-4, "{token}");
    }

    let whole = stage.ask(&json!({ "messages": user(&prompt), "max_tokens": 40 })).await;
    let text = whole["choices"][0]["message"]["content"].as_str().unwrap();
    let stop = text.split_whitespace().nth(2).unwrap();
    let stopped = stage.ask(&json!({ "messages": user(&prompt), "max_tokens": 40, "stop": stop })).await;
    let short = stopped["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.starts_with(short) && !short.contains(stop), "{short} of {text}");
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
}

#[actix_web::test]
async fn what_does_not_fit_is_refused_with_the_numbers() {
    let stage = Stage::new("dense", &[]);
    let response = stage.post(&json!({ "messages": user("hello"), "max_tokens": 3_000_000 })).await;
    assert_eq!(response.status(), 400);
    let refusal: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(refusal["error"]["code"], "context_length_exceeded");
    assert!(refusal["error"]["message"].as_str().unwrap().contains("2097152 tokens"), "{refusal}");
    let streamed = stage.post(&json!({ "messages": user("hello"), "max_tokens": 3_000_000, "stream": true })).await;
    assert_eq!(streamed.status(), 400);
    let nonsense = stage.post(&json!({ "messages": 3 })).await;
    assert_eq!(nonsense.status(), 400);
}
