//! NeedleBench's Ancestral Trace Challenge (arXiv 2407.11963, section 3.4): no haystack, every sentence counts.

use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::kinship::{self, Chain};
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// A chain of kinship as long as the prompt.
pub struct NeedleBenchAtc;

const PARAMETERS: [Parameter; 1] = [super::LANGUAGE];

impl Family for NeedleBenchAtc {
    fn slug(&self) -> &'static str {
        "needlebench_atc"
    }

    fn title(&self) -> &'static str {
        "NeedleBench Ancestral Trace Challenge"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        Card {
            benchmark: "NeedleBench",
            what: "Trace a chain of kinship through shuffled sentences, all of which are needed. Four questions in \
                   turn: eldest ancestor, n-th ancestor, n-th descendant, generations between two people."
                .into(),
            citation: super::NEEDLEBENCH,
            licence: "official code Apache-2.0; names and sentences here are Longboard's own",
            language: super::language(params),
            length_unit: LengthUnit::Facts,
            tokenizer: "none: the paper counts needles",
            abilities: &["reasoning", "tracing"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 0.0,
            output_tokens: 256,
            metric: "needlebench.v2_atc_boxed",
            strict_metric: None,
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let language = super::language(&task.definition().params);
        let mut rng = prose::stream(task, request);
        let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
        // A sentence costs at least eight tokens, so these names always suffice.
        let names = kinship::names(language, &mut rng, limit as usize / 8 + 2);
        let mut chain = Chain::new(language, names, &mut rng);
        let mut links = longest_fit(&chain, language, request, limit);
        loop {
            chain.truncate(links);
            let mut prompt = Prompt::default();
            let reference = write(&mut prompt, &chain, language, request);
            if prompt.tokens() <= limit {
                return Ok(prompt.finish(
                    task,
                    request,
                    Answer { references: vec![reference], depth_percent: None, ..Answer::default() },
                ));
            }
            links = links.checked_sub(1).filter(|&links| links >= 2).ok_or_else(|| {
                prose::unsatisfiable(task, request, "frame and two sentences are longer; choose a longer length")
            })?;
        }
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![
            TaskDefinition::generated(
                self.slug(),
                "needlebench_atc_en",
                "Ancestral trace, English",
                json!({ "language": "en" }),
            ),
            TaskDefinition::generated(
                self.slug(),
                "needlebench_atc_zh",
                "Ancestral trace, Chinese",
                json!({ "language": "zh" }),
            ),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        super::boxed(answer, item.references.first().map_or("", String::as_str))
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        super::in_box(item)
    }

    fn guess(&self, task: &Task, _: &Item, rng: &mut Rng) -> String {
        let names = kinship::names(super::language(&task.definition().params), rng, 1);
        format!("\\boxed{{{}}}", names.concat())
    }
}

/// Links whose sentences fit beside the frame, by their counts; names in the question may still cost a few tokens.
fn longest_fit(all: &Chain, language: Language, request: &ItemRequest<'_>, limit: u32) -> usize {
    let mut prompt = Prompt::default();
    let mut frame = Chain::new(language, all.names.iter().take(2).cloned().collect(), &mut Rng::from_path(&[]));
    frame.sentences.clear();
    write(&mut prompt, &frame, language, request);
    let mut left = limit.saturating_sub(prompt.tokens());
    all.sentences
        .iter()
        .map(|sentence| prompt.count(&[sentence, "\n"].concat()))
        .take_while(|&cost| {
            let fits = cost <= left;
            left = left.saturating_sub(cost);
            fits
        })
        .count()
        .max(2)
}

/// Writes the whole prompt and returns the reference.
fn write(prompt: &mut Prompt, chain: &Chain, language: Language, request: &ItemRequest<'_>) -> String {
    let mut order: Vec<&String> = chain.sentences.iter().collect();
    Rng::from_path(&[request.seed, u64::from(request.index)]).shuffle(&mut order);
    prompt.push(match language {
        Language::English | Language::Persian => {
            "The sentences below describe one family. Every one of them is needed.\n\n"
        }
        Language::Chinese => "下面的句子描述了一个家族，每一句都用得上。\n\n",
    });
    prompt.begin_document();
    for sentence in order {
        prompt.push_needle(sentence);
        prompt.push("\n");
    }
    let (eldest, youngest, n) = (chain.eldest(), chain.youngest(), chain.generations());
    let (question, reference) = match (language, request.index % 4) {
        (Language::English | Language::Persian, 0) => {
            (format!("Who is the eldest ancestor of {youngest} that can be traced?"), eldest.to_owned())
        }
        (Language::English | Language::Persian, 1) => (
            format!(
                "Counting a parent as one generation and a grandparent as two, who is the ancestor {n} generations above {youngest}?"
            ),
            eldest.to_owned(),
        ),
        (Language::English | Language::Persian, 2) => (
            format!(
                "Counting a child as one generation and a grandchild as two, who is the descendant {n} generations below {eldest}?"
            ),
            youngest.to_owned(),
        ),
        (Language::English | Language::Persian, _) => (
            format!(
                "Counting a parent as one generation and a grandparent as two, how many generations lie between {eldest} and {youngest}?"
            ),
            n.to_string(),
        ),
        (Language::Chinese, 0) => (format!("能追溯到的{youngest}最年长的祖先是谁？"), eldest.to_owned()),
        (Language::Chinese, 1) => {
            (format!("父母算一代，祖父母算两代，{youngest}往上数{n}代的祖先是谁？"), eldest.to_owned())
        }
        (Language::Chinese, 2) => {
            (format!("子女算一代，孙辈算两代，{eldest}往下数{n}代的后代是谁？"), youngest.to_owned())
        }
        (Language::Chinese, _) => {
            (format!("父母算一代，祖父母算两代，{eldest}与{youngest}之间相差几代？"), n.to_string())
        }
    };
    prompt.end_document();
    prompt.push(&match language {
        Language::English | Language::Persian => {
            format!("\nQuestion: {question} Write the answer as \\boxed{{answer}}.\nAnswer:")
        }
        Language::Chinese => format!("\n问题：{question}请把答案写成\\boxed{{答案}}。\n回答："),
    });
    reference
}
