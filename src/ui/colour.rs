//! How many colours the terminal has, and the nearest one where a theme asks for more.

use ratatui::style::Color;

/// How many colours may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    /// None at all: `NO_COLOR`, `--no-color`, `TERM=dumb`. Only bold, underline and reverse are used.
    NoColor,
    /// The sixteen that the terminal's own palette defines.
    Sixteen,
    /// The xterm palette.
    TwoFiftySix,
    /// 24 bits.
    True,
}

impl ColourDepth {
    /// Terminals of 24 bits that are known by their names: over ssh `COLORTERM` stays behind.
    const OF_24_BITS: [&'static str; 5] = [
        "xterm-kitty",
        "xterm-ghostty",
        "alacritty",
        "foot",
        "wezterm",
    ];
    /// Terminals that have no colours.
    const WITHOUT: [&'static str; 5] = ["dumb", "vt52", "vt100", "vt102", "vt220"];

    /// The depth that the environment speaks of. `no_color` is whether `NO_COLOR` (set and not empty) or the
    /// flag asks for none; `colorterm` and `term` are the variables of these names.
    pub fn detect(no_color: bool, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if no_color || Self::WITHOUT.contains(&term) {
            return Self::NoColor;
        }
        let known = Self::OF_24_BITS.iter().any(|name| term.starts_with(name));
        if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") || known {
            return Self::True;
        }
        if term.contains("256color") {
            return Self::TwoFiftySix;
        }
        Self::Sixteen
    }

    /// `colour` as this depth can show it. `ansi` is the theme's own choice among the sixteen.
    pub(super) fn show(self, colour: Color, ansi: Option<Color>) -> Option<Color> {
        match self {
            Self::NoColor => None,
            Self::True => Some(colour),
            Self::TwoFiftySix => Some(match colour {
                Color::Rgb(r, g, b) => Color::Indexed(nearest_of_256([r, g, b])),
                other => other,
            }),
            Self::Sixteen => Some(ansi.unwrap_or_else(|| sixteen(colour))),
        }
    }
}

type Rgb = [u8; 3];

/// Steps of the 6×6×6 cube of the xterm palette.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The sixteen as xterm paints them, with ratatui's names.
const SIXTEEN: [(Color, Rgb); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

fn sixteen(colour: Color) -> Color {
    let wanted = match colour {
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Indexed(index) => rgb_of(index),
        named => return named,
    };
    SIXTEEN
        .iter()
        .min_by_key(|(_, rgb)| distance(*rgb, wanted))
        .map_or(Color::Reset, |(name, _)| *name)
}

/// The best of the cube and the grey ramp; the first sixteen are the user's own and left out.
fn nearest_of_256(wanted: Rgb) -> u8 {
    (16..=255)
        .min_by_key(|index| distance(rgb_of(*index), wanted))
        .unwrap_or(15)
}

/// What xterm shows for a number of its palette.
pub(super) fn rgb_of(index: u8) -> Rgb {
    match index {
        0..=15 => SIXTEEN[usize::from(index)].1,
        16..=231 => {
            let cube = usize::from(index - 16);
            [STEPS[cube / 36], STEPS[cube / 6 % 6], STEPS[cube % 6]]
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}

fn distance(a: Rgb, b: Rgb) -> u32 {
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
    squares.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_deep() {
        use ColourDepth::{NoColor, Sixteen, True, TwoFiftySix};
        for (no_color, colorterm, term, depth) in [
            (true, Some("truecolor"), Some("xterm-256color"), NoColor),
            (false, None, Some("dumb"), NoColor),
            (false, Some("truecolor"), Some("xterm"), True),
            (false, Some("24bit"), None, True),
            (false, None, Some("xterm-direct"), True),
            (false, None, Some("xterm-kitty"), True),
            (false, None, Some("foot-extra"), True),
            (false, None, Some("vt220"), NoColor),
            (false, None, Some("tmux-256color"), TwoFiftySix),
            (false, Some(""), Some("linux"), Sixteen),
            (false, None, None, Sixteen),
        ] {
            assert_eq!(
                ColourDepth::detect(no_color, colorterm, term),
                depth,
                "{term:?}"
            );
        }
    }

    #[test]
    fn colours_are_brought_down_to_the_nearest() {
        let red = Color::Rgb(250, 10, 5);
        assert_eq!(ColourDepth::True.show(red, None), Some(red));
        assert_eq!(
            ColourDepth::TwoFiftySix.show(red, None),
            Some(Color::Indexed(196))
        );
        assert_eq!(ColourDepth::Sixteen.show(red, None), Some(Color::LightRed));
        assert_eq!(
            ColourDepth::Sixteen.show(red, Some(Color::Red)),
            Some(Color::Red)
        );
        assert_eq!(ColourDepth::NoColor.show(red, Some(Color::Red)), None);
        let grey = Color::Rgb(128, 129, 128);
        assert_eq!(
            ColourDepth::TwoFiftySix.show(grey, None),
            Some(Color::Indexed(244))
        );
        assert_eq!(
            ColourDepth::Sixteen.show(Color::Indexed(244), None),
            Some(Color::DarkGray)
        );
    }
}
