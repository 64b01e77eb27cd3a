use std::collections::BTreeSet;

use super::*;
use crate::strategy::cook::KnowledgeCard;
use crate::strategy::{Bm25, Means, answer_with};

/// Thirty slices of 64 tokens and more: six cards and more of five samples.
fn document() -> String {
    prose(0..120) + "The seal passed to Oro. " + &prose(120..150)
}

const SMALL: (&str, f64) = ("slice", 64.0);

/// Writes a passage of its own for every slice, and shortens by name.
fn knows(prompt: &str) -> String {
    if let Some((_, long)) = prompt.split_once("with names and numbers as they are written.\n\n") {
        return format!("short: {}", long.get(..20).unwrap());
    }
    match prompt.contains("what this text says") {
        true => format!("The seal: {}", between(prompt, "<text>", "</text>").split(". ").next().unwrap_or_default()),
        false => "Oro".to_owned(),
    }
}

#[tokio::test]
async fn five_samples_a_card_then_twenty_then_five() {
    let (model, prompts) = model(knows);
    let answered = run("cook", &[SMALL], &model, &document()).await;
    let reports = &answered.metered.reports;
    let samples = sent(&prompts).iter().filter(|prompt| prompt.contains("what this text says")).count();
    assert!(reports["cards"] >= 6.0);
    assert_eq!(samples, reports["sampled"] as usize);
    // The last card may have fewer slices.
    assert!(samples as f64 > (reports["cards"] - 1.0) * 5.0 && samples as f64 <= reports["cards"] * 5.0);
    assert_eq!((reports["relevant"], reports["kept"]), (20.0, 5.0));
}

#[tokio::test]
async fn knowledge_precedes_the_prompt_and_the_document_is_gone() {
    let (model, prompts) = model(knows);
    run("cook", &[SMALL], &model, &document()).await;
    let last = sent(&prompts).pop().unwrap();
    let (knowledge, prompt) = last.split_once("\n\n").unwrap();
    assert_eq!(knowledge.matches("The seal: ").count(), 5);
    assert_eq!(prompt, format!("{HEAD}{TAIL}"));
    assert!(!last.contains(&prose(3..4)));
}

#[tokio::test]
async fn the_draw_repeats_by_seed() {
    let mut drawn = Vec::new();
    for seed in [1, 1, 2, 3, 4] {
        let (model, prompts) = model(knows);
        let document = document();
        answer(&strategy("cook", &[SMALL]), &model, &Asked { seed, ..asked(&document) }).await.unwrap();
        drawn.push(sent(&prompts).pop().unwrap());
    }
    assert_eq!(drawn[0], drawn[1]);
    assert!(drawn.iter().collect::<BTreeSet<_>>().len() > 2);
}

#[tokio::test]
async fn long_passages_are_shortened_and_none_is_left_out() {
    let long = |prompt: &str| match prompt.contains("what this text says") {
        true if prompt.contains("Oro") => format!("The seal passed to Oro. {}", "It was so. ".repeat(20)),
        true => "NONE".to_owned(),
        false => knows(prompt),
    };
    let (model, prompts) = model(long);
    let answered = run("cook", &[SMALL], &model, &document()).await;
    assert_eq!(answered.metered.reports["relevant"], 1.0);
    let sent = sent(&prompts);
    // One passage, drawn five times and shortened once.
    let shortened = sent.iter().filter(|prompt| prompt.contains("one sentence of at most")).count();
    assert_eq!(shortened, 1);
    assert_eq!(sent.last().unwrap().matches("short: The seal passed").count(), 5);
}

#[tokio::test]
async fn registered_cards_are_asked_and_the_document_stays() {
    let (main, prompts) = model(|_| "Oro".to_owned());
    let (history, history_prompts) = model(|_| "Seals are history.".to_owned());
    let (cooking, cooking_prompts) = model(|_| "The seal is no dish.".to_owned());
    let knowledge = [
        KnowledgeCard { name: "seals and charters".to_owned(), model: &history },
        KnowledgeCard { name: "cooking".to_owned(), model: &cooking },
    ];
    let means = Means { retriever: &Bm25, knowledge: &knowledge };
    let document = document();
    let answered = answer_with(&strategy("cook", &[]), &main, &means, &asked(&document)).await.unwrap();
    assert_eq!((sent(&history_prompts).len(), sent(&cooking_prompts).len(), sent(&prompts).len()), (5, 5, 1));
    let different: BTreeSet<String> = sent(&history_prompts).into_iter().collect();
    assert_eq!(different.len(), 5, "greedy samples differ by their prompts alone");
    let last = sent(&prompts).pop().unwrap();
    assert!(last.starts_with("Knowledge: ") && last.ends_with(&format!("\n\n{HEAD}{document}{TAIL}")));
    assert_eq!((answered.metered.reports["cards"], answered.metered.calls), (2.0, 11));
    // Top-down asks the card whose name is most like what is wanted.
    let (main, _) = model(|prompt| match prompt {
        prompt if prompt.contains("What kind") => "charters".to_owned(),
        prompt if prompt.contains("(Yes or No)") && !prompt.contains("history") => "Yes".to_owned(),
        _ => "No".to_owned(),
    });
    let means = Means { retriever: &Bm25, knowledge: &knowledge };
    let strategy = strategy("cook", &[("top-down", 1.0)]);
    let answered = answer_with(&strategy, &main, &means, &asked(&document)).await.unwrap();
    assert_eq!((sent(&history_prompts).len(), sent(&cooking_prompts).len()), (10, 5));
    assert_eq!(answered.metered.reports["rounds"], 2.0);
}

/// Always wants more, or says no from the round on.
fn wants(no_from: usize) -> impl Fn(&str) -> String + Send + 'static {
    let rounds = std::sync::atomic::AtomicUsize::new(0);
    move |prompt| match prompt {
        prompt if prompt.contains("(Yes or No)") => {
            let round = rounds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if round >= no_from { "No, that is all.".to_owned() } else { "Yes".to_owned() }
        }
        prompt if prompt.contains("What kind of information") => "who took the seal".to_owned(),
        prompt => knows(prompt),
    }
}

#[tokio::test]
async fn top_down_stops_at_no_and_after_four_rounds() {
    for (no_from, rounds, kept) in [(0, 1.0, 0.0), (2, 3.0, 2.0), (99, 4.0, 4.0)] {
        let (model, prompts) = model(wants(no_from));
        let answered = run("cook", &[SMALL, ("top-down", 1.0)], &model, &document()).await;
        let (sent, reports) = (sent(&prompts), &answered.metered.reports);
        let asked = sent.iter().filter(|prompt| prompt.contains("(Yes or No)")).count();
        assert_eq!((asked as f64, reports["rounds"], reports["kept"]), (rounds, rounds, kept), "no from {no_from}");
        let last = sent.last().unwrap();
        assert_eq!(last.matches("The seal: ").count() as f64, kept);
        assert!(last.ends_with(&format!("{HEAD}{TAIL}")));
        // The question of each round sees what was found before.
        let known: Vec<usize> = sent
            .iter()
            .filter(|prompt| prompt.contains("(Yes or No)"))
            .map(|prompt| prompt.matches("The seal: ").count())
            .collect();
        assert_eq!(known, (0..known.len()).collect::<Vec<_>>());
    }
}
