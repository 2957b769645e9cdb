//! The largest number of each group of values.

use std::fmt::Debug;

use super::Level;

/// Values in one group: four registers of 16 numbers.
pub const GROUP: usize = 64;

/// Running maxima.
const LANES: usize = 16;

/// A floating-point type that groups are made of.
pub trait GroupMax: Copy + PartialOrd + Debug + Default + Send {
    /// Less than or equal to every number.
    const LEAST: Self;

    /// Return whether the value is NaN.
    fn is_nan(self) -> bool;

    /// Write the largest number of each [`GROUP`] values to `largest`; the last group may be smaller. NaN is ignored; a
    /// group of NaN alone has [`GroupMax::LEAST`].
    fn group_max(row: &[Self], largest: &mut Vec<Self>, level: Level);
}

/// The plain body, compiled for each level without intrinsics.
#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body<T: GroupMax>(groups: &[[T; GROUP]], largest: &mut [T]) {
    // A plain loop: a closure that is passed to another function would not be compiled for the level.
    for (slot, group) in largest.iter_mut().zip(groups) {
        let mut most = [T::LEAST; LANES];
        for lanes in group.as_chunks::<LANES>().0 {
            for (most, &value) in most.iter_mut().zip(lanes) {
                // False for NaN.
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

/// The largest numbers of whole groups with intrinsics: the compiled [`body`] takes twice as long, more than reading the
/// values from memory.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        _mm512_loadu_pd, _mm512_loadu_ps, _mm512_max_pd, _mm512_max_ps, _mm512_reduce_max_pd, _mm512_reduce_max_ps,
        _mm512_set1_pd, _mm512_set1_ps,
    };

    use super::GROUP;

    macro_rules! groups {
        ($name:ident, $type:ty, $lanes:literal, $load:ident, $set1:ident, $max:ident, $reduce:ident) => {
            #[target_feature(enable = "avx512f")]
            #[allow(unsafe_code)]
            pub fn $name(groups: &[[$type; GROUP]], largest: &mut [$type]) {
                for (slot, group) in largest.iter_mut().zip(groups) {
                    let mut most = $set1(<$type>::NEG_INFINITY);
                    for lanes in group.as_chunks::<$lanes>().0 {
                        // SAFETY: the chunk has as many values as the register.
                        let values = unsafe { $load(lanes.as_ptr()) };
                        // If the first operand is NaN, the result is the second.
                        most = $max(values, most);
                    }
                    *slot = $reduce(most);
                }
            }
        };
    }

    groups!(f32, f32, 16, _mm512_loadu_ps, _mm512_set1_ps, _mm512_max_ps, _mm512_reduce_max_ps);
    groups!(f64, f64, 8, _mm512_loadu_pd, _mm512_set1_pd, _mm512_max_pd, _mm512_reduce_max_pd);
}

macro_rules! group_max {
    ($type:ident, $avx2:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $avx2(groups: &[[$type; GROUP]], largest: &mut [$type]) {
            body(groups, largest);
        }

        impl GroupMax for $type {
            const LEAST: Self = Self::NEG_INFINITY;

            fn is_nan(self) -> bool {
                self.is_nan()
            }

            #[allow(unsafe_code)]
            fn group_max(row: &[Self], largest: &mut Vec<Self>, level: Level) {
                assert!(level.is_available(), "this CPU does not have the level");
                let (groups, rest) = row.as_chunks();
                largest.resize(groups.len(), Self::LEAST);
                match level.base() {
                    // SAFETY: the level is available, so the CPU has its instructions.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { avx512::$type(groups, largest) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { $avx2(groups, largest) },
                    _ => body(groups, largest),
                }
                if !rest.is_empty() {
                    largest.push(rest.iter().fold(Self::LEAST, |most, &value| if value > most { value } else { most }));
                }
            }
        }
    };
}

group_max!(f32, f32_avx2);
group_max!(f64, f64_avx2);
