//! Watching on the screen: the table that the list widens into, the detail of one connection, events and notices.
//!
//! The table shows the list's own rows, in its order and filter, and has the same selection: whatever a key does
//! to a row of the list it does here. Only rows in sight are asked for their past.

mod actions;
pub mod board;
pub mod detail;
pub mod dialogs;
pub mod events;
pub mod rows;

pub use board::{Board, BoardView, GroupKey};
pub use events::BoardEvent;
pub use rows::TableRow;

use jiff::Timestamp;

use crate::domain::history::{History, Standing};
use crate::domain::plot::{Plot, PlotSpan};
use crate::domain::{Connection, Name, Reason, SecondOpinion, SshHost, State, Window};

/// What a person decided about the watching of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planning {
    /// Whether they are left out of it.
    Paused,
    /// When they may fail as planned.
    Maintenance,
}

/// Something about watching happened.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchingMessage {
    /// The pasts that were asked for.
    PastsRead(Vec<(Name, History)>),
    /// How every connection stood after its last result, also in an earlier run.
    StandingsRead(Vec<(Name, Standing)>),
    /// The share of probes within 24 hours that found each connection working.
    SharesRead(Vec<(Name, f64)>),
    /// What is drawn of a connection.
    PlotRead(Name, Box<Plot>),
    /// The history of these connections could not be read; one sentence.
    PastsFailed(Vec<Name>, String),
    /// Something else of the history could not be read; one sentence.
    HistoryFailed(String),
    /// A change of state is to be announced.
    Changed(BoardEvent),
    /// This machine seems to be offline, or no longer.
    Offline(bool),
    /// The user's command failed, or the history is not written; one inert sentence.
    Trouble(String),
    /// These were written as they are now, for the sake of this.
    ConnectionsSet(Vec<Connection>, Planning),
    /// It was not; one sentence.
    SetFailed(String),
    /// Another machine was asked.
    SecondOpinionGiven(Box<SecondOpinion>),
}

/// Something about watching to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchingEffect {
    /// Switch scheduled probing on or off.
    Switch(bool),
    /// Read the pasts of the rows in sight.
    ReadPasts(Vec<Name>),
    /// Read how every connection stood.
    ReadStandings,
    /// Read the share of every connection, for the order by availability.
    ReadShares,
    /// Read what is drawn of a connection.
    ReadPlot(Name, PlotSpan),
    /// Watch the connections as they are configured now.
    Replan,
    /// Leave a connection out of scheduled probing, or take it in again.
    SetPaused(Name, bool),
    /// Write the maintenance windows of a connection.
    SetMaintenance(Name, Vec<Window>),
    /// Leave several out of scheduled probing, or take them in again.
    SetAllPaused(Vec<Name>, bool),
    /// Write maintenance windows of several: beside those that each has, or in their place.
    SetAllMaintenance(Vec<Name>, Vec<Window>, bool),
    /// Ask for a connection from another machine too, after what the screen shows of it.
    AskFrom(Name, SshHost),
}

/// What the settings say of watching.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WatchingSettings {
    /// Ring the bell at changes.
    pub bell: bool,
    /// Raise the terminal's notification at changes.
    pub notify: bool,
    /// When all connections may fail as planned.
    pub maintenance: Vec<Window>,
    /// Seconds between two probes of a connection that names no interval.
    pub interval_s: u32,
    /// What is run at changes. Nothing of it is shown here: the watch is to be told where it is another one.
    pub on_change: Vec<String>,
}

impl BoardEvent {
    /// An event of a connection; `title` is its verdict's, in the words of its service.
    pub fn change(
        name: Name,
        from: Option<State>,
        to: State,
        (at, reason): (Timestamp, Reason),
        title: &str,
    ) -> Self {
        Self {
            at,
            what: events::EventKind::Change {
                name,
                from,
                to,
                reason,
                title: title.to_owned(),
            },
        }
    }
}
