//! Requests without a whole answer: every failure has its reason.

use jiff::Timestamp;
use url::{Host, Url};

use crate::domain::endpoint::is_localhost;
use crate::domain::{
    Address, AnsweredBy, Failure, Outcome, Phases, ProxyFailure, Reason, Reply, SocksRefusal,
    TlsFailure,
};

use super::answered_by::Answerer;
use super::{Finding, tls};

/// The reason of a failure without an HTTP response.
pub(super) fn finding(failure: &Failure, reply: &Reply) -> Finding {
    match failure {
        Failure::DnsNotFound => Reason::DnsNotFound.into(),
        Failure::DnsFailed => Reason::DnsFailed.into(),
        Failure::Refused => Reason::Refused.into(),
        Failure::ConnectTimeout => Reason::ConnectTimeout.into(),
        Failure::Unreachable => Reason::Unreachable.into(),
        Failure::HostUnreachable => Finding::variant(Reason::Unreachable, "host"),
        Failure::Http2 { .. } => Finding::variant(Reason::ClosedEarly, "http2"),
        Failure::Reset => Reason::Reset.into(),
        Failure::ClosedEarly => Reason::ClosedEarly.into(),
        Failure::ResponseTimeout => Reason::ResponseTimeout.into(),
        Failure::NotHttp => Reason::NotHttp.into(),
        Failure::HeadTooLarge => Finding::variant(Reason::NotHttp, "head"),
        Failure::BadLength => Finding::variant(Reason::NotHttp, "length"),
        Failure::Tls(failure) => tls_finding(failure, reply),
        Failure::BodyTooLarge => Reason::BodyTooLarge.into(),
        Failure::BadCoding => Reason::ReplyCut.into(),
        Failure::Proxy(ProxyFailure::Unheard(_)) => Reason::ProxyFailed.into(),
        Failure::Proxy(ProxyFailure::Password) => Finding::variant(Reason::ProxyFailed, "password"),
        Failure::Proxy(ProxyFailure::PasswordRefused) => {
            Finding::variant(Reason::ProxyFailed, "refused-login")
        }
        Failure::Proxy(ProxyFailure::Denied) => Finding::variant(Reason::ProxyFailed, "denied"),
        Failure::Proxy(ProxyFailure::Silent) => Finding::variant(Reason::ProxyFailed, "silent"),
        Failure::Proxy(ProxyFailure::Socks(refusal)) => {
            let variant = match refusal {
                SocksRefusal::Login => "socks-password",
                SocksRefusal::LoginRefused => "socks-refused-login",
                SocksRefusal::Rule => "socks-rule",
                SocksRefusal::Behind(_) => "socks-behind",
                SocksRefusal::Unsupported(_) => "socks",
            };
            Finding::variant(Reason::ProxyFailed, variant)
        }
        Failure::Proxy(ProxyFailure::Refused(status)) => {
            let variant = match status {
                403 | 451 => "rule",
                400 | 404 | 405 | 501 => "no-tunnel",
                500 | 502..=504 => "behind",
                _ => "status",
            };
            Finding::variant(Reason::ProxyFailed, variant)
        }
        Failure::Local(_) => Reason::LocalError.into(),
    }
}

/// The same for a name that leads to this machine itself, where that is why nothing answers for it.
pub(super) fn of_here(finding: Finding, reply: &Reply, url: &Url) -> Finding {
    let is_name = matches!(url.host(), Some(Host::Domain(name)) if !is_localhost(name));
    let is_here = |one: &Address| {
        let ip = one.address.ip();
        ip.is_unspecified() || ip.is_loopback()
    };
    let leads_here = is_name
        && reply.proxy.is_none()
        && !reply.addresses.is_empty()
        && reply.addresses.iter().all(is_here);
    match finding.reason {
        Reason::Refused | Reason::ConnectTimeout | Reason::TlsWrongName if leads_here => {
            Finding::variant(finding.reason, "here")
        }
        _ => finding,
    }
}

/// What a probe would call this failure, without a variant: for those who have no [`Reply`].
pub fn reason_of(failure: &Failure) -> Reason {
    let nothing_known = Reply {
        at: Timestamp::UNIX_EPOCH,
        phases: Phases::default(),
        addresses: Vec::new(),
        tls: None,
        proxy: None,
        sent: false,
        wants_http1: false,
        repeated: None,
        outcome: Outcome::Reached,
    };
    finding(failure, &nothing_known).reason
}

fn tls_finding(failure: &TlsFailure, reply: &Reply) -> Finding {
    match failure {
        TlsFailure::Expired => Finding {
            reason: Reason::TlsExpired,
            variant: tls::expired_variant(reply.tls.as_ref(), reply.at).map(str::to_owned),
        },
        TlsFailure::NotYetValid => Reason::TlsNotYetValid.into(),
        TlsFailure::WrongName => Reason::TlsWrongName.into(),
        TlsFailure::UnknownIssuer => Finding {
            reason: Reason::TlsUnknownIssuer,
            variant: tls::issuer_variant(reply.tls.as_ref()).map(str::to_owned),
        },
        TlsFailure::Protocol => Reason::TlsProtocol.into(),
        TlsFailure::NotForHttp => Finding::variant(Reason::TlsProtocol, "not-http"),
        TlsFailure::Refused => Finding::variant(Reason::TlsProtocol, "refused"),
        TlsFailure::ClientCertificate | TlsFailure::ClientCertificateUnsaid => {
            Reason::TlsClientCertificate.into()
        }
        TlsFailure::ClientCertificateRefused => {
            Finding::variant(Reason::TlsClientCertificate, "refused")
        }
        TlsFailure::Renegotiation => {
            Finding::variant(Reason::TlsClientCertificate, "renegotiation")
        }
        TlsFailure::NotTls => Reason::TlsNotTls.into(),
        TlsFailure::Authority => Finding::variant(Reason::TlsFailed, "authority"),
        TlsFailure::Signature => Finding::variant(Reason::TlsFailed, "signature"),
        TlsFailure::ForeignKey => Finding::variant(Reason::TlsFailed, "key"),
        TlsFailure::Unusable(_) => Finding::variant(Reason::TlsFailed, "certificate"),
        TlsFailure::Timeout => Finding::variant(Reason::TlsFailed, "timeout"),
        TlsFailure::Other(_) => Reason::TlsFailed.into(),
    }
}

/// The reason where a status came and the body did not come whole. The status is kept.
pub(in crate::service) fn cut(failure: &Failure) -> Finding {
    match failure {
        Failure::ResponseTimeout => Finding::variant(Reason::ResponseTimeout, "body"),
        Failure::BodyTooLarge => Reason::BodyTooLarge.into(),
        Failure::BadCoding => Finding::variant(Reason::ReplyCut, "encoding"),
        Failure::Http2 { .. } => Finding::variant(Reason::ReplyCut, "http2"),
        Failure::DnsNotFound
        | Failure::DnsFailed
        | Failure::Refused
        | Failure::ConnectTimeout
        | Failure::Unreachable
        | Failure::HostUnreachable
        | Failure::Reset
        | Failure::ClosedEarly
        | Failure::NotHttp
        | Failure::HeadTooLarge
        | Failure::BadLength
        | Failure::Tls(_)
        | Failure::Proxy(_)
        | Failure::Local(_) => Reason::ReplyCut.into(),
    }
}

/// Who is behind a failure: nobody, unless the proxy answered.
pub(super) fn answerer(failure: &Failure) -> Answerer {
    let said = match (failure, status(failure)) {
        (Failure::Proxy(ProxyFailure::Denied | ProxyFailure::Socks(_)), _) => {
            "the proxy answered, and did not connect".to_owned()
        }
        (_, 0) => return Answerer::of(AnsweredBy::Nobody),
        (_, status) => format!("the proxy answered {status} instead of connecting"),
    };
    Answerer {
        by: AnsweredBy::Proxy,
        name: None,
        evidence: vec![said],
    }
}

/// The status of a failure: that of the proxy, where it gave one.
pub(super) fn status(failure: &Failure) -> u16 {
    let Failure::Proxy(failure) = failure else {
        return 0;
    };
    match failure {
        ProxyFailure::Password | ProxyFailure::PasswordRefused => 407,
        ProxyFailure::Refused(status) => *status,
        ProxyFailure::Denied
        | ProxyFailure::Silent
        | ProxyFailure::Socks(_)
        | ProxyFailure::Unheard(_) => 0,
    }
}

/// The failure of a reply, where it is one.
pub(in crate::service) fn of(reply: &Reply) -> Option<&Failure> {
    match &reply.outcome {
        Outcome::Failed(failure) | Outcome::Cut(_, failure) => Some(failure),
        Outcome::Reached | Outcome::Answered(_) => None,
    }
}

/// What a failure says beyond its kind: the sentence that came with it.
pub(in crate::service) fn why(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::Local(why)
        | Failure::Http2 { said: why, .. }
        | Failure::Tls(TlsFailure::Other(why) | TlsFailure::Unusable(why)) => Some(why),
        Failure::Proxy(
            ProxyFailure::Unheard(why)
            | ProxyFailure::Socks(SocksRefusal::Behind(why) | SocksRefusal::Unsupported(why)),
        ) => Some(why),
        Failure::DnsNotFound
        | Failure::DnsFailed
        | Failure::Refused
        | Failure::ConnectTimeout
        | Failure::Unreachable
        | Failure::HostUnreachable
        | Failure::Reset
        | Failure::ClosedEarly
        | Failure::ResponseTimeout
        | Failure::NotHttp
        | Failure::HeadTooLarge
        | Failure::BadLength
        | Failure::Tls(_)
        | Failure::BodyTooLarge
        | Failure::BadCoding
        | Failure::Proxy(
            ProxyFailure::Password
            | ProxyFailure::PasswordRefused
            | ProxyFailure::Refused(_)
            | ProxyFailure::Denied
            | ProxyFailure::Silent
            | ProxyFailure::Socks(
                SocksRefusal::Login | SocksRefusal::LoginRefused | SocksRefusal::Rule,
            ),
        ) => None,
    }
}

/// A few words for a line of evidence.
pub(in crate::service) fn words(failure: &Failure, reply: &Reply) -> String {
    let title = finding(failure, reply).reason.title();
    title
        .strip_prefix("0 Received: ")
        .unwrap_or(title)
        .to_owned()
}
