//! Tokenizers, and the strings and lists of strings that they take from Python.

use std::sync::Arc;

use muge_fast_core::memory;
use muge_fast_core::text::tokenizers::ptb::Ptb;
use muge_fast_core::text::tokens::{self, Cut, Texts};
use muge_fast_core::text::{self, Scratch, Sink};
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::border::{Size, exception, make_objects, run_sized, thread_count};
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

    /// Return the tokenizer `ptb`, with the tables of a class file.
    #[staticmethod]
    fn ptb(py: Python<'_>, class_file: &[u8]) -> PyResult<Self> {
        let ptb = py.detach(|| Ptb::from_class(class_file)).map_err(|error| exception(&error))?;
        Ok(Self { name: "ptb".to_owned(), inner: Arc::new(text::Tokenizer::Ptb(Box::new(ptb))) })
    }

    /// Return the lines that pycocoevalcap has for captions that are tokenized together; only of the tokenizer `ptb`.
    fn caption_lines<'py>(
        &self,
        captions: &Bound<'py, PyList>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = captions.py();
        let text::Tokenizer::Ptb(ptb) = &*self.inner else {
            return Err(PyTypeError::new_err("caption_lines: only of the tokenizer 'ptb'"));
        };
        let captions = strings(captions, |index| format!("captions[{index}]"))?;
        let size = Size { texts: captions.len(), tokens: captions.iter().map(|caption| caption.len()).sum() };
        let lines = run_sized(py, threads, size, |plan| ptb.lines(captions.iter().map(|caption| &**caption), plan))?;
        make_objects(|| PyList::new(py, lines))
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }
}

/// Return the tokens of each text.
#[pyfunction]
#[pyo3(signature = (texts, tokenizer, threads=None))]
pub fn tokenize<'py>(
    py: Python<'py>,
    texts: &Bound<'py, PyList>,
    tokenizer: Option<&Tokenizer>,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Bound<'py, PyList>> {
    let input = Input::flat(texts, tokenizer, &Names { parameter: "texts", ids: None })?;
    let (tokens, vocab) = run_sized(py, threads, input.size(), |plan| tokens::tokenize(&input, None, plan))?;
    make_objects(|| {
        // One Python string for each distinct token, shared by all its occurrences.
        let words: Vec<_> =
            (0..=vocab.max_id()).map(|id| PyString::new(py, &vocab.token(id).unwrap_or_default())).collect();
        let lists = PyList::empty(py);
        for text in 0..tokens.len() {
            lists.append(PyList::new(py, tokens.get(text).iter().map(|&id| &words[id as usize]))?)?;
        }
        Ok(lists)
    })
}

/// The names of the items of a parameter in errors: by id if there are ids, else by index.
pub struct Names<'py> {
    pub parameter: &'static str,
    pub ids: Option<Bound<'py, PyList>>,
}

impl Names<'_> {
    pub fn item(&self, index: usize) -> String {
        let id = self.ids.as_ref().and_then(|ids| ids.get_item(index).ok()).and_then(|id| id.repr().ok());
        id.map_or_else(|| format!("{}[{index}]", self.parameter), |id| format!("{}[{id}]", self.parameter))
    }
}

/// Borrow the strings of a list.
pub fn strings(list: &Bound<'_, PyList>, name: impl Fn(usize) -> String) -> PyResult<Vec<PyBackedStr>> {
    let mut strings = memory::with_capacity(list.len()).map_err(|error| exception(&error))?;
    for (index, item) in list.iter().enumerate() {
        strings.push(string(&item, || name(index))?);
    }
    Ok(strings)
}

/// Borrow one string. Raises a `ValueError` for invalid Unicode.
fn string(item: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<PyBackedStr> {
    let string = cast(item, &name)?;
    PyBackedStr::try_from(string.clone()).map_err(|error| {
        let py = item.py();
        if !error.is_instance_of::<PyUnicodeEncodeError>(py) {
            return error;
        }
        let index = error.value(py).getattr("start").and_then(|start| start.extract::<usize>()).unwrap_or(0);
        lone_surrogate(index, name)
    })
}

/// Texts from Python: strings, or lists of tokens from a tokenizer written in Python.
pub enum Input {
    Strings(Arc<text::Tokenizer>, Strings),
    TokenLists(Vec<Vec<PyBackedStr>>),
}

impl Input {
    /// Take one text from each element of `list`.
    pub fn flat(list: &Bound<'_, PyList>, tokenizer: Option<&Tokenizer>, names: &Names<'_>) -> PyResult<Self> {
        let mut input = Self::empty(tokenizer);
        for (index, text) in list.iter().enumerate() {
            input.push(&text, || names.item(index))?;
        }
        Ok(input)
    }

    /// Take several texts from each element of `list`; also returns their numbers.
    pub fn nested(
        list: &Bound<'_, PyList>,
        tokenizer: Option<&Tokenizer>,
        names: &Names<'_>,
    ) -> PyResult<(Self, Vec<usize>)> {
        let mut input = Self::empty(tokenizer);
        let mut counts = memory::with_capacity(list.len()).map_err(|error| exception(&error))?;
        for (item, texts) in list.iter().enumerate() {
            let name = || names.item(item);
            let before = input.len();
            if !texts.is_instance_of::<PyList>() && !texts.is_instance_of::<PyTuple>() {
                let type_name = texts.get_type().name()?;
                return Err(PyTypeError::new_err(format!("{}: expected a list of str, found {type_name}", name())));
            }
            for (index, text) in texts.try_iter()?.enumerate() {
                input.push(&text?, || format!("{}[{index}]", name()))?;
            }
            if input.len() == before {
                return Err(PyValueError::new_err(format!("{} is empty, needs at least one reference", name())));
            }
            counts.push(input.len() - before);
        }
        Ok((input, counts))
    }

    /// Number of texts, and of their tokens, or of characters for strings.
    pub fn size(&self) -> Size {
        let tokens = match self {
            Self::Strings(_, texts) => texts.characters(),
            Self::TokenLists(texts) => texts.iter().map(Vec::len).sum(),
        };
        Size { texts: self.len(), tokens }
    }

    fn empty(tokenizer: Option<&Tokenizer>) -> Self {
        match tokenizer {
            Some(tokenizer) => Self::Strings(tokenizer.inner.clone(), Strings::default()),
            None => Self::TokenLists(Vec::new()),
        }
    }

    fn push(&mut self, text: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<()> {
        match self {
            Self::Strings(_, texts) => texts.push(text, name)?,
            Self::TokenLists(texts) => {
                let Ok(tokens) = text.cast::<PyList>() else {
                    let type_name = text.get_type().name()?;
                    let problem = format!("{}: the tokenizer returned {type_name}, expected a list of str", name());
                    return Err(PyTypeError::new_err(problem));
                };
                texts.push(strings(tokens, |index| format!("{}: token {index}", name()))?);
            }
        }
        Ok(())
    }
}

impl Texts for Input {
    fn len(&self) -> usize {
        match self {
            Self::Strings(_, texts) => texts.len(),
            Self::TokenLists(texts) => texts.len(),
        }
    }

    fn max_tokens(&self, text: usize) -> usize {
        match self {
            Self::Strings(_, texts) => texts.length(text),
            Self::TokenLists(texts) => texts[text].len(),
        }
    }

    fn cut(&self, text: usize, scratch: &mut Scratch, sink: &mut impl Sink) {
        match self {
            Self::Strings(tokenizer, texts) => tokenizer.cut_chars(texts.chars(text), scratch, sink),
            Self::TokenLists(texts) => Cut(texts).cut(text, scratch, sink),
        }
    }
}
