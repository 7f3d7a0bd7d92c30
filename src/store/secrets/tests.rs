//! Every kind of reference gives its value, or a sentence that says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::domain::{Cause, ServiceId};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn slot() -> SecretPlace {
    SecretPlace::key(&name("shop"))
}

fn origin() -> Origin {
    Origin::parse("https://a.example").unwrap()
}

fn reference(text: &str) -> SecretRef {
    text.parse().unwrap()
}

fn secrets(folder: &Path) -> Secrets {
    let look_up: LookUp = Arc::new(|name| match name {
        "KEY" => Some(Secret::new("from env")),
        "EMPTY" => Some(Secret::new("")),
        "ENDED" => Some(Secret::new("from env\n")),
        "LONG" => Some(Secret::new("x".repeat(64 * 1024 + 1))),
        "LINES" => Some(Secret::new("one\nInjected: header")),
        _ => None,
    });
    let state = Arc::new(StateDb::in_memory().unwrap());
    let vault = Arc::new(Vault::at(folder));
    let state: StateLookUp = Arc::new(move || Ok(Arc::clone(&state)));
    Secrets::new(vault, look_up, variables(), state)
}

fn variables() -> Variables {
    Arc::new(|program| {
        vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("FOR".into(), program.into()),
        ]
    })
}

fn shell(script: &str) -> SecretRef {
    SecretRef::Cmd(vec!["sh".into(), "-c".into(), script.into()])
}

async fn said(secrets: &Secrets, reference: &SecretRef) -> String {
    match secrets.resolve(reference, &slot()).await {
        Ok(secret) => secret.expose().to_owned(),
        Err(problem) => format!("problem: {}", crate::domain::error_chain(&problem)),
    }
}

#[tokio::test]
async fn the_environment_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    assert_eq!(said(&secrets, &reference("env:KEY")).await, "from env");
    assert_eq!(said(&secrets, &reference("env:ENDED")).await, "from env");
    assert!(
        said(&secrets, &reference("env:LINES"))
            .await
            .contains("the value of env:LINES holds line ends")
    );
    for (unset, words) in [("env:OTHER", "is not set"), ("env:EMPTY", "is empty")] {
        let said = said(&secrets, &reference(unset)).await;
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_file_gives_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let path = folder.path().join("key");
    let file = SecretRef::File(path.clone());
    assert!(
        said(&secrets, &file)
            .await
            .contains("can't be read: No such file")
    );
    fs::write(&path, "from file\nmore\n").unwrap();
    assert_eq!(said(&secrets, &file).await, "from file");
    fs::write(&path, "\nmore\n").unwrap();
    assert!(said(&secrets, &file).await.contains("first line"));
    fs::write(&path, "\u{1b}[31mred\n").unwrap();
    assert!(said(&secrets, &file).await.contains("control characters"));
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for other in [folder.path(), &pipe, Path::new("/dev/zero")] {
        let said = said(&secrets, &SecretRef::File(other.to_owned())).await;
        assert!(said.contains("is not a file"), "{said}");
    }
    let said = said(&secrets, &SecretRef::File(socket)).await;
    assert!(said.contains("can't be read"), "{said}");
}

#[tokio::test]
async fn a_command_gives_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    assert_eq!(
        said(&secrets, &shell("printf 'from cmd\\r\\nmore\\n'")).await,
        "from cmd"
    );
    assert_eq!(
        said(&secrets, &shell("cat; echo no stdin")).await,
        "no stdin"
    );
    let words = SecretRef::Cmd(vec!["printf".into(), "%s".into(), "a b;$(id)".into()]);
    assert_eq!(
        said(&secrets, &words).await,
        "a b;$(id)",
        "no shell between"
    );
    assert_eq!(
        said(&secrets, &shell("yes x | head -c 9000 >&2; echo talkative")).await,
        "talkative"
    );
}

#[tokio::test]
async fn a_command_that_fails_says_why_in_one_inert_line() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let text = folder.path().join("text");
    fs::write(&text, "").unwrap();
    for (command, words) in [
        (
            shell("printf '\\n\\033[31mgpg: no key\\nmore\\n' >&2; exit 2"),
            "ended with code 2: [31mgpg: no key",
        ),
        (shell("exit 3"), "ended with code 3"),
        (shell("kill -9 $$"), "was killed"),
        (shell("true"), "printed nothing"),
        (shell("echo; echo late"), "printed nothing"),
        (shell("printf '\\377\\n'"), "not UTF-8"),
        (
            shell("head -c 70000 /dev/zero | tr '\\0' x"),
            "more than 64 KiB",
        ),
        (shell("cat /dev/zero"), "more than 64 KiB"),
        (
            SecretRef::Cmd(vec!["/no/such/program".into()]),
            "no such program",
        ),
        (
            SecretRef::Cmd(vec![text.display().to_string()]),
            "may not be run",
        ),
        (SecretRef::Cmd(Vec::new()), "names no program"),
    ] {
        let said = said(&secrets, &command).await;
        assert!(
            said.starts_with("problem: the command ") && said.contains(words),
            "{said}"
        );
        assert!(
            !said.contains('\u{1b}') && !said.contains("more\n"),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "sleep 1000 & echo $! > '{0}'; echo $$ >> '{0}'; wait",
        pids.display()
    );
    let words: Vec<String> = ["sh", "-c", &script].map(str::to_owned).into();
    let hung = command::run_within(&words, &variables(), Duration::from_secs(2)).await;
    assert!(
        hung.unwrap_err().to_string().contains("no answer within"),
        "said so"
    );
    let ended = |pid: &str| match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat
            .rsplit(')')
            .next()
            .unwrap()
            .trim_start()
            .starts_with('Z'),
        Err(_) => true,
    };
    let pids = fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2, "{pids:?}");
    for pid in pids.lines() {
        while !ended(pid) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn what_a_command_says_to_the_terminal_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let said = said(&secrets, &shell("printf '\\033]52;c;aGV5\\a\\n'")).await;
    assert!(
        said.contains("the value of the command sh holds"),
        "{said:?}"
    );
    assert!(!said.contains('\u{1b}'));
}

#[tokio::test]
async fn a_command_gets_the_environment_that_was_made_for_it_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let all = SecretRef::Cmd(
        ["sh", "-c", "env | sort | tr '\\n' ' '"]
            .map(str::to_owned)
            .into(),
    );
    let said = said(&secrets, &all).await;
    // The shell's own are not from us.
    let ours: Vec<_> = said
        .split_whitespace()
        .filter(|pair| {
            !["PWD=", "SHLVL=", "_="]
                .iter()
                .any(|own| pair.starts_with(own))
        })
        .collect();
    assert_eq!(ours, ["FOR=sh", "PATH=/usr/bin:/bin"]);
}

#[tokio::test]
async fn a_command_that_leaves_something_behind_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    // An agent that keeps both pipes open for good.
    let script = format!("sleep 1000 & echo $! > '{}'; echo the key", pid.display());
    let words: Vec<String> = ["sh", "-c", &script].map(str::to_owned).into();
    let (limit, variables) = (Duration::from_secs(300), variables());
    let found = tokio::time::timeout(
        Duration::from_secs(60),
        command::run_within(&words, &variables, limit),
    );
    assert_eq!(found.await.unwrap().unwrap().expose(), "the key");
    let pid: i32 = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    let agent = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(agent, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn what_is_asked_for_lives_in_this_session_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    assert!(
        said(&secrets, &SecretRef::Ask)
            .await
            .contains("asked for once a session")
    );
    secrets
        .clone()
        .put(
            &SecretRef::Ask,
            &slot(),
            &Secret::new("typed"),
            Some(&origin()),
        )
        .await
        .unwrap();
    assert_eq!(said(&secrets, &SecretRef::Ask).await, "typed");
    assert_eq!(
        secrets.origin_of(&SecretRef::Ask, &slot()).await.unwrap(),
        Some(origin())
    );
    let elsewhere = Origin::parse("https://elsewhere.example").unwrap();
    for agreed in [&elsewhere, &origin()] {
        let slot = slot();
        let set = secrets.set_origin(&SecretRef::Ask, &slot, agreed);
        set.await.unwrap();
        let known = secrets.origin_of(&SecretRef::Ask, &slot).await.unwrap();
        assert_eq!(known.as_ref(), Some(agreed));
    }
    let token = SecretPlace::token(&name("shop"));
    assert!(secrets.resolve(&SecretRef::Ask, &token).await.is_err());
    secrets.rename_connection(&name("shop"), &name("store"));
    let moved = SecretPlace::key(&name("store"));
    assert_eq!(
        secrets
            .resolve(&SecretRef::Ask, &moved)
            .await
            .unwrap()
            .expose(),
        "typed"
    );
    secrets.lock();
    assert!(secrets.resolve(&SecretRef::Ask, &moved).await.is_err());
}

#[tokio::test]
async fn the_vault_keeps_value_and_origin() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let key = reference("vault:shop/key");
    assert!(said(&secrets, &key).await.contains("the vault is locked"));
    secrets.vault().create(&Secret::new("p")).unwrap();
    assert!(said(&secrets, &key).await.contains("no entry \"shop/key\""));
    secrets
        .put(&key, &slot(), &Secret::new("kept"), Some(&origin()))
        .await
        .unwrap();
    assert_eq!(said(&secrets, &key).await, "kept");
    let found = secrets.fetch(&key, &slot()).await.unwrap();
    assert_eq!(
        (found.value.expose(), found.origin),
        ("kept", Some(origin()))
    );
    assert_eq!(
        secrets.origin_of(&key, &slot()).await.unwrap(),
        Some(origin())
    );
    let other = Origin::parse("https://b.example").unwrap();
    secrets.set_origin(&key, &slot(), &other).await.unwrap();
    assert_eq!(secrets.origin_of(&key, &slot()).await.unwrap(), Some(other));
    secrets.remove(&key, &slot()).await.unwrap();
    assert!(said(&secrets, &key).await.contains("no entry"));
}

#[tokio::test]
async fn places_of_others_are_not_written_and_their_origin_is_in_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    for text in ["env:KEY", "file:/run/key", "cmd:pass show a"] {
        let reference = reference(text);
        let put = secrets
            .put(&reference, &slot(), &Secret::new("x"), None)
            .await;
        assert!(put.unwrap_err().to_string().contains("does not write to"));
        assert_eq!(secrets.origin_of(&reference, &slot()).await.unwrap(), None);
        secrets
            .set_origin(&reference, &slot(), &origin())
            .await
            .unwrap();
        assert_eq!(
            secrets.origin_of(&reference, &slot()).await.unwrap(),
            Some(origin())
        );
        secrets.remove(&reference, &slot()).await.unwrap();
        assert_eq!(secrets.origin_of(&reference, &slot()).await.unwrap(), None);
    }
    secrets
        .set_origin(&reference("env:KEY"), &slot(), &origin())
        .await
        .unwrap();
    let found = secrets.fetch(&reference("env:KEY"), &slot()).await.unwrap();
    assert_eq!(
        (found.value.expose(), found.origin),
        ("from env", Some(origin()))
    );
    let vault = Arc::clone(secrets.vault());
    let (away, with) = (Arc::new(AtomicBool::new(true)), secrets.state.clone());
    let is_away = Arc::clone(&away);
    let state: StateLookUp = Arc::new(move || {
        if is_away.load(Ordering::SeqCst) {
            return Err(Cause::new("no state"));
        }
        with()
    });
    let without = Secrets::new(vault, secrets.look_up.clone(), variables(), state);
    let asked = async || without.origin_of(&reference("env:KEY"), &slot()).await;
    assert!(matches!(asked().await, Err(SecretProblem::NoState(_))));
    away.store(false, Ordering::SeqCst);
    assert_eq!(asked().await.unwrap(), Some(origin()), "it came back");
}

#[tokio::test]
async fn a_new_reference_is_named_after_its_place_and_free() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let mut other = Connection::new(name("renamed"), ServiceId::http(), "https://a.example");
    let new = async |connections: &[Arc<Connection>]| {
        let slot = slot();
        let new = secrets.new_reference(StoreKind::Vault, &slot, connections);
        new.await.unwrap().to_string()
    };
    assert_eq!(new(&[]).await, "vault:shop/key");
    other.key = Some(reference("vault:shop/key"));
    assert_eq!(new(&[Arc::new(other.clone())]).await, "vault:shop/key-2");
    secrets.vault().create(&Secret::new("p")).unwrap();
    secrets
        .vault()
        .put("shop/key-2", &Secret::new("x"), None)
        .unwrap();
    assert_eq!(
        new(&[Arc::new(other)]).await,
        "vault:shop/key-3",
        "an entry that nobody refers to is not overwritten"
    );
    let slot = slot();
    let not_ours = secrets.new_reference(StoreKind::Env, &slot, &[]);
    assert_eq!(not_ours.await, None);
}

#[tokio::test]
async fn offers_say_what_works_here() {
    let folder = tempfile::tempdir().unwrap();
    let offers = secrets(&folder.path().join("data")).offers().await;
    let works = |kind| {
        offers
            .iter()
            .find(|offer| offer.kind == kind)
            .unwrap()
            .works
            .clone()
    };
    assert_eq!(works(StoreKind::Vault), Ok(()));
    assert_eq!(works(StoreKind::Ask), Ok(()));
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let offers = secrets(&blocked.join("data")).offers().await;
    let vault = offers
        .iter()
        .find(|offer| offer.kind == StoreKind::Vault)
        .unwrap();
    assert!(
        vault
            .works
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("can't be written")
    );
}

/// Of what the vault holds while it is open, and of files; others keep no date.
#[test]
fn values_are_dated_where_their_places_tell() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    secrets.vault().create(&Secret::new("p")).unwrap();
    secrets.vault().put("a", &Secret::new("x"), None).unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "hunter2").unwrap();
    let (entry, file) = (reference("vault:a"), SecretRef::File(path.clone()));
    let others = ["vault:gone", "file:/gone", "env:KEY", "ask", "keyring:a"].map(reference);
    let asked = [&others[..], &[entry.clone(), file.clone()]].concat();
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    let of_file = (file, Timestamp::try_from(written).unwrap());
    let of_entry = secrets.location(&entry, &[]).changed.unwrap();
    let expected = HashMap::from([of_file.clone(), (entry, of_entry)]);
    assert_eq!(secrets.dates(&asked), expected);
    secrets.vault().lock();
    assert_eq!(secrets.dates(&asked), HashMap::from([of_file]));
}

#[test]
fn whereabouts_tell_path_mode_git_age_and_sharing() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(&folder.path().join("data"));
    fs::create_dir(folder.path().join(".git")).unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "hunter2").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let file = SecretRef::File(path.clone());
    let mut one = Connection::new(name("one"), ServiceId::http(), "https://a.example");
    one.key = Some(file.clone());
    let mut two = Connection {
        name: name("two"),
        key: None,
        ..one.clone()
    };
    two.added = vec![("x".into(), file.clone())];

    let found = secrets.location(&file, &[one.into(), two.into()]);
    assert_eq!((found.kind, found.mode), (StoreKind::File, Some(0o644)));
    assert_eq!(found.path.as_deref(), Some(path.as_path()));
    assert_eq!(found.git.as_deref(), Some(folder.path()));
    assert!(found.changed.is_some());
    assert_eq!(found.users, [name("one"), name("two")]);
    let findings = found.findings.join("\n");
    for words in ["chmod 600", "git work tree", "2 connections share"] {
        assert!(findings.contains(words), "{findings}");
    }
    assert!(!format!("{found:?}").contains("hunter2"));
    // Its mode is no business of ours, least of all /tmp's.
    let no_file = SecretRef::File(folder.path().to_owned());
    let findings = secrets.location(&no_file, &[]).findings.join("\n");
    assert!(
        findings.contains("is not a file") && !findings.contains("chmod"),
        "{findings}"
    );

    secrets.vault().create(&Secret::new("p")).unwrap();
    secrets.vault().put("a", &Secret::new("x"), None).unwrap();
    let found = secrets.location(&reference("vault:a"), &[]);
    assert!(found.changed.is_some() && found.mode == Some(0o600));
    assert!(
        found
            .findings
            .iter()
            .any(|finding| finding.contains("identity.age lies in the git work tree"))
    );
    let found = secrets.location(&reference("env:KEY"), &[]);
    assert_eq!((found.path, found.findings), (None, Vec::new()));
}

#[tokio::test]
async fn what_is_longer_than_any_secret_is_neither_used_nor_kept() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = secrets(folder.path());
    let told = "longer than 65536 bytes";
    let used = said(&secrets, &reference("env:LONG")).await;
    assert!(used.contains("env:LONG") && used.contains(told), "{used}");
    let most = usize::try_from(Secret::LIMIT).unwrap();
    let put = async |length| {
        let value = Secret::new("x".repeat(length));
        secrets.put(&SecretRef::Ask, &slot(), &value, None).await
    };
    let refused = put(most + 1).await.unwrap_err().to_string();
    assert!(refused.contains(told), "{refused}");
    put(most).await.unwrap();
}

#[test]
fn a_place_that_cannot_be_looked_at_is_not_told_as_gone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    // Below a file nothing can be looked at, whoever asks.
    let below = secrets(&file).location(&reference("vault:a"), &[]);
    let [finding] = &below.findings[..] else {
        panic!("{below:?}")
    };
    assert!(
        finding.contains("vault.age can't be read") && !finding.contains("is not there"),
        "{finding}"
    );
    let gone = secrets(folder.path()).location(&reference("vault:a"), &[]);
    assert!(
        gone.findings[0].ends_with("vault.age is not there"),
        "{gone:?}"
    );
}
