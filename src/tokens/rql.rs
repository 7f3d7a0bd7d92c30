//! RQL, the filter language of the API's lists: built from values, so that no value can become syntax.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a query may hold unencoded: RFC 3986's unreserved characters, and RQL's own signs.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b'*');

/// One value of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A text: quoted where it needs to be.
    Text(String),
    /// `null()`.
    Null,
}

impl From<&str> for Term {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rql {
    /// `eq(field,value)`.
    Eq(&'static str, Term),
    /// `ne(field,value)`.
    Ne(&'static str, Term),
    /// `ge(field,value)`.
    Ge(&'static str, Term),
    /// `le(field,value)`.
    Le(&'static str, Term),
    /// `ilike(field,*text*)`: contains the text, in any case. Asterisks in the text are dropped.
    Contains(&'static str, String),
    /// `in(field,(a,b))`.
    In(&'static str, Vec<String>),
    /// All of them; nothing where there are none.
    And(Vec<Self>),
    /// Any of them; nothing where there are none.
    Or(Vec<Self>),
}

impl Rql {
    /// The filter as the service reads it, before percent-encoding.
    pub fn text(&self) -> String {
        let call = |name: &str, field: &str, value: &str| format!("{name}({field},{value})");
        match self {
            Self::Eq(field, value) => call("eq", field, &written(value)),
            Self::Ne(field, value) => call("ne", field, &written(value)),
            Self::Ge(field, value) => call("ge", field, &written(value)),
            Self::Le(field, value) => call("le", field, &written(value)),
            Self::Contains(field, text) => call("ilike", field, &pattern(text)),
            Self::In(field, values) => call("in", field, &list(values)),
            Self::And(parts) => joined("and", parts),
            Self::Or(parts) => joined("or", parts),
        }
    }

    /// The same for a URL's query.
    pub fn encoded(&self) -> String {
        encoded(&self.text())
    }
}

/// `text` percent-encoded for a query; RQL's signs stay.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, IN_QUERY).to_string()
}

fn joined(name: &str, parts: &[Rql]) -> String {
    match parts {
        [] => String::new(),
        [part] => part.text(),
        parts => {
            let parts: Vec<_> = parts.iter().map(Rql::text).collect();
            format!("{name}({})", parts.join(","))
        }
    }
}

fn written(value: &Term) -> String {
    match value {
        Term::Null => "null()".to_owned(),
        Term::Text(text) => quoted(text),
    }
}

fn list(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
    format!("({})", values.join(","))
}

fn pattern(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '*').collect();
    quoted(&format!("*{text}*"))
}

/// Quoted where it holds more than letters, digits and the signs that values are made of. RQL knows no
/// escapes inside quotes: a text with both kinds of quotes loses the double ones.
fn quoted(text: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+' | '*' | '@');
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    match (text.contains('"'), text.contains('\'')) {
        (false, _) if !text.is_empty() && text.chars().all(is_plain) => text,
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => format!("\"{}\"", text.replace('"', "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_written_as_the_service_reads_them() {
        let active = || Rql::Eq("status", "active".into());
        for (filter, text) in [
            (active(), "eq(status,active)"),
            (Rql::Ne("status", "deleted".into()), "ne(status,deleted)"),
            (
                Rql::Eq("expiration_date", Term::Null),
                "eq(expiration_date,null())",
            ),
            (
                Rql::Ge("expiration_date", "2026-11-23T10:00:00+00:00".into()),
                "ge(expiration_date,2026-11-23T10:00:00+00:00)",
            ),
            (Rql::Le("name", "a b".into()), "le(name,\"a b\")"),
            (Rql::Contains("name", "rep".into()), "ilike(name,*rep*)"),
            (
                Rql::Contains("name", "a, (b)".into()),
                "ilike(name,\"*a, (b)*\")",
            ),
            (Rql::Contains("name", "a*b".into()), "ilike(name,*ab*)"),
            (
                Rql::In("status", vec!["a".into(), "b,c".into()]),
                "in(status,(a,\"b,c\"))",
            ),
            (
                Rql::And(vec![active(), active()]),
                "and(eq(status,active),eq(status,active))",
            ),
            (Rql::Or(vec![active()]), "eq(status,active)"),
            (Rql::And(Vec::new()), ""),
            (Rql::Eq("name", "".into()), "eq(name,\"\")"),
            (
                Rql::Eq("name", "say \"hi\"".into()),
                "eq(name,'say \"hi\"')",
            ),
            (Rql::Eq("name", "a\"b'c".into()), "eq(name,\"ab'c\")"),
            (Rql::Eq("name", "a\u{1b}b\n".into()), "eq(name,ab)"),
        ] {
            assert_eq!(filter.text(), text);
        }
    }

    #[test]
    fn a_value_never_becomes_syntax_of_the_query() {
        for (value, encoded) in [
            ("a&limit=0", "eq(name,%22a%26limit%3D0%22)"),
            ("x)&eq(id,y", "eq(name,%22x)%26eq(id,y%22)"),
            ("50%", "eq(name,%2250%25%22)"),
            ("a+b", "eq(name,a%2Bb)"),
            ("a#b", "eq(name,%22a%23b%22)"),
            ("Käse", "eq(name,K%C3%A4se)"),
        ] {
            assert_eq!(Rql::Eq("name", value.into()).encoded(), encoded);
        }
    }
}
