//! The desktop's clipboard, from the program's side: starts the helper of [`super::holder`], talks to it,
//! and never waits for it without a limit.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::child::Limit;
use super::holder::{HolderReply, HolderRequest, Life, MOST_BYTES, SUBCOMMAND};
use crate::domain::Secret;
use crate::jobs;

/// What the helper needs to reach a display; it gets nothing else.
pub(super) const VARIABLES: [&str; 5] = [
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "HOME",
];

/// Why the desktop's clipboard was not reached.
#[derive(Debug, thiserror::Error)]
pub(super) enum DesktopError {
    /// The helper could not be started.
    #[error("the clipboard helper could not be started: {}", .0.kind())]
    Start(io::Error),
    /// Longer than a desktop is asked to move in one piece.
    #[error("{0} bytes are too long for the desktop's clipboard (at most {MOST_BYTES})")]
    TooLong(usize),
    /// It ended while it was spoken to.
    #[error("the clipboard helper broke off: {}", .0.kind())]
    Ended(io::Error),
    /// It ended without a word.
    #[error("the clipboard helper ended without an answer")]
    Silent,
    /// The display did not answer in time.
    #[error("the display did not answer within {} ms", .0.as_millis())]
    Late(Limit),
    /// The display refused.
    #[error("the desktop took nothing: {0}")]
    Refused(String),
}

/// A running helper. Dropped, it is ended, and its text with it; one that outlives the program is left.
#[derive(Debug)]
pub(super) struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    heard: watch::Receiver<Option<HolderReply>>,
    life: Life,
    placed: bool,
    /// Reads what the helper says; ends with it, or with us.
    _listener: JoinSet<()>,
}

impl Helper {
    /// Starts `program` as a helper and waits until it holds `text`, at most `limit`.
    pub(super) async fn start(
        program: &Path,
        variables: Vec<(&'static str, OsString)>,
        text: &Secret,
        request: HolderRequest,
        limit: Limit,
    ) -> Result<Self, DesktopError> {
        if request.length > MOST_BYTES {
            return Err(DesktopError::TooLong(request.length));
        }
        let mut command = Command::new(program);
        command
            .arg(SUBCOMMAND)
            .env_clear()
            .envs(variables)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = jobs::start(&mut command).map_err(DesktopError::Start)?;
        let (sender, heard) = watch::channel(None);
        let mut listener = JoinSet::new();
        if let Some(output) = child.stdout.take() {
            listener.spawn(listen(output, sender));
        }
        let mut helper = Self {
            input: child.stdin.take(),
            child,
            heard,
            life: request.life,
            placed: false,
            _listener: listener,
        };
        let asked = timeout(limit, helper.ask(text, request)).await;
        asked.unwrap_or(Err(DesktopError::Late(limit)))?;
        helper.placed = true;
        Ok(helper)
    }

    /// Whether it goes on when the program ends.
    pub(super) fn outlives(&self) -> bool {
        self.life == Life::Outlive
    }

    /// What the helper says, for [`replaced`].
    pub(super) fn heard(&self) -> watch::Receiver<Option<HolderReply>> {
        self.heard.clone()
    }

    /// Asks the helper to clear and waits for its word, at most `limit`; then it is ended, which gives the
    /// clipboard up as well. `true`: another program's text was found and left alone.
    pub(super) async fn clear(&mut self, limit: Limit) -> bool {
        let talk = async {
            if let Some(mut input) = self.input.take() {
                let _ = input.write_all(b"clear\n").await;
            }
            let ended = self
                .heard
                .wait_for(|it| !matches!(it, Some(HolderReply::Ready)));
            matches!(ended.await.as_deref(), Ok(Some(HolderReply::Replaced)))
        };
        let replaced = timeout(limit, talk).await;
        let _ = self.child.start_kill();
        replaced.unwrap_or(false)
    }

    async fn ask(&mut self, text: &Secret, request: HolderRequest) -> Result<(), DesktopError> {
        if let Some(input) = &mut self.input {
            let line = format!("{request}\n");
            let written = input.write_all(line.as_bytes()).await;
            written.map_err(DesktopError::Ended)?;
            let written = input.write_all(text.expose().as_bytes()).await;
            written.map_err(DesktopError::Ended)?;
        }
        let first = self.heard.wait_for(Option::is_some).await;
        match first.as_deref() {
            Ok(Some(HolderReply::Ready)) => Ok(()),
            Ok(Some(HolderReply::Failed(why))) => Err(DesktopError::Refused(why.clone())),
            Ok(_) | Err(_) => Err(DesktopError::Silent),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // One that outlives the program is left alone, once it holds what it was asked to hold.
        if self.life == Life::Program || !self.placed {
            let _ = self.child.start_kill();
        }
    }
}

/// Waits until another program has copied. Does not return where that can't be told any more.
pub(super) async fn replaced(mut heard: watch::Receiver<Option<HolderReply>>) {
    let replaced = heard.wait_for(|it| matches!(it, Some(HolderReply::Replaced)));
    if replaced.await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn listen(output: ChildStdout, heard: watch::Sender<Option<HolderReply>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(answer) = HolderReply::read(&line) {
            heard.send_replace(Some(answer));
        }
    }
}
