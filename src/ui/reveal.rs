//! The one place of this room where a secret is read: it was asked to be shown, for a few seconds.

use jiff::Timestamp;

use super::text::clean;
use crate::app::FieldId;
use crate::app::handles::{Revealed, RevealedHandle};
use crate::app::model::{FieldText, Form, Model};
use crate::domain::{HandleSlot, Name};

/// A secret in the open.
pub(super) struct OpenHandle {
    /// The value, made inert.
    pub text: String,
    /// Seconds until it is hidden again.
    pub seconds: i64,
}

/// The handle `slot` of the connection `name`, while it is in the open. Never in the war-room.
pub(super) fn handle(model: &Model, name: &Name, slot: &HandleSlot) -> Option<OpenHandle> {
    let open = model.open_handle();
    let is_it = |open: &&Revealed| matches!(&open.which, RevealedHandle::Held(shown) if open.name == *name && shown == slot);
    opened(model, open.filter(is_it)?)
}

/// The token `id` of the account behind `name`, while it is in the open. Never in the war-room.
pub(super) fn token(model: &Model, name: &Name, id: &str) -> Option<OpenHandle> {
    let open = model.open_handle();
    opened(model, open.filter(|open| open.is_token(name, id))?)
}

/// What is in the open, as long as it is.
pub(super) fn opened(model: &Model, revealed: &Revealed) -> Option<OpenHandle> {
    let seconds = seconds_to(model, revealed.until);
    (seconds > 0).then(|| OpenHandle {
        text: clean(revealed.handle.secret().expose()),
        seconds,
    })
}

/// What stands in the secret field `id` of the form, while it is in the open. As it was typed: the field draws
/// it inert, character by character, so that the cursor stays where it belongs.
pub(super) fn field(model: &Model, form: &Form, id: FieldId) -> Option<OpenHandle> {
    let shown = form.shown?;
    let seconds = seconds_to(model, shown.until);
    let field = form.fields.iter().find(|field| field.id == id)?;
    match &field.text {
        FieldText::Secret(secret) if shown.id == id && seconds > 0 && !model.war_room => {
            Some(OpenHandle {
                text: secret.value.expose().to_owned(),
                seconds,
            })
        }
        FieldText::Secret(_) | FieldText::Plain(_) => None,
    }
}

/// Whole seconds from the model's time to `until`, the one that has begun included; in steps of five where
/// nothing is to move that need not.
pub(super) fn seconds_to(model: &Model, until: Timestamp) -> i64 {
    let step = i128::from(model.countdown_step()) * 1_000;
    let left = until.duration_since(model.now).as_millis().max(0);
    let steps = left.div_euclid(step) + i128::from(left % step > 0);
    i64::try_from(steps * step / 1_000).unwrap_or(0)
}
