//! The rehearsal services: real servers on loopback that end a probe in every reason there is.
//!
//! `switchboard sim` prints where each one is, `switchboard demo` watches a set of them, and the tests
//! steer them in process. They are written from what the services document, not from this program's own
//! client, and decide from what they receive: a probe is right when it reads them as the table says.
//!
//! ```text
//! Sim ─ serve ─▶ ServicePort (port) ─▶ wire: connection, TLS, request ─▶ Behaviour ─▶ Answer or Fault
//!                   Control: set, dress, hold, release ──┘              └─▶ Log: what was seen
//! ```
//!
//! Dropping a [`Sim`] ends every task, closes every port and removes its folder.

mod behaviour;
mod blesta;
mod bridge;
mod catalog;
mod certificates;
mod connect;
mod control;
mod demo;
mod entry;
mod gzip;
mod http;
mod keys;
mod log;
mod pages;
mod plain;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

pub use behaviour::{Behaviour, Fault, Redirect};
pub use blesta::{Blesta, BlestaState, Company, Noise};
pub use bridge::{Bridge, BridgeState};
pub use certificates::Certificate;
pub use connect::{Access, Connect, Mishap};
pub use control::Control;
pub use demo::Rehearsal;
pub use entry::CatalogEntry;
pub use http::{Answer, Framing, HeaderCase, Request, ServerHeader, Style};
pub use log::{Log, Presented, SeenRequest};
pub use pages::StockPage;
pub use plain::Plain;

use crate::domain::Reason;
use certificates::Authority;
use wire::{PortContext, Security};

/// Connections that may wait to be taken.
const BACKLOG: u32 = 256;
/// A connection to a queue with room stands at once; longer than this means that there is none.
const FILL_TIMEOUT: Duration = Duration::from_millis(500);

/// How the rehearsal is set up.
#[derive(Clone, Debug)]
pub struct SimSettings {
    /// The loopback address that every port is opened on.
    pub listen: IpAddr,
    /// What keys and tokens are made of: the same seed gives the same ones.
    pub seed: u64,
    /// How answers are dressed, unless a port is told otherwise.
    pub style: Style,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self {
            listen: Ipv4Addr::LOCALHOST.into(),
            seed: 1,
            style: Style::default(),
        }
    }
}

/// One open port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Its number.
    pub port: u16,
    /// Scheme, host and port, without a slash at the end.
    pub url: String,
}

/// The rehearsal. Lives as long as this value.
#[derive(Debug)]
pub struct Sim {
    settings: SimSettings,
    authority: Authority,
    entries: Vec<CatalogEntry>,
    controls: BTreeMap<u16, Control>,
    log: watch::Sender<Log>,
    /// Bound and not listening, so that nobody else gets the port.
    refusing: Vec<TcpSocket>,
    /// Listening, and never asked for a connection.
    full: Vec<TcpListener>,
    /// The connections that fill their queues.
    waiting: Vec<std::net::TcpStream>,
    tasks: JoinSet<()>,
}

impl Sim {
    /// Opens an entry for every reason. Must be called inside a tokio runtime.
    pub fn start(settings: SimSettings) -> io::Result<Self> {
        let mut sim = Self::bare(settings)?;
        sim.entries = catalog::raise(&mut sim)?;
        Ok(sim)
    }

    /// Opens nothing yet: for tests that raise what they need. Must be called inside a tokio runtime.
    pub fn bare(settings: SimSettings) -> io::Result<Self> {
        if !settings.listen.is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the rehearsal services listen on a loopback address only",
            ));
        }
        Ok(Self {
            authority: Authority::new(settings.listen)?,
            settings,
            entries: Vec::new(),
            controls: BTreeMap::new(),
            log: watch::Sender::default(),
            refusing: Vec::new(),
            full: Vec::new(),
            waiting: Vec::new(),
            tasks: JoinSet::new(),
        })
    }

    /// Every reason's entry, in the order of the table.
    pub fn entries(&self) -> &[CatalogEntry] {
        &self.entries
    }

    /// The entry of `reason`, where entries were opened.
    pub fn entry(&self, reason: Reason) -> Option<&CatalogEntry> {
        self.entries.iter().find(|entry| entry.reason == reason)
    }

    /// Puts `behaviour` behind a port of its own, over plain http.
    pub fn serve(&mut self, behaviour: Behaviour) -> io::Result<ServicePort> {
        self.open(behaviour, Security::Plain)
    }

    /// Puts `behaviour` behind a port of its own, over TLS.
    pub fn serve_tls(
        &mut self,
        behaviour: Behaviour,
        certificate: Certificate,
    ) -> io::Result<ServicePort> {
        let config = self.authority.server(certificate)?;
        self.open(behaviour, Security::Tls(config))
    }

    /// Puts `behaviour` behind a port of its own that speaks plain http and TLS; the URL given is plain.
    pub fn serve_both(&mut self, behaviour: Behaviour) -> io::Result<ServicePort> {
        let config = self.authority.server(Certificate::Sound)?;
        self.open(behaviour, Security::Either(config))
    }

    /// A port that is held and refuses connections.
    pub fn refuse(&mut self) -> io::Result<ServicePort> {
        let socket = self.socket()?;
        let port = socket.local_addr()?.port();
        self.refusing.push(socket);
        Ok(self.stand("http", port))
    }

    /// A port whose queue is full: connections to it are neither taken nor refused.
    pub fn never_accept(&mut self) -> io::Result<ServicePort> {
        let listener = self.socket()?.listen(1)?;
        let address = listener.local_addr()?;
        self.full.push(listener);
        // A queue of one holds two. Further ones stand by, should this system hold more.
        for _ in 0..2 {
            match std::net::TcpStream::connect_timeout(&address, FILL_TIMEOUT) {
                Ok(waiting) => self.waiting.push(waiting),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => break,
                Err(error) => return Err(error),
            }
        }
        for _ in 0..4 {
            self.tasks.spawn(async move {
                if let Ok(stream) = tokio::net::TcpStream::connect(address).await {
                    std::future::pending::<()>().await;
                    drop(stream);
                }
            });
        }
        Ok(self.stand("http", address.port()))
    }

    /// The hand on the port of `url`, where this rehearsal opened it.
    pub fn control(&self, url: &str) -> Option<&Control> {
        let port = Url::parse(url).ok()?.port()?;
        self.controls.get(&port)
    }

    /// Everything seen so far.
    pub fn log(&self) -> Log {
        self.log.borrow().clone()
    }

    /// The log, as soon as `test` holds for it.
    pub async fn wait_for(&self, mut test: impl FnMut(&Log) -> bool) -> Log {
        match self.log.subscribe().wait_for(|log| test(log)).await {
            Ok(log) => log.clone(),
            // Only without a sender, and `self` is one.
            Err(_) => self.log(),
        }
    }

    /// PEM of the rehearsal authority.
    pub fn ca_file(&self) -> PathBuf {
        self.authority.ca_file()
    }

    /// PEM of a client certificate that [`Certificate::ClientNeeded`] takes, and of its key.
    pub fn client_pair(&self) -> (PathBuf, PathBuf) {
        self.authority.client_pair()
    }

    /// A sound Blesta whose company has the host of this rehearsal's URLs. Name and key are the seed's.
    pub fn blesta(&self) -> Blesta {
        Blesta::new("shop-api", &self.hex("blesta", 32), &self.host())
    }

    /// The id and secret of a Connect key.
    pub fn connect_pair(&self) -> (String, String) {
        ("SU-160-984-311".to_owned(), self.hex("connect", 40))
    }

    /// A shared token.
    pub fn shared_token(&self) -> String {
        self.hex("token", 43)
    }

    fn open(&mut self, behaviour: Behaviour, security: Security) -> io::Result<ServicePort> {
        let scheme = match security {
            Security::Tls(_) => "https",
            _ => "http",
        };
        let listener = self.socket()?.listen(BACKLOG)?;
        let port = listener.local_addr()?.port();
        let control = Control::new(behaviour, self.settings.style.clone());
        self.controls.insert(port, control.clone());
        let station = Arc::new(PortContext {
            port,
            security,
            control,
            log: self.log.clone(),
        });
        self.tasks.spawn(wire::listen(listener, station));
        Ok(self.stand(scheme, port))
    }

    fn socket(&self) -> io::Result<TcpSocket> {
        let socket = match self.settings.listen {
            IpAddr::V4(_) => TcpSocket::new_v4(),
            IpAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        socket.bind(SocketAddr::new(self.settings.listen, 0))?;
        Ok(socket)
    }

    fn stand(&self, scheme: &str, port: u16) -> ServicePort {
        ServicePort {
            port,
            url: self.url(scheme, port),
        }
    }

    fn url(&self, scheme: &str, port: u16) -> String {
        format!("{scheme}://{}:{port}", self.host())
    }

    /// The host of every URL: the address, in brackets where it is IPv6.
    fn host(&self) -> String {
        match self.settings.listen {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }
    }

    fn listens_on(&self) -> IpAddr {
        self.settings.listen
    }

    fn absent_file(&self) -> PathBuf {
        self.authority.absent_file()
    }

    fn dress(&self, url: &str, style: Style) {
        if let Some(control) = self.control(url) {
            control.dress(style);
        }
    }

    /// `length` hex characters of the seed, at most 64.
    fn hex(&self, what: &str, length: usize) -> String {
        keys::hex(&format!("{}/{what}", self.settings.seed), length)
    }
}

#[cfg(test)]
mod tests;
