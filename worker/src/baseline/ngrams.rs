//! An embedder without a model: hashed words and pairs of words (feature hashing, Weinberger et al. 2009).

use std::collections::HashMap;

use longboard_suites::rng::Rng;

/// Numbers of a vector.
pub const DIMENSION: usize = 2048;

/// The vector of a text: for every lower-cased word and pair of neighbours 1 + ln(count), with a sign, at the place that
/// its hash names. A text without words has a single 1, since a vector must have a direction.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "weights are small")]
pub fn embed(text: &str) -> Vec<f32> {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut counts: HashMap<u64, u32> = HashMap::new();
    let pairs = words.windows(2).map(|pair| Rng::name(&pair.join(" ")));
    for feature in words.iter().map(|word| Rng::name(word)).chain(pairs) {
        *counts.entry(feature).or_default() += 1;
    }
    let mut vector = vec![0.0; DIMENSION];
    for (feature, count) in counts {
        // The low bits name the place; one of the high ones, which say nothing about it, the sign.
        let place = usize::try_from(feature % DIMENSION as u64).unwrap_or(0);
        let weight = (1.0 + f64::from(count).ln()) as f32;
        if let Some(slot) = vector.get_mut(place) {
            *slot += if feature >> 63 == 0 { weight } else { -weight };
        }
    }
    if vector.iter().all(|number| *number == 0.0)
        && let Some(first) = vector.first_mut()
    {
        *first = 1.0;
    }
    vector
}

#[cfg(test)]
mod tests {
    use longboard_suites::aggregate::dot;

    use super::*;

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn shared_words_bring_texts_together_and_silence_has_a_direction() {
        let [query, near, far] =
            ["Who keeps the mill?", "Old Anna keeps the mill by the brook.", "Nine ships left."].map(embed);
        assert!(cosine(&query, &near) > cosine(&query, &far) + 0.2);
        assert_eq!(embed("A b"), embed("a, B!"));
        assert_eq!(embed("…").iter().sum::<f32>(), 1.0);
    }
}
