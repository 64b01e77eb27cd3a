//! InfiniRetri: the prompt is read window by window, and the question's attention chooses which sentences stay.

use super::select::{sinks_and, top};
use super::weigh::softmax;
use super::{Ahead, Card, Meter, PageUse, Parameter, Policy, Properties, Reading, Seen, Selector, Site, Tile, Watch};
use super::{bytes_of, keep_last, vector_bytes};
use crate::cache::HeadCache;
use crate::page::PAGE;
use crate::score;

/// InfiniRetri on the cache.
pub const CARD: Card = Card {
    slug: "infiniretri",
    title: "InfiniRetri (on the cache)",
    citation: "Ye et al. 2025, Infinite retrieval: attention enhanced LLMs in long-context processing, arXiv 2502.12962; \
               package infini-retri 0.0.3 (MIT)",
    what: "Tokens of the prompt read their own window. At its end the last tokens go through the windows one by one and \
           carry the sentences with most attention along, pooled over a phrase; they and the answer read these alone.",
    differs: "Keys are kept from the one reading of a window instead of sending kept text through the model again, so a \
              window does not see what earlier ones kept. The question is the last tokens of the prompt. Each key head \
              chooses by its own attention, not all by the last layer's. Sentences of more than 64 tokens are cut. Kept sentences never exceed a window: the best \
              come first.",
    parameters: &[
        Parameter { name: "window", help: "tokens of a window", default: 1024.0, least: 1.0 },
        Parameter { name: "tokens", help: "best tokens whose sentences are kept", default: 300.0, least: 1.0 },
        Parameter { name: "phrase", help: "tokens pooled", default: 8.0, least: 1.0 },
        Parameter { name: "question", help: "last tokens of the prompt, which choose", default: 64.0, least: 1.0 },
    ],
    properties: Properties { prefix_stable: false, recalls: true, shared_choice: true, ..Properties::DENSE },
    build: |settings| {
        Box::new(InfiniRetri {
            window: settings.count("window"),
            tokens: settings.count("tokens"),
            phrase: settings.count("phrase"),
            question: settings.count("question"),
        })
    },
};

/// Sentences of at most so many tokens belong to the one before, as `3.` in 3.5 does.
const FRAGMENT: usize = 3;
/// Longer sentences are cut: texts without marks have no others.
const LONGEST: usize = 64;

#[derive(Clone, Copy)]
struct InfiniRetri {
    window: usize,
    tokens: usize,
    phrase: usize,
    question: usize,
}

impl Policy for InfiniRetri {
    fn watch(&self) -> Watch {
        Watch { sentence_ends: true, ..Watch::default() }
    }

    fn own_bytes(&self, tokens: usize, dim: usize, group: usize) -> usize {
        tokens * size_of::<bool>() + group * bytes_of::<f32>(self.question * dim)
    }

    fn selector(&self, site: Site) -> Box<dyn Selector> {
        let last = vec![Vec::new(); site.group];
        Box::new(Reader { policy: *self, ends: Vec::new(), last, kept: None })
    }
}

struct Reader {
    policy: InfiniRetri,
    /// For each token of the prompt, whether it ends a sentence.
    ends: Vec<bool>,
    /// The last queries of the prompt so far, `[rows, dim]` per query head.
    last: Vec<Vec<f32>>,
    kept: Option<Kept>,
}

/// What is left of the prompt.
struct Kept {
    /// Indices of tokens of kept sentences, ascending.
    context: Vec<usize>,
    /// Index of the first token of the question.
    question: usize,
}

impl Selector for Reader {
    fn open(&mut self, cache: &HeadCache, ahead: &Ahead<'_>) {
        if ahead.decoding {
            return;
        }
        self.ends.extend(ahead.sentence_ends);
        self.ends.resize(cache.next(), false);
        for (last, queries) in self.last.iter_mut().zip(ahead.queries) {
            keep_last(last, queries, self.policy.question * cache.dim());
        }
        if ahead.prompt_ends {
            self.kept = Some(self.retrieve(cache, ahead.meter));
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(self.ends.as_slice()) + vector_bytes(&self.last)
    }

    fn select(&mut self, cache: &HeadCache, tile: &Tile<'_>) -> Vec<Reading> {
        if tile.decoding {
            return vec![Reading::all(cache)];
        }
        let asks = |index: usize| self.kept.as_ref().filter(|kept| index >= kept.question);
        let rows = |wanted: &dyn Fn(usize) -> bool| {
            let rows: Vec<usize> =
                tile.each().enumerate().filter(|(_, (index, _))| wanted(*index)).map(|(row, _)| row).collect();
            (!rows.is_empty()).then_some(rows)
        };
        let windows = tile.first / self.policy.window..tile.end().div_ceil(self.policy.window);
        let mut readings: Vec<Reading> = windows
            .filter_map(|window| {
                let from = window * self.policy.window;
                let to = (from + self.policy.window).min(tile.end());
                let rows = rows(&|index| (from..to).contains(&index) && asks(index).is_none())?;
                Some(Reading { rows: Some(rows), ..Reading::of(sinks_and(cache, 0, from, to)) })
            })
            .collect();
        if let (Some(kept), Some(rows)) = (&self.kept, rows(&|index| asks(index).is_some())) {
            let tokens = kept.context.iter().copied().chain(kept.question..tile.end());
            readings.push(Reading { rows: Some(rows), ..Reading::of(listed(cache, tokens)) });
        }
        readings
    }

    fn settle(&mut self, cache: &mut HeadCache, seen: &Seen<'_>) {
        if let Some(kept) = self.kept.take_if(|_| seen.prompt_over) {
            let tokens: Vec<usize> = kept.context.into_iter().chain(kept.question..cache.next()).collect();
            cache.retain_tokens(&tokens);
        }
    }
}

/// Tokens with these indices, ascending, as uses of their pages.
fn listed(cache: &HeadCache, tokens: impl Iterator<Item = usize>) -> Vec<PageUse> {
    let mut pages: Vec<PageUse> = Vec::new();
    for token in tokens {
        let slot = token / PAGE;
        let Some(page) = cache.slots().get(slot).filter(|page| token < page.end()) else { continue };
        let bit = 1 << (token - page.first);
        match pages.last_mut() {
            Some(last) if last.slot == slot => last.valid |= bit,
            _ => pages.push(PageUse { slot, valid: bit }),
        }
    }
    pages
}

/// A token and its products with the queries of the question.
struct Candidate {
    index: usize,
    products: Vec<f32>,
}

impl Reader {
    fn retrieve(&self, cache: &HeadCache, meter: &Meter) -> Kept {
        let dim = cache.dim().max(1);
        let queries: Vec<f32> = self.last.iter().flatten().copied().collect();
        let asked = self.last.first().map_or(0, |last| last.len() / dim);
        let question = cache.next() - asked;
        let own = candidates(cache, &queries, question, cache.next());
        let sentences = sentences(self.ends.get(..question).unwrap_or_default());
        let (mut carried, mut weights) = (Vec::new(), None);
        for from in (0..question).step_by(self.policy.window) {
            let to = (from + self.policy.window).min(question);
            carried.extend(candidates(cache, &queries, from, to));
            meter.products(queries.len() / dim, to - from, dim);
            let rows = attention(&carried, &own, asked, dim);
            let weights = weights.get_or_insert_with(|| on_question(&rows, carried.len()));
            let scores = scores(&rows, carried.len(), weights, self.policy.phrase);
            let indices: Vec<usize> = carried.iter().map(|candidate: &Candidate| candidate.index).collect();
            let kept = keep(&indices, &scores, &sentences, self.policy.tokens, self.policy.window);
            let mut kept = kept.into_iter();
            carried.retain(|_| kept.next().unwrap_or(false));
        }
        Kept { context: carried.into_iter().map(|candidate| candidate.index).collect(), question }
    }
}

/// Tokens with index in `from..to` and their products with all `queries`.
fn candidates(cache: &HeadCache, queries: &[f32], from: usize, to: usize) -> Vec<Candidate> {
    let mut found = Vec::with_capacity(to - from);
    let mut products = vec![0.0; queries.len() / cache.dim().max(1) * PAGE];
    for slot in cache.slots().iter().filter(|slot| slot.end() > from && slot.first < to) {
        score::products(queries, cache.dim(), &slot.page, &mut products);
        for index in slot.first.max(from)..slot.end().min(to) {
            let column = products.chunks(PAGE).filter_map(|row| row.get(index - slot.first).copied());
            found.push(Candidate { index, products: column.collect() });
        }
    }
    found
}

/// Attention of each of `asked` tokens of the question to the carried tokens and the question's own, summed over
/// heads of `dim` channels.
fn attention(carried: &[Candidate], own: &[Candidate], asked: usize, dim: usize) -> Vec<Vec<f32>> {
    let heads = own.first().map_or(0, |token| token.products.len()) / asked.max(1);
    let mut rows = vec![vec![0.0; carried.len() + own.len()]; asked];
    for head in 0..heads {
        for (row, sums) in rows.iter_mut().enumerate() {
            let seen = carried.iter().chain(own.iter().take(row + 1));
            let mut weights: Vec<f32> =
                seen.filter_map(|token| token.products.get(head * asked + row).copied()).collect();
            softmax(&mut weights, dim);
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }
    }
    rows
}

/// Attention that each token of the question gives to the question.
fn on_question(rows: &[Vec<f32>], context: usize) -> Vec<f32> {
    rows.iter().map(|row| row.iter().skip(context).sum()).collect()
}

/// Attention that each of `context` tokens gets from the question, pooled over phrases, rows weighted twice by how much
/// they attend to the question, as the package does.
fn scores(rows: &[Vec<f32>], context: usize, weights: &[f32], phrase: usize) -> Vec<f32> {
    let mut sums = vec![0.0; context];
    for (row, weight) in rows.iter().zip(weights) {
        sums.iter_mut().zip(row).for_each(|(sum, share)| *sum += share * weight * weight);
    }
    pooled(&sums, phrase)
}

/// Sums over `phrase` neighbours of the same size as `values`; an even number reaches one further on than back.
fn pooled(values: &[f32], phrase: usize) -> Vec<f32> {
    let back = phrase.saturating_sub(1) / 2;
    let around = |at: usize| values.get(at.saturating_sub(back)..(at + phrase - back).min(values.len()));
    (0..values.len()).map(|at| around(at).unwrap_or_default().iter().sum()).collect()
}

/// For each token, the sentence that it belongs to.
fn sentences(ends: &[bool]) -> Vec<usize> {
    let mut lengths: Vec<usize> = Vec::new();
    for part in ends.split_inclusive(|end| *end) {
        match lengths.last_mut() {
            Some(last) if part.len() <= FRAGMENT => *last += part.len(),
            _ => lengths.push(part.len()),
        }
    }
    let cut = |length: usize| (0..length.div_ceil(LONGEST)).map(move |part| LONGEST.min(length - part * LONGEST));
    let lengths = lengths.into_iter().flat_map(cut);
    lengths.enumerate().flat_map(|(sentence, length)| std::iter::repeat_n(sentence, length)).collect()
}

/// Which of the carried tokens, given by `indices`, stay: those in a sentence of one of the `best` tokens, sentence after
/// sentence by their best tokens while no more than `most` tokens stay.
fn keep(indices: &[usize], scores: &[f32], sentences: &[usize], best: usize, most: usize) -> Vec<bool> {
    let sentence: Vec<usize> = indices.iter().map(|index| sentences.get(*index).copied().unwrap_or(0)).collect();
    let score = |place: usize| scores.get(place).copied().unwrap_or(0.0);
    let mut chosen = top(scores, best);
    chosen.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
    let mut kept = vec![false; indices.len()];
    let mut room = most;
    for place in chosen {
        if kept.get(place).copied().unwrap_or(true) {
            continue;
        }
        let own = sentence.get(place).copied();
        let members = || sentence.iter().enumerate().filter(|(_, of)| Some(**of) == own).map(|(place, _)| place);
        let size = members().count();
        if size > room {
            continue;
        }
        room -= size;
        members().for_each(|place| kept.get_mut(place).into_iter().for_each(|kept| *kept = true));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_pooled_like_a_convolution_of_the_same_size() {
        assert_eq!(pooled(&[1.0, 0.0, 0.0, 0.0, 2.0], 3), [1.0, 1.0, 0.0, 2.0, 2.0]);
        assert_eq!(pooled(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 4), [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(pooled(&[3.0, 4.0], 1), [3.0, 4.0]);
    }

    #[test]
    fn fragments_are_glued_to_the_sentence_before() {
        let mut ends = [false; 16];
        [4, 6, 12].iter().for_each(|end| ends[*end] = true);
        assert_eq!(sentences(&ends), [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert!(sentences(&[]).is_empty());
        assert_eq!(sentences(&[false; 70])[63..65], [0, 1]);
    }

    #[test]
    fn the_sentence_with_the_largest_mass_stays_whole_and_a_long_one_that_overflows_does_not() {
        let indices: Vec<usize> = (0..12).collect();
        let sentences = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2];
        let mut scores = [0.0; 12];
        (scores[5], scores[1], scores[11]) = (3.0, 2.0, 1.0);
        let kept = |best, most| -> Vec<usize> {
            let kept = keep(&indices, &scores, &sentences, best, most);
            indices.iter().copied().filter(|index| kept[*index]).collect()
        };
        assert_eq!(kept(1, 12), [4, 5, 6, 7, 8, 9]);
        assert_eq!(kept(3, 12), indices);
        assert_eq!(kept(3, 8), [4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(kept(3, 5), [0, 1, 2, 3]);
    }

    #[test]
    fn rows_count_by_the_square_of_their_attention_to_the_question() {
        let rows = [vec![0.5, 0.25, 0.25, 0.0], vec![0.0, 0.5, 0.25, 0.25]];
        let weights = on_question(&rows, 2);
        assert_eq!(weights, [0.25, 0.5]);
        assert_eq!(scores(&rows, 2, &weights, 1), [0.5 * 0.0625, 0.25 * 0.0625 + 0.5 * 0.25]);
    }
}
