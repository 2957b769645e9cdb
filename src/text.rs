//! Strings and lists of strings from Python, and the tokenizers.

use std::sync::Arc;

use muge_fast_core::text::tokens::{Cut, Texts, tokenize};
use muge_fast_core::text::{self, Scratch, Sink};
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::border::{exception, run_sized, thread_count};
use crate::strings::{Strings, cast, lone_surrogate};

/// A tokenizer by name.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct Tokenizer {
    name: String,
    inner: Arc<text::Tokenizer>,
}

#[pymethods]
impl Tokenizer {
    #[classattr]
    const NAMES: &[&str] = text::Tokenizer::NAMES;

    #[new]
    #[pyo3(signature = (name, user_dict=None))]
    fn new(py: Python<'_>, name: String, user_dict: Option<&str>) -> PyResult<Self> {
        let inner = py.detach(|| text::Tokenizer::named(&name, user_dict)).map_err(|error| exception(&error))?;
        Ok(Self { name, inner: Arc::new(inner) })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }
}

/// Tokens of each text.
#[pyfunction]
#[pyo3(signature = (texts, tokenizer, threads=None))]
pub fn cut<'py>(
    py: Python<'py>,
    texts: &Bound<'py, PyList>,
    tokenizer: Option<&Tokenizer>,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Bound<'py, PyList>> {
    let input = Input::rows(texts, tokenizer, &Names { parameter: "texts", ids: None })?;
    let (tokens, vocab) = run_sized(py, threads, input.size(), |plan| tokenize(&input, None, plan))?;
    // One Python string for each distinct token, shared by all its occurrences.
    let words: Vec<_> =
        (0..=vocab.max_id()).map(|id| PyString::new(py, &vocab.token(id).unwrap_or_default())).collect();
    let lists = PyList::empty(py);
    for text in 0..tokens.len() {
        lists.append(PyList::new(py, tokens.get(text).iter().map(|&id| &words[id as usize]))?)?;
    }
    Ok(lists)
}

/// What the rows of a parameter are called in errors: by id where there are ids, else by index.
pub struct Names<'py> {
    pub parameter: &'static str,
    pub ids: Option<Bound<'py, PyList>>,
}

impl Names<'_> {
    pub fn row(&self, row: usize) -> String {
        let id = self.ids.as_ref().and_then(|ids| ids.get_item(row).ok()).and_then(|id| id.repr().ok());
        id.map_or_else(|| format!("{}[{row}]", self.parameter), |id| format!("{}[{id}]", self.parameter))
    }
}

/// Borrow the strings of a list.
pub fn strings(list: &Bound<'_, PyList>, name: impl Fn(usize) -> String) -> PyResult<Vec<PyBackedStr>> {
    let mut strings = Vec::with_capacity(list.len());
    for (row, item) in list.iter().enumerate() {
        strings.push(string(&item, || name(row))?);
    }
    Ok(strings)
}

/// Borrow one string; strings that are not valid Unicode are refused.
fn string(item: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<PyBackedStr> {
    let string = cast(item, &name)?;
    PyBackedStr::try_from(string.clone()).map_err(|error| {
        let py = item.py();
        if !error.is_instance_of::<PyUnicodeEncodeError>(py) {
            return error;
        }
        let place = error.value(py).getattr("start").and_then(|start| start.extract::<usize>()).unwrap_or(0);
        lone_surrogate(place, name)
    })
}

/// Texts from Python: strings to be cut, or lists of tokens that a Python function has cut.
pub enum Input {
    Uncut(Arc<text::Tokenizer>, Strings),
    Cut(Vec<Vec<PyBackedStr>>),
}

impl Input {
    /// One text for each row of `list`.
    pub fn rows(list: &Bound<'_, PyList>, tokenizer: Option<&Tokenizer>, names: &Names<'_>) -> PyResult<Self> {
        let mut input = Self::empty(tokenizer);
        for (row, item) in list.iter().enumerate() {
            input.push(&item, || names.row(row))?;
        }
        Ok(input)
    }

    /// Several texts for each row of `list`, and how many.
    pub fn nested(
        list: &Bound<'_, PyList>,
        tokenizer: Option<&Tokenizer>,
        names: &Names<'_>,
    ) -> PyResult<(Self, Vec<usize>)> {
        let mut input = Self::empty(tokenizer);
        let mut counts = Vec::with_capacity(list.len());
        for (row, texts) in list.iter().enumerate() {
            let name = || names.row(row);
            let before = input.len();
            if !texts.is_instance_of::<PyList>() && !texts.is_instance_of::<PyTuple>() {
                let kind = texts.get_type().name()?;
                return Err(PyTypeError::new_err(format!("{}: expected a list of str, found {kind}", name())));
            }
            for (place, text) in texts.try_iter()?.enumerate() {
                input.push(&text?, || format!("{}[{place}]", name()))?;
            }
            if input.len() == before {
                return Err(PyValueError::new_err(format!("{} is empty, needs at least one reference", name())));
            }
            counts.push(input.len() - before);
        }
        Ok((input, counts))
    }

    /// Number of texts and of their tokens, or of characters where they have not been cut.
    pub fn size(&self) -> usize {
        let parts = match self {
            Self::Uncut(_, texts) => texts.characters(),
            Self::Cut(texts) => texts.iter().map(Vec::len).sum(),
        };
        self.len() + parts
    }

    fn empty(tokenizer: Option<&Tokenizer>) -> Self {
        match tokenizer {
            Some(tokenizer) => Self::Uncut(tokenizer.inner.clone(), Strings::default()),
            None => Self::Cut(Vec::new()),
        }
    }

    fn push(&mut self, text: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<()> {
        match self {
            Self::Uncut(_, texts) => texts.push(text, name)?,
            Self::Cut(texts) => {
                let Ok(tokens) = text.cast::<PyList>() else {
                    let kind = text.get_type().name()?;
                    let problem = format!("{}: the tokenizer returned {kind}, expected a list of str", name());
                    return Err(PyTypeError::new_err(problem));
                };
                texts.push(strings(tokens, |place| format!("{}: token {place}", name()))?);
            }
        }
        Ok(())
    }
}

impl Texts for Input {
    fn len(&self) -> usize {
        match self {
            Self::Uncut(_, texts) => texts.len(),
            Self::Cut(texts) => texts.len(),
        }
    }

    fn cut(&self, text: usize, scratch: &mut Scratch, sink: &mut impl Sink) {
        match self {
            Self::Uncut(tokenizer, texts) => tokenizer.cut_chars(texts.chars(text), scratch, sink),
            Self::Cut(texts) => Cut(texts).cut(text, scratch, sink),
        }
    }
}
