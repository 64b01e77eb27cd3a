//! M4LE (arXiv 2310.19240): five abilities, short documents made into long instances, English and Chinese.

mod dataset;
mod question;
mod report;

use serde_json::{Value, json};

use crate::card::{Card, Dialogue, Diffusion, Language, LengthUnit, Protocol, Scope, Side};
use crate::dataset::Dataset;
use crate::families::{prose, volume};
use crate::item::{Item, Scored};
use crate::metrics::m4le::{Lists, M4leTask, Rule};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

/// Many short reports and a question about one, several or all of them.
pub struct M4le;

const ABILITIES: [&str; 5] = ["explicit_single", "semantic_single", "explicit_multiple", "semantic_multiple", "global"];
const PARAMETERS: [Parameter; 3] = [
    Parameter {
        name: "ability",
        help: "What is asked: a report by its number or by its content, several likewise, or the whole",
        kind: ParameterKind::Choice { options: &ABILITIES, default: "explicit_single" },
    },
    super::LANGUAGE,
    Parameter {
        name: "data",
        help: "Official task whose records are the items; `own` for generated reports",
        kind: ParameterKind::Choice { options: &dataset::OPTIONS, default: "own" },
    },
];

impl Family for M4le {
    fn slug(&self) -> &'static str {
        "m4le"
    }

    fn title(&self) -> &'static str {
        "M4LE"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let (rule, ability) = (rule(params), choice(params, "ability"));
        let (abilities, diffusion, scope): (&[&str], _, _) = match ability {
            "semantic_single" => (&["semantic retrieval"], Diffusion::Medium, Scope::Narrow),
            "explicit_multiple" => (&["retrieval", "classification"], Diffusion::Medium, Scope::Several),
            "semantic_multiple" => (&["aggregation", "classification"], Diffusion::High, Scope::Wide),
            "global" => (&["summarization", "aggregation"], Diffusion::High, Scope::Wide),
            _ => (&["retrieval", "classification"], Diffusion::Low, Scope::Narrow),
        };
        Card {
            benchmark: "M4LE",
            what: format!("Answer about many short reports ({}).", ability.replace('_', " ")),
            citation: "Kwan et al. 2024, M4LE, arXiv 2310.19240; code KwanWaiChung/M4LE @ 47c2af92 (MIT)",
            licence: "reports and questions here are Longboard's own",
            language: super::language(params),
            length_unit: LengthUnit::WordsOrCharacters,
            tokenizer: "none: words or characters",
            abilities,
            diffusion,
            scope,
            random_guess: if ability == "explicit_single" { 1.0 / report::KINDS.len() as f64 } else { 0.0 },
            output_tokens: 128,
            metric: rule.metric(),
            strict_metric: rule.strict_metric(),
            min_tokens: if ability == "global" { 2048 } else { 1024 },
            open_ended: false,
            protocol: Protocol {
                dialogue: Dialogue::Chat,
                truncation: Side::Middle,
                truncation_unit: "tokens of the model (official instances are made to measure)",
                stop: &[],
                post_processing: "the answer is cut at the end texts of its task",
            },
            importable: Some("code MIT; terms of each of the 36 data sets apply"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let (ability, language) = (choice(params, "ability"), super::language(params));
        let (world, rng) = (World::new(request.seed), prose::stream(task, request));
        volume::fit(task, request, &mut |budget| question::write(ability, language, world, rng.clone(), budget))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let languages = [("en", "English"), ("zh", "Chinese")];
        let task = |ability: &str, (code, name): (&str, &str)| {
            let title = format!("Reports, {}, {name}", ability.replace('_', " "));
            let params = json!({ "ability": ability, "language": code });
            TaskDefinition::generated(self.slug(), &format!("m4le_{ability}_{code}"), &title, params)
        };
        ABILITIES.iter().flat_map(|ability| languages.map(|language| task(ability, language))).collect()
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let rule = rule(params);
        let (score, strict) = if answer.trim().is_empty() {
            (0.0, rule.strict_metric().map(|_| 0.0))
        } else {
            rule.score(answer, &item.references)
        };
        let read = rule.read(answer);
        Scored {
            score,
            strict,
            extracted: read.chars().take(200).collect(),
            well_formed: read.chars().any(char::is_alphanumeric),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.first().cloned().unwrap_or_default()
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let params = &task.definition().params;
        let language = super::language(params);
        match choice(params, "ability") {
            "explicit_single" => {
                rng.choose(&report::KINDS).map_or("", |kind| report::label(language, *kind)).to_owned()
            }
            "semantic_single" => super::kinship::names(language, rng, 1).concat(),
            "explicit_multiple" => format!("{:06X}", rng.below(1 << 24)),
            "semantic_multiple" => rng.between(1, most(item)).to_string(),
            _ => question::blind_summary(language == Language::Chinese).to_owned(),
        }
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let params = &task.definition().params;
        match choice(params, "ability") {
            "semantic_multiple" => 1.0 / most(item) as f64,
            "global" => {
                self.score(params, item, question::blind_summary(super::language(params) == Language::Chinese)).score
            }
            _ => task.card().random_guess,
        }
    }

    fn quotes_answers(&self, params: &Params) -> bool {
        choice(params, "ability") == "semantic_single"
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::M4leFiles)
    }
}

/// Largest count that a question may have.
fn most(item: &Item) -> u64 {
    item.gold.get("most").and_then(Value::as_u64).unwrap_or(1)
}

/// The rule of an official task, or that of the benchmark's task of the same shape.
fn rule(params: &Params) -> M4leTask {
    if let Some(task) = M4leTask::find(choice(params, "data")) {
        return *task;
    }
    let chinese = super::language(params) == Language::Chinese;
    let stop: &'static [&'static str] = if chinese { &["\n", "。"] } else { &["\n", "."] };
    let (ends, rule): (&'static [&'static str], Rule) = match (choice(params, "ability"), chinese) {
        ("semantic_single", _) => (stop, Rule::Acc),
        ("explicit_multiple", false) => (&[], Rule::List(Lists { separator: ',', end: '.', cuts_gold: true })),
        ("explicit_multiple", true) => (&[], Rule::List(Lists { separator: '，', end: '。', cuts_gold: true })),
        ("semantic_multiple", false) => (&["."], Rule::Count('.')),
        ("semantic_multiple", true) => (&["。"], Rule::Count('。')),
        ("global", _) => (&["\n"], Rule::Rouge),
        _ => (stop, Rule::ExactMatch),
    };
    M4leTask { name: "own", ends, chinese, rule }
}
