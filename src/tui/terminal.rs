//! The terminal: taken over, given back, written to once a frame.
//!
//! Nothing here asks the terminal a question: a late answer over a slow line would arrive as keys.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

/// Frames over this many bytes are wrapped in a synchronized update; smaller ones go out in one write anyway.
const SYNCHRONIZE_OVER: usize = 4096;

/// Whether the terminal is ours: alternate screen, raw mode, bracketed paste.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether mouse reports are on.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// The frame being made. Flushes of the backend are held back: the whole frame is one write.
#[derive(Clone, Default)]
pub struct FrameBuffer(Arc<Mutex<Vec<u8>>>);

impl FrameBuffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The backend of the real screen.
pub type ScreenBackend = CrosstermBackend<FrameBuffer>;

/// The real screen.
pub struct Screen {
    /// What ratatui draws on.
    pub terminal: Terminal<ScreenBackend>,
    buffer: FrameBuffer,
}

impl Screen {
    /// Takes the terminal over. Fails where there is none.
    pub fn open() -> io::Result<Self> {
        enter()?;
        let buffer = FrameBuffer::default();
        let terminal = Terminal::new(CrosstermBackend::new(buffer.clone()));
        match terminal {
            Ok(terminal) => Ok(Self { terminal, buffer }),
            Err(error) => {
                leave();
                Err(error)
            }
        }
    }

    /// Writes the frame that was drawn, in one write.
    pub fn send(&mut self) -> io::Result<()> {
        let frame = self.buffer.take();
        if frame.is_empty() {
            return Ok(());
        }
        if frame.len() <= SYNCHRONIZE_OVER {
            return write_whole(&frame);
        }
        let mut wrapped = ansi(BeginSynchronizedUpdate);
        wrapped.extend_from_slice(&frame);
        wrapped.extend_from_slice(&ansi(EndSynchronizedUpdate));
        write_whole(&wrapped)
    }

    /// Everything is drawn anew by the next frame. (`Terminal::clear` would ask for the cursor's place.)
    pub fn redraw(&mut self) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        self.terminal.resize(Rect::new(0, 0, width, height))
    }
}

/// Takes the terminal over: at the start, and after a suspension.
pub fn enter() -> io::Result<()> {
    // A shell that saw us stopped has set its own line settings, and crossterm does nothing where it thinks
    // that ours are in force.
    let _ = disable_raw_mode();
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut bytes = ansi(EnterAlternateScreen);
    bytes.extend_from_slice(&ansi(EnableBracketedPaste));
    bytes.extend_from_slice(&ansi(cursor::Hide));
    if MOUSE.load(Ordering::SeqCst) {
        bytes.extend_from_slice(MOUSE_ON);
    }
    write_whole(&bytes)
}

/// Gives the terminal back as it was. May be called from the panic hook, from any thread, and twice; errors
/// don't matter any more, since the terminal may be gone.
pub fn leave() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = MOUSE_OFF.to_vec();
    bytes.extend_from_slice(&ansi(DisableBracketedPaste));
    bytes.extend_from_slice(&ansi(cursor::Show));
    bytes.extend_from_slice(&ansi(LeaveAlternateScreen));
    let _ = write_whole(&bytes);
    let _ = disable_raw_mode();
}

/// Gives a terminal back that takes nothing any more: its mode, without a word to it.
pub fn abandon() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
    }
}

const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Switches reports of clicks and the wheel on or off; never of movements, which would fill a slow line.
pub fn mouse(on: bool) -> io::Result<()> {
    MOUSE.store(on, Ordering::SeqCst);
    write_whole(if on { MOUSE_ON } else { MOUSE_OFF })
}

/// Writes bytes that are not part of a frame: a copy, the bell.
pub fn write_whole(bytes: &[u8]) -> io::Result<()> {
    // One writer at a time, and past the buffer of std: it would keep what was shown or copied last.
    let _turn = io::stdout().lock();
    let mut left = bytes;
    while !left.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn ansi(command: impl Command) -> Vec<u8> {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = command.write_ansi(&mut text);
    text.into_bytes()
}
