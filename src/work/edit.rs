//! The words of the use cases: what is saved, probed, shown and copied; and a change of the configuration.

use std::time::Duration;

use super::core::Core;
use super::error::WorkError;
use crate::domain::{Cause, Connection, Name, Origin, Secret, SecretRef};
use crate::service::Trigger;
use crate::store::configuration::{Document, EditProblem};
use crate::store::{ConfigurationProblem, StoreKind};

/// What is to be saved.
#[derive(Clone, Debug)]
pub struct ConnectionEdit {
    /// Everything that is not secret. `key` and `token` hold the references of the saved connection, or
    /// one that the user gave (`env:`, `file:`, `cmd:`, `ask`).
    pub connection: Connection,
    /// What becomes of the key.
    pub key: Edit,
    /// What becomes of the shared token.
    pub token: Edit,
    /// The saved connection that this replaces (its name may have changed); `None` for a new one.
    pub replaces: Option<Name>,
    /// That connection as it was when editing began: only what differs from it is written, so that what
    /// somebody else has changed meanwhile stays. As it is now where absent.
    pub opened: Option<Box<Connection>>,
    /// Where new secrets go. Where the old one is, else the configured place, where absent; becomes the
    /// configured one if there is none.
    pub store: Option<StoreKind>,
    /// The person agreed that the stored secrets are for the new URL's origin from now on.
    pub origin_confirmed: bool,
    /// The saved connection that this is a copy of: what both refer to is for the same origin, until told otherwise.
    pub copies: Option<Name>,
}

impl ConnectionEdit {
    /// A new connection whose secrets, if any, are references.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            key: Edit::Keep,
            token: Edit::Keep,
            replaces: None,
            opened: None,
            store: None,
            origin_confirmed: false,
            copies: None,
        }
    }
}

/// What becomes of a secret when its connection is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit {
    /// The reference stays as it stands in the connection.
    #[default]
    Keep,
    /// A new value, kept under a new or the same reference.
    Set(Secret),
    /// The secret is forgotten.
    Clear,
}

/// What was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// As it stands in the configuration now.
    pub connection: Connection,
    /// Places of values that nobody refers to any more and that could not be taken out: locked, or away.
    pub left_behind: Vec<SecretRef>,
}

/// Something to probe that is not saved, or not as it stands now.
#[derive(Clone, Debug)]
pub struct Unsaved {
    /// What to probe. Its references are resolved where no value stands beside them.
    pub connection: Connection,
    /// The key as typed or read; belongs to the URL of `connection`.
    pub key: Option<Secret>,
    /// The shared token, likewise.
    pub token: Option<Secret>,
    /// On whose wish.
    pub trigger: Trigger,
    /// The person agreed to send stored secrets to this URL's origin.
    pub origin_confirmed: bool,
    /// The saved connection that is being edited: its past is used where URL and pair are the same.
    pub editing: Option<Name>,
    /// For the whole probe; that of the connection, else of the settings, where absent.
    pub timeout: Option<Duration>,
    /// Whether there is a key that is not handed on: while the URL is typed, or where it is another host's.
    pub key_held_back: bool,
}

impl Unsaved {
    /// `connection` with nothing but references, asked for by a person.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            key: None,
            token: None,
            trigger: Trigger::Asked,
            origin_confirmed: false,
            editing: None,
            timeout: None,
            key_held_back: false,
        }
    }
}

/// The two secrets of a connection, for its form: value, absent, or why not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecrets {
    /// The key.
    pub key: Result<Option<Secret>, Cause>,
    /// The origin that the key was entered for, where that was written down.
    pub key_origin: Option<Origin>,
    /// The shared token.
    pub token: Result<Option<Secret>, Cause>,
}

/// A change of the configuration. Boxed, as what is around it would be there once for each that is made anywhere.
type Change<R> = Box<dyn FnOnce(&mut Document) -> Result<R, EditProblem> + Send>;

impl Core {
    /// Changes the configuration in one step.
    pub(super) async fn edit<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Document) -> Result<R, EditProblem> + Send + 'static,
    ) -> Result<R, WorkError> {
        self.edit_by(Box::new(change)).await
    }

    async fn edit_by<R: Send + 'static>(&self, change: Change<R>) -> Result<R, WorkError> {
        self.blocking(move |inner| {
            inner.refuse_where_gone()?;
            inner.store.edit(change).map_err(|problem| match problem {
                ConfigurationProblem::Edit(EditProblem::Absent(name)) => {
                    WorkError::NoSuchConnection(name)
                }
                ConfigurationProblem::Edit(EditProblem::Taken(name)) => WorkError::NameTaken(name),
                other => WorkError::failed("changing the configuration", other),
            })
        })
        .await
    }
}
