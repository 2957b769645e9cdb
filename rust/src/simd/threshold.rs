//! A number that about k values reach, and which values reach it.

use std::fmt::Debug;

use super::Level;
#[cfg(target_arch = "x86_64")]
use super::threshold_x86::{avx2, avx512};

/// Values whose comparisons are the bits of one word.
pub const WORD: usize = 64;

/// Running minima and maxima of [`Ordered::range`].
const LANES: usize = 16;

/// A threshold is good enough if few more values reach it than asked for, this number and a quarter: they are sorted.
const SLACK: usize = 8;

/// A floating-point type in which values are compared.
pub trait Ordered: Copy + PartialOrd + Debug + Default + Send {
    /// Less than or equal to every number.
    const LEAST: Self;

    /// Not a number.
    const NAN: Self;

    /// Integers in the order of the numbers.
    type Rank: Copy + Ord + Debug + Send;

    /// Integers that [`Ordered::key`] returns.
    type Key: Copy + Ord + Debug + Default + Send;

    /// Return whether the value is NaN.
    fn is_nan(self) -> bool;

    /// Return an integer that is larger for a larger number, and for plus zero than for minus zero.
    fn rank(self) -> Self::Rank;

    /// Return a number between two ranks, and its rank, which is below `high`; `None` if the ranks are neighbours.
    fn middle(low: Self::Rank, high: Self::Rank) -> Option<(Self, Self::Rank)>;

    /// Return an integer that is smaller for a larger number, and among equal numbers for a smaller index.
    fn key(self, index: u32) -> Self::Key;

    /// Return the index of a key.
    fn index(key: Self::Key) -> u32;

    /// Return the smallest and the largest number from `least` on. Without any, the smallest is larger than the largest.
    ///
    /// # Panics
    /// If this CPU does not have the level.
    fn range(values: &[[Self; WORD]], least: Self, level: Level) -> (Self, Self);

    /// Return how many values reach `threshold`; NaN does not.
    ///
    /// # Panics
    /// If this CPU does not have the level.
    fn count(values: &[[Self; WORD]], threshold: Self, level: Level) -> usize;

    /// Replace the content of `words` by a bit for each value that reaches `threshold`; NaN does not.
    ///
    /// # Panics
    /// If this CPU does not have the level.
    fn reaching(values: &[[Self; WORD]], threshold: Self, words: &mut Vec<u64>, level: Level);

    /// Do the same for some groups of values, in their order.
    ///
    /// # Panics
    /// If this CPU does not have the level, or a group does not exist.
    fn reaching_in(values: &[[Self; WORD]], groups: &[u32], threshold: Self, words: &mut Vec<u64>, level: Level);
}

/// A number, and how many values reach it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold<T> {
    /// The threshold.
    pub value: T,
    /// Number of values that reach it.
    pub count: usize,
}

impl<T: Ordered> Threshold<T> {
    /// Find a number from `least` on that `k` values reach, and few more unless these equal the k-th best. If fewer reach
    /// `least`, that is the result.
    pub fn find(values: &[[T; WORD]], least: T, k: usize, level: Level) -> Self {
        let mut best = Self { value: least, count: T::count(values, least, level) };
        if best.is_enough_for(k) {
            return best;
        }
        // The ranks between which the k-th best is.
        let (low, high) = T::range(values, least, level);
        best.value = low;
        let most = Self { value: high, count: T::count(values, high, level) };
        if most.count >= k {
            return most;
        }
        let (mut low, mut high) = (low.rank(), high.rank());
        while let Some((value, middle)) = T::middle(low, high) {
            let count = T::count(values, value, level);
            if count < k {
                high = middle;
                continue;
            }
            (low, best) = (middle, Self { value, count });
            if best.is_enough_for(k) {
                break;
            }
        }
        best
    }

    /// Return whether so few values reach the threshold that they can be sorted for the `k` best.
    pub fn is_enough_for(&self, k: usize) -> bool {
        self.count <= k + k / 4 + SLACK
    }
}

macro_rules! ordered {
    ($type:ident, $bits:ident, $key:ident, $module:ident) => {
        impl Ordered for $type {
            const LEAST: Self = Self::NEG_INFINITY;
            const NAN: Self = Self::NAN;

            type Rank = $bits;
            type Key = $key;

            fn is_nan(self) -> bool {
                self.is_nan()
            }

            #[inline]
            fn rank(self) -> $bits {
                let bits = self.to_bits();
                if bits & $module::SIGN == 0 { bits | $module::SIGN } else { !bits }
            }

            #[inline]
            fn middle(low: $bits, high: $bits) -> Option<(Self, $bits)> {
                let middle = low + high.saturating_sub(low) / 2;
                let bits = if middle & $module::SIGN == 0 { !middle } else { middle ^ $module::SIGN };
                (low < middle).then(|| (Self::from_bits(bits), middle))
            }

            #[inline]
            fn key(self, index: u32) -> $key {
                // Adding zero makes plus zero of minus zero.
                $key::from(!(self + 0.0).rank()) << u32::BITS | $key::from(index)
            }

            #[inline]
            fn index(key: $key) -> u32 {
                key as u32
            }

            fn range(values: &[[Self; WORD]], least: Self, level: Level) -> (Self, Self) {
                $module::range(values, least, level)
            }

            #[allow(unsafe_code)]
            fn count(values: &[[Self; WORD]], threshold: Self, level: Level) -> usize {
                assert!(level.is_available(), "this CPU does not have the level");
                match level.base() {
                    // SAFETY: the level is available, so the CPU has its instructions.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { avx512::$module::count(values, threshold) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { avx2::$module::count(values, threshold) },
                    _ => values.as_flattened().iter().map(|&value| usize::from(value >= threshold)).sum(),
                }
            }

            #[allow(unsafe_code)]
            fn reaching(values: &[[Self; WORD]], threshold: Self, words: &mut Vec<u64>, level: Level) {
                assert!(level.is_available(), "this CPU does not have the level");
                words.resize(values.len(), 0);
                match level.base() {
                    // SAFETY: the level is available, so the CPU has its instructions.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { avx512::$module::reaching(values, threshold, words) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { avx2::$module::reaching(values, threshold, words) },
                    _ => {
                        words.iter_mut().zip(values).for_each(|(word, values)| *word = $module::word(values, threshold))
                    }
                }
            }

            #[allow(unsafe_code)]
            fn reaching_in(
                values: &[[Self; WORD]],
                groups: &[u32],
                threshold: Self,
                words: &mut Vec<u64>,
                level: Level,
            ) {
                assert!(level.is_available(), "this CPU does not have the level");
                words.resize(groups.len(), 0);
                match level.base() {
                    // SAFETY: the level is available, so the CPU has its instructions.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe {
                        avx512::$module::reaching_in(values, groups, threshold, words);
                    },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { avx2::$module::reaching_in(values, groups, threshold, words) },
                    _ => {
                        for (word, &group) in words.iter_mut().zip(groups) {
                            *word = $module::word(&values[group as usize], threshold);
                        }
                    }
                }
            }
        }

        mod $module {
            use super::{LANES, WORD};

            pub const SIGN: $bits = 1 << ($bits::BITS - 1);

            pub fn word(values: &[$type; WORD], threshold: $type) -> u64 {
                (0..).zip(values).fold(0, |word, (bit, &value)| word | u64::from(value >= threshold) << bit)
            }

            per_level! {
                /// See [`super::Ordered::range`].
                pub fn range(values: &[[$type; WORD]], least: $type) -> ($type, $type) = range_body;
            }

            #[inline(always)]
            #[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
            fn range_body(values: &[[$type; WORD]], least: $type) -> ($type, $type) {
                let mut lows = [$type::INFINITY; LANES];
                let mut highs = [$type::NEG_INFINITY; LANES];
                for chunk in values.as_flattened().as_chunks::<LANES>().0 {
                    for ((low, high), &value) in lows.iter_mut().zip(&mut highs).zip(chunk) {
                        // False for NaN.
                        *high = if value > *high { value } else { *high };
                        let value = if value >= least { value } else { $type::INFINITY };
                        *low = if value < *low { value } else { *low };
                    }
                }
                let (mut low, mut high) = (lows[0], highs[0]);
                for lane in 1..LANES {
                    low = if lows[lane] < low { lows[lane] } else { low };
                    high = if highs[lane] > high { highs[lane] } else { high };
                }
                (low, high)
            }
        }
    };
}

ordered!(f32, u32, u64, single);
ordered!(f64, u64, u128, double);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Ordered>(rows: &[Vec<[T; WORD]>]) {
        for values in rows {
            let mut sorted: Vec<T> = values.as_flattened().iter().copied().filter(|value| !value.is_nan()).collect();
            sorted.sort_by_key(|value| value.key(0));
            let reach = |threshold: T| sorted.iter().filter(|&&value| value >= threshold).count();
            for level in Level::available() {
                for k in [1, 2, 10, 100].into_iter().filter(|&k| k <= sorted.len()) {
                    for least in [T::LEAST, sorted[sorted.len() - 1], sorted[k - 1]] {
                        let found = Threshold::find(values, least, k, level);
                        assert_eq!(found.count, reach(found.value));
                        assert!(least <= found.value && found.value <= sorted[k - 1]);
                        // More than few reach it only where they equal the k-th best.
                        assert!(found.is_enough_for(k) || found.value == sorted[k - 1], "{found:?} {k}");
                        check_reaching(values, found.value, level);
                    }
                }
                let too_many = Threshold::find(values, T::LEAST, sorted.len() + 1, level);
                assert_eq!(too_many, Threshold { value: T::LEAST, count: sorted.len() });
            }
        }
    }

    fn check_reaching<T: Ordered>(values: &[[T; WORD]], threshold: T, level: Level) {
        let mut words = vec![7; 9];
        T::reaching(values, threshold, &mut words, level);
        let bit = |word: &[T; WORD], at: usize| u64::from(word[at] >= threshold) << at;
        let expected = values.iter().map(|word| (0..WORD).fold(0, |all, at| all | bit(word, at)));
        assert!(words.iter().copied().eq(expected));
        let backwards: Vec<u32> = (0..values.len() as u32).rev().collect();
        let mut reversed = Vec::new();
        T::reaching_in(values, &backwards, threshold, &mut reversed, level);
        assert!(reversed.iter().eq(words.iter().rev()));
    }

    fn rows<T: Copy>(of: impl Fn(f32) -> T) -> Vec<Vec<[T; WORD]>> {
        let mut state = 1u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.0, f32::MIN, 1e-45];
        let mut rows: Vec<Vec<T>> = Vec::new();
        for len in [64, 128, 1024] {
            rows.push((0..len).map(|_| of(random() as f32 - 8e6)).collect());
            rows.push((0..len).map(|_| of((random() % 3) as f32)).collect());
            rows.push((0..len).map(|at| of(at as f32)).collect());
            rows.push((0..len).map(|_| of(special[random() as usize % special.len()])).collect());
            rows.push((0..len).map(|_| of(f32::INFINITY)).collect());
            rows.push((0..len).map(|_| of(f32::NEG_INFINITY)).collect());
            rows.push((0..len).map(|_| of(f32::NAN)).collect());
        }
        rows.into_iter().map(|row| row.as_chunks().0.to_vec()).collect()
    }

    #[test]
    fn few_more_than_k_values_reach_the_threshold() {
        check(&rows(std::convert::identity));
        check(&rows(f64::from));
    }

    #[test]
    fn ranks_are_in_the_order_of_numbers() {
        let numbers = [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-45, -0.0, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY];
        assert!(numbers.is_sorted_by(|left, right| left.rank() < right.rank()));
        assert!(numbers.is_sorted_by(|&left, &right| f64::from(left).rank() < f64::from(right).rank()));
    }

    #[test]
    fn keys_put_larger_numbers_and_then_lower_indices_first() {
        let ordered = [(1.0, 7), (0.0, 1), (-0.0, 2), (0.0, u32::MAX), (-1.0, 0)];
        assert!(ordered.is_sorted_by_key(|&(value, index): &(f32, u32)| value.key(index)));
        assert!(ordered.is_sorted_by_key(|&(value, index)| f64::from(value).key(index)));
        assert!(ordered.iter().all(|&(value, index)| f32::index(value.key(index)) == index));
        assert!(ordered.iter().all(|&(value, index)| f64::index(f64::from(value).key(index)) == index));
    }
}
