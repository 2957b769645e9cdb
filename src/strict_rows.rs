//! Rows of JSON Lines files without errors.

use std::sync::{Mutex, PoisonError};

use muge_fast_core::io::dict_cost::DictCost;
use muge_fast_core::io::strict_rows::{Column, Content, Fields, Kind, Table, Texts, Value, read};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::border::{check_memory, exception, make_objects, run_checked};

type Rows<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>, Vec<(String, u64)>, u64);

/// Upper bound of the memory of an entry of a dictionary: while it grows, it is there twice.
const ENTRY_BYTES: usize = 160;
/// Memory of an integer, of a list without its elements, and of a string without its letters.
const OBJECT_BYTES: usize = 96;
/// Rows between two checks for signals.
const SIGNAL_ROWS: usize = 1 << 16;

/// Return the value of each id, the text of those that have one, the number of rows with each field that is not used,
/// and with any such field; None if anything is wrong, such as a repeated id or a field that is refused. Raises a
/// `ValueError` for ids that would make a dictionary slow.
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
    let table = match run_checked(py, data.len(), |_| read(data, &fields))? {
        Content::Rows(table) => table,
        Content::Invalid => return Ok(None),
        Content::CollidingIds => return Err(PyValueError::new_err("the ids would make a dictionary slow")),
    };
    check_memory(object_bytes(&table))?;
    make_objects(|| objects(py, table))
}

/// Return the dictionaries of a table; None if an id occurs more than once.
fn objects(py: Python<'_>, table: Table) -> PyResult<Option<Rows<'_>>> {
    let (values, texts) = (PyDict::new(py), PyDict::new(py));
    let rows = table.ids.len();
    let mut text_rows = table.text_rows.iter().enumerate().peekable();
    for row in 0..rows {
        if row % SIGNAL_ROWS == SIGNAL_ROWS - 1 {
            py.check_signals()?;
        }
        let id = object(py, &table.ids.get(row))?;
        if let Some((text, _)) = text_rows.next_if(|&(_, &text_row)| text_row == row) {
            texts.set_item(&id, string(py, table.texts.get(text))?)?;
        }
        values.set_item(id, object(py, &table.values.get(row))?)?;
    }
    Ok((values.len() == rows).then_some((values, texts, table.extra, table.extra_rows)))
}

fn kind(name: &str, count: Option<usize>) -> PyResult<Kind> {
    match name {
        "integer" => Ok(Kind::Integer),
        "text" => Ok(Kind::Text),
        "texts" => Ok(Kind::Texts),
        "ids" => Ok(Kind::Ids(count)),
        _ => Err(PyKeyError::new_err(format!("unknown kind {name:?}"))),
    }
}

fn object<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Text(text) => string(py, text)?.into_any(),
        Value::Texts(texts, range) => {
            let strings: PyResult<Vec<_>> = range.clone().map(|index| string(py, texts.get(index))).collect();
            PyList::new(py, strings?)?.into_any()
        }
        Value::Ids(ids) => PyList::new(py, *ids)?.into_any(),
    })
}

/// Return a string; `PyString::new` would panic where memory is short.
fn string<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    PyString::from_bytes(py, text.as_bytes())
}

/// Return an upper bound of the memory of the objects of a table.
fn object_bytes(table: &Table) -> usize {
    let entries = (table.ids.len() + table.text_rows.len()) * ENTRY_BYTES;
    entries + column_bytes(&table.ids) + column_bytes(&table.values) + text_bytes(&table.texts)
}

fn column_bytes(column: &Column) -> usize {
    match column {
        Column::Integers(ids) => ids.len() * OBJECT_BYTES,
        Column::Texts(texts) => text_bytes(texts),
        Column::TextLists(texts, ends) => text_bytes(texts) + texts.len() * 8 + ends.len() * OBJECT_BYTES,
        Column::IdLists(ids, ends) => ids.len() * (OBJECT_BYTES / 2) + ends.len() * OBJECT_BYTES,
    }
}

/// A letter of Python takes 1, 2 or 4 bytes, like the largest in its string.
fn text_bytes(texts: &Texts) -> usize {
    let letters = texts.letters();
    let width = if letters.is_ascii() {
        1
    } else if letters.bytes().any(|byte| byte >= 0xf0) {
        4
    } else {
        2
    };
    letters.len() * width + texts.len() * OBJECT_BYTES
}

/// A dictionary of integers that is filled one by one, with its cost; see the core.
#[pyclass(frozen, name = "DictCost")]
pub struct PyDictCost(Mutex<DictCost>);

#[pymethods]
impl PyDictCost {
    #[new]
    fn new() -> Self {
        Self(Mutex::default())
    }

    /// Add a key; return whether the dictionary is still fast.
    fn add(&self, key: i64) -> PyResult<bool> {
        let mut cost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cost.add(key).map_err(|error| exception(&error))
    }

    /// Whether looking up any key is fast.
    fn is_fast(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_fast()
    }
}
