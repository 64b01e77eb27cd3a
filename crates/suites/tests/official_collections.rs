//! The readers of official retrieval data: queries, the documents that they search, and scores by the official metrics.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod files;

use std::collections::BTreeMap;

use files::Files;
use longboard_suites::collection::{self, Entry, Names, Stock};
use longboard_suites::dataset::{Dataset, Folder, NoFolder, Record, Subset};
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::retrieval::{Content, Judged, Rankings, queries};
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use serde_json::{Value, json};

/// What an import finds.
#[derive(Debug)]
struct Found {
    documents: BTreeMap<String, String>,
    records: Vec<Record>,
}

struct Reader {
    dataset: &'static dyn Dataset,
    subset: &'static Subset,
    task: Task,
}

impl Reader {
    fn new(family: &str, file: &str) -> Self {
        let dataset = families::find(family).unwrap().dataset().unwrap();
        let subset = dataset.subset_of(file).unwrap_or_else(|| panic!("{file}"));
        let definition = TaskDefinition::generated(family, "data", "data", dataset.params(subset));
        let task = Task::new(TaskDefinition { data: Some("00".to_owned()), ..definition }).unwrap();
        Self { dataset, subset, task }
    }

    /// Reads the collection and then the queries, as an import does.
    fn read(&self, lines: &[Value], folder: &dyn Folder) -> Result<Found, String> {
        let collection = self.dataset.collection().unwrap();
        let (mut names, mut documents) = (Names::new(collection), BTreeMap::new());
        for path in collection.files(self.subset, folder).map_err(|error| error.to_string())? {
            for line in folder.text(&path).map_err(|error| error.to_string())?.lines() {
                for entry in collection.read(self.subset, line, folder).map_err(|error| error.to_string())? {
                    names.add(&entry).map_err(|error| error.to_string())?;
                    if let Entry::Document(document) = entry {
                        let Content::Text(text) = document.content else { panic!("{} is no text", document.id) };
                        documents.insert(document.id, text);
                    }
                }
            }
        }
        let mut records = Vec::new();
        for (number, line) in (1..).zip(lines) {
            let read = self.dataset.read_beside(self.subset, number, &line.to_string(), folder);
            for record in read.map_err(|error| error.to_string())? {
                if let Some(mut record) = names.settled(record).map_err(|error| error.to_string())? {
                    let shown = documents.get(&collection::shown(&record).unwrap());
                    record.document.clone_from(shown.unwrap());
                    records.push(record);
                }
            }
        }
        Ok(Found { documents, records })
    }

    fn item(&self, record: &Record) -> Item {
        let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(1024).unwrap()) };
        let item = self.task.item(&request).unwrap();
        assert_eq!(item.prompt_tokens, tokens::count(&item.joined()), "{}", item.id);
        assert!(item.prompt_tokens <= 1024);
        item
    }

    /// Score and what was measured, of one ranking for each query.
    fn score(&self, item: &Item, orders: &[&[&str]]) -> (f64, String) {
        let mut rankings = Rankings::default();
        for order in orders {
            let falling = (0_u8..).map(|place| -f32::from(place));
            rankings.push(order.iter().map(|name| (*name).to_owned()).zip(falling).collect());
        }
        let scored = self.task.score(item, &rankings.write());
        assert!(scored.well_formed, "{}", scored.extracted);
        (scored.score, scored.extracted)
    }
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| row.to_string() + "\n").collect()
}

const FERRY: &str = "The miller Brun sold the ferry to Orla.";
const SALT: &str = "In that winter the salt ran out at Arva.";

#[test]
fn a_real_set_of_longembed_is_scored_by_ndcg_at_10() {
    let corpus = lines(&[
        json!({"doc_id": "m1", "text": FERRY.repeat(200)}),
        json!({"doc_id": "m2", "text": SALT}),
        json!({"doc_id": "m3", "text": "It rained."}),
    ]);
    let qrels = lines(&[json!({"qid": "q1", "doc_id": "m1"}), json!({"qid": 2, "doc_id": "m2"})]);
    let folder = Files::new("queries.jsonl", [("corpus.jsonl", corpus), ("qrels.jsonl", qrels)]);
    let reader = Reader::new("longembed", "LongEmbed/qmsum/queries.jsonl");
    let rows = [json!({"qid": "q1", "text": "Who sold the ferry?"}), json!({"qid": 2, "text": "What ran out?"})];
    let found = reader.read(&rows, &folder).unwrap();
    assert_eq!((found.documents.len(), found.records.len()), (3, 2));
    let item = reader.item(&found.records[0]);
    assert_eq!((item.references.as_slice(), Judged::of(&item).documents), (["m1".to_owned()].as_slice(), 3));
    assert_eq!(Stock::of(&found.records[0]), Stock::Whole(3));
    assert!(item.cut.unwrap().tokens_removed > 500, "the document is cut on the right");
    assert_eq!(reader.score(&item, &[&["m1", "m2"]]).0, 1.0);
    let second = reader.score(&item, &[&["m2", "m1", "m3"]]).0;
    assert!((second - 1.0 / 3_f64.log2()).abs() < 1e-12, "{second}");
    let chance = reader.task.family().chance(&reader.task, &item);
    let expected = (1.0 + 1.0 / 3_f64.log2() + 0.5) / 3.0;
    assert!((chance - expected).abs() < 1e-12, "{chance} and {expected}");

    let refused = |rows: &[Value]| reader.read(rows, &folder).unwrap_err();
    assert!(refused(&[json!({"qid": "q9", "text": "Why?"})]).contains("query q9 has no relevant document"));
    assert!(refused(&[json!({"text": "Why?"})]).starts_with("qid: missing"));
    assert!(refused(&[json!({"qid": "q1", "text": " "})]).starts_with("query: empty"));
    let with = |corpus: &[Value], qrels: &[Value]| {
        let folder = Files::new("queries.jsonl", [("corpus.jsonl", lines(corpus)), ("qrels.jsonl", lines(qrels))]);
        reader.read(&rows[..1], &folder).unwrap_err()
    };
    let (one, judged) = (json!({"doc_id": "m1", "text": "x"}), json!({"qid": "q1", "doc_id": "m1"}));
    let twice = with(&[one.clone(), json!({"doc_id": "m1", "text": "y"})], std::slice::from_ref(&judged));
    assert!(twice.contains("names two documents"), "{twice}");
    assert!(with(&[json!({"doc_id": "m1"})], std::slice::from_ref(&judged)).starts_with("text: missing"));
    let unknown = with(std::slice::from_ref(&one), &[json!({"qid": "q1", "doc_id": "m7"})]);
    assert!(unknown.contains("query q1 names document `m7`"), "{unknown}");
    assert!(with(std::slice::from_ref(&one), &[json!({"doc_id": "m1"})]).contains("line 1: `qid` is no name"));
    assert!(with(&[json!({"doc_id": "a\nb", "text": "x"})], &[judged]).starts_with("doc_id: expected a name"));
    assert!(reader.read(&rows, &NoFolder).unwrap_err().starts_with("corpus.jsonl:"));
    assert!(
        reader.dataset.subset_of("queries.jsonl").is_none() && reader.dataset.subset_of("qmsum/corpus.jsonl").is_none()
    );
}

#[test]
fn locov1_leaves_out_null_passages_other_tasks_and_the_query_itself() {
    let document =
        |pid: &str, passage: Value, dataset: &str| json!({"pid": pid, "passage": passage, "dataset": dataset});
    let documents = lines(&[
        document("Passage_0", json!(FERRY), "qasper_title"),
        document("Passage_1", Value::Null, "qasper_title"),
        document("Query_0", json!("On ferries"), "qasper_title"),
        document("Passage_0", json!("of another task"), "qmsum"),
    ]);
    let folder = Files::new("queries.jsonl", [("documents.jsonl", documents)]);
    let reader = Reader::new("locov1", "qasper_title/queries.jsonl");
    let query = |qid: &str, pid: &str, dataset: &str| json!({"qid": qid, "query": "On ferries", "answer_pids": [pid], "dataset": dataset});
    let rows = [
        query("Query_0", "Passage_0", "qasper_title"),
        query("Query_1", "Passage_1", "qasper_title"),
        query("Query_0", "x", "qmsum"),
    ];
    let found = reader.read(&rows, &folder).unwrap();
    assert_eq!((found.documents.len(), found.records.len()), (2, 1), "{found:?}");
    let item = reader.item(&found.records[0]);
    assert_eq!(reader.score(&item, &[&["Query_0", "Passage_0"]]).0, 1.0, "a query does not find itself");
    let unknown = reader.read(&[query("Query_0", "Passage_7", "qasper_title")], &folder).unwrap_err();
    assert!(unknown.contains("`Passage_7`"), "{unknown}");
    let wrong = json!({"qid": "Query_0", "query": "x", "answer_pids": [3.5], "dataset": "qasper_title"});
    assert!(reader.read(&[wrong], &folder).unwrap_err().starts_with("answer_pids: expected a list"));
}

#[test]
fn followir_pairs_queries_and_measures_what_moved() {
    let corpus: Vec<Value> =
        ["a", "b", "c", "d"].iter().map(|id| json!({"_id": id, "title": "Ferry", "text": id.repeat(4)})).collect();
    let row =
        |query: &str, document: &str, score: u32| json!({"query-id": query, "corpus-id": document, "score": score});
    let qrels = lines(&[
        row("301-og", "a", 1),
        row("301-og", "b", 2),
        row("301-og", "c", 0),
        row("301-changed", "a", 0),
        row("301-changed", "b", 2),
    ]);
    let ranked = |query: &str| json!({"query-id": query, "corpus-ids": ["a", "b", "c"]});
    let told = |query: &str, text: &str| json!({"query-id": query, "instruction": text});
    let rows = [json!({"_id": "301-og", "text": "ferries"}), json!({"_id": "301-changed", "text": "ferries"})];
    let instructions = lines(&[told("301-og", "Any will do."), told("301-changed", "No ferry of Arva.")]);
    let beside = |ranked: Vec<Value>, qrels: String| {
        Files::new(
            "queries.jsonl",
            [
                ("corpus.jsonl", lines(&corpus)),
                ("queries.jsonl", lines(&rows)),
                ("instruction.jsonl", instructions.clone()),
                ("qrels.jsonl", qrels),
                ("top_ranked.jsonl", lines(&ranked)),
            ],
        )
    };
    let folder = beside(vec![ranked("301-og"), ranked("301-changed")], qrels.clone());
    let reader = Reader::new("followir", "robust04-instructions-mteb/queries.jsonl");
    let found = reader.read(&rows, &folder).unwrap();
    let [record] = found.records.as_slice() else { panic!("{found:?}") };
    assert_eq!(Stock::of(record), Stock::Named(["a", "b", "c"].map(str::to_owned).to_vec()));
    let item = reader.item(record);
    assert_eq!(queries(&item).collect::<Vec<_>>(), ["ferries Any will do.", "ferries No ferry of Arva."]);
    assert_eq!(item.references, ["a"], "what the change excludes");
    let (kept, said) = reader.score(&item, &[&["a", "b", "c"], &["a", "b", "c"]]);
    assert!(
        kept == 0.5 && said.starts_with("p-MRR 0.00; MAP@1000 of the original instruction 1.0000"),
        "{kept}: {said}"
    );
    let (moved, said) = reader.score(&item, &[&["a", "b", "c"], &["b", "c", "a"]]);
    assert!((moved - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12 && said.starts_with("p-MRR 66.67"), "{moved}: {said}");
    let oracle = reader.task.score(&item, &reader.task.family().oracle(&reader.task, &item));
    assert!((oracle.strict.unwrap() - 1.0).abs() < 1e-9, "{oracle:?}");

    let refused = |folder: &Files| reader.read(&rows, folder).unwrap_err();
    assert!(refused(&beside(vec![ranked("301-og")], qrels.clone())).contains("query 301-changed ranks nothing"));
    let elsewhere = json!({"query-id": "301-og", "corpus-ids": ["z"]});
    assert!(refused(&beside(vec![elsewhere, ranked("301-changed")], qrels)).starts_with("top_ranked: query 301"));
    let bad = lines(&[row("301-og", "a", 101)]);
    assert!(refused(&beside(vec![], bad)).contains("`score` is no grade"));
    let odd = reader.read(&[json!({"_id": "301", "text": "x"})], &folder).unwrap_err();
    assert!(odd.contains("ends with neither"), "{odd}");
}

#[test]
fn a_function_is_searched_without_its_doc_comment() {
    let code = |url: &str, code: &str| json!({"url": url, "code": code, "docstring": "Counts the\n    sacks.", "docstring_tokens": ["Counts", "the", "sacks", "."]});
    let own = "def f(rows):\n    \"\"\"Counts the\n    sacks.\"\"\"\n    return len(rows)\n";
    let base = lines(&[
        code("u/1#L1-L2", own),
        code("u/2", "def g(): pass"),
        code("u/3", own),
        code("u/1#L1-L2", own),
        code("u/4", "Counts the sacks."),
    ]);
    let folder = Files::new("test.jsonl", [("codebase.jsonl", base)]);
    let reader = Reader::new("sea_codesearch", "python/test.jsonl");
    let query = |url: &str| json!({"url": url, "docstring_tokens": ["Counts", "the", "sacks", "."]});
    let found = reader.read(&[query("u/1#L1-L2"), query("u/1#L1-L2")], &folder).unwrap();
    assert_eq!(
        found.documents.keys().collect::<Vec<_>>(),
        ["u/1#L1-L2", "u/2", "u/3"],
        "what is nothing but a comment is left out"
    );
    assert!(found.documents.values().all(|code| !code.contains("sacks")), "{found:?}");
    assert_eq!(
        found.records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(),
        ["1:u/1#L1-L2", "2:u/1#L1-L2"]
    );
    let item = reader.item(&found.records[0]);
    assert_eq!(item.references, ["u/1#L1-L2", "u/3"], "the best of the copies counts");
    let (score, said) = reader.score(&item, &[&["u/2", "u/3", "u/1#L1-L2"]]);
    assert!(score == 0.5 && said.starts_with("R@1 0; R@5 1; R@10 1"), "{score}: {said}");
    assert_eq!(reader.task.retrieval().unwrap().depth(), 3000);
    assert!(reader.read(&[query("u/9")], &folder).unwrap_err().contains("`u/9`"));
}

#[test]
fn the_best_article_of_a_statute_is_named() {
    let article = |id: &str, sentences: &[&str]| json!({"id": id, "sentences": sentences});
    let articles = lines(&[article("5", &[FERRY, SALT]), article("6", &[SALT]), article("7", &["Deleted."])]);
    let folder = Files::new("queries.jsonl", [("articles.jsonl", articles)]);
    let reader = Reader::new("coliee_legal", "coliee_en/queries.jsonl");
    let found =
        reader.read(&[json!({"id": "H18-1-1", "content": "Brun may sell.", "result": ["5", "6"]})], &folder).unwrap();
    assert_eq!(found.documents["5"], format!("{FERRY}\n{SALT}"));
    let item = reader.item(&found.records[0]);
    let (score, said) = reader.score(&item, &[&["6", "5", "7"]]);
    assert!((score - 5.0 / 9.0).abs() < 1e-12, "one of two articles: {score}");
    assert!(said.starts_with("P 1.0000; R 0.5000; recall@5 1.0000"), "{said}");
    assert_eq!(reader.score(&item, &[&["7", "5", "6"]]).0, 0.0);
    let none = reader.read(&[json!({"id": "1", "content": "x", "result": []})], &folder).unwrap_err();
    assert!(none.contains("names no article"), "{none}");
}

#[test]
fn captions_and_pictures_find_each_other() {
    let captions = [
        ("caption/1.txt", "A street in rain. A red kite hangs in a tree.\nsecond line"),
        ("caption/2.txt", "A bridge."),
    ];
    let jpeg = "\u{0}".to_owned();
    let folder = Files::new("", captions.map(|(path, text)| (path, text.to_owned())));
    let late = families::find("long_clip").unwrap().dataset().unwrap();
    assert_eq!(late.listing(), Some("caption"));
    let subset = &late.subsets()[0];
    let [record] = late.read_beside(subset, 1, "1.txt", &folder).unwrap().try_into().unwrap();
    assert_eq!((record.id.as_str(), record.question.as_str()), ("1", "A red kite hangs in a tree."));
    let entries = late.collection().unwrap().read(subset, "1.txt", &folder).unwrap();
    let [Entry::Document(document)] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(document.content, Content::Text("A street in rain. A red kite hangs in a tree.".to_owned()));

    let pictures = families::find("long_clip_pictures").unwrap().dataset().unwrap();
    let [by_caption, by_picture] = pictures.subsets() else { panic!("two ways") };
    let missing = pictures.collection().unwrap().read(by_caption, "1.txt", &folder).unwrap_err().to_string();
    assert!(missing.starts_with("image/1.jpg:"), "{missing}");
    let with = Files::new("", [("caption/1.txt", "A street.".to_owned()), ("image/1.jpg", jpeg)]);
    let wrong = pictures.collection().unwrap().read(by_caption, "1.txt", &with).unwrap_err().to_string();
    assert_eq!(wrong, "image: the picture of 1 is neither PNG nor JPEG");
    let [record] = pictures.read_beside(by_picture, 1, "1.txt", &with).unwrap().try_into().unwrap();
    assert_eq!((record.question.as_str(), &record.gold["asides"]), ("The picture 1.", &json!(["picture 1"])));
    for bad in ["../1.txt", "1.jpg", ".txt", "3.txt"] {
        assert!(pictures.read_beside(by_caption, 1, bad, &with).is_err(), "{bad}");
    }
}
