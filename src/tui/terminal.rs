//! The terminal: taken over, given back, a frame at a time.
//!
//! Nothing here waits for the terminal but the end, and that not for ever. It is asked two things: whether it is
//! ready, behind a burst of output, and what it is, behind the first copy that it is sent.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::buffer::Cell;
use ratatui::layout::{Rect, Size};
use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::cells::{Cells, ERASE, Glyphs};
use super::event_loop::{Stop, Surface};
use super::flow::{ATTRIBUTES_QUESTION, Flow, QUESTION};
use super::wire::Wire;
use crate::app::Model;
use crate::jobs;
use crate::ui::{self, Theme};

/// Frames over this many bytes are wrapped in a synchronized update; smaller ones go out in one write anyway.
const SYNCHRONIZE_OVER: usize = 4096;
/// How long the terminal may take to be given back.
const LEAVING: Duration = Duration::from_millis(500);
/// How long a terminal that takes nothing may take for its last bytes.
const PUSHING: Duration = Duration::from_millis(100);
/// A signal to continue that comes so soon after a stop of our own is the one that ended it.
const SAME: Duration = Duration::from_secs(1);
/// What a terminal is taken for that does not know its size.
const USUAL: (u16, u16) = (80, 24);

/// No terminal has more columns or rows; one that says so (65,535 × 65,535) would cost 200 gigabytes.
const MOST: u16 = 1_000;

/// Alternate screen, bracketed paste, no cursor. Cleared, as Linux's own console has no other screen; what the shell
/// left on it goes into the history, where there is one.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[m\x1b[2J\x1b[?2004h\x1b[?25l";
/// The way back, with mouse reports and colours off. The drawing is erased first, as [`ERASE`] does it: where there is
/// no alternate screen, it would stay, and with it what was revealed.
const LEAVE: &[u8] =
    b"\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[m\x1b[9999;9999H\x1b[1J\x1b[H\x1b[?25h\x1b[?1049l";
/// The same screen again, which may hold the old drawing.
const ALTERNATE: &[u8] = b"\x1b[?1049h\x1b[m";
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Ends a sequence that was broken off.
const CANCEL: &[u8] = b"\x18";

/// The terminal that the screen has, or had. Shared with what must give it back: the panic hook, the end.
pub struct TerminalGuard {
    wire: Wire,
    /// Whether it is ours: alternate screen, raw mode, bracketed paste.
    taken: AtomicBool,
    /// Whether mouse reports are on.
    mouse: AtomicBool,
    /// The line settings to be given back.
    settings: Mutex<Option<Termios>>,
    /// What it must have before the end.
    last: Mutex<Zeroizing<Vec<u8>>>,
}

impl TerminalGuard {
    /// stdout's terminal, not taken over yet.
    pub fn open() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            wire: Wire::open()?,
            taken: AtomicBool::new(false),
            mouse: AtomicBool::new(false),
            settings: Mutex::new(None),
            last: Mutex::default(),
        }))
    }

    /// Takes the terminal over, at the start and after somebody else had it: the line settings at once, the rest
    /// with the next frame.
    pub fn enter(&self) -> io::Result<()> {
        let terminal = rustix::stdio::stdin();
        let now = tcgetattr(terminal)?;
        let mut raw = now.clone();
        raw.make_raw();
        self.settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(now);
        self.taken.store(true, Ordering::SeqCst);
        tcsetattr(terminal, OptionalActions::Now, &raw)?;
        self.wire.push(ENTER);
        if self.mouse.load(Ordering::SeqCst) {
            self.wire.push(MOUSE_ON);
        }
        Ok(())
    }

    /// Gives the terminal back as it was. May be called from the panic hook, from any thread, and twice; errors
    /// don't matter any more, since the terminal may be gone.
    pub fn leave(&self) {
        if self.taken.swap(false, Ordering::SeqCst) {
            if matches!(self.wire.send_within(LEAVE, LEAVING), Ok(false)) {
                self.push_out();
            }
            self.restore();
        }
    }

    /// Gives a terminal back that takes nothing any more.
    pub fn abandon(&self) {
        if self.taken.swap(false, Ordering::SeqCst) {
            self.push_out();
            self.restore();
        }
    }

    /// The way back for a terminal that takes nothing: what waits for it is dropped, and it finds that alone, with what
    /// was written last, once its line goes on. What it has read may end anywhere.
    fn push_out(&self) {
        if is_in_front() {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = Zeroizing::new([CANCEL, END, LEAVE, &last].concat());
            let _ = self.wire.send_alone(&bytes, PUSHING);
        }
    }

    /// Writes bytes that the terminal must have before the end, whatever else it does not take.
    pub fn write_last(&self, bytes: &[u8]) -> io::Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.extend_from_slice(bytes);
        drop(last);
        self.write(bytes)
    }

    /// Whether it is ours.
    fn is_taken(&self) -> bool {
        self.taken.load(Ordering::SeqCst)
    }

    fn restore(&self) {
        let settings = self.settings.lock();
        let settings = settings.unwrap_or_else(PoisonError::into_inner).take();
        // In the background the shell has set its own already, and we would be stopped for ours.
        if let Some(settings) = settings.filter(|_| is_in_front()) {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &settings);
        }
    }

    /// Switches reports of clicks and the wheel on or off; never of movements, which would fill a slow line.
    pub fn mouse(&self, on: bool) -> io::Result<()> {
        self.mouse.store(on, Ordering::SeqCst);
        self.write(if on { MOUSE_ON } else { MOUSE_OFF })
    }

    /// Writes bytes that are not part of a frame: a copy, the bell.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.wire.push(bytes);
        self.wire.send().map(drop)
    }
}

/// Whether stdin's terminal is this program's, or belongs to no shell's jobs at all.
fn is_in_front() -> bool {
    let front = tcgetpgrp(rustix::stdio::stdin());
    front.is_err() || front == Ok(getpgrp())
}

/// Columns and rows of stdin's terminal, or as many of them as are drawn on.
pub fn size() -> io::Result<(u16, u16)> {
    let size = tcgetwinsize(rustix::stdio::stdin())?;
    Ok(match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => USUAL,
        (columns, rows) => (columns.min(MOST), rows.min(MOST)),
    })
}

/// The real screen with its colours.
pub struct Screen {
    held: Arc<TerminalGuard>,
    terminal: Terminal<Cells>,
    theme: Theme,
    flow: Flow,
    /// When it went on after a stop of its own.
    continued: Option<Instant>,
    /// Whether a secret may have stood in a frame.
    may_hold_secret: bool,
}

impl Screen {
    /// A screen of `size`, columns and rows, on a terminal that was taken over.
    pub fn over(
        held: Arc<TerminalGuard>,
        (width, height): (u16, u16),
        (theme, glyphs): (Theme, Glyphs),
    ) -> io::Result<Self> {
        let terminal = Terminal::new(Cells::new(Size { width, height }).with(glyphs))?;
        Ok(Self {
            held,
            terminal,
            theme,
            flow: Flow::default(),
            continued: None,
            may_hold_secret: false,
        })
    }

    /// For the end of the process, which takes all memory back at once: to give back the pages of two frames before that
    /// would keep the prompt waiting, and so would wiping them where no secret can have stood.
    pub fn leave_frames(self) {
        if self.may_hold_secret {
            leave_frames(self.terminal);
        } else {
            std::mem::forget(self.terminal);
        }
    }

    /// Everything is drawn anew by the next frame. (`Terminal::clear` would ask for the cursor's place.)
    fn enter(&mut self) -> io::Result<()> {
        self.held.enter()?;
        self.flow = Flow::default();
        self.redraw()
    }
}

/// Leaves the memory of its frames as it is, but wiped: a secret may have stood there.
fn leave_frames(mut terminal: Terminal<Cells>) {
    for _ in 0..2 {
        terminal.current_buffer_mut().content.fill(Cell::new(" "));
        terminal.swap_buffers();
    }
    std::mem::forget(terminal);
}

impl Surface for Screen {
    /// Draws what changed, in one write. While the terminal has not taken the last frame, or much is on its way
    /// to it, nothing is drawn: frames don't pile up, and the next one holds all that happened meanwhile.
    fn draw(&mut self, model: &Model) -> io::Result<bool> {
        let wire = &self.held.wire;
        // Looked at first: an answer that was given up is no reason to be woken any more.
        let is_full = self.flow.is_full();
        if wire.is_stalled() && !wire.send()? || is_full {
            return Ok(false);
        }
        self.may_hold_secret |= model.may_show_secret();
        let (width, height) = model.size;
        self.terminal.backend_mut().resize(Size { width, height });
        let theme = &self.theme;
        self.terminal.draw(|frame| ui::draw(model, theme, frame))?;
        let frame = Zeroizing::new(self.terminal.backend_mut().take());
        if frame.len() > SYNCHRONIZE_OVER {
            wire.push(BEGIN);
            wire.push(&frame);
            wire.push(END);
        } else {
            wire.push(&frame);
        }
        self.flow.wrote(frame.len());
        let unseen = model.unseen();
        if unseen.is_some_and(|what| self.flow.asks_for(what)) || self.flow.asks() {
            wire.push(QUESTION);
        }
        wire.send().map(|_| true)
    }

    async fn flushed(&mut self) -> io::Result<()> {
        tokio::select! {
            sent = self.held.wire.sent() => sent,
            () = self.flow.given_up() => Ok(()),
        }
    }

    fn answered(&mut self) -> bool {
        self.flow.answered()
    }

    fn awaits_sight(&self) -> bool {
        self.flow.awaits_sight()
    }

    fn has_been_seen(&mut self) -> Option<u32> {
        self.flow.has_been_seen()
    }

    fn typed(&mut self) {
        self.flow.typed();
    }

    fn told_attributes(&mut self) {
        self.flow.told_attributes();
    }

    fn awaits(&self) -> Option<Instant> {
        self.held.is_taken().then(|| self.flow.last()).flatten()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flow.wrote(bytes.len());
        self.held.write(bytes)
    }

    fn write_and_ask(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flow.wrote(bytes.len() + ATTRIBUTES_QUESTION.len());
        self.flow.asks_attributes();
        self.held.wire.push(bytes);
        self.held.write(ATTRIBUTES_QUESTION)
    }

    fn size(&self) -> io::Result<(u16, u16)> {
        size()
    }

    fn redraw(&mut self) -> io::Result<()> {
        let Size { width, height } = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, width, height))
    }

    fn take_back(&mut self) -> io::Result<()> {
        match self.continued.take() {
            Some(continued) if continued.elapsed() < SAME => Ok(()),
            _ => {
                self.held.wire.push(ALTERNATE);
                self.held.wire.push(ERASE.as_bytes());
                self.enter()
            }
        }
    }

    fn suspend(&mut self, last: &str, stop: Stop) -> io::Result<()> {
        self.held.leave();
        self.held.write(last.as_bytes())?;
        // No other thread lets a stop in: this one takes it, and comes back when it was continued. Ignored where nobody
        // could do that (an orphaned process group): then nothing happens.
        jobs::unheld(|| match stop {
            Stop::Job => kill_current_process_group(Signal::TSTP),
            Stop::Program => kill_process(getpid(), Signal::TSTP),
        })?;
        self.continued = Some(Instant::now());
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.enter()
    }

    fn is_in_front(&self) -> bool {
        is_in_front()
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.held.mouse(on)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use ratatui::style::Style;

    use super::*;

    #[test]
    fn what_a_screen_showed_is_wiped_before_its_memory_is_left() {
        let (width, height) = (20, 2);
        let mut terminal = Terminal::new(Cells::new(Size { width, height })).unwrap();
        let shown = "#".repeat(20);
        let mut at = Vec::new();
        for _ in 0..2 {
            let row = shown.as_str();
            terminal
                .draw(|frame| frame.render_widget(row, frame.area()))
                .unwrap();
            // The frame that is drawn into next is the other one.
            let next = terminal.current_buffer_mut();
            next.set_string(0, 1, &shown, Style::new());
            at.push(next.content.as_ptr() as usize);
        }
        assert_ne!(at[0], at[1]);
        let left = |at: &usize| {
            let mut bytes = vec![0; 40 * size_of::<Cell>()];
            let memory = File::open("/proc/self/mem").unwrap();
            memory.read_exact_at(&mut bytes, *at as u64).unwrap();
            bytes.contains(&b'#')
        };
        assert!(left(&at[1]), "it looks in the wrong place");
        leave_frames(terminal);
        assert!(!at.iter().any(left));
    }
}
