//! Probe prompts: the world with a code at head, middle and tail.

use longboard_endpoint::probe::CanaryPrompt;
use longboard_endpoint::vector_probe::TailPair;
use longboard_suites::card::Language;
use longboard_suites::haystack::{Haystack, HaystackError};
use longboard_suites::rng::Rng;
use longboard_suites::tokens;
use longboard_suites::world::World;

/// Shares no word with the question, which a keyword reader would take for evidence.
const HEAD: &str = "Read what follows to its end.\n\n";
const TAIL: &str = "\n\nWhich access codes does the text hide? List all of them.\nAccess codes:";

/// Tokens kept free for the frame and the three sentences.
const FRAME_TOKENS: u32 = 120;

/// A prompt of about `length_tokens` canonical tokens.
///
/// # Errors
/// [`HaystackError`] when the world cannot fill the length.
pub fn prompt(seed: u64, length_tokens: u32) -> Result<CanaryPrompt, HaystackError> {
    let mut rng = Rng::from_path(&[seed, Rng::name("canary"), u64::from(length_tokens)]);
    let mut code = || rng.between(10_000_000, 99_999_999).to_string();
    let (head, middle, tail) = (code(), code(), code());
    let budget = length_tokens.saturating_sub(FRAME_TOKENS).max(64);
    let passage = World::new(seed).haystack(Language::English).passage(u64::from(length_tokens), budget)?;
    let sentence = |code: &str| format!("One of the hidden access codes is {code}.");
    let sentences = [sentence(&head), sentence(&middle), sentence(&tail)];
    let plants: Vec<(usize, &str)> = [0.0, 0.5, 1.0]
        .into_iter()
        .zip(&sentences)
        .map(|(place, text)| (passage.break_at(place), text.as_str()))
        .collect();
    let text = [HEAD, &passage.plant(&plants).text, TAIL].concat();
    Ok(CanaryPrompt { prompt_tokens: tokens::count(&text), text, head, middle, tail })
}

/// Two texts of about `length_tokens` canonical tokens that differ in their last sentence alone.
///
/// # Errors
/// [`HaystackError`] when the world cannot fill the length.
pub fn tail_pair(seed: u64, length_tokens: u32) -> Result<TailPair, HaystackError> {
    const ENDINGS: [&str; 2] = [" At last the baker sold a green kettle.", " At last the ferry brought nine horses."];
    let budget = length_tokens.saturating_sub(16).max(64);
    let passage = World::new(seed).haystack(Language::English).passage(u64::from(length_tokens), budget)?;
    let [one, other] = ENDINGS.map(|ending| [passage.text.as_str(), ending].concat());
    Ok(TailPair { prompt_tokens: tokens::count(&one), one, other })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;

    #[test]
    fn a_reader_finds_all_codes_and_a_short_window_only_the_last() {
        for kilo in [1, 4, 16, 64, 128] {
            let canary = prompt(7, kilo * 1024).unwrap();
            let seen = |baseline: Baseline| {
                let text = baseline.answer(&canary.text).text;
                [&canary.head, &canary.middle, &canary.tail].map(|code| text.contains(code.as_str()))
            };
            assert_eq!(seen(Baseline::Bm25Reader), [true; 3], "{kilo}k");
            let [head, _, tail] = seen(Baseline::Last8k);
            assert_eq!((head, tail), (kilo < 8, true), "{kilo}k");
        }
    }
}
