//! What several tests need: terminals, commands, real servers.
#![expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test takes what it needs, and what is missing shall fail it"
)]

pub mod commands;
pub mod netns;
pub mod person;
pub mod pty;
pub mod rig;
pub mod stage;

use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The forms in which a key leaves the program: as it is, as OSC 52 copies it, and as a request carries the pair.
pub fn forms_of(username: &str, key: &str) -> [String; 3] {
    let pair = format!("{username}:{key}");
    [key.to_owned(), STANDARD.encode(key), STANDARD.encode(pair)]
}

/// Says on stderr which test is not run here, and why. Not by `eprintln!`: what a test prints by that is shown only
/// where it fails, and one that is not run passes.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// The same for what only root may do. In CI root may: there it is a failure.
pub fn not_permitted(what: &str) {
    let in_ci = std::env::var_os("CI").is_some() && rustix::process::geteuid().is_root();
    assert!(!in_ci, "must be permitted in CI: {what}");
    skip(what);
}

/// Whether `program`, a whole path, is here; says so where not.
pub fn is_here(program: &str) -> bool {
    let here = std::path::Path::new(program).exists();
    if !here {
        not_installed(program);
    }
    here
}

/// The same for programs that are not installed. In CI the test command has installed them all: there it is a failure.
pub fn not_installed(what: &str) {
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "must run in CI: {what} missing");
    skip(&format!("{what} missing; tests/run installs them as root"));
}
