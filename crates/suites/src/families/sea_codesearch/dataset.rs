//! CodeSearchNet in the cleaned split that GraphCodeBERT and SEA use: `test.jsonl` and `codebase.jsonl` in a folder for each
//! language. A query is the doc comment; it is taken out of the code, or the task were a string match.

use serde_json::{Map, Value, json};

use crate::collection::{self, Collection, Entry};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official_search;
use crate::item::Item;
use crate::task::{GenerateError, ItemRequest, Task};

/// Reader of `test.jsonl`: `url`, `docstring_tokens`; of `codebase.jsonl`: `url`, `code`, `docstring`.
pub(super) struct Files;

static SUBSETS: [Subset; 6] = [
    Subset { name: "ruby", title: "CodeSearchNet Ruby" },
    Subset { name: "javascript", title: "CodeSearchNet JavaScript" },
    Subset { name: "go", title: "CodeSearchNet Go" },
    Subset { name: "python", title: "CodeSearchNet Python" },
    Subset { name: "java", title: "CodeSearchNet Java" },
    Subset { name: "php", title: "CodeSearchNet PHP" },
];

impl Dataset for Files {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        official_search::in_folder(&SUBSETS, file_name, "test.jsonl")
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        let url = collection::name(&fields, "url")?;
        let query = dataset::texts(&fields, "docstring_tokens")?.join(" ");
        let gold = official_search::gold(vec![official_search::relevant([url.clone()])]);
        // Several doc comments may belong to one function.
        Ok(vec![official_search::record(subset, format!("{line_number}:{url}"), query, gold)?])
    }

    fn collection(&self) -> Option<&'static dyn Collection> {
        Some(&Self)
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "source": "official" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        official_search::item(task, request, record)
    }
}

impl Collection for Files {
    fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
        Ok(vec!["codebase.jsonl".to_owned()])
    }

    fn read(&self, _: &Subset, line: &str, _: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        let fields = dataset::object(line)?;
        let (url, code) = (collection::name(&fields, "url")?, dataset::text(&fields, "code")?);
        let code = comments(&fields)?.iter().fold(code, |code, comment| without(&code, comment));
        Ok(vec![Entry::text(url, Some(code))])
    }

    fn copies_count(&self) -> bool {
        true
    }
}

/// The doc comment as it was written, and as its tokens have it, longest first.
fn comments(fields: &Map<String, Value>) -> Result<Vec<String>, RecordError> {
    let mut comments = Vec::new();
    if fields.contains_key("docstring") {
        comments.push(dataset::text(fields, "docstring")?);
    }
    if fields.contains_key("docstring_tokens") {
        comments.push(dataset::texts(fields, "docstring_tokens")?.concat());
    }
    Ok(comments)
}

/// `code` without every place where `comment` stands, whatever the blanks between its letters, and without the empty quotes
/// that are left of it.
fn without(code: &str, comment: &str) -> String {
    let wanted: String = comment.split_whitespace().collect();
    if wanted.is_empty() {
        return code.to_owned();
    }
    let letters: Vec<(usize, char)> = code.char_indices().filter(|(_, letter)| !letter.is_whitespace()).collect();
    let dense: String = letters.iter().map(|(_, letter)| *letter).collect();
    // Bytes of `dense` at which each of its letters begins stand in the order of `letters`.
    let starts: Vec<usize> = dense.char_indices().map(|(at, _)| at).collect();
    let mut kept = String::with_capacity(code.len());
    let mut from = 0;
    for (at, found) in dense.match_indices(&wanted) {
        let place =
            |byte: usize| starts.binary_search(&byte).ok().and_then(|place| letters.get(place)).map(|found| found.0);
        let (start, end) = (place(at).unwrap_or(code.len()), place(at + found.len()).unwrap_or(code.len()));
        kept.push_str(code.get(from..start).unwrap_or_default());
        from = end;
    }
    kept.push_str(code.get(from..).unwrap_or_default());
    ["\"\"\"", "'''"].into_iter().fold(kept, |code, quotes| code.replace(&quotes.repeat(2), ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_doc_comment_is_taken_out() {
        let code = "def f(x):\n    \"\"\"Sums up.\n\n       All of x.\"\"\"\n    return sum(x)\n";
        let left = without(code, "Sums up.\n\nAll of x.");
        assert_eq!(left, "def f(x):\n    \n    return sum(x)\n");
        assert_eq!(without("// Adds.\nfn a() {}", "Adds."), "// fn a() {}");
        assert_eq!(without("a b", " "), "a b");
    }

    proptest! {
        #[test]
        fn nothing_of_it_is_left(before in "[a-m \n]{0,30}", comment in "[n-z]{1,9}( [n-z]{1,9}){0,3}", after in "[a-m \n]{0,30}") {
            let left = without(&format!("{before}\n{}\n{after}", comment.replace(' ', "\n   ")), &comment);
            let dense = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(dense(&left), dense(&before) + &dense(&after));
        }
    }
}
