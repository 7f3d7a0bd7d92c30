//! The tables' rules: the first that fits gives the reason.

use crate::domain::{AnsweredBy, Reason, Response};

use super::recognise::HtmlPage;
use super::redirect::Redirect;
use super::{AskedRung, Finding};
use crate::service::catalog::condition::Condition;
use crate::service::hints;

/// Everything that a condition can look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplyFacts<'a> {
    pub(super) asked: AskedRung<'a>,
    pub(super) response: &'a Response,
    pub(super) page: &'a HtmlPage,
    /// Nobody yet while that is being found out.
    pub(super) by: Option<AnsweredBy>,
    pub(super) proxied: bool,
}

/// The reason that an answer gives.
pub(super) fn finding(seen: &ReplyFacts<'_>, redirect: Option<&Redirect>) -> Finding {
    let fits = seen
        .asked
        .service
        .rules()
        .find(|rule| seen.holds(&rule.when));
    match (fits, redirect) {
        (Some(rule), _) => Finding {
            reason: rule.reason,
            variant: rule.variant.clone(),
        },
        (None, Some(redirect)) => redirect.finding(),
        (None, None) if matches!(seen.response.status, 301 | 302 | 303 | 307 | 308) => {
            Finding::variant(Reason::UnexpectedStatus, "no-target")
        }
        (None, None) => Finding::new(Reason::UnexpectedStatus),
    }
}

impl ReplyFacts<'_> {
    /// Whether everything in `condition` holds.
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        self.fits_request(condition) && self.fits_head(condition) && self.fits_body(condition)
    }

    fn fits_request(&self, condition: &Condition) -> bool {
        condition.rung.is_none_or(|rung| rung == self.asked.rung)
            && condition
                .through_proxy
                .is_none_or(|proxied| proxied == self.proxied)
            && condition
                .url_is_odd
                .is_none_or(|odd| odd == self.url_is_odd())
    }

    fn fits_head(&self, condition: &Condition) -> bool {
        let status = self.response.status;
        let headers = &self.response.headers;
        any(&condition.status, |statuses| statuses.holds(status))
            && (condition.by.is_empty() || self.by.is_some_and(|by| condition.by.contains(&by)))
            && condition.header.iter().all(|header| {
                header.holds(
                    headers
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_str())),
                )
            })
            && self.fits_location(condition)
    }

    fn fits_body(&self, condition: &Condition) -> bool {
        let page = self.page;
        any(&condition.body, |kind| *kind == page.kind)
            && condition
                .noise
                .is_none_or(|noise| noise == page.noise.is_some())
            && condition
                .shorter_than
                .is_none_or(|limit| page.bytes < limit)
            && any(&condition.title, |part| {
                page.title
                    .as_ref()
                    .is_some_and(|title| title.to_lowercase().contains(part.as_str()))
            })
            && any(&condition.text, |part| page.lower.contains(part.as_str()))
            && any(&condition.begins, |part| {
                page.lower.starts_with(part.as_str())
            })
            && (condition.json.is_empty()
                || page
                    .json
                    .as_ref()
                    .is_some_and(|json| condition.json.iter().all(|place| place.holds(json))))
    }

    fn url_is_odd(&self) -> bool {
        hints::odd_segment(self.asked.service, self.asked.endpoint).is_some()
    }

    fn fits_location(&self, condition: &Condition) -> bool {
        if condition.location.is_empty() && condition.location_below_url.is_none() {
            return true;
        }
        let Some(target) = super::redirect::target(self.asked.url, self.response) else {
            return false;
        };
        let path = target.path().to_lowercase();
        let below = || {
            let base = self.asked.endpoint.segments();
            let path: Vec<&str> = target.path().split('/').filter(|s| !s.is_empty()).collect();
            !base.is_empty() && path.starts_with(&base)
        };
        any(&condition.location, |part| path.contains(part.as_str()))
            && condition
                .location_below_url
                .is_none_or(|wanted| wanted == below())
    }
}

/// Whether a list is empty, or one of it fits.
fn any<T>(list: &[T], fits: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(fits)
}
