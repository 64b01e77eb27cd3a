//! Entities that an answer gives as texts, found in the document that they were read from.

use std::collections::{BTreeSet, HashMap};

use super::Span;

/// An entity as an answer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Type.
    pub kind: String,
    /// Its text.
    pub text: String,
}

/// A document as words and signs.
pub struct Text {
    tokens: Vec<String>,
    /// Places of the words among the tokens.
    words: Vec<usize>,
    /// Places among the tokens by token.
    exact: HashMap<String, Vec<usize>>,
    /// Places among the words by word.
    loose: HashMap<String, Vec<usize>>,
}

/// What was found of an answer's entities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// Spans found, over words; signs do not count.
    pub spans: Vec<Span>,
    /// Entities that stand nowhere, or nowhere else: each is a false positive.
    pub unmatched: usize,
}

/// Runs of letters and digits, and signs, each on its own.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut open = false;
    for scalar in text.chars() {
        if scalar.is_alphanumeric() {
            match tokens.last_mut().filter(|_| open) {
                Some(word) => word.push(scalar),
                None => tokens.push(scalar.to_string()),
            }
            open = true;
        } else {
            if !scalar.is_whitespace() {
                tokens.push(scalar.to_string());
            }
            open = false;
        }
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.chars().next().is_some_and(char::is_alphanumeric)
}

/// Words of a text, as spans count them.
#[must_use]
pub fn word_count(text: &str) -> usize {
    tokens(text).iter().filter(|token| is_word(token)).count()
}

fn places(tokens: &[String]) -> HashMap<String, Vec<usize>> {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, token) in tokens.iter().enumerate() {
        places.entry(token.clone()).or_default().push(place);
    }
    places
}

impl Text {
    /// Splits a document.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let tokens = tokens(text);
        let words: Vec<usize> =
            (0..).zip(&tokens).filter(|(_, token)| is_word(token)).map(|(place, _)| place).collect();
        let own: Vec<String> = words.iter().filter_map(|place| tokens.get(*place).cloned()).collect();
        let (exact, loose) = (places(&tokens), places(&own));
        Self { tokens, words, exact, loose }
    }

    /// Finds entities one after the other: at the first place that has their very tokens and that no earlier entity of
    /// their type took, else at the first such place when signs are left out on both sides.
    #[must_use]
    pub fn locate(&self, entities: &[Entity]) -> Located {
        let mut located = Located::default();
        let mut taken: BTreeSet<Span> = BTreeSet::new();
        for Entity { kind, text } in entities {
            let wanted = tokens(text);
            let span = |first: usize, last: usize| Span { first, last, kind: kind.clone() };
            let exact =
                self.exact_places(&wanted).map(|(first, last)| span(first, last)).find(|span| !taken.contains(span));
            let found = exact.or_else(|| {
                let words: Vec<&String> = wanted.iter().filter(|token| is_word(token)).collect();
                let mut loose = self.loose_places(&words).map(|(first, last)| span(first, last));
                loose.find(|span| !taken.contains(span))
            });
            match found {
                Some(span) => {
                    let _ = taken.insert(span.clone());
                    located.spans.push(span);
                }
                None => located.unmatched += 1,
            }
        }
        located
    }

    /// First and last word of the places where `wanted` stands token by token.
    fn exact_places<'a>(&'a self, wanted: &'a [String]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let starts = wanted.first().and_then(|first| self.exact.get(first)).into_iter().flatten();
        starts.filter_map(move |&start| {
            let here = self.tokens.get(start..start + wanted.len())?;
            (here == wanted).then(|| self.words_of(start, start + wanted.len())).flatten()
        })
    }

    /// First and last word of the places where `wanted` stands word by word.
    fn loose_places<'a>(&'a self, wanted: &'a [&'a String]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let word = |at: usize| self.words.get(at).and_then(|place| self.tokens.get(*place));
        let starts = wanted.first().and_then(|first| self.loose.get(*first)).into_iter().flatten();
        starts
            .filter(move |&&start| wanted.iter().zip(start..).all(|(wanted, at)| word(at) == Some(*wanted)))
            .map(|&start| (start, start + wanted.len() - 1))
    }

    /// The words among the tokens from `start` up to `end`.
    fn words_of(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let before = |token: usize| self.words.partition_point(|place| *place < token);
        let (first, after) = (before(start), before(end));
        (after > first).then(|| (first, after - 1))
    }
}

/// How long an entity is: 1 to 3, 4 to 10, or more than 10 words, as 0, 1, 2.
#[must_use]
pub fn length_class(span: &Span) -> usize {
    match span.last + 1 - span.first.min(span.last) {
        0..=3 => 0,
        4..=10 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entity(text: &str) -> Entity {
        Entity { kind: "a".to_owned(), text: text.to_owned() }
    }

    fn found(text: &str, entities: &[&str]) -> (Vec<(usize, usize)>, usize) {
        let entities: Vec<Entity> = entities.iter().map(|text| entity(text)).collect();
        let located = Text::new(text).locate(&entities);
        (located.spans.iter().map(|span| (span.first, span.last)).collect(), located.unmatched)
    }

    #[test]
    fn an_entity_named_again_takes_the_next_place() {
        assert_eq!(found("Ada of Kel, and Ada of Mar.", &["Ada", "Ada", "Ada"]), (vec![(0, 0), (4, 4)], 1));
        let (one, two) = (entity("Ada"), Entity { kind: "b".to_owned(), text: "Ada".to_owned() });
        assert_eq!(Text::new("Ada").locate(&[one, two]).spans.len(), 2);
    }

    #[test]
    fn signs_and_blanks_matter_only_where_nothing_matches_exactly() {
        let text = "the Amber  Medal (first class), the Amber Medal first class";
        assert_eq!(found(text, &["Amber Medal first class"]).0, [(6, 9)]);
        assert_eq!(found(text, &["Amber Medal, first class", "Amber Medal first class"]).0, [(1, 4), (6, 9)]);
        assert_eq!(found(text, &["", "...", "amber"]), (vec![], 3));
    }

    proptest! {
        #[test]
        fn every_stretch_of_words_is_found(words in proptest::collection::vec("[a-c]{1,2}[.,]?", 1..20), from in 0_usize..20, count in 1_usize..6) {
            let text = words.join(" ");
            let from = from % words.len();
            let stretch = words.iter().skip(from).take(count).cloned().collect::<Vec<_>>();
            let (spans, unmatched) = found(&text, &[&stretch.join(" ")]);
            prop_assert_eq!(unmatched, 0);
            prop_assert_eq!(spans[0].1 - spans[0].0 + 1, stretch.len());
            prop_assert!(spans[0].0 <= from);
        }
    }
}
