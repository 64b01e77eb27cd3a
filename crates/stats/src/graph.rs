//! Which ratings the votes fix: components of the graph "beat or tied".

/// Strongly connected components of a directed graph, largest first, members ascending (Kosaraju, without recursion).
///
/// `edges` are `(from, to)` below `nodes`; others are ignored.
#[must_use]
pub fn strong_components(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let forward = neighbours(nodes, edges.iter().copied());
    let backward = neighbours(nodes, edges.iter().map(|&(from, to)| (to, from)));
    let mut finished = Vec::with_capacity(nodes);
    let mut seen = vec![false; nodes];
    for root in 0..nodes {
        walk(root, &forward, &mut seen, &mut finished);
    }
    let mut seen = vec![false; nodes];
    let mut components = Vec::new();
    for &root in finished.iter().rev() {
        let mut members = Vec::new();
        walk(root, &backward, &mut seen, &mut members);
        if !members.is_empty() {
            members.sort_unstable();
            components.push(members);
        }
    }
    components.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    components
}

fn neighbours(nodes: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); nodes];
    for (from, to) in edges {
        if let (Some(list), true) = (lists.get_mut(from), to < nodes) {
            list.push(to);
        }
    }
    lists
}

/// Depth first from `root`; nodes are appended when all they reach is done.
fn walk(root: usize, lists: &[Vec<usize>], seen: &mut [bool], done: &mut Vec<usize>) {
    let mut stack = vec![(root, 0)];
    if seen.get(root).copied().unwrap_or(true) {
        return;
    }
    mark(seen, root);
    while let Some((node, next)) = stack.pop() {
        let Some(&child) = lists.get(node).and_then(|list| list.get(next)) else {
            done.push(node);
            continue;
        };
        stack.push((node, next + 1));
        if !seen.get(child).copied().unwrap_or(true) {
            mark(seen, child);
            stack.push((child, 0));
        }
    }
}

fn mark(seen: &mut [bool], node: usize) {
    if let Some(flag) = seen.get_mut(node) {
        *flag = true;
    }
}

/// Edges "beat or tied" (a tie runs both ways), `(winner, loser)`, of `(first, second, [first won, tie, second won])`.
pub fn beat_or_tied(results: impl Iterator<Item = (usize, usize, [f64; 3])>) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (first, second, weights) in results {
        let [won, tied, lost] = weights.map(|weight| weight > 0.0);
        if won || tied {
            edges.push((first, second));
        }
        if lost || tied {
            edges.push((second, first));
        }
    }
    edges
}

/// Edges "met", both ways.
pub fn met(results: impl Iterator<Item = (usize, usize, [f64; 3])>) -> Vec<(usize, usize)> {
    let seen = results.filter(|(_, _, weights)| weights.iter().any(|weight| *weight > 0.0));
    seen.flat_map(|(first, second, _)| [(first, second), (second, first)]).collect()
}

/// True if a tie model has no finite maximum although the graph is strongly connected: the models can be placed so that
/// every win spans at least one step and every tie at most one, and then gaps and tie parameter grow together for ever.
///
/// The placement is a system of difference constraints, solved by Bellman-Ford.
#[must_use]
pub fn ties_run_away(models: usize, results: impl Iterator<Item = (usize, usize, [f64; 3])>) -> bool {
    let mut constraints = Vec::new();
    for (first, second, weights) in results {
        let [won, tied, lost] = weights.map(|weight| weight > 0.0);
        if won {
            constraints.push((first, second, -1.0));
        }
        if lost {
            constraints.push((second, first, -1.0));
        }
        if tied {
            constraints.extend([(first, second, 1.0), (second, first, 1.0)]);
        }
    }
    let mut height = vec![0.0_f64; models];
    for _ in 0..=models {
        let mut changed = false;
        for &(above, below, step) in &constraints {
            let bound = height.get(above).copied().unwrap_or_default() + step;
            if let Some(value) = height.get_mut(below).filter(|value| **value > bound) {
                *value = bound;
                changed = true;
            }
        }
        if !changed {
            return true;
        }
    }
    false
}
