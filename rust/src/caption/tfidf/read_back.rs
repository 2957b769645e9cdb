//! Pass 3 of the weights: what the counts of a block's n-grams say about its texts, and about the next order.

use super::idf::Idf;
use super::partition::{Block, Flags, Repeat, Routing, Scratch, at, collect, positions, start};
use super::{Counts, Documents, Norms};
use crate::text::ngrams::{Key, pack};

/// Where the results of a block are written.
#[derive(Debug)]
pub(super) struct Output<'a> {
    /// One row for each text.
    pub norms: &'a mut [Norms],
    /// One row for each token, or none at all if counts are not wanted.
    pub counts: &'a mut [Counts],
}

impl<K: Key> Block<'_, K> {
    /// Read the counts of single tokens: write the norm of each text and, where `counts` has room, the count of each
    /// token; and note what is known now for the next order.
    pub fn read_tokens(
        &mut self,
        documents: Documents<'_>,
        idf: &Idf,
        of_token: impl Fn(u32) -> u32,
        scratch: &mut Scratch<K>,
        output: &mut Output<'_>,
    ) {
        let Scratch { times, counted, .. } = scratch;
        let mut writer = Writer { order: 1, idf, output };
        let mut flags = self.flags.as_mut_slice();
        for item in &documents.items[self.items.clone()] {
            documents.tokens.of(item).iter().for_each(|&token| at(times, token)[1] += 1);
            for text in item.clone() {
                let ids = documents.tokens.get(text);
                ids.iter().for_each(|&token| times[token as usize][0] += 1);
                counted.clear();
                let own = flags.split_off_mut(..ids.len()).unwrap_or_default();
                for (&token, flags) in ids.iter().zip(own) {
                    let [in_text, in_item] = &mut times[token as usize];
                    let count = of_token(token);
                    flags.set(Flags::REPEATED, *in_item > 1);
                    flags.set(Flags::SHARED, count > 1);
                    counted.push([count, std::mem::take(in_text)]);
                }
                writer.write(counted, ids.len());
            }
            documents.tokens.of(item).iter().for_each(|&token| times[token as usize][1] = 0);
        }
    }

    /// The same for longer n-grams, which have been counted where they are listed.
    pub fn read(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        (idf, routing): (&Idf, Routing),
        scratch: &mut Scratch<K>,
        output: &mut Output<'_>,
    ) {
        let Scratch { ends, counted, numbers, places, .. } = scratch;
        start(ends, &self.lengths);
        numbers.clear();
        numbers.extend(self.listed().0.iter().map(|number| number.number()));
        let mut writer = Writer { order, idf, output };
        let (mut flags, mut repeats) = (self.flags.as_mut_slice(), self.repeats.as_slice());
        let mut first = 0;
        for item in &documents.items[self.items.clone()] {
            counted.clear();
            let flags = flags.split_off_mut(..documents.tokens.count(item.clone())).unwrap_or_default();
            let own = Repeat::before(&mut repeats, first + flags.len());
            let mut ahead = own;
            for text in item.clone() {
                let ids = documents.tokens.get(text);
                let start = counted.len();
                counted.resize(start + positions(ids.len(), order), [1; 2]);
                collect(places, &flags[start..counted.len()], Flags::LISTED);
                // The n-grams of each partition come in the order in which they were listed.
                for &place in &*places {
                    let key: K = pack(&ids[place as usize..place as usize + order]);
                    let next = &mut ends[usize::from(routing.partition(key))];
                    counted[start + place as usize][0] = numbers[*next as usize];
                    *next += 1;
                }
                for &repeat in Repeat::before(&mut ahead, first + counted.len()) {
                    count(repeat, counted, first, start);
                }
                writer.write(&counted[start..], ids.len());
                counted.resize(start + ids.len(), [1, 0]);
            }
            for (flags, &[count, _]) in flags.iter_mut().zip(&*counted) {
                *flags = Flags::default();
                flags.set(Flags::SHARED, count > 1);
            }
            for place in own.iter().flat_map(|&Repeat { place, of }| [place, of]) {
                flags[place as usize - first].set(Flags::REPEATED, true);
            }
            first += flags.len();
        }
    }
}

/// Give a repeated n-gram the number of documents that it has where it came before, and count it there if that is in
/// the same text. `counted` is of the item, which is at `first` in the block, and the text at `start` in it.
fn count(repeat: Repeat, counted: &mut [[u32; 2]], first: usize, start: usize) {
    let (place, of) = (repeat.place as usize - first, repeat.of as usize - first);
    let is_same_text = of >= start;
    counted[of][1] += u32::from(is_same_text);
    counted[place] = [counted[of][0], u32::from(!is_same_text)];
}

/// Writes the results of one order, text by text.
#[derive(Debug)]
struct Writer<'w, 'o> {
    order: usize,
    idf: &'w Idf,
    output: &'w mut Output<'o>,
}

impl Writer<'_, '_> {
    /// Write what follows from the counts of a text's n-grams. Sums run over distinct n-grams in the order of their
    /// first occurrence: later ones count zero times.
    fn write(&mut self, counted: &[[u32; 2]], tokens: usize) {
        let squares = counted.iter().map(|&[count, times]| {
            let weight = f64::from(times) * self.idf.of(count);
            weight * weight
        });
        if let Some(norms) = self.output.norms.split_off_first_mut() {
            norms[self.order - 1] = squares.fold(0.0, std::ops::Add::add).sqrt();
        }
        let rows = self.output.counts.split_off_mut(..tokens).unwrap_or_default();
        rows.iter_mut().zip(counted).for_each(|(row, &[count, _])| row[self.order - 1] = count);
    }
}
