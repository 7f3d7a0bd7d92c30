//! The network: asks what `service` decides to ask, measures it, and never judges.
//!
//! [`transport`] sends one request by a [`profile`] and tells what came back; its hooks live in `layer`,
//! `resolve`, `tls` and `trace`, addresses are tried by `race`, errors become words in `classify`.
//! [`gate`] stands before every request that carries a key.

pub mod budget;
mod certificate;
mod classify;
pub mod gate;
mod layer;
pub mod offline;
pub mod profile;
mod race;
mod resolve;
pub mod schedule;
mod tls;
mod trace;
pub mod transport;

#[cfg(test)]
mod stub;

pub use gate::{Gate, Permit, Ticket};
pub use profile::{ClientIdentity, EnvironmentProxies, Profile, ProxyChoice, ProxyUrl};
pub use transport::{Commons, Transport, TransportProblem};
