//! Site, workers and baselines as processes, and somebody who uses them over HTTP.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use longboard_testkit::database::{TestDatabase, redis_url};
use longboard_testkit::process::{Process, free_port};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Seconds until the shard of a silent worker goes to another.
pub const LEASE_SECONDS: u64 = 3;

/// An instance with its folder, database and port, which stay when its processes are killed.
pub struct Stage {
    folder: TempDir,
    database: TestDatabase,
    /// Where the site is.
    pub base: String,
    http: Client,
}

impl Stage {
    /// An instance that does not run yet.
    ///
    /// # Panics
    /// Without a free port or a temporary folder.
    #[must_use]
    pub fn new(database: TestDatabase) -> Self {
        // A second installation in one process is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build().expect("a client");
        let base = format!("http://127.0.0.1:{}", free_port());
        Self { folder: TempDir::new().expect("a folder"), database, base, http }
    }

    /// Which database, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.database.kind
    }

    /// The program with this instance's options; with PostgreSQL also over Redis, as in production.
    #[must_use]
    pub fn longboard(&self) -> Command {
        let mut command = Command::new(program("longboard"));
        let bind = self.base.trim_start_matches("http://");
        command.arg("--data-dir").arg(self.folder.path()).args(["--bind", bind]);
        command.args(["--database-url", &self.database.url, "--allow", "127.0.0.0/8"]);
        command.args(["--lease-seconds", &LEASE_SECONDS.to_string()]);
        if self.database.kind == "postgres" {
            command.args(["--redis-url", &redis_url()]);
        }
        command
    }

    /// Starts the site with its own worker and the baselines.
    #[must_use]
    pub fn start(&self) -> Process {
        let process = Process::start("longboard", &mut self.longboard());
        let _ = process.wait_for("Longboard at ", PATIENCE);
        process
    }

    /// Starts the site.
    #[must_use]
    pub fn serve(&self) -> Process {
        let process = Process::start("longboard", self.longboard().arg("serve"));
        let _ = process.wait_for("Longboard at ", PATIENCE);
        process
    }

    /// Makes a worker token on the command line.
    ///
    /// # Panics
    /// When the command fails.
    #[must_use]
    pub fn worker_token(&self, name: &str) -> String {
        let output =
            self.longboard().args(["admin", "create-worker-token", "--name", name]).output().expect("longboard");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Registers the methods and queues their runs on the command line.
    ///
    /// # Panics
    /// When the command fails.
    pub fn run_methods(&self) {
        let output = self.longboard().args(["admin", "run-methods"]).output().expect("longboard");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Queues a whole suite for a built-in contestant on the command line and returns the run's id.
    ///
    /// # Panics
    /// When the command fails.
    #[must_use]
    pub fn run_builtin(&self, model: &str, suite: &str) -> String {
        let output =
            self.longboard().args(["admin", "run", "--model", model, "--suite", suite]).output().expect("longboard");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        said.trim().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Starts a worker.
    #[must_use]
    pub fn work(&self, token: &str) -> Process {
        self.work_with(token, "")
    }

    /// Starts a worker that also takes what needs these labels, e.g. `reference`.
    #[must_use]
    pub fn work_with(&self, token: &str, labels: &str) -> Process {
        let mut command = Command::new(program("longboard-worker"));
        command.args(["run", "--server", &self.base, "--token", token, "--allow", "127.0.0.0/8"]);
        command.args(["--labels", labels]);
        Process::start("longboard-worker", &mut command)
    }

    /// Somebody with a team and its API token.
    ///
    /// # Panics
    /// When the forms do not do what they say.
    #[must_use]
    pub fn sign_up(&self, name: &str) -> Caller<'_> {
        let password = "a long enough password";
        let form = [("email", format!("{name}@example.org")), ("name", name.to_owned()), ("team", name.to_owned())];
        let form: Vec<(&str, String)> = form.into_iter().chain([("password", password.to_owned())]).collect();
        let response = self.http.post(self.url("/sign-up")).form(&form).send().expect("sign-up");
        assert_eq!(response.status(), 303, "{}", response.text().unwrap_or_default());
        let cookie = response.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie");
        let mut caller = Caller { stage: self, cookie: cookie.to_owned(), token: String::new() };
        let team = format!("/teams/{name}");
        let page = caller.page(&team).text().expect("a page");
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
        let form = [("csrf", csrf), ("name", "test".to_owned())];
        let made = caller.post_form(&format!("{team}/tokens"), &form).text().expect("a page");
        caller.token = between(&made, "<code>lba_", "</code>");
        caller.token.insert_str(0, "lba_");
        caller
    }

    /// A maintainer who is signed in.
    ///
    /// # Panics
    /// When the command or the form does not do what it says.
    #[must_use]
    pub fn maintainer(&self) -> Caller<'_> {
        let email = "maintainer@example.org";
        let command = ["admin", "create-user", "--email", email, "--name", "Maintainer", "--maintainer"];
        let made = self.longboard().args(command).output().expect("longboard");
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        let password = said.trim().rsplit(' ').next().unwrap_or_default();
        let form = [("email", email), ("password", password)];
        let response = self.http.post(self.url("/sign-in")).form(&form).send().expect("sign-in");
        assert_eq!(response.status(), 303, "{}", response.text().unwrap_or_default());
        let cookie = response.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie");
        Caller { stage: self, cookie: cookie.to_owned(), token: String::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Reads a public page.
    ///
    /// # Panics
    /// When the site does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().expect("the site answers")
    }

    /// Reads a public page as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self, path: &str) -> Value {
        self.get(path).json().expect("JSON")
    }

    /// Reads a board of scores until so many entries have all their samples in closed runs.
    ///
    /// # Panics
    /// When it never has.
    #[must_use]
    pub fn board(&self, slug: &str, complete: usize) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let board = self.json(&format!("/boards/{slug}.json"));
            let rows = board["rows"].as_array().expect("rows");
            // All answers may be there a moment before the run is closed.
            let closed = |row: &&Value| row["complete"] == true && !row["flags"].to_string().contains("open");
            if rows.iter().filter(closed).count() >= complete {
                return board;
            }
            assert!(Instant::now() < end, "the board was never complete: {board}");
        }
    }

    /// Posts JSON with a token and returns the status and the text.
    ///
    /// # Panics
    /// When the site does not answer.
    #[must_use]
    pub fn call(&self, path: &str, token: &str, body: &str) -> (u16, String) {
        let request = self.http.post(self.url(path)).bearer_auth(token).header("content-type", "application/json");
        let response = request.body(body.to_owned()).send().expect("the site answers");
        (response.status().as_u16(), response.text().unwrap_or_default())
    }

    /// Reads a run until it is as wanted.
    ///
    /// # Panics
    /// When it never is.
    #[must_use]
    pub fn observe(&self, run: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let report = self.json(&format!("/runs/{run}.json"));
            if wanted(&report) {
                return report;
            }
            assert!(Instant::now() < end, "the run was never as wanted: {report}");
        }
    }

    /// Follows the events of a run until its progress is as wanted, and returns it.
    ///
    /// # Panics
    /// When the run ends before.
    #[must_use]
    pub fn follow(&self, run: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.follow_over(20, run, wanted)
    }

    /// The same over at most so many streams of events, each as long as [`PATIENCE`].
    ///
    /// # Panics
    /// When the run ends before.
    #[must_use]
    pub fn follow_over(&self, streams: usize, run: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = String::new();
        // A stream may end early, e.g. with its server.
        for _ in 0..streams {
            let Ok(stream) = self.http.get(self.url(&format!("/runs/{run}/events"))).send() else { continue };
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let Some(data) = line.strip_prefix("data: ") else { continue };
                let progress: Value = serde_json::from_str(data).expect("JSON");
                if wanted(&progress) {
                    return progress;
                }
                last = line;
            }
        }
        panic!("the run never came so far; last: {last}; {}", self.json(&format!("/runs/{run}.json")));
    }
}

/// Somebody who is signed in, with an API token.
pub struct Caller<'a> {
    stage: &'a Stage,
    cookie: String,
    token: String,
}

impl Caller<'_> {
    /// The API token of the team.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Reads a page as this person.
    ///
    /// # Panics
    /// When the site does not answer.
    #[must_use]
    pub fn page(&self, path: &str) -> Response {
        self.stage.http.get(self.stage.url(path)).header("cookie", &self.cookie).send().expect("a page")
    }

    /// Sends a form as a browser does from a page of another site.
    ///
    /// # Panics
    /// When the site does not answer.
    #[must_use]
    pub fn post_from_elsewhere(&self, path: &str, form: &[(&str, String)]) -> Response {
        let request = self.stage.http.post(self.stage.url(path)).header("cookie", &self.cookie);
        request.header("origin", "https://elsewhere.example").form(form).send().expect("a page")
    }

    /// The token that this person's forms carry.
    ///
    /// # Panics
    /// When the account page has none.
    #[must_use]
    pub fn csrf(&self) -> String {
        between(&self.page("/account").text().expect("a page"), "name=\"csrf\" value=\"", "\"")
    }

    /// Sends a form.
    ///
    /// # Panics
    /// When the site does not answer.
    #[must_use]
    pub fn post_form(&self, path: &str, form: &[(&str, String)]) -> Response {
        self.stage.http.post(self.stage.url(path)).header("cookie", &self.cookie).form(form).send().expect("a page")
    }

    fn api(&self, request: RequestBuilder) -> Value {
        let response = request.bearer_auth(&self.token).send().expect("the API answers");
        let (status, text) = (response.status(), response.text().expect("text"));
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Calls the JSON API.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.api(self.stage.http.post(self.stage.url(path)).json(body))
    }

    /// Registers an endpoint.
    pub fn register(&self, name: &str, base_url: &str) {
        self.register_as(name, base_url, "chat");
    }

    /// Registers an endpoint that takes another call, e.g. `embeddings`.
    pub fn register_as(&self, name: &str, base_url: &str, api: &str) {
        let body = json!({"name": name, "base_url": base_url, "model": name, "max_concurrency": 4, "api": api});
        let _ = self.post("/api/v1/endpoints", &body);
    }

    /// Waits until the probe of an endpoint has passed.
    ///
    /// # Panics
    /// When it fails.
    pub fn probed(&self, slug: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let request = self.stage.http.get(self.stage.url(&format!("/api/v1/endpoints/{slug}")));
            let report = self.api(request);
            match report["probe"].as_str() {
                Some("passed") => return,
                Some("pending") if Instant::now() < end => {}
                _ => panic!("the probe of {slug}: {report}"),
            }
        }
    }

    /// Submits a run of some of the quickstart suite and returns its id.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn submit(&self, endpoint: &str, lengths: &[&str], samples: u32) -> String {
        self.run(&json!({"endpoint": endpoint, "suite": "quickstart", "lengths": lengths, "samples": samples}))
    }

    /// Submits a run of a whole suite and returns its id.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn submit_all(&self, endpoint: &str, suite: &str) -> String {
        self.run(&json!({"endpoint": endpoint, "suite": suite}))
    }

    fn run(&self, body: &Value) -> String {
        self.post("/api/v1/runs", body)["id"].as_str().expect("an id").to_owned()
    }
}

/// A baseline behind the OpenAI-compatible protocol that takes its time, and its base URL.
#[must_use]
pub fn baseline(name: &str, delay_ms: u64) -> (Process, String) {
    served(name, &["--baseline", name, "--delay-ms", &delay_ms.to_string()])
}

/// What ranks without a language model, behind the protocol of embedders or rerankers, and its base URL.
#[must_use]
pub fn ranker(name: &str) -> (Process, String) {
    served(name, &["--ranker", name])
}

/// The reference model under a policy behind the OpenAI-compatible protocol, and its base URL. `settings` is an object of
/// numbers.
#[must_use]
pub fn policy(name: &str, settings: &Value) -> (Process, String) {
    let numbers = settings.as_object().into_iter().flatten();
    let numbers: Vec<String> = numbers.map(|(name, value)| format!("{name}={value}")).collect();
    let settings = numbers.iter().flat_map(|number| ["--set", number]);
    served(name, &["--policy", name].into_iter().chain(settings).collect::<Vec<_>>())
}

fn served(name: &str, arguments: &[&str]) -> (Process, String) {
    let mut command = Command::new(program("longboard-worker"));
    command.args(["serve-model", "--bind", "127.0.0.1:0"]).args(arguments);
    let process = Process::start(name, &mut command);
    let line = process.wait_for(" at http://", PATIENCE);
    let base_url = line.split(" at ").nth(1).unwrap_or_default().to_owned();
    (process, base_url)
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("`{before}` is not in {text}"));
    rest.split(after).next().unwrap_or_default().to_owned()
}
