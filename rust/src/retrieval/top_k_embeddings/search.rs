//! The search of a block of items: all tiles of some queries against one panel of items after another.

use std::ops::Range;

use super::bound::{BoundCoefficients, MARGIN, TINY, single_error};
use super::candidates::{Candidates, Entry, Item, Scorer};
use super::groups::Groups;
use super::quantize::{Operand, QuantizationSpace, Quantized, Scratch};
use super::vectors::Vectors;
use super::{Kernels, Metric, Precision};
use crate::bits::set_bits;
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

/// Pairs of a query and an item from which on groups are worth their sample: among fewer, copies cost little. Tests of this
/// crate have fewer.
const PAIRS_FOR_GROUPS: usize = if cfg!(test) { 1 } else { 1 << 22 };

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

/// Quantized items, group after group.
struct Items {
    space: QuantizationSpace,
    /// Words of a vector, which is also the number of steps of a panel.
    height: usize,
    words: HugeArray<u32>,
    panels: Vec<Panel>,
}

/// The items of a panel, without their words. All are of one group.
#[derive(Clone)]
struct Panel {
    group: usize,
    rows: [u32; ITEMS],
    /// The items that are exactly the leader of the group, the first being the lowest bit.
    copies: u32,
    scales: [f32; ITEMS],
    lengths: [f64; ITEMS],
    coefficients: [BoundCoefficients; ITEMS],
    /// The largest coefficients.
    max: BoundCoefficients,
}

/// A row of no item, in the last panel of a group.
const NO_ROW: u32 = u32::MAX;

/// Quantized queries, and what their thresholds are computed from.
#[derive(Default)]
struct Tile {
    steps: Vec<QueryStep>,
    quantized: [Quantized; QUERIES],
    starts: [i32; QUERIES],
    norms: [f32; QUERIES],
    errors: [f32; QUERIES],
    inverses: [f32; QUERIES],
    /// Added to the coarse scores of each group.
    offsets: Vec<[f64; QUERIES]>,
    /// The limits of each group, from which the offsets are subtracted.
    limits: Vec<[f32; QUERIES]>,
}

/// The search of one query.
struct Query {
    row: usize,
    candidates: Candidates,
    /// Length of the vector, for cosines.
    norm: f64,
    /// `slope * score` is the score in the space of the coarse pass.
    slope: f64,
    /// The score of the leader of each group, once it is needed.
    leaders: Vec<Option<f64>>,
}

/// The scores of items for one query: first in single precision, and those that may be among the best in double.
struct Scoring<'a> {
    search: &'a Search<'a>,
    items: &'a Items,
    vector: &'a [f32],
    norm: f64,
    slope: f64,
    /// For items of other types than single precision.
    buffer: &'a mut Vec<f32>,
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
        let is_large = self.queries.rows().saturating_mul(self.items.rows()) >= PAIRS_FOR_GROUPS;
        let groups = match QuantizationSpace::precision(self.items.dims(), self.kernels) {
            Precision::Int8 if is_large => Groups::find(self.items, self.metric, self.kernels.level, plan)?,
            Precision::Int8 | Precision::Float => Groups::one(self.items)?,
        };
        let space = QuantizationSpace::new(self.items, &groups, self.metric, self.kernels, plan)?;
        let height = space.words(self.items.dims());
        let mut panels = panels(&groups)?;
        let mut words = HugeArray::try_zeroed(panels.len() * height * ITEMS)?;
        let mut parts: Vec<_> = words.as_chunks_mut::<ITEMS>().0.chunks_mut(height).zip(&mut panels).collect();
        plan.each(&mut parts, Scratch::default, |scratch, _, (steps, panel)| {
            for (slot, row) in panel.rows.into_iter().enumerate().filter(|(_, row)| *row != NO_ROW) {
                let (row, operand) = (self.items.row(row as usize, &mut scratch.row), Operand::Item(panel.group));
                let put = |step: usize, word| steps[step][slot] = word;
                let factor = space.factor(row, operand);
                let quantized = space.encode(row, operand, factor, &mut scratch.buffers, put);
                panel.copies |= u32::from(groups.is_leader(panel.group, row)) << slot;
                panel.scales[slot] = quantized.scale;
                panel.lengths[slot] = dot(row, row, self.kernels.level).sqrt();
                panel.coefficients[slot] = space.roundings(panel.group).coefficients(quantized.norm_and_error);
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
        let mut tile = Tile::default();
        tile.offsets.resize(space.groups(), [0.0; QUERIES]);
        tile.limits.resize(space.groups(), [f32::INFINITY; QUERIES]);
        tile.steps.resize(space.words(self.queries.dims()), [0; QUERIES]);
        for (slot, row) in rows.enumerate() {
            self.queries.largest(row, &mut scratch.row, self.kernels.level)?;
            let vector = self.queries.row(row, &mut scratch.row);
            let factor = space.factor(vector, Operand::Query);
            let put = |step: usize, word| tile.steps[step][slot] = word;
            let quantized = space.encode(vector, Operand::Query, factor, &mut scratch.buffers, put);
            let offsets = space.offsets(vector, factor);
            tile.offsets.iter_mut().zip(offsets).for_each(|(offsets, offset)| offsets[slot] = offset);
            let slope = space.slope(factor);
            let norm = dot(vector, vector, self.kernels.level).sqrt();
            let best = before.get(row).cloned().unwrap_or_default();
            let limit = match best.last() {
                Some(last) if best.len() == self.k => last.score * slope,
                _ => f64::NEG_INFINITY,
            };
            tile.quantized[slot] = quantized;
            tile.starts[slot] = -quantized.sum * i32::from(Integers::of(self.kernels.level).offset);
            (tile.norms[slot], tile.errors[slot]) = (quantized.norm_and_error.norm, quantized.norm_and_error.error);
            tile.inverses[slot] = 1.0 / quantized.scale;
            tile.set_limit(slot, limit);
            let (candidates, leaders) = (Candidates::new(self.k, best, limit), vec![None; space.groups()]);
            queries.push(Query { row, candidates, norm, slope, leaders });
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
        let Query { candidates, leaders, .. } = query;
        let of_query = (query.row, query.norm, query.slope);
        for item in set_bits(mask.into()) {
            let (row, position) = (panel.rows[item], (panel_index * ITEMS + item) as u32);
            let index = self.offset + i64::from(row);
            if row == NO_ROW || excluded.binary_search(&index).is_ok() {
                continue;
            }
            let at = Item { row, position };
            if panel.copies >> item & 1 == 1 {
                let leader = &mut leaders[panel.group];
                let score = *leader.get_or_insert_with(|| self.scoring(items, of_query, scratch).exact(at));
                candidates.insert(Entry { score, index }, |score| score * query.slope);
                continue;
            }
            let score = f64::from(scores[slot][item]) * f64::from(quantized.scale) + tile.offsets[panel.group][slot];
            let bound = panel.coefficients[item].bound(quantized.norm_and_error);
            if candidates.offer(at, score - bound, score + bound) {
                candidates.rescore(&mut self.scoring(items, of_query, scratch));
            }
        }
        tile.set_limit(slot, candidates.limit());
    }

    /// Return the scores of items for a query of this row, length and slope.
    fn scoring<'a>(
        &'a self,
        items: &'a Items,
        (row, norm, slope): (usize, f64, f64),
        scratch: &'a mut Scratch,
    ) -> Scoring<'a> {
        let Scratch { row: buffer, query, .. } = scratch;
        Scoring { search: self, items, vector: self.queries.row(row, query), norm, slope, buffer }
    }

    /// Score the last candidates of a query and return its best entries.
    fn finish(&self, items: &Items, query: Query, scratch: &mut Scratch) -> Vec<Entry> {
        let mut scoring = self.scoring(items, (query.row, query.norm, query.slope), scratch);
        query.candidates.finish(&mut scoring)
    }
}

impl Scoring<'_> {
    /// Return the score of an item.
    fn exact(&mut self, item: Item) -> f64 {
        let row = self.search.items.row(item.row as usize, self.buffer);
        let product = dot(self.vector, row, self.search.kernels.level);
        match self.search.metric {
            Metric::InnerProduct => product,
            Metric::Cosine => cosine(product, self.norm, self.items.length(item)),
        }
    }

    /// Return whether the score of an item is certainly below `least`, by a product in single precision.
    fn is_below(&mut self, item: Item, least: f64) -> bool {
        let row = self.search.items.row(item.row as usize, self.buffer);
        let product = f64::from(single(self.vector, row, self.search.kernels.level));
        let lengths = self.norm * self.items.length(item);
        let least = if self.search.metric == Metric::Cosine { least * lengths } else { least };
        // Of large numbers, the product may not be finite, and then says nothing.
        product.is_finite() && product + single_error(self.vector.len(), lengths) < least
    }
}

impl Scorer for Scoring<'_> {
    fn score(&mut self, item: Item, least: Option<f64>) -> Option<Entry> {
        if least.is_some_and(|least| self.is_below(item, least)) {
            return None;
        }
        Some(Entry { score: self.exact(item), index: self.search.offset + i64::from(item.row) })
    }

    fn prefetch(&self, item: Item) {
        self.search.items.prefetch(item.row as usize);
    }

    fn coarse(&self, score: f64) -> f64 {
        score * self.slope
    }
}

/// Return the panels of all groups, without anything but their rows.
fn panels(groups: &Groups) -> Result<Vec<Panel>> {
    let count = groups.members().iter().map(|members| members.len().div_ceil(ITEMS)).sum();
    let mut panels = memory::with_capacity(count)?;
    for (group, members) in groups.members().iter().enumerate() {
        panels.extend(members.chunks(ITEMS).map(|members| {
            let mut rows = [NO_ROW; ITEMS];
            rows[..members.len()].copy_from_slice(members);
            let (scales, lengths, max) = ([0.0; ITEMS], [0.0; ITEMS], BoundCoefficients::default());
            Panel { group, rows, copies: 0, scales, lengths, coefficients: [max; ITEMS], max }
        }));
    }
    Ok(panels)
}

impl Items {
    /// Return the length of an item.
    fn length(&self, Item { position, .. }: Item) -> f64 {
        let position = position as usize;
        self.panels[position / ITEMS].lengths[position % ITEMS]
    }

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
        let thresholds = self.thresholds(panel);
        let task = Task { queries: &self.steps, items, ahead, thresholds: &thresholds };
        match precision {
            Precision::Int8 => tile::integers(task, &self.starts, &panel.scales, scores, level),
            Precision::Float => tile::float(task, scores, level),
        }
    }

    /// Set the score that items must reach to be among the best of a query.
    fn set_limit(&mut self, slot: usize, limit: f64) {
        for (limits, offsets) in self.limits.iter_mut().zip(&self.offsets) {
            limits[slot] = (limit - offsets[slot]) as f32;
        }
    }

    /// Return the coarse score at which an upper bound may reach the limit of each query: the bound is the largest of the
    /// panel, and a margin covers the roundings here.
    #[allow(clippy::needless_range_loop)] // Six arrays at once, in registers.
    fn thresholds(&self, Panel { group, max, .. }: &Panel) -> [f32; QUERIES] {
        let (mut thresholds, limits) = ([0.0; QUERIES], &self.limits[*group]);
        for query in 0..QUERIES {
            let bound = self.norms[query] * max.norm + self.errors[query] * max.error + TINY as f32;
            let (limit, inverse) = (limits[query], self.inverses[query]);
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
