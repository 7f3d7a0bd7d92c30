//! What the requests of one client share: TLS, proxy, and the header that carries the key.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Proxy, redirect};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;
use zeroize::Zeroizing;

use super::super::route::Route;
use crate::domain::text::inert;
use crate::domain::{AddressFamily, Endpoint, Secret};

/// Longest time for a connection, as the vendor's own client has it.
const CONNECT: Duration = Duration::from_secs(15);

/// The client for `base`. An error is one plain sentence.
pub(super) fn client(base: &Endpoint, route: &Route) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .user_agent(route.user_agent.as_str())
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT.min(route.timeout))
        .timeout(route.timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .tls_backend_preconfigured(tls(base, route)?)
        // As the probe reads: one odd header is no reason to have no answer.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .no_proxy();
    match route.family {
        AddressFamily::Any => {}
        AddressFamily::V4 => builder = builder.local_address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        AddressFamily::V6 => builder = builder.local_address(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    }
    let name = base.url().domain().filter(|_| base.is_loopback());
    if let Some(name) = name {
        // Whatever a name server says: the key may go there in the open.
        let here = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        builder = builder.resolve_to_addrs(name, &here.map(|ip: IpAddr| SocketAddr::new(ip, 0)));
    }
    if let Some(proxy) = &route.proxy {
        // The URL may hold a password: it is not told.
        let bad = |_| "the proxy is not a URL such as http://proxy:3128".to_owned();
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(bad)?);
    }
    builder
        .build()
        .map_err(|error| failure("the client could not be built", &error.without_url()))
}

/// The header that carries the key, hidden from the client's own debug output.
pub(super) fn authorization(id: &str, secret: &Secret) -> Result<HeaderValue, String> {
    let text = Zeroizing::new(format!("ApiKey {id}:{}", secret.expose()));
    let mut value = HeaderValue::from_bytes(text.as_bytes())
        .ok()
        .ok_or_else(|| {
            "the key holds a character that no header can carry, such as a line end".to_owned()
        })?;
    value.set_sensitive(true);
    Ok(value)
}

fn tls(base: &Endpoint, route: &Route) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failure("TLS could not be set up", &error))?;
    // Plain http works on a machine without any certificate authorities.
    let builder = if base.is_plain() {
        builder.with_root_certificates(RootCertStore::empty())
    } else {
        let verifier = Arc::new(verifier(route, &provider)?);
        builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
    };
    let mut config = match &route.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .ok()
                .ok_or_else(|| {
                    "the client key file holds no private key in PEM form that is not encrypted"
                        .to_owned()
                })?;
            let chain = certificates(certificate, "the client certificate file")?;
            builder
                .with_client_auth_cert(chain, key)
                .ok()
                .ok_or_else(|| "the client key does not belong to the certificate".to_owned())?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(route: &Route, provider: &Arc<CryptoProvider>) -> Result<Verifier, String> {
    let mut roots = Vec::new();
    for file in &route.extra_roots {
        roots.extend(certificates(file, "the CA file")?);
    }
    Verifier::new_with_extra_roots(roots, Arc::clone(provider)).ok().ok_or_else(|| {
        "no certificate authorities are installed: install the system's CA bundle (ca-certificates), or \
         give a CA file"
            .to_owned()
    })
}

fn certificates(pem: &[u8], file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| format!("{file} holds no certificate in PEM form"))
}

fn failure(what: &str, error: &dyn Error) -> String {
    format!("{what}: {}", inert(&error.to_string(), 200))
}
