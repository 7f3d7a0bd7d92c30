//! Sends one request, measures its phases, and tells what came back or how it failed. It never judges, and
//! never tries again by itself, but for what [`Repeated`] tells of.

mod build;
mod clients;
mod ended;
mod http1;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::domain::proxy::{ProxyProblem, shown_proxy};
use crate::domain::{
    AddressFamily, Failure, Outcome, Phases, ProxyFailure, Repeated, Reply, Response, TlsFacts,
    error_chain,
};
use crate::http::client::ClientProblem;
use crate::http::failure::{self, ProxyKind, Setting};
use crate::http::resolve::{LookupFailure, LookupPlace, Resolver, belongs, interleaved, numeric};
use crate::http::tls::{SystemRoots, TlsProblem, Trust, identity as identity_of, own_roots};
use crate::service::{Request, StopAfter};

use super::certificate::read_chain;
use build::build;
use clients::{builder, http1_alone, unbuilt, wired};
use ended::ended_without_head;
use http1::{OverHttp1, Repeat};

use super::profile::{ClientIdentity, Profile, Routes};
use super::race::{self, Destination};
use super::tls;
use super::trace::{Attempt, Marks};
use super::tunnel;
use super::via::{Bridge, Via};

/// Longest body that is read, after decompression: 1 MiB.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Why a transport could not be made. The sentences are about this machine and are shown as they stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportProblem {
    /// The proxy's URL.
    #[error(transparent)]
    Proxy(#[from] ProxyProblem),
    /// The CA file, the client certificate or its key.
    #[error(transparent)]
    Tls(#[from] TlsProblem),
    /// Anything else that the client refused to be built with.
    #[error(transparent)]
    Client(#[from] ClientProblem),
}

/// What all transports of a program share: the system's certificate authorities, the resolver, and which servers want
/// HTTP/1.1.
#[derive(Clone, Debug, Default)]
pub struct SharedResources {
    roots: Arc<SystemRoots>,
    pub(super) resolver: Resolver,
    /// For whom a person waits: they stand in no row behind the watch.
    pub(super) of_people: Resolver,
    /// For the names of proxies: they are few, and stand in no row behind those of the targets.
    of_proxies: Resolver,
    over_http1: OverHttp1,
}

impl SharedResources {
    /// Reads the authorities, if that was not done before.
    pub async fn read_authorities(&self) {
        let _ = self.roots.load().await;
    }
}

/// For whom a request is made: those of the watch stand in rows of their own, and nobody waits behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Somebody waits for its answer.
    Person,
    /// Its interval came round.
    Watch,
}

/// Sends requests by one [`Profile`]. Copies share their client.
#[derive(Clone, Debug)]
pub struct Transport {
    wired: Arc<Wired>,
    family: AddressFamily,
}

#[derive(Debug)]
struct Wired {
    client: reqwest::Client,
    /// The same for HTTP/1.1 alone; made for the first server that wants it.
    over_http1: OnceLock<reqwest::Client>,
    user_agent: String,
    config: rustls::ClientConfig,
    routes: Routes,
    shared: SharedResources,
    has_own_roots: bool,
    has_identity: bool,
    /// Through another machine: each request has a socket of its own, and a client.
    via: Option<Via>,
}

impl Transport {
    /// A transport that shares nothing.
    pub fn new(profile: Profile) -> Result<Self, TransportProblem> {
        Self::within(&profile, &SharedResources::default())
    }

    /// A transport that shares `shared` with others.
    pub fn within(profile: &Profile, shared: &SharedResources) -> Result<Self, TransportProblem> {
        let routes = Routes::read(&profile.proxy)?;
        let own = own_roots(&shared.roots, &profile.extra_roots)?;
        let identity = profile
            .identity
            .as_ref()
            .map(|ClientIdentity { certificate, key }| {
                identity_of(&shared.roots, certificate, key.expose().as_bytes())
            })
            .transpose()?;
        let (has_own_roots, has_identity) = (own.is_some(), identity.is_some());
        let roots = Arc::clone(&shared.roots);
        let config = tls::config(Trust { roots, own }, identity).map_err(ClientProblem::from)?;
        let client = builder(&profile.user_agent, config.clone());
        Ok(Self {
            wired: Arc::new(Wired {
                client: wired(client, &routes, shared)?,
                over_http1: OnceLock::new(),
                user_agent: profile.user_agent.clone(),
                config,
                routes,
                shared: shared.clone(),
                has_own_roots,
                has_identity,
                via: profile.via.clone(),
            }),
            family: profile.family,
        })
    }

    /// The same client for another address family.
    pub(super) fn for_family(&self, family: AddressFamily) -> Self {
        Self {
            wired: Arc::clone(&self.wired),
            family,
        }
    }

    /// The client itself, for the race's tests.
    #[cfg(test)]
    pub(super) fn client(&self) -> &reqwest::Client {
        &self.wired.client
    }

    /// Waits until the name of `url` can be looked up, where that is done here; in the row of `asker`.
    pub(super) async fn place(&self, url: &Url, asker: Asker) -> Option<LookupPlace> {
        let is_name = numeric(url.host_str().unwrap_or_default()).is_none();
        let is_ours = self.wired.via.is_none() && looks_up(self.wired.routes.proxy_for(url));
        let shared = &self.wired.shared;
        if !is_name || !is_ours {
            return None;
        }
        match asker {
            Asker::Person => shared.of_people.place().await,
            Asker::Watch => shared.resolver.place().await,
        }
    }

    /// Sends `request`; everything, the body included, ends by `deadline`. Without a place it waits for one within that
    /// time, where a name is to be looked up. Dropping the future closes the connection.
    pub async fn send(
        &self,
        request: &Request,
        deadline: Instant,
        place: Option<LookupPlace>,
    ) -> Reply {
        let begun = Instant::now();
        let mut reply = Reply {
            at: Timestamp::now(),
            phases: Phases::default(),
            addresses: Vec::new(),
            tls: None,
            proxy: None,
            sent: false,
            wants_http1: false,
            repeated: None,
            outcome: Outcome::Reached,
        };
        reply.outcome = match self.exchange(request, deadline, place, &mut reply).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        };
        reply.phases.total = Some(begun.elapsed());
        reply
    }

    async fn exchange(
        &self,
        request: &Request,
        deadline: Instant,
        place: Option<LookupPlace>,
        reply: &mut Reply,
    ) -> Result<Outcome, Failure> {
        if deadline <= Instant::now() {
            return Err(Failure::ResponseTimeout);
        }
        let built = build(request)?;
        if let Some(via) = &self.wired.via {
            return Box::pin(self.across(via, (request, built), deadline, reply)).await;
        }
        let proxy = self.wired.routes.proxy_for(&request.url);
        reply.proxy = proxy.map(shown_proxy);
        let setting = self.setting(&request.url, proxy);
        self.need_roots(setting).await?;
        let way = (proxy, place);
        let destination = self.destination(request, way, deadline, reply).await?;
        let mut begun = Instant::now();
        let known = &self.wired.shared.over_http1;
        let client = if known.holds(&request.url) {
            self.wired.over_http1()?
        } else {
            self.wired.client.clone()
        };
        let mut outcome = race::run(&client, built, &destination).await;
        if known.learn(&outcome, request, Repeat { begun, deadline }, reply) {
            begun = Instant::now();
            outcome = race::run(&self.wired.over_http1()?, build(request)?, &destination).await;
        }
        reply.addresses = outcome.addresses;
        write_down(&outcome.attempt, begun, setting, reply);
        let response = match outcome.result {
            Ok(response) => response,
            Err(ended) => {
                let ended = ended_without_head(ended, &outcome.attempt, setting);
                if ended.is_err() {
                    // In vain, and as long as that.
                    reply.phases.wait = waited(&outcome.attempt, Instant::now());
                }
                return match (ended, proxy) {
                    (Err(Failure::Proxy(ProxyFailure::Denied)), Some(proxy)) => {
                        // (Few need it, and all would hold its room.)
                        Err(Box::pin(self.denied(proxy, request, deadline, reply)).await)
                    }
                    (ended, _) => ended,
                };
            }
        };
        let headed = Instant::now();
        reply.phases.wait = waited(&outcome.attempt, headed);
        if response.status() == 407 && setting.proxy.is_some() && !setting.tls {
            return Err(Failure::Proxy(setting.wants_login()));
        }
        let outcome = read(response, deadline).await;
        reply.phases.body = Some(headed.elapsed());
        Ok(outcome)
    }

    /// A proxy that gave no tunnel: by which status, where it says that once more.
    async fn denied(
        &self,
        proxy: &Url,
        request: &Request,
        deadline: Instant,
        reply: &mut Reply,
    ) -> Failure {
        let (config, resolver) = (&self.wired.config, &self.wired.shared.of_proxies);
        let way = (proxy, &request.url);
        let told = match proxy.scheme() {
            "http" | "https" => {
                let user_agent = &self.wired.user_agent;
                tunnel::refusal(way, user_agent, config, resolver, deadline).await
            }
            _ => None,
        };
        reply.repeated = told.map(|_| Repeated::Tunnel);
        Failure::Proxy(told.unwrap_or(ProxyFailure::Denied))
    }

    /// The same from another machine: one connection, whose name is looked up there.
    async fn across(
        &self,
        via: &Via,
        (request, built): (&Request, reqwest::Request),
        deadline: Instant,
        reply: &mut Reply,
    ) -> Result<Outcome, Failure> {
        let setting = self.setting(&request.url, None);
        self.need_roots(setting).await?;
        let destination = Destination {
            name: None,
            addresses: Vec::new(),
            through_proxy: true,
            reach_only: request.stop_after == StopAfter::Reach,
            deadline,
        };
        let mut begun = Instant::now();
        let login = deadline.duration_since(begun) / 2;
        let mut bridge = via.bridge(&request.url, login)?;
        let known = &self.wired.shared.over_http1;
        let config = if known.holds(&request.url) {
            http1_alone(&self.wired.config)
        } else {
            self.wired.config.clone()
        };
        let client = self.wired.over(&bridge, config)?;
        let mut outcome = race::run(&client, built, &destination).await;
        if known.learn(&outcome, request, Repeat { begun, deadline }, reply) {
            begun = Instant::now();
            bridge = via.bridge(&request.url, login)?;
            let client = self.wired.over(&bridge, http1_alone(&self.wired.config))?;
            outcome = race::run(&client, build(request)?, &destination).await;
        }
        write_down(&outcome.attempt, begun, setting, reply);
        let response = match outcome.result {
            Ok(response) => response,
            Err(ended) => {
                let ended = ended_without_head(ended, &outcome.attempt, setting);
                bridge.correct(&mut reply.phases, begun, setting.tls);
                // Plain http is "reached" once the socket on this machine stands: ssh knows better.
                return match ended {
                    Ok(_) => bridge.reached(via, deadline).await,
                    Err(failure) => Err(bridge.explain(via, failure).await),
                };
            }
        };
        let headed = Instant::now();
        reply.phases.wait = waited(&outcome.attempt, headed);
        bridge.correct(&mut reply.phases, begun, setting.tls);
        let outcome = read(response, deadline).await;
        reply.phases.body = Some(headed.elapsed());
        Ok(outcome)
    }

    fn setting(&self, target: &Url, proxy: Option<&Url>) -> Setting {
        Setting {
            proxy: proxy.map(|proxy| match proxy.scheme() {
                "https" => ProxyKind::Tls,
                _ => ProxyKind::Plain,
            }),
            proxy_login: proxy.is_some_and(|proxy| !proxy.username().is_empty()),
            tls: target.scheme() == "https",
            identity: self.wired.has_identity,
        }
    }

    /// Only TLS needs certificate authorities: plain http works on a machine without any.
    async fn need_roots(&self, setting: Setting) -> Result<(), Failure> {
        if !setting.tls && setting.proxy != Some(ProxyKind::Tls) {
            return Ok(());
        }
        match self.wired.shared.roots.load().await {
            Err(problem) if !self.wired.has_own_roots => Err(Failure::Local(error_chain(&problem))),
            _ => Ok(()),
        }
    }

    /// Looks the name up, unless the proxy does that.
    async fn destination(
        &self,
        request: &Request,
        (proxy, place): (Option<&Url>, Option<LookupPlace>),
        deadline: Instant,
        reply: &mut Reply,
    ) -> Result<Destination, Failure> {
        let mut destination = Destination {
            name: None,
            addresses: Vec::new(),
            through_proxy: proxy.is_some(),
            reach_only: request.stop_after == StopAfter::Reach,
            deadline,
        };
        if !looks_up(proxy) {
            return Ok(destination);
        }
        let host = request.url.host_str().unwrap_or_default();
        let port = request.url.port_or_known_default().unwrap_or_default();
        let found = if let Some(address) = numeric(host) {
            if !belongs(address, self.family) {
                let family = self.family.word();
                return Err(Failure::Local(format!(
                    "only {family} may be used, and the URL's address is of the other kind"
                )));
            }
            vec![address]
        } else {
            let begun = Instant::now();
            let resolver = &self.wired.shared.resolver;
            let lookup = resolver.lookup(place, host, self.family);
            let found = timeout_at(deadline, lookup).await;
            reply.phases.dns = Some(begun.elapsed());
            destination.name = Some(host.to_owned());
            let found = found.unwrap_or(Err(LookupFailure::Failed));
            interleaved(found.map_err(LookupFailure::failure)?)
        };
        destination.addresses = found.into_iter().map(|ip| (ip, port).into()).collect();
        Ok(destination)
    }
}

impl Wired {
    /// The client for a server that wants HTTP/1.1.
    fn over_http1(&self) -> Result<reqwest::Client, Failure> {
        if let Some(client) = self.over_http1.get() {
            return Ok(client.clone());
        }
        let client = builder(&self.user_agent, http1_alone(&self.config));
        let client = wired(client, &self.routes, &self.shared).map_err(unbuilt)?;
        Ok(self.over_http1.get_or_init(|| client).clone())
    }

    /// A client for one request through another machine.
    fn over(
        &self,
        bridge: &Bridge,
        config: rustls::ClientConfig,
    ) -> Result<reqwest::Client, Failure> {
        let client = builder(&self.user_agent, config).unix_socket(bridge.socket.as_path());
        client.build().map_err(|error| unbuilt(error.into()))
    }
}

/// Whether names are looked up here on this way; a proxy does that itself, but for one of `socks5`.
fn looks_up(proxy: Option<&Url>) -> bool {
    proxy.is_none_or(|proxy| proxy.scheme() == "socks5")
}

/// How long an answer was waited for until then, where the connection stood.
fn waited(attempt: &Attempt, until: Instant) -> Option<Duration> {
    let joined = attempt.marks().joined;
    joined.map(|joined| until.duration_since(joined))
}

/// Phases and TLS of the attempt that counts.
fn write_down(attempt: &Attempt, begun: Instant, setting: Setting, reply: &mut Reply) {
    let marks = attempt.marks();
    if !setting.is_beyond_proxy(&marks.progress()) {
        // A handshake with the proxy says nothing of the target.
        return;
    }
    let stood = if setting.tls {
        marks.tls_begun
    } else {
        marks.joined
    };
    reply.phases.connect = stood.map(|stood| stood.duration_since(begun));
    reply.sent = marks.joined.is_some() && !attempt.race.reach_only();
    if setting.tls {
        reply.phases.tls = marks
            .tls_begun
            .zip(marks.joined)
            .map(|(begun, joined)| joined.duration_since(begun));
        reply.tls = tls_facts(&marks);
    }
}

fn tls_facts(marks: &Marks) -> Option<TlsFacts> {
    (!marks.chain.is_empty()).then(|| TlsFacts {
        version: marks.version.map(str::to_owned),
        chain: read_chain(&marks.chain),
        verified: marks.verified,
    })
}

/// Reads head and body; the body to its end, the limit or the deadline.
async fn read(mut incoming: reqwest::Response, deadline: Instant) -> Outcome {
    let mut response = Response {
        status: incoming.status().as_u16(),
        headers: incoming
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect(),
        body: Vec::new(),
    };
    loop {
        let chunk = match timeout_at(deadline, incoming.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Outcome::Answered(response),
            Ok(Err(error)) => return Outcome::Cut(response, failure::in_body(&error)),
            Err(_) => return Outcome::Cut(response, Failure::ResponseTimeout),
        };
        let room = BODY_LIMIT - response.body.len();
        if chunk.len() > room {
            response.body.extend(chunk.iter().take(room));
            return Outcome::Cut(response, Failure::BodyTooLarge);
        }
        response.body.extend_from_slice(&chunk);
    }
}

#[cfg(test)]
mod tests;
