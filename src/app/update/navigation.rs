//! Moving about: rows, panes, order, filter, what fills the screen.

use tui_input::InputRequest;

use super::{Effects, Model, editing_request};
use crate::app::effect::{Effect, TerminalEffect};
use crate::app::filter;
use crate::app::keymap::{Action, KeyPress};
use crate::app::model::{Overlay, Pane};
use crate::app::notice::About;
use crate::app::watching::WatchingEffect;

impl Model {
    pub(super) fn navigate(&mut self, action: Action, out: &mut Effects) {
        match action {
            Action::Up => self.move_rows(-1),
            Action::Down => self.move_rows(1),
            Action::PageUp => self.move_rows(-self.page()),
            Action::PageDown => self.move_rows(self.page()),
            Action::First => self.move_rows(isize::MIN / 2),
            Action::Last => self.move_rows(isize::MAX / 2),
            Action::NextPane => self.turn_pane(1, out),
            Action::PreviousPane => self.turn_pane(Pane::ALL.len() - 1, out),
            Action::Open if self.board.is_open() => self.open_row(out),
            Action::Open => self.open_selected(out),
            Action::Back => self.back(),
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::Filter => self.open_filter(out),
            Action::Palette => self.open_overlay(Overlay::Palette {
                input: tui_input::Input::default(),
                row: 0,
            }),
            Action::Help => self.open_overlay(Overlay::Help { scroll: 0 }),
            Action::Further => self.switch_further(),
            _ => {}
        }
    }

    fn page(&self) -> isize {
        isize::try_from(self.list_rows()).unwrap_or(1)
    }

    /// Moves in the focused pane.
    pub(super) fn move_rows(&mut self, rows: isize) {
        self.move_rows_of(self.focus, rows);
    }

    /// Moves in `pane`, whichever has the keys.
    pub(super) fn move_rows_of(&mut self, pane: Pane, rows: isize) {
        if self.board.is_open() {
            return self.move_in_table(rows);
        }
        match pane {
            Pane::List | Pane::Form => self.move_selection(rows),
            Pane::Response => self.scroll_response(rows),
            Pane::Tokens => self.move_token_row(rows),
        }
    }

    fn scroll_response(&mut self, rows: isize) {
        let last = self.last_line.unwrap_or(u16::MAX);
        let line = isize::try_from(self.response_scroll).unwrap_or(0);
        let line = line.saturating_add(rows).max(0);
        self.response_scroll = u16::try_from(line).unwrap_or(u16::MAX).min(last);
    }

    fn move_token_row(&mut self, rows: isize) {
        let count = self.token_rows();
        // From what is gone, the next one down stands in its place.
        let rows = rows - isize::from(rows > 0 && self.marked_token_row().is_none());
        let row = self.token_row.saturating_add_signed(rows);
        self.select_token_row(row.min(count.saturating_sub(1)));
    }

    pub(super) fn select_token_row(&mut self, row: usize) {
        if self.marked_token_row() != Some(row) && row < self.token_rows() {
            (self.token_row, self.token_lost) = (row, false);
            let mut behind = None;
            if let Some(list) = &mut self.tokens.list {
                list.wanted.clear();
                behind = list.behind.then(|| list.name.clone());
            }
            if let Some(name) = behind {
                self.reload_tokens(&name);
            }
            self.revealed = None;
            self.show_token_row();
        }
    }

    fn turn_pane(&mut self, steps: usize, out: &mut Effects) {
        let at = Pane::ALL.iter().position(|pane| *pane == self.focus);
        let next = (at.unwrap_or(0) + steps) % Pane::ALL.len();
        self.focus_on(Pane::ALL[next], out);
    }

    /// Gives `pane` the keys. Leaving the form keeps what was typed; an untouched form is closed.
    pub(in crate::app) fn focus_on(&mut self, pane: Pane, out: &mut Effects) {
        if self.focus == Pane::Form && pane != Pane::Form {
            self.leave_form(out);
        }
        self.list.filtering = false;
        self.put_focus(pane);
        if self.is_editing() {
            self.forget_that_it_is_kept();
        }
    }

    /// The verdict stands first in its pane: whoever comes back to that is not to miss it.
    fn put_focus(&mut self, pane: Pane) {
        if self.focus == Pane::Response && pane != Pane::Response {
            self.response_scroll = 0;
        }
        self.focus = pane;
    }

    fn open_selected(&mut self, out: &mut Effects) {
        match self.focus {
            Pane::List | Pane::Form if self.entries.is_empty() => self.act(Action::New, out),
            Pane::List | Pane::Form => self.act(Action::Edit, out),
            Pane::Response => self.zoomed = !self.zoomed,
            Pane::Tokens => self.act(Action::CopyAs, out),
        }
    }

    fn back(&mut self) {
        if self.revealed.take().is_some() || self.board_back() {
        } else if self.zoomed {
            self.zoomed = false;
        } else if self.focus != Pane::List {
            self.put_focus(Pane::List);
        } else if !self.list.filter.value().is_empty() {
            self.list.filter.reset();
            self.refilter();
        }
    }

    pub(in crate::app) fn next_order(&mut self, out: &mut Effects) {
        self.list.order = self.list.order.next();
        self.relist();
        self.say(self.list.order.words());
        let (key, value) = ("order".to_owned(), self.list.order.name().to_owned());
        out.push(Effect::Set { key, value });
    }

    fn open_filter(&mut self, out: &mut Effects) {
        self.focus_on(Pane::List, out);
        self.zoomed = false;
        self.list.filtering = true;
        self.list.left_at = self.list.selected.clone();
        self.list.filter.handle(InputRequest::GoToEnd);
    }

    pub(super) fn filter_key(&mut self, press: KeyPress, out: &mut Effects) {
        match self.keymap.in_fields(press) {
            Some(Action::Accept | Action::NextField | Action::PreviousField) => {
                self.list.filtering = false;
            }
            Some(Action::Leave) => {
                self.list.filter.reset();
                self.refilter();
                self.list.filtering = false;
            }
            Some(Action::FieldUp) => self.move_selection(-1),
            Some(Action::FieldDown) => self.move_selection(1),
            Some(Action::Undo | Action::ResponseUp | Action::ResponseDown) => {}
            Some(action) => {
                self.list.filtering = false;
                self.act(action, out);
            }
            None => self.type_filter(press),
        }
    }

    fn type_filter(&mut self, press: KeyPress) {
        let Some(request) = editing_request(press) else {
            return;
        };
        if self
            .list
            .filter
            .handle(request)
            .is_some_and(|changed| changed.value)
        {
            self.refilter();
            self.unsay(About::Filter);
            if self.list.visible.is_empty()
                && let Some(why) = filter::misread(self.list.filter.value())
            {
                self.complain_about(About::Filter, why);
            }
        }
    }

    /// A form shows names as they are: it is put aside, and comes back with the end of the war-room.
    pub(super) fn switch_war_room(&mut self, out: &mut Effects) {
        if self.is_editing() {
            self.focus_on(Pane::List, out);
        }
        self.war_room = !self.war_room;
        self.revealed = None;
        self.tokens_war_room();
        self.park_form();
        self.say(if self.war_room {
            "war-room: pseudonyms, no reveal, no copy"
        } else {
            "war-room ended"
        });
    }

    pub(super) fn pause(&mut self, out: &mut Effects) {
        self.watching = !self.watching;
        if !self.watching {
            self.forget_watched_probes();
        }
        out.push(Effect::Watching(WatchingEffect::Switch(self.watching)));
        self.say(if self.watching {
            "watching goes on"
        } else {
            "watching is paused"
        });
    }

    pub(super) fn switch_mouse(&mut self, out: &mut Effects) {
        self.mouse = !self.mouse;
        out.push(Effect::Terminal(TerminalEffect::Mouse(self.mouse)));
        self.say(if self.mouse { "mouse on" } else { "mouse off" });
    }
}
