//! METEOR 1.5 of English as its authors' program computes it with `-l en -norm`, which is also how Chinese is scored.
//!
//! # The path of a prediction
//!
//! 1. [`Prepared::new`] normalizes texts (`normalize.rs`, `plain.rs`) and gives each different word an id. Words are looked
//!    up once (`words.rs`): their hash, by which the original compares words, their stem, and the words of the references
//!    that are their synonyms (`synonyms.rs`, `neighbors.rs`).
//! 2. The phrases that begin with a word are a section of the tables. [`Prepared::unread`] lists those that have not been
//!    read, and the caller passes them to [`Meteor::add_section`] (`paraphrases.rs`).
//! 3. [`rows`] finds all words and phrases that may match (`matches.rs`), and the best alignment of them (`beam.rs`). The row
//!    of an item is that of the reference with the highest score, the first one of those with equal scores (`score.rs`).
//!
//! `tables.rs` makes the tables, from files that are not part of this crate because of their licence. Without them, words
//! match if they are equal, which is exact for texts without letters and digits ([`Prepared::needs_data`]).

mod beam;
mod bytes;
mod choice;
mod matches;
mod neighbors;
mod normalize;
mod paraphrases;
mod places;
mod plain;
mod power;
mod score;
mod synonyms;
mod tables;
mod words;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::parallel::Plan;
use crate::text::tokens::{Texts, Tokens, tokenize};
use crate::text::vocab::Vocab;
use crate::text::{Scratch, Sink};
use beam::Beam;
use bytes::{Rest, Strings, checksum, damaged};
use matches::{Match, Matches, TextWords};
use normalize::{Buffers, Normalizer};
use paraphrases::{KnownPhrases, NO_WORD, Section};
use synonyms::Synonyms;
use words::{Lookup, Words};

pub use score::{MeteorStatistics, WIDTH, additive, score, score_corpus};
pub use tables::{Dictionaries, TableBuilder, Tables};

/// Largest number of words of a text.
pub const MAX_WORDS: usize = 10_000;

/// Number of predictions in a block of work.
const BLOCK: usize = 16;

/// Words without letters and digits among the function words of the original, as they are after normalization.
const PUNCTUATION: [&str; 11] = [",", ".", "\"", "'", ":", "(", ")", "?", "-", "—", "$"];

/// Paraphrases of each other without letters and digits.
const SYMBOLS: [(&str, &str); 2] = [("£", "₤"), ("·", "•")];

/// What METEOR knows of the language, and the phrases that were read.
#[derive(Debug, Default)]
pub struct Meteor {
    normalizer: Normalizer,
    function_words: HashSet<Box<str>>,
    synonyms: Synonyms,
    /// Words of phrases, whose indices are their ids there.
    phrase_words: Strings,
    /// Bounds of the section of each word.
    bounds: Vec<u32>,
    checksums: Vec<u64>,
    sections: RwLock<HashMap<u32, Arc<Section>>>,
    has_data: bool,
}

impl Meteor {
    /// Return what is known without data: words that are equal match.
    pub fn without_data() -> Self {
        Self { function_words: PUNCTUATION.iter().map(|&word| word.into()).collect(), ..Self::default() }
    }

    /// Read the head of [`Tables`].
    ///
    /// # Errors
    /// [`Error::Io`] if it is damaged.
    pub fn from_head(head: &[u8]) -> Result<Self> {
        let mut rest = Rest(head);
        if rest.longs(1)? != [checksum(rest.0)] {
            return Err(damaged());
        }
        let function_words = rest.text()?.lines().map(Into::into).collect();
        let normalizer = Normalizer::new(rest.text()?);
        let synonyms = Synonyms::read(&mut rest)?;
        let phrase_words = Strings::read(&mut rest)?;
        let bounds = rest.bounds(phrase_words.len(), |last| last)?;
        let checksums = rest.longs(phrase_words.len())?;
        // Phrases are lists of ids of 16 bits.
        if !rest.0.is_empty() || phrase_words.len() > 1 << 16 {
            return Err(damaged());
        }
        let sections = RwLock::default();
        Ok(Self { normalizer, function_words, synonyms, phrase_words, bounds, checksums, sections, has_data: true })
    }

    /// Return the words of a text.
    pub fn words(&self, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        self.normalizer.cut(text.chars(), &mut Buffers::default(), &mut words);
        words
    }

    /// Return the range of a section among all sections.
    pub fn section_range(&self, id: u32) -> Range<usize> {
        self.bounds[id as usize] as usize..self.bounds[id as usize + 1] as usize
    }

    /// Keep a section that was read.
    ///
    /// # Errors
    /// [`Error::Io`] if it is damaged.
    pub fn add_section(&self, id: u32, bytes: &[u8]) -> Result<()> {
        if self.checksums.get(id as usize) != Some(&checksum(bytes)) {
            return Err(damaged());
        }
        let section = Arc::new(Section::read(bytes)?);
        self.sections.write().unwrap_or_else(PoisonError::into_inner).insert(id, section);
        Ok(())
    }

    fn has_section(&self, id: u32) -> bool {
        id != NO_WORD && !self.section_range(id).is_empty()
    }

    fn section(&self, id: u32) -> Option<Arc<Section>> {
        self.sections.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

/// Texts that have not been split into words.
pub trait RawTexts: Sync {
    /// Number of texts.
    fn len(&self) -> usize;

    /// Whether there are no texts.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of characters of a text.
    fn length(&self, text: usize) -> usize;

    /// Iterate over the characters of a text.
    fn chars(&self, text: usize) -> impl Iterator<Item = char>;
}

impl<T: AsRef<str> + Sync> RawTexts for [T] {
    fn len(&self) -> usize {
        self.len()
    }

    fn length(&self, text: usize) -> usize {
        self[text].as_ref().len()
    }

    fn chars(&self, text: usize) -> impl Iterator<Item = char> {
        self[text].as_ref().chars()
    }
}

/// Texts as sequences of words.
struct Normalized<'a, T: ?Sized> {
    normalizer: &'a Normalizer,
    texts: &'a T,
    /// Memory that no thread uses at the moment.
    buffers: Mutex<Vec<Buffers>>,
}

impl<T: RawTexts + ?Sized> Texts for Normalized<'_, T> {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn max_tokens(&self, text: usize) -> usize {
        self.texts.length(text)
    }

    fn cut(&self, text: usize, _: &mut Scratch, sink: &mut impl Sink) {
        let lock = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffers = lock().pop().unwrap_or_default();
        self.normalizer.cut(self.texts.chars(text), &mut buffers, sink);
        lock().push(buffers);
    }
}

/// Texts of items as ids of words, with what is known of the words.
#[derive(Debug)]
pub struct Prepared {
    tokens: Tokens,
    vocab: Arc<Vocab>,
    words: Words,
    /// For each item, the range of its texts.
    ranges: Vec<Range<usize>>,
}

impl Prepared {
    /// Normalize the texts of all items, item `i` having the next `counts[i]`, and look up the words that `base` does not
    /// have. `parameter` is the name of the texts in errors.
    ///
    /// # Errors
    /// [`Error::Text`] for a text of more than [`MAX_WORDS`] words, [`Error::Empty`] without items,
    /// [`Error::NoReferences`] for an item without texts, [`Error::Unequal`], [`Error::Memory`], [`Error::Cancelled`].
    pub fn new(
        meteor: &Meteor,
        texts: &(impl RawTexts + ?Sized),
        counts: &[usize],
        base: Option<&Self>,
        parameter: &'static str,
        plan: &Plan,
    ) -> Result<Self> {
        if texts.is_empty() {
            return Err(Error::Empty(parameter));
        }
        let ranges = super::item_ranges(counts, texts.len())?;
        let normalized = Normalized { normalizer: &meteor.normalizer, texts, buffers: Mutex::default() };
        let (tokens, vocab) = tokenize(&normalized, base.map(|base| &base.vocab), plan)?;
        for (item, range) in ranges.iter().enumerate() {
            for text in range.clone() {
                let count = tokens.get(text).len();
                if count > MAX_WORDS {
                    let text = (parameter == "references").then_some(text - range.start);
                    let problem = format!("has {count} words, METEOR takes at most {MAX_WORDS}");
                    return Err(Error::Text { parameter, item, text, problem });
                }
            }
        }
        let words = Words::new(meteor, &vocab, base.map(|base| &base.words), plan)?;
        Ok(Self { tokens, vocab: Arc::new(vocab), words, ranges })
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Always false: no items are an error.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Return the ids of sections that these texts need, without those that were read, in ascending order.
    pub fn unread(&self, meteor: &Meteor) -> Vec<u32> {
        let mut ids: Vec<u32> = self.words.unread(meteor).filter(|&id| meteor.section(id).is_none()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Take the sections that were read.
    pub fn attach(&mut self, meteor: &Meteor) {
        self.words.attach(meteor);
    }

    /// Return the item and the index of the first text in which a word may match another one that is not equal, so that
    /// METEOR of these texts needs data; `None` if the data is there or not needed.
    pub fn needs_data(&self, meteor: &Meteor) -> Option<(usize, usize)> {
        if meteor.has_data {
            return None;
        }
        let id = |word: &str| self.vocab.get(word).unwrap_or_default();
        let pairs = SYMBOLS.map(|(first, second)| [id(first), id(second)]);
        let symbols: Vec<u32> = pairs.into_iter().filter(|pair| !pair.contains(&0)).flatten().collect();
        // Words of the base were checked with it.
        let needs = |&word: &u32| symbols.contains(&word) || self.words.needs_data(word);
        let of_item = |(item, range): (usize, &Range<usize>)| {
            let text = range.clone().find(|&text| self.tokens.get(text).iter().any(needs))?;
            Some((item, text - range.start))
        };
        self.ranges.iter().enumerate().find_map(of_item)
    }
}

/// Memory for scoring one prediction after the other.
#[derive(Debug, Default)]
struct Workspace<'a> {
    prediction: TextWords<'a>,
    reference: TextWords<'a>,
    known_phrases: KnownPhrases,
    matches: Matches,
    beam: Beam,
    best: Vec<Match>,
}

/// Return the statistics of each prediction with the references of all items in order, or of those with the indices
/// `chosen`. `predictions` were prepared with `references` as their base.
///
/// # Errors
/// [`Error::Unequal`] if the numbers of predictions and items differ, [`Error::Invalid`] for an item that does not exist,
/// [`Error::Text`] for a prediction that repeats the words of its reference too often, [`Error::Cancelled`].
pub fn rows(
    references: &Prepared,
    predictions: &Prepared,
    chosen: Option<&[usize]>,
    plan: &Plan,
) -> Result<Vec<MeteorStatistics>> {
    super::check_lengths(predictions.len(), chosen.map_or(references.len(), <[usize]>::len))?;
    super::check_items(chosen, references.len())?;
    let words = Lookup { references: &references.words, predictions: &predictions.words };
    let blocks = plan.map(predictions.len(), BLOCK, Workspace::default, |workspace, block| {
        let mut rows = Vec::with_capacity(block.len());
        for index in block {
            plan.check()?;
            workspace.prediction.read(predictions.tokens.get(index), &words, &mut workspace.known_phrases);
            workspace.matches.find_words(&workspace.prediction, &words)?;
            let texts = references.ranges[chosen.map_or(index, |chosen| chosen[index])].clone();
            let row = workspace.best_row(texts.map(|text| references.tokens.get(text)), &words, plan);
            rows.push(row.map_err(|error| at_item(error, index))?);
        }
        Ok(rows)
    })?;
    Ok(blocks.concat())
}

fn at_item(error: Error, item: usize) -> Error {
    match error {
        Error::Invalid { parameter, problem } => Error::Text { parameter, item, text: None, problem },
        error => error,
    }
}

impl<'a> Workspace<'a> {
    /// Return the row of the reference with the highest score.
    fn best_row<'t>(
        &mut self,
        references: impl Iterator<Item = &'t [u32]>,
        words: &Lookup<'a>,
        plan: &Plan,
    ) -> Result<MeteorStatistics> {
        let mut best = ([0.0; WIDTH], -1.0);
        for reference in references {
            self.reference.read(reference, words, &mut self.known_phrases);
            self.matches.find(&self.prediction, &self.reference, words)?;
            self.beam.search(&self.matches, &mut self.best, plan)?;
            let row = self.row();
            let score = score(&row);
            if score > best.1 {
                best = (row, score);
            }
        }
        Ok(best.0)
    }

    /// Return the row of the alignment that was found.
    fn row(&mut self) -> MeteorStatistics {
        let Self { prediction, reference, best, .. } = self;
        let mut row = [0.0; WIDTH];
        row[0] = prediction.len() as f64;
        row[1] = reference.len() as f64;
        row[2] = prediction.function_words() as f64;
        row[3] = reference.function_words() as f64;
        best.sort_unstable_by_key(|found| found.start);
        // The words after the last match, in the reference and in the prediction.
        let mut after = None;
        for found in best {
            let counts = &mut row[4 + 4 * usize::from(found.module)..];
            for (side, functions) in
                [(0, &prediction.functions[found.prediction_words()]), (1, &reference.functions[found.words()])]
            {
                let of_function = functions.iter().filter(|&&is_function| is_function).count();
                counts[side] += (functions.len() - of_function) as f64;
                counts[2 + side] += of_function as f64;
            }
            if after != Some((usize::from(found.start), usize::from(found.prediction_start))) {
                row[score::CHUNKS] += 1.0;
            }
            after = Some((found.words().end, found.prediction_words().end));
            row[score::CHUNKS + 1] += f64::from(found.prediction_length);
            row[score::CHUNKS + 2] += f64::from(found.length);
        }
        row
    }
}
