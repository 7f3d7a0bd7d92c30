//! Routes out of the process: where a copied secret goes, how sure that is, and how it is taken back.
//!
//! One [`Clipboard`] a program. [`Clipboard::copy`] walks down a ladder that [`routes`] decides from the
//! [`Surroundings`] alone, and stops at the first route that took the text:
//!
//! 1. a command that the user sets;
//! 2. not under SSH: the desktop's clipboard, through a helper process ([`holder`]);
//! 3. in tmux: a private tmux buffer, which tmux passes on to the terminal outside;
//! 4. the terminal itself, by OSC 52 (in GNU screen and tmux wrapped so that they pass it on);
//! 5. nothing: the text is shown, to be selected by hand.
//!
//! What is placed is held until [`Clipboard::clear`], and taken back only where it is still ours, as far
//! as that can be read. Nothing here waits without a limit ([`Limits`]), no secret stands in an argument
//! or in the environment of a child, and no child inherits more variables than it needs.
//!
//! What is not known: whether a terminal obeyed OSC 52. Three of five terminals drop it by default and
//! none says so, hence [`Certainty::SentUnconfirmed`]. Some announce that they take it, once they are asked
//! ([`Terminal::Announces`]): the owner of stdout asks, where [`Placed::could_be_announced`].

pub mod holder;

mod child;
mod desktop;
mod escape;
mod hold;
mod placing;
mod route;
mod surroundings;
mod tmux;

pub use escape::TerminalBytes;
pub use hold::{Cleared, Clearing};
pub use holder::Life;
pub use placing::{ANNOUNCED, BY_HAND, Clipboard, Limits, Missed, Placed, UNCONFIRMED};
pub use route::{Certainty, Route, routes};
pub use surroundings::{Surroundings, Terminal};
