//! The InfiniteBench board from prediction files: imported by the program, read back over HTTP.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use longboard_scenarios::program;
use longboard_testkit::database::TestDatabase;
use longboard_testkit::process::Process;
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

fn longboard(folder: &Path, database: &TestDatabase) -> Command {
    let mut command = Command::new(program("longboard"));
    command.arg("--data-dir").arg(folder).args(["--bind", "127.0.0.1:0", "--database-url", &database.url]);
    command
}

fn import(folder: &Path, database: &TestDatabase, model: &str, files: &Path) -> String {
    let output =
        longboard(folder, database).args(["import", "predictions", "--model", model]).arg(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn serve(folder: &Path, database: &TestDatabase) -> (Process, String) {
    let process = Process::start("longboard", &mut longboard(folder, database));
    let line = process.wait_for("Longboard at ", PATIENCE);
    let base = line.split("Longboard at ").nth(1).unwrap().to_owned();
    (process, base)
}

fn get(url: &str) -> reqwest::blocking::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap().get(url).send().unwrap()
}

fn board(base: &str) -> Value {
    serde_json::from_str(&get(&format!("{base}/boards/infinitebench.json")).text().unwrap()).unwrap()
}

fn row<'a>(board: &'a Value, entry: &str) -> &'a Value {
    board["rows"].as_array().unwrap().iter().find(|row| row["entry"] == entry).unwrap()
}

fn fixture() -> PathBuf {
    longboard_scenarios::root().join("crates/suites/tests/fixtures/preds_math_calc.jsonl")
}

#[test]
fn a_prediction_file_becomes_a_row_and_a_page() {
    for database in TestDatabase::each() {
        let folder = TempDir::new().unwrap();
        let said = import(folder.path(), &database, "Model <b>A</b>", &fixture());
        assert!(said.contains("infinitebench_math_calc 25.00 % over 3 answers"), "{said}");
        let (mut process, base) = serve(folder.path(), &database);
        let first = board(&base);
        let row = row(&first, "model-b-a-b");
        assert_eq!(row["by_task"]["infinitebench_math_calc"]["score"], 25.0, "{}", database.kind);
        assert_eq!((&row["score"], &row["complete"], &row["rank"]), (&Value::Null, &Value::Bool(false), &Value::Null));
        assert_eq!(row["by_task"]["infinitebench_passkey"]["score"], Value::Null);

        let page = get(&format!("{base}/boards/infinitebench"));
        assert_eq!(page.status(), 200);
        assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let etag = page.headers()["etag"].to_str().unwrap().to_owned();
        let html = page.text().unwrap();
        assert!(html.contains("Model &#60;b&#62;A") && !html.contains("<b>A"), "names are escaped");
        assert!(get(&format!("{base}/boards/infinitebench.csv")).text().unwrap().contains("model-b-a-b"));
        assert_eq!(get(&format!("{base}/boards/nothing")).status(), 404);
        assert_eq!(get(&format!("{base}/readyz")).status(), 200);

        process.kill();
        let (_process, base) = serve(folder.path(), &database);
        let again = get(&format!("{base}/boards/infinitebench"));
        assert_eq!(again.headers()["etag"], etag.as_str(), "a killed server comes back with the same snapshot");
    }
}

#[test]
fn bad_files_are_named_and_change_nothing() {
    let (folder, database) = (TempDir::new().unwrap(), TestDatabase::sqlite());
    let file = folder.path().join("preds_passkey.jsonl");
    std::fs::write(&file, "{\"id\": 0}\nnot json\n").unwrap();
    let mut command = longboard(folder.path(), &database);
    let output = command.args(["import", "predictions", "--model", "a"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("line 1") && said.contains("prediction"), "{said}");
    let (_process, base) = serve(folder.path(), &database);
    assert_eq!(board(&base)["rows"].as_array().unwrap().len(), 0);
}

#[test]
fn the_board_shows_the_official_scores() {
    let beside = longboard_scenarios::root().join("../shared");
    let shared = std::env::var_os("LONGBOARD_SHARED").map_or(beside, PathBuf::from).join("data/infinitebench");
    if !shared.is_dir() {
        eprintln!(
            "SKIPPED: set LONGBOARD_SHARED to a folder with data/infinitebench to fill the board with real files"
        );
        return;
    }
    let (folder, database) = (TempDir::new().unwrap(), TestDatabase::sqlite());
    let mut models: Vec<PathBuf> =
        std::fs::read_dir(shared.join("preds")).unwrap().map(|entry| entry.unwrap().path()).collect();
    models.sort();
    for model in &models {
        import(folder.path(), &database, &model.file_name().unwrap().to_string_lossy(), model);
    }
    let (_process, base) = serve(folder.path(), &database);
    let (board, text) = (board(&base), std::fs::read_to_string(shared.join("expected_scores.json")).unwrap());
    let expected: Value = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for (task, scores) in expected["scores"].as_object().unwrap() {
        for (model, score) in scores.as_object().unwrap() {
            let file = shared.join("preds").join(model).join(format!("preds_{task}.jsonl"));
            if !file.is_file() {
                continue;
            }
            let shown = row(&board, model)["by_task"][format!("infinitebench_{task}")]["score"].as_f64().unwrap();
            let published = score[0].as_f64().unwrap();
            assert!((shown - published).abs() < 0.0051, "{model} {task}: {shown} instead of {published}");
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} cells were compared");
    assert!(board["notes"].as_array().unwrap().len() >= 3, "the known exceptions are shown");
}
