//! `switchboard secret recipient …` and `secret passphrase`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DataFormat;

/// `switchboard secret recipient …`
#[derive(Debug, Subcommand)]
pub enum RecipientCommand {
    /// Those who can open the vault
    List {
        /// How the result is written
        #[arg(long, value_enum, default_value_t = DataFormat::Human)]
        format: DataFormat,
    },
    /// Let somebody open the vault from now on
    Add {
        /// Their key, as `secret recipient own` prints it there
        #[arg(value_name = "AGE1…")]
        recipient: String,
        /// Whose it is
        #[arg(
            long,
            value_name = "LABEL",
            default_value = "",
            hide_default_value = true
        )]
        label: String,
    },
    /// Let somebody open it no more; they keep what they have seen
    Remove {
        /// Their key
        #[arg(value_name = "AGE1…")]
        recipient: String,
    },
    /// Your own key, for whoever shall add you; made where there is none
    Own,
}

/// `switchboard secret passphrase`.
#[derive(Debug, Args)]
pub struct PassphraseArguments {
    /// Read the new passphrase from this open file descriptor
    #[arg(long, value_name = "N", conflicts_with = "new_passphrase_file")]
    pub new_passphrase_fd: Option<u32>,
    /// Read the new passphrase from this file (mode 0600)
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
}

/// Where the value of a key or a token comes from. One source at the most.
#[derive(Debug, Args)]
pub struct ValueSource {
    /// Read the value from standard input (one line)
    #[arg(long, visible_alias = "token-stdin", group = "value_source")]
    pub key_stdin: bool,
    /// Read the value from this open file descriptor (one line)
    #[arg(
        long,
        visible_alias = "token-fd",
        value_name = "N",
        group = "value_source"
    )]
    pub key_fd: Option<u32>,
    /// Take the value from this environment variable
    #[arg(
        long,
        visible_alias = "token-env",
        value_name = "VAR",
        group = "value_source"
    )]
    pub key_env: Option<String>,
}
