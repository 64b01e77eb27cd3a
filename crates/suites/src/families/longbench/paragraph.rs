//! Numbered paragraphs: which one an abstract is of, and how many of them are different.

use crate::card::Language;
use crate::families::volume::{Line, Volume, Written};
use crate::haystack::planting_cost;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::world::{Event, EventKind, Fact, TownId, World};

/// Paragraphs among which an abstract's is sought, as in the official data.
pub const CHOICES: u64 = 30;
/// Paragraphs that are counted.
pub const COUNTED: u64 = 20;
/// The fewest different ones among them.
pub const FEWEST: u64 = 5;
/// Tokens that a heading takes with the empty line before it, at most.
const HEADING_TOKENS: u32 = 10;
/// Draws until an abstract fits one paragraph only.
const TRIES: usize = 16;

/// Sentences about years of one town: the first year's events are what an abstract tells.
struct Account {
    events: [Event; 2],
    lines: Vec<Line>,
}

/// An account of at most `budget` canonical tokens, but for the two events, which come first and always.
fn account(world: World, language: Language, town: TownId, budget: u32, rng: &mut Rng) -> Account {
    let first = 850 + rng.below(40) as u32;
    let events = world.events(town, first);
    let (mut lines, mut used, mut year) = (Vec::new(), 0, first);
    loop {
        let [harvest, price, wall, boats] = world.measures(town, year).map(Fact::Measure);
        let [early, late] = world.events(town, year).map(Fact::Event);
        for (place, fact) in [early, late, harvest, price, wall, boats].into_iter().enumerate() {
            let text = world.sentence(language, &fact, place);
            used += planting_cost(language, &text);
            if used > budget && !(year == first && place < events.len()) {
                return Account { events, lines };
            }
            lines.push(Line::plain(text));
        }
        year += 1;
    }
}

/// Towns whose names differ.
fn towns(world: World, language: Language, count: u64, rng: &mut Rng) -> Vec<TownId> {
    let mut names = std::collections::HashSet::new();
    let first = rng.below(1 << 24) as u32;
    (first..).map(TownId).filter(|id| names.insert(world.town(*id).name.of(language))).take(count as usize).collect()
}

fn heading(language: Language, number: usize) -> Line {
    Line::plain(match language {
        Language::Chinese => format!("段落{number}："),
        _ => format!("Paragraph {number}:"),
    })
}

/// What an event is in an abstract: the deed in other words, without town and date.
fn deed(language: Language, kind: EventKind, who: &str) -> String {
    if language == Language::Chinese {
        let deed = match kind {
            EventKind::Flood => "在发大水时救了大家",
            EventKind::Fire => "指挥救火",
            EventKind::Frost => "为受冻的果树留下了记载",
            EventKind::Fair => "办起了热闹的市场",
            EventKind::Bridge => "让行人不用坐船就能过河",
            EventKind::Mill => "开始为乡亲磨面",
            EventKind::Dispute => "与邻镇打官司",
            EventKind::Treaty => "与邻镇结为朋友",
        };
        return format!("{who}{deed}");
    }
    let deed = match kind {
        EventKind::Flood => "brought everybody to safety from the water",
        EventKind::Fire => "commanded those who saved the houses from burning",
        EventKind::Frost => "kept a note of how the cold ruined the fruit trees",
        EventKind::Fair => "bade the merchants and their customers welcome",
        EventKind::Bridge => "made it possible to cross the water without a boat",
        EventKind::Mill => "began to grind corn with new stones",
        EventKind::Dispute => "went to law against a neighbouring place",
        EventKind::Treaty => "put a name to the friendship with a neighbouring place",
    };
    format!("{who} {deed}")
}

/// Thirty numbered paragraphs and an abstract of one.
pub fn retrieval(language: Language, world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    (0..TRIES).find_map(|_| {
        let asked = rng.index(CHOICES as usize);
        let (volume, accounts) = thirty(language, world, asked, &mut rng, budget)?;
        let events = accounts.get(asked)?.events;
        let names = events.map(|event| world.person(event.leader).name.of(language));
        let tells = |account: &&Account| {
            names.iter().all(|name| account.lines.iter().any(|line| line.text.contains(name.as_str())))
        };
        (accounts.iter().filter(tells).count() == 1).then_some(())?;
        let [first, second] = [0, 1].map(|at| {
            let who = names.get(at).map_or("", String::as_str);
            events.get(at).map_or_else(String::new, |event| deed(language, event.kind, who))
        });
        Some(asked_for(language, asked + 1, &first, &second, volume))
    })
}

/// The paragraphs, each with an equal share of what those before it left, the first two sentences of one marked.
fn thirty(
    language: Language,
    world: World,
    asked: usize,
    rng: &mut Rng,
    budget: u32,
) -> Option<(Volume, Vec<Account>)> {
    let mut volume = Volume::new(language, budget);
    let mut accounts = Vec::new();
    for (at, town) in towns(world, language, CHOICES, rng).into_iter().enumerate() {
        let share = volume.left() / (CHOICES as u32 - at as u32);
        let account = account(world, language, town, share.saturating_sub(HEADING_TOKENS), rng);
        let mut lines = vec![heading(language, at + 1)];
        let marked = |(place, line): (usize, &Line)| Line { evidence: at == asked && place < 2, ..line.clone() };
        lines.extend(account.lines.iter().enumerate().map(marked));
        if !volume.paragraph(&lines) {
            return None;
        }
        accounts.push(account);
    }
    Some((volume, accounts))
}

fn asked_for(language: Language, number: usize, first: &str, second: &str, volume: Volume) -> Written {
    let (head, tail, reference) = match language {
        Language::Chinese => (
            format!("下面有{CHOICES}个编号的段落。文末有其中一个段落的摘要，请找出它是哪一段的摘要。\n\n"),
            format!(
                "\n\n下面是摘要。\n\n这一段讲的是一个镇子的几年，其中{first}，后来{second}。\n\n请写出摘要所属段落的编号，格式为“段落1”“段落2”等，不写其他内容。\n\n答案："
            ),
            format!("段落{number}"),
        ),
        _ => (
            format!(
                "Below are {CHOICES} numbered paragraphs. At the end stands an abstract of one of them; find out of which.\n\n"
            ),
            format!(
                "\n\nThis is the abstract.\n\nThe paragraph is about some years of a town, in which {first}, and later {second}.\n\nGive the number of its paragraph in the form \"Paragraph 1\", \"Paragraph 2\" and so on, and nothing else.\n\nAnswer:"
            ),
            format!("Paragraph {number}"),
        ),
    };
    Written { head, body: volume.finish(), tail, answer: Answer { references: vec![reference], ..Answer::default() } }
}

/// Twenty paragraphs, some of them several times, and the number of different ones.
pub fn count(world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    let language = Language::English;
    let different = rng.between(FEWEST, COUNTED);
    let room = (budget / COUNTED as u32).saturating_sub(HEADING_TOKENS);
    let mut towns = towns(world, language, different, &mut rng);
    // The last paragraph stands once: it takes what the others leave of the length.
    let last = towns.pop()?;
    let accounts: Vec<Account> = towns.into_iter().map(|town| account(world, language, town, room, &mut rng)).collect();
    let mut order: Vec<usize> = (0..accounts.len()).collect();
    while (order.len() as u64) < COUNTED - 1 {
        order.push(rng.index(accounts.len()));
    }
    rng.shuffle(&mut order);
    let mut volume = Volume::new(language, budget);
    let mut seen = std::collections::HashSet::new();
    for (at, which) in order.into_iter().enumerate() {
        let again = !seen.insert(which);
        let mut lines = vec![heading(language, at + 1)];
        let told = accounts.get(which)?.lines.iter().enumerate();
        lines.extend(told.map(|(place, line)| Line { evidence: again && place == 0, ..line.clone() }));
        if !volume.paragraph(&lines) {
            return None;
        }
    }
    let rest = account(world, language, last, volume.left().saturating_sub(HEADING_TOKENS), &mut rng);
    let lines: Vec<Line> = std::iter::once(heading(language, COUNTED as usize)).chain(rest.lines).collect();
    volume.paragraph(&lines).then_some(())?;
    Some(Written {
        head: "Below are numbered paragraphs. Some of them are repeated word for word. Find out how many different ones there are.\n\n"
            .to_owned(),
        body: volume.finish(),
        tail: "\n\nHow many different paragraphs are there when repeated ones count once? Give the number in digits and nothing else.\n\nThe number is:"
            .to_owned(),
        answer: Answer { references: vec![different.to_string()], ..Answer::default() },
    })
}
