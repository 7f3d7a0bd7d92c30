//! What the captured chain says: who signed it, for which names, since when and until when.

use jiff::Timestamp;

use crate::domain::verdict::whole_seconds;
use crate::domain::{Certificate, Failure, Reply, TlsFacts, TlsFailure};

/// From here on a coming end is evidence, days.
const SAID: i64 = 30;
/// From here on it is a warning, days.
pub(in crate::service) const EXPIRING: i64 = 14;
/// From here on it is said in the title, whatever the reason, days.
pub(in crate::service) const URGENT: i64 = 3;

/// Why the issuer is unknown: the three cases look alike to a verifier, and differ in the chain.
pub(super) fn issuer_variant(facts: Option<&TlsFacts>) -> Option<&'static str> {
    let chain = &facts?.chain;
    let leaf = chain.first()?;
    if leaf.issuer == leaf.subject {
        Some("self-signed")
    } else if chain.len() == 1 {
        Some("incomplete")
    } else if signer(chain, leaf).is_none() {
        Some("other-chain")
    } else {
        Some("private")
    }
}

/// The certificate of the chain that signed `one`, by the names in both.
fn signer<'a>(chain: &'a [Certificate], one: &Certificate) -> Option<&'a Certificate> {
    chain.iter().find(|other| other.subject == one.issuer)
}

/// Who would have to be trusted: the issuer at which the chain ends, in whichever order it was sent.
pub(super) fn last_issuer(facts: &TlsFacts) -> Option<&str> {
    let mut last = facts.chain.first()?;
    for _ in &facts.chain {
        match signer(&facts.chain, last) {
            Some(next) if last.issuer != last.subject => last = next,
            _ => break,
        }
    }
    Some(&last.issuer)
}

/// Whether a certificate is for `host`, which may be an address.
pub(super) fn fits(leaf: &Certificate, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    leaf.names.iter().any(|name| {
        let below = name.strip_prefix("*.");
        let rest = host.split_once('.').map(|(_, rest)| rest);
        name.eq_ignore_ascii_case(host)
            || below.is_some_and(|below| rest.is_some_and(|rest| rest.eq_ignore_ascii_case(below)))
    })
}

/// Where a certificate fails otherwise, and is for other names as well: who mends the one has not mended the other.
pub(super) fn also_for_others(reply: &Reply, host: &str) -> Option<String> {
    let failure = super::failure::of(reply)?;
    let otherwise = matches!(
        failure,
        Failure::Tls(TlsFailure::Expired | TlsFailure::NotYetValid | TlsFailure::UnknownIssuer)
    );
    let leaf = reply.tls.as_ref()?.chain.first()?;
    // Of a certificate of very many, the host's may be one that was not kept.
    let all_are_known = (1..Certificate::MOST_NAMES).contains(&leaf.names.len());
    (otherwise && all_are_known && !fits(leaf, host)).then(|| names(leaf))
}

/// Why a certificate of the chain is over: the server's own, or one that it sends along, which renewing its own does not
/// mend.
pub(super) fn expired_variant(facts: Option<&TlsFacts>, at: Timestamp) -> Option<&'static str> {
    let facts = facts?;
    let leaf = facts.chain.first()?;
    (culprit(facts, at)? != leaf).then_some("chain")
}

/// Whole days from `at` until the leaf ends; negative once it has.
pub(in crate::service) fn days_left(facts: Option<&TlsFacts>, at: Timestamp) -> Option<i64> {
    facts?.chain.first().map(|leaf| days(at, leaf.not_after))
}

/// Whole days from one time to another, rounded down.
pub(in crate::service) fn days(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().div_euclid(86_400)
}

/// `1 day`, `3 days`.
pub(in crate::service) fn in_days(days: i64) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

/// The certificate of the chain that a failure over dates is about: the first that is out of its time.
pub(in crate::service) fn culprit(facts: &TlsFacts, at: Timestamp) -> Option<&Certificate> {
    facts
        .chain
        .iter()
        .find(|one| one.not_after < at || one.not_before > at)
        .or_else(|| facts.chain.first())
}

/// Lines of evidence: for a failure everything of the chain, otherwise only an end that is near.
pub(in crate::service) fn evidence(reply: &Reply) -> Vec<String> {
    let Some(facts) = &reply.tls else {
        return Vec::new();
    };
    match super::failure::of(reply) {
        Some(Failure::Tls(failure)) => failed(failure, facts, reply.at),
        _ => coming_end(facts, reply.at).into_iter().collect(),
    }
}

fn coming_end(facts: &TlsFacts, at: Timestamp) -> Option<String> {
    let leaf = facts.chain.first()?;
    let left = days(at, leaf.not_after);
    (0..=SAID).contains(&left).then(|| {
        format!(
            "the certificate ends in {} ({})",
            in_days(left),
            whole_seconds(leaf.not_after)
        )
    })
}

fn failed(failure: &TlsFailure, facts: &TlsFacts, at: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    match failure {
        TlsFailure::Expired => lines.extend(culprit(facts, at).map(|one| {
            let since = days(one.not_after, at);
            let ended = whole_seconds(one.not_after);
            let (name, now) = (&one.subject, whole_seconds(at));
            let since = in_days(since);
            format!("{name} ended {ended}, {since} ago; this machine's clock says {now}")
        })),
        TlsFailure::NotYetValid => lines.extend(culprit(facts, at).map(|one| {
            let begins = whole_seconds(one.not_before);
            format!(
                "{} begins {begins}; this machine's clock says {}",
                one.subject,
                whole_seconds(at)
            )
        })),
        TlsFailure::Authority => {
            lines.push(
                "the certificate says of itself that it is an authority's (CA:true)".to_owned(),
            );
        }
        TlsFailure::WrongName => {
            let leaf = facts.chain.first();
            lines.extend(leaf.map(|leaf| format!("the certificate is for {}", names(leaf))));
        }
        TlsFailure::UnknownIssuer => lines.push(match issuer_variant(Some(facts)) {
            Some("self-signed") => "the certificate is signed by itself".to_owned(),
            Some("incomplete") => {
                "the server sent one certificate, and not the one that signed it".to_owned()
            }
            Some("other-chain") => format!(
                "what was sent along did not sign it: {}",
                facts.chain.get(1).map_or("", |one| one.subject.as_str())
            ),
            _ => "the chain ends at an issuer that this machine does not trust".to_owned(),
        }),
        TlsFailure::Protocol
        | TlsFailure::NotForHttp
        | TlsFailure::Refused
        | TlsFailure::ClientCertificate
        | TlsFailure::ClientCertificateUnsaid
        | TlsFailure::ClientCertificateRefused
        | TlsFailure::Renegotiation
        | TlsFailure::NotTls
        | TlsFailure::Timeout
        | TlsFailure::Signature
        | TlsFailure::ForeignKey
        | TlsFailure::Unusable(_)
        | TlsFailure::Other(_) => {}
    }
    lines.extend(facts.chain.iter().take(4).enumerate().map(|(index, one)| {
        format!(
            "certificate {index}: {}, issued by {}",
            one.subject, one.issuer
        )
    }));
    lines
}

/// The names of a certificate, a few of them.
pub(in crate::service) fn names(leaf: &Certificate) -> String {
    if leaf.names.is_empty() {
        return format!("no name at all (subject {})", leaf.subject);
    }
    let shown = leaf
        .names
        .iter()
        .take(5)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match leaf.names.len() {
        0..=5 => shown,
        more => format!("{shown} and {} more", more - 5),
    }
}
