//! Who asks whether the service is there, where nobody knows: of several probes that would ask one URL at once, the
//! first alone. That call is a refusal by its nature, and a host that counts thirty of them at once bans.
//!
//! The others go by what it finds. Where it does not find the service, each asks for itself, at once with the others: no
//! host that is silent makes them wait for one another. One that is left half-way leaves the question to the next.
//!
//! A service that is there through its fallback alone (`/index.php`) tells them nothing: a key would go first to where it
//! is not.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::core::{Core, Inner};
use super::job::Prepared;
use crate::domain::{CheckId, Checks, State};
use crate::store::state::PlaceFingerprint;

/// The places that are asked now.
#[derive(Default)]
pub(super) struct Recognising(Mutex<HashMap<PlaceFingerprint, watch::Receiver<Found>>>);

/// What the first one has found so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    NotYet,
    Service,
    SomethingElse,
}

/// Whose turn it is.
pub(super) enum Turn {
    /// The caller's: others wait as long as the value lives and has not told them.
    First(FirstAsker),
    /// Nobody's: another one has just recognised the service there.
    Recognised,
    /// Everybody's: another one has asked, and did not find the service.
    Each,
}

/// Who asks first. Dropped without a word, the next one is first.
pub(super) struct FirstAsker {
    inner: Arc<Inner>,
    place: PlaceFingerprint,
    found: watch::Sender<Found>,
    /// How often the rungs were told of.
    told: AtomicUsize,
}

impl FirstAsker {
    /// Takes in what the rungs found so far, told before each request: after the first one, the service is known to be
    /// at the very URL. A later one may have gone through its fallback.
    pub(super) fn hears(&self, checks: &Checks) {
        let requests = self.told.fetch_add(1, Ordering::Relaxed);
        if requests == 1 && checks.get(CheckId::Service).state == State::Ok {
            self.recognised();
        }
    }

    /// The service is there.
    fn recognised(&self) {
        self.found.send_replace(Found::Service);
    }

    /// It has asked, and nothing more comes of it: whether the service is at the very URL.
    pub(super) fn has_asked(&self, is_there: bool) {
        if is_there {
            self.recognised();
        }
        self.found.send_if_modified(|found| {
            let is_open = *found == Found::NotYet;
            if is_open {
                *found = Found::SomethingElse;
            }
            is_open
        });
    }
}

impl Drop for FirstAsker {
    fn drop(&mut self) {
        self.inner.recognising.places().remove(&self.place);
    }
}

impl Recognising {
    fn places(&self) -> MutexGuard<'_, HashMap<PlaceFingerprint, watch::Receiver<Found>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Where nobody has recognised the service yet, waits for its turn to ask: the others go by the first one's answer.
    pub(super) async fn first_asker(&self, prepared: &mut Prepared) -> Option<FirstAsker> {
        let place = prepared.unrecognised.take()?;
        let (begun, time) = (Instant::now(), prepared.profile.timeout);
        let turn = turn(&self.0, &place, time).await;
        // Of the probe's own time, as the call would have been: whoever waits for it has no more.
        Arc::make_mut(&mut prepared.profile).timeout = time.saturating_sub(begun.elapsed());
        match turn {
            Turn::First(first) => {
                // The last one may have ended between the look at the state and now.
                let looked = self.blocking(move |inner| {
                    let known = inner.state()?.is_recognised(&place);
                    Ok(known.unwrap_or(false))
                });
                if !looked.await.unwrap_or(false) {
                    return Some(first);
                }
                first.recognised();
                prepared.subject.past.service_seen = true;
                None
            }
            Turn::Recognised => {
                prepared.subject.past.service_seen = true;
                None
            }
            Turn::Each => None,
        }
    }
}

/// Waits until it is known whether the caller is to ask `place`: for half of the `time` that its probe has, and where
/// that is over, it asks as well.
pub(super) async fn turn(inner: &Arc<Inner>, place: &PlaceFingerprint, time: Duration) -> Turn {
    let turn = tokio::time::timeout(time / 2, until_known(inner, place)).await;
    turn.unwrap_or(Turn::Each)
}

async fn until_known(inner: &Arc<Inner>, place: &PlaceFingerprint) -> Turn {
    loop {
        let mut asked = match inner.recognising.places().entry(place.clone()) {
            Entry::Occupied(asked) => asked.get().clone(),
            Entry::Vacant(free) => {
                let (found, asked) = watch::channel(Found::NotYet);
                free.insert(asked);
                return Turn::First(FirstAsker {
                    inner: Arc::clone(inner),
                    place: place.clone(),
                    found,
                    told: AtomicUsize::new(0),
                });
            }
        };
        let found = asked.wait_for(|found| *found != Found::NotYet).await;
        match found.map(|found| *found) {
            Ok(Found::Service) => return Turn::Recognised,
            Ok(Found::SomethingElse) => return Turn::Each,
            Ok(Found::NotYet) | Err(_) => {}
        }
    }
}
