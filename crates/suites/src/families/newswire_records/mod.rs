//! Records of news (Newswire, arXiv 2406.09490): who, what, where and when, out of a bundle of badly scanned dispatches.

mod dispatch;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::families::prose;
use crate::families::volume::{self, Line, Written};
use crate::families::weave::{places, weave};
use crate::item::{Item, Scored};
use crate::metrics::json_list::last_list;
use crate::metrics::newswire_headlines::{FIELDS, NUMBER, Record, count, record};
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, Params, Task, TaskDefinition};
use crate::world::World;
use dispatch::{Dispatch, Kind};

/// Write records of all dispatches of one kind.
pub struct NewswireRecords;

/// Canonical tokens for every dispatch that is asked for beyond the first three, and the most of them.
const TOKENS_PER_RECORD: u32 = 2048;
const MOST_RECORDS: u32 = 24;

impl Family for NewswireRecords {
    fn slug(&self) -> &'static str {
        "newswire_records"
    }

    fn title(&self) -> &'static str {
        "Newswire records"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn card(&self, _: &Params) -> Card {
        Card {
            benchmark: "Newswire and HEADLINES",
            what: "Write a record of who, what, where and when for every dispatch of one kind in a bundle of numbered \
                   dispatches with errors of the scanner. The score is F1 of the fields; beside it stands F1 of records \
                   that are right in every field."
                .to_owned(),
            citation: "Silcock et al. 2024, Newswire, arXiv 2406.09490; code dell-research-harvard/newswire @ b63746cf (no licence stated)",
            licence: "dispatches, prompts and scores here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::ModelTokens,
            tokenizer: "the model's own",
            abilities: &["extraction", "retrieval"],
            diffusion: Diffusion::Medium,
            scope: Scope::Several,
            random_guess: 0.0,
            output_tokens: 512,
            metric: "newswire_headlines.record_fields",
            strict_metric: Some("newswire_headlines.whole_records"),
            min_tokens: 2048,
            open_ended: false,
            protocol: Protocol {
                post_processing: "the last JSON list; values are compared by their words",
                ..Protocol::GENERATED
            },
            importable: None,
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        prose::refuse_corpus(task, request)?;
        let mut rng = prose::stream(task, request);
        let world = World::new(request.seed);
        let kind = Kind::ALL.get(request.index as usize % Kind::ALL.len()).copied().unwrap_or(Kind::Fire);
        let wanted = (3 + request.length.tokens() / TOKENS_PER_RECORD).min(MOST_RECORDS);
        let asked: Vec<Dispatch> = (0..wanted).map(|_| Dispatch::new(world, kind, &mut rng)).collect();
        let (places, base) = (places(asked.len(), &mut rng), rng.next_u64());
        let output = 48 + 56 * wanted;
        volume::fit(task, request, &mut |budget| {
            let mut others = Rng::from_path(&[base]);
            let woven =
                weave(budget, &places, &mut |number, evidence| match evidence.and_then(|one| asked.get(one)) {
                    Some(dispatch) => dispatch.lines(number).map(Line::evidence).collect(),
                    None => {
                        let other = kind.another(&mut others);
                        Dispatch::new(world, other, &mut others).lines(number).map(Line::plain).collect()
                    }
                })?;
            let records: BTreeMap<usize, &Record> =
                woven.numbers.iter().copied().zip(asked.iter().map(|dispatch| &dispatch.record)).collect();
            let answer = Answer {
                references: vec![written(&records)],
                gold: json!({ "records": records }),
                output_tokens: Some(output),
                ..Answer::default()
            };
            Some(Written { head: HEAD.to_owned(), body: woven.body, tail: tail(kind), answer })
        })
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "newswire_records", "Records of dispatches", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        let Some(list) = last_list(answer) else {
            return Scored { score: 0.0, strict: Some(0.0), extracted: String::new(), well_formed: false };
        };
        let said: Vec<(u64, Record)> = list.iter().filter_map(record).collect();
        let counts = count(&said, &gold(item));
        let fields = FIELDS.iter().zip(counts.per_field).map(|(field, right)| format!("{field} {right}"));
        Scored {
            score: counts.field_f1(),
            strict: Some(counts.record_f1()),
            extracted: format!(
                "{} records for {} dispatches, {} right throughout; right: {}",
                counts.records.1,
                counts.records.2,
                counts.records.0,
                fields.collect::<Vec<_>>().join(", ")
            ),
            well_formed: said.len() == list.len(),
        }
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        item.references.concat()
    }

    /// A record of some dispatch about people and places that nobody named.
    fn guess(&self, _: &Task, _: &Item, rng: &mut Rng) -> String {
        let said: Record = ["John Smith", "town hall", "London", "February 30"].map(str::to_owned);
        written(&BTreeMap::from([(rng.between(1, 20) as usize, &said)]))
    }

    fn quotes_references(&self) -> bool {
        false
    }
}

const HEAD: &str = "Below stand numbered dispatches of a news agency, read by a machine from old paper: here and there it \
                    took one letter for another. A dispatch begins with the town and the day from which it was sent.\n\n";

fn tail(kind: Kind) -> String {
    format!(
        "\n\nWrite a record for every dispatch that reports {}, and for no other. Answer with a JSON list of objects with \
         these fields:\ndispatch: its number\nwho: first and last name of the person to whom or through whom it happened\n\
         what: the building or business that it happened to\nwhere: the town in which it happened\nwhen: the day on which \
         it happened, as month and number\nExample: [{{\"dispatch\": 3, \"who\": \"Orin Vale\", \"what\": \"tin mine\", \
         \"where\": \"Dorbury\", \"when\": \"June 30\"}}]. Write nothing else.\nAnswer:",
        kind.asked()
    )
}

fn written(records: &BTreeMap<usize, &Record>) -> String {
    let object = |(number, record): (&usize, &&Record)| {
        let fields = FIELDS.iter().zip(record.iter()).map(|(name, value)| ((*name).to_owned(), json!(value)));
        Value::Object(std::iter::once((NUMBER.to_owned(), json!(number))).chain(fields).collect())
    };
    Value::Array(records.iter().map(object).collect()).to_string()
}

fn gold(item: &Item) -> BTreeMap<u64, Record> {
    let records = item.gold.get("records").cloned().unwrap_or_default();
    serde_json::from_value(records).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> impl Iterator<Item = (&'static Task, Item)> {
        let task = Task::find("newswire_records").unwrap();
        ["2k", "8k", "32k"].into_iter().flat_map(move |length| {
            (0..6).map(move |index| (task, task.item(&ItemRequest::new(8, index, length.parse().unwrap())).unwrap()))
        })
    }

    #[test]
    fn every_value_stands_unharmed_in_its_dispatch() {
        for (_, item) in items() {
            let text = item.joined();
            let records = gold(&item);
            assert!(records.len() >= 3, "{}", item.id);
            for (number, record) in records {
                let dispatch = text.split("\n\n").find(|part| part.starts_with(&format!("[{number}] "))).unwrap();
                for value in &record {
                    assert_eq!(dispatch.matches(value.as_str()).count(), 1, "{value} in {dispatch}");
                }
            }
        }
    }

    #[test]
    fn the_scanner_misread_some_words() {
        let (_, item) = items().next().unwrap();
        let words = ["from", "before", "which", "people", "morning", "answer"];
        let known = |text: &str| words.iter().map(|word| text.matches(word).count()).sum::<usize>();
        assert!(known(&item.joined()) > 0);
        assert!(
            dispatch::scanned("the people of the morning answered before all others", 1, &mut Rng::from_path(&[1]))
                != "the people of the morning answered before all others"
        );
    }

    #[test]
    fn fields_and_whole_records_count_apart() {
        for (task, item) in items().take(4) {
            let mut list = last_list(&item.references[0]).unwrap();
            let n = list.len() as f64;
            list[0]["when"] = json!("May 99");
            let scored = task.score(&item, &Value::from(list.clone()).to_string());
            assert!((scored.score - (4.0 * n - 1.0) / (4.0 * n)).abs() < 1e-12);
            assert!((scored.strict.unwrap() - (n - 1.0) / n).abs() < 1e-12);
            list.push(json!({"dispatch": 99_999, "who": "A", "what": "B", "where": "C", "when": "D"}));
            assert!(task.score(&item, &Value::from(list).to_string()).score < scored.score);
        }
    }
}
