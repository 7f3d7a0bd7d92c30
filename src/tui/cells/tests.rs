//! What is written gives, in a terminal, the screen that was drawn; and it is short.

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::num::NonZeroU16;

use super::*;

const WIDTH: u16 = 24;
const HEIGHT: u16 = 5;

struct Shown {
    terminal: Terminal<Cells>,
    parser: vt100::Parser,
}

impl Shown {
    fn new() -> Self {
        Self::with(Glyphs::Unicode)
    }

    fn with(glyphs: Glyphs) -> Self {
        let size = |n| NonZeroU16::new(n).unwrap();
        Self {
            terminal: Terminal::new(Cells::new(Size::new(WIDTH, HEIGHT)).with(glyphs)).unwrap(),
            parser: vt100::Parser::new(size(HEIGHT), size(WIDTH), 0),
        }
    }

    /// Draws, gives what was written, and shows it to the terminal.
    fn draw(&mut self, buffer: &Buffer, cursor: Option<Position>) -> String {
        self.terminal
            .draw(|frame| {
                frame.buffer_mut().clone_from(buffer);
                if let Some(cursor) = cursor {
                    frame.set_cursor_position(cursor);
                }
            })
            .unwrap();
        let bytes = self.terminal.backend_mut().take();
        self.parser.process(&bytes);
        String::from_utf8(bytes).unwrap()
    }

    fn same_as(&self, buffer: &Buffer, cursor: Option<Position>) -> Result<(), TestCaseError> {
        let screen = self.parser.screen();
        let mut hidden_by_wide = 0;
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                if hidden_by_wide > 0 {
                    hidden_by_wide -= 1;
                    continue;
                }
                let (drawn, seen) = (&buffer[(x, y)], screen.cell(y, x).unwrap());
                hidden_by_wide = drawn.cell_width().saturating_sub(1);
                let text = match seen.contents() {
                    "" => " ",
                    text => text,
                };
                prop_assert_eq!(drawn.symbol(), text, "at {},{}", x, y);
                prop_assert_eq!(drawn_looks(drawn), seen_looks(seen), "at {},{}", x, y);
            }
        }
        prop_assert_eq!(screen.hide_cursor(), cursor.is_none());
        if let Some(at) = cursor {
            prop_assert_eq!(screen.cursor_position(), (at.y, at.x));
        }
        Ok(())
    }
}

type Looks = (vt100::Color, vt100::Color, [bool; 5]);

/// On a blank only what is seen on it counts.
fn looks(blank: bool, fg: vt100::Color, bg: vt100::Color, attributes: [bool; 5]) -> Looks {
    let [bold, dim, italic, underlined, reversed] = attributes;
    if blank {
        let fg = if reversed || underlined {
            fg
        } else {
            vt100::Color::Default
        };
        return (fg, bg, [false, false, false, underlined, reversed]);
    }
    (fg, bg, [bold, dim, italic, underlined, reversed])
}

fn drawn_looks(cell: &Cell) -> Looks {
    let has = |modifier| cell.modifier.contains(modifier);
    let attributes = [
        has(Modifier::BOLD),
        has(Modifier::DIM),
        has(Modifier::ITALIC),
        has(Modifier::UNDERLINED),
        has(Modifier::REVERSED),
    ];
    let colour = |colour| match colour {
        Color::Reset => vt100::Color::Default,
        Color::Red => vt100::Color::Idx(1),
        Color::Gray => vt100::Color::Idx(7),
        Color::LightCyan => vt100::Color::Idx(14),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
        other => panic!("{other} is not drawn here"),
    };
    looks(
        cell.symbol() == " ",
        colour(cell.fg),
        colour(cell.bg),
        attributes,
    )
}

fn seen_looks(cell: &vt100::Cell) -> Looks {
    let attributes = [
        cell.bold(),
        cell.dim(),
        cell.italic(),
        cell.underline(),
        cell.inverse(),
    ];
    let blank = matches!(cell.contents(), "" | " ");
    looks(blank, cell.fgcolor(), cell.bgcolor(), attributes)
}

fn any_style() -> impl Strategy<Value = Style> {
    let colour = prop_oneof![
        4 => Just(Color::Reset),
        1 => Just(Color::Red),
        1 => Just(Color::Gray),
        1 => Just(Color::LightCyan),
        1 => Just(Color::Indexed(111)),
        1 => Just(Color::Rgb(1, 20, 255)),
    ];
    // Not faint: vt100 knows it only instead of bold.
    let modifier =
        proptest::bits::u16::masked(0b0_0100_1101).prop_map(Modifier::from_bits_truncate);
    let modifier = prop_oneof![2 => Just(Modifier::empty()), 1 => modifier];
    (colour.clone(), colour, modifier)
        .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
}

/// Words put anywhere, over one another: wide characters are cut, as widgets cut them.
fn any_words() -> impl Strategy<Value = Vec<(u16, u16, &'static str, Style)>> {
    let word = prop::sample::select(vec![
        "a",
        "shop",
        "● up",
        "漢字",
        "│",
        "e\u{301}t",
        "              ",
        "  ",
        "ﬁn漢x",
        "┌──┐",
    ]);
    prop::collection::vec((0..WIDTH, 0..HEIGHT, word, any_style()), 0..12)
}

fn put(buffer: &mut Buffer, words: &[(u16, u16, &'static str, Style)]) {
    for (x, y, word, style) in words {
        // The right half of a wide character goes with it.
        buffer.set_string(*x, *y, word, *style);
        let end = x + u16::try_from(unicode_width::UnicodeWidthStr::width(*word)).unwrap();
        if let Some(before) = x.checked_sub(1)
            && buffer[(before, *y)].cell_width() > 1
        {
            buffer[(before, *y)].set_symbol(" ");
        }
        if end < WIDTH && buffer[(end, *y)].symbol().is_empty() {
            buffer[(end, *y)].set_symbol(" ");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_frames_are_shown_as_they_were_drawn(
        frames in prop::collection::vec((any_words(), any::<bool>(), prop::option::of((0..WIDTH, 0..HEIGHT))), 1..6)
    ) {
        let mut shown = Shown::new();
        let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for (words, anew, cursor) in frames {
            if anew {
                buffer.reset();
            }
            put(&mut buffer, &words);
            let cursor = cursor.map(Position::from);
            shown.draw(&buffer, cursor);
            shown.same_as(&buffer, cursor)?;
            prop_assert_eq!(shown.draw(&buffer, cursor), "", "the same again is nothing");
        }
    }
}

fn buffer_of(lines: &[&str]) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
    for (y, line) in (0..).zip(lines) {
        buffer.set_string(0, y, line, Style::new());
    }
    buffer
}

#[test]
fn a_marker_moves_down_in_few_bytes() {
    let mut shown = Shown::new();
    shown.draw(&buffer_of(&["▸one", " two"]), None);
    assert_eq!(
        shown.draw(&buffer_of(&[" one", "▸two"]), None),
        "\x1b[H \n\x08▸"
    );
    assert_eq!(
        shown.draw(&buffer_of(&["▸one", " two"]), None),
        "\x1b[H▸\n\x08 "
    );
}

#[test]
fn a_typed_letter_is_one_byte() {
    let mut shown = Shown::new();
    let at = |x| Some(Position::new(x, 0));
    shown.draw(&buffer_of(&["htt"]), at(3));
    assert_eq!(shown.draw(&buffer_of(&["http"]), at(4)), "p");
}

#[test]
fn a_blank_between_words_that_change_is_written_again() {
    let mut shown = Shown::new();
    shown.draw(&buffer_of(&["one two  six"]), None);
    let written = shown.draw(&buffer_of(&["ABC DEF  GHI"]), None);
    assert_eq!(written, "\rABC DEF  GHI");
}

#[test]
fn a_blank_before_a_word_is_written_with_it() {
    let mut shown = Shown::new();
    let rows = |state, time| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for y in [0, 2] {
            buffer.set_string(0, y, time, Style::new().fg(Color::Gray));
            buffer.set_string(12, y, state, Style::new().fg(Color::Red));
        }
        buffer
    };
    shown.draw(&rows("up", "<1ms"), None);
    assert_eq!(
        shown.draw(&rows("no", " 503"), None),
        "\x1b[;13Hno\n\n\x08\x08no\x1b[H \x1b[37m503\n\n\r 503"
    );
}

#[test]
fn without_colours_none_are_named() {
    let mut shown = Shown::new();
    let mut buffer = buffer_of(&["plain"]);
    buffer.set_string(0, 1, "bold", Style::new().add_modifier(Modifier::BOLD));
    assert_eq!(
        shown.draw(&buffer, None),
        "\x1b[H\x1b[mplain\n\r\x1b[1mbold\x1b[?25l"
    );
}

/// What stands on it may be a revealed secret, and some terminals keep in their history what is cleared whole.
#[test]
fn a_screen_is_cleared_without_a_copy_in_the_history() {
    let mut cells = Cells::new(Size::new(WIDTH, HEIGHT));
    cells.clear().unwrap();
    let out = String::from_utf8(cells.take()).unwrap();
    assert!(out.contains("\x1b[9999;9999H\x1b[1J"), "{out:?}");
    assert!(!out.contains("\x1b[2J"), "{out:?}");
}

#[test]
fn a_line_that_goes_is_erased() {
    let mut shown = Shown::new();
    shown.draw(&buffer_of(&["a-long-line-to-the-edge!"]), None);
    assert_eq!(shown.draw(&buffer_of(&["a"]), None), "\x1b[;2H\x1b[K");
}

/// As wide as it would be otherwise, so that all else stands where it does.
#[test]
fn letters_stand_for_what_a_locale_does_not_have() {
    let mut shown = Shown::with(Glyphs::Ascii);
    shown.draw(&buffer_of(&["│▸● 漢字 e\u{301}é… ✖│"]), None);
    assert_eq!(shown.parser.screen().contents(), "|>* ???? e?~ x|");
}

/// The words of a sentence that goes, and what was blank between them, are one piece.
#[test]
fn a_sentence_that_goes_is_erased_at_once() {
    let mut shown = Shown::new();
    shown.draw(&buffer_of(&["Nothing listens here. │"]), None);
    assert_eq!(
        shown.draw(&buffer_of(&["                      │"]), None),
        "\r\x1b[21X"
    );
    let kept = buffer_of(&["one    ●  two         │"]);
    shown.draw(&kept, None);
    assert_eq!(
        shown.draw(&buffer_of(&["       ●              │"]), None),
        "\r   \x1b[7C   ",
        "what stands between is not touched"
    );
    let gone = buffer_of(&["       ●              │"]);
    shown.same_as(&gone, None).unwrap();
}

/// Found by chance: the right half of a wide character stood on beside a narrow one that took its place.
#[test]
fn a_narrow_letter_takes_the_place_of_a_wide_one() {
    let mut shown = Shown::new();
    let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
    put(&mut buffer, &[(13, 0, "漢字", Style::new())]);
    shown.draw(&buffer, None);
    put(&mut buffer, &[(13, 0, "a", Style::new().bg(Color::Red))]);
    shown.draw(&buffer, None);
    shown.same_as(&buffer, None).unwrap();
}

/// Terminals don't agree about what becomes of a half that is written over.
#[test]
fn a_wide_letter_goes_before_another_takes_half_of_its_place() {
    let mut shown = Shown::new();
    shown.draw(&buffer_of(&["a   漢"]), None);
    let written = shown.draw(&buffer_of(&["a  漢 "]), None);
    assert_eq!(written, "\x1b[;5H  \x08\x08\x08漢");
}

/// Behind each of them the cursor may stand in another place.
#[test]
fn a_letter_of_uncertain_width_is_written_alone() {
    let mut shown = Shown::new();
    let written = shown.draw(&buffer_of(&["e\u{301}o\u{301}x"]), None);
    assert!(
        written.contains("e\u{301}\x1b[;2Ho\u{301}\x1b[;3Hx"),
        "{written:?}"
    );
}
