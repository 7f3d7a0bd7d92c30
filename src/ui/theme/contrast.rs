//! The themes can be read: WCAG's contrast of every text over the backgrounds that it stands on.

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

#[test]
fn every_text_of_every_theme_can_be_read() {
    // What terminals have under them: pure, and the usual shades of dark and light themes.
    let backgrounds = [
        (ThemeName::Dark, vec![(0, 0, 0), (30, 30, 30)]),
        (ThemeName::Light, vec![(255, 255, 255), (250, 250, 250)]),
        (ThemeName::HighContrast, vec![(0, 0, 0)]),
    ];
    for (name, backgrounds) in backgrounds {
        let theme = Theme::shipped(name, ColourDepth::True);
        for style in theme.styles() {
            // Borders are no text: what they divide is told apart by titles too.
            let Some(fg) = style.fg.filter(|_| style != theme.border) else {
                continue;
            };
            for &background in &backgrounds {
                let under = style.bg.map_or(Some(background), rgb).unwrap();
                let found = contrast(rgb(fg).unwrap(), under);
                assert!(
                    found >= LEAST,
                    "{}: {fg:?} over {under:?}: {found:.2}",
                    name.word()
                );
            }
        }
    }
}
