//! Numbers of the generator PCG64 (XSL RR 128/64).

use super::Level;

/// States that advance together: each waits for a product of the one before it.
pub const STATES: usize = 16;

/// Replace `numbers` by the hashes of `states`, then of the next states, and so on; each state is multiplied and
/// incremented.
///
/// # Panics
/// If this CPU does not have the level.
#[allow(unsafe_code)]
pub fn fill(states: &[u128; STATES], multiplier: u128, increment: u128, numbers: &mut [[u64; STATES]], level: Level) {
    assert!(level.is_available(), "this CPU does not have the level");
    #[cfg(target_arch = "x86_64")]
    if level.base() == Level::Avx512 && std::arch::is_x86_feature_detected!("avx512ifma") {
        // SAFETY: the CPU has the instructions.
        return unsafe { super::pcg64_x86::fill(states, multiplier, increment, numbers) };
    }
    portable(states, multiplier, increment, numbers);
}

/// Integers that are drawn from a group of [`STATES`] numbers: the lower half of each, then its upper half.
pub const DRAWS: usize = 2 * STATES;

/// Largest number of values that [`sum`] takes: offsets of 32 bits in bytes are not negative.
pub const MAX_VALUES: u32 = 1 << 29;

/// Return whether [`count`] and [`sum`] have instructions at this level.
pub fn can_count(level: Level) -> bool {
    #[cfg(target_arch = "x86_64")]
    return level.base() == Level::Avx512 && level.is_available() && std::arch::is_x86_feature_detected!("avx512ifma");
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = level;
        false
    }
}

/// Draw integers below `n`, the number of counts, from up to `groups` groups of numbers as [`fill`] has them, and add one
/// to the count of each. Stops before the first group of which a draw is rejected: the lower half of its product with `n`
/// is below a threshold. `limits` are `n` and the threshold. Returns how many groups were counted.
///
/// Numbers are computed in vector registers while those before them are counted, which takes no vector instruction.
///
/// # Panics
/// If the level is not one of [`can_count`], or `n` is 0 or not the number of counts.
#[allow(unsafe_code)]
pub fn count(
    states: &[u128; STATES],
    multiplier: u128,
    increment: u128,
    limits: (u32, u32),
    counts: &mut [u8],
    groups: usize,
    level: Level,
) -> usize {
    assert!(can_count(level), "this CPU does not have the instructions");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the CPU has the instructions.
    return unsafe { super::pcg64_x86::count(states, multiplier, increment, limits, counts, groups) };
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (states, multiplier, increment, limits, counts, groups);
        0
    }
}

/// Draw integers as [`count`] does, and add up the value of each. The values are followed by a further one that is not used.
/// Stops before the first groups with a rejected draw, or a few groups earlier. Returns the number of groups and the sum.
///
/// # Panics
/// If the level is not one of [`can_count`], or `n` is 0, above [`MAX_VALUES`] or above the number of values.
#[allow(unsafe_code)]
pub fn sum(
    states: &[u128; STATES],
    multiplier: u128,
    increment: u128,
    limits: (u32, u32),
    values: &[u16],
    groups: usize,
    level: Level,
) -> (usize, u64) {
    assert!(can_count(level), "this CPU does not have the instructions");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the CPU has the instructions.
    return unsafe { super::pcg64_x86::sum(states, multiplier, increment, limits, values, groups) };
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (states, multiplier, increment, limits, values, groups);
        (0, 0)
    }
}

fn portable(states: &[u128; STATES], multiplier: u128, increment: u128, numbers: &mut [[u64; STATES]]) {
    let mut states = *states;
    for numbers in numbers {
        for (number, state) in numbers.iter_mut().zip(&mut states) {
            *number = output(*state);
            *state = state.wrapping_mul(multiplier).wrapping_add(increment);
        }
    }
}

/// The hash of a state.
#[inline(always)]
#[allow(clippy::inline_always)] // It is one of several in an inner loop.
pub fn output(state: u128) -> u64 {
    ((state >> 64) as u64 ^ state as u64).rotate_right((state >> 122) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_numbers_up_to_a_rejection() {
        const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        let states: [u128; STATES] = std::array::from_fn(|index| (index as u128 + 7).wrapping_mul(MULTIPLIER));
        for level in Level::available().filter(|&level| can_count(level)) {
            for (n, groups) in [(1, 3), (100, 0), (100, 1), (1000, 2), (65_537, 50)] {
                let mut numbers = vec![[0; STATES]; groups];
                portable(&states, MULTIPLIER, 5, &mut numbers);
                let draws = numbers.as_flattened().iter().flat_map(|&number| [number & 0xffff_ffff, number >> 32]);
                let products: Vec<u64> = draws.map(|draw| draw * n as u64).collect();
                let least = products.iter().map(|&product| product as u32).min().unwrap_or(0);
                for threshold in [0, least, least.saturating_add(1), 1 << 28] {
                    let rejected = products.iter().position(|&product| (product as u32) < threshold);
                    let accepted = rejected.map_or(groups, |draw| draw / DRAWS);
                    let mut expected = vec![250_u8; n];
                    for product in &products[..accepted * DRAWS] {
                        let count = &mut expected[(product >> 32) as usize];
                        *count = count.wrapping_add(1);
                    }
                    let mut counts = vec![250; n];
                    let found = count(&states, MULTIPLIER, 5, (n as u32, threshold), &mut counts, groups, level);
                    assert_eq!((found, counts), (accepted, expected), "{level:?} {n} {groups} {threshold}");
                }
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_numbers_before_a_rejection() {
        const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        let states: [u128; STATES] = std::array::from_fn(|index| (index as u128 + 7).wrapping_mul(MULTIPLIER));
        for level in Level::available().filter(|&level| can_count(level)) {
            for (n, groups) in [(1, 3), (100, 0), (100, 1), (1000, 17), (65_537, 50), (100_003, 333)] {
                let mut numbers = vec![[0; STATES]; groups];
                portable(&states, MULTIPLIER, 5, &mut numbers);
                let draws = numbers.as_flattened().iter().flat_map(|&number| [number & 0xffff_ffff, number >> 32]);
                let products: Vec<u64> = draws.map(|draw| draw * n as u64).collect();
                let values: Vec<u16> = (0..=n).map(|item| 65_535 - (item * 31) as u16).collect();
                let least = products.iter().map(|&product| product as u32).min().unwrap_or(0);
                for threshold in [0, least, least.saturating_add(1), 1 << 24, 1 << 28] {
                    let rejected = products.iter().position(|&product| (product as u32) < threshold);
                    let accepted = rejected.map_or(groups, |draw| draw / DRAWS);
                    let (found, sum) = sum(&states, MULTIPLIER, 5, (n as u32, threshold), &values, groups, level);
                    assert!(found <= accepted && accepted - found < 16, "{n} {groups} {threshold}");
                    assert!(rejected.is_some() || found == groups);
                    let integers = products[..found * DRAWS].iter().map(|product| (product >> 32) as usize);
                    assert_eq!(sum, integers.map(|item| u64::from(values[item])).sum::<u64>());
                }
            }
        }
    }

    #[test]
    fn every_level_has_the_numbers_of_the_definition() {
        let states: [u128; STATES] = std::array::from_fn(|index| match index {
            0 => 0,
            1 => u128::MAX,
            2 => (1 << 52) - 1,
            3 => (1 << 104) - 1,
            _ => (index as u128).wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645),
        });
        for multiplier in [1, u128::MAX, 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645] {
            for increment in [0, u128::MAX, 0x1234_5678_9abc_def0_1234_5678_9abc_def1] {
                let mut expected = [[0; STATES]; 50];
                portable(&states, multiplier, increment, &mut expected);
                let mut state = states[5];
                for numbers in expected {
                    assert_eq!(numbers[5], output(state));
                    state = state.wrapping_mul(multiplier).wrapping_add(increment);
                }
                for level in Level::available() {
                    let mut numbers = [[0; STATES]; 50];
                    fill(&states, multiplier, increment, &mut numbers, level);
                    assert_eq!(numbers, expected, "{level:?}");
                }
            }
        }
    }
}
