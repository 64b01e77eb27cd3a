//! The cost of asking: rate, CPU and memory of the client against a server of its own that answers after 50 ms.
//!
//! `cargo bench -p longboard-endpoint --bench harness`
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use longboard_endpoint::client::{EndpointConfig, OpenAiClient};
use longboard_endpoint::model::{ChatModel, ChatRequest};
use longboard_endpoint::policy::AddressPolicy;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const DELAY: Duration = Duration::from_millis(50);
const SERVER: &str = "LONGBOARD_HARNESS_SERVER";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if std::env::var_os(SERVER).is_some() {
        return runtime.block_on(serve());
    }
    let mut server =
        Command::new(std::env::current_exe().unwrap()).env(SERVER, "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().unwrap()), &mut address).unwrap();
    for (name, in_flight, samples, bytes) in [
        ("2 kB prompts", 128, 20_000, 2_000),
        ("2 kB prompts", 512, 40_000, 2_000),
        ("500 kB prompts", 32, 2_000, 500_000),
    ] {
        runtime.block_on(measure(name, address.trim(), in_flight, samples, bytes));
    }
    let _ = server.kill();
    let _ = server.wait();
}

/// Sends `samples` prompts with `in_flight` at once and prints what it took.
async fn measure(name: &str, address: &str, in_flight: u32, samples: u32, bytes: usize) {
    let mut config = EndpointConfig::new(format!("http://{address}/v1"), "bench");
    config.max_concurrency = in_flight;
    let policy = AddressPolicy::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let client = Arc::new(OpenAiClient::new(config, &policy, 1).unwrap());
    let next = Arc::new(AtomicU32::new(0));
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let (client, next) = (Arc::clone(&client), Arc::clone(&next));
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < samples {
                    let reply = client.complete(ChatRequest::user("x".repeat(bytes), 16)).await.unwrap();
                    assert!(!reply.text.is_empty());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let rate = f64::from(samples) / wall;
    let ideal = f64::from(in_flight) / DELAY.as_secs_f64();
    println!(
        "{name}, {in_flight} in flight, {samples} samples: {rate:.0}/s, {:.2} of ideal; {:.3} CPU s per 1000; peak memory {} MB",
        rate / ideal,
        1000.0 * cpu / f64::from(samples),
        peak_megabytes()
    );
}

/// User and system time of this process in seconds, from clock ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(answer_all(stream));
    }
}

async fn answer_all(stream: TcpStream) -> std::io::Result<()> {
    let body =
        r#"{"choices":[{"message":{"content":"one two three four five six seven eight"},"finish_reason":"stop"}]}"#;
    let response =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    let mut sink = vec![0_u8; 64 * 1024];
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        while length > 0 {
            let read = stream.read(&mut sink).await?;
            length -= read.min(length);
        }
        tokio::time::sleep(DELAY).await;
        stream.get_mut().write_all(response.as_bytes()).await?;
    }
}
