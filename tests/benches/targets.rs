//! Thousands of targets on loopback, in a process of their own: a bench, started again as `--targets`.
//!
//! Every address of 127.0.0.0/8 is a target, at one port. What it does is said by the path that is asked for, and
//! is the same in every run: `/flat` answers at once; `/mixed` after 5 to 200 ms, 4 % of the targets with 401, 4 %
//! with 503, 1 % never and 1 % by a reset; `/flapping` goes from 200 to 503 and back every ten seconds, `/failing` from
//! 500 to 503. A line on stdin is answered by what was counted so far, the end of stdin is the end.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The most that are told apart.
const MOST: usize = 62_500;
/// Of them, so many have a certificate.
pub const SECURE: usize = 1_000;
/// From one state to the next of those that flap.
const FLAP: Duration = Duration::from_secs(10);

/// The running process.
pub struct Targets {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u16,
}

/// What the targets counted.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    /// Requests that came.
    pub served: usize,
    /// Answers that were another one than the target's last.
    pub changed: usize,
}

impl Targets {
    /// Starts them, with TLS where a file is named that the authority's certificate goes to.
    pub fn start(authority: Option<&Path>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--targets").args(authority);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut targets = Self {
            asks: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            port: 0,
        };
        targets.port = targets.line().parse().unwrap();
        targets
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// The URL of one of them.
    pub fn url(&self, scheme: &str, number: usize, path: &str) -> String {
        let (high, low) = (number / 250, 1 + number % 250);
        format!("{scheme}://127.1.{high}.{low}:{}/{path}", self.port)
    }

    /// What was counted so far.
    pub fn counted(&mut self) -> Counted {
        writeln!(self.asks).unwrap();
        let line = self.line();
        let (served, changed) = line.split_once(' ').unwrap();
        Counted {
            served: served.parse().unwrap(),
            changed: changed.parse().unwrap(),
        }
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What all connections share.
struct ServicePort {
    began: Instant,
    served: AtomicUsize,
    changed: AtomicUsize,
    /// The last answer of each.
    last: Vec<AtomicU16>,
    /// One a target; none where plain http is spoken.
    secure: Vec<Arc<ServerConfig>>,
}

/// What a target does with a request.
enum Deed {
    Answer(u16),
    Hang,
    Reset,
}

/// How a connection ended.
enum End {
    Closed,
    Reset,
}

/// Is the targets, until stdin ends.
pub fn run(authority: Option<&str>) {
    let stand = Arc::new(ServicePort {
        began: Instant::now(),
        served: AtomicUsize::new(0),
        changed: AtomicUsize::new(0),
        last: (0..MOST).map(|_| AtomicU16::new(0)).collect(),
        secure: authority.map_or_else(Vec::new, |file| certificates(Path::new(file))),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = {
        let _inside = runtime.enter();
        let socket = TcpSocket::new_v4().unwrap();
        // All addresses of this interface, and of no other.
        socket.bind_device(Some(b"lo")).unwrap();
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        socket.bind(any).unwrap();
        socket.listen(4_096).unwrap()
    };
    println!("{}", listener.local_addr().unwrap().port());
    let serving = Arc::clone(&stand);
    std::thread::spawn(move || runtime.block_on(serve(listener, serving)));
    for _ in io::stdin().lines() {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        println!("{} {}", count(&stand.served), count(&stand.changed));
    }
}

async fn serve(listener: TcpListener, stand: Arc<ServicePort>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(converse(stream, Arc::clone(&stand)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: TcpStream, stand: Arc<ServicePort>) {
    let Ok(SocketAddr::V4(here)) = stream.local_addr() else {
        return;
    };
    let [_, _, high, low] = here.ip().octets();
    let number = usize::from(high) * 250 + usize::from(low).saturating_sub(1);
    let _ = stream.set_nodelay(true);
    if let Some(config) = stand.secure.get(number) {
        let acceptor = TlsAcceptor::from(Arc::clone(config));
        if let Ok(mut secure) = acceptor.accept(stream).await {
            answer(&mut secure, number, &stand).await;
            let _ = secure.shutdown().await;
        }
        return;
    }
    if let End::Reset = answer(&mut stream, number, &stand).await {
        let _ = stream.set_zero_linger();
    }
}

/// Answers requests until either side has enough. They have no bodies.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    number: usize,
    stand: &ServicePort,
) -> End {
    let mut head = [0; 2_048];
    loop {
        let mut length = 0;
        while !head[..length].ends_with(b"\r\n\r\n") {
            match stream.read(&mut head[length..]).await {
                Ok(more @ 1..) => length += more,
                _ => return End::Closed,
            }
        }
        stand.served.fetch_add(1, Ordering::Relaxed);
        let head = head[..length].to_ascii_lowercase();
        match stand.deed(number, &head).await {
            Deed::Answer(status) => {
                let last = stand.last[number % MOST].swap(status, Ordering::Relaxed);
                let changed = last != 0 && last != status;
                stand
                    .changed
                    .fetch_add(usize::from(changed), Ordering::Relaxed);
                if stream.write_all(text(status).as_bytes()).await.is_err() || closes(&head) {
                    return End::Closed;
                }
            }
            Deed::Hang => {
                let _ = stream.read(&mut [0]).await;
                return End::Closed;
            }
            Deed::Reset => return End::Reset,
        }
    }
}

fn closes(head: &[u8]) -> bool {
    let words = b"connection: close";
    head.windows(words.len()).any(|window| window == words)
}

fn text(status: u16) -> String {
    let body = r#"{"status":"as the path and the address have it","padding":"....."}"#;
    let asks = if status == 401 {
        "WWW-Authenticate: Basic realm=\"target\"\r\n"
    } else {
        ""
    };
    format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{asks}\r\n{body}",
        body.len()
    )
}

impl ServicePort {
    async fn deed(&self, number: usize, head: &[u8]) -> Deed {
        if head.starts_with(b"get /mixed") {
            // Each remainder comes once in a thousand: the parts are exact.
            let deed = match number * 7_919 % 1_000 {
                0..900 => Deed::Answer(200),
                900..940 => Deed::Answer(401),
                940..980 => Deed::Answer(503),
                980..990 => return Deed::Hang,
                _ => return Deed::Reset,
            };
            tokio::time::sleep(Duration::from_millis(5 + number as u64 * 7_907 % 196)).await;
            return deed;
        }
        // Those that are neighbours do not change together.
        let phase = FLAP * (number as u32 * 37 % 97) / 97;
        let turn = (self.began.elapsed() + phase).as_millis() / FLAP.as_millis();
        let states = if head.starts_with(b"get /flapping") {
            [200, 503]
        } else if head.starts_with(b"get /failing") {
            [503, 500]
        } else {
            [200, 200]
        };
        Deed::Answer(states[turn as usize % 2])
    }
}

/// A certificate for each of the first thousand, all by one authority, whose own goes to `file`.
fn certificates(file: &Path) -> Vec<Arc<ServerConfig>> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(file, issuer.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = |number: usize| {
        let name = format!("127.1.{}.{}", number / 250, 1 + number % 250);
        let params = CertificateParams::new(vec![name]).unwrap();
        let leaf = params.signed_by(&key, &issuer).unwrap();
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], secret);
        Arc::new(config.unwrap())
    };
    (0..SECURE).map(config).collect()
}
