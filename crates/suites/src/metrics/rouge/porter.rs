//! The Porter stemmer as nltk 3.8.1 has it with its own extensions: what `rouge_score` stems with.

/// The stem of a lower-case word of ASCII letters and digits.
#[must_use]
pub fn stem(word: &str) -> String {
    if let Some(stem) = irregular(word) {
        return stem.to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let word = step1a(word);
    let word = step1b(word);
    let word = step1c(word);
    let word = step2(word);
    let word = step3(word);
    let word = step4(word);
    step5b(step5a(word))
}

fn irregular(word: &str) -> Option<&'static str> {
    Some(match word {
        "sky" | "skies" => "sky",
        "dying" => "die",
        "lying" => "lie",
        "tying" => "tie",
        "news" => "news",
        "innings" | "inning" => "inning",
        "outings" | "outing" => "outing",
        "cannings" | "canning" => "canning",
        "howe" => "howe",
        "proceed" => "proceed",
        "exceed" => "exceed",
        "succeed" => "succeed",
        _ => return None,
    })
}

/// Whether each letter is a consonant; `y` is one at the start and after a vowel.
fn consonants(word: &str) -> Vec<bool> {
    let mut kinds: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        let consonant = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => kinds.last().is_none_or(|before| !before),
            _ => true,
        };
        kinds.push(consonant);
    }
    kinds
}

/// Number of vowel-consonant turns.
fn measure(stem: &str) -> usize {
    let kinds = consonants(stem);
    kinds.iter().zip(kinds.iter().skip(1)).filter(|(before, after)| !**before && **after).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_double_consonant(word: &str) -> bool {
    let bytes = word.as_bytes();
    let twice = bytes.len() >= 2 && bytes.last() == bytes.get(bytes.len() - 2);
    twice && consonants(word).last() == Some(&true)
}

/// Consonant, vowel, consonant other than w, x, y; or, an extension, a word of a vowel and a consonant.
fn ends_cvc(word: &str) -> bool {
    let kinds = consonants(word);
    let last = word.bytes().last();
    match kinds.as_slice() {
        [.., true, false, true] => !matches!(last, Some(b'w' | b'x' | b'y')),
        [false, true] => true,
        _ => false,
    }
}

fn replaced(stem: &str, suffix: &str) -> String {
    [stem, suffix].concat()
}

/// A rule: suffix, what stands for it.
type Rule = (&'static str, &'static str);

/// The first rule whose suffix the word has decides: it applies where the stem fits, and nothing happens otherwise.
fn apply(word: String, rules: &[Rule], fits: impl Fn(&str, &str) -> bool) -> String {
    for (suffix, by) in rules {
        if let Some(stem) = word.strip_suffix(suffix) {
            return if fits(stem, suffix) { replaced(stem, by) } else { word };
        }
    }
    word
}

fn step1a(word: &str) -> String {
    if word.len() == 4
        && let Some(stem) = word.strip_suffix("ies")
    {
        return replaced(stem, "ie");
    }
    apply(word.to_owned(), &[("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")], |_, _| true)
}

fn step1b(word: String) -> String {
    if let Some(stem) = word.strip_suffix("ied") {
        return replaced(stem, if word.len() == 4 { "ie" } else { "i" });
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { replaced(stem, "ee") } else { word };
    }
    let cut = ["ed", "ing"].iter().find_map(|suffix| word.strip_suffix(suffix).filter(|stem| has_vowel(stem)));
    let Some(stem) = cut else { return word };
    if ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end)) {
        return replaced(stem, "e");
    }
    if ends_double_consonant(stem) {
        let keeps = matches!(stem.bytes().last(), Some(b'l' | b's' | b'z'));
        let single = stem.get(..stem.len() - 1).unwrap_or_default();
        return if keeps { stem.to_owned() } else { single.to_owned() };
    }
    if measure(stem) == 1 && ends_cvc(stem) { replaced(stem, "e") } else { stem.to_owned() }
}

/// An extension: `y` becomes `i` after a consonant that is not the first letter.
fn step1c(word: String) -> String {
    apply(word, &[("y", "i")], |stem, _| stem.len() > 1 && consonants(stem).last() == Some(&true))
}

const STEP2: [Rule; 22] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
    ("logi", "log"),
];

fn step2(word: String) -> String {
    if let Some(stem) = word.strip_suffix("alli")
        && measure(stem) > 0
    {
        return step2(replaced(stem, "al"));
    }
    // Of `logi` the l belongs to the stem that is measured.
    let fits = |stem: &str, suffix: &str| {
        if suffix == "logi" { measure(&replaced(stem, "l")) > 0 } else { measure(stem) > 0 }
    };
    apply(word, &STEP2, fits)
}

fn step3(word: String) -> String {
    const RULES: [Rule; 7] =
        [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];
    apply(word, &RULES, |stem, _| measure(stem) > 0)
}

fn step4(word: String) -> String {
    const RULES: [Rule; 19] = [
        ("al", ""),
        ("ance", ""),
        ("ence", ""),
        ("er", ""),
        ("ic", ""),
        ("able", ""),
        ("ible", ""),
        ("ant", ""),
        ("ement", ""),
        ("ment", ""),
        ("ent", ""),
        ("ion", ""),
        ("ou", ""),
        ("ism", ""),
        ("ate", ""),
        ("iti", ""),
        ("ous", ""),
        ("ive", ""),
        ("ize", ""),
    ];
    apply(word, &RULES, |stem, suffix| measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't'])))
}

fn step5a(word: String) -> String {
    let Some(stem) = word.strip_suffix('e') else { return word };
    let turns = measure(stem);
    if turns > 1 || (turns == 1 && !ends_cvc(stem)) { stem.to_owned() } else { word }
}

fn step5b(word: String) -> String {
    match word.strip_suffix('l') {
        Some(shorter) if word.ends_with("ll") && measure(shorter) > 1 => shorter.to_owned(),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_of_every_step() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("dies", "die"),
            ("cats", "cat"),
            ("agreed", "agre"),
            ("feed", "feed"),
            ("spied", "spi"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("enjoy", "enjoy"),
            ("by", "by"),
            ("relational", "relat"),
            ("conditional", "condit"),
            ("hesitanci", "hesit"),
            ("radically", "radic"),
            ("geology", "geolog"),
            ("hopefully", "hope"),
            ("triplicate", "triplic"),
            ("goodness", "good"),
            ("adjustment", "adjust"),
            ("adoption", "adopt"),
            ("probate", "probat"),
            ("rate", "rate"),
            ("controlling", "control"),
            ("rolling", "roll"),
            ("paris", "pari"),
            ("skies", "sky"),
            ("1984", "1984"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    /// 1,500 words and made-up words with the stems that nltk 3.10.4 gave.
    #[test]
    fn stems_are_nltks() {
        let rows = include_str!("../../../tests/fixtures/porter.tsv").lines();
        for (word, expected) in rows.filter_map(|line| line.split_once('\t')) {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_word_has_a_stem_that_is_not_much_longer(word in "[a-z0-9]{0,14}|[aeilnsty]{0,14}") {
            prop_assert!(stem(&word).len() <= word.len() + 1);
        }
    }
}
