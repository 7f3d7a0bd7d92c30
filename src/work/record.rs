//! What follows from a watched probe: its result is kept, and a change of state runs the user's command.
//!
//! The command is a program with arguments, never a shell. It gets the verdict as JSON on stdin, which holds no
//! secret, and of the environment only what holds none either.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::core::Core;
use super::damping::Change;
use super::error::WorkError;
use crate::domain::text::inert;
use crate::domain::{Cause, Name, State, Verdict, error_chain};
use crate::jobs;
use crate::store::secrets::{AFTER_ITS_END, ProcessGroup};

/// How long the user's command may run.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// How many of them run at once.
const COMMANDS: usize = 8;
/// How many may wait for their turn: of a fleet that fails as one, not each is worth a program.
const WAITING: usize = 256;
/// Bytes of its talk that are read.
const MOST_TALK: u64 = 4096;

/// Why the user's command came to nothing.
#[derive(Debug, thiserror::Error)]
enum CommandProblem {
    /// Of a fleet that fails as one.
    #[error("{WAITING} calls of it wait already; this one was left out")]
    Crowded,
    /// No word stands there.
    #[error("it names no program")]
    Nameless,
    /// Not started.
    #[error("{}", inert(program, 60))]
    Start {
        program: String,
        source: std::io::Error,
    },
    /// Started, and lost out of sight.
    #[error(transparent)]
    Lost(std::io::Error),
    /// Ended by us.
    #[error("it ran for {} seconds and was ended", COMMAND_LIMIT.as_secs())]
    Late,
    /// Its own failure, with its last words.
    #[error("it ended with {status}{}", last_words(said))]
    Failed { status: ExitStatus, said: Vec<u8> },
}

/// A verdict as a program is told of a change: its object, with the state that was told before as `was`.
pub fn announcement(verdict: &Verdict, was: Option<State>) -> Value {
    let mut object = serde_json::to_value(verdict).unwrap_or_default();
    if let Value::Object(fields) = &mut object {
        fields.insert("was".to_owned(), was.map(State::id).into());
    }
    object
}

/// Takes in what a watch finds.
pub(super) struct Recorder {
    core: Core,
    command: Arc<OnChange>,
    failed: UnboundedSender<String>,
    failures: UnboundedReceiver<String>,
}

/// The user's command.
struct OnChange {
    words: Vec<String>,
    turns: Semaphore,
    waiting: Semaphore,
}

impl Recorder {
    /// Records into the state of `core`; `on_change` is the user's command, if there is one.
    pub(super) fn new(core: Core, on_change: Vec<String>) -> Self {
        let (failed, failures) = unbounded_channel();
        Self {
            core,
            command: Arc::new(OnChange::new(on_change)),
            failed,
            failures,
        }
    }

    /// Another command from now on, where `on_change` is another one.
    pub(super) fn obey(&mut self, on_change: &[String]) {
        if self.command.words != on_change {
            self.command = Arc::new(OnChange::new(on_change.to_vec()));
        }
    }

    /// Takes in one finished probe. `planned`: within a maintenance window.
    pub(super) fn ended(&self, verdict: &Verdict, change: Option<Change>, planned: bool) {
        self.core.0.note(verdict, planned);
        if let Some(news) = self.core.0.history_writer.news() {
            let _ = self.failed.send(news);
        }
        if let Some(change) = change {
            self.announce(verdict, change);
        }
    }

    /// Writes down what was announced, for whoever watches after a restart, and calls the command, where no other
    /// program of this user has called it of this change. That something is up is no news, and is known from its
    /// history.
    fn announce(&self, verdict: &Verdict, change: Change) {
        let Some(name) = verdict.connection.clone() else {
            return;
        };
        if (change.from, change.to) == (None, State::Ok) {
            return;
        }
        let calls = change.is_news() && !self.command.words.is_empty();
        let json = calls.then(|| announcement(verdict, change.from).to_string());
        let (command, failed) = (Arc::clone(&self.command), self.failed.clone());
        let variables = self.core.0.children.variables(command.program());
        let (core, to, at) = (self.core.clone(), change.to, verdict.at);
        self.core.0.following.spawn(async move {
            let is_first = core.announced_first(name, (to, at), calls).await;
            let Some(json) = json.filter(|_| is_first) else {
                return;
            };
            if let Err(problem) = command.run(variables, json.as_bytes()).await {
                tracing::warn!(problem = %error_chain(&problem), "on_change");
                let problem = Cause::of_step("on_change failed", problem);
                // Where the watch has ended, nobody is left to be told.
                let _ = failed.send(error_chain(&problem));
            }
        });
    }

    /// The next failure of the command.
    pub(super) async fn failed_command(&mut self) -> Option<String> {
        self.failures.recv().await
    }
}

impl Core {
    /// Writes down that `name` is announced to be so since then. Says, for whoever `calls` a command of that, whether
    /// they are the first: rather twice than never, where it can't be written down.
    async fn announced_first(&self, name: Name, news: (State, Timestamp), calls: bool) -> bool {
        // Its URL as it is saved: the verdict's hides what stands in front of the host.
        let Ok(connection) = self.connection(&name).await else {
            return true;
        };
        let announced = self.blocking(move |inner| {
            let announced = inner.state()?.announce(&name, &connection.url, news, calls);
            announced.map_err(|problem| WorkError::failed("writing the state", problem))
        });
        announced.await.unwrap_or_else(|problem| {
            tracing::warn!(problem = %error_chain(&problem), "not remembered");
            true
        })
    }

    /// Whether a command of the user runs because of a change, or waits for its turn.
    pub fn is_announcing(&self) -> bool {
        self.0.following.is_busy()
    }

    /// Waits for the commands that run because of changes, each of which has its time. Where that is given up they are
    /// ended.
    pub async fn settle_announcements(&self) {
        self.0.following.settle().await;
    }
}

impl Change {
    /// Whether anybody need hear of it: a connection that is up, or that nothing is known of, when it is first
    /// heard of is no news.
    pub const fn is_news(self) -> bool {
        match (self.from, self.to) {
            (Some(_), _) | (None, State::Down | State::Warn) => true,
            (None, State::Ok | State::Unknown) => false,
        }
    }
}

impl OnChange {
    fn new(words: Vec<String>) -> Self {
        Self {
            words,
            turns: Semaphore::new(COMMANDS),
            waiting: Semaphore::new(WAITING),
        }
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Runs it with the verdict on stdin.
    async fn run(
        &self,
        variables: Vec<(OsString, OsString)>,
        json: &[u8],
    ) -> Result<(), CommandProblem> {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Err(CommandProblem::Crowded);
        };
        let _turn = self.turns.acquire().await;
        let words = self.words.split_first();
        let (program, arguments) = words.ok_or(CommandProblem::Nameless)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0);
        let mut child = jobs::start(&mut command).map_err(|source| CommandProblem::Start {
            program: program.clone(),
            source,
        })?;
        let group = ProcessGroup::of(&child);
        let Ok((status, said)) = tokio::time::timeout(COMMAND_LIMIT, heard(&mut child, json)).await
        else {
            return Err(CommandProblem::Late);
        };
        group.leave();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(CommandProblem::Failed { status, said }),
            Err(error) => Err(CommandProblem::Lost(error)),
        }
    }
}

/// Gives `child` its input, and takes down what it says until it has ended. What it leaves running for later may hold
/// its output open for ever: that is not waited for.
async fn heard(child: &mut Child, json: &[u8]) -> (std::io::Result<ExitStatus>, Vec<u8>) {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let status = {
        let writing = async {
            if let Some(mut stdin) = stdin {
                // A command that does not read its input is none the worse for it.
                let _ = stdin.write_all(json).await;
            }
        };
        let reading = async {
            if let Some(mut stderr) = stderr {
                let _ = (&mut stderr).take(MOST_TALK).read_to_end(&mut said).await;
                // More than that is of no interest, but a full pipe would stop it.
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
        };
        let talk = async { tokio::join!(writing, reading) };
        tokio::pin!(talk);
        tokio::select! {
            _ = &mut talk => child.wait().await,
            status = child.wait() => {
                // All that it said is in the pipe by now.
                let _ = tokio::time::timeout(AFTER_ITS_END, talk).await;
                status
            }
        }
    };
    (status, said)
}

fn last_words(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(String::new, |line| format!(": {}", inert(line.trim(), 200)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Vec<(OsString, OsString)> {
        vec![("PATH".into(), "/usr/bin:/bin".into())]
    }

    fn command(script: &str) -> OnChange {
        OnChange::new(["/bin/sh", "-c", script].map(str::to_owned).to_vec())
    }

    /// Why `command` failed, as it is told.
    async fn told(command: &OnChange) -> String {
        let problem = command.run(variables(), b"{}").await.unwrap_err();
        error_chain(&problem)
    }

    #[tokio::test]
    async fn it_gets_the_verdict_and_no_variable_that_may_hold_a_secret() {
        let script = "test \"$(cat)\" = '{\"state\":\"down\"}' && test -z \"$CARGO_PKG_NAME\" && test -n \"$PATH\"";
        command(script)
            .run(variables(), b"{\"state\":\"down\"}")
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn its_last_words_are_told_inert_where_it_fails() {
        let script = "echo first >&2; printf 'no \\033[31mroute\\n\\n' >&2; exit 3";
        let why = told(&command(script)).await;
        assert!(why.contains("exit status: 3"), "{why}");
        assert!(why.ends_with("route") && !why.contains('\u{1b}'), "{why:?}");
        let mut absent = command("");
        absent.words = vec!["/nonexistent/program".to_owned()];
        let why = told(&absent).await;
        assert!(
            why.starts_with("/nonexistent/program: No such file"),
            "{why}"
        );
    }

    #[tokio::test]
    async fn what_it_leaves_running_is_not_waited_for() {
        // A program that outlives the test's patience by far, and holds the output open.
        let script = "sleep 600 & echo $! last words >&2; exit 3";
        let why = told(&command(script)).await;
        let left = why.rsplit(' ').nth(2).unwrap_or_default();
        let ended = std::process::Command::new("kill").arg(left).status();
        assert!(why.ends_with("last words"), "{why}");
        assert!(ended.unwrap().success(), "it runs on: {why}");
    }

    #[tokio::test]
    async fn one_that_talks_without_end_is_not_stopped_by_a_full_pipe() {
        let script = "head -c 1000000 /dev/zero >&2";
        command(script).run(variables(), b"{}").await.unwrap();
    }
}
