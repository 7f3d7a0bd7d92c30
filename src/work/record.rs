//! What follows from a watched probe: its result is kept, and a change of state runs the user's command.

use std::ffi::OsString;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::damping::Change;
use super::desk::Desk;
use crate::domain::{State, Verdict};

/// How long the user's command may run.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// How many of them run at once.
const COMMANDS: usize = 8;

/// Takes in what a watch finds.
pub(super) struct Recorder {
    desk: Desk,
    on_change: Vec<String>,
    commands: Arc<Semaphore>,
}

impl Recorder {
    /// Records into the state of `desk`; `on_change` is the user's command, if there is one.
    pub(super) fn new(desk: Desk, on_change: Vec<String>) -> Self {
        Self {
            desk,
            on_change,
            commands: Arc::new(Semaphore::new(COMMANDS)),
        }
    }

    /// Takes in one finished probe.
    pub(super) fn ended(&self, verdict: &Verdict, change: Option<Change>) {
        self.desk.0.note(verdict);
        if change.is_some_and(is_news)
            && let Some((program, arguments)) = self.on_change.split_first()
            && let Ok(json) = serde_json::to_vec(verdict)
        {
            let (program, arguments) = (program.clone(), arguments.to_vec());
            let commands = Arc::clone(&self.commands);
            let variables = self.desk.0.children.variables(&program);
            self.desk.0.apart.begin(async move {
                let _turn = commands.acquire().await;
                if let Err(problem) = run(&program, &arguments, variables, &json).await {
                    tracing::warn!(%problem, "on_change");
                }
            });
        }
    }
}

/// A connection that is up, or that nothing is known of, when it is first heard of is no news.
const fn is_news(change: Change) -> bool {
    match (change.from, change.to) {
        (Some(_), _) | (None, State::Down | State::Warn) => true,
        (None, State::Ok | State::Unknown) => false,
    }
}

/// Runs the user's command with the verdict on stdin. It holds no secret.
async fn run(
    program: &str,
    arguments: &[String],
    variables: Vec<(OsString, OsString)>,
    json: &[u8],
) -> std::io::Result<()> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let talk = async {
        if let Some(mut stdin) = stdin {
            // A command that does not read its input is none the worse for it.
            let _ = stdin.write_all(json).await;
            drop(stdin);
        }
        child.wait().await
    };
    match tokio::time::timeout(COMMAND_LIMIT, talk).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(std::io::Error::other(format!("it ended with {status}"))),
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(std::io::Error::other("it ran for 30 seconds and was ended")),
    }
}
