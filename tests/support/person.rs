//! A person at the whole screen but for the terminal: keys in, a picture out.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use switchboard::app::effect::ScreenEnd;
use switchboard::app::keymap::KeyPress;
use switchboard::app::{Message, Model};
use switchboard::tui::effects::{Effects, Queue};
use switchboard::tui::event_loop::{EventLoop, Inbound, Keys, Stop, Surface};
use switchboard::tui::flow::{ATTRIBUTES_QUESTION, Flow};
use switchboard::tui::keyboard::decode::TerminalInput;
use switchboard::ui::{self, ColourDepth, Theme, ThemeName};
use switchboard::work::Core;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::Instant;

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

struct Typed(UnboundedReceiver<TerminalInput>);

impl Keys for Typed {
    async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        self.0.recv().await.map(Ok)
    }

    async fn ready(&mut self) -> Option<io::Result<TerminalInput>> {
        self.0.try_recv().ok().map(Ok)
    }

    fn release(&mut self) {}
}

struct Picture {
    terminal: Terminal<TestBackend>,
    theme: Theme,
    shown: watch::Sender<String>,
    written: Arc<Mutex<Vec<u8>>>,
    flow: Arc<Mutex<Flow>>,
    is_far: Arc<AtomicBool>,
}

impl Surface for Picture {
    fn draw(&mut self, model: &Model) -> io::Result<bool> {
        if self.flow.lock().unwrap().is_full() {
            return Ok(false);
        }
        let unseen = model
            .unseen()
            .filter(|_| self.is_far.load(Ordering::SeqCst));
        if let Some(what) = unseen {
            self.flow.lock().unwrap().asks_for(what);
        }
        let theme = &self.theme;
        let Ok(_) = self.terminal.draw(|frame| ui::draw(model, theme, frame));
        self.shown.send_replace(self.terminal.backend().to_string());
        Ok(true)
    }

    fn answered(&mut self) -> bool {
        self.flow.lock().unwrap().answered()
    }

    fn awaits_sight(&self) -> bool {
        self.flow.lock().unwrap().awaits_sight()
    }

    fn has_been_seen(&mut self) -> Option<u32> {
        self.flow.lock().unwrap().has_been_seen()
    }

    fn told_attributes(&mut self) {
        self.flow.lock().unwrap().told_attributes();
    }

    fn awaits(&self) -> Option<Instant> {
        self.flow.lock().unwrap().last()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn write_and_ask(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flow.lock().unwrap().asks_attributes();
        self.write(&[bytes, ATTRIBUTES_QUESTION].concat())
    }

    fn size(&self) -> io::Result<(u16, u16)> {
        let area = self.terminal.backend().buffer().area;
        Ok((area.width, area.height))
    }

    fn redraw(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn take_back(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self, last: &str, _: Stop) -> io::Result<()> {
        self.write(format!("[stopped]{last}").as_bytes())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn mouse(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// The person at the screen.
pub struct Person {
    keys: UnboundedSender<TerminalInput>,
    /// The line to the screen; what a picture holds is not counted.
    pub flow: Arc<Mutex<Flow>>,
    /// Whether a question is on its way until its terminal answers ([`Person::answers_in`]).
    pub is_far: Arc<AtomicBool>,
    /// What comes back from effects may also come from here.
    pub queue: UnboundedSender<Inbound>,
    shown: watch::Receiver<String>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Person {
    /// Keys by their names, divided by blanks.
    pub fn press(&self, names: &str) {
        for name in names.split_whitespace() {
            let press = KeyPress::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            self.event(press);
        }
    }

    /// Every character as a key, all at once.
    pub fn types(&self, text: &str) {
        for c in text.chars() {
            self.event(KeyPress::plain(KeyCode::Char(c)));
        }
    }

    fn event(&self, press: KeyPress) {
        let key = KeyEvent::new(press.code, press.modifiers);
        self.keys
            .send(TerminalInput::Event(Event::Key(key)))
            .unwrap();
    }

    /// After `time` the terminal tells that it has taken in all that it was asked about.
    pub fn answers_in(&self, time: Duration) {
        self.tells_in(time, TerminalInput::Status);
    }

    /// The terminal tells something of itself, behind the keys that were pressed.
    pub fn tells(&self, answer: TerminalInput) {
        self.keys.send(answer).unwrap();
    }

    /// After `time` the terminal tells something of itself.
    pub fn tells_in(&self, time: Duration, answer: TerminalInput) {
        let keys = self.keys.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            keys.send(answer)
        });
    }

    /// The picture, as soon as `test` holds for it.
    pub async fn sees_that(&mut self, what: &str, test: impl Fn(&str) -> bool) -> String {
        let seen = tokio::time::timeout(LIMIT, self.shown.wait_for(|shown| test(shown)))
            .await
            .map(|shown| shown.unwrap().clone());
        seen.unwrap_or_else(|_| panic!("{what} did not come:\n{}", self.screen()))
    }

    /// The picture, as soon as `text` is in it.
    pub async fn sees(&mut self, text: &str) -> String {
        self.sees_that(text, |shown| shown.contains(text)).await
    }

    /// The picture, as soon as `text` is not in it any more.
    pub async fn sees_no(&mut self, text: &str) -> String {
        let what = format!("a screen without {text}");
        self.sees_that(&what, |shown| !shown.contains(text)).await
    }

    /// The last picture.
    pub fn screen(&self) -> String {
        self.shown.borrow().clone()
    }

    /// Everything written beside the pictures.
    pub fn written(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

/// Runs the screen over `core` while `plot` is at the keys; how the screen ended.
pub async fn session(
    core: Core,
    size: (u16, u16),
    plot: impl AsyncFnOnce(&mut Person),
) -> io::Result<ScreenEnd> {
    lasting(core, size, Timestamp::now, plot).await.0
}

/// The same by another clock, with the model as it was at the end.
pub async fn lasting(
    core: Core,
    size: (u16, u16),
    now: fn() -> Timestamp,
    plot: impl AsyncFnOnce(&mut Person),
) -> (io::Result<ScreenEnd>, Model) {
    let (keys, typed) = unbounded_channel();
    let (sender, queue) = unbounded_channel();
    let (shown, seen) = watch::channel(String::new());
    let written = Arc::new(Mutex::new(Vec::new()));
    let flow = Arc::new(Mutex::new(Flow::default()));
    let is_far = Arc::new(AtomicBool::new(false));
    let mut event_loop = EventLoop {
        model: Model::new(size, now()),
        surface: Picture {
            terminal: Terminal::new(TestBackend::new(size.0, size.1)).unwrap(),
            theme: Theme::shipped(ThemeName::Dark, ColourDepth::NoColor),
            shown,
            written: Arc::clone(&written),
            flow: Arc::clone(&flow),
            is_far: Arc::clone(&is_far),
        },
        effects: Effects::new(
            core,
            tokio::runtime::Handle::current(),
            Queue(sender.clone()),
            Vec::new(),
        ),
        queue,
        end: None,
        stopping: None,
        now,
    };
    let mut person = Person {
        keys,
        flow,
        is_far,
        queue: sender,
        shown: seen,
        written,
    };
    let mut typed = Typed(typed);
    let (ended, ()) = tokio::join!(
        event_loop.run(&mut typed, async || pending().await),
        async {
            plot(&mut person).await;
            let end = Message::EndRequested(ScreenEnd::Quit);
            person.queue.send(Inbound::Message(Box::new(end))).ok();
        }
    );
    event_loop.effects.end().await;
    (ended, event_loop.model)
}
