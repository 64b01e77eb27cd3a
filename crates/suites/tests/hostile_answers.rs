//! Every built-in task scores whatever it is sent: empty, huge, in another script, broken, or the prompt itself.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

fn item(task: &Task, index: u32) -> Item {
    let length = task.card().min_tokens.max(4096);
    task.item(&ItemRequest::new(31, index, Length::new(length).unwrap())).unwrap()
}

fn check(task: &Task, item: &Item, answer: &str) -> f64 {
    let scored = task.score(item, answer);
    for value in std::iter::once(scored.score).chain(scored.strict) {
        assert!(
            (0.0..=1.0).contains(&value),
            "{}: {value} for {:?}",
            item.id,
            answer.chars().take(80).collect::<String>()
        );
    }
    assert!(scored.extracted.chars().count() <= 2000, "{}: {} characters", item.id, scored.extracted.len());
    scored.strict.unwrap_or(scored.score)
}

#[test]
fn no_answer_breaks_a_scorer() {
    for task in Task::builtin() {
        let item = item(task, 1);
        let oracle = task.family().oracle(task, &item);
        let reference = item.references.first().cloned().unwrap_or_default();
        let answers = [
            "\u{0}\u{1}\u{fffd}\u{202e}".repeat(500),
            "答案是第七个。".repeat(300),
            "پاسخ در متن نیست. ".repeat(300),
            "[[[[{{{{((((\"\"\"\"".repeat(200),
            "9".repeat(5000),
            oracle.chars().rev().collect(),
            oracle.replace(' ', "\u{a0}"),
            [reference.as_str(), "\n\n"].concat().repeat(8),
            [oracle.as_str(), "\n", oracle.as_str()].concat(),
        ];
        for answer in &answers {
            check(task, &item, answer);
        }
    }
}

#[test]
fn a_megabyte_is_scored() {
    for task in Task::builtin() {
        let item = item(task, 0);
        let oracle = task.family().oracle(task, &item);
        let piece = format!("{oracle}\n<Plan>#*# Answer_3:\n```tsv\n- A. 7 B, word word. ");
        check(task, &item, &piece.repeat(1_000_000 / piece.len() + 1));
    }
}

#[test]
fn reciting_the_prompt_is_no_full_answer() {
    // Not LongFact: whoever writes all that the annals say of their only town has done what was asked.
    let families = ["longgenbench", "golden_thread", "longproc", "infinitebench", "needle_threading"];
    for task in Task::builtin().iter().filter(|task| families.contains(&task.definition().family.as_str())) {
        for index in 0..2 {
            let item = item(task, index);
            let score = check(task, &item, &item.joined());
            assert!(score < 1.0 || task.card().strict_metric.is_none(), "{}: {score}", item.id);
        }
    }
}
