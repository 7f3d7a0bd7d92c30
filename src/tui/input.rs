//! Terminal events, made into messages.

use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};

use crate::app::{Message, Model, SecretInput};
use crate::domain::Secret;
use crate::ui;

/// What `event` means to the model, if anything. Keys and pastes for a secret field are masked from here on.
pub fn message(model: &Model, event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) if model.takes_secret() => {
            Some(Message::SecretInput(SecretInput::Key(key)))
        }
        Event::Key(key) => Some(Message::Key(key)),
        Event::Paste(text) if model.takes_secret() => {
            Some(Message::SecretInput(SecretInput::Paste(Secret::new(text))))
        }
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Mouse(mouse) if mouse.kind == MouseEventKind::Down(MouseButton::Left) => {
            let (pane, row) = ui::pane_at(model, mouse.column, mouse.row)?;
            Some(Message::Clicked(pane, row))
        }
        Event::Mouse(mouse) => {
            let pane = ui::pane_at(model, mouse.column, mouse.row).map(|(pane, _)| pane);
            Some(Message::Mouse(mouse, pane))
        }
        Event::Resize(width, height) => Some(Message::Resized(width, height)),
        Event::FocusGained | Event::FocusLost => None,
    }
}
