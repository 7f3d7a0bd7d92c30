//! What keys mean while the table is shown, and the actions that are about watching.

use super::board::BoardView;
use crate::app::effect::Effect;
use crate::app::keymap::Action;
use crate::app::model::Model;

impl Action {
    /// Whether it can't be followed in the table: the panes come back for it.
    pub(in crate::app) const fn needs_panes(self) -> bool {
        matches!(
            self,
            Self::New
                | Self::Edit
                | Self::Clone
                | Self::UseUrl
                | Self::DiscardDraft
                | Self::Save
                | Self::Further
                | Self::NextPane
                | Self::PreviousPane
                | Self::Zoom
                | Self::Reveal
        )
    }
}

impl Model {
    pub(in crate::app) fn watching_action(&mut self, action: Action, out: &mut Vec<Effect>) {
        match action {
            Action::WatchTable => self.switch_table(out),
            Action::GroupByTag => self.switch_groups(out),
            Action::Fold => self.fold(),
            Action::Events => self.open_events(),
            Action::PauseConnection => self.pause_connection(out),
            Action::Maintenance => self.open_maintenance(),
            Action::SecondOpinion => self.open_ask_from(),
            _ => {}
        }
    }

    /// `s`: the next order of the table, or the next span of the detail.
    pub(in crate::app) fn next_table_order(&mut self, out: &mut Vec<Effect>) {
        match self.board.view {
            BoardView::Detail(_) => self.next_span(out),
            BoardView::Table | BoardView::Closed => self.next_order(out),
        }
    }

    /// The actions of the footer while the table is shown, the most useful first.
    pub(in crate::app) fn table_actions(&self) -> Vec<Action> {
        use Action::{
            Back, Edit, Events, Filter, GroupByTag, Help, Maintenance, Open, Order, Palette,
            PauseConnection, Probe, Quit, WatchTable,
        };
        match self.board.view {
            BoardView::Detail(_) => vec![
                Back,
                Order,
                Probe,
                Edit,
                Palette,
                Help,
                Quit,
                Maintenance,
                PauseConnection,
                Events,
            ],
            BoardView::Table | BoardView::Closed => vec![
                Open,
                WatchTable,
                Order,
                Filter,
                Probe,
                Palette,
                Help,
                Quit,
                GroupByTag,
                Edit,
                Events,
                Maintenance,
                PauseConnection,
            ],
        }
    }
}
