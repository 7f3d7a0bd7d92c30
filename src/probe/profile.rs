//! What one connection needs of the transport: time, proxy, certificates, address family.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use crate::domain::proxy::{ProxyProblem, ProxyUrl};
use crate::domain::{AddressFamily, Secret};

use super::via::Via;

/// What one connection needs of the transport. Files were read by `store`, the environment by `config`:
/// their contents are handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// For the whole probe, all its requests together.
    pub timeout: Duration,
    /// Through which proxy, if any.
    pub proxy: ProxyChoice,
    /// Further certificate authorities, each a PEM file's bytes; they are trusted beside the system's.
    pub extra_roots: Vec<Vec<u8>>,
    /// Client certificate and its key.
    pub identity: Option<ClientIdentity>,
    /// Which addresses of a name are used.
    pub family: AddressFamily,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Through which other machine, if any: proxies and address family are that machine's own affair then.
    pub via: Option<Via>,
}

impl Default for Profile {
    /// Ten seconds, no proxy, the system's roots, any family, `switchboard/VERSION`.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            proxy: ProxyChoice::None,
            extra_roots: Vec::new(),
            identity: None,
            family: AddressFamily::Any,
            user_agent: concat!("switchboard/", env!("CARGO_PKG_VERSION")).to_owned(),
            via: None,
        }
    }
}

impl Profile {
    /// Whether `url` is asked through a proxy beyond this machine, or from another one: then not even plain http to a loopback
    /// address stays here. A proxy that can't be read is nobody's way: the probe ends before it.
    pub fn leaves_by_proxy(&self, url: &Url) -> bool {
        if self.via.is_some() {
            return true;
        }
        let routes = Routes::read(&self.proxy).ok();
        let proxy = routes.as_ref().and_then(|routes| routes.proxy_for(url));
        proxy.is_some_and(|proxy| !is_here(proxy))
    }

    /// The proxy that `url` is asked through, if any. An error is one sentence, without user info.
    pub fn proxy_for(&self, url: &Url) -> Result<Option<Url>, ProxyProblem> {
        let routes = Routes::read(&self.proxy)?;
        Ok(routes.proxy_for(url).cloned())
    }

    /// Whether the same client serves both: they differ in nothing but time and address family, which
    /// belong to a request.
    pub(super) fn shares_client_with(&self, other: &Self) -> bool {
        self.proxy == other.proxy
            && self.extra_roots == other.extra_roots
            && self.identity == other.identity
            && self.user_agent == other.user_agent
            && self.via == other.via
    }
}

/// A client certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The chain, PEM, the leaf first.
    pub certificate: Vec<u8>,
    /// The private key, PEM, not encrypted.
    pub key: Secret,
}

/// Through which proxy requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// As the environment's variables say.
    Environment(EnvironmentProxies),
    /// Straight.
    #[default]
    None,
    /// This one for everything: `http://`, `https://`, `socks5://` (names looked up here) or `socks5h://`
    /// (names looked up there), user info allowed.
    Url(ProxyUrl),
}

/// The values of the usual variables, in either case, as `config` read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentProxies {
    /// `http_proxy`: for http targets.
    pub http: Option<ProxyUrl>,
    /// `https_proxy`: for https targets.
    pub https: Option<ProxyUrl>,
    /// `all_proxy`: for targets without one of their own.
    pub all: Option<ProxyUrl>,
    /// `no_proxy`: hosts asked straight: names (their subdomains with them), addresses, networks such as
    /// `10.0.0.0/8`, each with a port if wanted, or `*`; divided by commas.
    pub none: String,
}

/// Which proxy serves which target, read from a [`ProxyChoice`].
#[derive(Clone, Debug)]
pub(super) struct Routes {
    http: Option<Url>,
    https: Option<Url>,
    none: String,
}

impl Routes {
    pub(super) fn read(choice: &ProxyChoice) -> Result<Self, ProxyProblem> {
        let parse = |proxy: Option<&ProxyUrl>| {
            proxy
                .filter(|proxy| !proxy.is_blank())
                .map(ProxyUrl::parse)
                .transpose()
        };
        let (http, https, none) = match choice {
            ProxyChoice::None => (None, None, String::new()),
            ProxyChoice::Url(proxy) => {
                let url = proxy.parse()?;
                (Some(url.clone()), Some(url), String::new())
            }
            ProxyChoice::Environment(proxies) => {
                let all = parse(proxies.all.as_ref())?;
                let http = parse(proxies.http.as_ref())?.or_else(|| all.clone());
                (
                    http,
                    parse(proxies.https.as_ref())?.or(all),
                    proxies.none.clone(),
                )
            }
        };
        Ok(Self { http, https, none })
    }

    /// Whether every target is asked straight.
    pub(super) fn are_straight(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }

    /// The proxy for `target`.
    pub(super) fn proxy_for(&self, target: &Url) -> Option<&Url> {
        let proxy = match target.scheme() {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }?;
        (!self.is_exempt(target)).then_some(proxy)
    }

    fn is_exempt(&self, target: &Url) -> bool {
        let host = target.host_str().unwrap_or_default();
        let port = target.port_or_known_default();
        self.none
            .split(',')
            .map(str::trim)
            .any(|entry| entry == "*" || names(entry, host, port))
    }
}

/// Whether a proxy is on this machine. Hosts of schemes like `socks5` are not read as addresses by `url`.
fn is_here(proxy: &Url) -> bool {
    let host = proxy.host_str().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    let address = bare.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether the entry of a `no_proxy` list names `host` (brackets around IPv6).
fn names(entry: &str, host: &str, port: Option<u16>) -> bool {
    let bare_host = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare_host.parse::<IpAddr>().ok();
    if let (Some((network, bits)), Some(address)) = (entry.split_once('/'), address) {
        let network = network.parse::<IpAddr>().ok();
        return network
            .zip(bits.parse::<u32>().ok())
            .is_some_and(|(network, bits)| is_within(address, network, bits));
    }
    if entry.parse::<IpAddr>().is_ok() {
        return address == entry.parse::<IpAddr>().ok();
    }
    let (entry, wanted_port) = match entry.rsplit_once(':') {
        Some((before, after)) if after.bytes().all(|b| b.is_ascii_digit()) => {
            let Ok(wanted) = after.parse::<u16>() else {
                // No port at all: the entry names nothing.
                return false;
            };
            (before, Some(wanted))
        }
        _ => (entry, None),
    };
    if wanted_port.is_some() && wanted_port != port {
        return false;
    }
    let entry = entry
        .trim_start_matches("*.")
        .trim_start_matches('.')
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase();
    if entry.is_empty() {
        return false;
    }
    bare_host == entry
        || (address.is_none()
            && bare_host
                .strip_suffix(&entry)
                .is_some_and(|before| before.ends_with('.')))
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let leading = |whole: u128, width: u32| {
        let shift = width.saturating_sub(bits);
        whole.checked_shr(shift).unwrap_or(0)
    };
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) if bits <= 32 => {
            leading(u128::from(a.to_bits()), 32) == leading(u128::from(n.to_bits()), 32)
        }
        (IpAddr::V6(a), IpAddr::V6(n)) if bits <= 128 => {
            leading(a.to_bits(), 128) == leading(n.to_bits(), 128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::proxy::shown_proxy;

    fn environment(none: &str) -> Routes {
        Routes::read(&ProxyChoice::Environment(EnvironmentProxies {
            http: Some(ProxyUrl::new("proxy.example:3128")),
            https: None,
            all: Some(ProxyUrl::new("socks5://u:secret@socks.example")),
            none: none.to_owned(),
        }))
        .unwrap()
    }

    #[test]
    fn a_target_has_the_proxy_of_its_scheme() {
        let routes = environment("");
        let shown = |target: &str| {
            routes
                .proxy_for(&Url::parse(target).unwrap())
                .map(shown_proxy)
        };
        assert_eq!(shown("http://a/").unwrap(), "http://proxy.example:3128");
        assert_eq!(shown("https://a/").unwrap(), "socks5://socks.example:1080");
    }

    #[test]
    fn exempt_hosts_are_asked_straight() {
        for (none, target, exempt) in [
            ("*", "http://a", true),
            ("example.com", "http://example.com", true),
            ("example.com", "http://shop.example.com", true),
            (".example.com", "http://shop.example.com", true),
            ("example.com", "http://notexample.com", false),
            ("a, Example.COM:8080", "http://example.com:8080", true),
            ("example.com:8080", "http://example.com", false),
            ("example.com:99999", "http://example.com", false),
            ("example.com:", "http://example.com", false),
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:9", false),
            ("127.0.0.1", "http://127.0.0.1:9", true),
            ("127.0.0.1", "http://127.0.0.2", false),
            ("10.0.0.0/8", "http://10.9.8.7", true),
            ("10.0.0.0/8", "http://11.0.0.1", false),
            ("::1", "http://[::1]:80", true),
            ("fe80::/10", "http://[fe80::1]", true),
            ("0.0.0.0/0", "http://1.2.3.4", true),
            ("10.0.0.0/99", "http://10.0.0.1", false),
            ("", "http://a", false),
        ] {
            let target = Url::parse(target).unwrap();
            assert_eq!(
                environment(none).proxy_for(&target).is_none(),
                exempt,
                "{none} {target}"
            );
        }
    }

    #[test]
    fn a_bad_proxy_is_told_without_its_password() {
        for (text, word) in [
            ("ftp://u:secret@h", "not ftp"),
            ("http://u:secret@", "not a URL"),
        ] {
            let proxy = ProxyUrl::new(text);
            let problem = Routes::read(&ProxyChoice::Url(proxy.clone())).unwrap_err();
            assert!(problem.to_string().contains(word), "{problem}");
            assert!(!format!("{problem}{problem:?}{proxy:?}").contains("secret"));
        }
    }
}
