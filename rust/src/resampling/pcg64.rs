//! PCG64, the generator of `numpy.random.default_rng`, with its bounded integers and random bits.
//!
//! The generator is a linear congruential generator of 128 bits whose states are hashed to 64 bits (O'Neill, 2014). Draws
//! of 32 bits are the lower half of a number and then its upper half, which is kept across calls, as in NumPy.

use super::bounded::Bound;
use super::seed::generate_state;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::pcg64::{self, STATES, output};

/// Factor of the congruential generator.
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// Numbers between two checks for cancellation.
const NUMBERS_PER_CHECK: usize = 1 << 16;

/// The congruential generator alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    state: u128,
    increment: u128,
}

impl Numbers {
    /// Return the next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        output(self.state)
    }

    /// Replace `numbers` by the next ones.
    pub fn fill(&mut self, numbers: &mut [u64], level: Level) {
        let (blocks, rest) = numbers.as_chunks_mut();
        if !blocks.is_empty() {
            let states = Step::FIRST.map(|step| self.after(step));
            let Step { multiplier, increments } = Step::FIRST[STATES - 1];
            pcg64::fill(&states, multiplier, increments.wrapping_mul(self.increment), blocks, level);
            self.advance((blocks.len() * STATES) as u128);
        }
        rest.fill_with(|| self.next_u64());
    }

    /// Count the integers below the number of counts that are drawn from the next groups of numbers, up to the first group
    /// with a rejected draw, and return the number of these groups; see [`pcg64::count`].
    pub fn count(&mut self, limits: (u32, u32), counts: &mut [u8], groups: usize, level: Level) -> usize {
        let states = Step::FIRST.map(|step| self.after(step));
        let Step { multiplier, increments } = Step::FIRST[STATES - 1];
        let increment = increments.wrapping_mul(self.increment);
        let counted = pcg64::count(&states, multiplier, increment, limits, counts, groups, level);
        self.advance((counted * STATES) as u128);
        counted
    }

    /// Sum the values of the integers that are drawn from the next groups of numbers, up to some group before the first one
    /// with a rejected draw, and return the number of these groups and the sum; see [`pcg64::sum`].
    pub fn sum(&mut self, limits: (u32, u32), values: &[u16], groups: usize, level: Level) -> (usize, u64) {
        let states = Step::FIRST.map(|step| self.after(step));
        let Step { multiplier, increments } = Step::FIRST[STATES - 1];
        let increment = increments.wrapping_mul(self.increment);
        let (summed, sum) = pcg64::sum(&states, multiplier, increment, limits, values, groups, level);
        self.advance((summed * STATES) as u128);
        (summed, sum)
    }

    /// Go on by a number of steps modulo 2^128.
    pub fn advance(&mut self, steps: u128) {
        self.state = self.after(Step::of(steps));
    }

    /// Return the state after a step.
    fn after(self, Step { multiplier, increments }: Step) -> u128 {
        self.state.wrapping_mul(multiplier).wrapping_add(self.increment.wrapping_mul(increments))
    }
}

/// Some steps of the congruential generator at once.
#[derive(Debug, Clone, Copy)]
struct Step {
    multiplier: u128,
    /// How often the increment is added.
    increments: u128,
}

impl Step {
    const NONE: Self = Self { multiplier: 1, increments: 0 };

    const ONE: Self = Self { multiplier: MULTIPLIER, increments: 1 };

    /// The first steps, from one on.
    const FIRST: [Self; STATES] = {
        let mut steps = [Self::ONE; STATES];
        let mut index = 1;
        while index < steps.len() {
            steps[index] = steps[index - 1].then(Self::ONE);
            index += 1;
        }
        steps
    };

    /// The steps whose number is a power of two.
    const POWERS: [Self; 128] = {
        let mut steps = [Self::ONE; 128];
        let mut index = 1;
        while index < steps.len() {
            steps[index] = steps[index - 1].then(steps[index - 1]);
            index += 1;
        }
        steps
    };

    /// Return this step and then another one.
    const fn then(self, next: Self) -> Self {
        Self {
            multiplier: self.multiplier.wrapping_mul(next.multiplier),
            increments: self.increments.wrapping_mul(next.multiplier).wrapping_add(next.increments),
        }
    }

    /// Return a number of steps at once.
    fn of(steps: u128) -> Self {
        let powers = (0..128 - steps.leading_zeros() as usize).filter(|bit| steps >> bit & 1 == 1);
        powers.fold(Self::NONE, |step, bit| step.then(Self::POWERS[bit]))
    }
}

/// The generator, somewhere in its sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcg64 {
    pub(super) numbers: Numbers,
    /// The upper half of the last number, if only the lower half was drawn.
    pub(super) half: Option<u32>,
    /// Bits of the last draw that [`super::swap`] has not used yet, and how many these are.
    pub(super) bits: (u32, u32),
}

impl Pcg64 {
    /// Return `numpy.random.PCG64(seed)`; `seed` is in words of 32 bits, the lowest first.
    ///
    /// # Errors
    /// [`Error::Empty`] for no word: zero is one word.
    pub fn new(seed: &[u32]) -> Result<Self> {
        if seed.is_empty() {
            return Err(Error::Empty("seed"));
        }
        let words = generate_state(seed).map(u128::from);
        let increment = (words[2] << 64 | words[3]) << 1 | 1;
        let mut numbers = Numbers { state: increment.wrapping_add(words[0] << 64 | words[1]), increment };
        numbers.next_u64();
        Ok(Self { numbers, half: None, bits: (0, 0) })
    }

    /// Return the next draw of 32 bits: the kept half, or the lower half of the next number.
    pub fn next_u32(&mut self) -> u32 {
        self.half.take().unwrap_or_else(|| {
            let number = self.numbers.next_u64();
            self.half = Some((number >> 32) as u32);
            number as u32
        })
    }

    /// Go on by a number of steps, backwards for a negative number modulo 2^128. Drops a kept half, as NumPy does.
    pub fn advance(&mut self, steps: u128) {
        self.numbers.advance(steps);
        self.half = None;
        self.bits = (0, 0);
    }

    /// Go on by a number of draws of 32 bits.
    pub(super) fn skip(&mut self, draws: usize) {
        self.bits = (0, 0);
        let numbers = draws - usize::from(draws > 0 && self.half.take().is_some());
        self.numbers.advance((numbers / 2) as u128);
        if numbers % 2 == 1 {
            self.next_u32();
        }
    }

    /// Return the next `count` numbers, `random_raw(count)` of NumPy; a kept half stays.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Cancelled`].
    pub fn raw(&mut self, count: usize, level: Level, plan: &Plan) -> Result<Vec<u64>> {
        self.bits = (0, 0);
        let mut numbers = memory::zeroed(count)?;
        for block in numbers.chunks_mut(NUMBERS_PER_CHECK) {
            plan.check()?;
            self.numbers.fill(block, level);
        }
        Ok(numbers)
    }

    /// Return `integers(0, n, count)` of NumPy.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if `n` is 0 or above 2^32 - 1; [`Error::Memory`]; [`Error::Cancelled`].
    pub fn indices(&mut self, n: usize, count: usize, level: Level, plan: &Plan) -> Result<Vec<u32>> {
        let bound = Bound::new("n", n)?;
        let mut indices = memory::with_capacity(count)?;
        while indices.len() < count {
            plan.check()?;
            let block = NUMBERS_PER_CHECK.min(count - indices.len());
            bound.draw(self, block, level, |drawn| indices.extend_from_slice(drawn));
        }
        Ok(indices)
    }

    /// Return `integers(2, size=count, dtype=bool)` of NumPy.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Cancelled`].
    pub fn bits(&mut self, count: usize, plan: &Plan) -> Result<Vec<bool>> {
        self.bits = (0, 0);
        let mut bits = memory::with_capacity(count)?;
        while bits.len() < count {
            if bits.len().is_multiple_of(NUMBERS_PER_CHECK) {
                plan.check()?;
            }
            let draw = self.next_u32();
            let used = (count - bits.len()).min(32);
            bits.extend((0..used).map(|bit| draw >> bit & 1 == 1));
        }
        Ok(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(Some(1))
    }

    fn seeded(seed: u32) -> Pcg64 {
        Pcg64::new(&[seed]).expect("a seed")
    }

    #[test]
    fn numbers_are_those_of_numpy() {
        let Pcg64 { numbers, .. } = seeded(12345);
        // NumPy 2.4.6: numpy.random.PCG64(12345).state
        assert_eq!(numbers.state, 0x1905_e033_5aae_9634_9199_b0d0_9775_add5);
        assert_eq!(numbers.increment, 0xc9c7_353e_6e2b_1f28_7d76_1f2d_4027_fae7);
        let raw = [0x3a32_b18d_b2ff_c19d, 0x5117_1315_c9e4_c4de, 0xcc20_2482_3444_efd9, 0xad1f_06ae_a486_e910];
        assert_eq!(seeded(12345).raw(4, Level::best(), &plan()), Ok(raw.to_vec()));
        let raw = [0xa30f_ebcf_d9c2_825f, 0x4510_bdf8_82d9_d721, 0x0a7d_3da9_4ecd_e8b8, 0x043b_27b6_1342_f01d];
        assert_eq!(seeded(0).raw(4, Level::best(), &plan()), Ok(raw.to_vec()));
    }

    #[test]
    fn blocks_of_numbers_are_single_numbers() {
        for level in Level::available() {
            for count in [0, 1, 15, 16, 17, 31, 32, 33, 1001] {
                let (mut block, mut single) = (seeded(7), seeded(7));
                let expected: Vec<u64> = (0..count).map(|_| single.numbers.next_u64()).collect();
                assert_eq!(block.raw(count, level, &plan()), Ok(expected));
                assert_eq!(block, single);
            }
        }
    }

    #[test]
    fn indices_are_those_of_numpy() {
        for level in Level::available() {
            let mut generator = seeded(12345);
            assert_eq!(generator.indices(10, 10, level, &plan()), Ok(vec![6, 2, 7, 3, 2, 7, 6, 6, 9, 3]));
            assert_eq!(generator.indices(10, 10, level, &plan()), Ok(vec![8, 3, 5, 5, 2, 1, 2, 6, 6, 9]));
            let many = seeded(12345).indices(10_007, 8, level, &plan());
            assert_eq!(many, Ok(vec![6997, 2274, 7891, 3169, 2043, 7979, 6431, 6767]));
            let many = seeded(12345).indices(10_000, 10_000_000, level, &plan()).expect("memory");
            assert_eq!(many.into_iter().map(u64::from).sum::<u64>(), 49_982_702_947);
        }
    }

    #[test]
    fn bits_are_those_of_numpy_and_indices_go_on_after_them() {
        let bits = |text: &str| text.chars().map(|bit| bit == '1').collect::<Vec<_>>();
        assert_eq!(seeded(12345).bits(32, &plan()), Ok(bits("10111001100000111111111101001101")));
        let mut generator = seeded(12345);
        assert_eq!(generator.bits(15, &plan()), Ok(bits("101110011000001")));
        assert_eq!(generator.indices(10, 6, Level::Portable, &plan()), Ok(vec![2, 7, 3, 2, 7, 6]));
    }

    #[test]
    fn advancing_skips_numbers() {
        let numbers = seeded(3).raw(1000, Level::best(), &plan()).expect("memory");
        for steps in [0, 1, 2, 3, 500, 999] {
            let mut generator = seeded(3);
            generator.next_u32();
            generator.advance(steps as u128);
            generator.advance(1_u128.wrapping_neg());
            assert_eq!(generator.next_u32(), numbers[steps] as u32);
        }
    }

    #[test]
    fn skipped_draws_are_not_drawn() {
        for (first, skipped) in [(0, 0), (0, 1), (0, 2), (0, 1001), (1, 0), (1, 1), (1, 2), (1, 3), (1, 1000)] {
            let (mut generator, mut other) = (seeded(3), seeded(3));
            (0..first).for_each(|_| _ = generator.next_u32());
            generator.skip(skipped);
            (0..first + skipped).for_each(|_| _ = other.next_u32());
            assert_eq!(generator, other, "{first} {skipped}");
        }
    }

    #[test]
    fn no_seed_is_an_error() {
        assert_eq!(Pcg64::new(&[]), Err(Error::Empty("seed")));
    }
}
