//! Normalization of plain texts: those without quotes, dashes, control characters and other rare things, in one pass.
//!
//! Most captions are plain. Their words are those that [`super::normalize`] finds in several passes.

use std::collections::HashMap;

use super::normalize::{Prefix, is_alnum, is_other_space, lower};
use crate::text::Sink;

/// Where a word or a mark ends: before a space, before a character that is a whole word, and at the end.
fn is_border(next: Option<&char>) -> bool {
    next.is_none_or(|&c| c == ' ' || !(is_alnum(u32::from(c)) || c == '.' || c == ','))
}

/// Return whether a text has only characters that [`cut`] knows, in places where they do not interfere.
pub(super) fn is_plain(text: &[char]) -> bool {
    let is_known = |(index, &c): (usize, &char)| match c {
        // The name that stands for dots has these two letters.
        'M' => index == 0 || text[index - 1] != 'T',
        '.' | ',' => is_border(text.get(index + 1)),
        '\'' | '`' | '‘' | '’' | '“' | '”' | '-' | '–' => false,
        ' '..='~' => true,
        _ => c > '~' && !is_alnum(u32::from(c)),
    };
    text.iter().enumerate().all(is_known)
}

/// Send the words of a plain text to `sink`.
pub(super) fn cut(text: &[char], prefixes: &HashMap<Box<str>, Prefix>, word: &mut String, sink: &mut impl Sink) {
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if !first.is_ascii_alphanumeric() {
            if first != ' ' && !is_other_space(u32::from(first)) {
                sink.char(lower(first));
            }
            rest = after;
            continue;
        }
        let length = rest.iter().take_while(|c| c.is_ascii_alphanumeric()).count();
        let letters;
        (letters, rest) = rest.split_at(length);
        let dot = rest.first() == Some(&'.');
        let keeps_dot = dot && keeps_dot(letters, &rest[1..], prefixes, word);
        if length == 1 && !keeps_dot {
            sink.char(first.to_ascii_lowercase());
        } else {
            word.clear();
            word.extend(letters.iter().map(char::to_ascii_lowercase));
            if keeps_dot {
                word.push('.');
            }
            sink.word(word);
        }
        rest = &rest[usize::from(keeps_dot)..];
    }
}

/// Whether the dot after a word belongs to it, by what follows.
fn keeps_dot(letters: &[char], after: &[char], prefixes: &HashMap<Box<str>, Prefix>, word: &mut String) -> bool {
    let following = after.iter().copied().find(|&c| c != ' ').unwrap_or_default();
    word.clear();
    word.extend(letters);
    following.is_ascii_lowercase()
        || match prefixes.get(word.as_str()) {
            Some(Prefix::Always) => true,
            Some(Prefix::BeforeNumber) => following.is_ascii_digit(),
            None => false,
        }
}
