//! Everything at once, without sense: keys, pastes, clicks, sizes, leaps in time, answers late and unasked.

use proptest::prelude::*;
use switchboard::app::Message;
use switchboard::app::message::{ProbeMessage, VaultMessage};
use switchboard::app::model::Pane;
use switchboard::domain::{PassphrasePurpose, Reason};

use super::world::{World, named, store_needed, verdict};

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Key(&'static str),
    Secret,
    Paste(String),
    Wait(i64),
    Back(i64),
    Size(u16, u16),
    Click(u8, u16),
    Watched(u8, u8),
    Answer(bool, u8),
    Late(u8),
    Unasked(u8),
    Reload,
}

const KEYS: &[&str] = &[
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pgup",
    "pgdn",
    "tab",
    "shift-tab",
    "enter",
    "enter",
    "esc",
    "esc",
    "backspace",
    "delete",
    "space",
    "ctrl-s",
    "ctrl-s",
    "ctrl-o",
    "ctrl-z",
    "ctrl-u",
    "ctrl-w",
    "ctrl-k",
    "ctrl-y",
    "n",
    "n",
    "e",
    "e",
    "c",
    "d",
    "r",
    "b",
    "R",
    "v",
    "v",
    "y",
    "y",
    "Y",
    "a",
    "m",
    "u",
    "z",
    "s",
    "/",
    "p",
    "L",
    "W",
    ":",
    "?",
    "x",
    "é",
    "漢",
    "alt-n",
    "alt-e",
    "alt-c",
    "alt-d",
    "alt-r",
    "alt-b",
    "alt-v",
    "alt-y",
    "alt-u",
    "alt-L",
    "alt-W",
    "alt-:",
    "alt-/",
    "alt-z",
];

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let pastes = prop_oneof![
        Just("https://joe:pw@b.example.com/admin\n".to_owned()),
        Just(" 0123456789abcdef0123456789abcdef\n".to_owned()),
        Just("ApiKey SU-160-984-311:f45bee7e".to_owned()),
        Just("\u{1b}[31mred\u{7}\u{202e}x".to_owned()),
        ".{0,40}",
    ];
    prop_oneof![
        24 => (0..KEYS.len()).prop_map(|at| Act::Key(KEYS[at])),
        2 => Just(Act::Secret),
        1 => pastes.prop_map(Act::Paste),
        4 => (0_i64..12_000).prop_map(Act::Wait),
        1 => (0_i64..40).prop_map(|minutes| Act::Wait(minutes * 60_000)),
        1 => (0_i64..100_000).prop_map(Act::Back),
        1 => (0_u16..160, 0_u16..50).prop_map(|(columns, rows)| Act::Size(columns, rows)),
        1 => (any::<u8>(), 0_u16..40).prop_map(|(pane, row)| Act::Click(pane, row)),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(at, reason)| Act::Watched(at, reason)),
        8 => (any::<bool>(), any::<u8>()).prop_map(|(well, which)| Act::Answer(well, which)),
        2 => any::<u8>().prop_map(Act::Late),
        1 => any::<u8>().prop_map(Act::Unasked),
        1 => Just(Act::Reload),
    ]
}

fn reason(which: u8) -> Reason {
    Reason::ALL[usize::from(which) % Reason::ALL.len()]
}

pub(crate) fn plays(world: &mut World, act: &Act) {
    match act {
        Act::Key(key) => world.keys(key),
        Act::Secret => secret(world),
        Act::Paste(text) => world.pastes(text),
        Act::Wait(milliseconds) => world.wait(*milliseconds),
        Act::Back(seconds) => back(world, *seconds),
        Act::Size(columns, rows) => world.send(Message::Resized(*columns, *rows)),
        Act::Click(pane, row) => {
            let pane = Pane::ALL[usize::from(*pane) % Pane::ALL.len()];
            world.send(Message::Clicked(pane, *row));
        }
        Act::Watched(at, which) => {
            let name = named(&format!("shop-{}", at % 6));
            world.send(Message::Probe(ProbeMessage::WatchStarted(name.clone())));
            world.send(Message::Probe(ProbeMessage::Watched(Box::new(verdict(
                Some(name),
                reason(*which),
            )))));
        }
        Act::Answer(well, which) => world.answer(*well, *which),
        Act::Late(which) => world.probe_answers(true, reason(*which)),
        Act::Unasked(which) => unasked(world, *which),
        Act::Reload => world.reload(),
    }
}

/// A secret is typed, but only where one belongs.
fn secret(world: &mut World) {
    if world.model.takes_secret() {
        let secret = format!("TYPED{:03}secret", world.secrets.len());
        world.secrets.push(secret.clone());
        world.types(&secret);
    }
}

/// The clock is set back; what was in the open may be so for as long as before.
fn back(world: &mut World, seconds: i64) {
    let back = jiff::SignedDuration::from_secs(seconds);
    world.now -= back;
    world.open_until = world.open_until.map(|until| until - back);
    world.send(Message::Woke);
}

/// Answers to what nobody asked.
fn unasked(world: &mut World, which: u8) {
    let name = named(&format!("shop-{}", which % 6));
    world.send(match which / 32 {
        0 => Message::Vault(VaultMessage::Unlocked),
        1 => store_needed(),
        2 => Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open)),
        3 => Message::Vault(VaultMessage::Locked),
        4 => Message::Probe(ProbeMessage::Resumed(name)),
        5 => Message::Probe(ProbeMessage::DraftResumed),
        6 => Message::Vault(VaultMessage::UnlockFailed("no".to_owned())),
        _ => Message::Vault(VaultMessage::LockRequested),
    });
}
