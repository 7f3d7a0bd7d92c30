//! The gate before every key: the lock-out budget's rules over the state that all programs share.
//!
//! An attempt is booked and on disk before the key is sent, and counts as a rejection until it is settled:
//! a program that was killed in between has not forgotten it. What can't be booked is not sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::bookings::{self, BookingProblem};
use super::core::{Core, Inner};
use super::error::WorkError;
use crate::domain::budget::{AttemptEnd, LiftedPause, Stop, StoppedBy};
use crate::domain::{BudgetRecord, Cause, HostPort, KeyFingerprint, Secret, error_chain};
use crate::probe::budget::{self, Decision};
use crate::probe::{Gate, Permit, Ticket};
use crate::store::StateDb;

/// How often it is looked whether those of another program have.
const LOOK: Duration = Duration::from_millis(250);

/// How long the end of a program waits for answers to keys that are under way.
const LAST_ANSWERS: Duration = Duration::from_millis(700);
/// And for the disk, behind that.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// The gate of one probe, or of all that carry no key and belong together.
pub(super) struct LockoutGate {
    inner: Arc<Inner>,
    /// Where a person asked for a bisect: whose, and the number of its first attempt once there is one.
    bisect: Option<Mutex<Option<Bisected>>>,
    under_way: watch::Sender<bool>,
    caller: Caller,
}

/// Whether the caller of a probe still waits for it.
#[derive(Clone, Default)]
pub(super) struct Caller(Arc<AtomicBool>);

/// The caller waits as long as this lives.
pub(super) struct WaitingCaller(Caller);

impl Caller {
    /// Keeps the caller there until the value is dropped.
    pub(super) fn waits(&self) -> WaitingCaller {
        WaitingCaller(self.clone())
    }

    /// Goes on at once while the caller is there, and never once it has gone.
    async fn or_never(&self) {
        if self.has_gone() {
            std::future::pending::<()>().await;
        }
    }

    fn has_gone(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for WaitingCaller {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

/// The first attempt of a bisect.
#[derive(Clone)]
struct Bisected {
    host: HostPort,
    key: KeyFingerprint,
    first: u64,
    /// The host had taken the key before.
    proven: bool,
    /// Its attempts so far.
    made: usize,
    /// Whether one of its attempts was accepted: then what the host said to the others is no reason to pause.
    accepted: bool,
}

impl LockoutGate {
    /// A gate over the state of `inner`; `bisect` lets up to four requests through that a person asked for.
    pub(super) fn new(inner: Arc<Inner>, bisect: bool) -> Self {
        Self {
            inner,
            bisect: bisect.then(Mutex::default),
            under_way: watch::Sender::new(false),
            caller: Caller::default(),
        }
    }

    /// Whether an attempt is booked and not settled.
    pub(super) fn under_way(&self) -> watch::Receiver<bool> {
        self.under_way.subscribe()
    }

    /// Whether somebody waits for the probe: once nobody does, no further key is sent.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Ends a bisect: a key that none of its attempts got accepted is paused; one that the host had taken before, or
    /// that nothing speaks against as all is well, where it was refused alone.
    pub(super) async fn end(&self, is_up: bool) {
        if let Some(bisected) = self.bisected().filter(|bisected| !bisected.accepted) {
            let Bisected {
                host,
                key,
                first,
                proven,
                ..
            } = bisected;
            let spares = is_up || proven;
            self.write(host, move |record| {
                if spares {
                    budget::end_bisect(record, &key, first, Timestamp::now());
                } else {
                    budget::pause_key(record, &key, Timestamp::now());
                }
            })
            .await;
        }
    }

    /// Remembers that an attempt of the bisect was accepted.
    fn note_accepted(&self) {
        let Some(bisect) = &self.bisect else { return };
        let mut bisect = bisect.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bisected) = bisect.as_mut() {
            bisected.accepted = true;
        }
    }

    fn bisected(&self) -> Option<Bisected> {
        let bisect = self.bisect.as_ref()?;
        bisect
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks the budget once, and has the answer on disk.
    async fn ask(
        &self,
        host: &HostPort,
        (username, key): (&str, &Secret),
        proven: bool,
    ) -> Result<(Decision, KeyFingerprint), BookingProblem> {
        let bisect = self
            .bisect
            .as_ref()
            .map(|_| self.bisected().map_or(0, |it| it.made));
        let (username, key) = (username.to_owned(), key.clone());
        bookings::update(&self.inner, host.clone(), move |state, record| {
            let key = state.fingerprint(&username, &key);
            let now = Timestamp::now();
            let decision = match bisect {
                Some(made) => budget::book_bisect(record, &key, made, now),
                None => budget::book(record, &key, now),
            };
            if let Decision::Granted(number) = decision
                && proven
            {
                budget::mark_proven(record, number);
            }
            (decision, key)
        })
        .await
    }

    fn granted(&self, host: &HostPort, key: KeyFingerprint, proven: bool, number: u64) -> Permit {
        if let Some(bisect) = &self.bisect {
            let mut bisect = bisect.lock().unwrap_or_else(PoisonError::into_inner);
            let bisected = bisect.get_or_insert_with(|| Bisected {
                host: host.clone(),
                key,
                first: number,
                proven,
                made: 0,
                accepted: false,
            });
            bisected.made += 1;
        }
        Permit::Granted(Ticket {
            host: host.clone(),
            number,
        })
    }

    /// Changes a host's record. Where that fails the attempt stays booked as pending, the safe side.
    async fn write(&self, host: HostPort, change: impl FnOnce(&mut BudgetRecord) + Send + 'static) {
        let change = |_: &StateDb, record: &mut BudgetRecord| change(record);
        if let Err(problem) = bookings::update(&self.inner, host, change).await {
            tracing::warn!(problem = %error_chain(&problem), "the lock-out budget was not written");
        }
    }
}

impl Gate for LockoutGate {
    async fn book(&self, host: &HostPort, pair: (&str, &Secret), proven: bool) -> Permit {
        self.caller.or_never().await;
        if self.inner.closing.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        // Before the budget is asked: what is booked beside the runtime can't be called back.
        self.under_way.send_replace(true);
        let permit = self.wait_for_permit(host, pair, proven).await;
        if let Permit::Granted(ticket) = &permit {
            self.inner.in_flight.begins(ticket.clone());
        } else {
            self.under_way.send_replace(false);
        }
        permit
    }

    async fn settle(&self, ticket: Ticket, end: AttemptEnd) {
        let Ticket { host, number } = ticket.clone();
        if end == AttemptEnd::Accepted {
            self.note_accepted();
        }
        self.write(host, move |record| {
            budget::settle(record, number, end, Timestamp::now());
        })
        .await;
        self.inner.in_flight.ended(&ticket);
        self.inner.lines.ended(&ticket.host);
        self.under_way.send_replace(false);
        self.inner.settled.notify_waiters();
        // The probe ends here, before it asks anything else.
        self.caller.or_never().await;
    }

    async fn quiet(&self, host: &HostPort, until: Timestamp) {
        self.write(host.clone(), move |record| {
            budget::quiet(record, until, Timestamp::now());
        })
        .await;
    }
}

/// What the budget says to one who asks.
enum Answer {
    Decided(Permit),
    /// Not while others are under way, of which the oldest counts as refused at the time.
    Busy(Timestamp, KeyFingerprint),
}

impl LockoutGate {
    /// Asks the budget until it grants or refuses; while other attempts are under way, as long as those end.
    async fn wait_for_permit(
        &self,
        host: &HostPort,
        pair: (&str, &Secret),
        proven: bool,
    ) -> Permit {
        if let Some(permit) = self.permit_in_turn(host, pair, proven).await {
            return permit;
        }
        // Nothing is booked, and nobody wants the answer any more.
        self.under_way.send_replace(false);
        std::future::pending().await
    }

    /// Nothing where nobody wants it any more.
    async fn permit_in_turn(
        &self,
        host: &HostPort,
        pair: (&str, &Secret),
        proven: bool,
    ) -> Option<Permit> {
        let since = Instant::now();
        let (mut until, key) = match self.answer(host, pair, proven).await {
            Answer::Decided(permit) => return Some(permit),
            Answer::Busy(until, key) => (until, key),
        };
        let place = self.inner.lines.join(host, &key, since);
        let mut turn = std::pin::pin!(place.head());
        let mut head = None;
        loop {
            let settled = self.inner.settled.notified();
            if self.caller.has_gone() || self.inner.closing.load(Ordering::SeqCst) {
                return None;
            }
            if head.is_some() {
                match self.answer(host, pair, proven).await {
                    Answer::Decided(permit) => return Some(permit),
                    Answer::Busy(later, _) => until = later,
                }
            }
            let (now, gives_up) = (Instant::now(), place.gives_up());
            if now >= gives_up {
                return Some(crowded(until));
            }
            tokio::select! {
                biased;
                first = &mut turn, if head.is_none() => head = first,
                () = settled, if head.is_some() => {}
                () = sleep_until(gives_up.min(now + LOOK)) => {}
            }
        }
    }

    /// Asks the budget once.
    async fn answer(&self, host: &HostPort, pair: (&str, &Secret), proven: bool) -> Answer {
        Answer::Decided(match self.ask(host, pair, proven).await {
            Err(why) => Permit::Unbooked(Cause::new(why)),
            Ok((Decision::Granted(number), key)) => self.granted(host, key, proven, number),
            Ok((Decision::Paused(stop), _)) => Permit::Paused {
                until: Some(stop.until),
                why: stop.why,
                by: stop.by,
            },
            Ok((Decision::Busy { until }, key)) => return Answer::Busy(until, key),
        })
    }
}

/// None of those that are under way has ended in time.
fn crowded(until: Timestamp) -> Permit {
    Permit::Paused {
        until: Some(until),
        why:
            "other attempts at this host are under way, whose rejection would use up what it allows"
                .to_owned(),
        by: StoppedBy::Budget,
    }
}

/// The attempts of this program that are booked and not settled.
#[derive(Default)]
pub(super) struct InFlight(Mutex<Vec<Ticket>>);

impl InFlight {
    fn attempts(&self) -> MutexGuard<'_, Vec<Ticket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.attempts().is_empty()
    }

    fn begins(&self, ticket: Ticket) {
        self.attempts().push(ticket);
    }

    fn ended(&self, ticket: &Ticket) {
        self.attempts().retain(|other| other != ticket);
    }
}

impl Core {
    /// The end of the program, or of one command: sends no further key, waits a moment for answers to those that are
    /// under way, and settles what has none by then. Left as they are they would count as refusals, or for some time
    /// as under way, even of keys that the host takes: nobody shall lose one by quitting.
    pub async fn end_attempts(&self) {
        self.0.closing.store(true, Ordering::SeqCst);
        // The disk may hang, too.
        let settled = self.settle_attempts(LAST_ANSWERS);
        let _ = tokio::time::timeout(LAST_ANSWERS + LAST_WRITES, settled).await;
    }

    pub(super) async fn settle_attempts(&self, patience: Duration) {
        let answered = async {
            loop {
                let settled = self.0.settled.notified();
                if self.0.in_flight.attempts().is_empty() {
                    break;
                }
                settled.await;
            }
        };
        let _ = tokio::time::timeout(patience, answered).await;
        let left = std::mem::take(&mut *self.0.in_flight.attempts());
        let settled = left.into_iter().map(|Ticket { host, number }| {
            bookings::update(
                &self.0,
                host,
                move |_: &StateDb, record: &mut BudgetRecord| {
                    budget::settle(record, number, AttemptEnd::Unheard, Timestamp::now());
                },
            )
        });
        // All of them go to disk in one step.
        for written in futures_util::future::join_all(settled).await {
            if let Err(problem) = written {
                tracing::warn!(problem = %error_chain(&problem), "the lock-out budget was not written");
            }
        }
    }
}

/// Why and until when this pair is not sent to `host`, as far as is known now. Blocks.
pub(super) fn paused(state: &StateDb, host: &HostPort, pair: &KeyFingerprint) -> Option<Stop> {
    let record = state.budget(host).ok()?;
    budget::paused(&record, pair, Timestamp::now())
}

/// How many refusals of this pair there may be at `host` before it is paused, as far as is known now. Blocks.
pub(super) fn refusals_left(
    state: &StateDb,
    host: &HostPort,
    pair: &KeyFingerprint,
) -> Option<usize> {
    let record = state.budget(host).ok()?;
    Some(budget::refusals_left(&record, pair, Timestamp::now()))
}

/// Until when `host` asked for quiet, which no person lifts. Blocks.
pub(super) fn quiet_until(state: &StateDb, host: &HostPort) -> Option<Timestamp> {
    let record = state.budget(host).ok()?;
    budget::quiet_until(&record, Timestamp::now())
}

/// Lifts the pauses of `key` at `host`, and of all keys there. Blocks.
pub(super) fn resume(
    state: &StateDb,
    host: &HostPort,
    key: &KeyFingerprint,
) -> Result<Option<LiftedPause>, WorkError> {
    state
        .update_budget(host, |record| budget::resume(record, key, Timestamp::now()))
        .map_err(|problem| WorkError::failed("lifting the pause", problem))
}
