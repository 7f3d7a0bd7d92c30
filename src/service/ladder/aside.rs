//! Requests beside the ladder, never with credentials: a redirect's target, a corrected URL.

use url::Url;

use crate::domain::endpoint::secret_parameter;
use crate::domain::{CheckId, Endpoint, Failure, Reason, Reply, TlsFailure};

use super::super::catalog::condition::Rung;
use super::super::judge::conclude::Correction;
use super::super::judge::{Finding, Judged, conclude, failure};
use super::super::sign;
use super::super::step::{Authorization, Step};
use super::super::subject::{SecretState, Trigger};
use super::rungs::said;
use super::{Ladder, Main, Stage};

impl Ladder {
    /// Asks the target of a redirect once, to say what is there.
    pub(super) fn ask_target(&mut self, main: Main) -> Step {
        let Some(redirect) = main.judged.redirect.clone() else {
            return self.over();
        };
        self.redirects.push(redirect.shown());
        let known = self.asked.contains(&redirect.target);
        let elsewhere = !self.is_at_home(&redirect.target);
        // What is secret by its name alone is the server's own, as of a login.
        let carried = secret_parameter(redirect.target.as_str()).filter(|_| elsewhere);
        let hinders = if self.repeats_secret(&redirect.target) {
            Some("the target repeats the key, so it is not asked".to_owned())
        } else {
            carried.map(|name| {
                format!("the target's parameter {name} may hold a secret, so it is not asked")
            })
        };
        let is_kept_from = hinders.is_some();
        self.notes.extend(hinders);
        if known || is_kept_from || !self.has_room() {
            let reason = main.judged.finding.reason;
            let finding = if known && is_redirect(reason) && reason != Reason::RedirectLoop {
                Reason::RedirectLoop.into()
            } else {
                main.judged.finding.clone()
            };
            self.main = Some(main);
            return self.finish(finding);
        }
        let stage = Stage::Target(Box::new(main));
        self.ask(
            stage,
            CheckId::Service,
            redirect.target,
            Authorization::None,
        )
    }

    /// Whether a secret of this run, or its mask, stands in `url`.
    fn repeats_secret(&self, url: &Url) -> bool {
        let token = match &self.subject.token {
            SecretState::Present(token) => Some(token),
            SecretState::Absent | SecretState::Unavailable(_) | SecretState::Unrecordable(_) => {
                None
            }
        };
        sign::is_in(url, self.pair(), token)
    }

    pub(super) fn after_target(&mut self, reply: Reply, main: Main) -> Step {
        let mut finding = main.judged.finding.clone();
        let asked = self.asked.last().cloned();
        if let Some(url) = asked {
            let there = self.judge_at(Rung::Service, &url, &reply);
            if let Some(next) = &there.redirect {
                self.redirects.push(next.shown());
                if self.asked.contains(&next.target) && is_redirect(finding.reason) {
                    finding = Reason::RedirectLoop.into();
                } else {
                    self.notes
                        .push(format!("the target redirects on to {}", next.shown()));
                }
            } else if self.is_found(&there) {
                let title = self.service.title();
                self.notes.push(format!(
                    "{title} answers at the target, asked without credentials"
                ));
            } else if let Some(failure) = failure::of(&reply) {
                if !is_for_us(failure) {
                    self.correction = Correction::TargetFails;
                }
                let words = failure::words(failure, &reply);
                self.notes
                    .push(format!("the target, asked without credentials: {words}"));
            } else {
                // A 401 or 403 may be the service's own, to whoever brings no key. What answers over https does so for
                // its other paths too: the next probe, of that URL, tells what is missing there.
                let is_https = finding.reason == Reason::RedirectHttps;
                if !is_https && matches!(there.status, 404 | 410 | 500..) {
                    self.correction = Correction::TargetFails;
                }
                self.notes.push(format!(
                    "the target, asked without credentials: {}",
                    shown(&there)
                ));
            }
        }
        let is_bare = finding.variant.is_none();
        if self.correction == Correction::TargetFails
            && (finding.reason == Reason::RedirectHttps
                || finding.reason == Reason::RedirectHost && is_bare)
        {
            finding = Finding::variant(finding.reason, "fails");
        }
        self.main = Some(main);
        self.finish(finding)
    }

    /// Bisect: the corrected URL, where asking it tells something.
    pub(super) fn worth_asking(&self, main: &Main) -> Option<String> {
        if self.subject.trigger != Trigger::Bisect || !self.has_room() {
            return None;
        }
        let endpoint = self.endpoint.as_ref()?;
        let url = conclude::corrected(&self.service, endpoint, &main.judged, "").or_else(|| {
            let guess = self.service.text().requests.guesses.first()?;
            let there = endpoint.url().path().trim_end_matches('/').ends_with(guess);
            (main.judged.finding.reason == Reason::NotFound && !there)
                .then(|| endpoint.join(guess).shown())
        })?;
        (url != endpoint.shown()).then_some(url)
    }

    pub(super) fn ask_corrected(&mut self, corrected: String, main: Main) -> Step {
        let url = Endpoint::parse(&corrected).ok().map(|endpoint| {
            self.path_of(Rung::Service).map_or_else(
                || endpoint.url().clone(),
                |path| endpoint.join(&path).url().clone(),
            )
        });
        match url {
            Some(url) if !self.asked.contains(&url) => {
                let stage = Stage::Corrected(corrected, Box::new(main));
                self.ask(stage, CheckId::Service, url, Authorization::None)
            }
            Some(_) | None => {
                let finding = main.judged.finding.clone();
                self.main = Some(main);
                self.finish(finding)
            }
        }
    }

    pub(super) fn after_corrected(&mut self, reply: Reply, corrected: String, main: Main) -> Step {
        let url: Option<Url> = self.asked.last().cloned();
        if let Some(url) = url {
            let there = self.judge_at(Rung::Service, &url, &reply);
            if self.is_found(&there) {
                let title = self.service.title();
                self.notes.push(format!(
                    "{title} answers at {corrected}, asked without credentials"
                ));
                self.correction = Correction::Found(corrected);
            } else {
                self.notes
                    .push(format!("{corrected} was asked too: {}", said(&there)));
            }
        }
        let finding = main.judged.finding.clone();
        self.main = Some(main);
        self.finish(finding)
    }
}

/// What is there: the status, and the page's title where it has one.
fn shown(there: &Judged) -> String {
    let title = there.page.as_ref().and_then(|page| page.title.as_ref());
    match title {
        Some(title) => format!("{}, \"{title}\"", there.status),
        None => said(there),
    }
}

/// Whether https stands at the target, and what is missing is here: its authority's certificate, or one of our own. The
/// next probe, of that URL, says how it is given.
fn is_for_us(failure: &Failure) -> bool {
    let Failure::Tls(failure) = failure else {
        return false;
    };
    matches!(
        failure,
        TlsFailure::UnknownIssuer
            | TlsFailure::ClientCertificate
            | TlsFailure::ClientCertificateUnsaid
    )
}

fn is_redirect(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::RedirectHttps | Reason::RedirectHost | Reason::RedirectPath | Reason::RedirectLoop
    )
}
