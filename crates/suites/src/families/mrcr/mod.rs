//! MRCR (OpenAI 2025, after Michelangelo, arXiv 2409.12640): in a long conversation the same thing is asked for several
//! times; repeat the writing that answered one of these requests.

mod conversation;
mod dataset;
mod writing;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::{lines, prose, words};
use crate::item::{Item, Role, Scored};
use crate::metrics::mrcr;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

use conversation::Conversation;
use writing::{BLIND, Wish};

/// Several equal requests.
pub struct Mrcr;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "needles",
    help: "How many times the same thing is asked for",
    kind: ParameterKind::Choice { options: &["2", "4", "8"], default: "2" },
}];

/// Letters of the text that an answer begins with.
const PREFIX: usize = 10;
const ORDINALS: [&str; 8] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
/// Exchanges that do not fit before a conversation counts as full.
const REFUSALS: usize = 24;
const THANKS: &str = "Thank you for all of these.";
const WELCOME: &str = "You are welcome.";

/// A request and its answer, and whether it is one of the equal ones.
struct Exchange {
    request: String,
    answer: String,
    equal: bool,
}

impl Family for Mrcr {
    fn slug(&self) -> &'static str {
        "mrcr"
    }

    fn title(&self) -> &'static str {
        "MRCR"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        Card {
            benchmark: "MRCR",
            what: format!(
                "Repeat the writing that answered one of {} equal requests in a long conversation, after a given prefix.",
                choice(params, "needles")
            ),
            citation: "OpenAI MRCR (2025), data set openai/mrcr (MIT); after Vodrahalli et al. 2024, Michelangelo, arXiv 2409.12640",
            licence: "official data MIT; requests and writings of generated items are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::O200kTokens,
            tokenizer: "o200k_base over prompt and answer",
            abilities: &["retrieval", "reasoning", "dialogue"],
            diffusion: Diffusion::High,
            scope: Scope::Several,
            random_guess: 0.0,
            output_tokens: 256,
            metric: "mrcr.sequence_match_ratio",
            strict_metric: None,
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                post_processing: "0 without the prefix at the very beginning, else what follows it",
                ..Protocol::GENERATED
            },
            importable: Some("OpenAI MRCR (MIT)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let needles = choice(&task.definition().params, "needles").parse().unwrap_or(2);
        let wish = Wish::draw(&mut rng);
        let turn = rng.index(needles);
        let prefix = words::letters(&mut rng, 1, PREFIX, b'a').concat();
        let question = question(wish, turn, &prefix);
        let mut conversation = Conversation::default();
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let frame = conversation.count(THANKS) + conversation.count(WELCOME) + conversation.count(&question) + 8;
        let mut left = limit.saturating_sub(frame);
        let exchanges = exchanges(World::new(request.seed), wish, needles, &mut conversation, &mut left, &mut rng)
            .ok_or_else(|| prose::unsatisfiable(task, request, "the equal requests do not fit"))?;
        let mut equal = exchanges.iter().filter(|exchange| exchange.equal);
        let wanted = equal.nth(turn).map(|exchange| exchange.answer.clone()).unwrap_or_default();
        for exchange in &exchanges {
            conversation.push(Role::User, &exchange.request);
            if exchange.equal && exchange.answer == wanted {
                conversation.push_needle(Role::Assistant, &exchange.answer);
            } else {
                conversation.push(Role::Assistant, &exchange.answer);
            }
        }
        conversation.push(Role::User, THANKS);
        let closing = conversation.count(WELCOME) + conversation.count(&question) + 4;
        let room = limit.saturating_sub(conversation.tokens() + closing);
        conversation.push(Role::Assistant, &format!("{WELCOME}{}", lines::remarks(room, &mut rng)));
        conversation.push(Role::User, &question);
        let answer = Answer {
            references: vec![format!("{prefix}{wanted}")],
            gold: json!({ "prefix": prefix, "needles": needles }),
            ..Answer::default()
        };
        Ok(conversation.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        ["2", "4", "8"]
            .map(|needles| {
                let title = format!("One of {needles} equal requests");
                TaskDefinition::generated(
                    self.slug(),
                    &format!("mrcr_{needles}"),
                    &title,
                    json!({ "needles": needles }),
                )
            })
            .into()
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let reference = item.references.first().map_or("", String::as_str);
        let prefix = prefix(item);
        let rest = answer.strip_prefix(prefix).filter(|_| !prefix.is_empty());
        Scored {
            score: mrcr::sequence_match_ratio(answer, reference, prefix),
            strict: None,
            extracted: rest.unwrap_or_default().trim().chars().take(200).collect(),
            well_formed: rest.is_some(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, item: &Item, _: &mut Rng) -> String {
        format!("{}{BLIND}", prefix(item))
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        self.score(&task.definition().params, item, &format!("{}{BLIND}", prefix(item))).score
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Conversations)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

fn prefix(item: &Item) -> &str {
    item.gold.get("prefix").and_then(Value::as_str).unwrap_or_default()
}

fn question(wish: Wish, turn: usize, prefix: &str) -> String {
    let ordinal = ORDINALS.get(turn).copied().unwrap_or_default();
    format!(
        "I have asked you several times to write a {}. Repeat the {ordinal} of these writings word for word, and put {prefix} directly before it, with nothing between. Write nothing else.",
        wish.words()
    )
}

/// Exchanges that fill what is `left`: the equal ones at random places among others.
fn exchanges(
    world: World,
    wish: Wish,
    needles: usize,
    conversation: &mut Conversation,
    left: &mut u32,
    rng: &mut Rng,
) -> Option<Vec<Exchange>> {
    let mut take = |wish: Wish, equal: bool, rng: &mut Rng| {
        let exchange = Exchange { request: wish.request(), answer: wish.fulfil(world, rng), equal };
        // Contents follow each other with nothing between, so joints cost nothing or save a little.
        let cost = conversation.count(&exchange.request) + conversation.count(&exchange.answer) + 1;
        *left = left.checked_sub(cost)?;
        Some(exchange)
    };
    let mut equal: Vec<Exchange> = (0..needles).map(|_| take(wish, true, rng)).collect::<Option<_>>()?;
    let mut others = Vec::new();
    let mut refused = 0;
    while refused < REFUSALS {
        match take(Wish::beside(wish, rng), false, rng) {
            Some(exchange) => others.push(exchange),
            None => refused += 1,
        }
    }
    let total = equal.len() + others.len();
    let mut places = rng.distinct(total, needles);
    places.sort_unstable();
    let mut others = others.into_iter();
    let mut in_order = Vec::with_capacity(total);
    for place in 0..total {
        let next = if places.binary_search(&place).is_ok() { equal.pop() } else { others.next() };
        in_order.extend(next);
    }
    Some(in_order)
}
