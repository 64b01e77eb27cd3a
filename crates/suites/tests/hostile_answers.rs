//! Answers of any kind get a score between 0 and 1: other scripts, control characters, a megabyte, the whole prompt.

use longboard_suites::length::Length;
use longboard_suites::metrics::{helmet, l_citeeval, leval, long_tail, loogle};
use longboard_suites::task::{ItemRequest, Task};
use proptest::prelude::*;

const FAMILIES: [&str; 8] =
    ["leval", "loogle", "l_citeeval", "long_tail", "detectiveqa", "helmet_recall", "helmet_rerank", "ruler_qa"];

fn inside(score: f64) -> bool {
    (0.0..=1.0).contains(&score)
}

#[test]
fn every_task_scores_every_answer() {
    let mut seen = std::collections::BTreeSet::new();
    for task in Task::builtin().iter().filter(|task| FAMILIES.contains(&task.definition().family.as_str())) {
        // One task per metric: its shapes read answers alike.
        if !seen.insert(task.card().metric) {
            continue;
        }
        let length = Length::new(task.card().min_tokens.max(4096)).unwrap();
        let item = task.item(&ItemRequest::new(9, 1, length)).unwrap();
        let right = task.family().oracle(task, &item);
        let answers = [
            item.joined(),
            "是的。 [1][2] {\"counts\": [".repeat(2_000),
            "a > b > 1 > 2 [fact: The answer is A. ".repeat(27_000),
            "\u{0}\u{1b}[31m\u{202e}\u{fffd}".to_owned(),
            right.chars().rev().collect(),
            "[".repeat(5_000),
            "[99999999999999999999999]".to_owned(),
        ];
        for answer in &answers {
            let scored = task.score(&item, answer);
            assert!(inside(scored.score) && scored.strict.is_none_or(inside), "{}: {scored:?}", task.slug());
            assert!(scored.extracted.chars().count() <= 4_000, "{}", task.slug());
        }
    }
}

proptest! {
    #[test]
    fn metrics_stay_in_range(answer in "\\PC{0,120}|[\\[\\]0-9 >IVX{}'\":,.<maskA-Z-]{0,120}", right in "\\PC{1,40}") {
        let references = [right.clone()];
        prop_assert!(inside(leval::em_score(&answer, &right)) && inside(leval::em_score_strict(&answer, &right)));
        prop_assert!(loogle::bleu1_bleu4(&answer, &right).into_iter().all(inside));
        prop_assert!(inside(loogle::rouge_l_recall(&answer, &right)));
        let masks = [("<mask-0>".to_owned(), right.clone())].into();
        let filled = loogle::cloze(&answer, &masks);
        prop_assert!(filled.exact <= filled.partial.max(filled.exact) && filled.total == 1);
        let order: Vec<String> = ["I", "II", "III"].map(String::from).into();
        prop_assert!(inside(loogle::order_score(&loogle::numerals(&answer), &order)));
        prop_assert!(inside(l_citeeval::qa_f1_p_r(&answer, &references).f));
        prop_assert!(inside(l_citeeval::niah(&answer, 0).0.f1));
        prop_assert!(inside(l_citeeval::counting_stars(&answer, &[1, 2].into()).0.f1));
        let cited = l_citeeval::citation_prf(&[&answer], 3, &mut |passages, _| passages.contains(&0));
        prop_assert!(cited.is_some_and(|(prf, _)| inside(prf.f1)));
        prop_assert!(inside(long_tail::accuracy(&answer, &right)));
        prop_assert!(inside(helmet::ndcg10(&answer, &[("1".to_owned(), 2)].into())));
        prop_assert!(inside(helmet::short_answer(&answer, &references, "Answer:").f1));
    }
}
