use super::*;

const FACTS: [&str; 2] = ["The seal passed to Oro.", "Edda took the seal from Oro."];

fn document() -> String {
    format!("{}{} {}{} {}", prose(0..50), FACTS[0], prose(50..80), FACTS[1], prose(80..90))
}

/// Quotes both facts the other way round with one of its own between.
fn retrieves(prompt: &str) -> String {
    match prompt.contains("Copy from the text") {
        true => format!("- {}\n- The seal was lost in the river.\n- \"{}\"", FACTS[1], FACTS[0]),
        false => "Edda".to_owned(),
    }
}

#[tokio::test]
async fn facts_that_the_text_lacks_are_counted_and_dropped_on_demand() {
    for (grounded, third) in [(0.0, true), (1.0, false)] {
        let (model, prompts) = model(retrieves);
        let answered = run("alr2", &[("grounded", grounded)], &model, &document()).await;
        let sent = sent(&prompts);
        assert_eq!(sent.len(), 2);
        assert!(sent[0].contains(document().trim()));
        assert!((answered.metered.reports["hallucinated_fact_rate"] - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(sent[1].contains("lost in the river"), third);
        // In the order in which they were given.
        assert!(sent[1].find(FACTS[1]).unwrap() < sent[1].find(FACTS[0]).unwrap());
    }
}

#[tokio::test]
async fn the_second_prompt_holds_nothing_else_of_the_text() {
    let (model, prompts) = model(retrieves);
    run("alr2", &[("grounded", 1.0)], &model, &document()).await;
    assert_eq!(sent(&prompts)[1], format!("{HEAD}{}\n{}{TAIL}", FACTS[1], FACTS[0]));
}

#[tokio::test]
async fn a_reply_with_the_whole_text_is_cut_to_the_bound() {
    let document = prose(0..400);
    let text = document.replace(". ", ".\n");
    let (model, prompts) = model(move |prompt| if prompt.contains("Copy") { text.clone() } else { "Edda".to_owned() });
    run("alr2", &[("fact-tokens", 256.0)], &model, &document).await;
    assert!(tokens::count(&sent(&prompts)[1]) < 256 + 32);
}

#[tokio::test]
async fn without_a_fact_the_whole_prompt_is_sent() {
    for (reply, grounded) in [("NONE", 0.0), ("", 0.0), ("- none.\n", 1.0), ("The seal was lost.", 1.0)] {
        let (model, prompts) = model(move |_| reply.to_owned());
        let answered = run("alr2", &[("grounded", grounded)], &model, &document()).await;
        assert_eq!(sent(&prompts)[1], format!("{HEAD}{}{TAIL}", document()));
        assert_eq!(answered.metered.reports["fell_back"], 1.0);
    }
}
