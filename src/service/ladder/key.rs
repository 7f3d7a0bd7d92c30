//! The rung of the credentials: which style, when a second one, and what each answer means for the key.

use crate::domain::budget::AttemptEnd;
use crate::domain::{
    AnsweredBy, AuthStyle, CheckId, Failure, Outcome, Reason, Repeated, Reply, State, TlsFailure,
};

use super::super::catalog::condition::Rung;
use super::super::catalog::format::Scheme;
use super::super::judge::{self, Finding, Judged, clock};
use super::super::sign;
use super::super::step::{Authorization, Step};
use super::super::subject::{Accepted, Trigger};
use super::plan::{KeyHold, KeyPlan};
use super::rungs::said;
use super::{Ladder, Main, Stage, way};

impl Ladder {
    /// Sends the key for the first time.
    pub(super) fn ask_key(&mut self) -> Step {
        let first = self.first_scheme();
        let other = self.other_scheme(first);
        let ways = [Some(first), other];
        for scheme in ways.into_iter().flatten() {
            if let Some(with) = self.authorization(scheme) {
                if scheme != first {
                    self.notes
                        .push("a user name with ':' can't be sent by Basic".to_owned());
                }
                return self.send(Stage::Key(scheme), with);
            }
        }
        let odd = "a user name with ':' can't be sent by Basic".to_owned();
        self.plan = KeyPlan::Hold(KeyHold::Shape(odd));
        self.held()
    }

    pub(super) fn authorization(&self, scheme: Scheme) -> Option<Authorization> {
        let pair = self.pair.as_ref()?;
        sign::authorization(&self.service, scheme, &pair.username, &pair.key)
    }

    fn send(&mut self, stage: Stage, with: Authorization) -> Step {
        match self.url(self.path_of(Rung::Credentials).as_deref()) {
            Some(url) => self.ask(stage, CheckId::Credentials, url, with),
            None => self.over(),
        }
    }

    fn first_scheme(&self) -> Scheme {
        let named = self
            .pair
            .as_ref()
            .is_some_and(|pair| !pair.username.is_empty());
        let preferred = self.service.first_scheme(named).unwrap_or(Scheme::Bearer);
        match self.subject.auth {
            AuthStyle::Basic => Scheme::Basic,
            AuthStyle::Headers => Scheme::Headers,
            // Somebody who asks wants to know whether the header arrives by now.
            AuthStyle::Auto if self.remembers_headers() => Scheme::Headers,
            AuthStyle::Auto => preferred,
        }
    }

    fn remembers_headers(&self) -> bool {
        let by_headers = self
            .subject
            .past
            .accepted
            .as_ref()
            .is_some_and(|past| past.by_headers);
        by_headers && matches!(self.subject.trigger, Trigger::Scheduled | Trigger::Typing)
    }

    /// The other style, where `auto` or a bisect may try one.
    fn other_scheme(&self, first: Scheme) -> Option<Scheme> {
        let auth = self.service.text().auth.as_ref()?;
        let second = auth.after_rejection?;
        let free = self.subject.auth == AuthStyle::Auto || self.subject.trigger == Trigger::Bisect;
        let other = if first == second { auth.first } else { second };
        (free && other != first).then_some(other)
    }

    /// The key was answered for the first time.
    pub(super) fn after_key(&mut self, reply: Reply, scheme: Scheme) -> Step {
        let Some(judged) = self.judge(Rung::Credentials, &reply) else {
            return self.over();
        };
        self.attempt = Some(self.attempt_end_of(&judged, &reply));
        let main = Main { judged, reply };
        let is_kept = from_cache(&main.reply).is_some();
        match main.judged.finding.reason {
            Reason::Connected | Reason::ConnectedNoisy if is_kept => {
                self.given_by_cache(main, scheme)
            }
            Reason::Connected | Reason::ConnectedNoisy => self.taken(main, scheme),
            Reason::CredentialsRejected | Reason::PermissionMissing if is_kept => self.unseen(main),
            Reason::CredentialsRejected => self.rejected(main, scheme),
            _ if !self.answered_bare() && self.index_may_help(&main) => self.ask_index(main),
            _ => self.refused_for_key(main),
        }
    }

    /// Whether the service answered the same call without the key, in this run.
    fn answered_bare(&self) -> bool {
        self.main.is_some() && self.service_seen
    }

    /// Something else than the service refused the call with the key. Where the service answered the same call without
    /// it in this run, neither address nor path is at fault.
    fn refused_for_key(&mut self, mut main: Main) -> Step {
        let kept = cached(&main.reply);
        if kept.is_some() {
            self.notes.extend(kept);
        } else if self.answered_bare() && main.judged.answerer.by != AnsweredBy::Service {
            let service = self.service.title();
            self.notes.push(format!(
                "asked without the key, {service} itself answered a moment before"
            ));
            if let Some(finding) = of_the_key(&main.judged.finding) {
                main.judged.finding = finding;
            }
        }
        self.refused(main)
    }

    /// A refusal that was kept from an earlier call: it says nothing of the key.
    fn unseen(&mut self, main: Main) -> Step {
        self.recognised();
        self.facts
            .set("why", from_cache(&main.reply).unwrap_or_default());
        self.main = Some(main);
        self.finish(Finding::variant(Reason::UnexpectedStatus, "cached"))
    }

    /// The answer that a key is due, kept from an earlier call: the service is in order, and of the key it says nothing.
    fn given_by_cache(&mut self, main: Main, scheme: Scheme) -> Step {
        self.facts
            .set("why", from_cache(&main.reply).unwrap_or_default());
        self.warn_of_stripped(
            scheme,
            "accepted by headers before, where Basic was rejected",
        );
        self.after_taken(main, scheme)
    }

    fn rejected(&mut self, main: Main, scheme: Scheme) -> Step {
        self.recognised();
        // Sent once more over HTTP/1.1 it was sent twice.
        let is_sent_twice = main.reply.repeated == Some(Repeated::OverHttp1)
            && self.subject.trigger != Trigger::Bisect;
        if !is_sent_twice
            && self.has_room()
            && let Some(other) = self.other_scheme(scheme)
            && let Some(with) = self.authorization(other)
        {
            return self.send(Stage::OtherStyle(scheme, other, Box::new(main)), with);
        }
        let finding = main.judged.finding.clone();
        self.main = Some(main);
        self.finish(finding)
    }

    /// After a rejection by the first style, the second was answered.
    pub(super) fn after_other(
        &mut self,
        reply: Reply,
        (first, second): (Scheme, Scheme),
        rejected: Main,
    ) -> Step {
        let Some(judged) = self.judge(Rung::Credentials, &reply) else {
            return self.over();
        };
        self.attempt = Some(self.attempt_end_of(&judged, &reply));
        let kept = from_cache(&reply);
        match judged.finding.reason {
            Reason::Connected | Reason::ConnectedNoisy if kept.is_none() => {
                self.notes.push(format!(
                    "{}: 401; {}: accepted",
                    style(first),
                    style(second)
                ));
                if second == Scheme::Headers {
                    self.warnings.push(Reason::AuthorizationStripped.into());
                }
                self.after_taken(Main { judged, reply }, second)
            }
            Reason::CredentialsRejected if kept.is_none() => {
                let line = format!("{}: 401; {}: 401", style(first), style(second));
                self.notes.push(line);
                self.main = Some(rejected);
                self.finish(Finding::variant(Reason::CredentialsRejected, "both"))
            }
            _ => {
                let line = format!(
                    "{}: 401; {}: {}",
                    style(first),
                    style(second),
                    heard(&judged, &reply)
                );
                self.notes.push(line);
                let who = judged.answerer.shown();
                let why = match (judged.status, kept) {
                    (0, _) => said(&judged),
                    (status, Some(sign)) => format!("its {status} came out of a cache ({sign})"),
                    (status, None) => format!("{who} answered {status}"),
                };
                self.facts.set("why", why);
                self.main = Some(rejected);
                self.finish(Finding::variant(Reason::CredentialsRejected, "unsure"))
            }
        }
    }

    /// The pair was taken; a bisect compares the other style.
    fn taken(&mut self, main: Main, scheme: Scheme) -> Step {
        let compares = self.subject.trigger == Trigger::Bisect && self.has_room();
        if compares
            && let Some(other) = self.other_scheme(scheme)
            && let Some(with) = self.authorization(other)
        {
            self.write_accepted(&main, scheme);
            self.main = Some(main);
            return self.send(Stage::Compare(scheme), with);
        }
        self.warn_of_stripped(scheme, "accepted by headers; Basic was rejected before");
        self.after_taken(main, scheme)
    }

    /// What an earlier run has found stays, where the headers went alone for it.
    fn warn_of_stripped(&mut self, scheme: Scheme, note: &str) {
        let stripped = self.remembers_headers()
            && self.subject.auth == AuthStyle::Auto
            && self.other_scheme(Scheme::Basic) == Some(scheme);
        if stripped {
            self.notes.push(note.to_owned());
            self.warnings.push(Reason::AuthorizationStripped.into());
        }
    }

    pub(super) fn after_compare(&mut self, reply: Reply, scheme: Scheme) -> Step {
        let url = self.asked.last().cloned();
        let judged = url.map(|url| self.judge_at(Rung::Credentials, &url, &reply));
        let other = self.other_scheme(scheme);
        if let (Some(judged), Some(other)) = (judged, other) {
            // The pair was taken one request before: a refusal is of the style, not of the pair.
            self.attempt = Some(match self.attempt_end_of(&judged, &reply) {
                AttemptEnd::Accepted => AttemptEnd::Accepted,
                AttemptEnd::Pending
                | AttemptEnd::Rejected
                | AttemptEnd::Kept
                | AttemptEnd::Cached
                | AttemptEnd::Inconclusive
                | AttemptEnd::Unheard => AttemptEnd::Inconclusive,
            });
            let line = match judged.finding.reason {
                Reason::Connected | Reason::ConnectedNoisy if from_cache(&reply).is_none() => {
                    format!("{} and {}: both accepted", style(scheme), style(other))
                }
                Reason::CredentialsRejected if other == Scheme::Headers => format!(
                    "{}: accepted; {}: 401, so this version does not know them, or a proxy drops them",
                    style(scheme),
                    style(other)
                ),
                _ => format!(
                    "{}: accepted; {}: {}",
                    style(scheme),
                    style(other),
                    heard(&judged, &reply)
                ),
            };
            self.notes.push(line);
        }
        match self.main.take() {
            Some(main) => self.after_taken(main, scheme),
            None => self.over(),
        }
    }

    /// What an answer to the key says of it. Silence counts against a key that this host never took: it may
    /// have been a refusal.
    fn attempt_end_of(&self, judged: &Judged, reply: &Reply) -> AttemptEnd {
        let auth = self.service.text().auth.as_ref();
        let known_if_forbidden = auth.is_some_and(|auth| auth.known_if_forbidden);
        let end = match judged.within {
            // Whatever stands around it: the host has counted this one.
            Some(Reason::CredentialsRejected) => AttemptEnd::Rejected,
            _ => attempt_end(judged, known_if_forbidden),
        };
        match end {
            AttemptEnd::Inconclusive if is_unheard(reply) && !self.is_proven() => {
                AttemptEnd::Unheard
            }
            AttemptEnd::Rejected if from_cache(reply).is_some() => AttemptEnd::Kept,
            // No answer of such a service is a proof, so that each would be spaced.
            end if is_any_page(judged) => end,
            AttemptEnd::Accepted | AttemptEnd::Inconclusive if from_cache(reply).is_some() => {
                AttemptEnd::Cached
            }
            end => end,
        }
    }

    fn write_accepted(&mut self, main: &Main, scheme: Scheme) {
        self.recognised();
        let ms = way::took(&main.reply);
        let silent = if is_any_page(&main.judged) {
            Some("a page does not show more")
        } else {
            from_cache(&main.reply).map(|_| "a cache answered")
        };
        if let Some(why) = silent {
            let detail = format!("sent by {}; {why}", style(scheme));
            self.checks
                .set(CheckId::Credentials, State::Unknown, detail, ms);
            return;
        }
        let past = self.subject.past.accepted.as_ref();
        self.accepted = Some(Accepted {
            by_headers: scheme == Scheme::Headers,
            through_index: self.through_index,
            own_token: past.and_then(|past| past.own_token.clone()),
        });
        let detail = format!("accepted by {}", style(scheme));
        self.checks.set(CheckId::Credentials, State::Ok, detail, ms);
    }

    /// An answer to the key shows the service too, where no bare call did.
    fn recognised(&mut self) {
        self.service_seen = true;
        if self.checks.get(CheckId::Service).state != State::Ok {
            let title = self.service.title().to_owned();
            self.checks.set(CheckId::Service, State::Ok, title, None);
        }
    }

    fn after_taken(&mut self, main: Main, scheme: Scheme) -> Step {
        self.notes.extend(cached(&main.reply));
        self.write_accepted(&main, scheme);
        self.read_identity(&main);
        self.main = Some(main);
        self.ask_version(scheme)
    }
}

/// What is said of an answer to a key that came from a cache.
fn cached(reply: &Reply) -> Option<String> {
    let sign = from_cache(reply)?;
    Some(format!(
        "the answer came from a cache ({sign}): it does not show whether the key is accepted"
    ))
}

/// An answer to a key in a few words.
fn heard(judged: &Judged, reply: &Reply) -> String {
    match from_cache(reply) {
        Some(_) => format!("{} out of a cache", judged.status),
        None => said(judged),
    }
}

/// What shows that an answer came from a cache.
pub(super) fn from_cache(reply: &Reply) -> Option<String> {
    let response = clock::response(reply)?;
    let headers = response.headers.iter();
    judge::from_cache(&mut headers.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// What is to be said where the service has just answered the same call without the key; nothing where the words are
/// right as they are.
fn of_the_key(found: &Finding) -> Option<Finding> {
    let variant = found.variant.as_deref();
    Some(match (found.reason, variant) {
        (Reason::ServerRule | Reason::NotFound, _) => Finding::variant(Reason::ServerRule, "key"),
        (
            Reason::NotTheService,
            None | Some("login" | "listing" | "default-page" | "other-json" | "maintenance"),
        ) => Finding::variant(Reason::ServerRule, "key-page"),
        // Whoever blocks, it is theirs to let the key pass.
        (
            Reason::CdnBlock
            | Reason::WafBlock
            | Reason::EmptyReply
            | Reason::ServerError
            | Reason::NotHttp,
            None,
        ) => Finding::variant(found.reason, "key"),
        _ => return None,
    })
}

/// Whether a page that anybody may see stands for the answer: no proof of a key.
fn is_any_page(judged: &Judged) -> bool {
    judged.finding.variant.as_deref() == Some("page")
}

/// What an answer says of the key. A 403 is a proof only of a service that gives it to keys that it knows.
fn attempt_end(judged: &Judged, known_if_forbidden: bool) -> AttemptEnd {
    let by_service = judged.answerer.by == AnsweredBy::Service;
    match judged.finding.reason {
        Reason::Connected if is_any_page(judged) => AttemptEnd::Inconclusive,
        Reason::Connected | Reason::ConnectedNoisy => AttemptEnd::Accepted,
        Reason::PermissionMissing if by_service && known_if_forbidden => AttemptEnd::Accepted,
        Reason::CredentialsRejected | Reason::ServerPassword => AttemptEnd::Rejected,
        _ if judged.status == 401 => AttemptEnd::Rejected,
        _ => AttemptEnd::Inconclusive,
    }
}

/// Whether a request went out and nothing came back that would tell what became of it: nothing at all, or HTTP whose
/// status nobody could read.
fn is_unheard(reply: &Reply) -> bool {
    let silent = matches!(
        reply.outcome,
        Outcome::Failed(
            Failure::ResponseTimeout
                | Failure::Reset
                | Failure::ClosedEarly
                | Failure::HeadTooLarge
                | Failure::BadLength
                | Failure::Tls(TlsFailure::ClientCertificateUnsaid)
                | Failure::Http2 {
                    processed: true,
                    ..
                }
        )
    );
    silent && reply.sent
}

/// A style for people.
pub(super) fn style(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Basic => "Basic",
        Scheme::Bearer => "Bearer",
        Scheme::Headers => "headers",
    }
}
