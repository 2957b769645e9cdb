//! sacrebleu's `zh`: every Chinese character is a token, the rest is split by the expressions of `13a`.
//!
//! Defined by `tokenizer_zh.py` of sacrebleu 2.6.0 (Shujian Huang's tokenizer).

use super::{Sink, is_space, mteval13a};

/// Split a text as `zh` does, which strips it first.
pub(super) fn cut(text: &str, sink: &mut impl Sink) {
    mteval13a::cut_line(text.trim_matches(is_space), false, is_chinese, sink);
}

/// Return whether `zh` treats a character as Chinese: many signs and arrows, but no kana and nothing from Extension B on.
///
/// The definition means the ranges U+20000 to U+2A6D6 and U+2F800 to U+2FA1D, but writes them with four digits and one more
/// character: `'\u20000'` is U+2000 and a zero. Python compares such strings character by character, so these ranges are
/// U+2001 to U+2A6D and U+2F81 to U+2FA1.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fbb}'
        | '\u{2001}'..='\u{2a6d}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31ef}'
        | '\u{3200}'..='\u{4db5}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    //! The expected tokens are those of sacrebleu 2.6.0.

    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut tokens = vec![];
        cut(text, &mut tokens);
        tokens
    }

    #[test]
    fn chinese_characters_and_the_rest_as_13a() {
        let expected = ["新", "款", "2.5", "折", ",", "79", "-", "81", "元", "!", "iPhone-12"];
        assert_eq!(tokens("新款2.5折,79-81元!iPhone-12"), expected);
        assert_eq!(tokens("1,,2 1,,,2 ...5"), ["1", ",", ",", "2", "1", ",", ",", ",2", ".", ".", ".", "5"]);
    }

    #[test]
    fn many_signs_count_as_chinese() {
        let signs = ["—", "…", "“", "”", "→", "①", "☆", "、", "。", "！", "Ａ", "０"];
        assert_eq!(tokens(&signs.concat()), signs);
        assert_eq!(tokens("a\u{2000}b\u{2001}c\u{2a6d}d\u{2a6e}e"), ["a", "b", "c", "\u{2a6d}", "d\u{2a6e}e"]);
        assert_eq!(tokens("d\u{200b}e"), ["d", "\u{200b}", "e"]);
    }

    #[test]
    fn kana_and_late_han_do_not_count() {
        assert_eq!(tokens("かな,カナ-1"), ["かな", ",", "カナ-1"]);
        let late = "\u{9fbc}\u{9fff}\u{20000}\u{2f800}";
        assert_eq!(tokens(&format!("\u{9fbb}{late}")), ["\u{9fbb}", late]);
    }

    #[test]
    fn a_point_at_the_edge_stays_with_its_digit() {
        assert_eq!(tokens("\u{3000}5.\n"), ["5."]);
        assert_eq!(tokens(".5"), [".5"]);
        assert_eq!(tokens("5,,"), ["5", ",", ","]);
        assert_eq!(tokens("x."), ["x", "."]);
        assert_eq!(tokens(""), [""; 0]);
    }

    #[test]
    fn entities_and_broken_lines_stay() {
        assert_eq!(tokens("&amp;"), ["&", "amp", ";"]);
        assert_eq!(tokens("a-\nb"), ["a-", "b"]);
    }
}
