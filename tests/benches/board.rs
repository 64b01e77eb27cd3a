//! Server CPU per request of a board of 200 entries and 12 columns, beside nginx sending the same bytes as a file.
//!
//! `cargo build --release && cargo bench -p longboard-scenarios --bench board`, on a quiet machine with two cores, wrk and
//! nginx. The measured program has core 0, wrk core 1.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use longboard_app::predictions::operator_team;
use longboard_app::store::answer::Answer;
use longboard_app::store::endpoint::Endpoint;
use longboard_app::store::run::NewRun;
use longboard_app::store::vault::{KEY_BYTES, Vault};
use longboard_app::store::{EndpointKind, Store, TaskVersion, TaskVersions};
use longboard_scenarios::program;
use longboard_testkit::process::{Process, free_port};
use tempfile::TempDir;

const ENTRIES: usize = 200;
const SECONDS: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(folder.path()));
    let port = free_port();
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program("longboard")).arg("--data-dir").arg(folder.path());
    command.args(["--bind", &format!("127.0.0.1:{port}"), "serve"]);
    let site = Process::start("longboard", &mut command);
    let _ = site.wait_for("Longboard at ", PATIENCE);
    let url = format!("http://127.0.0.1:{port}/boards/infinitebench");
    for gzip in [false, true] {
        let body = fetch(&url, gzip);
        println!("body of {} bytes{}", body.len(), if gzip { ", gzip" } else { "" });
        let (nginx, address) = nginx(folder.path(), &body, gzip);
        measure("nginx", nginx.pid(), &address, gzip);
        measure("longboard", site.pid(), &url, gzip);
        measure("nginx again", nginx.pid(), &address, gzip);
    }
}

/// 200 contestants with one answer to each task.
async fn fill(folder: &Path) {
    let now = chrono::Utc::now();
    std::fs::write(folder.join("key"), [7; KEY_BYTES]).unwrap();
    let url = format!("sqlite://{}", folder.join("longboard.db").display());
    let store = Store::connect(&url, Vault::new([7; KEY_BYTES])).await.unwrap();
    store.migrate(now).await.unwrap();
    let team = operator_team(&store, now).await.unwrap();
    let suite = store.suite("infinitebench").await.unwrap().unwrap();
    let tokens = suite.lengths.0.first().unwrap().tokens().cast_signed();
    for number in 0..ENTRIES {
        let (slug, name) = (format!("contestant-{number}"), format!("Contestant {number}"));
        let row = Endpoint::new(team.id, EndpointKind::Predictions, &slug, &name, now);
        let endpoint = store.add_endpoint(row).await.unwrap();
        let tasks = suite.tasks.0.iter().map(|slug| TaskVersion { slug: slug.clone(), version: 1 });
        let new = NewRun {
            endpoint_id: endpoint.id,
            team_id: team.id,
            suite_slug: suite.slug.clone(),
            seed: 0,
            samples: suite.samples,
            tasks: TaskVersions(tasks.collect()),
            lengths: suite.lengths.clone(),
            counts: true,
            submitted_by: "bench".to_owned(),
            requires: String::new(),
            task_requires: Default::default(),
        };
        let answers = (1..).zip(&suite.tasks.0).map(|(place, task)| answer(place, task, tokens, number, now));
        store.add_imported_run(new, answers.collect(), now).await.unwrap();
    }
    store.raise_data_version(&suite.slug).await.unwrap();
    store.close().await.unwrap();
}

fn answer(place: i32, task: &str, tokens: i32, number: usize, now: chrono::DateTime<chrono::Utc>) -> Answer {
    let score = f64::from(u32::try_from((number * 7919 + place as usize * 104_729) % 1000).unwrap()) / 1000.0;
    let outcome = "partial".to_owned();
    Answer { number: place, outcome, score: Some(score), ..Answer::blank(task, 1, tokens, 0, now) }
}

fn fetch(url: &str, gzip: bool) -> Vec<u8> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url);
    let request = if gzip { request.header("accept-encoding", "gzip") } else { request };
    request.send().unwrap().bytes().unwrap().to_vec()
}

/// One nginx worker on core 0 that serves the body as a file.
fn nginx(folder: &Path, body: &[u8], gzip: bool) -> (Process, String) {
    let root = folder.join(if gzip { "gzip" } else { "plain" });
    std::fs::create_dir_all(root.join("www")).unwrap();
    std::fs::write(root.join("www/board"), body).unwrap();
    let (port, root) = (free_port(), root.display().to_string());
    let encoding = if gzip { "add_header Content-Encoding gzip;" } else { "" };
    let configuration = format!(
        "daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
        events {{ worker_connections 1024; }}
        http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=10;
        client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
        uwsgi_temp_path {root}/u; scgi_temp_path {root}/s; default_type text/html;
        server {{ listen 127.0.0.1:{port}; root {root}/www; {encoding} }} }}"
    );
    std::fs::write(format!("{root}/nginx.conf"), configuration).unwrap();
    let mut command = Command::new("taskset");
    command.args([
        "-c",
        "0",
        "/usr/sbin/nginx",
        "-c",
        &format!("{root}/nginx.conf"),
        "-e",
        &format!("{root}/error.log"),
    ]);
    let process = Process::start("nginx", &mut command);
    let url = format!("http://127.0.0.1:{port}/board");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {}
    (process, url)
}

fn measure(name: &str, pid: u32, url: &str, gzip: bool) {
    let before = cpu_seconds(pid);
    let mut wrk = Command::new("taskset");
    wrk.args(["-c", "1", "wrk", "-t1", "-c64", &format!("-d{SECONDS}s")]);
    if gzip {
        wrk.args(["-H", "Accept-Encoding: gzip"]);
    }
    let output = wrk.arg(url).stderr(Stdio::inherit()).output().unwrap();
    let spent = cpu_seconds(pid) - before;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let requests: f64 = said
        .lines()
        .find_map(|line| line.trim().split_once(" requests in ").and_then(|(count, _)| count.parse().ok()))
        .unwrap_or_else(|| panic!("{said}"));
    let per_request = 1e6 * spent / requests;
    println!("{name:>12}: {requests} requests in {SECONDS} s, {per_request:.1} µs of CPU each");
    assert!(!said.contains("Non-2xx"), "{said}");
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
