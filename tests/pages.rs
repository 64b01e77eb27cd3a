//! Documents with pictures, from the endpoint over the fleet to the sample's page and a panel of judges.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use longboard_app::suites::item::Item;
use longboard_app::suites::length::Length;
use longboard_app::suites::picture::line;
use longboard_app::suites::suite::Suite;
use longboard_app::suites::task::{ItemRequest, Task};
use longboard_scenarios::stage::{Caller, Stage};
use longboard_testkit::database::TestDatabase;
use longboard_testkit::fake_endpoint::{FakeEndpoint, answer, response};
use longboard_testkit::picture::{Pixels, letters};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The season seed of a new instance.
const SEED: u64 = 2026;
const SAMPLES: u32 = 3;
/// Margin and width of a letter in a line of them.
const LETTER: (usize, usize) = (12, 36);

fn decoded(url: &str) -> Vec<u8> {
    use base64::Engine;
    let text = url.strip_prefix("data:image/png;base64,").unwrap();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// The tasks of the suite.
fn tasks() -> Vec<String> {
    Suite::builtin().into_iter().find(|suite| suite.slug == "m-longdoc").unwrap().tasks
}

/// What the fake reader knows by question: the item, and the PNG file of the page with the answer, where it has one.
type Known = BTreeMap<String, (Item, Option<Vec<u8>>)>;

fn known() -> Known {
    let mut known = Known::new();
    let length: Length = "4k".parse().unwrap();
    for slug in tasks() {
        let task = Task::find(&slug).unwrap();
        for index in 0..SAMPLES {
            let item = task.item(&ItemRequest::new(SEED, index, length)).unwrap();
            let page = item.pages.iter().find(|page| page.evidence).unwrap();
            let picture = page.picture.as_ref().map(|_| task.picture(&item, page.number).unwrap());
            known.insert(item.gold["question"].as_str().unwrap().to_owned(), (item, picture));
        }
    }
    known
}

/// Reads digits off a picture, and answers about a page only where text and pictures came as they stand in the item.
fn read(known: &Known, digits: &[(char, Pixels)], content: &Value) -> String {
    let parts: Vec<Value> = match content {
        Value::Array(parts) => parts.clone(),
        text => vec![json!({"type": "text", "text": text})],
    };
    let (mut text, mut pictures) = (String::new(), Vec::new());
    for part in &parts {
        match part["type"].as_str().unwrap() {
            "text" => text.push_str(part["text"].as_str().unwrap()),
            "image_url" => pictures.push((text.len(), decoded(part["image_url"]["url"].as_str().unwrap()))),
            other => panic!("a part of type {other}"),
        }
    }
    if text.contains("four digits") {
        return letters(&Pixels::read(&pictures[0].1).unwrap(), digits, LETTER);
    }
    let question = text.split("Question: ").nth(1).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
    let Some((item, picture)) = known.get(question) else { return "I do not know.".to_owned() };
    let stands: Vec<(usize, usize)> = item.pictures().map(|picture| (picture.byte, picture.size)).collect();
    let came: Vec<(usize, usize)> = pictures.iter().map(|(byte, png)| (*byte, png.len())).collect();
    assert_eq!((came, &text), (stands, &item.joined()), "{}", item.id);
    let seen = picture.as_ref().is_none_or(|picture| pictures.iter().any(|(_, png)| png == picture));
    if seen { format!("It was {}.", item.references[0]) } else { "I see nothing.".to_owned() }
}

fn chat(runtime: &Runtime, script: impl Fn(&Value) -> Vec<u8> + Send + Sync + 'static) -> FakeEndpoint {
    runtime.block_on(FakeEndpoint::scripted(move |_, body| {
        let body: Value = serde_json::from_slice(body).unwrap();
        script(&body)
    }))
}

fn content(body: &Value) -> &Value {
    &body["messages"].as_array().unwrap().last().unwrap()["content"]
}

fn reader(runtime: &Runtime, known: Arc<Known>) -> FakeEndpoint {
    let picture = |digit: char| (digit, Pixels::read(&line(&digit.to_string())).unwrap());
    let digits: Vec<(char, Pixels)> = ('0'..='9').map(picture).collect();
    chat(runtime, move |body| answer(&read(&known, &digits, content(body))))
}

fn run(stage: &Stage, team: &Caller<'_>, endpoint: &str, server: &FakeEndpoint, suite: &str) -> Vec<Value> {
    team.register(endpoint, &server.base_url);
    let body = json!({"endpoint": endpoint, "suite": suite, "lengths": ["4k"], "samples": SAMPLES});
    let run = team.post("/api/v1/runs", &body)["id"].as_str().unwrap().to_owned();
    let ended = stage.follow(&run, |progress| progress["state"] != "open");
    assert_eq!(ended["state"], "done", "{endpoint}: {ended}");
    let samples = stage.json(&format!("/api/v1/runs/{run}/samples"));
    let samples = samples["samples"].as_array().unwrap().iter();
    samples.map(|sample| stage.json(&format!("/runs/{run}/samples/{}.json", sample["number"]))).collect()
}

/// Whether the prompt of a sample has a picture.
fn pictured(sample: &Value) -> bool {
    let task = Task::find(sample["task"].as_str().unwrap()).unwrap();
    let index = u32::try_from(sample["index"].as_u64().unwrap()).unwrap();
    task.item(&ItemRequest::new(SEED, index, "4k".parse().unwrap())).unwrap().pictures().next().is_some()
}

#[test]
fn pictures_are_read_or_their_loss_is_named() {
    let runtime = Runtime::new().unwrap();
    let known = Arc::new(known());
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");

    let sees = reader(&runtime, Arc::clone(&known));
    let samples = run(&stage, &team, "sees", &sees, "m-longdoc");
    assert_eq!(samples.len(), tasks().len() * SAMPLES as usize);
    for sample in &samples {
        assert_eq!((sample["outcome"].as_str(), sample["strict"].as_f64()), (Some("correct"), Some(100.0)), "{sample}");
    }
    let figure = samples.iter().find(|sample| sample["task"] == "m_longdoc_figure").unwrap();
    shows_its_pages(&stage, figure);

    let texts = Arc::clone(&known);
    let only_text = move |body: &Value, told: &dyn Fn() -> Vec<u8>| match content(body) {
        Value::Array(_) => told(),
        text => answer(&read(&texts, &[], text)),
    };
    let (refusing, ignoring) = (only_text.clone(), only_text);
    let refuse = || {
        let body = br#"{"error":{"message":"this model does not support image input","type":"invalid_request_error"}}"#;
        response("400 Bad Request", "content-type: application/json\r\n", body)
    };
    let refuses = chat(&runtime, move |body| refusing(body, &refuse));
    let ignores = chat(&runtime, move |body| ignoring(body, &|| answer("It was 7.")));
    for (name, server, cause) in [("refuses", &refuses, "pictures_refused"), ("ignores", &ignores, "pictures_ignored")]
    {
        for sample in run(&stage, &team, name, server, "m-longdoc") {
            if pictured(&sample) {
                let told = (sample["outcome"].as_str(), sample["cause"].as_str(), sample["score"].as_f64());
                assert_eq!(told, (Some("endpoint_error"), Some(cause), None), "{sample}");
            } else {
                assert_eq!(sample["outcome"], "correct", "{sample}");
            }
        }
    }
}

/// The page with the answer is open, its picture is beside it, and others are a link away.
fn shows_its_pages(stage: &Stage, sample: &Value) {
    let path = format!("/runs/{}/samples/{}", sample["run"].as_str().unwrap(), sample["number"]);
    let index = u32::try_from(sample["index"].as_u64().unwrap()).unwrap();
    let task = Task::find("m_longdoc_figure").unwrap();
    let item = task.item(&ItemRequest::new(SEED, index, "4k".parse().unwrap())).unwrap();
    let page = item.pages.iter().find(|page| page.evidence).unwrap();
    let shown = stage.get(&path).text().unwrap();
    let image = format!("{path}/pages/{}", page.number);
    let alt = &page.picture.as_ref().unwrap().alt;
    assert!(shown.contains(&format!("<img src=\"{image}\" alt=\"{alt}\">")), "{shown}");
    assert!(shown.contains("which has the answer") && shown.contains("?leaf=1#pages"), "{shown}");
    let png = stage.get(&image);
    assert_eq!(png.headers()["content-type"], "image/png");
    assert_eq!(png.bytes().unwrap(), task.picture(&item, page.number).unwrap());
    let plain = item.pages.iter().find(|page| page.picture.is_none()).unwrap();
    assert_eq!(stage.get(&format!("{path}/pages/{}", plain.number)).status(), 404);
    let other = stage.get(&format!("{path}?leaf={}", plain.number)).text().unwrap();
    assert!(other.contains(&format!("[Page {}]", plain.number)) && !other.contains("<img"), "{other}");
    let preview = stage.get("/tasks/m_longdoc_figure?length=4k").text().unwrap();
    assert!(preview.contains("which count as no tokens"), "{preview}");
}

#[test]
fn three_judges_score_every_answer_five_times() {
    let runtime = Runtime::new().unwrap();
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let _site = stage.serve();
        let _worker = stage.work(&stage.worker_token("one"));
        let team = stage.sign_up("alpha");
        let sees = reader(&runtime, Arc::new(known()));
        let keeper = stage.maintainer();
        let suite = [
            ("csrf", keeper.csrf()),
            ("title", "Panel".to_owned()),
            ("description", "Two tasks for a panel.".to_owned()),
            ("tasks", "m_longdoc_text m_longdoc_figure".to_owned()),
            ("lengths", "4k".to_owned()),
            ("samples", SAMPLES.to_string()),
        ];
        assert_eq!(keeper.post_form("/admin/suites", &suite).status(), 303);
        let samples = run(&stage, &team, "sees", &sees, "panel");

        let warmth = Arc::new(Mutex::new(Vec::new()));
        let judges: [(&str, &[u32]); 3] = [("Mild", &[5]), ("Middling", &[4]), ("Moody", &[1, 3])];
        let mut servers = Vec::new();
        for (name, scores) in judges {
            let warmth = Arc::clone(&warmth);
            let server = chat(&runtime, move |body| {
                let asked = content(body).as_str().unwrap_or_default();
                if !asked.contains("SCORE: n") {
                    return answer("So.\\nVERDICT: FIRST");
                }
                warmth.lock().unwrap().push(body["temperature"].as_f64());
                // Every sample has a key of its own around the answer.
                let key = asked.bytes().fold(0_usize, |key, byte| key.wrapping_mul(31).wrapping_add(byte.into()));
                let score = scores[(key >> 8) % scores.len()];
                answer(&format!("So.\\nSCORE: {score}"))
            });
            let enrol = ["admin", "enrol-judge", "--name", name, "--family", name, "--base-url", &server.base_url];
            administer(&stage, &[&enrol[..], &["--model", "m", "--max-concurrency", "1"]].concat());
            servers.push(server);
        }
        let judge = ["admin", "judge", "--suite", "panel", "--judges", "mild,middling,moody"];
        administer(&stage, &[&judge[..], &["--samples", "5", "--budget", "5000"]].concat());

        let asked = 15 * samples.len();
        let row = settled(&stage, "/suites/panel/scores.json", asked);
        let panel = &row["panel"];
        assert_eq!((row["entry"].as_str(), panel["answers"].as_u64()), (Some("sees"), Some(samples.len() as u64)));
        let of = |name: &str| {
            let judges = panel["judges"].as_array().unwrap().iter();
            judges.clone().find(|judge| judge["judge"] == name).cloned().unwrap()
        };
        assert_eq!((of("mild")["mean"].as_f64(), of("mild")["sample_sd"].as_f64()), (Some(5.0), Some(0.0)));
        let moody = of("moody")["mean"].as_f64().unwrap();
        assert!((1.0..=3.0).contains(&moody) && of("moody")["sample_sd"].as_f64() > Some(0.5), "{panel}");
        let mean = panel["mean"].as_f64().unwrap();
        assert!((mean - (5.0 + 4.0 + moody) / 3.0).abs() < 1e-9, "{panel}");
        assert!((panel["spread"].as_f64().unwrap() - (5.0 - moody)).abs() < 1e-9, "{panel}");
        let warm = warmth.lock().unwrap();
        assert!(warm.len() == asked && warm.iter().all(|temperature| *temperature == Some(1.0)));

        let path = format!("/runs/{}/samples/{}", samples[0]["run"].as_str().unwrap(), samples[0]["number"]);
        let shown = stage.get(&path).text().unwrap();
        assert!(shown.contains("of 15 scores from 1 to 5") && shown.contains("5, 5, 5, 5, 5"), "{shown}");
        let page = stage.get("/suites/panel/scores").text().unwrap();
        assert!(page.contains("moody") && page.contains("/models/sees"), "{page}");
        assert_eq!(stage.get("/boards/panel-judged").status(), 404, "scores are no battles");
    }
}

fn administer(stage: &Stage, arguments: &[&str]) {
    let output = stage.longboard().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The first row of scores once there are as many as asked for.
fn settled(stage: &Stage, path: &str, scores: usize) -> Value {
    let end = std::time::Instant::now() + longboard_scenarios::stage::PATIENCE;
    loop {
        let report = stage.json(path);
        let row = &report["rows"][0];
        if row["panel"]["scores"].as_u64() == Some(scores as u64) {
            return row.clone();
        }
        assert!(std::time::Instant::now() < end, "{report}");
    }
}
