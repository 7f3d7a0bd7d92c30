//! What is held on a clipboard: enough to take it back, and the words for how that went.

use std::ffi::OsString;

use super::child::{Call, CallError, Limit, shown_name};
use super::desktop::Helper;
use super::escape::{self, TerminalBytes, Wrapping};
use super::route::Route;
use super::tmux::{self, Buffer};
use crate::domain::Secret;

/// How taking a text back ended, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clearing {
    /// There was nothing to take back.
    Nothing,
    /// It is gone.
    Gone,
    /// Another program has copied since; its text was left alone.
    Replaced,
    /// It was overwritten with one blank where nobody confirms it: the terminal, or the user's command.
    Blanked,
    /// It could not be taken back everywhere, and may still be there.
    Failed,
}

/// The report of [`super::Clipboard::clear`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// How it ended.
    pub clearing: Clearing,
    /// The footer's words; empty where there was nothing to take back.
    pub words: String,
    /// What the owner of stdout must write to the terminal for it to be true.
    pub terminal_bytes: Option<TerminalBytes>,
}

impl Cleared {
    /// There was nothing to take back.
    pub(super) fn nothing() -> Self {
        Self::new(Clearing::Nothing, String::new())
    }

    fn new(clearing: Clearing, words: impl Into<String>) -> Self {
        Self {
            clearing,
            words: words.into(),
            terminal_bytes: None,
        }
    }

    fn replaced() -> Self {
        let words = "another program has copied since; left as it is";
        Self::new(Clearing::Replaced, words)
    }

    fn failed(error: &CallError) -> Self {
        Self::new(
            Clearing::Failed,
            format!("not cleared, it may still be there: {error}"),
        )
    }

    /// This and the report on a `newer` copy as one: the worse of the two is said, of equals the newer, and
    /// the bytes of both stay in the order of the copies.
    pub(super) fn and(self, newer: Self) -> Self {
        let terminal_bytes = match (self.terminal_bytes, newer.terminal_bytes) {
            (Some(older), newer) => Some(older.followed_by(newer)),
            (None, newer) => newer,
        };
        let (clearing, words) = if self.clearing > newer.clearing {
            (self.clearing, self.words)
        } else {
            (newer.clearing, newer.words)
        };
        Self {
            clearing,
            words,
            terminal_bytes,
        }
    }
}

/// The user's own command.
#[derive(Clone, Debug)]
pub(super) struct UserCommand {
    pub(super) words: Vec<String>,
    pub(super) variables: Vec<(&'static str, OsString)>,
    pub(super) limit: Limit,
}

impl UserCommand {
    /// Its name without its folder.
    pub(super) fn name(&self) -> String {
        shown_name(self.words.first().map_or("", String::as_str))
    }

    /// Gives it `text` on stdin.
    pub(super) async fn give(&self, text: &Secret) -> Result<(), CallError> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let (program, arguments) = words.split_first().map_or(("", &[][..]), |(p, a)| (*p, a));
        let call = Call::new(program, arguments).with_variables(self.variables.clone());
        call.with_input(text).success(self.limit).await
    }
}

/// One placed text, and the way to take it back.
#[derive(Debug)]
pub(super) enum Hold {
    /// Given to the user's command.
    Command(UserCommand),
    /// Held by a helper process.
    Desktop(Helper, Limit),
    /// In a private tmux buffer.
    Tmux(Buffer),
    /// Sent to the terminal, or to a tmux or GNU screen before it.
    Terminal {
        route: Route,
        wrapping: Wrapping,
        behind_tmux: bool,
    },
}

impl Hold {
    /// The route that it went.
    pub(super) fn route(&self) -> Route {
        match self {
            Self::Command(_) => Route::Command,
            Self::Desktop(..) => Route::Desktop,
            Self::Tmux(_) => Route::Tmux,
            Self::Terminal { route, .. } => *route,
        }
    }

    /// Whether nobody but this program will take it back when its time is over.
    pub(super) fn needs_program(&self) -> bool {
        match self {
            Self::Desktop(helper, _) => !helper.outlives(),
            Self::Command(_) | Self::Tmux(_) | Self::Terminal { .. } => true,
        }
    }

    /// Takes it back, as far as it is still ours.
    pub(super) async fn clear(&mut self) -> Cleared {
        match self {
            Self::Command(command) => match command.give(&Secret::new(" ")).await {
                Ok(()) => Cleared::new(
                    Clearing::Blanked,
                    format!("a blank handed to {}", command.name()),
                ),
                Err(error) => Cleared::failed(&error),
            },
            Self::Desktop(helper, limit) => {
                if helper.clear(*limit).await {
                    Cleared::replaced()
                } else {
                    Cleared::new(Clearing::Gone, "clipboard cleared")
                }
            }
            Self::Tmux(buffer) => in_tmux(buffer.clear().await),
            Self::Terminal {
                wrapping,
                behind_tmux,
                ..
            } => {
                let words = if *behind_tmux {
                    "overwritten with a blank; the tmux in front may keep it: tmux list-buffers there"
                } else {
                    "overwritten with a blank; this terminal does not confirm"
                };
                Cleared {
                    terminal_bytes: Some(escape::blank(*wrapping)),
                    ..Cleared::new(Clearing::Blanked, words)
                }
            }
        }
    }

    /// Lets go of it after the copy that `newer` holds. The same route has replaced it already, and what
    /// is left is tidied; another route has not, and it is taken back. What the terminal must be sent for
    /// that comes before what the newer one sends.
    pub(super) async fn supersede(&mut self, newer: &Self) -> Cleared {
        if !self.is_replaced_by(newer) {
            return self.clear().await;
        }
        if let Self::Tmux(buffer) = self {
            // Where tmux does not answer, its own timer deletes the buffer.
            let _ = buffer.delete().await;
        }
        Cleared::nothing()
    }

    /// Whether the newer text went where this one was. Two commands go to places of their own.
    fn is_replaced_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Self::Command(this), Self::Command(other)) => this.words == other.words,
            _ => self.route() == newer.route(),
        }
    }
}

fn in_tmux(clearing: Result<tmux::Clearing, CallError>) -> Cleared {
    match clearing {
        Ok(tmux::Clearing::Overwritten) => Cleared::new(
            Clearing::Blanked,
            "cleared in tmux, and a blank sent on to your terminal",
        ),
        Ok(tmux::Clearing::OverwrittenInFront) => Cleared::new(
            Clearing::Blanked,
            "cleared in this tmux; the tmux in front may keep it: tmux list-buffers there",
        ),
        Ok(tmux::Clearing::Deleted) => Cleared::new(Clearing::Gone, "cleared in tmux"),
        Ok(tmux::Clearing::ClientLeft) => Cleared::new(
            Clearing::Failed,
            "cleared in tmux; the terminal that took it has left and may still hold it",
        ),
        Ok(tmux::Clearing::Replaced) => Cleared::replaced(),
        Err(error) => Cleared::failed(&error),
    }
}
