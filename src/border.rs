//! Calls from Python into the core whose work grows with the data: the `run` functions release the interpreter lock and
//! turn errors into exceptions. Long work runs on another thread, so that Ctrl-C can stop it. Simple calls, such as BLEU
//! from statistics and conversions of tables, do without them.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use muge_fast_core::{Error, Plan, Result, Team, memory};
use numpy::{Element, PyArray1};
use pyo3::exceptions::{PyMemoryError, PyOSError, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// Time between two checks for signals.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Work on at most this many tokens, characters or ids ends so soon that the calling thread runs it.
const INLINE_WORK_LIMIT: usize = 1 << 16;

/// Address space of a thread: 2 MiB of stack, and the 64 MiB that the C library of Linux sets aside for its heap.
const THREAD_MEMORY: usize = 66 << 20;

/// Address space of a thread's stack, without which the system cannot start it.
const STACK: usize = (2 << 20) + (1 << 16);

/// Arrays of at most this many bytes are copied: that takes microseconds.
const COPIED_BYTES: usize = 1 << 16;

/// Beginnings of the panics of `PyO3`, and of the crate for `NumPy`, where Python could not make an object.
const PYO3_FAILED: [&str; 3] =
    ["Python API call failed", "PyObject pointer is null", "Failed to create slice container"];

/// Memory for the calls themselves, which start threads and wait for them.
pub const SPARE_MEMORY: usize = 4 << 20;

/// Threads whose heaps count. With more of them, the work is so large that it outweighs the rest.
const MAX_HEAPS: usize = 8;

/// An amount of work.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Steps that each take about as long as a token.
    pub steps: usize,
    /// Upper bound of the memory that the work takes.
    pub bytes: usize,
}

/// The amount of work on texts or lists of ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Size {
    pub texts: usize,
    /// Tokens, characters or ids.
    pub tokens: usize,
}

impl From<Size> for Amount {
    /// The memory was measured for short and for long texts, in all tokenizers and metrics.
    fn from(Size { texts, tokens }: Size) -> Self {
        let bytes = texts.saturating_mul(256).saturating_add(tokens.saturating_mul(48));
        Self { steps: texts.saturating_add(tokens), bytes }
    }
}

/// Options of work that may take long.
pub struct RunOptions {
    /// Number of threads, None for all cores.
    pub threads: Option<i64>,
    /// Called every now and then with the number of rows that are done; an exception stops the work.
    pub progress: Option<Py<PyAny>>,
}

/// Run `work` without the interpreter lock, on another thread, so that Ctrl-C can stop it.
pub fn run<T: Send>(py: Python<'_>, threads: Option<i64>, work: impl FnOnce(&Plan) -> Result<T> + Send) -> PyResult<T> {
    run_with(py, RunOptions { threads, progress: None }, work)
}

/// Run `work` like [`run`], or from the calling thread if there is little of it: starting a team and checking for signals
/// would take as long as the work. Its steps may still start threads of their plan.
///
/// Raises a `MemoryError` if the memory that the work may take is not there: it would abort the process where a vector
/// grows.
pub fn run_sized<T: Send>(
    py: Python<'_>,
    threads: Option<i64>,
    amount: impl Into<Amount>,
    work: impl FnOnce(&Plan) -> Result<T> + Send,
) -> PyResult<T> {
    let plan = plan(threads)?;
    let Amount { steps, bytes } = amount.into();
    if steps > INLINE_WORK_LIMIT {
        check_memory(bytes.saturating_add(heap_memory(&plan)))?;
        return run(py, threads, work);
    }
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(|| work(&plan))));
    result.map_err(|_| panicked())?.map_err(|error| exception(&error))
}

/// Run `work` like [`run`], after a check that `bytes` and a thread fit in memory.
pub fn run_checked<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce(&Plan) -> Result<T> + Send) -> PyResult<T> {
    check_memory(bytes.saturating_add(THREAD_MEMORY))?;
    run(py, Some(1), work)
}

/// Lock the content of an object that runs one call at a time; raises a `RuntimeError` during another call. `name` is that
/// of the object in the message.
pub fn try_lock<'a, T>(content: &'a Mutex<T>, name: &str) -> PyResult<MutexGuard<'a, T>> {
    match content.try_lock() {
        Ok(guard) => Ok(guard),
        // A call that panicked has not changed the content.
        Err(TryLockError::Poisoned(guard)) => Ok(guard.into_inner()),
        Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err(format!("the {name} is in use by another call"))),
    }
}

/// Make objects of Python. Where memory is short, `PyO3` panics in some places; that becomes a `MemoryError`.
pub fn make_objects<T>(make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let result = catch_unwind(AssertUnwindSafe(make));
    result.unwrap_or_else(|panic| {
        let message =
            panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let has_no_memory = message.is_some_and(|text| PYO3_FAILED.iter().any(|start| text.starts_with(start)));
        Err(if has_no_memory { PyMemoryError::new_err("out of memory") } else { panicked() })
    })
}

/// Return an array of `NumPy` with these values.
///
/// Where there is no memory for the array's object, the crate that keeps the values of a vector ends the process. Small
/// arrays are therefore copied. For the object of a large one there is the memory of another, which was made and freed.
pub fn make_array<T: Element + Copy>(py: Python<'_>, values: Vec<T>) -> PyResult<Bound<'_, PyArray1<T>>> {
    make_objects(|| {
        if size_of_val(values.as_slice()) <= COPIED_BYTES {
            return Ok(PyArray1::from_slice(py, &values));
        }
        drop([(); 2].map(|()| PyArray1::<T>::zeros(py, 1, false)));
        Ok(PyArray1::from_vec(py, values))
    })
}

/// Check that this many bytes fit in memory; raises a `MemoryError`.
pub fn check_memory(bytes: usize) -> PyResult<()> {
    memory::check::<u8>(bytes).map_err(|error| exception(&error))
}

/// Check that there is memory for threads: the C library ends the process if one finds none for its variables.
pub fn check_threads(threads: Option<i64>) -> PyResult<()> {
    check_memory(heap_memory(&plan(threads)?))
}

/// Return the address space of the threads of a plan.
fn heap_memory(plan: &Plan) -> usize {
    plan.threads().min(MAX_HEAPS) * THREAD_MEMORY
}

/// Run `work` like [`run`], and report its progress.
pub fn run_with<T: Send>(
    py: Python<'_>,
    RunOptions { threads, progress }: RunOptions,
    work: impl FnOnce(&Plan) -> Result<T> + Send,
) -> PyResult<T> {
    let plan = plan(threads)?;
    let (result, interrupt) = py.detach(|| run_and_watch(&plan, progress.as_ref(), work))?;
    match (result, interrupt) {
        (_, Some(interrupt)) => Err(interrupt),
        (Some(result), None) => result.map_err(|error| exception(&error)),
        (None, None) => Err(panicked()),
    }
}

/// Return the exception for a bug in this library.
fn panicked() -> PyErr {
    PyRuntimeError::new_err("internal error in muge_fast: the computation panicked")
}

/// Convert a number of threads from Python, None for all cores. Integers of more than 64 bits become the largest of 64.
pub fn thread_count(threads: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    let py = threads.py();
    match threads.extract::<Option<i64>>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) && threads.lt(0)? => Err(too_few_threads(threads)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => Ok(Some(i64::MAX)),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let type_name = threads.get_type().name()?;
            Err(PyTypeError::new_err(format!("threads: expected an integer or None, found {type_name}")))
        }
        extracted => extracted,
    }
}

fn too_few_threads(threads: impl Display) -> PyErr {
    PyValueError::new_err(format!("threads is {threads}, needs at least 1 or None for all cores"))
}

fn plan(threads: Option<i64>) -> PyResult<Plan> {
    let Some(threads) = threads else { return Ok(Plan::new(None)) };
    let count = usize::try_from(threads).ok().filter(|&count| count > 0).ok_or_else(|| too_few_threads(threads))?;
    Ok(Plan::new(Some(count)))
}

/// Run `work` on another thread; meanwhile check for signals and report progress. The first interrupt cancels the plan.
/// There is no result if the work panicked.
fn run_and_watch<T: Send>(
    plan: &Plan,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&Plan) -> Result<T> + Send,
) -> PyResult<(Option<Result<T>>, Option<PyErr>)> {
    check_memory(plan.threads().saturating_mul(STACK).saturating_add(SPARE_MEMORY))?;
    let team = Team::new(plan).map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))?;
    let (sender, receiver) = mpsc::channel();
    let work = move |plan: &Plan| {
        // The receiver waits for the result, or for the end of the sender after a panic.
        let _ = catch_unwind(AssertUnwindSafe(|| work(plan))).map(|result| sender.send(result));
    };
    Ok(team.run(work, || {
        let mut interrupt = None;
        loop {
            match receiver.recv_timeout(SIGNAL_INTERVAL) {
                Ok(result) => return (Some(result), interrupt),
                Err(RecvTimeoutError::Disconnected) => return (None, interrupt),
                Err(RecvTimeoutError::Timeout) if interrupt.is_none() => {
                    interrupt = Python::attach(|py| check_interrupt(py, plan, progress)).err();
                    if interrupt.is_some() {
                        plan.cancel();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }))
}

/// Raise what a signal handler or the progress callback raises.
fn check_interrupt(py: Python<'_>, plan: &Plan, progress: Option<&Py<PyAny>>) -> PyResult<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { texts: 1, tokens: 1 };
    const LARGE: Size = Size { texts: 1, tokens: INLINE_WORK_LIMIT };

    fn panic_on_purpose<T>() -> T {
        panic!("on purpose")
    }

    #[test]
    fn a_panic_of_work_is_a_runtime_error() {
        Python::initialize();
        Python::attach(|py| {
            let options = || RunOptions { threads: Some(2), progress: None };
            let results = [
                run(py, Some(1), |_| panic_on_purpose::<Result<()>>()),
                run_sized(py, None, SMALL, |_| panic_on_purpose()),
                run_sized(py, Some(2), LARGE, |_| panic_on_purpose()),
                run_checked(py, 1, |_| panic_on_purpose()),
                run_with(py, options(), |_| panic_on_purpose()),
                // In a step of the work, on threads of its plan.
                run_with(py, options(), |plan| {
                    plan.map(9, 1, || (), |(), block| if block.start == 5 { panic_on_purpose() } else { Ok(()) })?;
                    Ok(())
                }),
                make_objects(panic_on_purpose),
                make_objects(|| panic!("with {} words", 2)),
            ];
            for result in results {
                let error = result.expect_err("it panicked");
                assert!(error.is_instance_of::<PyRuntimeError>(py), "{error}");
                assert!(error.to_string().ends_with("the computation panicked"), "{error}");
            }
            assert_eq!(run(py, Some(1), |_| Ok(7)).expect("the next call works"), 7);
        });
    }

    #[test]
    fn a_panic_where_python_has_no_memory_is_a_memory_error() {
        Python::initialize();
        Python::attach(|py| {
            for message in PYO3_FAILED {
                let error = make_objects::<()>(|| panic!("{message}")).expect_err("it panicked");
                assert!(error.is_instance_of::<PyMemoryError>(py), "{error}");
            }
        });
    }
}
