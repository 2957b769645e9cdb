//! Pass 3: read the document frequencies of a block's n-grams back in text order.

use super::corpus::{Block, Corpus, Flags, Repeat};
use super::idf::Idf;
use super::partition::Round;
use super::traversal::{exclusive_prefix_sum, ngram_count};
use super::{DocFreqs, Norms};
use crate::caption::in_place::PartitionedDocFreqs;
use crate::text::ngrams::Key;

/// Where the results of a block are written.
#[derive(Debug)]
pub(super) struct Output<'o> {
    /// One for each text.
    pub norms: &'o mut [Norms],
    /// One for each token, or empty if document frequencies are not wanted.
    pub doc_freqs: &'o mut [DocFreqs],
}

/// The n-gram at one position of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occurrence {
    /// Number of items that contain the n-gram; 1 if it was not counted (see [`Idf::of`]).
    pub doc_freq: u32,
    /// How often the n-gram occurs in the text; zero from its second occurrence on, so that it is summed once.
    pub count: u32,
}

/// Buffers of pass 3, one for each thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Positions in a text.
    positions: Vec<u32>,
    /// The document frequencies of the block, partition by partition. They are read in random order, which must happen in
    /// a cache.
    doc_freqs: Vec<u32>,
    /// Where the next document frequency of each partition is read.
    cursors: Vec<u32>,
    /// One for each token of an item.
    occurrences: Vec<Occurrence>,
}

impl Block {
    /// Write the norm of each text and, where `output` has room, the document frequency at each token. Set the flags that
    /// the next order starts from.
    pub fn read_back<K: Key>(
        &mut self,
        corpus: Corpus<'_>,
        Round { order, partitioning, .. }: Round,
        idf: &Idf,
        doc_freqs: &PartitionedDocFreqs<'_, K>,
        scratch: &mut Scratch,
        output: &mut Output<'_>,
    ) {
        let Scratch { positions, doc_freqs: values, cursors, occurrences } = scratch;
        exclusive_prefix_sum(cursors, doc_freqs.sizes());
        doc_freqs.copy_to(values);
        let mut writer = Writer { order, idf, output };
        let Self { items, flags, repeats } = self;
        let mut repeats = repeats.as_slice();
        for item in corpus.block_items(items, flags) {
            occurrences.clear();
            let item_repeats = Repeat::take_before(&mut repeats, item.start + item.flags.len());
            let mut rest = item_repeats;
            for text in item.texts() {
                let start = text.start;
                occurrences.resize(start + ngram_count(text.ids.len(), order), Occurrence { doc_freq: 1, count: 1 });
                text.for_each_candidate(order, positions, |position, key: K| {
                    let cursor = &mut cursors[usize::from(partitioning.of(key))];
                    occurrences[start + position].doc_freq = values[*cursor as usize];
                    *cursor += 1;
                });
                for repeat in Repeat::take_before(&mut rest, item.start + occurrences.len()) {
                    repeat.resolve(occurrences, item.start, start);
                }
                writer.write(&occurrences[start..], text.ids.len());
                // Pad, so that indices remain token positions.
                occurrences.resize(start + text.ids.len(), Occurrence { doc_freq: 1, count: 0 });
            }
            update_flags(item.flags, occurrences, item_repeats, item.start);
        }
    }
}

impl Repeat {
    /// Copy the document frequency from the earlier occurrence. If that is in the same text, count the repeat there.
    ///
    /// The occurrences are those of an item that starts at `item_start` in the block; the text starts at `text_start` in
    /// the item.
    fn resolve(self, occurrences: &mut [Occurrence], item_start: usize, text_start: usize) {
        let (position, earlier) = (self.position as usize - item_start, self.earlier as usize - item_start);
        let is_same_text = earlier >= text_start;
        occurrences[earlier].count += u32::from(is_same_text);
        let doc_freq = occurrences[earlier].doc_freq;
        occurrences[position] = Occurrence { doc_freq, count: u32::from(!is_same_text) };
    }
}

/// Set the flags of an item's n-grams, now that they are known.
fn update_flags(flags: &mut [Flags], occurrences: &[Occurrence], repeats: &[Repeat], item_start: usize) {
    for (flags, occurrence) in flags.iter_mut().zip(occurrences) {
        *flags = Flags::SHARED.when(occurrence.doc_freq > 1);
    }
    for position in repeats.iter().flat_map(|repeat| [repeat.position, repeat.earlier]) {
        let flags = &mut flags[position as usize - item_start];
        *flags = flags.or(Flags::REPEATED);
    }
}

/// Writes the results of one order, text by text.
#[derive(Debug)]
pub(super) struct Writer<'w, 'o> {
    pub order: usize,
    pub idf: &'w Idf,
    pub output: &'w mut Output<'o>,
}

impl Writer<'_, '_> {
    /// Write the results of a text of `tokens` tokens.
    ///
    /// The norm sums over different n-grams in the order of their first occurrence, as the dictionaries of the reference
    /// implementation do; so it has the same bits. Later occurrences add exactly zero.
    pub fn write(&mut self, occurrences: &[Occurrence], tokens: usize) {
        let squares = occurrences.iter().map(|occurrence| {
            let weight = f64::from(occurrence.count) * self.idf.of(occurrence.doc_freq);
            weight * weight
        });
        if let Some(norms) = self.output.norms.split_off_first_mut() {
            norms[self.order - 1] = squares.fold(0.0, std::ops::Add::add).sqrt();
        }
        // Empty if document frequencies are not wanted.
        let doc_freqs = self.output.doc_freqs.split_off_mut(..tokens).unwrap_or_default();
        for (doc_freqs, occurrence) in doc_freqs.iter_mut().zip(occurrences) {
            doc_freqs[self.order - 1] = occurrence.doc_freq;
        }
    }
}
