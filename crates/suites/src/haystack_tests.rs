use proptest::prelude::*;

use super::*;

fn sentence(language: Language) -> BoxedStrategy<String> {
    match language {
        Language::English => "[A-Z][a-z]{1,8}( [a-z]{1,9}| [0-9]{1,5}|, [A-Z][a-z]{2,6}){0,8}\\.".boxed(),
        Language::Chinese => {
            "(他|她|于|镇|河|橡|溪){1,6}(，(在|的|城|年|麦|石){1,5}|[0-9]{1,4}(年|石|斤)){0,4}。".boxed()
        }
        Language::Persian => {
            "(شهر|می\u{200c}رود|سال|مهران\u{200c}آباد|گندم)((،)? (در|از|و) (شهر|خانه\u{200c}ها|سالِ|پل|«گندم»|[0-9۰-۹]{1,4})){0,6}\\."
                .boxed()
        },
    }
}

fn language() -> impl Strategy<Value = Language> {
    prop_oneof![Just(Language::English), Just(Language::Chinese), Just(Language::Persian)]
}

type Sample = (Language, Vec<Vec<String>>, Vec<(usize, String)>);

fn sample() -> impl Strategy<Value = Sample> {
    language().prop_flat_map(|language| {
        let paragraphs = proptest::collection::vec(proptest::collection::vec(sentence(language), 1..6), 0..5);
        let plants = proptest::collection::vec((0_usize..20, sentence(language)), 0..5);
        (Just(language), paragraphs, plants)
    })
}

fn build(language: Language, paragraphs: &[Vec<String>], known: bool) -> Passage {
    let mut builder = PassageBuilder::new(language, 0);
    for paragraph in paragraphs {
        for sentence in paragraph {
            if known {
                builder.counted_sentence(sentence, planting_cost(language, sentence));
            } else {
                builder.sentence(sentence);
            }
        }
        builder.end_paragraph();
    }
    builder.finish()
}

proptest! {
    #[test]
    fn counts_are_exact_before_and_after_planting((language, paragraphs, plants) in sample()) {
        let passage = build(language, &paragraphs, false);
        prop_assert_eq!(passage.tokens, tokens::count(&passage.text));
        for place in &passage.breaks {
            prop_assert_eq!(place.token, tokens::count(passage.text.get(..place.byte).unwrap()));
        }
        let plants: Vec<(usize, &str)> = plants.iter().map(|(place, text)| (*place, text.as_str())).collect();
        let planted = passage.plant(&plants);
        prop_assert_eq!(planted.tokens, tokens::count(&planted.text), "{}", planted.text);
        for (needle, (_, sentence)) in planted.needles.iter().zip(&plants) {
            prop_assert_eq!(planted.text.get(needle.bytes.clone()).unwrap(), *sentence);
            let before = planted.text.get(..needle.bytes.start).unwrap().trim_end_matches(' ');
            prop_assert_eq!(needle.token_start, tokens::count(before));
        }
    }

    #[test]
    fn known_costs_give_the_same_passage((language, paragraphs, _) in sample()) {
        let (known, counted) = (build(language, &paragraphs, true), build(language, &paragraphs, false));
        prop_assert_eq!(known.text, counted.text);
        prop_assert_eq!(known.tokens, counted.tokens);
        prop_assert_eq!(known.breaks, counted.breaks);
    }

    #[test]
    fn the_cost_of_planting_is_exact_after_the_start((language, paragraphs, plants) in sample()) {
        let passage = build(language, &paragraphs, false);
        for (place, sentence) in plants {
            if place > 0 && passage.breaks.len() > 1 {
                let planted = passage.plant(&[(place, &sentence)]);
                prop_assert_eq!(planted.tokens, passage.tokens + planting_cost(language, &sentence));
            }
        }
    }

    #[test]
    fn a_corpus_fills_its_budget((language, paragraphs, _) in sample(), variant in 0_u64..9, share in 0.1_f64..0.8) {
        let joint = joint(language);
        let text: Vec<String> = paragraphs.iter().map(|paragraph| paragraph.join(joint)).collect();
        let text = text.join("\n\n");
        let Ok(corpus) = Corpus::new(language, &text) else { return Ok(()) };
        let budget = (f64::from(corpus.tokens()) * share) as u32;
        let passage = corpus.passage(variant, budget).unwrap();
        prop_assert_eq!(passage.tokens, tokens::count(&passage.text));
        prop_assert!(passage.tokens <= budget);
        if budget >= 64 {
            prop_assert!(passage.tokens + 8 >= budget, "{} of {budget}", passage.tokens);
        }
    }
}

#[test]
fn depths_find_breaks() {
    let sentences: Vec<String> = (0..50).map(|day| format!("Day {day} was quiet.")).collect();
    let passage = build(Language::English, &[sentences], false);
    assert_eq!(passage.break_at(0.0), 0);
    assert_eq!(passage.break_at(1.0), passage.breaks.len() - 1);
    assert_eq!(passage.break_at(0.5), 25);
}

#[test]
fn a_short_corpus_says_what_to_do() {
    let corpus = Corpus::new(Language::English, "One line only. And one more.").unwrap();
    let error = corpus.passage(0, 1000).unwrap_err().to_string();
    assert!(error.contains("upload a longer text"), "{error}");
    assert_eq!(Corpus::new(Language::English, " \n\n ").unwrap_err(), HaystackError::Empty);
}

#[test]
fn a_corpus_of_long_words_fills_its_budget() {
    let persian = "مهران\u{200c}آباد، در خانه\u{200c}ها در شهر.\n\nگندم، در ۰ در خانه\u{200c}ها. ".repeat(3);
    let addresses = "See https://example.org/a/b/c/d/e/f/g/h/i/j/k?l=1&m=2&n=3&o=4&p=5&q=6&r=7&s=8 now. ".repeat(9);
    let unbroken = "镇".repeat(400) + "。";
    for (language, text) in [
        (Language::Persian, &persian),
        (Language::English, &addresses),
        (Language::English, &unbroken),
        (Language::Chinese, &unbroken),
    ] {
        let corpus = Corpus::new(language, text).unwrap();
        for budget in 64..corpus.tokens().min(160) {
            for variant in 0..4 {
                let passage = corpus.passage(variant, budget).unwrap();
                assert_eq!(passage.tokens, tokens::count(&passage.text));
                assert!(passage.tokens <= budget && passage.tokens + 8 >= budget, "{} of {budget}", passage.text);
            }
        }
    }
}
