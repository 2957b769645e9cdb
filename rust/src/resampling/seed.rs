//! The state of a generator from a seed, as `numpy.random.SeedSequence` computes it.

/// Number of words in the pool of entropy.
const POOL: usize = 4;

const INIT_A: u32 = 0x43b0_d7e5;
const MULT_A: u32 = 0x931e_8875;
const INIT_B: u32 = 0x8b51_f9dd;
const MULT_B: u32 = 0x58f3_8ded;
const MIX_LEFT: u32 = 0xca01_f9dd;
const MIX_RIGHT: u32 = 0x4973_f715;

/// Return `SeedSequence(seed).generate_state(4, numpy.uint64)`; `seed` is in words of 32 bits, the lowest first.
///
/// ```
/// let state = muge_fast_core::resampling::seed::generate_state(&[12345]);
/// assert_eq!(state[0], 13_091_511_679_009_522_556);
/// ```
pub fn generate_state(seed: &[u32]) -> [u64; 4] {
    let pool = pool(seed);
    let mut constant = INIT_B;
    let words: [u32; 2 * POOL] = std::array::from_fn(|index| {
        let value = pool[index % POOL] ^ constant;
        constant = constant.wrapping_mul(MULT_B);
        fold(value.wrapping_mul(constant))
    });
    std::array::from_fn(|index| u64::from(words[2 * index]) | u64::from(words[2 * index + 1]) << 32)
}

fn pool(seed: &[u32]) -> [u32; POOL] {
    let mut constant = INIT_A;
    let mut hash = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(MULT_A);
        fold(value.wrapping_mul(constant))
    };
    let mut pool: [u32; POOL] = std::array::from_fn(|index| hash(seed.get(index).copied().unwrap_or(0)));
    for from in 0..POOL {
        for to in (0..POOL).filter(|&to| to != from) {
            pool[to] = mix(pool[to], hash(pool[from]));
        }
    }
    for &word in seed.iter().skip(POOL) {
        pool.iter_mut().for_each(|to| *to = mix(*to, hash(word)));
    }
    pool
}

fn mix(left: u32, right: u32) -> u32 {
    fold(left.wrapping_mul(MIX_LEFT).wrapping_sub(right.wrapping_mul(MIX_RIGHT)))
}

fn fold(value: u32) -> u32 {
    value ^ value >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_those_of_numpy() {
        // NumPy 2.4.6: numpy.random.SeedSequence(seed).generate_state(4, numpy.uint64)
        let states = [
            (
                0,
                [
                    15_793_235_383_387_715_774,
                    12_390_638_538_380_655_177,
                    2_361_836_109_651_742_017,
                    3_188_717_715_514_472_916,
                ],
            ),
            (
                1,
                [
                    7_434_755_675_892_716_031,
                    10_007_452_063_617_845_036,
                    5_266_248_848_659_119_178,
                    15_045_448_681_910_192_573,
                ],
            ),
            (
                12345,
                [
                    13_091_511_679_009_522_556,
                    13_538_552_136_045_918_767,
                    7_269_824_232_120_749_972,
                    4_520_223_790_601_600_371,
                ],
            ),
        ];
        for (seed, state) in states {
            assert_eq!(generate_state(&[seed]), state);
            assert_eq!(generate_state(&[seed, 0, 0]), state);
        }
    }
}
