//! Single tokens: they need no hash table, because an array by token id counts them.

use super::corpus::{Block, Corpus, Flags};
use super::idf::Idf;
use super::read_back::{Occurrence, Output, Writer};
use crate::error::Result;
use crate::parallel::Plan;

/// Return in how many items each token occurs, by token id up to `max_id`.
pub(super) fn count_tokens(corpus: Corpus<'_>, blocks: &[Block], max_id: u32, plan: &Plan) -> Result<Vec<u32>> {
    let by_block = plan.map(blocks.len(), 1, Vec::new, |last_seen, range| {
        let mut counts = Vec::new();
        for block in &blocks[range] {
            count_block(corpus, block, last_seen, &mut counts, plan)?;
        }
        Ok(counts)
    })?;
    let mut doc_freqs = vec![0; max_id as usize + 1];
    for (token, items) in by_block.into_iter().flatten() {
        doc_freqs[token as usize] += items;
    }
    Ok(doc_freqs)
}

/// The items of a block that contain a token.
#[derive(Debug, Clone, Copy, Default)]
struct LastSeen {
    /// The last of them, counted from 1.
    item: u32,
    /// Number of items.
    items: u32,
}

/// Append each token of a block with the number of items that contain it. `last_seen` is all zeros on entry and exit.
fn count_block(
    corpus: Corpus<'_>,
    block: &Block,
    last_seen: &mut Vec<LastSeen>,
    counts: &mut Vec<(u32, u32)>,
    plan: &Plan,
) -> Result<()> {
    for (index, texts) in (1..).zip(&corpus.text_ranges[block.items.clone()]) {
        plan.check()?;
        for &token in corpus.tokens.of(texts) {
            let seen = entry_growing(last_seen, token);
            seen.items += u32::from(seen.item != index);
            seen.item = index;
        }
    }
    for &token in corpus.tokens.of(&corpus.texts_of(&block.items)) {
        let seen = std::mem::take(&mut last_seen[token as usize]);
        if seen.items > 0 {
            counts.push((token, seen.items));
        }
    }
    Ok(())
}

/// Occurrences of a token.
#[derive(Debug, Clone, Copy, Default)]
struct TokenCounts {
    in_text: u32,
    in_item: u32,
}

/// Buffers of [`read_back`], one for each thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// By token id; zeros between items.
    counts: Vec<TokenCounts>,
    /// One for each token of a text.
    occurrences: Vec<Occurrence>,
}

/// Write the norm of each text and, where `output` has room, the document frequency of each token. Set the flags that
/// order 2 starts from.
pub(super) fn read_back(
    block: &mut Block,
    corpus: Corpus<'_>,
    idf: &Idf,
    doc_freq_of: impl Fn(u32) -> u32,
    Scratch { counts, occurrences }: &mut Scratch,
    output: &mut Output<'_>,
) {
    let mut writer = Writer { order: 1, idf, output };
    for item in corpus.block_items(&block.items, &mut block.flags) {
        item.ids().iter().for_each(|&token| entry_growing(counts, token).in_item += 1);
        for span in item.spans() {
            let ids = &item.ids()[span.clone()];
            ids.iter().for_each(|&token| counts[token as usize].in_text += 1);
            occurrences.clear();
            for (&token, flags) in ids.iter().zip(&mut item.flags[span]) {
                let TokenCounts { in_text, in_item } = &mut counts[token as usize];
                let doc_freq = doc_freq_of(token);
                *flags = Flags::REPEATED.when(*in_item > 1).or(Flags::SHARED.when(doc_freq > 1));
                occurrences.push(Occurrence { doc_freq, count: std::mem::take(in_text) });
            }
            writer.write(occurrences, ids.len());
        }
        item.ids().iter().for_each(|&token| counts[token as usize].in_item = 0);
    }
}

/// Return the entry of a token, after growing the array to hold it.
#[inline]
fn entry_growing<T: Copy + Default>(by_token: &mut Vec<T>, token: u32) -> &mut T {
    if token as usize >= by_token.len() {
        by_token.resize(token as usize + 1, T::default());
    }
    &mut by_token[token as usize]
}
