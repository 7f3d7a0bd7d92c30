//! The configuration came, or came again because another copy of the program changed it.

use std::sync::Arc;

use super::{Effects, Model};
use crate::app::draft::FieldId;
use crate::app::effect::{Effect, ProbeEffect, Target};
use crate::app::entries::Entries;
use crate::app::keymap::Keymap;
use crate::app::message::Loaded;
use crate::app::model::{Form, ListOrder, ListedConnection, LoadState, Lock, ProbeState};
use crate::app::tokens::TokensEffect;
use crate::app::watching::WatchingEffect;
use crate::domain::{Connection, Name};
use crate::service::{Catalog, Trigger};

/// What is odd about a configuration is told at once up to so many sentences; the rest is counted.
const TOLD: usize = 3;

impl Model {
    pub(super) fn configuration_loaded(&mut self, loaded: Loaded, out: &mut Effects) {
        let first = !std::mem::replace(&mut self.begun, true);
        let replan = self.watches_other_than(&loaded);
        if first && loaded.locked && self.lock == Lock::Open {
            self.lock = Lock::NeverOpened;
        }
        if let LoadState::Failed(_) = std::mem::replace(&mut self.loaded, LoadState::Ready) {
            self.say("the configuration is read again");
        }
        let (keymap, mut odd_keys) = Keymap::remapped(&loaded.keys);
        self.keymap = keymap;
        self.warnings = loaded.warnings;
        self.warnings.append(&mut odd_keys);
        self.banner = loaded.banner;
        if let Some(catalog) = loaded.catalog {
            self.catalog = catalog;
        }
        self.clipboard_clear_s = loaded.clipboard_clear_s;
        self.lock_after_min = loaded.lock_after_min;
        self.board.settings = loaded.watching;
        self.reduce_motion = loaded.reduce_motion;
        if let Some(name) = loaded.order.filter(|_| first) {
            self.set_order_named(&name);
        }
        let before = self.held_handles();
        self.take_connections(loaded.connections);
        self.handles_changed(&before);
        if first || replan {
            self.date_handles(out);
        }
        if first {
            out.push(Effect::Tokens(TokensEffect::FindUnfinished));
        } else if self.tokens.list.is_some() || !self.tokens.sheets.is_empty() {
            out.push(Effect::Tokens(TokensEffect::DropKeys));
        }
        self.relist();
        self.check_draft_against_configuration(out);
        if !self.warnings.is_empty() {
            let (told, further) = self.warnings.split_at(self.warnings.len().min(TOLD));
            let more = (!further.is_empty()).then(|| format!(" (and {} more)", further.len()));
            self.complain(told.join("; ") + &more.unwrap_or_default());
        }
        if first {
            self.watching = true;
            if !self.opens_first {
                out.push(Effect::Watching(WatchingEffect::Switch(true)));
            }
        } else if replan {
            out.push(Effect::Watching(WatchingEffect::Replan));
        }
        self.save_what_waited(out);
    }

    /// Whether the watch must be told: connections or what it goes by are others.
    fn watches_other_than(&self, loaded: &Loaded) -> bool {
        let same = |connection: &Arc<Connection>| {
            let known = self.entries.get(&connection.name);
            known.is_some_and(|entry| entry.connection == *connection)
        };
        self.board.settings != loaded.watching
            || self.entries.len() != loaded.connections.len()
            || !loaded.connections.iter().all(same)
    }

    fn set_order_named(&mut self, name: &str) {
        if let Some(order) = ListOrder::from_name(name) {
            self.list.order = order;
        }
        self.warnings.extend(ListOrder::odd(name));
    }

    /// Keeps what is known of connections that are the same as before.
    fn take_connections(&mut self, connections: Vec<Arc<Connection>>) {
        let mut known = std::mem::take(&mut self.entries);
        let mut entries = Entries::with_capacity(connections.len());
        for connection in connections {
            self.disguise.learn_connection(&connection);
            let kept = known.remove(&connection.name);
            let name = connection.name.clone();
            let entry = match kept {
                Some(mut entry) if same_probe(&entry.connection, &connection) => {
                    entry.connection = connection;
                    entry
                }
                _ => Box::new(ListedConnection::unprobed(connection)),
            };
            entries.insert(name, entry);
        }
        self.entries = entries;
    }

    /// A draft outlives a changed configuration; an untouched form follows it.
    pub(super) fn check_draft_against_configuration(&mut self, out: &mut Effects) {
        // What is being saved may come back before it is said to be; where it fails, the next save looks again.
        let form = self.form.as_ref().filter(|form| !form.saving);
        let Some(name) = form.and_then(|form| form.editing.clone()) else {
            return;
        };
        let (dirty, original) = match &self.form {
            Some(form) => (
                form.dirty,
                form.original.as_ref().map(|o| o.connection.clone()),
            ),
            None => return,
        };
        match (self.entries.get(&name), dirty) {
            (Some(entry), _) if Some(&*entry.connection) == original.as_ref() => {}
            (Some(_), false) => {
                if let Some(fresh) = self.edit_form(&name) {
                    self.replace_form(fresh, out);
                }
            }
            (Some(entry), true) => {
                let theirs = Arc::clone(&entry.connection);
                self.follow_in_draft(&theirs, out);
            }
            (None, _) if self.removing.as_ref() == Some(&name) => {
                self.close_form_of_removed(&name, out);
            }
            (None, _) => self.draft_lost_its_connection(&name),
        }
    }

    /// The saved connection is another now: what was not typed over follows it, and what was typed over is told.
    fn follow_in_draft(&mut self, theirs: &Connection, out: &mut Effects) {
        let now = self.now;
        let Some(form) = &mut self.form else { return };
        let (taken, disputed) = form.follow(theirs);
        for id in &disputed {
            if !form.disputed.contains(id) {
                form.disputed.push(*id);
            }
        }
        let part = taken.iter().map(|id| id.part()).max().unwrap_or_default();
        form.test_again(part, now, out);
        let place = [FieldId::Url, FieldId::Username, FieldId::Service];
        if taken.iter().any(|id| place.contains(id)) {
            self.follow_url(out);
        }
        if let Some(form) = &mut self.form {
            form.dirty = !form.is_as_opened();
            form.refresh_lamps();
        }
        // Where something else is waited for, or the vault is locked, they come later: nobody asked for them now.
        let at_hand = !self.lock.is_locked() && self.waiting.is_none();
        if at_hand && taken.iter().any(|id| id.is_secret()) {
            self.load_form_secrets(out);
        }
        let labels = |ids: &[FieldId]| {
            let labels: Vec<_> = ids.iter().map(|id| id.label()).collect();
            labels.join(", ")
        };
        let name = self.shown_name(&theirs.name);
        if !disputed.is_empty() {
            self.complain(format!(
                "another copy of the program has changed {} of {name}, too: yours stands here, saving asks",
                labels(&disputed)
            ));
        } else if !taken.is_empty() {
            self.say(format!(
                "another copy of the program has changed {} of {name}: it stands in the draft now",
                labels(&taken)
            ));
        }
    }

    /// The connection in the form is gone: what stands in the form can be saved as a new one.
    pub(super) fn draft_lost_its_connection(&mut self, name: &Name) {
        if let Some(form) = &mut self.form {
            form.become_new();
        }
        let name = self.shown_name(name);
        self.complain(format!(
            "{name} was removed or renamed; saving the draft makes it anew"
        ));
    }

    /// Puts `fresh` in place of an untouched form, the cursor where it was.
    fn replace_form(&mut self, fresh: Form, out: &mut Effects) {
        let mut probes = fresh.verdict.is_none();
        if let Some(form) = &mut self.form {
            let (cursor, further, parked) = (form.cursor, form.further, form.parked);
            if form.probe != ProbeState::Idle {
                out.push(Effect::Probe(ProbeEffect::Cancel(Target::Draft)));
                probes = true;
            }
            *form = fresh;
            form.cursor = cursor;
            form.further = further;
            form.parked = parked;
        }
        self.load_form_secrets(out);
        // What was known is of what it was.
        if probes {
            self.probe_draft(Trigger::Typing, out);
        }
    }

    pub(super) fn configuration_failed(&mut self, why: &str, out: &mut Effects) {
        self.loaded = LoadState::Failed(crate::domain::text::inert(why, 300));
        if self.catalog.ids().next().is_none() {
            self.catalog = Catalog::embedded();
        }
        self.complain(format!("the configuration can't be read: {why}"));
        self.save_what_waited(out);
    }
}

impl ListedConnection {
    /// A connection that nothing is known of yet.
    pub fn unprobed(connection: impl Into<Arc<Connection>>) -> Self {
        Self {
            connection: connection.into(),
            verdict: None,
            probe: ProbeState::Idle,
            since: None,
            strip: Vec::new(),
            stood: None,
            share: None,
        }
    }
}

/// Whether what is known of `old` holds for `new`: nothing differs that a probe depends on.
fn same_probe(old: &Connection, new: &Connection) -> bool {
    let bare = |connection: &Connection| Connection {
        tags: Vec::new(),
        added: Vec::new(),
        interval_s: None,
        read_only: false,
        note: String::new(),
        paused: false,
        maintenance: Vec::new(),
        ..connection.clone()
    };
    bare(old) == bare(new)
}
