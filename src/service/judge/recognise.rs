//! What a body is: JSON (with or without noise before it), a page, text, or nothing.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::domain::Response;
use crate::domain::text::inert;
use crate::service::catalog::condition::BodyKind;

/// A body, read.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::service) struct HtmlPage {
    /// What it is.
    pub(in crate::service) kind: BodyKind,
    /// Its JSON, where it is some.
    pub(in crate::service) json: Option<Value>,
    /// What stood around the JSON.
    pub(in crate::service) noise: Option<Noise>,
    /// The page's title, inert.
    pub(in crate::service) title: Option<String>,
    /// The beginning in lower case, to look for words in.
    pub(in crate::service) lower: String,
    /// Length of the body.
    pub(in crate::service) bytes: usize,
}

/// What stood around the JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service) enum Noise {
    /// A byte order mark.
    Bom,
    /// Blanks or line ends.
    Blanks,
    /// Messages of PHP: its first line, inert.
    Php(String),
    /// Other text: its first line, inert.
    Text(String),
}

impl Noise {
    /// One line for people.
    pub(in crate::service) fn line(&self) -> String {
        match self {
            Self::Bom => "a byte order mark (BOM) stands before the JSON".to_owned(),
            Self::Blanks => "blanks or line ends stand before the JSON".to_owned(),
            Self::Php(line) => format!("PHP messages stand around the JSON: {line}"),
            Self::Text(line) => format!("text stands around the JSON: {line}"),
        }
    }
}

/// How much of a page is searched for words, bytes. Titles and names of firewalls stand early.
const SEARCHED: usize = 128 * 1024;
/// How many openings of an object are tried as the begin of the JSON, and how many bytes behind them altogether.
const OPENINGS: usize = 400;
const READ: usize = 128 * 1024 * 1024;
const BOM: char = '\u{feff}';

/// Reads the body of `response`.
pub(in crate::service) fn page(response: &Response) -> HtmlPage {
    let text = String::from_utf8_lossy(&response.body);
    let bare = text.trim_matches(|c: char| c == BOM || c.is_whitespace() || c == '\0');
    let mut page = HtmlPage {
        kind: BodyKind::Text,
        json: None,
        noise: None,
        title: None,
        lower: beginning(bare).to_lowercase(),
        bytes: response.body.len(),
    };
    if bare.is_empty() {
        page.kind = BodyKind::Empty;
    } else if let Some((json, noise)) = json(&text, bare) {
        page.kind = BodyKind::Json;
        page.json = Some(json);
        page.noise = noise;
    } else if is_html(&page.lower, response) {
        page.kind = BodyKind::Html;
        page.title = title(bare);
    }
    page
}

/// Whether a body is compressed in a way that was not asked for, so that nothing can be read of it. (What
/// was asked for was taken off by the transport, and its header with it.)
pub(super) fn is_unreadable(response: &Response, page: &HtmlPage) -> bool {
    let binary = || {
        let control = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
        std::str::from_utf8(&response.body).is_err()
            || response.body.iter().take(512).filter(control).count() > 4
    };
    super::charset::is_compressed(response) && page.kind == BodyKind::Text && binary()
}

/// Whether a body is JSON by its type, and ends within it: whoever wrote it ended half-way, and what stands before
/// (a proxy that buffers) sent what there was as a whole.
pub(super) fn breaks_off(response: &Response, page: &HtmlPage) -> bool {
    let is_json = response
        .header("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    let is_success = (200..300).contains(&response.status);
    let cut = || {
        let text = String::from_utf8_lossy(&response.body);
        let bare = text.trim_start_matches(|c: char| c == BOM || c.is_whitespace());
        let ends_within = |error: serde_json::Error| error.is_eof();
        bare.starts_with(['{', '['])
            && serde_json::from_str::<IgnoredAny>(bare).is_err_and(ends_within)
    };
    is_success && is_json && page.kind == BodyKind::Text && cut()
}

fn beginning(text: &str) -> &str {
    let mut end = SEARCHED.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The JSON of a body: all of it, or an object with noise around it. A bare word or number is text.
fn json(text: &str, bare: &str) -> Option<(Value, Option<Noise>)> {
    if bare.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(bare)
    {
        let noise = if text.starts_with(BOM) {
            Some(Noise::Bom)
        } else if text.starts_with(char::is_whitespace) {
            Some(Noise::Blanks)
        } else {
            None
        };
        return Some((value, noise));
    }
    bare.match_indices('{')
        .take(OPENINGS.min(READ / bare.len().max(1)))
        .find_map(|(at, _)| tail(bare, at))
}

/// The object that starts at `at`, where it runs to the end of the body or is followed by noise.
fn tail(bare: &str, at: usize) -> Option<(Value, Option<Noise>)> {
    let (before, rest) = bare.split_at_checked(at)?;
    // Most are none: nothing is built of them.
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (object, _) = rest.split_at_checked(values.byte_offset())?;
    let value = serde_json::from_str::<Value>(object).ok()?;
    let after = rest.get(values.byte_offset()..)?;
    let (before, after) = (before.trim(), after.trim());
    if !before.is_empty() && looks_like_a_page(&before.to_lowercase()) {
        return None;
    }
    // What begins as the service's own object is its answer, whatever a host or a template puts behind it,
    // unless that is a whole page.
    let foreign = if before.is_empty() {
        is_document(after)
    } else {
        !is_php(after)
    };
    if !after.is_empty() && foreign {
        return None;
    }
    let around = if before.is_empty() { after } else { before };
    let line = first_line(around);
    let noise = if is_php(around) {
        Noise::Php(line)
    } else {
        Noise::Text(line)
    };
    Some((value, Some(noise)))
}

/// The beginning of what stands around the JSON, inert: its text, or its tags where it has none.
pub(super) fn first_line(around: &str) -> String {
    let plain = inert(&without_tags(around), 120);
    if plain.is_empty() {
        inert(around, 120)
    } else {
        plain
    }
}

/// PHP's own form: `Warning: … in /path/file.php on line 3`, with or without tags.
pub(super) fn is_php(text: &str) -> bool {
    let level = [
        "Warning",
        "Notice",
        "Deprecated",
        "Strict Standards",
        "Parse error",
        "Fatal error",
    ];
    level.iter().any(|word| text.contains(word)) && text.contains("on line")
}

fn is_document(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["<!doctype", "<html", "<body"]
        .iter()
        .any(|tag| lower.contains(tag))
}

fn looks_like_a_page(lower: &str) -> bool {
    ["<!doctype", "<html", "<head", "<body", "<script"]
        .iter()
        .any(|tag| lower.contains(tag))
}

fn is_html(lower: &str, response: &Response) -> bool {
    let typed = response
        .header("content-type")
        .is_some_and(|value| value.to_lowercase().contains("html"));
    looks_like_a_page(lower)
        || lower.contains("<title")
        || lower.contains("<center>")
        || (typed && lower.contains('<'))
}

fn title(text: &str) -> Option<String> {
    let text = beginning(text);
    // ASCII only, so that places in both are the same.
    let lower = text.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower.get(open..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</title")?;
    let title = inert(&without_entities(text.get(start..end)?), 100);
    (!title.is_empty()).then_some(title)
}

fn without_entities(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&nbsp;", " "),
        ("&ndash;", "–"),
        ("&mdash;", "—"),
        ("&raquo;", "»"),
        ("&laquo;", "«"),
        ("&middot;", "·"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}

/// What a short page says to people, inert: the text of its body, and nothing of one with scripts or styles.
pub(super) fn words(response: &Response) -> Option<String> {
    let text = String::from_utf8_lossy(&response.body);
    let lower = text.to_ascii_lowercase();
    let body = lower.find("<body").unwrap_or(0);
    if text.len() > 8000 || lower.contains("<script") || lower.contains("<style") {
        return None;
    }
    let plain = without_tags(&text.get(body..)?.replace('<', " <"));
    let said = inert(&without_entities(&plain), 160);
    (!said.is_empty()).then_some(said)
}

fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> HtmlPage {
        page(&Response {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn kinds_are_told_apart() {
        for (body, kind) in [
            ("", BodyKind::Empty),
            (" \r\n\u{feff}", BodyKind::Empty),
            ("{\"a\":1}", BodyKind::Json),
            ("[]", BodyKind::Json),
            ("5", BodyKind::Text),
            ("not found", BodyKind::Text),
            ("<!DOCTYPE html><p>x", BodyKind::Html),
            ("<center>nginx</center>", BodyKind::Html),
            (
                "<html><script>var a = {\"response\":[]}</script></html>",
                BodyKind::Html,
            ),
            ("{\"response\":[", BodyKind::Text),
        ] {
            assert_eq!(read(body).kind, kind, "{body}");
        }
    }

    #[test]
    fn json_is_found_behind_noise() {
        let php =
            "<br />\n<b>Warning</b>:  foo(): {bad} in <b>/srv/x.php</b> on line <b>3</b><br />\n";
        for (body, noise) in [
            (r#"{"response":1}"#.to_owned(), None),
            ("{\"response\":1}\n".to_owned(), None),
            ("\u{feff}{\"response\":1}".to_owned(), Some(Noise::Bom)),
            ("\n\n {\"response\":1}".to_owned(), Some(Noise::Blanks)),
            (
                format!("{php}{{\"response\":1}}"),
                Some(Noise::Php(
                    "Warning: foo(): {bad} in /srv/x.php on line 3".to_owned(),
                )),
            ),
            (
                format!("{{\"response\":1}}{php}"),
                Some(Noise::Php(
                    "Warning: foo(): {bad} in /srv/x.php on line 3".to_owned(),
                )),
            ),
            (
                "{\"response\":1}\n<!-- 0.1 s -->\n</body></html>".to_owned(),
                Some(Noise::Text("<!-- 0.1 s --> </body></html>".to_owned())),
            ),
            (
                "{\"response\":1}<script src=x></script>".to_owned(),
                Some(Noise::Text("<script src=x></script>".to_owned())),
            ),
            (
                "debug {\"response\":1}".to_owned(),
                Some(Noise::Text("debug".to_owned())),
            ),
        ] {
            let page = read(&body);
            assert_eq!(
                page.json,
                Some(serde_json::json!({"response": 1})),
                "{body}"
            );
            assert_eq!(page.noise, noise, "{body}");
        }
    }

    #[test]
    fn a_page_with_json_at_its_end_stays_a_page() {
        for body in [
            "<!doctype html><title>Shop</title>{\"response\":[]}",
            "{\"response\":[]}<html><title>Shop</title></html>",
        ] {
            let page = read(body);
            assert_eq!((page.kind, page.json), (BodyKind::Html, None));
        }
    }

    #[test]
    fn titles_are_read_and_made_inert() {
        let title = |body: &str| read(body).title;
        assert_eq!(
            title("<HTML><Title lang=x>\n Shop &amp; Co\u{1b}[31m </TITLE>"),
            Some("Shop & Co[31m".to_owned())
        );
        assert_eq!(title("<html><title></title>"), None);
        assert_eq!(title("<html><title>unclosed"), None);
        assert_eq!(title("<html>İ<title>x</title>"), Some("x".to_owned()));
    }

    #[test]
    fn a_body_made_to_be_slow_is_read_all_the_same() {
        assert_eq!(read(&"{".repeat(1 << 20)).kind, BodyKind::Text);
        assert_eq!(read(&"{\"a\":".repeat(200_000)).kind, BodyKind::Text);
        assert_eq!(read(&"[".repeat(1 << 20)).kind, BodyKind::Text);
    }
}
