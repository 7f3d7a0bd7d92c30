//! TLS as a probe wants it: full handshakes only, the chain written down whether it holds or not.
//!
//! A handshake whose chain does not hold is aborted by the verifier's own answer, so no request (and no
//! secret) can follow it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue, Tls12Resumption,
    Tls13ClientSessionValue,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, NamedGroup, SignatureScheme};
use tokio::time::Instant;

use super::trace::note;
use crate::http::tls::{self, Trust};

/// The configuration for reqwest: whom to trust, and what is shown where a server asks for it.
pub(super) fn config(
    trust: Trust,
    identity: Option<SingleCertAndKey>,
) -> Result<ClientConfig, TlsError> {
    let roots = Arc::clone(&trust.roots);
    let shown = Arc::new(ClientCertificate { identity });
    let mut config = tls::config(&roots, Arc::new(Recorder(trust)), shown)?;
    // A resumed session shows no certificate: every handshake is a whole one.
    config.resumption =
        Resumption::store(Arc::new(NoSessionStore)).tls12_resumption(Tls12Resumption::Disabled);
    Ok(config)
}

/// Verifies as others do, and writes down what was shown.
#[derive(Debug)]
struct Recorder(Trust);

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        note(|marks| {
            marks.chain = std::iter::once(end_entity)
                .chain(intermediates)
                .map(|certificate| certificate.as_ref().to_vec())
                .collect();
            marks.verified = verdict.is_ok();
        });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        note(|marks| marks.version = Some("TLSv1.2"));
        let verdict = self
            .0
            .verify_tls12_signature(message, certificate, signature);
        note(|marks| marks.verified &= verdict.is_ok());
        verdict
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        note(|marks| marks.version = Some("TLSv1.3"));
        let verdict = self
            .0
            .verify_tls13_signature(message, certificate, signature);
        note(|marks| marks.verified &= verdict.is_ok());
        verdict
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Remembers no session, and marks the moment at which a handshake begins by being asked for one.
#[derive(Debug)]
struct NoSessionStore;

impl ClientSessionStore for NoSessionStore {
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        note(|marks| {
            marks.tls_begun = Some(Instant::now());
            marks.handshakes = marks.handshakes.saturating_add(1);
            // What a proxy's own handshake showed is not the target's.
            marks.chain.clear();
            marks.verified = false;
            marks.version = None;
            marks.certificate_wanted = false;
        });
        None
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// Shows the client certificate, and writes down that it was asked for.
#[derive(Debug)]
struct ClientCertificate {
    identity: Option<SingleCertAndKey>,
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        note(|marks| marks.certificate_wanted = true);
        let identity: &dyn ResolvesClientCert = self.identity.as_ref()?;
        identity.resolve(root_hint_subjects, schemes)
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
