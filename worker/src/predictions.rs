//! `score --predictions`: prediction files of InfiniteBench, L-Eval and LongBench against their own labels, by the
//! official scorers.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use longboard_suites::predictions::{Import, import_file, imported_suites, notes, task_of_file};

/// Scores of one model by task slug; `None` where a file has no row that can be read.
type Scores = BTreeMap<String, Option<f64>>;

/// Scores all files at `paths` whose names say their task (files, folders of a model, or a folder of such folders) and
/// prints a table of tasks by models. The model is the name of the folder that holds the file.
pub fn score(paths: &[PathBuf], out: &mut impl Write) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        bail!(
            "no file named preds_<task>.jsonl, <task>.pred.jsonl or <data set>.jsonl was found; give such files or the folders that hold them"
        );
    }
    files.sort();
    let mut models: BTreeMap<String, Scores> = BTreeMap::new();
    for file in files {
        let import = import(&file)?;
        for line in &import.refused {
            eprintln!("{}:{}: refused: {}", file.display(), line.line, line.reason);
        }
        models.entry(import.model.clone()).or_default().insert(import.task.slug.to_owned(), import.official);
    }
    print(&models, out)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let entry = entry?.path();
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if entry.is_dir() || is_named(&name) {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

/// Whether a file's name says that it holds predictions; one of an unknown task is refused later, by name.
fn is_named(name: &str) -> bool {
    let marked = name.starts_with("preds_") && name.ends_with(".jsonl") || name.ends_with(".pred.jsonl");
    marked || task_of_file(name).is_ok()
}

fn import(file: &Path) -> anyhow::Result<Import> {
    let part =
        |path: Option<&std::ffi::OsStr>| path.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let task = task_of_file(&part(file.file_name())).with_context(|| file.display().to_string())?;
    let model = part(file.parent().and_then(Path::file_name));
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", file.display()))?;
    import_file(task, &model, &text).with_context(|| file.display().to_string())
}

fn print(models: &BTreeMap<String, Scores>, out: &mut impl Write) -> anyhow::Result<()> {
    write!(out, "{:<40}", "official score, 0 to 100")?;
    for model in models.keys() {
        write!(out, "{model:>14}")?;
    }
    writeln!(out)?;
    let suites = imported_suites();
    let has = |task: &String| models.values().any(|scores| scores.contains_key(task));
    for task in suites.iter().flat_map(|suite| &suite.tasks).filter(|task| has(task)) {
        write!(out, "{task:<40}")?;
        for scores in models.values() {
            match scores.get(task) {
                Some(Some(score)) => write!(out, "{score:>14.2}")?,
                Some(None) => write!(out, "{:>14}", "unreadable")?,
                None => write!(out, "{:>14}", "—")?,
            }
        }
        writeln!(out)?;
    }
    for suite in suites.iter().filter(|suite| suite.tasks.iter().any(has)) {
        for note in notes(&suite.slug) {
            writeln!(out, "note: {note}")?;
        }
    }
    Ok(())
}
