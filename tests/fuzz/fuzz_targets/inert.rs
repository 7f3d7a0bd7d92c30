//! Foreign text made inert: nothing is left that a terminal acts on, and no more than was asked for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard::domain::text::inert;

fuzz_target!(|input: &[u8]| {
    let Some((limit, text)) = input.split_first() else {
        return;
    };
    let limit = usize::from(*limit);
    let text = String::from_utf8_lossy(text);
    let line = inert(&text, limit);
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert!(!line.chars().any(
        |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    ));
    assert!(line.chars().count() <= limit + 1, "{limit}: {line:?}");
    assert!(
        !line.starts_with(' ') && !line.ends_with(' ') && !line.contains("  "),
        "{line:?}"
    );
    // Once inert, always inert.
    assert_eq!(inert(&line, limit + 1), line);
});
