//! The clipboard against the programs that it speaks to: a real tmux, an X server, GNU screen, displays
//! that never answer. What a test needs and this machine lacks is said, and the test skipped.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on ends, and says why"
)]

mod support;

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use switchboard::clipboard::{
    Certainty, Clearing, Clipboard, Life, Limits, Route, Surroundings, Terminal,
};
use switchboard::domain::Secret;
use tokio::time::timeout;

const HANDLE: &str = "ApiKey SU-123-456:c2VjcmV0";
/// As the settings have it by themselves.
const CLEAR_AFTER: Duration = Duration::from_secs(20);
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// Longer than anything here takes: what is not there by then never comes.
const NEVER: Duration = Duration::from_secs(30);
/// Less than a helper waits for its display by itself: one that was ended is gone by then.
const ENDED: Duration = Duration::from_secs(8);
const AMPLE: Limits = Limits {
    desktop: Duration::from_secs(20),
    tmux: Duration::from_secs(20),
    command: Duration::from_secs(20),
};

fn handle() -> Secret {
    Secret::new(HANDLE)
}

/// The surroundings of a program with these variables and a terminal that has said nothing.
fn around(variables: &[(&str, &str)]) -> Surroundings {
    let all: Vec<(String, OsString)> = [("PATH", PATH), ("TERM", "xterm-256color")]
        .iter()
        .chain(variables)
        .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
        .collect();
    let look_up = |name: &str| {
        let found = all.iter().rfind(|(known, _)| known == name)?;
        Some(found.1.clone())
    };
    Surroundings::read(look_up, None, Terminal::Silent)
}

fn clipboard(surroundings: Surroundings, limits: Limits) -> Clipboard {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_switchboard"));
    Clipboard::new(surroundings, program, limits)
}

fn is_missing(program: &str) -> bool {
    let found = PATH
        .split(':')
        .any(|folder| PathBuf::from(folder).join(program).exists());
    if !found {
        support::not_installed(program);
    }
    !found
}

fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("clip-{}-{count}", std::process::id())
}

/// A program in a terminal of ours, and what it writes there.
struct InTerminal {
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    _master: Box<dyn MasterPty + Send>,
}

impl InTerminal {
    fn start(term: &str, words: &[&str]) -> Self {
        let pty = native_pty_system()
            .openpty(PtySize {
                rows: 24,
                cols: 80,
                ..PtySize::default()
            })
            .unwrap();
        let mut command = CommandBuilder::from_argv(words.iter().map(Into::into).collect());
        command.env_clear();
        for (name, value) in [("TERM", term), ("PATH", PATH), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        pty.slave.spawn_command(command).unwrap();
        let mut reader = pty.master.try_clone_reader().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            output,
            seen: Vec::new(),
            _master: pty.master,
        }
    }

    /// Reads on until `text` was written, and forgets all up to there.
    fn expect(&mut self, text: &str) {
        loop {
            let found = self
                .seen
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            if let Some(at) = found {
                self.seen.drain(..at + text.len());
                return;
            }
            let Ok(more) = self.output.recv_timeout(NEVER) else {
                let seen = String::from_utf8_lossy(&self.seen);
                panic!("{text:?} was not written, but {seen:?}");
            };
            self.seen.extend(more);
        }
    }

    /// Reads on until `text` was written, and says whether OSC 52 was written before it.
    fn sets_a_clipboard_before(&mut self, text: &str) -> bool {
        let mut before = Vec::new();
        loop {
            before.append(&mut self.seen);
            if before.windows(text.len()).any(|it| it == text.as_bytes()) {
                return before.windows(4).any(|it| it == b"]52;");
            }
            self.seen = self.output.recv_timeout(NEVER).unwrap();
        }
    }
}

/// A tmux server of our own with one session, in its default configuration.
struct Tmux {
    socket: String,
    variable: String,
    _folder: tempfile::TempDir,
}

impl Tmux {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut tmux = Self {
            socket: folder.path().join("tmux").display().to_string(),
            variable: String::new(),
            _folder: folder,
        };
        tmux.run(&[
            "new-session",
            "-d",
            "-s",
            "a",
            "-x",
            "80",
            "-y",
            "24",
            "cat",
        ]);
        tmux.variable = tmux.run(&["display-message", "-p", "#{socket_path},#{pid},0"]);
        tmux
    }

    /// Attaches a client whose terminal is a `term`.
    fn attach(&self, term: &str) -> InTerminal {
        let words = ["tmux", "-S", &self.socket, "attach-session", "-t", "a"];
        let mut terminal = InTerminal::start(term, &words);
        self.mark(&mut terminal);
        terminal
    }

    /// Waits until the client has written all that it was sent.
    fn mark(&self, terminal: &mut InTerminal) {
        let mark = unique();
        self.run(&["set-option", "-g", "status-left-length", "40"]);
        self.run(&["set-option", "-g", "status-left", &mark]);
        terminal.expect(&mark);
    }

    fn call(&self, arguments: &[&str]) -> Output {
        Command::new("tmux")
            .args(["-S", &self.socket, "-f", "/dev/null"])
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end_matches('\n')
            .to_owned()
    }

    fn clipboard(&self) -> Clipboard {
        clipboard(around(&[("TMUX", &self.variable)]), AMPLE)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.call(&["kill-server"]);
    }
}

const SET: &str = "]52;;QXBpS2V5IFNVLTEyMy00NTY6YzJWamNtVjA=\u{7}";
const BLANK: &str = "]52;;IA==\u{7}";

#[tokio::test]
async fn tmux_by_default_gives_exactly_the_handle_and_then_nothing() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    let mut terminal = tmux.attach("xterm-256color");
    let clipboard = tmux.clipboard();
    let placed = clipboard
        .copy(&handle(), Some(CLEAR_AFTER), Life::Program)
        .await;
    assert_eq!(
        (placed.route, placed.certainty),
        (Route::Tmux, Certainty::Handed)
    );
    assert_eq!(
        placed.words,
        "copied → tmux, sent on to your terminal; it does not confirm"
    );
    assert_eq!(placed.terminal_bytes, None);
    assert!(clipboard.needs_program().await);
    assert_eq!(tmux.run(&["show-buffer"]), HANDLE);
    terminal.expect(SET);

    let cleared = clipboard.clear().await;
    assert_eq!(cleared.clearing, Clearing::Blanked, "{cleared:?}");
    terminal.expect(BLANK);
    assert_eq!(tmux.run(&["list-buffers"]), "");
    assert_eq!(clipboard.clear().await.clearing, Clearing::Nothing);
}

#[tokio::test]
async fn tmux_with_its_clipboard_off_still_reaches_the_terminal() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    tmux.run(&["set-option", "-s", "set-clipboard", "off"]);
    let mut terminal = tmux.attach("xterm-256color");
    let clipboard = tmux.clipboard();
    clipboard.copy(&handle(), None, Life::Program).await;
    terminal.expect(SET);
    clipboard.clear().await;
    terminal.expect(BLANK);
}

#[tokio::test]
async fn a_tmux_client_without_a_clipboard_is_not_said_to_have_one() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    let mut terminal = tmux.attach("vt220");
    let clipboard = tmux.clipboard();
    let placed = clipboard
        .copy(&handle(), Some(CLEAR_AFTER), Life::Program)
        .await;
    assert_eq!(
        placed.words,
        "copied → tmux buffer only; this terminal takes no clipboard"
    );
    assert_eq!(tmux.run(&["show-buffer"]), HANDLE);
    assert_eq!(clipboard.clear().await.clearing, Clearing::Gone);
    assert_eq!(tmux.run(&["list-buffers"]), "");
    tmux.run(&["set-option", "-g", "status-left", "THE-END"]);
    assert!(!terminal.sets_a_clipboard_before("THE-END"));
}

#[tokio::test]
async fn a_tmux_that_nobody_looks_at_is_not_said_to_reach_a_terminal() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    let clipboard = tmux.clipboard();
    let placed = clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(
        placed.words,
        "copied → tmux buffer only; no terminal is attached"
    );
    assert_eq!(clipboard.clear().await.clearing, Clearing::Gone);
    assert_eq!(tmux.run(&["list-buffers"]), "");
}

#[tokio::test]
async fn what_another_program_copied_in_tmux_is_left_alone() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    let mut terminal = tmux.attach("xterm-256color");
    let clipboard = tmux.clipboard();
    clipboard
        .copy(&handle(), Some(CLEAR_AFTER), Life::Program)
        .await;
    terminal.expect(SET);
    tmux.run(&["set-buffer", "-w", "theirs"]);
    timeout(NEVER, clipboard.replaced()).await.unwrap();
    let cleared = clipboard.clear().await;
    assert_eq!(cleared.clearing, Clearing::Replaced);
    assert_eq!(tmux.run(&["show-buffer"]), "theirs");
    assert_eq!(
        tmux.run(&["list-buffers", "-F", "#{buffer_sample}"]),
        "theirs"
    );
    terminal.expect("]52;;dGhlaXJz\u{7}");
    tmux.run(&["set-option", "-g", "status-left", "THE-END"]);
    assert!(!terminal.sets_a_clipboard_before("THE-END"));
}

#[tokio::test]
async fn a_buffer_that_a_person_deleted_is_still_taken_from_the_terminal() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    tmux.run(&["set-buffer", "older"]);
    let mut terminal = tmux.attach("xterm-256color");
    let clipboard = tmux.clipboard();
    clipboard.copy(&handle(), None, Life::Program).await;
    terminal.expect(SET);
    let ours = tmux.run(&["list-buffers", "-F", "#{buffer_name}"]);
    tmux.run(&["delete-buffer", "-b", ours.lines().next().unwrap()]);
    clipboard.clear().await;
    terminal.expect(BLANK);
    assert_eq!(
        tmux.run(&["list-buffers", "-F", "#{buffer_sample}"]),
        "older"
    );
}

#[tokio::test]
async fn a_second_copy_replaces_the_first_and_is_cleared_whole() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    let mut terminal = tmux.attach("xterm-256color");
    let clipboard = tmux.clipboard();
    clipboard.copy(&handle(), None, Life::Program).await;
    let placed = clipboard
        .copy(&Secret::new("second"), Some(CLEAR_AFTER), Life::Program)
        .await;
    assert_eq!(placed.clear_after, Some(CLEAR_AFTER));
    assert_eq!(
        tmux.run(&["list-buffers", "-F", "#{buffer_sample}"]),
        "second"
    );
    terminal.expect(SET);
    terminal.expect("]52;;c2Vjb25k\u{7}");
    clipboard.clear().await;
    assert_eq!(tmux.run(&["list-buffers"]), "");
    tmux.run(&["set-option", "-g", "status-left", "THE-END"]);
    terminal.expect(BLANK);
    assert!(
        !terminal.sets_a_clipboard_before("THE-END"),
        "one blank is enough"
    );
}

#[tokio::test]
async fn tmux_knows_better_than_the_pane_who_sits_in_front_of_it() {
    if is_missing("tmux") {
        return;
    }
    let tmux = Tmux::start();
    let _terminal = tmux.attach("xterm-256color");
    // The pane was opened at the desktop; the person is attached over SSH now.
    tmux.run(&[
        "set-environment",
        "-t",
        "a",
        "SSH_CONNECTION",
        "10.0.0.1 1 10.0.0.2 22",
    ]);
    let pane = around(&[("TMUX", &tmux.variable), ("DISPLAY", ":4242")]);
    let placed = clipboard(pane, AMPLE)
        .copy(&handle(), None, Life::Program)
        .await;
    assert_eq!((placed.route, placed.missed), (Route::Tmux, vec![]));
    // And the other way round: opened over SSH, attached at the desktop, whose display is tried first.
    tmux.run(&["set-environment", "-t", "a", "-r", "SSH_CONNECTION"]);
    let pane = around(&[
        ("TMUX", &tmux.variable),
        ("DISPLAY", ":4242"),
        ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22"),
    ]);
    let placed = clipboard(pane, AMPLE)
        .copy(&handle(), None, Life::Program)
        .await;
    assert_eq!(placed.route, Route::Tmux);
    assert_eq!(placed.missed.first().unwrap().route, Route::Desktop);
}

#[tokio::test]
async fn a_tmux_that_is_gone_leaves_the_passthrough_and_no_claim() {
    let around = around(&[("TMUX", "/nowhere/tmux,1,0")]);
    let placed = clipboard(around, AMPLE)
        .copy(&handle(), None, Life::Program)
        .await;
    assert_eq!(placed.route, Route::TmuxPassthrough);
    assert_eq!(placed.words, "sent; this terminal does not confirm");
    let bytes = placed.terminal_bytes.unwrap();
    assert!(bytes.as_bytes().starts_with(b"\x1bPtmux;\x1b\x1b]52;c;"));
}

/// An X server of our own.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
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
        Self {
            server,
            name: format!(":{}", number.trim()),
        }
    }

    fn clipboard(&self) -> Clipboard {
        clipboard(around(&[("DISPLAY", &self.name)]), AMPLE)
    }

    fn xclip(&self) -> Command {
        let mut command = Command::new("xclip");
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
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Pastes until there is nothing any more.
    fn wait_until_empty(&self) {
        let begin = std::time::Instant::now();
        while self.paste("UTF8_STRING").is_some() {
            assert!(begin.elapsed() < NEVER, "it is never cleared");
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn has_no_x() -> bool {
    is_missing("Xvfb") || is_missing("xclip")
}

#[tokio::test]
async fn another_client_reads_the_handle_and_the_hint_until_it_is_cleared() {
    if has_no_x() {
        return;
    }
    let display = Display::start();
    let clipboard = display.clipboard();
    let placed = clipboard
        .copy(&handle(), Some(CLEAR_AFTER), Life::Program)
        .await;
    assert_eq!(placed.certainty, Certainty::Confirmed, "{placed:?}");
    assert_eq!(placed.words, "copied → clipboard of this host");
    assert_eq!(display.paste("UTF8_STRING").as_deref(), Some(HANDLE));
    let hint = display.paste("x-kde-passwordManagerHint");
    assert_eq!(hint.as_deref(), Some("secret"));
    let targets = display.paste("TARGETS").unwrap();
    assert!(!targets.contains("SAVE_TARGETS"), "{targets}");

    assert_eq!(clipboard.clear().await.clearing, Clearing::Gone);
    assert_eq!(display.paste("UTF8_STRING"), None);
}

#[tokio::test]
async fn another_programs_text_on_the_desktop_is_left_alone() {
    if has_no_x() {
        return;
    }
    let display = Display::start();
    let clipboard = display.clipboard();
    clipboard
        .copy(&handle(), Some(CLEAR_AFTER), Life::Program)
        .await;
    display.copy("theirs");
    timeout(NEVER, clipboard.replaced()).await.unwrap();
    let cleared = clipboard.clear().await;
    assert_eq!(cleared.clearing, Clearing::Replaced);
    assert_eq!(
        cleared.words,
        "another program has copied since; left as it is"
    );
    assert_eq!(display.paste("UTF8_STRING").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn the_end_of_the_program_takes_the_text_away_unless_it_shall_outlive() {
    if has_no_x() {
        return;
    }
    let display = Display::start();
    let clipboard = display.clipboard();
    clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(display.paste("UTF8_STRING").as_deref(), Some(HANDLE));
    drop(clipboard);
    display.wait_until_empty();

    let clipboard = display.clipboard();
    let time = Some(Duration::from_secs(3));
    clipboard.copy(&handle(), time, Life::Outlive).await;
    assert!(!clipboard.needs_program().await);
    drop(clipboard);
    assert_eq!(display.paste("UTF8_STRING").as_deref(), Some(HANDLE));
    display.wait_until_empty();
}

#[tokio::test]
async fn a_second_copy_on_the_desktop_is_a_new_one_in_full() {
    if has_no_x() {
        return;
    }
    let display = Display::start();
    let clipboard = display.clipboard();
    clipboard.copy(&handle(), None, Life::Program).await;
    let long = "k".repeat(300_000);
    let placed = clipboard
        .copy(&Secret::new(long.clone()), None, Life::Program)
        .await;
    assert_eq!(placed.certainty, Certainty::Confirmed, "{placed:?}");
    assert_eq!(
        display.paste("UTF8_STRING").map(|it| it == long),
        Some(true)
    );
    assert_eq!(clipboard.clear().await.clearing, Clearing::Gone);
    assert_eq!(display.paste("UTF8_STRING"), None);
}

#[tokio::test]
async fn a_display_that_is_not_there_or_never_answers_is_passed_by() {
    let listener = listener_as_display();
    let number = listener.local_addr().unwrap().port() - 6000;
    let silent = format!("127.0.0.1:{number}");
    let limits = Limits {
        desktop: Duration::from_secs(3),
        ..AMPLE
    };
    for display in [silent.as_str(), ":7777"] {
        let clipboard = clipboard(around(&[("DISPLAY", display)]), limits);
        let text = handle();
        let copy = clipboard.copy(&text, Some(CLEAR_AFTER), Life::Outlive);
        let placed = timeout(NEVER, copy).await.unwrap();
        assert_eq!(placed.route, Route::Terminal, "{display}");
        assert_eq!(placed.words, "sent; this terminal does not confirm");
        assert_eq!(placed.missed.first().unwrap().route, Route::Desktop);
        assert!(clipboard.clear().await.terminal_bytes.is_some());
    }
    // The helper was there, and is gone: its end of the connection is closed.
    let mut stream = accepted(&listener);
    stream.set_read_timeout(Some(ENDED)).unwrap();
    let mut greeting = Vec::new();
    let end = stream.read_to_end(&mut greeting);
    assert!(end.is_ok() && !greeting.is_empty(), "{end:?}");
}

#[tokio::test]
async fn whoever_waits_for_a_silent_display_holds_up_nobody() {
    let listener = listener_as_display();
    let number = listener.local_addr().unwrap().port() - 6000;
    let display = format!("127.0.0.1:{number}");
    let clipboard = clipboard(around(&[("DISPLAY", &display)]), AMPLE);
    let text = handle();
    // One thread: were it blocked, the connection would never be seen.
    let connected = tokio::task::spawn_blocking(move || listener.accept().unwrap().0);
    let mut stream = tokio::select! {
        placed = clipboard.copy(&text, None, Life::Outlive) => panic!("it answered: {placed:?}"),
        stream = connected => stream.unwrap(),
    };
    // The copy was dropped half-way: its helper is gone, and nothing is held.
    stream.set_read_timeout(Some(ENDED)).unwrap();
    assert!(stream.read_to_end(&mut Vec::new()).is_ok());
    assert_eq!(clipboard.clear().await.clearing, Clearing::Nothing);
}

/// The connection that came, or comes before long.
fn accepted(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let begun = Instant::now();
    loop {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            return stream;
        }
        assert!(begun.elapsed() < NEVER, "nobody connects");
        std::thread::yield_now();
    }
}

/// A listener on a port that is some display's, on which nobody ever answers.
fn listener_as_display() -> TcpListener {
    let mut ports = 6100..6600;
    let free = ports.find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    free.unwrap()
}

#[tokio::test]
async fn a_terminal_is_never_said_to_have_it_unless_it_announced_that() {
    let silent = clipboard(around(&[]), AMPLE);
    let placed = silent.copy(&handle(), None, Life::Program).await;
    assert_eq!(placed.certainty, Certainty::SentUnconfirmed);
    assert_eq!(placed.words, "sent; this terminal does not confirm");
    assert_eq!(
        placed.terminal_bytes.unwrap().as_bytes(),
        b"\x1b]52;c;QXBpS2V5IFNVLTEyMy00NTY6YzJWamNtVjA=\x1b\\"
    );
    let cleared = silent.clear().await;
    assert_eq!(cleared.clearing, Clearing::Blanked);
    assert_eq!(
        cleared.terminal_bytes.unwrap().as_bytes(),
        b"\x1b]52;c;IA==\x1b\\"
    );

    let announced = Surroundings {
        terminal: Terminal::Announces,
        ..around(&[])
    };
    let placed = clipboard(announced, AMPLE)
        .copy(&handle(), None, Life::Program)
        .await;
    assert_eq!(placed.words, "copied → your terminal (OSC 52)");
}

#[tokio::test]
async fn of_a_tmux_in_front_no_more_is_said_than_it_does() {
    let over_ssh = around(&[("TERM", "tmux-256color"), ("SSH_CONNECTION", "a 1 b 22")]);
    let clipboard = clipboard(over_ssh, AMPLE);
    let placed = clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(
        placed.words,
        "sent; the tmux in front passes it on with set-clipboard on"
    );
    let cleared = clipboard.clear().await;
    assert!(cleared.terminal_bytes.is_some(), "{cleared:?}");
    assert!(cleared.words.contains("may keep it"), "{cleared:?}");
}

/// Somebody came by ssh out of a GNU screen, or out of a tmux that bears its name.
#[tokio::test]
async fn what_a_screen_in_front_takes_is_sent_in_a_form_that_tmux_takes_too() {
    let over_ssh = around(&[("TERM", "screen-256color"), ("SSH_CONNECTION", "a 1 b 22")]);
    let clipboard = clipboard(over_ssh, AMPLE);
    let placed = clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(
        placed.words,
        "sent; a screen, or a tmux with set-clipboard on, passes it on"
    );
    let bytes = placed.terminal_bytes.unwrap();
    assert!(bytes.as_bytes().starts_with(b"\x1bP\x1b]52;c;"));
    let cleared = clipboard.clear().await.terminal_bytes.unwrap();
    assert_eq!(cleared.as_bytes(), b"\x1bP\x1b]52;c;IA==\x07\x1b\\");
    let long = Secret::new("k".repeat(520));
    let placed = clipboard.copy(&long, None, Life::Program).await;
    assert_eq!(
        placed.words,
        "sent; the tmux in front passes it on with set-clipboard on"
    );
    let bytes = placed.terminal_bytes.unwrap();
    assert!(bytes.as_bytes().ends_with(b"\x1b\\"));
    assert!(!bytes.as_bytes().windows(2).any(|pair| pair == b"\x1bP"));
}

#[tokio::test]
async fn with_no_way_out_nothing_is_claimed_and_an_earlier_copy_stays() {
    let deaf = Surroundings {
        terminal: Terminal::Without,
        ..around(&[])
    };
    let placed = clipboard(deaf, AMPLE)
        .copy(&handle(), Some(CLEAR_AFTER), Life::Program)
        .await;
    assert_eq!(
        (placed.route, placed.certainty),
        (Route::ByHand, Certainty::Shown)
    );
    assert_eq!(
        placed.words,
        "not copied: no clipboard within reach; select it by hand"
    );
    assert_eq!((placed.clear_after, placed.terminal_bytes), (None, None));

    let terminal = clipboard(around(&[]), AMPLE);
    terminal.copy(&handle(), None, Life::Program).await;
    let long = Secret::new("k".repeat(75_001));
    let placed = terminal.copy(&long, None, Life::Program).await;
    assert_eq!(
        placed.words,
        "not copied: 75001 bytes are too long for a terminal's clipboard (at most 75000); \
         select it by hand"
    );
    assert_eq!(terminal.clear().await.clearing, Clearing::Blanked);
}

#[tokio::test]
async fn a_command_of_the_user_gets_the_text_on_stdin_and_a_blank_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clipboard");
    let script = format!("cat > {}", file.display());
    let with_command = Surroundings {
        command: Some(vec!["/bin/sh".into(), "-c".into(), script]),
        ..around(&[])
    };
    let clipboard = clipboard(with_command, AMPLE);
    let placed = clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(
        (placed.route, placed.words.as_str()),
        (Route::Command, "handed to sh")
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), HANDLE);
    assert_eq!(clipboard.clear().await.clearing, Clearing::Blanked);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), " ");
}

#[tokio::test]
async fn another_command_counts_from_the_next_copy_on_and_the_one_before_it_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let command = |name: &str| {
        let script = format!("cat > {}", file(name).display());
        Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), script])
    };
    let read = |name: &str| std::fs::read_to_string(file(name)).ok();
    let with_command = Surroundings {
        command: command("one"),
        ..around(&[])
    };
    let clipboard = clipboard(with_command, AMPLE);
    clipboard.copy(&handle(), None, Life::Program).await;
    clipboard.set_command(command("two"));
    clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(read("one").as_deref(), Some(" "));
    assert_eq!(read("two").as_deref(), Some(HANDLE));
    clipboard.set_command(None);
    let placed = clipboard.copy(&handle(), None, Life::Program).await;
    assert_eq!(placed.route, Route::Terminal);
    assert_eq!(read("two").as_deref(), Some(" "));
}

#[tokio::test]
async fn a_command_that_fails_is_named_beside_the_route_that_was_taken() {
    let with_command = Surroundings {
        command: Some(vec!["false".into()]),
        ..around(&[])
    };
    let placed = clipboard(with_command, AMPLE)
        .copy(&handle(), None, Life::Program)
        .await;
    assert_eq!(
        placed.words,
        "sent; this terminal does not confirm (false failed (exit status: 1))"
    );
}

#[tokio::test]
async fn gnu_screen_passes_a_long_text_on_in_one_piece() {
    if is_missing("screen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes");
    let around = around(&[("STY", "1.x"), ("TERM", "screen")]);
    let text = Secret::new("k".repeat(5_000));
    let placed = clipboard(around, AMPLE)
        .copy(&text, None, Life::Program)
        .await;
    assert_eq!(placed.route, Route::Screen);
    std::fs::write(&file, placed.terminal_bytes.unwrap().as_bytes()).unwrap();
    let script = format!("cat {}; echo THE-END; cat", file.display());
    let words = ["screen", "-c", "/dev/null", "sh", "-c", &script];
    let mut terminal = InTerminal::start("xterm", &words);
    // 5,000 bytes are 6,668 of base64: `kkk` is `a2tr`, the last two bytes are `a2s=`.
    terminal.expect(&format!("\x1b]52;c;{}a2s=\x07", "a2tr".repeat(1_666)));
    terminal.expect("THE-END");
}
