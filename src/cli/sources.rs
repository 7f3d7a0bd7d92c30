//! Where secrets come from without standing in an argument: standard input, a file descriptor, the
//! environment, a prompt.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal};
use std::sync::{Mutex, PoisonError};

use clap::ArgMatches;

use super::arguments::secret::{PassphraseArguments, ValueSource};
use super::arguments::transfer::BundleArguments;
use super::arguments::{Global, KeySource, TokenSource};
use super::fault::Fault;
use super::shield;
use crate::config::Environment;
use crate::domain::{Secret, SecretRef};
use crate::store::files;

/// One secret's source, as the flags gave it.
enum Source<'a> {
    Stdin,
    Descriptor(u32),
    Variable(&'a str),
}

/// Standard input's descriptor.
pub const STDIN: u32 = 0;

/// The descriptors that were read in this process.
static TAKEN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// To be called before a descriptor is read. What it holds is one thing: read for a second one, the passphrase of the
/// vault would become a key, and be sent. And what nobody handed over is by now something that the program opened
/// itself.
pub fn take(descriptor: u32) -> Result<(), Fault> {
    if shield::is_own(descriptor) {
        return Err(Fault::usage(format!(
            "nothing was handed over as descriptor {descriptor}"
        ))
        .hint(format!(
            "whoever starts switchboard opens it: {descriptor}<FILE behind the command"
        )));
    }
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if taken.insert(descriptor) {
        return Ok(());
    }
    Err(named_twice(descriptor))
}

fn named_twice(descriptor: u32) -> Fault {
    let source = match descriptor {
        STDIN => "standard input".to_owned(),
        number => format!("descriptor {number}"),
    };
    Fault::usage(format!(
        "{source} was named for two things, and holds one of them"
    ))
    .hint("give each a descriptor of its own, as in --passphrase-fd 3 3<FILE: --key-fd, --token-fd and \
           --bundle-passphrase-fd take one too")
}

/// Refuses a line that names one descriptor for two secrets, whether both are read or not: the passphrase of a vault
/// that needs no opening would be sent as the key. Options ending in `-fd` and `-stdin` name them.
pub fn apart(matches: &ArgMatches) -> Result<(), Fault> {
    let mut named = BTreeMap::new();
    let mut level = Some(matches);
    while let Some(matches) = level {
        for id in matches.ids() {
            let option = id.as_str();
            let descriptor = if option.ends_with("_fd") {
                matches.try_get_one::<u32>(option).ok().flatten().copied()
            } else if option.ends_with("_stdin") {
                let is_given = matches.try_get_one::<bool>(option).ok().flatten();
                is_given.filter(|given| **given).map(|_| STDIN)
            } else {
                None
            };
            let Some(descriptor) = descriptor else {
                continue;
            };
            // Those of every command stand on each level.
            let other = named.insert(descriptor, option.to_owned());
            if other.is_some_and(|other| other != option) {
                return Err(named_twice(descriptor));
            }
        }
        level = matches.subcommand().map(|(_, matches)| matches);
    }
    Ok(())
}

fn from_descriptor(number: u32) -> Result<Secret, Fault> {
    take(number)?;
    files::read_secret_from(number).map_err(Fault::of)
}

/// Whether the flags point at a key or a token.
pub fn is_named(key: &KeySource, token: &TokenSource) -> bool {
    let (key, token) = sources_of(key, token);
    key.is_some() || token.is_some()
}

fn sources_of<'a>(
    key: &'a KeySource,
    token: &'a TokenSource,
) -> (Option<Source<'a>>, Option<Source<'a>>) {
    let key = source(key.key_stdin, key.key_fd, key.key_env.as_deref());
    let token = source(
        token.token_stdin,
        token.token_fd,
        token.token_env.as_deref(),
    );
    (key, token)
}

/// The key and the token that the flags point at.
pub fn pair(
    environment: &Environment,
    key: &KeySource,
    token: &TokenSource,
) -> Result<(Option<Secret>, Option<Secret>), Fault> {
    let (key, token) = sources_of(key, token);
    let read = |what, source: Option<Source<'_>>| {
        source
            .map(|source| read(environment, what, &source))
            .transpose()
    };
    Ok((read("key", key)?, read("token", token)?))
}

/// The one value that the flags point at, which is `what`: key or token.
pub fn value(
    environment: &Environment,
    what: &str,
    from: &ValueSource,
) -> Result<Option<Secret>, Fault> {
    let source = source(from.key_stdin, from.key_fd, from.key_env.as_deref());
    source
        .map(|source| read(environment, what, &source))
        .transpose()
}

fn source(stdin: bool, descriptor: Option<u32>, variable: Option<&str>) -> Option<Source<'_>> {
    match (stdin, descriptor, variable) {
        (true, ..) => Some(Source::Stdin),
        (_, Some(number), _) => Some(Source::Descriptor(number)),
        (.., Some(name)) => Some(Source::Variable(name)),
        _ => None,
    }
}

/// The variable called `name`. What is no name is its value, most likely, and is not told.
pub fn variable(what: &str, name: &str) -> Result<SecretRef, Fault> {
    SecretRef::variable(name).map_err(|_is_no_name| {
        Fault::usage(format!(
            "what was given as the name of the {what}'s variable is none, or looks like the {what} itself"
        ))
        .hint(format!("give the name alone, without a $: --{what}-env NAME"))
    })
}

fn read(environment: &Environment, what: &str, source: &Source<'_>) -> Result<Secret, Fault> {
    let secret = match source {
        Source::Stdin => from_stdin(what)?,
        Source::Descriptor(number) => from_descriptor(*number)?,
        Source::Variable(name) => {
            variable(what, name)?;
            let value = environment.lookup(name);
            value.ok_or_else(|| Fault::usage(format!("the variable {name} is not set")))?
        }
    };
    if secret.is_empty() {
        return Err(Fault::usage(format!("the {what} given is empty")));
    }
    if secret.is_too_long() {
        return Err(Fault::usage(format!("the {what} given is too long")));
    }
    Ok(secret)
}

fn from_stdin(what: &str) -> Result<Secret, Fault> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        if somebody_is_there() {
            return prompt(&format!("{what}: "));
        }
        return Err(Fault::usage(format!(
            "the {what} is to come by standard input, which is a terminal"
        )));
    }
    take(STDIN)?;
    let line = files::first_line(stdin.lock())
        .map_err(|error| Fault::step(format!("reading the {what} from standard input"), error))?;
    line.ok_or_else(|| Fault::usage(format!("the {what} on standard input is too long")))
}

/// Whether somebody is there to be asked.
pub fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One line that somebody types.
pub fn typed_line() -> Result<String, Fault> {
    line_of(io::stdin().lock())
}

fn line_of(mut typed: impl BufRead) -> Result<String, Fault> {
    let mut line = String::new();
    let read = typed.read_line(&mut line);
    read.map_err(|error| Fault::step("reading what was typed", error))?;
    Ok(line)
}

/// Asks for a secret without showing it.
pub fn prompt(question: &str) -> Result<Secret, Fault> {
    super::prompt::secret(question)
}

/// Whether flags or environment say where the vault's passphrase is: nobody is asked for it.
pub fn passphrase_is_given(environment: &Environment, global: &Global) -> bool {
    global.passphrase_fd.is_some()
        || global.passphrase_file.is_some()
        || environment.passphrase_file.is_some()
}

/// The vault's passphrase from where the flags or the environment say, if they say.
pub fn passphrase(environment: &Environment, global: &Global) -> Result<Option<Secret>, Fault> {
    if let Some(number) = global.passphrase_fd {
        return from_descriptor(number).map(Some);
    }
    let file = global
        .passphrase_file
        .as_ref()
        .or(environment.passphrase_file.as_ref());
    file.map(|path| files::read_passphrase(path))
        .transpose()
        .map_err(Fault::of)
}

/// The passphrase that the vault shall have from now on, from where the flags say, if they say.
pub fn new_passphrase(arguments: &PassphraseArguments) -> Result<Option<Secret>, Fault> {
    match (arguments.new_passphrase_fd, &arguments.new_passphrase_file) {
        (Some(number), _) => from_descriptor(number).map(Some),
        (None, Some(path)) => {
            let given = files::read_passphrase(path);
            given.map(Some).map_err(Fault::of)
        }
        (None, None) => Ok(None),
    }
}

/// The bundle's passphrase from where the flags say, if they say.
pub fn bundle_passphrase(arguments: &BundleArguments) -> Result<Option<Secret>, Fault> {
    if let Some(number) = arguments.bundle_passphrase_fd {
        return from_descriptor(number).map(Some);
    }
    let path = arguments.bundle_passphrase_file.as_ref();
    let given = path.map(|path| files::read_passphrase(path)).transpose();
    given.map_err(Fault::of)
}

/// What a command that needs the vault says where nobody can be asked.
pub const NOBODY: &str = "nobody can be asked here: give --passphrase-fd N, --passphrase-file FILE, or set SWITCHBOARD_PASSPHRASE_FILE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_holds_one_secret_whether_it_is_read_or_not() {
        use clap::CommandFactory;
        for (line, apart) in [
            ("probe --url u --key-fd 7 --passphrase-fd 7", false),
            ("--passphrase-fd 7 probe --url u --key-fd 7", false),
            ("--passphrase-fd 0 secret set shop --key-stdin", false),
            ("probe --url u --key-fd 7 --token-fd 7", false),
            (
                "connection export --bundle-passphrase-fd 3 --passphrase-fd 3",
                false,
            ),
            ("probe --url u --key-fd 7 --passphrase-fd 8", true),
            ("--passphrase-fd 7 probe --url u --key-stdin", true),
            ("probe --url u --key-stdin", true),
        ] {
            let words = ["switchboard"].into_iter().chain(line.split(' '));
            let matches = crate::cli::Arguments::command().try_get_matches_from(words);
            assert_eq!(super::apart(&matches.unwrap()).is_ok(), apart, "{line}");
        }
    }

    #[test]
    fn what_can_t_be_read_is_not_told_as_the_result() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn off"))
            }
        }
        let fault = line_of(io::BufReader::new(Broken)).unwrap_err();
        assert_eq!(fault.text(), "reading what was typed: torn off");
    }
}
