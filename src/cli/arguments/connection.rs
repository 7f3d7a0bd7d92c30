//! The words of `switchboard connection`.

use clap::{Args, Subcommand};

use super::transfer::{ApplyArguments, ExportArguments, ImportArguments};
use super::{DataFormat, KeySource, RouteArguments, STORES, SendingArguments, TokenSource};
use crate::cli::connection::unset::UnsetField;

const UNSET: &str = "Take the value of a field away; may be given several times: username, key, token, tags, \
interval, timeout, ca-file, client-cert (and its key), family (-4, -6), proxy, cms, cms-url, company, note, maintenance";

/// `switchboard connection …`
#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// All connections
    List {
        /// How the result is written
        #[arg(long, value_enum, default_value_t = DataFormat::Human)]
        format: DataFormat,
    },
    /// One connection
    Show {
        /// Which
        name: String,
        /// How the result is written
        #[arg(long, value_enum, default_value_t = DataFormat::Human)]
        format: DataFormat,
    },
    /// Add a connection
    Add(Box<AddArguments>),
    /// Change fields of a connection; what is not named stays
    Edit(Box<EditArguments>),
    /// Give a connection another name
    Rename {
        /// Its name now
        name: String,
        /// Its name from now on
        new: String,
    },
    /// Copy a connection; the copy uses the same key and token
    Clone {
        /// Which
        name: String,
        /// The copy's name
        new: String,
    },
    /// Lift the pause of a key that was refused too often
    Resume {
        /// Whose
        name: String,
    },
    /// Take the company or account that the key belongs to now for the one that is meant
    Accept {
        /// Whose
        name: String,
    },
    /// Remove a connection and the secrets kept here for it alone
    Remove {
        /// Which
        name: String,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
    /// Take connections from curl commands, .env files, ~/.ccli/config.json, definitions or a bundle
    Import(Box<ImportArguments>),
    /// Write connections as definitions, as an encrypted bundle, or as curl commands
    Export(Box<ExportArguments>),
    /// Make connections what a file of definitions says
    Apply(ApplyArguments),
}

/// Fields of a connection.
#[derive(Debug, Default, Args)]
pub struct FieldArguments {
    /// Username of the pair
    #[arg(long, value_name = "U")]
    pub username: Option<String>,
    /// Where the key is: keyring:, vault:, env:, file:, cmd: or ask
    #[arg(long, value_name = "REF", conflicts_with = "key_source")]
    pub key_ref: Option<String>,
    /// Where the shared token is, likewise
    #[arg(long, value_name = "REF", conflicts_with = "token_source")]
    pub token_ref: Option<String>,
    /// Where the key comes from, to be kept in --store.
    #[command(flatten)]
    pub key: KeySource,
    /// Where the shared token comes from, to be kept in --store.
    #[command(flatten)]
    pub token: TokenSource,
    /// Where a key or token given here is kept
    #[arg(long, value_name = "STORE", value_parser = STORES)]
    pub store: Option<String>,
    /// Where the CMS of the shared token is
    #[arg(long, value_name = "URL")]
    pub cms_url: Option<String>,
    /// joomla, modx, concrete5 or a definition file
    #[arg(long, value_name = "CMS")]
    pub cms: Option<String>,
    /// For filters and groups; may be given several times, or several with commas between. Sets the whole list
    #[arg(long, value_name = "T")]
    pub tag: Vec<String>,
    /// Time between scheduled probes, such as 90 (seconds) or 5m
    #[arg(long, value_name = "TIME")]
    pub interval: Option<String>,
    /// When it may fail as planned, in UTC: FROM/TO or 2h from now on, once, beside the windows that are there;
    /// "sun 02:00-04:00", "daily 03:00-03:30": in the place of the recurring ones there; none: all there are go.
    /// May be given several times
    #[arg(long, value_name = "WINDOW")]
    pub maintenance: Vec<String>,
    /// Refuse every action that changes something at the service
    #[arg(long)]
    pub read_only: bool,
    /// The company or account that is meant, where a key sees several
    #[arg(long, value_name = "ID")]
    pub company: Option<String>,
    /// Leave it out of scheduled probing
    #[arg(long)]
    pub pause: bool,
    /// For people
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// How the key is sent.
    #[command(flatten)]
    pub sending: SendingArguments,
    /// Options of the way there.
    #[command(flatten)]
    pub way: RouteArguments,
}

/// `switchboard connection add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Its name
    pub name: String,
    /// What is at the other end: blesta, connect, http, or one of your own
    #[arg(long, value_name = "S")]
    pub service: String,
    /// Where it is
    #[arg(long, value_name = "U")]
    pub url: String,
    /// Its fields.
    #[command(flatten)]
    pub fields: FieldArguments,
}

/// `switchboard connection edit`.
#[derive(Debug, Args)]
pub struct EditArguments {
    /// Which
    pub name: String,
    /// What is at the other end
    #[arg(long, value_name = "S")]
    pub service: Option<String>,
    /// Where it is
    #[arg(long, value_name = "U")]
    pub url: Option<String>,
    /// Send the key over plain http no more
    #[arg(long, conflicts_with = "allow_http")]
    pub no_allow_http: bool,
    /// Let actions change something at the service again
    #[arg(long, conflicts_with = "read_only")]
    pub no_read_only: bool,
    /// Take it into scheduled probing again
    #[arg(long, conflicts_with = "pause")]
    pub unpause: bool,
    /// The stored key and token are for the new URL: its scheme, host and port
    #[arg(long, value_name = "ORIGIN")]
    pub send_key_to: Option<String>,
    /// One more tag, beside those that are there; may be given several times
    #[arg(long, value_name = "T", conflicts_with = "tag")]
    pub add_tag: Vec<String>,
    /// One tag less; may be given several times
    #[arg(long, value_name = "T", conflicts_with = "tag")]
    pub remove_tag: Vec<String>,
    /// Take the value of a field away; may be given several times
    #[arg(long, value_name = "FIELD", value_enum, hide_possible_values = true, long_help = UNSET)]
    pub unset: Vec<UnsetField>,
    /// Its fields.
    #[command(flatten)]
    pub fields: FieldArguments,
}
