//! NEON with dot products of bytes: integers of 8 bits. Single precision is plain code, whose target has NEON.

use std::arch::aarch64::{int8x16_t, int32x4_t, vdupq_n_s32, vreinterpretq_s8_s32};
use std::arch::asm;

use super::neon::{LANES, finish_integers, load};
use super::sums::{Sums, tile};
use super::{ITEMS, QUERIES, Reached, Scores, Task};

/// Compute the scores of words of integers.
#[target_feature(enable = "neon,dotprod")]
#[allow(unsafe_code)]
pub fn integers(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    // SAFETY: the function has the features. 24 sums, four loads and a broadcast fit 32 registers.
    unsafe { tile::<Bytes, 1, 6, 4>(task, starts, scales, scores) }
}

/// Sums of products of signed bytes.
#[derive(Clone, Copy)]
struct Bytes(int32x4_t);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<1> for Bytes {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(start: i32) -> Self {
        // SAFETY: the caller promises NEON with dot products, here and below.
        Self(unsafe { vdupq_n_s32(start) })
    }

    #[inline(always)]
    unsafe fn add(self, [query]: [u32; 1], [items]: [&[u32]; 1]) -> Self {
        // SAFETY: as above.
        Self(unsafe { dot(self.0, load(items), vreinterpretq_s8_s32(vdupq_n_s32(query as i32))) })
    }

    #[inline(always)]
    unsafe fn finish(self, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: as above.
        unsafe { finish_integers(self.0, scales, threshold, scores) }
    }
}

/// Add the products of four bytes each to four sums. The standard library has no stable function for this instruction.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
unsafe fn dot(sums: int32x4_t, left: int8x16_t, right: int8x16_t) -> int32x4_t {
    let mut sums = sums;
    // SAFETY: the instruction works on three registers alone; the caller promises that the CPU has it.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {left:v}.16b, {right:v}.16b",
            sums = inout(vreg) sums,
            left = in(vreg) left,
            right = in(vreg) right,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}
