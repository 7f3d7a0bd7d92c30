//! `switchboard` without a command: the screen.

use std::io::IsTerminal;

use super::arguments::Global;
use super::context::Context;
use super::fault::Fault;
use super::{output, sources};
use crate::clipboard::Terminal;
use crate::config::Environment;
use crate::tui::{self, Options, TuiError};
use crate::ui::{ColourDepth, Theme, ThemeName};
use crate::work::Desk;

/// Opens the screen over the saved connections.
pub fn run(environment: Environment, global: Global) -> Result<u8, Fault> {
    output::log_to(global.log.as_deref(), global.verbose)?;
    refuse_without_terminal()?;
    let theme = global.theme.clone();
    let context = Context::open(environment, global)?;
    let mut options = options(
        &context.environment,
        &context.global,
        theme.as_deref(),
        Vec::new(),
    )?;
    if context.desk.is_locked() {
        options.passphrase = sources::passphrase(&context.environment, &context.global)?;
    }
    open(context.desk, options)
}

/// Runs the screen over `desk`. Its terminal is one way to the clipboard; it is not asked whether it takes it.
pub fn open(desk: Desk, options: Options) -> Result<u8, Fault> {
    let desk = desk.with_terminal(Terminal::Silent);
    tui::run(desk, options).map_err(|error| {
        let fault = Fault::input(&error);
        match error {
            TuiError::NoTerminal => fault.hint(WITHOUT),
            TuiError::Terminal(_) | TuiError::Runtime(_) => fault,
        }
    })
}

const WITHOUT: &str =
    "without a terminal use the commands: switchboard probe NAME, switchboard --help";

fn refuse_without_terminal() -> Result<(), Fault> {
    if std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Fault::usage("the screen needs a terminal, and this is none").hint(WITHOUT))
}

/// How the screen looks: the flag's theme, else the one that fits the terminal's background as far as the
/// environment tells; the terminal itself is not asked, since a late answer would arrive as keys.
pub fn options(
    environment: &Environment,
    global: &Global,
    theme: Option<&str>,
    banner: Vec<String>,
) -> Result<Options, Fault> {
    let name = match theme {
        Some(word) => ThemeName::from_word(word).ok_or_else(|| {
            let word = crate::domain::text::inert(word, 40);
            Fault::usage(format!("no theme is called {word}"))
                .hint("there are dark, light, high-contrast and mono")
        })?,
        None if light_background(environment.colorfgbg.as_deref()) => ThemeName::Light,
        None => ThemeName::Dark,
    };
    let depth = ColourDepth::detect(
        environment.no_color || global.no_color,
        environment.colorterm.as_deref(),
        environment.term.as_deref(),
    );
    Ok(Options {
        theme: Theme::shipped(name, depth),
        mouse: global.mouse,
        banner,
        passphrase: None,
    })
}

/// `COLORFGBG` is `foreground;background`, perhaps with a word between: palette 7 and 9 to 15 are light.
fn light_background(colours: Option<&str>) -> bool {
    let background = colours.and_then(|colours| colours.rsplit(';').next()?.parse::<u8>().ok());
    matches!(background, Some(7 | 9..=15))
}
