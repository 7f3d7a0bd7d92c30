//! Bytes of a terminal, made into events.
//!
//! Keys as xterm, VTE, kitty, tmux, screen and the Linux console send them, bracketed pastes, and the mouse. What a
//! terminal answers (to us or to a program before us, late over a slow line) is taken out: it never becomes keys.
//! Told of are its status and its attributes, which is all that this program asks for.
//!
//! A slow line cuts anything anywhere, and a lost packet holds the rest up for seconds. So:
//!
//! - A lone escape is the Esc key after `ESCAPE`. What comes next and can only be the rest of a sequence that was cut
//!   there (`[A`) moves and types nothing, however late; what looks like it in part only (`OA`), for `LATE`.
//! - `ESC` with a letter is Alt with it after `REST`, also where that letter begins sequences. Of `ESC [` the rest
//!   counts for nothing when it comes within `STALE`.
//! - A sequence, a character of several bytes and a paste that have begun are whole whenever their rest comes. Nobody
//!   types their beginnings, and a sequence ends with the next letter: that much is lost where the rest never comes.
//!   Of a paste whose end was lost, Ctrl-C is the way out.
//! - A string that the terminal answers is swallowed until its end, until an escape, or until `STALE` has passed
//!   without more of it.

mod cut;
mod key;
mod mouse;

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyModifiers};
use zeroize::{Zeroize, Zeroizing};

use crate::clipboard::Terminal;
use cut::{Endless, Late};
use key::{character_key, cursor_key, key, letter_key, modifiers, numbered, with_alt};

/// A lone escape is the Esc key once nothing has followed for so long: a serial line of 600 bits/s needs 17 ms a byte, and
/// what was taken for Esc would have left the form before the rest of an arrow key comes.
const ESCAPE: Duration = Duration::from_millis(25);
/// `ESC` and a letter may begin a sequence for so long, before they are Alt with the letter.
const REST: Duration = Duration::from_millis(500);
/// So long without more, and an answer of the terminal has no end; the rest of what was taken for Alt-[ comes no more.
const STALE: Duration = Duration::from_secs(5);
/// So long after a lone escape what comes may be the rest of a sequence that was cut behind its first byte, as a serial
/// console or a loaded line does it. Nobody waits for it, but a key that such a rest can begin with.
const LATE: Duration = Duration::from_millis(300);
/// Of such a rest the second byte comes so soon. Behind a person's key it does not: that is one by itself.
const SECOND: Duration = Duration::from_millis(30);
/// No key's sequence is longer.
const LONGEST: usize = 64;
/// An answer that is longer is not kept until its end: it is looked through anew with each piece that comes.
const LONGEST_ANSWER: usize = 1024;

/// No field takes more of a paste; what comes behind is not kept, so that one without an end costs nothing.
const LONGEST_PASTE: usize = 256 * 1024;

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What a terminal has sent.
#[derive(Clone, Debug, PartialEq)]
pub enum TerminalInput {
    /// A person did something.
    Event(Event),
    /// Its status, which it was asked for: it has taken in what was written before.
    Status,
    /// Its attributes, as far as a copy cares.
    Attributes(Terminal),
}

/// Decodes what comes, piece by piece.
#[derive(Default)]
pub struct Decoder {
    /// What was not decoded yet. It may hold a part of a secret.
    left: Zeroizing<Vec<u8>>,
    /// A paste that has begun, and how far its end was looked for.
    paste: Option<usize>,
    /// What was too long to be kept; its rest is still to come, and is no key.
    endless: Option<Endless>,
    /// Whether an escape was given out as the Esc key whose sequence may still come.
    late: Option<Late>,
}

/// What stands at the beginning of the bytes.
#[derive(Debug, PartialEq)]
enum Decoded {
    /// So many bytes are this event.
    Event(usize, Event),
    /// So many bytes are what the terminal answers to us.
    Answer(usize, TerminalInput),
    /// So many bytes mean nothing to us.
    Nothing(usize),
    /// A paste begins behind so many bytes.
    Paste(usize),
    /// So many bytes, and all to the end of it, mean nothing to us.
    Endless(usize, Endless),
    /// More must come.
    Partial,
}

impl Decoder {
    /// What `bytes` complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<TerminalInput> {
        self.end_lost_paste(bytes);
        if let (Some(late @ (Late::Awaited | Late::Doubtful | Late::Bracket)), [_, ..]) =
            (self.late, bytes)
        {
            let beginning = late.beginning(bytes);
            self.late = beginning.map(|_| Late::Begun);
            self.left.extend_from_slice(beginning.unwrap_or_default());
        }
        if self.paste.is_some() {
            // A large one comes in many pieces: it grows as a vector does.
            self.left.extend_from_slice(bytes);
        } else {
            let room = self.left.len() + bytes.len();
            let mut grown = Zeroizing::new(Vec::with_capacity(room));
            grown.extend_from_slice(&self.left);
            grown.extend_from_slice(bytes);
            self.left = grown;
        }
        let mut heard = Vec::new();
        let mut from = 0;
        loop {
            if self.paste.is_some() {
                let Some(text) = self.pasted(&mut from) else {
                    break;
                };
                let text = without_answers(&text, &mut heard);
                heard.push(TerminalInput::Event(Event::Paste(text)));
            }
            if let Some(kind) = self.endless {
                let left = self.left.get(from..).unwrap_or_default();
                let Some(length) = kind.rest(left) else {
                    // An escape at the end may be the first byte of a terminator.
                    from = self.left.len() - usize::from(left.last() == Some(&0x1b));
                    break;
                };
                from += length;
                self.endless = None;
            }
            match self.first(from) {
                Decoded::Event(length, event) => {
                    heard.push(TerminalInput::Event(event));
                    from += length;
                }
                Decoded::Answer(length, answer) => {
                    heard.push(answer);
                    from += length;
                }
                Decoded::Nothing(length) => from += length,
                Decoded::Paste(length) => {
                    from += length;
                    self.paste = Some(from);
                }
                Decoded::Endless(length, kind) => {
                    from += length;
                    self.endless = Some(kind);
                }
                Decoded::Partial => break,
            }
        }
        self.forget(from);
        heard
    }

    /// Decodes what stands first behind `from`. Where its escape was an Esc key already, a sequence means nothing more,
    /// and what would be a letter with Alt is the letter.
    fn first(&mut self, from: usize) -> Decoded {
        let left = self.left.get(from..).unwrap_or_default();
        let decoded = first(left);
        if decoded == Decoded::Partial || self.late.take().is_none() {
            return decoded;
        }
        match (decoded, left) {
            (Decoded::Event(2, _), [_, letter, ..]) => {
                Decoded::Event(2, letter_key(char::from(*letter)))
            }
            (Decoded::Event(length, _), _) => Decoded::Nothing(length),
            (other, _) => other,
        }
    }

    /// How long the rest of what has begun is waited for before it is something else; `None` where nothing has, and
    /// where it can be nothing else.
    pub fn patience(&self) -> Option<Duration> {
        match (self.endless, self.left.as_slice()) {
            // A paste over a slow line may pause; ended early, its rest would be taken for keys.
            _ if self.paste.is_some() => None,
            (None, []) => match self.late? {
                Late::Awaited => Some(LATE),
                Late::Bracket => Some(STALE),
                Late::Doubtful | Late::Begun => None,
            },
            (None, [0x1b]) => Some(ESCAPE),
            (None, [0x1b, 0x20..=0x7e]) if self.late.is_some() => Some(SECOND),
            (Some(Endless::Answer), [_, ..])
            | (None, [0x1b, 0x20..=0x7e] | [0x1b, b']' | b'P' | b'_', .., 0x1b]) => Some(REST),
            (Some(Endless::Answer), []) | (None, [0x1b, b']' | b'P' | b'_', ..]) => Some(STALE),
            (Some(Endless::Sequence) | None, _) => None,
        }
    }

    /// Nothing more has come: an escape that stood alone is a key, and so is what can be one with Alt.
    pub fn give_up(&mut self) -> Vec<TerminalInput> {
        if self.patience().is_none() {
            return Vec::new();
        }
        self.endless = None;
        let late = self.late.take();
        let event = match self.left.as_slice() {
            [] if late == Some(Late::Awaited) => {
                self.late = Some(Late::Doubtful);
                None
            }
            [0x1b] => {
                self.late = Some(Late::Awaited);
                Some(key(KeyCode::Esc, KeyModifiers::NONE))
            }
            [0x1b, letter @ 0x20..=0x7e] => {
                self.late = (*letter == b'[').then_some(Late::Bracket);
                let letter = letter_key(char::from(*letter));
                Some(if late.is_some() {
                    letter
                } else {
                    with_alt(letter)
                })
            }
            _ => None,
        };
        self.forget(self.left.len());
        event.into_iter().map(TerminalInput::Event).collect()
    }

    /// The text of a paste whose end has come.
    fn pasted(&mut self, from: &mut usize) -> Option<String> {
        let looked = self.paste?;
        let found = self.left.get(looked..).and_then(|bytes| {
            bytes
                .windows(PASTE_ENDS.len())
                .position(|window| window == PASTE_ENDS)
        });
        let Some(found) = found else {
            self.forget(*from);
            *from = 0;
            self.shorten_paste();
            let kept = self.left.len().saturating_sub(PASTE_ENDS.len() - 1);
            self.paste = Some(kept);
            return None;
        };
        let end = looked + found;
        let text = String::from_utf8_lossy(self.left.get(*from..end).unwrap_or_default());
        let text = text.into_owned();
        *from = end + PASTE_ENDS.len();
        self.paste = None;
        Some(text)
    }

    /// Of a paste that no field takes, the beginning is kept, which says so, and what its end may have begun with.
    fn shorten_paste(&mut self) {
        let end = PASTE_ENDS.len() - 1;
        let Some(over) = self.left.len().checked_sub(LONGEST_PASTE + end) else {
            return;
        };
        self.left.copy_within(LONGEST_PASTE + over.., LONGEST_PASTE);
        if let Some(gone) = self.left.get_mut(LONGEST_PASTE + end..) {
            gone.zeroize();
        }
        self.left.truncate(LONGEST_PASTE + end);
    }

    /// Drops the first `count` bytes, and leaves no copy of them behind.
    fn forget(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let count = count.min(self.left.len());
        let kept = self.left.len() - count;
        self.left.copy_within(count.., 0);
        if let Some(gone) = self.left.get_mut(kept..) {
            gone.zeroize();
        }
        self.left.truncate(kept);
    }
}

/// Decodes what stands first in `bytes`.
fn first(bytes: &[u8]) -> Decoded {
    match bytes {
        [] | [0x1b] => Decoded::Partial,
        [0x1b, b'[', ..] => sequence(bytes),
        [0x1b, b'O', ..] => keypad(bytes),
        [0x1b, b']' | b'P' | b'_', ..] => answer(bytes),
        // Twice: the first one is the key.
        [0x1b, 0x1b, ..] => Decoded::Event(1, key(KeyCode::Esc, KeyModifiers::NONE)),
        [0x1b, rest @ ..] => match letter(rest) {
            Decoded::Event(length, event) => Decoded::Event(length + 1, with_alt(event)),
            Decoded::Nothing(length) => Decoded::Nothing(length + 1),
            other => other,
        },
        _ => letter(bytes),
    }
}

/// A character, or a key that is one.
fn letter(bytes: &[u8]) -> Decoded {
    let Some(&first) = bytes.first() else {
        return Decoded::Partial;
    };
    let control = |letter: u8| key(KeyCode::Char(char::from(letter)), KeyModifiers::CONTROL);
    let plain = |code| key(code, KeyModifiers::NONE);
    Decoded::Event(
        1,
        match first {
            0 => control(b' '),
            b'\t' => plain(KeyCode::Tab),
            b'\r' => plain(KeyCode::Enter),
            0x7f => plain(KeyCode::Backspace),
            1..=26 => control(first - 1 + b'a'),
            0x1c..=0x1f => control(first - 0x1c + b'4'),
            0x1b => return Decoded::Partial,
            _ => return character(bytes),
        },
    )
}

/// A character in UTF-8; bytes that are none are dropped one by one.
fn character(bytes: &[u8]) -> Decoded {
    let length = match bytes.first() {
        Some(0x20..=0x7e) => 1,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Decoded::Nothing(1),
    };
    let whole = bytes.get(..length);
    let begun = whole.unwrap_or(bytes);
    match (std::str::from_utf8(begun), whole) {
        (Ok(text), Some(_)) => match text.chars().next() {
            Some(c) => Decoded::Event(length, letter_key(c)),
            None => Decoded::Nothing(1),
        },
        // Cut off, not wrong.
        (Err(error), None) if error.error_len().is_none() => Decoded::Partial,
        _ => Decoded::Nothing(1),
    }
}

/// `ESC O` and a letter: cursor and function keys, and the keypad in application mode.
fn keypad(bytes: &[u8]) -> Decoded {
    let Some(&last) = bytes.get(2) else {
        return Decoded::Partial;
    };
    let code = match last {
        b'M' => KeyCode::Enter,
        b'j'..=b'y' => KeyCode::Char(char::from(last - b'j' + b'*')),
        _ => match cursor_key(last) {
            Some(code) => code,
            // Alt-O, and something else behind it.
            None => return Decoded::Event(2, with_alt(letter_key('O'))),
        },
    };
    Decoded::Event(3, key(code, KeyModifiers::NONE))
}

/// `ESC [`, parameters, and a last letter.
fn sequence(bytes: &[u8]) -> Decoded {
    let Some(body) = bytes.get(2..) else {
        return Decoded::Partial;
    };
    match body {
        // Clicks of terminals that know no other way: three bytes behind the letter.
        [b'M', rest @ ..] => return mouse::old_click(rest),
        // Function keys of the Linux console.
        [b'[', rest @ ..] => {
            return match rest {
                [] => Decoded::Partial,
                [last @ b'A'..=b'E', ..] => {
                    let number = last - b'A' + 1;
                    Decoded::Event(4, key(KeyCode::F(number), KeyModifiers::NONE))
                }
                _ => Decoded::Nothing(3),
            };
        }
        _ => {}
    }
    let near = body.get(..LONGEST).unwrap_or(body);
    let Some(end) = near.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if near.len() == LONGEST {
            Decoded::Endless(LONGEST + 2, Endless::Sequence)
        } else {
            Decoded::Partial
        };
    };
    let (parameters, last) = (body.get(..end).unwrap_or_default(), body.get(end));
    let length = end + 3;
    if bytes.starts_with(PASTE_BEGINS) {
        return Decoded::Paste(PASTE_BEGINS.len());
    }
    match last {
        // Not a sequence: what broke it off is looked at for itself.
        Some(0..0x40 | 0x7f..) | None => Decoded::Nothing(length - 1),
        Some(b'n') if parameters == b"0" => Decoded::Answer(length, TerminalInput::Status),
        Some(b'c') if parameters.starts_with(b"?") => {
            let terminal = Terminal::announced_in(bytes.get(..length).unwrap_or_default());
            Decoded::Answer(length, TerminalInput::Attributes(terminal))
        }
        Some(last) => known(parameters, *last).map_or(Decoded::Nothing(length), |event| {
            Decoded::Event(length, event)
        }),
    }
}

/// A paste without what the terminal answered in between, as tmux does, which hands a long one on piece by piece.
fn without_answers(text: &str, heard: &mut Vec<TerminalInput>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, _)) = rest.split_once("\x1b[") {
        let (_, found) = rest.split_at(before.len());
        kept.push_str(before);
        if let Decoded::Answer(length, answer) = sequence(found.as_bytes()) {
            heard.push(answer);
            (_, rest) = found.split_at(length);
        } else {
            kept.push('\x1b');
            (_, rest) = found.split_at(1);
        }
    }
    kept.push_str(rest);
    kept
}

/// What a whole sequence means. Answers of the terminal (private parameters, reports of the cursor) mean nothing.
fn known(parameters: &[u8], last: u8) -> Option<Event> {
    let text = std::str::from_utf8(parameters).ok()?;
    if let Some(click) = text.strip_prefix('<') {
        return mouse::clicked(click, last);
    }
    let mut numbers = text.split(';').map(|part| {
        let first = part.split(':').next().unwrap_or("");
        first.parse::<u32>().ok()
    });
    let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
    // kitty's protocol, left on by another program, tells of the release too.
    let mut kind = text
        .split(';')
        .skip(1)
        .filter_map(|part| part.split(':').nth(1));
    if kind.next() == Some("3") {
        return None;
    }
    if text.starts_with(|c: char| !c.is_ascii_digit() && c != ';') {
        return None;
    }
    let held = modifiers(second);
    let code = match last {
        b'Z' => return Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        // With parameters it reports where the cursor is.
        b'R' if !text.is_empty() => return None,
        b'~' if first == Some(27) => return character_key(numbers.next().flatten()?, held),
        b'~' => numbered(first?)?,
        b'u' => return character_key(first?, held),
        _ => cursor_key(last)?,
    };
    Some(key(code, held))
}

/// Operating system commands and device control strings are answers, up to their terminator; where they begin
/// otherwise, it was a letter with Alt.
fn answer(bytes: &[u8]) -> Decoded {
    let Some(kind) = bytes.get(1) else {
        return Decoded::Partial;
    };
    let begins = match (kind, bytes.get(2)) {
        (_, None) => return Decoded::Partial,
        (b']', Some(next)) => next.is_ascii_digit(),
        (b'P', Some(next)) => next.is_ascii_digit() || b">!+$=".contains(next),
        (_, Some(next)) => *next == b'G',
    };
    if !begins {
        return Decoded::Event(2, with_alt(letter_key(char::from(*kind))));
    }
    let body = bytes.get(2..).unwrap_or_default();
    let near = body.get(..LONGEST_ANSWER).unwrap_or(body);
    let ends = near.iter().position(|byte| matches!(byte, 0x07 | 0x1b));
    match ends {
        Some(at) => match body.get(at..at + 2) {
            _ if body.get(at) == Some(&0x07) => Decoded::Nothing(at + 3),
            Some([0x1b, b'\\']) => Decoded::Nothing(at + 4),
            // Broken off by another sequence.
            Some(_) => Decoded::Nothing(at + 2),
            None => Decoded::Partial,
        },
        None if near.len() == LONGEST_ANSWER => {
            Decoded::Endless(LONGEST_ANSWER + 2, Endless::Answer)
        }
        None => Decoded::Partial,
    }
}

#[cfg(test)]
mod tests;
