//! Official retrieval data: collections of documents are stored with their queries, and given out to who holds the lease.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use longboard_app::data_file::DatasetError;
use longboard_app::dataset::DatasetReport;
use longboard_app::endpoint::Registration;
use longboard_app::fleet::FleetMember;
use longboard_app::run::RunRequest;
use longboard_app::store::{EndpointCall, StoreError};
use longboard_app::team::Member;
use longboard_app::{AppError, Longboard};
use longboard_protocol::worker::{
    Answer, AnswersRequest, ClaimRequest, CollectedPart, Completion, DocumentsRequest, Exchange, Picked, RunWork,
    ShardLease, Work,
};
use longboard_suites::collection::Stock;
use longboard_suites::dataset::Record;
use longboard_suites::length::Length;
use longboard_suites::retrieval::{Content, Rankings};
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use longboard_testkit::database::TestDatabase;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use stage::{alpha, enlist, longboard, now, registration, report};

/// A folder in which data sets stand.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, path: &str, rows: &[Value]) -> PathBuf {
        let file = self.0.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).unwrap();
        file
    }

    /// A small set in LongEmbed's form; its first document is longer than any window here.
    fn longembed(&self) -> PathBuf {
        let long = "The miller Brun sold the ferry to Orla. ".repeat(900);
        let document = |id: &str, text: &str| json!({"doc_id": id, "text": text});
        self.write(
            "qmsum/corpus.jsonl",
            &[document("m/1", &long), document("m2", "Salt ran out."), document("m3", "It rained.")],
        );
        self.write("qmsum/qrels.jsonl", &[json!({"qid": "q1", "doc_id": "m/1"}), json!({"qid": "q2", "doc_id": "m2"})]);
        self.write(
            "qmsum/queries.jsonl",
            &[json!({"qid": "q1", "text": "Who sold the ferry?"}), json!({"qid": "q2", "text": "What ran out?"})],
        )
    }
}

async fn import(
    longboard: &Longboard,
    family: &str,
    subset: Option<&str>,
    path: &Path,
) -> Result<DatasetReport, DatasetError> {
    longboard.import_dataset("operator", (family, subset), path, Arc::new(|_| ()), now()).await
}

fn claim() -> ClaimRequest {
    ClaimRequest { labels: Vec::new(), wait_ms: 0, version: "test".to_owned() }
}

/// A site with a probed embedder of a team, and a worker.
async fn ready(database: &TestDatabase) -> (Longboard, Member, FleetMember) {
    let longboard = longboard(database).await;
    let user = longboard.sign_up(alpha(), "127.0.0.1", [1; 32], now()).await.unwrap();
    longboard.create_team(&user, "Alpha", now()).await.unwrap();
    let member = longboard.member(&user, "alpha").await.unwrap();
    let worker = enlist(&longboard, "one", 2).await;
    let embedder = Registration { api: EndpointCall::Embeddings, ..registration("M", "http://127.0.0.1:9/v1") };
    longboard.register_endpoint(&member, embedder, [9; 32], now()).await.unwrap();
    let probe = longboard.claim(&worker, claim(), Utc::now).await.unwrap().unwrap();
    longboard.record_probe(&worker, probe.shard, probe.fence, report(), now()).await.unwrap();
    (longboard, member, worker)
}

fn work(lease: &ShardLease) -> &RunWork {
    let Work::Run(work) = &lease.work else { panic!("{:?}", lease.work) };
    work
}

/// Answers with the relevant document first for the first query of the file, and last for the other.
fn answers(work: &RunWork) -> Vec<Answer> {
    let data = work.task.data.as_ref().unwrap();
    let definition = TaskDefinition {
        slug: work.task.slug.clone(),
        version: work.task.version,
        title: work.task.title.clone(),
        family: work.task.family.clone(),
        params: work.task.params.clone(),
        data: Some(data.sha256.clone()),
    };
    let task = Task::new(definition).unwrap();
    let answer = |row: &longboard_protocol::worker::DataRecord| {
        let record = Record::deserialize(&row.record).unwrap();
        assert_eq!(Stock::of(&record), Stock::Whole(3));
        let record = Record { document: data.documents[row.document as usize].clone(), ..record };
        let length = Length::new(work.length_tokens).unwrap();
        let item = task.item(&ItemRequest { record: Some(&record), ..ItemRequest::new(work.seed, row.index, length) });
        let item = item.unwrap();
        let mut rankings = Rankings::default();
        let scores = if record.id == "q1" { [3.0, 2.0, 1.0] } else { [3.0, 1.0, 2.0] };
        rankings.push(["m/1", "m2", "m3"].map(str::to_owned).into_iter().zip(scores).collect());
        Answer {
            index: row.index,
            repetition: 0,
            prompt_digest: item.prompt_digest(),
            prompt_tokens: item.prompt_tokens,
            result: Exchange::Completed(Completion { text: rankings.write(), attempts: 1, ..Completion::default() }),
        }
    };
    data.records.iter().map(answer).collect()
}

#[tokio::test]
async fn a_collection_is_searched_by_who_holds_the_lease() {
    for database in TestDatabase::each() {
        let (longboard, member, worker) = ready(&database).await;
        let files = Files::new();
        let path = files.longembed();
        let imported = import(&longboard, "longembed", None, &path).await.unwrap();
        assert_eq!((imported.task.as_str(), imported.records, imported.beside), ("longembed_qmsum_data", 2, 2));
        assert!(!import(&longboard, "longembed", None, &path).await.unwrap().stored, "the same bytes are the same set");

        let request = RunRequest {
            endpoint: "m".to_owned(),
            suite: "longembed-data".to_owned(),
            lengths: Some(vec!["4k".parse().unwrap()]),
            samples: Some(50),
            budget_tokens: None,
            strategy: None,
        };
        let run = longboard.submit_run(&member, request, now()).await.unwrap();
        let lease = longboard.claim(&worker, claim(), Utc::now).await.unwrap().unwrap();
        let asked = |fence: u32, picked: Picked| {
            longboard.shard_documents(&worker, lease.shard, DocumentsRequest { fence, picked })
        };
        let all = asked(lease.fence, Picked::From { first: 0, count: 9 }).await.unwrap().documents;
        assert_eq!(all.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), ["m/1", "m2", "m3"]);
        assert!(matches!(&all[0].part, CollectedPart::Text(text) if text.len() > 30_000), "documents are sent uncut");
        let names = vec!["m3".to_owned(), "m2".to_owned()];
        let named = asked(lease.fence, Picked::Named { names: names.clone() }).await.unwrap().documents;
        assert_eq!(named.iter().map(|document| document.id.clone()).collect::<Vec<_>>(), names);
        let unknown = asked(lease.fence, Picked::Named { names: vec!["m9".to_owned()] }).await.unwrap_err();
        assert!(matches!(unknown, AppError::Store(StoreError::NotFound(_))), "{unknown}");
        let stale = asked(lease.fence + 1, Picked::From { first: 0, count: 1 }).await.unwrap_err();
        assert!(matches!(stale, AppError::Store(StoreError::LeaseLost)), "{stale}");

        let posted = AnswersRequest { fence: lease.fence, answers: answers(work(&lease)) };
        let reply = longboard.record_answers(&worker, lease.shard, posted, now()).await.unwrap();
        assert_eq!(reply.stored, 2, "{} {:?}", database.kind, reply.refused);
        let run = longboard.run(run.id).await.unwrap();
        let mut scores = Vec::new();
        for number in [1, 2] {
            scores.push(longboard.answer(&run, number).await.unwrap().score.unwrap());
        }
        scores.sort_by(f64::total_cmp);
        assert_eq!(scores, [1.0 / 4_f64.log2(), 1.0], "nDCG of the third and of the first place");
        let found = longboard.searched(run.id, 1, "m/1").await.unwrap().unwrap();
        let Content::Text(text) = found.content else { panic!("no text") };
        assert_eq!(tokens::count(&text), 4096, "as it was searched");
        assert_eq!(longboard.searched(run.id, 1, "m9").await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_collection_is_named_by_file_and_line() {
    let database = TestDatabase::sqlite();
    let longboard = longboard(&database).await;
    let files = Files::new();
    let path = files.longembed();
    let refused = async |files: &Files, corpus: &[Value], queries: &[Value]| {
        if !corpus.is_empty() {
            files.write("qmsum/corpus.jsonl", corpus);
        }
        if !queries.is_empty() {
            files.write("qmsum/queries.jsonl", queries);
        }
        let error = import(&longboard, "longembed", None, &path).await.unwrap_err();
        let DatasetError::BadLines { named, .. } = &error else { panic!("{error}") };
        (named[0].line, named[0].reason.clone())
    };
    let document = |id: &str, text: Value| json!({"doc_id": id, "text": text});
    let query = |id: &str| json!({"qid": id, "text": "Why?"});
    let (line, reason) = refused(&files, &[document("m/1", json!("x")), document("m/1", json!("y"))], &[]).await;
    assert_eq!((line, reason.as_str()), (2, "corpus.jsonl: id: `m/1` names two documents"));
    let (line, reason) = refused(&files, &[document("m/1", json!(7))], &[]).await;
    assert_eq!((line, reason.as_str()), (1, "corpus.jsonl: text: expected a text or null"));
    let (line, reason) = refused(&files, &[document("m/1", json!("x"))], &[]).await;
    assert_eq!(line, 2);
    assert!(reason.starts_with("qrels: query q2 names document `m2`"), "{reason}");
    let (line, reason) = refused(&files, &[], &[query("q1"), query("q1")]).await;
    assert_eq!((line, reason.as_str()), (2, "id: query q1 stands twice"));
    assert!(longboard.store().datasets().await.unwrap().is_empty(), "nothing is stored");
    std::fs::remove_file(files.0.path().join("qmsum/corpus.jsonl")).unwrap();
    let error = import(&longboard, "longembed", None, &path).await.unwrap_err().to_string();
    assert!(error.contains("cannot open corpus.jsonl"), "{error}");
}

#[tokio::test]
async fn files_that_hold_several_sets_are_each_a_set_of_its_own() {
    let database = TestDatabase::sqlite();
    let longboard = longboard(&database).await;
    let files = Files::new();
    let document = |set: &str, passage: Value| json!({"pid": format!("P-{set}"), "passage": passage, "dataset": set});
    let query = |set: &str| json!({"qid": format!("Q-{set}"), "query": "Why?", "answer_pids": [format!("P-{set}")], "dataset": set});
    files.write("documents.jsonl", &[document("qmsum", json!("x")), document("stackoverflow", json!("x"))]);
    let path = files.write("queries.jsonl", &[query("qmsum"), query("stackoverflow")]);
    let first = import(&longboard, "locov1", Some("qmsum"), &path).await.unwrap();
    let second = import(&longboard, "locov1", Some("stackoverflow"), &path).await.unwrap();
    assert!(first.stored && second.stored && first.sha256 != second.sha256);
    for report in [&first, &second] {
        assert_eq!((report.records, report.skipped), (1, 1), "{}", report.task);
    }
    let error = import(&longboard, "locov1", None, &path).await.unwrap_err().to_string();
    assert!(error.contains("--subset") && error.contains("courtlistener_HTML"), "{error}");
}
