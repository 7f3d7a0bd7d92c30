//! URLs: what was read is shown so that it reads the same again, and what was refused is refused in words
//! that may be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard::domain::text::inert;
use switchboard::domain::{Endpoint, Origin, UrlProblem};

fuzz_target!(|typed: &str| {
    match Endpoint::parse(typed) {
        Ok(endpoint) => read(&endpoint),
        Err(problem) => refused(&problem),
    }
});

fn read(endpoint: &Endpoint) {
    let shown = endpoint.shown();
    assert_eq!(Endpoint::parse(&shown).as_ref(), Ok(endpoint), "{shown:?}");
    assert!(!endpoint.host().is_empty(), "{shown:?}");
    assert_ne!(endpoint.port(), 0, "{shown:?}");
    assert_eq!(endpoint.url().username(), "");
    assert_eq!(endpoint.url().password(), None);
    let origin = endpoint.origin();
    assert_eq!(Origin::parse(&origin.to_string()), Some(origin.clone()));
    for other in [endpoint.join("/api/x.json?a=b"), endpoint.truncated(1)] {
        assert_eq!(other.origin(), origin, "{other}");
        assert_eq!(Endpoint::parse(&other.shown()).as_ref(), Ok(&other));
    }
}

fn refused(problem: &UrlProblem) {
    let words = problem.to_string();
    assert_eq!(inert(&words, 400), words);
    if let UrlProblem::UserInfo { rest, .. } = problem {
        let rest = Endpoint::parse(rest);
        assert!(
            !matches!(rest, Err(UrlProblem::UserInfo { .. })),
            "{rest:?}"
        );
    }
}
