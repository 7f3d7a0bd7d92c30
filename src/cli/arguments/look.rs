//! How the screen looks and listens, in words of the command line.

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::{Arguments, Command};

/// How the screen looks and listens.
#[derive(Clone, Debug, Default, Args)]
pub struct Look {
    /// Report clicks and the wheel to the screen
    #[arg(long)]
    pub mouse: bool,
    /// Theme of the screen: dark, light, high-contrast, mono
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
}

impl Look {
    /// The same with what `other` says besides.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            mouse: self.mouse || other.mouse,
            theme: self.theme.or(other.theme),
        }
    }
}

impl Arguments {
    /// Refuses what the screen is told where no screen opens, as the commands refuse it behind them. (Of clap's rules,
    /// `args_conflicts_with_subcommands` would refuse the options of every command there, too.)
    pub fn refuse_foreign_look(&self) -> Result<(), clap::Error> {
        let option = match &self.look {
            Look { theme: Some(_), .. } => "--theme <NAME>",
            Look { mouse: true, .. } => "--mouse",
            Look { .. } => return Ok(()),
        };
        match self.command {
            None | Some(Command::Demo(_)) => Ok(()),
            Some(_) => Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                format!("the argument '{option}' is for the screen: this command opens none"),
            )),
        }
    }
}
