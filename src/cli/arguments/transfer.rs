//! The words of `switchboard connection import`, `export` and `apply`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DataFormat, STORES};

/// `switchboard connection import`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line, independent of the others"
)]
#[derive(Debug, Default, Args)]
pub struct ImportArguments {
    /// A file with curl commands, NAME=value lines, ~/.ccli/config.json, `[[connection]]` tables or a bundle; `-` for standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// What the file is, where its beginning does not tell
    #[arg(long = "as", value_name = "FORM", value_parser = ["curl", "env", "accounts", "toml", "bundle"])]
    pub form: Option<String>,
    /// Say what would come in, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where the secrets in it are kept; where new secrets are kept here, if nothing is said
    #[arg(long, value_name = "STORE", value_parser = STORES)]
    pub store: Option<String>,
    /// Take the connections, and no secret
    #[arg(long, conflicts_with = "store")]
    pub without_secrets: bool,
    /// Give a number to names that are taken; otherwise such connections stay out
    #[arg(long)]
    pub rename: bool,
    /// Let in what runs programs (cmd:, `on_change`), reads this machine (file:, env:) or has a key of here go another
    /// way (proxy, `ca_file`, `allow_http`)
    #[arg(long)]
    pub trust: bool,
    /// What opens a bundle.
    #[command(flatten)]
    pub bundle: BundleArguments,
    /// An identity of age that opens a bundle, as age-keygen writes it
    #[arg(long, value_name = "FILE", conflicts_with = "bundle_source")]
    pub identity: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub format: DataFormat,
}

/// The passphrase of a bundle: another one than the vault's.
#[derive(Clone, Debug, Default, Args)]
pub struct BundleArguments {
    /// Read the bundle's passphrase from this open file descriptor
    #[arg(long, value_name = "N", group = "bundle_source")]
    pub bundle_passphrase_fd: Option<u32>,
    /// Read the bundle's passphrase from this file (mode 0600)
    #[arg(long, value_name = "FILE", group = "bundle_source")]
    pub bundle_passphrase_file: Option<PathBuf>,
    /// Ask for the bundle's passphrase
    #[arg(long, group = "bundle_source")]
    pub bundle_passphrase: bool,
}

/// In which form connections are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// `[[connection]]` tables with references and no secret: for git, and for `connection apply`
    Toml,
    /// An encrypted file with the values of the secrets
    Bundle,
    /// A curl command that reads the key from `$SWITCHBOARD_KEY` through -K -
    Curl,
}

/// `switchboard connection export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Which; all where none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Those with this tag
    #[arg(long, value_name = "T", conflicts_with = "names")]
    pub tag: Option<String>,
    /// In which form
    #[arg(long, value_enum, default_value_t = ExportFormat::Toml)]
    pub format: ExportFormat,
    /// Where to; standard output where absent. Written whole, mode 0600
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Who can open the bundle: age1…, may be given several times
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "bundle_source")]
    pub to: Vec<String>,
    /// Under which passphrase the bundle is.
    #[command(flatten)]
    pub bundle: BundleArguments,
}

/// `switchboard connection apply`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line, independent of the others"
)]
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// `[[connection]]` tables, as `connection export` writes them; `-` for standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// Show what would change, and change nothing; exit code 1 where something would
    #[arg(long)]
    pub dry_run: bool,
    /// Remove connections that the file does not name, with the secrets kept here for them alone
    #[arg(long)]
    pub prune: bool,
    /// Let in what runs programs (cmd:, `on_change`), reads this machine (file:, env:) or has a key of here go another
    /// way (proxy, `ca_file`, `allow_http`)
    #[arg(long)]
    pub trust: bool,
    /// Don't ask before connections are removed
    #[arg(long)]
    pub yes: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub format: DataFormat,
}
