//! From a URL as another program has it to the URL that a connection needs, and the service that is there.

use super::CandidateValue;
use crate::domain::endpoint::is_secret_parameter;
use crate::domain::text::inert;
use crate::domain::{Endpoint, Secret, ServiceId, UrlProblem};
use crate::service::Catalog;
use crate::service::hints;
use crate::service::shell::{CLOSE, OPEN};

/// Where a connection goes.
pub(super) struct Place {
    pub(super) service: ServiceId,
    pub(super) url: String,
    /// A pair that stood in the URL.
    pub(super) pair: Option<(String, Option<CandidateValue>)>,
    pub(super) notes: Vec<String>,
}

/// Why a text is no place that a connection can go to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlaceProblem {
    /// The shell would know more.
    #[error("its URL holds a variable, whose value is not known here")]
    Variable,
    /// No URL.
    #[error(transparent)]
    Url(#[from] UrlProblem),
}

/// Reads `typed`; `known` is the service where something else than the URL has told it.
pub(super) fn place(
    catalog: &Catalog,
    typed: &str,
    known: Option<ServiceId>,
) -> Result<Place, PlaceProblem> {
    if typed.contains(OPEN) {
        return Err(PlaceProblem::Variable);
    }
    let mut notes = Vec::new();
    let mut pair = None;
    let endpoint = match Endpoint::parse(typed) {
        Ok(endpoint) => endpoint,
        Err(UrlProblem::UserInfo {
            username,
            password,
            rest,
        }) => {
            notes.push("the pair that stood in the URL was moved to its fields".to_owned());
            pair = Some((username, password.map(CandidateValue::Known)));
            Endpoint::parse(&rest)?
        }
        Err(problem) => return Err(problem.into()),
    };
    let service = known.unwrap_or_else(|| detected(catalog, &endpoint));
    let endpoint = without_secrets(endpoint, &mut notes);
    Ok(Place {
        url: base(catalog, &service, &endpoint, &mut notes),
        service,
        pair,
        notes,
    })
}

/// The service that the URL alone shows.
fn detected(catalog: &Catalog, endpoint: &Endpoint) -> ServiceId {
    if let Some(service) = hints::detect(catalog, &ServiceId::http(), &endpoint.shown(), "") {
        return service;
    }
    let segments = endpoint.segments();
    let call = segments.last().is_some_and(|last| {
        [".json", ".xml", ".php"]
            .iter()
            .any(|end| last.to_ascii_lowercase().ends_with(end))
    });
    // `…/api/clients/get.json`: three segments from `api` on.
    let at = segments.iter().position(|segment| *segment == "api");
    match at {
        Some(at) if call && segments.len() == at + 3 => ServiceId::blesta(),
        _ => ServiceId::http(),
    }
}

/// The service's base: what stands before the path of a call.
fn base(
    catalog: &Catalog,
    service: &ServiceId,
    endpoint: &Endpoint,
    notes: &mut Vec<String>,
) -> String {
    let service = catalog.get(service);
    let shorter = service.and_then(|service| {
        let base = hints::base_of_call(service, endpoint);
        base.or_else(|| hints::stripped(service, endpoint))
    });
    let Some(shorter) = shorter.filter(|shorter| shorter.shown() != endpoint.shown()) else {
        return endpoint.shown();
    };
    let shorter = shorter.shown();
    notes.push(format!(
        "the URL is the service's own, {}, not that of one call",
        inert(&shorter, 120)
    ));
    shorter
}

/// Takes query parameters out that carry secrets by their names: they would stand in the configuration.
pub(super) fn without_secrets(endpoint: Endpoint, notes: &mut Vec<String>) -> Endpoint {
    let mut url = endpoint.url().clone();
    let all: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (secret, kept): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(name, value)| is_secret_parameter(name, value));
    if secret.is_empty() {
        return endpoint;
    }
    for (name, _) in &secret {
        notes.push(format!(
            "the parameter {} was left out of the URL: a secret does not belong in the configuration",
            inert(name, 40)
        ));
    }
    if kept.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(&kept);
    }
    Endpoint::parse(url.as_str()).unwrap_or(endpoint)
}

/// `user:key` as a text has it.
pub(super) fn pair(text: &str) -> (String, Option<CandidateValue>) {
    match text.split_once(':') {
        Some((user, key)) => (user.to_owned(), Some(value(key))),
        None => (text.to_owned(), None),
    }
}

/// A secret as a word has it: a variable, or the value.
pub(super) fn value(text: &str) -> CandidateValue {
    let text = text.trim();
    let name = text
        .strip_prefix(OPEN)
        .and_then(|rest| rest.strip_suffix(CLOSE))
        .filter(|name| !name.is_empty() && !name.contains(OPEN));
    match name {
        Some(name) => CandidateValue::Variable(name.to_owned()),
        None => CandidateValue::Known(Secret::new(text)),
    }
}

/// The name of a connection to `url` that nobody named: its host.
pub(super) fn host(url: &str) -> String {
    Endpoint::parse(url).map_or_else(|_| String::new(), |endpoint| endpoint.host())
}
