//! The network: asks what `service` decides to ask, measures it, and never judges.
//!
//! ```text
//! Prober::run ─▶ Ladder ─▶ Ask ─▶ gate::book ─▶ Transport::send ─▶ Reply ─▶ Ladder ─▶ gate::settle ─▶ …
//!                                                  │ profile: proxy, roots, identity
//!                                                  ├ pinned: one address for each attempt
//!                                                  ├ race: one connection that stands, of all addresses
//!                                                  ├ layer, tls, trace: stamps and certificates
//!                                                  └ http: names to addresses, errors to failures
//! ```
//!
//! [`budget`] and [`schedule`] are the rules of the lock-out and of the watch: pure, used by `work`.

pub mod budget;
pub mod certificate;
pub mod gate;
mod layer;
mod pinned;
pub mod prober;
pub mod profile;
mod race;
pub mod route;
pub mod schedule;
mod tls;
mod trace;
pub mod transport;
mod tunnel;
pub mod via;

#[cfg(test)]
mod stub;

pub use gate::{Gate, Permit, Ticket};
pub use prober::{LadderOutcome, Prober, ProberSettings};
pub use profile::{ClientIdentity, EnvironmentProxies, Profile, ProxyChoice};
pub use transport::{SharedResources, Transport, TransportProblem};
pub use via::Via;
