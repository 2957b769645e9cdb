//! Finding which words of a prediction may match which words of a reference: exact words, stems, synonyms, paraphrases.

use std::ops::Range;

use super::paraphrases::{Beginning, KnownPhrases, Section, Signature, WordSet};
use super::places::{KeyedPlaces, Places};
use super::score::MODULES;
use super::words::Lookup;
use crate::error::{Error, Result};

/// Largest number of matches of a prediction with one reference. The search takes a time that grows with it.
pub(super) const MAX_MATCHES: usize = 1 << 20;

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
pub(super) struct TextWords<'a> {
    ids: Vec<u32>,
    /// Indices of the hashes of words and of stems.
    keys: Vec<u32>,
    stems: Vec<u32>,
    /// Ids in the table of paraphrases, as a list and as a set.
    table_ids: Vec<u32>,
    table_words: WordSet,
    pub functions: Vec<bool>,
    phrases: Vec<Phrase<'a>>,
    /// Whether the stem of a word is another word.
    has_stems: bool,
}

/// A phrase of a text that has paraphrases.
#[derive(Debug, Clone, Copy)]
struct Phrase<'a> {
    start: u16,
    length: u8,
    node: u32,
    signature: Signature,
    section: &'a Section,
}

impl<'a> TextWords<'a> {
    /// Take the words with these ids.
    pub fn read(&mut self, ids: &[u32], words: &Lookup<'a>, known: &mut KnownPhrases) {
        self.ids.clear();
        self.ids.extend_from_slice(ids);
        self.keys.clear();
        self.stems.clear();
        self.table_ids.clear();
        self.functions.clear();
        self.phrases.clear();
        self.has_stems = false;
        for &id in ids {
            let word = words.get(id);
            self.keys.push(word.key);
            self.stems.push(word.stem);
            self.table_ids.push(word.table_id);
            self.functions.push(word.is_function);
            self.has_stems |= word.stem != word.key;
        }
        for (start, &id) in ids.iter().enumerate() {
            let Some((section, single)) = &words.get(id).section else { continue };
            section.walk(&self.table_ids[start..], *single, known, |Beginning { length, node, signature }| {
                self.phrases.push(Phrase { start: start as u16, length: length as u8, node, signature, section });
            });
        }
        self.table_words.fill(&self.table_ids);
    }

    pub fn len(&self) -> usize {
        self.keys.len()
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
    /// Where the prediction has each word and each stem.
    words: Places,
    stems: Places,
    /// Where the prediction has each different word, by the words of the references that are its synonyms.
    synonyms: KeyedPlaces,
    /// Places of synonyms, then paraphrases that may be in a text.
    candidates: Vec<u32>,
}

impl Matches {
    /// Find where the prediction has each word, before it is compared with references.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn find_words(&mut self, prediction: &TextWords<'_>, words: &Lookup<'_>) -> Result<()> {
        self.words.find(&prediction.keys, words.key_count());
        self.stems.find(&prediction.stems, words.key_count());
        self.synonyms.clear(words.reference_count());
        for (i, &id) in prediction.ids.iter().enumerate() {
            let neighbors = words.synonyms(id);
            if !neighbors.is_empty() && self.places_of(i, prediction).next() == Some(i) {
                self.synonyms.add(i, neighbors)?;
            }
        }
        Ok(())
    }

    /// Iterate over the places of the word at a place of the prediction.
    fn places_of(&self, place: usize, prediction: &TextWords<'_>) -> impl Iterator<Item = usize> {
        let (id, key) = (prediction.ids[place], prediction.keys[place]);
        let places = std::iter::successors(self.words.first(key), |&place| self.words.after(place));
        places.filter(move |&place| prediction.ids[place] == id)
    }

    /// Find the matches of all modules.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are more than [`MAX_MATCHES`].
    pub fn find(&mut self, prediction: &TextWords<'_>, reference: &TextWords<'_>, words: &Lookup<'_>) -> Result<()> {
        self.found.clear();
        for (j, &key) in reference.keys.iter().enumerate() {
            let mut next = self.words.first(key);
            while let Some(i) = next {
                self.push(j, 1, (i, 1), EXACT)?;
                next = self.words.after(i);
            }
        }
        // Texts of the same words need no other module.
        if prediction.keys != reference.keys {
            if prediction.has_stems || reference.has_stems {
                self.equal_stems(prediction, reference)?;
            }
            self.match_synonyms(prediction, reference, words)?;
            self.paraphrases(prediction, reference)?;
        }
        self.sort(prediction.len(), reference.len());
        Ok(())
    }

    /// Make a list of matches those of two texts with these lengths.
    #[cfg(test)]
    pub fn of(found: &[Match], prediction_length: usize, length: usize) -> Self {
        let mut matches = Self { found: found.to_vec(), ..Self::default() };
        matches.sort(prediction_length, length);
        matches
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

    pub fn all(&self) -> &[Match] {
        &self.sorted
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

    /// Match different words with equal stems.
    fn equal_stems(&mut self, prediction: &TextWords<'_>, reference: &TextWords) -> Result<()> {
        for (j, (&key, &stem)) in reference.keys.iter().zip(&reference.stems).enumerate() {
            let mut next = self.stems.first(stem);
            while let Some(i) = next {
                if prediction.keys[i] != key {
                    self.push(j, 1, (i, 1), STEM)?;
                }
                next = self.stems.after(i);
            }
        }
        Ok(())
    }

    /// Match different words with a common set of synonyms.
    fn match_synonyms(
        &mut self,
        prediction: &TextWords<'_>,
        reference: &TextWords<'_>,
        words: &Lookup<'_>,
    ) -> Result<()> {
        let mut places = std::mem::take(&mut self.candidates);
        for (j, &id) in reference.ids.iter().enumerate() {
            places.clear();
            let different = self.synonyms.of(words.reference_index(id));
            places.extend(different.flat_map(|place| self.places_of(place, prediction)).map(|place| place as u32));
            places.sort_unstable();
            places.iter().try_for_each(|&i| self.push(j, 1, (i as usize, 1), SYNONYM))?;
        }
        self.candidates = places;
        Ok(())
    }

    /// Match phrases of the reference whose paraphrase is in the prediction, then phrases of the prediction whose
    /// paraphrase is in the reference.
    fn paraphrases(&mut self, prediction: &TextWords<'_>, reference: &TextWords<'_>) -> Result<()> {
        self.phrases(reference, prediction, |matches, phrase, paraphrase| {
            matches.push(phrase.0, phrase.1, paraphrase, PARAPHRASE)
        })?;
        self.phrases(prediction, reference, |matches, phrase, paraphrase| {
            matches.push(paraphrase.0, paraphrase.1, phrase, PARAPHRASE)
        })
    }

    /// Find each phrase of `source`, and each place of `target` where one of its paraphrases is.
    fn phrases(
        &mut self,
        source: &TextWords<'_>,
        target: &TextWords<'_>,
        push: impl Fn(&mut Self, (usize, usize), (usize, usize)) -> Result<()>,
    ) -> Result<()> {
        let mut candidates = std::mem::take(&mut self.candidates);
        let may_match = |phrase: &&Phrase| phrase.signature.may_be_within(&target.table_words);
        let result =
            source.phrases.iter().filter(may_match).try_for_each(|&Phrase { start, length, node, section, .. }| {
                section.find_within(node as usize, &target.table_words, &mut candidates);
                for paraphrase in candidates.iter().map(|&place| section.paraphrase(place)) {
                    for position in 0..(target.len() + 1).saturating_sub(paraphrase.len()) {
                        let place = &target.table_ids[position..position + paraphrase.len()];
                        if place.iter().zip(paraphrase).all(|(&id, &word)| id == u32::from(word)) {
                            push(self, (usize::from(start), usize::from(length)), (position, paraphrase.len()))?;
                        }
                    }
                }
                Ok(())
            });
        self.candidates = candidates;
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
