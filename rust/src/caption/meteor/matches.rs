//! Finding which words of a prediction may match which words of a reference: exact words, stems, synonyms, paraphrases.

use std::cmp::Ordering;
use std::ops::Range;

use super::paraphrases::NO_WORD;
use super::score::MODULES;
use super::words::Lookup;
use crate::error::{Error, Result};

/// Largest number of matches of a prediction with one reference. The search takes a time that grows with it.
pub(super) const MAX_MATCHES: usize = 1 << 20;

/// Number of words that are compared at once.
const LANES: usize = 16;

/// Index of the module of exact words, and of the others in the order in which they are asked.
pub(super) const EXACT: u8 = 0;
const STEM: u8 = 1;
const SYNONYM: u8 = 2;
const PARAPHRASE: u8 = 3;
const _: () = assert!(PARAPHRASE as usize + 1 == MODULES);

/// Words of a reference that may match words of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Index of the first word in the reference.
    pub start: u16,
    /// Index of the first word in the prediction.
    pub prediction_start: u16,
    /// Number of words in the reference.
    pub length: u8,
    /// Number of words in the prediction.
    pub prediction_length: u8,
    pub module: u8,
}

impl Match {
    pub fn words(self) -> Range<usize> {
        let start = usize::from(self.start);
        start..start + usize::from(self.length)
    }

    pub fn prediction_words(self) -> Range<usize> {
        let start = usize::from(self.prediction_start);
        start..start + usize::from(self.prediction_length)
    }
}

/// What the modules need to know of the words of one text, one array for each property.
#[derive(Debug, Default)]
pub(super) struct TextWords {
    pub hashes: Vec<u32>,
    stems: Vec<u32>,
    /// Ids in the table of paraphrases.
    table_ids: Vec<u32>,
    pub functions: Vec<bool>,
    /// Index of each word that has synonyms.
    with_synonyms: Vec<(u16, u32)>,
    /// Whether the stem of a word is another word.
    has_stems: bool,
    ids: Vec<u32>,
}

impl TextWords {
    /// Take the words with these ids.
    pub fn read(&mut self, ids: &[u32], words: &Lookup<'_>) {
        self.hashes.clear();
        self.stems.clear();
        self.table_ids.clear();
        self.functions.clear();
        self.with_synonyms.clear();
        self.ids.clear();
        self.ids.extend_from_slice(ids);
        self.has_stems = false;
        for (index, &id) in ids.iter().enumerate() {
            let word = words.get(id);
            self.hashes.push(word.hash);
            self.stems.push(word.stem);
            self.table_ids.push(word.table_id);
            self.functions.push(word.is_function);
            self.has_stems |= word.stem != word.hash;
            if word.has_synonyms() {
                self.with_synonyms.push((index as u16, id));
            }
        }
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    pub fn function_words(&self) -> usize {
        self.functions.iter().filter(|&&is_function| is_function).count()
    }
}

/// All matches of a prediction and a reference, by the word of the reference where they start.
#[derive(Debug, Default)]
pub(super) struct Matches {
    found: Vec<Match>,
    sorted: Vec<Match>,
    /// End of the matches of each word of the reference in `sorted`.
    ends: Vec<u32>,
    /// Number of matches that cover each word of the prediction and of the reference.
    pub prediction_coverage: Vec<u32>,
    pub coverage: Vec<u32>,
    /// Words of one text in the table of paraphrases, as a set of bits.
    bits: Vec<u64>,
}

impl Matches {
    /// Find the matches of all modules.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are more than [`MAX_MATCHES`].
    pub fn find(&mut self, prediction: &TextWords, reference: &TextWords, words: &Lookup<'_>) -> Result<()> {
        self.found.clear();
        self.equal_words(EXACT, &prediction.hashes, &reference.hashes, |_, _| true)?;
        // Texts of the same words need no other module.
        if prediction.hashes != reference.hashes {
            if prediction.has_stems || reference.has_stems {
                let differ = |i: usize, j: usize| prediction.hashes[i] != reference.hashes[j];
                self.equal_words(STEM, &prediction.stems, &reference.stems, differ)?;
            }
            self.synonyms(prediction, reference, words)?;
            self.paraphrases(prediction, reference, words)?;
        }
        self.sort(prediction.len(), reference.len());
        Ok(())
    }

    /// Return the indices of the matches that start at a word of the reference, in the order in which they were found.
    pub fn range(&self, index: usize) -> Range<usize> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        start..self.ends[index] as usize
    }

    pub fn get(&self, index: usize) -> Match {
        self.sorted[index]
    }

    pub fn at_range(&self, range: &Range<usize>) -> &[Match] {
        &self.sorted[range.clone()]
    }

    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    fn push(&mut self, start: usize, length: usize, prediction: (usize, usize), module: u8) -> Result<()> {
        if self.found.len() == MAX_MATCHES {
            return Err(too_many());
        }
        self.found.push(Match {
            start: start as u16,
            prediction_start: prediction.0 as u16,
            length: length as u8,
            prediction_length: prediction.1 as u8,
            module,
        });
        Ok(())
    }

    /// Match single words with equal keys that a condition holds for.
    fn equal_words(
        &mut self,
        module: u8,
        prediction: &[u32],
        reference: &[u32],
        holds: impl Fn(usize, usize) -> bool,
    ) -> Result<()> {
        for (j, &key) in reference.iter().enumerate() {
            for (chunk, keys) in prediction.chunks(LANES).enumerate() {
                // Without branches, which the compiler makes vector instructions of: most words match none.
                if keys.iter().map(|&other| u32::from(other == key)).sum::<u32>() == 0 {
                    continue;
                }
                for (lane, _) in keys.iter().enumerate().filter(|&(_, &other)| other == key) {
                    let i = chunk * LANES + lane;
                    if holds(i, j) {
                        self.push(j, 1, (i, 1), module)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn synonyms(&mut self, prediction: &TextWords, reference: &TextWords, words: &Lookup<'_>) -> Result<()> {
        for &(j, reference_id) in &reference.with_synonyms {
            let hash = words.get(reference_id).hash;
            for &(i, id) in &prediction.with_synonyms {
                if words.are_synonyms(id, reference_id) && words.get(id).hash != hash {
                    self.push(usize::from(j), 1, (usize::from(i), 1), SYNONYM)?;
                }
            }
        }
        Ok(())
    }

    /// Match phrases of the reference whose paraphrase is in the prediction, then phrases of the prediction whose
    /// paraphrase is in the reference.
    fn paraphrases(&mut self, prediction: &TextWords, reference: &TextWords, words: &Lookup<'_>) -> Result<()> {
        self.phrases(reference, prediction, words, |matches, phrase, paraphrase| {
            matches.push(phrase.0, phrase.1, paraphrase, PARAPHRASE)
        })?;
        self.phrases(prediction, reference, words, |matches, phrase, paraphrase| {
            matches.push(paraphrase.0, paraphrase.1, phrase, PARAPHRASE)
        })
    }

    /// Find each phrase of `source`, and each place of `target` where one of its paraphrases is.
    fn phrases(
        &mut self,
        source: &TextWords,
        target: &TextWords,
        words: &Lookup<'_>,
        push: impl Fn(&mut Self, (usize, usize), (usize, usize)) -> Result<()>,
    ) -> Result<()> {
        let mut bits = std::mem::take(&mut self.bits);
        bits.resize(1 << 10, 0);
        let set = |bits: &mut [u64], value: bool| {
            for &id in target.table_ids.iter().filter(|&&id| id != NO_WORD) {
                let (word, bit) = ((id >> 6) as usize, 1 << (id & 63));
                bits[word] = if value { bits[word] | bit } else { 0 };
            }
        };
        set(&mut bits, true);
        let result = (|| {
            for (start, &id) in source.ids.iter().enumerate() {
                let Some(section) = words.get(id).section.as_deref() else { continue };
                for (length, node) in section.walk(&source.table_ids[start..]) {
                    for paraphrase in section.paraphrases(node) {
                        let first = u32::from(paraphrase[0]);
                        if bits[(first >> 6) as usize] >> (first & 63) & 1 == 0 {
                            continue;
                        }
                        for position in 0..(target.len() + 1).saturating_sub(paraphrase.len()) {
                            let place = &target.table_ids[position..position + paraphrase.len()];
                            if place.iter().zip(paraphrase).all(|(&id, &word)| id == u32::from(word)) {
                                push(self, (start, length), (position, paraphrase.len()))?;
                            }
                        }
                    }
                }
            }
            Ok(())
        })();
        set(&mut bits, false);
        self.bits = bits;
        result
    }

    /// Sort by the word of the reference, and count how many matches cover each word.
    fn sort(&mut self, prediction_length: usize, length: usize) {
        let Self { found, sorted, ends, prediction_coverage, coverage, .. } = self;
        for (counts, length) in [(&mut *prediction_coverage, prediction_length), (&mut *coverage, length)] {
            counts.clear();
            counts.resize(length, 0);
        }
        ends.clear();
        ends.resize(length, 0);
        for found in &*found {
            coverage[found.words()].iter_mut().for_each(|count| *count += 1);
            prediction_coverage[found.prediction_words()].iter_mut().for_each(|count| *count += 1);
            ends[usize::from(found.start)] += 1;
        }
        let mut total = 0;
        for end in &mut *ends {
            total += std::mem::replace(end, total);
        }
        sorted.clear();
        sorted.resize(found.len(), Match { start: 0, prediction_start: 0, length: 0, prediction_length: 0, module: 0 });
        // Each end is the start of its matches first, and moves with them.
        for found in &*found {
            let place = &mut ends[usize::from(found.start)];
            sorted[*place as usize] = *found;
            *place += 1;
        }
    }
}

fn too_many() -> Error {
    let problem = format!("repeats the words of its reference more than {MAX_MATCHES} times, shorten one of them");
    Error::Invalid { parameter: "predictions", problem }
}

impl Lookup<'_> {
    /// Return whether two words are in a common set. For most pairs, a few bits show that they are not.
    fn are_synonyms(&self, first: u32, second: u32) -> bool {
        if self.get(first).synonym_bits & self.get(second).synonym_bits == 0 {
            return false;
        }
        let (mut left, mut right) = (self.synonyms(first), self.synonyms(second));
        while let ([l, after_left @ ..], [r, after_right @ ..]) = (left, right) {
            match l.cmp(r) {
                Ordering::Equal => return true,
                Ordering::Less => left = after_left,
                Ordering::Greater => right = after_right,
            }
        }
        false
    }
}
