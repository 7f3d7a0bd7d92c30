//! What several tests need: terminals, commands, real servers.
#![expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "each test takes what it needs, and what is missing shall fail it"
)]

pub mod commands;
pub mod netns;
pub mod person;
pub mod pty;
pub mod rig;
pub mod stage;
