//! Scores along a dial: the tasks of a family that differ in one number only, such as how many documents hold a fact.

use std::collections::BTreeMap;

use longboard_protocol::board::{BoardRow, BoardTask, DialCurve, DialLine, DialScore, Slope};
use longboard_stats::slope::{Share, logit_slope};

use crate::board::BoardEntry;
use crate::sums::Sums;

/// Places below which there is no curve.
const PLACES: usize = 2;

/// One curve per family of which the suite holds several places and anybody has samples; lines are in the order of `rows`.
pub(crate) fn curves(tasks: &[BoardTask], entries: &[BoardEntry], rows: &[BoardRow]) -> Vec<DialCurve> {
    let mut families: BTreeMap<(&str, &str), BTreeMap<u32, Vec<&str>>> = BTreeMap::new();
    for task in tasks {
        if let Some(dial) = &task.dial {
            let places = families.entry((task.family.as_str(), dial.title.as_str())).or_default();
            places.entry(dial.value).or_default().push(task.slug.as_str());
        }
    }
    let ordered: Vec<&BoardEntry> =
        rows.iter().filter_map(|row| entries.iter().find(|entry| entry.entry == row.entry)).collect();
    families
        .into_iter()
        .filter(|(_, places)| places.len() >= PLACES)
        .map(|((family, title), places)| DialCurve {
            title: title.to_owned(),
            family: family.to_owned(),
            lines: ordered.iter().map(|entry| line(entry, &places)).filter(|line| !line.points.is_empty()).collect(),
        })
        .filter(|curve| !curve.lines.is_empty())
        .collect()
}

fn line(entry: &BoardEntry, places: &BTreeMap<u32, Vec<&str>>) -> DialLine {
    let pooled: Vec<(u32, Sums)> = places.iter().map(|(value, tasks)| (*value, pool(entry, tasks))).collect();
    let shares: Vec<Share> = pooled
        .iter()
        .map(|(value, sums)| Share { x: f64::from((*value).max(1)).log2(), successes: sums.sum, n: sums.n })
        .collect();
    DialLine {
        entry: entry.entry.clone(),
        name: entry.name.clone(),
        points: pooled.iter().filter_map(|(value, sums)| score(*value, sums)).collect(),
        slope: logit_slope(&shares).ok().map(|slope| Slope { per_doubling: slope.value, ci95: slope.ci95 }),
    }
}

/// All samples of some tasks, of all lengths.
fn pool(entry: &BoardEntry, tasks: &[&str]) -> Sums {
    let own = entry.cells.iter().filter(|((task, _), _)| tasks.contains(&task.as_str()));
    own.fold(Sums::default(), |sums, (_, cell)| sums.with(cell))
}

fn score(value: u32, sums: &Sums) -> Option<DialScore> {
    Some(DialScore { value, score: sums.score()?, n: sums.n, ci95: sums.ci95() })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use longboard_protocol::board::{Columns, DialPoint};
    use longboard_suites::length::Length;

    use super::*;
    use crate::board::{BoardInput, CellStatistics, compute};

    fn task(slug: &str, family: &str, value: Option<u32>) -> BoardTask {
        BoardTask {
            slug: slug.to_owned(),
            title: slug.to_owned(),
            family: family.to_owned(),
            languages: vec!["en".to_owned()],
            metric: "m".to_owned(),
            dial: value.map(|value| DialPoint { title: "documents".to_owned(), value }),
        }
    }

    fn cell(right: u32, of: u32) -> CellStatistics {
        let right = (0..of).map(|sample| if sample < right { (1.0, "correct") } else { (0.0, "wrong") });
        CellStatistics::of_samples(of, right)
    }

    #[test]
    fn lines_follow_the_rows_and_pool_lengths() {
        let [short, long] = [1024, 2048].map(|tokens| Length::new(tokens).unwrap());
        let entry = |name: &str, counts: [u32; 3]| BoardEntry {
            entry: name.to_owned(),
            name: name.to_owned(),
            cells: ["one", "two", "four"]
                .into_iter()
                .zip(counts)
                .flat_map(|(task, right)| [short, long].map(|length| ((task.to_owned(), length), cell(right, 10))))
                .collect(),
            ..BoardEntry::default()
        };
        let board = compute(BoardInput {
            slug: "b".to_owned(),
            title: "B".to_owned(),
            suite: "s".to_owned(),
            columns: Columns::Lengths,
            lengths: vec![short, long],
            tasks: vec![
                task("two", "tail", Some(2)),
                task("one", "tail", Some(1)),
                task("four", "tail", Some(4)),
                task("alone", "other", Some(1)),
                task("none", "third", None),
            ],
            entries: vec![entry("worse", [2, 2, 2]), entry("better", [3, 5, 8]), entry("whole", [10, 10, 10])],
            correlations: BTreeMap::new(),
            notes: Vec::new(),
            published_at: DateTime::UNIX_EPOCH,
        });
        let [curve] = board.dials.as_slice() else { panic!("{:?}", board.dials) };
        assert_eq!((curve.family.as_str(), curve.title.as_str()), ("tail", "documents"));
        let rows: Vec<&str> = board.rows.iter().map(|row| row.entry.as_str()).collect();
        let lines: Vec<&str> = curve.lines.iter().map(|line| line.entry.as_str()).collect();
        assert_eq!(lines, rows);
        let line = |name: &str| curve.lines.iter().find(|line| line.entry == name).unwrap();
        let points: Vec<(u32, f64, u32)> =
            line("better").points.iter().map(|point| (point.value, point.score, point.n)).collect();
        assert_eq!(points, [(1, 30.0, 20), (2, 50.0, 20), (4, 80.0, 20)]);
        assert!(line("better").slope.unwrap().ci95[0] > 0.0, "it rises");
        assert!(line("worse").slope.unwrap().per_doubling.abs() < 1e-9, "it is flat");
        assert!(line("whole").slope.is_none(), "never wrong: no finite slope");
        assert_eq!(curves(&board.tasks, &[], &[]), [], "nobody has samples");
    }
}
