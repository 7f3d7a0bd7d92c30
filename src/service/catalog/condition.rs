//! Conditions over an answer, as service files write them: what stands in `when`.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::words;
use crate::domain::AnsweredBy;

/// Everything in it must hold; inside a list one is enough, unless it says "all".
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Only on this rung.
    pub rung: Option<Rung>,
    /// One of these statuses: `401`, `"4xx"`, `"520-527"`.
    pub status: Vec<Statuses>,
    /// Who answered.
    #[serde(deserialize_with = "words::answerers")]
    pub by: Vec<AnsweredBy>,
    /// Headers; all of them.
    pub header: Vec<HeaderIs>,
    /// What the body is.
    pub body: Vec<BodyKind>,
    /// Whether something stood before the JSON.
    pub noise: Option<bool>,
    /// Places in the JSON; all of them.
    pub json: Vec<JsonIs>,
    /// The page's title contains one of these, without regard to case.
    #[serde(deserialize_with = "words::lower")]
    pub title: Vec<String>,
    /// The page contains one of these, without regard to case.
    #[serde(deserialize_with = "words::lower")]
    pub text: Vec<String>,
    /// The page begins with one of these, without regard to case.
    #[serde(deserialize_with = "words::lower")]
    pub begins: Vec<String>,
    /// The body has fewer bytes than this.
    pub shorter_than: Option<usize>,
    /// The path of `Location` contains one of these.
    #[serde(deserialize_with = "words::lower")]
    pub location: Vec<String>,
    /// Whether `Location` leads below the URL as typed (which then has a path).
    pub location_below_url: Option<bool>,
    /// The URL as typed has something that `[service.url]` says does not belong in it.
    pub url_is_odd: Option<bool>,
    /// Whether a proxy of ours was in use.
    pub through_proxy: Option<bool>,
}

/// The rung that an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// Asked without credentials.
    Service,
    /// Asked with them.
    Credentials,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// Nothing, or blanks only.
    Empty,
    /// JSON, with or without noise before it.
    Json,
    /// A page.
    Html,
    /// Anything else.
    Text,
}

/// A status, a class, or a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    first: u16,
    last: u16,
}

impl Statuses {
    /// Whether `status` is among them.
    pub fn holds(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().ok().filter(|class| (1..=9).contains(class))?;
            return Some(Self {
                first: class * 100,
                last: class * 100 + 99,
            });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(Self { first, last })
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u16),
            Text(String),
        }
        let text = match Written::deserialize(deserializer) {
            Ok(Written::Number(number)) => number.to_string(),
            Ok(Written::Text(text)) => text,
            Err(_untagged) => String::new(),
        };
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("a status is 401, \"4xx\" or a range such as \"520-527\"")
        })
    }
}

/// A condition on one header. Without `contains` and `equals` it must only be there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderIs {
    /// Its name, in lower case.
    pub name: String,
    /// Its value contains this, without regard to case.
    pub contains: Option<String>,
    /// Its value is this, without regard to case.
    pub equals: Option<String>,
}

impl HeaderIs {
    /// Whether one header of that name fits.
    pub fn holds<'a>(&self, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
        let of_name = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case(&self.name);
        headers.into_iter().filter(of_name).any(|(_, value)| {
            let value = value.to_lowercase();
            self.contains
                .as_ref()
                .is_none_or(|part| value.contains(&part.to_lowercase()))
                && self
                    .equals
                    .as_ref()
                    .is_none_or(|whole| value.trim() == whole.to_lowercase())
        })
    }
}

/// A condition on one place of the JSON.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonIs {
    /// JSON pointer (RFC 6901); empty for the whole.
    #[serde(deserialize_with = "words::rooted")]
    pub at: String,
    /// Whether the place is there.
    pub exists: Option<bool>,
    /// The value is exactly this.
    pub equals: Option<Value>,
    /// A text that contains this, without regard to case.
    pub contains: Option<String>,
    /// One of these kinds.
    #[serde(default, rename = "is", deserialize_with = "one_or_many")]
    pub kinds: Vec<JsonKind>,
}

/// A kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonKind {
    /// `[…]`
    Array,
    /// `{…}`
    Object,
    /// `"…"`
    String,
    /// `1.5`
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

impl JsonKind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(true) => Self::True,
            Value::Bool(false) => Self::False,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<JsonKind>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(JsonKind),
        Many(Vec<JsonKind>),
    }
    Written::deserialize(deserializer)
        .map(|written| match written {
            Written::One(kind) => vec![kind],
            Written::Many(kinds) => kinds,
        })
        .map_err(|_untagged| {
            serde::de::Error::custom(
                "`is` is array, object, string, number, true, false or null, or a list of them",
            )
        })
}

impl JsonIs {
    /// Whether `json` fits.
    pub fn holds(&self, json: &Value) -> bool {
        let found = json.pointer(&self.at);
        if let Some(exists) = self.exists
            && found.is_some() != exists
        {
            return false;
        }
        if self.equals.is_none() && self.contains.is_none() && self.kinds.is_empty() {
            return self.exists.is_some() || found.is_some();
        }
        let Some(found) = found else { return false };
        self.equals.as_ref().is_none_or(|value| value == found)
            && self.contains.as_ref().is_none_or(|part| {
                found
                    .as_str()
                    .is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
            })
            && (self.kinds.is_empty() || self.kinds.contains(&JsonKind::of(found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn statuses_are_numbers_classes_and_ranges() {
        let holds = |text: &str, status| Statuses::parse(text).unwrap().holds(status);
        assert!(holds("401", 401) && !holds("401", 402));
        assert!(holds("4xx", 400) && holds("4xx", 499) && !holds("4xx", 500));
        assert!(holds("520-527", 527) && !holds("520-527", 528));
        for wrong in ["", "xx", "0xx", "9-1", "-", "4x"] {
            assert_eq!(Statuses::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn places_in_json_are_compared() {
        let is = |toml: &str| toml::from_str::<JsonIs>(toml).unwrap();
        let body = json!({"a": [1], "m": "Hello There", "n": null});
        assert!(is("at='/a'\nis='array'").holds(&body));
        assert!(is("at='/a'\nis=['object','array']").holds(&body));
        assert!(!is("at='/a'\nis='object'").holds(&body));
        assert!(is("at='/m'\nequals='Hello There'").holds(&body));
        assert!(is("at='/m'\ncontains='there'").holds(&body));
        assert!(is("at='/n'").holds(&body));
        assert!(!is("at='/x'").holds(&body));
        assert!(is("at='/x'\nexists=false").holds(&body));
        assert!(!is("at='/x'\nexists=false\nis='null'").holds(&body));
    }
}
