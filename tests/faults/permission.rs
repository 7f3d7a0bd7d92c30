//! Permissions that are taken away while the program runs, and given back: nothing typed is lost, nothing is sent
//! that can't be booked, what is there is not taken for missing, and no restart is needed.
//!
//! Root may read everything: then the program runs as nobody.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::commands::{BINARY, Done, begin, finish};
use crate::support::forms_of;
use crate::support::pty::{Home, Terminal};
use crate::support::stage::Stage;
use crate::{is_here, set_mode};
use switchboard::sim::{Behaviour, Blesta, ServicePort};

const NOBODY: u32 = 65_534;
const PASSPHRASE: &str = "correct horse";
const CONFIGURATION: &str = ".config/switchboard";
const FILE: &str = ".config/switchboard/switchboard.toml";
const DATA: &str = ".local/share/switchboard";
const STATE: &str = ".local/state/switchboard";

/// Somebody who is not root, with the saved connection `shop`.
struct Person {
    home: Home,
    stage: Stage,
    blesta: Blesta,
    stand: ServicePort,
}

impl Person {
    /// No file here holds the key, in none of its forms.
    fn assert_no_leak(&self) {
        let forms = forms_of(&self.blesta.username, &self.blesta.key);
        self.home.assert_nowhere(&forms);
    }

    /// `key` says where the key of `shop` is.
    fn new(key: &[&str]) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        assert!(
            !is_root || is_here("/usr/bin/setpriv"),
            "setpriv is missing: it comes with util-linux"
        );
        let mut stage = Stage::new();
        let blesta = stage.sim.blesta();
        let stand = stage.raise(|sim| sim.serve(Behaviour::Blesta(blesta.clone())));
        let home = Home::new();
        let program = home.path().join("program");
        // The folders above it may be root's alone.
        if fs::hard_link(BINARY, &program).is_err() {
            fs::copy(BINARY, &program).unwrap();
        }
        fs::write(home.path().join("pass"), PASSPHRASE).unwrap();
        set_mode(&home.path().join("pass"), 0o600);
        if is_root {
            for path in ["", "pass"] {
                chown(home.path().join(path), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let person = Self {
            home,
            stage,
            blesta,
            stand,
        };
        let add = ["connection", "add", "shop", "--service", "blesta", "--url"];
        let pair = ["--username", &person.blesta.username];
        let done = person.run(&[&add[..], &[&person.stand.url], &pair, key].concat(), "");
        assert_eq!(done.code, 0, "{done:?}");
        person
    }

    /// The same with the key in a vault.
    fn with_vault() -> Self {
        let person = Self::new(&[]);
        let set = ["--passphrase-file", "pass", "secret", "set", "shop"];
        let arguments = [&set[..], &["--store", "vault", "--key-stdin"]].concat();
        let done = person.run(&arguments, &person.blesta.key);
        assert_eq!(done.code, 0, "{done:?}");
        person
    }

    fn words(&self) -> Vec<String> {
        let program = self.home.path().join("program").display().to_string();
        if rustix::process::geteuid().is_root() {
            let ids = format!("--reuid={NOBODY} --regid={NOBODY} --clear-groups");
            let mut words = vec!["/usr/bin/setpriv".to_owned()];
            words.extend(ids.split(' ').map(str::to_owned));
            words.push(program);
            words
        } else {
            vec![program]
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str], input: &str) -> Done {
        let variables = [("SHOP_KEY", self.blesta.key.as_str())];
        finish(self.command(arguments), self.home.path(), &variables, input)
    }

    fn screen(&self) -> Terminal {
        let words = self.words();
        let rest: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let mut command = self.home.program(&words[0], &rest);
        command.env("SHOP_KEY", &self.blesta.key);
        Terminal::start(command, 100, 30)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    /// Takes the permission of `path` away until the value is dropped.
    fn take(&self, path: &str, left: u32) -> Taken {
        let path = self.path(path);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        set_mode(&path, left);
        Taken { path, mode }
    }

    fn keys_sent(&self) -> usize {
        self.stage.sim.log().keys_sent(self.stand.port)
    }

    /// Somebody writes a line into the configuration, as an editor does.
    fn note(&self, note: &str) {
        let text = fs::read_to_string(self.path(FILE)).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with("note ="));
        let lines: Vec<_> = kept.collect();
        let text = format!("{}\nnote = \"{note}\"\n", lines.join("\n"));
        fs::write(self.path(FILE), text).unwrap();
    }
}

/// A permission that was taken away.
struct Taken {
    path: PathBuf,
    mode: u32,
}

impl Drop for Taken {
    fn drop(&mut self) {
        set_mode(&self.path, self.mode & 0o7777);
    }
}

fn unlock(terminal: &mut Terminal) {
    terminal.wait_for("Its passphrase opens it");
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
}

/// What is typed is kept, the sentence says why it is not saved to its end, and saving works once it can.
#[test]
fn a_draft_is_saved_once_the_permission_is_back() {
    let person = Person::new(&["--key-ref", "env:SHOP_KEY"]);
    let mut terminal = person.screen();
    terminal.wait_for("● accepted");
    for (round, (path, left)) in [(FILE, 0), (CONFIGURATION, 0), (CONFIGURATION, 0o500)]
        .into_iter()
        .enumerate()
    {
        terminal.type_keys("e");
        terminal.wait_for("editing");
        terminal.type_keys("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[B\x15");
        terminal.type_keys(&format!("user-{round}"));
        terminal.wait_for(&format!("▸Username  user-{round} "));
        let taken = person.take(path, left);
        terminal.type_keys("\x13");
        let asked = |screen: &str| screen.contains("y save");
        let told = |screen: &str| {
            let words: Vec<_> = screen.split_whitespace().collect();
            let text = words.join(" ");
            text.contains("not saved:") && text.contains("permission back, then try again")
        };
        terminal.wait_until("an answer", |screen| asked(screen) || told(screen));
        terminal.says_yes_to("y save");
        let screen = terminal.wait_until("why it is not saved", told);
        assert!(screen.contains(&format!("user-{round} ")), "{screen}");
        drop(taken);
        let before = fs::read_to_string(person.path(FILE)).unwrap();
        assert!(!before.contains(&format!("user-{round}")), "{before}");
        terminal.type_keys("\x13");
        let saved = |screen: &str| screen.contains("shop is saved");
        terminal.wait_until("an answer", |screen| asked(screen) || saved(screen));
        terminal.says_yes_to("y save");
        terminal.wait_until("saved", saved);
        let after = fs::read_to_string(person.path(FILE)).unwrap();
        assert!(after.contains(&format!("user-{round}")), "{after}");
    }
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    person.assert_no_leak();
}

/// Whoever gives the permission back and saves need not wait until it is looked at by itself.
#[test]
fn a_save_reads_what_could_not_be_read() {
    let person = Person::new(&["--key-ref", "env:SHOP_KEY"]);
    let mut terminal = person.screen();
    terminal.wait_for("● accepted");
    terminal.type_keys("e");
    terminal.wait_for("editing");
    terminal.type_keys("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[B\x15user-1");
    terminal.wait_for("▸Username  user-1 ");
    let mut open = fs::File::options();
    let mut file = open.append(true).open(person.path(FILE)).unwrap();
    let taken = person.take(FILE, 0);
    file.write_all(b"\n").unwrap();
    terminal.wait_for("can't be read");
    terminal.type_keys("\x13");
    terminal.wait_for("not saved:");
    drop(taken);
    terminal.type_keys("\x13");
    let asked = |screen: &str| screen.contains("y save");
    let saved = |screen: &str| screen.contains("shop is saved");
    terminal.wait_until("an answer", |screen| asked(screen) || saved(screen));
    terminal.says_yes_to("y save");
    terminal.wait_until("saved", saved);
    let after = fs::read_to_string(person.path(FILE)).unwrap();
    assert!(after.contains("user-1"), "{after}");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// It is there: nobody is offered a new one, or told to enter what is in it again.
#[test]
fn a_vault_that_cannot_be_looked_at_is_not_taken_for_none() {
    let person = Person::with_vault();
    let mut terminal = person.screen();
    terminal.wait_for("vault is locked");
    let taken = person.take(DATA, 0);
    terminal.type_keys("v");
    unlock(&mut terminal);
    terminal.wait_for("Permission denied");
    drop(taken);
    terminal.type_keys("\x1b");
    terminal.wait_until("no dialog", |screen| !screen.contains("Passphrase"));
    terminal.type_keys("v");
    unlock(&mut terminal);
    terminal.wait_for(&person.blesta.key);
    terminal.wait_for("● accepted");
    terminal.type_keys("v");
    terminal.wait_until("hidden", |screen| !screen.contains(&person.blesta.key));
    let taken = person.take(DATA, 0);
    terminal.type_keys("v");
    let screen = terminal.wait_for("not shown");
    assert!(screen.contains("Permission denied"), "{screen}");
    assert!(!screen.contains("no entry"), "{screen}");
    drop(taken);
    terminal.type_keys("v");
    terminal.wait_for(&person.blesta.key);
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    person.assert_no_leak();
}

/// As the screen promises: it is read again by itself, though giving a permission back changes no file.
#[test]
fn what_could_not_be_read_is_read_once_it_can_be() {
    let person = Person::new(&["--key-ref", "env:SHOP_KEY"]);
    for (path, left) in [(FILE, 0), (CONFIGURATION, 0), (FILE, 0o622)] {
        let taken = person.take(path, left);
        let mut terminal = person.screen();
        terminal.wait_for("not readable");
        drop(taken);
        terminal.wait_for("● accepted");
        terminal.type_keys("q");
        assert_eq!(terminal.ended().exit_code(), 0);
    }
}

/// What can't be booked is not sent; once it can, the same session sends it, and the history has it.
#[test]
fn a_state_that_comes_back_is_used_again() {
    let person = Person::new(&["--key-ref", "env:SHOP_KEY"]);
    assert_eq!(person.run(&["probe", "shop"], "").code, 0);
    let before = person.keys_sent();
    let taken = person.take(STATE, 0);
    let mut terminal = person.screen();
    terminal.wait_for("nothing is remembered, and no key is sent");
    // The verdict on the probe at the start.
    terminal.wait_for("What to do");
    assert_eq!(person.keys_sent(), before);
    drop(taken);
    terminal.type_keys("r");
    terminal.wait_for("● accepted");
    assert!(person.keys_sent() > before);
    // It is written within a second, while the session goes on.
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let history = person.run(&["history", "--rows", "runs", "shop"], "");
        if history.out.matches(",ok,connected,").count() >= 2 {
            break;
        }
        assert!(Instant::now() < until, "{history:?}");
    }
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// A call to lock is made by somebody: a folder that can't be looked into calls nobody.
#[test]
fn a_state_that_goes_away_and_comes_back_locks_nothing() {
    let person = Person::with_vault();
    assert_eq!(person.run(&["secret", "lock"], "").code, 0);
    let mut terminal = person.screen();
    terminal.wait_for("vault is locked");
    terminal.type_keys("v");
    unlock(&mut terminal);
    terminal.wait_for("● accepted");
    let taken = person.take(STATE, 0);
    person.note("gone");
    terminal.wait_for("gone");
    drop(taken);
    person.note("came");
    let screen = terminal.wait_for("came");
    assert!(!screen.contains("locked"), "{screen}");
    terminal.type_keys("r");
    terminal.wait_for("● accepted");
    // And a real one is heard.
    assert_eq!(person.run(&["secret", "lock"], "").code, 0);
    terminal.wait_for("locked");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// A watch goes on with what it knows, says once what it can't read, and follows it again once it can.
#[test]
fn a_watch_goes_on_while_its_folders_are_away() {
    let person = Person::new(&["--key-ref", "env:SHOP_KEY"]);
    let mut command = person.command(&["watch", "--plain", "--interval", "1s"]);
    let variables = [("SHOP_KEY", person.blesta.key.as_str())];
    let child = begin(&mut command, person.home.path(), &variables);
    let port = person.stand.port;
    let further = |count: usize| {
        let before = person.keys_sent();
        let enough = move |log: &switchboard::sim::Log| log.keys_sent(port) >= before + count;
        person.stage.wait_for("further probes", enough);
    };
    further(1);
    let taken = person.take(STATE, 0);
    further(2);
    drop(taken);
    let taken = person.take(CONFIGURATION, 0);
    // Longer than it takes to look at the configuration.
    further(7);
    drop(taken);
    let two = ["connection", "clone", "shop", "two"];
    assert_eq!(person.run(&two, "").code, 0);
    let is_watched = |name: &str| {
        let rows = person.run(&["history", "--rows", "runs", name], "");
        rows.out.contains(",ok,connected,")
    };
    let followed = (0..100).any(|_| {
        further(1);
        is_watched("two")
    });
    assert!(followed, "the second one is never watched");
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let done = Done {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert_eq!(done.code, 143, "{done:?}");
    assert!(!done.err.contains("panicked"), "{done:?}");
    assert!(!done.out.contains("unknown"), "it went on: {done:?}");
    let said = done.err.matches("Permission denied").count();
    assert_eq!(said, 1, "{done:?}");
    person.assert_no_leak();
}

/// Its owner has the cure in hand: SQLite's words, which are of its own codes, name none.
#[test]
fn a_history_that_its_owner_may_not_write_says_which_command_mends_it() {
    let person = Person::new(&["--key-ref", "env:SHOP_KEY"]);
    let account =
        "connection add market --service connect --url http://127.0.0.1:1 --key-ref env:NONE";
    let account: Vec<_> = account.split(' ').collect();
    assert_eq!(person.run(&account, "").code, 0);
    assert_eq!(person.run(&["probe", "shop"], "").code, 0);
    let told = |path: &str, mode: &str| {
        let path = person.path(path).display().to_string();
        let cure = format!("; `chmod {mode} {path}` gives you the permission back");
        for (name, of_renewals) in [("shop", 0), ("market", 1)] {
            let done = person.run(&["probe", name], "");
            let lines = done.err.lines();
            assert!(lines.clone().count() > 0, "{done:?}");
            let renewals = "switchboard: whether a renewal was left unfinished can't be read: ";
            let renewals = lines.clone().filter(|line| line.starts_with(renewals));
            assert_eq!(renewals.count(), of_renewals, "{done:?}");
            for line in lines {
                assert!(
                    line.starts_with("switchboard: ") && line.ends_with(&cure),
                    "{line}"
                );
            }
        }
    };
    let (database, beside) = (
        format!("{STATE}/history.sqlite"),
        format!("{STATE}/history.sqlite-shm"),
    );
    let taken = person.take(STATE, 0o500);
    told(STATE, "u+rwx");
    drop(taken);
    let taken = person.take(&database, 0o400);
    told(&database, "u+rw");
    drop(taken);
    // It was made with the mode that the database had meanwhile.
    told(&beside, "u+rw");
    set_mode(&person.path(&beside), 0o600);
    let done = person.run(&["probe", "shop"], "");
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
}
