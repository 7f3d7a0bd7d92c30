//! The network: asks what `service` decides to ask, measures it, and never judges.

pub mod gate;

pub use gate::{Gate, Permit, Ticket};
