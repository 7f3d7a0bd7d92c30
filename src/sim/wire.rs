//! The wire: takes connections, reads requests, and sends what was decided, whole or spoilt.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::behaviour::{Fault, Handling};
use super::control::Control;
use super::gzip;
use super::http::{Answer, Framing, Request, Style};
use super::log::{Log, Presented, SeenRequest};
use super::pages;

/// Longest head that is read, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// Longest body that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// A TLS record of the handshake begins with this byte, and no HTTP request does.
const TLS_HANDSHAKE: u8 = 0x16;
/// A fatal TLS alert: `protocol_version`.
const PROTOCOL_ALERT: [u8; 7] = [0x15, 3, 1, 0, 2, 2, 70];

/// What a port speaks below HTTP.
#[derive(Clone, Debug)]
pub(super) enum Security {
    /// Plain http; to TLS it says 400.
    Plain,
    /// TLS; to plain http it says 400.
    Tls(Arc<ServerConfig>),
    /// Both, told apart by the first byte.
    Either(Arc<ServerConfig>),
    /// Refuses every protocol version.
    OldProtocols,
    /// Hangs up in the middle of the handshake.
    HangsUp,
}

/// One port: what it speaks, who steers it, and where it writes down what it saw.
#[derive(Debug)]
pub(super) struct PortContext {
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) control: Control,
    pub(super) log: watch::Sender<Log>,
}

/// Takes connections until it is dropped, which ends them too.
pub(super) async fn listen(listener: TcpListener, station: Arc<PortContext>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    station.log.send_modify(|log| log.connected(station.port));
                    connections.spawn(serve(stream, Arc::clone(&station)));
                }
                // Out of descriptors: let some connections end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection. An error of the wire ends it, and there is nobody to tell: the client sees it itself.
async fn serve(stream: TcpStream, station: Arc<PortContext>) {
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    let is_tls = match stream.peek(&mut first).await {
        Ok(1) => first == [TLS_HANDSHAKE],
        _ => return,
    };
    let _ = match (&station.security, is_tls) {
        (Security::Plain | Security::Either(_), false) => {
            Conversation::new(stream, &station).run().await
        }
        (Security::Tls(_), false) => {
            let mut conversation = Conversation::new(stream, &station);
            conversation.only = Some(pages::plain_on_tls_port());
            conversation.run().await
        }
        (Security::Tls(config) | Security::Either(config), true) => {
            over_tls(stream, config, &station).await
        }
        (Security::Plain, true) => say(stream, &Style::default(), &pages::bad_request()).await,
        (Security::OldProtocols, _) => end(stream, &PROTOCOL_ALERT).await,
        (Security::HangsUp, _) => end(stream, &[]).await,
    };
}

async fn over_tls(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
    station: &Arc<PortContext>,
) -> io::Result<()> {
    let accepting = TlsAcceptor::from(Arc::clone(config)).accept(stream);
    match accepting.into_fallible().await {
        Ok(stream) => Conversation::new(stream, station).run().await,
        // The alert has been sent. Closing with bytes unread would reset the connection and lose it.
        Err((_, stream)) => end(stream, &[]).await,
    }
}

async fn say(stream: TcpStream, style: &Style, answer: &Answer) -> io::Result<()> {
    let bytes = style.dress(answer, &Request::default());
    end(stream, &bytes).await
}

/// Takes what the client has sent so far, sends `bytes`, closes this side, and waits for the other.
async fn end(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut hello = [0; 4096];
    let _ = stream.try_read(&mut hello);
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    drain(stream).await
}

/// Reads until the other side closes.
async fn drain(mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// A stream whose TCP connection can be reached, to reset it.
pub(super) trait Channel: AsyncRead + AsyncWrite + Unpin + Send {
    const SECURE: bool;
    fn tcp(&self) -> &TcpStream;
}

impl Channel for TcpStream {
    const SECURE: bool = false;
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Channel for TlsStream<TcpStream> {
    const SECURE: bool = true;
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// What follows an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterAnswer {
    /// The next request of the same connection.
    GoOn,
    /// This side closes.
    Close,
    /// Nothing: the client has hung up, or the connection was reset.
    Gone,
}

/// Requests and answers over one connection.
struct Conversation<S> {
    stream: S,
    /// Read, and not used yet.
    unread: Vec<u8>,
    station: Arc<PortContext>,
    /// Said to every request instead of what the behaviour says.
    only: Option<Answer>,
}

impl<S: Channel> Conversation<S> {
    fn new(stream: S, station: &Arc<PortContext>) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            station: Arc::clone(station),
            only: None,
        }
    }

    async fn run(mut self) -> io::Result<()> {
        loop {
            let Some(request) = self.next_request().await? else {
                return Ok(());
            };
            match self.reply(&request).await {
                AfterAnswer::GoOn => {}
                AfterAnswer::Gone => return Ok(()),
                AfterAnswer::Close => {
                    self.stream.shutdown().await?;
                    return drain(self.stream).await;
                }
            }
        }
    }

    /// The next request; absent where the client has closed, or does not speak HTTP.
    async fn next_request(&mut self) -> io::Result<Option<Request>> {
        let head_end = loop {
            if let Some(at) = find(&self.unread, b"\r\n\r\n") {
                break at;
            }
            if self.unread.len() > HEAD_LIMIT || !self.read_more().await? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(self.unread.get(..head_end).unwrap_or_default());
        let Some(mut request) = Request::parse(&head) else {
            return Ok(None);
        };
        let length = request.content_length();
        if length > BODY_LIMIT {
            return Ok(None);
        }
        self.unread.drain(..head_end + 4);
        while self.unread.len() < length {
            if !self.read_more().await? {
                return Ok(None);
            }
        }
        request.body = self.unread.drain(..length).collect();
        request.secure = S::SECURE;
        Ok(Some(request))
    }

    async fn read_more(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 4096];
        let count = self.stream.read(&mut bytes).await?;
        self.unread
            .extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(count > 0)
    }

    /// Decides at once, writes it down, and sends it when it may.
    async fn reply(&mut self, request: &Request) -> AfterAnswer {
        let control = self.station.control.clone();
        let (conduct, presented) = match &self.only {
            Some(answer) => (Handling::Answer(answer.clone()), Presented::Nothing),
            None => control.behaviour().conduct(request),
        };
        let order = self.write_down(request, presented);
        let style = control.style();
        let may_go = async {
            control.released().await;
            if !style.latency.is_zero() {
                tokio::time::sleep(style.latency).await;
            }
        };
        let stays = tokio::select! {
            biased;
            () = may_go => true,
            () = hung_up(&mut self.stream, &mut self.unread) => false,
        };
        if !stays {
            self.amend(order, |seen| seen.closed_by_client = true);
            return AfterAnswer::Gone;
        }
        let sent = match conduct {
            Handling::Answer(answer) => self.send(order, &style, &answer, request).await,
            Handling::Fault(fault) => self.spoil(order, &style, fault).await,
        };
        sent.unwrap_or_else(|_| {
            self.amend(order, |seen| seen.closed_by_client = true);
            AfterAnswer::Gone
        })
    }

    async fn send(
        &mut self,
        order: u64,
        style: &Style,
        answer: &Answer,
        request: &Request,
    ) -> io::Result<AfterAnswer> {
        let bytes = style.dress(answer, request);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await?;
        self.amend(order, |seen| seen.answered = Some(answer.status));
        let closes = style.framing == Framing::Close
            || self.only.is_some()
            || request
                .header("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok(if closes {
            AfterAnswer::Close
        } else {
            AfterAnswer::GoOn
        })
    }

    async fn spoil(&mut self, order: u64, style: &Style, fault: Fault) -> io::Result<AfterAnswer> {
        if let Some(PartialAnswer { headers, body }) = PartialAnswer::of(fault) {
            self.stream.write_all(&style.head(200, &headers)).await?;
            self.stream.write_all(&body).await?;
            self.stream.flush().await?;
            self.amend(order, |seen| seen.answered = Some(200));
        }
        match fault {
            Fault::Silence | Fault::SilentBody => self.wait_for_the_client(order).await,
            Fault::Trickle => self.trickle().await,
            Fault::Reset | Fault::ResetBody => self.reset(),
            Fault::Flood(length) => self.flood(length).await,
            Fault::Banner => {
                self.stream
                    .write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
                    .await?;
                Ok(AfterAnswer::Close)
            }
            Fault::Close | Fault::ShortBody | Fault::BadChunk | Fault::BadGzip | Fault::Bomb(_) => {
                Ok(AfterAnswer::Close)
            }
        }
    }

    async fn wait_for_the_client(&mut self, order: u64) -> io::Result<AfterAnswer> {
        hung_up(&mut self.stream, &mut self.unread).await;
        self.amend(order, |seen| seen.closed_by_client = true);
        Ok(AfterAnswer::Gone)
    }

    async fn trickle(&mut self) -> io::Result<AfterAnswer> {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tick.tick().await;
            self.stream.write_all(b" ").await?;
            self.stream.flush().await?;
        }
    }

    async fn flood(&mut self, length: u64) -> io::Result<AfterAnswer> {
        let block = vec![b' '; 16 * 1024];
        let mut left = length;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            self.stream
                .write_all(block.get(..count).unwrap_or_default())
                .await?;
            left -= count as u64;
        }
        self.stream.flush().await?;
        Ok(AfterAnswer::Close)
    }

    fn reset(&self) -> io::Result<AfterAnswer> {
        self.stream.tcp().set_zero_linger()?;
        Ok(AfterAnswer::Gone)
    }

    fn write_down(&self, request: &Request, presented: Presented) -> u64 {
        let seen = SeenRequest {
            order: 0,
            port: self.station.port,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request
                .headers
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            presented,
            answered: None,
            closed_by_client: false,
        };
        let mut order = 0;
        self.station.log.send_modify(|log| order = log.record(seen));
        order
    }

    fn amend(&self, order: u64, change: impl FnOnce(&mut SeenRequest)) {
        self.station.log.send_modify(|log| log.amend(order, change));
    }
}

/// How a fault begins that begins like an answer: headers, and the first part of the body.
struct PartialAnswer {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl PartialAnswer {
    fn of(fault: Fault) -> Option<Self> {
        let text = |text: &str| text.as_bytes().to_vec();
        let (length, body) = match fault {
            Fault::Silence | Fault::Reset | Fault::Close | Fault::Banner => return None,
            Fault::SilentBody | Fault::ResetBody | Fault::ShortBody | Fault::Trickle => {
                (500, text("{\"response\":[{\"id\":\"1\","))
            }
            Fault::BadChunk => (0, text("zz\r\n{}\r\n0\r\n\r\n")),
            Fault::BadGzip => (15, text("{\"response\":[]}")),
            Fault::Flood(bytes) => (bytes, Vec::new()),
            Fault::Bomb(bytes) => {
                let bomb = gzip::bomb(bytes);
                (bomb.len() as u64, bomb)
            }
        };
        let framing = match fault {
            Fault::BadChunk => ("Transfer-Encoding", "chunked".to_owned()),
            _ => ("Content-Length", length.to_string()),
        };
        let mut headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            (framing.0.to_owned(), framing.1),
        ];
        if matches!(fault, Fault::BadGzip | Fault::Bomb(_)) {
            headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        Some(Self { headers, body })
    }
}

/// Ends when the client closes or resets; what it sends in the meantime is kept.
async fn hung_up(stream: &mut (impl AsyncRead + Unpin), unread: &mut Vec<u8>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        unread.extend_from_slice(bytes.get(..count).unwrap_or_default());
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}
