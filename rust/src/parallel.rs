//! Run a function over blocks of work on several threads, with results in block order.
//!
//! Results have the same bits for any thread count: they are combined in block order, and no floating-point sum crosses a
//! block whose size depends on the number of threads.
//!
//! Threads live for one call: there is no pool in which a forked child could hang. A long call starts a [`Team`] that all
//! its steps share. A step without a team starts its own threads, which takes about 50 µs, or milliseconds if the kernel
//! starts a thread on the core of its parent while another core is idle.

use std::iter::Enumerate;
use std::ops::Range;
use std::slice::IterMut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rayon_core::{Scope, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// More threads than this for each core only wait for each other.
pub const MAX_THREADS_PER_CORE: usize = 8;

/// The context of a call: its number of threads, the threads themselves if there is a [`Team`], whether it is cancelled, and
/// how many rows are done.
#[derive(Debug, Default, Clone)]
pub struct Plan {
    threads: usize,
    cancelled: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    team: Option<Arc<ThreadPool>>,
}

/// Threads that run all steps of one call; they end when the team and all clones of its plan are dropped.
#[derive(Debug)]
pub struct Team {
    plan: Plan,
    threads: Arc<ThreadPool>,
}

impl Team {
    /// Start as many threads as the plan has.
    ///
    /// # Errors
    /// The system cannot start them.
    pub fn new(plan: &Plan) -> std::result::Result<Self, ThreadPoolBuildError> {
        let threads = Arc::new(ThreadPoolBuilder::new().num_threads(plan.threads).build()?);
        Ok(Self { plan: Plan { team: Some(threads.clone()), ..plan.clone() }, threads })
    }

    /// Run `work` on one of the threads, joined by the others in its steps, while the calling thread runs `meanwhile`.
    /// Returns after both have ended; a panic is resumed in the calling thread.
    pub fn run<'s, T>(&'s self, work: impl FnOnce(&Plan) + Send + 's, meanwhile: impl FnOnce() -> T) -> T {
        self.threads.in_place_scope(|scope: &Scope<'s>| {
            scope.spawn(|_| work(&self.plan));
            meanwhile()
        })
    }
}

impl Plan {
    /// Return a plan for `threads` threads, None for one for each core. A thousand for each core are no faster and take
    /// seconds to start, so there are at most [`MAX_THREADS_PER_CORE`] for each.
    pub fn new(threads: Option<usize>) -> Self {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let threads = match threads {
            // Cores are counted only where it matters, because that reads files.
            Some(threads) if threads <= MAX_THREADS_PER_CORE => threads.max(1),
            Some(threads) => threads.min(MAX_THREADS_PER_CORE * cores()),
            None => cores(),
        };
        Self { threads, ..Self::default() }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Return a plan with at most `threads` threads, for small work. It is cancelled together with this one.
    #[must_use]
    pub fn at_most(&self, threads: usize) -> Self {
        Self { threads: self.threads.min(threads).max(1), ..self.clone() }
    }

    /// Cancel the work, which soon returns [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Check that the work is not cancelled. Cheap enough for inner loops.
    ///
    /// # Errors
    /// [`Error::Cancelled`] after [`Plan::cancel`].
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Count further rows as done.
    pub fn advance(&self, count: usize) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    /// Number of rows that are done.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Run `work(scratch, block)` for `0..count` in blocks of `size`; returns the results in block order.
    ///
    /// # Errors
    /// The error of the first block among those that `work` returned before the rest was skipped; [`Error::Cancelled`].
    pub fn map<S, T: Send>(
        &self,
        count: usize,
        size: usize,
        scratch: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, Range<usize>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let mut results: Vec<Option<Result<T>>> = Vec::new();
        results.resize_with(count.div_ceil(size), || None);
        self.each(&mut results, scratch, |state, block, result| {
            let start = block * size;
            *result = Some(work(state, start..count.min(start + size)));
            Ok(())
        })?;
        results.into_iter().map(|result| result.unwrap_or(Err(Error::Cancelled))).collect()
    }

    /// Run `work(scratch, index, item)` for each of `items`, on one thread each.
    ///
    /// # Errors
    /// The error of the lowest index among those that `work` returned before the rest was skipped; [`Error::Cancelled`].
    pub fn each<S, T: Send>(
        &self,
        items: &mut [T],
        scratch: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize, &mut T) -> Result<()> + Sync,
    ) -> Result<()> {
        let threads = self.threads.min(items.len());
        let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let queue = Queue::new(items);
        let run = || {
            let mut state = None;
            while let Some((index, item)) = queue.next() {
                let state = state.get_or_insert_with(&scratch);
                if let Err(error) = self.check().and_then(|()| work(state, index, item)) {
                    queue.close();
                    keep_first(&failed, index, error);
                }
            }
        };
        // The calling thread works too.
        match &self.team {
            _ if threads <= 1 => run(),
            Some(team) => team.in_place_scope(|scope| {
                (1..threads).for_each(|_| scope.spawn(|_| run()));
                run();
            }),
            None => thread::scope(|scope| {
                (1..threads).for_each(|_| drop(scope.spawn(run)));
                run();
            }),
        }
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), |(_, error)| Err(error))
    }
}

/// Take the first `length` elements off the front of `rest`.
///
/// # Panics
/// If `rest` is shorter.
#[allow(clippy::mut_mut)] // The caller's slice is shortened, like that of `split_off_mut`.
pub fn take_front<'r, T>(rest: &mut &'r mut [T], length: usize) -> &'r mut [T] {
    let (front, back) = std::mem::take(rest).split_at_mut(length);
    *rest = back;
    front
}

/// Cut a slice into consecutive parts of the given lengths, for blocks of work that each fill one part.
///
/// # Panics
/// If the lengths add up to more than the slice has.
pub fn split_by_lengths<T>(mut values: &mut [T], lengths: impl IntoIterator<Item = usize>) -> Vec<&mut [T]> {
    lengths.into_iter().map(|length| take_front(&mut values, length)).collect()
}

/// Items that threads take one at a time: with a static split, all would wait for the slowest thread of a busy machine.
struct Queue<'a, T> {
    rest: Mutex<Enumerate<IterMut<'a, T>>>,
    open: AtomicBool,
}

impl<'a, T> Queue<'a, T> {
    fn new(items: &'a mut [T]) -> Self {
        Self { rest: Mutex::new(items.iter_mut().enumerate()), open: AtomicBool::new(true) }
    }

    fn next(&self) -> Option<(usize, &'a mut T)> {
        if !self.open.load(Ordering::Relaxed) {
            return None;
        }
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }
}

fn keep_first(failed: &Mutex<Option<(usize, Error)>>, index: usize, error: Error) {
    let mut slot = failed.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.as_ref().is_none_or(|(first, _)| index < *first) {
        *slot = Some((index, error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_block_order_for_any_thread_count() {
        for threads in 1..5 {
            let sums = Plan::new(Some(threads)).map(10, 3, || (), |(), block| Ok(block.sum::<usize>()));
            assert_eq!(sums, Ok(vec![3, 12, 21, 9]));
        }
    }

    #[test]
    fn a_team_runs_one_step_after_the_other() {
        for threads in 1..5 {
            let team = Team::new(&Plan::new(Some(threads))).expect("threads");
            let mut sums = Vec::new();
            let work = |plan: &Plan| {
                for size in 1..20 {
                    let inner = |block: Range<usize>| {
                        // A step within a step, on the same threads.
                        let parts = plan.map(block.len(), 2, || (), |(), part| Ok(block.start + part.start));
                        Ok(parts?.len())
                    };
                    sums.push(plan.map(10, size, || (), |(), block| inner(block)));
                }
            };
            assert_eq!(team.run(work, || thread::current().id()), thread::current().id());
            let expected: Vec<_> = (1..20)
                .map(|size| (0..10).step_by(size).map(|start| size.min(10 - start).div_ceil(2)).collect())
                .collect();
            assert_eq!(sums.into_iter().collect::<Result<Vec<Vec<_>>>>(), Ok(expected));
        }
    }

    #[test]
    fn a_panic_in_a_team_is_resumed_in_the_caller() {
        let team = Team::new(&Plan::new(Some(3))).expect("threads");
        let panicking = |plan: &Plan| {
            let steps = plan.map(9, 1, || (), |(), block| if block.start == 5 { panic!("on purpose") } else { Ok(()) });
            drop(steps);
        };
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| team.run(panicking, || ())));
        assert!(caught.is_err());
    }

    #[test]
    fn the_number_of_threads_is_bounded() {
        assert_eq!([0, 1, MAX_THREADS_PER_CORE].map(|threads| Plan::new(Some(threads)).threads()), [1, 1, 8]);
        assert_eq!(Plan::new(Some(usize::MAX)).threads(), MAX_THREADS_PER_CORE * Plan::new(None).threads());
    }

    #[test]
    fn an_error_stops_the_work_and_is_returned() {
        let plan = Plan::new(Some(2));
        let result =
            plan.map(100, 1, || (), |(), block| if block.start == 7 { Err(Error::Empty("x")) } else { Ok(()) });
        assert_eq!(result, Err(Error::Empty("x")));
    }

    #[test]
    fn a_cancelled_plan_does_nothing() {
        let plan = Plan::new(Some(2));
        plan.cancel();
        assert_eq!(plan.map(4, 1, || (), |(), _| Ok(())), Err(Error::Cancelled));
    }

    #[test]
    fn parts_have_the_lengths_that_were_asked_for() {
        let mut values = [1, 2, 3, 4];
        assert_eq!(split_by_lengths(&mut values, [1, 0, 2]), [&[1][..], &[], &[2, 3]]);
        assert!(split_by_lengths(&mut values, []).is_empty());
    }

    #[test]
    fn no_work_has_no_results() {
        assert_eq!(Plan::new(None).map(0, 8, || (), |(), _| Ok(1)), Ok(vec![]));
    }
}
