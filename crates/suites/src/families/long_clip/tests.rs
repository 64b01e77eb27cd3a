use super::*;
use crate::families::searched::tests::{head, mean_by_words, searched};
use crate::length::Length;

#[test]
fn captions_are_equal_in_their_first_77_tokens() {
    for length in [256, 1024] {
        let (_, item, documents) = searched("late_detail", length, 4);
        let heads: std::collections::BTreeSet<&str> = documents.iter().map(|(_, text)| head(text, 77)).collect();
        let whole: std::collections::BTreeSet<&str> = documents.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!((heads.len(), whole.len()), (1, documents.len()), "{}", item.id);
    }
}

#[test]
fn the_detail_stands_in_one_caption_at_its_place() {
    let (_, item, documents) = searched("late_detail", 512, 1);
    let needle = &item.joined()[item.needles[0].start..item.needles[0].end];
    let own = &documents.iter().find(|(id, _)| *id == item.references[0]).unwrap().1;
    let start = own.find(needle).unwrap();
    let same_place = documents.iter().filter(|(_, text)| text.get(start..start + needle.len()) == Some(needle)).count();
    assert!(own.contains(needle) && same_place >= 1);
    assert_eq!(item.messages.last().unwrap().content, *own);
    assert!(item.prompt_tokens >= 502, "{}", item.prompt_tokens);
}

#[test]
fn words_alone_hardly_tell_captions_apart() {
    let mean = mean_by_words("late_detail", 512, 10);
    assert!(mean < 0.4, "{mean}");
}

#[test]
fn lengths_are_met_from_256_tokens() {
    for slug in ["late_detail", "caption_to_picture", "picture_to_caption"] {
        let task = Task::find(slug).unwrap();
        for (tokens, index) in [(256, 0), (256, 7), (512, 3), (768, 21)] {
            let item = task.item(&ItemRequest::new(3, index, Length::new(tokens).unwrap())).unwrap();
            assert_eq!(item.prompt_tokens, tokens::count(&item.joined()), "{}", item.id);
            assert!(f64::from(item.prompt_tokens) >= 0.98 * f64::from(tokens), "{}: {}", item.id, item.prompt_tokens);
        }
    }
}

#[test]
fn an_item_names_the_bytes_of_its_picture() {
    let request = ItemRequest::new(9, 2, Length::new(512).unwrap());
    let hexed = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let task = Task::find("picture_to_caption").unwrap();
    let item = task.item(&request).unwrap();
    let Some(Content::Picture(query)) = task.retrieval().unwrap().query(task, &item, 0) else { panic!("no picture") };
    assert!(item.messages[0].content.contains(&hexed(&query)));
    assert!(task.retrieval().unwrap().query(task, &item, 1).is_none());

    let task = Task::find("caption_to_picture").unwrap();
    let item = task.item(&request).unwrap();
    let number = item.references[0][1..].parse().unwrap();
    let document = task.retrieval().unwrap().document(task, &request, 0, number).unwrap();
    let Content::Picture(picture) = document.content else { panic!("no picture") };
    assert!(item.messages[1].content.contains(&hexed(&picture)));
    assert!(
        matches!(task.retrieval().unwrap().query(task, &item, 0), Some(Content::Text(text)) if text.starts_with("Row 1"))
    );
}

#[test]
fn wider_recall_is_shown() {
    let (task, item, documents) = searched("late_detail", 256, 0);
    let mut rankings = retrieval::Rankings::default();
    let place = documents.iter().position(|(id, _)| *id == item.references[0]).unwrap();
    let score = |at: usize| ((at + documents.len() - place + 6) % documents.len()) as f32;
    rankings.push((0..documents.len()).map(|at| (documents[at].0.clone(), -score(at))).collect());
    let scored = task.score(&item, &rankings.write());
    assert!(scored.score == 0.0 && scored.extracted.starts_with("R@1 0; R@5 0; R@10 1\n"), "{}", scored.extracted);
}
