//! Events, and what raises the bell and the terminal's notification because of them.

use jiff::{SignedDuration, Timestamp};

use crate::app::effect::{Effect, TerminalEffect};
use crate::app::model::Model;
use crate::domain::text::inert;
use crate::domain::{Name, Reason, State};

/// Events that are kept.
const MOST: usize = 500;
/// Changes that come within this time are one notice: a fleet that fails as one rings once.
const GATHERED: SignedDuration = SignedDuration::from_millis(1_500);
/// Names in one notice.
const NAMED: usize = 3;

/// A line of the event pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardEvent {
    /// When it was found.
    pub at: Timestamp,
    /// What it is.
    pub what: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A connection changed, after damping.
    Change {
        /// Which.
        name: Name,
        /// What was announced before.
        from: Option<State>,
        /// What it is now.
        to: State,
        /// Why.
        reason: Reason,
        /// The same in the words of its service.
        title: String,
    },
    /// This machine seems to be offline.
    Offline,
    /// No longer.
    Online,
}

impl Model {
    pub(super) fn changed(&mut self, event: BoardEvent) {
        if let EventKind::Change { name, to, .. } = &event.what
            && (self.board.settings.bell || self.board.settings.notify)
        {
            self.board.pending.retain(|(other, _)| other != name);
            self.board.pending.push((name.clone(), *to));
            if self.board.notify_at.is_none() {
                self.board.notify_at = self.now.checked_add(GATHERED).ok();
            }
        }
        self.push_event(event);
    }

    pub(super) fn offline(&mut self, offline: bool) {
        self.board.offline = offline;
        let what = if offline {
            EventKind::Offline
        } else {
            EventKind::Online
        };
        self.push_event(BoardEvent { at: self.now, what });
        self.say(if offline {
            "this machine seems to be offline"
        } else {
            "this machine is online again"
        });
    }

    fn push_event(&mut self, event: BoardEvent) {
        if self.board.events.len() >= MOST {
            self.board.events.pop_front();
        }
        self.board.events.push_back(event);
    }

    /// Raises the notice whose time has come.
    pub(in crate::app) fn notify_where_due(&mut self, out: &mut Vec<Effect>) {
        if self.board.notify_at.is_none_or(|at| at > self.now) {
            return;
        }
        self.board.notify_at = None;
        let pending = std::mem::take(&mut self.board.pending);
        if pending.is_empty() {
            return;
        }
        if self.board.settings.bell {
            out.push(Effect::Terminal(TerminalEffect::Bell));
        }
        if self.board.settings.notify {
            let text = self.notice_of(&pending);
            out.push(Effect::Terminal(TerminalEffect::Notify(text)));
        }
    }

    /// Names and words alone; in the war-room pseudonyms. A notification outlives the screen.
    fn notice_of(&self, pending: &[(Name, State)]) -> String {
        let said = pending.iter().take(NAMED).map(|(name, state)| {
            let name = self.shown_name(name);
            let is = match state {
                State::Ok => "is up",
                State::Warn => "needs a check",
                State::Down => "is down",
                State::Unknown => "is unknown",
            };
            format!("{name} {is}")
        });
        let mut text = said.collect::<Vec<_>>().join(", ");
        if let Some(more @ 1..) = pending.len().checked_sub(NAMED) {
            text = format!("{text}, and {more} more");
        }
        inert(&text, 200)
    }
}
