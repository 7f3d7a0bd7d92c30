//! What is said of a field before anything is asked: URL hints, cleaned pastes, the service that is meant.

use crate::domain::{Endpoint, Secret, ServiceId};

use super::catalog::format::NotInUrl;
use super::catalog::{Catalog, Service};

pub use super::shape::{holds_key, keys_are_of_one_length, odd_shape};
pub use super::sign::{
    Cleaned, Command, KeyPaste, clean_line, clean_secret, clean_text, clean_whole, command, entry,
    hides_key, is_divided, is_entry, read_key,
};

/// Something that does not belong in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlHint {
    /// One plain sentence.
    pub say: String,
    /// The URL without it.
    pub corrected: String,
}

/// What `typed` has in it that does not belong there; nothing where it is fine or no URL at all.
pub fn url_hint(service: &Service, typed: &str) -> Option<UrlHint> {
    let endpoint = Endpoint::parse(typed).ok()?;
    let corrected = stripped(service, &endpoint)?.shown();
    let say = odd_segment(service, &endpoint).map_or_else(
        || "A query or fragment does not belong in the URL.".to_owned(),
        |odd| odd.say.clone(),
    );
    Some(UrlHint { say, corrected })
}

/// The first path segment that does not belong in the URL.
pub(super) fn odd_segment<'a>(service: &'a Service, endpoint: &Endpoint) -> Option<&'a NotInUrl> {
    let segments = endpoint.segments();
    let rules = &service.text().url.not_in;
    segments.iter().find_map(|segment| {
        rules
            .iter()
            .find(|rule| rule.segment.eq_ignore_ascii_case(segment))
    })
}

/// The URL without what does not belong in it; nothing where that changes nothing.
pub(super) fn stripped(service: &Service, endpoint: &Endpoint) -> Option<Endpoint> {
    let rules = &service.text().url;
    let segments = endpoint.segments();
    let odd = segments.iter().position(|segment| {
        rules
            .not_in
            .iter()
            .any(|rule| rule.segment.eq_ignore_ascii_case(segment))
    });
    let url = endpoint.url();
    let tail = rules.no_query && (url.query().is_some() || url.fragment().is_some());
    match odd {
        Some(index) => {
            let index = match index.checked_sub(1).and_then(|before| segments.get(before)) {
                Some(before) if before.eq_ignore_ascii_case("index.php") => index - 1,
                _ => index,
            };
            Some(endpoint.truncated(index))
        }
        None if tail => Some(endpoint.truncated(segments.len())),
        None => None,
    }
}

/// The service's own URL where the path that it is recognised by stands in `endpoint`: what is behind is a call's.
pub(super) fn base_of_call(service: &Service, endpoint: &Endpoint) -> Option<Endpoint> {
    let guess = service.text().requests.guesses.first()?;
    let marks = &service.text().detect.path_contains;
    marks.contains(guess).then(|| up_to(endpoint, guess))?
}

fn up_to(endpoint: &Endpoint, path: &str) -> Option<Endpoint> {
    let path: Vec<&str> = path.trim_matches('/').split('/').collect();
    let segments = endpoint.segments();
    let at = segments.windows(path.len()).position(|part| part == path)?;
    Some(endpoint.truncated(at + path.len()))
}

/// The service's own URL where it is likely to be at a path of `guesses` in its file: up to that path where it stands in
/// the URL, and with it where the URL has none, or ends within it.
pub(super) fn guessed(service: &Service, endpoint: &Endpoint) -> Option<Endpoint> {
    let segments = endpoint.segments();
    let guess = service.text().requests.guesses.first()?;
    if let Some(base) = up_to(endpoint, guess) {
        return Some(base);
    }
    let path: Vec<&str> = guess.trim_matches('/').split('/').collect();
    let begun = (1..path.len())
        .rev()
        .find(|count| segments.ends_with(&path[..*count]));
    let before = segments.len() - begun.unwrap_or_default();
    let is_near = segments.is_empty() || begun.is_some();
    is_near.then(|| endpoint.truncated(before).join(guess))
}

/// Whether the URL's host belongs to the domain of the service's example, and is not the host in it.
pub(super) fn is_beside_example(service: &Service, endpoint: &Endpoint) -> bool {
    let example = service.text().example.as_deref();
    let Some(Ok(example)) = example.map(Endpoint::parse) else {
        return false;
    };
    let (host, known) = (endpoint.host(), example.host());
    let domain = known.split_once('.').map_or("", |(_, domain)| domain);
    let is_below = host.strip_suffix(domain);
    host != known && is_below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The same URL with https; nothing where it has it. A port that means plain http is left out.
pub(super) fn with_https(endpoint: &Endpoint) -> Option<String> {
    if !endpoint.is_plain() {
        return None;
    }
    let mut url = endpoint.url().clone();
    url.set_scheme("https").ok()?;
    Endpoint::parse(url.as_str())
        .ok()
        .map(|endpoint| endpoint.shown())
}

/// The service that URL or username show, where it is another than `current`.
pub fn detect(
    catalog: &Catalog,
    current: &ServiceId,
    url: &str,
    username: &str,
) -> Option<ServiceId> {
    let path = Endpoint::parse(url)
        .map(|endpoint| endpoint.url().path().to_owned())
        .unwrap_or_default();
    catalog
        .services()
        .find(|service| {
            let detect = &service.text().detect;
            detect.path_contains.iter().any(|part| path.contains(part))
                || detect
                    .username_starts
                    .iter()
                    .any(|start| username.trim().starts_with(start))
        })
        .map(|service| service.id().clone())
        .filter(|id| id != current)
}

/// The pair that is sent where `key` was pasted beside `username`: both cleaned, and divided where the key is a pair
/// itself. (Basic would carry a blank behind the name, and a header of the service's own would not.)
pub fn as_sent(service: &Service, username: &str, key: &Secret) -> (String, Cleaned<Secret>) {
    let named = clean_text(username);
    let mut cleaned = clean_secret(service, key);
    let (username, mut cleaned) = match cleaned.username.take() {
        Some(pasted) if named.value.is_empty() || named.value == pasted => (pasted, cleaned),
        // A colon inside the key of a pair whose user is named already is the key's own.
        Some(_) => (named.value, clean_whole(key)),
        None => (named.value, cleaned),
    };
    let of_name = named.notes.iter();
    let of_name = of_name.map(|note| format!("around the user name, {note}"));
    cleaned.notes.extend(of_name);
    (username, cleaned)
}

#[cfg(test)]
mod tests;
