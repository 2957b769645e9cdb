//! Rows of JSON Lines files without errors.
//!
//! Python checks a submission line by line and reports every problem. Most files have no problem: this reader accepts
//! those, and only those, in a fraction of the time.

use std::borrow::Cow;
use std::fmt;
use std::mem::replace;
use std::ops::Range;

use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result as CoreResult};
use crate::io::dict_cost::are_slow;
use crate::memory;
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

/// Texts, one after the other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Texts {
    letters: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Return one text.
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.letters[start..self.ends[index]]
    }

    /// All texts, one after the other.
    pub fn letters(&self) -> &str {
        &self.letters
    }

    fn push(&mut self, text: &str) -> CoreResult<()> {
        memory::reserve(&mut self.ends, 1)?;
        let too_large = Error::Memory { bytes: self.letters.len() + text.len() };
        self.letters.try_reserve(text.len()).map_err(|_| too_large)?;
        self.letters.push_str(text);
        self.ends.push(self.letters.len());
        Ok(())
    }
}

/// The ids or the values of all rows, as few large buffers: most files have many small rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Of [`Kind::Integer`].
    Integers(Vec<i64>),
    /// Of [`Kind::Text`].
    Texts(Texts),
    /// Of [`Kind::Texts`]: all texts, and the end of each list.
    TextLists(Texts, Vec<usize>),
    /// Of [`Kind::Ids`]: all ids, and the end of each list.
    IdLists(Vec<i64>, Vec<usize>),
}

/// One element of a [`Column`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Text`].
    Text(&'a str),
    /// Of [`Kind::Texts`]: the texts of a list, by their indices in all texts.
    Texts(&'a Texts, Range<usize>),
    /// Of [`Kind::Ids`].
    Ids(&'a [i64]),
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integers(Vec::new()),
            Kind::Text => Self::Texts(Texts::default()),
            Kind::Texts => Self::TextLists(Texts::default(), Vec::new()),
            Kind::Ids(_) => Self::IdLists(Vec::new(), Vec::new()),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Texts(texts) => texts.len(),
            Self::TextLists(_, ends) | Self::IdLists(_, ends) => ends.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Return the element of a row.
    pub fn get(&self, row: usize) -> Value<'_> {
        let range = |ends: &[usize]| if row == 0 { 0 } else { ends[row - 1] }..ends[row];
        match self {
            Self::Integers(values) => Value::Integer(values[row]),
            Self::Texts(texts) => Value::Text(texts.get(row)),
            Self::TextLists(texts, ends) => Value::Texts(texts, range(ends)),
            Self::IdLists(ids, ends) => Value::Ids(&ids[range(ends)]),
        }
    }
}

/// The rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The ids, in the order of the file.
    pub ids: Column,
    /// The values.
    pub values: Column,
    /// The first of the optional texts of each row that has any.
    pub texts: Texts,
    /// The rows that have such a text.
    pub text_rows: Vec<usize>,
    /// Fields that no row needs: the first letters of their names, and the number of rows that have them.
    pub extra: Vec<(String, u64)>,
    /// Number of rows that have such a field.
    pub extra_rows: u64,
}

/// What a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // One for each file.
pub enum Content {
    /// Rows without errors, apart from ids that occur more than once.
    Rows(Table),
    /// Something that is wrong.
    Invalid,
    /// Integers as ids that would make a dictionary of Python slow; see [`are_slow`].
    CollidingIds,
}

/// Names of extra fields that are counted one by one; rows with further names are counted together.
const MAX_NAMES: usize = 20;
/// Letters of a name of an extra field that are kept.
const NAME_LETTERS: usize = 41;
/// Extra fields of a row, and of an object in it, that are compared pair by pair; the reader rejects more.
const MAX_EXTRA: usize = 32;

impl Table {
    fn new(fields: &Fields<'_>) -> Self {
        Self {
            ids: Column::new(fields.id_kind),
            values: Column::new(fields.value_kind),
            texts: Texts::default(),
            text_rows: Vec::new(),
            extra: Vec::new(),
            extra_rows: 0,
        }
    }

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

/// Memory for what the parser copies: strings of a line that have escapes, and the names of its fields.
const PARSER_LINES: usize = 4;
/// Memory for what does not grow with a file.
const PARSER_BYTES: usize = 1 << 20;

/// Read all rows. Blank lines are skipped or refused. The caller checks that ids are unique.
///
/// # Errors
/// [`Error::Memory`].
pub fn read(data: &[u8], fields: &Fields<'_>) -> CoreResult<Content> {
    // The parser would abort the process where it cannot copy a line.
    memory::check::<u8>(PARSER_LINES * data.len().min(fields.line_bytes) + PARSER_BYTES)?;
    let (mut table, mut rest) = (Table::new(fields), data);
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        // Only the white space of JSON: ASCII has more.
        let is_blank_line = line.iter().all(|byte| b" \t\r".contains(byte));
        if fields.strict_lines && (is_blank_line || memchr(b'\r', line.strip_suffix(b"\r").unwrap_or(line)).is_some()) {
            return Ok(Content::Invalid);
        }
        if is_blank_line {
            continue;
        }
        if line.len() > fields.line_bytes || !read_row(line, fields, &mut table)? {
            return Ok(Content::Invalid);
        }
    }
    let is_slow = if let Column::Integers(ids) = &table.ids { are_slow(ids)? } else { false };
    Ok(if is_slow { Content::CollidingIds } else { Content::Rows(table) })
}

/// Add a row to the table; returns whether it is valid.
fn read_row(line: &[u8], fields: &Fields<'_>, table: &mut Table) -> CoreResult<bool> {
    let Ok(line) = str::from_utf8(line) else { return Ok(false) };
    let mut parser = serde_json::Deserializer::from_str(line);
    let mut failure = None;
    let is_row = RowSeed { fields, table, failure: &mut failure }.deserialize(&mut parser).is_ok();
    match failure {
        Some(error) => Err(error),
        None => Ok(is_row && parser.end().is_ok()),
    }
}

struct RowSeed<'a> {
    fields: &'a Fields<'a>,
    table: &'a mut Table,
    /// Set where the row may be right but did not fit in memory.
    failure: &'a mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Self { fields, table, failure } = self;
        let (mut has_id, mut has_value) = (false, false);
        let mut texts = vec![None; fields.optional.len()];
        let mut extra = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_unexpected = if key == fields.id {
                map.next_value_seed(ColumnSeed { kind: fields.id_kind, column: &mut table.ids, failure })?;
                replace(&mut has_id, true)
            } else if key == fields.value {
                map.next_value_seed(ColumnSeed { kind: fields.value_kind, column: &mut table.values, failure })?;
                replace(&mut has_value, true)
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
        if let Some(text) = texts.into_iter().flatten().next() {
            let row = table.ids.len().saturating_sub(1);
            let kept = memory::reserve(&mut table.text_rows, 1).and_then(|()| table.texts.push(&text));
            keep(kept, failure)?;
            table.text_rows.push(row);
        }
        if has_id && has_value { Ok(()) } else { Err(unexpected()) }
    }
}

fn unexpected<E: serde::de::Error>() -> E {
    E::custom("unexpected field or value")
}

/// Pass on a result of this crate as one of the parser.
fn keep<T, E: serde::de::Error>(result: CoreResult<T>, failure: &mut Option<Error>) -> Result<T, E> {
    result.map_err(|error| {
        *failure = Some(error);
        unexpected()
    })
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

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
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
                return Err(unexpected());
            }
        }
        Ok(())
    }
}

/// Appends a value to a column.
struct ColumnSeed<'a> {
    kind: Kind,
    column: &'a mut Column,
    failure: &'a mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for ColumnSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.kind {
            Kind::Integer => deserializer.deserialize_i64(self),
            Kind::Text => deserializer.deserialize_str(self),
            Kind::Texts | Kind::Ids(_) => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for ColumnSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        let Column::Integers(values) = self.column else { return Err(unexpected()) };
        keep(push(values, value), self.failure)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.visit_i64(i64::try_from(value).map_err(E::custom)?)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        match self.column {
            Column::Texts(texts) if !is_blank(value) => keep(texts.push(value), self.failure),
            _ => Err(unexpected()),
        }
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        match (self.kind, self.column) {
            (Kind::Texts, Column::TextLists(texts, ends)) => {
                let start = texts.len();
                while list.next_element_seed(TextSeed { texts, failure: self.failure })?.is_some() {}
                let is_filled = texts.len() > start;
                if is_filled { keep(push(ends, texts.len()), self.failure) } else { Err(unexpected()) }
            }
            (Kind::Ids(count), Column::IdLists(ids, ends)) => {
                let start = ids.len();
                while let Some(id) = list.next_element::<i64>()? {
                    keep(push(ids, id), self.failure)?;
                }
                let new = &ids[start..];
                let is_valid = count.map_or(!new.is_empty(), |count| new.len() == count);
                if !is_valid || !keep(are_distinct(new), self.failure)? {
                    return Err(unexpected());
                }
                keep(push(ends, ids.len()), self.failure)
            }
            _ => Err(unexpected()),
        }
    }
}

/// Appends a text that is not blank.
struct TextSeed<'a> {
    texts: &'a mut Texts,
    failure: &'a mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for TextSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TextSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        if is_blank(value) { Err(unexpected()) } else { keep(self.texts.push(value), self.failure) }
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> CoreResult<()> {
    memory::reserve(values, 1)?;
    values.push(value);
    Ok(())
}

/// Lists up to this length are compared pair by pair.
const MAX_PAIRWISE: usize = 16;

fn are_distinct(ids: &[i64]) -> CoreResult<bool> {
    if ids.len() <= MAX_PAIRWISE {
        return Ok(ids.iter().enumerate().all(|(index, id)| !ids[..index].contains(id)));
    }
    let mut sorted = memory::collect(ids.iter().copied(), ids.len())?;
    sorted.sort_unstable();
    Ok(sorted.windows(2).all(|pair| pair[0] < pair[1]))
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

    fn table(text: &str, fields: &Fields<'_>) -> Option<Table> {
        match read(text.as_bytes(), fields) {
            Ok(Content::Rows(table)) => Some(table),
            _ => None,
        }
    }

    fn texts(texts: &[&str]) -> Texts {
        let mut made = Texts::default();
        texts.iter().for_each(|text| made.push(text).expect("enough memory"));
        made
    }

    fn first(text: &str, kind: Kind) -> Option<Column> {
        let optional = ["t".to_owned()];
        table(text, &fields(kind, &optional)).map(|table| table.values)
    }

    #[test]
    fn rows_without_errors_are_read() {
        let optional = ["t".to_owned()];
        let text = "{\"id\": 1, \"v\": [3, -4]}\r\n\n \t\n{\"t\":\"裙\",\"v\":[5],\"id\":2}";
        let rows = table(text, &fields(Kind::Ids(None), &optional)).expect("no errors");
        assert_eq!(rows.extra, []);
        assert_eq!(rows.ids, Column::Integers(vec![1, 2]));
        assert_eq!(rows.values, Column::IdLists(vec![3, -4, 5], vec![2, 3]));
        assert_eq!((rows.texts, rows.text_rows), (texts(&["裙"]), vec![1]));
        assert_eq!(first("{\"id\": 1, \"v\": \"a\"}", Kind::Text), Some(Column::Texts(texts(&["a"]))));
        let lists =
            first("{\"id\": 1, \"v\": [\"a\", \"b\"]}\n{\"id\": 2, \"v\": [\"c\"]}", Kind::Texts).expect("no errors");
        assert_eq!(lists, Column::TextLists(texts(&["a", "b", "c"]), vec![2, 3]));
        assert_eq!(lists.get(1), Value::Texts(&texts(&["a", "b", "c"]), 2..3));
        assert!(table("", &fields(Kind::Text, &[])).expect("no errors").ids.is_empty());
    }

    #[test]
    fn blank_lines_and_other_line_ends_are_refused_on_request() {
        let (first, last) = ("{\"id\": 1, \"v\": \"a\"}", "{\"id\": 2, \"v\": \"a\"}");
        let strict = Fields { strict_lines: true, ..fields(Kind::Text, &[]) };
        for between in ["\n", "\r\n", "\n ", " \t\n"] {
            let text = format!("{first}{between}{last}\n");
            assert_eq!(table(&text, &strict).map(|table| table.ids.len()), Some(2), "{text:?}");
        }
        for between in ["\n\n", "\r\n \t\r\n", "\n\r", "\r\r\n", "\r \n"] {
            let text = format!("{first}{between}{last}\n");
            assert_eq!(table(&text, &strict), None, "{text:?}");
            assert!(table(&text, &fields(Kind::Text, &[])).is_some(), "{text:?}");
        }
        for text in [format!("\n{first}"), format!("{first}\n\n"), format!("{first}\n ")] {
            assert_eq!(table(&text, &strict), None, "{text:?}");
        }
    }

    #[test]
    fn other_fields_are_counted() {
        let text =
            "{\"id\": 1, \"x\": [1, null], \"v\": [1], \"y\": {\"a\": 1e5}}\n{\"x\": \"a\", \"id\": 2, \"v\": [2]}";
        let rows = table(text, &fields(Kind::Ids(None), &[])).expect("no errors");
        assert_eq!((rows.ids.len(), rows.extra_rows), (2, 2));
        assert_eq!(rows.extra, [("x".to_owned(), 2), ("y".to_owned(), 1)]);

        let refused = ["y".to_owned()];
        assert_eq!(table(text, &Fields { refused: &refused, ..fields(Kind::Ids(None), &[]) }), None);

        let names = (0..30).map(|name| format!("\"{name}\":1,")).collect::<Vec<_>>().concat();
        let long = "裙".repeat(50);
        let text = format!("{{{names}\"{long}\": true, \"id\": 1, \"v\": \"a\"}}");
        let wide = Fields { line_bytes: 1000, ..fields(Kind::Text, &[]) };
        let mut rows = table(&text, &wide).expect("no errors");
        assert_eq!(rows.extra.pop(), Some(("…".to_owned(), 11)));
        assert_eq!(rows.extra.len(), MAX_NAMES);
        let text = format!("{{\"{long}\": false, \"id\": 1, \"v\": \"a\"}}");
        let rows = table(&text, &wide).expect("no errors");
        assert_eq!(rows.extra, [("裙".repeat(NAME_LETTERS), 1)]);
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
        assert_eq!((are_distinct(&many), are_distinct(&many[..17])), (Ok(false), Ok(true)));
    }
}
