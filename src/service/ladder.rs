//! The ladder: decides the next request from the answers so far, and ends in a verdict. It never waits.
//!
//! ```text
//! URL form ─▶ reach | bare call ─▶ key ─▶ other style ─▶ identity ─▶ version, own token ─▶ shared token
//!                      │  └ 404: /index.php, the call └ after one rejection, in `auto`
//!                      └ redirect: its target, once, bare
//! ```
//!
//! Which of these run is decided by `plan`: a key is sent only where the service was recognised, never
//! after a redirect, never while the URL is being edited, and at most twice after a rejection.

mod aside;
mod finish;
mod identity;
mod key;
mod plan;
mod rungs;
mod shared;
mod unsent;
mod way;

use jiff::Timestamp;
use url::Url;

use crate::domain::budget::AttemptEnd;
use crate::domain::{CheckId, Checks, Endpoint, Identity, Reply, Secret};

use super::catalog::Service;
use super::catalog::format::Scheme;
use super::judge::conclude::Correction;
use super::judge::facts::Facts;
use super::judge::{Finding, Judged, charset, clock};
use super::sign;
use super::step::{Ask, Authorization, Request, RungAnswer, Step, StopAfter};
use super::subject::{Accepted, LastGood, SecretState, Subject, Trigger};
use plan::{KeyPlan, Pair};
pub(super) use shared::question;

/// One run over one subject.
#[derive(Debug)]
pub struct Ladder {
    service: Service,
    subject: Subject,
    plan: KeyPlan,
    pair: Option<Pair>,
    /// The URL as typed, once it was read.
    endpoint: Option<Endpoint>,
    /// Whether the service is asked through `/index.php`.
    through_index: bool,
    stage: Stage,
    /// Every URL asked, in order.
    asked: Vec<Url>,
    /// How many of them carried the key.
    carried: usize,
    /// How many of them went no further than the way there: no request was sent.
    way_alone: usize,
    checks: Checks,
    /// The answer that the verdict rests on.
    main: Option<Main>,
    /// Lines of evidence beside those of the answer.
    notes: Vec<String>,
    facts: Facts,
    redirects: Vec<String>,
    correction: Correction,
    /// What an accepted pair's verdict may be, besides `connected`.
    warnings: Vec<Finding>,
    identity: Option<Identity>,
    version: Option<String>,
    retry_at: Option<Timestamp>,
    service_seen: bool,
    accepted: Option<Accepted>,
    attempt: Option<AttemptEnd>,
    quiet: Option<Timestamp>,
    last_good: Option<LastGood>,
    /// Whether only the shared token is checked (`token verify`).
    token_only: bool,
    /// The latest time heard of.
    now: Timestamp,
}

/// An answer, and what was made of it.
#[derive(Debug)]
struct Main {
    judged: Judged,
    reply: Reply,
}

/// What the last request was for.
#[derive(Debug)]
enum Stage {
    /// Nothing was asked yet, or all is over.
    Idle,
    /// Name, connection and TLS alone.
    Reach,
    /// Is the service there, asked without credentials.
    Bare,
    /// The same through `/index.php`, after this answer.
    BareIndex(Box<Main>),
    /// The call that the key is for, without it, after the service had nothing at the URL itself.
    BareCall(Box<Main>),
    /// The key, for the first time, sent so.
    Key(Scheme),
    /// The key in the other style, after this rejection of the first.
    OtherStyle(Scheme, Scheme, Box<Main>),
    /// Bisect: the other style too, though the first was accepted.
    Compare(Scheme),
    /// A redirect's target, after this answer.
    Target(Box<Main>),
    /// Bisect: the corrected URL, after this answer.
    Corrected(String, Box<Main>),
    /// The service's version.
    Version(Scheme),
    /// The key's own token.
    OwnToken,
    /// The signed check of the shared token.
    Token,
}

impl Ladder {
    /// Starts a run; `now` dates a verdict that needs no request.
    pub fn begin(service: &Service, subject: Subject, now: Timestamp) -> (Box<Self>, Step) {
        let mut ladder = Box::new(Self::new(service, subject, now));
        let step = ladder.first();
        (ladder, step)
    }

    fn new(service: &Service, subject: Subject, now: Timestamp) -> Self {
        Self {
            service: service.clone(),
            subject,
            plan: KeyPlan::Bare(None),
            pair: None,
            endpoint: None,
            through_index: false,
            stage: Stage::Idle,
            asked: Vec::new(),
            carried: 0,
            way_alone: 0,
            checks: Checks::default(),
            main: None,
            notes: Vec::new(),
            facts: Facts::default(),
            redirects: Vec::new(),
            correction: Correction::Unasked,
            warnings: Vec::new(),
            identity: None,
            version: None,
            retry_at: None,
            service_seen: false,
            accepted: None,
            attempt: None,
            quiet: None,
            last_good: None,
            token_only: false,
            now,
        }
    }

    /// Starts a run of the token rung alone.
    pub(super) fn begin_token(
        service: &Service,
        subject: Subject,
        now: Timestamp,
    ) -> (Box<Self>, Step) {
        let mut ladder = Box::new(Self::new(service, subject, now));
        ladder.token_only = true;
        let step = ladder.first_token();
        (ladder, step)
    }

    /// Takes the answer to the last [`Step::Ask`].
    pub fn answer(&mut self, answer: RungAnswer) -> Step {
        self.attempt = None;
        self.quiet = None;
        match answer {
            RungAnswer::Reply(reply) => self.heard(*reply),
            RungAnswer::Paused { until, why, by } => self.paused(until, &why, by),
            RungAnswer::Late { took, left } => self.late(took, left),
            RungAnswer::Unbooked(why) => self.unbooked(&why),
        }
    }

    fn heard(&mut self, reply: Reply) -> Step {
        let token = match &self.subject.token {
            SecretState::Present(token) => Some(token),
            SecretState::Absent | SecretState::Unavailable(_) | SecretState::Unrecordable(_) => {
                None
            }
        };
        let reply = sign::masked(charset::into_utf8(reply), self.pair(), token);
        self.now = self.now.max(clock::ended_at(&reply));
        self.quiet = clock::retry_at(&reply);
        self.replied(reply)
    }

    fn replied(&mut self, reply: Reply) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => self.over(),
            Stage::Reach => self.reached(reply),
            Stage::Bare => self.after_bare(reply),
            Stage::BareIndex(direct) => self.after_index(reply, *direct),
            Stage::BareCall(direct) => self.after_bare_call(reply, *direct),
            Stage::Key(scheme) => self.after_key(reply, scheme),
            Stage::OtherStyle(first, second, rejected) => {
                self.after_other(reply, (first, second), *rejected)
            }
            Stage::Compare(scheme) => self.after_compare(reply, scheme),
            Stage::Target(main) => self.after_target(reply, *main),
            Stage::Corrected(url, main) => self.after_corrected(reply, url, *main),
            Stage::Version(scheme) => self.after_version(reply, scheme),
            Stage::OwnToken => self.after_own_token(reply),
            Stage::Token => self.after_token(reply),
        }
    }

    /// Whether nobody waits for it: the interval came round.
    pub fn is_scheduled(&self) -> bool {
        self.subject.trigger == Trigger::Scheduled
    }

    /// Whether it has begun with the question whether the service is there, ahead of a key that is to be sent.
    pub fn asks_ahead_of_key(&self) -> bool {
        matches!(self.stage, Stage::Bare) && self.plan == KeyPlan::Send
    }

    /// What the rungs found so far, for live display.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// Username and key as they are sent (a pasted pair is split): what the gate books an attempt under.
    /// Nothing where no key is at hand.
    pub fn pair(&self) -> Option<(&str, &Secret)> {
        self.pair
            .as_ref()
            .map(|pair| (pair.username.as_str(), &pair.key))
    }

    /// Whether `url` is at the host of the connection's own URL, and not of a redirect or of the CMS beside it.
    pub fn is_at_home(&self, url: &Url) -> bool {
        // Where only a token is checked, what is asked first is the CMS; without a connection it is all there is.
        let own = Endpoint::parse(&self.subject.url).ok();
        let own = own.as_ref().or(self.endpoint.as_ref());
        own.and_then(|own| own.url().host_str()) == url.host_str()
    }

    /// Whether this host has taken the pair before, in this run or an earlier one.
    pub fn is_proven(&self) -> bool {
        self.accepted.is_some() || self.subject.past.accepted.is_some()
    }

    /// How the last request that carried the key ended, once it was answered: what the gate settles with.
    /// Nothing where the last request carried none.
    pub fn attempt_end(&self) -> Option<AttemptEnd> {
        self.attempt
    }

    /// Until when the last answer's host asked for quiet (429, `Retry-After`).
    pub fn quiet_until(&self) -> Option<Timestamp> {
        self.quiet
    }

    /// How the pair was accepted in this run, to be remembered for the next one.
    pub fn accepted(&self) -> Option<Accepted> {
        self.accepted.clone()
    }

    /// Whether the service was recognised at exactly this URL in this run.
    pub fn service_seen(&self) -> bool {
        self.service_seen
    }

    /// Whether it is asked through its fallback, `/index.php`, by now.
    pub fn is_through_index(&self) -> bool {
        self.through_index
    }

    /// The fingerprint of this run, where it ended in ok.
    pub fn take_last_good(&mut self) -> Option<LastGood> {
        self.last_good.take()
    }

    /// Whether one further request is within what this trigger allows: four in all for a bisect.
    fn has_room(&self) -> bool {
        self.subject.trigger != Trigger::Bisect || self.asked.len() < 4
    }

    /// The base in use: as typed, or with `/index.php` behind it.
    fn base(&self) -> Option<Endpoint> {
        let endpoint = self.endpoint.as_ref()?;
        match &self.service.text().requests.fallback {
            Some(fallback) if self.through_index => Some(endpoint.join(fallback)),
            _ => Some(endpoint.clone()),
        }
    }

    /// The URL of a request: `path` behind the base, or the URL as typed.
    fn url(&self, path: Option<&str>) -> Option<Url> {
        let mut url = match path {
            Some(path) => self.base()?.join(path).url().clone(),
            None => self.base()?.url().clone(),
        };
        url.set_fragment(None);
        Some(url)
    }

    /// Puts a request on its way.
    fn ask(&mut self, stage: Stage, rung: CheckId, url: Url, with: Authorization) -> Step {
        let stop_after = match stage {
            Stage::Reach => StopAfter::Reach,
            Stage::Idle
            | Stage::Bare
            | Stage::BareIndex(_)
            | Stage::BareCall(_)
            | Stage::Key(_)
            | Stage::OtherStyle(..)
            | Stage::Compare(_)
            | Stage::Target(_)
            | Stage::Corrected(..)
            | Stage::Version(_)
            | Stage::OwnToken
            | Stage::Token => StopAfter::Body,
        };
        self.stage = stage;
        self.asked.push(url.clone());
        let ask = Ask {
            rung,
            request: Request {
                method: "GET",
                url,
                headers: Vec::new(),
                authorization: with,
                stop_after,
            },
        };
        self.carried += usize::from(ask.carries_key());
        self.way_alone += usize::from(stop_after == StopAfter::Reach);
        Step::Ask(Box::new(ask))
    }
}
