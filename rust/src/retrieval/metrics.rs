//! Metrics of rankings: hit rate, recall, precision, reciprocal rank, average precision and nDCG of each query.
//!
//! All of them follow from the ranks of the relevant items; relevance is binary.

use super::Lists;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;

/// Queries that a thread scores at a time.
const BLOCK: usize = 256;

/// A metric of one ranking, between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Hit rate: 1 if a relevant item is among the first k. MUGE calls it recall.
    Recall(usize),
    /// Recall: the fraction of the relevant items that is among the first k.
    RelevantRecall(usize),
    /// The fraction of the first k items that is relevant.
    Precision(usize),
    /// Discounted cumulative gain of the first k, divided by that of the best ranking (Järvelin and Kekäläinen, 2002).
    Ndcg(usize),
    /// 1 divided by the rank of the first relevant item; 0 without one.
    ReciprocalRank,
    /// The mean, over the relevant items, of the precision at the rank of each; 0 for missing ones.
    AveragePrecision,
}

impl Metric {
    /// The names of the metrics.
    pub const NAMES: &'static [&'static str] = &["recall", "relevant_recall", "precision", "ndcg", "mrr", "map"];

    /// Return the metric of that name; `k` is used by those of the first k items only.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    pub fn named(name: &str, k: usize) -> Result<Self> {
        match name {
            "recall" => Ok(Self::Recall(k)),
            "relevant_recall" => Ok(Self::RelevantRecall(k)),
            "precision" => Ok(Self::Precision(k)),
            "ndcg" => Ok(Self::Ndcg(k)),
            "mrr" => Ok(Self::ReciprocalRank),
            "map" => Ok(Self::AveragePrecision),
            _ => Err(Error::UnknownName { parameter: "metric", found: name.to_owned(), known: Self::NAMES }),
        }
    }

    /// Check that k is at least 1.
    fn check(self) -> Result<()> {
        let (Self::Recall(k) | Self::RelevantRecall(k) | Self::Precision(k) | Self::Ndcg(k)) = self else {
            return Ok(());
        };
        if k == 0 { Err(Error::Zero("k")) } else { Ok(()) }
    }

    /// Return the value for one query, from the ranks of the relevant items in its ranking (from 1, ascending) and the
    /// number of all relevant items.
    fn of(self, ranks: &[usize], relevant: usize) -> f64 {
        let hits = |k: usize| ranks.partition_point(|&rank| rank <= k);
        let gain = |ranks: &mut dyn Iterator<Item = usize>| sum(ranks.map(|rank| 1.0 / (rank as f64 + 1.0).log2()));
        match self {
            Self::Recall(k) => f64::from(u8::from(hits(k) > 0)),
            Self::RelevantRecall(k) => hits(k) as f64 / relevant as f64,
            Self::Precision(k) => hits(k) as f64 / k as f64,
            Self::Ndcg(k) => {
                let gained = gain(&mut ranks[..hits(k)].iter().copied());
                gained / gain(&mut (1..=relevant.min(k)))
            }
            Self::ReciprocalRank => ranks.first().map_or(0.0, |&rank| 1.0 / rank as f64),
            Self::AveragePrecision => {
                let precisions = ranks.iter().zip(1..).map(|(&rank, count)| f64::from(count) / rank as f64);
                sum(precisions) / relevant as f64
            }
        }
    }
}

/// Return the sum, starting from 0.0: `Iterator::sum` starts from -0.0.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// Compute the value of each metric for each query: one row for each query, one column for each metric.
///
/// # Errors
/// [`Error::Unequal`] or [`Error::Empty`] numbers of queries; [`Error::Empty`] without metrics;
/// [`Error::NoReferences`] for a query without relevant items; [`Error::Repeated`] for a list that has an item twice;
/// [`Error::Zero`] for a k of zero; [`Error::Memory`]; [`Error::Cancelled`].
pub fn rows(predictions: &Lists<'_>, references: &Lists<'_>, metrics: &[Metric], plan: &Plan) -> Result<Vec<f64>> {
    let queries = references.len();
    if predictions.len() != queries {
        let (left, right) = (predictions.parameter(), references.parameter());
        return Err(Error::Unequal { left, left_len: predictions.len(), right, right_len: queries });
    }
    if queries == 0 {
        return Err(Error::Empty(references.parameter()));
    }
    if metrics.is_empty() {
        return Err(Error::Empty("metrics"));
    }
    metrics.iter().try_for_each(|metric| metric.check())?;
    let mut values = memory::zeroed(queries.saturating_mul(metrics.len()))?;
    let mut blocks: Vec<_> = values.chunks_mut(BLOCK * metrics.len()).collect();
    plan.each(&mut blocks, Query::default, |query, block, values| {
        for (row, values) in (block * BLOCK..).zip(values.chunks_exact_mut(metrics.len())) {
            query.read(predictions, references, row)?;
            for (value, metric) in values.iter_mut().zip(metrics) {
                *value = metric.of(&query.ranks, query.relevant.len());
            }
        }
        Ok(())
    })?;
    Ok(values)
}

/// Buffers of one thread, for one query after the other.
#[derive(Debug, Default)]
struct Query {
    relevant: Vec<i64>,
    ranked: Vec<i64>,
    /// Ranks of the relevant items in the ranking, from 1.
    ranks: Vec<usize>,
}

impl Query {
    fn read(&mut self, predictions: &Lists<'_>, references: &Lists<'_>, row: usize) -> Result<()> {
        sort(references, row, &mut self.relevant)?;
        if self.relevant.is_empty() {
            return Err(Error::NoReferences { row });
        }
        sort(predictions, row, &mut self.ranked)?;
        self.ranks.clear();
        let ranked = predictions.get(row).iter().zip(1..);
        let hits = ranked.filter(|(id, _)| self.relevant.binary_search(id).is_ok());
        self.ranks.extend(hits.map(|(_, rank)| rank));
        Ok(())
    }
}

/// Sort the ids of one list into `sorted`.
fn sort(lists: &Lists<'_>, row: usize, sorted: &mut Vec<i64>) -> Result<()> {
    sorted.clear();
    sorted.extend_from_slice(lists.get(row));
    sorted.sort_unstable();
    if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    Err(Error::Repeated { parameter: lists.parameter(), row })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists<'a>(parameter: &'static str, ids: &'a [i64], lengths: &[i64]) -> Lists<'a> {
        Lists::new(parameter, ids, lengths).expect("lengths add up")
    }

    fn one(ranked: &[i64], relevant: &[i64], metric: Metric) -> Result<f64> {
        let predictions = lists("predictions", ranked, &[ranked.len() as i64]);
        let references = lists("references", relevant, &[relevant.len() as i64]);
        Ok(rows(&predictions, &references, &[metric], &Plan::new(None))?[0])
    }

    #[test]
    fn each_metric_by_hand() {
        let value = |metric| one(&[7, 3, 9, 4], &[4, 3, 5], metric).unwrap();
        assert_eq!([value(Metric::Recall(1)), value(Metric::Recall(2)), value(Metric::Recall(9))], [0.0, 1.0, 1.0]);
        assert_eq!(value(Metric::RelevantRecall(4)), 2.0 / 3.0);
        assert_eq!(value(Metric::Precision(10)), 0.2);
        assert_eq!(value(Metric::ReciprocalRank), 0.5);
        assert_eq!(value(Metric::AveragePrecision), (0.5 + 0.5) / 3.0);
        let discount = |rank: f64| 1.0 / (rank + 1.0).log2();
        let best = discount(1.0) + discount(2.0) + discount(3.0);
        assert_eq!(value(Metric::Ndcg(4)), (discount(2.0) + discount(4.0)) / best);
        assert_eq!(one(&[], &[1], Metric::AveragePrecision), Ok(0.0));
    }

    #[test]
    fn without_hits_the_value_is_positive_zero() {
        for ranked in [&[][..], &[7, 8]] {
            for &name in Metric::NAMES {
                let value = one(ranked, &[1, 2], Metric::named(name, 3).unwrap()).unwrap();
                assert_eq!(value.to_bits(), 0.0_f64.to_bits(), "{name}");
            }
        }
    }

    #[test]
    fn errors_name_the_list() {
        let error =
            |ranked: &[i64], relevant: &[i64]| one(ranked, relevant, Metric::Recall(1)).unwrap_err().to_string();
        assert_eq!(error(&[1, 2, 1], &[1]), "predictions: row 0 has an item twice");
        assert_eq!(error(&[1], &[2, 2]), "references: row 0 has an item twice");
        assert_eq!(error(&[1], &[]), "references[0] is empty, needs at least one reference");
        assert_eq!(one(&[1], &[1], Metric::Ndcg(0)), Err(Error::Zero("k")));
        let (none, some) = (lists("predictions", &[], &[]), lists("references", &[1], &[1]));
        assert_eq!(rows(&none, &none, &[], &Plan::new(None)), Err(Error::Empty("predictions")));
        assert_eq!(rows(&some, &some, &[], &Plan::new(None)), Err(Error::Empty("metrics")));
        assert!(rows(&none, &some, &[Metric::ReciprocalRank], &Plan::new(None)).is_err());
    }
}
