//! En.Sum, En.QA, En.MC and Zh.QA over the chronicle.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::card::Language;
use crate::families::prose;
use crate::haystack::{Planted, PlantedSentence};
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task, choice};
use crate::world::{Event, EventKind, Fact, ToldStatement, TownId, Walk, World};

/// Tokens of the longest question with its options.
const QUESTION_TOKENS: u32 = 224;

fn refuse_corpus(task: &Task, request: &ItemRequest<'_>) -> Result<(), GenerateError> {
    if request.corpus.is_some() {
        let reason = "its questions come from the built-in chronicle: run it without a corpus";
        return Err(prose::unsatisfiable(task, request, reason));
    }
    Ok(())
}

/// A question with its answer and the answers of other questions of the same form.
pub(in crate::families) struct Asked {
    /// The question.
    pub text: String,
    /// The answer.
    pub answer: String,
    others: Vec<String>,
    /// Bytes of the statement that answers it.
    pub bytes: std::ops::Range<usize>,
}

/// QA and multiple choice: one told fact is asked for.
pub(super) fn question(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Result<Item, GenerateError> {
    refuse_corpus(task, request)?;
    let language = task.card().language;
    let has_options = super::has_options(choice(&task.definition().params, "task"));
    let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
    let head = head(language);
    let budget = limit.saturating_sub(crate::tokens::count(head) + QUESTION_TOKENS);
    let world = World::new(request.seed);
    let variant = rng.next_u64();
    let walk = Walk::new(world, language, variant, budget);
    let asked = ask(world, language, &walk.told, has_options, &mut rng)
        .ok_or_else(|| prose::unsatisfiable(task, request, "the chronicle tells too little: choose a longer length"))?;
    let (tail, label) = tail(language, &asked, has_options, &mut rng);
    let mut budget = limit.saturating_sub(crate::tokens::count(head) + crate::tokens::count(&tail));
    // Where the room left for the longest question hardly shows, the first walk serves.
    let mut first = Some(walk).filter(|_| request.length.tokens() > QUESTION_TOKENS * 64);
    loop {
        let walk = first.take().unwrap_or_else(|| Walk::new(world, language, variant, budget));
        let mut prompt = Prompt::default();
        prompt.push(head);
        prompt.begin_document();
        prompt.push_planted(&marked(walk, std::slice::from_ref(&asked.bytes)));
        prompt.end_document();
        prompt.push(&tail);
        let excess = prompt.tokens().saturating_sub(limit);
        if excess == 0 {
            let gold = json!({ "label": label });
            return Ok(prompt.finish(
                task,
                request,
                Answer { references: vec![asked.answer], gold, ..Answer::default() },
            ));
        }
        budget = budget.saturating_sub(excess);
    }
}

/// The walk as a passage whose statements in `bytes` are marked.
pub(in crate::families) fn marked(walk: Walk, bytes: &[std::ops::Range<usize>]) -> Planted {
    let wanted: BTreeSet<usize> = bytes.iter().map(|range| range.start).collect();
    let told = walk.told.into_iter().filter(|told| wanted.contains(&told.bytes.start));
    let needles = told.map(|told| PlantedSentence { bytes: told.bytes, token_start: told.token_start }).collect();
    Planted { tokens: walk.passage.tokens, text: walk.passage.text, needles }
}

fn head(language: Language) -> &'static str {
    match language {
        Language::Chinese => "请仔细阅读下面的史书，最后有一个问题。\n\n史书\n\n",
        _ => "Read the chronicle below with care. A question about it follows at the end.\n\nChronicle\n\n",
    }
}

fn tail(language: Language, asked: &Asked, has_options: bool, rng: &mut Rng) -> (String, serde_json::Value) {
    if has_options {
        let options = std::iter::once(asked.answer.clone()).chain(asked.others.iter().cloned()).take(4).collect();
        let (listed, letter) = super::lettered(options, rng);
        let text = format!(
            "\n\nQuestion: {}\n{listed}\nReply with the letter of the right option alone.\nThe letter of the right option is",
            asked.text
        );
        return (text, json!([asked.answer, letter]));
    }
    let text = match language {
        Language::Chinese => format!("\n\n问题：{}只回答姓名。\n回答：", asked.text),
        _ => format!("\n\nQuestion: {} Reply with the name alone.\nAnswer:", asked.text),
    };
    (text, json!([asked.answer]))
}

/// A question that only one told fact answers.
pub(in crate::families) fn ask(
    world: World,
    language: Language,
    told: &[ToldStatement],
    has_options: bool,
    rng: &mut Rng,
) -> Option<Asked> {
    let mut by_text: BTreeMap<String, Vec<(String, std::ops::Range<usize>)>> = BTreeMap::new();
    for told in told {
        if let Some((text, answer)) = question_of(world, language, &told.fact) {
            by_text.entry(text).or_default().push((answer, told.bytes.clone()));
        }
    }
    let clear: Vec<(String, String, std::ops::Range<usize>)> = by_text
        .into_iter()
        .filter_map(|(text, answers)| match answers.as_slice() {
            [(answer, bytes)] => Some((text, answer.clone(), bytes.clone())),
            _ => None,
        })
        .collect();
    let (text, answer, bytes) = rng.choose(&clear)?.clone();
    let mut others: Vec<String> =
        clear.iter().map(|(_, other, _)| other.clone()).filter(|other| *other != answer).collect();
    others.sort_unstable();
    others.dedup();
    rng.shuffle(&mut others);
    others.truncate(3);
    (!has_options || others.len() == 3).then_some(Asked { text, answer, others, bytes })
}

fn question_of(world: World, language: Language, fact: &Fact) -> Option<(String, String)> {
    let town = |id: TownId| world.town(id).name.of(language);
    match fact {
        Fact::Term(term) => {
            let (place, from, to) = (town(term.town), term.from, term.to);
            let text = match language {
                Language::Chinese => format!("从{from}年到{to}年，{place}的镇长是谁？"),
                _ => format!("Who was reeve of {place} from {from} to {to}?"),
            };
            Some((text, world.person(term.holder).name.of(language)))
        }
        Fact::Event(event) => {
            let text = event_question(language, &town(event.town), event)?;
            Some((text, world.person(event.leader).name.of(language)))
        }
        _ => None,
    }
}

pub(in crate::families) fn event_question(language: Language, place: &str, event: &Event) -> Option<String> {
    let (day, month, year) = (event.day, event.month, event.year);
    Some(match language {
        Language::Chinese => {
            let what = match event.kind {
                EventKind::Flood => "河水漫上码头时带领众人的",
                EventKind::Fire => "失火时带人灭火的",
                EventKind::Frost => "果园遭霜冻时记下此事的",
                EventKind::Fair => "开办大集市的",
                EventKind::Bridge => "新桥落成时的建桥人",
                EventKind::Mill => "新磨坊的主人",
                EventKind::Dispute | EventKind::Treaty => return None,
            };
            format!("{year}年{month}月{day}日，在{place}，{what}是谁？")
        }
        _ => {
            let what = match event.kind {
                EventKind::Flood => "led the people when the river came over the quay of",
                EventKind::Fire => "led those who put out the fire at",
                EventKind::Frost => "wrote down that frost had struck the orchards of",
                EventKind::Fair => "opened the great fair of",
                EventKind::Bridge => "built the bridge that was opened at",
                EventKind::Mill => "owned the mill that first turned at",
                EventKind::Dispute | EventKind::Treaty => return None,
            };
            format!("Who {what} {place} on {day} {} {year}?", event.month_name())
        }
    })
}

/// A summary: for each town its river, its year and its first two reeves, in the order of telling.
pub(super) fn summary(task: &Task, request: &ItemRequest<'_>, mut rng: Rng) -> Result<Item, GenerateError> {
    refuse_corpus(task, request)?;
    let length = request.length.tokens();
    // A town takes about 6,000 tokens of the chronicle and one line of the summary.
    let output_tokens = task.card().output_tokens + length / 80;
    let limit = length.saturating_sub(output_tokens);
    let head = "Read the chronicle below with care. You will have to sum it up.\n\nChronicle\n\n";
    let tail = "\n\nSum up the chronicle: one line for each town whose founding is told, in the order of telling, with its name, its river, the year of its founding and its first two reeves.\nSummary:";
    let (world, variant) = (World::new(request.seed), rng.next_u64());
    let mut budget = limit.saturating_sub(crate::tokens::count(head) + crate::tokens::count(tail));
    loop {
        let walk = Walk::new(world, Language::English, variant, budget);
        let towns: Vec<(TownId, std::ops::Range<usize>)> = walk
            .told
            .iter()
            .filter_map(|told| if let Fact::Town(id) = told.fact { Some((id, told.bytes.clone())) } else { None })
            .collect();
        let lines: Vec<String> = towns.iter().map(|(id, _)| line(world, *id)).collect();
        let bytes: Vec<_> = towns.into_iter().map(|(_, bytes)| bytes).collect();
        let mut prompt = Prompt::default();
        prompt.push(head);
        prompt.begin_document();
        prompt.push_planted(&marked(walk, &bytes));
        prompt.end_document();
        prompt.push(tail);
        let excess = prompt.tokens().saturating_sub(limit);
        if excess == 0 {
            let text = lines.join("\n");
            let answer = Answer {
                gold: json!({ "label": text }),
                references: vec![text],
                output_tokens: Some(output_tokens),
                ..Answer::default()
            };
            return Ok(prompt.finish(task, request, answer));
        }
        budget = budget.saturating_sub(excess);
    }
}

fn line(world: World, id: TownId) -> String {
    let town = world.town(id);
    let reeves: Vec<String> =
        world.terms(id).into_iter().take(2).map(|term| world.person(term.holder).name.of(Language::English)).collect();
    format!(
        "{} on {} was founded in {}; its first reeves were {}.",
        town.name.of(Language::English),
        town.river.of(Language::English),
        town.founded,
        reeves.join(" and ")
    )
}
