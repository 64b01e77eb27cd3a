use super::*;
use crate::families::searched::tests::{by_words, mean_by_words, searched};

#[test]
fn a_third_chooses_the_threshold_and_the_rest_is_scored() {
    let (task, item, _) = searched("newswire_dedup", 2048, 1);
    let events = events(&item);
    // Linked right among the first third only, every other article alone.
    let mut rankings = Rankings::default();
    for own in 0..events.len() {
        let near = |other: usize| if own.max(other) < 12 && events[own] == events[other] { 1.0 } else { 0.0 };
        rankings.push((0..ARTICLES).map(|other| (document_id(other), near(other as usize))).collect());
    }
    let scored = task.score(&item, &rankings.write());
    assert_eq!((scored.score, scored.strict), (0.0, Some(0.0)));
    assert!(scored.extracted.starts_with("linked from a cosine of 0.5000"), "{}", scored.extracted);
    let dev: std::collections::BTreeSet<i64> = events[..12].iter().copied().collect();
    assert!(events[12..].iter().all(|event| !dev.contains(event)));
}

#[test]
fn a_shifted_scale_is_made_up_for_by_the_threshold_only_in_the_official_form() {
    let (task, item, _) = searched("newswire_dedup", 2048, 2);
    let events = events(&item);
    let mut rankings = Rankings::default();
    for own in &events {
        let near = |other: usize| if *own == events[other] { 0.7 } else { 0.6 };
        rankings.push((0..ARTICLES).map(|other| (document_id(other), near(other as usize))).collect());
    }
    let scored = task.score(&item, &rankings.write());
    assert_eq!((scored.score, scored.strict), (1.0, Some(0.0)));
}

#[test]
fn copies_are_noisy_and_still_alike() {
    let (task, item, documents) = searched("newswire_dedup", 4096, 0);
    let texts: std::collections::BTreeSet<&String> = documents.iter().map(|(_, text)| text).collect();
    assert_eq!(texts.len(), documents.len());
    assert_eq!(
        retrieval::queries(&item).collect::<Vec<_>>(),
        documents.iter().map(|(_, text)| text).collect::<Vec<_>>()
    );
    let scored = task.score(&item, &by_words(&item, &documents).write());
    assert!(scored.score > 0.3, "{}", scored.score);
}

#[test]
fn front_pages_carry_other_headlines_of_the_event() {
    let (_, item, documents) = searched("headline_similarity", 1024, 3);
    let query = &item.messages[0].content;
    assert_eq!((item.references.len(), item.needles.len()), (3, 1));
    assert!(documents.iter().all(|(_, text)| !text.contains(query.as_str())));
    let needle = &item.joined()[item.needles[0].start..item.needles[0].end];
    let carrying: Vec<&String> = documents.iter().filter(|(_, text)| text.contains(needle)).map(|(id, _)| id).collect();
    assert!(carrying.len() == 1 && item.references.contains(carrying[0]), "{needle}: {carrying:?}");
}

#[test]
fn words_in_common_find_front_pages() {
    let mean = mean_by_words("headline_similarity", 1024, 8);
    assert!(mean > 0.3, "{mean}");
}
