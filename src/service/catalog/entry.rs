//! What is written about a reason, in general words: `switchboard explain`.

use std::collections::BTreeMap;

use super::format::ReasonText;
use super::words::{Template, pasted};
use super::{Catalog, Common, SHIPPED, Service};
use crate::domain::{Reason, ServiceId, Who};

/// What is written about a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonEntry {
    /// Which reason.
    pub reason: Reason,
    /// Its title.
    pub title: String,
    /// One plain sentence.
    pub cause: String,
    /// Who must act.
    pub who: Who,
    /// What to do.
    pub steps: Vec<String>,
    /// Something to paste.
    pub snippet: Option<String>,
    /// Where more is written.
    pub doc: Option<String>,
    /// The closer cases that the same reason has, each with words of its own.
    pub cases: Vec<Case>,
}

/// A closer case of a reason, such as a certificate that is signed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its title, where it is not that of the reason.
    pub title: Option<String>,
    /// One plain sentence.
    pub cause: String,
    /// Who must act.
    pub who: Who,
    /// What to do.
    pub steps: Vec<String>,
    /// Something to paste.
    pub snippet: Option<String>,
}

impl Catalog {
    /// What is written about `reason`, in the words of `service` where it has some.
    pub fn entry(&self, reason: Reason, service: Option<&ServiceId>) -> ReasonEntry {
        let service = service.and_then(|id| self.services.get(id));
        let general = |template: &Template| in_general(template, service);
        let parts: Vec<&Common> = service
            .map(|service| service.own.as_ref())
            .into_iter()
            .chain([self.common.as_ref(), &*SHIPPED])
            .collect();
        let texts = |key: &str| {
            let found = parts.iter().filter_map(|part| part.reason.get(key));
            found.collect::<Vec<&ReasonText>>()
        };
        let found = texts(reason.id());
        let title = found.iter().find_map(|text| text.title.as_ref());
        let title = title.map_or_else(|| reason.title().to_owned(), general);
        let Some(text) = found.first() else {
            return ReasonEntry::bare(reason);
        };
        ReasonEntry {
            reason,
            title: sentence(title),
            cause: sentence(general(&text.cause)),
            who: text.who,
            steps: text.steps.iter().map(general).collect(),
            snippet: text.snippet.as_deref().map(in_general_too),
            doc: text.doc.clone(),
            cases: cases(reason, &parts, service),
        }
    }
}

/// The variants of `reason`, each once, a service's own words before the common ones.
fn cases(reason: Reason, parts: &[&Common], service: Option<&Service>) -> Vec<Case> {
    let prefix = format!("{}/", reason.id());
    let mut texts: BTreeMap<&str, &ReasonText> = BTreeMap::new();
    for (key, text) in parts.iter().flat_map(|part| &part.reason) {
        if let Some(variant) = key.strip_prefix(&prefix) {
            texts.entry(variant).or_insert(text);
        }
    }
    let general = |template: &Template| in_general(template, service);
    let case = |text: &ReasonText| Case {
        title: text.title.as_ref().map(general).map(sentence),
        cause: sentence(general(&text.cause)),
        who: text.who,
        steps: text.steps.iter().map(general).collect(),
        snippet: text.snippet.as_deref().map(in_general_too),
    };
    texts.into_values().map(case).collect()
}

fn in_general_too(snippet: &str) -> String {
    pasted(snippet, |_| None)
}

fn in_general(template: &Template, service: Option<&Service>) -> String {
    template.fill(|name| match name {
        "service" => Some(service?.title().to_owned()),
        "fallback" => service?.text().requests.fallback.clone(),
        _ => None,
    })
}

/// A sentence that begins with general words begins with a capital.
fn sentence(text: String) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text,
    }
}

impl ReasonEntry {
    fn bare(reason: Reason) -> Self {
        Self {
            reason,
            title: reason.title().to_owned(),
            cause: reason.title().to_owned(),
            who: Who::You,
            steps: Vec::new(),
            snippet: None,
            doc: None,
            cases: Vec::new(),
        }
    }
}
