//! Why a request to the token API came to nothing, in words for people, and the reason that it stands for.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Lenient, LenientText};
use crate::domain::error::JsonProblem;
use crate::domain::text::inert;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Cause, Failure, ProxyFailure, Reason, Secret, SocksRefusal, TlsFailure};
use crate::http::client::ClientProblem;
use crate::http::tls::TlsProblem;
use crate::service::mask_secret;

/// Most sentences of the service that are kept, and the longest of them in characters.
const SENTENCES: (usize, usize) = (8, 300);

/// Why a request came to nothing. `doing` is what was being done to what: "renewing SU-…".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// The key would have travelled in the open.
    #[error(
        "the key is not sent to {host} over plain http: use https, or allow it for this connection"
    )]
    PlainHttp {
        /// Host and port.
        host: String,
    },
    /// This machine could not ask.
    #[error(transparent)]
    Local(#[from] SetupProblem),
    /// No whole answer came, as often as it was tried.
    #[error("{doing}: {why}")]
    Unanswered {
        /// What was being done.
        doing: String,
        /// What a probe would call it.
        reason: Reason,
        /// One plain sentence.
        why: String,
        /// Whether the request may have reached the service all the same.
        sent: bool,
        /// Whether enough came to know that it was no refusal: the beginning of an answer, or all of one in another
        /// protocol.
        heard: bool,
    },
    /// The service, or somebody in front of it, refused.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The service wants quiet.
    #[error("{doing}: the service asks to wait until {}", whole_seconds(*until))]
    Throttled {
        /// What was being done.
        doing: String,
        /// Nothing is sent before.
        until: Timestamp,
        /// The status that it asked with.
        status: u16,
    },
    /// An answer that is not what the API sends.
    #[error("{doing}: the answer is not what this API sends ({why})")]
    Unreadable {
        /// What was being done.
        doing: String,
        /// What is wrong with it, with nothing of the answer.
        why: Unreadable,
    },
    /// An answer over 4 MiB.
    #[error("{doing}: the answer is over 4 MiB")]
    TooLarge {
        /// What was being done.
        doing: String,
    },
}

/// Why this machine can't ask. None of them holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupProblem {
    /// The proxy's URL, which is not told: it may hold a password.
    #[error("the proxy is not a URL such as http://proxy:3128")]
    Proxy(#[source] Cause),
    /// Certificate authorities, or the client certificate.
    #[error(transparent)]
    Tls(#[from] TlsProblem),
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientProblem),
    /// The key itself.
    #[error("the key holds a character that no header can carry, such as a line end")]
    Unsendable,
    /// What was given as a token's id, inert.
    #[error("“{0}” is not a token's id, such as SU-160-984-311")]
    NotAnId(String),
}

/// What is wrong with an answer, with nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or JSON of another form.
    #[error(transparent)]
    Json(#[from] JsonProblem),
    /// JSON of the right form that contradicts what was asked: one sentence of ours.
    #[error("{0}")]
    Contradicts(String),
}

impl TokenProblem {
    /// The reason that this stands for; its state gives the exit code.
    pub fn reason(&self) -> Reason {
        match self {
            Self::PlainHttp { .. } => Reason::KeyWithheld,
            Self::Local(_) => Reason::LocalError,
            Self::Unanswered { reason, .. } => *reason,
            Self::Refused(refusal) => refusal.reason,
            Self::Throttled { status, .. } => reason_of(*status, RefusedBy::Stranger),
            Self::Unreadable { .. } => Reason::NotTheService,
            Self::TooLarge { .. } => Reason::BodyTooLarge,
        }
    }

    /// Whether what was asked may have been done all the same: the answer was lost, late or broken, or a cache
    /// gave another one.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Unanswered { sent, .. } => *sent,
            Self::Refused(refusal) => refusal.status >= 500 || refusal.from_cache,
            Self::Unreadable { .. } | Self::TooLarge { .. } => true,
            Self::PlainHttp { .. } | Self::Local(_) | Self::Throttled { .. } => false,
        }
    }

    /// The status of the answer, where there was one; of the one that began it for a wait that is still on.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::Throttled { status, .. } => Some(*status),
            Self::PlainHttp { .. }
            | Self::Local(_)
            | Self::Unanswered { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}

/// Why no answer came, in a few words.
pub(super) fn words_of(failure: &Failure) -> String {
    let words = match failure {
        Failure::DnsNotFound => "its name has no address",
        Failure::DnsFailed => "the name server did not answer",
        Failure::Refused => "the connection is refused",
        Failure::ConnectTimeout => "no connection in time",
        Failure::Unreachable => "there is no route to it",
        Failure::HostUnreachable => "its host is out of reach",
        Failure::Reset => "the connection was reset",
        Failure::ClosedEarly => "the connection was closed before an answer",
        Failure::ResponseTimeout => "no answer in time",
        Failure::Http2 { said, .. } => return format!("it broke the exchange off: {said}"),
        Failure::NotHttp => "what answers there does not speak HTTP",
        Failure::HeadTooLarge => "its answer has too many headers",
        Failure::BadLength => "the Content-Length of its answer is broken",
        Failure::Tls(failure) => return tls_words_of(failure),
        Failure::BodyTooLarge => "the answer is too large",
        Failure::BadCoding => "the answer was cut short",
        Failure::Proxy(ProxyFailure::Password | ProxyFailure::Socks(SocksRefusal::Login)) => {
            "the proxy asks for a password"
        }
        Failure::Proxy(
            ProxyFailure::PasswordRefused | ProxyFailure::Socks(SocksRefusal::LoginRefused),
        ) => "the proxy refuses its password",
        Failure::Proxy(
            ProxyFailure::Refused(_) | ProxyFailure::Denied | ProxyFailure::Socks(_),
        ) => "the proxy did not connect",
        Failure::Proxy(ProxyFailure::Silent) => {
            "the proxy, or the service behind it, did not answer in time"
        }
        Failure::Proxy(ProxyFailure::Unheard(why)) => return format!("the proxy: {why}"),
        Failure::Local(why) => why,
    };
    words.to_owned()
}

fn tls_words_of(failure: &TlsFailure) -> String {
    let words = match failure {
        TlsFailure::Expired => "its TLS certificate has expired",
        TlsFailure::NotYetValid => "its TLS certificate is not valid yet",
        TlsFailure::WrongName => "its TLS certificate is for another name",
        TlsFailure::UnknownIssuer => "its TLS certificate is not trusted: nobody known issued it",
        TlsFailure::Authority => "its TLS certificate is an authority's own",
        TlsFailure::Signature => "its TLS certificate does not fit its issuer",
        TlsFailure::ForeignKey => "it signs TLS with another key than its certificate's",
        TlsFailure::Unusable(why) => return format!("its TLS certificate can't be used: {why}"),
        TlsFailure::Protocol => "no version or cipher of TLS in common",
        TlsFailure::NotForHttp => "it offers no HTTP within TLS",
        TlsFailure::Refused => "the server ended the TLS handshake",
        TlsFailure::ClientCertificate | TlsFailure::ClientCertificateUnsaid => {
            "it wants a client certificate"
        }
        TlsFailure::ClientCertificateRefused => "it refuses the client certificate",
        TlsFailure::Renegotiation => "it wants a client certificate for this path",
        TlsFailure::NotTls => "what answers there does not speak TLS",
        TlsFailure::Timeout => "the TLS handshake took too long",
        TlsFailure::Other(why) => return format!("TLS failed: {why}"),
    };
    words.to_owned()
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was being done.
    pub doing: String,
    /// The HTTP status.
    pub status: u16,
    /// The service's `error_code`, inert.
    pub error_code: Option<String>,
    /// The service's own sentences, inert.
    pub sentences: Vec<String>,
    /// The module that the call belongs to.
    pub module: &'static str,
    /// Whether the answer is in the form of the API's own errors.
    pub by_service: bool,
    /// Whether a cache had kept it from an earlier call: it says nothing of the key.
    pub from_cache: bool,
    /// What a probe would call it.
    pub reason: Reason,
}

/// Who refused, as far as the body shows.
#[derive(Clone, Copy)]
enum RefusedBy {
    /// The service, in the form of its own errors.
    Service,
    /// JSON of another form: another version of the service, or another API.
    Json,
    /// No JSON: a web server, or a proxy before the service.
    Stranger,
}

impl Refusal {
    /// Reads the body of a refusal, whatever it is. `own`, the secret of the key in use, is masked in it.
    pub fn read(
        doing: String,
        status: u16,
        module: &'static str,
        body: &[u8],
        own: &Secret,
    ) -> Self {
        let shown = |mut text: String, longest| {
            mask_secret(&mut text, own);
            inert(&text, longest)
        };
        let raw = serde_json::from_slice::<Lenient<RawError>>(body).map(|Lenient(raw)| raw);
        let is_json = raw.is_ok();
        let raw = raw.unwrap_or_default();
        let (most, longest) = SENTENCES;
        let sentences: Vec<_> = raw
            .errors
            .0
            .into_iter()
            .map(|sentence| shown(sentence, longest))
            .filter(|sentence| !sentence.is_empty())
            .take(most)
            .collect();
        let error_code = raw.error_code.0.map(|code| shown(code, 40));
        let by_service = error_code.is_some() || !sentences.is_empty();
        let voice = match (by_service, is_json) {
            (true, _) => RefusedBy::Service,
            (false, true) => RefusedBy::Json,
            (false, false) => RefusedBy::Stranger,
        };
        Self {
            by_service,
            from_cache: false,
            reason: reason_of(status, voice),
            doing,
            status,
            error_code,
            sentences,
            module,
        }
    }

    /// The same, where the answer asked for a password as web servers do (`WWW-Authenticate`): it is not the
    /// key that was refused.
    #[must_use]
    pub(super) fn asking_for_password(mut self) -> Self {
        if self.status == 401 && self.reason == Reason::UnexpectedStatus {
            self.reason = Reason::ServerPassword;
        }
        self
    }

    /// The same, where a cache gave it out: it says nothing of the key then.
    #[must_use]
    pub(super) fn out_of_cache(mut self) -> Self {
        self.from_cache = true;
        if matches!(
            self.reason,
            Reason::CredentialsRejected | Reason::PermissionMissing
        ) {
            self.reason = Reason::UnexpectedStatus;
        }
        self
    }

    /// Whether the service has looked at more than the key: it has taken that.
    pub(crate) fn shows_the_key(&self) -> bool {
        self.by_service && self.status != 401 && (400..500).contains(&self.status)
    }

    fn meaning(&self) -> String {
        match self.status {
            _ if self.from_cache => {
                "a cache had kept the answer, and the service may not have been asked".to_owned()
            }
            300..=399 => "the service redirects, which is not followed with a key".to_owned(),
            400 => "the service did not take it".to_owned(),
            401 if self.reason == Reason::CredentialsRejected => {
                "the key is not valid, not active or expired".to_owned()
            }
            403 if self.by_service => format!(
                "this key may not do that: most often it lacks the module {}",
                self.module
            ),
            401 => "a server before the service refused, which knows no keys".to_owned(),
            403 => "refused, most often by a server before the service".to_owned(),
            404 => "there is no such thing, or the URL is wrong".to_owned(),
            500.. => "the service failed".to_owned(),
            _ => "the service refused".to_owned(),
        }
    }
}

/// What a probe would call a status that says no: as the rules of `connect.toml` and `answers/rules.toml` do,
/// so that the tokens' pane and the response's say the same of one moment.
fn reason_of(status: u16, voice: RefusedBy) -> Reason {
    match (status, voice) {
        (401, RefusedBy::Service | RefusedBy::Json) => Reason::CredentialsRejected,
        (403, RefusedBy::Service) => Reason::PermissionMissing,
        (403, RefusedBy::Json | RefusedBy::Stranger) => Reason::ServerRule,
        (404, _) => Reason::NotFound,
        (429, _) => Reason::RateLimited,
        (500, RefusedBy::Service) => Reason::ServiceException,
        (503, RefusedBy::Service) => Reason::Maintenance,
        (502..=504, _) => Reason::GatewayDown,
        (500.., _) => Reason::ServerError,
        _ => Reason::UnexpectedStatus,
    }
}

impl std::error::Error for Refusal {}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({}", self.doing, self.meaning(), self.status)?;
        if let Some(code) = &self.error_code {
            write!(f, " {code}")?;
        }
        f.write_str(")")?;
        for sentence in &self.sentences {
            write!(f, "; {sentence}")?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawError {
    error_code: LenientText,
    errors: Sentences,
}

/// Sentences as they came: an array, a text, or an object of fields with either.
#[derive(Clone, Debug, Default)]
struct Sentences(Vec<String>);

impl<'de> Deserialize<'de> for Sentences {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Vec::new();
        gather(serde_json::Value::deserialize(deserializer)?, &mut found);
        Ok(Self(found))
    }
}

/// No more of them than are kept: each is copied with all the names above it.
fn gather(value: serde_json::Value, found: &mut Vec<String>) {
    if found.len() >= SENTENCES.0 {
        return;
    }
    match value {
        serde_json::Value::String(text) if text.trim().is_empty() => {}
        serde_json::Value::String(text) => found.push(text),
        serde_json::Value::Array(items) => {
            for item in items {
                gather(item, found);
            }
        }
        serde_json::Value::Object(fields) => {
            for (name, item) in fields {
                let before = found.len();
                gather(item, found);
                for sentence in found.iter_mut().skip(before) {
                    *sentence = format!("{name}: {sentence}");
                }
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> TokenProblem {
        let own = Secret::new("own-secret");
        let refusal = Refusal::read(
            "listing".into(),
            status,
            "Integrations",
            body.as_bytes(),
            &own,
        );
        TokenProblem::from(Box::new(refusal))
    }

    #[test]
    fn of_many_sentences_few_are_kept_however_long_their_names_are() {
        let many = vec!["a"; 50_000];
        let body = serde_json::json!({"errors": {"n".repeat(1_000_000): many}});
        let problem = refused(400, &body.to_string());
        let TokenProblem::Refused(refusal) = &problem else {
            panic!("{problem}")
        };
        let lengths = refusal
            .sentences
            .iter()
            .map(|sentence| sentence.chars().count());
        // With the mark of what was cut.
        assert_eq!(lengths.collect::<Vec<_>>(), [301; 8]);
    }

    #[test]
    fn every_answer_has_its_reason_and_words() {
        let json = r#"{"error_code":"X_1","errors":["name: a\u001b[2Jb","two"]}"#;
        for (status, body, reason, words) in [
            (
                400,
                json,
                Reason::UnexpectedStatus,
                "listing: the service did not take it (400 X_1); name: a[2Jb; two",
            ),
            (401, json, Reason::CredentialsRejected, "not valid"),
            (401, r#"{"detail":"no"}"#, Reason::CredentialsRejected, ""),
            (401, "", Reason::UnexpectedStatus, "knows no keys"),
            (
                400,
                r#"{"error_code":"own-secret","errors":["Authorization: ApiKey SU-1:own-secret"]}"#,
                Reason::UnexpectedStatus,
                "(400 ••••); Authorization: ApiKey SU-1:••••",
            ),
            (
                403,
                json,
                Reason::PermissionMissing,
                "lacks the module Integrations",
            ),
            (
                403,
                "<html>",
                Reason::ServerRule,
                "by a server before the service (403)",
            ),
            (
                403,
                r#"{"message":"no"}"#,
                Reason::ServerRule,
                "most often by a server before",
            ),
            (404, json, Reason::NotFound, "no such thing"),
            (500, "oops", Reason::ServerError, "the service failed (500)"),
            (500, json, Reason::ServiceException, "two"),
            (502, "", Reason::GatewayDown, "502"),
            (503, json, Reason::Maintenance, "503"),
            (503, "", Reason::GatewayDown, "503"),
            (302, "", Reason::UnexpectedStatus, "not followed"),
            (
                400,
                r#"{"errors":{"name":["short"]}}"#,
                Reason::UnexpectedStatus,
                "name: short",
            ),
            (
                400,
                r#"{"errors":"text"}"#,
                Reason::UnexpectedStatus,
                "text",
            ),
        ] {
            let problem = refused(status, body);
            assert_eq!(problem.reason(), reason, "{status} {body}");
            assert!(problem.to_string().contains(words), "{problem}");
        }
    }

    #[test]
    fn only_what_may_have_reached_the_service_may_have_happened() {
        assert!(refused(502, "").may_have_happened());
        assert!(!refused(400, "").may_have_happened() && !refused(401, "").may_have_happened());
        let TokenProblem::Refused(refusal) = refused(401, "") else {
            panic!("it is refused")
        };
        assert!(TokenProblem::from(Box::new(refusal.out_of_cache())).may_have_happened());
        let unanswered = |sent| TokenProblem::Unanswered {
            doing: "renewing".into(),
            reason: Reason::Refused,
            why: String::new(),
            sent,
            heard: false,
        };
        assert!(unanswered(true).may_have_happened() && !unanswered(false).may_have_happened());
    }
}
