//! Training-free position strategies of LongEmbed (Zhu et al. 2024, arXiv 2404.12096, section 4): how an encoder that was
//! trained for L0 tokens reads more.
//!
//! They act in layers without window. In the others a token sees none further away than was trained.

use std::ops::Range;

/// A position strategy. L0 is the trained length, n the tokens of the text, p a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Positions {
    /// The first L0 tokens only.
    Plain,
    /// Parallel context windows.
    Pcw,
    /// Grouped positions.
    Group,
    /// Recurrent positions.
    Recurrent,
    /// Linear position interpolation.
    Pi,
    /// NTK-aware interpolation.
    Ntk,
    /// SelfExtend.
    SelfExtend,
}

/// SelfExtend's neighbours: closer tokens have their true distance. LongEmbed's g2 from 512 to 4,096 tokens.
const NEIGHBOURS: usize = 64;

impl Positions {
    /// All, the baseline first.
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Pcw, Self::Group, Self::Recurrent, Self::Pi, Self::Ntk, Self::SelfExtend];

    /// Name in commands and on boards.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Pcw => "pcw",
            Self::Group => "group",
            Self::Recurrent => "recurrent",
            Self::Pi => "pi",
            Self::Ntk => "ntk",
            Self::SelfExtend => "self-extend",
        }
    }

    /// The strategy of a slug.
    #[must_use]
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|positions| positions.slug() == slug)
    }

    /// Where it was published.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::Plain => "Zhu et al. 2024, LongEmbed, arXiv 2404.12096, baseline",
            Self::Pcw => "Ratner et al. 2023, Parallel Context Windows, arXiv 2212.10947; LongEmbed, section 4.1",
            Self::Group => "Zhu et al. 2024, LongEmbed, arXiv 2404.12096, section 4.1 (grouped positions)",
            Self::Recurrent => "Zhu et al. 2024, LongEmbed, arXiv 2404.12096, section 4.1 (recurrent positions)",
            Self::Pi => "Chen et al. 2023, Position Interpolation, arXiv 2306.15595; LongEmbed, section 4.1",
            Self::Ntk => "bloc97 2023, NTK-Aware Scaled RoPE; LongEmbed, section 4.2",
            Self::SelfExtend => "Jin et al. 2024, SelfExtend, arXiv 2401.01325; LongEmbed, section 4.2",
        }
    }

    /// What it does, in one line.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Plain => "reads the first L0 tokens and drops the rest",
            Self::Pcw => "encodes pieces of L0 tokens and takes the mean of their vectors before normalising",
            Self::Group => "p' = floor(p / ceil(n / L0))",
            Self::Recurrent => "p' = p mod L0",
            Self::Pi => "p' = p * L0 / n where n > L0",
            Self::Ntk => "true positions, rotary base * (n / L0)^(D / (D - 2)) where n > L0, with D channels of a head",
            Self::SelfExtend => {
                "distances below g2 = 64 are true; further ones are floor(p / g1) apart, shifted by g2 - floor(g2 / g1), \
                 with the smallest g1 that keeps them below L0"
            }
        }
    }

    /// The stretches of `n` tokens that are encoded apart; the rest is not read.
    #[must_use]
    pub fn pieces(self, n: usize, trained: usize) -> Vec<Range<usize>> {
        let trained = trained.max(1);
        match self {
            Self::Plain => std::iter::once(0..n.min(trained)).collect(),
            Self::Pcw => (0..n.max(1)).step_by(trained).map(|from| from..(from + trained).min(n)).collect(),
            _ => std::iter::once(0..n).collect(),
        }
    }

    /// How a piece of `n` tokens is read by an encoder with rotary base `theta` and `dim` channels of a head.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "positions below 2^24, which f32 holds exactly")]
    pub fn reading(self, n: usize, trained: usize, theta: f64, dim: usize) -> Reading {
        let trained = trained.max(1);
        if n <= trained {
            return Reading::Once { positions: (0..n).map(|p| p as f32).collect(), theta };
        }
        let at = |place: &dyn Fn(usize) -> f32| Reading::Once { positions: (0..n).map(place).collect(), theta };
        match self {
            Self::Group => at(&|p| (p / n.div_ceil(trained)) as f32),
            Self::Recurrent => at(&|p| (p % trained) as f32),
            Self::Pi => at(&|p| p as f32 * trained as f32 / n as f32),
            Self::SelfExtend => Reading::Extended(Extension::fitting(n, trained)),
            Self::Ntk => Reading::Once {
                positions: (0..n).map(|p| p as f32).collect(),
                theta: theta * (n as f64 / trained as f64).powf(dim as f64 / (dim as f64 - 2.0)),
            },
            // Their pieces never have more tokens than were trained.
            Self::Plain | Self::Pcw => at(&|p| p.min(trained - 1) as f32),
        }
    }
}

/// How the tokens of a piece are told apart by position.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// One score map.
    Once {
        /// Position of each token.
        positions: Vec<f32>,
        /// Base of the rotary frequencies.
        theta: f64,
    },
    /// Two score maps, one of which holds for each pair.
    Extended(Extension),
}

/// SelfExtend's two numbers (Jin et al. 2024, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// g1: tokens that share a position.
    pub group: usize,
    /// g2: tokens closer than this have their true distance.
    pub neighbours: usize,
}

impl Extension {
    /// The smallest groups that keep every distance of `n` tokens below `trained`.
    #[must_use]
    pub fn fitting(n: usize, trained: usize) -> Self {
        let neighbours = NEIGHBOURS.min(trained / 2).max(1);
        let fits =
            |group: &usize| Self { group: *group, neighbours }.distance(n.saturating_sub(1), 0) < trained as isize;
        Self { group: (1..=n.max(1)).find(fits).unwrap_or(n.max(1)), neighbours }
    }

    /// How far a query's grouped position is moved away from the keys: g2 - floor(g2 / g1).
    #[must_use]
    pub fn shift(self) -> usize {
        self.neighbours - self.neighbours / self.group.max(1)
    }

    /// Position of the query at `query` minus that of the key at `key`, as the score of this pair sees it. Keys to the right
    /// mirror those to the left.
    #[must_use]
    pub fn distance(self, query: usize, key: usize) -> isize {
        let signed = |value: usize| isize::try_from(value).unwrap_or(isize::MAX);
        if query.abs_diff(key) < self.neighbours {
            return signed(query) - signed(key);
        }
        let group = self.group.max(1);
        let grouped = signed(query / group) - signed(key / group);
        if key < query { grouped + signed(self.shift()) } else { grouped - signed(self.shift()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINED: usize = 512;
    const THETA: f64 = 10_000.0;
    const DIM: usize = 16;

    fn once(positions: Positions, n: usize) -> (Vec<f32>, f64) {
        match positions.reading(n, TRAINED, THETA, DIM) {
            Reading::Once { positions, theta } => (positions, theta),
            Reading::Extended(extension) => panic!("{extension:?}"),
        }
    }

    #[test]
    fn no_strategy_changes_what_fits() {
        let plain = Positions::Plain.reading(TRAINED, TRAINED, THETA, DIM);
        for positions in Positions::ALL {
            let pieces = positions.pieces(TRAINED, TRAINED);
            assert!(pieces.len() == 1 && pieces[0] == (0..TRAINED), "{positions:?}");
            assert_eq!(positions.reading(TRAINED, TRAINED, THETA, DIM), plain, "{positions:?}");
        }
    }

    #[test]
    fn positions_and_distances_stay_below_the_trained_length() {
        for n in [513, 1000, 1024, 1025, 4096, 32_768, 40_001] {
            for positions in [Positions::Group, Positions::Recurrent, Positions::Pi] {
                let (ids, theta) = once(positions, n);
                assert!(ids.len() == n && theta == THETA);
                assert!(ids.iter().all(|id| *id >= 0.0 && *id < TRAINED as f32), "{positions:?} {n}");
            }
            let pieces = [Positions::Plain, Positions::Pcw].map(|positions| positions.pieces(n, TRAINED));
            assert!(pieces.iter().flatten().all(|piece| piece.len() <= TRAINED));
            assert_eq!(pieces[1].iter().map(ExactSizeIterator::len).sum::<usize>(), n);
            let extension = Extension::fitting(n, TRAINED);
            let far = (0..n).step_by(7).flat_map(|query| [(query, 0), (query, n - 1), (query, query / 2)]);
            assert!(far.into_iter().all(|(query, key)| extension.distance(query, key).unsigned_abs() < TRAINED), "{n}");
            let closer = Extension { group: extension.group - 1, ..extension };
            assert!(closer.group == 0 || closer.distance(n - 1, 0) >= TRAINED as isize, "no smaller group fits {n}");
        }
    }

    #[test]
    fn rules_are_those_of_the_paper() {
        assert_eq!(once(Positions::Group, 1200).0[..7], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0]);
        let recurrent = once(Positions::Recurrent, 1200).0;
        assert_eq!((recurrent[511], recurrent[512], recurrent[1199]), (511.0, 0.0, 175.0));
        assert_eq!(once(Positions::Pi, 1024).0[..4], [0.0, 0.5, 1.0, 1.5]);
        let (ids, theta) = once(Positions::Ntk, 1024);
        assert!(ids[1023] == 1023.0 && (theta - THETA * 2_f64.powf(16.0 / 14.0)).abs() < 1e-9);
        // LongEmbed's check of g1 = 9 and g2 = 64 for 4,096 tokens: 4096 / 9 + 64 - 7 = 512.
        let paper = Extension { group: 9, neighbours: 64 };
        assert_eq!((paper.shift(), paper.distance(4095, 0)), (57, 512));
    }

    #[test]
    fn self_extend_mirrors_keys_to_the_right_and_groups_of_one_change_nothing() {
        let extension = Extension { group: 4, neighbours: 6 };
        let n = 40;
        for query in 0..n {
            for key in 0..n {
                let mirrored = extension.distance(n - 1 - query, n - 1 - key);
                assert_eq!(extension.distance(query, key), -mirrored, "{query} {key}");
                let single = Extension { group: 1, neighbours: 6 };
                assert_eq!(single.distance(query, key), query as isize - key as isize);
            }
        }
    }

    #[test]
    fn every_strategy_is_found_by_its_slug() {
        for positions in Positions::ALL {
            assert_eq!(Positions::find(positions.slug()), Some(positions));
            assert!(!positions.citation().is_empty() && !positions.rule().is_empty());
        }
        assert_eq!(Positions::find("alibi"), None);
    }
}
