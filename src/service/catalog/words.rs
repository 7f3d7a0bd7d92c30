//! Words of service files: templates with their closed list of placeholders, and the names of enums.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::format::HeaderText;
use crate::domain::{AnsweredBy, Reason};

/// The placeholders that a text may hold, each with the words that stand for it where no probe ran
/// (`switchboard explain`). `name` and `id` are words of a shell: commands name them.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("service", "the service"),
    ("host", "HOST"),
    ("port", "PORT"),
    ("address", "its address"),
    ("url", "the URL"),
    ("status", "N"),
    ("page", "(its title)"),
    ("who", "the server"),
    ("days", "N days"),
    ("date", "the date"),
    ("names", "other names"),
    ("issuer", "the issuer"),
    ("target", "the target"),
    ("message", "(as the service says)"),
    ("username", "(its id)"),
    ("why", "(the probe says why)"),
    ("when", "the time shown"),
    ("company", "the company"),
    ("expected", "the one expected"),
    ("id", "ID"),
    ("name", "NAME"),
    ("origin", "ORIGIN"),
    ("proxy", "PROXY"),
    ("fix", "the corrected URL"),
    ("shape", "its shape is none that the service issues"),
    ("path", "/PATH"),
    ("fallback", "/index.php"),
    ("pattern", "/PATH"),
    ("decoded", "/PATH"),
    ("san", "DNS:HOST"),
];

/// The placeholders of snippets, whose own braces stay: the host, the path of the URL without its last slash, the same
/// for a regular expression, that without its escapes for one of Apache's in double quotes (it looks at the path as it
/// is decoded), and the host as a certificate names it.
const OF_SNIPPETS: [&str; 5] = ["host", "path", "pattern", "decoded", "san"];

/// A snippet with its placeholders replaced by what `fill` gives for them, or by general words.
pub fn pasted(snippet: &str, fill: impl Fn(&str) -> Option<String>) -> String {
    let mut text = snippet.to_owned();
    for name in OF_SNIPPETS {
        let placeholder = format!("{{{name}}}");
        if text.contains(&placeholder) {
            let value = fill(name).unwrap_or_else(|| general(name).to_owned());
            text = text.replace(&placeholder, &value);
        }
    }
    text
}

/// The words that stand for a placeholder where no probe ran.
fn general(name: &str) -> &'static str {
    let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
    known.map_or("", |(_, words)| words)
}

/// A text with placeholders in braces, all of them known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// The text with each placeholder replaced by what `fill` gives for it, or by its general words.
    pub fn fill(&self, fill: impl Fn(&str) -> Option<String>) -> String {
        let mut filled = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            let in_brackets = filled.ends_with('(') && tail.starts_with(')');
            filled.push_str(&fill(name).unwrap_or_else(|| {
                let words = general(name);
                // Some have brackets of their own.
                let bare = words.trim_matches(['(', ')']);
                if in_brackets { bare } else { words }.to_owned()
            }));
            rest = tail;
        }
        filled.push_str(rest);
        filled
    }

    /// Whether the text holds the placeholder `name`.
    pub fn names(&self, name: &str) -> bool {
        self.0.contains(&format!("{{{name}}}"))
    }

    /// The text in general words.
    pub fn general(&self) -> String {
        self.fill(|_| None)
    }

    fn parse(text: String) -> Result<Self, UnknownPlaceholder> {
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once('{') {
            let (name, tail) = after
                .split_once('}')
                .ok_or_else(|| UnknownPlaceholder(after.to_owned()))?;
            if !PLACEHOLDERS.iter().any(|(known, _)| *known == name) {
                return Err(UnknownPlaceholder(name.to_owned()));
            }
            rest = tail;
        }
        Ok(Self(text))
    }
}

/// A brace that opens no known placeholder.
#[derive(Debug)]
struct UnknownPlaceholder(String);

impl Error for UnknownPlaceholder {}

impl fmt::Display for UnknownPlaceholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}} is no placeholder; there are", self.0)?;
        for (name, _) in PLACEHOLDERS {
            write!(f, " {{{name}}}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Reads a reason's id.
pub(super) fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
    Reason::from_str(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// Reads who answered.
pub(super) fn answered_by<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<AnsweredBy, D::Error> {
    answerer(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// Reads a list of who answered.
pub(super) fn answerers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<AnsweredBy>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|word| answerer(word).map_err(serde::de::Error::custom))
        .collect()
}

/// Reads texts that are compared without regard to case.
pub(super) fn lower<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.to_lowercase())
        .collect())
}

/// Headers with credentials in them. Of two of one name the last alone would be sent.
struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = Vec<HeaderText>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers, one of each name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut listed: A) -> Result<Self::Value, A::Error> {
        let mut headers = Self::Value::new();
        while let Some(header) = listed.next_element::<HeaderText>()? {
            headers.push(header);
        }
        // Told behind the last: then the line is that of the list.
        let is_again = |(at, header): &(usize, &HeaderText)| {
            let mut before = headers.iter().take(*at);
            before.any(|one| one.name.eq_ignore_ascii_case(&header.name))
        };
        if let Some((_, again)) = headers.iter().enumerate().find(is_again) {
            let name = Unexpected::Str(&again.name);
            return Err(A::Error::invalid_value(name, &self));
        }
        Ok(headers)
    }
}

/// Reads the headers of a service.
pub(super) fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<HeaderText>, D::Error> {
    deserializer.deserialize_seq(Headers)
}

/// A JSON pointer, or a path behind the URL.
struct Rooted;

impl Visitor<'_> for Rooted {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one that starts with / (or is empty: the whole answer, the URL itself)")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        if text.is_empty() || text.starts_with('/') {
            Ok(text.to_owned())
        } else {
            Err(E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}

/// Reads a JSON pointer, or a path behind the URL: one that begins otherwise would find nothing, or ask elsewhere.
pub(super) fn rooted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Rooted)
}

/// The same where it may be absent.
pub(super) fn rooted_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    rooted(deserializer).map(Some)
}

/// A word that stands for nobody who answers.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not one of service, web-server, cdn, waf, proxy, unknown")]
struct UnknownAnswerer(String);

fn answerer(word: &str) -> Result<AnsweredBy, UnknownAnswerer> {
    AnsweredBy::ALL
        .into_iter()
        .find(|who| who.id() == word)
        .ok_or_else(|| UnknownAnswerer(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_or_put_in_general_words() {
        let text = Template::parse("{service} at {host}: {status}".to_owned())
            .ok()
            .unwrap();
        assert_eq!(text.general(), "the service at HOST: N");
        assert_eq!(
            text.fill(|name| (name == "status").then(|| "503".to_owned())),
            "the service at HOST: 503"
        );
    }

    #[test]
    fn general_words_stand_in_one_pair_of_brackets() {
        let text = Template::parse("A page ({page}): {why}.".to_owned());
        let general = text.ok().unwrap().general();
        assert_eq!(general, "A page (its title): (the probe says why).");
    }

    #[test]
    fn unknown_placeholders_are_refused() {
        assert!(Template::parse("{nothing}".to_owned()).is_err());
        assert!(Template::parse("open { brace".to_owned()).is_err());
    }
}
