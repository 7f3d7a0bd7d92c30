//! The room as a whole: scripted answers go up the ladder, and requests and verdict are compared.
#![expect(
    clippy::too_many_lines,
    reason = "a table of rows is read as a table, however long"
)]

mod blesta;
mod bridge;
mod connect;
mod harness;
mod http;
mod mangled;
mod narrowed;
mod pages;
mod passed_on;
mod triggers;
mod way;
