//! TLS as a probe wants it: full handshakes only, the chain written down whether it holds or not.
//!
//! A handshake whose chain does not hold is aborted by the verifier's own answer, so no request (and no
//! secret) can follow it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue, Tls12Resumption,
    Tls13ClientSessionValue, WebPkiServerVerifier,
};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, NamedGroup,
    RootCertStore, SignatureScheme,
};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::trace::note;

/// The system's certificate authorities, read once (some 30 ms) for all profiles. A change of the system's
/// store is seen by the next start of the program.
#[derive(Debug)]
pub(super) struct SystemRoots {
    provider: Arc<CryptoProvider>,
    verifier: OnceCell<Option<Arc<rustls_platform_verifier::Verifier>>>,
}

impl SystemRoots {
    pub(super) fn new() -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            verifier: OnceCell::new(),
        }
    }

    /// Reads them, if that was not done before. Says whether there are any.
    pub(super) async fn load(&self) -> bool {
        self.verifier
            .get_or_init(|| async {
                let provider = Arc::clone(&self.provider);
                let reading = tokio::task::spawn_blocking(move || {
                    rustls_platform_verifier::Verifier::new(provider).ok()
                });
                reading.await.ok().flatten().map(Arc::new)
            })
            .await
            .is_some()
    }

    fn get(&self) -> Option<&rustls_platform_verifier::Verifier> {
        self.verifier.get().and_then(Option::as_deref)
    }
}

/// What the TLS of one client is made of.
#[derive(Debug)]
pub(super) struct TlsOptions {
    /// Shared by all clients.
    pub(super) roots: Arc<SystemRoots>,
    /// Trusted beside them.
    pub(super) own: Option<Arc<WebPkiServerVerifier>>,
    /// Shown where a server asks for it.
    pub(super) identity: Option<SingleCertAndKey>,
}

/// The configuration for reqwest.
pub(super) fn config(ingredients: TlsOptions) -> Result<ClientConfig, TlsError> {
    let provider = Arc::clone(&ingredients.roots.provider);
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Recorder {
            roots: ingredients.roots,
            own: ingredients.own,
            provider,
        }))
        .with_client_cert_resolver(Arc::new(ClientCertificate {
            identity: ingredients.identity,
        }));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A resumed session shows no certificate: every handshake is a whole one.
    config.resumption =
        Resumption::store(Arc::new(NoSessionStore)).tls12_resumption(Tls12Resumption::Disabled);
    Ok(config)
}

/// A verifier that trusts the certificates of these PEM files; nothing where there are none. An error is one
/// plain sentence.
pub(super) fn own_roots(
    roots: &SystemRoots,
    files: &[Vec<u8>],
) -> Result<Option<Arc<WebPkiServerVerifier>>, String> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut store = RootCertStore::empty();
    for file in files {
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(file) {
            certificate
                .ok()
                .and_then(|certificate| store.add(certificate).ok())
                .ok_or("the CA file holds a certificate that can't be read")?;
        }
        if store.len() == before {
            return Err("the CA file holds no certificate in PEM form".to_owned());
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&roots.provider))
        .build()
        .map(Some)
        .map_err(|error| format!("the CA file can't be used: {error}"))
}

/// A client certificate with its key, both PEM. An error is one plain sentence, without the key.
pub(super) fn identity(
    roots: &SystemRoots,
    certificate: &[u8],
    key: &[u8],
) -> Result<SingleCertAndKey, String> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or("the client certificate file holds no certificate in PEM form")?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .ok()
        .ok_or("the client key file holds no private key in PEM form that is not encrypted")?;
    CertifiedKey::from_der(chain, key, &roots.provider)
        .map(SingleCertAndKey::from)
        .map_err(|error| match error {
            TlsError::InconsistentKeys(_) => {
                "the client key does not belong to the client certificate".to_owned()
            }
            _ => "the client key is of a kind that can't be used".to_owned(),
        })
}

/// Verifies as the system does, and writes down what was shown.
#[derive(Debug)]
struct Recorder {
    roots: Arc<SystemRoots>,
    own: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verify = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let by_system = match self.roots.get() {
            Some(verifier) => verify(verifier),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let verdict = match (by_system, &self.own) {
            (Err(problem), Some(own)) => verify(&**own).map_err(|second| {
                // The closer of the two: a root of ours with an expired leaf is expired, not unknown.
                if second == TlsError::InvalidCertificate(CertificateError::UnknownIssuer) {
                    problem
                } else {
                    second
                }
            }),
            (verdict, _) => verdict,
        };
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
        let algorithms = &self.provider.signature_verification_algorithms;
        let verdict = verify_tls12_signature(message, certificate, signature, algorithms);
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
        let algorithms = &self.provider.signature_verification_algorithms;
        let verdict = verify_tls13_signature(message, certificate, signature, algorithms);
        note(|marks| marks.verified &= verdict.is_ok());
        verdict
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
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
