//! What the fleet may and may not do, on SQLite and PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod stage;

use chrono::Utc;
use longboard_app::account::SignUp;
use longboard_app::endpoint::Registration;
use longboard_app::fleet::FleetMember;
use longboard_app::quickstart::{Builtin, FirstRun, Place};
use longboard_app::run::{REFERENCE_SUITE, RunRequest};
use longboard_app::store::{EndpointCall, ProbeState, RunState, StoreError};
use longboard_app::task::{Draft, Upload};
use longboard_app::team::Member;
use longboard_app::{AppError, Longboard};
use longboard_protocol::method::{Method, MethodCard, MethodCost, MethodSpec};
use longboard_protocol::worker::{
    Answer, AnswersRequest, ClaimRequest, Completion, Exchange, FailRequest, RunWork, ShardLease, Work,
};
use longboard_suites::card::Language;
use longboard_suites::length::Length;
use longboard_suites::suite::Suite;
use longboard_suites::task::{ItemRequest, Task};
use longboard_testkit::database::TestDatabase;
use secrecy::{ExposeSecret, SecretString};

use stage::{alpha, enlist, longboard, now, registration, report};

struct Stage {
    longboard: Longboard,
    member: Member,
    worker: FleetMember,
    other: FleetMember,
}

async fn stage(database: &TestDatabase) -> Stage {
    let longboard = longboard(database).await;
    let user = longboard.sign_up(alpha(), "127.0.0.1", [1; 32], now()).await.unwrap();
    longboard.create_team(&user, "Alpha", now()).await.unwrap();
    let member = longboard.member(&user, "alpha").await.unwrap();
    let (worker, other) = (enlist(&longboard, "one", 2).await, enlist(&longboard, "two", 3).await);
    Stage { longboard, member, worker, other }
}

impl Stage {
    async fn claim(&self, by: &FleetMember) -> Option<ShardLease> {
        self.claim_with(by, &[]).await
    }

    async fn claim_with(&self, by: &FleetMember, labels: &[&str]) -> Option<ShardLease> {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let request = ClaimRequest { labels, wait_ms: 0, version: "test".to_owned() };
        self.longboard.claim(by, request, Utc::now).await.unwrap()
    }

    /// A registered endpoint whose probe has passed.
    async fn contestant(&self) {
        self.longboard
            .register_endpoint(&self.member, registration("M", "http://127.0.0.1:9/v1"), [9; 32], now())
            .await
            .unwrap();
        let lease = self.claim(&self.worker).await.unwrap();
        assert!(matches!(lease.work, Work::Probe));
        assert_eq!(lease.endpoint.secret.as_deref(), Some("sk-hush"));
        self.longboard.record_probe(&self.worker, lease.shard, lease.fence, report(), now()).await.unwrap();
    }

    async fn run(&self) -> longboard_app::store::run::Run {
        let request = RunRequest {
            strategy: None,
            endpoint: "m".to_owned(),
            suite: "quickstart".to_owned(),
            lengths: Some(vec!["1k".parse().unwrap()]),
            samples: Some(2),
            budget_tokens: None,
        };
        self.longboard.submit_run(&self.member, request, now()).await.unwrap()
    }

    async fn post(&self, by: &FleetMember, lease: &ShardLease, answers: Vec<Answer>) -> Result<[u32; 3], AppError> {
        let request = AnswersRequest { fence: lease.fence, answers };
        let reply = self.longboard.record_answers(by, lease.shard, request, now()).await?;
        Ok([reply.stored, reply.duplicates, reply.refused.len() as u32])
    }
}

fn work(lease: &ShardLease) -> &RunWork {
    match &lease.work {
        Work::Run(work) => work,
        other => panic!("no run: {other:?}"),
    }
}

/// A right answer to every item of the shard.
fn answers(lease: &ShardLease) -> Vec<Answer> {
    let work = work(lease);
    let task = Task::find(&work.task.slug).unwrap();
    let length = Length::new(work.length_tokens).unwrap();
    let answer = |index| {
        let item = task.item(&ItemRequest::new(work.seed, index, length)).unwrap();
        Answer {
            index,
            repetition: 0,
            prompt_digest: item.prompt_digest(),
            prompt_tokens: item.prompt_tokens,
            result: Exchange::Completed(Completion {
                text: format!("{}\0", item.references.join(" ")),
                latency_ms: 5,
                attempts: 1,
                ..Completion::default()
            }),
        }
    };
    (work.first_index..work.first_index + work.count).map(answer).collect()
}

fn is_lost<T>(result: Result<T, AppError>) -> bool {
    matches!(result, Err(AppError::Store(StoreError::LeaseLost)))
}

#[tokio::test]
async fn every_batch_twice_and_nothing_of_strangers() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        stage.contestant().await;
        let run = stage.run().await;
        let mut shards = 0;
        while let Some(lease) = stage.claim(&stage.worker).await {
            shards += 1;
            let right = answers(&lease);
            let early = stage.longboard.finish_shard(&stage.worker, lease.shard, lease.fence, now()).await;
            assert!(matches!(early, Err(AppError::Store(StoreError::AnswersMissing { missing: 2 }))));
            assert!(is_lost(stage.post(&stage.other, &lease, right.clone()).await), "{}", database.kind);
            let stale = ShardLease { fence: lease.fence - 1, ..lease.clone() };
            assert!(is_lost(stage.post(&stage.worker, &stale, right.clone()).await));

            let mut forged = right.clone();
            forged[0].prompt_digest = "0".repeat(64);
            forged[1].index = 99;
            assert_eq!(stage.post(&stage.worker, &lease, forged).await.unwrap(), [0, 0, 2]);
            assert_eq!(stage.post(&stage.worker, &lease, right.clone()).await.unwrap(), [2, 0, 0]);
            assert_eq!(stage.post(&stage.worker, &lease, right.clone()).await.unwrap(), [0, 2, 0]);
            stage.longboard.finish_shard(&stage.worker, lease.shard, lease.fence, now()).await.unwrap();
            assert!(is_lost(stage.post(&stage.worker, &lease, right).await), "a finished shard takes nothing");
        }
        assert_eq!(shards, 4);
        let run = stage.longboard.run(run.id).await.unwrap();
        let report = stage.longboard.run_report(&run).await.unwrap();
        assert_eq!((run.state, report.done, report.total), (RunState::Done, 8, 8), "{}", database.kind);
        assert_eq!(report.outcomes, [("correct".to_owned(), 8)].into(), "{}", database.kind);
    }
}

#[tokio::test]
async fn what_cannot_go_on_ends_with_its_cause() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        stage.contestant().await;
        let run = stage.run().await;
        while let Some(lease) = stage.claim(&stage.worker).await {
            let request = FailRequest {
                fence: lease.fence,
                cause: "unauthorised".to_owned(),
                detail: "the endpoint refuses\nthe secret".to_owned(),
                retryable: false,
            };
            stage.longboard.fail_shard(&stage.worker, lease.shard, request, now()).await.unwrap();
        }
        let ended = stage.longboard.run(run.id).await.unwrap();
        assert_eq!(ended.state, RunState::Incomplete, "{}", database.kind);
        let report = stage.longboard.run_report(&ended).await.unwrap();
        assert!(report.events.iter().any(|event| event.kind == "shard_dead" && event.detail.contains("unauthorised")));

        let resumed = stage.longboard.resume_run(&stage.member, &ended, now()).await.unwrap();
        assert_eq!(resumed.state, RunState::Open);
        let lease = stage.claim(&stage.other).await.unwrap();
        stage.longboard.cancel_run(&stage.member, &resumed, now()).await.unwrap();
        assert_eq!(stage.post(&stage.other, &lease, answers(&lease)).await.unwrap(), [2, 0, 0], "what is done is kept");
        assert!(stage.claim(&stage.worker).await.is_none(), "a cancelled run has no work");
    }
}

#[tokio::test]
async fn bad_submissions_name_what_to_change() {
    let database = TestDatabase::sqlite();
    let stage = stage(&database).await;
    let said = |error: AppError| error.to_string();
    for (url, word) in [("http://169.254.169.254/v1", "public"), ("ftp://a.example", "https"), ("nonsense", "URL")] {
        let refused = stage.longboard.register_endpoint(&stage.member, registration("N", url), [9; 32], now()).await;
        let words = said(refused.unwrap_err());
        assert!(words.contains(word), "{url}: {words}");
    }
    stage.contestant().await;
    let taken = registration("m", "http://127.0.0.1:9/v1");
    let taken = stage.longboard.register_endpoint(&stage.member, taken, [9; 32], now()).await;
    assert!(said(taken.unwrap_err()).contains("taken"));
    let request = |suite: &str, budget| RunRequest {
        endpoint: "m".to_owned(),
        suite: suite.to_owned(),
        budget_tokens: budget,
        ..RunRequest::default()
    };
    for (suite, budget, word) in
        [("nothing", None, "no suite"), ("infinitebench", None, "prediction files"), ("ruler", Some(1000), "budget")]
    {
        let refused = stage.longboard.submit_run(&stage.member, request(suite, budget), now()).await;
        let words = said(refused.unwrap_err());
        assert!(words.contains(word), "{suite}: {words}");
    }
    for _ in 0..4 {
        stage.run().await;
    }
    let many = stage.longboard.submit_run(&stage.member, request("quickstart", None), now()).await;
    assert!(said(many.unwrap_err()).contains("open runs"));
    let row = stage.longboard.model("m").await.unwrap();
    assert_eq!(row.probe_state, ProbeState::Passed);
    assert!(!format!("{row:?}").contains("sk-hush"), "the secret is sealed");
}

#[tokio::test]
async fn passwords_and_tokens_open_only_their_own_doors() {
    let database = TestDatabase::sqlite();
    let Stage { longboard, member, .. } = stage(&database).await;
    let sign_in = |email: &'static str, password: &'static str| {
        let longboard = longboard.clone();
        async move { longboard.sign_in(email, SecretString::from(password), [4; 32], now()).await }
    };
    let wrong = sign_in("alpha@example.org", "another password").await.unwrap_err().to_string();
    assert_eq!(wrong, sign_in("nobody@example.org", "another password").await.unwrap_err().to_string());
    let cookie = sign_in(" Alpha@Example.org ", "a long enough password").await.unwrap();
    let person = longboard.signed_in(cookie.expose_secret(), now()).await.unwrap().unwrap();
    assert!(person.maintainer().is_none());
    let change = |old: &'static str, new: &'static str| {
        longboard.change_password(&person.user, old.into(), new.into(), [10; 32], now())
    };
    assert!(change("not the password", "a new long password").await.unwrap_err().to_string().contains("wrong"));
    assert!(change("a long enough password", "short").await.unwrap_err().to_string().contains("characters"));
    longboard.sign_out(cookie.expose_secret()).await.unwrap();
    assert!(longboard.signed_in(cookie.expose_secret(), now()).await.unwrap().is_none());
    for _ in 0..9 {
        let _ = sign_in("alpha@example.org", "another password").await;
    }
    let locked = sign_in("alpha@example.org", "a long enough password").await;
    assert!(matches!(locked, Err(AppError::TooMany(_))));

    let token = longboard.create_api_token(&member, "ci", [5; 32], now()).await.unwrap();
    let caller = longboard.api_caller(token.expose_secret(), now()).await.unwrap();
    assert_eq!(caller.team().slug, "alpha");
    assert!(matches!(longboard.fleet_member(token.expose_secret()).await, Err(AppError::Unknown(_))));
    let id = longboard.store().api_tokens(member.team().id).await.unwrap()[0].id;
    longboard.revoke_api_token(&member, id, now()).await.unwrap();
    assert!(matches!(longboard.api_caller(token.expose_secret(), now()).await, Err(AppError::Unknown(_))));
    let last = longboard.remove_member(&member, member.user().id, now()).await;
    assert!(last.unwrap_err().to_string().contains("owner"));
}

#[tokio::test]
async fn every_end_of_an_exchange_has_its_outcome() {
    let database = TestDatabase::sqlite();
    let stage = stage(&database).await;
    stage.contestant().await;
    let run = stage.run().await;
    let lease = stage.claim(&stage.worker).await.unwrap();
    let failed =
        |cause: &str| Exchange::Failed { cause: cause.to_owned(), detail: "<b>bad\u{7}</b>".to_owned(), attempts: 3 };
    let ends = [
        (Exchange::OverLength { needed_tokens: 9000, limit_tokens: 8192 }, "over_length"),
        (Exchange::TimedOut { stage: "first_byte".to_owned(), attempts: 2 }, "timeout"),
        (failed("http_500"), "endpoint_error"),
        (failed("context_exceeded"), "over_length"),
    ];
    let mut leases = vec![lease];
    leases.push(stage.claim(&stage.worker).await.unwrap());
    let mut ends = ends.into_iter();
    let mut expected: std::collections::BTreeMap<String, u32> = Default::default();
    for lease in &leases {
        let mut posted = answers(lease);
        for answer in &mut posted {
            let (result, outcome) = ends.next().unwrap();
            answer.result = result;
            *expected.entry(outcome.to_owned()).or_default() += 1;
        }
        assert_eq!(stage.post(&stage.worker, lease, posted).await.unwrap(), [2, 0, 0]);
    }
    let report = stage.longboard.run_report(&run).await.unwrap();
    assert_eq!(report.outcomes, expected);
    assert!(report.cells.values().flat_map(|row| row.values()).all(|cell| cell.score == Some(0.0)));
    let stored = stage.longboard.answer(&run, 3).await;
    let details = [stored, stage.longboard.answer(&run, 4).await].map(|row| row.ok().and_then(|row| row.detail));
    assert!(details.iter().flatten().all(|detail| !detail.contains('\u{7}')), "{details:?}");
}

#[tokio::test]
async fn an_uploaded_corpus_is_the_haystack_of_its_task() {
    for database in TestDatabase::each() {
        let Stage { longboard, worker, member, .. } = stage(&database).await;
        let form = SignUp {
            email: "keeper@example.org".to_owned(),
            name: "Keeper".to_owned(),
            password: SecretString::from("a long enough password"),
        };
        let keeper = longboard.create_user(form, true, [6; 32], now()).await.unwrap();
        let cookie = longboard.open_session(&keeper, [8; 32], now()).await.unwrap();
        let person = longboard.signed_in(cookie.expose_secret(), now()).await.unwrap().unwrap();
        let proof = person.maintainer().unwrap();
        let short = Upload { title: "Short".to_owned(), language: Language::English, text: " ".to_owned() };
        assert!(longboard.upload_corpus(&proof, short, now()).await.is_err());
        let text: String = (0..4000).map(|number| format!("The heron number {number} stood in the reeds. ")).collect();
        let upload = Upload { title: "Herons".to_owned(), language: Language::English, text };
        let corpus = longboard.upload_corpus(&proof, upload, now()).await.unwrap();

        let row = longboard.task("niah_single_2", None).await.unwrap();
        let mut draft = Draft {
            slug: "heron_needle".to_owned(),
            title: "A needle among herons".to_owned(),
            family: row.family.clone(),
            params: row.params.as_object().unwrap().clone(),
            corpus: Some(corpus),
        };
        let published = longboard.publish_task(&proof, &draft, now()).await.unwrap();
        assert_eq!(published.version, 1);
        let item = longboard.item(&published, "4k".parse().unwrap(), 1, 0).await.unwrap();
        assert!(item.joined().contains("stood in the reeds"), "{}", database.kind);
        assert_eq!(longboard.publish_task(&proof, &draft, now()).await.unwrap().version, 2, "versions never change");
        draft.params.insert("keys".to_owned(), 1_000_000.into());
        let words = longboard.publish_task(&proof, &draft, now()).await.unwrap_err().to_string();
        assert!(words.contains("keys") && words.contains("whole number"), "{words}");

        let suite = Suite {
            slug: String::new(),
            title: "Herons".to_owned(),
            description: String::new(),
            tasks: vec!["heron_needle".to_owned()],
            lengths: vec!["4k".parse().unwrap()],
            samples: 1,
            imported: false,
        };
        longboard.add_suite(&proof, suite, now()).await.unwrap();
        let stage = Stage { other: worker.clone(), longboard, member, worker };
        stage.contestant().await;
        let request = RunRequest { endpoint: "m".to_owned(), suite: "herons".to_owned(), ..RunRequest::default() };
        stage.longboard.submit_run(&stage.member, request, now()).await.unwrap();
        let lease = stage.claim(&stage.worker).await.unwrap();
        let spec = &work(&lease).task;
        assert_eq!((spec.version, spec.corpus.as_ref().unwrap().slug.as_str()), (2, "herons"));
        assert!(stage.longboard.store().broken_link().await.unwrap().is_none(), "the audit chain holds");
    }
}

#[tokio::test]
async fn a_changed_endpoint_is_probed_again_and_moves_no_secret() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        stage.contestant().await;
        let change = |base_url: &str, secret: Option<&str>| {
            let secret = secret.map(SecretString::from);
            let form = Registration { secret, ..registration("ignored", base_url) };
            stage.longboard.change_endpoint(&stage.member, "m", form, [11; 32], now())
        };
        let secret_of = async || {
            let lease = stage.claim(&stage.worker).await.unwrap();
            assert!(matches!(lease.work, Work::Probe), "{}", database.kind);
            stage.longboard.record_probe(&stage.worker, lease.shard, lease.fence, report(), now()).await.unwrap();
            lease.endpoint.secret
        };
        change("http://127.0.0.1:9/v1", None).await.unwrap();
        assert_eq!(secret_of().await.as_deref(), Some("sk-hush"), "an empty secret keeps the old one");
        change("http://127.0.0.1:9/v1", Some("sk-new")).await.unwrap();
        assert_eq!(secret_of().await.as_deref(), Some("sk-new"));
        change("http://127.0.0.1:10/v1", None).await.unwrap();
        assert_eq!(secret_of().await, None, "a secret does not move to another address");
        assert!(change("http://10.0.0.1/v1", None).await.is_err());
        let row = stage.longboard.model("m").await.unwrap();
        assert_eq!((row.name.as_str(), row.base_url.as_str()), ("M", "http://127.0.0.1:10/v1"));
    }
}

fn builtin(what: &str) -> Builtin {
    let card = MethodCard {
        slug: "quest".to_owned(),
        title: "Quest".to_owned(),
        citation: "A paper".to_owned(),
        what: what.to_owned(),
        differs: String::new(),
        parameters: Vec::new(),
        properties: Vec::new(),
    };
    let spec = MethodSpec { policy: "quest".to_owned(), settings: [("budget".to_owned(), 512.0)].into() };
    Builtin {
        api: EndpointCall::Chat,
        slug: "reference-quest".to_owned(),
        description: "A method.".to_owned(),
        place: Place::Worker(Box::new(Method { spec, card })),
        max_concurrency: 8,
        first_run: Some(FirstRun { lengths: Some(vec!["1k".parse().unwrap()]), samples: Some(2) }),
    }
}

/// The shard's right answers, all at this cost.
fn costly(lease: &ShardLease, cost: MethodCost) -> Vec<Answer> {
    let mut posted = answers(lease);
    for answer in &mut posted {
        let Exchange::Completed(completion) = &mut answer.result else { panic!("{answer:?}") };
        completion.cost = Some(cost);
    }
    posted
}

#[tokio::test]
async fn a_method_goes_to_labelled_workers_and_only_its_costs_are_kept() {
    let cost = MethodCost { kept_tokens: 512.0, max_kept_tokens: 600.0, cache_bytes: 4096, ..MethodCost::default() };
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        let longboard = &stage.longboard;
        longboard.welcome(&[builtin("old words")], now()).await.unwrap();
        assert!(stage.claim(&stage.worker).await.is_none(), "{}: no label, no shard, and no probe", database.kind);
        let mut leases = 0;
        let mut run = None;
        while let Some(lease) = stage.claim_with(&stage.worker, &["gpu", "reference"]).await {
            let spec = lease.endpoint.method.as_ref().unwrap();
            assert_eq!((spec.policy.as_str(), spec.settings["budget"]), ("quest", 512.0));
            assert_eq!((lease.endpoint.base_url.as_str(), lease.endpoint.context_limit_tokens), ("", None));
            run = Some(work(&lease).run);
            let cost = if leases == 0 { MethodCost { attention_ms: -1.0, ..cost } } else { cost };
            assert_eq!(stage.post(&stage.worker, &lease, costly(&lease, cost)).await.unwrap(), [2, 0, 0]);
            longboard.finish_shard(&stage.worker, lease.shard, lease.fence, now()).await.unwrap();
            leases += 1;
        }
        let run = longboard.run(run.unwrap()).await.unwrap();
        assert_eq!((leases, run.state, run.counts), (4, RunState::Done, true), "{}", database.kind);
        let of = async |number| longboard.answer(&run, number).await.unwrap().cost();
        assert_eq!((of(1).await, of(8).await), (None, Some(cost)), "a negative figure is none");
        let cells = longboard.store().method_cells("quickstart").await.unwrap();
        let kept: Vec<f64> = cells.iter().filter_map(|cell| cell.kept_tokens).collect();
        assert_eq!((cells.len(), kept), (4, vec![512.0; 3]));

        longboard.welcome(&[builtin("new words")], now()).await.unwrap();
        let row = longboard.model("reference-quest").await.unwrap();
        assert_eq!((row.probe_state, row.method.unwrap().0.card.what.as_str()), (ProbeState::None, "new words"));
        assert_eq!(longboard.store().runs_of_endpoint(row.id, 9).await.unwrap().len(), 1, "welcomed once");

        stage.contestant().await;
        let foreign = stage.run().await;
        let lease = stage.claim(&stage.worker).await.unwrap();
        assert!(lease.endpoint.method.is_none());
        assert_eq!(stage.post(&stage.worker, &lease, costly(&lease, cost)).await.unwrap(), [2, 0, 0]);
        let stored = longboard.answer(&foreign, 1).await.unwrap();
        assert_eq!((stored.score, stored.cost()), (Some(1.0), None), "costs of others are ignored");
    }
}

#[tokio::test]
async fn methods_run_their_suite_on_request_once_at_a_time() {
    let database = TestDatabase::sqlite();
    let Stage { longboard, .. } = stage(&database).await;
    let first_run = None;
    longboard.welcome(&[Builtin { first_run, ..builtin("words") }], now()).await.unwrap();
    let [run] =
        longboard.run_methods("operator", "operator", &RunRequest::default(), now()).await.unwrap().try_into().unwrap();
    assert_eq!((run.suite_slug.as_str(), run.total, run.counts), (REFERENCE_SUITE, 6 * 4 * 10, true));
    let shards = longboard.store().shards_of(run.id).await.unwrap();
    assert!(shards.iter().all(|shard| shard.requires == "reference"));
    assert!(
        longboard.run_methods("operator", "operator", &RunRequest::default(), now()).await.unwrap().is_empty(),
        "one is open"
    );
    longboard.store().cancel_run(run.id, "test", now()).await.unwrap();
    assert_eq!(longboard.run_methods("operator", "operator", &RunRequest::default(), now()).await.unwrap().len(), 1);
    let entries = longboard.store().audit(0, 10).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.action == "run_methods").count(), 3);
}
