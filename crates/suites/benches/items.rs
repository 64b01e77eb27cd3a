//! How much processor time a sample takes to build, by task and length.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod processor_time;

use criterion::measurement::WallTime;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use longboard_suites::card::Language;
use longboard_suites::haystack::Haystack;
use longboard_suites::length::Length;
use longboard_suites::task::{ItemRequest, Task};
use longboard_suites::tokens;
use longboard_suites::world::World;
use mimalloc::MiMalloc;
use processor_time::ProcessorTime;

/// As in the worker: it keeps the pages of texts that come and go.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn items(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("item");
    group.sample_size(10);
    for (slug, lengths) in [
        ("niah_single_1", &["128k", "1m"][..]),
        ("niah_single_2", &["4k", "128k", "1m"]),
        ("niah_multikey_2", &["128k", "1m"]),
        ("niah_multikey_3", &["128k", "1m"]),
        ("vt", &["128k", "1m"]),
        ("cwe", &["128k", "1m"]),
        ("fwe", &["128k", "1m"]),
        ("needle_threading_single", &["128k", "1m"]),
        ("qa_1", &["128k", "1m"]),
        ("needlebench_mrt_en", &["128k", "1m"]),
        ("needlebench_srt_zh", &["128k", "1m"]),
        ("needlebench_atc_en", &["128k", "1m"]),
    ] {
        let task = Task::find(slug).unwrap();
        for length in lengths {
            let length: Length = length.parse().unwrap();
            let mut index = 0;
            group.bench_function(format!("{slug}/{length}"), |bencher| {
                bencher.iter_batched(
                    || {
                        index += 1;
                        ItemRequest::new(42, index, length)
                    },
                    |request| task.item(&request).unwrap(),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn passages(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("passage");
    group.sample_size(10);
    for language in [Language::English, Language::Chinese] {
        group.bench_function(format!("{}/128k", language.code()), |bencher| {
            bencher.iter(|| World::new(7).haystack(language).passage(1, 128 * 1024).unwrap());
        });
        let text = World::new(7).haystack(language).passage(1, 128 * 1024).unwrap().text;
        group.bench_function(format!("{}/128k encoded for comparison", language.code()), |bencher| {
            bencher.iter(|| tokens::count(&text));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime(WallTime));
    targets = items, passages
}
criterion_main!(benches);
