//! What is said of a field before anything is asked: URL hints, cleaned pastes, the service that is meant.

use crate::domain::{Secret, ServiceId};

use super::catalog::{Catalog, Service};

/// Something that does not belong in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlHint {
    /// One plain sentence.
    pub say: String,
    /// The URL without it.
    pub corrected: String,
}

/// What `typed` has in it that does not belong there; nothing where it is fine or no URL at all.
pub fn url_hint(service: &Service, typed: &str) -> Option<UrlHint> {
    todo!()
}

/// A paste, cleaned. Nothing is changed silently: `notes` says what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned<T> {
    /// What belongs into the field.
    pub value: T,
    /// What belongs into the username's field, where a pair was pasted.
    pub username: Option<String>,
    /// What was cleaned or is odd, a sentence each.
    pub notes: Vec<String>,
}

/// Cleans a paste into the key's (or token's) field.
pub fn clean_secret(service: &Service, pasted: &Secret) -> Cleaned<Secret> {
    todo!()
}

/// Cleans a paste into the URL's or username's field.
pub fn clean_text(pasted: &str) -> Cleaned<String> {
    todo!()
}

/// The service that URL or username show, where it is another than `current`.
pub fn detect(
    catalog: &Catalog,
    current: &ServiceId,
    url: &str,
    username: &str,
) -> Option<ServiceId> {
    todo!()
}

/// What is odd about the shape of a key or username, one sentence; nothing where it fits.
pub fn odd_shape(service: &Service, username: &str, key: &Secret) -> Option<String> {
    todo!()
}
