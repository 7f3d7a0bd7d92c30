//! Connections from and to other programs and machines: import, export, and definitions kept in git.
//!
//! Nothing that is here is overwritten by an import; values of secrets go to a store, or nowhere. What a file
//! would have run, or read from this machine's environment, or by which a key would go another way, is left out unless
//! the person trusts it.

mod apply;
mod as_curl;
mod bundle;
mod deciding;
mod programs;

pub use apply::{ApplyOptions, ApplyPlan, ApplyStep};
pub use bundle::{BundleKey, Bundled};
pub use programs::Program;

use std::path::Path;
use std::sync::Arc;

use super::core::Core;
use super::edit::{ConnectionEdit, Edit, Saved};
use super::error::WorkError;
use super::handles::refuse_label;
use crate::domain::endpoint::secret_parameter;
use crate::domain::text::{inert, shell_word};
use crate::domain::{
    AuthStyle, Connection, Endpoint, Name, Secret, SecretRef, error_chain, is_cms_file, shape,
};
use crate::service::import::{self, Candidate, Form, Reading, Unreadable};
use crate::store::configuration::SettingValue;
use crate::store::transfer::{Sensitive, UsedSecrets, screen, screen_way};
use crate::store::{StoreKind, files, transfer};

/// What a file brings, and what would become of it here.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// In the file's order.
    pub items: Vec<Item>,
    /// What no connection came of, a sentence each.
    pub left_out: Vec<String>,
    /// What runs programs, reads this machine or has a key go another way, of what comes in: left out or let in.
    pub sensitive: Vec<Sensitive>,
    /// Settings that come in.
    pub programs: Vec<Program>,
    /// A value here was not compared with the file's: the vault is locked.
    pub is_unread: bool,
}

/// One connection that a file brings.
#[derive(Clone, Debug)]
pub struct Item {
    /// Under the name that it would have here.
    pub connection: Connection,
    /// The value of its key.
    pub key: Option<Secret>,
    /// The value of its shared token.
    pub token: Option<Secret>,
    /// Further handles by their labels.
    pub added: Vec<(String, Secret)>,
    /// What of it is not taken and why, a sentence each.
    pub notes: Vec<String>,
    /// What would become of it.
    pub action: ImportAction,
    /// Values that are not taken, as others are here: a sentence.
    pub unlike: Option<String>,
}

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportAction {
    /// It is added.
    New,
    /// It is added under a free name; this one is another connection's.
    Renamed(Name),
    /// The same is here under this name, without what is left in the item: that is filled in.
    Completed(Name),
    /// The same service, URL and username are here under this name: nothing to do.
    Here(Name),
    /// The name is another connection's.
    Taken,
    /// It can't be saved; why.
    Refused(String),
}

impl Item {
    /// A connection of a file, without values.
    pub const fn new(connection: Connection) -> Self {
        Self {
            connection,
            key: None,
            token: None,
            added: Vec::new(),
            notes: Vec::new(),
            action: ImportAction::New,
            unlike: None,
        }
    }

    fn of(candidate: Candidate) -> Self {
        Self {
            key: candidate.key,
            token: candidate.token,
            notes: candidate.notes,
            ..Self::new(candidate.connection)
        }
    }

    /// Whether it, or what is left of it, would be added.
    pub const fn comes_in(&self) -> bool {
        match self.action {
            ImportAction::New | ImportAction::Renamed(_) | ImportAction::Completed(_) => true,
            ImportAction::Here(_) | ImportAction::Taken | ImportAction::Refused(_) => false,
        }
    }

    /// Whether it comes in with others, by [`Core::import_together`]: it is new, and brings no value.
    pub const fn comes_together(&self) -> bool {
        let is_new = matches!(self.action, ImportAction::New | ImportAction::Renamed(_));
        is_new && !self.holds_secrets()
    }

    /// What has nothing left to fill in is here already.
    fn settle(&mut self) {
        let Connection {
            key, token, added, ..
        } = &self.connection;
        let refers = key.is_some() || token.is_some() || !added.is_empty();
        if let ImportAction::Completed(name) = &self.action
            && !refers
            && !self.holds_secrets()
        {
            self.action = ImportAction::Here(name.clone());
        }
    }

    /// Lists what of it runs programs, reads this machine or has a secret that is `used` here go another way, and leaves
    /// that out unless trusted.
    fn screened(&mut self, trust: bool, used: &UsedSecrets) -> Vec<Sensitive> {
        let mut found = screen(&mut self.connection, trust, None);
        // Beside what is here the way is not taken at all; and whoever wrote the key into the file has it.
        let is_new = !matches!(self.action, ImportAction::Completed(_));
        if is_new && self.key.is_none() && used.go_by(&self.connection, None) {
            found.extend(screen_way(&mut self.connection, trust, None));
        }
        self.settle();
        found
    }

    /// Whether a value of it must be kept somewhere.
    pub const fn holds_secrets(&self) -> bool {
        self.key.is_some() || self.token.is_some() || !self.added.is_empty()
    }

    /// Leaves every value behind: the connection alone comes in.
    fn forget_secrets(&mut self) {
        if self.holds_secrets() {
            self.notes
                .push("its secrets were left out, as asked".to_owned());
        }
        self.key = None;
        self.token = None;
        self.added.clear();
    }
}

/// How an import is read.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// What the text is; by its beginning where absent.
    pub form: Option<Form>,
    /// Whether what runs programs, reads this machine or has a key go another way is let in.
    pub trust: bool,
    /// Whether a taken name gets a number; otherwise its item stays out.
    pub rename: bool,
    /// Whether every value stays behind.
    pub without_secrets: bool,
    /// What opens a bundle.
    pub opener: BundleKey,
}

impl Core {
    /// Reads what `bytes` brings; nothing is changed. `path` stands in messages.
    pub async fn read_import(
        &self,
        path: &Path,
        bytes: &[u8],
        reader: &ImportOptions,
    ) -> Result<Incoming, WorkError> {
        let doing = || format!("importing {}", files::shown(path));
        let unreadable = |problem: Unreadable| WorkError::failed(doing(), problem);
        let begins_as_bundle = bytes.starts_with(b"age-encryption.org/");
        let form = match reader.form {
            Some(form) => form,
            None if begins_as_bundle => Form::Bundle,
            None => {
                let text = files::text_of(bytes, path);
                let text = text.map_err(|problem| WorkError::failed(doing(), problem))?;
                import::form_of(text).map_err(unreadable)?
            }
        };
        let text =
            || files::text_of(bytes, path).map_err(|problem| WorkError::failed(doing(), problem));
        // A file of definitions may well hold none; a text without a command, a variable or an account is another one.
        let said = |found: Incoming| {
            if found.items.is_empty() && found.left_out.is_empty() {
                return Err(WorkError::failed(
                    doing(),
                    "it brings nothing; --as FORM says what it is: curl, env, accounts, toml or bundle",
                ));
            }
            Ok(found)
        };
        let mut incoming = match form {
            Form::Bundle => self.read_bundle(path, bytes, &reader.opener).await?,
            Form::Definitions => definitions(path, text()?)?,
            Form::Curl => {
                let catalog = self.catalog().await?;
                // Who says that it is curl commands means them alone.
                let only = reader.form.is_some();
                let read = [import::notes::read, import::curl::read][usize::from(only)];
                said(found(read(&catalog, text()?).map_err(unreadable)?))?
            }
            Form::Dotenv => {
                let catalog = self.catalog().await?;
                said(found(
                    import::dotenv::read(&catalog, text()?).map_err(unreadable)?,
                ))?
            }
            Form::Accounts => said(found(import::accounts::read(text()?).map_err(unreadable)?))?,
        };
        self.screen_programs(&mut incoming, reader.trust).await?;
        let here = self.connections().await?;
        if reader.without_secrets {
            incoming.items.iter_mut().for_each(Item::forget_secrets);
        }
        self.decide(&mut incoming, &here, reader.rename).await;
        let used = UsedSecrets::of(&here);
        for item in incoming.items.iter_mut().filter(|item| item.comes_in()) {
            incoming
                .sensitive
                .extend(item.screened(reader.trust, &used));
            if let Some(key) = &item.key {
                let note = self.sent_otherwise(&item.connection, key).await;
                item.notes.extend(note);
            }
        }
        Ok(incoming)
    }

    /// Adds one item, or fills in what is left of it, its values to `store` or where new secrets are kept here. Whatever
    /// fails, nothing of it was added but what the error says.
    pub async fn import_one(
        &self,
        item: &Item,
        store: Option<StoreKind>,
    ) -> Result<Saved, WorkError> {
        let before = match &item.action {
            ImportAction::Completed(name) => Some(self.connection(name).await?),
            _ => None,
        };
        let whole = match &before {
            Some(before) => filled(before, &item.connection),
            None => item.connection.clone(),
        };
        refuse_labels(&whole, &item.added)?;
        let name = whole.name.clone();
        // Nothing is overwritten that has come meanwhile.
        let edit = |value: &Option<Secret>, there: bool| match value {
            Some(value) if !there => Edit::Set(value.clone()),
            _ => Edit::Keep,
        };
        let has = |of: fn(&Connection) -> bool| before.as_ref().is_some_and(of);
        let edit = ConnectionEdit {
            key: edit(&item.key, has(|one| one.key.is_some())),
            token: edit(&item.token, has(|one| one.token.is_some())),
            store,
            replaces: before.as_ref().map(|one| one.name.clone()),
            opened: before.clone().map(Box::new),
            ..ConnectionEdit::new(whole)
        };
        let mut saved = self.save(edit).await?;
        for (label, value) in &item.added {
            saved = self.add_handle(&name, label, value.clone(), store).await?;
        }
        Ok(saved)
    }

    /// Adds connections that bring no values, in one step: all of them come in, or none.
    pub async fn import_together(
        &self,
        connections: Vec<Connection>,
        store: Option<StoreKind>,
    ) -> Result<(), WorkError> {
        let known = self.settings().await?.store;
        let chosen = store.filter(|kind| kind.is_written_here() && known.is_none());
        let added = connections.clone();
        self.edit(move |document| {
            added.iter().try_for_each(|one| document.add(one))?;
            match chosen {
                Some(kind) => document.set_setting("store", SettingValue::Text(kind.word().into())),
                None => Ok(()),
            }
        })
        .await?;
        // What connections of these names that are gone have left behind is not theirs.
        let names: Vec<Name> = connections.iter().map(|one| one.name.clone()).collect();
        self.remember(move |state| {
            names
                .iter()
                .try_for_each(|name| state.remove_connection(name))
        })
        .await;
        self.bind_references(&connections, true).await;
        Ok(())
    }

    /// What keeps `connection` from being asked, a field and a sentence each; what stands so in `before` is no news.
    async fn unaskable(
        &self,
        connection: &Connection,
        before: Option<&Connection>,
    ) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if before.is_none_or(|one| one.service != connection.service)
            && let Err(problem) = self.service_of(connection).await
        {
            found.push(("service", error_chain(&problem)));
        }
        if before.is_none_or(|one| one.url != connection.url)
            && let Err(problem) = Endpoint::parse(&connection.url)
        {
            found.push(("url", format!("its URL is none: {problem}")));
        }
        let mut written = connection.clone();
        // An empty text of a file is none here.
        for text in [&mut written.cms, &mut written.cms_url, &mut written.proxy] {
            text.take_if(|text| text.is_empty());
        }
        if let Some(cms) = &written.cms
            && before.is_none_or(|one| one.cms != written.cms)
            && let Err(problem) = self.check_cms(cms).await
        {
            let why = if is_cms_file(cms) {
                // A file may name any file: what stands in it is not repeated.
                format!(
                    "no definition of a CMS can be read in {}: connection edit --cms says why",
                    inert(cms, 200)
                )
            } else {
                error_chain(&problem)
            };
            found.push(("cms", why));
        }
        if let Some(misfit) = written.misfit(before) {
            found.push((misfit.field(), misfit.to_string()));
        }
        found
    }

    /// The connections called `names`, or all, as definitions for git: references, no secret.
    pub fn export_definitions(&self, chosen: &[Connection]) -> Result<String, WorkError> {
        for connection in chosen {
            refuse_open_secret(connection, "exporting")?;
        }
        transfer::export(chosen).map_err(|problem| WorkError::failed("exporting", problem))
    }
}

/// Refuses what would stand in the open in a file, or a line, that holds no secret by its word.
pub(super) fn refuse_open_secret(
    connection: &Connection,
    doing: &'static str,
) -> Result<(), WorkError> {
    if shape::username_holds_secret(&connection.username) {
        let name = &connection.name;
        let why = format!(
            "the user name of {name:?} holds what looks like a key, which would stand there in the open: put the name \
             alone there (switchboard connection edit {} --username NAME --key-stdin), and the key into its place",
            shell_word(name.as_str())
        );
        return Err(WorkError::failed(doing, why));
    }
    refuse_secret_in_url(connection, doing)
}

fn refuse_secret_in_url(connection: &Connection, doing: &'static str) -> Result<(), WorkError> {
    let urls = [
        (Some(&connection.url), "--url URL"),
        (connection.cms_url.as_ref(), "--cms-url URL"),
    ];
    let secret = |(url, option): (Option<&String>, &'static str)| {
        secret_parameter(url?).map(|parameter| (parameter, option))
    };
    let Some((parameter, option)) = urls.into_iter().find_map(secret) else {
        return Ok(());
    };
    let name = &connection.name;
    let why = format!(
        "a URL of {name:?} holds a secret as its parameter {parameter}, which would stand there in the open: leave it \
         out (switchboard connection edit {} {option}), and keep the secret as the key",
        shell_word(name.as_str())
    );
    Err(WorkError::failed(doing, why))
}

fn found(reading: Reading) -> Incoming {
    Incoming {
        items: reading.candidates.into_iter().map(Item::of).collect(),
        left_out: reading.left_out,
        ..Incoming::default()
    }
}

/// `[[connection]]` tables, and the settings that run programs; the others stay where they are.
fn definitions(path: &Path, text: &str) -> Result<Incoming, WorkError> {
    // Taken whole: what is sensitive is screened with the rest.
    let read = transfer::import(path, text, true)
        .map_err(|problem| WorkError::failed("importing", problem))?;
    let (programs, others) = programs::taken_out(read.configuration.settings, text);
    let left_out = if others {
        vec!["the settings were left out: they are each machine's own".to_owned()]
    } else {
        Vec::new()
    };
    Ok(Incoming {
        items: read
            .configuration
            .connections
            .into_iter()
            .map(Arc::unwrap_or_clone)
            .map(Item::new)
            .collect(),
        left_out,
        programs,
        ..Incoming::default()
    })
}

/// Refuses labels under which `connection` can't have further values.
fn refuse_labels(connection: &Connection, added: &[(String, Secret)]) -> Result<(), WorkError> {
    let mut whole = connection.clone();
    for (label, _) in added {
        refuse_label(&whole, label)?;
        whole.added.push((label.clone(), SecretRef::Ask));
    }
    Ok(())
}

/// `here` with the references that it lacks and `other` has, and how the key is sent that comes in.
fn filled(here: &Connection, other: &Connection) -> Connection {
    let mut whole = here.clone();
    if here.key.is_none() && here.auth == AuthStyle::Auto {
        whole.auth = other.auth;
    }
    whole.key = whole.key.or_else(|| other.key.clone());
    whole.token = whole.token.or_else(|| other.token.clone());
    for (label, reference) in &other.added {
        if !whole.added.iter().any(|(known, _)| known == label) {
            whole.added.push((label.clone(), reference.clone()));
        }
    }
    whole
}
