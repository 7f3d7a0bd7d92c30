//! switchboard: a terminal connection manager for APIs.
//!
//! It keeps named connections, tests them live while they are typed, watches them all, and says who
//! answered, why, and what to do about it.
//!
//! # Rooms
//!
//! Each floor names only what stands below it; rooms on one floor never name each other
//! (`tests/layers.rs` holds this).
//!
//! | floor | rooms |
//! |---|---|
//! | 6 | `cli`: parses, prints, calls the roots below |
//! | 5 | `tui` the screen's loop, `serve` the exporter, `sim` the rehearsal services |
//! | 4 | `ui`: draws the model |
//! | 3 | `work` the use cases, `app` the model and its update; neither names the other |
//! | 2 | `config`, `store`, `probe`, `tokens`, `clipboard`: the outside world, a room each |
//! | 1 | `service`: what to ask and what an answer means, pure |
//! | 0 | `domain`: the vocabulary, pure |

pub mod app;
pub mod cli;
pub mod clipboard;
pub mod config;
pub mod domain;
pub mod probe;
pub mod serve;
pub mod service;
pub mod sim;
pub mod store;
pub mod tokens;
pub mod tui;
pub mod ui;
pub mod work;
