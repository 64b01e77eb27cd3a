//! RULER's frequent words (arXiv 2404.06654, section 3): coded words with Zipf frequencies.

use serde_json::json;

use crate::card::{Card, Diffusion, Scope};
use crate::families::{prose, words};
use crate::item::{Item, Scored};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, integer,
};

/// Counting coded words.
pub struct RulerFwe;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "alpha_tenths",
    help: "Exponent of the frequencies in tenths: 20 means that rank k occurs in proportion to 1/k²",
    kind: ParameterKind::Integer { min: 15, max: 40, default: 20 },
}];

/// What stands for the most frequent word, so that it carries nothing.
const DOTS: &str = "...";

impl Family for RulerFwe {
    fn slug(&self) -> &'static str {
        "ruler_fwe"
    }

    fn title(&self) -> &'static str {
        "RULER frequent words"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            what: "Name the three most frequent words of a coded text; dots do not count. The lead-in of the answer \
                   stands at the end of the user message."
                .into(),
            abilities: &["counting", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            output_tokens: 50,
            ..super::ruler_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let alpha = integer(&task.definition().params, "alpha_tenths") as f64 / 10.0;
        let mut rng = prose::stream(task, request);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let vocabulary = words::letters(&mut rng, (limit as usize / 50).max(8), 6, b'a');
        let head = "A text in code follows. Keep count of the coded words in it; the dots mean nothing.\n\n";
        let tail = "\n\nQuestion: Which three coded words occur most often in the text above? Leave the dots out.\n\
                    Answer: The three coded words that occur most often are:";

        let mut prompt = Prompt::default();
        prompt.push(head);
        let budget = limit.saturating_sub(prompt.tokens() + prompt.count(tail) + 4);
        let costs: Vec<u32> = std::iter::once(DOTS)
            .chain(vocabulary.iter().skip(1).map(String::as_str))
            .map(|word| prompt.count(&[" ", word].concat()))
            .collect();
        let counts = frequencies(&costs, alpha, budget);
        let mut text: Vec<&str> = Vec::with_capacity(budget as usize / 2);
        for (rank, &count) in counts.iter().enumerate() {
            let word = if rank == 0 { DOTS } else { vocabulary.get(rank).map_or("", String::as_str) };
            text.extend(std::iter::repeat_n(word, count as usize));
        }
        rng.shuffle(&mut text);
        prompt.begin_document();
        prompt.push("Coded text:");
        for chunk in text.chunks(4096) {
            prompt.push(&[" ", &chunk.join(" ")].concat());
        }
        prompt.end_document();
        prompt.push(tail);
        let references = vocabulary.get(1..4).unwrap_or_default().to_vec();
        Ok(prompt.finish(task, request, Answer { references, depth_percent: None, ..Answer::default() }))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "fwe", "Frequent words", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        super::all_contained(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        words::letters(rng, item.references.len(), 6, b'a').join(", ")
    }
}

/// Counts per rank, `int(words · k^-alpha / zeta(alpha))` with the largest number of words whose text fits; what is
/// left over is spent on dots, which nobody counts.
fn frequencies(costs: &[u32], alpha: f64, budget: u32) -> Vec<u32> {
    let zeta: f64 = (1..=100_000).map(|rank| f64::from(rank).powf(-alpha)).sum();
    let weights: Vec<f64> = (1..=costs.len()).map(|rank| (rank as f64).powf(-alpha) / zeta).collect();
    let counts = |words: u32| weights.iter().map(|weight| (f64::from(words) * weight) as u32).collect::<Vec<u32>>();
    let cost = |counts: &[u32]| -> u64 {
        counts.iter().zip(costs).map(|(&count, &cost)| u64::from(count) * u64::from(cost)).sum()
    };
    let (mut low, mut high) = (0, budget);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if cost(&counts(middle)) <= u64::from(budget) { low = middle } else { high = middle - 1 }
    }
    let mut best = counts(low);
    let left = u64::from(budget).saturating_sub(cost(&best));
    if let (Some(dots), Some(&price)) = (best.first_mut(), costs.first()) {
        *dots += u32::try_from(left / u64::from(price.max(1))).unwrap_or(0);
    }
    best
}
