//! Documents that queries search: their random streams, the items that hold one of them, and what guessing gives.

use std::collections::{BTreeMap, BTreeSet};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::haystack::{HaystackError, Passage, Planted};
use crate::item::{Item, Message, Role};
use crate::metrics::ranking::{self, Measures};
use crate::prompt::{Answer, Prompt};
use crate::retrieval::{Judged, Pool, Rankings, document_id};
use crate::rng::Rng;
use crate::task::{GenerateError, ItemRequest, Params, Task, integer};
use crate::tokens;
use crate::world::{PersonId, World};

/// What the cards of retrieval tasks share.
pub fn card() -> Card {
    Card {
        benchmark: "",
        what: String::new(),
        citation: "",
        licence: "",
        language: Language::English,
        length_unit: LengthUnit::ModelTokens,
        tokenizer: "the model's own",
        abilities: &["embedding"],
        diffusion: Diffusion::Low,
        scope: Scope::Narrow,
        random_guess: 0.0,
        output_tokens: 0,
        metric: "",
        strict_metric: None,
        min_tokens: 1024,
        open_ended: false,
        protocol: Protocol {
            post_processing: "ranked by cosine, ties by document name descending",
            ..Protocol::GENERATED
        },
        importable: None,
    }
}

/// A parameter that counts documents, at least 1.
pub fn documents(params: &Params) -> u32 {
    u32::try_from(integer(params, "documents")).unwrap_or(1).max(1)
}

/// A pool that as many items search as it has documents.
pub fn shared_pool(documents: u32, request: &ItemRequest<'_>) -> Pool {
    Pool { block: request.index / documents.max(1), documents }
}

/// A stream for one thing of a block.
pub fn stream(task: &Task, request: &ItemRequest<'_>, block: u32, what: &str) -> Rng {
    let definition = task.definition();
    Rng::from_path(&[
        request.seed,
        Rng::name(&definition.slug),
        u64::from(definition.version),
        u64::from(request.length.tokens()),
        u64::from(block),
        Rng::name(what),
    ])
}

/// The document that an item asks for: each of a shared pool once.
pub fn asked(task: &Task, request: &ItemRequest<'_>, pool: Pool) -> u32 {
    let mut order: Vec<u32> = (0..pool.documents).collect();
    stream(task, request, pool.block, "order").shuffle(&mut order);
    order.get((request.index % pool.documents.max(1)) as usize).copied().unwrap_or(0)
}

/// Somebody whose name stands in one document of a block only, from a world that no document tells of.
pub fn stranger(seed: u64, family: &str, block: u32, number: u32) -> (World, PersonId) {
    let world = World::new(Rng::from_path(&[seed, Rng::name(family), u64::from(block)]).next_u64());
    let mut seen = BTreeSet::new();
    let ids = (0..).map(|id| PersonId(id * 13));
    let mut fresh = ids.filter(|id| seen.insert(world.person(*id).name.of(Language::English)));
    (world, fresh.nth(number as usize).unwrap_or(PersonId(0)))
}

/// An item of `queries` and one document, in which `needles` stand at their fractions.
pub fn item(
    task: &Task,
    request: &ItemRequest<'_>,
    queries: Vec<String>,
    needles: Vec<(f64, String)>,
    source: &mut dyn FnMut(u32) -> Result<Passage, HaystackError>,
) -> Result<Item, GenerateError> {
    let plan = prose::Plan {
        language: Language::English,
        head: queries.concat(),
        tail: String::new(),
        needles,
        answer: Answer::default(),
    };
    let mut item = prose::assemble(task, request, plan, source)?;
    split(&mut item, queries);
    Ok(item)
}

/// Rounds in which a document is written shorter until it fits.
const ROUNDS: usize = 4;

/// An item of `queries` and a document that `write` makes of at most so many canonical tokens.
pub fn written(
    task: &Task,
    request: &ItemRequest<'_>,
    queries: Vec<String>,
    write: &mut dyn FnMut(u32) -> Planted,
) -> Result<Item, GenerateError> {
    let limit = request.length.tokens();
    let head = queries.concat();
    let mut budget = limit.saturating_sub(tokens::count(&head));
    for _ in 0..ROUNDS {
        let mut prompt = Prompt::default();
        prompt.push(&head);
        prompt.push_planted(&write(budget));
        let excess = prompt.tokens().saturating_sub(limit);
        if excess == 0 {
            let mut item = prompt.finish(task, request, Answer::default());
            split(&mut item, queries);
            return Ok(item);
        }
        budget = budget.saturating_sub(excess);
    }
    Err(prose::unsatisfiable(task, request, "query and document do not fit: choose a longer one"))
}

/// Makes messages of a prompt: the queries that its text begins with, and the document after them.
pub fn split(item: &mut Item, queries: Vec<String>) {
    let mut document = item.joined();
    document.drain(..queries.iter().map(String::len).sum::<usize>().min(document.len()));
    let user = |content| Message { role: Role::User, content };
    item.messages = queries.into_iter().map(user).collect();
    item.messages.push(Message { role: Role::System, content: document });
}

/// The document of an item.
pub fn document(item: Item) -> String {
    item.messages.into_iter().next_back().map(|message| message.content).unwrap_or_default()
}

/// The gold of an item, with what a family adds to it.
pub fn gold(judged: &Judged, added: &[(&str, serde_json::Value)]) -> serde_json::Value {
    let mut gold = judged.to_gold();
    add(&mut gold, added);
    gold
}

/// Adds to the gold of an item.
pub fn add(gold: &mut serde_json::Value, added: &[(&str, serde_json::Value)]) {
    if let Some(fields) = gold.as_object_mut() {
        fields.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
}

/// Makes document `number` of `documents` the one that is relevant to the item's query.
pub fn seek(item: &mut Item, documents: u32, number: u32) {
    let id = document_id(number);
    item.gold = Judged { documents, relevant: vec![BTreeMap::from([(id.clone(), 1)])] }.to_gold();
    item.references = vec![id];
}

/// Measures of the ranking of one query.
pub fn measures(rankings: &Rankings, judged: &Judged, query: usize, cut: usize) -> Measures {
    let nothing = BTreeMap::new();
    ranking::measures(&rankings.names(query), judged.relevant.get(query).unwrap_or(&nothing), cut)
}

/// Expected NDCG of a random order of `documents`, of which one is relevant.
pub fn ndcg_by_chance(documents: u32, cut: u32) -> f64 {
    let discounts = (1..=documents.min(cut)).map(|rank| 1.0 / (f64::from(rank) + 1.0).log2());
    discounts.sum::<f64>() / f64::from(documents.max(1))
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use crate::item::Item;
    use crate::length::Length;
    use crate::retrieval::{Content, Rankings, queries};
    use crate::task::{ItemRequest, Task};
    use crate::tokens;

    /// A text as a reader of its first `window` canonical tokens sees it, about.
    pub fn head(text: &str, window: u32) -> &str {
        let mut end = text.len().min(6 * window as usize);
        while tokens::count(&text[..end]) > window {
            end = text[..end].rfind(' ').unwrap();
        }
        &text[..end]
    }

    /// Item and all documents of its pool.
    pub fn searched(slug: &str, tokens: u32, index: u32) -> (&'static Task, Item, Vec<(String, String)>) {
        let task = Task::find(slug).unwrap();
        let request = ItemRequest::new(17, index, Length::new(tokens).unwrap());
        let item = task.item(&request).unwrap();
        let retrieval = task.retrieval().unwrap();
        let pool = retrieval.pool(task, &request);
        let documents = (0..pool.documents).map(|number| {
            let document = retrieval.document(task, &request, pool.block, number).unwrap();
            match document.content {
                Content::Text(text) => (document.id, text),
                Content::Picture(bytes) => (document.id, hex::encode(bytes)),
            }
        });
        (task, item, documents.collect())
    }

    fn words(text: &str) -> BTreeSet<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() > 2);
        words.map(str::to_lowercase).collect()
    }

    /// Ranks documents by how many of a query's words they hold; rare ones count more.
    pub fn by_words(item: &Item, documents: &[(String, String)]) -> Rankings {
        let texts: Vec<BTreeSet<String>> = documents.iter().map(|(_, text)| words(text)).collect();
        let mut rankings = Rankings::default();
        for query in queries(item) {
            let wanted = words(query);
            let weight = |word: &String| {
                let holding = texts.iter().filter(|text| text.contains(word)).count();
                (documents.len() as f32 / (holding as f32 + 0.5)).ln()
            };
            let score = |text: &BTreeSet<String>| wanted.iter().filter(|word| text.contains(*word)).map(weight).sum();
            let scored = documents.iter().zip(&texts).map(|((id, _), text)| (id.clone(), score(text)));
            rankings.push(scored.collect());
        }
        rankings
    }

    /// Mean score of ranking by words over items.
    pub fn mean_by_words(slug: &str, tokens: u32, items: u32) -> f64 {
        let scores = (0..items).map(|index| {
            let (task, item, documents) = searched(slug, tokens, index);
            task.score(&item, &by_words(&item, &documents).write()).score
        });
        scores.sum::<f64>() / f64::from(items)
    }
}
