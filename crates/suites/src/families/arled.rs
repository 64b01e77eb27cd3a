//! ARLED (arXiv 2503.10233): abstracts of long Persian papers.

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::families::prose;
use crate::families::saga::Saga;
use crate::families::volume::{self, Written};
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::metrics::arled;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::World;

/// A Persian paper and its abstract.
pub struct Arled;

const CHAPTERS: usize = 6;
const HEAD: &str = "متن کامل یک مقاله در زیر آمده است.\n\n";
const ASK: &str = "نخستین جملهٔ هر بخش رویداد اصلی آن بخش است. چکیده‌ای بنویسید که رویداد اصلی هر بخش را به ترتیب در یک جمله بگوید و جز چکیده چیزی ننویسید.";
/// What one writes who has not read the paper.
const BLIND: &str = "این مقاله رویدادهای یک شهر را بررسی می‌کند: سیل، آتش‌سوزی، سرما، ساختن پل، آسیابی تازه، بازار بزرگ، دعوای شهر و پیمان با همسایه.";

impl Family for Arled {
    fn slug(&self) -> &'static str {
        "arled"
    }

    fn title(&self) -> &'static str {
        "ARLED"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "ARLED",
            what: "Write the abstract of a long Persian paper.".to_owned(),
            citation: "ARLED, arXiv 2503.10233; no official code",
            licence: "papers, abstracts and prompts here are Longboard's own",
            language: Language::Persian,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["summarization", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: 400,
            metric: "arled.rouge_l_f",
            strict_metric: Some("arled.rouge_l_f.strict"),
            min_tokens: 2048,
            open_ended: true,
            protocol: Protocol {
                truncation: Side::Right,
                truncation_unit: "tokens (the paper does not say how)",
                ..Protocol::GENERATED
            },
            importable: Some("no official release: pairs of body and abstract, on the terms of their owner"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let saga = saga(request.seed, prose::stream(task, request));
        let tail = format!("\n\n{ASK}\n\nچکیده:");
        volume::fit(task, request, &mut |budget| {
            let answer = Answer { references: vec![saga.summary().join(" ")], ..Answer::default() };
            Some(Written { head: HEAD.to_owned(), body: saga.tell(budget), tail: tail.clone(), answer })
        })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "arled", "Abstract of a Persian paper", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let reference = item.references.first().map_or("", String::as_str);
        let blank = answer.trim().is_empty();
        Scored {
            score: if blank { 0.0 } else { arled::rouge_l_f(answer, reference) },
            strict: Some(if blank { 0.0 } else { arled::rouge_l_f_normalised(answer, reference) }),
            extracted: answer.trim().chars().take(200).collect(),
            well_formed: answer.chars().any(char::is_alphanumeric),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, _: &mut Rng) -> String {
        BLIND.to_owned()
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        self.score(&task.definition().params, item, BLIND).score
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&ArledFiles)
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        let facts = if item.gold.is_null() { saga(item.seed, prose::stream_of(item)).facts() } else { Vec::new() };
        Some(OpenEnded { question: ASK.to_owned(), reference: item.references.first().cloned(), facts })
    }
}

fn saga(seed: u64, mut rng: Rng) -> Saga {
    Saga::new(World::new(seed), Language::Persian, &mut rng, CHAPTERS)
}

/// Pairs of `body` and `abstract`, one a line.
struct ArledFiles;

static SUBSETS: [Subset; 1] = [Subset { name: "ensani", title: "Persian papers" }];

impl Dataset for ArledFiles {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let name = file_name.to_lowercase();
        SUBSETS.iter().find(|subset| name.contains(subset.name) || name.contains("arled"))
    }

    fn read_beside(
        &self,
        subset: &Subset,
        line_number: usize,
        line: &str,
        _: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let fields = dataset::object(line)?;
        Ok(vec![Record {
            id: line_number.to_string(),
            subset: subset.name.to_owned(),
            document: dataset::text(&fields, "body")?,
            question: String::new(),
            references: vec![dataset::text(&fields, "abstract")?],
            gold: Value::Null,
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({})
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let tail = "\n\nبرای این مقاله چکیده‌ای بنویسید و جز چکیده چیزی ننویسید.\n\nچکیده:";
        let frame = Frame { head: HEAD.to_owned(), tail: tail.to_owned(), side: Side::Right };
        official::item(task, request, record, &frame, official::answer(record))
    }
}
