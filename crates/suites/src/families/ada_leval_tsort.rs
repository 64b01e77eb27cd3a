//! Ada-LEval's TSort (arXiv 2404.06480, section 3.1): four consecutive segments of one text, shuffled.

use serde_json::json;

use crate::card::{Card, Diffusion, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::ada_leval as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{Annals, World};

/// Put segments of the annals in order.
pub struct AdaLevalTsort;

const SEGMENTS: usize = 4;
const HEAD: &str = "Four consecutive segments of one set of annals were shuffled. The annals tell year after year what \
                    happened in every town. Read the segments below and find the order in which they stood.\n";
const TAIL: &str = "\nWrite the numbers of the segments in their right order as a list, the earliest first, for example \
                    Answer: [4, 1, 3, 2]\nAnswer:";

impl Family for AdaLevalTsort {
    fn slug(&self) -> &'static str {
        "ada_leval_tsort"
    }

    fn title(&self) -> &'static str {
        "Ada-LEval text sorting"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            what: "Put four shuffled segments of one running text in order; the years that are told say which comes \
                   first. Segments grow with the length."
                .to_owned(),
            abilities: &["reasoning", "aggregation"],
            diffusion: Diffusion::Medium,
            scope: Scope::Wide,
            random_guess: 1.0 / 24.0,
            output_tokens: 32,
            metric: "ada_leval.tsort_accuracy",
            strict_metric: Some("ada_leval.tsort_accuracy.strict"),
            protocol: Protocol {
                post_processing: "text after the first Answer:, as JSON, else the only order of 1 to 4 in it",
                ..Protocol::GENERATED
            },
            ..super::ada_leval_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let mut order: Vec<usize> = (0..SEGMENTS).collect();
        rng.shuffle(&mut order);
        let variant = rng.next_u64();
        let mut frame = Prompt::default();
        let frame_tokens = write(&mut frame, &vec![Vec::new(); SEGMENTS], &order);
        let mut budget = limit.saturating_sub(frame_tokens);
        let annals = Annals::new(World::new(request.seed), variant, budget);
        loop {
            let told = annals.tell(budget, &[]);
            let segments = segments(&told.passage.text);
            if segments.len() < SEGMENTS {
                return Err(prose::unsatisfiable(task, request, "the annals are too short to be cut in four"));
            }
            let mut prompt = Prompt::default();
            let excess = write(&mut prompt, &segments, &order).saturating_sub(limit);
            if excess == 0 {
                return Ok(prompt.finish(task, request, answer(&order)));
            }
            budget = budget.saturating_sub(excess);
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "ada_leval_tsort", "Four segments in order", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let order = order_of(item);
        let read = metric::order(answer);
        Scored {
            score: metric::text_sort(answer, &order).unwrap_or(0.0),
            strict: Some(metric::text_sort_strict(answer, &order)),
            well_formed: read
                .as_array()
                .is_some_and(|items| items.len() == order.len() && items.iter().any(|one| *one != 0)),
            extracted: read.to_string().chars().take(200).collect(),
        }
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        format!("Answer: {}", item.references.concat())
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        let mut order = order_of(item);
        order.sort_unstable();
        rng.shuffle(&mut order);
        format!("Answer: {order:?}")
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&super::ada_leval_files::TextSort)
    }
}

fn order_of(item: &Item) -> Vec<u64> {
    let list = item.gold.get("order").and_then(serde_json::Value::as_array);
    list.into_iter().flatten().filter_map(serde_json::Value::as_u64).collect()
}

/// `order` says which segment is shown at each place; the answer says at which place each segment is shown.
fn answer(order: &[usize]) -> Answer {
    let shown = |segment: usize| order.iter().position(|one| *one == segment).unwrap_or_default() + 1;
    let places: Vec<usize> = (0..order.len()).map(shown).collect();
    Answer { references: vec![format!("{places:?}")], gold: json!({ "order": places }), ..Answer::default() }
}

/// Paragraphs of four stretches of about equal length.
fn segments(text: &str) -> Vec<Vec<&str>> {
    let mut segments: Vec<Vec<&str>> = Vec::with_capacity(SEGMENTS);
    let (mut told, mut open) = (0, Vec::new());
    for paragraph in text.split("\n\n") {
        open.push(paragraph);
        told += paragraph.len() + 2;
        if told * SEGMENTS >= text.len() * (segments.len() + 1) && segments.len() + 1 < SEGMENTS {
            segments.push(std::mem::take(&mut open));
        }
    }
    if !open.is_empty() {
        segments.push(open);
    }
    segments
}

/// Writes the prompt and counts it. The first paragraph of a segment says when it begins.
fn write(prompt: &mut Prompt, segments: &[Vec<&str>], order: &[usize]) -> u32 {
    prompt.push(HEAD);
    prompt.begin_document();
    for (number, segment) in (1..).zip(order) {
        prompt.push(&format!("\nSegment {number}:\n\n"));
        let paragraphs = segments.get(*segment).map(Vec::as_slice).unwrap_or_default();
        for (place, paragraph) in paragraphs.iter().enumerate() {
            if place == 0 {
                prompt.push_needle(paragraph)
            } else {
                prompt.push(paragraph)
            }
            prompt.push(if place + 1 < paragraphs.len() { "\n\n" } else { "\n" });
        }
    }
    prompt.end_document();
    prompt.push(TAIL);
    prompt.tokens()
}
