//! What differs from the last good run.

use crate::domain::verdict::whole_seconds;
use crate::domain::{Identity, Verdict};

use crate::service::subject::LastGood;

/// The fingerprint of a verdict. `server` is the `Server` header of the answer it rests on; it is made
/// inert here. Unknown facts are absent.
pub fn last_good(verdict: &Verdict, server: Option<&str>) -> LastGood {
    let leaf = verdict.tls.as_ref().and_then(|facts| facts.chain.first());
    let mut addresses: Vec<String> = verdict
        .addresses
        .iter()
        .map(|one| one.address.ip().to_string())
        .collect();
    addresses.sort();
    addresses.dedup();
    LastGood {
        at: whole_seconds(verdict.at),
        addresses,
        certificate: leaf.map(|leaf| leaf.fingerprint.clone()),
        issuer: leaf.map(|leaf| leaf.issuer.clone()),
        tls_version: verdict.tls.as_ref().and_then(|facts| facts.version.clone()),
        server: server.map(|server| crate::domain::text::inert(server, 80)),
        redirect: verdict.redirects.first().cloned(),
        identity: verdict.identity.as_ref().map(shown),
        service_version: verdict.service_version.clone(),
    }
}

/// Identity in one line.
pub(in crate::service) fn shown(identity: &Identity) -> String {
    match (&identity.name, &identity.id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (Some(name), None) => name.clone(),
        (None, Some(id)) => id.clone(),
        (None, None) => "unnamed".to_owned(),
    }
}

/// The lines that differ between the last good run and `now`. What is not known now is not compared.
pub(super) fn changed(last: &LastGood, now: &LastGood) -> Vec<String> {
    let mut lines = Vec::new();
    if !now.addresses.is_empty() && !last.addresses.is_empty() && now.addresses != last.addresses {
        lines.push(format!(
            "addresses: {}, now {}",
            last.addresses.join(" "),
            now.addresses.join(" ")
        ));
    }
    let facts = [
        (
            "certificate",
            short(last.certificate.as_ref()),
            short(now.certificate.as_ref()),
        ),
        ("issuer", last.issuer.clone(), now.issuer.clone()),
        ("TLS", last.tls_version.clone(), now.tls_version.clone()),
        ("server", last.server.clone(), now.server.clone()),
        ("identity", last.identity.clone(), now.identity.clone()),
        (
            "version",
            last.service_version.clone(),
            now.service_version.clone(),
        ),
    ];
    for (what, before, after) in facts {
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            lines.push(format!("{what}: {before}, now {after}"));
        }
    }
    if let Some(target) = &now.redirect
        && last.redirect.as_ref() != Some(target)
    {
        let before = last.redirect.as_deref().unwrap_or("none");
        lines.push(format!("redirect: {before}, now {target}"));
    }
    lines
}

fn short(fingerprint: Option<&String>) -> Option<String> {
    fingerprint.map(|whole| whole.chars().take(16).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_and_differs_is_said() {
        let last = LastGood {
            at: "2026-11-20T10:00:00Z".to_owned(),
            addresses: vec!["192.0.2.1".to_owned()],
            certificate: Some("aa".repeat(32)),
            server: Some("nginx".to_owned()),
            ..LastGood::default()
        };
        assert_eq!(changed(&last, &LastGood::default()), Vec::<String>::new());
        assert_eq!(changed(&last, &last.clone()), Vec::<String>::new());
        let now = LastGood {
            addresses: vec!["192.0.2.9".to_owned()],
            certificate: Some("bb".repeat(32)),
            server: Some("nginx".to_owned()),
            redirect: Some("https://e.com/".to_owned()),
            ..LastGood::default()
        };
        assert_eq!(
            changed(&last, &now),
            [
                "addresses: 192.0.2.1, now 192.0.2.9",
                "certificate: aaaaaaaaaaaaaaaa, now bbbbbbbbbbbbbbbb",
                "redirect: none, now https://e.com/"
            ]
        );
    }
}
