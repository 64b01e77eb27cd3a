//! HELMET's re-ranking (princeton-nlp/HELMET): passages in order of their relevance to a query.
//!
//! The official data are MS MARCO's with graded judgements; here the grade of a passage follows from what it states.

use std::collections::BTreeMap;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::book::{self, Book, Section, Volume};
use crate::families::{helmet_files, helmet_recall, prose};
use crate::item::{Item, Scored};
use crate::metrics::helmet;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{EventKind, Fact, TownId, World};

/// A ranking of passages.
pub struct HelmetRerank;

const HEAD: &str = "Below are passages of a chronicle, each with a number, and at the end a query. Rank the ten passages that are most relevant to the query, best first.\n\n";
const TAIL_TOKENS: u32 = 230;
/// Passages that are ranked.
const RANKED: usize = 10;
/// Parts of the chronicle that are mixed.
const WALKS: u32 = 4;

fn heading(number: usize) -> String {
    format!("[ID: {number}] ")
}

impl Family for HelmetRerank {
    fn slug(&self) -> &'static str {
        "helmet_rerank"
    }

    fn title(&self) -> &'static str {
        "HELMET re-ranking"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "HELMET",
            what: "Rank passages by how much they tell about one town in one year.".to_owned(),
            citation: helmet_recall::CITATION,
            licence: "official code and prompts MIT; passages, queries and grades of generated items are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::LlamaTokens,
            tokenizer: "Llama-2",
            abilities: &["semantic retrieval", "aggregation"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: 0.2,
            output_tokens: 200,
            metric: "helmet.ndcg10",
            strict_metric: Some("helmet.ndcg10.strict"),
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the longest run of the form `a > b > c` is the ranking",
                ..Protocol::GENERATED
            },
            importable: Some("HELMET's re-ranking files (MIT); passages of MS MARCO, for non-commercial research"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let room = book::room(task, request, HEAD, TAIL_TOKENS);
        let world = World::new(request.seed);
        let mut books = (0..WALKS).map(|_| Book::gather(world, rng.next_u64(), room / WALKS, heading));
        let asked = books.next().and_then(|book| Some((first_town(&book)?, book)));
        let Some((town, first)) = asked else {
            return Err(prose::unsatisfiable(task, request, "the passages tell of no town's year"));
        };
        let mut sections = first.sections;
        sections.extend(books.flat_map(|book| book.sections));
        rng.shuffle(&mut sections);
        let mut query = Query { world, town, year: 0 };
        let years: Vec<u32> = sections.iter().filter_map(|section| query.told(section)).collect();
        query.year = rng.choose(&years).copied().unwrap_or_default();
        let grades: BTreeMap<String, u32> = sections
            .iter()
            .zip(1_usize..)
            .map(|(section, number)| (number.to_string(), query.grade(section)))
            .filter(|(_, grade)| *grade > 0)
            .collect();
        let best = sections.iter().enumerate().filter(|(_, section)| query.grade(section) == 3);
        let marks = best.map(|(section, _)| book::Place { section, sentence: 0 }).collect();
        let (name, year) = (&query.town, query.year);
        let tail = format!(
            "\n\nQuery: what happened at {name} in the year {year}?\n\nMost relevant is a passage about {name} in that year, then come passages about other years of {name}, then other passages that name {name}. All others are irrelevant.\nAnswer with the numbers of ten passages in the form: 4 > 17 > 2 > …\nRanking:"
        );
        let answer = Answer {
            references: vec![ranking(&grades, sections.len())],
            gold: json!({ "grades": grades, "passages": sections.len() }),
            ..Answer::default()
        };
        book::bind(task, request, Volume { head: HEAD.to_owned(), heading, sections, marks, tail, answer })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "helmet_rerank", "Passages in order of relevance", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let (grades, passages) = gold(item);
        let parsed = helmet::parse_rankings(answer);
        let order = helmet::order(&parsed);
        let listed: Option<Vec<String>> =
            item.gold.get("ids").and_then(|ids| serde::Deserialize::deserialize(ids).ok());
        let known = |name: &&str| match &listed {
            Some(ids) => ids.iter().any(|id| id == name),
            None => name.parse::<usize>().is_ok_and(|number| (1..=passages).contains(&number)),
        };
        let well_formed = !order.is_empty() && order.iter().all(known);
        let score = helmet::ndcg10(answer, &grades);
        Scored {
            score,
            strict: Some(if well_formed { score } else { 0.0 }),
            extracted: order.iter().take(RANKED).copied().collect::<Vec<_>>().join(" > "),
            well_formed,
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        let (_, passages) = gold(item);
        let chosen = rng.distinct(passages, RANKED.min(passages));
        chosen.into_iter().map(|place| (place + 1).to_string()).collect::<Vec<_>>().join(" > ")
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let (grades, passages) = gold(item);
        let discount = |rank: usize| 1.0 / (rank as f64 + 1.0).log2();
        let mean = grades.values().map(|grade| f64::from(*grade)).sum::<f64>() / passages.max(1) as f64;
        let expected: f64 = (1..=RANKED.min(passages)).map(|rank| mean * discount(rank)).sum();
        let mut best: Vec<u32> = grades.into_values().collect();
        best.sort_unstable_by(|one, other| other.cmp(one));
        let ideal: f64 =
            best.iter().take(RANKED).zip(1..).map(|(grade, rank)| f64::from(*grade) * discount(rank)).sum();
        if ideal > 0.0 { expected / ideal } else { 0.0 }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&helmet_files::Rankings)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

fn gold(item: &Item) -> (BTreeMap<String, u32>, usize) {
    let grades = serde_json::from_value(item.gold.get("grades").cloned().unwrap_or_default()).unwrap_or_default();
    let passages = item.gold.get("passages").and_then(serde_json::Value::as_u64).unwrap_or_default();
    (grades, usize::try_from(passages).unwrap_or_default())
}

/// A best ranking: by grade, then by number.
fn ranking(grades: &BTreeMap<String, u32>, passages: usize) -> String {
    let grade = |number: &usize| grades.get(&number.to_string()).copied().unwrap_or_default();
    let mut numbers: Vec<usize> = (1..=passages).collect();
    numbers.sort_by_key(|number| std::cmp::Reverse(grade(number)));
    numbers.iter().take(RANKED).map(ToString::to_string).collect::<Vec<_>>().join(" > ")
}

/// What is asked for. Towns are told apart by name, as a reader tells them apart.
struct Query {
    world: World,
    town: String,
    year: u32,
}

impl Query {
    fn is(&self, town: TownId) -> bool {
        self.world.town(town).name.of(Language::English) == self.town
    }

    /// The year that a section tells of the town.
    fn told(&self, section: &Section) -> Option<u32> {
        section.iter().find_map(|statement| match &statement.fact {
            Fact::Measure(measure) if self.is(measure.town) => Some(measure.year),
            _ => None,
        })
    }

    fn grade(&self, section: &Section) -> u32 {
        match self.told(section) {
            Some(year) if year == self.year => 3,
            Some(_) => 2,
            None => u32::from(section.iter().any(|statement| self.named(&statement.fact))),
        }
    }

    /// Whether a sentence names the town in any of its wordings.
    fn named(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Town(town) => self.is(*town),
            Fact::Life(id) => self.is(self.world.person(*id).home),
            Fact::Term(term) => self.is(term.town),
            Fact::Event(event) => {
                let both = matches!(event.kind, EventKind::Dispute | EventKind::Treaty);
                self.is(event.town) || (both && self.is(event.with))
            }
            _ => false,
        }
    }
}

/// The first town of which a year is told.
fn first_town(book: &Book) -> Option<String> {
    book.sentences().find_map(|(_, statement)| match &statement.fact {
        Fact::Measure(measure) => Some(book.world.town(measure.town).name.of(Language::English)),
        _ => None,
    })
}
