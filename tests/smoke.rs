//! Every family once, from the generator over the fleet to the board.

use std::collections::BTreeSet;

use longboard_app::suites::task::Task;
use longboard_scenarios::stage::{Stage, baseline};
use longboard_testkit::database::TestDatabase;
use serde_json::Value;

const BASELINES: [&str; 2] = ["bm25-reader", "random-guess"];
const SAMPLES: u64 = 2;

fn texts<'a>(list: &'a Value, field: &str) -> BTreeSet<&'a str> {
    list.as_array().unwrap().iter().map(|entry| entry[field].as_str().unwrap()).collect()
}

#[test]
fn every_family_runs_from_generator_to_board() {
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");
    let models: Vec<_> = BASELINES.map(|name| baseline(name, 0)).into_iter().collect();
    for (name, (_, base_url)) in BASELINES.iter().zip(&models) {
        team.register(&format!("the {name}"), base_url);
        let run = team.submit_all(&format!("the-{name}"), "smoke");
        let ended = stage.follow(&run, |progress| progress["state"] != "open");
        assert_eq!(ended["state"], "done", "{ended}");
    }

    let tasks = stage.json("/tasks.json");
    let board = stage.board("smoke", BASELINES.len());
    let (families, listed) = (texts(&tasks, "family"), tasks.as_array().unwrap());
    let run = texts(&board["tasks"], "slug");
    let of_run: BTreeSet<&str> = listed
        .iter()
        .filter(|task| run.contains(task["slug"].as_str().unwrap()))
        .map(|task| task["family"].as_str().unwrap())
        .collect();
    // Families whose answers are rankings or whose items all have pictures take other endpoints.
    let text: BTreeSet<&str> = Task::builtin()
        .iter()
        .filter(|task| task.retrieval().is_none() && !task.shows_pictures())
        .map(|task| task.definition().family.as_str())
        .collect();
    let generated: BTreeSet<&str> = families.into_iter().filter(|family| text.contains(family)).collect();
    assert_eq!(of_run, generated);

    let rows = board["rows"].as_array().unwrap();
    for row in rows {
        assert_eq!(row["complete"], true, "{row}");
        let by_task = row["by_task"].as_object().unwrap();
        assert_eq!(by_task.keys().map(String::as_str).collect::<BTreeSet<_>>(), run);
        for (task, cell) in by_task {
            assert_eq!(cell["n"].as_u64(), Some(SAMPLES), "{task}: {row}");
            assert!((0.0..=100.0).contains(&cell["score"].as_f64().unwrap()), "{task}: {row}");
        }
        let outcomes = row["by_length"]["16k"]["outcomes"].as_object().unwrap();
        let failed = ["endpoint_error", "timeout", "refused", "over_length"]
            .iter()
            .filter_map(|name| outcomes.get(*name)?.as_u64());
        assert_eq!(failed.sum::<u64>(), 0, "{row}");
    }
    let score = |entry: &str| rows.iter().find(|row| row["entry"] == entry).unwrap()["score"].as_f64();
    assert!(score("the-bm25-reader") > score("the-random-guess"), "{board}");
}
