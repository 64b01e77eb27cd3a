//! The rule by enumeration, and drafting on random weights.

use candle_core::{Device, Tensor};
use longboard_suites::rng::Rng;

use super::draft::{TARGETS, drafters};
use super::*;
use crate::config::{LayerKind, ModelConfig, Norm};
use crate::decoder::Decoder;
use crate::model::Model;
use crate::policy::Card;
use crate::retrieval::Retrieval;
use crate::rope::RopeScaling;
use crate::tokenizer::Tokenizer;
use crate::train::lesson::Teacher;

/// Local and global layers, so that windows are taken back too.
fn decoder(seed: u64) -> Decoder {
    let kind = |window| LayerKind { window, rope: true };
    let config = ModelConfig {
        vocab_size: 400,
        hidden_size: 32,
        intermediate_size: 48,
        heads: 4,
        kv_heads: 2,
        head_dim: 16,
        layers: vec![kind(Some(8)), kind(None), kind(None)],
        norm_eps: 1e-5,
        norm: Norm::Rms,
        rope_theta: 10_000.0,
        rope_scaling: RopeScaling::Plain,
        rope_interleaved: false,
        max_positions: 256,
        tied: false,
        qkv_bias: false,
        output_bias: false,
        qk_norm: false,
        parallel: false,
        logit_scale: 1.0,
        log_n_from: None,
        head_gates: None,
    };
    let mut rng = Rng::from_path(&[seed]);
    Decoder::assemble(config, |name, shape| {
        let (middle, width) = if name.contains("norm") { (1.0, 0.0) } else { (0.0, 0.6) };
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| (middle + width * (rng.unit() - 0.5)) as f32).collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    })
    .unwrap()
}

fn tokenizer() -> Tokenizer {
    Tokenizer::learn(&Teacher::reading(1, 1).unwrap(), 400).unwrap()
}

fn settings(given: &[(&str, f64)]) -> Vec<(String, f64)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// A model of random weights under a policy whose choices show.
fn model(seed: u64, tokenizer: &Tokenizer, slug: &str) -> (Model, &'static Card) {
    let tight = match slug {
        "quest" => settings(&[("budget", 64.0), ("dense-layers", 0.0)]),
        "minference-a-shape" => settings(&[("sinks", 8.0), ("window", 70.0)]),
        "minference-vertical-slash" => settings(&[("vertical", 64.0), ("slash", 128.0)]),
        "minference-block-sparse" => settings(&[("blocks", 2.0)]),
        "moba" => settings(&[("block", 64.0), ("top", 2.0)]),
        "self-extend" => settings(&[("group", 4.0), ("near", 40.0)]),
        _ => Vec::new(),
    };
    let card = Card::find(slug).unwrap();
    let policy = card.build(&card.settings(&tight).unwrap());
    (Model::new(decoder(seed), tokenizer.clone(), policy), card)
}

fn text(count: usize) -> Vec<u32> {
    let mut rng = Rng::from_path(&[9]);
    (0..count).map(|_| rng.below(400) as u32).collect()
}

/// A target and a drafter for it.
fn pair(
    tokenizer: &Tokenizer,
    decode: Decode,
    given: &[(&str, f64)],
    target: (u64, &str),
    drafter: (u64, &str),
) -> (Model, Speculator) {
    let (target_model, card) = model(target.0, tokenizer, target.1);
    let (drafter, draft_card) = model(drafter.0, tokenizer, drafter.1);
    let speculator = Speculator::new(decode, &settings(given), (&target_model, card), (drafter, draft_card)).unwrap();
    (target_model, speculator)
}

#[test]
fn greedy_answers_are_the_targets_whoever_drafts() {
    let tokenizer = tokenizer();
    let prompt = text(300);
    for target in TARGETS {
        let (model, speculator) = pair(&tokenizer, Decode::Plain, &[("gamma", 5.0)], (5, target), (6, "dense"));
        let (answer, tally) = speculator.generate(&model, &prompt, 24).unwrap();
        assert_eq!(answer, model.generate(&prompt, 24).unwrap(), "{target}");
        assert!(!tally.transfer && tally.acceptance().unwrap() < 0.9, "{target}: {tally:?}");
    }
    for drafter in drafters() {
        let (model, speculator) = pair(&tokenizer, Decode::Rapid, &[("eta", 0.0)], (5, "dense"), (5, drafter));
        let short = Retrieval { chunk: 16, question: 16, least: 128, share: 24 };
        let speculator = speculator.with_retrieval(short);
        let (answer, tally) = speculator.generate(&model, &prompt, 24).unwrap();
        assert_eq!(answer, model.generate(&prompt, 24).unwrap(), "{drafter}");
        assert!(!tally.transfer && (96..=128).contains(&tally.draft_prompt_tokens), "{tally:?}");
    }
}

#[test]
fn a_drafter_that_is_the_target_is_always_right() {
    let tokenizer = tokenizer();
    let prompt = text(200);
    for temperature in [0.0, 1.0] {
        let given = [("gamma", 4.0), ("temperature", temperature), ("seed", 3.0)];
        let (model, speculator) = pair(&tokenizer, Decode::Plain, &given, (5, "dense"), (5, "dense"));
        let (answer, tally) = speculator.generate(&model, &prompt, 41).unwrap();
        assert_eq!(tally.acceptance(), Some(1.0), "{tally:?}");
        assert_eq!((answer.len(), tally.target_passes), (41, 8));
    }
}

#[test]
fn caches_hold_what_is_decided_after_every_block() {
    let tokenizer = tokenizer();
    let prompt = text(150);
    let (model, speculator) =
        pair(&tokenizer, Decode::Rapid, &[("eta", 2.0), ("gamma", 6.0)], (5, "dense"), (6, "dense"));
    let mut sequence = model.sequence_for(prompt.len());
    let mut draft = speculator.begin(&prompt);
    let logits = model.prefill(&mut sequence, &prompt).unwrap();
    while !speculator.read(&mut draft).unwrap() {}
    let mut answer = vec![speculator.first(&mut draft, &logits)];
    let mut rejected = 0;
    for _ in 0..30 {
        let block = speculator.block(&model, &mut sequence, &mut draft, *answer.last().unwrap(), 100).unwrap();
        rejected += usize::from(block.len() <= 6);
        answer.extend(block.iter().map(|(token, _)| *token));
        let decided = prompt.len() + answer.len() - 1;
        assert_eq!((sequence.tokens(), sequence.stored()), (decided, (decided as f64, decided)));
        let unread = draft.unread();
        assert_eq!(*unread, answer[answer.len() - unread.len()..]);
        assert_eq!(draft.tokens(), prompt.len() + answer.len() - unread.len());
    }
    assert!(rejected > 10, "{rejected}");
    let straight = model.prefill(&mut model.sequence(), &[&prompt[..], &answer].concat()).unwrap();
    let feed =
        crate::model::Feed { sequence: &mut sequence, ids: &answer[answer.len() - 1..], wanted: 1, prompt_ends: false };
    let rolled = model.forward(&mut [feed]).unwrap().remove(0).remove(0);
    let far = straight.iter().zip(&rolled).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far < 1e-4, "{far}");
}

#[test]
fn the_law_is_the_moved_one_within_three_sigma() {
    const DRAWS: u32 = 200_000;
    let target: Vec<f32> = vec![1.2, -0.3, 0.0, 2.1, -1.0, 0.7, 0.4, -2.0];
    let draft: Vec<f32> = vec![-0.5, 1.5, 0.3, 0.1, 0.9, -1.2, 2.0, 0.0];
    for (eta, temperature) in [(0.0, 1.0), (3.0, 1.0), (8.0, 0.7)] {
        let rule = Rule { gamma: 1, eta, temperature };
        let (law, draft_law) = (rule.transferred(&target, &draft), rule.law(&draft));
        let mut rng = Rng::from_path(&[11, eta as u64]);
        let mut counts = [0_u32; 8];
        for _ in 0..DRAWS {
            let proposed = sample(&draft_law, rng.unit());
            let token = if accepts(&law, &draft_law, proposed, rng.unit()) {
                proposed
            } else {
                sample(&residual(&law, &draft_law), rng.unit())
            };
            counts[token as usize] += 1;
        }
        for (count, share) in counts.iter().zip(&law) {
            let expected = f64::from(DRAWS) * share;
            let sigma = (expected * (1.0 - share)).sqrt();
            assert!((f64::from(*count) - expected).abs() <= 3.0 * sigma, "eta {eta}: {count} of {expected}, {sigma}");
        }
    }
}

#[test]
fn transfer_moves_the_law_towards_the_drafter() {
    let (target, draft) = (vec![1.0, 0.9, -3.0], vec![-5.0, 5.0, -5.0]);
    let rule = |eta, temperature| Rule { gamma: 1, eta, temperature };
    let plain = rule(0.0, 1.0).transferred(&target, &draft);
    assert_eq!(plain, rule(0.0, 1.0).law(&target));
    let moved = rule(5.0, 1.0).transferred(&target, &draft);
    assert!(moved[1] > plain[1] && moved[0] < plain[0], "{moved:?}");
    assert!((moved.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    // softmax(z + eta (q - p)) by hand for the second token.
    let (p, q) = (rule(0.0, 1.0).law(&target), rule(0.0, 1.0).law(&draft));
    let weights: Vec<f64> =
        (0..3).map(|token| (f64::from(target[token]) + 5.0 * (q[token] - p[token])).exp()).collect();
    assert!((moved[1] - weights[1] / weights.iter().sum::<f64>()).abs() < 1e-12);
    assert_eq!(rule(0.0, 0.0).transferred(&target, &draft), [1.0, 0.0, 0.0]);
    assert_eq!(rule(5.0, 0.0).transferred(&target, &draft), [0.0, 1.0, 0.0]);
}

#[test]
fn draws_at_the_edges() {
    assert_eq!(sample(&[0.0, 0.5, 0.5, 0.0], 0.0), 1);
    assert_eq!(sample(&[0.0, 0.5, 0.499_999, 0.0], 0.999_999_9), 2);
    assert_eq!(residual(&[0.25, 0.75], &[0.25, 0.75]), [0.25, 0.75]);
    assert_eq!(residual(&[0.5, 0.5, 0.0], &[0.25, 0.5, 0.25]), [1.0, 0.0, 0.0]);
    assert!(!accepts(&[1.0, 0.0], &[0.0, 1.0], 1, 0.0));
    assert!(accepts(&[0.5, 0.5], &[0.5, 0.5], 0, 0.999_999));
}

#[test]
fn what_cannot_be_drafted_is_refused_by_name() {
    let tokenizer = tokenizer();
    let made = |given: &[(&str, f64)], target: &str, drafter: (&Tokenizer, &str)| {
        let (target, card) = model(5, &tokenizer, target);
        let (drafter, draft_card) = model(6, drafter.0, drafter.1);
        let made = Speculator::new(Decode::Plain, &settings(given), (&target, card), (drafter, draft_card));
        made.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(made(&[], "dense", (&tokenizer, "quest")), "");
    let other = Tokenizer::learn(&Teacher::reading(2, 7).unwrap(), 400).unwrap();
    assert!(made(&[], "dense", (&other, "dense")).contains("different tokenizers"));
    for card in Card::all() {
        let (target, drafter) =
            (made(&[], card.slug, (&tokenizer, "dense")), made(&[], "dense", (&tokenizer, card.slug)));
        assert_eq!(target.contains(card.slug), !TARGETS.contains(&card.slug), "{target}");
        assert_eq!(drafter.contains(card.slug), !drafters().contains(&card.slug), "{drafter}");
    }
    assert!(made(&[("gama", 1.0)], "dense", (&tokenizer, "dense")).contains("gamma"));
    assert!(made(&[("gamma", 64.0)], "dense", (&tokenizer, "dense")).contains("1 to 63"));
    assert!(made(&[("eta", 1.0)], "dense", (&tokenizer, "dense")).contains("eta of plain must be 0"));
    assert!(made(&[("temperature", f64::NAN)], "dense", (&tokenizer, "dense")).contains("temperature"));
    assert!(Decode::find("medusa").is_err());
    assert_eq!(Decode::find("rapid").unwrap(), Decode::Rapid);
}
