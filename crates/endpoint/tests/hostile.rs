//! The client against a real server that misbehaves: every fault ends in a named error, in bounded time.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::time::Duration;

use longboard_endpoint::client::{Deadlines, EndpointConfig, OpenAiClient};
use longboard_endpoint::model::{CallError, ChatModel, ChatRequest, Embedded, Embedder, Input, Reply, Reranker};
use longboard_endpoint::policy::AddressPolicy;
use longboard_endpoint::retry::RetryPolicy;
use longboard_testkit::fake_endpoint::{Act, FakeEndpoint, answer, document, response};
use secrecy::SecretString;

fn client(base_url: &str) -> OpenAiClient {
    let mut config = EndpointConfig::new(base_url, "m");
    config.secret = Some(SecretString::from("sk-planted"));
    config.retry = RetryPolicy { attempts: 3, base: Duration::from_millis(1), cap: Duration::from_millis(5) };
    config.deadlines = Deadlines {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        per_token: Duration::from_millis(20),
    };
    let policy = AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]);
    OpenAiClient::new(config, &policy, 1).unwrap()
}

async fn ask(acts: Vec<Act>) -> (Result<Reply, CallError>, u32) {
    let server = FakeEndpoint::start(acts).await;
    let result = client(&server.base_url).complete(ChatRequest::user("hi", 16)).await;
    (result, server.requests())
}

async fn cause(acts: Vec<Act>) -> (String, u32) {
    let (result, requests) = ask(acts).await;
    let error = result.unwrap_err();
    assert!(!error.to_string().contains("sk-planted") && !format!("{error:?}").contains("sk-planted"));
    (error.cause().to_owned(), requests)
}

fn status(line: &str, headers: &str, body: &str) -> Act {
    Act::Write(response(line, headers, body.as_bytes()))
}

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

#[tokio::test]
async fn a_plain_answer_is_read() {
    let (result, _) = ask(vec![Act::Write(answer("fine"))]).await;
    let reply = result.unwrap();
    assert_eq!((reply.text.as_str(), reply.prompt_tokens, reply.attempts), ("fine", Some(5), 1));
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again() {
    let busy = status("429 Too Many Requests", "retry-after: 0\r\n", "busy");
    let (result, requests) = ask(vec![busy, status("500 Oops", "", "x"), Act::Write(answer("late"))]).await;
    let reply = result.unwrap();
    assert_eq!((reply.text.as_str(), reply.attempts, requests), ("late", 3, 3));
    assert_eq!(reply.retry_causes, ["http_429", "http_500"]);
}

#[tokio::test]
async fn faults_are_named() {
    let json = "content-type: application/json\r\n";
    assert_eq!(cause(vec![status("500 Oops", "", "x")]).await, ("http_500".into(), 3));
    assert_eq!(cause(vec![status("401 No", "", "x")]).await, ("unauthorised".into(), 1));
    assert_eq!(cause(vec![status("404 No", "", "x")]).await, ("not_found".into(), 1));
    assert_eq!(cause(vec![status("400 No", "", "maximum context length is 8")]).await, ("context_exceeded".into(), 1));
    assert_eq!(cause(vec![status("200 OK", "content-type: text/html\r\n", "<html>")]).await, ("not_json".into(), 1));
    assert_eq!(
        cause(vec![Act::Write(response("200 OK", json, b"{\"choices\":[{\"text\":\"\xff\"}]}"))]).await,
        ("invalid_utf8".into(), 1)
    );
    assert_eq!(cause(vec![Act::Close]).await, ("unreachable".into(), 3));
    let location = "location: http://169.254.169.254/\r\n";
    assert_eq!(cause(vec![status("302 Found", location, "")]).await, ("redirected".into(), 1));
    let packed = "content-encoding: gzip\r\n";
    assert_eq!(cause(vec![status("200 OK", packed, "x")]).await, ("content_encoding".into(), 1));
}

#[tokio::test]
async fn stalls_and_floods_end() {
    assert_eq!(cause(vec![Act::Hang(Vec::new())]).await, ("first_byte".into(), 3));
    let begun = format!("{SSE}data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}]}}\n\n");
    assert_eq!(cause(vec![Act::Hang(begun.into_bytes())]).await, ("idle".into(), 3));
    let big = response("200 OK", "content-type: application/json\r\n", &vec![b' '; 9 * 1024 * 1024]);
    assert_eq!(cause(vec![Act::Write(big)]).await, ("body_too_large".into(), 1));
    let (flood, _) =
        cause(vec![Act::Forever(SSE.into(), b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n".to_vec())])
            .await;
    assert!(flood == "body_too_large" || flood == "total", "{flood}");
}

#[tokio::test]
async fn a_refused_address_gets_no_request() {
    let server = FakeEndpoint::start(vec![Act::Write(answer("x"))]).await;
    let config = EndpointConfig::new(server.base_url.clone(), "m");
    assert!(OpenAiClient::new(config, &AddressPolicy::default(), 1).is_err());
    assert_eq!(server.requests(), 0);
}

async fn vectors(script: impl Fn(usize) -> String + Send + Sync + 'static) -> Result<Embedded, CallError> {
    let server = FakeEndpoint::scripted(move |path, body| {
        assert_eq!(path, "/v1/embeddings");
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        document(&script(body["input"].as_array().unwrap().len()))
    })
    .await;
    client(&server.base_url).embed(&["one", "two"].map(|text| Input::Text(text.to_owned()))).await
}

#[tokio::test]
async fn an_embedder_that_sends_no_vectors_has_a_named_cause() {
    let rows = |row: &str, count: usize| format!(r#"{{"data":[{}]}}"#, vec![row; count].join(","));
    let fine = vectors(move |count| rows(r#"{"embedding":[0.5,1]}"#, count)).await.unwrap();
    assert_eq!(fine.vectors, vec![vec![0.5, 1.0]; 2]);
    let cause = async |script: fn(usize) -> String| vectors(script).await.unwrap_err().cause().to_owned();
    assert_eq!(cause(|_| r#"{"data":[{"embedding":[1]}]}"#.to_owned()).await, "short_batch");
    assert_eq!(cause(|_| r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#.to_owned()).await, "wrong_dimension");
    assert_eq!(cause(|_| r#"{"data":[{"embedding":[NaN]},{"embedding":[1]}]}"#.to_owned()).await, "not_json");
    assert_eq!(cause(|_| r#"{"data":[{"embedding":[null]},{"embedding":[1]}]}"#.to_owned()).await, "not_finite");
    let twice = r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#;
    assert_eq!(vectors(move |_| twice.to_owned()).await.unwrap_err().cause(), "wrong_order");
}

#[tokio::test]
async fn vectors_without_end_are_cut_off() {
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"data\":[{\"embedding\":[".to_vec();
    let server = FakeEndpoint::start(vec![Act::Forever(endless, "0.123456789,".repeat(4096).into_bytes())]).await;
    let failed = client(&server.base_url).embed(&[Input::Text("one".to_owned())]).await.unwrap_err();
    assert_eq!(failed.cause(), "body_too_large");
}

#[tokio::test]
async fn a_reranker_that_is_busy_is_asked_again_and_its_order_does_not_matter() {
    let busy = status("503 Busy", "", "x");
    let body = r#"{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":-2}],"usage":{"total_tokens":4}}"#;
    let server = FakeEndpoint::start(vec![busy, Act::Write(document(body))]).await;
    let found = client(&server.base_url).rerank("q", &["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!((found.scores, found.spent.attempts, found.spent.prompt_tokens), (vec![-2.0, 0.9], 2, Some(4)));
}
