//! The border between Python and muge-fast-core. It converts arguments and results, releases the interpreter lock, and
//! does nothing else.

// PyO3 passes arguments by value.
#![allow(clippy::needless_pass_by_value)]

mod border;
mod caption;
mod features;
mod image_tsv;
mod meteor;
mod resampling;
mod retrieval;
mod significance;
mod source;
mod strict_rows;
mod strings;
mod text;
mod top_k_embeddings;
mod top_k_matrix;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

/// Load NumPy's C interface, and that of its checks of borrowed arrays, with the module. The crate `numpy` would load them in
/// the first call that needs an array, and would panic where a signal interrupts the code of Python that this runs.
fn load_numpy(py: Python<'_>) -> PyResult<()> {
    py.import("numpy")?;
    border::make_objects(|| {
        PyArray1::<f64>::zeros(py, 1, false).try_readonly()?;
        Ok(())
    })
}

/// Rust core of `muge_fast`. Everything public is wrapped and documented in Python.
// Nothing here relies on the interpreter lock: classes are frozen, and the one that changes locks itself. The wheels use the
// stable ABI, which a free-threaded Python cannot load; this takes effect in a build without `abi3`.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    load_numpy(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<text::Tokenizer>()?;
    module.add_class::<caption::DocumentFrequency>()?;
    module.add_class::<caption::References>()?;
    module.add_class::<meteor::Meteor>()?;
    module.add_class::<meteor::MeteorReferences>()?;
    module.add_class::<meteor::MeteorTables>()?;
    module.add_class::<top_k_embeddings::TopK>()?;
    module.add_class::<resampling::Pcg64>()?;
    module.add_class::<strict_rows::PyDictCost>()?;
    module.add_function(wrap_pyfunction!(features::read_features, module)?)?;
    module.add_function(wrap_pyfunction!(features::format_feature_lines, module)?)?;
    module.add_function(wrap_pyfunction!(image_tsv::index_images, module)?)?;
    module.add_function(wrap_pyfunction!(image_tsv::decode_base64, module)?)?;
    module.add_function(wrap_pyfunction!(retrieval::cpu_level, module)?)?;
    module.add_function(wrap_pyfunction!(retrieval::retrieval_rows, module)?)?;
    module.add_function(wrap_pyfunction!(significance::sign_flip_exact, module)?)?;
    module.add_function(wrap_pyfunction!(significance::subset_sums, module)?)?;
    module.add_function(wrap_pyfunction!(significance::step_down, module)?)?;
    module.add_function(wrap_pyfunction!(top_k_matrix::top_k_of, module)?)?;
    module.add_function(wrap_pyfunction!(strict_rows::read_strict_rows, module)?)?;
    module.add_function(wrap_pyfunction!(text::tokenize, module)?)?;
    module.add_function(wrap_pyfunction!(caption::bleu_score, module)?)?;
    module.add_function(wrap_pyfunction!(caption::bleu_items, module)?)?;
    module.add_function(wrap_pyfunction!(caption::bleu_of_sums, module)?)?;
    module.add_function(wrap_pyfunction!(caption::mean, module)?)?;
    module.add_function(wrap_pyfunction!(meteor::meteor_items, module)?)?;
    module.add_function(wrap_pyfunction!(meteor::meteor_corpus, module)?)?;
    module.add_function(wrap_pyfunction!(meteor::meteor_additive, module)?)
}
