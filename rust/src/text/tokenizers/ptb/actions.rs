//! What becomes of a match: the text of its token, and where the next match begins.

use super::lexer::{Match, longest, token_end};
use super::lower_case::lower_case;
use super::tables::Tables;

const SOFT_HYPHEN: u16 = 0xad;

/// The token that stands for a line break in the original, which compares the text of tokens with it.
const LINE_BREAK: &str = "*NL*";

/// A token in lower case, or a match that has none.
#[derive(Debug, Default)]
pub(super) struct Token {
    kind: Kind,
    text: String,
    units: Vec<u16>,
    marks: Vec<bool>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space, or a character that no token may have.
    #[default]
    Nothing,
    LineBreak,
    Word,
}

impl Token {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn set(&mut self, text: &str) {
        self.kind = Kind::Word;
        self.text.clear();
        self.text.push_str(text);
    }

    /// Take the units of the text, in lower case.
    fn set_units(&mut self, units: &[u16]) {
        self.kind = Kind::Word;
        lower_case(units, &mut self.text);
    }

    /// Take the units of the text with others in place of some.
    fn set_replaced(&mut self, units: &[u16], replace: impl Fn(u16) -> Option<&'static str>) {
        let mut replaced = std::mem::take(&mut self.units);
        replaced.clear();
        for &unit in units {
            match replace(unit) {
                Some(text) => replaced.extend(text.encode_utf16()),
                None => replaced.push(unit),
            }
        }
        self.set_units(&replaced);
        self.units = replaced;
    }
}

/// Find the match at `start` and its token; returns where the next match begins, None at the end of the text.
///
/// A match of no characters also ends it: the original would not end. Its tables have none.
#[inline]
pub(super) fn next(tables: &Tables, text: &[u16], start: usize, token: &mut Token) -> Option<usize> {
    let found = longest(tables, text, start)?;
    let end = act(tables, text, start, found, token)?;
    if token.is_word() && token.text.len() == LINE_BREAK.len() && is_line_break(text, start, end, &token.text) {
        token.kind = Kind::LineBreak;
    }
    (end > start).then_some(end)
}

fn is_line_break(text: &[u16], start: usize, end: usize, token: &str) -> bool {
    token.eq_ignore_ascii_case(LINE_BREAK) && text[start..end].iter().copied().eq(LINE_BREAK.encode_utf16())
}

/// Set the token of a match; returns the end of the text that is used up.
fn act(tables: &Tables, text: &[u16], start: usize, found: Match, token: &mut Token) -> Option<usize> {
    let Match { action, mut end } = found;
    if let Some(states) = looking_ahead(action) {
        end = token_end(tables, text, (start, end), states, &mut token.marks)?;
        if matches!(action, 44 | 47) {
            end -= text[start..end].iter().rev().take_while(|&&unit| is_white(unit)).count();
        }
    }
    if action == 35 {
        end = start + 1;
    }
    let matched = &text[start..end];
    // The end of the match that is matched again, as the next token.
    let kept = end.checked_sub(given_back(action))?;
    let units = text.get(start..kept)?;
    match action {
        1 | 7 | 23 => token.kind = Kind::Nothing,
        5 => token.kind = Kind::LineBreak,
        2 => token.set("<"),
        10 => token.set(">"),
        4 if !matches!(matched.len(), 3 | 4) => token.set_units(matched),
        4 | 11 => token.set("--"),
        6 | 12 | 29 | 30 | 32 | 40 | 46 => set_without_soft_hyphens(token, units),
        8 | 36 => set_quotes(token, units, false),
        26 | 35 => set_quotes(token, units, true),
        13 => token.set("..."),
        14 => token.set_replaced(units, fraction),
        15 => token.set_replaced(units, currency),
        16 => token.set("-rcb-"),
        17 => token.set("-lrb-"),
        18 => token.set("-rrb-"),
        20 => token.set("-lcb-"),
        21 => token.set("-rsb-"),
        22 => token.set("-lsb-"),
        27 | 38 | 39 => token.set_replaced(units, |unit| (unit == u16::from(b' ')).then_some("\u{a0}")),
        28 | 34 => token.set_replaced(units, parenthesis),
        54 => token.set_replaced(units, |unit| match parenthesis(unit) {
            None if unit == u16::from(b' ') => Some("\u{a0}"),
            text => text,
        }),
        // The dot of an abbreviation at the end of a sentence belongs to it, and is a token again.
        33 | 49 => token.set_units(matched),
        47 if matched.len() != 2 => token.set_units(matched),
        37 | 51 => set_ampersands(token, units),
        _ => token.set_units(units),
    }
    Some(kept)
}

/// Return the first states of the two automata of an action that looks ahead.
fn looking_ahead(action: u8) -> Option<(u16, u16)> {
    match action {
        24 => Some((13, 14)),
        30 => Some((3, 4)),
        40 => Some((5, 6)),
        41 => Some((16, 17)),
        43 => Some((15, 14)),
        44 => Some((9, 10)),
        47 => Some((7, 8)),
        49 => Some((11, 12)),
        _ => None,
    }
}

/// Return the number of units at the end of a match that the next match begins with.
fn given_back(action: u8) -> usize {
    match action {
        25 | 26 | 32 | 33 | 34 | 36 | 46 | 47 | 49 | 51 => 1,
        42 | 48 => 2,
        50 => 3,
        53 => 4,
        _ => 0,
    }
}

fn is_white(unit: u16) -> bool {
    matches!(unit, 9..=13 | 32 | 133)
}

/// Set a token without soft hyphens; one that has nothing else is a hyphen.
fn set_without_soft_hyphens(token: &mut Token, units: &[u16]) {
    if !units.contains(&SOFT_HYPHEN) {
        token.set_units(units);
    } else if units.iter().all(|&unit| unit == SOFT_HYPHEN) {
        token.set("-");
    } else {
        token.set_replaced(units, |unit| (unit == SOFT_HYPHEN).then_some(""));
    }
}

/// Set quotation marks as in LaTeX. Straight ones are `left` or right, others are what they are.
fn set_quotes(token: &mut Token, units: &[u16], left: bool) {
    let (single, double) = if left { ("`", "``") } else { ("'", "''") };
    let text = String::from_utf16_lossy(units).replace("&quot;", "\"").replace("&apos;", "'");
    token.kind = Kind::Word;
    token.text.clear();
    for c in text.chars() {
        match c {
            '\'' => token.text += single,
            '"' => token.text += double,
            '\u{91}' | '\u{2018}' | '\u{201b}' | '\u{2039}' => token.text += "`",
            '\u{92}' | '\u{2019}' | '\u{203a}' => token.text += "'",
            '\u{93}' | '\u{201c}' | '\u{ab}' => token.text += "``",
            '\u{94}' | '\u{201d}' | '\u{bb}' => token.text += "''",
            _ => token.text.extend(c.to_lowercase()),
        }
    }
}

fn set_ampersands(token: &mut Token, units: &[u16]) {
    token.set_units(units);
    // The text is in lower case, and the entity may be in any.
    token.text = token.text.replace("&amp;", "&");
}

fn fraction(unit: u16) -> Option<&'static str> {
    Some(match unit {
        0xbc => "1/4",
        0xbd => "1/2",
        0xbe => "3/4",
        0x2153 => "1/3",
        0x2154 => "2/3",
        _ => return None,
    })
}

fn currency(unit: u16) -> Option<&'static str> {
    Some(match unit {
        0xa2 => "cents",
        0xa3 => "#",
        0x80 | 0xa4 | 0x20a0 | 0x20ac => "$",
        _ => return None,
    })
}

fn parenthesis(unit: u16) -> Option<&'static str> {
    match unit {
        0x28 => Some("-lrb-"),
        0x29 => Some("-rrb-"),
        _ => None,
    }
}
