//! A secret, typed into the terminal without being shown.
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

/// Ctrl-C and Ctrl-\, which end the question.
const CANCELS: [u8; 2] = [0x03, 0x1c];
/// A terminal hands over no longer line, bytes: what is more is dropped without a word.
const LONGEST: usize = 4095;

/// The terminal without an echo, until it is dropped.
struct Silent {
    terminal: OwnedFd,
    before: Termios,
}

impl Silent {
    fn begin(terminal: OwnedFd) -> Result<Self, Errno> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
        silent.local_modes |= LocalModes::ECHONL | LocalModes::ICANON;
        let [cancel, quit] = CANCELS;
        silent.special_codes[SpecialCodeIndex::VEOL] = cancel;
        silent.special_codes[SpecialCodeIndex::VEOL2] = quit;
        // What was typed ahead was meant for somebody else, and was shown.
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }

    /// One line, without its end; nothing where it was cancelled.
    fn line(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Errno> {
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let mut piece = Zeroizing::new([0_u8; 4096]);
        loop {
            let count = match rustix::io::read(&self.terminal, &mut piece[..]) {
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

impl Drop for Silent {
    fn drop(&mut self) {
        // Further lines of a paste were no answer, and would stand in the open at the shell's prompt.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Asks for a secret in the controlling terminal.
pub fn secret(question: &str) -> Result<Secret, Fault> {
    let failed = |error: Errno| {
        let error = std::io::Error::from(error);
        Fault::input_text(format!("reading what was typed: {error}"))
    };
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let terminal = rustix::fs::open("/dev/tty", flags, Mode::empty()).map_err(failed)?;
    let silent = Silent::begin(terminal).map_err(failed)?;
    ask(&silent.terminal, question).map_err(failed)?;
    let line = silent.line().map_err(failed)?;
    let Some(line) = line else {
        let _ = ask(&silent.terminal, "\n");
        return Err(Fault::input_text("cancelled: nothing was entered"));
    };
    if line.len() >= LONGEST {
        return Err(Fault::input_text(format!(
            "a terminal hands over {LONGEST} bytes of a line at most: give it by a descriptor or on standard input"
        )));
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_not_text| Fault::input_text("what was typed is not UTF-8 text"))?;
    Ok(Secret::new(text))
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
