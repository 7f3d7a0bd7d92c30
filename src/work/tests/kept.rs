//! What is kept on disk, where it is away, full, spoilt or left over.

use std::fs;
use std::path::Path;

use super::*;
use crate::domain::HandleSlot;
use crate::domain::token::RenewalAction;
use crate::store::state::{Holding, RenewalRecord, RenewalStage};
use crate::store::vault::bundle;

/// A user whose shop has its token in the vault.
async fn with_shop() -> (Home, Core) {
    let home = Home::new();
    let core = home.core();
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_token(shop(URL), "t0ken-in-use"))
        .await
        .unwrap();
    (home, core)
}

/// The findings about what contains `about`.
async fn found(core: &Core, about: &str) -> Vec<String> {
    let findings = core.examine().await.findings.into_iter();
    let about = findings.filter(|finding| finding.about.contains(about));
    about.map(|finding| finding.text).collect()
}

fn put(core: &Core, entry: &str, value: &str) {
    let value = Secret::new(value);
    core.0.vault.put(entry, &value, None).unwrap();
}

fn under_way(new: Option<&str>) -> RenewalRecord {
    RenewalRecord {
        origin: "https://api.example.com".to_owned(),
        token: "SU-1".to_owned(),
        connection: "shop".to_owned(),
        action: RenewalAction::Rotate,
        began: jiff::Timestamp::now(),
        expires: None,
        old: None,
        earlier: None,
        holdings: vec![Holding {
            connection: "shop".to_owned(),
            old: "vault:shop/token".parse().unwrap(),
            was: None,
            new: new.map(|new| new.parse().unwrap()),
        }],
        stage: RenewalStage::Asked,
        first: None,
        refused: None,
    }
}

#[tokio::test]
async fn what_nobody_uses_is_found_and_taken_out() {
    let (_home, core) = with_shop().await;
    put(&core, "old/key", "some other value");
    put(&core, "twice", "t0ken-in-use");
    let revoked = found(&core, "vault:old/key").await;
    assert!(revoked[0].contains("revoke it"), "{revoked:?}");
    let left = found(&core, "vault:twice").await;
    assert!(
        left[0].contains("in use elsewhere") && !left[0].contains("revoke"),
        "revoking it would lock its owner out: {left:?}"
    );
    for entry in ["old/key", "twice"] {
        core.remove_unused(entry.to_owned()).await.unwrap();
    }
    assert_eq!(found(&core, "vault:").await, [""; 0]);
    let used = core.remove_unused("shop/token".to_owned()).await;
    assert!(crate::domain::error_chain(&used.unwrap_err()).contains("uses it"));
    assert_eq!(core.0.vault.names().unwrap(), ["shop/token"]);
}

#[tokio::test]
async fn what_may_live_where_nobody_looks_is_not_to_be_revoked_unseen() {
    let (home, _) = with_shop().await;
    let core = home.core_with(&[("PATH", "/usr/bin:/bin")]);
    core.unlock(passphrase()).await.unwrap();
    put(&core, "b/key", "some value");
    let mark = home.0.path().join("mark");
    let of = |connection: &str, reference: String| Connection {
        name: name(connection),
        key: Some(reference.parse().unwrap()),
        ..shop(URL)
    };
    let command = format!("cmd:/usr/bin/touch {}", mark.display());
    core.save(ConnectionEdit::new(of("a", "env:NOT_SET_HERE".to_owned())))
        .await
        .unwrap();
    core.save(ConnectionEdit::new(of("b", command)))
        .await
        .unwrap();
    let texts = found(&core, "vault:b/key").await;
    assert!(
        texts[0].contains("one of b/key (cmd:/usr/bin/touch")
            && texts[0].contains("only if they differ"),
        "{texts:?}"
    );
    assert!(!mark.exists(), "no program is run for that");
}

#[tokio::test]
async fn while_a_renewal_is_under_way_its_new_secret_is_not_called_unused() {
    let (_home, core) = with_shop().await;
    for entry in ["elsewhere", "first", "shop/token-2", "unused"] {
        put(&core, entry, entry);
    }
    let state = core.0.state().unwrap();
    let mut record = under_way(Some("vault:elsewhere"));
    record.first = Some("vault:first".parse().unwrap());
    state.begin_renewal(&record).unwrap();
    assert_eq!(found(&core, "vault:").await.len(), 1);
    assert_eq!(found(&core, "vault:unused").await.len(), 1);
    for entry in ["elsewhere", "first", "shop/token-2"] {
        let kept = core.remove_unused(entry.to_owned()).await;
        assert!(crate::domain::error_chain(&kept.unwrap_err()).contains("renewal"));
    }
}

#[tokio::test]
async fn without_its_configuration_no_entry_is_called_unused() {
    let (home, core) = with_shop().await;
    core.rename(&name("shop"), &name("other")).await.unwrap();
    let path = core.folders().unwrap().configuration.clone();
    fs::remove_file(&path).unwrap();
    let next = home.core();
    next.unlock(passphrase()).await.unwrap();
    assert_eq!(found(&next, "vault:").await, [""; 0]);
    let lost = found(&next, "configuration").await;
    assert!(
        lost[0].contains("is not there") && lost[0].contains("backup/switchboard.toml.1"),
        "{lost:?}"
    );
    assert!(next.remove_unused("shop/token".to_owned()).await.is_err());
}

#[tokio::test]
async fn no_new_vault_is_written_where_the_one_in_use_is_away() {
    let (home, core) = with_shop().await;
    let (vault, aside) = (
        core.0.vault.path(),
        core.0.vault.path().with_extension("aside"),
    );
    fs::rename(&vault, &aside).unwrap();
    // A program that had it open, one that opens it first, and one that reads the configuration first.
    let (second, third) = (home.core(), home.core());
    second.unlock(passphrase()).await.unwrap();
    third.connections().await.unwrap();
    let refused = crate::domain::error_chain(&third.unlock(passphrase()).await.unwrap_err());
    assert!(refused.contains("vault.age is not there"), "{refused}");
    for core in [&core, &second] {
        let draft = ConnectionEdit {
            replaces: Some(name("shop")),
            ..with_token(shop(URL), "new")
        };
        let refused = crate::domain::error_chain(&core.save(draft).await.unwrap_err());
        assert!(refused.contains("vault.age is not there"), "{refused}");
        assert_eq!(token_of(core, "shop").await, None);
    }
    assert!(!vault.exists());
    fs::rename(&aside, &vault).unwrap();
    for core in [&core, &second] {
        assert!(token_of(core, "shop").await.is_some(), "it is back");
    }
}

#[tokio::test]
async fn a_file_in_the_way_of_saves_is_found() {
    let home = Home::new();
    let core = home.core();
    core.save(ConnectionEdit::new(shop(URL))).await.unwrap();
    assert_eq!(found(&core, "files").await, [""; 0]);
    let folders = home.options(&[]).folders;
    let backup = folders.config().join("backup");
    for way in [folders.data, backup] {
        let _ = fs::remove_dir_all(&way);
        fs::create_dir_all(way.parent().unwrap()).unwrap();
        fs::write(&way, "in the way").unwrap();
        let shown = crate::store::files::shown(&way);
        let words = format!("nothing can be saved: {shown} is not a folder");
        let findings = found(&core, "files").await;
        assert!(findings.contains(&words), "{findings:?}");
        fs::remove_file(&way).unwrap();
    }
}

#[tokio::test]
async fn references_that_lead_nowhere_are_found() {
    let (home, _) = with_shop().await;
    let core = home.core_with(&[("PATH", "/usr/bin:/bin")]);
    core.unlock(passphrase()).await.unwrap();
    let key = home.0.path().join("empty");
    fs::write(&key, "\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let references = [
        "vault:no/such".to_owned(),
        format!("file:{}", key.display()),
        "cmd:no-such-program a".to_owned(),
        "cmd:/bin/sh -c x".to_owned(),
        "env:NOT_SET_HERE".to_owned(),
    ];
    for (number, reference) in references.iter().enumerate() {
        let connection = Connection {
            name: name(&format!("c{number}")),
            key: Some(reference.parse().unwrap()),
            ..shop(URL)
        };
        core.save(ConnectionEdit::new(connection)).await.unwrap();
    }
    for (about, words) in [
        ("vault:no/such", "no such entry"),
        ("file:", "is empty"),
        ("cmd:no-such-program", "no such program"),
    ] {
        let texts = found(&core, about).await;
        assert!(texts.len() == 1 && texts[0].contains(words), "{texts:?}");
    }
    assert_eq!(found(&core, "cmd:/bin/sh").await, [""; 0]);
    let notes = core.examine().await.notes.join("\n");
    assert!(notes.contains("NOT_SET_HERE is not set"), "{notes}");
    let locations = core.secret_locations().await.unwrap();
    assert!(!locations.iter().any(|one| one.location.is_locked));
    core.lock().await;
    let locations = core.secret_locations().await.unwrap();
    assert!(locations.iter().any(|one| one.location.is_locked));
    assert_eq!(
        found(&core, "vault:no/such").await,
        [""; 0],
        "not known now"
    );
}

#[tokio::test]
async fn an_export_replaces_no_file_of_ours() {
    let (home, core) = with_shop().await;
    core.0.state().unwrap();
    let folders = core.folders().unwrap().clone();
    core.rename(&name("shop"), &name("other")).await.unwrap();
    let link = home.0.path().join("link");
    std::os::unix::fs::symlink(&folders.configuration, &link).unwrap();
    for own in [
        folders.configuration.clone(),
        folders.data.join("vault.age"),
        folders.data.join("../switchboard/identity.age"),
        folders.state.join("history.sqlite"),
        link,
        folders.config().join("backup/switchboard.toml.1"),
        folders.config().join("backup/switchboard.toml.7"),
        folders.config().join(".switchboard.toml.lock"),
        folders.config().join("services/new.toml"),
        folders.data.join(".vault.lock"),
        folders.state.join(".history.lock"),
        folders.state.join("history.sqlite-wal"),
    ] {
        let before = fs::read(&own).ok();
        let refused = core.write_export(own.clone(), b"x".to_vec()).await;
        let why = crate::domain::error_chain(&refused.unwrap_err());
        assert!(why.contains("switchboard's own"), "{why}");
        assert_eq!(fs::read(&own).ok(), before, "{}", own.display());
    }
    for other in ["backup/mine.toml", "shops.toml"] {
        let path = folders.config().join(other);
        core.write_export(path, b"x".to_vec()).await.unwrap();
    }
    let other = home.0.path().join("out.toml");
    core.write_export(other.clone(), b"x".to_vec())
        .await
        .unwrap();
    assert_eq!(fs::read(other).unwrap(), b"x");
}

#[tokio::test]
async fn entered_paths_are_kept_whole() {
    let home = Home::new();
    let core = home.core();
    let mut shop = shop(URL);
    shop.ca_file = Some(Path::new("ca.pem").into());
    shop.key = Some("file:~/key".parse().unwrap());
    let saved = core
        .save(ConnectionEdit::new(shop))
        .await
        .unwrap()
        .connection;
    let here = std::env::current_dir().unwrap();
    assert_eq!(saved.ca_file.as_deref(), Some(&*here.join("ca.pem")));
    let key = SecretRef::File(home.0.path().join("key"));
    assert_eq!(saved.key.as_ref(), Some(&key));
    assert_eq!(core.connection(&name("shop")).await.unwrap(), saved);
}

#[tokio::test]
async fn a_state_that_was_moved_away_is_not_made_anew_and_goes_on_once_it_is_back() {
    let home = Home::new();
    let core = home.core();
    let state = core.0.state().unwrap();
    let path = core.folders().unwrap().state.join("history.sqlite");
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    assert!(
        state.remove_connection(&name("shop")).is_err(),
        "nobody would see it"
    );
    let refused = crate::domain::error_chain(&core.0.state().err().unwrap());
    assert!(refused.contains("was moved away"), "{refused}");
    assert!(!path.exists());
    fs::rename(&aside, &path).unwrap();
    let next = core.0.state().unwrap();
    next.remove_connection(&name("shop")).unwrap();
    assert!(std::sync::Arc::ptr_eq(&state, &next));
}

/// What is away says nothing of what is known: neither that a key is in use by nobody, nor that nothing is watched.
#[tokio::test]
async fn a_configuration_that_was_moved_away_is_missed_and_its_connections_are_probed() {
    let (_home, core) = with_shop().await;
    core.rename(&name("shop"), &name("other")).await.unwrap();
    let known = core.connections().await.unwrap();
    let path = core.folders().unwrap().configuration.clone();
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    let missed = crate::domain::error_chain(&core.connections().await.unwrap_err());
    assert!(
        missed.contains("is gone: put it back") && missed.contains("backup/switchboard.toml.1"),
        "{missed}"
    );
    let verdict = core
        .probe_saved(&name("other"), crate::service::Trigger::UrlTyping, &silent)
        .await;
    assert_eq!(verdict.service, ServiceId::blesta(), "{verdict:?}");
    fs::rename(&aside, &path).unwrap();
    assert_eq!(core.connections().await.unwrap(), known);
}

#[tokio::test]
async fn two_who_make_the_vault_at_once_both_have_it() {
    let home = Home::new();
    let (first, second) = (home.core(), home.core());
    // Both have found that there is none.
    first.create_vault(passphrase()).await.unwrap();
    second.create_vault(passphrase()).await.unwrap();
    for (core, called) in [(&first, "a"), (&second, "b")] {
        let connection = Connection {
            name: name(called),
            ..shop(URL)
        };
        core.save(with_token(connection, called)).await.unwrap();
    }
    assert_eq!(first.0.vault.names().unwrap(), ["a/token", "b/token"]);
    let other = home.core().create_vault(Secret::new("another one")).await;
    assert!(
        matches!(other, Err(WorkError::WrongPassphrase)),
        "{other:?}"
    );
}

#[tokio::test]
async fn what_is_asked_for_once_a_session_is_so_behind_a_bundle_too() {
    let home = Home::new();
    let core = home.core();
    let asked = Connection {
        key: Some(SecretRef::Ask),
        ..shop(URL)
    };
    core.save(ConnectionEdit::new(asked)).await.unwrap();
    let entered = Secret::new("entered-key");
    core.enter(&name("shop"), &HandleSlot::Key, entered)
        .await
        .unwrap();
    let chosen = [core.connection(&name("shop")).await.unwrap()];
    let seal = Secret::new("over the wire");
    let to = bundle::SealTo::Passphrase(seal.clone());
    let bundled = core.export_bundle(&chosen, to).await.unwrap();
    assert_eq!((bundled.secrets, bundled.left_out), (0, vec![]));
    let opened = bundle::open_bundle(&bundled.sealed, &seal).unwrap();
    assert!(
        opened.definitions.contains("key = \"ask\""),
        "{}",
        opened.definitions
    );
}

/// The file says of itself that no secret stands in it. A bundle is sealed, and holds what is secret anyway.
#[tokio::test]
async fn a_secret_in_a_url_is_exported_in_a_bundle_alone() {
    let home = Home::new();
    let core = home.core();
    let in_url = shop("https://billing.example.com/x?api_key=geheim12345678");
    let in_cms_url = Connection {
        cms_url: Some("https://cms.example.com/?token=geheim12345678".to_owned()),
        ..shop(URL)
    };
    for (one, option) in [
        (&in_url, "edit shop --url URL"),
        (&in_cms_url, "edit shop --cms-url URL"),
    ] {
        let refused = core.export_definitions(std::slice::from_ref(one));
        let refused = crate::domain::error_chain(&refused.unwrap_err());
        assert!(
            refused.contains(option) && !refused.contains("geheim"),
            "{refused}"
        );
    }
    let as_user = Connection {
        username: "SU-1-2:geheim12345678".to_owned(),
        ..shop(URL)
    };
    let in_the_open = core.export_definitions(std::slice::from_ref(&as_user));
    for refused in [in_the_open, core.export_curl(&as_user).await] {
        let refused = crate::domain::error_chain(&refused.unwrap_err());
        assert!(
            refused.contains("edit shop --username") && !refused.contains("geheim"),
            "{refused}"
        );
    }
    let refused = core.export_curl(&in_url).await.unwrap_err();
    let refused = crate::domain::error_chain(&refused);
    assert!(refused.contains("its parameter api_key"), "{refused}");
    let seal = bundle::SealTo::Passphrase(Secret::new("over the wire"));
    assert!(core.export_bundle(&[in_url], seal).await.is_ok());
}

/// Made anew with one setting in it, the file would no longer be missed, and all connections were gone.
#[tokio::test]
async fn a_setting_is_not_written_into_the_place_of_a_configuration_that_is_away() {
    let (_home, core) = with_shop().await;
    let path = core.folders().unwrap().configuration.clone();
    core.connections().await.unwrap();
    fs::remove_file(&path).unwrap();
    let refused = core.set("order", "name").await.unwrap_err();
    let refused = crate::domain::error_chain(&refused);
    assert!(refused.contains("is gone: put it back"), "{refused}");
    assert!(!path.exists());
}

/// As on a disk that is mounted to be read only, or in a folder of root's.
#[tokio::test]
async fn a_history_that_can_only_be_read_is_read() {
    let home = Home::new();
    let (core, shop) = (home.core(), name("shop"));
    let run = crate::store::RunRecord {
        at: jiff::Timestamp::UNIX_EPOCH,
        reason: crate::domain::Reason::Connected,
        status: 200,
        us: None,
        planned: false,
    };
    core.0.state().unwrap().record([(&shop, run)]).unwrap();
    let lock = core.folders().unwrap().state.join(".history.lock");
    drop(core);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let core = home.core();
    let since = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(core.results(&shop, since).await.unwrap(), [run]);
    let why = core.state_problem().await.unwrap();
    assert!(why.contains("can't be locked"), "{why}");
    // What is not there can't be read either, and the same is said.
    fs::remove_file(lock.with_file_name("history.sqlite")).unwrap();
    let missing = core.results(&shop, since).await.unwrap_err();
    assert_eq!(crate::domain::error_chain(&missing), why);
}
