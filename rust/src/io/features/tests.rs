use std::io;

use super::*;

fn read_text(text: &str) -> Result<Features> {
    read(text.as_bytes(), Level::best(), &Plan::new(Some(2)))
}

#[test]
fn lines_of_any_length_and_order() {
    for (width, rows) in [(1, 3), (7, 1), (512, 700), (70_000, 5)] {
        let value = |row: usize, column: usize| ((row * 31 + column) % 1000) as f32 / 8.0 - 7.0;
        let line = |row: usize| {
            let numbers: Vec<String> = (0..width).map(|column| format!("{:?}", value(row, column))).collect();
            let (id, feature) = (format!("\"image_id\": {row}"), format!("\"feature\": [{}]", numbers.join(", ")));
            if row & 1 == 0 { format!("{{{id}, {feature}}}\n") } else { format!("{{{feature},{id}}}\r\n\n") }
        };
        let text: String = (0..rows).map(line).collect();
        let expected: Vec<f32> = (0..rows).flat_map(|row| (0..width).map(move |column| value(row, column))).collect();
        let features = read_text(&text).unwrap();
        assert_eq!(features.ids, Ids::Integers((0..rows as i64).collect()));
        assert_eq!(features.field, "image_id");
        assert_eq!(features.values, expected);
        assert_eq!(read_text(text.trim_end()), Ok(features));
    }
}

#[test]
fn both_parsers_agree() {
    let numbers = ["1", "-0", "0.5", "1e3", "-2E-3", "1.5e+2", "0e5", "16777217", "3.4028235e38", "1e-60", "4.5e-45"];
    for number in numbers {
        let text = format!("{{\"text_id\": -3, \"feature\": [{number}]}}");
        let (mut usual, mut any) = (vec![], vec![]);
        assert_eq!(
            usual_line::line(text.as_bytes(), &mut usual, Level::best()),
            Some(("text_id", Id::Integer(-3))),
            "{number}"
        );
        assert_eq!(any_line::line(text.as_bytes(), &mut any), Ok(("text_id", Id::Integer(-3))));
        assert_eq!(usual[0].to_bits(), any[0].to_bits(), "{number}");
    }
    for number in ["01", "-01", ".5", "-.5", "1.", "1.e3", "+1", "1e", "nan", "-inf", "Infinity", "1e39", "1_0", "0x1"]
    {
        let text = format!("{{\"text_id\": 3, \"feature\": [{number}]}}");
        assert_eq!(usual_line::line(text.as_bytes(), &mut vec![], Level::best()), None, "{number}");
        assert!(any_line::line(text.as_bytes(), &mut vec![]).is_err(), "{number}");
    }
}

#[test]
fn lines_of_the_usual_form_are_the_same_to_the_other_parser() {
    let seeds = [
        r#"{"image_id": 42967, "feature": [0.0123, -4.56e-3, 7]}"#,
        r#"{"feature":[1.5,0.25,123456789.125],"query_id":"裙 1"}"#,
        "{ \"text_id\" :\t-7 , \"feature\" : [ 1 , 2.0 ] } \r",
    ];
    let bytes = b"\x0c\x0b \t\r\0\"\\{}[],:.-+eE0123456789nN\x7f\x80\xc3x";
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut usual_lines, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut line = seeds[random(seeds.len())].as_bytes().to_vec();
        for _ in 0..=random(3) {
            let (at, byte) = (random(line.len()), bytes[random(bytes.len())]);
            match random(3) {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ => drop(line.remove(at)),
            }
        }
        let (mut usual, mut any) = (vec![], vec![]);
        let found = usual_line::line(&line, &mut usual, Level::best());
        let other = any_line::line(&line, &mut any);
        refused += usize::from(other.is_err());
        let Some(found) = found else { continue };
        usual_lines += 1;
        assert_eq!(other, Ok(found), "{:?}", String::from_utf8_lossy(&line));
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&usual), bits(&any));
    }
    assert!(usual_lines > 5000 && refused > 5000, "{usual_lines} {refused}");
}

#[test]
fn ids_are_strings_in_both_parsers() {
    for (id, expected) in [("", ""), ("a b", "a b"), ("裙", "裙"), ("007", "007"), ("1e3", "1e3"), ("\u{7f}", "\u{7f}")]
    {
        let text = format!("{{\"query_id\": \"{id}\", \"feature\": [1]}}");
        let expected = Ok(("query_id", Id::Text(expected.into())));
        assert_eq!(
            usual_line::line(text.as_bytes(), &mut vec![], Level::best()).ok_or(String::new()),
            expected,
            "{id}"
        );
        assert_eq!(any_line::line(text.as_bytes(), &mut vec![]), expected, "{id}");
    }
    // Escapes, and what JSON does not allow in a string, are left to the second parser.
    for (id, expected) in
        [("\\u88d9\\n\\\"", Some("裙\n\"")), ("\\ud83d\\ude00", Some("😀")), ("\\ud83d", None), ("\t", None)]
    {
        let text = format!("{{\"item_id\": \"{id}\", \"feature\": [1]}}");
        assert_eq!(usual_line::line(text.as_bytes(), &mut vec![], Level::best()), None, "{id}");
        let id = any_line::line(text.as_bytes(), &mut vec![]).ok();
        assert_eq!(id, expected.map(|text| ("item_id", Id::Text(text.into()))), "{text}");
    }
}

#[test]
fn strings_of_many_blocks_keep_their_order() {
    let ids: Vec<String> = (0..60_000).map(|row| format!("裙{row}")).collect();
    let line = |id: &String| format!("{{\"text_id\": \"{id}\", \"feature\": [1, 2]}}\n");
    let text = ids.iter().map(line).collect::<Vec<_>>().concat();
    assert!(text.len() as u64 > 3 * BLOCK);
    let features = read_text(&text).unwrap();
    assert_eq!((features.ids, features.field, features.values.len()), (Ids::Texts(ids), "text_id", 120_000));
}

#[test]
fn all_lines_have_the_same_name_and_type_of_id() {
    let cases = [
        ("{\"text_id\": 2, \"feature\": [1]}", "has text_id, the first line has image_id"),
        ("{\"image_id\": \"2\", \"feature\": [1]}", "image_id is a string, in the first line an integer"),
        ("{\"image_id\": 2, \"feature\": [1, 2]}", "feature has 2 numbers, the first line has 1"),
    ];
    for (line, message) in cases {
        for count in [1, 20_000] {
            let good = "{\"image_id\": 1, \"feature\": [1]}\n".repeat(count);
            let error = read_text(&(good + line)).unwrap_err().to_string();
            assert_eq!(error, format!("line {}: {message}", count + 1));
        }
    }
    let text = "{\"image_id\": \"1\", \"feature\": [1]}\n{\"image_id\": 1, \"feature\": [1]}";
    assert_eq!(read_text(text).unwrap_err().to_string(), "line 2: image_id is an integer, in the first line a string");
}

#[test]
fn numbers_that_are_not_finite_are_named() {
    for (number, value) in
        [("NaN", "NaN"), ("-Infinity", "-Infinity"), (" nan ", "nan"), ("inf", "inf"), ("1e400", "1e400")]
    {
        let text = format!("{{\"x\": [1], \"feature\" : [0.5, -1,{number}, 3], \"image_id\": 1}}");
        let error = any_line::line(text.as_bytes(), &mut vec![]).unwrap_err();
        assert_eq!(error, format!("feature[2] is {value}, needs a finite number"));
    }
    for (number, found) in
        [("null", "null"), ("true", "boolean `true`"), ("\"1\"", "string \"1\""), ("[1]", "sequence")]
    {
        let text = format!("{{\"image_id\": 1, \"feature\": [0.5, {number}]}}");
        let error = any_line::line(text.as_bytes(), &mut vec![]).unwrap_err();
        assert!(error.starts_with(&format!("invalid type: {found}, expected a number as feature[1] at")), "{error}");
    }
}

#[test]
fn a_missing_field_is_named_with_those_that_are_there() {
    let fields = ["a\\n", "b", "c", "d", "e", "f"].map(|name| format!("\"{name}\": 1, ")).concat();
    let text = format!("{{{fields}\"image_id\": 1}}");
    let error = any_line::line(text.as_bytes(), &mut vec![]).unwrap_err();
    assert!(error.starts_with("feature is missing, the line has a\\n, b, c, d, e and more at character"), "{error}");
}

#[test]
fn written_lines_are_read_back() {
    let texts = ["裙", "a\"\\\n\u{0}\u{2028}", "", "😀"].map(str::to_owned).to_vec();
    for ids in [Ids::Texts(texts), Ids::Integers(vec![-1, 0, i64::MAX, i64::MIN])] {
        let plan = Plan::new(Some(2));
        let lines = write("query_id", &ids, &[0.5, -2.0, 1e-45, 3.0], &plan).unwrap().concat();
        let features = read(lines.as_slice(), Level::best(), &plan).unwrap();
        assert_eq!(features, Features { field: "query_id", ids, values: vec![0.5, -2.0, 1e-45, 3.0] });
    }
}

#[test]
fn errors_name_the_line() {
    let good = "{\"image_id\": 1, \"feature\": [1, 2]}\n";
    for count in [0, 1, 40_000] {
        let text = good.repeat(count) + "{\"image_id\": 1}\n" + &good.repeat(20_000);
        let error = read_text(&text).unwrap_err().to_string();
        assert_eq!(error, format!("line {}: feature is missing at character 15", count + 1));
        let text = good.repeat(count + 1) + "{\"image_id\": 1, \"feature\": [1]}\n" + good;
        let error = read_text(&text).unwrap_err().to_string();
        assert_eq!(error, format!("line {}: feature has 1 numbers, the first line has 2", count + 2));
    }
    assert_eq!(read_text("\n \n"), Err(Error::Empty("the file")));
    assert_eq!(read_text(""), Err(Error::Empty("the file")));
}

/// Fails to read beyond its first bytes.
struct Failing(Vec<u8>, usize);

impl Source for Failing {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset as usize + buffer.len() > self.1 {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.0.as_slice().read_at(offset, buffer)
    }
}

#[test]
fn errors_of_the_disk_keep_their_number() {
    let text = "{\"image_id\": 1, \"feature\": [1, 2]}\n".repeat(50_000);
    for readable in [0, 1 << 20] {
        let error =
            read(&Failing(text.clone().into_bytes(), readable), Level::best(), &Plan::new(Some(2))).unwrap_err();
        assert!(matches!(error, Error::Io { code: Some(5), .. }), "{error:?}");
    }
}
