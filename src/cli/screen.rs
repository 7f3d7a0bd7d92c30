//! `switchboard` without a command: the screen.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use super::arguments::{Global, Look};
use super::context::Context;
use super::fault::Fault;
use super::{output, sources, transfer};
use crate::app::effect::ScreenEnd;
use crate::clipboard::Terminal;
use crate::config::Environment;
use crate::jobs::{self, HeldStops};
use crate::store::{Settings, files};
use crate::tui::{self, Glyphs, Options, TuiError};
use crate::ui::{ColourDepth, Theme, ThemeName};
use crate::work::{Core, Session};

/// Opens the screen over the saved connections.
pub fn run(environment: Environment, mut global: Global, look: &Look) -> Result<u8, Fault> {
    output::log(&environment, &global)?;
    refuse_without_screen(&environment)?;
    // A descriptor gives the passphrase once.
    let mut first = true;
    let mut session = None;
    let mut held = None;
    loop {
        let context = Context::open_in(environment.clone(), global.clone(), session.take())?;
        let unlocked = context.core.session();
        // Its colours are the settings' from the first frame on.
        let settings = context.core.settings_alone();
        let mut options = options(&environment, &global, look, Vec::new())?;
        if look.theme.is_none() {
            options.theme = chosen(&settings, options.theme, depth(&environment, &global));
        }
        options.mouse |= settings.mouse;
        if std::mem::take(&mut first) && context.core.is_locked() {
            options.passphrase = sources::passphrase(&environment, &global)?;
            // (Whoever asks later asks the person.)
            global.passphrase_fd = None;
        }
        if held.is_none() {
            held = hold_stops();
        }
        match open(context.core, options)? {
            ScreenEnd::Demo => {
                match super::demo::run(environment.clone(), global.clone(), look, true)? {
                    ScreenEnd::Quit | ScreenEnd::Demo | ScreenEnd::Import => {}
                    // It is meant for us too.
                    end @ (ScreenEnd::Signal(_) | ScreenEnd::Panicked) => {
                        return Ok(end.exit_code());
                    }
                }
            }
            ScreenEnd::Import => {
                import(&environment, &global, &unlocked)?;
                session = Some(unlocked);
            }
            end @ (ScreenEnd::Quit | ScreenEnd::Signal(_) | ScreenEnd::Panicked) => {
                return Ok(end.exit_code());
            }
        }
    }
}

/// An import from the screen, on the bare terminal, and back. Whoever leaves it unattended finds the vault locked, as
/// on the screen.
fn import(environment: &Environment, global: &Global, session: &Session) -> Result<(), Fault> {
    let begun = Instant::now();
    let context = Context::open_in(environment.clone(), global.clone(), Some(session.clone()))?;
    let minutes = context.core.settings_alone().lock_after_minutes;
    let done = super::to_its_end(context, false, async |context| {
        transfer::import_asked(&context).await
    });
    if let Err(fault) = done {
        output::error(&fault, fault.hint.as_deref());
    }
    // Ctrl-D goes back, too.
    let _ = transfer::asked("Enter goes back to the screen. ");
    if minutes > 0 && begun.elapsed() > Duration::from_secs(60 * u64::from(minutes)) {
        session.lock();
    }
    Ok(())
}

/// Holds stops back from what is started from now on, until the screen can give the terminal back for one.
pub fn hold_stops() -> Option<HeldStops> {
    jobs::hold_stops(files::ignored_signals())
}

/// Runs the screen over `core`, and says what a signal has taken with it. Its terminal is one way to the clipboard; it
/// is not asked whether it takes it.
pub fn open(core: Core, options: Options) -> Result<ScreenEnd, Fault> {
    let core = core.with_terminal(Terminal::Silent);
    let ended = tui::run(core, options).map_err(|error| {
        let has_none = matches!(error, TuiError::NoTerminal);
        let fault = Fault::of(error);
        if has_none { fault.hint(WITHOUT) } else { fault }
    })?;
    if let Some(lost) = ended.lost {
        output::say(&format!("switchboard: {lost}"));
    }
    Ok(ended.end)
}

const WITHOUT: &str =
    "without a terminal use the commands: switchboard probe NAME, switchboard --help";

/// Says why nothing can be drawn here: without a terminal, or one that would print what is to place its cursor.
pub fn refuse_without_screen(environment: &Environment) -> Result<(), Fault> {
    let why = if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        "the screen needs a terminal, and this is none"
    } else if environment.term.as_deref() == Some("dumb") {
        "the screen needs a terminal whose cursor can be placed; by TERM=dumb this one has none"
    } else {
        return Ok(());
    };
    Err(Fault::usage(why).hint(WITHOUT))
}

/// The setting's theme, where there is one of its name.
fn chosen(settings: &Settings, guessed: Theme, depth: ColourDepth) -> Theme {
    let name = settings.theme.as_deref().and_then(ThemeName::from_word);
    name.map_or(guessed, |name| Theme::shipped(name, depth))
}

/// How the screen looks: the flag's theme, else the one that fits the terminal's background as far as the
/// environment tells; the terminal itself is not asked, since a late answer would arrive as keys.
pub fn options(
    environment: &Environment,
    global: &Global,
    look: &Look,
    banner: Vec<String>,
) -> Result<Options, Fault> {
    let name = match look.theme.as_deref() {
        Some(word) => ThemeName::from_word(word).ok_or_else(|| {
            let word = crate::domain::text::inert(word, 40);
            Fault::usage(format!("no theme is called {word}"))
                .hint("there are dark, light, high-contrast and mono")
        })?,
        None if light_background(environment.colorfgbg.as_deref()) => ThemeName::Light,
        None => ThemeName::Dark,
    };
    Ok(Options {
        theme: Theme::shipped(name, depth(environment, global)),
        glyphs: Glyphs::detect(environment.locale.as_deref(), environment.multiplexed),
        mouse: look.mouse,
        banner,
        passphrase: None,
        goes_on: false,
    })
}

fn depth(environment: &Environment, global: &Global) -> ColourDepth {
    ColourDepth::detect(
        environment.no_color || global.no_color,
        environment.colorterm.as_deref(),
        environment.term.as_deref(),
    )
}

/// `COLORFGBG` is `foreground;background`, perhaps with a word between: palette 7 and 9 to 15 are light.
fn light_background(colours: Option<&str>) -> bool {
    let background = colours.and_then(|colours| colours.rsplit(';').next()?.parse::<u8>().ok());
    matches!(background, Some(7 | 9..=15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_theme_comes_before_the_guess() {
        let depth = ColourDepth::True;
        let guessed = Theme::shipped(ThemeName::Light, depth);
        for (word, theme) in [
            (Some("mono"), ThemeName::Mono),
            (Some("dark"), ThemeName::Dark),
            (Some("unheard"), ThemeName::Light),
            (None, ThemeName::Light),
        ] {
            let settings = Settings {
                theme: word.map(str::to_owned),
                ..Settings::default()
            };
            let shown = chosen(&settings, guessed.clone(), depth);
            assert_eq!(shown, Theme::shipped(theme, depth), "{word:?}");
        }
    }
}
