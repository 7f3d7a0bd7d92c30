//! Which handle of a connection is meant, and in which form it is copied.

use std::fmt;

use super::connection::Connection;
use super::text::inert;

/// Which handle of a connection is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HandleSlot {
    /// The API key.
    Key,
    /// The shared token.
    Token,
    /// An added token, by its label: its place is another one once another copy of the program adds or removes some.
    Added(String),
}

impl HandleSlot {
    /// Those of the added tokens of `connection`.
    pub fn of_added(connection: &Connection) -> impl Iterator<Item = Self> {
        let added = connection.added.iter();
        added.map(|(label, _)| Self::Added(label.clone()))
    }
}

impl fmt::Display for HandleSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Token => f.write_str("token"),
            Self::Added(label) => write!(f, "token called {}", inert(label, 60)),
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
