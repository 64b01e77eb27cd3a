//! Official files of the benchmarks with long answers are read whole and become items, where the data are at hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use longboard_suites::dataset::{Dataset, Record};
use longboard_suites::families;
use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::program::{Program, Ran};
use longboard_suites::task::{ItemRequest, Task, TaskDefinition};
use serde_json::Value;

fn shared(folder: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("LONGBOARD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let found = root.join("data").join(folder);
    if !found.is_dir() {
        eprintln!("SKIPPED: set LONGBOARD_SHARED to a folder with data/{folder} to read its files");
        return None;
    }
    Some(found)
}

fn reader(family: &str) -> &'static dyn Dataset {
    families::find(family).unwrap().dataset().unwrap()
}

/// All records of a file, one line after the other.
fn records(family: &str, path: &Path, text: &str) -> Option<Vec<Record>> {
    let subset = reader(family).subset_of(path.file_name()?.to_str()?)?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let read = |(line, number)| reader(family).read(subset, number, line);
    let found: Vec<Record> =
        lines.flat_map(|line| read(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect();
    assert!(!found.is_empty(), "{}", path.display());
    Some(found)
}

fn item(family: &str, record: &Record, length: u32) -> (Task, Item) {
    let subset = reader(family).subsets().iter().find(|subset| subset.name == record.subset).unwrap();
    let definition = TaskDefinition::generated(family, "official", "official", reader(family).params(subset));
    let task = Task::new(TaskDefinition { data: Some("0".repeat(64)), ..definition }).unwrap();
    let request = ItemRequest { record: Some(record), ..ItemRequest::new(1, 0, Length::new(length).unwrap()) };
    let item = task.item(&request).unwrap();
    assert!(item.prompt_tokens + item.output_tokens <= length, "{}", record.id);
    assert_eq!(item.prompt_tokens, longboard_suites::tokens::count(&item.joined()), "{}", record.id);
    (task, item)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found.sort();
    found
}

/// The elements of a file of LongProc as lines, pages put into their records.
fn as_lines(path: &Path) -> String {
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let lines = value.as_array_mut().unwrap().iter_mut().map(|record| {
        if let Some(page) = record.get("html_path").and_then(Value::as_str) {
            let text = std::fs::read_to_string(path.parent().unwrap().join(page)).unwrap();
            record["html_str"] = text.into();
        }
        record.to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn longproc() {
    let Some(folder) = shared("longproc") else { return };
    let mut count = 0;
    for path in files(&folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let Some(records) = records("longproc", &path, &as_lines(&path)) else { continue };
        for record in &records {
            let (task, item) = item("longproc", record, 131_072);
            let oracle = task.family().oracle(&task, &item);
            let best = match task.program(&item, &oracle) {
                Some(program) => task.score_program(&item, &oracle, &right(&program)),
                None => task.score(&item, &oracle),
            };
            assert!((best.score - 1.0).abs() < 1e-9, "{} {}: {best:?}", record.subset, record.id);
        }
        count += records.len();
    }
    assert!(count > 500, "only {count} records were found");
}

/// A run of a program that prints what its tests expect.
fn right(program: &Program) -> Ran {
    Ran::Printed(program.tests.iter().map(|(_, lines)| Some(format!("{}\n", lines.join("\n")))).collect())
}

#[test]
fn longfact() {
    let Some(folder) = shared("longfact") else { return };
    let mut count = 0;
    for path in files(&folder) {
        let is_text = path.extension().is_some_and(|end| end == "jsonl");
        let Some(records) =
            is_text.then(|| std::fs::read_to_string(&path).unwrap()).and_then(|text| records("longfact", &path, &text))
        else {
            continue;
        };
        item("longfact", records.first().unwrap(), 4096);
        count += records.len();
    }
    assert_eq!(count, 2280);
}

/// Rows are taken for lines here, so a question whose cells go on over several lines is refused by name.
#[test]
fn mmlu() {
    let Some(folder) = shared("mmlu/test") else { return };
    let (mut count, mut whole) = (0, 0);
    for path in files(&folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        let subset = reader("longgenbench").subset_of(path.file_name().unwrap().to_str().unwrap()).unwrap();
        let mut refused = 0;
        for (line, number) in text.lines().zip(1..) {
            let Ok(mut records) = reader("longgenbench").read(subset, number, line) else {
                refused += 1;
                continue;
            };
            let (task, item) = item("longgenbench", &records.remove(0), 4096);
            assert!((task.score(&item, &task.family().oracle(&task, &item)).score - 1.0).abs() < 1e-9);
            count += 1;
        }
        eprintln!("{}: {refused} lines refused", subset.name);
        whole += usize::from(refused == 0);
    }
    assert!(count > 1000 && whole >= 5, "{count} questions, {whole} files without a cell over several lines");
}
