//! Requests and answers as the rehearsal services see them, and an answer written out as bytes.
//!
//! Hand-made, because these servers must be able to lie: spell a header oddly, leave one out, cut a body.

use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::gzip;

/// One request, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The verb.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// What stands behind the `?`, still percent-encoded.
    pub query: Option<String>,
    /// Names as they were spelled, values as they came, in order.
    pub headers: Vec<(String, String)>,
    /// As long as `Content-Length` says.
    pub body: Vec<u8>,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl Request {
    /// Reads a head: everything before the blank line. `None` where it is not HTTP/1.
    pub(super) fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if !version.starts_with("HTTP/1.") || words.next().is_some() {
            return None;
        }
        // A proxy is asked with the whole URL; scheme and host are left out here.
        let target = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..))?,
            None => target,
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let headers = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_owned(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()?;
        Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers,
            body: Vec::new(),
            secure: false,
        })
    }

    /// The first value of the header `name`, in any spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Bytes of body that were announced.
    pub(super) fn content_length(&self) -> usize {
        self.header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0)
    }

    /// Scheme, host and port that the client named.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.header("host").unwrap_or_default())
    }

    /// The host that the client named, without its port.
    pub(super) fn host(&self) -> &str {
        let host = self.header("host").unwrap_or_default();
        match host.rsplit_once(':') {
            Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// The value of the query parameter `name`, still percent-encoded.
    pub(super) fn raw_parameter(&self, name: &str) -> Option<&str> {
        self.query
            .as_deref()?
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(parameter, _)| *parameter == name)
            .map(|(_, value)| value)
    }

    /// The body as JSON; null where it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// `text` without its percent signs.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers in order, without length, date and connection: those are the wire's.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with a body of the given type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An HTML answer.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "text/html; charset=UTF-8", body)
    }

    /// A redirect, with the page that web servers send along.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::html(
            status,
            format!(
                "<html><head><title>Moved</title></head><body><a href=\"{location}\">here</a></body></html>"
            ),
        )
        .with("Location", location)
    }

    /// The same with a further header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What the `Server` header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServerHeader {
    /// What the service sends by itself.
    #[default]
    AsIs,
    /// Nothing: the header is left out.
    Absent,
    /// Something else, true or not.
    Named(String),
}

/// How header names are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderCase {
    /// `Content-Type`, as most servers do.
    #[default]
    Title,
    /// `content-type`, as proxies that speak HTTP/2 on the other side do.
    Lower,
    /// `CONTENT-TYPE`.
    Upper,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    #[default]
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// By closing the connection.
    Close,
}

/// How answers are dressed, whatever they say. A verdict must not depend on any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The `Server` header.
    pub server: ServerHeader,
    /// The spelling of header names.
    pub case: HeaderCase,
    /// How the end of the body is told.
    pub framing: Framing,
    /// Whether bodies are compressed for clients that accept gzip.
    pub gzip: bool,
    /// How long an answer takes.
    pub latency: Duration,
    /// Seconds by which the `Date` header is ahead of this machine's clock.
    pub clock_ahead_s: i64,
}

impl Style {
    /// `answer` to `request` as bytes.
    pub(super) fn dress(&self, answer: &Answer, request: &Request) -> Vec<u8> {
        let mut headers = self.served_by(answer);
        let mut body = answer.body.clone();
        if self.gzip && accepts_gzip(request) {
            body = gzip::stored(&body);
            headers.push(("Content-Encoding".into(), "gzip".into()));
        }
        headers.push(("Date".into(), http_date(self.clock_ahead_s)));
        match self.framing {
            Framing::Length => headers.push(("Content-Length".into(), body.len().to_string())),
            Framing::Chunked => {
                headers.push(("Transfer-Encoding".into(), "chunked".into()));
                body = chunked(&body);
            }
            Framing::Close => headers.push(("Connection".into(), "close".into())),
        }
        let mut bytes = self.head(answer.status, &headers);
        if request.method != "HEAD" {
            bytes.append(&mut body);
        }
        bytes
    }

    /// Status line and headers, with the blank line behind them.
    pub(super) fn head(&self, status: u16, headers: &[(String, String)]) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase(status));
        for (name, value) in headers {
            let name = match self.case {
                HeaderCase::Title => name.clone(),
                HeaderCase::Lower => name.to_ascii_lowercase(),
                HeaderCase::Upper => name.to_ascii_uppercase(),
            };
            for part in [name.as_str(), ": ", value, "\r\n"] {
                head.push_str(part);
            }
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn served_by(&self, answer: &Answer) -> Vec<(String, String)> {
        let mut headers = answer.headers.clone();
        if self.server != ServerHeader::AsIs {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("server"));
        }
        if let ServerHeader::Named(name) = &self.server {
            headers.push(("Server".to_owned(), name.clone()));
        }
        headers
    }
}

fn accepts_gzip(request: &Request) -> bool {
    request
        .header("accept-encoding")
        .is_some_and(|codings| codings.contains("gzip"))
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 64);
    for chunk in body.chunks(16) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

fn http_date(ahead_s: i64) -> String {
    let now = Timestamp::from_second(Timestamp::now().as_second().saturating_add(ahead_s))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .unwrap_or_default()
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        406 => "Not Acceptable",
        415 => "Unsupported Media Type",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request {
        Request::parse(head).unwrap()
    }

    #[test]
    fn a_head_is_read_and_garbage_is_not() {
        let asked =
            request("GET /api/a.json?x=%2F1&y=2 HTTP/1.1\r\nHOST: [::1]:80\r\naccept: */*\r\n");
        assert_eq!(
            (asked.method.as_str(), asked.path.as_str()),
            ("GET", "/api/a.json")
        );
        assert_eq!(asked.raw_parameter("x"), Some("%2F1"));
        assert_eq!(
            (asked.header("Host"), asked.host()),
            (Some("[::1]:80"), "[::1]")
        );
        assert_eq!(
            request("GET http://shop.invalid/a?b HTTP/1.1\r\n").path,
            "/a",
            "a proxy's form"
        );
        for garbage in [
            "",
            "GET /",
            "GET / SSH-2.0",
            "GET / x HTTP/1.1",
            "GET / HTTP/1.1\r\nx",
        ] {
            assert_eq!(Request::parse(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn a_style_changes_the_dress_and_not_the_words() {
        let asked = request("GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\n");
        let answer = Answer::json(200, &Value::Null).with("Server", "nginx");
        let plain = String::from_utf8(Style::default().dress(&answer, &asked)).unwrap();
        assert!(
            plain.starts_with(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: nginx\r\n"
            )
        );
        assert!(plain.ends_with("Content-Length: 4\r\n\r\nnull"));

        let style = Style {
            server: ServerHeader::Named("cloudflare".into()),
            case: HeaderCase::Upper,
            framing: Framing::Chunked,
            ..Style::default()
        };
        let odd = String::from_utf8(style.dress(&answer, &asked)).unwrap();
        assert!(odd.contains("\r\nSERVER: cloudflare\r\n") && !odd.contains("nginx"));
        assert!(odd.ends_with("\r\n\r\n4\r\nnull\r\n0\r\n\r\n"));
    }
}
