//! Key sequences in, effects out: what `update` does, as short scenes.

mod copying;
mod debounce;
mod escape;
mod filling;
mod half_typed;
mod headers;
mod keys;
mod leaving;
mod listing;
mod loading;
mod origins;
mod pasting;
mod random;
mod saving;
mod scene;
mod sharing;
mod timing;
mod tokens;
mod watching;

pub(in crate::app) use scene::verdict;
