//! The screen's composition root: the terminal, the loop, and what runs for it.
//!
//! ```text
//! crossterm Event ─ input ─▶ Message ─▶ Model::update ─▶ Effect ─ effects ─▶ task
//!    ▲                                                                        │
//!  screen ◀─ ui::draw ◀─ Model ◀─ update ◀─ Message ◀─────────── queue ◀──────┘
//! ```
//!
//! However it ends (the user, a signal, a panic, a terminal that went away), the terminal is given back, every
//! task is ended with its children, and the clipboard is cleared where it still holds what we put there.

pub mod cells;
pub mod effects;
pub mod event_loop;
pub mod flow;
pub mod input;
pub mod keyboard;
mod pace;
pub mod signals;
pub mod terminal;
pub mod translate;
pub mod wire;

use std::io::{self, IsTerminal};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::app::effect::{ScreenEnd, VaultEffect};
use crate::app::{Effect, Model};
use crate::domain::{PassphrasePurpose, Secret};
use crate::jobs::StopRequests;
use crate::ui::Theme;
use crate::work::{Core, TaskThread};
pub use cells::Glyphs;
use effects::{Effects, Queue};
use event_loop::{EventLoop, Inbound, Surface};
use keyboard::Keyboard;
use signals::Signals;
use terminal::{Screen, TerminalGuard};

/// How the screen looks and begins.
#[derive(Debug)]
pub struct Options {
    /// Colours.
    pub theme: Theme,
    /// Characters.
    pub glyphs: Glyphs,
    /// Whether the mouse is reported from the start.
    pub mouse: bool,
    /// Lines for the response pane while nothing was probed yet.
    pub banner: Vec<String>,
    /// Opens the vault at the start, where it was given; not again after a lock.
    pub passphrase: Option<Secret>,
    /// Whether the process goes on where the person ends it.
    pub goes_on: bool,
}

/// How the screen has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// By what.
    pub end: ScreenEnd,
    /// What went with it that nobody could be asked about: one sentence, with nothing in it that was typed.
    pub lost: Option<&'static str>,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// stdin or stdout is no terminal.
    #[error("the screen needs a terminal, and this is none")]
    NoTerminal,
    /// Taking the terminal over failed.
    #[error("taking over the terminal")]
    Terminal(#[source] io::Error),
    /// The runtime did not start.
    #[error("starting the screen's tasks")]
    Runtime(#[source] io::Error),
}

/// Exit code where the terminal went away: as after SIGHUP.
const HUNG_UP: u8 = 129;
/// How long a thread for files waits for more work: one that waits longer wakes a screen at rest.
const KEPT: Duration = Duration::from_secs(1);
/// How long the end waits for the user's command, where a change has just called it.
const LAST_CALL: Duration = Duration::from_secs(5);
/// How long the end waits for the last results to be on disk.
const LAST_WAIT: Duration = Duration::from_millis(100);

/// Opens the screen and runs it to its end; gives how it ended. Where stops are held, it gives the terminal back before
/// it lets one in.
pub fn run(core: Core, options: Options) -> Result<Ended, TuiError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(TuiError::NoTerminal);
    }
    // What runs beside the screen waits for hosts and disks.
    let tasks = TaskThread::start(Some(KEPT)).map_err(TuiError::Runtime)?;
    // The screen has this thread for itself, with its own eyes on keys and times: none of the others need run for a
    // key to be seen.
    let own = tokio::runtime::Builder::new_current_thread()
        .thread_keep_alive(KEPT)
        .enable_all()
        .build()
        .map_err(TuiError::Runtime)?;
    let terminal = TerminalGuard::open().map_err(TuiError::Terminal)?;
    let inside = tasks.handle().enter();
    // Heard from here on: a signal that ended the program now would leave the terminal as it is.
    let (told, insisting) = Signals::listen()
        .and_then(|told| Ok((told, Signals::listen()?)))
        .map_err(TuiError::Runtime)?;
    let insisting = tasks
        .handle()
        .spawn(signals::insist(insisting, Arc::clone(&terminal)));
    let (sender, receiver) = unbounded_channel();
    give_back_on_panic(sender.clone(), Arc::clone(&terminal));
    terminal.enter().map_err(TuiError::Terminal)?;
    drop(inside);
    let goes_on = options.goes_on;
    let session = ScreenSession {
        core,
        options,
        sender,
        receiver,
        terminal: Arc::clone(&terminal),
    };
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        let handle = tasks.handle().clone();
        own.block_on(session.run(handle, told))
    }));
    terminal.leave();
    let (end, lost) = match ended {
        Ok(Ok(ended)) => (ended.end, ended.lost),
        Ok(Err(_)) => (ScreenEnd::Signal(HUNG_UP), None),
        Err(_) => (ScreenEnd::Panicked, None),
    };
    // A hung look-up of a name can't be ended: it is left behind, not waited for. Where the process ends as well, its
    // end takes the threads: to wake each of them before would keep the prompt waiting.
    if is_last(end, goes_on) {
        std::mem::forget((tasks, own));
    } else {
        insisting.abort();
        drop(tasks);
        own.shutdown_background();
    }
    Ok(Ended { end, lost })
}

/// What a signal has taken with it. Whoever left the screen in any other way was asked.
fn lost_by(end: ScreenEnd, model: &Model) -> Option<&'static str> {
    match end {
        ScreenEnd::Signal(_) => model.unsaved(),
        ScreenEnd::Quit | ScreenEnd::Panicked | ScreenEnd::Demo | ScreenEnd::Import => None,
    }
}

/// Whether the process ends with a screen that ended so.
const fn is_last(end: ScreenEnd, goes_on: bool) -> bool {
    match end {
        ScreenEnd::Quit => !goes_on,
        ScreenEnd::Signal(_) | ScreenEnd::Panicked => true,
        ScreenEnd::Demo | ScreenEnd::Import => false,
    }
}

/// A panic anywhere gives the terminal back before it is told, and ends the program: tasks catch theirs, and
/// the screen would be drawn over the shell.
fn give_back_on_panic(sender: UnboundedSender<Inbound>, terminal: Arc<TerminalGuard>) {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        terminal.leave();
        told(panic);
        let _ = sender.send(Inbound::Panicked);
    }));
}

struct ScreenSession {
    core: Core,
    options: Options,
    sender: UnboundedSender<Inbound>,
    receiver: UnboundedReceiver<Inbound>,
    terminal: Arc<TerminalGuard>,
}

impl ScreenSession {
    async fn run(self, handle: tokio::runtime::Handle, mut told: Signals) -> io::Result<Ended> {
        let (queue, goes_on) = (Queue(self.sender), self.options.goes_on);
        let core = self.core.clone();
        let size = terminal::size()?;
        let looks = (self.options.theme, self.options.glyphs);
        let surface = Screen::over(Arc::clone(&self.terminal), size, looks)?;
        let mut event_loop = EventLoop {
            model: Model::opening(size, Timestamp::now()),
            surface,
            effects: Effects::new(self.core, handle, queue, self.options.banner),
            queue: self.receiver,
            end: None,
            stopping: None,
            now: Timestamp::now,
        };
        if let Some(passphrase) = self.options.passphrase {
            let kind = PassphrasePurpose::Open;
            event_loop.model.opens_first = true;
            event_loop
                .effects
                .start(Effect::Vault(VaultEffect::Unlock { kind, passphrase }));
        }
        if self.options.mouse {
            event_loop.model.mouse = true;
            event_loop.surface.mouse(true)?;
        }
        let mut keys = Keyboard::new()?;
        let mut stops = StopRequests::listen()?;
        let ended = event_loop
            .run(&mut keys, async || told.next_or_stop(&mut stops).await)
            .await;
        drop(keys);
        let ended = ended.map(|end| Ended {
            end,
            lost: lost_by(end, &event_loop.model),
        });
        let cleared = event_loop.effects.end().await;
        // A clearing that had finished, and was not written yet.
        while let Ok(inbound) = event_loop.queue.try_recv() {
            if let Inbound::Write(bytes) | Inbound::WriteAndAsk(bytes) = inbound {
                let _ = self.terminal.write_last(bytes.as_bytes());
            }
        }
        if let Some(bytes) = cleared.and_then(|cleared| cleared.terminal_bytes) {
            let _ = self.terminal.write_last(bytes.as_bytes());
        }
        self.terminal.leave();
        if core.is_announcing() {
            // What a change led to is not cut off half-way; whoever is to be called would not be called again.
            let _ = tokio::time::timeout(LAST_CALL, core.settle_announcements()).await;
        }
        core.end_attempts().await;
        let _ = tokio::time::timeout(LAST_WAIT, core.settle_history()).await;
        // Not closed in order: the database would write what it has in its log once more, and the prompt wait
        // for the disk.
        std::mem::forget(core);
        if ended
            .as_ref()
            .is_ok_and(|ended| is_last(ended.end, goes_on))
        {
            leave_behind(event_loop);
        }
        ended
    }
}

/// For the end of the process, which takes all memory back at once: what can hold no secret is left to it. To give it
/// back piece by piece before would keep the prompt waiting, the longer the more is watched.
fn leave_behind(event_loop: EventLoop<Screen>) {
    let EventLoop {
        model,
        surface,
        effects,
        ..
    } = event_loop;
    surface.leave_frames();
    let Model {
        entries,
        board,
        keymap,
        catalog,
        ..
    } = model;
    std::mem::forget((effects, entries, board, keymap, catalog));
}
