//! The history: results of watching in `history.sqlite`, thinned by age, for every reader of that file.
//!
//! | rows | kept | table |
//! |---|---|---|
//! | single results | 48 hours | `fresh` as they come, `sample` sorted by connection |
//! | 5 minutes as one | 30 days | `bucket`, span 300 |
//! | an hour as one | a year | `bucket`, span 3600 |
//! | changes of reason | a year | `change` |
//!
//! One writer, many readers: readers see what was committed when they began, and never wait for the writer
//! (SQLite's write-ahead log). The views `run`, `event` and `summary` are for people with `sqlite3`; the
//! tables carry their documentation in the schema. Only reasons, status codes and times are kept: nothing
//! that a server said, and no secret.
//!
//! New results go to the end of `fresh`, all connections together, so that a batch of them writes a page or
//! two; [`StateDb::thin`] sorts them in every few minutes. Otherwise 5,000 connections would write a page each.

mod export;
pub mod past;
mod read;
mod record;
mod thin;

pub use export::{ExportFormat, ExportTable};
pub(in crate::store) use record::LATE_MS;

pub use crate::domain::history::{
    Availability, Bucket, Count, Event, History, Latency, RunRecord, Span, Standing,
};

#[cfg(doc)]
use super::StateDb;

#[cfg(test)]
mod tests;
