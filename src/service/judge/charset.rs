//! Bodies in other character sets, turned into UTF-8 before anybody reads or masks them.
//!
//! JSON is UTF-8, and pages of old installations are not: a company's name in Latin-1 and an error page in
//! UTF-16 are read as they were meant, whatever is declared wrongly or not at all.

use crate::domain::{Outcome, Reply, Response};

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// Latin-1 with the printable signs that Windows put between 0x80 and 0x9f, as browsers read it.
    Windows1252,
    Utf16(ByteOrder),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

/// 0x80 to 0x9f of Windows-1252; the five that are not taken are left as replacement characters.
const WINDOWS: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    'ž', 'Ÿ',
];

/// Turns the body of `reply` into UTF-8; one that is already is left untouched.
pub(in crate::service) fn into_utf8(mut reply: Reply) -> Reply {
    if let Outcome::Answered(response) | Outcome::Cut(response, _) = &mut reply.outcome
        && let Some(text) = decoded(response)
    {
        response.body = text.into_bytes();
    }
    reply
}

/// The body as text, where it is not UTF-8 already.
fn decoded(response: &Response) -> Option<String> {
    let body = response.body.as_slice();
    match coding(response)? {
        Encoding::Utf8 => None,
        Encoding::Windows1252 => Some(body.iter().map(|byte| windows(*byte)).collect()),
        Encoding::Utf16(order) => Some(utf16(body, order)),
    }
}

/// What the body's first bytes say, else the header, else the bytes themselves.
fn coding(response: &Response) -> Option<Encoding> {
    let body = response.body.as_slice();
    if is_compressed(response) {
        return None;
    }
    match body {
        [0xff, 0xfe, ..] | [b'{' | b'[' | b'<', 0, ..] => {
            return Some(Encoding::Utf16(ByteOrder::Little));
        }
        [0xfe, 0xff, ..] | [0, b'{' | b'[' | b'<', ..] => {
            return Some(Encoding::Utf16(ByteOrder::Big));
        }
        [0xef, 0xbb, 0xbf, ..] => return Some(Encoding::Utf8),
        _ => {}
    }
    let declared = charset(response);
    if let Some(order) = declared.as_deref().and_then(wide)
        && body.contains(&0)
    {
        return Some(Encoding::Utf16(order));
    }
    let valid = match std::str::from_utf8(body) {
        Ok(_) => true,
        // A body that was cut within a character.
        Err(error) => error.error_len().is_none(),
    };
    if valid {
        return None;
    }
    match declared.as_deref() {
        Some("utf-8" | "utf8") => None,
        // Compressed or otherwise binary bodies stay as they came.
        None if body.iter().take(512).any(|byte| *byte == 0) => None,
        Some(_) | None => Some(Encoding::Windows1252),
    }
}

/// The order of the bytes that a character set with two of them has.
fn wide(charset: &str) -> Option<ByteOrder> {
    match charset {
        "utf-16le" => Some(ByteOrder::Little),
        "utf-16" | "utf-16be" => Some(ByteOrder::Big),
        _ => None,
    }
}

/// Whether the body is compressed in a way that the transport did not take off.
pub(super) fn is_compressed(response: &Response) -> bool {
    response
        .header("content-encoding")
        .is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
}

/// The `charset` of `Content-Type`, in lower case.
fn charset(response: &Response) -> Option<String> {
    let value = response.header("content-type")?.to_lowercase();
    let (_, after) = value.split_once("charset=")?;
    let name = after.split(';').next().unwrap_or(after);
    Some(name.trim_matches([' ', '"', '\'']).to_owned())
}

fn windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn utf16(body: &[u8], order: ByteOrder) -> String {
    let unit = |pair: &[u8]| {
        let pair = <[u8; 2]>::try_from(pair).unwrap_or_default();
        match order {
            ByteOrder::Little => u16::from_le_bytes(pair),
            ByteOrder::Big => u16::from_be_bytes(pair),
        }
    };
    let text = char::decode_utf16(body.chunks_exact(2).map(unit))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>();
    // Here the mark belongs to the coding: it is no noise.
    text.strip_prefix('\u{feff}')
        .map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &[u8]) -> Option<String> {
        decoded(&Response {
            status: 200,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.to_vec(),
        })
    }

    fn wide(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn whatever_the_coding_the_text_is_the_same() {
        let text = "{\"name\":\"Bücher – €\"}";
        let little = wide(text, u16::to_le_bytes);
        let big = wide(text, u16::to_be_bytes);
        let marked = [&[0xff, 0xfe][..], &little].concat();
        let windows = b"{\"name\":\"B\xfccher \x96 \x80\"}";
        for (kind, body) in [
            ("application/json; charset=UTF-16LE", &little[..]),
            ("application/json", &little),
            ("application/json", &big),
            ("application/json; charset=utf-8", &marked),
            ("text/html; charset=\"windows-1252\"", windows),
            ("text/html; charset=iso-8859-1", windows),
            ("text/html", windows),
        ] {
            assert_eq!(read(kind, body).as_deref(), Some(text), "{kind} {body:?}");
        }
    }

    #[test]
    fn utf8_is_left_as_it_came() {
        for (kind, body) in [
            ("text/html; charset=iso-8859-1", "{\"a\":\"ü\"}".as_bytes()),
            ("", b"\xef\xbb\xbf{}"),
            ("", b"cut within \xc3"),
            ("application/json; charset=utf-8", b"\xff{}"),
            ("", b"\x1f\x8b\x08\x00\x00\xff"),
            ("", b""),
        ] {
            assert_eq!(read(kind, body), None, "{kind} {body:?}");
        }
    }
}
