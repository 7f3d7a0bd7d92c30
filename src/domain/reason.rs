//! The closed vocabulary of verdicts: why a probe ended as it did, and the state that this means.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// What a lamp shows. Glyph, word and colour always stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Works as asked.
    Ok,
    /// Somebody answered; settings or rules need a hand.
    Warn,
    /// Nobody answered, or what answered is broken.
    Down,
    /// Not asked, not complete, paused, or the mistake is ours.
    Unknown,
}

impl State {
    /// Every state, worst first: the default order of the list.
    pub const ALL: [Self; 4] = [Self::Down, Self::Warn, Self::Unknown, Self::Ok];

    /// The lamp's glyph.
    pub const fn glyph(self) -> char {
        match self {
            Self::Ok => '●',
            Self::Warn => '▲',
            Self::Down => '✖',
            Self::Unknown => '○',
        }
    }

    /// The lamp's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "up",
            Self::Warn => "check",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// The state's name in JSON, filters and metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// Exit code of a command that ended in this state.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warn => 1,
            Self::Down => 2,
            Self::Unknown => 3,
        }
    }

    /// Rank for "the worst of": `down` > `warn` > `unknown` > `ok`.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Warn => 2,
            Self::Down => 3,
        }
    }

    /// The worst of `states`; `Ok` of none.
    pub fn worst(states: impl IntoIterator<Item = Self>) -> Self {
        states
            .into_iter()
            .max_by_key(|state| state.severity())
            .unwrap_or(Self::Ok)
    }
}

/// Who sent the answer that the verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// The service itself: its own words were in the reply.
    Service,
    /// The web server in front of it.
    WebServer,
    /// A content delivery network.
    Cdn,
    /// A firewall application.
    Waf,
    /// A proxy on the way.
    Proxy,
    /// No HTTP response was received.
    Nobody,
    /// Somebody, but nothing says who.
    Unknown,
}

impl AnsweredBy {
    /// Every value, for metrics and tests.
    pub const ALL: [Self; 7] = [
        Self::Service,
        Self::WebServer,
        Self::Cdn,
        Self::Waf,
        Self::Proxy,
        Self::Nobody,
        Self::Unknown,
    ];

    /// The name used in JSON and metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::WebServer => "web-server",
            Self::Cdn => "cdn",
            Self::Waf => "waf",
            Self::Proxy => "proxy",
            Self::Nobody => "nobody",
            Self::Unknown => "unknown",
        }
    }
}

/// Who must act for the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// The person at the keyboard.
    You,
    /// Whoever runs the host at the other end.
    Host,
    /// The maker of the service.
    Vendor,
}

impl Who {
    /// The name used in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Host => "host",
            Self::Vendor => "vendor",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $id:literal $state:ident $title:literal;)+) => {
        /// Why a probe ended as it did. Ids are stable: they stand in JSON, metrics and history.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $variant,)+ }

        impl Reason {
            /// Every reason, in the order of the table: of several warnings the first one wins.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The state that this reason belongs to.
            pub const fn state(self) -> State {
                match self { $(Self::$variant => State::$state,)+ }
            }

            /// Whether the connection does what it is for: `ok`, or accepted with a warning beside it (of a key whose
            /// token ends soon, too). Decides availability and `probe_success`.
            pub const fn works(self) -> bool {
                matches!(self.state(), State::Ok)
                    || matches!(
                        self,
                        Self::ConnectedNoisy | Self::TlsExpiring | Self::KeyInUseInactive
                    )
            }

            /// The title shown, where the verdict has no closer one (a number, a field's name).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

reasons! {
    /// The service answered as itself and took the credentials.
    Connected "connected" Ok "Successfully Connected";
    /// The same, with PHP notices, a BOM or blanks before the JSON.
    ConnectedNoisy "connected-noisy" Warn "Connected, with noise";
    /// The URL is right; no credentials entered yet.
    ServiceFound "service-found" Unknown "Service found";
    /// No URL entered.
    UrlMissing "url-missing" Unknown "Enter a URL";
    /// What was entered is not a URL that can be asked.
    UrlInvalid "url-invalid" Unknown "Not a URL";
    /// The service was found, the username is empty.
    UsernameMissing "username-missing" Unknown "Enter the username";
    /// The service was found, the key is empty.
    KeyMissing "key-missing" Unknown "Enter the key";
    /// The service's own 401.
    CredentialsRejected "credentials-rejected" Warn "401 Denied";
    /// Basic gave 401, header authentication 200.
    AuthorizationStripped "authorization-stripped" Warn "401 Denied: header stripped";
    /// 401 with `WWW-Authenticate`, not the service's reply.
    ServerPassword "server-password" Warn "401 Denied by the web server";
    /// The service's own 403.
    PermissionMissing "permission-missing" Warn "403 Restricted: permission";
    /// 403 HTML of a web server.
    ServerRule "server-rule" Warn "403 Restricted by the web server";
    /// 403 of a CDN without challenge.
    CdnBlock "cdn-block" Warn "403 Restricted by the CDN";
    /// `cf-mitigated: challenge`, captcha pages.
    ChallengePage "challenge-page" Warn "Challenge page";
    /// 403, 406 or others naming a WAF or `mod_security`.
    WafBlock "waf-block" Warn "Blocked by a firewall application";
    /// 406 otherwise.
    NotAcceptable "not-acceptable" Warn "406 Not Acceptable";
    /// No such page, and no better reason.
    NotFound "not-found" Warn "404 Not Found";
    /// The service's own 404.
    ApiPathWrong "api-path-wrong" Warn "404 Not Found by the API";
    /// Reached only through `/index.php/api/`.
    RewriteOff "rewrite-off" Ok "Successfully Connected";
    /// The URL names the API itself: 415.
    UrlHasApi "url-has-api" Warn "The URL names the API";
    /// The URL names the admin or client folder.
    UrlHasAdmin "url-has-admin" Warn "The URL names the admin folder";
    /// A 2xx that is not what this service sends.
    NotTheService "not-the-service" Warn "Not the service";
    /// 2xx without a body where one is due.
    EmptyReply "empty-reply" Down "Empty reply";
    /// Redirected to https on the same host.
    RedirectHttps "redirect-https" Warn "Redirected to https";
    /// Redirected to another host.
    RedirectHost "redirect-host" Warn "Redirected to another host";
    /// Redirected to another path.
    RedirectPath "redirect-path" Warn "Redirected to another path";
    /// The target redirects back.
    RedirectLoop "redirect-loop" Warn "Redirected in a loop";
    /// No company of the answer has the URL's host.
    WrongCompany "wrong-company" Warn "Connected, other company";
    /// Not the identity pinned at the first success.
    IdentityChanged "identity-changed" Warn "Connected, another account";
    /// The key's own token is inactive, expired or expiring.
    KeyInUseInactive "key-in-use-inactive" Warn "Token not active";
    /// 429.
    RateLimited "rate-limited" Warn "429 Slow down";
    /// The service's own 503.
    Maintenance "maintenance" Down "503 Maintenance";
    /// The service's own 500.
    ServiceException "service-exception" Down "500 Error in the service";
    /// Any other 5xx of a web server.
    ServerError "server-error" Down "5xx Server error";
    /// A proxy or CDN says that its origin fails.
    GatewayDown "gateway-down" Down "Gateway: no answer behind it";
    /// Anything else with a status.
    UnexpectedStatus "unexpected-status" Warn "Unexpected status";
    /// The name does not exist, or has no address.
    DnsNotFound "dns-not-found" Down "0 Received: no such name";
    /// The name server did not answer, or failed.
    DnsFailed "dns-failed" Down "0 Received: the name server did not answer";
    /// Nothing listens there.
    Refused "refused" Down "0 Received: refused";
    /// No connection in time: the likely firewall.
    ConnectTimeout "connect-timeout" Down "0 Received: timed out";
    /// No route to the host or its network.
    Unreachable "unreachable" Down "0 Received: no route";
    /// The connection was reset.
    Reset "reset" Down "0 Received: connection reset";
    /// Closed before a reply.
    ClosedEarly "closed-early" Down "0 Received: closed before a reply";
    /// Connected, nothing (or not all) came before the deadline.
    ResponseTimeout "response-timeout" Down "0 Received: no reply in time";
    /// What answered does not speak HTTP.
    NotHttp "not-http" Down "0 Received: not HTTP";
    /// The certificate has expired.
    TlsExpired "tls-expired" Down "0 Received: TLS certificate expired";
    /// The certificate is not valid yet.
    TlsNotYetValid "tls-not-yet-valid" Down "0 Received: TLS certificate not valid yet";
    /// The certificate is for other names.
    TlsWrongName "tls-wrong-name" Down "0 Received: TLS certificate for another name";
    /// Nobody trusted signed the certificate.
    TlsUnknownIssuer "tls-unknown-issuer" Down "0 Received: TLS issuer unknown";
    /// No protocol version or cipher in common.
    TlsProtocol "tls-protocol" Down "0 Received: TLS protocol too old";
    /// The server asks for a client certificate.
    TlsClientCertificate "tls-client-certificate" Down "0 Received: TLS client certificate needed";
    /// What answered does not speak TLS.
    TlsNotTls "tls-not-tls" Down "0 Received: TLS not spoken here";
    /// http:// against a port that speaks TLS.
    HttpOnTlsPort "http-on-tls-port" Warn "400: this port speaks TLS";
    /// Over the limit, after decompression.
    BodyTooLarge "body-too-large" Warn "Reply too large";
    /// The proxy did not let us through.
    ProxyFailed "proxy-failed" Down "0 Received: the proxy failed";
    /// Every probe fails at DNS or routing at once.
    Offline "offline" Unknown "This machine is offline";
    /// Credentials given, plain http to a host that is neither loopback nor allowed.
    KeyWithheld "key-withheld" Warn "Key not sent: plain http";
    /// Locked, unset variable, failed command, other origin.
    SecretUnavailable "secret-unavailable" Unknown "Key not at hand";
    /// A status came, then the body was cut.
    ReplyCut "reply-cut" Down "Reply cut short";
    /// Any other TLS failure.
    TlsFailed "tls-failed" Down "0 Received: TLS failed";
    /// Accepted, and the certificate ends in 14 days or less.
    TlsExpiring "tls-expiring" Warn "Connected, certificate ends soon";
    /// The mistake is this machine's.
    LocalError "local-error" Unknown "This machine could not ask";
    /// Two rejections: reachability only until the shown time.
    AuthPaused "auth-paused" Unknown "Key not sent";
    /// Shared token: Verify answered pong.
    TokenValid "token-valid" Ok "Token valid";
    /// Shared token: the two sides differ.
    TokenMismatch "token-mismatch" Warn "Token does not match";
    /// Shared token: the signature header was lost on the way.
    TokenHeaderStripped "token-header-stripped" Warn "Signature header lost";
    /// Shared token: the clocks are more than 45 s apart.
    TokenClock "token-clock" Warn "Clocks differ";
    /// Shared token: nothing answers for the bridge at this URL.
    TokenEndpointAbsent "token-endpoint-absent" Warn "No bridge at this URL";
    /// Shared token: no CMS URL, or a CMS without a published check.
    TokenUnverifiable "token-unverifiable" Unknown "Can't be checked from here";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// The word is not in the vocabulary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such reason: {0}")]
pub struct UnknownReason(pub String);

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.id() == word)
            .ok_or_else(|| UnknownReason(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_found_by_its_id_and_ids_are_unique() {
        for reason in Reason::ALL {
            assert_eq!(reason.id().parse(), Ok(*reason));
        }
        assert_eq!(
            "no-such".parse::<Reason>(),
            Err(UnknownReason("no-such".into()))
        );
    }

    #[test]
    fn the_worst_state_wins() {
        use State::{Down, Ok, Unknown, Warn};
        assert_eq!(State::worst([Ok, Unknown, Warn, Down]), Down);
        assert_eq!(State::worst([Ok, Unknown, Warn]), Warn);
        assert_eq!(State::worst([Ok, Unknown]), Unknown);
        assert_eq!(State::worst([]), Ok);
    }
}
