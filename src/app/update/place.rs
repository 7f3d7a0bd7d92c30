//! Which place the keys go to, and what becomes of what the footer says when that is another one: it would stand where
//! the keys of the new place are named.

use std::mem::{Discriminant, discriminant};

use jiff::SignedDuration;

use super::{Model, NOTICE, after};
use crate::app::model::{Overlay, Pane};
use crate::app::notice::About;
use crate::app::tokens::TokenSheet;
use crate::app::tokens::wizard::WizardStep;
use crate::app::watching::board::BoardView;

/// How long it takes to read a sentence.
const READING: SignedDuration = SignedDuration::from_secs(2);

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyPlace {
    pane: Pane,
    is_editing: bool,
    is_filtering: bool,
    board: Discriminant<BoardView>,
    overlay: Option<Discriminant<Overlay>>,
    sheets: usize,
    step: Option<(WizardStep, bool)>,
}

impl Model {
    pub(super) fn key_place(&self) -> KeyPlace {
        KeyPlace {
            pane: self.focus,
            is_editing: self.is_editing(),
            is_filtering: self.list.filtering,
            board: discriminant(&self.board.view),
            overlay: self.overlay.as_ref().map(discriminant),
            sheets: self.tokens.sheets.len(),
            step: match self.tokens.sheet() {
                Some(TokenSheet::Wizard(wizard)) => {
                    Some((wizard.step, wizard.outcome.here().is_some()))
                }
                Some(_) | None => None,
            },
        }
    }

    /// The keys may go to another place than to `before`. What was said there goes: at once where it was about a key that
    /// was pressed there, else as soon as it could be read, as that something was saved or copied. What this very message
    /// led to stays.
    pub(super) fn make_room_for_keys(&mut self, before: KeyPlace) {
        if self.key_place() == before {
            return;
        }
        let just_now = after(self.now, NOTICE);
        let read = after(self.now, NOTICE - READING);
        let soon = after(self.now, READING);
        let Some(notice) = self
            .notice
            .as_mut()
            .filter(|notice| notice.until < just_now)
        else {
            return;
        };
        let is_of_place = match notice.about {
            About::Place | About::Undo => true,
            About::Past
            | About::Lock
            | About::Draft
            | About::Filter
            | About::Selection
            | About::Field(_) => false,
        };
        if is_of_place || notice.until <= read {
            self.notice = None;
        } else {
            notice.until = notice.until.min(soon);
        }
    }
}
