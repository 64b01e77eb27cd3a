//! Code.Debug and Code.Run, in a small part of Python.

use serde_json::json;

use crate::families::words;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{ItemRequest, Task};

/// Functions and the order in which they stand.
struct File {
    functions: Vec<String>,
    /// Indices of those that the answer rests on.
    evidence: Vec<usize>,
}

impl File {
    fn write(&self, prompt: &mut Prompt, rng: &mut Rng) {
        let mut order: Vec<usize> = (0..self.functions.len()).collect();
        rng.shuffle(&mut order);
        for index in order {
            let text = self.functions.get(index).map_or("", String::as_str);
            if self.evidence.contains(&index) {
                prompt.push_needle(text);
            } else {
                prompt.push(text);
            }
            prompt.push("\n\n");
        }
    }
}

/// Takes functions from `make` while they fit.
fn fill(prompt: &mut Prompt, functions: &mut Vec<String>, room: u32, mut make: impl FnMut(usize) -> String) {
    let mut cost = |text: &str| prompt.count(&format!("{text}\n\n"));
    let mut used: u32 = functions.iter().map(|text| cost(text)).sum();
    loop {
        let text = make(functions.len());
        used += cost(&text);
        if used > room {
            return;
        }
        functions.push(text);
    }
}

/// A prompt that holds its head, and the tokens left for functions before the tail. One prompt counts and takes the
/// functions, so that every name is encoded once.
fn opened(task: &Task, request: &ItemRequest<'_>, head: &str, tail: &str) -> (Prompt, u32) {
    let mut prompt = Prompt::default();
    prompt.push(head);
    let frame = prompt.tokens() + prompt.count(tail) + 4;
    prompt.begin_document();
    (prompt, request.length.tokens().saturating_sub(task.card().output_tokens + frame))
}

/// Calls through a chain of functions, among other chains.
pub(super) fn run(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    let depth = 2 + request.index as usize % 7;
    let most = request.length.tokens() as usize / 16 + depth + 1;
    let names = words::made_up(&mut rng, most);
    let name = |index: usize| names.get(index % most).map_or("", String::as_str);
    let mut value = rng.between(1, 50) as i64;
    let start = value;
    let mut functions = Vec::new();
    for link in 0..depth {
        let (before, after) = (rng.between(1, 40) as i64 - 20, rng.between(1, 40) as i64 - 20);
        let callee = (link + 1 < depth).then(|| name(link + 1));
        functions.push(function(name(link), callee, before, after));
        value += before + after;
    }
    let head = "Below is a Python file of many small functions.\n\n```python\n";
    let tail = format!(
        "```\n\nWhat does the call {}({start}) return? Follow the calls and reply with the number alone.\nReturn value:",
        name(0)
    );
    let (mut prompt, room) = opened(task, request, head, &tail);
    fill(&mut prompt, &mut functions, room, |index| {
        let callee = index - 1 - rng.index(index.min(depth));
        let (before, after) = (rng.between(1, 40) as i64 - 20, rng.between(1, 40) as i64 - 20);
        function(name(index), (rng.below(8) > 0).then(|| name(callee)), before, after)
    });
    let file = File { functions, evidence: (0..depth).collect() };
    let answer = Answer { references: vec![value.to_string()], gold: json!({ "label": value }), ..Answer::default() };
    file.write(&mut prompt, &mut rng);
    prompt.end_document();
    prompt.push(&tail);
    prompt.finish(task, request, answer)
}

fn function(name: &str, callee: Option<&str>, before: i64, after: i64) -> String {
    let term = |number: i64| format!("{} {}", if number < 0 { "-" } else { "+" }, number.abs());
    match callee {
        Some(callee) => format!("def {name}(x):\n    return {callee}(x {}) {}", term(before), term(after)),
        None => format!("def {name}(x):\n    return x {} {}", term(before), term(after)),
    }
}

/// One function that cannot run, among many that can.
pub(super) fn debug(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Item {
    let most = request.length.tokens() as usize / 24 + 8;
    let names = words::made_up(&mut rng, most);
    let name = |index: usize| names.get(index % most).map_or("", String::as_str);
    let options = vec![name(0).to_owned(), name(1).to_owned(), name(2).to_owned(), name(3).to_owned()];
    let (listed, letter) = super::lettered(options, &mut rng);
    let mut functions: Vec<String> = vec![broken(name(0), &mut rng)];
    functions.extend((1..4).map(|index| sound(name(index), &mut rng)));
    let head = "Below is a Python file. One of its functions fails whenever it is called, by an obvious mistake; all others run.\n\n```python\n";
    let tail = format!(
        "```\n\nWhich function fails?\n{listed}\n\nReply with the letter, a full stop and the name, as in \"A. name\".\nAnswer:"
    );
    let (mut prompt, room) = opened(task, request, head, &tail);
    fill(&mut prompt, &mut functions, room, |index| sound(name(index), &mut rng));
    let file = File { functions, evidence: vec![0] };
    let answer = Answer {
        references: vec![name(0).to_owned()],
        gold: json!({ "label": [name(0), letter] }),
        ..Answer::default()
    };
    file.write(&mut prompt, &mut rng);
    prompt.end_document();
    prompt.push(&tail);
    prompt.finish(task, request, answer)
}

const THINGS: [&str; 8] = ["weights", "prices", "depths", "heights", "counts", "widths", "hours", "scores"];

/// A function that runs, in one of four forms.
pub(in crate::families) fn sound(name: &str, rng: &mut Rng) -> String {
    let things = rng.choose(&THINGS).copied().unwrap_or_default();
    let (limit, factor) = (rng.between(2, 90), rng.between(2, 9));
    match rng.index(4) {
        0 => format!(
            "def {name}({things}):\n    total = 0\n    for value in {things}:\n        if value > {limit}:\n            total += value * {factor}\n    return total"
        ),
        1 => format!(
            "def {name}({things}):\n    kept = [value for value in {things} if value % {factor} == 0]\n    return len(kept) + {limit}"
        ),
        2 => format!(
            "def {name}({things}, start):\n    result = start + {limit}\n    for value in {things}:\n        result = max(result, value - {factor})\n    return result"
        ),
        _ => format!(
            "def {name}({things}):\n    found = {{}}\n    for place, value in enumerate({things}):\n        found[place + {factor}] = value - {limit}\n    return found"
        ),
    }
}

/// A function that fails on every call.
fn broken(name: &str, rng: &mut Rng) -> String {
    let things = rng.choose(&THINGS).copied().unwrap_or_default();
    let (limit, factor) = (rng.between(2, 90), rng.between(2, 9));
    match rng.index(4) {
        0 => format!(
            "def {name}({things}):\n    total = 0\n    for value in {things}:\n        if value > {limit}:\n            total += value * {factor}\n    return totals"
        ),
        1 => format!(
            "def {name}({things}):\n    kept = [value for value in {things} if value % {factor} == 0]\n    return len(kept) + {limit} / 0"
        ),
        2 => format!(
            "def {name}({things}, start):\n    result = start + {limit} + \"{factor}\" - None\n    for value in {things}:\n        result = max(result, value)\n    return result"
        ),
        _ => format!(
            "def {name}({things}):\n    found = {{}}\n    for place, value in enumerate({things}):\n        found[place + {factor}] = value - {limit}\n    return found.missing_{things}()"
        ),
    }
}
