//! Every family: an oracle that scores in full, a floor, and a guesser whose mean is what theory says.
#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test may panic")]

use std::collections::BTreeSet;

use longboard_suites::families;
use longboard_suites::length::Length;
use longboard_suites::rng::Rng;
use longboard_suites::task::{ItemRequest, Task};

fn shortest(task: &Task) -> u32 {
    task.card().min_tokens.max(1024)
}

fn request(task: &Task, index: u32) -> ItemRequest<'static> {
    ItemRequest::new(23, index, Length::new(shortest(task)).unwrap())
}

#[test]
fn every_family_has_a_task_and_a_citation() {
    let with_tasks: BTreeSet<&str> = Task::builtin().iter().map(|task| task.definition().family.as_str()).collect();
    for family in families::all() {
        assert!(with_tasks.contains(family.slug()), "{} has no built-in task", family.slug());
        for definition in family.tasks() {
            let slug = definition.slug.clone();
            let task = Task::new(definition).unwrap_or_else(|error| panic!("{slug}: {error}"));
            assert!(!task.card().citation.is_empty() && !task.card().abilities.is_empty(), "{slug}");
        }
    }
}

#[test]
fn an_oracle_scores_in_full_and_silence_scores_nothing() {
    for task in Task::builtin() {
        for index in 0..6 {
            let item = task.item(&request(task, index)).unwrap();
            let answer = task.family().oracle(task, &item);
            let best = task.score(&item, &answer);
            assert!((best.score - 1.0).abs() < 1e-6, "{}: {} for {answer:?}", item.id, best.score);
            assert!(best.well_formed, "{}: {answer:?}", item.id);
            assert!(best.strict.is_none_or(|strict| (strict - 1.0).abs() < 1e-6), "{}: {:?}", item.id, best.strict);
            for nothing in ["", " \n\t"] {
                let floor = task.score(&item, nothing);
                assert!(floor.strict.unwrap_or(floor.score) <= 0.0 && !floor.well_formed, "{}: {floor:?}", item.id);
            }
        }
    }
}

#[test]
fn a_guesser_scores_what_theory_says() {
    for task in Task::builtin() {
        let mut rng = Rng::from_path(&[Rng::name(task.slug()), 5]);
        let (mut scores, mut expected) = (Vec::new(), 0.0);
        for index in 0..10 {
            let item = task.item(&request(task, index)).unwrap();
            for _ in 0..60 {
                let guess = task.family().guess(task, &item, &mut rng);
                scores.push(task.score(&item, &guess).score);
                expected += task.family().chance(task, &item);
            }
        }
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let expected = expected / n;
        let error = (variance.max(expected * (1.0 - expected)) / n).sqrt();
        assert!(
            (mean - expected).abs() <= 4.0 * error + 0.005,
            "{}: guesses score {mean:.3}, theory says {expected:.3}",
            task.slug()
        );
    }
}
