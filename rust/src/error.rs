//! The error type of the crate: which parameter, row or line is wrong, and what it needs.

use std::{fmt, io};

use crate::simd::Level;

/// Why a call failed. `Display` writes one lower-case line that names the parameter, and the row or line if there is one.
#[derive(Debug, Clone, PartialEq)]
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
    /// A parameter that needs at least one item has none.
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
        /// The name that was passed.
        found: String,
        /// The names that are accepted.
        known: &'static [&'static str],
    },
    /// A count that is zero.
    Zero(&'static str),
    /// A number outside its range.
    OutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: usize,
        /// The smallest value that is accepted.
        least: usize,
        /// The largest value that is accepted.
        most: usize,
        /// What `most` is.
        limit: &'static str,
    },
    /// More rows, columns or dimensions than can be handled.
    TooMany {
        /// The parameter.
        parameter: &'static str,
        /// What they are, as a plural noun.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many are accepted.
        most: usize,
    },
    /// Numbers that do not fill a matrix.
    Incomplete {
        /// The parameter.
        parameter: &'static str,
        /// How many numbers there are.
        numbers: usize,
        /// How many rows they should fill.
        rows: usize,
    },
    /// Vectors that differ in length from those that they are compared with.
    Dimensions {
        /// The parameter.
        parameter: &'static str,
        /// Length of its vectors.
        found: usize,
        /// The parameter that it is compared with.
        other: &'static str,
        /// Length of the vectors of that.
        expected: usize,
    },
    /// A matrix of another shape than one that it must match.
    Shape {
        /// The parameter.
        parameter: &'static str,
        /// Its rows and columns.
        found: (usize, usize),
        /// What it must match.
        other: &'static str,
        /// The rows and columns of that.
        expected: (usize, usize),
    },
    /// A number that is NaN or infinite.
    NotFinite {
        /// The parameter.
        parameter: &'static str,
        /// Row of the number.
        row: usize,
        /// Column of the number.
        column: usize,
        /// The number.
        value: f32,
    },
    /// Lengths of lists that do not add up to the number of their elements.
    Lengths(&'static str),
    /// A list that has an item twice.
    Repeated {
        /// The parameter.
        parameter: &'static str,
        /// Index of the list.
        row: usize,
    },
    /// Items that a search has seen before.
    SeenBefore {
        /// Index of the first of them.
        first: i64,
        /// Index of the last of them.
        last: i64,
    },
    /// A query that may find fewer than `k` items.
    TooFewItems {
        /// Number of items that were asked for.
        k: usize,
        /// Index of the query.
        row: usize,
        /// Number of items that it may find.
        items: usize,
    },
    /// A CPU level that this CPU does not have.
    UnavailableLevel(Level),
    /// A text that cannot be scored.
    Text {
        /// The parameter that holds the text.
        parameter: &'static str,
        /// Index of its item.
        item: usize,
        /// Index of the text where an item has several.
        text: Option<usize>,
        /// What is wrong with it.
        problem: String,
    },
    /// Any other value outside its domain.
    Invalid {
        /// The parameter that holds the value.
        parameter: &'static str,
        /// What is wrong with it, including the row where there is one.
        problem: String,
    },
    /// A malformed line of a file.
    Line {
        /// Number of the line, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be read.
    Io {
        /// The error number of the operating system, if the error comes from there.
        code: Option<i32>,
        /// What went wrong, without the number.
        message: String,
    },
    /// There is not enough memory.
    Memory {
        /// Size of the buffer that could not be allocated.
        bytes: usize,
    },
    /// The caller asked for the work to stop.
    Cancelled,
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let code = error.raw_os_error();
        let message = error.to_string().split(" (os error ").next().unwrap_or_default().to_owned();
        Self::Io { code, message }
    }
}

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
            Self::Zero(parameter) => write!(f, "{parameter} is 0, needs at least 1"),
            Self::OutOfRange { parameter, value, least, most, limit } => {
                write!(f, "{parameter} is {value}, needs {least} to {most}, {limit}")
            }
            Self::TooMany { parameter, what, count, most } => {
                write!(f, "{parameter} has {count} {what}, at most {most} are possible")
            }
            Self::Incomplete { parameter, numbers, rows } => {
                write!(f, "{parameter}: {numbers} numbers do not make {rows} rows")
            }
            Self::Dimensions { parameter, found, other, expected } => {
                write!(f, "{parameter}: vectors have {found} dimensions, those of {other} have {expected}")
            }
            Self::Shape { parameter, found, other, expected } => {
                write!(f, "{parameter}: shape is {found:?}, that of {other} is {expected:?}")
            }
            Self::NotFinite { parameter, row, column, value } => {
                write!(f, "{parameter}: row {row} has {value} in column {column}, needs finite numbers")
            }
            Self::Lengths(parameter) => write!(f, "{parameter}: lengths do not add up to the number of items"),
            Self::Repeated { parameter, row } => write!(f, "{parameter}: row {row} has an item twice"),
            Self::SeenBefore { first, last } => write!(f, "offset: items {first} to {last} were seen before"),
            Self::TooFewItems { k, row, items } => {
                write!(f, "k: is {k}, but queries[{row}] has only {items} items that it may find")
            }
            Self::UnavailableLevel(level) => {
                let best = Level::best().name();
                write!(f, "MUGE_FAST_CPU: this CPU does not have {}, its highest level is {best}", level.name())
            }
            Self::Text { parameter, item, text: Some(text), problem } => {
                write!(f, "{parameter}[{item}][{text}]: {problem}")
            }
            Self::Text { parameter, item, text: None, problem } => write!(f, "{parameter}[{item}]: {problem}"),
            Self::Invalid { parameter, problem } => write!(f, "{parameter}: {problem}"),
            Self::Line { number, problem } => write!(f, "line {number}: {problem}"),
            Self::Io { message, .. } => f.write_str(message),
            Self::Memory { bytes } => write!(f, "cannot allocate {bytes} bytes"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_keep_their_number() {
        let Error::Io { code, message } = Error::from(io::Error::from_raw_os_error(5)) else { panic!("an I/O error") };
        assert_eq!(code, Some(5));
        assert!(!message.is_empty() && !message.contains("os error"), "{message}");
        let Error::Io { code, message } = Error::from(io::Error::other("it ends early")) else {
            panic!("an I/O error")
        };
        assert_eq!((code, message.as_str()), (None, "it ends early"));
    }
}
