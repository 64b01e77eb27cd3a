//! LCFO (arXiv 2412.08268): summaries of a given share of a document, and summaries told at length again.

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::families::saga::Saga;
use crate::families::volume::{self, Line, Volume, Written};
use crate::haystack::Planted;
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::metrics::lcfo::{self, Question};
use crate::metrics::python_text::words;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::{Chronicle, World};

/// A document to be told in so many words.
pub struct Lcfo;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "share",
    help: "Length of the summary in percent of the document, or `expand` to tell a summary at length",
    kind: ParameterKind::Choice { options: &["20", "10", "5", "expand"], default: "10" },
}];
/// Words of a main event and its share of the summary, about.
const EVENT_WORDS: usize = 32;
const MOST_QUESTIONS: usize = 15;
/// Canonical tokens reserved for each hundred words of an answer: English prose needs about 140 with these names.
const TOKENS_PER_HUNDRED_WORDS: usize = 180;
/// Summaries told at length are as long as half of the window, up to this many words.
const EXPANDED_WORDS: usize = 3_000;
const EXPANSION: usize = 5;

impl Family for Lcfo {
    fn slug(&self) -> &'static str {
        "lcfo"
    }

    fn title(&self) -> &'static str {
        "LCFO"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let expand = choice(params, "share") == "expand";
        let what = match choice(params, "share") {
            "expand" => "Tell a short summary again at five times its length.".to_owned(),
            share => format!("Summarise a document in {share} % of its words."),
        };
        Card {
            benchmark: "LCFO",
            what,
            citation: "LCFO, arXiv 2412.08268, Findings of ACL 2025; no official code",
            licence: "documents, questions and score are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Words,
            tokenizer: "none: words",
            abilities: if expand { &["generation"] } else { &["summarization", "aggregation"] },
            diffusion: Diffusion::High,
            scope: if expand { Scope::Several } else { Scope::Wide },
            random_guess: 0.0,
            output_tokens: 256,
            metric: "lcfo.coverage_in_length",
            strict_metric: Some("lcfo.coverage_in_length.strict"),
            min_tokens: 2048,
            open_ended: true,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let (world, rng) = (World::new(request.seed), prose::stream(task, request));
        let length = request.length.tokens();
        let share = choice(&task.definition().params, "share");
        volume::fit(task, request, &mut |budget| {
            Some(match share.parse() {
                Ok(percent) => summary(world, rng.clone(), budget, length, percent),
                Err(_) => expansion(world, rng.clone(), budget, length),
            })
        })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |share: &str, title| {
            TaskDefinition::generated(self.slug(), &format!("lcfo_{share}"), title, json!({ "share": share }))
        };
        vec![
            task("20", "Summary of a fifth"),
            task("10", "Summary of a tenth"),
            task("5", "Summary of a twentieth"),
            task("expand", "A summary told at length"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let (questions, target) = gold(item);
        let (score, strict) = lcfo::score(answer, &questions, target);
        let covered = lcfo::coverage(answer, &questions, false);
        Scored {
            score,
            strict: Some(strict),
            extracted: format!(
                "{} of {target} words, {:.0} % of {} questions answered",
                lcfo::count(answer),
                100.0 * covered,
                questions.len()
            ),
            well_formed: answer.chars().any(char::is_alphanumeric),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    /// As many words as are asked for, none of them a name or a year.
    fn guess(&self, _: &Task, item: &Item, _: &mut Rng) -> String {
        let words = ["The", "town", "saw", "good", "years", "and", "hard", "ones."];
        words.into_iter().cycle().take(gold(item).1).collect::<Vec<_>>().join(" ")
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        let question = format!("{} words: {}", gold(item).1, "the document's main events in order, in running text");
        Some(OpenEnded { question, reference: item.references.first().cloned(), facts: Vec::new() })
    }
}

fn gold(item: &Item) -> (Vec<Question>, usize) {
    let questions = item.gold.get("questions").cloned().unwrap_or_default();
    let target = item.gold.get("target_words").and_then(Value::as_u64).unwrap_or_default();
    (serde_json::from_value(questions).unwrap_or_default(), target as usize)
}

fn answer(saga: &Saga, target: usize, reference: String) -> Answer {
    let questions: Vec<Question> = saga
        .keys()
        .into_iter()
        .map(|(leader, year)| Question {
            question: format!("Who stood at the centre of the main event of {year}?"),
            about: vec![year],
            answer: leader,
        })
        .collect();
    Answer {
        references: vec![reference],
        gold: json!({ "target_words": target, "questions": questions }),
        output_tokens: Some(output(target)),
        ..Answer::default()
    }
}

fn output(words: usize) -> u32 {
    (words * TOKENS_PER_HUNDRED_WORDS / 100 + 32) as u32
}

/// `lead`, then sentences from elsewhere, exactly `target` words; the last sentence is cut where it must be.
fn exactly(lead: &[String], more: impl Iterator<Item = String>, target: usize) -> String {
    let mut kept: Vec<String> = Vec::with_capacity(target);
    for sentence in lead.iter().cloned().chain(more) {
        if kept.len() >= target {
            break;
        }
        kept.extend(words(&sentence).map(str::to_owned));
    }
    kept.truncate(target);
    let text = kept.join(" ");
    let bare = text.trim_end_matches([',', ';', '.']);
    format!("{bare}.")
}

/// A document whose summary has `percent` of its words. The number of chapters follows from the window alone.
fn summary(world: World, mut rng: Rng, budget: u32, length: u32, percent: usize) -> Written {
    // Seven words take about ten canonical tokens in this prose.
    let expected = length as usize * 6 / 10 * percent / 100;
    let saga = Saga::new(world, Language::English, &mut rng, (expected / EVENT_WORDS).clamp(1, MOST_QUESTIONS));
    let body = saga.tell(budget);
    let target = lcfo::count(&body.text) * percent / 100;
    let openings: Vec<String> =
        body.needles.iter().filter_map(|needle| body.text.get(needle.bytes.clone()).map(str::to_owned)).collect();
    let rest = body.text.split_inclusive(". ").map(str::to_owned);
    let reference = exactly(&openings, rest, target);
    let tail = format!(
        "\n\nSummarise the document in {target} words. The first sentence of each chapter is its main event: keep all main events with who and when, in order, and fill the rest of the {target} words with what else is worth keeping. Write the summary and nothing else.\nSummary:"
    );
    let answer = answer(&saga, target, reference);
    Written { head: "Read the document below.\n\n".to_owned(), body, tail, answer }
}

/// Summaries of several towns, one of which is to be told at length; the others fill the window.
fn expansion(world: World, mut rng: Rng, budget: u32, length: u32) -> Written {
    let target = (length as usize * 28 / 100).min(EXPANDED_WORDS);
    let chapters = (target / EXPANSION / 12).clamp(1, MOST_QUESTIONS);
    let saga = Saga::new(world, Language::English, &mut rng, chapters);
    let body = summaries(world, &saga, &mut rng, budget, chapters);
    let mut around = Chronicle::new(world, Language::English, rng.next_u64());
    let more = std::iter::from_fn(move || Some(around.paragraph())).flatten().map(|statement| statement.text);
    let reference = exactly(&saga.summary(), more, target);
    let town = saga.town();
    let tail = format!(
        "\n\nTell the story of {town} again in {target} words: keep every event of its summary with who and when, in order, and tell around them what may have happened. Leave the other towns out. Write the story and nothing else.\nStory:"
    );
    let answer = answer(&saga, target, reference);
    Written { head: "Below are summaries of the stories of several towns.\n\n".to_owned(), body, tail, answer }
}

fn summaries(world: World, saga: &Saga, rng: &mut Rng, budget: u32, chapters: usize) -> Planted {
    let mut volume = Volume::new(Language::English, budget);
    let lines = |saga: &Saga, evidence| -> Vec<Line> {
        let heading = Line { text: format!("The story of {}.", saga.town()), evidence };
        std::iter::once(heading).chain(saga.summary().into_iter().map(|text| Line { text, evidence })).collect()
    };
    let own = lines(saga, true);
    // The asked summary stands anywhere; room for it is kept until it is written.
    let place = rng.below(u64::from(budget.max(1))) as u32 * 8 / 10;
    let mut told = false;
    loop {
        if !told && volume.tokens() >= place {
            told = volume.paragraph(&own);
        }
        let other = lines(&Saga::new(world, Language::English, rng, chapters), false);
        let reserve = if told { 0 } else { own.len() as u32 * 40 };
        if volume.left() < reserve || !volume.paragraph(&other) {
            break;
        }
    }
    if !told {
        volume.paragraph(&own);
    }
    let mut around = Chronicle::new(world, Language::English, rng.next_u64());
    while around.paragraph().into_iter().all(|statement| volume.offer(&Line::plain(statement.text))) {}
    volume.finish()
}
