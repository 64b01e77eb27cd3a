//! Open-ended families: oracle and floor, evidence in place, judges on real items.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic")]

use longboard_suites::item::Item;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};

fn item(slug: &str, length: u32, index: u32) -> Item {
    let request = ItemRequest { seed: 17, index, length: Length::new(length).unwrap(), corpus: None };
    Task::find(slug).unwrap().item(&request).unwrap()
}

#[test]
fn show() {
    for (length, index) in [(4096, 0), (4096, 1), (4096, 2), (4096, 3), (16384, 3), (131072, 1), (1048576, 1)] {
        let t = std::time::Instant::now();
        let item = item("long_span_qa", length, index);
        let text = item.joined();
        println!(
            "{} {} {:?} needles {} {:?}",
            item.id,
            item.prompt_tokens,
            t.elapsed(),
            item.needles.len(),
            item.needles.iter().map(|n| (n.depth * 100.).round()).collect::<Vec<_>>()
        );
        if length == 4096 {
            println!("{}", &text[..1500]);
        }
        println!("{}", &text[text.len() - 700..]);
        println!("-- {}", item.references[0]);
        let task = Task::find("long_span_qa").unwrap();
        println!("{:?} echo {:?}", task.score(&item, &item.references[0]), task.score(&item, &text));
        let t = std::time::Instant::now();
        task.score(&item, "x");
        println!("score {:?}", t.elapsed());
        if length == 4096 {
            continue;
        }
        for f in task.open_ended(&item).unwrap().facts {
            println!("  {} {:?} {:?} {}", f.statement, f.anchors, f.accepted, f.contradicting.len());
        }
    }
}
