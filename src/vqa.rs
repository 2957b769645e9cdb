//! Scores of answers to questions about images.

use muge_fast_core::vqa::{self, Protocol, Texts};
use numpy::PyArray1;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::border::{Size, exception, make_array, run_sized, thread_count};
use crate::strings::Strings;
use crate::text::Names;

/// Names of the protocols.
pub const PROTOCOLS: &[&str] = Protocol::NAMES;

/// Return the score of each prediction against the answers of its question.
#[pyfunction]
#[pyo3(signature = (protocol, predictions, references, ids=None, threads=None))]
pub fn score_answers<'py>(
    py: Python<'py>,
    protocol: &str,
    predictions: &Bound<'py, PyList>,
    references: &Bound<'py, PyList>,
    ids: Option<Bound<'py, PyList>>,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let protocol = Protocol::named(protocol).map_err(|error| exception(&error))?;
    let names = Names { parameter: "predictions", ids: ids.clone() };
    let mut predicted = Strings::default();
    for (index, text) in predictions.iter().enumerate() {
        predicted.push(&text, || names.item(index))?;
    }
    let names = Names { parameter: "references", ids };
    let (mut answers, mut counts) = (Strings::default(), Vec::new());
    for (index, texts) in references.iter().enumerate() {
        let Ok(texts) = texts.cast::<PyList>() else {
            let type_name = texts.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "{}: expected a list of str, found {type_name}",
                names.item(index)
            )));
        };
        for (number, text) in texts.iter().enumerate() {
            answers.push(&text, || format!("{}[{number}]", names.item(index)))?;
        }
        counts.push(texts.len());
    }
    let size = Size {
        texts: predicted.len() + answers.len(),
        tokens: predicted.characters().saturating_add(answers.characters()),
    };
    let scores = run_sized(py, threads, size, |plan| vqa::score(protocol, &predicted, &answers, &counts, plan))?;
    make_array(py, scores)
}

/// Return texts in the form in which a protocol compares answers.
#[pyfunction]
pub fn normalize_answers(protocol: &str, texts: Vec<String>) -> PyResult<Vec<String>> {
    let protocol = Protocol::named(protocol).map_err(|error| exception(&error))?;
    Ok(texts.iter().map(|text| protocol.normalize(text)).collect())
}

impl Texts for Strings {
    fn len(&self) -> usize {
        self.len()
    }

    fn append(&self, index: usize, text: &mut String) {
        text.extend(self.chars(index));
    }
}
