//! The status by which a proxy refuses a tunnel. The client knows it and keeps it to itself ("unsuccessful"), so the
//! proxy is asked once more for the same connection. Nothing goes through it, whatever is answered.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::Url;
use zeroize::Zeroizing;

use crate::domain::{AddressFamily, ProxyFailure};
use crate::http::resolve::{Resolver, interleaved, numeric};

/// How long the second answer is waited for: the first one came, so it is no matter of patience.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest status line that is read, bytes.
const LONGEST_LINE: usize = 1024;

/// What the proxy says when it is asked for a tunnel to `target` once more; nothing where that tells no more.
pub(super) async fn refusal(
    (proxy, target): (&Url, &Url),
    user_agent: &str,
    tls: &ClientConfig,
    resolver: &Resolver,
    deadline: Instant,
) -> Option<ProxyFailure> {
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let asked = async {
        let head = head(proxy, target, user_agent)?;
        let stream = connect(proxy, resolver).await?;
        if proxy.scheme() != "https" {
            return first_line(stream, &head).await;
        }
        let mut config = tls.clone();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let host = proxy.host_str()?.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).ok()?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        first_line(connecting.await.ok()?, &head).await
    };
    told(&timeout_at(deadline, asked).await.ok()??)
}

async fn connect(proxy: &Url, resolver: &Resolver) -> Option<TcpStream> {
    let (host, port) = (proxy.host_str()?, proxy.port_or_known_default()?);
    let addresses = match numeric(host) {
        Some(address) => vec![address],
        None => interleaved(resolver.lookup(None, host, AddressFamily::Any).await.ok()?),
    };
    for address in addresses {
        if let Ok(stream) = TcpStream::connect((address, port)).await {
            return Some(stream);
        }
    }
    None
}

/// What the client asked: a proxy may refuse by any of it.
fn head(proxy: &Url, target: &Url, user_agent: &str) -> Option<Zeroizing<String>> {
    let (host, port) = (target.host_str()?, target.port_or_known_default()?);
    let mut head = Zeroizing::new(format!(
        "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {user_agent}\r\n"
    ));
    if let Some(login) = login(proxy) {
        head.push_str("Proxy-Authorization: Basic ");
        STANDARD.encode_string(login.as_bytes(), &mut head);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    Some(head)
}

/// Asks, and reads the line that begins the answer.
async fn first_line(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    head: &str,
) -> Option<Vec<u8>> {
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.flush().await.ok()?;
    let mut line = Vec::new();
    while line.len() < LONGEST_LINE && !line.contains(&b'\n') {
        if stream.read_buf(&mut line).await.ok()? == 0 {
            break;
        }
    }
    (!line.is_empty()).then_some(line)
}

/// User name and password of the proxy's URL, as they are sent.
fn login(proxy: &Url) -> Option<Zeroizing<String>> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = Zeroizing::new(decoded(proxy.password().unwrap_or_default()));
    let username = Some(proxy.username()).filter(|name| !name.is_empty())?;
    Some(Zeroizing::new(format!(
        "{}:{}",
        decoded(username),
        &*password
    )))
}

/// What the line says. A 407 was told by the client itself, and one that connects now did not a moment ago.
fn told(line: &[u8]) -> Option<ProxyFailure> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let Some(rest) = line.strip_prefix(BEGINNING) else {
        // It broke off before it said what it is.
        if BEGINNING.starts_with(line) {
            return None;
        }
        return Some(ProxyFailure::Unheard("what answers there is no HTTP proxy"));
    };
    let mut words = rest.split(u8::is_ascii_whitespace);
    let status = std::str::from_utf8(words.nth(1)?).ok()?.parse().ok()?;
    (matches!(status, 100..=599) && !matches!(status, 200 | 407))
        .then_some(ProxyFailure::Refused(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read() {
        let refused = |status| Some(ProxyFailure::Refused(status));
        for (line, expected) in [
            ("HTTP/1.1 403 Forbidden\r\nServer: x\r\n", refused(403)),
            ("HTTP/1.0 503\n", refused(503)),
            ("HTTP/1.1 200 Connection established\r\n", None),
            ("HTTP/1.1 407 Auth\r\n", None),
            ("HTTP/1.1\r\n", None),
            ("HTT", None),
            ("HTTP/1.", None),
            ("HTTP/1.1 99999 X\r\n", None),
            ("HTTP/1.1 999 X\r\n", None),
        ] {
            assert_eq!(told(line.as_bytes()), expected, "{line:?}");
        }
        for line in [&b"SSH-2.0-OpenSSH\r\n"[..], b"\x15\x03\x01\x00\x02"] {
            assert!(matches!(told(line), Some(ProxyFailure::Unheard(_))));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_never_ends_is_not_waited_for() {
        let (here, mut there) = tokio::io::duplex(4 * LONGEST_LINE);
        there.write_all(&[b'a'; 2 * LONGEST_LINE]).await.unwrap();
        let line = tokio::time::timeout(PATIENCE, first_line(here, "CONNECT"));
        assert!(line.await.unwrap().unwrap().len() >= LONGEST_LINE);
    }

    #[test]
    fn it_is_asked_as_the_client_asks() {
        let [proxy, target] =
            ["http://me:pw@p:3128", "https://api.example/x"].map(|url| Url::parse(url).unwrap());
        let head = head(&proxy, &target, "probe/1").unwrap();
        let expected = "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\nUser-Agent: probe/1\r\n\
                        Proxy-Authorization: Basic bWU6cHc=\r\n\r\n";
        assert_eq!(*head, expected);
    }

    #[test]
    fn the_login_is_that_of_the_url() {
        let of = |url: &str| login(&Url::parse(url).unwrap()).map(|login| (*login).clone());
        assert_eq!(of("http://me:p%40ss@p").as_deref(), Some("me:p@ss"));
        assert_eq!(of("http://me@p").as_deref(), Some("me:"));
        assert_eq!(of("http://p"), None);
    }
}
