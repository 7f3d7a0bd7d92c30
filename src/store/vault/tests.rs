//! The vault opens for its passphrase and its recipients, loses nobody's entry, and never overwrites damage.

use std::fs;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use age::secrecy::ExposeSecret;

use super::*;

/// Longer than anything here takes: only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// scrypt at its real cost would make these tests wait.
fn vault(folder: &Path) -> Vault {
    Vault {
        work_factor: 4,
        ..Vault::at(folder)
    }
}

fn pass() -> Secret {
    Secret::new("correct horse")
}

fn origin() -> Origin {
    Origin::parse("https://a.example").unwrap()
}

fn unlocked(folder: &Path) -> Vault {
    let vault = vault(folder);
    vault.unlock(&pass()).unwrap();
    vault
}

fn value(vault: &Vault, name: &str) -> Option<String> {
    vault
        .get(name)
        .unwrap()
        .map(|entry| entry.value().expose().to_owned())
}

#[test]
fn a_vault_that_others_can_change_is_neither_opened_nor_written() {
    let folder = tempfile::tempdir().unwrap();
    let first = vault(folder.path());
    first.create(&pass()).unwrap();
    let open_to_all = |path: &Path, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(path, mode).unwrap();
    };
    for path in [first.identity_path(), first.path()] {
        open_to_all(&path, 0o666);
        let refused = vault(folder.path()).unlock(&pass()).unwrap_err();
        assert!(refused.to_string().contains("chmod"), "{refused}");
        if path == first.path() {
            let before = fs::read(&path).unwrap();
            let refused = first.put("shop/key", &Secret::new("k"), None).unwrap_err();
            assert!(refused.to_string().contains("chmod"), "{refused}");
            assert_eq!(fs::read(&path).unwrap(), before);
        }
        open_to_all(&path, 0o600);
        vault(folder.path()).unlock(&pass()).unwrap();
    }
}

#[test]
fn an_empty_passphrase_protects_nothing_and_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    let empty = Secret::new("");
    let refused = |done| matches!(done, Err(VaultProblem::EmptyPassphrase));
    assert!(refused(vault.create(&empty).map(drop)));
    vault.create(&pass()).unwrap();
    assert!(refused(vault.change_passphrase(&empty)));
    vault.lock();
    vault.unlock(&pass()).unwrap();
}

#[test]
fn entries_come_back_with_their_origin() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let first = vault(&folder);
    assert_eq!(first.state(), VaultState::Absent);
    assert!(matches!(
        first.unlock(&pass()),
        Err(VaultProblem::Absent { .. })
    ));
    first.create(&pass()).unwrap();
    assert_eq!(first.state(), VaultState::Unlocked);
    let secret = Secret::new("ключ \"\\\n\u{1f511}");
    first.put("shop/key", &secret, Some(&origin())).unwrap();
    drop(first);

    let second = vault(&folder);
    assert_eq!(second.state(), VaultState::Locked);
    assert!(matches!(second.get("shop/key"), Err(VaultProblem::Locked)));
    second.unlock(&pass()).unwrap();
    let entry = second.get("shop/key").unwrap().unwrap();
    assert_eq!((entry.value(), entry.origin()), (&secret, Some(origin())));
    assert_eq!(second.names().unwrap(), ["shop/key"]);
    assert!(second.remove("shop/key").unwrap());
    assert!(!second.remove("shop/key").unwrap());
    assert_eq!(second.get("shop/key").unwrap(), None);
    for path in [second.path(), second.identity_path()] {
        assert_eq!(files::mode(&path).unwrap(), 0o600);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"age-encryption.org/v1"));
    }
    assert_eq!(files::mode(&folder).unwrap(), 0o700);
}

#[test]
fn locking_forgets() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    vault.put("a", &Secret::new("hunter2"), None).unwrap();
    assert!(!format!("{vault:?}").contains("hunter2"));
    vault.lock();
    assert_eq!(vault.state(), VaultState::Locked);
    assert!(matches!(vault.get("a"), Err(VaultProblem::Locked)));
    assert!(matches!(
        vault.put("b", &Secret::new("x"), None),
        Err(VaultProblem::Locked)
    ));
}

#[test]
fn what_is_locked_while_it_is_opened_stays_locked() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    assert!(!vault.is_shut());
    let begun = vault.locks();
    vault.lock();
    let late = vault.unlock_since(begun, &pass());
    assert!(matches!(late, Err(VaultProblem::Locked)), "{late:?}");
    assert_eq!(vault.state(), VaultState::Locked);
    assert!(vault.is_shut());
    vault.unlock(&pass()).unwrap();
    assert!(!vault.is_shut());
}

#[test]
fn a_wrong_passphrase_is_told_apart_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    vault(folder.path()).create(&pass()).unwrap();
    let vault = vault(folder.path());
    assert!(matches!(
        vault.unlock(&Secret::new("wrong")),
        Err(VaultProblem::WrongPassphrase)
    ));
    assert!(matches!(
        vault.create(&Secret::new("new")),
        Err(VaultProblem::Exists { .. })
    ));

    let whole = fs::read(vault.identity_path()).unwrap();
    for (damage, bytes) in [
        ("cut", whole[..whole.len() - 3].to_vec()),
        ("cut in the head", whole[..40].to_vec()),
        ("empty", Vec::new()),
        (
            "flipped",
            whole
                .iter()
                .enumerate()
                .map(|(at, byte)| byte ^ u8::from(at == whole.len() - 1))
                .collect(),
        ),
        ("text", b"AGE-SECRET-KEY-1".to_vec()),
    ] {
        fs::write(vault.identity_path(), &bytes).unwrap();
        let problem = vault.unlock(&pass()).unwrap_err();
        let VaultProblem::Damaged { path, .. } = &problem else {
            panic!("{damage}: {problem:?}")
        };
        assert_eq!(*path, vault.identity_path());
        assert_eq!(fs::read(vault.identity_path()).unwrap(), bytes);
    }
    fs::write(vault.identity_path(), &whole).unwrap();
    vault.unlock(&pass()).unwrap();
}

#[test]
fn a_damaged_vault_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let open = vault(folder.path());
    open.create(&pass()).unwrap();
    open.put("a", &Secret::new("1"), None).unwrap();
    let whole = fs::read(open.path()).unwrap();
    for bytes in [whole[..whole.len() - 3].to_vec(), Vec::new(), b"x".to_vec()] {
        fs::write(open.path(), &bytes).unwrap();
        assert!(matches!(
            open.put("b", &Secret::new("2"), None),
            Err(VaultProblem::Damaged { .. })
        ));
        assert!(matches!(open.get("a"), Err(VaultProblem::Damaged { .. })));
        assert!(matches!(
            vault(folder.path()).unlock(&pass()),
            Err(VaultProblem::Damaged { .. })
        ));
        assert_eq!(fs::read(open.path()).unwrap(), bytes);
    }
    fs::write(open.path(), &whole).unwrap();
    assert_eq!(value(&open, "a").as_deref(), Some("1"));
}

#[test]
fn an_identity_that_asks_for_too_much_work_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    let sealed = fs::read(vault.identity_path()).unwrap();
    let head = String::from_utf8_lossy(&sealed)
        .lines()
        .nth(1)
        .unwrap()
        .to_owned();
    let greedy = head.strip_suffix(" 4").unwrap().to_owned() + " 30";
    let at = sealed
        .windows(head.len())
        .position(|window| window == head.as_bytes())
        .unwrap();
    let changed = [&sealed[..at], greedy.as_bytes(), &sealed[at + head.len()..]].concat();
    fs::write(vault.identity_path(), changed).unwrap();
    assert!(matches!(
        vault.unlock(&pass()),
        Err(VaultProblem::Excessive { .. })
    ));
}

#[test]
fn two_programs_lose_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    vault(folder.path()).create(&pass()).unwrap();
    let (one, two) = (unlocked(folder.path()), unlocked(folder.path()));
    one.put("a", &Secret::new("1"), None).unwrap();
    two.put("b", &Secret::new("2"), None).unwrap();
    assert_eq!(
        value(&one, "b").as_deref(),
        Some("2"),
        "what another program saved is seen"
    );
    thread::scope(|scope| {
        for (number, vault) in [&one, &two].into_iter().enumerate() {
            scope.spawn(move || {
                for entry in 0..10 {
                    vault
                        .put(&format!("{number}/{entry}"), &Secret::new("x"), None)
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(one.names().unwrap().len(), 22);
}

#[test]
fn what_a_killed_program_left_does_no_harm_and_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    vault.put("a", &Secret::new("1"), None).unwrap();
    let left = folder.path().join(".vault.age.Xy12.tmp");
    fs::write(&left, "age-encryption.org/v1\n").unwrap();
    assert_eq!(value(&unlocked(folder.path()), "a").as_deref(), Some("1"));
    vault.sweep();
    assert!(!left.exists());
}

#[test]
fn killed_between_its_two_files_it_can_still_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let first = vault(folder.path());
    first.create(&pass()).unwrap();
    fs::remove_file(first.path()).unwrap();
    let vault = unlocked(folder.path());
    vault.put("a", &Secret::new("1"), None).unwrap();
    assert_eq!(value(&unlocked(folder.path()), "a").as_deref(), Some("1"));
}

#[test]
fn one_that_is_in_use_or_linked_to_is_away_and_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    vault.put("a", &Secret::new("1"), None).unwrap();
    let (path, aside) = (vault.path(), folder.path().join("aside"));
    fs::rename(&path, &aside).unwrap();
    let is_away = || {
        let put = vault.put("b", &Secret::new("2"), None);
        let got = vault.get("a");
        assert!(!fs::exists(&path).unwrap());
        matches!(put, Err(VaultProblem::Away { .. }))
            && matches!(got, Err(VaultProblem::Away { .. }))
    };
    vault.set_in_use(true);
    assert!(is_away());
    vault.set_in_use(false);
    std::os::unix::fs::symlink(folder.path().join("stick"), &path).unwrap();
    assert!(is_away());
    fs::rename(&aside, folder.path().join("stick")).unwrap();
    vault.put("b", &Secret::new("2"), None).unwrap();
    assert_eq!(vault.names().unwrap(), ["a", "b"]);
}

#[test]
fn a_team_shares_one_vault() {
    let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let my_vault = vault(mine.path());
    my_vault.create(&pass()).unwrap();
    my_vault.put("a", &Secret::new("1"), None).unwrap();
    fs::copy(my_vault.path(), theirs.path().join("vault.age")).unwrap();

    let their_vault = vault(theirs.path());
    let recipient = their_vault.create(&Secret::new("theirs")).unwrap();
    let problem = their_vault.unlock(&Secret::new("theirs")).unwrap_err();
    assert!(
        matches!(problem, VaultProblem::NotForUs { .. })
            && problem.to_string().contains(&recipient),
        "{problem}"
    );

    my_vault.add_recipient(&recipient, "colleague").unwrap();
    fs::copy(my_vault.path(), their_vault.path()).unwrap();
    their_vault.unlock(&Secret::new("theirs")).unwrap();
    assert_eq!(value(&their_vault, "a").as_deref(), Some("1"));
    their_vault.put("b", &Secret::new("2"), None).unwrap();
    fs::copy(their_vault.path(), my_vault.path()).unwrap();
    assert_eq!(
        value(&my_vault, "b").as_deref(),
        Some("2"),
        "saving keeps every recipient"
    );

    let labels: Vec<(String, bool)> = my_vault
        .recipients()
        .unwrap()
        .into_iter()
        .map(|one| (one.label, one.own))
        .collect();
    assert!(
        labels.contains(&("own".into(), true)) && labels.contains(&("colleague".into(), false))
    );
    my_vault.remove_recipient(&recipient).unwrap();
    fs::copy(my_vault.path(), their_vault.path()).unwrap();
    assert!(matches!(
        their_vault.unlock(&Secret::new("theirs")),
        Err(VaultProblem::NotForUs { .. })
    ));
    let own = my_vault.recipients().unwrap().remove(0).key;
    assert!(matches!(
        my_vault.remove_recipient(&own),
        Err(VaultProblem::OwnRecipient)
    ));
    assert!(matches!(
        my_vault.add_recipient("age1nonsense", "x"),
        Err(VaultProblem::NotARecipient)
    ));
}

#[test]
fn the_passphrase_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let first = vault(folder.path());
    assert!(matches!(
        first.create(&Secret::new("")),
        Err(VaultProblem::EmptyPassphrase)
    ));
    first.create(&pass()).unwrap();
    first.put("a", &Secret::new("1"), None).unwrap();
    first.change_passphrase(&Secret::new("new")).unwrap();
    let second = vault(folder.path());
    assert!(matches!(
        second.unlock(&pass()),
        Err(VaultProblem::WrongPassphrase)
    ));
    second.unlock(&Secret::new("new")).unwrap();
    assert_eq!(value(&second, "a").as_deref(), Some("1"));
    second.lock();
    assert!(matches!(
        second.change_passphrase(&pass()),
        Err(VaultProblem::Locked)
    ));
}

#[test]
fn whoever_asks_how_it_stands_does_not_wait_for_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let vault = &vault(folder.path());
    vault.create(&pass()).unwrap();
    let (begun, begins) = mpsc::channel();
    let (told, answer) = mpsc::channel();
    thread::scope(|scope| {
        let changing = scope.spawn(move || {
            vault.change(|_| {
                begun.send(()).unwrap();
                Ok(answer.recv_timeout(PATIENCE))
            })
        });
        begins.recv().unwrap();
        let _ = told.send(vault.state());
        let heard = changing.join().unwrap().unwrap();
        assert_eq!(heard, Ok(VaultState::Unlocked));
    });
}

/// Whoever waits for another program holds the lock among threads by then.
fn takes_the_lock_among_threads_first(
    vault: &Vault,
    write: impl FnOnce() -> Result<(), VaultProblem> + Send,
) {
    thread::scope(|scope| {
        let elsewhere = Lock::take(&vault.lock_path()).unwrap();
        let writing = scope.spawn(write);
        while vault.open.try_lock().is_ok() && !writing.is_finished() {
            thread::yield_now();
        }
        drop(elsewhere);
        writing.join().unwrap().unwrap();
    });
}

#[test]
fn all_who_write_take_the_two_locks_in_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    takes_the_lock_among_threads_first(&vault, || vault.put("a", &Secret::new("1"), None));
    takes_the_lock_among_threads_first(&vault, || vault.change_passphrase(&pass()));
    takes_the_lock_among_threads_first(&vault, || match vault.create(&pass()) {
        Err(VaultProblem::Exists { .. }) => Ok(()),
        other => other.map(drop),
    });
}

#[test]
fn a_newer_vault_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    {
        let mut guard = vault.opened();
        let open = guard.as_mut().unwrap();
        open.contents.version = 2;
        fs::write(vault.path(), seal::seal(&open.contents).unwrap()).unwrap();
    }
    assert!(matches!(
        vault.unlock(&pass()),
        Err(VaultProblem::Newer { found: 2, .. })
    ));
}

#[test]
fn the_age_command_opens_it_and_writes_one_that_is_read_here() {
    if Command::new("age").arg("--version").output().is_err() {
        assert!(option_env!("CI").is_none(), "must run in CI: age missing");
        // The package `age` is named in the test script; without it there is nothing to compare with.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    vault.create(&pass()).unwrap();
    vault
        .put("shop/key", &Secret::new("hunter2"), Some(&origin()))
        .unwrap();
    let key = folder.path().join("key.txt");
    let (identity, recipient) = {
        let guard = vault.opened();
        let identity = &guard.as_ref().unwrap().identity;
        (
            identity.to_string().expose_secret().to_owned(),
            identity.to_public().to_string(),
        )
    };
    fs::write(&key, identity).unwrap();
    let plain = Command::new("age")
        .args(["-d", "-i"])
        .arg(&key)
        .arg(vault.path())
        .output()
        .unwrap();
    assert!(
        plain.status.success(),
        "{}",
        String::from_utf8_lossy(&plain.stderr)
    );
    let json: serde_json::Value = serde_json::from_slice(&plain.stdout).unwrap();
    assert_eq!(json["entries"]["shop/key"]["value"], "hunter2");
    assert_eq!(json["entries"]["shop/key"]["origin"], "https://a.example");

    let changed = String::from_utf8(plain.stdout)
        .unwrap()
        .replace("hunter2", "hunter3");
    let text = folder.path().join("plain.json");
    fs::write(&text, changed).unwrap();
    let sealed = Command::new("age")
        .args(["-r", &recipient, "-o"])
        .arg(vault.path())
        .arg(&text)
        .output()
        .unwrap();
    assert!(
        sealed.status.success(),
        "{}",
        String::from_utf8_lossy(&sealed.stderr)
    );
    assert_eq!(value(&vault, "shop/key").as_deref(), Some("hunter3"));
}

#[test]
fn the_real_cost_is_paid_once() {
    let folder = tempfile::tempdir().unwrap();
    Vault::at(folder.path()).create(&pass()).unwrap();
    let head = fs::read(folder.path().join("identity.age")).unwrap();
    let head = String::from_utf8_lossy(&head)
        .lines()
        .nth(1)
        .unwrap()
        .to_owned();
    assert!(
        head.starts_with("-> scrypt ") && head.ends_with(" 17"),
        "{head}"
    );
    vault(folder.path()).unlock(&pass()).unwrap();
}

#[test]
fn the_age_command_opens_the_identity_with_its_pass() {
    use std::io::{Read, Write};

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    if Command::new("age").arg("--version").output().is_err() {
        assert!(option_env!("CI").is_none(), "must run in CI: age missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    let recipient = vault.create(&pass()).unwrap();
    // age asks for a passphrase on a terminal only.
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut age = CommandBuilder::new("age");
    age.args(["-d", "-o", "key.txt", "identity.age"]);
    age.cwd(folder.path());
    let mut child = pty.slave.spawn_command(age).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut writer = pty.master.take_writer().unwrap();
    let mut said = String::new();
    let mut chunk = [0; 256];
    while !said.contains("passphrase") {
        let count = reader.read(&mut chunk).unwrap();
        assert!(count > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&chunk[..count]));
    }
    writer.write_all(b"correct horse\n").unwrap();
    // Read to the end, so that the program is never stopped by a full terminal.
    while matches!(reader.read(&mut chunk), Ok(count) if count > 0) {}
    assert!(child.wait().unwrap().success());
    let key = fs::read_to_string(folder.path().join("key.txt")).unwrap();
    assert!(
        key.contains(&recipient) && key.contains("AGE-SECRET-KEY-1"),
        "public and secret key"
    );
}

/// A folder without its permission: here a link that leads in a circle, which holds root off too.
#[test]
fn what_cannot_be_looked_at_is_not_taken_for_none() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("vault");
    let vault = vault(&folder);
    vault.create(&pass()).unwrap();
    vault.put("shop/key", &Secret::new("s"), None).unwrap();
    let aside = home.path().join("aside");
    fs::rename(&folder, &aside).unwrap();
    std::os::unix::fs::symlink(&folder, &folder).unwrap();
    assert!(matches!(vault.get("shop/key"), Err(VaultProblem::File(_))));
    let other = Secret::new("other");
    assert!(vault.put("shop/key", &other, None).is_err());
    vault.lock();
    assert_eq!(vault.state(), VaultState::Locked, "it is there");
    let unlocked = vault.unlock(&pass());
    assert!(matches!(unlocked, Err(VaultProblem::File(_))));
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    vault.unlock(&pass()).unwrap();
    assert_eq!(value(&vault, "shop/key").as_deref(), Some("s"));
}

/// As in a rehearsal, whose vault can't be anywhere.
#[test]
fn where_no_vault_can_be_there_is_none() {
    let vault = vault(Path::new("/dev/null/vault"));
    assert_eq!(vault.state(), VaultState::Absent);
    assert!(matches!(
        vault.unlock(&pass()),
        Err(VaultProblem::Absent { .. })
    ));
}

#[test]
fn one_that_could_not_be_opened_again_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    vault(folder.path()).create(&pass()).unwrap();
    let vault = unlocked(folder.path());
    vault.put("a", &Secret::new("x"), None).unwrap();
    let most = usize::try_from(files::TEXT_LIMIT).unwrap();
    let refused = vault.put("b", &Secret::new("x".repeat(most)), None);
    let words = refused.unwrap_err().to_string();
    assert!(
        words.contains("vault.age would be larger") && words.contains("unchanged"),
        "{words}"
    );
    let again = unlocked(folder.path());
    assert_eq!(value(&again, "a").as_deref(), Some("x"));
    assert_eq!(value(&again, "b"), None);
}

#[test]
fn one_that_is_too_large_already_is_left_as_it_is_and_says_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    vault(folder.path()).create(&pass()).unwrap();
    let path = vault(folder.path()).path();
    let most = usize::try_from(files::TEXT_LIMIT).unwrap();
    let large = vec![b'x'; most + 1];
    std::fs::write(&path, &large).unwrap();
    let words = vault(folder.path())
        .unlock(&pass())
        .unwrap_err()
        .to_string();
    assert!(
        words.contains("vault.age is larger") && words.contains("age -d -i identity.age vault.age"),
        "{words}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), large);
}
