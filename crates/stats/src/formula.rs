//! The formulas behind published numbers, as a list for readers.

/// Version of the code that computes them.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A formula that pages use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Formula {
    /// What it is for.
    pub name: &'static str,
    /// The formula.
    pub text: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// The functions of this crate.
    pub code: &'static str,
}

/// All of them, in the order of a methodology.
pub const FORMULAS: &[Formula] = &[
    Formula {
        name: "Share of right answers",
        text: "Wilson: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.96; standard error: half its width over z",
        source: "Wilson 1927",
        code: "interval::wilson",
    },
    Formula {
        name: "Mean of other scores",
        text: "s/√n, Student's t of n−1 degrees of freedom",
        source: "Student 1908",
        code: "interval::mean_interval",
    },
    Formula {
        name: "Mean over clusters",
        text: "SE² = C/(C−1)·Σ_c (Σ_{i∈c}(s_i − s̄))²/n², t of C−1 degrees of freedom",
        source: "arXiv 2411.00640, section 2.2",
        code: "interval::mean_interval_clustered",
    },
    Formula {
        name: "Order by rating against order by comparison",
        text: "Pearson's correlation of ranks, ties at their mean rank",
        source: "Spearman 1904",
        code: "correlation::spearman",
    },
    Formula {
        name: "Repeated answers",
        text: "the mean of an item's answers is one observation; between items: Var(item means) − within·mean(1/K)",
        source: "arXiv 2411.00640, section 3",
        code: "repeats::components",
    },
    Formula {
        name: "Mean over tasks and lengths",
        text: "Σ w·m with variance wᵀVw",
        source: "arXiv 2411.00640",
        code: "covariance::Means::weighted",
    },
    Formula {
        name: "Weighted to long or short lengths, area",
        text: "weights 1, 2, 3, … or …, 3, 2, 1; trapezoids over log₂ length",
        source: "RULER, arXiv 2404.06654; area: this project",
        code: "aggregate::aggregates",
    },
    Formula {
        name: "Score above guessing",
        text: "max(0, (s − g)/(1 − g))·100 with the score g of a guesser",
        source: "Open LLM Leaderboard, normalisation",
        code: "interval::normalised",
    },
    Formula {
        name: "Covariance of two entries",
        text: "Σ_cells w²·ρ_ab·SE_a·SE_b, ρ_ab the correlation of their scores over the items both answered",
        source: "arXiv 2411.00640, section 4 (paired differences)",
        code: "covariance::item_correlation",
    },
    Formula {
        name: "Rank",
        text: "q = 95 % quantile of max |Z_a − Z_b|/SE_ab over 10,000 draws Z ~ N(0, V); best = 1 + #{b: θ_b − θ_a > q·SE_ab}, worst = K − #{b: θ_a − θ_b > q·SE_ab}",
        source: "Hothorn, Bretz and Westfall 2008; Mogstad, Romano, Shaikh and Wilhelm 2024",
        code: "rank::simultaneous",
    },
    Formula {
        name: "More items to separate two entries",
        text: "n·(q·SE/d)² − n",
        source: "error falls with √n",
        code: "rank::more_to_separate",
    },
    Formula {
        name: "Effective length",
        text: "largest L with m(L′) ≥ 0.85·m(shortest) for every L′ ≤ L",
        source: "NoLiMa, arXiv 2502.05167",
        code: "length::effective_length",
    },
    Formula {
        name: "Certified effective length",
        text: "largest L with m(L′) − 0.85·m₀ − z₀.₉₅·√(Var m(L′) + 0.85²·Var m₀ − 2·0.85·Cov) ≥ 0 for every L′ ≤ L",
        source: "fixed-sequence testing, Maurer, Hothorn and Lehmacher 1995; rule: this project",
        code: "length::effective_length",
    },
    Formula {
        name: "Two models, right or wrong",
        text: "McNemar, exact: min(1, 2·P(Bin(b + c, ½) ≤ min(b, c))); mid-p beside it; interval after half an item more in each cell",
        source: "McNemar 1947; Fagerland, Lydersen and Laake 2013; Agresti and Min 2005",
        code: "paired::mcnemar, paired::Table",
    },
    Formula {
        name: "Two models, other scores",
        text: "paired t over items",
        source: "arXiv 2411.00640, section 4",
        code: "paired::paired_difference_clustered",
    },
    Formula {
        name: "Equivalent",
        text: "two one-sided t tests, margin 2 points",
        source: "Schuirmann 1987",
        code: "equivalence::equivalence",
    },
    Formula {
        name: "Smallest difference that shows",
        text: "(z₀.₉₇₅ + z₀.₈)·SE = 2.80·SE of the paired difference",
        source: "arXiv 2411.00640, section 5",
        code: "power::minimum_detectable",
    },
    Formula {
        name: "Several tests",
        text: "p̃_(i) = max_{j≤i} min(1, (m − j + 1)·p_(j))",
        source: "Holm 1979",
        code: "multiplicity::holm",
    },
    Formula {
        name: "Slope along a dial",
        text: "logit P = a + b·log₂(value) over the tasks of a family that differ in one number; b per doubling, interval of the Fisher information",
        source: "McCullagh and Nelder 1989, section 4.4; arXiv 2211.08411 for supporting documents",
        code: "slope::logit_slope",
    },
    Formula {
        name: "Rating",
        text: "Bradley-Terry: P(a beats b) = 1/(1 + e^(θ_b − θ_a)) by Newton on counts per pair, a tie half a win; Elo = 1000 + (400/ln 10)·θ, mean of the rated 1000",
        source: "Bradley and Terry 1952",
        code: "fit::maximum, rating::rate",
    },
    Formula {
        name: "Ties",
        text: "Davidson: P(a) : P(b) : P(tie) = e^θ_a : e^θ_b : ν·e^((θ_a+θ_b)/2); Rao and Kupper: P(a) = 1/(1 + e^(κ + θ_b − θ_a)), the rest a tie",
        source: "Davidson 1970; Rao and Kupper 1967",
        code: "fit::Problem",
    },
    Formula {
        name: "Order and length of answers",
        text: "logit = θ_first − θ_second + β + λ·z with z the standardised (l_first − l_second)/(l_first + l_second); judges have a β of their own in their view",
        source: "Davidson and Beaver 1977; LMSYS 2024 for length",
        code: "design::Design, rating::rate",
    },
    Formula {
        name: "Errors of ratings",
        text: "sandwich H⁻¹BH⁻¹, B = Σ_q s_q·s_qᵀ with the scores of all votes on a question summed first, C/(C−1)",
        source: "Liang and Zeger 1986",
        code: "sandwich::clustered",
    },
    Formula {
        name: "Judges weighed",
        text: "P(a beats b | judge j) = σ(γ_j·(θ_a − θ_b) + β_j), log γ_j ~ N(0, 1), geometric mean of γ 1",
        source: "arXiv 2601.21817; prior and β: this project",
        code: "jury::fit",
    },
    Formula {
        name: "What a judge is like",
        text: "flips: battles in which the other answer won when the order changed; place: exact sign test among them; circles: of the triples decided on a question",
        source: "MT-bench, arXiv 2306.05685, section 3.4",
        code: "judge::health",
    },
    Formula {
        name: "Which battle next",
        text: "the pair that lowers the variance of an undecided neighbours' gap most per question, one in five drawn evenly; probabilities are stored",
        source: "c-optimal design; this project",
        code: "pair::choose",
    },
    Formula {
        name: "Fewest votes that change the leader",
        text: "by influence −(H⁻¹(e_a − e_b))·s_n, checked by refits",
        source: "influence functions; this project",
        code: "fragility::deletions",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_formula_names_functions_that_are_there() {
        let source =
            |file: &str| std::fs::read_to_string(format!("{}/src/{file}.rs", env!("CARGO_MANIFEST_DIR"))).unwrap();
        for formula in FORMULAS {
            assert!(!formula.text.is_empty() && !formula.source.is_empty());
            for code in formula.code.split(", ") {
                let parts: Vec<&str> = code.split("::").collect();
                let name = parts.last().unwrap();
                let text = source(parts[0]);
                let there = ["pub fn", "pub struct"].iter().any(|kind| {
                    text.contains(&format!("{kind} {name}("))
                        || text.contains(&format!("{kind} {name}<"))
                        || text.contains(&format!("{kind} {name} "))
                });
                assert!(there, "{code}");
            }
        }
    }
}
