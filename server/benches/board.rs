//! Putting a board of 200 entries and 12 columns together from what is kept in memory.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use criterion::{Criterion, criterion_group, criterion_main};
use longboard_protocol::board::{Board, BoardRow, BoardTask, Cell, Columns, EffectiveLength};
use longboard_server::pages::board::Table;

fn board() -> Board {
    let lengths: Vec<String> = (0..12).map(|power| format!("{}k", 1 << power)).collect();
    let cell = |entry: usize, place: usize| Cell {
        score: Some(f64::from(((entry * 7919 + place * 104_729) % 1000) as u32) / 10.0),
        n: 100,
        expected: 100,
        ci95: Some([10.0, 90.0]),
        outcomes: BTreeMap::new(),
        whole: None,
    };
    let row = |entry: usize| BoardRow {
        entry: format!("contestant-{entry}"),
        name: format!("Contestant {entry}"),
        kind: "endpoint".to_owned(),
        team: "team".to_owned(),
        score: cell(entry, 0).score,
        ci95: Some([10.0, 90.0]),
        complete: true,
        rank: Some([1, 200]),
        p_best: Some(0.005),
        more_to_separate: Some(40),
        aggregates: None,
        effective_length: EffectiveLength {
            point: Some("32k".to_owned()),
            certified: Some("16k".to_owned()),
            ..EffectiveLength::default()
        },
        by_length: lengths.iter().enumerate().map(|(place, length)| (length.clone(), cell(entry, place))).collect(),
        by_task: BTreeMap::new(),
        cells: BTreeMap::new(),
        flags: Vec::new(),
        run: None,
    };
    Board {
        slug: "bench".to_owned(),
        title: "Bench".to_owned(),
        snapshot: "0".repeat(64),
        published_at: chrono::DateTime::UNIX_EPOCH,
        suite: "bench".to_owned(),
        columns: Columns::Lengths,
        tasks: vec![BoardTask {
            slug: "vt".to_owned(),
            title: "vt".to_owned(),
            family: "ruler_vt".to_owned(),
            languages: vec!["en".to_owned()],
            metric: "m".to_owned(),
            dial: None,
        }],
        rows: (0..200).map(row).collect(),
        notes: Vec::new(),
        dials: Vec::new(),
        rank_critical: Some(4.0),
        lengths,
    }
}

fn render(criterion: &mut Criterion) {
    let board = Arc::new(board());
    let table = Table::new(Arc::clone(&board), "A board.").unwrap();
    criterion.bench_function("a page from kept rows, 200 x 12", |bencher| {
        bencher.iter(|| table.published().render().unwrap().len());
    });
    criterion.bench_function("formatting all rows, once per edition, 200 x 12", |bencher| {
        bencher.iter(|| Table::new(Arc::clone(&board), "A board.").unwrap());
    });
}

criterion_group!(benches, render);
criterion_main!(benches);
