//! Certificates of servers that nobody has verified: any bytes are read or left out, and what is read can be
//! shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard::domain::text::inert;
use switchboard::probe::certificate::read_chain;

fuzz_target!(|der: &[u8]| {
    for certificate in read_chain(&[der.to_vec(), der.to_vec()]) {
        let texts = [
            &certificate.subject,
            &certificate.issuer,
            &certificate.fingerprint,
        ];
        for text in texts.into_iter().chain(&certificate.names) {
            assert_eq!(&inert(text, 8_192), text);
        }
        assert_eq!(certificate.fingerprint.len(), 64);
    }
});
