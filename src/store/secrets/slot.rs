//! What a secret is in a connection: its key, its token, one of its added handles.

use std::fmt;

use crate::domain::Name;

/// Which of a connection's secrets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The key of the pair.
    Key,
    /// The shared token.
    Token,
    /// A handle that was added, by its label.
    Added(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Token => f.write_str("token"),
            Self::Added(label) => write!(f, "added/{label}"),
        }
    }
}

/// One secret's place in a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretPlace {
    /// The connection.
    pub connection: Name,
    /// Which of its secrets.
    pub part: Part,
}

impl SecretPlace {
    /// The key of `connection`.
    pub fn key(connection: &Name) -> Self {
        Self {
            connection: connection.clone(),
            part: Part::Key,
        }
    }

    /// The shared token of `connection`.
    pub fn token(connection: &Name) -> Self {
        Self {
            connection: connection.clone(),
            part: Part::Token,
        }
    }

    /// The added handle `label` of `connection`.
    pub fn added(connection: &Name, label: &str) -> Self {
        Self {
            connection: connection.clone(),
            part: Part::Added(label.to_owned()),
        }
    }
}

/// The name that a new entry of the vault or the keyring gets: `shop/key`.
impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.connection, self.part)
    }
}
