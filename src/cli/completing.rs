//! Completions: the shell asks this program at each Tab, so that names of connections are offered too. Only the
//! configuration is read: no secret, no state, no network.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::arguments::Arguments;
use super::fault::Fault;
use super::guide::{self, title};
use super::output;
use crate::config::{Environment, Overrides};
use crate::domain::{Connection, Reason};
use crate::service::Catalog;
use crate::store::Store;
use crate::ui::ThemeName;

/// By this variable the shell's script says that it wants completions.
pub const VARIABLE: &str = "SWITCHBOARD_COMPLETE";

/// Names offered at most: more than these nobody reads, and no shell shows.
const MOST: usize = 500;

fn completer(shell: Shell) -> Option<&'static dyn EnvCompleter> {
    Some(match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::PowerShell => &Powershell,
        Shell::Zsh => &Zsh,
        _ => return None,
    })
}

/// Writes the script that a shell reads once.
pub fn script(shell: Shell) -> Result<u8, Fault> {
    let completer =
        completer(shell).ok_or_else(|| Fault::usage("there are no completions for this shell"))?;
    let mut script = Vec::new();
    let name = "switchboard";
    let written = completer.write_registration(VARIABLE, name, name, name, &mut script);
    written.map_err(output::OutputProblem)?;
    output::raw(&script)?;
    Ok(0)
}

/// Answers the shell called `shell`: `words` is our own command line, the one to be completed behind `--`.
pub fn answer(shell: &str, words: Vec<OsString>) -> Result<u8, Fault> {
    let shell = shell.parse::<Shell>().ok().and_then(completer);
    let completer = shell.ok_or_else(|| Fault::usage("no such shell"))?;
    let line: Vec<OsString> = words
        .into_iter()
        .skip_while(|word| word != "--")
        .skip(1)
        .collect();
    let mut command = completing(Arguments::command());
    command.build();
    let mut answer = Vec::new();
    // Where paths that do not begin with a slash are looked for.
    let here = Path::new(".");
    let written = completer.write_complete(&mut command, line, Some(here), &mut answer);
    written.map_err(output::OutputProblem)?;
    output::raw(&answer)?;
    Ok(0)
}

/// The commands with what completes their values.
fn completing(command: Command) -> Command {
    let adds = command.get_name() == "add";
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let mut command = command.mut_args(|arg| with_values(arg, adds));
    for name in names {
        command = command.mut_subcommand(name, completing);
    }
    command
}

fn with_values(arg: Arg, adds: bool) -> Arg {
    let offer = match arg.get_id().as_str() {
        // A new connection's name is new.
        "name" | "names" if arg.is_positional() && !adds => connections,
        "service" => services,
        "reason" => reasons,
        "tag" => tags,
        "words" => guides,
        "theme" => themes,
        "cms" => cms,
        _ => return arg,
    };
    arg.add(ArgValueCompleter::new(offer))
}

fn connections(typed: &OsStr) -> Vec<CompletionCandidate> {
    let all = configured();
    let names = all
        .iter()
        .map(|one| (one.name.to_string(), one.url.clone()));
    offered(typed, names)
}

fn tags(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut tags: Vec<String> = configured()
        .iter()
        .flat_map(|one| one.tags.clone())
        .collect();
    tags.sort();
    tags.dedup();
    offered(typed, tags.into_iter().map(|tag| (tag, String::new())))
}

fn services(typed: &OsStr) -> Vec<CompletionCandidate> {
    let catalog = Catalog::embedded();
    let shipped = catalog.ids().map(|id| id.as_str().to_owned());
    let own = configured()
        .into_iter()
        .map(|one| one.service.as_str().to_owned());
    let mut all: Vec<String> = shipped.chain(own).collect();
    all.sort();
    all.dedup();
    offered(typed, all.into_iter().map(|id| (id, String::new())))
}

fn themes(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words = ThemeName::ALL.map(ThemeName::word);
    offered(
        typed,
        words
            .into_iter()
            .map(|word| (word.to_owned(), String::new())),
    )
}

fn cms(typed: &OsStr) -> Vec<CompletionCandidate> {
    let catalog = Catalog::embedded();
    let known = catalog.cms().iter();
    offered(typed, known.map(|cms| (cms.id.clone(), cms.title.clone())))
}

fn reasons(typed: &OsStr) -> Vec<CompletionCandidate> {
    let all = Reason::ALL.iter();
    offered(
        typed,
        all.map(|one| (one.id().to_owned(), one.title().to_owned())),
    )
}

fn guides(typed: &OsStr) -> Vec<CompletionCandidate> {
    offered(
        typed,
        guide::guides().map(|(name, text)| (name.to_owned(), title(text).to_owned())),
    )
}

fn offered(typed: &OsStr, all: impl Iterator<Item = (String, String)>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().into_owned();
    all.filter(|(value, _)| value.starts_with(&typed))
        .take(MOST)
        .map(|(value, help)| {
            let help = crate::domain::text::inert(&help, 60);
            CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
        })
        .collect()
}

/// The connections of the configuration that the line to be completed means; none where it can't be read: a
/// completion does not complain.
fn configured() -> Vec<Arc<Connection>> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let overrides = Overrides {
        config_dir: folder(&words, "--config-dir"),
        state_dir: None,
    };
    let folders = Environment::read().folders(&overrides);
    let read = folders
        .ok()
        .and_then(|folders| Store::at(folders.configuration).load().ok());
    read.map(|read| read.connections).unwrap_or_default()
}

/// The folder behind `flag`, as a word of its own or behind `=`.
fn folder(words: &[OsString], flag: &str) -> Option<PathBuf> {
    words.iter().enumerate().find_map(|(at, word)| {
        let behind = word.as_bytes().strip_prefix(flag.as_bytes())?;
        if let Some(value) = behind.strip_prefix(b"=") {
            return Some(PathBuf::from(OsStr::from_bytes(value)));
        }
        // Bash hands over the sign as a word of its own.
        let mut next = words.iter().skip(at + 1).filter(|word| *word != "=");
        next.next().filter(|_| behind.is_empty()).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_found_however_it_was_written() {
        for (line, found) in [
            ("switchboard probe --config-dir /c", Some("/c")),
            ("switchboard --config-dir=/c probe", Some("/c")),
            ("switchboard --config-dir = /c probe", Some("/c")),
            ("switchboard --config-dirs /c", None),
            ("switchboard --config-dir", None),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let folder = folder(&words, "--config-dir");
            assert_eq!(folder, found.map(PathBuf::from), "{line}");
        }
    }
}
