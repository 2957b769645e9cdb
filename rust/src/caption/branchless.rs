//! Filters without a branch per element.
//!
//! Whether a token of a reference occurs in the prediction, or an n-gram in another item, is close to a coin flip, and a
//! mispredicted branch costs more than a store. So every element is written to the next free position, and the position
//! moves on only if the element is kept.

/// Write the elements flagged with `true` to the front of `out` and return their number.
///
/// `out` needs room for one more element than are kept, because the last rejected one is written too.
#[inline]
pub(super) fn select<T>(out: &mut [T], elements: impl Iterator<Item = (T, bool)>) -> usize {
    let mut kept = 0;
    for (element, keep) in elements {
        out[kept] = element;
        kept += usize::from(keep);
    }
    kept
}

/// Replace the content of `out` with the elements flagged with `true`.
#[inline]
pub(super) fn select_into<T: Copy + Default>(out: &mut Vec<T>, elements: impl ExactSizeIterator<Item = (T, bool)>) {
    out.resize(elements.len() + 1, T::default());
    let kept = select(out, elements);
    out.truncate(kept);
}

/// Keep the elements for whose index `keep(elements, index)` is true. Elements at `index` and after it are unchanged when
/// `keep` sees them.
#[inline]
pub(super) fn retain<T: Copy>(elements: &mut Vec<T>, mut keep: impl FnMut(&[T], usize) -> bool) {
    let mut kept = 0;
    for index in 0..elements.len() {
        let element = elements[index];
        let keeps = keep(elements, index);
        elements[kept] = element;
        kept += usize::from(keeps);
    }
    elements.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_equal_those_of_the_standard_library() {
        for bits in 0..64u32 {
            let elements: Vec<u32> = (0..6).collect();
            let expected: Vec<u32> = elements.iter().copied().filter(|element| bits >> element & 1 == 1).collect();
            let mut selected = vec![9; 3];
            select_into(&mut selected, elements.iter().map(|&element| (element, bits >> element & 1 == 1)));
            assert_eq!(selected, expected);
            let mut retained = elements;
            retain(&mut retained, |elements, index| bits >> elements[index] & 1 == 1);
            assert_eq!(retained, expected);
        }
    }

    #[test]
    fn retain_sees_the_elements_that_follow() {
        let mut elements = vec![1, 2, 5, 6, 7, 9];
        retain(&mut elements, |all, index| all.get(index + 1) == Some(&(all[index] + 1)));
        assert_eq!(elements, [1, 5, 6]);
    }
}
