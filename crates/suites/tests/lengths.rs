//! Length accounting: every built-in task meets every length it declares, to the token.
#![expect(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "a test may panic")]

use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};
use longboard_suites::tokens;

fn request(length: u32, seed: u64, index: u32) -> ItemRequest<'static> {
    ItemRequest::new(seed, index, Length::new(length).unwrap())
}

/// 4k, or the shortest length of a task that has none so short.
fn usual(task: &Task) -> u32 {
    task.card().min_tokens.max(4096)
}

fn check(task: &Task, length: u32, seed: u64, index: u32) {
    let item = task.item(&request(length, seed, index)).unwrap_or_else(|error| panic!("{error}"));
    let text = item.joined();
    let name = &item.id;
    assert_eq!(item.prompt_tokens, tokens::count(&text), "{name}: the count is not exact");
    let share = f64::from(item.prompt_tokens + item.output_tokens) / f64::from(length);
    assert!((0.98..=1.0).contains(&share), "{name}: {share}");
    // Counting a prefix costs its length, so a chain of thousands of needles is checked at a few of them.
    for needle in item.needles.iter().step_by(item.needles.len().div_ceil(8).max(1)) {
        let before = tokens::count(&text[..needle.start]);
        assert!(before.abs_diff(needle.token_start) <= 1, "{name}: {before} tokens before, not {}", needle.token_start);
        assert!((needle.depth - f64::from(needle.token_start) / f64::from(item.prompt_tokens)).abs() < 1e-12);
        assert!(!text[needle.start..needle.end].trim().is_empty());
    }
    assert!(!item.references.is_empty() && item.references.iter().all(|reference| !reference.is_empty()), "{name}");
}

#[test]
fn every_task_meets_every_length() {
    for task in Task::builtin() {
        for length in [1024, 2048, 4096, 8192, 16_384, 32_768] {
            if length >= task.card().min_tokens {
                for index in 0..6 {
                    check(task, length, 42, index);
                }
            }
        }
    }
}

#[test]
fn long_items_are_exact_too() {
    for task in Task::builtin() {
        check(task, 131_072, 7, 3);
    }
    for slug in ["niah_multikey_2", "cwe", "needle_threading_single", "needlebench_srt_zh"] {
        check(Task::find(slug).unwrap(), 1_048_576, 7, 1);
    }
}

#[test]
fn a_length_that_cannot_be_met_is_named() {
    let task = Task::find("needle_threading_single").unwrap();
    let error = task.item(&request(1024, 1, 0)).unwrap_err().to_string();
    assert!(error.contains("needle_threading_single") && error.contains("4096"), "{error}");
}

#[test]
fn an_oracle_scores_in_full_and_nothing_scores_nothing() {
    for task in Task::builtin() {
        for index in 0..4 {
            let item = task.item(&request(usual(task), 11, index)).unwrap();
            let right = task.family().oracle(task, &item);
            // Package `rouge` gives 0.999999995 for equal texts.
            assert!((task.score(&item, &right).score - 1.0).abs() < 1e-6, "{}: {right}", item.id);
            let empty = task.score(&item, "");
            assert!(empty.strict.unwrap_or(empty.score) == 0.0 && !empty.well_formed, "{}", item.id);
        }
    }
}

#[test]
fn answers_stand_only_in_needles() {
    for task in Task::builtin().iter().filter(|task| !["vt", "cwe", "fwe"].contains(&task.slug())) {
        // A model answer's sentences stand nowhere in the text; `open_ended.rs` checks their evidence.
        if task.card().open_ended || !task.family().quotes_references() {
            continue;
        }
        let item = task.item(&request(usual(task), 5, 2)).unwrap();
        let text = item.joined();
        if task.slug().contains("_mrs_") || task.slug().contains("_atc_") {
            continue;
        }
        if !task.family().quotes_answers(&task.definition().params) {
            continue;
        }
        for reference in &item.references {
            let everywhere = text.matches(reference.as_str()).count();
            let planted: usize = item
                .needles
                .iter()
                .map(|needle| text[needle.start..needle.end].matches(reference.as_str()).count())
                .sum();
            assert_eq!(everywhere, planted, "{}: `{reference}`", item.id);
            assert!(planted >= 1);
        }
    }
}

#[test]
fn items_differ_by_index_and_repeat_by_seed() {
    for task in Task::builtin() {
        let digest = |seed, index| task.item(&request(usual(task), seed, index)).unwrap().prompt_digest();
        assert_eq!(digest(3, 0), digest(3, 0));
        assert_ne!(digest(3, 0), digest(3, 1));
        assert_ne!(digest(3, 0), digest(4, 0));
    }
}

#[test]
fn every_metric_of_a_card_is_in_the_catalogue() {
    let known: Vec<&str> = longboard_suites::metrics::catalogue().iter().map(|metric| metric.slug).collect();
    for task in Task::builtin() {
        for metric in std::iter::once(task.card().metric).chain(task.card().strict_metric) {
            assert!(known.contains(&metric), "{}: {metric}", task.slug());
        }
    }
}

#[test]
fn reciting_the_haystack_scores_officially_but_not_strictly() {
    let task = Task::find("niah_single_2").unwrap();
    let item = task.item(&request(4096, 1, 0)).unwrap();
    let scored = task.score(&item, &item.joined());
    assert_eq!((scored.score, scored.strict), (1.0, Some(0.0)));
}
