//! sacrebleu's `13a`, the tokenizer of mteval-v13a.pl, and the regular expressions that it shares with `zh`.
//!
//! Defined by `tokenizer_13a.py` and `tokenizer_re.py` of sacrebleu 2.6.0. The expressions only insert spaces, so they
//! decide which characters become single tokens, and one pass can do the same. With "point" for `.` and `,`, they say:
//!
//! 1. ``[\{-\~\[-\` -\&\(-\+\:-\@\/]``: ASCII punctuation other than `'`, `,`, `-` and `.` is a single token.
//! 2. `([^0-9])([\.,])`: a point is separated if the character before it is not a digit, and not a point that an earlier
//!    match has consumed.
//! 3. `([\.,])([^0-9])`: a point before anything but a digit is separated. The second expression has put a space between
//!    any two points by then, so matches of this one do not overlap.
//! 4. `([0-9])(-)`: a dash after a digit is separated.

use std::mem::swap;

use super::{Sink, is_space};

/// The replacements of `13a` before it splits, in this order, each in the result of the one before.
///
/// sacrebleu also replaces the remaining newlines by spaces, which no expression distinguishes.
const REPLACED: [(&str, &str); 6] =
    [("<skipped>", ""), ("-\n", ""), ("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];

/// The text after and before the current replacement.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    text: String,
    before: String,
}

/// Split a text as `13a` does in BLEU, which strips the end of the text first.
pub(super) fn cut(text: &str, scratch: &mut Scratch, sink: &mut impl Sink) {
    let text = text.trim_end_matches(is_space);
    if text.bytes().any(|byte| matches!(byte, b'<' | b'\n' | b'&')) {
        replace(text, scratch);
        cut_line(&scratch.text, true, |_| false, sink);
    } else {
        cut_line(text, true, |_| false, sink);
    }
}

/// Write `text` with all replacements of [`REPLACED`] to `scratch.text`.
fn replace(text: &str, Scratch { text: result, before }: &mut Scratch) {
    result.clear();
    result.push_str(text);
    for (old, new) in REPLACED {
        if !result.contains(old) {
            continue;
        }
        swap(result, before);
        result.clear();
        let mut rest = before.as_str();
        while let Some((head, tail)) = rest.split_once(old) {
            result.push_str(head);
            result.push_str(new);
            rest = tail;
        }
        result.push_str(rest);
    }
}

/// Split a text by the four expressions and at white space. Characters for which `single` holds are single tokens too.
///
/// `padded` means that there are spaces around `text`. Without them a point at either edge has no neighbour to match.
pub(super) fn cut_line(text: &str, padded: bool, single: impl Fn(char) -> bool, sink: &mut impl Sink) {
    let mut before = Before { digit: false, free: padded };
    let mut word = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let space = is_space(c);
        // Both operands are evaluated: the first also updates the state.
        if before.separates(c, text.as_bytes().get(end), padded) | (space || !c.is_ascii() && single(c)) {
            if word < at {
                sink.word(&text[word..at]);
            }
            if !space {
                sink.char(c);
            }
            word = end;
        }
    }
    if word < text.len() {
        sink.word(&text[word..]);
    }
}

/// The state of the expressions after the previous character.
struct Before {
    /// The character is an ASCII digit.
    digit: bool,
    /// The second expression may match it: there is one, and it is neither a digit nor a point that has been consumed.
    free: bool,
}

impl Before {
    /// Return whether the expressions make `c` a single token, `next` being the byte that follows; updates the state.
    fn separates(&mut self, c: char, next: Option<&u8>, padded: bool) -> bool {
        let Self { digit, free } = *self;
        self.digit = c.is_ascii_digit();
        self.free = !self.digit;
        match c {
            '.' | ',' => {
                self.free = !free;
                free || next.map_or(padded, |byte| !byte.is_ascii_digit())
            }
            '-' => digit,
            '!'..='&' | '('..='+' | '/' | ':'..='@' | '['..='`' | '{'..='~' => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    //! The expected tokens are those of sacrebleu 2.6.0.

    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut tokens = vec![];
        // The buffers of an earlier text must not matter.
        let mut scratch = Scratch { text: "old".to_owned(), before: "older".to_owned() };
        cut(text, &mut scratch, &mut tokens);
        tokens
    }

    #[test]
    fn punctuation_is_separated() {
        let expected = ["Hello", ",", "world", "!", "It's", "50", "%", "(", "new", "/", "old", ")", "."];
        assert_eq!(tokens("Hello, world! It's 50% (new/old)."), expected);
        assert_eq!(tokens("a~b!c\u{7f}d"), ["a", "~", "b", "!", "c\u{7f}d"]);
        assert_eq!(tokens("—…“”→①☆、。！Ａ０"), ["—…“”→①☆、。！Ａ０"]);
    }

    #[test]
    fn points_stay_between_ascii_digits() {
        assert_eq!(
            tokens(".5 1,000.5 5,x a,5 5, x"),
            [".", "5", "1,000.5", "5", ",", "x", "a", ",", "5", "5", ",", "x"]
        );
        assert_eq!(tokens("٣.٤ ²,½"), ["٣", ".", "٤", "²", ",", "½"]);
        assert_eq!(tokens("红色,2.5折 3,000"), ["红色", ",", "2.5折", "3,000"]);
        assert_eq!(tokens("5."), ["5", "."]);
    }

    #[test]
    fn points_in_a_row_are_matched_in_pairs() {
        assert_eq!(tokens("a,,b a,,,b"), ["a", ",", ",", "b", "a", ",", ",", ",", "b"]);
        assert_eq!(tokens("1,,2 1,,,2 ...5"), ["1", ",", ",", "2", "1", ",", ",", ",2", ".", ".", ".", "5"]);
    }

    #[test]
    fn a_dash_after_a_digit_is_separated() {
        assert_eq!(tokens("79-81 iPhone-12 --5-- -5"), ["79", "-", "81", "iPhone-12", "--5", "-", "-", "-5"]);
    }

    #[test]
    fn skipped_marks_and_broken_lines_are_joined_in_that_order() {
        assert_eq!(tokens("a-\nb"), ["ab"]);
        assert_eq!(tokens("a-\n"), ["a-"]);
        assert_eq!(tokens("a-<skipped>\nb<skipped>c"), ["abc"]);
        assert_eq!(tokens("<skip<skipped>ped>"), ["<", "skipped", ">"]);
        assert_eq!(tokens("x\n.5\n."), ["x", ".", "5", "."]);
    }

    #[test]
    fn entities_are_replaced_one_kind_after_the_other() {
        let expected = ["<", "&", "quot", ";", "<", "b", ">", "\"", "x", "\"", "&", "amp", ";"];
        assert_eq!(tokens("&amp;lt; &amp;quot; &lt;b&gt; &quot;x&quot; &amp;amp;"), expected);
        assert_eq!(tokens("&lt;skipped&gt;"), ["<", "skipped", ">"]);
    }

    #[test]
    fn white_space_is_that_of_python() {
        assert_eq!(tokens(" \u{3000} a\u{1c}.b\u{1c}.\u{85} \n"), ["a", ".", "b", "."]);
        assert_eq!(tokens("a\u{1c}b\u{85}c\u{3000}d\u{200b}e"), ["a", "b", "c", "d\u{200b}e"]);
        assert_eq!(tokens(""), [""; 0]);
    }
}
