//! Which handle of a connection is meant, and in which form it is copied.

use std::fmt;

/// Which handle of a connection is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HandleSlot {
    /// The API key.
    Key,
    /// The shared token.
    Token,
    /// An added token, by its place.
    Added(usize),
}

impl fmt::Display for HandleSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Token => f.write_str("token"),
            Self::Added(place) => write!(f, "added token {}", place + 1),
        }
    }
}

/// In which form something is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CopyForm {
    /// The handle as it is.
    Handle,
    /// Whole header lines.
    Header,
    /// A curl command that reads the key from `$SWITCHBOARD_KEY`: no secret in it.
    Curl,
    /// The username.
    Username,
    /// The URL.
    Url,
}
