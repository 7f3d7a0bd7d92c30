//! What ends besides tokens: the certificates of servers, as the last probes saw them.

use jiff::Timestamp;

use super::super::core::Core;
use super::problem::TokenError;
use crate::domain::Name;

/// The certificate of a connection's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCertificate {
    /// Whose.
    pub connection: Name,
    /// Its subject, inert.
    pub subject: String,
    /// Its issuer, inert.
    pub issuer: String,
    /// SHA-256 over the DER form, hex.
    pub fingerprint: String,
    /// Its last moment.
    pub ends: Timestamp,
}

impl Core {
    /// The certificate of every connection where a probe has seen one, what ends next first. Nobody is
    /// asked: what is not in the state is not known.
    pub async fn certificates(&self) -> Result<Vec<KnownCertificate>, TokenError> {
        let connections = self.connections().await?;
        let known = self.journal(move |state| {
            let mut known = Vec::new();
            for connection in connections {
                let past = state.past(&connection.name, &connection.url)?;
                known.extend(past.certificate.and_then(|seen| {
                    Some(KnownCertificate {
                        ends: seen.ends.parse().ok()?,
                        subject: seen.subject,
                        issuer: seen.issuer,
                        fingerprint: seen.fingerprint,
                        connection: connection.name.clone(),
                    })
                }));
            }
            Ok(known)
        });
        let mut known = known.await?;
        known.sort_by(|a, b| (a.ends, &a.connection).cmp(&(b.ends, &b.connection)));
        Ok(known)
    }
}
