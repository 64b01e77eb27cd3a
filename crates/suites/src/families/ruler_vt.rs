//! RULER's variable tracking (arXiv 2404.06654, section 3): follow assignments through noise.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, Scope};
use crate::families::prose::{self, Plan};
use crate::families::words;
use crate::item::{Item, Scored};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{
    Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, integer,
};

/// Chains of variable assignments.
pub struct RulerVt;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "chains",
        help: "Chains of assignments, of which one is asked for",
        kind: ParameterKind::Integer { min: 1, max: 8, default: 1 },
    },
    Parameter {
        name: "hops",
        help: "Assignments after the first in each chain",
        kind: ParameterKind::Integer { min: 1, max: 12, default: 4 },
    },
];

impl Family for RulerVt {
    fn slug(&self) -> &'static str {
        "ruler_vt"
    }

    fn title(&self) -> &'static str {
        "RULER variable tracking"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            what: "Name every variable that holds a value, directly or through other variables. One worked example \
                   stands first; the lead-in of the answer stands at the end of the user message."
                .into(),
            abilities: &["tracing"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            output_tokens: 30,
            ..super::ruler_card()
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let (chains, hops) = (integer(params, "chains"), integer(params, "hops"));
        let mut rng = prose::stream(task, request);
        let names = words::letters(&mut rng, (chains + 1) * (hops + 1), 5, b'A');
        let mut chains: Vec<Chain> = names.chunks(hops + 1).map(|names| Chain::new(names, &mut rng)).collect();
        let example = chains.pop().unwrap_or_default();
        let mut needles: Vec<(f64, String)> = Vec::new();
        for chain in &chains {
            let mut places: Vec<f64> = chain.assignments.iter().map(|_| rng.unit()).collect();
            places.sort_by(f64::total_cmp);
            needles.extend(places.into_iter().zip(chain.assignments.iter().cloned()));
        }
        let asked = chains.into_iter().next().unwrap_or_default();
        let plan = Plan {
            language: Language::English,
            head: format!(
                "Follow the assignments of variables that are spread over a text.\n\nExample\n{}\n{}\n\nText\n\n",
                example.assignments.join(" "),
                example.question(&example.names.join(", "))
            ),
            tail: format!("\n\n{}", asked.question("").trim_end()),
            needles,
            answer: Answer { references: asked.names, depth_percent: None, ..Answer::default() },
        };
        prose::assemble(task, request, plan, &mut |budget| Ok(prose::noise(budget)))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "vt", "Variable tracking", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        super::all_contained(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        words::letters(rng, item.references.len(), 5, b'A').join(", ")
    }
}

#[derive(Default)]
struct Chain {
    value: u64,
    names: Vec<String>,
    assignments: Vec<String>,
}

impl Chain {
    fn new(names: &[String], rng: &mut Rng) -> Self {
        let value = rng.between(10_000, 99_999);
        let mut source = value.to_string();
        let mut assignments = Vec::with_capacity(names.len());
        for name in names {
            assignments.push(format!("VAR {name} = {source}."));
            source = format!("VAR {name}");
        }
        Self { value, names: names.to_vec(), assignments }
    }

    fn question(&self, answer: &str) -> String {
        let (value, count) = (self.value, self.names.len());
        format!(
            "Question: Which variables hold the value {value}?\nAnswer: By following the assignments, these {count} \
             variables hold the value {value}: {answer}"
        )
    }
}
