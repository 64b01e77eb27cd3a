//! Scores of answers about documents lie between 0 and 1, whatever the answer is.

use longboard_suites::metrics::{helmet, l_citeeval, leval, long_tail, loogle};
use proptest::prelude::*;

fn inside(score: f64) -> bool {
    (0.0..=1.0).contains(&score)
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
