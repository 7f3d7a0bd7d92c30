//! The shared token: made here, entered in two places, checked by a signed call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::error::WorkError;
use crate::domain::Secret;

/// Bytes of a new token.
const LENGTH: usize = 32;

/// A new shared token: 32 bytes from the system, URL-safe.
pub fn generate() -> Result<Secret, WorkError> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|error| WorkError::failed("asking the system for random bytes", error))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_url_safe_and_never_the_same() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.length(), 43);
        assert!(one.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        assert_ne!(one, other);
    }
}
