//! The rows of the tokens pane: the handles of a connection that are held here.

use super::draft::HandleSlot;
use super::effect::CopyAs;
use crate::domain::{Connection, SecretRef};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleRow {
    /// Which handle.
    pub slot: HandleSlot,
    /// "API key", "shared token", or the label of an added one.
    pub label: String,
    /// What kind of handle it is.
    pub kind: &'static str,
    /// Where its value is kept: a reference, never the value.
    pub kept: String,
}

/// The handles of `connection`, in the order of the pane.
pub fn rows(connection: &Connection) -> Vec<HandleRow> {
    let row = |slot, label: &str, kind, reference: &SecretRef| HandleRow {
        slot,
        label: label.to_owned(),
        kind,
        kept: reference.to_string(),
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
        .enumerate()
        .map(|(place, (label, reference))| {
            row(HandleSlot::Added(place), label, "added", reference)
        });
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
pub const TOKEN_CHOICES: &[CopyAs] = &[
    CopyAs::Handle,
    CopyAs::Header,
    CopyAs::Username,
    CopyAs::Url,
];

/// The rows of "copy as…" where no handle is held: the curl command sends no key then.
pub const OPEN_CHOICES: &[CopyAs] = &[CopyAs::Curl, CopyAs::Username, CopyAs::Url];

/// The rows of "copy as…" for a handle.
pub fn copy_choices(slot: HandleSlot) -> &'static [CopyAs] {
    match slot {
        HandleSlot::Key => &[
            CopyAs::Handle,
            CopyAs::Header,
            CopyAs::Curl,
            CopyAs::Username,
            CopyAs::Url,
        ],
        HandleSlot::Token | HandleSlot::Added(_) => &[CopyAs::Handle, CopyAs::Url],
    }
}
