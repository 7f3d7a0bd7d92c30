//! Climbing the ladder: who may leave it half-way, and when.
//!
//! A probe whose caller has gone (a newer one, a closed form) ends at once, but for one case: a request that
//! carries a key is heard out, as long as the probe's own time lasts. It has reached the host, which counts
//! it, and closing the connection would not take it back: it would only leave open whether it was refused,
//! and then it had to count as a rejection. Two of those, on a host that takes some seconds, would pause a
//! good key while its owner simply types on. So a climb with a key runs as a task of the core and ends
//! between two requests; its late answer settles the budget, and changes nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::core::{Core, Inner};
use super::gate::{self, LockoutGate};
use super::job::{Prepared, ProbeFindings, host_of};
use super::local::{DEFECT, local_error};
use super::probing::Progress;
use crate::domain::budget::StoppedBy;
use crate::domain::{Checks, Name, Reason, ServiceId, State, Verdict, error_chain};
use crate::service::{Ladder, SecretState, Subject, Trigger, verify};
use crate::store::stack::Wiping;

/// Tasks of the core whose callers may have gone. They end by themselves, as each has its time.
#[derive(Default)]
pub(super) struct DetachedTasks(Mutex<JoinSet<()>>);

impl DetachedTasks {
    pub(super) fn spawn(&self, climb: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(Wiping::new(climb));
    }

    /// Whether one of them runs.
    pub(super) fn is_busy(&self) -> bool {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        !tasks.is_empty()
    }

    /// Waits for those that run now. Where that is given up they are ended.
    pub(super) async fn settle(&self) {
        let mut tasks = {
            let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        while tasks.join_next().await.is_some() {}
    }
}

impl Core {
    /// Climbs the ladder. Dropping the future ends the climb, at the latest after the answer to a request
    /// that carries a key, which the probe's own time bounds.
    pub(super) async fn climb(
        &self,
        prepared: Box<Prepared>,
        progress: Progress<'_>,
    ) -> (Verdict, ProbeFindings) {
        let bisect = prepared.subject.trigger == Trigger::Bisect;
        let gate = LockoutGate::new(Arc::clone(&self.0), bisect);
        let ended = self.climb_under(prepared, gate, progress).await;
        log(&ended.0);
        ended
    }

    async fn climb_under(
        &self,
        prepared: Box<Prepared>,
        gate: LockoutGate,
        progress: Progress<'_>,
    ) -> (Verdict, ProbeFindings) {
        if matches!(prepared.subject.key, SecretState::Present(_)) {
            self.climb_detached(prepared, gate, progress).await
        } else if matches!(prepared.subject.token, SecretState::Present(_)) {
            Wiping::new(run(&self.0, prepared, &gate, progress)).await
        } else {
            run(&self.0, prepared, &gate, progress).await
        }
    }

    async fn climb_detached(
        &self,
        prepared: Box<Prepared>,
        gate: LockoutGate,
        progress: Progress<'_>,
    ) -> (Verdict, ProbeFindings) {
        let whose = Owner::of(&prepared.subject);
        let (told, mut heard) = mpsc::unbounded_channel();
        let (mut answer, mut answered) = oneshot::channel();
        let inner = Arc::clone(&self.0);
        let _waiting = gate.caller().waits();
        self.0.detached.spawn(async move {
            let tell = move |checks: &Checks| {
                // Whoever has gone does not listen.
                let _ = told.send(checks.clone());
            };
            let under_way = gate.under_way();
            let ended = tokio::select! {
                biased;
                ended = run(&inner, prepared, &gate, &tell) => Some(ended),
                () = abandoned(&mut answer, under_way) => None,
            };
            let is_up = ended
                .as_ref()
                .is_some_and(|(verdict, _)| verdict.state() == State::Ok);
            gate.end(is_up).await;
            if let Some(ended) = ended {
                let _ = answer.send(ended);
            }
        });
        loop {
            tokio::select! {
                biased;
                Some(checks) = heard.recv() => progress(&checks),
                ended = &mut answered => {
                    let (mut verdict, found) =
                        ended.unwrap_or_else(|_| (whose.broken(), ProbeFindings::default()));
                    self.tell_pause(&mut verdict, &found).await;
                    return (verdict, found);
                }
            }
        }
    }

    /// What a refusal means for the next one: that the key is paused now, or that it will be.
    async fn tell_pause(&self, verdict: &mut Verdict, found: &ProbeFindings) {
        // A 401 that a cache had kept is no refusal of the key, and counts for a while.
        let refused = match verdict.reason {
            Reason::CredentialsRejected => true,
            Reason::UnexpectedStatus => verdict.status == 401,
            _ => false,
        };
        let refused = refused && verdict.retry_at.is_none();
        let (Some(host), Some((username, key))) = (host_of(&verdict.url), &found.pair) else {
            return;
        };
        if !refused {
            return;
        }
        let (name, username, key) = (host.host.clone(), username.clone(), key.clone());
        let looked = self.blocking(move |inner| {
            let state = inner.state()?;
            let pair = state.fingerprint(&username, &key);
            let stop = gate::paused(&state, &host, &pair);
            Ok((stop, gate::refusals_left(&state, &host, &pair)))
        });
        match looked.await {
            Ok((Some(stop), _)) if stop.by != StoppedBy::Host => {
                verdict.retry_at = Some(stop.until);
                verdict.evidence.push(stop.why);
            }
            Ok((None, Some(1))) if verdict.reason == Reason::CredentialsRejected => verdict.evidence.push(format!(
                "after one more refusal this key is not sent for 15 minutes, so that {name} does not ban this machine"
            )),
            Ok(_) => {}
            Err(problem) => tracing::warn!(problem = %error_chain(&problem), "the lock-out budget was not read"),
        }
    }
}

/// Writes down what a probe ended in.
pub(super) fn log(verdict: &Verdict) {
    tracing::info!(
        connection = verdict.connection.as_ref().map(Name::as_str),
        url = verdict.url,
        reason = verdict.reason.id(),
        status = verdict.status,
        cause = verdict.cause,
        "probed"
    );
}

/// Waits until nobody waits for the answer any more and no key is under way.
pub(super) async fn abandoned<T>(
    answer: &mut oneshot::Sender<T>,
    mut under_way: watch::Receiver<bool>,
) {
    answer.closed().await;
    // The gate lives as long as the climb, so it can't be gone.
    let _ = under_way.wait_for(|under_way| !under_way).await;
}

/// Runs the ladder to its end.
async fn run(
    inner: &Inner,
    prepared: Box<Prepared>,
    gate: &LockoutGate,
    progress: Progress<'_>,
) -> (Verdict, ProbeFindings) {
    let Prepared {
        service,
        subject,
        profile,
        token_only,
        folder: _folder,
        known: _,
        unrecognised: _,
    } = *prepared;
    let begin = if token_only {
        verify::begin
    } else {
        Ladder::begin
    };
    let (ladder, first) = begin(&service, subject, Timestamp::now());
    // As it is sent: the ladder splits a pasted pair.
    let pair = ladder.pair();
    let pair = pair.map(|(username, key)| (username.to_owned(), key.clone()));
    let mut tell = |checks: &Checks| progress(checks);
    let climb = inner
        .prober
        .run_begun((ladder, first), &profile, gate, &mut tell)
        .await;
    let found = ProbeFindings {
        pair,
        service_seen: climb.service_seen,
        through_index: climb.through_index,
        accepted: climb.accepted,
        last_good: climb.last_good,
    };
    (*climb.verdict, found)
}

/// Whose climb it is, for the verdict where it broke.
struct Owner {
    connection: Option<Name>,
    service: ServiceId,
    url: String,
}

impl Owner {
    fn of(subject: &Subject) -> Self {
        Self {
            connection: subject.connection.clone(),
            service: subject.service.clone(),
            url: subject.url.clone(),
        }
    }

    fn broken(&self) -> Verdict {
        local_error(self.connection.as_ref(), &self.service, &self.url, DEFECT)
    }
}
