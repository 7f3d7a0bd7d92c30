//! The terminal's input: read by a thread of its own, given up at once when somebody else shall have it.
//!
//! crossterm's event stream is not used for this. It registers the terminal edge-triggered beside its own waker,
//! and where both are ready at once it looks at the waker alone: the key stays unread until another one comes. That
//! is what happened after each Ctrl-Z and `fg`. Its reads block, answers of the terminal come out as keys, and it
//! spins where the terminal is gone (its issue 793). Here the terminal is polled level-triggered, and read only
//! when there is something.

pub mod decode;

use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroize;

use super::event_loop::Keys;
use super::terminal;
use decode::{Decoder, TerminalInput};

/// How long the reader may take to let go.
const LETTING_GO: Duration = Duration::from_millis(100);
/// The reader decodes and sends; it needs no more.
const STACK: usize = 256 * 1024;

/// The terminal's keys, pastes, clicks, and its size.
pub struct Keyboard<G> {
    events: UnboundedReceiver<io::Result<TerminalInput>>,
    sender: UnboundedSender<io::Result<TerminalInput>>,
    resized: Signal,
    reader: Option<ReaderThread>,
    gone: G,
}

impl<G: FnOnce() + Clone + Send + 'static> Keyboard<G> {
    /// Nothing is read before the first event is waited for. `gone` is called, from another thread, when the
    /// terminal has hung up. Needs a running runtime.
    pub fn new(gone: G) -> io::Result<Self> {
        let (sender, events) = unbounded_channel();
        Ok(Self {
            events,
            sender,
            resized: signal(SignalKind::window_change())?,
            reader: None,
            gone,
        })
    }

    fn read(&mut self) -> io::Result<()> {
        if self.reader.is_none() {
            self.reader = Some(ReaderThread::start(self.sender.clone(), self.gone.clone())?);
        }
        Ok(())
    }
}

impl<G: FnOnce() + Clone + Send + 'static> Keys for Keyboard<G> {
    async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        if let Err(error) = self.read() {
            return Some(Err(error));
        }
        tokio::select! {
            biased;
            event = self.events.recv() => event,
            _ = self.resized.recv() => {
                let size = terminal::size();
                Some(size.map(|(width, height)| TerminalInput::Event(Event::Resize(width, height))))
            }
        }
    }

    async fn ready(&mut self) -> Option<io::Result<TerminalInput>> {
        self.events.try_recv().ok()
    }

    fn release(&mut self) {
        self.reader = None;
    }
}

/// The thread that reads. Dropped, it lets go of the terminal before anybody else reads from it.
struct ReaderThread {
    /// Closed, it ends the thread.
    open: Option<io::PipeWriter>,
    ended: mpsc::Receiver<()>,
}

impl ReaderThread {
    fn start(
        events: UnboundedSender<io::Result<TerminalInput>>,
        gone: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (closed, open) = io::pipe()?;
        let (running, ended) = mpsc::channel();
        thread::Builder::new()
            .name("terminal-input".into())
            .stack_size(STACK)
            .spawn(move || {
                let end = read_until_closed(&io::stdin(), &closed, &events);
                // Before anything else: whoever waits for the terminal can have it.
                drop(running);
                match end {
                    End::Closed => {}
                    End::Gone => {
                        gone();
                        super::signals::end_by_force();
                    }
                    End::Failed(error) => {
                        let _ = events.send(Err(error));
                    }
                }
            })?;
        Ok(Self {
            open: Some(open),
            ended,
        })
    }
}

impl Drop for ReaderThread {
    fn drop(&mut self) {
        self.open = None;
        // It ends by hanging up; a reader that is held in the system is not waited for.
        let _ = self.ended.recv_timeout(LETTING_GO);
    }
}

enum End {
    /// The other end of the pipe was closed.
    Closed,
    /// The terminal hung up. With SIGHUP ignored (`nohup`) nothing else tells.
    Gone,
    Failed(io::Error),
}

fn read_until_closed(
    terminal: &impl AsFd,
    closed: &impl AsFd,
    events: &UnboundedSender<io::Result<TerminalInput>>,
) -> End {
    let hung_up = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    let mut decoder = Decoder::default();
    loop {
        let mut watched = [
            PollFd::new(terminal, PollFlags::IN),
            PollFd::new(closed, PollFlags::empty()),
        ];
        let patience = decoder.patience().map(|time| Timespec {
            tv_sec: 0,
            tv_nsec: time.subsec_nanos().into(),
        });
        match poll(&mut watched, patience.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return End::Failed(error.into()),
        }
        let (input, end) = (watched[0].revents(), watched[1].revents());
        if end.intersects(hung_up) {
            return End::Closed;
        }
        if input.intersects(hung_up) {
            return End::Gone;
        }
        let heard = if input.contains(PollFlags::IN) {
            match read_once(terminal, &mut decoder) {
                Ok(heard) => heard,
                Err(end) => return end,
            }
        } else {
            decoder.give_up()
        };
        for heard in heard {
            // Where the loop has ended, nobody is left to be told.
            let _ = events.send(Ok(heard));
        }
    }
}

fn read_once(terminal: &impl AsFd, decoder: &mut Decoder) -> Result<Vec<TerminalInput>, End> {
    let mut bytes = [0; 4096];
    let count = match rustix::io::read(terminal, &mut bytes) {
        Ok(0) | Err(Errno::IO) => return Err(End::Gone),
        Ok(count) => count,
        Err(Errno::INTR | Errno::AGAIN) => 0,
        Err(error) => return Err(End::Failed(error.into())),
    };
    let read = bytes.get_mut(..count).unwrap_or_default();
    let heard = decoder.feed(read);
    read.zeroize();
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crossterm::event::{KeyCode, KeyEvent};

    use super::*;

    #[test]
    fn keys_come_until_it_is_closed_and_later_ones_stay() {
        let (input, mut keys) = io::pipe().unwrap();
        let kept = input.try_clone().unwrap();
        let (closed, open) = io::pipe().unwrap();
        let (sender, mut events) = unbounded_channel();
        let reading = thread::spawn(move || {
            matches!(read_until_closed(&input, &closed, &sender), End::Closed)
        });
        keys.write_all(b"q").unwrap();
        let heard = events.blocking_recv().unwrap().unwrap();
        let key = KeyEvent::from(KeyCode::Char('q'));
        assert_eq!(heard, TerminalInput::Event(Event::Key(key)));
        drop(open);
        assert!(reading.join().unwrap());
        keys.write_all(b"go").unwrap();
        drop(keys);
        let left = io::read_to_string(kept).unwrap();
        assert_eq!(left, "go", "for whoever has the terminal now");
        assert!(events.blocking_recv().is_none());
    }

    #[test]
    fn a_terminal_that_hangs_up_is_gone() {
        let (input, keys) = io::pipe().unwrap();
        let (closed, _open) = io::pipe().unwrap();
        let (sender, _events) = unbounded_channel();
        drop(keys);
        assert!(matches!(
            read_until_closed(&input, &closed, &sender),
            End::Gone
        ));
    }
}
