//! Math.Calc and Math.Find.

use std::collections::HashSet;

use serde_json::json;

use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{ItemRequest, Task};
use crate::tokens::count_digits;

/// Tokens of an operand with its sign and space, and of a result with its comma and space.
const STEP_TOKENS: u32 = 6;

/// A long row of sums and differences; the answer is the list of all results, about as long as the row.
pub(super) fn calc(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    let limit = request.length.tokens();
    let mut prompt = Prompt::default();
    prompt.push("Work out the row below from left to right. Write the result after every sign, all of them in order, separated by commas, and nothing else.\n\n");
    prompt.begin_document();
    let mut total = rng.between(100, 900);
    let mut row = total.to_string();
    let tail = "\n\nResults:";
    let frame = prompt.tokens() + 64;
    let steps = limit.saturating_sub(frame) / STEP_TOKENS;
    let mut results = Vec::with_capacity(steps as usize);
    for _ in 0..steps {
        let operand = rng.between(1, 99);
        // Results stay between 1 and 999: one token each.
        let minus = total > operand && (total + operand > 999 || rng.below(2) == 0);
        total = if minus { total - operand } else { total + operand };
        row.push_str(if minus { " - " } else { " + " });
        row.push_str(&operand.to_string());
        results.push(total);
    }
    prompt.push_needle(&row);
    prompt.end_document();
    prompt.push(tail);
    let texts: Vec<String> = results.iter().map(u64::to_string).collect();
    let answer = Answer {
        references: vec![texts.join(", ")],
        gold: json!({ "label": [results] }),
        output_tokens: Some(limit.saturating_sub(prompt.tokens())),
        ..Answer::default()
    };
    prompt.finish(task, request, answer)
}

const RANKS: [&str; 6] = [
    "largest number",
    "smallest number",
    "second largest number",
    "second smallest number",
    "third largest number",
    "median",
];

/// One number of a long list by its rank.
pub(super) fn find(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    let rank = request.index as usize % RANKS.len();
    let name = RANKS.get(rank).copied().unwrap_or_default();
    let head = format!("In the list below no number stands twice. Find the {name} of it.\n\n[");
    let tail = format!("]\n\nWhat is the {name} of the list? Reply with the number alone.\nThe {name} is");
    let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
    let mut frame = Prompt::default();
    frame.push(&head);
    frame.push(&tail);
    let mut used = frame.tokens() + 8;
    let (mut numbers, mut seen) = (Vec::new(), HashSet::new());
    while used < limit {
        let number = rng.between(1, 999_999) as u32;
        if seen.insert(number) {
            used += count_digits(number) + 2;
            numbers.push(number);
        }
    }
    while used > limit || numbers.len() % 2 == 0 {
        used -= numbers.pop().map_or(0, |number| count_digits(number) + 2);
    }
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    let right = match rank {
        0 => sorted.last(),
        1 => sorted.first(),
        2 => sorted.iter().rev().nth(1),
        3 => sorted.get(1),
        4 => sorted.iter().rev().nth(2),
        _ => sorted.get(sorted.len() / 2),
    };
    let right = right.copied().unwrap_or_default();
    let mut prompt = Prompt::default();
    prompt.push(&head);
    prompt.begin_document();
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            prompt.push(", ");
        }
        if *number == right {
            prompt.push_needle(&number.to_string());
        } else {
            prompt.push(&number.to_string());
        }
    }
    prompt.end_document();
    prompt.push(&tail);
    let answer = Answer { references: vec![right.to_string()], gold: json!({ "label": right }), ..Answer::default() };
    prompt.finish(task, request, answer)
}
