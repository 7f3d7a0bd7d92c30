//! Where each pane stands: a function of the terminal's size, the focus and the zoom, and of nothing else, so
//! that no content can make the screen jump.

use ratatui::layout::Rect;

use crate::app::model::Pane;
use crate::app::screen::LEAST;

/// From this width on all four panes are shown.
pub(super) const WIDE: u16 = 100;
/// Below this width or height there is one pane at a time.
pub(super) const NARROW: (u16, u16) = (60, 16);

/// Below this the list has no room for more than lamp and name.
const FULL_LIST: u16 = 28;

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PanePlan {
    /// Too small for anything but one line.
    Tiny(Rect),
    /// Title, panes, footer.
    Panes(Panes),
}

/// The parts of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Panes {
    /// One row, absent on the smallest screens.
    pub title: Option<Rect>,
    /// One row.
    pub footer: Rect,
    /// What is between: overlays are centred here.
    pub body: Rect,
    /// Boxes from left to right; their panes from top to bottom.
    pub boxes: Vec<PaneBox>,
    /// How much of the list is shown.
    pub list: ListColumns,
    /// Whether Response and Tokens share one place.
    pub shared: bool,
    /// Whether one pane fills the screen: its title says which of how many.
    pub single: bool,
}

/// One box with joined panes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PaneBox {
    /// With its borders.
    pub area: Rect,
    /// Each pane with the rows inside, borders left out. The border above a pane carries its title.
    pub panes: Vec<(Pane, Rect)>,
}

/// How much of a row of the list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListColumns {
    /// Lamp, word, name, status.
    Full,
    /// Lamp and name.
    LampAndName,
}

/// Plans the screen.
pub(super) fn plan(area: Rect, focus: Pane, zoomed: bool, form: FormSize) -> PanePlan {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return PanePlan::Tiny(area);
    }
    let title_rows = u16::from(area.height >= 8);
    let title = Rect {
        height: title_rows,
        ..area
    };
    let footer = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let body = Rect {
        y: area.y + title_rows,
        height: area.height - title_rows - 1,
        ..area
    };
    let small = area.width < NARROW.0 || area.height < NARROW.1;
    let (boxes, shared) = if small || zoomed {
        (vec![stack(body, &[(focus, 0)])], false)
    } else if area.width < WIDE || body.height < FOUR_ROWS {
        (two_of_three(body, focus, form), true)
    } else {
        (all_four(body, focus, form), false)
    };
    let list = match boxes.first() {
        Some(first) if first.area.width < FULL_LIST => ListColumns::LampAndName,
        Some(_) | None => ListColumns::Full,
    };
    PanePlan::Panes(Panes {
        title: (title_rows > 0).then_some(title),
        footer,
        body,
        single: boxes.len() == 1,
        boxes,
        list,
        shared,
    })
}

/// How many rows the form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormSize {
    /// URL, username, key, token, and a row for the hint.
    First,
    /// The further fields are shown too: as many as half the screen takes.
    Further,
}

impl FormSize {
    fn rows(self, body: Rect) -> u16 {
        match self {
            Self::First => 5,
            Self::Further => (body.height / 2).clamp(5, 22),
        }
    }
}

/// Rows of the body from which on Response and Tokens both have room below the form.
const FOUR_ROWS: u16 = 20;

fn list_width(body: Rect) -> u16 {
    if body.width < WIDE {
        (body.width / 4).clamp(16, 24)
    } else {
        (body.width * 29 / 100).clamp(28, 46)
    }
}

/// Rows that the response keeps while the tokens have the keys.
const LEAST_RESPONSE: u16 = 5;

fn all_four(body: Rect, focus: Pane, form: FormSize) -> Vec<PaneBox> {
    let (list, right) = split(body, list_width(body));
    let tokens = match (form, body.height) {
        (FormSize::Further, _) | (FormSize::First, 0..24) => 3,
        (FormSize::First, 24..34) => 4,
        (FormSize::First, _) => 7,
    };
    // The pane that has the keys gets the room: a list of tokens in three rows is none.
    let free = body.height.saturating_sub(4 + form.rows(body));
    let tokens = match focus {
        Pane::Tokens => tokens.max(free.saturating_sub(LEAST_RESPONSE)),
        Pane::List | Pane::Form | Pane::Response => tokens,
    };
    let right_panes = [
        (Pane::Form, form.rows(body)),
        (Pane::Response, 0),
        (Pane::Tokens, tokens),
    ];
    vec![stack(list, &[(Pane::List, 0)]), stack(right, &right_panes)]
}

fn two_of_three(body: Rect, focus: Pane, form: FormSize) -> Vec<PaneBox> {
    let (list, right) = split(body, list_width(body));
    let below = match focus {
        Pane::Tokens => Pane::Tokens,
        Pane::List | Pane::Form | Pane::Response => Pane::Response,
    };
    let right_panes = [(Pane::Form, form.rows(body)), (below, 0)];
    vec![stack(list, &[(Pane::List, 0)]), stack(right, &right_panes)]
}

fn split(body: Rect, left: u16) -> (Rect, Rect) {
    let left = left.min(body.width);
    let list = Rect {
        width: left,
        ..body
    };
    let right = Rect {
        x: body.x + left,
        width: body.width - left,
        ..body
    };
    (list, right)
}

/// Stacks panes in one box; a pane of 0 rows takes what the others leave.
fn stack(area: Rect, panes: &[(Pane, u16)]) -> PaneBox {
    let borders = u16::try_from(panes.len()).unwrap_or(1) + 1;
    let fixed: u16 = panes.iter().map(|(_, rows)| rows).sum();
    let free = area.height.saturating_sub(borders + fixed);
    let mut y = area.y + 1;
    let bottom = area.bottom().saturating_sub(1);
    let inner = panes.iter().map(|(pane, rows)| {
        let rows = if *rows == 0 { free } else { *rows };
        let top = y.min(bottom);
        y = (y + rows).min(bottom) + 1;
        let inside = Rect {
            x: area.x + 1,
            y: top,
            width: area.width.saturating_sub(2),
            height: rows.min(bottom - top),
        };
        (*pane, inside)
    });
    PaneBox {
        area,
        panes: inner.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panes(width: u16, height: u16, focus: Pane) -> Vec<Pane> {
        match plan(
            Rect::new(0, 0, width, height),
            focus,
            false,
            FormSize::First,
        ) {
            PanePlan::Tiny(_) => Vec::new(),
            PanePlan::Panes(panes) => {
                let all = panes.boxes.into_iter().flat_map(|one| one.panes);
                all.map(|(pane, _)| pane).collect()
            }
        }
    }

    #[test]
    fn the_width_decides_how_many_panes_there_are() {
        use Pane::{Form, List, Response, Tokens};
        assert_eq!(panes(100, 30, List), [List, Form, Response, Tokens]);
        assert_eq!(panes(99, 30, List), [List, Form, Response]);
        assert_eq!(panes(100, 18, Tokens), [List, Form, Tokens]);
        assert_eq!(panes(60, 16, Tokens), [List, Form, Tokens]);
        assert_eq!(panes(59, 30, Form), [Form]);
        assert_eq!(panes(200, 15, Response), [Response]);
        assert_eq!(panes(20, 5, List), [List]);
        assert_eq!(panes(19, 50, List), []);
        assert_eq!(panes(80, 4, List), []);
    }

    #[test]
    fn nothing_stands_outside_or_over_another() {
        for width in 0..=200 {
            for height in 0..=60 {
                let area = Rect::new(0, 0, width, height);
                for (pane, form) in Pane::ALL
                    .into_iter()
                    .flat_map(|pane| [FormSize::First, FormSize::Further].map(|form| (pane, form)))
                {
                    let PanePlan::Panes(plan) = plan(area, pane, false, form) else {
                        continue;
                    };
                    for one in &plan.boxes {
                        assert_eq!(area.intersection(one.area), one.area);
                        let mut top = one.area.y + 1;
                        for (_, inside) in &one.panes {
                            assert!(inside.y >= top, "{width}×{height}");
                            assert!(inside.height > 0, "{width}×{height} {plan:?}");
                            top = inside.bottom() + 1;
                        }
                        assert_eq!(top, one.area.bottom());
                    }
                }
            }
        }
    }
}
