//! What a service's keys and user names look like, as its file says: whether a value is one, and what is said where a
//! field holds something else. A rule each; what holds for all services stands in [`crate::domain::shape`].

use super::catalog::Service;
use super::catalog::format::ServiceField;
use crate::domain::{Secret, shape};

impl ServiceField {
    /// Whether a value has the shape of the field. Says nothing else about it.
    pub fn fits(&self, value: &Secret) -> bool {
        let length = value.length();
        self.hex.is_none_or(|digits| value.is_hex(digits))
            && self.min.is_none_or(|min| length >= min)
            && self.max.is_none_or(|max| length <= max)
            && self
                .starts
                .as_ref()
                .is_none_or(|start| value.starts_with(start))
    }

    /// Whether not just anything of some length fits.
    const fn has_shape(&self) -> bool {
        self.hex.is_some() || self.starts.is_some()
    }

    fn words(&self) -> &str {
        self.shape.as_deref().unwrap_or("as the service issues it")
    }
}

/// Whether all keys of the service are of one length, of hexadecimal digits: a text tells whether it is one, and one
/// that is being typed tells when it is whole.
pub fn keys_are_of_one_length(service: &Service) -> bool {
    service.key().hex.is_some()
}

/// Whether `value` is a key of the service by its shape alone.
pub(super) fn is_key(service: &Service, value: &Secret) -> bool {
    keys_are_of_one_length(service) && service.key().fits(value)
}

/// Whether `value` can be no key of the service, by its shape alone.
pub(super) fn is_no_key(service: &Service, value: &Secret) -> bool {
    keys_are_of_one_length(service) && !service.key().fits(value)
}

/// Whether `word` is a key of the service by its shape alone, where a part of a text is looked at.
pub(super) fn is_key_word(service: &Service, word: &str) -> bool {
    let digits = service.key().hex;
    digits.is_some_and(|digits| shape::is_hex(word, digits))
}

/// Whether what is to be a user name holds what looks like a secret: a key of the service, alone or behind a colon, or
/// anybody's. It would stand in the open where user names are kept.
pub fn holds_key(service: &Service, username: &str) -> bool {
    let last = username.trim().rsplit(':').next().unwrap_or_default();
    is_key_word(service, last) || shape::username_holds_secret(username)
}

/// Whether `first` is a key of the service where `second`, which stands in its place, is none.
pub(super) fn are_swapped(service: &Service, first: &Secret, second: &Secret) -> bool {
    is_key(service, first) && is_no_key(service, second)
}

/// What a reference begins with ([`crate::domain::SecretRef`]): one that is typed where the value belongs is none, and
/// would be sent as it stands.
const REFERENCES: [&str; 5] = ["keyring:", "vault:", "env:", "file:", "cmd:"];

/// Whether `value` reads like a reference to a secret.
pub(super) fn is_reference(value: &Secret) -> bool {
    let is_kind = |kind: &&str| value.starts_with(kind);
    REFERENCES.iter().any(is_kind) || *value == Secret::new("ask")
}

/// Whether another user name of the service than `username`, known by its shape, stands before a colon in `key`.
fn brings_another_id(service: &Service, username: &str, key: &Secret) -> bool {
    let username = Secret::new(username);
    let is_another = |(id, _): (Secret, Secret)| {
        let id = id.trimmed();
        service.username().fits(&id) && id != username
    };
    let may_be = service.username().has_shape() && !username.is_empty();
    may_be && key.split_once(':').is_some_and(is_another)
}

/// What is odd about the shape of a pair, one sentence; nothing where it fits. A warning, never a refusal.
pub fn odd_shape(service: &Service, username: &str, key: &Secret) -> Option<String> {
    if is_reference(key) {
        let way = "switchboard connection edit NAME --key-ref REF";
        return Some(format!(
            "the key reads like a reference, which is set by {way}"
        ));
    }
    let key_fits = service.key().fits(key);
    let key_is_name = service.username().has_shape() && service.username().fits(key);
    // What is a key by its length alone is any user name.
    let keys_have_shape = service.key().has_shape();
    let name_is_key = keys_have_shape && !key_fits && service.key().fits(&Secret::new(username));
    if name_is_key || (key_is_name && username_is_odd(service, username)) {
        return Some("user name and key look swapped".to_owned());
    }
    if brings_another_id(service, username, key) {
        return Some(
            "the key is a whole handle, of another id than the user name beside it".to_owned(),
        );
    }
    if username_is_odd(service, username) {
        let expected = service.username().words();
        return Some(format!("the user name is not {expected}"));
    }
    if key_fits {
        return None;
    }
    let title = service.title();
    Some(format!(
        "the key is not of {title}'s shape: {}",
        service.key().words()
    ))
}

fn username_is_odd(service: &Service, username: &str) -> bool {
    !username.is_empty() && !service.username().fits(&Secret::new(username))
}
