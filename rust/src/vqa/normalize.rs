//! Normalized forms of answers, each as its original writes it in Python.

use super::characters::{is_digit, is_punctuation};
use super::contractions::contraction;
use crate::text::is_space;

/// Marks that the evaluation of VQA removes or replaces.
const MARKS: &str = ";/[]\"{}()=+\\_-><@`,?!";

/// Points that it removes: it passes `re.UNICODE`, which is 32, where `re.sub` takes the number of replacements.
const MOST_POINTS: usize = 32;

/// How VQA's rules are varied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rules {
    /// Whether the text is in lower case first, without `,` and `?`, and `'s` is a word.
    pub words_first: bool,
    /// Whether a point after a digit stays.
    pub keep_after_digit: bool,
}

/// Return a text without line feeds and tabs, and without white space at its ends.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\t'], " ").trim_matches(is_space).to_owned()
}

/// Return the form in which VQA compares answers: no marks, digits for numbers, no articles, contractions with apostrophes.
///
/// A mark becomes a space, or nothing if the text has it next to a space anywhere, or has a comma between digits.
pub(super) fn vqa(text: &str, rules: Rules) -> String {
    let text = if rules.words_first {
        let lower = text.to_lowercase().replace([',', '?'], "").replace("'s", " 's");
        one_line(lower.trim_matches(is_space))
    } else {
        one_line(text)
    };
    words(&without_points(&without_marks(&text), rules.keep_after_digit))
}

fn without_marks(text: &str) -> String {
    let mut before: [Option<char>; 2] = [None, None];
    let (mut removed, mut has_number) = (0u32, false);
    for c in text.chars() {
        match before[1] {
            Some(last) if c == ' ' => removed |= mark(last),
            Some(' ') => removed |= mark(c),
            Some(',') => has_number |= is_digit(c) && before[0].is_some_and(is_digit),
            _ => {}
        }
        before = [before[1], Some(c)];
    }
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        let mark = mark(c);
        if mark == 0 {
            result.push(c);
        } else if !has_number && mark & removed == 0 {
            result.push(' ');
        }
    }
    result
}

/// Return the bit of a mark, zero for any other character.
fn mark(c: char) -> u32 {
    if c.is_ascii() { MARKS.find(c).map_or(0, |index| 1 << index) } else { 0 }
}

/// Return a text without the first points that no digit follows.
fn without_points(text: &str, keep_after_digit: bool) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    let (mut result, mut removed, mut before) = (String::with_capacity(text.len()), 0, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let stays = chars.peek().copied().is_some_and(is_digit) || keep_after_digit && before.is_some_and(is_digit);
        if c == '.' && removed < MOST_POINTS && !stays {
            removed += 1;
        } else {
            result.push(c);
        }
        before = Some(c);
    }
    result
}

/// Return the words of a text as VQA writes them, with one space between them.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut result = String::with_capacity(lower.len());
    for word in lower.split(is_space).filter(|word| !word.is_empty()) {
        let word = number(word).unwrap_or(word);
        if matches!(word, "a" | "an" | "the") {
            continue;
        }
        if !result.is_empty() {
            result.push(' ');
        }
        result.push_str(contraction(word).unwrap_or(word));
    }
    result
}

fn number(word: &str) -> Option<&'static str> {
    Some(match word {
        "none" | "zero" => "0",
        "one" => "1",
        "two" => "2",
        "three" => "3",
        "four" => "4",
        "five" => "5",
        "six" => "6",
        "seven" => "7",
        "eight" => "8",
        "nine" => "9",
        "ten" => "10",
        _ => return None,
    })
}

/// Return a text in lower case with one space for each run of white space, and none at its ends.
pub(super) fn collapsed(text: &str) -> String {
    let lower = text.trim_matches(is_space).to_lowercase();
    let mut result = String::with_capacity(lower.len());
    for word in lower.split(is_space).filter(|word| !word.is_empty()) {
        if !result.is_empty() {
            result.push(' ');
        }
        result.push_str(word);
    }
    result
}

/// Return a text in lower case without white space at its ends.
pub(super) fn stripped(text: &str) -> String {
    text.trim_matches(is_space).to_lowercase()
}

/// Return a text in lower case without punctuation.
pub(super) fn unpunctuated(text: &str) -> String {
    text.to_lowercase().chars().filter(|&c| !is_punctuation(c)).collect()
}

/// Append the tokens of a text: Chinese characters, and what white space separates between them.
pub(super) fn mixed_tokens<'a>(text: &'a str, tokens: &mut Vec<&'a str>) {
    let mut start = None;
    for (at, c) in text.char_indices() {
        let is_chinese = matches!(c, '\u{4e00}'..='\u{9fa5}');
        if is_chinese || is_space(c) {
            tokens.extend(start.take().map(|start| &text[start..at]));
            if is_chinese {
                tokens.push(&text[at..at + c.len_utf8()]);
            }
        } else {
            start.get_or_insert(at);
        }
    }
    tokens.extend(start.map(|start| &text[start..]));
}

#[cfg(test)]
mod tests {
    use super::{Rules, mixed_tokens, vqa};

    const OFFICIAL: Rules = Rules { words_first: false, keep_after_digit: false };
    const EVALAI: Rules = Rules { words_first: true, keep_after_digit: false };
    const VLMEVALKIT: Rules = Rules { words_first: false, keep_after_digit: true };

    /// Values that `vqaEval.py` (a013f00) gave under Python 3.11, without its prints.
    #[test]
    fn official_answers_are_normalized_as_recorded() {
        for (text, expected) in [
            ("10,000", "10000"),
            ("3,4,5", "345"),
            ("left-right", "left right"),
            ("one/two", "1 2"),
            ("St. Louis", "st louis"),
            ("u.s.a.", "usa"),
            ("www.a.com", "wwwacom"),
            ("x.5", "x.5"),
            ("$5.00", "$5.00"),
            ("dont know", "don't know"),
            ("The dog's", "dog's"),
            ("a", ""),
            ("红色,蓝色", "红色 蓝色"),
            ("红色。", "红色。"),
            ("1.", "1"),
        ] {
            assert_eq!(vqa(text, OFFICIAL), expected);
        }
    }

    #[test]
    fn the_variants_differ_as_recorded() {
        assert_eq!(vqa("The dog's", EVALAI), "dog 's");
        assert_eq!(vqa("红色,蓝色", EVALAI), "红色蓝色");
        assert_eq!(vqa("1.", VLMEVALKIT), "1.");
        assert_eq!(vqa("3,4 x-y", OFFICIAL), "34 xy");
        assert_eq!(vqa("3,4 x-y", EVALAI), "34 x y");
    }

    #[test]
    fn at_most_32_points_are_removed() {
        assert_eq!(vqa(&".".repeat(40), OFFICIAL), "........");
    }

    #[test]
    fn tokens_are_chinese_characters_and_other_words() {
        let mut tokens = Vec::new();
        mixed_tokens("红色t恤 nike shoes2双", &mut tokens);
        assert_eq!(tokens, ["红", "色", "t", "恤", "nike", "shoes2", "双"]);
    }
}
