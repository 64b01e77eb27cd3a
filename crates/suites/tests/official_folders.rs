//! The readers of topic segmentation, SeNER, What's In Your Field, LongIns, HoloBench, L-CiteEval, HELMET, NoLiMa, DialogRE and NeedleBench, and of records that take something from files beside theirs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod files;

use files::Files;
use longboard_suites::dataset::{Folder, NoFolder, Record};
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{GenerateError, ItemRequest, Task, TaskDefinition};
use longboard_suites::tokens;
use serde_json::{Value, json};

fn read(family: &str, file: &str, line: &Value, folder: &dyn Folder) -> Result<Vec<Record>, String> {
    let dataset = families::find(family).unwrap().dataset().unwrap();
    let subset = dataset.subset_of(file).unwrap_or_else(|| panic!("{file}"));
    dataset.read_beside(subset, 1, &line.to_string(), folder).map_err(|error| error.to_string())
}

fn task(family: &str, file: &str) -> Task {
    let dataset = families::find(family).unwrap().dataset().unwrap();
    let params = dataset.params(dataset.subset_of(file).unwrap());
    let definition = TaskDefinition::generated(family, "data", "data", params);
    Task::new(TaskDefinition { data: Some("00".to_owned()), ..definition }).unwrap()
}

fn asked(family: &str, file: &str, record: &Record, length: u32) -> Result<(Task, Item), GenerateError> {
    let task = task(family, file);
    let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
    let item = task.item(&request)?;
    assert_eq!(item.prompt_tokens, tokens::count(&item.joined()), "{file}");
    assert!(item.prompt_tokens + item.output_tokens <= length, "{file}");
    Ok((task, item))
}

#[test]
fn exams_are_read_by_name_and_sent_uncut() {
    let exam = json!({"task_prompt": "Add the numbers.", "Data": "[0:2, 3 Answer: 6]\n\n[1:1, 1 Answer: 2]\n\n", "error": [0], "true_list": [1]});
    let line = json!({"task1": exam, "task2": exam});
    let records = read("longins", "data/GIST/256.json", &line, &NoFolder).unwrap();
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["task1", "task2"]);
    let (task, item) = asked("longins", "gist_256.json", &records[0], 1024).unwrap();
    let text = item.joined();
    let places = ["Add the numbers.", "[0:2, 3 Answer: 6]", "\nAnswer:"].map(|part| text.find(part).unwrap());
    assert!(places.is_sorted() && text.ends_with("Answer:"), "{text}");
    assert_eq!((task.score(&item, "[0]").score, task.score(&item, "[1]").score), (1.0, 0.0));
    assert_eq!(item.references, ["[0]"]);
    let list = read("longins", "LIST/512.json", &line, &NoFolder).unwrap();
    let (_, item) = asked("longins", "list_512.json", &list[0], 1024).unwrap();
    assert!(!item.joined().contains("Add the numbers."), "the instruction stands in each question");
    let long = Record { document: "[0:1 Answer: 1]".repeat(900), ..records[0].clone() };
    assert!(asked("longins", "gist_256.json", &long, 2048).err().unwrap().to_string().contains("uncut"));
    let refusal = |field: &str, value: Value| {
        let mut exam = exam.clone();
        exam[field] = value;
        read("longins", "gist_256.json", &json!({ "t": exam }), &NoFolder).unwrap_err()
    };
    assert!(refusal("error", json!(["a"])).starts_with("t.error: expected a list"));
    assert!(refusal("error", json!([1])).starts_with("t.error: question 1 is both"));
    assert!(refusal("task_prompt", Value::Null).starts_with("t.task_prompt:"));
    assert!(families::find("longins").unwrap().dataset().unwrap().subset_of("256.json").is_none());
}

fn rows(name: &str, count: usize) -> String {
    let row = |place: usize| {
        json!({"verbalized_text": format!("The {name} numbered {place} brought in {} sacks that year.", place * 10),
            "table_row": json!({"id": place, "kind": name, "sacks": place * 10}).to_string()})
    };
    (0..count).map(|place| row(place).to_string() + "\n").collect()
}

#[test]
fn queries_are_answered_over_the_rows_that_are_told() {
    let files =
        Files::new("queries.jsonl", [("mill/mills.jsonl", rows("mill", 400)), ("mill/weirs.jsonl", rows("weir", 400))]);
    let line =
        json!({"db_id": "mill", "query": "SELECT MAX(sacks), COUNT(*) FROM mills", "question": "What is the most?"});
    let records = read("holobench", "queries.jsonl", &line, &files).unwrap();
    let mut before = 0;
    for length in [2048, 4096, 8192] {
        let (task, item) = asked("holobench", "queries.jsonl", &records[0], length).unwrap();
        let text = item.joined();
        let (mills, weirs) = (text.matches("The mill numbered").count(), text.matches("The weir numbered").count());
        assert!(mills > before && mills.abs_diff(weirs) <= 2, "{mills} {weirs}: half of the context is for either");
        assert_eq!(item.references, [format!("{} | {mills}", (mills - 1) * 10)], "gold over told rows only");
        let answer = task.family().oracle(&task, &item);
        assert_eq!(task.score(&item, &answer).strict, Some(1.0));
        before = mills;
    }
    let none = json!({"db_id": "mill", "query": "SELECT id FROM mills WHERE sacks < 0", "question": "Which?"});
    let records = read("holobench", "queries.jsonl", &none, &files).unwrap();
    let (task, item) = asked("holobench", "queries.jsonl", &records[0], 2048).unwrap();
    assert_eq!((task.score(&item, "Answer:\nNo answer.").score, task.score(&item, "Answer:\n3").score), (1.0, 0.0));
    let refusal = |field: &str, value: &str| {
        let mut line = line.clone();
        line[field] = json!(value);
        read("holobench", "queries.jsonl", &line, &files).unwrap_err()
    };
    assert!(refusal("query", "SELECT CAST(id AS TEXT) FROM mills").starts_with("query: not a query"));
    assert!(refusal("query", "SELECT name FROM mills").contains("no column `name`"));
    assert!(refusal("db_id", "wine").starts_with("db_id: no folder `wine`"));
}

#[test]
fn passages_are_numbered_and_kept_whole() {
    let mut docs: Vec<String> = (0..1600).map(|place| format!("Note {place} of the mill says nothing.")).collect();
    docs[2] = "Here Brun the miller sold the ferry to Orla in 911.".to_owned();
    let line =
        json!({"id": 7, "question": "Who sold the ferry?", "answer": "Brun the miller", "docs": docs, "length": 9000});
    let records = read("l_citeeval", "niah.json", &line, &NoFolder).unwrap();
    let (task, item) = asked("l_citeeval", "niah.json", &records[0], 65_536).unwrap();
    let text = item.joined();
    assert!(text.contains("\nPassage [1500]: Note 1499") && !text.contains("Note 1500"), "1,500 passages at most");
    assert!(text.find("Passage [3]: Here Brun").unwrap() < text.rfind("Who sold the ferry?").unwrap());
    assert_eq!((item.needles.len(), item.cut.unwrap().tokens_removed, item.output_tokens), (1, 0, 128));
    assert_eq!(task.score(&item, "Brun the miller sold it [3].").score, 1.0);
    assert_eq!(task.score(&item, "Brun the miller sold it [3][4].").score, 2.0 / 3.0);
    assert_eq!(task.score(&item, "It was Brun the miller [4].").score, 0.0);
    let (_, short) = asked("l_citeeval", "niah.json", &records[0], 4096).unwrap();
    let cut = short.cut.unwrap();
    assert!(cut.tokens_removed > 10_000 && cut.evidence_left == Some(1.0), "{cut:?}");
    let missing = json!({"question": "?", "answer": "Nils", "docs": ["x"]});
    assert_eq!(read("l_citeeval", "niah.json", &missing, &NoFolder).unwrap_err(), "answer: no passage holds it");
}

#[test]
fn an_evaluator_decides_where_no_rule_does() {
    let docs =
        json!(["The ferry of Arva was built in 880.", "In 911 the miller Brun sold the ferry to Orla.", "It rained."]);
    let line = json!({"question": "Who bought the ferry?", "answer": ["Orla", "Orla Vane"], "docs": docs});
    let records = read("l_citeeval", "hotpotqa.json", &line, &NoFolder).unwrap();
    let (task, item) = asked("l_citeeval", "hotpotqa.json", &records[0], 2048).unwrap();
    let good = task.score(&item, "The miller Brun sold the ferry to Orla in 911 [2].");
    assert_eq!(good.score, 1.0);
    assert!(good.extracted.contains("lexical evaluator, version 1"), "{}", good.extracted);
    assert!(good.strict.unwrap() > 0.1 && good.strict.unwrap() < 0.5, "token F1 against `Orla`: {good:?}");
    assert_eq!(task.score(&item, "The miller Brun sold the ferry to Orla in 911 [3].").score, 0.0);
    assert_eq!(task.score(&item, "The miller Brun sold the ferry to Orla.").score, 0.0);

    let talk = json!({"question": "Who sold it?", "answer": "Brun", "docs": docs, "role": "Ida"});
    let records = read("l_citeeval", "dialsim.json", &talk, &NoFolder).unwrap();
    let (_, item) = asked("l_citeeval", "dialsim.json", &records[0], 2048).unwrap();
    assert!(item.joined().contains("Conversation [2]: In 911") && item.joined().contains("You are Ida"));
    assert_eq!(read("l_citeeval", "dialsim.json", &line, &NoFolder).unwrap_err(), "role: missing");

    let docs = json!(["a\nThe little penguin counted 83 ★\n", "b", "c\nThe little penguin counted 14 ★\n"]);
    let stars = json!({"answer": [83, 14], "docs": docs});
    let records = read("l_citeeval", "counting_stars.json", &stars, &NoFolder).unwrap();
    let (task, item) = asked("l_citeeval", "counting_stars.json", &records[0], 2048).unwrap();
    let scored = task.score(&item, "{\"little_penguin\": [14, 7], \"passage_id\": [1, 3]}");
    assert_eq!((scored.score, scored.strict), (1.0, Some(0.5)), "one of two counts is right");
    let wrong = json!({"answer": [83], "docs": docs});
    assert!(read("l_citeeval", "counting_stars.json", &wrong, &NoFolder).unwrap_err().contains("2 passages"));
}

#[test]
fn helmet_s_prompts_are_upstream_s() {
    let pairs: Vec<String> = (0..300).map(|place| format!("\"key{place}\": \"value{place}\"")).collect();
    let demos = json!([["a", "1"], ["b", "2"], ["c", "3"]]);
    let line = json!({"context": format!("{{{}}}", pairs.join(",\n ")), "question": "key7", "answer": "value7", "demos": demos, "num_kvs": 300});
    let records = read("helmet_recall", "json_kv/test_k300_dep6.jsonl", &line, &NoFolder).unwrap();
    let (task, item) = asked("helmet_recall", "test_k300_dep6.jsonl", &records[0], 8192).unwrap();
    let text = item.joined();
    assert!(text.ends_with(
        "}\n\nExtract the value corresponding to the specified key in the JSON object below.\n\nKey: a\nCorresponding value: 1\n\nKey: b\nCorresponding value: 2\n\nKey: key7\nCorresponding value:"
    ));
    assert_eq!((task.score(&item, "value7").score, task.score(&item, "value8").score), (1.0, 0.0));
    let (_, cut) = asked("helmet_recall", "test_k300_dep6.jsonl", &records[0], 1024).unwrap();
    assert_eq!(cut.cut.unwrap().evidence_left, Some(1.0), "cut from the right, and the key stands in front");
    let last = Record { evidence: vec!["\"key299\": \"value299\"".to_owned()], ..records[0].clone() };
    let (_, cut) = asked("helmet_recall", "test_k300_dep6.jsonl", &last, 1024).unwrap();
    assert_eq!(cut.cut.unwrap().evidence_left, Some(0.0));
}

#[test]
fn rankings_have_examples_of_other_queries() {
    let ctxs = |from: usize, count: usize| -> Vec<Value> {
        (from..from + count)
            .map(|id| json!({"id": id.to_string(), "text": format!("Passage text {id}."), "label": id % 4}))
            .collect()
    };
    let demo = |id: &str| json!({"qid": id, "query": format!("Query {id}?"), "ctxs": ctxs(900, 3)}).to_string() + "\n";
    let demos = ["q1", "q2", "q2", "q3", "q4"].map(demo).concat();
    let files = Files::new("test_reranking_data_k50_dep3.jsonl", [("test_reranking_data_k10_dep3.jsonl", demos)]);
    let line = json!({"qid": "q1", "query": "Which?", "ctxs": ctxs(100, 200)});
    let records = read("helmet_rerank", files.0, &line, &files).unwrap();
    let (task, item) = asked("helmet_rerank", files.0, &records[0], 16_384).unwrap();
    let text = item.joined();
    assert!(!text.contains("Query q1?"), "its own query is no example");
    assert_eq!(text.matches("\nRanking: 902 > 901 > 900\n\n").count(), 2);
    assert!(text.ends_with("[ID: 299] Document: Passage text 299.\n\nQuery: Which?\nRanking:"), "{text}");
    let answer = task.family().oracle(&task, &item);
    assert_eq!((task.score(&item, &answer).score, task.score(&item, &answer).strict), (1.0, Some(1.0)));
    assert_eq!(task.score(&item, "7 > 8").strict, Some(0.0), "ids that are not there");
    let (_, cut) = asked("helmet_rerank", files.0, &records[0], 2048).unwrap();
    assert!(cut.cut.unwrap().tokens_removed > 500 && cut.joined().contains("[ID: 100]"));
    let error = read("helmet_rerank", files.0, &line, &NoFolder).unwrap_err();
    assert!(error.starts_with("demos: no test_reranking_data_k10"), "{error}");
}

#[test]
fn dialogues_are_shown_once_with_all_their_pairs() {
    let shown = |dialogue: &str, relation: &str, object: &str| json!({"dialogue": dialogue, "relation": relation, "subject_entity": "Speaker 1", "object_entity": object});
    let train = json!([
        shown("A: Hi.", "per:pet", "Rex"),
        shown("B: Yo.", "per:boss", "Nils"),
        shown("A: Hi.", "per:age", "it's 7")
    ]);
    let files = Files::new("test_dialogueRE.json", [("train_dialogueRE_processed.json", train.to_string())]);
    let line = json!({"dialogue": "C: Bye.", "relations": [
        {"relation": "per:siblings", "subject_entity": "Speaker 1", "object_entity": "Ida"},
        {"relation": "per:friends", "subject_entity": "Ida", "object_entity": "Orla"}]});
    let records = read("longicl", files.0, &line, &files).unwrap();
    let (task, item) = asked("longicl", files.0, &records[0], 2048).unwrap();
    let text = item.joined();
    assert!(text.contains(
        "Dialogue: \nA: Hi.\nThe list of 2 entity pairs are ('Speaker 1', 'Rex'), ('Speaker 1', \"it's 7\")\nThe 2 respective relations between each entity pair are: per:pet, per:age\nDialogue: \nB: Yo."
    ));
    assert!(
        text.ends_with(
            "('Speaker 1', 'Ida'), ('Ida', 'Orla')\nThe 2 respective relations between each entity pair are:"
        )
    );
    let right = task.score(&item, "per:siblings, per:friends");
    assert!(right.score > 0.999_999 && right.strict == Some(1.0));
    let turned = task.score(&item, "per:friends, per:siblings");
    assert_eq!((turned.score, turned.strict), (0.0, Some(1.0)), "officially by position");
    assert!(
        families::find("longicl").unwrap().dataset().unwrap().subset_of("train_dialogueRE_processed.json").is_none()
    );
}

#[test]
fn needles_stand_at_the_end_of_a_line_at_their_depth() {
    let book: String = (0..3000).map(|line| format!("Line {line} of the book says nothing at all.\n")).collect();
    let files = Files::new("needle_set.json", [("rand_shuffle/one.txt", book.clone()), ("rand_shuffle/two.txt", book)]);
    let line = json!({"id": "0401", "system_prompt": "", "character_set": ["Ida", "Orla"],
        "questions": {"onehop": "Who saw {1} of {2}?", "twohop": "Who was near {2}?"}, "needle": "{CHAR} could see {1} of {2}.",
        "tests": {"T1": {"input_args": ["the mill", "Arva"]}, "T2": {"input_args": ["the weir", "Belo"]}}});
    let records = read("nolima", files.0, &line, &files).unwrap();
    assert_eq!((records.len(), records[0].id.as_str()), (8, "0401_T1_onehop_one"), "two questions, tests and books");
    let task = task("nolima", files.0);
    for index in 0..26 {
        let request =
            ItemRequest { record: Some(&records[0]), ..ItemRequest::new(1, index, Length::new(4096).unwrap()) };
        let item = task.item(&request).unwrap();
        let (text, needle) = (item.joined(), &item.needles[0]);
        let name = item.references[0].as_str();
        assert_eq!(text.get(needle.start..needle.end).unwrap(), format!("{name} could see the mill of Arva."));
        assert!(text.contains("Who saw the mill of Arva?") && text.contains("Arva.\n"));
        assert!((needle.depth * 100.0 - f64::from(item.depth_percent.unwrap())).abs() < 2.0, "{needle:?}");
        assert!(item.prompt_tokens + item.output_tokens > 4000 && item.prompt_tokens + item.output_tokens <= 4096);
        assert_eq!(task.score(&item, name).score, 1.0);
    }
    let refusal = |field: &str, value: Value| {
        let mut line = line.clone();
        line[field] = value;
        read("nolima", files.0, &line, &files).unwrap_err()
    };
    assert!(refusal("distractors", json!({})).starts_with("distractors: not read"));
    assert!(refusal("character_set", json!([])).starts_with("character_set: the needle names"));
    assert!(refusal("task_template", json!("{question}")).starts_with("task_template:"));
    assert!(read("nolima", files.0, &line, &NoFolder).unwrap_err().starts_with("rand_shuffle: no folder"));
}

#[test]
fn longbench_v2_is_asked_with_and_without_its_text() {
    let line = json!({"_id": "v1", "domain": "d", "sub_domain": "s", "difficulty": "hard", "length": "short",
        "question": "Who?", "choice_A": "Ida", "choice_B": "Olga", "choice_C": "Nils", "choice_D": "Emil", "answer": "A", "context": "Ida rang."});
    let family = families::find("longbench_v2").unwrap();
    let dataset = family.dataset().unwrap();
    for (name, shown) in [("longbench_v2", true), ("longbench_v2_no_context", false)] {
        let subset = dataset.subsets().iter().find(|subset| subset.name == name).unwrap();
        let record = &dataset.read(subset, 1, &line.to_string()).unwrap()[0];
        let definition = TaskDefinition::generated("longbench_v2", "data", "data", dataset.params(subset));
        let task = Task::new(TaskDefinition { data: Some("00".to_owned()), ..definition }).unwrap();
        let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(1024).unwrap()) };
        let item = task.item(&request).unwrap();
        let text = item.joined();
        assert_eq!(
            (text.contains("Ida rang."), text.starts_with("What is the correct answer to this question: Who?")),
            (shown, !shown)
        );
        assert_eq!(task.score(&item, "The correct answer is (A).").score, 1.0);
        if let Some(official) = prompt(if shown { "0shot.txt" } else { "0shot_no_context.txt" }) {
            let slots = [
                ("$DOC$", "Ida rang."),
                ("$Q$", "Who?"),
                ("$C_A$", "Ida"),
                ("$C_B$", "Olga"),
                ("$C_C$", "Nils"),
                ("$C_D$", "Emil"),
            ];
            assert_eq!(text, slots.iter().fold(official, |text, (slot, value)| text.replace(slot, value)));
        }
    }
}

/// A published prompt, where it is at hand.
fn prompt(name: &str) -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| std::path::PathBuf::from(beside), Into::into);
    let text = std::fs::read_to_string(root.join("data/longbench_v2/prompts").join(name)).ok();
    if text.is_none() {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/longbench_v2/prompts to compare the prompts");
    }
    text
}

fn needle_lines() -> String {
    let line = |place: usize, language: &str| {
        json!({"needle": format!("Old mill {place} hides a lamp {place}x."), "arg1": format!("mill {place}"), "arg2": format!("lamp {place}x"),
            "retrieval_question": format!("What does mill {place} hide? Please answer in the format 'Old mill {place} hides a ___.'"),
            "language": language})
        .to_string() + "\n"
    };
    (0..30).map(|place| line(place, if place % 2 == 0 { "English" } else { "Chinese" })).collect()
}

#[test]
fn needles_are_spliced_in_as_upstream_does() {
    let essays: String = (0..40)
        .map(|place| json!({"text": format!("Essay {place} tells of rain. ").repeat(60)}).to_string() + "\n")
        .collect();
    let names = json!({"English": "Ann,Ben,Cid,Dot,Eve,Fay,Gus,Hal", "Chinese": "甲,乙"});
    let files = Files::new(
        "needles.jsonl",
        [("needles.jsonl", needle_lines()), ("PaulGrahamEssays.jsonl", essays), ("names.json", names.to_string())],
    );
    let dataset = families::find("needlebench").unwrap().dataset().unwrap();
    assert!(dataset.subset_of("needles.jsonl").is_none(), "the name does not say what the needles are for");
    let first: Value = serde_json::from_str(needle_lines().lines().next().unwrap()).unwrap();
    let read = |subset: &str, number: usize, line: &Value| {
        let subset = dataset.subsets().iter().find(|one| one.name == subset).unwrap();
        dataset.read_beside(subset, number, &line.to_string(), &files).map_err(|error| error.to_string())
    };
    let (single, several) = (read("srt_en", 1, &first).unwrap(), read("mrt_en", 1, &first).unwrap());
    assert_eq!(
        (single.len(), several.len(), read("srt_en", 2, &first).unwrap().len()),
        (10, 25, 0),
        "official repeats"
    );
    let chains = read("mrs_en", 1, &json!({ "English": names["English"] })).unwrap();
    assert_eq!((chains.len(), read("mrs_en", 2, &json!({ "Chinese": "甲,乙" })).unwrap().len()), (40, 0));
    for (file, records) in [("srt_en.jsonl", &single), ("mrt_en.jsonl", &several), ("mrs_en.json", &chains)] {
        let task = task("needlebench", file);
        for (index, record) in (0..).zip(records.iter().step_by(9)) {
            let request =
                ItemRequest { record: Some(record), ..ItemRequest::new(1, index, Length::new(4096).unwrap()) };
            let item = task.item(&request).unwrap();
            let text = item.joined();
            assert!(
                item.prompt_tokens + item.output_tokens <= 4096 && item.prompt_tokens > 3000,
                "{}",
                item.prompt_tokens
            );
            assert_eq!(item.prompt_tokens, tokens::count(&text));
            if file != "mrs_en.json" {
                assert!(item.references.iter().all(|keyword| text.contains(&format!("hides a {keyword}."))), "{file}");
                let marked: Vec<&str> = item.needles.iter().map(|one| text.get(one.start..one.end).unwrap()).collect();
                assert_eq!(marked.len(), item.references.len(), "{file}");
                assert!(marked.iter().all(|one| one.starts_with("Old mill ") && one.ends_with("x.")), "{marked:?}");
            }
            let answer = task.family().oracle(&task, &item);
            assert_eq!(task.score(&item, &answer).score, 1.0, "{file}: {answer}");
        }
    }
    assert_eq!(several[0].references.len(), 11);
    assert!(read("srt_en", 1, &json!({"needle": "x"})).unwrap_err().starts_with("arg1: missing"));
    assert!(read("srt_zh", 1, &first).unwrap_err().starts_with("zh_finance.jsonl"), "its haystack is not there");
    assert!(read("mrs_en", 1, &json!({ "English": "Ann,Ben" })).unwrap_err().contains("six names"));
}

#[test]
fn annotated_sentences_are_asked_after_the_first_three_abstracts() {
    let abstracts = |n: usize| {
        json!({"tagged_title": format!("Paper <object>o{n}</object>"),
            "tagged_abstract": format!("We use <method>m{n}</method>. It <property>p{n}</property> works.")})
    };
    let all: Vec<Value> = (1..=4).map(abstracts).collect();
    let text: String = all.iter().map(|line| line.to_string() + "\n").collect();
    let files = Files::new("human_annotations.jsonl", [("human_annotations.jsonl", text)]);
    let dataset = families::find("kg_extraction").unwrap().dataset().unwrap();
    let subset = dataset.subset_of("human_annotations.jsonl").unwrap();
    let read = |number: usize| dataset.read_beside(subset, number, &all[number - 1].to_string(), &files).unwrap();
    assert_eq!([1, 2, 3].map(|number| read(number).len()), [0, 0, 0]);
    let records = read(4);
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["4.1", "4.2", "4.3"]);
    let (task, item) = asked("kg_extraction", "human_annotations.jsonl", &records[1], 2048).unwrap();
    let text = item.joined();
    assert!(text.contains("Sentence: We use m3\nExtractions: {\"method\":[\"m3\"]}"), "{text}");
    assert!(text.ends_with("Sentence: We use m4\nExtractions:") && !text.contains("o4"), "{text}");
    assert_eq!(task.score(&item, "{'method': ['m4',]}").score, 1.0);
}

#[test]
fn boundaries_are_numbers_of_sentences() {
    let line = json!({"sentences": ["A.", "B.", "C.", "D."], "labels": [0, 1, -100, 1]});
    let records = read("topicseg", "wiki-727k/test.jsonl", &line, &NoFolder).unwrap();
    let (task, item) = asked("topicseg", "wiki-727k/test.jsonl", &records[0], 1024).unwrap();
    assert!(item.joined().contains("[2] B.\n[3] C.\n"));
    assert_eq!(task.score(&item, "[2, 4, 9]").score, 1.0);
    let one = json!({"sentences": ["A.", "B."], "labels": [0, 1]});
    assert!(read("topicseg", "wiki_50.jsonl", &one, &NoFolder).unwrap().is_empty());
    let wrong = json!({"sentences": ["A.", "B."], "labels": [0, 2]});
    assert!(read("topicseg", "wiki_50.jsonl", &wrong, &NoFolder).unwrap_err().starts_with("labels:"));
}

#[test]
fn spans_of_official_words_are_found_by_their_text() {
    let words = ["Ada", "Pike", ",", "Reader", "in", "Wave", "-", "Optics", ",", "born", "in", "Kelford", "."];
    let line =
        json!({"doc_id": "a", "text": words, "entity": [[3, 8, ["x"], "title"], [11, 12, ["x"], "birth_place"]]});
    let records = read("sener", "scholar-xl/test.jsonl", &line, &NoFolder).unwrap();
    let (task, item) = asked("sener", "scholar-xl/test.jsonl", &records[0], 2048).unwrap();
    let score = |answer: Value| task.score(&item, &answer.to_string()).score;
    let title = json!({"type": "title", "text": "Reader in Wave-Optics"});
    assert_eq!(score(json!([title, {"type": "birth_place", "text": "Kelford"}])), 1.0);
    assert!((score(json!([title])) - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(task.score(&item, &item.references[0]).score, 1.0);
    let refusal = |entity: Value| {
        let mut line = line.clone();
        line["entity"] = json!([entity]);
        read("sener", "scholar-xl/test.jsonl", &line, &NoFolder).unwrap_err()
    };
    assert!(refusal(json!([3, 99, [], "title"])).starts_with("entity: expected"));
    assert!(refusal(json!([3, 4, [], "hobby"])).contains("`hobby` is no type of Scholar-XL"));
}
