//! The parts of a ticket that differ where a CMS is to act: what it was asked, and how that is seen again.
//!
//! Neither the token nor a signature made with it leaves: a signature can be tried against guessed tokens.

use std::fmt::Write;

use super::{Case, words};
use crate::domain::text::{shell_quoted, shell_word};
use crate::domain::{AddressFamily, CheckId, Connection, Reason, Who};
use crate::service::verify::{CmsQuestion, OF_CMS};
use crate::work::curl;

/// The variable that the token is read from.
const TOKEN_VARIABLE: &str = "SWITCHBOARD_TOKEN";

/// How the check ended at the CMS, after its URL.
pub(super) fn ended(reason: Reason) -> &'static str {
    if reason == Reason::TokenEndpointAbsent {
        "(the signed check of the shared token) did not get a bridge's answer"
    } else {
        "(the signed check of the shared token) was refused by the bridge of the CMS"
    }
}

/// What the makers of the bridge are told and asked.
pub(super) fn asked_of_vendor(
    text: &mut String,
    case: &Case<'_>,
    asked: &CmsQuestion,
) -> std::fmt::Result {
    writeln!(text, "  the bridge of the CMS at {}\n", asked.cms.shown())?;
    if case.verdict.remedy.who == Who::Vendor {
        writeln!(text, "What we ask you for")?;
        words::steps(text, case, &case.verdict.remedy.steps)?;
    }
    Ok(())
}

/// What says so of the CMS alone.
pub(super) fn evidence(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let of_cms = case.verdict.evidence.iter();
    let mut of_cms = of_cms.filter(|line| line.starts_with(OF_CMS)).peekable();
    let token = case.verdict.checks.get(CheckId::Token);
    if of_cms.peek().is_none() && token.detail.is_none() {
        return Ok(());
    }
    writeln!(text, "What says so")?;
    for line in of_cms {
        writeln!(text, "  - {line}")?;
    }
    if let Some(detail) = &token.detail {
        writeln!(text, "  - the check of the shared token: {detail}")?;
    }
    writeln!(text)
}

/// How the fault is seen again. Where only the right token shows it, it is read from a variable.
pub(super) fn reproduce(
    text: &mut String,
    case: &Case<'_>,
    asked: &CmsQuestion,
) -> std::fmt::Result {
    let (how, command) = match case.verdict.reason {
        Reason::TokenHeaderStripped => (
            "no token is needed: a header that comes through is answered with \"Built signature does not match\""
                .to_owned(),
            made_up(asked, case.connection),
        ),
        Reason::TokenEndpointAbsent => (
            "no token is needed: a bridge answers with JSON of its own".to_owned(),
            unsigned(asked, case.connection),
        ),
        _ => (
            format!("the token is read from ${TOKEN_VARIABLE}"),
            verify(asked, case.connection),
        ),
    };
    writeln!(text, "To see the same ({how})")?;
    writeln!(text, "  {command}\n")
}

/// A call with one made-up signature in header and query: a bridge compares the two before it looks at the token.
fn made_up(asked: &CmsQuestion, connection: &Connection) -> String {
    let names = &asked.names;
    let way = curl::way(connection, asked.page.as_str());
    let header = shell_quoted(&format!("{}: made-up", names.header));
    let query = format!("{}={}&{}=", names.parameter, asked.call, names.timestamp);
    let before = shell_quoted(&format!("{}?{query}", asked.page));
    let after = shell_quoted(&format!("&{}=made-up", names.signature));
    format!("curl -sS -i{way} -H {header} {before}\"$(date +%s)\"{after}")
}

/// The call without a signature, which no bridge leaves to the site's own page.
fn unsigned(asked: &CmsQuestion, connection: &Connection) -> String {
    let way = curl::way(connection, asked.page.as_str());
    let call = format!("{}?{}={}", asked.page, asked.names.parameter, asked.call);
    format!("curl -sS -i{way} {}", shell_quoted(&call))
}

/// The whole check, signed with the token of the variable.
fn verify(asked: &CmsQuestion, connection: &Connection) -> String {
    let mut command = "switchboard token verify".to_owned();
    let path = |path: &Option<Box<std::path::Path>>| Some(path.as_ref()?.to_str()?.to_owned());
    let proxy = connection.proxy.clone().filter(|url| !url.contains('@'));
    let options = [
        ("--cms-url", Some(asked.cms.shown())),
        ("--cms", connection.cms.clone()),
        ("--token-env", Some(TOKEN_VARIABLE.to_owned())),
        ("--timeout", connection.timeout_s.map(|s| format!("{s}s"))),
        ("--proxy", proxy),
        ("--ca-file", path(&connection.ca_file)),
        ("--client-cert", path(&connection.client_cert)),
        ("--client-key", path(&connection.client_key)),
    ];
    for (option, value) in options {
        if let Some(value) = value {
            command.extend([" ", option, " ", &shell_word(&value)]);
        }
    }
    command.push_str(match connection.family {
        AddressFamily::Any => "",
        AddressFamily::V4 => " -4",
        AddressFamily::V6 => " -6",
    });
    command
}
