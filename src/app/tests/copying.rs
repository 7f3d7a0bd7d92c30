//! Handles: shown, copied, locked away, and the war-room.

use super::scene::{KEY, Scene, named, shop, shops, verdict};
use crate::app::Message;
use crate::app::effect::{
    ClipboardEffect, Effect, ScreenEnd, StoreEffect, TerminalEffect, VaultEffect,
};
use crate::app::message::{
    ClipboardMessage, Copied, Loaded, ProbeMessage, StoreMessage, VaultMessage,
};
use crate::app::model::{Overlay, Question};
use crate::app::watching::WatchingEffect;
use crate::domain::{
    CopyForm, Handle, HandleSlot, Identity, PassphrasePurpose, Reason, Secret, SecretRef,
};

fn added(label: &str) -> HandleSlot {
    HandleSlot::Added(label.to_owned())
}

fn revealed(slot: HandleSlot) -> Message {
    Message::Revealed {
        name: named("a"),
        slot,
        result: Ok(Handle::plain(Secret::new(KEY))),
    }
}

fn copied(clears_in_s: Option<u32>) -> Message {
    Message::Clipboard(ClipboardMessage::Copied(Copied {
        words: "copied → your terminal (OSC 52)".to_owned(),
        placed: true,
        clears_in_s,
    }))
}

#[test]
fn a_handle_is_shown_for_ten_seconds() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("v");
    assert_eq!(
        scene.effects(),
        [Effect::Reveal(named("a"), HandleSlot::Key)]
    );
    scene.send(revealed(HandleSlot::Key));
    assert!(scene.model.revealed.is_some());
    scene.wait(9_999);
    assert!(scene.model.revealed.is_some());
    scene.wait(1);
    assert!(scene.model.revealed.is_none());
}

#[test]
fn it_is_hidden_by_asking_again_by_moving_and_by_locking() {
    for keys in ["v", "down", "L", "W", "esc", "ctrl-z"] {
        let mut scene = Scene::with(shops(&["a", "b"]));
        scene.keys("v").send(revealed(HandleSlot::Key)).keys(keys);
        assert!(scene.model.revealed.is_none(), "{keys}");
    }
}

#[test]
fn a_frame_may_hold_a_secret_where_one_is_in_the_open_or_letters_type() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("j tab tab");
    assert!(!scene.model.may_show_secret());
    scene.keys("v").send(revealed(HandleSlot::Key));
    assert!(scene.model.may_show_secret());
    for keys in ["n", "e", "/ x", ":"] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys(keys);
        assert!(scene.model.may_show_secret(), "{keys}");
    }
}

#[test]
fn what_is_in_the_open_is_copied_where_no_key_is_held() {
    let mut bare = shop("a");
    bare.key = None;
    let mut scene = Scene::with(vec![bare]);
    scene.keys("y");
    assert!(scene.notice().contains("no handle"), "{}", scene.notice());
    scene.keys("Y down enter Y down down enter");
    let copy = |form| {
        Effect::Clipboard(ClipboardEffect::CopyHandle {
            name: named("a"),
            slot: HandleSlot::Key,
            form,
        })
    };
    let expected = [copy(CopyForm::Username), copy(CopyForm::Url)];
    assert_eq!(scene.effects(), expected);
    let mut empty = Scene::empty();
    empty.keys("Y");
    assert!(empty.notice().contains("no handle"), "{}", empty.notice());
}

#[test]
fn a_handle_that_comes_late_is_not_shown() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("v down").send(revealed(HandleSlot::Key));
    assert!(scene.model.revealed.is_none());
    scene.send(revealed(HandleSlot::Key));
    assert!(scene.model.revealed.is_none(), "nobody asked for it");
}

#[test]
fn a_handle_that_nobody_waits_for_any_more_is_not_shown_then_or_later() {
    // Never asked for; locked, or hidden from those who look over one's shoulder, since.
    for keys in ["", "v L", "v W"] {
        let mut scene = Scene::with(shops(&["a"]));
        if !keys.is_empty() {
            scene.keys(keys);
        }
        scene.send(revealed(HandleSlot::Key));
        assert!(scene.model.revealed.is_none(), "{keys}");
        scene.keys("W W");
        assert!(scene.model.revealed.is_none(), "{keys}");
    }
}

#[test]
fn in_the_tokens_pane_the_selected_row_is_meant() {
    let mut rich = shop("a");
    rich.token = Some(SecretRef::Vault("a/token".to_owned()));
    rich.added = vec![("one".to_owned(), SecretRef::Ask)];
    let mut scene = Scene::with(vec![rich]);
    scene.keys("shift-tab down y down down y");
    let copy = |slot| {
        Effect::Clipboard(ClipboardEffect::CopyHandle {
            name: named("a"),
            slot,
            form: CopyForm::Handle,
        })
    };
    assert_eq!(
        scene.effects(),
        [copy(HandleSlot::Token), copy(added("one"))]
    );
}

#[test]
fn while_a_new_connection_is_entered_no_other_key_is_copied() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("n alt-y alt-Y");
    assert_eq!(scene.effects(), []);
    assert!(scene.model.overlay.is_none());
}

#[test]
fn copy_as_has_a_menu() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("Y down down enter");
    let [Effect::Clipboard(ClipboardEffect::CopyHandle { form, .. })] = &scene.effects()[..] else {
        panic!()
    };
    assert_eq!(*form, CopyForm::Curl);
    scene.keys("Y esc");
    assert_eq!(scene.effects(), []);
}

#[test]
fn the_countdown_is_shown_each_second_and_then_the_clipboard_is_cleared() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y").send(copied(Some(3)));
    scene.effects();
    assert_eq!(scene.wait(2_999), 2, "once a second");
    assert!(scene.model.copied.is_some());
    scene.wait(1);
    assert!(scene.model.copied.is_none());
    assert_eq!(scene.effects(), [Effect::Clipboard(ClipboardEffect::Clear)]);
    scene.send(Message::Clipboard(ClipboardMessage::Cleared(
        "clipboard cleared".to_owned(),
    )));
    assert_eq!(scene.notice(), "clipboard cleared");
}

#[test]
fn a_copy_that_is_never_cleared_shows_no_countdown() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y").send(copied(None));
    assert!(scene.model.copied.is_none());
    assert_eq!(scene.notice(), "copied → your terminal (OSC 52)");
    assert!(scene.notice().contains("OSC 52"));
    scene.send(Message::Clipboard(ClipboardMessage::Copied(Copied {
        words: "no clipboard here".to_owned(),
        placed: false,
        clears_in_s: None,
    })));
    assert!(scene.model.notice.as_ref().unwrap().error);
}

/// What the terminal answers changes the words of the copy that is spoken of, and nothing else.
#[test]
fn what_a_terminal_announces_is_said_of_the_copy_before() {
    let sent = |words: &str, clears_in_s| {
        Message::Clipboard(ClipboardMessage::Copied(Copied {
            words: words.to_owned(),
            placed: true,
            clears_in_s,
        }))
    };
    let announced = || {
        Message::Clipboard(ClipboardMessage::Announced {
            less: "sent",
            more: "copied → there",
        })
    };
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("y")
        .send(sent("sent (cat failed)", Some(20)))
        .effects();
    scene.wait(5_000);
    let before = scene.model.copied.clone().unwrap();
    scene.send(announced());
    let after = scene.model.copied.clone().unwrap();
    assert_eq!(after.words, "copied → there (cat failed)");
    assert_eq!(after.clears_at, before.clears_at, "its time goes on");
    scene.send(sent("sent", None)).send(announced());
    assert_eq!(scene.notice(), "copied → there");
    for words in ["copied → tmux", "not sent"] {
        scene.send(sent(words, None)).send(announced());
        assert_eq!(scene.notice(), words);
    }
}

#[test]
fn what_no_clipboard_took_is_shown_to_be_selected_by_hand() {
    let by_hand = || {
        Message::Clipboard(ClipboardMessage::Copied(Copied {
            words: "not copied: no clipboard within reach; select it by hand".to_owned(),
            placed: false,
            clears_in_s: None,
        }))
    };
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y").effects();
    scene.send(by_hand());
    assert_eq!(
        scene.effects(),
        [Effect::Reveal(named("a"), HandleSlot::Key)]
    );
    assert_eq!(
        scene.notice(),
        "not copied: no clipboard within reach; select it by hand"
    );
    // Nobody is shown what was not meant to be seen.
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("Y down down enter").effects();
    scene.send(by_hand());
    assert_eq!(scene.effects(), []);
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y W").effects();
    scene.send(by_hand());
    assert_eq!(scene.effects(), []);
}

/// Another copy, or idle time, has locked the store.
#[test]
fn where_the_store_is_found_locked_nothing_stays_or_comes_into_the_open() {
    let found = || Message::Vault(VaultMessage::Locked);
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y").send(found()).effects();
    scene.send(Message::Clipboard(ClipboardMessage::Copied(Copied {
        words: "not copied: no clipboard within reach; select it by hand".to_owned(),
        placed: false,
        clears_in_s: None,
    })));
    assert_eq!(scene.effects(), []);
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").keys("tab tab");
    scene.types("k").keys("alt-v");
    assert!(scene.form().shown.is_some());
    scene.send(found());
    assert!(scene.form().shown.is_none());
}

#[test]
fn a_copy_that_stays_ends_the_countdown_of_the_one_before() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y").send(copied(Some(20)));
    scene.send(copied(None));
    assert!(scene.model.copied.is_none());
}

#[test]
fn quitting_and_locking_clear_the_clipboard_at_once() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("y").send(copied(Some(20)));
    scene.effects();
    scene.keys("q");
    assert_eq!(
        scene.effects(),
        [
            Effect::Clipboard(ClipboardEffect::Clear),
            Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit))
        ]
    );
    scene.send(copied(Some(20)));
    scene.keys("L");
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    assert!(scene.model.copied.is_none());
}

#[test]
fn whoever_quits_leaves_no_handle_on_the_screen() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("v").send(revealed(HandleSlot::Key)).keys("q");
    assert!(scene.model.revealed.is_none());
}

/// Neither does the clipboard hold a secret, nor stays the store open, for as long as that was.
#[test]
fn a_clock_that_was_set_back_prolongs_neither_a_copy_nor_idle_time() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.model.lock_after_min = 15;
    scene.keys("y").send(copied(Some(20))).effects();
    scene.now -= jiff::SignedDuration::from_hours(1);
    scene.send(Message::Woke).wait(20_000);
    assert_eq!(scene.effects(), [Effect::Clipboard(ClipboardEffect::Clear)]);
    scene.now -= jiff::SignedDuration::from_hours(1);
    scene.send(Message::Woke).wait(15 * 60_000);
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
}

#[test]
fn what_lies_over_the_panes_keeps_nobody_from_locking() {
    for keys in [
        "Y L",
        "Y alt-L",
        "? L",
        "V L",
        "E L",
        ": alt-L",
        "d L",
        "d alt-L",
        "a alt-L",
        "a x alt-L",
    ] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys("y").send(copied(Some(20))).effects();
        scene.keys(keys);
        let effects = scene.effects();
        let lock = Effect::Vault(VaultEffect::Lock);
        assert_eq!(effects.last(), Some(&lock), "{keys}: {effects:?}");
        assert!(scene.model.copied.is_none(), "{keys}");
        assert!(scene.model.overlay.is_none(), "{keys}");
    }
    for keys in [": L", "a L", "a tab L"] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys(keys);
        assert_eq!(scene.effects(), [], "{keys}");
        assert!(scene.model.overlay.is_some(), "{keys}");
    }
}

#[test]
fn a_dialog_for_the_passphrase_locks_what_is_open_beside_the_vault() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("v")
        .send(revealed(HandleSlot::Key))
        .keys("y")
        .send(Message::Vault(VaultMessage::PassphraseNeeded(
            PassphrasePurpose::Open,
        )))
        .send(copied(Some(20)))
        .effects();
    scene.types("L");
    assert_eq!(scene.effects(), [], "it may be a part of the passphrase");
    scene.keys("alt-L");
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    assert!(scene.model.overlay.is_none() && scene.model.revealed.is_none());
    assert!(scene.model.copied.is_none() && scene.model.waiting.is_none());
}

#[test]
fn a_typed_token_is_asked_about_before_the_lock_takes_it() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("v").send(revealed(HandleSlot::Key));
    scene.keys("a x tab y alt-L");
    assert_eq!(scene.question(), Some(&Question::LockLosesSecrets));
    assert!(scene.model.revealed.is_none());
    scene.keys("L n").effects();
    assert!(matches!(scene.model.overlay, Some(Overlay::AddToken(_))));
    // From the question that Esc asks, too.
    scene.keys("esc L");
    assert_eq!(scene.question(), Some(&Question::LockLosesSecrets));
    scene.keys("y");
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    assert!(scene.model.overlay.is_none() && scene.model.adding.is_none());
    assert!(
        scene.notice().contains("are forgotten"),
        "{}",
        scene.notice()
    );
}

#[test]
fn what_needs_the_vault_goes_on_once_it_is_open() {
    for (key, effect) in [
        ("v", Effect::Reveal(named("a"), HandleSlot::Key)),
        (
            "y",
            Effect::Clipboard(ClipboardEffect::CopyHandle {
                name: named("a"),
                slot: HandleSlot::Key,
                form: CopyForm::Handle,
            }),
        ),
        ("e", Effect::Store(StoreEffect::LoadSecrets(named("a")))),
    ] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys(key).effects();
        scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
            PassphrasePurpose::Open,
        )));
        scene.types("open").keys("enter").effects();
        scene.send(Message::Vault(VaultMessage::Unlocked));
        assert_eq!(scene.effects(), [effect], "{key}");
    }
}

#[test]
fn what_was_probed_without_its_key_is_probed_again_once_the_vault_is_open() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.watched("a", Reason::SecretUnavailable).effects();
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(
        scene.effects(),
        [Effect::Watching(WatchingEffect::Switch(true))]
    );
    let mut elsewhere = shops(&["a"]);
    elsewhere[0].key = Some(SecretRef::Env("KEY".to_owned()));
    let mut scene = Scene::with(elsewhere);
    scene.watched("a", Reason::SecretUnavailable).effects();
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(scene.effects(), [], "its key is in no vault");
}

#[test]
fn a_copy_that_failed_is_not_made_up_for_later() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("y")
        .send(Message::Noticed("the keyring is away".to_owned()));
    scene.keys("L").send(Message::Vault(VaultMessage::Locked));
    scene.keys("L").types("p").keys("enter").effects();
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(scene.effects(), []);
}

#[test]
fn locking_forgets_and_asks_before_it_loses_a_typed_secret() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("e")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: None,
            token: Ok(None),
        }));
    scene.effects();
    scene.keys("alt-L");
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    assert!(scene.key_is(""), "a loaded key is forgotten");
    assert!(
        scene.form().is_set(crate::app::FieldId::Key),
        "but it is stored"
    );
    scene
        .send(Message::Vault(VaultMessage::Locked))
        .keys("alt-L");
    assert!(
        matches!(scene.model.overlay, Some(Overlay::Passphrase(_))),
        "locked: unlock"
    );
    scene.types("p").keys("enter").effects();
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(
        scene.effects(),
        [Effect::Store(StoreEffect::LoadSecrets(named("a")))]
    );
    scene.types("x").keys("alt-L");
    assert_eq!(scene.question(), Some(&Question::LockLosesSecrets));
    scene.keys("y");
    assert!(scene.key_is(""));
}

#[test]
fn a_locked_copy_shows_no_token_that_its_original_does_not_have() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("c")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: None,
            token: Ok(None),
        }));
    scene.keys("alt-L");
    assert!(scene.form().is_set(crate::app::FieldId::Key));
    assert!(!scene.form().is_set(crate::app::FieldId::Token));
}

#[test]
fn idle_minutes_lock() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.model.lock_after_min = 15;
    scene.wait(14 * 60_000);
    scene.keys("down");
    scene.wait(14 * 60_000);
    assert_eq!(scene.effects(), []);
    scene.wait(60_000);
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    scene.wait(60 * 60_000);
    assert_eq!(scene.effects(), []);
}

/// The first `L` of a session forgets what is in the open, and is for the vault that no passphrase has opened yet.
#[test]
fn the_first_lock_of_a_session_asks_for_the_vault_that_was_never_opened() {
    let mut scene = Scene::starting();
    for locked in [true, false] {
        let loaded = Loaded {
            connections: vec![shop("a").into()],
            locked,
            lock_after_min: 15,
            ..Loaded::default()
        };
        scene.send(Message::ConfigurationLoaded(Box::new(loaded)));
    }
    scene.effects();
    scene.keys("v").send(revealed(HandleSlot::Key)).effects();
    assert!(scene.model.revealed.is_some());
    scene.keys("L");
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    assert!(scene.model.revealed.is_none() && scene.model.lock.is_locked());
    assert!(matches!(scene.model.overlay, Some(Overlay::Passphrase(_))));
    scene.send(Message::Vault(VaultMessage::Locked)).keys("esc");
    // What is typed since is forgotten in its time.
    scene.keys("e").types(KEY).effects();
    scene.wait(15 * 60_000);
    assert!(scene.effects().contains(&Effect::Vault(VaultEffect::Lock)));
    assert!(!scene.form().holds_typed_secret());
    assert!(scene.notice().contains("are forgotten"));
    // By then nobody is there: whoever comes back is told.
    scene.wait(9_000);
    assert_eq!(scene.notice(), "");
    scene.keys("left");
    assert!(
        scene.notice().contains("are forgotten"),
        "{}",
        scene.notice()
    );
    scene.wait(9_000);
    scene.keys("left");
    assert_eq!(scene.notice(), "", "once");
    scene.send(Message::Vault(VaultMessage::Unlocked)).effects();
    scene.keys("esc L");
    assert_eq!(scene.effects(), [Effect::Vault(VaultEffect::Lock)]);
    assert!(scene.model.overlay.is_none(), "it was open");
}

#[test]
fn the_war_room_shows_and_copies_nothing() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("W v y Y");
    assert_eq!(scene.effects(), []);
    assert!(scene.model.overlay.is_none());
    let model = &scene.model;
    assert_eq!(model.shown_name(&named("a")), "conn-1");
    assert_eq!(model.shown_host("a.example.com"), "host-1");
    assert_eq!(
        model.shown_url("https://a.example.com/blesta"),
        "https://host-1"
    );
    assert_eq!(model.shown_user("api"), "user-1");
    assert_eq!(model.shown_host("unheard.example"), "•••");
    scene.keys("W");
    assert_eq!(scene.model.shown_name(&named("a")), "a");
}

#[test]
fn the_war_room_puts_the_form_aside() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x").keys("alt-W");
    assert!(scene.model.visible_form().is_none());
    assert_eq!(scene.model.focus, crate::app::model::Pane::List);
    scene.keys("e n u tab");
    assert!(scene.model.visible_form().is_none());
    assert!(!scene.model.takes_secret());
    scene.keys("shift-tab W");
    assert!(scene.model.visible_form().is_some(), "it is back");
    scene.keys("e");
    assert!(scene.key_is("x"));
}

#[test]
fn pseudonyms_stay_and_lines_are_cleaned() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    let mut found = verdict(Reason::Connected);
    found.connection = Some(named("a"));
    found.url = "https://a.example.com".to_owned();
    found.identity = Some(Identity {
        id: Some("VA-160-984".to_owned()),
        name: Some("Shop Ltd".to_owned()),
        host: Some("billing.example.com".to_owned()),
    });
    scene
        .send(Message::Probe(ProbeMessage::Watched(Box::new(found))))
        .keys("W end");
    let before = scene.model.shown_name(&named("b"));
    assert_eq!(scene.selected(), "a");
    let line = "company Shop Ltd (billing.example.com) VA-160-984 at 10.1.2.3:443, mail x@shop.de, \
                https://a.example.com/api for api, 42 ms, Blesta 5.13.7";
    let shown = scene.model.shown_line(line);
    for telling in ["Shop", "billing", "example", "160", "10.1", "shop.de"] {
        assert!(!shown.contains(telling), "{shown}");
    }
    for harmless in ["company", "42 ms", "Blesta 5.13.7"] {
        assert!(shown.contains(harmless), "{shown}");
    }
    scene.watched("b", Reason::Refused).keys("W W");
    assert_eq!(scene.model.shown_name(&named("b")), before);
}

#[test]
fn in_the_war_room_sentences_name_nobody() {
    let mut scene = Scene::with(shops(&["north-shop", "x"]));
    scene.keys("W");
    let shown = |scene: &mut Scene, text: &str| {
        scene.send(Message::Noticed(text.to_owned()));
        scene.model.shown_sentence(scene.notice())
    };
    let told = shown(
        &mut scene,
        "north-shop has no key: “north-shop” at https://north-shop.example.com/api (north-shop.example.com), \
         user api, x",
    );
    for telling in ["north", "example", "user api", " x"] {
        assert!(!told.contains(telling), "{told}");
    }
    for pseudonym in [
        "conn-1 has no key: “conn-1”",
        "https://host-1",
        "user user-1",
        "conn-2",
    ] {
        assert!(told.contains(pseudonym), "{told}");
    }
    let plain = "expected 12 of 30 apiary rows, 42 ms";
    assert_eq!(
        shown(&mut scene, plain),
        plain,
        "parts of words are left alone"
    );
    scene.keys("W");
    assert_eq!(shown(&mut scene, "north-shop"), "north-shop");
}

#[test]
fn in_the_war_room_a_page_does_not_say_whose_it_is() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.watched("a", Reason::Refused).keys("W");
    for line in [
        "page title: Our Shop",
        "The address answers with \"Our Shop\", which is not Blesta.",
        "the page's title is \"Welcome to \"Our Shop\"!\"",
    ] {
        let shown = scene.model.shown_line(line);
        assert!(!shown.contains("Our") && shown.contains("•••"), "{shown}");
    }
    let shown = scene
        .model
        .shown_line("The address answers with \"Our Shop\", which is not Blesta.");
    assert_eq!(
        shown,
        "The address answers with \"•••\", which is not Blesta."
    );
}

/// A row leaves the list without a key: what was chosen for it is not done to the next one.
#[test]
fn what_is_chosen_of_a_row_that_has_gone_is_copied_of_no_other() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.watched("a", Reason::Refused);
    scene.watched("b", Reason::Refused);
    scene.keys("/").types("state:down").keys("enter Y down");
    assert!(scene.model.overlay.is_some());
    scene.effects();
    scene.watched("a", Reason::Connected);
    assert_eq!(scene.selected(), "a");
    assert!(scene.model.overlay.is_some(), "it is still the one meant");
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        connections: vec![shop("b").into()],
        ..Loaded::default()
    })));
    assert_eq!(scene.selected(), "", "nor is the one in its place selected");
    let said = "API key of a is gone: nothing is copied of it";
    assert_eq!(scene.notice(), said);
    scene.keys("enter");
    let effects = scene.effects();
    let mut effects = effects.iter();
    assert!(!effects.any(|effect| matches!(effect, Effect::Clipboard(_))));
}

#[test]
fn the_snippet_is_copied_as_it_is() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("m");
    assert!(scene.notice().contains("no snippet"));
    let mut found = verdict(Reason::AuthorizationStripped);
    found.connection = Some(named("a"));
    found.remedy.snippet = Some("RewriteRule …".to_owned());
    scene
        .send(Message::Probe(ProbeMessage::Watched(Box::new(found))))
        .keys("m");
    assert_eq!(
        scene.effects(),
        [Effect::Clipboard(ClipboardEffect::CopyText(
            "RewriteRule …".to_owned()
        ))]
    );
}

#[test]
fn copy_as_stays_with_the_handle_that_it_was_opened_on() {
    let with = |added: &[&str]| {
        let added = added
            .iter()
            .map(|label| ((*label).to_owned(), SecretRef::Ask));
        let rich = crate::domain::Connection {
            added: added.collect(),
            ..shop("a")
        };
        Loaded {
            connections: vec![rich.into(), shop("b").into()],
            ..Loaded::default()
        }
    };
    let loaded = |added: &[&str]| Message::ConfigurationLoaded(Box::new(with(added)));
    let mut scene = Scene::empty();
    scene.send(loaded(&["one", "two", "three"]));
    scene.keys("shift-tab down down");
    assert_eq!(scene.model.token_row, 2);
    // Another copy removes one above it: the row goes on being the same token.
    scene.send(loaded(&["two", "three"]));
    assert_eq!(scene.model.token_row, 1);
    scene.keys("Y").effects();
    scene.send(loaded(&["three"]));
    assert!(scene.model.overlay.is_none());
    assert_eq!(scene.notice(), "two of a is gone: nothing is copied of it");
    scene.keys("down Y").effects();
    scene.send(loaded(&["three", "four"])).keys("enter");
    let copy = Effect::Clipboard(ClipboardEffect::CopyHandle {
        name: named("a"),
        slot: added("three"),
        form: CopyForm::Handle,
    });
    assert_eq!(scene.effects().last(), Some(&copy));
    // What is in the open is no other one's, either.
    scene.keys("v").send(revealed(added("three")));
    scene.send(loaded(&["three"]));
    assert!(scene.model.revealed.is_some());
    scene.send(loaded(&["four"]));
    assert!(scene.model.revealed.is_none());
}

#[test]
fn the_key_that_locks_hides_what_is_shown_whatever_it_opens() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.model.lock = crate::app::lock::Lock::FoundLocked;
    scene.keys("v").send(revealed(HandleSlot::Key));
    assert!(scene.model.revealed.is_some(), "of the keyring");
    scene.send(Message::Clipboard(ClipboardMessage::Copied(Copied {
        words: "→ your terminal".to_owned(),
        placed: true,
        clears_in_s: Some(20),
    })));
    scene.effects();
    scene.keys("L");
    assert!(scene.model.revealed.is_none());
    assert!(matches!(scene.model.overlay, Some(Overlay::Passphrase(_))));
    // Locked or not: what was copied is taken back at once.
    assert!(scene.model.copied.is_none());
    let taken_back = Effect::Clipboard(ClipboardEffect::TakeBack);
    assert_eq!(scene.effects(), [taken_back], "what is on its way, too");
}

#[test]
fn a_handle_that_has_gone_leaves_its_row_to_nobody() {
    let loaded = |labels: &[&str]| {
        let added = labels
            .iter()
            .map(|label| ((*label).to_owned(), SecretRef::Ask));
        let rich = crate::domain::Connection {
            added: added.collect(),
            ..shop("a")
        };
        Message::ConfigurationLoaded(Box::new(Loaded {
            connections: vec![rich.into()],
            ..Loaded::default()
        }))
    };
    let mut scene = Scene::empty();
    scene.send(loaded(&["one", "two", "three"]));
    scene.keys("shift-tab down down");
    scene.send(loaded(&["one", "three"])).effects();
    for key in ["y", "Y", "v", "d", "enter", "e"] {
        scene.keys(key);
        assert_eq!(scene.effects(), [], "{key}");
        assert!(scene.model.overlay.is_none(), "{key}");
        assert!(scene.notice().contains("is gone"), "{}", scene.notice());
    }
    scene.keys("down v");
    let three = Effect::Reveal(named("a"), added("three"));
    assert_eq!(scene.effects(), [three]);
    scene.send(loaded(&["one"])).effects();
    scene.keys("up y");
    let copy = Effect::Clipboard(ClipboardEffect::CopyHandle {
        name: named("a"),
        slot: added("one"),
        form: CopyForm::Handle,
    });
    assert_eq!(scene.effects(), [copy], "the row above where it stood");
}
