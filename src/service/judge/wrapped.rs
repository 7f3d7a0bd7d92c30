//! The service's own answer inside a page: something before it, or around it, prints as well, and no program can read what
//! comes of that.
//!
//! Only what stands in the page's text counts: what is shown in `<pre>` or `<code>`, or lies in a script, may be an
//! example or another program's data.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::answered_by::Answerer;
use super::facts::message;
use super::recognise::{HtmlPage, first_line, is_php};
use super::rules::{self, ReplyFacts};
use crate::domain::{AnsweredBy, Reason};
use crate::service::catalog::condition::BodyKind;

/// How many openings of an object are tried, how many objects are looked at (quoted ones too), and how many bytes are read for that.
const OPENINGS: usize = 400;
const OBJECTS: usize = 16;
const READ: usize = 64 * 1024 * 1024;

/// What the service said inside of a page.
#[derive(Debug)]
pub(super) struct Wrapped {
    /// What that would mean, stood it alone.
    pub(super) reason: Reason,
    pub(super) answerer: Answerer,
}

/// Reads `seen`, whose body is no JSON. Nothing where the service did not speak in it for sure.
pub(super) fn read(seen: &ReplyFacts<'_>) -> Option<Wrapped> {
    if !matches!(seen.page.kind, BodyKind::Html | BodyKind::Text) {
        return None;
    }
    let text = String::from_utf8_lossy(&seen.response.body);
    objects(&text)
        .into_iter()
        .find_map(|(before, value)| spoken(seen, before, value))
}

/// What the service says by `value`, where it is known for a proper answer of its own.
fn spoken(seen: &ReplyFacts<'_>, before: &str, value: Value) -> Option<Wrapped> {
    let said = message(&value);
    let page = HtmlPage {
        kind: BodyKind::Json,
        lower: value.to_string().to_lowercase(),
        json: Some(value),
        noise: None,
        title: None,
        bytes: seen.page.bytes,
    };
    let alone = ReplyFacts {
        page: &page,
        by: Some(AnsweredBy::Service),
        ..*seen
    };
    let mark = seen.asked.service.marks().find(|mark| {
        let of_json = mark.who == AnsweredBy::Service && !mark.when.json.is_empty();
        of_json && alone.holds(&mark.when)
    })?;
    let reason = rules::finding(&alone, None).reason;
    if matches!(reason, Reason::NotTheService | Reason::UnexpectedStatus) {
        return None;
    }
    let mut evidence = vec![format!("{}: its own JSON, inside a page", mark.name)];
    evidence.extend(said.map(|said| format!("it says: {said}")));
    let line = first_line(before);
    if is_php(before) {
        evidence.push(format!("PHP messages stand before it: {line}"));
    } else if !line.is_empty() {
        evidence.push(format!("before it stands: {line}"));
    }
    Some(Wrapped {
        reason,
        answerer: Answerer {
            by: AnsweredBy::Service,
            name: Some(mark.name.clone()),
            evidence,
        },
    })
}

/// Every object in the text of a page, with what stands before it.
fn objects(text: &str) -> Vec<(&str, Value)> {
    let mut objects = Vec::new();
    let mut lower = None;
    let mut looked_at = 0;
    let mut behind = 0;
    let tries = OPENINGS.min(READ / text.len().max(1));
    for (at, _) in text.match_indices('{').take(tries) {
        if at < behind || looked_at >= OBJECTS {
            continue;
        }
        let Some((before, rest)) = text.split_at_checked(at) else {
            continue;
        };
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        if !matches!(values.next(), Some(Ok(_))) {
            continue;
        }
        behind = at + values.byte_offset();
        looked_at += 1;
        // ASCII only, so that places in both are the same.
        let lower = lower.get_or_insert_with(|| text.to_ascii_lowercase());
        let is_text = lower.get(..at).is_some_and(|before| !is_quoted(before));
        let object = rest.get(..values.byte_offset()).unwrap_or_default();
        if let (true, Ok(value)) = (is_text, serde_json::from_str::<Value>(object)) {
            objects.push((before, value));
        }
    }
    objects
}

/// Whether what follows `before` (in lower case) is no text of the page: an attribute, a comment, a program, an example.
fn is_quoted(before: &str) -> bool {
    const QUOTED: [(&str, &str); 9] = [
        ("<", ">"),
        ("<!--", "-->"),
        ("<script", "</script"),
        ("<style", "</style"),
        ("<pre", "</pre"),
        ("<code", "</code"),
        ("<textarea", "</textarea"),
        ("<template", "</template"),
        ("<xmp", "</xmp"),
    ];
    let is_open = |(open, close): (&str, &str)| match (before.rfind(open), before.rfind(close)) {
        (Some(opened), Some(closed)) => opened > closed,
        (Some(_), None) => true,
        (None, _) => false,
    };
    QUOTED.into_iter().any(is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_of_a_page_counts() {
        let found = |page: &str| objects(page).len();
        for page in [
            "<html><body>{\"a\":1}</body></html>",
            "{\"a\":{\"b\":2}}<html>",
            "<pre>x</pre> {\"a\":1}",
            "<style>p { x: y }</style><p>{\"a\":1}",
            "<!-- x --><div data-x='1'>\n{\"a\":1}",
        ] {
            assert_eq!(found(page), 1, "{page}");
        }
        for page in [
            "<pre class=x>{\"a\":1}</pre>",
            "<CODE>{\"a\":1}</CODE>",
            "<script>var x = {\"a\":1};</script>",
            "<div data-x='{\"a\":1}'>",
            "<!-- {\"a\":1} -->",
            "<textarea>{\"a\":1}",
            "<style>p { x: y }</style>",
        ] {
            assert_eq!(found(page), 0, "{page}");
        }
    }

    #[test]
    fn a_page_made_to_be_slow_is_read_all_the_same() {
        assert_eq!(objects(&"{".repeat(1 << 20)).len(), 0);
        assert_eq!(objects(&"{}".repeat(1 << 19)).len(), OBJECTS);
        assert_eq!(objects(&"<pre>{}".repeat(1 << 17)).len(), 0);
        assert_eq!(objects(&format!("{}{{}}", "{ ".repeat(OPENINGS))).len(), 0);
        // Each quoted object costs a look at all that stands before it.
        let padded = |quoted: usize| {
            let padding = " ".repeat(1 << 20);
            format!("{padding}<pre>{}</pre>{{}}", "{}".repeat(quoted))
        };
        assert_eq!(objects(&padded(OBJECTS - 1)).len(), 1);
        assert_eq!(objects(&padded(OBJECTS)).len(), 0);
    }
}
