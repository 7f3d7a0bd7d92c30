//! URL rules: what was typed, made into something that can be asked, or told what is wrong with it.

use std::fmt;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::secret::Secret;
use super::shape;
use super::text::{inert, is_active};

/// No URL that is kept is longer, characters.
pub const URL_LIMIT: usize = 2_048;

/// A URL that can be asked: http or https, with a host, without user info.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Url);

/// Why what was typed is not a URL that can be asked. The words are shown as they stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// Nothing was typed.
    #[error("enter a URL, such as https://billing.example.com")]
    Missing,
    /// Blanks, tabs or line ends inside.
    #[error("a URL has no blanks in it")]
    Blanks,
    /// Something else than http or https.
    #[error("{0}:// can't be probed: use https:// or http://")]
    Scheme(String),
    /// No host.
    #[error("there is no host name in it")]
    NoHost,
    /// A port over 65535, or not a number.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// A username or password stands in the URL; both belong into their fields.
    #[error("user name and password don't belong in the URL: they have fields of their own")]
    UserInfo {
        /// The name found, percent-decoded.
        username: String,
        /// The password found, if any, percent-decoded.
        password: Option<Secret>,
        /// The URL without them.
        rest: String,
    },
    /// A character that no name of a host has.
    #[error("a host name has no {0} in it")]
    OfHost(char),
    /// What stands in the place of the host looks like a key. Looked up, it would be read by every name server on the way.
    #[error("that looks like a key and not like a URL: the key has a field of its own")]
    Key,
    /// Backslashes behind the scheme, as in the names of files. Holds the scheme, inert.
    #[error("not a URL: write {0}:// with slashes")]
    Backslashes(String),
    /// A scheme that stands there twice, or lacks a character. Holds the scheme.
    #[error("not a URL: write {0}:// once, with a colon and two slashes")]
    Misspelt(&'static str),
    /// An address of IPv6 without its brackets.
    #[error("not a URL: an IPv6 address stands in brackets: [{0}]")]
    Unbracketed(Ipv6Addr),
    /// Anything else that the URL standard refuses.
    #[error("not a URL: {0}")]
    Other(#[source] url::ParseError),
}

impl Endpoint {
    /// Reads what was typed. Outer blanks are dropped and a missing scheme becomes https
    /// ([`Endpoint::scheme_was_added`] tells); everything else is taken as it is or refused.
    pub fn parse(typed: &str) -> Result<Self, UrlProblem> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(UrlProblem::Missing);
        }
        if typed.chars().any(|c| c.is_whitespace() || is_active(c)) {
            return Err(UrlProblem::Blanks);
        }
        if let Some((scheme, _)) = typed.split_once(":\\")
            && scheme.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(UrlProblem::Backslashes(inert(scheme, 20)));
        }
        let whole = if Self::scheme_was_added(typed) {
            format!("https://{typed}")
        } else {
            typed.to_owned()
        };
        let (scheme, rest) = whole.split_once("://").unwrap_or((&whole, ""));
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(UrlProblem::Scheme(inert(scheme, 20)));
        }
        // Before it a password may stand without a name.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') {
            return Err(UrlProblem::NoHost);
        }
        refuse_misspelt(rest)?;
        let url = Url::parse(&whole).map_err(|error| match error {
            url::ParseError::InvalidPort => UrlProblem::Port,
            url::ParseError::EmptyHost => UrlProblem::NoHost,
            other => UrlProblem::Other(other),
        })?;
        if url.port() == Some(0) {
            return Err(UrlProblem::Port);
        }
        if let Some(Host::Domain(name)) = url.host()
            && let Some(odd) = name.chars().find(|c| !is_of_name(*c))
        {
            return Err(UrlProblem::OfHost(odd));
        }
        if let Some(Host::Domain(name)) = url.host()
            && (shape::host_holds_key(name) || shape::is_generated_word(rest))
        {
            return Err(UrlProblem::Key);
        }
        Self::without_user_info(url)
    }

    /// Whether `typed` names no scheme, so that https is meant.
    pub fn scheme_was_added(typed: &str) -> bool {
        // What stands before may be a host and a query with another URL in it.
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        !typed
            .split_once("://")
            .is_some_and(|(scheme, _)| scheme.chars().all(in_scheme))
    }

    fn without_user_info(mut url: Url) -> Result<Self, UrlProblem> {
        if url.username().is_empty() && url.password().is_none() {
            return Ok(Self(url));
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let username = inert(&decode(url.username()), 128);
        let password = url.password().map(|password| Secret::new(decode(password)));
        // Both calls fail only for URLs without a host, which were refused above.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Err(UrlProblem::UserInfo {
            username,
            password,
            rest: url.to_string(),
        })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> Origin {
        Origin {
            scheme: self.0.scheme().to_owned(),
            host: self.host(),
            port: self.port(),
        }
    }

    /// The host as it is asked: lower case, punycode for international names, brackets around IPv6.
    pub fn host(&self) -> String {
        self.0.host_str().unwrap_or_default().to_owned()
    }

    /// The port, the scheme's own where none is given.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// Whether the scheme is plain http.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether the host is this machine: `localhost`, a name below it, 127.0.0.0/8 or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => is_localhost(name),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The URL itself, with query and fragment as typed.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Path segments without empty ones: `/blesta/api/` gives `["blesta", "api"]`.
    pub fn segments(&self) -> Vec<&str> {
        self.0
            .path_segments()
            .map(|segments| segments.filter(|s| !s.is_empty()).collect())
            .unwrap_or_default()
    }

    /// This base with `suffix` (which starts with `/` and may carry a query) behind its path. Query and
    /// fragment of the base are left out; a slash at its end is not doubled.
    #[must_use]
    pub fn join(&self, suffix: &str) -> Self {
        let (path, query) = suffix
            .split_once('?')
            .map_or((suffix, None), |(path, query)| (path, Some(query)));
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url.set_query(query);
        url.set_fragment(None);
        Self(url)
    }

    /// This URL with its path cut to the first `segments` non-empty segments, without query and fragment.
    #[must_use]
    pub fn truncated(&self, segments: usize) -> Self {
        let kept = self
            .segments()
            .into_iter()
            .take(segments)
            .collect::<Vec<_>>()
            .join("/");
        let mut url = self.0.clone();
        url.set_path(&kept);
        url.set_query(None);
        url.set_fragment(None);
        Self(url)
    }

    /// [`Endpoint::shown`] for eyes: with a mask for the values of query parameters that are secret by their names.
    pub fn redacted(&self) -> String {
        without_secret_values(&self.shown())
    }

    /// The URL as it is shown and saved: without a lone slash at its end.
    pub fn shown(&self) -> String {
        let text = self.0.as_str();
        if self.0.path() == "/" && self.0.query().is_none() && self.0.fragment().is_none() {
            text.trim_end_matches('/').to_owned()
        } else {
            text.to_owned()
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.shown())
    }
}

/// Scheme, host and port: what a secret belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// As [`Endpoint::host`] gives it.
    pub host: String,
    /// Always explicit.
    pub port: u16,
}

/// What stands around a URL where it was copied from a text.
const QUOTES: [char; 12] = [
    '"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201c}', '\u{201d}', '\u{201e}',
    '\u{ab}', '\u{bb}', '<',
];

/// Refuses what would be taken for a host that nobody meant: a scheme that stands there twice or lacks a character,
/// quotes, an address of IPv6 without its brackets.
fn refuse_misspelt(rest: &str) -> Result<(), UrlProblem> {
    let lower = rest.to_ascii_lowercase();
    for scheme in ["https", "http"] {
        // A host may well be called so, and have a port.
        let is_port = |behind: &str| behind.starts_with(|c: char| c.is_ascii_digit());
        let is_scheme = |behind: &str| match behind.strip_prefix(':') {
            Some(behind) => !is_port(behind),
            None => behind.starts_with("//"),
        };
        if lower.strip_prefix(scheme).is_some_and(is_scheme) {
            return Err(UrlProblem::Misspelt(scheme));
        }
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may have any of them: it is moved to its field.
    let host = authority.rsplit('@').next().unwrap_or_default();
    if let Some(quote) = host.chars().find(|c| QUOTES.contains(c)) {
        return Err(UrlProblem::OfHost(quote));
    }
    if let Ok(address) = host.parse() {
        return Err(UrlProblem::Unbracketed(address));
    }
    Ok(())
}

/// Whether a host's name may have `c`: letters, digits, `-` and `.` (RFC 1123), and `_`, which many use.
const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

impl Origin {
    /// The origin of a URL as it was typed, or of what [`Origin`]'s `Display` wrote; nothing where it is no URL that
    /// can be asked.
    pub fn parse(text: &str) -> Option<Self> {
        Endpoint::parse(text).ok().map(|endpoint| endpoint.origin())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = matches!(
            (self.scheme.as_str(), self.port),
            ("http", 80) | ("https", 443)
        );
        if known {
            write!(f, "{}://{}", self.scheme, self.host)
        } else {
            write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
        }
    }
}

/// Names of query parameters that carry secrets.
const SECRET_PARAMETERS: [&str; 16] = [
    // Of a shared token's signed call.
    "apisignature",
    "jwt",
    "api_key",
    "apikey",
    "api-key",
    "x-api-key",
    "subscription-key",
    "access_token",
    "private_token",
    "auth_token",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "signature",
];

/// Names of query parameters that carry secrets where the value is as long as those are: `key=de` is none.
const PERHAPS_SECRET: [&str; 6] = ["key", "token", "auth", "sig", "session", "sessionid"];
const LENGTH_OF_SECRET: usize = 12;

/// Whether a query parameter, decoded, carries a secret.
pub fn is_secret_parameter(name: &str, value: &str) -> bool {
    let is_among = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
    (is_among(&SECRET_PARAMETERS) && !value.is_empty())
        || (is_among(&PERHAPS_SECRET) && value.len() >= LENGTH_OF_SECRET)
}

/// Whether a part of a query, as it is written, carries a secret; its name then, inert.
fn secret_name(part: &str) -> Option<String> {
    let (name, value) = part.split_once('=')?;
    let name = percent_decode_str(name).decode_utf8_lossy();
    is_secret_parameter(&name, value).then(|| inert(&name, 40))
}

/// The first query parameter of what was typed as a URL that carries a secret, inert.
pub fn secret_parameter(typed: &str) -> Option<String> {
    let (_, query) = typed.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').find_map(secret_name)
}

/// A URL with a mask in the place of every value that is secret by its parameter's name.
fn without_secret_values(url: &str) -> String {
    let Some((before, behind)) = url.split_once('?') else {
        return url.to_owned();
    };
    let (query, fragment) = match behind.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (behind, None),
    };
    let pairs: Vec<String> = query
        .split('&')
        .map(|part| match (secret_name(part), part.split_once('=')) {
            (Some(_), Some((name, _))) => format!("{name}=••••"),
            _ => part.to_owned(),
        })
        .collect();
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    format!("{before}?{}{fragment}", pairs.join("&"))
}

/// What was typed as a URL, for eyes: as it is where it can be asked, but for the values of query parameters that carry
/// secrets by their names. Otherwise everything before the last `@` may be a user name and a password, and is masked;
/// and what looks like a key is none of it shown.
pub fn redacted(typed: &str) -> String {
    match Endpoint::parse(typed) {
        Err(UrlProblem::Key) => return super::secret::MASK.to_owned(),
        Ok(_) => return without_secret_values(typed),
        Err(_) => {}
    }
    let typed = &without_secret_values(typed);
    let Some((before, rest)) = typed.rsplit_once('@') else {
        return typed.to_owned();
    };
    let scheme = before
        .split_once("//")
        .map_or("", |(scheme, _)| scheme)
        .trim();
    // What stands before the slashes is no scheme where it holds more than one name.
    let is_scheme = scheme
        .strip_suffix(':')
        .is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric()));
    match (is_scheme, scheme) {
        (true, scheme) => format!("{scheme}//••••@{rest}"),
        (false, _) => format!("••••@{rest}"),
    }
}

/// Whether `name` is reserved for this machine (RFC 6761, section 6.3): `localhost`, and every name below it.
pub fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::whole_chain;

    fn shown(typed: &str) -> String {
        Endpoint::parse(typed).map_or_else(
            |problem| format!("{problem:?}"),
            |endpoint| endpoint.shown(),
        )
    }

    #[test]
    fn a_password_in_a_url_is_not_for_eyes() {
        for (typed, expected) in [
            ("https://e.com/a@b", "https://e.com/a@b"),
            (
                "https://e.com/x?a=1&API_KEY=hunter2&b#c",
                "https://e.com/x?a=1&API_KEY=••••&b#c",
            ),
            ("https://e.com/x?token=", "https://e.com/x?token="),
            ("https://e.com/x?key=de", "https://e.com/x?key=de"),
            (
                "https://e.com/x?api%5Fkey=hunter2",
                "https://e.com/x?api%5Fkey=••••",
            ),
            (
                "https://e .com/x?secret=hunter2",
                "https://e .com/x?secret=••••",
            ),
            ("0123456789abcdef0123456789abcdef", "••••••••••••"),
            ("ftp://u:hunter2@h/", "ftp://••••@h/"),
            (
                "https://user:hunter2@host:99999/",
                "https://••••@host:99999/",
            ),
            ("//user:hunter2@h", "••••@h"),
            ("u:hunter2@h/x", "••••@h/x"),
            ("https://u:hun/ter2@h", "https://••••@h"),
            ("https://u:hun ter2@h", "https://••••@h"),
            ("u:hunter2//@h", "••••@h"),
            ("no url", "no url"),
        ] {
            assert_eq!(redacted(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn what_is_misspelt_or_a_key_is_no_host() {
        for (typed, expected) in [
            ("https//e.com", r#"Misspelt("https")"#),
            ("https:/e.com", r#"Misspelt("https")"#),
            ("https:e.com", r#"Misspelt("https")"#),
            ("https://http://e.com", r#"Misspelt("http")"#),
            ("httpbin.example", "https://httpbin.example"),
            ("http://http:8080/x", "http://http:8080/x"),
            ("\u{201c}https://e.com\u{201d}", "OfHost('\u{201c}')"),
            ("'e.com'", "OfHost('\\'')"),
            ("https://$(id).e.com", "OfHost('$')"),
            ("https://e.com,", "OfHost(',')"),
            ("{{url}}", "OfHost('{')"),
            ("a_b.e.com", "https://a_b.e.com"),
            ("\u{feff}e.com", "Blanks"),
            ("fd00:9::1", "Unbracketed(fd00:9::1)"),
            ("0123456789abcdef0123456789abcdef", "Key"),
            ("pay.testshop-api0123456789abcdef0123456789abcdef", "Key"),
            (
                "0123456789abcdef0123456789abcdef.e.com",
                "https://0123456789abcdef0123456789abcdef.e.com",
            ),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "Key"),
            (
                "billing-api-v2-internal-service",
                "https://billing-api-v2-internal-service",
            ),
        ] {
            assert_eq!(shown(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn what_is_misspelt_is_told_with_what_to_write() {
        for (typed, words) in [
            (
                "https//e.com",
                "not a URL: write https:// once, with a colon and two slashes",
            ),
            (r"https:\\e.com", "not a URL: write https:// with slashes"),
            (
                "fd00:9::1",
                "not a URL: an IPv6 address stands in brackets: [fd00:9::1]",
            ),
            ("https://[::zz]", "not a URL: invalid IPv6 address"),
        ] {
            let problem = Endpoint::parse(typed).unwrap_err();
            assert_eq!(whole_chain(&problem), words, "{typed}");
        }
    }

    #[test]
    fn what_is_typed_is_read() {
        for (typed, expected) in [
            ("https://billing.example.com", "https://billing.example.com"),
            (
                " billing.example.com/blesta ",
                "https://billing.example.com/blesta",
            ),
            (
                "billing.example.com:8443",
                "https://billing.example.com:8443",
            ),
            ("HTTP://Example.COM/", "http://example.com"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x"),
            ("https://münchen.example", "https://xn--mnchen-3ya.example"),
            ("https://example.com:443", "https://example.com"),
            ("https://example.com/a?b#c", "https://example.com/a?b#c"),
            ("", "Missing"),
            ("https://a b", "Blanks"),
            ("https://a\u{7}b", "Blanks"),
            ("ftp://example.com", "Scheme(\"ftp\")"),
            ("https://", "NoHost"),
            (r"https:\\e.com", r#"Backslashes("https")"#),
            ("https:///path", "NoHost"),
            ("https://:443", "NoHost"),
            ("https://u:p@:443/x", "NoHost"),
            ("https://example.com:99999", "Port"),
            ("https://example.com:0", "Port"),
            ("https://example.com:http", "Port"),
        ] {
            assert_eq!(shown(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn user_info_is_refused_and_handed_over() {
        let problem = Endpoint::parse("https://shop%40x:p%3Aw@example.com/b").unwrap_err();
        assert!(!format!("{problem} {problem:?}").contains("p:w"));
        let UrlProblem::UserInfo {
            username,
            password,
            rest,
        } = problem
        else {
            panic!("{problem:?}")
        };
        assert_eq!(
            (username.as_str(), password.unwrap().expose()),
            ("shop@x", "p:w")
        );
        assert_eq!(rest, "https://example.com/b");
        let alone = Endpoint::parse("https://:p%3Aw@example.com");
        let Err(UrlProblem::UserInfo {
            username, password, ..
        }) = alone
        else {
            panic!("{alone:?}")
        };
        assert_eq!((username.as_str(), password.unwrap().expose()), ("", "p:w"));
    }

    #[test]
    fn a_path_is_put_behind_the_base() {
        for (base, suffix, expected) in [
            ("https://e.com", "/api/x.json", "https://e.com/api/x.json"),
            ("https://e.com/", "/api/x.json", "https://e.com/api/x.json"),
            (
                "https://e.com/blesta/?q=1#f",
                "/api/x.json?l=1",
                "https://e.com/blesta/api/x.json?l=1",
            ),
        ] {
            assert_eq!(
                Endpoint::parse(base).unwrap().join(suffix).shown(),
                expected
            );
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = |typed: &str| Endpoint::parse(typed).unwrap().origin();
        assert_eq!(origin("https://e.com/a"), origin("https://E.com:443/b"));
        assert_ne!(origin("https://e.com"), origin("http://e.com"));
        assert_ne!(origin("https://e.com"), origin("https://e.com:8443"));
        assert_eq!(origin("http://e.com:81").to_string(), "http://e.com:81");
        assert_eq!(
            Origin::parse("https://[::1]:8"),
            Some(origin("https://[::1]:8/x"))
        );
    }

    #[test]
    fn this_machine_is_known() {
        for (typed, loopback) in [
            ("http://localhost:1", true),
            ("http://a.localhost", true),
            ("http://127.1.2.3", true),
            ("http://[::1]", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                Endpoint::parse(typed).unwrap().is_loopback(),
                loopback,
                "{typed}"
            );
        }
    }

    #[test]
    fn a_path_is_cut_to_its_first_segments() {
        let endpoint = Endpoint::parse("https://e.com/blesta/admin/login?x#y").unwrap();
        assert_eq!(endpoint.truncated(1).shown(), "https://e.com/blesta");
        assert_eq!(endpoint.truncated(0).shown(), "https://e.com");
    }
}
