use proptest::prelude::*;

use super::*;

const TEXT: &str = "In the year 881 the fields around Elikwick gave 4100 sacks of rye. In the same year a sack was sold at Elikwick for 31 pence. Ada Lark, later a potter, was born at Elikwick in 881.\n\nIn the year 940 the fields around Elikwick gave 900 sacks of rye. In 940 Ada Lark died at Elikwick at the age of 59.\n\nBor Pike was buried at Ulstead in 941, 60 years old.";

#[test]
fn sentences_leave_out_frames_marks_and_abbreviations() {
    let answer =
        "Sure, here it is.\n# Life\n- Dr. Lark was born in 881. She died.\n2) J. R. Pike lived!\nI hope this helps.";
    assert_eq!(sentences(answer), ["Life", "Dr. Lark was born in 881.", "She died.", "J. R. Pike lived!"]);
    assert_eq!(sentences("他生于881年。死于940年。"), ["他生于881年。", "死于940年。"]);
}

#[test]
fn facts_stand_alone() {
    let facts = atomic_facts("Ada Lark was born in 881 and died in 940; she kept a shop. She was a potter.");
    assert_eq!(
        facts,
        ["Ada Lark was born in 881", "Ada Lark died in 940", "Ada Lark kept a shop", "Ada Lark was a potter"]
    );
}

#[test]
fn passages_support_what_they_say() {
    let source = Passages::new(TEXT);
    let report = rate("Ada Lark was born at Elikwick in 881 and died in 940. Bor Pike died in 940. So be it.", &source);
    let labels: Vec<Support> = report.facts.iter().map(|fact| fact.label).collect();
    assert_eq!(labels[..3], [Support::Supported, Support::Supported, Support::NotSupported], "{report:?}");
    assert!(report.facts[0].evidence[0].text.contains("potter"));
    let price = rate("In 881 a sack was sold at Elikwick for 31 pence.", &source);
    assert_eq!(price.count(Support::Supported), 1, "a year at the head of the paragraph counts: {price:?}");
    assert!(rate("", &source).facts.is_empty() && Passages::new("").evidence("Ada", 3).is_empty());
}

#[test]
fn a_repeated_fact_counts_once_in_the_strict_form() {
    let source = Passages::new(TEXT);
    let report = rate(&"Ada Lark died in 940. ".repeat(8), &source);
    assert_eq!(report.count(Support::Supported), 8);
    assert_eq!(report.f1_at(8), Some(1.0));
    let strict = report.strict_f1_at(8).unwrap();
    assert!((strict - 2.0 * 0.125 / 1.125).abs() < 1e-12, "{strict}");
    assert_eq!((report.f1_at(0), report.strict_f1_at(0)), (None, None));
}

fn rater() -> FactRater {
    FactRater::new("Tell the life of Ada Lark.", "She died in 940.", "She died in 940", "nonce")
}

#[test]
fn a_rater_walks_the_steps() {
    let source = Passages::new(TEXT);
    let mut rater = rater();
    rater.reply("```\nAda Lark died in 940.\n```");
    rater.reply("It is her death. [Foo]");
    for _ in 0..SEARCHES {
        rater.reply("```\nAda Lark death\n```");
        let Step::Search(query) = rater.step() else { panic!("no search: {:?}", rater.step()) };
        rater.found(source.evidence(&query, RESULTS));
    }
    let Step::Ask(messages) = rater.step() else { panic!("no question") };
    assert!(messages[0].content.contains("at the age of 59"));
    rater.reply("no brackets");
    rater.reply("[1] says so");
    rater.reply("The passage says so. [Supported.]");
    let Step::Done(fact) = rater.step() else { panic!("no verdict: {:?}", rater.step()) };
    assert_eq!((fact.text.as_str(), fact.label), ("Ada Lark died in 940.", Support::Supported));
    assert!(fact.evidence.len() <= RESULTS, "the same passage is kept once");
}

#[test]
fn unreadable_replies_drop_a_fact_but_not_its_relevance() {
    let mut lost = rater();
    (0..REPLY_TRIES).for_each(|_| lost.reply("no block"));
    assert_eq!(lost.step(), Step::Dropped);
    let mut unclear = rater();
    unclear.reply("```\nx\n```");
    (0..REPLY_TRIES).for_each(|_| unclear.reply("[maybe]"));
    assert!(matches!(unclear.step(), Step::Ask(messages) if messages[0].content.contains("search query")));
    let mut irrelevant = rater();
    irrelevant.reply("```\nx\n```");
    irrelevant.reply("[Not Foo]");
    assert!(matches!(irrelevant.step(), Step::Done(fact) if fact.label == Support::Irrelevant));
}

proptest! {
    #[test]
    fn any_answer_is_rated(answer in ".{0,300}") {
        let report = rate(&answer, &Passages::new(TEXT));
        let f1 = report.f1_at(K_MEDIAN).unwrap();
        prop_assert!((0.0..=1.0).contains(&f1));
        prop_assert!(report.strict_f1_at(K_MEDIAN).unwrap() <= f1);
        prop_assert!(read_atomic_facts(&answer).iter().all(|fact| !fact.is_empty()));
    }

    #[test]
    fn f1_grows_with_support_and_falls_with_k(supported in 0_u64..300, wrong in 0_u64..300, k in 1_u64..300) {
        let f1 = |supported, wrong, k| longfact::f1_at_k(supported, wrong, k).unwrap();
        prop_assert!(f1(supported + 1, wrong, k) >= f1(supported, wrong, k));
        prop_assert!(f1(supported, wrong + 1, k) <= f1(supported, wrong, k));
        prop_assert!(f1(supported, wrong, k + 1) <= f1(supported, wrong, k));
    }
}
