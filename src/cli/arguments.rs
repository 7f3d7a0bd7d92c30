//! The command line's words: what may be said, and in which order.
//!
//! A secret is never an argument: arguments stand in `/proc`, in histories and in logs.

pub mod connection;
pub mod secret;
pub mod token;
pub mod transfer;

mod look;
mod watching;

use std::path::PathBuf;

pub use connection::{AddArguments, ConnectionCommand, EditArguments, FieldArguments};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::SshHost;
use crate::store::StoreKind;

pub use look::Look;
pub use watching::{HistoryArguments, HistoryFormat, HistoryRows, WatchArguments, WatchFormat};

/// What `--store` takes: where a value outlives the command, and this program writes.
const STORES: [&str; 2] = [StoreKind::Vault.word(), StoreKind::Keyring.word()];

/// A terminal connection manager for APIs.
#[derive(Debug, Default, Parser)]
#[command(
    name = "switchboard",
    version,
    disable_help_subcommand = true,
    about = "A terminal connection manager for APIs: it says who answered, why, and what to do about it",
    after_help = "Without a command the screen opens; `switchboard demo` opens it over rehearsal services.\n\
                  `switchboard help` lists the guides, `switchboard help first-connection` is the first.\n\
                  Exit codes of probe: 0 up, 1 check, 2 down, 3 unknown; the worst of several."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the screen.
    #[command(flatten)]
    pub look: Look,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command. Its help tells them behind its own, however many those are.
#[derive(Clone, Debug, Default, Args)]
#[command(next_display_order = 500)]
pub struct Global {
    /// Folder of switchboard.toml and services/
    #[arg(long, global = true, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
    /// Folder of history.sqlite and the log
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Write a log to this file: warnings, with -v what is done
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Log what is done, in switchboard.log of the state folder where no --log says otherwise; twice, everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Read the vault's passphrase from this open file descriptor
    #[arg(long, global = true, value_name = "N")]
    pub passphrase_fd: Option<u32>,
    /// Read the vault's passphrase from this file (mode 0600)
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The screen over rehearsal services on loopback; nothing is saved
    Demo(Look),
    /// Probe connections and say who answered, why, and what to do about it
    Probe(Box<ProbeArguments>),
    /// Watch connections: one line a change, until a signal or the end of --for
    Watch(WatchArguments),
    /// What earlier probes found: results, changes with durations, summaries
    History(HistoryArguments),
    /// List, show, add, edit, rename, clone, resume, accept, remove, import, export, apply connections
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Reveal and copy handles; generate and verify shared tokens; list, create, edit, renew and delete an account's tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Where secrets are kept; set, move and lock them
    #[command(subcommand)]
    Secret(SecretCommand),
    /// What speaks against how secrets and files lie on this machine
    Doctor {
        /// Exit with 1 where something was found
        #[arg(long)]
        strict: bool,
        /// How the result is written
        #[arg(long, value_enum, default_value_t = DataFormat::Human)]
        format: DataFormat,
    },
    /// What a reason means, and what to do about it
    Explain {
        /// Such as `credentials-rejected`, or the title that the screen shows; without one, all are listed
        reason: Option<String>,
        /// As this service sees it
        #[arg(long, default_value = "blesta")]
        service: String,
    },
    /// The services that can be probed
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Answer Prometheus: /probe?target=NAME /metrics /sd /-/healthy /-/reload
    Serve {
        /// Loopback address, or `unix:/PATH`
        #[arg(long, default_value = "127.0.0.1:9797", value_name = "ADDRESS")]
        listen: String,
    },
    /// The rehearsal services, one URL per reason
    Sim {
        /// Address to listen on: loopback only
        #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
        listen: String,
    },
    /// A report for whoever must act, from a fresh probe: times in UTC, addresses, certificates; no secret in it
    Evidence(EvidenceArguments),
    /// Completions for a shell: `source <(switchboard completions bash)`
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The man pages: `switchboard man | man -l -`
    Man {
        /// Which, such as probe, connection-import or blesta; the first one where none is named
        #[arg(value_name = "PAGE")]
        page: Option<String>,
        /// Write all of them into this folder, in man1 and man7
        #[arg(long, value_name = "DIR", conflicts_with = "page")]
        dir: Option<PathBuf>,
    },
    /// The JSON Schema of a file that people write
    Schema {
        /// Of which file
        which: SchemaOf,
    },
    /// Help on a command, or a guide: first-connection, blesta, connect, http, secrets, ...
    Help {
        /// A command, or a guide
        #[arg(value_name = "TOPIC")]
        words: Vec<String>,
    },
    /// Holds a copied text for the desktop's clipboard
    #[command(hide = true, name = "clipboard-holder")]
    ClipboardHolder,
}

/// Where a key comes from. One source at the most.
#[derive(Clone, Debug, Default, Args)]
pub struct KeySource {
    /// Read the key from standard input (one line)
    #[arg(long, group = "key_source")]
    pub key_stdin: bool,
    /// Read the key from this open file descriptor (one line)
    #[arg(long, value_name = "N", group = "key_source")]
    pub key_fd: Option<u32>,
    /// Take the key from this environment variable
    #[arg(long, value_name = "VAR", group = "key_source")]
    pub key_env: Option<String>,
}

/// Where a shared token comes from. One source at the most.
#[derive(Debug, Default, Args)]
pub struct TokenSource {
    /// Read the shared token from standard input (one line)
    #[arg(long, group = "token_source")]
    pub token_stdin: bool,
    /// Read the shared token from this open file descriptor (one line)
    #[arg(long, value_name = "N", group = "token_source")]
    pub token_fd: Option<u32>,
    /// Take the shared token from this environment variable
    #[arg(long, value_name = "VAR", group = "token_source")]
    pub token_env: Option<String>,
}

/// `switchboard evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArguments {
    /// Which connection
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Who reads it: host (what to allow or mend), vendor (what their service answered), me (everything)
    #[arg(long = "for", value_name = "READER", value_parser = ["host", "vendor", "me"], default_value = "me")]
    pub reader: String,
}

/// Which schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// switchboard.toml, and the definitions that `connection apply` takes
    Config,
    /// services/*.toml
    Service,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// One object, or an array for several
    Json,
    /// One object a line, as they finish
    Ndjson,
    /// A line for Nagios and its kin, with performance figures
    Nagios,
}

/// How what is no verdict is written: there is no line for Nagios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// For people
    #[default]
    Human,
    /// One object, or an array of what is listed
    Json,
    /// One object a line
    Ndjson,
}

/// `switchboard probe`.
#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// Saved connections
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// All saved connections
    #[arg(long, conflicts_with_all = ["names", "url", "tag", "targets"])]
    pub all: bool,
    /// Saved connections with this tag
    #[arg(long, value_name = "T", conflicts_with_all = ["names", "url", "targets"])]
    pub tag: Option<String>,
    /// An unsaved one
    #[arg(long, conflicts_with_all = ["names", "targets"])]
    pub url: Option<String>,
    /// One URL a line; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    pub targets: Option<PathBuf>,
    /// How many at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=16384))]
    pub concurrency: u32,
    /// What is at the other end: blesta, connect, http, or one of your own
    #[arg(
        long,
        value_name = "S",
        long_help = "What is at the other end: blesta, connect, http, or one of your own; http where nothing is said"
    )]
    pub service: Option<String>,
    /// Username of the pair
    #[arg(long, value_name = "U")]
    pub username: Option<String>,
    /// Where the key comes from.
    #[command(flatten)]
    pub key: KeySource,
    /// Where the shared token comes from.
    #[command(flatten)]
    pub token: TokenSource,
    /// Where the CMS of the shared token is
    #[arg(long, value_name = "URL")]
    pub cms_url: Option<String>,
    /// joomla, modx, concrete5 or a definition file
    #[arg(long, value_name = "CMS")]
    pub cms: Option<String>,
    /// How the key is sent.
    #[command(flatten)]
    pub sending: SendingArguments,
    /// Options of the way there.
    #[command(flatten)]
    pub way: RouteArguments,
    /// Bisect: up to 4 requests that carry the key
    #[arg(long)]
    pub full: bool,
    /// Ask from another machine too, through ssh (nothing is installed there), and compare
    #[arg(long, value_name = "ssh:HOST", conflicts_with = "targets")]
    pub via: Option<SshHost>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// How a key is sent.
#[derive(Debug, Default, Args)]
pub struct SendingArguments {
    /// How credentials are sent: auto, basic, headers
    #[arg(long, value_name = "STYLE", value_parser = ["auto", "basic", "headers"])]
    pub auth: Option<String>,
    /// Let the key go over plain http
    #[arg(long)]
    pub allow_http: bool,
}

/// Options of the way to a service.
#[derive(Debug, Default, Args)]
pub struct RouteArguments {
    /// Further certificate authorities (PEM)
    #[arg(long, value_name = "F")]
    pub ca_file: Option<PathBuf>,
    /// Client certificate (PEM)
    #[arg(long, value_name = "F")]
    pub client_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "F")]
    pub client_key: Option<PathBuf>,
    /// The whole probe's limit, such as 90 (seconds) or 2m
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// http://, https:// or socks5:// proxy
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// IPv4 only
    #[arg(short = '4', conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6')]
    pub ipv6: bool,
}

/// `switchboard token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// A new shared token: 32 bytes from the system, and the two places to enter it
    Generate,
    /// The signed check of a shared token
    Verify(Box<VerifyArguments>),
    /// Show a handle
    Reveal {
        /// Whose
        name: String,
        /// Which: key, token, an added one's label, or a token's SU- id at the service
        id: Option<String>,
    },
    /// Copy a handle to the clipboard in front of you
    Copy {
        /// Whose
        name: String,
        /// Which: key, token, an added one's label, or a token's SU- id at the service
        id: Option<String>,
    },
    /// Tokens at the service.
    #[command(flatten)]
    Remote(token::RemoteTokenCommand),
}

/// `switchboard token verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// A saved connection
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Where the CMS is
    #[arg(long, value_name = "URL", conflicts_with = "name")]
    pub cms_url: Option<String>,
    /// joomla or a definition file; joomla where nothing is said
    #[arg(long, value_name = "CMS")]
    pub cms: Option<String>,
    /// Where the shared token comes from.
    #[command(flatten)]
    pub token: TokenSource,
    /// Options of the way there.
    #[command(flatten)]
    pub way: RouteArguments,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// `switchboard secret …`
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Where each secret is kept: its file's mode, git work tree, age, and how many share it
    Where {
        /// How the result is written
        #[arg(long, value_enum, default_value_t = DataFormat::Human)]
        format: DataFormat,
    },
    /// Keep a new key or token for a connection, for its URL as it stands
    Set(SetArguments),
    /// Keep a further token for a connection, for its URL as it stands
    Add(AddTokenArguments),
    /// Remove a further token of a connection, and its value
    Remove {
        /// Whose; or alone, as doctor has it, an entry of the vault that no connection uses: vault:NAME
        name: String,
        /// What it is called
        label: Option<String>,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
    /// Move a key or token to another store
    Move {
        /// Whose
        name: String,
        /// Which: key, token, or an added one's label
        which: Option<String>,
        /// Where it is kept from now on
        #[arg(long, value_name = "STORE", value_parser = STORES)]
        store: String,
    },
    /// Who can open the vault
    #[command(subcommand)]
    Recipient(secret::RecipientCommand),
    /// Put your vault identity under another passphrase
    Passphrase(secret::PassphraseArguments),
    /// Lock every running screen of this user: keys and values leave memory and clipboard
    Lock,
}

/// `switchboard secret set`.
#[derive(Debug, Args)]
pub struct SetArguments {
    /// Whose
    pub name: String,
    /// Which
    #[arg(default_value = "key", value_parser = ["key", "token"])]
    pub which: String,
    /// Where it is kept; where the old one was, if nothing is said
    #[arg(long, value_name = "STORE", value_parser = STORES)]
    pub store: Option<String>,
    /// Where the new value comes from.
    #[command(flatten)]
    pub source: secret::ValueSource,
}

/// `switchboard secret add`.
#[derive(Debug, Args)]
pub struct AddTokenArguments {
    /// Whose
    pub name: String,
    /// What it is called
    pub label: String,
    /// Where it is kept
    #[arg(long, value_name = "STORE", value_parser = STORES)]
    pub store: Option<String>,
    /// Where its value comes from.
    #[command(flatten)]
    pub source: secret::ValueSource,
}

/// `switchboard service …`
#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// All services
    List,
    /// One service's description
    Show {
        /// Which
        id: String,
    },
    /// Check a service file of your own
    Check {
        /// Which
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_word_nothing_need_be_parsed() {
        let parsed = Arguments::try_parse_from(["switchboard"]).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Arguments::default()));
    }

    #[test]
    fn a_command_tells_its_own_options_first() {
        use clap::CommandFactory;
        let mut command = Arguments::command();
        for words in [&["probe"][..], &["connection", "add"]] {
            let mut of = &mut command;
            for word in words {
                of = of.find_subcommand_mut(word).unwrap();
            }
            // Those of every command come to it with its build.
            let words = ["switchboard"].iter().chain(words).chain(&["--help"]);
            let help = Arguments::try_parse_from(words).unwrap_err().to_string();
            let (_, behind) = help.split_once("--config-dir").unwrap();
            let of_behind = |long: &str| {
                let mut words = behind.split_whitespace();
                words.any(|word| word.strip_prefix("--") == Some(long))
            };
            let own = of.get_arguments().filter_map(clap::Arg::get_long);
            let late: Vec<_> = own.filter(|long| of_behind(long)).collect();
            assert!(late.is_empty(), "{late:?}: {behind}");
        }
    }

    #[test]
    fn a_command_is_told_of_no_option_that_it_does_not_heed() {
        for (line, option, heeds) in [
            ("", "--theme", true),
            ("demo", "--mouse", true),
            ("watch", "--theme", false),
            ("connection list", "--mouse", false),
            ("connection add", "--unpause", false),
            ("connection edit", "--unpause", true),
            ("probe", "--auth", true),
            ("token verify", "--auth", false),
            ("token verify", "--allow-http", false),
        ] {
            let words = ["switchboard"].into_iter().chain(line.split_whitespace());
            let help = Arguments::try_parse_from(words.chain(["--help"])).unwrap_err();
            assert_eq!(help.to_string().contains(option), heeds, "{line} {option}");
        }
    }

    #[test]
    fn what_is_no_verdict_is_not_written_for_nagios() {
        for line in [
            "token create a --name b --extension c",
            "token delete a SU-1 --yes",
            "token list a",
            "connection list",
            "connection import f",
            "secret where",
            "doctor",
        ] {
            let words = |format| {
                let words = ["switchboard"].into_iter().chain(line.split(' '));
                Arguments::try_parse_from(words.chain(["--format", format]))
            };
            assert!(words("nagios").is_err(), "{line}");
            for format in ["human", "json", "ndjson"] {
                assert!(words(format).is_ok(), "{line} {format}");
            }
        }
    }
}
