//! Parallel windows, and quote and carry.

use super::*;

const ORO: &str = "The seal passed to Oro.";
const EDDA: &str = "Edda took the seal from Oro.";

fn document() -> String {
    format!("{}{ORO} {}{EDDA} {}", prose(0..30), prose(30..60), prose(60..80))
}

/// Says who took the seal where a window tells it.
fn part(prompt: &str) -> String {
    if !prompt.contains("one part of a longer one") {
        return "Edda".to_owned();
    }
    let text = between(prompt, "<text>", "</text>");
    [("Oro", ORO), ("Edda", EDDA)]
        .iter()
        .find(|(_, told)| text.contains(told))
        .map_or("NONE.", |(name, _)| name)
        .to_owned()
}

#[tokio::test]
async fn every_window_is_answered_once_and_a_last_call_merges() {
    let (model, prompts) = model(part);
    let document = document();
    let answered = run("parallel-windows", &[("window", 128.0)], &model, &document).await;
    let sent = sent(&prompts);
    let (last, windows) = sent.split_last().unwrap();
    assert_eq!(answered.metered.reports["windows"] as usize, windows.len());
    assert_eq!(answered.metered.reports["silent_windows"] as usize, windows.len() - 2);
    let read: String = windows.iter().map(|prompt| format!("{} ", between(prompt, "<text>", "</text>"))).collect();
    assert_eq!(read, document);
    assert!(windows.iter().all(|prompt| prompt.contains("Who took the seal?") && tokens::count(prompt) < 128 + 128));
    let holds = |told: &str| windows.iter().position(|prompt| prompt.contains(told)).unwrap() + 1;
    let answers = format!("Part {}: Oro\n\nPart {}: Edda", holds(ORO), holds(EDDA));
    assert!(last.contains(&answers) && !last.contains("NONE") && !last.contains("ground"), "{last}");
    assert_eq!(answered.reply.text, "Edda");
}

#[tokio::test]
async fn one_window_is_the_plain_prompt() {
    let (model, prompts) = model(part);
    run("parallel-windows", &[], &model, &document()).await;
    assert_eq!(sent(&prompts), [format!("{HEAD}{}{TAIL}", document())]);
}

#[tokio::test]
async fn answers_that_are_merged_share_the_budget() {
    let (model, prompts) = model(|_| "Oro and ".repeat(60));
    run("parallel-windows", &[("window", 64.0), ("merge", 128.0)], &model, &prose(0..100)).await;
    let last = sent(&prompts).pop().unwrap();
    let parts = last.matches("\nPart ").count() as u32;
    assert!(parts > 10 && tokens::count(&last) < 128 + parts * 6 + 64, "{last}");
}

/// Quotes the sentences with the seal, and one that nobody wrote.
fn quote(prompt: &str) -> String {
    if !prompt.contains("Copy from the text") {
        return "Edda".to_owned();
    }
    let text = between(prompt, "<text>", "</text>");
    let quoted = [ORO, EDDA].into_iter().filter(|told| text.contains(told)).collect::<Vec<_>>().join("\n");
    if quoted.is_empty() { "NONE".to_owned() } else { format!("{quoted}\nThe seal was lost.") }
}

#[tokio::test]
async fn quotes_are_carried_from_window_to_window() {
    let (model, prompts) = model(quote);
    let answered = run("quote-and-carry", &[("window", 128.0)], &model, &document()).await;
    let sent = sent(&prompts);
    let (last, windows) = sent.split_last().unwrap();
    assert_eq!(answered.metered.reports["windows"] as usize, windows.len());
    assert_eq!(*last, format!("{HEAD}{ORO}\n{EDDA}{TAIL}"));
    let from = windows.iter().position(|prompt| prompt.contains(ORO)).unwrap();
    assert!(windows.iter().skip(from).all(|prompt| between(prompt, "<text>", "</text>").contains(ORO)));
    assert!(windows.iter().skip(from + 1).all(|prompt| between(prompt, "<text>", "</text>").starts_with(ORO)));
    // One invented beside the first, then one beside the two from the next windows on.
    let rate = answered.metered.reports["hallucinated_quote_rate"];
    assert!((0.3..=0.5).contains(&rate), "{rate}");
    assert_eq!(answered.metered.reports["quotes"], 2.0);
}

#[tokio::test]
async fn what_is_carried_stays_within_its_bound() {
    // Quotes all that it reads.
    let (model, prompts) = model(|prompt| between(prompt, "<text>", "</text>").replace(". ", ".\n"));
    run("quote-and-carry", &[("window", 256.0), ("carry", 64.0)], &model, &prose(0..120)).await;
    let sent = sent(&prompts);
    let (last, windows) = sent.split_last().unwrap();
    assert!(windows.iter().all(|prompt| tokens::count(prompt) < 256 + 64 + 128));
    assert!(tokens::count(last) < 64 + 32);
}
