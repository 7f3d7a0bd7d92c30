//! `switchboard token …` for the tokens behind a Connect connection.

use std::convert::Infallible;

use clap::{Args, Subcommand, ValueEnum};

use super::DataFormat;
use crate::domain::shape::is_token_id;

/// The commands over tokens at the service.
#[derive(Debug, Subcommand)]
pub enum RemoteTokenCommand {
    /// The tokens of a Connect connection's account
    List(Box<ListArguments>),
    /// One token
    Show {
        /// The token
        #[command(flatten)]
        which: Which,
    },
    /// Make a token and let it into modules
    Create(Box<CreateArguments>),
    /// Change name, external id, description and modules
    Edit(Box<EditArguments>),
    /// Switch a token on
    Enable {
        /// The token
        #[command(flatten)]
        which: Which,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
    /// Switch a token off
    Disable(Destructive),
    /// Give a token a second secret, prove it, and have every connection use it
    Renew(RenewArguments),
    /// Give a token another secret now; the old one is dead
    Rotate(RenewArguments),
    /// Delete a token, for good
    Delete(Destructive),
    /// The modules that a token is let into
    Permissions {
        /// The token
        #[command(flatten)]
        which: Which,
        /// Let it into this module
        #[arg(long, value_name = "MD")]
        grant: Vec<String>,
        /// Take this module from it
        #[arg(long, value_name = "MD")]
        revoke: Vec<String>,
        /// Take modules from the key that connections run on, too
        #[arg(long)]
        even_in_use: bool,
    },
    /// How often a token was used
    Usage {
        /// The token
        #[command(flatten)]
        which: Which,
    },
}

/// One token of one connection.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The connection
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The token, such as SU-160-984-311
    #[arg(value_name = "ID", value_parser = as_issued)]
    pub id: String,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub format: DataFormat,
}

/// A token's id as the service writes it, in whatever case it was typed.
#[expect(clippy::unnecessary_wraps, reason = "clap wants parsers that may fail")]
fn as_issued(id: &str) -> Result<String, Infallible> {
    let written = id.to_ascii_uppercase();
    Ok(if is_token_id(&written) {
        written
    } else {
        id.to_owned()
    })
}

/// What asks for the label first.
#[derive(Debug, Args)]
pub struct Destructive {
    /// The token
    #[command(flatten)]
    pub which: Which,
    /// Don't ask for the label
    #[arg(long)]
    pub yes: bool,
    /// Do it to the key that connections run on, too
    #[arg(long)]
    pub even_in_use: bool,
}

/// `token renew` and `token rotate`.
#[derive(Debug, Args)]
pub struct RenewArguments {
    /// The token
    #[command(flatten)]
    pub which: Which,
    /// When the new secret ends: a date, 90d, or never; a year from now where the old one ends too
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
}

/// Groups of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GroupArgument {
    /// End within 30 days
    Expiring,
    /// Never end
    NeverExpires,
    /// Are let into every module
    AllModules,
    /// Are switched off
    Disabled,
    /// Were not used for 30 days; asks for the usage of each
    Idle,
}

/// Where a token stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusArgument {
    /// Made, and not yet in force
    Pending,
    /// In force
    Active,
    /// Switched off
    #[value(alias = "disabled")]
    Inactive,
    /// About to expire
    Expiring,
    /// Past its end
    Expired,
    /// Back in force after it had expired
    Revitalised,
    /// Gone for good
    Deleted,
}

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OrderArgument {
    /// By id
    Id,
    /// By label
    Name,
    /// By status
    Status,
    /// By extension
    Extension,
    /// By the time of creation
    Created,
    /// By the end
    Expires,
}

/// `token list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// The connections
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub names: Vec<String>,
    /// All Connect connections
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Only what ends within this time, such as 30d; ends in 1 where there is any
    #[arg(long, value_name = "TIME")]
    pub expiring: Option<String>,
    /// Label or id contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Only this status
    #[arg(long, value_enum, value_name = "WORD")]
    pub status: Option<StatusArgument>,
    /// Only this group
    #[arg(long, value_enum)]
    pub group: Option<GroupArgument>,
    /// Deleted ones, too
    #[arg(long)]
    pub deleted: bool,
    /// What is first
    #[arg(long, value_enum, default_value_t = OrderArgument::Created)]
    pub order: OrderArgument,
    /// The other way round
    #[arg(long)]
    pub reverse: bool,
    /// At most so many of each connection
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub format: DataFormat,
}

/// `token create`.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// The connection
    #[arg(value_name = "NAME")]
    pub connection: String,
    /// Its label: unique, at most 128 characters
    #[arg(long, value_name = "LABEL")]
    pub name: String,
    /// What it is for; EXT-000 is a custom one
    #[arg(long, value_name = "ID", default_value = "EXT-000")]
    pub extension: String,
    /// A module that it is let into; MD-0000 means all, also later ones
    #[arg(long = "module", value_name = "ID")]
    pub modules: Vec<String>,
    /// When it ends: a date, 90d, or never; 365d where nothing is said
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// For people, at most 255 characters
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Your own id of it, at most 128 characters
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub format: DataFormat,
}

/// `token edit`.
#[derive(Debug, Args)]
pub struct EditArguments {
    /// The token
    #[command(flatten)]
    pub which: Which,
    /// Its new label
    #[arg(long = "name", value_name = "LABEL")]
    pub label: Option<String>,
    /// Your own id of it; empty takes it away
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
    /// For people; empty takes it away
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Exactly these modules from now on
    #[arg(long = "module", value_name = "ID")]
    pub modules: Vec<String>,
    /// Take modules from the key that connections run on, too
    #[arg(long)]
    pub even_in_use: bool,
}
