//! Rows of a file of JSON lines in which nothing is wrong.
//!
//! A submission is checked line by line, in Python, with a message for whatever may be wrong with it. Nearly all files
//! have nothing wrong with them: this reader takes those, and only those, in a fraction of the time.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What an id, or one of the values of a row, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integer of at most 64 bits.
    Integer,
    /// A text that is not empty.
    Text,
    /// Texts, at least one.
    Texts,
    /// Different integers: so many, or at least one.
    Ids(Option<usize>),
}

/// The fields of a row.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    /// Name of the id.
    pub id: &'a str,
    /// Name of the value.
    pub value: &'a str,
    /// Names of texts that may be there too.
    pub optional: &'a [String],
    /// What the id is.
    pub id_kind: Kind,
    /// What the value is.
    pub value_kind: Kind,
    /// The longest line, in bytes.
    pub line_bytes: usize,
}

/// An id or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Texts`].
    Texts(Vec<String>),
    /// Of [`Kind::Ids`].
    Ids(Vec<i64>),
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: Value,
    /// Its value.
    pub value: Value,
    /// The first of the optional fields that it has.
    pub text: Option<String>,
}

/// All rows; None if anything at all is not as it should be. Blank lines are passed over. That ids differ is left to
/// the caller.
pub fn read(data: &[u8], fields: &Fields<'_>) -> Option<Vec<Row>> {
    let (mut rows, mut rest) = (Vec::new(), data);
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        // White space of JSON, which is less than that of ASCII.
        if line.iter().all(|byte| b" \t\r".contains(byte)) {
            continue;
        }
        if line.len() > fields.line_bytes {
            return None;
        }
        let mut parser = serde_json::Deserializer::from_str(str::from_utf8(line).ok()?);
        rows.push(RowSeed(fields).deserialize(&mut parser).ok()?);
        parser.end().ok()?;
    }
    Some(rows)
}

struct RowSeed<'a>(&'a Fields<'a>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Row, M::Error> {
        let fields = self.0;
        let odd = || M::Error::custom("another row than it should be");
        let (mut id, mut value) = (None, None);
        let mut texts = vec![None; fields.optional.len()];
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let again = if key == fields.id {
                id.replace(map.next_value_seed(fields.id_kind)?).is_some()
            } else if key == fields.value {
                value.replace(map.next_value_seed(fields.value_kind)?).is_some()
            } else {
                let place = fields.optional.iter().position(|name| *name == key).ok_or_else(odd)?;
                texts[place].replace(map.next_value::<String>()?).is_some()
            };
            if again {
                return Err(odd());
            }
        }
        let text = texts.into_iter().flatten().next();
        Ok(Row { id: id.ok_or_else(odd)?, value: value.ok_or_else(odd)?, text })
    }
}

impl<'de> DeserializeSeed<'de> for Kind {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self {
            Self::Integer => deserializer.deserialize_i64(self),
            Self::Text => deserializer.deserialize_str(self),
            Self::Texts | Self::Ids(_) => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Kind {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if self == Self::Integer { Ok(Value::Integer(value)) } else { Err(E::custom("no integer")) }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.visit_i64(i64::try_from(value).map_err(E::custom)?)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if self == Self::Text && !is_blank(value) {
            Ok(Value::Text(value.to_owned()))
        } else {
            Err(E::custom("no text"))
        }
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Value, S::Error> {
        let odd = || S::Error::custom("another list than it should be");
        let Self::Ids(count) = self else {
            let mut texts = Vec::new();
            while let Some(text) = list.next_element::<String>()? {
                texts.push(text);
            }
            let is_good = self == Self::Texts && !texts.is_empty() && !texts.iter().any(|text| is_blank(text));
            return if is_good { Ok(Value::Texts(texts)) } else { Err(odd()) };
        };
        let mut ids = Vec::new();
        while let Some(id) = list.next_element::<i64>()? {
            ids.push(id);
        }
        let is_good = count.map_or(!ids.is_empty(), |count| ids.len() == count) && are_different(&ids);
        if is_good { Ok(Value::Ids(ids)) } else { Err(odd()) }
    }
}

/// Whether a text has white space alone, as Python's `str.strip` sees it.
fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter))
}

/// Lists up to this length are compared pair by pair.
const FEW: usize = 16;

fn are_different(ids: &[i64]) -> bool {
    if ids.len() <= FEW {
        return ids.iter().enumerate().all(|(place, id)| !ids[..place].contains(id));
    }
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().all(|id| seen.insert(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value_kind: Kind, optional: &[String]) -> Fields<'_> {
        Fields { id: "id", value: "v", optional, id_kind: Kind::Integer, value_kind, line_bytes: 60 }
    }

    fn first(text: &str, kind: Kind) -> Option<Value> {
        let optional = ["t".to_owned()];
        read(text.as_bytes(), &fields(kind, &optional)).map(|mut rows| rows.remove(0).value)
    }

    #[test]
    fn right_rows_are_read() {
        let optional = ["t".to_owned()];
        let text = "{\"id\": 1, \"v\": [3, -4]}\r\n\n \t\n{\"t\":\"裙\",\"v\":[5],\"id\":2}";
        let rows = read(text.as_bytes(), &fields(Kind::Ids(None), &optional)).expect("right rows");
        let row = |id, ids: &[i64], text: Option<&str>| Row {
            id: Value::Integer(id),
            value: Value::Ids(ids.to_vec()),
            text: text.map(str::to_owned),
        };
        assert_eq!(rows, [row(1, &[3, -4], None), row(2, &[5], Some("裙"))]);
        assert_eq!(first("{\"id\": 1, \"v\": \"a\"}", Kind::Text), Some(Value::Text("a".to_owned())));
        assert_eq!(first("{\"id\": 1, \"v\": [\"a\"]}", Kind::Texts), Some(Value::Texts(vec!["a".to_owned()])));
        assert_eq!(read(b"", &fields(Kind::Text, &[])), Some(vec![]));
    }

    #[test]
    fn odd_rows_are_left_alone() {
        let lists = ["[]", "[1, 1]", "[1.0]", "[true]", "[1, \"2\"]", "[9223372036854775808]", "1", "null", "[[1]]"];
        let of_lists = lists.map(|list| format!("{{\"id\": 1, \"v\": {list}}}"));
        let others = [
            "{\"id\": 1}",
            "{\"v\": [1]}",
            "{\"id\": 1, \"v\": [1], \"x\": 1}",
            "{\"id\": 1, \"id\": 1, \"v\": [1]}",
            "{\"id\": 1, \"v\": [1], \"t\": 5}",
            "{\"id\": \"1\", \"v\": [1]}",
            "{\"id\": 1, \"v\": [1]} x",
            "[1]",
            "{",
            "{\"id\": 1, \"v\": [1]},{\"id\": 2, \"v\": [1]}",
            "\x0b{\"id\": 1, \"v\": [1]}",
            "\u{feff}{\"id\": 1, \"v\": [1]}",
            "{\"id\": 1, \"v\": [1]                                               }",
        ];
        for text in of_lists.iter().map(String::as_str).chain(others) {
            assert_eq!(first(text, Kind::Ids(None)), None, "{text}");
        }
        for text in ["\"\"", "\" \\u3000\\u001c\"", "[\"a\"]", "5", "\"\\ud800\""] {
            assert_eq!(first(&format!("{{\"id\": 1, \"v\": {text}}}"), Kind::Text), None, "{text}");
        }
        assert_eq!(first("{\"id\": 1, \"v\": [1, 2]}", Kind::Ids(Some(3))), None);
        let many: Vec<i64> = (0..17).chain([0]).collect();
        assert!(!are_different(&many) && are_different(&many[..17]));
    }
}
