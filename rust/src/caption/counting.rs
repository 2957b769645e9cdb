//! Pass 2 of the weights: partition by partition, in how many items n-grams are and how often texts have them.

use super::frequency::{DocumentFrequency, Frequencies};
use super::listing::{Block, MAY_REPEAT, Occurrence, Routing};
use super::weights::Documents;
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::Table;
use crate::text::ngrams::{Key, Seed};

/// Put the number of items in the place of each n-gram; gives those that `least` items hold.
pub(super) fn count_columns<K: Key>(
    documents: Documents<'_>,
    blocks: &mut [Block<'_, K>],
    routing: Routing,
    least: u32,
    plan: &Plan,
) -> Result<Frequencies<K>> {
    let starts = ItemStarts::of(documents);
    let kept = with_columns(blocks, routing.bits, plan, |counter, column| counter.count(column, &starts, least))?;
    Ok(Frequencies::new(routing.seed, &kept))
}

/// The same from given frequencies.
pub(super) fn look_up_columns<K: Key>(
    blocks: &mut [Block<'_, K>],
    order: usize,
    routing: Routing,
    frequency: &DocumentFrequency,
    plan: &Plan,
) -> Result<()> {
    with_columns::<K, ()>(blocks, routing.bits, plan, |counter, column| {
        for block in column {
            counter.find_repeated(block);
            frequency.look_up(block, order);
        }
        Vec::new()
    })?;
    Ok(())
}

/// The n-grams of one partition, by block.
type Column<'b, K> = Vec<&'b mut [Occurrence<K>]>;

/// Columns that are made at a time: with many blocks, their slices would need much memory.
const COLUMNS: usize = 256;

/// Run `work` on each partition, with the n-grams of all blocks; the results come in the order of the hash.
fn with_columns<K: Key, T: Send>(
    blocks: &mut [Block<'_, K>],
    bits: u32,
    plan: &Plan,
    work: impl Fn(&mut Counter<K>, &mut Column<'_, K>) -> Vec<T> + Sync,
) -> Result<Vec<T>> {
    let mut results = Vec::new();
    let mut rest: Vec<_> = blocks.iter_mut().map(Block::listed).collect();
    for first in (0..1 << bits).step_by(COLUMNS) {
        let partitions = first..(first + COLUMNS).min(1 << bits);
        let mut columns: Vec<(Column<'_, K>, Vec<T>)> = partitions
            .map(|partition| {
                let own = rest
                    .iter_mut()
                    .map(|(listed, lengths)| listed.split_off_mut(..lengths[partition] as usize).unwrap_or_default());
                (own.collect(), Vec::new())
            })
            .collect();
        plan.each(&mut columns, Counter::new, |counter, _, (column, result)| {
            *result = work(counter, column);
            plan.check()
        })?;
        results.extend(columns.into_iter().flat_map(|(_, result)| result));
    }
    Ok(results)
}

/// The texts that are the first of their item.
///
/// A bit for each text, because every partition reads them from the first to the last: an array of numbers, of
/// millions of texts, would come from memory each time.
#[derive(Debug)]
struct ItemStarts(Vec<u64>);

impl ItemStarts {
    fn of(documents: Documents<'_>) -> Self {
        let mut words = vec![0; documents.tokens.len() / 64 + 1];
        for texts in documents.items {
            words[texts.start / 64] |= 1 << (texts.start % 64);
        }
        Self(words)
    }

    /// Whether `text` belongs to another item than `before`, a text that comes before it.
    #[inline]
    fn is_between(&self, before: u32, text: u32) -> bool {
        let (from, to) = (before as usize + 1, text as usize);
        let (first, last) = (from / 64, to / 64);
        let (after, upto) = (u64::MAX << (from % 64), u64::MAX >> (63 - to % 64));
        if first == last {
            return self.0[last] & after & upto != 0;
        }
        // With few texts in an item, the first test tells.
        self.0[last] & upto != 0 || self.0[first + 1..last].iter().any(|&word| word != 0) || self.0[first] & after != 0
    }
}

/// Counts n-grams; one for each thread, used for one partition after the other.
#[derive(Debug)]
struct Counter<K> {
    /// Numbers the n-grams of a partition.
    table: Table<K>,
    ngrams: Vec<Ngram>,
}

/// What is known of an n-gram, by number.
#[derive(Debug, Clone, Copy)]
struct Ngram {
    /// In how many items it is.
    count: u32,
    /// The last text that has it, and where among the occurrences of the block it stands first.
    text: u32,
    first: u32,
}

impl<K: Key> Counter<K> {
    fn new() -> Self {
        Self { table: Table::new(Seed::default()), ngrams: Vec::new() }
    }

    /// Put the number of items in the place of each n-gram, and give those that `least` items hold.
    fn count(&mut self, column: &mut Column<'_, K>, starts: &ItemStarts, least: u32) -> Vec<(K, u32)> {
        self.ngrams.clear();
        self.table.reset(column.iter().map(|block| block.len()).sum::<usize>() / 4);
        for block in &mut *column {
            for place in 0..block.len() {
                self.add(block, place, |before, text| starts.is_between(before, text));
            }
        }
        for [number, _] in column.iter_mut().flat_map(|block| block.iter_mut()) {
            *number = K::from_number(self.ngrams[number.number() as usize].count);
        }
        let found = self.table.iter().map(|(key, number)| (key, self.ngrams[number as usize].count));
        found.filter(|&(_, count)| count >= least).collect()
    }

    /// Number the n-gram at a place of a block. `is_other` knows whether a text is of another item than one before it.
    #[inline]
    fn add(&mut self, block: &mut [Occurrence<K>], place: usize, is_other: impl Fn(u32, u32) -> bool) {
        let [key, pair] = block[place];
        let [text, position] = pair.pair();
        let next = self.ngrams.len() as u32;
        let number = self.table.get_or_insert(key, next);
        block[place] = [K::from_number(number), K::from_pair([1, position])];
        if number == next {
            self.ngrams.push(Ngram { count: 1, text, first: place as u32 });
            return;
        }
        let ngram = &mut self.ngrams[number as usize];
        if ngram.text == text {
            block[place][1] = K::from_pair([0, position]);
            let [_, first] = &mut block[ngram.first as usize];
            let [times, position] = first.pair();
            *first = K::from_pair([times + 1, position]);
            return;
        }
        ngram.count += u32::from(is_other(ngram.text, text));
        (ngram.text, ngram.first) = (text, place as u32);
    }

    /// How often texts have their n-grams, which stay in their place.
    fn find_repeated(&mut self, block: &mut [Occurrence<K>]) {
        self.ngrams.clear();
        self.table.reset(0);
        for place in 0..block.len() {
            let [key, pair] = block[place];
            let [_, position] = pair.pair();
            if position & MAY_REPEAT == 0 {
                block[place][1] = K::from_pair([1, position]);
            } else {
                // Nobody asks for the number of items.
                self.add(block, place, |_, _| false);
                block[place][0] = key;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Tokenizer;
    use crate::text::tokens::{Uncut, tokenise};

    #[test]
    fn items_start_where_they_do() {
        // Items of very different size, the borders of words among them.
        let sizes = [1, 62, 1, 1, 64, 63, 1, 3, 200, 5, 1, 1, 1, 129];
        let mut end = 0;
        let items: Vec<_> = sizes
            .iter()
            .map(|size| {
                end += size;
                end - size..end
            })
            .collect();
        let texts = vec!["红"; sizes.iter().sum()];
        let uncut = Uncut { tokenizer: &Tokenizer::Char, texts: &texts };
        let (tokens, _) = tokenise(&uncut, None, &Plan::new(Some(1))).expect("not cancelled");
        let starts = ItemStarts::of(Documents { tokens: &tokens, items: &items });
        let item_of = |text: usize| items.iter().position(|texts| texts.contains(&text));
        for text in 0..texts.len() {
            for before in 0..text {
                let expected = item_of(before) != item_of(text);
                assert_eq!(starts.is_between(before as u32, text as u32), expected, "{before} {text}");
            }
        }
    }
}
