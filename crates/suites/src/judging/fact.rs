//! The fact judge: what an answer states of the world's facts, right, wrong or not at all. Ground truth for other judges.

use super::{Judged, OpenEnded, prompt::is_visible, weigh};
use crate::metrics::python_text;

/// A statement that code can check in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckableFact {
    /// The statement in words.
    pub statement: String,
    /// What must stand in the same clause for it to be about this fact: one form of every group.
    pub anchors: Vec<Vec<String>>,
    /// Forms of the right value; one of them makes the clause right.
    pub accepted: Vec<String>,
    /// Forms of wrong values: one of them without a right one makes the clause wrong.
    pub contradicting: Vec<String>,
}

/// How an answer stands to one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Stated right, and not contradicted as often.
    Right,
    /// Contradicted, or hidden among alternatives.
    Wrong,
    /// Not stated.
    Missing,
}

/// What an answer states of a list of facts.
#[derive(Debug, Clone, PartialEq)]
pub struct FactReport {
    /// Standing of each fact, in the order of the facts.
    pub standings: Vec<Standing>,
    /// Facts stated right over all facts, 0..1; 0 without facts.
    pub recall: f64,
    /// Right less wrong over all facts, at least 0.
    pub strict: f64,
}

/// Characters of an answer that are read: reciting a long text earns no more than its beginning.
const READ_CHARS: usize = 4_000;

/// More contradicting values than this in one clause are a list of guesses, not a statement.
const HEDGES: usize = 2;

impl CheckableFact {
    /// Checks one answer, already cut into clauses.
    fn standing(&self, clauses: &[String]) -> Standing {
        let forms = Forms::new(self);
        let (mut right, mut wrong) = (0, 0);
        for clause in clauses.iter().filter(|clause| forms.is_about(clause)) {
            let parts: Vec<bool> =
                parts(clause).filter(|part| forms.is_about(part)).filter_map(|part| forms.verdict(part)).collect();
            let verdicts = if parts.is_empty() { forms.verdict(clause).into_iter().collect() } else { parts };
            right += verdicts.iter().filter(|fine| **fine).count();
            wrong += verdicts.iter().filter(|fine| !**fine).count();
        }
        match (right, wrong) {
            (0, 0) => Standing::Missing,
            (right, wrong) if right > wrong => Standing::Right,
            _ => Standing::Wrong,
        }
    }
}

/// The forms of a fact as clauses are written.
struct Forms {
    anchors: Vec<Vec<String>>,
    accepted: Vec<String>,
    contradicting: Vec<String>,
}

impl Forms {
    fn new(fact: &CheckableFact) -> Self {
        let plain = |forms: &Vec<String>| forms.iter().map(|form| normalised(form)).collect::<Vec<_>>();
        Self {
            anchors: fact.anchors.iter().map(plain).collect(),
            accepted: plain(&fact.accepted),
            contradicting: plain(&fact.contradicting),
        }
    }

    fn is_about(&self, clause: &str) -> bool {
        self.anchors.iter().all(|forms| forms.iter().any(|form| holds(clause, form)))
    }

    /// Whether a clause about the fact is right; `None` without a value.
    fn verdict(&self, clause: &str) -> Option<bool> {
        let accepted = self.accepted.iter().any(|form| holds(clause, form));
        let mut others: Vec<&String> = self.contradicting.iter().filter(|form| holds(clause, form)).collect();
        others.sort_unstable();
        others.dedup();
        (accepted || !others.is_empty()).then_some(accepted && others.len() <= HEDGES)
    }
}

impl FactReport {
    /// Checks `answer` against `facts`.
    #[must_use]
    pub fn new(facts: &[CheckableFact], answer: &str) -> Self {
        let clauses = clauses(python_text::take(answer, READ_CHARS));
        let standings: Vec<Standing> = facts.iter().map(|fact| fact.standing(&clauses)).collect();
        let count = |standing| standings.iter().filter(|one| **one == standing).count();
        let (right, wrong, all) = (count(Standing::Right), count(Standing::Wrong), facts.len().max(1));
        Self { recall: right as f64 / all as f64, strict: right.saturating_sub(wrong) as f64 / all as f64, standings }
    }

    /// Facts with this standing.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.standings.iter().filter(|one| **one == standing).count()
    }
}

/// Compares two answers by their facts: right ones for, wrong ones against. [`super::Label::Invalid`] without facts.
#[must_use]
pub fn fact(material: &OpenEnded, first: &str, second: &str) -> Judged {
    weigh(assess(material, first), assess(material, second), 1e-9)
}

/// Score of one answer with its reason.
pub(super) fn assess(material: &OpenEnded, answer: &str) -> (Option<f64>, String) {
    if material.facts.is_empty() {
        return (None, "no facts to check".to_owned());
    }
    let report = FactReport::new(&material.facts, answer);
    let [right, wrong, missing] = [Standing::Right, Standing::Wrong, Standing::Missing].map(|one| report.count(one));
    (Some(report.strict), format!("{right} facts right, {wrong} wrong, {missing} missing"))
}

/// Lower case, without invisible characters and emphasis, digits plain, digit groups joined, blanks single.
pub(crate) fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut scalars = text.chars().filter(|scalar| is_visible(*scalar)).peekable();
    while let Some(scalar) = scalars.next() {
        match scalar {
            '*' | '_' | '`' | '#' => {}
            ',' if out.ends_with(|last: char| last.is_ascii_digit())
                && scalars.peek().is_some_and(char::is_ascii_digit) => {}
            '\u{ff10}'..='\u{ff19}' => out.extend(char::from_digit(u32::from(scalar) - 0xff10, 10)),
            '\n' => out.push('\n'),
            _ if scalar.is_whitespace() => {
                if !out.ends_with([' ', '\n']) {
                    out.push(' ');
                }
            }
            _ => out.extend(scalar.to_lowercase()),
        }
    }
    out
}

/// The answer in clauses: lines, sentences, and parts between semicolons, normalised.
fn clauses(answer: &str) -> Vec<String> {
    normalised(answer)
        .replace(". ", ".\n")
        .split(['\n', ';', '!', '?', '。', '；', '！', '？'])
        .map(str::trim)
        .filter(|clause| !clause.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// The parts of a clause between commas and joining words: two statements of one sentence are told apart.
fn parts(clause: &str) -> impl Iterator<Item = &str> {
    clause.split([',', '，', '、']).flat_map(|part| part.split(" and ")).flat_map(|part| part.split(" then "))
}

/// Whether `clause` holds `form` as whole words, both [`normalised`].
fn holds(clause: &str, form: &str) -> bool {
    let glued = |inside: Option<char>, outside: Option<char>| match (inside, outside) {
        (Some(a), Some(b)) => {
            (a.is_ascii_digit() && b.is_ascii_digit()) || (a.is_alphabetic() && b.is_ascii_alphabetic())
        }
        _ => false,
    };
    !form.is_empty()
        && clause.match_indices(form).any(|(at, found)| {
            let before = clause.get(..at).and_then(|text| text.chars().next_back());
            let after = clause.get(at + found.len()..).and_then(|text| text.chars().next());
            !glued(form.chars().next(), before) && !glued(form.chars().next_back(), after)
        })
}
