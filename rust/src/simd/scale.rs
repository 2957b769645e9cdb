//! Scale and shift vectors.

per_level! {
    /// Write `vector` times `factor`, minus `centre`, to `target`, computed in double precision and rounded to single once:
    /// the error is relative to the difference. All vectors have the same length. The centre is in double precision to save
    /// conversions.
    pub fn scale(vector: &[f32], factor: f64, centre: &[f64], target: &mut [f32]) = body;
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body(vector: &[f32], factor: f64, centre: &[f64], target: &mut [f32]) {
    for ((target, &number), centre) in target.iter_mut().zip(vector).zip(centre) {
        *target = (f64::from(number) * factor - centre) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn every_level_subtracts_and_rounds_once() {
        let vector: Vec<f32> = (0..37_u8).map(f32::from).collect();
        let centre = vec![0.3; vector.len()];
        for level in Level::available() {
            let mut target = vec![0.0; vector.len()];
            scale(&vector, 0.1, &centre, &mut target, level);
            for (number, scaled) in vector.iter().zip(target) {
                assert_eq!(scaled, (f64::from(*number) * 0.1 - 0.3) as f32);
            }
        }
    }
}
