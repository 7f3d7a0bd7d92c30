//! What is said of a field before anything is asked: the service room's hints, by the service's id.

use super::model::UrlHint;
use crate::domain::{Endpoint, Secret, ServiceId};

/// A paste, cleaned.
pub(super) struct Cleaned<T> {
    pub(super) value: T,
    pub(super) username: Option<String>,
    pub(super) notes: Vec<String>,
}

pub(super) fn url_hint(_service: &ServiceId, typed: &str) -> Option<UrlHint> {
    let endpoint = Endpoint::parse(typed).ok()?;
    let at = endpoint
        .segments()
        .iter()
        .position(|s| *s == "api" || *s == "admin")?;
    Some(UrlHint {
        text: "the path does not belong in the URL".to_owned(),
        url: Some(endpoint.truncated(at).shown()),
    })
}

pub(super) fn detect(current: &ServiceId, url: &str, username: &str) -> Option<ServiceId> {
    let connect = url.contains("/public/v1") || username.trim().starts_with("SU-");
    Some(ServiceId::connect()).filter(|id| connect && id != current)
}

pub(super) fn clean_secret(_service: &ServiceId, pasted: &Secret) -> Cleaned<Secret> {
    Cleaned {
        value: pasted.clone(),
        username: None,
        notes: Vec::new(),
    }
}

pub(super) fn clean_text(pasted: &str) -> Cleaned<String> {
    let joined: String = pasted.chars().filter(|c| !c.is_control()).collect();
    let value = joined.trim().to_owned();
    let changed = value != pasted;
    Cleaned {
        value,
        username: None,
        notes: changed
            .then(|| "blanks or line ends were taken off".to_owned())
            .into_iter()
            .collect(),
    }
}

pub(super) fn odd_shape(_service: &ServiceId, _username: &str, _key: &Secret) -> Option<String> {
    None
}
