//! Image files of a few kinds of bytes, compared with their plain definition.

#![no_main]

use libfuzzer_sys::fuzz_target;
use muge_fast_core::Plan;
use muge_fast_core::io::image_tsv::{Wanted, decode, index};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fuzz_target!(|input: &[u8]| {
    // The first byte makes lines long.
    let Some((&first, input)) = input.split_first() else { return };
    let repeat = [1, 1, 1, 40][usize::from(first) % 4];
    let data: Vec<u8> =
        input.iter().flat_map(|&byte| std::iter::repeat_n(byte, if byte == b'A' { repeat } else { 1 })).collect();
    let entries = index(data.as_slice(), &Plan::new(Some(1)), Wanted::ALL).expect("bytes can be read");
    let mut entries = entries.into_iter();
    for (line, number) in data.split(|&byte| byte == b'\n').zip(1..) {
        if line.trim_ascii().is_empty() && line.len() < 1024 {
            continue;
        }
        let entry = entries.next().expect("every line that is not blank has an entry");
        assert_eq!(entry.line, number);
        let whole = line.strip_suffix(b"\r").unwrap_or(line);
        let tab = line.iter().take(1024).position(|&byte| byte == b'\t');
        let Some(tab) = tab else {
            assert!(entry.id.is_err());
            continue;
        };
        let id = str::from_utf8(&line[..tab]).map(str::trim).ok().filter(|id| !id.is_empty());
        let payload = whole.get(tab + 1..).unwrap_or_default();
        if payload.is_empty() || id.is_none() {
            assert!(entry.id.is_err());
            continue;
        }
        assert_eq!(entry.id.as_deref(), Ok(id.unwrap_or_default()));
        let start = usize::try_from(entry.start).expect("small");
        assert_eq!(&data[start..start + usize::try_from(entry.len).expect("small")], payload);
        check(payload);
    }
    assert_eq!(entries.next(), None);
});

/// Base64 of one alphabet, digit by digit; padding only where it makes the length a multiple of four.
fn check(text: &[u8]) {
    let found = decode(text).ok();
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
        assert_eq!(found, None, "{text:?}");
        return;
    };
    let mut bits = digits.iter().flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1));
    let bytes: Vec<u8> = (0..digits.len() * 6 / 8)
        .map(|_| (0..8).fold(0, |byte, _| byte << 1 | u8::from(bits.next() == Some(1))))
        .collect();
    // Bits that are left over must be zero.
    let is_canonical = bits.all(|bit| bit == 0);
    assert_eq!(found, is_canonical.then_some(bytes), "{text:?}");
}
