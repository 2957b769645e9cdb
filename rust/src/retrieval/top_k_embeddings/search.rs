//! The search of a block of items: all tiles of some queries against one panel of items after another.

use std::ops::Range;

use super::Metric;
use super::bound::{MARGIN, Slopes, TINY};
use super::candidates::{Candidates, Entry};
use super::quantize::{Form, Scratch, Side, Space};
use super::vectors::Vectors;
use crate::error::Result;
use crate::huge::HugeArray;
use crate::memory;
use crate::parallel::Plan;
use crate::retrieval::Lists;
use crate::simd::Level;
use crate::simd::dot::dot;
use crate::simd::tile::{self, ITEMS, ItemStep, QUERIES, QueryStep, Scores, Task};

/// Tiles that work on one panel, which stays in the cache meanwhile, as they do.
const TILES: usize = 16;

/// Panels between two looks at whether to go on.
const CHECK_EVERY: usize = 64;

/// What is searched.
#[derive(Debug)]
pub struct Search<'a> {
    pub queries: &'a Vectors<'a>,
    pub items: &'a Vectors<'a>,
    pub offset: i64,
    /// One list for each query, in ascending order, or no lists at all.
    pub exclude: &'a Lists<'a>,
    pub metric: Metric,
    pub k: usize,
    pub level: Level,
}

/// Items in coarse form.
struct Items {
    space: Space,
    /// Words of a vector, steps of a panel.
    height: usize,
    words: HugeArray<u32>,
    panels: Vec<Panel>,
}

/// What is known of the items of a panel, beside their words.
#[derive(Clone, Default)]
struct Panel {
    scales: [f32; ITEMS],
    slopes: [Slopes; ITEMS],
    most: Slopes,
}

/// Queries in coarse form.
#[derive(Default)]
struct Tile {
    steps: Vec<QueryStep>,
    coarse: [super::quantize::Coarse; QUERIES],
    starts: [i32; QUERIES],
    norms: [f32; QUERIES],
    errors: [f32; QUERIES],
    inverses: [f32; QUERIES],
    limits: [f32; QUERIES],
}

/// One query of a chunk.
struct Query {
    /// Number of the query.
    row: usize,
    candidates: Candidates,
    /// Length of the vector, for cosines.
    norm: f64,
    factor: f64,
    distance: f64,
}

impl Search<'_> {
    /// The best of what each query had and of these items.
    pub fn run(&self, before: &[Vec<Entry>], plan: &Plan) -> Result<Vec<Vec<Entry>>> {
        let items = self.prepare(plan)?;
        let rows = self.queries.rows();
        let share = rows.div_ceil(2 * plan.threads()).next_multiple_of(QUERIES);
        let chunk = share.clamp(QUERIES, TILES * QUERIES);
        let chunks = plan.map(rows, chunk, Scratch::default, |scratch, rows| {
            let best = self.chunk(&items, rows.clone(), before, scratch, plan)?;
            plan.advance(rows.len());
            Ok(best)
        })?;
        Ok(chunks.into_iter().flatten().collect())
    }

    /// Bring all items into coarse form.
    fn prepare(&self, plan: &Plan) -> Result<Items> {
        let space = Space::new(self.items, self.metric, self.level, plan)?;
        let height = space.words(self.items.dims());
        let mut panels = memory::defaults::<Panel>(self.items.rows().div_ceil(ITEMS))?;
        let mut words = HugeArray::try_zeroed(panels.len() * height * ITEMS)?;
        let mut parts: Vec<_> = words.as_chunks_mut::<ITEMS>().0.chunks_mut(height).zip(&mut panels).collect();
        plan.each(&mut parts, Scratch::default, |scratch, number, (steps, panel)| {
            let rows = number * ITEMS..self.items.rows().min((number + 1) * ITEMS);
            for (place, row) in rows.enumerate() {
                let row = self.items.row(row, &mut scratch.row);
                let put = |step: usize, word| steps[step][place] = word;
                let factor = space.factor(row, Side::Item);
                let coarse = space.place(row, Side::Item, factor, &mut scratch.coarse, put);
                panel.scales[place] = coarse.scale;
                panel.slopes[place] = space.roundings().slopes(coarse.sizes);
            }
            panel.most = Slopes::most(&panel.slopes);
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
        let steps = items.words.as_chunks::<ITEMS>().0;
        let share = items.height.div_ceil(tiles.len());
        for (number, panel) in items.panels.iter().enumerate() {
            if number % CHECK_EVERY == 0 {
                plan.check()?;
            }
            let start = number * items.height;
            let (now, next) = steps[start..].split_at(items.height);
            for (place, tile) in tiles.iter_mut().enumerate() {
                let ahead = next.get(place * share..(place + 1) * share).unwrap_or_default();
                let reached = tile.compare(now, ahead, panel, items.space.form, &mut scores, self.level);
                for (query, mask) in reached.into_iter().enumerate().filter(|(_, mask)| *mask != 0) {
                    let query = (query, &mut queries[place * QUERIES + query]);
                    self.offer(query, tile, (number, panel), mask, &scores, scratch);
                }
            }
        }
        Ok(queries.into_iter().map(|query| self.settled(query, scratch)).collect())
    }

    /// Bring the queries of a tile into coarse form.
    fn tile(
        &self,
        space: &Space,
        rows: Range<usize>,
        before: &[Vec<Entry>],
        queries: &mut Vec<Query>,
        scratch: &mut Scratch,
    ) -> Result<Tile> {
        let mut tile = Tile { limits: [f32::INFINITY; QUERIES], ..Tile::default() };
        tile.steps.resize(space.words(self.queries.dims()), [0; QUERIES]);
        for (place, row) in rows.enumerate() {
            self.queries.largest(row, &mut scratch.row, self.level)?;
            let vector = self.queries.row(row, &mut scratch.row);
            let factor = space.factor(vector, Side::Query);
            let coarse = space
                .place(vector, Side::Query, factor, &mut scratch.coarse, |step, word| tile.steps[step][place] = word);
            let (factor, distance) = space.relation(vector, factor);
            let norm = dot(vector, vector, self.level).sqrt();
            let best = before.get(row).cloned().unwrap_or_default();
            let limit = match best.last() {
                Some(last) if best.len() == self.k => last.score * factor - distance,
                _ => f64::NEG_INFINITY,
            };
            tile.coarse[place] = coarse;
            tile.starts[place] = coarse.sum.wrapping_mul(-128);
            (tile.norms[place], tile.errors[place]) = (coarse.sizes.norm, coarse.sizes.error);
            tile.inverses[place] = 1.0 / coarse.scale;
            tile.limits[place] = down(limit);
            queries.push(Query { row, candidates: Candidates::new(self.k, best, limit), norm, factor, distance });
        }
        Ok(tile)
    }

    /// Give the items that reached the threshold of a query to its candidates.
    fn offer(
        &self,
        (place, query): (usize, &mut Query),
        tile: &mut Tile,
        (number, panel): (usize, &Panel),
        mask: u32,
        scores: &Scores,
        scratch: &mut Scratch,
    ) {
        let excluded = if self.exclude.is_empty() { &[] } else { self.exclude.get(query.row) };
        let coarse = tile.coarse[place];
        let mut mask = mask;
        while mask != 0 {
            let slot = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            let item = number * ITEMS + slot;
            if item >= self.items.rows() || excluded.binary_search(&(self.offset + item as i64)).is_ok() {
                continue;
            }
            let score = f64::from(scores[place][slot]) * f64::from(coarse.scale);
            let bound = panel.slopes[slot].bound(coarse.sizes);
            if query.candidates.offer(item as u32, score - bound, score + bound) {
                self.settle(query, scratch);
            }
        }
        tile.limits[place] = down(query.candidates.limit());
    }

    /// Score the candidates of a query in double precision.
    fn settle(&self, query: &mut Query, scratch: &mut Scratch) {
        let (mut own, other) = (Vec::new(), &mut scratch.row);
        let vector = self.queries.row(query.row, &mut own);
        let score = |item: u32| {
            let row = self.items.row(item as usize, other);
            let product = dot(vector, row, self.level);
            let score = match self.metric {
                Metric::InnerProduct => product,
                Metric::Cosine => cosine(product, query.norm, dot(row, row, self.level).sqrt()),
            };
            Entry { score, index: self.offset + i64::from(item) }
        };
        query.candidates.settle(score, |score| score * query.factor - query.distance);
    }

    fn settled(&self, mut query: Query, scratch: &mut Scratch) -> Vec<Entry> {
        self.settle(&mut query, scratch);
        query.candidates.into_best()
    }
}

impl Tile {
    /// Coarse scores of a panel, in units of each query, and which of them reach what a query still needs.
    fn compare(
        &self,
        items: &[ItemStep],
        ahead: &[ItemStep],
        panel: &Panel,
        form: Form,
        scores: &mut Scores,
        level: Level,
    ) -> tile::Reached {
        let thresholds = self.thresholds(panel.most);
        let task = Task { queries: &self.steps, items, ahead, thresholds: &thresholds };
        match form {
            Form::Int8 => tile::int8(task, &self.starts, &panel.scales, scores, level),
            Form::Float => tile::float(task, scores, level),
        }
    }

    /// What a coarse score must reach for its upper bound to reach the limit: lower than any item of the panel needs, and
    /// by a margin for these few operations.
    #[allow(clippy::needless_range_loop)] // Six arrays at once, in registers.
    fn thresholds(&self, most: Slopes) -> [f32; QUERIES] {
        let mut thresholds = [0.0; QUERIES];
        for query in 0..QUERIES {
            let bound = self.norms[query] * most.norm + self.errors[query] * most.error + TINY as f32;
            let (limit, inverse) = (self.limits[query], self.inverses[query]);
            thresholds[query] = (limit - bound) * inverse - (limit.abs() + bound) * inverse * MARGIN;
        }
        thresholds
    }
}

/// The cosine of two vectors from their inner product and their lengths.
fn cosine(product: f64, left: f64, right: f64) -> f64 {
    let lengths = left * right;
    if lengths > 0.0 { product / lengths } else { 0.0 }
}

/// Down to single precision.
fn down(value: f64) -> f32 {
    if value.is_finite() { (value as f32).next_down() } else { value as f32 }
}
