//! jieba's format of user dictionaries: jieba's `load_userdict`.
//!
//! Each line has a word, then optionally a frequency, then optionally a tag, which is ignored.

use super::Scratch;
use super::dictionary::Dictionary;
use super::letters::{Letter, chars};
use crate::error::{Error, Result};

/// A line of a user dictionary.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    word: &'a str,
    /// Decimal digits.
    frequency: Option<&'a str>,
}

/// Add the words of `text` to the dictionary, in order: a missing frequency depends on the words before.
pub(super) fn load(text: &str, dictionary: &mut Dictionary) -> Result<()> {
    let mut scratch = Scratch::default();
    for (number, line) in (1..).zip(text.split('\n')) {
        let Some(line) = parse(line) else { continue };
        let frequency = match line.frequency {
            None => suggest(line.word, dictionary, &mut scratch),
            // Digits that do not parse are too many; this is over the limit too.
            Some(digits) => digits.parse().unwrap_or(u64::MAX),
        };
        if dictionary.insert(line.word, frequency).is_none() {
            let limit = Dictionary::MAX_TOTAL;
            let problem =
                format!("line {number}: frequencies (with those of jieba's dictionary) sum to more than {limit}");
            return Err(Error::Invalid { parameter: "user_dict", problem });
        }
    }
    Ok(())
}

/// Split a line like the pattern `^(.+?)( [0-9]+)?( [a-z]+)?$`, `None` for an empty one.
fn parse(line: &str) -> Option<Line<'_>> {
    // jieba strips bytes, so only ASCII white space, then byte order marks.
    let line = line.trim_matches(|c| matches!(c, '\t'..='\r' | ' ')).trim_start_matches('\u{feff}');
    let head = without_last(line, |c| c.is_ascii_lowercase()).map_or(line, |(head, _)| head);
    let (word, frequency) = match without_last(head, |c| c.is_ascii_digit()) {
        Some((word, digits)) => (word, Some(digits)),
        None => (head, None),
    };
    (!word.is_empty()).then_some(Line { word, frequency })
}

/// Split off a last field of such characters, unless nothing would remain.
fn without_last(line: &str, predicate: fn(char) -> bool) -> Option<(&str, &str)> {
    let (head, field) = line.rsplit_once(' ')?;
    (!head.is_empty() && !field.is_empty() && field.chars().all(predicate)).then_some((head, field))
}

/// Return the smallest frequency that makes `word` a token: jieba's `suggest_freq`.
fn suggest(word: &str, dictionary: &Dictionary, scratch: &mut Scratch) -> u64 {
    let total = dictionary.total as f64;
    let mut probability = 1.0;
    cut_by_dictionary(word, dictionary, scratch, |piece| {
        probability *= dictionary.frequency(chars(piece)).unwrap_or(1) as f64 / total;
    });
    let enough = (probability * total) as u64 + 1;
    enough.max(dictionary.frequency(word.chars()).unwrap_or(1))
}

/// Split without the hidden Markov model; single letters and digits are joined: jieba's `__cut_DAG_NO_HMM`.
fn cut_by_dictionary(text: &str, dictionary: &Dictionary, scratch: &mut Scratch, mut sink: impl FnMut(&[Letter])) {
    let (letters, steps, _) = scratch.read(text.chars(), dictionary);
    let is_joined = |at: usize| steps[at].length == 1 && letters[at].char.is_ascii_alphanumeric();
    let mut at = 0;
    while at < steps.len() {
        let start = at;
        while at < steps.len() && is_joined(at) {
            at += 1;
        }
        if at == start {
            at += steps[at].length.max(1);
        }
        sink(&letters[start..at]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_from_the_end() {
        let fields = |line| parse(line).map(|line| (line.word, line.frequency));
        assert_eq!(fields("云计算 5 n"), Some(("云计算", Some("5"))));
        assert_eq!(fields("云计算 5"), Some(("云计算", Some("5"))));
        assert_eq!(fields("云计算 n\r"), Some(("云计算", None)));
        assert_eq!(fields("Edu Trust认证 2000"), Some(("Edu Trust认证", Some("2000"))));
        assert_eq!(fields("a b c"), Some(("a b", None)));
        assert_eq!(fields("x  3"), Some(("x ", Some("3"))));
        assert_eq!(fields("好 3 N"), Some(("好 3 N", None)));
        assert_eq!(fields("\u{feff}\u{feff} 5 n"), Some((" 5", None)));
        assert_eq!(fields("3 n"), Some(("3", None)));
        assert_eq!(fields("\u{3000}"), Some(("\u{3000}", None)));
        assert_eq!([fields(""), fields(" \t\x0b"), fields("\u{feff}")], [None; 3]);
    }

    /// `jieba.load_userdict`, then `jieba.dt.FREQ` and `jieba.dt.total` (jieba 0.42.1).
    #[test]
    fn missing_frequencies_depend_on_the_words_before() {
        let mut dictionary = Dictionary::new();
        load("台中\n江南大桥\n南京市\nγ射线\nγ\nabcd\nabc", &mut dictionary).expect("a good dictionary");
        let frequency = |word: &str| dictionary.frequency(word.chars());
        assert_eq!(["台中", "江南大桥", "南京市"].map(frequency), [Some(69), Some(1), Some(2047)]);
        assert_eq!(["γ射线", "γ", "abcd", "abc"].map(frequency), [Some(3), Some(1), Some(2), Some(1)]);
        assert_eq!(["ab", "b"].map(frequency), [Some(0), None]);
        assert_eq!(dictionary.total, 60_104_091);
    }
}
