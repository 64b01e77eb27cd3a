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
    for (length, index) in [(4096, 0), (16384, 1), (1048576, 1)] {
        let t = std::time::Instant::now();
        let item = item("planted_writing", length, index);
        println!("{:?}", t.elapsed());
        let text = item.joined();
        for n in &item.needles {
            println!("{:.2} {}", n.depth, &text[n.start..n.end]);
        }
        println!("{}", &text[text.len() - 400..]);
        println!("-- {}", item.references[0]);
        let task = Task::find("planted_writing").unwrap();
        let t = std::time::Instant::now();
        println!("{:?} echo {:?}", task.score(&item, &item.references[0]), task.score(&item, &text[..3000]));
        println!("{:?}", t.elapsed());
    }
}
