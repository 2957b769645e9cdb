//! The rule of the MUGE caption task: a Chinese character is a token, a run of ASCII letters and digits is a token, white
//! space separates, and any other character (punctuation, other scripts) is one token. Nothing is lower-cased.

use super::{Sink, is_space};

/// Split a text; `word` is a buffer.
pub(super) fn cut(chars: impl Iterator<Item = char>, word: &mut String, sink: &mut impl Sink) {
    word.clear();
    for c in chars {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        flush(word, sink);
        if !is_space(c) {
            sink.char(c);
        }
    }
    flush(word, sink);
}

#[inline]
fn flush(word: &mut String, sink: &mut impl Sink) {
    if !word.is_empty() {
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
    fn runs_of_ascii_letters_and_digits_stay_whole() {
        assert_eq!(
            tokens("新款A字裙，XL2码 5.5折"),
            ["新", "款", "A", "字", "裙", "，", "XL2", "码", "5", ".", "5", "折"]
        );
    }

    #[test]
    fn other_scripts_and_full_width_forms_are_single_characters() {
        assert_eq!(tokens("ＡＢ１２ é ёж👍🏻"), ["Ａ", "Ｂ", "１", "２", "é", "ё", "ж", "👍", "🏻"]);
    }

    #[test]
    fn white_space_only_separates() {
        assert_eq!(tokens(" ab\u{3000}cd\n"), ["ab", "cd"]);
        assert_eq!(tokens(""), [""; 0]);
    }
}
