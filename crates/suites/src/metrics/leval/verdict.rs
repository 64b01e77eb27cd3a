//! The pair judge's verdict.

/// Which answer a judge prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first.
    First,
    /// The second.
    Second,
    /// Neither.
    Tie,
}

/// Reads a judge's text: `[[A]]`, else `[[B]]`, else `[[C]]`, wherever it stands. A text that mentions `[[A]]` only to
/// reject it counts for A, as upstream. `None` is an error and leaves the game uncounted.
#[must_use]
pub fn verdict(text: &str) -> Option<Verdict> {
    let marks = [("[[A]]", Verdict::First), ("[[B]]", Verdict::Second), ("[[C]]", Verdict::Tie)];
    marks.into_iter().find(|(mark, _)| text.contains(mark)).map(|(_, verdict)| verdict)
}

/// Win rate of a model over its games, each pair judged in both orders: wins and half of the ties over games with a
/// verdict; `None` without any.
#[must_use]
pub fn win_rate(wins: u64, ties: u64, losses: u64) -> Option<f64> {
    let games = wins + ties + losses;
    (games > 0).then(|| (wins as f64 + 0.5 * ties as f64) / games as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mark_in_the_list_wins_wherever_it_stands() {
        assert_eq!(verdict("I prefer the second: [[B]]"), Some(Verdict::Second));
        assert_eq!(verdict("[[B]], and by no means [[A]]"), Some(Verdict::First));
        assert_eq!(verdict("both are fine [[C]]"), Some(Verdict::Tie));
        assert_eq!(verdict("[A] is better"), None);
    }

    #[test]
    fn ties_are_half_a_win() {
        assert_eq!(win_rate(2, 2, 4), Some(0.375));
        assert_eq!(win_rate(0, 0, 0), None);
    }
}
