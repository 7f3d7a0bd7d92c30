//! The only room that prints: data to stdout, talk to stderr.
//!
//! A closed pipe is an end like any other: what can't be written any more is not an error to shout about.

pub mod human;
pub mod nagios;
pub mod reveal;
pub mod tokens;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::stdio::stdout;
use serde::Serialize;

use super::arguments::Global;
use super::fault::Fault;
use crate::config::Environment;
use crate::domain::error::whole_chain;
use crate::domain::text::{harmless, screened};
use crate::store::files;

/// What is to come out can't be written: never what came in, which has words of its own.
#[derive(Debug)]
pub struct OutputProblem(pub io::Error);

impl From<io::Error> for OutputProblem {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

/// Writes data, as it is, to stdout.
pub fn data(text: &str) -> Result<(), OutputProblem> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes data for people to stdout, without anything in it that a terminal may act on.
pub fn text(text: &str) -> Result<(), OutputProblem> {
    data(&harmless(text))
}

/// Writes bytes, as they are, to stdout.
pub fn raw(bytes: &[u8]) -> Result<(), OutputProblem> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
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

/// The log that was asked for: by `--log` at its path, by `-v` alone beside the state.
pub fn log(environment: &Environment, global: &Global) -> Result<(), Fault> {
    let path = match (&global.log, global.verbose) {
        (Some(path), _) => path.clone(),
        (None, 0) => return Ok(()),
        (None, _) => super::context::folders(environment, global)?
            .state
            .join("switchboard.log"),
    };
    log_to(&path, global.verbose)
}

/// Sends the log to `path`: warnings, with `-v` what is done, with `-vv` everything.
pub fn log_to(path: &Path, verbose: u8) -> Result<(), Fault> {
    let file = files::open_log(path).map_err(Fault::of)?;
    let _ = LOG.set(Log {
        path: path.to_owned(),
        file: Mutex::new(file),
        failed: OnceLock::new(),
    });
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let log = tracing_subscriber::fmt()
        .with_writer(|| LogWriter)
        .with_ansi(false)
        // It would say so on stderr, in the middle of the screen, at each line.
        .log_internal_errors(false)
        .with_max_level(level);
    // A second log in one process would be our own mistake, and no reason to end.
    let _ = tracing::subscriber::set_global_default(log.finish());
    Ok(())
}

/// The log, where one was asked for.
static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    path: PathBuf,
    file: Mutex<files::LogFile>,
    /// Why the first line that is missing could not be written.
    failed: OnceLock<String>,
}

/// Writes to [`LOG`].
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(Log { file, failed, .. }) = LOG.get() else {
            return Ok(bytes.len());
        };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(bytes).map(|()| bytes.len());
        if let Err(problem) = &written {
            let _ = failed.set(problem.to_string());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens the log's file again, for whoever has renamed it (logrotate). Where that fails the old one is written on.
pub fn reopen_log() -> Result<(), files::FileProblem> {
    if let Some(Log { path, file, .. }) = LOG.get() {
        let opened = files::open_log(path)?;
        *file.lock().unwrap_or_else(PoisonError::into_inner) = opened;
    }
    Ok(())
}

/// Says at the end that lines of the log are missing: while the screen or a watch runs, it stops nothing.
pub fn tell_of_missing_lines() {
    if let Some(log) = LOG.get()
        && let Some(why) = log.failed.get()
    {
        let path = files::shown(&log.path);
        say(&format!(
            "switchboard: the log {path} is not complete: {why}"
        ));
    }
}

/// Writes one object as indented JSON.
pub fn json(object: &impl Serialize) -> Result<(), OutputProblem> {
    let text = serde_json::to_string_pretty(object).map_err(io::Error::other)?;
    data(&(escaped(&text).into_owned() + "\n"))
}

/// Writes one object on one line.
pub fn ndjson(object: &impl Serialize) -> Result<(), OutputProblem> {
    data(&ndjson_line(object)?)
}

/// What a pipe takes as a whole (`PIPE_BUF` of Linux), bytes: lines of several programs don't get into each other.
const WHOLE: usize = 4096;
/// What is written to a file at once, bytes.
const TO_FILE: usize = 65_536;

/// The room that a line of JSON begins with, bytes.
const LINE: usize = 1536;
/// Room for several of them.
const SEVERAL: usize = 16 * 1024;

/// An object as a line of NDJSON.
pub fn ndjson_line(object: &impl Serialize) -> Result<String, OutputProblem> {
    // Room for most verdicts: a buffer that grows is copied, and wiped, at each step.
    let mut line = Vec::with_capacity(LINE);
    add_ndjson(&mut line, object)?;
    Ok(String::from_utf8(line).map_err(io::Error::other)?)
}

fn add_ndjson(bytes: &mut Vec<u8>, object: &impl Serialize) -> Result<(), OutputProblem> {
    let before = bytes.len();
    serde_json::to_writer(Appending(bytes), object).map_err(io::Error::other)?;
    bytes.push(b'\n');
    let line = str::from_utf8(&bytes[before..]).map_err(io::Error::other)?;
    if let Cow::Owned(escaped) = escaped(line) {
        bytes.truncate(before);
        bytes.extend_from_slice(escaped.as_bytes());
    }
    Ok(())
}

/// JSON comes in pieces of which most are one byte.
struct Appending<'a>(&'a mut Vec<u8>);

impl Write for Appending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match bytes {
            [byte] => self.0.push(*byte),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether stdout takes `line` without waiting for whoever reads it.
pub fn goes_at_once(line: &str) -> bool {
    let out = stdout();
    let mut asked = [PollFd::new(&out, PollFlags::OUT)];
    let answered = poll(&mut asked, Some(&Timespec::default())).is_ok_and(|ready| ready > 0);
    line.len() <= WHOLE && answered
}

/// Texts for stdout that lie behind one another: of thousands each would have to be given back by itself.
#[derive(Debug, Default)]
pub struct Texts {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Texts {
    /// One more, as it is.
    pub fn push(&mut self, text: &str) {
        self.make_room();
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }

    /// One more: a line of NDJSON.
    pub fn push_ndjson(&mut self, object: &impl Serialize) -> Result<(), OutputProblem> {
        self.make_room();
        add_ndjson(&mut self.bytes, object)?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn make_room(&mut self) {
        if self.bytes.is_empty() {
            self.bytes.reserve(SEVERAL);
        }
    }

    /// The texts in as few pieces as have at most so many bytes; a text is never divided.
    fn pieces(&self, most: usize) -> impl Iterator<Item = &[u8]> {
        let (mut begin, mut ends) = (0, self.ends.iter().copied().peekable());
        std::iter::from_fn(move || {
            let mut end = ends.next()?;
            while let Some(further) = ends.next_if(|further| further - begin <= most) {
                end = further;
            }
            let piece = self.bytes.get(begin..end);
            begin = end;
            piece
        })
    }
}

/// Writes texts, as they are, as many at once as go into a pipe or a file together.
pub fn texts(texts: &Texts) -> Result<(), OutputProblem> {
    let is_file = fstat(stdout())
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile);
    let most = if is_file { TO_FILE } else { WHOLE };
    texts.pieces(most).try_for_each(raw)
}

/// JSON in which every character that a terminal may act on is written as `\uXXXX`: the same value to a parser,
/// and nothing to a terminal. (`serde_json` leaves DEL, C1 and everything above as they are.) Outside of texts
/// JSON holds none of them but the line ends between its parts.
pub fn escaped(json: &str) -> Cow<'_, str> {
    // (The controls of ASCII are escaped already, but for DEL.)
    if json.is_ascii() && !json.as_bytes().contains(&0x7f) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for (c, harmless) in screened(json) {
        if harmless || c == '\n' {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String does not fail.
            let _ = fmt::Write::write_fmt(&mut text, format_args!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(text)
}

/// Says something to the person, on stderr, without anything in it that a terminal may act on.
pub fn say(text: &str) {
    // Where nobody reads stderr any more, nobody is left to be told.
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Tells an error once with its chain, then what to do about it.
pub fn error(error: &dyn std::error::Error, hint: Option<&str>) {
    say(&error_text(error, hint));
}

/// What is told of an error: its chain, then what to do about it on a line of its own.
pub fn error_text(error: &dyn std::error::Error, hint: Option<&str>) -> String {
    let mut text = format!("switchboard: {}", whole_chain(error));
    if let Some(hint) = hint {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_a_pipe_at_once_is_whole_texts() {
        let pieces = |lengths: &[usize], most| -> Vec<usize> {
            let mut texts = Texts::default();
            for length in lengths {
                texts.push(&("x".repeat(length - 1) + "\n"));
            }
            let pieces: Vec<_> = texts.pieces(most).collect();
            assert!(pieces.iter().all(|piece| piece.ends_with(b"\n")));
            assert_eq!(pieces.concat().len(), lengths.iter().sum::<usize>());
            pieces.iter().map(|piece| piece.len()).collect()
        };
        assert_eq!(
            pieces(&[1_000, 2_000, 1_096, 1, 5_000, 10, 20], WHOLE),
            [4_096, 1, 5_000, 30]
        );
        assert!(pieces(&[], WHOLE).is_empty());
        assert_eq!(pieces(&[4_096, 60_000, 10_000], TO_FILE), [64_096, 10_000]);
    }

    #[test]
    fn a_line_that_is_escaped_leaves_those_before_it() {
        let mut texts = Texts::default();
        texts.push_ndjson(&"one").unwrap();
        texts.push_ndjson(&"\u{9b}31m").unwrap();
        texts.push_ndjson(&"three").unwrap();
        let lines: Vec<_> = texts.pieces(1).collect();
        assert_eq!(
            lines,
            [&b"\"one\"\n"[..], b"\"\\u009b31m\"\n", b"\"three\"\n"]
        );
    }

    #[test]
    fn json_means_the_same_and_holds_nothing_active() {
        let value = vec![
            "e\u{301}\u{301}\u{301}\u{301}",
            "a\u{1b}\u{7f}\u{9b}31m\u{202e}\u{10eeee}\u{e0041}\u{2028}é漢",
            "b\n",
        ];
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let text = escaped(&pretty);
        assert!(
            screened(&text).all(|(c, harmless)| harmless || c == '\n'),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), value);
        assert!(
            text.contains("\\u009b31m") && text.contains("\\udbfb\\udeee"),
            "{text}"
        );
        assert_eq!(escaped("[\"\u{7f}\",\n\"~ \"]"), "[\"\\u007f\",\n\"~ \"]");
    }
}
