//! Path traversal: every city has one way out.

use crate::families::{prose, words};
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

use super::{Level, capitalised};

const WAYS: [&str; 4] = ["bus", "train", "plane", "ferry"];

/// One way: from, to, by.
struct Way {
    from: usize,
    to: usize,
    by: &'static str,
}

pub(super) fn generate(
    task: &Task,
    request: &ItemRequest<'_>,
    level: Level,
    mut rng: Rng,
) -> Result<Item, GenerateError> {
    let limit = request.length.tokens().saturating_sub(level.output_tokens());
    let names: Vec<String> =
        words::made_up(&mut rng, limit as usize / 12 + 1024).iter().map(|name| capitalised(name)).collect();
    let name = |city: usize| names.get(city).map_or("", String::as_str);
    let by = |rng: &mut Rng| rng.choose(&WAYS).copied().unwrap_or("bus");
    // One prompt counts and takes the lines, so that every name is encoded once.
    let mut prompt = Prompt::default();
    let low = u64::from(*level.answer_tokens().start());
    let high = u64::from(*level.answer_tokens().end());
    let wanted = rng.between(low, high * 9 / 10) as u32;
    let (mut ways, mut written, mut tokens) = (Vec::new(), Vec::new(), 16);
    while tokens < wanted {
        let city = ways.len();
        let way = Way { from: city, to: city + 1, by: by(&mut rng) };
        let step = format!("From {}, take a {} to {}.", name(way.from), way.by, name(way.to));
        tokens += prompt.count(&format!("{step}\n"));
        written.push(step);
        ways.push(way);
    }
    let goal = ways.len();
    ways.push(Way { from: goal, to: rng.index(goal), by: by(&mut rng) });
    let head = "Every city on the map below has exactly one way out, and none can be travelled backwards. Write the route from one city to another.\n\nMap\n\n";
    let tail = format!(
        "\nWrite the route from {} to {}: one line for each step, between the marks <Route> and </Route>, every line in exactly this form:\n<Route>\nFrom CITY, take a bus to CITY.\n</Route>\nThe means of travel are bus, train, plane and ferry.",
        name(0),
        name(goal)
    );
    let line = |way: &Way| format!("One can leave {} only by {}, for {}.\n", name(way.from), way.by, name(way.to));
    prompt.push(head);
    prompt.begin_document();
    let mut used = prompt.tokens() + prompt.count(&tail) + 4;
    used += ways.iter().map(|way| prompt.count(&line(way))).sum::<u32>();
    if used > limit {
        return Err(prose::unsatisfiable(
            task,
            request,
            format!("map, frame and answer need {} tokens", used + level.output_tokens()),
        ));
    }
    loop {
        let from = ways.len();
        let way = Way { from, to: rng.index(from), by: by(&mut rng) };
        used += prompt.count(&line(&way));
        if used > limit || from + 1 >= names.len() {
            break;
        }
        ways.push(way);
    }
    rng.shuffle(&mut ways);
    for way in &ways {
        let text = line(way);
        if way.from < goal {
            prompt.push_needle(text.trim_end());
            prompt.push("\n");
        } else {
            prompt.push(&text);
        }
    }
    prompt.end_document();
    prompt.push(&tail);
    Ok(prompt.finish(task, request, Answer { references: vec![written.join("\n")], ..Answer::default() }))
}
