//! What the screen and its loop ask of the model: what is shown, who has the keys, when to wake.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::disguise::{self, Disguise};
use super::entries::Entries;
use super::handles;
use super::keymap::Keymap;
use super::list::List;
use super::model::{Form, ListedConnection, LoadState, Lock, Model, Overlay, Pane, ProbeState};
use super::notice::{About, Notice};
use super::watching::Board;
use crate::domain::{HandleSlot, Name, SecretRef, Verdict};
use crate::service::Catalog;

/// Columns and rows of the smallest screen; below there is one line that says so.
pub const LEAST: (u16, u16) = (20, 5);

impl Model {
    /// An empty screen of `size` columns and rows, at `now`. [`Model::start`] says what to do first.
    pub fn new(size: (u16, u16), now: Timestamp) -> Self {
        Self {
            catalog: Catalog::embedded(),
            ..Self::opening(size, now)
        }
    }

    /// The same before any service is known: reading them would be most of the time until something is seen.
    /// They come with the configuration, or when that can't be read.
    pub fn opening(size: (u16, u16), now: Timestamp) -> Self {
        Self {
            size,
            now,
            entries: Entries::default(),
            list: List::default(),
            focus: Pane::List,
            zoomed: false,
            form: None,
            token_row: 0,
            token_lost: false,
            dates: HashMap::new(),
            response_scroll: 0,
            last_line: None,
            revealed: None,
            notice: None,
            copied: None,
            overlay: None,
            watching: false,
            lock: Lock::Open,
            opens_first: false,
            war_room: false,
            mouse: false,
            loaded: LoadState::Loading,
            begun: false,
            banner: Vec::new(),
            clipboard_clear_s: 20,
            keymap: Keymap::default(),
            warnings: Vec::new(),
            catalog: Catalog::default(),
            disguise: Disguise::default(),
            lock_after_min: 0,
            reduce_motion: false,
            last_input: now,
            overlay_since: now,
            yes_from: None,
            questions: 0,
            answered: None,
            removing: None,
            waiting: None,
            adding: None,
            next_form: None,
            tokens: super::tokens::TokensPane::default(),
            board: Board::default(),
            generation: 0,
        }
    }

    /// The selected connection and what is known of it.
    pub fn selected_entry(&self) -> Option<&ListedConnection> {
        self.entries.get(self.list.selected.as_ref()?)
    }

    /// The name of the connection that a key means: that of the form while it is shown, else the selected one.
    pub(in crate::app) fn meant_connection(&self) -> Result<&Name, &'static str> {
        match self.visible_form().map(|form| form.editing.as_ref()) {
            Some(Some(edited)) => Ok(edited),
            Some(None) => Err("save the connection first"),
            None => self
                .list
                .selected
                .as_ref()
                .ok_or("no connection is selected"),
        }
    }

    /// The form, unless it is kept aside while another connection is looked at, or in the war-room; nothing while the
    /// table stands in its place.
    pub fn visible_form(&self) -> Option<&Form> {
        let form = self.form.as_ref();
        form.filter(|form| !form.parked && !self.board.is_open())
    }

    /// The verdict of the response pane: the draft's while its form is shown, else the selected
    /// connection's.
    pub fn shown_verdict(&self) -> Option<&Verdict> {
        match self.visible_form() {
            Some(form) => form.verdict.as_deref(),
            None => self.selected_entry()?.verdict.as_deref(),
        }
    }

    /// What the probe behind the response pane is doing.
    pub fn shown_probe(&self) -> Option<&ProbeState> {
        match self.visible_form() {
            Some(form) => Some(&form.probe),
            None => Some(&self.selected_entry()?.probe),
        }
    }

    /// The connection and the handle that reveal and copy mean (none while a new one is entered): the
    /// selected row of the tokens pane where
    /// that has the keys, else the key.
    pub fn selected_handle(&self) -> Option<(Name, HandleSlot)> {
        let entry = match self.visible_form() {
            Some(form) => self.entries.get(form.editing.as_ref()?)?,
            None => self.selected_entry()?,
        };
        let rows = handles::rows(&entry.connection);
        let row = if self.focus == Pane::Tokens {
            rows.get(self.token_row).filter(|_| !self.token_lost)
        } else {
            rows.first()
        };
        Some((entry.connection.name.clone(), row?.slot.clone()))
    }

    /// Whether the next key or paste goes into a secret field: the loop then makes it a
    /// [`super::SecretInput`].
    pub fn takes_secret(&self) -> bool {
        match &self.overlay {
            Some(Overlay::Passphrase(_)) => true,
            Some(Overlay::AddToken(dialog)) => dialog.on_value,
            Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Confirm(_)
                | Overlay::ChooseStore { .. }
                | Overlay::CopyAs { .. }
                | Overlay::SharedToken(_)
                | Overlay::Watching(_),
            ) => false,
            None => {
                self.focus == Pane::Form
                    && self.tokens.sheets.is_empty()
                    && !self.list.filtering
                    && self
                        .visible_form()
                        .is_some_and(|form| form.focused().is_secret())
            }
        }
    }

    /// When `update` must hear [`super::Message::Woke`], if ever. Nothing moves before that.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let form = self.form.as_ref();
        [
            // What lies over the form holds its test back: nobody is woken to find that out.
            form.and_then(|form| form.due)
                .filter(|_| self.overlay.is_none()),
            form.and_then(|form| form.shown).map(|shown| shown.until),
            self.revealed
                .as_ref()
                .map(|revealed| self.next_step(revealed.until)),
            self.notice.as_ref().map(|notice| notice.until),
            self.copied
                .as_ref()
                .and_then(|copied| copied.clears_at)
                .map(|clears_at| self.next_step(clears_at)),
            self.idle_lock_at(),
            self.board.next_wake(),
            self.tokens.next_wake(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether something moves on the screen: a probe that is shown, a passphrase being checked.
    pub fn animating(&self) -> bool {
        if self.reduce_motion {
            return false;
        }
        let moves = |probe: &ProbeState| *probe != ProbeState::Idle;
        self.tokens.animating()
            || self.visible_form().is_some_and(|form| moves(&form.probe))
            || matches!(&self.overlay, Some(Overlay::Passphrase(dialog)) if dialog.busy)
            || self
                .selected_entry()
                .is_some_and(|entry| moves(&entry.probe))
            || self
                .names_in_sight()
                .filter_map(|name| self.entries.get(name))
                .any(|entry| moves(&entry.probe))
    }

    /// Seconds from one value of a countdown to the next: with less motion five.
    pub const fn countdown_step(&self) -> i64 {
        if self.reduce_motion { 5 } else { 1 }
    }

    fn next_step(&self, end: Timestamp) -> Timestamp {
        next_step(self.now, end, self.countdown_step())
    }

    /// Whether what was typed and not saved was forgotten, and nobody has pressed a key since for as long as locks it.
    pub(super) fn has_lost_while_away(&self) -> bool {
        let lost = self.lock
            == Lock::Shut {
                typed_was_lost: true,
            };
        let idle = SignedDuration::from_mins(i64::from(self.lock_after_min));
        lost && self.lock_after_min > 0 && self.now.duration_since(self.last_input) >= idle
    }

    /// When the secrets are locked for want of input.
    pub(super) fn idle_lock_at(&self) -> Option<Timestamp> {
        let is_forgotten = matches!(self.lock, Lock::Shut { .. }) && !self.holds_typed_secret();
        if is_forgotten || self.lock_after_min == 0 {
            return None;
        }
        let idle = SignedDuration::from_mins(i64::from(self.lock_after_min));
        self.last_input.checked_add(idle).ok()
    }

    /// The name as it is shown: a pseudonym in the war-room.
    pub fn shown_name(&self, name: &Name) -> String {
        if self.war_room {
            self.disguise.name(name)
        } else {
            name.to_string()
        }
    }

    /// The URL as it is shown.
    pub fn shown_url(&self, url: &str) -> String {
        if self.war_room {
            self.disguise.url(url)
        } else {
            url.to_owned()
        }
    }

    /// The host as it is shown.
    pub fn shown_host(&self, host: &str) -> String {
        if self.war_room {
            self.disguise.host(host)
        } else {
            host.to_owned()
        }
    }

    /// The username as it is shown.
    pub fn shown_user(&self, user: &str) -> String {
        if self.war_room {
            self.disguise.user(user)
        } else {
            user.to_owned()
        }
    }

    /// A company, an account or an id as it is shown.
    pub fn shown_id(&self, id: &str) -> String {
        if self.war_room {
            self.disguise.id(id)
        } else {
            id.to_owned()
        }
    }

    /// Why `verdict` of the selected connection is what it is, as it is shown.
    pub fn shown_cause(&self, verdict: &Verdict) -> String {
        match self.selected_entry() {
            Some(entry) if self.war_room => self.disguise.cause(&entry.connection, verdict),
            Some(_) | None => self.shown_failure(&verdict.cause),
        }
    }

    /// What `verdict` of the selected connection was found by, as it is shown.
    pub fn shown_evidence(&self, verdict: &Verdict) -> Vec<String> {
        match self.selected_entry() {
            Some(entry) if self.war_room => self.disguise.evidence(&entry.connection, verdict),
            None if self.war_room => Vec::new(),
            Some(_) | None => verdict.evidence.clone(),
        }
    }

    /// Where a secret is kept, as it is shown.
    pub fn shown_reference(&self, reference: &SecretRef) -> String {
        if self.war_room {
            disguise::kind_of(reference).to_owned()
        } else {
            reference.to_string()
        }
    }

    /// What the footer says, as it is shown.
    pub fn shown_notice(&self, notice: &Notice) -> String {
        let may_be_of_others = match notice.about {
            About::Past | About::Place => notice.error,
            About::Lock
            | About::Draft
            | About::Undo
            | About::Filter
            | About::Selection
            | About::Field(_) => false,
        };
        match &notice.text {
            Cow::Owned(failure) if may_be_of_others => self.shown_failure(failure),
            text => self.shown_sentence(text),
        }
    }

    /// A sentence about a failure, which may end in the words of others, as it is shown.
    pub fn shown_failure(&self, sentence: &str) -> String {
        if self.war_room {
            self.disguise.failure(sentence)
        } else {
            sentence.to_owned()
        }
    }

    /// A line of evidence, cause or remedy of the selected connection as it is shown.
    pub fn shown_line(&self, line: &str) -> String {
        if !self.war_room {
            return line.to_owned();
        }
        match self.selected_entry() {
            Some(entry) => self
                .disguise
                .line(&entry.connection, entry.verdict.as_deref(), line),
            None => self.disguise.sentence(line),
        }
    }
}

/// The next moment at which the whole steps of so many seconds until `end` change.
fn next_step(now: Timestamp, end: Timestamp, seconds: i64) -> Timestamp {
    let step = SignedDuration::from_secs(seconds);
    let left = end.duration_since(now);
    if left <= step {
        return end;
    }
    let beyond = match left.as_nanos() % step.as_nanos() {
        0 => step,
        nanos => SignedDuration::from_nanos(i64::try_from(nanos).unwrap_or(1)),
    };
    now.checked_add(beyond).unwrap_or(end)
}
