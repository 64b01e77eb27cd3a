//! Spinning the Golden Thread (arXiv 2409.02076): a long text of numbered entries, some of which must include something
//! once, over a range, or periodically. Scenarios as in the paper, wishes our own.

mod scenario;
mod wish;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::longgenbench_sgt::{self, Check, Report, When};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition};

use scenario::Scenario;

/// Long writing to a list of requirements.
pub struct GoldenThread;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "scenario",
        help: "What is written: a diary, a tower, a menu or a city",
        kind: ParameterKind::Choice { options: &["week", "floor", "menu", "block"], default: "week" },
    },
    Parameter {
        name: "set",
        help: "The paper's set: short (16K answers) or long (32K answers, more entries)",
        kind: ParameterKind::Choice { options: &["short", "long"], default: "short" },
    },
];

/// What ends an answer.
const FINISHED: &str = "*** finished";
/// Tokens that the rules and the frame take, about.
const FRAME_TOKENS: u32 = 700;

impl Family for GoldenThread {
    fn slug(&self) -> &'static str {
        "golden_thread"
    }

    fn title(&self) -> &'static str {
        "Spinning the Golden Thread"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "Spinning the Golden Thread",
            what: "Write a long text of numbered entries; wishes say what certain entries must include. The prompt is \
                   short and the answer fills the length. Score: wishes met among the entries that are there (STIC-1); \
                   strict: among all wishes (STIC-2), where an entry that also includes what belongs elsewhere fails. \
                   A rule stands in for the official judge."
                .to_owned(),
            citation: "Wu et al. 2024, arXiv 2409.02076; code mozhu621/LongGenBench @ 62c0e869",
            licence: "official code and prompts without a licence; wishes and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::AnswerTokens,
            tokenizer: "the model's own",
            abilities: &["generation", "instructions"],
            diffusion: Diffusion::Medium,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: 2048,
            metric: "longgenbench_sgt.completion_and_stic",
            strict_metric: Some("longgenbench_sgt.completion_and_stic.strict"),
            min_tokens: 4096,
            open_ended: false,
            protocol: Protocol {
                stop: &[FINISHED],
                post_processing: "the first entry's head is put in front, then the text is cut at #*#",
                ..Protocol::GENERATED
            },
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let limit = request.length.tokens();
        let mut rng = prose::stream(task, request);
        let scenario = Scenario::new(&task.definition().params, limit.saturating_sub(FRAME_TOKENS));
        let wishes = scenario.wishes(&mut rng);
        let mut prompt = Prompt::default();
        scenario.write(&mut prompt, &wishes);
        let checks: Vec<Check> = wishes.iter().flat_map(wish::Wish::checks).collect();
        let output_tokens = limit
            .checked_sub(prompt.tokens())
            .ok_or_else(|| prose::unsatisfiable(task, request, "the rules alone are longer"))?;
        let answer = Answer {
            references: checks
                .iter()
                .map(|check| format!("{} {}: {}", scenario.kind, check.block, check.text))
                .collect(),
            gold: json!({
                "kind": scenario.kind,
                "number": scenario.number,
                "words": scenario.words,
                "prefix": scenario.prefix(1),
                "checks": checks.iter().map(|check| json!([check.when.name(), check.block, check.text])).collect::<Vec<_>>(),
            }),
            output_tokens: Some(output_tokens),
            ..Answer::default()
        };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let names = [("week", "A diary"), ("floor", "A tower"), ("menu", "A menu"), ("block", "A city")];
        ["short", "long"]
            .iter()
            .flat_map(|set| {
                names.iter().map(move |(scenario, title)| {
                    TaskDefinition::generated(
                        self.slug(),
                        &format!("golden_thread_{scenario}_{set}"),
                        &format!("{title}, {set} set"),
                        json!({ "scenario": scenario, "set": set }),
                    )
                })
            })
            .collect()
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let gold = Gold::of(item);
        let text = format!("{}\n{}", gold.prefix, until(answer, FINISHED));
        let report = gold.report(&text, &mut |check, _, block| longgenbench_sgt::includes(block, &check.text));
        let strict = gold.report(&text, &mut |check, _, block| gold.includes_only(check, block));
        let missing = gold.number.saturating_sub(report.found.len() as u64);
        Scored {
            score: report.stic1.unwrap_or_default(),
            strict: Some(strict.stic2),
            extracted: format!(
                "{:.1} % of {} entries, {missing} missing; once {:.2}, range {:.2}, periodic {:.2}; STIC-2 {:.3}; {} words",
                report.completion,
                gold.number,
                report.accuracy[0],
                report.accuracy[1],
                report.accuracy[2],
                report.stic2,
                report.words,
            ),
            well_formed: report.found.len() > 1,
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        let gold = Gold::of(item);
        gold.written(|block| {
            gold.checks.iter().filter(|check| check.block == block).map(|check| check.text.clone()).collect()
        })
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        let gold = Gold::of(item);
        gold.written(|_| super::words::keys(rng, 1))
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

/// What an item's metric reads.
struct Gold {
    kind: String,
    number: u64,
    words: usize,
    prefix: String,
    checks: Vec<Check>,
}

impl Gold {
    fn of(item: &Item) -> Self {
        let text = |name: &str| item.gold.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| item.gold.get(name).and_then(Value::as_u64).unwrap_or_default();
        let checks = item.gold.get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
        Self {
            kind: text("kind"),
            number: number("number"),
            words: usize::try_from(number("words")).unwrap_or_default(),
            prefix: text("prefix"),
            checks: checks.iter().filter_map(check).collect(),
        }
    }

    fn report(&self, text: &str, met: &mut dyn FnMut(&Check, usize, &str) -> bool) -> Report {
        longgenbench_sgt::report(text, &self.kind, self.number, &self.checks, met)
    }

    /// Whether a block includes what it must and nothing that only other blocks must include.
    fn includes_only(&self, check: &Check, block: &str) -> bool {
        let due = |text: &str| self.checks.iter().any(|other| other.block == check.block && other.text == text);
        let mut others: Vec<&str> =
            self.checks.iter().map(|other| other.text.as_str()).filter(|text| !due(text)).collect();
        others.sort_unstable();
        others.dedup();
        longgenbench_sgt::includes(block, &check.text)
            && !others.iter().any(|other| longgenbench_sgt::includes(block, other))
    }

    /// A text of all entries, each with what `include` names and filled up to the words asked for.
    fn written(&self, mut include: impl FnMut(u64) -> Vec<String>) -> String {
        const FILLER: &str = "Nothing else of note is set down here, and the page goes on quietly to its end.";
        let entry = |block: u64| {
            let mut text = format!("{} {} {block}:", longgenbench_sgt::SEPARATOR, self.kind);
            for named in include(block) {
                text.push_str(" Here is the ");
                text.push_str(&named);
                text.push('.');
            }
            let words = text.split_whitespace().count();
            for word in FILLER.split_whitespace().cycle().take(self.words.saturating_sub(words)) {
                text.push(' ');
                text.push_str(word);
            }
            text
        };
        format!("{}\n{FINISHED}", (1..=self.number).map(entry).collect::<Vec<_>>().join("\n"))
    }
}

fn check(value: &Value) -> Option<Check> {
    let [when, block, text] = value.as_array()?.as_slice() else { return None };
    let when = When::ALL.into_iter().find(|one| Some(one.name()) == when.as_str())?;
    Some(Check { when, block: block.as_u64()?, text: text.as_str()?.to_owned() })
}

fn until<'a>(answer: &'a str, stop: &str) -> &'a str {
    answer.split_once(stop).map_or(answer, |(before, _)| before)
}
