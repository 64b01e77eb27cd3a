//! Every file of the Bradley-Terry golden set, to the tolerances of its README.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::PathBuf;

use longboard_stats::bootstrap::{self, Resample};
use longboard_stats::design::{Design, Order, Prepared};
use longboard_stats::fit::Fit;
use longboard_stats::graph;
use longboard_stats::rating::{self, RatingOptions};
use longboard_stats::sandwich;
use longboard_stats::tally::Tally;
use longboard_stats::tie::Ties;
use longboard_stats::vote::{Ballot, VoteLog, Winner};
use longboard_stats::vote_file;
use serde_json::Value;

const ELO: f64 = 173.717_792_761_247_06;
const CASES: [&str; 23] = [
    "both_bad",
    "clustered",
    "covariates",
    "edge_bridge",
    "edge_cycle",
    "edge_duplicate_order",
    "edge_empty",
    "edge_extreme",
    "edge_one_tie_bridge",
    "edge_only_ties",
    "edge_self_votes",
    "edge_two_components",
    "edge_two_models",
    "edge_two_models_ties",
    "edge_unbeaten",
    "edge_winless",
    "fifty",
    "no_ties",
    "six",
    "tie_heavy",
    "twelve",
    "weighted",
    "wide_spread",
];

fn folder(file: &str) -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let places = [here.join("tests/golden/bradley_terry"), here.join("../../../shared/golden/bradley_terry")];
    places.into_iter().map(|place| place.join(file)).find(|path| path.exists())
}

struct Case {
    name: &'static str,
    expected: Value,
    /// As the file says.
    log: VoteLog,
}

/// The cases that are there; the largest three are read from the shared set.
fn cases() -> Vec<Case> {
    let load = |name: &'static str| {
        let (Some(csv), Some(json)) = (folder(&format!("{name}.csv")), folder(&format!("{name}.json"))) else {
            eprintln!("skipped: golden case {name} is not on this machine");
            return None;
        };
        let log = vote_file::read(std::fs::File::open(csv).unwrap()).unwrap();
        let expected = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        Some(Case { name, expected, log })
    };
    CASES.into_iter().filter_map(load).collect()
}

fn case(name: &str) -> Option<Case> {
    cases().into_iter().find(|case| case.name == name)
}

impl Case {
    fn models(&self) -> Vec<String> {
        self.expected["models"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// The votes again, changed by `change`; models interned in the order of the expected lists.
    fn rebuilt(&self, change: impl Fn(usize, &mut Ballot) -> usize) -> VoteLog {
        let mut log = VoteLog::new();
        for name in self.models() {
            log.push(&Ballot { first: &name, second: &name, ..blank() }).unwrap();
        }
        let names = self.log.models();
        for (number, vote) in self.log.votes().iter().enumerate() {
            let question = format!("{}", vote.question);
            let mut ballot = Ballot {
                first: &names[vote.first as usize],
                second: &names[vote.second as usize],
                winner: vote.winner,
                question: &question,
                judge: "",
                weight: vote.weight,
                lengths: self.log.lengths(number),
            };
            for _ in 0..change(number, &mut ballot) {
                log.push(&ballot).unwrap();
            }
        }
        log
    }

    fn plain(&self) -> VoteLog {
        self.rebuilt(|_, ballot| {
            ballot.weight = 1.0;
            1
        })
    }

    fn finite(&self) -> bool {
        self.expected["strong_components"].as_array().is_some_and(|list| list.len() == 1)
    }
}

fn blank() -> Ballot<'static> {
    Ballot { first: "", second: "", winner: Winner::Tie, question: "", judge: "", weight: 1.0, lengths: None }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("a list, not {value}")).iter().map(|x| x.as_f64().unwrap()).collect()
}

fn near(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= tolerance, "{what}: {got} is not {want} within {tolerance}");
    }
}

fn prepared(log: &VoteLog, design: &Design) -> Prepared {
    let members: Vec<usize> = (0..log.models().len()).collect();
    Prepared::new(log, &members, design)
}

fn check_ratings(what: &str, fit: &Fit, covariance: Option<&nalgebra::DMatrix<f64>>, want: &Value) {
    let theta = fit.theta();
    near(&format!("{what} theta"), &theta, &numbers(&want["theta"]), 1e-8);
    let elo: Vec<f64> = theta.iter().map(|theta| 1000.0 + ELO * theta).collect();
    if want["elo_mean1000"].is_array() {
        near(&format!("{what} elo"), &elo, &numbers(&want["elo_mean1000"]), 1e-6);
    }
    let Some(covariance) = covariance else { return };
    let errors: Vec<f64> = (0..theta.len()).map(|place| covariance[(place, place)].max(0.0).sqrt()).collect();
    for (got, want) in errors.iter().zip(numbers(&want["se"])) {
        assert!((got - want).abs() <= 1e-6 * want.abs().max(1e-6), "{what} se: {got} is not {want}");
    }
    for ((elo, error), want) in elo.iter().zip(errors).zip(want["elo_ci95"].as_array().unwrap()) {
        let half = 1.959_963_984_540_054 * error * ELO;
        near(&format!("{what} ci"), &[elo - half, elo + half], &numbers(want), 1e-6 * half.max(1.0) + 1e-6);
    }
}

#[test]
fn half_wins_fisher_and_sandwich() {
    for case in cases().iter().filter(|case| case.finite()) {
        let prepared = prepared(&case.plain(), &Design::default());
        let fit = prepared.problem.solve(None).unwrap();
        let want = &case.expected["half_win"];
        check_ratings(case.name, &fit, Some(&sandwich::fisher(&fit)), &want["fisher"]);
        let robust = sandwich::battles(&prepared.problem, &fit);
        check_ratings(case.name, &fit, Some(&robust), &want["sandwich"]);
        if let Some(loss) = want["nll"].as_f64() {
            assert!((fit.loss - loss).abs() < 1e-9 * loss, "{}: loss {}", case.name, fit.loss);
        }
        if let Some(ranks) = want["rank_by_sandwich_ci"].as_array() {
            let interval = |place: usize| {
                let half = 1.959_963_984_540_054 * robust[(place, place)].sqrt();
                let theta = fit.theta()[place];
                [theta - half, theta + half]
            };
            let intervals: Vec<[f64; 2]> = (0..fit.models).map(interval).collect();
            let ranks: Vec<u64> = ranks.iter().map(|rank| rank.as_u64().unwrap()).collect();
            assert_eq!(rating::interval_ranks(&intervals), ranks, "{}", case.name);
        }
        if let Some(rows) = want["win_probability"].as_array() {
            let theta = fit.theta();
            for (a, row) in rows.iter().enumerate() {
                for (b, want) in row.as_array().unwrap().iter().enumerate().filter(|(b, _)| *b != a) {
                    let got = 1.0 / (1.0 + (theta[b] - theta[a]).exp());
                    assert!(want.as_f64().is_none_or(|want| (got - want).abs() < 1e-8), "{} {a} {b}", case.name);
                }
            }
        }
    }
}

#[test]
fn ties_dropped() {
    for case in cases().iter().filter(|case| case.expected["ties_dropped"].is_object()) {
        let log = case.rebuilt(|_, ballot| {
            ballot.weight = 1.0;
            usize::from(ballot.winner != Winner::Tie)
        });
        let prepared = prepared(&log, &Design::default());
        let fit = prepared.problem.solve(None).unwrap();
        let robust = sandwich::battles(&prepared.problem, &fit);
        check_ratings(case.name, &fit, Some(&robust), &case.expected["ties_dropped"]);
    }
}

#[test]
fn davidson_and_rao_kupper() {
    for case in cases() {
        for (ties, name) in [(Ties::Davidson, "davidson"), (Ties::RaoKupper, "rao_kupper")] {
            let want = &case.expected[name];
            if !want.is_object() {
                continue;
            }
            let prepared = prepared(&case.plain(), &Design { ties, ..Design::default() });
            let fit = prepared.problem.solve(None).unwrap();
            let what = format!("{} {name}", case.name);
            check_ratings(&what, &fit, None, want);
            let tie = fit.parameters[fit.models];
            let (got, want_tie) = match ties {
                Ties::Davidson => (tie.exp(), want["nu"].as_f64().unwrap()),
                _ => (tie, want["kappa"].as_f64().unwrap()),
            };
            assert!((got - want_tie).abs() < 1e-8, "{what}: tie parameter {got} is not {want_tie}");
            let loss = want["nll"].as_f64().unwrap();
            assert!((fit.loss - loss).abs() < 1e-9 * loss, "{what}: loss {} is not {loss}", fit.loss);
        }
    }
}

#[test]
fn ridge_is_finite_for_every_graph() {
    for case in cases() {
        for want in case.expected["half_win_ridge"].as_array().into_iter().flatten() {
            let mut prepared = prepared(&case.plain(), &Design::default());
            prepared.problem.prior = want["lambda"].as_f64().unwrap();
            let fit = prepared.problem.solve(None).unwrap();
            check_ratings(&format!("{} ridge", case.name), &fit, None, want);
        }
    }
}

#[test]
fn components() {
    let lists = |value: &Value| -> Vec<Vec<usize>> {
        let mut lists: Vec<Vec<usize>> = value
            .as_array()
            .unwrap()
            .iter()
            .map(|list| numbers(list).into_iter().map(|x| x as usize).collect())
            .collect();
        lists.sort();
        lists
    };
    for case in cases().iter().filter(|case| case.expected["strong_components"].is_array()) {
        let tally = Tally::of(&case.plain()).unwrap();
        for (field, edges) in [
            ("strong_components", graph::beat_or_tied(tally.results())),
            ("weak_components", graph::met(tally.results())),
        ] {
            let mut got = graph::strong_components(tally.models(), &edges);
            got.sort();
            assert_eq!(got, lists(&case.expected[field]), "{} {field}", case.name);
        }
    }
}

#[test]
fn no_common_scale_is_said_and_each_component_is_rated() {
    for case in cases().iter().filter(|case| case.expected["mle"].is_string()) {
        let rated = rating::rate(&case.plain(), &RatingOptions::default()).unwrap();
        let names = case.models();
        for component in case.expected["half_win_per_strong_component"].as_array().unwrap() {
            let theta = numbers(&component["theta"]);
            for (member, want) in numbers(&component["members"]).into_iter().zip(&theta) {
                let model = rated.models.iter().find(|model| model.model == names[member as usize]).unwrap();
                assert!(model.prior_elo.is_finite());
                if theta.len() > 1 {
                    near(case.name, &[model.component_theta.unwrap()], &[*want], 1e-8);
                } else {
                    assert_eq!((model.theta, model.elo), (None, None));
                    assert!(!model.flags.is_empty(), "{} {}", case.name, model.model);
                }
            }
        }
    }
}

#[test]
fn weights_and_clusters() {
    if let Some(case) = case("weighted") {
        let log = case.rebuilt(|_, _| 1);
        let prepared = prepared(&log, &Design::default());
        let fit = prepared.problem.solve(None).unwrap();
        let robust = sandwich::battles(&prepared.problem, &fit);
        check_ratings("weighted", &fit, Some(&robust), &case.expected["weighted"]["half_win_sandwich"]);
    }
    if let Some(case) = case("clustered") {
        let log = case.rebuilt(|_, _| 1);
        assert!(log.remarks().duplicates > 0);
        let prepared = prepared(&log, &Design::default());
        let fit = prepared.problem.solve(None).unwrap();
        let robust = sandwich::clustered(&prepared.problem, &fit, &prepared.rows, false).unwrap();
        check_ratings("clustered", &fit, Some(&robust), &case.expected["cluster_by_item"]["half_win"]);
    }
}

#[test]
fn order_and_length() {
    let Some(case) = case("covariates") else { return };
    let log = case.rebuilt(|_, _| 1);
    for (name, order, length) in [
        ("position", Order::Global, false),
        ("length", Order::Free, true),
        ("position_and_length", Order::Global, true),
    ] {
        let prepared = prepared(&log, &Design { order, length, ..Design::default() });
        let fit = prepared.problem.solve(None).unwrap();
        let want = &case.expected["covariates"][name];
        check_ratings(name, &fit, None, want);
        if let Some(gamma) = want["gamma"].as_f64() {
            near(name, &[fit.parameters[fit.models]], &[gamma], 1e-8);
        }
        if let Some(beta) = want["beta"].as_f64() {
            near(name, &[fit.parameters[prepared.length_place.unwrap()]], &[beta], 1e-8);
        }
    }
}

#[test]
fn explicit_resamples() {
    for case in cases().iter().filter(|case| case.expected["replicates"].is_array()) {
        let file = folder(&format!("{}.multiplicities.csv", case.name)).unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let counts: Vec<Vec<usize>> =
            text.lines().skip(1).map(|line| line.split(',').map(|x| x.trim().parse().unwrap()).collect()).collect();
        for (round, want) in case.expected["replicates"].as_array().unwrap().iter().enumerate() {
            let log = case.rebuilt(|number, _| counts[number][round]);
            let fit = prepared(&log, &Design::default()).problem.solve(None).unwrap();
            check_ratings(&format!("{} {round}", case.name), &fit, None, want);
        }
    }
}

#[test]
fn bootstrap_quantiles() {
    for case in cases().iter().filter(|case| case.expected["bootstrap"].is_object()) {
        let want = &case.expected["bootstrap"];
        let prepared = prepared(&case.plain(), &Design::default());
        let fit = prepared.problem.solve(None).unwrap();
        let rounds = 1000;
        let sample = bootstrap::run(&prepared, &fit, Resample::Cells, rounds, 7).unwrap();
        let deviations = numbers(&want["elo_sd"]);
        for (field, at) in [("elo_q025", 0.025), ("elo_q975", 0.975)] {
            for (model, want) in numbers(&want[field]).into_iter().enumerate() {
                let got = 1000.0 + ELO * sample.quantile(model, at).unwrap();
                let allowed = 4.0 * 2.9 * deviations[model] / (rounds as f64).sqrt();
                assert!((got - want).abs() < allowed, "{} {field} {model}: {got}, {want} ± {allowed}", case.name);
            }
        }
    }
}

#[test]
fn nothing_and_itself() {
    for name in ["edge_empty", "edge_self_votes", "edge_only_ties"] {
        let case = case(name).unwrap();
        let rated = rating::rate(&case.log, &RatingOptions::default()).unwrap();
        assert_eq!(rated.models.len(), case.models().len());
        assert_eq!(rated.remarks.self_votes, case.expected["ignored"].as_u64().unwrap_or(0));
        if name == "edge_self_votes" {
            let theta: Vec<f64> = rated.models.iter().map(|model| model.theta.unwrap()).collect();
            near(name, &theta, &numbers(&case.expected["half_win"]["theta"]), 1e-8);
        }
        for ties in [Ties::Davidson, Ties::RaoKupper].into_iter().filter(|_| name == "edge_only_ties") {
            let rated = rating::rate(&case.log, &RatingOptions { ties, ..RatingOptions::default() }).unwrap();
            assert_eq!(rated.tie_parameter, None);
            assert!(rated.flags.contains(&rating::BoardFlag::TieParameterUnbounded));
            assert!(rated.models.iter().all(|model| model.theta.is_some_and(|theta| theta.abs() < 1e-12)));
        }
    }
}
