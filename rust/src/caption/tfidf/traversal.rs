//! The one order in which n-grams are visited.
//!
//! Pass 1 sends the candidates of a block to their partitions; pass 3 takes their document frequencies back, partition by
//! partition, in the order in which pass 1 sent them. No position travels with an n-gram, so both passes must visit the
//! same candidates in the same order. They do because both go through [`Corpus::block_items`], [`BlockItem::texts`] and
//! [`BlockText::for_each_candidate`], and `CANDIDATE` flags do not change between them.

use std::ops::Range;

use super::corpus::{Corpus, Flags};
use crate::caption::branchless::select_into;
use crate::parallel::take_front;
use crate::text::ngrams::{Key, pack};

/// One item of a block.
#[derive(Debug)]
pub(super) struct BlockItem<'b, 'c> {
    corpus: Corpus<'c>,
    texts: Range<usize>,
    /// Position of the item's first token in the block.
    pub start: usize,
    /// One for each token of the item.
    pub flags: &'b mut [Flags],
}

/// One text of an item.
#[derive(Debug)]
pub(super) struct BlockText<'b> {
    /// Position of the text's first token in the item.
    pub start: usize,
    pub ids: &'b [u32],
    flags: &'b [Flags],
}

impl<'c> Corpus<'c> {
    /// Iterate over the items of a block, each with its flags.
    pub(super) fn block_items<'b>(
        self,
        items: &Range<usize>,
        mut flags: &'b mut [Flags],
    ) -> impl Iterator<Item = BlockItem<'b, 'c>> + use<'b, 'c> {
        let mut start = 0;
        self.text_ranges[items.clone()].iter().map(move |texts| {
            let tokens = self.tokens.token_count(texts.clone());
            let flags = take_front(&mut flags, tokens);
            let item = BlockItem { corpus: self, texts: texts.clone(), start, flags };
            start += tokens;
            item
        })
    }
}

impl<'c> BlockItem<'_, 'c> {
    /// Return the token ids of all texts, one text after the other.
    pub fn ids(&self) -> &'c [u32] {
        self.corpus.tokens.of(&self.texts)
    }

    /// Iterate over the ranges of tokens of each text, from the start of the item.
    pub fn spans(&self) -> impl Iterator<Item = Range<usize>> + use<'c> {
        let (tokens, mut start) = (self.corpus.tokens, 0);
        self.texts.clone().map(move |text| {
            let span = start..start + tokens.get(text).len();
            start = span.end;
            span
        })
    }

    /// Iterate over the texts.
    pub fn texts(&self) -> impl Iterator<Item = BlockText<'_>> {
        let ids = self.ids();
        self.spans().map(move |span| BlockText { start: span.start, ids: &ids[span.clone()], flags: &self.flags[span] })
    }
}

impl BlockText<'_> {
    /// Call `visit` with the position in the text and the key of each candidate. `positions` is a buffer.
    #[inline]
    pub fn for_each_candidate<K: Key>(&self, order: usize, positions: &mut Vec<u32>, mut visit: impl FnMut(usize, K)) {
        positions_with(positions, self.flags, Flags::CANDIDATE);
        for position in positions.iter().map(|&position| position as usize) {
            visit(position, pack(&self.ids[position..position + order]));
        }
    }
}

/// Replace the content of `positions` with those that have a flag.
#[inline]
pub(super) fn positions_with(positions: &mut Vec<u32>, flags: &[Flags], flag: Flags) {
    select_into(positions, flags.iter().enumerate().map(|(position, flags)| (position as u32, flags.has(flag))));
}

/// Return the number of n-grams in a text of this many tokens.
#[inline]
pub(super) fn ngram_count(tokens: usize, order: usize) -> usize {
    (tokens + 1).saturating_sub(order)
}

/// Replace the content of `starts` with the exclusive prefix sum of `sizes`: where each partition starts.
pub(super) fn exclusive_prefix_sum(starts: &mut Vec<u32>, sizes: &[u32]) {
    starts.clear();
    starts.extend(sizes.iter().scan(0, |end, &size| Some(std::mem::replace(end, *end + size))));
}
