//! The questions: which report, which class, how many, and what happened.

use serde_json::{Value, json};

use super::report::{self, Desk, KINDS, Report, Shelf};
use crate::card::Language;
use crate::families::saga::Saga;
use crate::families::volume::Written;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::world::{EventKind, World};

/// Most reports of one class that are asked for.
const MOST: usize = 8;
const CHAPTERS: [(u32, usize); 3] = [(1536, 3), (3072, 4), (u32::MAX, 6)];

/// A prompt for one ability, whose text has `budget` canonical tokens.
pub fn write(ability: &str, language: Language, world: World, mut rng: Rng, budget: u32) -> Option<Written> {
    if ability == "global" {
        return Some(global(language, world, rng, budget));
    }
    let kind = rng.choose(&KINDS).copied()?;
    let most = match ability {
        "semantic_multiple" | "explicit_multiple" => (budget as usize / 320).clamp(2, MOST),
        _ => 1,
    };
    let asked = match ability {
        "explicit_multiple" => rng.between(2, most.max(2) as u64) as usize,
        "semantic_multiple" => rng.between(1, most as u64) as usize,
        _ => 1,
    };
    let mut desk = Desk::new(world, language, Rng::from_path(&[rng.next_u64()]));
    let Shelf { reports, body } = report::shelve(&mut desk, budget, kind, asked, &mut rng)?;
    let found: Vec<&Report> = reports.iter().filter(|report| report.event.kind == kind).collect();
    let chinese = language == Language::Chinese;
    let (question, reference, gold) = match ability {
        "explicit_single" => {
            (which_class(language, found.first()?), report::label(language, kind).to_owned(), Value::Null)
        }
        "semantic_single" => (who(language, found.first()?), found.first()?.leader.clone(), Value::Null),
        "explicit_multiple" => {
            let ids: Vec<&str> = found.iter().map(|report| report.id.as_str()).collect();
            (which_reports(language, kind), ids.join(if chinese { "，" } else { ", " }), Value::Null)
        }
        _ => (how_many(language, kind), found.len().to_string(), json!({ "most": most })),
    };
    let head = if chinese {
        "下面是许多报告，每篇报告以编号开头。\n\n"
    } else {
        "Below are many reports. Each begins with its number.\n\n"
    };
    let tail = if chinese {
        format!("\n\n问题：{question}\n回答：")
    } else {
        format!("\n\nQuestion: {question}\nAnswer:")
    };
    let answer = Answer { references: vec![reference], gold, ..Answer::default() };
    Some(Written { head: head.to_owned(), body, tail, answer })
}

fn which_class(language: Language, report: &Report) -> String {
    let (id, labels) = (&report.id, report::labels(language));
    match language {
        Language::Chinese => format!("报告{id}属于下列哪一类：{labels}？只写类名。"),
        _ => format!("Which of these classes does report {id} belong to: {labels}? Write the class and nothing else."),
    }
}

fn which_reports(language: Language, kind: EventKind) -> String {
    let (label, labels) = (report::label(language, kind), report::labels(language));
    match language {
        Language::Chinese => {
            format!("报告分为这些类：{labels}。请列出所有属于{label}的报告编号，用“，”隔开，不写别的。")
        }
        _ => format!(
            "Every report belongs to one of these classes: {labels}. List the numbers of all reports that belong to {label}, separated by commas, and nothing else."
        ),
    }
}

fn how_many(language: Language, kind: EventKind) -> String {
    let (label, labels) = (report::label(language, kind), report::labels(language));
    match language {
        Language::Chinese => format!("报告分为这些类：{labels}。属于{label}的报告有几篇？只写阿拉伯数字。"),
        _ => format!(
            "Every report belongs to one of these classes: {labels}. How many reports belong to {label}? Write the number in digits and nothing else."
        ),
    }
}

/// Asks for the leader of an event in other words than the report's.
fn who(language: Language, report: &Report) -> String {
    let (place, year) = (&report.place, report.event.year);
    if language == Language::Chinese {
        let deed = match report.event.kind {
            EventKind::Flood => "发大水时救了大家",
            EventKind::Fire => "指挥救火",
            EventKind::Frost => "为受冻的果树留下了记载",
            EventKind::Fair => "办起了热闹的市场",
            EventKind::Bridge => "让行人第一次不用坐船就能过河",
            EventKind::Mill => "开始为乡亲磨面",
            EventKind::Dispute => "与邻镇打了官司",
            EventKind::Treaty => "与邻镇结为朋友",
        };
        return format!("{year}年，{place}有一个人{deed}，这个人是谁？只写姓名。");
    }
    let deed = match report.event.kind {
        EventKind::Flood => "brought everybody to safety when the water came",
        EventKind::Fire => "commanded those who saved the houses from burning",
        EventKind::Frost => "kept a note of how the cold ruined the fruit trees",
        EventKind::Fair => "bade the merchants and their customers welcome",
        EventKind::Bridge => "made it possible to cross the water without a boat",
        EventKind::Mill => "began to grind corn with new stones",
        EventKind::Dispute => "went to law against a neighbouring place",
        EventKind::Treaty => "put a name to the friendship with a neighbouring place",
    };
    format!("Who {deed}, at {place} in {year}? Write the name and nothing else.")
}

/// A summary of one long story.
fn global(language: Language, world: World, mut rng: Rng, budget: u32) -> Written {
    let chapters = CHAPTERS.iter().find(|(below, _)| budget < *below).map_or(6, |(_, chapters)| *chapters);
    let saga = Saga::new(world, language, &mut rng, chapters);
    let (head, tail, joint) = match language {
        Language::Chinese => (
            "下面是一个故事。\n\n",
            "\n\n每一章的第一句话是这一章的大事。请用一句话概括每一章的大事，写成一段摘要，不要换行。\n摘要：",
            "",
        ),
        _ => (
            "Below is a story.\n\n",
            "\n\nThe first sentence of each chapter is its main event. Write a summary with one sentence for each chapter, all in one line.\nSummary:",
            " ",
        ),
    };
    let answer = Answer { references: vec![saga.summary().join(joint)], output_tokens: Some(256), ..Answer::default() };
    Written { head: head.to_owned(), body: saga.tell(budget), tail: tail.to_owned(), answer }
}

/// What one writes who has not read the story.
pub const fn blind_summary(chinese: bool) -> &'static str {
    if chinese {
        "镇上先后发大水、起火、遭霜冻，后来建成新桥和新磨坊，开设大集市，与邻镇打官司并结盟。"
    } else {
        "In the town there was a flood and a great fire, the bridge and a new mill were finished, and the treaty was signed."
    }
}
