//! What the modules know of each different word.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rust_stemmers::{Algorithm, Stemmer};

use super::Meteor;
use super::normalize::is_alnum;
use super::paraphrases::{NO_WORD, Section};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::vocab::Vocab;

/// Number of hashes of sets of synonyms.
pub(super) const HASHES: usize = 4;

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
    /// A bit for each of its sets of synonyms, by several hashes.
    pub synonym_bits: [u64; HASHES],
    synonyms: Range<u32>,
    /// Phrases that begin with the word; `None` if there are none or they have not been read.
    pub section: Option<Arc<Section>>,
    /// Whether something may match this word that is not equal to it.
    needs_data: bool,
}

impl Word {
    pub fn has_synonyms(&self) -> bool {
        self.synonym_bits[0] != 0
    }
}

/// All words with ids from one number on.
#[derive(Debug, Default)]
pub(super) struct Words {
    first_id: u32,
    list: Vec<Word>,
    synonyms: Vec<u32>,
    hashes: Hashes,
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
            let mut part = Self::default();
            for offset in block {
                let token = vocab.token(first_id + offset as u32).unwrap_or_default();
                part.push(meteor, &token, stemmer);
            }
            Ok(part)
        })?;
        let base = base.map(|base| &base.hashes);
        let mut all = Self { first_id, ..Self::default() };
        all.hashes.below = base.map_or(0, Hashes::end);
        for block in blocks {
            let start = all.synonyms.len() as u32;
            all.synonyms.extend(block.synonyms);
            all.list.extend(block.list.into_iter().map(|mut word| {
                word.synonyms = word.synonyms.start + start..word.synonyms.end + start;
                word.key = all.hashes.index(word.key, base);
                word.stem = all.hashes.index(word.stem, base);
                word
            }));
        }
        Ok(all)
    }

    fn push(&mut self, meteor: &Meteor, token: &str, stemmer: &Stemmer) {
        let start = self.synonyms.len();
        meteor.synonyms.extend(token, &mut self.synonyms);
        let sets = &self.synonyms[start..];
        self.list.push(Word {
            // The hashes get their indices when all blocks are known.
            key: hash(token),
            stem: hash(&stemmer.stem(token)),
            is_function: meteor.function_words.contains(token),
            table_id: meteor.phrase_words.find(token).map_or(NO_WORD, |id| id as u32),
            synonym_bits: std::array::from_fn(|index| bits(sets, index as u32)),
            synonyms: start as u32..self.synonyms.len() as u32,
            section: None,
            needs_data: token.chars().any(|c| is_alnum(u32::from(c))),
        });
    }

    /// Return the ids of words with phrases that have not been read.
    pub fn unread<'a>(&'a self, meteor: &'a Meteor) -> impl Iterator<Item = u32> {
        let unread = self.list.iter().filter(|word| word.section.is_none() && meteor.has_section(word.table_id));
        unread.map(|word| word.table_id)
    }

    /// Take the phrases of each word that have been read.
    pub fn attach(&mut self, meteor: &Meteor) {
        for word in &mut self.list {
            word.section = meteor.section(word.table_id);
        }
    }

    pub fn get(&self, id: u32) -> &Word {
        &self.list[(id - self.first_id) as usize]
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

    /// Return the sets of synonyms of a word with this id.
    pub fn synonyms(&self, id: u32) -> &'a [u32] {
        let layer = self.layer(id);
        let range = &layer.get(id).synonyms;
        &layer.synonyms[range.start as usize..range.end as usize]
    }
}

/// Return a bit for each number, by one of several hashes.
fn bits(sets: &[u32], hash: u32) -> u64 {
    let multiplier = 0x9e37_79b1_u32.rotate_left(8 * hash) | 1;
    sets.iter().fold(0, |bits, set| bits | 1 << (set.wrapping_mul(multiplier) >> 26))
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
