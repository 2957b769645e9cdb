//! The PTB tokenizer: changed class files are refused or read, and the captions of one call do not depend on threads.
//!
//! The class file is not part of this repository. `run` takes it from the `pycocoevalcap` of `.venv`, and names it in the
//! environment variable `MUGE_FAST_PTB_CLASS`. Without it, the reader of class files is all that is fuzzed.

#![no_main]

use std::sync::LazyLock;
use std::{env, fs};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use muge_fast_core::Plan;
use muge_fast_core::text::tokenizers::ptb::{PUNCTUATION, Ptb};
use muge_fast_core::text::{Scratch, Tokenizer, is_space};

static CLASS: LazyLock<Vec<u8>> =
    LazyLock::new(|| env::var_os("MUGE_FAST_PTB_CLASS").map_or_else(Vec::new, |path| fs::read(path).unwrap()));
static PTB: LazyLock<Option<Tokenizer>> = LazyLock::new(|| tokenizer(&CLASS));

/// Captions of more UTF-16 units than this are read in several parts.
const PART: usize = 1 << 16;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Bytes of the class file that are replaced, with the places in it; or a class file.
    changes: Vec<(u32, u8)>,
    class: &'a [u8],
    is_long: bool,
    captions: Vec<&'a str>,
}

fuzz_target!(|input: Input<'_>| {
    let _ = Ptb::from_class(input.class);
    let captions = &input.captions;
    if let Some(changed) = changed(&input.changes) {
        // Nonsense, but an end.
        captions.iter().for_each(|caption| drop(cut(&changed, caption)));
        lines(&changed, captions, 2);
    }
    let Some(ptb) = PTB.as_ref() else { return };
    for caption in captions {
        let tokens = cut(ptb, caption);
        assert!(tokens.iter().all(|token| !token.is_empty() && !PUNCTUATION.contains(&token.as_str())), "{tokens:?}");
        // A line break is a space; so is each character that breaks a line.
        assert_eq!(tokens, cut(ptb, &caption.replace('\n', " ")));
        assert_eq!(cut(ptb, &format!(" {caption}")), tokens);
    }
    let length: usize = captions.iter().map(|caption| caption.len() + 1).sum();
    let captions = captions.repeat(if input.is_long { 3 * PART / length.max(1) } else { 1 });
    let one = lines(ptb, &captions, 1);
    assert_eq!(one, lines(ptb, &captions, 3));
    assert!(captions.is_empty() || one.len() >= captions.len(), "{} lines", one.len());
    assert!(one.iter().all(|line| line.split(' ').all(|token| !PUNCTUATION.contains(&token))));
    assert!(one.iter().all(|line| !line.contains('\n') && line.trim_end_matches(is_space) == line));
});

fn tokenizer(class: &[u8]) -> Option<Tokenizer> {
    Ptb::from_class(class).ok().map(|ptb| Tokenizer::Ptb(Box::new(ptb)))
}

/// Return the tokenizer of a changed class file, if there are changes and it is one.
fn changed(changes: &[(u32, u8)]) -> Option<Tokenizer> {
    let mut class = CLASS.clone();
    for &(place, byte) in changes.iter().take(4) {
        let place = place as usize % class.len().max(1);
        *class.get_mut(place)? = byte;
    }
    if changes.is_empty() { None } else { tokenizer(&class) }
}

fn cut(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let mut tokens = vec![];
    tokenizer.cut(text, &mut Scratch::default(), &mut tokens);
    tokens
}

fn lines(tokenizer: &Tokenizer, captions: &[&str], threads: usize) -> Vec<String> {
    let Tokenizer::Ptb(ptb) = tokenizer else { unreachable!("made above") };
    ptb.lines(captions.iter().copied(), &Plan::new(Some(threads))).unwrap()
}
