//! Which characters a terminal shows. A multiplexer puts `_` in the place of each that its locale does not have, so that
//! lamps are no longer told apart: there, letters stand for them.

/// The characters that may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// All.
    #[default]
    Unicode,
    /// Those of ASCII.
    Ascii,
}

impl Glyphs {
    /// The characters that the locale (`LC_ALL`, else `LC_CTYPE`, else `LANG`) speaks of. One without a codeset, as `C`,
    /// counts only within a multiplexer on this machine, which draws by it: it says nothing about a terminal at the other
    /// end of a line.
    pub fn detect(locale: Option<&str>, is_multiplexed: bool) -> Self {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        // As tmux looks for it: macOS hands on one that is `UTF-8` alone.
        let is_unicode = ["utf-8", "utf8"].iter().any(|name| locale.contains(name));
        if is_unicode || !is_multiplexed && !locale.contains('.') {
            Self::Unicode
        } else {
            Self::Ascii
        }
    }
}

/// What stands for a character that is none of ASCII. All that the screen draws by itself have their own, the states
/// among them each another.
pub(super) fn in_ascii(letter: char) -> char {
    match letter {
        ' '..='~' => letter,
        '\u{a0}' => ' ',
        '│' | '▏' | '▎' | '▍' | '▌' | '▋' | '▊' | '▉' => '|',
        '─' | '·' | '–' | '—' | '−' => '-',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '✓' => '+',
        '●' | '•' => '*',
        '▲' => '!',
        '✖' | '✗' | '×' => 'x',
        '○' => 'o',
        '◌' | '…' => '~',
        '◇' => '%',
        '‖' | '▄' | '▅' | '▆' => '=',
        '▸' | '→' | '›' | '»' => '>',
        '←' | '‹' | '«' => '<',
        '↑' => '^',
        '↓' => 'v',
        '▁' | '▂' | '▃' => '_',
        '▇' | '█' | '≠' => '#',
        '“' | '”' | '„' => '"',
        '‘' | '’' | '‚' => '\'',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::State;

    #[test]
    fn the_locale_decides_where_somebody_draws_by_it() {
        use Glyphs::{Ascii, Unicode};
        for (locale, alone, multiplexed) in [
            (Some("C.UTF-8"), Unicode, Unicode),
            (Some("de_DE.utf8@euro"), Unicode, Unicode),
            (Some("UTF-8"), Unicode, Unicode),
            (Some("C"), Unicode, Ascii),
            (Some("de_DE@euro"), Unicode, Ascii),
            (None, Unicode, Ascii),
            (Some("de_DE.ISO-8859-15@euro"), Ascii, Ascii),
        ] {
            assert_eq!(Glyphs::detect(locale, false), alone, "{locale:?}");
            assert_eq!(Glyphs::detect(locale, true), multiplexed, "{locale:?}");
        }
    }

    #[test]
    fn states_are_told_apart_by_their_letters() {
        let states = [State::Ok, State::Warn, State::Down, State::Unknown];
        let lamps: Vec<char> = states.iter().map(|state| state.glyph()).collect();
        let further = ['◌', '◇', '‖'];
        let mut letters: Vec<char> = lamps.into_iter().chain(further).map(in_ascii).collect();
        letters.sort_unstable();
        let all = letters.len();
        letters.dedup();
        assert_eq!(letters.len(), all, "{letters:?}");
        assert!(!letters.contains(&'?'), "{letters:?}");
    }
}
