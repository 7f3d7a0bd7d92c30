//! The rung of the shared token: a signed `Verify`, asked of the CMS. The token itself is never sent.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::domain::text::inert;
use crate::domain::{CheckId, Connection, Endpoint, Reason, Reply, Secret, State, UrlProblem};

use super::super::catalog::Service;
use super::super::catalog::condition::Rung;
use super::super::catalog::format::{Need, VerifyText};
use super::super::judge::conclude::Correction;
use super::super::judge::{AskedRung, Finding, clock, token};
use super::super::sign;
use super::super::step::{Ask, Authorization, Request, Step, StopAfter};
use super::super::subject::{Hindrance, SecretState};
use super::super::verify::{CmsQuestion, OF_CMS};
use super::plan::{KeyHold, KeyPlan};
use super::rungs::said;
use super::{Ladder, Main, Stage, way};

/// The CMS that is meant where only its URL is given: the one with a published check.
const DEFAULT_CMS: &str = "joomla";
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Why a shared token can't be checked from here.
enum Unverifiable {
    NoUrl,
    BadUrl(UrlProblem),
    NoCheck(String, Endpoint),
}

impl Ladder {
    /// `token verify`: the token rung alone.
    pub(super) fn first_token(&mut self) -> Step {
        let (endpoint, _) = match self.cms() {
            Ok(cms) => cms,
            Err(Unverifiable::NoUrl) => {
                return self.finish(Finding::variant(Reason::TokenUnverifiable, "no-url"));
            }
            Err(Unverifiable::NoCheck(cms, endpoint)) => {
                let detail = endpoint.origin().to_string();
                self.checks.set(CheckId::Url, State::Ok, detail, None);
                self.facts.set("who", cms);
                self.endpoint = Some(endpoint);
                return self.finish(Reason::TokenUnverifiable);
            }
            Err(Unverifiable::BadUrl(problem)) => {
                self.facts.set("why", problem.to_string());
                self.subject.url = self.subject.cms_url.clone().unwrap_or_default();
                if let UrlProblem::UserInfo { rest, .. } = problem {
                    self.correction = Correction::Found(rest.clone());
                    self.subject.url = rest;
                }
                return self.finish(Reason::UrlInvalid);
            }
        };
        let detail = endpoint.origin().to_string();
        self.checks.set(CheckId::Url, State::Ok, detail, None);
        self.endpoint = Some(endpoint.clone());
        match self.subject.token.clone() {
            SecretState::Present(secret) if !secret.is_empty() => self.ask_verify(&secret),
            SecretState::Unavailable(by) => {
                self.reach_alone(KeyPlan::Hold(KeyHold::Unavailable(by)), &endpoint)
            }
            SecretState::Unrecordable(why) => {
                self.reach_alone(KeyPlan::Hold(KeyHold::Unrecordable(why)), &endpoint)
            }
            SecretState::Present(_) | SecretState::Absent => {
                self.reach_alone(KeyPlan::Bare(Some(Reason::KeyMissing)), &endpoint)
            }
        }
    }

    /// The token stays here, for what `plan` says: only the way to the CMS is looked at.
    fn reach_alone(&mut self, plan: KeyPlan, endpoint: &Endpoint) -> Step {
        self.plan = plan;
        let url = endpoint.url().clone();
        self.ask(Stage::Reach, CheckId::Token, url, Authorization::None)
    }

    /// After an accepted pair: the shared token, where there is one to check.
    pub(super) fn ask_shared(&mut self) -> Step {
        if self.service.token().need == Need::Unused || !self.has_room() {
            return self.finish_accepted();
        }
        let secret = match self.subject.token.clone() {
            SecretState::Present(secret) if !secret.is_empty() => secret,
            SecretState::Unavailable(Hindrance { why, .. }) | SecretState::Unrecordable(why) => {
                self.notes.push(format!("shared token not checked: {why}"));
                return self.finish_accepted();
            }
            SecretState::Present(_) | SecretState::Absent => return self.finish_accepted(),
        };
        match self.cms() {
            Ok(_) => self.ask_verify(&secret),
            Err(problem) => {
                let why = match problem {
                    Unverifiable::NoUrl => "no CMS URL".to_owned(),
                    Unverifiable::BadUrl(why) => format!("the CMS URL: {why}"),
                    Unverifiable::NoCheck(cms, _) => format!("{cms} has published no check"),
                };
                self.notes.push(format!("shared token not checked: {why}"));
                self.finish_accepted()
            }
        }
    }

    /// The CMS's URL and the names that its check uses.
    fn cms(&self) -> Result<(Endpoint, VerifyText), Unverifiable> {
        let (url, cms) = (&self.subject.cms_url, &self.subject.cms);
        cms_of(&self.service, url.as_deref(), cms.as_deref())
    }

    /// The path of the check behind the CMS's URL.
    pub(super) fn verify_path(&self) -> String {
        self.cms()
            .map(|(_, verify)| verify.path)
            .unwrap_or_default()
    }

    fn ask_verify(&mut self, secret: &Secret) -> Step {
        let signed = self.cms().ok().and_then(|(endpoint, verify)| {
            signed(&endpoint, &verify, secret, self.now.as_second())
        });
        let Some((url, header)) = signed else {
            return self.over();
        };
        if secret.trimmed() != *secret {
            self.notes
                .push("a blank stands before or behind the token, and is a part of it".to_owned());
        }
        self.stage = Stage::Token;
        self.asked.push(url.clone());
        Step::Ask(Box::new(Ask {
            rung: CheckId::Token,
            request: Request {
                method: "GET",
                url,
                headers: vec![header],
                authorization: Authorization::None,
                stop_after: StopAfter::Body,
            },
        }))
    }

    pub(super) fn after_token(&mut self, reply: Reply) -> Step {
        let (Ok((endpoint, verify)), Some(url)) = (self.cms(), self.asked.last().cloned()) else {
            return self.over();
        };
        let judged = token::judge(
            AskedRung {
                service: &self.service,
                rung: Rung::Service,
                endpoint: &endpoint,
                url: &url,
            },
            &reply,
        );
        if self.token_only {
            self.notes
                .extend(way::note(&mut self.checks, &endpoint, &reply));
            self.redirects.extend(
                judged
                    .redirect
                    .iter()
                    .map(super::super::judge::redirect::Redirect::shown),
            );
            let finding = judged.finding.clone();
            self.main = Some(Main { judged, reply });
            return self.finish(finding);
        }
        let says = judged.page.as_ref().and_then(|page| page.json.as_ref());
        if let Some(text) = says.and_then(|json| json.pointer("/error")?.as_str()) {
            self.notes
                .push(format!("{OF_CMS} says: {}", inert(text, 160)));
        }
        if judged.finding.reason != Reason::TokenValid {
            self.facts.set("url", endpoint.shown());
            let asked = page(&endpoint, &verify);
            self.notes.push(format!("{OF_CMS} was asked at {asked}"));
            let skew = clock::skew(&reply).map(clock::skew_line);
            self.notes
                .extend(skew.map(|line| format!("{OF_CMS}: {line}")));
        }
        match judged.finding.reason {
            Reason::TokenValid => {
                self.checks
                    .set(CheckId::Token, State::Ok, "the same on both sides", None);
            }
            Reason::TokenMismatch
            | Reason::TokenHeaderStripped
            | Reason::TokenClock
            | Reason::TokenEndpointAbsent => self.token_warning(judged.finding),
            _ => {
                self.notes.push(format!("{OF_CMS}: {}", said(&judged)));
                self.facts.set("why", said(&judged));
                let unheard = Finding::variant(Reason::TokenEndpointAbsent, "unheard");
                self.token_warning(unheard);
            }
        }
        self.finish_accepted()
    }

    fn token_warning(&mut self, finding: Finding) {
        let words = finding.reason.title();
        self.checks
            .set(CheckId::Token, finding.reason.state(), words, None);
        self.warnings.push(finding);
    }
}

/// The CMS's URL and the names that its check uses, of a connection to `service`.
fn cms_of(
    service: &Service,
    url: Option<&str>,
    cms: Option<&str>,
) -> Result<(Endpoint, VerifyText), Unverifiable> {
    let url = url.unwrap_or_default();
    if url.trim().is_empty() {
        return Err(Unverifiable::NoUrl);
    }
    let endpoint = Endpoint::parse(url).map_err(Unverifiable::BadUrl)?;
    let id = cms.unwrap_or(DEFAULT_CMS);
    let cms = service.cms(id);
    let Some(verify) = cms.and_then(|cms| cms.verify.clone()) else {
        let title = cms.map_or_else(|| id.to_owned(), |cms| cms.title.clone());
        return Err(Unverifiable::NoCheck(title, endpoint));
    };
    Ok((endpoint, verify))
}

/// What a check of `connection`'s shared token asks, where there is one to ask.
pub(in crate::service) fn question(
    service: &Service,
    connection: &Connection,
) -> Option<CmsQuestion> {
    let (url, cms) = (&connection.cms_url, &connection.cms);
    let (endpoint, names) = cms_of(service, url.as_deref(), cms.as_deref()).ok()?;
    Some(CmsQuestion {
        page: page(&endpoint, &names),
        call: utf8_percent_encode(&names.call, VALUE).to_string(),
        cms: bare(&endpoint),
        names,
    })
}

/// The endpoint without query and fragment: neither is asked.
fn bare(endpoint: &Endpoint) -> Endpoint {
    endpoint.truncated(endpoint.segments().len())
}

/// The page of the CMS that is asked, without the query.
fn page(endpoint: &Endpoint, verify: &VerifyText) -> Url {
    if endpoint.url().path().ends_with(&verify.path) {
        bare(endpoint).url().clone()
    } else {
        endpoint.join(&verify.path).url().clone()
    }
}

/// The signed URL of the check, and its header (blesta.md, "The shared token").
fn signed(
    endpoint: &Endpoint,
    verify: &VerifyText,
    token: &Secret,
    seconds: i64,
) -> Option<(Url, (String, String))> {
    let mut url = page(endpoint, verify);
    let path = percent_encoding::percent_decode_str(url.path())
        .decode_utf8_lossy()
        .into_owned();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let text = format!(
        "{}://{}{port}{path}?{}={}&{}={seconds}",
        url.scheme(),
        url.host_str()?,
        verify.parameter,
        verify.call,
        verify.timestamp,
    );
    let encode = |value: &str| utf8_percent_encode(value, VALUE).to_string();
    let signature = encode(&sign::signature(token, &text));
    url.set_query(Some(&format!(
        "{}={}&{}={seconds}&{}={signature}",
        verify.parameter,
        encode(&verify.call),
        verify.timestamp,
        verify.signature,
    )));
    Some((url, (verify.header.clone(), signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_is_signed() {
        let expected = "GVbF389urCXW4OQ1%2BkKFeq2WypeUAqcfe6ZxTT0HrFI%3D";
        for typed in [
            "https://joomla.example/index.php",
            "https://joomla.example/",
            "joomla.example",
        ] {
            let endpoint = Endpoint::parse(typed).unwrap();
            let secret = Secret::new("secret");
            let (url, header) =
                signed(&endpoint, &VerifyText::default(), &secret, 1_700_000_000).unwrap();
            assert_eq!(
                url.as_str(),
                format!(
                    "https://joomla.example/index.php?jblesta=%2Fe4c2e8edac362acab7123654b9e73432\
                     %2FVerify&apitimestamp=1700000000&apisignature={expected}"
                )
            );
            assert_eq!(
                header,
                ("JblestaRequestSignature".to_owned(), expected.to_owned())
            );
        }
    }
}
