//! Lines of any form, read by `serde_json`, which reports errors.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use super::ids::{ID_FIELDS, Id};

/// Fields that the error for a missing field lists, and characters of each.
const LISTED_FIELDS: usize = 5;
const LISTED_CHARACTERS: usize = 40;

/// Parse a line, append its numbers to `values` and return the name of its id and the id, or a description of the error.
pub(super) fn line<'a>(line: &'a [u8], values: &mut Vec<f32>) -> Result<(&'static str, Id<'a>), String> {
    if line.starts_with(b"\x1f\x8b") {
        return Err("is compressed with gzip, needs the uncompressed file".to_owned());
    }
    if line.starts_with("\u{feff}".as_bytes()) {
        return Err("starts with a byte order mark, needs UTF-8 without it".to_owned());
    }
    let text = str::from_utf8(line).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let mut parser = serde_json::Deserializer::from_str(text);
    let before = values.len();
    let row = RowVisitor { values: &mut *values };
    let Row { field, id, too_large } = parser.deserialize_map(row).map_err(|error| describe(&error, text))?;
    parser.end().map_err(|error| describe(&error, text))?;
    if let Some((index, number)) = too_large {
        return Err(format!("feature[{index}] is {number:e}, too large for float32"));
    }
    if values.len() == before { Err("feature is empty, needs at least one number".to_owned()) } else { Ok((field, id)) }
}

/// Return the message of an error without "at line 1": each line is parsed by itself.
fn describe(error: &serde_json::Error, text: &str) -> String {
    if !error.is_data()
        && let Some((index, value)) = not_finite(text)
    {
        return format!("feature[{index}] is {value}, needs a finite number");
    }
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    format!("{message} at character {}", error.column())
}

/// Return the first value of the feature that is NaN or infinite, or too large for a double, and its index.
fn not_finite(text: &str) -> Option<(usize, String)> {
    let (_, rest) = text.split_once("\"feature\"")?;
    let list = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('[')?;
    let mut numbers = list.split(']').next()?.split(',').map(str::trim).enumerate();
    // This parser knows the names of NaN and infinity that other programs write, too.
    let is_bad = |text: &str| fast_float2::parse::<f64, _>(text).is_ok_and(|number| !number.is_finite());
    numbers.find(|(_, text)| is_bad(text)).map(|(index, text)| (index, shortened(text)))
}

/// Return a text from the file for an error: on one line, of limited length.
fn shortened(text: &str) -> String {
    let escaped: String = text.chars().take(LISTED_CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(LISTED_CHARACTERS).is_some() { escaped + "…" } else { escaped }
}

struct Row<'a> {
    field: &'static str,
    id: Id<'a>,
    /// Index and value of the first number that is.
    too_large: Option<(usize, f64)>,
}

/// A visitor that appends numbers to `values`.
struct RowVisitor<'v> {
    values: &'v mut Vec<f32>,
}

impl<'de> Visitor<'de> for RowVisitor<'_> {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}, and feature", names())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Row<'de>, M::Error> {
        let (mut id, mut feature, mut others) = (None, None, Vec::new());
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let second = if let Some(&field) = ID_FIELDS.iter().find(|name| **name == key) {
                id.replace((field, map.next_value_seed(IdSeed(field))?)).map(|_| "id")
            } else if key == "feature" {
                feature.replace(map.next_value_seed(FeatureSeed(&mut *self.values))?).map(|_| "feature")
            } else {
                map.next_value::<IgnoredAny>()?;
                // No more than an error lists, and one that shows that there are more.
                if others.len() <= LISTED_FIELDS {
                    others.push(key);
                }
                continue;
            };
            if let Some(name) = second {
                return Err(M::Error::custom(format!("{key} is a second {name}")));
            }
        }
        let missing = |field: &str| M::Error::custom(format!("{field} is missing{}", found(&others)));
        let (field, id) = id.ok_or_else(|| missing(&names()))?;
        Ok(Row { field, id, too_large: feature.ok_or_else(|| missing("feature"))? })
    }
}

/// Return the names of ids for an error.
fn names() -> String {
    let (last, others) = ID_FIELDS.split_last().unwrap_or((&"", &[]));
    format!("{} or {last}", others.join(", "))
}

/// Return a hint that lists the unknown fields of a line.
fn found(others: &[Cow<'_, str>]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let listed: Vec<String> = others.iter().take(LISTED_FIELDS).map(|name| shortened(name)).collect();
    let more = if others.len() > LISTED_FIELDS { " and more" } else { "" };
    format!(", the line has {}{more}", listed.join(", "))
}

/// The id of the field of this name.
struct IdSeed(&'static str);

impl<'de> DeserializeSeed<'de> for IdSeed {
    type Value = Id<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Id<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IdSeed {
    type Value = Id<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an integer of at most 64 bits or a string as {}", self.0)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Id<'de>, E> {
        Ok(Id::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Id<'de>, E> {
        let integer = i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))?;
        Ok(Id::Integer(integer))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Id<'de>, E> {
        Ok(Id::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Id<'de>, E> {
        Ok(Id::Text(Cow::Owned(value.to_owned())))
    }
}

/// The list of numbers, which is appended to these. The value is the first that is too large, and its index.
struct FeatureSeed<'v>(&'v mut Vec<f32>);

impl<'de> DeserializeSeed<'de> for FeatureSeed<'_> {
    type Value = Option<(usize, f64)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for FeatureSeed<'_> {
    type Value = Option<(usize, f64)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers as feature")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
        let (mut index, mut too_large) = (0, None);
        while let Some(number) = list.next_element_seed(NumberSeed(index))? {
            let value = number as f32;
            if !value.is_finite() && too_large.is_none() {
                too_large = Some((index, number));
            }
            self.0.push(value);
            index += 1;
        }
        Ok(too_large)
    }
}

/// The number at this index of the feature.
struct NumberSeed(usize);

impl<'de> DeserializeSeed<'de> for NumberSeed {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_f64(self)
    }
}

impl Visitor<'_> for NumberSeed {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number as feature[{}]", self.0)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }
}
