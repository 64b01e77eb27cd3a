//! Untie the Knots (Tian et al. 2024, arXiv 2409.04774; code rgtjf/Untie-the-Knots): documents are cut, the parts of
//! all of them mixed, and each cut is tagged on both sides, so that going on means to find the part before.

use std::collections::VecDeque;
use std::ops::Range;

use longboard_suites::item::Role;
use longboard_suites::rng::Rng;

use super::lesson::{Lesson, Subject, Teacher};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// Tokens and the stretches of them that are to be predicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Tokens.
    pub ids: Vec<u32>,
    /// Stretches of `ids`.
    pub targets: Vec<Range<usize>>,
}

/// Names of cuts. The paper adds tokens to the vocabulary; here a tag is two that exist: the opener of system messages,
/// which no lesson holds, and a single letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// The first token of every tag.
    pub opener: u32,
    /// The second: `2k` at the end of the part before cut `k`, `2k + 1` at the start of the part after it.
    pub names: Vec<u32>,
}

impl Tags {
    /// Tags in the tokens of `tokenizer`: the letters A to X name twelve cuts.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] when it knows no system messages or no single letters.
    pub fn of(tokenizer: &Tokenizer) -> Result<Self, ModelError> {
        let unsupported = || ModelError::Unsupported {
            what: "Untie the Knots with this tokenizer".to_owned(),
            supported: "it needs an opener of system messages and a token for each letter".to_owned(),
        };
        let opener = tokenizer.opener(Role::System).ok_or_else(unsupported)?;
        let mut names = Vec::new();
        for letter in 'A'..='X' {
            let ids = tokenizer.encode(&letter.to_string())?;
            let [name] = ids.as_slice() else { return Err(unsupported()) };
            names.push(*name);
        }
        Ok(Self { opener, names })
    }

    /// Cuts that can be named.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.names.len() / 2
    }

    fn tag(&self, name: usize) -> Option<[u32; 2]> {
        Some([self.opener, *self.names.get(name)?])
    }
}

/// Documents in a knot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Knot {
    /// Tokens.
    pub ids: Vec<u32>,
    /// Stretches of `ids` that are to be predicted. A part's first token stays one although a tag stands before it: from
    /// the tag it can be found.
    pub targets: Vec<Range<usize>>,
    /// Stretches of `ids` that are tags; never to be predicted.
    pub tags: Vec<Range<usize>>,
}

struct Part {
    document: usize,
    range: Range<usize>,
    /// The cut before it.
    tail: Option<usize>,
    /// The cut after it.
    head: Option<usize>,
}

/// Ties `documents`, of which the one at `i` is cut into `parts[i]` at random places. All parts are shuffled but the last
/// part of the last document, which stays last; `in_order` keeps each document's own parts in order.
pub fn tie(documents: &[Document], parts: &[usize], in_order: bool, tags: &Tags, rng: &mut Rng) -> Knot {
    let mut cuts = 0;
    let mut mixed = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let wanted = parts.get(index).copied().unwrap_or(1).saturating_sub(1).min(tags.cuts() - cuts);
        let mut places: Vec<usize> =
            rng.distinct(document.ids.len().saturating_sub(1), wanted).into_iter().map(|place| place + 1).collect();
        places.sort_unstable();
        places.push(document.ids.len());
        let mut from = 0;
        for (part, to) in places.iter().enumerate() {
            let tail = part.checked_sub(1).map(|_| cuts - 1);
            let head = (part + 1 < places.len()).then_some(cuts);
            mixed.push(Part { document: index, range: from..*to, tail, head });
            cuts += usize::from(head.is_some());
            from = *to;
        }
    }
    let last = mixed.pop();
    rng.shuffle(&mut mixed);
    if in_order {
        mixed = ordered(mixed, documents.len());
    }
    let mut knot = Knot::default();
    for part in mixed.iter().chain(&last) {
        if let Some(document) = documents.get(part.document) {
            knot.append(document, part, tags);
        }
    }
    knot
}

/// Each document's parts in order, at the places that its parts have.
fn ordered(mut parts: Vec<Part>, documents: usize) -> Vec<Part> {
    let places: Vec<usize> = parts.iter().map(|part| part.document).collect();
    parts.sort_by_key(|part| part.range.start);
    let mut queues: Vec<VecDeque<Part>> = (0..documents).map(|_| VecDeque::new()).collect();
    for part in parts {
        if let Some(queue) = queues.get_mut(part.document) {
            queue.push_back(part);
        }
    }
    places.into_iter().filter_map(|document| queues.get_mut(document)?.pop_front()).collect()
}

impl Knot {
    fn append(&mut self, document: &Document, part: &Part, tags: &Tags) {
        self.tag(part.tail.and_then(|cut| tags.tag(2 * cut + 1)));
        let at = self.ids.len();
        self.ids.extend(document.ids.get(part.range.clone()).unwrap_or_default());
        for target in &document.targets {
            let (from, to) = (target.start.max(part.range.start), target.end.min(part.range.end));
            if from < to {
                self.targets.push(at + from - part.range.start..at + to - part.range.start);
            }
        }
        self.tag(part.head.and_then(|cut| tags.tag(2 * cut)));
    }

    fn tag(&mut self, tag: Option<[u32; 2]>) {
        if let Some(tag) = tag {
            self.tags.push(self.ids.len()..self.ids.len() + tag.len());
            self.ids.extend(tag);
        }
    }
}

/// Tokens that the tags of a document in three parts take.
const ROOM: usize = 8;

/// Two or three lessons of one subject, each in two or three parts, together of at most `limit` tokens. Parts stay in
/// order: an answer is asked for, so the text that it comes from must stand before it.
///
/// # Errors
/// [`ModelError`] when a lesson cannot be made.
pub fn lesson(teacher: &Teacher<'_>, subject: Subject, rng: &mut Rng, limit: usize) -> Result<Lesson, ModelError> {
    // Lists and threads do not fit into half a sequence: one needle and one pair stand for them.
    let subject = match subject {
        Subject::Needles => Subject::Needle,
        Subject::Thread => Subject::Pair,
        other => other,
    };
    let count = 2 + rng.index(2);
    let each = (limit / count).saturating_sub(ROOM);
    let (mut documents, mut parts) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let Lesson { ids, answers, .. } = teacher.lesson(subject, rng.next_u64(), each)?;
        documents.push(Document { ids, targets: answers });
        parts.push(2 + rng.index(2));
    }
    let knot = tie(&documents, &parts, true, teacher.tags(), rng);
    Ok(Lesson { subject, ids: knot.ids, answers: knot.targets })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    const START: u32 = 0;

    fn tags() -> Tags {
        Tags { opener: 2, names: (10..34).collect() }
    }

    /// Documents that start with [`START`] and of which everything is a target.
    fn documents() -> Vec<Document> {
        let document = |index: u32, count: u32| {
            let ids: Vec<u32> = std::iter::once(START).chain((0..count).map(|at| 100 * (index + 1) + at)).collect();
            Document { targets: std::iter::once(0..ids.len()).collect(), ids }
        };
        vec![document(0, 30), document(1, 7), document(2, 50)]
    }

    fn tied(in_order: bool, seed: u64) -> Knot {
        tie(&documents(), &[3, 2, 3], in_order, &tags(), &mut Rng::from_path(&[seed]))
    }

    /// Tokens between tags, with the cut before and after.
    fn pieces(knot: &Knot, tags: &Tags) -> Vec<(Option<usize>, Vec<u32>, Option<usize>)> {
        let mut pieces = vec![(None, Vec::new(), None)];
        let mut ids = knot.ids.iter();
        while let Some(id) = ids.next() {
            if *id == tags.opener {
                let name = ids.next().unwrap();
                let name = tags.names.iter().position(|known| known == name).unwrap();
                if name % 2 == 0 {
                    pieces.last_mut().unwrap().2 = Some(name / 2);
                } else {
                    pieces.push((Some(name / 2), Vec::new(), None));
                }
            } else {
                if *id == START {
                    pieces.push((None, Vec::new(), None));
                }
                pieces.last_mut().unwrap().1.push(*id);
            }
        }
        pieces.retain(|piece| !piece.1.is_empty());
        pieces
    }

    #[test]
    fn untangling_by_the_tags_restores_every_document() {
        for seed in 0..50 {
            for in_order in [false, true] {
                let pieces = pieces(&tied(in_order, seed), &tags());
                assert_eq!(pieces.len(), 8);
                let mut restored = Vec::new();
                for first in pieces.iter().filter(|piece| piece.0.is_none()) {
                    let (mut ids, mut cut) = (first.1.clone(), first.2);
                    while cut.is_some() {
                        let matching: Vec<_> = pieces.iter().filter(|piece| piece.0 == cut).collect();
                        assert_eq!(matching.len(), 1, "a cut has one part after it");
                        ids.extend(&matching[0].1);
                        cut = matching[0].2;
                    }
                    restored.push(ids);
                }
                restored.sort();
                let mut wanted: Vec<Vec<u32>> = documents().into_iter().map(|document| document.ids).collect();
                wanted.sort();
                assert_eq!(restored, wanted);
            }
        }
    }

    #[test]
    fn every_token_stays_and_exactly_the_tags_are_left_out_of_the_loss() {
        for seed in 0..50 {
            let knot = tied(false, seed);
            let asked = |ranges: &[Range<usize>]| -> Vec<usize> { ranges.iter().cloned().flatten().collect() };
            let (targets, tagged) = (asked(&knot.targets), asked(&knot.tags));
            let mut places = [targets.clone(), tagged.clone()].concat();
            places.sort_unstable();
            assert_eq!(places, (0..knot.ids.len()).collect::<Vec<_>>());
            assert_eq!(tagged.len(), 5 * 2 * 2, "five cuts, two tags each, two tokens a tag");
            let mut kept: Vec<u32> = targets.iter().map(|place| knot.ids[*place]).collect();
            let mut wanted: Vec<u32> = documents().into_iter().flat_map(|document| document.ids).collect();
            kept.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(kept, wanted);
        }
    }

    #[test]
    fn the_last_part_stays_last_and_the_others_move() {
        let mut firsts = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let knot = tied(false, seed);
            assert_eq!(knot.ids.last(), documents().last().unwrap().ids.last());
            firsts.insert(knot.ids[..3].to_vec());
        }
        assert!(firsts.len() > 5, "{firsts:?}");
    }

    #[test]
    fn parts_in_order_come_in_order() {
        for seed in 0..50 {
            let knot = tied(true, seed);
            for document in documents() {
                let own: Vec<u32> =
                    knot.ids.iter().copied().filter(|id| *id != START && document.ids.contains(id)).collect();
                assert_eq!(own, document.ids[1..]);
            }
        }
    }

    #[test]
    fn the_same_seed_ties_the_same_knot_and_no_cut_none() {
        assert_eq!(tied(false, 3), tied(false, 3));
        assert_ne!(tied(false, 3), tied(false, 4));
        let one = &documents()[..1];
        let knot = tie(one, &[1], false, &tags(), &mut Rng::from_path(&[1]));
        assert_eq!((&knot.ids, &knot.targets, knot.tags.len()), (&one[0].ids, &one[0].targets, 0));
    }

    #[test]
    fn knotted_lessons_of_every_subject_ask_and_no_lesson_holds_a_tag() {
        let checkpoint = Checkpoint::builtin().unwrap();
        let teacher = Teacher::new(&checkpoint.tokenizer).unwrap();
        for subject in Subject::ALL {
            let (mut answers, mut tags) = (0, 0);
            for seed in 0..10 {
                let plain = teacher.lesson(subject, seed, 512).unwrap();
                assert!(!plain.ids.contains(&teacher.tags().opener));
                let knotted = lesson(&teacher, subject, &mut Rng::from_path(&[seed]), 512).unwrap();
                assert!(knotted.ids.len() <= 512);
                let opener = |id: &&u32| **id == teacher.tags().opener;
                tags += knotted.ids.iter().filter(opener).count();
                answers += knotted.answers.len();
            }
            assert!(answers >= 10 && tags >= 40, "{}: {answers} answers, {tags} tags", subject.slug());
        }
    }
}
