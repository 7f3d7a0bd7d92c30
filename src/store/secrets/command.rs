//! `cmd:` references: a program, its arguments, no shell; the first line that it prints is the secret.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::SecretProblem;
use crate::domain::Secret;
use crate::domain::text::inert;
use crate::jobs;
use crate::store::files::{self, SECRET_LIMIT};

/// How long a program may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of its talk that are read; one line of it is shown.
const STDERR_LIMIT: u64 = 4096;

/// How long its output is listened to after its end: what it started may hold that open for ever.
pub const AFTER_ITS_END: Duration = Duration::from_millis(200);

/// Gives a program, by its name, the whole environment that it gets.
pub type Variables = Arc<dyn Fn(&str) -> Vec<(OsString, OsString)> + Send + Sync>;

/// The first line that `words` (program and arguments) print on stdout. The program gets the environment
/// that `variables` gives it, no stdin, 10 seconds, and 64 KiB; it and what it started are killed after that,
/// or where this future is dropped.
pub(super) async fn run(words: &[String], variables: &Variables) -> Result<Secret, SecretProblem> {
    run_within(words, variables, TIME_LIMIT).await
}

pub(super) async fn run_within(
    words: &[String],
    variables: &Variables,
    limit: Duration,
) -> Result<Secret, SecretProblem> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| refused("", "it names no program"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(variables(program))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    let mut child =
        jobs::start(&mut command).map_err(|error| refused(program, &start_failed(&error)))?;
    let group = ProcessGroup::of(&child);
    let Ok(outcome) = tokio::time::timeout(limit, listen(&mut child)).await else {
        return Err(refused(
            program,
            &format!("it gave no answer within {} seconds", limit.as_secs()),
        ));
    };
    let heard = outcome.map_err(|error| refused(program, &inert(&error.to_string(), 80)))?;
    group.leave();
    heard.secret(program)
}

/// Why the program of `words` can't be started, where that is so. It is not run.
pub(super) fn missing(words: &[String], variables: &Variables) -> Option<SecretProblem> {
    let program = words.first()?;
    let is_program = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    let found = if program.contains('/') {
        is_program(Path::new(program))
    } else {
        let variables = variables(program);
        let path = variables.iter().find(|(name, _)| name == "PATH");
        // Without one the system has its own.
        path.is_none_or(|(_, path)| {
            std::env::split_paths(path).any(|folder| is_program(&folder.join(program)))
        })
    };
    (!found).then(|| refused(program, "there is no such program here that may be run"))
}

struct CommandOutput {
    status: ExitStatus,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Vec<u8>,
}

impl CommandOutput {
    fn secret(self, program: &str) -> Result<Secret, SecretProblem> {
        if !self.status.success() {
            let talk = String::from_utf8_lossy(&self.stderr);
            let line = talk
                .lines()
                .map(|line| inert(line, 200))
                .find(|line| !line.is_empty());
            let ended = match self.status.code() {
                Some(code) => format!("it ended with code {code}"),
                None => "it was killed".to_owned(),
            };
            return Err(refused(
                program,
                &line.map_or(ended.clone(), |line| format!("{ended}: {line}")),
            ));
        }
        match files::line_in(&self.stdout) {
            Ok(Some(secret)) if !secret.is_empty() => Ok(secret),
            Ok(Some(_)) => Err(refused(
                program,
                "it printed nothing on the first line of its output",
            )),
            Ok(None) => Err(refused(
                program,
                "the line that it printed is too long for a secret",
            )),
            Err(_) => Err(refused(program, "what it printed is not UTF-8 text")),
        }
    }
}

async fn listen(child: &mut Child) -> io::Result<CommandOutput> {
    let mut stdout = Zeroizing::new(Vec::with_capacity(4096));
    let mut stderr = Vec::new();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let status = {
        // Both at once: a program whose talk nobody reads would wait for ever.
        let reading = async {
            tokio::try_join!(answer(out, &mut stdout), talk(err, &mut stderr)).map(|((), ())| ())
        };
        tokio::pin!(reading);
        tokio::select! {
            read = &mut reading => {
                read?;
                child.wait().await?
            }
            status = child.wait() => {
                let status = status?;
                // All that it wrote is in the pipe by now; an agent that it left behind may keep that open.
                if let Ok(read) = tokio::time::timeout(AFTER_ITS_END, reading).await {
                    read?;
                }
                status
            }
        }
    };
    Ok(CommandOutput {
        status,
        stdout,
        stderr,
    })
}

async fn answer(source: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) -> io::Result<()> {
    let Some(source) = source else {
        return Ok(());
    };
    let read = source.take(SECRET_LIMIT + 1).read_to_end(kept).await?;
    if read as u64 > SECRET_LIMIT {
        return Err(io::Error::other("it prints more than 64 KiB"));
    }
    Ok(())
}

/// Reads some, then goes on reading without keeping: the writer must not block.
async fn talk(source: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) -> io::Result<()> {
    let Some(mut source) = source else {
        return Ok(());
    };
    (&mut source).take(STDERR_LIMIT).read_to_end(kept).await?;
    let mut rest = [0_u8; 1024];
    while source.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Kills the group of a program that was started as the head of one, when dropped: neither it nor what it started
/// outlives its time.
#[derive(Debug)]
pub struct ProcessGroup(Option<u32>);

impl ProcessGroup {
    /// The group of `child`.
    pub fn of(child: &Child) -> Self {
        Self(child.id())
    }

    /// The program has ended by itself: what it left running for later may stay.
    pub fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let pid = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

fn start_failed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such program here".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be run".to_owned(),
        _ => inert(&error.to_string(), 80),
    }
}

fn refused(program: &str, why: &str) -> SecretProblem {
    SecretProblem::Command {
        program: inert(program, 80),
        why: why.to_owned(),
    }
}
