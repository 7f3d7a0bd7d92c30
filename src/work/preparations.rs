//! What a watch starts at one time is prepared by one thread: to wake a thread, which wakes the runtime in turn,
//! costs more than the look at the state that it is woken for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;

use super::core::Inner;
use super::error::WorkError;
use super::job::{Prepared, ProbeJob};
use crate::store::stack::wiping;

/// Jobs that wait for the next thread.
#[derive(Default)]
pub(super) struct Preparations(Mutex<Vec<QueuedJob>>);

struct QueuedJob {
    /// Gone where nobody waits for it any more: no secret stays behind here.
    job: Weak<ProbeJob>,
    asker: oneshot::Sender<Result<Prepared, WorkError>>,
}

impl Preparations {
    fn waiting(&self) -> MutexGuard<'_, Vec<QueuedJob>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prepares `job` together with others that are begun at the same time. For jobs that look at the state
/// alone: one has it at a time anyway.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    job: &Arc<ProbeJob>,
) -> Result<Prepared, WorkError> {
    let (asker, answer) = oneshot::channel();
    inner.preparations.waiting().push(QueuedJob {
        job: Arc::downgrade(job),
        asker,
    });
    // As a rule the other tasks that can run now do so first, and leave their jobs here. One that comes later
    // takes the next thread.
    tokio::task::yield_now().await;
    let waiting = std::mem::take(&mut *inner.preparations.waiting());
    if !waiting.is_empty() {
        let inner = Arc::clone(inner);
        tokio::task::spawn_blocking(move || wiping(|| prepare_all(&inner, waiting)));
    }
    answer.await.unwrap_or_else(|_| Err(broken()))
}

fn prepare_all(inner: &Inner, waiting: Vec<QueuedJob>) {
    for QueuedJob { job, asker } in waiting {
        let Some(job) = job.upgrade() else {
            continue;
        };
        // One that breaks is no matter of the others.
        let prepared = catch_unwind(AssertUnwindSafe(|| job.prepare(inner)));
        let _ = asker.send(prepared.unwrap_or_else(|_| Err(broken())));
    }
}

fn broken() -> WorkError {
    WorkError::failed(
        "preparing the probe",
        "a defect of this program, or its end, broke it off",
    )
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::service::Trigger;
    use crate::work::core::Core;
    use crate::work::tests::{Home, shop};

    async fn job(core: &Core, url: &str) -> Arc<ProbeJob> {
        Arc::new(core.job(&shop(url), Trigger::Scheduled).await)
    }

    #[tokio::test]
    async fn what_is_begun_together_is_taken_by_the_first_and_each_hears_its_own() {
        let home = Home::new();
        let core = home.core();
        let (one, other) = (
            job(&core, "http://one.example").await,
            job(&core, "http://other.example").await,
        );
        let inner = &core.0;
        let mut first = pin!(prepare(inner, &one));
        let mut second = pin!(prepare(inner, &other));
        let waiting = || inner.preparations.waiting().len();
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert_eq!(waiting(), 1, "it gives the others their chance");
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(waiting(), 2);
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert_eq!(waiting(), 0, "one thread for both");
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first.unwrap().subject.url, "http://one.example");
        assert_eq!(second.unwrap().subject.url, "http://other.example");
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_kept() {
        let home = Home::new();
        let core = home.core();
        let left = job(&core, "http://left.example").await;
        {
            let mut begun = pin!(prepare(&core.0, &left));
            let mut context = Context::from_waker(Waker::noop());
            assert!(begun.as_mut().poll(&mut context).is_pending());
        }
        let gone = Arc::downgrade(&left);
        drop(left);
        assert!(gone.upgrade().is_none(), "its secrets would stay with it");
        let next = job(&core, "http://next.example").await;
        let prepared = prepare(&core.0, &next).await.unwrap();
        assert_eq!(prepared.subject.url, "http://next.example");
    }
}
