//! Random bits of trials, `integers(2, size=(trials, n), dtype=bool)` of NumPy.
//!
//! A draw of 32 bits gives 32 bits, the lowest first, so the bits of a number are its bits from the lowest to the highest:
//! where a bit is in the sequence is known without drawing the ones before.

use super::Pcg64;
use super::pcg64::Numbers;
use crate::error::Result;
use crate::memory;
use crate::simd::Level;
use crate::simd::selected_sums::ITEMS;

/// Trials whose bits are drawn together: as many selections as fill a line of the cache.
const TRIALS: usize = 16;

/// Bits of a number.
const BITS: usize = u64::BITS as usize;

/// The bits of a generator from where it is.
#[derive(Debug, Clone, Copy)]
struct Bits {
    numbers: Numbers,
    /// Bits that come before those of the next number, in the highest ones of this word.
    previous: u64,
    /// How many these are, 0 to 63.
    count: usize,
}

impl Bits {
    fn new(generator: &Pcg64) -> Self {
        let (rest, used) = generator.bits;
        let (half, halves) = generator.half.map_or((0, 0), |half| (u64::from(half), 32));
        let (bits, count) = (u64::from(rest) | half << used, used as usize + halves);
        // Without bits, the word is not used.
        Self { numbers: generator.numbers, previous: bits << ((BITS - count) % BITS), count }
    }

    /// Skip that many words.
    fn skip(&mut self, words: usize) {
        if words > 0 {
            self.numbers.advance(words as u128 - 1);
            self.previous = self.numbers.next_u64();
        }
    }

    /// Replace words by the next bits.
    fn fill(&mut self, words: &mut [u64], level: Level) {
        self.numbers.fill(words, level);
        if self.count > 0 {
            for word in words {
                let number = *word;
                *word = number << self.count | self.previous >> (BITS - self.count);
                self.previous = number;
            }
        }
    }
}

/// The selections of some trials: 32 bits of each trial for the first 32 items, then those for the next 32 items, and so
/// on. After the last item, they have bits of the next trial.
#[derive(Debug)]
pub struct Selections {
    bits: Vec<u32>,
    trials: usize,
    words: Vec<u64>,
}

impl Selections {
    /// Return selections for up to `trials` trials of `n` items.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn new(n: usize, trials: usize) -> Result<Self> {
        let trials = trials.next_multiple_of(TRIALS);
        let bits = memory::zeroed(n.div_ceil(ITEMS).saturating_mul(trials))?;
        Ok(Self { bits, trials, words: memory::zeroed(TRIALS.saturating_mul(n).div_ceil(BITS) + 3)? })
    }

    /// Draw the bits of all trials from trial `first` on; the generator is at trial 0.
    pub fn draw(&mut self, generator: &Pcg64, n: usize, first: usize, level: Level) {
        let mut bits = Bits::new(generator);
        let mut at = first * n;
        bits.skip(at / BITS);
        at %= BITS;
        let mut filled = 0;
        for start in (0..self.trials).step_by(TRIALS) {
            bits.fill(&mut self.words[filled..], level);
            // In memory, the lowest bits come first.
            self.words[filled..].iter_mut().for_each(|word| *word = word.to_le());
            let bytes: &[u8] = bytemuck::cast_slice(&self.words);
            let starts: [usize; TRIALS] = std::array::from_fn(|trial| at + trial * n);
            for (items, selections) in self.bits.chunks_mut(self.trials).enumerate() {
                for (selection, bit) in selections[start..start + TRIALS].iter_mut().zip(starts) {
                    let eight =
                        bytes[bit / 8 + items * (ITEMS / 8)..].first_chunk().map_or(0, |&b| u64::from_le_bytes(b));
                    *selection = (eight >> (bit % 8)) as u32;
                }
            }
            at += TRIALS * n;
            // Words that the next trials need, too.
            let used = at / BITS;
            at %= BITS;
            filled = self.words.len() - used;
            self.words.copy_within(used.., 0);
        }
    }

    /// The selections among the 32 items of each group, for all trials.
    pub fn of_items(&self) -> impl Iterator<Item = &[u32]> {
        self.bits.chunks(self.trials)
    }
}

/// Go on by a number of bits, which are those of one call of NumPy.
pub fn skip(generator: &mut Pcg64, bits: usize) {
    let Bits { mut numbers, previous, count } = Bits::new(generator);
    let (rest, number) = if bits <= count {
        (count - bits, previous)
    } else {
        numbers.advance(((bits - count).div_ceil(BITS) - 1) as u128);
        let number = numbers.next_u64();
        ((count + BITS - bits % BITS) % BITS, number)
    };
    let rest_bits = if rest == 0 { 0 } else { number >> (BITS - rest) };
    let used = rest % 32;
    *generator = Pcg64 {
        numbers,
        half: (rest >= 32).then(|| (rest_bits >> used) as u32),
        bits: ((rest_bits & ((1 << used) - 1)) as u32, used as u32),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Plan;

    #[test]
    fn selections_are_the_bits_of_numpy_in_any_state() {
        let plan = Plan::new(Some(1));
        for n in [1, 2, 31, 32, 33, 63, 64, 65, 100, 257] {
            // Bits that are used before, with and without a kept half.
            for (draws, used) in [(0, 0), (1, 0), (0, 5), (0, 32), (0, 33), (1, 1), (1, 63), (0, 64)] {
                let mut generator = Pcg64::new(&[3]).expect("a seed");
                (0..draws).for_each(|_| _ = generator.next_u32());
                let all = generator.clone().bits(used + 60 * n, &plan).expect("bits");
                let end = (used + 60 * n) % 32 == 0;
                skip(&mut generator, used);
                for (first, trials) in [(0, 60), (0, 1), (17, 43), (59, 1)] {
                    let mut selections = Selections::new(n, trials).expect("memory");
                    selections.draw(&generator, n, first, Level::best());
                    for (start, selections) in (0..n).step_by(ITEMS).zip(selections.of_items()) {
                        for (trial, selection) in selections.iter().take(trials).enumerate() {
                            for item in start..n.min(start + ITEMS) {
                                let bit = all[used + (first + trial) * n + item];
                                assert_eq!(selection >> (item - start) & 1 == 1, bit, "{n} {draws} {used} {trial}");
                            }
                        }
                    }
                }
                let mut other = Pcg64::new(&[3]).expect("a seed");
                (0..draws).for_each(|_| _ = other.next_u32());
                other.bits(used + 60 * n, &plan).expect("bits");
                skip(&mut generator, 60 * n);
                assert_eq!(generator.bits.1 == 0, end);
                assert_eq!(generator.next_u32(), other.next_u32(), "{n} {draws} {used}");
                assert_eq!((generator.half, generator.numbers), (other.half, other.numbers));
            }
        }
    }
}
