//! `longboard` without arguments: the first start fills the quickstart board, whatever happens on the way.

use std::process::{Child, Stdio};

use longboard_scenarios::stage::{PATIENCE, Stage};
use longboard_testkit::database::TestDatabase;
use serde_json::Value;

fn row<'a>(board: &'a Value, entry: &str) -> &'a Value {
    let rows = board["rows"].as_array().unwrap();
    rows.iter().find(|row| row["entry"] == entry).unwrap_or_else(|| panic!("{entry} is not in {board}"))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The shapes that programs rely on, with numbers of real answers.
fn methods_stand_beside_dense(stage: &Stage) {
    let report = stage.json("/methods.json?suite=quickstart&cost=attention_flops");
    assert_eq!(keys(&report), ["cost", "length", "lengths", "methods", "suite"]);
    let methods = report["methods"].as_array().unwrap();
    let run: Vec<&Value> = methods.iter().filter(|row| !row["result"].is_null()).collect();
    assert!(run.len() >= 6 && run.len() < methods.len(), "those that did not run stay listed: {report}");
    for row in methods {
        assert_eq!(keys(row), ["front", "model", "policy", "result", "run", "settings", "state", "title"]);
        assert_eq!(row["result"].is_null(), row["run"].is_null(), "{row}");
    }
    for row in &run {
        assert_eq!(keys(&row["result"]), ["ci95", "cost", "difference", "expected", "n", "score"]);
        assert!(row["result"]["cost"]["attention_flops"].as_f64() > Some(0.0), "{row}");
    }
    assert!(run.iter().any(|row| row["front"] == true), "{report}");

    let quest = stage.json("/methods/quest.json?suite=quickstart");
    assert_eq!(keys(&quest), ["card", "lengths", "model", "run", "settings", "suite"]);
    assert_eq!(keys(&quest["card"]), ["citation", "differs", "parameters", "properties", "slug", "title", "what"]);
    let at = &quest["lengths"][0];
    assert_eq!(keys(at), ["dense", "length", "result"]);
    assert_eq!(keys(&at["result"]["difference"]), ["ci95", "n", "paired", "value"]);
    assert_eq!((&at["length"], &at["result"]["difference"]["paired"]), (&"1k".into(), &true.into()), "{quest}");
    let page = stage.get("/methods/quest?suite=quickstart").text().unwrap();
    assert!(page.contains("arXiv 2406.10774") && page.contains("<svg class=\"chart\""), "{page}");
    let nobody = stage.get("/methods/nobody");
    assert_eq!(nobody.status(), 404);
    assert!(nobody.text().unwrap().contains("href=\"/methods\""));
    assert_eq!(stage.get("/methods?cost=speed").status(), 422);
}

#[test]
fn the_first_start_fills_the_board_even_when_killed_on_the_way() {
    let stage = Stage::new(TestDatabase::sqlite());
    let mut first = stage.start();
    let said = first.output();
    assert!(said.contains("admin@localhost with the password"), "{said}");
    first.kill();

    let again = stage.start();
    let done = again.wait_for("are evaluated:", 3 * PATIENCE);
    assert!(done.contains("/boards/quickstart"));
    assert!(!again.output().contains("password"), "the password is shown once: {}", again.output());

    let board = stage.board("quickstart", 3);
    let (reader, short, guess) = (row(&board, "bm25-reader"), row(&board, "last-8k"), row(&board, "random-guess"));
    assert_eq!(reader["kind"], "baseline");
    assert_eq!(reader["effective_length"]["point"], "32k", "{reader}");
    assert_eq!(short["effective_length"]["point"], "8k", "{short}");
    assert_eq!((&reader["flags"], &short["flags"]), (&Value::from(vec![""; 0]), &Value::from(vec!["truncates"])));
    assert!(short["by_length"]["32k"]["outcomes"]["truncated_input"].as_u64() > Some(0), "{short}");
    assert!(guess["score"].as_f64() < reader["score"].as_f64());
    for row in board["rows"].as_array().unwrap() {
        let samples = if row["kind"] == "reference" { 8 } else { 40 };
        for cell in row["by_length"].as_object().unwrap().values().filter(|cell| !cell["n"].is_null()) {
            let counted: u64 = cell["outcomes"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
            assert!(counted == 0 || (Some(counted), counted) == (cell["n"].as_u64(), samples), "{row}");
        }
    }
    let policies: Vec<&Value> =
        board["rows"].as_array().unwrap().iter().filter(|row| row["kind"] == "reference").collect();
    assert!(policies.len() >= 6, "dense and five policies: {board}");
    let dense = row(&board, "reference-dense");
    assert_eq!(
        (&dense["complete"], &dense["rank"]),
        (&Value::from(false), &Value::Null),
        "short lengths only: {dense}"
    );
    assert!(dense["by_length"]["1k"]["score"].as_f64() > guess["by_length"]["1k"]["score"].as_f64(), "{dense}");

    let compared = stage.json("/compare.json?suite=quickstart&a=bm25-reader&b=last-8k");
    assert_eq!((&compared["overall"]["n"], compared["overall"]["ci95"][0].as_f64() > Some(0.0)), (&240.into(), true));
    assert_eq!(compared["by_length"].as_array().unwrap().len(), 6);
    let nobody = stage.get("/compare.json?suite=quickstart&a=bm25-reader&b=nobody");
    assert_eq!(nobody.status(), 404);
    for page in [
        "/",
        "/tasks",
        "/tasks/cwe?length=8k&index=3",
        "/models/last-8k",
        "/methodology",
        "/methods",
        "/compare",
        "/metrics",
    ] {
        assert_eq!(stage.get(page).status(), 200, "{page}");
    }
    for (page, status) in
        [("/tasks/nothing", 404), ("/runs/1", 404), ("/submit", 303), ("/admin", 303), ("/api/x", 404)]
    {
        let response = stage.get(page);
        assert_eq!(response.status(), status, "{page}");
        assert!(response.headers().contains_key("content-security-policy"), "{page}");
    }
    let problem = stage.get("/api/v1/runs");
    assert_eq!(
        (problem.status().as_u16(), &problem.headers()["content-type"]),
        (401, &"application/problem+json".parse().unwrap())
    );
    methods_stand_beside_dense(&stage);
    let document = stage.json("/api/openapi.json");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 9, "{paths:?}");
    for path in paths.keys().filter(|path| paths[*path].get("get").is_some()) {
        let path = path.replace("{id}", "00000000-0000-0000-0000-000000000000").replace("{slug}", "x");
        let said = stage.get(&path).text().unwrap();
        assert!(!said.contains("no such page"), "{path} is described and not there: {said}");
    }
    let unreadable = stage.get("/tasks/cwe?length=banana").text().unwrap();
    assert!(unreadable.contains("role=\"alert\""), "a length that is none is explained");
}

#[test]
fn several_servers_may_start_on_one_empty_database() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let started: Vec<Child> =
            (0..4).map(|_| stage.longboard().arg("migrate").stderr(Stdio::piped()).spawn().unwrap()).collect();
        for one in started {
            let ended = one.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(ended.status.success(), "{}: {said}", stage.kind());
        }
        let _site = stage.serve();
        assert_eq!(stage.get("/readyz").status(), 200);
        assert_eq!(stage.json("/boards.json").as_array().unwrap().len(), 21);
    }
}
