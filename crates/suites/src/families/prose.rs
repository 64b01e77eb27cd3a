//! The haystacks that prose families share, and the planting of needles in them.

use crate::card::Language;
use crate::haystack::{Haystack, HaystackError, Passage, PassageBuilder, planting_cost};
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Task};
use crate::world::World;

/// The forty depths of RULER, round(linspace(0, 100, 40)), in an order that spreads any number of samples.
pub fn swept_depth(index: u32) -> u8 {
    let point = (u64::from(index) * 27) % 40;
    ((point as f64) * 100.0 / 39.0).round() as u8
}

/// A stream for one item.
pub fn stream(task: &Task, request: &ItemRequest<'_>) -> Rng {
    let definition = task.definition();
    Rng::from_path(&[
        request.seed,
        Rng::name(&definition.slug),
        u64::from(definition.version),
        u64::from(request.length.tokens()),
        u64::from(request.index),
    ])
}

/// The stream of an item that was generated before: what [`stream`] gave for its request.
pub fn stream_of(item: &Item) -> Rng {
    let version = item.id.split(['@', '/']).nth(1).and_then(|digits| digits.parse::<u64>().ok());
    Rng::from_path(&[
        item.seed,
        Rng::name(&item.task),
        version.unwrap_or_default(),
        u64::from(item.length.tokens()),
        u64::from(item.index),
    ])
}

/// Names what stands in the way of a length.
pub fn unsatisfiable(task: &Task, request: &ItemRequest<'_>, reason: impl Into<String>) -> GenerateError {
    GenerateError::Unsatisfiable {
        task: task.slug().to_owned(),
        length: request.length.to_string(),
        reason: reason.into(),
    }
}

/// Families whose items come from the world's facts run without a corpus.
pub fn refuse_corpus(task: &Task, request: &ItemRequest<'_>) -> Result<(), GenerateError> {
    match request.corpus {
        None => Ok(()),
        Some(_) => {
            Err(unsatisfiable(task, request, "its items are made from the built-in world: run it without a corpus"))
        }
    }
}

/// Short sentences that carry nothing: the noise haystack, and what fills the last few tokens.
const NOISE: [&str; 5] =
    ["The road is dry.", "The lamp is lit.", "The bread is warm.", "We set out.", "Then home again."];

/// A passage of repeated noise, at most `budget` tokens.
pub fn noise(budget: u32) -> Passage {
    let mut builder = PassageBuilder::new(Language::English, budget as usize * 5);
    fill_with_noise(&mut builder, budget);
    builder.finish()
}

/// Appends noise until no sentence fits.
pub fn fill_with_noise(builder: &mut PassageBuilder, budget: u32) {
    let costs = NOISE.map(|sentence| (sentence, planting_cost(Language::English, sentence)));
    for (sentence, cost) in costs.into_iter().cycle() {
        if builder.tokens() + cost > budget {
            break;
        }
        builder.counted_sentence(sentence, cost);
    }
}

/// A prompt around a haystack: what stands before and after, and what is planted.
pub struct Plan {
    /// Language of haystack and needles.
    pub language: Language,
    /// Text before the haystack, ending with an empty line.
    pub head: String,
    /// Text after the haystack, beginning with an empty line.
    pub tail: String,
    /// Needles with their place as a fraction of the haystack, in the order of `Plan` positions at equal places.
    pub needles: Vec<(f64, String)>,
    /// The answer.
    pub answer: Answer,
}

/// Fills `plan` with a passage from `source` so that the length is met, and plants the needles.
pub fn assemble(
    task: &Task,
    request: &ItemRequest<'_>,
    plan: Plan,
    source: &mut dyn FnMut(u32) -> Result<Passage, HaystackError>,
) -> Result<Item, GenerateError> {
    let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
    let mut frame = Prompt::default();
    frame.push(&plan.head);
    frame.push(&plan.tail);
    let planted: u32 = plan.needles.iter().map(|(_, needle)| planting_cost(plan.language, needle)).sum();
    let fixed = frame.tokens() + planted;
    let Some(mut budget) = limit.checked_sub(fixed).filter(|&budget| budget >= 64) else {
        let shortest = fixed + task.card().output_tokens + 64;
        return Err(unsatisfiable(task, request, format!("frame, needles and answer need {shortest} tokens")));
    };
    loop {
        let passage = source(budget).map_err(|error| unsatisfiable(task, request, error.to_string()))?;
        let plants: Vec<(usize, &str)> =
            plan.needles.iter().map(|(place, needle)| (passage.break_at(*place), needle.as_str())).collect();
        let planted = passage.plant(&plants);
        // Held no longer than needed: at 1M tokens the text is several megabytes.
        drop(passage);
        let mut prompt = Prompt::default();
        prompt.push(&plan.head);
        prompt.begin_document();
        prompt.push_planted(&planted);
        drop(planted);
        prompt.end_document();
        prompt.push(&plan.tail);
        let excess = prompt.tokens().saturating_sub(limit);
        if excess == 0 {
            return Ok(prompt.finish(task, request, plan.answer));
        }
        budget = budget.saturating_sub(excess);
    }
}

/// Running prose: the world, or the corpus of the request.
pub fn running(
    request: &ItemRequest<'_>,
    language: Language,
    variant: u64,
) -> impl FnMut(u32) -> Result<Passage, HaystackError> {
    let world = World::new(request.seed);
    let corpus = request.corpus;
    move |budget| match corpus {
        Some(corpus) => corpus.passage(variant, budget),
        None => world.haystack(language).passage(variant, budget),
    }
}
