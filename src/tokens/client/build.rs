//! What the requests of one client share: TLS, proxy, and the header that carries the key.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Proxy;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use super::super::problem::SetupProblem;
use super::super::route::Route;
use crate::domain::shape::TOKEN_SCHEME;
use crate::domain::{AddressFamily, Cause, Endpoint, Secret};
use crate::http::client::{ClientProblem, builder};
use crate::http::failure::{ProxyKind, Setting};
use crate::http::resolve::{OfFamily, Resolver};
use crate::http::tls::{self, NoIdentity, SystemRoots, Trust};

/// Longest time for a connection, as the vendor's own client has it.
const CONNECT: Duration = Duration::from_secs(15);

/// The client for `base`. Blocks while it reads the system's certificate authorities.
pub(super) fn client(base: &Endpoint, route: &Route) -> Result<reqwest::Client, SetupProblem> {
    let mut builder = builder(&route.user_agent, tls(base, route)?)
        .connect_timeout(CONNECT.min(route.timeout))
        .timeout(route.timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .dns_resolver(Arc::new(OfFamily(Resolver::new(), route.family)))
        .no_proxy();
    // Addresses that are written in the URL are looked up by nobody.
    match route.family {
        AddressFamily::Any => {}
        AddressFamily::V4 => builder = builder.local_address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        AddressFamily::V6 => builder = builder.local_address(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    }
    if let Some(proxy) = &route.proxy {
        // The URL may hold a password: it is not told.
        let bad = |error: reqwest::Error| SetupProblem::Proxy(Cause::new(error.without_url()));
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(bad)?);
    }
    Ok(builder.build().map_err(ClientProblem::from)?)
}

/// What decides what an error of that client means.
pub(super) fn setting(base: &Endpoint, route: &Route) -> Setting {
    Setting {
        proxy: route.proxy.as_ref().map(|proxy| match proxy.scheme() {
            "https" => ProxyKind::Tls,
            _ => ProxyKind::Plain,
        }),
        proxy_login: route
            .proxy
            .as_ref()
            .is_some_and(|proxy| !proxy.username().is_empty()),
        tls: !base.is_plain(),
        identity: route.identity.is_some(),
    }
}

/// The header that carries the key, hidden from the client's own debug output.
pub(super) fn authorization(id: &str, secret: &Secret) -> Result<HeaderValue, SetupProblem> {
    let text = Zeroizing::new(format!("{TOKEN_SCHEME}{id}:{}", secret.expose()));
    let mut value = HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_says_no_more| SetupProblem::Unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

fn tls(base: &Endpoint, route: &Route) -> Result<rustls::ClientConfig, SetupProblem> {
    let roots = Arc::new(SystemRoots::default());
    let own = tls::own_roots(&roots, &route.extra_roots)?;
    // Plain http works on a machine without any certificate authorities.
    let proxied_by_tls = route
        .proxy
        .as_ref()
        .is_some_and(|it| it.scheme() == "https");
    if (!base.is_plain() || proxied_by_tls)
        && let Err(problem) = roots.read()
        && own.is_none()
    {
        return Err(problem.into());
    }
    let trust = Arc::new(Trust {
        roots: Arc::clone(&roots),
        own,
    });
    let config = match &route.identity {
        None => tls::config(&roots, trust, Arc::new(NoIdentity)),
        Some((certificate, key)) => {
            let pair = tls::identity(&roots, certificate, key.expose().as_bytes())?;
            tls::config(&roots, trust, Arc::new(pair))
        }
    };
    Ok(config.map_err(ClientProblem::from)?)
}
