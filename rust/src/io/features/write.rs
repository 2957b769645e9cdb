//! Format feature files.

use std::io;

use super::ids::Ids;
use crate::error::{Error, Result};
use crate::parallel::Plan;

/// Rows that a thread formats at a time.
const BLOCK: usize = 64;

/// Format one line for each id and its row of numbers; returns blocks of lines. `field` is the name of the id. Each number
/// becomes the shortest text that parses to the same `f32`.
///
/// # Errors
/// [`Error::Incomplete`] if there is not one row for each id; [`Error::NotFinite`]; [`Error::Cancelled`].
pub fn lines(field: &'static str, ids: &Ids, values: &[f32], plan: &Plan) -> Result<Vec<Vec<u8>>> {
    let width = values.len().checked_div(ids.len()).unwrap_or(0);
    if width * ids.len() != values.len() || width == 0 {
        return Err(Error::Incomplete { parameter: "features", numbers: values.len(), rows: ids.len() });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let (row, column) = (index / width, index % width);
        return Err(Error::NotFinite { parameter: "features", row, column, value: values[index] });
    }
    plan.map(
        ids.len(),
        BLOCK,
        || (),
        |(), rows| {
            let mut lines = Vec::new();
            for row in rows {
                lines.extend_from_slice(format!("{{\"{field}\":").as_bytes());
                match ids {
                    Ids::Integers(ids) => lines.extend_from_slice(ids[row].to_string().as_bytes()),
                    Ids::Texts(ids) => serde_json::to_writer(&mut lines, &ids[row]).map_err(io::Error::from)?,
                }
                lines.extend_from_slice(b",\"feature\":");
                let feature = &values[row * width..(row + 1) * width];
                serde_json::to_writer(&mut lines, feature).map_err(io::Error::from)?;
                lines.extend_from_slice(b"}\n");
            }
            Ok(lines)
        },
    )
}
