//! Cycles that are not noise: A beats B beats C beats A, each beyond doubt.

use std::collections::{HashSet, VecDeque};

use crate::graph::strong_components;
use crate::multiplicity::holm;
use crate::win_matrix::PairRecord;

/// Most cycles listed.
pub const MOST_CYCLES: usize = 100;

/// Cycles whose every edge has a sign-test p-value of at most `level` after Holm's correction over all pairs: all
/// triangles, and a shortest cycle of each knot of models that has none. Each starts at its first name.
#[must_use]
pub fn cycles(records: &[PairRecord], level: f64) -> Vec<Vec<String>> {
    let mut names: Vec<&str> = records.iter().flat_map(|record| [record.a.as_str(), record.b.as_str()]).collect();
    names.sort_unstable();
    names.dedup();
    let edges = edges(records, &names, level);
    let beats: HashSet<(usize, usize)> = edges.iter().copied().collect();
    let mut found = Vec::new();
    for knot in strong_components(names.len(), &edges).iter().filter(|knot| knot.len() > 2) {
        let before = found.len();
        triangles(knot, &beats, &mut found);
        if found.len() == before {
            found.extend(shortest(knot, &beats));
        }
    }
    found.truncate(MOST_CYCLES);
    let name = |place: usize| names.get(place).map(|name| (*name).to_owned());
    found.into_iter().map(|cycle| cycle.into_iter().filter_map(name).collect()).collect()
}

fn edges(records: &[PairRecord], names: &[&str], level: f64) -> Vec<(usize, usize)> {
    let values: Vec<f64> = records.iter().map(|record| record.p_value).collect();
    let adjusted = holm(&values).unwrap_or_default();
    let surviving = records.iter().zip(adjusted).filter(|(_, p)| *p <= level);
    surviving
        .filter_map(|(record, _)| {
            let a = names.binary_search(&record.a.as_str()).ok()?;
            let b = names.binary_search(&record.b.as_str()).ok()?;
            let [above, below] = record.questions_won;
            Some(if above > below { (a, b) } else { (b, a) })
        })
        .collect()
}

/// Each triangle once, from its smallest member.
fn triangles(knot: &[usize], beats: &HashSet<(usize, usize)>, found: &mut Vec<Vec<usize>>) {
    for &a in knot {
        for &b in knot.iter().filter(|b| **b > a && beats.contains(&(a, **b))) {
            found.extend(third(knot, beats, a, b).filter(|c| *c > a).map(|c| vec![a, b, c]));
        }
        if found.len() >= MOST_CYCLES {
            return;
        }
    }
}

fn third<'a>(
    knot: &'a [usize],
    beats: &'a HashSet<(usize, usize)>,
    a: usize,
    b: usize,
) -> impl Iterator<Item = usize> + 'a {
    knot.iter().copied().filter(move |&c| beats.contains(&(b, c)) && beats.contains(&(c, a)))
}

/// A shortest cycle through any member, by breadth-first search from each.
fn shortest(knot: &[usize], beats: &HashSet<(usize, usize)>) -> Option<Vec<usize>> {
    knot.iter().filter_map(|&start| through(start, knot, beats)).min_by_key(|cycle| (cycle.len(), cycle.clone()))
}

fn through(start: usize, knot: &[usize], beats: &HashSet<(usize, usize)>) -> Option<Vec<usize>> {
    let mut queue = VecDeque::from([vec![start]]);
    let mut seen = HashSet::from([start]);
    while let Some(path) = queue.pop_front() {
        let last = *path.last()?;
        if path.len() > 1 && beats.contains(&(last, start)) {
            return Some(path);
        }
        for &next in knot {
            if beats.contains(&(last, next)) && seen.insert(next) {
                let mut longer = path.clone();
                longer.push(next);
                queue.push_back(longer);
            }
        }
    }
    None
}
