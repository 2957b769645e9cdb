//! Scores of a tile of queries and a panel of items, and which of them reach a threshold.
//!
//! Vectors are packed by steps: step `n` of a tile holds word `n` of each of its queries, step `n` of a panel word `n` of
//! each of its items. A word is one `f32`, or four integers of a byte each. The tile fills the registers of AVX-512: 24
//! sums of 16 lanes, two loads and one broadcast; other levels compute it in parts. A level is a file with its
//! [`Sums`](sums::Sums).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_vnni;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_dotprod;
mod portable;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod sums;
#[cfg(test)]
mod tests;

use super::Level;

/// Queries of a tile.
pub const QUERIES: usize = 12;
/// Items of a panel.
pub const ITEMS: usize = 32;

/// A word of each query.
pub type QueryStep = [u32; QUERIES];
/// A word of each item.
pub type ItemStep = [u32; ITEMS];

/// The arguments of one call.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The steps of the tile.
    pub queries: &'a [QueryStep],
    /// The steps of the panel, of the same number.
    pub items: &'a [ItemStep],
    /// Steps that are prefetched into the cache.
    pub ahead: &'a [ItemStep],
    /// Threshold of each query. No score reaches NaN.
    pub thresholds: &'a [f32; QUERIES],
}

/// Scores of a tile, by query and item.
pub type Scores = [[f32; ITEMS]; QUERIES];

/// For each query, the items that reach its threshold, the first item being the lowest bit.
pub type Reached = [u32; QUERIES];

/// The integers that a level multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integers {
    /// The largest absolute value in queries.
    pub queries: u8,
    /// The largest absolute value in items.
    pub items: u8,
    /// Added to the integers of items.
    pub offset: u8,
}

impl Integers {
    /// Dot products of unsigned and signed bytes in 32 bits.
    const UNSIGNED: Self = Self { queries: 127, items: 127, offset: 128 };
    /// Items are 1 to 127, so that four products with queries of -64 to 64 fit 16 bits.
    const SEVEN_BITS: Self = Self { queries: 64, items: 63, offset: 64 };
    /// Dot products of signed bytes.
    const SIGNED: Self = Self { queries: 127, items: 127, offset: 0 };

    /// Return the integers that [`integers`] takes at a level.
    pub fn of(level: Level) -> Self {
        match level {
            Level::Avx2 | Level::Avx512 => Self::SEVEN_BITS,
            Level::Portable | Level::AvxVnni | Level::Avx512Vnni => Self::UNSIGNED,
            Level::Neon | Level::NeonDotprod => Self::SIGNED,
        }
    }
}

/// What [`sums::tile`] starts from, for sums of `f32`.
#[cfg(target_arch = "x86_64")]
const NO_STARTS: [i32; QUERIES] = [0; QUERIES];
/// What [`sums::tile`] multiplies with, for sums of `f32`.
#[cfg(target_arch = "x86_64")]
const NO_SCALES: [f32; ITEMS] = [1.0; ITEMS];

/// Compute the scores of `f32` words: sums of products in the order of the steps, by fused multiply-add where the level has
/// it. Returns which scores reach the thresholds.
///
/// # Panics
/// If this CPU does not have the level.
#[allow(unsafe_code)]
pub fn float(task: Task<'_>, scores: &mut Scores, level: Level) -> Reached {
    assert!(level.is_available(), "this CPU does not have the level");
    match level.base() {
        // SAFETY: the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::float(task, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::float(task, scores) },
        _ => portable::float(task, scores),
    }
}

/// Compute the scores of words of four integers: the exact inner products as `f32`, times the scale of the item. The
/// integers are those of [`Integers::of`]; `starts` holds, for each query, the sum of its integers times the offset of the
/// items, negative. Returns which scores reach the thresholds.
///
/// # Panics
/// If this CPU does not have the level.
#[allow(unsafe_code)]
pub fn integers(
    task: Task<'_>,
    starts: &[i32; QUERIES],
    scales: &[f32; ITEMS],
    scores: &mut Scores,
    level: Level,
) -> Reached {
    assert!(level.is_available(), "this CPU does not have the level");
    match level {
        // SAFETY: the level is available, so the CPU has its instructions; so for all of them.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::integers(task, starts, scales, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::AvxVnni => unsafe { avx_vnni::integers(task, starts, scales, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::integers(task, starts, scales, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => unsafe { avx512_vnni::integers(task, starts, scales, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { neon::integers(task, starts, scales, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        Level::NeonDotprod => unsafe { neon_dotprod::integers(task, starts, scales, scores) },
        _ => portable::integers(task, starts, scales, scores),
    }
}
