//! One text under way: its cache and what the policy does with it.

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use crate::attention::{self, Chunk, Cost};
use crate::cache::{HeadCache, Summaries};
use crate::config::{LayerKind, ModelConfig};
use crate::cuda::Accelerator;
use crate::model::log_sum_exp;
use crate::policy::{Ahead, Meter, Policy, Reading, Seen, Selector, Site, Span, Tile, Watch, keep_last, vector_bytes};
use crate::rope::Rope;

/// Cache and policy of one text.
pub struct Sequence {
    layers: Vec<LayerState>,
    rope: Arc<Rope>,
    tokens: usize,
    decoding: bool,
    watch: Watch,
    cost: Cost,
    /// Logits after the last token, where surprisal is asked for.
    expected: Vec<f32>,
    /// Reads where the policy decides.
    accelerator: Option<Arc<Accelerator>>,
}

struct LayerState {
    plan: LayerPlan,
    heads: Vec<HeadState>,
}

/// How a layer attends.
#[derive(Clone, Copy)]
struct LayerPlan {
    /// Whether the policy decides here; local layers have their window.
    watched: bool,
    /// Queries and keys are rotated before they are stored.
    rotate: bool,
    /// Keys are stored unrotated and rotated when they are read.
    raw: bool,
    tile_rows: usize,
    log_n_from: Option<usize>,
}

struct HeadState {
    cache: HeadCache,
    selector: Box<dyn Selector>,
    /// The last queries of the prompt, `[rows, dim]` per query head, where they are asked for.
    last_queries: Vec<Vec<f32>>,
}

impl HeadState {
    fn bytes(&self) -> usize {
        self.cache.bytes() + self.selector.bytes() + vector_bytes(&self.last_queries)
    }
}

/// Rows of queries, keys and values of one layer, `[rows, heads * dim]`.
pub struct Projections<'a> {
    /// Queries.
    pub queries: &'a [f32],
    /// Keys.
    pub keys: &'a [f32],
    /// Values.
    pub values: &'a [f32],
    /// The last rows of the prompt.
    pub prompt_ends: bool,
    /// For each row, whether its token ends a sentence; empty unless [`Sequence::asks_sentence_ends`].
    pub sentence_ends: &'a [bool],
}

impl Sequence {
    /// An empty text under `policy`.
    #[must_use]
    pub fn new(config: &ModelConfig, policy: &dyn Policy, rope: Arc<Rope>) -> Self {
        let own = policy.for_text();
        let policy = own.as_deref().unwrap_or(policy);
        let layers =
            config.layers.iter().enumerate().map(|(layer, kind)| LayerState::new(config, policy, layer, *kind));
        Self {
            layers: layers.collect(),
            rope,
            tokens: 0,
            decoding: false,
            watch: policy.watch(),
            cost: Cost::default(),
            expected: Vec::new(),
            accelerator: None,
        }
    }

    /// The same text, read by a device where the policy decides.
    pub(crate) fn on(self, accelerator: Option<Arc<Accelerator>>) -> Self {
        Self { accelerator, ..self }
    }

    /// Tokens read so far.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// What attention cost so far, in layers where the policy decides.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Bytes of the cache and of what selectors keep beside it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.layers.iter().flat_map(|layer| &layer.heads).map(HeadState::bytes).sum()
    }

    /// Bytes of the cache alone.
    #[cfg(test)]
    pub(crate) fn cached_bytes(&self) -> usize {
        self.layers.iter().flat_map(|layer| &layer.heads).map(|head| head.cache.bytes()).sum()
    }

    /// Tokens stored per head where the policy decides: (mean, most).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "token counts")]
    pub fn stored(&self) -> (f64, usize) {
        let watched = self.layers.iter().filter(|layer| layer.plan.watched);
        let counts: Vec<usize> = watched.flat_map(|layer| &layer.heads).map(|head| head.cache.len()).collect();
        (counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64, counts.into_iter().max().unwrap_or(0))
    }

    /// Positions in the text of what each head stores where the policy decides.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> Vec<Vec<u32>> {
        let heads = self.layers.iter().filter(|layer| layer.plan.watched).flat_map(|layer| &layer.heads);
        let positions = |head: &HeadState| head.cache.slots().iter().flat_map(|slot| slot.positions.clone()).collect();
        heads.map(positions).collect()
    }

    /// Takes back all tokens from `tokens` on. Only for policies that evict nothing: what was evicted stays so.
    pub fn truncate(&mut self, tokens: usize) {
        let back = self.tokens.saturating_sub(tokens);
        for head in self.layers.iter_mut().flat_map(|layer| &mut layer.heads) {
            head.cache.truncate(head.cache.next().saturating_sub(back));
            head.selector.forget(head.cache.next());
        }
        self.tokens -= back;
    }

    /// Whether [`Sequence::surprise`] must be told the logits of every row.
    pub(crate) fn asks_surprisal(&self) -> bool {
        self.watch.surprisal
    }

    /// Whether [`Projections::sentence_ends`] is looked at.
    pub(crate) fn asks_sentence_ends(&self) -> bool {
        self.watch.sentence_ends
    }

    /// How surprising `ids` were, from the logits of every row; the policy then decides what is kept.
    pub(crate) fn surprise(&mut self, ids: &[u32], rows: &[Vec<f32>], prompt_over: bool) {
        let before = std::mem::replace(&mut self.expected, rows.last().cloned().unwrap_or_default());
        let expected = std::iter::once(&before).chain(rows);
        let mut surprisal: Vec<f32> = ids.iter().zip(expected).map(|(id, logits)| surprisal(*id, logits)).collect();
        let most = surprisal.iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max);
        surprisal.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = most);
        let decoding = self.decoding;
        let meter = Meter::default();
        let seen = Seen { prompt_over, decoding, last_queries: &[], sums: &[], surprisal: &surprisal, meter: &meter };
        let watched = self.layers.iter_mut().filter(|layer| layer.plan.watched);
        for head in watched.flat_map(|layer| &mut layer.heads) {
            head.selector.settle(&mut head.cache, &seen);
        }
    }

    /// The prompt is over: what comes next is the answer.
    pub(crate) fn advance(&mut self, rows: usize, prompt_ended: bool) {
        self.tokens += rows;
        self.decoding |= prompt_ended;
    }

    /// Appends keys and values of a layer and returns the heads' outputs `[rows, heads * dim]`.
    pub(crate) fn attend(&mut self, layer: usize, config: &ModelConfig, rows: &Projections<'_>) -> Vec<f32> {
        let Some(LayerState { plan, heads }) = self.layers.get_mut(layer) else { return Vec::new() };
        let (dim, group) = (config.head_dim, config.heads / config.kv_heads);
        let count = rows.keys.len() / (config.kv_heads * dim);
        let work = Work {
            plan: *plan,
            dim,
            group,
            count,
            position: self.tokens,
            decoding: self.decoding,
            rope: &self.rope,
            turns: if plan.rotate { turns(&self.rope, self.tokens, count) } else { Vec::new() },
            config,
            rows,
            watch: if plan.watched { self.watch } else { Watch::default() },
            accelerator: self.accelerator.as_deref().filter(|_| plan.watched),
        };
        let parts: Vec<(Vec<Vec<f32>>, Cost)> =
            heads.par_iter_mut().enumerate().map(|(index, head)| work.head(index, head)).collect();
        let mut output = vec![0.0; count * config.heads * dim];
        for (kv_head, (members, cost)) in parts.iter().enumerate() {
            if plan.watched {
                self.cost.add(cost);
            }
            for (member, values) in members.iter().enumerate() {
                let at = (kv_head * group + member) * dim;
                let rows = output.chunks_mut(config.heads * dim).filter_map(|row| row.get_mut(at..at + dim));
                rows.zip(values.chunks(dim)).for_each(|(row, value)| row.copy_from_slice(value));
            }
        }
        output
    }
}

impl LayerState {
    fn new(config: &ModelConfig, policy: &dyn Policy, layer: usize, kind: LayerKind) -> Self {
        let watched = kind.window.is_none();
        let raw = watched && kind.rope && policy.raw_keys();
        let summaries = if watched { policy.summaries() } else { Summaries::default() };
        let head = |kv_head| HeadState {
            cache: HeadCache::new(config.head_dim, summaries),
            selector: match kind.window {
                Some(window) => Box::new(Window(window)),
                None => {
                    let group = config.heads / config.kv_heads;
                    policy.selector(Site {
                        layer,
                        kv_head,
                        kv_heads: config.kv_heads,
                        group,
                        gate_share: config.gate_share(layer, kv_head),
                    })
                }
            },
            last_queries: vec![Vec::new(); config.heads / config.kv_heads],
        };
        let log_n_from = match config.log_n_from {
            Some(from) if watched => Some(from),
            None if watched && policy.log_n() => Some(config.max_positions),
            _ => None,
        };
        let tile_rows = if watched { policy.tile_rows(kind.rope) } else { crate::policy::TILE };
        let plan = LayerPlan { watched, rotate: kind.rope && !raw, raw, tile_rows, log_n_from };
        Self { plan, heads: (0..config.kv_heads).map(head).collect() }
    }
}

/// Minus the log-probability of a token, in nats; not a number without logits.
fn surprisal(id: u32, logits: &[f32]) -> f32 {
    logits.get(id as usize).map_or(f32::NAN, |logit| log_sum_exp(logits) - logit)
}

/// The turns of `count` positions from `position` on.
#[expect(clippy::cast_precision_loss, reason = "positions below 2^24")]
fn turns(rope: &Rope, position: usize, count: usize) -> Vec<Vec<(f32, f32)>> {
    (position..position + count).map(|position| rope.turn(position as f32)).collect()
}

/// The window of a local layer.
struct Window(usize);

impl Selector for Window {
    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        let from = (tile.first + 1).saturating_sub(self.0);
        let Reading { mut pages, .. } = Reading::all(cache);
        pages.retain(|page| {
            cache.slots().get(page.slot).is_some_and(|slot| slot.end() > from && slot.first < tile.end())
        });
        vec![Reading { span: Span::Near(self.0), ..Reading::of(pages) }]
    }

    fn settle(&mut self, cache: &mut HeadCache, _: &Seen<'_>) {
        let from = cache.next().saturating_sub(self.0 + crate::page::PAGE);
        cache.retain_pages(|slot| slot.end() > from);
    }
}

/// One chunk at one layer.
struct Work<'a> {
    plan: LayerPlan,
    dim: usize,
    group: usize,
    count: usize,
    position: usize,
    decoding: bool,
    rope: &'a Rope,
    /// One per row, where queries and keys are rotated now.
    turns: Vec<Vec<(f32, f32)>>,
    config: &'a ModelConfig,
    rows: &'a Projections<'a>,
    watch: Watch,
    accelerator: Option<&'a Accelerator>,
}

impl Work<'_> {
    fn head(&self, index: usize, head: &mut HeadState) -> (Vec<Vec<f32>>, Cost) {
        let first = head.cache.next();
        self.append(index, &mut head.cache);
        let meter = Meter::default();
        let members: Vec<Vec<f32>> = (0..self.group).map(|member| self.queries(index * self.group + member)).collect();
        let ahead = Ahead {
            queries: &members,
            first,
            decoding: self.decoding,
            prompt_ends: self.rows.prompt_ends,
            sentence_ends: self.rows.sentence_ends,
            meter: &meter,
        };
        let begun = Instant::now();
        head.selector.open(&head.cache, &ahead);
        let mut cost = Cost { selecting: begun.elapsed(), ..Cost::default() };
        let mut outputs = Vec::with_capacity(self.group);
        let mut sums = vec![0.0; if self.watch.sums { head.cache.len() } else { 0 }];
        for (member, (queries, last)) in members.iter().zip(&mut head.last_queries).enumerate() {
            let chunk = Chunk {
                queries,
                member,
                first,
                position: self.position,
                decoding: self.decoding,
                rope: self.plan.raw.then_some(self.rope),
                tile_rows: self.plan.tile_rows,
                meter: &meter,
                accelerator: self.accelerator,
            };
            let (mut output, mut lse) = (vec![0.0; queries.len()], vec![0.0; self.count]);
            cost.add(&attention::attend(&chunk, self.dim, &head.cache, head.selector.as_mut(), &mut output, &mut lse));
            let begun = Instant::now();
            if self.watch.sums {
                attention::column_sums(queries, self.dim, first, &head.cache, &lse, &mut sums);
                meter.products(self.count, head.cache.len(), self.dim);
            }
            if self.watch.last_queries > 0 && !self.decoding {
                keep_last(last, queries, self.watch.last_queries * self.dim);
            }
            cost.selecting += begun.elapsed();
            outputs.push(output);
        }
        if !self.watch.surprisal {
            let begun = Instant::now();
            let seen = Seen {
                prompt_over: self.rows.prompt_ends,
                decoding: self.decoding || self.rows.prompt_ends,
                last_queries: &head.last_queries,
                sums: &sums,
                surprisal: &[],
                meter: &meter,
            };
            head.selector.settle(&mut head.cache, &seen);
            cost.selecting += begun.elapsed();
        }
        cost.chosen(&meter);
        (outputs, cost)
    }

    fn append(&self, kv_head: usize, cache: &mut HeadCache) {
        let width = self.config.kv_heads * self.dim;
        let at = kv_head * self.dim..(kv_head + 1) * self.dim;
        let rows = self.rows.keys.chunks(width).zip(self.rows.values.chunks(width)).enumerate();
        for (row, (keys, values)) in rows {
            let (Some(key), Some(value)) = (keys.get(at.clone()), values.get(at.clone())) else { continue };
            let mut key = key.to_vec();
            if let Some(turn) = self.turns.get(row) {
                self.rope.apply(&mut key, turn);
            }
            cache.push(u32::try_from(self.position + row).unwrap_or(u32::MAX), &key, value);
        }
    }

    /// Queries of one head `[rows, dim]`.
    fn queries(&self, head: usize) -> Vec<f32> {
        let at = head * self.dim..(head + 1) * self.dim;
        let mut found = Vec::with_capacity(self.count * self.dim);
        for (row, queries) in self.rows.queries.chunks(self.config.heads * self.dim).enumerate() {
            let mut query = queries.get(at.clone()).unwrap_or_default().to_vec();
            if let Some(turn) = self.turns.get(row) {
                self.rope.apply(&mut query, turn);
            }
            if let Some(from) = self.plan.log_n_from {
                let factor = crate::rope::log_n_factor(self.position + row + 1, from);
                query.iter_mut().for_each(|channel| *channel *= factor);
            }
            found.extend(query);
        }
        found
    }
}
