//! Each level against sums in integers and in double precision.

use super::*;

const STEPS: [usize; 6] = [0, 1, 2, 7, 8, 33];

/// Return pseudo-random words.
fn words(count: usize, seed: u32) -> impl Iterator<Item = u32> {
    (0..count as u32).map(move |index| (index + seed).wrapping_mul(2_654_435_761).rotate_left(13))
}

fn steps<const WIDTH: usize>(count: usize, seed: u32, word: impl Fn(u32) -> u32) -> Vec<[u32; WIDTH]> {
    let flat: Vec<u32> = words(count * WIDTH, seed).map(word).collect();
    flat.as_chunks().0.to_vec()
}

/// Return a function that makes each byte of a word an integer of at most `most`, the largest in one of four words, plus an
/// offset.
fn limited(most: u8, offset: u8) -> impl Fn(u32) -> u32 {
    move |word| {
        let integer = |byte: u8| i16::from(byte) % (2 * i16::from(most) + 1) - i16::from(most);
        let extreme = |byte: u8| if byte & 1 == 0 { i16::from(most) } else { -i16::from(most) };
        let bytes = word.to_le_bytes();
        let integers = if word >> 30 == 0 { [extreme(bytes[3] >> (word & 1)); 4] } else { bytes.map(integer) };
        u32::from_le_bytes(integers.map(|integer| (integer + i16::from(offset)) as u8))
    }
}

#[test]
fn integers_have_exact_scores_at_every_level() {
    for (level, count) in Level::available().flat_map(|level| STEPS.map(|count| (level, count))) {
        let Integers { queries, items, offset } = Integers::of(level);
        let (queries, items) = (steps(count, 1, limited(queries, 0)), steps(count, 99, limited(items, offset)));
        let starts = [-5, 0, 7, 1 << 30, 1, 2, 3, 4, 5, 6, 7, 8];
        let scales = std::array::from_fn(|item| 1.0 / (item + 1) as f32);
        let thresholds = [f32::NEG_INFINITY, 0.0, 100.0, f32::NAN, 1e4, -1e4, 0.5, 1e3, 1e5, 2e3, 1.0, -1.0];
        let task = Task { queries: &queries, items: &items, ahead: &items, thresholds: &thresholds };
        let mut scores = [[f32::NAN; ITEMS]; QUERIES];
        let reached = integers(task, &starts, &scales, &mut scores, level);
        // Signed bytes are meant where nothing is added to them.
        let value = |byte: u8| if offset == 0 { i32::from(byte as i8) } else { i32::from(byte) };
        for query in 0..QUERIES {
            for item in 0..ITEMS {
                let words = queries.iter().zip(&items).map(|(queries, items)| (queries[query], items[item]));
                let bytes = words.flat_map(|(left, right)| left.to_le_bytes().into_iter().zip(right.to_le_bytes()));
                let sum = bytes.map(|(left, right)| i32::from(left as i8) * value(right)).sum::<i32>() + starts[query];
                let expected = sum as f32 * scales[item];
                assert_eq!(scores[query][item], expected, "{count} {level:?}");
                assert_eq!(reached[query] >> item & 1 == 1, expected >= thresholds[query], "{count} {level:?}");
            }
        }
    }
}

#[test]
fn the_largest_integers_do_not_overflow() {
    for level in Level::available() {
        let Integers { queries, items, offset } = Integers::of(level);
        for (query, item) in [(1, 1), (1, -1), (-1, 1), (-1, -1)] {
            let (query, item) = (query * i32::from(queries), item * i32::from(items));
            let word = |value: i32| u32::from_le_bytes([value as u8; 4]);
            let steps = 64;
            let (queries, items) =
                (vec![[word(query); QUERIES]; steps], vec![[word(item + i32::from(offset)); ITEMS]; steps]);
            let task = Task { queries: &queries, items: &items, ahead: &[], thresholds: &[0.0; QUERIES] };
            let count = 4 * steps as i32;
            let (starts, scales) = ([-i32::from(offset) * query * count; QUERIES], [1.0; ITEMS]);
            let mut scores = [[f32::NAN; ITEMS]; QUERIES];
            integers(task, &starts, &scales, &mut scores, level);
            assert_eq!(scores, [[(query * item * count) as f32; ITEMS]; QUERIES], "{level:?}");
        }
    }
}

#[test]
fn floats_are_within_their_bound_at_every_level() {
    for count in STEPS {
        let small = |word: u32| (word as f32 / u32::MAX as f32 - 0.5).to_bits();
        let (queries, items) = (steps(count, 1, small), steps(count, 99, small));
        let thresholds = [0.1; QUERIES];
        let task = Task { queries: &queries, items: &items, ahead: &[], thresholds: &thresholds };
        for level in Level::available() {
            let mut scores = [[f32::NAN; ITEMS]; QUERIES];
            let masks = float(task, &mut scores, level);
            for (query, row) in scores.iter().enumerate() {
                for (item, &score) in row.iter().enumerate() {
                    let products = queries.iter().zip(&items).map(|(queries, items)| {
                        f64::from(f32::from_bits(queries[query])) * f64::from(f32::from_bits(items[item]))
                    });
                    let (exact, size) = products.fold((0.0, 0.0), |(sum, size), one| (sum + one, size + one.abs()));
                    let bound = count as f64 * f64::from(f32::EPSILON) * size;
                    assert!((f64::from(score) - exact).abs() <= bound, "{count} {level:?}");
                    assert_eq!(masks[query] >> item & 1 == 1, score >= 0.1);
                }
            }
        }
    }
}
