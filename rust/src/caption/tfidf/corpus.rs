//! Texts grouped by item, and blocks of items that threads work on.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::text::tokens::Tokens;

/// Number of blocks per thread where their size is within bounds: a delayed thread does not delay the others.
const BLOCKS_PER_THREAD: usize = 4;

/// Bounds of the number of tokens in a block, without its last item: their flags and counts stay in a cache.
const MIN_BLOCK: usize = 1 << 13;
const MAX_BLOCK: usize = 1 << 16;

/// Maximum number of tokens in an item, so that positions in a block fit 32 bits.
const MAX_ITEM: usize = 1 << 30;

/// Texts grouped by item: `text_ranges[i]` is the range of texts in `tokens` that belong to item `i`.
#[derive(Debug, Clone, Copy)]
pub(in crate::caption) struct Corpus<'c> {
    pub tokens: &'c Tokens,
    /// Adjacent ranges from the first text to the last, or no item at all.
    pub text_ranges: &'c [Range<usize>],
}

/// Consecutive items that one thread takes through the passes, and what is known about the n-grams of one order that
/// start at each of their tokens.
#[derive(Debug)]
pub(super) struct Block {
    /// Indices of the items.
    pub items: Range<usize>,
    /// One for each token.
    pub flags: Vec<Flags>,
    /// The n-grams that occurred before in their item, in the order of their positions.
    pub repeats: Vec<Repeat>,
}

/// What is known about the n-gram that starts at a token.
///
/// Let n be the order that is being counted. The meaning depends on the pass:
///
/// | flag | before pass 1 | after pass 1 | after pass 3 |
/// | --- | --- | --- | --- |
/// | `REPEATED` | the (n-1)-gram occurs more than once in its item | both parts of the n-gram do | the n-gram does |
/// | `SHARED` | the (n-1)-gram occurs in more than one item of the references | unset | the n-gram does |
/// | `CANDIDATE` | unset | the n-gram was sent to its partition | unset |
///
/// What holds after pass 3 for order n is what pass 1 expects for order n + 1. For a prediction,
/// `REPEATED` is about the prediction and `SHARED` about the references.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    pub const REPEATED: Self = Self(1);
    pub const SHARED: Self = Self(2);
    pub const CANDIDATE: Self = Self(4);

    #[inline]
    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// Return `self` if `condition` holds, else no flag.
    #[inline]
    pub fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::default() }
    }

    #[inline]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[inline]
    pub fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }
}

/// An n-gram that occurred before in its item, by positions in the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat {
    pub position: u32,
    /// The first occurrence in the same text, or, where this is the first one of its text, an occurrence in an earlier
    /// text of the item.
    pub earlier: u32,
}

impl Repeat {
    /// Take the repeats at positions below `end` off the front of a list.
    pub fn take_before<'r>(repeats: &mut &'r [Self], end: usize) -> &'r [Self] {
        let count = repeats.iter().take_while(|repeat| (repeat.position as usize) < end).count();
        repeats.split_off(..count).unwrap_or_default()
    }
}

impl<'c> Corpus<'c> {
    pub fn new(tokens: &'c Tokens, text_ranges: &'c [Range<usize>]) -> Self {
        Self { tokens, text_ranges }
    }

    /// Return the range of texts of consecutive items.
    pub fn texts_of(&self, items: &Range<usize>) -> Range<usize> {
        let ranges = &self.text_ranges[items.clone()];
        ranges.first().map_or(0, |range| range.start)..ranges.last().map_or(0, |range| range.end)
    }

    /// Number of items.
    pub fn item_count(&self) -> usize {
        self.text_ranges.len()
    }

    /// Number of texts.
    pub fn text_count(&self) -> usize {
        self.texts_of(&(0..self.item_count())).len()
    }

    /// Number of tokens in all texts.
    pub fn token_count(&self) -> usize {
        self.tokens.token_count(self.texts_of(&(0..self.item_count())))
    }

    /// Cut the corpus between items, into blocks of about the same number of tokens.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an item with too many tokens or texts.
    pub(super) fn blocks(&self, threads: usize) -> Result<Vec<Block>> {
        let size = self.token_count().div_ceil(BLOCKS_PER_THREAD * threads).clamp(MIN_BLOCK, MAX_BLOCK);
        let (mut blocks, mut start, mut tokens) = (Vec::new(), 0, 0);
        for (item, texts) in self.text_ranges.iter().enumerate() {
            let count = self.tokens.token_count(texts.clone());
            if count > MAX_ITEM || texts.end > u32::MAX as usize {
                let problem = format!("item {item} has {count} tokens in {} texts, which is too many", texts.len());
                return Err(Error::Invalid { parameter: "texts", problem });
            }
            tokens += count;
            if tokens >= size || item + 1 == self.item_count() {
                let flags = vec![Flags::default(); tokens];
                blocks.push(Block { items: start..item + 1, flags, repeats: Vec::new() });
                (start, tokens) = (item + 1, 0);
            }
        }
        Ok(blocks)
    }
}
