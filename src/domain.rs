//! The vocabulary of the product, pure: no runtime, no file, no clock, no screen.
//!
//! Everything above speaks in these words. A word that two rooms need stands here; a word that one room
//! needs stands in that room.

pub mod budget;
pub mod check;
pub mod connection;
pub mod endpoint;
pub mod error;
pub mod handle;
pub mod history;
pub mod misfit;
mod paths;
pub mod plot;
pub mod proxy;
pub mod reason;
pub mod reply;
pub mod second;
pub mod secret;
pub mod shape;
pub mod span;
pub mod tags;
pub mod text;
pub mod token;
pub mod verdict;
pub mod window;

pub use budget::{BudgetRecord, HostPort, KeyFingerprint};
pub use check::{Check, CheckId, Checks};
pub use connection::{AddressFamily, AuthStyle, Connection, Name, SecretRef, ServiceId};
pub use endpoint::{Endpoint, Origin, UrlProblem};
pub use error::{Cause, error_chain};
pub use handle::{CopyForm, HandleSlot};
pub use misfit::Misfit;
pub use paths::is_cms_file;
pub use reason::{AnsweredBy, Reason, State, Who};
pub use reply::{
    Address, Certificate, Failure, Outcome, Phases, ProxyFailure, Repeated, Reply, Response,
    SocksRefusal, TlsFacts, TlsFailure,
};
pub use second::{Conclusion, SecondOpinion, SshHost};
pub use secret::{Handle, PassphrasePurpose, Secret};
pub use verdict::{Identity, Remedy, Verdict};
pub use window::{Window, WindowProblem};
