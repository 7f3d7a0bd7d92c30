//! The plot: latencies as a line, the states below it, times below those.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Line as Stroke, Points};

use super::super::text::{pad, put, row, width};
use super::super::view::View;
use super::{mark, milliseconds, styled};
use crate::domain::State;
use crate::domain::history::Count;
use crate::domain::plot::{Plot, PlotPoint, PlotSpan};

/// Cells of the labels at the left.
const LABELS: u16 = 8;
/// The first part says it alone where there is little room.
const NOTHING_WORKED: &str = "nothing worked in this time: there are no latencies";
/// Rows below the plot: states and times.
const BELOW: u16 = 2;

/// Draws `plot` into `area`; the newest is at the right.
pub(super) fn draw(view: &View<'_>, plot: &Plot, area: Rect, buf: &mut Buffer) {
    if area.width <= LABELS + 4 || area.height <= BELOW {
        return;
    }
    let inside = Rect {
        x: area.x + LABELS,
        width: area.width - LABELS,
        height: area.height - BELOW,
        ..area
    };
    let bins = bins(view, plot, inside.width.into());
    if bins.iter().flatten().any(|bin| bin.latency.is_some()) {
        let highest = highest(&bins);
        labels(view, highest, area, inside.height, buf);
        lines(view, &bins, highest, inside, buf);
    } else {
        let nothing = if bins.iter().all(Option::is_none) {
            "no results in this time yet"
        } else {
            NOTHING_WORKED
        };
        let room = usize::from(inside.width);
        let nothing = if width(nothing) > room {
            nothing.split(':').next().unwrap_or(nothing)
        } else {
            nothing
        };
        let middle = row(inside, usize::from(inside.height / 2));
        put(buf, middle, styled(nothing, view.theme.faint));
    }
    let below = |at: u16| Rect {
        y: inside.bottom() + at,
        height: 1,
        ..inside
    };
    put(
        buf,
        row(area, inside.height.into()),
        styled(" states", view.theme.faint),
    );
    put(buf, below(0), states(view, &bins));
    put(buf, below(1), times(view, plot.span, inside.width.into()));
}

/// What falls into each column.
fn bins(view: &View<'_>, plot: &Plot, width: usize) -> Vec<Option<PlotPoint>> {
    let mut bins: Vec<Option<PlotPoint>> = vec![None; width];
    let length = plot.span.length().as_millis();
    let end = i128::from(view.model.now.as_millisecond());
    for point in &plot.points {
        let age = end - i128::from(point.at.as_millisecond());
        let columns = i128::try_from(width).unwrap_or(i128::MAX);
        let back = age.max(0) * columns / length.max(1);
        let Some(bin) = usize::try_from(columns - 1 - back)
            .ok()
            .and_then(|column| bins.get_mut(column))
        else {
            continue;
        };
        match bin {
            None => *bin = Some(*point),
            Some(bin) => {
                bin.count += point.count;
                bin.latency = match (bin.latency, point.latency) {
                    (Some(one), Some(other)) if one.p50 >= other.p50 => Some(one),
                    (one, other) => other.or(one),
                };
            }
        }
    }
    bins
}

fn highest(bins: &[Option<PlotPoint>]) -> f64 {
    let all = bins.iter().flatten().filter_map(|bin| bin.latency);
    let highest = all.map(|latency| latency.p95.as_secs_f64() * 1_000.0);
    let highest = highest.fold(0.0, f64::max);
    // A round number above it: 1, 2 or 5 and noughts.
    let mut step = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(24) {
        if step >= highest {
            break;
        }
        step *= factor;
    }
    step
}

fn labels(view: &View<'_>, highest: f64, area: Rect, height: u16, buf: &mut Buffer) {
    let label = |share: f64| {
        let time = std::time::Duration::from_secs_f64(highest * share / 1_000.0);
        let text = milliseconds(Some(time));
        styled(format!("{text:>7}"), view.theme.faint)
    };
    put(buf, row(area, 0), label(1.0));
    if height > 4 {
        put(buf, row(area, usize::from(height / 2)), label(0.5));
    }
    let zero = styled("      0", view.theme.faint);
    put(buf, row(area, usize::from(height - 1)), zero);
}

fn lines(view: &View<'_>, bins: &[Option<PlotPoint>], highest: f64, area: Rect, buf: &mut Buffer) {
    let x = |column: usize| f64::from(u32::try_from(column).unwrap_or(u32::MAX)) + 0.5;
    let at = |time: std::time::Duration| time.as_secs_f64() * 1_000.0;
    let known: Vec<(usize, _)> = bins
        .iter()
        .enumerate()
        .filter_map(|(column, bin)| Some((column, (*bin)?.latency?)))
        .collect();
    let slow: Vec<(f64, f64)> = known
        .iter()
        .map(|(column, latency)| (x(*column), at(latency.p95)))
        .collect();
    let colour = |style: Style| style.fg.unwrap_or(Color::Reset);
    let (line, faint) = (colour(view.theme.bar), colour(view.theme.faint));
    let canvas = Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([0.0, f64::from(area.width)])
        .y_bounds([0.0, highest])
        .paint(|context| {
            context.draw(&Points {
                coords: &slow,
                color: faint,
            });
            context.layer();
            for pair in known.windows(2) {
                let [(from, one), (to, other)] = pair else {
                    continue;
                };
                // A gap is a time of which nothing is known, or in which nothing worked.
                let apart = bins
                    .get(from + 1..*to)
                    .is_some_and(|between| between.iter().flatten().next().is_some());
                if !apart {
                    context.draw(&Stroke::new(
                        x(*from),
                        at(one.p50),
                        x(*to),
                        at(other.p50),
                        line,
                    ));
                }
            }
            let points: Vec<_> = known
                .iter()
                .map(|(column, latency)| (x(*column), at(latency.p50)))
                .collect();
            context.draw(&Points {
                coords: &points,
                color: line,
            });
        });
    canvas.render(area, buf);
    if line == Color::Reset {
        // Without colours none may be named.
        for position in area.positions() {
            buf[position].set_style(Style::reset());
        }
    }
}

fn states(view: &View<'_>, bins: &[Option<PlotPoint>]) -> Line<'static> {
    let spans = bins.iter().map(|bin| match bin.map(|bin| bin.count) {
        None => Span::raw(" "),
        Some(count) => match worst(&count) {
            Some(state) => Span::styled(mark(state), view.theme.lamp(state)),
            None => Span::styled("◇", view.theme.probing),
        },
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// The worst state of those that count; nothing where all was planned.
fn worst(count: &Count) -> Option<State> {
    if count.down > 0 {
        Some(State::Down)
    } else if count.warn > 0 {
        Some(State::Warn)
    } else if count.ok > 0 {
        Some(State::Ok)
    } else if count.unknown > 0 {
        Some(State::Unknown)
    } else {
        None
    }
}

fn times(view: &View<'_>, span: PlotSpan, cells: usize) -> Line<'static> {
    let format = match span {
        PlotSpan::Hour | PlotSpan::Day => "%H:%M",
        PlotSpan::Month | PlotSpan::Year => "%b %d",
    };
    let time = |share: i32| {
        let back = span.length() * share / 4;
        let at = view.model.now.checked_sub(back).unwrap_or(view.model.now);
        at.strftime(format).to_string()
    };
    let quarter = cells / 4;
    let end = format!("{} UTC", time(0));
    let room = cells.saturating_sub(width(&end));
    let mut text = String::new();
    for share in (1..=4).rev() {
        let time = time(share);
        // One that reaches into the last is left out.
        if width(&text) + width(&time) < room {
            text.push_str(&pad(&time, quarter));
        }
    }
    let text = pad(text.trim_end(), room);
    styled(text + &end, view.theme.faint)
}
