//! What lies over the screen about watching: events, maintenance windows, another machine's opinion.

use crossterm::event::KeyCode;
use std::sync::Arc;
use tui_input::Input;

use super::{Planning, WatchingEffect};
use crate::app::effect::Effect;
use crate::app::keymap::{Action, KeyPress};
use crate::app::model::{ListedConnection, Model, Overlay, Question};
use crate::app::update::editing_request;
use crate::domain::{Connection, Name, SecondOpinion, SshHost, Window};

/// What lies over the screen.
#[derive(Debug)]
pub enum WatchingOverlay {
    /// All events.
    Events {
        /// Rows skipped: the newest stands first.
        scroll: usize,
    },
    /// The maintenance windows of a connection.
    Maintenance(Dialog),
    /// From which machine to ask.
    AskFrom(Dialog),
    /// What that machine found, beside what was found from here.
    Second(Box<SecondOpinion>),
}

/// One line to type into.
#[derive(Debug)]
pub struct Dialog {
    /// Whose; of several the first one.
    pub name: Name,
    /// The others under the heading that it is about, which may be none; nothing where one is meant by its own row.
    pub others: Option<Vec<Name>>,
    /// What was typed.
    pub input: Input,
    /// What was wrong with it.
    pub problem: Option<String>,
    /// While the answer is on its way.
    pub busy: bool,
}

impl WatchingOverlay {
    /// Its keys, for the footer.
    pub(in crate::app) const fn keys(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Events { .. } => &[("↑ ↓", "scroll"), ("Esc", "close")],
            Self::Second(_) => &[("Esc", "close")],
            Self::Maintenance(_) => &[("Enter", "set"), ("Esc", "cancel")],
            Self::AskFrom(_) => &[("Enter", "ask"), ("Esc", "cancel")],
        }
    }

    /// The line that has the cursor.
    pub(in crate::app) fn line(&mut self) -> Option<&mut Input> {
        match self {
            Self::Maintenance(dialog) | Self::AskFrom(dialog) if !dialog.busy => {
                Some(&mut dialog.input)
            }
            _ => None,
        }
    }
}

impl Dialog {
    fn new(name: Name, text: String) -> Self {
        Self {
            name,
            others: None,
            input: Input::new(text),
            problem: None,
            busy: false,
        }
    }
}

impl Model {
    /// All events, over whatever is shown.
    pub(in crate::app) fn open_events(&mut self) {
        self.open_watching(WatchingOverlay::Events { scroll: 0 });
    }

    /// The connection that a key means: that of the form while it is shown, else that of the selected row.
    fn meant_entry(&self) -> Result<&ListedConnection, &'static str> {
        let name = self.meant_connection()?;
        let entry = self.entries.get(name);
        entry
            .filter(|_| self.means_row())
            .ok_or("no connection is selected")
    }

    /// `P`: scheduled probing leaves this connection out, or takes it in again; of a group all, where one is watched.
    pub(in crate::app) fn pause_connection(&mut self, out: &mut Vec<Effect>) {
        if let Some(sentence) = self.refuses_changes() {
            return self.complain(sentence);
        }
        if let Some(group) = self.marked_group() {
            let pauses = group.iter().any(|entry| !entry.connection.paused);
            let changed = group.iter().filter(|one| one.connection.paused != pauses);
            let names = changed.map(|one| one.connection.name.clone()).collect();
            let group = self.board.heading.clone().flatten();
            return self.ask(Question::PauseAll(group, names, pauses));
        }
        let entry = match self.meant_entry() {
            Ok(entry) => entry,
            Err(sentence) => return self.complain(sentence),
        };
        let name = entry.connection.name.clone();
        let paused = !entry.connection.paused;
        out.push(Effect::Watching(WatchingEffect::SetPaused(name, paused)));
    }

    /// `M`: its maintenance windows, or further ones of all under a heading.
    pub(in crate::app) fn open_maintenance(&mut self) {
        if let Some(sentence) = self.refuses_changes() {
            return self.complain(sentence);
        }
        let group = self.marked_group().unwrap_or_default();
        let mut names = group.iter().map(|entry| entry.connection.name.clone());
        let dialog = match (names.next(), self.meant_entry()) {
            (Some(first), _) => Dialog {
                others: Some(names.collect()),
                ..Dialog::new(first, String::new())
            },
            (None, Ok(entry)) => {
                let windows = entry.connection.maintenance.iter();
                let kept = windows.filter(|window| !window.is_over(self.now));
                let text: Vec<_> = kept.map(Window::to_string).collect();
                Dialog::new(entry.connection.name.clone(), text.join("; "))
            }
            (None, Err(sentence)) => return self.complain(sentence),
        };
        self.open_watching(WatchingOverlay::Maintenance(dialog));
    }

    /// Asks which machine is to be asked.
    pub(in crate::app) fn open_ask_from(&mut self) {
        if self.war_room {
            return self.complain("another machine's name is not shown in the war-room");
        }
        let entry = match self.meant_entry() {
            Ok(entry) => entry,
            Err(sentence) => return self.complain(sentence),
        };
        let dialog = Dialog::new(entry.connection.name.clone(), "ssh:".to_owned());
        self.open_watching(WatchingOverlay::AskFrom(dialog));
    }

    fn open_watching(&mut self, overlay: WatchingOverlay) {
        self.open_overlay(Overlay::Watching(overlay));
    }

    pub(in crate::app) fn watching_key(&mut self, press: KeyPress, out: &mut Vec<Effect>) {
        let page = usize::from(self.size.1.saturating_sub(8)).max(1);
        let most = self.board.events.len().saturating_sub(1);
        let moved = self.keymap.in_lists(press);
        let Some(Overlay::Watching(overlay)) = &mut self.overlay else {
            return;
        };
        match overlay {
            // The newest stands first.
            WatchingOverlay::Events { scroll } => match moved {
                Some(Action::Up) => *scroll = scroll.saturating_sub(1),
                Some(Action::Down) => *scroll = (*scroll + 1).min(most),
                Some(Action::PageUp) => *scroll = scroll.saturating_sub(page),
                Some(Action::PageDown) => *scroll = (*scroll + page).min(most),
                Some(Action::First) => *scroll = 0,
                Some(Action::Last) => *scroll = most,
                _ if press.code == KeyCode::Char(' ') => *scroll = (*scroll + page).min(most),
                _ => self.overlay = None,
            },
            WatchingOverlay::Second(_) => self.overlay = None,
            WatchingOverlay::Maintenance(dialog) | WatchingOverlay::AskFrom(dialog) => {
                match press.code {
                    KeyCode::Esc => self.overlay = None,
                    KeyCode::Enter if !dialog.busy => self.submit_watching(out),
                    _ if dialog.busy => {}
                    _ => {
                        if let Some(request) = editing_request(press) {
                            dialog.input.handle(request);
                            dialog.problem = None;
                        }
                    }
                }
            }
        }
    }

    fn submit_watching(&mut self, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some(Overlay::Watching(overlay)) = &mut self.overlay else {
            return;
        };
        match overlay {
            WatchingOverlay::Maintenance(dialog) => {
                let parts = dialog.input.value().split(';').map(str::trim);
                let beside = parts.clone().all(|part| part != "none");
                // As by the command: none alone takes all away.
                let parts = parts.filter(|part| !part.is_empty() && *part != "none");
                let windows = parts.map(|part| Window::read(part, now));
                match windows.collect::<Result<Vec<_>, _>>() {
                    Ok(windows) => {
                        let name = dialog.name.clone();
                        let others = dialog.others.take();
                        self.overlay = None;
                        if let Some(mut all) = others {
                            if windows.is_empty() && beside {
                                return;
                            }
                            all.push(name);
                            let set = WatchingEffect::SetAllMaintenance(all, windows, beside);
                            out.push(Effect::Watching(set));
                        } else {
                            let set = WatchingEffect::SetMaintenance(name, windows);
                            out.push(Effect::Watching(set));
                        }
                    }
                    Err(problem) => dialog.problem = Some(problem.to_string()),
                }
            }
            WatchingOverlay::AskFrom(dialog) => {
                match dialog.input.value().trim().parse::<SshHost>() {
                    Ok(host) => {
                        dialog.busy = true;
                        let name = dialog.name.clone();
                        out.push(Effect::Watching(WatchingEffect::AskFrom(name, host)));
                    }
                    Err(problem) => dialog.problem = Some(problem.to_string()),
                }
            }
            WatchingOverlay::Events { .. } | WatchingOverlay::Second(_) => {}
        }
    }

    /// Shown where it is still waited for; else the person has gone on to something else.
    pub(super) fn second_opinion_given(&mut self, opinion: SecondOpinion) {
        let waits = matches!(
            &self.overlay,
            Some(Overlay::Watching(WatchingOverlay::AskFrom(dialog))) if dialog.busy
        );
        if waits {
            self.open_watching(WatchingOverlay::Second(Box::new(opinion)));
        }
    }

    /// They were written: what is known of them stays.
    pub(super) fn connections_set(
        &mut self,
        connections: Vec<Connection>,
        what: Planning,
        out: &mut Vec<Effect>,
    ) {
        let mut set = Vec::with_capacity(connections.len());
        for connection in connections {
            let name = connection.name.clone();
            let written = |entry: &mut ListedConnection| entry.connection = Arc::new(connection);
            if self.entries.change(&name, written).is_some() {
                set.push(name);
            }
        }
        let Some(entry) = set.first().and_then(|name| self.entries.get(name)) else {
            return;
        };
        let (paused, none) = (
            entry.connection.paused,
            entry.connection.maintenance.is_empty(),
        );
        let until = self.board.maintained_until(entry, self.now);
        let (of, is, has) = match &set[..] {
            [name] => (self.shown_name(name), "is", "has"),
            several => (format!("{} connections", several.len()), "are", "have"),
        };
        let sentence = match (what, until.filter(|_| set.len() == 1)) {
            (Planning::Paused, _) if paused => format!("{of} {is} left out of watching"),
            (Planning::Paused, _) => format!("{of} {is} watched again"),
            (Planning::Maintenance, Some(until)) => format!(
                "{of}: maintenance until {} UTC, nothing is announced",
                until.strftime("%b %d %H:%M")
            ),
            (Planning::Maintenance, None) if none => format!("{of} {has} no maintenance windows"),
            (Planning::Maintenance, None) => format!("{of}: maintenance windows are set"),
        };
        let here =
            |name: &Name| self.board.on_heading() || self.list.selected.as_ref() == Some(name);
        if what == Planning::Paused && set.iter().any(here) {
            self.list.held.extend(set);
        }
        self.relist();
        self.say(sentence);
        out.push(Effect::Watching(WatchingEffect::Replan));
    }
}
