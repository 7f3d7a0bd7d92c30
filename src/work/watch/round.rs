//! One watched connection: where it is in its round, and what a probe of it is worth telling.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id};

use crate::domain::{Connection, HostPort, Reason, Verdict};
use crate::work::damping::{Change, Damping};
use crate::work::local::{DEFECT, local_error};

/// One watched connection.
pub(super) struct ScheduledProbe {
    pub(super) connection: Arc<Connection>,
    /// Absent where the URL can't be asked, and for this machine: such hosts say nothing about the network.
    pub(super) distant: Option<HostPort>,
    pub(super) queue: HostPort,
    pub(super) interval: Duration,
    pub(super) turn: RoundState,
    pub(super) damping: Damping,
}

/// Where an entry is in its round.
pub(super) enum RoundState {
    /// Waits for its time.
    Scheduled,
    /// Its time has come; waits for room at its host or at all.
    Queued,
    /// Its probe runs since then, as the schedule counts time.
    Running(AbortHandle, Duration),
}

/// What a finished probe is worth, as far as announcements go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// As any.
    Usual,
    /// It can't be repeated at the interval.
    Alone,
    /// The failure may be this machine's own: that is being found out.
    Doubtful,
    /// It says nothing of the host: this machine is offline.
    Nothing,
}

impl ScheduledProbe {
    /// Since when the task runs that is the probe of this entry; nothing where it was replaced meanwhile.
    pub(super) fn runs_since(&self, id: Id) -> Option<Duration> {
        match &self.turn {
            RoundState::Running(task, began) if task.id() == id => Some(*began),
            RoundState::Running(..) | RoundState::Scheduled | RoundState::Queued => None,
        }
    }

    /// What is to be announced because of a probe, and whether it stands so for another reason.
    pub(super) fn hear(&mut self, reason: Reason, weight: Weight) -> (Option<Change>, bool) {
        let change = match weight {
            Weight::Usual => self.damping.hear(reason.state()),
            Weight::Alone => self.damping.hear_alone(reason.state()),
            Weight::Doubtful => {
                self.damping.hear_doubtful(reason.state());
                return (None, false);
            }
            Weight::Nothing => {
                self.damping.interrupt();
                return (None, false);
            }
        };
        (change, self.damping.hear_reason(reason, change.is_some()))
    }

    /// The verdict of a probe that panicked.
    pub(super) fn broken(&self) -> Verdict {
        let Connection {
            name, service, url, ..
        } = &*self.connection;
        local_error(Some(name), service, url, DEFECT)
    }
}
