//! Normalization of English text as METEOR 1.5 does it with `-norm`: punctuation apart, dots and dashes within words
//! dropped, lower case.
//!
//! The rules are those of the Moses tokenizer with additions. Each is a pass over the characters. A pass continues after
//! the characters that it matched, so two matches never share one: of `a-b-c`, only the first dash is found. Each Chinese
//! character is a word.

use std::collections::HashMap;

use super::plain;
use crate::text::Sink;

/// What stands for a run of two or more dots: this plus the length of the run. It is larger than any character.
const DOTS: u32 = 0x11_0000;

/// What the original puts in the place of dots, which text may contain, too.
const DOT: &str = "DOT";
const MULTI: &str = "MULTI";

/// How a word that ends in a dot is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// The dot always belongs to the word.
    Always,
    /// The dot belongs to the word before a number.
    BeforeNumber,
}

/// The rules, with abbreviations that keep their dot.
#[derive(Debug, Default)]
pub(super) struct Normalizer {
    prefixes: HashMap<Box<str>, Prefix>,
}

/// Memory for normalizing one text after the other.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    text: Vec<char>,
    line: Vec<u32>,
    next: Vec<u32>,
    words: Vec<u32>,
    ends: Vec<usize>,
    word: String,
}

impl Normalizer {
    /// Take abbreviations from the content of a file of Moses: one a line, with `#NUMERIC_ONLY#` for those that keep
    /// their dot before numbers alone, and comments after `#`.
    pub fn new(prefixes: &str) -> Self {
        let entries = prefixes.lines().filter_map(|line| {
            let mut fields = split(line);
            let word = fields.next().filter(|word| !word.starts_with('#'))?;
            let before_number = fields.next() == Some("#NUMERIC_ONLY#");
            Some((word.into(), if before_number { Prefix::BeforeNumber } else { Prefix::Always }))
        });
        Self { prefixes: entries.collect() }
    }

    /// Send the words of a text to `sink`.
    pub fn cut(&self, text: impl Iterator<Item = char>, buffers: &mut Buffers, sink: &mut impl Sink) {
        buffers.text.clear();
        buffers.text.extend(text);
        if plain::is_plain(&buffers.text) {
            plain::cut(&buffers.text, &self.prefixes, &mut buffers.word, sink);
        } else {
            self.cut_any(buffers, sink);
        }
    }

    /// Send the words of a text that need not be plain.
    fn cut_any(&self, buffers: &mut Buffers, sink: &mut impl Sink) {
        let Buffers { text, line, next, words, ends, word } = buffers;
        let found = separate(text.iter().copied(), line);
        let is_escaped = (found.dots || found.name) && escape_dots(line, next);
        if found.comma {
            // The replacements of all three passes are equal.
            pass(line, next, not(is_digit), ',', not(is_digit), " , ");
            pass(line, next, is_digit, ',', not(is_digit), " , ");
            pass(line, next, not(is_digit), ',', is_digit, " , ");
        }
        if found.quote {
            normalize_quotes(line, next);
        }
        if found.dash {
            normalize_dashes(line, next);
        }
        if found.quote {
            split_contractions(line, next);
        }
        self.split_dots(line, words, ends);
        trim_ends(words, ends);
        let mut start = 0;
        for &end in ends.iter() {
            emit(&words[start..end], is_escaped, word, sink);
            start = end;
        }
    }

    /// Split at white space, and split or drop dots at the ends of words.
    fn split_dots(&self, line: &[u32], words: &mut Vec<u32>, ends: &mut Vec<usize>) {
        words.clear();
        ends.clear();
        let mut pieces = line.split(|&c| is_delimiter(c)).filter(|piece| !piece.is_empty()).peekable();
        while let Some(piece) = pieces.next() {
            match piece.split_last() {
                Some((&last, before)) if last == u32::from('.') && !before.is_empty() => {
                    let has_dot = before.contains(&u32::from('.'));
                    if has_dot && before.iter().any(|&c| is_alpha(c)) {
                        words.extend(piece.iter().filter(|&&c| c != u32::from('.')));
                    } else if self.keeps_dot(before, pieces.peek().copied()) {
                        words.extend_from_slice(piece);
                    } else {
                        words.extend_from_slice(before);
                        ends.push(words.len());
                        words.push(last);
                    }
                }
                _ if piece.len() == 1 && is_other_space(piece[0]) => continue,
                _ => words.extend_from_slice(piece),
            }
            ends.push(words.len());
        }
    }

    fn keeps_dot(&self, before: &[u32], following: Option<&[u32]>) -> bool {
        let first = following.map_or(0, |word| word[0]);
        if (u32::from('a')..=u32::from('z')).contains(&first) {
            return true;
        }
        let word: String = before.iter().filter_map(|&c| char::from_u32(c)).collect();
        match self.prefixes.get(word.as_str()) {
            Some(Prefix::Always) => true,
            Some(Prefix::BeforeNumber) => is_digit(first),
            None => false,
        }
    }
}

/// Which kinds of characters a line has.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // A set of names.
struct Found {
    dots: bool,
    comma: bool,
    quote: bool,
    dash: bool,
    /// A letter of the name of dots.
    name: bool,
}

/// Copy a text with spaces at its ends and around each character that is not of a word and has no separate rule.
fn separate(text: impl Iterator<Item = char>, line: &mut Vec<u32>) -> Found {
    let mut found = Found::default();
    line.clear();
    line.push(u32::from(' '));
    // Control characters and spaces at the ends are cut off first.
    for c in text.skip_while(|&c| c <= ' ') {
        let point = u32::from(c);
        match c {
            '.' => found.dots = true,
            ',' => found.comma = true,
            '\'' | '`' | '‘' | '’' => found.quote = true,
            '-' => found.dash = true,
            'M' => found.name = true,
            ' ' | '\t'..='\r' => {}
            _ if is_alnum(point) => {}
            _ => {
                found.quote |= matches!(c, '“' | '”');
                found.dash |= c == '–';
                line.extend([u32::from(' '), point, u32::from(' ')]);
                continue;
            }
        }
        line.push(point);
    }
    cut_end(line);
    line.push(u32::from(' '));
    found
}

/// Cut off control characters at the end of the text. Most of them have spaces around them by now.
fn cut_end(line: &mut Vec<u32>) {
    while line.len() > 1 && line.last().is_some_and(|&c| c <= u32::from(' ')) {
        line.pop();
    }
}

/// Replace each run of two or more dots by one character. Returns whether the text has the name by which the original
/// marks such runs; then the dots get the same names here, so that they are mistaken for each other.
fn escape_dots(line: &mut Vec<u32>, next: &mut Vec<u32>) -> bool {
    let name: Vec<u32> = DOT.chars().chain(MULTI.chars()).map(u32::from).collect();
    let is_escaped = line.windows(name.len()).any(|window| window == name);
    next.clear();
    let mut start = 0;
    // The character that was part of the match before.
    let mut taken = 0;
    while start < line.len() {
        let dots = line[start..].iter().take_while(|&&c| c == u32::from('.')).count();
        if dots > 1 {
            next.push(u32::from(' '));
            if is_escaped {
                push_name(next, dots);
            } else {
                next.push(DOTS + dots as u32);
            }
            next.push(u32::from(' '));
            start += dots;
            taken = if dots == 2 { start } else { taken };
        } else if is_escaped && is_name_with_dot(&line[start..], &name) {
            push_name(next, 2);
            if taken != start {
                next.push(u32::from(' '));
                taken = start + name.len() + 1;
            }
            start += name.len() + 1;
        } else {
            next.push(line[start]);
            start += 1;
        }
    }
    std::mem::swap(line, next);
    is_escaped
}

fn is_name_with_dot(rest: &[u32], name: &[u32]) -> bool {
    let is_dot = |index: usize| rest.get(index) == Some(&u32::from('.'));
    rest.starts_with(name) && is_dot(name.len()) && !is_dot(name.len() + 1)
}

fn push_name(line: &mut Vec<u32>, dots: usize) {
    let name = std::iter::repeat_n(DOT, dots).chain([MULTI]);
    line.extend(name.flat_map(str::chars).map(u32::from));
}

fn normalize_quotes(line: &mut Vec<u32>, next: &mut Vec<u32>) {
    let apostrophe = u32::from('\'');
    for c in line.iter_mut() {
        if [u32::from('`'), u32::from('‘'), u32::from('’')].contains(c) {
            *c = apostrophe;
        }
    }
    next.clear();
    let mut rest = line.as_slice();
    while let [first, after @ ..] = rest {
        let is_pair = *first == apostrophe && after.first() == Some(&apostrophe);
        if is_pair || *first == u32::from('“') || *first == u32::from('”') {
            next.extend([' ', '"', ' '].map(u32::from));
        } else {
            next.push(*first);
        }
        rest = &after[usize::from(is_pair)..];
    }
    std::mem::swap(line, next);
}

/// Shorten dashes, and put a space in the place of each dash within a word.
fn normalize_dashes(line: &mut Vec<u32>, next: &mut Vec<u32>) {
    let dash = u32::from('-');
    for c in line.iter_mut() {
        if *c == u32::from('–') {
            *c = dash;
        }
    }
    next.clear();
    let mut rest = line.as_slice();
    while let [first, after @ ..] = rest {
        next.push(*first);
        let is_pair = *first == dash && after.first() == Some(&dash);
        rest = &after[usize::from(is_pair)..];
    }
    std::mem::swap(line, next);
    pass(line, next, |c| is_alnum(c) || c == u32::from('.'), '-', is_alnum, " ");
}

fn split_contractions(line: &mut Vec<u32>, next: &mut Vec<u32>) {
    let is_neither = |c| !is_alpha(c) && !is_digit(c);
    pass(line, next, not(is_alpha), '\'', not(is_alpha), " ' ");
    pass(line, next, is_neither, '\'', is_alpha, " ' ");
    pass(line, next, is_alpha, '\'', not(is_alpha), " ' ");
    pass(line, next, is_alpha, '\'', is_alpha, " '");
    pass(line, next, is_digit, '\'', |c| c == u32::from('s'), " '");
}

/// Replace `middle` where the characters before and after it are of the given kinds.
fn pass(
    line: &mut Vec<u32>,
    next: &mut Vec<u32>,
    before: impl Fn(u32) -> bool,
    middle: char,
    after: impl Fn(u32) -> bool,
    replacement: &str,
) {
    next.clear();
    let mut start = 0;
    while start < line.len() {
        match line[start..] {
            [first, second, third, ..] if second == u32::from(middle) && before(first) && after(third) => {
                next.push(first);
                next.extend(replacement.chars().map(u32::from));
                next.push(third);
                start += 3;
            }
            _ => {
                next.push(line[start]);
                start += 1;
            }
        }
    }
    std::mem::swap(line, next);
}

/// Cut off control characters at both ends of the line, where words may consist of them.
fn trim_ends(words: &mut Vec<u32>, ends: &mut Vec<usize>) {
    let is_cut = |c: &u32| *c <= u32::from(' ');
    let kept = words.iter().rposition(|c| !is_cut(c)).map_or(0, |last| last + 1);
    words.truncate(kept);
    let words_left = ends.iter().take_while(|&&end| end < kept).count();
    ends.truncate(words_left);
    if kept > 0 {
        ends.push(kept);
    }
    let cut = words.iter().take_while(|c| is_cut(c)).count();
    words.drain(..cut);
    ends.retain(|&end| end > cut);
    ends.iter_mut().for_each(|end| *end -= cut);
}

/// Send a word in lower case, with its dots.
fn emit(characters: &[u32], is_escaped: bool, word: &mut String, sink: &mut impl Sink) {
    if let [point] = *characters
        && let Some(c) = char::from_u32(point)
    {
        let mut lower = c.to_lowercase();
        if lower.len() == 1 {
            return sink.char(lower.next().unwrap_or(c));
        }
    }
    word.clear();
    let spelled: String;
    let characters = if is_escaped {
        spelled = unescape(characters);
        spelled.chars().for_each(|c| word.extend(c.to_lowercase()));
        &[][..]
    } else {
        characters
    };
    for &point in characters {
        match char::from_u32(point) {
            Some(c) => word.extend(c.to_lowercase()),
            None => word.extend(std::iter::repeat_n('.', (point - DOTS) as usize)),
        }
    }
    if !word.is_empty() {
        sink.word(word);
    }
}

/// Replace each name of a run of dots by the dots.
fn unescape(characters: &[u32]) -> String {
    let spelled: String = characters.iter().filter_map(|&c| char::from_u32(c)).collect();
    let mut dotted = String::new();
    let mut rest = spelled.as_str();
    while let Some(position) = rest.find(MULTI) {
        let before = &rest[..position];
        let mut kept = before;
        while let Some(shorter) = kept.strip_suffix(DOT) {
            kept = shorter;
        }
        let dots = (before.len() - kept.len()) / DOT.len();
        dotted.push_str(kept);
        if dots == 0 {
            dotted.push_str(MULTI);
        }
        dotted.extend(std::iter::repeat_n('.', dots));
        rest = &rest[position + MULTI.len()..];
    }
    dotted + rest
}

fn not(is_of_kind: impl Fn(u32) -> bool) -> impl Fn(u32) -> bool {
    move |c| !is_of_kind(c)
}

fn is_digit(c: u32) -> bool {
    (u32::from('0')..=u32::from('9')).contains(&c)
}

/// Whether a character is a letter of the Latin or the Cyrillic script.
fn is_alpha(c: u32) -> bool {
    match c {
        0x41..=0x5a
        | 0x61..=0x7a
        | 0xc0..=0xd6
        | 0xd8..=0xf6
        | 0xf8..=0x17e
        | 0x400..=0x527
        | 0x1d00..=0x1d7f
        | 0xa640..=0xa66e
        | 0xa67e..=0xa697 => true,
        _ => c >= DOTS,
    }
}

/// Whether a character is a digit or a letter of the Latin or the Cyrillic script.
pub(super) fn is_alnum(c: u32) -> bool {
    is_digit(c) || is_alpha(c)
}

/// Whether words are split at this character.
fn is_delimiter(c: u32) -> bool {
    matches!(c, 0x20 | 0x09 | 0x0a | 0x0c | 0x0d)
}

/// Return a character in lower case outside of the Latin and the Cyrillic script. None of these has several.
pub(super) fn lower(c: char) -> char {
    // Chinese and Japanese characters and their marks have no case.
    if ('\u{2e80}'..'\u{a640}').contains(&c) { c } else { c.to_lowercase().next().unwrap_or(c) }
}

/// Whether a character is a space beyond ASCII. It is a word until dots have been split.
pub(super) fn is_other_space(c: u32) -> bool {
    matches!(c, 0xa0 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000)
}

/// Split like Java's `StringTokenizer`.
pub(super) fn split(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| is_delimiter(u32::from(c))).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let normalizer = Normalizer::new("# titles\nMr\nNo #NUMERIC_ONLY#\n");
        let mut words: Vec<String> = Vec::new();
        normalizer.cut(text.chars(), &mut Buffers::default(), &mut words);
        words.join(" ")
    }

    #[test]
    fn punctuation_is_apart_and_chinese_characters_are_words() {
        assert_eq!(words("2024新款T恤，running-shoes!"), "2024 新 款 t 恤 ， running shoes !");
        assert_eq!(words("it costs $1,000.50, not 3,x"), "it costs $ 1,000.50 , not 3 , x");
        assert_eq!(words("a ``b'' “c” d''e"), "a \" b \" \" c \" d \" e");
    }

    /// Words of a text by both ways, if it is plain.
    fn assert_equal_to_passes(text: &str) -> bool {
        let normalizer = Normalizer::new("Mr\nNo #NUMERIC_ONLY#\nM\n");
        let mut buffers = Buffers { text: text.chars().collect(), ..Buffers::default() };
        let is_plain = plain::is_plain(&buffers.text);
        let mut words = [Vec::<String>::new(), Vec::new()];
        normalizer.cut(text.chars(), &mut buffers, &mut words[0]);
        normalizer.cut_any(&mut buffers, &mut words[1]);
        assert_eq!(words[0], words[1], "{text:?}");
        is_plain
    }

    #[test]
    fn plain_texts_have_the_words_of_all_passes() {
        const PIECES: [&str; 34] = [
            " ", " ", "a", "b", "Z", "0", "1", ".", ".", ",", ",", "!", "红", "，", "\u{3000}", "\u{a0}", "Mr", "Mr.",
            "No.", "No", "DOT", "MULTI", "M", "T", "-", "'", "“", "é", "\u{130}", "\t", "\u{1}", "\u{7f}", "$", "–",
        ];
        assert!(assert_equal_to_passes("A dog, in Mr. B. No. 5, 红色T恤，XL. x . No. a"));
        let (mut state, mut plain) = (1_u64, 0);
        for round in 0..60_000_u64 {
            let mut text = String::new();
            // Every second text has no rare pieces.
            let kinds = if round % 2 == 0 { 24 } else { PIECES.len() as u64 };
            for _ in 0..round % 9 {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                text += PIECES[((state >> 33) % kinds) as usize];
            }
            plain += usize::from(assert_equal_to_passes(&text));
        }
        assert!(plain > 10_000, "{plain}");
    }

    #[test]
    fn plain_characters_have_their_lower_case() {
        for c in ('\0'..=char::MAX).filter(|&c| !is_alnum(u32::from(c))) {
            assert!(c.to_lowercase().eq([lower(c)]), "{c:?}");
            if c < '\u{3100}' {
                assert_equal_to_passes(&format!("a{c}b,{c}. {c}"));
            }
        }
    }

    #[test]
    fn dots_follow_the_abbreviations() {
        assert_eq!(words("Mr. Smith of the U.S. saw No. 5. No. Yes."), "mr. smith of the us saw no. 5 . no . yes .");
        assert_eq!(words("so... etc. and ..a.."), "so ... etc. and .. a ..");
    }

    #[test]
    fn the_name_of_dots_is_mistaken_for_them() {
        assert_eq!(words("DOTMULTI DOTDOTMULTI x.."), ". .. x ..");
        assert_eq!(words("DOTMULTI.DOTMULTI.x"), ".. ..x");
    }

    #[test]
    fn control_characters_at_the_ends_are_cut_off() {
        assert_eq!(words("\u{3000}\u{1} a\u{b} \u{1}b\u{3000}\u{1}\u{3000}"), "a\u{b} \u{1} b");
        assert_eq!(words("\u{1}"), "");
        assert_eq!(words(""), "");
    }
}
