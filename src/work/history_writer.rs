//! The one writer of the history: results are handed over without waiting, and written many at a time.
//!
//! Its thread starts with the first result and ends with the core, after everything handed over is on disk.
//! Where the disk is slower than the probes for long, results are lost, never probes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::domain::{Name, Verdict};
use crate::store::{RunRecord, StateDb};

/// Results that may wait for the disk.
const QUEUED: usize = 16_384;
/// How long the first result of a batch waits for others: one write to disk a second at the most.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// Results of one batch.
const AT_ONCE: usize = 2_000;

/// Takes results of probes.
#[derive(Default)]
pub(super) struct HistoryWriter(Mutex<Option<Writer>>);

struct Writer {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
}

/// Where results lie until the writer takes them. It is woken by the first of a batch, not by each.
#[derive(Default)]
struct Queue {
    waiting: Mutex<QueuedRuns>,
    worth_a_look: Condvar,
}

#[derive(Default)]
struct QueuedRuns {
    runs: Vec<(Name, RunRecord)>,
    /// Told once everything that lies here is on disk; dropped where it could not be written, or nobody writes
    /// any more.
    settling: Vec<oneshot::Sender<()>>,
    ended: bool,
    /// Whether something that was handed over is not on disk: it lies here, or the writer has it in hand.
    unwritten: bool,
    /// What has changed about the writing, until it is told.
    news: Option<String>,
    /// Whether the last batch was refused.
    fails: bool,
}

impl QueuedRuns {
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.settling.is_empty() && !self.ended
    }

    /// Whether the batch may still wait for others.
    fn is_patient(&self) -> bool {
        self.runs.len() < AT_ONCE && self.settling.is_empty() && !self.ended
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, QueuedRuns> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a result in; says whether there was room.
    fn put(&self, name: &Name, run: RunRecord) -> bool {
        let mut waiting = self.waiting();
        if waiting.ended || waiting.runs.len() >= QUEUED {
            return false;
        }
        waiting.runs.push((name.clone(), run));
        waiting.unwritten = true;
        if waiting.runs.len() == 1 || waiting.runs.len() == AT_ONCE {
            self.worth_a_look.notify_one();
        }
        true
    }

    /// Asks to be told when everything that lies here is on disk, or can't be written. The writer is not woken
    /// where all of it is: it would look after its own things first, and whoever quits would wait for that.
    fn settle(&self) -> oneshot::Receiver<()> {
        let (sender, settled) = oneshot::channel();
        let mut waiting = self.waiting();
        if !waiting.unwritten {
            let _ = sender.send(());
        } else if !waiting.ended {
            waiting.settling.push(sender);
            self.worth_a_look.notify_one();
        }
        settled
    }

    fn end(&self) {
        self.waiting().ended = true;
        self.worth_a_look.notify_one();
    }

    /// Waits for something, and a second more for what comes with it; takes all of it.
    fn take(&self) -> QueuedRuns {
        let waiting = self
            .worth_a_look
            .wait_while(self.waiting(), |waiting| waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = self
            .worth_a_look
            .wait_timeout_while(waiting, GATHERED_FOR, |waiting| waiting.is_patient())
            .unwrap_or_else(PoisonError::into_inner);
        QueuedRuns {
            runs: std::mem::take(&mut waiting.runs),
            settling: std::mem::take(&mut waiting.settling),
            ended: waiting.ended,
            ..QueuedRuns::default()
        }
    }

    /// Everything that was taken is on disk.
    fn written(&self) {
        let mut waiting = self.waiting();
        waiting.unwritten = !waiting.runs.is_empty();
    }

    /// Nothing is written: news, where it was written before.
    fn fails(&self, why: &str) {
        let mut waiting = self.waiting();
        if !std::mem::replace(&mut waiting.fails, true) {
            waiting.news = Some(format!(
                "the history is not written, what is found waits: {why}"
            ));
        }
    }

    /// It is written. That it is so again is news only to whoever has heard that it was not.
    fn goes_on(&self) {
        let mut waiting = self.waiting();
        if std::mem::take(&mut waiting.fails) {
            waiting.news = match waiting.news.take() {
                Some(_unheard) => None,
                None => Some("the history is written again".to_owned()),
            };
        }
    }
}

impl HistoryWriter {
    /// Hands over what a probe of a saved connection found. Never waits.
    /// `planned`: within a maintenance window.
    pub(super) fn put(&self, state: &Arc<StateDb>, verdict: &Verdict, planned: bool) {
        let Some(name) = &verdict.connection else {
            return;
        };
        let us = verdict.phases.total.map(|total| total.as_micros());
        let run = RunRecord {
            at: verdict.at,
            reason: verdict.reason,
            status: verdict.status,
            us: us.map(|us| u32::try_from(us).unwrap_or(u32::MAX)),
            planned,
        };
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            *writer = Writer::start(state);
        }
        if let Some(writer) = writer.as_ref()
            && !writer.queue.put(name, run)
        {
            tracing::warn!(%name, "a result is not kept: the disk is too slow, or nobody writes any more");
        }
    }

    /// What is to be told of the writing: that it fails, that it goes on. Once each.
    pub(super) fn news(&self) -> Option<String> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref()?.queue.waiting().news.take()
    }

    /// Whether the disk refused the last batch.
    pub(super) fn fails(&self) -> bool {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fails = |writer: &Writer| writer.queue.waiting().fails;
        writer.as_ref().is_some_and(fails)
    }

    /// Waits until everything handed over so far is on disk; `false` where it could not be written.
    pub(super) async fn settle(&self) -> bool {
        let settled = {
            let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().map(|writer| writer.queue.settle())
        };
        match settled {
            Some(settled) => settled.await.is_ok(),
            None => true,
        }
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        let writer = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Writer { queue, thread }) = writer.take() {
            queue.end();
            let _ = thread.join();
        }
    }
}

impl Writer {
    fn start(state: &Arc<StateDb>) -> Option<Self> {
        let queue = Arc::new(Queue::default());
        let (state, its_tray) = (Arc::clone(state), Arc::clone(&queue));
        let thread = thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || write(&state, &its_tray));
        match thread {
            Ok(thread) => Some(Self { queue, thread }),
            Err(error) => {
                tracing::warn!(%error, "no thread for the history: results are not kept");
                None
            }
        }
    }
}

/// Whoever takes from the queue. Should it break, nobody waits for it.
struct QueueDrain<'a>(&'a Queue);

impl Drop for QueueDrain<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.ended = true;
        waiting.settling.clear();
    }
}

/// Results on their way to disk, oldest first: more than one batch only where the disk has refused some.
#[derive(Default)]
struct Unwritten {
    runs: Vec<(Name, RunRecord)>,
}

impl Unwritten {
    /// Writes what was taken from `queue` and the ones before it, says in the queue what has changed about that, and
    /// then tells whoever waits for it. Where it fails the newest are kept for the next try, within bounds, and
    /// whoever waits hears that it was in vain.
    fn write<E: std::error::Error>(
        &mut self,
        queue: &Queue,
        taken: QueuedRuns,
        record: impl FnOnce(&[(Name, RunRecord)]) -> Result<(), E>,
    ) {
        self.runs.extend(taken.runs);
        let recorded = if self.runs.is_empty() {
            Ok(())
        } else {
            record(&self.runs)
        };
        match recorded {
            Ok(()) => {
                self.runs.clear();
                queue.written();
                queue.goes_on();
                for settled in taken.settling {
                    let _ = settled.send(());
                }
            }
            Err(error) => {
                let lost = self.runs.len().saturating_sub(QUEUED);
                self.runs.drain(..lost);
                let (error, kept) = (crate::domain::error_chain(&error), self.runs.len());
                tracing::warn!(%error, kept, lost, "results are not written yet");
                queue.fails(&error);
            }
        }
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        let lost = self.runs.len();
        if lost > 0 {
            tracing::warn!(
                lost,
                "results are lost: they could not be written until the end"
            );
        }
    }
}

/// Writes until nobody hands anything over any more.
fn write(state: &StateDb, queue: &Queue) {
    let _taker = QueueDrain(queue);
    let mut unwritten = Unwritten::default();
    loop {
        let taken = queue.take();
        let ended = taken.ended;
        unwritten.write(queue, taken, |runs| {
            state.record(runs.iter().map(|(name, run)| (name, *run)))
        });
        if let Err(error) = state.thin_where_due(Timestamp::now()) {
            tracing::warn!(error = %crate::domain::error_chain(&error), "the history is not thinned");
        }
        if ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Reason, ServiceId};
    use crate::work::local::local_error;

    fn verdict(name: &Name, reason: Reason, n: i64) -> Verdict {
        let mut verdict = local_error(Some(name), &ServiceId::http(), "", "");
        verdict.reason = reason;
        verdict.status = 401;
        verdict.at = Timestamp::now()
            .saturating_add(jiff::SignedDuration::from_millis(n))
            .unwrap();
        verdict.phases.total = Some(Duration::from_micros(1_234));
        verdict
    }

    #[tokio::test]
    async fn what_was_handed_over_is_on_disk_once_it_is_settled() {
        let state = Arc::new(StateDb::in_memory().unwrap());
        let history_writer = HistoryWriter::default();
        assert!(history_writer.settle().await, "there is nothing to write");
        let shop = Name::parse("shop").unwrap();
        for n in 0..3 {
            history_writer.put(
                &state,
                &verdict(&shop, Reason::CredentialsRejected, n),
                false,
            );
        }
        assert!(history_writer.settle().await);
        let runs = state.results(&shop, Timestamp::UNIX_EPOCH).unwrap();
        let found: Vec<_> = runs
            .iter()
            .map(|run| (run.reason, run.status, run.us))
            .collect();
        assert_eq!(found, [(Reason::CredentialsRejected, 401, Some(1_234)); 3]);
    }

    #[tokio::test]
    async fn that_nothing_is_written_is_told_once_and_that_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.sqlite");
        let state = Arc::new(StateDb::open(folder.path()).unwrap());
        let (history_writer, shop) = (HistoryWriter::default(), Name::parse("shop").unwrap());
        let put = async || {
            history_writer.put(&state, &verdict(&shop, Reason::Connected, 0), false);
            history_writer.settle().await
        };
        assert!(put().await);
        assert_eq!(history_writer.news(), None);
        let other = rusqlite::Connection::open(path).unwrap();
        other
            .execute_batch("ALTER TABLE fresh RENAME TO away")
            .unwrap();
        assert!(!put().await && !put().await);
        let news = history_writer.news().unwrap();
        assert!(news.starts_with("the history is not written"), "{news}");
        assert_eq!(history_writer.news(), None);
        other
            .execute_batch("ALTER TABLE away RENAME TO fresh")
            .unwrap();
        assert!(put().await);
        assert_eq!(
            history_writer.news().as_deref(),
            Some("the history is written again")
        );
    }

    #[test]
    fn what_the_disk_refuses_is_kept_newest_last_and_whoever_waits_hears_of_it() {
        let shop = Name::parse("shop").unwrap();
        let run = |at: usize| RunRecord {
            at: Timestamp::from_second(i64::try_from(at).unwrap()).unwrap(),
            reason: Reason::Connected,
            status: 200,
            us: None,
            planned: false,
        };
        let queue = Queue::default();
        let mut unwritten = Unwritten::default();
        for at in 0..3 {
            assert!(queue.put(&shop, run(at)));
        }
        let mut in_vain = queue.settle();
        unwritten.write(&queue, queue.take(), |_| {
            Err(std::io::Error::other("the disk is full"))
        });
        let heard = in_vain.try_recv().unwrap_err();
        assert_eq!(heard, oneshot::error::TryRecvError::Closed);
        let news = queue.waiting().news.take().unwrap();
        assert!(news.ends_with("the disk is full"), "{news}");

        for at in 3..QUEUED + 3 {
            assert!(queue.put(&shop, run(at)));
        }
        unwritten.write(&queue, queue.take(), |_| {
            Err(std::io::Error::other("the disk is full"))
        });
        assert_eq!(queue.waiting().news, None, "told once");
        let mut settled = queue.settle();
        let mut written = Vec::new();
        unwritten.write(&queue, queue.take(), |runs| {
            written.extend(runs.iter().map(|(_, run)| run.at));
            Ok::<_, std::io::Error>(())
        });
        assert_eq!(settled.try_recv(), Ok(()));
        assert_eq!(queue.settle().try_recv(), Ok(()), "nobody has to be asked");
        assert!(queue.put(&shop, run(QUEUED + 3)));
        let waits = queue.settle().try_recv().unwrap_err();
        assert_eq!(
            waits,
            oneshot::error::TryRecvError::Empty,
            "one more lies here"
        );
        assert_eq!(written.len(), QUEUED);
        assert_eq!(written.first(), Some(&run(3).at), "the oldest went");
        assert_eq!(written.last(), Some(&run(QUEUED + 2).at));
    }

    #[test]
    fn the_end_of_the_core_loses_nothing() {
        let state = Arc::new(StateDb::in_memory().unwrap());
        let history_writer = HistoryWriter::default();
        let shop = Name::parse("shop").unwrap();
        let count = 5_000;
        for n in 0..count {
            history_writer.put(&state, &verdict(&shop, Reason::Connected, n), false);
        }
        drop(history_writer);
        let runs = state.results(&shop, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(runs.len(), usize::try_from(count).unwrap());
    }

    #[test]
    fn what_is_not_saved_is_not_kept() {
        let state = Arc::new(StateDb::in_memory().unwrap());
        let history_writer = HistoryWriter::default();
        let shop = Name::parse("shop").unwrap();
        let mut unsaved = verdict(&shop, Reason::Connected, 0);
        unsaved.connection = None;
        history_writer.put(&state, &unsaved, false);
        drop(history_writer);
        assert!(state.standings().unwrap().is_empty());
    }
}
