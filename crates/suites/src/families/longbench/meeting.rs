//! Meetings in which a few things are decided while much is read aloud: a query about one person (QMSum), and all
//! decisions in Chinese (VCSUM).

use crate::card::Language;
use crate::families::kinship;
use crate::families::volume::{Line, Volume, Written};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::world::{Chronicle, World};

/// Errands in English and Chinese.
const ERRANDS: [(&str, &str); 12] = [
    ("mend the north gate", "修好北门"),
    ("count the stores", "清点粮仓"),
    ("write to the bishop", "给主教写信"),
    ("clear the mill race", "疏通磨坊水渠"),
    ("hire two watchmen", "雇两名更夫"),
    ("weigh the tithe", "称量赋税"),
    ("repaint the ferry", "重漆渡船"),
    ("survey the common", "丈量公地"),
    ("replace the bell rope", "换掉钟绳"),
    ("bind the old ledgers", "装订旧账"),
    ("pave the fish market", "铺平鱼市"),
    ("deepen the well", "挖深水井"),
];

/// Decisions of a meeting, and how many of them concern the person that a query names.
const DECISIONS: usize = 9;
const CONCERNED: usize = 3;
const DECISIONS_ZH: usize = 6;

/// A meeting with a query about one person.
pub fn query(world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    let names = kinship::names(Language::English, &mut rng, 7);
    let (asked, others) = names.split_first()?;
    let mut doers: Vec<&String> = (0..CONCERNED).map(|_| asked).collect();
    doers.extend((CONCERNED..DECISIONS).filter_map(|_| rng.choose(others)));
    rng.shuffle(&mut doers);
    let decided: Vec<(String, bool)> = doers
        .into_iter()
        .zip(rng.distinct(ERRANDS.len(), DECISIONS))
        .map(|(doer, errand)| (decision(Language::English, doer, errand, &mut rng), doer == asked))
        .collect();
    let wanted: Vec<&str> = decided.iter().filter(|(_, concerned)| *concerned).map(|(text, _)| text.as_str()).collect();
    let reference = wanted.join(" ");
    let body = minutes(world, Language::English, &decided, others, &mut rng, budget)?;
    Some(Written {
        head: "Below are the minutes of a meeting. A query about them follows at the end.\n\nMinutes:\n".to_owned(),
        body,
        tail: format!(
            "\n\nAnswer the query from the minutes above.\n\nQuery: What did the meeting decide that {asked} will do? Repeat these decisions in their order, one sentence for each, in the form: The meeting decided that N will do a thing within some days.\nAnswer:"
        ),
        answer: Answer { references: vec![reference], ..Answer::default() },
    })
}

/// A Chinese meeting of which all decisions are asked for.
pub fn summary(world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    let names = kinship::names(Language::Chinese, &mut rng, 6);
    let decided: Vec<(String, bool)> = rng
        .distinct(ERRANDS.len(), DECISIONS_ZH)
        .into_iter()
        .zip(names.iter().cycle())
        .map(|(errand, doer)| (decision(Language::Chinese, doer, errand, &mut rng), true))
        .collect();
    let reference: String = decided.iter().map(|(text, _)| text.as_str()).collect();
    let body = minutes(world, Language::Chinese, &decided, &names, &mut rng, budget)?;
    Some(Written {
        head: "下面是一次会议的记录，与会者在会上宣读了许多史料，也作出了一些决定。\n\n会议记录：\n".to_owned(),
        body,
        tail: "\n\n请总结这次会议：按先后顺序写出会议的所有决定，每个决定一句话，句式为“会议决定由某人在某天之内做某事。”\n\n会议总结："
            .to_owned(),
        answer: Answer { references: vec![reference], ..Answer::default() },
    })
}

fn decision(language: Language, doer: &str, errand: usize, rng: &mut Rng) -> String {
    let (english, chinese) = ERRANDS.get(errand).copied().unwrap_or_default();
    let days = rng.between(3, 60);
    match language {
        Language::Chinese => format!("会议决定由{doer}在{days}天之内{chinese}。"),
        _ => format!("The meeting decided that {doer} will {english} within {days} days."),
    }
}

/// Turns of speakers who read from the chronicle; the decisions stand at even distances, each somewhere in its part.
fn minutes(
    world: World,
    language: Language,
    decided: &[(String, bool)],
    speakers: &[String],
    rng: &mut Rng,
    budget: u32,
) -> Option<crate::haystack::Planted> {
    let mut volume = Volume::new(language, budget);
    let mut around = Chronicle::new(world, language, rng.next_u64());
    let part = budget / (decided.len() as u32 + 2);
    let mut left = decided.iter().zip(1..).peekable();
    let mut place = |number: u32| part * number - rng.below(u64::from(part / 2).max(1)) as u32;
    let mut next = place(1);
    let mut speaker = speakers.iter().cycle();
    let mut open = true;
    while open {
        let name = speaker.next().map_or("", String::as_str);
        let mut lines = vec![match language {
            Language::Chinese => Line::plain(format!("{name}：")),
            _ => Line::plain(format!("{name}:")),
        }];
        let read = around.paragraph().into_iter().map(|said| Line::plain(said.text));
        lines.extend(read);
        let due = left.peek().copied().filter(|_| volume.tokens() >= next);
        let decision = due.map(|((text, evidence), _)| Line { text: text.clone(), evidence: *evidence });
        let whole: Vec<Line> = lines.iter().cloned().chain(decision).collect();
        open = volume.paragraph(&whole);
        if let (true, Some((_, number))) = (open, due) {
            left.next();
            next = place(number + 1);
        }
        if !open {
            // The last speaker is cut short.
            volume.end_paragraph();
            let _ = lines.iter().take_while(|line| volume.offer(line)).count();
        }
    }
    left.peek().is_none().then(|| volume.finish())
}

/// What one writes who has not read the minutes.
pub const BLIND: &str = "The meeting decided that the gate will be mended and the stores will be counted.";
/// The same in Chinese.
pub const BLIND_ZH: &str = "会议决定修好城门，清点粮仓，并派人守夜。";
