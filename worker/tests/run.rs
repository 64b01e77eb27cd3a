//! The fleet loop against a worker API that plays from memory and real endpoints.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use longboard_endpoint::policy::AllowRule;
use longboard_protocol::method::MethodSpec;
use longboard_protocol::worker::{
    Answer, AnswersReply, AnswersRequest, CheckStatus, ClaimRequest, CorpusSpec, DataRecord, DataSpec, EndpointApi,
    EndpointSpec, Exchange, FailRequest, FinishRequest, ProbeReport, ProbeRequest, ProgramRun, RefusedAnswer,
    RenewReply, RenewRequest, RunWork, ShardLease, TaskSpec, Work,
};
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};
use longboard_testkit::fake_endpoint::{Act, FakeEndpoint, answer, response};
use longboard_worker::baseline::Baseline;
use longboard_worker::device::Device;
use longboard_worker::run::Fleet;
use longboard_worker::sandbox::Sandbox;
use longboard_worker::serve::{ModelServer, Served, serve};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const TOKEN: &str = "worker-token";

/// Renewed after half a second.
const SHORT_LEASE_MS: u64 = 2000;

/// A call of the worker, in the order in which they came.
#[derive(Debug)]
enum Call {
    Claim(ClaimRequest),
    Renew,
    Answers(AnswersRequest),
    Finish(FinishRequest),
    Fail(FailRequest),
    Probe(ProbeRequest),
}

/// What the server says to a renewal.
#[derive(Clone, Copy)]
enum Renewal {
    Kept,
    Cancelled,
    Lost,
}

/// The server's memory.
struct Desk {
    leases: Mutex<VecDeque<ShardLease>>,
    queued: Notify,
    stored: Mutex<BTreeMap<(u32, u32), Answer>>,
    /// Statuses of the next posts of answers; 200 afterwards.
    troubles: Mutex<VecDeque<u16>>,
    renewal: Box<dyn Fn() -> Renewal + Send + Sync>,
    refuses: bool,
    calls: mpsc::UnboundedSender<Call>,
}

/// A running server, and the calls it got.
struct Site {
    url: String,
    desk: Arc<Desk>,
    calls: mpsc::UnboundedReceiver<Call>,
    handle: ServerHandle,
}

fn site() -> Site {
    site_with(|| Renewal::Kept, false)
}

fn site_with(renewal: impl Fn() -> Renewal + Send + Sync + 'static, refuses: bool) -> Site {
    let (sender, calls) = mpsc::unbounded_channel();
    let desk = Arc::new(Desk {
        leases: Mutex::default(),
        queued: Notify::new(),
        stored: Mutex::default(),
        troubles: Mutex::default(),
        renewal: Box::new(renewal),
        refuses,
        calls: sender,
    });
    let data = web::Data::from(Arc::clone(&desk));
    let server = HttpServer::new(move || {
        let api = web::scope("/api/v1/worker")
            .route("/claim", web::post().to(claim))
            .route("/shards/{id}/renew", web::post().to(renew))
            .route("/shards/{id}/answers", web::post().to(answers))
            .route("/shards/{id}/probe", web::post().to(probe))
            .route("/shards/{id}/finish", web::post().to(finish))
            .route("/shards/{id}/fail", web::post().to(fail));
        App::new().app_data(data.clone()).service(api)
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    Site { url, desk, calls, handle }
}

async fn claim(desk: web::Data<Desk>, head: HttpRequest, body: web::Json<ClaimRequest>) -> HttpResponse {
    let bearer = head.headers().get("authorization").and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {TOKEN}")) {
        return HttpResponse::Unauthorized().finish();
    }
    let wait_ms = body.wait_ms;
    let _ = desk.calls.send(Call::Claim(body.into_inner()));
    let taken = async {
        loop {
            let queued = desk.queued.notified();
            let lease = desk.leases.lock().unwrap().pop_front();
            match lease {
                Some(lease) => return lease,
                None => queued.await,
            }
        }
    };
    match tokio::time::timeout(Duration::from_millis(wait_ms), taken).await {
        Ok(lease) => HttpResponse::Ok().json(lease),
        Err(_) => HttpResponse::NoContent().finish(),
    }
}

async fn renew(desk: web::Data<Desk>, _body: web::Json<RenewRequest>) -> HttpResponse {
    let _ = desk.calls.send(Call::Renew);
    match (desk.renewal)() {
        Renewal::Kept => HttpResponse::Ok().json(RenewReply { lease_ms: SHORT_LEASE_MS, cancelled: false }),
        Renewal::Cancelled => HttpResponse::Ok().json(RenewReply { lease_ms: 60_000, cancelled: true }),
        Renewal::Lost => HttpResponse::Conflict().finish(),
    }
}

async fn answers(desk: web::Data<Desk>, body: web::Json<AnswersRequest>) -> HttpResponse {
    let body = body.into_inner();
    let _ = desk.calls.send(Call::Answers(body.clone()));
    if let Some(status) = desk.troubles.lock().unwrap().pop_front() {
        return HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish();
    }
    let mut reply = AnswersReply::default();
    for answer in body.answers {
        let (index, repetition) = (answer.index, answer.repetition);
        if desk.refuses {
            reply.refused.push(RefusedAnswer { index, repetition, reason: "prompt digest differs".to_owned() });
        } else if desk.stored.lock().unwrap().insert((index, repetition), answer).is_some() {
            reply.duplicates += 1;
        } else {
            reply.stored += 1;
        }
    }
    HttpResponse::Ok().json(reply)
}

async fn probe(desk: web::Data<Desk>, body: web::Json<ProbeRequest>) -> HttpResponse {
    let _ = desk.calls.send(Call::Probe(body.into_inner()));
    HttpResponse::NoContent().finish()
}

async fn finish(desk: web::Data<Desk>, body: web::Json<FinishRequest>) -> HttpResponse {
    let _ = desk.calls.send(Call::Finish(body.into_inner()));
    HttpResponse::NoContent().finish()
}

async fn fail(desk: web::Data<Desk>, body: web::Json<FailRequest>) -> HttpResponse {
    let _ = desk.calls.send(Call::Fail(body.into_inner()));
    HttpResponse::NoContent().finish()
}

impl Site {
    /// Queues a shard and starts a worker of one slot.
    fn start(&self, lease: ShardLease) -> (CancellationToken, JoinHandle<anyhow::Result<()>>) {
        self.start_fleet(lease, fleet(&self.url))
    }

    fn start_fleet(&self, lease: ShardLease, fleet: Fleet) -> (CancellationToken, JoinHandle<anyhow::Result<()>>) {
        self.desk.leases.lock().unwrap().push_back(lease);
        self.desk.queued.notify_one();
        let stop = CancellationToken::new();
        (stop.clone(), tokio::spawn(fleet.serve(stop)))
    }

    /// The next call that is neither a claim nor a renewal.
    async fn told(&mut self) -> Call {
        loop {
            match self.call().await {
                Call::Claim(_) | Call::Renew => {}
                call => return call,
            }
        }
    }

    /// The call that ends a shard, after whatever answers.
    async fn end(&mut self) -> Call {
        loop {
            match self.told().await {
                Call::Answers(_) => {}
                call => return call,
            }
        }
    }

    async fn failure(&mut self) -> FailRequest {
        match self.end().await {
            Call::Fail(failure) => failure,
            other => panic!("{other:?} instead of a failure"),
        }
    }

    async fn call(&mut self) -> Call {
        let next = tokio::time::timeout(Duration::from_secs(60), self.calls.recv());
        next.await.expect("a call within a minute").expect("the server runs")
    }

    fn stored(&self) -> BTreeMap<(u32, u32), Answer> {
        self.desk.stored.lock().unwrap().clone()
    }

    async fn close(self, stop: CancellationToken, worker: JoinHandle<anyhow::Result<()>>) {
        stop.cancel();
        worker.await.unwrap().unwrap();
        self.handle.stop(false).await;
    }
}

fn fleet(url: &str) -> Fleet {
    Fleet {
        server: url.to_owned(),
        token: SecretString::from(TOKEN),
        labels: vec!["cpu".to_owned()],
        slots: 1,
        allow: vec!["127.0.0.1".parse::<AllowRule>().unwrap()],
        sandbox: None,
        device: Device::Cpu,
    }
}

fn baseline(baseline: Baseline) -> (ModelServer, String) {
    let server = serve(Served::Baseline(baseline, std::time::Duration::ZERO), "127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/v1", server.address);
    (server, url)
}

fn niah() -> &'static Task {
    Task::find("niah_single_1").unwrap()
}

fn spec(task: &Task) -> TaskSpec {
    let definition = task.definition().clone();
    TaskSpec {
        slug: definition.slug,
        version: definition.version,
        title: definition.title,
        family: definition.family,
        params: definition.params,
        corpus: None,
        data: None,
    }
}

fn lease(base_url: &str, work: Work) -> ShardLease {
    ShardLease {
        shard: Uuid::new_v4(),
        fence: 7,
        lease_ms: 60_000,
        endpoint: EndpointSpec {
            id: Uuid::new_v4(),
            base_url: base_url.to_owned(),
            model: "m".to_owned(),
            api: EndpointApi::Chat,
            secret: Some("sesame".to_owned()),
            max_concurrency: 1,
            context_limit_tokens: None,
            first_byte_timeout_ms: 60_000,
            method: None,
            strategy: None,
            query_prefix: String::new(),
            document_prefix: String::new(),
        },
        work,
    }
}

fn items(count: u32, answered: &[(u32, u32)]) -> RunWork {
    RunWork {
        run: Uuid::new_v4(),
        task: spec(niah()),
        length_tokens: 1024,
        seed: 11,
        first_index: 5,
        count,
        repetitions: 1,
        answered: answered.to_vec(),
    }
}

fn run(work: RunWork) -> Work {
    Work::Run(Box::new(work))
}

fn digest(index: u32) -> String {
    let request = ItemRequest::new(11, index, Length::new(1024).unwrap());
    niah().item(&request).unwrap().prompt_digest()
}

#[tokio::test]
async fn a_shard_is_answered_with_the_prompts_that_suites_builds() {
    let (model, url) = baseline(Baseline::Bm25Reader);
    let mut site = site();
    let mut shard = lease(&url, run(items(4, &[])));
    shard.endpoint.max_concurrency = 3;
    let (stop, worker) = site.start(shard);
    match site.end().await {
        Call::Finish(request) => assert_eq!(request.fence, 7),
        other => panic!("{other:?}"),
    }
    let stored = site.stored();
    assert_eq!(stored.keys().copied().collect::<Vec<_>>(), [(5, 0), (6, 0), (7, 0), (8, 0)]);
    for answer in stored.values() {
        assert_eq!(answer.prompt_digest, digest(answer.index));
        let Exchange::Completed(completion) = &answer.result else { panic!("{answer:?}") };
        assert_eq!((completion.reported_prompt_tokens, completion.attempts), (Some(answer.prompt_tokens), 1));
        assert!(!completion.text.is_empty());
    }
    site.close(stop, worker).await;
    model.handle.stop(false).await;
}

#[tokio::test]
async fn answered_samples_are_left_out_and_repetitions_are_run() {
    let (model, url) = baseline(Baseline::Bm25Reader);
    let mut site = site();
    let work = RunWork { repetitions: 2, ..items(3, &[(5, 0), (6, 0), (6, 1)]) };
    let (stop, worker) = site.start(lease(&url, run(work)));
    assert!(matches!(site.end().await, Call::Finish(_)));
    assert_eq!(site.stored().into_keys().collect::<Vec<_>>(), [(5, 1), (7, 0), (7, 1)]);
    site.close(stop, worker).await;
    model.handle.stop(false).await;
}

#[tokio::test]
async fn a_batch_that_met_trouble_comes_again() {
    let (model, url) = baseline(Baseline::Bm25Reader);
    let mut site = site();
    site.desk.troubles.lock().unwrap().push_back(500);
    let (stop, worker) = site.start(lease(&url, run(items(4, &[]))));
    let (Call::Answers(first), Call::Answers(second)) = (site.told().await, site.told().await) else { panic!() };
    assert_eq!(first.answers, second.answers);
    assert!(matches!(site.end().await, Call::Finish(_)));
    assert_eq!(site.stored().len(), 4);
    site.close(stop, worker).await;
    model.handle.stop(false).await;
}

/// An endpoint that answers once and then hangs, and what the server says to renewals from then on.
async fn hanging(then: Renewal) -> (Site, Arc<FakeEndpoint>) {
    let endpoint = Arc::new(FakeEndpoint::start(vec![Act::Write(answer("1")), Act::Hang(Vec::new())]).await);
    let seen = Arc::clone(&endpoint);
    (site_with(move || if seen.requests() >= 2 { then } else { Renewal::Kept }, false), endpoint)
}

#[tokio::test]
async fn a_lost_lease_ends_all_posting() {
    let (mut site, endpoint) = hanging(Renewal::Lost).await;
    let shard = lease(&endpoint.base_url, run(items(4, &[])));
    let (stop, worker) = site.start(ShardLease { lease_ms: SHORT_LEASE_MS, ..shard });
    assert!(matches!(site.call().await, Call::Claim(_)));
    loop {
        match site.call().await {
            Call::Renew => {}
            Call::Claim(_) => break,
            other => panic!("{other:?} after the lease was lost"),
        }
    }
    assert!(site.stored().is_empty());
    site.close(stop, worker).await;
}

#[tokio::test]
async fn a_stale_fence_ends_the_shard() {
    let (model, url) = baseline(Baseline::RandomGuess);
    let mut site = site();
    site.desk.troubles.lock().unwrap().push_back(409);
    let (stop, worker) = site.start(lease(&url, run(items(4, &[]))));
    assert!(matches!(site.told().await, Call::Answers(_)));
    loop {
        match site.call().await {
            Call::Renew => {}
            Call::Claim(_) => break,
            other => panic!("{other:?} with a stale fence"),
        }
    }
    site.close(stop, worker).await;
    model.handle.stop(false).await;
}

#[tokio::test]
async fn a_cancelled_run_posts_what_is_done_and_nothing_else() {
    let (mut site, endpoint) = hanging(Renewal::Cancelled).await;
    let shard = lease(&endpoint.base_url, run(items(4, &[])));
    let (stop, worker) = site.start(ShardLease { lease_ms: SHORT_LEASE_MS, ..shard });
    assert!(matches!(site.call().await, Call::Claim(_)));
    let mut posted = 0;
    loop {
        match site.call().await {
            Call::Renew => {}
            Call::Answers(request) => posted += request.answers.len(),
            Call::Claim(_) => break,
            other => panic!("{other:?} for a cancelled run"),
        }
    }
    assert_eq!((posted, endpoint.requests()), (1, 2));
    site.close(stop, worker).await;
}

#[tokio::test]
async fn a_refused_secret_ends_the_shard_for_good() {
    let endpoint = FakeEndpoint::start(vec![Act::Write(response("401 Unauthorized", "", b"bad key"))]).await;
    let mut site = site();
    let (stop, worker) = site.start(lease(&endpoint.base_url, run(items(4, &[]))));
    let failure = site.failure().await;
    assert_eq!((failure.fence, failure.cause.as_str(), failure.retryable), (7, "unauthorised", false));
    assert!(failure.detail.contains("bad key"), "{}", failure.detail);
    assert!(site.stored().is_empty());
    assert_eq!(endpoint.requests(), 1);
    site.close(stop, worker).await;
}

#[tokio::test]
async fn a_model_that_does_not_exist_ends_the_shard_for_good() {
    let endpoint = FakeEndpoint::start(vec![Act::Write(response("404 Not Found", "", b"no model m"))]).await;
    let mut site = site();
    let (stop, worker) = site.start(lease(&endpoint.base_url, run(items(4, &[]))));
    let failure = site.failure().await;
    assert_eq!((failure.cause.as_str(), failure.retryable), ("not_found", false));
    assert!(failure.detail.contains("no model m") && failure.detail.contains("base URL"), "{}", failure.detail);
    assert!(site.stored().is_empty());
    site.close(stop, worker).await;
}

#[tokio::test]
async fn three_samples_that_find_nobody_give_the_shard_back() {
    let good = Act::Write(answer("1"));
    let endpoint = FakeEndpoint::start(vec![good, Act::Close]).await;
    let mut site = site();
    let mut shard = lease(&endpoint.base_url, run(items(8, &[])));
    shard.endpoint.max_concurrency = 4;
    let (stop, worker) = site.start(shard);
    let failure = site.failure().await;
    assert_eq!((failure.cause.as_str(), failure.retryable), ("endpoint_unreachable", true));
    assert_eq!(site.stored().len(), 1);
    site.close(stop, worker).await;
}

#[tokio::test]
async fn what_no_attempt_can_mend_is_named() {
    let corpus = |text: &str, digest: &str| RunWork {
        task: TaskSpec {
            corpus: Some(CorpusSpec { slug: "c".to_owned(), digest: digest.to_owned(), text: text.to_owned() }),
            ..spec(niah())
        },
        ..items(1, &[])
    };
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let family = TaskSpec { family: "nope".to_owned(), ..spec(niah()) };
    let cases = [
        ("unknown_task", "127.0.0.1:9", RunWork { task: family, ..items(1, &[]) }),
        ("unsatisfiable", "127.0.0.1:9", RunWork { length_tokens: 1, ..items(1, &[]) }),
        ("corpus_unusable", "127.0.0.1:9", corpus("Some text.", "00")),
        ("corpus_unusable", "127.0.0.1:9", corpus("", empty)),
        ("address_refused", "127.0.0.2:9", items(1, &[])),
    ];
    let mut site = site();
    let (stop, worker) = site.start(lease("http://127.0.0.1:9/v1", run(items(0, &[]))));
    assert!(matches!(site.end().await, Call::Finish(_)), "an empty shard is finished");
    for (cause, host, work) in cases {
        site.desk.leases.lock().unwrap().push_back(lease(&format!("http://{host}/v1"), run(work)));
        site.desk.queued.notify_one();
        let failure = site.failure().await;
        assert_eq!((failure.cause.as_str(), failure.retryable), (cause, false), "{}", failure.detail);
    }
    site.close(stop, worker).await;
}

/// A shard that the worker answers itself.
fn method(policy: &str, settings: &[(&str, f64)], work: RunWork) -> ShardLease {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let mut shard = lease("", run(work));
    shard.endpoint.secret = None;
    shard.endpoint.max_concurrency = 2;
    shard.endpoint.method = Some(MethodSpec { policy: policy.to_owned(), settings });
    shard
}

/// LServe as `serve-model` serves it, and its base URL.
async fn served_lserve(budget: &str) -> (tokio::process::Child, String) {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_longboard-worker"));
    command.args(["serve-model", "--policy", "lserve", "--set", budget, "--bind", "127.0.0.1:0"]);
    let mut model = command.stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(model.stdout.take().unwrap()).lines();
    let said = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await.unwrap().unwrap().unwrap();
    let url = said.rsplit(' ').next().unwrap().to_owned();
    (model, url)
}

#[tokio::test]
async fn lserve_gives_in_the_worker_what_it_gives_behind_http() {
    let (mut model, url) = served_lserve("budget=192").await;
    let mut site = site();
    for task in ["niah_single_1", "niah_multiquery"] {
        let work = RunWork { task: spec(Task::find(task).unwrap()), ..items(2, &[]) };
        let (stop, worker) = site.start(lease(&url, run(work.clone())));
        assert!(matches!(site.end().await, Call::Finish(_)), "{task} behind HTTP");
        let behind = std::mem::take(&mut *site.desk.stored.lock().unwrap());
        site.desk.leases.lock().unwrap().push_back(method("lserve", &[("budget", 192.0)], work));
        site.desk.queued.notify_one();
        assert!(matches!(site.end().await, Call::Finish(_)), "{task} in the worker");
        let inside = std::mem::take(&mut *site.desk.stored.lock().unwrap());
        stop.cancel();
        worker.await.unwrap().unwrap();
        assert_eq!((behind.len(), inside.len()), (2, 2));
        for (key, theirs) in &behind {
            let ours = &inside[key];
            let (Exchange::Completed(there), Exchange::Completed(here)) = (&theirs.result, &ours.result) else {
                panic!("{theirs:?} and {ours:?}")
            };
            assert_eq!((&ours.prompt_digest, &here.text), (&theirs.prompt_digest, &there.text), "{task} {key:?}");
            assert!(!here.text.is_empty());
            assert_eq!(
                (&here.finish_reason, here.reported_prompt_tokens, here.reported_completion_tokens, here.attempts),
                (&there.finish_reason, there.reported_prompt_tokens, there.reported_completion_tokens, 1)
            );
            assert!(here.first_token_ms.is_some_and(|first| first <= here.latency_ms));
            let cost = here.cost.unwrap();
            assert!(
                cost.is_plausible() && cost.cache_bytes > 0 && cost.kept_tokens <= cost.max_kept_tokens,
                "{cost:?}"
            );
            assert!(cost.attention_flops > 0.0 && cost.attention_bytes > 0.0 && cost.attention_ms > 0.0, "{cost:?}");
            assert_eq!(there.cost, None, "an endpoint says nothing about costs");
        }
    }
    site.handle.stop(false).await;
    model.kill().await.unwrap();
}

#[tokio::test]
async fn a_method_that_cannot_be_built_ends_its_shard_for_good() {
    let mut site = site();
    let (stop, worker) = site.start(method("nothing", &[], items(1, &[])));
    for word in ["the policies are", "has no parameter"] {
        let failure = site.failure().await;
        assert_eq!((failure.cause.as_str(), failure.retryable), ("method_unusable", false));
        assert!(failure.detail.contains(word), "{}", failure.detail);
        site.desk.leases.lock().unwrap().push_back(method("dense", &[("budget", 1.0)], items(1, &[])));
        site.desk.queued.notify_one();
    }
    site.close(stop, worker).await;
}

#[tokio::test]
async fn a_cancelled_method_leaves_its_prompt_and_takes_the_next_shard() {
    let mut site = site_with(|| Renewal::Cancelled, false);
    let long = RunWork { length_tokens: 32 * 1024, ..items(4, &[]) };
    let (stop, worker) = site.start(ShardLease { lease_ms: SHORT_LEASE_MS, ..method("dense", &[], long) });
    assert!(matches!(site.call().await, Call::Claim(_)));
    loop {
        match site.call().await {
            Call::Renew => {}
            Call::Claim(_) => break,
            other => panic!("{other:?} of a cancelled run"),
        }
    }
    site.desk.leases.lock().unwrap().push_back(method("dense", &[], items(1, &[])));
    site.desk.queued.notify_one();
    assert!(matches!(site.end().await, Call::Finish(_)));
    assert_eq!(site.stored().len(), 1);
    site.close(stop, worker).await;
}

#[tokio::test]
async fn a_sample_over_the_declared_limit_is_not_sent() {
    let endpoint = FakeEndpoint::start(vec![Act::Close]).await;
    let mut site = site();
    let mut shard = lease(&endpoint.base_url, run(items(2, &[])));
    shard.endpoint.context_limit_tokens = Some(500);
    let (stop, worker) = site.start(shard);
    assert!(matches!(site.end().await, Call::Finish(_)));
    for answer in site.stored().values() {
        let Exchange::OverLength { needed_tokens, limit_tokens: 500 } = answer.result else { panic!("{answer:?}") };
        assert!((1003..=1024).contains(&needed_tokens) && needed_tokens > answer.prompt_tokens);
    }
    assert_eq!((site.stored().len(), endpoint.requests()), (2, 0));
    site.close(stop, worker).await;
}

#[tokio::test]
async fn another_digest_is_a_version_mismatch() {
    let (model, url) = baseline(Baseline::RandomGuess);
    let mut site = site_with(|| Renewal::Kept, true);
    let (stop, worker) = site.start(lease(&url, run(items(40, &[]))));
    let failure = site.failure().await;
    assert_eq!((failure.cause.as_str(), failure.retryable), ("version_mismatch", false));
    site.close(stop, worker).await;
    model.handle.stop(false).await;
}

#[tokio::test]
async fn a_stopped_worker_posts_what_is_done_and_gives_the_shard_back() {
    let (model, url) = baseline(Baseline::RandomGuess);
    let mut site = site();
    let (stop, worker) = site.start(lease(&url, run(items(100_000, &[]))));
    assert!(matches!(site.told().await, Call::Answers(_)));
    stop.cancel();
    let failure = site.failure().await;
    assert_eq!((failure.cause.as_str(), failure.retryable), ("worker_shutdown", true));
    worker.await.unwrap().unwrap();
    let done: Vec<u32> = site.stored().into_keys().map(|(index, _)| index).collect();
    assert_eq!(done, (5..5 + done.len() as u32).collect::<Vec<_>>(), "no sample was begun and thrown away");
    while let Ok(call) = site.calls.try_recv() {
        assert!(!matches!(call, Call::Claim(_)), "a stopped worker claims nothing");
    }
    site.handle.stop(false).await;
    model.handle.stop(false).await;
}

async fn probed(url: &str, context_limit: u32) -> ProbeReport {
    let mut site = site();
    let mut shard = lease(url, Work::Probe);
    shard.endpoint.context_limit_tokens = Some(context_limit);
    let (stop, worker) = site.start(shard);
    let Call::Probe(request) = site.end().await else { panic!("no report") };
    assert_eq!(request.fence, 7);
    site.close(stop, worker).await;
    request.report
}

#[tokio::test]
async fn a_probe_sees_that_input_is_cut() {
    let (model, url) = baseline(Baseline::Last8k);
    let report = probed(&url, 16 * 1024).await;
    assert!(report.truncates);
    let [_, _, last] = report.canaries.as_slice() else { panic!("{:?}", report.canaries) };
    assert!(last.tail && !last.head && last.prompt_tokens > 15_000);
    assert!(report.token_ratio.is_some_and(|ratio| (0.9..1.1).contains(&ratio)));
    let names: Vec<&str> = report.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["reachable", "authorised", "streams", "usage", "deterministic", "context"]);

    let short = probed(&url, 300).await;
    assert_eq!((short.canaries.len(), short.truncates), (1, false));
    model.handle.stop(false).await;
}

#[tokio::test]
async fn a_refused_address_is_a_finding_of_the_probe() {
    let report = probed("http://10.0.0.1/v1", 1024).await;
    assert_eq!((report.checks.len(), report.checks[0].status), (6, CheckStatus::Failed));
    assert!(report.checks[0].detail.contains("private"), "{}", report.checks[0].detail);
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_address_are_said_at_once() {
    let site = site();
    let wrong = Fleet { token: SecretString::from("other"), ..fleet(&site.url) };
    let error = wrong.serve(CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("create-worker-token"), "{error}");
    let elsewhere = fleet(&format!("{}/elsewhere", site.url));
    let error = elsewhere.serve(CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("404") && error.contains("--server"), "{error}");
    let error = fleet("longboard").serve(CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("https://longboard.example"), "{error}");
    site.handle.stop(false).await;
}

#[tokio::test]
async fn the_command_says_that_it_is_connected_and_ends_on_a_signal() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut site = site();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_longboard-worker"));
    command.args(["run", "--labels", "gpu,big", "--slots", "1"]).env("LONGBOARD_SERVER", &site.url);
    command.env("LONGBOARD_WORKER_TOKEN", TOKEN).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    let mut worker = command.spawn().unwrap();
    let mut lines = BufReader::new(worker.stderr.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), format!("worker connected to {}", site.url));
    let Call::Claim(first) = site.call().await else { panic!() };
    assert_eq!((first.labels, first.wait_ms), (vec!["gpu".to_owned(), "big".to_owned()], 0));
    let Call::Claim(second) = site.call().await else { panic!() };
    assert_eq!(second.wait_ms, 20_000);
    let pid = worker.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(worker.wait().await.unwrap().success());
    site.handle.stop(false).await;
}

/// One record of LongProc's programs, at index 5.
fn program() -> RunWork {
    let record = json!({
        "id": "own", "subset": "pseudo_to_code_2k", "document": "", "question": "", "references": ["cout << n + 1;"],
        "gold": { "tests": [[["1"], ["2"]], [["4"], ["5"]]], "compiled": true },
    });
    let params = json!({ "procedure": "pseudo_to_code", "level": "2k" });
    let data = DataSpec {
        sha256: "0".repeat(64),
        documents: vec!["read n, print n plus 1".to_owned()],
        records: vec![DataRecord { index: 5, document: 0, record }],
    };
    let task = TaskSpec {
        slug: "programs".to_owned(),
        family: "longproc".to_owned(),
        params: params.as_object().unwrap().clone(),
        data: Some(data),
        ..spec(niah())
    };
    RunWork { task, length_tokens: 8192, ..items(1, &[]) }
}

#[tokio::test]
async fn programs_are_run_by_workers_with_a_sandbox() {
    let text = r"```cpp\nint main() { int n; cin >> n; cout << n + 1 << endl; }\n```";
    let endpoint = FakeEndpoint::start(vec![Act::Write(answer(text))]).await;
    let mut site = site();
    let (stop, worker) = site.start(lease(&endpoint.base_url, run(program())));
    let failure = site.failure().await;
    assert_eq!((failure.cause.as_str(), failure.retryable), ("no_sandbox", true));
    assert!(failure.detail.contains("--sandbox"), "{}", failure.detail);
    assert!(site.stored().is_empty(), "an answer whose program was not run is not posted");
    stop.cancel();
    worker.await.unwrap().unwrap();

    let sandbox = match Sandbox::open(env!("CARGO_BIN_EXE_longboard-worker").as_ref()).await {
        Ok(sandbox) => sandbox,
        Err(error) => return eprintln!("SKIPPED: {error}"),
    };
    let fleet = Fleet { sandbox: Some(sandbox), ..fleet(&site.url) };
    let (stop, worker) = site.start_fleet(lease(&endpoint.base_url, run(program())), fleet);
    let claimed = loop {
        if let Call::Claim(claim) = site.call().await {
            break claim;
        }
    };
    assert_eq!(claimed.labels, ["cpu", "sandbox"]);
    assert!(matches!(site.end().await, Call::Finish(_)));
    let stored = site.stored();
    let Exchange::Completed(completion) = &stored[&(5, 0)].result else { panic!("{stored:?}") };
    let outputs = ["2\n", "5\n"].map(|output| Some(output.to_owned())).to_vec();
    assert_eq!(completion.program, Some(ProgramRun { compiles: true, outputs }));
    site.close(stop, worker).await;
}
