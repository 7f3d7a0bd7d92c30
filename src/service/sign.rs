//! Everything of this room that reads a secret: signature, fingerprint, handle and request headers.

use crate::domain::{Handle, KeyFingerprint, Secret};

use super::catalog::Service;
use super::catalog::format::Scheme;
use super::step::Authorization;

/// The keyed digest under which the lock-out budget knows a pair.
pub fn fingerprint(installation_key: &[u8; 32], username: &str, key: &Secret) -> KeyFingerprint {
    todo!()
}

/// What the owner pastes elsewhere.
pub fn handle(service: &Service, username: &str, key: &Secret) -> Handle {
    todo!()
}

/// The credentials of one request; nothing where the scheme can't carry them (Basic and a username with a
/// colon, or a service without such headers).
pub fn authorization(
    service: &Service,
    scheme: Scheme,
    username: &str,
    key: &Secret,
) -> Option<Authorization> {
    todo!()
}

/// Whole header lines, such as `Authorization: ApiKey SU-…:…`: what `Y` copies.
pub fn header_lines(
    service: &Service,
    scheme: Scheme,
    username: &str,
    key: &Secret,
) -> Option<Secret> {
    todo!()
}
