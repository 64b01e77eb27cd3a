//! All tasks: a map on the two axes of difficulty, filters, and a list.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query, ServiceConfig, get};
use askama::Template;
use longboard_app::Longboard;
use longboard_app::store::task::Task as TaskRow;
use longboard_app::suites::card::{Card, Diffusion, Scope};
use longboard_app::suites::length::Length;
use longboard_app::suites::task::Task;
use serde::Deserialize;

use crate::pages::page;
use crate::refusal::PageError;

/// Rows of the map, hardest to find first.
const DIFFUSIONS: [(Diffusion, &str, &str); 3] = [
    (Diffusion::High, "hidden", "must be combined or counted over the whole input"),
    (Diffusion::Medium, "among look-alikes", "competes with look-alikes, or must be followed through names"),
    (Diffusion::Low, "in plain words", "asked for in the words it is written in"),
];

/// Columns of the map.
const SCOPES: [(Scope, &str); 3] =
    [(Scope::Narrow, "one place"), (Scope::Several, "several places"), (Scope::Wide, "nearly everything")];

/// Answer budgets by name, in tokens.
const OUTPUTS: [(&str, std::ops::RangeInclusive<u32>); 3] =
    [("short", 0..=256), ("medium", 257..=1024), ("long", 1025..=u32::MAX)];

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/tasks", get().to(tasks));
}

/// What the form asks for; an empty field asks for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
struct Filter {
    #[serde(default)]
    benchmark: String,
    #[serde(default)]
    ability: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    length: String,
    #[serde(default)]
    output: String,
    #[serde(default)]
    metric: String,
    #[serde(default)]
    data: String,
}

/// A task with its card.
struct Entry {
    row: TaskRow,
    task: Task,
}

impl Entry {
    fn card(&self) -> &Card {
        self.task.card()
    }
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        let card = entry.card();
        let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        let output = OUTPUTS.iter().find(|(name, _)| *name == self.output);
        let length: Option<Length> = self.length.parse().ok();
        is(&self.benchmark, card.benchmark)
            && is(&self.language, card.language.code())
            && is(&self.metric, card.metric)
            && is(&self.data, data(entry))
            && (self.ability.is_empty() || card.abilities.contains(&self.ability.as_str()))
            && output.is_none_or(|(_, budget)| budget.contains(&card.output_tokens))
            && length.is_none_or(|length| entry.task.min_tokens() <= length.tokens())
    }
}

fn data(entry: &Entry) -> &'static str {
    if entry.row.data_sha256.is_some() { "official" } else { "own" }
}

#[derive(Template)]
#[template(path = "tasks/list.html")]
struct TasksPage {
    total: usize,
    shown: usize,
    filter: Filter,
    fields: Vec<Field>,
    columns: Vec<&'static str>,
    rows: Vec<MapRow>,
    groups: Vec<Group>,
    uploads: Vec<(String, String)>,
}

/// A choice of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    options: Vec<(String, bool)>,
}

struct MapRow {
    name: &'static str,
    help: &'static str,
    cells: Vec<Vec<Chip>>,
}

/// A benchmark in a cell of the map.
struct Chip {
    benchmark: &'static str,
    tasks: usize,
    titles: String,
}

struct Group {
    benchmark: &'static str,
    citation: &'static str,
    importable: Option<&'static str>,
    tasks: Vec<Line>,
}

struct Line {
    slug: String,
    title: String,
    language: &'static str,
    abilities: String,
    place: String,
    metric: &'static str,
    what: String,
    output: u32,
    official: bool,
}

async fn tasks(filter: Query<Filter>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let (mut entries, mut uploads) = (Vec::new(), Vec::new());
    for row in longboard.store().tasks().await? {
        match Task::new(row.definition()) {
            Ok(task) => entries.push(Entry { row, task }),
            Err(_) => uploads.push((row.slug, row.title)),
        }
    }
    page(&TasksPage::new(&entries, uploads, filter.into_inner()))
}

impl TasksPage {
    fn new(entries: &[Entry], uploads: Vec<(String, String)>, filter: Filter) -> Self {
        let shown: Vec<&Entry> = entries.iter().filter(|entry| filter.takes(entry)).collect();
        let row = |(diffusion, name, help): (Diffusion, &'static str, &'static str)| MapRow {
            name,
            help,
            cells: SCOPES.iter().map(|(scope, _)| chips(&shown, diffusion, *scope)).collect(),
        };
        Self {
            total: entries.len(),
            shown: shown.len(),
            fields: fields(entries, &filter),
            columns: SCOPES.iter().map(|(_, name)| *name).collect(),
            rows: DIFFUSIONS.map(row).into(),
            groups: groups(&shown),
            uploads: if filter.is_empty() { uploads } else { Vec::new() },
            filter,
        }
    }
}

impl Filter {
    fn is_empty(&self) -> bool {
        let fields =
            [&self.benchmark, &self.ability, &self.language, &self.length, &self.output, &self.metric, &self.data];
        fields.iter().all(|field| field.is_empty())
    }
}

fn fields(entries: &[Entry], filter: &Filter) -> Vec<Field> {
    let field = |name, label, chosen: &str, found: BTreeSet<String>| Field {
        name,
        label,
        options: found.into_iter().map(|option| (option.clone(), option == chosen)).collect(),
    };
    let facts = |fact: &dyn Fn(&Entry) -> Vec<String>| entries.iter().flat_map(fact).collect::<BTreeSet<_>>();
    let one = |text: &str| vec![text.to_owned()];
    let mut fields = vec![
        field("benchmark", "Benchmark", &filter.benchmark, facts(&|entry| one(entry.card().benchmark))),
        field(
            "ability",
            "Ability",
            &filter.ability,
            facts(&|entry| entry.card().abilities.iter().map(ToString::to_string).collect()),
        ),
        field("language", "Language", &filter.language, facts(&|entry| one(entry.card().language.code()))),
        field("metric", "Metric", &filter.metric, facts(&|entry| one(entry.card().metric))),
        field("data", "Data", &filter.data, facts(&|entry| one(data(entry)))),
    ];
    let outputs = OUTPUTS.iter().map(|(name, _)| ((*name).to_owned(), *name == filter.output)).collect();
    fields.push(Field { name: "output", label: "Answer", options: outputs });
    fields
}

fn chips(shown: &[&Entry], diffusion: Diffusion, scope: Scope) -> Vec<Chip> {
    let mut chips: Vec<Chip> = Vec::new();
    for entry in shown {
        let card = entry.card();
        if (card.diffusion, card.scope) != (diffusion, scope) {
            continue;
        }
        match chips.iter_mut().find(|chip| chip.benchmark == card.benchmark) {
            Some(chip) => {
                chip.tasks += 1;
                chip.titles.push_str(", ");
                chip.titles.push_str(&entry.row.title);
            }
            None => chips.push(Chip { benchmark: card.benchmark, tasks: 1, titles: entry.row.title.clone() }),
        }
    }
    chips.sort_by_key(|chip| chip.benchmark);
    chips
}

fn groups(shown: &[&Entry]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in shown {
        let card = entry.card();
        let line = line(entry);
        match groups.iter_mut().find(|group| group.benchmark == card.benchmark) {
            Some(group) => {
                group.importable = group.importable.or(card.importable);
                group.tasks.push(line);
            }
            None => groups.push(Group {
                benchmark: card.benchmark,
                citation: card.citation,
                importable: card.importable,
                tasks: vec![line],
            }),
        }
    }
    groups.sort_by_key(|group| group.benchmark.to_lowercase());
    groups
}

fn line(entry: &Entry) -> Line {
    let card = entry.card();
    let diffusion = DIFFUSIONS.iter().find(|(found, ..)| *found == card.diffusion).map_or("", |(_, name, _)| name);
    let scope = SCOPES.iter().find(|(found, _)| *found == card.scope).map_or("", |(_, name)| name);
    Line {
        slug: entry.row.slug.clone(),
        title: entry.row.title.clone(),
        language: card.language.code(),
        abilities: card.abilities.join(", "),
        place: format!("{diffusion}, {scope}"),
        metric: card.metric,
        what: card.what.clone(),
        output: card.output_tokens,
        official: entry.row.data_sha256.is_some(),
    }
}
