//! Secrets that can't print themselves, and the handles made of them.
//!
//! A [`Secret`] has a masking `Debug`, no `Display`, no `Serialize`, constant-time equality, and is wiped
//! when it is dropped. [`Secret::expose`] is its one reader; `tests/layers.rs` holds the list of the places
//! that may call it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What stands for a secret on every surface: fixed width, so that not even the length shows.
pub const MASK: &str = "••••••••••••";

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

    /// Whether the value begins with `start`. For shape checks only.
    pub fn starts_with(&self, start: &str) -> bool {
        self.0.starts_with(start)
    }

    /// Divides the value at the first `separator`, as a pasted `user:key` pair is divided.
    pub fn split_once(&self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.0.split_once(separator)?;
        Some((Self::new(before), Self::new(after)))
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
    fn a_pair_is_divided_at_its_first_colon() {
        let (user, key) = Secret::new("SU-1:a:b").split_once(':').unwrap();
        assert_eq!((user.expose(), key.expose()), ("SU-1", "a:b"));
    }
}
