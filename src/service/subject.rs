//! What a ladder runs over: one connection, saved or not, with the secrets that are at hand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::budget::Stop;
use crate::domain::{AuthStyle, Identity, Name, Secret, ServiceId};

/// A secret as a probe sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// None was entered.
    Absent,
    /// At hand, and meant for the subject's origin.
    Present(Secret),
    /// Entered, but not at hand: locked, unset variable, failed command, other origin.
    Unavailable(Hindrance),
    /// At hand, but no attempt can be written down, without which it is not sent. One plain sentence that says why.
    Unrecordable(String),
}

/// Why a secret is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// What keeps it away, which decides what to do.
    pub by: HinderedBy,
    /// One plain sentence that says which variable, file or program, and why.
    pub why: String,
}

impl Hindrance {
    /// A secret that `by` keeps away, for the reason that `why` says.
    pub fn new(by: HinderedBy, why: impl Into<String>) -> Self {
        Self {
            by,
            why: why.into(),
        }
    }
}

/// What keeps a secret away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HinderedBy {
    /// The vault is locked, or somebody has locked everything.
    Lock,
    /// The variable is not set, or to no secret.
    Variable,
    /// The file can't be read, or holds no secret.
    File,
    /// The program gave no secret.
    Program,
    /// The vault is damaged, away, or has no such entry.
    Vault,
    /// The keyring does not answer, or has no such item.
    Keyring,
    /// It is asked for once a session, and was not entered in this one.
    Session,
    /// The saved connection's secret was entered for another origin.
    Origin,
    /// What stands in a form would send a stored secret to another origin, and nobody has agreed.
    Form,
    /// Anything else; the sentence is all there is to say.
    Other,
}

impl HinderedBy {
    /// All of them, in the order of the enum.
    pub const ALL: [Self; 10] = [
        Self::Lock,
        Self::Variable,
        Self::File,
        Self::Program,
        Self::Vault,
        Self::Keyring,
        Self::Session,
        Self::Origin,
        Self::Form,
        Self::Other,
    ];

    /// The words of `secret-unavailable` that say what to do then: `[reason."secret-unavailable/WORD"]`.
    pub(super) const fn variant(self) -> Option<&'static str> {
        match self {
            Self::Lock => Some("lock"),
            Self::Variable => Some("variable"),
            Self::File => Some("file"),
            Self::Program => Some("program"),
            Self::Vault => Some("vault"),
            Self::Keyring => Some("keyring"),
            Self::Session => Some("session"),
            Self::Origin => Some("origin"),
            Self::Form => Some("form"),
            Self::Other => None,
        }
    }
}

/// On whose wish a probe runs, which decides how far it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The URL is being edited: only rungs without credentials.
    UrlTyping,
    /// A key, or the user name that goes with it, is being typed letter by letter: no secret goes along, and a URL
    /// that was recognised is not asked again.
    HalfTyped,
    /// Another field is being edited: a key of a shape that the service never issues is not sent.
    Typing,
    /// Somebody asked for it: `r`, Enter, a command.
    Asked,
    /// The interval came round: after an accepted pair, the authenticated call alone.
    Scheduled,
    /// Bisect: up to four requests, said before.
    Bisect,
}

impl Trigger {
    /// Whether no secret goes along, however much is at hand: what is there may be a part of what is meant.
    pub const fn withholds_secrets(self) -> bool {
        matches!(self, Self::UrlTyping | Self::HalfTyped)
    }
}

/// What earlier probes of the same connection found out. Empty for an unsaved one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The service was recognised at exactly this URL: the bare call need not run again.
    pub service_seen: bool,
    /// How this very pair was accepted at this URL the last time.
    pub accepted: Option<Accepted>,
    /// Pinned at the first success.
    pub identity: Option<Identity>,
    /// The last good run.
    pub last_good: Option<LastGood>,
    /// The key is paused: don't even ask the budget.
    pub paused: Option<Stop>,
}

/// How a pair was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accepted {
    /// By the service's own headers; otherwise by its default scheme.
    pub by_headers: bool,
    /// Through `/index.php/api`, because rewriting is off.
    pub through_index: bool,
    /// What the service said of the key's own token, where it tells about it.
    pub own_token: Option<OwnTokenSeen>,
}

/// An answer about the key's own token, which scheduled probes ask for once a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTokenSeen {
    /// When it was asked for.
    pub at: Timestamp,
    /// Its status, inert; nothing where no whole answer came.
    pub status: Option<String>,
    /// When it ends, inert, as the service writes it.
    pub expires: Option<String>,
}

/// Fingerprint of a good run, to tell what has changed when a later one fails. Every text is inert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGood {
    /// When it was, RFC 3339 UTC.
    pub at: String,
    /// IP addresses of the name, sorted.
    pub addresses: Vec<String>,
    /// SHA-256 of the leaf certificate, hex.
    pub certificate: Option<String>,
    /// The leaf's issuer.
    pub issuer: Option<String>,
    /// TLS version.
    pub tls_version: Option<String>,
    /// `Server` header.
    pub server: Option<String>,
    /// Redirect target, where there was one.
    pub redirect: Option<String>,
    /// Company or account.
    pub identity: Option<String>,
    /// The service's version.
    pub service_version: Option<String>,
}

/// What a ladder runs over.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The saved connection, where it is one.
    pub connection: Option<Name>,
    /// The service that is meant.
    pub service: ServiceId,
    /// The URL as typed.
    pub url: String,
    /// The username of the pair.
    pub username: String,
    /// The key of the pair.
    pub key: SecretState,
    /// The shared token.
    pub token: SecretState,
    /// The CMS of the shared token, by the id of its definition.
    pub cms: Option<String>,
    /// Where that CMS is.
    pub cms_url: Option<String>,
    /// The company or account that is meant.
    pub company: Option<String>,
    /// How credentials are sent.
    pub auth: AuthStyle,
    /// Whether the key may be sent over plain http to a host that is not loopback.
    pub allow_http: bool,
    /// Whether the requests leave this machine by a proxy, whatever host they are for: then plain http to a
    /// loopback address is read by others too.
    pub by_proxy: bool,
    /// On whose wish.
    pub trigger: Trigger,
    /// What earlier probes found out.
    pub past: Past,
}

impl Subject {
    /// An unsaved subject without credentials, asked for by a person.
    pub fn new(service: ServiceId, url: &str) -> Self {
        Self {
            connection: None,
            service,
            url: url.to_owned(),
            username: String::new(),
            key: SecretState::Absent,
            token: SecretState::Absent,
            cms: None,
            cms_url: None,
            company: None,
            auth: AuthStyle::Auto,
            allow_http: false,
            by_proxy: false,
            trigger: Trigger::Asked,
            past: Past::default(),
        }
    }
}
