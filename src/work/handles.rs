//! Further handles of a connection: kept in a store, named in the configuration.

use super::core::{Core, found};
use super::edit::Saved;
use super::error::WorkError;
use crate::domain::text::inert;
use crate::domain::{Connection, Name, Origin, Secret};
use crate::store::configuration::SettingValue;
use crate::store::{SecretPlace, StoreKind};

impl Core {
    /// Keeps `value` as a further handle of the connection, called `label`. Whatever fails, nothing is
    /// changed.
    pub async fn add_handle(
        &self,
        name: &Name,
        label: &str,
        value: Secret,
        store: Option<StoreKind>,
    ) -> Result<Saved, WorkError> {
        let configuration = self.configuration().await?;
        let before = found(&configuration, name)?.clone();
        refuse_label(&before, label)?;
        let kind = self.store_for(store, Some(&before), &configuration).await?;
        let secrets = self.secrets().await?;
        let place = SecretPlace::added(name, label);
        let reference = secrets.new_reference(kind, &place, &configuration.connections);
        let reference = reference.await.ok_or_else(|| not_written(kind))?;
        let origin = Origin::parse(&before.url);
        let put = secrets
            .put(&reference, &place, &value, origin.as_ref())
            .await;
        if let Err(problem) = put {
            return Err(self.refused(problem).await);
        }
        let mut after = before.clone();
        after.added.push((label.to_owned(), reference.clone()));
        let chosen = store.filter(|_| configuration.settings.store.is_none());
        match self.write_changed(before, after.clone(), chosen).await {
            Ok(()) => Ok(Saved {
                connection: after,
                left_behind: Vec::new(),
            }),
            Err(problem) => {
                // The value is of no use without its name; where it can't be taken out, `doctor` finds it.
                let _ = secrets.remove(&reference, &place).await;
                Err(problem)
            }
        }
    }

    /// Takes the further handle called `label` away from the connection, and its value out of its place. What could not
    /// be taken out, as a vault is locked, is left behind and told.
    pub async fn remove_handle(&self, name: &Name, label: &str) -> Result<Saved, WorkError> {
        let before = self.connection(name).await?;
        let mut after = before.clone();
        let at = after.added.iter().position(|(known, _)| known == label);
        let Some(at) = at else {
            return Err(WorkError::unavailable(format!(
                "{name} has no token called {}",
                inert(label, 60)
            )));
        };
        let (_, reference) = after.added.remove(at);
        self.write_changed(before, after.clone(), None).await?;
        let gone = vec![(reference, SecretPlace::added(name, label))];
        Ok(Saved {
            connection: after,
            left_behind: self.take_out(gone).await,
        })
    }

    /// Writes what differs between the two, and the store that was chosen, in one step.
    pub(super) async fn write_changed(
        &self,
        before: Connection,
        after: Connection,
        chosen: Option<StoreKind>,
    ) -> Result<(), WorkError> {
        self.edit(move |document| {
            document.merge(&before, &after)?;
            match chosen {
                Some(kind) => document.set_setting("store", SettingValue::Text(kind.word().into())),
                None => Ok(()),
            }
        })
        .await
    }

    /// Writes a setting that is a word; an empty one takes the line out.
    pub async fn set(&self, key: &str, word: &str) -> Result<(), WorkError> {
        let value = match word {
            "" => SettingValue::Default,
            "true" => SettingValue::Flag(true),
            "false" => SettingValue::Flag(false),
            word => match word.parse() {
                Ok(number) => SettingValue::Number(number),
                Err(_) => SettingValue::Text(word.to_owned()),
            },
        };
        let key = key.to_owned();
        self.edit(move |document| document.set_setting(&key, value))
            .await
    }
}

/// Why nothing is kept in a place that others write.
pub(super) fn not_written(kind: StoreKind) -> WorkError {
    let word = kind.word();
    WorkError::unavailable(format!(
        "switchboard does not write to {word}: choose vault, keyring or ask, or give a reference"
    ))
}

/// Refuses what can't be the label of a further token of `connection`.
pub(super) fn refuse_label(connection: &Connection, label: &str) -> Result<(), WorkError> {
    let problem = if label.is_empty() || crate::domain::text::inert(label, 64) != label {
        "a label is visible characters, 64 at the most"
    } else if matches!(label, "key" | "token")
        || connection.added.iter().any(|(other, _)| other == label)
    {
        "there is one of this name already"
    } else {
        return Ok(());
    };
    Err(WorkError::failed(
        format!("adding a token to {}", connection.name),
        problem,
    ))
}
