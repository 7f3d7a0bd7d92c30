//! Effects on the handles that are held here.

use super::{Effects, Key};
use crate::app::{Effect, Message};
use crate::work::{shared_token, silent};

impl Effects {
    pub(super) fn start_handles(&mut self, effect: Effect) {
        let core = self.core.clone();
        match effect {
            Effect::RemoveToken(name, label) => self.answer(Key::RemoveToken, async move {
                match core.remove_handle(&name, &label).await {
                    Ok(saved) => Message::TokenRemoved {
                        connection: Box::new(saved.connection),
                        label,
                        left_behind: !saved.left_behind.is_empty(),
                    },
                    Err(error) => Message::RemoveFailed(error.to_string()),
                }
            }),
            Effect::MakeSharedToken(name) => self.answer(Key::SharedToken, async move {
                let made = shared_token::generate();
                Message::SharedTokenMade(name, made.map_err(|error| error.to_string()))
            }),
            Effect::CheckSharedToken(name) => self.answer(Key::SharedToken, async move {
                let verdict = core.verify_saved(&name, &silent).await;
                Message::SharedTokenChecked(name, Box::new(verdict))
            }),
            // The loop's own, and what was started before it came here.
            Effect::Bell
            | Effect::Mouse(_)
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Quit(_)
            | Effect::LoadConfiguration
            | Effect::Probe { .. }
            | Effect::CancelProbe(_)
            | Effect::Watch(_)
            | Effect::LoadSecrets(_)
            | Effect::Save { .. }
            | Effect::Remove(_)
            | Effect::Unlock { .. }
            | Effect::Lock
            | Effect::Reveal(..)
            | Effect::Copy { .. }
            | Effect::CopyText(_)
            | Effect::ClearClipboard
            | Effect::Resume(_)
            | Effect::ResumeDraft(_)
            | Effect::AddToken { .. }
            | Effect::Tokens(_)
            | Effect::Watching(_)
            | Effect::CopyTicket { .. }
            | Effect::Set(..) => {}
        }
    }
}
