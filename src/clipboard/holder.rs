//! The helper process that holds the desktop's clipboard: this program again, with a hidden subcommand.
//!
//! An X11 or Wayland selection lives in the process that owns it. Held in a process of its own it survives
//! Ctrl-Z and, when asked, the end of the program; a display that never answers hangs nobody else; and it
//! is gone when its time is over, whatever became of the program. Everything comes by stdin:
//!
//! ```text
//! → hold LENGTH MILLISECONDS|never program|outlive     then LENGTH bytes of text
//! ← ready                                              placed and read back, or: failed WHY
//! → clear                                              clear at once; the end of stdin means the same,
//!                                                      unless the text shall outlive the program
//! ← cleared | replaced                                 replaced: another program has copied since
//! ```

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use arboard::SetExtLinux as _;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use zeroize::Zeroizing;

use crate::domain::text::inert;
use crate::domain::{Secret, error_chain};

/// The hidden subcommand under which the program calls [`run`].
pub const SUBCOMMAND: &str = "clipboard-holder";

/// How long a display may take to answer before the helper gives up by itself. The program that started
/// it waits less.
const START: Duration = Duration::from_secs(10);

/// How long the clearing may take before the helper just ends, which gives the selection up too.
const END: Duration = Duration::from_millis(500);

/// How often it is looked whether the text is still ours.
const LOOK: Duration = Duration::from_millis(500);

/// The longest text that is held, in bytes: X11 moves it in one piece.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// Whose end takes a copied text away. It matters to the desktop's clipboard alone: what tmux and a
/// terminal hold outlives the program until it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// The program's, by whatever cause, a kill included.
    Program,
    /// Only the time, an order, or another program that copies.
    Outlive,
}

/// The first line of the talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HolderRequest {
    /// Bytes of the text that follows.
    pub(super) length: usize,
    /// When to clear; never by itself where there is none.
    pub(super) clear_after: Option<Duration>,
    /// Whose end ends it.
    pub(super) life: Life,
}

/// What the helper says, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HolderReply {
    /// Placed, read back, and it was ours.
    Ready,
    /// Not placed; one plain sentence.
    Failed(String),
    /// Ended: cleared, or given up by ending.
    Cleared,
    /// Ended: another program has copied since, and its text was left alone.
    Replaced,
}

/// A request that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a request to hold a text")]
struct NotARequest;

/// Why the text is not on the desktop's clipboard.
#[derive(Debug, thiserror::Error)]
enum BoardProblem {
    /// There is no clipboard here, or it does not take the text.
    #[error(transparent)]
    Desktop(#[from] arboard::Error),
    /// Taken, and something else was read back.
    #[error("the desktop did not keep the text")]
    NotKept,
    /// Not taken within [`START`].
    #[error("the display does not answer")]
    Silent,
}

/// The desktop's clipboard as the helper uses it.
trait Board {
    fn place(&mut self, text: &Secret) -> Result<(), BoardProblem>;
    /// The text on it, whoever put it there.
    fn read(&mut self) -> Option<Secret>;
    fn clear(&mut self);
}

enum HolderEvent {
    /// The board placed the text and goes on, or failed, or ended.
    Board(HolderReply),
    /// The program asks to clear.
    ClearAsked,
    /// The program's end of stdin closed.
    ProgramEnded,
}

/// Runs the helper on stdin and stdout until the text is cleared or replaced. Called by the hidden
/// subcommand [`SUBCOMMAND`] as the first thing it does, before any runtime or log is set up.
///
/// Failure (an [`ExitCode`] that is not 0) means that nothing was placed.
pub fn run() -> ExitCode {
    // A session of its own: no Ctrl-C, no Ctrl-Z and no hang-up of the terminal reach it.
    let _ = rustix::process::setsid();
    // The text must not end in a core file or be read by a debugger of another process.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(Resource::Core, none);
    match serve(std::io::stdin(), std::io::stdout(), Desktop::open) {
        Ok(HolderReply::Cleared | HolderReply::Replaced) => ExitCode::SUCCESS,
        Ok(HolderReply::Ready | HolderReply::Failed(_)) | Err(NotARequest) => ExitCode::from(3),
    }
}

/// The whole talk. The board lives in a thread that is left behind when it hangs; the process ends then.
fn serve<B: Board>(
    input: impl Read + Send + 'static,
    mut output: impl Write,
    open: impl FnOnce() -> Result<B, BoardProblem> + Send + 'static,
) -> Result<HolderReply, NotARequest> {
    let mut input = BufReader::new(input);
    let (request, text) = read_request(&mut input).ok_or(NotARequest)?;
    let (events, inbox) = mpsc::channel();
    let (order, orders) = mpsc::channel();
    let board_events = events.clone();
    thread::spawn(move || {
        let answer = match open() {
            Ok(board) => hold(board, &text, request.clear_after, &board_events, &orders),
            Err(problem) => HolderReply::failed(&problem),
        };
        let _ = board_events.send(HolderEvent::Board(answer));
    });
    thread::spawn(move || listen(input, &events));
    let answer = supervise(request.life, &inbox, order, &mut output);
    say(&mut output, &answer);
    Ok(answer)
}

/// Tells the program that the text is placed, and waits for the board's last answer. Dropping `order` asks
/// the board to clear.
fn supervise(
    life: Life,
    inbox: &Receiver<HolderEvent>,
    order: Sender<()>,
    output: &mut impl Write,
) -> HolderReply {
    let mut order = Some(order);
    let mut placed = false;
    loop {
        let event = match (&order, placed) {
            (Some(_), true) => inbox.recv().map_err(RecvTimeoutError::from),
            (Some(_), false) => inbox.recv_timeout(START),
            (None, _) => inbox.recv_timeout(END),
        };
        match event {
            Ok(HolderEvent::Board(HolderReply::Ready)) => {
                placed = true;
                say(output, &HolderReply::Ready);
            }
            Ok(HolderEvent::Board(answer)) => return answer,
            Ok(HolderEvent::ProgramEnded) if life == Life::Outlive => {}
            Ok(HolderEvent::ClearAsked | HolderEvent::ProgramEnded) => order = None,
            // Ending gives the selection up.
            Err(_) if order.is_none() => return HolderReply::Cleared,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return HolderReply::failed(&BoardProblem::Silent);
            }
        }
    }
}

/// Places the text, reads it back, and keeps it until an order, the time, or another program's copy.
/// The end of `orders` is the order to clear.
fn hold(
    mut board: impl Board,
    text: &Secret,
    clear_after: Option<Duration>,
    events: &Sender<HolderEvent>,
    orders: &Receiver<()>,
) -> HolderReply {
    if let Err(problem) = board.place(text) {
        return HolderReply::failed(&problem);
    }
    if board.read().as_ref() != Some(text) {
        return HolderReply::failed(&BoardProblem::NotKept);
    }
    let _ = events.send(HolderEvent::Board(HolderReply::Ready));
    let deadline = clear_after.map(|after| Instant::now() + after);
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let waited = orders.recv_timeout(left.unwrap_or(LOOK).min(LOOK));
        let ours = board.read().as_ref() == Some(text);
        let over = left.is_some_and(|left| left <= LOOK);
        match (ours, waited) {
            (false, _) => return HolderReply::Replaced,
            (true, Err(RecvTimeoutError::Timeout)) if !over => {}
            (true, _) => break,
        }
    }
    board.clear();
    HolderReply::Cleared
}

/// Reads what the program says after its request.
fn listen(input: impl BufRead, events: &Sender<HolderEvent>) {
    for line in input.lines() {
        match line.as_deref() {
            Ok("clear") => {
                let _ = events.send(HolderEvent::ClearAsked);
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let _ = events.send(HolderEvent::ProgramEnded);
}

/// Reads the first line and the text after it; `None` where either is not what a program of ours says.
fn read_request(input: &mut impl BufRead) -> Option<(HolderRequest, Secret)> {
    let mut line = String::new();
    input.take(80).read_line(&mut line).ok()?;
    let request = HolderRequest::read(line.trim_end())?;
    let mut text = Zeroizing::new(vec![0; request.length]);
    input.read_exact(&mut text).ok()?;
    Some((request, Secret::new(str::from_utf8(&text).ok()?)))
}

/// A program that no longer listens does not stop us: what it would hear is lost.
fn say(output: &mut impl Write, answer: &HolderReply) {
    let _ = writeln!(output, "{answer}");
    let _ = output.flush();
}

impl HolderRequest {
    /// Reads the first line; `None` where no program of ours says it.
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let &["hold", length, clear_after, whose] = words.as_slice() else {
            return None;
        };
        Some(Self {
            length: length.parse().ok().filter(|it| *it <= MOST_BYTES)?,
            clear_after: match clear_after {
                "never" => None,
                milliseconds => Some(Duration::from_millis(milliseconds.parse().ok()?)),
            },
            life: match whose {
                "program" => Life::Program,
                "outlive" => Life::Outlive,
                _ => return None,
            },
        })
    }
}

impl fmt::Display for HolderRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hold {} ", self.length)?;
        match self.clear_after {
            Some(after) => write!(f, "{} ", after.as_millis())?,
            None => write!(f, "never ")?,
        }
        f.write_str(match self.life {
            Life::Program => "program",
            Life::Outlive => "outlive",
        })
    }
}

impl HolderReply {
    fn failed(problem: &BoardProblem) -> Self {
        Self::Failed(error_chain(problem))
    }

    /// Reads a line of the helper; `None` is a line that no helper says.
    pub(super) fn read(line: &str) -> Option<Self> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("ready", _) => Some(Self::Ready),
            ("failed", why) => Some(Self::Failed(inert(why, 120))),
            ("cleared", _) => Some(Self::Cleared),
            ("replaced", _) => Some(Self::Replaced),
            _ => None,
        }
    }
}

impl fmt::Display for HolderReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Failed(why) => write!(f, "failed {}", inert(why, 120)),
            Self::Cleared => f.write_str("cleared"),
            Self::Replaced => f.write_str("replaced"),
        }
    }
}

/// The real one. arboard finds its display in the environment that the program gave us.
struct Desktop(arboard::Clipboard);

impl Desktop {
    fn open() -> Result<Self, BoardProblem> {
        Ok(Self(arboard::Clipboard::new()?))
    }
}

impl Board for Desktop {
    fn place(&mut self, text: &Secret) -> Result<(), BoardProblem> {
        // The hint keeps it out of the history of clipboard managers that respect it.
        Ok(self.0.set().exclude_from_history().text(text.expose())?)
    }

    fn read(&mut self) -> Option<Secret> {
        self.0.get_text().ok().map(Secret::new)
    }

    fn clear(&mut self) {
        let _ = self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::sync::{Arc, Mutex};

    /// A clipboard in memory; its clone is another program's view of it.
    #[derive(Clone, Default)]
    struct Memory {
        content: Arc<Mutex<Option<Secret>>>,
        deaf: bool,
    }

    impl Board for Memory {
        fn place(&mut self, text: &Secret) -> Result<(), BoardProblem> {
            if !self.deaf {
                *self.content.lock().unwrap() = Some(text.clone());
            }
            Ok(())
        }

        fn read(&mut self) -> Option<Secret> {
            self.content.lock().unwrap().clone()
        }

        fn clear(&mut self) {
            *self.content.lock().unwrap() = None;
        }
    }

    fn talk(
        input: &str,
        board: Result<Memory, BoardProblem>,
    ) -> (Result<HolderReply, NotARequest>, String) {
        let mut output = Vec::new();
        let input = Cursor::new(input.to_owned().into_bytes());
        let end = serve(input, &mut output, move || board);
        (end, String::from_utf8(output).unwrap())
    }

    #[test]
    fn requests_and_answers_are_read_as_they_are_written() {
        for line in [
            "hold 6 20000 program",
            "hold 0 never outlive",
            "hold 9 0 outlive",
        ] {
            assert_eq!(HolderRequest::read(line).unwrap().to_string(), line);
        }
        for line in [
            "",
            "hold",
            "hold x 1 program",
            "hold 1 x program",
            "hold 1 1 ever",
            "hold 9999999 1 program",
            "hold 1 1 program more",
        ] {
            assert_eq!(HolderRequest::read(line), None, "{line}");
        }
        for answer in [
            HolderReply::Ready,
            HolderReply::Cleared,
            HolderReply::Replaced,
            HolderReply::Failed("no display".into()),
        ] {
            assert_eq!(HolderReply::read(&answer.to_string()), Some(answer));
        }
        assert_eq!(HolderReply::read("hello"), None);
    }

    #[test]
    fn the_time_clears() {
        let board = Memory::default();
        // Outliving, so that only the time can be the cause.
        let (end, said) = talk("hold 6 0 outlive\nsecret", Ok(board.clone()));
        assert_eq!(end, Ok(HolderReply::Cleared));
        assert_eq!(said, "ready\ncleared\n");
        assert_eq!(*board.content.lock().unwrap(), None);
    }

    #[test]
    fn an_order_clears_though_it_would_outlive() {
        let mut board = Memory::default();
        let (end, _) = talk("hold 6 never outlive\nsecretclear\n", Ok(board.clone()));
        assert_eq!(end, Ok(HolderReply::Cleared));
        assert_eq!(board.read(), None);
    }

    #[test]
    fn the_end_of_the_program_clears_unless_it_shall_outlive() {
        let mut board = Memory::default();
        let (end, said) = talk("hold 6 never program\nsecret", Ok(board.clone()));
        assert_eq!((end, board.read()), (Ok(HolderReply::Cleared), None));
        assert_eq!(said, "ready\ncleared\n");
    }

    #[test]
    fn another_programs_text_is_left_alone() {
        let mut board = Memory::default();
        let (events, inbox) = mpsc::channel();
        let (order, orders) = mpsc::channel();
        let mut other = board.clone();
        let ours = board.clone();
        let holder =
            thread::spawn(move || hold(ours, &Secret::new("secret"), None, &events, &orders));
        assert!(matches!(
            inbox.recv(),
            Ok(HolderEvent::Board(HolderReply::Ready))
        ));
        assert_eq!(board.read(), Some(Secret::new("secret")));
        other.place(&Secret::new("theirs")).unwrap();
        drop(order);
        assert_eq!(holder.join().unwrap(), HolderReply::Replaced);
        assert_eq!(board.read(), Some(Secret::new("theirs")));
    }

    #[test]
    fn what_was_not_placed_is_not_called_ready() {
        let deaf = Memory {
            deaf: true,
            ..Memory::default()
        };
        let (end, said) = talk("hold 6 0 outlive\nsecret", Ok(deaf));
        assert_eq!(said, "failed the desktop did not keep the text\n");
        assert!(matches!(end, Ok(HolderReply::Failed(_))));
        let description = "no\u{1b} display\n".to_owned();
        let closed = Err(arboard::Error::Unknown { description }.into());
        let (_, said) = talk("hold 6 0 outlive\nsecret", closed);
        assert!(said.starts_with("failed Unknown error"), "{said:?}");
        assert!(said.ends_with("no display\n"), "{said:?}");
    }

    #[test]
    fn half_a_request_places_nothing() {
        let board = Memory::default();
        let (end, said) = talk("hold 60 0 program\nsecret", Ok(board.clone()));
        assert_eq!((end, said.as_str()), (Err(NotARequest), ""));
        assert_eq!(*board.content.lock().unwrap(), None);
    }
}
