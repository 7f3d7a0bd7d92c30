//! Servers on loopback that answer, or fail, in one certain way: for the tests of this room.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What a server does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads a request's head, writes this, closes.
    Answer(Vec<u8>),
    /// Reads a request's head, writes this, waits for the client to close.
    AnswerAndWait(Vec<u8>),
    /// Reads until the client closes.
    Wait,
    /// Reads a request's head, then resets the connection (plain only).
    Reset,
    /// Reads a request's head, writes this, then resets the connection (plain only).
    AnswerAndReset(Vec<u8>),
    /// Closes at once.
    Close,
    /// Writes this before it reads anything, and waits for the client to close.
    Speak(Vec<u8>),
    /// Speaks just enough HTTP/2 to answer the first request by these frames.
    Http2(Vec<u8>),
    /// The same, and closes.
    Http2AndClose(Vec<u8>),
    /// The same where HTTP/2 was agreed; else this answer over HTTP/1.1.
    Http2Or(Vec<u8>, Vec<u8>),
    /// An HTTP proxy: joins a CONNECT with this address, whatever was asked for.
    Tunnel(SocketAddr),
    /// A SOCKS5 proxy without authentication: joins with this address, whatever was asked for.
    Socks(SocketAddr),
}

impl Act {
    fn over(self, http2: bool) -> Self {
        match self {
            Self::Http2Or(frames, _) if http2 => Self::Http2(frames),
            Self::Http2Or(_, bytes) => Self::Answer(bytes),
            other => other,
        }
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Stub {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    connections: AtomicUsize,
    heads: Mutex<Vec<String>>,
    head_came: Notify,
    closed_by_client: Notify,
}

impl Stub {
    pub(crate) async fn plain(act: Act) -> Self {
        Self::start("127.0.0.1:0", act, None).await
    }

    pub(crate) async fn tls(config: ServerConfig, act: Act) -> Self {
        Self::start("127.0.0.1:0", act, Some(config)).await
    }

    pub(crate) async fn start(at: &str, act: Act, tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, act, acceptor, Arc::clone(&shared)));
        Self {
            address,
            shared,
            _tasks: tasks,
        }
    }

    /// How many connections came.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests that came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.lock().clone()
    }

    /// Waits for a request's head.
    pub(crate) async fn head_came(&self) {
        self.shared.head_came.notified().await;
    }

    /// Waits until a client closed its connection while the server waited.
    pub(crate) async fn closed_by_client(&self) {
        self.shared.closed_by_client.notified().await;
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(
    listener: TcpListener,
    act: Act,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let (act, acceptor, shared) = (act.clone(), acceptor.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            let ended = match acceptor {
                None => serve_plain(stream, act, &shared).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => {
                        let agreed = stream.get_ref().1.alpn_protocol();
                        let act = act.over(agreed == Some(b"h2"));
                        serve(stream, act, &shared).await
                    }
                    Err(error) => Err(error),
                },
            };
            // A client that fails on purpose is no failure of the server's.
            drop(ended);
        });
    }
}

async fn serve_plain(mut stream: TcpStream, act: Act, shared: &Shared) -> std::io::Result<()> {
    match act {
        Act::Reset => {
            read_head(&mut stream, shared).await?;
            stream.set_zero_linger()
        }
        Act::AnswerAndReset(bytes) => {
            read_head(&mut stream, shared).await?;
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            // A chance for the client to read them. Where it does not take it nothing is lost: they lie in its socket
            // by now, and Linux hands out what has arrived before it tells of a reset.
            tokio::task::yield_now().await;
            stream.set_zero_linger()
        }
        other => serve(stream, other, shared).await,
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    act: Act,
    shared: &Shared,
) -> std::io::Result<()> {
    match act {
        Act::Answer(bytes) => {
            read_head(&mut stream, shared).await?;
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Act::AnswerAndWait(bytes) => {
            read_head(&mut stream, shared).await?;
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            wait(&mut stream, shared).await
        }
        Act::Wait => {
            read_head(&mut stream, shared).await?;
            wait(&mut stream, shared).await
        }
        Act::Speak(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            wait(&mut stream, shared).await
        }
        Act::Http2(frames) => {
            http2(&mut stream, &frames, shared).await?;
            wait(&mut stream, shared).await
        }
        Act::Http2AndClose(frames) => {
            http2(&mut stream, &frames, shared).await?;
            stream.shutdown().await
        }
        Act::Tunnel(target) => {
            read_head(&mut stream, shared).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            join(&mut stream, target).await
        }
        Act::Socks(target) => socks(&mut stream, target, shared).await,
        Act::Close | Act::Reset | Act::AnswerAndReset(_) | Act::Http2Or(..) => Ok(()),
    }
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut S, shared: &Shared) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) => {
                shared.closed_by_client.notify_one();
                return Err(error);
            }
        }
    }
    shared
        .lock()
        .push(String::from_utf8_lossy(&head).into_owned());
    shared.head_came.notify_one();
    Ok(())
}

async fn wait<S: AsyncRead + Unpin>(stream: &mut S, shared: &Shared) -> std::io::Result<()> {
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest).await;
    shared.closed_by_client.notify_one();
    ended.map(|_| ())
}

async fn join<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: SocketAddr,
) -> std::io::Result<()> {
    let mut other = TcpStream::connect(target).await?;
    tokio::io::copy_bidirectional(stream, &mut other).await?;
    Ok(())
}

async fn socks<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: SocketAddr,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await?;
    let mut methods = vec![0; usize::from(greeting[1])];
    stream.read_exact(&mut methods).await?;
    stream.write_all(&[5, 0]).await?;
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let length = match request[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await?),
    };
    let mut name = vec![0; length + 2];
    stream.read_exact(&mut name).await?;
    shared.lock().push(format!("SOCKS kind {}", request[3]));
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    join(stream, target).await
}

/// `:status: 200` without a body, as the answer to the first request.
pub(crate) const HTTP2_OK: [u8; 19] = [0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];

/// Reads the preface and frames up to the first HEADERS, and answers it.
async fn http2<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    frames: &[u8],
    shared: &Shared,
) -> std::io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
    stream.flush().await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        if head[3] == 1 {
            break;
        }
    }
    shared.lock().push("HTTP/2".to_owned());
    stream.write_all(frames).await?;
    stream.flush().await
}

/// A certificate authority for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("Rehearsal authority")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate, as a CA file holds it.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A server for `names`; `change` may spoil its certificate.
    pub(crate) fn server(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> ServerConfig {
        let (chain, key) = self.issue(names, change);
        server_config(chain, key)
    }

    /// A server whose key is another one than its certificate's.
    pub(crate) fn server_with_another_key(&self, versions: Versions) -> ServerConfig {
        let (chain, _) = self.issue(&["127.0.0.1"], |_| {});
        let provider = Arc::new(ring::default_provider());
        let other = private(&KeyPair::generate().unwrap());
        let other = provider.key_provider.load_private_key(other).unwrap();
        let shown = rustls::sign::CertifiedKey::new(chain, other);
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown)))
    }

    /// A server that wants a certificate of this authority's from its clients.
    pub(crate) fn server_for_known_clients(&self, versions: Versions) -> ServerConfig {
        self.server_for_clients(versions, |verifier| verifier)
    }

    /// The same, which asks for a client's certificate and takes who has none.
    pub(crate) fn server_for_any_client(&self, versions: Versions) -> ServerConfig {
        self.server_for_clients(versions, ClientCertVerifierBuilder::allow_unauthenticated)
    }

    fn server_for_clients(
        &self,
        versions: Versions,
        change: impl FnOnce(ClientCertVerifierBuilder) -> ClientCertVerifierBuilder,
    ) -> ServerConfig {
        let (chain, key) = self.issue(&["127.0.0.1", "localhost"], |_| {});
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = change(verifier).build().unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .unwrap()
    }

    /// A client's certificate and key, PEM.
    pub(crate) fn client(&self) -> (Vec<u8>, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["client".to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        (certificate.pem().into_bytes(), key.serialize_pem())
    }

    fn issue(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = parameters(names);
        change(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        (vec![certificate.der().clone()], private(&key))
    }
}

/// TLS versions of a server.
pub(crate) type Versions = &'static [&'static rustls::SupportedProtocolVersion];

/// A server whose certificate nobody but itself signed.
pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut parameters = parameters(&["127.0.0.1"]);
    change(&mut parameters);
    let certificate = parameters.self_signed(&key).unwrap();
    server_config(vec![certificate.der().clone()], private(&key))
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2090, 1, 1);
    parameters
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(key.serialize_der()).unwrap()
}

fn server_config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}
