//! The backend of the real screen: changed cells, in as few bytes as they take.
//!
//! Colours and attributes stay in force from frame to frame, the cursor takes the shortest way, runs of blanks are
//! erased, and a frame ends where its last cell does. Over a slow line this is what a key costs.

use std::fmt::Write as _;
use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Cell, CellWidth};
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

/// Attributes that are seen on a blank.
const SEEN_ON_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::CROSSED_OUT);

/// A longer run of blanks is erased instead of written (`CSI n X` and the way behind it).
const ERASE_OVER: u16 = 8;
/// To the right edge erasing is three bytes.
const ERASE_TO_EDGE_OVER: u16 = 3;
/// So many single steps are as short as a counted move.
const STEPS: u16 = 3;

/// Larger changes are pages: they are written row by row, as they are read.
const TRIED_UP_TO: usize = 1_000;

/// How the next character is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }
}

/// A cell that changed, and where it stands.
type Changed<'a> = (Position, &'a Cell);

/// One way to write a frame.
struct Tried {
    out: String,
    pen: Option<Pen>,
    at: Option<Position>,
}

/// Blanks that were not written yet.
#[derive(Clone, Copy, Debug)]
struct Blanks {
    at: Position,
    length: u16,
}

/// A screen of cells, written as escape sequences into a buffer.
#[derive(Debug, Default)]
pub struct Cells {
    out: String,
    size: Size,
    /// What the terminal writes with; `None` where that is not known.
    pen: Option<Pen>,
    /// Where its cursor stands; `None` where that is not certain.
    at: Option<Position>,
    /// Whether the cursor is shown; `None` where that is not known.
    cursor: Option<bool>,
    blanks: Option<Blanks>,
    /// Where wide characters stand. There are few.
    wide: Vec<Position>,
}

impl Cells {
    /// A screen of `size` cells, of whose state nothing is known.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// The terminal has another size from now on: the next frame is drawn anew.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }

    /// What was drawn since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out).into_bytes()
    }

    /// Writes the cells row by row.
    fn by_rows(&mut self, cells: &[Changed<'_>]) {
        for (at, cell) in cells {
            self.cell(*at, cell);
        }
        self.end_blanks();
    }

    /// Writes the cells pen by pen: a move is shorter than a colour.
    fn by_pens(&mut self, cells: &[Changed<'_>]) {
        let mut pens = vec![self.pen.unwrap_or_default(), Pen::default()];
        let mut before: Option<(Position, usize)> = None;
        let grouped: Vec<usize> = cells
            .iter()
            .map(|(at, cell)| {
                let beside = before.filter(|(last, _)| last.y == at.y && last.x + 1 == at.x);
                let group = if is_blank(cell) {
                    beside.map_or(0, |(_, group)| group)
                } else {
                    place(&mut pens, Pen::of(cell))
                };
                before = Some((*at, group));
                group
            })
            .collect();
        for group in 0..pens.len() {
            for ((at, cell), _) in cells.iter().zip(&grouped).filter(|(_, of)| **of == group) {
                self.cell(*at, cell);
            }
            self.end_blanks();
        }
    }

    /// What `write` makes of the cells, and where that leaves pen and cursor; nothing is kept of it.
    fn tried(&mut self, write: impl FnOnce(&mut Self)) -> Tried {
        let (pen, at, length) = (self.pen, self.at, self.out.len());
        write(self);
        Tried {
            out: self.out.split_off(length),
            pen: std::mem::replace(&mut self.pen, pen),
            at: std::mem::replace(&mut self.at, at),
        }
    }

    /// Takes wide characters away before one of their halves is written: the other half would keep, or take on,
    /// colours that terminals don't agree about.
    fn make_room(&mut self, cells: &[Changed<'_>]) {
        let after = |at: &Position| Position::new(at.x + 1, at.y);
        let known = std::mem::take(&mut self.wide);
        for at in known {
            let touched = |(changed, cell): &Changed<'_>| {
                let wide = cell.cell_width() > 1;
                *changed == at || *changed == after(&at) || (wide && after(changed) == at)
            };
            if cells.iter().any(touched) {
                self.write_blanks(Blanks { at, length: 2 });
            } else {
                self.wide.push(at);
            }
        }
        let wide = cells.iter().filter(|(_, cell)| cell.cell_width() > 1);
        self.wide.extend(wide.map(|(at, _)| *at));
    }

    fn cell(&mut self, at: Position, cell: &Cell) {
        if is_blank(cell) {
            return self.blank(at);
        }
        self.end_blanks();
        self.go(at);
        self.dip(Pen::of(cell));
        self.out.push_str(cell.symbol());
        self.at = self.behind(at, cell);
    }

    fn blank(&mut self, at: Position) {
        match &mut self.blanks {
            Some(run) if run.at.y == at.y && run.at.x + run.length == at.x => run.length += 1,
            _ => {
                self.end_blanks();
                self.blanks = Some(Blanks { at, length: 1 });
            }
        }
    }

    fn end_blanks(&mut self) {
        if let Some(blanks) = self.blanks.take() {
            self.write_blanks(blanks);
        }
    }

    fn write_blanks(&mut self, Blanks { at, length }: Blanks) {
        self.go(at);
        let now = self.pen.unwrap_or_default();
        self.dip(Pen {
            bg: Color::Reset,
            modifier: now.modifier - SEEN_ON_BLANK,
            ..now
        });
        let edge = at.x + length >= self.size.width;
        if edge && length > ERASE_TO_EDGE_OVER {
            self.out.push_str("\x1b[K");
        } else if length > ERASE_OVER {
            self.sequence(length, 'X');
        } else {
            self.out
                .extend(std::iter::repeat_n(' ', usize::from(length)));
            self.at = (!edge).then(|| Position::new(at.x + length, at.y));
        }
    }

    /// Where the cursor stands once `cell` was written: not certain at the right edge, where terminals wait
    /// with the new line, and behind what terminals don't agree about how wide it is.
    fn behind(&self, at: Position, cell: &Cell) -> Option<Position> {
        let mut letters = cell.symbol().chars();
        let alone = letters.next().filter(|_| letters.next().is_none());
        let agreed = alone.is_some_and(|c| c < '\u{300}' || ('\u{2190}'..'\u{2800}').contains(&c));
        let next = at.x.saturating_add(1);
        (agreed && cell.cell_width() == 1 && next < self.size.width)
            .then(|| Position::new(next, at.y))
    }

    /// Moves the cursor by the shortest sequence.
    fn go(&mut self, to: Position) {
        if self.at == Some(to) {
            return;
        }
        let straight = straight(to);
        let way = self
            .at
            .map(|from| format!("{}{}", down(from.y, to.y), along(from.x, to.x)))
            .filter(|way| way.len() < straight.len())
            .unwrap_or(straight);
        self.out.push_str(&way);
        self.at = Some(to);
    }

    /// Takes another pen, by the shorter of what changes and a fresh start.
    fn dip(&mut self, to: Pen) {
        if self.pen == Some(to) {
            return;
        }
        let mut fresh = String::new();
        codes(Pen::default(), to, &mut fresh);
        if !fresh.is_empty() {
            fresh.insert_str(0, "0;");
        }
        let shorter = self.pen.and_then(|from| {
            let mut changed = String::new();
            codes(from, to, &mut changed);
            (changed.len() <= fresh.len() && !changed.is_empty()).then_some(changed)
        });
        let codes = shorter.unwrap_or(fresh);
        let _ = write!(self.out, "\x1b[{}m", codes.trim_end_matches(';'));
        self.pen = Some(to);
    }

    fn sequence(&mut self, count: u16, letter: char) {
        // Writing to a String does not fail.
        let _ = write!(self.out, "\x1b[{count}{letter}");
    }

    fn cursor(&mut self, shown: bool) {
        if self.cursor != Some(shown) {
            self.out
                .push_str(if shown { "\x1b[?25h" } else { "\x1b[?25l" });
            self.cursor = Some(shown);
        }
    }
}

/// Whether a cell is seen as nothing, whatever its letters' colour.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && cell.bg == Color::Reset && !cell.modifier.intersects(SEEN_ON_BLANK)
}

/// Where `pen` stands among the pens; it is put there where it does not.
fn place(pens: &mut Vec<Pen>, pen: Pen) -> usize {
    pens.iter()
        .position(|known| *known == pen)
        .unwrap_or_else(|| {
            pens.push(pen);
            pens.len() - 1
        })
}

/// The move to a place from anywhere.
fn straight(to: Position) -> String {
    match (to.x, to.y) {
        (0, 0) => "\x1b[H".into(),
        (0, y) => format!("\x1b[{}H", y + 1),
        (x, 0) => format!("\x1b[;{}H", x + 1),
        (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
    }
}

/// The move from row to row. A line feed keeps the column in raw mode, and never scrolls: the row is there.
fn down(from: u16, to: u16) -> String {
    let rows = from.abs_diff(to);
    match (to > from, rows) {
        (_, 0) => String::new(),
        (true, 1..=STEPS) => "\n".repeat(usize::from(rows)),
        (true, _) => format!("\x1b[{rows}B"),
        (false, 1) => "\x1bM".into(),
        (false, _) => format!("\x1b[{rows}A"),
    }
}

/// The move from column to column.
fn along(from: u16, to: u16) -> String {
    let columns = from.abs_diff(to);
    match (to > from, columns) {
        (_, 0) => String::new(),
        (true, 1) => "\x1b[C".into(),
        (true, _) => format!("\x1b[{columns}C"),
        (false, 1..=STEPS) => "\x08".repeat(usize::from(columns)),
        (false, _) if to == 0 => "\r".into(),
        (false, _) => format!("\x1b[{columns}D"),
    }
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
fn codes(from: Pen, to: Pen, out: &mut String) {
    let mut kept = from.modifier;
    for (attribute, _, off) in ATTRIBUTES {
        if kept.contains(attribute) && !to.modifier.contains(attribute) {
            out.push_str(off);
            for (other, _, ended) in ATTRIBUTES {
                if ended == off {
                    kept.remove(other);
                }
            }
        }
    }
    for (attribute, on, _) in ATTRIBUTES {
        if to.modifier.contains(attribute) && !kept.contains(attribute) {
            out.push_str(on);
        }
    }
    if from.fg != to.fg {
        colour(to.fg, 30, out);
    }
    if from.bg != to.bg {
        colour(to.bg, 40, out);
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
            let _ = write!(out, "{};5;{index};", base + 8);
            return;
        }
        Color::Rgb(red, green, blue) => {
            let _ = write!(out, "{};2;{red};{green};{blue};", base + 8);
            return;
        }
    };
    let code = base + place + if bright { 60 } else { 0 };
    let _ = write!(out, "{code};");
}

impl Backend for Cells {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<Changed<'_>> = content
            .map(|(x, y, cell)| (Position::new(x, y), cell))
            .collect();
        self.make_room(&cells);
        if cells.len() > TRIED_UP_TO {
            self.by_rows(&cells);
            return Ok(());
        }
        let rows = self.tried(|it| it.by_rows(&cells));
        let pens = self.tried(|it| it.by_pens(&cells));
        let shorter = if pens.out.len() < rows.out.len() {
            pens
        } else {
            rows
        };
        self.out.push_str(&shorter.out);
        (self.pen, self.at) = (shorter.pen, shorter.at);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.cursor(false);
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.cursor(true);
        Ok(())
    }

    /// Where it was put last: the terminal is never asked.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.at.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.go(position.into());
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        // Terminals erase with the colour that is in force; and somebody else may have written meanwhile.
        self.out.push_str("\x1b[m");
        self.pen = Some(Pen::default());
        self.out.push_str(match region {
            ClearType::All => {
                self.wide.clear();
                self.at = None;
                self.cursor = None;
                "\x1b[2J"
            }
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::default(),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
