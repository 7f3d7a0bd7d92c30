//! The screen's state and how it changes, pure: a message goes in, effects come out.
//!
//! Nothing here awaits, reads a clock, or touches a file: the time arrives with each message, and what is to
//! be done outside leaves as an [`Effect`].

pub mod disguise;
pub mod draft;
pub mod effect;
pub mod handles;
pub mod keymap;
pub mod message;
pub mod model;
pub mod secret_field;

pub use draft::{Draft, FieldId, HandleSlot};
pub use effect::Effect;
pub use keymap::{Action, Keymap};
pub use message::{Message, SecretInput};
pub use model::Model;
