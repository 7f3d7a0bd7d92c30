//! A session by a real sshd on loopback that drops: the program at the other end ends, with its children, and
//! nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use crate::support::commands::BINARY;
use crate::support::pty::{Home, Terminal};
use crate::support::rig::{Server, free_port};
use crate::support::skip;
use crate::{is_here, set_mode};

/// An sshd of our own, which lets one key in.
struct Sshd {
    port: u16,
    folder: tempfile::TempDir,
    _server: Server,
}

impl Sshd {
    fn start() -> Self {
        // sshd wants its folder where nobody else may write; /tmp is not one of these.
        let folder = tempfile::Builder::new()
            .prefix("switchboard-ssh")
            .tempdir_in("/root")
            .unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let path = folder.path();
        for name in ["host", "user"] {
            let made = Command::new("/usr/bin/ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path.join(name))
                .stdin(Stdio::null())
                .status();
            assert!(made.unwrap().success());
        }
        fs::copy(path.join("user.pub"), path.join("authorized")).unwrap();
        set_mode(&path.join("authorized"), 0o600);
        let port = free_port();
        let shown = path.display();
        let text = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {shown}/host\nAuthorizedKeysFile {shown}/authorized
PidFile {shown}/pid\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no
StrictModes no\nLogLevel ERROR\nPrintMotd no\n"
        );
        fs::write(path.join("config"), text).unwrap();
        let file = path.join("config");
        let arguments = ["-D", "-e", "-f", file.to_str().unwrap()];
        let server = Server::start("/usr/sbin/sshd", &arguments, &[port]);
        Self {
            port,
            folder,
            _server: server,
        }
    }

    /// A client in a terminal that runs `line` there.
    fn client(&self, home: &Home, line: &str) -> CommandBuilder {
        let key = self.folder.path().join("user");
        let port = self.port.to_string();
        home.program(
            "/usr/bin/ssh",
            &[
                "-tt",
                "-F",
                "/dev/null",
                "-i",
                key.to_str().unwrap(),
                "-p",
                &port,
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "LogLevel=ERROR",
                "root@127.0.0.1",
                line,
            ],
        )
    }
}

/// The processes whose command line names `folder`.
fn at_work(folder: &Path) -> Vec<PathBuf> {
    let name = folder.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
        if program.ends_with(b"switchboard") && line.windows(name.len()).any(|part| part == name) {
            found.push(entry.path());
        }
    }
    found
}

fn until(what: &str, mut test: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !test() {
        assert!(Instant::now() < limit, "{what}");
        std::thread::yield_now();
    }
}

fn permitted() -> bool {
    is_here("/usr/sbin/sshd")
        && is_here("/usr/bin/ssh")
        && if rustix::process::geteuid().is_root() {
            true
        } else {
            skip("an sshd of one's own needs root");
            false
        }
}

#[test]
fn a_dropped_session_ends_the_screen_there() {
    if !permitted() {
        return;
    }
    let (sshd, home) = (Sshd::start(), Home::new());
    let folder = home.path().join("there");
    let folders = format!("--config-dir {0}/c --state-dir {0}/s", folder.display());
    let line = format!("cd / && exec {BINARY} {folders}");
    let mut terminal = Terminal::start(sshd.client(&home, &line), 100, 30);
    terminal.wait_for("none yet");
    assert_eq!(at_work(&folder).len(), 1);
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.type_keys("http://127.0.0.1:9");
    terminal.wait_for("http://127.0.0.1:9");
    terminal.signal(rustix::process::Signal::KILL);
    terminal.ended();
    until("it goes on without its session", || {
        at_work(&folder).is_empty()
    });
}

#[test]
fn a_dropped_session_ends_a_watch_and_a_probe_there() {
    if !permitted() {
        return;
    }
    let (sshd, home) = (Sshd::start(), Home::new());
    let folder = home.path().join("there");
    let folders = format!("--config-dir {0}/c --state-dir {0}/s", folder.display());
    let add =
        format!("{BINARY} {folders} connection add shop --service http --url http://127.0.0.1:9");
    let line = format!("{add} && exec {BINARY} {folders} watch --plain --interval 1s");
    let mut terminal = Terminal::start(sshd.client(&home, &line), 100, 30);
    terminal.wait_for("shop");
    terminal.signal(rustix::process::Signal::KILL);
    terminal.ended();
    until("it goes on without its session", || {
        at_work(&folder).is_empty()
    });
}
