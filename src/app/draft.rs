//! What stands in the form: a connection with its secrets, not saved yet.

use crate::domain::{Connection, Name, Origin, Secret};

/// One field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldId {
    /// The four of the first page.
    Url,
    /// The username of the pair.
    Username,
    /// The key of the pair. Secret.
    Key,
    /// The shared token. Secret.
    Token,
    /// Further fields, behind Ctrl-O.
    Name,
    /// Which service.
    Service,
    /// Comma-separated.
    Tags,
    /// joomla, modx, concrete5 or a definition file.
    Cms,
    /// Where the CMS is.
    CmsUrl,
    /// Company or account that is meant.
    Company,
    /// auto, basic, headers.
    Auth,
    /// Seconds.
    Interval,
    /// Seconds.
    Timeout,
    /// Proxy URL.
    Proxy,
    /// PEM file.
    CaFile,
    /// PEM file.
    ClientCert,
    /// PEM file.
    ClientKey,
    /// any, ipv4, ipv6.
    Family,
    /// yes or no.
    AllowHttp,
    /// yes or no.
    ReadOnly,
    /// For people.
    Note,
}

impl FieldId {
    /// The first page of the form.
    pub const FIRST: [Self; 4] = [Self::Url, Self::Username, Self::Key, Self::Token];

    /// The further fields.
    pub const FURTHER: [Self; 17] = [
        Self::Name,
        Self::Service,
        Self::Tags,
        Self::Cms,
        Self::CmsUrl,
        Self::Company,
        Self::Auth,
        Self::Interval,
        Self::Timeout,
        Self::Proxy,
        Self::CaFile,
        Self::ClientCert,
        Self::ClientKey,
        Self::Family,
        Self::AllowHttp,
        Self::ReadOnly,
        Self::Note,
    ];

    /// Its label; at most nine cells.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Username => "Username",
            Self::Key => "Key",
            Self::Token => "Token",
            Self::Name => "Name",
            Self::Service => "Service",
            Self::Tags => "Tags",
            Self::Cms => "CMS",
            Self::CmsUrl => "CMS URL",
            Self::Company => "Company",
            Self::Auth => "Auth",
            Self::Interval => "Interval",
            Self::Timeout => "Timeout",
            Self::Proxy => "Proxy",
            Self::CaFile => "CA file",
            Self::ClientCert => "Cert",
            Self::ClientKey => "Cert key",
            Self::Family => "Addresses",
            Self::AllowHttp => "Over http",
            Self::ReadOnly => "Read-only",
            Self::Note => "Note",
        }
    }

    /// Whether what is typed here is a secret.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Token)
    }
}

/// A connection as the form holds it: the values of its secrets beside it, where they were typed or loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Everything that is not secret. `key` and `token` hold the references of the saved connection, if any.
    pub connection: Connection,
    /// The key as it stands in the field; `None` where the field was not loaded or is empty.
    pub key: Option<Secret>,
    /// The shared token, likewise.
    pub token: Option<Secret>,
    /// Whether the key was changed since it was loaded or is new.
    pub key_changed: bool,
    /// Whether the token was.
    pub token_changed: bool,
    /// The saved connection that is edited, as it was when editing began; `None` for a new one.
    pub opened: Option<Box<Connection>>,
    /// The origin that the key was entered for, or agreed to: what is kept beside it in its store. Where it
    /// is another one than the URL's, the key is not to be sent. `None` where it was never bound to one.
    pub key_origin: Option<Origin>,
    /// Whether there is a key that is not handed on: while the URL is typed, or where it is another host's.
    pub key_held_back: bool,
    /// Of a copy of a saved connection that is not saved yet.
    pub copies: Option<CopyOf>,
}

/// What a copy has of its original. A test uses the values as they were loaded; what is saved refers to the same
/// places, as `connection clone` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOf {
    /// The original.
    pub name: Name,
    /// Whether the key is the original's still.
    pub keeps_key: bool,
    /// Whether the shared token is.
    pub keeps_token: bool,
}
