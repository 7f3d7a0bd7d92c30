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
pub mod input;
pub mod signals;
pub mod terminal;
pub mod translate;

use std::io::{self, IsTerminal};
use std::panic::{self, AssertUnwindSafe};
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use jiff::Timestamp;
use rustix::event::Timespec;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::app::effect::Unlock;
use crate::app::{Effect, Message, Model};
use crate::domain::Secret;
use crate::ui::{self, Theme};
use crate::work::Desk;
use effects::{Effects, Queue};
use event_loop::{EventLoop, Inbound, Keys, Surface};
use signals::Signals;
use terminal::Screen;

/// How the screen looks and begins.
#[derive(Debug)]
pub struct Options {
    /// Colours.
    pub theme: Theme,
    /// Whether the mouse is reported from the start.
    pub mouse: bool,
    /// Lines for the response pane while nothing was probed yet.
    pub banner: Vec<String>,
    /// Opens the vault at the start, where it was given; not again after a lock.
    pub passphrase: Option<Secret>,
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
/// Exit code after a panic, as the standard library gives it.
const PANICKED: u8 = 101;
/// How long a signal that stops the program may take to do so.
const STOPPING: Duration = Duration::from_millis(100);
/// How long the end waits for tasks that can't be interrupted (a hung look-up of a name).
const LAST_WAIT: Duration = Duration::from_millis(100);

/// Opens the screen and runs it to its end; gives the exit code.
pub fn run(desk: Desk, options: Options) -> Result<u8, TuiError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(TuiError::NoTerminal);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(TuiError::Runtime)?;
    let insisting = runtime.spawn(signals::insist());
    let (sender, receiver) = unbounded_channel();
    give_back_on_panic(sender.clone());
    let screen = Screen::open().map_err(TuiError::Terminal)?;
    let session = Session {
        desk,
        options,
        sender,
        receiver,
    };
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        let handle = runtime.handle().clone();
        runtime.block_on(session.run(handle, screen))
    }));
    terminal::leave();
    insisting.abort();
    runtime.shutdown_timeout(LAST_WAIT);
    Ok(match ended {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => HUNG_UP,
        Err(_) => PANICKED,
    })
}

/// A panic anywhere gives the terminal back before it is told, and ends the program: tasks catch theirs, and
/// the screen would be drawn over the shell.
fn give_back_on_panic(sender: UnboundedSender<Inbound>) {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        terminal::leave();
        told(panic);
        let _ = sender.send(Inbound::Panicked);
    }));
}

struct Session {
    desk: Desk,
    options: Options,
    sender: UnboundedSender<Inbound>,
    receiver: UnboundedReceiver<Inbound>,
}

impl Session {
    async fn run(self, handle: tokio::runtime::Handle, screen: Screen) -> io::Result<u8> {
        let mut signals = Signals::listen()?;
        let gone = Queue(self.sender.clone());
        signals::watch_terminal(move || gone.tell(Message::EndRequested(HUNG_UP)))?;
        let size = crossterm::terminal::size()?;
        let queue = Queue(self.sender);
        let surface = Painted {
            screen: Some(screen),
            theme: self.options.theme,
        };
        let mut event_loop = EventLoop {
            model: Model::new(size, Timestamp::now()),
            surface,
            effects: Effects::new(self.desk, handle, queue, self.options.banner),
            queue: self.receiver,
            exit: None,
            now: Timestamp::now,
        };
        if let Some(passphrase) = self.options.passphrase {
            let kind = Unlock::Open;
            event_loop
                .effects
                .start(Effect::Unlock { kind, passphrase });
        }
        if self.options.mouse {
            event_loop.surface.mouse(true)?;
        }
        let mut keys = TerminalKeys(None);
        let ended = event_loop
            .run(&mut keys, async || signals.next().await)
            .await;
        let cleared = event_loop.effects.end().await;
        // A clearing that had finished, and was not written yet.
        while let Ok(inbound) = event_loop.queue.try_recv() {
            if let Inbound::Write(bytes) = inbound {
                let _ = terminal::write_whole(bytes.as_bytes());
            }
        }
        if let Some(bytes) = cleared.and_then(|cleared| cleared.terminal_bytes) {
            let _ = terminal::write_whole(bytes.as_bytes());
        }
        ended
    }
}

/// The real screen with its colours.
struct Painted {
    screen: Option<Screen>,
    theme: Theme,
}

impl Painted {
    fn screen(&mut self) -> io::Result<&mut Screen> {
        self.screen
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Painted {
    fn drop(&mut self) {
        // ratatui's Terminal shows the cursor when it is dropped and prints where that fails: on a dead
        // terminal this ends in an abort. `terminal::leave` has done it, or will.
        std::mem::forget(self.screen.take());
    }
}

impl Surface for Painted {
    fn draw(&mut self, model: &Model) -> io::Result<()> {
        let theme = self.theme.clone();
        let screen = self.screen()?;
        screen
            .terminal
            .draw(|frame| ui::draw(model, &theme, frame))?;
        screen.send()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        terminal::write_whole(bytes)
    }

    fn take_back(&mut self) -> io::Result<()> {
        terminal::enter()?;
        self.screen()?.redraw()
    }

    fn suspend(&mut self) -> io::Result<()> {
        terminal::leave();
        // Ignored where nobody could continue us (an orphaned process group): then nothing happens.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        // Another thread may be the one that takes the signal, a moment after the call has returned.
        let moment = Timespec::try_from(STOPPING).map_err(io::Error::other)?;
        let _ = rustix::event::poll(&mut [], Some(&moment));
        self.take_back()
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        terminal::mouse(on)
    }
}

/// The terminal's events. The stream is made when it is first waited for, and dropped while a child or the
/// shell has the terminal: a pending one would steal its input.
struct TerminalKeys(Option<EventStream>);

impl Keys for TerminalKeys {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        self.0.get_or_insert_with(EventStream::new).next().await
    }

    async fn ready(&mut self) -> Option<io::Result<Event>> {
        let events = self.0.as_mut()?;
        // Asked with the loop's own waker: the stream keeps the first one until it has woken it.
        std::future::poll_fn(|context| match events.poll_next_unpin(context) {
            Poll::Ready(event) => Poll::Ready(event),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    fn release(&mut self) {
        self.0 = None;
    }
}
