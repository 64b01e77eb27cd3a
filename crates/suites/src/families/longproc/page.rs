//! Pages to tables: the register of a guild hall as HTML, of which only some items are wanted.

use crate::card::Language;
use crate::counter::Counter;
use crate::families::prose;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::{Person, PersonId, Trade, World};

use super::Level;

const HEADER: &str = "name\ttown\tyear";

pub(super) fn generate(
    task: &Task,
    request: &ItemRequest<'_>,
    level: Level,
    mut rng: Rng,
) -> Result<Item, GenerateError> {
    let world = World::new(request.seed);
    let limit = request.length.tokens().saturating_sub(level.output_tokens());
    let wanted_trade = rng.choose(&Trade::ALL).copied().unwrap_or(Trade::Miller);
    let trade = wanted_trade.noun();
    let head =
        "Below is a page from the register of a guild hall.\n\n```html\n<html>\n<body>\n<h1>Register</h1>\n<ul>\n";
    let tail = format!(
        "</ul>\n</body>\n</html>\n```\n\nTake from the page every person whose trade is {trade}, and nobody else, in the order of the page. Write a table with tabs between the cells: the name, the town, and the year of birth. Begin with the header and put the table between these marks:\n```tsv\n{HEADER}\n```"
    );
    let mut frame = Prompt::default();
    frame.push(head);
    frame.push(&tail);
    let mut left = limit.saturating_sub(frame.tokens() + 4);
    let mut counter = Counter::default();
    let range = level.answer_tokens();
    let mut rows = rng.between(u64::from(*range.start()), u64::from(range.end() * 9 / 10)) as u32;
    // At most so much of the page is wanted; the rest is for others.
    let mut room = left * 6 / 10;
    let mut all = Vec::new();
    let mut source = people(world, &mut rng);
    for person in source.by_ref().filter(|person| person.trade == wanted_trade) {
        let (item, line) = (counter.count(&entry(world, &person)), counter.count(&row(world, &person)) + 1);
        if item > room || line > rows {
            break;
        }
        (room, left, rows) = (room - item, left - item, rows - line);
        all.push(person);
    }
    let count = all.len();
    for person in source.filter(|person| person.trade != wanted_trade) {
        let item = counter.count(&entry(world, &person));
        if item > left {
            break;
        }
        left -= item;
        all.push(person);
    }
    if count < 3 {
        return Err(prose::unsatisfiable(task, request, "the page holds fewer than three wanted items"));
    }
    rng.shuffle(&mut all);
    let mut prompt = Prompt::default();
    prompt.push(head);
    prompt.begin_document();
    let mut table = vec![HEADER.to_owned()];
    for person in &all {
        let text = entry(world, person);
        if person.trade == wanted_trade {
            prompt.push_needle(text.trim_end());
            prompt.push("\n");
            table.push(row(world, person));
        } else {
            prompt.push(&text);
        }
    }
    prompt.end_document();
    prompt.push(&tail);
    Ok(prompt.finish(task, request, Answer { references: vec![table.join("\n")], ..Answer::default() }))
}

/// People of the world from a random one on, without end.
fn people(world: World, rng: &mut Rng) -> impl Iterator<Item = Person> + use<> {
    let first = rng.below(u64::from(u32::MAX) / 2) as u32;
    (first..).map(move |id| world.person(PersonId(id)))
}

fn town(world: World, person: &Person) -> String {
    world.town(person.home).name.of(Language::English)
}

fn row(world: World, person: &Person) -> String {
    format!("{}\t{}\t{}", person.name.of(Language::English), town(world, person), person.born)
}

fn entry(world: World, person: &Person) -> String {
    format!(
        "<li><b>{}</b> <i>{}</i>, born in <u>{}</u> at <em>{}</em></li>\n",
        person.name.of(Language::English),
        person.trade.noun(),
        person.born,
        town(world, person)
    )
}
