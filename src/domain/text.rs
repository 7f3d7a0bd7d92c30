//! Foreign text made inert: what a server, a file or the environment wrote, before it reaches a cell, a
//! line of output or a log.

use std::cmp::Ordering;

use unicode_width::UnicodeWidthChar;

/// Marks that may stand on one letter: two are writing, forty are a flood.
const MOST_MARKS: usize = 2;

/// `text` on one line, without control characters (C0, DEL, C1), bidirectional controls, zero-width and
/// other invisible format characters, cut to `limit` characters (an ellipsis says so). Runs of white space,
/// line ends included, become one blank.
pub fn inert(text: &str, limit: usize) -> String {
    if text.len() <= limit && is_plain(text) {
        return text.to_owned();
    }
    thinned(text, limit)
}

fn thinned(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit));
    let mut length = 0;
    let mut blank = false;
    let mut marks = 0;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = length > 0;
            continue;
        }
        if is_active(c) {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MOST_MARKS {
            continue;
        }
        if length + usize::from(blank) >= limit {
            line.push('…');
            break;
        }
        if std::mem::take(&mut blank) {
            line.push(' ');
            length += 1;
        }
        line.push(c);
        length += 1;
    }
    line
}

/// Whether `text` is what [`inert`] makes of it: visible ASCII, with single blanks inside. Most texts are.
fn is_plain(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'~') || (byte == b' ' && before == b' ') {
            return false;
        }
        before = byte;
    }
    before != b' '
}

/// `text` with its lines and blanks as they are, but without anything that a terminal may act on: for whole
/// messages, whose parts came from arguments, files and the environment.
pub fn harmless(text: &str) -> String {
    let tabs = text.replace('\t', " ");
    let kept = screened(&tabs).filter(|(c, harmless)| *harmless || *c == '\n');
    kept.map(|(c, _)| c).collect()
}

/// `text` with a dot in place of every character that a terminal may act on, so that each character still has
/// its place: for lines that are being typed.
pub fn dotted(text: &str) -> String {
    let shown = |(c, harmless)| if harmless { c } else { '·' };
    screened(text).map(shown).collect()
}

/// `1 secret`, `2 secrets`.
pub fn counted(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// Which of two names comes first for a person: whatever the case, numbers by their value, Latin letters with a mark
/// beside those without.
pub fn by_name(a: &str, b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (mut a, mut b) = (a, b);
    loop {
        let (in_a, in_b) = (digits(a), digits(b));
        if in_a > 0 && in_b > 0 {
            let ((number_a, rest_a), (number_b, rest_b)) = (a.split_at(in_a), b.split_at(in_b));
            let [first, second] = [number_a, number_b].map(|it| it.trim_start_matches('0'));
            let order = first
                .len()
                .cmp(&second.len())
                .then_with(|| first.cmp(second));
            if order.is_ne() {
                return order;
            }
            (a, b) = (rest_a, rest_b);
            continue;
        }
        let (mut rest_a, mut rest_b) = (a.chars(), b.chars());
        let (Some(first), Some(second)) = (rest_a.next(), rest_b.next()) else {
            return a.len().cmp(&b.len());
        };
        let order = folded(first).cmp(&folded(second));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a.as_str(), rest_b.as_str());
    }
}

/// The letters under those of Latin-1 from U+00C0 on, and of Latin Extended-A; `?` where there is none.
const UNMARKED: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo?ouuuuytsaaaaaaaceeeeiiiidnooooo?ouuuuyty\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// The letter that `c` stands beside.
fn folded(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let at = u32::from(c)
        .checked_sub(0xc0)
        .and_then(|at| usize::try_from(at).ok());
    match at.and_then(|at| UNMARKED.get(at)) {
        Some(b'?') | None => c.to_lowercase().next().unwrap_or(c),
        Some(letter) => char::from(*letter),
    }
}

/// Whether a shell reads `c` as nothing but itself, wherever in a word it stands. (zsh begins a command with `=`.)
pub fn is_plain_in_shell(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '%' | '+' | ':' | ',' | '.' | '/' | '-')
}

/// `text` as one word of a shell, for commands that are shown to be copied: names may hold blanks, quotes, `$(…)`.
pub fn shell_word(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_plain_in_shell) {
        text.to_owned()
    } else {
        shell_quoted(text)
    }
}

/// The same with quotes around it in any case, as people look for them around a URL.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Every character of `text`, and whether it is nothing but text where it stands: no control, nothing
/// invisible, no third mark on one letter.
pub fn screened(text: &str) -> impl Iterator<Item = (char, bool)> {
    text.chars().scan(0, |marks, c| {
        *marks = if is_mark(c) { *marks + 1 } else { 0 };
        Some((c, !is_active(c) && *marks <= MOST_MARKS))
    })
}

/// Whether a terminal may act on `c`, or draw it where it does not stand, or draw what nobody knows (private
/// use: terminals place pictures by it). Blanks of all kinds are none of these, but for line ends.
pub fn is_active(c: char) -> bool {
    // Most of what is ever shown.
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
        || is_private(c)
}

/// Private use, and what is no character at all.
fn is_private(c: char) -> bool {
    let in_plane = u32::from(c) & 0xffff;
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fdd0}'..='\u{fdef}')
        || in_plane >= 0xfffe
}

/// What stands on the letter before it.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && c.width() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_shell_stays_one_and_runs_nothing() {
        for (text, word) in [
            ("shop", "shop"),
            ("SU-1/k@e.com", "SU-1/k@e.com"),
            ("", "''"),
            ("my mkt", "'my mkt'"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("{a,b}", "'{a,b}'"),
            ("a!b", "'a!b'"),
            ("=ls", "'=ls'"),
            ("~", "'~'"),
        ] {
            assert_eq!(shell_word(text), word);
            let divided = shell_words::split(&shell_word(text)).unwrap();
            assert_eq!(divided, [text]);
        }
    }

    #[test]
    fn names_stand_where_people_look_for_them() {
        let ordered = [
            "2nd", "10th", "alpha", "Ärger", "Azure", "eu", "Eu2", "eu10", "eu10-b", "Łódź", "lz",
            "SHOP", "Shop-2", "straße", "strasse", "Zeta", "ўзел", "日本",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(by_name(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(by_name(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        for (a, b) in [("shop", "SHOP"), ("a01", "A1"), ("", ""), ("×", "×")] {
            assert_eq!(by_name(a, b), Ordering::Equal, "{a} {b}");
        }
        for (c, letter) in [
            ('Ā', 'a'),
            ('ſ', 's'),
            ('Ÿ', 'y'),
            ('ŋ', 'n'),
            ('ĸ', 'k'),
            ('Ŵ', 'w'),
            ('ß', 's'),
            ('ÿ', 'y'),
        ] {
            assert_eq!(folded(c), letter, "{c}");
        }
        assert_eq!(folded('÷'), '÷');
    }

    #[test]
    fn escapes_and_line_ends_are_taken_out() {
        assert_eq!(
            inert("Evil\u{1b}]0;x\u{7}\r\n Ltd\u{9b}31m", 80),
            "Evil]0;x Ltd31m"
        );
    }

    #[test]
    fn a_plain_text_is_taken_as_it_is() {
        for text in [
            "", " ", "a", "a b", " a", "a ", "a  b", "a\tb", "a\nb", "a\u{7f}b", "~!", "é",
            "a\u{1b}b", "abc def",
        ] {
            for limit in 0..8 {
                assert_eq!(inert(text, limit), thinned(text, limit), "{text:?} {limit}");
            }
            assert_eq!(
                is_plain(text),
                !text.is_empty() && thinned(text, 80) == text && text.is_ascii()
            );
        }
    }

    #[test]
    fn bidi_and_zero_width_characters_are_taken_out() {
        assert_eq!(inert("a\u{202e}b\u{200b}c\u{feff}", 80), "abc");
    }

    #[test]
    fn what_has_no_shape_of_its_own_is_taken_out_wherever_it_stands() {
        let alone = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{3164}\u{feff}\u{ffa0}";
        let ranges = [
            ('\0', '\u{1f}'),
            ('\u{7f}', '\u{9f}'),
            ('\u{180b}', '\u{180f}'),
            ('\u{200b}', '\u{200f}'),
            ('\u{2028}', '\u{202e}'),
            ('\u{2060}', '\u{206f}'),
            ('\u{fe00}', '\u{fe0f}'),
            ('\u{fff0}', '\u{fffb}'),
            ('\u{13430}', '\u{1345f}'),
            ('\u{1bca0}', '\u{1bca3}'),
            ('\u{1d173}', '\u{1d17a}'),
            ('\u{e0000}', '\u{e0fff}'),
        ];
        let ranges = ranges.into_iter().flat_map(|(first, last)| first..=last);
        for c in alone.chars().chain(ranges) {
            let shown = inert(&format!("a{c}b"), 80);
            assert!(shown == "ab" || shown == "a b", "{c:?}: {shown:?}");
            assert_eq!(dotted(&format!("a{c}b")), "a·b", "{c:?}");
            let whole = harmless(&format!("a{c}b"));
            assert!(!whole.contains(c) || c == '\n', "{c:?}");
        }
    }

    #[test]
    fn a_flood_of_marks_is_thinned() {
        let flood = format!("e{}", "\u{301}".repeat(500));
        assert_eq!(inert(&flood, 80).chars().count(), 3);
    }

    #[test]
    fn marks_of_any_alphabet_are_thinned() {
        for mark in [
            '\u{303}',
            '\u{489}',
            '\u{94d}',
            '\u{e48}',
            '\u{f72}',
            '\u{a66f}',
            '\u{1e8d0}',
        ] {
            let flood = format!("x{}y", mark.to_string().repeat(40));
            assert_eq!(inert(&flood, 80).chars().count(), 4, "{mark:?}");
        }
    }

    #[test]
    fn private_use_and_what_is_no_character_are_taken_out() {
        let text = "a\u{e000}b\u{f8ff}c\u{10eeee}d\u{f1234}e\u{fffe}f\u{fdd0}g\u{1ffff}h";
        assert_eq!(inert(text, 80), "abcdefgh");
    }

    #[test]
    fn tags_and_annotations_are_taken_out() {
        assert_eq!(
            inert("a\u{e0041}b\u{e007f}c\u{fff9}d\u{fffb}e\u{2028}f", 80),
            "abcde f"
        );
    }

    #[test]
    fn long_text_says_that_it_was_cut() {
        assert_eq!(inert("abcdef", 3), "abc…");
        assert_eq!(inert("abc", 3), "abc");
        assert_eq!(inert("ab c", 3), "ab…");
    }

    #[test]
    fn a_message_keeps_its_lines() {
        assert_eq!(
            harmless("a\u{1b}[2J\n  b\tc\u{202e}\r\n\u{9b}31md\u{301}\u{301}\u{301}"),
            "a[2J\n  b c\n31md\u{301}\u{301}"
        );
    }

    #[test]
    fn a_typed_line_keeps_its_places() {
        let typed = "a\u{1b}e\u{301}\u{301}\u{301}\u{301} b\u{202e}";
        assert_eq!(dotted(typed), "a·e\u{301}\u{301}·· b·");
    }

    #[test]
    fn writing_of_other_alphabets_is_kept() {
        assert_eq!(inert("Käse Ελλάς 株式会社", 80), "Käse Ελλάς 株式会社");
    }
}
