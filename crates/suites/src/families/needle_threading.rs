//! Needle Threading (arXiv 2411.05000, sections 3 and 4): keys and values that look alike, in one JSON object.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::{prose, words};
use crate::item::{Item, Scored};
use crate::metrics::needle_threading as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice, integer,
};

/// The six tasks over pairs of identifiers.
pub struct NeedleThreading;

const KINDS: &[&str] = &["single", "multiple", "conditional", "threading", "multi_threading", "branched"];

const PARAMETERS: [Parameter; 5] = [
    Parameter {
        name: "kind",
        help: "Which of the six tasks",
        kind: ParameterKind::Choice { options: KINDS, default: "single" },
    },
    Parameter {
        name: "needles",
        help: "Keys asked for at once (multiple, conditional)",
        kind: ParameterKind::Integer { min: 2, max: 25, default: 5 },
    },
    Parameter {
        name: "steps",
        help: "Pairs in a thread (threading, multi_threading, branched)",
        kind: ParameterKind::Integer { min: 2, max: 25, default: 5 },
    },
    Parameter {
        name: "threads",
        help: "Threads followed at once (multi_threading), or branches at every step (branched)",
        kind: ParameterKind::Integer { min: 2, max: 10, default: 3 },
    },
    Parameter {
        name: "answer",
        help: "Tokens for the answer, for models that write the way down; 0 takes 96, or 768 for lists",
        kind: ParameterKind::Integer { min: 0, max: 4096, default: 0 },
    },
];

/// Stands in the planted keys of the conditional task; identifiers are hexadecimal, so nothing else holds it.
const MARK: char = '*';

impl Family for NeedleThreading {
    fn slug(&self) -> &'static str {
        "needle_threading"
    }

    fn title(&self) -> &'static str {
        "Needle Threading"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = choice(params, "kind");
        let plural = is_plural(kind);
        let followed = matches!(kind, "threading" | "multi_threading" | "branched");
        Card {
            benchmark: "Needle Threading",
            what: format!("{} in a JSON object of 128-bit identifiers.", what(kind)),
            citation: "Roberts et al. 2024, Needle Threading, arXiv 2411.05000; code needle-threading @ 006f8f57 (MIT)",
            licence: "official data MIT; pairs and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Characters,
            tokenizer: "none: the paper counts characters and plots Llama 3.1 tokens",
            abilities: if followed { &["retrieval", "tracing"] } else { &["retrieval"] },
            diffusion: if followed { Diffusion::Medium } else { Diffusion::Low },
            scope: if plural || followed { Scope::Several } else { Scope::Narrow },
            random_guess: 0.0,
            output_tokens: answer_tokens(params, plural),
            metric: if plural { "needle_threading.set_exact" } else { "needle_threading.single_exact" },
            strict_metric: plural.then_some("needle_threading.recall.strict"),
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let question = Question::draw(&task.definition().params, request, &mut rng);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let head = "Below stands a JSON object with many pairs of a key and a value.\n\n";
        let tail = format!("\n\n{}", question.text);

        let mut prompt = Prompt::default();
        prompt.push(head);
        prompt.begin_document();
        let ends = prompt.count(&format!("{{\"a\": \"a\"}}{tail}"));
        let planted: u32 = question.pairs.iter().map(|(key, value)| pair_cost(&mut prompt, key, value)).sum();
        let fixed = prompt.tokens() + ends + planted;
        let Some(mut left) = limit.checked_sub(fixed) else {
            return Err(prose::unsatisfiable(
                task,
                request,
                "the asked pairs alone are longer; choose a longer length",
            ));
        };
        let mut pairs = Vec::with_capacity(left as usize / 40);
        while let Some((key, value, cost)) = fitting_pair(&mut prompt, &mut rng, left) {
            left -= cost;
            pairs.push((key, value));
        }
        let places = question.places(pairs.len(), &mut rng);
        push_object(&mut prompt, &pairs, &question.pairs, &places);
        prompt.end_document();
        prompt.push(&tail);
        let answer =
            Answer { references: question.references, depth_percent: question.depth_percent, ..Answer::default() };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![
            TaskDefinition::generated(self.slug(), "needle_threading_single", "One pair", json!({ "kind": "single" })),
            TaskDefinition::generated(
                self.slug(),
                "needle_threading_multiple",
                "Several pairs",
                json!({ "kind": "multiple" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needle_threading_conditional",
                "Pairs with a marked key",
                json!({ "kind": "conditional" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needle_threading_threading",
                "A thread of pairs",
                json!({ "kind": "threading" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needle_threading_multi_threading",
                "Several threads",
                json!({ "kind": "multi_threading" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needle_threading_branched",
                "A branching thread",
                json!({ "kind": "branched" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needle_threading_three",
                "A thread of three pairs, with room to write the way down",
                json!({ "kind": "threading", "steps": 3, "answer": 192 }),
            ),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let found = metric::uuids(answer);
        let (score, strict) = if is_plural(choice(params, "kind")) {
            (metric::set_exact(answer, &item.references), Some(metric::recall_strict(answer, &item.references)))
        } else {
            (item.references.first().map_or(0.0, |reference| metric::single_exact(answer, reference)), None)
        };
        Scored { score, strict, well_formed: !found.is_empty(), extracted: found.join(", ") }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        item.references.iter().map(|_| words::uuid(rng)).collect::<Vec<_>>().join(", ")
    }
}

fn answer_tokens(params: &Params, plural: bool) -> u32 {
    match u32::try_from(integer(params, "answer")) {
        Ok(tokens) if tokens > 0 => tokens,
        _ if plural => 768,
        _ => 96,
    }
}

fn is_plural(kind: &str) -> bool {
    matches!(kind, "multiple" | "conditional" | "multi_threading")
}

fn what(kind: &str) -> &'static str {
    match kind {
        "multiple" => "Give the values of several keys",
        "conditional" => "Give the values of all keys that hold a marked character",
        "threading" => "Follow a value that is itself a key, and so on to the end of the thread",
        "multi_threading" => "Follow several threads to their ends at once",
        "branched" => "Follow a thread whose keys stand several times, only one of whose values goes on",
        _ => "Give the value of one key",
    }
}

/// What is planted and asked.
struct Question {
    pairs: Vec<(String, String)>,
    text: String,
    references: Vec<String>,
    depth_percent: Option<u8>,
}

impl Question {
    fn draw(params: &Params, request: &ItemRequest<'_>, rng: &mut Rng) -> Self {
        let (needles, steps, threads) =
            (integer(params, "needles"), integer(params, "steps"), integer(params, "threads"));
        match choice(params, "kind") {
            "multiple" => Self::multiple(rng, needles),
            "conditional" => Self::conditional(rng, needles),
            "threading" => Self::threading(rng, steps, 1),
            "multi_threading" => Self::threading(rng, steps, threads),
            "branched" => Self::branched(rng, steps, threads),
            _ => Self::single(rng, prose::swept_depth(request.index)),
        }
    }

    fn new(pairs: Vec<(String, String)>, references: Vec<String>, text: String) -> Self {
        Self { pairs, text, references, depth_percent: None }
    }

    fn single(rng: &mut Rng, depth: u8) -> Self {
        let (key, value) = pair(rng);
        let text = format!("What is the value of the key \"{key}\"? Reply with the value only.\nValue:");
        Self { depth_percent: Some(depth), ..Self::new(vec![(key, value.clone())], vec![value], text) }
    }

    fn multiple(rng: &mut Rng, needles: usize) -> Self {
        let pairs: Vec<_> = (0..needles).map(|_| pair(rng)).collect();
        let keys: Vec<String> = pairs.iter().map(|(key, _)| format!("\"{key}\"")).collect();
        let text = format!(
            "What are the values of these keys: {}? Reply with the values only, as a list in square brackets.\nValues:",
            keys.join(", ")
        );
        let references = pairs.iter().map(|(_, value)| value.clone()).collect();
        Self::new(pairs, references, text)
    }

    fn conditional(rng: &mut Rng, needles: usize) -> Self {
        let pairs: Vec<_> = (0..needles)
            .map(|_| {
                let (key, value) = pair(rng);
                let at = rng.index(8);
                let marked = key.chars().enumerate().map(|(place, letter)| if place == at { MARK } else { letter });
                (marked.collect(), value)
            })
            .collect();
        let text = format!(
            "What are the values of all keys that contain the character \"{MARK}\"? Reply with the values only, as a \
             list in square brackets.\nValues:"
        );
        let references = pairs.iter().map(|(_, value): &(String, String)| value.clone()).collect();
        Self::new(pairs, references, text)
    }

    fn threading(rng: &mut Rng, steps: usize, threads: usize) -> Self {
        let chains: Vec<Vec<String>> = (0..threads).map(|_| (0..=steps).map(|_| words::uuid(rng)).collect()).collect();
        let links = chains.iter().flat_map(|chain| chain.iter().zip(chain.iter().skip(1)));
        let pairs = links.map(|(key, value)| (key.clone(), value.clone())).collect();
        let references: Vec<String> = chains.iter().filter_map(|chain| chain.last().cloned()).collect();
        let starts: Vec<String> =
            chains.iter().filter_map(|chain| chain.first()).map(|key| format!("\"{key}\"")).collect();
        let text = if threads == 1 {
            format!(
                "Start at the key {}. Its value may itself be a key; then go on with that key's value, until a value \
                 is no key. Reply with that last value only.\nLast value:",
                starts.join("")
            )
        } else {
            format!(
                "Start at each of the keys {}. A value may itself be a key; then go on with that key's value, until a \
                 value is no key. Reply with the last values only, as a list in square brackets.\nLast values:",
                starts.join(", ")
            )
        };
        Self::new(pairs, references, text)
    }

    /// Every key of the thread but the last stands `branches` times, and one of its values goes on.
    fn branched(rng: &mut Rng, steps: usize, branches: usize) -> Self {
        let chain: Vec<String> = (0..=steps).map(|_| words::uuid(rng)).collect();
        let mut pairs = Vec::new();
        for (step, (key, value)) in chain.iter().zip(chain.iter().skip(1)).enumerate() {
            pairs.push((key.clone(), value.clone()));
            let dead_ends = if step + 1 < steps { branches - 1 } else { 0 };
            pairs.extend((0..dead_ends).map(|_| (key.clone(), words::uuid(rng))));
        }
        let text = format!(
            "Start at the key \"{}\". A key may stand several times with different values; at most one of these is \
             itself a key, and the thread goes on there. Follow it until no value is a key. Reply with the value at \
             the deepest end only.\nLast value:",
            chain.first().map_or("", String::as_str)
        );
        Self::new(pairs, chain.last().cloned().into_iter().collect(), text)
    }

    /// Where the planted pairs stand among `others` pairs: the swept depth for one, anywhere for several.
    fn places(&self, others: usize, rng: &mut Rng) -> Vec<usize> {
        match self.depth_percent {
            Some(percent) => vec![others * usize::from(percent) / 100],
            None => self.pairs.iter().map(|_| rng.index(others + 1)).collect(),
        }
    }
}

fn pair(rng: &mut Rng) -> (String, String) {
    (words::uuid(rng), words::uuid(rng))
}

/// Canonical tokens of `, "key": "value"` inside the object.
fn pair_cost(prompt: &mut Prompt, key: &str, value: &str) -> u32 {
    prompt.count(&format!("a\", \"{key}\": \"{value}")) - prompt.count("a")
}

/// A random pair of at most `left` tokens: the first drawn, or near the end the largest of several that fits.
fn fitting_pair(prompt: &mut Prompt, rng: &mut Rng, left: u32) -> Option<(String, String, u32)> {
    const DRAWS: usize = 24;
    let mut best: Option<(String, String, u32)> = None;
    for _ in 0..DRAWS {
        let (key, value) = pair(rng);
        let cost = pair_cost(prompt, &key, &value);
        if cost * 4 <= left {
            return Some((key, value, cost));
        }
        if cost <= left && best.as_ref().is_none_or(|(.., size)| cost > *size) {
            best = Some((key, value, cost));
        }
    }
    best
}

/// Writes the object with the planted pairs at their places; each planted pair is a needle.
fn push_object(prompt: &mut Prompt, pairs: &[(String, String)], planted: &[(String, String)], places: &[usize]) {
    let mut order: Vec<(usize, &(String, String))> = places.iter().copied().zip(planted).collect();
    order.sort_by_key(|(place, _)| *place);
    let mut waiting = order.into_iter().peekable();
    let mut separator = "{";
    let mut plain = String::new();
    for at in 0..=pairs.len() {
        while let Some((_, (key, value))) = waiting.next_if(|(place, _)| *place == at) {
            plain.push_str(separator);
            prompt.push(&plain);
            plain.clear();
            prompt.push_needle(&format!("\"{key}\": \"{value}\""));
            separator = ", ";
        }
        if let Some((key, value)) = pairs.get(at) {
            for part in [separator, "\"", key, "\": \"", value, "\""] {
                plain.push_str(part);
            }
            separator = ", ";
        }
    }
    plain.push('}');
    prompt.push(&plain);
}
