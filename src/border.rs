//! The one door: every call into the core goes through [`run`].

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use muge_fast_core::{Error, Plan, Result, Team};
use pyo3::exceptions::{PyMemoryError, PyOSError, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// How long work goes on before Python is asked again whether the user wants to interrupt it.
const SIGNAL_PAUSE: Duration = Duration::from_millis(50);

/// Work on so many tokens, characters or ids, about, is over before anybody could want to interrupt it.
const BRIEF: usize = 1 << 16;

/// More threads than this for each core only wait for each other: a thousand on two cores take seconds to start.
const MOST_ON_A_CORE: usize = 8;

/// How the caller wants long work to run.
pub struct Watched {
    /// Number of threads, None for all cores.
    pub threads: Option<i64>,
    /// Called now and then with the number of rows that are done; what it raises ends the work.
    pub progress: Option<Py<PyAny>>,
}

/// Run `work` without the interpreter lock, on a thread of its own so that Ctrl-C can be heard meanwhile.
pub fn run<T: Send>(py: Python<'_>, threads: Option<i64>, work: impl FnOnce(&Plan) -> Result<T> + Send) -> PyResult<T> {
    run_watched(py, Watched { threads, progress: None }, work)
}

/// The same for work on `tokens` tokens, characters or ids: where they are few, starting threads would take as long.
pub fn run_sized<T: Send>(
    py: Python<'_>,
    threads: Option<i64>,
    tokens: usize,
    work: impl FnOnce(&Plan) -> Result<T> + Send,
) -> PyResult<T> {
    if tokens > BRIEF {
        return run(py, threads, work);
    }
    let plan = plan(threads)?;
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(|| work(&plan))));
    result.map_err(|_| panicked())?.map_err(|error| exception(&error))
}

/// The same, and tell how far it is.
pub fn run_watched<T: Send>(
    py: Python<'_>,
    Watched { threads, progress }: Watched,
    work: impl FnOnce(&Plan) -> Result<T> + Send,
) -> PyResult<T> {
    let plan = plan(threads)?;
    let (result, interrupt) = py.detach(|| watch(&plan, progress.as_ref(), work))?;
    match (result, interrupt) {
        (_, Some(interrupt)) => Err(interrupt),
        (Some(result), None) => result.map_err(|error| exception(&error)),
        (None, None) => Err(panicked()),
    }
}

/// The exception for a bug of ours.
fn panicked() -> PyErr {
    PyRuntimeError::new_err("internal error in muge_fast: the computation panicked")
}

/// A number of threads from Python, None for all cores. One of more than 64 bits is as good as the largest of these.
pub fn thread_count(given: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    let py = given.py();
    match given.extract::<Option<i64>>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) && given.lt(0)? => Err(too_few_threads(given)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => Ok(Some(i64::MAX)),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let kind = given.get_type().name()?;
            Err(PyTypeError::new_err(format!("threads: expected an integer or None, found {kind}")))
        }
        extracted => extracted,
    }
}

fn too_few_threads(given: impl Display) -> PyErr {
    PyValueError::new_err(format!("threads is {given}, needs at least 1 or None for all cores"))
}

fn plan(threads: Option<i64>) -> PyResult<Plan> {
    let Some(given) = threads else { return Ok(Plan::new(None)) };
    let wanted = usize::try_from(given).ok().filter(|&wanted| wanted > 0).ok_or_else(|| too_few_threads(given))?;
    // Cores are counted only where it matters, because that reads files.
    let most = if wanted > MOST_ON_A_CORE { MOST_ON_A_CORE * Plan::new(None).threads() } else { wanted };
    Ok(Plan::new(Some(wanted.min(most))))
}

/// Wait for the work, listen for signals and tell how far it is; the first interrupt cancels the plan. No result means
/// that it panicked.
fn watch<T: Send>(
    plan: &Plan,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&Plan) -> Result<T> + Send,
) -> PyResult<(Option<Result<T>>, Option<PyErr>)> {
    let team = Team::new(plan).map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))?;
    let (sender, receiver) = mpsc::channel();
    let work = move |plan: &Plan| {
        // The receiver waits until it gets this, or until the sender is gone, which tells a panic.
        let _ = catch_unwind(AssertUnwindSafe(|| work(plan))).map(|result| sender.send(result));
    };
    Ok(team.run(work, || {
        let mut interrupt = None;
        loop {
            match receiver.recv_timeout(SIGNAL_PAUSE) {
                Ok(result) => return (Some(result), interrupt),
                Err(RecvTimeoutError::Disconnected) => return (None, interrupt),
                Err(RecvTimeoutError::Timeout) if interrupt.is_none() => {
                    interrupt = Python::attach(|py| ask(py, plan, progress)).err();
                    if interrupt.is_some() {
                        plan.cancel();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }))
}

/// Ask Python whether to go on.
fn ask(py: Python<'_>, plan: &Plan, progress: Option<&Py<PyAny>>) -> PyResult<()> {
    py.check_signals()?;
    if let Some(progress) = progress {
        progress.call1(py, (plan.done(),))?;
    }
    Ok(())
}

/// Return the Python exception for an error of the core.
pub fn exception(error: &Error) -> PyErr {
    match error {
        Error::Io { code: Some(code), message } => os_error(*code, message),
        Error::Io { code: None, message } => PyOSError::new_err(message.clone()),
        Error::Memory { .. } => PyMemoryError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

/// Return an `OSError`; Python picks the subclass by the number.
#[cfg(not(windows))]
fn os_error(code: i32, message: &str) -> PyErr {
    PyOSError::new_err((code, message.to_owned()))
}

/// Return an `OSError`; the number is one of Windows, which Python translates.
#[cfg(windows)]
fn os_error(code: i32, message: &str) -> PyErr {
    PyOSError::new_err((0, message.to_owned(), None::<&str>, code))
}

/// Add the name of the file to an `OSError`.
pub fn with_filename<T>(py: Python<'_>, path: &Path, result: PyResult<T>) -> PyResult<T> {
    if let Err(error) = &result
        && error.is_instance_of::<PyOSError>(py)
    {
        error.value(py).setattr("filename", path.as_os_str())?;
    }
    result
}
