//! What stands behind a port: a service, a page in the way, a redirect, or a fault of the wire.

use super::blesta::Blesta;
use super::bridge::Bridge;
use super::connect::Connect;
use super::http::{Answer, Request};
use super::log::Presented;
use super::pages::StockPage;
use super::plain::Plain;

/// What stands behind a port. May be changed while it runs.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Blesta's API.
    Blesta(Blesta),
    /// `CloudBlue` Connect's API.
    Connect(Connect),
    /// Any HTTP API.
    Plain(Plain),
    /// A CMS with the bridge of a shared token.
    Bridge(Bridge),
    /// Somebody in the way, who says the same to everything.
    Page(StockPage),
    /// Blesta's API behind a redirect.
    Redirect(Redirect, Blesta),
    /// Reads the request, and then something goes wrong.
    Fault(Fault),
}

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// From http to https, same host and port.
    Https,
    /// To this host name, same port.
    Host(String),
    /// Into this folder of the same host.
    Path(String),
    /// To a page that leads back.
    Loop,
}

/// What goes wrong on the wire once the request has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer, until the client hangs up.
    Silence,
    /// Head and half a body, then nothing more.
    SilentBody,
    /// The body at one byte a second.
    Trickle,
    /// The connection is reset.
    Reset,
    /// Head and half a body, then a reset.
    ResetBody,
    /// The connection is closed.
    Close,
    /// The body ends before the announced length.
    ShortBody,
    /// A chunk whose size is no number.
    BadChunk,
    /// A body announced as gzip that is none.
    BadGzip,
    /// Not HTTP: the banner of an SSH server.
    Banner,
    /// A body of this many bytes.
    Flood(u64),
    /// A gzip body that grows to at least this many bytes, and is a hundredth of that on the wire.
    Bomb(u32),
}

/// What is done about one request.
#[derive(Clone, Debug)]
pub(super) enum Handling {
    /// Answered.
    Answer(Answer),
    /// Spoilt.
    Fault(Fault),
}

impl Behaviour {
    /// What is done about `request`, and how it presented credentials.
    pub(super) fn conduct(&self, request: &Request) -> (Handling, Presented) {
        let (answer, presented) = match self {
            Self::Blesta(blesta) => blesta.answer(request),
            Self::Connect(connect) => return connect.conduct(request),
            Self::Plain(plain) => plain.answer(request),
            Self::Bridge(bridge) => bridge.answer(request),
            Self::Page(page) => (page.answer(), by_scheme(request)),
            Self::Redirect(redirect, behind) => redirect.answer(request, behind),
            Self::Fault(fault) => return (Handling::Fault(*fault), by_scheme(request)),
        };
        (Handling::Answer(answer), presented)
    }
}

impl Redirect {
    fn answer(&self, request: &Request, behind: &Blesta) -> (Answer, Presented) {
        let (answer, presented) = behind.answer(request);
        let redirect = self
            .target(request)
            .map(|target| Answer::redirect(301, &target).with("Server", "nginx/1.26.2"));
        (redirect.unwrap_or(answer), presented)
    }

    /// Where `request` is sent; absent where it has arrived.
    fn target(&self, request: &Request) -> Option<String> {
        let asked = match &request.query {
            Some(query) => format!("{}?{query}", request.path),
            None => request.path.clone(),
        };
        let host = request.header("host").unwrap_or_default();
        match self {
            Self::Https => (!request.secure).then(|| format!("https://{host}{asked}")),
            Self::Host(name) => (request.host() != name).then(|| {
                let port = host.get(request.host().len()..).unwrap_or_default();
                let scheme = if request.secure { "https" } else { "http" };
                format!("{scheme}://{name}{port}{asked}")
            }),
            Self::Path(folder) => {
                (!asked.starts_with(folder.as_str())).then(|| format!("{folder}{asked}"))
            }
            Self::Loop => Some(match asked.strip_prefix("/session") {
                Some(back) => back.to_owned(),
                None => format!("/session{asked}"),
            }),
        }
    }
}

/// How credentials were presented to somebody who can't tell whether they are right.
fn by_scheme(request: &Request) -> Presented {
    let matched = false;
    if request.header("blesta-api-key").is_some() {
        return Presented::Headers { matched };
    }
    match request
        .header("authorization")
        .map(|value| value.split(' ').next().unwrap_or_default())
    {
        None => Presented::Nothing,
        Some("Basic") => Presented::Basic { matched },
        Some("ApiKey") => Presented::ApiKey { matched },
        Some("Bearer") => Presented::Bearer { matched },
        Some(_) => Presented::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, host: &str, secure: bool) -> Request {
        Request {
            path: path.into(),
            headers: vec![("Host".into(), host.into())],
            secure,
            ..Request::default()
        }
    }

    #[test]
    fn redirects_lead_where_they_say() {
        let host = "127.0.0.1:8080";
        for (redirect, path, secure, target) in [
            (
                Redirect::Https,
                "/a",
                false,
                Some("https://127.0.0.1:8080/a"),
            ),
            (Redirect::Https, "/a", true, None),
            (
                Redirect::Host("localhost".into()),
                "/a",
                false,
                Some("http://localhost:8080/a"),
            ),
            (Redirect::Host("127.0.0.1".into()), "/a", false, None),
            (
                Redirect::Path("/billing".into()),
                "/a",
                false,
                Some("/billing/a"),
            ),
            (Redirect::Path("/billing".into()), "/billing/a", false, None),
            (Redirect::Loop, "/a", false, Some("/session/a")),
            (Redirect::Loop, "/session/a", false, Some("/a")),
        ] {
            let found = redirect.target(&asked(path, host, secure));
            assert_eq!(found.as_deref(), target, "{redirect:?} {path}");
        }
    }
}
