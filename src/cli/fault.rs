//! Why a command ended without doing what it was asked, with its exit code.

use std::fmt;

use crate::work::WorkError;

/// An error for the top: told once, with a hint where one helps.
#[derive(Debug)]
pub struct Fault {
    /// What was being done, and what went wrong.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The exit code: 3 for usage, configuration, a locked store, no terminal, cancelled.
    pub code: u8,
}

/// The code of everything that is ours: usage, configuration, a locked store, no terminal, cancelled.
pub const OURS: u8 = 3;

impl Fault {
    /// The command was not said rightly.
    pub fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            hint: None,
            code: OURS,
        }
    }

    /// Something that was to be read can't be; with its causes.
    pub fn input(error: &dyn std::error::Error) -> Self {
        Self {
            text: crate::store::told(error),
            hint: None,
            code: OURS,
        }
    }

    /// Something that was to be read can't be.
    pub fn input_text(text: impl Into<String>) -> Self {
        Self::usage(text)
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

impl From<WorkError> for Fault {
    fn from(error: WorkError) -> Self {
        let hint = match &error {
            WorkError::NoSuchConnection(_) => {
                Some("switchboard connection list names them".to_owned())
            }
            WorkError::StoreNeeded(_) => Some(
                "give --store vault or --store keyring, or a reference by --key-ref".to_owned(),
            ),
            WorkError::PassphraseNeeded(_) => Some(super::sources::NOBODY.to_owned()),
            _ => None,
        };
        Self {
            text: error.to_string(),
            hint,
            code: OURS,
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self {
            text: format!("writing the result: {error}"),
            hint: None,
            code: OURS,
        }
    }
}
