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

pub mod client;
pub mod group;
mod lenient;
pub mod problem;
pub mod query;
pub mod rql;
pub mod token;
pub mod usage;
pub mod way;

pub use client::{NewToken, TokenClient, TokenEdit};
pub use group::Group;
pub use problem::{Refusal, TokenProblem};
pub use query::{Order, Page, TokenQuery};
pub use rql::{Rql, Term};
pub use token::{Expiry, Extension, Module, Moment, Permission, Person, Status, Token};
pub use usage::{Day, Summary, Usage};
pub use way::{Proxies, Way};
