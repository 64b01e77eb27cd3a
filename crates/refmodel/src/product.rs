//! Products of a few rows with one group of lanes, by instruction set.

use crate::page::LANES;

/// A way to compute products.
pub trait Products {
    /// Whether one instruction multiplies and adds.
    const FMA: bool;

    /// `sums[row] += sum of left[entry][row] * right[entry]`.
    fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]]);

    /// `sums[row] += sum of left[group][row][lane] * right[group * LANES + lane]` over the entries of `right` whose bit
    /// is set. The others are not read.
    fn add_rows<const R: usize>(
        sums: &mut [[f32; LANES]; R],
        left: &[[[f32; LANES]; R]],
        right: &[[f32; LANES]],
        bits: u64,
    );
}

/// Whatever the compiler's target has.
pub struct Portable;

impl Portable {
    #[inline(always)]
    fn step(sums: &mut [f32; LANES], left: f32, right: &[f32; LANES]) {
        sums.iter_mut().zip(right).for_each(|(sum, right)| *sum += left * right);
    }
}

impl Products for Portable {
    const FMA: bool = false;

    fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]]) {
        for (left, right) in left.iter().zip(right) {
            sums.iter_mut().zip(left).for_each(|(sums, left)| Self::step(sums, *left, right));
        }
    }

    fn add_rows<const R: usize>(
        sums: &mut [[f32; LANES]; R],
        left: &[[[f32; LANES]; R]],
        right: &[[f32; LANES]],
        bits: u64,
    ) {
        for (group, (left, right)) in left.iter().zip(right.chunks(LANES)).enumerate() {
            for (lane, right) in right.iter().enumerate().filter(|(lane, _)| bits >> (group * LANES + lane) & 1 == 1) {
                let left = left.iter().map(|row| row.get(lane).copied().unwrap_or(0.0));
                sums.iter_mut().zip(left).for_each(|(sums, left)| Self::step(sums, left, right));
            }
        }
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
    #![expect(unsafe_code, reason = "rows of 16 numbers become registers of their size, and functions have features")]

    use std::arch::x86_64::{__m256, __m512, _mm256_fmadd_ps, _mm256_set1_ps, _mm512_fmadd_ps, _mm512_set1_ps};
    use std::mem::transmute;

    use super::{Avx2, Avx512, LANES, Products};

    /// Both products of an instruction set: its registers for a row of lanes, and how a number times a row is added.
    macro_rules! products {
        ($set:ty, $features:literal, $registers:ty, $step:expr) => {
            impl Products for $set {
                const FMA: bool = true;

                #[inline(always)]
                fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]]) {
                    #[target_feature(enable = $features)]
                    fn add<const R: usize>(sums: &mut [[f32; LANES]; R], left: &[[f32; R]], right: &[[f32; LANES]]) {
                        let mut rows = [registers([0.0; LANES]); R];
                        rows.iter_mut().zip(sums.iter()).for_each(|(row, sums)| *row = registers(*sums));
                        for (left, right) in left.iter().zip(right) {
                            let right = registers(*right);
                            for (row, left) in rows.iter_mut().zip(left) {
                                $step(row, *left, right);
                            }
                        }
                        sums.iter_mut().zip(rows).for_each(|(sums, row)| *sums = numbers(row));
                    }
                    // SAFETY: the kernel takes this type only after the processor was found to have the instructions.
                    unsafe { add(sums, left, right) }
                }

                #[inline(always)]
                fn add_rows<const R: usize>(
                    sums: &mut [[f32; LANES]; R],
                    left: &[[[f32; LANES]; R]],
                    right: &[[f32; LANES]],
                    bits: u64,
                ) {
                    #[target_feature(enable = $features)]
                    fn add_rows<const R: usize>(
                        sums: &mut [[f32; LANES]; R],
                        left: &[[[f32; LANES]; R]],
                        right: &[[f32; LANES]],
                        mut bits: u64,
                    ) {
                        let mut rows = [registers([0.0; LANES]); R];
                        rows.iter_mut().zip(sums.iter()).for_each(|(row, sums)| *row = registers(*sums));
                        for (left, right) in left.iter().zip(right.as_chunks::<LANES>().0) {
                            for (lane, right) in right.iter().enumerate() {
                                if bits & 1 == 1 {
                                    let right = registers(*right);
                                    for (row, left) in rows.iter_mut().zip(left) {
                                        $step(row, left.get(lane).copied().unwrap_or(0.0), right);
                                    }
                                }
                                bits >>= 1;
                            }
                        }
                        sums.iter_mut().zip(rows).for_each(|(sums, row)| *sums = numbers(row));
                    }
                    // SAFETY: as above.
                    unsafe { add_rows(sums, left, right, bits) }
                }
            }

            #[inline(always)]
            fn registers(numbers: [f32; LANES]) -> $registers {
                // SAFETY: both are the same 16 numbers, and any bits are numbers.
                unsafe { transmute(numbers) }
            }

            #[inline(always)]
            fn numbers(registers: $registers) -> [f32; LANES] {
                // SAFETY: as above.
                unsafe { transmute(registers) }
            }
        };
    }

    mod avx512 {
        use super::{__m512, _mm512_fmadd_ps, _mm512_set1_ps, Avx512, LANES, Products, transmute};

        products!(Avx512, "avx512f", __m512, |row: &mut __m512, left: f32, right| {
            *row = _mm512_fmadd_ps(_mm512_set1_ps(left), right, *row);
        });
    }

    mod avx2 {
        use super::{__m256, _mm256_fmadd_ps, _mm256_set1_ps, Avx2, LANES, Products, transmute};

        products!(Avx2, "avx2,fma", [__m256; 2], |[low, high]: &mut [__m256; 2], left: f32, right: [__m256; 2]| {
            let left = _mm256_set1_ps(left);
            *low = _mm256_fmadd_ps(left, right[0], *low);
            *high = _mm256_fmadd_ps(left, right[1], *high);
        });
    }
}
