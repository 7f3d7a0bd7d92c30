//! The list of connections: which are shown, in which order, and which one is selected.
//!
//! 10,000 connections with a verdict every few milliseconds must not cost a sort each: a verdict moves its
//! one row by two binary searches, and only a changed order or filter sorts anew.

use std::collections::HashSet;

use tui_input::Input;

use super::filter::LastFilter;
use super::model::{ListOrder, ListedConnection, Model};
use super::notice::About;
use super::watching::Board;
use crate::domain::text::inert;
use crate::domain::{Name, ServiceId, State};

impl ListOrder {
    /// Every order, in the sequence of `s`.
    pub const ALL: [Self; 6] = [
        Self::WorstFirst,
        Self::Name,
        Self::Service,
        Self::Latency,
        Self::Availability,
        Self::Since,
    ];

    /// Its name in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorstFirst => "worst",
            Self::Name => "name",
            Self::Service => "service",
            Self::Latency => "latency",
            Self::Availability => "availability",
            Self::Since => "since",
        }
    }

    /// What the footer says.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WorstFirst => "worst first",
            Self::Name => "by name",
            Self::Service => "by service",
            Self::Latency => "slowest first",
            Self::Availability => "least available first",
            Self::Since => "latest change first",
        }
    }

    /// The order called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// What is wrong with a name in the settings that is none; nothing where it is one.
    pub fn odd(name: &str) -> Option<String> {
        if Self::from_name(name).is_some() {
            return None;
        }
        let known = Self::ALL.map(Self::name).join(", ");
        let name = inert(name, 40);
        Some(format!("order: \"{name}\" is none of {known}"))
    }

    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::WorstFirst => Self::Name,
            Self::Name => Self::Service,
            Self::Service => Self::Latency,
            Self::Latency => Self::Availability,
            Self::Availability => Self::Since,
            Self::Since => Self::WorstFirst,
        }
    }
}

/// What the list is ordered by. The name is last in each, so no two are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortKey {
    rank: u64,
    service: Option<ServiceId>,
    name: Name,
}

impl SortKey {
    pub(super) fn of(entry: &ListedConnection, order: ListOrder) -> Self {
        let rank = match order {
            ListOrder::WorstFirst if entry.connection.paused => PAUSED,
            ListOrder::WorstFirst => rank(entry.state()),
            ListOrder::Name | ListOrder::Service => 0,
            ListOrder::Latency => u64::MAX - latency(entry),
            ListOrder::Availability => share(entry),
            ListOrder::Since => u64::MAX - since(entry),
        };
        Self {
            rank,
            service: (order == ListOrder::Service).then(|| entry.connection.service.clone()),
            name: entry.connection.name.clone(),
        }
    }
}

/// Microseconds of the last probe; 0 where nothing was measured.
fn latency(entry: &ListedConnection) -> u64 {
    let total = entry.verdict.as_ref().and_then(|v| v.phases.total);
    total.map_or(0, |total| {
        u64::try_from(total.as_micros()).unwrap_or(u64::MAX)
    })
}

/// Those of which nothing is known come last.
fn share(entry: &ListedConnection) -> u64 {
    entry.share.map_or(u64::MAX, u64::from)
}

/// Milliseconds since 1970; 0 where nothing is known.
fn since(entry: &ListedConnection) -> u64 {
    let since = entry.since.map(jiff::Timestamp::as_millisecond);
    since
        .and_then(|since| u64::try_from(since).ok())
        .unwrap_or(0)
}

/// The place of what is left out of watching in the default order: after all that is watched.
const PAUSED: u64 = 4;

/// A state's place in the default order: down, check, unknown, up.
fn rank(state: State) -> u64 {
    match state {
        State::Down => 0,
        State::Warn => 1,
        State::Unknown => 2,
        State::Ok => 3,
    }
}

/// The list of connections.
#[derive(Debug, Default)]
pub struct List {
    /// Names as shown: filtered and ordered.
    pub visible: Vec<Name>,
    /// The selected connection; stays selected when the order changes.
    pub selected: Option<Name>,
    /// First row shown.
    pub offset: usize,
    /// How it is ordered.
    pub order: ListOrder,
    /// The filter's text and cursor.
    pub filter: Input,
    /// The same as it was read last.
    pub last_filter: LastFilter,
    /// Whether the filter has the keys.
    pub filtering: bool,
    /// What was selected when the filter got the keys, until another row is chosen: it is come back to.
    pub left_at: Option<Name>,
    /// What was selected (none for a group) and left by itself, and its row: nothing is selected until a key moves.
    pub lost: Option<(Option<Name>, usize)>,
    /// Rows that do not pass the filter any more: the selected one, those of the marked group, and what a key has just
    /// taken out. They stay until another row is chosen, so that the next key means what is seen.
    pub held: HashSet<Name>,
}

impl List {
    /// The selected row.
    pub fn row(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        // It is in sight, as a rule: thousands of names above it are not looked at.
        let (above, from) = self.visible.split_at(self.offset.min(self.visible.len()));
        let is_selected = |name: &Name| name == selected;
        let in_sight = from.iter().position(is_selected);
        in_sight
            .map(|row| above.len() + row)
            .or_else(|| above.iter().position(is_selected))
    }

    /// The row that is so many `rows` from `row`. From what is lost, the next one down stands in its place.
    pub(super) fn moved(&self, row: Option<usize>, rows: isize) -> usize {
        match (row, &self.lost) {
            (Some(row), _) => row.saturating_add_signed(rows),
            (None, Some((_, row))) => row.saturating_add_signed(rows - isize::from(rows > 0)),
            (None, None) => 0,
        }
    }
}

impl Model {
    /// Rows of the list that fit on the screen: all but title, footer and the pane's frame.
    pub fn list_rows(&self) -> usize {
        if self.board.is_open() {
            return Board::table_rows(self.size.1).into();
        }
        usize::from(self.size.1.saturating_sub(4)).max(1)
    }

    /// Filters and orders the whole list anew. The selection stays on its connection, also where that does not pass the
    /// filter any more: the next key would mean another one. Where it has left by itself, nothing is selected.
    pub(super) fn relist(&mut self) {
        let shown = self.list.visible.iter();
        let shown =
            shown.filter(|name| self.entries.get(name).is_some_and(|it| self.is_marked(it)));
        let marked: Vec<_> = shown.cloned().collect();
        self.list.held.extend(marked);
        self.list_anew(None);
    }

    /// The same for another filter: what stayed although it did not pass goes, and what was selected when the filter got
    /// the keys is come back to.
    pub(super) fn refilter(&mut self) {
        self.list.held.clear();
        self.list.lost = None;
        let left_at = self.list.left_at.clone();
        self.list_anew(left_at.filter(|_| self.list.filtering));
    }

    fn list_anew(&mut self, left_at: Option<Name>) {
        let row = self.list.row().unwrap_or(0);
        // Under headings it stands further down.
        let cursor = self.table_cursor().filter(|_| self.board.is_open());
        let filter = self.list.last_filter.of(self.list.filter.value());
        let mut held = std::mem::take(&mut self.list.held);
        let mut places: Vec<SortKey> = Vec::with_capacity(self.entries.len());
        let mut stays = HashSet::new();
        for entry in self.entries.values() {
            if !filter.is_empty() && !filter.passes(entry) {
                let Some(name) = held.take(&entry.connection.name) else {
                    continue;
                };
                stays.insert(name);
            }
            places.push(SortKey::of(entry, self.list.order));
        }
        self.list.held = stays;
        places.sort_unstable();
        self.board.rows_changed();
        self.list.visible = places.into_iter().map(|place| place.name).collect();
        // The names stand where the places stood, which took more.
        self.list.visible.shrink_to_fit();
        let left_at = left_at.as_ref();
        let gone = self.list.lost.as_ref().and_then(|(name, _)| name.as_ref());
        let mut kept = left_at.into_iter().chain(&self.list.selected).chain(gone);
        let kept = kept.find(|name| self.list.visible.contains(name)).cloned();
        if kept.is_none() && self.has_lost_selection(cursor.unwrap_or(row)) {
            return self.set_selection(None);
        }
        let last = self.list.visible.len().saturating_sub(1);
        self.set_selection(kept.or_else(|| self.list.visible.get(row.min(last)).cloned()));
    }

    /// Whether the selected connection, which stood at `row`, has left by itself, and no key has moved since. What is
    /// removed here gives its place to the next one.
    fn has_lost_selection(&mut self, row: usize) -> bool {
        let selected = self.list.selected.clone();
        let selected = selected.filter(|name| !self.entries.contains(name));
        if let Some(name) = selected.filter(|name| self.removing.as_ref() != Some(name)) {
            self.list.lost = Some((Some(name), row));
            // Of one that is renamed here the answer is still to come.
            if !self.form.as_ref().is_some_and(|form| form.saving) {
                self.complain_about(About::Selection, self.nothing_selected());
            }
        }
        self.list.lost.is_some()
    }

    /// Why no connection is meant where none is.
    pub(super) fn nothing_selected(&self) -> String {
        let none = "no connection is selected";
        match &self.list.lost {
            Some((Some(name), _)) => {
                format!("{} was removed or renamed: {none}", self.shown_name(name))
            }
            Some((None, _)) => format!("the group that was marked is gone: {none}"),
            None => none.to_owned(),
        }
    }

    /// Moves one row to where it belongs after its entry changed; `before` is where it was.
    pub(super) fn replace_row(&mut self, name: &Name, before: &SortKey) {
        let order = self.list.order;
        let Some(entry) = self.entries.get(name) else {
            return self.relist();
        };
        let after = SortKey::of(entry, order);
        let filter = self.list.last_filter.of(self.list.filter.value());
        if after == *before && filter.is_empty() {
            return;
        }
        let passes = filter.is_empty() || filter.passes(entry);
        let place = self.search(before, Some((name, before)));
        let stays =
            passes || (place.is_ok() && self.is_marked(entry)) || self.list.held.contains(name);
        if passes {
            self.list.held.remove(name);
        } else if stays {
            self.list.held.insert(name.clone());
        }
        self.board.rows_changed();
        if let Ok(row) = place {
            self.list.visible.remove(row);
        }
        if stays && let Err(row) = self.search(&after, None) {
            self.list.visible.insert(row, name.clone());
        }
        self.show_selection();
    }

    /// Whether it is the selected one, or in the group that the marker stands on.
    fn is_marked(&self, entry: &ListedConnection) -> bool {
        let marked = self.board.heading.as_ref().filter(|_| !self.means_row());
        self.list.selected.as_ref() == Some(&entry.connection.name)
            || marked.is_some_and(|group| entry.connection.tags.first() == group.as_ref())
    }

    /// Where `place` is, or would be. One row, whose entry has changed already, is looked up by its old place.
    fn search(&self, place: &SortKey, old: Option<(&Name, &SortKey)>) -> Result<usize, usize> {
        self.list.visible.binary_search_by(|name| {
            if let Some((_, before)) = old.filter(|(moved, _)| *moved == name) {
                return before.cmp(place);
            }
            self.entries
                .get(name)
                .map_or(std::cmp::Ordering::Less, |entry| {
                    SortKey::of(entry, self.list.order).cmp(place)
                })
        })
    }

    /// Selects `name`. What belongs to the selected connection (an open handle, scrolling) does not stay.
    pub(super) fn set_selection(&mut self, name: Option<Name>) {
        if self.list.selected != name {
            if name.is_some() {
                self.list.lost = None;
                self.unsay(About::Selection);
            }
            self.list.selected = name;
            self.revealed.take_if(|revealed| revealed.is_held());
            (self.token_row, self.token_lost) = (0, false);
            self.response_scroll = 0;
            self.park_form();
            // Another row is chosen: those that do not pass the filter go.
            if !std::mem::take(&mut self.list.held).is_empty() {
                self.relist();
            }
        }
        self.show_selection();
    }

    /// Scrolls so that the selected row is on the screen.
    pub(super) fn show_selection(&mut self) {
        let rows = self.list_rows();
        let most = self.list.visible.len().saturating_sub(rows);
        let Some(row) = self.list.row() else {
            self.list.offset = self.list.offset.min(most);
            return;
        };
        let least = (row + 1).saturating_sub(rows);
        self.list.offset = self.list.offset.clamp(least, row).min(most);
    }

    /// Moves the selection by `rows`, not beyond the ends.
    pub(super) fn move_selection(&mut self, rows: isize) {
        let Some(last) = self.list.visible.len().checked_sub(1) else {
            return;
        };
        let row = self.list.moved(self.list.row(), rows).min(last);
        self.list.left_at = None;
        self.set_selection(self.list.visible.get(row).cloned());
    }
}
