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

/// So many texts are cut in two blocks, each with a vocabulary of its own.
const TWO_BLOCKS: usize = 65;

type Named = (&'static str, Tokenizer);

static TOKENIZERS: LazyLock<Vec<Named>> =
    LazyLock::new(|| Tokenizer::NAMES.iter().map(|&name| (name, Tokenizer::named(name, None).unwrap())).collect());

/// jieba with a word that takes no part in anything. User dictionaries have code of their own, with the same result.
static IDLE: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::named("jieba", Some("\u{10ffff} 0")).unwrap());

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
        lead_back(&Uncut { tokenizer, texts: &[&text] }, slice::from_ref(&tokens));
        all.push(tokens);
    }
    lead_back(&Cut(&all), &all);
    let lines: Vec<&str> = text.split('\n').collect();
    let lines: Vec<&str> = lines.iter().copied().cycle().take(lines.len().max(TWO_BLOCKS)).collect();
    let tokens: Vec<_> = lines.iter().map(|line| muge(line)).collect();
    lead_back(&Uncut { tokenizer: &Tokenizer::Muge, texts: &lines }, &tokens);
    if let Some(user_dict) = user_dict {
        load(&user_dict, &text);
    }
}

fn cut(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let mut tokens = vec![];
    tokenizer.cut(text, &mut Scratch::default(), &mut tokens);
    tokens
}

/// Compare tokens with the definition, or with what is known of them where the definition is long.
fn compare(name: &str, text: &str, tokens: &[String]) {
    match name {
        "muge" => assert_eq!(tokens, muge(text)),
        "char" => assert_eq!(tokens, chars(text)),
        "whitespace" => assert_eq!(tokens, text.split(is_space).filter(|token| !token.is_empty()).collect::<Vec<_>>()),
        "space" => assert_eq!(tokens, text.split(' ').collect::<Vec<_>>()),
        "jieba" => assert_eq!(tokens, cut(&IDLE, text)),
        "13a" => assert_eq!(tokens, mteval_13a(text)),
        "zh" if text.is_ascii() => assert_eq!(tokens, expressions(text.trim_matches(is_space))),
        "zh" => {}
        _ => panic!("{name} has no definition here"),
    }
    let joined = tokens.concat();
    match name {
        "jieba" => assert_eq!(joined, text),
        "space" => assert_eq!(joined, text.replace(' ', "")),
        // Replaces some of the text.
        "13a" => {}
        _ => assert_eq!(joined, text.replace(is_space, "")),
    }
    assert!(name == "space" || tokens.iter().all(|token| !token.is_empty()));
}

/// What an earlier text has left in the buffers must not show.
fn compare_after(tokenizer: &Tokenizer, other: &str, text: &str, tokens: &[String]) {
    let mut scratch = Scratch::default();
    let mut ignored: Vec<String> = vec![];
    tokenizer.cut(other, &mut scratch, &mut ignored);
    let mut again: Vec<String> = vec![];
    tokenizer.cut(text, &mut scratch, &mut again);
    assert_eq!(again, tokens);
}

/// Ids are given out in the order of first occurrence, lead back to the tokens, and stay as they are in a second round.
fn lead_back(texts: &impl Texts, wanted: &[Vec<String>]) {
    let plan = Plan::new(Some(3));
    let (tokens, vocab) = tokenize(texts, None, &plan).unwrap();
    let mut known = 0;
    assert_eq!(tokens.len(), wanted.len());
    for (text, wanted) in wanted.iter().enumerate() {
        assert_eq!(tokens.count(text..text + 1), wanted.len());
        for (&id, token) in tokens.get(text).iter().zip(wanted) {
            assert!((1..=known + 1).contains(&id));
            known = known.max(id);
            assert_eq!((vocab.token(id).as_deref(), vocab.get(token)), (Some(token.as_str()), Some(id)));
        }
    }
    assert_eq!(vocab.max_id(), known);

    let vocab = Arc::new(vocab);
    let (again, same) = tokenize(texts, Some(&vocab), &plan).unwrap();
    assert!((0..wanted.len()).all(|text| again.get(text) == tokens.get(text)));
    assert!((0..=known + 1).all(|id| same.token(id) == vocab.token(id)));
    assert_eq!(same.max_id(), known);
}

/// A user dictionary is loaded or refused, and jieba still gives the whole text.
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
    let sign = |c| matches!(c, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/');
    let point = |c| matches!(c, '.' | ',');
    let digit = |c: char| c.is_ascii_digit();
    let text: String = text.chars().map(|c| if sign(c) { format!(" {c} ") } else { c.into() }).collect();
    let text = replace_pairs(&text, |a, b| (!digit(a) && point(b)).then(|| format!("{a} {b} ")));
    let text = replace_pairs(&text, |a, b| (point(a) && !digit(b)).then(|| format!(" {a} {b}")));
    let text = replace_pairs(&text, |a, b| (digit(a) && b == '-').then(|| format!("{a} {b} ")));
    text.split(is_space).filter(|token| !token.is_empty()).map(String::from).collect()
}

/// Replace pairs of characters from left to right, none of which overlap.
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
