//! What is said of a field before anything is asked: the service room's hints, by the service's id.

use super::model::UrlHint;
use crate::domain::{Secret, ServiceId};
use crate::service::Catalog;
use crate::service::hints::{self, Cleaned, Command, KeyPaste};

/// What does not belong in the URL, with the URL without it.
pub(super) fn url_hint(catalog: &Catalog, service: &ServiceId, typed: &str) -> Option<UrlHint> {
    let hint = hints::url_hint(catalog.get(service)?, typed)?;
    Some(UrlHint {
        text: hint.say,
        url: Some(hint.corrected),
    })
}

/// A paste into the key's field, cleaned; a pair is divided.
pub(super) fn clean_key(
    catalog: &Catalog,
    service: &ServiceId,
    pasted: &Secret,
) -> Cleaned<Secret> {
    match catalog.get(service) {
        Some(service) => hints::clean_secret(service, pasted),
        None => hints::clean_whole(pasted),
    }
}

/// A paste into the key's field, which may be more than a key.
pub(super) fn read_key(catalog: &Catalog, service: &ServiceId, pasted: &Secret) -> KeyPaste {
    match catalog.get(service) {
        Some(service) => hints::read_key(service, pasted),
        None => KeyPaste::Secret(hints::clean_whole(pasted)),
    }
}

/// Whether a paste is several values, or one behind its label.
pub(super) fn is_entry(catalog: &Catalog, service: &ServiceId, pasted: &str) -> bool {
    let service = catalog.get(service);
    hints::is_divided(pasted) || service.is_some_and(|service| hints::is_entry(service, pasted))
}

/// Whether a key, or more than one value, stands in a line that is none of a field's.
pub(super) fn hides_key(catalog: &Catalog, service: &ServiceId, pasted: &str) -> bool {
    let service = catalog.get(service);
    hints::is_divided(pasted) || service.is_some_and(|service| hints::hides_key(service, pasted))
}

/// A whole curl command, lines of their own for URL, user name and key, or a key alone, pasted where anybody reads.
pub(super) fn command(catalog: &Catalog, service: &ServiceId, pasted: &str) -> Option<Command> {
    let service = catalog.get(service)?;
    hints::command(service, pasted).or_else(|| hints::entry(service, pasted))
}

/// Whether the pair is of a shape that is sent on somebody's wish alone.
pub(super) fn waits_for_wish(
    catalog: &Catalog,
    service: &ServiceId,
    username: &str,
    key: &Secret,
) -> bool {
    catalog.get(service).is_some_and(|service| {
        let (username, cleaned) = hints::as_sent(service, username, key);
        hints::odd_shape(service, &username, &cleaned.value).is_some()
    })
}

/// What is odd about the shape of the pair.
pub(super) fn odd_shape(
    catalog: &Catalog,
    service: &ServiceId,
    username: &str,
    key: &Secret,
) -> Option<String> {
    hints::odd_shape(catalog.get(service)?, username, key)
}
