//! The format of service files: a closed vocabulary in TOML, read strictly.
//!
//! ```toml
//! [service]                       # absent in a file that only defines CMSs
//! id = "grafana"                  # what `--service` and the configuration say
//! title = "Grafana"
//! handle = "{key}"                # what its owner pastes elsewhere: {username} and {key}
//!
//! [service.fields]                # required, optional or unused; a shape is a warning, never a refusal
//! username = { need = "unused" }
//! key = { need = "required", starts = "glsa_", min = 20 }
//!
//! [service.auth]
//! first = "bearer"                # basic, bearer or headers
//! without_username = "bearer"     # instead of `first`, where the username is empty
//! after_rejection = "headers"     # the one further request that `auto` sends after a 401
//! headers = [{ name = "X-Api-Key", value = "{key}" }]
//! known_if_forbidden = false      # whether the service's own 403 proves that it has taken the key
//!
//! [service.requests]              # paths behind the URL; absent: the URL as it was typed
//! bare = "/api/health"            # proves the service without credentials; absent: not asked ahead of the key
//! bare_is_rejected = false        # whether that answer is a 401, which a watcher must not repeat
//! authenticated = "/api/org"      # proves the credentials
//!
//! [service.identity]              # JSON pointers (RFC 6901) into the authenticated answer
//! list = ""                       # an array or an object
//! id = "/id"
//! name = "/name"
//!
//! [service.version]               # a header of any answer, or a call of its own
//! path = "/api/health"
//! pointer = "/version"
//!
//! [[mark]]                        # who answered: the highest sum of scores wins
//! who = "service"                 # service, web-server, cdn, waf or proxy
//! name = "Grafana"
//! score = 10
//! when = { json = [{ at = "/orgId", exists = true }] }
//!
//! [[rule]]                        # what an answer means: the first that fits, then the common ones
//! reason = "connected"
//! when = { status = ["2xx"], json = [{ at = "/id", is = "number" }] }
//!
//! [reason.credentials-rejected]   # words of its own; the common ones otherwise
//! cause = "Grafana does not know this service account token."
//! who = "you"
//! steps = ["Make a new token under Administration > Service accounts."]
//! ```
//!
//! A file without a mark of its own for `service` is judged by the rules of `http` after its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::condition::Condition;
use super::words::{self, Template};
use crate::domain::{AnsweredBy, Reason, Who};

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// The service, unless the file only adds CMSs or common words.
    pub service: Option<ServiceText>,
    /// Who answered.
    #[serde(default)]
    pub mark: Vec<Mark>,
    /// What an answer means, in order.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// The words, by reason id or `reason/variant`.
    #[serde(default)]
    pub reason: BTreeMap<String, ReasonText>,
    /// CMSs at the other end of a shared token.
    #[serde(default)]
    pub cms: Vec<Cms>,
}

/// `[service]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceText {
    /// Unique id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What the owner pastes elsewhere.
    #[serde(default = "plain_key")]
    pub handle: String,
    /// A URL to show in an empty field.
    pub example: Option<String>,
    /// Which fields it takes.
    #[serde(default)]
    pub fields: Fields,
    /// How credentials are sent; without it, none are.
    pub auth: Option<Auth>,
    /// What is asked.
    #[serde(default)]
    pub requests: Requests,
    /// Where company or account stand.
    pub identity: Option<IdentityText>,
    /// Where the version stands.
    pub version: Option<VersionText>,
    /// The call that tells about the key in use.
    pub own_token: Option<OwnToken>,
    /// By what the form turns to this service.
    #[serde(default)]
    pub detect: Detect,
    /// What does not belong in its URL.
    #[serde(default)]
    pub url: UrlRules,
    /// Where its values are entered, step by step.
    #[serde(default)]
    pub enter: Vec<UrlPlace>,
}

fn plain_key() -> String {
    "{key}".to_owned()
}

/// `[service.fields]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// The username of the pair.
    pub username: ServiceField,
    /// Its key.
    pub key: ServiceField,
    /// The shared token.
    pub token: ServiceField,
}

/// One field: whether it is needed, and the shape that the service gives it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceField {
    /// Whether it is needed.
    pub need: Need,
    /// What it is called there.
    pub label: Option<String>,
    /// Exactly this many hexadecimal digits.
    pub hex: Option<usize>,
    /// Begins so.
    pub starts: Option<String>,
    /// At least this many characters.
    pub min: Option<usize>,
    /// At most this many characters.
    pub max: Option<usize>,
    /// The shape in words, for people.
    pub shape: Option<String>,
}

/// Whether a field is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// The service does not know it.
    #[default]
    Unused,
    /// Works with and without.
    Optional,
    /// Must be filled in.
    Required,
}

/// `[service.auth]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// What `auto` sends.
    pub first: Scheme,
    /// What `auto` sends where the username is empty; `first` where absent.
    pub without_username: Option<Scheme>,
    /// What `auto` sends after a first rejection; nothing where absent.
    pub after_rejection: Option<Scheme>,
    /// The service's own headers, each name once, in whatever case.
    #[serde(default, deserialize_with = "words::headers")]
    pub headers: Vec<HeaderText>,
    /// Whether a 403 of the service itself comes only after it has taken the key. Where it may as well refuse
    /// the key, or the address, a 403 proves nothing.
    #[serde(default)]
    pub known_if_forbidden: bool,
}

/// How credentials are put into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `Authorization: Basic base64(username:key)`.
    Basic,
    /// `Authorization: Bearer key`.
    Bearer,
    /// The headers that the file lists.
    Headers,
}

/// One header with credentials in it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderText {
    /// Its name.
    pub name: String,
    /// `{username}` and `{key}` are filled in.
    pub value: String,
}

/// `[service.requests]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// Proves the service without credentials.
    #[serde(deserialize_with = "words::rooted_if_any")]
    pub bare: Option<String>,
    /// Whether the bare answer is a 401 by its nature; unless told otherwise, it is.
    pub bare_is_rejected: Option<bool>,
    /// Proves the credentials.
    #[serde(deserialize_with = "words::rooted_if_any")]
    pub authenticated: Option<String>,
    /// Tried by itself where the bare call finds no page: `/index.php`.
    #[serde(deserialize_with = "words::rooted_if_any")]
    pub fallback: Option<String>,
    /// Paths below the host to propose where nothing is found.
    pub guesses: Vec<String>,
}

/// `[service.identity]`: JSON pointers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityText {
    /// The array (or object) in the answer.
    #[serde(deserialize_with = "words::rooted")]
    pub list: String,
    /// Inside one of them: its id.
    #[serde(deserialize_with = "words::rooted")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "words::rooted")]
    pub name: String,
    /// Its host name, to compare with the URL.
    #[serde(default, deserialize_with = "words::rooted_if_any")]
    pub host: Option<String>,
}

/// `[service.version]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionText {
    /// A header of any answer.
    pub header: Option<String>,
    /// A call of its own, sent with the credentials.
    #[serde(default, deserialize_with = "words::rooted_if_any")]
    pub path: Option<String>,
    /// Where the answer has it; the whole answer where absent.
    #[serde(default, deserialize_with = "words::rooted")]
    pub pointer: String,
}

/// `[service.own_token]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnToken {
    /// The call, `{username}` filled in.
    #[serde(deserialize_with = "words::rooted")]
    pub path: String,
    /// JSON pointer of its status.
    #[serde(deserialize_with = "words::rooted")]
    pub status: String,
    /// JSON pointer of its last moment.
    #[serde(default, deserialize_with = "words::rooted_if_any")]
    pub expires: Option<String>,
    /// The statuses that need a hand, compared without regard to case.
    #[serde(deserialize_with = "words::lower")]
    pub inactive: Vec<String>,
    /// What it says once the token was renewed, and has two secrets for some time.
    pub renewed: Option<Renewed>,
}

/// `[service.own_token.renewed]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewed {
    /// JSON pointer of the new secret.
    #[serde(deserialize_with = "words::rooted")]
    pub secret: String,
    /// JSON pointer of its last moment.
    #[serde(deserialize_with = "words::rooted")]
    pub expires: String,
    /// The status that is of the old secret alone.
    pub status: String,
}

/// `[service.detect]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Detect {
    /// The URL's path contains one of these.
    pub path_contains: Vec<String>,
    /// The username starts with one of these.
    pub username_starts: Vec<String>,
}

/// `[service.url]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UrlRules {
    /// Path segments that don't belong in it, with what to say of them.
    pub not_in: Vec<NotInUrl>,
    /// Whether query and fragment don't belong in it.
    pub no_query: bool,
}

/// One path segment that does not belong in the URL: it and everything behind it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotInUrl {
    /// The segment, compared without regard to case.
    pub segment: String,
    /// One plain sentence.
    pub say: String,
}

/// Where a value is entered at the other end.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlPlace {
    /// Which value.
    pub what: Entered,
    /// Where: a product's name.
    pub place: String,
    /// The way through its screens.
    pub steps: Vec<String>,
}

/// A value that is entered elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entered {
    /// The handle of the pair.
    Handle,
    /// The shared token.
    Token,
}

/// One sign of who answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Who it speaks for.
    #[serde(deserialize_with = "words::answered_by")]
    pub who: AnsweredBy,
    /// Their name: `nginx`, `Cloudflare`.
    pub name: String,
    /// How much it says: 1 a header that may lie, 10 the service's own words.
    pub score: u32,
    /// When it is seen.
    pub when: Condition,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The reason.
    #[serde(deserialize_with = "words::reason")]
    pub reason: Reason,
    /// Which of the reason's texts: `[reason."id/variant"]`.
    pub variant: Option<String>,
    /// Whether it goes before the rules of the service: for common rules only.
    #[serde(default)]
    pub first: bool,
    /// When it fits.
    pub when: Condition,
}

/// The words of a reason.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonText {
    /// Instead of the vocabulary's own title.
    pub title: Option<Template>,
    /// One plain sentence.
    pub cause: Template,
    /// Who must act.
    pub who: Who,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<Template>,
    /// Something to paste into a file of the host, with the placeholders of [`super::words::pasted`].
    pub snippet: Option<String>,
    /// How the URL is corrected.
    pub fix: Option<Fix>,
    /// Where more is written.
    pub doc: Option<String>,
}

/// How a corrected URL is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// Without what `[service.url]` says does not belong in it.
    Strip,
    /// Where a redirect leads, else the same URL with https: its port is known to speak TLS.
    Https,
    /// The same URL with https, where it names no port of its own.
    HttpsOfHost,
    /// Where the redirect leads, without the path that was asked.
    Redirect,
    /// `strip` where that changes something, else one folder up.
    Parent,
    /// Up to the first of `guesses` where the URL has it; with it where the URL has no path, or ends within it.
    Guess,
    /// `guess`, but not at the vendor's own site: there the API has a host of its own, that of the service's example.
    GuessOfOthers,
}

/// A CMS at the other end of a shared token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cms {
    /// Unique id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The signed check, where one is published.
    pub verify: Option<VerifyText>,
    /// Where the token is entered there.
    #[serde(default)]
    pub steps: Vec<String>,
    /// The label of the file that describes it.
    #[serde(skip)]
    pub file: String,
}

/// The names that a signed check uses; `J!Blesta`'s where absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyText {
    /// Behind the CMS's URL.
    pub path: String,
    /// The parameter that names the call.
    pub parameter: String,
    /// Its value, percent-decoded.
    pub call: String,
    /// The parameter with the time, Unix seconds.
    pub timestamp: String,
    /// The parameter with the signature.
    pub signature: String,
    /// The header with the signature.
    pub header: String,
}

impl Default for VerifyText {
    fn default() -> Self {
        Self {
            path: "/index.php".to_owned(),
            parameter: "jblesta".to_owned(),
            call: "/e4c2e8edac362acab7123654b9e73432/Verify".to_owned(),
            timestamp: "apitimestamp".to_owned(),
            signature: "apisignature".to_owned(),
            header: "JblestaRequestSignature".to_owned(),
        }
    }
}
