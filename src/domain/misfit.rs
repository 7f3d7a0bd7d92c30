//! What keeps a connection from being asked, or saved, as it stands beside its URL: one rule for the form, the command
//! line and files.

use super::proxy::{ProxyProblem, ProxyUrl};
use super::text::inert;
use super::{Connection, Endpoint, UrlProblem};
use crate::domain::endpoint::secret_parameter;

/// Longest tag, characters.
pub const TAG_LIMIT: usize = 64;

/// A field that can't be what is meant. No value of a field is in its sentence, but for a proxy's host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// No URL that can be asked.
    #[error("reading the URL of the CMS: {0}")]
    CmsUrl(UrlProblem),
    /// The configuration would show it. Holds the parameter's name.
    #[error(
        "{0} in it holds a secret, which the configuration would show: leave it out, and enter it as the key"
    )]
    SecretInCmsUrl(String),
    /// No tag that a configuration may hold.
    #[error("a tag is 1 to {TAG_LIMIT} visible characters")]
    Tag,
    /// It would be left out without a word.
    #[error("a certificate's key is nothing without the certificate: enter its file too")]
    KeyWithoutCertificate,
    /// No proxy that can be asked.
    #[error(transparent)]
    Proxy(#[from] ProxyProblem),
    /// The configuration would show them.
    #[error(
        "a proxy's user name and password don't belong in the configuration: put it into the variable https_proxy or \
         http_proxy"
    )]
    ProxyUserInfo,
}

impl Misfit {
    /// The key of the field in the configuration.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::CmsUrl(_) | Self::SecretInCmsUrl(_) => "cms_url",
            Self::Tag => "tags",
            Self::KeyWithoutCertificate => "client_key",
            Self::Proxy(_) | Self::ProxyUserInfo => "proxy",
        }
    }
}

impl Connection {
    /// The first of its fields that can't be what is meant. What stands so in `before` is no news: another edit must be
    /// possible.
    pub fn misfit(&self, before: Option<&Self>) -> Option<Misfit> {
        self.cms_misfit(before)
            .or_else(|| {
                let is_odd = |tag: &String| tag.is_empty() || inert(tag, TAG_LIMIT) != *tag;
                let stands = |tag: &String| before.is_some_and(|one| one.tags.contains(tag));
                let mut new = self.tags.iter().filter(|tag| !stands(tag));
                new.any(is_odd).then_some(Misfit::Tag)
            })
            .or_else(|| {
                // The other way round, one file may hold both.
                let lacks = |one: &Self| one.client_key.is_some() && one.client_cert.is_none();
                let is_new = lacks(self) && !before.is_some_and(lacks);
                is_new.then_some(Misfit::KeyWithoutCertificate)
            })
            .or_else(|| self.proxy_misfit(before))
    }

    fn cms_misfit(&self, before: Option<&Self>) -> Option<Misfit> {
        let before = before.and_then(|one| one.cms_url.as_deref());
        let url = changed(self.cms_url.as_deref(), before)?;
        match Endpoint::parse(url) {
            Err(problem) => Some(Misfit::CmsUrl(problem)),
            Ok(_) => secret_parameter(url).map(Misfit::SecretInCmsUrl),
        }
    }

    fn proxy_misfit(&self, before: Option<&Self>) -> Option<Misfit> {
        let before = before.and_then(|one| one.proxy.as_deref());
        match ProxyUrl::new(changed(self.proxy.as_deref(), before)?).parse() {
            Ok(url) if url.username().is_empty() && url.password().is_none() => None,
            Ok(_) => Some(Misfit::ProxyUserInfo),
            Err(problem) => Some(problem.into()),
        }
    }
}

/// What is there now, where it is another one than before.
fn changed<'a>(now: Option<&'a str>, before: Option<&str>) -> Option<&'a str> {
    now.filter(|now| before != Some(now))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::{Name, ServiceId};

    fn shop() -> Connection {
        let name = Name::parse("shop").unwrap();
        Connection::new(name, ServiceId::http(), "https://a.example")
    }

    #[test]
    fn each_field_is_told_by_its_key_and_what_stood_so_is_no_news() {
        let of = |change: fn(&mut Connection)| {
            let mut one = shop();
            change(&mut one);
            one
        };
        for (one, field) in [
            (of(|one| one.cms_url = Some("::".into())), "cms_url"),
            (
                of(|one| one.cms_url = Some("https://b.example/?api_key=SEKRETAPIKEY1234".into())),
                "cms_url",
            ),
            (of(|one| one.tags = vec!["x".repeat(65)]), "tags"),
            (
                of(|one| one.client_key = Some(Path::new("/k.pem").into())),
                "client_key",
            ),
            (of(|one| one.proxy = Some("ftp://p:1".into())), "proxy"),
            (of(|one| one.proxy = Some("http://".into())), "proxy"),
            (
                of(|one| one.proxy = Some("http://u:pw@p:1".into())),
                "proxy",
            ),
        ] {
            let misfit = one.misfit(None).unwrap();
            assert_eq!(misfit.field(), field, "{one:?}");
            assert_eq!(one.misfit(Some(&shop())).as_ref(), Some(&misfit));
            assert_eq!(one.misfit(Some(&one)), None, "{one:?}");
            assert!(!misfit.to_string().contains("SEKRET"), "{misfit}");
        }
        for one in [
            of(|one| one.proxy = Some("p:3128".into())),
            of(|one| one.client_cert = Some(Path::new("/both.pem").into())),
            of(|one| one.tags = vec!["x".repeat(64)]),
        ] {
            assert_eq!(one.misfit(None), None, "{one:?}");
        }
    }
}
