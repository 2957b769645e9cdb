//! Sums of selected items by tables of the 256 sums of a group of eight items.

use std::ops::Add;

use bytemuck::Zeroable;

use super::Level;

/// Items of a group.
pub const GROUP: usize = 8;

/// Subsets of a group.
pub const SUBSETS: usize = 1 << GROUP;

/// Groups whose tables are looked up together, as many as fit in the nearest cache.
pub const GROUPS: usize = 4;

/// Items of these groups.
pub const ITEMS: usize = GROUP * GROUPS;

/// Columns of whole numbers that are summed together.
pub const WORDS: usize = 16;

/// Columns of real numbers that are summed together.
pub const REALS: usize = 8;

/// Largest whole number: the sum of as many items as are looked up together fits in 16 bits.
pub const MAX_WORD: u16 = i16::MAX as u16 / ITEMS as u16;

/// The sums of the subsets of each group.
pub type Tables<Row> = [[Row; SUBSETS]; GROUPS];

/// The numbers of an item in a few columns that are summed together.
pub trait Tile: Copy + Zeroable {
    /// Sums of these columns.
    type Sums: Copy + Zeroable;

    /// Number of columns.
    const COLUMNS: usize;

    /// Return how often sums of selected items can be added before they must be merged, for numbers of this magnitude.
    fn rounds(largest: Option<u32>) -> usize;

    /// Set the number of a column.
    fn set(&mut self, column: usize, value: f64);

    /// Fill the tables with the sums of the items: those of a subset are added in order, starting at zero.
    fn fill(items: &[Self; ITEMS], tables: &mut Tables<Self>, level: Level);

    /// Add the sums of selected items to those of each trial, group by group in this order. Bit `i` of a trial's bits
    /// selects item `i`.
    fn add(selections: &[u32], tables: &Tables<Self>, sums: &mut [Self], level: Level);

    /// Add sums of selected items to those of each trial, and start again at zero.
    fn merge(added: &mut [Self], sums: &mut [Self::Sums]);

    /// Return the sum of a column.
    fn sum(sums: &Self::Sums, column: usize) -> f64;
}

/// Whole numbers, at most [`MAX_WORD`] in magnitude; sums must fit in 32 bits.
impl Tile for [i16; WORDS] {
    type Sums = [i32; WORDS];

    const COLUMNS: usize = WORDS;

    fn set(&mut self, column: usize, value: f64) {
        self[column] = value as i16;
    }

    fn fill(items: &[Self; ITEMS], tables: &mut Tables<Self>, level: Level) {
        fill_words(items, tables, level);
    }

    fn rounds(largest: Option<u32>) -> usize {
        largest.map_or(1, |largest| i16::MAX as usize / (ITEMS * (largest as usize).max(1)))
    }

    fn add(selections: &[u32], tables: &Tables<Self>, sums: &mut [Self], level: Level) {
        add_words(selections, tables, sums, level);
    }

    fn merge(added: &mut [Self], sums: &mut [Self::Sums]) {
        for (added, sums) in added.iter_mut().zip(sums) {
            sums.iter_mut().zip(*added).for_each(|(sum, added)| *sum += i32::from(added));
            *added = Self::zeroed();
        }
    }

    fn sum(sums: &Self::Sums, column: usize) -> f64 {
        f64::from(sums[column])
    }
}

impl<const COLUMNS: usize> Tile for [f64; COLUMNS] {
    type Sums = Self;

    const COLUMNS: usize = COLUMNS;

    fn set(&mut self, column: usize, value: f64) {
        self[column] = value;
    }

    fn fill(items: &[Self; ITEMS], tables: &mut Tables<Self>, level: Level) {
        fill_reals(items, tables, level);
    }

    /// Sums of real numbers depend on the order, so they are never merged in between.
    fn rounds(_: Option<u32>) -> usize {
        usize::MAX
    }

    fn add(selections: &[u32], tables: &Tables<Self>, sums: &mut [Self], level: Level) {
        add_reals(selections, tables, sums, level);
    }

    fn merge(added: &mut [Self], sums: &mut [Self::Sums]) {
        sums.copy_from_slice(added);
    }

    fn sum(sums: &Self::Sums, column: usize) -> f64 {
        sums[column]
    }
}

per_level! {
    /// See [`Tile`].
    pub fn fill_words(items: &[[i16; WORDS]; ITEMS], tables: &mut Tables<[i16; WORDS]>) = fill_body;
}

per_level! {
    /// See [`Tile`].
    pub fn add_words(selections: &[u32], tables: &Tables<[i16; WORDS]>, sums: &mut [[i16; WORDS]]) = add_words_body;
}

per_level! {
    /// See [`Tile`].
    pub fn fill_reals<const COLUMNS: usize>(
        items: &[[f64; COLUMNS]; ITEMS],
        tables: &mut Tables<[f64; COLUMNS]>
    ) = fill_body;
}

per_level! {
    /// See [`Tile`].
    pub fn add_reals<const COLUMNS: usize>(
        selections: &[u32],
        tables: &Tables<[f64; COLUMNS]>,
        sums: &mut [[f64; COLUMNS]]
    ) = add_reals_body;
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn fill_body<T: Copy + Zeroable + Add<Output = T>, const COLUMNS: usize>(
    items: &[[T; COLUMNS]; ITEMS],
    tables: &mut Tables<[T; COLUMNS]>,
) {
    for (items, table) in items.as_chunks::<GROUP>().0.iter().zip(tables) {
        table[0] = [T::zeroed(); COLUMNS];
        for (item, values) in items.iter().enumerate() {
            let (smaller, larger) = table.split_at_mut(1 << item);
            for (sum, smaller) in larger.iter_mut().zip(smaller) {
                for column in 0..COLUMNS {
                    sum[column] = smaller[column] + values[column];
                }
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn add_words_body(selections: &[u32], tables: &Tables<[i16; WORDS]>, sums: &mut [[i16; WORDS]]) {
    for (selection, sums) in selections.iter().zip(sums) {
        let [a, b, c, d] = selection.to_le_bytes().map(usize::from);
        let (a, b, c, d) = (&tables[0][a], &tables[1][b], &tables[2][c], &tables[3][d]);
        for column in 0..WORDS {
            sums[column] += a[column] + b[column] + c[column] + d[column];
        }
    }
}

#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn add_reals_body<const COLUMNS: usize>(
    selections: &[u32],
    tables: &Tables<[f64; COLUMNS]>,
    sums: &mut [[f64; COLUMNS]],
) {
    for (selection, sums) in selections.iter().zip(sums) {
        let [a, b, c, d] = selection.to_le_bytes().map(usize::from);
        let (a, b, c, d) = (&tables[0][a], &tables[1][b], &tables[2][c], &tables[3][d]);
        for column in 0..COLUMNS {
            sums[column] = sums[column] + a[column] + b[column] + c[column] + d[column];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selections() -> Vec<u32> {
        (0..300_u32).map(|trial| trial.wrapping_mul(2_654_435_761).rotate_left(trial)).chain([0, u32::MAX]).collect()
    }

    #[test]
    fn whole_numbers_of_selected_items_are_summed_at_every_level() {
        let items: [[i16; WORDS]; ITEMS] = std::array::from_fn(|item| {
            std::array::from_fn(|column| if column == 0 { MAX_WORD as i16 } else { (item * column) as i16 - 99 })
        });
        for level in Level::available() {
            let mut tables = bytemuck::allocation::zeroed_box::<Tables<[i16; WORDS]>>();
            let mut sums = vec![[5; WORDS]; selections().len()];
            fill_words(&items, &mut tables, level);
            add_words(&selections(), &tables, &mut sums, level);
            for (selection, sums) in selections().into_iter().zip(sums) {
                for (column, sum) in sums.into_iter().enumerate() {
                    let selected = (0..ITEMS).filter(|item| selection >> item & 1 == 1);
                    let expected: i16 = selected.map(|item| items[item][column]).sum();
                    assert_eq!(sum, 5 + expected, "{level:?}");
                }
            }
        }
    }

    #[test]
    fn merged_sums_start_again_before_they_overflow() {
        for largest in [0, 1, 34, u32::from(MAX_WORD)] {
            let rounds = <[i16; WORDS]>::rounds(Some(largest));
            assert!(rounds > 0 && i16::try_from(rounds * ITEMS * largest as usize).is_ok());
        }
        let (mut added, mut sums) = ([[-7_i16; WORDS]; 2], [[i32::from(i16::MIN); WORDS]; 2]);
        Tile::merge(&mut added, &mut sums);
        assert_eq!((added, sums), ([[0; WORDS]; 2], [[i32::from(i16::MIN) - 7; WORDS]; 2]));
    }

    #[test]
    fn real_numbers_of_selected_items_are_added_in_order_at_every_level() {
        let items: [[f64; REALS]; ITEMS] =
            std::array::from_fn(|item| std::array::from_fn(|column| ((item * 7 + column) as f64).sin()));
        for level in Level::available() {
            let mut tables = bytemuck::allocation::zeroed_box::<Tables<[f64; REALS]>>();
            let mut sums = vec![[0.1; REALS]; selections().len()];
            fill_reals(&items, &mut tables, level);
            add_reals(&selections(), &tables, &mut sums, level);
            let mut column_tables = bytemuck::allocation::zeroed_box::<Tables<[f64; 1]>>();
            let mut column_sums = vec![[0.1; 1]; selections().len()];
            fill_reals(&items.map(|values| [values[3]]), &mut column_tables, level);
            add_reals(&selections(), &column_tables, &mut column_sums, level);
            for (trial, selection) in selections().into_iter().enumerate() {
                for column in 0..REALS {
                    let group = |group: usize| {
                        let selected = (group * GROUP..(group + 1) * GROUP).filter(|item| selection >> item & 1 == 1);
                        selected.fold(0.0, |sum, item| sum + items[item][column])
                    };
                    let expected = (0..GROUPS).fold(0.1, |sum, index| sum + group(index));
                    assert_eq!(sums[trial][column], expected, "{level:?}");
                }
                assert_eq!(column_sums[trial][0], sums[trial][3], "{level:?}");
            }
        }
    }
}
