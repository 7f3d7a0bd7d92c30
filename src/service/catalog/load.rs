//! Reading one service file, and saying where it is wrong: file, line and key.

use std::str::FromStr;

use super::ServiceFileProblem;
use super::format::{Auth, Scheme, ServiceFile, ServiceText};
use super::json::Json;
use crate::domain::Reason;
use crate::domain::text::inert;

/// Reads `text` strictly.
pub(super) fn parse(label: &str, text: &str) -> Result<ServiceFile, ServiceFileProblem> {
    let wrong = |at: usize, problem: &str| {
        let line = line_of(text, at);
        ServiceFileProblem {
            file: label.to_owned(),
            line,
            key: key_on(text, line),
            problem: inert(problem, 300),
        }
    };
    let json = Json::of(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        wrong(at, error.message())
    })?;
    let file: ServiceFile = serde_json::from_str(json.text()).map_err(|error| {
        let where_in_json = format!(" at line {} column {}", error.line(), error.column());
        let words = error.to_string();
        let words = words.strip_suffix(&where_in_json).unwrap_or(&words);
        wrong(json.origin(error.line()), words)
    })?;
    for key in file.reason.keys() {
        let id = key.split('/').next().unwrap_or(key);
        if let Err(error) = Reason::from_str(id) {
            return Err(problem_at(label, text, key, &error.to_string()));
        }
    }
    if file.service.is_none() && file.cms.is_empty() && !label.starts_with("assets/") {
        return Err(problem_at(
            label,
            text,
            "service",
            "the table [service] is missing",
        ));
    }
    if let Some(service) = &file.service {
        check(service).map_err(|(key, problem)| problem_at(label, text, key, &problem))?;
    }
    Ok(file)
}

/// A problem with what stands at the first line that names `key`.
pub(super) fn problem_at(label: &str, text: &str, key: &str, problem: &str) -> ServiceFileProblem {
    let line = text
        .lines()
        .position(|line| line.contains(key))
        .map_or(1, |index| index + 1);
    ServiceFileProblem {
        file: label.to_owned(),
        line,
        key: inert(key, 80),
        problem: inert(problem, 300),
    }
}

/// What the types of the format can't say.
fn check(service: &ServiceText) -> Result<(), (&'static str, String)> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if service.id.is_empty() || service.id.len() > 32 || !service.id.chars().all(word) {
        return Err((
            "id",
            "an id is up to 32 lower-case letters, digits, - and _".to_owned(),
        ));
    }
    for template in [&service.handle].into_iter().chain(
        service
            .auth
            .iter()
            .flat_map(|auth| auth.headers.iter().map(|h| &h.value)),
    ) {
        if let Some(name) = unknown_placeholder(template) {
            return Err((
                "{",
                format!("{{{name}}} is no placeholder here; there are {{username}} and {{key}}"),
            ));
        }
    }
    service.auth.as_ref().map_or(Ok(()), check_auth)
}

fn check_auth(auth: &Auth) -> Result<(), (&'static str, String)> {
    let schemes = [
        Some(auth.first),
        auth.without_username,
        auth.after_rejection,
    ];
    if auth.headers.is_empty() && schemes.contains(&Some(Scheme::Headers)) {
        return Err(("auth", "`headers` is named, but none are listed".to_owned()));
    }
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if auth
        .headers
        .iter()
        .any(|header| header.name.is_empty() || !header.name.chars().all(token))
    {
        return Err((
            "headers",
            "a header's name is letters, digits and dashes".to_owned(),
        ));
    }
    Ok(())
}

fn unknown_placeholder(template: &str) -> Option<&str> {
    template
        .split('{')
        .skip(1)
        .map(|part| part.split('}').next().unwrap_or(part))
        .find(|name| *name != "username" && *name != "key")
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// What stands on a line before its `=`, or the table's name.
fn key_on(text: &str, line: usize) -> String {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let key = line.split('=').next().unwrap_or(line).trim();
    inert(if key.is_empty() { "(end)" } else { key }, 80)
}
