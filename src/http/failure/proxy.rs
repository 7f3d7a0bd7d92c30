//! Why nothing came through a proxy.

use std::error::Error;
use std::io::ErrorKind;

use rustls::Error as TlsError;

use crate::domain::{ProxyFailure, SocksRefusal, TlsFailure};
use crate::http::resolve::LookupFailure;

use super::{Progress, Setting, find, io_kind, tls};

pub(super) const PROXY_WANTS_CERTIFICATE: &str = "it wants a client certificate";

/// Why there is no tunnel. The types of these errors are not public: their words decide.
pub(super) fn proxy_failure(
    links: &[&(dyn Error + 'static)],
    progress: &Progress,
    setting: Setting,
) -> ProxyFailure {
    let says = |words: &str| links.iter().any(|link| link.to_string() == words);
    if says("tunnel error: proxy authorization required") {
        return setting.wants_login();
    }
    if find::<LookupFailure>(links).is_some() {
        return ProxyFailure::Unheard("its name can't be looked up");
    }
    if let Some(error) = find::<TlsError>(links) {
        // It asks before it shows its own, which may be what fails.
        return ProxyFailure::Unheard(match tls(error, progress, setting) {
            TlsFailure::ClientCertificate => PROXY_WANTS_CERTIFICATE,
            TlsFailure::ClientCertificateRefused => "it refuses the client certificate",
            TlsFailure::NotTls => "it does not speak TLS, as one whose URL says http",
            TlsFailure::Expired => "its certificate has expired",
            TlsFailure::WrongName => "its certificate is for other names",
            TlsFailure::UnknownIssuer => "nobody whom this machine trusts signed its certificate",
            _ => "TLS with it failed",
        });
    }
    if let Some(failure) = links.iter().find_map(|link| socks(*link, setting)) {
        return failure;
    }
    match io_kind(links) {
        // Its alert may be lost to a reset.
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
            if progress.certificate_wanted && !setting.identity =>
        {
            ProxyFailure::Unheard(PROXY_WANTS_CERTIFICATE)
        }
        Some(ErrorKind::ConnectionRefused) => ProxyFailure::Unheard("nothing listens there"),
        Some(ErrorKind::TimedOut) => ProxyFailure::Unheard("it did not answer in time"),
        Some(ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            ProxyFailure::Unheard("there is no route to it")
        }
        Some(_) => ProxyFailure::Unheard("it closed the connection"),
        None if says("tunnel error: unexpected end of file") => {
            ProxyFailure::Unheard("it closed the connection")
        }
        None => ProxyFailure::Denied,
    }
}

/// What a SOCKS proxy answered, where this is the error that says it.
fn socks(link: &(dyn Error + 'static), setting: Setting) -> Option<ProxyFailure> {
    let said = link.to_string();
    Some(ProxyFailure::Socks(
        match said.strip_prefix("SOCKS error: ")? {
            // Whoever has no password to offer is told by the choice of another way, too.
            "server does not support user/pass authentication"
            | "server implements authentication incorrectly"
            | "credentials not accepted"
                if setting.proxy_login =>
            {
                SocksRefusal::LoginRefused
            }
            "server does not support user/pass authentication"
            | "server implements authentication incorrectly" => SocksRefusal::Login,
            "connection not allowed" => SocksRefusal::Rule,
            "general server failure" => SocksRefusal::Behind("it does not say why (reply 1)"),
            "network unreachable" => SocksRefusal::Behind("it has no route there (reply 3)"),
            "host unreachable" => {
                SocksRefusal::Behind("no such name for it, or no such host in reach (reply 4)")
            }
            "connection refused" => SocksRefusal::Behind("nothing listens there (reply 5)"),
            "ttl expired" => SocksRefusal::Behind("the way there does not end (reply 6)"),
            "command not supported" => {
                SocksRefusal::Unsupported("it opens no connections (reply 7)")
            }
            "address type not supported" => {
                SocksRefusal::Unsupported("it takes no such address (reply 8)")
            }
            "failed to create underlying connection" => {
                return Some(ProxyFailure::Unheard("no connection to it could be made"));
            }
            "io error during SOCKS handshake" => {
                return Some(ProxyFailure::Unheard("it closed the connection"));
            }
            "failed parsing server response" => {
                return Some(ProxyFailure::Unheard(
                    "it answers what SOCKS5 does not know, as one whose URL says http",
                ));
            }
            _ => return None,
        },
    ))
}
