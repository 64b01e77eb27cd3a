//! The world: endless, never repeating, and consistent with what it says.

use std::collections::HashSet;

use longboard_suites::card::Language;
use longboard_suites::haystack::Haystack;
use longboard_suites::tokens;
use longboard_suites::world::{Chronicle, Fact, MeasureKind, PersonId, TownId, World};

#[test]
fn no_paragraph_repeats_within_a_million_tokens() {
    for language in [Language::English, Language::Chinese] {
        let passage = World::new(42).haystack(language).passage(3, 1024 * 1024).unwrap();
        let mut seen = HashSet::new();
        let paragraphs = passage.text.split("\n\n");
        assert!(paragraphs.clone().count() > 3000);
        for paragraph in paragraphs {
            assert!(seen.insert(paragraph), "{language:?}: {paragraph}");
        }
    }
}

#[test]
fn passages_fill_their_budget_to_the_token() {
    for language in [Language::English, Language::Chinese] {
        for (variant, budget) in [(1, 64), (2, 100), (3, 517), (4, 3000), (5, 40_000)] {
            let passage = World::new(9).haystack(language).passage(variant, budget).unwrap();
            assert_eq!(passage.tokens, tokens::count(&passage.text), "{language:?} {budget}");
            assert!((budget - 8..=budget).contains(&passage.tokens), "{language:?}: {} of {budget}", passage.tokens);
        }
    }
}

#[test]
fn the_chronicle_knows_what_it_says() {
    let world = World::new(5);
    let mut chronicle = Chronicle::new(world, Language::English, 1);
    let mut stated = 0;
    for _ in 0..200 {
        for statement in chronicle.paragraph() {
            let number = match &statement.fact {
                Fact::Town(town) => world.town(*town).founded,
                Fact::Life(person) => world.person(*person).born,
                Fact::Term(term) => term.to,
                Fact::Measure(measure) => measure.amount,
                Fact::Event(event) => event.year,
                Fact::Parents(_) | Fact::Marriage(..) | Fact::Death(_) | Fact::None => continue,
            };
            assert!(statement.text.contains(&number.to_string()), "{}: {number}", statement.text);
            stated += 1;
        }
    }
    assert!(stated > 300);
}

#[test]
fn queries_agree_with_each_other() {
    let world = World::new(11);
    for id in (0..480).map(PersonId) {
        let person = world.person(id);
        assert!(person.died > person.born);
        for parent in world.parents(id) {
            assert!(world.children(parent).contains(&id));
            assert!(world.person(parent).born + 15 < person.born);
        }
        assert!(world.siblings(id).iter().all(|sibling| world.siblings(*sibling).contains(&id)));
        assert!(world.people_of(person.home).contains(&id));
        assert_eq!(world.spouse(id).and_then(|spouse| world.spouse(spouse)), world.spouse(id).map(|_| id));
    }
    let town = TownId(3);
    let terms = world.terms(town);
    assert!(terms.windows(2).all(|pair| pair[0].to == pair[1].from));
    assert_eq!(world.reeve(town, terms[2].from), Some(terms[2].holder));
    assert_eq!(world.events_between(town, 850, 859).len(), 20);
    let sum: u64 = (850..860).map(|year| u64::from(world.measures(town, year)[0].amount)).sum();
    assert_eq!(world.total(town, MeasureKind::HarvestSacks, 850, 859), sum);
    for other in world.neighbours(town) {
        assert_eq!(world.leagues(town, other), world.leagues(other, town));
        assert!(world.leagues(town, other).unwrap() > 0);
    }
}
