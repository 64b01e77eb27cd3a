//! Questions about a book that lead through a parent: the parent's name stands beside the child, the parent's life
//! elsewhere.

use std::collections::HashMap;

use super::book::{Book, Place};
use super::book_question::{self, Asker, Question};
use crate::rng::Rng;
use crate::world::{Fact, PersonId};

/// Tries before a kind of question is given up.
const TRIES: usize = 24;

/// What a book tells of parents.
pub struct Kin<'a> {
    book: &'a Book,
    asker: Asker<'a>,
    lives: HashMap<PersonId, Place>,
    parents: HashMap<PersonId, Place>,
}

/// Somebody with the only parent that the world names, and the sentences that say so.
#[derive(Debug, Clone)]
struct Link {
    parent: PersonId,
    evidence: [Place; 3],
}

impl<'a> Kin<'a> {
    /// What `book` tells.
    pub fn new(book: &'a Book) -> Self {
        let (mut lives, mut parents) = (HashMap::new(), HashMap::new());
        for (place, statement) in book.sentences() {
            match statement.fact {
                Fact::Life(id) => drop(lives.insert(id, place)),
                Fact::Parents(id) => drop(parents.insert(id, place)),
                _ => {}
            }
        }
        Self { book, asker: Asker::new(book), lives, parents }
    }

    /// The way from `child` to a parent whose life is told in another section; both have a name of their own.
    fn link(&self, child: PersonId) -> Option<Link> {
        let &[parent] = self.book.world.parents(child).as_slice() else { return None };
        let (life, named) = (*self.lives.get(&child)?, *self.parents.get(&child)?);
        let told = *self.lives.get(&parent)?;
        self.asker.known(child)?;
        self.asker.known(parent)?;
        (told.section != named.section).then_some(Link { parent, evidence: [life, named, told] })
    }

    /// A question about the parent of somebody who is named.
    pub fn of_parent(&self, rng: &mut Rng) -> Option<Question> {
        let mut children: Vec<PersonId> = self.parents.keys().copied().collect();
        children.sort_unstable();
        (0..TRIES).find_map(|_| {
            let child = *rng.choose(&children)?;
            let link = self.link(child)?;
            self.asked(&self.asker.known(child)?, &link, &[], rng)
        })
    }

    /// A question about the parent of somebody who is told by office or deed, in a third section.
    pub fn of_parent_of(&self, rng: &mut Rng) -> Option<Question> {
        let told: Vec<(Place, &Fact)> =
            self.book.sentences().map(|(place, statement)| (place, &statement.fact)).collect();
        let leading: Vec<(Place, &Fact)> =
            told.into_iter().filter(|(_, fact)| matches!(fact, Fact::Event(_) | Fact::Term(_))).collect();
        (0..TRIES * 4).find_map(|_| {
            let (place, fact) = rng.choose(&leading)?;
            let (child, who) = match fact {
                Fact::Event(event) => (event.leader, self.asker.of_leader(event)?),
                Fact::Term(term) => (term.holder, self.asker.of_holder(term)?),
                _ => return None,
            };
            let link = self.link(child)?;
            let apart = link.evidence.iter().all(|other| other.section != place.section);
            apart.then(|| self.asked(&who, &link, &[*place], rng))?
        })
    }

    fn asked(&self, child: &str, link: &Link, before: &[Place], rng: &mut Rng) -> Option<Question> {
        let who = format!("the one parent whom the text names for {child}");
        let (text, answer, wrong) = self.asker.of_life(link.parent, &who, rng)?;
        let evidence = before.iter().chain(&link.evidence).copied().collect();
        book_question::finish(text, answer, evidence, wrong, rng)
    }
}
