//! Every character that is not white space is a token.

use super::{Sink, is_space};

/// Split a text.
pub(super) fn cut(chars: impl Iterator<Item = char>, sink: &mut impl Sink) {
    chars.filter(|&c| !is_space(c)).for_each(|c| sink.char(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_but_white_space() {
        let mut tokens: Vec<String> = vec![];
        cut("新款 A字裙\u{3000}！".chars(), &mut tokens);
        assert_eq!(tokens, ["新", "款", "A", "字", "裙", "！"]);
    }
}
