//! Certificates as a server sent them, read into the vocabulary.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::domain::Certificate;
use crate::domain::text::inert;
use crate::http::failure::Leaf;

/// Longest subject, issuer or name that is kept.
const LONGEST: usize = 200;
/// Most certificates that are kept of one chain.
const MOST_CERTIFICATES: usize = 10;
/// The object identifier of an RSA key, 1.2.840.113549.1.1.1.
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";

/// The chain, the leaf first; what can't be read is left out.
pub fn read_chain(chain: &[Vec<u8>]) -> Vec<Certificate> {
    chain
        .iter()
        .take(MOST_CERTIFICATES)
        .filter_map(|der| read(der))
        .collect()
}

fn read(der: &[u8]) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    Some(Certificate {
        subject: inert(&parsed.subject().to_string(), LONGEST),
        issuer: inert(&parsed.issuer().to_string(), LONGEST),
        names: names(&parsed),
        not_before: time(&parsed.validity().not_before),
        not_after: time(&parsed.validity().not_after),
        fingerprint: format!("{:x}", Sha256::digest(der)),
    })
}

/// What of a chain that does not hold tells why; nothing where none was shown.
pub(super) fn leaf(chain: &[Vec<u8>]) -> Option<Leaf> {
    let parsed = |der| X509Certificate::from_der(der).ok().map(|(_, one)| one);
    let leaf = parsed(chain.first()?);
    // The key with what tells its kind: 294 bytes for 2048 bits, 162 for 1024.
    let is_weak = |one: X509Certificate<'_>| {
        let key = one.public_key();
        key.algorithm.algorithm.as_bytes() == RSA && key.raw.len() < 290
    };
    Some(match leaf {
        Some(leaf) if leaf.is_ca() => Leaf::Authority,
        _ if chain.iter().filter_map(|der| parsed(der)).any(is_weak) => Leaf::Weak,
        Some(leaf) if leaf.subject().as_raw() == leaf.issuer().as_raw() => Leaf::SelfSigned,
        Some(_) | None => Leaf::Server,
    })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(inert(name, LONGEST)),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .take(Certificate::MOST_NAMES)
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).to_string());
    }
    let octets = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(octets).to_string())
}

/// Dates beyond what can be told (year 9999) are cut to the nearest that can.
fn time(time: &ASN1Time) -> Timestamp {
    let seconds = time.timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_and_made_inert() {
        let mut parameters =
            rcgen::CertificateParams::new(vec!["shop.example".to_owned(), "127.0.0.1".to_owned()])
                .unwrap();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Shop\u{1b}]0;x\u{7}");
        parameters.not_after = rcgen::date_time_ymd(2030, 1, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let der = made.der().to_vec();
        let [read] = &read_chain(std::slice::from_ref(&der))[..] else {
            panic!("one certificate")
        };
        assert!(!read.subject.contains('\u{1b}'), "{}", read.subject);
        assert!(read.subject.contains("CN=Shop"), "{}", read.subject);
        assert_eq!(read.names, ["shop.example", "127.0.0.1"]);
        assert_eq!(read.not_after.to_string(), "2030-01-02T00:00:00Z");
        assert_eq!(read.fingerprint.len(), 64);
        assert_eq!(leaf(&[der]), Some(Leaf::SelfSigned));
        assert_eq!(leaf(&[]), None);
        assert_eq!(read_chain(&[vec![1, 2, 3]]), []);
    }
}
