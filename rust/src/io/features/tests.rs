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
        assert_eq!(features.ids, (0..rows as i64).collect::<Vec<_>>());
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
        assert_eq!(usual_line::line(text.as_bytes(), &mut usual, Level::best()), Some(-3), "{number}");
        assert_eq!(any_line::line(text.as_bytes(), &mut any), Ok(-3));
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
    assert_eq!(read_text("\n \n"), Err(Error::Empty("features")));
    assert_eq!(read_text(""), Err(Error::Empty("features")));
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
