//! What changed, in runs: cells side by side that one pen writes, or that are blank. A page has a thousand cells, and
//! some hundred runs.

use std::ops::Range;

use ratatui::buffer::{Cell, CellWidth};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use super::glyphs::{Glyphs, in_ascii};
use super::pen::{Pen, place};

/// Attributes that are seen on a blank.
pub(super) const SEEN_ON_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::CROSSED_OUT);

/// What a cell comes to in a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing is seen, whatever its letters' colour.
    Blank,
    /// All terminals agree that it takes one column.
    Agreed,
    /// It takes more columns than one.
    Wide,
    /// One column here, and perhaps not there.
    Uncertain,
}

/// Cells of one row that changed, side by side, all of one look. One that is not agreed on is alone.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) at: Position,
    /// How many cells.
    pub(super) cells: u16,
    pub(super) look: Look,
    /// What writes them; any that is plain where they are blank.
    pub(super) pen: Pen,
    /// Where their text is.
    text: Range<usize>,
}

/// The runs of a frame, row by row. Not shown by `Debug`: its text may hold what was revealed.
#[derive(Default)]
pub(super) struct Runs {
    text: String,
    runs: Vec<Run>,
}

impl Run {
    /// The place behind its last cell.
    pub(super) fn end(&self) -> Position {
        Position::new(self.at.x.saturating_add(self.cells), self.at.y)
    }

    /// Whether one of its cells stands at `at`, or reaches there.
    pub(super) fn covers(&self, at: Position) -> bool {
        let columns = if self.look == Look::Wide {
            2
        } else {
            self.cells
        };
        let end = self.at.x.saturating_add(columns);
        self.at.y == at.y && (self.at.x..end).contains(&at.x)
    }
}

impl Runs {
    /// The runs of cells that come row by row.
    pub(super) fn of<'a>(
        cells: impl Iterator<Item = (u16, u16, &'a Cell)>,
        glyphs: Glyphs,
    ) -> Self {
        let mut runs = Self::default();
        for (x, y, cell) in cells {
            runs.add(Position::new(x, y), cell, glyphs);
        }
        runs
    }

    fn add(&mut self, at: Position, cell: &Cell, glyphs: Glyphs) {
        let look = Look::of(cell);
        let pen = match look {
            Look::Blank => Pen::default(),
            _ => Pen::of(cell),
        };
        let start = self.text.len();
        match (look, glyphs) {
            (Look::Blank, _) => {}
            (_, Glyphs::Unicode) => self.text.push_str(cell.symbol()),
            (_, Glyphs::Ascii) => letters(cell, look, &mut self.text),
        }
        let text = start..self.text.len();
        let goes_on = |run: &&mut Run| {
            matches!(look, Look::Blank | Look::Agreed)
                && run.look == look
                && run.end() == at
                && run.pen == pen
        };
        match self.runs.last_mut().filter(goes_on) {
            Some(run) => {
                run.cells += 1;
                run.text.end = text.end;
            }
            None => self.runs.push(Run {
                at,
                cells: 1,
                look,
                pen,
                text,
            }),
        }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Run> {
        self.runs.iter()
    }

    /// How many cells they are.
    pub(super) fn cells(&self) -> usize {
        self.iter().map(|run| usize::from(run.cells)).sum()
    }

    /// What a run writes; nothing where it is blank.
    pub(super) fn text(&self, run: &Run) -> &str {
        self.text.get(run.text.clone()).unwrap_or_default()
    }

    /// How many pens write them when the one in force is `now`, and which of them each run has. Blanks have none: they
    /// go with what is beside them.
    pub(super) fn by_pen(&self, now: Pen) -> (usize, Vec<usize>) {
        let mut pens = vec![now, Pen::default()];
        let mut groups: Vec<Option<usize>> = self
            .iter()
            .map(|run| (run.look != Look::Blank).then(|| place(&mut pens, run.pen)))
            .collect();
        let beside = |left: usize, right: usize| self.runs[left].end() == self.runs[right].at;
        for at in 1..groups.len() {
            if groups[at].is_none() && beside(at - 1, at) {
                groups[at] = groups[at - 1];
            }
        }
        for at in (1..groups.len()).rev() {
            if groups[at - 1].is_none() && beside(at - 1, at) {
                groups[at - 1] = groups[at];
            }
        }
        let groups = groups.into_iter().map(Option::unwrap_or_default);
        (pens.len(), groups.collect())
    }
}

/// What stands for the cell where there is ASCII alone, as wide as it is; of a letter with accents the letter.
fn letters(cell: &Cell, look: Look, out: &mut String) {
    let letter = cell.symbol().chars().next().map_or(' ', in_ascii);
    let columns = if look == Look::Wide { 2 } else { 1 };
    out.extend(std::iter::repeat_n(letter, columns));
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let symbol = cell.symbol();
        if let [b' '..=b'~'] = symbol.as_bytes() {
            let blank = symbol == " "
                && cell.bg == Color::Reset
                && !cell.modifier.intersects(SEEN_ON_BLANK);
            return if blank { Self::Blank } else { Self::Agreed };
        }
        let mut letters = symbol.chars();
        let alone = letters.next().filter(|_| letters.next().is_none());
        let agreed = |c| c < '\u{300}' || ('\u{2190}'..'\u{2800}').contains(&c);
        match cell.cell_width() {
            1 if alone.is_some_and(agreed) => Self::Agreed,
            0 | 1 => Self::Uncertain,
            _ => Self::Wide,
        }
    }
}
