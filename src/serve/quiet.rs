//! Hosts that asked for quiet: until that is over they are not asked again, and whoever scrapes gets what was found last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::Probed;
use crate::domain::{Connection, Name};

/// What was found last, by connection, where the host asked for quiet then.
#[derive(Debug, Default)]
pub(super) struct QuietHosts(Mutex<HashMap<Name, (Connection, Probed)>>);

impl QuietHosts {
    /// What was found last of the connection as it is now, where its host is not to be asked again yet.
    pub(super) fn last(&self, connection: &Connection, now: Timestamp) -> Option<Probed> {
        let found = self.found();
        let (as_asked, last) = found.get(&connection.name)?;
        let holds = as_asked == connection && last.verdict.quiet_for(now).is_some();
        holds.then(|| last.clone())
    }

    /// Keeps what was found where the host asked for quiet, and nothing from before.
    pub(super) fn note(&self, connection: &Connection, probed: &Probed, now: Timestamp) {
        let mut found = self.found();
        let is_quiet = |probed: &Probed| probed.verdict.quiet_for(now).is_some();
        // Also of connections that are gone by now.
        found.retain(|name, (_, last)| *name != connection.name && is_quiet(last));
        if is_quiet(probed) {
            let last = (connection.clone(), probed.clone());
            found.insert(connection.name.clone(), last);
        }
    }

    fn found(&self) -> MutexGuard<'_, HashMap<Name, (Connection, Probed)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
