//! The largest number of each group of values.

use std::fmt::Debug;

use super::Level;

/// Values in one group: four registers of 16 numbers.
pub const GROUP: usize = 64;

/// Numbers that are compared in one register.
const LANES: usize = 16;

/// A floating-point type that groups are made of.
pub trait GroupMax: Copy + PartialOrd + Debug + Default + Send {
    /// Less than or equal to every number.
    const LEAST: Self;

    /// Whether it is not a number.
    fn is_nan(self) -> bool;

    /// Put the largest number of each [`GROUP`] values in `largest`, the last group being what is left. NaN is passed
    /// over; a group without a number has [`GroupMax::LEAST`].
    fn group_max(row: &[Self], largest: &mut Vec<Self>, level: Level);
}

/// One body, compiled for each level.
#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body<T: GroupMax>(row: &[T], largest: &mut Vec<T>) {
    largest.clear();
    let (groups, rest) = row.as_chunks::<GROUP>();
    largest.extend(groups.iter().map(|group| {
        let mut most = [T::LEAST; LANES];
        for lanes in group.as_chunks::<LANES>().0 {
            for (most, &value) in most.iter_mut().zip(lanes) {
                // False for NaN.
                *most = if value > *most { value } else { *most };
            }
        }
        most.into_iter().fold(T::LEAST, |most, value| if value > most { value } else { most })
    }));
    if !rest.is_empty() {
        largest.push(rest.iter().fold(T::LEAST, |most, &value| if value > most { value } else { most }));
    }
}

macro_rules! group_max {
    ($type:ty, $avx2:ident, $avx512:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $avx2(row: &[$type], largest: &mut Vec<$type>) {
            body(row, largest);
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn $avx512(row: &[$type], largest: &mut Vec<$type>) {
            body(row, largest);
        }

        impl GroupMax for $type {
            const LEAST: Self = Self::NEG_INFINITY;

            fn is_nan(self) -> bool {
                self.is_nan()
            }

            #[allow(unsafe_code)]
            fn group_max(row: &[Self], largest: &mut Vec<Self>, level: Level) {
                assert!(level.is_available(), "the CPU has the level that was chosen");
                match level {
                    // SAFETY: the level is available, so the CPU has its instructions.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 | Level::Vnni => unsafe { $avx512(row, largest) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { $avx2(row, largest) },
                    _ => body(row, largest),
                }
            }
        }
    };
}

group_max!(f32, f32_avx2, f32_avx512);
group_max!(f64, f64_avx2, f64_avx512);
