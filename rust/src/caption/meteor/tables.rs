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

/// Pairs between two checks whether the work is cancelled.
const CHECK_INTERVAL: usize = 1 << 18;

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
        Synonyms::write(&mut head, dictionaries.synsets, dictionaries.exceptions, plan)?;
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
        let (paraphrases, ends) = self.by_phrase(plan)?;
        let of = |phrase: u32| &paraphrases[ends[phrase as usize] as usize..ends[phrase as usize + 1] as usize];
        let first = |phrase: u32| u32::from(self.phrases.get(phrase)[0]);
        let has_paraphrases = |&phrase: &u32| !of(phrase).is_empty();
        let with_paraphrases = || (0..self.phrases.len() as u32).filter(has_paraphrases);
        let pairs = || with_paraphrases().map(|phrase| (first(phrase), phrase));
        let (mut phrases, starts) = group(self.words.max_id() as usize, pairs, plan)?;
        let (mut sections, mut bounds) = (Vec::new(), vec![0]);
        for range in starts.windows(2) {
            plan.check()?;
            let members = &mut phrases[range[0] as usize..range[1] as usize];
            members.sort_unstable_by_key(|&phrase| self.phrases.get(phrase));
            if !members.is_empty() {
                let phrases: Vec<_> = members.iter().map(|&phrase| self.phrases.get(phrase)).collect();
                let append = |index: usize, list: &mut Vec<u16>| {
                    for &paraphrase in of(members[index]) {
                        let words = self.phrases.get(paraphrase);
                        list.push(words.len() as u16);
                        list.extend_from_slice(words);
                    }
                };
                Section::build(&phrases, append).write(&mut sections);
            }
            bounds.push(sections.len());
        }
        Ok((sections, bounds))
    }

    /// Return the paraphrases of all phrases in the order of the file, and their bounds.
    fn by_phrase(&self, plan: &Plan) -> Result<(Vec<u32>, Vec<u32>)> {
        group(self.phrases.len(), || self.pairs.iter().copied(), plan)
    }
}

/// Return the second numbers of pairs, by the first ones, which are below `count`, and the bounds of each group.
fn group<I: Iterator<Item = (u32, u32)>>(
    count: usize,
    pairs: impl Fn() -> I,
    plan: &Plan,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let mut bounds = memory::zeroed::<u32>(count + 2)?;
    let check = |index: usize| if index.is_multiple_of(CHECK_INTERVAL) { plan.check() } else { Ok(()) };
    let mut length = 0;
    for (key, _) in pairs() {
        check(length)?;
        length += 1;
        bounds[key as usize + 2] += 1;
    }
    for index in 1..bounds.len() {
        bounds[index] += bounds[index - 1];
    }
    let mut values = memory::zeroed(length)?;
    // Each bound is the start of its group first, and moves to its end.
    for (index, (key, value)) in pairs().enumerate() {
        check(index)?;
        let place = &mut bounds[key as usize + 1];
        values[*place as usize] = value;
        *place += 1;
    }
    bounds.pop();
    Ok((values, bounds))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> TableBuilder {
        let mut builder = TableBuilder::default();
        builder.feed(b"1\nb a\nc\n1\na\nb\n1\nb\na a\n1\nb a\nb\n").unwrap();
        builder
    }

    #[test]
    fn pairs_are_grouped_in_their_order() {
        let plan = Plan::new(Some(1));
        assert_eq!(group(4, || [(2, 7), (0, 5), (2, 6)].into_iter(), &plan), Ok((vec![5, 7, 6], vec![0, 1, 1, 3, 3])));
        // Phrases are "b a", "c", "a", "b", "a a".
        assert_eq!(builder().by_phrase(&plan), Ok((vec![1, 3, 3, 4], vec![0, 2, 2, 3, 4, 4])));
    }

    #[test]
    fn each_part_of_the_work_can_be_cancelled() {
        let dictionaries = Dictionaries { function_words: "", prefixes: "", synsets: "a\n1\n", exceptions: "" };
        let plan = Plan::new(Some(1));
        assert!(builder().finish(&dictionaries, &plan).is_ok());
        plan.cancel();
        assert_eq!(Synonyms::write(&mut Vec::new(), "a\n1\n", "", &plan), Err(Error::Cancelled));
        assert_eq!(Synonyms::write(&mut Vec::new(), "", "a\nb\n", &plan), Err(Error::Cancelled));
        assert_eq!(builder().by_phrase(&plan), Err(Error::Cancelled));
        assert_eq!(builder().sections(&plan), Err(Error::Cancelled));
        assert_eq!(group(1, std::iter::empty, &plan), Ok((vec![], vec![0, 0])));
        assert_eq!(builder().finish(&dictionaries, &plan), Err(Error::Cancelled));
    }
}
