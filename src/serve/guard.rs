//! Who is answered: those who ask by a loopback name, and no web page.
//!
//! A page may lead a name of its own to 127.0.0.1 (DNS rebinding) and would then read answers as its own;
//! its requests carry that name in `Host`. A page may also send a form to us, or name us as an image, without reading
//! the answer: that would make probes, which send keys. Such requests carry `Origin`, or say by `Sec-Fetch-Site` that
//! they come from another site; Prometheus and curl send neither.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Exporter;

/// Refuses what comes under a foreign name, or from a web page.
pub(super) async fn names(
    State(exporter): State<Arc<Exporter>>,
    request: Request,
    next: Next,
) -> Response {
    if is_foreign(request.headers()) {
        exporter.own.refused();
        let why = "ask by a loopback name: 127.0.0.1, [::1] or localhost\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// Refuses what a web page sent; for sockets, which no name leads to.
pub(super) async fn pages(
    State(exporter): State<Arc<Exporter>>,
    request: Request,
    next: Next,
) -> Response {
    if is_of_page(request.uri().path(), request.headers()) {
        exporter.own.refused();
        return (StatusCode::FORBIDDEN, "not for web pages\n").into_response();
    }
    next.run(request).await
}

/// Whether a web page sent it. A link to what only tells, such as that of Prometheus to our figures, may be followed.
fn is_of_page(path: &str, headers: &HeaderMap) -> bool {
    let acts = ["/probe", "/-/reload"].contains(&path);
    let own = |site: &HeaderValue| site == "none" || site == "same-origin";
    let from_elsewhere = !headers.get_all("sec-fetch-site").iter().all(own);
    headers.contains_key(header::ORIGIN) || (acts && from_elsewhere)
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return true;
    };
    let host = host
        .to_str()
        .ok()
        .and_then(|host| host.parse::<Authority>().ok());
    !host.is_some_and(|host| is_loopback(host.host()))
}

fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || bare
            .unwrap_or(host)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_are_answered_and_no_other() {
        let foreign = |hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().unwrap());
            }
            is_foreign(&headers)
        };
        for host in [
            "127.0.0.1:9797",
            "localhost",
            "LOCALHOST:1",
            "[::1]:9797",
            "127.9.9.9",
        ] {
            assert!(!foreign(&[host]), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9797",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.0.2.1:9797",
            "0.0.0.0",
            "evil@127.0.0.1.example",
            "",
        ] {
            assert!(foreign(&[host]), "{host}");
        }
        assert!(foreign(&[]));
        assert!(foreign(&["localhost", "evil.example"]));
    }
}
