//! Measures of rankings as trec_eval takes them, at cut-offs, of runs against graded judgements.

use std::collections::BTreeMap;

use super::ruler::round;

/// Documents that a query found, with their scores, by query.
pub type Run = BTreeMap<String, BTreeMap<String, f64>>;

/// Grades of documents by query; a document without a grade is not relevant.
pub type Judgements = BTreeMap<String, BTreeMap<String, u32>>;

/// The documents best first: by score, then by name descending, as trec_eval breaks ties. NaN stands last.
#[must_use]
pub fn order(scores: &BTreeMap<String, f64>) -> Vec<&str> {
    let number = |score: f64| if score.is_nan() { f64::NEG_INFINITY } else { score + 0.0 };
    let mut order: Vec<(f64, &str)> = scores.iter().map(|(name, score)| (number(*score), name.as_str())).collect();
    order.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then_with(|| other.1.cmp(one.1)));
    order.into_iter().map(|(_, name)| name).collect()
}

/// Measures of one ranking, 0..1, unrounded.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Normalised discounted cumulative gain: linear gain, discount log2(rank + 1).
    pub ndcg: f64,
    /// Average precision over all relevant documents.
    pub map: f64,
    /// Relevant documents found over all relevant ones.
    pub recall: f64,
    /// Relevant documents found over the cut-off.
    pub precision: f64,
}

/// Measures of `order` at a cut-off. Documents without a grade are not relevant; no relevant document gives 0.
#[must_use]
pub fn measures(order: &[&str], grades: &BTreeMap<String, u32>, cut: usize) -> Measures {
    let grade = |document: &&str| grades.get(*document).copied().unwrap_or_default();
    let relevant = grades.values().filter(|grade| **grade > 0).count();
    if relevant == 0 || cut == 0 {
        return Measures::default();
    }
    let (mut found, mut precisions, mut gain) = (0_usize, 0.0, 0.0);
    for (document, rank) in order.iter().take(cut).zip(1_usize..) {
        let grade = grade(document);
        gain += discounted(grade, rank);
        if grade > 0 {
            found += 1;
            precisions += found as f64 / rank as f64;
        }
    }
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|one, other| other.cmp(one));
    let best: f64 = ideal.into_iter().take(cut).zip(1..).map(|(grade, rank)| discounted(grade, rank)).sum();
    let relevant = relevant as f64;
    Measures {
        ndcg: gain / best,
        map: precisions / relevant,
        recall: found as f64 / relevant,
        precision: found as f64 / cut as f64,
    }
}

fn discounted(grade: u32, rank: usize) -> f64 {
    f64::from(grade) / (rank as f64 + 1.0).log2()
}

/// One over the rank of the first relevant document, 0 without one.
#[must_use]
pub fn reciprocal_rank(order: &[&str], grades: &BTreeMap<String, u32>) -> f64 {
    let relevant = |document: &&str| grades.get(*document).is_some_and(|grade| *grade > 0);
    order.iter().position(relevant).map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

/// NDCG at several cut-offs, of queries and over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NdcgTable {
    /// Cut-off and mean over the queries, rounded to five decimals as mteb and BEIR print it, 0..1.
    pub mean: BTreeMap<usize, f64>,
    /// By query: cut-off and value, unrounded, 0..1.
    pub per_query: BTreeMap<String, BTreeMap<usize, f64>>,
}

/// NDCG at `cuts` of the queries that both the run and the judgements know.
#[must_use]
pub fn ndcg_table(run: &Run, judgements: &Judgements, cuts: &[usize]) -> NdcgTable {
    let mut per_query = BTreeMap::new();
    for (query, scores) in run {
        let Some(grades) = judgements.get(query) else { continue };
        let order = order(scores);
        let at = |cut: &usize| (*cut, measures(&order, grades, *cut).ndcg);
        let _ = per_query.insert(query.clone(), cuts.iter().map(at).collect::<BTreeMap<_, _>>());
    }
    let mean = |cut: &usize| {
        let values: Vec<f64> = per_query.values().filter_map(|row| row.get(cut).copied()).collect();
        (*cut, round(average(&values), 5))
    };
    NdcgTable { mean: cuts.iter().map(mean).collect(), per_query }
}

/// Mean of average precision at `cut` over the queries that both sides know, 0..1, unrounded; 0 without one.
#[must_use]
pub fn mean_average_precision(run: &Run, judgements: &Judgements, cut: usize) -> f64 {
    let known = run.iter().filter_map(|(query, scores)| Some((scores, judgements.get(query)?)));
    let values: Vec<f64> = known.map(|(scores, grades)| measures(&order(scores), grades, cut).map).collect();
    average(&values)
}

/// Place of `index` among scores, from 1: those that score more come first, and of equals those that stand later, as a
/// reversed ascending sort has it. `None` where there is no such index.
#[must_use]
pub fn rank_of_index(scores: &[f64], index: usize) -> Option<usize> {
    let own = *scores.get(index)?;
    let before = |(place, score): (usize, &f64)| *score > own || (*score == own && place > index);
    Some(1 + scores.iter().enumerate().filter(|entry| before(*entry)).count())
}

/// Mean of `values`; 0 of none.
#[must_use]
pub fn average(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graded() -> impl Strategy<Value = BTreeMap<String, u32>> {
        proptest::collection::btree_map("[a-z]{1,3}", 0_u32..4, 1..20)
    }

    #[test]
    fn ties_are_broken_by_name_descending() {
        let scores = BTreeMap::from([("a".to_owned(), 1.0), ("c".to_owned(), 1.0), ("b".to_owned(), 2.0)]);
        assert_eq!(order(&scores), ["b", "c", "a"]);
        let odd = BTreeMap::from([("z".to_owned(), f64::NAN), ("n".to_owned(), -0.0), ("p".to_owned(), 0.0)]);
        assert_eq!(order(&odd), ["p", "n", "z"]);
    }

    #[test]
    fn measures_by_hand() {
        let grades = BTreeMap::from([("x".to_owned(), 1), ("y".to_owned(), 1)]);
        let found = measures(&["n", "x", "m", "y"], &grades, 1000);
        assert!((found.map - 0.5).abs() < 1e-12);
        assert!((found.ndcg - (1.0 / 3_f64.log2() + 1.0 / 5_f64.log2()) / (1.0 + 1.0 / 3_f64.log2())).abs() < 1e-12);
        assert_eq!(reciprocal_rank(&["n", "x"], &grades), 0.5);
        assert_eq!(rank_of_index(&[0.5, 0.5, 0.9], 0), Some(3));
        assert_eq!(rank_of_index(&[0.5], 1), None);
    }

    #[test]
    fn queries_of_one_side_are_left_out() {
        let run =
            Run::from([("q".to_owned(), BTreeMap::from([("x".to_owned(), 1.0)])), ("r".to_owned(), BTreeMap::new())]);
        let judged = Judgements::from([
            ("q".to_owned(), BTreeMap::from([("x".to_owned(), 1)])),
            ("s".to_owned(), BTreeMap::from([("x".to_owned(), 1)])),
        ]);
        assert_eq!(ndcg_table(&run, &judged, &[10]).mean, BTreeMap::from([(10, 1.0)]));
        assert_eq!(mean_average_precision(&run, &judged, 1000), 1.0);
    }

    proptest! {
        #[test]
        fn the_ideal_order_has_ndcg_one_and_no_order_more(grades in graded(), cut in 1_usize..25, seed in any::<u64>()) {
            prop_assume!(grades.values().any(|grade| *grade > 0));
            let ideal: BTreeMap<String, f64> = grades.iter().map(|(name, grade)| (name.clone(), f64::from(*grade))).collect();
            prop_assert!((measures(&order(&ideal), &grades, cut).ndcg - 1.0).abs() < 1e-12);
            let mut some: Vec<&str> = grades.keys().map(String::as_str).collect();
            let turn = usize::try_from(seed % 20).unwrap() % some.len();
            some.rotate_left(turn);
            let found = measures(&some, &grades, cut);
            for value in [found.ndcg, found.map, found.recall, found.precision] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{}", value);
            }
        }

        #[test]
        fn every_index_has_a_rank_of_its_own(scores in proptest::collection::vec(0_u8..4, 1..30)) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let mut ranks: Vec<usize> = (0..scores.len()).filter_map(|index| rank_of_index(&scores, index)).collect();
            ranks.sort_unstable();
            prop_assert_eq!(ranks, (1..=scores.len()).collect::<Vec<_>>());
        }
    }
}
