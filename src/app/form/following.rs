//! What becomes of a form whose connection another copy of the program has changed, or removed.

use tui_input::Input;

use super::{plain_text, reference, stored};
use crate::app::draft::FieldId;
use crate::app::model::{FieldText, Form};
use crate::domain::{Connection, Origin};

impl Form {
    /// The connection is another now than when it was opened. What was not changed here becomes as it is there, which
    /// is told first; what was changed here and there stays, which is told behind it.
    pub(in crate::app) fn follow(&mut self, theirs: &Connection) -> (Vec<FieldId>, Vec<FieldId>) {
        let (mut taken, mut disputed) = (Vec::new(), Vec::new());
        let Some(original) = &mut self.original else {
            return (taken, disputed);
        };
        let ours = std::mem::replace(&mut original.connection, theirs.clone());
        for field in &mut self.fields {
            let id = field.id;
            let (changed, kept) = match &mut field.text {
                FieldText::Plain(input) => {
                    let (before, now) = (plain_text(id, &ours), plain_text(id, theirs));
                    let kept = input.value().trim() != before.trim();
                    let same = before == now || (kept && input.value().trim() == now.trim());
                    if !kept && !same {
                        *input = Input::new(now);
                    }
                    (!same, kept)
                }
                FieldText::Secret(secret) => {
                    let (before, now) = (reference(id, &ours), reference(id, theirs));
                    let (changed, kept) = (before != now, secret.touched);
                    if changed && !kept {
                        *secret = stored(now.is_some());
                        if id == FieldId::Key {
                            self.key_origin = Origin::parse(&theirs.url).filter(|_| now.is_some());
                        }
                    }
                    (changed, kept)
                }
            };
            match (changed, kept) {
                (true, false) => taken.push(id),
                (true, true) => disputed.push(id),
                (false, _) => {}
            }
        }
        if !taken.is_empty() {
            // It would bring back what stood there before.
            self.undo = None;
        }
        (taken, disputed)
    }

    /// Forgets disputes over fields that stand as the other copy has them, or hold nothing typed any more.
    pub(in crate::app) fn settle_disputes(&mut self) {
        let Some(original) = &self.original else {
            return;
        };
        let fields = &self.fields;
        self.disputed.retain(|id| match &fields[*id as usize].text {
            FieldText::Plain(input) => {
                input.value().trim() != plain_text(*id, &original.connection).trim()
            }
            FieldText::Secret(secret) => secret.touched,
        });
    }

    /// The connection is gone, with its secrets: what stands here is a new one, and brings its own.
    pub(in crate::app) fn become_new(&mut self) {
        self.editing = None;
        self.dirty = true;
        self.disputed.clear();
        if let Some(original) = &mut self.original {
            original.connection.key = None;
            original.connection.token = None;
            original.connection.added.clear();
        }
        for id in [FieldId::Key, FieldId::Token] {
            if let Some(secret) = self.secret_mut(id) {
                secret.stored = false;
                secret.touched |= !secret.value.is_empty();
            }
        }
        self.refresh_lamps();
    }
}
