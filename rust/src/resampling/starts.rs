//! Where in the sequence of random numbers each block of resamples starts.
//!
//! A rejected draw moves all that follow, so the start of a block is known only when the rejections before it are counted.
//! That is done on all threads, and takes a fraction of the time of the resamples.

use super::Pcg64;
use super::bounded::Bound;
use crate::error::Result;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::bounded::BLOCK;

/// Random numbers whose rejections are counted together.
const NUMBERS: usize = 16 * BLOCK;

/// Counted rejections of a generator that draws integers below a bound.
#[derive(Debug)]
pub struct Starts {
    /// The generator before any draw.
    first: Pcg64,
    bound: Bound,
    /// Number of integers before each group of numbers: one for the kept half, if there is any.
    before: Vec<usize>,
}

impl Starts {
    /// Count the rejections among the next `draws` integers at least.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn count(generator: &Pcg64, bound: Bound, draws: usize, level: Level, plan: &Plan) -> Result<Self> {
        let first = generator.clone();
        let mut before = vec![first.half.map_or(0, |draw| usize::from(bound.of_draw(draw).is_some()))];
        let mut total = before[0];
        while !bound.is_fixed() && total < draws {
            let done = before.len() - 1;
            let groups = (draws - total).div_ceil(2 * NUMBERS);
            let accepted = plan.map(
                groups,
                1,
                || [0; BLOCK],
                |numbers, group| {
                    if !bound.rejects() {
                        return Ok(2 * NUMBERS);
                    }
                    let mut generator = first.numbers;
                    generator.advance(((done + group.start) * NUMBERS) as u128);
                    Ok((0..NUMBERS / BLOCK)
                        .map(|_| {
                            generator.fill(numbers, level);
                            bound.accepted(numbers, level)
                        })
                        .sum())
                },
            )?;
            before.extend(accepted.into_iter().map(|accepted: usize| {
                total += accepted;
                total
            }));
        }
        Ok(Self { first, bound, before })
    }

    /// Return the generator after that many integers.
    pub fn after(&self, integers: usize, level: Level) -> Pcg64 {
        let mut generator = self.first.clone();
        let groups = self.before.partition_point(|&before| before <= integers);
        let mut rest = integers;
        // Without a group, the start is before the kept half.
        if groups > 0 && !self.bound.is_fixed() && integers > 0 {
            rest -= self.before[groups - 1];
            generator.half = None;
            generator.numbers.advance(((groups - 1) * NUMBERS) as u128);
        }
        self.bound.draw(&mut generator, rest, level, |_| ());
        generator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_where_one_draw_after_the_other_ends() {
        for n in [1, 3, 1 << 20, 10_007, 3 << 30, (1 << 31) + 11] {
            for skipped in [0, 1] {
                let bound = Bound::new("n", n).expect("a bound");
                let mut generator = Pcg64::new(&[n as u32]).expect("a seed");
                (0..skipped).for_each(|_| _ = generator.next_u32());
                for threads in [1, 2, 5] {
                    let plan = Plan::new(Some(threads));
                    let starts = Starts::count(&generator, bound, 100_000, Level::best(), &plan).expect("starts");
                    let mut other = generator.clone();
                    let mut drawn = 0;
                    for step in [0, 1, 2, 16_381, 2, 40_000, 43_614] {
                        bound.draw(&mut other, step, Level::Portable, |_| ());
                        drawn += step;
                        let mut found = starts.after(drawn, Level::best());
                        // A number may be drawn whose halves are both rejected or not yet needed.
                        assert_eq!(draws(bound, &mut found), draws(bound, &mut other.clone()), "{n} {drawn}");
                    }
                }
            }
        }
    }

    fn draws(bound: Bound, generator: &mut Pcg64) -> Vec<u32> {
        let mut integers = Vec::new();
        bound.draw(generator, 5, Level::Portable, |drawn| integers.extend_from_slice(drawn));
        integers
    }
}
