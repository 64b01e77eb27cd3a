//! The bytes of a task version never change: every built-in task against frozen prompt digests.
//!
//! A digest that differs means that published results can no longer be recomputed. Add a task version instead.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

const FROZEN: &str = include_str!("golden/items.json");

fn digests() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |task: &Task, length: &str, index| {
        let length: Length = length.parse().unwrap();
        let item = task.item(&ItemRequest::new(42, index, length)).unwrap();
        found.insert(item.id.clone(), item.prompt_digest());
    };
    for task in Task::builtin() {
        let usual = Length::new(task.card().min_tokens.max(4096)).unwrap().to_string();
        for index in 0..3 {
            add(task, &usual, index);
        }
    }
    for slug in ["niah_single_2", "needlebench_mrs_zh", "cwe", "needle_threading_branched"] {
        add(Task::find(slug).unwrap(), "128k", 7);
    }
    found
}

#[test]
fn prompts_are_the_same_for_ever() {
    let frozen: BTreeMap<String, String> = serde_json::from_str(FROZEN).unwrap();
    let found = digests();
    if std::env::var_os("LONGBOARD_PRINT_DIGESTS").is_some() {
        println!("{}", serde_json::to_string_pretty(&found).unwrap());
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), frozen.keys().collect::<Vec<_>>());
    for (id, digest) in &found {
        assert_eq!(digest, frozen.get(id).unwrap(), "{id}");
    }
}
