//! SeNER (arXiv 2502.07286) for chat endpoints: entities of one to many words in homepages of scholars who do not exist.

mod dataset;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::families::scholar::{KINDS, Page, Scholars};
use crate::families::volume::{self, Line, Written};
use crate::families::weave::{places, weave};
use crate::item::{Item, Scored};
use crate::metrics::json_list::last_list;
use crate::metrics::sener::{Counts, Entity, Span, Text, length_class};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::tokens;
use crate::world::{Chronicle, World};

/// Find the entities of homepages.
pub struct SeNer;

const HEAD: &str = "Between the paragraphs of a chronicle stand the homepages of scholars, each a paragraph that begins \
                    with the words Homepage of. Only the homepages matter.\n\n";

/// Canonical tokens for every homepage, and the most homepages.
const TOKENS_PER_PAGE: u32 = 8192;
const MOST_PAGES: u32 = 5;
/// Homepages are drawn anew until each entity stands in them once.
const DRAWS: u64 = 32;

impl Family for SeNer {
    fn slug(&self) -> &'static str {
        "sener"
    }

    fn title(&self) -> &'static str {
        "SeNER long entities"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "SeNER",
            what: format!(
                "Copy every entity of {} types, of 1 to more than 10 words, out of homepages that stand between the \
                 paragraphs of a chronicle. A text counts where it stands for the first time that no earlier one took; \
                 one that stands nowhere is a false positive. Official records give word offsets instead of texts.",
                KINDS.len()
            ),
            citation: "SeNER, arXiv 2502.07286; code THUDM/scholar-profiling @ ed3a4be7 (no licence stated)",
            licence: "official data hold personal data and no licence; scholars, homepages and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Words,
            tokenizer: "white space",
            abilities: &["extraction", "structure"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: 0.0,
            output_tokens: 512,
            metric: "sener.entity_micro_prf",
            strict_metric: None,
            min_tokens: 2048,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the last JSON list; texts are found in the homepages, without signs where need be",
                ..Protocol::GENERATED
            },
            importable: Some("no licence stated, and Scholar-XL holds personal data: for private use only"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let world = World::new(request.seed);
        let count = (1 + request.length.tokens() / TOKENS_PER_PAGE).min(MOST_PAGES);
        let base = rng.next_u64();
        let drawn = (0..DRAWS).find_map(|draw| pages(world, count, &mut Rng::from_path(&[base, draw])));
        let Some((pages, spans)) = drawn else {
            return Err(prose::unsatisfiable(task, request, "no homepages without repeats were found"));
        };
        let reference = written(&pages);
        let output = tokens::count(&reference) * 5 / 4 + 32;
        let (places, variant) = (places(pages.len(), &mut rng), rng.next_u64());
        let spans: Vec<_> = spans.iter().map(|span| (span.first, span.last, &span.kind)).collect();
        let gold = json!({ "text": text(&pages), "spans": spans });
        volume::fit(task, request, &mut |budget| {
            let mut walk = Chronicle::new(world, Language::English, variant);
            let woven = weave(budget, &places, &mut |_, page| match page.and_then(|page| pages.get(page)) {
                Some(page) => page.sentences.iter().map(Line::evidence).collect(),
                None => walk.paragraph().into_iter().map(|statement| Line::plain(statement.text)).collect(),
            })?;
            let answer = Answer {
                references: vec![reference.clone()],
                gold: gold.clone(),
                output_tokens: Some(output),
                ..Answer::default()
            };
            Some(Written { head: HEAD.to_owned(), body: woven.body, tail: tail(), answer })
        })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "sener", "Entities of many words", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let Some(list) = last_list(answer) else {
            return Scored { score: 0.0, strict: None, extracted: String::new(), well_formed: false };
        };
        let entities: Vec<Entity> = list.iter().filter_map(entity).collect();
        let document = item.gold.get("text").and_then(Value::as_str).unwrap_or_default();
        let located = Text::new(document).locate(&entities);
        let gold = gold(item);
        let right: BTreeSet<&Span> = located.spans.iter().filter(|span| gold.contains(span)).collect();
        let wrong_form = list.len() - entities.len();
        let counts = Counts {
            gold: gold.len(),
            predicted: located.spans.len() + located.unmatched + wrong_form,
            correct: right.len(),
        };
        Scored {
            score: counts.f1(),
            strict: None,
            extracted: summary(counts, &gold, &right),
            well_formed: wrong_form == 0,
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    /// A day on which no scholar was born.
    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        json!([{ "type": "birthday", "text": format!("{} January 1900", rng.between(1, 31)) }]).to_string()
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Documents)
    }
}

/// Homepages in which every entity stands once, with the spans of their entities; `None` where one stands twice.
fn pages(world: World, count: u32, rng: &mut Rng) -> Option<(Vec<Page>, Vec<Span>)> {
    let mut scholars = Scholars::new(world, rng.below(1 << 24) as u32);
    let pages: Vec<Page> = (0..count).map(|_| scholars.page(rng)).collect();
    let text = text(&pages);
    let entities: Vec<Entity> = pages.iter().flat_map(|page| page.entities.iter().cloned()).collect();
    if entities.iter().any(|entity| text.matches(&entity.text).count() != 1) {
        return None;
    }
    let located = Text::new(&text).locate(&entities);
    (located.unmatched == 0).then_some((pages, located.spans))
}

fn text(pages: &[Page]) -> String {
    pages.iter().map(|page| page.sentences.join(" ")).collect::<Vec<_>>().join("\n")
}

/// The answer that has everything.
fn written(pages: &[Page]) -> String {
    let entities = pages.iter().flat_map(|page| &page.entities);
    let entities: Vec<Value> = entities.map(|entity| json!({ "type": entity.kind, "text": entity.text })).collect();
    Value::from(entities).to_string()
}

fn tail() -> String {
    let kinds: Vec<String> = KINDS.iter().map(|(kind, what)| format!("{kind}: {what}\n")).collect();
    format!(
        "\n\nFind all entities of these types in the homepages, not in the chronicle:\n{}Answer with a JSON list in the \
         order of the text, for example [{{\"type\": \"birth_place\", \"text\": \"Kelbury\"}}]. Copy each text word for \
         word, without the article before it, and write nothing else.\nAnswer:",
        kinds.concat()
    )
}

fn entity(value: &Value) -> Option<Entity> {
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Entity { kind: field("type")?, text: field("text")? })
}

fn gold(item: &Item) -> BTreeSet<Span> {
    let list = item.gold.get("spans").and_then(Value::as_array);
    let number = |value: Option<&Value>| value?.as_u64().and_then(|number| usize::try_from(number).ok());
    let span = |value: &Value| {
        let kind = value.get(2)?.as_str()?.to_owned();
        Some(Span { first: number(value.get(0))?, last: number(value.get(1))?, kind })
    };
    list.into_iter().flatten().filter_map(span).collect()
}

/// What was found, by the entities' length.
fn summary(counts: Counts, gold: &BTreeSet<Span>, right: &BTreeSet<&Span>) -> String {
    let classes = ["1-3 words", "4-10 words", "more than 10 words"].iter().enumerate().map(|(class, name)| {
        let all = gold.iter().filter(|span| length_class(span) == class).count();
        let found = right.iter().filter(|span| length_class(span) == class).count();
        format!("{name} {found}/{all}")
    });
    let classes = classes.collect::<Vec<_>>().join(", ");
    let wrong = counts.predicted - counts.correct;
    format!("{} of {} entities, {wrong} wrong; {classes}", counts.correct, counts.gold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(length: &str, index: u32) -> (&'static Task, Item) {
        let task = Task::find("sener").unwrap();
        (task, task.item(&ItemRequest::new(4, index, length.parse().unwrap())).unwrap())
    }

    #[test]
    fn every_length_of_entity_is_asked_for() {
        for index in 0..8 {
            let (_, item) = item("16k", index);
            let gold = gold(&item);
            for class in 0..3 {
                assert!(gold.iter().filter(|span| length_class(span) == class).count() >= 3, "class {class}");
            }
        }
    }

    #[test]
    fn an_invented_entity_and_a_wrong_type_cost_precision() {
        let (task, item) = item("2k", 0);
        let all: Vec<Value> = last_list(&item.references[0]).unwrap();
        let score = |list: Vec<Value>| task.score(&item, &Value::from(list).to_string()).score;
        let n = all.len() as f64;
        let with = |value: Value| all.iter().cloned().chain([value]).collect::<Vec<_>>();
        assert!(
            (score(with(json!({"type": "awards", "text": "Medal of Nothing"}))) - 2.0 * n / (2.0 * n + 1.0)).abs()
                < 1e-12
        );
        assert!((score(with(json!("awards"))) - 2.0 * n / (2.0 * n + 1.0)).abs() < 1e-12);
        let mut other = all.clone();
        other[0]["type"] = json!("hobby");
        assert!((score(other) - (n - 1.0) / n).abs() < 1e-12);
        assert!((score(all[1..].to_vec()) - 2.0 * (n - 1.0) / (2.0 * n - 1.0)).abs() < 1e-12);
        assert!(task.score(&item, &item.references[0]).extracted.contains("0 wrong; 1-3 words"));
    }
}
