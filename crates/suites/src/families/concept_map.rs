//! Which concepts occur together in the abstracts of a text (What's In Your Field, arXiv 2503.09894, section 5): the graph
//! that a page draws.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::families::concepts;
use crate::item::Item;

/// Tags whose concepts questions are about, in the order in which a drawing sets them side by side.
pub const TAGS: [&str; 4] = ["object", "method", "dataset", "instrument"];

/// A concept of some abstracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// One of [`TAGS`].
    pub tag: &'static str,
    /// The phrase as abstracts have it.
    pub phrase: String,
    /// Abstracts that have it.
    pub abstracts: usize,
}

/// Two concepts under neighbouring tags that stand in one abstract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Place among the nodes; its tag comes before the other's.
    pub from: usize,
    /// Place among the nodes.
    pub to: usize,
    /// Abstracts that have both.
    pub abstracts: usize,
}

/// Concepts and how often they occur together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConceptMap {
    /// By tag, then from the most frequent on, ties by phrase.
    pub nodes: Vec<Node>,
    /// From the most frequent on.
    pub edges: Vec<Edge>,
    /// Abstracts that were read.
    pub abstracts: usize,
}

/// All phrases of one tag.
type Reader = (&'static str, Regex);

static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    let reader = |tag: &'static str| {
        let phrases: Vec<String> = concepts::vocabulary(tag).iter().map(|phrase| regex::escape(phrase)).collect();
        Regex::new(&format!(r"\b(?:{})\b", phrases.join("|"))).ok().map(|phrases| (tag, phrases))
    };
    TAGS.into_iter().filter_map(reader).collect()
});

impl ConceptMap {
    /// The graph of the abstracts in a prompt.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        let text = item.joined();
        Self::count(text.split("\n\n").filter(|part| part.starts_with('[')))
    }

    fn count<'a>(abstracts: impl Iterator<Item = &'a str>) -> Self {
        let mut nodes: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let mut pairs: BTreeMap<[(usize, &str); 2], usize> = BTreeMap::new();
        let mut read = 0;
        for text in abstracts {
            read += 1;
            let found = READERS.iter().enumerate();
            let found: Vec<(usize, &str)> =
                found.filter_map(|(place, (_, reader))| Some((place, reader.find(text)?.as_str()))).collect();
            for node in &found {
                *nodes.entry(*node).or_default() += 1;
            }
            for (from, to) in found.iter().zip(found.iter().skip(1)).filter(|(from, to)| from.0 + 1 == to.0) {
                *pairs.entry([*from, *to]).or_default() += 1;
            }
        }
        let mut ordered: Vec<((usize, &str), usize)> = nodes.into_iter().collect();
        ordered.sort_by_key(|((place, phrase), abstracts)| (*place, usize::MAX - abstracts, *phrase));
        let place = |node: &(usize, &str)| ordered.iter().position(|(known, _)| known == node);
        let edge = |([from, to], abstracts): ([(usize, &str); 2], usize)| {
            Some(Edge { from: place(&from)?, to: place(&to)?, abstracts })
        };
        let mut edges: Vec<Edge> = pairs.into_iter().filter_map(edge).collect();
        edges.sort_by_key(|edge| (usize::MAX - edge.abstracts, edge.from, edge.to));
        let node = |((place, phrase), abstracts): &((usize, &str), usize)| {
            let (tag, _) = READERS.get(*place)?;
            Some(Node { tag, phrase: (*phrase).to_owned(), abstracts: *abstracts })
        };
        Self { nodes: ordered.iter().filter_map(node).collect(), edges, abstracts: read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::task::{ItemRequest, Task};

    fn map(index: u32) -> (Item, ConceptMap) {
        let task = Task::find("concept_graph").unwrap();
        let item = task.item(&ItemRequest::new(6, index, "16k".parse().unwrap())).unwrap();
        let map = ConceptMap::of(&item);
        (item, map)
    }

    #[test]
    fn every_abstract_counts_once_under_every_tag() {
        let (item, map) = map(0);
        assert_eq!(map.abstracts, item.joined().matches("\n\n[").count());
        for tag in TAGS {
            let under = map.nodes.iter().filter(|node| node.tag == tag);
            assert_eq!(under.map(|node| node.abstracts).sum::<usize>(), map.abstracts, "{tag}");
        }
        for tags in TAGS.windows(2) {
            let between = map.edges.iter().filter(|edge| map.nodes[edge.from].tag == tags[0]);
            assert_eq!(between.map(|edge| edge.abstracts).sum::<usize>(), map.abstracts, "{tags:?}");
        }
        assert!(map.edges.iter().all(|edge| edge.abstracts <= map.nodes[edge.from].abstracts));
    }

    #[test]
    fn the_graph_answers_the_question_about_methods() {
        let (item, map) = map(0);
        let text = item.joined();
        let asked = text.rsplit_once("abstracts on the ").unwrap().1.split(" use?").next().unwrap();
        let dataset = map.nodes.iter().position(|node| node.phrase == asked).unwrap();
        let mut methods: Vec<&str> = map
            .edges
            .iter()
            .filter(|edge| edge.to == dataset)
            .map(|edge| edge.from)
            .map(|node| map.nodes[node].phrase.as_str())
            .collect();
        methods.sort_unstable();
        assert_eq!(serde_json::json!(methods).to_string(), item.references[0]);
    }

    #[test]
    fn no_phrase_hides_another() {
        let mut rng = Rng::from_path(&[3]);
        for _ in 0..300 {
            let drawn = concepts::drawn(&mut rng);
            let text = concepts::told(&drawn, &mut rng).join(" ");
            let map = ConceptMap::count(std::iter::once(text.as_str()));
            let found: Vec<&str> = map.nodes.iter().map(|node| node.phrase.as_str()).collect();
            let wanted: Vec<&str> = TAGS.iter().map(|tag| drawn[tag].as_str()).collect();
            assert_eq!(found, wanted);
        }
        assert_eq!(ConceptMap::count(std::iter::empty()), ConceptMap::default());
    }
}
