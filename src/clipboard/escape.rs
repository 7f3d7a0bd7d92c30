//! OSC 52, the escape sequence that sets a terminal's clipboard, and its wrappings.
//!
//! Clearing is an overwrite with one blank: an empty sequence and the `!` of xterm's manual are not passed
//! on by tmux, and some terminals ignore them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Secret;

/// The most base64 characters that are sent: hterm cuts there, and a cut secret is worse than none.
/// Terminals take more (xterm a million), none says how much.
const MOST_BASE64: usize = 100_000;

/// The most bytes of text that OSC 52 is used for.
pub(super) const MOST_BYTES: usize = MOST_BASE64 / 4 * 3;

/// Bytes of a piece in GNU screen, whose strings end at 768 bytes.
const SCREEN_PIECE: usize = 700;

/// How the sequence begins.
const BEGINS: &str = "\x1b]52;c;";

/// Bytes for the terminal, to be written by the owner of stdout in one write, between frames. They hold
/// the secret: wiped on drop, masked in `Debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalBytes(Secret);

impl TerminalBytes {
    /// What to write.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }

    /// These bytes and then those of `next`.
    pub(super) fn followed_by(self, next: Option<Self>) -> Self {
        let Some(next) = next else { return self };
        let (first, second) = (self.0.expose(), next.0.expose());
        let mut both = String::with_capacity(first.len() + second.len());
        both.push_str(first);
        both.push_str(second);
        Self(Secret::new(both))
    }
}

/// What stands between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// Nothing: ended by ST, as crossterm writes it.
    Plain,
    /// GNU screen drops OSC 52, and passes on what stands in a DCS string; pieces are joined again.
    Screen,
    /// tmux passes on a DCS string of its own, every ESC in it doubled, if `allow-passthrough` is on.
    Tmux,
}

/// The text is longer than terminals are known to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are too long for a terminal's clipboard (at most {MOST_BYTES})")]
pub(super) struct TooLong {
    bytes: usize,
}

/// The bytes that put `text` on the terminal's clipboard.
pub(super) fn set(text: &Secret, wrapping: Wrapping) -> Result<TerminalBytes, TooLong> {
    fits(text)?;
    Ok(wrapped(text.expose(), wrapping))
}

/// Whether a terminal can be expected to take all of `text`.
pub(super) fn fits(text: &Secret) -> Result<(), TooLong> {
    let bytes = text.expose().len();
    if bytes > MOST_BYTES {
        return Err(TooLong { bytes });
    }
    Ok(())
}

/// Whether GNU screen gets `text` in one piece. Such a piece is a plain sequence for tmux too, where the ESC at its
/// beginning breaks the outer string off; of more pieces tmux would take the first alone.
pub(super) fn is_one_piece(text: &Secret) -> bool {
    BEGINS.len() + text.expose().len().div_ceil(3) * 4 < SCREEN_PIECE
}

/// The bytes that overwrite the terminal's clipboard with one blank.
pub(super) fn blank(wrapping: Wrapping) -> TerminalBytes {
    wrapped(" ", wrapping)
}

fn wrapped(text: &str, wrapping: Wrapping) -> TerminalBytes {
    let mut encoded = String::with_capacity(text.len().div_ceil(3) * 4);
    STANDARD.encode_string(text, &mut encoded);
    let encoded = Secret::new(encoded);
    let encoded = encoded.expose();
    // Reserved in full, so that growing leaves no copy of the secret behind.
    let mut bytes = String::with_capacity(encoded.len() + encoded.len() / SCREEN_PIECE * 4 + 64);
    let written = match wrapping {
        Wrapping::Plain => write!(bytes, "\x1b]52;c;{encoded}\x1b\\"),
        Wrapping::Tmux => write!(bytes, "\x1bPtmux;\x1b\x1b]52;c;{encoded}\x07\x1b\\"),
        Wrapping::Screen => in_pieces(&mut bytes, encoded),
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
    TerminalBytes(Secret::new(bytes))
}

/// The sequence cut into DCS strings. It ends in BEL, as ST would end the outer string.
fn in_pieces(bytes: &mut String, encoded: &str) -> std::fmt::Result {
    let parts = [BEGINS, encoded, "\x07"];
    let mut room = 0;
    for character in parts.into_iter().flat_map(str::chars) {
        if room == 0 {
            bytes.push_str(if bytes.is_empty() {
                "\x1bP"
            } else {
                "\x1b\\\x1bP"
            });
            room = SCREEN_PIECE;
        }
        bytes.push(character);
        room -= 1;
    }
    bytes.write_str("\x1b\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str, wrapping: Wrapping) -> String {
        let bytes = set(&Secret::new(text), wrapping).unwrap();
        String::from_utf8(bytes.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_wrapping_is_written_as_its_program_reads_it() {
        assert_eq!(sent("secret", Wrapping::Plain), "\x1b]52;c;c2VjcmV0\x1b\\");
        assert_eq!(
            sent("secret", Wrapping::Tmux),
            "\x1bPtmux;\x1b\x1b]52;c;c2VjcmV0\x07\x1b\\"
        );
        assert_eq!(
            sent("secret", Wrapping::Screen),
            "\x1bP\x1b]52;c;c2VjcmV0\x07\x1b\\"
        );
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_sequence() {
        for length in [1, 500, 519, 520, 521, 5_000, 75_000] {
            let text = "k".repeat(length);
            let bytes = sent(&text, Wrapping::Screen);
            let pieces: Vec<&str> = bytes
                .split_terminator("\x1b\\")
                .map(|piece| piece.strip_prefix("\x1bP").unwrap())
                .collect();
            assert!(pieces.iter().all(|piece| (1..=700).contains(&piece.len())));
            let plain = sent(&text, Wrapping::Plain).replace("\x1b\\", "\x07");
            assert_eq!(pieces.concat(), plain, "{length}");
        }
    }

    #[test]
    fn one_piece_is_told_by_its_length() {
        for (length, is_one) in [(0, true), (1, true), (519, true), (520, false)] {
            let text = "k".repeat(length);
            assert_eq!(is_one_piece(&Secret::new(text.as_str())), is_one);
            let pieces = sent(&text, Wrapping::Screen).matches("\x1bP").count();
            assert_eq!(pieces == 1, is_one, "{length}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_and_never_cut() {
        let most = "k".repeat(75_000);
        assert!(set(&Secret::new(most.clone()), Wrapping::Plain).is_ok());
        let error = set(&Secret::new(most + "k"), Wrapping::Screen).unwrap_err();
        assert_eq!(
            error.to_string(),
            "75001 bytes are too long for a terminal's clipboard (at most 75000)"
        );
    }

    #[test]
    fn clearing_is_an_overwrite_with_one_blank() {
        assert_eq!(blank(Wrapping::Plain).as_bytes(), b"\x1b]52;c;IA==\x1b\\");
    }

    #[test]
    fn the_bytes_do_not_print_themselves() {
        let bytes = set(&Secret::new("secret"), Wrapping::Plain).unwrap();
        assert!(!format!("{bytes:?}").contains("c2Vj"));
    }

    #[test]
    fn bytes_are_joined_in_order() {
        let both = blank(Wrapping::Plain).followed_by(Some(blank(Wrapping::Tmux)));
        let expected = [
            blank(Wrapping::Plain).as_bytes(),
            blank(Wrapping::Tmux).as_bytes(),
        ]
        .concat();
        assert_eq!(both.as_bytes(), expected);
    }
}
