//! The mouse: a click gives a pane the keys and selects its row, the wheel scrolls.
//!
//! Where each pane stands is the screen's own: the loop asks it and sends [`Message::Clicked`] with pane and
//! row. The raw event is used for the wheel alone, with the pane under it.
//!
//! [`Message::Clicked`]: crate::app::Message::Clicked

use crossterm::event::{MouseEvent, MouseEventKind};

use super::{Effects, Model};
use crate::app::model::Pane;

/// Rows of one turn of the wheel.
const WHEEL: isize = 3;

impl Model {
    /// The wheel moves what is under it, and gives nobody the keys.
    pub(super) fn mouse_event(&mut self, event: MouseEvent, pane: Option<Pane>) {
        self.last_input = self.now;
        let rows = match event.kind {
            MouseEventKind::ScrollUp => -WHEEL,
            MouseEventKind::ScrollDown => WHEEL,
            _ => return,
        };
        if self.overlay.is_some() {
            self.move_overlay(rows);
        } else if !self.wheel_in_sheet(rows > 0) {
            match pane {
                // Another row would take the form away that is typed in.
                Some(Pane::List | Pane::Tokens | Pane::Form) | None if self.is_editing() => {}
                Some(Pane::Form) => {}
                Some(pane @ (Pane::List | Pane::Response | Pane::Tokens)) => {
                    self.move_rows_of(pane, rows);
                }
                None => self.move_rows(rows),
            }
        }
    }

    /// A click into `pane`, `row` rows below its first one.
    pub(super) fn clicked(&mut self, pane: Pane, row: u16, out: &mut Effects) {
        self.last_input = self.now;
        if self.overlay.is_some() || !self.tokens.sheets.is_empty() {
            return;
        }
        self.focus_on(pane, out);
        let row = usize::from(row);
        match pane {
            Pane::List if self.board.is_open() => self.go_to_table_row(self.table_offset() + row),
            Pane::List => {
                if let Some(name) = self.list.visible.get(self.list.offset + row).cloned() {
                    self.set_selection(Some(name));
                }
            }
            Pane::Form => self.click_field(row, out),
            Pane::Tokens => {
                let top = self.account_list().map_or(0, |list| list.top);
                self.select_token_row(top + row);
            }
            Pane::Response => {}
        }
    }

    fn click_field(&mut self, row: usize, out: &mut Effects) {
        let Some(form) = self.visible_form() else {
            return;
        };
        if row < form.shown_fields() {
            let id = form.fields[row].id;
            self.cursor_to(id, out);
        }
    }
}
