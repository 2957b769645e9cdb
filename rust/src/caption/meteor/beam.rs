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

use super::matches::{EXACT, Match, Matches};
use crate::error::{Error, Result};
use crate::parallel::Plan;

/// Number of alignments that are kept.
const BEAM: usize = 40;

/// More candidates than this are sorted before others are added, so that most of the others can be refused.
const MAX_CANDIDATES: usize = 4 * BEAM;

/// Matches between two checks whether the work is cancelled.
const CHECK_INTERVAL: usize = 1 << 16;

const NONE: u32 = u32::MAX;

/// The order of alignments: the smallest is the best. More matched words come first, then fewer chunks, then the smaller
/// distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Negative number of matched words in the upper half, chunks in the lower.
    words_and_chunks: i64,
    distance: u64,
}

const ONE_WORD: i64 = 1 << 32;

/// An alignment of the words so far.
#[derive(Debug, Clone, Copy)]
struct Path {
    rank: Rank,
    /// Word of the reference that comes next.
    next: u32,
    /// Word of the prediction after the last match; [`NONE`] after a word that was skipped.
    last_end: u32,
    /// Last match, an index in the list of steps.
    step: u32,
}

/// A path that may be kept: one of the paths so far, with one more match or without.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    path: Path,
    parent: u32,
    /// Index of the match, or [`NONE`].
    added: u32,
}

/// Searches alignments, one after the other.
#[derive(Debug, Default)]
pub(super) struct Beam {
    /// The match at each word of the reference that is part of every alignment, as an index; [`NONE`] elsewhere.
    fixed: Vec<u32>,
    /// For each word of the prediction that several matches compete for, its bit.
    bit_of: Vec<u32>,
    paths: Vec<Path>,
    candidates: Vec<Candidate>,
    next_paths: Vec<Path>,
    /// Words of the prediction that each path has used, `stride` words of bits for each.
    used: Vec<u64>,
    next_used: Vec<u64>,
    stride: usize,
    /// Smallest distance of the paths.
    nearest: u64,
    /// Each match that was taken, and the step before.
    steps: Vec<(u32, u32)>,
    work: usize,
}

impl Beam {
    /// Append the matches of the best alignment to `best`, from the last to the first if they were searched.
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
        self.start(matches);
        for index in 0..self.fixed.len() {
            self.advance(index, matches, plan)?;
        }
        let closed = self.paths.iter().map(|path| {
            let open = i64::from(path.last_end != NONE);
            Rank { words_and_chunks: path.rank.words_and_chunks + open, ..path.rank }
        });
        // The first of the best.
        let position = closed.enumerate().min_by_key(|&(_, rank)| rank).map_or(0, |(position, _)| position);
        let mut step = self.paths[position].step;
        while step != NONE {
            let (before, index) = self.steps[step as usize];
            best.push(matches.get(index as usize));
            step = before;
        }
        Ok(())
    }

    /// Find the matches that compete with no other. Returns whether there are others.
    fn fix(&mut self, matches: &Matches) -> bool {
        let is_alone = |found: &Match| {
            let coverage = [&matches.coverage[found.words()], &matches.prediction_coverage[found.prediction_words()]];
            coverage.into_iter().flatten().all(|&count| count == 1)
        };
        self.fixed.clear();
        let mut is_open = false;
        for index in 0..matches.coverage.len() {
            let range = matches.range(index);
            let is_fixed = range.len() == 1 && is_alone(&matches.get(range.start));
            is_open |= !range.is_empty() && !is_fixed;
            self.fixed.push(if is_fixed { range.start as u32 } else { NONE });
        }
        is_open
    }

    /// Begin with one path without matches.
    fn start(&mut self, matches: &Matches) {
        self.bit_of.clear();
        let mut bits = 0;
        for &count in &matches.prediction_coverage {
            // A word that one match covers may be part of a phrase that competes for another.
            self.bit_of.push(if count > 0 { bits } else { 0 });
            bits += u32::from(count > 0);
        }
        self.stride = (bits as usize).div_ceil(64).max(1);
        self.used.clear();
        self.used.resize(self.stride, 0);
        self.paths.clear();
        self.paths.push(Path { rank: Rank::default(), next: 0, last_end: NONE, step: NONE });
        self.steps.clear();
        self.work = 0;
    }

    /// Go on from all paths to those that decide about one more word of the reference, and keep the best.
    fn advance(&mut self, index: usize, matches: &Matches, plan: &Plan) -> Result<()> {
        let fixed = self.fixed[index];
        let range = matches.range(index);
        if fixed != NONE {
            let found = matches.get(fixed as usize);
            self.paths.iter_mut().for_each(|path| path.take(&found, true));
            self.sort_in_place();
            return Ok(());
        }
        if range.is_empty() {
            self.paths.iter_mut().filter(|path| path.next as usize == index).for_each(Path::skip);
            self.sort_in_place();
            return Ok(());
        }
        self.candidates.clear();
        self.nearest = self.paths.iter().map(|path| path.rank.distance).min().unwrap_or(0);
        let mut worst = None;
        for parent in 0..self.paths.len() {
            let path = self.paths[parent];
            if path.next as usize == index {
                self.work += range.len();
                worst = self.extend(parent, range.clone(), matches, worst)?;
            } else {
                self.candidates.push(Candidate { path, parent: parent as u32, added: NONE });
            }
        }
        if self.work >= CHECK_INTERVAL {
            self.work = 0;
            plan.check()?;
        }
        self.keep_best();
        self.adopt(matches);
        Ok(())
    }

    /// Add the path with each match that it can take, then the path without. Candidates after `worst` cannot be among the
    /// best.
    fn extend(
        &mut self,
        parent: usize,
        range: Range<usize>,
        matches: &Matches,
        mut worst: Option<Rank>,
    ) -> Result<Option<Rank>> {
        let mut path = self.paths[parent];
        for (offset, found) in matches.at_range(&range).iter().enumerate() {
            if self.is_used(parent, found) {
                continue;
            }
            let mut longer = path;
            longer.take(found, false);
            path.rank.distance += found.distance();
            if worst.is_some_and(|worst| longer.rank >= worst) {
                continue;
            }
            let added = (range.start + offset) as u32;
            self.candidates.push(Candidate { path: longer, parent: parent as u32, added });
            if self.candidates.len() > MAX_CANDIDATES {
                self.keep_best();
                worst = self.candidates.last().map(|candidate| candidate.path.rank);
            }
        }
        // The original compares distances by their difference, an integer of 32 bits.
        if path.rank.distance - self.nearest > i32::MAX as u64 {
            let problem = "repeats the words of its reference too often, shorten one of them".to_owned();
            return Err(Error::Invalid { parameter: "predictions", problem });
        }
        path.skip();
        self.candidates.push(Candidate { path, parent: parent as u32, added: NONE });
        Ok(worst)
    }

    fn is_used(&self, parent: usize, found: &Match) -> bool {
        let used = &self.used[parent * self.stride..];
        self.bit_of[found.prediction_words()].iter().any(|&bit| used[bit as usize / 64] >> (bit % 64) & 1 == 1)
    }

    /// Sort the candidates and drop those that the beam has no room for.
    fn keep_best(&mut self) {
        self.candidates.sort_by_key(|candidate| candidate.path.rank);
        self.candidates.truncate(BEAM);
    }

    /// Make the candidates the paths.
    fn adopt(&mut self, matches: &Matches) {
        let stride = self.stride;
        self.next_paths.clear();
        self.next_used.clear();
        for Candidate { mut path, parent, added } in self.candidates.drain(..) {
            let before = parent as usize * stride;
            self.next_used.extend_from_slice(&self.used[before..before + stride]);
            if added != NONE {
                self.steps.push((path.step, added));
                path.step = self.steps.len() as u32 - 1;
                let used = self.next_used.len() - stride;
                for &bit in &self.bit_of[matches.get(added as usize).prediction_words()] {
                    self.next_used[used + bit as usize / 64] |= 1 << (bit % 64);
                }
            }
            self.next_paths.push(path);
        }
        std::mem::swap(&mut self.paths, &mut self.next_paths);
        std::mem::swap(&mut self.used, &mut self.next_used);
    }

    /// Sort the paths after each was changed in its place.
    fn sort_in_place(&mut self) {
        if self.paths.is_sorted_by_key(|path| path.rank) {
            return;
        }
        let paths = self.paths.iter().enumerate();
        self.candidates.clear();
        self.candidates.extend(paths.map(|(index, &path)| Candidate { path, parent: index as u32, added: NONE }));
        self.keep_best();
        let stride = self.stride;
        self.paths.clear();
        self.next_used.clear();
        for Candidate { path, parent, .. } in self.candidates.drain(..) {
            let before = parent as usize * stride;
            self.next_used.extend_from_slice(&self.used[before..before + stride]);
            self.paths.push(path);
        }
        std::mem::swap(&mut self.used, &mut self.next_used);
    }
}

impl Path {
    /// Take a match; with `own_distance`, its distance counts for this path.
    fn take(&mut self, found: &Match, own_distance: bool) {
        let weigh = |words: u8| i64::from(if found.module == EXACT { words } else { words / 2 });
        self.rank.words_and_chunks -= (weigh(found.length) + weigh(found.prediction_length)) * ONE_WORD;
        let is_new_chunk = self.last_end != NONE && u32::from(found.prediction_start) != self.last_end;
        self.rank.words_and_chunks += i64::from(is_new_chunk);
        self.rank.distance += if own_distance { found.distance() } else { 0 };
        self.next = found.words().end as u32;
        self.last_end = found.prediction_words().end as u32;
    }

    /// Leave the next word of the reference without a match.
    fn skip(&mut self) {
        self.rank.words_and_chunks += i64::from(self.last_end != NONE);
        self.last_end = NONE;
        self.next += 1;
    }
}

impl Match {
    fn distance(&self) -> u64 {
        u64::from(self.start.abs_diff(self.prediction_start))
    }
}
