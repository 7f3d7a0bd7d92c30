//! What came back from one request, or how it failed: the input of the judge, made by the transport.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::reason::State;

/// Everything that is known of one request, whether it was answered or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// When the request was started, UTC.
    pub at: Timestamp,
    /// How long each phase took.
    pub phases: Phases,
    /// Every address of the name, tried or not.
    pub addresses: Vec<Address>,
    /// What TLS showed, also where it failed.
    pub tls: Option<TlsFacts>,
    /// The proxy used: scheme, host and port only.
    pub proxy: Option<String>,
    /// Whether the request, with all that it carries, was put on its way: the connection stood, and TLS where
    /// there is any.
    pub sent: bool,
    /// Whether the server refused the request's stream and wants it over HTTP/1.1 (`HTTP_1_1_REQUIRED`), and it carries
    /// a key or a token: whoever asked decides whether that is sent once more.
    pub wants_http1: bool,
    /// What was asked a second time for it, where anything was.
    pub repeated: Option<Repeated>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked a second time, though one request was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// The request, over HTTP/1.1: the server wants it so (`HTTP_1_1_REQUIRED`). With a key that is an attempt of its own:
    /// the word does not promise that the first one was not looked at (RFC 9113, 7; `REFUSED_STREAM` does).
    OverHttp1,
    /// The proxy, for the same connection: by which status it refuses that.
    Tunnel,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Asked for reachability only: name, connection and TLS are in order; no HTTP request was sent.
    Reached,
    /// A whole response.
    Answered(Response),
    /// A status and headers, then the body was reset, short, wrongly coded, too large or late.
    Cut(Response, Failure),
    /// No HTTP response.
    Failed(Failure),
}

/// An HTTP response. Everything in it is foreign text: nothing of it is shown before it was made inert.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, values as they came (bytes outside ASCII replaced), in order.
    pub headers: Vec<(String, String)>,
    /// After decompression, at most 1 MiB.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of the header `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// How a request failed, classified from types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The name does not exist, or has no address.
    DnsNotFound,
    /// The name server failed or did not answer in time.
    DnsFailed,
    /// TCP refused at every address.
    Refused,
    /// No TCP connection in time.
    ConnectTimeout,
    /// No route to the network.
    Unreachable,
    /// A router or a firewall on the way said that the host is out of reach, or it is not there in this network.
    HostUnreachable,
    /// Reset after the connection stood.
    Reset,
    /// Closed before (all of) a reply.
    ClosedEarly,
    /// Connected, and nothing or not all came before the deadline.
    ResponseTimeout,
    /// The server broke the exchange off by HTTP/2's own means.
    Http2 {
        /// What it said, in a few words.
        said: String,
        /// Whether it may have looked at the request before. Of an end of the connection that is no orderly one, that
        /// is so, whichever request it names as the last: who breaks off so has often looked at what it breaks off for.
        processed: bool,
    },
    /// Not HTTP: a banner, garbage.
    NotHttp,
    /// HTTP, with more headers than are read.
    HeadTooLarge,
    /// HTTP, whose `Content-Length` headers contradict each other or hold no number: where the reply ends is not known,
    /// and nothing of it is read.
    BadLength,
    /// TLS failed.
    Tls(TlsFailure),
    /// The body is over the limit after decompression.
    BodyTooLarge,
    /// The body was wrongly coded (chunks, gzip).
    BadCoding,
    /// The proxy failed.
    Proxy(ProxyFailure),
    /// This machine could not ask: what was missing, in one sentence for people.
    Local(String),
}

/// How a proxy failed, before the target was reached through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFailure {
    /// It asks for a user name and password of its own (407).
    Password,
    /// The same, though its URL has them.
    PasswordRefused,
    /// It answered by this status, and did not connect.
    Refused(u16),
    /// The same, and what it answered is not known.
    Denied,
    /// The time was over before the target stood behind it: which of the two was silent is not known.
    Silent,
    /// It speaks SOCKS, and did not connect.
    Socks(SocksRefusal),
    /// It could not be used: why, in a few words.
    Unheard(&'static str),
}

/// How a SOCKS5 proxy refused (RFC 1928, 3 and 6; RFC 1929).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocksRefusal {
    /// It asks for a user name and password of its own.
    Login,
    /// The same, though its URL has them.
    LoginRefused,
    /// A rule of its own (reply 2).
    Rule,
    /// It did not reach the target (replies 1 and 3 to 6): why, in a few words.
    Behind(&'static str),
    /// It can't do what it was asked for (replies 7 and 8): what, in a few words.
    Unsupported(&'static str),
}

/// How TLS failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// A certificate of the chain has expired.
    Expired,
    /// A certificate of the chain is not valid yet.
    NotYetValid,
    /// The leaf is for other names.
    WrongName,
    /// No trusted issuer: self-signed, incomplete chain or private CA; the chain tells which.
    UnknownIssuer,
    /// The leaf is marked as an authority's, which no server's may be.
    Authority,
    /// A signature of the chain does not hold by the key of the issuer that is named.
    Signature,
    /// What the server signed of the handshake is not signed with the key of the certificate that it shows.
    ForeignKey,
    /// A certificate of the chain can't be used: why, in a few words.
    Unusable(String),
    /// No protocol version or cipher in common.
    Protocol,
    /// It offers neither HTTP/1.1 nor HTTP/2 there (ALPN).
    NotForHttp,
    /// The server ended the handshake without saying more: no cipher in common, or no certificate for the name.
    Refused,
    /// The server wants a client certificate.
    ClientCertificate,
    /// The server asked for a client certificate, was sent none, and broke the connection off without a word once the
    /// request was on its way: it may have read that.
    ClientCertificateUnsaid,
    /// The server refused the client certificate that was sent.
    ClientCertificateRefused,
    /// TLS stood, and the server wanted to begin it anew for the path that was asked: as it asks for a client certificate
    /// there.
    Renegotiation,
    /// What answered is not TLS.
    NotTls,
    /// The handshake did not end in time.
    Timeout,
    /// Anything else, in one sentence.
    Other(String),
}

/// How long each phase took; absent where it did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Looking up the name.
    pub dns: Option<Duration>,
    /// TCP.
    pub connect: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the head of the response, or to the end of the waiting where none came.
    pub wait: Option<Duration>,
    /// From the head to the end of the body.
    pub body: Option<Duration>,
    /// The whole.
    pub total: Option<Duration>,
}

impl Phases {
    /// Name and duration of each phase in order, `total` left out.
    pub fn parts(&self) -> [(&'static str, Option<Duration>); 5] {
        [
            ("name", self.dns),
            ("connect", self.connect),
            ("TLS", self.tls),
            ("wait", self.wait),
            ("body", self.body),
        ]
    }
}

/// Milliseconds with one decimal, as in JSON.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Serialize for Phases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Milliseconds {
            dns: Option<f64>,
            connect: Option<f64>,
            tls: Option<f64>,
            wait: Option<f64>,
            body: Option<f64>,
            total: Option<f64>,
        }
        Milliseconds {
            dns: self.dns.map(milliseconds),
            connect: self.connect.map(milliseconds),
            tls: self.tls.map(milliseconds),
            wait: self.wait.map(milliseconds),
            body: self.body.map(milliseconds),
            total: self.total.map(milliseconds),
        }
        .serialize(serializer)
    }
}

/// One address of the name, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Address {
    /// Address and port.
    pub address: SocketAddr,
    /// `ok`, `down`, or `unknown` where it was not tried.
    pub state: State,
    /// Milliseconds to the TCP connection or its failure.
    pub ms: Option<f64>,
}

/// What TLS showed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TlsFacts {
    /// `TLSv1.3` or `TLSv1.2`, once agreed.
    pub version: Option<String>,
    /// As the server sent it, the leaf first. Inert.
    pub chain: Vec<Certificate>,
    /// Whether the chain was verified: only then may a secret be sent.
    pub verified: bool,
}

/// One certificate. Every text is inert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, as `CN=…, O=…`.
    pub subject: String,
    /// Issuer, likewise.
    pub issuer: String,
    /// DNS names and addresses that it is for.
    pub names: Vec<String>,
    /// First moment of validity, UTC.
    pub not_before: Timestamp,
    /// Last moment of validity, UTC.
    pub not_after: Timestamp,
    /// SHA-256 over the DER form, hex.
    pub fingerprint: String,
}

impl Certificate {
    /// Most names that are kept of one: of those with so many, further ones are not known.
    pub const MOST_NAMES: usize = 100;
}
