//! What every pane draws from: the model and the theme, with the war-room's pseudonyms in between.

use ratatui::style::Style;
use ratatui::text::Span;

use super::layout::FormSize;
use super::text::clean;
use super::theme::Theme;
use crate::app::Model;
use crate::app::handles::HandleRow;
use crate::app::model::{ListedConnection, Pane, ProbeState};
use crate::domain::{Checks, HandleSlot, Name, SecretRef, ServiceId, State, Verdict};
use crate::service::Service;

/// The model with the theme.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub model: &'a Model,
    pub theme: &'a Theme,
}

impl<'a> View<'a> {
    /// The entry that list, form, response and tokens speak of; none while a new connection is typed.
    pub(super) fn entry(&self) -> Option<&'a ListedConnection> {
        let name = match self.model.visible_form() {
            Some(form) => form.editing.as_ref()?,
            None => self.model.list.selected.as_ref()?,
        };
        self.model.entries.get(name)
    }

    /// How many rows the form asks for.
    pub(super) fn form_size(&self) -> FormSize {
        match self.model.visible_form() {
            Some(form) if form.further => FormSize::Further,
            Some(_) | None => FormSize::First,
        }
    }

    /// The rungs of a probe that was asked for and still runs.
    pub(super) fn running(&self) -> Option<&'a Checks> {
        match self.model.shown_probe()? {
            ProbeState::Running { checks, .. } => Some(checks),
            ProbeState::Idle | ProbeState::Watched => None,
        }
    }

    /// Whether `pane` has the keys.
    pub(super) fn focused(&self, pane: Pane) -> bool {
        self.model.overlay.is_none()
            && self.model.tokens.sheets.is_empty()
            && self.model.focus == pane
    }

    /// A connection's name, or what stands for it in the war-room.
    pub(super) fn name(&self, name: &Name) -> String {
        clean(&self.model.shown_name(name))
    }

    /// A URL, or what stands for it.
    pub(super) fn url(&self, url: &str) -> String {
        clean(&self.model.shown_url(url))
    }

    /// A username, or what stands for it.
    pub(super) fn user(&self, user: &str) -> String {
        clean(&self.model.shown_user(user))
    }

    /// A company, account or id, or what stands for it.
    pub(super) fn id(&self, id: &str) -> String {
        clean(&self.model.shown_id(id))
    }

    /// A host, or what stands for it.
    pub(super) fn host(&self, host: &str) -> String {
        clean(&self.model.shown_host(host))
    }

    /// A service's name for people; its id where nothing describes it.
    pub(super) fn service(&self, id: &ServiceId) -> String {
        let service = self.model.catalog.get(id);
        clean(service.map_or(id.as_str(), Service::title))
    }

    /// Why a verdict of the selected connection is what it is, as far as it is shown.
    pub(super) fn cause(&self, verdict: &Verdict) -> String {
        clean(&self.model.shown_cause(verdict))
    }

    /// What it was found by, as far as it is shown.
    pub(super) fn evidence(&self, verdict: &Verdict) -> Vec<String> {
        let lines = self.model.shown_evidence(verdict);
        lines.iter().map(|line| clean(line)).collect()
    }

    /// A sentence about a failure, as far as it is shown.
    pub(super) fn failure(&self, sentence: &str) -> String {
        clean(&self.model.shown_failure(sentence))
    }

    /// Where a secret is kept, or what stands for it.
    pub(super) fn reference(&self, reference: &SecretRef) -> String {
        clean(&self.model.shown_reference(reference))
    }

    /// What a handle is called, or what stands for a label that somebody gave it.
    pub(super) fn handle(&self, handle: &HandleRow) -> String {
        match &handle.slot {
            HandleSlot::Added(label) => self.label(label),
            HandleSlot::Key | HandleSlot::Token => clean(&handle.label),
        }
    }

    /// A label, or what stands for it.
    pub(super) fn label(&self, label: &str) -> String {
        clean(&self.model.shown_label(label))
    }

    /// A line about a connection, with what could tell which one replaced in the war-room.
    pub(super) fn line(&self, line: &str) -> String {
        clean(&self.model.shown_line(line))
    }
}

/// The lamp's glyph and word of an entry. A watcher's probe leaves the lamp as it is once there is a verdict:
/// of thousands of connections, one a minute each, nothing would stand still.
pub(super) fn lamp(theme: &Theme, entry: &ListedConnection) -> (Span<'static>, &'static str) {
    let state = entry.state();
    let probing = match entry.probe {
        ProbeState::Idle => false,
        ProbeState::Running { .. } => true,
        ProbeState::Watched => entry.verdict.is_none(),
    };
    let word = if probing { "probing" } else { state.word() };
    (glyph(theme, state, probing), word)
}

/// The same in a list; a failure that is planned, and what is left out of watching, is no alarm.
pub(super) fn sign(view: &View<'_>, entry: &ListedConnection) -> (Span<'static>, &'static str) {
    if matches!(entry.probe, ProbeState::Running { .. }) {
        return lamp(view.theme, entry);
    }
    // As it is counted: who is left out of watching is in no state, planned or not.
    if entry.connection.paused {
        return (Span::styled("‖", view.theme.unknown), "paused");
    }
    if is_planned(view, entry) {
        return (Span::styled("◇", view.theme.probing), "planned");
    }
    lamp(view.theme, entry)
}

/// Whether it is not up, and was meant not to be.
pub(super) fn is_planned(view: &View<'_>, entry: &ListedConnection) -> bool {
    entry.state() != State::Ok
        && view
            .model
            .board
            .maintained_until(entry, view.model.now)
            .is_some()
}

/// A lamp's glyph: `◌` in the colour of the last state while a probe runs.
pub(super) fn glyph(theme: &Theme, state: State, probing: bool) -> Span<'static> {
    let glyph = if probing { '◌' } else { state.glyph() };
    Span::styled(glyph.to_string(), lamp_style(theme, state, probing))
}

/// The lamp's style. What was never known has the colour of the probe itself.
pub(super) fn lamp_style(theme: &Theme, state: State, probing: bool) -> Style {
    if probing && state == State::Unknown {
        theme.probing
    } else {
        theme.lamp(state)
    }
}
