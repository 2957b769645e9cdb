//! Submissions assembled from pieces of lines, compared with `serde_json` on each line.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use muge_fast_core::io::strict_rows::{Content, Fields, Kind, Table, Value, read};
use serde_json::Value as Json;

/// An id or a value that owns what it holds.
#[derive(Debug, PartialEq)]
enum Owned {
    Integer(i64),
    Text(String),
    Texts(Vec<String>),
    Ids(Vec<i64>),
}

/// Id, value and text of a row.
type Row = (Owned, Owned, Option<String>);

/// Each byte of the input selects one of these.
const PIECES: [&str; 44] = [
    "{\"id\": 1, \"v\": [",
    "{\"id\":\"a\",\"v\":\"",
    "{\"v\": [\"",
    "\"}\n",
    "]}\n",
    "], \"id\": 3}\n",
    "\"]}\r\n",
    "]",
    "}",
    "\n",
    "[",
    "{",
    "\"id\": ",
    "\"v\": ",
    "\"t\": ",
    "\"x\": ",
    "null",
    "true",
    ", ",
    ",",
    "\"",
    "\"red\"",
    "\\u88d9",
    "\\ud83d",
    "\\n",
    "\\",
    "裙",
    " ",
    "\\u3000",
    "\\u001c",
    "\u{1c}",
    "\u{b}",
    "1",
    "2",
    "3",
    "-0",
    "1.0",
    "1e2",
    "9223372036854775807",
    "9223372036854775808",
    "\\u0069d",
    "\u{feff}",
    "\0",
    "\r",
];

fuzz_target!(|input: &[u8]| {
    let Some((&first, input)) = input.split_first() else { return };
    let text: String = input.iter().map(|&byte| PIECES[usize::from(byte) % PIECES.len()]).collect();
    let id_kind = if first & 1 == 0 { Kind::Integer } else { Kind::Text };
    let value_kind = [Kind::Text, Kind::Texts, Kind::Ids(None), Kind::Ids(Some(2))][usize::from(first / 2) % 4];
    let optional = ["t".to_owned()];
    let fields = Fields {
        id: "id",
        value: "v",
        optional: &optional,
        refused: &[],
        id_kind,
        value_kind,
        strict_lines: false,
        line_bytes: 200,
    };
    let rows = match read(text.as_bytes(), &fields).expect("enough memory") {
        Content::Rows(table) => Some(rows(&table)),
        Content::Invalid => None,
        Content::CollidingIds => panic!("few ids collide"),
    };
    // `serde_json::Value` accepts a repeated field, nothing else that is an error here.
    match (rows, plain(&text, &fields)) {
        (Some(rows), Some(expected)) => assert_eq!(rows, expected, "{text:?}"),
        (Some(_), None) => panic!("accepted {text:?}"),
        (None, expected) => assert!(expected.is_none() || has_repeated_field(&text), "rejected {text:?}"),
    }
});

fn rows(table: &Table) -> Vec<Row> {
    let text =
        |row| table.text_rows.iter().position(|&text_row| text_row == row).map(|text| table.texts.get(text).to_owned());
    (0..table.ids.len()).map(|row| (owned(&table.ids.get(row)), owned(&table.values.get(row)), text(row))).collect()
}

fn owned(value: &Value<'_>) -> Owned {
    match value {
        Value::Integer(number) => Owned::Integer(*number),
        Value::Text(text) => Owned::Text((*text).to_owned()),
        Value::Texts(texts, range) => Owned::Texts(range.clone().map(|index| texts.get(index).to_owned()).collect()),
        Value::Ids(ids) => Owned::Ids(ids.to_vec()),
    }
}

fn has_repeated_field(text: &str) -> bool {
    text.lines().any(|line| ["id\"", "\"v\"", "\"t\""].iter().any(|name| line.matches(name).count() > 1))
        || text.lines().any(has_other_fields)
}

/// Fields that are ignored: `serde_json::Value` does not say whether they are repeated.
fn has_other_fields(line: &str) -> bool {
    serde_json::from_str::<Json>(line).is_ok_and(|row| {
        row.as_object().is_some_and(|row| row.keys().any(|name| !["id", "v", "t"].contains(&name.as_str())))
    })
}

fn plain(text: &str, fields: &Fields<'_>) -> Option<Vec<Row>> {
    let lines = text.split('\n').filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty());
    lines.map(|line| row(line, fields)).collect()
}

fn row(line: &str, fields: &Fields<'_>) -> Option<Row> {
    let row: Json = serde_json::from_str(line).ok()?;
    let row = row.as_object()?;
    let text = match row.get("t") {
        Some(text) => Some(text.as_str()?.to_owned()),
        None => None,
    };
    if line.len() > fields.line_bytes {
        return None;
    }
    Some((value(row.get("id")?, fields.id_kind)?, value(row.get("v")?, fields.value_kind)?, text))
}

fn value(json: &Json, kind: Kind) -> Option<Owned> {
    match kind {
        Kind::Integer => json.as_i64().map(Owned::Integer),
        Kind::Text => text(json).map(Owned::Text),
        Kind::Texts => {
            let texts: Option<Vec<String>> = json.as_array()?.iter().map(text).collect();
            texts.filter(|texts| !texts.is_empty()).map(Owned::Texts)
        }
        Kind::Ids(count) => {
            let ids: Option<Vec<i64>> = json.as_array()?.iter().map(Json::as_i64).collect();
            let is_good = |ids: &Vec<i64>| count.map_or(!ids.is_empty(), |count| ids.len() == count);
            let ids = ids.filter(is_good)?;
            (ids.iter().collect::<HashSet<_>>().len() == ids.len()).then_some(Owned::Ids(ids))
        }
    }
}

/// Return a text that is not blank, by Python's definition of white space.
fn text(json: &Json) -> Option<String> {
    let text = json.as_str()?;
    let is_space = |letter: char| letter.is_whitespace() || "\x1c\x1d\x1e\x1f".contains(letter);
    (!text.chars().all(is_space)).then(|| text.to_owned())
}
