//! Rows of JSON Lines files without errors.

use muge_fast_core::io::strict_rows::{Fields, Kind, Row, Table, Value, read};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::border::run;

type Rows<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>, Vec<(String, u64)>, u64);

/// Return the value of each id, the text of those that have one, the number of rows with each field that is not used,
/// and with any such field; None if anything is wrong, such as a repeated id or a field that is refused.
/// Kinds are `integer`, `text`, `texts` and `ids`; `count` is the number of ids that a list must have.
#[pyfunction]
#[pyo3(signature = (data, id_field, value_field, optional, refused, id_kind, value_kind, count, strict_lines, line_bytes))]
#[allow(clippy::too_many_arguments)] // Python names them.
pub fn read_strict_rows<'py>(
    py: Python<'py>,
    data: &[u8],
    id_field: &str,
    value_field: &str,
    optional: Vec<String>,
    refused: Vec<String>,
    id_kind: &str,
    value_kind: &str,
    count: Option<usize>,
    strict_lines: bool,
    line_bytes: usize,
) -> PyResult<Option<Rows<'py>>> {
    let (id_kind, value_kind) = (kind(id_kind, None)?, kind(value_kind, count)?);
    let (optional, refused) = (&optional[..], &refused[..]);
    let fields =
        Fields { id: id_field, value: value_field, optional, refused, id_kind, value_kind, strict_lines, line_bytes };
    let Some(Table { rows, extra, extra_rows }) = run(py, Some(1), |_| Ok(read(data, &fields)))? else {
        return Ok(None);
    };
    let (values, texts) = (PyDict::new(py), PyDict::new(py));
    let count = rows.len();
    for Row { id, value, text } in rows {
        let id = object(py, id)?;
        if let Some(text) = text {
            texts.set_item(&id, text)?;
        }
        values.set_item(id, object(py, value)?)?;
    }
    Ok((values.len() == count).then_some((values, texts, extra, extra_rows)))
}

fn kind(name: &str, count: Option<usize>) -> PyResult<Kind> {
    match name {
        "integer" => Ok(Kind::Integer),
        "text" => Ok(Kind::Text),
        "texts" => Ok(Kind::Texts),
        "ids" => Ok(Kind::Ids(count)),
        _ => Err(PyValueError::new_err(format!("unknown kind {name:?}"))),
    }
}

fn object(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Text(text) => PyString::new(py, &text).into_any(),
        Value::Texts(texts) => PyList::new(py, texts)?.into_any(),
        Value::Ids(ids) => PyList::new(py, ids)?.into_any(),
    })
}
