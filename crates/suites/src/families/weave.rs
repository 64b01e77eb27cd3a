//! Numbered paragraphs of which some are evidence: the others fill what a budget leaves between them.

use crate::card::Language;
use crate::families::volume::{Line, Volume};
use crate::haystack::{Planted, planting_cost};
use crate::rng::Rng;

/// Paragraphs that may not fit before the text is taken as full.
const MISSES: usize = 6;
/// Canonical tokens that an empty line and a longer number take at most.
const JOINT: u32 = 4;

/// A text of paragraphs, and the numbers, from 1, of those that are evidence.
pub struct Woven {
    /// The text.
    pub body: Planted,
    /// Numbers of the evidence in order.
    pub numbers: Vec<usize>,
}

/// Places for `count` paragraphs of evidence, spread over the text: fractions of it, rising.
pub fn places(count: usize, rng: &mut Rng) -> Vec<f64> {
    (0..count).map(|index| (index as f64 + rng.unit()) / count as f64).collect()
}

/// Writes paragraphs until `budget` canonical tokens are full. `write` gets a paragraph's number and which piece of
/// evidence it is, `None` for all others; `None` comes back when the evidence alone does not fit.
pub fn weave(budget: u32, places: &[f64], write: &mut dyn FnMut(usize, Option<usize>) -> Vec<Line>) -> Option<Woven> {
    let cost = |lines: &[Line]| -> u32 {
        lines.iter().map(|line| planting_cost(Language::English, &line.text)).sum::<u32>() + JOINT
    };
    let costs: Vec<u32> = (0..places.len()).map(|index| cost(&write(1, Some(index)))).collect();
    let mut reserved: u32 = costs.iter().sum();
    let room = budget.checked_sub(reserved)?;
    let mut volume = Volume::new(Language::English, budget);
    let (mut numbers, mut number, mut misses, mut filled) = (Vec::new(), 1, 0, 0);
    loop {
        let due =
            places.get(numbers.len()).filter(|place| misses >= MISSES || f64::from(filled) >= *place * f64::from(room));
        if due.is_some() {
            if !volume.paragraph(&write(number, Some(numbers.len()))) {
                return None;
            }
            reserved -= costs.get(numbers.len()).copied().unwrap_or_default();
            numbers.push(number);
            number += 1;
            continue;
        }
        if misses >= MISSES {
            return Some(Woven { body: volume.finish(), numbers });
        }
        let before = volume.tokens();
        let lines = write(number, None);
        if cost(&lines) + reserved <= volume.left() && volume.paragraph(&lines) {
            filled += volume.tokens() - before;
            number += 1;
        } else {
            misses += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn woven(budget: u32, count: usize) -> Option<Woven> {
        let places = places(count, &mut Rng::from_path(&[3]));
        weave(budget, &places, &mut |number, evidence| match evidence {
            Some(index) => vec![Line::evidence(format!("[{number}] This is piece {index} of the evidence."))],
            None => vec![Line::plain(format!("[{number}] This is no evidence.")), Line::plain("Nor is this.")],
        })
    }

    #[test]
    fn all_evidence_stands_in_order_within_the_budget() {
        for budget in [200, 1000, 30_000] {
            let Woven { body, numbers } = woven(budget, 5).unwrap();
            assert!((budget - 20..=budget).contains(&body.tokens), "{}", body.tokens);
            assert_eq!(crate::tokens::count(&body.text), body.tokens);
            for (index, number) in numbers.iter().enumerate() {
                assert!(body.text.contains(&format!("[{number}] This is piece {index} of the evidence.")));
            }
            assert_eq!((body.needles.len(), numbers.len()), (5, 5));
        }
        assert!(woven(60, 5).is_none());
    }

    #[test]
    fn evidence_is_spread_over_the_text() {
        let Woven { body, .. } = woven(8000, 4).unwrap();
        for (quarter, needle) in (0_u32..).zip(&body.needles) {
            let depth = f64::from(needle.token_start) / f64::from(body.tokens);
            assert!((depth * 4.0 - f64::from(quarter) - 0.5).abs() < 0.6, "{depth} in quarter {quarter}");
        }
    }
}
