//! Levenshtein distance of two texts, if it is at most a bound.
//!
//! Columns of the matrix of distances are words of bits, one for each step up and one for each step down (Myers, 1999), in
//! blocks of 64 rows (Hyyrö, 2003). Cells further from the diagonal than the bound do not matter (Ukkonen, 1985), so only
//! the blocks near it are computed. Their neighbours count as large as they can be, which makes all values upper bounds, and
//! exact ones wherever the distance is at most the bound.

use crate::error::Result;
use crate::memory;
use crate::parallel::Plan;

/// Rows in a block.
const ROWS: usize = 64;

/// Blocks computed between two checks for cancellation.
const BLOCKS_PER_CHECK: usize = 1 << 16;

/// Buffers for the pattern, which is the shorter text.
#[derive(Debug, Default)]
pub(super) struct Levenshtein {
    /// Its different characters, sorted.
    alphabet: Vec<char>,
    /// Where each of these occurs: as many words as blocks. The last mask is empty, for all other characters.
    masks: Vec<u64>,
    blocks: Vec<Block>,
}

/// Differences between each row of the current column and the one above.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    up: u64,
    down: u64,
    /// Value of the last row.
    distance: usize,
}

impl Levenshtein {
    /// Return the distance, or None if it is more than `most`.
    pub fn distance(&mut self, left: &[char], right: &[char], most: usize, plan: &Plan) -> Result<Option<usize>> {
        let (pattern, text) = if left.len() <= right.len() { (left, right) } else { (right, left) };
        let (pattern, text) = without_common_ends(pattern, text);
        if text.len() - pattern.len() > most {
            return Ok(None);
        }
        if pattern.is_empty() {
            return Ok(Some(text.len()));
        }
        self.prepare(pattern)?;
        let distance = self.compare(pattern.len(), text, most, plan)?;
        Ok((distance <= most).then_some(distance))
    }

    /// Write the masks of a pattern and the first column.
    fn prepare(&mut self, pattern: &[char]) -> Result<()> {
        let blocks = pattern.len().div_ceil(ROWS);
        self.alphabet.clear();
        memory::reserve(&mut self.alphabet, pattern.len())?;
        self.alphabet.extend_from_slice(pattern);
        self.alphabet.sort_unstable();
        self.alphabet.dedup();
        let words = blocks * (self.alphabet.len() + 1);
        self.masks.clear();
        memory::reserve(&mut self.masks, words)?;
        self.masks.resize(words, 0);
        for (row, &c) in pattern.iter().enumerate() {
            let start = self.letter(c) * blocks;
            self.masks[start + row / ROWS] |= 1 << (row % ROWS);
        }
        self.blocks.clear();
        memory::reserve(&mut self.blocks, blocks)?;
        let last_row = |block: usize| (ROWS * (block + 1)).min(pattern.len());
        self.blocks.extend((0..blocks).map(|block| Block { up: !0, down: 0, distance: last_row(block) }));
        Ok(())
    }

    /// Return the index of a character's masks.
    fn letter(&self, c: char) -> usize {
        self.alphabet.binary_search(&c).unwrap_or(self.alphabet.len())
    }

    /// Return the distance if it is at most `most`, and any larger number if it is not.
    fn compare(&mut self, rows: usize, text: &[char], most: usize, plan: &Plan) -> Result<usize> {
        let count = self.blocks.len();
        // The first column after which each block is near the diagonal, and the last.
        let mut used = (most / ROWS + 1).min(count);
        let mut computed = 0;
        for (column, &c) in text.iter().enumerate() {
            let start = self.letter(c) * count;
            let first = column.saturating_sub(most) / ROWS;
            let last = (column.saturating_add(most) / ROWS).min(count - 1);
            if last >= used {
                // All rows of a block that is new are one more than the one above.
                self.blocks[last] =
                    Block { up: !0, down: 0, distance: self.blocks[last - 1].distance + ROWS.min(rows - ROWS * last) };
                used = last + 1;
            }
            let mut carry = Carry::Up;
            for block in first..=last {
                let last_row = if block + 1 == count { (rows - 1) % ROWS } else { ROWS - 1 };
                carry = self.blocks[block].advance(self.masks[start + block], carry, last_row);
            }
            computed += last + 1 - first;
            if computed >= BLOCKS_PER_CHECK {
                plan.check()?;
                computed = 0;
            }
        }
        Ok(self.blocks[count - 1].distance)
    }
}

/// Change of a row from one column to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Carry {
    Up,
    Same,
    Down,
}

impl Block {
    /// Go to the next column, where `equal` are the rows whose characters are equal. `carry` is the change of the row above.
    fn advance(&mut self, equal: u64, carry: Carry, last_row: usize) -> Carry {
        let Self { up, down, .. } = *self;
        let vertical = equal | down;
        let equal = equal | u64::from(carry == Carry::Down);
        let horizontal = ((equal & up).wrapping_add(up) ^ up) | equal;
        let rises = down | !(horizontal | up);
        let falls = up & horizontal;
        let change = if rises >> last_row & 1 == 1 {
            self.distance += 1;
            Carry::Up
        } else if falls >> last_row & 1 == 1 {
            self.distance -= 1;
            Carry::Down
        } else {
            Carry::Same
        };
        let rises = rises << 1 | u64::from(carry == Carry::Up);
        let falls = falls << 1 | u64::from(carry == Carry::Down);
        self.up = falls | !(vertical | rises);
        self.down = rises & vertical;
        change
    }
}

/// Return two texts without the characters that both begin and end with, which do not change the distance.
fn without_common_ends<'a>(left: &'a [char], right: &'a [char]) -> (&'a [char], &'a [char]) {
    let start = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[start..], &right[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    (&left[..left.len() - end], &right[..right.len() - end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Levenshtein, Plan};

    /// The definition: the whole matrix, one row at a time.
    fn plain(left: &[char], right: &[char]) -> usize {
        let mut above: Vec<usize> = (0..=right.len()).collect();
        for (row, a) in left.iter().enumerate() {
            let mut current = vec![row + 1];
            for (column, b) in right.iter().enumerate() {
                let replaced = above[column] + usize::from(a != b);
                current.push(replaced.min(above[column + 1] + 1).min(current[column] + 1));
            }
            above = current;
        }
        above[right.len()]
    }

    fn distance(scratch: &mut Levenshtein, left: &[char], right: &[char], most: usize) -> Option<usize> {
        scratch.distance(left, right, most, &Plan::new(Some(1))).expect("nothing cancels it")
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn distances_are_of_characters() {
        let mut scratch = Levenshtein::default();
        for (left, right, expected) in
            [("", "", 0), ("", "红", 1), ("hello", "hallo", 1), ("红色裙子", "红裙子", 1), ("abc", "xyz", 3)]
        {
            assert_eq!(distance(&mut scratch, &chars(left), &chars(right), 9), Some(expected));
        }
        assert_eq!(distance(&mut scratch, &chars("abc"), &chars("xyz"), 2), None);
    }

    #[test]
    fn edges_of_blocks_are_as_in_the_definition() {
        let mut scratch = Levenshtein::default();
        for length in [63, 64, 65, 127, 128, 129, 300] {
            let left: Vec<char> = ['a', 'b', 'c'].into_iter().cycle().take(length).collect();
            let right: Vec<char> = ['b', 'a', 'c', 'c'].into_iter().cycle().take(length + 5).collect();
            let expected = plain(&left, &right);
            for most in [0, 5, expected - 1, expected, expected + 1, 1000, usize::MAX] {
                let found = distance(&mut scratch, &left, &right, most);
                assert_eq!(found, (expected <= most).then_some(expected), "length {length}, most {most}");
            }
        }
    }

    /// Few letters, so that there are long chains of equal ones.
    fn text() -> impl Strategy<Value = Vec<char>> {
        let length = prop_oneof![0..12usize, 50..80usize, 120..210usize];
        length.prop_flat_map(|length| prop::collection::vec(prop::sample::select(vec!['a', 'b', '红', '𠀀']), length))
    }

    /// A text with a few changes, or another one.
    fn pair() -> impl Strategy<Value = (Vec<char>, Vec<char>)> {
        let edits =
            prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop::sample::select(vec!['a', 'z'])), 0..20);
        let edited = (text(), edits).prop_map(|(left, edits)| {
            let mut right = left.clone();
            for (place, kind, c) in edits {
                let at = place.index(right.len() + 1);
                match kind {
                    0 => right.insert(at, c),
                    1 if at < right.len() => drop(right.remove(at)),
                    _ if at < right.len() => right[at] = c,
                    _ => {}
                }
            }
            (left, right)
        });
        prop_oneof![(text(), text()), edited]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn bounded_distances_are_those_of_the_definition((left, right) in pair(), most in 0..220usize) {
            let expected = plain(&left, &right);
            let mut scratch = Levenshtein::default();
            prop_assert_eq!(distance(&mut scratch, &left, &right, most), (expected <= most).then_some(expected));
            prop_assert_eq!(distance(&mut scratch, &right, &left, expected), Some(expected));
        }
    }
}
