//! The one error type of the crate: what was wrong, where, and what was wanted.

use std::fmt;

/// Why a call failed. `Display` gives one lower-case line that names the parameter and the row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Two parameters that must have the same length do not.
    Unequal {
        /// Name of the first parameter.
        left: &'static str,
        /// Its length.
        left_len: usize,
        /// Name of the second parameter.
        right: &'static str,
        /// Its length.
        right_len: usize,
    },
    /// A parameter that needs at least one row has none.
    Empty(&'static str),
    /// An item has no reference to be compared with.
    NoReferences {
        /// Index of the item.
        row: usize,
    },
    /// A name that is not in a list of known names.
    UnknownName {
        /// The parameter that holds the name.
        parameter: &'static str,
        /// The name that was given.
        found: String,
        /// The names that would have been right.
        known: &'static [&'static str],
    },
    /// A value outside its domain.
    Invalid {
        /// The parameter that holds the value.
        parameter: &'static str,
        /// What is wrong with it, including the row where there is one.
        problem: String,
    },
    /// A line of a file that is not as it should be.
    Line {
        /// Number of the line, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The caller asked for the work to stop.
    Cancelled,
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unequal { left, left_len, right, right_len } => {
                write!(f, "{left} has {left_len} items but {right} has {right_len}")
            }
            Self::Empty(parameter) => write!(f, "{parameter} is empty, needs at least one item"),
            Self::NoReferences { row } => {
                write!(f, "references[{row}] is empty, needs at least one reference")
            }
            Self::UnknownName { parameter, found, known } => {
                write!(f, "unknown {parameter} {found:?}, choose one of {}", known.join(", "))
            }
            Self::Invalid { parameter, problem } => write!(f, "{parameter}: {problem}"),
            Self::Line { number, problem } => write!(f, "line {number}: {problem}"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {}
