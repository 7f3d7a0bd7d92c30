//! A screen as SVG: the cells that the real drawing gives, with their colours. No font is part of it.

use std::fmt::Write;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use switchboard::app::Model;
use switchboard::ui::{self, ColourDepth, Theme, ThemeName};

/// Pixels of a cell.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const MARGIN: f64 = 14.0;

/// Background and text of a terminal with this theme.
const fn ground(theme: ThemeName) -> (&'static str, &'static str) {
    match theme {
        ThemeName::Light => ("#fafafa", "#24292f"),
        ThemeName::Dark | ThemeName::HighContrast | ThemeName::Mono => ("#16181d", "#d7dae0"),
    }
}

/// The screen of `model` as it is drawn.
pub(crate) fn svg(model: &Model, theme: ThemeName) -> String {
    let (columns, rows) = model.size;
    let style = Theme::shipped(theme, ColourDepth::True);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal
        .draw(|frame| ui::draw(model, &style, frame))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let (under, over) = ground(theme);
    let (wide, high) = (
        f64::from(columns) * WIDTH + 2.0 * MARGIN,
        f64::from(rows) * HEIGHT + 2.0 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.1} {high:.1}\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"14\" fill=\"{over}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{under}\"/>\n"
    );
    for y in 0..rows {
        let cells: Vec<&Cell> = (0..columns).map(|x| &buffer[(x, y)]).collect();
        row(&mut svg, y, &cells);
    }
    svg.push_str("</svg>\n");
    svg
}

/// One row: each run of cells of one look is a text of exactly its width.
fn row(svg: &mut String, y: u16, cells: &[&Cell]) {
    let look = |cell: &Cell| (cell.fg, cell.modifier);
    let mut at = 0;
    while at < cells.len() {
        let mut end = at + 1;
        while end < cells.len() && look(cells[end]) == look(cells[at]) {
            end += 1;
        }
        let text: String = cells[at..end].iter().map(|cell| cell.symbol()).collect();
        let shown = text.trim_end();
        let lead = shown.chars().take_while(|c| *c == ' ').count();
        let shown = shown.trim_start();
        if !shown.is_empty() {
            let columns = cells[at..end].len() - lead - (text.len() - text.trim_end().len());
            let colour = rgb(cells[at].fg).map_or_else(String::new, |[red, green, blue]| {
                format!(" fill=\"#{red:02x}{green:02x}{blue:02x}\"")
            });
            let bold = if cells[at].modifier.contains(Modifier::BOLD) {
                " font-weight=\"bold\""
            } else {
                ""
            };
            let x = MARGIN + f64::from(u16::try_from(at + lead).unwrap()) * WIDTH;
            let baseline = MARGIN + f64::from(y) * HEIGHT + HEIGHT * 0.72;
            let length = f64::from(u16::try_from(columns).unwrap()) * WIDTH;
            writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{length:.1}\" \
                 lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\"{colour}{bold}>{}</text>",
                escaped(shown)
            )
            .unwrap();
        }
        at = end;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The texts of a screenshot, one a line.
pub(crate) fn words(svg: &str) -> String {
    let texts = svg.lines().filter(|line| line.starts_with("<text"));
    let words = texts.filter_map(|line| line.split_once('>')?.1.strip_suffix("</text>"));
    words.collect::<Vec<_>>().join("\n")
}

/// What a terminal shows for `colour`: xterm's palette. Nothing for the terminal's own.
fn rgb(colour: Color) -> Option<[u8; 3]> {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match colour {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(index @ 16..232) => {
            let step = |by: u8| STEPS[usize::from((index - 16) / by % 6)];
            Some([step(36), step(6), step(1)])
        }
        Color::Indexed(index @ 232..) => Some([8 + 10 * (index - 232); 3]),
        _ => None,
    }
}
