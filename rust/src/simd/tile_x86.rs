//! The kernels of [`super::tile`] with intrinsics of x86-64.

use std::arch::x86_64::{
    _CMP_GE_OQ, _MM_HINT_T0, _mm_prefetch, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_movemask_ps,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::tile::{ITEMS, ItemStep, QUERIES, Reached, Scores, Task};

/// Steps between two prefetches: the 16 tiles that work on a panel together prefetch the next one.
const PREFETCH_EVERY: usize = 8;

/// Prefetch the two cache lines of a step.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
fn prefetch(ahead: &[ItemStep], step: usize) {
    if step.is_multiple_of(PREFETCH_EVERY)
        && let Some(lines) = ahead.get(step / PREFETCH_EVERY)
    {
        // SAFETY: a prefetch reads nothing, and both addresses are within the step.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(lines.as_ptr().cast());
            _mm_prefetch::<_MM_HINT_T0>(lines[ITEMS / 2..].as_ptr().cast());
        }
    }
}

/// Store the sums of both halves of the items, and compare them with the thresholds.
macro_rules! finish_avx512 {
    ($sums:ident, $task:ident, $scores:ident) => {{
        let mut reached = [0; QUERIES];
        for query in 0..QUERIES {
            let threshold = _mm512_set1_ps($task.thresholds[query]);
            let [low, high] = $sums[query];
            let low_mask = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(low, threshold);
            let high_mask = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(high, threshold);
            reached[query] = u32::from(low_mask) | u32::from(high_mask) << 16;
            let row = &mut $scores[query];
            // SAFETY: a row has 32 scores.
            unsafe {
                _mm512_storeu_ps(row.as_mut_ptr(), low);
                _mm512_storeu_ps(row[ITEMS / 2..].as_mut_ptr(), high);
            }
        }
        reached
    }};
}

/// Compute 12 × 32 sums of `f32` in 24 registers.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[allow(unsafe_code)]
pub fn float_avx512(task: Task<'_>, scores: &mut Scores) -> Reached {
    let mut sums = [[_mm512_setzero_ps(); 2]; QUERIES];
    for (step, (queries, items)) in task.queries.iter().zip(task.items).enumerate() {
        prefetch(task.ahead, step);
        // SAFETY: a step has the words of 32 items, two registers.
        let (low, high) =
            unsafe { (_mm512_loadu_ps(items.as_ptr().cast()), _mm512_loadu_ps(items[ITEMS / 2..].as_ptr().cast())) };
        for query in 0..QUERIES {
            let factor = _mm512_set1_ps(f32::from_bits(queries[query]));
            sums[query][0] = _mm512_fmadd_ps(factor, low, sums[query][0]);
            sums[query][1] = _mm512_fmadd_ps(factor, high, sums[query][1]);
        }
    }
    finish_avx512!(sums, task, scores)
}

/// Compute 12 × 32 sums of products of bytes, four at a time.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
#[allow(unsafe_code)]
pub fn int8_vnni(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    let mut integers = [[_mm512_set1_epi32(0); 2]; QUERIES];
    for query in 0..QUERIES {
        integers[query] = [_mm512_set1_epi32(starts[query]); 2];
    }
    for (step, (queries, items)) in task.queries.iter().zip(task.items).enumerate() {
        prefetch(task.ahead, step);
        // SAFETY: a step has the words of 32 items, two registers.
        let (low, high) = unsafe {
            (_mm512_loadu_si512(items.as_ptr().cast()), _mm512_loadu_si512(items[ITEMS / 2..].as_ptr().cast()))
        };
        for query in 0..QUERIES {
            let factors = _mm512_set1_epi32(queries[query] as i32);
            integers[query][0] = _mm512_dpbusd_epi32(integers[query][0], low, factors);
            integers[query][1] = _mm512_dpbusd_epi32(integers[query][1], high, factors);
        }
    }
    // SAFETY: there are 32 scales, two registers.
    let scales = unsafe { [_mm512_loadu_ps(scales.as_ptr()), _mm512_loadu_ps(scales[ITEMS / 2..].as_ptr())] };
    let mut sums = [[_mm512_setzero_ps(); 2]; QUERIES];
    for query in 0..QUERIES {
        sums[query][0] = _mm512_mul_ps(_mm512_cvtepi32_ps(integers[query][0]), scales[0]);
        sums[query][1] = _mm512_mul_ps(_mm512_cvtepi32_ps(integers[query][1]), scales[1]);
    }
    finish_avx512!(sums, task, scores)
}

/// Queries and items whose sums fit 16 registers together with two loads and a broadcast.
const SMALL: (usize, usize) = (6, 16);
/// Numbers of a register.
const LANES: usize = 8;

/// Compute 12 × 32 sums of `f32`, 6 × 16 at a time.
#[target_feature(enable = "avx2,fma")]
#[allow(unsafe_code)]
pub fn float_avx2(task: Task<'_>, scores: &mut Scores) -> Reached {
    let mut reached = [0; QUERIES];
    for first in (0..QUERIES).step_by(SMALL.0) {
        for start in (0..ITEMS).step_by(SMALL.1) {
            let mut sums = [[_mm256_setzero_ps(); 2]; SMALL.0];
            for (queries, items) in task.queries.iter().zip(task.items) {
                let items = &items[start..start + SMALL.1];
                // SAFETY: 16 words are two registers.
                let (low, high) = unsafe {
                    (_mm256_loadu_ps(items.as_ptr().cast()), _mm256_loadu_ps(items[LANES..].as_ptr().cast()))
                };
                for query in 0..SMALL.0 {
                    let factor = _mm256_set1_ps(f32::from_bits(queries[first + query]));
                    sums[query][0] = _mm256_fmadd_ps(factor, low, sums[query][0]);
                    sums[query][1] = _mm256_fmadd_ps(factor, high, sums[query][1]);
                }
            }
            for query in 0..SMALL.0 {
                let threshold = _mm256_set1_ps(task.thresholds[first + query]);
                for (half, &sums) in sums[query].iter().enumerate() {
                    let at = start + half * LANES;
                    let mask = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(sums, threshold));
                    reached[first + query] |= (mask as u32) << at;
                    let row = &mut scores[first + query][at..at + LANES];
                    // SAFETY: the slice has as many scores as the register.
                    unsafe { _mm256_storeu_ps(row.as_mut_ptr(), sums) };
                }
            }
        }
    }
    reached
}
