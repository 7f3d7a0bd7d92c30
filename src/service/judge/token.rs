//! The answers to a signed `Verify`: always 200, told apart by `result`, since texts may be translated.

use crate::domain::text::inert;
use crate::domain::{AnsweredBy, Failure, Outcome, Reason, Reply};

use super::answered_by::Answerer;
use super::{AskedRung, Finding, Judged, clock, is_whole_json, recognise};

/// Judges the reply to a signed `Verify`. Where no bridge answered, the reason is that of the answer
/// itself (a refusal, a redirect, a failure), or `token-endpoint-absent`.
pub(in crate::service) fn judge(asked: AskedRung<'_>, reply: &Reply) -> Judged {
    let mut judged = super::judge(asked, reply);
    let response = match &reply.outcome {
        Outcome::Answered(response) => response,
        Outcome::Cut(response, Failure::ClosedEarly) if is_whole_json(&judged, response) => {
            response
        }
        Outcome::Cut(..) | Outcome::Failed(_) | Outcome::Reached => return judged,
    };
    let page = recognise::page(response);
    let result = page
        .json
        .as_ref()
        .and_then(|json| json.pointer("/result")?.as_str());
    match result {
        Some(result) => {
            let text = |at: &str| {
                let text = page
                    .json
                    .as_ref()
                    .and_then(|json| json.pointer(at)?.as_str());
                text.unwrap_or_default().to_owned()
            };
            judged.finding = match result {
                "success" if text("/data").eq_ignore_ascii_case("pong") => {
                    Reason::TokenValid.into()
                }
                "success" => Finding::variant(Reason::TokenEndpointAbsent, "other-call"),
                _ => refusal(&text("/error"), reply),
            };
            let said = inert(&text("/error"), 160);
            let said = (!said.is_empty()).then(|| format!("the bridge says: {said}"));
            let own = Some("the bridge: its own JSON".to_owned());
            judged.answerer = Answerer {
                by: AnsweredBy::Service,
                name: Some("the CMS's bridge".to_owned()),
                evidence: own.into_iter().chain(said).collect(),
            };
            judged.redirect = None;
        }
        // What stands before every page stands before this one too.
        None if judged.finding.reason == Reason::ChallengePage => {}
        // Its URL stands where that of the CMS belongs.
        None if judged.answerer.by == AnsweredBy::Service => {
            judged.finding = Finding::variant(Reason::TokenEndpointAbsent, "service");
        }
        None if matches!(response.status, 200..=299 | 404 | 410)
            || judged.finding.reason == Reason::NotTheService =>
        {
            judged.finding = Reason::TokenEndpointAbsent.into();
        }
        // A CMS that is switched off says so by itself: by 503.
        None if matches!(response.status, 502 | 504) => {}
        None => judged.finding = of_cms(judged.finding),
    }
    judged.page = Some(page);
    judged
}

/// The words for a CMS, where the common ones are about the service and its paths.
fn of_cms(finding: Finding) -> Finding {
    let is_common = matches!(finding.variant.as_deref(), None | Some("nginx"));
    let is_about_service = matches!(
        finding.reason,
        Reason::ServerPassword | Reason::ServerError | Reason::GatewayDown
    );
    if is_common && is_about_service {
        Finding::variant(finding.reason, "cms")
    } else {
        finding
    }
}

/// The bridge's own refusals. A text that is none of its known ones (a translation) leaves the clocks as
/// the only thing to be compared.
fn refusal(text: &str, reply: &Reply) -> Finding {
    let text = text.to_lowercase();
    if text.contains("signatures do not match") {
        Reason::TokenHeaderStripped.into()
    } else if text.contains("built signature") {
        Reason::TokenMismatch.into()
    } else if text.contains("is old") {
        Reason::TokenClock.into()
    } else if text.contains("is unknown") {
        Finding::variant(Reason::TokenEndpointAbsent, "other-call")
    } else if clock::skew(reply).is_some() {
        Reason::TokenClock.into()
    } else {
        Finding::variant(Reason::TokenMismatch, "untold")
    }
}
