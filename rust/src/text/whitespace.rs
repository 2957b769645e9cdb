//! Already tokenised text: split at white space, with Python's idea of what white space is.

use super::Sink;

/// Whether Python's `str.isspace` holds for `c`: Unicode's white space and the separators U+001C to U+001F.
#[inline]
pub fn is_space(c: char) -> bool {
    // Chinese characters, nearly all that is asked about, lie above.
    c <= '\u{3000}' && (c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}

pub(super) fn cut(text: &str, sink: &mut impl Sink) {
    let mut start = 0;
    let mut token = (0, '\0');
    for (place, c) in text.char_indices() {
        if is_space(c) {
            hand_over(&text[start..place], token, sink);
            start = place + c.len_utf8();
            token = (0, c);
        } else {
            token = (token.0 + 1, c);
        }
    }
    hand_over(&text[start..], token, sink);
}

/// Hand a token over, given its number of characters and the last of them.
fn hand_over(token: &str, (characters, last): (usize, char), sink: &mut impl Sink) {
    match characters {
        0 => {}
        1 => sink.char(last),
        _ => sink.word(token),
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
    fn splits_like_python_str_split() {
        assert_eq!(tokens(" 红色\u{3000}连衣裙 \t\r\n夏\u{1c}季\u{85}"), ["红色", "连衣裙", "夏", "季"]);
        assert_eq!(tokens(" \n "), [""; 0]);
    }

    #[test]
    fn nothing_above_the_ideographic_space_is_white() {
        assert!(('\u{3001}'..=char::MAX).all(|c| !c.is_whitespace()));
    }

    #[test]
    fn zero_width_characters_are_no_white_space() {
        assert_eq!(tokens("a\u{200b}b\u{feff}"), ["a\u{200b}b\u{feff}"]);
    }
}
