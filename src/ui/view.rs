//! What every pane draws from: the model and the theme, with the war-room's pseudonyms in between.

use ratatui::style::Style;
use ratatui::text::Span;

use super::text::clean;
use super::theme::Theme;
use crate::app::Model;
use crate::app::model::{Entry, Form, Pane, ProbeState};
use crate::domain::{Checks, Connection, Name, ServiceId, State, Verdict};

/// The model with the theme.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub model: &'a Model,
    pub theme: &'a Theme,
}

impl<'a> View<'a> {
    /// The entry that list, form, response and tokens speak of; none while a new connection is typed.
    pub(super) fn entry(&self) -> Option<&'a Entry> {
        match self.form() {
            Some(form) => self.model.entries.get(form.editing.as_ref()?),
            None => self.model.entries.get(self.model.list.selected.as_ref()?),
        }
    }

    /// The form that is edited, unless it is kept aside.
    pub(super) fn form(&self) -> Option<&'a Form> {
        self.model.form.as_ref().filter(|form| !form.parked)
    }

    /// The verdict that the Response pane shows.
    pub(super) fn verdict(&self) -> Option<&'a Verdict> {
        match self.form() {
            Some(form) => form.verdict.as_ref(),
            None => self.entry()?.verdict.as_ref(),
        }
    }

    /// The rungs of a probe that was asked for and still runs.
    pub(super) fn running(&self) -> Option<&'a Checks> {
        let probe = match self.form() {
            Some(form) => &form.probe,
            None => &self.entry()?.probe,
        };
        match probe {
            ProbeState::Running { checks, .. } => Some(checks),
            ProbeState::Idle | ProbeState::Watched => None,
        }
    }

    /// Whether `pane` has the keys.
    pub(super) fn focused(&self, pane: Pane) -> bool {
        self.model.overlay.is_none() && self.model.focus == pane
    }

    /// A connection's name, or what stands for it.
    pub(super) fn name(&self, name: &Name) -> String {
        if self.model.war_room {
            self.model.disguise.name(name)
        } else {
            clean(name.as_str())
        }
    }

    /// A URL, or what stands for it.
    pub(super) fn url(&self, url: &str) -> String {
        if self.model.war_room {
            self.model.disguise.url(url)
        } else {
            clean(url)
        }
    }

    /// A username, or what stands for it.
    pub(super) fn user(&self, user: &str) -> String {
        if self.model.war_room {
            self.model.disguise.user(user)
        } else {
            clean(user)
        }
    }

    /// A company, account or id, or what stands for it.
    pub(super) fn id(&self, id: &str) -> String {
        if self.model.war_room {
            self.model.disguise.id(id)
        } else {
            clean(id)
        }
    }

    /// A host, or what stands for it.
    pub(super) fn host(&self, host: &str) -> String {
        if self.model.war_room {
            self.model.disguise.host(host)
        } else {
            clean(host)
        }
    }

    /// A line about a connection, with what could tell which one replaced in the war-room.
    pub(super) fn line(&self, line: &str) -> String {
        if !self.model.war_room {
            return clean(line);
        }
        match self.known() {
            Some(connection) => {
                let line = self.model.disguise.line(connection, self.verdict(), line);
                clean(&line)
            }
            None => String::from("•••"),
        }
    }

    /// The connection whose words are replaced.
    fn known(&self) -> Option<&'a Connection> {
        self.entry().map(|entry| &entry.connection)
    }
}

/// The lamp's glyph and word of an entry. A watcher's probe leaves the lamp as it is once there is a verdict:
/// of thousands of connections, one a minute each, nothing would stand still.
pub(super) fn lamp(theme: &Theme, entry: &Entry) -> (Span<'static>, &'static str) {
    let state = entry.state();
    let probing = match entry.probe {
        ProbeState::Idle => false,
        ProbeState::Running { .. } => true,
        ProbeState::Watched => entry.verdict.is_none(),
    };
    let word = if probing { "probing" } else { state.word() };
    (glyph(theme, state, probing), word)
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

/// A service's name for people.
pub(super) fn service_name(service: &ServiceId) -> String {
    match service.as_str() {
        "blesta" => "Blesta".to_owned(),
        "connect" => "CloudBlue Connect".to_owned(),
        "http" => "HTTP".to_owned(),
        other => clean(other),
    }
}
