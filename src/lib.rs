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
//! | 7 | `cli`: parses, prints, calls the roots below |
//! | 6 | `tui` the screen's loop, `serve` the exporter, `sim` the rehearsal services |
//! | 5 | `ui`: draws the model |
//! | 4 | `work` the use cases, `app` the model and its update; neither names the other |
//! | 3 | `config`, `store`, `probe`, `tokens`, `clipboard`: the outside world, a room each |
//! | 2 | `http`: clients and what their errors mean, built one way for `probe` and `tokens`, who alone name it; `jobs`: stops from outside, and the start of programs |
//! | 1 | `service`: what to ask and what an answer means, pure |
//! | 0 | `domain`: the vocabulary, pure |
//!
//! # How a key travels
//!
//! ```text
//! crossterm Event ─ tui::input ─▶ Message ─▶ Model::update ─▶ the model, and [ProbeEffect::Start { target, generation }]
//!    ▲                                                            │
//!  screen ◀─ ui::draw ◀─ Model ◀─ update ◀─ ProbeMessage::Finished { target, generation, verdict }
//!                                              ▲                  │
//!                                            queue ◀─── task ◀─ tui::effects
//! ```
//!
//! One loop, one queue. `update` decides what counts by generations; aborting a task only saves work. No frame
//! timer: while nothing moves, nothing wakes the program.
//!
//! # How a probe travels
//!
//! ```text
//! Connection + Secret ─ service::Ladder ─▶ Rung ─ probe::transport ─▶ Reply { phases, addresses, tls, status, … }
//!                           ▲                                              │
//!                           └────────── next rung ◀── service::judge ◀─────┘──▶ Verdict
//! ```
//!
//! `service` decides what to ask and what an answer means, and never waits; `probe` asks, and never judges; `work`
//! books each attempt with a key in the lock-out budget before it is sent. So every row of the diagnosis is a test
//! with a recorded reply and no socket.
//!
//! # Invariants
//!
//! | what holds | held by |
//! |---|---|
//! | rooms name only what stands below them | `tests/layers.rs: every_arrow_is_in_the_picture` |
//! | outside crates live in their rooms: `domain` knows no runtime, `service` no network | `tests/layers.rs: outside_crates_live_where_the_picture_says` |
//! | `domain`, `service`, `app` and `ui` never wait and read no clock: time arrives in messages | `tests/layers.rs: pure_rooms_never_wait_and_read_no_clock` |
//! | `ui` never changes the model | `tests/layers.rs: drawing_changes_nothing` |
//! | `store` alone touches files, `config` alone reads the environment, `cli::output` alone prints | `tests/layers.rs: the_world_is_touched_where_the_picture_says` |
//! | a secret is read in the open in seven places | `tests/layers.rs: secrets_are_read_in_seven_places_only` |
//! | a secret can't print or compare itself in the open | `src/domain/secret.rs: a_secret_does_not_print_itself` |
//! | nor does a whole model, with all that was typed | `src/app/tests/random.rs: debug_of_the_whole_model_holds_no_secret` |
//! | no secret goes to an origin that it was not entered for | `src/work/probing/tests.rs: a_key_is_not_sent_to_another_origin` |
//! | the lock-out budget: two rejections of a key, five of any; pure, loaded and booked by `work` | `src/probe/budget/tests.rs: two_rejections_of_a_key_pause_it` |
//! | what can't be booked is not sent | `src/work/probing/tests.rs: what_cannot_be_booked_is_not_sent` |
//! | a watcher causes no rejections | `src/work/probing/tests.rs: an_hour_of_watching_with_a_good_key_causes_no_rejection_after_the_first` |
//! | late answers change nothing | `src/app/tests/debounce.rs: a_newer_run_cancels_the_older_and_late_answers_are_dropped` |
//! | every task has an owner, and a panic in one ends the program with the terminal given back | `tests/pty.rs: a_panic_gives_the_terminal_back_and_ends_it` |
//! | what a server sends is inert before it reaches a cell, a line or a log | `src/domain/text.rs: escapes_and_line_ends_are_taken_out` |

pub mod app;
pub mod cli;
pub mod clipboard;
pub mod config;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod probe;
pub mod serve;
pub mod service;
pub mod sim;
pub mod store;
pub mod tokens;
pub mod tui;
pub mod ui;
pub mod work;
