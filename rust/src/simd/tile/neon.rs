//! NEON without dot products: integers of 8 bits. Single precision is plain code, whose target has NEON.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vandq_u32, vcgeq_f32, vcvtq_f32_s32, vdupq_n_f32, vdupq_n_s32, vget_low_s8, vgetq_lane_u32,
    vld1q_f32, vld1q_s32, vld1q_u32, vmlal_high_s8, vmlal_s8, vmull_high_s8, vmull_s8, vmulq_f32, vpadalq_s16,
    vpaddq_s32, vpaddq_u32, vreinterpretq_s8_s32, vst1q_f32,
};

use super::sums::{Sums, tile};
use super::{ITEMS, QUERIES, Reached, Scores, Task};

/// Items of a register.
pub const LANES: usize = 4;

/// Compute the scores of words of integers.
#[target_feature(enable = "neon")]
#[allow(unsafe_code)]
pub fn integers(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    // SAFETY: the function has the feature. 16 registers of sums, four loads, two broadcasts and products fit 32.
    unsafe { tile::<Bytes, 2, 4, 2>(task, starts, scales, scores) }
}

/// Sums of products of signed bytes, two for each item.
///
/// A product of -127 to 127 is at most 16,129, so that of one step and that of the next fit 16 bits together.
#[derive(Clone, Copy)]
struct Bytes(int32x4_t, int32x4_t);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<2> for Bytes {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(start: i32) -> Self {
        let start = [start, 0, start, 0];
        // SAFETY: the array is as long as the register; the caller promises NEON, here and below.
        let start = unsafe { vld1q_s32(start.as_ptr()) };
        Self(start, start)
    }

    #[inline(always)]
    unsafe fn add(self, queries: [u32; 2], items: [&[u32]; 2]) -> Self {
        // SAFETY: `load` has its own.
        unsafe {
            let [first, second] = items.map(|items| load(items));
            let [query, next] = queries.map(|query| vreinterpretq_s8_s32(vdupq_n_s32(query as i32)));
            let low = vmull_s8(vget_low_s8(first), vget_low_s8(query));
            let low = vmlal_s8(low, vget_low_s8(second), vget_low_s8(next));
            let high = vmlal_high_s8(vmull_high_s8(first, query), second, next);
            Self(vpadalq_s16(self.0, low), vpadalq_s16(self.1, high))
        }
    }

    #[inline(always)]
    unsafe fn finish(self, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: NEON as above.
        unsafe { finish_integers(vpaddq_s32(self.0, self.1), scales, threshold, scores) }
    }
}

/// Return the bytes of four items.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
pub unsafe fn load(items: &[u32]) -> int8x16_t {
    let items = &items[..LANES];
    // SAFETY: the slice is as long as the register; the caller promises NEON.
    unsafe { vreinterpretq_s8_s32(vld1q_s32(items.as_ptr().cast())) }
}

/// Store integers times scales, and return which reach the threshold.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
pub unsafe fn finish_integers(sums: int32x4_t, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
    const BITS: [u32; LANES] = [1, 2, 4, 8];
    let (scales, scores) = (&scales[..LANES], &mut scores[..LANES]);
    // SAFETY: the slices are as long as the registers; the caller promises NEON.
    unsafe {
        let products = vmulq_f32(vcvtq_f32_s32(sums), vld1q_f32(scales.as_ptr()));
        vst1q_f32(scores.as_mut_ptr(), products);
        let bits = vandq_u32(vcgeq_f32(products, vdupq_n_f32(threshold)), vld1q_u32(BITS.as_ptr()));
        let pairs = vpaddq_u32(bits, bits);
        vgetq_lane_u32::<0>(vpaddq_u32(pairs, pairs))
    }
}
