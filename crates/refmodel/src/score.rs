//! Products of queries with the keys of a page, by lanes as in the kernel: what a policy weighs for itself.

use crate::kernel::exp2;
use crate::page::{LANES, PAGE, Page};
#[cfg(target_arch = "x86_64")]
use crate::product::{Avx2, Avx512};
use crate::product::{Portable, Products};

/// Products of `[rows, dim]` of `queries` with the keys of `page`, to `[rows, PAGE]` of `out`.
pub fn products(queries: &[f32], dim: usize, page: &Page, out: &mut [f32]) {
    run(queries, dim, page, None, out);
}

/// Shares of attention that `[rows, dim]` of `queries`, with log-sum-exp `lse` over all that they see, give to the keys
/// of `page`, to `[rows, PAGE]` of `out`. Entries of tokens that a row does not see mean nothing.
pub fn weights(queries: &[f32], dim: usize, page: &Page, lse: &[f32], out: &mut [f32]) {
    run(queries, dim, page, Some(lse), out);
}

fn run(queries: &[f32], dim: usize, page: &Page, lse: Option<&[f32]>, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && queries.len() > 6 * dim {
            // SAFETY: the processor has the features, which was just asked.
            #[expect(unsafe_code, reason = "a function compiled for the features that were just found")]
            return unsafe { avx512(queries, dim, page, lse, out) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the features, which was just asked.
            #[expect(unsafe_code, reason = "a function compiled for the features that were just found")]
            return unsafe { avx2(queries, dim, page, lse, out) };
        }
    }
    blocks::<Portable, 4>(queries, dim, page, lse, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512(queries: &[f32], dim: usize, page: &Page, lse: Option<&[f32]>, out: &mut [f32]) {
    blocks::<Avx512, 12>(queries, dim, page, lse, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(queries: &[f32], dim: usize, page: &Page, lse: Option<&[f32]>, out: &mut [f32]) {
    if queries.len() == dim {
        blocks::<Avx2, 1>(queries, dim, page, lse, out);
    } else {
        blocks::<Avx2, 6>(queries, dim, page, lse, out);
    }
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "head sizes")]
fn blocks<S: Products, const R: usize>(queries: &[f32], dim: usize, page: &Page, lse: Option<&[f32]>, out: &mut [f32]) {
    let scale = if lse.is_some() { std::f32::consts::LOG2_E / (dim as f32).sqrt() } else { 1.0 };
    let mut channels = vec![[0.0; R]; dim];
    for (block, (queries, out)) in queries.chunks(R * dim).zip(out.chunks_mut(R * PAGE)).enumerate() {
        for (row, query) in queries.chunks(dim).enumerate() {
            for (channel, value) in channels.iter_mut().zip(query) {
                if let Some(slot) = channel.get_mut(row) {
                    *slot = value * scale;
                }
            }
        }
        for (place, group) in page.key_groups().enumerate() {
            let mut sums = [[0.0; LANES]; R];
            S::add(&mut sums, &channels, group);
            for (row, (out, sums)) in out.chunks_mut(PAGE).zip(&sums).enumerate() {
                let Some(out) = out.get_mut(place * LANES..(place + 1) * LANES) else { continue };
                match lse.and_then(|lse| lse.get(block * R + row)) {
                    Some(lse) => {
                        let lse = lse * std::f32::consts::LOG2_E;
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = exp2::<S>((sum - lse).min(0.0)));
                    }
                    None => out.copy_from_slice(sums),
                }
            }
        }
    }
}
