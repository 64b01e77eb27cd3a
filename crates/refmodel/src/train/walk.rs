//! Ways through an object of pairs of identifiers: from a key to its value, which may be a key.

use std::iter::successors;

use longboard_suites::rng::Rng;

/// Pairs of a JSON object of identifiers, in order.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let quoted: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    quoted.chunks_exact(2).filter_map(|pair| Some(((*pair.first()?).to_owned(), (*pair.get(1)?).to_owned()))).collect()
}

/// The identifiers from `start` on, each the value of the one before.
fn way<'a>(pairs: &'a [(String, String)], start: &'a str) -> impl Iterator<Item = &'a str> {
    successors(Some(start), |at| pairs.iter().find(|(key, _)| key == at).map(|(_, value)| value.as_str()))
}

/// Begins like the question and goes from the asked key through the object as it stands there, so that each token follows
/// what it follows in the text; whether a value is itself a key shows where it ends. The way is written with `_`, so that
/// the first identifier of the answer is the last value, which comes again.
pub(super) fn walk(pairs: &[(String, String)], start: &str) -> String {
    let way: Vec<&str> = way(pairs, start).collect();
    let last = way.last().copied().unwrap_or(start);
    format!("the key \"{}\", \"{last}", way.join("\": \"").replace('-', "_"))
}

/// The object `text` after up to a third of its pairs got a new value, the key of a pair that no other led to. Nothing leads
/// back to where it came from.
pub(super) fn linked(rng: &mut Rng, mut text: String) -> String {
    for _ in 0..pairs(&text).len() / 3 {
        let pairs = pairs(&text);
        let leads_on = |value: &str| pairs.iter().any(|(key, _)| key == value);
        let (Some((from, value)), Some((to, _))) = (rng.choose(&pairs), rng.choose(&pairs)) else { return text };
        let reached = pairs.iter().any(|(_, value)| value == to);
        if !leads_on(value) && !reached && !way(&pairs, to).any(|id| id == from) {
            text = text.replacen(value, to, 1);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_first_identifier_of_a_walk_is_its_last_value() {
        let id = |digit: char| [8, 4, 4, 4, 12].map(|count| digit.to_string().repeat(count)).join("-");
        let pairs = [(id('a'), id('b')), (id('c'), id('d')), (id('b'), id('c'))];
        let answer = walk(&pairs, &id('a'));
        assert_eq!(longboard_suites::metrics::needle_threading::uuids(&answer), [id('d')]);
        assert!(answer.starts_with("the key \"aaaaaaaa_aaaa_"), "{answer}");
        assert!(answer.ends_with(&format!("\", \"{}", id('d'))), "{answer}");
    }

    #[test]
    fn linked_pairs_lead_on_and_every_walk_ends() {
        let id = |number: usize| [8, 4, 4, 4, 12].map(|count| format!("{number:0count$}")).join("-");
        let object =
            (0..9).map(|pair| format!("\"{}\": \"{}\"", id(pair), id(100 + pair))).collect::<Vec<_>>().join(", ");
        let mut links = 0;
        for seed in 0..20 {
            let text = linked(&mut Rng::from_path(&[seed]), object.clone());
            let pairs = pairs(&text);
            assert_eq!(pairs.len(), 9);
            assert_eq!(
                pairs.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(),
                (0..9).map(id).collect::<Vec<_>>()
            );
            let values: BTreeSet<&String> = pairs.iter().map(|(_, value)| value).collect();
            assert_eq!(values.len(), 9, "no two pairs lead to the same");
            links += pairs.iter().filter(|(_, value)| pairs.iter().any(|(key, _)| key == value)).count();
            for (key, _) in &pairs {
                assert!(walk(&pairs, key).len() < 11 * 40);
            }
        }
        assert!((20..=60).contains(&links), "{links} links in 20 texts");
    }
}
