//! The use cases over real files in a folder of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::secrets::Trust;
use super::transfer::ApplyOptions;
use super::*;
use crate::config::{Environment, Overrides};
use crate::domain::{
    Connection, Handle, HandleSlot, Name, Origin, PassphrasePurpose, Secret, SecretRef, ServiceId,
};
use crate::service::SecretState;
use crate::store::StoreKind;

mod hindered;
mod kept;

/// Folders of a made-up user; every core opened here is another program of theirs.
pub(super) struct Home(TempDir);

impl Home {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn core(&self) -> Core {
        self.core_with(&[])
    }

    pub(super) fn core_with(&self, variables: &[(&str, &str)]) -> Core {
        Core::open(self.options(variables))
    }

    pub(super) fn options(&self, variables: &[(&str, &str)]) -> CoreOptions {
        let home = self.0.path().to_str().unwrap();
        let variables = variables.iter().copied().chain([("HOME", home)]);
        let environment = Environment::of(variables);
        let folders = environment.folders(&Overrides::default()).unwrap();
        CoreOptions {
            environment,
            folders,
        }
    }
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn shop(url: &str) -> Connection {
    let mut shop = Connection::new(name("shop"), ServiceId::blesta(), url);
    shop.username = "shop-api".to_owned();
    shop
}

const URL: &str = "https://billing.example.com";

pub(super) fn with_key(connection: Connection, key: &str) -> ConnectionEdit {
    ConnectionEdit {
        key: Edit::Set(Secret::new(key)),
        store: Some(StoreKind::Vault),
        ..ConnectionEdit::new(connection)
    }
}

pub(super) fn passphrase() -> Secret {
    Secret::new("correct horse")
}

#[tokio::test]
async fn an_edit_that_fails_forgets_nothing_of_the_names_in_it() {
    let home = Home::new();
    let core = home.core();
    let mut read = Vec::new();
    for label in ["first", "second"] {
        read.push(format!(
            "[[connection]]\nname = \"{label}\"\nservice = \"http\"\nurl = \"{URL}\"\n"
        ));
    }
    let definitions = format!("version = 1\n{}", read.concat());
    let at = std::path::Path::new("definitions.toml");
    let plan = core
        .plan_apply(at, &definitions, ApplyOptions::default())
        .await;
    let origin = Origin::parse(URL).unwrap();
    let place = crate::store::SecretPlace::key(&name("first"));
    let state = core.0.state().unwrap();
    state.set_origin(&SecretRef::Ask, &place, &origin).unwrap();
    // Another program is quicker.
    let mut second = shop(URL);
    second.name = name("second");
    core.save(ConnectionEdit::new(second)).await.unwrap();
    let applied = core.apply(plan.unwrap()).await;
    assert!(
        matches!(applied, Err(WorkError::NameTaken(_))),
        "{applied:?}"
    );
    let known = state.origin_of(&SecretRef::Ask, &place).unwrap();
    assert_eq!(
        known,
        Some(origin),
        "nothing was added, and nothing forgotten"
    );
}

fn pinned() -> crate::domain::Identity {
    crate::domain::Identity {
        id: Some("1".to_owned()),
        name: None,
        host: None,
    }
}

#[tokio::test]
async fn another_pair_is_held_to_no_account_of_the_one_before() {
    let home = Home::new();
    let core = home.core();
    let edit = |username: &str, key: Edit| ConnectionEdit {
        key,
        store: Some(StoreKind::Ask),
        replaces: Some(name("shop")),
        ..ConnectionEdit::new(Connection {
            username: username.to_owned(),
            key: Some(SecretRef::Ask),
            ..shop(URL)
        })
    };
    let first = ConnectionEdit {
        replaces: None,
        ..edit("shop-api", Edit::Set(Secret::new("one")))
    };
    core.save(first).await.unwrap();
    let state = core.0.state().unwrap();
    for (saved, stays) in [
        (edit("shop-api", Edit::Keep), true),
        (edit("shop-api", Edit::Set(Secret::new("two"))), false),
        (edit("another", Edit::Keep), false),
    ] {
        let pin = |past: &mut crate::store::state::PastRecord| past.identity = Some(pinned());
        state.update_past(&name("shop"), URL, pin).unwrap();
        core.save(saved).await.unwrap();
        let past = state.past(&name("shop"), URL).unwrap();
        assert_eq!(past.identity.is_some(), stays);
    }
}

/// However it comes in.
#[tokio::test]
async fn a_new_connection_inherits_nothing_of_a_gone_one_of_its_name() {
    for way in ["saved", "imported", "applied"] {
        let home = Home::new();
        let core = home.core();
        let state = core.0.state().unwrap();
        let key = SecretRef::Env("KEY".to_owned());
        let place = crate::store::SecretPlace::key(&name("shop"));
        let pin = |past: &mut crate::store::state::PastRecord| past.identity = Some(pinned());
        state.update_past(&name("shop"), URL, pin).unwrap();
        let elsewhere = Origin::parse("https://elsewhere.example").unwrap();
        state.set_origin(&key, &place, &elsewhere).unwrap();
        match way {
            "saved" => drop(core.save(ConnectionEdit::new(shop(URL))).await.unwrap()),
            "imported" => core.import_together(vec![shop(URL)], None).await.unwrap(),
            _ => {
                let text = format!(
                    "version = 1\n[[connection]]\nname = \"shop\"\nservice = \"blesta\"\nurl = \"{URL}\"\n"
                );
                let at = std::path::Path::new("definitions.toml");
                let plan = core.plan_apply(at, &text, ApplyOptions::default()).await;
                core.apply(plan.unwrap()).await.unwrap();
            }
        }
        let past = state.past(&name("shop"), URL).unwrap();
        assert_eq!(past, crate::store::state::PastRecord::default(), "{way}");
        assert_eq!(state.origin_of(&key, &place).unwrap(), None, "{way}");
    }
}

#[tokio::test]
async fn a_key_that_came_meanwhile_is_not_overwritten_by_an_import() {
    let home = Home::new();
    let core = home.core();
    let edit = ConnectionEdit {
        key: Edit::Set(Secret::new("one")),
        store: Some(StoreKind::Ask),
        ..ConnectionEdit::new(shop(URL))
    };
    core.save(edit).await.unwrap();
    let item = transfer::Item {
        key: Some(Secret::new("two")),
        action: transfer::ImportAction::Completed(name("shop")),
        ..transfer::Item::new(shop(URL))
    };
    core.import_one(&item, Some(StoreKind::Ask)).await.unwrap();
    let kept = core.handle(&name("shop"), &HandleSlot::Key).await.unwrap();
    assert_eq!(kept.secret().expose(), "one");
}

#[tokio::test]
async fn a_program_that_was_set_meanwhile_is_not_replaced_by_that_of_a_file() {
    let home = Home::new();
    let core = home.core();
    let of_file = |here: &[&str]| transfer::Program {
        key: "on_change",
        here: here.iter().map(|word| (*word).to_owned()).collect(),
        wanted: vec!["of-the-file".to_owned()],
    };
    let mine = crate::store::configuration::SettingValue::Words(vec!["mine".to_owned()]);
    let set = core.edit(move |document| document.set_setting("on_change", mine));
    set.await.unwrap();
    let set = core.import_programs(vec![of_file(&[])]).await;
    assert!(set.is_err(), "{set:?}");
    assert_eq!(core.settings().await.unwrap().on_change, ["mine"]);
    core.import_programs(vec![of_file(&["mine"])])
        .await
        .unwrap();
    assert_eq!(core.settings().await.unwrap().on_change, ["of-the-file"]);
}

#[tokio::test]
async fn a_locked_vault_leaves_nothing_out_of_a_bundle_unsaid() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    let saved = core.save(with_key(shop(URL), "one")).await.unwrap();
    core.lock().await;
    let to = crate::store::vault::bundle::SealTo::Passphrase(passphrase());
    let sealed = core.export_bundle(&[saved.connection], to).await;
    assert!(
        matches!(sealed, Err(WorkError::PassphraseNeeded(_))),
        "{sealed:?}"
    );
}

#[tokio::test]
async fn a_bundle_holds_each_value_and_no_reference_beside_it() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    let saved = core.save(with_key(shop(URL), "one")).await.unwrap();
    let to = crate::store::vault::bundle::SealTo::Passphrase(passphrase());
    let sealed = core.export_bundle(&[saved.connection], to).await.unwrap();
    let reader = transfer::ImportOptions {
        opener: transfer::BundleKey::Passphrase(passphrase()),
        ..transfer::ImportOptions::default()
    };
    let elsewhere = Home::new();
    let at = std::path::Path::new("sent.age");
    let read = elsewhere
        .core()
        .read_import(at, &sealed.sealed, &reader)
        .await;
    let item = read.unwrap().items.remove(0);
    assert_eq!(item.connection.key, None);
    assert_eq!(item.key, Some(Secret::new("one")));
}

#[tokio::test]
async fn a_key_in_the_place_of_a_user_name_is_refused_and_not_shown() {
    let home = Home::new();
    let core = home.core();
    let key = "0123456789abcdef0123456789abcdef";
    let text = format!(
        "version = 1\n[[connection]]\nname = \"shop\"\nservice = \"blesta\"\nurl = \"{URL}\"\nusername = \"{key}\"\n"
    );
    let at = std::path::Path::new("sent.toml");
    let reader = transfer::ImportOptions::default();
    let read = core
        .read_import(at, text.as_bytes(), &reader)
        .await
        .unwrap();
    let action = &read.items[0].action;
    assert!(
        matches!(action, transfer::ImportAction::Refused(_)),
        "{action:?}"
    );
    assert!(!format!("{read:?}").contains(key));
}

#[tokio::test]
async fn no_program_of_here_is_run_to_compare_it_with_what_a_file_brings() {
    let home = Home::new();
    let core = home.core();
    let mark = core.folders().unwrap().state.with_file_name("ran");
    let program = format!("cmd:/usr/bin/touch {}", mark.display());
    let here = Connection {
        username: "me".to_owned(),
        key: Some(program.parse().unwrap()),
        ..Connection::new(name("e.com"), ServiceId::http(), "https://e.com/x")
    };
    core.save(ConnectionEdit::new(here)).await.unwrap();
    let text = b"curl -u me:hunter2 https://e.com/x\n";
    let reader = transfer::ImportOptions::default();
    let at = std::path::Path::new("sent.sh");
    let read = core.read_import(at, text, &reader).await.unwrap();
    let action = &read.items[0].action;
    assert_eq!(*action, transfer::ImportAction::Here(name("e.com")));
    assert!(!mark.exists());
}

#[tokio::test]
async fn several_are_changed_together_or_none() {
    let home = Home::new();
    let core = home.core();
    let all = ["first", "second"].map(name);
    let weekly: crate::domain::Window = "sun 02:00-04:00".parse().unwrap();
    let past: crate::domain::Window = "2020-01-01T00:00Z/2020-01-02T00:00Z".parse().unwrap();
    let now = jiff::Timestamp::now();
    for name in &all {
        let mut one = shop(URL);
        one.name = name.clone();
        one.maintenance = vec![weekly.clone(), past.clone()];
        core.save(ConnectionEdit::new(one)).await.unwrap();
    }
    let once: crate::domain::Window = "2099-01-01T00:00Z/2099-01-02T00:00Z".parse().unwrap();
    let windows = vec![once.clone()];
    let set = core.set_all_maintenance(all.to_vec(), windows.clone(), true, now);
    for one in set.await.unwrap() {
        assert_eq!(one.maintenance, [weekly.clone(), once.clone()]);
    }
    let set = core.set_all_maintenance(all.to_vec(), windows.clone(), false, now);
    for one in set.await.unwrap() {
        assert_eq!(one.maintenance, windows);
    }
    let gone = [&all[..], &[name("gone")]].concat();
    assert!(core.set_all_paused(gone, true).await.is_err());
    let known = core.connections().await.unwrap();
    assert!(known.iter().all(|one| !one.paused), "none alone");
    core.set_all_paused(all.to_vec(), true).await.unwrap();
    let known = core.connections().await.unwrap();
    assert!(known.len() == 2 && known.iter().all(|one| one.paused));
}

#[tokio::test]
async fn a_key_does_not_become_a_user_name() {
    let home = Home::new();
    let core = home.core();
    let digits = "0123456789abcdef0123456789abcdef";
    for (username, well) in [
        (format!("shop-api:{digits}"), false),
        (digits.to_owned(), false),
        (format!("SU-160-984-311:{digits}"), false),
        (format!("ApiKey SU-160-984-311:{digits}"), false),
        (format!("Bearer {digits}"), false),
        (format!("{digits}01234567"), false),
        ("SU-160-984-311".to_owned(), true),
        ("shop-api".to_owned(), true),
    ] {
        let mut shop = shop(URL);
        // The legal ones are saved side by side.
        shop.name = name(&format!("shop-{}", username.len()));
        shop.username = username;
        let saved = core.save(ConnectionEdit::new(shop)).await;
        assert_eq!(saved.is_ok(), well);
        if let Err(problem) = saved {
            let problem = crate::domain::error_chain(&problem);
            assert!(problem.contains("key's field") && !problem.contains(digits));
        }
    }
    // Nor by a list of variables, or by definitions that are applied.
    let pair = format!("SU-160-984-311:{digits}");
    let variables =
        format!("CONNECT_URL=https://api.example.com/public/v1\nCONNECT_USERNAME={pair}\n");
    let reader = transfer::ImportOptions::default();
    let at = std::path::Path::new("sent.env");
    let read = core.read_import(at, variables.as_bytes(), &reader).await;
    let shown = format!("{read:?}");
    assert!(
        shown.contains("key's field") && !shown.contains(digits),
        "{shown}"
    );
    let definition = format!(
        "version = 1\n[[connection]]\nname = \"x\"\nservice = \"connect\"\nurl = \"{URL}\"\nusername = \"{pair}\"\n"
    );
    let at = std::path::Path::new("sent.toml");
    let options = transfer::ApplyOptions::default();
    let refused = core.plan_apply(at, &definition, options).await;
    let refused = crate::domain::error_chain(&refused.unwrap_err());
    assert!(
        refused.contains("key's field") && !refused.contains(digits),
        "{refused}"
    );
}

#[tokio::test]
async fn a_further_token_goes_with_its_value_and_only_it() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_key(shop(URL), "a key")).await.unwrap();
    let of = name("shop");
    for label in ["one", "two"] {
        let value = Secret::new(label);
        let added = core.add_handle(&of, label, value, None).await;
        added.unwrap();
    }
    let (_, gone) = core.connection(&of).await.unwrap().added.remove(0);
    let saved = core.remove_handle(&of, "one").await.unwrap();
    assert_eq!(saved.left_behind, []);
    let kept = core.connection(&of).await.unwrap();
    assert_eq!(kept.added.len(), 1);
    let two = core
        .handle(&of, &HandleSlot::Added("two".to_owned()))
        .await
        .unwrap();
    assert_eq!(two.secret(), &Secret::new("two"));
    let one = HandleSlot::Added("one".to_owned());
    let other = core.handle(&of, &one).await.unwrap_err();
    let said = crate::domain::error_chain(&other);
    assert_eq!(said, "shop has no token called one");
    let key = core.handle(&of, &HandleSlot::Key).await.unwrap();
    assert_eq!(key.secret(), &Secret::new("a key"));
    // Its value went too: a connection that names it finds nothing.
    let mut shop = kept.clone();
    shop.name = name("other");
    shop.key = Some(gone);
    core.save(ConnectionEdit::new(shop)).await.unwrap();
    assert!(core.handle(&name("other"), &HandleSlot::Key).await.is_err());
    assert!(core.remove_handle(&of, "one").await.is_err());
}

async fn token_of(core: &Core, of: &str) -> Option<Handle> {
    core.handle(&name(of), &HandleSlot::Token).await.ok()
}

/// A draft that keeps its secret as a shared token, whose handle needs no service description.
fn with_token(connection: Connection, token: &str) -> ConnectionEdit {
    ConnectionEdit {
        key: Edit::Keep,
        token: Edit::Set(Secret::new(token)),
        ..with_key(connection, "")
    }
}

#[tokio::test]
async fn what_was_saved_is_there_for_the_next_program_once_it_is_unlocked() {
    let home = Home::new();
    let core = home.core();
    let mut draft = with_token(shop(URL), "t0ken");
    draft.store = None;
    let Err(WorkError::StoreNeeded(offers)) = core.save(draft.clone()).await else {
        panic!("a first save asks where secrets are kept");
    };
    assert!(offers.iter().any(|offer| offer.kind == StoreKind::Vault));
    draft.store = Some(StoreKind::Vault);
    let asked = core.save(draft.clone()).await.unwrap_err();
    assert!(
        matches!(
            asked,
            WorkError::PassphraseNeeded(PassphrasePurpose::Create)
        ),
        "{asked:?}"
    );
    assert!(
        core.connections().await.unwrap().is_empty(),
        "nothing is saved by halves"
    );
    core.create_vault(passphrase()).await.unwrap();
    let saved = core.save(draft).await.unwrap();
    assert_eq!(
        saved.connection.token,
        Some("vault:shop/token".parse().unwrap())
    );

    let next = home.core();
    assert_eq!(next.settings().await.unwrap().store, Some(StoreKind::Vault));
    assert!(next.is_locked());
    let asked = next
        .handle(&name("shop"), &HandleSlot::Token)
        .await
        .unwrap_err();
    assert!(
        matches!(asked, WorkError::PassphraseNeeded(PassphrasePurpose::Open)),
        "{asked:?}"
    );
    let refused = next.unlock(Secret::new("wrong")).await.unwrap_err();
    assert!(matches!(refused, WorkError::WrongPassphrase), "{refused:?}");
    next.unlock(passphrase()).await.unwrap();
    let handle = token_of(&next, "shop").await.unwrap();
    assert_eq!(handle, Handle::plain(Secret::new("t0ken")));
    next.lock().await;
    assert!(token_of(&next, "shop").await.is_none());
}

#[tokio::test]
async fn a_save_that_fails_loses_nothing_and_leaves_nothing() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_token(shop(URL), "old")).await.unwrap();
    let path = core.folders().unwrap().configuration.clone();
    // It can be read, and nothing can be written: where the lock belongs stands a folder.
    let lock = path.with_file_name(".switchboard.toml.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let mut draft = with_token(shop("https://new.example.com"), "new");
    draft.replaces = Some(name("shop"));
    let failed = core.save(draft.clone()).await.unwrap_err();
    let late = matches!(&failed, WorkError::Failed { doing, .. } if doing.contains("changing"));
    assert!(late, "only the last step fails: {failed:?}");
    fs::remove_dir(&lock).unwrap();
    assert_eq!(core.connection(&name("shop")).await.unwrap().url, URL);
    assert_eq!(
        token_of(&core, "shop").await,
        Some(Handle::plain(Secret::new("old")))
    );
    assert_eq!(core.0.vault.names().unwrap(), ["shop/token"]);

    core.save(draft).await.unwrap();
    assert_eq!(
        token_of(&core, "shop").await,
        Some(Handle::plain(Secret::new("new")))
    );
    assert_eq!(
        core.0.vault.names().unwrap(),
        ["shop/token-2"],
        "the old value is taken out"
    );
}

#[tokio::test]
async fn a_value_that_another_connection_shares_stays() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_token(shop(URL), "shared")).await.unwrap();
    core.duplicate(&name("shop"), &name("copy")).await.unwrap();
    assert!(core.remove(&name("shop")).await.unwrap().is_empty());
    assert_eq!(
        token_of(&core, "copy").await,
        Some(Handle::plain(Secret::new("shared")))
    );
    assert!(core.remove(&name("copy")).await.unwrap().is_empty());
    assert!(core.0.vault.names().unwrap().is_empty());
    let gone = core.remove(&name("copy")).await.unwrap_err();
    assert!(matches!(gone, WorkError::NoSuchConnection(_)), "{gone:?}");
}

#[tokio::test]
async fn a_saved_copy_refers_to_what_its_original_does_and_for_the_same_origin() {
    let home = Home::new();
    let core = home.core_with(&[("KEY", "k")]);
    let mut original = shop(URL);
    original.key = Some("env:KEY".parse().unwrap());
    core.save(ConnectionEdit::new(original.clone()))
        .await
        .unwrap();
    // Nobody has said where new secrets go, and none is new.
    let mut copy = original.clone();
    copy.name = name("copy");
    copy.url = "https://elsewhere.example.com".to_owned();
    let draft = ConnectionEdit {
        copies: Some(original.name.clone()),
        ..ConnectionEdit::new(copy)
    };
    let saved = core.save(draft).await.unwrap().connection;
    assert_eq!(saved.key, original.key);
    let known = core.load_secrets(&name("copy")).await.unwrap().key_origin;
    assert_eq!(known, Origin::parse(URL), "nobody agreed to another host");
}

#[tokio::test]
async fn a_copy_onto_a_taken_name_costs_its_owner_nothing() {
    let home = Home::new();
    let core = home.core_with(&[("KEY", "k")]);
    let from_variable = |of: &str| {
        let mut connection = shop(URL);
        connection.name = name(of);
        connection.key = Some("env:KEY".parse().unwrap());
        ConnectionEdit::new(connection)
    };
    for of in ["shop", "store"] {
        core.save(from_variable(of)).await.unwrap();
    }
    let remembered = core.load_secrets(&name("store")).await.unwrap().key_origin;
    assert_eq!(remembered, Origin::parse(URL));
    let copied = core.duplicate(&name("shop"), &name("store")).await;
    assert!(matches!(copied, Err(WorkError::NameTaken(_))), "{copied:?}");
    let after = core.load_secrets(&name("store")).await.unwrap().key_origin;
    assert_eq!(after, remembered, "what is remembered under it stays");
}

#[tokio::test]
async fn a_locked_vault_lets_a_connection_go_and_says_what_stays() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_token(shop(URL), "t")).await.unwrap();
    core.lock().await;
    let left = core.remove(&name("shop")).await.unwrap();
    assert_eq!(left, ["vault:shop/token".parse().unwrap()]);
    assert!(core.connections().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_rename_moves_what_is_remembered() {
    let home = Home::new();
    let core = home.core();
    let mut draft = with_token(shop(URL), "t");
    draft.store = Some(StoreKind::Ask);
    core.save(draft.clone()).await.unwrap();
    let taken = core.save(draft.clone()).await.unwrap_err();
    assert!(matches!(taken, WorkError::NameTaken(_)), "{taken:?}");
    core.rename(&name("shop"), &name("store")).await.unwrap();
    assert_eq!(
        token_of(&core, "store").await,
        Some(Handle::plain(Secret::new("t")))
    );
    // By saving under another name, with a new value.
    draft.replaces = Some(name("store"));
    draft.token = Edit::Set(Secret::new("t2"));
    core.save(draft).await.unwrap();
    assert_eq!(
        token_of(&core, "shop").await,
        Some(Handle::plain(Secret::new("t2")))
    );
    assert!(token_of(&core, "store").await.is_none());
}

#[tokio::test]
async fn what_others_changed_meanwhile_stays() {
    let home = Home::new();
    let (ours, theirs) = (home.core(), home.core());
    ours.save(ConnectionEdit::new(shop(URL))).await.unwrap();
    let opened = ours.connection(&name("shop")).await.unwrap();
    let edited = |change: fn(&mut Connection)| {
        let mut connection = opened.clone();
        change(&mut connection);
        ConnectionEdit {
            replaces: Some(name("shop")),
            opened: Some(Box::new(opened.clone())),
            ..ConnectionEdit::new(connection)
        }
    };
    theirs
        .save(edited(|shop| shop.note = "theirs".into()))
        .await
        .unwrap();
    ours.save(edited(|shop| shop.company = Some("ours".into())))
        .await
        .unwrap();
    let both = theirs.connection(&name("shop")).await.unwrap();
    assert_eq!(
        (both.note.as_str(), both.company.as_deref()),
        ("theirs", Some("ours"))
    );
}

async fn is_sent(core: &Core, trust: Trust) -> bool {
    let shop = core.connection(&name("shop")).await.unwrap();
    let origin = Origin::parse(&shop.url);
    let held = core
        .held(&shop, &HandleSlot::Key, origin.as_ref(), trust)
        .await;
    matches!(held, SecretState::Present(_))
}

#[tokio::test]
async fn a_secret_stays_with_the_origin_that_it_was_entered_for() {
    for (reference, store) in [(Some("env:KEY"), None), (None, Some(StoreKind::Ask))] {
        let home = Home::new();
        let core = home.core_with(&[("KEY", "k")]);
        let mut connection = shop(URL);
        connection.key = reference.map(|text| text.parse().unwrap());
        let mut draft = ConnectionEdit::new(connection);
        if store.is_some() {
            draft.store = store;
            draft.key = Edit::Set(Secret::new("k"));
        }
        let saved = core.save(draft).await.unwrap().connection;
        assert!(is_sent(&core, Trust::Saved).await);

        let mut moved = ConnectionEdit {
            replaces: Some(name("shop")),
            ..ConnectionEdit::new(Connection {
                url: "https://evil.example.com".to_owned(),
                ..saved
            })
        };
        core.save(moved.clone()).await.unwrap();
        assert!(!is_sent(&core, Trust::Saved).await, "{reference:?}");
        assert!(!is_sent(&core, Trust::Watched).await, "{reference:?}");
        assert!(!is_sent(&core, Trust::Unsaved).await, "{reference:?}");
        assert!(is_sent(&core, Trust::Confirmed).await, "{reference:?}");
        assert!(
            !is_sent(&core, Trust::Saved).await,
            "one agreement is one probe"
        );
        moved.origin_confirmed = true;
        core.save(moved).await.unwrap();
        assert!(is_sent(&core, Trust::Saved).await, "{reference:?}");
    }
}

/// A clone shares its original's entry; what is agreed for the clone is none of the original's.
#[tokio::test]
async fn an_agreement_for_a_clone_takes_no_key_from_its_original() {
    let home = Home::new();
    let core = home.core();
    let (saved, clone) = sharing(&core).await;
    assert_eq!(clone.key, saved.key);
    let sent = async |connection: &Connection| {
        let origin = Origin::parse(&connection.url);
        let held = core
            .held(connection, &HandleSlot::Key, origin.as_ref(), Trust::Saved)
            .await;
        held == SecretState::Present(Secret::new("k"))
    };
    // Nothing is parted where the entry is for that origin already.
    let same = core.save(agreed_at(URL, &clone)).await.unwrap().connection;
    assert_eq!(same.key, saved.key);

    let elsewhere = "https://stage.example.com";
    let moved = core
        .save(agreed_at(elsewhere, &clone))
        .await
        .unwrap()
        .connection;
    assert_ne!(moved.key, saved.key);
    assert!(sent(&moved).await && sent(&saved).await);
    // One that nobody shares any more stays where it is.
    let back = core.save(agreed_at(URL, &moved)).await.unwrap().connection;
    assert_eq!(back.key, moved.key);
    assert!(sent(&back).await && sent(&saved).await);
}

fn agreed_at(url: &str, before: &Connection) -> ConnectionEdit {
    ConnectionEdit {
        replaces: Some(before.name.clone()),
        origin_confirmed: true,
        ..ConnectionEdit::new(Connection {
            url: url.to_owned(),
            ..before.clone()
        })
    }
}

/// Two connections, `shop` and `stage`, that share one entry of the vault.
async fn sharing(core: &Core) -> (Connection, Connection) {
    core.create_vault(passphrase()).await.unwrap();
    let mut draft = ConnectionEdit::new(shop(URL));
    (draft.store, draft.key) = (Some(StoreKind::Vault), Edit::Set(Secret::new("k")));
    let saved = core.save(draft).await.unwrap().connection;
    let clone = core.duplicate(&name("shop"), &name("stage")).await.unwrap();
    (saved, clone)
}

/// Whoever is at the new host already loses nothing, and needs the agreement as well.
#[tokio::test]
async fn a_shared_key_is_not_parted_from_those_at_the_same_host() {
    let home = Home::new();
    let core = home.core();
    let (saved, clone) = sharing(&core).await;
    let elsewhere = "https://stage.example.com";
    let mut unasked = agreed_at(elsewhere, &clone);
    unasked.origin_confirmed = false;
    let clone = core.save(unasked).await.unwrap().connection;
    let moved = core.save(agreed_at(elsewhere, &saved)).await.unwrap();
    assert_eq!(moved.connection.key, saved.key);
    let origin = Origin::parse(elsewhere);
    for connection in [&moved.connection, &clone] {
        let held = core.held(connection, &HandleSlot::Key, origin.as_ref(), Trust::Saved);
        assert_eq!(held.await, SecretState::Present(Secret::new("k")));
    }
}

#[tokio::test]
async fn a_shared_key_that_is_gone_keeps_no_connection_from_being_saved() {
    let home = Home::new();
    let core = home.core();
    let (_, clone) = sharing(&core).await;
    let elsewhere = "https://stage.example.com";
    core.lock().await;
    let locked = core.save(agreed_at(elsewhere, &clone)).await.unwrap_err();
    assert!(
        matches!(locked, WorkError::PassphraseNeeded(PassphrasePurpose::Open)),
        "{locked:?}"
    );
    core.unlock(passphrase()).await.unwrap();
    core.0.vault.remove("shop/key").unwrap();
    let moved = core.save(agreed_at(elsewhere, &clone)).await.unwrap();
    assert_eq!(moved.connection.url, elsewhere);
    assert_eq!(moved.connection.key, clone.key);
}

#[tokio::test]
async fn a_reference_written_by_hand_is_pinned_by_its_first_probe() {
    let home = Home::new();
    let core = home.core_with(&[("KEY", "k")]);
    let path = core.folders().unwrap().configuration.clone();
    let write = |url: &str| {
        let text = format!(
            "version = 1\n[[connection]]\nname = \"shop\"\nservice = \"blesta\"\nurl = \"{url}\"\nkey = \"env:KEY\"\n"
        );
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(URL);
    assert!(!is_sent(&core, Trust::Unsaved).await);
    assert!(is_sent(&core, Trust::Saved).await);
    write("https://elsewhere.example.com");
    assert!(!is_sent(&core, Trust::Saved).await);
}

#[tokio::test]
async fn a_rehearsal_writes_no_file_and_has_its_secrets() {
    let environment = Environment::of([]);
    let entries = vec![Rehearsed {
        connection: shop(URL),
        key: None,
        token: Some(Secret::new("t")),
    }];
    let core = Core::rehearsal(environment, entries).await.unwrap();
    assert_eq!(
        token_of(&core, "shop").await,
        Some(Handle::plain(Secret::new("t")))
    );
    let mut draft = with_token(
        Connection {
            name: name("new"),
            ..shop(URL)
        },
        "n",
    );
    draft.store = Some(StoreKind::Vault);
    let saved = core.save(draft).await.unwrap();
    assert_eq!(saved.connection.token, Some(SecretRef::Ask));
    assert_eq!(
        token_of(&core, "new").await,
        Some(Handle::plain(Secret::new("n")))
    );
    // What somebody has entered can be entered again.
    core.lock().await;
    assert_eq!(
        token_of(&core, "shop").await,
        Some(Handle::plain(Secret::new("t")))
    );
    assert_eq!(token_of(&core, "new").await, None);
}

#[tokio::test]
async fn no_vault_is_made_for_what_is_read() {
    let home = Home::new();
    let core = home.core();
    let mut connection = shop(URL);
    connection.key = Some("vault:shop/key".parse().unwrap());
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    let of = name("shop");
    let moved = core.move_secret(&of, &HandleSlot::Key, StoreKind::Keyring);
    for problem in [
        core.handle(&of, &HandleSlot::Key).await.unwrap_err(),
        core.recipients().await.unwrap_err(),
        core.remove_recipient("age1".to_owned()).await.unwrap_err(),
        core.remove_unused("other/key".to_owned())
            .await
            .unwrap_err(),
        moved.await.unwrap_err(),
    ] {
        let told = crate::domain::error_chain(&problem);
        assert!(told.contains("identity.age is missing"), "{problem:?}");
    }
    let held = core.load_secrets(&of).await.unwrap();
    assert!(held.key.is_err(), "it stands in its field");
    let other = Home::new();
    let theirs = other.core();
    theirs.create_vault(passphrase()).await.unwrap();
    let key = theirs.recipient().await.unwrap();
    let added = core.add_recipient(key, String::new()).await;
    assert!(
        matches!(
            added,
            Err(WorkError::PassphraseNeeded(PassphrasePurpose::Create))
        ),
        "{added:?}"
    );
}

#[tokio::test]
async fn the_form_gets_each_secret_or_a_sentence() {
    let home = Home::new();
    let core = home.core_with(&[("TOKEN", "t")]);
    let mut connection = shop(URL);
    connection.key = Some("env:UNSET".parse().unwrap());
    connection.token = Some("env:TOKEN".parse().unwrap());
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    let loaded = core.load_secrets(&name("shop")).await.unwrap();
    assert_eq!(loaded.token, Ok(Some(Secret::new("t"))));
    let why = loaded.key.unwrap_err().to_string();
    assert!(why.contains("UNSET"), "{why}");
}

#[tokio::test]
async fn a_command_keeps_a_new_value_where_the_old_one_is_and_never_for_a_session() {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_key(shop(URL), "k1")).await.unwrap();
    let settings = core.store().edit(|document| {
        let ask = crate::store::configuration::SettingValue::Text("ask".into());
        document.set_setting("store", ask)
    });
    settings.unwrap();
    let command = home.core().for_one_command();
    command.unlock(passphrase()).await.unwrap();
    let new = Secret::new("k2");
    let of = name("shop");
    let set = command.set_secret(&of, &HandleSlot::Key, new.clone(), None);
    let saved = set.await.unwrap().connection;
    assert!(
        matches!(saved.key, Some(SecretRef::Vault(_))),
        "{:?}",
        saved.key
    );
    let mut other = shop(URL);
    other.name = name("other");
    let mut draft = with_key(other, "k3");
    draft.store = None;
    let refused = command.save(draft.clone()).await.unwrap_err();
    assert!(matches!(refused, WorkError::StoreNeeded(_)), "{refused:?}");
    let added = command.add_handle(&of, "more", new, None).await.unwrap();
    assert!(
        matches!(added.connection.added[0].1, SecretRef::Vault(_)),
        "{added:?}"
    );
    // A screen has a session to keep it for.
    let saved = home.core().save(draft).await.unwrap();
    assert_eq!(saved.connection.key, Some(SecretRef::Ask));
}

#[tokio::test]
async fn an_import_whose_label_is_refused_leaves_nothing() {
    let core = Home::new().core();
    let item = transfer::Item {
        added: vec![("key".to_owned(), Secret::new("v"))],
        ..transfer::Item::new(shop(URL))
    };
    let refused = core.import_one(&item, None).await;
    assert!(
        matches!(refused, Err(WorkError::Failed { .. })),
        "{refused:?}"
    );
    assert_eq!(core.connections().await.unwrap(), []);
}

#[tokio::test]
async fn definitions_come_in_together_and_each_with_its_origin() {
    let home = Home::new();
    let core = home.core_with(&[("SHOP_KEY", "a key")]);
    let connections: Vec<_> = ["one", "two", "three"]
        .map(|text| Connection {
            name: name(text),
            key: Some(SecretRef::Env("SHOP_KEY".into())),
            ..shop(URL)
        })
        .into();
    let done = core.import_together(connections.clone(), None).await;
    done.unwrap();
    let here = core.connections().await.unwrap();
    let names: Vec<_> = here.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    // Its first probe may send the value there, as after a save.
    let secrets = core.secrets().await.unwrap();
    for one in &connections {
        let (held, place) = secrets::reference(one, &HandleSlot::Key).unwrap();
        let origin = secrets.origin_of(held, &place).await.unwrap();
        assert_eq!(origin, Origin::parse(URL), "{}", one.name);
    }
    // All of them, or none.
    let mut more = connections;
    more[0].name = name("four");
    let refused = core.import_together(more, None).await.unwrap_err();
    assert!(matches!(refused, WorkError::NameTaken(_)), "{refused:?}");
    assert_eq!(core.connections().await.unwrap().len(), 3);
    let place = secrets::reference(
        &core.connection(&name("two")).await.unwrap(),
        &HandleSlot::Key,
    )
    .map(|(held, place)| (held.clone(), place))
    .unwrap();
    let origin = secrets.origin_of(&place.0, &place.1).await.unwrap();
    assert_eq!(origin, Origin::parse(URL), "what is here has lost nothing");
}
