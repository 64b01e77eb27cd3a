//! CNNSum (arXiv 2412.02819): summaries of long Chinese stories, the instruction before or after the story.

use serde_json::{Value, json};

use crate::card::{Card, Dialogue, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::official::{self, Frame};
use crate::families::prose;
use crate::families::saga::Saga;
use crate::families::volume::{self, Written};
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::metrics::cnnsum;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

/// A story and its summary.
pub struct CnnSum;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "instruction",
    help: "Where the instruction stands: before or after the story",
    kind: ParameterKind::Choice { options: &["before", "after"], default: "after" },
}];
const CHAPTERS: usize = 8;
const ASK: &str =
    "请通读这个故事，每一章开头写的是这一章的大事。请按先后顺序，用一句话概括每一章的大事，连成一篇摘要。只写摘要。";
/// What one writes who has not read the story.
const BLIND: &str = "这个镇子先后遭了大水、大火和霜冻，后来建成新桥和新磨坊，开设大集市，与邻镇打官司并结盟。";

impl Family for CnnSum {
    fn slug(&self) -> &'static str {
        "cnnsum"
    }

    fn title(&self) -> &'static str {
        "CNNSum"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let place = choice(params, "instruction");
        Card {
            benchmark: "CNNSum",
            what: format!("Summarise a long Chinese story; the instruction stands {place} it."),
            citation: "Wei et al. 2024, CNNSum, arXiv 2412.02819; code CxsGhost/CNNSum @ 994a7f9d (CC0-1.0)",
            licence: "story, summary and prompts here are Longboard's own",
            language: Language::Chinese,
            length_unit: LengthUnit::YiTokens,
            tokenizer: "Yi",
            abilities: &["summarization", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: 400,
            metric: "cnnsum.rouge_l_f",
            strict_metric: Some("cnnsum.rouge_l_f.strict"),
            min_tokens: 4096,
            open_ended: true,
            protocol: Protocol {
                dialogue: Dialogue::Chat,
                truncation: Side::Middle,
                truncation_unit: "tokens (official samples are cut to their length already)",
                ..Protocol::GENERATED
            },
            importable: Some("CC0-1.0 in the repository, CC-BY-4.0 on the data-set host"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let saga = saga(request.seed, prose::stream(task, request));
        let (head, tail) = frame(&task.definition().params);
        volume::fit(task, request, &mut |budget| {
            let answer = Answer { references: vec![saga.summary().concat()], ..Answer::default() };
            Some(Written { head: head.clone(), body: saga.tell(budget), tail: tail.clone(), answer })
        })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |place: &str, title| {
            TaskDefinition::generated(self.slug(), &format!("cnnsum_{place}"), title, json!({ "instruction": place }))
        };
        vec![
            task("before", "Chinese story, instruction before it"),
            task("after", "Chinese story, instruction after it"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let reference = item.references.first().map_or("", String::as_str);
        Scored {
            score: cnnsum::rouge_l_f(answer, reference),
            strict: Some(cnnsum::rouge_l_f_strict(answer, reference)),
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
        Some(&CnnSumFiles)
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        let facts = if item.gold.is_null() { saga(item.seed, prose::stream_of(item)).facts() } else { Vec::new() };
        Some(OpenEnded { question: ASK.to_owned(), reference: item.references.first().cloned(), facts })
    }
}

fn saga(seed: u64, mut rng: Rng) -> Saga {
    Saga::new(World::new(seed), Language::Chinese, &mut rng, CHAPTERS)
}

fn frame(params: &Params) -> (String, String) {
    if choice(params, "instruction") == "before" {
        (format!("{ASK}\n\n故事：\n\n"), "\n\n摘要：".to_owned())
    } else {
        ("下面是一个很长的故事。\n\n".to_owned(), format!("\n\n{ASK}\n\n摘要："))
    }
}

/// The official files: `context` and `summary` per line, one file per length.
struct CnnSumFiles;

static SUBSETS: [Subset; 4] = [
    Subset { name: "L", title: "CNNSum, 16k" },
    Subset { name: "XL", title: "CNNSum, 32k" },
    Subset { name: "XXL", title: "CNNSum, 64k" },
    Subset { name: "XXXL", title: "CNNSum, 128k" },
];

impl Dataset for CnnSumFiles {
    fn subsets(&self) -> &'static [Subset] {
        &SUBSETS
    }

    /// The scripts say 2XL and 3XL where the data say XXL and XXXL.
    fn subset_of(&self, file_name: &str) -> Option<&'static Subset> {
        let stem = file_name.rsplit('/').next()?.split(['.', '_']).find(|part| part.ends_with('L'))?;
        let name = match stem {
            "2XL" => "XXL",
            "3XL" => "XXXL",
            other => other,
        };
        SUBSETS.iter().find(|subset| subset.name == name)
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
            document: dataset::text(&fields, "context")?,
            question: String::new(),
            references: vec![dataset::text(&fields, "summary")?],
            gold: Value::Null,
            official_length: None,
            evidence: Vec::new(),
        }])
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "instruction": "after" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        let before = choice(&task.definition().params, "instruction") == "before";
        let ask = "请读完这段小说，写出它的摘要，不要写别的内容。";
        let (head, tail) = if before {
            (format!("{ask}\n\n小说：\n\n"), "\n\n摘要：".to_owned())
        } else {
            ("下面是一段小说。\n\n".to_owned(), format!("\n\n{ask}\n\n摘要："))
        };
        official::item(task, request, record, &Frame { head, tail, side: Side::Middle }, official::answer(record))
    }
}
