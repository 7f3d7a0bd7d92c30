//! One key with its modifiers: read from the configuration, compared, shown.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key as it is bound: without the differences between terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPress {
    /// Which key. Letters carry their case: Shift is not kept beside them.
    pub code: KeyCode,
    /// Control and Alt, and Shift for keys without a case.
    pub modifiers: KeyModifiers,
}

/// Names of keys that are no character, as read and as shown.
const NAMED: &[(&str, &str, KeyCode)] = &[
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("up", "↑", KeyCode::Up),
    ("down", "↓", KeyCode::Down),
    ("left", "←", KeyCode::Left),
    ("right", "→", KeyCode::Right),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Delete", KeyCode::Delete),
    ("insert", "Insert", KeyCode::Insert),
    ("space", "Space", KeyCode::Char(' ')),
];

impl KeyPress {
    /// A key without modifiers.
    pub const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    /// The key of `event`. Terminals send Shift-Tab as `BackTab`, Enter at times as Ctrl-J, and Shift beside
    /// upper-case letters or not: all that is made one here.
    pub fn of(event: KeyEvent) -> Self {
        let kept = KeyModifiers::CONTROL | KeyModifiers::ALT;
        match event.code {
            KeyCode::BackTab => Self {
                code: KeyCode::Tab,
                modifiers: (event.modifiers & kept) | KeyModifiers::SHIFT,
            },
            KeyCode::Char('j') if event.modifiers == KeyModifiers::CONTROL => {
                Self::plain(KeyCode::Enter)
            }
            KeyCode::Char(c) => Self {
                code: KeyCode::Char(as_sent(with_case(c, event.modifiers), event.modifiers)),
                modifiers: event.modifiers & kept,
            },
            code => Self {
                code,
                modifiers: event.modifiers & (kept | KeyModifiers::SHIFT),
            },
        }
    }

    /// Reads `r`, `R`, `ctrl-s`, `alt-x`, `shift-tab`, `f5`, `enter`, `pgup`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((word, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty())
        {
            modifiers |= match word.to_ascii_lowercase().as_str() {
                "ctrl" | "c" => KeyModifiers::CONTROL,
                "alt" | "a" | "m" => KeyModifiers::ALT,
                "shift" | "s" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = after;
        }
        let code = Self::code(rest)?;
        if let KeyCode::Char(c) = code {
            let code = KeyCode::Char(as_sent(with_case(c, modifiers), modifiers));
            modifiers -= KeyModifiers::SHIFT;
            return Some(Self { code, modifiers });
        }
        Some(Self { code, modifiers })
    }

    fn code(word: &str) -> Option<KeyCode> {
        let mut chars = word.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return (!c.is_control() && !c.is_whitespace()).then_some(KeyCode::Char(c));
        }
        let word = word.to_ascii_lowercase();
        let named = NAMED.iter().find(|(name, ..)| *name == word);
        named.map(|(.., code)| *code).or_else(|| {
            let number: u8 = word.strip_prefix('f')?.parse().ok()?;
            (1..=12).contains(&number).then_some(KeyCode::F(number))
        })
    }

    /// Whether this key types a character in a text field.
    pub fn types(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// The key that means in a text field what this one means outside: letters go to Alt.
    #[must_use]
    pub fn for_field(self) -> Self {
        if self.types() {
            Self {
                modifiers: KeyModifiers::ALT,
                ..self
            }
        } else {
            self
        }
    }
}

/// What terminals send as one control character, after the digit that it is read as.
const TWINS: [(char, &str); 4] = [('4', "\\"), ('5', "]"), ('6', "^~"), ('7', "_/")];

/// The key by which a terminal that knows control characters alone sends Control and `c`.
fn as_sent(c: char, modifiers: KeyModifiers) -> char {
    let twin = TWINS.iter().find(|(_, signs)| signs.contains(c));
    let twin = twin.filter(|_| modifiers.contains(KeyModifiers::CONTROL));
    twin.map_or(c, |(digit, _)| *digit)
}

/// The letter as Shift and Control leave it: Control-letters have no case of their own.
fn with_case(c: char, modifiers: KeyModifiers) -> char {
    if modifiers.contains(KeyModifiers::CONTROL) {
        c.to_ascii_lowercase()
    } else if modifiers.contains(KeyModifiers::SHIFT) {
        c.to_ascii_uppercase()
    } else {
        c
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = self.modifiers.contains(KeyModifiers::CONTROL);
        if control {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("S-")?;
        }
        if let Some((_, shown, _)) = NAMED.iter().find(|(.., code)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(c) if control => {
                let shown = TWINS.iter().find(|(digit, _)| *digit == c);
                let shown = shown.and_then(|(_, signs)| signs.chars().next());
                write!(f, "{}", shown.unwrap_or(c).to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_shown() {
        for (text, shown) in [
            ("r", "r"),
            ("R", "R"),
            ("shift-r", "R"),
            ("ctrl-s", "Ctrl-S"),
            ("Ctrl-S", "Ctrl-S"),
            ("alt-r", "Alt-r"),
            ("shift-tab", "S-Tab"),
            ("enter", "Enter"),
            ("up", "↑"),
            ("f5", "F5"),
            ("-", "-"),
            ("alt--", "Alt--"),
            ("space", "Space"),
            ("ctrl-_", "Ctrl-_"),
            ("ctrl-/", "Ctrl-_"),
            ("ctrl-7", "Ctrl-_"),
            ("ctrl-\\", "Ctrl-\\"),
            ("ctrl-]", "Ctrl-]"),
            ("ctrl-^", "Ctrl-^"),
            ("/", "/"),
        ] {
            assert_eq!(KeyPress::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "hyper-x", "f13", "word", "\u{7}"] {
            assert_eq!(KeyPress::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn terminals_differ_and_keys_do_not() {
        let of = |code, modifiers| KeyPress::of(KeyEvent::new(code, modifiers)).to_string();
        assert_eq!(of(KeyCode::BackTab, KeyModifiers::SHIFT), "S-Tab");
        assert_eq!(of(KeyCode::BackTab, KeyModifiers::NONE), "S-Tab");
        assert_eq!(of(KeyCode::Char('_'), KeyModifiers::CONTROL), "Ctrl-_");
        assert_eq!(of(KeyCode::Char('7'), KeyModifiers::CONTROL), "Ctrl-_");
        assert_eq!(of(KeyCode::Char('j'), KeyModifiers::CONTROL), "Enter");
        assert_eq!(of(KeyCode::Char('R'), KeyModifiers::SHIFT), "R");
        assert_eq!(of(KeyCode::Char('R'), KeyModifiers::NONE), "R");
        assert_eq!(of(KeyCode::Char('r'), KeyModifiers::SHIFT), "R");
        assert_eq!(
            of(KeyCode::Char('R'), KeyModifiers::ALT | KeyModifiers::SHIFT),
            "Alt-R"
        );
    }
}
