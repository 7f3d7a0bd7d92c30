//! The state of the watch table.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::events::BoardEvent;
use super::rows::TableRow;
use super::{WatchingEffect, WatchingMessage, WatchingSettings};
use crate::app::effect::Effect;
use crate::app::model::{ListOrder, ListedConnection, Model, Pane};
use crate::domain::history::History;
use crate::domain::plot::{Plot, PlotSpan};
use crate::domain::window::planned_until;
use crate::domain::{Name, State};

/// Pasts that are kept of rows out of sight.
const MOST_PASTS: usize = 1_000;
/// How long a past may be behind the last probe: many that end together are asked for at once.
const BEHIND: SignedDuration = SignedDuration::from_secs(2);
/// How often shares are read anew while the list is ordered by them.
const SHARES: SignedDuration = SignedDuration::from_secs(60);
/// When a history that could not be read is asked for again.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Rows of a screen above which there is room for events below the table.
const EVENTS_FROM: u16 = 14;

/// What is shown in place of the panes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BoardView {
    /// Nothing: the panes are.
    #[default]
    Closed,
    /// The table.
    Table,
    /// One connection over time.
    Detail(Name),
}

/// A group of the table: the first tag of its connections; nothing for those without.
pub type GroupKey = Option<String>;

/// The watch table and what is known for it.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own; no two of them make a state together"
)]
pub struct Board {
    /// What is shown.
    pub view: BoardView,
    /// Whether rows stand under their first tag.
    pub grouped: bool,
    /// Groups whose rows are hidden.
    pub folded: BTreeSet<GroupKey>,
    /// The rows where they are grouped; else they are the list's.
    pub rows: Vec<TableRow>,
    /// The heading that the marker stands on.
    pub heading: Option<GroupKey>,
    /// First row shown where they are grouped.
    pub offset: usize,
    /// What was read of connections.
    pub pasts: HashMap<Name, Past>,
    /// Events, oldest first.
    pub events: VecDeque<BoardEvent>,
    /// How much time the detail draws.
    pub span: PlotSpan,
    /// First line shown below the plot.
    pub scroll: u16,
    /// What the detail draws.
    pub plot: Option<(Name, Plot)>,
    /// Whether this machine seems to be offline.
    pub offline: bool,
    /// What the settings say.
    pub settings: WatchingSettings,
    /// Changes that are to be notified of in a moment, and when.
    pub(super) pending: Vec<(Name, State)>,
    pub(super) notify_at: Option<Timestamp>,
    /// Whether rows must be put together anew.
    pub(super) stale: bool,
    /// Whether pasts were asked for and have not come yet.
    asking: bool,
    /// When pasts that are behind are asked for again.
    refresh_at: Option<Timestamp>,
    /// When shares are read again.
    shares_at: Option<Timestamp>,
    /// Whether the plot must be read anew.
    plot_stale: bool,
}

/// What was read of one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// As it was read; nothing where that was asked for in vain.
    pub history: History,
    /// A probe has ended since.
    pub behind: bool,
}

impl Board {
    /// Whether it is shown in place of the panes.
    pub fn is_open(&self) -> bool {
        self.view != BoardView::Closed
    }

    /// Rows of events below the table, their heading not counted, on a screen of so many rows.
    pub const fn event_rows(screen: u16) -> u16 {
        if screen < EVENTS_FROM {
            return 0;
        }
        let rows = (screen - 4) / 5;
        if rows > 8 { 8 } else { rows }
    }

    /// Rows of the table on a screen of so many rows: without title, footer, frame, head and events.
    pub const fn table_rows(screen: u16) -> u16 {
        let events = Self::event_rows(screen);
        let below = if events > 0 { events + 1 } else { 0 };
        let title = if screen >= 8 { 1 } else { 0 };
        let rows = screen.saturating_sub(title + 1 + 2 + 1 + below);
        if rows == 0 { 1 } else { rows }
    }

    /// What a hint of the footer means here.
    pub(in crate::app) fn hint(&self, hint: &'static str) -> &'static str {
        match (&self.view, hint) {
            (BoardView::Detail(_), "order") => "span",
            (BoardView::Table, "watch") => "panes",
            _ => hint,
        }
    }

    /// The list's rows are others, or stand elsewhere.
    pub(in crate::app) fn rows_changed(&mut self) {
        self.stale |= self.grouped;
    }

    /// When something of it is due. While pasts of the table are on their way, their answer wakes it.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let shown = self.is_open();
        let waits = self.asking && self.view == BoardView::Table;
        [
            self.notify_at,
            self.refresh_at.filter(|_| shown && !waits),
            self.shares_at.filter(|_| shown),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The times at which something is due, to be moved where the clock was set back.
    pub(in crate::app) fn deadlines(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        [
            &mut self.notify_at,
            &mut self.refresh_at,
            &mut self.shares_at,
        ]
        .into_iter()
        .flatten()
    }

    /// When the connection's maintenance ends, where it is in one.
    pub fn maintained_until(&self, entry: &ListedConnection, now: Timestamp) -> Option<Timestamp> {
        planned_until(&entry.connection, &self.settings.maintenance, now)
    }
}

impl Model {
    /// `w`: the list widens into the table, or the panes come back.
    pub(in crate::app) fn switch_table(&mut self, out: &mut Vec<Effect>) {
        if self.board.is_open() {
            self.close_board();
            return;
        }
        self.focus_on(Pane::List, out);
        self.zoomed = false;
        self.board.view = BoardView::Table;
        self.board.stale = true;
        out.push(Effect::Watching(WatchingEffect::ReadStandings));
        self.ask_for_shares(out);
        self.show_selection();
    }

    /// The panes come back, where the board stands in their place.
    pub(in crate::app) fn close_board(&mut self) {
        if !self.board.is_open() {
            return;
        }
        self.board.view = BoardView::Closed;
        self.board.heading = None;
        self.board.plot = None;
        self.show_selection();
    }

    /// One step back: from the detail to the table, from there to the panes. Says whether there was one.
    pub(in crate::app) fn board_back(&mut self) -> bool {
        match &self.board.view {
            BoardView::Closed => return false,
            BoardView::Detail(_) => {
                self.board.view = BoardView::Table;
                self.board.plot = None;
                // What has ended meanwhile of other connections was not asked for.
                self.board.refresh_at = Some(self.now);
            }
            BoardView::Table if !self.list.filter.value().is_empty() => {
                self.list.filter.reset();
                self.refilter();
            }
            BoardView::Table => self.close_board(),
        }
        true
    }

    /// What is to be done after every message: rows are put together, and those in sight asked for.
    pub(in crate::app) fn tend_board(&mut self, out: &mut Vec<Effect>) {
        if !self.board.is_open() {
            return;
        }
        while std::mem::take(&mut self.board.stale) {
            self.group_rows();
        }
        match self.board.view.clone() {
            BoardView::Closed => {}
            BoardView::Table => self.ask_for_pasts(out),
            BoardView::Detail(name) => {
                if !self.entries.contains(&name) {
                    self.board.view = BoardView::Table;
                    self.board.stale = true;
                    return;
                }
                let due = self.board.refresh_at.take_if(|at| *at <= self.now);
                if self.board.plot_stale && (due.is_some() || self.board.plot.is_none()) {
                    self.board.plot_stale = false;
                    self.board.refresh_at = None;
                    let span = self.board.span;
                    out.push(Effect::Watching(WatchingEffect::ReadPlot(
                        name.clone(),
                        span,
                    )));
                    out.push(Effect::Watching(WatchingEffect::ReadPasts(vec![name])));
                }
            }
        }
        if self.board.shares_at.is_none_or(|at| at <= self.now) {
            self.ask_for_shares(out);
        }
    }

    fn ask_for_shares(&mut self, out: &mut Vec<Effect>) {
        // In another order nobody is woken for them.
        self.board.shares_at = None;
        if self.list.order == ListOrder::Availability {
            self.board.shares_at = self.now.checked_add(SHARES).ok();
            out.push(Effect::Watching(WatchingEffect::ReadShares));
        }
    }

    /// Asks for what is missing of the rows in sight, and where the time has come for what is behind. One
    /// question at a time: while somebody scrolls, the next one is about where they have come to.
    fn ask_for_pasts(&mut self, out: &mut Vec<Effect>) {
        if self.board.asking {
            return;
        }
        let due = self
            .board
            .refresh_at
            .take_if(|at| *at <= self.now)
            .is_some();
        let wanted: Vec<Name> = self
            .names_in_sight()
            .filter(|name| match self.board.pasts.get(*name) {
                None => true,
                Some(past) => due && past.behind,
            })
            .cloned()
            .collect();
        if !wanted.is_empty() {
            self.board.asking = true;
            out.push(Effect::Watching(WatchingEffect::ReadPasts(wanted)));
        }
    }

    /// A probe of `name` has ended: what is drawn of it is behind. Costs nothing where it is out of sight.
    pub(in crate::app) fn board_heard(&mut self, name: &Name, before: State) {
        let after = self
            .entries
            .get(name)
            .map_or(State::Unknown, ListedConnection::state);
        // The counts in the headings.
        self.board.stale |= self.board.grouped && before != after;
        let mut behind = false;
        if let Some(past) = self.board.pasts.get_mut(name) {
            past.behind = true;
            behind = true;
        }
        if matches!(&self.board.view, BoardView::Detail(shown) if shown == name) {
            self.board.plot_stale = true;
            behind = true;
        }
        if behind && self.board.refresh_at.is_none() {
            self.board.refresh_at = self.now.checked_add(BEHIND).ok();
        }
    }

    /// Answers about watching.
    pub(in crate::app) fn watching_answered(
        &mut self,
        message: WatchingMessage,
        out: &mut Vec<Effect>,
    ) {
        match message {
            WatchingMessage::PastsRead(pasts) => self.pasts_read(pasts),
            WatchingMessage::StandingsRead(standings) => {
                for (name, standing) in standings {
                    self.learn_standing(&name, standing);
                }
                if self.list.order == ListOrder::Since {
                    self.relist();
                }
            }
            WatchingMessage::SharesRead(shares) => {
                for (name, share) in shares {
                    let share = Some(millionths(share));
                    self.entries.change(&name, |entry| entry.share = share);
                }
                if self.list.order == ListOrder::Availability {
                    self.relist();
                }
            }
            WatchingMessage::PlotRead(name, plot) => {
                let is_shown =
                    matches!(&self.board.view, BoardView::Detail(shown) if *shown == name);
                if is_shown && plot.span == self.board.span {
                    self.board.plot = Some((name, *plot));
                }
            }
            WatchingMessage::PastsFailed(names, why) => {
                self.pasts_failed(names);
                self.complain(why);
            }
            WatchingMessage::Changed(event) => self.changed(event),
            WatchingMessage::Offline(offline) => self.offline(offline),
            WatchingMessage::HistoryFailed(why)
            | WatchingMessage::Trouble(why)
            | WatchingMessage::SetFailed(why) => self.complain(why),
            WatchingMessage::ConnectionsSet(all, what) => self.connections_set(all, what, out),
            WatchingMessage::SecondOpinionGiven(opinion) => self.second_opinion_given(*opinion),
        }
    }

    fn pasts_read(&mut self, pasts: Vec<(Name, History)>) {
        self.board.asking = false;
        for (name, history) in pasts {
            if let Some(standing) = history.standing {
                self.learn_standing(&name, standing);
            }
            self.entries.change(&name, |entry| {
                let strip: Vec<State> =
                    history.strip.iter().map(|run| run.reason.state()).collect();
                if strip.len() >= entry.strip.len() {
                    entry.strip = strip;
                }
            });
            let behind = false;
            self.board.pasts.insert(name, Past { history, behind });
        }
        if self.board.pasts.len() > MOST_PASTS {
            let kept: Vec<Name> = self.names_in_sight().cloned().collect();
            self.board.pasts.retain(|name, _| kept.contains(name));
        }
    }

    /// Each has an empty past until they are asked for again: rows in sight without one are asked for at once,
    /// which would never end.
    fn pasts_failed(&mut self, names: Vec<Name>) {
        self.board.asking = false;
        for name in names {
            self.board.pasts.entry(name).or_default().behind = true;
        }
        self.board.refresh_at = self.now.checked_add(AGAIN).ok();
    }

    /// Since when a connection is as it is: an earlier run may know it longer.
    fn learn_standing(&mut self, name: &Name, standing: crate::domain::history::Standing) {
        let order = self.list.order;
        let Some(entry) = self.entries.get(name) else {
            return;
        };
        let unprobed = entry.verdict.is_none();
        if !unprobed && entry.state() != standing.state {
            return;
        }
        if unprobed || entry.since.is_none_or(|since| standing.since < since) {
            let before = crate::app::list::SortKey::of(entry, order);
            self.entries.change(name, |entry| {
                entry.since = Some(standing.since);
                entry.stood = Some(standing.state);
            });
            self.replace_row(name, &before);
        }
    }
}

/// Parts of a million of a share from 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float's cast stops at the type's ends"
)]
fn millionths(share: f64) -> u32 {
    (share * 1e6) as u32
}
