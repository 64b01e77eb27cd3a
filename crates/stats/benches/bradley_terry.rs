//! Bradley-Terry on a seeded log of a million votes on 129 models: Zipf(0.8) popularity, strengths N(0, 0.7), 15 %
//! Davidson ties, random order, 10,000 questions.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use longboard_stats::bootstrap;
use longboard_stats::design::{Design, Prepared};
use longboard_stats::fit::{Fit, Problem, maximum};
use longboard_stats::rating::ELO;
use longboard_stats::sandwich;
use longboard_stats::tally::Tally;
use longboard_stats::tie::Ties;
use longboard_stats::vote::{Ballot, VoteLog, Winner};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::weighted::WeightedIndex;
use rand_distr::{Distribution, StandardNormal, StandardUniform, Uniform};

const MODELS: usize = 129;
const VOTES: usize = 1_000_000;
const NEW: usize = 1000;

fn log() -> VoteLog {
    let mut rng = ChaCha8Rng::seed_from_u64(1000);
    let strengths: Vec<f64> =
        (0..MODELS).map(|_| 0.7 * Distribution::<f64>::sample(&StandardNormal, &mut rng)).collect();
    let names: Vec<String> = (0..MODELS).map(|place| format!("model-{place:03}")).collect();
    let popularity = WeightedIndex::new((1..=MODELS).map(|place| (place as f64).powf(-0.8))).unwrap();
    let questions = Uniform::new(0, 10_000).unwrap();
    let mut log = VoteLog::new();
    while log.votes().len() < VOTES + NEW {
        let (a, b) = (popularity.sample(&mut rng), popularity.sample(&mut rng));
        if a == b {
            continue;
        }
        let half = 0.5 * (strengths.get(a).unwrap() - strengths.get(b).unwrap());
        let [up, down, tie] = [half.exp(), (-half).exp(), 0.38];
        let place: f64 = Distribution::<f64>::sample(&StandardUniform, &mut rng) * (up + down + tie);
        let winner = match place {
            place if place < up => Winner::First,
            place if place < up + down => Winner::Second,
            _ => Winner::Tie,
        };
        let question = format!("q{}", questions.sample(&mut rng));
        let (first, second) = (names.get(a).unwrap(), names.get(b).unwrap());
        log.push(&Ballot { first, second, winner, question: &question, judge: "", weight: 1.0, lengths: None })
            .unwrap();
    }
    log
}

/// Largest distance in Elo.
fn distance(left: &Fit, right: &[f64]) -> f64 {
    left.theta().iter().zip(right).map(|(left, right)| (left - right).abs() * ELO).fold(0.0, f64::max)
}

/// How far one more Newton step would move, in Elo.
fn left_over(problem: &Problem, fit: &Fit) -> f64 {
    let again = problem.solve(Some(&fit.parameters)).unwrap();
    distance(fit, &again.theta())
}

fn bench(criterion: &mut Criterion) {
    let log = log();
    let (old, new) = log.votes().split_at(VOTES);
    let mut tally = Tally::new(MODELS).unwrap();
    old.iter().for_each(|vote| tally.add(vote).unwrap());
    let ties = tally.totals().get(1).unwrap() / VOTES as f64;
    let before = maximum(&tally, Ties::HalfWin, false, None).unwrap();
    println!("{} pairs, ties {ties:.3}, {} steps", Problem::of(&tally, Ties::HalfWin, false).cells.len(), before.steps);
    println!("next step would move {:.1e} Elo", left_over(&Problem::of(&tally, Ties::HalfWin, false), &before));

    let mut group = criterion.benchmark_group("bradley_terry");
    group.sample_size(10);
    group.bench_function("tally of a million votes", |bencher| {
        bencher.iter(|| {
            let mut tally = Tally::new(MODELS).unwrap();
            old.iter().for_each(|vote| tally.add(vote).unwrap());
            tally
        });
    });
    for ties in [Ties::HalfWin, Ties::Davidson, Ties::RaoKupper] {
        group.bench_function(format!("fit and battle-level sandwich from a tally, {ties:?}"), |bencher| {
            bencher.iter(|| {
                let problem = Problem::of(black_box(&tally), ties, false);
                let fit = problem.solve(None).unwrap();
                sandwich::battles(&problem, &fit)
            });
        });
    }
    let members: Vec<usize> = (0..MODELS).collect();
    let (prepared, fit) = Prepared::new(&log, &members, &Design::default()).solved().unwrap();
    group.bench_function("clustered sandwich from rows in memory", |bencher| {
        bencher.iter(|| sandwich::clustered(&prepared.problem, &fit, black_box(&prepared.rows), true).unwrap());
    });
    group.bench_function("refit after 1000 new votes", |bencher| {
        bencher.iter_batched(
            || tally.clone(),
            |mut tally| {
                new.iter().for_each(|vote| tally.add(vote).unwrap());
                maximum(&tally, Ties::HalfWin, false, Some(&before)).unwrap()
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("1000 bootstrap rounds from a tally", |bencher| {
        bencher.iter(|| bootstrap::cells(&prepared.problem, &fit, 1000, 1).unwrap());
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
