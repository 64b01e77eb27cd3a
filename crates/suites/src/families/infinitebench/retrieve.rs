//! Retrieve.PassKey, Retrieve.Number and Retrieve.KV.

use serde_json::json;

use crate::card::Language;
use crate::families::prose::{self, Plan};
use crate::families::words;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task, choice};

/// A number in noise: five digits, or ten with runs of equal ones.
pub(super) fn number(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Result<Item, GenerateError> {
    let (what, value) = if choice(&task.definition().params, "task") == "number_string" {
        ("number in the ledger", string_of_digits(&mut rng))
    } else {
        ("pass key", rng.between(10_000, 99_999).to_string())
    };
    let depth = prose::swept_depth(request.index);
    let plan = Plan {
        language: Language::English,
        head: format!("Somewhere in the text below stands the {what}, among many words without meaning. Find it.\n\n"),
        tail: format!("\n\nWhat is the {what}? Reply with the digits alone.\nThe {what} is"),
        needles: vec![(f64::from(depth) / 100.0, format!("Mark this well: the {what} is {value}."))],
        answer: Answer {
            references: vec![value.clone()],
            depth_percent: Some(depth),
            gold: json!({ "label": value }),
            ..Answer::default()
        },
    };
    prose::assemble(task, request, plan, &mut |budget| Ok(prose::noise(budget)))
}

/// Ten digits in runs of two to five equal ones, so that a digit more or less is easily read.
fn string_of_digits(rng: &mut Rng) -> String {
    let (mut digits, mut last) = (String::new(), 0);
    while digits.len() < 10 {
        let digit = rng.between(1, 9);
        if digit == last {
            continue;
        }
        last = digit;
        let run = rng.between(2, 5) as usize;
        digits.push_str(&digit.to_string().repeat(run.min(10 - digits.len())));
    }
    digits
}

/// A JSON object of identifiers.
pub(super) fn pairs(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
    let asked = (words::uuid(&mut rng), words::uuid(&mut rng));
    let head = "Here is a JSON object.\n\n{\n";
    let tail = format!("}}\n\nWhich value has the key \"{}\"? Reply with the value alone.\nThe value is", asked.0);
    let mut prompt = Prompt::default();
    prompt.push(head);
    prompt.begin_document();
    let line = |(key, value): &(String, String)| format!("\"{key}\": \"{value}\",\n");
    let mut used = prompt.tokens() + prompt.count(&tail) + prompt.count(&line(&asked));
    let mut lines = Vec::new();
    loop {
        let text = line(&(words::uuid(&mut rng), words::uuid(&mut rng)));
        used += prompt.count(&text);
        // The joints with head and tail cost a few tokens.
        if used + 4 > limit {
            break;
        }
        lines.push(text);
    }
    let depth = prose::swept_depth(request.index);
    let place = (f64::from(depth) / 100.0 * lines.len() as f64).round() as usize;
    lines.insert(place.min(lines.len()), line(&asked));
    for (index, text) in lines.iter().enumerate() {
        if index > 0 {
            prompt.push(",\n");
        }
        let pair = text.trim_end_matches(",\n");
        if index == place {
            prompt.push_needle(pair);
        } else {
            prompt.push(pair);
        }
    }
    prompt.push("\n");
    prompt.end_document();
    prompt.push(&tail);
    let answer = Answer {
        references: vec![asked.1.clone()],
        depth_percent: Some(depth),
        gold: json!({ "label": asked.1 }),
        ..Answer::default()
    };
    prompt.finish(task, request, answer)
}
