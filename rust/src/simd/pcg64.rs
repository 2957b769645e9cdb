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
    if level >= Level::Avx512 && std::arch::is_x86_feature_detected!("avx512ifma") {
        // SAFETY: the CPU has the instructions.
        return unsafe { super::pcg64_x86::fill(states, multiplier, increment, numbers) };
    }
    portable(states, multiplier, increment, numbers);
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
