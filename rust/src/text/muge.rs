//! The rule of the MUGE caption task: a Chinese character is a token, a run of ASCII letters and digits is a
//! token, white space separates, and any other character (punctuation, other scripts) is a token of its own.
//! Nothing is lower-cased.

use super::{Sink, is_space};

pub(super) fn cut(text: &str, sink: &mut impl Sink) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !c.is_ascii_alphanumeric() {
            if !is_space(c) {
                sink.char(c);
            }
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let run = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        sink.word(&rest[..run]);
        rest = &rest[run..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut tokens = vec![];
        cut(text, &mut tokens);
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
