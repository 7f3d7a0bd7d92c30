//! Answers that point elsewhere. They are classified, never followed with credentials.

use url::Url;

use crate::domain::endpoint::redacted;
use crate::domain::text::inert;
use crate::domain::{Endpoint, Reason, Response};

use super::Finding;

/// Where an answer points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service) struct Redirect {
    /// The URL, made whole.
    pub(in crate::service) target: Url,
    /// What kind it is.
    pub(in crate::service) reason: Reason,
    variant: Option<&'static str>,
}

impl Redirect {
    pub(super) fn finding(&self) -> Finding {
        Finding {
            reason: self.reason,
            variant: self.variant.map(str::to_owned),
        }
    }

    /// The target as it is shown: without user info, query cut to what fits a line.
    pub(in crate::service) fn shown(&self) -> String {
        shown(&self.target)
    }
}

/// `url` for people, without what may be a secret: user info, and values of its query.
pub(in crate::service) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    inert(&redacted(url.as_str()), 200)
}

/// The target of a 301, 302, 303, 307 or 308 with a `Location` that can be read.
pub(in crate::service) fn target(asked: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.header("location")?.trim();
    if location.is_empty() {
        return None;
    }
    let mut target = asked.join(location).ok()?;
    target.set_fragment(None);
    (matches!(target.scheme(), "http" | "https") && target.host_str().is_some()).then_some(target)
}

/// Reads and classifies the redirect of `response`.
pub(super) fn read(asked: &Url, response: &Response) -> Option<Redirect> {
    let target = target(asked, response)?;
    let same_host = target.host_str() == asked.host_str();
    let (reason, variant) = if target == *asked {
        let wants_cookie = response.header("set-cookie").is_some();
        (Reason::RedirectLoop, wants_cookie.then_some("cookie"))
    } else if !same_host {
        (Reason::RedirectHost, None)
    } else if asked.scheme() == "http" && target.scheme() == "https" {
        (Reason::RedirectHttps, None)
    } else if target.scheme() != asked.scheme() {
        (Reason::RedirectHost, Some("to-http"))
    } else if target.port_or_known_default() != asked.port_or_known_default() {
        (Reason::RedirectHost, Some("port"))
    } else {
        (Reason::RedirectPath, None)
    };
    Some(Redirect {
        target,
        reason,
        variant,
    })
}

/// The URL as typed under the name that `target` leads to, where only its path was lost on the way: from a name to the
/// same with `www.` before it, or back.
pub(in crate::service) fn renamed(target: &Url, typed: &Endpoint) -> Option<String> {
    let (host, there) = (typed.host(), target.host_str()?);
    let is_twin = there.strip_prefix("www.") == Some(host.as_str())
        || host.strip_prefix("www.") == Some(there);
    if !is_twin || target.path() != "/" || target.query().is_some() {
        return None;
    }
    let mut url = target.clone();
    url.set_path(typed.url().path());
    Endpoint::parse(url.as_str())
        .ok()
        .map(|endpoint| endpoint.shown())
}

/// The base URL behind `target`: without the path that was asked. Nothing where the target is another page.
pub(in crate::service) fn base(target: &Url, suffix: &str) -> Option<String> {
    let path = suffix.split('?').next().unwrap_or(suffix);
    let base = target.path().strip_suffix(path)?;
    let mut url = target.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_path(base);
    if !path.is_empty() {
        url.set_query(None);
    }
    url.set_fragment(None);
    crate::domain::Endpoint::parse(url.as_str())
        .ok()
        .map(|endpoint| endpoint.shown())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(asked: &str, location: &str) -> Option<(Reason, Option<&'static str>)> {
        let response = Response {
            status: 302,
            headers: vec![("location".to_owned(), location.to_owned())],
            body: Vec::new(),
        };
        read(&Url::parse(asked).unwrap(), &response).map(|r| (r.reason, r.variant))
    }

    #[test]
    fn redirects_are_classified() {
        use Reason::{RedirectHost, RedirectHttps, RedirectLoop, RedirectPath};
        for (asked, location, expected) in [
            (
                "http://e.com/a",
                "https://e.com/a",
                Some((RedirectHttps, None)),
            ),
            (
                "http://e.com:8080/a",
                "https://e.com:8443/b",
                Some((RedirectHttps, None)),
            ),
            (
                "https://e.com/a",
                "https://www.e.com/a",
                Some((RedirectHost, None)),
            ),
            (
                "https://e.com/a",
                "//other.com/a",
                Some((RedirectHost, None)),
            ),
            (
                "https://e.com/a",
                "http://e.com/a",
                Some((RedirectHost, Some("to-http"))),
            ),
            (
                "https://e.com/a",
                "https://e.com:8443/a",
                Some((RedirectHost, Some("port"))),
            ),
            ("https://e.com/a", "/b", Some((RedirectPath, None))),
            (
                "https://e.com/a",
                "https://e.com/a",
                Some((RedirectLoop, None)),
            ),
            ("https://e.com/a", "", None),
            ("https://e.com/a", "javascript:alert(1)", None),
            ("https://e.com/a", "http://[", None),
        ] {
            assert_eq!(kind(asked, location), expected, "{asked} → {location}");
        }
    }

    #[test]
    fn a_base_is_the_target_without_the_path_asked() {
        let base = |target: &str| base(&Url::parse(target).unwrap(), "/api/x.json");
        assert_eq!(
            base("https://e.com/b/api/x.json").as_deref(),
            Some("https://e.com/b")
        );
        assert_eq!(
            base("https://e.com/api/x.json?q").as_deref(),
            Some("https://e.com")
        );
        assert_eq!(base("https://e.com/login"), None);
        assert_eq!(
            base("https://u:p@e.com/api/x.json").as_deref(),
            Some("https://e.com")
        );
    }
}
