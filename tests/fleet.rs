//! The fleet under fire: workers and servers that are killed or frozen in the middle of a run, on both databases.

use std::collections::BTreeSet;

use longboard_scenarios::stage::{Caller, Stage, baseline};
use longboard_testkit::database::TestDatabase;
use longboard_testkit::process::Process;
use serde_json::Value;

const LENGTHS: [&str; 2] = ["1k", "2k"];
/// So slow that a run is still under way when its first answers are seen.
const DELAY_MS: u64 = 250;

const TASKS: u64 = 4;
const SAMPLES: u32 = 12;
const TOTAL: u64 = TASKS * LENGTHS.len() as u64 * SAMPLES as u64;

/// A slow model, its team and a run that waits for a worker.
fn begin(stage: &Stage) -> (Process, Caller<'_>, String) {
    let (model, base_url) = baseline("bm25-reader", DELAY_MS);
    let team = stage.sign_up("alpha");
    team.register("reader", &base_url);
    let run = team.submit("reader", &LENGTHS, SAMPLES);
    (model, team, run)
}

fn begun(progress: &Value) -> bool {
    progress["done"].as_u64() > Some(0)
}

/// With a model that says nothing, the worker ends up with all the leases it may have, and keeps them.
fn in_the_middle(report: &Value) -> bool {
    report["state"] == "open" && report["shards"]["leased"] == 2
}

/// Freezes a worker so that at least one of its leases runs out. A worker that had just ended its shards holds none at
/// that moment; it goes on until it does.
fn freeze_with_leases(stage: &Stage, worker: &Process, run: &str) {
    loop {
        let _ = stage.observe(run, in_the_middle);
        worker.signal("STOP");
        let _ = stage.observe(run, |report| report["shards"].get("leased").is_none());
        if events(stage, run).contains("lease_expired") {
            return;
        }
        worker.signal("CONT");
    }
}

fn over(progress: &Value) -> bool {
    progress["state"] != "open"
}

/// Every item has exactly one answer, and outcomes add up in every cell.
fn assert_complete(stage: &Stage, run: &str) {
    let report = stage.json(&format!("/runs/{run}.json"));
    assert_eq!(report["state"], "done", "{}: {report}", stage.kind());
    assert_eq!((report["done"].as_u64(), report["total"].as_u64()), (Some(TOTAL), Some(TOTAL)), "{}", stage.kind());
    for cell in report["cells"].as_object().unwrap().values().flat_map(|row| row.as_object().unwrap().values()) {
        let counted: u64 = cell["outcomes"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!((Some(counted), cell["n"].as_u64()), (cell["n"].as_u64(), Some(u64::from(SAMPLES))));
    }
    let mut numbers = BTreeSet::new();
    for offset in (0..TOTAL).step_by(100) {
        let page = stage.json(&format!("/api/v1/runs/{run}/samples?offset={offset}"));
        numbers.extend(page["samples"].as_array().unwrap().iter().filter_map(|sample| sample["number"].as_u64()));
    }
    assert_eq!(numbers, (1..=TOTAL).collect(), "{}", stage.kind());
    assert_eq!(report["outcomes"].get("endpoint_error"), None, "{}: {report}", stage.kind());
}

fn events(stage: &Stage, run: &str) -> String {
    stage.json(&format!("/runs/{run}.json"))["events"].to_string()
}

#[test]
fn a_killed_worker_is_replaced() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let (_site, (model, _team, run)) = (stage.serve(), begin(&stage));
        let mut first = stage.work(&stage.worker_token("first"));
        let _ = stage.follow(&run, begun);
        model.signal("STOP");
        let _ = stage.observe(&run, in_the_middle);
        first.kill();
        model.signal("CONT");
        let _second = stage.work(&stage.worker_token("second"));
        let _ = stage.follow(&run, over);
        assert_complete(&stage, &run);
    }
}

#[test]
fn a_frozen_worker_comes_back_too_late() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let (_site, (model, team, run)) = (stage.serve(), begin(&stage));
        let frozen = stage.work(&stage.worker_token("frozen"));
        let _ = stage.follow(&run, begun);
        model.signal("STOP");
        freeze_with_leases(&stage, &frozen, &run);
        model.signal("CONT");
        let mut other = stage.work(&stage.worker_token("other"));
        let _ = stage.follow(&run, over);
        frozen.signal("CONT");
        assert_complete(&stage, &run);
        assert!(events(&stage, &run).contains("lease_expired"), "{}: {}", stage.kind(), events(&stage, &run));

        other.kill();
        let again = team.submit("reader", &LENGTHS, SAMPLES);
        let _ = stage.follow(&again, over);
        assert_complete(&stage, &again);
        assert_complete(&stage, &run);
    }
}

#[test]
fn a_killed_server_goes_on_where_it_was() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let (mut site, (model, _team, run)) = (stage.serve(), begin(&stage));
        let _worker = stage.work(&stage.worker_token("worker"));
        let _ = stage.follow(&run, begun);
        model.signal("STOP");
        let _ = stage.observe(&run, in_the_middle);
        site.kill();
        model.signal("CONT");
        let _site = stage.serve();
        assert!(events(&stage, &run).contains("submitted"), "the run is still known");
        let _ = stage.follow(&run, over);
        assert_complete(&stage, &run);
    }
}

#[test]
fn a_dead_endpoint_ends_its_run_with_the_cause() {
    let stage = Stage::new(TestDatabase::sqlite());
    let (_site, (mut model, base_url)) = (stage.serve(), baseline("bm25-reader", DELAY_MS));
    let team = stage.sign_up("alpha");
    team.register("reader", &base_url);
    let probed = team.submit("reader", &["1k"], 1);
    let _worker = stage.work(&stage.worker_token("worker"));
    let _ = stage.follow(&probed, over);
    model.kill();
    let run = team.submit("reader", &["1k"], 1);
    let _ = stage.follow(&run, |_| events(&stage, &run).contains("endpoint_unreachable"));
    let _ = team.post(&format!("/api/v1/runs/{run}/cancel"), &Value::Null);
    let report = stage.json(&format!("/runs/{run}.json"));
    assert_eq!((&report["state"], &report["done"]), (&Value::from("cancelled"), &Value::from(0)));

    let bind = base_url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut again = std::process::Command::new(longboard_scenarios::program("longboard-worker"));
    again.args(["serve-model", "--baseline", "bm25-reader", "--bind", bind]);
    let _model = Process::start("bm25-reader", &mut again);
    let _ = team.post(&format!("/api/v1/runs/{run}/resume"), &Value::Null);
    let _ = stage.follow(&run, over);
    assert_eq!(stage.json(&format!("/runs/{run}.json"))["state"], "done");
}
