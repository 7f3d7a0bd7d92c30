//! How requests travel to one service: time, proxy, certificates, address family. All of it is handed in.

use std::time::Duration;

use crate::domain::{AddressFamily, Secret};

/// How requests travel. Files were read by `store`, the environment by `config`.
#[derive(Clone)]
pub struct Way {
    /// For one request, its answer included.
    pub timeout: Duration,
    /// Through which proxy.
    pub proxies: Proxies,
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
    /// Whether requests leave this machine by a proxy, whatever host they are for: then plain http to a
    /// loopback address is read by others too.
    pub by_proxy: bool,
    /// Before the second try of a request; doubled before each further one.
    pub pause: Duration,
}

/// Through which proxy requests go. The URLs may hold passwords, so none of this has `Debug`.
#[derive(Clone, Default)]
pub enum Proxies {
    /// Straight.
    #[default]
    None,
    /// This one for everything.
    All(String),
    /// As the environment's variables say.
    Environment {
        /// For http targets.
        http: Option<String>,
        /// For https targets.
        https: Option<String>,
        /// For targets without one of their own.
        all: Option<String>,
        /// Hosts that are asked straight, divided by commas.
        none: String,
    },
}

impl Default for Way {
    /// Thirty seconds, straight, the system's roots, any family, a quarter of a second between tries.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            proxies: Proxies::None,
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
