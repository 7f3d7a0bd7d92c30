//! Foreign text made inert: what a server, a file or the environment wrote, before it reaches a cell, a
//! line of output or a log.

/// `text` on one line, without control characters (C0, DEL, C1), bidirectional controls, zero-width and
/// other invisible format characters, cut to `limit` characters (an ellipsis says so). Runs of white space,
/// line ends included, become one blank.
pub fn inert(text: &str, limit: usize) -> String {
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
        if marks > 2 {
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

/// Whether a terminal may act on `c`, or draw it where it does not stand.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Combining marks: two on a letter are writing, forty are a flood.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05bd}' | '\u{064b}'..='\u{065f}'
        | '\u{0e31}' | '\u{0e34}'..='\u{0e3a}' | '\u{0e47}'..='\u{0e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_line_ends_are_taken_out() {
        assert_eq!(
            inert("Evil\u{1b}]0;x\u{7}\r\n Ltd\u{9b}31m", 80),
            "Evil]0;x Ltd31m"
        );
    }

    #[test]
    fn bidi_and_zero_width_characters_are_taken_out() {
        assert_eq!(inert("a\u{202e}b\u{200b}c\u{feff}", 80), "abc");
    }

    #[test]
    fn a_flood_of_marks_is_thinned() {
        let flood = format!("e{}", "\u{301}".repeat(500));
        assert_eq!(inert(&flood, 80).chars().count(), 3);
    }

    #[test]
    fn long_text_says_that_it_was_cut() {
        assert_eq!(inert("abcdef", 3), "abc…");
        assert_eq!(inert("abc", 3), "abc");
        assert_eq!(inert("ab c", 3), "ab…");
    }

    #[test]
    fn writing_of_other_alphabets_is_kept() {
        assert_eq!(inert("Käse Ελλάς 株式会社", 80), "Käse Ελλάς 株式会社");
    }
}
