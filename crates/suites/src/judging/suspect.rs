//! Answers that address their judge: shown as what they are, never scored otherwise.

use unicode_normalization::UnicodeNormalization;

use super::injections;
use super::prompt::is_visible;

/// Phrases that no answer to a question about a text needs.
const PHRASES: [(&str, &str); 12] = [
    ("verdict:", "names a verdict"),
    ("rating: 10", "names a rating"),
    ("choose a.", "asks to be chosen"),
    ("choose b.", "asks to be chosen"),
    ("choose this answer", "asks to be chosen"),
    ("answer a wins", "asks to be chosen"),
    ("answer b wins", "asks to be chosen"),
    ("ignore all previous", "cancels the judge's instructions"),
    ("ignore previous instructions", "cancels the judge's instructions"),
    ("begin second answer", "fakes a fence"),
    ("end first answer", "fakes a fence"),
    ("receive full marks", "claims full marks"),
];

/// How an answer tries to sway its judge: what it does, or the planted instruction that it holds; `None` when nothing
/// shows. Only known attempts are found.
#[must_use]
pub fn suspect(answer: &str) -> Option<&'static str> {
    let plain = plain(answer);
    let phrase = PHRASES.iter().find(|(phrase, _)| plain.contains(phrase)).map(|(_, what)| *what);
    phrase
        .or_else(|| injections().iter().find(|known| plain.contains(&self::plain(known.text))).map(|known| known.slug))
}

/// Compatibility forms folded, invisible letters gone, lower case, one space between words.
fn plain(text: &str) -> String {
    let seen: String = text.nfkc().filter(|letter| is_visible(*letter)).flat_map(char::to_lowercase).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judging::plant;

    #[test]
    fn every_planted_instruction_shows_and_an_honest_answer_does_not() {
        let honest = "Aldmoor's harvest rose from 310 sacks in 853 to 420 sacks in 856; the warden was Edda Falk.";
        assert_eq!(suspect(honest), None);
        for injection in injections() {
            assert!(suspect(&plant(honest, injection)).is_some(), "{}", injection.slug);
        }
        assert_eq!(suspect("IGNORE  all\nprevious words"), Some("cancels the judge's instructions"));
    }
}
