//! Porter's stemmer (1980) with the extensions that NLTK makes by default, as `rouge_score` uses it.

/// Suffix, replacement, and how long the stem must be.
type Rule = (&'static str, &'static str, usize);

const STEP_2: [Rule; 22] = [
    ("ational", "ate", 1),
    ("tional", "tion", 1),
    ("enci", "ence", 1),
    ("anci", "ance", 1),
    ("izer", "ize", 1),
    ("bli", "ble", 1),
    ("alli", "al", 1),
    ("entli", "ent", 1),
    ("eli", "e", 1),
    ("ousli", "ous", 1),
    ("ization", "ize", 1),
    ("ation", "ate", 1),
    ("ator", "ate", 1),
    ("alism", "al", 1),
    ("iveness", "ive", 1),
    ("fulness", "ful", 1),
    ("ousness", "ous", 1),
    ("aliti", "al", 1),
    ("iviti", "ive", 1),
    ("biliti", "ble", 1),
    ("fulli", "ful", 1),
    ("logi", "log", 1),
];

const STEP_3: [Rule; 7] = [
    ("icate", "ic", 1),
    ("ative", "", 1),
    ("alize", "al", 1),
    ("iciti", "ic", 1),
    ("ical", "ic", 1),
    ("ful", "", 1),
    ("ness", "", 1),
];

const STEP_4: [Rule; 19] = [
    ("al", "", 2),
    ("ance", "", 2),
    ("ence", "", 2),
    ("er", "", 2),
    ("ic", "", 2),
    ("able", "", 2),
    ("ible", "", 2),
    ("ant", "", 2),
    ("ement", "", 2),
    ("ment", "", 2),
    ("ent", "", 2),
    ("ion", "", 2),
    ("ou", "", 2),
    ("ism", "", 2),
    ("ate", "", 2),
    ("iti", "", 2),
    ("ous", "", 2),
    ("ive", "", 2),
    ("ize", "", 2),
];

/// The stem of a word of ASCII letters and digits, lower case. Other words come back as they are.
#[must_use]
pub fn stem(word: &str) -> String {
    if let Some(irregular) = irregular(word) {
        return irregular.to_owned();
    }
    if word.len() <= 2 || !word.is_ascii() {
        return word.to_owned();
    }
    let mut word = word.to_owned();
    plural(&mut word);
    past(&mut word);
    final_y(&mut word);
    double_suffix(&mut word);
    apply(&mut word, &STEP_3);
    bare_suffix(&mut word);
    final_e(&mut word);
    double_l(&mut word);
    word
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

/// Step 1a.
fn plural(word: &mut String) {
    if word.ends_with("ies") {
        word.truncate(word.len() - if word.len() == 4 { 1 } else { 2 });
    } else if word.ends_with("sses") {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
}

/// Step 1b.
fn past(word: &mut String) {
    if word.ends_with("ied") {
        word.truncate(word.len() - if word.len() == 4 { 1 } else { 2 });
        return;
    }
    if let Some(stem) = word.strip_suffix("eed") {
        if measure(stem) > 0 {
            word.pop();
        }
        return;
    }
    let suffixes = [word.strip_suffix("ed"), word.strip_suffix("ing")];
    let Some(stem) = suffixes.into_iter().flatten().find(|stem| has_vowel(stem)).map(str::len) else { return };
    word.truncate(stem);
    if ["at", "bl", "iz"].iter().any(|end| word.ends_with(end)) {
        word.push('e');
    } else if ends_double_consonant(word) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_cvc(word) {
        word.push('e');
    }
}

/// Step 1c, NLTK's form.
fn final_y(word: &mut String) {
    let Some(stem) = word.strip_suffix('y') else { return };
    if stem.len() > 1 && consonants(stem).next_back() == Some(true) {
        word.pop();
        word.push('i');
    }
}

/// Step 2, NLTK's form.
fn double_suffix(word: &mut String) {
    while word.strip_suffix("alli").is_some_and(|stem| measure(stem) > 0) {
        word.truncate(word.len() - 2);
    }
    let Some(&(suffix, replacement, _)) = STEP_2.iter().find(|rule| word.ends_with(rule.0)) else { return };
    // NLTK measures the stem of `logi` with its `l`.
    let kept = if suffix == "logi" { 1 } else { 0 };
    let stem = word.len() - suffix.len();
    if word.get(..stem + kept).is_some_and(|stem| measure(stem) > 0) {
        word.truncate(stem);
        word.push_str(replacement);
    }
}

/// Step 4.
fn bare_suffix(word: &mut String) {
    let is_ion = STEP_4.iter().find(|rule| word.ends_with(rule.0)).is_some_and(|rule| rule.0 == "ion");
    if !is_ion || word.ends_with("sion") || word.ends_with("tion") {
        apply(word, &STEP_4);
    }
}

/// Step 5a.
fn final_e(word: &mut String) {
    let Some(stem) = word.strip_suffix('e') else { return };
    let measure = measure(stem);
    if measure > 1 || measure == 1 && !ends_cvc(stem) {
        word.pop();
    }
}

/// Step 5b.
fn double_l(word: &mut String) {
    if word.ends_with("ll") && word.get(..word.len() - 1).is_some_and(|stem| measure(stem) > 1) {
        word.pop();
    }
}

/// Applies the first rule whose suffix fits, where the stem is long enough.
fn apply(word: &mut String, rules: &[Rule]) {
    let Some(&(suffix, replacement, least)) = rules.iter().find(|rule| word.ends_with(rule.0)) else { return };
    let stem = word.len() - suffix.len();
    if word.get(..stem).is_some_and(|stem| measure(stem) >= least) {
        word.truncate(stem);
        word.push_str(replacement);
    }
}

/// For each letter whether it is a consonant: no vowel, and no `y` after a consonant.
fn consonants(word: &str) -> std::vec::IntoIter<bool> {
    let mut before = false;
    let classes = word.bytes().map(|byte| {
        before = match byte {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !before,
            _ => true,
        };
        before
    });
    classes.collect::<Vec<_>>().into_iter()
}

/// How often a vowel is followed by a consonant.
fn measure(stem: &str) -> usize {
    let mut vowel = false;
    let mut count = 0;
    for consonant in consonants(stem) {
        count += usize::from(vowel && consonant);
        vowel = !consonant;
    }
    count
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).any(|consonant| !consonant)
}

fn ends_double_consonant(word: &str) -> bool {
    let mut end = word.bytes().rev();
    end.next().is_some_and(|last| end.next() == Some(last)) && consonants(word).next_back() == Some(true)
}

fn ends_cvc(word: &str) -> bool {
    let mut classes = consonants(word);
    let end = (classes.next_back(), classes.next_back(), classes.next_back());
    match end {
        (Some(true), Some(false), Some(true)) => !word.ends_with(['w', 'x', 'y']),
        (Some(true), Some(false), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pairs from running NLTK 3.10.4.
    #[test]
    fn stems_are_nltks() {
        for (word, expected) in
            include_str!("../../../tests/fixtures/porter.tsv").lines().filter_map(|line| line.split_once('\t'))
        {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_word_has_a_stem_that_is_not_much_longer(word in "\\PC{0,12}|[aeilnsty]{0,14}") {
            prop_assert!(stem(&word).len() <= word.len() + 1);
        }
    }
}
