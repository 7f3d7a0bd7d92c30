//! The commands, black-box: the real binary with a blank environment and a home of its own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a command gave.
#[derive(Debug)]
pub struct Done {
    /// Exit code; signals are 128 + their number.
    pub code: i32,
    /// Data.
    pub out: String,
    /// Talk.
    pub err: String,
}

impl Done {
    /// stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// The binary: what every command of the tests begins with.
pub const BINARY: &str = env!("CARGO_BIN_EXE_switchboard");

/// Runs the binary in `home` with `arguments`, further `variables`, and `input` on stdin.
pub fn switchboard(
    home: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &str,
) -> Done {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    finish(command, home, variables, input)
}

/// Runs `command` to its end in a blank environment, with `home` as home.
pub fn finish(mut command: Command, home: &Path, variables: &[(&str, &str)], input: &str) -> Done {
    let mut child = begin(&mut command, home, variables);
    // The program may end without reading: then there is nobody to write to.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done {
        code: output.status.code().unwrap_or_else(|| {
            128 + std::os::unix::process::ExitStatusExt::signal(&output.status).unwrap_or(0)
        }),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Starts `command` in a blank environment, with `home` as home.
pub fn begin(
    command: &mut Command,
    home: &Path,
    variables: &[(&str, &str)],
) -> std::process::Child {
    begin_into(command, home, variables, Stdio::piped())
}

/// The same with its data going into `out`.
pub fn begin_into(
    command: &mut Command,
    home: &Path,
    variables: &[(&str, &str)],
    out: Stdio,
) -> std::process::Child {
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(home)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// `probe --url` of an unsaved connection; the key goes by a variable.
pub fn probe(
    home: &Path,
    service: &str,
    url: &str,
    pair: Option<(&str, &str)>,
    more: &[&str],
) -> Done {
    let mut arguments = vec![
        "probe",
        "--url",
        url,
        "--service",
        service,
        "--format",
        "json",
    ];
    let mut variables = Vec::new();
    if let Some((username, key)) = pair {
        arguments.extend(["--username", username, "--key-env", "RIG_KEY"]);
        variables.push(("RIG_KEY", key));
    }
    arguments.extend(more);
    switchboard(home, &arguments, &variables, "")
}
