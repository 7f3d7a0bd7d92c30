//! Saving, with everything that can come in between.

use super::scene::{KEY, Scene, named, shop, shops, verdict};
use crate::app::effect::{
    ClipboardEffect, Effect, ProbeEffect, ScreenEnd, StoreEffect, Target, TerminalEffect,
    VaultEffect,
};
use crate::app::message::{StoreMessage, StoreOffer, VaultMessage};
use crate::app::model::{Overlay, Pane, Question};
use crate::app::watching::WatchingEffect;
use crate::app::{Draft, FieldId, Message};
use crate::domain::{
    Connection, HandleSlot, Name, PassphrasePurpose, Reason, Secret, SecretRef, ServiceId, State,
};

fn filled() -> Scene {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("n")
        .types("https://b.example.com")
        .keys("tab")
        .types("api");
    scene.keys("tab").types(KEY).wait(400);
    scene.effects();
    scene
}

fn proven() -> Scene {
    let mut scene = filled();
    let mut connected = verdict(Reason::Connected);
    connected.url = "https://b.example.com".to_owned();
    scene.draft_is(connected);
    scene
}

fn save(scene: &mut Scene) -> (Draft, Option<Name>, Option<SecretRef>) {
    match scene.effects().pop() {
        Some(Effect::Store(StoreEffect::Save {
            draft,
            replaces,
            store,
        })) => (*draft, replaces, store),
        other => panic!("no save: {other:?}"),
    }
}

#[test]
fn a_proven_draft_is_saved_at_once() {
    let mut scene = proven();
    scene.keys("ctrl-s");
    let (draft, replaces, store) = save(&mut scene);
    assert_eq!(draft.connection.name, named("b.example.com"));
    assert_eq!(
        (draft.key, draft.key_changed),
        (Some(Secret::new(KEY)), true)
    );
    assert_eq!((replaces, store), (None, None));
    scene.send(Message::Store(StoreMessage::Saved(
        Box::new(draft.connection),
        0,
    )));
    assert!(scene.model.form.is_none());
    assert_eq!(scene.selected(), "b.example.com");
    assert_eq!(scene.model.focus, Pane::List);
    let entry = &scene.model.entries[&named("b.example.com")];
    assert_eq!(entry.state(), State::Ok, "its verdict is kept");
}

#[test]
fn a_key_that_lasts_as_long_as_the_program_is_said_to() {
    for (kept, expected) in [
        (
            SecretRef::Ask,
            "b.example.com is saved, its key until this program ends",
        ),
        (
            SecretRef::Vault("b/key".to_owned()),
            "b.example.com is saved",
        ),
    ] {
        let mut scene = proven();
        scene.keys("ctrl-s");
        let (mut draft, ..) = save(&mut scene);
        draft.connection.key = Some(kept);
        let saved = StoreMessage::Saved(Box::new(draft.connection), 0);
        scene.send(Message::Store(saved));
        assert_eq!(scene.notice(), expected);
    }
}

#[test]
fn a_key_that_was_parted_from_one_that_others_share_is_said_to_be() {
    let shared = |entry: &str| Some(SecretRef::Vault(format!("{entry}/key")));
    for (others, expected) in [
        (
            shared("a"),
            "a is saved, with a key of its own: others keep the one they shared",
        ),
        (shared("other"), "a is saved"),
    ] {
        let (mut one, mut other) = (shop("a"), shop("b"));
        (one.key, other.key) = (shared("a"), others);
        let mut scene = Scene::with(vec![one, other]);
        scene.keys("e ctrl-s y");
        let (mut draft, ..) = save(&mut scene);
        draft.connection.key = shared("a-2");
        let saved = StoreMessage::Saved(Box::new(draft.connection), 0);
        scene.send(Message::Store(saved));
        assert_eq!(scene.notice(), expected);
    }
}

#[test]
fn anything_else_asks_first() {
    let mut scene = filled();
    scene
        .draft_is(verdict(Reason::CredentialsRejected))
        .keys("ctrl-s");
    assert_eq!(scene.question(), Some(&Question::SaveAllTheSame));
    scene.keys("n");
    assert_eq!(scene.effects(), []);
    scene.keys("ctrl-s y");
    save(&mut scene);
    let mut scene = proven();
    scene.types("x").keys("ctrl-s");
    assert_eq!(
        scene.question(),
        Some(&Question::SaveAllTheSame),
        "not tested as it is"
    );
}

#[test]
fn what_can_not_be_saved_is_said_and_shown() {
    for (keys, typed, field) in [
        ("up up ctrl-u", "", FieldId::Url),
        ("up up ctrl-u", "ftp://x", FieldId::Url),
        ("up ctrl-u", KEY, FieldId::Username),
        ("ctrl-o ctrl-u", "a", FieldId::Name),
        ("ctrl-o ctrl-u", "-x", FieldId::Name),
        (
            "ctrl-o down down down down down down down",
            "often",
            FieldId::Interval,
        ),
        ("ctrl-o down down down down", "ftp://x", FieldId::CmsUrl),
        (
            "ctrl-o down down down down",
            "https://x/?token=0123456789abcdef",
            FieldId::CmsUrl,
        ),
        ("ctrl-o down down", "a, b\u{200b}c", FieldId::Tags),
        ("ctrl-o down down down", "wordpress", FieldId::Cms),
        (
            "ctrl-o down down down down down down down down down",
            "http://user:pw@proxy:3128",
            FieldId::Proxy,
        ),
        (
            "ctrl-o down down down down down down down down down down down down",
            "/key.pem",
            FieldId::ClientCert,
        ),
        (
            "ctrl-o down down down down down down down down down",
            "ftp://x",
            FieldId::Proxy,
        ),
    ] {
        let mut scene = proven();
        scene.keys(keys).types(typed);
        scene.effects();
        scene.keys("ctrl-s");
        assert!(
            scene
                .effects()
                .iter()
                .all(|e| !matches!(e, Effect::Store(StoreEffect::Save { .. })))
        );
        assert_eq!(scene.form().focused(), field, "{typed}");
        assert!(
            scene.notice().starts_with("not saved"),
            "{}",
            scene.notice()
        );
    }
}

#[test]
fn the_first_field_that_can_not_be_saved_is_told() {
    let mut scene = proven();
    scene.keys("ctrl-o ctrl-u").types("-x");
    scene.keys("down down down down").types("ftp://x");
    scene.keys("ctrl-s");
    assert_eq!(scene.form().focused(), FieldId::Name);
}

#[test]
fn what_could_not_be_asked_before_holds_up_no_other_change() {
    let mut old = shop("a");
    old.proxy = Some("ftp://x".to_owned());
    old.cms_url = Some("ftp://x".to_owned());
    let mut scene = Scene::with(vec![old.clone()]);
    scene.keys("e ctrl-o").keys(&"down ".repeat(16)).types("hi");
    scene.keys("ctrl-s y");
    let (draft, ..) = save(&mut scene);
    assert_eq!(
        (draft.connection.note.as_str(), draft.connection.proxy),
        ("hi", old.proxy)
    );
}

#[test]
fn a_renamed_connection_replaces_its_old_entry() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e ctrl-o ctrl-u").types("z").keys("ctrl-s y");
    let (draft, replaces, _) = save(&mut scene);
    assert_eq!(replaces, Some(named("a")));
    assert_eq!(draft.opened, Some(Box::new(shop("a"))));
    scene.send(Message::Store(StoreMessage::Saved(
        Box::new(draft.connection),
        0,
    )));
    assert_eq!(scene.visible(), ["b", "z"]);
    assert_eq!(scene.selected(), "z");
}

#[test]
fn an_old_value_that_stays_in_its_store_is_told() {
    let mut scene = proven();
    scene.keys("ctrl-s");
    let (draft, ..) = save(&mut scene);
    scene.send(Message::Store(StoreMessage::Saved(
        Box::new(draft.connection),
        1,
    )));
    let said = scene.notice();
    assert!(
        said.contains("is saved; old value is still in the store"),
        "{said}"
    );
}

/// The watch goes by what is saved: it is told of everything that this screen writes or takes away.
#[test]
fn the_watch_is_told_of_what_was_saved_and_removed() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    let replan = Effect::Watching(WatchingEffect::Replan);
    scene.keys("e ctrl-s y");
    let (draft, ..) = save(&mut scene);
    let mut moved = draft.connection;
    moved.url = "https://moved.example.com".to_owned();
    scene.send(Message::Store(StoreMessage::Saved(Box::new(moved), 0)));
    assert!(scene.effects().contains(&replan));
    scene.send(Message::Store(StoreMessage::Removed(named("b"), 0)));
    assert!(scene.effects().contains(&replan));
}

#[test]
fn what_was_saved_is_seen_whatever_the_filter() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("/")
        .types("a")
        .keys("enter n")
        .types("https://zzz.test")
        .keys("ctrl-s y");
    let (draft, _, _) = save(&mut scene);
    scene.send(Message::Store(StoreMessage::Saved(
        Box::new(draft.connection),
        0,
    )));
    assert_eq!(scene.selected(), "zzz.test");
    assert_eq!(scene.visible(), ["a", "zzz.test"]);
}

#[test]
fn a_save_that_ends_leaves_keys_on_the_row_that_they_were_on() {
    let saved = |connection| Message::Store(StoreMessage::Saved(Box::new(connection), 0));
    let copied = |scene: &mut Scene| match scene.keys("y").effects().pop() {
        Some(Effect::Clipboard(ClipboardEffect::CopyHandle { name, slot, .. })) => {
            Some((name, slot))
        }
        _ => None,
    };
    let added = || HandleSlot::Added("one".to_owned());
    let rich = |token: bool| Connection {
        added: vec![("one".to_owned(), SecretRef::Ask)],
        token: token.then_some(SecretRef::Ask),
        ..shop("a")
    };
    // A shared token comes in between the key and the further one.
    let mut scene = Scene::with(vec![rich(false), shop("b")]);
    scene.keys("tab tab tab down").effects();
    assert_eq!(copied(&mut scene), Some((named("a"), added())));
    scene.send(saved(rich(true))).effects();
    assert_eq!(copied(&mut scene), Some((named("a"), added())));
    // What has gone leaves its row to nobody, and a connection that is selected anew begins at its key.
    scene.send(saved(shop("a"))).effects();
    assert_eq!(copied(&mut scene), None);
    scene.send(saved(shop("c"))).effects();
    assert_eq!(copied(&mut scene), Some((named("c"), HandleSlot::Key)));
}

#[test]
fn a_save_that_ends_takes_nobody_away_from_another_row() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e").types("x").keys("ctrl-s y");
    let (draft, _, _) = save(&mut scene);
    scene.keys("esc esc").model.focus = Pane::List;
    scene.keys("down").effects();
    assert_eq!(scene.selected(), "b");
    scene.send(Message::Store(StoreMessage::Saved(
        Box::new(draft.connection),
        0,
    )));
    assert!(scene.model.form.is_none());
    assert_eq!(scene.selected(), "b");
}

#[test]
fn a_failed_save_keeps_the_draft() {
    let mut scene = proven();
    scene
        .keys("ctrl-s")
        .send(Message::Store(StoreMessage::SaveFailed(
            "disk full".to_owned(),
        )));
    assert!(scene.notice().contains("disk full"));
    assert!(scene.form().dirty && !scene.form().saving);
    scene.effects();
    scene.keys("ctrl-s");
    save(&mut scene);
}

#[test]
fn while_it_is_saved_nothing_is_typed() {
    let mut scene = proven();
    scene.keys("ctrl-s").types("zzz").keys("ctrl-s");
    assert!(scene.key_is(KEY));
    assert_eq!(scene.effects().len(), 1);
}

fn offers() -> Vec<StoreOffer> {
    let offer = |reference: &str, unavailable: Option<&str>| StoreOffer {
        reference: reference.parse().unwrap(),
        label: reference.to_owned(),
        unavailable: unavailable.map(str::to_owned),
    };
    vec![
        offer("keyring:b/key", Some("no desktop session")),
        offer("vault:b/key", None),
        offer("ask", None),
    ]
}

#[test]
fn the_first_save_asks_where_secrets_go_and_then_for_a_passphrase() {
    let mut scene = proven();
    scene.keys("ctrl-s").effects();
    scene.send(Message::Store(StoreMessage::StoreNeeded(offers())));
    assert!(matches!(
        scene.model.overlay,
        Some(Overlay::ChooseStore { row: 1, .. })
    ));
    scene.keys("up enter");
    assert_eq!(scene.effects(), [], "what does not work here is not taken");
    scene.keys("down enter");
    assert_eq!(
        save(&mut scene).2,
        Some(SecretRef::Vault("b/key".to_owned()))
    );
    scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
        PassphrasePurpose::Create,
    )));
    assert!(scene.model.takes_secret());
    scene.types("one").keys("enter").types("two").keys("enter");
    assert_eq!(scene.effects(), [], "the two differ");
    scene
        .keys("ctrl-u")
        .types("one")
        .keys("enter")
        .types("one")
        .keys("enter");
    assert_eq!(
        scene.effects(),
        [Effect::Vault(VaultEffect::Unlock {
            kind: PassphrasePurpose::Create,
            passphrase: Secret::new("one"),
        })]
    );
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert!(scene.model.overlay.is_none());
    let (draft, _, store) = save(&mut scene);
    assert_eq!(
        store,
        Some(SecretRef::Vault("b/key".to_owned())),
        "it goes on as chosen"
    );
    assert_eq!(draft.key, Some(Secret::new(KEY)));
}

#[test]
fn whoever_makes_no_vault_is_asked_anew_where_secrets_go() {
    let mut scene = proven();
    scene.keys("ctrl-s").effects();
    scene
        .send(Message::Store(StoreMessage::StoreNeeded(offers())))
        .keys("enter");
    assert!(save(&mut scene).2.is_some());
    scene
        .send(Message::Vault(VaultMessage::PassphraseNeeded(
            PassphrasePurpose::Create,
        )))
        .keys("esc ctrl-s");
    assert_eq!(save(&mut scene).2, None);
}

#[test]
fn a_wrong_passphrase_is_said_and_asked_again() {
    let mut scene = proven();
    scene.keys("ctrl-s").effects();
    scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
        PassphrasePurpose::Open,
    )));
    assert!(scene.model.lock.is_locked());
    scene
        .types("wrong")
        .keys("enter")
        .types("more")
        .keys("enter");
    assert_eq!(scene.effects().len(), 1, "nothing while it is checked");
    assert!(scene.model.animating());
    scene.send(Message::Vault(VaultMessage::UnlockFailed(
        "wrong passphrase".to_owned(),
    )));
    let Some(Overlay::Passphrase(dialog)) = &scene.model.overlay else {
        panic!("the dialog stays")
    };
    assert_eq!(dialog.problem.as_deref(), Some("wrong passphrase"));
    assert!(dialog.first.value.is_empty());
    scene
        .types("right")
        .keys("enter")
        .send(Message::Vault(VaultMessage::Unlocked));
    assert!(!scene.model.lock.is_locked());
    save(&mut scene);
}

#[test]
fn escape_in_a_dialog_ends_the_save_and_keeps_the_draft() {
    for message in [
        Message::Store(StoreMessage::StoreNeeded(offers())),
        Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open)),
    ] {
        let mut scene = proven();
        scene.keys("ctrl-s").send(message);
        scene.effects();
        scene
            .keys("esc")
            .send(Message::Vault(VaultMessage::Unlocked));
        assert!(!scene.form().saving);
        assert!(scene.form().dirty);
        assert!(
            scene
                .effects()
                .iter()
                .all(|e| !matches!(e, Effect::Store(StoreEffect::Save { .. })))
        );
    }
}

#[test]
fn nobody_who_types_is_interrupted_by_a_watcher() {
    let mut scene = filled();
    scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
        PassphrasePurpose::Open,
    )));
    assert!(scene.model.overlay.is_none());
    assert_eq!(scene.notice(), "the vault is locked: L unlocks it");
    let mut scene = Scene::with(shops(&["a"]));
    scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
        PassphrasePurpose::Open,
    )));
    assert!(matches!(scene.model.overlay, Some(Overlay::Passphrase(_))));
}

#[test]
fn quitting_asks_only_where_something_would_be_lost() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("q");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit))]
    );
    scene.keys("e").types("x").keys("alt-q");
    assert_eq!(scene.question(), Some(&Question::QuitUnsaved));
    scene.effects();
    scene.keys("n");
    assert!(scene.key_is("x"), "a cancelled quit loses nothing");
    scene.keys("esc ctrl-c y");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit))]
    );
    scene.send(Message::EndRequested(ScreenEnd::Signal(143)));
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Signal(
            143
        )))]
    );
}

#[test]
fn a_typed_token_is_not_thrown_away_without_a_question() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("a").types("l").keys("esc");
    assert!(scene.model.overlay.is_none(), "a label alone is soon typed");
    scene
        .keys("a")
        .types("l")
        .keys("enter")
        .types("v")
        .keys("esc");
    assert_eq!(scene.question(), Some(&Question::LoseToken));
    scene.send(Message::Vault(VaultMessage::Unlocked));
    scene.keys("n");
    assert!(
        matches!(&scene.model.overlay, Some(Overlay::AddToken(d)) if !d.value.value.is_empty())
    );
    scene.keys("esc y q");
    assert!(scene.model.adding.is_none());
    let effects = scene.effects();
    assert_eq!(
        effects.last(),
        Some(&Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit)))
    );
    let stores = |effect: &Effect| matches!(effect, Effect::Store(StoreEffect::AddToken { .. }));
    assert!(!effects.iter().any(stores), "nobody asked for that");
}

#[test]
fn a_cancelled_quit_loses_no_typed_token_and_no_save() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("a")
        .types("l")
        .keys("enter")
        .types("v")
        .keys("ctrl-c");
    assert_eq!(scene.question(), Some(&Question::QuitUnsaved));
    scene.keys("n");
    assert!(
        matches!(&scene.model.overlay, Some(Overlay::AddToken(d)) if !d.value.value.is_empty())
    );
    let mut scene = proven();
    scene
        .keys("ctrl-s")
        .send(Message::Vault(VaultMessage::PassphraseNeeded(
            PassphrasePurpose::Open,
        )));
    scene.keys("ctrl-c n");
    scene.effects();
    assert!(!scene.form().saving, "it can be saved again");
    scene.keys("ctrl-s");
    save(&mut scene);
}

#[test]
fn a_token_is_added_with_label_and_value() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("a enter enter");
    assert_eq!(scene.effects(), []);
    scene.keys("tab").types("billing").keys("enter");
    assert!(scene.model.takes_secret());
    scene.pastes("s3cret\n").keys("enter");
    let add = |store| {
        Effect::Store(StoreEffect::AddToken {
            name: named("a"),
            label: "billing".to_owned(),
            value: Secret::new("s3cret"),
            store,
        })
    };
    assert_eq!(scene.effects(), [add(None)]);
    scene
        .send(Message::Store(StoreMessage::StoreNeeded(offers())))
        .keys("enter");
    assert_eq!(
        scene.effects(),
        [add(Some(SecretRef::Vault("b/key".to_owned())))]
    );
    scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
        PassphrasePurpose::Open,
    )));
    scene.types("p").keys("enter").effects();
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(
        scene.effects(),
        [add(Some(SecretRef::Vault("b/key".to_owned())))]
    );
    let mut with = shop("a");
    with.added = vec![(
        "billing".to_owned(),
        SecretRef::Vault("a/billing".to_owned()),
    )];
    scene.send(Message::Store(StoreMessage::TokenAdded(Box::new(with))));
    assert!(scene.model.overlay.is_none());
    assert_eq!(
        scene.model.selected_entry().unwrap().connection.added.len(),
        1
    );
    scene
        .keys("a")
        .types("billing")
        .keys("enter")
        .types("x")
        .keys("enter");
    assert_eq!(scene.effects(), [], "the label is taken");
}

#[test]
fn a_token_that_can_not_be_stored_stays_in_its_dialog() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("a")
        .types("l")
        .keys("enter")
        .types("v")
        .keys("enter");
    let why = format!("no room in /{}: make some", "folder/".repeat(36));
    scene.send(Message::Store(StoreMessage::TokenAddFailed(why.clone())));
    let Some(Overlay::AddToken(dialog)) = &scene.model.overlay else {
        panic!("the dialog stays")
    };
    assert_eq!(dialog.problem, Some(why), "to its end");
    assert!(!dialog.busy);
    assert_eq!(dialog.value.value, Secret::new("v"));
}

#[test]
fn a_lock_leaves_no_question_about_what_it_took() {
    let mut scene = filled();
    scene
        .draft_is(verdict(Reason::CredentialsRejected))
        .keys("ctrl-s");
    assert_eq!(scene.question(), Some(&Question::SaveAllTheSame));
    scene.send(Message::Vault(VaultMessage::LockRequested));
    assert_eq!(scene.question(), None);
    assert!(scene.key_is(""));
}

#[test]
fn a_lock_takes_the_proof_with_the_key() {
    let mut scene = proven();
    scene.keys("alt-L y");
    assert!(scene.key_is(""));
    scene.send(Message::Vault(VaultMessage::Forgot));
    assert!(
        scene.notice().contains("not saved too"),
        "{}",
        scene.notice()
    );
    scene.effects();
    scene.keys("ctrl-s");
    assert_eq!(scene.question(), Some(&Question::SaveAllTheSame));
    assert_eq!(scene.effects(), [], "nothing is saved without a word");
}

#[test]
fn a_draft_that_is_aside_no_more_is_not_said_to_be_kept() {
    let mut scene = filled();
    scene.keys("esc");
    assert!(
        scene.notice().starts_with("the draft is kept"),
        "{}",
        scene.notice()
    );
    scene.keys("n");
    assert_eq!(scene.notice(), "", "it is open again");
    scene.keys("esc tab");
    assert_eq!(scene.notice(), "", "so it is by Tab");
}

#[test]
fn keys_for_one_connection_mean_no_other_one_while_a_new_one_is_typed() {
    for key in ["alt-P", "alt-M", "alt-d", "alt-a"] {
        let mut scene = filled();
        scene.keys(key);
        assert_eq!(scene.notice(), "save the connection first", "{key}");
        assert_eq!(scene.effects(), [], "{key}");
        assert!(scene.model.overlay.is_none(), "{key}");
    }
}

#[test]
fn a_copy_keeps_the_references_of_its_original() {
    let mut original = shop("a");
    original.key = Some("env:KEY".parse().unwrap());
    original.token = Some("vault:a/token".parse().unwrap());
    let loaded = |scene: &mut Scene| {
        scene
            .keys("c")
            .send(Message::Store(StoreMessage::SecretsLoaded {
                name: named("a"),
                key: Ok(Some(Secret::new(KEY))),
                key_origin: None,
                token: Ok(Some(Secret::new("shared"))),
            }));
    };
    let mut scene = Scene::with(vec![original.clone()]);
    loaded(&mut scene);
    scene.keys("alt-r");
    let tested = scene.probe();
    assert!(tested.carries(KEY), "tested with what was loaded");
    scene.keys("ctrl-s y");
    let (draft, replaces, _) = save(&mut scene);
    assert_eq!(replaces, None);
    assert_eq!(draft.connection.name, named("a-2"));
    assert_eq!(
        (&draft.connection.key, &draft.connection.token),
        (&original.key, &original.token)
    );
    let copy = draft.copies.unwrap();
    assert_eq!(
        (copy.name, copy.keeps_key, copy.keeps_token),
        (named("a"), true, true)
    );

    // What is typed is the copy's own.
    let mut scene = Scene::with(vec![original]);
    loaded(&mut scene);
    scene.keys("tab tab").types("0").keys("ctrl-s y");
    let (draft, ..) = save(&mut scene);
    let copy = draft.copies.unwrap();
    assert_eq!((copy.keeps_key, copy.keeps_token), (false, true));
}

#[test]
fn the_first_connection_begins_at_its_key_too() {
    let mut connection = shop("a");
    connection.service = ServiceId::connect();
    connection.key = Some(SecretRef::Ask);
    let mut scene = Scene::empty();
    scene.send(Message::Store(StoreMessage::Saved(Box::new(connection), 0)));
    assert_eq!(scene.selected(), "a");
    assert_eq!(scene.model.token_row, 0);
}

/// The save took the place of the test that was due; where nothing comes of it, the draft is tested as any other.
#[test]
fn a_draft_that_could_not_be_saved_is_tested_after_all() {
    let tested = |effect: &Effect| {
        matches!(
            effect,
            Effect::Probe(ProbeEffect::Start {
                target: Target::Draft,
                ..
            })
        )
    };
    let failed = || Message::Store(StoreMessage::SaveFailed("the disk is full".to_owned()));
    let needed = || Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open));
    for cancels in [false, true] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys("e").types("x").keys("ctrl-s y");
        assert!(!scene.effects().iter().any(tested));
        scene.wait(5_000);
        assert!(!scene.effects().iter().any(tested), "it is being saved");
        if cancels {
            scene.send(needed()).keys("esc");
        } else {
            scene.send(failed());
        }
        scene.wait(5_000);
        assert!(scene.effects().iter().any(tested), "{cancels}");
    }
    // What was tested before is not tested again.
    let mut scene = proven();
    scene.keys("ctrl-s");
    scene.effects();
    scene.send(failed()).wait(5_000);
    assert_eq!(scene.effects(), []);
}
