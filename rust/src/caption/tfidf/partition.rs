//! Pass 1: send each n-gram of an item, once, to a partition by hash.

use super::corpus::{Block, Corpus, Flags, Repeat};
use super::traversal::{BlockItem, exclusive_prefix_sum, ngram_count, positions_with};
use crate::caption::in_place::PartitionedKeys;
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::Table;
use crate::text::ngrams::{Key, Seed, pack};

/// Base-2 logarithm of the number of tokens per partition, rounded down, unless [`MAX_BITS`] limits the number of
/// partitions. The hash table of a partition stays in the second-level cache.
const LOG2_TOKENS_PER_PARTITION: u32 = 12;

/// There are at most `1 << MAX_BITS` partitions: a cache holds their write positions. In a large set, the hash tables of
/// partitions outgrow the second-level cache, which costs less than partitioning twice.
const MAX_BITS: u32 = 12;

/// The rule by which an n-gram belongs to a partition: the first bits of its hash are the index of the partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partitioning {
    pub seed: Seed,
    /// There are `1 << bits` partitions.
    pub bits: u32,
}

impl Partitioning {
    /// Choose the number of partitions for texts of this many tokens.
    pub fn for_tokens(tokens: usize, seed: Seed) -> Self {
        Self { seed, bits: tokens.max(1).ilog2().saturating_sub(LOG2_TOKENS_PER_PARTITION).min(MAX_BITS) }
    }

    /// Number of partitions.
    pub fn len(self) -> usize {
        1 << self.bits
    }

    /// Return the partition of an n-gram.
    #[inline]
    pub fn of<K: Key>(self, key: K) -> u16 {
        // Two shifts, because a shift by 64 would overflow where there is one partition.
        (key.hash(self.seed) >> 1 >> (u64::BITS - 1 - self.bits)) as u16
    }
}

/// One order on its way through the three passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// Tokens of the n-grams, two or more.
    pub order: usize,
    pub partitioning: Partitioning,
    /// Whether to leave out n-grams with a part that occurs in only one item: they also occur in only one.
    pub prune: bool,
}

/// Buffers of pass 1, one for each thread.
#[derive(Debug)]
pub(super) struct Scratch<K> {
    /// Positions in a text.
    positions: Vec<u32>,
    /// The n-grams of an item that may repeat, each with its first position in the last text that has it.
    earlier_positions: Table<K>,
    /// The candidates of a block in text order, and the partition of each.
    keys: Vec<K>,
    partition_of: Vec<u16>,
    /// Where the next n-gram of each partition is written.
    cursors: Vec<u32>,
    /// The candidates sorted by partition. They are written in random order, which must happen in a cache.
    sorted: Vec<K>,
}

impl<K: Key> Default for Scratch<K> {
    fn default() -> Self {
        Self {
            positions: Vec::new(),
            earlier_positions: Table::new(Seed::default()),
            keys: Vec::new(),
            partition_of: Vec::new(),
            cursors: Vec::new(),
            sorted: Vec::new(),
        }
    }
}

impl Block {
    /// Mark the candidates among the n-grams of `round`, and write them to `memory`, partition by partition.
    ///
    /// An item sends each of its n-grams once.
    pub fn partition<'m, K: Key>(
        &mut self,
        corpus: Corpus<'_>,
        round: Round,
        memory: &'m mut [K],
        scratch: &mut Scratch<K>,
        plan: &Plan,
    ) -> Result<PartitionedKeys<'m, K>> {
        let Self { items, flags, repeats } = self;
        repeats.clear();
        scratch.keys.clear();
        for mut item in corpus.block_items(items, flags) {
            item.inherit_flags(round);
            item.mark_repeats(round.order, repeats, scratch, plan)?;
            let Scratch { positions, keys, .. } = &mut *scratch;
            for text in item.texts() {
                text.for_each_candidate(round.order, positions, |_, key| keys.push(key));
            }
        }
        Ok(scratch.sort(round.partitioning, memory))
    }
}

impl BlockItem<'_, '_> {
    /// Derive the flags of each n-gram from those of its two parts, which are one token shorter.
    fn inherit_flags(&mut self, Round { order, prune, .. }: Round) {
        for span in self.spans() {
            let count = ngram_count(span.len(), order);
            let flags = &mut self.flags[span];
            for position in 0..count {
                let parts = flags[position].and(flags[position + 1]);
                let candidate = Flags::CANDIDATE.when(!prune || parts.has(Flags::SHARED));
                flags[position] = parts.and(Flags::REPEATED).or(candidate);
            }
            flags[count..].fill(Flags::default());
        }
    }

    /// Find the n-grams that occurred before in the item. They are not candidates.
    fn mark_repeats<K: Key>(
        &mut self,
        order: usize,
        repeats: &mut Vec<Repeat>,
        scratch: &mut Scratch<K>,
        plan: &Plan,
    ) -> Result<()> {
        let Scratch { positions, earlier_positions, .. } = scratch;
        earlier_positions.reset(self.flags.iter().map(|flags| usize::from(flags.has(Flags::REPEATED))).sum());
        for span in self.spans() {
            plan.check()?;
            let (ids, text_start) = (&self.ids()[span.clone()], self.start + span.start);
            let flags = &mut self.flags[span];
            positions_with(positions, flags, Flags::REPEATED);
            for index in positions.iter().map(|&index| index as usize) {
                let position = (text_start + index) as u32;
                let earlier = earlier_positions.entry(pack(&ids[index..index + order]), position);
                if *earlier != position {
                    flags[index] = flags[index].without(Flags::CANDIDATE);
                    repeats.push(Repeat { position, earlier: *earlier });
                    if (*earlier as usize) < text_start {
                        *earlier = position;
                    }
                }
            }
        }
        Ok(())
    }
}

impl<K: Key> Scratch<K> {
    /// Sort the candidates by partition, keeping the text order within each, and write them to `memory`.
    fn sort<'m>(&mut self, partitioning: Partitioning, memory: &'m mut [K]) -> PartitionedKeys<'m, K> {
        let Self { keys, partition_of, cursors, sorted, .. } = self;
        let mut sizes = vec![0; partitioning.len()];
        partition_of.clear();
        partition_of.extend(keys.iter().map(|&key| {
            let partition = partitioning.of(key);
            sizes[usize::from(partition)] += 1;
            partition
        }));
        exclusive_prefix_sum(cursors, &sizes);
        sorted.resize(keys.len().max(sorted.len()), K::default());
        for (&key, &partition) in keys.iter().zip(&*partition_of) {
            let cursor = &mut cursors[usize::from(partition)];
            sorted[*cursor as usize] = key;
            *cursor += 1;
        }
        PartitionedKeys::new(memory, &sorted[..keys.len()], sizes)
    }
}
