//! Why a certificate does not hold, in plain words: of most the verifier says no more than the name of a rule.

use rustls::CertificateError;

use crate::domain::TlsFailure;
use crate::domain::text::inert;

use super::Leaf;
use crate::http::tls::HandshakeSignature;

/// Signatures that nobody takes any more, as object identifiers in DER: MD5 and SHA-1 with RSA, SHA-1 with ECDSA.
const OUTDATED: [&[u8]; 3] = [
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04",
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
    b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01",
];
/// How the identifiers of ECDSA, both of keys and of signatures, begin behind their length.
const ELLIPTIC: &[u8] = b"\x2a\x86\x48\xce\x3d";

/// What fails, with what the chain shows beside it.
pub(super) fn failure(problem: &CertificateError, leaf: Option<Leaf>) -> TlsFailure {
    use CertificateError as Problem;
    let is_self_signed = leaf == Some(Leaf::SelfSigned);
    match problem {
        Problem::Expired | Problem::ExpiredContext { .. } => TlsFailure::Expired,
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => TlsFailure::NotYetValid,
        Problem::NotValidForName | Problem::NotValidForNameContext { .. } => TlsFailure::WrongName,
        Problem::UnknownIssuer => TlsFailure::UnknownIssuer,
        Problem::BadSignature if leaf == Some(Leaf::Weak) => {
            unusable("an RSA key of it, or of one that signs it, has fewer than 2048 bits")
        }
        problem if is_other_curve(problem) => {
            unusable("the key that signs it is on another curve than P-256 and P-384")
        }
        // An authority that is trusted has its name, and another key: that one did not sign it.
        Problem::BadSignature
        | Problem::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
            if is_self_signed =>
        {
            TlsFailure::UnknownIssuer
        }
        Problem::BadSignature
        | Problem::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => TlsFailure::Signature,
        Problem::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: id,
            ..
        } => unusable(if OUTDATED.iter().any(|old| id.starts_with(old)) {
            "it, or one that signs it, is signed with SHA-1 or MD5, which can be forged"
        } else {
            "it, or one that signs it, is signed in a way that is not known here"
        }),
        Problem::Revoked => unusable("its authority has revoked it"),
        Problem::UnknownRevocationStatus
        | Problem::ExpiredRevocationList
        | Problem::ExpiredRevocationListContext { .. } => {
            unusable("whether it was revoked can't be told")
        }
        Problem::BadEncoding => unusable("it is not written as a certificate must be"),
        Problem::InvalidPurpose | Problem::InvalidPurposeContext { .. } => {
            unusable("it, or one that signs it, is not for servers (no serverAuth in its purposes)")
        }
        Problem::Other(other) => match other.0.downcast_ref::<HandshakeSignature>() {
            Some(HandshakeSignature(problem)) => of_handshake(problem, leaf),
            None => broken_rule(&other.to_string(), leaf),
        },
        other => broken_rule(&other.to_string(), leaf),
    }
}

/// The handshake is not signed with the certificate's key, as far as that can be read here.
fn of_handshake(problem: &CertificateError, leaf: Option<Leaf>) -> TlsFailure {
    match problem {
        _ if leaf == Some(Leaf::Weak) => failure(problem, leaf),
        problem if is_other_curve(problem) => {
            unusable("its key is on another curve than P-256 and P-384")
        }
        _ => TlsFailure::ForeignKey,
    }
}

/// Whether key and signature are both of ECDSA, and do not go together.
fn is_other_curve(problem: &CertificateError) -> bool {
    matches!(problem, CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: signature,
        public_key_algorithm_id: key,
    } if [signature, key].iter().all(|id| id.get(2..7) == Some(ELLIPTIC)))
}

fn unusable(why: &str) -> TlsFailure {
    TlsFailure::Unusable(why.to_owned())
}

/// A rule of webpki's, whose type can't be reached: its name decides.
fn broken_rule(name: &str, leaf: Option<Leaf>) -> TlsFailure {
    unusable(match name {
        _ if leaf == Some(Leaf::Authority) => return TlsFailure::Authority,
        "UnhandledCriticalExtension" | "UnsupportedCriticalExtension" => {
            "it demands what is not known here (a critical extension)"
        }
        "EndEntityUsedAsCa" => "what signs it is no authority's certificate (CA:false)",
        "UnsupportedCertVersion" => "it, or one that signs it, is not of version 3",
        "NameConstraintViolation" => "an authority in its chain may not sign for this name",
        "PathLenConstraintViolated" => "an authority in its chain may have none below it",
        _ => {
            // What follows a name is a dump of what is within.
            let is_word = |c: char| c.is_ascii_alphanumeric();
            let name = name.split(|c| !is_word(c)).next().unwrap_or_default();
            let name = inert(name, 60);
            return TlsFailure::Unusable(format!("it breaks a rule for certificates ({name})"));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{CertificateError as Problem, OtherError, pki_types::UnixTime};

    use super::*;

    const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const ECDSA: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    const EC_KEY: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";

    /// What webpki says of a rule of its own: the name of a variant, at times with what is within.
    fn other(name: &'static str) -> Problem {
        Problem::Other(OtherError(Arc::from(Box::<
            dyn std::error::Error + Send + Sync,
        >::from(name))))
    }

    fn signed_by(signature: &[u8], key: &[u8]) -> Problem {
        Problem::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: signature.to_vec(),
            public_key_algorithm_id: key.to_vec(),
        }
    }

    fn signed_with(signature: &[u8]) -> Problem {
        Problem::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: signature.to_vec(),
            supported_algorithms: Vec::new(),
        }
    }

    #[test]
    fn each_has_a_plain_sentence() {
        let sha1 = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00";
        for (problem, words) in [
            (signed_with(sha1), "SHA-1"),
            (signed_with(ECDSA), "in a way that is not known here"),
            (signed_by(ECDSA, EC_KEY), "P-256"),
            (Problem::Revoked, "revoked"),
            (Problem::UnknownRevocationStatus, "revoked"),
            (Problem::BadEncoding, "written"),
            (Problem::UnhandledCriticalExtension, "extension"),
            (Problem::InvalidPurpose, "serverAuth"),
            (other("UnsupportedCertVersion"), "version 3"),
            (other("UnsupportedCriticalExtension"), "extension"),
            (other("EndEntityUsedAsCa"), "CA:false"),
            (other("NameConstraintViolation"), "this name"),
            (other("PathLenConstraintViolated"), "below"),
            (other("TrailingData(Extension { id: 7 })"), "(TrailingData)"),
            (Problem::InvalidOcspResponse, "(InvalidOcspResponse)"),
        ] {
            let TlsFailure::Unusable(why) = failure(&problem, Some(Leaf::Server)) else {
                panic!("{problem:?}")
            };
            assert!(why.contains(words), "{why}");
            assert!(!why.contains(['{', '[', '_']), "a dump: {why}");
        }
    }

    #[test]
    fn a_namesake_of_an_authority_signed_nothing() {
        let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        let expired = Problem::ExpiredContext {
            time: now,
            not_after: now,
        };
        for (problem, leaf, expected) in [
            (
                Problem::BadSignature,
                Leaf::SelfSigned,
                TlsFailure::UnknownIssuer,
            ),
            (
                signed_by(ECDSA, RSA),
                Leaf::SelfSigned,
                TlsFailure::UnknownIssuer,
            ),
            (Problem::BadSignature, Leaf::Server, TlsFailure::Signature),
            (signed_by(ECDSA, RSA), Leaf::Server, TlsFailure::Signature),
            (signed_by(RSA, EC_KEY), Leaf::Server, TlsFailure::Signature),
            (expired, Leaf::SelfSigned, TlsFailure::Expired),
            (
                other("CaUsedAsEndEntity"),
                Leaf::Authority,
                TlsFailure::Authority,
            ),
        ] {
            assert_eq!(
                failure(&problem, Some(leaf)),
                expected,
                "{problem:?} {leaf:?}"
            );
        }
        let of_handshake =
            |problem| Problem::Other(OtherError(Arc::new(HandshakeSignature(problem))));
        for leaf in [Leaf::Server, Leaf::SelfSigned, Leaf::Authority] {
            for problem in [Problem::BadSignature, signed_by(RSA, EC_KEY)] {
                let told = failure(&of_handshake(problem), Some(leaf));
                assert_eq!(told, TlsFailure::ForeignKey, "{leaf:?}");
            }
            let told = failure(&of_handshake(signed_by(ECDSA, EC_KEY)), Some(leaf));
            assert!(matches!(told, TlsFailure::Unusable(why) if why.starts_with("its key")));
        }
        let weak = failure(&of_handshake(Problem::BadSignature), Some(Leaf::Weak));
        assert!(matches!(weak, TlsFailure::Unusable(why) if why.contains("2048 bits")));
        let weak = failure(&Problem::BadSignature, Some(Leaf::Weak));
        assert!(matches!(weak, TlsFailure::Unusable(why) if why.contains("2048 bits")));
    }
}
