//! The formula of METEOR, a function of the row of an item or of the sum of rows.

use super::power::fifth_root;

/// Number of statistics of an item.
pub const WIDTH: usize = 23;

/// Statistics of an item: lengths of prediction and reference, function words in each, then for each module the matched
/// content words of prediction and reference and the matched function words of both, then chunks, and the matched words
/// of prediction and reference.
pub type MeteorStatistics = [f64; WIDTH];

/// Exact words, stems, synonyms, paraphrases.
pub(super) const MODULES: usize = 4;

pub(super) const CHUNKS: usize = 20;
const WEIGHTS: [f64; MODULES] = [1.0, 0.6, 0.8, 0.6];
const ALPHA: f64 = 0.85;
const GAMMA: f64 = 0.6;
const DELTA: f64 = 0.75;

/// Return METEOR from the statistics of an item, or from their sum over many items, 0 to 1.
///
/// ```
/// use muge_fast_core::caption::meteor::{WIDTH, score};
/// let mut statistics = [0.0; WIDTH];
/// // Four words of each text match in one chunk.
/// for index in [0, 1, 4, 5, 21, 22] {
///     statistics[index] = 4.0;
/// }
/// statistics[20] = 1.0;
/// assert_eq!(score(&statistics), 1.0);
/// ```
pub fn score(statistics: &MeteorStatistics) -> f64 {
    let precision = weighted_matches(statistics, 0) / weighted_length(statistics, 0);
    let recall = weighted_matches(statistics, 1) / weighted_length(statistics, 1);
    let mean = 1.0 / ((1.0 - ALPHA) / precision + ALPHA / recall);
    let fragmentation = if is_perfect(statistics) {
        0.0
    } else {
        statistics[CHUNKS] / f64::midpoint(statistics[CHUNKS + 1], statistics[CHUNKS + 2])
    };
    let score = mean * (1.0 - GAMMA * fifth_root(fragmentation));
    if score.is_nan() { 0.0 } else { score.max(0.0) }
}

/// Return a row whose sum over items determines the score of all of them: perfect items do not count as chunks.
pub fn additive(mut statistics: MeteorStatistics) -> MeteorStatistics {
    if is_perfect(&statistics) {
        statistics[CHUNKS] = 0.0;
    }
    statistics
}

/// Return METEOR of all items together, which is not the mean of their scores.
pub fn score_corpus(rows: &[MeteorStatistics]) -> f64 {
    let mut sum = [0.0; WIDTH];
    for row in rows {
        sum.iter_mut().zip(additive(*row)).for_each(|(sum, value)| *sum += value);
    }
    score(&sum)
}

/// Whether all words of both texts match in one chunk.
#[allow(clippy::float_cmp)] // Whole numbers.
fn is_perfect(statistics: &MeteorStatistics) -> bool {
    let matched = |side: usize| {
        (0..MODULES)
            .fold(0.0, |sum, module| sum + content(statistics, module, side) + function(statistics, module, side))
    };
    matched(0) == statistics[0] && matched(1) == statistics[1] && statistics[CHUNKS] == 1.0
}

fn weighted_length(statistics: &MeteorStatistics, side: usize) -> f64 {
    DELTA * (statistics[side] - statistics[2 + side]) + (1.0 - DELTA) * statistics[2 + side]
}

fn weighted_matches(statistics: &MeteorStatistics, side: usize) -> f64 {
    let mut sum = 0.0;
    for (module, weight) in WEIGHTS.iter().enumerate() {
        sum += content(statistics, module, side) * weight * DELTA;
    }
    for (module, weight) in WEIGHTS.iter().enumerate() {
        sum += function(statistics, module, side) * weight * (1.0 - DELTA);
    }
    sum
}

fn content(statistics: &MeteorStatistics, module: usize, side: usize) -> f64 {
    statistics[4 + 4 * module + side]
}

fn function(statistics: &MeteorStatistics, module: usize, side: usize) -> f64 {
    statistics[6 + 4 * module + side]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(numbers: &[u32]) -> MeteorStatistics {
        let mut row = [0.0; WIDTH];
        row.iter_mut().zip(numbers).for_each(|(value, &number)| *value = f64::from(number));
        row
    }

    #[test]
    fn scores_have_the_bits_of_the_original() {
        // meteor-1.5.jar of pycocoevalcap 1.2, -l en -norm -stdio, EVAL.
        let mixed = row(&[14, 17, 8, 11, 5, 5, 6, 6, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 4, 12, 12]);
        let perfect = row(&[4, 4, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 4]);
        assert_eq!(score(&mixed), 0.424_851_435_127_368_1);
        assert_eq!(score(&perfect), 1.0);
        assert_eq!(score(&additive(perfect)), 1.0);
        assert_eq!(score(&row(&[])), 0.0);
        assert_eq!(score(&row(&[4, 4])), 0.0);
        assert_eq!(score_corpus(&[perfect, perfect]), 1.0);
        assert_eq!(score_corpus(&[]), 0.0);
    }
}
