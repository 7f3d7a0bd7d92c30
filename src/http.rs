//! HTTP clients, made one way for probes and for the token API, and what the errors of a client mean.
//!
//! [`client`] builds, [`tls`] says whom it trusts and what it shows, [`resolve`] looks names up, and [`failure`] turns
//! an error of the client into a [`crate::domain::Failure`], by types. Nothing here sends by itself.

pub mod client;
pub mod failure;
pub mod resolve;
pub mod tls;
