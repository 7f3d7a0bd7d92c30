//! Where the exporter listens: loopback or a unix socket, nothing else.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use axum::serve::Listener;
use tokio::net::{TcpListener, UnixListener};

use super::caller::{Caller, Places, Stream};
use crate::domain::text::inert;
use crate::store::files;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A loopback address; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A socket in the file system, for this user alone.
    Unix(PathBuf),
}

/// Why it can't listen there.
#[derive(Debug, thiserror::Error)]
pub enum ListenProblem {
    /// Not an address.
    #[error("{0:?} is no address: write 127.0.0.1:9797, [::1]:9797 or unix:/PATH")]
    Unreadable(String),
    /// Others could reach it, and it asks nobody who they are.
    #[error(
        "{0} can be reached from elsewhere, and /probe asks nobody who they are: listen on 127.0.0.1 or \
         unix:/PATH, and put a reverse proxy with TLS and authentication in front of it"
    )]
    Exposed(SocketAddr),
    /// Another program was there first.
    #[error("another program listens on {0} already")]
    Taken(String),
    /// The system.
    #[error("{0} can't be listened on")]
    System(String, #[source] io::Error),
    /// The socket's file.
    #[error(transparent)]
    File(#[from] files::FileProblem),
}

impl FromStr for Listen {
    type Err = ListenProblem;

    fn from_str(text: &str) -> Result<Self, ListenProblem> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        let unreadable = || ListenProblem::Unreadable(inert(text, 80));
        // Why the parser stopped is of no use beside what an address looks like.
        let address = match text.split_once(':') {
            Some(("localhost", port)) => {
                let port = port.parse().map_err(|_stopped| unreadable())?;
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
            }
            _ => text.parse().map_err(|_stopped| unreadable())?,
        };
        if address.ip().is_loopback() {
            Ok(Self::Tcp(address))
        } else {
            Err(ListenProblem::Exposed(address))
        }
    }
}

/// An open port or socket.
#[derive(Debug)]
pub enum BoundListener {
    /// With its address, the port as given by the system.
    Tcp(TcpListener, SocketAddr),
    /// With its name, which goes first, while the socket still answers: nobody else has taken its place then.
    Unix(files::SocketName, UnixListener),
}

impl Listen {
    /// Opens it. A socket that a killed program left behind is replaced, one that answers is not.
    pub async fn bind(self) -> Result<BoundListener, ListenProblem> {
        match self {
            Self::Tcp(address) => {
                let failed = |error: io::Error| match error.kind() {
                    io::ErrorKind::AddrInUse => ListenProblem::Taken(address.to_string()),
                    _ => ListenProblem::System(address.to_string(), error),
                };
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok(BoundListener::Tcp(listener, address))
            }
            Self::Unix(path) => {
                let shown = files::shown(&path);
                let bound = files::bind_private_socket(&path);
                let (listener, name) = bound.map_err(|problem| match problem {
                    files::FileProblem::Write { source, .. }
                        if source.kind() == io::ErrorKind::AddrInUse =>
                    {
                        ListenProblem::Taken(format!("unix:{shown}"))
                    }
                    other => other.into(),
                })?;
                let listener = listener
                    .set_nonblocking(true)
                    .and_then(|()| UnixListener::from_std(listener))
                    .map_err(|error| ListenProblem::System(shown, error))?;
                Ok(BoundListener::Unix(name, listener))
            }
        }
    }
}

impl BoundListener {
    /// Whether it is a port, which a browser can be led to by a name.
    pub const fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(..))
    }
}

/// The same for so many callers at once. A further one waits to be let in, for a place that is given up for it.
pub(super) struct LimitedListener {
    listener: BoundListener,
    places: Places,
}

impl BoundListener {
    pub(super) fn limited(self, callers: usize) -> LimitedListener {
        LimitedListener {
            listener: self,
            places: Places::new(callers),
        }
    }
}

impl Listener for LimitedListener {
    type Io = Caller;
    /// Nobody asks who calls.
    type Addr = ();

    async fn accept(&mut self) -> (Caller, ()) {
        let stream: Box<dyn Stream> = match &mut self.listener {
            BoundListener::Tcp(listener, _) => Box::new(Listener::accept(listener).await.0),
            BoundListener::Unix(_, listener) => Box::new(Listener::accept(listener).await.0),
        };
        // Only who calls can be given way to: those behind wait with the system.
        (Caller::new(stream, self.places.take().await), ())
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for BoundListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(_, address) => write!(f, "http://{address}"),
            Self::Unix(name, _) => write!(f, "unix:{}", files::shown(name.path())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_sockets_are_taken_and_nothing_else() {
        for text in ["127.0.0.1:9797", "127.1.2.3:0", "[::1]:9797", "localhost:1"] {
            assert!(matches!(text.parse(), Ok(Listen::Tcp(_))), "{text}");
        }
        let unix: Listen = "unix:/run/a b".parse().unwrap();
        assert_eq!(unix, Listen::Unix("/run/a b".into()));
        for text in ["0.0.0.0:9797", "[::]:9797", "192.0.2.1:80"] {
            let problem = text.parse::<Listen>().unwrap_err();
            assert!(problem.to_string().contains("reverse proxy"), "{problem}");
        }
        for text in [
            "",
            ":9797",
            "unix:",
            "example.com:80",
            "127.0.0.1",
            "localhost:x",
        ] {
            let problem = text.parse::<Listen>().unwrap_err();
            assert!(matches!(problem, ListenProblem::Unreadable(_)), "{text}");
        }
    }

    #[tokio::test]
    async fn a_left_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("switchboard.sock");
        drop(UnixListener::bind(&path).unwrap());
        let listen = Listen::Unix(path.clone());
        let _first = listen.clone().bind().await.unwrap();
        assert_eq!(files::mode(&path).unwrap(), 0o600);
        let refused = listen.bind().await.unwrap_err();
        assert!(matches!(refused, ListenProblem::Taken(_)), "{refused:?}");
    }
}
