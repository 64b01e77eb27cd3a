//! The document of an item: what is read, apart from the instructions before it and the question after it.

use std::collections::BTreeSet;

use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};
use longboard_suites::tokens;

/// Canonical tokens that instructions and question may take together.
const MOST_AROUND: u32 = 2048;

/// Families whose prompts are no text with a question about it: conversations, tasks of writing alone, and numbered
/// sentences to be marked.
const UNDIVIDED: [&str; 5] = ["golden_thread", "kg_extraction", "longgenbench", "mrcr", "topicseg"];

/// Tasks with prompts: rankings have none.
fn prompted() -> impl Iterator<Item = &'static Task> {
    Task::builtin().iter().filter(|task| task.retrieval().is_none())
}

#[test]
fn needles_lie_in_the_document_and_little_stands_around_it() {
    for task in prompted() {
        let usual = task.card().min_tokens.max(4096);
        for (length, index) in [(usual, 0), (usual, 5), (usual * 4, 2)] {
            let item = task.item(&ItemRequest::new(19, index, Length::new(length).unwrap())).unwrap();
            let Some(document) = &item.document else { continue };
            let text = item.joined();
            let (head, tail) = (text.get(..document.start).unwrap(), text.get(document.end..).unwrap());
            let around = tokens::count(head) + tokens::count(tail);
            assert!(around < MOST_AROUND, "{}: {around} tokens around the document", item.id);
            assert!(!tail.trim().is_empty() && !document.is_empty(), "{}: no question after the document", item.id);
            for needle in &item.needles {
                let inside = document.start <= needle.start && needle.end <= document.end;
                assert!(inside, "{}: a needle at {}..{} outside {document:?}", item.id, needle.start, needle.end);
            }
        }
    }
}

#[test]
fn every_other_family_divides_its_prompts() {
    let undivided = |task: &&Task| {
        let length = Length::new(task.card().min_tokens.max(4096)).unwrap();
        task.item(&ItemRequest::new(19, 0, length)).unwrap().document.is_none()
    };
    let without: BTreeSet<&str> = prompted().filter(undivided).map(|task| task.definition().family.as_str()).collect();
    assert_eq!(without, BTreeSet::from(UNDIVIDED));
}
