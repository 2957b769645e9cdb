//! Making the tables that METEOR's data is stored in, from the files of the original.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::bytes::{Strings, checksum, put_number, put_text};
use super::normalize::split;
use super::paraphrases::Section;
use super::synonyms::Synonyms;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::text::vocab::Vocab;

/// Largest number of words of a phrase.
const MAX_PHRASE: usize = 255;

/// Sections between two checks whether the work is cancelled.
const CHECK_INTERVAL: usize = 256;

/// The tables of METEOR's data: a head that every process reads, and sections, one for the phrases with each first word.
#[derive(Debug, PartialEq, Eq)]
pub struct Tables {
    /// Function words, abbreviations, synonyms, the words of phrases, and where each section is.
    pub head: Vec<u8>,
    /// The sections, one after the other.
    pub sections: Vec<u8>,
}

/// The content of the small files of the original.
#[derive(Debug, Clone, Copy)]
pub struct Dictionaries<'a> {
    /// Function words, one a line.
    pub function_words: &'a str,
    /// Abbreviations, one a line, with comments.
    pub prefixes: &'a str,
    /// Words, each followed by a line of the numbers of its sets.
    pub synsets: &'a str,
    /// Base forms, each followed by a line of its irregular forms.
    pub exceptions: &'a str,
}

/// Collects pairs of a phrase and a paraphrase, each in three lines: a number, the phrase, the paraphrase.
#[derive(Debug, Default)]
pub struct TableBuilder {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    lines: usize,
    words: Vocab,
    phrases: Phrases,
    last_phrase: u32,
    pairs: Vec<(u32, u32)>,
}

/// Different phrases, each known by its index.
#[derive(Debug, Default)]
struct Phrases {
    words: Vec<u16>,
    ends: Vec<u32>,
    indices: HashTable<u32>,
    hasher: RandomState,
}

impl TableBuilder {
    /// Take the next part of the file of paraphrases.
    ///
    /// # Errors
    /// [`Error::Line`] for a line that is not such a file's, [`Error::Memory`].
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if self.line.is_empty() {
                self.take_line(&rest[..end])?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&rest[..end]);
                self.take_line(&line)?;
            }
            rest = &rest[end + 1..];
        }
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn take_line(&mut self, line: &[u8]) -> Result<()> {
        self.lines += 1;
        if self.lines % 3 == 1 {
            return Ok(());
        }
        let wrong = |problem: &str| Error::Line { number: self.lines, problem: problem.to_owned() };
        let line = str::from_utf8(line).map_err(|_| wrong("is not valid UTF-8"))?;
        let mut phrase = Vec::new();
        for word in split(line) {
            let id = self.words.intern(word);
            phrase.push(u16::try_from(id - 1).map_err(|_| wrong("has one word more than a table can have"))?);
        }
        if phrase.is_empty() || phrase.len() > MAX_PHRASE {
            return Err(wrong("needs a phrase"));
        }
        let phrase = self.phrases.intern(&phrase)?;
        if self.lines % 3 == 2 {
            self.last_phrase = phrase;
        } else {
            memory::reserve(&mut self.pairs, 1)?;
            self.pairs.push((self.last_phrase, phrase));
        }
        Ok(())
    }

    /// Make the tables of all pairs.
    ///
    /// # Errors
    /// [`Error::Line`] if the file ends within a pair, [`Error::Invalid`] for other files, [`Error::Memory`],
    /// [`Error::Cancelled`].
    pub fn finish(mut self, dictionaries: &Dictionaries<'_>, plan: &Plan) -> Result<Tables> {
        if !self.line.is_empty() {
            self.feed(b"\n")?;
        }
        if !self.lines.is_multiple_of(3) {
            return Err(Error::Line {
                number: self.lines,
                problem: "is the last, within a pair of phrases".to_owned(),
            });
        }
        let mut head = Vec::new();
        put_text(&mut head, dictionaries.function_words);
        put_text(&mut head, dictionaries.prefixes);
        Synonyms::write(&mut head, dictionaries.synsets, dictionaries.exceptions)?;
        self.number_words_by_rank(&mut head);
        let (sections, bounds) = self.sections(plan)?;
        bounds.iter().for_each(|&bound| put_number(&mut head, bound));
        for range in bounds.windows(2) {
            head.extend(checksum(&sections[range[0]..range[1]]).to_le_bytes());
        }
        let head = [&checksum(&head).to_le_bytes()[..], &head].concat();
        Ok(Tables { head, sections })
    }

    /// Write the words of phrases in alphabetic order, and make their ranks their ids.
    fn number_words_by_rank(&mut self, head: &mut Vec<u8>) {
        let mut sorted: Vec<_> =
            (1..=self.words.max_id()).filter_map(|id| Some((self.words.token(id)?, id - 1))).collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; sorted.len()];
        for (rank, &(_, id)) in sorted.iter().enumerate() {
            ranks[id as usize] = rank as u16;
        }
        Strings::write(head, sorted.iter().map(|(word, _)| word.as_ref()));
        self.phrases.words.iter_mut().for_each(|word| *word = ranks[usize::from(*word)]);
    }

    /// Return the sections of all words and their bounds.
    fn sections(&self, plan: &Plan) -> Result<(Vec<u8>, Vec<usize>)> {
        let (paraphrases, ends) = self.by_phrase()?;
        let of = |phrase: u32| &paraphrases[ends[phrase as usize] as usize..ends[phrase as usize + 1] as usize];
        let mut sorted: Vec<u32> = (0..self.phrases.len() as u32).filter(|&phrase| !of(phrase).is_empty()).collect();
        sorted.sort_unstable_by_key(|&phrase| self.phrases.get(phrase));
        let (mut sections, mut bounds, mut start) = (Vec::new(), vec![0], 0);
        for word in 0..self.words.max_id() as usize {
            if word % CHECK_INTERVAL == 0 {
                plan.check()?;
            }
            let is_of_word = |phrase: &&u32| usize::from(self.phrases.get(**phrase)[0]) == word;
            let group = &sorted[start..][..sorted[start..].iter().take_while(is_of_word).count()];
            if !group.is_empty() {
                let phrases: Vec<_> = group.iter().map(|&phrase| self.phrases.get(phrase)).collect();
                let append = |index: usize, list: &mut Vec<u16>| {
                    for &paraphrase in of(group[index]) {
                        let words = self.phrases.get(paraphrase);
                        list.push(words.len() as u16);
                        list.extend_from_slice(words);
                    }
                };
                Section::build(&phrases, append).write(&mut sections);
                start += group.len();
            }
            bounds.push(sections.len());
        }
        Ok((sections, bounds))
    }

    /// Return the paraphrases of all phrases in the order of the file, and their bounds.
    fn by_phrase(&self) -> Result<(Vec<u32>, Vec<u32>)> {
        let mut bounds = memory::zeroed::<u32>(self.phrases.len() + 2)?;
        self.pairs.iter().for_each(|&(phrase, _)| bounds[phrase as usize + 2] += 1);
        for index in 1..bounds.len() {
            bounds[index] += bounds[index - 1];
        }
        let mut paraphrases = memory::zeroed(self.pairs.len())?;
        // Each bound is the start of its phrase's list first, and moves to its end.
        for &(phrase, paraphrase) in &self.pairs {
            let place = &mut bounds[phrase as usize + 1];
            paraphrases[*place as usize] = paraphrase;
            *place += 1;
        }
        Ok((paraphrases, bounds))
    }
}

impl Phrases {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: u32) -> &[u16] {
        phrase(&self.words, &self.ends, index)
    }

    fn intern(&mut self, new: &[u16]) -> Result<u32> {
        let Self { words, ends, indices, hasher } = self;
        let hash = hasher.hash_one(new);
        if let Some(&index) = indices.find(hash, |&index| phrase(words, ends, index) == new) {
            return Ok(index);
        }
        memory::reserve(words, new.len())?;
        memory::reserve(ends, 1)?;
        words.extend_from_slice(new);
        ends.push(words.len() as u32);
        let index = ends.len() as u32 - 1;
        indices.insert_unique(hash, index, |&index| hasher.hash_one(phrase(words, ends, index)));
        Ok(index)
    }
}

fn phrase<'a>(words: &'a [u16], ends: &[u32], index: u32) -> &'a [u16] {
    let start = if index == 0 { 0 } else { ends[index as usize - 1] as usize };
    &words[start..ends[index as usize] as usize]
}
