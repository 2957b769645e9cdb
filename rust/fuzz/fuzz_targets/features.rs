//! Feature files assembled from pieces of lines and numbers, compared with `serde_json` on each line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use muge_fast_core::io::features::{Features, ID_FIELDS, Ids, read};
use muge_fast_core::simd::Level;
use muge_fast_core::{Plan, Result};
use serde_json::Value;

/// Each byte of the input selects one of these.
const PIECES: [&str; 54] = [
    "{\"image_id\": 1, \"feature\": [",
    "{\"text_id\":-7,\"feature\":[",
    "{\"feature\": [",
    "]}\n",
    "], \"query_id\": 3}\n",
    "]}\r\n",
    "]",
    "}",
    "\n",
    "[",
    "{",
    "\"image_id\": ",
    "\"feature\": ",
    "\"x\": ",
    "null",
    "true",
    ", ",
    ",",
    " , ",
    "0.",
    "-0.",
    "1.",
    "-9.",
    "0",
    "1",
    "5",
    "9",
    "00000000",
    "12345678",
    "99999999",
    "0.005501762498170137",
    "0.10000000149011612",
    "-0.020000000298023224",
    "1.00000005960464477539",
    "7.006492321624085e-46",
    "1.5e-05",
    "e-05",
    "e-1",
    "e-45",
    "e+3",
    "E-12",
    "e",
    ".",
    "-",
    " ",
    "3.4028235677973366e38",
    "1e39",
    "\u{feff}",
    "{\"item_id\": \"裙\", \"feature\": [",
    "], \"item_id\": \"\\u88d9\\n\"}\n",
    "NaN",
    "\"",
    "\x0c",
    "\t",
];

fuzz_target!(|input: &[u8]| {
    let text: String = input.iter().map(|&byte| PIECES[usize::from(byte) % PIECES.len()]).collect();
    let plan = Plan::new(Some(1));
    let results: Vec<Result<Features>> = Level::available().map(|level| read(text.as_bytes(), level, &plan)).collect();
    for result in &results {
        assert_eq!(bits(result), bits(&results[0]), "levels differ on {text:?}");
    }
    // `serde_json::Value` keeps the last of two fields with one name, which are an error here.
    let is_plain = text.lines().all(|line| line.matches("_id").count() < 2 && line.matches("feature").count() < 2);
    if is_plain {
        assert_eq!(results[0].as_ref().ok().map(|rows| bits(&Ok(rows.clone()))), plain(&text), "{text:?}");
    }
});

type Bits = std::result::Result<(&'static str, Ids, Vec<u32>), String>;

/// Return rows with the bits of their numbers: zeros have signs.
fn bits(features: &Result<Features>) -> Bits {
    match features {
        Ok(rows) => Ok((rows.field, rows.ids.clone(), rows.values.iter().map(|value| value.to_bits()).collect())),
        Err(error) => Err(error.to_string()),
    }
}

/// Return the rows, if every line is valid.
fn plain(text: &str) -> Option<Bits> {
    let (mut ids, mut values, mut form) = (Vec::new(), Vec::new(), None);
    for line in text.split('\n').filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty()) {
        let row: Value = serde_json::from_str(line).ok()?;
        let row = row.as_object()?;
        let (field, id) = ID_FIELDS.iter().find_map(|field| row.get(*field).map(|id| (*field, id)))?;
        let feature = row.get("feature")?.as_array()?;
        let found = (field, id.is_string(), feature.len());
        if feature.is_empty() || *form.get_or_insert(found) != found || !(id.is_string() || id.is_i64()) {
            return None;
        }
        ids.push(id.clone());
        for number in feature {
            let value = number.as_f64()? as f32;
            if !value.is_finite() {
                return None;
            }
            values.push(value.to_bits());
        }
    }
    let (field, is_text, _) = form?;
    let ids = if is_text {
        Ids::Texts(ids.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    } else {
        Ids::Integers(ids.iter().filter_map(Value::as_i64).collect())
    };
    Some(Ok((field, ids, values)))
}
