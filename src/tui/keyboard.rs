//! The terminal's input: read by the loop itself when there is something, given up at once when somebody else shall
//! have it.
//!
//! crossterm's event stream is not used for this. It registers the terminal edge-triggered beside its own waker,
//! and where both are ready at once it looks at the waker alone: the key stays unread until another one comes. That
//! is what happened after each Ctrl-Z and `fg`. Its reads block, answers of the terminal come out as keys, and it
//! spins where the terminal is gone (its issue 793). Here the terminal is opened once more, for reading without
//! blocking: no thread stands between a key and the loop that draws it.

pub mod decode;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::thread;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroize;

use super::event_loop::Keys;
use super::terminal;
use super::wire::reopened;
use decode::{Decoder, TerminalInput};

/// Read at once, at most: a paste comes in as many pieces as it has.
const PIECE: usize = 4096;

/// The terminal's keys, pastes, clicks, and its size.
pub struct Keyboard {
    reader: Option<Reader>,
    resized: Signal,
    /// The terminal hung up: nothing more comes.
    is_gone: bool,
}

impl Keyboard {
    /// Nothing is read before the first event is waited for. Needs a running runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            reader: None,
            resized: signal(SignalKind::window_change())?,
            is_gone: false,
        })
    }

    /// stdin's terminal.
    fn reader(reader: &mut Option<Reader>) -> io::Result<&mut Reader> {
        if let Some(reader) = reader {
            return Ok(reader);
        }
        let terminal = reopened(rustix::stdio::stdin(), OFlags::RDONLY)?;
        Ok(reader.insert(Reader::over(terminal)?))
    }

    fn told(&mut self, heard: Heard) -> Option<io::Result<TerminalInput>> {
        match heard {
            Heard::Input(input) => Some(Ok(input)),
            Heard::Failed(error) => Some(Err(error)),
            Heard::Gone => {
                self.reader = None;
                self.is_gone = true;
                // With SIGHUP ignored (`nohup`) nobody else insists on an end.
                let insisting = thread::Builder::new().name("end".into());
                let _ = insisting.spawn(super::signals::end_by_force);
                None
            }
        }
    }
}

impl Keys for Keyboard {
    async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        if self.is_gone {
            return None;
        }
        let reader = match Self::reader(&mut self.reader) {
            Ok(reader) => reader,
            Err(error) => return Some(Err(error)),
        };
        let heard = tokio::select! {
            biased;
            heard = reader.next() => heard,
            _ = self.resized.recv() => return Some(size()),
        };
        self.told(heard)
    }

    async fn ready(&mut self) -> Option<io::Result<TerminalInput>> {
        let heard = self.reader.as_mut()?.ready()?;
        self.told(heard)
    }

    fn release(&mut self) {
        self.reader = None;
    }
}

fn size() -> io::Result<TerminalInput> {
    let (columns, rows) = terminal::size()?;
    Ok(TerminalInput::Event(Event::Resize(columns, rows)))
}

/// What came of reading.
#[derive(Debug)]
enum Heard {
    Input(TerminalInput),
    /// The terminal hung up.
    Gone,
    Failed(io::Error),
}

/// Reads and decodes. Dropped, it lets go of the terminal: what was not read is for whoever reads next.
struct Reader {
    terminal: OwnedFd,
    /// Whether a read waits where there is nothing: the terminal could not be opened once more.
    blocks: bool,
    /// (The runtime watches a terminal as it does a pipe.)
    watched: Receiver,
    decoder: Decoder,
    /// Decoded, and not told yet.
    heard: VecDeque<TerminalInput>,
    /// When what came so far is no longer taken for a beginning.
    gives_up: Option<Instant>,
}

impl Reader {
    fn over(terminal: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            blocks: !fcntl_getfl(&terminal)?.contains(OFlags::NONBLOCK),
            watched: Receiver::from_owned_fd_unchecked(fcntl_dupfd_cloexec(&terminal, 3)?)?,
            terminal,
            decoder: Decoder::default(),
            heard: VecDeque::new(),
            gives_up: None,
        })
    }

    /// What comes next. Dropping the future loses nothing.
    async fn next(&mut self) -> Heard {
        loop {
            // However much comes that is no key yet, others have their turn.
            consume_budget().await;
            if let Some(heard) = self.ready() {
                return heard;
            }
            let patience = async {
                match self.gives_up {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                readable = self.watched.readable() => if let Err(error) = readable {
                    return Heard::Failed(error);
                },
                () = patience => {
                    let heard = self.decoder.give_up();
                    self.decoded(heard);
                }
            }
        }
    }

    /// What is there already: what was decoded, else what is in one more piece.
    fn ready(&mut self) -> Option<Heard> {
        if let Some(input) = self.heard.pop_front() {
            return Some(Heard::Input(input));
        }
        // What was typed lies in it until it is freed, and wiped.
        self.heard = VecDeque::new();
        let mut bytes = [0; PIECE];
        match self.read(&mut bytes) {
            Ok(0) => Some(Heard::Gone),
            Ok(count) => {
                let read = bytes.get_mut(..count).unwrap_or_default();
                let heard = self.decoder.feed(read);
                read.zeroize();
                self.decoded(heard);
                self.heard.pop_front().map(Heard::Input)
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => None,
                _ if Errno::from_io_error(&error) == Some(Errno::IO) => Some(Heard::Gone),
                _ => Some(Heard::Failed(error)),
            },
        }
    }

    /// Reads what is there; 0 bytes where the terminal has hung up.
    fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.watched.try_io(|| {
            if self.blocks && !has_input(&self.terminal)? {
                return Err(Errno::AGAIN.into());
            }
            Ok(rustix::io::read(&self.terminal, bytes)?)
        })
    }

    fn decoded(&mut self, heard: Vec<TerminalInput>) {
        self.heard.extend(heard);
        self.gives_up = self.decoder.patience().map(|time| Instant::now() + time);
    }
}

fn has_input(terminal: &OwnedFd) -> rustix::io::Result<bool> {
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut watched = [PollFd::new(terminal, PollFlags::IN)];
    Ok(poll(&mut watched, Some(&at_once))? > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use crossterm::event::{KeyCode, KeyEvent};

    use super::*;

    fn key(letter: char) -> TerminalInput {
        TerminalInput::Event(Event::Key(KeyEvent::from(KeyCode::Char(letter))))
    }

    async fn input(reader: &mut Reader) -> TerminalInput {
        match reader.next().await {
            Heard::Input(input) => input,
            other => panic!("{other:?}"),
        }
    }

    /// Terminals that could be opened once more, and one that could not: a read of it waits.
    const WAYS: [bool; 2] = [true, false];

    fn opened(is_opened_anew: bool) -> (Reader, io::PipeReader, io::PipeWriter) {
        let (terminal, keys) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&terminal, is_opened_anew).unwrap();
        let kept = terminal.try_clone().unwrap();
        (Reader::over(terminal.into()).unwrap(), kept, keys)
    }

    #[tokio::test]
    async fn keys_come_until_it_is_let_go_and_later_ones_stay() {
        for way in WAYS {
            let (mut reader, kept, mut keys) = opened(way);
            assert!(reader.ready().is_none(), "nothing is waited for");
            for round in ["qr", "st"] {
                keys.write_all(round.as_bytes()).unwrap();
                for letter in round.chars() {
                    assert_eq!(input(&mut reader).await, key(letter));
                }
                assert!(reader.ready().is_none());
            }
            drop(reader);
            keys.write_all(b"go").unwrap();
            drop(keys);
            let left = io::read_to_string(kept).unwrap();
            assert_eq!(left, "go", "for whoever has the terminal now");
        }
    }

    #[tokio::test]
    async fn what_is_there_already_is_told_without_waiting_for_it() {
        for way in WAYS {
            let (mut reader, _kept, mut keys) = opened(way);
            keys.write_all(b"qr").unwrap();
            assert_eq!(input(&mut reader).await, key('q'));
            assert!(matches!(reader.ready(), Some(Heard::Input(input)) if input == key('r')));
            keys.write_all(b"s").unwrap();
            assert!(matches!(reader.ready(), Some(Heard::Input(input)) if input == key('s')));
            assert!(reader.ready().is_none());
        }
    }

    #[tokio::test]
    async fn what_came_before_it_was_opened_is_read() {
        let (terminal, mut keys) = io::pipe().unwrap();
        keys.write_all(b"q").unwrap();
        let mut reader = Reader::over(terminal.into()).unwrap();
        assert_eq!(input(&mut reader).await, key('q'));
    }

    #[tokio::test(start_paused = true)]
    async fn an_escape_alone_is_a_key_however_often_others_come_between() {
        let (mut reader, _kept, mut keys) = opened(true);
        keys.write_all(b"\x1b").unwrap();
        let began = Instant::now();
        let heard = loop {
            let soon = tokio::time::timeout(Duration::from_millis(5), reader.next());
            if let Ok(heard) = soon.await {
                break heard;
            }
            assert!(began.elapsed() < Duration::from_secs(1), "it is put off");
        };
        let escape = TerminalInput::Event(Event::Key(KeyEvent::from(KeyCode::Esc)));
        assert!(matches!(heard, Heard::Input(input) if input == escape));
    }

    #[tokio::test]
    async fn a_terminal_that_hangs_up_is_gone_after_what_came_before() {
        for way in WAYS {
            let (mut reader, kept, mut keys) = opened(way);
            keys.write_all(b"q").unwrap();
            drop((keys, kept));
            assert_eq!(input(&mut reader).await, key('q'));
            assert!(matches!(reader.next().await, Heard::Gone));
        }
    }
}
