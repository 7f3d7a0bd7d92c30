//! Esc with a key right behind it, as both come in one read over a slow line: terminals send the key with Alt by the
//! same bytes. Which of the two it is goes by where the keys go, not by time.
//!
//! Where letters type, Alt with a letter is that and nothing else: some keyboards send it for a letter with an accent,
//! and Esc would close the dialog with all that was typed. Where nothing is bound to it, it does nothing.
//!
//! Elsewhere it is that only where a key was mapped so, and the Esc key otherwise, as Enter, Tab and keys with Control
//! are where letters type. What came behind acts in a list and in the help, as it would alone; where Esc has just
//! answered a question, closed a dialog or left a field, it is dropped: it was typed before anybody saw that, and never
//! counts as an answer.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Effects, Model};
use crate::app::keymap::{Action, HelpGroup, KeyPress};
use crate::app::model::Overlay;
use crate::app::watching::dialogs::WatchingOverlay;

/// Said without the letter: where a secret is typed, it may be one of its own.
const UNBOUND: &str = "Alt with that key does nothing here";

/// What a key with Alt is that means nothing by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WithAlt {
    /// Nothing, where letters type.
    Nothing,
    /// Esc, and what came right behind it, which acts as if it came alone.
    EscapeAnd(KeyEvent),
    /// Esc. What came behind is dropped.
    Escape,
}

impl Model {
    /// What `press` is, where it is one with Alt that means nothing by itself.
    pub(super) fn with_alt(&self, press: KeyPress) -> Option<WithAlt> {
        let held = sent_behind_escape(press).filter(|_| !self.means_with_alt(press))?;
        if self.letters_type() && held.is_empty() && matches!(press.code, KeyCode::Char(_)) {
            return Some(WithAlt::Nothing);
        }
        let is_list = match &self.overlay {
            Some(overlay) => matches!(overlay, Overlay::Help { .. }),
            None => !self.letters_type() && self.tokens.sheets.is_empty(),
        };
        // With Control it is no letter, and answers nothing.
        Some(if is_list || !held.is_empty() {
            WithAlt::EscapeAnd(KeyEvent::new(press.code, held))
        } else {
            WithAlt::Escape
        })
    }

    pub(super) fn key_with_alt(&mut self, meant: WithAlt, out: &mut Effects) {
        let escape = KeyEvent::from(KeyCode::Esc);
        match meant {
            WithAlt::Nothing => self.say(UNBOUND),
            WithAlt::EscapeAnd(key) => {
                self.key(escape, out);
                self.key(key, out);
            }
            WithAlt::Escape => self.key(escape, out),
        }
    }

    /// Whether the letters that are pressed now are text.
    pub(in crate::app) fn letters_type(&self) -> bool {
        match &self.overlay {
            Some(overlay) => overlay.types(),
            None => self.tokens.takes_text() || self.list.filtering || self.is_editing(),
        }
    }

    /// Whether `press` stops the program: wherever nothing is typed, as in a list.
    pub(super) fn suspends(&self, press: KeyPress) -> bool {
        self.keymap.in_lists(press) == Some(Action::Suspend)
            && !press.types()
            && !self.letters_type()
    }

    /// Whether `press`, with Alt, does something here.
    fn means_with_alt(&self, press: KeyPress) -> bool {
        let (listed, typed) = (self.keymap.in_lists(press), self.keymap.in_fields(press));
        let moves = |action: Action| action.row().group == HelpGroup::Move;
        match &self.overlay {
            Some(Overlay::Confirm(_)) => self.locks(press, false),
            Some(_) => self.locks_over_what_is_open(press) || listed.or(typed).is_some_and(moves),
            None if !self.letters_type() => listed.is_some(),
            // Actions of the panes below work on no sheet.
            None if !self.tokens.sheets.is_empty() => typed.is_some_and(|action| {
                action.is_of_the_screen() || moves(action) || action == Action::Save
            }),
            None => typed.is_some(),
        }
    }
}

impl Overlay {
    /// Whether letters are text there.
    pub(super) const fn types(&self) -> bool {
        match self {
            Self::Help { .. }
            | Self::Confirm(_)
            | Self::ChooseStore { .. }
            | Self::CopyAs { .. }
            | Self::SharedToken(_)
            | Self::Watching(WatchingOverlay::Events { .. } | WatchingOverlay::Second(_)) => false,
            Self::Palette { .. }
            | Self::Passphrase(_)
            | Self::AddToken(_)
            | Self::Watching(WatchingOverlay::Maintenance(_) | WatchingOverlay::AskFrom(_)) => true,
        }
    }
}

/// What is held beside Alt, where the same bytes are an escape and the key. `ESC [` alone is the beginning of a
/// sequence, and Alt-Backspace is pressed to delete a word: neither may close anything. (Control with Alt and another
/// character is `AltGr`.)
fn sent_behind_escape(press: KeyPress) -> Option<KeyModifiers> {
    let held = press.modifiers - KeyModifiers::ALT;
    let is_sent = match press.code {
        KeyCode::Char('[') => false,
        KeyCode::Char('a'..='z' | '4'..='7' | ' ') => true,
        KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab => held.is_empty(),
        _ => false,
    };
    (is_sent
        && press.modifiers.contains(KeyModifiers::ALT)
        && (held - KeyModifiers::CONTROL).is_empty())
    .then_some(held)
}
