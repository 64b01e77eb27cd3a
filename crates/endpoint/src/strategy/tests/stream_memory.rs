use super::*;
use crate::strategy::Bm25;
use crate::strategy::stream_memory::{encode, recall};

/// Notes of one length, numbered by the characters where the segment begins; the indicator is the segment's third word.
fn notes(prompt: &str) -> String {
    if !prompt.contains("INDICATOR") {
        return "Oro".to_owned();
    }
    let (segment, start) = (between(prompt, "<text>", "</text>"), between(prompt, "Characters", "-"));
    let about = if segment.contains("seal") { "who took the seal" } else { "mills" };
    format!("Note {:0>8}.\nINDICATOR: {about}", start)
}

const SEGMENTS: [(&str, f64); 1] = [("segment", 64.0)];

fn starts(prompt: &str) -> Vec<u64> {
    prompt.match_indices("Note ").map(|(at, _)| prompt.get(at + 5..at + 13).unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_length_of_the_last_prompt_does_not_depend_on_the_document() {
    let mut lengths = Vec::new();
    for sentences in [60, 240, 960] {
        let (model, prompts) = model(notes);
        let answered = run("stream-memory", &SEGMENTS, &model, &prose(0..sentences)).await;
        let sent = sent(&prompts);
        assert_eq!(answered.metered.reports["segments"] as usize + 1, sent.len());
        lengths.push((sent.last().unwrap().len(), tokens::count(sent.last().unwrap())));
        let longest = sent.iter().map(|prompt| tokens::count(prompt)).max().unwrap();
        assert!(longest < 64 + 256, "{longest}");
    }
    assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{lengths:?}");
}

#[tokio::test]
async fn segments_are_read_in_order_with_the_notes_so_far() {
    let (model, prompts) = model(notes);
    let document = prose(0..40);
    run("stream-memory", &SEGMENTS, &model, &document).await;
    let sent = sent(&prompts);
    let (last, readings) = sent.split_last().unwrap();
    let read: String = readings.iter().map(|prompt| format!("{} ", between(prompt, "<text>", "</text>"))).collect();
    assert_eq!(read, document);
    assert!(readings[0].contains("(none yet)"));
    for pair in readings.windows(2) {
        let start: u64 = between(&pair[0], "Characters", "-").parse().unwrap();
        assert_eq!(starts(between(&pair[1], "<notes>", "</notes>")), [start]);
    }
    assert!(!last.contains("ground"), "the last prompt holds notes alone");
}

#[tokio::test]
async fn the_notes_that_fit_the_question_are_read_in_order() {
    let seal = "The seal passed on. ";
    let document = prose(0..20) + seal + &prose(20..60) + seal + &prose(60..90);
    let (model, prompts) = model(notes);
    run("stream-memory", &[("segment", 64.0), ("selected", 2.0)], &model, &document).await;
    let sent = sent(&prompts);
    let (last, readings) = sent.split_last().unwrap();
    let start = |prompt: &String| between(prompt, "Characters", "-").parse::<u64>().unwrap();
    let mut expected: Vec<u64> =
        readings.iter().filter(|prompt| between(prompt, "<text>", "</text>").contains("seal")).map(start).collect();
    assert_eq!(expected.len(), 2);
    expected.push(start(readings.last().unwrap()));
    assert_eq!(starts(last), expected);
}

#[tokio::test]
async fn all_notes_are_read_where_there_are_no_more_than_selected() {
    let (model, prompts) = model(notes);
    run("stream-memory", &[("segment", 64.0), ("selected", 99.0)], &model, &prose(0..60)).await;
    let sent = sent(&prompts);
    let (last, readings) = sent.split_last().unwrap();
    let read = starts(last);
    assert_eq!(read.len(), readings.len());
    assert!(read.is_sorted());
}

#[tokio::test]
async fn a_second_question_reads_no_segment_again() {
    let (model, prompts) = model(notes);
    let document = prose(0..60);
    let strategy = strategy("stream-memory", &SEGMENTS);
    let (notes, metered) = encode(&strategy, &model, &document).await.unwrap();
    let readings = sent(&prompts).len();
    assert_eq!(metered.calls as usize, readings);
    assert_eq!(notes.segments.len(), readings);
    for question in ["\n\nWho?", "\n\nWhere?"] {
        let asked = Asked { tail: question, ..asked(&document) };
        let answered = recall(&strategy, &model, &Bm25, &notes, &asked).await.unwrap();
        assert_eq!(answered.metered.calls, 1);
    }
    assert_eq!(sent(&prompts).len(), readings + 2);
}

#[tokio::test]
async fn notes_of_any_length_are_cut() {
    let (model, prompts) = model(|_| "Oro had the seal. ".repeat(5000));
    let answered = run("stream-memory", &[("segment", 64.0), ("memory", 32.0)], &model, &prose(0..60)).await;
    let sent = sent(&prompts);
    assert!(sent.iter().all(|prompt| tokens::count(prompt) < 64 + 5 * 48 + 160));
    assert_eq!(answered.metered.reports["missing_indicators"], answered.metered.reports["segments"]);
}
