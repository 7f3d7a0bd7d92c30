//! How long something takes, lasts or lies back, as people write it: one grammar wherever a time is asked for.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads a time such as `500ms`, `90s`, `1h30m`, `2d` or `1w`, also below zero. A day has 24 hours. Nothing
/// where it is none: months and years have no length of their own, and a bare number no unit.
pub fn read(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// The same where a bare number is meant as seconds.
pub fn read_or_seconds(text: &str) -> Option<SignedDuration> {
    let bare = text.trim().parse().ok().map(SignedDuration::from_secs);
    bare.or_else(|| read(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_alike_everywhere() {
        for (text, seconds) in [
            ("90s", 90),
            (" 5 m ", 300),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("0.5h", 1_800),
            ("2d", 172_800),
            ("1w2d", 777_600),
            ("0d", 0),
            ("-2h", -7_200),
            ("PT2H", 7_200),
        ] {
            let read = read(text);
            assert_eq!(read, Some(SignedDuration::from_secs(seconds)), "{text}");
            assert_eq!(read_or_seconds(text), read, "{text}");
        }
        assert_eq!(read("500ms"), Some(SignedDuration::from_millis(500)));
        for text in [
            "",
            "soon",
            "90",
            "1mo",
            "1y",
            "99999999999999999d",
            "2d ago later",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read_or_seconds("90"), Some(SignedDuration::from_secs(90)));
        assert_eq!(read_or_seconds("-1"), Some(SignedDuration::from_secs(-1)));
    }
}
