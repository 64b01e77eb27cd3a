//! Long-form writing with planted requirements: the notes to the writer stand scattered in the annals, and code checks
//! each of them in the report. A task of Longboard's own.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose::{self, Plan};
use crate::families::requirement::{self, Requirement};
use crate::item::{Item, Scored};
use crate::judging::{CheckableFact, OpenEnded};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{Annals, World};

/// A report that follows nine scattered notes.
pub struct PlantedWriting;

const HEAD: &str =
    "Read the annals below with care. Notes to you, the writer of a report, are scattered in them.\n\nAnnals\n\n";
const TAIL: &str = "\n\nNow write the report on these annals. Follow all nine notes to the writer that stand in them; do not mention the notes. The report has 100 to 600 words: a longer or shorter one counts as none.\nReport:";
const OUTPUT_TOKENS: u32 = 1024;
/// Room for head, notes and tail when the annals are first measured.
const FRAME_TOKENS: u32 = 480;
const ANNALS_TRIED: u32 = 16;
/// Words of a report.
const WORDS: std::ops::RangeInclusive<usize> = 100..=600;

impl Family for PlantedWriting {
    fn slug(&self) -> &'static str {
        "planted_writing"
    }

    fn title(&self) -> &'static str {
        "Writing to scattered requirements"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "Planted Writing",
            what: "Write a report that follows nine notes scattered in the annals, three of which need looking up."
                .to_owned(),
            citation: "Longboard's own task; no paper",
            licence: "Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["retrieval", "writing", "instructions"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: 0.0,
            output_tokens: OUTPUT_TOKENS,
            metric: "planted_writing.requirements_met",
            strict_metric: Some("planted_writing.requirements_met.strict"),
            min_tokens: 4096,
            open_ended: true,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        if request.corpus.is_some() {
            let reason = "its notes ask about the built-in annals: run it without a corpus";
            return Err(prose::unsatisfiable(task, request, reason));
        }
        let mut rng = prose::stream(task, request);
        let Some((annals, all)) = requirements(request.seed, request.length.tokens(), &mut rng) else {
            let reason = "the annals tell too little to be asked about: choose a longer one";
            return Err(prose::unsatisfiable(task, request, reason));
        };
        let share = 1.0 / all.len() as f64;
        let notes = all.iter().zip(1..).map(|(one, number)| format!("Note {number} to the writer: {}.", one.wish()));
        let needles = notes.enumerate().map(|(place, note)| ((place as f64 + rng.unit()) * share, note)).collect();
        let plan = Plan {
            language: Language::English,
            head: HEAD.to_owned(),
            tail: TAIL.to_owned(),
            needles,
            answer: Answer {
                references: vec![requirement::conforming(&all)],
                depth_percent: None,
                ..Answer::default()
            },
        };
        prose::assemble(task, request, plan, &mut |budget| Ok(annals.tell(budget, &[]).passage))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "planted_writing", "A report to scattered notes", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let words = answer.split_whitespace().count();
        let all = requirements_of(item);
        if !WORDS.contains(&words) || all.is_empty() {
            let extracted = format!("{words} words, not {} to {}", WORDS.start(), WORDS.end());
            return Scored { score: 0.0, strict: Some(0.0), extracted, well_formed: false };
        }
        let met = all.iter().filter(|one| one.is_met(answer)).count();
        let missed: Vec<String> = all.iter().filter(|one| !one.is_met(answer)).map(Requirement::wish).collect();
        let extracted = format!("{met} of {} met; missed: {}", all.len(), missed.join("; "));
        Scored {
            score: met as f64 / all.len() as f64,
            strict: Some(f64::from(u8::from(met == all.len()))),
            extracted: extracted.chars().take(400).collect(),
            well_formed: true,
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.join(", ")
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        let names = super::kinship::names(Language::English, rng, 64);
        names
            .chunks(4)
            .map(|four| format!("The report speaks of {} and of their years in the town.", four.join(", ")))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Only what must not be said is met by one who knows nothing.
    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let all = requirements_of(item);
        let kept = all.iter().filter(|one| matches!(one, Requirement::Never(_))).count();
        kept as f64 / all.len().max(1) as f64
    }

    fn open_ended(&self, _: &Task, item: &Item) -> Option<OpenEnded> {
        let all = requirements_of(item);
        let wishes: Vec<String> = all.iter().map(|one| format!("- {}", one.wish())).collect();
        let facts: Vec<CheckableFact> = all
            .iter()
            .filter_map(|one| if let Requirement::Fact { fact, .. } = one { Some(fact.clone()) } else { None })
            .collect();
        (!all.is_empty()).then(|| OpenEnded {
            question: format!(
                "Write a report of 100 to 600 words on the annals of several towns. Requirements:\n{}",
                wishes.join("\n")
            ),
            reference: item.references.first().cloned(),
            facts,
        })
    }
}

fn requirements_of(item: &Item) -> Vec<Requirement> {
    let found = requirements(item.seed, item.length.tokens(), &mut prose::stream_of(item));
    found.map(|(_, all)| all).unwrap_or_default()
}

fn requirements(seed: u64, length: u32, rng: &mut Rng) -> Option<(Annals, Vec<Requirement>)> {
    let budget = length.saturating_sub(OUTPUT_TOKENS + FRAME_TOKENS);
    // Short annals may tell too little to be asked about; then others are opened.
    (0..ANNALS_TRIED).find_map(|_| {
        let annals = Annals::new(World::new(seed), rng.next_u64(), budget);
        let last = annals.tell(budget, &[]).last_year;
        let all = requirement::requirements(&annals, last, rng)?;
        Some((annals, all))
    })
}
