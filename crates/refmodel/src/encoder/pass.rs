//! The forward pass of an encoder over one piece of a text: the attention kernel over pages of keys, so that memory grows with
//! the tokens and not with their square.

use candle_core::{D, Device, Tensor};
use rayon::prelude::*;

use super::positions::{Extension, Reading};
use crate::attention::{join, kernel_scale};
use crate::config::ModelConfig;
use crate::decoder::{Decoder, Layer};
use crate::error::ModelError;
use crate::kernel::{self, PageView, RowRange};
use crate::page::{PAGE, Page};
use crate::policy::Join;
use crate::rope::Rope;

/// Queries that read pages together: a multiple of the kernel's rows.
const TILE: usize = 96;

/// Tokens that pass through the feed-forward part together.
const ROWS: usize = 1024;

/// The mean of the last states `[hidden]` of `ids`, which are at least one.
///
/// # Errors
/// [`ModelError::Compute`] for tokens outside the vocabulary.
pub(super) fn pooled(stack: &Decoder, ids: &[u32], reading: &Reading) -> Result<Vec<f32>, ModelError> {
    let turns = Turns::of(&stack.config, ids.len(), reading);
    let mut x = stack.embed(ids)?;
    for layer in &stack.layers {
        let heads = attended(&stack.config, layer, &x, &turns)?;
        let mut rows = Vec::with_capacity(ids.len().div_ceil(ROWS));
        for from in (0..ids.len()).step_by(ROWS) {
            let length = ROWS.min(ids.len() - from);
            let part = x.narrow(0, from, length)?;
            rows.push(layer.close(&part, &part, &heads.narrow(0, from, length)?)?);
        }
        x = Tensor::cat(&rows, 0)?;
    }
    Ok(x.mean(0)?.to_vec1()?)
}

/// Outputs of the heads of a layer, `[n, heads * dim]`.
fn attended(config: &ModelConfig, layer: &Layer, x: &Tensor, turns: &Turns) -> Result<Tensor, ModelError> {
    let normed = layer.input_norm.apply(x)?;
    let flat = |x: Tensor| x.flatten_all()?.to_vec1::<f32>();
    let (query, key, value) =
        (flat(layer.query.apply(&normed)?)?, flat(layer.key.apply(&normed)?)?, flat(layer.value.apply(&normed)?)?);
    let (n, dim, width) = (x.dim(0)?, config.head_dim, layer.query.weight.dim(0)?);
    let maps = turns.maps(layer.kind.window);
    let heads: Vec<Vec<f32>> = (0..config.heads)
        .into_par_iter()
        .map(|head| {
            let own = |all: &[f32]| -> Vec<f32> {
                all.chunks(width).flat_map(|row| row.iter().skip(head * dim).take(dim)).copied().collect()
            };
            Head { query: own(&query), key: own(&key), value: own(&value), dim }.attend(&maps)
        })
        .collect();
    let mut joined = Vec::with_capacity(n * width);
    for row in 0..n {
        for head in &heads {
            joined.extend_from_slice(head.get(row * dim..(row + 1) * dim).unwrap_or_default());
        }
    }
    let joined = Tensor::from_vec(joined, (n, width), &Device::Cpu)?;
    debug_assert_eq!(joined.dim(D::Minus1).ok(), Some(width));
    Ok(joined)
}

/// Which keys a score map holds for, seen from each query.
#[derive(Debug, Clone, Copy)]
enum Span {
    /// Closer than so many places.
    Near(usize),
    /// At least so many places to the left.
    Left(usize),
    /// At least so many places to the right.
    Right(usize),
    /// All.
    All,
}

impl Span {
    fn range(self, query: usize, n: usize) -> RowRange {
        let (from, to) = match self {
            Self::Near(window) => ((query + 1).saturating_sub(window), (query + window).min(n)),
            Self::Left(window) => (0, (query + 1).saturating_sub(window)),
            Self::Right(window) => ((query + window).min(n), n),
            Self::All => (0, n),
        };
        RowRange { from, to }
    }
}

/// Sines and cosines of each token, `[n][dim / 2]`.
type Turn = Vec<(f32, f32)>;

/// A score map: rotations of queries and keys, and where it holds.
#[derive(Clone, Copy)]
struct Map<'a> {
    query: &'a Turn,
    key: &'a Turn,
    span: Span,
}

/// Rotations of a piece, which all layers and heads share.
struct Turns {
    /// True positions, for layers with a window and for neighbours.
    true_places: Turn,
    far: Far,
}

enum Far {
    /// One map for all pairs.
    Once(Turn),
    /// SelfExtend's second map: keys, and queries as keys to the left and to the right see them.
    Extended { neighbours: usize, key: Turn, left: Turn, right: Turn },
}

impl Turns {
    #[expect(clippy::cast_precision_loss, reason = "positions below 2^24")]
    fn of(config: &ModelConfig, n: usize, reading: &Reading) -> Self {
        let rope = |theta: f64| Rope::new(config.head_dim, theta, config.rope_scaling, false, n);
        let plain = rope(config.rope_theta);
        let turn = |rope: &Rope, place: &dyn Fn(usize) -> f32| (0..n).flat_map(|p| rope.turn(place(p))).collect();
        let far = match reading {
            Reading::Once { positions, theta } => {
                Far::Once(turn(&rope(*theta), &|p| positions.get(p).copied().unwrap_or(0.0)))
            }
            Reading::Extended(extension) => {
                let Extension { group, neighbours } = *extension;
                let (grouped, shift) = (|p: usize| (p / group.max(1)) as f32, extension.shift() as f32);
                Far::Extended {
                    neighbours,
                    key: turn(&plain, &grouped),
                    left: turn(&plain, &|p| grouped(p) + shift),
                    right: turn(&plain, &|p| grouped(p) - shift),
                }
            }
        };
        Self { true_places: turn(&plain, &|p| p as f32), far }
    }

    /// The score maps of a layer; each pair of tokens belongs to one of them or to none.
    fn maps(&self, window: Option<usize>) -> Vec<Map<'_>> {
        let near = |window| Map { query: &self.true_places, key: &self.true_places, span: Span::Near(window) };
        match (window, &self.far) {
            (Some(window), _) => vec![near(window)],
            (None, Far::Once(turn)) => vec![Map { query: turn, key: turn, span: Span::All }],
            (None, Far::Extended { neighbours, key, left, right }) => vec![
                near(*neighbours),
                Map { query: left, key, span: Span::Left(*neighbours) },
                Map { query: right, key, span: Span::Right(*neighbours) },
            ],
        }
    }
}

/// One head of a layer, `[n, dim]` each.
struct Head {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    dim: usize,
}

impl Head {
    /// `[n, dim]`: one softmax over all score maps.
    fn attend(&self, maps: &[Map<'_>]) -> Vec<f32> {
        let n = self.query.len() / self.dim;
        let (mut output, mut lse) = (vec![0.0; n * self.dim], vec![f32::NEG_INFINITY; n]);
        for (index, map) in maps.iter().enumerate() {
            let pages = self.pages(map.key);
            let queries = self.queries(map.query);
            if index == 0 {
                self.read(map.span, &pages, &queries, &mut output, &mut lse);
                continue;
            }
            let (mut part, mut part_lse) = (vec![0.0; n * self.dim], vec![f32::NEG_INFINITY; n]);
            self.read(map.span, &pages, &queries, &mut part, &mut part_lse);
            let rows = output.chunks_mut(self.dim).zip(&mut lse).zip(part.chunks(self.dim).zip(part_lse));
            rows.for_each(|((output, lse), (part, part_lse))| join(Join::Softmax, output, lse, part, part_lse));
        }
        output
    }

    fn read(&self, span: Span, pages: &[Page], queries: &[f32], output: &mut [f32], lse: &mut [f32]) {
        let (dim, n) = (self.dim, lse.len());
        let tiles = queries.par_chunks(TILE * dim).zip(output.par_chunks_mut(TILE * dim)).zip(lse.par_chunks_mut(TILE));
        tiles.enumerate().for_each(|(index, ((queries, output), lse))| {
            let first = index * TILE;
            let ranges: Vec<RowRange> = (first..first + lse.len()).map(|query| span.range(query, n)).collect();
            let from = ranges.iter().map(|range| range.from).min().unwrap_or(0) / PAGE;
            let to = ranges.iter().map(|range| range.to).max().unwrap_or(0).div_ceil(PAGE);
            let views: Vec<PageView<'_>> = pages
                .iter()
                .enumerate()
                .take(to)
                .skip(from)
                .map(|(index, page)| PageView { page, valid: crate::page::first_bits(page.len()), first: index * PAGE })
                .collect();
            kernel::attend(queries, &ranges, &views, output, lse);
        });
    }

    fn rotated(&self, channels: &[f32], turn: &Turn) -> Vec<f32> {
        let half = self.dim / 2;
        let mut out = channels.to_vec();
        for (row, turn) in out.chunks_mut(self.dim).zip(turn.chunks(half)) {
            let (first, second) = row.split_at_mut(half);
            for ((a, b), (sin, cos)) in first.iter_mut().zip(second).zip(turn) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
        out
    }

    fn queries(&self, turn: &Turn) -> Vec<f32> {
        let scale = kernel_scale(self.dim);
        let mut queries = self.rotated(&self.query, turn);
        queries.iter_mut().for_each(|channel| *channel *= scale);
        queries
    }

    fn pages(&self, turn: &Turn) -> Vec<Page> {
        let keys = self.rotated(&self.key, turn);
        let filled = keys.chunks(PAGE * self.dim).zip(self.value.chunks(PAGE * self.dim)).map(|(keys, values)| {
            let mut page = Page::new(self.dim);
            for (key, value) in keys.chunks(self.dim).zip(values.chunks(self.dim)) {
                page.push(key, value);
            }
            page
        });
        filled.collect()
    }
}

#[cfg(test)]
mod tests {
    use longboard_suites::rng::Rng;

    use super::*;
    use crate::encoder::positions::Positions;
    use crate::train::start::gaussian;

    const N: usize = 200;
    const DIM: usize = 16;

    fn head(seed: u64) -> Head {
        let mut rng = Rng::from_path(&[seed]);
        let mut draw = || (0..N * DIM).map(|_| gaussian(&mut rng)).collect::<Vec<f32>>();
        Head { query: draw(), key: draw(), value: draw(), dim: DIM }
    }

    fn config() -> ModelConfig {
        let config = crate::train::encoder::recipe::config();
        ModelConfig { head_dim: DIM, ..config.stack() }
    }

    /// Attention pair by pair: `distance` is the relative position of a pair, `None` where it is not seen.
    fn pairwise(head: &Head, distance: &dyn Fn(usize, usize) -> Option<f32>) -> Vec<f32> {
        let config = config();
        let rope = Rope::new(DIM, config.rope_theta, config.rope_scaling, false, N);
        let row = |all: &[f32], at: usize| all[at * DIM..(at + 1) * DIM].to_vec();
        let mut out = Vec::new();
        for query in 0..N {
            let mut weights = Vec::new();
            for key in 0..N {
                let Some(distance) = distance(query, key) else { continue };
                let mut q = row(&head.query, query);
                rope.rotate(&mut q, distance);
                let score: f32 = q.iter().zip(row(&head.key, key)).map(|(q, k)| q * k).sum();
                weights.push((key, (score / (DIM as f32).sqrt()).exp()));
            }
            let total: f32 = weights.iter().map(|(_, weight)| weight).sum();
            for channel in 0..DIM {
                out.push(weights.iter().map(|(key, w)| w / total * head.value[key * DIM + channel]).sum());
            }
        }
        out
    }

    fn far(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn tiles_of_pages_attend_like_pair_by_pair() {
        let head = head(1);
        let plain = Positions::Plain.reading(N, N, config().rope_theta, DIM);
        let turns = Turns::of(&config(), N, &plain);
        let all = |query: usize, key: usize| Some(query as f32 - key as f32);
        assert!(far(&head.attend(&turns.maps(None)), &pairwise(&head, &all)) < 1e-4);
        let near = |query: usize, key: usize| all(query, key).filter(|_| query.abs_diff(key) < 7);
        assert!(far(&head.attend(&turns.maps(Some(7))), &pairwise(&head, &near)) < 1e-4);
        assert!(far(&pairwise(&head, &near), &pairwise(&head, &all)) > 0.1);
    }

    #[test]
    fn two_score_maps_attend_by_the_distance_of_each_pair() {
        let head = head(2);
        let extension = Extension { group: 3, neighbours: 10 };
        let turns = Turns::of(&config(), N, &Reading::Extended(extension));
        let wanted = pairwise(&head, &|query, key| Some(extension.distance(query, key) as f32));
        let found = head.attend(&turns.maps(None));
        assert!(far(&found, &wanted) < 1e-4);
        // Groups of one are plain; groups of three are not.
        let single = Turns::of(&config(), N, &Reading::Extended(Extension { group: 1, neighbours: 10 }));
        let plain = pairwise(&head, &|query, key| Some(query as f32 - key as f32));
        assert!(far(&head.attend(&single.maps(None)), &plain) < 1e-4);
        assert!(far(&found, &plain) > 0.05);
    }
}
