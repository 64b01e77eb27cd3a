//! Ways to make one vector of a long text with an embedder that reads short ones.

use crate::{aggregate, chunk, code_block};

/// Canonical tokens of a piece.
const PIECE: u32 = 512;

/// Canonical tokens of half a sliding window, the step between two.
const STEP: u32 = 128;

/// How texts are cut and vectors put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The first 512 tokens alone: what a benchmark asks beyond them shows in the gap (LongEmbed's control of LoCoV1,
    /// arXiv 2404.12096, section 2).
    First512,
    /// The mean of the unit vectors of pieces of 512 tokens (LongEmbed's chunk mode; code dwzhu-pku/LongEmbed @ 033dc4a1).
    ChunkMean,
    /// The mean of the vectors of windows of 256 tokens that overlap by half (SEA, arXiv 2208.11271, section 3.3).
    SlidingMean,
    /// The largest number of each dimension over such windows (SEA).
    SlidingMax,
    /// Blocks of code of at most 256 tokens under attention, and their mean, half each (SEA). The attention is untrained, see
    /// [`aggregate::attention_to_mean`]; blocks are told by layout, see [`code_block`], where the paper has a parser, windows
    /// of 32 blocks and training.
    Sea,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::First512, Self::ChunkMean, Self::SlidingMean, Self::SlidingMax, Self::Sea];

    /// Name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::First512 => "first-512",
            Self::ChunkMean => "chunk-mean",
            Self::SlidingMean => "sliding-mean",
            Self::SlidingMax => "sliding-max",
            Self::Sea => "sea",
        }
    }

    /// Title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::First512 => "First 512 tokens only",
            Self::ChunkMean => "Mean of chunks",
            Self::SlidingMean => "Mean of sliding windows",
            Self::SlidingMax => "Maximum of sliding windows",
            Self::Sea => "Blocks of code by attention to their mean",
        }
    }

    /// Paper, and code where it was read.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::First512 | Self::ChunkMean => {
                "Zhu et al. 2024, LongEmbed, arXiv 2404.12096; code dwzhu-pku/LongEmbed @ 033dc4a1"
            }
            Self::SlidingMean | Self::SlidingMax => {
                "Hu et al. 2022, SEA, arXiv 2208.11271; code fly-dragon211/SEA @ 8bb61b1b"
            }
            Self::Sea => {
                "Hu et al. 2022, SEA, arXiv 2208.11271; code fly-dragon211/SEA @ 8bb61b1b. Untrained here: softmax of 10 times the cosine with the mean of all blocks; blocks by blank lines and braces, not by a parser"
            }
        }
    }

    /// What a text of N canonical tokens costs.
    #[must_use]
    pub const fn cost(self) -> &'static str {
        match self {
            Self::First512 => "one vector of at most 512 tokens",
            Self::ChunkMean => "N/512 vectors, N tokens",
            Self::SlidingMean | Self::SlidingMax => "N/128 vectors, 2N tokens",
            Self::Sea => "a vector for each block of at most 256 tokens, N tokens",
        }
    }

    /// What is embedded of a text: at least one piece.
    #[must_use]
    pub fn pieces(self, text: &str) -> Vec<String> {
        let pieces: Vec<String> = match self {
            Self::First512 => vec![chunk::start(text, PIECE).to_owned()],
            Self::ChunkMean => chunk::texts(text, PIECE).into_iter().map(str::to_owned).collect(),
            Self::Sea => code_block::pieces(text),
            Self::SlidingMean | Self::SlidingMax => {
                let steps = chunk::texts(text, STEP);
                let windows = steps.windows(2).map(<[_]>::concat).collect::<Vec<_>>();
                if windows.is_empty() { vec![text.to_owned()] } else { windows }
            }
        };
        if pieces.is_empty() { vec![text.to_owned()] } else { pieces }
    }

    /// The vector of a text from those of its pieces, all of one dimension. Its length says nothing.
    #[must_use]
    pub fn joined(self, pieces: &[Vec<f32>]) -> Vec<f32> {
        match self {
            Self::SlidingMax => aggregate::max(pieces),
            Self::First512 | Self::ChunkMean | Self::SlidingMean => aggregate::mean(pieces),
            Self::Sea => aggregate::attention_and_mean(pieces, &aggregate::attention_to_mean(pieces)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens;

    fn text(words: usize) -> String {
        (0..words).map(|number| format!("word{number} ")).collect()
    }

    #[test]
    fn pieces_cover_the_text_and_stay_short() {
        let long = text(3000);
        assert_eq!(Encoding::ChunkMean.pieces(&long).concat(), long);
        assert_eq!(Encoding::Sea.pieces(&long).concat(), long);
        for encoding in Encoding::ALL {
            let pieces = encoding.pieces(&long);
            assert!(pieces.iter().all(|piece| tokens::count(piece) <= PIECE), "{}", encoding.slug());
            assert_eq!(encoding.pieces("short").len(), 1, "{}", encoding.slug());
            assert_eq!(encoding.pieces(""), [""], "{}", encoding.slug());
        }
        assert!(long.starts_with(&Encoding::First512.pieces(&long)[0]));
        let windows = Encoding::SlidingMax.pieces(&long);
        let shared = windows[1].get(..windows[1].len() / 2 - 200).unwrap();
        assert!(windows[0].contains(shared) && !windows[0].starts_with(shared), "neighbours overlap");
    }

    #[test]
    fn one_piece_is_the_plain_vector_and_order_is_nothing() {
        let one = vec![vec![0.6, -0.8]];
        let three = vec![vec![1.0, 0.0], vec![0.0, -1.0], vec![0.5, 0.5]];
        let turned: Vec<Vec<f32>> = three.iter().rev().cloned().collect();
        for encoding in Encoding::ALL {
            assert_eq!(encoding.joined(&one), one[0], "{}", encoding.slug());
            let far = |(one, other): (f32, f32)| (one - other).abs() > 1e-6;
            let differ = encoding.joined(&three).into_iter().zip(encoding.joined(&turned)).any(far);
            assert!(!differ, "{}", encoding.slug());
        }
        assert_eq!(Encoding::SlidingMax.joined(&three), [1.0, 0.5]);
    }
}
