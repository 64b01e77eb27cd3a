//! Classification of one long document: a traveller's review by what it says on the whole, or a case by its matter.

mod wording;

use serde_json::json;

use crate::card::{Card, Diffusion, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::families::volume::{self, Line, Volume, Written};
use crate::haystack::Planted;
use crate::item::{Item, Scored};
use crate::metrics::choice::scored;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::{Chronicle, World};

use wording::Wording;

/// A long document with one label.
pub struct Classification;

const PARAMETERS: [Parameter; 2] = [
    Parameter {
        name: "kind",
        help: "Reviews by their verdict, or cases by their matter",
        kind: ParameterKind::Choice { options: &["review", "case"], default: "review" },
    },
    super::LANGUAGE,
];
/// Percent of kind remarks in reviews of each verdict, lowest and highest.
const KIND_REMARKS: [(u64, u64); 3] = [(82, 95), (44, 56), (5, 18)];

impl Family for Classification {
    fn slug(&self) -> &'static str {
        "classification"
    }

    fn title(&self) -> &'static str {
        "Classification of long documents"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let review = is_review(params);
        Card {
            benchmark: "Longboard classification",
            what: if review {
                "Say whether a long review is favourable, divided or unfavourable on the whole.".to_owned()
            } else {
                "Say what a long case file is about.".to_owned()
            },
            citation: "the plain family that surveys of long-text NLP ask for; documents and score are Longboard's",
            licence: "documents are Longboard's own",
            language: super::language(params),
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: if review { &["classification", "aggregation"] } else { &["classification"] },
            diffusion: if review { Diffusion::High } else { Diffusion::Medium },
            scope: if review { Scope::Wide } else { Scope::Several },
            random_guess: 1.0 / labels(params).len() as f64,
            output_tokens: 16,
            metric: "classification.accuracy",
            strict_metric: Some("classification.accuracy.strict"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol::GENERATED,
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let params = &task.definition().params;
        let wording = wording::of(super::language(params));
        let (world, rng) = (World::new(request.seed), prose::stream(task, request));
        let write = if is_review(params) { self::review } else { case };
        volume::fit(task, request, &mut |budget| Some(write(wording, world, rng.clone(), budget)))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |kind: &str, slug: &str, language: &str, title: &str| {
            TaskDefinition::generated(self.slug(), slug, title, json!({ "kind": kind, "language": language }))
        };
        vec![
            task("review", "classification_review", "en", "Verdict of a long review"),
            task("case", "classification_case", "en", "Matter of a long case"),
            task("review", "classification_review_zh", "zh", "Verdict of a long review, Chinese"),
            task("case", "classification_case_zh", "zh", "Matter of a long case, Chinese"),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        scored(answer, item.references.first().map_or("", String::as_str), labels(params))
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, task: &Task, _: &Item, rng: &mut Rng) -> String {
        rng.choose(labels(&task.definition().params)).copied().unwrap_or_default().to_owned()
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

fn is_review(params: &Params) -> bool {
    choice(params, "kind") == "review"
}

fn labels(params: &Params) -> &'static [&'static str] {
    let wording = wording::of(super::language(params));
    if is_review(params) { &wording.verdicts } else { &wording.matters }
}

fn written(head: &str, body: Planted, tail: String, label: &str) -> Written {
    let answer = Answer { references: vec![label.to_owned()], ..Answer::default() };
    Written { head: head.to_owned(), body, tail, answer }
}

/// Night after night at inns: kind and unkind remarks in the share of the verdict.
fn review(wording: &Wording, world: World, mut rng: Rng, budget: u32) -> Written {
    let Wording { language, verdicts, aspects, heads: [head, _], questions: [question, _], .. } = wording;
    let verdict = rng.index(verdicts.len());
    let (low, high) = KIND_REMARKS.get(verdict).copied().unwrap_or_default();
    let percent = rng.between(low, high);
    let mut road = Chronicle::new(world, *language, rng.next_u64());
    let mut volume = Volume::new(*language, budget);
    // Kind remarks come in due proportion at every length, never by chance alone.
    let (mut night, mut owed) = (1, rng.below(100));
    'nights: loop {
        for order in rng.distinct(aspects.len(), 3) {
            let (well, badly) = aspects.get(order).copied().unwrap_or_default();
            owed += percent;
            let remark = if owed >= 100 { well } else { badly };
            owed %= 100;
            if !volume.offer(&Line::evidence(wording.remark(night, remark))) {
                break 'nights;
            }
        }
        if night % 4 == 0 {
            for statement in road.paragraph().into_iter().take(2) {
                volume.offer(&Line::plain(statement.text));
            }
        }
        volume.end_paragraph();
        night += 1;
    }
    let label = verdicts.get(verdict).copied().unwrap_or_default();
    written(head, volume.finish(), wording.tail(question, verdicts), label)
}

/// A case file: what witnesses say of the matter, among much that has nothing to do with it.
fn case(wording: &Wording, world: World, mut rng: Rng, budget: u32) -> Written {
    let Wording { language, matters, testimony, heads: [_, head], questions: [_, question], .. } = wording;
    let matter = rng.index(matters.len());
    let said: &[&str] = testimony.get(matter).map_or(&[], |said| said.as_slice());
    let mut around = Chronicle::new(world, *language, rng.next_u64());
    let mut volume = Volume::new(*language, budget);
    let mut order = rng.distinct(said.len(), said.len()).into_iter();
    let names = super::kinship::names(*language, &mut rng, said.len());
    let mut place = rng.below(u64::from(budget / 8).max(1)) as u32;
    let mut open = true;
    while open {
        if volume.tokens() >= place
            && let Some(index) = order.next()
        {
            let (name, what) =
                (names.get(index).map_or("", String::as_str), said.get(index).copied().unwrap_or_default());
            volume.offer(&Line::evidence(wording.said(name, what)));
            place += budget / 5;
        }
        for statement in around.paragraph() {
            open = open && volume.offer(&Line::plain(statement.text));
        }
        volume.end_paragraph();
    }
    let label = matters.get(matter).copied().unwrap_or_default();
    written(head, volume.finish(), wording.tail(question, matters), label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Language;

    #[test]
    fn no_label_stands_in_a_document() {
        for language in [Language::English, Language::Chinese] {
            let wording = wording::of(language);
            let remarks = wording.aspects.iter().flat_map(|(well, badly)| [*well, *badly]);
            for text in remarks.chain(wording.testimony.iter().flatten().copied()) {
                let labels = wording.verdicts.iter().chain(&wording.matters);
                assert!(!labels.into_iter().any(|label| text.contains(label)), "{text}");
            }
        }
    }

    #[test]
    fn chinese_documents_are_chinese() {
        for slug in ["classification_review_zh", "classification_case_zh"] {
            let item = Task::find(slug).unwrap().item(&ItemRequest::new(3, 1, "4k".parse().unwrap())).unwrap();
            assert!(!item.joined().chars().any(|scalar| scalar.is_ascii_alphabetic()), "{}", item.id);
        }
    }
}
