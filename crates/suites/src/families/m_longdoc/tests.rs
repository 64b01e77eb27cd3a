use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::*;
use crate::families::searched::tests::{mean_by_words, searched};
use crate::length::Length;

fn item(slug: &str, length: u32, index: u32) -> (&'static Task, Item) {
    let task = Task::find(slug).unwrap();
    (task, task.item(&ItemRequest::new(31, index, Length::new(length).unwrap())).unwrap())
}

const CHATS: [&str; 7] = [
    "m_longdoc_text",
    "m_longdoc_table",
    "m_longdoc_table_picture",
    "m_longdoc_figure",
    "m_longdoc_gold",
    "m_longdoc_top5",
    "m_longdoc_top10",
];

#[test]
fn pages_cover_the_document_and_one_has_the_evidence() {
    for slug in CHATS {
        for index in 0..6 {
            let (_, item) = item(slug, 8192, index);
            let document = item.document.clone().unwrap();
            let ends: Vec<usize> = item.pages.iter().map(|page| page.bytes.end).collect();
            let starts: Vec<usize> = item.pages.iter().map(|page| page.bytes.start).collect();
            assert_eq!((starts[0], ends[ends.len() - 1]), (document.start, document.end), "{}", item.id);
            assert_eq!(starts[1..], ends[..ends.len() - 1], "{}", item.id);
            let evidence: Vec<_> = item.pages.iter().filter(|page| page.evidence).collect();
            assert_eq!((evidence.len(), item.needles.len()), (1, 1), "{}", item.id);
            assert_eq!(item.gold["evidence_page"], evidence[0].number);
            assert!(evidence[0].bytes.contains(&item.needles[0].start), "{}", item.id);
            let numbers: BTreeSet<u32> = item.pages.iter().map(|page| page.number).collect();
            assert_eq!(numbers.len(), item.pages.len(), "{}", item.id);
        }
    }
}

#[test]
fn pictures_are_drawn_again_to_the_byte() {
    for slug in ["m_longdoc_table_picture", "m_longdoc_figure", "m_longdoc_top5"] {
        let (task, item) = item(slug, 8192, 2);
        let pictured: Vec<_> = item.pages.iter().filter(|page| page.picture.is_some()).collect();
        assert!(!pictured.is_empty(), "{}", item.id);
        for page in pictured {
            let picture = page.picture.as_ref().unwrap();
            let png = task.picture(&item, page.number).unwrap();
            assert_eq!((hex::encode(Sha256::digest(&png)), png.len()), (picture.sha256.clone(), picture.size));
            assert!(page.bytes.contains(&picture.byte) && picture.size < 96 * 1024, "{}", item.id);
        }
        let without = item.pages.iter().find(|page| page.picture.is_none()).unwrap();
        assert_eq!(task.picture(&item, without.number), None);
    }
}

#[test]
fn a_digest_covers_pictures_and_their_places() {
    let (_, item) = item("m_longdoc_figure", 4096, 0);
    let whole = item.prompt_digest();
    let mut other = item.clone();
    let picture = other.pages.iter_mut().find_map(|page| page.picture.as_mut()).unwrap();
    picture.byte += 1;
    assert_ne!(other.prompt_digest(), whole);
    other.pages.clear();
    assert_eq!(other.prompt_digest(), crate::item::prompt_digest(&item.messages));
    assert_ne!(other.prompt_digest(), whole);
}

#[test]
fn without_pictures_nothing_is_sent_as_one_and_with_them_no_cell_is_text() {
    for slug in ["m_longdoc_text", "m_longdoc_table"] {
        assert_eq!(item(slug, 8192, 1).1.pictures().count(), 0);
    }
    let (_, item) = item("m_longdoc_table_picture", 8192, 1);
    assert!(!item.joined().contains(" | ") && item.pictures().count() == 8);
}

#[test]
fn the_answer_follows_from_the_evidence_alone() {
    for index in 0..20 {
        let (_, item) = item("m_longdoc_text", 4096, index);
        let needle = &item.joined()[item.needles[0].start..item.needles[0].end];
        assert!(needle.contains(&item.references[0]) && needle.contains("parish of"), "{needle}");
        let (_, item) = self::item("m_longdoc_table", 4096, index);
        let needle = &item.joined()[item.needles[0].start..item.needles[0].end];
        assert!(needle.contains(&item.references[0]) && needle.contains(" | "), "{needle}");
    }
}

#[test]
fn the_chronicle_tells_of_no_parish() {
    let (_, item) = item("m_longdoc_text", 65_536, 0);
    let text = item.joined();
    // Three sentences on a page of text, one caption on every other.
    let pages = item.pages.len();
    let told = pages / 2 * 3 + pages / 2;
    assert_eq!(text.matches("the parish of ").count(), told + 1);
}

#[test]
fn a_picture_has_no_answer_in_its_words() {
    for index in 0..20 {
        let (_, item) = item("m_longdoc_figure", 4096, index);
        for picture in item.pictures() {
            assert!(picture.alt.starts_with("Figure") || picture.alt.starts_with("Table"), "{}", picture.alt);
        }
        let page = item.pages.iter().find(|page| page.evidence).unwrap();
        let text = item.joined();
        let told = &text[page.picture.as_ref().unwrap().byte - item.needles[0].end + item.needles[0].start..];
        assert!(told.starts_with("Figure"), "{}", &told[..20]);
    }
}

#[test]
fn pages_are_found_by_name() {
    let mean = mean_by_words("m_longdoc_pages", 512, 8);
    assert!(mean > 0.8, "{mean}");
    let (_, item, documents) = searched("m_longdoc_pages", 512, 3);
    let own = &documents.iter().find(|(id, _)| *id == item.references[0]).unwrap().1;
    assert_eq!(item.messages.last().unwrap().content, *own);
    assert_eq!(item.needles.len(), 1, "{}", item.id);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn any_item_has_its_length_and_an_oracle(seed in 0_u64..1000, index in 0_u32..40, which in 0_usize..7) {
        let task = Task::find(CHATS[which]).unwrap();
        let length = Length::new(task.card().min_tokens.max(4096)).unwrap();
        let item = task.item(&ItemRequest::new(seed, index, length)).unwrap();
        let used = f64::from(item.prompt_tokens + item.output_tokens) / f64::from(length.tokens());
        proptest::prop_assert!((0.98..=1.0).contains(&used), "{}: {}", item.id, used);
        let scored = task.score(&item, &task.family().oracle(task, &item));
        proptest::prop_assert_eq!((scored.score, scored.strict), (1.0, Some(1.0)));
        let sentence = format!("It was {}, as page {} says.", item.references[0], item.gold["evidence_page"]);
        proptest::prop_assert_eq!(task.score(&item, &sentence).score, 1.0);
    }
}
