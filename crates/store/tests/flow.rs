//! Flows on SQLite and PostgreSQL alike.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use longboard_protocol::method::{Method, MethodCard, MethodCost, MethodParameter, MethodProperty, MethodSpec};
use longboard_store::account::User;
use longboard_store::answer::{Answer, SampleFilter};
use longboard_store::audit::Entry;
use longboard_store::endpoint::{Endpoint, ProbeResult};
use longboard_store::queue::{Failure, MAX_FAILURES, QueueDepth, Shard};
use longboard_store::run::{NewRun, Run};
use longboard_store::vault::{KEY_BYTES, Vault};
use longboard_store::*;
use longboard_suites::suite::{Planned, plan};
use longboard_suites::task::Task as SuiteTask;
use longboard_testkit::database::TestDatabase;
use serde_json::json;
use uuid::Uuid;

const LEASE: Duration = Duration::seconds(60);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 123_456_789).unwrap()
}

async fn open(database: &TestDatabase) -> Store {
    let store = Store::connect(&database.url, Vault::new([7; KEY_BYTES])).await.unwrap();
    store.migrate(at(0)).await.unwrap();
    store
}

/// A store with one team and one endpoint whose probe has passed.
struct Stage {
    store: Store,
    team: Uuid,
    endpoint: Endpoint,
}

async fn stage(database: &TestDatabase) -> Stage {
    let store = open(database).await;
    let (team, endpoint) = contestant(&store, "alpha").await;
    Stage { store, team, endpoint }
}

async fn contestant(store: &Store, name: &str) -> (Uuid, Endpoint) {
    let user = User {
        id: Uuid::now_v7(),
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        password_hash: String::new(),
        maintainer: false,
        created_at: at(0),
    };
    let user = store.add_user(user).await.unwrap();
    let team = store.add_team(name, name, user.id, at(0)).await.unwrap();
    let endpoint = store.add_endpoint(endpoint_row(team.id, &format!("{name}-model"))).await.unwrap();
    let worker = Uuid::now_v7();
    let probe = store.claim(worker, &[], LEASE, at(0)).await.unwrap().unwrap();
    assert_eq!((probe.kind, probe.endpoint_id), (ShardKind::Probe, endpoint.id));
    let result = ProbeResult { usable: true, report: json!({}), token_ratio: Some(1.0), truncates: false };
    let endpoint = store.record_probe(probe.id, worker, fence(&probe), result, at(0)).await.unwrap();
    assert_eq!(endpoint.probe_state, ProbeState::Passed);
    (team.id, endpoint)
}

fn endpoint_row(team: Uuid, slug: &str) -> Endpoint {
    Endpoint {
        base_url: "http://192.0.2.1/v1".to_owned(),
        max_concurrency: 8,
        max_leases: 10_000,
        ..Endpoint::new(team, EndpointKind::Endpoint, slug, slug, at(0))
    }
}

fn fence(shard: &Shard) -> u32 {
    shard.fence.cast_unsigned()
}

async fn submit(
    store: &Store,
    team: Uuid,
    endpoint: Uuid,
    kilo: &[u32],
    samples: u32,
    limit: u64,
) -> Result<Run, StoreError> {
    let tasks = vec!["vt".to_owned(), "cwe".to_owned()];
    let lengths: Vec<_> = kilo.iter().map(|kilo| format!("{kilo}k").parse().unwrap()).collect();
    let endless: Vec<Planned> =
        tasks.iter().map(|task| Planned { task: task.clone(), items: None, whole: false }).collect();
    let slices = plan(&endless, &lengths, samples);
    let new = NewRun {
        endpoint_id: endpoint,
        team_id: team,
        suite_slug: "quickstart".to_owned(),
        seed: 7,
        samples: samples.cast_signed(),
        tasks: TaskVersions(tasks.into_iter().map(|slug| TaskVersion { slug, version: 1 }).collect()),
        lengths: LengthList(lengths),
        counts: true,
        submitted_by: "alpha".to_owned(),
        requires: String::new(),
        task_requires: Default::default(),
    };
    store.submit_run(new, &slices, limit, at(1)).await
}

fn answer(shard: &Shard, index: i32, body: &str) -> Answer {
    let per_cell = 100_000;
    Answer {
        run_id: shard.run_id.unwrap(),
        shard_id: Some(shard.id),
        number: shard.length_tokens * 7 + shard.task_slug.len() as i32 * per_cell + index,
        prompt_digest: "d".to_owned(),
        prompt_tokens: 10,
        body: body.to_owned(),
        outcome: if index % 2 == 0 { "correct" } else { "partial" }.to_owned(),
        score: Some(if index % 2 == 0 { 1.0 } else { 0.5 }),
        depth_percent: Some(index % 3 * 50),
        first_token_ms: Some(1),
        latency_ms: Some(2),
        attempts: 2,
        retry_causes: Causes(vec!["http_500".to_owned()]),
        ..Answer::blank(&shard.task_slug, 1, shard.length_tokens, index, at(2))
    }
}

fn answers(shard: &Shard) -> Vec<Answer> {
    (shard.first_index..shard.first_index + shard.item_count).map(|index| answer(shard, index, "x")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_goes_up_down_and_up() {
    for database in TestDatabase::each() {
        let store = open(&database).await;
        assert!(store.is_migrated().await.unwrap());
        assert_eq!(store.suites().await.unwrap().len(), 21);
        store.unmigrate().await.unwrap();
        assert!(!store.is_migrated().await.unwrap());
        store.migrate(at(0)).await.unwrap();
        store.migrate(at(1)).await.unwrap();
        assert_eq!(store.tasks().await.unwrap().len(), SuiteTask::builtin().len() + 12 + 20 + 21, "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_share_hundreds_of_shards_without_loss() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        let run = submit(&store, team, endpoint.id, &[128], 100, 10).await.unwrap();
        let workers = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let (me, mut mine) = (Uuid::now_v7(), Vec::new());
                while let Some(shard) = store.claim(me, &[], LEASE, at(2)).await.unwrap() {
                    let new = store.record_answers(shard.id, me, fence(&shard), answers(&shard), LEASE, at(2)).await;
                    assert_eq!(new.unwrap(), 1);
                    store.finish(shard.id, me, fence(&shard), at(2)).await.unwrap();
                    store.close_run(shard.run_id.unwrap(), at(3)).await.unwrap();
                    mine.push(shard.id);
                }
                mine
            })
        });
        let mut all = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            all.extend(worker.await.unwrap());
        }
        assert_eq!(all.len(), 200, "{}", database.kind);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 200);
        let run = store.run(run.id).await.unwrap().unwrap();
        assert_eq!(run.state, RunState::Done, "{}", database.kind);
        assert_eq!(store.progress(&run).await.unwrap().done, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_is_refused_and_the_next_one_continues() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        submit(&store, team, endpoint.id, &[4], 20, 10).await.unwrap();
        let (frozen, next) = (Uuid::now_v7(), Uuid::now_v7());
        let old = store.claim(frozen, &[], LEASE, at(2)).await.unwrap().unwrap();
        let half: Vec<Answer> = answers(&old).into_iter().take(10).collect();
        assert_eq!(store.record_answers(old.id, frozen, fence(&old), half.clone(), LEASE, at(3)).await.unwrap(), 10);
        assert_eq!(store.record_answers(old.id, frozen, fence(&old), half, LEASE, at(3)).await.unwrap(), 0);
        let missing = store.finish(old.id, frozen, fence(&old), at(3)).await;
        assert!(matches!(missing, Err(StoreError::AnswersMissing { missing: 10 })), "{missing:?}");

        assert_eq!(store.reap(at(60)).await.unwrap().len(), 0, "the batch extended the lease");
        let reaped = store.reap(at(64)).await.unwrap();
        assert_eq!((reaped[0].last_cause.as_deref(), reaped[0].state), (Some("lease_expired"), ShardState::Queued));
        let again = loop {
            let shard = store.claim(next, &[], LEASE, at(80)).await.unwrap().unwrap();
            if shard.id == old.id {
                break shard;
            }
        };
        assert_eq!(again.fence, old.fence + 1);
        assert_eq!(store.answered(again.id).await.unwrap().len(), 10);
        let zombie = store.record_answers(old.id, frozen, fence(&old), answers(&old), LEASE, at(81)).await;
        assert!(matches!(zombie, Err(StoreError::LeaseLost)));
        assert!(matches!(store.finish(old.id, frozen, fence(&old), at(81)).await, Err(StoreError::LeaseLost)));
        assert!(matches!(store.renew(old.id, frozen, fence(&old), 0, LEASE, at(81)).await, Err(StoreError::LeaseLost)));
        let rest = store.record_answers(again.id, next, fence(&again), answers(&again), LEASE, at(82)).await.unwrap();
        assert_eq!(rest, 10);
        assert_eq!(store.finish(again.id, next, fence(&again), at(83)).await.unwrap().done_count, 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_dies_by_name_and_its_run_can_be_resumed() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        let run = submit(&store, team, endpoint.id, &[128], 1, 10).await.unwrap();
        let me = Uuid::now_v7();
        let failure =
            Failure { cause: "endpoint_unreachable".into(), detail: "refused".into(), retryable: true, counted: true };
        let mut now = 2;
        for attempt in 1..=MAX_FAILURES * 2 {
            now += 700;
            let shard = store.claim(me, &[], LEASE, at(now)).await.unwrap().unwrap();
            let after = store.fail(shard.id, me, fence(&shard), &failure, at(now)).await.unwrap();
            let last = after.failures == MAX_FAILURES;
            assert_eq!(after.state, if last { ShardState::Dead } else { ShardState::Queued }, "attempt {attempt}");
            assert!(last || after.not_before > at(now), "it backs off");
        }
        assert_eq!(store.queue_depth().await.unwrap(), QueueDepth { queued: 0, leased: 0, dead: 2 });
        let closed = store.close_run(run.id, at(now)).await.unwrap().unwrap();
        assert_eq!(closed.state, RunState::Incomplete);
        assert!(store.close_run(run.id, at(now)).await.unwrap().is_none());
        store.resume_run(run.id, "alpha", at(now)).await.unwrap();
        let shard = store.claim(me, &[], LEASE, at(now)).await.unwrap().unwrap();
        assert_eq!((shard.failures, shard.fence > 1), (0, true));
        let shutdown = Failure { cause: "worker_shutdown".into(), counted: false, ..failure };
        assert_eq!(store.fail(shard.id, me, fence(&shard), &shutdown, at(now)).await.unwrap().failures, 0);
        assert!(store.claim(me, &[], LEASE, at(now)).await.unwrap().is_some(), "given back at once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_takes_what_is_done_and_resumes() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        let run = submit(&store, team, endpoint.id, &[4], 4, 10).await.unwrap();
        let me = Uuid::now_v7();
        let shard = store.claim(me, &[], LEASE, at(2)).await.unwrap().unwrap();
        store.cancel_run(run.id, "alpha", at(3)).await.unwrap();
        assert!(store.cancel_run(run.id, "alpha", at(3)).await.is_err());
        assert!(store.renew(shard.id, me, fence(&shard), 1, LEASE, at(4)).await.unwrap());
        assert_eq!(store.record_answers(shard.id, me, fence(&shard), answers(&shard), LEASE, at(4)).await.unwrap(), 4);
        assert!(store.claim(me, &[], LEASE, at(5)).await.unwrap().is_none());
        store.resume_run(run.id, "alpha", at(6)).await.unwrap();
        let shard = store.claim(me, &[], LEASE, at(6)).await.unwrap().unwrap();
        assert_eq!(store.answered(shard.id).await.unwrap().len(), 4);
        assert_eq!(store.events(run.id, 10).await.unwrap().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_hold_when_submissions_race() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        let tries = (0..8).map(|_| {
            let store = store.clone();
            let endpoint = endpoint.id;
            tokio::spawn(async move { submit(&store, team, endpoint, &[4], 1, 3).await.is_ok() })
        });
        let mut accepted = 0;
        for attempt in tries.collect::<Vec<_>>() {
            accepted += u32::from(attempt.await.unwrap());
        }
        assert_eq!(accepted, 3, "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_share_the_fleet_and_labels_and_limits_hold() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        submit(&store, team, endpoint.id, &[128], 20, 10).await.unwrap();
        let (other, second) = contestant(&store, "beta").await;
        submit(&store, other, second.id, &[128], 2, 10).await.unwrap();
        let me = Uuid::now_v7();
        let mut teams = Vec::new();
        for _ in 0..8 {
            teams.push(store.claim(me, &[], LEASE, at(2)).await.unwrap().unwrap().team_id);
        }
        assert_eq!(teams.iter().filter(|&&id| id == other).count(), 4, "{}: {teams:?}", database.kind);

        let narrow = store.add_endpoint(Endpoint { max_leases: 1, ..endpoint_row(other, "narrow") }).await.unwrap();
        let probe = store.claim(me, &[], LEASE, at(3)).await.unwrap().unwrap();
        assert_eq!(probe.endpoint_id, narrow.id);
        submit(&store, other, narrow.id, &[4], 1, 10).await.unwrap();
        while let Some(shard) = store.claim(me, &[], LEASE, at(3)).await.unwrap() {
            assert_ne!(shard.endpoint_id, narrow.id, "its probe is pending and holds its only lease");
        }
        let result = ProbeResult { usable: false, report: json!({}), token_ratio: None, truncates: true };
        store.record_probe(probe.id, me, fence(&probe), result, at(4)).await.unwrap();
        assert!(store.claim(me, &[], LEASE, at(4)).await.unwrap().is_some());
        assert!(store.claim(me, &[], LEASE, at(4)).await.unwrap().is_none(), "one lease at a time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_read_sums_that_add_up() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        let run = submit(&store, team, endpoint.id, &[4], 10, 10).await.unwrap();
        let me = Uuid::now_v7();
        while let Some(shard) = store.claim(me, &[], LEASE, at(2)).await.unwrap() {
            store.record_answers(shard.id, me, fence(&shard), answers(&shard), LEASE, at(2)).await.unwrap();
        }
        let cells = store.cells(&[run.id]).await.unwrap();
        let cell = &cells[&(run.id, "vt".to_owned(), 4096)];
        assert_eq!((cell.sum, cell.sum_of_squares, cell.binary), (7.5, 6.25, false));
        assert_eq!(cell.outcomes["correct"] + cell.outcomes["partial"], 10);
        assert_eq!(store.depth_cells(run.id).await.unwrap().iter().map(|cell| cell.n).sum::<i64>(), 20);
        assert_eq!(store.causes(run.id).await.unwrap(), [("http_500".to_owned(), 20)]);
        let filter = SampleFilter { outcome: Some("partial".into()), task: Some("vt".into()), length_tokens: None };
        let (page, total) = store.answers(run.id, &filter, 2, 2).await.unwrap();
        assert_eq!((page.len(), total), (2, 5));
        assert_eq!(store.answer(run.id, page[0].number).await.unwrap().unwrap(), page[0]);
        assert_eq!(store.timings(run.id).await.unwrap().len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_chain_is_unbroken_under_races() {
    for database in TestDatabase::each() {
        let store = open(&database).await;
        let writers = (0..6).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let entry = Entry {
                        actor: format!("user-{number}"),
                        action: "edit_task".into(),
                        subject: "vt".into(),
                        detail: json!({"z": 1, "a": ["x", null], "long key": true}),
                    };
                    store.add_audit(entry, at(number)).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(store.broken_link().await.unwrap(), None, "{}", database.kind);
        let links = store.audit(0, 100).await.unwrap();
        assert_eq!((links.len(), links[0].sequence), (30, 30));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_unique_and_sessions_end() {
    for database in TestDatabase::each() {
        let Stage { store, team, .. } = stage(&database).await;
        assert!(matches!(store.add_endpoint(endpoint_row(team, "alpha-model")).await, Err(StoreError::Taken(_))));
        let user = store.user_by_email(" Alpha@Example.org ").await.unwrap().unwrap();
        assert!(matches!(store.add_user(User { id: Uuid::now_v7(), ..user.clone() }).await, Err(StoreError::Taken(_))));
        let session = longboard_store::account::Session {
            token_hash: "h".into(),
            user_id: user.id,
            csrf: "c".into(),
            created_at: at(0),
            seen_at: at(0),
            expires_at: at(86_400 * 30),
        };
        store.add_session(session).await.unwrap();
        assert!(store.session("h", at(86_400 * 6)).await.unwrap().is_some());
        assert!(store.session("h", at(86_400 * 12)).await.unwrap().is_some(), "use keeps it alive");
        assert!(store.session("h", at(86_400 * 20)).await.unwrap().is_none(), "idle for a week");
        assert!(store.session("h", at(86_400 * 12)).await.unwrap().is_none(), "gone for good");
    }
}

#[tokio::test]
async fn an_unknown_scheme_creates_nothing() {
    for url in ["longboard.db", "mysql://x/y", "sqlite:longboard.db", "postgre://x"] {
        let error = Store::connect(url, Vault::new([0; KEY_BYTES])).await.err().unwrap();
        assert!(error.to_string().contains("must begin with sqlite:// or postgres://"), "{url}: {error}");
    }
}

fn method() -> Method {
    Method {
        spec: MethodSpec { policy: "quest".to_owned(), settings: [("budget".to_owned(), 512.0)].into() },
        card: MethodCard {
            slug: "quest".to_owned(),
            title: "Quest".to_owned(),
            citation: "A paper".to_owned(),
            what: "Reads the best pages.".to_owned(),
            differs: String::new(),
            parameters: vec![MethodParameter { name: "budget".into(), help: "tokens".into(), default: 2048.0 }],
            properties: vec![MethodProperty { test: "C1".into(), what: "equals dense".into(), holds: true }],
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_need_no_probe_and_their_cells_carry_mean_costs() {
    for database in TestDatabase::each() {
        let Stage { store, team, endpoint } = stage(&database).await;
        let row = Endpoint {
            kind: EndpointKind::Reference,
            method: Some(MethodColumn(method())),
            base_url: String::new(),
            ..endpoint_row(team, "reference-quest")
        };
        let quest = store.add_endpoint(row).await.unwrap();
        assert_eq!((quest.probe_state, store.queue_depth().await.unwrap().queued), (ProbeState::None, 0));
        let found = store.methods().await.unwrap();
        assert_eq!(found.iter().map(|row| row.method.clone().unwrap().0).collect::<Vec<_>>(), [method()]);

        let me = Uuid::now_v7();
        let of = |endpoint: Uuid| submit(&store, team, endpoint, &[4], 4, 10);
        let runs = [of(endpoint.id).await.unwrap(), of(quest.id).await.unwrap()];
        for run in &runs {
            while let Some(shard) = store.claim(me, &[], LEASE, at(2)).await.unwrap() {
                let costly = |row: Answer| {
                    let kept_tokens = f64::from(row.item_index);
                    let cost = MethodCost { kept_tokens, cache_bytes: 1 << 33, ..MethodCost::default() };
                    if shard.task_slug == "vt" { row.with_cost(&cost) } else { row }
                };
                let rows = answers(&shard).into_iter().map(costly).collect();
                store.record_answers(shard.id, me, fence(&shard), rows, LEASE, at(2)).await.unwrap();
                store.finish(shard.id, me, fence(&shard), at(2)).await.unwrap();
            }
            store.close_run(run.id, at(3)).await.unwrap();
        }
        let cells = store.method_cells("quickstart").await.unwrap();
        let [cwe, vt] = cells.as_slice() else { panic!("{}: {cells:?}", database.kind) };
        assert_eq!(
            (vt.endpoint_id, vt.run_id, vt.task_slug.as_str(), vt.length_tokens),
            (quest.id, runs[1].id, "vt", 4096)
        );
        assert_eq!((vt.n, vt.sum, vt.sum_of_squares, vt.prompt_tokens), (4, 3.0, 2.5, 10.0), "{}", database.kind);
        assert_eq!((vt.kept_tokens, vt.cache_bytes, vt.selection_ms), (Some(1.5), Some(f64::powi(2.0, 33)), Some(0.0)));
        assert_eq!((cwe.n, cwe.kept_tokens, cwe.cache_bytes), (4, None, None), "answers without costs have none");

        store.retire_endpoint(quest.id, at(4)).await.unwrap();
        assert!(store.methods().await.unwrap().is_empty());
        assert!(store.method_cells("quickstart").await.unwrap().is_empty());
    }
}
