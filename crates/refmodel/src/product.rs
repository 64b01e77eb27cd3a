//! Products of a few rows with one group of lanes, by instruction set.

use crate::page::LANES;

/// A way to compute products.
pub trait Products {
    /// Whether one instruction multiplies and adds.
    const FMA: bool;

    /// `sums += left^T right` over the entries whose bit is set; all of them, however many, when every bit is.
    fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]], bits: u64);
}

/// Every pair of entries whose bit is set.
#[inline(always)]
fn each<'a, const R: usize>(
    left: &'a [[f32; R]],
    right: &'a [[f32; LANES]],
    bits: u64,
    mut step: impl FnMut(&'a [f32; R], &'a [f32; LANES]),
) {
    let entries = left.iter().zip(right);
    if bits == u64::MAX {
        entries.for_each(|(left, right)| step(left, right));
    } else {
        let set = entries.enumerate().filter(|(place, _)| bits >> place & 1 == 1);
        set.for_each(|(_, (left, right))| step(left, right));
    }
}

/// Whatever the compiler's target has.
pub struct Portable;

impl Products for Portable {
    const FMA: bool = false;

    fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]], bits: u64) {
        each(left, right, bits, |left, right| {
            for (sums, left) in sums.iter_mut().zip(left) {
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum += left * right;
                }
            }
        });
    }
}

/// 256-bit registers with fused multiply-add. Only used where the processor has them.
#[cfg(target_arch = "x86_64")]
pub struct Avx2;

/// 512-bit registers. Only used where the processor has them.
#[cfg(target_arch = "x86_64")]
pub struct Avx512;

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(unsafe_code, reason = "vector loads and stores go through pointers to whole arrays of their size")]

    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_fmadd_ps,
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    use super::{Avx2, Avx512, LANES, Products, each};

    impl Products for Avx512 {
        const FMA: bool = true;

        #[inline(always)]
        fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]], bits: u64) {
            // SAFETY: the kernel takes this type only after the processor was found to have the instructions.
            unsafe { add512(sums, left, right, bits) }
        }
    }

    #[target_feature(enable = "avx512f")]
    fn add512<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]], bits: u64) {
        // SAFETY: each array has the 16 numbers that a load or store touches.
        let mut lanes: [__m512; R] = sums.each_ref().map(|sums| unsafe { _mm512_loadu_ps(sums.as_ptr()) });
        let step = |left: &[f32; R], right: &[f32; LANES]| {
            // SAFETY: as above.
            let right = unsafe { _mm512_loadu_ps(right.as_ptr()) };
            for (lanes, left) in lanes.iter_mut().zip(left) {
                *lanes = _mm512_fmadd_ps(_mm512_set1_ps(*left), right, *lanes);
            }
        };
        each(left, right, bits, step);
        for (sums, lanes) in sums.iter_mut().zip(lanes) {
            // SAFETY: as above.
            unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), lanes) };
        }
    }

    impl Products for Avx2 {
        const FMA: bool = true;

        #[inline(always)]
        fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]], bits: u64) {
            // SAFETY: the kernel takes this type only after the processor was found to have the instructions.
            unsafe { add256(sums, left, right, bits) }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn add256<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]], bits: u64) {
        // SAFETY: each array has 16 numbers, which two loads or stores of 8 touch.
        let load =
            |lanes: &[f32; LANES]| unsafe { (_mm256_loadu_ps(lanes.as_ptr()), _mm256_loadu_ps(lanes.as_ptr().add(8))) };
        let mut lanes: [(__m256, __m256); R] = sums.each_ref().map(load);
        let step = |left: &[f32; R], right: &[f32; LANES]| {
            let (low, high) = load(right);
            for (lanes, left) in lanes.iter_mut().zip(left) {
                let left = _mm256_set1_ps(*left);
                *lanes = (_mm256_fmadd_ps(left, low, lanes.0), _mm256_fmadd_ps(left, high, lanes.1));
            }
        };
        each(left, right, bits, step);
        for (sums, (low, high)) in sums.iter_mut().zip(lanes) {
            // SAFETY: as above.
            unsafe {
                _mm256_storeu_ps(sums.as_mut_ptr(), low);
                _mm256_storeu_ps(sums.as_mut_ptr().add(8), high);
            }
        }
    }
}
