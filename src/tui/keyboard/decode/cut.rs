//! What was cut: sequences whose beginning was a key already, and those that have no end where they should have one.

use super::Decoder;

/// Ctrl-C. Terminals leave it out of what they paste: alone, it is the key.
const INTERRUPT: &[u8] = b"\x03";

impl Decoder {
    /// Ends a paste whose end was lost, where `bytes` say so: else no key would come any more.
    pub(super) fn end_lost_paste(&mut self, bytes: &[u8]) {
        if bytes == INTERRUPT && self.paste.take().is_some() {
            self.forget(self.left.len());
        }
    }
}

/// A sequence whose beginning was taken for a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Late {
    /// The escape was the Esc key; its rest may come.
    Awaited,
    /// So much later only what can be nothing else is its rest.
    Doubtful,
    /// `ESC [` was Alt-[; its rest may come.
    Bracket,
    /// Its rest has begun, and stands behind its beginning again.
    Begun,
}

impl Late {
    /// What was taken for a key, where `bytes` go on with it.
    pub(super) fn beginning(self, bytes: &[u8]) -> Option<&'static [u8]> {
        // (A colon stands first in no sequence, but in an address as `[::1]`.)
        let goes_on =
            |second: Option<&u8>| matches!(second, Some(b'0'..=b'9' | b';'..=b'?' | b'A'..=b'Z'));
        let (beginning, is_rest): (&[u8], _) = match (self, bytes) {
            (Self::Awaited, [b'[', b':', ..]) => (b"", false),
            (Self::Awaited, [first, ..]) => (b"\x1b", b"[O]P_".contains(first)),
            (Self::Doubtful, [b'[', rest @ ..]) => {
                (b"\x1b", rest.is_empty() || goes_on(rest.first()))
            }
            (Self::Doubtful, [b']', b'0'..=b'9', ..]) => (b"\x1b", true),
            // One digit alone is typed by a person.
            (Self::Bracket, [last]) => (b"\x1b[", last.is_ascii_uppercase()),
            (Self::Bracket, [first, ..]) => (b"\x1b[", goes_on(Some(first))),
            _ => (b"", false),
        };
        is_rest.then_some(beginning)
    }
}

/// What has no end where it should have one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Endless {
    /// `ESC [` and parameters.
    Sequence,
    /// A string that the terminal answers.
    Answer,
}

impl Endless {
    /// How many of `bytes` belong to it, once it ends in them.
    pub(super) fn rest(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Sequence => {
                let end = bytes
                    .iter()
                    .position(|byte| !(0x20..=0x3f).contains(byte))?;
                // What broke it off is looked at for itself.
                Some(end + usize::from(matches!(bytes.get(end), Some(0x40..0x7f))))
            }
            Self::Answer => {
                let end = bytes.iter().position(|byte| matches!(byte, 0x07 | 0x1b))?;
                match (bytes.get(end), bytes.get(end + 1)) {
                    (Some(0x07), _) => Some(end + 1),
                    (_, Some(b'\\')) => Some(end + 2),
                    (_, Some(_)) => Some(end),
                    (_, None) => None,
                }
            }
        }
    }
}
