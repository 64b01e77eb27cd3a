//! Countdown: from four numbers to a target by a search that is written out.

use serde_json::json;

use crate::item::Item;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

use super::Level;

/// Results from here on are dropped.
const TOO_LARGE: i64 = 2000;

pub(super) fn generate(
    task: &Task,
    request: &ItemRequest<'_>,
    level: Level,
    mut rng: Rng,
) -> Result<Item, GenerateError> {
    let (numbers, target, trace) = draw(level, &mut rng);
    let example = Search::solve(&[6, 2, 9, 4], 13).unwrap_or_default();
    let head = format!(
        "Four numbers and a target stand in one sentence of the chronicle below. Use each of the four once, with + - * and /, to reach the target.\n\nSearch as in the example: take the pairs of the present numbers in order; for each pair try the larger with the smaller, first +, then -, then *, then /; put the result in front of the numbers left and go on, deeper first. Drop a result that is no whole number or is {TOO_LARGE} or larger. Stop at the target. Write out every step, then the three equations between <Solution> and </Solution>.\n\nExample: 6, 2, 9 and 4, target 13\n{example}\n\nChronicle\n\n"
    );
    let [one, two, three, four] = numbers;
    let needle =
        format!("The four numbers of the day are {one}, {two}, {three} and {four}, and the target is {target}.");
    let tail = "\n\nFind the four numbers and the target in the chronicle and write the search and the solution in the form of the example.".to_owned();
    let answer = Answer {
        references: vec![trace.clone()],
        gold: json!({ "numbers": numbers, "target": target, "trace": trace }),
        ..Answer::default()
    };
    super::scattered(task, request, &mut rng, [head, tail], vec![needle], answer)
}

/// Numbers and a target whose trace has the level's length.
fn draw(level: Level, rng: &mut Rng) -> ([i64; 4], i64, String) {
    let wanted = level.answer_tokens();
    loop {
        let numbers = [0; 4].map(|_| rng.between(1, 49) as i64);
        let mut firsts = Search::firsts(&numbers);
        // Digits and marks: a token holds about two bytes and a half.
        firsts.retain(|(value, bytes)| {
            (10..=50).contains(value) && (wanted.start() * 2..wanted.end() * 3).contains(&(*bytes as u32))
        });
        rng.shuffle(&mut firsts);
        for (target, _) in firsts.into_iter().take(2) {
            let Some(trace) = Search::solve(&numbers, target) else { continue };
            if wanted.contains(&crate::tokens::count(&trace)) {
                return (numbers, target, trace);
            }
        }
    }
}

/// A search with its trace.
struct Search<'a> {
    target: Option<i64>,
    lines: String,
    equations: Vec<String>,
    /// Called for each result of all four numbers, with the bytes written so far.
    on_result: &'a mut dyn FnMut(i64, usize),
}

impl Search<'_> {
    /// Trace and solution; `None` when the target cannot be reached.
    fn solve(numbers: &[i64], target: i64) -> Option<String> {
        let mut search =
            Search { target: Some(target), lines: String::new(), equations: Vec::new(), on_result: &mut |_, _| () };
        search.lines =
            format!("# Search Procedure\nStart: {}, target {target}. Pairs: {}.", list(numbers), pairs(numbers));
        search.explore(numbers, 1).then(|| {
            let solution = search.equations.join("\n");
            format!(
                "{}\n\nNow we have found the target, by these three steps:\n<Solution>\n{solution}\n</Solution>",
                search.lines
            )
        })
    }

    /// Every result of all four numbers with the bytes of the trace before it is first reached.
    fn firsts(numbers: &[i64]) -> Vec<(i64, usize)> {
        let mut found: Vec<(i64, usize)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut note = |value: i64, bytes: usize| {
            if seen.insert(value) {
                found.push((value, bytes));
            }
        };
        let mut search = Search { target: None, lines: String::new(), equations: Vec::new(), on_result: &mut note };
        search.explore(numbers, 1);
        found
    }

    /// Explores `numbers`; true when the target was reached.
    fn explore(&mut self, numbers: &[i64], depth: usize) -> bool {
        for one in 0..numbers.len() {
            for other in one + 1..numbers.len() {
                let get = |place: usize| numbers.get(place).copied().unwrap_or_default();
                let (first, second) = (get(one), get(other));
                let left: Vec<i64> = numbers
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| *place != one && *place != other)
                    .map(|(_, n)| *n)
                    .collect();
                let inner = if left.is_empty() {
                    depth
                } else {
                    self.line(depth, &format!("Pick two numbers ({first}, {second}), left over {}.", list(&left)));
                    depth + 1
                };
                for operator in ['+', '-', '*', '/'] {
                    if self.attempt(first.max(second), operator, first.min(second), &left, inner) {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn attempt(&mut self, large: i64, operator: char, small: i64, left: &[i64], depth: usize) -> bool {
        let value = match operator {
            '+' => large + small,
            '-' => large - small,
            '*' => large * small,
            _ if small == 0 => {
                self.line(depth, &format!("Try {large} / {small} cannot be done, drop this branch."));
                return false;
            }
            _ if large % small != 0 => {
                let value = large as f64 / small as f64;
                self.line(depth, &format!("Try {large} / {small} = {value:.1}, no whole number, drop this branch."));
                return false;
            }
            _ => large / small,
        };
        let equation = format!("{large} {operator} {small} = {value}");
        if value >= TOO_LARGE {
            self.line(depth, &format!("Try {equation}, too large, drop this branch."));
            return false;
        }
        if left.is_empty() {
            (self.on_result)(value, self.lines.len());
            let reached = self.target == Some(value);
            let verdict = if reached { "the target" } else { "not the target, drop this branch" };
            self.line(depth, &format!("Try {equation}, {verdict}."));
            if reached {
                self.equations.push(equation);
            }
            return reached;
        }
        let numbers: Vec<i64> = std::iter::once(value).chain(left.iter().copied()).collect();
        let further = if numbers.len() > 2 { format!(" Pairs: {}.", pairs(&numbers)) } else { String::new() };
        self.line(depth, &format!("Try {equation}. Numbers: {}.{further}", list(&numbers)));
        self.equations.push(equation);
        if self.explore(&numbers, depth + 1) {
            return true;
        }
        self.equations.pop();
        false
    }

    fn line(&mut self, depth: usize, text: &str) {
        self.lines.push('\n');
        self.lines.push_str(&" ".repeat(depth));
        self.lines.push_str("|- ");
        self.lines.push_str(text);
    }
}

fn list(numbers: &[i64]) -> String {
    format!("[{}]", numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
}

fn pairs(numbers: &[i64]) -> String {
    let mut found = Vec::new();
    for (place, one) in numbers.iter().enumerate() {
        found.extend(numbers.iter().skip(place + 1).map(|other| format!("({one}, {other})")));
    }
    found.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::longproc::countdown;

    #[test]
    fn a_trace_ends_in_a_solution() {
        let trace = Search::solve(&[21, 16, 17, 26], 46).unwrap();
        assert!(trace.ends_with("<Solution>\n21 + 16 = 37\n37 - 17 = 20\n26 + 20 = 46\n</Solution>"), "{trace}");
        assert_eq!(countdown(&trace, &[21, 16, 17, 26], 46, &trace).0.accuracy, 1.0);
        let (search, _) = trace.split_once("\n\nNow").unwrap();
        assert_eq!(countdown(search, &[21, 16, 17, 26], 46, &trace).0.partial, 0.9);
        assert!(Search::solve(&[1, 1, 1, 1], 50).is_none());
    }

    #[test]
    fn traces_have_the_length_of_their_level() {
        for level in [Level::Short, Level::Middle, Level::Long] {
            for seed in 0..6 {
                let (_, _, trace) = draw(level, &mut Rng::from_path(&[seed]));
                assert!(level.answer_tokens().contains(&crate::tokens::count(&trace)));
            }
        }
    }
}
