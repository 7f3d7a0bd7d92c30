//! Whatever is pressed, nothing breaks.

use proptest::prelude::*;

use super::scene::{Scene, fine_until, named, shop, verdict};
use crate::app::Message;
use crate::app::effect::{ClipboardEffect, Effect, ProbeEffect, StoreEffect, Target, VaultEffect};
use crate::app::message::{ProbeMessage, StoreMessage, VaultMessage};
use crate::app::model::{FieldText, Pane};
use crate::app::tokens::exchange::RowPage;
use crate::app::tokens::{
    ChangeAnswer, TokenRow, TokenSheet, TokensAnswer, TokensChange, TokensEffect, TokensMessage,
    TokensQuery, TokensRenewal, Trouble, TroubleKind,
};
use crate::domain::token::Token;
use crate::domain::{
    Cause, CheckId, Handle, HandleSlot, PassphrasePurpose, Reason, Secret, SecretRef,
};

#[derive(Debug, Clone)]
enum Act {
    Key(&'static str),
    Paste(String),
    Wait(i64),
    Size(u16, u16),
    Click(Pane, u16),
    Watched(usize, Reason),
    /// Answers the last thing asked for, well or not.
    Answer(bool),
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
    "esc",
    "backspace",
    "delete",
    "space",
    "ctrl-s",
    "ctrl-o",
    "ctrl-z",
    "ctrl-u",
    "ctrl-w",
    "ctrl-k",
    "ctrl-y",
    "ctrl-c",
    "n",
    "e",
    "c",
    "d",
    "r",
    "b",
    "R",
    "v",
    "y",
    "Y",
    "a",
    "m",
    "u",
    "z",
    "s",
    "/",
    "p",
    "w",
    "w",
    "T",
    "F",
    "H",
    "M",
    "P",
    "L",
    "W",
    ":",
    "?",
    "q",
    "x",
    "l",
    "t",
    "f",
    "N",
    "O",
    "E",
    "pgdn",
    "space",
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
    "alt-q",
];

fn act() -> impl Strategy<Value = Act> {
    let pastes = prop_oneof![
        Just("https://joe:pw@b.example.com/admin\n".to_owned()),
        Just(" 0123456789abcdef0123456789abcdef\n".to_owned()),
        Just("ApiKey SU-160-984-311:f45bee7e".to_owned()),
        ".{0,40}",
    ];
    let pane = prop_oneof![
        Just(Pane::List),
        Just(Pane::Form),
        Just(Pane::Response),
        Just(Pane::Tokens)
    ];
    let reason = prop_oneof![
        Just(Reason::Connected),
        Just(Reason::CredentialsRejected),
        Just(Reason::DnsNotFound)
    ];
    prop_oneof![
        12 => (0..KEYS.len()).prop_map(|at| Act::Key(KEYS[at])),
        1 => pastes.prop_map(Act::Paste),
        2 => (0_i64..12_000).prop_map(Act::Wait),
        1 => (0_u16..200, 0_u16..60).prop_map(|(columns, rows)| Act::Size(columns, rows)),
        1 => (pane, 0_u16..40).prop_map(|(pane, row)| Act::Click(pane, row)),
        1 => (0_usize..6, reason).prop_map(|(at, reason)| Act::Watched(at, reason)),
        4 => any::<bool>().prop_map(Act::Answer),
    ]
}

/// Keys that wander between URL and key, and ask for probes.
fn wandering() -> impl Strategy<Value = Act> {
    const WANDER: &[&str] = &[
        "up",
        "up",
        "down",
        "tab",
        "shift-tab",
        "enter",
        "esc",
        "e",
        "x",
        "backspace",
        "ctrl-u",
        "alt-r",
        "alt-u",
        "alt-b",
        "ctrl-z",
        "ctrl-s",
        "n",
    ];
    prop_oneof![
        8 => (0..WANDER.len()).prop_map(|at| Act::Key(WANDER[at])),
        1 => Just(Act::Paste("https://joe@b.example.com/admin\n".to_owned())),
        1 => Just(Act::Paste("https://c.example.com".to_owned())),
        3 => (0_i64..900).prop_map(Act::Wait),
    ]
}

fn answer(scene: &mut Scene, well: bool) {
    let Some(effect) = scene.effects().pop() else {
        return;
    };
    let message = match effect {
        Effect::Probe(ProbeEffect::Start {
            target, generation, ..
        }) if well => Message::Probe(ProbeMessage::Finished {
            target,
            generation,
            verdict: Box::new(verdict(Reason::Connected)),
        }),
        Effect::Probe(ProbeEffect::Start { generation, .. }) => {
            Message::Probe(ProbeMessage::Progressed {
                target: Target::Draft,
                generation,
                checks: Box::new(fine_until(CheckId::Tls)),
            })
        }
        Effect::Store(StoreEffect::LoadSecrets(name)) if well => {
            Message::Store(StoreMessage::SecretsLoaded {
                name,
                key: Ok(Some(Secret::new("stored"))),
                key_origin: None,
                token: Err(Cause::new("locked")),
            })
        }
        Effect::Store(StoreEffect::Save { draft, .. }) if well => {
            Message::Store(StoreMessage::Saved(Box::new(draft.connection), 0))
        }
        Effect::Store(StoreEffect::Save { .. } | StoreEffect::LoadSecrets(_)) => {
            Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Create))
        }
        Effect::Store(StoreEffect::AddToken { .. }) => {
            Message::Store(StoreMessage::StoreNeeded(Vec::new()))
        }
        Effect::Store(StoreEffect::Remove(name)) => Message::Store(StoreMessage::Removed(name, 0)),
        Effect::Vault(VaultEffect::Unlock { .. }) if well => Message::Vault(VaultMessage::Unlocked),
        Effect::Vault(VaultEffect::Unlock { .. }) => {
            Message::Vault(VaultMessage::UnlockFailed("no".to_owned()))
        }
        Effect::Vault(VaultEffect::Lock) => Message::Vault(VaultMessage::Locked),
        Effect::Reveal(name, slot) => Message::Revealed {
            name,
            slot,
            result: Ok(Handle::plain(Secret::new("h"))),
        },
        Effect::Clipboard(ClipboardEffect::CopyHandle { .. }) => {
            Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open))
        }
        Effect::Probe(ProbeEffect::Resume(name)) => Message::Probe(ProbeMessage::Resumed(name)),
        Effect::Tokens(effect) => tokens_answer(effect, well),
        _ => Message::Woke,
    };
    scene.send(message);
}

fn tokens_answer(effect: TokensEffect, well: bool) -> Message {
    let row = || {
        TokenRow::of(Token {
            id: Some("SU-1".to_owned()),
            name: Some("a".to_owned()),
            secret: Some(Secret::new("s3cret")),
            ..Token::default()
        })
    };
    let trouble = || Trouble {
        text: "no".to_owned(),
        kind: TroubleKind::Missing,
    };
    Message::Tokens(match effect {
        effect @ TokensEffect::Query {
            query: TokensQuery::Page { offset: 0, .. },
            ..
        } if !well => TokensMessage::PassphraseNeeded(PassphrasePurpose::Open, Box::new(effect)),
        TokensEffect::Query {
            generation, query, ..
        } => TokensMessage::Answered {
            generation,
            answer: match query {
                TokensQuery::Page { offset, .. } => TokensAnswer::Page {
                    offset,
                    page: Ok(RowPage {
                        rows: vec![row(), TokenRow::of(Token::default()), row()],
                        total: Some(300),
                        own_id: "SU-1".to_owned(),
                    }),
                },
                TokensQuery::Token { .. } if well => TokensAnswer::Token(Ok(Box::new(row()))),
                TokensQuery::Token { .. } => TokensAnswer::Token(Err(trouble())),
                TokensQuery::Modules => TokensAnswer::Modules(Ok(Vec::new())),
                TokensQuery::Extensions => TokensAnswer::Extensions(Err(trouble())),
                _ => return nothing_unfinished(),
            },
        },
        TokensEffect::Reveal { name, id } => TokensMessage::Revealed {
            name,
            id,
            result: Ok(Handle::plain(Secret::new("s3cret"))),
        },
        TokensEffect::Change {
            generation,
            change: TokensChange::Switch { .. },
            ..
        } => TokensMessage::ChangeAnswered {
            generation,
            answer: ChangeAnswer::Switched(if well { Ok(None) } else { Err(trouble()) }),
        },
        TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Start { .. },
        } => TokensMessage::Renewed {
            generation,
            result: Err(trouble()),
        },
        _ => return nothing_unfinished(),
    })
}

fn nothing_unfinished() -> Message {
    Message::Tokens(TokensMessage::UnfinishedFound(Ok(Vec::new())))
}

fn play(scene: &mut Scene, act: Act) {
    match act {
        Act::Key(key) => {
            scene.keys(key);
        }
        Act::Paste(text) => {
            scene.pastes(&text);
        }
        Act::Wait(milliseconds) => {
            scene.wait(milliseconds);
        }
        Act::Size(columns, rows) => {
            scene.send(Message::Resized(columns, rows));
        }
        Act::Click(pane, row) => {
            scene.send(Message::Clicked(pane, row));
        }
        Act::Watched(at, reason) => {
            scene.watched(["a", "b", "c", "d", "e", "gone"][at], reason);
        }
        Act::Answer(well) => answer(scene, well),
    }
}

fn check(scene: &Scene) {
    let model = &scene.model;
    match &model.list.selected {
        Some(name) => {
            let row = model.list.row();
            let row = row.unwrap_or_else(|| panic!("{name} is selected and not in the list"));
            let shown = model.list.offset..model.list.offset + model.list_rows();
            assert!(shown.contains(&row), "{row} in {shown:?}");
        }
        None => assert!(model.list.visible.is_empty()),
    }
    if let Some(form) = &model.form {
        assert!(form.cursor < form.shown_fields());
        for field in &form.fields {
            match &field.text {
                FieldText::Plain(input) => {
                    assert!(input.cursor() <= input.value().chars().count());
                    assert!(!input.value().chars().any(char::is_control));
                }
                FieldText::Secret(secret) => {
                    assert_eq!(secret.mirror.value().chars().count(), secret.value.length());
                    assert!(secret.cursor() <= secret.value.length());
                }
            }
        }
    }
    assert!(!model.war_room || model.revealed.is_none());
    let details = matches!(model.tokens.sheet(), Some(TokenSheet::Details(_)));
    let typed = model.tokens.sheet().is_some_and(TokenSheet::takes_text);
    assert!(
        !model.war_room || !typed || details,
        "what is typed would show"
    );
    assert!(!format!("{:?}", model.tokens).contains("s3cret"));
    crate::app::hints::footer(model);
    crate::app::hints::help(model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_in_any_order(acts in prop::collection::vec(act(), 1..120)) {
        let mut rich = shop("a");
        rich.token = Some(SecretRef::Ask);
        rich.added = vec![("one".to_owned(), SecretRef::Ask)];
        let mut account = shop("b");
        account.service = crate::domain::ServiceId::connect();
        let mut scene = Scene::with(vec![rich, account, shop("c"), shop("d"), shop("e")]);
        for act in acts {
            play(&mut scene, act);
            check(&scene);
        }
    }

    #[test]
    fn no_key_goes_where_it_was_not_entered_for(acts in prop::collection::vec(wandering(), 1..120)) {
        let mut scene = Scene::with(vec![shop("a"), shop("b")]);
        scene.keys("e").send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new("stored"))),
            key_origin: None,
            token: Ok(None),
        }));
        scene.effects();
        for act in acts {
            // Nobody ever says yes: there is no "y" among these keys.
            play(&mut scene, act);
            for probe in scene.probes() {
                let Some(draft) = &probe.draft else { continue };
                if draft.key == Some(Secret::new("stored")) {
                    let host = crate::domain::Endpoint::parse(&draft.connection.url).map(|e| e.host());
                    prop_assert!(matches!(host.as_deref(), Ok("a.example.com") | Err(_)), "{:?}", draft);
                }
            }
        }
    }
}

#[test]
fn debug_of_the_whole_model_holds_no_secret() {
    let mut scene = Scene::with(vec![shop("a")]);
    scene
        .keys("n tab tab")
        .types("hunter2")
        .keys("esc y a")
        .types("l")
        .keys("enter");
    scene.pastes("hunter2");
    scene.send(Message::Revealed {
        name: named("a"),
        slot: HandleSlot::Key,
        result: Ok(Handle::plain(Secret::new("hunter2"))),
    });
    assert!(!format!("{:?}", scene.model).contains("hunter2"));
}
