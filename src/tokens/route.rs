//! How requests travel to one service: time, proxy, certificates, address family. All of it is handed in.

use std::time::Duration;

use url::Url;

use crate::domain::{AddressFamily, Secret};

/// How requests travel. Files were read by `store`, the environment by `config`.
#[derive(Clone)]
pub struct Route {
    /// For one request, its answer included.
    pub timeout: Duration,
    /// The proxy that this service is asked through, if any. It may hold a password, so a way has no `Debug`.
    pub proxy: Option<Url>,
    /// Further certificate authorities, each a PEM file's bytes; trusted beside the system's.
    pub extra_roots: Vec<Vec<u8>>,
    /// Client certificate chain and its key, both PEM.
    pub identity: Option<(Vec<u8>, Secret)>,
    /// Which addresses of a name are used.
    pub family: AddressFamily,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Whether the key may travel over plain http to a host that is not loopback.
    pub allow_http: bool,
    /// Whether that proxy is beyond this machine: then plain http to a loopback address is read by others too.
    pub by_proxy: bool,
    /// Before the second try of a request; doubled before each further one.
    pub pause: Duration,
}

impl Default for Route {
    /// Thirty seconds, straight, the system's roots, any family, a quarter of a second between tries.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            proxy: None,
            extra_roots: Vec::new(),
            identity: None,
            family: AddressFamily::Any,
            user_agent: concat!("switchboard/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_http: false,
            by_proxy: false,
            pause: Duration::from_millis(250),
        }
    }
}
