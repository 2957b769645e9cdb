//! Products of counts with columns of numbers, summed over items: a tile of four resamples and four columns at a time.

use super::Level;

/// Resamples of a tile.
pub const RESAMPLES: usize = 4;

/// Columns of a tile.
pub const COLUMNS: usize = 4;

/// Slices have a multiple of this many items; the last ones may be zeros.
pub const ITEMS: usize = 64;

/// Running sums of a column of real numbers.
pub const LANES: usize = 8;

/// The running sums of each resample and column.
pub type Lanes<const COLUMNS: usize> = [[[f64; LANES]; COLUMNS]; RESAMPLES];

/// The sum of each resample and column.
pub type Sums = [[i32; COLUMNS]; RESAMPLES];

per_level! {
    /// Add the products to the running sums of columns: those of items `lane`, `lane + 8`, … to sum `lane` in this order.
    pub fn add_reals<const COLUMNS: usize>(
        counts: &[&[u8]; RESAMPLES],
        columns: &[&[f64]; COLUMNS],
        sums: &mut Lanes<COLUMNS>
    ) = add_reals_body;
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn add_reals_body<const COLUMNS: usize>(
    counts: &[&[u8]; RESAMPLES],
    columns: &[&[f64]; COLUMNS],
    sums: &mut Lanes<COLUMNS>,
) {
    let len = counts[0].len() / LANES;
    let counts = counts.map(|counts| &counts.as_chunks::<LANES>().0[..len]);
    let columns = columns.map(|column| &column.as_chunks::<LANES>().0[..len]);
    let mut running = *sums;
    for at in 0..len {
        let values = columns.map(|column| column[at]);
        for (running, counts) in running.iter_mut().zip(&counts) {
            let counts = counts[at].map(f64::from);
            for (running, values) in running.iter_mut().zip(&values) {
                for lane in 0..LANES {
                    running[lane] += counts[lane] * values[lane];
                }
            }
        }
    }
    *sums = running;
}

/// Return the sums of products, which must fit in 32 bits.
///
/// # Panics
/// If this CPU does not have the level, or a length differs or is not a multiple of [`ITEMS`].
#[allow(unsafe_code)]
pub fn words(counts: &[&[u8]; RESAMPLES], columns: &[&[i16]; COLUMNS], level: Level) -> Sums {
    assert!(level.is_available(), "this CPU does not have the level");
    check(counts, columns.map(<[i16]>::len));
    match level.base() {
        // SAFETY: the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { super::count_products_x86::words_avx512(counts, columns) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { super::count_products_x86::words_avx2(counts, columns) },
        _ => portable(counts, columns),
    }
}

/// Return the sums of products like [`words`], of columns of bytes. Only AVX-512 VNNI is faster with them.
///
/// # Panics
/// As [`words`].
#[allow(unsafe_code)]
pub fn bytes(counts: &[&[u8]; RESAMPLES], columns: &[&[i8]; COLUMNS], level: Level) -> Sums {
    assert!(level.is_available(), "this CPU does not have the level");
    check(counts, columns.map(<[i8]>::len));
    match level {
        // SAFETY: the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => unsafe { super::count_products_x86::bytes_vnni(counts, columns) },
        _ => portable(counts, columns),
    }
}

fn check(counts: &[&[u8]; RESAMPLES], columns: [usize; COLUMNS]) {
    let len = counts[0].len();
    let lengths = counts.iter().map(|counts| counts.len()).chain(columns);
    assert!(len.is_multiple_of(ITEMS) && lengths.into_iter().all(|other| other == len), "lengths differ");
}

fn portable<V: Copy + Into<i32>>(counts: &[&[u8]; RESAMPLES], columns: &[&[V]; COLUMNS]) -> Sums {
    counts.map(|counts| {
        columns.map(|column| counts.iter().zip(column).map(|(&count, &value)| i32::from(count) * value.into()).sum())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_the_sums_of_products() {
        for len in [0, 64, 128, 192, 4096] {
            let value = |index: usize| (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let counts: Vec<u8> = (0..RESAMPLES * len).map(|index| value(index) as u8).collect();
            let words: Vec<i16> = (0..COLUMNS * len).map(|index| value(index + 7) as i16 / 8).collect();
            let bytes: Vec<i8> = words.iter().map(|&word| word as i8).collect();
            let counts: [&[u8]; RESAMPLES] = std::array::from_fn(|index| &counts[index * len..(index + 1) * len]);
            let words: [&[i16]; COLUMNS] = std::array::from_fn(|index| &words[index * len..(index + 1) * len]);
            let bytes: [&[i8]; COLUMNS] = std::array::from_fn(|index| &bytes[index * len..(index + 1) * len]);
            let expected = portable(&counts, &words);
            let expected_bytes = portable(&counts, &bytes);
            for level in Level::available() {
                assert_eq!(super::words(&counts, &words, level), expected, "{len} {level:?}");
                assert_eq!(super::bytes(&counts, &bytes, level), expected_bytes, "{len} {level:?}");
            }
        }
    }

    #[test]
    fn extreme_numbers_do_not_saturate() {
        let counts: [&[u8]; RESAMPLES] = [&[255; 64]; RESAMPLES];
        for level in Level::available() {
            assert_eq!(words(&counts, &[&[i16::MIN; 64]; COLUMNS], level), [[255 * 64 * i32::from(i16::MIN); 4]; 4]);
            assert_eq!(words(&counts, &[&[i16::MAX; 64]; COLUMNS], level), [[255 * 64 * i32::from(i16::MAX); 4]; 4]);
            assert_eq!(bytes(&counts, &[&[i8::MIN; 64]; COLUMNS], level), [[255 * 64 * -128; 4]; 4]);
        }
    }

    #[test]
    fn every_level_adds_real_numbers_in_the_same_order() {
        for len in [64, 128, 640] {
            let counts: Vec<u8> = (0..RESAMPLES * len).map(|index| (index * 7 % 11) as u8).collect();
            let values: Vec<f64> = (0..COLUMNS * len).map(|index| (index as f64).sin()).collect();
            let counts: [&[u8]; RESAMPLES] = std::array::from_fn(|index| &counts[index * len..(index + 1) * len]);
            let columns: [&[f64]; COLUMNS] = std::array::from_fn(|index| &values[index * len..(index + 1) * len]);
            let mut expected = [[[0.5; LANES]; COLUMNS]; RESAMPLES];
            for (resample, counts) in counts.iter().enumerate() {
                for (column, values) in columns.iter().enumerate() {
                    for (item, (&count, value)) in counts.iter().zip(*values).enumerate() {
                        expected[resample][column][item % LANES] += f64::from(count) * value;
                    }
                }
            }
            for level in Level::available() {
                let mut sums = [[[0.5; LANES]; COLUMNS]; RESAMPLES];
                add_reals(&counts, &columns, &mut sums, level);
                assert_eq!(sums, expected, "{len} {level:?}");
                for column in 0..COLUMNS {
                    let mut sums = [[[0.5; LANES]; 1]; RESAMPLES];
                    add_reals(&counts, &[columns[column]], &mut sums, level);
                    assert_eq!(sums.map(|[sums]| sums), expected.map(|sums| sums[column]), "{len} {level:?}");
                }
            }
        }
    }
}
