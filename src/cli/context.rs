//! What every command works on: the environment, the core, and how to write.

use std::io::IsTerminal;

use super::arguments::Global;
use super::fault::Fault;
use super::output::human::Colours;
use super::{output, probe, sources};
use crate::clipboard::Terminal;
use crate::config::{Environment, Folders, Overrides};
use crate::domain::{
    Connection, HandleSlot, Name, PassphrasePurpose, Secret, SecretRef, ServiceId,
};
use crate::store::StoreKind;
use crate::work::{Core, CoreOptions, Session, WorkError};

/// What every command works on.
pub struct Context {
    /// The environment.
    pub environment: Environment,
    /// The use cases.
    pub core: Core,
    /// Whether stdout gets colours.
    pub colours: Colours,
    /// Options of every command.
    pub global: Global,
}

/// The folders that the options and the environment say.
pub(super) fn folders(environment: &Environment, global: &Global) -> Result<Folders, Fault> {
    let overrides = Overrides {
        config_dir: global.config_dir.clone(),
        state_dir: global.state_dir.clone(),
    };
    let folders = environment.folders(&overrides);
    folders.map_err(Fault::of)
}

impl Context {
    /// Opens the core where the flags and the environment say.
    pub fn open(environment: Environment, global: Global) -> Result<Self, Fault> {
        Self::open_in(environment, global, None)
    }

    /// The same, with what was unlocked before.
    pub fn open_in(
        environment: Environment,
        global: Global,
        session: Option<Session>,
    ) -> Result<Self, Fault> {
        let folders = folders(&environment, &global)?;
        let options = CoreOptions {
            environment: environment.clone(),
            folders,
        };
        let core = match session {
            Some(session) => Core::open_in(options, session),
            None => Core::open(options),
        };
        let core = if std::io::stdout().is_terminal() {
            core.with_terminal(Terminal::Silent)
        } else {
            core
        };
        let colours = colours(&environment, &global);
        Ok(Self {
            environment,
            core,
            colours,
            global,
        })
    }

    /// The same for a command that ends with what it was asked for.
    #[must_use]
    pub fn for_one_command(self) -> Self {
        Self {
            core: self.core.for_one_command(),
            ..self
        }
    }

    /// The service called `id`.
    pub async fn service(&self, id: &str) -> Result<ServiceId, Fault> {
        let service = ServiceId::new(id);
        let catalog = self.core.catalog().await?;
        if catalog.get(&service).is_some() {
            return Ok(service);
        }
        let known: Vec<_> = catalog.ids().map(ServiceId::as_str).collect();
        let id = crate::domain::text::inert(id, 40);
        Err(Fault::usage(format!("no service is called {id}"))
            .hint(format!("there are {}", known.join(", "))))
    }

    /// Says why nothing of what is found will be known later, where that is so.
    pub async fn say_where_nothing_is_remembered(&self) {
        if let Some(why) = self.core.state_problem().await {
            output::say(&format!(
                "switchboard: nothing is remembered, and no key is sent: {why}"
            ));
        }
    }

    /// Opens the vault where one of these connections keeps something in it: with the passphrase that was
    /// given, or by asking where somebody is there. Without either, their keys are not at hand: the verdict
    /// says so.
    pub async fn open_vault_for(&self, names: &[Name]) -> Result<(), Fault> {
        if !self.core.is_locked() {
            return Ok(());
        }
        let connections = self.core.connections().await?;
        let needed = |name: &Name| {
            connections
                .iter()
                .any(|c| c.name == *name && probe::needs_vault(c))
        };
        if !names.iter().any(needed) {
            return Ok(());
        }
        match self.passphrase()? {
            Some(passphrase) => Ok(self.core.unlock(passphrase).await?),
            None => Ok(()),
        }
    }

    /// Has the keys of these connections at hand, as far as they can be: entered, or out of the vault.
    pub async fn have_keys_of(&self, names: &[Name]) -> Result<(), Fault> {
        self.ask_for(names).await?;
        self.open_vault_for(names).await
    }

    /// Has the keys entered that are asked for once a session, where somebody is there. One that is left empty is not
    /// at hand: the verdict says so.
    pub async fn ask_for(&self, names: &[Name]) -> Result<(), Fault> {
        let all = self.core.connections().await?;
        let asked = |slot: &Option<SecretRef>| matches!(slot, Some(SecretRef::Ask));
        let of_these = all.iter().filter(|one| names.contains(&one.name));
        for connection in of_these.filter(|_| sources::somebody_is_there()) {
            let slots = [
                (asked(&connection.key), HandleSlot::Key, "key"),
                (asked(&connection.token), HandleSlot::Token, "token"),
            ];
            for (_, slot, what) in slots.into_iter().filter(|(asked, ..)| *asked) {
                let value = sources::prompt(&format!("{what} of {}: ", connection.name))?;
                if !value.is_empty() {
                    self.core.enter(&connection.name, &slot, value).await?;
                }
            }
        }
        Ok(())
    }

    /// Opens the vault where `connection` keeps anything in it, as something of that is about to be taken
    /// out. Without a passphrase it stays there, and whoever takes out says so.
    pub async fn open_vault_of(&self, connection: &Connection) -> Result<(), Fault> {
        let mut kept = connection.references().map(StoreKind::of);
        if !self.core.is_locked() || !kept.any(|kind| kind == StoreKind::Vault) {
            return Ok(());
        }
        match self.passphrase()? {
            Some(passphrase) => Ok(self.core.unlock(passphrase).await?),
            None => Ok(()),
        }
    }

    /// Opens the vault where a passphrase was given; nobody is asked for one.
    pub async fn open_vault_if_given(&self) -> Result<(), Fault> {
        if !self.core.is_locked() {
            return Ok(());
        }
        match sources::passphrase(&self.environment, &self.global)? {
            Some(passphrase) => Ok(self.core.unlock(passphrase).await?),
            None => Ok(()),
        }
    }

    /// The passphrase as given, or typed where somebody is there.
    fn passphrase(&self) -> Result<Option<Secret>, Fault> {
        match sources::passphrase(&self.environment, &self.global)? {
            Some(passphrase) => Ok(Some(passphrase)),
            None if sources::somebody_is_there() => sources::prompt("vault passphrase: ").map(Some),
            None => Ok(None),
        }
    }

    /// Does something that may need the vault: where it does, the vault is opened or made, and it is done again.
    pub async fn with_vault<T>(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<T, WorkError>,
    ) -> Result<T, Fault> {
        match attempt().await {
            Err(WorkError::PassphraseNeeded(what)) => {
                self.open_or_make(what).await?;
                Ok(attempt().await?)
            }
            other => Ok(other?),
        }
    }

    /// The passphrase to open or to make a vault with: as given, or typed where somebody is there.
    pub fn passphrase_for(&self, what: PassphrasePurpose) -> Result<Secret, Fault> {
        match sources::passphrase(&self.environment, &self.global)? {
            Some(passphrase) => Ok(passphrase),
            None if sources::somebody_is_there() => ask(what),
            None => Err(WorkError::PassphraseNeeded(what).into()),
        }
    }

    /// Opens the vault, or makes it: with the passphrase that was given, or one that is typed.
    pub async fn open_or_make(&self, what: PassphrasePurpose) -> Result<(), Fault> {
        let passphrase = self.passphrase_for(what)?;
        match what {
            PassphrasePurpose::Open => self.core.unlock(passphrase).await?,
            PassphrasePurpose::Create => self.core.create_vault(passphrase).await?,
        }
        Ok(())
    }
}

/// Whether stdout gets colours.
pub fn colours(environment: &Environment, global: &Global) -> Colours {
    let is_dumb = environment.term.as_deref() == Some("dumb");
    let plain =
        global.no_color || environment.no_color || is_dumb || !std::io::stdout().is_terminal();
    if plain { Colours::Off } else { Colours::On }
}

fn ask(what: PassphrasePurpose) -> Result<Secret, Fault> {
    match what {
        PassphrasePurpose::Open => sources::prompt("vault passphrase: "),
        PassphrasePurpose::Create => chosen("vault"),
    }
}

/// How often two passphrases that are not the same are asked for.
const TRIES: usize = 3;

/// A new passphrase for the vault or a bundle, typed twice. A slip of the hand is asked about again: what was typed
/// before would be lost with it.
pub fn chosen(what: &str) -> Result<Secret, Fault> {
    for tries_left in (0..TRIES).rev() {
        if let Some(chosen) = chosen_at_once(what)? {
            return Ok(chosen);
        }
        if tries_left > 0 {
            output::say("the two are not the same: once more");
        }
    }
    Err(Fault::usage("the two are not the same"))
}

/// Nothing where the two are not the same.
fn chosen_at_once(what: &str) -> Result<Option<Secret>, Fault> {
    let first = sources::prompt(&format!("choose a passphrase for the {what}: "))?;
    if let Some(remark) = first.remark_on_passphrase() {
        output::say(remark);
    }
    let second = sources::prompt("the same again: ")?;
    Ok((first == second).then_some(first))
}
