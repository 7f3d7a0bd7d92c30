//! The detail of one connection: what it was like over time.

use super::WatchingEffect;
use super::board::BoardView;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::notice::About;

impl Model {
    /// Enter in the table: the detail of the marked connection, or the group of a heading folds.
    pub(in crate::app) fn open_row(&mut self, out: &mut Vec<Effect>) {
        if matches!(self.board.view, BoardView::Detail(_)) {
            return;
        }
        if self.board.on_heading() {
            return self.fold();
        }
        let Some(name) = self.list.selected.clone() else {
            return self.complain_about(About::Selection, self.nothing_selected());
        };
        self.board.view = BoardView::Detail(name.clone());
        self.board.plot = None;
        self.board.scroll = 0;
        let span = self.board.span;
        out.push(Effect::Watching(WatchingEffect::ReadPlot(name, span)));
    }

    /// `s` in the detail: the next span.
    pub(in crate::app) fn next_span(&mut self, out: &mut Vec<Effect>) {
        if let BoardView::Detail(name) = &self.board.view {
            let name = name.clone();
            self.board.span = self.board.span.next();
            let span = self.board.span;
            out.push(Effect::Watching(WatchingEffect::ReadPlot(name, span)));
        }
    }

    pub(super) fn scroll_detail(&mut self, rows: isize) {
        let events = self
            .board
            .plot
            .as_ref()
            .map_or(0, |(_, plot)| plot.events.len());
        let most = isize::try_from(events + 8).unwrap_or(isize::MAX);
        let line = isize::try_from(self.board.scroll).unwrap_or(0);
        let line = line.saturating_add(rows).clamp(0, most);
        self.board.scroll = u16::try_from(line).unwrap_or(u16::MAX);
    }

    /// Whether a row of the table, rather than a heading, is what keys mean.
    pub(in crate::app) fn means_row(&self) -> bool {
        !matches!(self.board.view, BoardView::Table) || !self.board.on_heading()
    }
}
