//! The bytes that a text says it takes are those that it holds.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

use longboard_refmodel::checkpoint::Checkpoint;
use longboard_refmodel::model::Model;
use longboard_refmodel::policy::Card;

/// The system's allocator, which counts what is held.
struct Counting;

static HELD: AtomicI64 = AtomicI64::new(0);

#[expect(unsafe_code, reason = "an allocator that hands everything on")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn model(checkpoint: &Checkpoint, slug: &str) -> Model {
    let card = Card::find(slug).unwrap();
    let given = match slug {
        "squeezed" => vec![("iterations".to_owned(), 3.0)],
        // So small that its pages of means are full ones.
        "longmem" => vec![("window".to_owned(), 256.0)],
        _ => Vec::new(),
    };
    let Checkpoint { decoder, tokenizer } = checkpoint.clone();
    Model::new(decoder, tokenizer, card.build(&card.settings(&given).unwrap()))
}

#[test]
fn what_is_held_is_what_is_counted_within_a_twentieth() {
    let checkpoint = Checkpoint::builtin().unwrap();
    let ids: Vec<u32> = (0..2800).map(|place| 300 + place * 7 % 500).collect();
    for slug in ["dense", "quest", "lserve", "moba", "longheads", "longmem", "retrolm", "squeezed", "infiniretri"] {
        let model = model(&checkpoint, slug);
        // Once for what threads and the model itself allocate at their first use.
        let _ = model.prefill(&mut model.sequence(), &ids).unwrap();
        let before = HELD.load(Ordering::Relaxed);
        let mut sequence = model.sequence();
        let logits = model.prefill(&mut sequence, &ids).unwrap();
        let held = HELD.load(Ordering::Relaxed) - before - (logits.capacity() * size_of::<f32>()) as i64;
        let counted = sequence.bytes() as i64;
        assert!((held - counted).abs() * 20 < counted, "{slug}: {counted} counted, {held} held");
    }
}
