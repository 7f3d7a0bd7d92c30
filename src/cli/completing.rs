//! Completions: the shell asks this program at each Tab, so that names of connections are offered too. Only the
//! configuration and the service files are read: no secret, no state, no network.

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
use crate::domain::endpoint::redacted;
use crate::domain::text::is_plain_in_shell;
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
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash {
        // It hands over the word without the quote that was opened before it.
        let opened = format!("{OPENED}${{COMP_WORDS[COMP_CWORD]:0:1}}");
        let which = format!("{WHICH}${{COMP_CWORD}}");
        script = script.replace(
            "\" -- \"${words[@]}\"",
            &format!("\" \"{opened}\" \"{which}\" -- \"${{words[@]}}\""),
        );
    }
    output::raw(script.as_bytes())?;
    Ok(0)
}

/// Stands before the first character of the word to be completed, as it stands on bash's own line.
const OPENED: &str = "opened=";

/// Stands before the number of that word.
const WHICH: &str = "which=";

/// A word of bash's line as a program would be given it: bash hands it over as it was typed.
fn unquoted(word: OsString) -> OsString {
    let Some(text) = word
        .to_str()
        .filter(|text| text.contains(['\\', '\'', '"']))
    else {
        return word;
    };
    // A backslash at the end stands before what is still to come.
    match shell_words::split(text.strip_suffix('\\').unwrap_or(text)) {
        Ok(words) if words.len() == 1 => words.concat().into(),
        // One that is not at its end yet.
        _ => text.replace('\\', "").into(),
    }
}

/// `value` as it may stand on a line of `shell` and is one word there, whoever named it; nothing where that can't be
/// written behind the quote that is `opened`.
fn typed(shell: Shell, opened: Option<char>, value: &str) -> Option<String> {
    let escaped = |value: &str| {
        let escape = |c: char| {
            (!is_plain_in_shell(c) && c != '=')
                .then_some('\\')
                .into_iter()
                .chain([c])
        };
        value.chars().flat_map(escape).collect()
    };
    match (shell, opened) {
        (Shell::Bash, Some('\'')) => (!value.contains('\'')).then(|| value.to_owned()),
        (Shell::Bash, Some('"')) => {
            let is_read = value.contains(['"', '$', '`', '\\', '!']);
            (!is_read).then(|| value.to_owned())
        }
        (Shell::Bash, _) => Some(escaped(value)),
        (Shell::PowerShell, _) if !value.chars().all(|c| is_plain_in_shell(c) || c == '=') => {
            Some(format!("'{}'", value.replace('\'', "''")))
        }
        // They quote what they put on their lines.
        _ => Some(value.to_owned()),
    }
}

/// The `answer` of clap, whose candidates for bash are parted by [`PARTED`], for others by lines with a help behind a
/// tab, as it may stand on a line.
fn on_the_line(shell: Shell, opened: Option<char>, answer: &str) -> String {
    let between = match shell {
        Shell::Bash if answer.contains(PARTED) => PARTED,
        Shell::Bash | Shell::PowerShell => '\n',
        _ => return answer.to_owned(),
    };
    let lines = answer.split(between).filter_map(|line| {
        let (value, help) = match (shell, line.split_once('\t')) {
            (Shell::PowerShell, Some((value, help))) => (value, Some(help)),
            _ => (line, None),
        };
        let value = typed(shell, opened, value)?;
        Some(help.map_or_else(|| value.clone(), |help| format!("{value}\t{help}")))
    });
    lines.collect::<Vec<_>>().join(&between.to_string())
}

/// What the script for bash reads words apart by.
const PARTED: char = '\u{b}';

/// Answers the shell called `shell`: `words` is our own command line, the one to be completed behind `--`.
pub fn answer(shell: &str, words: Vec<OsString>) -> Result<u8, Fault> {
    let known = shell.parse::<Shell>().ok();
    let known = known.and_then(|shell| Some((shell, completer(shell)?)));
    let (shell, completer) = known.ok_or_else(|| Fault::usage("no such shell"))?;
    let told = |what: &str| {
        let mut before = words.iter().take_while(|word| *word != "--");
        before.find_map(|word| word.to_str()?.strip_prefix(what))
    };
    let opened = told(OPENED).and_then(|quote| quote.chars().next());
    let which = told(WHICH).and_then(|number| number.parse::<usize>().ok());
    let before = which.and_then(|which| which.checked_sub(1));
    let mut line: Vec<OsString> = words
        .into_iter()
        .skip_while(|word| word != "--")
        .skip(1)
        .collect();
    if shell == Shell::Bash {
        line = line.into_iter().map(unquoted).collect();
    }
    // The rest of a word that bash has parted there: what would be offered for a word of its own does not belong there.
    let parts = |c| c == ':' || c == '=';
    let word_before = before.and_then(|before| line.get(before));
    if opened.is_some_and(parts) || word_before.is_some_and(|word| word == ":" || word == "=") {
        return Ok(0);
    }
    let mut command = completing(Arguments::command());
    command.build();
    let mut answer = Vec::new();
    // Where paths that do not begin with a slash are looked for.
    let here = Path::new(".");
    let written = completer.write_complete(&mut command, line, Some(here), &mut answer);
    written.map_err(output::OutputProblem)?;
    let answer = String::from_utf8_lossy(&answer);
    output::raw(on_the_line(shell, opened, &answer).as_bytes())?;
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
        .map(|one| (one.name.to_string(), redacted(&one.url)));
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
    let catalog = catalog();
    let known = catalog.ids().map(|id| id.as_str().to_owned());
    let used = configured()
        .into_iter()
        .map(|one| one.service.as_str().to_owned());
    let mut all: Vec<String> = known.chain(used).collect();
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
    let catalog = catalog();
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
    let read = store().and_then(|store| store.load().ok());
    read.map(|read| read.connections).unwrap_or_default()
}

/// The services that come along, and those of the files beside that configuration that are in order.
fn catalog() -> Catalog {
    let files = store().and_then(|store| store.service_files().ok());
    let files = files.into_iter().flatten();
    let texts = files.filter_map(|file| Some((String::new(), file.text.ok()?)));
    Catalog::with_those_in_order(texts).0
}

fn store() -> Option<Store> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let overrides = Overrides {
        config_dir: folder(&words, "--config-dir"),
        state_dir: None,
    };
    let folders = Environment::read().folders(&overrides).ok()?;
    Some(Store::at(folders.configuration))
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
    fn what_is_completed_is_one_word_and_runs_nothing() {
        for (opened, value, written) in [
            (None, "shop", Some("shop")),
            (None, "--format=json", Some("--format=json")),
            (None, "my mkt", Some(r"my\ mkt")),
            (None, "$(touch${IFS}x)", Some(r"\$\(touch\$\{IFS\}x\)")),
            (None, "it's", Some(r"it\'s")),
            (Some('m'), "my mkt", Some(r"my\ mkt")),
            (Some('\''), "my mkt", Some("my mkt")),
            (Some('\''), "a';id;'", None),
            (Some('"'), "my mkt's", Some("my mkt's")),
            (Some('"'), "$(id)", None),
            (Some('"'), "`id`", None),
        ] {
            let written = written.map(str::to_owned);
            assert_eq!(typed(Shell::Bash, opened, value), written, "{value}");
        }
        let all = on_the_line(Shell::Bash, Some('"'), "a b\u{b}$(id)\u{b}c");
        assert_eq!(all, "a b\u{b}c");
        let all = on_the_line(Shell::PowerShell, None, "a'$(id)\ta help\nb\n");
        assert_eq!(all, "'a''$(id)'\ta help\nb\n");
    }

    #[test]
    fn a_typed_word_is_looked_up_without_its_quotes() {
        for (word, meant) in [
            (r"my\ m", "my m"),
            (r"my\", "my"),
            ("'my m'", "my m"),
            ("it's", "it's"),
            ("--x", "--x"),
        ] {
            assert_eq!(unquoted(word.into()), OsString::from(meant));
        }
    }

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
