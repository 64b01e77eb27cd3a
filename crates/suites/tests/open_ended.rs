//! Open-ended families: oracle and floor, evidence in place, built-in judges against the injection suite.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic")]

use longboard_suites::item::Item;
use longboard_suites::judging::{BuiltinJudge, FactReport, Label, OpenEnded, injections, plant};
use longboard_suites::length::Length;
use longboard_suites::safe::{FactStore, Support, rate};
use longboard_suites::task::{ItemRequest, Task};
use longboard_suites::world::{Annals, World};

const SLUGS: [&str; 2] = ["long_span_qa", "planted_writing"];

fn item(slug: &str, length: u32, seed: u64, index: u32) -> Item {
    let request = ItemRequest::new(seed, index, Length::new(length).unwrap());
    Task::find(slug).unwrap().item(&request).unwrap()
}

fn material(item: &Item) -> OpenEnded {
    Task::find(&item.task).unwrap().open_ended(item).unwrap()
}

#[test]
fn only_open_ended_tasks_are_judged() {
    for task in Task::builtin() {
        let length = Length::new(task.card().min_tokens.max(4096)).unwrap();
        let item = task.item(&ItemRequest::new(1, 0, length)).unwrap();
        assert_eq!(task.open_ended(&item).is_some(), task.card().open_ended, "{}", task.slug());
    }
}

#[test]
fn every_item_has_an_oracle_and_a_floor() {
    for slug in SLUGS {
        let task = Task::find(slug).unwrap();
        for (length, indices) in [(4096, 0..60), (16_384, 0..12), (131_072, 0..4)] {
            let mut parrot = 0.0;
            let count = f64::from(indices.end);
            for index in indices {
                let item = item(slug, length, 3, index);
                let best = task.score(&item, &item.references[0]);
                assert_eq!((best.score, best.strict), (1.0, Some(1.0)), "{}: {}", item.id, item.references[0]);
                assert_eq!(task.score(&item, "").score, 0.0);
                assert_eq!(task.score(&item, "I do not know what the annals say of it.").score, 0.0);
                let text = item.joined();
                let tail = &text[text.floor_char_boundary(text.len() - 2000)..];
                parrot += (task.score(&item, &text).score + task.score(&item, tail).score) / 2.0;
                let tokens = longboard_suites::tokens::count(&item.references[0]);
                assert!(tokens < item.output_tokens, "{}: the model answer needs {tokens} tokens", item.id);
            }
            assert!(parrot / count < 0.35, "{slug} {length}: reciting scores {}", parrot / count);
        }
    }
}

#[test]
fn facts_are_many_and_the_reference_states_them_all() {
    for slug in SLUGS {
        for index in 0..12 {
            let item = item(slug, 16_384, 8, index);
            let material = material(&item);
            assert!((3..=24).contains(&material.facts.len()), "{}: {} facts", item.id, material.facts.len());
            let reference = material.reference.clone().unwrap();
            assert_eq!(FactReport::new(&material.facts, &reference).strict, 1.0, "{}", item.id);
            assert_eq!(reference, item.references[0]);
            assert!(
                material.facts.iter().all(|fact| fact.accepted.iter().all(|form| !fact.contradicting.contains(form)))
            );
        }
    }
}

#[test]
fn evidence_is_spread_and_holds_the_answers() {
    for index in 0..8 {
        let item = item("long_span_qa", 65_536, 5, index);
        let text = item.joined();
        assert!(item.needles.len() >= 3, "{}", item.id);
        let spread = item.needles.last().unwrap().depth - item.needles[0].depth;
        assert!(spread > 0.1, "{}: evidence within {spread} of the text", item.id);
        let evidence: String =
            item.needles.iter().map(|needle| format!("{} ", &text[needle.start..needle.end])).collect();
        let values = material(&item).facts.into_iter().flat_map(|fact| fact.accepted);
        let shown = values.filter(|value| evidence.contains(value.as_str()) || text.contains(value.as_str())).count();
        assert_eq!(shown, material(&item).facts.len(), "{}: {evidence}", item.id);
        let question = &text[text.rfind("Question:").unwrap()..];
        assert!(item.references[0].lines().all(|line| !question.contains(line)));
    }
}

#[test]
fn people_act_only_while_they_live() {
    let annals = Annals::new(World::new(4), 9, 200_000);
    assert!(annals.chapters().len() > 8);
    for chapter in annals.chapters() {
        for year in 870..960 {
            for event in chapter.deeds(annals.world(), year) {
                let leader = annals.world().person(event.leader);
                assert!(leader.born + 18 <= year && leader.died >= year);
            }
        }
        for term in &chapter.seals {
            let holder = annals.world().person(term.holder);
            assert!(holder.born + 18 <= term.from && holder.died >= term.to);
        }
        assert!(chapter.seals.windows(2).all(|pair| pair[0].to <= pair[1].from));
    }
}

#[test]
fn a_corpus_is_refused_by_name() {
    let corpus = longboard_suites::haystack::Corpus::new(
        longboard_suites::card::Language::English,
        &"A sentence of a corpus. ".repeat(2000),
    )
    .unwrap();
    for slug in SLUGS {
        let task = Task::find(slug).unwrap();
        let request = ItemRequest { corpus: Some(&corpus), ..ItemRequest::new(1, 0, Length::new(4096).unwrap()) };
        let error = task.item(&request).unwrap_err().to_string();
        assert!(error.contains("without a corpus"), "{error}");
    }
}

/// Win 2, tie 1, loss 0 for the author of the first answer.
fn points(label: Label) -> u8 {
    match label {
        Label::First => 2,
        Label::Tie => 1,
        _ => 0,
    }
}

#[test]
fn no_injection_helps_with_a_built_in_judge() {
    for slug in SLUGS {
        for index in 0..2 {
            let material = material(&item(slug, 8192, 2, index));
            let oracle = material.reference.clone().unwrap();
            let half = oracle[..oracle.floor_char_boundary(oracle.len() / 2)].to_owned();
            let answers = [oracle, half, String::new()];
            for judge in BuiltinJudge::ALL {
                for own in &answers {
                    for other in &answers {
                        let honest = points(judge.compare(&material, own, other).label);
                        for injection in injections() {
                            for planted in [plant(own, injection), format!("{}\n\n{own}", injection.text)] {
                                let there = points(judge.compare(&material, &planted, other).label);
                                let back = points(judge.compare(&material, other, &planted).label.swapped());
                                assert!(
                                    there <= honest && back <= honest,
                                    "{slug} {}: {}",
                                    judge.slug(),
                                    injection.slug
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_fact_store_rates_an_answer_fact_by_fact() {
    let item = item("long_span_qa", 16_384, 17, 0);
    let material = material(&item);
    let store = FactStore::new(material.facts);
    let report = rate(&material.reference.unwrap(), &store);
    assert!(report.count(Support::Supported) >= 3 && report.count(Support::NotSupported) == 0, "{report:?}");
    let padded = rate(&format!("{}\nThe weather was fine.", item.references[0]), &store);
    assert_eq!(padded.count(Support::Irrelevant), report.count(Support::Irrelevant) + 1);
    assert_eq!(padded.f1_at(6), report.f1_at(6));
}
