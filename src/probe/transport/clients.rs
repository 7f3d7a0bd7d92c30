//! The clients of a transport: what they have in common, and their way to the server.

use std::sync::Arc;

use super::super::layer::StampLayer;
use super::super::pinned::Pinned;
use super::super::profile::Routes;
use super::SharedResources;
use crate::domain::{Failure, error_chain};
use crate::http::client::{self, ClientProblem};

/// Why there is no answer where there is no client.
pub(super) fn unbuilt(problem: ClientProblem) -> Failure {
    Failure::Local(error_chain(&problem))
}

/// The same for servers that are to speak HTTP/1.1.
pub(super) fn http1_alone(config: &rustls::ClientConfig) -> rustls::ClientConfig {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// A client on its way to the server: by the pinned addresses, or a proxy.
pub(super) fn wired(
    client: reqwest::ClientBuilder,
    routes: &Routes,
    shared: &SharedResources,
) -> Result<reqwest::Client, ClientProblem> {
    let client = client.dns_resolver(Arc::new(Pinned(shared.of_proxies.clone())));
    let client = if routes.are_straight() {
        client.no_proxy()
    } else {
        let routes = routes.clone();
        client.proxy(reqwest::Proxy::custom(move |target| {
            routes.proxy_for(target).cloned()
        }))
    };
    client.build().map_err(ClientProblem::from)
}

/// A client as all of ours are, but for its way.
pub(super) fn builder(user_agent: &str, config: rustls::ClientConfig) -> reqwest::ClientBuilder {
    let client = client::builder(user_agent, config)
        // No pool: every request shows its own phases, and its hooks run within its own task.
        .pool_max_idle_per_host(0)
        // So there is nothing to be kept alive either.
        .tcp_keepalive(None)
        .tcp_keepalive_interval(None)
        .tcp_keepalive_retries(None)
        .connector_layer(StampLayer);
    // A request ends by its own deadline, which may well be later than the 30 seconds without an
    // acknowledgement after which the kernel would end it.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let client = client.tcp_user_timeout(None);
    client
}
