//! Rows of JSON Lines files without errors.
//!
//! Python checks a submission line by line and reports every problem. Most files have no problem: this reader accepts
//! those, and only those, in a fraction of the time.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::text::is_blank;

/// The type of an id or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integer of at most 64 bits.
    Integer,
    /// A text that is not blank.
    Text,
    /// At least one text, none of them blank.
    Texts,
    /// Distinct integers: the given number of them, or at least one.
    Ids(Option<usize>),
}

/// The format of a row.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    /// Name of the field of the id.
    pub id: &'a str,
    /// Name of the field of the value.
    pub value: &'a str,
    /// Names of fields with a text that a row may have too.
    pub optional: &'a [String],
    /// Names of fields that a row must not have.
    pub refused: &'a [String],
    /// Type of the id.
    pub id_kind: Kind,
    /// Type of the value.
    pub value_kind: Kind,
    /// Whether blank lines are refused, and carriage returns that are not followed by a line feed.
    pub strict_lines: bool,
    /// Length of the longest line that is accepted, in bytes.
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
    /// The id.
    pub id: Value,
    /// The value.
    pub value: Value,
    /// The first of the optional texts that the row has.
    pub text: Option<String>,
}

/// The rows of a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Table {
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
    /// Fields that no row needs: the first letters of their names, and the number of rows that have them.
    pub extra: Vec<(String, u64)>,
    /// Number of rows that have such a field.
    pub extra_rows: u64,
}

/// Names of extra fields that are counted one by one; rows with further names are counted together.
const MAX_NAMES: usize = 20;
/// Letters of a name of an extra field that are kept.
const NAME_LETTERS: usize = 41;
/// Extra fields of a row, and of an object in it, that are compared pair by pair; the reader rejects more.
const MAX_EXTRA: usize = 32;

impl Table {
    fn count_extra(&mut self, name: &str) {
        let end = name.char_indices().nth(NAME_LETTERS).map_or(name.len(), |(end, _)| end);
        let is_new = !self.extra.iter().any(|(known, _)| *known == name[..end]);
        let name = if is_new && self.extra.len() >= MAX_NAMES { "…" } else { &name[..end] };
        match self.extra.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => self.extra.push((name.to_owned(), 1)),
        }
    }
}

/// Read all rows; returns None if anything is wrong. Blank lines are skipped or refused. The caller checks that ids are unique.
pub fn read(data: &[u8], fields: &Fields<'_>) -> Option<Table> {
    let (mut table, mut rest) = (Table::default(), data);
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        // Only the white space of JSON: ASCII has more.
        let is_blank_line = line.iter().all(|byte| b" \t\r".contains(byte));
        if fields.strict_lines && (is_blank_line || memchr(b'\r', line.strip_suffix(b"\r").unwrap_or(line)).is_some()) {
            return None;
        }
        if is_blank_line {
            continue;
        }
        if line.len() > fields.line_bytes {
            return None;
        }
        let mut parser = serde_json::Deserializer::from_str(str::from_utf8(line).ok()?);
        let row = RowSeed { fields, table: &mut table }.deserialize(&mut parser).ok()?;
        table.rows.push(row);
        parser.end().ok()?;
    }
    Some(table)
}

struct RowSeed<'a> {
    fields: &'a Fields<'a>,
    table: &'a mut Table,
}

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
        let Self { fields, table } = self;
        let unexpected = || M::Error::custom("unexpected field");
        let (mut id, mut value) = (None, None);
        let mut texts = vec![None; fields.optional.len()];
        let mut extra = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_unexpected = if key == fields.id {
                id.replace(map.next_value_seed(fields.id_kind)?).is_some()
            } else if key == fields.value {
                value.replace(map.next_value_seed(fields.value_kind)?).is_some()
            } else if let Some(index) = fields.optional.iter().position(|name| *name == key) {
                texts[index].replace(map.next_value::<String>()?).is_some()
            } else if fields.refused.iter().any(|name| *name == key) {
                true
            } else {
                map.next_value_seed(Extra)?;
                table.count_extra(&key);
                add_name(&mut extra, key)
            };
            if is_unexpected {
                return Err(unexpected());
            }
        }
        table.extra_rows += u64::from(!extra.is_empty());
        let text = texts.into_iter().flatten().next();
        Ok(Row { id: id.ok_or_else(unexpected)?, value: value.ok_or_else(unexpected)?, text })
    }
}

/// Add a name to those of an object; returns whether it is there already, or there are too many to compare.
fn add_name<'de>(names: &mut Vec<Cow<'de, str>>, name: Cow<'de, str>) -> bool {
    let is_repeated = names.len() >= MAX_EXTRA || names.contains(&name);
    names.push(name);
    is_repeated
}

/// Any value without a repeated name in an object.
struct Extra;

impl<'de> DeserializeSeed<'de> for Extra {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Extra {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while list.next_element_seed(Extra)?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut names = Vec::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            map.next_value_seed(Extra)?;
            if add_name(&mut names, name) {
                return Err(M::Error::custom("repeated name"));
            }
        }
        Ok(())
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
        if self == Self::Integer { Ok(Value::Integer(value)) } else { Err(E::custom("not an integer")) }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.visit_i64(i64::try_from(value).map_err(E::custom)?)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if self == Self::Text && !is_blank(value) {
            Ok(Value::Text(value.to_owned()))
        } else {
            Err(E::custom("not a text"))
        }
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Value, S::Error> {
        let unexpected = || S::Error::custom("unexpected list");
        let Self::Ids(count) = self else {
            let mut texts = Vec::new();
            while let Some(text) = list.next_element::<String>()? {
                texts.push(text);
            }
            let is_valid = self == Self::Texts && !texts.is_empty() && !texts.iter().any(|text| is_blank(text));
            return if is_valid { Ok(Value::Texts(texts)) } else { Err(unexpected()) };
        };
        let mut ids = Vec::new();
        while let Some(id) = list.next_element::<i64>()? {
            ids.push(id);
        }
        let is_valid = count.map_or(!ids.is_empty(), |count| ids.len() == count) && are_distinct(&ids);
        if is_valid { Ok(Value::Ids(ids)) } else { Err(unexpected()) }
    }
}

/// Lists up to this length are compared pair by pair.
const MAX_PAIRWISE: usize = 16;

fn are_distinct(ids: &[i64]) -> bool {
    if ids.len() <= MAX_PAIRWISE {
        return ids.iter().enumerate().all(|(index, id)| !ids[..index].contains(id));
    }
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().all(|id| seen.insert(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value_kind: Kind, optional: &[String]) -> Fields<'_> {
        Fields {
            id: "id",
            value: "v",
            optional,
            refused: &[],
            id_kind: Kind::Integer,
            value_kind,
            strict_lines: false,
            line_bytes: 60,
        }
    }

    fn first(text: &str, kind: Kind) -> Option<Value> {
        let optional = ["t".to_owned()];
        read(text.as_bytes(), &fields(kind, &optional)).map(|mut table| table.rows.remove(0).value)
    }

    #[test]
    fn rows_without_errors_are_read() {
        let optional = ["t".to_owned()];
        let text = "{\"id\": 1, \"v\": [3, -4]}\r\n\n \t\n{\"t\":\"裙\",\"v\":[5],\"id\":2}";
        let rows = read(text.as_bytes(), &fields(Kind::Ids(None), &optional)).expect("no errors");
        let row = |id, ids: &[i64], text: Option<&str>| Row {
            id: Value::Integer(id),
            value: Value::Ids(ids.to_vec()),
            text: text.map(str::to_owned),
        };
        assert_eq!(rows.extra, []);
        assert_eq!(rows.rows, [row(1, &[3, -4], None), row(2, &[5], Some("裙"))]);
        assert_eq!(first("{\"id\": 1, \"v\": \"a\"}", Kind::Text), Some(Value::Text("a".to_owned())));
        assert_eq!(first("{\"id\": 1, \"v\": [\"a\"]}", Kind::Texts), Some(Value::Texts(vec!["a".to_owned()])));
        assert_eq!(read(b"", &fields(Kind::Text, &[])), Some(Table::default()));
    }

    #[test]
    fn blank_lines_and_other_line_ends_are_refused_on_request() {
        let (first, last) = ("{\"id\": 1, \"v\": \"a\"}", "{\"id\": 2, \"v\": \"a\"}");
        let strict = Fields { strict_lines: true, ..fields(Kind::Text, &[]) };
        for between in ["\n", "\r\n", "\n ", " \t\n"] {
            let text = format!("{first}{between}{last}\n");
            assert_eq!(read(text.as_bytes(), &strict).map(|table| table.rows.len()), Some(2), "{text:?}");
        }
        for between in ["\n\n", "\r\n \t\r\n", "\n\r", "\r\r\n", "\r \n"] {
            let text = format!("{first}{between}{last}\n");
            assert_eq!(read(text.as_bytes(), &strict), None, "{text:?}");
            assert!(read(text.as_bytes(), &fields(Kind::Text, &[])).is_some(), "{text:?}");
        }
        for text in [format!("\n{first}"), format!("{first}\n\n"), format!("{first}\n ")] {
            assert_eq!(read(text.as_bytes(), &strict), None, "{text:?}");
        }
    }

    #[test]
    fn other_fields_are_counted() {
        let text =
            "{\"id\": 1, \"x\": [1, null], \"v\": [1], \"y\": {\"a\": 1e5}}\n{\"x\": \"a\", \"id\": 2, \"v\": [2]}";
        let table = read(text.as_bytes(), &fields(Kind::Ids(None), &[])).expect("no errors");
        assert_eq!((table.rows.len(), table.extra_rows), (2, 2));
        assert_eq!(table.extra, [("x".to_owned(), 2), ("y".to_owned(), 1)]);

        let refused = ["y".to_owned()];
        assert_eq!(read(text.as_bytes(), &Fields { refused: &refused, ..fields(Kind::Ids(None), &[]) }), None);

        let names = (0..30).map(|name| format!("\"{name}\":1,")).collect::<Vec<_>>().concat();
        let long = "裙".repeat(50);
        let text = format!("{{{names}\"{long}\": true, \"id\": 1, \"v\": \"a\"}}");
        let wide = Fields { line_bytes: 1000, ..fields(Kind::Text, &[]) };
        let mut table = read(text.as_bytes(), &wide).expect("no errors");
        assert_eq!(table.extra.pop(), Some(("…".to_owned(), 11)));
        assert_eq!(table.extra.len(), MAX_NAMES);
        let text = format!("{{\"{long}\": false, \"id\": 1, \"v\": \"a\"}}");
        let table = read(text.as_bytes(), &wide).expect("no errors");
        assert_eq!(table.extra, [("裙".repeat(NAME_LETTERS), 1)]);
    }

    #[test]
    fn rows_with_errors_are_not_read() {
        let lists = ["[]", "[1, 1]", "[1.0]", "[true]", "[1, \"2\"]", "[9223372036854775808]", "1", "null", "[[1]]"];
        let of_lists = lists.map(|list| format!("{{\"id\": 1, \"v\": {list}}}"));
        let others = [
            "{\"id\": 1}",
            "{\"v\": [1]}",
            "{\"id\": 1, \"v\": [1], \"x\": 1, \"x\": 1}",
            "{\"id\": 1, \"v\": [1], \"x\": {\"a\": 1, \"a\": 1}}",
            "{\"id\": 1, \"v\": [1], \"x\": NaN}",
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
        assert!(!are_distinct(&many) && are_distinct(&many[..17]));
    }
}
