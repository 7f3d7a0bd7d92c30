//! The only room that prints: data to stdout, talk to stderr.
//!
//! A closed pipe is an end like any other: what can't be written any more is not an error to shout about.

pub mod human;
pub mod nagios;
pub mod reveal;
pub mod tokens;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use serde::Serialize;

use super::fault::Fault;
use crate::store::files;

/// Writes data, as it is, to stdout.
pub fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes bytes, as they are, to stdout.
pub fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// stdout as a writer, for what is too long to be held as one text.
#[derive(Clone, Copy, Debug)]
pub struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

/// Sends the log to `path`, if one was asked for: warnings, with `-v` what is done, with `-vv` everything.
pub fn log_to(path: Option<&Path>, verbose: u8) -> Result<(), Fault> {
    let Some(path) = path else { return Ok(()) };
    let file = files::open_log(path).map_err(|problem| Fault::input(&problem))?;
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let log = tracing_subscriber::fmt()
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_max_level(level);
    // A second log in one process would be our own mistake, and no reason to end.
    let _ = tracing::subscriber::set_global_default(log.finish());
    Ok(())
}

/// Writes one object as indented JSON.
pub fn json(object: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(object).map_err(io::Error::other)?;
    text.push('\n');
    data(&text)
}

/// Writes one object on one line.
pub fn ndjson(object: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(object).map_err(io::Error::other)?;
    text.push('\n');
    data(&text)
}

/// Says something to the person, on stderr.
pub fn say(text: &str) {
    // Where nobody reads stderr any more, nobody is left to be told.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Tells an error once with its chain, then what to do about it.
pub fn error(error: &dyn std::error::Error, hint: Option<&str>) {
    let mut text = format!("switchboard: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    if let Some(hint) = hint {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    say(&text);
}
