//! The judge: what an answer means, and who sent it.
//!
//! [`recognise`] reads the body, [`answered_by`] weighs who sent it, [`rules`] finds the reason in the
//! tables of `assets/services`, [`failure`] and [`tls`] do it for requests without an answer, [`redirect`]
//! for answers that point elsewhere, [`wrapped`] for those that stand inside of a page, [`cached`] for those that
//! a cache had kept, [`token`] for the signed check, and [`conclude`] makes the verdict.

pub(super) mod answered_by;
mod cached;
pub(super) mod changes;
pub(super) mod charset;
pub(super) mod clock;
pub(super) mod conclude;
pub(super) mod facts;
pub(super) mod failure;
pub(super) mod recognise;
pub(super) mod redirect;
pub(super) mod rules;
pub(super) mod tls;
pub(super) mod token;
pub(super) mod wrapped;

use url::Url;

use crate::domain::{AnsweredBy, Endpoint, Failure, Outcome, Reason, Reply, Response, State};

use super::catalog::Service;
use super::catalog::condition::Rung;
use answered_by::Answerer;
use recognise::HtmlPage;
use redirect::Redirect;

pub use cached::from_cache;
pub use changes::last_good;
pub use clock::quiet_until;
pub use failure::reason_of;

/// A reason, and which of its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) reason: Reason,
    pub(super) variant: Option<String>,
}

impl Finding {
    pub(super) fn new(reason: Reason) -> Self {
        Self {
            reason,
            variant: None,
        }
    }

    pub(super) fn variant(reason: Reason, variant: &str) -> Self {
        Self {
            reason,
            variant: Some(variant.to_owned()),
        }
    }
}

impl From<Reason> for Finding {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

/// What was asked, so that its answer can be judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskedRung<'a> {
    pub(super) service: &'a Service,
    pub(super) rung: Rung,
    /// The base URL as typed.
    pub(super) endpoint: &'a Endpoint,
    /// The URL that was asked.
    pub(super) url: &'a Url,
}

/// An answer, judged.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) finding: Finding,
    pub(super) answerer: Answerer,
    /// The body, where there was one.
    pub(super) page: Option<HtmlPage>,
    /// Where it points to.
    pub(super) redirect: Option<Redirect>,
    /// What the service's answer would mean that stands inside of a page.
    pub(super) within: Option<Reason>,
    /// 0 where no HTTP response was received.
    pub(super) status: u16,
}

impl Judged {
    /// A verdict without an answer.
    pub(super) fn unasked(finding: impl Into<Finding>) -> Self {
        Self {
            finding: finding.into(),
            answerer: Answerer::of(AnsweredBy::Nobody),
            page: None,
            redirect: None,
            within: None,
            status: 0,
        }
    }
}

/// Judges one reply. [`Outcome::Reached`] has nothing to judge: it means only that the way is free.
pub(super) fn judge(asked: AskedRung<'_>, reply: &Reply) -> Judged {
    match &reply.outcome {
        Outcome::Reached => Judged::unasked(Reason::ServiceFound),
        Outcome::Failed(failure) => Judged {
            answerer: failure::answerer(failure),
            status: failure::status(failure),
            ..Judged::unasked(failure::of_here(
                failure::finding(failure, reply),
                reply,
                asked.url,
            ))
        },
        Outcome::Cut(response, failure) => {
            let mut judged = judge_response(asked, reply, response);
            // Many small servers close without a word of TLS's: JSON that is whole says that nothing is missing.
            if *failure == Failure::ClosedEarly && is_whole_json(&judged, response) {
                return judged;
            }
            judged.finding = failure::cut(failure);
            judged.redirect = None;
            judged
        }
        Outcome::Answered(response) => judge_response(asked, reply, response),
    }
}

/// Whether the body is JSON from its beginning to its end, and no header says that more was to come.
fn is_whole_json(judged: &Judged, response: &Response) -> bool {
    let of_length = |name: &str| response.header(name).is_some();
    let page = judged.page.as_ref();
    page.is_some_and(|page| page.json.is_some() && page.noise.is_none())
        && !of_length("content-length")
        && !of_length("transfer-encoding")
}

fn judge_response(asked: AskedRung<'_>, reply: &Reply, response: &Response) -> Judged {
    let page = recognise::page(response);
    let redirect = redirect::read(asked.url, response);
    let mut seen = rules::ReplyFacts {
        asked,
        response,
        page: &page,
        by: None,
        // Within a tunnel the proxy says nothing.
        proxied: reply.proxy.is_some() && asked.url.scheme() == "http",
    };
    let answerer = answered_by::weigh(&seen);
    seen.by = Some(answerer.by);
    let finding = if recognise::is_unreadable(response, &page) {
        Finding::variant(Reason::ReplyCut, "coding")
    } else if recognise::breaks_off(response, &page) {
        Finding::variant(Reason::ReplyCut, "json")
    } else {
        rules::finding(&seen, redirect.as_ref())
    };
    let mut judged = Judged {
        finding,
        answerer,
        within: None,
        status: response.status,
        redirect,
        page: None,
    };
    if may_hide_the_service(&judged)
        && let Some(wrapped) = wrapped::read(&seen)
    {
        judged.within = Some(wrapped.reason);
        // A 500 is down, whatever its page holds.
        if judged.finding.reason.state() != State::Down {
            judged.finding = Finding::variant(Reason::NotTheService, "wrapped");
            judged.answerer = wrapped.answerer;
        }
    }
    judged.page = Some(page);
    judged
}

/// Whether the service's own words may stand in what was judged to be somebody else's.
fn may_hide_the_service(judged: &Judged) -> bool {
    let is_of_others = matches!(
        judged.finding.reason,
        Reason::ChallengePage
            | Reason::WafBlock
            | Reason::CdnBlock
            | Reason::RateLimited
            | Reason::ReplyCut
    );
    judged.answerer.by != AnsweredBy::Service && judged.redirect.is_none() && !is_of_others
}
