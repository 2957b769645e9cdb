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

use std::ops::Range;

use super::MAX_WORDS;
use super::matches::{EXACT, MAX_MATCHES, Match, Matches};
use crate::error::{Error, Result};
use crate::parallel::Plan;

/// Number of alignments that are kept.
const BEAM: usize = 40;

/// More candidates than this are sorted before others are added, so that most of the others can be refused.
const MAX_CANDIDATES: usize = 4 * BEAM;

/// Matches between two checks whether the work is cancelled.
const CHECK_INTERVAL: usize = 1 << 16;

const NONE: u32 = u32::MAX;

/// The rank of alignments, the smallest of which is the best: in the highest bits the number of matched words, counted
/// down, then the number of chunks, then the distance.
const CHUNK: u64 = 1 << 35;
const WORD: u64 = CHUNK << 14;
const DISTANCE: u64 = CHUNK - 1;
/// Of no words. A text has fewer words, and all distances together are smaller than a chunk.
const FIRST_RANK: u64 = WORD * (2 * MAX_WORDS as u64);
const _: () = assert!(2 * MAX_WORDS < 1 << 15 && MAX_WORDS < 1 << 14);
const _: () = assert!(MAX_MATCHES as u64 * (MAX_WORDS as u64) < CHUNK);

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

/// A path that may be kept: one of the paths so far, with one more match or without.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    rank: u64,
    /// Index of the match, [`NONE`] for no match.
    added: u32,
    /// Of candidates with equal ranks, the first one is better.
    order: u16,
    parent: u8,
}

/// Searches alignments, one after the other.
#[derive(Debug, Default)]
pub(super) struct Beam {
    /// The match at each word of the reference that is part of every alignment, as an index; [`NONE`] elsewhere.
    fixed: Vec<u32>,
    /// For each word of the prediction that several matches compete for, its bit.
    bit_of: Vec<u16>,
    candidates: Vec<Candidate>,
    /// Each match that was taken, and the step before.
    steps: Vec<(u32, u32)>,
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
        let mut step = match self.number_bits(matches) {
            ..=64 => self.search_open::<1>(matches, plan)?,
            65..=256 => self.search_open::<4>(matches, plan)?,
            257..=1024 => self.search_open::<16>(matches, plan)?,
            _ => self.search_open::<{ MAX_WORDS.div_ceil(64) }>(matches, plan)?,
        };
        while step != NONE {
            let (before, index) = self.steps[step as usize];
            best.push(matches.get(index as usize));
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
    /// number.
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
        let first = Path { rank: FIRST_RANK, next: 0, last_end: NONE, step: NONE, used: [0; WIDTH] };
        let (mut paths, mut next_paths) = (Vec::with_capacity(BEAM), Vec::with_capacity(BEAM));
        paths.push(first);
        let mut work = 0;
        for index in 0..self.fixed.len() {
            let range = matches.range(index);
            if self.fixed[index] != NONE {
                let found = matches.get(self.fixed[index] as usize);
                paths.iter_mut().for_each(|path| path.take_fixed(found));
            } else if range.is_empty() {
                paths.iter_mut().filter(|path| path.next as usize == index).for_each(Path::skip);
            } else {
                work += paths.len() * range.len();
                if work >= CHECK_INTERVAL {
                    work = 0;
                    plan.check()?;
                }
                self.branch(index, range, matches, &paths)?;
                self.adopt(index, matches, &paths, &mut next_paths);
                std::mem::swap(&mut paths, &mut next_paths);
                continue;
            }
            sort(&mut paths);
        }
        // The first of the best, after all chunks end.
        let closed = |path: &&Path<WIDTH>| path.rank + if path.last_end == NONE { 0 } else { CHUNK };
        Ok(paths.iter().min_by_key(closed).map_or(NONE, |path| path.step))
    }

    /// Collect the best candidates that decide about one more word of the reference, in their order.
    fn branch<const WIDTH: usize>(
        &mut self,
        index: usize,
        range: Range<usize>,
        matches: &Matches,
        paths: &[Path<WIDTH>],
    ) -> Result<()> {
        self.candidates.clear();
        let nearest = paths.iter().map(|path| path.rank & DISTANCE).min().unwrap_or(0);
        // Candidates of this rank and above come after those that are kept.
        let mut limit = u64::MAX;
        for (parent, path) in paths.iter().enumerate() {
            let parent = parent as u8;
            if path.next as usize != index {
                self.push(path.rank, NONE, parent);
                continue;
            }
            let mut rank = path.rank;
            for (offset, found) in matches.at_range(&range).iter().copied().enumerate() {
                if self.is_used(path, found) {
                    continue;
                }
                let longer = rank - found.words_rank() + path.chunk_rank(found);
                rank += found.distance();
                if longer < limit {
                    self.push(longer, (range.start + offset) as u32, parent);
                    if self.candidates.len() > MAX_CANDIDATES {
                        self.keep_best();
                        limit = self.candidates[BEAM - 1].rank;
                    }
                }
            }
            // The original compares distances by their difference, an integer of 32 bits.
            if (rank & DISTANCE) - nearest > i32::MAX as u64 {
                let problem = "repeats the words of its reference too often, shorten one of them".to_owned();
                return Err(Error::Invalid { parameter: "predictions", problem });
            }
            rank += if path.last_end == NONE { 0 } else { CHUNK };
            self.push(rank, NONE, parent);
        }
        self.keep_best();
        Ok(())
    }

    fn push(&mut self, rank: u64, added: u32, parent: u8) {
        let order = self.candidates.len() as u16;
        self.candidates.push(Candidate { rank, added, order, parent });
    }

    fn is_used<const WIDTH: usize>(&self, path: &Path<WIDTH>, found: Match) -> bool {
        let bits = &self.bit_of[found.prediction_words()];
        bits.iter().any(|&bit| path.used[usize::from(bit) / 64] >> (bit % 64) & 1 == 1)
    }

    /// Sort the candidates and drop those that the beam has no room for.
    fn keep_best(&mut self) {
        let key = |candidate: &Candidate| (candidate.rank, candidate.order);
        if self.candidates.len() > BEAM {
            self.candidates.select_nth_unstable_by_key(BEAM, key);
            self.candidates.truncate(BEAM);
        }
        self.candidates.sort_unstable_by_key(key);
        (0..).zip(&mut self.candidates).for_each(|(order, candidate)| candidate.order = order);
    }

    /// Make the candidates paths, after the word of the reference at an index was decided.
    fn adopt<const WIDTH: usize>(
        &mut self,
        index: usize,
        matches: &Matches,
        paths: &[Path<WIDTH>],
        next: &mut Vec<Path<WIDTH>>,
    ) {
        next.clear();
        for &Candidate { rank, added, parent, .. } in &self.candidates {
            let mut path = paths[usize::from(parent)];
            if added != NONE {
                self.steps.push((path.step, added));
                path.step = self.steps.len() as u32 - 1;
                let found = matches.get(added as usize);
                path.pass(found);
                for &bit in &self.bit_of[found.prediction_words()] {
                    path.used[usize::from(bit) / 64] |= 1 << (bit % 64);
                }
            } else if path.next as usize == index {
                path.skip();
            }
            path.rank = rank;
            next.push(path);
        }
    }
}

impl<const WIDTH: usize> Path<WIDTH> {
    /// Take a match that is in every alignment. Its distance counts for this path.
    fn take_fixed(&mut self, found: Match) {
        self.rank = self.rank - found.words_rank() + self.chunk_rank(found) + found.distance();
        self.pass(found);
    }

    /// Go on after a match.
    fn pass(&mut self, found: Match) {
        self.next = found.words().end as u32;
        self.last_end = found.prediction_words().end as u32;
    }

    /// Leave the next word of the reference without a match.
    fn skip(&mut self) {
        self.rank += if self.last_end == NONE { 0 } else { CHUNK };
        self.last_end = NONE;
        self.next += 1;
    }

    /// Return how much the rank grows with a match that does not continue the last one.
    fn chunk_rank(&self, found: Match) -> u64 {
        let is_new = self.last_end != NONE && self.last_end != u32::from(found.prediction_start);
        if is_new { CHUNK } else { 0 }
    }
}

impl Match {
    /// Return how much the rank falls with the words of this match.
    fn words_rank(self) -> u64 {
        let weigh = |words: u8| u64::from(if self.module == EXACT { words } else { words / 2 });
        (weigh(self.length) + weigh(self.prediction_length)) * WORD
    }

    fn distance(self) -> u64 {
        u64::from(self.start.abs_diff(self.prediction_start))
    }
}

fn sort<const WIDTH: usize>(paths: &mut [Path<WIDTH>]) {
    if !paths.is_sorted_by_key(|path| path.rank) {
        paths.sort_by_key(|path| path.rank);
    }
}
