//! From a finding to the verdict: words filled in, evidence gathered, what has changed said.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::domain::endpoint::{redacted, secret_parameter};
use crate::domain::text::inert;
use crate::domain::{
    AnsweredBy, Checks, Endpoint, Identity, Phases, Reason, Remedy, Repeated, Reply, State,
    Verdict, Who,
};

use super::facts::{FactSources, Facts, message};
use super::{Finding, Judged, changes, clock, redirect, tls};
use crate::service::catalog::Service;
use crate::service::catalog::format::{Fix, ReasonText};
use crate::service::catalog::words::{Template, pasted};
use crate::service::hints;
use crate::service::subject::Subject;

/// Everything that a verdict is made of.
#[derive(Debug)]
pub(in crate::service) struct Ending<'a> {
    pub(in crate::service) service: &'a Service,
    pub(in crate::service) subject: &'a Subject,
    /// The URL as typed, where it is one.
    pub(in crate::service) endpoint: Option<&'a Endpoint>,
    /// The path that was asked behind it.
    pub(in crate::service) suffix: &'a str,
    pub(in crate::service) finding: Finding,
    /// The answer that the verdict rests on, and what was made of it.
    pub(in crate::service) judged: Option<&'a Judged>,
    pub(in crate::service) reply: Option<&'a Reply>,
    /// What was found out on the way.
    pub(in crate::service) noted: &'a Facts,
    /// Further lines, inert.
    pub(in crate::service) notes: &'a [String],
    pub(in crate::service) redirects: &'a [String],
    pub(in crate::service) identity: Option<&'a Identity>,
    pub(in crate::service) version: Option<&'a str>,
    pub(in crate::service) retry_at: Option<Timestamp>,
    pub(in crate::service) correction: Correction,
    pub(in crate::service) checks: &'a Checks,
    pub(in crate::service) now: Timestamp,
}

/// What asking has shown of a corrected URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service) enum Correction {
    /// None was asked.
    Unasked,
    /// The service answers at this one, or it says what was meant.
    Found(String),
    /// The redirect leads where the service is not: nobody is told to use that.
    TargetFails,
}

const LINES: usize = 16;

/// Makes the verdict.
pub(in crate::service) fn verdict(ending: &Ending<'_>) -> Verdict {
    let words = ending
        .service
        .words(ending.finding.reason, ending.finding.variant.as_deref());
    let url = corrected_url(ending, words);
    let retry_at = ending
        .retry_at
        .or_else(|| ending.reply.and_then(clock::retry_at));
    let facts = FactSources {
        service: ending.service,
        endpoint: ending.endpoint,
        judged: ending.judged,
        reply: ending.reply,
        noted: ending.noted,
        connection: ending.subject.connection.as_ref(),
        fix: url.as_deref(),
        retry_at,
    };
    let title = title(ending, facts);
    let (cause, mut remedy) = text(words, ending.finding.reason, facts);
    let other_names = other_names(ending);
    if other_names.is_some() {
        remedy.steps.insert(0, of_other_names(ending));
    }
    let mut verdict = Verdict {
        connection: ending.subject.connection.clone(),
        service: ending.subject.service.clone(),
        url: shown_url(ending),
        reason: ending.finding.reason,
        status: status(ending),
        title,
        cause,
        answered_by: ending
            .judged
            .map_or(AnsweredBy::Nobody, |judged| judged.answerer.by),
        evidence: evidence(ending, other_names),
        remedy,
        checks: ending.checks.clone(),
        addresses: ending
            .reply
            .map(|reply| reply.addresses.clone())
            .unwrap_or_default(),
        phases: ending
            .reply
            .map_or_else(Phases::default, |reply| reply.phases),
        tls: ending.reply.and_then(|reply| reply.tls.clone()),
        identity: ending.identity.cloned(),
        service_version: ending.version.map(str::to_owned),
        redirects: ending.redirects.to_vec(),
        retry_at,
        changed_since_last_good: Vec::new(),
        at: ending.now,
    };
    if verdict.state() != State::Ok
        && let Some(last) = &ending.subject.past.last_good
    {
        let now = changes::last_good(&verdict, server(ending.reply));
        verdict.changed_since_last_good = changes::changed(last, &now);
    }
    verdict
}

/// What the certificate is for, where it fails otherwise and is another site's as well.
fn other_names(ending: &Ending<'_>) -> Option<String> {
    let (endpoint, reply) = (ending.endpoint?, ending.reply?);
    reply.tls.as_ref()?;
    let host = endpoint.host();
    let names = tls::also_for_others(reply, &host)?;
    Some(format!("it is for {names}, not for {host}"))
}

/// The step before all others then.
fn of_other_names(ending: &Ending<'_>) -> String {
    let host = ending.endpoint.map(Endpoint::host).unwrap_or_default();
    format!(
        "The certificate is for other names besides, so {host} has no site with one of its own there: have that set up \
         first, or check that the name leads to the right server."
    )
}

/// The `Server` header of an answer.
pub(in crate::service) fn server(reply: Option<&Reply>) -> Option<&str> {
    clock::response(reply?)?.header("server")
}

/// The URL that is offered instead, where one is known.
fn corrected_url(ending: &Ending<'_>, words: Option<&ReasonText>) -> Option<String> {
    let by_words = || {
        let endpoint = ending.endpoint?;
        fixed(
            words?.fix?,
            ending.service,
            endpoint,
            ending.judged,
            ending.suffix,
        )
    };
    let fix = words.and_then(|words| words.fix);
    let leads_there = matches!(fix, Some(Fix::Redirect | Fix::Https));
    // Another program may be in the folder above: that is offered once it was asked.
    let guessed = ending.finding.variant.as_deref() == Some("below");
    let url = match &ending.correction {
        Correction::Found(url) => Some(url.clone()),
        Correction::TargetFails if leads_there => None,
        Correction::Unasked if guessed => None,
        Correction::Unasked | Correction::TargetFails => by_words(),
    };
    // One that carries a secret along is not offered: it would be shown, and saved.
    url.filter(|url| secret_parameter(url).is_none())
}

fn shown_url(ending: &Ending<'_>) -> String {
    ending.endpoint.map_or_else(
        || inert(&redacted(&ending.subject.url), 200),
        Endpoint::redacted,
    )
}

/// The status of the answer, but for a stripped header: there it is the 401 that Basic got, whether in
/// this run or before.
fn status(ending: &Ending<'_>) -> u16 {
    match ending.finding.reason {
        Reason::AuthorizationStripped => 401,
        _ => ending.judged.map_or(0, |judged| judged.status),
    }
}

fn title(ending: &Ending<'_>, facts: FactSources<'_>) -> String {
    let Finding { reason, variant } = &ending.finding;
    ending
        .service
        .title_of(*reason, variant.as_deref())
        .map_or_else(
            || reason.title().to_owned(),
            |title| title.fill(|name| facts.get(name)),
        )
}

fn text(words: Option<&ReasonText>, reason: Reason, facts: FactSources<'_>) -> (String, Remedy) {
    let mut remedy = Remedy {
        who: Who::You,
        steps: Vec::new(),
        snippet: None,
        url: facts.fix.map(str::to_owned),
        doc: None,
    };
    let Some(words) = words else {
        return (reason.title().to_owned(), remedy);
    };
    let fill = |name: &str| facts.get(name);
    remedy.who = words.who;
    // Where no corrected URL is known, nobody is told to use it, unless nothing else is to be said.
    let can_be_taken = |step: &&Template| facts.fix.is_some() || !step.names("fix");
    let steps = words.steps.iter();
    let steps = if steps.clone().any(|step| can_be_taken(&step)) {
        steps.filter(can_be_taken).collect::<Vec<_>>()
    } else {
        steps.collect()
    };
    remedy.steps = steps.iter().map(|step| step.fill(fill)).collect();
    remedy.snippet = words.snippet.as_deref().map(|text| pasted(text, fill));
    remedy.doc.clone_from(&words.doc);
    (sentence(words.cause.fill(fill)), remedy)
}

/// A sentence that begins with a general word begins with a capital; names stay as they are written.
fn sentence(text: String) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text,
    }
}

/// What a 401 asks for, in its own words: which scheme, and often why (RFC 6750 has `error_description`).
fn challenge(reply: &Reply) -> Option<String> {
    let response = clock::response(reply)?;
    let challenges = response.headers.iter();
    let asked: Vec<String> = challenges
        .filter(|(name, _)| response.status == 401 && name == "www-authenticate")
        .map(|(_, value)| inert(value, 200))
        .collect();
    (!asked.is_empty()).then(|| format!("it asks for: {}", asked.join(", ")))
}

fn evidence(ending: &Ending<'_>, other_names: Option<String>) -> Vec<String> {
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    if let Some(judged) = ending.judged {
        lines.extend(judged.answerer.evidence.iter().map(Cow::from));
        if lines.is_empty() && judged.status > 0 {
            let line = format!("status {}, and nothing says who sent it", judged.status);
            lines.push(line.into());
        }
        if let Some(page) = &judged.page {
            lines.extend(
                page.title
                    .iter()
                    .map(|title| format!("page title: {title}").into()),
            );
            lines.extend(page.noise.iter().map(|noise| noise.line().into()));
            // What a refusal says for itself is often all there is to know.
            let said = page.json.as_ref().and_then(message);
            let is_refusal = judged.status >= 400 && ending.finding.reason != Reason::ServiceFound;
            let said = said.filter(|_| is_refusal);
            lines.extend(said.map(|said| format!("it says: {said}").into()));
        }
        let is_own_page = ending.finding.variant.as_deref() == Some("page");
        let said = ending.reply.and_then(clock::response);
        let said = said.filter(|_| is_own_page && judged.status == 403);
        let said = said.and_then(super::recognise::words);
        lines.extend(said.map(|said| format!("the page says: {said}").into()));
        if let Some(target) = &judged.redirect {
            lines.push(format!("redirects to {}", target.shown()).into());
        }
        lines.extend(ending.reply.and_then(challenge).map(Cow::from));
    }
    if let Some(reply) = ending.reply {
        lines.extend(tls::evidence(reply).into_iter().map(Cow::from));
        lines.extend(other_names.map(Cow::from));
        lines.extend(clock::skew(reply).map(|skew| clock::skew_line(skew).into()));
        lines.extend(
            reply
                .proxy
                .iter()
                .map(|proxy| through(proxy, ending).into()),
        );
        lines.extend(reply.repeated.map(|what| repeated(what).into()));
    }
    lines.extend(ending.notes.iter().map(Cow::from));
    let mut said: Vec<String> = Vec::new();
    for line in lines {
        let line = inert(&line, 240);
        if !said.contains(&line) && said.len() < LINES {
            said.push(line);
        }
    }
    said
}

/// What was asked a second time, and why.
const fn repeated(what: Repeated) -> &'static str {
    match what {
        Repeated::OverHttp1 => {
            "the server wants HTTP/1.1 for this (HTTP_1_1_REQUIRED), so it was asked once more, over that"
        }
        Repeated::Tunnel => {
            "the proxy was asked once more for the same connection: that is the status it gave then"
        }
    }
}

/// How the proxy is named. What goes over plain http is asked of the proxy itself, whose pages nothing tells from the
/// host's.
fn through(proxy: &str, ending: &Ending<'_>) -> String {
    let plain = ending.endpoint.is_some_and(Endpoint::is_plain);
    let by_service = |judged: &Judged| judged.answerer.by == AnsweredBy::Service;
    // What is said of the proxy itself then leaves no doubt.
    let plain = plain && ending.finding.reason != Reason::ProxyFailed;
    if plain && !ending.judged.is_some_and(by_service) {
        format!("asked through the proxy {proxy}, which may have answered in the host's place")
    } else {
        format!("asked through the proxy {proxy}")
    }
}

/// The corrected URL of a judged answer, where one can be told.
pub(in crate::service) fn corrected(
    service: &Service,
    endpoint: &Endpoint,
    judged: &Judged,
    suffix: &str,
) -> Option<String> {
    let finding = &judged.finding;
    let fix = service
        .words(finding.reason, finding.variant.as_deref())?
        .fix?;
    fixed(fix, service, endpoint, Some(judged), suffix)
}

fn fixed(
    fix: Fix,
    service: &Service,
    endpoint: &Endpoint,
    judged: Option<&Judged>,
    suffix: &str,
) -> Option<String> {
    let stripped = || hints::stripped(service, endpoint).map(|endpoint| endpoint.shown());
    match fix {
        Fix::Strip => stripped(),
        Fix::Https => match judged.and_then(|judged| judged.redirect.as_ref()) {
            Some(redirect) => {
                redirect::base(&redirect.target, suffix).or_else(|| hints::with_https(endpoint))
            }
            None => hints::with_https(endpoint),
        },
        // A port of its own speaks either http or https: which one speaks the other is not known.
        Fix::HttpsOfHost if endpoint.url().port().is_none() => hints::with_https(endpoint),
        Fix::HttpsOfHost => None,
        Fix::Redirect => {
            let target = &judged?.redirect.as_ref()?.target;
            redirect::base(target, suffix).or_else(|| redirect::renamed(target, endpoint))
        }
        Fix::GuessOfOthers if hints::is_beside_example(service, endpoint) => None,
        Fix::Guess | Fix::GuessOfOthers => {
            let guessed = hints::guessed(service, endpoint)?.shown();
            (guessed != endpoint.shown()).then_some(guessed)
        }
        Fix::Parent => stripped().or_else(|| {
            let segments = endpoint.segments().len();
            (segments > 0).then(|| endpoint.truncated(segments - 1).shown())
        }),
    }
}
