//! URLs of proxies: read as they were written, or told what is wrong with them.

use std::fmt;

use url::Url;

use super::text::inert;

/// A proxy's URL as it was written. It may hold a password: `Debug` masks the user info.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(String);

impl ProxyUrl {
    /// Takes the text as it was written; it is read when a client is built with it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Scheme, host and port that are asked, without user info; an error where it can't be read.
    pub fn shown(&self) -> Result<String, ProxyProblem> {
        self.parse().map(|url| shown_proxy(&url))
    }

    /// Whether nothing stands in it.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Reads it; `http://` is added where no scheme stands. The sentence of an error holds no user info.
    pub fn parse(&self) -> Result<Url, ProxyProblem> {
        let text = self.0.trim();
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let bad = |source: Option<url::ParseError>| ProxyProblem::NotAUrl {
            shown: shown(text),
            source,
        };
        let mut url = Url::parse(&whole).map_err(|error| bad(Some(error)))?;
        let default_port = match url.scheme() {
            "http" | "https" => None,
            "socks5" | "socks5h" => Some(1080),
            other => {
                return Err(ProxyProblem::Scheme(inert(other, 20)));
            }
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad(None));
        }
        if url.port().is_none() && default_port.is_some() {
            // Fails only for URLs without a host.
            let _ = url.set_port(default_port);
        }
        Ok(url)
    }
}

/// Why a proxy can't be used. No user info is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyProblem {
    /// Not a URL, or one without a host.
    #[error("the proxy {shown} is not a URL such as http://proxy:3128")]
    NotAUrl {
        /// What stands behind the user info, inert.
        shown: String,
        /// What is wrong with it.
        source: Option<url::ParseError>,
    },
    /// Another protocol.
    #[error("a proxy speaks http, https, socks5 or socks5h, not {0}")]
    Scheme(String),
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({})", shown(&self.0))
    }
}

/// What stands behind the user info, inert.
fn shown(text: &str) -> String {
    inert(text.rsplit('@').next().unwrap_or_default(), 100)
}

/// A proxy as it is shown: scheme, host and port only.
pub fn shown_proxy(proxy: &Url) -> String {
    let host = proxy.host_str().unwrap_or_default();
    let text = match proxy.port_or_known_default() {
        Some(port) => format!("{}://{host}:{port}", proxy.scheme()),
        None => format!("{}://{host}", proxy.scheme()),
    };
    inert(&text, 200)
}
