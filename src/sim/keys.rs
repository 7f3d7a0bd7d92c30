//! Keys and tokens of the rehearsal: of the right shape, the same for the same seed, and worth nothing.

use sha2::{Digest, Sha256};

/// `length` hex characters (64 at most) made of `text`.
pub(super) fn hex(text: &str, length: usize) -> String {
    Sha256::digest(text)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .take(length)
        .collect()
}
