//! The mouse: a click gives a pane the keys and selects its row, the wheel scrolls.
//!
//! Where each pane stands is the screen's own: the loop asks it and sends [`Message::Clicked`] with pane and
//! row. The raw event is used for the wheel alone.
//!
//! [`Message::Clicked`]: crate::app::Message::Clicked

use crossterm::event::{MouseEvent, MouseEventKind};

use super::{Effects, Model};
use crate::app::model::Pane;

/// Rows of one turn of the wheel.
const WHEEL: isize = 3;

impl Model {
    pub(super) fn mouse_event(&mut self, event: MouseEvent) {
        self.last_input = self.now;
        if self.overlay.is_some() || (self.is_editing() && self.tokens.sheets.is_empty()) {
            return;
        }
        match event.kind {
            MouseEventKind::ScrollUp if !self.wheel_in_sheet(false) => self.move_rows(-WHEEL),
            MouseEventKind::ScrollDown if !self.wheel_in_sheet(true) => self.move_rows(WHEEL),
            _ => {}
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
