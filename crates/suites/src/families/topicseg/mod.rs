//! Topic segmentation (arXiv 2310.11772) for chat endpoints: where does one article end and the next begin?

mod dataset;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::lines::{self, Lines};
use crate::families::prose;
use crate::item::{Item, Scored};
use crate::metrics::json_list::last_list;
use crate::metrics::topicseg::{self as metric, Boundaries};
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::{Chronicle, World};

/// Find the boundaries between sections on different towns.
pub struct TopicSegmentation;

const HEAD: &str = "The numbered sentences below come from several articles, each about one town and its people, written \
                    one after the other without any mark between them.";
/// What stands between the head and the first sentence.
const NUMBERED: &str = "\n\nSentences\n";
const NOTE: &str = "\nBelow the last sentence the copyist wrote: Done at last.";
const TAIL: &str = "\n\nFind where one article ends and the next begins. Answer with a JSON list of the numbers of the \
                    last sentences of all articles but the last one, for example [4, 11], and nothing else.\nAnswer:";

/// Sentences of a section, as in Choi's set of 3 to 11 (Choi 2000).
const SENTENCES: (u64, u64) = (3, 11);
/// Paragraphs of a town's walk that a section may begin after.
const SKIPPED: usize = 40;

impl Family for TopicSegmentation {
    fn slug(&self) -> &'static str {
        "topicseg"
    }

    fn title(&self) -> &'static str {
        "Topic segmentation"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "Topic segmentation",
            what: "Name the last sentences of concatenated sections on different towns. The score is F1 of the \
                   boundaries of each text; official F1 pools the sentences of a corpus. Beside it stands 1 - \
                   WindowDiff, which naming no boundary at all does not bring to 0."
                .to_owned(),
            citation: "Yu et al. 2023, arXiv 2310.11772; code alibaba-damo-academy/SpokenNLP @ 30fc9df9 (Apache-2.0); texts after Choi 2000",
            licence: "official code Apache-2.0; texts and prompts here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "Longformer's",
            abilities: &["structure", "aggregation"],
            diffusion: Diffusion::High,
            scope: Scope::Wide,
            random_guess: 2.0 / (1.0 + mean_sentences()),
            output_tokens: 64,
            metric: "topicseg.boundary_f1",
            strict_metric: Some("topicseg.window_similarity"),
            min_tokens: 1024,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the last JSON list; numbers of no sentence and the last sentence's are ignored",
                ..Protocol::GENERATED
            },
            importable: Some("WikiSection CC BY-SA 3.0; the others state no licence: for private use only"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        // A boundary takes about three tokens, and a section about 170.
        let output = task.card().output_tokens + request.length.tokens() / 40;
        let mut prompt = Prompt::default();
        prompt.push(HEAD);
        prompt.push(NUMBERED);
        let frame = prompt.tokens() + prompt.count(NOTE) + prompt.count(TAIL) + 1;
        let mut lines = Lines::new(request.length.tokens().saturating_sub(output + frame));
        let owners = write(World::new(request.seed), &mut lines, &mut rng);
        let labels: Vec<bool> = owners.windows(2).map(|pair| pair.first() != pair.last()).collect();
        let boundaries: Vec<usize> = (1..).zip(&labels).filter(|(_, last)| **last).map(|(number, _)| number).collect();
        if boundaries.is_empty() {
            return Err(prose::unsatisfiable(task, request, "not even two sections fit"));
        }
        let (count, closing) = (lines.len(), lines::remarks(lines.left(), &mut rng));
        for (line, last) in lines.finish().iter().zip(labels.iter().chain([&false])) {
            if *last {
                prompt.push_needle(line)
            } else {
                prompt.push(line)
            }
            prompt.push("\n");
        }
        prompt.push(NOTE);
        prompt.push(&closing);
        prompt.push(TAIL);
        let answer = Answer {
            references: vec![json!(boundaries).to_string()],
            gold: json!({ "boundaries": boundaries, "sentences": count }),
            output_tokens: Some(output),
            ..Answer::default()
        };
        Ok(prompt.finish(task, request, answer))
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "topicseg", "Where one article ends", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let (gold, sentences) = gold(item);
        let Some(named) = numbers(answer) else {
            return Scored { score: 0.0, strict: Some(0.0), extracted: String::new(), well_formed: false };
        };
        let (prediction, reference) = (labels(&named, sentences), labels(&gold, sentences));
        let boundaries = Boundaries::of(&prediction, &reference);
        let (precision, recall, f1) = boundaries.prf();
        let apart = metric::distance(&prediction, &reference).unwrap_or_default();
        Scored {
            score: f1,
            strict: Some(1.0 - apart.window_diff),
            extracted: format!(
                "{} of {} boundaries named, {} right: precision {precision:.3}, recall {recall:.3}; 1 - P_k {:.3}, 1 - WindowDiff {:.3}",
                boundaries.predicted,
                boundaries.gold,
                boundaries.correct,
                1.0 - apart.pk,
                1.0 - apart.window_diff
            ),
            well_formed: true,
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    /// Every sentence: the best that can be done blindly.
    fn guess(&self, _: &Task, item: &Item, _: &mut Rng) -> String {
        every(1, gold(item).1)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let (gold, sentences) = gold(item);
        let boundaries = gold.len() as f64;
        2.0 * boundaries / (sentences.saturating_sub(1) as f64 + boundaries).max(1.0)
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Documents)
    }
}

fn mean_sentences() -> f64 {
    (SENTENCES.0 + SENTENCES.1) as f64 / 2.0
}

/// Sections one after the other until the budget is full: for each line the number of its section.
fn write(world: World, lines: &mut Lines, rng: &mut Rng) -> Vec<usize> {
    let (mut owners, mut misses) = (Vec::new(), 0);
    for section in 0.. {
        let wanted = rng.between(SENTENCES.0, SENTENCES.1) as usize;
        for sentence in article(world, wanted, rng) {
            if lines.offer(format!("[{}] {sentence}", lines.len() + 1)) {
                owners.push(section);
            } else {
                misses += 1;
            }
        }
        if misses >= 8 {
            break;
        }
    }
    owners
}

/// `count` sentences about one town, from the beginning of a paragraph: its first sentence names the town.
fn article(world: World, count: usize, rng: &mut Rng) -> Vec<String> {
    let mut walk = Chronicle::new(world, Language::English, rng.next_u64());
    for _ in 0..rng.index(SKIPPED) {
        let _ = walk.paragraph();
    }
    let mut sentences: Vec<String> = Vec::new();
    while sentences.len() < count {
        let paragraph = walk.paragraph();
        sentences.extend(paragraph.into_iter().map(|statement| statement.text));
    }
    sentences.truncate(count);
    sentences
}

/// Gold boundaries, and how many sentences there are.
fn gold(item: &Item) -> (BTreeSet<u64>, usize) {
    let list = item.gold.get("boundaries").and_then(Value::as_array);
    let boundaries = list.into_iter().flatten().filter_map(Value::as_u64).collect();
    (boundaries, item.gold.get("sentences").and_then(Value::as_u64).unwrap_or_default() as usize)
}

/// Numbers in the last list of an answer, written as numbers or in quotes; `None` where it holds something else.
fn numbers(answer: &str) -> Option<BTreeSet<u64>> {
    let number = |value: &Value| match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    last_list(answer)?.iter().map(number).collect()
}

/// Labels of all sentences but the last, whose boundary is known.
fn labels(numbers: &BTreeSet<u64>, sentences: usize) -> Vec<bool> {
    (1..sentences as u64).map(|number| numbers.contains(&number)).collect()
}

/// The list of every `step`-th sentence.
fn every(step: usize, sentences: usize) -> String {
    json!((1..sentences).filter(|number| number % step == 0).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> impl Iterator<Item = Item> {
        let task = Task::find("topicseg").unwrap();
        ["1k", "4k", "16k"].into_iter().flat_map(move |length| {
            (0..8).map(move |index| task.item(&ItemRequest::new(9, index, length.parse().unwrap())).unwrap())
        })
    }

    fn score(item: &Item, answer: &str) -> Scored {
        Task::find("topicseg").unwrap().score(item, answer)
    }

    #[test]
    fn every_section_but_the_first_begins_where_another_ends() {
        for item in items() {
            let (gold, sentences) = gold(&item);
            let ends: Vec<u64> = gold.iter().copied().chain([sentences as u64]).collect();
            let lengths: Vec<u64> = std::iter::once(&0).chain(&ends).zip(&ends).map(|(from, to)| to - from).collect();
            let whole = lengths.len().saturating_sub(3);
            assert!(lengths.iter().take(whole).all(|length| (3..=11).contains(length)), "{lengths:?}");
            assert_eq!(item.needles.len(), gold.len());
        }
    }

    #[test]
    fn degenerate_answers_score_what_theory_says() {
        let (mut seventh, mut count) = (0.0, 0.0);
        for item in items() {
            let (gold, sentences) = gold(&item);
            let task = Task::find("topicseg").unwrap();
            let all = score(&item, &every(1, sentences));
            assert!((all.score - TopicSegmentation.chance(task, &item)).abs() < 1e-12);
            let none = score(&item, "[]");
            assert!(none.score == 0.0 && none.well_formed && none.strict.unwrap() > 0.0, "{none:?}");
            let outside = score(
                &item,
                &format!("{:?}", gold.iter().chain([&0, &(sentences as u64), &99_999]).collect::<Vec<_>>()),
            );
            assert_eq!((outside.score, outside.strict), (1.0, Some(1.0)));
            seventh += score(&item, &every(7, sentences)).score;
            count += 1.0;
        }
        // A step of seven meets one boundary in seven, with about as many named as there are.
        assert!((0.06..0.24).contains(&(seventh / count)), "{}", seventh / count);
    }
}
