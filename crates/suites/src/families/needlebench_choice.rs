//! NeedleBench's Ancestral Trace Challenge of version 1: four options, asked in four rotations.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::kinship::{self, Chain};
use crate::families::needlebench_official::ROTATIONS;
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::needlebench as metric;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// Choose the eldest of a chain of kinship.
pub struct NeedleBenchChoice;

const PARAMETERS: [Parameter; 1] = [super::LANGUAGE];

impl Family for NeedleBenchChoice {
    fn slug(&self) -> &'static str {
        "needlebench_atc_choice"
    }

    fn title(&self) -> &'static str {
        "NeedleBench Ancestral Trace Challenge with options"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        Card {
            benchmark: "NeedleBench",
            what:
                "Trace a chain of kinship through shuffled sentences and choose the eldest among four of its people. \
                   Four items in a row ask the same question with rotated options, so that circular scores can be made."
                    .to_owned(),
            citation: super::NEEDLEBENCH,
            licence: "official code Apache-2.0; names and sentences here are Longboard's own",
            language: super::language(params),
            length_unit: LengthUnit::Facts,
            tokenizer: "none: the paper counts needles",
            abilities: &["reasoning", "tracing"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.25,
            output_tokens: 64,
            metric: "needlebench.v1_atc_first_option",
            strict_metric: None,
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the first option letter by an ordered list of phrasings",
                ..Protocol::GENERATED
            },
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let language = super::language(&task.definition().params);
        let mut rng = prose::stream(task, &ItemRequest { index: request.index / 4, ..*request });
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        // A sentence costs at least eight tokens, so these names always suffice.
        let names = kinship::names(language, &mut rng, limit as usize / 8 + 2);
        let mut chain = Chain::new(language, names, &mut rng);
        let rotation = ROTATIONS.get(request.index as usize % 4).copied().unwrap_or("ABCD");
        let mut links = longest_fit(&chain, language, rotation, limit);
        loop {
            chain.truncate(links);
            let mut order: Vec<&String> = chain.sentences.iter().collect();
            rng.clone().shuffle(&mut order);
            let mut prompt = Prompt::default();
            let gold = write(&mut prompt, language, &order, &chain, rotation);
            if prompt.tokens() <= limit {
                let references = vec![gold.1.to_string()];
                let gold = json!({ "options": gold.0, "rotation": rotation, "question": request.index / 4 });
                return Ok(prompt.finish(task, request, Answer { references, gold, ..Answer::default() }));
            }
            links = links
                .checked_sub(1)
                .filter(|&links| links >= 4)
                .ok_or_else(|| prose::unsatisfiable(task, request, "four sentences and the options are longer"))?;
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, language| {
            TaskDefinition::generated("needlebench_atc_choice", slug, title, json!({ "language": language }))
        };
        vec![
            task("needlebench_atc_choice_en", "Ancestral trace with options, English", "en"),
            task("needlebench_atc_choice_zh", "Ancestral trace with options, Chinese", "zh"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let found = metric::first_option(answer, "ABCD");
        Scored {
            score: f64::from(item.references.first() == Some(&found)),
            strict: None,
            well_formed: !found.is_empty(),
            extracted: found,
        }
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        rng.choose(&["A", "B", "C", "D"]).copied().unwrap_or_default().to_owned()
    }
}

/// Links whose sentences fit beside the frame by their counts.
fn longest_fit(all: &Chain, language: Language, rotation: &str, limit: u32) -> usize {
    let mut prompt = Prompt::default();
    let _ = write(&mut prompt, language, &[], all, rotation);
    let mut left = limit.saturating_sub(prompt.tokens());
    let fitting = all.sentences.iter().take_while(|sentence| {
        let cost = prompt.count(&[sentence.as_str(), "\n"].concat());
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    });
    fitting.count().max(4)
}

/// Writes the prompt; gives the options in order and the right letter.
fn write(
    prompt: &mut Prompt,
    language: Language,
    order: &[&String],
    chain: &Chain,
    rotation: &str,
) -> (Vec<String>, char) {
    let youngest = chain.youngest();
    let original = |letter: u8| chain.names.get(usize::from(letter.saturating_sub(b'A'))).cloned().unwrap_or_default();
    let options: Vec<String> = rotation.bytes().map(original).collect();
    let right =
        rotation.chars().zip('A'..='D').find(|(original, _)| *original == 'A').map_or('A', |(_, letter)| letter);
    prompt.push(match language {
        Language::Chinese => "下面的句子描述了一个家族，每一句都用得上。\n\n",
        _ => "The sentences below describe one family. Every one of them is needed.\n\n",
    });
    prompt.begin_document();
    for sentence in order {
        prompt.push_needle(sentence);
        prompt.push("\n");
    }
    prompt.end_document();
    prompt.push(&match language {
        Language::Chinese => format!("\n问题：从{youngest}向上追溯，能追溯到的最年长的亲属是谁？\n"),
        _ => format!("\nQuestion: Going up from {youngest}, who is the eldest relative that can be traced?\n"),
    });
    for (letter, option) in ('A'..='D').zip(&options) {
        prompt.push(&format!("{letter}. {option}\n"));
    }
    prompt.push(match language {
        Language::Chinese => "请只回答选项字母。\n回答：",
        _ => "Answer with the letter of the option alone.\nAnswer:",
    });
    (options, right)
}
