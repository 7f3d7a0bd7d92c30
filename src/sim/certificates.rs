//! An authority of its own, made at start, and the certificates that the TLS entries show.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

/// Which certificate a TLS port shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Good for another 90 days.
    Sound,
    /// Ended 35 days ago.
    Expired,
    /// Begins in 30 days.
    NotYetValid,
    /// For another name.
    WrongName,
    /// Ends in seven days.
    Expiring,
    /// Signed by somebody whom the CA file does not name.
    UnknownIssuer,
    /// Sound, and the port asks for a certificate of the client.
    ClientNeeded,
}

impl Certificate {
    /// Days from now to its first and last moment.
    fn days(self) -> (i32, i32) {
        match self {
            Self::Expired => (-400, -35),
            Self::NotYetValid => (30, 120),
            Self::Expiring => (-83, 7),
            Self::Sound | Self::WrongName | Self::UnknownIssuer | Self::ClientNeeded => (-30, 90),
        }
    }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// The rehearsal authority. Its folder, with `ca.pem` and a client's certificate and key, goes with it.
#[derive(Debug)]
pub(super) struct Authority {
    host: IpAddr,
    trusted: Issuer,
    stranger: Issuer,
    leaf_key: KeyPair,
    provider: Arc<CryptoProvider>,
    folder: TempDir,
}

impl Authority {
    /// Makes the keys and writes the files. `host` is what the certificates are for, beside `localhost`.
    pub(super) fn new(host: IpAddr) -> io::Result<Self> {
        let authority = Self {
            host,
            trusted: issuer("Switchboard Rehearsal CA")?,
            stranger: issuer("Somebody Else CA")?,
            leaf_key: KeyPair::generate().map_err(io::Error::other)?,
            provider: Arc::new(ring::default_provider()),
            folder: tempfile::Builder::new()
                .prefix("switchboard-sim-")
                .tempdir()?,
        };
        std::fs::write(authority.ca_file(), authority.trusted.pem())?;
        authority.write_client_pair()?;
        Ok(authority)
    }

    /// PEM of the authority, for `--ca-file`.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// PEM of a certificate that [`Certificate::ClientNeeded`] takes, and of its key.
    pub(super) fn client_pair(&self) -> (PathBuf, PathBuf) {
        let path = self.folder.path();
        (path.join("client.pem"), path.join("client.key"))
    }

    /// A file that is not there.
    pub(super) fn absent_file(&self) -> PathBuf {
        self.folder.path().join("absent.pem")
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write_client_pair(&self) -> io::Result<()> {
        let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "rehearsal client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&key, &self.trusted)
            .map_err(io::Error::other)?;
        let (certificate_file, key_file) = self.client_pair();
        std::fs::write(certificate_file, certificate.pem())?;
        write_private(&key_file, &key.serialize_pem())
    }

    /// The TLS set-up of a port that shows `certificate`.
    pub(super) fn server(&self, certificate: Certificate) -> io::Result<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = if certificate == Certificate::ClientNeeded {
            let mut roots = RootCertStore::empty();
            roots
                .add(self.trusted.der().clone())
                .map_err(io::Error::other)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::clone(&self.provider),
            )
            .build()
            .map_err(io::Error::other)?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let leaf = self.leaf(certificate).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let mut config = builder
            .with_single_cert(vec![leaf.der().clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn leaf(&self, certificate: Certificate) -> Result<rcgen::Certificate, rcgen::Error> {
        let names = match certificate {
            Certificate::WrongName => vec!["other.example".to_owned()],
            _ => vec!["localhost".to_owned(), self.host.to_string()],
        };
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "rehearsal");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (from, to) = certificate.days();
        params.not_before = in_days(from).into();
        // Half a day more: "seven days left" stays true while the program runs.
        params.not_after = (in_days(to) + DAY / 2).into();
        let issuer = match certificate {
            Certificate::UnknownIssuer => &self.stranger,
            _ => &self.trusted,
        };
        params.signed_by(&self.leaf_key, issuer)
    }
}

fn issuer(name: &str) -> io::Result<Issuer> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = in_days(-1_000).into();
    params.not_after = in_days(1_000).into();
    let key = KeyPair::generate().map_err(io::Error::other)?;
    CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)
}

fn in_days(days: i32) -> SystemTime {
    let distance = DAY * days.unsigned_abs();
    if days < 0 {
        SystemTime::now() - distance
    } else {
        SystemTime::now() + distance
    }
}

/// Nobody else reads a key, though it opens nothing but the rehearsal.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}
