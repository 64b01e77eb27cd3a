//! Questions over the graph of concepts in many abstracts (after What's In Your Field, arXiv 2503.09894): which concepts
//! occur together?

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::concept_map::ConceptMap;
use crate::families::concepts::{self, Concepts};
use crate::families::prose;
use crate::families::volume::{self, Line, Written};
use crate::families::weave::{places, weave};
use crate::item::{Item, Scored};
use crate::metrics::json_list::last_list;
use crate::metrics::kg_for_science::concept_set;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};

/// Answer a question over abstracts.
pub struct ConceptGraph;

/// Canonical tokens for every abstract on the data set that is asked about beyond the first five, and the most of them.
const TOKENS_PER_ABSTRACT: u32 = 8192;
const MOST_ABSTRACTS: usize = 14;
/// Data sets, methods and instruments of one text.
const DATASETS: usize = 14;
const METHODS: usize = 24;
const INSTRUMENTS: usize = 12;
/// One abstract in so many on other data sets uses the method that is asked about.
const ONE_DECOY_IN: usize = 8;

const HEAD: &str = "Below stand numbered abstracts of papers. Each names one data set, one method, one instrument, one kind \
                    of object and some other concepts.\n\n";

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// All methods used on a data set.
    Methods,
    /// The instrument used most often on a data set.
    MostInstrument,
    /// The objects of a data set that a method is used on.
    ObjectsOfBoth,
}

/// The abstracts on the data set that is asked about, and the answer.
struct Subject {
    dataset: String,
    method: String,
    abstracts: Vec<Concepts>,
    answer: Vec<String>,
    /// Values that the other abstracts draw from.
    datasets: Vec<String>,
    methods: Vec<String>,
    instruments: Vec<String>,
}

impl Family for ConceptGraph {
    fn slug(&self) -> &'static str {
        "concept_graph"
    }

    fn title(&self) -> &'static str {
        "Concept graph"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "What's In Your Field",
            what:
                "List the concepts that occur together in one of many abstracts: all methods used on a data set, the \
                   instrument used on it most often, or the objects that a method is used on there. The score is F1 of \
                   the set; beside it stands whether the set is right as a whole."
                    .to_owned(),
            citation: "What's In Your Field, arXiv 2503.09894; code chiral-carbon/kg-for-science @ b3d52613 (MIT)",
            licence: "abstracts, concepts and questions here are Longboard's own; the nine tags are the benchmark's (MIT)",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["aggregation", "retrieval"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: 0.0,
            output_tokens: 192,
            metric: "kg_for_science.concept_set_f1",
            strict_metric: Some("kg_for_science.concept_set_exact"),
            min_tokens: 2048,
            open_ended: false,
            protocol: Protocol { post_processing: "the last JSON list, as a set", ..Protocol::GENERATED },
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let kind = match request.index % 3 {
            0 => Kind::Methods,
            1 => Kind::MostInstrument,
            _ => Kind::ObjectsOfBoth,
        };
        let count = (5 + request.length.tokens() / TOKENS_PER_ABSTRACT) as usize;
        let subject = Subject::new(kind, count.min(MOST_ABSTRACTS), &mut rng);
        let (places, base) = (places(subject.abstracts.len(), &mut rng), rng.next_u64());
        let tail = format!(
            "\n\nQuestion: {} Answer with a JSON list of names as the abstracts write them, for example [\"tidal gauge\"], \
             and nothing else.\nAnswer:",
            subject.question(kind)
        );
        let gold = json!({ "answer": subject.answer });
        volume::fit(task, request, &mut |budget| {
            let mut others = Rng::from_path(&[base]);
            let woven = weave(budget, &places, &mut |number, evidence| {
                let (concepts, wording) = match evidence.and_then(|one| subject.abstracts.get(one)) {
                    Some(concepts) => (concepts.clone(), evidence.unwrap_or_default() as u64),
                    None => (subject.other(&mut others), others.next_u64()),
                };
                let sentences = concepts::told(&concepts, &mut Rng::from_path(&[base, wording]));
                numbered(number, sentences, evidence.is_some())
            })?;
            let answer =
                Answer { references: vec![json!(subject.answer).to_string()], gold: gold.clone(), ..Answer::default() };
            Some(Written { head: HEAD.to_owned(), body: woven.body, tail: tail.clone(), answer })
        })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "concept_graph", "Concepts that occur together", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let texts =
            |list: &[Value]| -> Vec<String> { list.iter().filter_map(Value::as_str).map(str::to_owned).collect() };
        let Some(list) = last_list(answer) else {
            return Scored { score: 0.0, strict: Some(0.0), extracted: String::new(), well_formed: false };
        };
        let named = texts(&list);
        let gold = texts(item.gold.get("answer").and_then(Value::as_array).map_or(&[], Vec::as_slice));
        let found = concept_set(&named, &gold);
        Scored {
            score: found.f1,
            strict: Some(f64::from(found.exact)),
            well_formed: named.len() == list.len(),
            extracted: named.join(", "),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    fn guess(&self, _: &Task, _: &Item, _: &mut Rng) -> String {
        r#"["linear regression", "telescope", "galaxies"]"#.to_owned()
    }

    fn quotes_references(&self) -> bool {
        false
    }

    fn concept_map(&self, item: &Item) -> Option<ConceptMap> {
        Some(ConceptMap::of(item))
    }
}

fn numbered(number: usize, sentences: Vec<String>, evidence: bool) -> Vec<Line> {
    let line = |(place, sentence): (usize, String)| {
        let text = if place == 0 { format!("[{number}] {sentence}") } else { sentence };
        Line { text, evidence }
    };
    sentences.into_iter().enumerate().map(line).collect()
}

impl Subject {
    fn new(kind: Kind, count: usize, rng: &mut Rng) -> Self {
        let mut datasets = concepts::pool("dataset", DATASETS, rng);
        let mut methods = concepts::pool("method", METHODS, rng);
        let instruments = concepts::pool("instrument", INSTRUMENTS, rng);
        let (dataset, method) = (datasets.pop().unwrap_or_default(), methods.pop().unwrap_or_default());
        let objects = concepts::pool("object", count, rng);
        let mut abstracts: Vec<Concepts> = (0..count).map(|_| concepts::drawn(rng)).collect();
        let mut answer = Vec::new();
        // More than half have the one that counts: the winner's instrument, or the method that is asked about.
        let most = count / 2 + 1;
        for (place, concepts) in abstracts.iter_mut().enumerate() {
            let turn = |list: &[String], by: usize| list.get(by % list.len().max(1)).cloned().unwrap_or_default();
            let own_method = match kind {
                Kind::Methods => turn(&methods, place * 2 / 3),
                Kind::ObjectsOfBoth if place < most => method.clone(),
                _ => turn(&methods, place),
            };
            let instrument = if place < most { turn(&instruments, 0) } else { turn(&instruments, place) };
            let object = turn(&objects, place);
            let wanted = match kind {
                Kind::Methods => Some(own_method.clone()),
                Kind::MostInstrument => (place < most).then(|| instrument.clone()),
                Kind::ObjectsOfBoth => (place < most).then(|| object.clone()),
            };
            answer.extend(wanted.filter(|wanted| !answer.contains(wanted)));
            concepts.extend([
                ("dataset", dataset.clone()),
                ("method", own_method),
                ("instrument", instrument),
                ("object", object),
            ]);
        }
        rng.shuffle(&mut abstracts);
        answer.sort_unstable();
        Self { dataset, method, abstracts, answer, datasets, methods, instruments }
    }

    /// An abstract on another data set, now and then with the method that is asked about.
    fn other(&self, rng: &mut Rng) -> Concepts {
        let mut concepts = concepts::drawn(rng);
        let decoy = rng.index(ONE_DECOY_IN) == 0;
        let mut pick = |list: &[String]| rng.choose(list).cloned().unwrap_or_default();
        let (dataset, method, instrument) = (pick(&self.datasets), pick(&self.methods), pick(&self.instruments));
        let method = if decoy { self.method.clone() } else { method };
        concepts.extend([("dataset", dataset), ("method", method), ("instrument", instrument)]);
        concepts
    }

    fn question(&self, kind: Kind) -> String {
        let Self { dataset, method, .. } = self;
        match kind {
            Kind::Methods => format!("Which methods do the abstracts on the {dataset} use?"),
            Kind::MostInstrument => {
                format!("Which instrument is named in the most abstracts on the {dataset}?")
            }
            Kind::ObjectsOfBoth => {
                format!("Which kinds of objects are studied in abstracts that use both the {dataset} and {method}?")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn item(length: &str, index: u32) -> Item {
        let task = Task::find("concept_graph").unwrap();
        task.item(&ItemRequest::new(6, index, length.parse().unwrap())).unwrap()
    }

    fn answer(item: &Item) -> BTreeSet<String> {
        serde_json::from_str(&item.references[0]).unwrap()
    }

    /// Abstracts of the prompt that name `text`.
    fn with<'a>(prompt: &'a str, text: &str) -> Vec<&'a str> {
        prompt.split("\n\n").filter(|part| part.starts_with('[') && part.contains(text)).collect()
    }

    /// Whether an abstract has a method, which may begin a sentence.
    fn names(text: &str, method: &str) -> bool {
        text.to_lowercase().contains(method)
    }

    #[test]
    fn a_reader_with_a_pencil_finds_the_answers() {
        let between =
            |text: &str, from: &str, to: &str| text.split(from).nth(1).unwrap().split(to).next().unwrap().to_owned();
        for length in ["2k", "8k", "32k"] {
            let methods = item(length, 0).joined();
            let dataset = between(&methods, "abstracts on the ", " use?");
            for method in answer(&item(length, 0)) {
                assert!(with(&methods, &dataset).iter().any(|part| names(part, &method)), "{method}");
            }
            let most = item(length, 1).joined();
            let dataset = between(&most, "most abstracts on the ", "?");
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for part in with(&most, &dataset) {
                let device =
                    part.split(' ').zip(part.split(' ').skip(1)).find(|(word, _)| word.contains('-')).unwrap().0;
                *counts.entry(device).or_default() += 1;
            }
            let top = counts.iter().max_by_key(|(_, count)| **count).unwrap();
            assert!(answer(&item(length, 1)).first().unwrap().starts_with(top.0), "{counts:?}");
            assert_eq!(counts.values().filter(|count| *count == top.1).count(), 1);
            let both = item(length, 2);
            let text = both.joined();
            let asked = between(&text, "use both the ", "?");
            let (dataset, method) = asked.split_once(" and ").unwrap();
            let both_named = with(&text, dataset).into_iter().filter(|part| names(part, method));
            assert_eq!(both_named.count(), answer(&both).len());
            assert!(with(&text, dataset).len() > answer(&both).len(), "some abstracts have another method");
        }
    }
}
