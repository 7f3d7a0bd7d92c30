//! The rows of the table: the list's own, or under the headings of their groups; moving among them.

use std::collections::BTreeMap;

use super::board::{Board, BoardView, GroupKey};
use crate::app::effect::Effect;
use crate::app::model::{ListedConnection, Model};
use crate::app::notice::About;
use crate::domain::{Name, State};

/// One row where they are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableRow {
    /// The heading of a group.
    Heading {
        /// Which.
        group: GroupKey,
        /// How many are in each state, as in [`State::ALL`].
        counts: [usize; 4],
        /// Whether its rows are hidden.
        folded: bool,
    },
    /// A connection.
    Connection(Name),
}

impl Model {
    /// How many rows the table has, headings with them.
    pub fn table_len(&self) -> usize {
        if self.board.grouped {
            self.board.rows.len()
        } else {
            self.list.visible.len()
        }
    }

    /// The connection of a row; nothing for a heading.
    pub fn table_name(&self, row: usize) -> Option<&Name> {
        if self.board.grouped {
            match self.board.rows.get(row)? {
                TableRow::Heading { .. } => None,
                TableRow::Connection(name) => Some(name),
            }
        } else {
            self.list.visible.get(row)
        }
    }

    /// The first row shown.
    pub fn table_offset(&self) -> usize {
        if self.board.grouped {
            self.board.offset
        } else {
            self.list.offset
        }
    }

    /// The row that the marker stands on.
    pub fn table_cursor(&self) -> Option<usize> {
        if !self.board.grouped {
            return self.list.row();
        }
        let selected = self.list.selected.as_ref();
        self.board
            .rows
            .iter()
            .position(|row| match (row, &self.board.heading) {
                (TableRow::Heading { group, .. }, Some(marked)) => group == marked,
                (TableRow::Connection(name), None) => Some(name) == selected,
                _ => false,
            })
    }

    /// The connections whose rows are on the screen.
    pub fn names_in_sight(&self) -> impl Iterator<Item = &Name> {
        let first = self.table_offset();
        (first..first + self.list_rows()).filter_map(|row| self.table_name(row))
    }

    /// Groups the list's rows, each under its first tag; in a group they keep the list's order.
    pub(super) fn group_rows(&mut self) {
        let cursor = self.table_cursor();
        self.board.rows.clear();
        if !self.board.grouped {
            return;
        }
        let mut groups = BTreeMap::<(bool, GroupKey), Vec<_>>::new();
        for name in &self.list.visible {
            let Some(entry) = self.entries.get(name) else {
                continue;
            };
            let group = entry.connection.tags.first().cloned();
            // Those without a tag come last.
            let place = (group.is_none(), group);
            // How a paused one stood is no longer known: it is counted in no state.
            let state = (!entry.connection.paused).then(|| entry.state());
            groups.entry(place).or_default().push((name, state));
        }
        let mut rows = Vec::with_capacity(self.list.visible.len() + groups.len());
        for ((_, group), members) in groups {
            let count = |state| members.iter().filter(|(_, it)| *it == Some(state)).count();
            let counts = State::ALL.map(count);
            let folded = self.board.folded.contains(&group);
            rows.push(TableRow::Heading {
                group,
                counts,
                folded,
            });
            if !folded {
                rows.extend(
                    members
                        .into_iter()
                        .map(|(name, _)| TableRow::Connection(name.clone())),
                );
            }
        }
        self.board.rows = rows;
        self.mark_heading_of_hidden(cursor);
        self.show_table_row();
    }

    /// A selected connection in a folded group is stood for by the heading. Where the marked group, which stood at
    /// `cursor`, has left by itself, nothing is: no key meant for it means a connection.
    fn mark_heading_of_hidden(&mut self, cursor: Option<usize>) {
        if self.table_cursor().is_some() {
            return;
        }
        if self.board.heading.take().is_some() && !self.list.filtering {
            // Said first: what the filter has left in the group goes now, and the list is put together anew.
            self.list.lost = Some((None, cursor.unwrap_or(0)));
            self.set_selection(None);
            return self.complain_about(About::Selection, self.nothing_selected());
        }
        if self.list.selected.is_none() {
            return;
        }
        let group = self.selected_group();
        let is_there =
            self.board.rows.iter().any(
                |row| matches!(row, TableRow::Heading { group: other, .. } if *other == group),
            );
        self.board.heading = is_there.then_some(group);
    }

    fn selected_group(&self) -> GroupKey {
        match &self.board.heading {
            Some(group) => group.clone(),
            None => self
                .selected_entry()
                .and_then(|entry| entry.connection.tags.first().cloned()),
        }
    }

    /// The connections under the heading that the marker stands on, also where they are folded; nothing where it stands
    /// on none.
    pub(super) fn marked_group(&self) -> Option<Vec<&ListedConnection>> {
        let heading = self.board.heading.as_ref().filter(|_| !self.means_row())?;
        let entries = self.list.visible.iter();
        let entries = entries.filter_map(|name| self.entries.get(name));
        let is_here = |entry: &&ListedConnection| entry.connection.tags.first() == heading.as_ref();
        Some(entries.filter(is_here).collect())
    }

    /// Scrolls so that the marked row is on the screen.
    pub(in crate::app) fn show_table_row(&mut self) {
        let rows = self.list_rows();
        let most = self.board.rows.len().saturating_sub(rows);
        let Some(row) = self.table_cursor() else {
            self.board.offset = self.board.offset.min(most);
            return;
        };
        let least = (row + 1).saturating_sub(rows);
        self.board.offset = self.board.offset.clamp(least, row).min(most);
    }

    /// Moves the marker by `rows`, not beyond the ends. In the detail the text below the plot moves.
    pub(in crate::app) fn move_in_table(&mut self, rows: isize) {
        if let BoardView::Detail(_) = self.board.view {
            return self.scroll_detail(rows);
        }
        if !self.board.grouped {
            return self.move_selection(rows);
        }
        let Some(last) = self.board.rows.len().checked_sub(1) else {
            return;
        };
        let row = self.list.moved(self.table_cursor(), rows).min(last);
        self.go_to_table_row(row);
    }

    /// Puts the marker on a row.
    pub(in crate::app) fn go_to_table_row(&mut self, row: usize) {
        if !self.board.grouped {
            if let Some(name) = self.list.visible.get(row).cloned() {
                self.set_selection(Some(name));
            }
            return;
        }
        match self.board.rows.get(row).cloned() {
            Some(TableRow::Heading { group, .. }) => {
                let marked = Some(group);
                let moved = self.board.heading != marked;
                self.board.heading = marked;
                if moved && !self.list.held.is_empty() {
                    self.refilter();
                }
            }
            Some(TableRow::Connection(name)) => {
                let moved = self.board.heading.take().is_some();
                self.set_selection(Some(name));
                if moved {
                    // Those of the group that do not pass the filter go.
                    self.list.held.clear();
                    self.relist();
                }
            }
            None => {}
        }
        self.show_table_row();
    }

    /// Rows under their tags, or in one list again.
    pub(in crate::app) fn switch_groups(&mut self, out: &mut Vec<Effect>) {
        if !self.board.is_open() {
            self.switch_table(out);
            self.board.grouped = false;
        }
        self.board.grouped = !self.board.grouped;
        self.board.heading = None;
        self.board.stale = true;
        self.say(if self.board.grouped {
            "grouped by first tag"
        } else {
            "one list"
        });
        self.show_selection();
    }

    /// Hides the rows of the marked group, or shows them again.
    pub(in crate::app) fn fold(&mut self) {
        if !self.board.grouped || self.board.view != BoardView::Table {
            return self.complain("rows are folded where they are grouped by tag");
        }
        if self.list.visible.is_empty() {
            return self.complain("there is no row to fold");
        }
        let group = self.selected_group();
        if self.board.folded.remove(&group) {
            // The marker goes back to what it stood for, where that is in the group.
            let is_here = self
                .selected_entry()
                .is_some_and(|entry| entry.connection.tags.first() == group.as_ref());
            self.board.heading = (!is_here).then_some(group);
        } else {
            self.board.folded.insert(group.clone());
            self.board.heading = Some(group);
        }
        self.board.stale = true;
    }
}

impl Board {
    /// Whether the marker stands on a heading.
    pub fn on_heading(&self) -> bool {
        self.grouped && self.heading.is_some()
    }
}
