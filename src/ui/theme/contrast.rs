//! The themes can be read: WCAG's contrast of every role over the backgrounds that it stands on.

use super::*;
use crate::ui::colour::rgb_of;

/// Least contrast of a text (WCAG 2, level AA).
const LEAST: f64 = 4.5;

/// Red, green and blue of the named colours as xterm shows them; nothing for those that no theme names.
fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    Some(match colour {
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Indexed(index) => rgb_of(index).into(),
        Color::Black => (0, 0, 0),
        Color::LightRed => (255, 0, 0),
        Color::LightGreen => (0, 255, 0),
        Color::LightYellow => (255, 255, 0),
        Color::LightMagenta => (255, 0, 255),
        Color::LightCyan => (0, 255, 255),
        Color::White => (255, 255, 255),
        _ => return None,
    })
}

fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_computed_as_the_standard_says() {
    assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
    assert!((contrast((119, 119, 119), (255, 255, 255)) - 4.48).abs() < 0.01);
}

/// What terminals have under a theme for dark ones: pure, and what their own themes paint, down to the lightest.
const DARK: [(u8, u8, u8); 8] = [
    (0, 0, 0),
    // VS Code, GNOME.
    (30, 30, 30),
    // Ubuntu.
    (48, 10, 36),
    // Solarized.
    (0, 43, 54),
    // Gruvbox.
    (40, 40, 40),
    // Dracula.
    (40, 42, 54),
    // One Dark.
    (40, 44, 52),
    // Nord.
    (46, 52, 64),
];
/// And for light ones, down to the darkest.
const LIGHT: [(u8, u8, u8); 4] = [
    (255, 255, 255),
    (250, 250, 250),
    // Solarized.
    (253, 246, 227),
    // Gruvbox.
    (251, 241, 199),
];

#[test]
fn every_role_of_every_theme_can_be_read() {
    let themes = [
        (ThemeName::Dark, &DARK[..]),
        (ThemeName::Light, &LIGHT),
        (ThemeName::HighContrast, &DARK[..1]),
    ];
    let mut under = Vec::new();
    for (name, backgrounds) in themes {
        for depth in [ColourDepth::TwoFiftySix, ColourDepth::True] {
            let theme = Theme::shipped(name, depth);
            for (role, style) in theme.roles() {
                // Without a colour of its own it is the terminal's, and so is what it gives.
                let Some(fg) = style.fg.filter(|fg| *fg != Color::Reset) else {
                    continue;
                };
                for &background in backgrounds {
                    let behind = style.bg.map_or(Some(background), rgb).unwrap();
                    let found = contrast(rgb(fg).unwrap(), behind);
                    if found < LEAST {
                        let name = name.word();
                        under.push(format!("{name}: {role} over {behind:?}: {found:.2}"));
                    }
                }
            }
        }
    }
    assert!(under.is_empty(), "{}", under.join("\n"));
}
