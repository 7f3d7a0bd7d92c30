//! From an error of the client to a [`Failure`]: by types and by how far the connection came, not by words.
//!
//! The rows are those of the classifier table that was tried out against reqwest 0.13, rustls 0.23 and
//! hyper 1. Where no type can be reached (the tunnel through a proxy), the words decide, and it says so.

mod certificate;
mod proxy;

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::IpAddr;

use rustix::io::Errno;
use rustls::{AlertDescription, Error as TlsError};

use crate::domain::text::inert;
use crate::domain::{Failure, ProxyFailure, TlsFailure};

use super::resolve::LookupFailure;
use proxy::{PROXY_WANTS_CERTIFICATE, proxy_failure};

/// How the request went, beside what the error says.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Through which kind of proxy.
    pub proxy: Option<ProxyKind>,
    /// User name and password stand in the proxy's URL.
    pub proxy_login: bool,
    /// The target speaks TLS.
    pub tls: bool,
    /// A client certificate was configured.
    pub identity: bool,
}

/// How far the connection came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// TCP, and the tunnel through a proxy, do not stand.
    #[default]
    Connecting,
    /// TLS does not stand.
    Handshake,
    /// A request could be sent.
    Joined,
}

/// What kind of certificate the server showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// A server's.
    Server,
    /// The same, issued by whom it is for.
    SelfSigned,
    /// It, or one sent along, has a key of RSA that is too short for its signatures to count.
    Weak,
    /// A certificate authority's own, which no server may use.
    Authority,
}

/// What is known of a connection beside its error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// The address, where it is not the proxy's to choose.
    pub to: Option<IpAddr>,
    /// How far it came.
    pub stage: Stage,
    /// How many TLS handshakes began: two through a proxy that itself speaks TLS.
    pub handshakes: u8,
    /// What the server showed, where it showed anything.
    pub leaf: Option<Leaf>,
    /// The server asked for a client certificate.
    pub certificate_wanted: bool,
}

impl Progress {
    /// As far as the error itself shows: for a client that writes nothing down.
    fn shown_by(error: &reqwest::Error) -> Self {
        let (stage, handshakes) = if !error.is_connect() {
            (Stage::Joined, 2)
        } else if find::<TlsError>(&links(error)).is_some() {
            (Stage::Handshake, 1)
        } else {
            (Stage::Connecting, 0)
        };
        Self {
            stage,
            handshakes,
            ..Self::default()
        }
    }
}

/// Why a client that has its own times, and writes nothing down, came to no answer.
pub fn without_answer(error: &reqwest::Error, setting: Setting) -> Failure {
    let progress = Progress::shown_by(error);
    if error.is_timeout() {
        out_of_time(&progress, setting)
    } else {
        before_head(error, &progress, setting)
    }
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// Plain, http or SOCKS.
    Plain,
    /// Itself within TLS.
    Tls,
}

impl Setting {
    /// Whether the tunnel to the target stood: anything before it is the proxy's failure.
    pub fn is_beyond_proxy(self, progress: &Progress) -> bool {
        match self.proxy {
            None => true,
            Some(_) if !self.tls => progress.stage == Stage::Joined,
            Some(ProxyKind::Plain) => progress.handshakes >= 1,
            Some(ProxyKind::Tls) => progress.handshakes >= 2,
        }
    }
}

/// An error that came before the response's head.
pub fn before_head(error: &reqwest::Error, progress: &Progress, setting: Setting) -> Failure {
    let links = links(error);
    if error.is_builder() {
        return Failure::Local("the request could not be built".to_owned());
    }
    match find::<LookupFailure>(&links) {
        // Any other is that of the proxy's name.
        Some(failure @ LookupFailure::Shortage) => return failure.failure(),
        Some(failure) if setting.proxy.is_none() => return failure.failure(),
        Some(_) | None => {}
    }
    if let Some(shortage) = shortage(&links) {
        return shortage;
    }
    let error = find::<TlsError>(&links);
    // Of TLS 1.3 the proxy's refusal comes after its handshake; where the target speaks none, it can be nobody else's.
    if !setting.is_beyond_proxy(progress) || (error.is_some() && !setting.tls) {
        return Failure::Proxy(proxy_failure(&links, progress, setting));
    }
    if let Some(error) = error {
        return Failure::Tls(tls(error, progress, setting));
    }
    match progress.stage {
        Stage::Joined => after_connecting(&links, progress, setting),
        Stage::Handshake => in_handshake(&links),
        Stage::Connecting => connecting(&links, progress),
    }
}

impl Setting {
    /// A 407 of the proxy.
    pub const fn wants_login(self) -> ProxyFailure {
        if self.proxy_login {
            ProxyFailure::PasswordRefused
        } else {
            ProxyFailure::Password
        }
    }
}

/// An error within the response's body.
pub fn in_body(error: &reqwest::Error) -> Failure {
    let links = links(error);
    if let Some(error) = find::<hyper::Error>(&links) {
        if error.is_incomplete_message() {
            return Failure::ClosedEarly;
        }
        if error.is_timeout() {
            return Failure::ResponseTimeout;
        }
    }
    match io_kind(&links) {
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            Failure::Reset
        }
        Some(ErrorKind::UnexpectedEof) => Failure::ClosedEarly,
        Some(ErrorKind::TimedOut) => Failure::ResponseTimeout,
        _ if find::<TlsError>(&links).is_some() => Failure::Reset,
        // Beside HTTP/2: chunk sizes and gzip.
        _ => find::<h2::Error>(&links).map_or(Failure::BadCoding, in_body_of_http2),
    }
}

/// The same, where HTTP/2 ended it.
fn in_body_of_http2(error: &h2::Error) -> Failure {
    if let Some(failure) = broken_off(error) {
        return failure;
    }
    match (error.reason(), error.get_io().map(io::Error::kind)) {
        (_, Some(ErrorKind::TimedOut)) => Failure::ResponseTimeout,
        (_, Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)) => Failure::Reset,
        // It was shorter than its length, or longer (RFC 9113, 8.1.1), or the connection ended.
        (Some(h2::Reason::PROTOCOL_ERROR), _) if error.is_reset() => Failure::ClosedEarly,
        (None, _) => Failure::ClosedEarly,
        (Some(reason), _) => Failure::Http2 {
            said: format!("what it sent is against the rules of HTTP/2 ({reason:?})"),
            processed: true,
        },
    }
}

/// The deadline came before the response's head.
pub fn out_of_time(progress: &Progress, setting: Setting) -> Failure {
    if setting.proxy.is_some() && !setting.is_beyond_proxy(progress) {
        return Failure::Proxy(ProxyFailure::Silent);
    }
    match progress.stage {
        Stage::Joined => Failure::ResponseTimeout,
        Stage::Handshake => Failure::Tls(TlsFailure::Timeout),
        Stage::Connecting => Failure::ConnectTimeout,
    }
}

/// The chain of causes. For an [`io::Error`] its inner error comes next: `source()` skips it.
fn links<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(link) = next.filter(|_| links.len() < 32) {
        links.push(link);
        next = match link
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => link.source(),
        };
    }
    links
}

fn find<'a, T: Error + 'static>(links: &[&'a (dyn Error + 'static)]) -> Option<&'a T> {
    links.iter().find_map(|link| link.downcast_ref())
}

/// The kind of the innermost input or output error.
fn io_kind(links: &[&(dyn Error + 'static)]) -> Option<ErrorKind> {
    links
        .iter()
        .rev()
        .find_map(|link| link.downcast_ref::<io::Error>())
        .map(io::Error::kind)
}

/// Out of descriptors or of memory: this machine's fault.
fn shortage(links: &[&(dyn Error + 'static)]) -> Option<Failure> {
    let code = links
        .iter()
        .rev()
        .find_map(|link| link.downcast_ref::<io::Error>()?.raw_os_error())?;
    let what = match Errno::from_raw_os_error(code) {
        Errno::NFILE | Errno::MFILE => {
            "no file descriptors are left (`ulimit -n` raises the limit)"
        }
        Errno::NOMEM | Errno::NOBUFS => "no memory is left for connections",
        _ => return None,
    };
    Some(Failure::Local(what.to_owned()))
}

/// TCP did not stand.
fn connecting(links: &[&(dyn Error + 'static)], progress: &Progress) -> Failure {
    match io_kind(links) {
        Some(ErrorKind::ConnectionRefused) => Failure::Refused,
        Some(ErrorKind::TimedOut) => Failure::ConnectTimeout,
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => Failure::Reset,
        Some(ErrorKind::PermissionDenied) => {
            Failure::Local("a rule of its own forbids the connection".to_owned())
        }
        Some(ErrorKind::AddrNotAvailable)
            if progress.to.is_some_and(|to| to.is_ipv6()) && !has_ipv6() =>
        {
            Failure::Unreachable
        }
        Some(ErrorKind::AddrNotAvailable) => {
            Failure::Local("no address or port is left to connect from".to_owned())
        }
        Some(ErrorKind::HostUnreachable) => Failure::HostUnreachable,
        _ => Failure::Unreachable,
    }
}

/// Whether this machine has an address of IPv6 at all: without one there is none to connect from, and with one its
/// ports are used up.
fn has_ipv6() -> bool {
    std::net::UdpSocket::bind((std::net::Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// TLS did not end, and not by a word of TLS.
fn in_handshake(links: &[&(dyn Error + 'static)]) -> Failure {
    match io_kind(links) {
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            Failure::Reset
        }
        Some(ErrorKind::TimedOut) => Failure::Tls(TlsFailure::Timeout),
        _ => Failure::Tls(TlsFailure::Other(
            "the server closed the connection during the handshake".to_owned(),
        )),
    }
}

/// TCP and TLS stood, and no head came.
fn after_connecting(
    links: &[&(dyn Error + 'static)],
    progress: &Progress,
    setting: Setting,
) -> Failure {
    // In TLS 1.3 a server tells only after the handshake that it misses a certificate, and its alert may be
    // lost to a reset.
    let refused_by_certificate = progress.certificate_wanted && !setting.identity;
    // The outer ones say only that the request was not sent, the innermost says why.
    let hyper = links
        .iter()
        .rev()
        .find_map(|link| link.downcast_ref::<hyper::Error>());
    if hyper.is_some_and(hyper::Error::is_parse_too_large) {
        return Failure::HeadTooLarge;
    }
    // Its type is not public: the words decide.
    if hyper.is_some_and(|error| error.to_string().contains("content-length")) {
        return Failure::BadLength;
    }
    if hyper.is_some_and(hyper::Error::is_parse) {
        return Failure::NotHttp;
    }
    if let Some(failure) = find::<h2::Error>(links).and_then(broken_off) {
        return failure;
    }
    let failure = match io_kind(links) {
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            Failure::Reset
        }
        Some(ErrorKind::UnexpectedEof) => Failure::ClosedEarly,
        Some(ErrorKind::TimedOut) => Failure::ResponseTimeout,
        _ if hyper.is_some_and(|error| {
            error.is_incomplete_message() || error.is_closed() || error.is_canceled()
        }) =>
        {
            Failure::ClosedEarly
        }
        // A banner before the request was sent, or bytes that are no frames of HTTP/2.
        _ => Failure::NotHttp,
    };
    if !refused_by_certificate || !matches!(failure, Failure::Reset | Failure::ClosedEarly) {
        return failure;
    }
    let is_unsent = find::<hyper::Error>(links).is_some_and(hyper::Error::is_canceled);
    match (setting.tls, is_unsent) {
        (true, true) => Failure::Tls(TlsFailure::ClientCertificate),
        (true, false) => Failure::Tls(TlsFailure::ClientCertificateUnsaid),
        (false, _) => Failure::Proxy(ProxyFailure::Unheard(PROXY_WANTS_CERTIFICATE)),
    }
}

/// By what a server says that it wants HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantsHttp1 {
    /// It refused the request's stream: it has not looked at it.
    ForStream,
    /// It ended the connection.
    ForConnection,
}

/// Whether the server wants the request over HTTP/1.1 (RFC 9113, 7): as for a Windows login, or a client certificate that
/// is asked for late.
pub fn wants_http1(error: &reqwest::Error) -> Option<WantsHttp1> {
    let said = find::<h2::Error>(&links(error)).filter(|error| error.is_remote())?;
    (said.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED)).then(|| {
        if said.is_reset() {
            WantsHttp1::ForStream
        } else {
            WantsHttp1::ForConnection
        }
    })
}

/// What the server said as it ended the stream or the connection (RFC 9113, 7); nothing where it was not the server.
fn broken_off(error: &h2::Error) -> Option<Failure> {
    use h2::Reason;
    let reason = error.reason().filter(|_| error.is_remote())?;
    let (meaning, processed) = match reason {
        Reason::ENHANCE_YOUR_CALM => (", too many requests", true),
        Reason::INTERNAL_ERROR => (", an error of its own", true),
        // Of an orderly end h2 tells the requests alone that came too late to be looked at (RFC 9113, 6.8).
        Reason::NO_ERROR => (", it was shutting down", !error.is_go_away()),
        // Of these two the server says that it has not looked at the request (RFC 9113, 8.7 and 7).
        Reason::REFUSED_STREAM => (", it takes no further request now", false),
        Reason::HTTP_1_1_REQUIRED => (", it wants HTTP/1.1 for this", false),
        _ => ("", true),
    };
    Some(Failure::Http2 {
        said: format!("{reason:?}{meaning}"),
        processed,
    })
}

fn tls(error: &TlsError, progress: &Progress, setting: Setting) -> TlsFailure {
    match error {
        TlsError::InvalidCertificate(problem) => certificate::failure(problem, progress.leaf),
        TlsError::AlertReceived(alert) => self::alert(*alert, progress, setting),
        TlsError::InvalidMessage(_)
        | TlsError::PeerSentOversizedRecord
        | TlsError::InappropriateMessage { .. }
            if progress.leaf.is_none() =>
        {
            TlsFailure::NotTls
        }
        TlsError::NoApplicationProtocol => TlsFailure::NotForHttp,
        TlsError::PeerIncompatible(_) => TlsFailure::Protocol,
        TlsError::NoCertificatesPresented => {
            TlsFailure::Other("the server showed no certificate".to_owned())
        }
        other => TlsFailure::Other(inert(&other.to_string(), 200)),
    }
}

fn alert(alert: AlertDescription, progress: &Progress, setting: Setting) -> TlsFailure {
    use AlertDescription as Alert;
    match alert {
        // TLS 1.2 has no word of its own for a missing certificate.
        Alert::HandshakeFailure if progress.certificate_wanted && !setting.identity => {
            TlsFailure::ClientCertificate
        }
        Alert::HandshakeFailure if progress.certificate_wanted => {
            TlsFailure::ClientCertificateRefused
        }
        Alert::HandshakeFailure | Alert::NoRenegotiation if progress.stage == Stage::Joined => {
            TlsFailure::Renegotiation
        }
        Alert::HandshakeFailure => TlsFailure::Refused,
        Alert::ProtocolVersion | Alert::InsufficientSecurity | Alert::InappropriateFallback => {
            TlsFailure::Protocol
        }
        Alert::NoApplicationProtocol => TlsFailure::NotForHttp,
        // These are about ours, where one was asked for; else a filter by names, or a box on the way, means just no.
        Alert::CertificateRequired
        | Alert::NoCertificate
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => match (setting.identity, progress.certificate_wanted) {
            (true, true) => TlsFailure::ClientCertificateRefused,
            (false, true) => TlsFailure::ClientCertificate,
            (_, false) if alert == Alert::CertificateRequired => TlsFailure::ClientCertificate,
            (_, false) => TlsFailure::Refused,
        },
        Alert::UnrecognisedName => {
            TlsFailure::Other("the server serves no such name over TLS".to_owned())
        }
        other => TlsFailure::Other(format!("the server ended TLS with the alert {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_out_in_a_phase() {
        let straight = Setting {
            proxy: None,
            proxy_login: false,
            tls: true,
            identity: false,
        };
        let proxied = Setting {
            proxy: Some(ProxyKind::Plain),
            ..straight
        };
        let mut progress = Progress::default();
        assert_eq!(out_of_time(&progress, straight), Failure::ConnectTimeout);
        assert!(matches!(out_of_time(&progress, proxied), Failure::Proxy(_)));
        progress.stage = Stage::Handshake;
        progress.handshakes = 1;
        let slow_handshake = Failure::Tls(TlsFailure::Timeout);
        assert_eq!(out_of_time(&progress, straight), slow_handshake);
        assert_eq!(out_of_time(&progress, proxied), slow_handshake);
        let within_tls = Setting {
            proxy: Some(ProxyKind::Tls),
            ..straight
        };
        assert!(matches!(
            out_of_time(&progress, within_tls),
            Failure::Proxy(_)
        ));
        progress.stage = Stage::Joined;
        assert_eq!(out_of_time(&progress, straight), Failure::ResponseTimeout);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_known_by_its_type() {
        use crate::domain::AddressFamily;
        use crate::http::resolve::{OfFamily, Resolver};
        use crate::http::tls::{self, NoIdentity, SystemRoots, Trust};
        use std::sync::Arc;
        let resolver = OfFamily(Resolver::new(), AddressFamily::Any);
        let roots = Arc::new(SystemRoots::default());
        let trust = Trust {
            roots: Arc::clone(&roots),
            own: None,
        };
        let tls = tls::config(&roots, Arc::new(trust), Arc::new(NoIdentity)).unwrap();
        let client = crate::http::client::builder("test", tls)
            .dns_resolver(Arc::new(resolver))
            .no_proxy()
            .build()
            .unwrap();
        // No name server is asked: a label has 63 characters at the most.
        let url = format!("http://{}.invalid/", "a".repeat(70));
        let error = client.get(url).send().await.unwrap_err();
        let setting = Setting {
            proxy: None,
            proxy_login: false,
            tls: false,
            identity: false,
        };
        let failure = without_answer(&error, setting);
        let is_lookup = matches!(failure, Failure::DnsNotFound | Failure::DnsFailed);
        assert!(is_lookup, "{failure:?}");
    }

    #[test]
    fn the_inner_error_of_an_io_error_is_reached() {
        let error = io::Error::new(
            ErrorKind::InvalidData,
            TlsError::AlertReceived(AlertDescription::ProtocolVersion),
        );
        let links = links(&error);
        assert!(find::<TlsError>(&links).is_some());
        assert_eq!(io_kind(&links), Some(ErrorKind::InvalidData));
    }

    #[test]
    fn a_port_for_another_protocol_is_none_with_old_ciphers() {
        let setting = Setting {
            proxy: None,
            proxy_login: false,
            tls: true,
            identity: false,
        };
        let progress = Progress::default();
        let alerted = TlsError::AlertReceived(AlertDescription::NoApplicationProtocol);
        for error in [alerted, TlsError::NoApplicationProtocol] {
            let failure = tls(&error, &progress, setting);
            assert_eq!(failure, TlsFailure::NotForHttp);
        }
    }

    #[test]
    fn a_certificate_that_is_missed_is_missed_by_whoever_speaks_tls() {
        let progress = Progress {
            stage: Stage::Joined,
            certificate_wanted: true,
            ..Progress::default()
        };
        let reset = io::Error::from(ErrorKind::ConnectionReset);
        let by_proxy = ProxyFailure::Unheard(PROXY_WANTS_CERTIFICATE);
        for (tls, failure) in [
            (true, Failure::Tls(TlsFailure::ClientCertificateUnsaid)),
            (false, Failure::Proxy(by_proxy)),
        ] {
            let setting = Setting {
                proxy: Some(ProxyKind::Tls),
                proxy_login: false,
                tls,
                identity: false,
            };
            let found = after_connecting(&links(&reset), &progress, setting);
            assert_eq!(found, failure);
        }
        let setting = Setting {
            proxy: Some(ProxyKind::Tls),
            proxy_login: false,
            tls: true,
            identity: false,
        };
        let found = proxy_failure(&links(&reset), &progress, setting);
        assert_eq!(found, by_proxy);
        let failed = ProxyFailure::Unheard("TLS with it failed");
        for (said, failure) in [
            (AlertDescription::CertificateRequired, by_proxy),
            (AlertDescription::HandshakeFailure, by_proxy),
            (AlertDescription::ProtocolVersion, failed),
            (AlertDescription::InternalError, failed),
        ] {
            let error = TlsError::AlertReceived(said);
            let found = proxy_failure(&links(&error), &progress, setting);
            assert_eq!(found, failure, "{said:?}");
        }
    }

    #[test]
    fn certificate_alerts_are_about_ours() {
        let setting = Setting {
            proxy: None,
            proxy_login: false,
            tls: true,
            identity: false,
        };
        let mut progress = Progress::default();
        assert_eq!(
            alert(AlertDescription::HandshakeFailure, &progress, setting),
            TlsFailure::Refused
        );
        progress.stage = Stage::Joined;
        assert_eq!(
            alert(AlertDescription::HandshakeFailure, &progress, setting),
            TlsFailure::Renegotiation
        );
        progress.certificate_wanted = true;
        for alerted in [
            AlertDescription::HandshakeFailure,
            AlertDescription::CertificateRequired,
        ] {
            assert_eq!(
                alert(alerted, &progress, setting),
                TlsFailure::ClientCertificate
            );
        }
    }
}
