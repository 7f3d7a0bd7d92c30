//! A short call of another program: secrets by stdin, few variables, an absolute time limit.

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::domain::Secret;
use crate::domain::text::inert;
use crate::jobs;

/// The longest that is waited for a child, all together.
pub(super) type Limit = Duration;

/// The most bytes of an answer that are read; what comes after is dropped.
const MOST_ANSWER: u64 = 1 << 20;

/// Why a call failed. Names the program, never its input or output.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// It could not be started.
    #[error("{program} could not be started: {}", source.kind())]
    Start { program: String, source: io::Error },
    /// Its pipes failed.
    #[error("{program} broke off: {}", source.kind())]
    Pipe { program: String, source: io::Error },
    /// It took too long and was ended.
    #[error("{program} did not answer within {} ms", limit.as_millis())]
    Late { program: String, limit: Limit },
    /// It reported failure.
    #[error("{program} failed ({status})")]
    Failed { program: String, status: ExitStatus },
}

/// A program to be called once.
pub(super) struct Call<'a> {
    program: &'a str,
    arguments: Vec<&'a str>,
    variables: Vec<(&'static str, OsString)>,
    input: Option<&'a Secret>,
}

impl<'a> Call<'a> {
    /// `arguments` are public: every process of this machine can read them.
    pub(super) fn new(program: &'a str, arguments: &[&'a str]) -> Self {
        Self {
            program,
            arguments: arguments.to_vec(),
            variables: Vec::new(),
            input: None,
        }
    }

    /// The whole environment of the child; without this it is empty.
    pub(super) fn with_variables(mut self, variables: Vec<(&'static str, OsString)>) -> Self {
        self.variables = variables;
        self
    }

    /// What the child reads on stdin; without this, nothing.
    pub(super) fn with_input(mut self, input: &'a Secret) -> Self {
        self.input = Some(input);
        self
    }

    /// Runs it and waits for its success. Its output is dropped: programs that stay in the background
    /// keep it open.
    pub(super) async fn success(self, limit: Limit) -> Result<(), CallError> {
        let mut child = self.start(Stdio::null())?;
        let talk = async {
            let fed = self.feed(&mut child).await;
            self.end(&mut child).await?;
            // A program that ends well without having read has not taken it.
            fed
        };
        self.within(limit, talk).await
    }

    /// Runs it, waits for its success, and gives its output.
    pub(super) async fn answer(self, limit: Limit) -> Result<Zeroizing<Vec<u8>>, CallError> {
        let mut child = self.start(Stdio::piped())?;
        let talk = async {
            let fed = self.feed(&mut child).await;
            let mut answer = Zeroizing::new(Vec::new());
            if let Some(output) = child.stdout.take() {
                let read = output.take(MOST_ANSWER).read_to_end(&mut answer).await;
                read.map_err(|source| self.broken(source))?;
            }
            self.end(&mut child).await?;
            fed.map(|()| answer)
        };
        self.within(limit, talk).await
    }

    fn start(&self, output: Stdio) -> Result<Child, CallError> {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(if self.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(output)
            .stderr(Stdio::null())
            .kill_on_drop(true);
        jobs::start(&mut command).map_err(|source| CallError::Start {
            program: self.name(),
            source,
        })
    }

    /// Writes the input and closes the pipe.
    async fn feed(&self, child: &mut Child) -> Result<(), CallError> {
        if let (Some(input), Some(mut pipe)) = (self.input, child.stdin.take()) {
            let written = pipe.write_all(input.expose().as_bytes()).await;
            written.map_err(|source| self.broken(source))?;
        }
        Ok(())
    }

    async fn end(&self, child: &mut Child) -> Result<(), CallError> {
        let status = child.wait().await.map_err(|source| self.broken(source))?;
        if !status.success() {
            let program = self.name();
            return Err(CallError::Failed { program, status });
        }
        Ok(())
    }

    async fn within<T>(
        &self,
        limit: Limit,
        talk: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let late = |_| CallError::Late {
            program: self.name(),
            limit,
        };
        tokio::time::timeout(limit, talk).await.map_err(late)?
    }

    fn broken(&self, source: io::Error) -> CallError {
        CallError::Pipe {
            program: self.name(),
            source,
        }
    }

    /// The program's name without its folder, fit to be shown.
    fn name(&self) -> String {
        shown_name(self.program)
    }
}

/// `program` without its folder, fit to be shown.
pub(super) fn shown_name(program: &str) -> String {
    inert(program.rsplit('/').next().unwrap_or(program), 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMPLE: Limit = Duration::from_secs(20);

    fn path() -> Vec<(&'static str, OsString)> {
        vec![("PATH", "/usr/bin:/bin".into())]
    }

    #[tokio::test]
    async fn the_input_reaches_stdin_and_the_answer_comes_back() {
        let input = Secret::new("secret");
        let call = Call::new("cat", &["-"]).with_variables(path());
        let answer = call.with_input(&input).answer(AMPLE).await.unwrap();
        assert_eq!(*answer, b"secret");
    }

    #[tokio::test]
    async fn the_environment_is_only_what_was_given() {
        let answer = Call::new("env", &[]).with_variables(path()).answer(AMPLE);
        assert_eq!(*answer.await.unwrap(), b"PATH=/usr/bin:/bin\n");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended() {
        let call = Call::new("sleep", &["1000"]).with_variables(path());
        let error = call.success(Duration::from_millis(5)).await.unwrap_err();
        assert_eq!(error.to_string(), "sleep did not answer within 5 ms");
    }

    #[tokio::test]
    async fn failures_name_the_program_and_not_its_input() {
        let input = Secret::new("secret");
        let call = Call::new("/bin/false", &["x"]).with_variables(path());
        let failed = call.success(AMPLE).await.unwrap_err().to_string();
        assert_eq!(failed, "false failed (exit status: 1)");
        let call = Call::new("/nowhere/no\u{1b}thing", &[]).with_input(&input);
        let missing = call.success(AMPLE).await.unwrap_err().to_string();
        assert_eq!(missing, "nothing could not be started: entity not found");
    }

    #[tokio::test]
    async fn a_program_that_does_not_read_is_a_failure() {
        let input = Secret::new("k".repeat(1 << 20));
        let call = Call::new("true", &[]).with_variables(path());
        let error = call.with_input(&input).success(AMPLE).await.unwrap_err();
        assert!(matches!(error, CallError::Pipe { .. }), "{error}");
    }
}
