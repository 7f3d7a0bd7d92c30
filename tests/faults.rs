//! Faults: the machine under the program fails in every way that machines do. Nothing is lost, nothing leaks,
//! nothing hangs, nobody is locked out, and what to do about it is said.
//!
//! Most of them need root and Linux's namespaces; where those are not permitted a line says what was skipped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::format_collect,
    reason = "what is missing shall fail the test, and what is skipped shall be said"
)]

#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/descriptors.rs"]
mod descriptors;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/names.rs"]
mod names;
#[path = "faults/odd.rs"]
mod odd;
#[path = "faults/permission.rs"]
mod permission;
#[path = "faults/ssh.rs"]
mod ssh;
#[path = "faults/streams.rs"]
mod streams;
mod support;
#[path = "faults/surroundings.rs"]
mod surroundings;
#[path = "faults/together.rs"]
mod together;
#[path = "faults/versions.rs"]
mod versions;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::commands::{BINARY, Done, finish, switchboard};
use support::stage::Stage;
use support::{forms_of, is_here, not_permitted};
use switchboard::sim::{Behaviour, Blesta, ServicePort};

/// Shell: `soon COMMAND` waits until it succeeds, for a minute at the most.
const SOON: &str = "soon() { for _ in $(seq 1500); do \"$@\" && return; sleep 0.02; done; echo \"never: $*\" >&2; exit 9; }";

/// A user with one saved connection, `shop`, to a Blesta on loopback; its key is in the variable `SHOP_KEY`.
struct User {
    home: tempfile::TempDir,
    stage: Stage,
    blesta: Blesta,
    stand: ServicePort,
}

impl User {
    fn new() -> Self {
        let mut stage = Stage::new();
        let blesta = stage.sim.blesta();
        let stand = stage.raise(|sim| sim.serve(Behaviour::Blesta(blesta.clone())));
        let home = tempfile::tempdir().unwrap();
        let user = Self {
            home,
            stage,
            blesta,
            stand,
        };
        let pair = [
            "--username",
            &user.blesta.username,
            "--key-ref",
            "env:SHOP_KEY",
        ];
        let add = ["connection", "add", "shop", "--service", "blesta", "--url"];
        let done = user.run(&[&add[..], &[&user.stand.url], &pair].concat());
        assert_eq!(done.code, 0, "{done:?}");
        user
    }

    /// A second connection, `open`, that has no key.
    fn add_open(&self) {
        let add = ["connection", "add", "open", "--service", "http", "--url"];
        let added = self.run(&[&add[..], &[&self.stand.url]].concat());
        assert_eq!(added.code, 0, "{added:?}");
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn configuration(&self) -> PathBuf {
        self.path().join(".config/switchboard/switchboard.toml")
    }

    fn run(&self, arguments: &[&str]) -> Done {
        switchboard(
            self.path(),
            arguments,
            &[("SHOP_KEY", &self.blesta.key)],
            "",
        )
    }

    /// Lines of shell with the program as `$0`, in mounts of their own: what is mounted there ends with them.
    fn aside(&self, lines: &str) -> Done {
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["-m", "--propagation", "private", "/bin/bash", "-c"]);
        command.args([lines, BINARY]);
        finish(command, self.path(), &[("SHOP_KEY", &self.blesta.key)], "")
    }

    /// Lines of shell with the program as `$0`.
    fn shell(&self, lines: &str) -> Done {
        let mut command = Command::new("/bin/bash");
        command.args(["-c", lines, BINARY]);
        finish(command, self.path(), &[("SHOP_KEY", &self.blesta.key)], "")
    }

    fn keys_sent(&self) -> usize {
        self.stage.sim.log().keys_sent(self.stand.port)
    }

    /// Nothing of the key stands in any file here or in what was said.
    fn assert_no_leak(&self, done: &Done) {
        let files = files_below(self.path());
        assert!(!files.is_empty(), "there is nothing to look at");
        for form in forms_of(&self.blesta.username, &self.blesta.key) {
            let said = done.out.contains(&form) || done.err.contains(&form);
            assert!(!said, "{done:?}");
            for path in &files {
                let content = fs::read(path).unwrap_or_default();
                let held = content
                    .windows(form.len())
                    .any(|part| part == form.as_bytes());
                assert!(!held, "the key stands in {}", path.display());
            }
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}

/// Whether mounts of one's own can be made here; says so where not.
fn mounts_permitted() -> bool {
    let done = Command::new("/usr/bin/unshare")
        .args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let permitted = done.is_ok_and(|status| status.success());
    if !permitted {
        not_permitted("mounts of one's own need root (`unshare -m`)");
    }
    permitted
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// It was ours, not the service's: exit code 3, one sentence with these words, no panic.
fn assert_told(done: &Done, words: &[&str]) {
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.starts_with("switchboard: "), "{done:?}");
    assert_no_panic(done);
    for word in words {
        assert!(done.err.contains(word), "{word:?} in {done:?}");
    }
}

fn assert_no_panic(done: &Done) {
    assert!(!done.err.contains("panicked"), "{done:?}");
    assert!(done.code < 100 || done.code == 141, "{done:?}");
}
