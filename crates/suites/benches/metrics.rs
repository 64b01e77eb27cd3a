//! How much processor time the score of an answer takes, by metric and length, on texts of the chronicle that share half their sentences.
//!
//! `LONGBOARD_BENCH_INPUTS=file` also writes the texts with the scores given to them, one pair a line, for
//! `peers/metrics.py`, which times the official scorers on the same texts and compares.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod processor_time;

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use longboard_suites::card::Language;
use longboard_suites::metrics::rouge::lsum::lsum;
use longboard_suites::metrics::rouge::scored::{self, Stemmer};
use longboard_suites::metrics::rouge::unique;
use longboard_suites::metrics::{longbench, loogle, m4le, token_f1};
use longboard_suites::rng::Rng;
use longboard_suites::world::{Chronicle, World};
use processor_time::ProcessorTime;
use serde_json::json;

/// Words of an answer; in Chinese pairs of characters.
const LENGTHS: [usize; 3] = [20, 200, 2000];
/// Pairs of each length.
const PAIRS: u64 = 8;

/// A metric as the peers' script calls it: candidate and reference to a score.
struct Measure {
    name: &'static str,
    language: Language,
    score: fn(&str, &str) -> f64,
}

const fn english(name: &'static str, score: fn(&str, &str) -> f64) -> Measure {
    Measure { name, language: Language::English, score }
}

const fn chinese(name: &'static str, score: fn(&str, &str) -> f64) -> Measure {
    Measure { name, language: Language::Chinese, score }
}

const MEASURES: [Measure; 17] = [
    english("token_f1", |candidate, reference| token_f1::english(candidate, reference).f),
    english("rouge_all", |candidate, reference| {
        unique::score(reference, candidate).map_or(0.0, |scores| scores.rouge1.f + scores.rouge2.f + scores.rouge_l.f)
    }),
    english("rouge_l", longbench::rouge),
    english("scored_1", |candidate, reference| scored::rouge_n(reference, candidate, 1, Stemmer::None).f),
    english("scored_2", |candidate, reference| scored::rouge_n(reference, candidate, 2, Stemmer::None).f),
    english("scored_l", |candidate, reference| scored::rouge_l(reference, candidate, Stemmer::None).f),
    english("scored_lsum", |candidate, reference| lsum(reference, candidate, Stemmer::None).f),
    english("stemmed_1", |candidate, reference| scored::rouge_n(reference, candidate, 1, Stemmer::Porter).f),
    english("stemmed_2", |candidate, reference| scored::rouge_n(reference, candidate, 2, Stemmer::Porter).f),
    english("stemmed_l", |candidate, reference| scored::rouge_l(reference, candidate, Stemmer::Porter).f),
    english("stemmed_lsum", |candidate, reference| lsum(reference, candidate, Stemmer::Porter).f),
    english("bleu", |candidate, reference| loogle::bleu1_bleu4(candidate, reference).iter().sum()),
    english("edit_similarity", longbench::code_sim),
    chinese("f1_zh", token_f1::chinese),
    chinese("rouge_l_zh", longbench::rouge_zh),
    chinese("rouge_chinese", |candidate, reference| m4le::rouge_zh(candidate, &[reference.to_owned()]).f),
    chinese("bleu_zh", |candidate, reference| {
        m4le::bleu::corpus(&[(candidate, &[reference.to_owned()])], true).unwrap_or_default()
    }),
];

/// A candidate and its reference.
struct Pair {
    candidate: String,
    reference: String,
}

impl Pair {
    /// Every other sentence of the candidate is the reference's, and they stand in the reference's order.
    fn new(language: Language, words: usize, number: u64) -> Self {
        let world = World::new(7);
        let mut told = Chronicle::new(world, language, number);
        let mut other = Chronicle::new(world, language, number + 1000);
        let mut rng = Rng::from_path(&[number, words as u64]);
        let (mut candidate, mut reference) = (Vec::new(), Vec::new());
        while length(language, &candidate) < words || length(language, &reference) < words {
            for (statement, strange) in told.paragraph().into_iter().zip(other.paragraph()) {
                candidate.push(if rng.index(2) == 0 { statement.text.clone() } else { strange.text });
                reference.push(statement.text);
            }
        }
        Self { candidate: joined(language, &candidate, words), reference: joined(language, &reference, words) }
    }
}

fn length(language: Language, sentences: &[String]) -> usize {
    match language {
        Language::Chinese => sentences.iter().map(|sentence| sentence.chars().count()).sum::<usize>() / 2,
        Language::English | Language::Persian => sentences.iter().map(|text| text.split(' ').count()).sum(),
    }
}

/// The first `words` words. English sentences stand on lines of their own for the summary-level scores.
fn joined(language: Language, sentences: &[String], words: usize) -> String {
    match language {
        Language::Chinese => sentences.concat().chars().take(words * 2).collect(),
        Language::English | Language::Persian => {
            sentences.join("\n").split_inclusive([' ', '\n']).take(words).collect::<String>().trim_end().to_owned()
        }
    }
}

fn metrics(criterion: &mut Criterion<ProcessorTime>) {
    let mut lines = Vec::new();
    let mut group = criterion.benchmark_group("metric");
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for words in LENGTHS {
        for language in [Language::English, Language::Chinese] {
            let pairs: Vec<Pair> = (0..PAIRS).map(|number| Pair::new(language, words, number)).collect();
            let measures = MEASURES.iter().filter(|measure| measure.language == language);
            let mut scores = vec![serde_json::Map::new(); pairs.len()];
            for Measure { name, score, .. } in measures {
                for (scores, pair) in scores.iter_mut().zip(&pairs) {
                    scores.insert(
                        (*name).to_owned(),
                        json!(score(&one_line(name, &pair.candidate), &one_line(name, &pair.reference))),
                    );
                }
                let texts: Vec<(String, String)> = pairs
                    .iter()
                    .map(|pair| (one_line(name, &pair.candidate), one_line(name, &pair.reference)))
                    .collect();
                group.bench_function(BenchmarkId::new(*name, words), |bencher| {
                    bencher.iter(|| {
                        texts.iter().map(|(candidate, reference)| score(black_box(candidate), reference)).sum::<f64>()
                    });
                });
            }
            lines.extend(pairs.iter().zip(scores).map(|(pair, scores)| {
                json!({ "words": words, "candidate": pair.candidate, "reference": pair.reference, "scores": scores })
            }));
        }
    }
    group.finish();
    if let Some(path) = std::env::var_os("LONGBOARD_BENCH_INPUTS") {
        let mut file = std::fs::File::create(path).unwrap();
        for line in lines {
            writeln!(file, "{line}").unwrap();
        }
    }
}

/// Code is compared by its first line, so that all of a text stands on one.
fn one_line(name: &str, text: &str) -> String {
    if name == "edit_similarity" { text.replace('\n', " ") } else { text.to_owned() }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime(WallTime));
    targets = metrics
}
criterion_main!(benches);
