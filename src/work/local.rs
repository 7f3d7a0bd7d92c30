//! The verdict of a probe that this machine could not even begin.

use jiff::Timestamp;

use crate::domain::endpoint::redacted;
use crate::domain::text::inert;
use crate::domain::{AnsweredBy, Checks, Name, Phases, Reason, Remedy, ServiceId, Verdict, Who};

/// What is said of a probe that panicked.
pub(super) const DEFECT: &str = "The probe ended in a defect of this program.";

/// Begins with a capital and ends in a full stop; paths are left as they are written.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let begin: String = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    };
    let end = if begin.ends_with(['.', ')', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{begin}{end}")
}

/// `local-error`: `why` is one plain sentence that says what is missing here.
pub(super) fn local_error(
    connection: Option<&Name>,
    service: &ServiceId,
    url: &str,
    why: &str,
) -> Verdict {
    Verdict {
        connection: connection.cloned(),
        service: service.clone(),
        url: inert(&redacted(url), 2_000),
        reason: Reason::LocalError,
        status: 0,
        title: Reason::LocalError.title().to_owned(),
        cause: inert(&sentence(why), 400),
        answered_by: AnsweredBy::Nobody,
        evidence: Vec::new(),
        remedy: Remedy {
            who: Who::You,
            steps: vec!["Mend what is named; nothing was asked.".to_owned()],
            snippet: None,
            url: None,
            doc: None,
        },
        checks: Checks::default(),
        addresses: Vec::new(),
        phases: Phases::default(),
        tls: None,
        identity: None,
        service_version: None,
        redirects: Vec::new(),
        retry_at: None,
        changed_since_last_good: Vec::new(),
        at: Timestamp::now(),
    }
}
