//! The ladder of routes, a pure function of the surroundings, and what each rung may claim.

use super::surroundings::{Surroundings, Terminal};

/// A way out of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// The command that the user set.
    Command,
    /// The desktop's clipboard (X11, Wayland), held by a helper process.
    Desktop,
    /// A private tmux buffer, which tmux passes on to the terminal outside.
    Tmux,
    /// OSC 52 through tmux's passthrough: only where tmux itself can't be called. tmux drops it unless
    /// `allow-passthrough` is on. A bare OSC 52 is not tried in tmux: dropped by default, and otherwise
    /// it leaves the secret in tmux's list of buffers, where it can't be told apart and deleted.
    TmuxPassthrough,
    /// OSC 52 through GNU screen, in pieces.
    Screen,
    /// OSC 52 to the terminal.
    Terminal,
    /// No clipboard: the text is shown, to be selected by hand.
    ByHand,
}

/// How sure it is that the text arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// Read back, and it was ours.
    Confirmed,
    /// Taken by a program that reported success, or by a terminal that announced that it takes it.
    Handed,
    /// Written to a terminal that never says whether it obeyed.
    SentUnconfirmed,
    /// Not placed anywhere; shown.
    Shown,
}

/// The routes to try, in order. Never empty: [`Route::ByHand`] ends it.
///
/// Under SSH the desktop is left out, because it is not the one in front of the person: `DISPLAY` there is
/// a tunnel that may be dead, or the remote machine's own screen.
pub fn routes(around: &Surroundings) -> Vec<Route> {
    let mut ladder = Vec::new();
    if around.command.is_some() {
        ladder.push(Route::Command);
    }
    if !around.ssh && around.has_desktop() {
        ladder.push(Route::Desktop);
    }
    if around.tmux {
        ladder.push(Route::Tmux);
    }
    if around.terminal != Terminal::Without {
        ladder.push(match (around.tmux, around.screen) {
            (true, _) => Route::TmuxPassthrough,
            (false, true) => Route::Screen,
            (false, false) => Route::Terminal,
        });
    }
    ladder.push(Route::ByHand);
    ladder
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One word a fact: what the table below is written in.
    fn around(words: &str) -> Surroundings {
        let mut around = Surroundings {
            terminal: Terminal::Silent,
            ..Surroundings::default()
        };
        for word in words.split_whitespace() {
            match word {
                "command" => around.command = Some(vec!["xclip".into()]),
                "ssh" => around.ssh = true,
                "tmux" => around.tmux = true,
                "screen" => around.screen = true,
                "x11" => around.variables.push(("DISPLAY", ":0".into())),
                "wayland" => around.variables.push(("WAYLAND_DISPLAY", "w".into())),
                "no-terminal" => around.terminal = Terminal::Without,
                "announces" => around.terminal = Terminal::Announces,
                other => panic!("{other}"),
            }
        }
        around
    }

    #[test]
    fn the_ladder_follows_the_surroundings() {
        use Route::{ByHand, Command, Desktop, Screen, Terminal, Tmux, TmuxPassthrough};
        let table: [(&str, &[Route]); 18] = [
            ("", &[Terminal, ByHand]),
            ("announces", &[Terminal, ByHand]),
            ("no-terminal", &[ByHand]),
            ("x11", &[Desktop, Terminal, ByHand]),
            ("wayland", &[Desktop, Terminal, ByHand]),
            ("x11 no-terminal", &[Desktop, ByHand]),
            ("x11 tmux", &[Desktop, Tmux, TmuxPassthrough, ByHand]),
            ("x11 screen", &[Desktop, Screen, ByHand]),
            ("tmux", &[Tmux, TmuxPassthrough, ByHand]),
            ("tmux no-terminal", &[Tmux, ByHand]),
            ("screen", &[Screen, ByHand]),
            ("ssh", &[Terminal, ByHand]),
            ("ssh x11", &[Terminal, ByHand]),
            ("ssh wayland no-terminal", &[ByHand]),
            ("ssh tmux x11", &[Tmux, TmuxPassthrough, ByHand]),
            ("ssh screen", &[Screen, ByHand]),
            ("ssh tmux screen", &[Tmux, TmuxPassthrough, ByHand]),
            (
                "command ssh tmux",
                &[Command, Tmux, TmuxPassthrough, ByHand],
            ),
        ];
        for (words, expected) in table {
            assert_eq!(routes(&around(words)), expected, "{words}");
        }
    }

    #[test]
    fn a_command_of_the_user_goes_first_everywhere() {
        for words in ["", "x11", "ssh", "tmux", "ssh screen x11", "no-terminal"] {
            let ladder = routes(&around(&format!("command {words}")));
            assert_eq!(ladder[0], Route::Command, "{words}");
            assert_eq!(ladder[1..], routes(&around(words)), "{words}");
        }
    }
}
