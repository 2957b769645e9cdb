//! Products of random numbers with a bound.

/// Random numbers of a block.
pub const BLOCK: usize = 512;

per_level! {
    /// Multiply the lower and the upper half of each number with `n`. The upper halves of both products are written to
    /// `pairs`, two integers of 32 bits each in this order in memory. Returns whether the lower half of any product is
    /// below `threshold`.
    pub fn products(numbers: &[u64; BLOCK], n: u32, threshold: u32, pairs: &mut [u64; BLOCK]) -> bool = body;
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body(numbers: &[u64; BLOCK], n: u32, threshold: u32, pairs: &mut [u64; BLOCK]) -> bool {
    const LOW: u64 = 0xffff_ffff;
    let (n, threshold) = (u64::from(n), u64::from(threshold));
    // The highest bit is set by a difference below zero.
    let mut below = 0;
    for (pair, number) in pairs.iter_mut().zip(numbers) {
        let (first, second) = ((number & LOW) * n, (number >> 32) * n);
        below |= (first & LOW).wrapping_sub(threshold) | (second & LOW).wrapping_sub(threshold);
        let both = first >> 32 | (second & !LOW);
        *pair = if cfg!(target_endian = "big") { both.rotate_left(32) } else { both };
    }
    below >> 63 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn every_level_has_the_products_and_finds_rejections_anywhere() {
        let numbers: [u64; BLOCK] = std::array::from_fn(|index| (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for n in [2, 10_007, 0x8000_000b, u32::MAX] {
            let halves = numbers.iter().flat_map(|number| [number & 0xffff_ffff, number >> 32]);
            let products: Vec<u64> = halves.map(|half| half * u64::from(n)).collect();
            let expected: Vec<u32> = products.iter().map(|product| (product >> 32) as u32).collect();
            let least = products.iter().map(|&product| product as u32).min().expect("a product");
            for level in Level::available() {
                let mut pairs = [0; BLOCK];
                assert!(!super::products(&numbers, n, least, &mut pairs, level));
                assert_eq!(bytemuck::cast_slice::<u64, u32>(&pairs), expected);
                assert!(least == u32::MAX || super::products(&numbers, n, least + 1, &mut pairs, level));
            }
        }
    }
}
