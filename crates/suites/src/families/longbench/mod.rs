//! LongBench (arXiv 2308.14508): 21 data sets in their shapes on the chronicle, and the reader of the official files.

mod class_en;
mod class_zh;
mod code;
mod data_set;
mod dataset;
mod dialogue;
mod few_shot;
mod meeting;
mod paragraph;
mod question;
mod question_zh;
mod summary;
mod template;

use serde_json::{Value, json};

use crate::card::{Card, Dialogue, Language, LengthUnit, Protocol, Side};
use crate::dataset::Dataset;
use crate::families::{book_question, prose, volume};
use crate::item::{Item, Scored};
use crate::metrics::longbench::{Rule, postprocess};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition};
use crate::world::World;

use data_set::{DATA_SETS, DataSet, Group, NAMES};

/// The 21 data sets.
pub struct LongBench;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "dataset",
    help: "Data set whose shape the items have",
    kind: ParameterKind::Choice { options: &NAMES, default: "narrativeqa" },
}];

impl Family for LongBench {
    fn slug(&self) -> &'static str {
        "longbench"
    }

    fn title(&self) -> &'static str {
        "LongBench"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let data_set = DataSet::of(params);
        let (diffusion, scope) = data_set.axes();
        let rule = data_set.rule();
        Card {
            benchmark: "LongBench",
            what: what(data_set).to_owned(),
            citation: "Bai et al. 2023, LongBench, arXiv 2308.14508; code THUDM/LongBench @ 2e00731f (MIT)",
            licence: "official code and prompts MIT; documents, questions and prompts of generated items are Longboard's own",
            language: data_set.language,
            length_unit: LengthUnit::WordsOrCharacters,
            tokenizer: "the model's own for the cut; none for lengths",
            abilities: data_set.abilities(),
            diffusion,
            scope,
            random_guess: random_guess(data_set),
            output_tokens: data_set.output_tokens,
            metric: rule.slug(),
            strict_metric: rule.strict_slug(),
            min_tokens: data_set.min_tokens,
            open_ended: false,
            protocol: Protocol {
                dialogue: if data_set.is_chat() { Dialogue::Chat } else { Dialogue::Completion },
                truncation: Side::Middle,
                truncation_unit: "tokens of the model, before the chat template",
                stop: if data_set.name == "samsum" { &["\n"] } else { &[] },
                post_processing: match data_set.group {
                    Group::FewShot => "leading line ends are taken off, then the first line is read",
                    Group::Code => "the first line without a backtick, `#` or `//` is read",
                    _ => "none",
                },
            },
            importable: Some("LongBench (code MIT; each source corpus has its own licence)"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let data_set = DataSet::of(&task.definition().params);
        let rng = prose::stream(task, request);
        match data_set.name {
            "trec" => Ok(few_shot::trec(task, request, rng)),
            "triviaqa" => few_shot::triviaqa(task, request, rng),
            "samsum" => Ok(few_shot::samsum(task, request, rng)),
            "lsht" => Ok(few_shot::lsht(task, request, rng)),
            "lcc" => Ok(code::item(task, request, false, rng)),
            "repobench-p" => Ok(code::item(task, request, true, rng)),
            name if is_written(name) => written(task, request, data_set, &rng),
            _ => question::item(task, request, data_set, rng),
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |data_set: &DataSet| {
            let params = json!({ "dataset": data_set.name });
            TaskDefinition::generated(self.slug(), &data_set.slug(), data_set.title, params)
        };
        DATA_SETS.iter().map(task).collect()
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let data_set = DataSet::of(params);
        let (rule, read) = (data_set.rule(), postprocess(data_set.name, answer));
        let classes = item.gold.get("classes").and_then(Value::as_array);
        let classes: Vec<String> =
            classes.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default();
        let best = |scores: &mut dyn Iterator<Item = f64>| scores.fold(0.0, f64::max);
        let strict = rule
            .strict_slug()
            .map(|_| best(&mut item.references.iter().filter_map(|reference| rule.strict(read, reference, &classes))));
        Scored {
            score: best(&mut item.references.iter().map(|reference| rule.score(read, reference, &classes))),
            strict,
            extracted: read.trim().chars().take(200).collect(),
            well_formed: read.chars().any(char::is_alphanumeric),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.first().cloned().unwrap_or_default()
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let data_set = DataSet::of(&task.definition().params);
        let right = item.references.first().map_or("", String::as_str);
        match (data_set.rule(), right) {
            (Rule::Classification, _) => {
                let classes = item.gold.get("classes").and_then(Value::as_array);
                let class = classes.and_then(|list| rng.choose(list)?.as_str());
                class.unwrap_or_default().to_owned()
            }
            (Rule::Retrieval, _) => format!("Paragraph {}", rng.between(1, paragraph::CHOICES)),
            (Rule::RetrievalZh, _) => format!("段落{}", rng.between(1, paragraph::CHOICES)),
            (Rule::Count, _) => rng.between(paragraph::FEWEST, paragraph::COUNTED).to_string(),
            (Rule::QaF1, "yes" | "no") => (if rng.below(2) == 0 { "yes" } else { "no" }).to_owned(),
            (Rule::QaF1, _) if data_set.name == "qasper" && rng.below(2) == 0 => "unanswerable".to_owned(),
            (Rule::QaF1, _) => book_question::blind(right, rng),
            _ => blind(data_set).to_owned(),
        }
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let params = &task.definition().params;
        let data_set = DataSet::of(params);
        let right = item.references.first().map_or("", String::as_str);
        match (data_set.rule(), right) {
            (Rule::QaF1, "yes" | "no" | "unanswerable") => 0.5,
            (Rule::QaF1, _) if data_set.name == "qasper" => book_question::blind_chance(right) / 2.0,
            (Rule::QaF1, _) => book_question::blind_chance(right),
            (Rule::QaF1Zh | Rule::Rouge | Rule::RougeZh | Rule::CodeSim, _) => {
                self.score(params, item, blind(data_set)).score
            }
            _ => random_guess(data_set),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn quotes_answers(&self, params: &Params) -> bool {
        matches!(DataSet::of(params).name, "trec" | "lsht")
    }
}

/// Whether an item is one text written into a budget.
fn is_written(name: &str) -> bool {
    matches!(
        name,
        "multifieldqa_zh"
            | "dureader"
            | "gov_report"
            | "qmsum"
            | "multi_news"
            | "vcsum"
            | "passage_count"
            | "passage_retrieval_en"
            | "passage_retrieval_zh"
    )
}

fn written(task: &Task, request: &ItemRequest<'_>, data_set: &DataSet, rng: &Rng) -> Result<Item, GenerateError> {
    let world = World::new(request.seed);
    volume::fit(task, request, &mut |budget| {
        let rng = rng.clone();
        match data_set.name {
            "multifieldqa_zh" => question_zh::one(world, rng, budget),
            "dureader" => question_zh::two(world, rng, budget),
            "gov_report" => Some(summary::report(world, rng, budget)),
            "multi_news" => summary::news(world, rng, budget),
            "qmsum" => meeting::query(world, rng, budget),
            "vcsum" => meeting::summary(world, rng, budget),
            "passage_count" => paragraph::count(world, rng, budget),
            "passage_retrieval_zh" => paragraph::retrieval(Language::Chinese, world, rng, budget),
            _ => paragraph::retrieval(Language::English, world, rng, budget),
        }
    })
}

/// What one answers who has not read the text, where that is a text and no choice.
fn blind(data_set: &DataSet) -> &'static str {
    match data_set.name {
        "qmsum" => meeting::BLIND,
        "vcsum" => meeting::BLIND_ZH,
        "samsum" => dialogue::BLIND,
        "multifieldqa_zh" => "王建国",
        "dureader" => "安平镇的铁匠王建国生于840年。",
        "lcc" | "repobench-p" => code::BLIND,
        _ => summary::BLIND,
    }
}

fn random_guess(data_set: &DataSet) -> f64 {
    match data_set.name {
        "trec" => 1.0 / 20.0,
        "lsht" => 1.0 / 16.0,
        "qasper" => 1.0 / 3.0,
        "passage_retrieval_en" | "passage_retrieval_zh" => 1.0 / paragraph::CHOICES as f64,
        "passage_count" => 1.0 / (paragraph::COUNTED - paragraph::FEWEST + 1) as f64,
        _ => 0.0,
    }
}

fn what(data_set: &DataSet) -> &'static str {
    match (data_set.group, data_set.name) {
        (_, "qasper") => "Answer a question about a text that may not hold the answer.",
        (_, "passage_count") => "Count the different paragraphs among repeated ones.",
        (_, "triviaqa") => "Answer a question about the last of many passages, in the way of worked examples.",
        (_, "samsum") => "Sum up the last of many dialogues, in the way of worked examples.",
        (_, "qmsum") => "Answer a query about a meeting.",
        (Group::SingleDocument, _) => "Answer a question about one long text.",
        (Group::MultiDocument, _) => "Answer a question from several of many passages.",
        (Group::Summary, _) => "Sum up a long text.",
        (Group::FewShot, _) => "Name the class of a text after worked examples.",
        (Group::Synthetic, _) => "Find the paragraph that an abstract is of.",
        (Group::Code, _) => "Write the next line of code, which a plan elsewhere determines.",
    }
}
