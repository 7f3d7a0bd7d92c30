//! Who waits for leave to send a key, where the attempts under way at its host would use up the budget if they were
//! refused: those of one key one behind the other, in the order in which they came.
//!
//! All of a batch would else ask the budget, on disk, whenever one attempt has ended. And each waits as long as attempts
//! there do end: a batch may be long, and the host is none the worse for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::domain::{HostPort, KeyFingerprint};

/// How long is waited where none of the attempts at a host ends: as long as a request on a slow host may take that
/// somebody typed on over.
pub(super) const PATIENCE: Duration = Duration::from_secs(7);

/// The lines before all hosts. A host that nobody waits for has none.
#[derive(Default)]
pub(super) struct Lines(Mutex<HashMap<HostPort, HostLines>>);

#[derive(Default)]
struct HostLines {
    waiting: usize,
    /// When last an attempt of this program has ended there.
    ended: Option<Instant>,
    heads: HashMap<KeyFingerprint, Arc<Semaphore>>,
}

/// A place in a line; given up when it is dropped.
pub(super) struct Place<'a> {
    lines: &'a Lines,
    host: HostPort,
    since: Instant,
    head: Arc<Semaphore>,
}

impl Lines {
    fn hosts(&self) -> MutexGuard<'_, HashMap<HostPort, HostLines>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the line of `key` before `host`, for whoever has waited `since` then.
    pub(super) fn join(&self, host: &HostPort, key: &KeyFingerprint, since: Instant) -> Place<'_> {
        let mut hosts = self.hosts();
        let of_host = hosts.entry(host.clone()).or_default();
        of_host.waiting += 1;
        let head = of_host.heads.entry(key.clone());
        let head = head.or_insert_with(|| Arc::new(Semaphore::new(1)));
        Place {
            lines: self,
            host: host.clone(),
            since,
            head: Arc::clone(head),
        }
    }

    /// An attempt at `host` has ended.
    pub(super) fn ended(&self, host: &HostPort) {
        if let Some(of_host) = self.hosts().get_mut(host) {
            of_host.ended = Some(Instant::now());
        }
    }
}

impl Place<'_> {
    /// Whoever holds it is the first of the line. (A semaphore that nobody closes always gives it.)
    pub(super) async fn head(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.head).acquire_owned().await.ok()
    }

    /// When there is no more to be waited for, unless another attempt ends before.
    pub(super) fn gives_up(&self) -> Instant {
        let ended = self.lines.hosts().get(&self.host).and_then(|it| it.ended);
        ended.map_or(self.since, |ended| ended.max(self.since)) + PATIENCE
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut hosts = self.lines.hosts();
        if let Some(of_host) = hosts.get_mut(&self.host) {
            of_host.waiting -= 1;
            if of_host.waiting == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_are_of_a_key_and_a_host_and_go_with_the_last_who_waits() {
        let lines = Lines::default();
        let host = |name: &str| HostPort {
            host: name.to_owned(),
            port: 443,
        };
        let key = |name: &str| KeyFingerprint(name.to_owned());
        let begun = Instant::now();
        let join = |at: &str, of: &str| lines.join(&host(at), &key(of), begun);
        let places = [
            join("a", "k"),
            join("a", "k"),
            join("a", "l"),
            join("b", "k"),
        ];
        let first = |place: &Place<'_>| place.head().now_or_never().flatten();
        let held = places.each_ref().map(first);
        assert_eq!(
            held.each_ref().map(Option::is_some),
            [true, false, true, true]
        );
        tokio::time::advance(PATIENCE / 2).await;
        lines.ended(&host("a"));
        lines.ended(&host("c"));
        let now = Instant::now();
        let gives_up = places.each_ref().map(Place::gives_up);
        let (later, sooner) = (now + PATIENCE, begun + PATIENCE);
        assert_eq!(gives_up, [later, later, later, sooner]);
        drop(held);
        assert!(first(&places[1]).is_some(), "the next one's");
        drop(places);
        assert!(lines.hosts().is_empty());
        assert_eq!(join("a", "k").gives_up(), begun + PATIENCE);
    }
}
