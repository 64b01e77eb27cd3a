//! Official data files: whole or not at all, and run by the fleet like anything else, on SQLite and PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod stage;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use longboard_app::Longboard;
use longboard_app::data_file::DatasetError;
use longboard_app::dataset::{DatasetReport, reader};
use longboard_app::fleet::FleetMember;
use longboard_app::run::RunRequest;
use longboard_app::team::Member;
use longboard_protocol::worker::{
    Answer, AnswersRequest, ClaimRequest, Completion, Exchange, ProgramRun, RunWork, ShardLease, Work,
};
use longboard_store::StoreError;
use longboard_store::dataset::{Beside, BesideFile, Dataset as DatasetRow};
use longboard_suites::dataset::Record;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use longboard_testkit::database::TestDatabase;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use stage::{alpha, enlist, longboard, now, registration, report};

const TASK: &str = "infinitebench_passkey_data";
const SUITE: &str = "infinitebench-data";

/// Three records of passkey: two that fit a window of 4k tokens and one that does not. The first two share a document.
fn records() -> Vec<String> {
    let short = "Grey stones lie by the road. The pass key is 41728. Grey stones lie by the road.";
    let long = format!("The pass key is 90210. {}", "The road goes on and on past the mill. ".repeat(1200));
    let record = |id: u32, context: &str, answer: &str| json!({"id": id, "context": context, "input": "What is the pass key?", "answer": [answer], "options": ""});
    let list = [record(0, short, "41728"), record(1, short, "41728"), record(2, &long, "90210")];
    list.iter().map(|record| record.to_string().replace("\"options\":\"\"", "\"options\":null")).collect()
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, lines.join("\n")).unwrap();
        path
    }
}

async fn import(longboard: &Longboard, path: &std::path::Path) -> Result<DatasetReport, DatasetError> {
    import_for("infinitebench", longboard, path).await
}

async fn import_for(
    family: &str,
    longboard: &Longboard,
    path: &std::path::Path,
) -> Result<DatasetReport, DatasetError> {
    let read = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&read);
    let progress = Arc::new(move |bytes| {
        count.fetch_add(bytes, Ordering::Relaxed);
    });
    let imported = longboard.import_dataset("operator", (family, None), path, progress, now()).await;
    if imported.as_ref().is_ok_and(|report| report.stored) {
        assert_eq!(read.load(Ordering::Relaxed), 2 * std::fs::metadata(path).unwrap().len());
    }
    imported
}

#[tokio::test]
async fn a_file_is_stored_whole_or_not_at_all() {
    for database in TestDatabase::each() {
        let longboard = longboard(&database).await;
        let files = Files::new();
        let mut bad = records();
        bad[1] = json!({"id": 1, "input": "?", "answer": ["1"]}).to_string();
        bad.push("not json".to_owned());
        let error = import(&longboard, &files.write("passkey.jsonl", &bad)).await.unwrap_err();
        let DatasetError::BadLines { named, count, total } = &error else { panic!("{error}") };
        assert_eq!((*count, *total), (2, 4), "{}", database.kind);
        assert_eq!(named.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 4]);
        assert!(named[0].reason.contains("context"), "{:?}", named[0]);
        assert!(longboard.store().datasets().await.unwrap().is_empty());
        assert!(longboard.store().task(TASK, None).await.unwrap().is_none());

        let unnamed = import(&longboard, &files.write("secrets.jsonl", &records())).await.unwrap_err();
        assert!(unnamed.to_string().contains("passkey, number_string"), "{unnamed}");
        let empty = import(&longboard, &files.write("passkey.jsonl", &[])).await.unwrap_err();
        assert!(matches!(empty, DatasetError::Empty), "{empty}");

        let good = files.write("passkey.jsonl", &records());
        let report = import(&longboard, &good).await.unwrap();
        assert_eq!((report.task.as_str(), report.records, report.stored), (TASK, 3, true));
        let again = import(&longboard, &good).await.unwrap();
        assert_eq!(again, DatasetReport { stored: false, ..report.clone() });
        let row = longboard.store().task(TASK, None).await.unwrap().unwrap();
        assert_eq!((row.version, row.data_sha256.as_ref()), (1, Some(&report.sha256)));

        let changed = import(&longboard, &files.write("passkey.jsonl", &records()[..2])).await.unwrap();
        assert!(changed.stored && changed.sha256 != report.sha256);
        assert_eq!(longboard.store().task(TASK, None).await.unwrap().unwrap().version, 2);
        assert_eq!(longboard.store().datasets().await.unwrap().len(), 2, "what a version stands on stays");
        let suite = longboard.store().suite(SUITE).await.unwrap().unwrap();
        assert_eq!(suite.tasks.0, [TASK]);
    }
}

#[tokio::test]
async fn lists_and_what_stands_beside_them_are_read_as_published() {
    let database = TestDatabase::sqlite();
    let longboard = longboard(&database).await;
    let files = Files::new();
    let pretty = |value: &serde_json::Value| [serde_json::to_string_pretty(value).unwrap()];
    let shown = json!([{"sentence": "Orla met Brun.", "entities": {"Orla": "person-other"}}]);
    let tests = json!([{"sentence": "Ada left.", "entities": {"Ada": "person-other"}}, {"sentence": "No one came."}]);
    let path = files.write("fewnerd_test_2.json", &pretty(&tests));
    let error = import_for("longicl", &longboard, &path).await.unwrap_err();
    let DatasetError::BadLines { named, .. } = &error else { panic!("{error}") };
    assert!(named[0].reason.contains("fewnerd_train") && named[0].line == 2, "{:?}", named[0]);
    files.write("fewnerd_train_1.json", &pretty(&shown));
    let error = import_for("longicl", &longboard, &path).await.unwrap_err();
    let DatasetError::BadLines { named, count, total } = &error else { panic!("{error}") };
    assert_eq!((*count, *total, named[0].line), (1, 2, 8), "the second element begins on line 8: {named:?}");
    let judged = json!({"input": "Ida rang.", "instructions": ["Who?"], "outputs": ["Ida"], "evaluation": "LLM"});
    let scored = json!({"input": "Ida rang.", "instructions": ["Who?"], "outputs": ["Ida"], "evaluation": "f1"});
    let path = files.write("financial_qa.jsonl", &[judged.to_string(), String::new(), scored.to_string()]);
    let report = import_for("leval", &longboard, &path).await.unwrap();
    assert_eq!((report.records, report.skipped), (1, 1), "what is left out is counted");
    let path = files.write("fewnerd_test_1.json", &pretty(&json!([tests[0]])));
    let report = import_for("longicl", &longboard, &path).await.unwrap();
    let record = first_record(&longboard, &report.sha256).await;
    assert!(record.document.contains("Orla"), "{record:?}");

    let page = |path: &str| {
        json!([{"task_id": "a", "html_path": path, "task_topic": "Houses", "task_description": "(1) Owner",
            "gt": "owner\nOrla", "tsv_header": "owner", "filtering_instruction": ""}])
    };
    files.write("page.html", &["<li>Orla</li>".to_owned()]);
    for (path, said) in [("../page.html", "no path within"), ("other.html", "cannot open"), ("/etc/hosts", "no path")] {
        let file = files.write("html_to_tsv_2k.json", &pretty(&page(path)));
        let error = import_for("longproc", &longboard, &file).await.unwrap_err();
        let DatasetError::BadLines { named, .. } = &error else { panic!("{error}") };
        assert!(named[0].reason.contains(said), "{:?}", named[0]);
    }
    let file = files.write("html_to_tsv_2k.json", &pretty(&page("page.html")));
    let report = import_for("longproc", &longboard, &file).await.unwrap();
    let record = first_record(&longboard, &report.sha256).await;
    assert_eq!(record.document, "<li>Orla</li>");
}

fn claim() -> ClaimRequest {
    ClaimRequest { labels: Vec::new(), wait_ms: 0, version: "test".to_owned() }
}

/// A site with a probed endpoint of a team, and a worker.
async fn ready(database: &TestDatabase) -> (Longboard, Member, FleetMember) {
    let longboard = longboard(database).await;
    let user = longboard.sign_up(alpha(), "127.0.0.1", [1; 32], now()).await.unwrap();
    longboard.create_team(&user, "Alpha", now()).await.unwrap();
    let member = longboard.member(&user, "alpha").await.unwrap();
    let worker = enlist(&longboard, "one", 2).await;
    let endpoint = registration("M", "http://127.0.0.1:9/v1");
    longboard.register_endpoint(&member, endpoint, [9; 32], now()).await.unwrap();
    let probe = longboard.claim(&worker, claim(), Utc::now).await.unwrap().unwrap();
    longboard.record_probe(&worker, probe.shard, probe.fence, report(), now()).await.unwrap();
    (longboard, member, worker)
}

/// All of a suite in windows of 4k tokens.
fn request(suite: &str) -> RunRequest {
    RunRequest {
        endpoint: "m".to_owned(),
        suite: suite.to_owned(),
        lengths: Some(vec!["4k".parse().unwrap()]),
        samples: Some(50),
        budget_tokens: None,
        strategy: None,
    }
}

fn task_of(lease: &ShardLease) -> (&RunWork, Task) {
    let Work::Run(work) = &lease.work else { panic!("{:?}", lease.work) };
    let definition = TaskDefinition {
        slug: work.task.slug.clone(),
        version: work.task.version,
        title: work.task.title.clone(),
        family: work.task.family.clone(),
        params: work.task.params.clone(),
        data: work.task.data.as_ref().map(|data| data.sha256.clone()),
    };
    (work, Task::new(definition).unwrap())
}

/// LongBench-E: the score of each bucket is the mean over its records, whatever their order in the run.
#[tokio::test]
async fn longbench_e_is_reported_by_official_length() {
    for database in TestDatabase::each() {
        let (longboard, member, worker) = ready(&database).await;
        let files = Files::new();
        let lengths = [3999, 4000, 7999, 8000, 12000];
        let record = |length: u32| {
            json!({"input": "Who rang?", "context": format!("Ida rang bell {length}."), "answers": ["Ida"], "length": length,
                "dataset": "hotpotqa", "language": "en", "all_classes": null, "_id": length.to_string()})
        };
        let lines: Vec<String> = lengths.iter().map(|length| record(*length).to_string()).collect();
        import_for("longbench", &longboard, &files.write("hotpotqa_e.jsonl", &lines)).await.unwrap();
        let run = longboard.submit_run(&member, request("longbench-data"), now()).await.unwrap();
        let lease = longboard.claim(&worker, claim(), Utc::now).await.unwrap().unwrap();
        let (work, task) = task_of(&lease);
        let data = work.task.data.as_ref().unwrap();
        let answers = data.records.iter().map(|row| {
            let record = Record::deserialize(&row.record).unwrap();
            let right = ["3999", "4000", "12000"].contains(&record.id.as_str());
            let record = Record { document: data.documents[row.document as usize].clone(), ..record };
            let length = Length::new(work.length_tokens).unwrap();
            let item =
                task.item(&ItemRequest { record: Some(&record), ..ItemRequest::new(work.seed, row.index, length) });
            let item = item.unwrap();
            let text = if right { "Ida" } else { "Olga" }.to_owned();
            Answer {
                index: row.index,
                repetition: 0,
                prompt_digest: item.prompt_digest(),
                prompt_tokens: item.prompt_tokens,
                result: Exchange::Completed(Completion { text, latency_ms: 5, attempts: 1, ..Completion::default() }),
            }
        });
        let request = AnswersRequest { fence: lease.fence, answers: answers.collect() };
        assert_eq!(longboard.record_answers(&worker, lease.shard, request, now()).await.unwrap().stored, 5);
        let run = longboard.run(run.id).await.unwrap();
        let report = longboard.run_report(&run).await.unwrap();
        let [buckets] = report.buckets.as_slice() else { panic!("{:?}", report.buckets) };
        let scores: Vec<_> =
            buckets.buckets.iter().map(|bucket| (bucket.from, bucket.below, bucket.score, bucket.n)).collect();
        let expected = [(0, Some(4000), 100.0, 1), (4000, Some(8000), 50.0, 2), (8000, None, 50.0, 2)];
        assert_eq!(scores, expected, "{}", database.kind);
    }
}

/// Programs of a model count only with what they did, and only workers that run programs get such shards.
#[tokio::test]
async fn programs_are_scored_by_what_they_did() {
    for database in TestDatabase::each() {
        let (longboard, member, worker) = ready(&database).await;
        let files = Files::new();
        let record = |id: &str| {
            json!({"problem_id": id, "pseudocode_lines": ["read n", "print n plus 1"], "code_lines": ["cin >> n;"],
                "testcases": [[["1"], ["2"]], [["4"], ["5"]]]})
        };
        let path = files.write("pseudo_to_code_2k.json", &[json!([record("a"), record("b"), record("c")]).to_string()]);
        import_for("longproc", &longboard, &path).await.unwrap();
        let run = longboard.submit_run(&member, request("longproc-data"), now()).await.unwrap();
        assert!(longboard.claim(&worker, claim(), Utc::now).await.unwrap().is_none(), "a worker without a sandbox");
        let able = ClaimRequest { labels: vec!["sandbox".to_owned()], ..claim() };
        let lease = longboard.claim(&worker, able, Utc::now).await.unwrap().unwrap();
        let (work, task) = task_of(&lease);
        let data = work.task.data.as_ref().unwrap();
        let runs = [
            Some(ProgramRun { compiles: true, outputs: ["2\n", "5\n"].map(|text| Some(text.to_owned())).to_vec() }),
            Some(ProgramRun { compiles: false, outputs: Vec::new() }),
            None,
        ];
        let answers = data.records.iter().zip(runs).map(|(row, program)| {
            let record = Record::deserialize(&row.record).unwrap();
            let record = Record { document: data.documents[row.document as usize].clone(), ..record };
            let length = Length::new(work.length_tokens).unwrap();
            let request = ItemRequest { record: Some(&record), ..ItemRequest::new(work.seed, row.index, length) };
            let item = task.item(&request).unwrap();
            let text = "```cpp\nint main() {}\n```".to_owned();
            Answer {
                index: row.index,
                repetition: 0,
                prompt_digest: item.prompt_digest(),
                prompt_tokens: item.prompt_tokens,
                result: Exchange::Completed(Completion {
                    text,
                    program,
                    latency_ms: 5,
                    attempts: 1,
                    ..Completion::default()
                }),
            }
        });
        let request = AnswersRequest { fence: lease.fence, answers: answers.collect() };
        let reply = longboard.record_answers(&worker, lease.shard, request, now()).await.unwrap();
        assert_eq!(reply.stored, 2, "{}", database.kind);
        assert!(reply.refused[0].reason.contains("--sandbox"), "{:?}", reply.refused);
        let run = longboard.run(run.id).await.unwrap();
        let rows = [longboard.answer(&run, 1).await.unwrap(), longboard.answer(&run, 2).await.unwrap()];
        let [right, broken] = rows.map(|row| (row.score, row.extracted, row.outcome));
        assert_eq!(right, (Some(1.0), "compiles, 2 of 2 outputs right".to_owned(), "correct".to_owned()));
        assert_eq!(broken, (Some(0.0), "does not compile".to_owned(), "format".to_owned()));
    }
}

#[tokio::test]
async fn a_record_that_fits_no_window_ends_alone() {
    for database in TestDatabase::each() {
        let (longboard, member, worker) = ready(&database).await;
        let files = Files::new();
        let long = "Who rang the bell at the mill by the road? ".repeat(500);
        let record = json!({
            "instructions": ["Who rang the bell?\nA. Ida\nB. Olga", long], "outputs": ["A", "A"],
            "input": "Ida rang the bell while Olga slept.", "source": "own", "evaluation": "exam",
        });
        import_for("leval", &longboard, &files.write("quality.jsonl", &[record.to_string()])).await.unwrap();
        let run = longboard.submit_run(&member, request("leval-data"), now()).await.unwrap();
        let lease = longboard.claim(&worker, claim(), Utc::now).await.unwrap().unwrap();
        let unmade = |index| Answer {
            index,
            repetition: 0,
            prompt_digest: String::new(),
            prompt_tokens: 0,
            result: Exchange::Unmade { reason: "the worker's words".to_owned() },
        };
        let request = AnswersRequest { fence: lease.fence, answers: vec![unmade(0), unmade(1)] };
        let reply = longboard.record_answers(&worker, lease.shard, request, now()).await.unwrap();
        let refused: Vec<u32> = reply.refused.iter().map(|refused| refused.index).collect();
        assert_eq!((reply.stored, refused), (1, vec![0]), "{:?}", reply.refused);
        let run = longboard.run(run.id).await.unwrap();
        let row = longboard.answer(&run, 2).await.unwrap();
        assert_eq!((row.outcome.as_str(), row.cause.as_deref()), ("over_length", Some("record_does_not_fit")));
        let detail = row.detail.unwrap();
        assert!(detail.contains("choose a longer window"), "{detail}");
    }
}

#[tokio::test]
async fn objects_of_records_and_folders_of_tables_are_read() {
    let database = TestDatabase::sqlite();
    let longboard = longboard(&database).await;
    let files = Files::new();
    for folder in ["GIST", "mill"] {
        std::fs::create_dir(files.0.path().join(folder)).unwrap();
    }
    let exam = |error: &[u32]| json!({"task_prompt": "Add.", "Data": "[0:1, 1 Answer: 3]\n\n[1:2, 2 Answer: 4]\n\n", "error": error});
    let exams = json!({"task1": exam(&[0]), "task2": exam(&[1]), "task3": exam(&[])});
    let path = files.write("GIST/256.json", &[serde_json::to_string_pretty(&exams).unwrap()]);
    let report = import_for("longins", &longboard, &path).await.unwrap();
    assert_eq!((report.task.as_str(), report.records, report.beside), ("longins_gist_256_data", 3, 0));
    let wrong = json!({"task1": exam(&[0]), "task2": {"Data": 3}});
    let path = files.write("GIST/512.json", &[serde_json::to_string_pretty(&wrong).unwrap()]);
    let error = import_for("longins", &longboard, &path).await.unwrap_err();
    let DatasetError::BadLines { named, .. } = &error else { panic!("{error}") };
    assert_eq!(named[0].reason, "task2.Data: expected a text");

    let row = |place: u32| {
        json!({"verbalized_text": format!("Mill {place} stands at Arva."), "table_row": json!({"id": place}).to_string()})
            .to_string()
    };
    files.write("mill/mills.jsonl", &[row(1), row(2)]);
    let query = |sql: &str| json!({"db_id": "mill", "query": sql, "question": "How many?"}).to_string();
    let path = files.write("queries.jsonl", &[query("SELECT COUNT(*) FROM mills"), query("SELECT id FROM mills")]);
    let report = import_for("holobench", &longboard, &path).await.unwrap();
    assert_eq!((report.records, report.beside), (2, 1));
    let records = longboard.store().dataset_records(&report.sha256, &[(0, 0), (1, 1)]).await.unwrap();
    assert_eq!(records.documents.len(), 1, "the tables are stored once");
    let path = files.write("queries.jsonl", &[query("SELECT CAST(id AS TEXT) FROM mills")]);
    let error = import_for("holobench", &longboard, &path).await.unwrap_err();
    let DatasetError::BadLines { named, .. } = &error else { panic!("{error}") };
    assert!(named[0].reason.starts_with("query: not a query that can be answered here"), "{:?}", named[0]);
}

#[tokio::test]
async fn what_a_file_is_for_can_be_said() {
    let database = TestDatabase::sqlite();
    let longboard = longboard(&database).await;
    let files = Files::new();
    std::fs::create_dir(files.0.path().join("rand_shuffle")).unwrap();
    files.write("rand_shuffle/one.txt", &["It rained.".to_owned()]);
    files.write("PaulGrahamEssays.jsonl", &[json!({"text": "It rained."}).to_string()]);
    let names = json!({"English": "Ann,Ben,Cid,Dot,Eve,Fay", "Chinese": "甲,乙,丙,丁,戊,己"});
    let names = files.write("names.json", &[serde_json::to_string_pretty(&names).unwrap()]);
    let needle = |place: u32| {
        json!({"needle": "Mill 1 hides a lamp.", "arg1": "mill", "arg2": format!("lamp {place}"), "language": "English",
            "retrieval_question": "What is hidden? Answer in the format 'Mill 1 hides a ___.'"})
        .to_string()
    };
    let needles = files.write("needles.jsonl", &[needle(1), needle(2)]);
    let question = json!({"_id": "v1", "domain": "d", "sub_domain": "s", "difficulty": "hard", "length": "short", "question": "Who?",
        "choice_A": "Ida", "choice_B": "Olga", "choice_C": "Nils", "choice_D": "Emil", "answer": "A", "context": "Ida rang."});
    let questions = files.write("data.json", &[json!([question]).to_string()]);
    let set = json!([{"id": "0401", "needle": "Ida rang.", "questions": {"q": "Who rang?"}, "tests": {"T1": {"input_args": [], "gold_answers": ["Ida"]}}}]);
    let set = files.write("needle_set.json", &[set.to_string()]);
    for (family, subset, path, records, beside, stored) in [
        ("needlebench", Some("mrs_en"), &names, 40, 1, true),
        ("needlebench", Some("srt_en"), &needles, 10, 1, true),
        ("longbench_v2", None, &questions, 1, 0, true),
        ("longbench_v2", Some("longbench_v2_no_context"), &questions, 1, 0, false),
        ("nolima", None, &set, 1, 1, true),
    ] {
        let imported = longboard.import_dataset("operator", (family, subset), path, Arc::new(|_| ()), now()).await;
        let report = imported.unwrap_or_else(|error| panic!("{family}: {error:?}"));
        assert_eq!((report.records, report.beside, report.stored), (records, beside, stored), "{}", report.task);
        let row = longboard.store().task(&report.task, None).await.unwrap().unwrap();
        assert_eq!(row.data_sha256, Some(report.sha256));
    }
    let error = import_for("needlebench", &longboard, &needles).await.unwrap_err().to_string();
    assert!(error.contains("--subset") && error.contains("mrt_zh"), "{error}");
}

async fn first_record(longboard: &Longboard, sha256: &str) -> Record {
    longboard.store().dataset_records(sha256, &[(7, 0)]).await.unwrap().get(7).unwrap()
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[tokio::test]
async fn what_stands_beside_a_file_belongs_to_its_digest() {
    for database in TestDatabase::each() {
        let longboard = longboard(&database).await;
        let files = Files::new();
        let test = |sentence: &str| json!({"sentence": sentence, "entities": {"Ada": "person-other"}});
        let shown = |name: &str| json!([{"sentence": format!("{name} left."), "entities": {name: "person-other"}}]);
        let tests = json!([test("Ada left."), test("Ada came."), test("Ada slept.")]).to_string();
        let train = shown("Orla").to_string();
        let path = files.write("fewnerd_test_3.json", std::slice::from_ref(&tests));
        files.write("fewnerd_train_3.json", std::slice::from_ref(&train));
        let first = import_for("longicl", &longboard, &path).await.unwrap();
        assert_eq!((first.stored, first.beside, first.records), (true, 1, 3));
        assert_eq!(first.sha256, sha256(&format!("{}\n{}\n", sha256(&tests), sha256(&train))));
        assert!(!import_for("longicl", &longboard, &path).await.unwrap().stored);
        let row = longboard.store().dataset(&first.sha256).await.unwrap().unwrap();
        assert_eq!(row.file_sha256, Some(sha256(&tests)), "{}", database.kind);
        let file =
            BesideFile { path: "fewnerd_train_3.json".to_owned(), sha256: sha256(&train), bytes: train.len() as i64 };
        assert_eq!(row.beside, Some(Beside(vec![file])));

        files.write("fewnerd_train_3.json", &[shown("Brun").to_string()]);
        let second = import_for("longicl", &longboard, &path).await.unwrap();
        assert!(second.stored && second.sha256 != first.sha256, "other demonstrations are another data set");
        let old = first_record(&longboard, &first.sha256).await;
        let new = first_record(&longboard, &second.sha256).await;
        assert!(old.document.contains("Orla") && new.document.contains("Brun"));
        let task = longboard.store().task(&second.task, None).await.unwrap().unwrap();
        assert_eq!((task.version, task.data_sha256.as_ref()), (2, Some(&second.sha256)));

        let places = [(5, 2), (6, 0), (9, 1)];
        let records = longboard.store().dataset_records(&second.sha256, &places).await.unwrap();
        assert_eq!((records.documents.len(), records.by_index.len()), (1, 3), "one document for all");
        assert_eq!(records.get(5).unwrap().question, "Ada slept.");
        assert!(records.by_index.values().all(|(place, record)| *place == 0 && record.document.is_empty()));
        let beyond = longboard.store().dataset_records(&second.sha256, &[(0, 3)]).await.unwrap_err();
        assert!(matches!(beyond, StoreError::NotFound(_)), "{beyond}");
    }
}

/// A data set of a version that did not record what stood beside its file.
#[tokio::test]
async fn data_sets_of_before_stay_readable() {
    for database in TestDatabase::each() {
        let longboard = longboard(&database).await;
        let files = Files::new();
        let path = files.write("passkey.jsonl", &records());
        let facts = DatasetRow {
            sha256: sha256(&records().join("\n")),
            family: "infinitebench".to_owned(),
            subset: "passkey".to_owned(),
            file_name: "passkey.jsonl".to_owned(),
            licence: "MIT".to_owned(),
            records: 1,
            bytes: 9,
            imported_by: "operator".to_owned(),
            imported_at: now(),
            file_sha256: None,
            beside: None,
        };
        let sha256 = facts.sha256.clone();
        let mut writer = longboard.store().begin_dataset(facts).await.unwrap();
        let subset = reader("infinitebench").unwrap().1.subset_of("passkey.jsonl").unwrap();
        let read = reader("infinitebench").unwrap().1.read(subset, 1, &records()[0]).unwrap();
        writer.push(&read[0]).await.unwrap();
        writer.commit().await.unwrap();
        assert!(first_record(&longboard, &sha256).await.document.contains("41728"));
        let again = import(&longboard, &path).await.unwrap();
        assert!(!again.stored && again.sha256 == sha256, "a file alone keeps its digest");
    }
}

#[tokio::test]
async fn the_fleet_runs_records_and_says_what_was_cut() {
    for database in TestDatabase::each() {
        let (longboard, member, worker) = ready(&database).await;
        let files = Files::new();
        let imported = import(&longboard, &files.write("passkey.jsonl", &records())).await.unwrap();

        let run = longboard.submit_run(&member, request(SUITE), now()).await.unwrap();
        assert_eq!(run.total, 3, "no more samples than records");
        let lease = longboard.claim(&worker, claim(), Utc::now).await.unwrap().unwrap();
        let (work, task) = task_of(&lease);
        let data = work.task.data.as_ref().unwrap();
        assert_eq!((data.records.len(), data.documents.len(), &data.sha256), (3, 2, &imported.sha256));
        let length = Length::new(work.length_tokens).unwrap();
        let answers: Vec<Answer> = data
            .records
            .iter()
            .map(|row| {
                let record = Record::deserialize(&row.record).unwrap();
                assert_eq!(record.document, "");
                let record = Record { document: data.documents[row.document as usize].clone(), ..record };
                let request = ItemRequest { record: Some(&record), ..ItemRequest::new(work.seed, row.index, length) };
                let item = task.item(&request).unwrap();
                assert!(item.prompt_tokens + item.output_tokens <= 4096);
                Answer {
                    index: row.index,
                    repetition: 0,
                    prompt_digest: item.prompt_digest(),
                    prompt_tokens: item.prompt_tokens,
                    result: Exchange::Completed(Completion {
                        text: record.references[0].clone(),
                        latency_ms: 5,
                        attempts: 1,
                        ..Completion::default()
                    }),
                }
            })
            .collect();
        let request = AnswersRequest { fence: lease.fence, answers };
        let reply = longboard.record_answers(&worker, lease.shard, request, now()).await.unwrap();
        assert_eq!((reply.stored, reply.refused.len()), (3, 0), "{:?}", reply.refused);
        longboard.finish_shard(&worker, lease.shard, lease.fence, now()).await.unwrap();

        let run = longboard.run(run.id).await.unwrap();
        let report = longboard.run_report(&run).await.unwrap();
        let cell = &report.cells[TASK]["4k"];
        assert_eq!((cell.n, cell.score), (3, Some(100.0)), "{}", database.kind);
        let [cut] = report.cuts.as_slice() else { panic!("{:?}", report.cuts) };
        assert_eq!((cut.n, cut.cut, cut.score_of_whole), (3, 1, Some(100.0)));
        assert!(cut.tokens_removed > 5000.0, "{cut:?}");
        let whole = cell.whole.unwrap();
        assert_eq!((whole.n, whole.score), (2, Some(100.0)));
        let row = longboard.store().task(TASK, None).await.unwrap().unwrap();
        let beyond = longboard.item(&row, length, 1, 3).await.unwrap_err().to_string();
        assert!(beyond.contains("3 records"), "{beyond}");
    }
}
