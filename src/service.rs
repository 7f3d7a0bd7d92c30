//! What is known of a service, pure: what to ask on each rung, and what an answer means.
//!
//! [`Ladder`](ladder) decides the next [`Step`] from the answers so far and never waits; `probe` asks and
//! never judges. Rules come from `assets/services/*.toml`, embedded; users add their own files.

pub mod step;
pub mod subject;

pub use step::{Answer, Ask, Authorization, Request, Step, StopAfter};
pub use subject::{Held, LastGood, Manner, Past, Subject};
