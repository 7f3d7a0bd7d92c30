//! What the terminal writes with: colours and attributes, and the parameters that change them.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::moves::number;

/// How the next character is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pen {
    pub(super) fg: Color,
    pub(super) bg: Color,
    pub(super) modifier: Modifier,
}

impl Pen {
    pub(super) fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }
}

/// Where `pen` stands among the pens; it is put there where it does not.
pub(super) fn place(pens: &mut Vec<Pen>, pen: Pen) -> usize {
    pens.iter()
        .position(|known| *known == pen)
        .unwrap_or_else(|| {
            pens.push(pen);
            pens.len() - 1
        })
}

/// On and off, for each attribute. Bold and faint are ended together.
const ATTRIBUTES: [(Modifier, &str, &str); 9] = [
    (Modifier::BOLD, "1;", "22;"),
    (Modifier::DIM, "2;", "22;"),
    (Modifier::ITALIC, "3;", "23;"),
    (Modifier::UNDERLINED, "4;", "24;"),
    (Modifier::SLOW_BLINK, "5;", "25;"),
    (Modifier::RAPID_BLINK, "6;", "25;"),
    (Modifier::REVERSED, "7;", "27;"),
    (Modifier::HIDDEN, "8;", "28;"),
    (Modifier::CROSSED_OUT, "9;", "29;"),
];

/// The parameters that lead from one pen to another, each with a `;` behind it.
pub(super) fn codes(from: Pen, to: Pen, out: &mut String) {
    if from.modifier != to.modifier {
        attributes(from.modifier, to.modifier, out);
    }
    if from.fg != to.fg {
        colour(to.fg, 30, out);
    }
    if from.bg != to.bg {
        colour(to.bg, 40, out);
    }
}

/// The parameters of the attributes.
fn attributes(from: Modifier, to: Modifier, out: &mut String) {
    let mut kept = from;
    for (attribute, _, off) in ATTRIBUTES {
        if kept.contains(attribute) && !to.contains(attribute) {
            out.push_str(off);
            for (other, _, ended) in ATTRIBUTES {
                if ended == off {
                    kept.remove(other);
                }
            }
        }
    }
    for (attribute, on, _) in ATTRIBUTES {
        if to.contains(attribute) && !kept.contains(attribute) {
            out.push_str(on);
        }
    }
}

/// The parameters of a colour. `base` is 30 for the letters, 40 for what is behind them.
fn colour(colour: Color, base: u8, out: &mut String) {
    let (place, bright) = match colour {
        Color::Reset => (9, false),
        Color::Black => (0, false),
        Color::Red => (1, false),
        Color::Green => (2, false),
        Color::Yellow => (3, false),
        Color::Blue => (4, false),
        Color::Magenta => (5, false),
        Color::Cyan => (6, false),
        Color::Gray => (7, false),
        Color::DarkGray => (0, true),
        Color::LightRed => (1, true),
        Color::LightGreen => (2, true),
        Color::LightYellow => (3, true),
        Color::LightBlue => (4, true),
        Color::LightMagenta => (5, true),
        Color::LightCyan => (6, true),
        Color::White => (7, true),
        Color::Indexed(index @ 0..8) => (index, false),
        Color::Indexed(index @ 8..16) => (index - 8, true),
        Color::Indexed(index) => {
            return parameters(&[base + 8, 5, index], out);
        }
        Color::Rgb(red, green, blue) => {
            return parameters(&[base + 8, 2, red, green, blue], out);
        }
    };
    let code = base + place + if bright { 60 } else { 0 };
    parameters(&[code], out);
}

/// Numbers, each with a `;` behind it.
fn parameters(codes: &[u8], out: &mut String) {
    for code in codes {
        number(u16::from(*code), out);
        out.push(';');
    }
}
