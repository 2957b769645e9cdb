//! METEOR: its data, prepared references, scores from statistics, and the tables that its data is stored in.

use std::sync::{Arc, Mutex};

use muge_fast_core::caption::meteor::{self, Dictionaries, MeteorStatistics, Prepared, RawTexts};
use muge_fast_core::{Error, Plan, Result, memory};
use numpy::{PyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyImportError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::border::{
    Amount, check_memory, exception, make_array, make_objects, run, run_sized, thread_count, try_lock,
};
use crate::strings::Strings;
use crate::text::Names;

/// Comparing a word with those of the references takes as long as this many simple steps.
const STEPS_PER_CHARACTER: usize = 16;

/// Memory of a character and of a text, measured for words that are all different.
const BYTES_PER_CHARACTER: usize = 224;
const BYTES_PER_TEXT: usize = 512;

/// Memory of the head and of sections for each of their bytes.
const BYTES_PER_BYTE: usize = 8;

/// Memory for making the tables of the data of pycocoevalcap 1.2.
const TABLE_BYTES: usize = 384 << 20;

/// Sections with at most this many bytes between them are read at once, up to the larger number of bytes.
const MAX_GAP: usize = 1 << 16;
const MAX_READ: usize = 1 << 23;

/// The data of METEOR. Without a head, words match if they are equal.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct Meteor {
    inner: Arc<meteor::Meteor>,
    /// Takes an offset among the sections and a length, and returns bytes.
    read: Option<Py<PyAny>>,
}

#[pymethods]
impl Meteor {
    #[new]
    #[pyo3(signature = (head=None, read=None))]
    fn new(head: Option<&[u8]>, read: Option<Py<PyAny>>) -> PyResult<Self> {
        check_memory(head.map_or(0, <[u8]>::len).saturating_mul(BYTES_PER_BYTE))?;
        let inner = match head {
            Some(head) => meteor::Meteor::from_head(head).map_err(|error| exception(&error))?,
            None => meteor::Meteor::without_data(),
        };
        Ok(Self { inner: Arc::new(inner), read })
    }

    /// Return the normalized words of a text.
    fn words(&self, text: &str) -> Vec<String> {
        self.inner.words(text)
    }
}

impl Meteor {
    /// Read the phrases of the words of these texts.
    fn load(&self, py: Python<'_>, prepared: &mut Prepared) -> PyResult<()> {
        let Some(read) = &self.read else { return Ok(()) };
        let unread = prepared.unread(&self.inner);
        let mut rest = unread.as_slice();
        while let Some(&first) = rest.first() {
            py.check_signals()?;
            let start = self.inner.section_range(first).start;
            let mut end = start;
            let count = rest.iter().take_while(|&&id| {
                let range = self.inner.section_range(id);
                let is_near = range.start <= end + MAX_GAP && (range.end - start <= MAX_READ || end == start);
                end = if is_near { range.end } else { end };
                is_near
            });
            let (now, later) = rest.split_at(count.count());
            check_memory((end - start).saturating_mul(BYTES_PER_BYTE))?;
            let bytes = read.call1(py, (start, end - start))?;
            let bytes = bytes.bind(py).cast::<PyBytes>()?.as_bytes();
            py.detach(|| {
                now.iter().try_for_each(|&id| {
                    let range = self.inner.section_range(id);
                    let section = bytes.get(range.start - start..range.end - start).unwrap_or_default();
                    self.inner.add_section(id, section)
                })
            })
            .map_err(|error| exception(&error))?;
            rest = later;
        }
        py.detach(|| prepared.attach(&self.inner));
        Ok(())
    }
}

/// References of all items, prepared for METEOR.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct MeteorReferences {
    meteor: Py<Meteor>,
    prepared: Prepared,
}

#[pymethods]
impl MeteorReferences {
    #[new]
    #[pyo3(signature = (references, meteor, ids=None, threads=None))]
    fn new(
        py: Python<'_>,
        references: &Bound<'_, PyList>,
        meteor: Py<Meteor>,
        ids: Option<Bound<'_, PyList>>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Self> {
        let names = Names { parameter: "references", ids };
        let (texts, counts) = Texts::nested(references, &names)?;
        let prepared = prepare(py, meteor.get(), (&texts, &counts), None, &names, threads)?;
        Ok(Self { meteor, prepared })
    }

    fn __len__(&self) -> usize {
        self.prepared.len()
    }

    /// Return the statistics of each prediction, float64 of shape `(predictions, 23)`.
    #[pyo3(signature = (predictions, ids=None, items=None, threads=None))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        predictions: &Bound<'py, PyList>,
        ids: Option<Bound<'py, PyList>>,
        items: Option<Vec<usize>>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let names = Names { parameter: "predictions", ids };
        let texts = Texts::flat(predictions, &names)?;
        let counts = vec![1; predictions.len()];
        let prepared = prepare(py, self.meteor.get(), (&texts, &counts), Some(&self.prepared), &names, threads)?;
        let rows = named(&names, |keep| {
            run_sized(py, threads, texts.amount(), |plan| {
                keep.watch(meteor::rows(&self.prepared, &prepared, items.as_deref(), plan))
            })
        })?;
        make_objects(|| {
            let array = make_array(py, rows.into_flattened())?;
            array.call_method1("reshape", ((-1, meteor::WIDTH),))
        })
    }
}

/// Normalize texts and read what is needed to score them.
fn prepare(
    py: Python<'_>,
    meteor: &Meteor,
    (texts, counts): (&Texts, &[usize]),
    base: Option<&Prepared>,
    names: &Names<'_>,
    threads: Option<i64>,
) -> PyResult<Prepared> {
    let parameter = names.parameter;
    let meteor_data = &*meteor.inner;
    let mut prepared = named(names, |keep| {
        let work = |plan: &Plan| Prepared::new(meteor_data, texts, counts, base, parameter, plan);
        run_sized(py, threads, texts.amount(), |plan| keep.watch(work(plan)))
    })?;
    if let Some((item, text)) = prepared.needs_data(&meteor.inner) {
        let text = if base.is_none() { format!("[{text}]") } else { String::new() };
        return Err(PyImportError::new_err(format!(
            "pycocoevalcap is required for METEOR of texts with Latin letters or digits, such as {}{text}: pip install \
             'muge-fast[coco]'",
            names.item(item)
        )));
    }
    meteor.load(py, &mut prepared)?;
    Ok(prepared)
}

/// Keeps the error about a text, whose item has a name in Python.
#[derive(Default)]
struct Keep(Mutex<Option<Error>>);

impl Keep {
    fn watch<T>(&self, result: Result<T>) -> Result<T> {
        if let (Err(error @ Error::Text { .. }), Ok(mut kept)) = (&result, self.0.lock()) {
            *kept = Some(error.clone());
        }
        result
    }
}

/// Run a call whose errors name items by their ids.
fn named<T>(names: &Names<'_>, call: impl FnOnce(&Keep) -> PyResult<T>) -> PyResult<T> {
    let keep = Keep::default();
    call(&keep).map_err(|error| match keep.0.lock().ok().and_then(|mut kept| kept.take()) {
        Some(Error::Text { item, text, problem, .. }) => {
            let text = text.map(|text| format!("[{text}]")).unwrap_or_default();
            PyValueError::new_err(format!("{}{text} {problem}", names.item(item)))
        }
        _ => error,
    })
}

/// Texts from Python.
#[derive(Default)]
struct Texts(Strings);

impl Texts {
    fn flat(list: &Bound<'_, PyList>, names: &Names<'_>) -> PyResult<Self> {
        let mut texts = Self::default();
        for (index, text) in list.iter().enumerate() {
            texts.0.push(&text, || names.item(index))?;
        }
        Ok(texts)
    }

    /// Take several texts from each element of `list`; also returns their numbers.
    fn nested(list: &Bound<'_, PyList>, names: &Names<'_>) -> PyResult<(Self, Vec<usize>)> {
        let mut texts = Self::default();
        let mut counts = memory::with_capacity(list.len()).map_err(|error| exception(&error))?;
        for (item, row) in list.iter().enumerate() {
            if !row.is_instance_of::<PyList>() && !row.is_instance_of::<PyTuple>() {
                let (name, type_name) = (names.item(item), row.get_type().name()?);
                return Err(PyTypeError::new_err(format!("{name}: expected a list of str, found {type_name}")));
            }
            let before = texts.0.len();
            for (index, text) in row.try_iter()?.enumerate() {
                texts.0.push(&text?, || format!("{}[{index}]", names.item(item)))?;
            }
            if texts.0.len() == before {
                let name = names.item(item);
                return Err(PyValueError::new_err(format!("{name} is empty, needs at least one reference")));
            }
            counts.push(texts.0.len() - before);
        }
        Ok((texts, counts))
    }

    fn amount(&self) -> Amount {
        let (texts, characters) = (self.0.len(), self.0.characters());
        let bytes = characters.saturating_mul(BYTES_PER_CHARACTER).saturating_add(texts.saturating_mul(BYTES_PER_TEXT));
        Amount { steps: characters.saturating_mul(STEPS_PER_CHARACTER).saturating_add(texts), bytes }
    }
}

impl RawTexts for Texts {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn length(&self, text: usize) -> usize {
        self.0.length(text)
    }

    fn chars(&self, text: usize) -> impl Iterator<Item = char> {
        self.0.chars(text)
    }
}

/// Makes the tables of METEOR's data.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct MeteorTables(Mutex<meteor::TableBuilder>);

#[pymethods]
impl MeteorTables {
    #[new]
    fn new() -> PyResult<Self> {
        check_memory(TABLE_BYTES)?;
        Ok(Self(Mutex::default()))
    }

    /// Take the next part of the file of paraphrases.
    fn feed(&self, py: Python<'_>, part: &[u8]) -> PyResult<()> {
        let mut builder = try_lock(&self.0, "builder of tables")?;
        let builder = &mut *builder;
        py.detach(|| builder.feed(part)).map_err(|error| exception(&error))
    }

    /// Return the head and the sections of the tables; nothing is left in this object.
    fn finish<'py>(
        &self,
        py: Python<'py>,
        function_words: &str,
        prefixes: &str,
        synsets: &str,
        exceptions: &str,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let builder = std::mem::take(&mut *try_lock(&self.0, "builder of tables")?);
        let dictionaries = Dictionaries { function_words, prefixes, synsets, exceptions };
        let tables = run(py, Some(1), |plan| builder.finish(&dictionaries, plan))?;
        make_objects(|| Ok((PyBytes::new(py, &tables.head), PyBytes::new(py, &tables.sections))))
    }
}

/// Return METEOR of each row, an item or a sum of rows from `meteor_additive`.
#[pyfunction]
pub fn meteor_items<'py>(py: Python<'py>, rows: PyReadonlyArray2<'py, f64>) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let scores = statistics(&rows)?.iter().map(meteor::score).collect();
    make_array(py, scores)
}

/// Return METEOR of all items together.
#[pyfunction]
pub fn meteor_corpus(rows: PyReadonlyArray2<'_, f64>) -> PyResult<f64> {
    Ok(meteor::score_corpus(statistics(&rows)?))
}

/// Return the rows whose sum determines the score of all items.
#[pyfunction]
pub fn meteor_additive<'py>(py: Python<'py>, rows: PyReadonlyArray2<'py, f64>) -> PyResult<Bound<'py, PyAny>> {
    let rows: Vec<_> = statistics(&rows)?.iter().map(|&row| meteor::additive(row)).collect();
    make_objects(|| make_array(py, rows.into_flattened())?.call_method1("reshape", ((-1, meteor::WIDTH),)))
}

fn statistics<'a>(rows: &'a PyReadonlyArray2<'_, f64>) -> PyResult<&'a [MeteorStatistics]> {
    let (statistics, rest) = rows.as_slice()?.as_chunks();
    if !rest.is_empty() || rows.as_array().ncols() != meteor::WIDTH {
        return Err(PyValueError::new_err(format!("rows: needs {} columns", meteor::WIDTH)));
    }
    Ok(statistics)
}
