//! Every tokenizer over any text.
//!
//! The input is a text and, after the first byte 0xFF (which no UTF-8 has), a user dictionary for jieba.

#![no_main]

use std::slice;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use muge_fast_core::text::tokens::{Cut, Texts, Uncut, tokenize};
use muge_fast_core::text::{Scratch, Tokenizer, is_space};
use muge_fast_core::{Error, Plan};

/// This many texts are tokenized in two blocks, each with its own vocabulary.
const TWO_BLOCKS: usize = 65;

type Named = (&'static str, Tokenizer);

static TOKENIZERS: LazyLock<Vec<Named>> =
    LazyLock::new(|| Tokenizer::NAMES.iter().map(|&name| (name, Tokenizer::named(name, None).unwrap())).collect());

/// jieba with a word that never occurs: the code for user dictionaries must have the same result.
static UNUSED_DICT: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::named("jieba", Some("\u{10ffff} 0")).unwrap());

fuzz_target!(|data: &[u8]| run(data));

fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == 0xff).map(String::from_utf8_lossy);
    let text = parts.next().unwrap_or_default();
    let user_dict = parts.next();
    let other = user_dict.as_deref().unwrap_or("红色连衣裙 &amp; 5.5");
    let mut all = vec![];
    for (name, tokenizer) in TOKENIZERS.iter() {
        let tokens = cut(tokenizer, &text);
        compare(name, &text, &tokens);
        compare_after(tokenizer, other, &text, &tokens);
        check_ids(&Uncut { tokenizer, texts: &[&text] }, slice::from_ref(&tokens));
        all.push(tokens);
    }
    check_ids(&Cut(&all), &all);
    let lines: Vec<&str> = text.split('\n').collect();
    let lines: Vec<&str> = lines.iter().copied().cycle().take(lines.len().max(TWO_BLOCKS)).collect();
    let tokens: Vec<_> = lines.iter().map(|line| muge(line)).collect();
    check_ids(&Uncut { tokenizer: &Tokenizer::Muge, texts: &lines }, &tokens);
    if let Some(user_dict) = user_dict {
        load(&user_dict, &text);
    }
}

fn cut(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let mut tokens = vec![];
    tokenizer.cut(text, &mut Scratch::default(), &mut tokens);
    tokens
}

/// Compare tokens with a plain definition, or check their properties where the definition is long.
fn compare(name: &str, text: &str, tokens: &[String]) {
    match name {
        "muge" => assert_eq!(tokens, muge(text)),
        "char" => assert_eq!(tokens, chars(text)),
        "whitespace" => assert_eq!(tokens, text.split(is_space).filter(|token| !token.is_empty()).collect::<Vec<_>>()),
        "space" => assert_eq!(tokens, text.split(' ').collect::<Vec<_>>()),
        "jieba" => assert_eq!(tokens, cut(&UNUSED_DICT, text)),
        "13a" => assert_eq!(tokens, mteval_13a(text)),
        "zh" if text.is_ascii() => assert_eq!(tokens, expressions(text.trim_matches(is_space))),
        "zh" => {}
        _ => panic!("{name} has no plain definition"),
    }
    let joined = tokens.concat();
    match name {
        "jieba" => assert_eq!(joined, text),
        "space" => assert_eq!(joined, text.replace(' ', "")),
        // It replaces some of the text.
        "13a" => {}
        _ => assert_eq!(joined, text.replace(is_space, "")),
    }
    assert!(name == "space" || tokens.iter().all(|token| !token.is_empty()));
}

/// Check that buffers used for an earlier text do not matter.
fn compare_after(tokenizer: &Tokenizer, other: &str, text: &str, tokens: &[String]) {
    let mut scratch = Scratch::default();
    let mut ignored: Vec<String> = vec![];
    tokenizer.cut(other, &mut scratch, &mut ignored);
    let mut again: Vec<String> = vec![];
    tokenizer.cut(text, &mut scratch, &mut again);
    assert_eq!(again, tokens);
}

/// Check that ids are assigned in the order of first occurrence, map back to the tokens, and are the same in a second run.
fn check_ids(texts: &impl Texts, expected: &[Vec<String>]) {
    let plan = Plan::new(Some(3));
    let (tokens, vocab) = tokenize(texts, None, &plan).unwrap();
    let mut largest = 0;
    assert_eq!(tokens.len(), expected.len());
    for (text, expected) in expected.iter().enumerate() {
        assert_eq!(tokens.token_count(text..text + 1), expected.len());
        for (&id, token) in tokens.get(text).iter().zip(expected) {
            assert!((1..=largest + 1).contains(&id));
            largest = largest.max(id);
            assert_eq!((vocab.token(id).as_deref(), vocab.get(token)), (Some(token.as_str()), Some(id)));
        }
    }
    assert_eq!(vocab.max_id(), largest);

    let vocab = Arc::new(vocab);
    let (again, same) = tokenize(texts, Some(&vocab), &plan).unwrap();
    assert!((0..expected.len()).all(|text| again.get(text) == tokens.get(text)));
    assert!((0..=largest + 1).all(|id| same.token(id) == vocab.token(id)));
    assert_eq!(same.max_id(), largest);
}

/// Check that a user dictionary is loaded or is an error, and that jieba keeps the whole text.
fn load(user_dict: &str, text: &str) {
    match Tokenizer::named("jieba", Some(user_dict)) {
        Ok(jieba) => {
            assert_eq!(cut(&jieba, text).concat(), text);
            assert_eq!(cut(&jieba, user_dict).concat(), user_dict);
        }
        Err(Error::Invalid { parameter: "user_dict", .. }) => {}
        Err(error) => panic!("{error}"),
    }
    assert!(Tokenizer::named("muge", Some(user_dict)).is_err());
}

fn chars(text: &str) -> Vec<String> {
    text.chars().filter(|&c| !is_space(c)).map(String::from).collect()
}

fn muge(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = vec![];
    let mut before = ' ';
    for c in text.chars() {
        if c.is_ascii_alphanumeric() && before.is_ascii_alphanumeric() {
            tokens.last_mut().unwrap().push(c);
        } else if !is_space(c) {
            tokens.push(c.into());
        }
        before = c;
    }
    tokens
}

fn mteval_13a(text: &str) -> Vec<String> {
    const REPLACED: [(&str, &str); 7] =
        [("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
    let text = text.trim_end_matches(is_space).to_owned();
    let text = REPLACED.iter().fold(text, |text, (old, new)| text.replace(old, new));
    expressions(&format!(" {text} "))
}

/// The regular expressions that `13a` and `zh` share, one after the other.
fn expressions(text: &str) -> Vec<String> {
    let is_sign = |c| matches!(c, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/');
    let is_point = |c| matches!(c, '.' | ',');
    let is_digit = |c: char| c.is_ascii_digit();
    let text: String = text.chars().map(|c| if is_sign(c) { format!(" {c} ") } else { c.into() }).collect();
    let text = replace_pairs(&text, |a, b| (!is_digit(a) && is_point(b)).then(|| format!("{a} {b} ")));
    let text = replace_pairs(&text, |a, b| (is_point(a) && !is_digit(b)).then(|| format!(" {a} {b}")));
    let text = replace_pairs(&text, |a, b| (is_digit(a) && b == '-').then(|| format!("{a} {b} ")));
    text.split(is_space).filter(|token| !token.is_empty()).map(String::from).collect()
}

/// Replace pairs of characters from left to right, without overlaps.
fn replace_pairs(text: &str, replacement: impl Fn(char, char) -> Option<String>) -> String {
    let mut result = String::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        match chars.peek().and_then(|&second| replacement(first, second)) {
            Some(pair) => {
                result += &pair;
                chars.next();
            }
            None => result.push(first),
        }
    }
    result
}
