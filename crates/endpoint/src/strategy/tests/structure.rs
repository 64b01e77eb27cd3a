use proptest::prelude::*;

use super::*;
use crate::strategy::structure::{Aspect, Invalid, Structure};

const GOOD: &str = "Here it is.\n```\nThe seal of Norrby\n```\nand\n```\n1. Holders\n    1.1. Oro had it in 870\n    1.2. Edda took it\n2. \
                    Place\n    2.1. It lay in the hall\n```\n";

#[test]
fn a_reply_is_read_as_scope_aspects_and_descriptions() {
    let structure = Structure::parse(GOOD).unwrap();
    assert_eq!(structure.scope, "The seal of Norrby");
    let names: Vec<&str> = structure.aspects.iter().map(|aspect| aspect.name.as_str()).collect();
    assert_eq!(names, ["Holders", "Place"]);
    let described: Vec<&str> = structure.descriptions().collect();
    assert_eq!(described, ["Oro had it in 870", "Edda took it", "It lay in the hall"]);
}

#[test]
fn the_last_two_blocks_count() {
    let reply = format!("```\ndraft\n```\n{GOOD}");
    assert_eq!(Structure::parse(&reply), Structure::parse(GOOD));
}

#[test]
fn every_broken_rule_has_a_name() {
    let fenced = |hierarchy: &str| Structure::parse(&format!("```\nscope\n```\n```\n{hierarchy}\n```"));
    for (hierarchy, reason) in [
        ("", Invalid::Empty),
        ("Holders\n    1.1. Oro", Invalid::AspectNumber),
        ("1.1. Holders", Invalid::AspectNumber),
        ("1. Holders\n    1. Oro", Invalid::DescriptionNumber),
        ("1. Holders\n    1.2. Oro", Invalid::DescriptionNumber),
        ("1. Holders\n    1.1. Oro\n    1.3. Edda", Invalid::DescriptionNumber),
        ("1. Holders\n    Oro", Invalid::DescriptionNumber),
        ("    1.1. Oro", Invalid::Orphan),
        ("1. Holders\n2. Place\n    2.1. hall", Invalid::Undescribed),
        ("1. Holders", Invalid::Undescribed),
        ("1. Holders\n    1.1. Oro\n        1.1.1. had it", Invalid::TooDeep),
        ("1. \n    1.1. Oro", Invalid::NoText),
        ("1. Holders\n    1.1. ", Invalid::NoText),
    ] {
        assert_eq!(fenced(hierarchy), Err(reason), "{hierarchy:?}");
    }
    assert_eq!(Structure::parse("1. Holders\n    1.1. Oro"), Err(Invalid::Fences));
    assert_eq!(Structure::parse("```1. Holders```"), Err(Invalid::Fences));
    assert_eq!(Structure::parse("```\n\n```\n```\n1. a\n    1.1. b\n```"), Err(Invalid::Scope));
    assert!(fenced("1. Holders\n   \n    1.1. Oro").is_ok());
}

#[test]
fn structures_that_follow_each_other_are_one() {
    let one = Structure::parse(GOOD).unwrap();
    let other = Structure { scope: "Mills".to_owned(), ..one.clone() };
    let both = Structure::merged(&[one.clone(), one.clone(), other]).unwrap();
    assert_eq!(both.scope, "The seal of Norrby; Mills");
    assert_eq!(both.aspects.len(), 6);
    assert!(both.to_string().contains("\n6. Place\n    6.1. It lay in the hall"));
    assert_eq!(Structure::merged(&[]), None);
}

proptest! {
    #[test]
    fn what_is_printed_is_read_again(
        scope in "[a-zé镇][a-z 1.]{0,12}[a-z]",
        aspects in proptest::collection::vec(
            ("[a-zé镇][a-z 1.:]{0,12}[a-z]", proptest::collection::vec("[a-zé镇][a-z 1.]{0,20}[a-z]", 1..4)), 1..6),
    ) {
        let aspects = aspects.into_iter().map(|(name, descriptions)| Aspect { name, descriptions }).collect();
        let structure = Structure { scope, aspects };
        let reply = format!("```\n{}\n```\n```\n{}\n```", structure.scope, structure.hierarchy());
        prop_assert_eq!(Structure::parse(&reply), Ok(structure));
    }

    #[test]
    fn no_reply_is_too_odd(reply in "(```|\n|    |1\\.|2\\.1\\.| |a|镇|0){0,40}") {
        let _ = Structure::parse(&reply);
    }
}

/// A structure of the passage's first two sentences; nonsense for the one with the mark.
fn rewrites(prompt: &str) -> String {
    if !prompt.contains("Rewrite the text below") {
        return "Oro".to_owned();
    }
    let passage = between(prompt, "<text>", "</text>");
    if passage.contains("MARK") {
        return "1. no fences".to_owned();
    }
    let told: Vec<&str> = passage.split(". ").take(2).collect();
    format!("```\nMills\n```\n```\n1. Rye\n    1.1. {}\n    1.2. {}\n```", told[0], told.last().unwrap())
}

#[tokio::test]
async fn a_passage_without_structure_stays_as_it_is() {
    let document = prose(0..30) + "The MARK stands here. " + &prose(30..70);
    let (model, prompts) = model(rewrites);
    let answered = run("structurized", &[("passage", 128.0)], &model, &document).await;
    let (sent, reports) = (sent(&prompts), &answered.metered.reports);
    let passages = reports["passages"] as usize;
    assert_eq!(sent.len(), passages + 1);
    assert!(passages > 5);
    let rate = (passages - 1) as f64 / passages as f64;
    assert!((reports["valid_rate"] - rate).abs() < 1e-12, "{reports:?}");
    assert!((reports["description_coverage"] - 1.0).abs() < 1e-12, "{reports:?}");
    let context = sent[passages].strip_prefix(HEAD).unwrap().strip_suffix(TAIL).unwrap();
    let ratio = f64::from(tokens::count(context)) / f64::from(tokens::count(&document));
    assert!((reports["length_ratio"] - ratio).abs() < 1e-12 && ratio < 1.0);
    // Structures before and after are one each, in the order of the document, and their aspects count on.
    let raw = context.find("The MARK stands here.").unwrap();
    let (before, after) = context.split_at(raw);
    assert_eq!((before.matches("Mills").count(), after.matches("Mills").count()), (1, 1));
    assert!(
        before.starts_with("Mills\n1. Rye\n    1.1. In year 0 the mill") && before.contains("\n2. Rye\n    2.1. In")
    );
    assert!(after.contains("\n\nMills\n1. Rye\n    1.1. In year"));
}
