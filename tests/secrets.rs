//! Secrets over the real binary: where they lie, how they move, what a kill, a lock and a full session leave.
#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::panic,
    clippy::print_stderr,
    reason = "what is missing shall fail the test, and what is skipped shall say so"
)]

mod support;

#[path = "secrets/copying.rs"]
mod copying;
#[path = "secrets/sources.rs"]
mod sources;
#[path = "secrets/stores.rs"]
mod stores;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use age::secrecy::{ExposeSecret, SecretString};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::commands::{Done, switchboard};
use support::pty::{Home, Terminal};
use support::{forms_of, is_here, skip};
use switchboard::domain::{Reason, Secret, SecretRef};
use switchboard::sim::{Sim, SimSettings};
use switchboard::store::{Store, Vault};

/// Planted: none of them may be found anywhere but in the vault.
const KEY: &str = "5ec2e7ab1e0ddba11ca5caded0c0ffee";
const TOKEN: &str = "planted-token-Zm9vYmFyYmF6cXV4";
const PASSPHRASE: &str = "planted horse battery staple";

/// A home with an identity whose passphrase costs next to nothing: scrypt at its real price is tried in
/// `store`, and would make these tests wait for it hundreds of times.
struct Owner {
    home: Home,
    identity: age::x25519::Identity,
}

impl Owner {
    fn new() -> Self {
        let home = Home::new();
        let identity = age::x25519::Identity::generate();
        let data = home.path().join(".local/share/switchboard");
        fs::create_dir_all(&data).unwrap();
        private(&data, 0o700);
        let mut lock = age::scrypt::Recipient::new(SecretString::from(PASSPHRASE.to_owned()));
        lock.set_work_factor(2);
        let text = identity.to_string().expose_secret().to_owned();
        write_private(
            &data.join("identity.age"),
            &encrypted(text.as_bytes(), &lock),
        );
        write_private(&home.path().join("pass"), PASSPHRASE.as_bytes());
        Self { home, identity }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join(".local/share/switchboard")
    }

    fn config(&self) -> PathBuf {
        self.path().join(".config/switchboard")
    }

    fn configuration(&self) -> PathBuf {
        self.config().join("switchboard.toml")
    }

    fn run(&self, arguments: &[&str], input: &str) -> Done {
        let pass = self.path().join("pass").display().to_string();
        switchboard(
            self.path(),
            arguments,
            &[("SWITCHBOARD_PASSPHRASE_FILE", &pass)],
            input,
        )
    }

    fn done(&self, arguments: &[&str], input: &str) -> Done {
        let done = self.run(arguments, input);
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        done
    }

    /// A connection `shop` whose key is in the vault.
    fn with_shop(url: &str) -> Self {
        let owner = Self::new();
        let add = [
            "connection",
            "add",
            "shop",
            "--service",
            "blesta",
            "--url",
            url,
            "--username",
            "rig",
            "--key-stdin",
            "--store",
            "vault",
        ];
        owner.done(&add, KEY);
        owner
    }

    fn vault(&self) -> Vault {
        let vault = Vault::at(self.data());
        vault.unlock(&Secret::new(PASSPHRASE)).unwrap();
        vault
    }
}

/// What clears: a blank, as some terminals ignore an empty copy. In base64.
const BLANK: &str = "IA==";
const URL: &str = "http://127.0.0.1:1";

fn private(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    private(path, 0o600);
}

fn encrypted(text: &[u8], recipient: &dyn age::Recipient) -> Vec<u8> {
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient)).unwrap();
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap();
    sealed
}

/// Adds a line to the settings of the configuration in `home`.
fn set(home: &Path, line: &str) {
    let path = home.join(".config/switchboard/switchboard.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = if text.contains("[settings]") {
        text.replacen("[settings]", &format!("[settings]\n{line}"), 1)
    } else {
        format!("{text}\n[settings]\n{line}\n")
    };
    write_private(&path, text.as_bytes());
}

/// Every file below `folder`.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// No file below the home but the passphrase's own holds `secret`.
fn assert_nowhere(home: &Path, secrets: &[&str]) {
    let files = files_below(home);
    assert!(files.len() > 2, "{files:?}");
    for path in files.iter().filter(|path| !path.ends_with("pass")) {
        let bytes = fs::read(path).unwrap();
        for secret in secrets {
            assert!(!holds(&bytes, secret), "{} holds a secret", path.display());
        }
    }
}

fn is_missing(program: &str) -> bool {
    !is_here(program)
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

#[test]
fn where_says_place_mode_work_tree_age_and_sharing() {
    let owner = Owner::with_shop(URL);
    let file = owner.path().join("repository/key");
    fs::create_dir_all(owner.path().join("repository/.git")).unwrap();
    write_private(&file, KEY.as_bytes());
    private(&file, 0o644);
    let reference = format!("file:{}", file.display());
    let add = |name| {
        let add = [
            "connection",
            "add",
            name,
            "--service",
            "http",
            "--url",
            URL,
            "--key-ref",
            &reference,
        ];
        owner.done(&add, "");
    };
    add("one");
    add("two");
    let rows = owner
        .done(&["secret", "where", "--format", "json"], "")
        .json();
    let of = |name: &str| -> Value {
        let rows = rows.as_array().unwrap();
        rows.iter()
            .find(|row| row["connection"] == name)
            .unwrap()
            .clone()
    };
    let shop = of("shop");
    assert_eq!(shop["store"], "vault");
    assert_eq!(shop["reference"], "vault:shop/key");
    assert_eq!(shop["mode"], "0600");
    assert_eq!(shop["age_days"], 0);
    assert_eq!(shop["shared_by"], 1);
    assert_eq!(shop["findings"].as_array().unwrap().len(), 0, "{shop}");
    let one = of("one");
    assert_eq!(
        (&one["mode"], &one["shared_by"]),
        (&"0644".into(), &2.into())
    );
    assert!(
        one["git_work_tree"]
            .as_str()
            .unwrap()
            .ends_with("/repository")
    );
    let findings = one["findings"].to_string();
    for part in ["chmod 600", "git work tree", "2 connections share it"] {
        assert!(findings.contains(part), "{findings}");
    }
    // Without the passphrase nobody is asked: only the age is not known.
    let blind = switchboard(owner.path(), &["secret", "where"], &[], "");
    assert_eq!(blind.code, 0);
    assert!(
        blind.out.contains("age unknown while the vault is locked"),
        "{}",
        blind.out
    );
}

#[test]
fn a_secret_is_set_and_moved_with_the_origin_it_was_entered_for() {
    let owner = Owner::with_shop(URL);
    let set = [
        "secret",
        "set",
        "shop",
        "token",
        "--store",
        "vault",
        "--key-stdin",
    ];
    owner.done(&set, TOKEN);
    assert_eq!(
        owner.done(&["token", "reveal", "shop", "token"], "").out,
        TOKEN
    );
    let nothing = owner.run(&["secret", "set", "shop", "--store", "vault"], "");
    assert_eq!(nothing.code, 3);
    assert!(nothing.err.contains("--key-fd N"), "{}", nothing.err);

    // A key in a file, of which only the state knows the origin.
    let file = owner.path().join("key");
    write_private(&file, b"moved-from-a-file\n");
    let reference = format!("file:{}", file.display());
    let add = [
        "connection",
        "add",
        "plain",
        "--service",
        "http",
        "--url",
        "http://127.0.0.1:2",
        "--key-ref",
        &reference,
    ];
    owner.done(&add, "");
    owner.done(
        &["connection", "edit", "plain", "--url", "http://127.0.0.1:3"],
        "",
    );
    let moved = owner.done(&["secret", "move", "plain", "key", "--store", "vault"], "");
    let left = format!("{reference} still holds the value: delete it");
    assert!(moved.err.contains(&left), "{moved:?}");
    let shown = owner
        .done(&["connection", "show", "plain", "--format", "json"], "")
        .json();
    assert_eq!(shown["key"], "vault:plain/key");
    assert_eq!(
        owner.done(&["token", "reveal", "plain"], "").out,
        "moved-from-a-file"
    );
    assert!(file.exists(), "what somebody else put there stays");
    // Moving does not make the key one for the URL that was typed since.
    let entry = owner.vault().get("plain/key").unwrap().unwrap();
    assert_eq!(entry.origin().unwrap().to_string(), "http://127.0.0.1:2");
}

#[test]
fn what_another_connection_reads_is_not_told_as_left_behind() {
    let owner = Owner::new();
    let file = owner.path().join("key");
    write_private(&file, b"shared-by-two\n");
    for name in ["one", "two"] {
        let line = format!(
            "connection add {name} --service http --url {URL} --key-ref file:{}",
            file.display()
        );
        owner.done(&line.split(' ').collect::<Vec<_>>(), "");
    }
    for (name, is_left) in [("one", false), ("two", true)] {
        let line = ["secret", "move", name, "key", "--store", "vault"];
        let moved = owner.done(&line, "");
        let told = moved.err.contains("still holds the value: delete it");
        assert_eq!(told, is_left, "{moved:?}");
    }
}

#[test]
fn what_is_removed_goes_from_a_locked_vault_too_or_is_said_to_stay() {
    let definitions = "version = 1\n[[connection]]\nname = \"other\"\nservice = \"http\"\nurl = \"http://127.0.0.1:9\"\n";
    for arguments in [
        ["connection", "remove", "shop", "--yes"].as_slice(),
        &["connection", "edit", "shop", "--key-ref", "env:KEY"],
        &["connection", "apply", "definitions", "--prune", "--yes"],
    ] {
        let owner = Owner::with_shop(URL);
        fs::write(owner.path().join("definitions"), definitions).unwrap();
        owner.done(arguments, "");
        assert_eq!(
            owner.vault().get("shop/key").unwrap(),
            None,
            "{arguments:?}"
        );

        let owner = Owner::with_shop(URL);
        fs::write(owner.path().join("definitions"), definitions).unwrap();
        let done = switchboard(owner.path(), arguments, &[], "");
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        let said = "vault:shop/key could not be taken out: it still holds the old value";
        assert!(done.err.contains(said), "{arguments:?}: {done:?}");

        let owner = Owner::with_shop(URL);
        fs::write(owner.path().join("definitions"), definitions).unwrap();
        fs::rename(owner.data(), owner.path().join("away")).unwrap();
        let done = owner.done(arguments, "");
        let said = "vault:shop/key could not be taken out: the vault is missing, and holds";
        assert!(done.err.contains(said), "{arguments:?}: {done:?}");
    }
}

#[test]
fn an_exporter_without_the_keys_of_its_vault_says_so_at_its_start() {
    let owner = Owner::with_shop(URL);
    // It ends by itself: the port is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let serve = ["serve", "--listen", &listen];
    let locked = "switchboard: the vault is locked, and no key in it is sent: ";
    let missing =
        "switchboard: the vault is missing, and no key in it is sent: put its folder back";
    let said = |done: &Done| {
        assert_eq!(done.code, 3, "{done:?}");
        let lines = done.err.lines().filter(|line| line.contains("the vault"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let told = said(&switchboard(owner.path(), &serve, &[], ""));
    let [line] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        line.starts_with(locked) && line.contains("--passphrase-file"),
        "{line}"
    );
    assert_eq!(said(&owner.run(&serve, "")), [""; 0]);
    fs::rename(owner.data(), owner.path().join("away")).unwrap();
    assert_eq!(said(&switchboard(owner.path(), &serve, &[], "")), [missing]);
}

#[test]
fn a_command_loses_no_key_where_secrets_are_asked_for() {
    let owner = Owner::with_shop(URL);
    let text = fs::read_to_string(owner.configuration()).unwrap();
    let text = text.replace("store = \"vault\"", "store = \"ask\"");
    assert!(text.contains("store = \"ask\""), "{text}");
    write_private(&owner.configuration(), text.as_bytes());
    owner.done(&["secret", "set", "shop", "--key-stdin"], "another key");
    assert_eq!(
        owner.done(&["token", "reveal", "shop"], "").out,
        "another key"
    );
    let line = "connection add plain --service http --url http://127.0.0.1:2 --key-stdin";
    let add: Vec<_> = line.split(' ').collect();
    let refused = owner.run(&add, KEY);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("--store vault"), "{refused:?}");
    let shown = owner.run(&["connection", "show", "plain"], "");
    assert_eq!(shown.code, 3, "nothing was saved by halves");
}

#[test]
fn a_keyring_that_is_not_there_leaves_the_secret_where_it_is() {
    let owner = Owner::with_shop(URL);
    let moved = owner.run(&["secret", "move", "shop", "--store", "keyring"], "");
    assert_eq!(moved.code, 3, "{moved:?}");
    assert_eq!(owner.done(&["token", "reveal", "shop"], "").out, KEY);
    assert!(!holds(
        &fs::read(owner.configuration()).unwrap(),
        "keyring:"
    ));
}

/// The vault is there, and the identity that opens it is not: no new one is made in the place of the old, and nobody
/// is asked for a passphrase that would open nothing.
#[test]
fn a_vault_whose_identity_is_lost_is_told_and_takes_no_other() {
    let owner = Owner::with_shop(URL);
    let identity = owner.data().join("identity.age");
    let kept = fs::read(&identity).unwrap();
    fs::remove_file(&identity).unwrap();
    let told = "identity.age, which opens it, is not: put its copy back";
    let reveal = owner.run(&["token", "reveal", "shop"], "");
    assert_eq!(reveal.code, 3, "{reveal:?}");
    assert!(reveal.err.contains(told), "{reveal:?}");
    let set = owner.run(&["secret", "set", "shop", "key", "--key-stdin"], KEY);
    assert_eq!(set.code, 3, "{set:?}");
    assert!(set.err.contains(told), "{set:?}");
    assert!(!identity.exists(), "nothing stands in its place");
    let doctor = owner.run(&["doctor", "--strict"], "");
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.out.contains(told), "{doctor:?}");
    write_private(&identity, &kept);
    assert_eq!(owner.done(&["token", "reveal", "shop"], "").out, KEY);
    // What is no file of age can be told without a passphrase.
    write_private(&owner.data().join("vault.age"), b"garbage");
    let doctor = owner.run(&["doctor", "--strict"], "");
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.out.contains("vault.age is damaged"), "{doctor:?}");
}

#[test]
fn doctor_is_content_with_what_the_program_makes_and_finds_what_was_spoilt() {
    let owner = Owner::with_shop(URL);
    fs::remove_file(owner.path().join("pass")).unwrap();
    write_private(&owner.path().join("pass"), PASSPHRASE.as_bytes());
    let healthy = owner.run(&["doctor", "--strict"], "");
    assert_eq!(healthy.code, 0, "{healthy:?}");
    assert!(healthy.err.contains("nothing was found"), "{healthy:?}");
    let places = owner.run(&["secret", "where"], "");
    assert_eq!(healthy.out, places.out, "where each secret is");

    let mut text = fs::read_to_string(owner.configuration()).unwrap();
    text.push_str("# old key: 0123456789abcdef0123456789abcdef\n");
    text = text.replacen(
        "url =",
        "intervall = 5\nclient_cert = \"~/both.pem\"\nurl =",
        1,
    );
    text = text.replacen(
        "[settings]",
        "[settings]\nkeys.fly = [\"f\"]\ntheme = \"purple\"\norder = \"foo\"",
        1,
    );
    fs::write(owner.path().join("both.pem"), "with its key").unwrap();
    private(&owner.path().join("both.pem"), 0o644);
    write_private(&owner.configuration(), text.as_bytes());
    private(&owner.data().join("vault.age"), 0o644);
    private(&owner.data(), 0o755);
    fs::write(
        owner
            .path()
            .join(".local/state/switchboard/switchboard.log"),
        KEY,
    )
    .unwrap();
    owner
        .vault()
        .put("forgotten/key", &Secret::new("x"), None)
        .unwrap();
    private(&owner.data().join("vault.age"), 0o644);
    let found = owner.run(&["doctor", "--strict"], "");
    assert_eq!(found.code, 1, "{found:?}");
    for part in [
        "intervall",
        "no theme is called purple",
        "order: \"foo\" is none of worst, name",
        "no action is called \"fly\"",
        "both.pem has mode 0644",
        "chmod 600",
        "chmod 700",
        "switchboard.toml holds a secret in plain text",
        "switchboard.log holds a secret in plain text",
        "vault:forgotten/key: no connection uses it",
    ] {
        assert!(found.out.contains(part), "{part}: {}", found.out);
    }
    assert!(!found.out.contains(KEY) && !found.out.contains("0123456789abcdef"));
    assert_eq!(owner.run(&["doctor"], "").code, 0, "only --strict fails");

    fs::write(
        owner.path().join(".local/state/switchboard/history.sqlite"),
        "no database",
    )
    .unwrap();
    let json = owner.run(&["doctor", "--format", "json"], "").json();
    let about: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["about"])
        .collect();
    assert!(about.contains(&&Value::from("state")), "{json}");
    assert_eq!(json["secrets"][0]["reference"], "vault:shop/key", "{json}");
}

#[test]
fn age_prints_the_vault_and_the_program_opens_what_age_wrote() {
    if is_missing("/usr/bin/age") {
        return;
    }
    let owner = Owner::with_shop(URL);
    let friend = age::x25519::Identity::generate();
    owner
        .vault()
        .add_recipient(&friend.to_public().to_string(), "friend")
        .unwrap();
    for identity in [&owner.identity, &friend] {
        let file = owner.path().join("recipient.txt");
        write_private(&file, identity.to_string().expose_secret().as_bytes());
        let printed = age(
            &["-d", "-i", file.to_str().unwrap()],
            &fs::read(owner.data().join("vault.age")).unwrap(),
        );
        let mut contents: Value = serde_json::from_slice(&printed).unwrap();
        assert_eq!(contents["entries"]["shop/key"]["value"], KEY);
        contents["entries"]["shop/key"]["value"] = "written-by-age".into();
        let (own, other) = (
            owner.identity.to_public().to_string(),
            friend.to_public().to_string(),
        );
        let sealed = age(&["-r", &own, "-r", &other], contents.to_string().as_bytes());
        write_private(&owner.data().join("vault.age"), &sealed);
        assert_eq!(
            owner.done(&["token", "reveal", "shop"], "").out,
            "written-by-age"
        );
        owner.done(&["secret", "set", "shop", "--key-stdin"], KEY);
        // A save takes a new name, so that the old value works until the configuration names the new one.
        owner
            .vault()
            .put("shop/key", &Secret::new(KEY), None)
            .unwrap();
        owner.done(
            &["connection", "edit", "shop", "--key-ref", "vault:shop/key"],
            "",
        );
    }
}

fn age(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("/usr/bin/age")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "age {arguments:?}");
    output.stdout
}

#[test]
fn a_second_recipient_opens_the_vault_with_a_passphrase_of_their_own() {
    let owner = Owner::with_shop(URL);
    let second = Owner::new();
    let key = second.identity.to_public().to_string();
    owner.vault().add_recipient(&key, "second").unwrap();
    fs::create_dir_all(second.config()).unwrap();
    for (from, to) in [
        (
            owner.data().join("vault.age"),
            second.data().join("vault.age"),
        ),
        (owner.configuration(), second.configuration()),
    ] {
        fs::copy(from, to).unwrap();
    }
    assert_eq!(second.done(&["token", "reveal", "shop"], "").out, KEY);
    second.done(
        &[
            "secret",
            "set",
            "shop",
            "token",
            "--store",
            "vault",
            "--key-stdin",
        ],
        TOKEN,
    );
    fs::copy(
        second.data().join("vault.age"),
        owner.data().join("vault.age"),
    )
    .unwrap();
    let seen = owner.vault().get("shop/token").unwrap().unwrap();
    assert_eq!(*seen.value(), Secret::new(TOKEN));
    // Somebody who is no recipient is told so.
    let stranger = Owner::new();
    fs::copy(
        owner.data().join("vault.age"),
        stranger.data().join("vault.age"),
    )
    .unwrap();
    assert!(
        Vault::at(stranger.data())
            .unlock(&Secret::new(PASSPHRASE))
            .is_err()
    );
}

/// Where a save is cut short.
enum Moment {
    /// So long after the start of the process.
    After(Duration),
    /// When the so-many-th temporary file has appeared: in the middle of a write.
    Temporary(usize),
}

/// `secret set shop` with `value` on its standard input.
fn setting(owner: &Owner, value: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_switchboard"))
        .args(["secret", "set", "shop", "--store", "vault", "--key-stdin"])
        .env_clear()
        .env("HOME", owner.path())
        .env("SWITCHBOARD_PASSPHRASE_FILE", owner.path().join("pass"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(value.as_bytes())
        .unwrap();
    child
}

/// Kills the child at the moment; whether it had ended by itself, well.
fn cut_short(child: &mut Child, moment: &Moment, folders: &[PathBuf]) -> bool {
    let begun = Instant::now();
    let mut seen = BTreeSet::new();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return true;
        }
        let now = match moment {
            Moment::After(time) => begun.elapsed() >= *time,
            Moment::Temporary(count) => {
                seen.extend(folders.iter().flat_map(|folder| temporaries(folder)));
                seen.len() >= *count
            }
        };
        if now {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        std::thread::yield_now();
    }
}

fn temporaries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "tmp"))
        .collect()
}

/// The value that the connection finds now.
fn found_now(owner: &Owner, vault: &Vault) -> Secret {
    let configuration = Store::at(owner.configuration()).load().unwrap();
    let Some(SecretRef::Vault(name)) = &configuration.connections[0].key else {
        panic!("{configuration:?}");
    };
    vault.get(name).unwrap().unwrap().value().clone()
}

#[test]
fn two_hundred_kills_leave_the_old_or_the_new_secret() {
    // Four users at once: the runs of each are one after the other.
    let users = std::thread::scope(|scope| {
        let users: Vec<_> = (0..4)
            .map(|user| scope.spawn(move || fifty_kills(user)))
            .collect();
        let users = users.into_iter().map(|user| user.join().unwrap());
        users.collect::<Vec<_>>()
    });
    let (killed, kept_new) = users
        .into_iter()
        .fold((0, 0), |sum, user| (sum.0 + user.0, sum.1 + user.1));
    assert!(
        killed > 100 && kept_new > 0,
        "killed {killed}, new {kept_new}"
    );
}

/// Fifty saves of one user that are cut short: how many were, and how many had saved by then.
fn fifty_kills(user: u32) -> (u32, u32) {
    let owner = Owner::with_shop(URL);
    let folders = [owner.data(), owner.config(), owner.config().join("backup")];
    let vault = owner.vault();
    let begun = Instant::now();
    assert!(setting(&owner, KEY).wait().unwrap().success());
    let whole = begun.elapsed();
    let mut old = found_now(&owner, &vault);
    let (mut killed, mut kept_new) = (0, 0);
    for number in (user * 50)..(user * 50 + 50) {
        let value = format!("{number:032x}");
        let moment = if number % 2 == 0 {
            // Spread over the whole run, in an order that repeats nothing: 97 is prime.
            Moment::After(whole * ((number * 97) % 220) / 200)
        } else {
            Moment::Temporary(1 + (number as usize / 2) % 4)
        };
        let ended = cut_short(&mut setting(&owner, &value), &moment, &folders);
        killed += u32::from(!ended);
        let (now, new) = (found_now(&owner, &vault), Secret::new(value));
        assert!(now == new || (now == old && !ended), "run {number}");
        kept_new += u32::from(now == new);
        old = now;
    }
    assert!(setting(&owner, KEY).wait().unwrap().success());
    assert!(
        folders.iter().all(|folder| temporaries(folder).is_empty()),
        "leftovers stay"
    );
    (killed, kept_new)
}

#[test]
fn over_ssh_without_a_keyring_the_start_waits_for_nobody_and_the_choice_is_offered() {
    let home = Home::new();
    // A bus that takes connections and never answers.
    let bus = home.path().join("bus");
    let listener = UnixListener::bind(&bus).unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut command = home.command(&[]);
    command.env("SSH_CONNECTION", "203.0.113.5 50000 203.0.113.6 22");
    command.env("SSH_TTY", "/dev/pts/9");
    command.env(
        "DBUS_SESSION_BUS_ADDRESS",
        format!("unix:path={}", bus.display()),
    );
    let mut terminal = Terminal::start(command, 110, 34);
    terminal.wait_for("none yet");
    assert!(listener.accept().is_err(), "the start asked the bus");
    drop(listener);
    fs::remove_file(&bus).unwrap();
    terminal.type_keys("n");
    terminal.wait_for("Username");
    terminal.type_keys("http://127.0.0.1:1\trig\t");
    terminal.paste(KEY);
    terminal.type_keys("\x13");
    terminal.wait_until("a question", |text| {
        text.contains("y save") || text.contains("Where are the secrets")
    });
    terminal.says_yes_to("y save");
    let choice = terminal.wait_for("Where are the secrets");
    assert!(
        choice.contains("vault:") && choice.contains("keyring:"),
        "{choice}"
    );
    assert!(!choice.contains("plain"), "{choice}");
    terminal.type_keys("\x1b");
    terminal.wait_until("the choice to close", |text| {
        !text.contains("Where are the secrets")
    });
    let process = terminal.process();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert_eq!(terminal.ended().exit_code(), 143);
    for path in files_below(home.path()) {
        assert!(!holds(&fs::read(&path).unwrap(), KEY), "{}", path.display());
    }
    // The command says the same, and writes nothing.
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        URL,
        "--key-stdin",
    ];
    let done = switchboard(home.path(), &add, &[("SSH_TTY", "/dev/pts/9")], KEY);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("--store vault"), "{}", done.err);
}

/// The rehearsal on a runtime of its own.
struct Rehearsal {
    sim: Sim,
    runtime: tokio::runtime::Runtime,
}

impl Rehearsal {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let sim = Sim::start(SimSettings::default()).unwrap();
        drop(inside);
        Self { sim, runtime }
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
    }
}

/// The screen over a connection that is up, its vault opened by typing the passphrase.
fn opened(owner: &Owner, more: &[&str]) -> Terminal {
    let mut terminal = Terminal::start(owner.home.command(more), 120, 36);
    terminal.wait_for("shop");
    terminal.type_keys("v");
    terminal.wait_for("Passphrase");
    // From a manager of passwords, as most come.
    terminal.paste(PASSPHRASE);
    terminal.type_keys("\r");
    terminal
}

/// The key that the rehearsal accepts, in the vault of an owner.
fn with_good_shop(rehearsal: &Rehearsal) -> (Owner, String) {
    let entry = rehearsal.sim.entry(Reason::Connected).unwrap();
    let owner = Owner::new();
    let url = entry.url.clone().unwrap();
    let key = entry.key.clone().unwrap();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        entry.service,
        "--url",
        &url,
        "--username",
        entry.username.as_deref().unwrap(),
        "--key-stdin",
        "--store",
        "vault",
    ];
    owner.done(&add, &key);
    (owner, key)
}

#[test]
fn a_full_session_leaves_no_secret_in_any_file() {
    let rehearsal = Rehearsal::start();
    let (owner, key) = with_good_shop(&rehearsal);
    owner.done(&["secret", "set", "shop", "token", "--key-stdin"], TOKEN);
    let log = owner.path().join("session.log").display().to_string();
    let mut terminal = opened(&owner, &["--log", &log, "-vv"]);
    terminal.wait_for(&key);
    terminal.type_keys("vr");
    terminal.wait_for("Successfully Connected");
    terminal.type_keys("y");
    terminal.wait_for_copy();
    terminal.type_keys("e");
    terminal.wait_for("Ctrl-S save");
    terminal.type_keys("\x1b");
    terminal.wait_for("n new");
    terminal.type_keys("L");
    terminal.wait_for("locked");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    owner.done(
        &["probe", "shop", "--format", "json", "--log", &log, "-vv"],
        "",
    );
    let wrong = write_wrong_pass(&owner);
    let refused = switchboard(
        owner.path(),
        &[
            "probe",
            "shop",
            "--log",
            &log,
            "-vv",
            "--passphrase-file",
            &wrong,
        ],
        &[],
        "",
    );
    assert_eq!(refused.code, 3, "{refused:?}");
    let written = fs::read(&log).unwrap();
    assert!(!written.is_empty(), "the log was written");
    let entry = rehearsal.sim.entry(Reason::Connected).unwrap();
    let [plain, copied, sent] = forms_of(entry.username.as_deref().unwrap(), &key);
    assert_nowhere(owner.path(), &[&plain, &copied, &sent, TOKEN, PASSPHRASE]);
}

fn write_wrong_pass(owner: &Owner) -> String {
    let path = owner.path().join("wrong");
    write_private(&path, b"not the right one");
    path.display().to_string()
}

#[test]
fn a_call_to_lock_and_the_end_clear_the_clipboard() {
    let rehearsal = Rehearsal::start();
    let (owner, key) = with_good_shop(&rehearsal);
    let mut terminal = opened(&owner, &[]);
    terminal.wait_for(&key);
    terminal.type_keys("y");
    terminal.wait_for_copy();
    owner.done(&["secret", "lock"], "");
    terminal.wait_until("the lock", |text| {
        text.contains("locked") && !text.contains(&key)
    });
    copying::until("a blank", || terminal.copies().last().unwrap() == BLANK);
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut terminal = opened(&owner, &[]);
        terminal.wait_for(&key);
        terminal.type_keys("y");
        terminal.wait_for_copy();
        let process = i32::try_from(terminal.process()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(process).unwrap(), signal)
            .unwrap();
        assert_eq!(
            terminal.ended().exit_code(),
            128 + signal.as_raw().unsigned_abs()
        );
        terminal.wait_until_ended();
        assert_eq!(
            terminal.copies().last().unwrap(),
            BLANK,
            "{signal:?} leaves the clipboard"
        );
    }
}

/// How often `text` stands in the memory that the process can write.
fn times_in_memory(process: u32, text: &str) -> usize {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut count = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line
            .split_whitespace()
            .next()
            .unwrap()
            .split_once('-')
            .unwrap();
        let number = |hex| u64::from_str_radix(hex, 16).unwrap();
        let (from, to) = (number(from), number(to));
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).unwrap();
        if memory.read_exact(&mut bytes).is_ok() {
            let found = bytes
                .windows(text.len())
                .filter(|part| *part == text.as_bytes());
            let found = found.count();
            if found > 0 {
                eprintln!("{found} in {line}");
            }
            count += found;
        }
    }
    count
}

#[test]
fn root_believes_its_own_files_and_those_of_whoever_called_it() {
    if !is_root() {
        skip("only root gives files away");
        return;
    }
    let (caller, id) = (12_345, "12345");
    let home = tempfile::tempdir().unwrap();
    let (config, state) = (
        home.path().join(".config/switchboard"),
        home.path().join(".local/state/switchboard"),
    );
    let file = config.join("switchboard.toml");
    let run =
        |words: &[&str], variables: &[(&str, &str)]| switchboard(home.path(), words, variables, "");
    let owner = |path: &Path| std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).unwrap());
    let give = |path: &Path, uid: u32| std::os::unix::fs::chown(path, Some(uid), None).unwrap();
    let add = |name: &'static str| {
        let url = "http://127.0.0.1:9";
        ["connection", "add", name, "--service", "http", "--url", url]
    };
    let list = ["connection", "list"];

    // In the home of somebody else what root makes is root's, and is read again.
    give(home.path(), caller);
    let done = run(&add("one"), &[]);
    assert_eq!((done.code, owner(&config), owner(&file)), (0, 0, 0));
    assert_eq!(run(&list, &[]).code, 0);

    for given in [&file, &config] {
        give(given, caller);
        for variables in [
            &[][..],
            &[("SUDO_UID", "54321")],
            &[("SUDO_UID", "")],
            &[("SUDO_UID", "12345 or so")],
        ] {
            let done = run(&list, variables);
            assert_eq!(done.code, 3, "{done:?}");
            let path = given.display().to_string();
            let cure = format!("`chown 0 {path}`");
            for part in ["uid 12345", &path, &cure, "`--user 12345`", "--config-dir"] {
                assert!(done.err.contains(part), "{part}: {done:?}");
            }
        }
        assert_eq!(run(&list, &[("SUDO_UID", id)]).code, 0);
        give(given, 0);
    }

    // A service file is read by the same rule.
    let services = config.join("services");
    fs::create_dir(&services).unwrap();
    private(&services, 0o700);
    let described = services.join("mine.toml");
    write_private(&described, b"");
    give(&described, caller);
    let done = run(&["service", "list"], &[]);
    assert!(done.err.contains("uid 12345"), "{done:?}");
    fs::remove_file(&described).unwrap();

    // What is made for the caller is the caller's, and goes on to be.
    give(&config, caller);
    give(&file, caller);
    let done = run(&add("two"), &[("SUDO_UID", id)]);
    assert_eq!((done.code, owner(&file)), (0, caller), "{done:?}");
    fs::remove_dir_all(&config).unwrap();
    fs::remove_dir_all(home.path().join(".local")).unwrap_or_default();
    give(&home.path().join(".config"), caller);
    let done = run(&add("three"), &[("SUDO_UID", id)]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!((owner(&config), owner(&file)), (caller, caller));
    let done = run(&["probe", "three"], &[("SUDO_UID", id)]);
    assert_eq!(done.code, 2, "{done:?}");
    assert_eq!(owner(&state.join("history.sqlite")), caller);
    // Which leaves it to them alone.
    assert_eq!(run(&list, &[]).code, 3);
    assert_eq!(run(&list, &[("SUDO_UID", id)]).code, 0);
}

#[test]
fn after_a_lock_the_key_is_nowhere_in_memory() {
    if !is_root() {
        skip("only root reads the memory of a process that switched that off");
        return;
    }
    let rehearsal = Rehearsal::start();
    let (owner, key) = with_good_shop(&rehearsal);
    let entry = rehearsal.sim.entry(Reason::Connected).unwrap();
    let username = entry.username.clone().unwrap();
    let mut terminal = opened(&owner, &[]);
    terminal.wait_for(&key);
    terminal.type_keys("vr");
    terminal.wait_for("Successfully Connected");
    terminal.type_keys("y");
    terminal.wait_for_copy();
    terminal.type_keys("e");
    terminal.wait_for("Ctrl-S save");
    // A key of a shape that is never sent by itself, and never saved.
    terminal.paste(TOKEN);
    terminal.wait_for("shape");
    terminal.type_keys("\x1b");
    terminal.wait_for("n new");
    // In the open once more: what was drawn goes too.
    terminal.type_keys("v");
    terminal.wait_for(&key);
    let process = terminal.process();
    assert!(
        times_in_memory(process, &key) > 0,
        "the test looks in the wrong place"
    );
    terminal.type_keys("L");
    terminal.wait_for("not yet");
    terminal.says_yes_to("not yet");
    terminal.wait_for("locked");
    // As it is; as OSC 52 carries it; as the request did; and what opened the vault.
    let pair = format!("{username}:{key}");
    for (what, text) in [
        ("the key", key.as_str()),
        ("the copied key", &STANDARD.encode(&key)),
        ("the pair that was sent", &STANDARD.encode(pair)),
        ("what was pasted", TOKEN),
        ("the passphrase", PASSPHRASE),
        ("the vault's key", "AGE-SECRET-KEY-1"),
    ] {
        // The word is on the screen before the last of it has gone.
        copying::until(&format!("the end of {what} in memory"), || {
            times_in_memory(process, text) == 0
        });
    }
    terminal.type_keys("q");
}
