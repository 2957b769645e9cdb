//! Lines of any form, read by `serde_json`, which reports errors.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Parse a line, append its numbers to `values` and return its id, or a description of the error.
pub(super) fn line(line: &[u8], values: &mut Vec<f32>) -> Result<i64, String> {
    if line.starts_with(b"\x1f\x8b") {
        return Err("is compressed with gzip, needs the uncompressed file".to_owned());
    }
    if line.starts_with("\u{feff}".as_bytes()) {
        return Err("starts with a byte order mark, needs UTF-8 without it".to_owned());
    }
    let text = str::from_utf8(line).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let mut parser = serde_json::Deserializer::from_str(text);
    let Row { id, feature } = parser.deserialize_map(RowVisitor).map_err(|error| describe(&error))?;
    parser.end().map_err(|error| describe(&error))?;
    for (index, &number) in feature.iter().enumerate() {
        let value = number as f32;
        if !value.is_finite() {
            return Err(format!("feature[{index}] is {number:e}, too large for float32"));
        }
        values.push(value);
    }
    if feature.is_empty() { Err("feature is empty, needs at least one number".to_owned()) } else { Ok(id) }
}

/// Return the message of an error without "at line 1": each line is parsed by itself.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    format!("{message} at character {}", error.column())
}

struct Row {
    id: i64,
    feature: Vec<f64>,
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with image_id, text_id or query_id, and feature")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Row, M::Error> {
        let (mut id, mut feature) = (None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let (is_repeated, field) = match &*key {
                "image_id" | "text_id" | "query_id" => (id.replace(map.next_value::<i64>()?).is_some(), "id"),
                "feature" => (feature.replace(map.next_value::<Vec<f64>>()?).is_some(), "feature"),
                _ => map.next_value::<IgnoredAny>().map(|_| (false, ""))?,
            };
            if is_repeated {
                return Err(M::Error::custom(format!("{key} is a second {field}")));
            }
        }
        let missing = |field| M::Error::custom(format!("{field} is missing"));
        let id = id.ok_or_else(|| missing("image_id, text_id or query_id"))?;
        Ok(Row { id, feature: feature.ok_or_else(|| missing("feature"))? })
    }
}
