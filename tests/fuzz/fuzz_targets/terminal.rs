//! What a terminal sends: keys, pastes, clicks, and answers to whoever asked. However its bytes are cut into
//! pieces they make the same events; nothing of an answer becomes a key, and the screen takes every event.
//!
//! An input's first byte says where it is cut.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use switchboard::app::Model;
use switchboard::tui::input;
use switchboard::tui::keyboard::decode::{Decoder, TerminalInput};

fuzz_target!(|input: &[u8]| {
    let Some((cut, bytes)) = input.split_first() else {
        return;
    };
    let mut whole = Decoder::default();
    let mut events = whole.feed(bytes);
    let mut pieces = Decoder::default();
    let size = usize::from(*cut).max(1);
    let cut: Vec<TerminalInput> = bytes
        .chunks(size)
        .flat_map(|piece| pieces.feed(piece))
        .collect();
    assert_eq!(events, cut);
    assert_eq!(whole.patience(), pieces.patience());
    events.extend(whole.give_up());
    if whole.patience().is_some() {
        panic!("something is still waited for");
    }
    shown(events);
    answered(bytes);
});

/// Behind an answer that is whole, whatever it says, a key is that key.
fn answered(bytes: &[u8]) {
    let inside = bytes
        .iter()
        .copied()
        .filter(|byte| (0x20..0x7f).contains(byte));
    let mut answer = b"\x1b]11;".to_vec();
    answer.extend(inside.take(1_000));
    answer.extend(b"\x1b\\j");
    let mut decoder = Decoder::default();
    let events = decoder.feed(&answer);
    assert_eq!(events.len(), 1, "{events:?}");
}

fn shown(heard: Vec<TerminalInput>) {
    let now = Timestamp::UNIX_EPOCH;
    let mut model = Model::new((80, 24), now);
    for heard in heard {
        if let TerminalInput::Event(event) = heard
            && let Some(message) = input::message(&model, event)
        {
            model.update(now, message);
        }
    }
}
