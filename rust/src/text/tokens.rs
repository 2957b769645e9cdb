//! Token ids of many texts in one flat array, tokenized on all threads.

use std::ops::Range;
use std::sync::Arc;

use super::vocab::{Capacity, Interner, Vocab};
use super::{Scratch, Sink, Tokenizer};
use crate::error::Result;
use crate::memory;
use crate::parallel::{Plan, split_by_lengths};

/// Texts are tokenized in at most this many blocks, each with its own vocabulary; these are merged afterwards.
const MAX_BLOCKS: usize = 32;
const MIN_BLOCK: usize = 64;

/// Token ids of many texts, in one flat array.
#[derive(Debug, Default)]
pub struct Tokens {
    ids: Vec<u32>,
    ends: Vec<usize>,
}

impl Tokens {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of tokens in a range of texts.
    pub fn token_count(&self, texts: Range<usize>) -> usize {
        if texts.is_empty() { 0 } else { self.ends[texts.end - 1] - self.start(texts.start) }
    }

    /// Return the token ids of one text.
    pub fn get(&self, text: usize) -> &[u32] {
        &self.ids[self.span(text)]
    }

    /// Return the token ids of a range of texts, one text after the other.
    pub fn of(&self, texts: &Range<usize>) -> &[u32] {
        if texts.is_empty() { &[] } else { &self.ids[self.start(texts.start)..self.ends[texts.end - 1]] }
    }

    /// Return the range of the tokens of one text among those of all texts.
    pub fn span(&self, text: usize) -> Range<usize> {
        self.start(text)..self.ends[text]
    }

    fn start(&self, text: usize) -> usize {
        if text == 0 { 0 } else { self.ends[text - 1] }
    }
}

/// A sequence of texts with a rule that splits them into tokens.
pub trait Texts: Sync {
    /// Number of texts.
    fn len(&self) -> usize;

    /// Whether there are no texts.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Upper bound of the number of tokens of one text, such as the number of its characters.
    fn max_tokens(&self, text: usize) -> usize;

    /// Send the tokens of one text to `sink`.
    fn cut(&self, text: usize, scratch: &mut Scratch, sink: &mut impl Sink);
}

/// Texts to be split by a tokenizer.
#[derive(Debug)]
pub struct Uncut<'a, T> {
    /// The tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// The texts.
    pub texts: &'a [T],
}

impl<T: AsRef<str> + Sync> Texts for Uncut<'_, T> {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn max_tokens(&self, text: usize) -> usize {
        self.texts[text].as_ref().len()
    }

    fn cut(&self, text: usize, scratch: &mut Scratch, sink: &mut impl Sink) {
        self.tokenizer.cut(self.texts[text].as_ref(), scratch, sink);
    }
}

/// Texts that are already split into tokens.
#[derive(Debug)]
pub struct Cut<'a, T>(pub &'a [Vec<T>]);

impl<T: AsRef<str> + Sync> Texts for Cut<'_, T> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn max_tokens(&self, text: usize) -> usize {
        self.0[text].len()
    }

    fn cut(&self, text: usize, _scratch: &mut Scratch, sink: &mut impl Sink) {
        self.0[text].iter().for_each(|token| sink.word(token.as_ref()));
    }
}

/// A range of texts.
#[derive(Debug)]
pub struct Part<'a, T> {
    /// All texts.
    pub texts: &'a T,
    /// The range.
    pub range: Range<usize>,
}

impl<T: Texts> Texts for Part<'_, T> {
    fn len(&self) -> usize {
        self.range.len()
    }

    fn max_tokens(&self, text: usize) -> usize {
        self.texts.max_tokens(self.range.start + text)
    }

    fn cut(&self, text: usize, scratch: &mut Scratch, sink: &mut impl Sink) {
        self.texts.cut(self.range.start + text, scratch, sink);
    }
}

/// Tokenize texts. Tokens of `base` keep their ids, new tokens get the ids that follow.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory); [`Error::Cancelled`](crate::Error::Cancelled).
pub fn tokenize(texts: &impl Texts, base: Option<&Arc<Vocab>>, plan: &Plan) -> Result<(Tokens, Vocab)> {
    let size = texts.len().div_ceil(MAX_BLOCKS).max(MIN_BLOCK);
    let mut blocks =
        plan.map(texts.len(), size, Default::default, |state, block| cut_block(texts, base, block, state, plan))?;
    if let [block] = blocks.as_mut_slice() {
        let Block { interner, ends } = std::mem::take(block);
        return Ok((Tokens { ids: interner.ids, ends }, interner.vocab));
    }
    let (vocab, renumber) = merge(&blocks, base);
    let tokens = join(blocks, &renumber, base.map_or(0, |base| base.max_id()), plan)?;
    Ok((tokens, vocab))
}

/// The tokens of one block of texts, with ids of the vocabulary of the block.
#[derive(Debug, Default)]
struct Block {
    interner: Interner,
    ends: Vec<usize>,
}

fn cut_block(
    texts: &impl Texts,
    base: Option<&Arc<Vocab>>,
    block: Range<usize>,
    (scratch, capacity): &mut (Scratch, Capacity),
    plan: &Plan,
) -> Result<Block> {
    // A block probably has as many tokens as the one before, and growing is the most expensive part of a vocabulary.
    let mut interner = Interner { vocab: Vocab::with_capacity(base.cloned(), *capacity), ids: Vec::new() };
    let mut ends = Vec::with_capacity(block.len());
    for text in block {
        plan.check()?;
        texts.cut(text, scratch, &mut interner);
        ends.push(interner.ids.len());
    }
    *capacity = interner.vocab.capacity();
    Ok(Block { interner, ends })
}

/// Merge the vocabularies of all blocks; also returns the new ids of the tokens of each block.
fn merge(blocks: &[Block], base: Option<&Arc<Vocab>>) -> (Vocab, Vec<Vec<u32>>) {
    let mut vocab = Vocab::new(base.cloned());
    let renumber = blocks.iter().map(|block| vocab.intern_all(&block.interner.vocab)).collect();
    (vocab, renumber)
}

/// Concatenate the tokens of all blocks, with their new ids.
fn join(mut blocks: Vec<Block>, renumber: &[Vec<u32>], below: u32, plan: &Plan) -> Result<Tokens> {
    let total = blocks.iter().map(|block| block.interner.ids.len()).sum();
    let texts = blocks.iter().map(|block| block.ends.len()).sum();
    let mut tokens = Tokens { ids: memory::zeroed(total)?, ends: memory::with_capacity(texts)? };
    let mut start = 0;
    for block in &blocks {
        tokens.ends.extend(block.ends.iter().map(|end| start + end));
        start += block.interner.ids.len();
    }
    let parts = split_by_lengths(&mut tokens.ids, blocks.iter().map(|block| block.interner.ids.len()));
    let mut parts: Vec<_> = blocks.iter_mut().map(|block| std::mem::take(&mut block.interner.ids)).zip(parts).collect();
    plan.each(
        &mut parts,
        || (),
        |(), index, (ids, part)| {
            // The memory of a block is freed before the next one is copied.
            for (new, old) in part.iter_mut().zip(std::mem::take(ids)) {
                *new = if old > below { renumber[index][(old - below - 1) as usize] } else { old };
            }
            Ok(())
        },
    )?;
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("第{i}款 红色连衣裙 A{}", i % 7)).collect()
    }

    fn spell(tokens: &Tokens, vocab: &Vocab, text: usize) -> String {
        tokens.get(text).iter().map(|&id| vocab.token(id).expect("a known token")).collect()
    }

    #[test]
    fn blocks_and_threads_do_not_change_ids() {
        let texts = sample(1000);
        let uncut = Uncut { tokenizer: &Tokenizer::Muge, texts: &texts };
        let run = |threads| tokenize(&uncut, None, &Plan::new(Some(threads))).unwrap();
        let (one, vocab) = run(1);
        for threads in 2..4 {
            assert_eq!((&run(threads).0.ids, &run(threads).0.ends), (&one.ids, &one.ends));
        }
        for text in [0, 63, 64, 999] {
            assert_eq!(spell(&one, &vocab, text), texts[text].replace(' ', ""));
        }
    }

    #[test]
    fn a_base_vocabulary_is_not_renumbered() {
        let (_, base) =
            tokenize(&Uncut { tokenizer: &Tokenizer::Muge, texts: &["红裙"] }, None, &Plan::new(None)).unwrap();
        let base = Arc::new(base);
        let texts = sample(300);
        let uncut = Uncut { tokenizer: &Tokenizer::Muge, texts: &texts };
        let (tokens, vocab) = tokenize(&uncut, Some(&base), &Plan::new(None)).unwrap();
        assert_eq!(vocab.get("红"), Some(1));
        assert!((0..300).all(|text| spell(&tokens, &vocab, text) == texts[text].replace(' ', "")));
    }

    #[test]
    fn split_texts_keep_their_tokens() {
        let cut = vec![vec!["连衣裙", "A"], vec![], vec!["", "连衣裙"]];
        let (tokens, _) = tokenize(&Cut(&cut), None, &Plan::new(None)).unwrap();
        assert_eq!([tokens.get(0), tokens.get(1), tokens.get(2)], [&[1, 2][..], &[], &[3, 1]]);
        assert_eq!(tokens.token_count(0..3), 4);
    }
}
