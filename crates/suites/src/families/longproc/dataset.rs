//! LongProc's data files. Programs that answer `pseudo_to_code` are compiled and run in a sandbox before they are scored.

use serde_json::{Map, Value, json};

use crate::card::Side;
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::item::Item;
use crate::metrics::longproc::{Test, preamble};
use crate::task::{GenerateError, ItemRequest, Task, choice};

/// Reader of files called `{procedure}_{level}.json`.
pub(super) struct Files;

macro_rules! subsets {
    ($(($procedure:literal, $level:literal)),* $(,)?) => {
        [$(Subset { name: concat!($procedure, "_", $level), title: concat!("LongProc ", $procedure, ", ", $level) }),*]
    };
}

static SUBSETS: [Subset; 16] = subsets![
    ("html_to_tsv", "0.5k"),
    ("html_to_tsv", "2k"),
    ("html_to_tsv", "8k"),
    ("path_traversal", "0.5k"),
    ("path_traversal", "2k"),
    ("path_traversal", "8k"),
    ("tom_tracking", "0.5k"),
    ("tom_tracking", "2k"),
    ("tom_tracking", "8k"),
    ("countdown", "0.5k"),
    ("countdown", "2k"),
    ("countdown", "8k"),
    ("travel_planning", "2k"),
    ("travel_planning", "8k"),
    ("pseudo_to_code", "0.5k"),
    ("pseudo_to_code", "2k"),
];

/// Procedure and level of a data set.
fn parts(subset: &Subset) -> (&'static str, &'static str) {
    subset.name.rsplit_once('_').unwrap_or((subset.name, ""))
}

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    /// Pages may stand in files that `html_path` names.
    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let mut fields = dataset::object(line)?;
        if parts(subset).0 == "html_to_tsv"
            && !fields.contains_key("html_str")
            && let Some(path) = fields.get("html_path").and_then(Value::as_str)
        {
            let page = folder.text(path).map_err(|error| RecordError::new("html_path", error.to_string()))?;
            fields.insert("html_str".to_owned(), Value::String(page));
        }
        Ok(vec![record(subset, line_number.to_string(), &fields)?])
    }

    fn params(&self, subset: &Subset) -> Value {
        let (procedure, level) = parts(subset);
        json!({ "procedure": procedure, "level": level })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let (head, tail) = frame(choice(&task.definition().params, "procedure"), record);
        official::item(task, request, record, &Frame { head, tail, side: Side::Right }, official::answer(record))
    }
}

/// Document, question, reference and gold of one record.
type Read = (String, String, String, Value);

fn record(subset: &Subset, id: String, fields: &Map<String, Value>) -> Result<Record, RecordError> {
    let text = |name: &str| dataset::text(fields, name);
    let (document, question, reference, gold): Read = match parts(subset).0 {
        "html_to_tsv" => {
            let page = text("html_str")?;
            let gold = json!({ "header": text("tsv_header")?, "topic": text("task_topic")?, "filter": text("filtering_instruction")? });
            (page, text("task_description")?, text("gt")?, gold)
        }
        "path_traversal" => {
            let ends = dataset::texts(fields, "question_repr")?;
            let [from, to] = ends.as_slice() else {
                return Err(RecordError::new("question_repr", "expected two cities"));
            };
            (text("context_nl")?, format!("from {from} to {to}"), text("answer_nl")?, Value::Null)
        }
        "tom_tracking" => {
            let gold = json!({ "components": text("story_components")? });
            (text("story")?, text("question")?, text("solution")?, gold)
        }
        "countdown" => countdown(fields)?,
        "pseudo_to_code" => {
            let tests: Option<Vec<Test>> =
                fields.get("testcases").and_then(|tests| serde_json::from_value(tests.clone()).ok());
            let tests = tests.filter(|tests| !tests.is_empty());
            let wrong = || RecordError::new("testcases", "expected pairs of lines of input and lines of output");
            let gold = json!({ "tests": tests.ok_or_else(wrong)?, super::COMPILED: true });
            let lines = |name: &str| Ok(dataset::texts(fields, name)?.join("\n"));
            (lines("pseudocode_lines")?, String::new(), lines("code_lines")?, gold)
        }
        _ => {
            let gold = json!({
                "cities": text("ground_truth_cities")?,
                "days": text("ground_truth_durations")?,
                "trace": "",
            });
            (String::new(), text("disambig_question_text")?, text("ground_truth_plan")?, gold)
        }
    };
    if reference.trim().is_empty() {
        return Err(RecordError::new("reference", "is empty"));
    }
    Ok(Record {
        id: ["id", "task_id"].into_iter().find_map(|name| fields.get(name)?.as_str()).map_or(id, str::to_owned),
        subset: subset.name.to_owned(),
        document,
        question,
        references: vec![reference],
        gold,
        official_length: fields
            .get("estimated_output_tokens")
            .or_else(|| fields.get("num_search_tokens"))
            .and_then(Value::as_u64),
        evidence: Vec::new(),
    })
}

fn countdown(fields: &Map<String, Value>) -> Result<Read, RecordError> {
    let numbers: Vec<i64> = fields
        .get("nums")
        .and_then(|list| list.as_array()?.iter().map(Value::as_i64).collect::<Option<_>>())
        .filter(|numbers: &Vec<i64>| numbers.len() == 4)
        .ok_or_else(|| RecordError::new("nums", "expected four whole numbers"))?;
    let target = fields
        .get("target")
        .and_then(Value::as_i64)
        .ok_or_else(|| RecordError::new("target", "expected a whole number"))?;
    // The file marks the search with tags, the scorer by a heading.
    let trace = dataset::text(fields, "demonstration")?
        .replace("<Search Procedure>", "# Search Procedure")
        .replace("</Search Procedure>\n", "");
    let listed: Vec<String> = numbers.iter().map(i64::to_string).collect();
    let question = format!("Numbers: [{}]\nTarget: {target}", listed.join(", "));
    Ok((String::new(), question, trace.clone(), json!({ "numbers": numbers, "target": target, "trace": trace })))
}

/// What stands before and after the document: the official slots in their order, in our own words.
fn frame(procedure: &str, record: &Record) -> (String, String) {
    let question = &record.question;
    let gold = |name: &str| record.gold.get(name).and_then(Value::as_str).unwrap_or_default();
    match procedure {
        "html_to_tsv" => (
            "Take information from the web page below and write it as a table of tab-separated values.\n\n```html\n".to_owned(),
            format!(
                "\n```\n\nThe page is about {}. For every item on it write these properties: {question} {}\n\nUse this form:\n```tsv\n{}\n```\nKeep the order of the page and the text of the cells as it is, without tags. Write N/A for what is missing, a space for a line end within a cell, and commas within a list. Write nothing but the table.",
                gold("topic"),
                gold("filter"),
                gold("header")
            ),
        ),
        "path_traversal" => (
            "Every city below has exactly one connection, which goes one way.\n\n".to_owned(),
            format!(
                "\n\nFind the route {question}. Write one line for each step between the marks <Route> and </Route>, each in this form:\n<Route>\nFrom CITY, take a bus to CITY.\n</Route>"
            ),
        ),
        "tom_tracking" => (
            format!(
                "Track in the story below where a person and a thing are and where the person believes the thing to be. A person sees what is in the same room; a belief stays until the thing is seen elsewhere; before the thing was seen it is None. Outside of all rooms the location is None.\n\n{}\n\nStory\n",
                gold("components")
            ),
            format!(
                "\n\n{question}\n\nWrite one line for each step in exactly this form, and then the final answer:\n- Step 0: (initial state) {{PERSON location: ROOM; THING location: ROOM's CONTAINER; PERSON sees THING: True; PERSON's belief on THING: ROOM's CONTAINER}}\n- Step 1: (PERSON location changed; THING location unchanged) {{PERSON location: ...; THING location: ...; PERSON sees THING: False; PERSON's belief on THING: ...}}\nFinal Answer: the ROOM's CONTAINER"
            ),
        ),
        "pseudo_to_code" => (
            format!("Write a C++ program from the description below, line by line. The description is right and complete.\n\nThese lines already stand before your code; leave them out:\n```cpp\n{}```\nPut your code between ```cpp and ```, one line for each line of the description.\n\nDescription:\n", preamble()),
            "\n\nCode:".to_owned(),
        ),
        "countdown" => (
            "Use each of four numbers once, with + - * and /, to reach a target. All results between are whole, positive and below 2000. Search over pairs in order, the larger number first, +, -, *, / in this order, deeper first, and write out the search after the line `# Search Procedure`. Then write three equations in the form `a + b = c`, one per line and nothing else, between <Solution> and </Solution>.\n\n".to_owned(),
            question.clone(),
        ),
        _ => (
            "Plan a trip by searching day by day: first write the search between <Solving Procedure> and </Solving Procedure>, then the plan between <Plan> and </Plan>. Days of arrival and departure count for both cities. The plan has this form:\n<Plan>\n**Day 1-3:** Arriving in CITY and visit CITY for 3 days.\n**Day 3:** Fly from CITY to TOWN.\n**Day 3-6:** Visit TOWN for 4 days.\n</Plan>\n\n".to_owned(),
            question.clone(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::length::Length;
    use crate::program::Ran;
    use crate::task::TaskDefinition;

    #[test]
    fn every_procedure_reads_its_records() {
        for line in include_str!("../../../tests/fixtures/longproc.jsonl").lines() {
            let fields: Value = serde_json::from_str(line).unwrap();
            let name = format!("{}.json", fields["file"].as_str().unwrap());
            let subset = Files.subset_of(&name).unwrap();
            let records = Files.read(subset, 1, line).unwrap();
            let definition = TaskDefinition::generated("longproc", "x", "x", Files.params(subset));
            let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap();
            let request = ItemRequest { record: records.first(), ..ItemRequest::new(1, 0, Length::new(8192).unwrap()) };
            let item = task.item(&request).unwrap();
            let mut oracle = task.family().oracle(&task, &item);
            if name.starts_with("travel_planning") {
                oracle = format!("<Plan>{}</Plan>", item.references[0]);
            }
            let best = task.score(&item, &oracle);
            assert_eq!(best.score, 1.0, "{name}: {best:?}");
            assert!(item.prompt_tokens + item.output_tokens <= 8192);
        }
    }

    #[test]
    fn broken_records_name_the_field() {
        let subset = |name: &str| SUBSETS.iter().find(|subset| subset.name == name).unwrap();
        for (name, line, field) in [
            ("countdown_2k", "[", "line"),
            ("countdown_2k", "{\"nums\": [1, 2, 3], \"target\": 4}", "nums"),
            ("countdown_2k", "{\"nums\": [1, 2, 3, 4], \"target\": \"4\"}", "target"),
            ("path_traversal_2k", "{\"question_repr\": [\"a\"]}", "question_repr"),
            ("html_to_tsv_8k", "{\"html_path\": \"webpage/x.html\"}", "html_path"),
            ("tom_tracking_0.5k", "{\"story_components\": 3}", "story_components"),
            ("travel_planning_8k", "{}", "ground_truth_cities"),
        ] {
            assert_eq!(Files.read(subset(name), 1, line).unwrap_err().field, field, "{line}");
        }
        let pairs = "{\"pseudocode_lines\": [\"a\"], \"code_lines\": [\"b\"], \"testcases\": [[\"1\", \"2\"]]}";
        assert_eq!(Files.read(subset("pseudo_to_code_2k"), 1, pairs).unwrap_err().field, "testcases");
    }

    /// Only a run decides about an official program.
    #[test]
    fn programs_are_scored_by_what_they_did() {
        let subset = Files.subset_of("pseudo_to_code_2k.json").unwrap();
        let line = json!({
            "problem_id": "own", "pseudocode_lines": ["read n", "print n plus 1"],
            "code_lines": ["int n; cin >> n;", "cout << n + 1 << endl;"],
            "testcases": [[["1"], ["2"]], [["4"], ["5"]]],
        });
        let records = Files.read(subset, 1, &line.to_string()).unwrap();
        let definition = TaskDefinition::generated("longproc", "x", "x", Files.params(subset));
        let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap();
        assert!(task.needs_sandbox());
        let request = ItemRequest { record: records.first(), ..ItemRequest::new(1, 0, Length::new(8192).unwrap()) };
        let item = task.item(&request).unwrap();
        assert!(item.joined().ends_with("Description:\nread n\nprint n plus 1\n\nCode:"));
        assert!(task.program(&item, "int main() {}").is_none(), "without a fence nothing is run");
        let answer = "```cpp\nint main() {}\n```";
        let program = task.program(&item, answer).unwrap();
        assert_eq!((program.code.as_str(), program.tests.len()), ("\nint main() {}\n", 2));
        let score = |ran: Ran| {
            let scored = task.score_program(&item, answer, &ran);
            (scored.score, scored.extracted, scored.well_formed)
        };
        let printed =
            |outputs: &[&str]| Ran::Printed(outputs.iter().map(|output| Some((*output).to_owned())).collect());
        assert_eq!(score(printed(&["2\n", "5\n"])), (1.0, "compiles, 2 of 2 outputs right".to_owned(), true));
        assert_eq!(score(printed(&["2\n"])), (0.0, "compiles, 1 of 2 outputs right".to_owned(), true));
        assert_eq!(score(printed(&["2\n", "5"])).0, 0.0);
        assert_eq!(score(Ran::NotCompiled), (0.0, "does not compile".to_owned(), false));
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(
            line in "\\PC*|\\[?\\{(\"(nums|target|story|gt|question_repr|solution|html_str)\": (1|\"x\"|null|\\[\\]|\\[1,2,3,4\\]),?){0,6}\\}\\]?"
        ) {
            for subset in &SUBSETS {
                let _ = Files.read(subset, 1, &line);
            }
        }
    }
}
