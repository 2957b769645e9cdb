//! The automaton: the longest match at a position, and the part of a match that looks ahead.

use super::tables::{DEAD, START, Tables};

/// A match: the number of its action, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) action: u8,
    pub(super) end: usize,
}

/// Return the longest match at `start`; None if there is none, as at the end of the text.
#[inline]
pub(super) fn longest(tables: &Tables, text: &[u16], start: usize) -> Option<Match> {
    let mut state = START;
    let mut accepted = None;
    for (length, &unit) in text[start..].iter().enumerate() {
        state = tables.step(state, unit);
        if state == DEAD {
            break;
        }
        if tables.accepts(state) {
            accepted = Some((state, start + length + 1));
            if tables.is_last(state) {
                break;
            }
        }
    }
    accepted.map(|(state, end)| Match { action: tables.action(state), end })
}

/// Return where the token of an expression that looks ahead ends within its match `start..end`.
///
/// The first automaton marks the ends of every possible token. The second one reads what is looked at backwards, from the end
/// of the match; the token ends where it first accepts a marked end. `marks` is a buffer.
pub(super) fn token_end(
    tables: &Tables,
    text: &[u16],
    range: (usize, usize),
    (forward, backward): (u16, u16),
    marks: &mut Vec<bool>,
) -> Option<usize> {
    let (start, end) = range;
    marks.clear();
    let mut state = forward;
    for &unit in &text[start..end] {
        if state == DEAD {
            break;
        }
        marks.push(tables.accepts(state));
        state = tables.step(state, unit);
    }
    if state != DEAD {
        marks.push(tables.accepts(state));
    }
    marks.resize(end - start + 1, false);
    let mut state = backward;
    let mut length = end - start;
    while !(marks[length] && tables.accepts(state)) {
        length = length.checked_sub(1)?;
        state = tables.step(state, text[start + length]);
        if state == DEAD {
            return None;
        }
    }
    Some(start + length)
}
