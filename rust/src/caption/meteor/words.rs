//! What the modules know of each different word.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rust_stemmers::{Algorithm, Stemmer};

use super::Meteor;
use super::neighbors::{Members, Neighbors};
use super::normalize::is_alnum;
use super::paraphrases::{NO_WORD, Section, Signature};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::vocab::Vocab;

/// Number of words in a block of work.
const BLOCK: usize = 1 << 10;

/// A different word of some texts.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// Index of its hash, by which the original compares words.
    pub key: u32,
    /// Index of the hash of its stem.
    pub stem: u32,
    pub is_function: bool,
    /// Id in the table of paraphrases, or [`NO_WORD`].
    pub table_id: u32,
    /// Phrases that begin with the word, and the signature of its paraphrases; `None` if there are none or they have not been
    /// read.
    pub section: Option<(Arc<Section>, Signature)>,
    /// Whether something may match this word that is not equal to it.
    needs_data: bool,
}

/// All words with ids from one number on.
#[derive(Debug, Default)]
pub(super) struct Words {
    first_id: u32,
    list: Vec<Word>,
    hashes: Hashes,
    /// The words of each set of synonyms, if these are the words of references.
    members: Members,
    /// Words of the references with a common set.
    neighbors: Neighbors,
}

/// Words of a block of work, and their sets of synonyms.
#[derive(Debug, Default)]
struct Part {
    list: Vec<Word>,
    sets: Vec<u32>,
    ranges: Vec<Range<u32>>,
}

impl Part {
    fn push(&mut self, meteor: &Meteor, token: &str, stemmer: &Stemmer) {
        self.list.push(Word {
            // The hashes get their indices when all blocks are known.
            key: hash(token),
            stem: hash(&stemmer.stem(token)),
            is_function: meteor.function_words.contains(token),
            table_id: meteor.phrase_words.find(token).map_or(NO_WORD, |id| id as u32),
            section: None,
            needs_data: token.chars().any(|c| is_alnum(u32::from(c))),
        });
        let start = self.sets.len() as u32;
        meteor.synonyms.extend(token, &mut self.sets);
        self.ranges.push(start..self.sets.len() as u32);
    }
}

/// The different hashes of words and of stems, each with an index. They follow those of a base.
#[derive(Debug, Default)]
struct Hashes {
    below: u32,
    indices: HashMap<u32, u32, RandomState>,
}

impl Hashes {
    fn end(&self) -> u32 {
        self.below + self.indices.len() as u32
    }

    /// Return the index of a hash, which is the next one if neither these nor the base have it.
    fn index(&mut self, hash: u32, base: Option<&Self>) -> u32 {
        if let Some(&index) = base.and_then(|base| base.indices.get(&hash)) {
            return index;
        }
        let next = self.end();
        *self.indices.entry(hash).or_insert(next)
    }
}

impl Words {
    /// Look up the words of a vocabulary that its base does not have; `base` has the words of that.
    pub fn new(meteor: &Meteor, vocab: &Vocab, base: Option<&Self>, plan: &Plan) -> Result<Self> {
        let first_id = base.map_or(0, Self::max_id) + 1;
        let count = (vocab.max_id() + 1 - first_id) as usize;
        let stemmer = || Stemmer::create(Algorithm::English);
        let blocks = plan.map(count, BLOCK, stemmer, |stemmer, block| {
            let mut part = Part::default();
            for offset in block {
                let token = vocab.token(first_id + offset as u32).unwrap_or_default();
                part.push(meteor, &token, stemmer);
            }
            Ok(part)
        })?;
        let mut all = Self { first_id, ..Self::default() };
        all.hashes.below = base.map_or(0, |base| base.hashes.end());
        let (mut sets, mut ranges) = (Vec::new(), Vec::new());
        for block in blocks {
            let start = sets.len() as u32;
            sets.extend(block.sets);
            ranges.extend(block.ranges.iter().map(|range| range.start + start..range.end + start));
            let base = base.map(|base| &base.hashes);
            all.list.extend(block.list.into_iter().map(|mut word| {
                word.key = all.hashes.index(word.key, base);
                word.stem = all.hashes.index(word.stem, base);
                word
            }));
        }
        if base.is_none() {
            all.members = Members::new(&sets, &ranges);
        }
        let references = base.unwrap_or(&all);
        let are_different = |word: usize, other: u32| all.list[word].key != references.list[other as usize].key;
        let neighbors = Neighbors::new(&references.members, &sets, &ranges, are_different, plan)?;
        Ok(Self { neighbors, ..all })
    }

    /// Return the ids of words with phrases that have not been read.
    pub fn unread<'a>(&'a self, meteor: &'a Meteor) -> impl Iterator<Item = u32> {
        let unread = self.list.iter().filter(|word| word.section.is_none() && meteor.has_section(word.table_id));
        unread.map(|word| word.table_id)
    }

    /// Take the phrases of each word that have been read.
    pub fn attach(&mut self, meteor: &Meteor) {
        for word in &mut self.list {
            word.section = meteor.section(word.table_id).map(|section| (section.clone(), section.single()));
        }
    }

    pub fn get(&self, id: u32) -> &Word {
        &self.list[self.index(id)]
    }

    fn index(&self, id: u32) -> usize {
        (id - self.first_id) as usize
    }

    /// Whether a word is one of these, and something may match it that is not equal to it.
    pub fn needs_data(&self, id: u32) -> bool {
        id >= self.first_id && self.get(id).needs_data
    }

    pub fn max_id(&self) -> u32 {
        self.first_id + self.list.len() as u32 - 1
    }
}

/// The words of the references, and those that the predictions have besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub references: &'a Words,
    pub predictions: &'a Words,
}

impl<'a> Lookup<'a> {
    pub fn get(&self, id: u32) -> &'a Word {
        self.layer(id).get(id)
    }

    /// Number of different hashes.
    pub fn key_count(&self) -> usize {
        self.predictions.hashes.end() as usize
    }

    fn layer(&self, id: u32) -> &'a Words {
        if id < self.predictions.first_id { self.references } else { self.predictions }
    }

    /// Return the words of the references that are synonyms of a word, as indices among them.
    pub fn synonyms(&self, id: u32) -> &'a [u32] {
        let layer = self.layer(id);
        layer.neighbors.of(layer.index(id))
    }

    /// Return the index of a word of the references.
    pub fn reference_index(&self, id: u32) -> usize {
        self.references.index(id)
    }

    /// Number of words of the references.
    pub fn reference_count(&self) -> usize {
        self.references.list.len()
    }
}

/// Return the hash of a string of Java.
fn hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java() {
        assert_eq!([hash(""), hash("Aa"), hash("BB"), hash("红色")], [0, 2112, 2112, 1_038_352]);
        // Two units of UTF-16.
        assert_eq!(hash("👗"), 0xd83d * 31 + 0xdc57);
    }
}
