//! The largest number of each group of values.

use half::f16;

use super::Level;
#[cfg(target_arch = "x86_64")]
use super::group_max_x86::{avx2, avx512};
use super::threshold::Ordered;

/// Values in one group: four registers of 16 numbers.
pub const GROUP: usize = 64;

/// Running maxima.
const LANES: usize = 16;

/// A floating-point number of a matrix.
pub trait Value: Copy + Default + Send + Sync {
    /// The type in which values are compared.
    type Wide: Ordered;

    /// Convert the value to the type in which values are compared. Exact.
    fn widen(self) -> Self::Wide;

    /// Write the largest number of each [`GROUP`] values to `largest`; the last group may be smaller. NaN is ignored; a
    /// group of NaN alone has [`Ordered::LEAST`]. What follows the row in memory is probably read next.
    ///
    /// # Panics
    /// If this CPU does not have the level.
    fn group_max(row: &[Self], largest: &mut Vec<Self::Wide>, level: Level);

    /// Return the whole groups of a row, if values are compared as they are stored.
    fn groups(row: &[Self]) -> Option<&[[Self::Wide; GROUP]]>;

    /// Replace the content of `values` by copies of some groups of a row; the last group is filled up with NaN.
    ///
    /// # Panics
    /// If this CPU does not have the level.
    fn gather(row: &[Self], groups: &[u32], values: &mut Vec<[Self::Wide; GROUP]>, level: Level) {
        assert!(level.is_available(), "this CPU does not have the level");
        values.resize(groups.len(), [Self::Wide::NAN; GROUP]);
        for (copy, &group) in values.iter_mut().zip(groups) {
            let rest = &row[group as usize * GROUP..];
            if let Some(group) = rest.first_chunk() {
                Self::widen_group(group, copy, level);
            } else {
                copy.fill(Self::Wide::NAN);
                copy.iter_mut().zip(rest).for_each(|(copy, value)| *copy = value.widen());
            }
        }
    }

    /// Convert the values of a group at a level that the CPU has.
    #[doc(hidden)]
    fn widen_group(group: &[Self; GROUP], copy: &mut [Self::Wide; GROUP], level: Level);
}

/// The plain body, compiled for each level without intrinsics.
#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body<V: Value>(groups: &[[V; GROUP]], largest: &mut [V::Wide]) {
    // A plain loop: a closure that is passed to another function would not be compiled for the level.
    for (slot, group) in largest.iter_mut().zip(groups) {
        let mut most = [V::Wide::LEAST; LANES];
        for lanes in group.as_chunks::<LANES>().0 {
            for (most, &value) in most.iter_mut().zip(lanes) {
                // False for NaN.
                let value = value.widen();
                *most = if value > *most { value } else { *most };
            }
        }
        // Compare halves: a chain of single comparisons has a long latency.
        for half in [LANES / 2, LANES / 4, LANES / 8, LANES / 16] {
            for lane in 0..half {
                most[lane] = if most[lane + half] > most[lane] { most[lane + half] } else { most[lane] };
            }
        }
        *slot = most[0];
    }
}

macro_rules! value {
    ($type:ty, $wide:ty, $name:ident, $widen:expr, $groups:expr, $widen_group:expr) => {
        impl Value for $type {
            type Wide = $wide;

            #[inline]
            fn widen(self) -> $wide {
                $widen(self)
            }

            fn groups(row: &[Self]) -> Option<&[[$wide; GROUP]]> {
                $groups(row)
            }

            #[inline]
            fn widen_group(group: &[Self; GROUP], copy: &mut [$wide; GROUP], level: Level) {
                $widen_group(group, copy, level);
            }

            #[allow(unsafe_code)]
            fn group_max(row: &[Self], largest: &mut Vec<$wide>, level: Level) {
                assert!(level.is_available(), "this CPU does not have the level");
                let (groups, rest) = row.as_chunks();
                largest.resize(groups.len(), <$wide>::LEAST);
                match level.base() {
                    // SAFETY: the level is available, so the CPU has its instructions.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { avx512::$name(groups, largest) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { avx2::$name(groups, largest) },
                    _ => body(groups, largest),
                }
                if !rest.is_empty() {
                    let numbers = rest.iter().map(|&value| value.widen());
                    largest.push(numbers.fold(<$wide>::LEAST, |most, value| if value > most { value } else { most }));
                }
            }
        }
    };
}

#[allow(clippy::unnecessary_wraps)] // The type of Value::groups.
fn whole_groups<T>(row: &[T]) -> Option<&[[T; GROUP]]> {
    Some(row.as_chunks().0)
}

fn not_as_stored(_row: &[f16]) -> Option<&[[f32; GROUP]]> {
    None
}

macro_rules! as_stored {
    ($type:ident, $name:ident) => {
        value!($type, $type, $name, std::convert::identity, whole_groups, |group: &[$type; GROUP], copy: &mut _, _| {
            *copy = *group
        });
    };
}

as_stored!(f32, single);
as_stored!(f64, double);
value!(f16, f32, half, f16::to_f32, not_as_stored, widen_halves);

#[allow(unsafe_code)]
fn widen_halves(group: &[f16; GROUP], copy: &mut [f32; GROUP], level: Level) {
    match level.base() {
        // SAFETY: the caller has checked that the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::widen(group, copy) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::widen(group, copy) },
        _ => copy.iter_mut().zip(group).for_each(|(copy, value)| *copy = value.to_f32()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<V: Value>(of: impl Fn(f32) -> V) {
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, 1.5, -7.25];
        for len in [0, 1, 15, 63, 64, 65, 128, 700] {
            for seed in 0..4 {
                let row: Vec<V> =
                    (0..len).map(|at| of(special[(at * (seed + 3) / 2 + seed) % special.len()])).collect();
                let most = |group: &[V]| {
                    let numbers = group.iter().map(|value| value.widen());
                    numbers.fold(V::Wide::LEAST, |most, value| if value > most { value } else { most })
                };
                let expected: Vec<V::Wide> = row.chunks(GROUP).map(most).collect();
                for level in Level::available() {
                    let mut largest = vec![V::Wide::NAN; 3];
                    V::group_max(&row, &mut largest, level);
                    assert_eq!(largest, expected, "{len} {seed} {level:?}");
                    let groups: Vec<u32> = (0..expected.len() as u32).rev().collect();
                    let mut values = vec![[V::Wide::LEAST; GROUP]; 1];
                    V::gather(&row, &groups, &mut values, level);
                    for (copy, &group) in values.iter().zip(&groups) {
                        for (lane, &value) in copy.iter().enumerate() {
                            let expected = row.get(group as usize * GROUP + lane).map(|value| value.widen());
                            assert!(expected == Some(value) || expected.is_none_or(Ordered::is_nan) && value.is_nan());
                        }
                    }
                    assert_eq!(values.len(), groups.len());
                }
            }
        }
    }

    #[test]
    fn every_level_finds_the_largest_of_each_group() {
        check(std::convert::identity::<f32>);
        check(f64::from);
        check(f16::from_f32);
        // Groups of NaN alone, as one row has them.
        check(|_| f32::NAN);
    }
}
