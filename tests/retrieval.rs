//! Rankings and strategies, from the endpoint over the fleet to the board.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use longboard_app::suites::item::Item;
use longboard_app::suites::length::Length;
use longboard_app::suites::retrieval::{Content, queries};
use longboard_app::suites::task::{ItemRequest, Task};
use longboard_scenarios::stage::{Stage, baseline, ranker};
use longboard_testkit::database::TestDatabase;
use longboard_testkit::fake_endpoint::{FakeEndpoint, document};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The season seed of a new instance.
const SEED: u64 = 2026;

fn run(team: &longboard_scenarios::stage::Caller<'_>, body: &Value) -> String {
    team.post("/api/v1/runs", body)["id"].as_str().unwrap().to_owned()
}

#[test]
fn rankers_fill_the_embedding_board_and_a_sample_shows_what_was_found() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let _site = stage.serve();
        let _worker = stage.work(&stage.worker_token("one"));
        let team = stage.sign_up("alpha");
        let (_bm25, lexical) = ranker("bm25");
        let (_ngrams, hashed) = ranker("hashed-ngrams");
        team.register_as("the bm25", &lexical, "rerank");
        team.register_as("the ngrams", &hashed, "embeddings");
        let asked = |endpoint: &str, strategy: Option<&str>| json!({"endpoint": endpoint, "suite": "embedding", "lengths": ["256", "1k"], "samples": 6, "strategy": strategy});
        let runs = [
            run(&team, &asked("the-bm25", None)),
            run(&team, &asked("the-ngrams", None)),
            run(&team, &asked("the-ngrams", Some("first-512"))),
        ];
        for run in &runs {
            let ended = stage.follow(run, |progress| progress["state"] != "open");
            assert_eq!(ended["state"], "done", "{} {ended}", stage.kind());
        }
        let samples = stage.json(&format!("/api/v1/runs/{}/samples", runs[0]));
        let sample = stage.json(&format!("/runs/{}/samples/{}.json", runs[0], samples["samples"][0]["number"]));
        assert_eq!((sample["outcome"].as_str(), sample["score"].as_f64()), (Some("correct"), Some(100.0)), "{sample}");
        assert!(
            sample["metered"]["calls"] == 1 && sample["metered"]["prompt_tokens"].as_u64() > Some(1000),
            "{sample}"
        );
        let best = sample["references"][0].as_str().unwrap();
        let path = format!("/runs/{}/samples/{}", runs[0], sample["number"]);
        let page = stage.get(&path).text().unwrap();
        assert!(page.contains("Ranking") && page.contains(&format!("{path}/documents/{best}")), "{page}");
        let found = stage.get(&format!("{path}/documents/{best}"));
        assert_eq!(found.status(), 200);
        assert!(found.text().unwrap().contains("passkey"));
        assert_eq!(stage.get(&format!("{path}/documents/d9999")).status(), 404);

        let strategies = stage.json("/strategies.json?suite=embedding");
        let rows = strategies["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 4, "{strategies}");
        for row in rows {
            assert_eq!((row["strategy"].as_str(), row["plain"].as_str()), (Some("first-512"), Some("the-ngrams")));
            assert_eq!(row["gain"]["paired"], true, "{row}");
            let cut = row["cost"]["sent_tokens"].as_f64() < row["plain_cost"]["sent_tokens"].as_f64();
            assert_eq!(cut, row["length"] == "1k", "only the longer documents lose something: {row}");
        }
        assert!(stage.get("/strategies").text().unwrap().contains("the-ngrams-first-512"));
    }
}

/// A folder in LongEmbed's form; what each document tells is behind its first 600 words.
fn longembed(folder: &Path) {
    let told = ["the ferry sank at Arva", "the salt ran out at Kelford", "the mill burnt at Orford"];
    let filler = "and so the road went on ".repeat(120);
    let lines = |rows: Vec<Value>| rows.iter().map(|row| row.to_string() + "\n").collect::<String>();
    let corpus = told
        .iter()
        .zip(1..)
        .map(|(told, number)| json!({"doc_id": format!("meeting/{number}"), "text": format!("{filler}{told}")}));
    let queries = told
        .iter()
        .zip(1..)
        .map(|(told, number)| json!({"qid": format!("q{number}"), "text": format!("When {told}?")}));
    let qrels =
        (1..=told.len()).map(|number| json!({"qid": format!("q{number}"), "doc_id": format!("meeting/{number}")}));
    for (name, text) in
        [("corpus", lines(corpus.collect())), ("queries", lines(queries.collect())), ("qrels", lines(qrels.collect()))]
    {
        std::fs::write(folder.join(format!("{name}.jsonl")), text).unwrap();
    }
}

#[test]
fn an_official_set_is_imported_searched_and_shown() {
    for database in TestDatabase::each() {
        let stage = Stage::new(database);
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("qmsum");
        std::fs::create_dir(&set).unwrap();
        longembed(&set);
        let output = stage.longboard().args(["import", "dataset", "longembed"]).arg(&set).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("3 records as task longembed_qmsum_data"), "{said}");
        assert!(said.contains("with 2 files that stand beside it"), "{said}");

        let _site = stage.serve();
        let _worker = stage.work(&stage.worker_token("one"));
        let team = stage.sign_up("alpha");
        let (_bm25, lexical) = ranker("bm25");
        let (_ngrams, hashed) = ranker("hashed-ngrams");
        team.register_as("the bm25", &lexical, "rerank");
        team.register_as("the ngrams", &hashed, "embeddings");
        let asked = |endpoint: &str, strategy: Option<&str>| json!({"endpoint": endpoint, "suite": "longembed-data", "lengths": ["4k"], "samples": 3, "strategy": strategy});
        let strategies = ["first-512", "sea", "paraformer", "paraformer alpha=1"];
        let done = |endpoint: &str, strategy: Option<&str>| {
            let run = run(&team, &asked(endpoint, strategy));
            let ended = stage.follow(&run, |progress| progress["state"] != "open");
            assert_eq!(ended["state"], "done", "{} {ended}", stage.kind());
            run
        };
        let plain = [done("the-bm25", None), done("the-ngrams", None)];
        let under = strategies.map(|strategy| done("the-ngrams", Some(strategy)));
        let scores = |run: &str| {
            let samples = stage.json(&format!("/api/v1/runs/{run}/samples"));
            let samples = samples["samples"].as_array().unwrap().clone();
            samples.iter().map(|sample| sample["score"].as_f64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(scores(&plain[0]), [100.0; 3], "{}", stage.kind());
        assert_eq!(scores(&under[2]), [100.0; 3], "BM25 weighs most");
        assert!(scores(&under[0]).iter().sum::<f64>() < 300.0, "what is told stands behind 512 tokens");

        let samples = stage.json(&format!("/api/v1/runs/{}/samples", plain[0]));
        let path = format!("/runs/{}/samples/{}", plain[0], samples["samples"][0]["number"]);
        let sample = stage.json(&format!("{path}.json"));
        let best = sample["references"][0].as_str().unwrap().replace('/', "%2F");
        let page = stage.get(&path).text().unwrap();
        assert!(page.contains(&format!("{path}/documents/{best}")), "{page}");
        let document = stage.get(&format!("{path}/documents/{best}"));
        assert_eq!(document.status(), 200);
        assert!(document.text().unwrap().contains("and so the road went on"));
        assert_eq!(stage.get(&format!("{path}/documents/meeting%2F9")).status(), 404);

        let report = stage.json("/strategies.json?suite=longembed-data");
        let rows = report["rows"].as_array().unwrap();
        for strategy in strategies {
            assert!(
                rows.iter().any(|row| row["strategy"] == strategy && row["gain"]["paired"] == true),
                "{strategy}: {report}"
            );
        }
        let page = stage.get("/strategies").text().unwrap();
        assert!(page.contains("arXiv 2212.13899") && page.contains("arXiv 2208.11271"), "{page}");
    }
}

fn write(folder: &Path, name: &str, rows: &[Value]) {
    std::fs::write(folder.join(name), rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).unwrap();
}

/// A folder in FollowIR's form: the changed instruction excludes the first of three documents of a pool.
fn followir(folder: &Path) {
    let corpus = [("a", "a ferry that sank"), ("b", "a ferry at Arva"), ("c", "salt"), ("d", "of no pool")];
    write(folder, "corpus.jsonl", &corpus.map(|(id, text)| json!({"_id": id, "title": "", "text": text})));
    let both = |row: &dyn Fn(&str) -> Value| [row("1-og"), row("1-changed")];
    write(folder, "queries.jsonl", &both(&|id| json!({"_id": id, "text": "ferry"})));
    let told = |id: &str| json!({"query-id": id, "instruction": if id == "1-og" { "that sank" } else { "at Arva" }});
    write(folder, "instruction.jsonl", &both(&told));
    write(folder, "top_ranked.jsonl", &both(&|id| json!({"query-id": id, "corpus-ids": ["a", "b", "c"]})));
    let judged = |id: &str, document: &str, score: u32| json!({"query-id": id, "corpus-id": document, "score": score});
    let rows =
        [judged("1-og", "a", 1), judged("1-og", "b", 1), judged("1-changed", "a", 0), judged("1-changed", "b", 1)];
    write(folder, "qrels.jsonl", &rows);
}

/// A folder in Urban-1k's form. A picture holds its caption behind the first bytes of a JPEG file.
fn urban(folder: &Path) {
    for part in ["caption", "image"] {
        std::fs::create_dir(folder.join(part)).unwrap();
    }
    for (name, caption) in [("1", "a street in rain"), ("2", "a bridge at night"), ("3", "two boats on a river")] {
        std::fs::write(folder.join(format!("caption/{name}.txt")), caption).unwrap();
        let picture = [b"\xff\xd8\xff".as_slice(), caption.as_bytes()].concat();
        std::fs::write(folder.join(format!("image/{name}.jpg")), picture).unwrap();
    }
}

#[test]
fn pools_and_pictures_of_official_sets_are_searched() {
    let runtime = Runtime::new().unwrap();
    let stage = Stage::new(TestDatabase::sqlite());
    let folder = tempfile::tempdir().unwrap();
    let (pools, pictures) = (folder.path().join("robust04-mteb"), folder.path().join("Urban1k"));
    std::fs::create_dir(&pools).unwrap();
    std::fs::create_dir(&pictures).unwrap();
    followir(&pools);
    urban(&pictures);
    let import = |family: &str, subset: &[&str], path: &Path| {
        let output = stage.longboard().args(["import", "dataset", family]).args(subset).arg(path).output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    };
    import("followir", &[], &pools);
    import("long_clip", &["--subset", "urban1k_last_sentence"], &pictures);
    for way in ["urban1k_caption_to_picture", "urban1k_picture_to_caption"] {
        import("long_clip_pictures", &["--subset", way], &pictures);
    }
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");
    let (_bm25, lexical) = ranker("bm25");
    team.register_as("the bm25", &lexical, "rerank");
    let server = embedder(&runtime, |inputs| {
        let text = |input: &Value| match input.as_str() {
            Some(text) => text.to_owned(),
            None => {
                let written = input["image"].as_str().unwrap().strip_prefix("data:image/jpeg;base64,").unwrap();
                String::from_utf8_lossy(&decoded(written)[3..]).into_owned()
            }
        };
        let row = |input: &Value| json!({"embedding": words(&format!("a {}", text(input)), usize::MAX)});
        json!({"data": inputs.iter().map(row).collect::<Vec<_>>()})
    });
    team.register_as("sees", &server.base_url, "embeddings");
    // The excluded document falls from the first to the second place: p-MRR 1/2, shown as 75. Where all words count alike it
    // falls to the third: 2/3.
    for (endpoint, suite, samples, expected) in [
        ("the-bm25", "followir-data", 1, 75.0),
        ("sees", "followir-data", 1, 100.0 * (1.0 + 2.0 / 3.0) / 2.0),
        ("the-bm25", "long-clip-data", 3, 100.0),
        ("sees", "long-clip-pictures-data", 3, 100.0),
    ] {
        let run = run(&team, &json!({"endpoint": endpoint, "suite": suite, "lengths": ["4k"], "samples": samples}));
        let ended = stage.follow(&run, |progress| progress["state"] != "open");
        assert_eq!(ended["state"], "done", "{suite}: {ended}");
        let found = stage.json(&format!("/api/v1/runs/{run}/samples"));
        for sample in found["samples"].as_array().unwrap() {
            let sample = stage.json(&format!("/runs/{run}/samples/{}.json", sample["number"]));
            let score = sample["score"].as_f64().unwrap();
            assert!((score - expected).abs() < 1e-9, "{endpoint} on {suite}: {sample}");
        }
        if suite == "long-clip-pictures-data" {
            let number = &found["samples"][0]["number"];
            let picture = stage.get(&format!("/runs/{run}/samples/{number}/documents/1"));
            assert_eq!(picture.headers()["content-type"], "image/jpeg");
        }
    }
}

#[test]
#[ignore = "hours of processor time: 1,600 documents of up to 32k tokens under each position strategy"]
fn our_encoder_fills_the_embedding_board_from_256_to_32k() {
    const STREAMS: usize = 400;
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");
    let names = ["bm25", "hashed-ngrams", "encoder-plain", "encoder-pcw", "encoder-ntk", "encoder-recurrent"];
    let _served = names.map(|name| {
        let (process, base_url) = ranker(name);
        team.register_as(name, &base_url, if name == "bm25" { "rerank" } else { "embeddings" });
        let ended =
            stage.follow_over(STREAMS, &team.submit_all(name, "embedding"), |progress| progress["state"] != "open");
        assert_eq!(ended["state"], "done", "{name} {ended}");
        process
    });
    let board = stage.board("embedding", names.len());
    let score = |entry: &str, length: &str| {
        let rows = board["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["entry"] == entry).unwrap();
        row["by_length"][length]["score"].as_f64().unwrap()
    };
    for length in ["256", "512", "1k", "2k", "4k", "8k", "16k", "32k"] {
        let scores = names.map(|name| format!("{name} {:.1}", score(name, length)));
        eprintln!("{length}: {}", scores.join(", "));
    }
    // What fits is read the same under every strategy, and beyond it the first 512 tokens alone find least.
    assert_eq!(score("encoder-plain", "256"), score("encoder-ntk", "256"));
    assert!(score("encoder-plain", "2k") < score("encoder-ntk", "2k"));
}

#[test]
fn what_cannot_rank_is_refused_and_so_is_what_cannot_answer() {
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let team = stage.sign_up("alpha");
    team.register_as("an embedder", "http://127.0.0.1:9/v1", "embeddings");
    team.register_as("a reranker", "http://127.0.0.1:9/v1", "rerank");
    team.register("a chat model", "http://127.0.0.1:9/v1");
    let refused = |endpoint: &str, suite: &str, strategy: &str, why: &str| {
        let body = json!({"endpoint": endpoint, "suite": suite, "strategy": strategy}).to_string();
        let (status, text) = stage.call("/api/v1/runs", team.token(), &body);
        assert!(status == 422 && text.contains(why), "{endpoint} on {suite} with {strategy}: {status} {text}");
    };
    refused("a-chat-model", "embedding", "", "takes an embedder or a reranker");
    refused("an-embedder", "quickstart", "", "choose a suite of retrieval tasks");
    refused("an-embedder", "embedding", "rag", "for embedders");
    refused("an-embedder", "embedding", "paraformer budget=3", "paraformer has no parameter `budget`; it has alpha");
    refused("an-embedder", "embedding", "paraformer alpha=3", "alpha of paraformer must be a number from 0 to 1");
    refused("a-reranker", "embedding", "first-512", "rerankers read documents as they are");
    refused("a-chat-model", "quickstart", "magic", "there is no strategy `magic`");
    refused("a-chat-model", "smoke", "rag", "no document apart from its question");
}

/// A server whose embeddings `script` makes of the number of inputs.
fn embedder(runtime: &Runtime, script: impl Fn(&[Value]) -> Value + Send + Sync + 'static) -> FakeEndpoint {
    runtime.block_on(FakeEndpoint::scripted(move |_, body| {
        let body: Value = serde_json::from_slice(body).unwrap();
        document(&script(body["input"].as_array().unwrap()).to_string())
    }))
}

/// What a server sends instead of so many vectors.
type Fault = fn(usize) -> Value;

/// Honest as long as it is asked for few texts, as a probe does.
fn turning(bad: Fault) -> impl Fn(&[Value]) -> Value {
    move |inputs| {
        if inputs.len() > 3 {
            return bad(inputs.len());
        }
        let vector = |input: &Value| {
            let text = input.as_str().unwrap_or_default();
            let tail: u32 = text.bytes().rev().take(40).map(u32::from).sum();
            json!({"embedding": [1.0, text.len() as f64, f64::from(tail)]})
        };
        json!({"data": inputs.iter().map(vector).collect::<Vec<_>>()})
    }
}

#[test]
fn a_hostile_embedder_gets_a_named_outcome() {
    let runtime = Runtime::new().unwrap();
    let faults: [(&str, Fault); 5] = [
        ("wrong_dimension", |count| {
            let row = |place: usize| json!({"embedding": vec![1.0; 2 + place % 2]});
            json!({"data": (0..count).map(row).collect::<Vec<_>>()})
        }),
        ("not_finite", |count| json!({"data": vec![json!({"embedding": [null]}); count]})),
        ("short_batch", |count| json!({"data": vec![json!({"embedding": [1.0]}); count - 1]})),
        ("wrong_order", |count| json!({"data": vec![json!({"index": 0, "embedding": [1.0]}); count]})),
        ("zero_vector", |count| json!({"data": vec![json!({"embedding": [0.0, 0.0]}); count]})),
    ];
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");
    for (cause, bad) in faults {
        let server = embedder(&runtime, turning(bad));
        let name = cause.replace('_', "-");
        team.register_as(&name, &server.base_url, "embeddings");
        let run = run(&team, &json!({"endpoint": name, "suite": "embedding", "lengths": ["256"], "samples": 2}));
        let ended = stage.follow(&run, |progress| progress["state"] != "open");
        assert_eq!(ended["state"], "done", "{cause}: {ended}");
        let samples = stage.json(&format!("/api/v1/runs/{run}/samples"));
        for sample in samples["samples"].as_array().unwrap() {
            assert_eq!(
                (sample["outcome"].as_str(), sample["cause"].as_str()),
                (Some("endpoint_error"), Some(cause)),
                "{sample}"
            );
        }
    }
}

/// Captions of all pictures of the first pool, by base64 of the picture.
fn captions(task: &str, length: &str) -> BTreeMap<String, String> {
    let task = Task::find(task).unwrap();
    let length: Length = length.parse().unwrap();
    let request = |index| ItemRequest::new(SEED, index, length);
    let retrieval = task.retrieval().unwrap();
    let pool = retrieval.pool(task, &request(0));
    let items: Vec<Item> = (0..pool.documents).map(|index| task.item(&request(index)).unwrap()).collect();
    let mut found = BTreeMap::new();
    for item in &items {
        let id = &item.references[0];
        let number: u32 = id.trim_start_matches('d').parse().unwrap();
        let Content::Picture(png) = retrieval.document(task, &request(0), pool.block, number).unwrap().content else {
            panic!("{id} is no picture");
        };
        found.insert(format!("data:image/png;base64,{}", base64(&png)), queries(item).next().unwrap().to_owned());
    }
    found
}

fn decoded(written: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(written).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Counts of hashed words of the first `window` words.
fn words(text: &str, window: usize) -> Vec<f64> {
    let mut vector = vec![0.0; 4096];
    let words: Vec<&str> = text.split_whitespace().take(window).collect();
    for (place, word) in words.iter().enumerate() {
        let before = place.checked_sub(1).map_or("", |before| words[before]);
        let first = place.checked_sub(2).map_or("", |before| words[before]);
        let hash = [first, before, word]
            .concat()
            .bytes()
            .fold(7_usize, |hash, byte| hash.wrapping_mul(31) ^ usize::from(byte));
        vector[hash % 4096] += 1.0;
    }
    vector
}

#[test]
fn an_embedder_of_pictures_fills_the_caption_board() {
    let runtime = Runtime::new().unwrap();
    let known = Arc::new(captions("caption_to_picture", "512"));
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");
    let mut servers = Vec::new();
    for (name, window) in [("reads all", usize::MAX), ("reads 60 words", 60)] {
        let known = Arc::clone(&known);
        let server = embedder(&runtime, move |inputs| {
            let text = |input: &Value| match input.as_str() {
                Some(text) => text.to_owned(),
                None => known.get(input["image"].as_str().unwrap()).cloned().unwrap_or_default(),
            };
            let row = |input: &Value| json!({"embedding": words(&format!("a {}", text(input)), window)});
            json!({"data": inputs.iter().map(row).collect::<Vec<_>>()})
        });
        team.register_as(name, &server.base_url, "embeddings");
        let body = json!({"endpoint": name.replace(' ', "-"), "suite": "captions", "lengths": ["512"], "samples": 6});
        let run = run(&team, &body);
        let ended = stage.follow(&run, |progress| progress["state"] != "open");
        assert_eq!(ended["state"], "done", "{name}: {ended}");
        let samples = stage.json(&format!("/api/v1/runs/{run}/samples"));
        let right = |task: &str| {
            let samples = samples["samples"].as_array().unwrap().iter().filter(|sample| sample["task"] == task);
            samples.filter(|sample| sample["outcome"] == "correct").count()
        };
        let found = right("caption_to_picture");
        assert!(if window == usize::MAX { found == 6 } else { found < 4 }, "{name}: {found} of 6; {samples}");
        let first = stage.json(&format!("/runs/{run}/samples/{}.json", samples["samples"][0]["number"]));
        let best = first["references"][0].as_str().unwrap();
        let path = format!("/runs/{run}/samples/{}/documents/{best}", first["number"]);
        let picture = stage.get(&path);
        assert_eq!(picture.headers()["content-type"], "image/png");
        servers.push(server);
    }
}

#[test]
fn strategies_around_a_reader_stand_beside_it_with_what_they_cost() {
    let stage = Stage::new(TestDatabase::sqlite());
    let _site = stage.serve();
    let _worker = stage.work(&stage.worker_token("one"));
    let team = stage.sign_up("alpha");
    let (_reader, base_url) = baseline("bm25-reader", 0);
    team.register("reader", &base_url);
    let strategies =
        ["", "rag", "alr2", "structurized", "cook", "stream-memory", "parallel-windows", "quote-and-carry"];
    for strategy in strategies {
        let body =
            json!({"endpoint": "reader", "suite": "quickstart", "lengths": ["8k"], "samples": 2, "strategy": strategy});
        let run = run(&team, &body);
        let ended = stage.follow(&run, |progress| progress["state"] != "open");
        assert_eq!(ended["state"], "done", "{strategy}: {ended}");
    }
    let report = stage.json("/strategies.json?suite=quickstart");
    let rows = report["rows"].as_array().unwrap();
    for strategy in &strategies[1..] {
        let own: Vec<&Value> = rows.iter().filter(|row| row["strategy"] == *strategy).collect();
        assert_eq!(own.len(), 4, "{strategy} has a row per task: {report}");
        for row in own {
            assert!(
                row["cost"]["calls"].as_f64() >= Some(1.0) && row["cost"]["sent_tokens"].as_f64() > Some(100.0),
                "{row}"
            );
            assert!(row["plain_score"].is_number() && row["gain"]["paired"] == true, "{row}");
        }
    }
    let of = |strategy: &str, field: &str| {
        let row = rows.iter().find(|row| row["strategy"] == strategy && row["task"] == "niah_single_2").unwrap();
        row["cost"][field].as_f64().unwrap()
    };
    assert!(of("rag", "sent_tokens") < 5000.0, "a budget of 4,096 tokens is kept");
    assert!(of("stream-memory", "calls") > of("alr2", "calls") && of("alr2", "calls") >= 2.0);
}
