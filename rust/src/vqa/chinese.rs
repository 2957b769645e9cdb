//! Chinese answers in one form: digits for numerals, no punctuation, no spaces but between words of other scripts.

use super::characters::is_punctuation;
use crate::text::is_space;

/// Units are smaller than this, and so are all sums of them.
const MOST: u64 = 10_u64.pow(16);

/// Append a text in one form. It is lower case and normalized (NFKC), so there are no full-width letters and digits.
///
/// Numerals become digits. A comma between digits is removed, a point between digits and `%` stay, and other punctuation and
/// white space is removed, except that one space stays between words that are not Chinese.
pub(super) fn normalize(text: &str, result: &mut String) {
    let numbers = with_digits(text);
    let chars: Vec<char> = numbers.chars().collect();
    let mut has_gap = false;
    for (index, &c) in chars.iter().enumerate() {
        let is_between_digits = || {
            let before = index.checked_sub(1).map(|before| chars[before]);
            before.is_some_and(|c| c.is_ascii_digit()) && chars.get(index + 1).is_some_and(char::is_ascii_digit)
        };
        match c {
            ',' if is_between_digits() => {}
            '.' if is_between_digits() => result.push(c),
            '%' => result.push(c),
            _ if is_space(c) || is_punctuation(c) => has_gap = true,
            _ => {
                if has_gap && is_word(c) && result.chars().next_back().is_some_and(is_word) {
                    result.push(' ');
                }
                has_gap = false;
                result.push(c);
            }
        }
    }
}

/// Return whether a character belongs to a word that spaces separate.
fn is_word(c: char) -> bool {
    c.is_alphanumeric()
        && !matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..)
}

/// Return a text with digits for its numerals.
fn with_digits(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if Numeral::of(c).is_some() => run.push(c),
            _ => {
                match number(&run) {
                    Some(digits) => result.push_str(&digits),
                    None => result.push_str(&run),
                }
                run.clear();
                result.extend(c);
            }
        }
    }
    result
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Numeral {
    Digit(u64),
    /// Ten, hundred, thousand.
    Unit(u64),
    /// Ten thousand, hundred million.
    Section(u64),
}

impl Numeral {
    fn of(c: char) -> Option<Self> {
        Some(match c {
            '零' | '〇' => Self::Digit(0),
            '一' => Self::Digit(1),
            '二' | '两' => Self::Digit(2),
            '三' => Self::Digit(3),
            '四' => Self::Digit(4),
            '五' => Self::Digit(5),
            '六' => Self::Digit(6),
            '七' => Self::Digit(7),
            '八' => Self::Digit(8),
            '九' => Self::Digit(9),
            '十' => Self::Unit(10),
            '百' => Self::Unit(100),
            '千' => Self::Unit(1_000),
            '万' => Self::Section(10_000),
            '亿' => Self::Section(100_000_000),
            _ => return None,
        })
    }
}

/// Return the digits of a numeral; None if it is not one, such as `百`, or may be read in two ways, such as `一百五`.
fn number(run: &str) -> Option<String> {
    let numerals: Vec<Numeral> = run.chars().filter_map(Numeral::of).collect();
    if numerals.is_empty() {
        return None;
    }
    if numerals.iter().all(|numeral| matches!(numeral, Numeral::Digit(_))) {
        // A year or a number of a house, digit by digit.
        let digit =
            |numeral: &Numeral| if let Numeral::Digit(value) = numeral { value.to_string() } else { String::new() };
        return Some(numerals.iter().map(digit).collect());
    }
    let mut total = Total::default();
    numerals.iter().try_for_each(|&numeral| total.add(numeral))?;
    total.finish().map(|value| value.to_string())
}

/// A numeral with units while it is read.
#[derive(Debug)]
struct Total {
    sum: u64,
    /// Sum of the units since the last section.
    section: u64,
    digit: Option<u64>,
    /// The smallest unit and section so far: those that follow are smaller.
    unit: u64,
    limit: u64,
    /// Whether a zero stood before the digit.
    after_zero: bool,
}

impl Default for Total {
    fn default() -> Self {
        Self { sum: 0, section: 0, digit: None, unit: 10_000, limit: MOST, after_zero: false }
    }
}

impl Total {
    fn add(&mut self, numeral: Numeral) -> Option<()> {
        match numeral {
            Numeral::Digit(_) if self.digit.is_some() => return None,
            Numeral::Digit(0) => self.after_zero = true,
            Numeral::Digit(value) => self.digit = Some(value),
            Numeral::Unit(unit) => {
                if unit >= self.unit {
                    return None;
                }
                let is_leading_ten = unit == 10 && self.section == 0;
                let digit = self.digit.take().or(is_leading_ten.then_some(1))?;
                self.section += digit * unit;
                (self.unit, self.after_zero) = (unit, false);
            }
            Numeral::Section(unit) => {
                let section = self.take_section()?;
                if section == 0 || unit >= self.limit {
                    return None;
                }
                self.sum += section * unit;
                (self.unit, self.limit, self.after_zero) = (10_000, unit, false);
            }
        }
        Some(())
    }

    /// Return the units since the last section. A digit that follows them stands for ones only after ten or a zero.
    fn take_section(&mut self) -> Option<u64> {
        let digit = self.digit.take();
        let is_plain = self.section == 0 && self.sum == 0 || self.unit == 10 || self.after_zero;
        if digit.is_some() && !is_plain {
            return None;
        }
        Some(std::mem::take(&mut self.section) + digit.unwrap_or(0))
    }

    fn finish(mut self) -> Option<u64> {
        let section = self.take_section()?;
        Some(self.sum + section)
    }
}

#[cfg(test)]
mod tests {
    use super::{normalize, number};

    #[test]
    fn numerals_become_digits() {
        for (numeral, digits) in [
            ("零", "0"),
            ("两", "2"),
            ("十", "10"),
            ("十二", "12"),
            ("二十", "20"),
            ("九十九", "99"),
            ("一百", "100"),
            ("一百零五", "105"),
            ("一百一十", "110"),
            ("三千零二十一", "3021"),
            ("两万", "20000"),
            ("十二万三千四百五十六", "123456"),
            ("一亿零三", "100000003"),
            ("二零二四", "2024"),
        ] {
            assert_eq!(number(numeral).as_deref(), Some(digits), "{numeral}");
        }
    }

    #[test]
    fn what_is_not_one_number_stays() {
        for run in ["", "百", "万", "一百五", "三千五", "十百", "一万五", "二三十", "万亿", "亿亿"]
        {
            assert_eq!(number(run), None, "{run}");
        }
    }

    #[test]
    fn answers_have_one_form() {
        for (text, expected) in [
            ("红色。", "红色"),
            (" 红 色，蓝色 ", "红色蓝色"),
            ("三个", "3个"),
            ("1,000.50元", "1000.50元"),
            ("50 %", "50%"),
            ("a red  dress!", "a red dress"),
            ("nike 红色 t-shirt", "nike红色t shirt"),
            ("。", ""),
            ("", ""),
        ] {
            let mut result = String::new();
            normalize(text, &mut result);
            assert_eq!(result, expected);
        }
    }
}
