//! LongFact's shape (arXiv 2403.18802): a long text about one thing, scored by how many of its facts are supported.
//!
//! Here the thing is a town of the annals, so that the evaluator of [`crate::safe`] can check every fact by rule
//! against what the annals say. The official prompts ask about the world outside and need a rater with a search.

mod dataset;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::prose;
use crate::haystack::Planted;
use crate::item::{Item, Scored};
use crate::judging::OpenEnded;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::safe::{self, K_MEDIAN, Passages, Support};
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::{Annals, Chapter, Entry, FIRST_YEAR, World};

/// Facts of a long answer about one town.
pub struct LongFact;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "facts",
    help: "What facts are checked against: the annals in the prompt, or a rater with a search for the official prompts",
    kind: ParameterKind::Choice { options: &["annals", "rater"], default: "annals" },
}];

const HEAD: &str = "Read the annals below with care. You will have to write about one of their towns.\n\nAnnals\n\n";
const OUTPUT_TOKENS: u32 = 2048;
/// What asks for detail, as the benchmark's postamble does.
const DETAIL: &str = "Give as many particulars as you can: names, dates and numbers. One short sentence for each; say nothing that you cannot support.";
/// What every paragraph of the annals begins with, before and after the name of the town.
const OPENING: [&str; 2] = ["the fields around ", " gave "];

impl Family for LongFact {
    fn slug(&self) -> &'static str {
        "longfact"
    }

    fn title(&self) -> &'static str {
        "LongFact on the annals"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let official = is_official(params);
        Card {
            benchmark: "LongFact",
            what: if official {
                "Write at length about a thing of the world. Facts are checked by a rater with a search, not by rule."
            } else {
                "Write at length about one town of the annals. Score: F1@K of supported facts with K = 64, or as many as \
                 the annals give measures of the town; facts are checked by rule against the annals."
            }
            .to_owned(),
            citation: "Wei et al. 2024, arXiv 2403.18802; code google-deepmind/long-form-factuality @ 9d27158d (Apache-2.0)",
            licence: "official code and prompts Apache-2.0; annals and prompt here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::AnswerTokens,
            tokenizer: "none: the paper counts facts",
            abilities: &["generation", "retrieval", "attribution"],
            diffusion: Diffusion::Medium,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: OUTPUT_TOKENS,
            metric: "longfact.f1_at_k",
            strict_metric: Some("longfact.f1_at_k.strict"),
            min_tokens: 4096,
            open_ended: official,
            protocol: Protocol { post_processing: "cut into facts by rule", ..Protocol::GENERATED },
            importable: Some("LongFact prompts (google-deepmind/long-form-factuality), Apache-2.0; keep the canary"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        if is_official(&task.definition().params) {
            let reason = "official prompts are imported, not made: use the parameter facts = annals";
            return Err(prose::unsatisfiable(task, request, reason));
        }
        if request.corpus.is_some() {
            let reason = "its facts come from the built-in annals: run it without a corpus";
            return Err(prose::unsatisfiable(task, request, reason));
        }
        let mut rng = prose::stream(task, request);
        let limit = request.length.tokens().saturating_sub(OUTPUT_TOKENS);
        let mut budget = limit.saturating_sub(crate::tokens::count(HEAD) + 96);
        let annals = Annals::new(World::new(request.seed), rng.next_u64(), budget);
        let Some(chapter) = rng.choose(annals.chapters()).cloned() else {
            return Err(prose::unsatisfiable(task, request, "the annals tell of no town"));
        };
        let tail = format!("\n\nWrite all that the annals say of the town {}. {DETAIL}\nText:", chapter.name);
        loop {
            let wanted = entries(&annals, &chapter);
            let told = annals.tell(budget, &wanted);
            let planted = Planted { tokens: told.passage.tokens, text: told.passage.text, needles: told.marks };
            let years = told.last_year + 1 - FIRST_YEAR;
            let mut prompt = Prompt::default();
            prompt.push(HEAD);
            prompt.begin_document();
            prompt.push_planted(&planted);
            prompt.end_document();
            prompt.push(&tail);
            let excess = prompt.tokens().saturating_sub(limit);
            if excess == 0 {
                // Four measures are told of every full year.
                let k = K_MEDIAN.min(u64::from(years) * 4);
                let answer = Answer {
                    references: vec![chapter.name.clone()],
                    gold: json!({ "town": chapter.name, "k": k }),
                    ..Answer::default()
                };
                return Ok(prompt.finish(task, request, answer));
            }
            budget = budget.saturating_sub(excess);
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "longfact_annals", "All that the annals say of a town", json!({}))]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let well_formed = !answer.trim().is_empty();
        if is_official(params) {
            let facts = safe::atomic_facts(answer).len();
            let extracted = format!("{facts} facts by rule; a rater with a search decides on them");
            return Scored { score: 0.0, strict: None, extracted, well_formed };
        }
        let k = item.gold.get("k").and_then(Value::as_u64).unwrap_or(K_MEDIAN);
        let report = safe::rate(answer, &Passages::new(&source(item)));
        let [supported, not] = [Support::Supported, Support::NotSupported].map(|label| report.count(label));
        Scored {
            score: report.f1_at(k).unwrap_or_default(),
            strict: report.strict_f1_at(k),
            extracted: format!("{supported} facts supported, {not} not; K = {k}"),
            well_formed,
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        let k = item.gold.get("k").and_then(Value::as_u64).and_then(|k| usize::try_from(k).ok()).unwrap_or_default();
        let text = item.joined();
        let sentences = paragraphs(item, &text).flat_map(|(year, paragraph)| {
            let measures = safe::sentences(paragraph).into_iter().filter(|sentence| {
                let rest = sentence.strip_prefix("In the same year ").or_else(|| sentence.strip_prefix("In the year "));
                rest.is_some_and(|rest| MEASURED.iter().any(|word| rest.contains(word)))
            });
            measures.map(move |sentence| sentence.replacen("In the same year", &format!("In the year {year}"), 1))
        });
        sentences.take(k).collect::<Vec<_>>().join("\n")
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        let names = super::kinship::names(Language::English, rng, 24);
        let sentence = |name: &String| format!("{name} was born there in the year {}.", 600 + name.len());
        names.iter().map(sentence).collect::<Vec<_>>().join("\n")
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }

    fn open_ended(&self, task: &Task, item: &Item) -> Option<OpenEnded> {
        is_official(&task.definition().params).then(|| OpenEnded {
            question: item.joined(),
            reference: None,
            facts: Vec::new(),
        })
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Prompts)
    }
}

fn is_official(params: &Params) -> bool {
    choice(params, "facts") == "rater"
}

/// Words of the four measures.
const MEASURED: [&str; 4] = ["sacks of rye", "a sack was sold", "paces of new wall", "boats at the landing"];

/// What is told of a town, over all years that annals can tell: measures, deeds, seals, births and deaths.
fn entries(annals: &Annals, chapter: &Chapter) -> Vec<Entry> {
    let world = annals.world();
    let years = FIRST_YEAR..FIRST_YEAR + 400;
    let measures = years.clone().flat_map(|year| world.measures(chapter.town, year)).map(Entry::Measure);
    let deeds = years.flat_map(|year| chapter.deeds(world, year)).map(Entry::Event);
    let seals = chapter.seals.iter().map(|term| Entry::Seal(*term));
    measures.chain(deeds).chain(seals).collect()
}

/// The paragraphs about the item's town, each with its year.
fn paragraphs<'a>(item: &Item, text: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let town = item.gold.get("town").and_then(Value::as_str).unwrap_or_default();
    let [before, after] = OPENING;
    let opening = format!("{before}{town}{after}");
    text.split("\n\n").filter_map(move |paragraph| {
        let (head, _) = paragraph.split_once(&opening)?;
        let year = head.strip_prefix("In the year ")?.split_whitespace().next()?;
        Some((year, paragraph))
    })
}

/// The source of facts: every sentence about the town on a line of its own, after the first one of its paragraph, which
/// gives the year.
fn source(item: &Item) -> String {
    let text = item.joined();
    let mut lines = String::with_capacity(text.len());
    for (_, paragraph) in paragraphs(item, &text) {
        let sentences = safe::sentences(paragraph);
        let first = sentences.first().cloned().unwrap_or_default();
        for sentence in &sentences {
            lines.push_str(&first);
            lines.push(' ');
            lines.push_str(sentence);
            lines.push('\n');
        }
    }
    lines
}
