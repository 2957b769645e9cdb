//! How deeply JSON is nested, before a recursive parser sees it.

/// Whether lists and objects are nested more deeply than `limit` somewhere. Brackets in strings do not count.
///
/// The text need not be valid: up to its first error, the depth is that of the parser.
pub fn is_deeper(text: &[u8], limit: usize) -> bool {
    let (mut depth, mut bytes) = (0_usize, text.iter());
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    false
}

fn skip_string<'a>(bytes: &mut impl Iterator<Item = &'a u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_outside_of_strings_count() {
        let deep = ["[[[1]]]", "{\"a\":{\"b\":[", "\"\\\"\"[[[", "[]]]]]]]]]]]]]]]]]]]][[[", "[{\"[[\\\\\":[\"\"]}]"];
        for text in deep {
            assert!(is_deeper(text.as_bytes(), 2) && !is_deeper(text.as_bytes(), 4), "{text}");
        }
        for text in ["[[],[],[]]", "[\"[[[\", \"\\\"[[[\"]", "\"[[[", "", "{\"{[\": [\"{\"]}", "\"\\"] {
            assert!(!is_deeper(text.as_bytes(), 2), "{text}");
        }
    }
}
