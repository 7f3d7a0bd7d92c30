//! The columns of the account's list: as many as have room, the most important first.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::text::fill;

/// Cells that a label has at least before another column is shown.
const LEAST_LABEL: usize = 15;
/// The same where there is little room at all.
const LEAST_NARROW: usize = 11;
/// Below this many cells there is.
const NARROW: u16 = 60;

/// A column behind the label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Extension,
    Created,
    By,
    Expires,
    Used,
    Status,
    Handle,
    External,
    Modules,
    Description,
}

impl Column {
    /// From left to right.
    const ORDER: [Self; 11] = [
        Self::Id,
        Self::Extension,
        Self::Created,
        Self::By,
        Self::Expires,
        Self::Used,
        Self::Status,
        Self::Handle,
        Self::External,
        Self::Modules,
        Self::Description,
    ];

    /// The most important first.
    const RANK: [Self; 11] = [
        Self::Status,
        Self::Used,
        Self::Expires,
        Self::Id,
        Self::Handle,
        Self::Extension,
        Self::Created,
        Self::By,
        Self::External,
        Self::Modules,
        Self::Description,
    ];

    const fn cells(self) -> usize {
        match self {
            Self::Id => 16,
            Self::Status | Self::Used => 13,
            Self::Created | Self::Expires => 12,
            Self::By => 11,
            Self::Extension => 10,
            Self::Handle => 8,
            Self::External => 18,
            Self::Modules => 9,
            Self::Description => 30,
        }
    }

    pub(super) const fn head(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Extension => "EXTENSION",
            Self::Created => "CREATED",
            Self::By => "BY",
            Self::Expires => "EXPIRES",
            Self::Used => "LAST USED",
            Self::Status => "STATUS",
            Self::Handle => "HANDLE",
            Self::External => "EXTERNAL ID",
            Self::Modules => "MODULES",
            Self::Description => "DESCRIPTION",
        }
    }
}

/// Which columns have room.
pub(super) struct Columns {
    pub(super) label: usize,
    shown: Vec<Column>,
}

impl Columns {
    pub(super) fn of(cells: u16, idle: bool) -> Self {
        let (mut left, mut chosen) = (usize::from(cells), Vec::new());
        let least = if cells < NARROW {
            LEAST_NARROW
        } else {
            LEAST_LABEL
        };
        for column in Column::RANK {
            let wanted = match column {
                Column::Used => idle,
                Column::Extension | Column::By => !idle || cells > 120,
                _ => true,
            };
            if wanted {
                if left < least + column.cells() {
                    break;
                }
                left -= column.cells();
                chosen.push(column);
            }
        }
        Self {
            label: left,
            shown: Column::ORDER
                .into_iter()
                .filter(|column| chosen.contains(column))
                .collect(),
        }
    }

    pub(super) fn behind(&self) -> usize {
        self.shown.iter().map(|column| column.cells()).sum()
    }

    pub(super) fn line(
        &self,
        label: Span<'static>,
        cell: impl Fn(Column) -> (String, Style),
    ) -> Line<'static> {
        // The last two cells of each column stay blank: they divide it from the next.
        let padded = |text, cells: usize| fill(text, cells.saturating_sub(2), cells);
        let mut spans = Vec::with_capacity(self.shown.len() + 1);
        let words = label.content.into_owned();
        spans.push(Span::styled(padded(words, self.label), label.style));
        for column in &self.shown {
            let (text, style) = cell(*column);
            spans.push(Span::styled(padded(text, column.cells()), style));
        }
        Line::from(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_take_no_more_than_there_is() {
        for cells in 0..240 {
            for idle in [false, true] {
                let columns = Columns::of(cells, idle);
                let all = columns.label + columns.behind();
                assert_eq!(all, usize::from(cells), "{cells}");
            }
        }
        let zoomed = Columns::of(97, false);
        assert!(zoomed.shown.contains(&Column::By) && zoomed.shown.contains(&Column::Handle));
    }
}
