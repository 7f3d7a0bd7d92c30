//! Reasons that TLS ends in. The rehearsal authority is given as CA file, so that each is the only fault.

use std::io;

use super::super::Sim;
use super::super::behaviour::Behaviour;
use super::super::certificates::Certificate;
use super::super::entry::CatalogEntry;
use super::super::wire::Security;
use crate::domain::Reason;

pub(super) fn raise(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let mut entries = certificates(sim)?;
    entries.extend(handshakes(sim)?);
    let ca = sim.ca_file().display().to_string();
    let blesta = sim.blesta();
    let expiring = sim.serve_tls(Behaviour::Blesta(blesta.clone()), Certificate::Expiring)?;
    entries.push(
        CatalogEntry::new(Reason::TlsExpiring, 200)
            .at(expiring.url)
            .with_pair(&blesta.username, &blesta.key)
            .with_args(["--ca-file", &ca]),
    );
    Ok(entries)
}

fn certificates(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let ca = sim.ca_file().display().to_string();
    [
        (Reason::TlsExpired, Certificate::Expired),
        (Reason::TlsNotYetValid, Certificate::NotYetValid),
        (Reason::TlsWrongName, Certificate::WrongName),
        (Reason::TlsUnknownIssuer, Certificate::UnknownIssuer),
        (Reason::TlsClientCertificate, Certificate::ClientNeeded),
    ]
    .into_iter()
    .map(|(reason, certificate)| {
        let behaviour = Behaviour::Blesta(sim.blesta());
        let stand = sim.serve_tls(behaviour, certificate)?;
        Ok(CatalogEntry::new(reason, 0)
            .at(stand.url)
            .with_args(["--ca-file", &ca]))
    })
    .collect()
}

/// What answers speaks no TLS that fits, or speaks TLS where plain http was asked.
fn handshakes(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let behaviour = Behaviour::Blesta(sim.blesta());
    let plain = sim.serve(behaviour.clone())?;
    let old = sim.open(behaviour.clone(), Security::OldProtocols)?;
    let cut = sim.open(behaviour.clone(), Security::HangsUp)?;
    let tls = sim.serve_tls(behaviour, Certificate::Sound)?;
    let https = |url: String| url.replacen("http://", "https://", 1);
    Ok(vec![
        CatalogEntry::new(Reason::TlsNotTls, 0).at(https(plain.url)),
        CatalogEntry::new(Reason::TlsProtocol, 0).at(https(old.url)),
        CatalogEntry::new(Reason::TlsFailed, 0).at(https(cut.url)),
        CatalogEntry::new(Reason::HttpOnTlsPort, 400)
            .at(tls.url.replacen("https://", "http://", 1)),
    ])
}
