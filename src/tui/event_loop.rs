//! The one loop: a queue of messages, the terminal's events, signals, and the time that the model asked for.
//!
//! Whatever is there is taken in, then the screen is drawn once. There is no frame timer: while nothing moves,
//! nothing wakes the program.

use std::io;
use std::time::Duration;

use crossterm::event::Event;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};

use super::effects::Effects;
use super::input;
use super::keyboard::decode::TerminalInput;
use super::pace::Pace;
use super::signals::SystemSignal;
use super::translate;
use crate::app::effect::{ClipboardEffect, ScreenEnd, TerminalEffect};
use crate::app::{Effect, Message, Model};
use crate::clipboard::{Terminal, TerminalBytes};
use crate::store::stack::wipe_dead_stack;
use crate::ui;

/// At most so often is something redrawn that only moves (a countdown, a running probe).
const TICK: Duration = Duration::from_millis(250);

/// How long an answer of the terminal is waited for after a signal.
const AFTER_SIGNAL: Duration = Duration::from_millis(300);

/// How long after a stop the signals may take that came meanwhile.
const AFTER_STOP: Duration = Duration::from_millis(50);

/// Events taken in before the screen is drawn: a held key must not keep it from being seen.
const AT_ONCE: usize = 256;

/// What comes back from effects.
#[derive(Debug)]
pub enum Inbound {
    /// For the model.
    Message(Box<Message>),
    /// Bytes for the terminal that are not part of a frame: an OSC 52 copy. Wiped after use.
    Write(TerminalBytes),
    /// The same, of a copy that its terminal could say more about: asked once a session, behind the first of them.
    WriteAndAsk(TerminalBytes),
    /// A task panicked: the screen was given back already, so the program must end.
    Panicked,
}

/// Who is to be stopped until the shell continues it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The shell's whole job, as by the terminal's own Ctrl-Z: `sudo`, a script around the program.
    Job,
    /// This program alone. Whoever sent it the signal to stop has sent it to all who are meant.
    Program,
}

/// Where the model is drawn: the real screen, or a test's.
pub trait Surface {
    /// Draws what changed. A terminal that takes nothing now, or has much to take in yet, is not waited for: the
    /// frame is left out, and `false` says so.
    fn draw(&mut self, model: &Model) -> io::Result<bool>;
    /// Ends when the terminal has taken what waited for it, and a frame that was left out can be drawn.
    fn flushed(&mut self) -> impl Future<Output = io::Result<()>> {
        std::future::pending()
    }
    /// The terminal has taken in what it was asked about; whether a frame that was left out waits for that.
    fn answered(&mut self) -> bool {
        false
    }
    /// Whether it is not known yet that what is to be answered has been seen.
    fn awaits_sight(&self) -> bool {
        false
    }
    /// The number of what has been by now; told once.
    fn has_been_seen(&mut self) -> Option<u32> {
        None
    }
    /// A person has typed.
    fn typed(&mut self) {}
    /// The terminal has told its attributes.
    fn told_attributes(&mut self) {}
    /// Until when the end waits for an answer that would else be taken for keys by whoever reads next.
    fn awaits(&self) -> Option<Instant> {
        None
    }
    /// Writes bytes that are not part of a frame.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Writes bytes, and asks the terminal for its attributes behind them.
    fn write_and_ask(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Columns and rows that it has now. Nobody tells who was stopped while they changed.
    fn size(&self) -> io::Result<(u16, u16)>;
    /// Draws every cell anew with the next frame.
    fn redraw(&mut self) -> io::Result<()>;
    /// Takes the terminal over again after something else wrote to it.
    fn take_back(&mut self) -> io::Result<()>;
    /// Gives the terminal back and stops the program, or all of its job, until the shell continues it; `last` is a line
    /// for whoever reads the shell, or nothing.
    fn suspend(&mut self, last: &str, stop: Stop) -> io::Result<()>;
    /// Takes the terminal over again after such a stop.
    fn resume(&mut self) -> io::Result<()>;
    /// Whether the terminal is this program's to take: in the background it would be stopped for it.
    fn is_in_front(&self) -> bool {
        true
    }
    /// Switches mouse reports on or off.
    fn mouse(&mut self, on: bool) -> io::Result<()>;
}

/// Where keys come from: the terminal, or a test's stream.
pub trait Keys {
    /// What comes next; `None` when there will be no more.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<TerminalInput>>>;
    /// What is there already, without waiting.
    fn ready(&mut self) -> impl Future<Output = Option<io::Result<TerminalInput>>>;
    /// Lets go of the terminal's input, so that a child or the shell can have it. What was read together with the key
    /// that led to this is dropped: whoever typed ahead meant it for them.
    fn release(&mut self);
}

/// The loop's state.
pub struct EventLoop<S> {
    /// All that the screen shows.
    pub model: Model,
    /// Where it is drawn.
    pub surface: S,
    /// What runs for it.
    pub effects: Effects,
    /// What comes back.
    pub queue: UnboundedReceiver<Inbound>,
    /// How it ends, once the end was asked for.
    pub end: Option<ScreenEnd>,
    /// Who is to be stopped, where a stop was asked for.
    pub stopping: Option<Stop>,
    /// The time: the wall's, or in a test the runtime's, which may be paused.
    pub now: fn() -> Timestamp,
}

enum LoopEvent {
    Inbound(Inbound),
    TerminalInput(Option<io::Result<TerminalInput>>),
    SystemSignal(SystemSignal),
    Flushed(io::Result<()>),
    Woke,
    /// The time for a frame that was put off.
    Due,
}

impl<S: Surface> EventLoop<S> {
    /// Runs until the end is asked for; gives how it ended. An error means that the terminal is gone.
    pub async fn run(
        &mut self,
        keys: &mut impl Keys,
        mut told: impl AsyncFnMut() -> SystemSignal,
    ) -> io::Result<ScreenEnd> {
        self.surface.draw(&self.model)?;
        let starting = self.model.start();
        self.perform(starting, keys)?;
        let mut pace = Pace::default();
        loop {
            let happened = self.next(keys, &mut told, &pace).await;
            let by_itself = matches!(
                happened,
                LoopEvent::Inbound(_) | LoopEvent::Woke | LoopEvent::Due
            );
            self.take_in(happened, keys)?;
            if by_itself {
                // The runtime looks for keys when it has its turn, and else would not while much happens by itself.
                tokio::task::yield_now().await;
            }
            let typed = self.drain(keys).await?;
            if let Some(stop) = self.stopping.take().filter(|_| self.end.is_none()) {
                self.stop(stop, keys, &mut told).await?;
            }
            if let Some(end) = self.end {
                self.hear_out(keys, &mut told).await;
                return Ok(self.end.unwrap_or(end));
            }
            if pace.allows(typed || !by_itself) && self.surface.draw(&self.model)? {
                self.drawn();
            }
            // What was typed, pasted or shown has passed through here.
            wipe_dead_stack();
        }
    }

    async fn next(
        &mut self,
        keys: &mut impl Keys,
        told: &mut impl AsyncFnMut() -> SystemSignal,
        pace: &Pace,
    ) -> LoopEvent {
        loop {
            let wake = self.wait();
            let happened = tokio::select! {
                biased;
                told = told() => LoopEvent::SystemSignal(told),
                Some(inbound) = self.queue.recv() => LoopEvent::Inbound(inbound),
                heard = keys.next() => LoopEvent::TerminalInput(heard),
                flushed = self.surface.flushed() => LoopEvent::Flushed(flushed),
                () = pace.due() => LoopEvent::Due,
                () = sleep(wake) => LoopEvent::Woke,
            };
            match happened {
                // Nothing is drawn for it but a frame that waits for it.
                LoopEvent::TerminalInput(Some(Ok(TerminalInput::Status))) if !self.answered() => {}
                other => return other,
            }
        }
    }

    /// A frame was drawn: where its terminal tells when it has taken it in, a question on it is seen only then.
    fn drawn(&mut self) {
        if self.model.unseen().is_none() || !self.surface.awaits_sight() {
            self.model.drawn((self.now)());
        }
    }

    /// The terminal has told its status; whether a frame that was left out waits for that.
    fn answered(&mut self) -> bool {
        let is_owed = self.surface.answered();
        let seen = self.surface.has_been_seen();
        // What was seen may be gone by keys that were typed before, and another question may stand here.
        if seen.is_some() && seen == self.model.unseen() {
            self.model.drawn((self.now)());
        }
        is_owed
    }

    /// How long nothing need happen; `None` for ever.
    fn wait(&self) -> Option<Duration> {
        let asked = self.model.next_wake().map(|wake| {
            let wait = wake.duration_since((self.now)());
            Duration::try_from(wait).unwrap_or(Duration::ZERO)
        });
        let ticking = self.model.animating().then_some(TICK);
        asked.into_iter().chain(ticking).min()
    }

    fn take_in(&mut self, happened: LoopEvent, keys: &mut impl Keys) -> io::Result<()> {
        match happened {
            LoopEvent::Inbound(Inbound::Message(message)) => self.update(*message, keys),
            LoopEvent::Inbound(Inbound::WriteAndAsk(bytes)) if self.effects.asks_terminal() => {
                self.surface.write_and_ask(bytes.as_bytes())
            }
            LoopEvent::Inbound(Inbound::Write(bytes) | Inbound::WriteAndAsk(bytes)) => {
                self.surface.write(bytes.as_bytes())
            }
            LoopEvent::Inbound(Inbound::Panicked) => {
                self.end = Some(ScreenEnd::Panicked);
                Ok(())
            }
            LoopEvent::TerminalInput(Some(Ok(TerminalInput::Event(event)))) => {
                self.surface.typed();
                if matches!(event, Event::Resize(..)) {
                    // Of many sizes at once only the last is told: where that is the one from before, the
                    // terminal has lost all the same what did not fit in between.
                    self.surface.redraw()?;
                }
                if let Some(last) = ui::last_line(&self.model) {
                    self.update(Message::Measured(last), keys)?;
                }
                match input::message(&self.model, event) {
                    Some(message) => self.update(message, keys),
                    None => Ok(()),
                }
            }
            LoopEvent::TerminalInput(Some(Ok(TerminalInput::Attributes(terminal)))) => {
                self.told_attributes(terminal, keys)
            }
            LoopEvent::TerminalInput(Some(Err(error))) => Err(error),
            LoopEvent::TerminalInput(None) => Err(io::ErrorKind::UnexpectedEof.into()),
            LoopEvent::SystemSignal(SystemSignal::End(code)) => {
                self.update(Message::EndRequested(ScreenEnd::Signal(code)), keys)
            }
            LoopEvent::SystemSignal(SystemSignal::Stop) => {
                self.update(Message::StopRequested, keys)?;
                self.stopping = Some(Stop::Program);
                Ok(())
            }
            LoopEvent::SystemSignal(SystemSignal::Continued) if !self.surface.is_in_front() => {
                self.stopping = Some(Stop::Job);
                Ok(())
            }
            LoopEvent::SystemSignal(SystemSignal::Continued) => {
                self.surface.take_back()?;
                self.measure(keys)
            }
            LoopEvent::Flushed(result) => result,
            LoopEvent::Woke => self.update(Message::Woke, keys),
            LoopEvent::Due | LoopEvent::TerminalInput(Some(Ok(TerminalInput::Status))) => Ok(()),
        }
    }

    /// Takes in what is there already, so that it costs one frame together; whether a person did any of it.
    async fn drain(&mut self, keys: &mut impl Keys) -> io::Result<bool> {
        let mut typed = false;
        for _ in 0..AT_ONCE {
            if self.end.is_some() || self.stopping.is_some() {
                break;
            }
            if let Ok(inbound) = self.queue.try_recv() {
                self.take_in(LoopEvent::Inbound(inbound), keys)?;
                continue;
            }
            match keys.ready().await {
                Some(Ok(TerminalInput::Status)) => typed |= self.answered(),
                Some(heard) => {
                    typed = true;
                    self.take_in(LoopEvent::TerminalInput(Some(heard)), keys)?;
                }
                None => break,
            }
        }
        Ok(typed)
    }

    /// Takes the answers in that are still to come: whoever reads next would take them for keys.
    async fn hear_out(
        &mut self,
        keys: &mut impl Keys,
        told: &mut impl AsyncFnMut() -> SystemSignal,
    ) {
        let Some(mut until) = self.surface.awaits() else {
            return;
        };
        // From the background nothing can be read.
        if !self.surface.is_in_front() {
            return;
        }
        while self.surface.awaits().is_some() {
            // After a signal somebody is waiting, and insists before long.
            if matches!(self.end, Some(ScreenEnd::Signal(_))) {
                until = until.min(Instant::now() + AFTER_SIGNAL);
            }
            let heard = tokio::select! {
                biased;
                signal = told() => match signal {
                    SystemSignal::End(code) => {
                        self.end = Some(ScreenEnd::Signal(code));
                        continue;
                    }
                    SystemSignal::Continued | SystemSignal::Stop => continue,
                },
                heard = timeout_at(until, keys.next()) => heard,
            };
            match heard {
                Ok(Some(Ok(TerminalInput::Status))) => _ = self.surface.answered(),
                Ok(Some(Ok(TerminalInput::Attributes(terminal)))) => {
                    let Ok(()) = self.told_attributes(terminal, keys) else {
                        return;
                    };
                }
                Ok(Some(Ok(TerminalInput::Event(_)))) => {}
                Ok(Some(Err(_)) | None) | Err(_) => return,
            }
        }
    }

    /// Stops the program until the shell continues it. What it could not take back from the clipboard meanwhile is
    /// taken back first, and the shell's reader is told.
    async fn stop(
        &mut self,
        mut stop: Stop,
        keys: &mut impl Keys,
        told: &mut impl AsyncFnMut() -> SystemSignal,
    ) -> io::Result<()> {
        let cleared = self.effects.clear_before_stop().await;
        // The bytes for the terminal too, in the order in which they came.
        while let Ok(inbound) = self.queue.try_recv() {
            self.take_in(LoopEvent::Inbound(inbound), keys)?;
        }
        self.hear_out(keys, told).await;
        if self.end.is_some() {
            return Ok(());
        }
        keys.release();
        let last = cleared.map(|words| format!("switchboard: clipboard: {words}\n"));
        let mut last = last.as_deref().unwrap_or_default();
        loop {
            self.surface.suspend(std::mem::take(&mut last), stop)?;
            match meanwhile(told).await {
                // Of the terminal, which the shell has, nothing is wanted for it.
                Some(SystemSignal::End(code)) => {
                    let end = ScreenEnd::Signal(code);
                    return self.update(Message::EndRequested(end), keys);
                }
                Some(SystemSignal::Stop) => stop = Stop::Program,
                Some(SystemSignal::Continued) if !self.surface.is_in_front() => {}
                Some(SystemSignal::Continued) | None => break,
            }
        }
        self.surface.resume()?;
        self.measure(keys)
    }

    /// What the terminal says of itself. It may come long after it was asked: then the footer is put right.
    fn told_attributes(&mut self, terminal: Terminal, keys: &mut impl Keys) -> io::Result<()> {
        self.surface.told_attributes();
        if self.effects.terminal_told(terminal) {
            self.update(translate::announced(), keys)?;
        }
        Ok(())
    }

    fn update(&mut self, message: Message, keys: &mut impl Keys) -> io::Result<()> {
        let effects = self.model.update((self.now)(), message);
        self.perform(effects, keys)
    }

    /// The terminal may have another size by now.
    fn measure(&mut self, keys: &mut impl Keys) -> io::Result<()> {
        let (columns, rows) = self.surface.size()?;
        self.update(Message::Resized(columns, rows), keys)
    }

    fn turn_to_terminal(&mut self, effect: TerminalEffect, keys: &mut impl Keys) -> io::Result<()> {
        match effect {
            TerminalEffect::Bell => self.surface.write(b"\x07"),
            TerminalEffect::Notify(text) => {
                let bytes = self.effects.notification(&text);
                self.surface.write(&bytes)
            }
            TerminalEffect::Mouse(on) => self.surface.mouse(on),
            TerminalEffect::Suspend => {
                self.stopping = Some(Stop::Job);
                Ok(())
            }
            TerminalEffect::Redraw => {
                self.surface.redraw()?;
                self.measure(keys)
            }
            TerminalEffect::End(end) => {
                self.end = Some(end);
                Ok(())
            }
        }
    }

    fn perform(&mut self, mut effects: Vec<Effect>, keys: &mut impl Keys) -> io::Result<()> {
        // The end of the session clears and waits for it: a task for it would be ended half-way.
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Terminal(TerminalEffect::End(_))))
        {
            effects.retain(|effect| *effect != Effect::Clipboard(ClipboardEffect::Clear));
        }
        for effect in effects {
            if let Some(effect) = self.effects.start(effect) {
                self.turn_to_terminal(effect, keys)?;
            }
        }
        Ok(())
    }
}

/// What was told while the program was stopped: an end before all others, which a shell sends before it continues the
/// program; nothing where it was not stopped.
async fn meanwhile(told: &mut impl AsyncFnMut() -> SystemSignal) -> Option<SystemSignal> {
    let until = Instant::now() + AFTER_STOP;
    let mut last = None;
    while let Ok(signal) = timeout_at(until, told()).await {
        last = Some(signal);
        if matches!(signal, SystemSignal::End(_)) {
            break;
        }
    }
    last
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
