//! Themes: what each role on the screen looks like. Written in `assets/themes/*.toml`, and embedded as JSON.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, ParseColorError, Style};
use serde::Deserialize;

use super::colour::ColourDepth;
use crate::domain::State;

/// The text of `assets/themes/NAME.toml`, as JSON.
macro_rules! shipped {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/themes/", $name, ".json"))
    };
}

/// The shipped themes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    /// For terminals with a dark background.
    #[default]
    Dark,
    /// For terminals with a light one.
    Light,
    /// Paints its own black background, and uses bright colours alone.
    HighContrast,
    /// No colours, whatever the terminal can do.
    Mono,
}

impl ThemeName {
    /// Every theme, the default first.
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::HighContrast, Self::Mono];

    /// The word in the configuration and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::Mono => "mono",
        }
    }

    /// The theme that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Dark => shipped!("dark"),
            Self::Light => shipped!("light"),
            Self::HighContrast => shipped!("high-contrast"),
            Self::Mono => shipped!("mono"),
        }
    }
}

/// Why a theme's file is none.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// Not JSON, a role that is missing or unknown.
    #[error("reading the theme: {0}")]
    Form(#[from] serde_json::Error),
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident,)+) => {
        /// A style for every role on the screen, brought down to what the terminal can show.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Theme { $($(#[$doc])* pub $role: Style,)+ }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File { $($role: InkTable,)+ }

        impl File {
            fn at(&self, depth: ColourDepth) -> Theme {
                Theme { $($role: self.$role.style(depth),)+ }
            }
        }

        #[cfg(test)]
        impl Theme {
            fn roles(&self) -> Vec<(&'static str, Style)> {
                vec![$((stringify!($role), self.$role),)+]
            }
        }
    };
}

roles! {
    /// Under everything: only a theme with a background of its own sets it.
    screen,
    /// The program's name in the title bar.
    brand,
    /// What is to be read.
    text,
    /// What is to be read first: names of things, titles of verdicts.
    strong,
    /// Labels, units, what may be overlooked.
    faint,
    /// Borders of panes.
    border,
    /// The border of the pane that has the keys.
    border_focus,
    /// A pane's title.
    title,
    /// The title of the pane that has the keys.
    title_focus,
    /// The marker of the selected row, and what can be done with one key.
    marker,
    /// A key in the footer.
    key,
    /// What it does.
    hint,
    /// The field that is being edited.
    input,
    /// The lamp of `ok`.
    ok,
    /// The lamp of `warn`.
    warn,
    /// The lamp of `down`.
    down,
    /// The lamp of `unknown`.
    unknown,
    /// The lamp while a probe runs.
    probing,
    /// Bars of the phases.
    bar,
    /// A snippet, as it stands in a file.
    snippet,
    /// A secret in the open.
    revealed,
    /// Something to say in the footer.
    notice,
    /// The same, where something failed.
    error,
}

impl Theme {
    /// The shipped theme `name` at `depth`. Without colours it is `mono`, whatever was asked for: only that
    /// one tells everything apart without them.
    pub fn shipped(name: ThemeName, depth: ColourDepth) -> Self {
        let (name, depth) = match (name, depth) {
            (_, ColourDepth::NoColor) | (ThemeName::Mono, _) => {
                (ThemeName::Mono, ColourDepth::NoColor)
            }
            (name, depth) => (name, depth),
        };
        // A test holds that every shipped file can be read; without its styles the screen is plain, not gone.
        Self::read(name.file(), depth).unwrap_or_default()
    }

    /// A theme from the text of its file.
    pub fn read(json: &str, depth: ColourDepth) -> Result<Self, ThemeError> {
        let file: File = serde_json::from_str(json)?;
        Ok(file.at(depth))
    }

    /// The lamp's style.
    pub const fn lamp(&self, state: State) -> Style {
        match state {
            State::Ok => self.ok,
            State::Warn => self.warn,
            State::Down => self.down,
            State::Unknown => self.unknown,
        }
    }
}

/// One role in a theme's file.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one attribute of a terminal's cell, as the file names it"
)]
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InkTable {
    /// Name, `#rrggbb` or palette number.
    fg: Option<ThemeColour>,
    /// The foreground among the sixteen; the nearest where absent.
    ansi: Option<ThemeColour>,
    /// Background.
    bg: Option<ThemeColour>,
    bold: bool,
    dim: bool,
    underline: bool,
    reverse: bool,
}

impl InkTable {
    fn style(&self, depth: ColourDepth) -> Style {
        let ansi = self.ansi.map(|shade| shade.0);
        let mut style = Style::new();
        style.fg = self.fg.and_then(|fg| depth.show(fg.0, ansi));
        style.bg = self.bg.and_then(|bg| depth.show(bg.0, None));
        for (wanted, modifier) in [
            (self.bold, Modifier::BOLD),
            (self.dim && depth != ColourDepth::NoColor, Modifier::DIM),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ] {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        style
    }
}

/// A colour as the file names it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct ThemeColour(Color);

/// A text that names no colour.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no colour: use a name, #rrggbb or 0-255")]
struct UnknownColour {
    text: String,
    source: ParseColorError,
}

impl TryFrom<String> for ThemeColour {
    type Error = UnknownColour;

    fn try_from(text: String) -> Result<Self, UnknownColour> {
        let colour = Color::from_str(&text);
        colour
            .map(Self)
            .map_err(|source| UnknownColour { text, source })
    }
}

#[cfg(test)]
mod contrast;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_can_be_read() {
        for name in ThemeName::ALL {
            let theme = Theme::read(name.file(), ColourDepth::True);
            assert!(theme.is_ok(), "{}: {theme:?}", name.word());
            assert_eq!(ThemeName::from_word(name.word()), Some(name));
        }
    }

    #[test]
    fn without_colours_no_style_names_one() {
        for name in ThemeName::ALL {
            let theme = Theme::shipped(name, ColourDepth::NoColor);
            for (_, style) in theme.roles() {
                assert_eq!((style.fg, style.bg), (None, None));
                assert!(!style.add_modifier.contains(Modifier::DIM));
            }
            assert_ne!(theme.title, theme.title_focus);
            assert_ne!(theme.notice, theme.error);
        }
    }

    #[test]
    fn sixteen_colours_are_named_ones() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast] {
            for (_, style) in Theme::shipped(name, ColourDepth::Sixteen).roles() {
                let named = !matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_)));
                assert!(named, "{style:?}");
            }
        }
    }

    #[test]
    fn lamps_differ_in_colour() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast] {
            for depth in [
                ColourDepth::Sixteen,
                ColourDepth::TwoFiftySix,
                ColourDepth::True,
            ] {
                let theme = Theme::shipped(name, depth);
                let lamps = [theme.ok.fg, theme.warn.fg, theme.down.fg, theme.unknown.fg];
                for (at, one) in lamps.iter().enumerate() {
                    assert!(!lamps[..at].contains(one), "{name:?} {depth:?}");
                }
            }
        }
    }

    #[test]
    fn a_wrong_colour_is_told() {
        let text = ThemeName::Dark.file().replace("\"fg\":\"", "\"fg\":\"?");
        let error = Theme::read(&text, ColourDepth::True)
            .unwrap_err()
            .to_string();
        assert!(error.contains("is no colour"), "{error}");
    }
}
