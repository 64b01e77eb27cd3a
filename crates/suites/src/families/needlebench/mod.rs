//! NeedleBench's retrieval and reasoning in a haystack (arXiv 2407.11963, section 3): S-RT, M-RT and M-RS.

mod dataset;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::kinship::{self, Chain};
use crate::families::prose::{self, Plan};
use crate::item::{Item, Scored};
use crate::metrics::needlebench as metric;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};

/// One needle, eleven needles, or a chain of needles to reason over.
pub struct NeedleBench;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "kind",
        help: "srt: one needle; mrt: eleven needles at once; mrs: a chain of kinship to reason over",
        kind: ParameterKind::Choice { options: &["srt", "mrt", "mrs"], default: "srt" },
    },
    crate::families::LANGUAGE,
];

impl Family for NeedleBench {
    fn slug(&self) -> &'static str {
        "needlebench"
    }

    fn title(&self) -> &'static str {
        "NeedleBench retrieval and reasoning"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = choice(params, "kind");
        let (what, abilities, diffusion, scope, output_tokens, metric): (_, &'static [&'static str], _, _, _, _) =
            match kind {
                "mrt" => (
                    "Find eleven planted facts at once",
                    &["retrieval"],
                    Diffusion::Low,
                    Scope::Several,
                    192,
                    "needlebench.multi_retrieval",
                ),
                "mrs" => (
                    "Follow planted kinship to the eldest",
                    &["retrieval", "reasoning"],
                    Diffusion::Medium,
                    Scope::Several,
                    192,
                    "needlebench.v2_atc_boxed",
                ),
                _ => (
                    "Find one planted fact",
                    &["retrieval"],
                    Diffusion::Low,
                    Scope::Narrow,
                    64,
                    "needlebench.v2_single_keyword",
                ),
            };
        Card {
            benchmark: "NeedleBench",
            what: format!("{what} in running prose."),
            citation: crate::families::NEEDLEBENCH,
            licence: "official code and prompts Apache-2.0; needles, names and haystacks of generated items are Longboard's own",
            language: crate::families::language(params),
            length_unit: LengthUnit::Cl100kTokens,
            tokenizer: "cl100k_base",
            abilities,
            diffusion,
            scope,
            random_guess: 0.0,
            output_tokens,
            metric,
            strict_metric: None,
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: Some("NeedleBench (MIT as its card says; haystacks of third parties)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let language = crate::families::language(params);
        let mut rng = prose::stream(task, request);
        let plan = match choice(params, "kind") {
            "mrt" => several(language, &mut rng),
            "mrs" => reasoning(language, request, &mut rng),
            _ => single(language, request, &mut rng),
        };
        let mut source = prose::running(request, language, rng.next_u64());
        prose::assemble(task, request, plan, &mut source)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![
            TaskDefinition::generated(
                self.slug(),
                "needlebench_srt_en",
                "Single retrieval, English",
                json!({ "kind": "srt", "language": "en" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needlebench_srt_zh",
                "Single retrieval, Chinese",
                json!({ "kind": "srt", "language": "zh" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needlebench_mrt_en",
                "Multiple retrieval, English",
                json!({ "kind": "mrt", "language": "en" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needlebench_mrt_zh",
                "Multiple retrieval, Chinese",
                json!({ "kind": "mrt", "language": "zh" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needlebench_mrs_en",
                "Multi-step reasoning, English",
                json!({ "kind": "mrs", "language": "en" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needlebench_mrs_zh",
                "Multi-step reasoning, Chinese",
                json!({ "kind": "mrs", "language": "zh" }),
            ),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let reference = item.references.first().map_or("", String::as_str);
        let plain = |score: f64| Scored {
            score,
            strict: None,
            extracted: answer.trim().chars().take(200).collect(),
            well_formed: !answer.trim().is_empty(),
        };
        match choice(params, "kind") {
            "mrt" => plain(metric::multi_retrieval(answer, &item.references)),
            "mrs" => crate::families::boxed(answer, reference),
            _ => plain(metric::single_v2(answer, reference) / 100.0),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        if choice(&task.definition().params, "kind") == "mrs" {
            crate::families::in_box(item)
        } else {
            item.references.join(", ")
        }
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let names = kinship::names(crate::families::language(&task.definition().params), rng, item.references.len());
        if choice(&task.definition().params, "kind") == "mrs" {
            format!("\\boxed{{{}}}", names.concat())
        } else {
            names.join(", ")
        }
    }
}

/// A place and what lies there, in both languages.
const PLACES: [(&str, &str); 24] = [
    ("Gull Rock", "鸥石"),
    ("Lantern Bay", "灯湾"),
    ("the Salt Tower", "盐塔"),
    ("Willow Ford", "柳渡"),
    ("the Broken Mill", "破磨坊"),
    ("Otter Creek", "獭溪"),
    ("the Copper Gate", "铜门"),
    ("Heron Marsh", "鹭泽"),
    ("the Old Granary", "旧粮仓"),
    ("Thistle Hill", "蓟丘"),
    ("the Stone Well", "石井"),
    ("Pine Hollow", "松谷"),
    ("the Blue Chapel", "蓝祠"),
    ("Raven Ledge", "鸦崖"),
    ("the Long Wharf", "长码头"),
    ("Maple Court", "枫院"),
    ("the Quiet Cellar", "静窖"),
    ("Fox Meadow", "狐原"),
    ("the Iron Bridge", "铁桥"),
    ("Swan Lock", "天鹅闸"),
    ("the North Kiln", "北窑"),
    ("Juniper Lane", "桧巷"),
    ("the Glass House", "琉璃屋"),
    ("Barley Cross", "麦十字"),
];

const THINGS: [(&str, &str); 24] = [
    ("silver astrolabe", "银星盘"),
    ("painted globe", "彩绘地球仪"),
    ("jade flute", "玉笛"),
    ("bronze sundial", "青铜日晷"),
    ("ivory chessboard", "象牙棋盘"),
    ("amber mirror", "琥珀镜"),
    ("pearl comb", "珍珠梳"),
    ("golden abacus", "金算盘"),
    ("crystal inkwell", "水晶墨池"),
    ("copper telescope", "铜望远镜"),
    ("ruby signet", "红宝石印"),
    ("marble owl", "大理石猫头鹰"),
    ("velvet banner", "天鹅绒旗"),
    ("iron songbird", "铁鸣鸟"),
    ("cedar music box", "雪松八音盒"),
    ("opal hourglass", "蛋白石沙漏"),
    ("lacquer fan", "漆扇"),
    ("porcelain fox", "瓷狐"),
    ("granite lion", "花岗石狮"),
    ("coral lyre", "珊瑚竖琴"),
    ("obsidian knife", "黑曜石刀"),
    ("turquoise mask", "绿松石面具"),
    ("glass orchid", "玻璃兰"),
    ("tin soldier", "锡兵"),
];

/// A planted fact: place, thing, sentence and the part of a question that names the place.
struct Fact {
    thing: String,
    place: String,
    sentence: String,
}

fn facts(language: Language, rng: &mut Rng, count: usize) -> Vec<Fact> {
    let places = rng.distinct(PLACES.len(), count);
    let things = rng.distinct(THINGS.len(), count);
    let word = |pair: (&str, &str)| if language == Language::English { pair.0.to_owned() } else { pair.1.to_owned() };
    let years = (0..count).map(|_| rng.between(2, 99)).collect::<Vec<_>>();
    let at = |list: &[(&'static str, &'static str)], index: usize| list.get(index).copied().unwrap_or_default();
    places
        .into_iter()
        .zip(things)
        .zip(years)
        .map(|((place, thing), years)| {
            let (place, thing) = (word(at(&PLACES, place)), word(at(&THINGS, thing)));
            let sentence = match language {
                Language::English | Language::Persian => {
                    format!("For {years} years the treasure kept at {place} has been the {thing}.")
                }
                Language::Chinese => format!("{years}年来，{place}所藏的宝物是{thing}。"),
            };
            Fact { thing, place, sentence }
        })
        .collect()
}

fn head(language: Language) -> String {
    match language {
        Language::English | Language::Persian => {
            "Read the document below with care, then answer the question after it.\n\nDocument\n\n"
        }
        Language::Chinese => "请仔细阅读下面的文档，然后回答文档后面的问题。\n\n文档\n\n",
    }
    .to_owned()
}

fn single(language: Language, request: &ItemRequest<'_>, rng: &mut Rng) -> Plan {
    let depth = prose::swept_depth(request.index);
    let mut facts = facts(language, rng, 1);
    let Fact { thing, place, sentence } =
        facts.pop().unwrap_or_else(|| Fact { thing: String::new(), place: String::new(), sentence: String::new() });
    let tail = match language {
        Language::English | Language::Persian => format!(
            "\n\nQuestion: Which treasure is kept at {place}, according to the document?\nAnswer: The treasure kept at {place} is the"
        ),
        Language::Chinese => format!("\n\n问题：根据文档，{place}所藏的宝物是什么？\n回答：{place}所藏的宝物是"),
    };
    Plan {
        language,
        head: head(language),
        tail,
        needles: vec![(f64::from(depth) / 100.0, sentence)],
        answer: Answer { references: vec![thing], depth_percent: Some(depth), ..Answer::default() },
    }
}

/// Eleven needles at depths 0, 10, …, 100 percent, in random order.
fn several(language: Language, rng: &mut Rng) -> Plan {
    let facts = facts(language, rng, 11);
    let places: Vec<&str> = facts.iter().map(|fact| fact.place.as_str()).collect();
    let tail = match language {
        Language::English | Language::Persian => format!(
            "\n\nQuestion: Which treasures are kept at {}, according to the document? Name one for each place, in this order.\nAnswer:",
            crate::families::listed(&places)
        ),
        Language::Chinese => {
            format!("\n\n问题：根据文档，{}所藏的宝物各是什么？请按顺序逐一写出。\n回答：", places.join("、"))
        }
    };
    Plan {
        language,
        head: head(language),
        tail,
        answer: Answer {
            references: facts.iter().map(|fact| fact.thing.clone()).collect(),
            depth_percent: None,
            ..Answer::default()
        },
        needles: facts.into_iter().enumerate().map(|(step, fact)| (step as f64 / 10.0, fact.sentence)).collect(),
    }
}

/// Two to five links of kinship, shuffled; each next one stands ten percent deeper.
fn reasoning(language: Language, request: &ItemRequest<'_>, rng: &mut Rng) -> Plan {
    let depth = prose::swept_depth(request.index);
    let links = 2 + request.index as usize % 4;
    let chain = Chain::new(language, kinship::names(language, rng, links + 1), rng);
    let mut sentences = chain.sentences.clone();
    rng.shuffle(&mut sentences);
    let last = chain.youngest();
    let tail = match language {
        Language::English | Language::Persian => format!(
            "\n\nQuestion: Going up from {last} through the relatives that the document names, who is the eldest one that can be reached? Write the full name as \\boxed{{name}}.\nAnswer:"
        ),
        Language::Chinese => format!(
            "\n\n问题：根据文档中的亲属关系，从{last}向上追溯，能追溯到的最年长的亲属是谁？请把姓名写成\\boxed{{姓名}}。\n回答："
        ),
    };
    Plan {
        language,
        head: head(language),
        tail,
        answer: Answer { references: vec![chain.eldest().to_owned()], depth_percent: Some(depth), ..Answer::default() },
        needles: sentences
            .into_iter()
            .enumerate()
            .map(|(step, sentence)| ((f64::from(depth) / 100.0 + step as f64 / 10.0).min(1.0), sentence))
            .collect(),
    }
}
