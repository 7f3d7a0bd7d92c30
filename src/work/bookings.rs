//! The way of the lock-out budget to disk. Every change is on disk before its caller goes on; those that come
//! while the disk is busy go there together, in one step: else thousands of watched keys would wait for it one
//! after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::core::Inner;
use crate::domain::{BudgetRecord, Cause, HostPort};
use crate::store::StateDb;
use crate::store::stack::wiping;

/// Changes of the budget that wait for the disk.
#[derive(Default)]
pub(super) struct Bookings(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Vec<(HostPort, Box<dyn BookingChange>)>,
    /// Whether a thread writes, and will look here again when it is done.
    writing: bool,
}

/// A change of one host's record, with whoever waits for it.
trait BookingChange: Send {
    fn make(&mut self, state: &StateDb, record: &mut BudgetRecord);

    /// The change is on disk, or is not made.
    fn end(self: Box<Self>, written: Result<(), BookingProblem>);
}

struct BookingRequest<C, R> {
    change: Option<C>,
    result: Option<R>,
    asker: oneshot::Sender<Result<R, BookingProblem>>,
}

impl<C, R> BookingChange for BookingRequest<C, R>
where
    C: FnOnce(&StateDb, &mut BudgetRecord) -> R + Send,
    R: Send,
{
    fn make(&mut self, state: &StateDb, record: &mut BudgetRecord) {
        let Some(change) = self.change.take() else {
            return;
        };
        // One that breaks half-way has changed nothing, and is no matter of the others.
        let mut changed = record.clone();
        // A key may be among what it works with.
        let make = AssertUnwindSafe(|| wiping(|| change(state, &mut changed)));
        if let Ok(result) = catch_unwind(make) {
            *record = changed;
            self.result = Some(result);
        }
    }

    fn end(self: Box<Self>, written: Result<(), BookingProblem>) {
        let Self { result, asker, .. } = *self;
        let result = written.and_then(|()| result.ok_or(BookingProblem::Broken));
        // What is written stays written, whether or not somebody still waits.
        let _ = asker.send(result);
    }
}

/// Why a change of the budget is not on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BookingProblem {
    /// Nobody writes any more.
    #[error("the program is shutting down")]
    ShuttingDown,
    /// The change itself broke.
    #[error("a defect of this program broke it off")]
    Broken,
    /// The state could not be opened or written: of all that waited for one step.
    #[error(transparent)]
    State(Cause),
}

impl Bookings {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next changes; nothing, and the writer's end, where there are none.
    fn next(&self) -> Option<Vec<(HostPort, Box<dyn BookingChange>)>> {
        let mut queue = self.queue();
        queue.writing = !queue.waiting.is_empty();
        queue.writing.then(|| std::mem::take(&mut queue.waiting))
    }
}

/// Whoever writes. Should it never run, or break, nobody waits for it.
struct Writer {
    inner: Arc<Inner>,
    is_done: bool,
}

impl Writer {
    fn run(&mut self) {
        while let Some(changes) = self.inner.bookings.next() {
            write(&self.inner, changes);
        }
        self.is_done = true;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_done {
            *self.inner.bookings.queue() = Queue::default();
        }
    }
}

/// Changes what is remembered of `host`; on disk when it returns. What was asked for is done also where nobody
/// waits for it any more. The error says why it could not be.
pub(super) async fn update<R: Send + 'static>(
    inner: &Arc<Inner>,
    host: HostPort,
    change: impl FnOnce(&StateDb, &mut BudgetRecord) -> R + Send + 'static,
) -> Result<R, BookingProblem> {
    let (asker, answer) = oneshot::channel();
    let change = BookingRequest {
        change: Some(change),
        result: None,
        asker,
    };
    let begins = {
        let mut queue = inner.bookings.queue();
        queue.waiting.push((host, Box::new(change)));
        !std::mem::replace(&mut queue.writing, true)
    };
    if begins {
        let mut writer = Writer {
            inner: Arc::clone(inner),
            is_done: false,
        };
        tokio::task::spawn_blocking(move || writer.run());
    }
    answer
        .await
        .unwrap_or_else(|_| Err(BookingProblem::ShuttingDown))
}

fn write(inner: &Inner, mut changes: Vec<(HostPort, Box<dyn BookingChange>)>) {
    let state = match inner.state() {
        Ok(state) => state,
        Err(problem) => return end_all(changes, problem),
    };
    let made = changes.iter_mut().map(|(host, change)| {
        let make = |record: &mut BudgetRecord| change.make(&state, record);
        (&*host, make)
    });
    match state.update_budgets(made) {
        Ok(each) => {
            let mut each = each.into_iter();
            end(changes, || match each.next() {
                Some(Err(problem)) => Err(BookingProblem::State(Cause::new(problem))),
                _ => Ok(()),
            });
        }
        Err(problem) => end_all(changes, problem),
    }
}

/// None of them is on disk, for one reason.
fn end_all(
    changes: Vec<(HostPort, Box<dyn BookingChange>)>,
    problem: impl std::error::Error + Send + Sync + 'static,
) {
    let cause = Cause::new(problem);
    end(changes, || Err(BookingProblem::State(cause.clone())));
}

fn end(
    changes: Vec<(HostPort, Box<dyn BookingChange>)>,
    mut written: impl FnMut() -> Result<(), BookingProblem>,
) {
    for (_, change) in changes {
        change.end(written());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::config::Environment;
    use crate::domain::KeyFingerprint;
    use crate::probe::budget;
    use crate::work::core::Core;
    use crate::work::tests::Home;

    fn host() -> HostPort {
        HostPort {
            host: "a.example".to_owned(),
            port: 443,
        }
    }

    #[tokio::test]
    async fn what_comes_while_the_disk_is_busy_is_written_together_and_each_hears_its_own() {
        let home = Home::new();
        let (core, beside) = (home.core(), home.core());
        let beside = beside.0.state().unwrap();
        let inner = &core.0;
        let (busy, is_busy) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        // Holds the writer until the others are in the queue.
        let first = update(inner, host(), move |_, _| {
            busy.send(()).unwrap();
            may_go_on.recv().unwrap();
        });
        let others = async {
            tokio::task::spawn_blocking(move || is_busy.recv().unwrap())
                .await
                .unwrap();
            let book = |key: &str| {
                let (key, beside) = (KeyFingerprint(key.to_owned()), Arc::clone(&beside));
                update(inner, host(), move |_, record| {
                    // Of what goes to disk in one step, nobody else sees a part.
                    let seen = beside.budget(&host()).unwrap();
                    assert_eq!(seen.attempts, [], "committed one by one");
                    budget::book(record, &key, jiff::Timestamp::now())
                })
            };
            let held = async {
                while inner.bookings.queue().waiting.len() < 2 {
                    tokio::task::yield_now().await;
                }
                assert!(inner.bookings.queue().writing);
                go_on.send(()).unwrap();
            };
            tokio::join!(book("one"), book("other"), held)
        };
        let (first, (one, other, ())) = tokio::join!(first, others);
        first.unwrap();
        // Each attempt has a number of its own: none was lost to the other.
        assert_ne!(one.unwrap(), other.unwrap());
    }

    #[tokio::test]
    async fn what_the_disk_does_not_take_is_booked_for_nobody() {
        let home = Home::new();
        let core = home.core();
        core.0.state().unwrap();
        let path = core.folders().unwrap().state.join("history.sqlite");
        let beside = rusqlite::Connection::open(path).unwrap();
        let full =
            "CREATE TRIGGER full BEFORE INSERT ON budget BEGIN SELECT RAISE(FAIL, 'full'); END";
        beside.execute_batch(full).unwrap();
        let booked = update(&core.0, host(), |_, record| record.next_number).await;
        assert!(
            matches!(booked, Err(BookingProblem::State(_))),
            "{booked:?}"
        );
    }

    #[tokio::test]
    async fn one_that_breaks_holds_up_nobody() {
        let core = Core::rehearsal(Environment::of([]), Vec::new())
            .await
            .unwrap();
        let broken = update(&core.0, host(), |_, record| -> u8 {
            record.next_number = 9;
            panic!("as a defect would")
        });
        assert_eq!(broken.await, Err(BookingProblem::Broken));
        let number = update(&core.0, host(), |_, record| record.next_number);
        assert_eq!(number.await, Ok(0), "what broke half-way is not written");
    }
}
