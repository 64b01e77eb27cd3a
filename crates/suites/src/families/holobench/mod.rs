//! HoloBench (arXiv 2410.11996): a database query answered from rows that are told as sentences.

mod dataset;
mod question;
mod tables;

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::counter::Counter;
use crate::dataset::Dataset;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::holobench::{self as metric, Placement};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice, integer,
};
use question::{Kind, Question};
use tables::{Sheet, Source};

/// Answer a query over a text.
pub struct HoloBench;

const PARAMETERS: [Parameter; 4] = [
    Parameter {
        name: "query",
        help: "Class of the query",
        kind: ParameterKind::Choice {
            options: &["aggregation", "max_min", "join", "comparison", "ranking"],
            default: "aggregation",
        },
    },
    Parameter {
        name: "density",
        help: "Percent of the sentences that belong to the tables of the query; used where amount is 0",
        kind: ParameterKind::Integer { min: 5, max: 95, default: 50 },
    },
    Parameter {
        name: "amount",
        help: "Canonical tokens of such sentences, whatever the length; 0 leaves it to the density",
        kind: ParameterKind::Integer { min: 0, max: 1 << 20, default: 0 },
    },
    Parameter {
        name: "position",
        help: "Where those sentences stand",
        kind: ParameterKind::Choice { options: &Placement::NAMES, default: "uniform" },
    },
];

const HEAD: &str = "The sentences below were written down from the tables of an archive, in no particular order. Read them \
                    all; a question about them follows.\n\nSentences\n\n";

fn tail(question: &str) -> String {
    format!(
        "\nQuestion: {question}\nCount only what the sentences say. Write one line for each row of the answer and put | \
         between its cells; begin with the line Answer: and write nothing after the last row.\nAnswer:"
    )
}

impl Family for HoloBench {
    fn slug(&self) -> &'static str {
        "holobench"
    }

    fn title(&self) -> &'static str {
        "HoloBench queries over text"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = Kind::of(params);
        Card {
            benchmark: "HoloBench",
            what: format!(
                "Answer a database query from rows told as sentences: {}. Half of the sentences belong to other tables.",
                kind.what()
            ),
            citation: "Maekawa et al. 2024, HoloBench, arXiv 2410.11996; code megagonlabs/holobench @ 5799335c (BSD-3-Clause)",
            licence: "official code BSD-3-Clause, its tables may not be passed on; tables, sentences and the rule scorer here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::Characters,
            tokenizer: "characters over 3.66",
            abilities: &["aggregation", "reasoning"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: 512,
            metric: "holobench.row_match",
            strict_metric: Some("holobench.row_match.strict"),
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                post_processing: "what follows the last Answer:; upstream lets a judge label every gold row",
                ..Protocol::GENERATED
            },
            importable: Some(
                "HoloBench asks not to pass its tables on; they are Spider's, by the terms of its databases",
            ),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let params = &task.definition().params;
        let mut rng = prose::stream(task, request);
        let kind = Kind::of(params);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        let mut counter = Counter::default();
        let frame = counter.count(HEAD) + counter.count(&tail("")) + QUESTION_TOKENS;
        let budget = limit.saturating_sub(frame);
        let main_budget = match integer(params, "amount") {
            0 => (u64::from(budget) * integer(params, "density") as u64 / 100) as u32,
            amount => (amount as u32).min(budget - budget / 10),
        };
        let source = Source::new(request.seed, rng.below(1 << 18) as u32, budget);
        let main = source.fill(kind.tables(), main_budget, &mut counter, &mut rng);
        let Some(question) = Question::ask(kind, request.index, &main, &mut rng) else {
            return Err(prose::unsatisfiable(task, request, "too few rows fit for a question"));
        };
        let tail = tail(&question.text);
        // Where the parts meet, a token may be split.
        let taken = main.tokens + counter.count(HEAD) + counter.count(&tail) + 2;
        let others = source.fill(kind.others(), limit.saturating_sub(taken), &mut counter, &mut rng);
        let placement = Placement::named(choice(params, "position")).unwrap_or(Placement::Uniform);
        let sentences =
            |sheet: &Sheet, main: bool| sheet.sentences.iter().map(|one| (one.clone(), main)).collect::<Vec<_>>();
        let mut prompt = Prompt::default();
        prompt.push(HEAD);
        prompt.begin_document();
        for (sentence, main) in placement.merge(&sentences(&main, true), &sentences(&others, false)) {
            if main {
                prompt.push_needle(&sentence)
            } else {
                prompt.push(&sentence)
            }
            prompt.push("\n");
        }
        prompt.end_document();
        prompt.push(&tail);
        let gold = json!({ "sql": question.query.to_string(), "rows": question.rows });
        let references = question.rows.iter().map(|row| row.join(" | ")).collect();
        Ok(prompt.finish(task, request, Answer { references, gold, ..Answer::default() }))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, query| TaskDefinition::generated("holobench", slug, title, json!({ "query": query }));
        vec![
            task("holobench_aggregation", "Groups counted and summed", "aggregation"),
            task("holobench_max_min", "Largest and smallest", "max_min"),
            task("holobench_join", "Rows of two tables brought together", "join"),
            task("holobench_comparison", "Groups above a bound", "comparison"),
            task("holobench_ranking", "The first few in order", "ranking"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let rows = rows(item);
        if rows.is_empty() {
            return nothing(answer);
        }
        Scored {
            score: metric::row_match(answer, &rows),
            strict: Some(metric::row_match_strict(answer, &rows)),
            well_formed: !answer.trim().is_empty(),
            extracted: answer.rsplit("Answer:").next().unwrap_or_default().trim().chars().take(200).collect(),
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Queries)
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        if item.references.is_empty() {
            return "Answer:\nNo answer.".to_owned();
        }
        format!("Answer:\n{}", item.references.join("\n"))
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        let row = |rng: &mut Rng| {
            format!("{} | {}", super::words::made_up(rng, 1).concat(), rng.between(1_000_000, 9_999_999))
        };
        let rows: Vec<String> = item.references.iter().map(|_| row(rng)).collect();
        format!("Answer:\n{}", rows.join("\n"))
    }
}

/// The score where no row answers: in full when the answer says so, as the label of an empty gold is an exact match.
fn nothing(answer: &str) -> Scored {
    let said = answer.rsplit("Answer:").next().unwrap_or_default().trim();
    let none = ["no answer", "none", "[]", "nothing"].contains(&said.trim_end_matches('.').to_lowercase().as_str());
    Scored {
        score: f64::from(none),
        strict: Some(f64::from(none)),
        well_formed: !said.is_empty(),
        extracted: said.chars().take(200).collect(),
    }
}

/// Room for the question when the rows are first measured.
const QUESTION_TOKENS: u32 = 60;

fn rows(item: &Item) -> Vec<Vec<String>> {
    item.gold.get("rows").and_then(|rows| serde::Deserialize::deserialize(rows).ok()).unwrap_or_default()
}
