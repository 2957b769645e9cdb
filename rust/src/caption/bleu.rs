//! BLEU: clipped n-gram precision with a brevity penalty (Papineni et al., 2002).
//!
//! [`Smoothing::Tiny`] is the definition of pycocoevalcap, the others are those of sacrebleu. The length of a prediction
//! is compared with the closest reference length, the shorter one on ties.

use std::hint::black_box;
use std::ops::{AddAssign, Div, Mul};

use crate::error::{Error, Result};
use crate::text::ngrams::MAX_ORDER;

/// Sufficient statistics of one item, or the sum over many items.
///
/// In this order: tokens of the prediction, tokens of the closest reference, matched n-grams of order 1 to 4, and n-grams
/// of order 1 to 4 in the prediction.
pub type BleuStatistics = [f64; WIDTH];

/// Number of values in [`BleuStatistics`].
pub const WIDTH: usize = 2 + 2 * MAX_ORDER;

/// How to treat orders of n-grams without a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Add 1e-15 to numerators and 1e-9 to denominators: pycocoevalcap.
    Tiny,
    /// Do nothing; the score is zero.
    None,
    /// Use this number of matches instead of zero.
    Floor(f64),
    /// Add this number to matches and totals of all orders above 1.
    AddK(f64),
    /// Halve the precision once more for each order without a match.
    Exp,
}

impl Smoothing {
    /// The names that [`Smoothing::named`] accepts.
    pub const NAMES: &'static [&'static str] = &["tiny", "none", "floor", "add-k", "exp"];

    /// Return the smoothing of that name; `value` is for `floor` (default 0.1) and `add-k` (default 1).
    ///
    /// # Errors
    /// [`Error::UnknownName`]; [`Error::Invalid`] for a value that is not finite and positive, or not used.
    pub fn named(name: &str, value: Option<f64>) -> Result<Self> {
        let invalid = |problem| Err(Error::Invalid { parameter: "smoothing_value", problem });
        match value {
            Some(value) if !(value.is_finite() && value > 0.0) => {
                return invalid(format!("is {value}, needs a positive number"));
            }
            Some(_) if !matches!(name, "floor" | "add-k") => {
                return invalid(format!("not used by smoothing {name:?}, only by \"floor\" and \"add-k\""));
            }
            _ => {}
        }
        match name {
            "tiny" => Ok(Self::Tiny),
            "none" => Ok(Self::None),
            "floor" => Ok(Self::Floor(value.unwrap_or(0.1))),
            "add-k" => Ok(Self::AddK(value.unwrap_or(1.0))),
            "exp" => Ok(Self::Exp),
            _ => Err(Error::UnknownName { parameter: "smoothing", found: name.to_owned(), known: Self::NAMES }),
        }
    }
}

/// BLEU of one item or of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bleu {
    /// BLEU-1 to BLEU-4, each 0 to 1.
    pub by_order: [f64; MAX_ORDER],
    /// Factor for predictions shorter than their references, 0 to 1.
    pub brevity_penalty: f64,
}

/// Return the statistics of one item from the lengths of prediction and references and the matched n-grams of each order.
pub(super) fn statistics(
    prediction: usize,
    references: impl Iterator<Item = usize>,
    matched: [u64; MAX_ORDER],
) -> BleuStatistics {
    let closest = references.min_by_key(|&length| (length.abs_diff(prediction), length)).unwrap_or(0);
    let mut statistics = [0.0; WIDTH];
    statistics[0] = prediction as f64;
    statistics[1] = closest as f64;
    for index in 0..MAX_ORDER {
        statistics[2 + index] = matched[index] as f64;
        statistics[2 + MAX_ORDER + index] = prediction.saturating_sub(index) as f64;
    }
    statistics
}

/// Return BLEU from the statistics of an item, or from their sum over many items.
///
/// With `effective_order`, orders that the prediction is too short for are left out of the mean (sacrebleu's option for
/// single sentences; [`Smoothing::Tiny`] has no such option and ignores it).
///
/// ```
/// use muge_fast_core::caption::bleu::{score, Smoothing};
/// let statistics = [5.0, 5.0, 5.0, 4.0, 3.0, 2.0, 5.0, 4.0, 3.0, 2.0];
/// assert!((score(&statistics, Smoothing::None, false).by_order[3] - 1.0).abs() < 1e-12);
/// ```
pub fn score(statistics: &BleuStatistics, smoothing: Smoothing, effective_order: bool) -> Bleu {
    if smoothing == Smoothing::Tiny { tiny(statistics) } else { smoothed(statistics, smoothing, effective_order) }
}

/// Return BLEU-1 to BLEU-4 of each item, as by [`score`].
pub fn score_items(
    statistics: &[BleuStatistics],
    smoothing: Smoothing,
    effective_order: bool,
) -> Vec<[f64; MAX_ORDER]> {
    statistics.iter().map(|statistics| score(statistics, smoothing, effective_order).by_order).collect()
}

/// Number format of the precisions of n-grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Double precision, as for whole corpora in every tool.
    Float64,
    /// Single precision: the resamples of sacrebleu under NumPy 2. Everything else is in double precision.
    Float32,
}

impl Precision {
    /// The names that [`Precision::named`] accepts.
    pub const NAMES: &'static [&'static str] = &["float64", "float32"];

    /// Return the number format of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "float64" => Ok(Self::Float64),
            "float32" => Ok(Self::Float32),
            _ => Err(Error::UnknownName { parameter: "precision", found: name.to_owned(), known: Self::NAMES }),
        }
    }
}

/// Return BLEU-4 of a sum of statistics, from 0 to 1.
pub fn score_sum(
    statistics: &BleuStatistics,
    smoothing: Smoothing,
    effective_order: bool,
    precision: Precision,
) -> f64 {
    match precision {
        Precision::Float64 => score(statistics, smoothing, effective_order).by_order[MAX_ORDER - 1],
        Precision::Float32 => percent_of_sum(statistics, smoothing, effective_order, precision) / 100.0,
    }
}

/// Return BLEU-4 of a sum of statistics in percent, as sacrebleu does: the last bit may differ from a score times 100.
pub fn percent_of_sum(
    statistics: &BleuStatistics,
    smoothing: Smoothing,
    effective_order: bool,
    precision: Precision,
) -> f64 {
    if smoothing == Smoothing::Tiny {
        return 100.0 * tiny(statistics).by_order[MAX_ORDER - 1];
    }
    let (percent, effective) = match precision {
        Precision::Float64 => precisions(statistics, smoothing, |number| number),
        Precision::Float32 => precisions(statistics, smoothing, |number| number as f32),
    };
    let orders = if effective_order { effective } else { MAX_ORDER };
    of_precisions(statistics, &percent, brevity_penalty(statistics), MAX_ORDER - 1, orders)
}

fn tiny(statistics: &BleuStatistics) -> Bleu {
    const TINY: f64 = 1e-15;
    const SMALL: f64 = 1e-9;
    let ratio = (statistics[0] + TINY) / (statistics[1] + SMALL);
    let brevity_penalty = if ratio < 1.0 { (1.0 - 1.0 / ratio).exp() } else { 1.0 };
    let mut product = 1.0;
    let by_order = std::array::from_fn(|index| {
        product *= (statistics[2 + index] + TINY) / (statistics[2 + MAX_ORDER + index] + SMALL);
        // The exponent is hidden from the compiler, which would turn a power of one half into a square root. That rounds
        // differently from the C library's `pow`, which the reference implementation uses.
        let root = product.powf(black_box(1.0 / (index as f64 + 1.0)));
        if ratio < 1.0 { root * brevity_penalty } else { root }
    });
    Bleu { by_order, brevity_penalty }
}

/// sacrebleu's logarithm of a precision of zero.
const LOG_ZERO: f64 = -9_999_999_999.0;

fn smoothed(statistics: &BleuStatistics, smoothing: Smoothing, effective_order: bool) -> Bleu {
    let brevity_penalty = brevity_penalty(statistics);
    // Percentages, as in sacrebleu, so that roundings agree.
    let (percent, effective) = precisions(statistics, smoothing, |number| number);
    let by_order = std::array::from_fn(|last| {
        let orders = if effective_order { effective.min(last + 1) } else { last + 1 };
        of_precisions(statistics, &percent, brevity_penalty, last, orders) / 100.0
    });
    Bleu { by_order, brevity_penalty }
}

fn brevity_penalty(statistics: &BleuStatistics) -> f64 {
    let (prediction, reference) = (statistics[0], statistics[1]);
    match prediction {
        length if length >= reference => 1.0,
        length if length > 0.0 => (1.0 - reference / length).exp(),
        _ => 0.0,
    }
}

/// Return BLEU in percent of the orders up to index `last`, from the precisions of the first `orders` of them.
fn of_precisions(
    statistics: &BleuStatistics,
    percent: &[f64; MAX_ORDER],
    brevity_penalty: f64,
    last: usize,
    orders: usize,
) -> f64 {
    if statistics[2..=2 + last].iter().all(|&matched| matched == 0.0) {
        return 0.0;
    }
    let log = |&p: &f64| if p == 0.0 { LOG_ZERO } else { p.ln() };
    let sum: f64 = percent[..orders].iter().map(log).sum();
    brevity_penalty * (sum / orders as f64).exp()
}

/// Return the precision of each order in percent, and the number of orders that the prediction is long enough for. Each
/// operation is rounded as numbers are by `round`.
fn precisions<T>(
    statistics: &BleuStatistics,
    smoothing: Smoothing,
    round: impl Fn(f64) -> T,
) -> ([f64; MAX_ORDER], usize)
where
    T: Copy + Default + PartialEq + AddAssign + Mul<Output = T> + Div<Output = T> + Into<f64>,
{
    let zero = T::default();
    let mut percent = [0.0; MAX_ORDER];
    let mut halved = 1.0;
    for index in 0..MAX_ORDER {
        let (mut matched, mut total) = (round(statistics[2 + index]), round(statistics[2 + MAX_ORDER + index]));
        if let (Smoothing::AddK(k), 1..) = (smoothing, index) {
            matched += round(k);
            total += round(k);
        }
        if total == zero {
            return (percent, index);
        }
        let precision = if matched == zero {
            without_match(total, smoothing, &mut halved, &round)
        } else {
            round(100.0) * matched / total
        };
        percent[index] = precision.into();
    }
    (percent, MAX_ORDER)
}

/// Return the precision in percent of an order without a match.
// If this were inlined, the compiler would multiply the value of every smoothing, also where its bytes are not set: they may
// be a denormal number, whose product takes longer than all the rest.
#[inline(never)]
fn without_match<T>(total: T, smoothing: Smoothing, halved: &mut f64, round: &impl Fn(f64) -> T) -> T
where
    T: Default + Mul<Output = T> + Div<Output = T>,
{
    match smoothing {
        Smoothing::Exp => {
            *halved *= 2.0;
            round(100.0) / (round(*halved) * total)
        }
        // The product is one of Python's floats.
        Smoothing::Floor(value) => round(100.0 * value) / total,
        _ => T::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_length_is_the_shorter_on_ties() {
        assert_eq!(statistics(5, [7, 3, 9].into_iter(), [0; 4])[..2], [5.0, 3.0]);
        assert_eq!(statistics(2, [1].into_iter(), [2, 1, 0, 0]), [2.0, 1.0, 2.0, 1.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_perfect_sentence_of_three_tokens_has_a_small_bleu_4() {
        // pycocoevalcap 1.2: Bleu(4).compute_score({0: ["a b c"]}, {0: ["a b c"]})
        let score = score(&statistics(3, [3].into_iter(), [3, 2, 1, 0]), Smoothing::Tiny, false);
        assert!((score.by_order[3] - 0.031_622_776_576_649_11).abs() < 1e-16, "{score:?}");
    }

    #[test]
    fn nothing_matched_is_zero_under_every_smoothing() {
        for name in &Smoothing::NAMES[1..] {
            let smoothing = Smoothing::named(name, None).unwrap();
            assert_eq!(score(&statistics(6, [6].into_iter(), [0; 4]), smoothing, false).by_order, [0.0; 4]);
        }
        assert_eq!(score(&statistics(0, [3].into_iter(), [0; 4]), Smoothing::Tiny, false).by_order[0].max(1e-9), 1e-9);
    }

    #[test]
    fn smoothing_values_are_checked() {
        assert!(Smoothing::named("floor", Some(f64::NAN)).is_err());
        assert!(Smoothing::named("exp", Some(1.0)).is_err());
        assert!(Smoothing::named("exponential", None).is_err());
        assert_eq!(Smoothing::named("add-k", Some(2.0)), Ok(Smoothing::AddK(2.0)));
    }
}
