//! The client of `CloudBlue` Connect's token API: lists, the whole life of a token, modules and usage.
//!
//! [`TokenClient`] asks as one key at one base URL. Answers are read tolerantly: every field may be missing
//! or null, and words that are not known are kept as they came. Errors are typed, name what was being done,
//! and carry the service's own sentences, made inert.
//!
//! ```text
//! TokenQuery (rql, order, offset) ─▶ TokenClient ─▶ reqwest ─▶ Page<Token> | TokenProblem
//!                                      └─ GET alone is tried again, after network errors and 5xx
//! ```

pub mod answer;
pub mod client;
mod echo;
mod group;
mod lenient;
pub mod problem;
pub mod query;
pub mod route;
pub mod rql;
mod token;
mod usage;

pub use answer::Answer;
pub use client::TokenClient;
pub use group::within_days;
pub use problem::{Refusal, SetupProblem, TokenProblem, Unreadable};
pub use query::{TokenQuery, total_of};
pub use route::Route;
pub use rql::{Rql, Term};

pub use crate::domain::token::{
    Day, Expiry, Extension, Group, Module, Moment, NewToken, Order, Page, Permission, Person,
    Status, Summary, Token, TokenEdit, Usage,
};
