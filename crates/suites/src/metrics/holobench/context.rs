//! HoloBench's context builder with its bugs, for comparison with upstream (`load_context.py`).

use crate::sql::{Answer, Query, Table, Value};

/// Where the sentences that matter stand among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Spread evenly.
    Uniform,
    /// First.
    Begin,
    /// Last.
    End,
    /// In the middle.
    Middle,
    /// Half of them first, half last.
    Bimodal,
}

impl Placement {
    /// Names as parameters have them.
    pub const NAMES: [&'static str; 5] = ["uniform", "begin", "end", "middle", "bimodal"];

    /// The placement of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Uniform, Self::Begin, Self::End, Self::Middle, Self::Bimodal];
        Self::NAMES.iter().zip(all).find(|(known, _)| **known == name).map(|(_, placement)| placement)
    }

    /// Merges as intended: the middle is that of the other sentences, and the halves are those of the main ones.
    #[must_use]
    pub fn merge<T: Clone>(self, main: &[T], other: &[T]) -> Vec<T> {
        let halves = |list: &[T]| {
            let (first, second) = list.split_at_checked(list.len() / 2).unwrap_or((list, &[]));
            (first.to_vec(), second.to_vec())
        };
        match self {
            Self::Begin => [main, other].concat(),
            Self::End => [other, main].concat(),
            Self::Middle => {
                let (before, after) = halves(other);
                [&before, main, &after].concat()
            }
            Self::Bimodal => {
                let (before, after) = halves(main);
                [&before, other, &after].concat()
            }
            Self::Uniform => spread(main, other),
        }
    }
}

/// Every main item stands in the middle of its equal share of the whole.
fn spread<T: Clone>(main: &[T], other: &[T]) -> Vec<T> {
    let mut merged = Vec::with_capacity(main.len() + other.len());
    let mut others = other.iter();
    for (place, item) in main.iter().enumerate() {
        let before = (2 * place + 1) * other.len() / (2 * main.len());
        while merged.len() < before + place {
            match others.next() {
                Some(other) => merged.push(other.clone()),
                None => break,
            }
        }
        merged.push(item.clone());
    }
    merged.extend(others.cloned());
    merged
}

/// Upstream's merge: the middle is where half the number of *main* sentences lies among the others, the halves are cut
/// at half the number of *other* sentences.
#[must_use]
pub fn merge_contexts<T: Clone>(main: &[T], other: &[T], placement: Placement) -> Vec<T> {
    if main.is_empty() || other.is_empty() {
        return [main, other].concat();
    }
    let halves = |list: &[T], at: usize| {
        let (first, second) = list.split_at_checked(at).unwrap_or((list, &[]));
        (first.to_vec(), second.to_vec())
    };
    match placement {
        Placement::Begin => [main, other].concat(),
        Placement::End => [other, main].concat(),
        Placement::Middle => {
            let (before, after) = halves(other, main.len() / 2);
            [&before, main, &after].concat()
        }
        Placement::Bimodal => {
            let (before, after) = halves(main, other.len() / 2);
            [&before, other, &after].concat()
        }
        Placement::Uniform => stepped(main, other),
    }
}

/// Inserts the other sentences into the main ones at `int(i * step)`. Places ascend, so one pass does it.
fn stepped<T: Clone>(main: &[T], other: &[T]) -> Vec<T> {
    let step = (main.len() + other.len()) as f64 / other.len() as f64;
    let mut merged = Vec::with_capacity(main.len() + other.len());
    let mut mains = main.iter();
    for (place, item) in other.iter().enumerate() {
        let at = (place as f64 * step) as usize;
        while merged.len() < at {
            match mains.next() {
                Some(main) => merged.push(main.clone()),
                None => break,
            }
        }
        merged.push(item.clone());
    }
    merged.extend(mains.cloned());
    merged
}

/// A row with its sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The sentence.
    pub sentence: String,
    /// Its cells by column, in the row's order.
    pub row: Vec<(String, Value)>,
}

/// How a context is filled.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Estimated tokens of the whole.
    pub size: i64,
    /// Share of it for the main tables; used where `amount` is not positive.
    pub density: f64,
    /// Estimated tokens for the main tables, -1 where the density says it.
    pub amount: i64,
    /// Where the main sentences stand.
    pub placement: Placement,
}

/// A context with the answer that can be read out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Sentences in order.
    pub sentences: Vec<String>,
    /// The query over the main rows that were taken.
    pub gold: Answer,
}

/// Upstream's estimate: `len(text) // 3.66 + 1`.
pub(super) fn estimate(text: &str) -> f64 {
    const RATIO: f64 = 3.66;
    let length = text.chars().count() as f64;
    let quotient = (length - length % RATIO) / RATIO;
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }) + 1.0
}

/// Upstream's context of a query over `tables` in their order: rows in turn from every table until both budgets are
/// reached, starting again when tables run out. With a density the other budget is one more than the whole size.
/// `None` where upstream never ends (a budget stays open and nothing is left to fill it), or the query does not fit.
#[must_use]
pub fn load_context(query: &Query, tables: &[(String, Vec<Entry>)], setting: Setting) -> Option<Loaded> {
    let main_budget =
        if setting.amount > 0 { setting.amount as f64 } else { (setting.size as f64 * setting.density).trunc() };
    let budgets = [(setting.size - setting.amount) as f64, main_budget];
    let wanted = query.tables();
    let longest = tables.iter().map(|(_, rows)| rows.len()).max()?;
    let mut sizes = [0.0_f64; 2];
    let mut taken: [Vec<&String>; 2] = [Vec::new(), Vec::new()];
    let mut gold: Vec<(&String, Vec<&Entry>)> = Vec::new();
    loop {
        let before = sizes;
        for index in 0..longest {
            for (name, rows) in tables {
                let main = usize::from(wanted.contains(&name.as_str()));
                let (Some(entry), Some(size), Some(budget)) = (rows.get(index), sizes.get_mut(main), budgets.get(main))
                else {
                    continue;
                };
                if *size >= *budget {
                    continue;
                }
                *size += estimate(&entry.sentence);
                if *size >= *budget {
                    continue;
                }
                if let Some(sentences) = taken.get_mut(main) {
                    sentences.push(&entry.sentence);
                }
                if main == 1 {
                    match gold.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, entries)) => entries.push(entry),
                        None => gold.push((name, vec![entry])),
                    }
                }
            }
            if sizes.iter().zip(&budgets).all(|(size, budget)| size >= budget) {
                let [other, main] = &taken;
                let sentences = merge_contexts(main, other, setting.placement).into_iter().cloned().collect();
                let tables: Vec<Table> = gold.iter().map(|(name, entries)| table(name, entries)).collect();
                return Some(Loaded { sentences, gold: query.evaluate(&tables).ok()? });
            }
        }
        if sizes == before {
            return None;
        }
    }
}

/// A table of rows; columns are those of the first one.
#[must_use]
pub fn table(name: &str, entries: &[&Entry]) -> Table {
    let columns = entries.first().map_or(Vec::new(), |entry| entry.row.iter().map(|(name, _)| name.clone()).collect());
    let cell = |entry: &&Entry, column: &String| {
        entry.row.iter().find(|(name, _)| name == column).map_or(Value::Null, |(_, value)| value.clone())
    };
    let rows = entries.iter().map(|entry| columns.iter().map(|column| cell(entry, column)).collect()).collect();
    Table { name: name.to_owned(), columns, rows }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn estimates_floor_as_python_does() {
        assert_eq!(estimate(""), 1.0);
        // 183 is 50 times 3.66 in decimals, but a little less in binary.
        assert_eq!(estimate(&"x".repeat(183)), 50.0);
        assert_eq!(estimate(&"x".repeat(184)), 51.0);
        assert_eq!(estimate(&"x".repeat(366)), 100.0);
        assert_eq!(estimate(&"x".repeat(915)), 250.0);
    }

    #[test]
    fn a_context_that_never_fills_is_none() {
        let query = Query::parse("SELECT v FROM t").unwrap();
        let entry = Entry { sentence: "x".repeat(20), row: vec![("v".to_owned(), Value::Integer(1))] };
        let setting = Setting { size: 100, density: 1.0, amount: 40, placement: Placement::Begin };
        assert_eq!(load_context(&query, &[("t".to_owned(), vec![entry.clone()])], setting), None);
        let tables = [("t".to_owned(), vec![entry.clone()]), ("u".to_owned(), vec![entry])];
        let loaded = load_context(&query, &tables, setting).unwrap();
        assert!(loaded.gold.rows.len() > 1, "rows repeat when tables run out");
    }

    proptest! {
        #[test]
        fn merging_loses_nothing_and_keeps_the_order(main in 0_usize..30, other in 0_usize..30) {
            let mains: Vec<i32> = (0..).take(main).collect();
            let others: Vec<i32> = (100..).take(other).collect();
            for name in Placement::NAMES {
                let placement = Placement::named(name).unwrap();
                for merged in [placement.merge(&mains, &others), merge_contexts(&mains, &others, placement)] {
                    let part = |low: bool| merged.iter().copied().filter(|item| (*item < 100) == low).collect::<Vec<_>>();
                    prop_assert_eq!(part(true), mains.clone());
                    prop_assert_eq!(part(false), others.clone());
                }
            }
        }

        #[test]
        fn an_even_spread_is_even(main in 1_usize..20, factor in 1_usize..6) {
            let mains = vec![true; main];
            let others = vec![false; main * factor];
            let merged = Placement::Uniform.merge(&mains, &others);
            for share in merged.chunks(factor + 1) {
                prop_assert_eq!(share.iter().filter(|one| **one).count(), 1);
            }
        }
    }
}
