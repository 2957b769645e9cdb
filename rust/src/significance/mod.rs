//! Tests of differences between systems: exact sign flips, sums of all subsets, and the step-down over joint resamples.

mod double_double;
pub mod sign_flips;
pub mod step_down;
pub mod subsets;

pub use sign_flips::{Alternative, sign_flip_exact};
pub use step_down::{StepDown, step_down};
pub use subsets::subset_sums;
