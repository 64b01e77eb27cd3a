//! Functions in a small language after Python: five steps over records with other work between them.

use crate::counter::Counter;
use crate::families::{searched, words};
use crate::haystack::{Planted, PlantedSentence};
use crate::item::Item;
use crate::retrieval::document_id;
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};

/// Different functions of a block: nine kin of five each and one more.
pub const PROGRAMS: u32 = 46;
/// Functions that are alike but for one step.
const KIN: u32 = 5;

const SOURCES: [&str; 12] = [
    "harbour", "granary", "toll", "census", "quarry", "mint", "orchard", "ferry", "bakery", "archive", "armoury",
    "weaver",
];
const FIELDS: [&str; 10] =
    ["weight", "age", "distance", "price", "depth", "height", "moisture", "delay", "volume", "rank"];
const GROUPS: [&str; 10] =
    ["captain", "village", "season", "guild", "warehouse", "street", "inspector", "bridge", "colour", "owner"];
const MEASURES: [&str; 10] = ["duty", "yield", "profit", "damage", "rent", "wage", "loss", "fee", "debt", "count"];
const AGGREGATES: [(&str, &str); 6] = [
    ("sum", "total"),
    ("mean", "average"),
    ("median", "median"),
    ("max", "largest"),
    ("min", "smallest"),
    ("last", "most recent"),
];

/// What a function computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Program {
    source: usize,
    field: usize,
    above: bool,
    threshold: u64,
    group: usize,
    measure: usize,
    aggregate: usize,
    descending: bool,
}

/// A function of a code base.
pub struct Function {
    program: Program,
    stream: Rng,
}

impl Function {
    /// Function `number` of a block.
    pub fn draw(task: &Task, request: &ItemRequest<'_>, block: u32, number: u32) -> Self {
        let mut kin = searched::stream(task, request, block, &format!("kin {}", number / KIN));
        let mut program = Program {
            source: kin.index(SOURCES.len()),
            field: kin.index(FIELDS.len()),
            above: kin.index(2) == 0,
            threshold: kin.between(100, 999),
            group: kin.index(GROUPS.len()),
            measure: kin.index(MEASURES.len()),
            aggregate: kin.index(AGGREGATES.len()),
            descending: kin.index(2) == 0,
        };
        let mut other = |chosen: usize, bound: usize| (chosen + 1 + kin.index(bound - 1)) % bound;
        // Each of a kin but the first takes one other step.
        match number % KIN {
            1 => program.above = !program.above,
            2 => program.group = other(program.group, GROUPS.len()),
            3 => program.aggregate = other(program.aggregate, AGGREGATES.len()),
            4 => program.source = other(program.source, SOURCES.len()),
            _ => (),
        }
        Self { program, stream: searched::stream(task, request, block, &document_id(number)) }
    }

    /// Doc comment and code.
    pub fn item(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut write = |budget| self.code(budget);
        searched::written(task, request, vec![self.program.comment()], &mut write)
    }

    /// Code of at most `budget` canonical tokens. The steps are its evidence.
    fn code(&self, budget: u32) -> Planted {
        let (mut rng, mut counter) = (self.stream.clone(), Counter::default());
        let names = words::made_up(&mut rng, 48);
        let head = format!("def {}(path, clock):\n", names.first().map_or("run", String::as_str));
        let steps = self.program.steps();
        let fixed = counter.count(&head) + steps.iter().map(|step| counter.count(step)).sum::<u32>();
        let room = budget.saturating_sub(fixed + 1);
        // Places of the inner steps in the other work; the last step ends the function.
        let mut places: Vec<u32> = steps.iter().skip(1).map(|_| rng.below(u64::from(room) + 1) as u32).collect();
        places.sort_unstable();
        if let Some(last) = places.last_mut() {
            *last = room;
        }
        let mut code = Code { text: head, needles: Vec::new() };
        let mut work = 0;
        for (step, until) in steps.iter().zip(std::iter::once(0).chain(places)) {
            work += other_work(&mut code.text, &mut rng, &mut counter, &names, until.saturating_sub(work));
            code.step(step, &mut counter);
        }
        Planted { tokens: counter.count(&code.text), text: code.text, needles: code.needles }
    }
}

struct Code {
    text: String,
    needles: Vec<PlantedSentence>,
}

impl Code {
    fn step(&mut self, step: &str, counter: &mut Counter) {
        let start = self.text.len() + step.len() - step.trim_start().len();
        let token_start = counter.count(&self.text);
        self.text.push_str(step);
        self.needles.push(PlantedSentence { bytes: start..self.text.trim_end().len(), token_start });
    }
}

impl Program {
    fn comment(&self) -> String {
        let word = |words: &[&'static str], at: usize| words.get(at).copied().unwrap_or_default();
        format!(
            "Reads the {} records, keeps those whose {} is {} {}, groups them by {} and returns the {} {} of every group, {} first.",
            word(&SOURCES, self.source),
            word(&FIELDS, self.field),
            if self.above { "above" } else { "below" },
            self.threshold,
            word(&GROUPS, self.group),
            AGGREGATES.get(self.aggregate).map_or("", |aggregate| aggregate.1),
            word(&MEASURES, self.measure),
            if self.descending { "highest" } else { "lowest" },
        )
    }

    fn steps(&self) -> [String; 5] {
        let word = |words: &[&'static str], at: usize| words.get(at).copied().unwrap_or_default();
        let sign = if self.above { ">" } else { "<" };
        let aggregate = AGGREGATES.get(self.aggregate).map_or("", |aggregate| aggregate.0);
        let reverse = if self.descending { "True" } else { "False" };
        [
            format!("    rows = load(path, \"{}\")\n", word(&SOURCES, self.source)),
            format!(
                "    kept = [row for row in rows if row[\"{}\"] {sign} {}]\n",
                word(&FIELDS, self.field),
                self.threshold
            ),
            format!(
                "    parts = {{}}\n    for row in kept:\n        parts.setdefault(row[\"{}\"], []).append(row[\"{}\"])\n",
                word(&GROUPS, self.group),
                word(&MEASURES, self.measure)
            ),
            format!("    found = [({aggregate}(values), key) for key, values in parts.items()]\n"),
            format!("    return sorted(found, reverse={reverse})\n"),
        ]
    }
}

/// Appends other work of at most `budget` canonical tokens and gives how many it has.
fn other_work(text: &mut String, rng: &mut Rng, counter: &mut Counter, names: &[String], budget: u32) -> u32 {
    let mut used = 0;
    loop {
        let block = block(rng, names);
        let cost = counter.count(&block);
        if used + cost > budget {
            break;
        }
        used += cost;
        text.push_str(&block);
    }
    for line in ["    clock.tick(path)\n", "    pass\n"] {
        let cost = counter.count(line);
        while used + cost <= budget {
            used += cost;
            text.push_str(line);
        }
    }
    used
}

/// A few lines that have nothing to do with the records.
fn block(rng: &mut Rng, names: &[String]) -> String {
    let (a, b, c) = (name(rng, names), name(rng, names), name(rng, names));
    let (n, m) = (rng.below(1000), rng.between(1, 64));
    match rng.index(9) {
        0 => format!("    {a} = clock.now() - {n}\n"),
        1 => format!("    if {a} < {n}:\n        {b} = retry({b}, {m})\n"),
        2 => format!("    for {a} in range({m}):\n        {b} = mix({b}, {a} * {n})\n"),
        3 => format!("    assert {a} != {b}, \"{c} broke\"\n"),
        4 => format!("    log(\"{a} {b}\", level={m})\n"),
        5 => format!("    {a} = [{n}, {m}, {b}]\n    {c} = {a}[{b} % 3]\n"),
        6 => format!("    try:\n        {a} = cache[{n}]\n    except Missing:\n        {a} = None\n"),
        7 => format!("    while {a} > {n}:\n        {a} -= {m}\n        {b} = {b} ^ {a}\n"),
        _ => format!("    with lock(\"{a}\"):\n        {b} = swap({c}, {n})\n"),
    }
}

fn name<'a>(rng: &mut Rng, names: &'a [String]) -> &'a str {
    rng.choose(names).map_or("x", String::as_str)
}
