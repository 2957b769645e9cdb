//! Random integers below a bound, without bias (Lemire, 2019).
//!
//! A draw of 32 bits is multiplied with the bound n; the upper half of the product is the integer. The draw is rejected if
//! the lower half is below 2^32 modulo n, which happens once in 2^32 / n draws at most. So a block of draws is multiplied at
//! once, and only a block with a rejection is gone through one by one.

use super::Pcg64;
use crate::error::{Error, Result};
use crate::simd::Level;
use crate::simd::bounded::{self, BLOCK};
use crate::simd::pcg64::{DRAWS, MAX_VALUES, can_count};

/// Integers from which on they are counted as they are drawn: fewer do not make up for the start.
const MIN_COUNTED: usize = 32 * DRAWS;

/// The bound of random integers.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    n: u32,
    /// A draw is rejected if the lower half of its product is below this.
    threshold: u32,
}

impl Bound {
    /// Return the bound `n`, the value of a parameter.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if it is 0 or above 2^32 - 1.
    pub fn new(parameter: &'static str, n: usize) -> Result<Self> {
        let most = u32::MAX as usize;
        match u32::try_from(n) {
            Ok(n) if n > 0 => Ok(Self { n, threshold: n.wrapping_neg() % n }),
            _ => Err(Error::OutOfRange { parameter, value: n, least: 1, most, limit: "the range of 32 bits" }),
        }
    }

    /// Whether a draw may be rejected.
    pub fn rejects(self) -> bool {
        self.threshold > 0
    }

    /// Whether integers need no draw: there is only one, as in NumPy.
    pub fn is_fixed(self) -> bool {
        self.n == 1
    }

    /// Draw `count` integers from 0 to n - 1, and pass them on in blocks. Returns how many draws were rejected.
    pub fn draw(self, generator: &mut Pcg64, count: usize, level: Level, mut each: impl FnMut(&[u32])) -> usize {
        let (mut rest, mut rejected) = (count, 0);
        generator.bits = (0, 0);
        if self.is_fixed() {
            for start in (0..count).step_by(2 * BLOCK) {
                each(&[0; 2 * BLOCK][..(count - start).min(2 * BLOCK)]);
            }
            return 0;
        }
        while rest > 0 && generator.half.is_some() {
            each(&[self.draw_one(generator, &mut rejected)]);
            rest -= 1;
        }
        let (mut numbers, mut pairs) = ([0; BLOCK], [0; BLOCK]);
        while rest >= 2 * BLOCK {
            generator.numbers.fill(&mut numbers, level);
            if bounded::products(&numbers, self.n, self.threshold, &mut pairs, level) {
                let accepted = self.draw_with_rejections(&numbers, &mut each);
                rest -= accepted;
                rejected += 2 * BLOCK - accepted;
            } else {
                each(bytemuck::cast_slice(&pairs));
                rest -= 2 * BLOCK;
            }
        }
        let last: &mut [u32] = &mut bytemuck::cast_slice_mut(&mut pairs)[..rest];
        last.fill_with(|| self.draw_one(generator, &mut rejected));
        each(last);
        rejected
    }

    /// Draw `count` integers from 0 to n - 1, and add up their values. The values are followed by a further one that is not
    /// used. Returns the sum, and how many draws were rejected.
    ///
    /// # Panics
    /// If there are not more than n values.
    pub fn sum(self, generator: &mut Pcg64, count: usize, values: &[u16], level: Level) -> (u64, usize) {
        assert!(values.len() > self.n as usize, "each integer needs a value, and the last one a next");
        let (mut rest, mut sum, mut rejected) = (count, 0, 0);
        let mut add = |drawn: &[u32]| sum += drawn.iter().map(|&item| u64::from(values[item as usize])).sum::<u64>();
        if can_count(level) && !self.is_fixed() && count >= MIN_COUNTED && self.n <= MAX_VALUES {
            generator.bits = (0, 0);
            let mut total = 0;
            while rest >= DRAWS {
                let groups = if generator.half.is_none() { rest / DRAWS } else { 0 };
                let (summed, found) = generator.numbers.sum((self.n, self.threshold), values, groups, level);
                total += found;
                rest -= DRAWS * summed;
                // A kept half, or groups with a rejected draw.
                let singles = if groups == 0 { 1 } else { DRAWS.min(rest) };
                (0..singles).for_each(|_| add(&[self.draw_one(generator, &mut rejected)]));
                rest -= singles;
            }
            (0..rest).for_each(|_| add(&[self.draw_one(generator, &mut rejected)]));
            return (sum + total, rejected);
        }
        rejected += self.draw(generator, rest, level, add);
        (sum, rejected)
    }

    /// Draw `count` integers from 0 to n - 1, the number of counts, and add one to the count of each; 256 becomes zero.
    pub fn count(self, generator: &mut Pcg64, count: usize, counts: &mut [u8], level: Level) {
        let mut rest = count;
        if can_count(level) && !self.is_fixed() && count >= MIN_COUNTED && counts.len() == self.n as usize {
            generator.bits = (0, 0);
            while rest >= DRAWS {
                let groups = if generator.half.is_none() { rest / DRAWS } else { 0 };
                rest -= DRAWS * generator.numbers.count((self.n, self.threshold), counts, groups, level);
                // A kept half, or a group with a rejected draw.
                let singles = if groups == 0 { 1 } else { DRAWS.min(rest) };
                (0..singles).for_each(|_| add(&[self.draw_one(generator, &mut 0)], counts));
                rest -= singles;
            }
        }
        self.draw(generator, rest, level, |drawn| add(drawn, counts));
    }

    /// Return how many of the draws in `numbers` are not rejected.
    pub fn accepted(self, numbers: &[u64; BLOCK], level: Level) -> usize {
        if bounded::products(numbers, self.n, self.threshold, &mut [0; BLOCK], level) {
            self.draw_with_rejections(numbers, |_| ())
        } else {
            2 * BLOCK
        }
    }

    /// Pass on the integers of a block one by one; returns how many there are.
    #[cold]
    fn draw_with_rejections(self, numbers: &[u64; BLOCK], mut each: impl FnMut(&[u32])) -> usize {
        let integers = numbers.iter().flat_map(|&number| [number as u32, (number >> 32) as u32]);
        let integers = integers.filter_map(|draw| self.of_draw(draw));
        integers.inspect(|&integer| each(&[integer])).count()
    }

    /// Draw one integer, and add to the number of rejected draws.
    fn draw_one(self, generator: &mut Pcg64, rejected: &mut usize) -> u32 {
        loop {
            if let Some(integer) = self.of_draw(generator.next_u32()) {
                return integer;
            }
            *rejected += 1;
        }
    }

    /// Return the integer of a draw; None if it is rejected.
    pub(super) fn of_draw(self, draw: u32) -> Option<u32> {
        let product = u64::from(draw) * u64::from(self.n);
        (product as u32 >= self.threshold).then_some((product >> 32) as u32)
    }
}

/// Count items. A count of 256 becomes zero.
fn add(items: &[u32], counts: &mut [u8]) {
    for &item in items {
        // Indices are below the number of items; the check is for the compiler.
        if let Some(count) = counts.get_mut(item as usize) {
            *count = count.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_integers_are_those_that_are_drawn() {
        for n in [1, 2, 10_007, 65_536, (1 << 28) - 1] {
            let bound = Bound::new("n", n).expect("a bound");
            for level in Level::available() {
                let mut generator = Pcg64::new(&[7]).expect("a seed");
                let mut other = generator.clone();
                let mut counts = vec![0_u8; n];
                for count in [0, 1, 31, 32, 1023, 1024, 1025, 4097, 20_000] {
                    let mut expected: Vec<u32> =
                        (0..count).map(|_| if n > 1 { bound.draw_one(&mut other, &mut 0) } else { 0 }).collect();
                    bound.count(&mut generator, count, &mut counts, level);
                    expected.iter().for_each(|&item| counts[item as usize] = counts[item as usize].wrapping_sub(1));
                    expected.sort_unstable();
                    assert!(expected.iter().all(|&item| counts[item as usize] == 0), "{n} {count} {level:?}");
                    assert_eq!(generator, other, "{n} {count} {level:?}");
                }
                assert!(counts.iter().all(|&count| count == 0));
            }
        }
    }

    #[test]
    fn summed_integers_are_those_that_are_drawn() {
        // The last bound rejects every 16th draw.
        for n in [1, 2, 10_007, 65_536, (1 << 28) - 1] {
            let bound = Bound::new("n", n).expect("a bound");
            let values: Vec<u16> = (0..=n).map(|item| (item * 7) as u16).collect();
            for level in Level::available() {
                let mut generator = Pcg64::new(&[7]).expect("a seed");
                let mut other = generator.clone();
                for count in [0, 1, 31, 32, 1023, 1024, 1025, 4097, 20_000] {
                    let (mut expected, mut rejections, start) = (0, 0, generator.clone());
                    for _ in 0..count {
                        let item = if n > 1 { bound.draw_one(&mut other, &mut rejections) } else { 0 };
                        expected += u64::from(values[item as usize]);
                    }
                    let found = bound.sum(&mut generator, count, &values, level);
                    assert_eq!(found, (expected, rejections), "{n} {count} {level:?}");
                    assert_eq!(generator, other, "{n} {count} {level:?}");
                    let mut skipped = start;
                    skipped.skip(if n > 1 { count + rejections } else { 0 });
                    assert_eq!(skipped, other);
                }
            }
        }
    }

    #[test]
    fn counts_that_do_not_fit_in_bytes_become_zero() {
        let mut counts = [0; 300];
        add(&[7; 255], &mut counts);
        assert_eq!(counts[7], 255);
        add(&[7, 8, 8], &mut counts);
        assert_eq!(counts[7..9], [0, 2]);
    }

    #[test]
    fn blocks_of_integers_are_single_integers() {
        // The last bounds reject nothing, every fourth and almost every second draw.
        for n in [2, 3, 10, 10_007, 1 << 31, 3 << 30, (1 << 31) + 11] {
            let bound = Bound::new("n", n).expect("a bound");
            for level in Level::available() {
                let (mut block, mut single) = (Pcg64::new(&[7]).expect("a seed"), Pcg64::new(&[7]).expect("a seed"));
                for count in [0, 1, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 5000] {
                    let mut integers = Vec::new();
                    bound.draw(&mut block, count, level, |drawn| integers.extend_from_slice(drawn));
                    let expected: Vec<u32> = (0..count).map(|_| bound.draw_one(&mut single, &mut 0)).collect();
                    assert_eq!(integers, expected, "{n} {count} {level:?}");
                    assert_eq!(block, single);
                }
            }
        }
    }

    #[test]
    fn one_integer_draws_nothing() {
        let mut generator = Pcg64::new(&[7]).expect("a seed");
        let mut integers = Vec::<u32>::new();
        Bound::new("n", 1).expect("a bound").draw(&mut generator, 1234, Level::best(), |drawn| integers.extend(drawn));
        assert_eq!(integers, [0; 1234]);
        assert_eq!(Ok(generator), Pcg64::new(&[7]));
    }

    #[test]
    fn bounds_that_do_not_fit_are_errors() {
        for n in [0, 1 << 32] {
            let message = format!("n is {n}, needs 1 to 4294967295, the range of 32 bits");
            assert_eq!(Bound::new("n", n).expect_err("an error").to_string(), message);
        }
    }
}
