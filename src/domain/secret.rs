//! Secrets that can't print themselves, and the handles made of them.
//!
//! A [`Secret`] has a masking `Debug`, no `Display`, no `Serialize`, constant-time equality, and is wiped
//! when it is dropped. [`Secret::expose`] is its one reader; `tests/layers.rs` holds the list of the places
//! that may call it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::shape;

/// What stands for a secret on every surface: fixed width, so that not even the length shows.
pub const MASK: &str = "••••••••••••";

/// Characters that a passphrase should have which alone protects a file: what NIST SP 800-63B-4 (3.1.1.2) asks of a
/// password without a second factor.
const PASSPHRASE_LENGTH: usize = 15;

/// A value that must not be seen: a key, a token, a passphrase.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of `value`; its memory is wiped when the last copy of this secret is dropped.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself. The only reader: see the list in `tests/layers.rs` before calling it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// No value that is kept or sent is longer, bytes.
    pub const LIMIT: u64 = 64 * 1024;

    /// Whether it is longer than [`Self::LIMIT`]: some other file's contents, and no key.
    pub fn is_too_long(&self) -> bool {
        self.0.len() as u64 > Self::LIMIT
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every character of the value satisfies `test`; says nothing else about it.
    pub fn all(&self, test: impl Fn(char) -> bool) -> bool {
        self.0.chars().all(test)
    }

    /// Number of characters. For shape checks only; never shown.
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether the value is exactly `digits` hexadecimal digits. For shape checks only.
    pub fn is_hex(&self, digits: usize) -> bool {
        shape::is_hex(&self.0, digits)
    }

    /// What is to be said to whoever chooses this as a passphrase; nothing while nothing is typed.
    pub fn remark_on_passphrase(&self) -> Option<&'static str> {
        (1..PASSPHRASE_LENGTH)
            .contains(&self.length())
            .then_some("that is short: whoever gets the file can guess it. Four words are better.")
    }

    /// A number that equal values have in common under one `state`, and that says nothing under another. Groups values
    /// in memory where each would be compared with each.
    pub fn group(&self, state: &std::hash::RandomState) -> u64 {
        std::hash::BuildHasher::hash_one(state, self.0.as_bytes())
    }

    /// Whether the value begins with `start`. For shape checks only.
    pub fn starts_with(&self, start: &str) -> bool {
        self.0.starts_with(start)
    }

    /// Divides the value at the first `separator`, as a pasted `user:key` pair is divided.
    pub fn split_once(&self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.0.split_once(separator)?;
        Some((Self::new(before), Self::new(after)))
    }

    /// The value without blanks, line ends and other white space at its ends.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        Self::new(self.0.trim())
    }

    /// The value without control characters.
    #[must_use]
    pub fn without_controls(&self) -> Self {
        let mut kept = Self(Zeroizing::new(String::with_capacity(self.0.len())));
        kept.0.extend(self.0.chars().filter(|c| !c.is_control()));
        kept
    }

    /// Puts `c` in before the character at `index` (the end where there is none).
    pub fn insert(&mut self, index: usize, c: char) {
        let at = self.byte_of(index);
        self.make_room(c.len_utf8());
        self.0.insert(at, c);
    }

    /// Puts `other` in before the character at `index` (the end where there is none).
    pub fn insert_all(&mut self, index: usize, other: &Self) {
        let at = self.byte_of(index);
        self.make_room(other.0.len());
        self.0.insert_str(at, &other.0);
    }

    /// Takes out the character at `index`, if there is one.
    pub fn remove(&mut self, index: usize) {
        let at = self.byte_of(index);
        if at < self.0.len() {
            self.0.remove(at);
        }
    }

    fn byte_of(&self, index: usize) -> usize {
        self.0
            .char_indices()
            .nth(index)
            .map_or(self.0.len(), |(at, _)| at)
    }

    /// Grows by moving into a larger buffer, so that the smaller one is wiped: a plain reallocation would
    /// leave a copy behind.
    fn make_room(&mut self, further: usize) {
        let needed = self.0.len() + further;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity((needed * 2).max(256)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// What a passphrase of the vault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassphrasePurpose {
    /// There is no vault yet: choose one, typed twice.
    Create,
    /// Open the one that is there.
    Open,
}

/// What the owner of a connection pastes elsewhere, without a line end.
#[derive(Clone, PartialEq, Eq)]
pub struct Handle(Secret);

impl Handle {
    /// A handle that is the secret as it is: a Blesta API key, a shared token.
    pub fn plain(secret: Secret) -> Self {
        Self(secret)
    }

    /// The secret inside, for the room that reveals or copies it.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({MASK})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?} {:?}", Handle::plain(secret.clone())).contains("hunter2"));
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn equality_compares_whole_values() {
        assert_eq!(Secret::new("abc"), Secret::new("abc"));
        assert_ne!(Secret::new("abc"), Secret::new("abd"));
        assert_ne!(Secret::new("abc"), Secret::new("ab"));
    }

    #[test]
    fn characters_are_put_in_and_taken_out() {
        let mut secret = Secret::new("kéy");
        secret.insert(1, 'ö');
        secret.remove(2);
        secret.insert_all(9, &Secret::new("!".repeat(600)));
        secret.remove(9_999);
        assert_eq!(secret.expose(), format!("köy{}", "!".repeat(600)));
    }

    #[test]
    fn a_pair_is_divided_at_its_first_colon() {
        let (user, key) = Secret::new("SU-1:a:b").split_once(':').unwrap();
        assert_eq!((user.expose(), key.expose()), ("SU-1", "a:b"));
    }
}
