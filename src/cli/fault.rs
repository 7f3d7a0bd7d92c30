//! Why a command ended without doing what it was asked, with its exit code.

use std::error::Error;
use std::fmt;

use super::output::OutputProblem;
use crate::domain::{Cause, error_chain};
use crate::store::StoreKind;
use crate::store::secrets::Offer;
use crate::work::WorkError;

/// An error for the top: told once with its causes, and with a hint where one helps.
#[derive(Debug)]
pub struct Fault {
    /// What was being done, and what went wrong.
    cause: Cause,
    /// What to do about it.
    pub hint: Option<String>,
    /// The exit code: 3 for usage, configuration, a locked store, no terminal, cancelled.
    pub code: u8,
}

/// The code of everything that is ours: usage, configuration, a locked store, no terminal, cancelled.
pub const OURS: u8 = 3;
/// The code where the reader of stdout went away: as if SIGPIPE (13) had ended us, which scripts know.
pub const GONE: u8 = 128 + 13;

impl Fault {
    /// A mistake in the arguments, or in what was typed: one sentence.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::of(text.into())
    }

    /// An error of a lower room, which says itself what was being done.
    pub fn of(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            cause: Cause::new(error),
            hint: None,
            code: OURS,
        }
    }

    /// A step of a command that failed, and why.
    pub fn step(doing: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::of(Cause::of_step(doing, error))
    }

    /// With another exit code.
    pub(super) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Its causes in one sentence, for a line of a report.
    pub fn text(&self) -> String {
        error_chain(self)
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

impl From<WorkError> for Fault {
    fn from(error: WorkError) -> Self {
        let hint = match &error {
            WorkError::NoSuchConnection(_) => {
                Some("switchboard connection list names them".to_owned())
            }
            WorkError::StoreNeeded(offers) => Some(stores(offers)),
            WorkError::PassphraseNeeded(_) => Some(super::sources::NOBODY.to_owned()),
            // They say themselves what to do, or nothing can be done here.
            WorkError::NoSuchService { .. }
            | WorkError::NameTaken(_)
            | WorkError::WrongPassphrase
            | WorkError::NoSuchHandle(..)
            | WorkError::SecretUnavailable(_)
            | WorkError::Failed { .. } => None,
        };
        Self {
            hint,
            ..Self::of(error)
        }
    }
}

/// What works here, and why the rest does not.
fn stores(offers: &[Offer]) -> String {
    let mut lines = choices(offers, |word| format!("--store {word}"));
    lines.push("or a reference, with connection add or edit: --key-ref env:NAME, file:PATH, 'cmd:pass show NAME'".to_owned());
    lines.join("\n      ")
}

/// The same where a command has no such option: once for all, in the configuration.
pub(super) fn settings(offers: &[Offer]) -> String {
    let mut lines = choices(offers, |word| format!("store = \"{word}\""));
    lines.push(
        "in the configuration, below [settings]: switchboard help files says where".to_owned(),
    );
    lines.join("\n      ")
}

fn choices(offers: &[Offer], written: impl Fn(&str) -> String) -> Vec<String> {
    let is_written = |offer: &&Offer| matches!(offer.kind, StoreKind::Vault | StoreKind::Keyring);
    let mut lines: Vec<String> = Vec::new();
    for Offer { kind, works, about } in offers.iter().filter(is_written) {
        let choice = written(kind.word());
        match works {
            Ok(()) => lines.insert(0, format!("give {choice}: {about}")),
            Err(why) => lines.push(format!("not {choice}: {}", error_chain(why))),
        }
    }
    lines
}

impl From<OutputProblem> for Fault {
    fn from(OutputProblem(error): OutputProblem) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::usage("nobody reads the result any more").code(GONE);
        }
        Self::step("writing the result", error)
    }
}
