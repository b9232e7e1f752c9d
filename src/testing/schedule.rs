//! Running jobs side by side and handing on their verdicts in order.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How many jobs may wait at the same time: those that say so, and those that turn out to. They hardly work.
const WAITING: usize = 64;
/// A job that runs for longer than this waits for something: another one may run beside it.
const LONG: Duration = Duration::from_millis(200);

/// Jobs that have not started, and when those that run have.
struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The next one last.
    numbers: Vec<usize>,
    running: BTreeMap<usize, Instant>,
}

impl Queue {
    fn new(mut numbers: Vec<usize>) -> Self {
        numbers.reverse();
        Queue { state: Mutex::new(State { numbers, ..State::default() }) }
    }

    fn with<R>(&self, with: impl FnOnce(&mut State) -> R) -> R {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends one job and starts the next.
    fn next(&self, ended: Option<usize>) -> Option<usize> {
        self.with(|state| {
            if let Some(ended) = ended {
                state.running.remove(&ended);
            }
            let next = state.numbers.pop()?;
            state.running.insert(next, Instant::now());
            Some(next)
        })
    }

    /// How many workers the queue should have, as long as there is something to start.
    fn wanted(&self, parallel: usize) -> usize {
        self.with(|state| match state.numbers.is_empty() {
            true => 0,
            false => {
                let long = state.running.values().filter(|start| start.elapsed() >= LONG).count();
                parallel.saturating_add(long.min(WAITING))
            }
        })
    }

    fn clear(&self) {
        self.with(|state| state.numbers.clear());
    }
}

/// Runs `work` for every item on threads of its own and calls `done` with the results, in the order of the items, on
/// this thread. Items that `waits` says yes to do not keep the others from running, and those that take long neither.
///
/// # Errors
/// Those of `done`; items that have not started then are left out.
pub fn run_in_order<T: Sync, R: Send, E>(
    items: &[T],
    waits: impl Fn(&T) -> bool,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(&T, R) -> Result<(), E>,
) -> Result<(), E> {
    let (waiting, quick): (Vec<usize>, Vec<usize>) =
        (0..items.len()).partition(|&index| items.get(index).is_some_and(&waits));
    let waiters = WAITING.min(waiting.len());
    let (waiting, quick) = (&Queue::new(waiting), &Queue::new(quick));
    let parallel = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (sender, results) = mpsc::channel();
    let work = &work;
    thread::scope(|scope| {
        let mut threads: Vec<_> =
            (0..waiters).map(|_| start_worker(scope, waiting, items, work, sender.clone())).collect();
        let (mut early, mut next) = (BTreeMap::new(), 0);
        while next < items.len() {
            while threads.len() - waiters < quick.wanted(parallel) {
                threads.push(start_worker(scope, quick, items, work, sender.clone()));
            }
            let finished = threads.iter().all(thread::ScopedJoinHandle::is_finished);
            match results.recv_timeout(LONG) {
                Ok((number, result)) => _ = early.insert(number, result),
                // A thread that panicked has sent nothing; leaving the scope passes its panic on.
                Err(_) if finished => break,
                Err(_) => continue,
            }
            while let (Some(result), Some(item)) = (early.remove(&next), items.get(next)) {
                if let Err(error) = done(item, result) {
                    quick.clear();
                    waiting.clear();
                    return Err(error);
                }
                next += 1;
            }
        }
        Ok(())
    })
}

/// Starts a thread that takes jobs from the queue until there are none.
fn start_worker<'s, T: Sync, R: Send + 's>(
    scope: &'s thread::Scope<'s, '_>,
    queue: &'s Queue,
    items: &'s [T],
    work: &'s (impl Fn(&T) -> R + Sync),
    results: mpsc::Sender<(usize, R)>,
) -> thread::ScopedJoinHandle<'s, ()> {
    scope.spawn(move || {
        let mut ended = None;
        while let Some(number) = queue.next(ended)
            && let Some(item) = items.get(number)
        {
            // Nobody listens any more once the report has failed; the queue is empty then as well.
            _ = results.send((number, work(item)));
            ended = Some(number);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn results_come_in_order_and_waiting_items_keep_nobody() {
        // Every item waits for all others: none may stand behind another.
        for waits in [true, false] {
            let items: Vec<usize> = (0..20).collect();
            let others = Barrier::new(20);
            let mut order = Vec::new();
            let work = |item: &usize| {
                others.wait();
                item * 2
            };
            let done = |item: &usize, result| -> Result<(), ()> {
                order.push((*item, result));
                Ok(())
            };
            assert_eq!(run_in_order(&items, |_| waits, work, done), Ok(()));
            assert_eq!(order, (0..20).map(|item| (item, item * 2)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_report_that_cannot_be_written_ends_the_run() {
        let done = |_: &i32, result| if result == 2 { Err("closed") } else { Ok(()) };
        assert_eq!(run_in_order(&[1, 2, 3], |_| false, |item| *item, done), Err("closed"));
    }
}
