//! The first rungs: the URL's form, reachability, and whether the service is there.

use url::Url;

use crate::domain::budget::StoppedBy;
use crate::domain::{CheckId, Endpoint, Outcome, Reason, Reply, State, UrlProblem};

use super::super::catalog::condition::Rung;
use super::super::judge::conclude::{self, Correction};
use super::super::judge::redirect::Redirect;
use super::super::judge::{AskedRung, Finding, Judged, judge};
use super::super::step::{Authorization, Step};
use super::super::subject::{Hindrance, SecretState, Trigger};
use super::plan::{self, KeyHold, KeyPlan};
use super::{Ladder, Main, Stage, way};

impl Ladder {
    /// The rung of the URL's form, then the first request.
    pub(super) fn first(&mut self) -> Step {
        let endpoint = match Endpoint::parse(&self.subject.url) {
            Ok(endpoint) => endpoint,
            Err(problem) => return self.bad_url(&problem),
        };
        let detail = endpoint.origin().to_string();
        self.checks.set(CheckId::Url, State::Ok, detail, None);
        let planned = plan::plan(&self.service, &self.subject, &endpoint, self.now);
        self.plan = planned.plan;
        self.pair = planned.pair;
        self.notes.extend(planned.notes);
        self.endpoint = Some(endpoint);
        if let Some(accepted) = &self.subject.past.accepted {
            // Somebody who asks wants to know whether rewriting works by now.
            self.through_index = accepted.through_index && !self.is_asked_for();
        }
        if self.reach_is_enough() {
            return self.ask_reach();
        }
        match self.plan {
            KeyPlan::Send if self.bare_may_be_skipped() => self.ask_key(),
            KeyPlan::Send | KeyPlan::Bare(_) | KeyPlan::Hold(_) => self.ask_bare(Stage::Bare),
        }
    }

    fn bad_url(&mut self, problem: &UrlProblem) -> Step {
        let reason = match problem {
            UrlProblem::Missing => Reason::UrlMissing,
            UrlProblem::Blanks
            | UrlProblem::Scheme(_)
            | UrlProblem::NoHost
            | UrlProblem::Port
            | UrlProblem::UserInfo { .. }
            | UrlProblem::OfHost(_)
            | UrlProblem::Key
            | UrlProblem::Backslashes(_)
            | UrlProblem::Misspelt(_)
            | UrlProblem::Unbracketed(_)
            | UrlProblem::Other(_) => Reason::UrlInvalid,
        };
        if let UrlProblem::UserInfo { rest, .. } = problem {
            self.correction = Correction::Found(rest.clone());
            self.subject.url.clone_from(rest);
        }
        let words = problem.to_string();
        self.facts.set("why", &words);
        if reason == Reason::UrlInvalid {
            self.checks.set(CheckId::Url, State::Unknown, words, None);
        }
        self.finish(reason)
    }

    fn is_asked_for(&self) -> bool {
        matches!(self.subject.trigger, Trigger::Asked | Trigger::Bisect)
    }

    /// Whether an unauthenticated 401 would tell nothing new: then name, connection and TLS are enough.
    fn reach_is_enough(&self) -> bool {
        // A host that asked for quiet is not asked at all.
        if matches!(
            self.plan,
            KeyPlan::Hold(KeyHold::Paused {
                by: StoppedBy::Host,
                ..
            })
        ) {
            return true;
        }
        let seen = self.subject.past.service_seen;
        if self.subject.trigger == Trigger::HalfTyped {
            return seen;
        }
        if !self.service.bare_is_rejected() {
            return false;
        }
        match (&self.plan, self.subject.trigger) {
            (
                KeyPlan::Hold(
                    KeyHold::Unavailable(_) | KeyHold::Unrecordable(_) | KeyHold::Paused { .. },
                ),
                _,
            ) => true,
            (
                KeyPlan::Hold(KeyHold::Plain | KeyHold::Shape(_)),
                Trigger::Typing | Trigger::Scheduled,
            )
            | (KeyPlan::Bare(None), Trigger::Typing) => seen && !self.service.works_bare(),
            (KeyPlan::Bare(Some(_)), Trigger::Typing) => seen,
            (KeyPlan::Hold(_) | KeyPlan::Bare(_) | KeyPlan::Send, _) => false,
        }
    }

    /// The service was recognised at this URL, or its file knows no call that would recognise it.
    fn bare_may_be_skipped(&self) -> bool {
        let past = &self.subject.past;
        let accepted = past.accepted.as_ref();
        let fresh = accepted.is_some_and(|accepted| accepted.through_index) && !self.through_index;
        let known = past.service_seen || past.accepted.is_some();
        !self.service.asks_bare_first() || (known && !fresh)
    }

    pub(super) fn ask_reach(&mut self) -> Step {
        match self.url(self.path_of(Rung::Service).as_deref()) {
            Some(url) => self.ask(Stage::Reach, CheckId::Service, url, Authorization::None),
            None => self.over(),
        }
    }

    pub(super) fn ask_bare(&mut self, stage: Stage) -> Step {
        match self.url(self.path_of(Rung::Service).as_deref()) {
            Some(url) => self.ask(stage, CheckId::Service, url, Authorization::None),
            None => self.over(),
        }
    }

    /// The path of a rung's call.
    pub(super) fn path_of(&self, rung: Rung) -> Option<String> {
        let requests = &self.service.text().requests;
        match rung {
            Rung::Service => requests
                .bare
                .clone()
                .or_else(|| requests.authenticated.clone()),
            Rung::Credentials => requests.authenticated.clone(),
        }
    }

    /// Judges a reply of the service at the URL asked last, and writes down the lower rungs.
    pub(super) fn judge(&mut self, rung: Rung, reply: &Reply) -> Option<Judged> {
        let endpoint = self.endpoint.clone()?;
        self.notes
            .extend(way::note(&mut self.checks, &endpoint, reply));
        let rung = if self.service.text().auth.is_none() {
            Rung::Credentials
        } else {
            rung
        };
        let url = self.asked.last()?.clone();
        Some(self.judge_at(rung, &url, reply))
    }

    pub(super) fn judge_at(&self, rung: Rung, url: &Url, reply: &Reply) -> Judged {
        let Some(endpoint) = &self.endpoint else {
            return Judged::unasked(Reason::UrlMissing);
        };
        let asked = AskedRung {
            service: &self.service,
            rung,
            endpoint,
            url,
        };
        judge(asked, reply)
    }

    /// Reachability alone: the way is free, or where it ends.
    pub(super) fn reached(&mut self, reply: Reply) -> Step {
        let Some(judged) = self.judge(Rung::Service, &reply) else {
            return self.over();
        };
        let free = matches!(reply.outcome, Outcome::Reached);
        let finding = judged.finding.clone();
        self.main = Some(Main { judged, reply });
        if !free {
            return self.finish(finding);
        }
        if self.subject.connection.is_none() && self.subject.past.service_seen {
            // The form shows the URL as found while the other fields are being filled in.
            let detail = format!("{}, recognised before", self.service.title());
            self.checks.set(CheckId::Service, State::Ok, detail, None);
        }
        self.held()
    }

    /// The bare call was answered.
    pub(super) fn after_bare(&mut self, reply: Reply) -> Step {
        let Some(judged) = self.judge(Rung::Service, &reply) else {
            return self.over();
        };
        if self.is_found(&judged) {
            return self.found(Main { judged, reply });
        }
        let main = Main { judged, reply };
        if self.index_may_help(&main) {
            return self.ask_index(main);
        }
        if self.call_tells_more(&main) {
            return self.ask_bare_call(main);
        }
        self.refused(main)
    }

    /// Whether the service itself has nothing at the URL where it is asked for without a key, and another path is the
    /// one that matters: that a base has no page of its own says nothing of what is behind it.
    fn call_tells_more(&self, main: &Main) -> bool {
        let call = self.path_of(Rung::Credentials);
        main.judged.finding.reason == Reason::ApiPathWrong
            && call.is_some()
            && call != self.path_of(Rung::Service)
            && self.has_room()
    }

    fn ask_bare_call(&mut self, direct: Main) -> Step {
        let Some(url) = self.url(self.path_of(Rung::Credentials).as_deref()) else {
            return self.over();
        };
        let stage = Stage::BareCall(Box::new(direct));
        self.ask(stage, CheckId::Service, url, Authorization::None)
    }

    /// The call was answered that the key is for, asked without it.
    pub(super) fn after_bare_call(&mut self, reply: Reply, direct: Main) -> Step {
        let Some(judged) = self.judge(Rung::Service, &reply) else {
            return self.over();
        };
        let call = self.path_of(Rung::Credentials).unwrap_or_default();
        self.notes.push(format!(
            "{} has nothing at the URL itself; {call} behind it, asked without a key: {}",
            self.service.title(),
            said(&judged)
        ));
        let main = Main { judged, reply };
        if self.is_found(&main.judged) {
            self.found(main)
        } else if main.judged.finding.reason == Reason::ApiPathWrong {
            self.refused(direct)
        } else {
            self.refused(main)
        }
    }

    /// Whether the page was not found, and the same may be asked through `/index.php`.
    pub(super) fn index_may_help(&self, main: &Main) -> bool {
        let named = self
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.segments().contains(&"index.php"));
        // Where there is no site at all, there is none below it either.
        let no_site = main.judged.finding.variant.as_deref() == Some("no-site");
        main.judged.finding.reason == Reason::NotFound
            && !no_site
            && !self.through_index
            && !named
            && self.service.text().requests.fallback.is_some()
            && self.has_room()
    }

    pub(super) fn ask_index(&mut self, direct: Main) -> Step {
        self.through_index = true;
        self.ask_bare(Stage::BareIndex(Box::new(direct)))
    }

    /// The call through `/index.php` was answered, after `direct` found no page.
    pub(super) fn after_index(&mut self, reply: Reply, mut direct: Main) -> Step {
        let Some(judged) = self.judge(Rung::Service, &reply) else {
            return self.over();
        };
        if self.is_found(&judged) {
            let (path, index) = self.both_ways();
            self.notes.push(format!(
                "{} answers {} at {path}, and as itself at {index}",
                direct.judged.answerer.shown(),
                direct.judged.status
            ));
            return self.found(Main { judged, reply });
        }
        self.through_index = false;
        let status = judged.status;
        // What a page that is no page says of the lower rungs stands; the first answer is the better one.
        // That rewriting is off, and what is there is locked or broken, says more than a page that is not there.
        let by_service = judged.answerer.by == crate::domain::AnsweredBy::Service;
        let is_source = judged.finding.variant.as_deref() == Some("source");
        let better = (by_service && status != 404)
            || is_source
            || matches!(status, 401 | 403 | 429 | 500..600);
        if better {
            let (path, index) = self.both_ways();
            self.notes.push(format!(
                "{path} has no page ({}); this is the answer of {index}",
                direct.judged.status
            ));
            return self.refused(Main { judged, reply });
        }
        let note = format!("{} was tried too: {}", self.fallback(), said(&judged));
        self.notes.push(note);
        if !matches!(status, 0 | 404) && direct.judged.finding.reason == Reason::NotFound {
            direct.judged.finding = Finding::variant(Reason::NotFound, "direct");
        }
        self.refused(direct)
    }

    /// The folder that the service is asked in, such as `/api`, and the same behind its fallback.
    fn both_ways(&self) -> (String, String) {
        let path = self.path_of(Rung::Service).unwrap_or_default();
        let mut folders = path.trim_start_matches('/').split(['/', '?']);
        let folder = format!("/{}", folders.next().unwrap_or_default());
        let index = format!("{}{folder}", self.fallback());
        (folder, index)
    }

    /// What stands before the path where it is tried a second time, such as `/index.php`.
    pub(super) fn fallback(&self) -> &str {
        let requests = &self.service.text().requests;
        requests.fallback.as_deref().unwrap_or_default()
    }

    /// Whether a bare answer shows that the service is there.
    pub(super) fn is_found(&self, judged: &Judged) -> bool {
        match judged.finding.reason {
            Reason::ServiceFound | Reason::Connected | Reason::ConnectedNoisy => true,
            // Without an answer to the question "which service", a 401 is as good as any, if there is a
            // key that could be asked with.
            Reason::CredentialsRejected => {
                self.subject.key != SecretState::Absent || self.plan != KeyPlan::Bare(None)
            }
            _ => false,
        }
    }

    fn found(&mut self, main: Main) -> Step {
        self.service_seen = true;
        let title = self.service.title().to_owned();
        let ms = way::took(&main.reply);
        self.checks.set(CheckId::Service, State::Ok, title, ms);
        self.main = Some(main);
        match self.plan {
            KeyPlan::Send if self.has_room() => self.ask_key(),
            KeyPlan::Send | KeyPlan::Bare(_) | KeyPlan::Hold(_) => self.held(),
        }
    }

    /// The service is there (or its host is within reach), and the key stays here: why.
    pub(super) fn held(&mut self) -> Step {
        let judged = self.main.as_ref().map(|main| main.judged.finding.clone());
        let finding = match self.plan.clone() {
            KeyPlan::Bare(None) | KeyPlan::Send => {
                judged.map_or(Reason::ServiceFound.into(), |finding| {
                    let bare = self.plan == KeyPlan::Bare(None);
                    match finding.reason {
                        Reason::Connected | Reason::ConnectedNoisy if bare => finding,
                        _ => Reason::ServiceFound.into(),
                    }
                })
            }
            KeyPlan::Bare(Some(missing)) if self.token_only => Finding::variant(missing, "token"),
            KeyPlan::Bare(Some(missing)) => missing.into(),
            KeyPlan::Hold(KeyHold::Editing) => {
                let half = self.subject.trigger == Trigger::HalfTyped;
                let what = if half { "half-typed" } else { "editing" };
                Finding::variant(Reason::ServiceFound, what)
            }
            KeyPlan::Hold(KeyHold::Unavailable(Hindrance { by, why })) => {
                self.unavailable(&why, by.variant())
            }
            KeyPlan::Hold(KeyHold::Unrecordable(why)) => {
                self.unavailable(&why, Some("unrecordable"))
            }
            KeyPlan::Hold(KeyHold::Plain) => Reason::KeyWithheld.into(),
            KeyPlan::Hold(KeyHold::Shape(odd)) => {
                self.facts.set("shape", odd);
                Finding::variant(Reason::ServiceFound, "shape")
            }
            KeyPlan::Hold(KeyHold::Paused { until, by }) => {
                self.retry_at = until;
                match by {
                    StoppedBy::Host => Finding::variant(Reason::AuthPaused, "quiet"),
                    StoppedBy::Cache => Finding::variant(Reason::AuthPaused, "cached"),
                    StoppedBy::Budget if self.is_proven() => {
                        Finding::variant(Reason::AuthPaused, "accepted")
                    }
                    StoppedBy::Budget | StoppedBy::Refusals => Reason::AuthPaused.into(),
                }
            }
        };
        if finding.reason.state() == State::Ok {
            return self.accepted_bare(finding);
        }
        self.finish(finding)
    }

    /// A key that is not at hand, with the words of this case.
    fn unavailable(&mut self, why: &str, case: Option<&str>) -> Finding {
        self.facts.set("why", why);
        case.map_or(Reason::SecretUnavailable.into(), |case| {
            Finding::variant(Reason::SecretUnavailable, case)
        })
    }

    /// The folder above, where a login below the URL makes it likely, and only asking shows whether the service is there.
    fn guessed(&self, main: &Main) -> Option<String> {
        let is_below = main.judged.finding.variant.as_deref() == Some("below");
        let endpoint = self.endpoint.as_ref().filter(|_| is_below)?;
        let parent = conclude::corrected(&self.service, endpoint, &main.judged, "")?;
        self.has_room().then_some(parent)
    }

    /// An answer that ends the ladder: a redirect's target and (in a bisect) a corrected URL are asked
    /// first, without credentials.
    pub(super) fn refused(&mut self, main: Main) -> Step {
        if let Some(parent) = self.guessed(&main) {
            self.redirects
                .extend(main.judged.redirect.iter().map(Redirect::shown));
            return self.ask_corrected(parent, main);
        }
        if main.judged.redirect.is_some() && main.judged.finding.reason != Reason::NotTheService {
            return self.ask_target(main);
        }
        if let Some(url) = self.worth_asking(&main) {
            return self.ask_corrected(url, main);
        }
        let finding = main.judged.finding.clone();
        self.main = Some(main);
        self.finish(finding)
    }
}

/// An answer in a few words.
pub(super) fn said(judged: &Judged) -> String {
    let title = judged.finding.reason.title();
    match judged.status {
        0 => title.to_owned(),
        status if title.starts_with(&status.to_string()) => title.to_owned(),
        status => format!("{status}, {title}"),
    }
}
