//! Text that is already tokenized: split at white space as Python defines it.

use super::Sink;

/// Return whether Python's `str.isspace` holds for `c`: Unicode's white space and the separators U+001C to U+001F.
#[inline]
pub fn is_space(c: char) -> bool {
    // Chinese characters, by far the most frequent, lie above.
    c <= '\u{3000}' && (c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}

/// Return whether a text is empty or has only white space, as Python's `str.strip` defines it.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// Split a text; `word` is a buffer.
pub(super) fn cut(chars: impl Iterator<Item = char>, word: &mut String, sink: &mut impl Sink) {
    word.clear();
    // The first character of a token while it is the only one: most tokens have one character.
    let mut only = None;
    for c in chars {
        if is_space(c) {
            flush(only.take(), word, sink);
        } else if only.is_none() && word.is_empty() {
            only = Some(c);
        } else {
            word.extend(only.take());
            word.push(c);
        }
    }
    flush(only, word, sink);
}

#[inline]
fn flush(only: Option<char>, word: &mut String, sink: &mut impl Sink) {
    if let Some(c) = only {
        sink.char(c);
    } else if !word.is_empty() {
        sink.word(word);
        word.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut tokens = vec![];
        cut(text.chars(), &mut String::new(), &mut tokens);
        tokens
    }

    #[test]
    fn splits_like_python_str_split() {
        assert_eq!(tokens(" 红色\u{3000}连衣裙 \t\r\n夏\u{1c}季\u{85}"), ["红色", "连衣裙", "夏", "季"]);
        assert_eq!(tokens(" \n "), [""; 0]);
    }

    #[test]
    fn nothing_above_the_ideographic_space_is_white() {
        assert!(('\u{3001}'..=char::MAX).all(|c| !c.is_whitespace()));
    }

    #[test]
    fn zero_width_characters_are_not_white_space() {
        assert_eq!(tokens("a\u{200b}b\u{feff}"), ["a\u{200b}b\u{feff}"]);
    }
}
