//! The screen's state and how it changes, pure: a message goes in, effects come out.
//!
//! Nothing here awaits, reads a clock, or touches a file: the time arrives with each message, and what is to
//! be done outside leaves as an [`Effect`].

mod clean;
pub mod disguise;
pub mod draft;
pub mod effect;
pub mod entries;
mod filter;
pub mod form;
pub mod handles;
pub mod hints;
pub mod keymap;
pub mod lamps;
pub mod list;
mod lock;
pub mod message;
pub mod model;
pub mod notice;
pub mod screen;
pub mod secret_field;
pub mod shared_token;
#[cfg(test)]
mod tests;
pub mod tokens;
mod update;
pub mod watching;

pub use draft::{CopyOf, Draft, FieldId};
pub use effect::Effect;
pub use keymap::{Action, Keymap};
pub use message::{Message, SecretInput};
pub use model::Model;
