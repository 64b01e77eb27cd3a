//! Chinese questions about one document (MultiFieldQA-zh) and about many passages (DuReader).

use crate::card::Language::Chinese;
use crate::families::infinitebench::book;
use crate::families::volume::{Line, Volume, Written};
use crate::haystack::planting_cost;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::world::{Chronicle, Event, Fact, PersonId, Statement, Walk, World};

/// A question that one sentence answers.
pub fn one(world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    const ASK: &str = "请根据上文回答问题，只写答案，不写其他内容。";
    let walk = Walk::new(world, Chinese, rng.next_u64(), budget);
    let asked = book::ask(world, Chinese, &walk.told, false, &mut rng)?;
    Some(Written {
        head: "请阅读下面的文字，文末有一个问题，请用中文简短作答。\n\n".to_owned(),
        body: book::marked(walk, std::slice::from_ref(&asked.bytes)),
        tail: format!("\n\n{ASK}\n\n问题：{}\n回答：", asked.text),
        answer: Answer { references: vec![asked.answer], ..Answer::default() },
    })
}

/// A question that two passages answer: who did it, and who that is.
pub fn two(world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    let mut passages = gather(world, rng.next_u64(), budget);
    rng.shuffle(&mut passages);
    let event = asked(world, &passages, &mut rng)?;
    let question = book::event_question(Chinese, &world.town(event.town).name.of(Chinese), &event)?;
    let mut volume = Volume::new(Chinese, budget);
    for (number, passage) in (1..).zip(&passages) {
        let evidence = |fact: &Fact| *fact == Fact::Event(event) || *fact == Fact::Life(event.leader);
        let told = passage.iter().map(|said| Line { text: said.text.clone(), evidence: evidence(&said.fact) });
        let lines: Vec<Line> = std::iter::once(Line::plain(heading(number))).chain(told).collect();
        if !volume.paragraph(&lines) {
            return None;
        }
    }
    extend(&mut volume, world, &event);
    let reference = world.sentence(Chinese, &Fact::Life(event.leader), 2);
    Some(Written {
        head: "请根据下面的若干文章回答问题。\n\n".to_owned(),
        body: volume.finish(),
        tail: format!(
            "\n\n请根据上面的文章回答下面的问题。\n\n问题：{question}此人生在哪一年、哪个地方，以什么为业？请用一句话回答，句式为“某地的某业某人生于某年。”\n回答："
        ),
        answer: Answer { references: vec![reference], ..Answer::default() },
    })
}

/// Amounts of later years, which fill what the passages leave.
fn extend(volume: &mut Volume, world: World, event: &Event) {
    let amounts = (1001..).flat_map(|year| world.measures(event.town, year));
    let lines = amounts.map(|amount| Line::plain(world.sentence(Chinese, &Fact::Measure(amount), 0)));
    let _ = lines.take_while(|line| volume.offer(line)).count();
}

fn heading(number: usize) -> String {
    format!("文章{number}：")
}

/// Paragraphs of a walk that fit `budget` with their headings; the last one may be cut short.
fn gather(world: World, variant: u64, budget: u32) -> Vec<Vec<Statement>> {
    let mut walk = Chronicle::new(world, Chinese, variant);
    let (mut passages, mut used): (Vec<Vec<Statement>>, u32) = (Vec::new(), 0);
    loop {
        used += planting_cost(Chinese, &heading(passages.len() + 1)) + 3;
        let mut passage = Vec::new();
        let told = walk.paragraph();
        let whole = told.len();
        for statement in told {
            let cost = planting_cost(Chinese, &statement.text);
            if used + cost > budget {
                break;
            }
            used += cost;
            passage.push(statement);
        }
        let full = passage.len() < whole;
        if !passage.is_empty() {
            passages.push(passage);
        }
        if full {
            return passages;
        }
    }
}

/// An event whose leader's life another passage tells; nobody else has the leader's name.
fn asked(world: World, passages: &[Vec<Statement>], rng: &mut Rng) -> Option<Event> {
    const TRIES: usize = 64;
    let name = |id: PersonId| world.person(id).name.of(Chinese);
    let lives: Vec<(usize, PersonId, String)> = told(passages)
        .filter_map(|(at, fact)| if let Fact::Life(id) = fact { Some((at, *id, name(*id))) } else { None })
        .collect();
    let events: Vec<(usize, Event)> = told(passages)
        .filter_map(|(at, fact)| if let Fact::Event(event) = fact { Some((at, *event)) } else { None })
        .collect();
    (0..TRIES).find_map(|_| {
        let (at, event) = rng.choose(&events)?;
        let called = name(event.leader);
        let mut named = lives.iter().filter(|(.., other)| *other == called);
        let (life, id, _) = named.next()?;
        let alone = named.next().is_none() && *id == event.leader && life != at;
        let place = world.town(event.town).name.of(Chinese);
        let question = book::event_question(Chinese, &place, event)?;
        let same = |other: &Event| {
            let place = world.town(other.town).name.of(Chinese);
            book::event_question(Chinese, &place, other).as_ref() == Some(&question)
        };
        let once = events.iter().filter(|(_, other)| same(other)).count() == 1;
        (alone && once).then_some(*event)
    })
}

fn told(passages: &[Vec<Statement>]) -> impl Iterator<Item = (usize, &Fact)> {
    passages.iter().enumerate().flat_map(|(at, passage)| passage.iter().map(move |said| (at, &said.fact)))
}
