//! Whom a client trusts, and what it shows of itself.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, OtherError,
    RootCertStore, SignatureScheme,
};
use tokio::sync::OnceCell;

use crate::domain::Cause;

/// The system's certificate authorities, read once (some 30 ms) for all who share this. A change of the system's
/// store is seen by the next start of the program.
#[derive(Debug)]
pub struct SystemRoots {
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<rustls_platform_verifier::Verifier, TlsError>>,
    /// One thread reads, however many probes begin at once.
    reading: OnceCell<()>,
}

impl Default for SystemRoots {
    fn default() -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            verifier: OnceLock::new(),
            reading: OnceCell::new(),
        }
    }
}

impl SystemRoots {
    /// Reads them, if that was not done before. Says why there are none.
    pub async fn load(self: &Arc<Self>) -> Result<(), TlsProblem> {
        if self.verifier.get().is_none() {
            let read = async || {
                let roots = Arc::clone(self);
                // Ends early with the program alone.
                let _ = tokio::task::spawn_blocking(move || roots.read().is_ok()).await;
            };
            self.reading.get_or_init(read).await;
        }
        self.get().map(|_| ())
    }

    /// The same for whoever may block.
    pub fn read(&self) -> Result<(), TlsProblem> {
        let read = || rustls_platform_verifier::Verifier::new(Arc::clone(&self.provider));
        self.verifier.get_or_init(read);
        self.get().map(|_| ())
    }

    fn get(&self) -> Result<&rustls_platform_verifier::Verifier, TlsProblem> {
        match self.verifier.get() {
            Some(Ok(verifier)) => Ok(verifier),
            Some(Err(error)) => Err(TlsProblem::NoAuthorities(Some(Cause::new(error.clone())))),
            None => Err(TlsProblem::NoAuthorities(None)),
        }
    }
}

/// Why TLS could not be set up. None of them holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// This machine trusts nobody.
    #[error(
        "no certificate authorities are installed: install the system's CA bundle (ca-certificates), or give a CA file"
    )]
    NoAuthorities(#[source] Option<Cause>),
    /// No PEM in it.
    #[error("the CA file holds no certificate in PEM form")]
    NoRoots,
    /// PEM that is none, or no certificate within it.
    #[error("the CA file holds a certificate that can't be read")]
    RootUnreadable(#[source] Cause),
    /// Certificates that can't be trusted as authorities.
    #[error("the CA file can't be used")]
    Roots(#[source] Cause),
    /// The file of the client certificate.
    #[error("the client certificate file holds no certificate in PEM form")]
    NoCertificate(#[source] Option<Cause>),
    /// The file of its key. (What is wrong with a key is told by kind, never by what it holds.)
    #[error("the client key file holds no private key in PEM form that is not encrypted")]
    NoKey(#[source] Option<Cause>),
    /// The two files are not a pair.
    #[error("the client key does not belong to the client certificate")]
    Mismatch,
    /// A kind of key that is not known.
    #[error("the client key is of a kind that can't be used")]
    KeyKind(#[source] Cause),
}

/// A verifier that trusts the certificates of these PEM files; nothing where there are none.
pub fn own_roots(
    roots: &SystemRoots,
    files: &[Vec<u8>],
) -> Result<Option<Arc<WebPkiServerVerifier>>, TlsProblem> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut store = RootCertStore::empty();
    for file in files {
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(file) {
            let unreadable = |cause: Cause| TlsProblem::RootUnreadable(cause);
            let certificate = certificate.map_err(|error| unreadable(pem_cause(&error)))?;
            let added = store.add(certificate);
            added.map_err(|error| unreadable(Cause::new(error)))?;
        }
        if store.len() == before {
            return Err(TlsProblem::NoRoots);
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&roots.provider))
        .build()
        .map(Some)
        .map_err(|error: VerifierBuilderError| TlsProblem::Roots(Cause::new(error)))
}

/// What is wrong with a PEM file, by kind. The parser's own words hold bytes of the file, where a key may stand, too.
fn pem_cause(error: &pem::Error) -> Cause {
    Cause::new(match error {
        pem::Error::MissingSectionEnd { .. } => "a section of it has no end",
        pem::Error::IllegalSectionStart { .. } => "a section of it begins in no line of its own",
        pem::Error::Base64Decode(_) => "a section of it is not base64",
        _ => "it is not PEM",
    })
}

/// A client certificate with its key, both PEM.
pub fn identity(
    roots: &SystemRoots,
    certificate: &[u8],
    key: &[u8],
) -> Result<SingleCertAndKey, TlsProblem> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| TlsProblem::NoCertificate(Some(pem_cause(&error))))?;
    if chain.is_empty() {
        return Err(TlsProblem::NoCertificate(None));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
        let is_damaged = !matches!(error, pem::Error::NoItemsFound);
        TlsProblem::NoKey(is_damaged.then(|| pem_cause(&error)))
    })?;
    CertifiedKey::from_der(chain, key, &roots.provider)
        .map(SingleCertAndKey::from)
        .map_err(|error| match error {
            TlsError::InconsistentKeys(_) => TlsProblem::Mismatch,
            other => TlsProblem::KeyKind(Cause::new(other)),
        })
}

/// The configuration of a client: who judges the server's certificate, and who shows ours.
pub fn config(
    roots: &SystemRoots,
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Arc<dyn ResolvesClientCert>,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&roots.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(identity);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Shows nothing of us.
#[derive(Debug)]
pub struct NoIdentity;

impl ResolvesClientCert for NoIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Trusts whom the system trusts, and the authorities of a connection's own beside them.
#[derive(Debug)]
pub struct Trust {
    /// The system's; read by then, else they are none.
    pub roots: Arc<SystemRoots>,
    /// Trusted beside them.
    pub own: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Trust {
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
            Ok(verifier) => verify(verifier),
            Err(_) => Err(CertificateError::UnknownIssuer.into()),
        };
        match (by_system, &self.own) {
            (Err(problem), Some(own)) => verify(&**own).map_err(|second| {
                // The closer of the two: a root of ours with an expired leaf is expired, not unknown.
                if second == TlsError::InvalidCertificate(CertificateError::UnknownIssuer) {
                    problem
                } else {
                    second
                }
            }),
            (verdict, _) => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.roots.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms).map_err(of_handshake)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.roots.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms).map_err(of_handshake)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.roots.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// The certificate's key does not fit what the server signed of the handshake (RFC 8446, 4.4.3; RFC 5246, 7.4.3), which
/// rustls tells in the words for signatures within the chain.
#[derive(Debug, thiserror::Error)]
#[error("the signature of the handshake: {0}")]
pub struct HandshakeSignature(pub CertificateError);

fn of_handshake(error: TlsError) -> TlsError {
    use CertificateError as Problem;
    match error {
        TlsError::InvalidCertificate(
            problem @ (Problem::BadSignature
            | Problem::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }),
        ) => Problem::Other(OtherError(Arc::new(HandshakeSignature(problem)))).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::whole_chain;

    /// One line, as a shell makes it of a file whose name was not quoted.
    const ONE_LINE: &[u8] = b"-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE----- \
                              -----BEGIN PRIVATE KEY----- c2VjcmV0 -----END PRIVATE KEY-----";

    fn refused(certificate: &[u8], key: &[u8]) -> TlsProblem {
        let roots = SystemRoots::default();
        identity(&roots, certificate, key).err().unwrap()
    }

    fn certificate() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_what_it_holds() {
        let bytes = format!("{:?}", b"c2VjcmV0");
        let bytes = bytes.trim_matches(['[', ']']);
        let roots = SystemRoots::default();
        let authority = own_roots(&roots, &[ONE_LINE.to_vec()]).err().unwrap();
        let certificate = certificate();
        for problem in [
            refused(ONE_LINE, ONE_LINE),
            refused(certificate.as_bytes(), ONE_LINE),
            authority,
        ] {
            let told = format!("{}{problem:?}", whole_chain(&problem));
            assert!(told.contains("has no end"), "{told}");
            assert!(!told.contains(bytes) && !told.contains("c2Vj"), "{told}");
        }
    }

    #[test]
    fn a_key_file_without_a_key_is_not_called_damaged() {
        let certificate = certificate();
        let problem = refused(certificate.as_bytes(), certificate.as_bytes());
        assert_eq!(problem, TlsProblem::NoKey(None));
    }
}
