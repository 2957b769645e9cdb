//! The search of a block of items: all tiles of some queries against one panel of items after another.

use std::ops::Range;

use super::bound::{BoundCoefficients, MARGIN, TINY, single_error};
use super::candidates::{Candidates, Entry};
use super::quantize::{Operand, QuantizationSpace, Quantized, Scratch};
use super::vectors::Vectors;
use super::{Kernels, Metric, Precision};
use crate::error::Result;
use crate::huge::HugeArray;
use crate::memory;
use crate::parallel::Plan;
use crate::retrieval::Lists;
use crate::simd::Level;
use crate::simd::dot::{dot, single};
use crate::simd::tile::{self, ITEMS, Integers, ItemStep, QUERIES, QueryStep, Scores, Task};

/// Tiles that are compared with one panel; both stay in the cache meanwhile.
const TILES: usize = 16;

/// Panels between two checks for cancellation.
const PANELS_BETWEEN_CHECKS: usize = 64;

/// The arguments of a search.
#[derive(Debug)]
pub struct Search<'a> {
    pub queries: &'a Vectors<'a>,
    pub items: &'a Vectors<'a>,
    /// Index of the first item.
    pub offset: i64,
    /// One list for each query, in ascending order, or no lists at all.
    pub exclude: &'a Lists<'a>,
    pub metric: Metric,
    pub k: usize,
    pub kernels: Kernels,
}

/// Quantized items.
struct Items {
    space: QuantizationSpace,
    /// Words of a vector, which is also the number of steps of a panel.
    height: usize,
    words: HugeArray<u32>,
    panels: Vec<Panel>,
}

/// The items of a panel, without their words.
#[derive(Clone, Default)]
struct Panel {
    scales: [f32; ITEMS],
    lengths: [f64; ITEMS],
    coefficients: [BoundCoefficients; ITEMS],
    /// The largest coefficients.
    max: BoundCoefficients,
}

/// Quantized queries, and what their thresholds are computed from.
#[derive(Default)]
struct Tile {
    steps: Vec<QueryStep>,
    quantized: [Quantized; QUERIES],
    starts: [i32; QUERIES],
    norms: [f32; QUERIES],
    errors: [f32; QUERIES],
    inverses: [f32; QUERIES],
    limits: [f32; QUERIES],
}

/// The search of one query.
struct Query {
    row: usize,
    candidates: Candidates,
    /// Length of the vector, for cosines.
    norm: f64,
    /// `slope * score - offset` is the score in the space of the coarse pass.
    slope: f64,
    offset: f64,
}

impl Search<'_> {
    /// Return the best of the entries that each query has so far and of these items.
    pub fn run(&self, before: &[Vec<Entry>], plan: &Plan) -> Result<Vec<Vec<Entry>>> {
        let items = self.quantize(plan)?;
        let rows = self.queries.rows();
        let per_thread = rows.div_ceil(2 * plan.threads()).next_multiple_of(QUERIES);
        let chunk = per_thread.clamp(QUERIES, TILES * QUERIES);
        let chunks = plan.map(rows, chunk, Scratch::default, |scratch, rows| {
            let best = self.chunk(&items, rows.clone(), before, scratch, plan)?;
            plan.advance(rows.len());
            Ok(best)
        })?;
        Ok(chunks.into_iter().flatten().collect())
    }

    /// Quantize all items.
    fn quantize(&self, plan: &Plan) -> Result<Items> {
        let space = QuantizationSpace::new(self.items, self.metric, self.kernels, plan)?;
        let height = space.words(self.items.dims());
        let mut panels = memory::defaults::<Panel>(self.items.rows().div_ceil(ITEMS))?;
        let mut words = HugeArray::try_zeroed(panels.len() * height * ITEMS)?;
        let mut parts: Vec<_> = words.as_chunks_mut::<ITEMS>().0.chunks_mut(height).zip(&mut panels).collect();
        plan.each(&mut parts, Scratch::default, |scratch, index, (steps, panel)| {
            let rows = index * ITEMS..self.items.rows().min((index + 1) * ITEMS);
            for (slot, row) in rows.enumerate() {
                let row = self.items.row(row, &mut scratch.row);
                let put = |step: usize, word| steps[step][slot] = word;
                let factor = space.factor(row, Operand::Item);
                let quantized = space.encode(row, Operand::Item, factor, &mut scratch.buffers, put);
                panel.scales[slot] = quantized.scale;
                panel.lengths[slot] = dot(row, row, self.kernels.level).sqrt();
                panel.coefficients[slot] = space.roundings().coefficients(quantized.norm_and_error);
            }
            panel.max = BoundCoefficients::max(&panel.coefficients);
            Ok(())
        })?;
        drop(parts);
        Ok(Items { space, height, words, panels })
    }

    /// Search all items for a few queries.
    fn chunk(
        &self,
        items: &Items,
        rows: Range<usize>,
        before: &[Vec<Entry>],
        scratch: &mut Scratch,
        plan: &Plan,
    ) -> Result<Vec<Vec<Entry>>> {
        let (mut tiles, mut queries) = (Vec::new(), Vec::new());
        for start in rows.clone().step_by(QUERIES) {
            let rows = start..rows.end.min(start + QUERIES);
            tiles.push(self.tile(&items.space, rows, before, &mut queries, scratch)?);
        }
        let mut scores = [[0.0; ITEMS]; QUERIES];
        let ahead_per_tile = items.height.div_ceil(tiles.len());
        let mut order = scattered(items.panels.len()).peekable();
        for count in 0.. {
            let Some(panel_index) = order.next() else { break };
            if count % PANELS_BETWEEN_CHECKS == 0 {
                plan.check()?;
            }
            let (panel, now) = (&items.panels[panel_index], items.steps(panel_index));
            let next = order.peek().map_or(&[][..], |&next| items.steps(next));
            for (tile_index, tile) in tiles.iter_mut().enumerate() {
                let ahead = tile_index * ahead_per_tile..(tile_index + 1) * ahead_per_tile;
                let ahead = next.get(ahead).unwrap_or_default();
                let reached = tile.compare(now, ahead, panel, items.space.precision, &mut scores, self.kernels.level);
                for (slot, mask) in reached.into_iter().enumerate().filter(|(_, mask)| *mask != 0) {
                    let query = (slot, &mut queries[tile_index * QUERIES + slot]);
                    self.offer(items, query, tile, (panel_index, mask), &scores, scratch);
                }
            }
        }
        Ok(queries.into_iter().map(|query| self.finish(items, query, scratch)).collect())
    }

    /// Quantize the queries of a tile.
    fn tile(
        &self,
        space: &QuantizationSpace,
        rows: Range<usize>,
        before: &[Vec<Entry>],
        queries: &mut Vec<Query>,
        scratch: &mut Scratch,
    ) -> Result<Tile> {
        let mut tile = Tile { limits: [f32::INFINITY; QUERIES], ..Tile::default() };
        tile.steps.resize(space.words(self.queries.dims()), [0; QUERIES]);
        for (slot, row) in rows.enumerate() {
            self.queries.largest(row, &mut scratch.row, self.kernels.level)?;
            let vector = self.queries.row(row, &mut scratch.row);
            let factor = space.factor(vector, Operand::Query);
            let put = |step: usize, word| tile.steps[step][slot] = word;
            let quantized = space.encode(vector, Operand::Query, factor, &mut scratch.buffers, put);
            let (slope, offset) = space.score_map(vector, factor);
            let norm = dot(vector, vector, self.kernels.level).sqrt();
            let best = before.get(row).cloned().unwrap_or_default();
            let limit = match best.last() {
                Some(last) if best.len() == self.k => last.score * slope - offset,
                _ => f64::NEG_INFINITY,
            };
            tile.quantized[slot] = quantized;
            tile.starts[slot] = -quantized.sum * i32::from(Integers::of(self.kernels.level).offset);
            (tile.norms[slot], tile.errors[slot]) = (quantized.norm_and_error.norm, quantized.norm_and_error.error);
            tile.inverses[slot] = 1.0 / quantized.scale;
            tile.limits[slot] = down(limit);
            queries.push(Query { row, candidates: Candidates::new(self.k, best, limit), norm, slope, offset });
        }
        Ok(tile)
    }

    /// Offer the items that reached the threshold of a query to its candidates.
    fn offer(
        &self,
        items: &Items,
        (slot, query): (usize, &mut Query),
        tile: &mut Tile,
        (panel_index, mask): (usize, u32),
        scores: &Scores,
        scratch: &mut Scratch,
    ) {
        let excluded = if self.exclude.is_empty() { &[] } else { self.exclude.get(query.row) };
        let (panel, quantized) = (&items.panels[panel_index], tile.quantized[slot]);
        let mut mask = mask;
        while mask != 0 {
            let item_slot = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            let item = panel_index * ITEMS + item_slot;
            if item >= self.items.rows() || excluded.binary_search(&(self.offset + item as i64)).is_ok() {
                continue;
            }
            let score = f64::from(scores[slot][item_slot]) * f64::from(quantized.scale);
            let bound = panel.coefficients[item_slot].bound(quantized.norm_and_error);
            if query.candidates.offer(item as u32, score - bound, score + bound) {
                self.rescore(items, query, scratch);
            }
        }
        tile.limits[slot] = down(query.candidates.limit());
    }

    /// Score the candidates of a query: first in single precision, and those that may be among the best in double.
    fn rescore(&self, items: &Items, query: &mut Query, scratch: &mut Scratch) {
        let Scratch { row, query: buffer, .. } = scratch;
        let (level, vector) = (self.kernels.level, self.queries.row(query.row, buffer));
        let (norm, slope, offset) = (query.norm, query.slope, query.offset);
        let score = |item: u32, least: Option<f64>| {
            let row = self.items.row(item as usize, row);
            let length = items.panels[item as usize / ITEMS].lengths[item as usize % ITEMS];
            if least.is_some_and(|least| self.is_below(vector, row, norm * length, least)) {
                return None;
            }
            let product = dot(vector, row, level);
            let score = match self.metric {
                Metric::InnerProduct => product,
                Metric::Cosine => cosine(product, norm, length),
            };
            Some(Entry { score, index: self.offset + i64::from(item) })
        };
        let ahead = |item: u32| self.items.prefetch(item as usize);
        query.candidates.rescore(score, ahead, |score| score * slope - offset);
    }

    /// Return whether the score of two vectors, whose lengths have the product `lengths`, is certainly below `least`, by
    /// a product in single precision.
    fn is_below(&self, query: &[f32], item: &[f32], lengths: f64, least: f64) -> bool {
        let product = f64::from(single(query, item, self.kernels.level));
        let least = if self.metric == Metric::Cosine { least * lengths } else { least };
        // Of large numbers, the product may not be finite, and then says nothing.
        product.is_finite() && product + single_error(query.len(), lengths) < least
    }

    /// Score the last candidates of a query and return its best entries.
    fn finish(&self, items: &Items, mut query: Query, scratch: &mut Scratch) -> Vec<Entry> {
        self.rescore(items, &mut query, scratch);
        query.candidates.into_best()
    }
}

impl Items {
    /// Return the words of a panel.
    fn steps(&self, panel: usize) -> &[ItemStep] {
        &self.words.as_chunks::<ITEMS>().0[panel * self.height..(panel + 1) * self.height]
    }
}

/// Return the numbers below `count`, each once, any few that follow each other being far apart. Panels are compared in this
/// order, so that the limits are good soon, however the items are sorted.
fn scattered(count: usize) -> impl Iterator<Item = usize> {
    // A step of about the golden ratio, without a common divisor.
    let coprime = |step: usize| {
        let (mut left, mut right) = (count, step);
        while right > 0 {
            (left, right) = (right, left % right);
        }
        left == 1
    };
    let near = (count as f64 * 0.618) as usize;
    let step = (near.max(1)..=count).find(|&step| coprime(step)).unwrap_or(1);
    (0..count).scan(0, move |at, _| {
        let now = *at;
        *at = (now + step) % count;
        Some(now)
    })
}

impl Tile {
    /// Compute the coarse scores of a panel, in units of each query, and which of them reach the thresholds.
    fn compare(
        &self,
        items: &[ItemStep],
        ahead: &[ItemStep],
        panel: &Panel,
        precision: Precision,
        scores: &mut Scores,
        level: Level,
    ) -> tile::Reached {
        let thresholds = self.thresholds(panel.max);
        let task = Task { queries: &self.steps, items, ahead, thresholds: &thresholds };
        match precision {
            Precision::Int8 => tile::integers(task, &self.starts, &panel.scales, scores, level),
            Precision::Float => tile::float(task, scores, level),
        }
    }

    /// Return the coarse score at which an upper bound may reach the limit of each query: the bound is the largest of the
    /// panel, and a margin covers the roundings here.
    #[allow(clippy::needless_range_loop)] // Six arrays at once, in registers.
    fn thresholds(&self, max: BoundCoefficients) -> [f32; QUERIES] {
        let mut thresholds = [0.0; QUERIES];
        for query in 0..QUERIES {
            let bound = self.norms[query] * max.norm + self.errors[query] * max.error + TINY as f32;
            let (limit, inverse) = (self.limits[query], self.inverses[query]);
            thresholds[query] = (limit - bound) * inverse - (limit.abs() + bound) * inverse * MARGIN;
        }
        thresholds
    }
}

/// Return the cosine of two vectors from their inner product and their lengths.
fn cosine(product: f64, left: f64, right: f64) -> f64 {
    let lengths = left * right;
    if lengths > 0.0 { product / lengths } else { 0.0 }
}

/// Round down to single precision.
fn down(value: f64) -> f32 {
    if value.is_finite() { (value as f32).next_down() } else { value as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_numbers_are_all_numbers_once() {
        for count in (0..70).chain([937, 1024, 4032]) {
            let mut numbers: Vec<usize> = scattered(count).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..count), "{count}");
        }
    }
}
