//! `y` over the real binary: what stands on the clipboard in front of the person, read from outside, and
//! whether the footer says just that.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use crate::support::commands::switchboard;
use crate::support::pty::{Home, Terminal};
use crate::{BLANK, KEY, URL, is_missing, set, write_private};

/// [`KEY`] in base64.
const KEY_BASE64: &str = "NWVjMmU3YWIxZTBkZGJhMTFjYTVjYWRlZDBjMGZmZWU=";
const PATH: &str = "/usr/bin:/bin";
/// Far beyond what anything here takes.
const NEVER: Duration = Duration::from_secs(60);
/// How long a copy stays where a test waits for its end: long enough to be seen.
const SHORT: &str = "4";

/// A user with a connection `shop` whose key is in a file, so that nobody is asked for a passphrase.
fn user(clear_after: &str) -> Home {
    let home = Home::new();
    let file = home.path().join("key");
    write_private(&file, KEY.as_bytes());
    let reference = format!("file:{}", file.display());
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        URL,
        "--username",
        "rig",
        "--key-ref",
        &reference,
    ];
    let added = switchboard(home.path(), &add, &[], "");
    assert_eq!(added.code, 0, "{added:?}");
    set(home.path(), &format!("clipboard_clear_s = {clear_after}"));
    home
}

fn started(command: CommandBuilder) -> Terminal {
    let terminal = Terminal::start(command, 120, 36);
    terminal.wait_for("shop");
    terminal
}

/// The program in a tmux of its own, in its default configuration.
fn in_tmux(home: &Home, term: &str) -> CommandBuilder {
    let socket = home.path().join("tmux.socket");
    let line = format!(
        "exec tmux -u -f /dev/null -S {} new-session \"$0\"",
        socket.display()
    );
    let mut command = home.shell(&line);
    command.env("TERM", term);
    command
}

fn tmux(home: &Home, arguments: &[&str]) -> Output {
    Command::new("tmux")
        .arg("-S")
        .arg(home.path().join("tmux.socket"))
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

pub(crate) fn until(what: &str, mut test: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !test() {
        assert!(begun.elapsed() < NEVER, "{what} does not come");
        std::thread::yield_now();
    }
}

#[test]
fn in_tmux_by_default_the_buffer_is_the_handle_and_is_gone_after_the_time() {
    if is_missing("/usr/bin/tmux") {
        return;
    }
    let home = user(SHORT);
    let mut terminal = started(in_tmux(&home, "xterm-256color"));
    terminal.type_keys("y");
    until("the handle", || {
        tmux(&home, &["show-buffer"]).stdout == KEY.as_bytes()
    });
    terminal.wait_for("copied → tmux, sent on to your terminal; it does not confirm");
    assert_eq!(terminal.wait_for_copy(), KEY_BASE64, "the terminal outside");
    terminal.wait_until("a countdown", |text| text.contains("clears in"));
    until("the end of its time", || {
        tmux(&home, &["list-buffers"]).stdout.is_empty()
    });
    terminal.wait_for("cleared in tmux");
    until("a blank outside", || {
        terminal.copies().last().unwrap() == BLANK
    });
    terminal.type_keys("q");
    terminal.ended();
}

#[test]
fn a_tmux_client_without_a_clipboard_is_not_said_to_have_it() {
    if is_missing("/usr/bin/tmux") {
        return;
    }
    let home = user("20");
    let mut terminal = started(in_tmux(&home, "vt220"));
    terminal.type_keys("y");
    terminal.wait_for("copied → tmux buffer only; this terminal takes no clipboard");
    assert_eq!(tmux(&home, &["show-buffer"]).stdout, KEY.as_bytes());
    terminal.type_keys("q");
    terminal.ended();
    assert_eq!(terminal.copies(), [""; 0], "nothing was sent to it");
}

#[test]
fn in_gnu_screen_the_terminal_outside_gets_the_handle_and_nothing_is_claimed() {
    if is_missing("/usr/bin/screen") {
        return;
    }
    let home = user("20");
    let folder = home.path().join("screens");
    std::fs::create_dir(&folder).unwrap();
    crate::private(&folder, 0o700);
    let mut command = home.shell("exec screen -q -U -c /dev/null \"$0\"");
    command.env("SCREENDIR", &folder);
    let mut terminal = started(command);
    terminal.type_keys("y");
    assert_eq!(terminal.wait_for_copy(), KEY_BASE64);
    terminal.wait_for("sent; this terminal does not confirm");
    terminal.type_keys("q");
    terminal.ended();
    terminal.wait_until_ended();
    assert_eq!(terminal.copies(), [KEY_BASE64, BLANK]);
}

/// An X server of our own.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Option<Self> {
        if is_missing("/usr/bin/Xvfb") || is_missing("/usr/bin/xclip") {
            return None;
        }
        let mut server = Command::new("/usr/bin/Xvfb")
            .args(["-noreset", "-nolisten", "tcp", "-displayfd", "1"])
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        let output = server.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        Some(Self { server, name })
    }

    fn xclip(&self) -> Command {
        let mut command = Command::new("/usr/bin/xclip");
        command
            .args(["-display", &self.name, "-selection", "clipboard"])
            .env_clear()
            .env("PATH", PATH);
        command
    }

    /// What another client pastes as `target`.
    fn paste(&self, target: &str) -> Option<String> {
        let output = self.xclip().args(["-o", "-t", target]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(text)
    }

    /// Another client copies.
    fn copy(&self, text: &str) {
        let mut child = self
            .xclip()
            .arg("-i")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        assert!(child.wait().unwrap().success());
    }

    /// Lets a real xterm read what a program wrote, to the last byte.
    fn xterm(&self, home: &Path, bytes: &[u8], options: &[&str]) -> Child {
        let (file, done) = (home.join("bytes"), home.join("done"));
        std::fs::write(&file, bytes).unwrap();
        let _ = std::fs::remove_file(&done);
        // The answer to the question at the end says that everything before it was read.
        let script = format!(
            "stty raw -echo; cat {}; printf '\\033[5n'; dd bs=1 count=4 of={} 2>/dev/null; \
             mv {1} {}; exec cat",
            file.display(),
            home.join("answer").display(),
            done.display()
        );
        let child = Command::new("/usr/bin/xterm")
            .args(["-display", &self.name])
            .args(options)
            .args(["-e", "sh", "-c", &script])
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("xterm's answer", || done.exists());
        child
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn on_a_desktop_another_client_reads_it_and_what_is_copied_after_it_stays() {
    let Some(display) = Display::start() else {
        return;
    };
    let home = user("20");
    let mut command = home.command(&[]);
    command.env("DISPLAY", &display.name);
    let mut terminal = started(command);
    terminal.type_keys("y");
    terminal.wait_for("copied → clipboard of this host");
    assert_eq!(display.paste("UTF8_STRING").as_deref(), Some(KEY));
    let hint = display.paste("x-kde-passwordManagerHint");
    assert_eq!(hint.as_deref(), Some("secret"));
    display.copy("theirs");
    terminal.wait_for("another program has copied since; left as it is");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    assert_eq!(display.paste("UTF8_STRING").as_deref(), Some("theirs"));
    assert_eq!(terminal.copies(), [""; 0], "the terminal got nothing");
}

#[test]
fn the_end_of_the_program_clears_the_desktop() {
    let Some(display) = Display::start() else {
        return;
    };
    for signal in [None, Some(rustix::process::Signal::KILL)] {
        let home = user("20");
        let mut command = home.command(&[]);
        command.env("DISPLAY", &display.name);
        let mut terminal = started(command);
        terminal.type_keys("y");
        until("the handle", || {
            display.paste("UTF8_STRING").as_deref() == Some(KEY)
        });
        match signal {
            None => terminal.type_keys("q"),
            Some(signal) => terminal.signal(signal),
        }
        terminal.ended();
        until("an empty clipboard", || {
            display.paste("UTF8_STRING").is_none()
        });
    }
}

/// A command that copies gives its caller the streams back at once, while others still paste what it copied.
#[test]
fn a_command_copies_and_ends_and_the_clipboard_has_the_key_for_its_time() {
    let Some(display) = Display::start() else {
        return;
    };
    let home = user(SHORT);
    // This one's key comes from a command that leaves a child with its output behind.
    let spoken = format!("cmd:/bin/sh -c 'sleep 60 & echo {KEY}'");
    let add = [
        "connection",
        "add",
        "spoken",
        "--service",
        "blesta",
        "--url",
    ];
    let more = [URL, "--username", "rig", "--key-ref", &spoken];
    let added = switchboard(home.path(), &[&add[..], &more].concat(), &[], "");
    assert_eq!(added.code, 0, "{added:?}");
    let variables = [("DISPLAY", display.name.as_str())];
    for name in ["shop", "spoken"] {
        let copy = ["token", "copy", name];
        // It returns once both streams are at their end.
        let done = switchboard(home.path(), &copy, &variables, "");
        assert_eq!(
            display.paste("UTF8_STRING").as_deref(),
            Some(KEY),
            "{done:?}"
        );
        assert_eq!(done.code, 0, "{done:?}");
        assert!(
            done.err.contains("copied → clipboard of this host"),
            "{done:?}"
        );
        assert!(!done.out.contains(KEY) && !done.err.contains(KEY));
        until("the end of its time", || {
            display.paste("UTF8_STRING").is_none()
        });
    }
}

/// A listener on a port that is some display's, on which nobody ever answers.
fn silent_display() -> (TcpListener, String) {
    let mut ports = 6100..6600;
    let free = ports.find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    let listener = free.unwrap();
    let number = listener.local_addr().unwrap().port() - 6000;
    (listener, format!("127.0.0.1:{number}"))
}

#[test]
fn a_display_that_never_answers_holds_up_no_frame_and_is_not_claimed() {
    let (_listener, name) = silent_display();
    let home = user("20");
    let mut command = home.command(&[]);
    command.env("DISPLAY", &name);
    let mut terminal = started(command);
    // At once: whoever waited for the display would show the help only after the copy was given up.
    terminal.type_keys("y?");
    terminal.wait_for_copy();
    let raw = terminal.raw();
    let at = |text: &str| {
        let found = raw
            .windows(text.len())
            .position(|part| part == text.as_bytes());
        found.unwrap_or_else(|| panic!("{text:?} was not written"))
    };
    assert!(at("close") < at("\x1b]52;"), "the screen has waited");
    terminal.type_keys("\x1b");
    terminal.wait_until("the end of the help", |text| {
        text.contains("sent; this terminal does not confirm") && !text.contains("close")
    });
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.wait_until_ended();
    assert_eq!(terminal.copies(), [KEY_BASE64, BLANK]);
}

#[test]
fn an_xterm_as_it_comes_takes_nothing_and_the_footer_does_not_say_that_it_did() {
    let Some(display) = Display::start() else {
        return;
    };
    if is_missing("/usr/bin/xterm") {
        return;
    }
    let home = user("20");
    let mut command = home.command(&[]);
    command.env("TERM", "xterm");
    command.env("SSH_CONNECTION", "203.0.113.5 50000 203.0.113.6 22");
    // Under SSH this is the way to somebody else's screen.
    command.env("DISPLAY", &display.name);
    let mut terminal = started(command);
    terminal.type_keys("y");
    terminal.wait_for_copy();
    let footer = terminal.wait_for("sent; this terminal does not confirm");
    assert!(!footer.contains("copied"), "{footer}");
    let sent = terminal.raw();

    let mut obedient = display.xterm(
        home.path(),
        &sent,
        &["-xrm", "XTerm*disallowedWindowOps: 20,21,SetXprop"],
    );
    assert_eq!(
        display.paste("UTF8_STRING").as_deref(),
        Some(KEY),
        "one that takes it"
    );
    obedient.kill().unwrap();
    obedient.wait().unwrap();
    until("its selection to end", || {
        display.paste("UTF8_STRING").is_none()
    });
    let mut usual = display.xterm(home.path(), &sent, &[]);
    assert_eq!(display.paste("UTF8_STRING"), None, "one as it comes");
    usual.kill().unwrap();
    usual.wait().unwrap();
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}
