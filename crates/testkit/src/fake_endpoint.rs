//! A real HTTP server that misbehaves on request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Writes these bytes: status line, headers and body.
    Write(Vec<u8>),
    /// Writes these bytes and then nothing more, with the connection open.
    Hang(Vec<u8>),
    /// Writes the first bytes, then the second again and again until the client goes.
    Forever(Vec<u8>, Vec<u8>),
    /// Closes without a word.
    Close,
}

/// A server on loopback that plays one act per request; the last one repeats.
pub struct FakeEndpoint {
    /// Base URL, e.g. `http://127.0.0.1:40001/v1`.
    pub base_url: String,
    requests: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeEndpoint {
    /// Starts the server.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let requests = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acts.clone(), Arc::clone(&counter)));
            }
        });
        Self { base_url, requests, task }
    }

    /// Starts a server whose every response `script` makes of the request's path and body.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn scripted(script: impl Fn(&str, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let requests = Arc::new(AtomicU32::new(0));
        let (counter, script) = (Arc::clone(&requests), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (counter, script) = (Arc::clone(&counter), Arc::clone(&script));
                tokio::spawn(async move {
                    while let Some((path, body)) = read_request(&mut stream).await {
                        counter.fetch_add(1, Ordering::SeqCst);
                        if stream.write_all(&script(&path, &body)).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { base_url, requests, task }
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for FakeEndpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole response.
#[must_use]
pub fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A JSON document that answers a request.
#[must_use]
pub fn document(json: &str) -> Vec<u8> {
    response("200 OK", "content-type: application/json\r\n", json.as_bytes())
}

/// A chat answer as one JSON document.
#[must_use]
pub fn answer(text: &str) -> Vec<u8> {
    let text = text.replace('"', "\\\"");
    let body = format!(
        "{{\"choices\":[{{\"message\":{{\"content\":\"{text}\"}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":5}}}}"
    );
    response("200 OK", "content-type: application/json\r\n", body.as_bytes())
}

async fn serve(mut stream: TcpStream, acts: Vec<Act>, counter: Arc<AtomicU32>) {
    while read_request(&mut stream).await.is_some() {
        let number = counter.fetch_add(1, Ordering::SeqCst) as usize;
        let act = acts.get(number).or(acts.last()).cloned().unwrap_or(Act::Close);
        match act {
            Act::Write(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Act::Hang(bytes) => {
                let _ = stream.write_all(&bytes).await;
                tokio::time::sleep(Duration::from_secs(600)).await;
            }
            Act::Forever(first, again) => {
                let mut alive = stream.write_all(&first).await.is_ok();
                while alive {
                    alive = stream.write_all(&again).await.is_ok();
                }
                return;
            }
            Act::Close => return,
        }
    }
}

/// Reads headers and a body of the announced length; the path and the body, or nothing at the end.
async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let text = String::from_utf8_lossy(&head);
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let lower = text.to_lowercase();
    let length =
        lower.lines().find_map(|line| line.strip_prefix("content-length:")).and_then(|value| value.trim().parse().ok());
    let mut body = vec![0_u8; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((path, body))
}
