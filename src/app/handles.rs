//! The rows of the tokens pane, which are the handles of a connection that are held here; and the one handle that is in
//! the open.

use jiff::Timestamp;

use super::effect::{Effect, StoreEffect};
use super::model::{Lock, Model};
use super::tokens::AccountList;
use crate::domain::{Connection, CopyForm, Handle, HandleSlot, Name, SecretRef};

/// Which handle of a connection is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevealedHandle {
    /// One that is held here.
    Held(HandleSlot),
    /// That of a token of its account, by the token's id.
    Token(String),
}

/// The one handle in the open.
#[derive(Debug, Clone, PartialEq)]
pub struct Revealed {
    /// Whose, or through which connection.
    pub name: Name,
    /// Which.
    pub which: RevealedHandle,
    /// Read by `ui::reveal` alone.
    pub handle: Handle,
    /// When it is hidden again.
    pub until: Timestamp,
}

impl Revealed {
    /// Whether it is that of the token `id`, seen through the connection `name`.
    pub fn is_token(&self, name: &Name, id: &str) -> bool {
        match &self.which {
            RevealedHandle::Token(shown) => self.name == *name && shown == id,
            RevealedHandle::Held(_) => false,
        }
    }

    /// Whether it is one that is held here.
    pub const fn is_held(&self) -> bool {
        match self.which {
            RevealedHandle::Held(_) => true,
            RevealedHandle::Token(_) => false,
        }
    }
}

/// What "copy as…" was opened on. It stays that, whatever becomes of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySubject {
    /// Of which connection, or through which.
    pub name: Name,
    /// Which handle; nothing where none is held.
    pub which: Option<RevealedHandle>,
    /// What its row is called; empty where no handle is held.
    pub label: String,
}

impl CopySubject {
    /// The forms that it can be copied in.
    pub fn choices(&self) -> &'static [CopyForm] {
        match &self.which {
            Some(RevealedHandle::Held(slot)) => copy_choices(slot),
            Some(RevealedHandle::Token(_)) => TOKEN_CHOICES,
            None => OPEN_CHOICES,
        }
    }
}

impl Model {
    /// What "copy as…" means now: the selected handle, or what is in the open of a connection without one.
    pub(super) fn copy_subject(&self) -> Option<CopySubject> {
        let Some((name, slot)) = self.selected_handle() else {
            let (name, which) = (self.meant_connection().ok()?.clone(), None);
            let label = String::new();
            return Some(CopySubject { name, which, label });
        };
        let rows = rows(&self.entries.get(&name)?.connection);
        let label = rows.into_iter().find(|row| row.slot == slot)?.label;
        let which = Some(RevealedHandle::Held(slot));
        Some(CopySubject { name, which, label })
    }

    /// Whether the next frame may hold a secret: one that is in the open, or one that a person typed where none belongs.
    pub fn may_show_secret(&self) -> bool {
        let is_filtered = |list: &AccountList| !list.filter.value().is_empty();
        self.revealed.is_some()
            || self.form.is_some()
            || self.overlay.is_some()
            || !self.list.filter.value().is_empty()
            || !self.tokens.sheets.is_empty()
            || self.tokens.list.as_ref().is_some_and(is_filtered)
    }

    /// Asks since when the values of all handles are what they are, of those whose place may tell.
    pub(super) fn date_handles(&self, out: &mut Vec<Effect>) {
        let is_open = self.lock == Lock::Open;
        let tells = |reference: &&SecretRef| match reference {
            SecretRef::Vault(_) => is_open,
            SecretRef::File(_) => true,
            SecretRef::Keyring(_) | SecretRef::Env(_) | SecretRef::Cmd(_) | SecretRef::Ask => false,
        };
        let entries = self.entries.values();
        let all = entries.flat_map(|entry| entry.connection.references());
        let asked: Vec<_> = all.filter(tells).cloned().collect();
        if !asked.is_empty() {
            out.push(Effect::Store(StoreEffect::DateHandles(asked)));
        }
    }

    /// The handle in the open; none in the war-room.
    pub fn open_handle(&self) -> Option<&Revealed> {
        self.revealed.as_ref().filter(|_| !self.war_room)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleRow {
    /// Which handle.
    pub slot: HandleSlot,
    /// "API key", "shared token", or the label of an added one.
    pub label: String,
    /// What kind of handle it is.
    pub kind: &'static str,
    /// Where its value is kept.
    pub reference: SecretRef,
}

/// The handles of `connection`, in the order of the pane.
pub fn rows(connection: &Connection) -> Vec<HandleRow> {
    let row = |slot, label: &str, kind, reference: &SecretRef| HandleRow {
        slot,
        label: label.to_owned(),
        kind,
        reference: reference.clone(),
    };
    let key = connection
        .key
        .iter()
        .map(|reference| row(HandleSlot::Key, "API key", key_kind(connection), reference));
    let token = connection
        .token
        .iter()
        .map(|reference| row(HandleSlot::Token, "shared token", "signature", reference));
    let added = connection
        .added
        .iter()
        .map(|(label, reference)| row(HandleSlot::Added(label.clone()), label, "added", reference));
    key.chain(token).chain(added).collect()
}

/// How the key is sent, in a word.
fn key_kind(connection: &Connection) -> &'static str {
    use crate::domain::AuthStyle;
    if connection.service.as_str() == "connect" {
        return "ApiKey";
    }
    match connection.auth {
        AuthStyle::Auto | AuthStyle::Basic => "basic",
        AuthStyle::Headers => "headers",
    }
}

/// The rows of "copy as…" for a token of an account.
pub const TOKEN_CHOICES: &[CopyForm] = &[
    CopyForm::Handle,
    CopyForm::Header,
    CopyForm::Username,
    CopyForm::Url,
];

/// The rows of "copy as…" where no handle is held: the curl command sends no key then.
pub const OPEN_CHOICES: &[CopyForm] = &[CopyForm::Curl, CopyForm::Username, CopyForm::Url];

/// The rows of "copy as…" for a handle.
pub fn copy_choices(slot: &HandleSlot) -> &'static [CopyForm] {
    match slot {
        HandleSlot::Key => &[
            CopyForm::Handle,
            CopyForm::Header,
            CopyForm::Curl,
            CopyForm::Username,
            CopyForm::Url,
        ],
        HandleSlot::Token | HandleSlot::Added(_) => &[CopyForm::Handle, CopyForm::Url],
    }
}
