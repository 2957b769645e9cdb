//! Resamples of items and random choices of items, from the random numbers of `numpy.random.default_rng`.
//!
//! | module | content |
//! | --- | --- |
//! | [`seed`] | the state of a generator from a seed |
//! | [`pcg64`] | the generator |
//! | [`bounded`] | random indices |
//! | `starts` | where blocks of random indices start, for threads |
//! | [`rows`] | rows of statistics, checked |
//! | [`counts`] | counts of resampled items |
//! | [`resample`] | sums of resampled rows |
//! | [`rounded`] | sums of resampled numbers that are rounded first, within a bound |
//! | `selections` | random bits of trials |
//! | [`swap`] | sums of randomly selected rows |

pub mod bounded;
pub mod counts;
pub mod pcg64;
pub mod resample;
pub mod rounded;
pub mod rows;
pub mod seed;
mod selections;
mod starts;
pub mod swap;

pub use pcg64::Pcg64;
pub use rounded::RoundedSums;
pub use rows::Rows;
