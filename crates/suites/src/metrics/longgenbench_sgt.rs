//! LongGenBench, also called Spinning the Golden Thread (arXiv 2409.02076, ICLR 2025; mozhu621/LongGenBench @ 62c0e869):
//! completion rate and the share of requirements met, over blocks that begin with `#*#`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::{Form, Metric, Source, metric};
use super::needlebench::pattern;
use super::python_text::{int, words};

const SOURCE: Source =
    Source { benchmark: "Spinning the Golden Thread", citation: "arXiv 2409.02076; mozhu621/LongGenBench @ 62c0e869" };

/// The metrics of this benchmark.
pub(super) static METRICS: [Metric; 3] = [
    metric(SOURCE, "longgenbench_sgt.completion_and_stic", "Completion rate, STIC-1 and STIC-2", Form::Official, 100.0),
    metric(SOURCE, "longgenbench_sgt.completion_and_stic.strict", "Requirements met, by rule", Form::Strict, 1.0),
    metric(SOURCE, "longgenbench_sgt.judge_yes_parse", "Yes within a judge's reply", Form::Official, 1.0),
];

/// What separates blocks.
pub const SEPARATOR: &str = "#*#";

/// Whether a judge's reply counts as yes: it holds these three letters anywhere, so `yesterday` is yes.
#[must_use]
pub fn judge_says_yes(reply: &str) -> bool {
    reply.to_lowercase().contains("yes")
}

/// The blocks of an answer by number. `kind` is the word before the number, e.g. `Floor`; the number is the first that
/// follows it after one space, and the first block of a number counts.
#[must_use]
pub fn blocks<'a>(answer: &'a str, kind: &str) -> BTreeMap<u64, &'a str> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A\d+"));
    let head = format!("{kind} ");
    let mut found = BTreeMap::new();
    for block in answer.split(SEPARATOR) {
        let number = block.match_indices(&head).find_map(|(at, _)| {
            let rest = block.get(at + head.len()..)?;
            int(NUMBER.find(rest)?.as_str())?.parse().ok()
        });
        if let Some(number) = number {
            found.entry(number).or_insert(block);
        }
    }
    found
}

/// When a requirement holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// In one block.
    Once,
    /// In neighbouring blocks.
    Range,
    /// Every so many blocks.
    Periodic,
}

impl When {
    /// The three, in the benchmark's order.
    pub const ALL: [Self; 3] = [Self::Once, Self::Range, Self::Periodic];

    /// Name in golden rows and official files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Range => "range",
            Self::Periodic => "periodic",
        }
    }
}

/// One check: a block and what it must include.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Kind.
    pub when: When,
    /// Number of the block.
    pub block: u64,
    /// What it must include, in words.
    pub text: String,
}

/// Scores of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Blocks there over blocks asked for, in percent.
    pub completion: f64,
    /// White-space separated words.
    pub words: usize,
    /// Numbers of the blocks, those that were asked for.
    pub found: Vec<u64>,
    /// Numbers of the checks that could be made, kind by kind.
    pub checked: [Vec<u64>; 3],
    /// Share met among the checks that could be made, kind by kind; 0 where none could.
    pub accuracy: [f64; 3],
    /// Checks met over checks made: a text with few blocks can have a high one. `None` where none could be made.
    pub stic1: Option<f64>,
    /// Checks met over all checks.
    pub stic2: f64,
}

/// Scores an answer. `met` says of the n-th check that could be made of its kind whether the block meets it.
#[must_use]
pub fn report(
    answer: &str,
    kind: &str,
    number: u64,
    checks: &[Check],
    met: &mut dyn FnMut(&Check, usize, &str) -> bool,
) -> Report {
    let blocks = blocks(answer, kind);
    let found: Vec<u64> = blocks.keys().copied().filter(|id| (1..=number).contains(id)).collect();
    let mut checked: [Vec<u64>; 3] = Default::default();
    let mut hits = [0_usize; 3];
    for ((ids, hits), when) in checked.iter_mut().zip(&mut hits).zip(When::ALL) {
        for check in checks.iter().filter(|check| check.when == when) {
            if let Some(block) = blocks.get(&check.block) {
                *hits += usize::from(met(check, ids.len(), block));
                ids.push(check.block);
            }
        }
    }
    let made: usize = checked.iter().map(Vec::len).sum();
    let all_met: usize = hits.iter().sum();
    let mut accuracy = [0.0; 3];
    for ((value, hits), ids) in accuracy.iter_mut().zip(hits).zip(&checked) {
        *value = share(hits, ids.len());
    }
    Report {
        completion: 100.0 * share(found.len(), usize::try_from(number).unwrap_or(usize::MAX)),
        words: words(answer).count(),
        found,
        checked,
        accuracy,
        stic1: (made > 0).then(|| share(all_met, made)),
        stic2: share(all_met, checks.len()),
    }
}

/// Whether a block includes a requirement, by rule: every distinctive word of the requirement stands in the block, in
/// order, as a word. A stand-in for the official judge, which is drawn at temperature 0.95.
#[must_use]
pub fn includes(block: &str, requirement: &str) -> bool {
    let block: Vec<String> = plain(block).collect();
    let mut wanted = plain(requirement).filter(|word| !DULL.contains(&word.as_str())).peekable();
    for word in &block {
        wanted.next_if(|next| next == word);
    }
    wanted.peek().is_none()
}

/// Words that do not tell a requirement from another.
const DULL: [&str; 12] = ["a", "an", "the", "and", "of", "in", "on", "at", "to", "for", "with", "by"];

fn plain(text: &str) -> impl Iterator<Item = String> {
    text.split(|scalar: char| !scalar.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_block_of_a_number_counts() {
        let blocks = blocks("#*# Floor 2: a\n#*# Floor 2: b\n#*# floor 3: c\n#*# Floor  4: d", "Floor");
        assert_eq!(blocks.into_iter().collect::<Vec<_>>(), [(2, " Floor 2: a\n")]);
    }

    #[test]
    fn words_of_a_requirement_stand_in_order() {
        assert!(includes("In the east wing a glass bridge, then the reading room.", "a glass bridge"));
        assert!(!includes("A bridge of glass.", "a glass bridge"));
        assert!(!includes("A bridge.", "a glass bridge"));
    }

    #[test]
    fn missing_blocks_fail_in_the_second_rate_only() {
        let check = |block| Check { when: When::Once, block, text: "tower".to_owned() };
        let report = report("#*# Floor 1: a tower", "Floor", 4, &[check(1), check(3)], &mut |check, _, block| {
            includes(block, &check.text)
        });
        assert_eq!((report.completion, report.stic1, report.stic2), (25.0, Some(1.0), 0.5));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC*|(#\\*# ?|Floor |[0-9]{1,30}|: tower\n){0,40}") {
            let checks = [Check { when: When::Range, block: 3, text: text.clone() }];
            let report = report(&text, "Floor", 9, &checks, &mut |check, _, block| includes(block, &check.text));
            prop_assert!((0.0..=100.0).contains(&report.completion) && (0.0..=1.0).contains(&report.stic2));
        }
    }
}
