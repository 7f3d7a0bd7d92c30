//! Text measured in cells: cut, padded, wrapped by words, and drawn without ever halving a wide character.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::text::inert;

/// Characters that are drawn of any one text; nothing on a screen is longer.
const LIMIT: usize = 4_096;

/// Foreign text, ready for a cell.
pub(super) fn clean(text: &str) -> String {
    inert(text, LIMIT)
}

/// The same with every blank kept: for lines that are aligned in columns.
pub(super) fn clean_columns(text: &str) -> String {
    let pieces: Vec<String> = text.split(' ').map(clean).collect();
    pieces.join(" ")
}

/// Cells that `text` takes.
pub(super) fn width(text: &str) -> usize {
    one_cell_each(text).unwrap_or_else(|| text.width())
}

/// How many characters `text` has, where each of them stands in a cell of its own and takes no mark from the next:
/// most of what a screen shows, and found out in a tenth of the time of looking for graphemes.
fn one_cell_each(text: &str) -> Option<usize> {
    if is_printable(text) {
        return Some(text.len());
    }
    let mut count = 0;
    for c in text.chars() {
        // ASCII; dots, arrows, lines, blocks and circles, of which those that are two cells wide end the last row.
        if !matches!(c, ' '..='~' | '·' | '…' | '←'..='⇿' | '─'..='◼') {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Whether `text` is of ASCII's visible characters and blanks.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Cells that `line` takes.
fn line_width(line: &Line<'_>) -> usize {
    line.iter().map(|span| width(&span.content)).sum()
}

/// The first of `texts` that fits into `cells` cells, the longest first; else the last.
pub(super) fn first_that_fits<const N: usize>(texts: [&str; N], cells: usize) -> &str {
    let fits = |text: &&&str| width(text) <= cells;
    let found = texts.iter().find(fits).or(texts.last());
    found.copied().unwrap_or_default()
}

/// `text` in at most `cells` cells; an ellipsis says that it was cut.
pub(super) fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut kept = prefix(text, cells.saturating_sub(1)).to_owned();
    if cells > 0 {
        kept.push('…');
    }
    kept
}

/// `name` in at most `room` cells. Where a hyphen sets its end apart, as in `shop-eu-02`, that is kept: of many such
/// names the ends alone differ.
pub(super) fn cut_name(name: &str, room: usize) -> String {
    let last = name.rfind(['-', '_']).and_then(|at| name.get(at..));
    let last = last.filter(|last| (2..=room * 2 / 3).contains(&width(last)));
    match last {
        Some(last) if width(name) > room => {
            let beginning = prefix(name, room.saturating_sub(width(last) + 1));
            format!("{beginning}…{last}")
        }
        _ => cut(name, room),
    }
}

/// `text` in exactly `cells` cells, cut or filled with blanks at the right.
pub(super) fn pad(text: &str, cells: usize) -> String {
    fill(cut(text, cells), cells, cells)
}

/// What a column is filled with: a page has hundreds of them, and a blank at a time takes longer than their texts.
const BLANKS: &str = "                                ";

/// `text` in exactly `cells` cells, of which it takes `most` at the most.
pub(super) fn fill(text: String, most: usize, cells: usize) -> String {
    let mut filled = if width(&text) <= most {
        text
    } else {
        cut(&text, most)
    };
    let mut blanks = cells.saturating_sub(width(&filled));
    while blanks > 0 {
        let some = BLANKS.get(..blanks).unwrap_or(BLANKS);
        filled.push_str(some);
        blanks -= some.len();
    }
    filled
}

/// `text` in lines of at most `cells` cells, broken between words; a word that is too long is divided.
pub(super) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = width(word) + usize::from(!line.is_empty());
        if width(&line) + needed <= cells {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = divide(word, cells, &mut lines);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Pushes all full pieces of `word` and returns the rest.
pub(super) fn divide(word: &str, cells: usize, lines: &mut Vec<String>) -> String {
    let mut rest = word;
    while width(rest) > cells {
        let mut piece = prefix(rest, cells);
        if piece.is_empty() {
            // A wide character in one cell: it is drawn nowhere, but it must not hold us here.
            piece = rest
                .chars()
                .next()
                .map_or(rest, |c| rest.get(..c.len_utf8()).unwrap_or(rest));
        }
        lines.push(piece.to_owned());
        rest = rest.strip_prefix(piece).unwrap_or_default();
    }
    rest.to_owned()
}

/// The longest beginning of `text` that fits into `cells` cells.
pub(super) fn prefix(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > cells {
            break;
        }
        end = at + c.len_utf8();
    }
    text.get(..end).unwrap_or_default()
}

/// `line` in at most `cells` cells, with its styles; an ellipsis says that it was cut.
pub(super) fn fit(line: Line<'_>, cells: usize) -> Line<'_> {
    if line_width(&line) <= cells {
        return line;
    }
    let mut left = cells;
    let mut spans: Vec<Span<'_>> = Vec::new();
    for span in line.spans {
        let needed = width(&span.content);
        // One cell is kept for the ellipsis: more follows, or this span does not fit.
        if needed < left {
            left -= needed;
            spans.push(span);
            continue;
        }
        let kept = prefix(&span.content, left.saturating_sub(1)).to_owned();
        let ellipsis = if left > 0 { "…" } else { "" };
        spans.push(Span::styled(kept + ellipsis, span.style));
        break;
    }
    Line::from(spans)
}

/// `line` in lines of at most `cells` cells, with its styles, broken between words; what goes on is indented as `line`
/// begins.
pub(super) fn wrap_line(line: Line<'static>, cells: usize) -> Vec<Line<'static>> {
    if line_width(&line) <= cells {
        return vec![line];
    }
    let styled = |span: &Span<'static>| (span.content.clone(), line.style.patch(span.style));
    let letters: Vec<(char, Style)> = line
        .iter()
        .map(styled)
        .flat_map(|(text, style)| text.chars().map(move |c| (c, style)).collect::<Vec<_>>())
        .collect();
    let wide = |part: &[(char, Style)]| part.iter().map(|(c, _)| c.width().unwrap_or(0)).sum();
    let blanks = letters.iter().take_while(|(c, _)| *c == ' ').count();
    let indent = vec![(' ', Style::new()); blanks.min(cells / 2)];
    let mut lines = Vec::new();
    let (mut kept, mut gap) = (indent.clone(), Vec::new());
    for word in letters
        .get(blanks..)
        .unwrap_or_default()
        .split_inclusive(|(c, _)| *c == ' ')
    {
        let end = word.len() - usize::from(word.last().is_some_and(|(c, _)| *c == ' '));
        let (word, behind) = word.split_at(end);
        let needed: usize = wide(word);
        if wide(&kept) + wide(&gap) + needed > cells && kept.len() > indent.len() {
            lines.push(spans_of(&std::mem::replace(&mut kept, indent.clone())));
            gap.clear();
        }
        kept.append(&mut gap);
        for letter in word {
            if wide(&kept) + letter.0.width().unwrap_or(0) > cells && kept.len() > indent.len() {
                lines.push(spans_of(&std::mem::replace(&mut kept, indent.clone())));
            }
            kept.push(*letter);
        }
        gap.extend_from_slice(behind);
    }
    lines.push(spans_of(&kept));
    lines
}

fn spans_of(letters: &[(char, Style)]) -> Line<'static> {
    let runs = letters.chunk_by(|(_, one), (_, other)| one == other);
    let spans = runs.map(|run| {
        let text: String = run.iter().map(|(c, _)| c).collect();
        Span::styled(
            text,
            run.first().map(|(_, style)| *style).unwrap_or_default(),
        )
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// Draws `line` from the left of the first row of `row`.
pub(super) fn put(buf: &mut Buffer, row: Rect, line: Line<'_>) {
    let row = row.intersection(buf.area);
    if row.is_empty() {
        return;
    }
    let line = fit(line, usize::from(row.width));
    let mut x = row.x;
    for span in &line {
        let room = row.right().saturating_sub(x);
        x = put_text(
            buf,
            (x, row.y),
            &span.content,
            line.style.patch(span.style),
            room,
        );
    }
}

/// Draws `text` in at most `room` cells, and returns the column behind it.
fn put_text(buf: &mut Buffer, (x, y): (u16, u16), text: &str, style: Style, room: u16) -> u16 {
    let Some(count) = one_cell_each(text) else {
        let (behind, _) = buf.set_stringn(x, y, text, usize::from(room), style);
        return behind;
    };
    let count = count.min(usize::from(room));
    if count == 0 {
        return x;
    }
    let start = buf.index_of(x, y);
    let drawn = buf.content.iter_mut().skip(start).take(count);
    if is_printable(text) {
        for (cell, byte) in drawn.zip(text.bytes()) {
            cell.set_char(char::from(byte)).set_style(style);
        }
    } else {
        for (cell, c) in drawn.zip(text.chars()) {
            cell.set_char(c).set_style(style);
        }
    }
    x.saturating_add(cells(count))
}

/// Draws `right` at the right end of the row and `left` in what remains, a blank between them. `right` goes
/// first where only one has room.
pub(super) fn put_both(buf: &mut Buffer, row: Rect, left: Line<'_>, right: Line<'_>) {
    let taken = cells(line_width(&right)).min(row.width);
    let start = row.right() - taken;
    put(
        buf,
        Rect {
            x: start,
            width: taken,
            ..row
        },
        right,
    );
    let gap = u16::from(taken > 0);
    let width = row.width.saturating_sub(taken + gap);
    put(buf, Rect { width, ..row }, left);
}

/// Fills the area with blanks, so that nothing shines through. A wide character that reaches into it from the
/// left goes too: the terminal would draw it over our first column.
pub(super) fn blank(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    for position in area.positions() {
        buf[position].reset();
        buf[position].set_style(style);
    }
    if area.x > buf.area.x {
        for y in area.top()..area.bottom() {
            let before = &mut buf[(area.x - 1, y)];
            if width(before.symbol()) > 1 {
                before.set_symbol(" ");
            }
        }
    }
}

/// A count of cells as the screen counts them.
pub(super) fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The row `index` of `area`; empty where it has none.
pub(super) fn row(area: Rect, index: usize) -> Rect {
    let y = area.y.saturating_add(cells(index));
    let height = u16::from(index < usize::from(area.height));
    Rect { y, height, ..area }.intersection(area)
}

/// `area` without `left` and `right` columns.
pub(super) fn inset(area: Rect, left: u16, right: u16) -> Rect {
    let left = left.min(area.width);
    Rect {
        x: area.x + left,
        width: area.width.saturating_sub(left + right),
        ..area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_where_it_differs_least() {
        for (name, room, shown) in [
            ("shop", 9, "shop"),
            ("marketplace", 9, "marketpl…"),
            ("conn-09999", 10, "conn-09999"),
            ("conn-09999", 9, "co…-09999"),
            ("staging-eu", 9, "stagi…-eu"),
            ("billing.example.com", 9, "billing.…"),
            ("a-name-with-a-long-last-part_behindit", 9, "a-name-w…"),
            ("ends-with-", 9, "ends-wit…"),
            ("東京-支店の請求-02", 10, "東京-…-02"),
            ("conn-09999", 2, "c…"),
            ("conn-09999", 0, ""),
        ] {
            assert_eq!(cut_name(name, room), shown, "{name} {room}");
        }
    }

    #[test]
    fn wide_characters_are_never_halved() {
        assert_eq!(cut("株式会社", 8), "株式会社");
        assert_eq!(cut("株式会社", 7), "株式会…");
        assert_eq!(cut("株式会社", 6), "株式…");
        assert_eq!(pad("株式会社", 6), "株式… ");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn columns_keep_their_blanks() {
        assert_eq!(clean_columns("  URL\u{1b}[2J    a\tb "), "  URL[2J    a b ");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(
            wrap("the name server did not answer", 12),
            ["the name", "server did", "not answer"]
        );
        assert_eq!(wrap("a 0123456789 b", 4), ["a", "0123", "4567", "89 b"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("株式会社", 3), ["株", "式", "会", "社"]);
        assert_eq!(wrap("株式", 1), ["株", "式"]);
    }

    #[test]
    fn a_line_is_cut_across_its_spans() {
        let line = Line::from(vec![Span::raw("abc"), Span::raw("def"), Span::raw("ghi")]);
        assert_eq!(fit(line.clone(), 9).to_string(), "abcdefghi");
        assert_eq!(fit(line.clone(), 6).to_string(), "abcde…");
        assert_eq!(fit(line.clone(), 3).to_string(), "ab…");
        assert_eq!(fit(line, 0).to_string(), "");
    }

    #[test]
    fn a_line_is_broken_across_its_spans() {
        let red = Style::new().red();
        let line = || {
            Line::from(vec![
                Span::raw("  out of it, "),
                Span::styled("P takes it in", red),
            ])
        };
        let broken = |cells| wrap_line(line(), cells);
        assert_eq!(broken(26), [line()]);
        let words = |cells| {
            broken(cells)
                .iter()
                .map(Line::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(18), ["  out of it, P", "  takes it in"]);
        assert_eq!(broken(18)[1].spans[1], Span::styled("takes it in", red));
        assert_eq!(
            words(6),
            ["  out", "  of", "  it,", "  P", "  take", "  s it", "  in"]
        );
        for cells in 1..30 {
            let lines = words(cells);
            assert!(
                lines.iter().all(|line| width(line) <= cells),
                "{cells}: {lines:?}"
            );
            let whole = lines.concat().replace(' ', "");
            assert_eq!(whole, "outofit,Ptakesitin", "{cells}");
        }
    }

    #[test]
    fn texts_of_single_cells_are_measured_and_drawn_as_all_others() {
        let texts = [
            "ab ●│…→·",
            "",
            "株式",
            "e\u{301}",
            "◽",
            "◾",
            "▶\u{fe0f}",
            "a\u{200d}b",
            "✖",
            "\u{7f}",
        ];
        for text in texts {
            assert_eq!(width(text), text.width(), "{text:?}");
        }
        let style = Style::new().bold();
        for room in 0..12 {
            for text in texts {
                let area = Rect::new(0, 0, 12, 1);
                let (mut ours, mut theirs) = (Buffer::empty(area), Buffer::empty(area));
                let behind = put_text(&mut ours, (1, 0), text, style, room);
                let (expected, _) = theirs.set_stringn(1, 0, text, usize::from(room), style);
                assert_eq!(behind, expected, "{text:?} in {room}");
                assert_eq!(ours, theirs, "{text:?} in {room}");
            }
        }
    }

    #[test]
    fn every_character_that_is_passed_by_takes_one_cell() {
        let passed = |c: &char| one_cell_each(c.encode_utf8(&mut [0; 4])).is_some();
        let wrong: String = ('\0'..='\u{ffff}')
            .filter(passed)
            .filter(|c| c.width() != Some(1))
            .collect();
        assert_eq!(wrong, "");
    }

    #[test]
    fn a_box_over_half_a_wide_character_takes_it_away() {
        let mut buf = Buffer::with_lines(["a株b"]);
        blank(&mut buf, Rect::new(2, 0, 2, 1), Style::new());
        assert_eq!(buf, Buffer::with_lines(["a   "]));
    }

    #[test]
    fn the_right_side_wins_where_there_is_little_room() {
        let area = Rect::new(0, 0, 8, 1);
        let mut buf = Buffer::empty(area);
        put_both(&mut buf, area, "shop-eu".into(), "42ms".into());
        assert_eq!(buf, Buffer::with_lines(["sh… 42ms"]));
    }
}
