//! The search for the best alignment: which matches are taken, if every word is part of one at most.
//!
//! The original goes through the words of the reference from left to right with the 40 best alignments so far. Which one is
//! found depends on three of its properties, which are kept:
//!
//! - Numbers of matched words are whole numbers, to which half a word is added for each word of a stem, synonym or
//!   paraphrase, and cut off: single words of these count nothing, two words count one.
//! - The distance of a match is added to the alignment that it extends, after that was copied: it counts for what is made
//!   from it later, and not for the copy.
//! - Alignments are sorted stably, and the one that skips a word comes after those that match it.
//!
//! What all alignments gain alike does not change their order, and is left out: once they continue at the same words, all
//! that follows up to the next word with a choice.

use super::MAX_WORDS;
use super::choice::{BEAM, CAPACITY, Choice};
use super::matches::{EXACT, MAX_MATCHES, Match, Matches};
use crate::error::{Error, Result};
use crate::parallel::Plan;

/// More candidates than this are sorted before others are added, so that most of the others can be refused.
const MAX_CANDIDATES: usize = 4 * BEAM;

/// Matches between two checks whether the work is cancelled.
const CHECK_INTERVAL: usize = 1 << 16;

const NONE: u32 = u32::MAX;

/// The origin of a candidate: the index of its path, and in the lower bits that of the match which it adds.
const PARENT: u32 = 1 << 26;
const NO_MATCH: u32 = PARENT - 1;
const _: () = assert!(MAX_MATCHES < NO_MATCH as usize && BEAM * (PARENT as usize) <= u32::MAX as usize);

/// The units of ranks. A rank, the smallest of which is the best, is the number of words without a match, then the number of
/// chunks, then the distance: all distances of two texts are smaller than a chunk, and all chunks are smaller than a word.
#[derive(Debug, Clone, Copy, Default)]
struct Units {
    /// A power of two, and its logarithm.
    chunk: u64,
    chunk_bits: u32,
    word: u64,
    /// Of no matches.
    first: u64,
}

impl Units {
    /// Whether distances may differ by more than integers of 32 bits, by which the original compares them.
    fn may_overflow(self) -> bool {
        self.chunk > i32::MAX as u64
    }
}

// Bits of the largest distance, of the largest number of chunks, and of that of words.
const _: () = assert!(MAX_MATCHES * MAX_WORDS < 1 << 34 && MAX_WORDS + 2 <= 1 << 14 && 2 * MAX_WORDS < 1 << 15);

/// An alignment of the words so far. `WIDTH` words of bits are enough for all words that matches compete for.
#[derive(Debug, Clone, Copy)]
struct Path<const WIDTH: usize> {
    rank: u64,
    /// Word of the reference that comes next.
    next: u32,
    /// Word of the prediction after the last match; [`NONE`] after a word that was skipped.
    last_end: u32,
    /// Last match, an index in the list of steps.
    step: u32,
    /// Words of the prediction that are part of matches.
    used: [u64; WIDTH],
}

/// A match of the word of the reference that is decided.
#[derive(Debug, Clone, Copy)]
struct Choosable {
    found: Match,
    /// First word in the prediction.
    start: u32,
    /// First of the bits of its words, which are as many as these.
    bit: u16,
    /// All of them, where one word of bits is enough.
    mask: u64,
    /// How much the rank falls with its words.
    gain: u64,
    distance: u64,
}

/// Searches alignments, one after the other.
#[derive(Debug, Default)]
pub(super) struct Beam {
    /// The match at each word of the reference that is part of every alignment, as an index; [`NONE`] elsewhere.
    fixed: Vec<u32>,
    /// For each word of the prediction that several matches compete for, its bit.
    bit_of: Vec<u16>,
    units: Units,
    /// The matches of the word of the reference that is decided.
    here: Vec<Choosable>,
    /// Of them, the index of the last one that starts at each word of the prediction; [`NONE`] elsewhere.
    last_at: Vec<u32>,
    choice: Choice,
    /// Each match that was taken, and the step before.
    steps: Vec<(u32, Match)>,
}

impl Beam {
    /// Find the best alignment and make `best` the list of its matches.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Invalid`] for texts so repetitive that the original's distances overflow.
    pub fn search(&mut self, matches: &Matches, best: &mut Vec<Match>, plan: &Plan) -> Result<()> {
        best.clear();
        if matches.is_empty() {
            return Ok(());
        }
        let is_open = self.fix(matches);
        best.extend(self.fixed.iter().filter(|&&index| index != NONE).map(|&index| matches.get(index as usize)));
        if !is_open {
            return Ok(());
        }
        self.units = units(matches);
        let mut step = match self.number_bits(matches) {
            ..=64 => self.search_open::<1>(matches, plan)?,
            65..=256 => self.search_open::<4>(matches, plan)?,
            257..=1024 => self.search_open::<16>(matches, plan)?,
            _ => self.search_open::<{ MAX_WORDS.div_ceil(64) }>(matches, plan)?,
        };
        while step != NONE {
            let (before, found) = self.steps[step as usize];
            best.push(found);
            step = before;
        }
        Ok(())
    }

    /// Find the matches that compete with no other. Returns whether there are others.
    fn fix(&mut self, matches: &Matches) -> bool {
        let is_alone = |found: Match| {
            let coverage = [&matches.coverage[found.words()], &matches.prediction_coverage[found.prediction_words()]];
            coverage.into_iter().flatten().all(|&count| count == 1)
        };
        self.fixed.clear();
        let mut is_open = false;
        for index in 0..matches.coverage.len() {
            let range = matches.range(index);
            let is_fixed = range.len() == 1 && is_alone(matches.get(range.start));
            is_open |= !range.is_empty() && !is_fixed;
            self.fixed.push(if is_fixed { range.start as u32 } else { NONE });
        }
        is_open
    }

    /// Give a bit to each word of the prediction that is part of a match which is not in every alignment. Returns their
    /// number. The bits of a match follow each other.
    fn number_bits(&mut self, matches: &Matches) -> usize {
        self.bit_of.clear();
        self.bit_of.extend(matches.prediction_coverage.iter().map(|&count| u16::from(count > 0)));
        for &index in self.fixed.iter().filter(|&&index| index != NONE) {
            self.bit_of[matches.get(index as usize).prediction_words()].fill(0);
        }
        let mut bits = 0;
        for bit in &mut self.bit_of {
            bits += std::mem::replace(bit, bits);
        }
        usize::from(bits)
    }

    /// Return the last step of the best alignment.
    fn search_open<const WIDTH: usize>(&mut self, matches: &Matches, plan: &Plan) -> Result<u32> {
        self.steps.clear();
        self.last_at.clear();
        self.last_at.resize(matches.prediction_coverage.len(), NONE);
        let first = Path { rank: self.units.first, next: 0, last_end: NONE, step: NONE, used: [0; WIDTH] };
        let (mut paths, mut spare) = (Vec::with_capacity(BEAM), Vec::with_capacity(BEAM));
        paths.push(first);
        // Where all paths continue, if at the same words: `next` and `last_end`.
        let mut common = Some((0, NONE));
        let mut work = 0;
        for index in 0..self.fixed.len() {
            let range = matches.range(index);
            let fixed = (self.fixed[index] != NONE).then(|| matches.get(self.fixed[index] as usize));
            if range.is_empty() || fixed.is_some() {
                if let Some((next, last_end)) = &mut common {
                    if let Some(found) = fixed {
                        (*next, *last_end) = (found.words().end as u32, found.prediction_words().end as u32);
                    } else if *next as usize == index {
                        (*next, *last_end) = (*next + 1, NONE);
                    }
                } else {
                    self.pass(index, fixed, &mut paths, &mut spare);
                    common = common_end(&paths);
                }
                continue;
            }
            if let Some((next, last_end)) = common.take() {
                paths.iter_mut().for_each(|path| (path.next, path.last_end) = (next, last_end));
            }
            work += paths.len() * range.len();
            if work >= CHECK_INTERVAL {
                work = 0;
                plan.check()?;
            }
            self.here.clear();
            self.here.extend(matches.at_range(&range).iter().map(|&found| {
                let bit = self.bit_of[usize::from(found.prediction_start)];
                Choosable::new(found, bit, self.units)
            }));
            self.branch(index, &paths, &mut spare)?;
            std::mem::swap(&mut paths, &mut spare);
        }
        // The first of the best, after all chunks end.
        let closed = |path: &&Path<WIDTH>| path.rank + self.closing(path);
        let best = if common.is_some() { paths.first() } else { paths.iter().min_by_key(closed) };
        Ok(best.map_or(NONE, |path| path.step))
    }

    /// Return how much the rank grows if the next match does not continue the last one.
    fn closing<const WIDTH: usize>(&self, path: &Path<WIDTH>) -> u64 {
        if path.last_end == NONE { 0 } else { self.units.chunk }
    }

    /// Go on after a word of the reference without a choice, which has a match that is in every alignment, or none.
    fn pass<const WIDTH: usize>(
        &mut self,
        index: usize,
        fixed: Option<Match>,
        paths: &mut Vec<Path<WIDTH>>,
        spare: &mut Vec<Path<WIDTH>>,
    ) {
        self.choice.clear();
        let mut is_sorted = true;
        let mut before = 0;
        for (parent, path) in (0..).zip(paths.iter_mut()) {
            if let Some(found) = fixed {
                // The words and the distance count for all paths.
                if path.last_end != u32::from(found.prediction_start) {
                    path.rank += self.closing(path);
                }
                path.go_after(found);
            } else if path.next as usize == index {
                path.rank += self.closing(path);
                path.skip();
            }
            is_sorted &= before <= path.rank;
            before = path.rank;
            self.choice.push(path.rank, parent);
        }
        if !is_sorted {
            spare.clear();
            spare.extend(self.choice.choose(self.units.chunk_bits).iter().map(|&(_, parent)| paths[parent as usize]));
            std::mem::swap(paths, spare);
        }
    }

    /// Decide about a word of the reference: make `next` the best paths, in their order.
    fn branch<const WIDTH: usize>(
        &mut self,
        index: usize,
        paths: &[Path<WIDTH>],
        next: &mut Vec<Path<WIDTH>>,
    ) -> Result<()> {
        self.choice.clear();
        if paths.len() * (self.here.len() + 1) <= CAPACITY && !self.units.may_overflow() {
            self.offer_all(index, paths);
        } else {
            self.offer_best(index, paths)?;
        }
        let Self { choice, here, steps, units, .. } = self;
        next.clear();
        for &(rank, origin) in choice.choose(units.chunk_bits) {
            let mut path = paths[(origin / PARENT) as usize];
            if let Some(taken) = here.get((origin % PARENT) as usize) {
                steps.push((path.step, taken.found));
                path.step = steps.len() as u32 - 1;
                path.go_after(taken.found);
                path.mark(taken);
            } else if path.next as usize == index {
                path.skip();
            }
            path.rank = rank;
            next.push(path);
        }
        Ok(())
    }

    /// Collect all candidates.
    fn offer_all<const WIDTH: usize>(&mut self, index: usize, paths: &[Path<WIDTH>]) {
        for (origin, path) in (0..).step_by(PARENT as usize).zip(paths) {
            if path.next as usize != index {
                self.choice.push(path.rank, origin | NO_MATCH);
                continue;
            }
            let closing = self.closing(path);
            let mut rank = path.rank;
            for (offset, found) in (0..).zip(&self.here) {
                let is_free = path.is_free(found);
                // Below zero for some of the matches that are not free, which are not candidates.
                let longer = rank.wrapping_sub(found.gain);
                let longer = longer.wrapping_add(if found.start == path.last_end { 0 } else { closing });
                self.choice.offer(longer, origin | offset, is_free);
                rank += if is_free { found.distance } else { 0 };
            }
            self.choice.push(rank + closing, origin | NO_MATCH);
        }
    }

    /// Collect the best of many candidates.
    fn offer_best<const WIDTH: usize>(&mut self, index: usize, paths: &[Path<WIDTH>]) -> Result<()> {
        (0..).zip(&self.here).for_each(|(offset, found)| self.last_at[found.start as usize] = offset);
        let most = self.here.iter().map(|found| found.gain).max().unwrap_or(0);
        let chunk = self.units.chunk;
        let nearest = paths.iter().map(|path| path.rank % chunk).min().unwrap_or(0);
        // Candidates of this rank and above come after those that are kept.
        let mut limit = u64::MAX;
        for (origin, path) in (0..).step_by(PARENT as usize).zip(paths) {
            if path.next as usize != index {
                self.add(path.rank, origin | NO_MATCH, &mut limit);
                continue;
            }
            let closing = self.closing(path);
            // The last match that continues the path.
            let last = self.last_at.get(path.last_end as usize).map_or(0, |last| last.wrapping_add(1));
            let mut rank = path.rank;
            let mut is_refused = false;
            for offset in 0..self.here.len() as u32 {
                if offset >= last && rank + closing - most >= limit && !self.units.may_overflow() {
                    is_refused = true;
                    break;
                }
                let found = self.here[offset as usize];
                if path.is_free(&found) {
                    let longer = rank - found.gain + if found.start == path.last_end { 0 } else { closing };
                    rank += found.distance;
                    self.add(longer, origin | offset, &mut limit);
                }
            }
            if !is_refused {
                // The original compares distances by their difference, an integer of 32 bits.
                if rank % chunk - nearest > i32::MAX as u64 {
                    let problem = "repeats the words of its reference too often, shorten one of them".to_owned();
                    return Err(Error::Invalid { parameter: "predictions", problem });
                }
                self.add(rank + closing, origin | NO_MATCH, &mut limit);
            }
        }
        self.here.iter().for_each(|found| self.last_at[found.start as usize] = NONE);
        Ok(())
    }

    /// Add a candidate below the limit, which falls with the number of candidates.
    fn add(&mut self, rank: u64, origin: u32, limit: &mut u64) {
        if rank < *limit {
            self.choice.push(rank, origin);
            if self.choice.len() > MAX_CANDIDATES {
                *limit = self.choice.keep_best(self.units.chunk_bits);
            }
        }
    }
}

/// Return the units of ranks of alignments of these matches.
fn units(matches: &Matches) -> Units {
    let distances: u64 = matches.all().iter().map(|found| found.distance()).sum();
    let chunk = (distances + 1).next_power_of_two();
    let word = chunk * (matches.coverage.len() as u64 + 2).next_power_of_two();
    let first = word * (matches.coverage.len() + matches.prediction_coverage.len()) as u64;
    Units { chunk, chunk_bits: chunk.trailing_zeros(), word, first }
}

/// Return where all paths continue, if at the same words.
fn common_end<const WIDTH: usize>(paths: &[Path<WIDTH>]) -> Option<(u32, u32)> {
    let end = |path: &Path<WIDTH>| (path.next, path.last_end);
    let first = paths.first().map(end)?;
    paths.iter().all(|path| end(path) == first).then_some(first)
}

impl<const WIDTH: usize> Path<WIDTH> {
    /// Continue after a match.
    fn go_after(&mut self, found: Match) {
        self.next = found.words().end as u32;
        self.last_end = found.prediction_words().end as u32;
    }

    /// Leave the next word of the reference without a match.
    fn skip(&mut self) {
        self.last_end = NONE;
        self.next += 1;
    }

    fn is_free(&self, found: &Choosable) -> bool {
        if WIDTH == 1 {
            return self.used[0] & found.mask == 0;
        }
        found.bits().all(|bit| self.used[bit / 64] >> (bit % 64) & 1 == 0)
    }

    fn mark(&mut self, found: &Choosable) {
        if WIDTH == 1 {
            self.used[0] |= found.mask;
        } else {
            found.bits().for_each(|bit| self.used[bit / 64] |= 1 << (bit % 64));
        }
    }
}

impl Choosable {
    fn new(found: Match, bit: u16, units: Units) -> Self {
        let length = u32::from(found.prediction_length);
        Self {
            found,
            start: u32::from(found.prediction_start),
            bit,
            mask: (u64::MAX >> (64 - length.min(64))) << (bit % 64),
            gain: found.matched_words() * units.word,
            distance: found.distance(),
        }
    }

    fn bits(&self) -> std::ops::Range<usize> {
        usize::from(self.bit)..usize::from(self.bit) + usize::from(self.found.prediction_length)
    }
}

impl Match {
    /// Return the number of words that the original counts.
    fn matched_words(self) -> u64 {
        let weigh = |words: u8| u64::from(if self.module == EXACT { words } else { words / 2 });
        weigh(self.length) + weigh(self.prediction_length)
    }

    fn distance(self) -> u64 {
        u64::from(self.start.abs_diff(self.prediction_start))
    }
}

#[cfg(test)]
mod tests;
