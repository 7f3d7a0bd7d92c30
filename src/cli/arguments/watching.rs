//! The words of watching and of what was watched.

use clap::{Args, ValueEnum};

/// Which rows of the history are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryRows {
    /// Single results, of 48 hours at the most
    Runs,
    /// Changes, and how long each lasted
    Events,
    /// 5 minutes (of 30 days) and hours (of a year) as one row each
    Summaries,
}

/// How the history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// With a line of names
    Csv,
    /// One array
    Json,
    /// One object a line
    Ndjson,
}

/// `switchboard history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// A saved connection; all without one
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Which rows
    #[arg(long, value_enum, default_value_t = HistoryRows::Events)]
    pub rows: HistoryRows,
    /// How far back, such as 24h or 30d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub since: String,
    /// How they are written
    #[arg(long, value_enum, default_value_t = HistoryFormat::Csv)]
    pub format: HistoryFormat,
}

/// How a watch tells what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WatchFormat {
    /// For people
    Human,
    /// Words alone, for screen readers and logs
    Plain,
    /// The verdict as one object a line, with the state before as `was`
    Ndjson,
}

/// `switchboard watch`.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Saved connections; all without one
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Saved connections with this tag
    #[arg(long, value_name = "T", conflicts_with = "names")]
    pub tag: Option<String>,
    /// Words alone, for screen readers and logs
    #[arg(long, conflicts_with = "format")]
    pub plain: bool,
    /// How changes are written
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<WatchFormat>,
    /// Between two probes of each, such as 90 (seconds) or 5m; else each one's own
    #[arg(long, value_name = "TIME")]
    pub interval: Option<String>,
    /// Ends by itself after this time, such as 90 (seconds) or 10m
    #[arg(long = "for", value_name = "TIME")]
    pub lasts: Option<String>,
}

impl WatchArguments {
    /// How changes are written.
    pub fn format(&self) -> WatchFormat {
        let plain = if self.plain {
            WatchFormat::Plain
        } else {
            WatchFormat::Human
        };
        self.format.unwrap_or(plain)
    }
}
