//! A line that somebody types into the terminal; a secret without being shown.
//!
//! Ctrl-C is read as what it is, and ends the line: as a signal it would end the program, and leave the shell without
//! an echo. (SIGTERM still does.)

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use super::fault::Fault;
use crate::domain::Secret;
use crate::jobs;

/// Ctrl-C and Ctrl-\, which end the question.
const CANCELS: [u8; 2] = [0x03, 0x1c];
/// A terminal hands over no longer line, bytes: what is more is dropped without a word.
const LONGEST: usize = 4095;

/// The terminal with a question of ours, until it is dropped.
struct AskingTerminal {
    terminal: OwnedFd,
    before: Termios,
    hides: bool,
}

impl AskingTerminal {
    /// Without an echo where `hides`.
    fn begin(hides: bool) -> Result<Self, Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let terminal = rustix::fs::open("/dev/tty", flags, Mode::empty())?;
        let before = tcgetattr(&terminal)?;
        let mut asking = before.clone();
        asking.local_modes -= LocalModes::ISIG;
        asking.local_modes |= LocalModes::ECHONL | LocalModes::ICANON;
        asking.local_modes.set(LocalModes::ECHO, !hides);
        let [cancel, quit] = CANCELS;
        asking.special_codes[SpecialCodeIndex::VEOL] = cancel;
        asking.special_codes[SpecialCodeIndex::VEOL2] = quit;
        tcsetattr(&terminal, changing(hides), &asking)?;
        Ok(Self {
            terminal,
            before,
            hides,
        })
    }

    /// One line, without its end; nothing where it was cancelled, by Ctrl-C, or by Ctrl-D where nothing was typed.
    fn line(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Errno> {
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let mut piece = Zeroizing::new([0_u8; 4096]);
        loop {
            // Where they are held, between two screens, no loop is there to let a stop in.
            let read = jobs::unheld(|| rustix::io::read(&self.terminal, &mut piece[..]));
            let count = match read {
                Ok(0) if line.is_empty() => return Ok(None),
                Ok(0) => break,
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            let read = piece.get(..count).unwrap_or_default();
            if read.iter().any(|byte| CANCELS.contains(byte)) {
                return Ok(None);
            }
            line.extend_from_slice(read);
            if line.ends_with(b"\n") || line.len() >= LONGEST {
                break;
            }
        }
        while line
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            line.pop();
        }
        Ok(Some(line))
    }
}

impl Drop for AskingTerminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, changing(self.hides), &self.before);
    }
}

/// What was typed ahead of a secret was meant for somebody else, and was shown; further lines of a paste were no answer,
/// and would stand in the open at the shell's prompt.
const fn changing(hides: bool) -> OptionalActions {
    if hides {
        OptionalActions::Flush
    } else {
        OptionalActions::Now
    }
}

/// Asks for a secret in the controlling terminal.
pub fn secret(question: &str) -> Result<Secret, Fault> {
    asked(question, true).map(|typed| Secret::new(typed.as_str()))
}

/// Asks for a line that may be seen.
pub fn line(question: &str) -> Result<String, Fault> {
    asked(question, false).map(|typed| typed.as_str().to_owned())
}

fn asked(question: &str, hides: bool) -> Result<Zeroizing<String>, Fault> {
    let failed = |error: Errno| {
        let error = std::io::Error::from(error);
        Fault::step("reading what was typed", error)
    };
    let asking = AskingTerminal::begin(hides).map_err(failed)?;
    ask(&asking.terminal, question).map_err(failed)?;
    let Some(line) = asking.line().map_err(failed)? else {
        let _ = ask(&asking.terminal, "\n");
        return Err(Fault::usage("cancelled: nothing was entered"));
    };
    if line.len() >= LONGEST {
        return Err(Fault::usage(format!(
            "a terminal hands over {LONGEST} bytes of a line at most: give it by a descriptor or on standard input"
        )));
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_not_text| Fault::usage("what was typed is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn ask(terminal: &impl AsFd, question: &str) -> Result<(), Errno> {
    let mut rest = question.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(terminal, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
