//! The columns of a field: its value and the lamp behind it, which always has its word.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{cells, cut, put, put_both, width};
use super::super::view::{View, glyph, lamp_style};
use crate::app::model::FieldLamp;
use crate::domain::State;

/// Cells of the labels, with the blank behind.
pub(super) const LABEL: u16 = 10;

/// Cells of a lamp's word that still tell something where it is cut.
const LEAST_WORD: usize = 8;

/// Cells of the longest word that stands whatever the value takes: `unknown`, `probing`.
const SHORT_WORD: usize = 7;

/// Blanks between a value and the word behind it.
const GAP: usize = 2;

/// What the rows of one drawing need, in cells: the lamps with their words take what the values leave.
#[derive(Default)]
pub(super) struct Needs {
    value: usize,
    lamp: usize,
}

impl Needs {
    pub(super) fn add(&mut self, value: usize, lamp: &FieldLamp) {
        self.value = self.value.max(value);
        self.lamp = self.lamp.max(2 + width(word(lamp)));
    }
}

/// Cells that stand in the value's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing that tells more than the lamp's word.
    Nothing,
    /// A value of so many.
    Value(usize),
    /// So many that are being typed. Their place keeps its width, whatever the lamp says meanwhile.
    Typed(usize),
}

/// Columns of a row. Where they have little room, the word stands before the lamp, in what the value leaves.
pub(super) struct Columns {
    pub(super) marker: Rect,
    pub(super) label: Rect,
    pub(super) value: Rect,
    lamp: Rect,
}

impl Columns {
    pub(super) fn of(row: Rect, needs: &Needs) -> Self {
        let least = match row.width {
            0..30 => 0,
            30..48 => 2,
            48..62 => 17,
            62..80 => 24,
            80..110 => 30,
            110..140 => 42,
            _ => 56,
        };
        let value = cells(needs.value).saturating_add(2 + LABEL);
        let wanted = cells(needs.lamp.saturating_add(1)).min(row.width.saturating_sub(value));
        let lamp = if least > 2 { least.max(wanted) } else { least };
        let part = |from: u16, to: u16| {
            let x = row.x + from.min(row.width);
            let width = to.min(row.width).saturating_sub(from);
            Rect { x, width, ..row }
        };
        let value = row.width.saturating_sub(lamp);
        Self {
            marker: part(0, 1),
            label: part(1, 1 + LABEL),
            value: part(1 + LABEL, value.saturating_sub(1)),
            lamp: part(value, row.width.saturating_sub(u16::from(lamp > 0))),
        }
    }

    /// Draws the lamp with its word, and gives the place that is left for the value.
    pub(super) fn beside(
        &self,
        view: &View<'_>,
        lamp: &FieldLamp,
        taken: Taken,
        buf: &mut Buffer,
    ) -> Rect {
        let is_lit = !lamp.word.is_empty() || lamp.probing;
        if self.lamp.is_empty() {
            return self.value;
        }
        let style = lamp_style(view.theme, lamp.state, lamp.probing);
        let mut line = Line::from(glyph(view.theme, lamp.state, lamp.probing));
        let word = view.line(word(lamp));
        if self.lamp.width > 2 {
            line.extend([Span::raw(" "), Span::styled(word, style)]);
            if is_lit {
                put(buf, self.lamp, line);
            }
            return self.value;
        }
        let room = usize::from(self.value.width);
        let word = is_lit.then(|| fitting(&word, lamp.state, (room, taken)));
        let word = word.unwrap_or_default();
        let value = Rect {
            width: cells(room.saturating_sub(behind(&word, taken))),
            ..self.value
        };
        if is_lit {
            put_both(buf, self.value, Line::default(), Line::styled(word, style));
            put(buf, self.lamp, line);
        }
        value
    }
}

/// Cells behind the value's place.
fn behind(word: &str, taken: Taken) -> usize {
    match (taken, width(word)) {
        (Taken::Typed(_), wide) => wide.max(SHORT_WORD) + 1,
        (_, 0) => 0,
        (_, wide) => wide + GAP,
    }
}

/// As much of `word` as fits behind what is taken of so many cells; the state's own word where that tells too little.
fn fitting(word: &str, state: State, (room, taken): (usize, Taken)) -> String {
    let taken = match taken {
        Taken::Nothing => 0,
        Taken::Value(taken) | Taken::Typed(taken) => taken,
    };
    let left = room.saturating_sub(taken + GAP);
    if width(word) <= left.max(SHORT_WORD) {
        word.to_owned()
    } else if left >= LEAST_WORD {
        cut(word, left)
    } else {
        match state {
            State::Ok => state.id().to_owned(),
            State::Warn | State::Down | State::Unknown => state.word().to_owned(),
        }
    }
}

fn word(lamp: &FieldLamp) -> &str {
    if lamp.probing { "probing" } else { &lamp.word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_leave_their_row() {
        for width in 0..200 {
            let row = Rect::new(3, 2, width, 1);
            let needs = Needs {
                value: usize::from(width) / 3,
                lamp: 70,
            };
            let columns = Columns::of(row, &needs);
            for part in [columns.marker, columns.label, columns.value, columns.lamp] {
                assert!(
                    part.x >= row.x && part.right() <= row.right(),
                    "{width}: {part:?}"
                );
            }
        }
    }

    #[test]
    fn a_lamp_has_a_word_whatever_the_value_takes() {
        for (word, state, taken, shown) in [
            ("service found", State::Ok, 0, "service found"),
            ("service found", State::Ok, 16, "service f…"),
            ("service found", State::Ok, 19, "ok"),
            ("0 Received: no such name", State::Down, 80, "down"),
            ("401 Denied", State::Warn, 19, "check"),
            ("not tested", State::Unknown, 80, "unknown"),
            ("probing", State::Down, 80, "probing"),
            ("set", State::Ok, 80, "set"),
        ] {
            let taken = Taken::Value(taken);
            assert_eq!(fitting(word, state, (28, taken)), shown, "{word} {taken:?}");
        }
    }
}
