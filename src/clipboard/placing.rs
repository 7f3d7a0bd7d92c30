//! Copying: down the ladder until a route takes the text, and what the footer may say about it.

use std::path::PathBuf;
use std::sync::{self, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use super::child::CallError;
use super::desktop::{self, DesktopError, Helper};
use super::escape::{self, TerminalBytes, TooLong, Wrapping};
use super::hold::{Cleared, Clearing, Hold, UserCommand};
use super::holder::{HolderReply, HolderRequest, Life};
use super::route::{Certainty, Route, routes};
use super::surroundings::{Surroundings, Terminal};
use super::tmux::{self, Buffer, Reach, TmuxBuffer};
use crate::domain::Secret;

/// How often tmux is asked whether something else was copied.
const LOOK: Duration = Duration::from_secs(1);

/// The longest that each kind of child is waited for. Nothing draws meanwhile waits: copying is async.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The desktop's helper, until it has placed and read back the text: 10 ms where a display answers.
    pub desktop: Duration,
    /// One call of tmux.
    pub tmux: Duration,
    /// The user's own command, which may go over a network.
    pub command: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Nobody waits for it: only a display that says nothing is given up later by this much.
            desktop: Duration::from_secs(1),
            tmux: Duration::from_millis(500),
            command: Duration::from_secs(5),
        }
    }
}

/// A route that was tried and did not take the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The route.
    pub route: Route,
    /// Why not, in plain words, fit to be shown.
    pub why: String,
}

/// Where a copied text went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The route that took it.
    pub route: Route,
    /// How sure that is.
    pub certainty: Certainty,
    /// The footer's words: "copied → clipboard of this host". They name route and certainty, claim no
    /// more than is known, and never hold the text.
    pub words: String,
    /// When to call [`Clipboard::clear`]; `None` is never by itself, or nothing to clear.
    pub clear_after: Option<Duration>,
    /// What the owner of stdout must write to the terminal for the words to be true.
    pub terminal_bytes: Option<TerminalBytes>,
    /// The routes before it that did not take the text.
    pub missed: Vec<Missed>,
}

/// The clipboard of a program: copies, and holds what it copied until it is cleared.
///
/// Dropping a future of [`Clipboard::copy`] half-way loses nothing: what it may have placed is held, and
/// goes with the next copy or clearing.
#[derive(Debug)]
pub struct Clipboard {
    surroundings: sync::Mutex<Surroundings>,
    program: PathBuf,
    limits: Limits,
    held: Mutex<Held>,
}

/// What is held, oldest first. More than one only while a copy is under way, or was dropped half-way.
#[derive(Debug, Default)]
struct Held {
    holds: Vec<Hold>,
    /// Counts the copies, so that a watcher of one does not speak of the next.
    copies: u64,
}

/// Why a route did not take the text.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Desktop(#[from] DesktopError),
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error("to be selected by hand")]
    ByHand,
}

/// What a route says when it took the text.
struct Accepted {
    certainty: Certainty,
    words: String,
    terminal_bytes: Option<TerminalBytes>,
}

impl Clipboard {
    /// `program` is this executable, for the helper that holds the desktop's clipboard; on Linux
    /// `/proc/self/exe`, which outlives an upgrade of the file.
    pub fn new(surroundings: Surroundings, program: PathBuf, limits: Limits) -> Self {
        Self {
            surroundings: sync::Mutex::new(surroundings),
            program,
            limits,
            held: Mutex::default(),
        }
    }

    /// The user's own command from the next copy on. What the one before it took is taken back by that one.
    pub fn set_command(&self, command: Option<Vec<String>>) {
        self.surroundings().set_command(command);
    }

    /// The terminal has said that it takes OSC 52: from the next copy on that is known. Whether it was not before.
    pub fn terminal_announces(&self) -> bool {
        let mut around = self.surroundings();
        let was_silent = around.terminal == Terminal::Silent;
        if was_silent {
            around.terminal = Terminal::Announces;
        }
        was_silent
    }

    fn surroundings(&self) -> sync::MutexGuard<'_, Surroundings> {
        self.surroundings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies `text` by the first route that takes it, and holds it until [`Clipboard::clear`]. What an
    /// earlier copy placed is replaced, or taken back where the route is another one now; the time starts
    /// anew. Where no route takes it, an earlier copy is left as it was.
    pub async fn copy(&self, text: &Secret, clear_after: Option<Duration>, life: Life) -> Placed {
        let around = self.surroundings().clone();
        let around = around.refined(self.limits.tmux).await;
        let mut held = self.held.lock().await;
        let earlier = held.holds.len();
        let mut missed = Vec::new();
        for route in routes(&around) {
            let attempt = RouteAttempt {
                clipboard: self,
                around: &around,
                text,
                clear_after,
                life,
            };
            match attempt.take(route, &mut held.holds).await {
                Err(Refusal::ByHand) => break,
                Ok(taken) => {
                    let before = held.supersede(earlier).await;
                    return taken.placed(route, clear_after, missed).after(before);
                }
                Err(refusal) => {
                    give_up(&mut held.holds, earlier).await;
                    let why = refusal.to_string();
                    missed.push(Missed { route, why });
                }
            }
        }
        by_hand(missed)
    }

    /// Takes back what was copied, where it is still ours as far as that can be read. At once, and never
    /// longer than the limits. To be called when the time is over, and on lock, quit, SIGTERM and SIGHUP.
    pub async fn clear(&self) -> Cleared {
        let mut held = self.held.lock().await;
        let mut report = Cleared::nothing();
        // Taken out only when it is cleared, so that a dropped future leaves it for the next call.
        while let Some(hold) = held.holds.last_mut() {
            let cleared = hold.clear().await;
            held.holds.pop();
            report = cleared.and(report);
        }
        report
    }

    /// Whether something is held that only this program takes back when its time is over: a command that
    /// has copied then stays until it has cleared, or leaves it to the helper.
    pub async fn needs_program(&self) -> bool {
        let held = self.held.lock().await;
        held.holds.iter().any(Hold::needs_program)
    }

    /// Whether something is held that stays where it is while this program is stopped: all but what the helper
    /// holds, which clears by itself in time.
    pub async fn needs_running(&self) -> bool {
        let held = self.held.lock().await;
        let by_helper = |hold: &Hold| matches!(hold, Hold::Desktop(..));
        held.holds.iter().any(|hold| !by_helper(hold))
    }

    /// Waits until another program has replaced what was copied last, where that can be read (desktop,
    /// tmux); otherwise for ever. Then [`Clipboard::clear`] tidies up and leaves the other's text alone.
    /// To be called anew after each copy, beside the countdown, and dropped when that ends.
    pub async fn replaced(&self) {
        loop {
            let (copy, watch) = {
                let held = self.held.lock().await;
                (held.copies, held.holds.last().map(HolderWatch::of))
            };
            watch.unwrap_or(HolderWatch::Blind).wait().await;
            if self.held.lock().await.copies == copy {
                return;
            }
        }
    }
}

impl Held {
    /// Lets go of the `earlier` holds after a newer one was placed.
    async fn supersede(&mut self, earlier: usize) -> Cleared {
        self.copies += 1;
        let mut before = Cleared::nothing();
        for _ in 0..earlier {
            let Some((newest, older)) = self.holds.split_last_mut() else {
                break;
            };
            let Some(oldest) = older.first_mut() else {
                break;
            };
            let cleared = oldest.supersede(newest).await;
            self.holds.remove(0);
            before = before.and(cleared);
        }
        before
    }
}

/// Takes back what a failed attempt may have placed all the same.
async fn give_up(holds: &mut Vec<Hold>, earlier: usize) {
    while holds.len() > earlier {
        if let Some(hold) = holds.last_mut() {
            let _ = hold.clear().await;
        }
        holds.pop();
    }
}

/// One copy on its way down the ladder.
struct RouteAttempt<'a> {
    clipboard: &'a Clipboard,
    around: &'a Surroundings,
    text: &'a Secret,
    clear_after: Option<Duration>,
    life: Life,
}

impl RouteAttempt<'_> {
    /// Tries one route. What is placed stands in `holds` before it is placed.
    async fn take(&self, route: Route, holds: &mut Vec<Hold>) -> Result<Accepted, Refusal> {
        match route {
            Route::Command => self.by_command(holds).await,
            Route::Desktop => self.by_desktop(holds).await,
            Route::Tmux => self.by_tmux(holds).await,
            Route::TmuxPassthrough => self.by_terminal(route, Wrapping::Tmux, holds),
            Route::Screen => self.by_terminal(route, Wrapping::Screen, holds),
            Route::Terminal if self.reaches_screen_and_tmux() => {
                self.by_terminal(route, Wrapping::Screen, holds)
            }
            Route::Terminal => self.by_terminal(route, Wrapping::Plain, holds),
            Route::ByHand => Err(Refusal::ByHand),
        }
    }

    /// Whether a GNU screen may stand before us, and the text has a form that a tmux of its name takes as well.
    fn reaches_screen_and_tmux(&self) -> bool {
        self.around.may_be_behind_screen() && escape::is_one_piece(self.text)
    }

    async fn by_command(&self, holds: &mut Vec<Hold>) -> Result<Accepted, Refusal> {
        let command = UserCommand {
            words: self.around.command.clone().unwrap_or_default(),
            variables: self.around.variables.clone(),
            limit: self.clipboard.limits.command,
        };
        holds.push(Hold::Command(command.clone()));
        if let Err(error) = command.give(self.text).await {
            // It is not called again to take back what it did not take.
            holds.pop();
            return Err(error.into());
        }
        let words = format!("handed to {}", command.name());
        Ok(Accepted::new(Certainty::Handed, words))
    }

    async fn by_desktop(&self, holds: &mut Vec<Hold>) -> Result<Accepted, Refusal> {
        let limit = self.clipboard.limits.desktop;
        let request = HolderRequest {
            length: self.text.expose().len(),
            clear_after: self.clear_after,
            life: self.life,
        };
        let helper = Helper::start(
            &self.clipboard.program,
            self.around.only(&desktop::VARIABLES),
            self.text,
            request,
            limit,
        )
        .await?;
        holds.push(Hold::Desktop(helper, limit));
        let words = "copied → clipboard of this host";
        Ok(Accepted::new(Certainty::Confirmed, words))
    }

    async fn by_tmux(&self, holds: &mut Vec<Hold>) -> Result<Accepted, Refusal> {
        let limit = self.clipboard.limits.tmux;
        let variables = self.around.only(&tmux::VARIABLES);
        let buffer = Buffer::prepare(self.text, variables, limit).await?;
        holds.push(Hold::Tmux(buffer.clone()));
        buffer.load(self.clear_after).await?;
        let words = match buffer.reach() {
            Reach::Client(_) => "copied → tmux, sent on to your terminal; it does not confirm",
            Reach::Nested(_) => "copied → tmux; a tmux in front passes it on with set-clipboard on",
            Reach::NoClipboard => "copied → tmux buffer only; this terminal takes no clipboard",
            Reach::NoClient => "copied → tmux buffer only; no terminal is attached",
            Reach::TooLong => "copied → tmux buffer only; too long for a terminal's clipboard",
        };
        Ok(Accepted::new(Certainty::Handed, words))
    }

    fn by_terminal(
        &self,
        route: Route,
        wrapping: Wrapping,
        holds: &mut Vec<Hold>,
    ) -> Result<Accepted, Refusal> {
        let bytes = escape::set(self.text, wrapping)?;
        let behind_tmux = self.around.is_behind_tmux();
        holds.push(Hold::Terminal {
            route,
            wrapping,
            behind_tmux,
        });
        let announced = self.around.terminal == Terminal::Announces && wrapping == Wrapping::Plain;
        let taken = if announced {
            Accepted::new(Certainty::Handed, ANNOUNCED)
        } else {
            let words = match (behind_tmux, wrapping) {
                (true, Wrapping::Screen) => {
                    "sent; a screen, or a tmux with set-clipboard on, passes it on"
                }
                (true, _) => "sent; the tmux in front passes it on with set-clipboard on",
                (false, _) => UNCONFIRMED,
            };
            Accepted::new(Certainty::SentUnconfirmed, words)
        };
        Ok(Accepted {
            terminal_bytes: Some(bytes),
            ..taken
        })
    }
}

impl Accepted {
    fn new(certainty: Certainty, words: impl Into<String>) -> Self {
        Self {
            certainty,
            words: words.into(),
            terminal_bytes: None,
        }
    }

    fn placed(self, route: Route, clear_after: Option<Duration>, missed: Vec<Missed>) -> Placed {
        let mut words = self.words;
        // The user chose that one, and must hear that it was not it.
        if let Some(chosen) = missed.iter().find(|it| it.route == Route::Command) {
            words = format!("{words} ({})", chosen.why);
        }
        Placed {
            route,
            certainty: self.certainty,
            words,
            clear_after,
            terminal_bytes: self.terminal_bytes,
            missed,
        }
    }
}

impl Placed {
    /// Whether it went to a terminal that could say more about it, were it asked: one that hears us itself, and
    /// no tmux or GNU screen, which would answer for itself.
    pub fn could_be_announced(&self) -> bool {
        self.route == Route::Terminal && self.words.starts_with(UNCONFIRMED)
    }

    /// With the bytes that must be written before its own, and a word where an earlier copy may still be
    /// where it was: nobody will take that one back any more.
    fn after(mut self, before: Cleared) -> Self {
        if before.clearing == Clearing::Failed {
            self.words = format!("{} (the copy before: {})", self.words, before.words);
        }
        if let Some(bytes) = before.terminal_bytes {
            self.terminal_bytes = Some(bytes.followed_by(self.terminal_bytes.take()));
        }
        self
    }
}

/// How [`Placed::words`] begin for a terminal that has not said whether it takes OSC 52.
pub const UNCONFIRMED: &str = "sent; this terminal does not confirm";

/// The same for one that has said that it does.
pub const ANNOUNCED: &str = "copied → your terminal (OSC 52)";

/// What is left to do where no clipboard is within reach of a screen, in the words of [`Placed::words`].
pub const BY_HAND: &str = "select it by hand";

/// The end of the ladder. The last route's reason says most: it was the nearest to the terminal.
fn by_hand(missed: Vec<Missed>) -> Placed {
    let why = missed
        .last()
        .map_or("no clipboard within reach", |it| it.why.as_str());
    Placed {
        route: Route::ByHand,
        certainty: Certainty::Shown,
        words: format!("not copied: {why}; {BY_HAND}"),
        clear_after: None,
        terminal_bytes: None,
        missed,
    }
}

/// What can be read of a placed text.
enum HolderWatch {
    Desktop(tokio::sync::watch::Receiver<Option<HolderReply>>),
    Tmux(Buffer),
    Blind,
}

impl HolderWatch {
    fn of(hold: &Hold) -> Self {
        match hold {
            Hold::Desktop(helper, _) => Self::Desktop(helper.heard()),
            Hold::Tmux(buffer) => Self::Tmux(buffer.clone()),
            Hold::Command(_) | Hold::Terminal { .. } => Self::Blind,
        }
    }

    async fn wait(self) {
        match self {
            Self::Desktop(heard) => desktop::replaced(heard).await,
            Self::Tmux(buffer) => {
                let mut ticks = tokio::time::interval(LOOK);
                loop {
                    ticks.tick().await;
                    if matches!(
                        buffer.find().await,
                        Ok(TmuxBuffer::Older | TmuxBuffer::Changed)
                    ) {
                        return;
                    }
                }
            }
            Self::Blind => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clipboard that holds these, oldest first.
    fn holding(holds: Vec<Hold>) -> Clipboard {
        let around = Surroundings::read(|_| None, None, Terminal::Silent);
        let clipboard = Clipboard::new(around, PathBuf::new(), Limits::default());
        let held = Held { holds, copies: 0 };
        Clipboard {
            held: Mutex::new(held),
            ..clipboard
        }
    }

    /// A command that took a text once and takes none any more.
    fn broken() -> Hold {
        Hold::Command(UserCommand {
            words: vec!["/bin/false".to_owned()],
            variables: Vec::new(),
            limit: Limits::default().command,
        })
    }

    fn terminal() -> Hold {
        Hold::Terminal {
            route: Route::Terminal,
            wrapping: Wrapping::Plain,
            behind_tmux: false,
        }
    }

    #[tokio::test]
    async fn what_no_helper_clears_stays_while_this_program_is_stopped() {
        assert!(!holding(Vec::new()).needs_running().await);
        for hold in [broken(), terminal()] {
            assert!(holding(vec![hold]).needs_running().await);
        }
    }

    #[tokio::test]
    async fn of_several_that_are_taken_back_the_worst_is_said() {
        for holds in [vec![broken(), terminal()], vec![terminal(), broken()]] {
            let cleared = holding(holds).clear().await;
            assert_eq!(cleared.clearing, Clearing::Failed, "{cleared:?}");
            assert!(cleared.words.starts_with("not cleared"), "{cleared:?}");
            assert!(cleared.terminal_bytes.is_some(), "{cleared:?}");
        }
    }

    #[tokio::test]
    async fn a_copy_says_that_the_one_before_it_may_still_be_elsewhere() {
        let clipboard = holding(vec![broken(), terminal(), terminal()]);
        let mut held = clipboard.held.lock().await;
        let before = held.supersede(2).await;
        assert_eq!(held.holds.len(), 1);
        let taken = Accepted::new(Certainty::SentUnconfirmed, "sent");
        let placed = taken
            .placed(Route::Terminal, None, Vec::new())
            .after(before);
        let words = "sent (the copy before: not cleared, it may still be there: ";
        assert!(placed.words.starts_with(words), "{placed:?}");
    }
}
