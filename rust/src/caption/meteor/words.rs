//! What the modules know of each different word.

use std::ops::Range;
use std::sync::Arc;

use rust_stemmers::{Algorithm, Stemmer};

use super::Meteor;
use super::normalize::is_alnum;
use super::paraphrases::{NO_WORD, Section};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::vocab::Vocab;

/// Number of words in a block of work.
const BLOCK: usize = 1 << 10;

/// A different word of some texts.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// Hash of the word, by which the original compares words.
    pub hash: u32,
    /// Hash of its stem.
    pub stem: u32,
    pub is_function: bool,
    /// Id in the table of paraphrases, or [`NO_WORD`].
    pub table_id: u32,
    /// A bit for each of its sets of synonyms.
    pub synonym_bits: u64,
    synonyms: Range<u32>,
    /// Phrases that begin with the word; `None` if there are none or they have not been read.
    pub section: Option<Arc<Section>>,
    /// Whether something may match this word that is not equal to it.
    needs_data: bool,
}

impl Word {
    pub fn has_synonyms(&self) -> bool {
        self.synonym_bits != 0
    }
}

/// All words with ids from one number on.
#[derive(Debug, Default)]
pub(super) struct Words {
    first_id: u32,
    list: Vec<Word>,
    synonyms: Vec<u32>,
}

impl Words {
    /// Look up the words of a vocabulary that its base does not have.
    pub fn new(meteor: &Meteor, vocab: &Vocab, first_id: u32, plan: &Plan) -> Result<Self> {
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
        let mut all = Self { first_id, ..Self::default() };
        for block in blocks {
            let start = all.synonyms.len() as u32;
            all.synonyms.extend(block.synonyms);
            all.list.extend(block.list.into_iter().map(|mut word| {
                word.synonyms = word.synonyms.start + start..word.synonyms.end + start;
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
            hash: hash(token),
            stem: hash(&stemmer.stem(token)),
            is_function: meteor.function_words.contains(token),
            table_id: meteor.phrase_words.find(token).map_or(NO_WORD, |id| id as u32),
            synonym_bits: sets.iter().fold(0, |bits, set| bits | 1 << (set.wrapping_mul(0x9e37_79b1) >> 26)),
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
