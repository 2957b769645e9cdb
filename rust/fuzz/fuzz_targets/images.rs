//! Image files of any bytes, compared with their plain definition.

#![no_main]

use libfuzzer_sys::fuzz_target;
use muge_fast_core::Plan;
use muge_fast_core::io::image_tsv::{Limits, decode, index};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fuzz_target!(|input: &[u8]| {
    // The first byte lengthens lines.
    let Some((&first, input)) = input.split_first() else { return };
    let repeat = [1, 1, 1, 40][usize::from(first) % 4];
    let data: Vec<u8> =
        input.iter().flat_map(|&byte| std::iter::repeat_n(byte, if byte == b'A' { repeat } else { 1 })).collect();
    let index = index(data.as_slice(), &Plan::new(Some(1)), Limits::default()).expect("bytes can be read");
    let mut broken = index.broken.iter().map(|&(line, _)| line);
    let mut images = index.lines.iter().zip(&index.ids).zip(index.starts.iter().zip(&index.lengths));
    for (line, number) in data.split(|&byte| byte == b'\n').zip(1..) {
        if line.trim_ascii().is_empty() && line.len() < 1024 {
            continue;
        }
        let whole = line.strip_suffix(b"\r").unwrap_or(line);
        let tab = line.iter().take(1024).position(|&byte| byte == b'\t');
        let id = tab.and_then(|tab| str::from_utf8(&line[..tab]).ok()).map(str::trim).filter(|id| !id.is_empty());
        let payload = tab.and_then(|tab| whole.get(tab + 1..)).unwrap_or_default();
        let Some(id) = id.filter(|_| !payload.is_empty()) else {
            assert_eq!(broken.next(), Some(number));
            continue;
        };
        let ((&line, found), (&start, &length)) = images.next().expect("every line with an image is found");
        assert_eq!((u64::try_from(line), found.as_str()), (Ok(number), id));
        let [start, length] = [start, length].map(|number| usize::try_from(number).expect("small"));
        assert_eq!(&data[start..start + length], payload);
        check(payload);
    }
    assert!(images.next().is_none() && broken.next().is_none());
});

/// Check base64 of one alphabet, digit by digit; padding must make the length a multiple of four.
fn check(text: &[u8]) {
    let decoded = decode(text).ok();
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let is_url = text.iter().any(|byte| b"-_".contains(byte));
    let digit = |byte: &u8| match (byte, is_url) {
        (b'-', true) => Some(62),
        (b'_', true) => Some(63),
        (b'+' | b'/', true) => None,
        (byte, _) => LETTERS.iter().position(|letter| letter == byte),
    };
    let digits: Option<Vec<usize>> = body.iter().map(digit).collect();
    let fits = (body.len() == text.len() || text.len().is_multiple_of(4)) && body.len() % 4 != 1;
    let Some(digits) = digits.filter(|_| fits) else {
        assert_eq!(decoded, None, "{text:?}");
        return;
    };
    let mut bits = digits.iter().flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1));
    let bytes: Vec<u8> = (0..digits.len() * 6 / 8)
        .map(|_| (0..8).fold(0, |byte, _| byte << 1 | u8::from(bits.next() == Some(1))))
        .collect();
    // The remaining bits must be zero.
    let is_canonical = bits.all(|bit| bit == 0);
    assert_eq!(decoded, is_canonical.then_some(bytes), "{text:?}");
}
