//! The backend of the real screen: changed cells, in as few bytes as they take.
//!
//! Colours and attributes stay in force from frame to frame, the cursor takes the shortest way, runs of blanks are
//! erased, and a frame ends where its last cell does. Over a slow line this is what a key costs.

mod glyphs;
mod moves;
mod pen;
mod runs;

use std::io;
use std::ops::Range;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

pub use glyphs::Glyphs;
use moves::{STEPS, along, counted, down, straight};
use pen::{Pen, codes};
use runs::{Look, Run, Runs, SEEN_ON_BLANK};

/// A longer run of blanks is erased instead of written (`CSI n X` and the way behind it).
const ERASE_OVER: u16 = 8;
/// To the right edge erasing is three bytes.
const ERASE_TO_EDGE_OVER: u16 = 3;
/// Larger changes are pages: they are written row by row, as they are read.
const TRIED_UP_TO: usize = 1_000;

/// Empties the screen upwards from its last cell. `CSI 2 J` would move what stands on it into the history of tmux and
/// others where they have no alternate screen, and what is on it may be a revealed secret.
pub const ERASE: &str = "\x1b[9999;9999H\x1b[1J";

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
    /// Where the ways to write something are tried: a page has hundreds of them.
    scratch: String,
    size: Size,
    glyphs: Glyphs,
    /// What the terminal writes with; `None` where that is not known.
    pen: Option<Pen>,
    /// Where its cursor stands; `None` where that is not certain.
    at: Option<Position>,
    /// Whether the cursor is shown; `None` where that is not known.
    cursor: Option<bool>,
    blanks: Option<Blanks>,
    /// Where wide characters stand. There are few.
    wide: Vec<Position>,
    /// Which cells are certain to be blank, row by row: to write such a blank again is shorter than a step over it.
    known_blank: Vec<bool>,
}

impl Cells {
    /// A screen of `size` cells that was just cleared. Nothing else is known of it.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            known_blank: vec![true; size.area() as usize],
            ..Self::default()
        }
    }

    /// The same, drawn with these characters.
    #[must_use]
    pub fn with(self, glyphs: Glyphs) -> Self {
        Self { glyphs, ..self }
    }

    /// The terminal has another size from now on: the next frame is drawn anew.
    pub fn resize(&mut self, size: Size) {
        if size != self.size {
            self.size = size;
            self.known_blank = vec![false; size.area() as usize];
        }
    }

    /// Remembers whether so many cells from `at` on are certain to be blank.
    fn know(&mut self, at: Position, cells: u16, is_blank: bool) {
        let end = at.x.saturating_add(cells).min(self.size.width);
        let places = self.places(at, end);
        if let Some(known) = self.known_blank.get_mut(places) {
            known.fill(is_blank);
        }
    }

    /// Whether blanks written from `from` to before `to` change nothing that is seen.
    fn is_blank_between(&self, from: Position, to: Position) -> bool {
        let is_plain = |pen: Pen| pen.bg == Color::Reset && !pen.modifier.intersects(SEEN_ON_BLANK);
        self.pen.is_some_and(is_plain) && self.is_known_blank(from, to.x)
    }

    /// Whether the cells from `from` to before the column `end` are certain to be blank.
    fn is_known_blank(&self, from: Position, end: u16) -> bool {
        let cells = self.known_blank.get(self.places(from, end));
        cells.is_some_and(|cells| cells.iter().all(|blank| *blank))
    }

    /// Where what is known of the cells from `from` to before the column `end` stands.
    fn places(&self, from: Position, end: u16) -> Range<usize> {
        let first = usize::from(from.y) * usize::from(self.size.width);
        first + usize::from(from.x)..first + usize::from(end)
    }

    /// What was drawn since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out).into_bytes()
    }

    /// Writes the runs in the way that takes fewer bytes.
    fn write(&mut self, runs: &Runs) {
        if runs.cells() > TRIED_UP_TO {
            return self.by_rows(runs);
        }
        let rows = self.tried(|it| it.by_rows(runs));
        let pens = self.tried(|it| it.by_pens(runs));
        let shorter = if pens.out.len() < rows.out.len() {
            pens
        } else {
            rows
        };
        self.out.push_str(&shorter.out);
        (self.pen, self.at) = (shorter.pen, shorter.at);
    }

    /// Writes the runs row by row.
    fn by_rows(&mut self, runs: &Runs) {
        for run in runs.iter() {
            self.run(run, runs.text(run));
        }
        self.end_blanks();
    }

    /// Writes the runs pen by pen: a move is shorter than a colour.
    fn by_pens(&mut self, runs: &Runs) {
        let (pens, of_runs) = runs.by_pen(self.pen.unwrap_or_default());
        for pen in 0..pens {
            for (run, _) in runs.iter().zip(&of_runs).filter(|(_, of)| **of == pen) {
                self.run(run, runs.text(run));
            }
            self.end_blanks();
        }
    }

    /// What `write` makes of the runs, and where that leaves pen and cursor; nothing is kept of it.
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
    fn make_room(&mut self, runs: &Runs) {
        let known = std::mem::take(&mut self.wide);
        for at in known {
            let other = Position::new(at.x + 1, at.y);
            if runs.iter().any(|run| run.covers(at) || run.covers(other)) {
                self.write_blanks(Blanks { at, length: 2 });
            } else {
                self.wide.push(at);
            }
        }
        let wide = runs.iter().filter(|run| run.look == Look::Wide);
        self.wide.extend(wide.map(|run| run.at));
    }

    fn run(&mut self, run: &Run, text: &str) {
        if run.look == Look::Blank {
            return self.blank(run);
        }
        self.end_blanks();
        self.go(run.at);
        self.dip(run.pen);
        self.out.push_str(text);
        self.at = self.behind(run);
    }

    fn blank(&mut self, blanks: &Run) {
        let end = blanks.end().x;
        match self.blanks {
            Some(run) if self.goes_on(run, blanks.at) => {
                let length = end - run.at.x;
                self.blanks = Some(Blanks { length, ..run });
            }
            _ => {
                self.end_blanks();
                self.blanks = Some(Blanks {
                    at: blanks.at,
                    length: blanks.cells,
                });
            }
        }
    }

    /// Whether a blank at `at` goes on with those before: over blanks that were there before too, as between the words of
    /// a sentence that goes, where that takes no more than the way over them.
    fn goes_on(&self, run: Blanks, at: Position) -> bool {
        let end = run.at.x + run.length;
        let is_short = |gap: u16| gap <= STEPS || run.length > ERASE_OVER;
        run.at.y == at.y
            && end <= at.x
            && is_short(at.x - end)
            && self.is_known_blank(Position::new(end, at.y), at.x)
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
            counted(length, 'X', &mut self.out);
        } else {
            self.out
                .extend(std::iter::repeat_n(' ', usize::from(length)));
            self.at = (!edge).then(|| Position::new(at.x + length, at.y));
        }
    }

    /// Where the cursor stands once a run was written: not certain at the right edge, where terminals wait
    /// with the new line, and behind what terminals don't agree about how wide it is.
    fn behind(&self, run: &Run) -> Option<Position> {
        let end = run.end();
        (run.look == Look::Agreed && end.x < self.size.width).then_some(end)
    }

    /// Moves the cursor by the shortest sequence.
    fn go(&mut self, to: Position) {
        if self.at == Some(to) {
            return;
        }
        self.scratch.clear();
        straight(to, &mut self.scratch);
        let straight = self.scratch.len();
        if let Some(from) = self.at {
            down(from.y, to.y, &mut self.scratch);
            along(from.x, to.x, &mut self.scratch);
        }
        let (direct, relative) = self.scratch.split_at(straight);
        let is_shorter = self.at.is_some() && relative.len() < direct.len();
        let way = if is_shorter { relative } else { direct };
        let over = self.at.filter(|from| from.y == to.y && from.x < to.x);
        let over = over.filter(|from| usize::from(to.x - from.x) < way.len());
        if let Some(from) = over.filter(|from| self.is_blank_between(*from, to)) {
            let blanks = std::iter::repeat_n(' ', usize::from(to.x - from.x));
            self.out.extend(blanks);
        } else {
            self.out.push_str(way);
        }
        self.at = Some(to);
    }

    /// Takes another pen, by the shorter of what changes and a fresh start.
    fn dip(&mut self, to: Pen) {
        if self.pen == Some(to) {
            return;
        }
        self.scratch.clear();
        self.scratch.push_str("0;");
        codes(Pen::default(), to, &mut self.scratch);
        if self.scratch.len() == 2 {
            self.scratch.clear();
        }
        let fresh = self.scratch.len();
        if let Some(from) = self.pen {
            codes(from, to, &mut self.scratch);
        }
        let (fresh, changed) = self.scratch.split_at(fresh);
        let is_shorter = changed.len() <= fresh.len() && !changed.is_empty();
        let codes = if is_shorter { changed } else { fresh };
        self.out.push_str("\x1b[");
        self.out.push_str(codes.trim_end_matches(';'));
        self.out.push('m');
        self.pen = Some(to);
    }

    fn cursor(&mut self, shown: bool) {
        if self.cursor != Some(shown) {
            self.out
                .push_str(if shown { "\x1b[?25h" } else { "\x1b[?25l" });
            self.cursor = Some(shown);
        }
    }
}

impl Backend for Cells {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let runs = Runs::of(content, self.glyphs);
        self.make_room(&runs);
        // While the frame is written, one of them may hold its old or its new content.
        for run in runs.iter() {
            self.know(run.at, run.cells, false);
        }
        self.write(&runs);
        for run in runs.iter() {
            self.know(run.at, run.cells, run.look == Look::Blank);
        }
        let disputed = |run: &&Run| matches!(run.look, Look::Wide | Look::Uncertain);
        for run in runs.iter().filter(disputed) {
            self.know(run.end(), 1, false);
        }
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
                self.known_blank.fill(true);
                self.at = None;
                self.cursor = None;
                ERASE
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
